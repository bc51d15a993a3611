"""What is offered to us. Its card, and where it would be booked in: `receive`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fedbot.rules.catalogue.provenance import forbidden_origin
from fedbot.rules.connection import provision
from fedbot.rules.model import audit
from fedbot.rules.model.connection import Connection
from fedbot.rules.protocol import bodies
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.protocol.terms import metadata_in
from fedbot.rules.state import Turn
from fedbot.rules.transfer import opening, receive


def on_offer(
    turn: Turn, connection: Connection, envelope: Message[bodies.Offer], sealed: dict[str, Any], event_id: str = ""
) -> None:
    """A peer offers something. BadTerms if it can't be taken as it is; else our InvenTree is asked about it."""
    transfer = opening.begun_by_peer(turn, connection, envelope, event_id)
    terms = transfer.terms
    texts = metadata_in(sealed)
    progress = (replace(p, metadata=texts.get(str(p.number), "")) for p in transfer.progress)
    transfer = replace(transfer, progress=tuple(progress))
    turn.note_by(transfer.id, audit.Asked(audit.Asking.OFFER, connection.peer, by_peer=True), transfer.asked)
    if any(forbidden_origin(line.origin, turn.us.party) for line in terms.lines):
        receive.ask_sender(turn, transfer, "decline", None, "chain")
        return
    turn.save(transfer)
    provision.mirror(turn, connection)
    receive.look_for_parts(turn, transfer)
