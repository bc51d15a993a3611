"""Provenance: items that may not go on to a third party (UC6), and our marks of transfers.

The journal is authoritative; metadata mirrors it under the key `fedbot`. A mark holds the item's own key, because a
split copies metadata: on another key the mark is void, but the origin stays.

InvenTree keeps no trace of a merged item. So an item that vanished without a known exit counts as part of every item of
that part that was merged since, up to its quantity, until a superuser clears it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from fedbot import messages
from fedbot.rules.archive import Mark
from fedbot.rules.model import audit
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.diagnosis import GONE
from fedbot.rules.model.effects import Do, say
from fedbot.rules.model.events import StepDone, StepRefused, StepUnknown
from fedbot.rules.model.lifecycles import Ending, TransferState
from fedbot.rules.model.queries import (
    FindItems,
    ItemsFound,
    OfLine,
    Query,
    Received,
    ReceivedOf,
    SearchStock,
    StockHits,
    WhenStepEnds,
)
from fedbot.rules.model.steps import Known, Mirror, StepKind
from fedbot.rules.model.stock import StockItem
from fedbot.rules.model.transfer import Line, Progress, Transfer, with_progress
from fedbot.rules.state import Turn


@dataclass(frozen=True)
class WriteMirror(WhenStepEnds):
    """Carries on after mirroring the document of that id into InvenTree's metadata. Nothing waits for it."""

    about: str

    @property
    def subject(self) -> str:
        """The id of the mirrored document."""
        return self.about

    def done(self, turn: Turn, _: StepDone) -> None:
        """Note it in the audit."""
        turn.note(self.about, audit.StepWasDone(StepKind.MIRROR))

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Tell the admins once a day. A thing that somebody has deleted needs no notes any more."""
        if event.reason != GONE and turn.tell_once("mirror", timedelta(days=1)):
            turn.tell_admins(say(messages.health.not_mirrored, problem=event.problem), f"mirror:{turn.now.date()}")


def forbidden_origin(origin: str, destination: str) -> bool:
    """Whether UC6 forbids it: an item that came from one party may go back to it, but not on to another."""
    return bool(origin) and origin != destination


def origin_here(turn: Turn, transfer: Transfer, line: Line) -> str:
    """Return the first owner of a received item; '' if it is ours."""
    return "" if line.origin == turn.us.party else line.origin or transfer.peer


def origins_of(turn: Turn, item: StockItem, tainted: Iterable[tuple[int, str]]) -> tuple[str, ...]:
    """Return the other spaces from which the item came, by its own marks or those of items it was split from.

    `tainted` are origins of stock items by the metadata of the items they were split from.
    """
    brought = turn.brought(item)
    seen = [origin for pk, origin in tainted if pk == item.pk]
    seen += [item.provenance.origin] if item.provenance else []
    seen += [origin_here(turn, *brought)] if brought else []
    return tuple(dict.fromkeys(origin for origin in seen if origin and origin != turn.us.party))


def has_foreign_mark(turn: Turn, item: StockItem) -> bool:
    """Whether the mark in an item's link says that it isn't ours.

    An unknown mark counts as another space's, so that nothing slips through after the journal is lost.
    """
    brought = turn.brought(item)
    return item.mark is not None if brought is None else bool(origin_here(turn, *brought))


def known_item(turn: Turn, transfer: Transfer, number: int) -> Known | None:
    """Return the identity that the line's stock item in our InvenTree must have; None without a part of ours.

    A return brings back the lender's own item, that of the loan. The batch of an item that we booked in may have
    changed, because people assign their own.
    """
    line = transfer.line(number)
    loan = turn.transfer(transfer.terms.parent) if transfer.is_return else None
    if transfer.role == "receiver" and loan is not None:
        return known_item(turn, loan, line.of_line)
    is_ours = transfer.role == "sender"
    if is_ours and loan is not None:  # a returned item has our own number
        serial = loan.serial_here(line.of_line)
    else:
        serial = line.serial if is_ours else transfer.serial_here(number)
    part = line.part if is_ours else transfer.at(number).part
    if part is None:
        return None
    batch = line.batch if is_ours and loan is None else None
    return Known(part, serial, batch, "" if transfer.settled else f"fed:{transfer.id}:{number}:")


def _mirror(turn: Turn, transfer: Transfer, number: int, item: int, value: dict[str, object]) -> None:
    text = _text(transfer, {"item": item, **value})
    mark = f"fed:{transfer.id}:0:mirror"
    known = known_item(turn, transfer, number)
    turn.do(Do(WriteMirror(transfer.id), Mirror(mark, "stockitem", item, text, known=known)))


def _text(transfer: Transfer, value: dict[str, object]) -> str:
    return json.dumps({"transfer": transfer.id, **value}, sort_keys=True, ensure_ascii=False)


def _loan(transfer: Transfer, number: int) -> dict[str, object]:
    """Return the line's due date with its time zone, and how the loan ended; {} if it is no loan."""
    if not transfer.is_loan or transfer.due_day is None:
        return {}
    ending = transfer.ending_of(number)
    ended = {"loan": ending.value} if ending else {}
    zone = {"time_zone": transfer.terms.time_zone} if transfer.terms.time_zone else {}
    return {"loan_until": transfer.due_day.isoformat(), **zone, **ended}


