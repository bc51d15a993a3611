"""Recovery after a loss: a journal that knows less than the room, or less than InvenTree's metadata."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from fedbot import messages
from fedbot.rules.catalogue import share, want
from fedbot.rules.catalogue.provenance import mirror_received
from fedbot.rules.connection import connect as connections
from fedbot.rules.connection import provision, rotate_tokens
from fedbot.rules.loan import balance, end, extend, hand_back, outside, waiting_list
from fedbot.rules.model import audit
from fedbot.rules.model.catalogue import Want
from fedbot.rules.model.connection import Connection, Exchange
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.effects import Ask, Edit, Post, say
from fedbot.rules.model.events import Answered, EnvelopeSeen
from fedbot.rules.model.from_anyone import rota_id
from fedbot.rules.model.lending import PlaceInLine, QueueEntry
from fedbot.rules.model.lifecycles import (
    FINAL,
    NOTHING_MOVED,
    UNFINISHED_CONNECTION,
    ConnectionState,
    PlaceState,
    TransferState,
)
from fedbot.rules.model.queries import CompanyMirror, MirrorsFound, WhenAnswered
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.steps import StepKind
from fedbot.rules.model.stock import Permission
from fedbot.rules.model.transfer import Dispute, Progress, Terms, Told, Transfer, WaitingLine, with_progress
from fedbot.rules.protocol import bodies, sequencing
from fedbot.rules.protocol.bodies import Body, Decided, Ended, Message, Truth
from fedbot.rules.protocol.terms import hash_of
from fedbot.rules.state import Turn
from fedbot.rules.transfer import booking, both_sides, opening, receive, request, send
from fedbot.rules.transfer.opening import read_who_confirms
from fedbot.rules.wire import Draft, SubjectKind, connection_id, kind_of, opened_id

PUT_AWAY_WITHIN = timedelta(days=14)
"""After that long, people have put a received item away, so the bot doesn't do it any more."""
NOT_YET_ACTIVE = UNFINISHED_CONNECTION | {ConnectionState.READY}


# --- our own messages ---------------------------------------------------------------------------------------


def on_own_message(turn: Turn, event: EnvelopeSeen, envelope: Message[Body]) -> None:
    """Take over our own message from the room. It changes nothing if the journal has it already."""
    if (envelope.sender, envelope.key) != (turn.us.party, turn.us.key) or envelope.room != event.room:
        return
    if envelope.seq == 0 or not envelope.subject:
        return
    if envelope.subject_kind == "connection":
        _about_connection(turn, event, envelope)
    else:
        _about_transfer(turn, event, envelope)


def _about_transfer(turn: Turn, event: EnvelopeSeen, envelope: Message[Body]) -> None:
    transfer = turn.transfer(envelope.subject)
    if transfer is None:
        transfer = _opened_by_us(turn, envelope)
    if transfer is None:
        return
    _find_post(turn, event, envelope, MessageKind.CARD if envelope.kind == "noted" else MessageKind.OFFER)
    if _was_ended_differently(transfer, envelope):
        transfer = _undecided(transfer, envelope.seq)
    elif envelope.seq <= transfer.exchange.sent:
        connection = sequencing.connection_of(turn, transfer)
        turn.save(replace(transfer, exchange=_as_sent(transfer.exchange, envelope, connection)))
        return
    has_ended = transfer.state in FINAL
    transfer = _as_read(turn, transfer.after_telling(Told.RECALLED), envelope)
    transfer = _of_loan(turn, transfer, envelope) if has_ended else _take_over(turn, transfer, envelope, event)
    turn.void(transfer.id)
    turn.save(transfer)
    turn.note(transfer.id, audit.KnownFromOwnMessage(envelope.kind), event_id=event.event_id)


def _was_ended_differently(transfer: Transfer, envelope: Message[Body]) -> bool:
    """Whether we have just ended it by today's rules, while the room shows that we had sent something else.

    For example, a request of a month ago is declined today because its day has passed, although it was granted and is
    on loan.
    """
    written = (draft.kind for draft in transfer.exchange.unread if draft.number == envelope.seq)
    return transfer.state in NOTHING_MOVED and any(kind != envelope.kind for kind in written)


