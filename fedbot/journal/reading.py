"""A journal read beside the bot that writes to it: nothing is locked, nothing is changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from fedbot.federation.documents import Document
from fedbot.federation.views import Quarantined
from fedbot.journal import codec
from fedbot.journal.chain import Link, Verified, links, verify
from fedbot.journal.copying import FILE
from fedbot.journal.quarantine import QUARANTINED, quarantined_rows
from fedbot.journal.schema import MIGRATIONS
from fedbot.ports import JournalDamaged, JournalProblem, JournalTooNew, NotStorable


def documents(folder: Path, *kinds: type) -> list[Document]:
    """What the journal in this state folder knows of these kinds, as of one moment, oldest first.

    Raises `JournalProblem` if there is none or it can't be read, `JournalDamaged`, `JournalTooNew`.
    """
    names = [kind.__name__ for kind in kinds]
    with _opened(folder) as journal:
        places = ", ".join("?" * len(names))
        query = f"SELECT kind, payload FROM documents WHERE kind IN ({places}) ORDER BY number"  # noqa: S608 -- ?
        found = journal.execute(query, names).fetchall()
        return [codec.from_text(codec.DOCUMENTS, kind, payload) for kind, payload in found]


def audit_verified(folder: Path, wanted: str = "") -> Verified:
    """Whether the audit's chain holds, and whether the hash `wanted` was ever its end. Raises as `documents`."""
    with _opened(folder) as journal:
        return verify(journal, wanted)


def audit_links(folder: Path) -> Iterator[Link]:
    """The audit's entries, oldest first, as of one moment. Raises as `documents`."""
    with _opened(folder) as journal:
        yield from links(journal)


def quarantined(folder: Path) -> tuple[Quarantined, ...]:
    """What is set aside, oldest first. Raises as `documents`."""
    with _opened(folder) as journal:
        return quarantined_rows(journal.execute(QUARANTINED).fetchall())


@contextmanager
def _opened(folder: Path) -> Iterator[sqlite3.Connection]:
    """The journal in this state folder, as of one moment, to be read."""
    file = folder / FILE
    if not file.exists():
        raise JournalProblem(f"There is no journal in {folder}: the bot has not run yet, or keeps its state elsewhere.")
    try:
        address = f"file:{quote(str(file))}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as journal:
            journal.execute("BEGIN")
            version = journal.execute("PRAGMA user_version").fetchone()[0]
            if version > len(MIGRATIONS):
                raise JournalTooNew(f"The journal has version {version}, this fedbot knows {len(MIGRATIONS)} at most.")
            yield journal
    except sqlite3.OperationalError as problem:
        raise JournalProblem(f"The journal {file} can't be read: {problem}") from problem
    except (sqlite3.DatabaseError, NotStorable) as problem:
        raise JournalDamaged(f"The journal {file} can't be read back: {problem}") from problem
