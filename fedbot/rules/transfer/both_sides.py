"""Rules that both roles share, and disputes, which wait until people settle them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from fedbot import messages
from fedbot.rules.card_content import Change
from fedbot.rules.connection import provision
from fedbot.rules.loan import balance, overdue
from fedbot.rules.loan.bookings import show_bookings
from fedbot.rules.model import audit, diagnosis
from fedbot.rules.model.decision import Parcel, Settlement, Signature
from fedbot.rules.model.diagnosis import AnsweredOnly, Diagnosis, Fault, Plain, Verbatim
from fedbot.rules.model.effects import Do, Edit, Phrase, Post, say
from fedbot.rules.model.events import EnvelopeSeen, StepRefused, Waiting
from fedbot.rules.model.lending import TO_BE_AGREED
from fedbot.rules.model.lifecycles import BEFORE_DEBIT, FINAL, PEER_DISPUTES, ConnectionState, TransferState
from fedbot.rules.model.party_config import SILENT_AFTER_RESENDS
from fedbot.rules.model.queries import OfTransfer, WhenStepEnds
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.steps import Step, StepKind, kind_of_step
from fedbot.rules.model.transfer import Dispute, Terms, Told, Transfer, with_progress
from fedbot.rules.protocol import bodies, sequencing
from fedbot.rules.protocol.bodies import LONGEST_REASON, ByParcel, Decided, FailedLine, Message, Statement, Truth
from fedbot.rules.protocol.terms import hash_of, presentable
from fedbot.rules.state import Turn
from fedbot.rules.wire import Draft

EDIT_PAUSE = timedelta(minutes=10)
NO_PART, OTHER_THING, OTHER_UNIT, NOT_IN_ORDER = "no-part", "other-thing", "other-unit", "not-in-order"
CANCELLED_BY_BOT = frozenset({NO_PART, OTHER_THING, OTHER_UNIT, NOT_IN_ORDER, TO_BE_AGREED})
"""Reasons for which the asker's bot withdraws a request by itself and tells its person."""


def card(turn: Turn, transfer: Transfer, people: list[str] | None = None, changes: tuple[Change, ...] = ()) -> Phrase:
    """Return the card in the transfer's present state. `people` are the names of those who may decide.

    `changes`: the differences from the card before this one.
    """
    return say(
        messages.transfer_card.transfer_card,
        transfer=transfer,
        us=turn.us,
        peer_name=turn.party_name(transfer.peer),
        people=people or [],
        changes=changes,
        left=balance.lines_not_back(turn, transfer) if transfer.is_loan else None,
        overdue=overdue_there(turn, transfer) if transfer.state is TransferState.OPEN else (),
        due=_due_now(turn, transfer),
    )


def _due_now(turn: Turn, transfer: Transfer) -> date | None:
    """The present due date of the loan that an extension is about; None for everything else."""
    loan = turn.transfer(transfer.terms.parent) if transfer.terms.kind == balance.EXTENSION else None
    return loan.due_day if loan is not None else None


def overdue_there(turn: Turn, transfer: Transfer) -> tuple[Transfer, ...]:
    """The overdue loans of our items to the other space, shown where we decide to give it something."""
    gives = transfer.role == "sender" and not transfer.is_return
    return tuple(overdue.overdue(turn, transfer.peer)) if gives and turn.loans() else ()


def edit_card(turn: Turn, transfer: Transfer, draft: Draft | None = None, people: list[str] | None = None) -> None:
    """Bring our card up to date. The caller knows that there is one."""
    phrase, version = card(turn, transfer, people), transfer.in_room.version
    turn.do(Edit(MessageKind.CARD.of(transfer.id), transfer.room, phrase, draft=draft, version=version))


def update_card(turn: Turn, transfer: Transfer) -> None:
    """Bring our card up to date, if there is one."""
    if transfer.has_card:
        edit_card(turn, transfer)


def send_by_card(turn: Turn, transfer: Transfer, draft: Draft) -> Draft | None:
    """Send the message with our updated card. Return the message if there is no card, so it still has to be sent."""
    if not transfer.has_card:
        return draft
    edit_card(turn, transfer, draft)
    return None