def _undecided(transfer: Transfer, number: int) -> Transfer:
    """Return the transfer as before our message of that number, which the room has in another form."""
    exchange = transfer.exchange
    before = tuple(draft for draft in exchange.unread if draft.number < number)
    exchange = replace(exchange, sent=number - 1, unread=before)
    return replace(transfer, state=TransferState.OPEN, decided=None, problem="", ended=None, exchange=exchange)


def _opened_by_us(turn: Turn, envelope: Message[Body]) -> Transfer | None:
    """Return a transfer that our people opened, from its first message; None for any other message."""
    connection = turn.connection_with(envelope.to)
    if connection is None or not bodies.says(envelope, bodies.Opens):
        return None
    terms, opened = envelope.body.terms, envelope.body.opening
    if kind_of(envelope.subject) != terms.kind or envelope.subject != opened_id(SubjectKind(terms.kind), opened):
        return None
    username = turn.us.people.get(terms.asker, "")
    asked = Signature(
        terms.asker, turn.called(terms.asker_name, terms.asker), turn.us.party, envelope.sent_at, username=username
    )
    role = "sender" if terms.sender == turn.us.party else "receiver"
    transfer = opening.own_transfer(turn, opened, connection, terms, asked, role)
    transfer = replace(transfer, due=envelope.body.due)
    if transfer.is_our_offer:  # its value isn't in the room, so two people have to agree
        transfer = replace(transfer, care=turn.us.care.is_on or (terms.rules is not None and terms.rules.two_people))
    if bodies.says(envelope, bodies.Request):
        transfer = replace(transfer, accepted=envelope.body.accepted or "")
    if transfer.is_return and role == "receiver":
        by = _signed(turn, envelope)
        transfer = hand_back.with_decision(turn, transfer, by, damaged=envelope.body.damaged)
    return transfer


def _as_read(turn: Turn, transfer: Transfer, envelope: Message[Body]) -> Transfer:
    """Return the transfer with the message counted as sent, and those it acknowledges as read. It may be sent again."""
    connection = sequencing.connection_of(turn, transfer)
    return replace(transfer, exchange=_counted(turn, transfer.exchange, envelope, connection))


def _counted(turn: Turn, exchange: Exchange, envelope: Message[Body], connection: Connection) -> Exchange:
    seen = envelope.body.seen
    peer_past = envelope.body.past if seen > exchange.seen else exchange.peer_past
    draft = _draft_of(envelope, connection)
    waits = exchange.awaiting or envelope.body.awaits
    return replace(
        exchange,
        sent=envelope.seq,
        seen=max(exchange.seen, seen),
        peer_past=peer_past,
        unread=(*exchange.unread, draft),
        awaiting=waits,
        resend_at=turn.now + turn.us.resend_after[0] if waits else None,
    )


def _as_sent(exchange: Exchange, envelope: Message[Body], connection: Connection) -> Exchange:
    """Return the exchange with a waiting message as the room has it.

    A copy of the bot may have written it differently.
    """
    draft = _draft_of(envelope, connection)
    return replace(exchange, unread=tuple(draft if d.number == draft.number else d for d in exchange.unread))


def _draft_of(envelope: Message[Body], connection: Connection) -> Draft:
    return Draft(
        kind=envelope.kind,
        to=envelope.to,
        subject=envelope.subject,
        subject_kind=envelope.subject_kind,
        number=envelope.seq,
        body=envelope.raw_body,  # sealed fields stay as they are, because they are bound to this number
        terms_hash=envelope.terms_hash,
        sealed_to=connection.peer_key,
    )


def _take_over(turn: Turn, transfer: Transfer, envelope: Message[Body], event: EnvelopeSeen) -> Transfer:
    if bodies.says(envelope, Truth):  # it reports the outcome, so nothing is unclear any more
        settled = both_sides.settlement_in(turn, envelope, turn.us.party)
        transfer = replace(transfer, dispute=None, settled=settled or transfer.settled)
    rule = _RULES.get(type(envelope.body))
    return rule(turn, transfer, envelope, event) if rule else transfer


