"""Photos of what came back: the owner's people reply to a return's card with one, and it is attached to the item.

They may do so before and after the tap. A photo moves nothing and decides nothing.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from fedbot import messages
from fedbot.rules.catalogue.provenance import known_item
from fedbot.rules.loan import lend
from fedbot.rules.model.effects import Ask, Do, Phrase, Post, say
from fedbot.rules.model.events import Answered, Context, PhotoSent, StepDone, StepRefused, StepUnknown, Unanswered
from fedbot.rules.model.queries import PersonRights
from fedbot.rules.model.steps import AttachPhoto
from fedbot.rules.model.stock import Right, Rights
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.model.transfer_lifecycle import FINAL, TransferState
from fedbot.rules.state import Turn
from fedbot.rules.transfer import both_sides as transfers

ATTACHING = "photo"
PERMITTING = "photo-permission"
SOON = timedelta(minutes=15)
"""So long a photo waits for an InvenTree that doesn't answer."""
KEPT_UNTIL = timedelta(days=14)
"""So long after the end of a return photos of it are still taken."""
LONGEST_PHOTO = 20_000_000
"""Bytes."""
TOO_LARGE, TOO_LATE, INACTIVE = "too-large", "too-late", "inactive"
_NOT_BACK = FINAL - {TransferState.DONE}


def on_photo(turn: Turn, event: PhotoSent) -> None:
    """A picture in a room: if it answers a return's card (or is in its thread) and is of our people, it is kept."""
    transfer = meant(turn, event)
    if transfer is None:
        return
    reason = _why_not(turn, transfer, event)
    if reason:
        _say_not_kept(turn, transfer, event.event_id, reason)
        return
    name = turn.name_of(event.sender, event.room)
    detail = {
        "event": event.event_id,
        "sender": event.sender,
        "note": f"{name}: {event.caption}" if event.caption else name,
        "file": event.file,
    }
    person = PersonRights(turn.home.people[event.sender])
    turn.do(Ask(Context(PERMITTING, transfer.id, detail=detail), (person,), until=turn.now + SOON))


def on_permitted(turn: Turn, event: Answered) -> None:
    """InvenTree has told whether the person is an active user: attach it to what came back, or say why not."""
    transfer, (rights,) = turn.transfer(event.context.subject), event.answers
    asked = event.context.detail
    if transfer is None or not isinstance(rights, Rights):
        return
    if not rights.covers(Right.MAPPED):
        _say_not_kept(turn, transfer, asked["event"], INACTIVE)
        return
    turn.note(transfer.id, "photo", asked["sender"], asked["event"])
    items = {line.number: transfer.at(line.number).item for line in transfer.terms.lines}
    known = [(number, item) for number, item in items.items() if item is not None]
    for number, item in known:
        detail = {"event": asked["event"], "item": item, "last": number == known[-1][0]}
        mark, is_known = (
            transfers.mark(transfer, number, _one_of_many(asked["event"])),
            known_item(turn, transfer, number),
        )
        step = AttachPhoto(mark, asked["note"], item, asked["file"], is_known)
        turn.do(Do(Context(ATTACHING, transfer.id, number, detail), step))


def on_not_permitted(turn: Turn, event: Unanswered) -> None:
    """InvenTree doesn't tell who the person is: nothing is attached."""
    transfer = turn.transfer(event.context.subject)
    if transfer is not None:
        _say_not_kept(turn, transfer, event.context.detail["event"], "silent", event.problem)


def meant(turn: Turn, event: PhotoSent) -> Transfer | None:
    """The return to us that it answers, if it is from our people. It has to answer a message of ours."""
    if event.sender not in turn.home.people:
        return None
    answered = turn.own_subject_of(event.reply_to) or turn.own_subject_of(event.thread)
    transfer = turn.transfer(answered) if answered else None
    ours = transfer is not None and transfer.role == "receiver" and transfer.room == event.room
    return transfer if ours and transfer is not None and lend.is_return(transfer) else None


def _why_not(turn: Turn, transfer: Transfer, event: PhotoSent) -> str:
    if event.size > LONGEST_PHOTO:
        return TOO_LARGE
    late = transfer.ended is not None and turn.now - transfer.ended > KEPT_UNTIL
    return TOO_LATE if late or transfer.state in _NOT_BACK else ""


def _one_of_many(event_id: str) -> str:
    """The end of its mark: the same whenever the photo is read again."""
    return f"photo-{hashlib.sha256(event_id.encode()).hexdigest()[:8]}"


# --- how it ended ----------------------------------------------------------------------------------------------


def on_attached(turn: Turn, event: StepDone) -> None:
    """It is in InvenTree: whoever sent it is told, once for all items."""
    transfer = turn.transfer(event.context.subject)
    if transfer is None:
        return
    turn.note(transfer.id, "photo attached", item=event.context.detail["item"])
    if event.context.detail["last"]:
        items = tuple(p.item for p in transfer.progress if p.item is not None)
        phrase = say(messages.loan.photo_kept, transfer=transfer, items=items)
        _reply(turn, transfer, str(event.context.detail["event"]), phrase)


def on_not_attached(turn: Turn, event: StepRefused | StepUnknown) -> None:
    """It isn't, or nobody can tell: that is said, with what helps. Nothing waits for it."""
    transfer = turn.transfer(event.context.subject)
    if transfer is None:
        return
    reason = event.reason if isinstance(event, StepRefused) else "unknown"
    turn.note(transfer.id, f"photo not attached: {reason}", text=event.text)
    _say_not_kept(turn, transfer, str(event.context.detail["event"]), reason, event.text)


def _say_not_kept(turn: Turn, transfer: Transfer, event_id: str, reason: str, text: str = "") -> None:
    phrase = say(messages.loan.photo_not_kept, transfer=transfer, reason=reason, text=text)
    _reply(turn, transfer, event_id, phrase)


def _reply(turn: Turn, transfer: Transfer, event_id: str, phrase: Phrase) -> None:
    key = f"photo:{transfer.id}:{event_id}"
    turn.do(Post(key, transfer.room, phrase, reply_to=event_id, thread=transfers.thread_of(transfer)))