def send(turn: Turn, transfer: Transfer, draft: Draft) -> None:
    """Send the message with our updated card if there is one, else alone."""
    unsent = send_by_card(turn, transfer, draft)
    if unsent is not None:
        sequencing.post(turn, transfer, unsent)


def is_ours(turn: Turn, transfer: Transfer) -> bool:
    """Whether our people decide on it."""
    return transfer.terms.decider == turn.us.party


def note_option(note: str) -> str:
    """Return the option that repeats a note in a typed line, after a space; '' without a note."""
    said = " ".join(note.replace('"', "'").split())
    return f' --note "{said}"' if said else ""


def signature_in(turn: Turn, envelope: Message[Decided], party: str, event_id: str) -> Signature:
    """Return the peer's person who decided, as its bot reports. A peer vouches for its own people."""
    person, name = _named(turn, envelope.body, party)
    note = presentable(envelope.body.note)
    return Signature(person, name, party, envelope.sent_at, event_id, note=note)


def _named(turn: Turn, statement: Statement, party: str) -> tuple[str, str]:
    """Return the Matrix id and label of a peer's person; the label is '' if nobody is named."""
    return statement.by, turn.called(statement.by_name, statement.by, party) if statement.by else ""


def by_parcel(transfer: Transfer) -> Transfer:
    """Return the transfer as one that is sent by parcel."""
    return replace(transfer, parcel=transfer.parcel or Parcel())


def with_delivery(transfer: Transfer, body: ByParcel) -> Transfer:
    """Return the transfer, by parcel or damaged if the peer's message says so."""
    if body.damaged:
        transfer = replace(transfer, damaged=True)
    return by_parcel(transfer) if body.parcel else transfer


def on_these_terms(transfer: Transfer, terms: Terms) -> Transfer:
    """Return the transfer on these terms, without the progress of lines that they don't have."""
    numbers = {line.number for line in terms.lines}
    progress = tuple(p for p in transfer.progress if p.number in numbers)
    return replace(transfer, terms=terms, terms_hash=hash_of(terms), progress=progress)


def is_agreed(transfer: Transfer) -> bool:
    """Whether the receiver's side has agreed to exactly these terms: its approver did, or its person requested them.

    Withdrawing it later doesn't undo that: the sender may not have read it before the stock left.
    """
    asked_for = transfer.terms.kind == "request" and transfer.granted is None
    return asked_for or transfer.approved_hash == transfer.terms_hash


def numbers_in(lines: Iterable[FailedLine]) -> set[int]:
    """Return the numbers of the lines that a peer's message names."""
    return {line.number for line in lines}


def said_by(signature: Signature | None) -> bodies.OwnStatement:
    """Return the fields of a message that name our person and the reason."""
    if signature is None:
        return bodies.NOBODY
    return {
        "by": signature.person,
        "by_name": signature.name,
        "event": signature.event_id,
        "note": signature.note,
    }


def settled_by_us(turn: Turn, transfer: Transfer) -> bodies.Settled | None:
    """Return our people's settlement for a message; None if there is none."""
    settled = transfer.settled
    if settled is None or settled.by.party != turn.us.party:
        return None
    return bodies.Settled(truth=settled.truth, alone=settled.alone, **said_by(settled.by))


def settlement_in(turn: Turn, envelope: Message[Truth], party: str) -> Settlement | None:
    """Return the settlement by the peer's people in a message; None if there is none."""
    told = envelope.body.settled
    by = person_in(turn, told, party, envelope.sent_at)
    return Settlement(by, told.truth, told.alone) if by is not None and told is not None else None


def person_in(turn: Turn, statement: Statement | None, party: str, at: datetime) -> Signature | None:
    """Return the peer's person named in that part of its message; None if the part is missing."""
    if statement is None:
        return None
    return Signature(*_named(turn, statement, party), party, at, note=presentable(statement.note))