def _wanted(
    turn: Turn, transfer: Transfer, envelope: Message[bodies.Approve | bodies.Decline | bodies.Cancel], _: EnvelopeSeen
) -> Transfer:
    by, body = _signed(turn, envelope), envelope.body
    decided = by if by.person and not isinstance(body, bodies.Cancel) else transfer.decided
    approved_hash = transfer.approved_hash
    if isinstance(body, bodies.Approve):
        approved_hash = envelope.terms_hash
        transfer = _already_here(both_sides.with_delivery(transfer, body), body.here)
    elif body.reason == receive.NOT_WAITED_FOR:
        approved_hash = ""
    return replace(transfer, wanted=envelope.kind, decided=decided, decision=None, approved_hash=approved_hash)


def _already_here(transfer: Transfer, item: int | None) -> Transfer:
    """Return the transfer with our stock item that it already is, as our card said. Nothing is added."""
    if transfer.terms.outside is None:
        return transfer
    (line,) = transfer.terms.lines
    return with_progress(transfer, replace(transfer.at(line.number), here=item))


def _of_loan(turn: Turn, transfer: Transfer, envelope: Message[Body]) -> Transfer:
    """Take over our messages about a loan since it began: extended, given, lost."""
    if bodies.says(envelope, bodies.Extended):
        return extend.with_due_date(transfer, envelope.body.until)
    if bodies.says(envelope, bodies.Closed):
        return end.ended_by_message(turn, transfer, envelope.body, _signed(turn, envelope))
    return transfer


def _signed(turn: Turn, envelope: Message[Decided]) -> Signature:
    signed = both_sides.signature_in(turn, envelope, turn.us.party, envelope.body.event)
    return replace(signed, username=turn.us.people.get(signed.person, ""))


def _ended(turn: Turn, transfer: Transfer, envelope: Message[Ended], _: EnvelopeSeen) -> Transfer:
    by = _signed(turn, envelope)
    stage = {"done": "arrived", "reverted": "back"}.get(envelope.kind, "")
    for progress in transfer.progress if stage else ():
        if progress.stage == "handed":
            transfer = with_progress(transfer, replace(progress, stage=stage, acting=StepKind.NONE))
    return replace(
        transfer,
        state=TransferState(envelope.kind),
        decided=by if by.person else transfer.decided,
        decision=None,
        wanted="",
        ended=envelope.sent_at,
        problem=envelope.body.reason,
        because_of=(envelope.body.line or 0) if isinstance(envelope.body, bodies.Declined) else 0,
    )


def _noted(_: Turn, transfer: Transfer, envelope: Message[bodies.Noted], event: EnvelopeSeen) -> Transfer:
    """Take over that we posted the card or repeated the end; or that the asker had to agree to a text first."""
    transfer = _with_terms(transfer, envelope.body.terms)
    if transfer.role == "receiver" and transfer.state is TransferState.OPEN:
        transfer = _already_here(transfer, envelope.body.here)
    if event.edits or _is_without_card(transfer):
        return transfer
    transfer = transfer.after_telling(Told.CARD)
    return replace(transfer, card_event=event.event_id, shown=transfer.shown or event.at)


def _is_without_card(transfer: Transfer) -> bool:
    """Whether no card was posted yet, because the asker has a text to agree to first."""
    is_asked_of_us = transfer.role == "sender" and transfer.terms.kind == "request"
    return is_asked_of_us and request.is_to_be_agreed(transfer, transfer.terms)


def _granted(turn: Turn, transfer: Transfer, envelope: Message[bodies.Granted], _: EnvelopeSeen) -> Transfer:
    return replace(_with_terms(transfer, envelope.body.terms), granted=_signed(turn, envelope), decision=None)


def _with_terms(transfer: Transfer, terms: Terms | None) -> Transfer:
    if terms is None:
        return transfer
    return replace(transfer, terms=terms, terms_hash=hash_of(terms))


def _booked(turn: Turn, transfer: Transfer, envelope: Message[bodies.Booked], _: EnvelopeSeen) -> Transfer:
    """Take over our booking. InvenTree is read again, and the card asks from its first day on."""
    by = _signed(turn, envelope)
    transfer = booking.booked_until(both_sides.with_delivery(transfer, envelope.body), envelope.body.until)
    ours = transfer.terms.kind == "request"  # for an offer it is the receiver's approval, which only its bot knows
    return replace(transfer, decided=by if ours else transfer.decided or by, wanted="")