def mirror_given(turn: Turn, transfer: Transfer, progress: Progress) -> None:
    """Write into the metadata of the sender's item to whom it was given, and by which transfer."""
    if progress.item is not None:
        value = _given(transfer, progress, transfer.state)
        _mirror(turn, transfer, progress.number, progress.item, value)


def given_text(transfer: Transfer, progress: Progress) -> str:
    """Return that metadata as text, for the step that hands the item over."""
    return _text(transfer, {"item": progress.item, **_given(transfer, progress, TransferState.SENT)})


def _given(transfer: Transfer, progress: Progress, state: TransferState) -> dict[str, object]:
    line = transfer.line(progress.number)
    value: dict[str, object] = {"to": transfer.peer, "line": line.number, "state": state.value}
    if line.origin:
        value["origin"] = line.origin
    return value | _loan(transfer, line.number)


def mirror_received(turn: Turn, transfer: Transfer, progress: Progress) -> None:
    """Write into the metadata of the receiver's item its origin, the sender's item, and the sender's metadata."""
    if progress.item is not None:
        _mirror(turn, transfer, progress.number, progress.item, _received(turn, transfer, progress))


def received_text(turn: Turn, transfer: Transfer, progress: Progress) -> str:
    """Return that metadata as text without the item's key, for the step that makes the item."""
    return _text(transfer, _received(turn, transfer, progress))


def _received(turn: Turn, transfer: Transfer, progress: Progress) -> dict[str, object]:
    line = transfer.line(progress.number)
    origin = origin_here(turn, transfer, line)
    value: dict[str, object] = {
        "from": transfer.peer,
        "from_item": line.item,
        "line": line.number,
        "origin": origin,
    }
    if progress.serial:
        value["from_serial"] = line.serial
    value |= _loan(transfer, line.number)
    if progress.metadata:
        value["sender_metadata"] = json.loads(progress.metadata)
    return value


@dataclass(frozen=True)
class LabelItem(OfLine, WhenStepEnds):
    """Carries on after writing a stock item's notes and tag."""

    def done(self, turn: Turn, _: StepDone) -> None:
        """Note it in the audit."""
        turn.note(self.transfer, audit.StepWasDone(StepKind.LABEL, self.line))

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Tell the admins once a day; nothing waits for it. A vanished item is not reported."""
        _on_not_labelled(turn, self, event)


def _on_not_labelled(turn: Turn, then: LabelItem, event: StepRefused | StepUnknown) -> None:
    if isinstance(event, StepRefused) and event.reason == "gone":
        return
    transfer = turn.transfer(then.transfer)
    if transfer is not None and turn.tell_once("labelling", timedelta(days=1)):
        item = transfer.at(then.line).item or 0
        phrase = say(messages.loan.not_labelled, transfer=transfer, item=item, problem=event.problem)
        turn.tell_admins(phrase, f"labelling:{turn.now.date()}")


# --- items that vanished, and may now be part of an item into which they were merged (UC6) ---


# InvenTree's history has minutes without a time zone, by another clock than ours: rather assume one merge too many.
_CLOCKS = timedelta(days=1)


@dataclass(frozen=True)
class Hidden:
    """The quantity of an item that may have come from that space, without a mark."""

    origin: str
    quantity: Decimal


def received_for(turn: Turn, query: Query) -> ReceivedOf | None:
    """Return the function that lists everything received of a part, for queries about merges; else None.

    Another thread may call it.
    """
    looks_for_merges = isinstance(query, SearchStock) or (isinstance(query, FindItems) and query.merges)
    return received_by(_snapshot(turn)) if looks_for_merges else None


def _snapshot(turn: Turn) -> Turn:
    """Return a snapshot: changes of later turns don't show in it. It copies the transfers that may still change."""
    held = Turn(turn.state, turn.now)
    held.changes = {(type(transfer).__name__, transfer.id): transfer for transfer in turn.living_transfers()}
    return held