def end(
    turn: Turn, transfer: Transfer, state: TransferState, by: Signature | None, problem: str = "", line: int = 0
) -> Transfer:
    """End a transfer before any stock moved. Only the sender may. Tells the peer, the asker and the card.

    `line`: the number of the line for which it is declined.
    """
    was_booked = transfer.state is TransferState.BOOKED and transfer.role == "sender"
    transfer = replace(
        transfer,
        state=state,
        decided=by or transfer.decided,
        decision=None,
        problem=problem,
        ended=turn.now,
        wanted="",
        because_of=line,
    )
    body = bodies.ENDS[state.value](reason=problem, settled=settled_by_us(turn, transfer), **said_by(by))
    if isinstance(body, bodies.Declined) and line:
        body = body.model_copy(update={"line": line})
    transfer, draft = sequencing.write(turn, transfer, body, awaits=True)
    turn.save(transfer)
    turn.note_by(transfer.id, audit.TransferIs(state, problem), by)
    unsent = send_by_card(turn, transfer, draft)
    if not (transfer.terms.confirm or _asker_was_told(transfer)):  # the asker's own bot tells its asker
        post_end(turn, transfer, unsent)
    elif unsent is not None:
        sequencing.post(turn, transfer, unsent)
    if was_booked:
        show_bookings(turn, transfer)
    connection = turn.connection(transfer.connection)
    if connection:
        provision.mirror(turn, connection)
    return transfer


def _asker_was_told(transfer: Transfer) -> bool:
    """Whether the asker's bot has withdrawn a request, by itself or for its asker, and told that person.

    For the asker it has said that the card will show the end.
    """
    is_asked = transfer.role == "sender" and transfer.terms.kind == "request"
    if not is_asked or transfer.state is not TransferState.CANCELLED:
        return False
    by = transfer.decided
    is_theirs = by is not None and (by.party, by.person) == (transfer.peer, transfer.terms.asker)
    return transfer.problem in CANCELLED_BY_BOT or (is_theirs and transfer.has_card and not transfer.problem)


def post_end(turn: Turn, transfer: Transfer, draft: Draft | None = None) -> None:
    """Post the end as a message too, for the people who asked and decided: some clients don't show edits."""
    people = [transfer.terms.asker]
    if transfer.decided and transfer.decided.person and transfer.state is not TransferState.CANCELLED:
        people.append(transfer.decided.person)
    phrase = say(
        messages.transfer_card.transfer_end, transfer=transfer, us=turn.us, peer_name=turn.party_name(transfer.peer)
    )
    key, mentions = MessageKind.END.of(transfer.id), tuple(dict.fromkeys(people))
    turn.do(Post(key, transfer.room, phrase, mentions=mentions, draft=draft))


def tell_sent(turn: Turn, transfer: Transfer, draft: Draft) -> None:
    """Send the message with the card. For a parcel, tell the asker, who has to post it or wait for it."""
    suspended = sequencing.connection_of(turn, transfer).state is ConnectionState.SUSPENDED
    if transfer.parcel is None and not draft.sealed and not suspended:
        send(turn, transfer, draft)
        return
    update_card(turn, transfer)
    if transfer.parcel is None or suspended:
        sequencing.post(turn, transfer, draft)
        return
    phrase = say(messages.parcel.parcel_left, transfer=transfer, us=turn.us, peer_name=turn.party_name(transfer.peer))
    key, mentions = MessageKind.PARCEL.of(transfer.id), (transfer.terms.asker,)
    turn.do(Post(key, transfer.room, phrase, thread=thread_of(transfer), mentions=mentions, draft=draft))


def note_in_transit(turn: Turn, transfer: Transfer, left: datetime) -> None:
    """Note that a parcel is in transit to us. Nothing is booked in before our people report its arrival.

    Our message only acknowledges the sender's, so that the sender can wait for weeks without repeating it.
    """
    in_room = transfer.in_room.read_differently()
    transfer = replace(transfer, state=TransferState.SENT, parcel=Parcel(left=left), in_room=in_room)
    transfer, draft = sequencing.write(turn, transfer, bodies.Noted())
    turn.save(transfer)
    turn.note(transfer.id, audit.Fact.PARCEL_LEFT)
    send(turn, transfer, draft)


