"""Disputes: nobody can tell what became of stock, so nothing goes on by itself until people settle it.

Here is how a transfer gets there, by us or by the peer's word, and how the peer's word ends it. What a person here
can say is in `resolve`. A side that is disputed only because the peer says so goes back to its former state
when the peer tells its truth, and follows the messages as ever.
"""

from __future__ import annotations

from dataclasses import replace

from fedbot import messages
from fedbot.rules.model import audit
from fedbot.rules.model.diagnosis import Diagnosis, Fault, Plain
from fedbot.rules.model.effects import Edit, Post, say
from fedbot.rules.model.events import EnvelopeSeen
from fedbot.rules.model.transfer import Dispute, Transfer
from fedbot.rules.model.transfer_lifecycle import FINAL, PEER_DISPUTES, TransferState
from fedbot.rules.protocol import bodies, sequencing
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.state import Turn
from fedbot.rules.transfer import both_sides as transfers

TRUTHS = {
    "sender": frozenset({"received", "refused"}),
    "receiver": frozenset({"sent", "declined", "cancelled", "expired", "aborted", "done", "reverted"}),
}
"""The messages by which the other side tells what is true, by our role."""


def dispute(turn: Turn, transfer: Transfer, line: int, problem: Diagnosis, said: str = "") -> None:
    """Nobody can tell what happened to the stock: stop, tell people; a superuser settles it.

    `said` is the kind of the peer's message that contradicts us, if one does.
    """
    known = transfer.dispute or Dispute(transfer.state, ())
    told = turn.us.party in known.by
    by = tuple(dict.fromkeys((*known.by, turn.us.party)))
    transfer = replace(_stopped(transfer, problem), dispute=replace(known, by=by, line=line, said=said or known.said))
    turn.note(transfer.id, audit.Disputed(line, problem))
    if told:
        turn.save(transfer)
        tell_anew(turn, transfer)
        return
    transfer = replace(transfer, told=tuple(dict.fromkeys((*transfer.told, "disputed"))))
    transfer, draft = sequencing.write(turn, transfer, _told(turn, transfer), awaits=True)
    turn.save(transfer)
    phrase = say(
        messages.resolve.transfer_disputed, transfer=transfer, us=turn.us, peer_name=turn.party_name(transfer.peer)
    )
    turn.do(Post(f"disputed:{transfer.id}", transfer.room, phrase, thread=transfers.thread_of(transfer), draft=draft))
    _stop_saying_otherwise(turn, transfer)
    turn.tell_admins(phrase, f"disputed:{transfer.id}")


def _told(turn: Turn, transfer: Transfer) -> bodies.Disputed:
    """Why; of a parcel that never arrived, who of us says so."""
    missing = transfer.parcel.missing if transfer.parcel else None
    if missing is None or missing.party != turn.us.party:
        return bodies.Disputed(reason="unknown outcome")
    return bodies.Disputed(reason="missing", missing=bodies.Said(**transfers.said_by(missing)))


def _stopped(transfer: Transfer, problem: Diagnosis) -> Transfer:
    return replace(
        transfer,
        state=TransferState.DISPUTED,
        problem="",
        obstacle=problem,
        decision=None,
        waiting_since=None,
        ended=None,
    )


def on_disputed(turn: Turn, transfer: Transfer, envelope: Message[bodies.Disputed], _: EnvelopeSeen) -> None:
    """The peer can't tell what happened, or contradicts us: it is disputed here too until people settle it.

    Not while we are the ones who move the stock; and what is final stays so, unless our people alone said so.
    """
    if not _is_heard(transfer):
        turn.save(transfer)
        turn.note(transfer.id, audit.Fact.PEER_DISPUTES_TOO_LATE, transfer.peer)
        return
    missing = transfers.person_in(turn, envelope.body.missing, transfer.peer, envelope.sent_at)
    if transfer.parcel is not None and missing is not None:
        transfer = replace(transfer, parcel=replace(transfer.parcel, missing=transfer.parcel.missing or missing))
    known = transfer.dispute or Dispute(transfer.state, ())
    by = tuple(dict.fromkeys((*known.by, transfer.peer)))
    if transfer.dispute is not None:
        turn.save(replace(transfer, dispute=replace(known, by=by)))
        return
    transfer = replace(_stopped(transfer, Plain(Fault.PEER_CAN_NOT_TELL)), dispute=replace(known, by=by))
    turn.save(transfer)
    turn.note(transfer.id, audit.Fact.PEER_DISPUTES)
    phrase = say(
        messages.resolve.transfer_disputed, transfer=transfer, us=turn.us, peer_name=turn.party_name(transfer.peer)
    )
    _stop_saying_otherwise(turn, transfer)
    turn.tell_admins(phrase, f"disputed:{transfer.id}")


