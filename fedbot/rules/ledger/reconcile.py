"""Compares the books with a peer: both sides' records of each line, their contradictions, and repairs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import takewhile
from typing import Any

from pydantic import TypeAdapter, ValidationError

from fedbot import messages
from fedbot.rules import budgets
from fedbot.rules.archive import Mark
from fedbot.rules.catalogue.provenance import mirror_given, mirror_received
from fedbot.rules.connection import provision
from fedbot.rules.loan import balance
from fedbot.rules.model import audit
from fedbot.rules.model.books import BookLine, Difference, Kind, Past, Reconciliation
from fedbot.rules.model.command import Cooldown
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Ask, Do, Post, say
from fedbot.rules.model.events import (
    Answered,
    ReconcileDue,
    ReconcileOrdered,
    StepDone,
    StepRefused,
    StepUnknown,
    Unanswered,
)
from fedbot.rules.model.health import counted_from
from fedbot.rules.model.lifecycles import BEFORE_DEBIT, FINAL, ConnectionState, TransferState
from fedbot.rules.model.queries import (
    BooksOf,
    ItemSeen,
    ItemsSeen,
    OfConnection,
    OfLine,
    Received,
    WhenAnsweredOrNot,
    WhenStepEnds,
    Whereabouts,
)
from fedbot.rules.model.room import MessageKey, MessageKind
from fedbot.rules.model.steps import StepKind
from fedbot.rules.model.stock import STATUS_ATTENTION, STATUS_OK, is_written_out, plain
from fedbot.rules.model.transfer import Progress, Transfer
from fedbot.rules.protocol import bodies, sequencing
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.state import Turn
from fedbot.rules.transfer import send
from fedbot.rules.wire import BadEnvelope

ANSWERS_WITHIN = timedelta(minutes=2)
TOLD_AGAIN_AFTER = timedelta(days=7)
MOST_BYTES = 30_000
"""Limit for a page's lines as JSON: sealed they are a third longer, and a whole message must be below 46,000 bytes."""
MOST_LINES = 1_000
MOST_DIFFERENCES = 50
COMMAND_LINE = "fedbot reconcile"
LATER = "later"
_QUANTITIES = ("quantity", "now", "owed", "there", "by_hand")
_LINES = TypeAdapter(tuple[BookLine, ...])
_PASTS = TypeAdapter(tuple[Past, ...])


# --- asking --------------------------------------------------------------------------------------------------


def begin(
    turn: Turn,
    connection: Connection,
    room: str,
    *,
    asked_by: str = "",
    event_id: str = "",
    repair: bool = False,
    order: str = "",
) -> None:
    """Ask the peer for the first page of its books.

    Without `asked_by`, only new differences are reported, to the admins.
    """
    until = turn.now + ANSWERS_WITHIN
    turn.save(Reconciliation(connection.id, room, until, asked_by, event_id, repair, order, looked=turn.now))
    turn.note(connection.id, audit.Reconciles(repair=repair), asked_by, event_id)
    _ask_for_page(turn, connection, "")


def _ask_for_page(turn: Turn, connection: Connection, after: str) -> None:
    if not sequencing.is_unheard(turn, connection, "books-ask"):
        turn.save(sequencing.send(turn, connection, bodies.BooksAsk(after=after), awaits=True))


def on_due(turn: Turn, event: ReconcileDue) -> None:
    """Start the nightly comparison with every peer. A run that was due before the last one is skipped."""
    status = turn.status()
    due = event.due or event.at
    if status.last_reconcile is not None and due <= status.last_reconcile:
        return
    turn.save(replace(status, last_reconcile=max(due, turn.now)))
    for connection in turn.active_connections():
        if _is_asked(connection):
            turn.note(connection.id, audit.Fact.BOOKS_NOT_ASKED)
        elif turn.get(Reconciliation, connection.id) is None and turn.us.admin_room:
            begin(turn, connection, turn.us.admin_room)


def _is_asked(connection: Connection) -> bool:
    """Whether the peer's bot hasn't read our last request for its books, so that a bot that is gone gets no more.

    Each one would be stored, and sent again every day.
    """
    return any(draft.kind == "books-ask" for draft in connection.exchange.unread)


