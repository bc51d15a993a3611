"""`fedbot export`: all records of one kind, as CSV or JSON. docs/cli.md explains each column.

The kinds are the ledger (with bookings and loans to neighbours), waiting lists, wants, rotas and friendships.
Everything that the REST API lists is in one of them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from fedbot.cli.exits import Exit, failed
from fedbot.cli.settings_file import settings_of
from fedbot.config.settings import Settings
from fedbot.edge_settings import journal_place
from fedbot.files import write_whole
from fedbot.journal.copies import documents
from fedbot.ports.journal import JournalProblem
from fedbot.rules import names
from fedbot.rules.ledger import history
from fedbot.rules.model.catalogue import FriendWant, Want
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.from_anyone import Rota
from fedbot.rules.model.lending import OUTSIDE, OutsideLoan, PlaceInLine, QueueEntry
from fedbot.rules.model.lifecycles import PlaceState, WantState
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.wire import fingerprint


class NoSuchPeer(Exception):
    """No record has a space with that name, or several spaces have it."""


def export(given: argparse.Namespace) -> Exit:
    """Export all records of one kind. The bot may be running."""
    settings = settings_of(given, "warning")
    try:
        _export(settings, given)
    except (NoSuchPeer, JournalProblem) as problem:
        return failed(problem)
    return Exit.OK


def _export(settings: Settings, given: argparse.Namespace) -> None:
    """Print the records, or write them into a file with mode 0600. Raises `NoSuchPeer`, `JournalProblem`, OSError."""
    kind = KINDS[given.what]
    found = documents(journal_place(settings), Connection, *kind.documents)
    begins = _midnight(given.since, settings.party.time_zone) if given.since else None
    rows = list(kind.rows(found, begins))
    if given.peer:
        party = _party(given.peer, found)
        rows = [row for row in rows if row.peer == party]
    text = as_json(rows) if given.format == "json" else history.as_csv(rows, kind.columns)
    if given.output is None:
        sys.stdout.write(text)
    else:
        write_whole(given.output, text.encode())


def _midnight(day: date, time_zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(time_zone))


def as_json(rows: Iterable[Any]) -> str:
    """A list of objects. Integers are numbers, empty fields are null, all other values are text."""
    entries = [
        {
            name: value if value is None or isinstance(value, int) else history.as_text(value)
            for name, value in asdict(row).items()
        }
        for row in rows
    ]
    return json.dumps(entries, ensure_ascii=False, indent=1) + "\n"


def _party(word: str, found: Iterable[object]) -> str:
    """The id of the space with this id or display name. Raises `NoSuchPeer`."""
    known: dict[str, str] = {}
    for document in found:
        if isinstance(document, Connection):
            known[document.peer] = document.peer_name
        elif isinstance(document, Transfer):
            known.setdefault(document.peer, document.peer)
        elif isinstance(document, OutsideLoan):
            known[f"{OUTSIDE}{document.neighbour}"] = document.neighbour
    if (by_id := word.strip().casefold()) in known:
        return by_id
    hits = [party for party, name in known.items() if names.is_called(party, name, word)]
    if len(hits) > 1:
        raise NoSuchPeer(f"Several spaces are called {word}: say {' or '.join(sorted(hits))}.")
    if not hits:
        listed = ", ".join(sorted(known)) or "none yet"
        raise NoSuchPeer(f"There is no space {word} in the ledger. Spaces in it: {listed}.")
    return hits[0]


# --- the rows of each kind -----------------------------------------------------------------------------------
# Times are aware; None and '' mean unknown or empty. People are named as in the ledger (`history.Row`).


@dataclass(frozen=True)
class QueueRow:
    """A place in a waiting list. `direction`: `in` if one of our people waits for a friend's stock, `out` for ours."""

    code: str
    direction: str
    state: str
    peer: str
    wanted: str
    quantity: Decimal
    units: str
    place: int | None
    asked_at: datetime
    asked_by: str
    asked_by_user: str
    asked_by_name: str
    kept_item: int | None
    kept_until: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class WantRow:
    """A want of one of our people, or of a friend (`peer`), whose bot never sends the asker or the lacking quantity."""

    code: str
    state: str
    peer: str
    wanted: str
    quantity: Decimal
    units: str
    lacking: Decimal | None
    until: date
    asked_at: datetime | None
    asked_by: str
    asked_by_user: str
    asked_by_name: str
    told_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class RotaRow:
    """One friend in a rota: asked, waiting to be asked, or skipped. A rota without any friend has one row."""

    id: str
    code: str
    state: str
    wanted: str
    quantity: Decimal
    units: str
    asked_at: datetime
    asked_by: str
    asked_by_user: str
    asked_by_name: str
    loan_until: date | None
    ended_at: datetime | None
    peer: str
    step: str
    peer_quantity: Decimal | None
    peer_asked_at: datetime | None
    transfer: str
    why: str


