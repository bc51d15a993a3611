"""A superuser's settlement of a disputed transfer, and its consequences (`!fed resolve`).

The bot reads InvenTree first, and only offers answers that fit. A settlement never changes the other side's books.
The superusers there settle those; the usual messages inform them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from fedbot import messages
from fedbot.rules.catalogue.provenance import known_item
from fedbot.rules.model import audit
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Parcel, Settlement, Signature
from fedbot.rules.model.effects import Do, say
from fedbot.rules.model.events import StepDone, StepRefused, StepUnknown
from fedbot.rules.model.ledger import (
    ARRIVED,
    BACK,
    BOOKED,
    COME,
    FOUND,
    GONE,
    LEFT,
    LOST,
    NEVER,
    OUT,
    SETTLED,
    STANDS,
    STAYS,
    Truth,
)
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.queries import ItemSeen, ItemsSeen, OfLine, WhenStepEnds, Whereabouts, WhereIsIt
from fedbot.rules.model.steps import Arrived, StepKind
from fedbot.rules.model.stock import STATUS_LOST
from fedbot.rules.model.transfer import NOT_IN_PARCEL, Dispute, Line, Progress, Transfer, step_mark, with_progress
from fedbot.rules.protocol import bodies, sequencing
from fedbot.rules.state import Turn
from fedbot.rules.transfer import both_sides, parcel, receive, send

Seen = dict[int, ItemsSeen]
"""The items in our InvenTree, by line number."""


@dataclass(frozen=True)
class LinePlace:
    """Where a line's item is: `given` to the peer's company, in `outgoing`, in `stock`, or `gone`."""

    where: str
    item: ItemSeen | None = None


# --- looking -------------------------------------------------------------------------------------------------


def is_under_way(transfer: Transfer) -> bool:
    """Whether one of our steps still waits for its outcome. Until then nothing can be settled."""
    return any(p.acting for p in transfer.progress if p.stage not in {"created", "placed"})


def in_question(transfer: Transfer) -> list[Line]:
    """Return the lines whose outcome somebody has to settle."""
    dispute = _dispute(transfer)
    unknown = [line for line in transfer.terms.lines if transfer.at(line.number).unknown]
    if unknown:
        return unknown
    open_lines = [line for line in transfer.terms.lines if not transfer.at(line.number).failed]
    if dispute.was in {TransferState.DEBITING, TransferState.CREDITING}:
        undone = [line for line in open_lines if transfer.at(line.number).stage in {"", "brought", "taken"}]
        return undone[:1] or (open_lines if transfer.role == "receiver" else [])
    return open_lines


def _dispute(transfer: Transfer) -> Dispute:
    if transfer.dispute is None:
        raise ValueError(f"transfer {transfer.id} is not disputed")
    return transfer.dispute


def queries(transfer: Transfer, item: int | None) -> tuple[WhereIsIt, ...]:
    """Return the queries to our InvenTree, in the order of `in_question`. `item` is one that the person named."""
    return tuple(_query(transfer, line, item) for line in in_question(transfer))


def _query(transfer: Transfer, line: Line, item: int | None) -> WhereIsIt:
    progress = transfer.at(line.number)
    source = line.item if transfer.role == "sender" else None
    known = tuple(dict.fromkeys(pk for pk in (progress.item or source, item, progress.split_from) if pk))
    part = progress.part if transfer.role == "receiver" else None
    return WhereIsIt(f"fed:{transfer.id}:{line.number}", known, part)


def _place_of(transfer: Transfer, line: Line, seen: ItemsSeen, company: int | None) -> LinePlace:
    """Return where the line's item is in the sender's InvenTree."""
    fitting = [i for i in seen.items if i.quantity == line.quantity and i.part == line.part and i.serial == line.serial]
    for item in fitting:
        if item.where is Whereabouts.CUSTOMER and item.customer == company:
            return LinePlace("given", item)
    merged = send.merged_into(transfer, line.number, seen)
    if merged is not None:
        return LinePlace("stock", merged)
    taken, mark = transfer.at(line.number).item, step_mark(transfer, line.number, "out")
    for item in fitting:
        if item.where is Whereabouts.OUTGOING and (item.pk == taken or mark in item.marks):
            return LinePlace("outgoing", item)
    here = [item for item in seen.items if _is_here(item) and taken in {None, item.pk}]
    return LinePlace("stock", here[0]) if here else LinePlace(GONE)


# --- the possible outcomes ---------------------------------------------------------------------------------------


def truths(turn: Turn, transfer: Transfer, seen: Seen, named: int | None = None) -> tuple[Truth, ...]:
    """Return the answers that fit our InvenTree: at least one, because the other side may be gone."""
    connection = sequencing.connection_of(turn, transfer)
    if transfer.role == "receiver":
        return _receivers(transfer, seen, named)
    places = [_place_of(transfer, line, seen[line.number], connection.company) for line in in_question(transfer)]
    if _dispute(transfer).was is TransferState.SENT and transfer.parcel is not None:
        return _parcels(transfer, places)
    return _senders(transfer, connection, places)


def _parcels(transfer: Transfer, places: list[LinePlace]) -> tuple[Truth, ...]:
    """Return the answers about a parcel. Our people may know more than both InvenTrees: it came back, or is lost."""
    kinds = {place.where for place in places}
    here = bool(kinds & {"stock", "outgoing"})
    names = [] if here or _dispute(transfer).said == "refused" else [ARRIVED]
    names += [BACK] if kinds != {GONE} else []
    names += [] if here else [LOST]
    return tuple(Truth(name) for name in names)


def _senders(transfer: Transfer, connection: Connection, places: list[LinePlace]) -> tuple[Truth, ...]:
    was = _dispute(transfer).was
    kinds = {place.where for place in places}
    item = places[0].item.pk if len(places) == 1 and places[0].item else None
    offered: list[Truth] = []
    if was is TransferState.DEBITING:
        if kinds == {"given"}:
            offered.append(Truth(LEFT, item))
        if kinds == {"outgoing"} and connection.state is ConnectionState.ACTIVE:
            offered.append(Truth(OUT, item))
        if "given" not in kinds:
            offered.append(Truth(STAYS, item))
        return tuple(offered)
    may_have_it = was is TransferState.SENT or (was is TransferState.REVERTED and "given" in kinds)
    may_have_it |= was is TransferState.DONE and _dispute(transfer).said != "refused"  # as our people have said before
    if may_have_it and not kinds & {"stock", "outgoing"}:
        offered.append(Truth(ARRIVED, item))
    is_back = bool(kinds & {"stock", "outgoing"})  # our people may keep to that, whatever the other side says
    if is_back or (was is not TransferState.REVERTED and kinds != {GONE}):
        offered.append(Truth(BACK, item))
    if kinds == {GONE}:
        offered.append(Truth(LOST))
    return tuple(offered)


def _receivers(transfer: Transfer, seen: Seen, named: int | None) -> tuple[Truth, ...]:
    dispute = _dispute(transfer)
    if dispute.was is TransferState.OPEN:
        return (Truth(NEVER),)
    if dispute.was is TransferState.SENT:
        return (Truth(COME), Truth(NEVER))
    lines = in_question(transfer)
    offered: list[Truth] = []
    if not dispute.is_contradicted:
        offered += [Truth(BOOKED, item.pk) for item in _bookable(transfer, lines, seen, named)]
    if not any(_booked_in(transfer, seen[line.number]) for line in lines):
        offered.append(Truth(NEVER))
    elif not offered:
        offered.append(Truth(STANDS))
    return tuple(offered)


def _is_here(item: ItemSeen) -> bool:
    return item.where in {Whereabouts.STOCK, Whereabouts.OUTGOING}


def _booked_in(transfer: Transfer, seen: ItemsSeen) -> ItemSeen | None:
    """Return the item that this transfer booked in for a line, if it is in stock."""
    return next((item for item in seen.items if _is_ours(transfer, item) and _is_here(item)), None)


def _is_ours(transfer: Transfer, item: ItemSeen) -> bool:
    """Whether the item was booked in by this transfer: it carries its mark, or is the one that we made."""
    marked = any(mark.startswith(f"fed:{transfer.id}:") for mark in item.marks)
    return marked or item.pk in {p.item for p in transfer.progress}


def _bookable(transfer: Transfer, lines: list[Line], seen: Seen, named: int | None) -> list[ItemSeen]:
    """Return the items as which the one line in question may have been booked in."""
    if len(lines) != 1:
        return []
    (line,) = lines
    wanted, quantity = transfer.at(line.number).part, transfer.here(line.number)
    serial = transfer.serial_here(line.number)
    return [
        item
        for item in seen[line.number].items
        if (_is_ours(transfer, item) or item.pk == named) and _fits(item, quantity, wanted, serial)
    ]


def _fits(item: ItemSeen, quantity: Decimal, part: int | None, serial: str) -> bool:
    """Whether a stock item is the one to be booked in, and is in stock."""
    same = item.quantity == quantity and item.serial == serial and part in {None, item.part}
    return same and _is_here(item)


# --- settling ------------------------------------------------------------------------------------------------


def settle(turn: Turn, transfer: Transfer, truth: Truth, seen: Seen, by: Signature) -> Transfer:
    """Settle the dispute with that outcome and continue from there. Return the transfer."""
    lines = in_question(transfer)
    dispute = _dispute(transfer)
    contested = transfer.peer in dispute.by
    settlement = Settlement(by, truth.name, alone=_is_alone(turn, transfer, truth), contested=contested)
    turn.note(transfer.id, audit.Settled(truth.typed), by.person, by.event_id)
    settled = replace(transfer, state=dispute.was, dispute=None, problem="", obstacle=None, settled=settlement)
    turn.save(settled)
    if transfer.role == "receiver":
        _settle_as_receiver(turn, settled, truth, lines, seen)
    else:
        _settle_as_sender(turn, settled, dispute, truth, lines, seen)
    current = turn.transfer(transfer.id) or settled
    both_sides.update_dispute_messages(turn, current)
    both_sides.update_card(turn, current)
    return current


def _is_alone(turn: Turn, transfer: Transfer, truth: Truth) -> bool:
    """Whether it is settled without knowing the other side's report, which may come and contradict it."""
    dispute = _dispute(transfer)
    if dispute.was is TransferState.OPEN:
        return turn.us.party not in dispute.by
    agreed = {ARRIVED: "received", BACK: "refused"}.get(truth.name, "refused")
    return transfer.role == "sender" and dispute.was is TransferState.SENT and dispute.said != agreed