def on_ordered(turn: Turn, event: ReconcileOrdered) -> None:
    """Compare now by the operator's order. The admins and the waiting command line are told the outcome."""
    for connection in turn.active_connections():
        if event.party in {"", connection.peer} and turn.get(Reconciliation, connection.id) is None:
            begin(
                turn,
                connection,
                turn.us.admin_room,
                asked_by=COMMAND_LINE,
                order=event.number,
                repair=event.repair,
            )


def on_started(turn: Turn) -> None:
    """Count the nights from the first start."""
    status = turn.status()
    last = counted_from(status.last_reconcile, turn.now) if turn.us.reconcile_at else None
    turn.save(replace(status, last_reconcile=last))


def look(turn: Turn) -> None:
    """By the clock: report a peer that has not answered in time, and stop waiting."""
    for running in turn.all(Reconciliation):
        if running.until <= turn.now:
            _tell(turn, running, "silent")


def next_wake(turn: Turn) -> list[datetime]:
    """The times at which `look` has something to do."""
    return [running.until for running in turn.all(Reconciliation)]


# --- a peer asks: a page of our books ------------------------------------------------------------------------


def on_asked(turn: Turn, connection: Connection, envelope: Message[bodies.BooksAsk]) -> None:
    """Read our InvenTree for the page of our books that a peer wants."""
    turn.save(connection)
    if connection.state is not ConnectionState.ACTIVE:
        return
    after = envelope.body.after
    if _may_not_have_page(turn, connection.peer, after):
        turn.note(connection.id, audit.Fact.ASKS_FOR_BOOKS_TOO_OFTEN)
        _send_page(turn, connection, bodies.Books(after=after, last="", problem=LATER), {})
        return
    page, more = _page(turn, connection, after)
    then = LookForFriend(connection.id, after, tuple(t.id for t in page), is_last=not more)
    turn.do(Ask(then, (_books_of(turn, page),)))


def _may_not_have_page(turn: Turn, peer: str, after: str) -> bool:
    """Whether the peer may not have this page now.

    The first page costs budget; each later one is sent once, in order.
    """
    if not after:
        return turn.spends("books", peer) is not None
    told = [cooldown for cooldown in turn.all(Cooldown) if cooldown.id == _told_page(peer, after)]
    for cooldown in told:
        turn.drop(cooldown)
    return not told


def _told_page(peer: str, last: str) -> str:
    """Return the id of the note that a page, with more after it, was sent."""
    return f"books-page:{peer}:{last}"


def _page(turn: Turn, connection: Connection, after: str) -> tuple[list[Transfer], bool]:
    """Return the next transfers by id, as many as surely fit into a message, and whether there are more."""
    page: list[Transfer] = []
    room = MOST_BYTES
    for transfer in turn.with_peer(connection.peer, after):
        size = sum(len(json.dumps(_written(line))) + 8 for line in _lines_of(transfer, ItemsSeen(), None))
        if page and size > room:
            return page, True
        room -= size
        page.append(transfer)
    return page, False


def _items(transfers: Sequence[Transfer]) -> tuple[int, ...]:
    return tuple(sorted({p.item for t in transfers for p in t.progress if p.item is not None}))


def _lines(
    turn: Turn, transfer: Transfer, seen: ItemsSeen, connection: Connection, newest: Mapping[int, str]
) -> list[BookLine]:
    returned = balance.came_back(turn, transfer) if transfer.is_loan else {}
    return _lines_of(transfer, seen, connection.company, newest, returned, _owed(turn, transfer))


def _owed(turn: Turn, transfer: Transfer) -> dict[int, Decimal]:
    """Return the quantities of a loan that should be in our stock, at the borrower; {} for anything else."""
    return balance.still_here(turn, transfer) if transfer.role == "receiver" and transfer.is_on_loan else {}


def _books_of(turn: Turn, transfers: Sequence[Transfer], *, strays: bool = False) -> BooksOf:
    """Return the query for these transfers' stock items, and for the borrowed quantities in stock."""
    borrowed = tuple(
        Received(transfer.id, number, item, part, quantity)
        for transfer in transfers
        for number, quantity in _owed(turn, transfer).items()
        if (item := transfer.at(number).item) is not None and (part := transfer.at(number).part) is not None
    )
    return BooksOf(_items(transfers), borrowed, strays)