def received_by(turn: Turn) -> ReceivedOf:
    """Return the function that lists a part's stock from other spaces that hasn't wholly left again.

    It can leave by a transfer of ours, or as a lost loan.
    """

    def of_part(part: int) -> tuple[Received, ...]:
        return tuple(
            Received(transfer.id, progress.number, progress.item, progress.part, progress.quantity or here)
            for transfer in turn.marked(Mark.PART, part)
            if transfer.role == "receiver"
            for progress in transfer.progress
            if transfer.ending_of(progress.number) is not Ending.LOST
            for line, here in ((transfer.line(progress.number), transfer.here(progress.number)),)
            if progress.item is not None and progress.part == part
            if origin_here(turn, transfer, line) and _passed_on(turn, progress.item) < here
        )

    return of_part


def has_part_of_others(turn: Turn, part: int, destination: str) -> bool:
    """Whether we have some of this part that may not go to `destination`."""
    came = ((each, turn.transfer(each.transfer)) for each in received_by(turn)(part))
    return any(
        transfer is not None
        and forbidden_origin(origin_here(turn, transfer, transfer.line(each.line)), destination) is not None
        for each, transfer in came
    )


def _passed_on(turn: Turn, item: int) -> Decimal:
    """Return the quantity of that stock item that left by a transfer and wasn't returned."""
    return sum(
        (
            line.quantity
            for transfer in turn.marked(Mark.ITEM, item)
            if transfer.role == "sender"
            for line in transfer.lines_come
            if line.item == item and transfer.at(line.number).stage in {"handed", "arrived"}
        ),
        Decimal(0),
    )


def hidden(turn: Turn, item: StockItem, found: ItemsFound | StockHits, destination: str) -> tuple[Hidden, ...]:
    """Return the quantities in this item that may have come from other spaces than `destination`."""
    merged = dict(found.merged).get(item.pk)
    if merged is None:
        return ()
    seen = []
    for each, transfer, quantity in _unaccounted(turn, found.vanished, item.part.pk):
        origin = origin_here(turn, transfer, transfer.line(each.line))
        came = transfer.decided.at if transfer.decided else transfer.asked.at
        if forbidden_origin(origin, destination) and merged >= came - _CLOCKS:
            seen.append(Hidden(origin, quantity))
    return tuple(seen)


def total(hidden_in: Iterable[Hidden]) -> Decimal:
    """Return the sum of these quantities."""
    return sum((each.quantity for each in hidden_in), Decimal(0))


def _unaccounted(turn: Turn, vanished: Iterable[Received], part: int) -> Iterable[tuple[Received, Transfer, Decimal]]:
    """Yield the vanished items of a part, their transfers, and the quantities that nobody has explained."""
    for each in vanished:
        transfer = turn.transfer(each.transfer)
        if transfer is not None and each.part == part:
            quantity = each.quantity - transfer.at(each.line).accounted
            if quantity > 0:
                yield each, transfer, quantity


def clear(turn: Turn, found: ItemsFound, by: Signature) -> tuple[Hidden, ...]:
    """Clear the vanished quantities of these items' parts, because a superuser knows where they went. Return them."""
    cleared = []
    for part in dict.fromkeys(item.part.pk for item in found.items):
        for each, _, quantity in _unaccounted(turn, found.vanished, part):
            transfer = turn.transfer(each.transfer)
            if transfer is None:
                raise LookupError(each.transfer)
            turn.save(with_progress(transfer, replace(transfer.at(each.line), accounted=each.quantity)))
            turn.note(
                transfer.id,
                audit.VanishedFound(each.line, str(quantity)),
                by.person,
                by.event_id,
            )
            cleared.append(Hidden(origin_here(turn, transfer, transfer.line(each.line)), quantity))
    return tuple(cleared)