def _sent(turn: Turn, transfer: Transfer, envelope: Message[bodies.Sent], _: EnvelopeSeen) -> Transfer:
    """Take over that the items left us. Their former locations are known only if the journal has them."""
    by = _signed(turn, envelope)
    for entry in envelope.body.lines:
        line = transfer.line(entry.number)
        before = transfer.at(line.number)
        status = before.status if before.stage else line.status
        source = before.split_from or (None if entry.item == line.item else line.item)
        handed = replace(before, stage="handed", item=entry.item, quantity=line.quantity, status=status)
        handed = replace(handed, split_from=source)
        transfer = with_progress(transfer, replace(handed, acting=StepKind.NONE, unknown=StepKind.NONE))
    for failure in envelope.body.failed:
        failed = replace(transfer.at(failure.number), failed=failure.reason, acting=StepKind.NONE)
        transfer = with_progress(transfer, failed)
    transfer = both_sides.with_delivery(transfer, envelope.body)
    if transfer.parcel is not None:
        transfer = replace(transfer, parcel=replace(transfer.parcel, left=envelope.sent_at))
    decided = by if by.person and transfer.terms.kind == "request" else transfer.decided or by
    return replace(transfer, state=TransferState.SENT, decided=decided, decision=None, wanted="")


def _received(turn: Turn, transfer: Transfer, envelope: Message[bodies.Received], _: EnvelopeSeen) -> Transfer:
    if transfer.parcel is not None:
        transfer = replace(transfer, parcel=replace(transfer.parcel, received=_signed(turn, envelope)))
    for entry in envelope.body.items:
        before = transfer.at(entry.number)
        quantity = transfer.here(before.number)
        stage = before.stage or "created"
        part = entry.part if before.part is None else before.part
        serial = entry.serial or before.serial
        if entry.quantity is not None:
            before = replace(before, short=transfer.line(entry.number).quantity - entry.quantity)
            quantity = transfer.here(before.number)
        created = replace(before, stage=stage, item=entry.item, part=part, quantity=quantity, serial=serial)
        transfer = with_progress(transfer, replace(created, acting=StepKind.NONE, unknown=StepKind.NONE))
    return _with_refused(
        replace(transfer, state=TransferState.RECEIVED, wanted="", decision=None), envelope.body.refused
    )


def _refused(_: Turn, transfer: Transfer, envelope: Message[bodies.Refused], __: EnvelopeSeen) -> Transfer:
    refused = replace(transfer, state=TransferState.REFUSED, problem=envelope.body.reason, wanted="")
    return _with_refused(refused, envelope.body.refused)


def _with_refused(transfer: Transfer, refused: Iterable[bodies.FailedLine]) -> Transfer:
    for line in refused:
        transfer = with_progress(transfer, replace(transfer.at(line.number), failed=line.reason, acting=StepKind.NONE))
    return transfer


def _disputed(turn: Turn, transfer: Transfer, envelope: Message[bodies.Disputed], _: EnvelopeSeen) -> Transfer:
    """Take over our dispute. InvenTree is asked for the details when somebody settles it."""
    missing = both_sides.person_in(turn, envelope.body.missing, turn.us.party, envelope.sent_at)
    if transfer.parcel is not None and missing is not None:
        transfer = replace(transfer, parcel=replace(transfer.parcel, missing=missing))
    before = transfer.dispute or Dispute(transfer.state, ())
    dispute = replace(before, by=tuple(dict.fromkeys((*before.by, turn.us.party))))
    obstacle = Plain(Fault.NO_TRACE if missing is None else Fault.PARCEL_MISSING)
    return replace(transfer, state=TransferState.DISPUTED, dispute=dispute, obstacle=obstacle, decision=None)


B = TypeVar("B", bound=Body)
_Rule = Callable[[Turn, Transfer, Message[B], EnvelopeSeen], Transfer]


def _when(kind: type[B], rule: _Rule[B]) -> tuple[type[Body], _Rule[Any]]:
    return kind, rule


