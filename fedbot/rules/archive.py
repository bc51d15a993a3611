"""Every kind of document that the journal stores, and transfers at rest: finished, out of memory, and searchable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from fedbot.rules.model.books import Reconciliation, SpaceFigures, StockHistory, Survey, Way
from fedbot.rules.model.catalogue import Alias, Allowance, FriendWant, PartPicture, Search, Share, Want
from fedbot.rules.model.command import Cooldown, HeardSession, PendingChoice, WebAccess, WebLine
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.from_anyone import Rota
from fedbot.rules.model.health import BotStatus, OwnToken
from fedbot.rules.model.lending import LendingStop, OutsideLoan, PlaceInLine, QueueEntry
from fedbot.rules.model.lifecycles import FINAL, Ending
from fedbot.rules.model.party_config import Practice, Roster
from fedbot.rules.model.room import Account, Announcement, MessageKey, OwnAnnouncement, Room
from fedbot.rules.model.stock import counts_pieces
from fedbot.rules.model.transfer import Line, Transfer, WaitingLine

MOVED_STAGES = frozenset({"arrived", "created", "placed"})
"""Stages of a line that has changed hands, at the sender and at the receiver."""


class Mark(StrEnum):
    """The keys by which transfers at rest are found. An index holds a transfer's values of each, as text.

    `EVENT`: the line that requested it, or a peer's message about it. `PARENT`: the loan that it is about. `PEER`: the
    other party. `KEPT`: the other party of a loan that we closed alone. `GIFT`: the other party of a loan of which
    something became a gift. `ITEM`: a stock item of ours. `SERIAL`: a serial number that we sent. `PART`: our part that
    something received became. `WORD`: a part's name or IPN (also with #serial), case folded.
    """

    EVENT = "event"
    PARENT = "parent"
    PEER = "peer"
    KEPT = "kept"
    GIFT = "gift"
    ITEM = "item"
    SERIAL = "serial"
    PART = "part"
    WORD = "word"


Place = tuple[datetime, str]
"""A transfer's place in the order of `newest`: the time of its request, and its id."""


@dataclass(frozen=True)
class PeerFlow:
    """The stock that moved one way between us and `peer`: the lines, and the pieces of lines that are counted."""

    peer: str
    way: Way
    lines: int
    pieces: Decimal


class Archive(Protocol):
    """The past: finished transfers, and the key of each message that we sent."""

    def transfer_at_rest(self, identifier: str) -> Transfer | None:
        """Return the transfer of that id, if it is at rest."""

    def ids_at_rest(self, beginning: str) -> tuple[str, ...]:
        """Return the ids with that prefix, in order."""

    def marked(self, mark: Mark, value: str, after: str = "") -> Iterator[Transfer]:
        """Yield the transfers with that mark, in the order of their ids, after the id `after`."""

    def newest(
        self,
        rooms: Sequence[str] | None = None,
        peer: str = "",
        since: datetime | None = None,
        behind: Place | None = None,
    ) -> Iterator[Transfer]:
        """Yield transfers, newest first: in these rooms, with that party, with any change since that time.

        Only those after `behind` in that order.
        """

    def count(self, rooms: Sequence[str] | None = None, peer: str = "", since: datetime | None = None) -> int:
        """Return the number of transfers that `newest` would yield."""

    def flows(self, rooms: Sequence[str] | None = None, since: datetime | None = None) -> Iterable[PeerFlow]:
        """Return the stock moved in these rooms since then (`left_at`). A party and way may occur several times."""

    def peers_at_rest(self) -> tuple[str, ...]:
        """Return the parties of all transfers at rest."""

    def key_of(self, event_id: str) -> MessageKey:
        """Return the key under which we sent the message of that event; '' if it isn't ours."""


def is_restless(transfer: Transfer) -> bool:
    """Whether it hasn't ended, may have to repeat its last message, or is a loan or a missing rest to be settled."""
    waits = transfer.state not in FINAL or transfer.exchange.resend_at is not None
    return waits or transfer.is_on_loan or bool(transfer.left_over) or transfer.lacks_a_rest