@dataclass(frozen=True)
class LookForFriend(OfConnection, WhenAnsweredOrNot):
    """Reads the stock items of a page of our books for a peer: these transfers, which come `after` that id."""

    after: str
    transfers: tuple[str, ...]
    is_last: bool

    def answered(self, turn: Turn, event: Answered) -> None:
        """Send the page, sealed."""
        connection = turn.connection(self.connection)
        if connection is None:
            return
        seen = _seen(event)
        transfers = [t for identifier in self.transfers if (t := turn.transfer(identifier)) is not None]
        newest = _newest_of(turn, transfers)
        lines = [_written(line) for t in transfers for line in _lines(turn, t, seen, connection, newest)]
        last = transfers[-1].id if transfers else ""
        if not self.is_last:
            turn.tell_once(_told_page(connection.peer, last), budgets.HOUR)
        body = bodies.Books(after=self.after, last=last, more=not self.is_last, problem="")
        pasts = [asdict(_past_of(each)) for each in _told_of(connection, transfers, is_last=self.is_last)]
        _send_page(turn, connection, body, {"lines": lines, "pasts": pasts})

    def unanswered(self, turn: Turn, _: Unanswered) -> None:
        """Tell the peer that our InvenTree is silent."""
        connection = turn.connection(self.connection)
        if connection is not None:
            body = bodies.Books(after=self.after, last="", problem="inventory")
            _send_page(turn, connection, body, {})


def _told_of(connection: Connection, transfers: Sequence[Transfer], *, is_last: bool) -> list[Connection | Transfer]:
    """Return the subjects of a page. The connection itself is on the last one."""
    return [*transfers, connection] if is_last else [*transfers]


def _send_page(turn: Turn, connection: Connection, body: bodies.Books, sealed: dict[str, Any]) -> None:
    connection, draft = sequencing.write(turn, connection, body, awaits=True, sealed=sealed)
    turn.save(connection)
    sequencing.post(turn, connection, draft)


def _seen(event: Answered) -> ItemsSeen:
    (seen,) = event.answers
    if not isinstance(seen, ItemsSeen):
        raise TypeError(f"reconcile asks for items, not {seen!r}")
    return seen


def _written(line: BookLine) -> dict[str, Any]:
    """Return a line for a message: JSON without floats."""
    return {**asdict(line), **{name: plain(getattr(line, name)) for name in _QUANTITIES}}


# --- the peer's page -----------------------------------------------------------------------------------------


def on_page(turn: Turn, connection: Connection, envelope: Message[bodies.Books]) -> None:
    """Take in a page of the peer's books, and read the same transfers in ours."""
    connection = sequencing.send(turn, connection, bodies.Noted())
    turn.save(connection)
    running = turn.get(Reconciliation, connection.id)
    if running is None or envelope.body.after != running.after:
        return
    if envelope.body.problem:
        _tell(turn, running, LATER if envelope.body.problem == LATER else "inventory")
        return
    try:
        sealed = sequencing.unsealed(turn, envelope)
        theirs, pasts = _understood(sealed), _pasts_in(sealed)
    except (BadEnvelope, ValueError) as problem:
        turn.note(connection.id, audit.NotUnderstood("books", str(problem)))
        _tell(turn, running, "unreadable")
        return
    last = envelope.body.last if envelope.body.more else ""
    if last and last <= running.after:
        _tell(turn, running, "unreadable")
        return
    turn.save(replace(running, theirs=theirs, pasts=pasts, until=turn.now + ANSWERS_WITHIN))
    look = _books_of(turn, _ours(turn, connection, running.after, last), strays=not last)
    turn.do(Ask(Compare(connection.id, last), (look,)))


def _ours(turn: Turn, connection: Connection, after: str, last: str) -> list[Transfer]:
    """Return our transfers of the same page; `last` '' is the end."""
    behind = turn.with_peer(connection.peer, after)
    return list(takewhile(lambda t: not last or t.id <= last, behind))


