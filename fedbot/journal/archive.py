"""The archive of transfers at rest: rows found by id, mark and time, and read only on demand.

Long lists are read one page of rows at a time, so memory stays flat and nobody waits for a lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from fedbot.journal import codec
from fedbot.journal.codec import instant_to_text
from fedbot.journal.database import Statements, Tables, places
from fedbot.rules.archive import Archive, Mark, PeerFlow, Place, flows_of_transfer, latest, left_at, marks_of
from fedbot.rules.model.books import Way
from fedbot.rules.model.room import NO_KEY, MessageKey
from fedbot.rules.model.transfer import Transfer

A_PAGE = 100
_KIND = Transfer.__name__


def take_out(connection: Statements, identifier: str) -> None:
    """Remove a transfer that is no longer at rest, or will be stored again; it belongs to the documents then."""
    moved = connection.execute(
        "INSERT INTO documents (number, kind, id, payload) SELECT number, ?, id, payload FROM archive WHERE id = ?",
        (_KIND, identifier),
    ).rowcount
    if moved:
        connection.execute("DELETE FROM archive WHERE id = ?", (identifier,))
        connection.execute("DELETE FROM archive_marks WHERE transfer = ?", (identifier,))
        connection.execute("DELETE FROM archive_flows WHERE transfer = ?", (identifier,))


def put_in(connection: Statements, transfer: Transfer) -> None:
    """Store a transfer at rest, and remove it from the documents."""
    times = (instant_to_text(transfer.asked.at), instant_to_text(latest(transfer)))
    connection.execute(
        "INSERT INTO archive (number, id, peer, room, asked_at, latest, payload)"
        " SELECT number, id, ?, ?, ?, ?, payload FROM documents WHERE kind = ? AND id = ?",
        (transfer.peer, transfer.room, *times, _KIND, transfer.id),
    )
    connection.execute("DELETE FROM documents WHERE kind = ? AND id = ?", (_KIND, transfer.id))
    connection.executemany(
        "INSERT INTO archive_marks (mark, value, transfer) VALUES (?, ?, ?)",
        [(mark.value, value, transfer.id) for mark, value in marks_of(transfer)],
    )
    when = instant_to_text(left_at(transfer))
    connection.executemany(
        "INSERT INTO archive_flows (transfer, room, went_at, peer, way, lines, pieces) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (transfer.id, transfer.room, when, flow.peer, flow.way.value, flow.lines, str(flow.pieces))
            for flow in flows_of_transfer(transfer)
        ],
    )


class StoredArchive(Archive):
    """The port `Archive` on the journal's database, for any thread."""

    def __init__(self, database: Tables) -> None:
        self._database = database

    def transfer_at_rest(self, identifier: str) -> Transfer | None:
        """The transfer with this id, if it is at rest. Raises `UnreadableRow`."""
        found = self._database.rows("SELECT number, id, payload FROM archive WHERE id = ?", identifier)
        return _read(found[0]) if found else None

    def ids_at_rest(self, beginning: str) -> tuple[str, ...]:
        """The ids with this beginning, sorted."""
        behind = beginning + chr(0x10FFFF)
        found = self._database.rows("SELECT id FROM archive WHERE id >= ? AND id < ? ORDER BY id", beginning, behind)
        return tuple(identifier for (identifier,) in found)

    def marked(self, mark: Mark, value: str, after: str = "") -> Iterator[Transfer]:
        """The transfers with this mark, sorted by id, after the id `after`. Raises `UnreadableRow`."""
        while True:
            page = self._database.rows(
                "SELECT a.number, a.id, a.payload FROM archive_marks AS m JOIN archive AS a ON a.id = m.transfer"
                " WHERE m.mark = ? AND m.value = ? AND m.transfer > ? ORDER BY m.transfer LIMIT ?",
                mark.value,
                value,
                after,
                A_PAGE,
            )
            yield from map(_read, page)
            if len(page) < A_PAGE:
                return
            after = page[-1][1]

    def newest(
        self,
        rooms: Sequence[str] | None = None,
        peer: str = "",
        since: datetime | None = None,
        behind: Place | None = None,
    ) -> Iterator[Transfer]:
        """The transfers in these rooms, with this party, that changed since then; newest first."""
        last = (instant_to_text(behind[0]), behind[1]) if behind else ("~", "")
        listed, values = _listed(rooms, peer, since)
        while True:
            page = self._database.rows(
                f"SELECT number, id, payload, asked_at FROM archive WHERE {listed}"  # noqa: S608 -- constants
                " AND (asked_at, id) < (?, ?) ORDER BY asked_at DESC, id DESC LIMIT ?",
                *values,
                *last,
                A_PAGE,
            )
            yield from (_read(row[:3]) for row in page)
            if len(page) < A_PAGE:
                return
            last = (page[-1][3], page[-1][1])

    def count(self, rooms: Sequence[str] | None = None, peer: str = "", since: datetime | None = None) -> int:
        """The number of transfers that `newest` would return."""
        listed, values = _listed(rooms, peer, since)
        query = f"SELECT count(*) FROM archive WHERE {listed}"  # noqa: S608 -- constants
        found = self._database.rows(query, *values)
        return int(found[0][0])

    def flows(self, rooms: Sequence[str] | None = None, since: datetime | None = None) -> Iterable[PeerFlow]:
        """The goods that these transfers moved, in these rooms, at that moment or later, summed up by kind."""
        wanted, values = _wanted(("room", rooms), ("went_at", since))
        found = self._database.rows(
            f"SELECT peer, way, pieces, sum(lines), count(*) FROM archive_flows WHERE {wanted}"  # noqa: S608 -- constants
            " GROUP BY peer, way, pieces",
            *values,
        )
        return [
            PeerFlow(peer, Way(way), int(lines), Decimal(pieces) * rows) for peer, way, pieces, lines, rows in found
        ]

    def peers_at_rest(self) -> tuple[str, ...]:
        """The parties of all transfers at rest."""
        found = self._database.rows(
            "WITH RECURSIVE found (peer) AS (SELECT min(peer) FROM archive UNION ALL"
            " SELECT (SELECT min(peer) FROM archive WHERE peer > found.peer) FROM found WHERE found.peer IS NOT NULL)"
            " SELECT peer FROM found WHERE peer IS NOT NULL"
        )
        return tuple(peer for (peer,) in found)

    def key_of(self, event_id: str) -> MessageKey:
        """The key of our message with this event id; '' if we didn't send it."""
        found = self._database.rows("SELECT key FROM posts WHERE event_id = ?", event_id)
        return MessageKey(found[0][0]) if found else NO_KEY


def _listed(rooms: Sequence[str] | None, peer: str, since: datetime | None) -> tuple[str, list[str]]:
    """The SQL conditions that are needed, and their values. No others, so that an index serves the query."""
    conditions, values = _wanted(("room", rooms), ("latest", since))
    return (f"peer = ? AND {conditions}", [peer, *values]) if peer else (conditions, values)


def _wanted(rooms: tuple[str, Sequence[str] | None], since: tuple[str, datetime | None]) -> tuple[str, list[str]]:
    """The condition that a column has one of these values, and another is that moment or later. None means any."""
    conditions, values = ["TRUE"], list[str]()
    column, names = rooms
    if names is not None:
        conditions.append(f"{column} IN ({places(len(names))})" if names else "FALSE")
        values.extend(names)
    column, moment = since
    if moment is not None:
        conditions.append(f"{column} >= ?")
        values.append(instant_to_text(moment))
    return " AND ".join(conditions), values


def _read(row: Any) -> Transfer:  # noqa: ANN401 -- a row
    number, identifier, payload = row
    what = f"the document {identifier}"
    found: Transfer = codec.read_row(codec.DOCUMENTS, _KIND, payload, what=what, number=number, subject=identifier)
    return found
