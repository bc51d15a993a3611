"""Photos of returned items, and of items at hand-over where the lender's lending rules ask for it.

People reply with a photo to their bot's message, and the bot attaches it to their stock item: for a return before and
after the decision, for a loan once it is handed over. A photo moves nothing and decides nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fedbot import messages
from fedbot.rules import budgets
from fedbot.rules.catalogue.provenance import known_item
from fedbot.rules.model import audit
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.effects import Ask, Do, Phrase, Post, say
from fedbot.rules.model.events import Answered, PhotoSent, StepDone, StepRefused, StepUnknown, Unanswered
from fedbot.rules.model.lifecycles import FINAL, TransferState
from fedbot.rules.model.queries import OfLine, OfTransfer, PersonPermissions, WhenAnsweredOrNot, WhenStepEnds
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.steps import AttachPhoto
from fedbot.rules.model.stock import Permission, Permissions
from fedbot.rules.model.transfer import Transfer, step_mark
from fedbot.rules.state import Turn
from fedbot.rules.transfer import both_sides

TOO_LARGE, TOO_MANY, INACTIVE = "too-large", "too-many", "inactive"
TOO_EARLY, TOO_LATE = "too-early", "too-late"
SOON = timedelta(minutes=15)
"""The time that a photo waits for InvenTree to answer."""
KEPT_UNTIL = timedelta(days=14)
"""The time after the end of a transfer for which its photos are still accepted."""
LONGEST_PHOTO = 20_000_000
"""Largest photo, in bytes."""
_NOT_BACK = FINAL - {TransferState.DONE}


def on_photo(turn: Turn, event: PhotoSent) -> None:
    """Keep a photo that one of our people sent as a reply to such a message, or in its thread."""
    transfer = transfer_of(turn, event)
    if transfer is None:
        return
    if turn.spends("photo", event.sender) is not None:
        if turn.tell_once(f"too-many-photos:{event.sender}", budgets.HOUR):
            _say_not_kept(turn, transfer, event.event_id, TOO_MANY)
        return
    reason = _why_not(turn, transfer, event)
    if reason:
        _say_not_kept(turn, transfer, event.event_id, reason)
        return
    name = turn.name_of(event.sender, event.room)
    note = f"{name}: {event.caption}" if event.caption else name
    then = PermitPhoto(transfer.id, event.event_id, event.sender, note, event.file)
    person = PersonPermissions(turn.us.people[event.sender])
    turn.do(Ask(then, (person,), until=turn.now + SOON))


@dataclass(frozen=True)
class PermitPhoto(OfTransfer, WhenAnsweredOrNot):
    """Reads whether the author of the photo in the message `event_id` is an active user.

    `file` as in `PhotoSent`.
    """

    event_id: str
    person: str
    note: str
    file: dict[str, Any]

    def answered(self, turn: Turn, event: Answered) -> None:
        """Attach it to the stock items, or say why not."""
        transfer, (permissions,) = turn.transfer(self.transfer), event.answers
        if transfer is None or not isinstance(permissions, Permissions):
            return
        if self.person not in turn.us.people or not permissions.covers(Permission.MAPPED):
            _say_not_kept(turn, transfer, self.event_id, INACTIVE)
            return
        turn.note(transfer.id, audit.Fact.PHOTO, self.person, self.event_id)
        items = {line.number: transfer.at(line.number).item for line in transfer.terms.lines}
        known = [(number, item) for number, item in items.items() if item is not None]
        for number, item in known:
            mark = step_mark(transfer, number, _mark_suffix(self.event_id))
            step = AttachPhoto(mark, self.note, item, self.file, known_item(turn, transfer, number))
            turn.do(Do(KeepPhoto(transfer.id, number, self.event_id, item, is_last=number == known[-1][0]), step))

    def unanswered(self, turn: Turn, event: Unanswered) -> None:
        """Tell the author that nothing is attached."""
        transfer = turn.transfer(self.transfer)
        if transfer is not None:
            _say_not_kept(turn, transfer, self.event_id, "silent", event.problem)


def transfer_of(turn: Turn, event: PhotoSent) -> Transfer | None:
    """The return or loan that the photo shows.

    None if it isn't from our people, or doesn't answer a message of ours about such a transfer.
    """
    if event.sender not in turn.us.people:
        return None
    answered = turn.own_subject_of(event.reply_to) or turn.own_subject_of(event.thread)
    transfer = turn.transfer(answered) if answered else None
    if transfer is None or transfer.room != event.room:
        return None
    is_back = transfer.is_return and transfer.role == "receiver"
    return transfer if is_back or _is_wanted_at_hand_over(transfer) else None


def _is_wanted_at_hand_over(transfer: Transfer) -> bool:
    rules = transfer.terms.rules
    return transfer.is_loan and rules is not None and rules.photo_out


def _why_not(turn: Turn, transfer: Transfer, event: PhotoSent) -> str:
    if event.size > LONGEST_PHOTO:
        return TOO_LARGE
    late = transfer.ended is not None and turn.now - transfer.ended > KEPT_UNTIL
    if late or transfer.state in _NOT_BACK or (transfer.is_loan and transfer.closed is not None):
        return TOO_LATE
    is_here = any(transfer.at(line.number).item is not None for line in transfer.terms.lines)
    return "" if is_here else TOO_EARLY


def _mark_suffix(event_id: str) -> str:
    """The end of the step's mark. Derived from the event, so that the same photo always gets the same mark."""
    return f"photo-{hashlib.sha256(event_id.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class KeepPhoto(OfLine, WhenStepEnds):
    """Attaches the photo in the message `event_id` to one stock item. `is_last` is set for the last of several."""

    event_id: str
    item: int
    is_last: bool

    def done(self, turn: Turn, _: StepDone) -> None:
        """Note it, and tell the author once for all items."""
        transfer = turn.transfer(self.transfer)
        if transfer is None:
            return
        turn.note(transfer.id, audit.PhotoKept(self.item))
        if self.is_last:
            items = tuple(p.item for p in transfer.progress if p.item is not None)
            phrase = say(messages.loan.photo_kept, transfer=transfer, items=items)
            _reply(turn, transfer, self.event_id, phrase)

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Tell the author why not and how to fix it. Nothing waits for the photo."""
        transfer = turn.transfer(self.transfer)
        if transfer is None:
            return
        turn.note(transfer.id, audit.PhotoNotKept(event.problem))
        _say_not_kept(turn, transfer, self.event_id, event.reason, event.problem)


def _say_not_kept(turn: Turn, transfer: Transfer, event_id: str, reason: str, problem: Diagnosis | None = None) -> None:
    phrase = say(messages.loan.photo_not_kept, transfer=transfer, reason=reason, problem=problem)
    _reply(turn, transfer, event_id, phrase)


def _reply(turn: Turn, transfer: Transfer, event_id: str, phrase: Phrase) -> None:
    key = MessageKind.PHOTO.of(transfer.id, event_id)
    turn.do(Post(key, transfer.room, phrase, reply_to=event_id, thread=both_sides.thread_of(transfer)))