def cancel(turn: Turn, transfer: Transfer, by: Signature) -> str:
    """Cancel for a person. Return '' if done, `asked` if the sender was asked to, else the reason code why not."""
    if transfer.state in FINAL:
        return "over"
    if transfer.role == "sender":
        if transfer.state not in BEFORE_DEBIT:
            return "moving"
        asked_of_us = transfer.terms.kind in {"request", "extension"} and transfer.granted is None
        if asked_of_us and transfer.state is TransferState.OPEN:
            return "decline"
        end(turn, transfer, TransferState.CANCELLED, by)
        return ""
    if transfer.decision is not None:
        turn.save(replace(transfer, decision=None))
        turn.note(transfer.id, audit.Fact.DECISION_STOPPED, by.person, by.event_id)
        return "stopped"
    if transfer.state not in {TransferState.OPEN, TransferState.BOOKED}:
        return "moving"
    is_undecided = transfer.state is TransferState.OPEN and not transfer.wanted
    if is_undecided and transfer.terms.decider == turn.us.party:
        return "decline"
    transfer = replace(transfer, wanted="cancel", cancelled_by=by)
    transfer = sequencing.send(turn, transfer, bodies.Cancel(**said_by(by)), awaits=True)
    turn.save(transfer)
    turn.note(transfer.id, audit.Fact.CANCEL_ASKED, by.person, by.event_id)
    return "asked"


def take_back_first_yes(turn: Turn, transfer: Transfer, by: str, event_id: str) -> None:
    """Withdraw the first of two approvals, and say so on the card."""
    transfer = replace(transfer, first_yes=None)
    turn.save(transfer)
    turn.note(transfer.id, audit.Fact.DECISION_STOPPED, by, event_id)
    edit_card(turn, transfer)


@dataclass(frozen=True)
class TellsThatItWaits(OfTransfer):
    """Base of continuations for which people wait in the room. A delay is posted there with its reason."""

    def waiting(self, turn: Turn, event: Waiting) -> None:
        """Post in the card's thread that our InvenTree can't do it now."""
        transfer = turn.transfer(self.transfer)
        if transfer is not None:
            _tell_wait(turn, transfer, event)


def refusal_reason(event: StepRefused) -> str:
    """Return the reason of a refused step for the line's record: our short code, else InvenTree's own words."""
    match event.problem:
        case Verbatim(text=text, reason=diagnosis.NO_CODE):
            return text[:LONGEST_REASON]
        case AnsweredOnly(status=status, phrase=phrase, reason=diagnosis.NO_CODE):
            return f"{status} {phrase}"[:LONGEST_REASON]
    return event.reason


def _tell_wait(turn: Turn, transfer: Transfer, event: Waiting) -> None:
    """Post a delay in the card's thread. The message is edited as time passes."""
    if transfer.state is TransferState.DISPUTED:
        return
    first = transfer.waiting_since is None
    if first:
        transfer = replace(transfer, waiting_since=turn.now, obstacle=event.problem)
        turn.note(transfer.id, audit.Waits(event.problem))
        turn.save(transfer)
        if transfer.state is not TransferState.OPEN:
            update_card(turn, transfer)
    elif not turn.tell_once(f"wait:{transfer.id}", EDIT_PAUSE):
        return
    phrase = say(
        messages.transfer_card.transfer_waits,
        transfer=transfer,
        us=turn.us,
        problem=event.problem,
        next_try=event.next_try,
        silent=event.silent,
        peer_name=turn.party_name(transfer.peer),
    )
    key = MessageKind.WAIT.of(transfer.id)
    if first and Told.WAIT not in transfer.told:
        turn.save(transfer.after_telling(Told.WAIT))
        turn.tell_once(key, EDIT_PAUSE)
        turn.do(Post(key, transfer.room, phrase, thread=thread_of(transfer)))
    else:
        turn.do(Edit(key, transfer.room, phrase))


def clear_wait(turn: Turn, transfer: Transfer) -> Transfer:
    """Update the message about the delay, because the transfer continues. Return the transfer."""
    if transfer.waiting_since is None:
        return transfer
    transfer = replace(transfer, waiting_since=None, obstacle=None)
    turn.save(transfer)
    if Told.WAIT in transfer.told:
        phrase = say(messages.transfer_card.transfer_goes_on, transfer=transfer)
        turn.do(Edit(MessageKind.WAIT.of(transfer.id), transfer.room, phrase))
    return transfer