_RULES: dict[type[Body], _Rule[Any]] = dict(
    (
        _when(bodies.Noted, _noted),
        _when(bodies.Granted, _granted),
        _when(bodies.Approve, _wanted),
        _when(bodies.Decline, _wanted),
        _when(bodies.Cancel, _wanted),
        _when(bodies.Booked, _booked),
        _when(bodies.Sent, _sent),
        _when(bodies.Received, _received),
        _when(bodies.Refused, _refused),
        _when(bodies.Disputed, _disputed),
        _when(bodies.Declined, _ended),
        _when(bodies.Cancelled, _ended),
        _when(bodies.Expired, _ended),
        _when(bodies.Aborted, _ended),
        _when(bodies.Reverted, _ended),
        _when(bodies.Done, _ended),
    )
)


def _about_connection(turn: Turn, event: EnvelopeSeen, envelope: Message[Body]) -> None:
    """Take over our messages about a connection. Everything is provisioned again, which finds what already exists."""
    connection = turn.connection(envelope.subject)
    if connection is None:
        connection = _requested_by_us(turn, envelope)
    if connection is None:
        return
    _find_post(turn, event, envelope, MessageKind.CARD if envelope.kind == "noted" else MessageKind.OFFER)
    if envelope.kind == "noted" and not event.edits and not connection.card_event:
        connection = replace(connection, card_event=event.event_id, shown=event.at)
    if envelope.seq <= connection.exchange.sent:
        connection = replace(connection, exchange=_as_sent(connection.exchange, envelope, connection))
    else:
        connection = replace(connection, exchange=_counted(turn, connection.exchange, envelope, connection))
        turn.note(connection.id, audit.KnownFromOwnMessage(envelope.kind), event_id=event.event_id)
        if bodies.says(envelope, bodies.PlaceInQueue):
            _restore_place(turn, envelope.body)
        waits = connection.state in {ConnectionState.ASKED, ConnectionState.OFFERED}
        if bodies.says(envelope, bodies.Accepted) and waits:
            connection = replace(
                connection, state=ConnectionState.MAKING, decided=_signed(turn, envelope), decision=None
            )
        elif envelope.kind in {"declined", "cancelled"} and connection.state in NOT_YET_ACTIVE:
            connection = replace(connection, state=ConnectionState(envelope.kind), decision=None)
    turn.save(connection)


def _requested_by_us(turn: Turn, envelope: Message[Body]) -> Connection | None:
    """Return a connection that we had requested, pinned to the key that we had asked; None if it isn't provable."""
    announced = turn.announced(envelope.room, envelope.to)
    if not bodies.says(envelope, bodies.Connect) or len(announced) != 1:
        return None
    body, generation = envelope.body, envelope.body.generation
    newest = max((c.generation for c in turn.connections() if c.peer == envelope.to), default=0)
    asked_key, due = body.asked_key, body.due
    if generation <= newest or asked_key is None or due is None:
        return None
    if envelope.subject != connection_id(turn.us.key, asked_key, envelope.room, generation):
        return None
    bot, party = announced[0]
    connection = Connection(
        id=envelope.subject,
        code=turn.short_code(envelope.subject),
        peer=party.id,
        peer_name=party.name,
        peer_bot=bot,
        peer_key=asked_key,
        room=envelope.room,
        generation=generation,
        state=ConnectionState.ASKED,
        asked=Signature(body.asker, turn.called(body.asker_name, body.asker), turn.us.party, envelope.sent_at),
        ours=True,
        access="relayed",
        due=due,
        waiting_since=turn.now,
    )
    return connections.with_key_check(turn, connection)


def _find_post(turn: Turn, event: EnvelopeSeen, envelope: Message[Body], what: MessageKind) -> None:
    """Record the events of cards and openings, so that people can react and reply to them."""
    first = envelope.kind in {"connect", "offer", "request", "noted"}
    if bodies.says(envelope, bodies.Request) and envelope.body.terms.confirm:
        subject, what = rota_id(envelope.body.opening.cause.word), MessageKind.ROTA
    else:
        subject = envelope.subject
    became_request = event.edits and what is MessageKind.OFFER and bodies.says(envelope, bodies.Request)
    post = event.edits if became_request else event.event_id  # our list became the answer (`opening.open_request`)
    if first and (became_request or not event.edits) and not turn.key_of(post):
        turn.find_post(post, what.of(subject), event.room)


