"""What is offered to us: where it would land, and the card that our people decide on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fedbot.rules.approval import consent
from fedbot.rules.catalogue import match_parts
from fedbot.rules.catalogue.provenance import forbidden_origin
from fedbot.rules.connection import provision
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Ask
from fedbot.rules.model.events import Answered, Context
from fedbot.rules.model.queries import Able, PartMatch, Query, WhoMay
from fedbot.rules.model.shown import Landing
from fedbot.rules.model.stock import Right
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState
from fedbot.rules.protocol import bodies, sequencing
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.protocol.terms import metadata_in
from fedbot.rules.state import Turn
from fedbot.rules.transfer import both_sides as transfers
from fedbot.rules.transfer import opening, receive
from fedbot.rules.transfer.send import with_progress

MATCHED_WHILE = frozenset({TransferState.OPEN, TransferState.SENT, TransferState.CREDITING})


def on_offer(
    turn: Turn, connection: Connection, envelope: Message[bodies.Offer], sealed: dict[str, Any], event_id: str = ""
) -> None:
    """A peer offers something. BadTerms if it can't be taken as it is; else our InvenTree is asked about it."""
    transfer = opening.begun_by_peer(turn, connection, envelope, event_id)
    terms = transfer.terms
    texts = metadata_in(sealed)
    progress = (replace(p, metadata=texts.get(str(p.number), "")) for p in transfer.progress)
    transfer = replace(transfer, progress=tuple(progress))
    turn.note_by(transfer.id, f"offered by {connection.peer}", transfer.asked)
    if any(forbidden_origin(line.origin, turn.home.party) for line in terms.lines):
        receive.ask_sender(turn, transfer, "decline", None, "chain")
        return
    turn.save(transfer)
    provision.mirror(turn, connection)
    look_for_parts(turn, transfer)


def look_for_parts(turn: Turn, transfer: Transfer) -> None:
    """Which of our parts is each line, and who may decide? The card waits for the answer."""
    questions: list[Query] = [match_parts.question_for(turn, transfer, line) for line in transfer.terms.lines]
    questions.append(WhoMay(Right.APPROVER, tuple(turn.home.people.values())))
    turn.do(Ask(Context("offer-card", transfer.id), tuple(questions), patient=True))


def on_matched(turn: Turn, event: Answered) -> None:
    """We know where each line would land: post the card, or let it say so if it is there already.

    If it has left the sender meanwhile (we had to ask anew after a loss), it is booked in now.
    """
    transfer = turn.transfer(event.context.subject)
    if transfer is None or transfer.state not in MATCHED_WHILE:
        return
    transfer = transfers.goes_on(turn, transfer)
    *matches, able = event.answers
    if not isinstance(able, Able):
        raise TypeError(f"the card asks who may decide, not {able!r}")
    for line, match in zip(transfer.terms.lines, matches, strict=True):
        if not isinstance(match, PartMatch):
            raise TypeError(f"the card asks for parts, not {match!r}")
        transfer = with_progress(transfer, match_parts.matched(transfer, line.number, match))
    if transfer.state is TransferState.CREDITING:
        turn.save(transfer)
        if not any(progress.acting for progress in transfer.progress):
            receive.go_on(turn, transfer)
        return
    if transfer.state is TransferState.SENT and "card" not in transfer.told:
        turn.save(transfer)
        return
    people = opening.addressees(turn, able)
    if transfer.card_event or "card" in transfer.told:
        _show_anew(turn, transfer, people)
        return
    transfer = replace(transfer, told=(*transfer.told, "card"))
    transfer, draft = sequencing.write(turn, transfer, "noted")
    turn.save(transfer)
    opening.post_card(turn, transfer, people, draft)


def _show_anew(turn: Turn, transfer: Transfer, people: list[str]) -> None:
    """The card shows where it would land by now: edited in place if it couldn't be decided on before, else anew."""
    before = transfer.card
    decidable = before is not None and all(line.landing and _is_place(line.landing) for line in before.lines)
    asks = transfer.awaits_parcel or (transfer.state is TransferState.OPEN and not transfer.wanted)
    if decidable and asks and consent.changes(turn.home, transfer):
        turn.save(transfer)
        opening.post_card(turn, transfer, people)
        return
    if before != consent.of_transfer(transfer):
        transfer = replace(transfer, card=consent.of_transfer(transfer), redrawn=turn.now)
    turn.save(transfer)
    transfers.edit_card(turn, transfer, people=opening.names(turn, people, transfer.room))


def _is_place(place: Landing) -> bool:
    return place.part is not None or place.creates_part