def _pasts_in(sealed: dict[str, Any]) -> tuple[Past, ...]:
    """Return the peer's record of the messages. Raises ValueError if it can't be read."""
    try:
        return _PASTS.validate_python(sealed.get("pasts"))
    except ValidationError as problem:
        raise ValueError(f"{problem.error_count()} fields of its pasts") from None


def _understood(sealed: dict[str, Any]) -> tuple[BookLine, ...]:
    """Return the peer's lines. Raises ValueError if they can't be read."""
    try:
        lines = _LINES.validate_python(sealed.get("lines"))
    except ValidationError as problem:
        raise ValueError(f"{problem.error_count()} fields of its books") from None
    if len(lines) > MOST_LINES:
        raise ValueError("more lines than fit into a message")
    for line in lines:
        told = [getattr(line, name) for name in _QUANTITIES]
        if not all(is_written_out(quantity) and abs(quantity) < Decimal(10**12) for quantity in told):
            raise ValueError("a quantity")
    return lines


@dataclass(frozen=True)
class Compare(OfConnection, WhenAnsweredOrNot):
    """Reads our own page of the books, up to that transfer (`last`, '' is the end), to compare it with the peer's."""

    last: str

    def answered(self, turn: Turn, event: Answered) -> None:
        """Compare both sides, repair if asked, and continue with the next page or report."""
        running = turn.get(Reconciliation, self.connection)
        connection = turn.connection(self.connection)
        if running is None or connection is None:
            return
        last = self.last
        transfers = _ours(turn, connection, running.after, last)
        seen = _seen(event)
        newest = _newest_of(turn, transfers)
        ours = [line for t in transfers for line in _lines(turn, t, seen, connection, newest)]
        found = [d for d in differences(ours, running.theirs) if not _has_moved(turn, d, running.looked)]
        found += _differing_pasts(_told_of(connection, transfers, is_last=not last), running.pasts)
        found += _done_twice(turn, connection, seen.strays)
        if running.repair:
            found = [_repaired(turn, connection, difference) for difference in found]
            _mirror_again(turn, transfers, ours)
        kept = (*running.differences, *found)[:MOST_DIFFERENCES]
        running = replace(
            running, after=last, theirs=(), pasts=(), compared=running.compared + len(ours), differences=kept
        )
        if last:
            turn.save(replace(running, until=turn.now + ANSWERS_WITHIN, looked=turn.now))
            _ask_for_page(turn, connection, last)
            return
        if running.repair:
            provision.mirror(turn, connection)
        _tell(turn, running, "")

    def unanswered(self, turn: Turn, _: Unanswered) -> None:
        """Report that our own InvenTree is silent."""
        running = turn.get(Reconciliation, self.connection)
        if running is not None:
            _tell(turn, running, "own-inventory")


_SEEN_WHILE_IT_MOVES = frozenset({Kind.TWICE, Kind.RECORD_GONE, Kind.QUANTITY})


def _has_moved(turn: Turn, difference: Difference, looked: datetime | None) -> bool:
    """Whether its stock has moved since the two sides looked, or is moving, so that they may have seen two states.

    Only a time of the past counts, because after a loss of the journal it is the peer that tells when a transfer ended.
    """
    transfer = turn.transfer(difference.transfer)
    if transfer is None or looked is None:
        return False
    items = {p.item for p in transfer.progress if p.item is not None}
    others = {other.id: other for item in items for other in turn.marked(Mark.ITEM, item)}
    others |= {other.id: other for other in balance.returns(turn, transfer)}
    others.pop(transfer.id, None)
    if any(each.ended is not None and looked < each.ended <= turn.now for each in (transfer, *others.values())):
        return True
    at_rest = FINAL | BEFORE_DEBIT | {TransferState.DISPUTED}
    return difference.kind in _SEEN_WHILE_IT_MOVES and any(each.state not in at_rest for each in others.values())