def begin(turn: Turn, at: datetime) -> None:
    """Mark this turn's changes as not yet continued; `resume` does that once everything is read.

    `at` is when the homeserver received the past message: whoever joined our queue by it has waited since then.
    """
    for document in list(turn.changes.values()):
        if isinstance(document, Transfer):
            turn.save(document.after_telling(Told.RECALLED))
        elif isinstance(document, QueueEntry) and turn.state.get(QueueEntry, document.id) is None:
            turn.save(replace(document, since=min(at, turn.now)))


# --- continuing --------------------------------------------------------------------------------------------


def resume(turn: Turn) -> None:
    """After everything is read: continue unfinished work, and ask every peer for messages that we may have missed.

    Work with a peer whose key has to be compared again continues after that.
    """
    for connection in turn.connections():
        if not connection.is_to_be_compared:
            resume_with(turn, connection)
    _keep_quiet_about_lines(turn)
    outside.resume_after_loss(turn)
    _sort_queue(turn)
    for place in turn.all(PlaceInLine):  # the lender's bot may have reported more in the meantime
        if place.is_living:
            turn.do(Edit(MessageKind.PLACE.of(place.id), place.room, waiting_list.page(turn, place)))
    _take_back_lost_rotas(turn)
    end.end_returned_loans(turn)
    turn.note("recovery", audit.Fact.RECOVERED)


def resume_with(turn: Turn, connection: Connection) -> None:
    """Continue unfinished work with this peer, and ask it for messages that we may have missed."""
    _resume_connection(turn, connection)
    for transfer in turn.living_transfers():  # what is at rest needs nothing (`is_at_rest`)
        if transfer.connection != connection.id:
            continue
        if transfer.is_recalled:
            _go_on(turn, replace(transfer, told=tuple(word for word in transfer.told if word != Told.RECALLED)))
        if transfer.state not in FINAL:
            sequencing.ask(turn, transfer)


def _resume_connection(turn: Turn, connection: Connection) -> None:
    if connection.state is ConnectionState.MAKING:
        turn.void(connection.id)
        sequencing.ask(turn, provision.begin(turn, connection))
    elif connection.state is ConnectionState.OFFERED and connection.check is not None and connection.check.is_open:
        sequencing.ask(turn, connection)
    elif connection.state is ConnectionState.OFFERED and not connection.card_event:
        turn.do(Ask(connections.ShowConnectCard(connection.id), (turn.who_may(Permission.SUPERUSER),)))
    elif connection.state in {ConnectionState.ASKED, ConnectionState.READY, ConnectionState.ACTIVE}:
        sequencing.ask(turn, connection)
        if connection.state is ConnectionState.ACTIVE:
            rotate_tokens.look_after_a_loss(turn, turn.connection(connection.id) or connection)


def _keep_quiet_about_lines(turn: Turn) -> None:
    """Tell nobody that an old line waits: it may have been answered since the backup was made."""
    for line in turn.all(WaitingLine):
        turn.save(replace(line, told=True))


def _go_on(turn: Turn, transfer: Transfer) -> None:
    turn.void(transfer.id)
    turn.save(transfer)
    if transfer.role == "sender":
        _send_on(turn, transfer)
    elif transfer.is_return:
        _take_back_on(turn, transfer)
    elif transfer.terms.kind != balance.EXTENSION:
        _receive_on(turn, transfer)


def _send_on(turn: Turn, transfer: Transfer) -> None:
    match transfer.state:
        case TransferState.OPEN if transfer.waits_for_release:
            turn.do(Ask(opening.ShowReleaseCard(transfer.id), (turn.who_may(Permission.APPROVER),)))
        case TransferState.OPEN if transfer.terms.kind == "request" and not transfer.has_card:
            request.look_for_items(turn, transfer)
        case TransferState.OPEN if transfer.terms.kind == balance.EXTENSION and not transfer.has_card:
            extend.look(turn, transfer)
        case TransferState.APPROVED:
            send.check_again(turn, transfer)
        case TransferState.DEBITING:
            _debit_on(turn, transfer)
        case TransferState.RECEIVED | TransferState.REVERTING:
            connection = sequencing.connection_of(turn, transfer)
            for progress in _merging(transfer):
                send.merge_back(turn, transfer, progress, connection)
            for progress in (p for p in transfer.progress if p.stage == "handed"):
                back = transfer.state is TransferState.REVERTING or progress.acting is StepKind.TAKE_BACK
                act = send.take_back if back else send.mark_arrived
                act(turn, transfer, progress, connection)
        case TransferState.ABORTED | TransferState.REVERTED | TransferState.DONE:
            send.find_merged_back(turn, transfer)