def thread_of(transfer: Transfer) -> str:
    """The thread of this transfer: the card's, else that of the message that opened it."""
    if transfer.card_event:
        return transfer.card_event
    if transfer.has_card:
        return MessageKind.CARD.of(transfer.id)
    if Told.MOVED in transfer.told:
        return ""
    ours = transfer.terms.sender if transfer.role == "sender" else transfer.terms.receiver
    opened_here = transfer.asked.party == ours
    if opened_here and transfer.terms.confirm and transfer.opening is not None:
        return transfer.opening.cause.word  # the line itself, because the rota's message answers all its requests
    return MessageKind.OFFER.of(transfer.id) if opened_here else transfer.asked.event_id


def not_put_away(turn: Turn, transfer: Transfer, problem: Diagnosis) -> Phrase:
    """Return the admins' message about an item that was booked in, but is still in *Incoming*."""
    return say(
        messages.transfer_card.not_put_away,
        transfer=transfer,
        peer_name=turn.party_name(transfer.peer),
        problem=problem,
    )


def with_card(transfer: Transfer, event_id: str) -> Transfer:
    """Return the transfer with the peer's card, if it has none yet. Threads and links point to it."""
    return replace(transfer, card_event=transfer.card_event or event_id)


def tell_silence(turn: Turn, transfer: Transfer) -> None:
    """Post once in the card's thread that the peer's bot has not answered for a while."""
    over = transfer.state in FINAL or transfer.state is TransferState.DISPUTED
    if transfer.exchange.resends != SILENT_AFTER_RESENDS or Told.SILENT in transfer.told or over:
        return
    turn.save(transfer.after_telling(Told.SILENT))
    peer_name = turn.party_name(transfer.peer)
    phrase = say(messages.transfer_card.peer_silent, transfer=transfer, us=turn.us, peer_name=peer_name)
    turn.do(Post(MessageKind.SILENT.of(transfer.id), transfer.room, phrase, thread=thread_of(transfer)))


# --- Disputes: no program can find out what became of stock, so nothing continues until people settle it.

TRUTHS = {
    "sender": frozenset({"received", "refused"}),
    "receiver": frozenset({"sent", "declined", "cancelled", "expired", "aborted", "done", "reverted"}),
}
"""The messages by which the other side reports the outcome, by our role."""


def dispute(turn: Turn, transfer: Transfer, line: int, problem: Diagnosis, said: str = "") -> None:
    """Stop the transfer and tell people, because its outcome is unknown. A superuser settles it.

    `said` is the kind of the peer's message that contradicts us, if one does.
    """
    known = transfer.dispute or Dispute(transfer.state, ())
    is_told = turn.us.party in known.by
    by = tuple(dict.fromkeys((*known.by, turn.us.party)))
    transfer = replace(_stopped(transfer, problem), dispute=replace(known, by=by, line=line, said=said or known.said))
    turn.note(transfer.id, audit.Disputed(line, problem))
    if is_told:
        turn.save(transfer)
        update_dispute_messages(turn, transfer)
        return
    transfer = transfer.after_telling(Told.DISPUTED)
    transfer, draft = sequencing.write(turn, transfer, _dispute_body(turn, transfer), awaits=True)
    turn.save(transfer)
    key, phrase = MessageKind.DISPUTED.of(transfer.id), _disputed_phrase(turn, transfer)
    turn.do(Post(key, transfer.room, phrase, thread=thread_of(transfer), draft=draft))
    _update_card_and_wait(turn, transfer)
    turn.tell_admins(phrase, f"disputed:{transfer.id}")


def _disputed_phrase(turn: Turn, transfer: Transfer) -> Phrase:
    peer_name = turn.party_name(transfer.peer)
    return say(messages.resolve.transfer_disputed, transfer=transfer, us=turn.us, peer_name=peer_name)


def _dispute_body(turn: Turn, transfer: Transfer) -> bodies.Disputed:
    """Return the message with the reason. For a parcel that never arrived it names our person who reported that."""
    missing = transfer.parcel.missing if transfer.parcel else None
    if missing is None or missing.party != turn.us.party:
        return bodies.Disputed(reason="unknown outcome")
    return bodies.Disputed(reason="missing", missing=bodies.Statement(**said_by(missing)))


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
    """Dispute the transfer here too, because the peer doesn't know the outcome or contradicts us.

    Ignored while we move the stock ourselves, and after a final state, unless only our people settled that.
    """
    if not _may_dispute(transfer):
        turn.save(transfer)
        turn.note(transfer.id, audit.Fact.PEER_DISPUTES_TOO_LATE, transfer.peer)
        return
    missing = person_in(turn, envelope.body.missing, transfer.peer, envelope.sent_at)
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
    _update_card_and_wait(turn, transfer)
    turn.tell_admins(_disputed_phrase(turn, transfer), f"disputed:{transfer.id}")