def is_at_rest(transfer: Transfer) -> bool:
    """Whether it leaves memory: nothing is to be done, waited for, or resumed after a loss."""
    return not (is_restless(transfer) or transfer.exchange.awaiting or transfer.is_recalled)


def latest(transfer: Transfer) -> datetime:
    """Return the time of its last change: when it was requested, decided or ended."""
    return max(transfer.asked.at, (transfer.decided or transfer.asked).at, transfer.over_at or transfer.asked.at)


def marks_of(transfer: Transfer) -> frozenset[tuple[Mark, str]]:
    """Return the marks by which it is found."""
    marks = {(Mark.EVENT, event) for event in (transfer.asked.event_id, *transfer.peer_events)}
    marks |= {(Mark.PARENT, transfer.terms.parent), (Mark.PEER, transfer.peer)}
    if transfer.closed is not None and transfer.closed.how is Ending.KEPT:
        marks.add((Mark.KEPT, transfer.peer))
    if transfer.is_loan and any(transfer.ending_of(line.number) is Ending.GIFT for line in transfer.terms.lines):
        marks.add((Mark.GIFT, transfer.peer))
    marks |= {(Mark.ITEM, str(p.item)) for p in transfer.progress if p.item is not None}
    if transfer.role == "receiver":
        marks |= {(Mark.PART, str(p.part)) for p in transfer.progress if p.item is not None and p.part is not None}
    for line in transfer.terms.lines:
        if transfer.role == "sender":
            marks |= {(Mark.ITEM, str(line.item)), (Mark.SERIAL, line.serial)}
            marks.add((Mark.SERIAL, transfer.at(line.number).serial))
        for name in (line.description.name, line.description.ipn):
            marks |= {(Mark.WORD, name.casefold()), (Mark.WORD, f"{name}#{line.serial}".casefold())} if name else set()
    return frozenset((mark, value) for mark, value in marks if value)


def left_at(transfer: Transfer) -> datetime:
    """Return the time from which its stock counts as moved."""
    return transfer.ended or (transfer.decided or transfer.asked).at


def flows_of_transfer(transfer: Transfer) -> tuple[PeerFlow, ...]:
    """Return its lines that changed hands for good. For a loan this depends on its returns (`ledger.stats`)."""
    if transfer.moves_what_is_lent:
        return ()
    way = Way.GIVEN if transfer.role == "sender" else Way.RECEIVED
    return tuple(
        flow_of_line(transfer.peer, way, line)
        for line in transfer.lines_come
        if transfer.at(line.number).stage in MOVED_STAGES
    )


def flow_of_line(peer: str, way: Way, line: Line) -> PeerFlow:
    """Return one line that moved that way. A measured quantity counts as a line, but not in pieces."""
    return PeerFlow(peer, way, 1, line.quantity if counts_pieces(line.description.units) else Decimal(0))


def is_meant(transfer: Transfer, rooms: Sequence[str] | None, peer: str, since: datetime | None) -> bool:
    """Whether `Archive.newest` would yield it, if it were at rest."""
    here = (rooms is None or transfer.room in rooms) and peer in {"", transfer.peer}
    return here and (since is None or latest(transfer) >= since)


# --- Every kind of document that the journal stores.

Document = (
    Room
    | Announcement
    | Connection
    | Transfer
    | Cooldown
    | PendingChoice
    | WaitingLine
    | HeardSession
    | BotStatus
    | OwnToken
    | Alias
    | SpaceFigures
    | Survey
    | StockHistory
    | Reconciliation
    | Share
    | Search
    | Allowance
    | Account
    | Roster
    | Rota
    | LendingStop
    | WebLine
    | WebAccess
    | OutsideLoan
    | Practice
    | Want
    | FriendWant
    | QueueEntry
    | PlaceInLine
    | PartPicture
    | OwnAnnouncement
)