def _debit_on(turn: Turn, transfer: Transfer) -> None:
    """Continue the debit of one line after the other: one that is back is merged before the next one leaves."""
    connection = sequencing.connection_of(turn, transfer)
    taken = next((p for p in transfer.progress if p.stage == "taken"), None)
    merging = _merging(transfer)
    if merging:
        send.merge_back(turn, transfer, merging[0], connection)
    elif taken is None:
        send.go_on(turn, transfer, connection)
    elif taken.failed:
        send.put_back(turn, transfer, taken, connection)
    else:
        send.hand_over(turn, transfer, taken, connection)


def _merging(transfer: Transfer) -> list[Progress]:
    return [p for p in transfer.progress if p.acting is StepKind.MERGE_BACK]


def _take_back_on(turn: Turn, transfer: Transfer) -> None:
    hand_back.go_on(turn, transfer)
    if transfer.state is TransferState.CREDITING:
        receive.go_on(turn, turn.transfer(transfer.id) or transfer)


def _receive_on(turn: Turn, transfer: Transfer) -> None:
    card_waits = transfer.granted is not None and not transfer.has_card and not transfer.wanted
    match transfer.state:
        case TransferState.OPEN | TransferState.BOOKED if transfer.terms.kind == "push":
            receive.look_for_parts(turn, transfer)
        case TransferState.SENT:
            receive.look_for_parts(turn, transfer)
        case TransferState.OPEN if card_waits:
            read_who_confirms(turn, transfer)
        case TransferState.OPEN if not transfer.card_event:
            turn.note(transfer.id, audit.Fact.LENDERS_CARD_AWAITED)
        case TransferState.OPEN | TransferState.BOOKED | TransferState.CREDITING:
            request.look_for_parts(turn, transfer)
        case TransferState.RECEIVED | TransferState.DONE if transfer.asked.at + PUT_AWAY_WITHIN > turn.now:
            for progress in transfer.progress:
                if progress.stage == "created":
                    receive.put_away(turn, transfer, progress)
                    mirror_received(turn, transfer, progress)


@dataclass(frozen=True)
class Rebuild(WhenAnswered):
    """Reads the mirrors in our InvenTree, to rebuild a lost journal."""

    def answered(self, turn: Turn, event: Answered) -> None:
        """Restore the connections from the signed mirrors in the companies' metadata."""
        (found,) = event.answers
        if not isinstance(found, MirrorsFound):
            raise TypeError(f"the answer to a rebuild is the mirrors, not {found!r}")
        for mirrored in found.companies:
            if _is_of_neighbour(turn, mirrored):
                continue
            connection = _mirrored(turn, mirrored)
            if connection is not None and turn.connection(connection.id) is None:
                turn.save(connection)
                turn.note(connection.id, audit.FoundMirrored(connection.state))
                if connection.state is ConnectionState.ACTIVE:
                    value = json.loads(mirrored.value)
                    share.restore(turn, value.get("shares"))
                    _restore_kept(turn, value)


def _restore_kept(turn: Turn, value: dict[str, Any]) -> None:
    """Restore our people's places and wants with this peer, and a stop on new loans; post their messages."""
    for place in provision.PLACES.validate_python(value.get("places", ())):
        turn.save(replace(place, state=PlaceState.ASKED, place=0, item=0, until=None))  # the lender reports these again
        page = waiting_list.page(turn, turn.get(PlaceInLine, place.id) or place)
        turn.do(Post(MessageKind.PLACE.of(place.id), place.room, page))
    for wanted in provision.WANTS.validate_python(value.get("wants", ())):
        known = turn.get(Want, wanted.id)
        turn.save(wanted if known is None else replace(known, told=tuple(dict.fromkeys((*known.told, *wanted.told)))))
        if known is None:
            turn.do(Post(MessageKind.WANT.of(wanted.id), wanted.room, want.page(turn, wanted)))
    if "stop" in value:
        turn.save(provision.STOP.validate_python(value["stop"]))