def _settle_as_sender(
    turn: Turn, transfer: Transfer, dispute: Dispute, truth: Truth, lines: list[Line], seen: Seen
) -> None:
    connection = sequencing.connection_of(turn, transfer)
    places = {line.number: _place_of(transfer, line, seen[line.number], connection.company) for line in lines}
    if truth.name in {LEFT, OUT, STAYS}:
        _go_on_debiting(turn, transfer, connection, truth, places)
    elif truth.name == ARRIVED:
        _settle_arrived(turn, transfer, connection, places, dict(dispute.lacking))
    else:
        _settle_back(turn, transfer, connection, truth, places)


def _go_on_debiting(
    turn: Turn, transfer: Transfer, connection: Connection, truth: Truth, places: dict[int, LinePlace]
) -> None:
    """Continue the debit of the one line in question: it is with the peer's company, in *Outgoing*, or stays."""
    for number, place in places.items():
        progress = _with_found_item(transfer, number, place)
        if truth.name == OUT:
            taken = _keep(turn, transfer, replace(progress, stage="taken", failed=""))
            send.hand_over(turn, transfer, taken, connection)
            return
        if truth.name == STAYS and place.where == "outgoing":
            taken = _keep(turn, transfer, replace(progress, stage="taken", failed=SETTLED))
            send.put_back(turn, transfer, taken, connection)
            return
        stage, failed = ("handed", "") if truth.name == LEFT else (progress.stage, progress.failed or SETTLED)
        transfer = with_progress(transfer, replace(progress, stage=stage, failed=failed))
    turn.save(transfer)
    send.go_on(turn, transfer, connection)