def _done_twice(turn: Turn, connection: Connection, strays: Iterable[ItemSeen]) -> list[Difference]:
    """Return the items in Outgoing and Incoming with the mark of a line that ended with another item.

    InvenTree has carried out a request of ours after we had given up waiting for it, and had sent it again.
    """
    differences: list[Difference] = []
    for item in strays:
        step = "out" if item.where is Whereabouts.OUTGOING else "in"
        lines = [(words[1], int(words[2])) for mark in item.marks if (words := mark.split(":"))[3] == step]
        for identifier, number in dict.fromkeys(lines):
            transfer = turn.transfer(identifier)
            if transfer is None or transfer.peer != connection.peer or transfer.state not in FINAL:
                continue
            given = {p.item for p in transfer.progress if not p.is_merged_back}
            split_off = item.parent is not None and item.parent in given
            if split_off or turn.marked(Mark.ITEM, item.pk):
                continue
            differences.append(Difference(identifier, number, Kind.STRAY, item.pk, there=item.quantity))
    return differences


# --- repairs -------------------------------------------------------------------------------------------------


def _repaired(turn: Turn, connection: Connection, difference: Difference) -> Difference:
    """Repair a difference that is ours and safe to repair: the status of an item that has arrived."""
    transfer = turn.transfer(difference.transfer)
    if transfer is None or difference.kind is not Kind.NOT_ARRIVED:
        return difference
    step = send.mark_arrived_step(turn, transfer, transfer.at(difference.number), connection)
    turn.do(Do(RepairStatus(transfer.id, difference.number), step))
    return replace(difference, fixed=True)


def _mirror_again(turn: Turn, transfers: Sequence[Transfer], ours: Sequence[BookLine]) -> None:
    """Write each item's metadata again. The step changes it only where it differs."""
    there = {(line.transfer, line.number) for line in ours if line.where not in {"", "gone"}}
    for transfer in transfers:
        if transfer.is_return and transfer.role == "receiver":
            continue  # that item is our own, and the loan's mirror covers it
        for progress in transfer.progress:
            if (transfer.id, progress.number) in there:
                (mirror_given if transfer.role == "sender" else mirror_received)(turn, transfer, progress)