def _restore_place(turn: Turn, told: bodies.PlaceInQueue) -> None:
    """Restore the place of a peer's person in our queue from our own message."""
    entry = turn.get(QueueEntry, told.wait)
    if entry is None:
        return
    if told.over:
        turn.drop(entry)
    elif told.until is not None:
        turn.save(replace(entry, kept=told.item, kept_until=told.until, told=1))
    else:
        turn.save(replace(entry, told=told.place))


def _sort_queue(turn: Turn) -> None:
    """Sort the queue by the homeserver's clock, because the rooms were read one after the other."""
    for number, entry in enumerate(sorted(turn.queue(), key=lambda entry: (entry.since, entry.number)), start=1):
        if entry.number != number:
            turn.save(replace(entry, number=number))


def requests_of_lost_rotas(turn: Turn) -> list[Transfer]:
    """Return requests to several peers whose rota is lost, so that nobody knows the others and the wanted total."""
    asked = [t for t in turn.open_transfers() if t.terms.confirm and t.role == "receiver" and turn.rota_of(t) is None]
    return [t for t in asked if t.state is TransferState.OPEN and not (t.wanted or t.approved_hash)]


def _take_back_lost_rotas(turn: Turn) -> None:
    """Cancel such requests, so that nothing arrives twice, and ask their people to type the line again."""
    for transfer in requests_of_lost_rotas(turn):
        wanting = replace(transfer, wanted="cancel", decision=None)
        turn.save(sequencing.send(turn, wanting, bodies.Cancel(**bodies.NOBODY), awaits=True))
        turn.note(transfer.id, audit.Fact.CANCEL_ASKED)
        phrase = say(
            messages.from_anyone.rota_lost, transfer=transfer, us=turn.us, peer_name=turn.party_name(transfer.peer)
        )
        turn.do(Post(MessageKind.ROTA_LOST.of(transfer.id), transfer.room, phrase, mentions=(transfer.terms.asker,)))


def _is_of_neighbour(turn: Turn, found: CompanyMirror) -> bool:
    """Whether the mirror is of a neighbour without a bot. If so, restore that neighbour's loans."""
    value = json.loads(found.value)
    if not outside.is_mirror(value):
        return False
    try:
        outside.restore(turn, value)
        turn.note("recovery", audit.Fact.FOUND_OUTSIDE)
    except ValueError:
        turn.note("recovery", audit.MirrorUnreadable(found.company))
    return True


def mirrored_requests(found: CompanyMirror) -> list[str]:
    """Return the ids of the requests that were open when this was mirrored."""
    requests = json.loads(found.value).get("requests", [])
    return [str(request["id"]) for request in requests if isinstance(request, dict) and "id" in request]


def _mirrored(turn: Turn, found: CompanyMirror) -> Connection | None:
    try:
        value = json.loads(found.value)
        state = ConnectionState(value["state"])
        if state is ConnectionState.READY:
            state = ConnectionState.MAKING  # its trial is repeated
        return Connection(
            id=str(value["connection"]),
            code=turn.short_code(str(value["connection"])),
            peer=str(value["party"]),
            peer_name=found.name,
            peer_bot=str(value["bot"]),
            peer_key=str(value["key"]),
            former_keys=tuple(str(key) for key in value.get("former_keys", [])),
            room=str(value["room"]),
            generation=int(value["generation"]),
            state=state,
            asked=Signature("", "", turn.us.party, turn.now),
            ours=bool(value.get("ours", True)),
            access=str(value.get("access", "relayed")),
            due=turn.now + turn.us.request_open_for,
            company=found.company,
            user=value.get("user"),
            group=value.get("group"),
            token_name=str(value.get("token", "")),
            token_expiry=date.fromisoformat(value["token_expiry"]) if value.get("token_expiry") else None,
            peer_url=str(value.get("peer_url", "")),
            own_made=state is ConnectionState.ACTIVE,
            own_ready=state is ConnectionState.ACTIVE,
            peer_ready=state is ConnectionState.ACTIVE,
        )
    except (KeyError, TypeError, ValueError):
        turn.note("recovery", audit.MirrorUnreadable(found.company))
        return None