def _with_found_item(transfer: Transfer, number: int, place: LinePlace) -> Progress:
    """Return the line with the stock item that was found for it, and with the data of its lost steps."""
    progress = replace(transfer.at(number), unknown=StepKind.NONE)
    if place.item is None or (place.where == "stock" and progress.item is None):
        return progress
    item = place.item
    if not progress.stage:  # the item's history has its former location and status
        old = transfer.line(number).status if item.old_status is None else item.old_status
        source = progress.item or transfer.line(number).item
        split_from = None if item.pk == source else source
        progress = replace(progress, status=old, location=item.came_from, split_from=split_from)
    if step_mark(transfer, number, send.MERGE) in item.marks:
        progress = replace(progress, split_from=item.pk)
    return replace(progress, item=item.pk, quantity=transfer.line(number).quantity)


def _keep(turn: Turn, transfer: Transfer, progress: Progress) -> Progress:
    turn.save(with_progress(transfer, progress))
    return progress


def _settle_arrived(
    turn: Turn,
    transfer: Transfer,
    connection: Connection,
    places: dict[int, LinePlace],
    lacking: dict[int, Decimal],
) -> None:
    """Mark our record as arrived, if it exists, and end the transfer as done. What the parcel lacked is lost."""
    transfer = replace(transfer, state=TransferState.RECEIVED)
    for number, place in places.items():
        stage = "handed" if place.where == "given" else "arrived"
        transfer = with_progress(transfer, replace(_with_found_item(transfer, number, place), stage=stage))
    transfer = send.with_less(transfer, lacking)
    turn.save(transfer)
    for number, place in places.items():
        if place.where == "given":
            send.take_over_arrival(turn, transfer, transfer.at(number), connection)
    send.finish(turn, turn.transfer(transfer.id) or transfer, connection)