@dataclass(frozen=True)
class ConnectionRow:
    """A friendship, or a request for one."""

    id: str
    code: str
    state: str
    peer: str
    peer_name: str
    peer_bot: str
    fingerprint: str
    access: str
    direction: str
    asked_at: datetime
    asked_by: str
    asked_by_user: str
    asked_by_name: str
    decided_at: datetime | None
    decided_by: str
    decided_by_user: str
    decided_by_name: str
    ended_at: datetime | None
    ended_by: str
    problem: str


Rows = Callable[[Sequence[object], datetime | None], Iterable[Any]]


@dataclass(frozen=True)
class Kind:
    """One kind of record: the class of its rows, and the documents that `rows` reads.

    The second argument of `rows`: only records that changed since then (aware; None: all).
    """

    row: type
    documents: tuple[type, ...]
    rows: Rows

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns in their order."""
        return tuple(field.name for field in fields(self.row))


def _transfers(found: Sequence[object], begins: datetime | None) -> Iterable[history.Row]:
    transfers = [document for document in found if isinstance(document, Transfer)]
    outside = [document for document in found if isinstance(document, OutsideLoan)]
    if begins:
        transfers, outside = history.since(transfers, begins), history.outside_since(outside, begins)
    rows = [*history.rows(transfers), *history.outside_rows(outside)]
    return sorted(rows, key=lambda row: row.asked_at, reverse=True)


def _queues(found: Sequence[object], begins: datetime | None) -> Iterator[QueueRow]:
    """First our people's places at friends, then the waiting list for our stock, in its order."""
    entries = sorted((each for each in found if isinstance(each, QueueEntry)), key=lambda each: each.number)
    for place in found:
        if isinstance(place, PlaceInLine) and _is_since(begins, place.by.at, place.ended):
            yield QueueRow(
                code=place.code,
                direction="in",
                state=place.state.value,
                peer=place.peer,
                wanted=place.word,
                quantity=place.quantity,
                units=place.unit,
                place=place.place or None,
                asked_at=place.by.at,
                **_person("asked_by", place.by),
                kept_item=place.item or None,
                kept_until=place.until,
                ended_at=place.ended,
            )
    for entry in entries:
        if _is_since(begins, entry.since):
            yield QueueRow(
                code=entry.code,
                direction="out",
                state=(PlaceState.TURN if entry.kept else PlaceState.WAITING).value,
                peer=entry.party,
                wanted=entry.name or entry.word,
                quantity=entry.quantity,
                units=entry.unit,
                place=entry.place_among(entries),
                asked_at=entry.since,
                **_person("asked_by", entry.by),
                kept_item=entry.kept or None,
                kept_until=entry.kept_until,
                ended_at=None,
            )