def _is_heard(transfer: Transfer) -> bool:
    """Whether the peer may stop it: it has, or may have, the stock; or our people alone have said what became of it."""
    alone = transfer.settled is not None and transfer.settled.alone and transfer.role == "sender"
    if transfer.state in FINAL:
        return alone and transfer.state in {TransferState.DONE, TransferState.REVERTED}
    return transfer.dispute is not None or transfer.state in PEER_DISPUTES[transfer.role]


def _stop_saying_otherwise(turn: Turn, transfer: Transfer) -> None:
    """Card and message about a wait say now that it is disputed."""
    if "card" in transfer.told:
        transfers.edit_card(turn, transfer)
    if "wait" in transfer.told:
        phrase = say(
            messages.resolve.transfer_disputed,
            transfer=transfer,
            us=turn.us,
            peer_name=turn.party_name(transfer.peer),
        )
        turn.do(Edit(f"wait:{transfer.id}", transfer.room, phrase))


def tell_anew(turn: Turn, transfer: Transfer) -> None:
    """The messages that told of the dispute say how it stands now: more is known of it, or it is settled."""
    peer_name = turn.party_name(transfer.peer)
    if transfer.state is TransferState.DISPUTED:
        phrase = say(messages.resolve.transfer_disputed, transfer=transfer, us=turn.us, peer_name=peer_name)
    else:
        phrase = say(messages.resolve.dispute_settled, transfer=transfer, us=turn.us, peer_name=peer_name)
    key = f"disputed:{transfer.id}"
    if "disputed" in transfer.told:
        turn.do(Edit(key, transfer.room, phrase))
    if turn.us.admin_room:
        turn.do(Edit(f"admin:{key}", turn.us.admin_room, phrase))


# --- the peer tells its truth ---


def listen(turn: Turn, transfer: Transfer, envelope: Message[bodies.Body]) -> Transfer:
    """The transfer as the peer's message finds it: no longer disputed, if only the peer couldn't tell.

    Where we can't tell either, what the peer says is kept for our people to see.
    """
    if envelope.kind not in TRUTHS[transfer.role] or not bodies.says(envelope, bodies.Truth):
        return transfer
    settled = transfers.settlement_in(turn, envelope, transfer.peer)
    dispute = transfer.dispute
    counts = transfer.settled if _is_contradicted(transfer, envelope.kind) else settled or transfer.settled
    if dispute is None:
        return replace(transfer, settled=counts)
    ours = tuple(party for party in dispute.by if party != transfer.peer)
    if envelope.kind == "reverted" and transfer.role == "receiver" and dispute.was is TransferState.SENT:
        ours = ()  # a parcel that has not come: that the sender has it again contradicts nothing here
    turn.note_by(transfer.id, audit.Settled(envelope.kind, by_peer=True), settled.by if settled else None)
    if ours:
        transfer = replace(transfer, dispute=replace(dispute, by=ours, said=envelope.kind))
        turn.save(transfer)
        tell_anew(turn, transfer)
        return transfer
    transfer = replace(transfer, state=dispute.was, dispute=None, problem="", obstacle=None, settled=counts)
    turn.save(transfer)
    return transfer


def _is_contradicted(transfer: Transfer, kind: str) -> bool:
    """Whether our people have said alone what became of it, and the receiver says otherwise: theirs stays."""
    if transfer.settled is None or not transfer.settled.alone or transfer.role != "sender":
        return False
    state = transfer.dispute.was if transfer.dispute else transfer.state
    is_back = state in {TransferState.REVERTING, TransferState.REVERTED}
    return kind != ("refused" if is_back else "received")