def _settle_back(
    turn: Turn, transfer: Transfer, connection: Connection, truth: Truth, places: dict[int, LinePlace]
) -> None:
    """Take it back from the peer's company, or note that it came back by hand, or that it is lost."""
    arrived = [p for p in transfer.progress if p.number not in places and p.stage in {"handed", "arrived"}]
    transfer = replace(transfer, state=TransferState.RECEIVED if arrived else TransferState.REVERTING)
    for number, place in places.items():
        progress = _with_found_item(transfer, number, place)
        stage = "handed" if place.where == "given" else "back"
        if truth.name == LOST and stage == "handed":  # a parcel: ours again, but lost
            progress = replace(progress, status=STATUS_LOST)
        failed = LOST if truth.name == LOST or place.where == GONE else progress.failed
        transfer = with_progress(transfer, replace(progress, stage=stage, failed=failed))
    turn.save(transfer)
    for number, place in places.items():
        if place.where == "given":
            send.take_back(turn, transfer, transfer.at(number), connection)
    send.finish(turn, turn.transfer(transfer.id) or transfer, connection)


def _settle_as_receiver(turn: Turn, transfer: Transfer, truth: Truth, lines: list[Line], seen: Seen) -> None:
    if transfer.is_settled_alone:
        _call_off(turn, transfer)
        return
    if truth.name == COME and transfer.settled is not None:
        parcel.on_arrived(turn, transfer, transfer.settled.by)
        return
    for line in lines:
        progress = replace(transfer.at(line.number), unknown=StepKind.NONE)
        item = _settled_item(transfer, truth, seen[line.number])
        progress = _booked(progress, item) if item else replace(progress, stage="", item=None, failed=SETTLED)
        transfer = with_progress(transfer, progress)
    transfer = replace(transfer, state=TransferState.CREDITING, wanted="", problem="", obstacle=None)
    turn.save(transfer)
    receive.book_in(turn, transfer)


