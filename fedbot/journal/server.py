"""A PostgreSQL server: how to connect to it, and what its errors mean to the journal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.abc import Buffer
from psycopg.types.string import StrDumperUnknown, TextLoader

from fedbot.journal.database import Address
from fedbot.ports.journal import BrokenRule, JournalAway, JournalDamaged, JournalProblem, JournalUnwritable

PATIENCE = 10_000
"""The milliseconds that a statement, or a packet without an answer, may take."""
PAUSED_INSIDE = 5_000
"""The milliseconds after which a worker that stopped within a transaction no longer blocks others from taking over."""

Row = tuple[Any, ...]


class _Text(StrDumperUnknown):
    """Writes a zero character as two others: PostgreSQL can't store one, and others can send one."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(_escaped(obj) if "\0" in obj or _ESCAPE in obj else obj)


class _TextBack(TextLoader):
    def load(self, data: Buffer) -> str | bytes:
        text = super().load(data)
        return _unescaped(text) if isinstance(text, str) and _ESCAPE in text else text


_ESCAPE = "\ufffe"


def _escaped(text: str) -> str:
    return text.replace(_ESCAPE, f"{_ESCAPE}1").replace("\0", f"{_ESCAPE}0")


def _unescaped(text: str) -> str:
    return text.replace(f"{_ESCAPE}0", "\0").replace(f"{_ESCAPE}1", _ESCAPE)


def connect(address: Address, *, is_patient: bool = False) -> psycopg.Connection[Row]:
    """Open a connection on which each statement is a transaction of its own, unless one is begun.

    `is_patient`: a statement may take any time. Raises psycopg's errors (see `translated`).
    """
    connection: psycopg.Connection[Row] = psycopg.connect(
        address.url,
        password=address.password or None,
        autocommit=True,
        cursor_factory=psycopg.RawCursor,
        application_name=f"fedbot {address.space}",
        connect_timeout=5,
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        tcp_user_timeout=PATIENCE,
    )
    try:
        connection.adapters.register_dumper(str, _Text)
        connection.adapters.register_loader("text", _TextBack)
        connection.execute(
            sql.SQL(
                "SET search_path TO {schema}; SET client_min_messages TO error; SET statement_timeout TO {statement};"
                " SET lock_timeout TO {lock}; SET idle_in_transaction_session_timeout TO {paused};"
                # the server's own look for a client that is gone, or a lost machine would keep connections for hours
                " SET tcp_keepalives_idle TO 5; SET tcp_keepalives_interval TO 2; SET tcp_keepalives_count TO 3;"
                " SET tcp_user_timeout TO {unanswered}"
            ).format(
                schema=sql.Identifier(address.schema),
                statement=sql.Literal(0 if is_patient else PATIENCE),
                lock=sql.Literal(PATIENCE),
                paused=sql.Literal(PAUSED_INSIDE),
                unanswered=sql.Literal(PATIENCE),
            ),
            prepare=False,
        )
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def translated(address: Address) -> Iterator[None]:
    """Turn psycopg's errors into errors of the journal."""
    try:
        yield
    except (errors.IntegrityError, errors.RaiseException) as problem:
        raise BrokenRule(f"the journal's tables refuse a row: {problem}") from problem
    except (errors.DiskFull, errors.ReadOnlySqlTransaction, errors.InsufficientPrivilege) as problem:
        raise JournalUnwritable(
            f"The database of {address.space} can't be written ({problem}). Nothing is lost, but nothing new is begun. "
            "Make room for it, or let its user write; then start the bot again: it goes on where it was."
        ) from problem
    except (errors.DataCorrupted, errors.IndexCorrupted) as problem:
        raise JournalDamaged(
            f"The database of {address.space} is damaged ({problem}). Nothing was changed. Restore it from its backup, "
            "or move its schema away and run: fedbot rebuild"
        ) from problem
    except (psycopg.OperationalError, psycopg.InterfaceError, errors.IdleInTransactionSessionTimeout) as problem:
        raise JournalAway(f"The database of {address.space} doesn't answer: {str(problem).strip()}") from problem
    except psycopg.Error as problem:
        raise JournalProblem(f"The database of {address.space} can't do what it is asked: {problem}") from problem