@dataclass(frozen=True)
class RepairStatus(OfLine, WhenStepEnds):
    """Carries on after repairing the status of an arrived item."""

    def done(self, turn: Turn, _: StepDone) -> None:
        """Note it in the audit."""
        turn.note(self.transfer, audit.StepWasDone(StepKind.ARRIVED, self.line))

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Tell the admins."""
        transfer = turn.transfer(self.transfer)
        if transfer is not None:
            phrase = say(messages.transfer_card.not_marked_arrived, transfer=transfer, problem=event.problem)
            turn.tell_admins(phrase, f"arrived:{transfer.id}:{self.line}")


# --- reporting -----------------------------------------------------------------------------------------------


def _tell(turn: Turn, running: Reconciliation, problem: str) -> None:
    """Report the outcome as the answer to the line; for a nightly run, only new differences, to the admins."""
    turn.drop(running)
    connection = turn.connection(running.id)
    if connection is None:
        return
    differences = running.differences
    if not running.asked_by:
        differences = tuple(d for d in differences if d.kind is not Kind.DISPUTED and _is_new(turn, d))
        if not differences:
            turn.note(running.id, audit.ReconciledByNight(problem))
            return
    known = {d.transfer: t for d in differences if (t := turn.transfer(d.transfer)) is not None}
    phrase = say(
        messages.reconcile.reconciled,
        connection=connection,
        us=turn.us,
        reconciliation=replace(running, differences=differences),
        transfers=known,
        problem=problem,
    )
    key = outcome_key(running.id, running.event_id or running.order or str(turn.now.date()))
    turn.do(Post(key, running.room, phrase, reply_to=running.event_id))


def outcome_key(connection: str, cause: str) -> MessageKey:
    """Return the key of the message with the outcome, by the line, the order or the day that caused it."""
    return MessageKind.BOOKS.of(connection, cause)


def _is_new(turn: Turn, difference: Difference) -> bool:
    return turn.tell_once(f"books:{difference.transfer}:{difference.number}:{difference.kind}", TOLD_AGAIN_AFTER)


GIVEN = frozenset({"handed", "arrived"})
BOOKED_IN = frozenset({"created", "placed"})
HERE = frozenset({"stock", "outgoing"})


def _lines_of(
    transfer: Transfer,
    seen: ItemsSeen,
    company: int | None,
    newest: Mapping[int, str] | None = None,
    returned: Mapping[int, Decimal] | None = None,
    owed: Mapping[int, Decimal] | None = None,
) -> list[BookLine]:
    """Return our record of a transfer, line by line.

    `company` is the peer's in our InvenTree; `newest` names the last transfer of each stock item; `returned` is the
    quantity of each line of a loan that is back, and so not with the company any more; `owed`, at the borrower, is how
    much of each line should be in stock.
    """
    items = {item.pk: item for item in seen.items}
    lines = [_line(transfer, progress, items, company, seen, newest or {}) for progress in _all_lines(transfer)]
    there = {(each.transfer, each.line): each.quantity for each in seen.borrowed}
    return [
        replace(
            line,
            quantity=line.quantity - (returned or {}).get(line.number, Decimal(0)),
            owed=(owed or {}).get(line.number, Decimal(0)),
            there=there.get((line.transfer, line.number), Decimal(0)),
        )
        for line in lines
    ]


def _all_lines(transfer: Transfer) -> list[Progress]:
    return [transfer.at(line.number) for line in transfer.terms.lines]


def _newest_of(turn: Turn, transfers: Iterable[Transfer]) -> dict[int, str]:
    """Return the last transfer, of all, of each stock item of these."""
    items = dict.fromkeys(p.item for t in transfers for p in t.progress if p.item is not None)
    return _newest_by_item({t.id: t for item in items for t in turn.marked(Mark.ITEM, item)}.values())


def _newest_by_item(transfers: Iterable[Transfer]) -> dict[int, str]:
    """Return the last transfer of each stock item of ours."""
    in_order = sorted(transfers, key=lambda t: (t.asked.at, t.id))
    lines = ((t, p) for t in in_order for p in t.progress if p.stage and not p.is_merged_back)
    return {p.item: t.id for t, p in lines if p.item is not None}


def _line(
    transfer: Transfer,
    progress: Progress,
    items: Mapping[int, ItemSeen],
    company: int | None,
    seen: ItemsSeen,
    newest: Mapping[int, str],
) -> BookLine:
    book = BookLine(
        transfer=transfer.id,
        number=progress.number,
        role=transfer.role,
        state=transfer.state.value,
        stage=progress.stage,
        item=progress.item,
        quantity=transfer.line(progress.number).quantity - progress.short,
        by_hand=progress.short if progress.short_item == 0 else Decimal(0),
        settled=transfer.settled is not None,
        left_over=progress.number in transfer.left_over,
    )
    if progress.item is None:
        return book
    book = replace(book, overtaken=newest.get(progress.item, transfer.id) != transfer.id)
    item = items.get(progress.item)
    if item is None:
        return replace(book, where="gone")
    travelling = STATUS_OK if progress.status == STATUS_ATTENTION else STATUS_ATTENTION
    return replace(
        book,
        where=_where(item, company),
        now=item.quantity,
        marked=(f"fed:{transfer.id}:{progress.number}:over" in item.marks) if seen.history_read else None,
        marked_arrived=item.status != travelling,
    )


def _where(item: ItemSeen, company: int | None) -> str:
    if item.where is Whereabouts.CUSTOMER and item.customer != company:
        return Whereabouts.ELSEWHERE.value
    return item.where.value


def differences(ours: Sequence[BookLine], theirs: Iterable[BookLine]) -> list[Difference]:
    """Return the differences between our lines and theirs, and the errors in ours."""
    by_line = {(line.transfer, line.number): line for line in theirs}
    found = [d for line in ours for d in _compared(line, by_line.pop((line.transfer, line.number), None))]
    unknown = [line for line in by_line.values() if line.stage in GIVEN | BOOKED_IN]
    return found + [Difference(line.transfer, line.number, Kind.UNKNOWN_HERE, theirs=line.item) for line in unknown]


def _compared(ours: BookLine, theirs: BookLine | None) -> list[Difference]:
    """Return the gravest difference between the two, with the errors in our own records."""
    between = _between(ours, theirs)
    kinds = ([between] if between else []) + (_own_errors(ours) if between is not Kind.TWICE else [])
    other = theirs.item if theirs else None
    found = [Difference(ours.transfer, ours.number, kind, ours.item, other) for kind in kinds]
    found = [replace(d, owed=ours.quantity, there=ours.now) if d.kind is Kind.REST_BY_HAND else d for d in found]
    return [*found, *_missing_at_borrower(ours, theirs)]


def _missing_at_borrower(ours: BookLine, theirs: BookLine | None) -> list[Difference]:
    """Return the difference if a borrowed item is missing from the borrower's stock, whichever side that is."""
    borrower = ours if ours.role == "receiver" else theirs
    if borrower is None or borrower.role != "receiver" or borrower.there >= borrower.owed:
        return []
    kind = Kind.BORROWED_LESS if borrower.there > 0 else Kind.BORROWED_GONE
    other = theirs.item if theirs else None
    line = Difference(ours.transfer, ours.number, kind, ours.item, other)
    return [replace(line, owed=borrower.owed, there=borrower.there)]