def _may_dispute(transfer: Transfer) -> bool:
    """Whether the peer may stop the transfer: it has, or may have, the stock; or our people alone have settled it.

    A dispute that our people knew when they settled it doesn't count, because a peer could keep it open forever.
    """
    if transfer.state in FINAL:
        is_contested = transfer.settled is not None and transfer.settled.contested
        is_news = transfer.is_settled_alone and not is_contested and transfer.role == "sender"
        return is_news and transfer.state in {TransferState.DONE, TransferState.REVERTED}
    return transfer.dispute is not None or transfer.state in PEER_DISPUTES[transfer.role]


def _update_card_and_wait(turn: Turn, transfer: Transfer) -> None:
    """Update the card and the message about a delay: the transfer is disputed."""
    update_card(turn, transfer)
    if Told.WAIT in transfer.told:
        turn.do(Edit(MessageKind.WAIT.of(transfer.id), transfer.room, _disputed_phrase(turn, transfer)))


def update_dispute_messages(turn: Turn, transfer: Transfer) -> None:
    """Update the messages about the dispute, because more is known, or it is settled."""
    if transfer.state is TransferState.DISPUTED:
        phrase = _disputed_phrase(turn, transfer)
    else:
        peer_name = turn.party_name(transfer.peer)
        phrase = say(messages.resolve.dispute_settled, transfer=transfer, us=turn.us, peer_name=peer_name)
    key = MessageKind.DISPUTED.of(transfer.id)
    if Told.DISPUTED in transfer.told:
        turn.do(Edit(key, transfer.room, phrase))
    if turn.us.admin_room:
        turn.do(Edit(MessageKind.ADMIN.of(rest=key), turn.us.admin_room, phrase))


# --- the peer reports the outcome ---


def take_report(turn: Turn, transfer: Transfer, envelope: Message[bodies.Body]) -> Transfer:
    """Return the transfer after the peer's report: no longer disputed, if only the peer didn't know the outcome.

    If we don't know it either, the peer's report is kept for our people.
    """
    if envelope.kind not in TRUTHS[transfer.role] or not bodies.says(envelope, bodies.Truth):
        return transfer
    settled = settlement_in(turn, envelope, transfer.peer)
    dispute = transfer.dispute
    settlement = transfer.settled if _is_contradicted(transfer, envelope.kind) else settled or transfer.settled
    if dispute is None:
        return replace(transfer, settled=settlement)
    ours = tuple(party for party in dispute.by if party != transfer.peer)
    if envelope.kind == "reverted" and transfer.role == "receiver" and dispute.was is TransferState.SENT:
        ours = ()  # a parcel that hasn't arrived: the sender's report that it has it again contradicts nothing here
    turn.note_by(transfer.id, audit.Settled(envelope.kind, by_peer=True), settled.by if settled else None)
    if ours:
        transfer = replace(transfer, dispute=replace(dispute, by=ours, said=envelope.kind))
        turn.save(transfer)
        update_dispute_messages(turn, transfer)
        return transfer
    transfer = replace(transfer, state=dispute.was, dispute=None, problem="", obstacle=None, settled=settlement)
    turn.save(transfer)
    return transfer


def _is_contradicted(transfer: Transfer, kind: str) -> bool:
    """Whether the receiver's message contradicts a settlement that our people made alone, as the sender."""
    if not transfer.is_settled_alone or transfer.role != "sender":
        return False
    state = transfer.dispute.was if transfer.dispute else transfer.state
    is_back = state in {TransferState.REVERTING, TransferState.REVERTED}
    return kind != ("refused" if is_back else "received")


def begin_step(turn: Turn, transfer: Transfer, line: int, step: Step, then: WhenStepEnds) -> None:
    """Request this step of a line, and note at the line that it is under way."""
    current = turn.transfer(transfer.id) or transfer
    turn.save(with_progress(current, replace(current.at(line), acting=kind_of_step(step), unknown=StepKind.NONE)))
    turn.do(Do(then, step))
