"""Parcels: items that left the sender and haven't arrived, until people report that they did, or never will.

The sender books out as usual. The receiver stays in `sent` and books nothing in, however long it takes; nothing is sent
again, and nothing expires. A parcel that never arrives becomes a dispute, which people settle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from fedbot.rules.model import audit
from fedbot.rules.model.decision import Parcel, Signature
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.transfer import (
    FAILED_AT_SENDER,
    NOT_IN_PARCEL,
    Line,
    Transfer,
    less_of,
    with_progress,
)
from fedbot.rules.state import Turn
from fedbot.rules.transfer import both_sides, receive


def on_arrived(turn: Turn, transfer: Transfer, by: Signature, came: Mapping[int, Decimal] | None = None) -> None:
    """Book in the parcel, or this much of each line, as our approver reports. The permission has been checked."""
    parcel = replace(transfer.parcel or Parcel(), received=by)
    transfer = replace(transfer, state=TransferState.CREDITING, parcel=parcel, decision=None)
    if came is not None:
        transfer = _with_less(transfer, came)
    turn.save(transfer)
    turn.note_by(transfer.id, audit.ParcelHere(tuple(f"{line.quantity:f}" for line in transfer.lines_missing)), by)
    receive.go_on(turn, transfer)


def sent_lines(transfer: Transfer) -> tuple[Line, ...]:
    """Return the lines that the parcel should hold: those that left the sender."""
    return tuple(line for line in transfer.terms.lines if transfer.at(line.number).failed != FAILED_AT_SENDER)


def came_in_all(transfer: Transfer, quantity: Decimal | None) -> dict[int, Decimal] | None:
    """Return how much of each line came, if the parcel held this quantity of its one part; None if it held all.

    The rest is missing from its last lines.
    """
    less = less_of(sent_lines(transfer), quantity) if quantity is not None else None
    return {line.number: line.quantity for line in less} if less is not None else None


def _with_less(transfer: Transfer, came: Mapping[int, Decimal]) -> Transfer:
    """Note that the parcel held only this much of each line, and nothing of the others."""
    for line in sent_lines(transfer):
        here, progress = came.get(line.number, Decimal(0)), transfer.at(line.number)
        if not here:
            transfer = with_progress(transfer, replace(progress, failed=NOT_IN_PARCEL))
        elif here < line.quantity:
            transfer = with_progress(transfer, replace(progress, short=line.quantity - here))
    return transfer


def lines_of(transfer: Transfer, came: Mapping[int, Decimal]) -> tuple[Line, ...]:
    """Return the lines of the parcel with these quantities, without those of which nothing came."""
    lines = (replace(line, quantity=came.get(line.number, Decimal(0))) for line in sent_lines(transfer))
    return tuple(line for line in lines if line.quantity)


def not_there(transfer: Transfer, came: Mapping[int, Decimal]) -> tuple[Line, ...]:
    """Return the lines of the parcel with what is missing of each, if only this much of them came."""
    sent = sent_lines(transfer)
    return lines_of(transfer, {line.number: line.quantity - came.get(line.number, Decimal(0)) for line in sent})


def never_arrived(turn: Turn, transfer: Transfer, by: Signature) -> None:
    """Dispute the transfer, because an approver of either side reports the parcel as lost or returned."""
    parcel = replace(transfer.parcel or Parcel(), missing=by)
    turn.note_by(transfer.id, audit.Fact.PARCEL_MISSING, by)
    both_sides.dispute(turn, replace(transfer, parcel=parcel, decision=None), 0, Plain(Fault.PARCEL_MISSING))