def _settled_item(transfer: Transfer, truth: Truth, seen: ItemsSeen) -> ItemSeen | None:
    """Return the stock item as which the line was booked in, by the settlement; None if it isn't in our books."""
    if truth.name == BOOKED:
        return next(item for item in seen.items if item.pk == truth.item)
    return _booked_in(transfer, seen) if truth.name == STANDS else None


def _booked(progress: Progress, item: ItemSeen) -> Progress:
    """Return the line as booked in with that item, which stays where people have put it."""
    return replace(
        progress,
        stage="created",
        failed="",
        item=item.pk,
        quantity=item.quantity,
        part=item.part,
        location=item.location or progress.location,
    )


def _call_off(turn: Turn, transfer: Transfer) -> None:
    """Cancel it, because the sender can't tell whether it left. If it still arrives, it is refused."""
    transfer = replace(transfer, state=TransferState.CANCELLED, ended=turn.now, decision=None, problem=SETTLED)
    by = both_sides.said_by(transfer.settled.by if transfer.settled else None)
    transfer, draft = sequencing.write(turn, transfer, bodies.Cancel(reason=SETTLED, **by), awaits=True)
    turn.save(transfer)
    sequencing.post(turn, transfer, draft)


# --- the missing part of a parcel --------------------------------------------------------------------------------

TRUTHS_OF_A_REST = (Truth(BACK), Truth(FOUND), Truth(LOST))


def settle_rest(turn: Turn, transfer: Transfer, truth: Truth, by: Signature) -> Transfer:
    """Settle the missing part of a parcel as our superuser says. We are the sender; our books have it as 'lost'."""
    parcel = replace(transfer.parcel or Parcel(), rest=Settlement(by, truth.name))
    transfer = replace(transfer, parcel=parcel)
    turn.save(transfer)
    turn.note(transfer.id, audit.RestSettled(truth.name), by.person, by.event_id)
    for line in transfer.lines_missing if truth.name != LOST else ():
        item = rest_item(transfer, line.number)
        if item:
            note = f"did not go with the rest, it is back, says {by.in_history}"
            known = known_item(turn, transfer, line.number)
            step = Arrived(step_mark(transfer, line.number, "found"), note, item, line.status, known)
            turn.do(Do(GiveOldStatus(transfer.id, line.number), step))
    both_sides.update_card(turn, transfer)
    return transfer


def rest_item(transfer: Transfer, number: int) -> int:
    """Return our stock item that holds the missing part of that line; 0 if people had to book it by hand."""
    progress = transfer.at(number)
    return (progress.item if progress.failed == NOT_IN_PARCEL else progress.short_item) or 0


@dataclass(frozen=True)
class GiveOldStatus(OfLine, WhenStepEnds):
    """Gives the missing items of a parcel their old status, so that they are in our stock again."""

    def done(self, turn: Turn, _: StepDone) -> None:
        """Note it in the audit."""
        turn.note(self.transfer, audit.RestBack(self.line))

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Ask the admins to change its status by hand."""
        transfer = turn.transfer(self.transfer)
        if transfer is not None:
            item = rest_item(transfer, self.line)
            phrase = say(messages.parcel.rest_has_its_old_status, transfer=transfer, item=item, problem=event.problem)
            turn.tell_admins(phrase, f"rest-back:{transfer.id}:{self.line}")
