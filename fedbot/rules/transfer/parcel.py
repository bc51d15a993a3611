"""Parcels: what left the sender, but isn't here yet, and how people say that it came, or never did.

The sender debits as ever; the receiver stays at `sent` and books nothing in, however long it takes. No clock runs out
meanwhile: nothing is sent again, nothing expires. What never arrives is a dispute, which people settle.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from fedbot.rules.model.decision import Parcel, Signature
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState
from fedbot.rules.state import Turn
from fedbot.rules.transfer import dispute, receive

MISSING = "the parcel did not arrive"


def on_arrived(turn: Turn, transfer: Transfer, by: Signature) -> None:
    """An approver of ours says that it is here, and the right was read: book it in."""
    parcel = replace(transfer.parcel or Parcel(), received=by)
    transfer = replace(transfer, state=TransferState.CREDITING, parcel=parcel, decision=None)
    turn.save(transfer)
    turn.note_by(transfer.id, "the parcel is here", by)
    receive.go_on(turn, transfer)


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
