"""Provenance: items that may not go on to a third party (UC6), and our marks of transfers.

The journal is authoritative; metadata mirrors it under the key `fedbot`. A mark holds the item's own key, because a
split copies metadata: on another key the mark is void, but the origin stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from fedbot import messages
from fedbot.rules.model import audit
from fedbot.rules.model.diagnosis import GONE
from fedbot.rules.model.effects import Do, say
from fedbot.rules.model.events import StepDone, StepRefused, StepUnknown
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.queries import (
    OfLine,
    WhenStepEnds,
)
from fedbot.rules.model.steps import Known, Mirror, StepKind
from fedbot.rules.model.stock import StockItem
from fedbot.rules.model.transfer import Line, Progress, Transfer
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


def origin_forbids(origin: str, destination: str) -> bool:
    """Whether UC6 keeps stock from going there: it may go back to where it came from, but not on to another party."""
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
        if isinstance(event, StepRefused) and event.reason == GONE:
            return
        transfer = turn.transfer(self.transfer)
        if transfer is not None and turn.tell_once("labelling", timedelta(days=1)):
            item = transfer.at(self.line).item or 0
            phrase = say(messages.loan.not_labelled, transfer=transfer, item=item, problem=event.problem)
            turn.tell_admins(phrase, f"labelling:{turn.now.date()}")