def _wants(found: Sequence[object], begins: datetime | None) -> Iterator[WantRow]:
    """First our own wants, then all wants of friends, because nobody knows when those began."""
    for want in found:
        if isinstance(want, Want) and _is_since(begins, want.by.at, want.ended):
            yield WantRow(
                code=want.code,
                state=want.state.value,
                peer=want.by.party,
                wanted=want.word,
                quantity=want.quantity,
                units=want.unit,
                lacking=want.lacking,
                until=want.until,
                asked_at=want.by.at,
                **_person("asked_by", want.by),
                told_at=None,
                ended_at=want.ended,
            )
    for theirs in found:
        if isinstance(theirs, FriendWant):
            yield WantRow(
                code="",
                state=WantState.WANTED.value,
                peer=theirs.peer,
                wanted=theirs.word,
                quantity=theirs.quantity,
                units=theirs.unit,
                lacking=None,
                until=theirs.until,
                asked_at=None,
                **_person("asked_by", None),
                told_at=theirs.told,
                ended_at=None,
            )


def _rotas(found: Sequence[object], begins: datetime | None) -> Iterator[RotaRow]:
    """Oldest first, each with its friends."""
    for rota in found:
        if not (isinstance(rota, Rota) and _is_since(begins, rota.at, rota.ended)):
            continue
        for peer, step, quantity, at, transfer, why in _friends_of(rota) or [("", "", None, None, "", "")]:
            yield RotaRow(
                id=rota.id,
                code=rota.code,
                state=rota.state.value,
                wanted=rota.word,
                quantity=rota.wanted,
                units=rota.unit,
                asked_at=rota.at,
                **_person("asked_by", rota.asker),
                loan_until=rota.loan_until,
                ended_at=rota.ended,
                peer=peer,
                step=step,
                peer_quantity=quantity,
                peer_asked_at=at,
                transfer=transfer,
                why=why,
            )


def _friends_of(rota: Rota) -> list[tuple[str, str, Decimal | None, datetime | None, str, str]]:
    """For each friend in the rota: space, step, quantity, time of the request, its transfer, and why it ended."""
    return [
        *((x.party, "asked", x.quantity, x.at, x.transfer, x.why.value if x.why else "") for x in rota.asked),
        *((x.party, "waiting", x.quantity, None, "", "") for x in rota.waiting),
        *((x.party, "passed", x.quantity, None, "", x.why.value) for x in rota.passed),
    ]


def _connections(found: Sequence[object], begins: datetime | None) -> Iterator[ConnectionRow]:
    """Oldest first."""
    for each in found:
        if not isinstance(each, Connection):
            continue
        decided, ended = each.decided, each.ended_by
        if _is_since(begins, each.asked.at, decided.at if decided else None, ended.at if ended else None):
            yield ConnectionRow(
                id=each.id,
                code=each.code,
                state=each.state.value,
                peer=each.peer,
                peer_name=each.peer_name,
                peer_bot=each.peer_bot,
                fingerprint=fingerprint(each.peer_key),
                access=each.access,
                direction="out" if each.ours else "in",
                asked_at=each.asked.at,
                **_person("asked_by", each.asked),
                decided_at=decided.at if decided else None,
                **_person("decided_by", decided),
                ended_at=ended.at if ended else None,
                ended_by=ended.person if ended else "",
                problem=each.problem,
            )


def _is_since(begins: datetime | None, *moments: datetime | None) -> bool:
    """Whether any of these moments is `begins` or later."""
    return begins is None or any(moment is not None and moment >= begins for moment in moments)


def _person(column: str, signature: Signature | None) -> Any:  # noqa: ANN401 -- columns of a row, by their names
    """The three columns of a person: Matrix id, InvenTree user, display name."""
    person, user, name = (
        (signature.person, signature.username, history.name_of(signature)) if signature else ("", "", "")
    )
    return {column: person, f"{column}_user": user, f"{column}_name": name}


KINDS = {
    "transfers": Kind(history.Row, (Transfer, OutsideLoan), _transfers),
    "queues": Kind(QueueRow, (QueueEntry, PlaceInLine), _queues),
    "wants": Kind(WantRow, (Want, FriendWant), _wants),
    "rotas": Kind(RotaRow, (Rota,), _rotas),
    "connections": Kind(ConnectionRow, (), _connections),
}
"""The kinds by the names that the REST API uses."""