def _between(ours: BookLine, theirs: BookLine | None) -> Kind | None:
    if theirs is None:
        return Kind.UNKNOWN_THERE if ours.stage in GIVEN | BOOKED_IN else None
    if ours.role == theirs.role:
        return Kind.UNKNOWN_THERE
    sender, receiver = (ours, theirs) if ours.role == "sender" else (theirs, ours)
    booked_in = receiver.stage in BOOKED_IN
    both = sender.where in HERE and sender.stage in GIVEN | {"back"} and not sender.overtaken
    is_at_rest = sender.state in FINAL | {TransferState.DISPUTED}  # else it was looked at while it was moving
    if booked_in and both and is_at_rest:
        return Kind.TWICE
    if TransferState.DISPUTED in {sender.state, receiver.state}:
        return Kind.DISPUTED
    never_will_be = receiver.state in FINAL
    if sender.stage == "arrived" and sender.state == TransferState.DONE and not booked_in and never_will_be:
        return Kind.NOWHERE
    return None


def _own_errors(ours: BookLine) -> list[Kind]:
    """Return the errors in our own record of a line that we gave, or had borrowed."""
    if ours.left_over:
        return [Kind.LEFT_OVER] if ours.where in HERE else []
    if ours.role != "sender" or ours.overtaken:
        return []
    with_peer = ours.where == "customer"
    if ours.state in FINAL and ours.state != TransferState.DONE:
        return [Kind.STILL_GIVEN] if with_peer else []
    if ours.state != TransferState.DONE or ours.stage != "arrived":
        return []
    if not with_peer:
        return [Kind.RECORD_GONE] if ours.quantity else []  # what came is back, and the rest was booked by hand
    waits = ours.quantity < ours.now <= ours.quantity + ours.by_hand
    checks = (
        (Kind.REST_BY_HAND, waits),
        (Kind.QUANTITY, ours.now != ours.quantity and not waits),
        (Kind.NOT_ARRIVED, not ours.marked_arrived),
        (Kind.UNMARKED, ours.marked is False and not ours.settled),
    )
    return [kind for kind, holds in checks if holds]


def _past_of(subject: Connection | Transfer) -> Past:
    """Return our record of the messages about that subject."""
    exchange = subject.exchange
    return Past(subject.id, exchange.sent, exchange.past_at(exchange.sent) or "", exchange.seen, exchange.peer_past)


def _differing_pasts(ours: Iterable[Connection | Transfer], theirs: Iterable[Past]) -> list[Difference]:
    """Return the subjects whose messages the peer records differently. One that knows fewer has an older journal."""
    told = {past.subject: past for past in theirs}
    found = []
    for subject in ours:
        mine, other = _past_of(subject), told.get(subject.id)
        numbers = [subject.exchange.differs] if subject.exchange.differs else []
        if other is not None and other.ours and other.sent == mine.seen and other.ours != mine.theirs:
            numbers.append(mine.seen)
        if other is not None and subject.exchange.past_at(other.seen) not in {None, other.theirs}:
            numbers.append(other.seen)
        if numbers:
            found.append(Difference(subject.id, min(numbers), Kind.PAST))
    return found
