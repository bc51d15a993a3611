"""Parcels: what left the sender, but isn't here yet, and how people say that it came, or never did.

The sender debits as ever; the receiver stays at `sent` and books nothing in, however long it takes. No clock runs out
meanwhile: nothing is sent again, nothing expires. What never arrives is a dispute, which people settle.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from fedbot import messages
from fedbot.rules.model.decision import Parcel, Signature
from fedbot.rules.model.effects import Post, say
from fedbot.rules.model.events import StepRefused
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState
from fedbot.rules.state import Turn
from fedbot.rules.transfer import both_sides as transfers
from fedbot.rules.transfer import dispute, offer, receive
from fedbot.rules.transfer.send import with_progress

MISSING = "the parcel did not arrive"


def on_arrived(turn: Turn, transfer: Transfer, by: Signature) -> None:
    """An approver of ours says that it is here, and the right was read: book it in."""
    parcel = replace(transfer.parcel or Parcel(), received=by)
    transfer = replace(transfer, state=TransferState.CREDITING, parcel=parcel, decision=None)
    turn.save(transfer)
    turn.note_by(transfer.id, "the parcel is here", by)
    receive.go_on(turn, transfer)


def on_refused(turn: Turn, event: StepRefused) -> None:
    """Our InvenTree won't have it. What is here does not go back by itself: people mend it, and say so again."""
    transfer = turn.transfer(event.context.subject)
    if transfer is None or not _can_be_mended(transfer):
        receive.on_refused(turn, event)
        return
    transfer = transfers.goes_on(turn, transfer)
    parcel = transfer.parcel or Parcel()
    turn.note(transfer.id, f"not booked in, waits for people: {event.reason}", line=event.context.line, text=event.text)
    waits = replace(transfer, state=TransferState.SENT, parcel=replace(parcel, received=None))
    waits = with_progress(waits, replace(waits.at(event.context.line), acting=""))
    turn.save(waits)
    offer.look_for_parts(turn, waits)  # another one may fit by now, or this one again
    by = parcel.received.person if parcel.received else ""
    phrase = say(
        messages.parcel.parcel_not_booked_in,
        transfer=waits,
        person=by,
        name=turn.name_of(by, waits.room),
        text=event.text,
    )
    key, thread = f"unbooked:{waits.id}:{event.context.line}:{turn.now.isoformat()}", transfers.thread_of(waits)
    turn.do(Post(key, waits.room, phrase, thread=thread, mentions=(by,)))


def _can_be_mended(transfer: Transfer) -> bool:
    """Whether nothing of it is booked in yet, and an approver's word that it is here can be said once more."""
    is_here = transfer.parcel is not None and transfer.parcel.received is not None and transfer.settled is None
    return transfer.state is TransferState.CREDITING and is_here and not any(p.stage for p in transfer.progress)


def never_arrived(turn: Turn, transfer: Transfer, by: Signature) -> None:
    """An approver, of either side, says that it is lost or came back: nothing goes on before people settle it."""
    parcel = replace(transfer.parcel or Parcel(), missing=by)
    turn.note_by(transfer.id, "the parcel is missing", by)
    dispute.dispute(turn, replace(transfer, parcel=parcel, decision=None), 0, MISSING)


def last_word(transfer: Transfer) -> datetime | None:
    """When it left, or people were last reminded of it; None if nothing is on its way to us."""
    if not transfer.awaits_parcel or transfer.parcel is None or transfer.parcel.left is None:
        return None
    left = transfer.parcel.left
    return max(left, transfer.reminded) if transfer.reminded else left
