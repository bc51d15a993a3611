"""The receiver's side of a transfer: the offer's card, the decision's message to the sender, and booking in.

From `sent` on, this side decides. `received` means that the new stock item was read back. `refused` means that nothing
was created and nothing will be.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fedbot import messages
from fedbot.rules import card_content, names, time_zones
from fedbot.rules.archive import Mark
from fedbot.rules.catalogue import destination
from fedbot.rules.catalogue.provenance import known_item, mirror_received, origin_forbids, received_text
from fedbot.rules.connection import provision
from fedbot.rules.loan import balance, end, label
from fedbot.rules.loan.end import take_back_step
from fedbot.rules.model import audit, stock
from fedbot.rules.model.care import ValuedLine
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Parcel, Pickup, Signature
from fedbot.rules.model.diagnosis import Diagnosis, Fault, Plain
from fedbot.rules.model.effects import Ask, Do, Post, say
from fedbot.rules.model.events import Answered, EnvelopeSeen, StepDone, StepRefused, StepUnknown
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.queries import Able, OfLine, PartMatch, Query, WhenAnswered, WhenStepEnds
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.steps import (
    BookInAgain,
    CreateItem,
    CreatePart,
    Furnish,
    ItemCreated,
    Known,
    MarkAsHere,
    PartCreated,
    PlacedAt,
    PutAway,
    Step,
    StepKind,
    kind_of_step,
)
from fedbot.rules.model.stock import NO_PART_DETAILS, STATUS_ATTENTION, TRAVELLING_STATUSES, Part, Permission
from fedbot.rules.model.transfer import (
    FAILED_AT_SENDER,
    NOT_IN_PARCEL,
    Landing,
    Line,
    Progress,
    Transfer,
    link_to_card,
    step_mark,
    with_progress,
)
from fedbot.rules.protocol import bodies, sequencing
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.protocol.terms import CLOCKS_DIFFER_BY, metadata_in
from fedbot.rules.state import Turn
from fedbot.rules.transfer import both_sides, files, opening
from fedbot.rules.transfer.both_sides import NO_PART, OTHER_THING, begin_step

MATCHED_WHILE = frozenset({TransferState.OPEN, TransferState.BOOKED, TransferState.SENT, TransferState.CREDITING})
STALE_AFTER = timedelta(hours=1)
TOO_MANY = "too-many"
DECLINED_UNSEEN = frozenset({TOO_MANY, "disconnected"})
"""Reasons for which the sender's bot declines before any of its people has seen the request."""
ALREADY_HERE = "here"
"""The `match` of a line that already is a stock item of ours, as an approver says."""
NOT_CONFIRMED = "not-confirmed"
"""Refusal: the request asks several spaces, and our bot had not confirmed this one."""
BEFORE_FIRST_DAY = "not-yet"
"""Refusal: the lender's bot sent a booking before its first day."""
NOT_WAITED_FOR = "given-up"
"""Refusal: it was confirmed, nothing arrived in time, and our people continued without it."""
ENDS: dict[TransferState, frozenset[str]] = {
    TransferState.OPEN: frozenset({"declined", "cancelled", "expired", "aborted", "done"}),
    TransferState.BOOKED: frozenset({"cancelled", "expired", "aborted"}),
    TransferState.RECEIVED: frozenset({"done"}),
    TransferState.REFUSED: frozenset({"reverted"}),
}
"""The sender's final messages that fit each of our states."""
CREDITING_FOR = frozenset({ConnectionState.ACTIVE, ConnectionState.ENDING})


# --- the offer's card ---


def look_for_parts(turn: Turn, transfer: Transfer) -> None:
    """Read which of our parts each line is, and who may decide. Then the card is posted."""
    queries: list[Query] = [destination.query_for(turn, transfer, line) for line in transfer.terms.lines]
    queries.append(turn.who_may(Permission.APPROVER))
    turn.do(Ask(ShowOfferCard(transfer.id), tuple(queries)))


@dataclass(frozen=True)
class ShowOfferCard(both_sides.TellsThatItWaits, WhenAnswered):
    """Reads the destination of each line and the people who may decide, before the card of an offer is posted."""

    def answered(self, turn: Turn, event: Answered) -> None:
        """Post the card with each line's destination, or update it.

        If the stock has left the sender meanwhile (we had to read again after a loss), book it in.
        """
        transfer = turn.transfer(self.transfer)
        if transfer is None or transfer.state not in MATCHED_WHILE:
            return
        transfer = both_sides.clear_wait(turn, transfer)
        *matches, able = event.answers
        if not isinstance(able, Able):
            raise TypeError(f"the card asks who may decide, not {able!r}")
        for line, match in zip(transfer.terms.lines, matches, strict=True):
            if not isinstance(match, PartMatch):
                raise TypeError(f"the card asks for parts, not {match!r}")
            transfer = with_progress(transfer, destination.matched(turn, transfer, line.number, match))
        if turn.us.care.taken_in and transfer.state is TransferState.OPEN:
            moved = [_valued(transfer, line, match) for line, match in zip(transfer.terms.lines, matches, strict=True)]
            transfer = replace(transfer, care=bool(turn.us.care.why(moved)))
        if transfer.state is TransferState.CREDITING:
            turn.save(transfer)
            if not any(progress.acting for progress in transfer.progress):
                go_on(turn, transfer)
            return
        if transfer.state is TransferState.SENT and not transfer.has_card:
            turn.save(transfer)
            return
        people = opening.addressees(turn, able)
        if transfer.card_event or transfer.has_card:
            _update_card(turn, transfer, people)
            return
        opening.post_first_card(turn, transfer, people)


def _valued(transfer: Transfer, line: Line, match: object) -> ValuedLine:
    """Return a line as it would be here, with the sender's names if we have no part for it. It has no price here."""
    description = line.description
    part = match.part if isinstance(match, PartMatch) and match.part else Part(0, description.name, description.ipn)
    return ValuedLine(part, transfer.at(line.number).place, transfer.here(line.number))


def _update_card(turn: Turn, transfer: Transfer, people: list[str]) -> None:
    """Show the new destination: edit the card if nobody could decide on it before, else post another one."""
    before = transfer.card
    decidable = before is not None and all(each and _is_place(each) for each in before.landings)
    asks = transfer.awaits_parcel or (transfer.state is TransferState.OPEN and not transfer.wanted)
    if decidable and asks and card_content.changes(turn.us, transfer):
        turn.save(transfer)
        opening.post_card(turn, transfer, people)
        return
    if before != card_content.of_transfer(transfer):
        transfer = replace(
            transfer, card=card_content.of_transfer(transfer), in_room=transfer.in_room.read_differently()
        )
    draft = None
    if asks and transfer.terms.outside is not None:
        transfer, draft = sequencing.write(turn, transfer, bodies.Noted(here=transfer.said_here))
    turn.save(transfer)
    both_sides.edit_card(turn, transfer, draft, people=opening.names(turn, people, transfer.room))


def _is_place(place: Landing) -> bool:
    return place.part is not None or place.create_part


# --- decisions: requests to the sender ---


def on_approved(turn: Turn, transfer: Transfer, decided: Signature) -> None:
    """Our approver has approved: ask the sender, who decides until the stock is sent."""
    approved = replace(transfer, decided=decided, approved_hash=transfer.terms_hash)
    _ask_sender(turn, approved, "approve", decided, "")


def on_declined(turn: Turn, transfer: Transfer, decided: Signature) -> None:
    """Our approver has declined: ask the sender to record it."""
    _ask_sender(turn, replace(transfer, decided=decided), "decline", decided, "")


def _ask_sender(turn: Turn, transfer: Transfer, kind: str, by: Signature | None, reason: str) -> None:
    """Send the sender our side's decision, `by` one of our people or nobody. The sender has to confirm it."""
    told = both_sides.said_by(by)
    body: bodies.Approve | bodies.Decline
    if kind == "approve":
        by_parcel = transfer.parcel is not None
        here = transfer.said_here
        body = bodies.Approve(reason=reason, damaged=transfer.damaged, parcel=by_parcel, here=here, **told)
    else:
        body = bodies.Decline(reason=reason, **told)
    transfer = replace(transfer, wanted=kind, decision=None)
    transfer, draft = sequencing.write(turn, transfer, body, awaits=True)
    turn.save(transfer)
    turn.note_by(transfer.id, audit.AskedOfSender(kind, reason), by)
    both_sides.send(turn, transfer, draft)


def on_end(turn: Turn, transfer: Transfer, envelope: Message[bodies.Ended], event: EnvelopeSeen) -> None:
    """Take over the sender's final message: declined, cancelled, expired, aborted, done or reverted."""
    may_be_here = transfer.state in {TransferState.SENT, TransferState.CREDITING, TransferState.RECEIVED}
    if envelope.kind == "reverted" and may_be_here:
        _on_taken_back_alone(turn, transfer)
        return
    moves_stock = transfer.terms.kind != balance.EXTENSION  # so it is sent before it is done
    too_early = envelope.kind == "done" and transfer.state is TransferState.OPEN and moves_stock
    if envelope.kind not in ENDS.get(transfer.state, frozenset()) or too_early:
        turn.save(transfer)
        return
    state = TransferState(envelope.kind)
    before = transfer.state
    reason = envelope.body.reason
    if isinstance(envelope.body, bodies.Declined):
        transfer = replace(transfer, because_of=envelope.body.line or 0)
    transfer = replace(transfer, state=state, decision=None, ended=turn.now, problem=reason or _kept_reason(transfer))
    is_their_decision = state is TransferState.CANCELLED or not both_sides.is_ours(turn, transfer)
    if envelope.body.by and is_their_decision:
        transfer = replace(transfer, decided=_who_ended(turn, transfer, envelope, event))
    turn.note(transfer.id, audit.TransferIs(state, reason))
    if transfer.has_card and before is not TransferState.RECEIVED:
        transfer, draft = sequencing.write(turn, transfer, bodies.Noted())
        both_sides.edit_card(turn, transfer, draft)
    turn.save(transfer)
    if state is TransferState.DECLINED and reason in DECLINED_UNSEEN:  # the sender's bot posts nothing about it
        both_sides.post_end(turn, transfer)
    provision.mirror(turn, sequencing.connection_of(turn, transfer))


def _who_ended(turn: Turn, transfer: Transfer, envelope: Message[bodies.Ended], event: EnvelopeSeen) -> Signature:
    """Return who ended it: our own person if the sender only did what ours had asked of it, else its person."""
    ours = (transfer.cancelled_by, sequencing.connection_of(turn, transfer).ended_by)
    for known in ours:
        if known is not None and (known.party, known.person) == (turn.us.party, envelope.body.by):
            return known
    return both_sides.signature_in(turn, envelope, transfer.peer, event.event_id)


def _kept_reason(transfer: Transfer) -> str:
    """Return why we could not book it in, to keep once the sender has it again; '' otherwise."""
    return transfer.problem if transfer.state is TransferState.REFUSED else ""


def _on_taken_back_alone(turn: Turn, transfer: Transfer) -> None:
    """React to the sender's people taking it back without our word. Dispute it if it is, or may be, in our books."""
    if any(p.stage or p.acting or p.unknown for p in transfer.progress):
        turn.save(transfer)
        both_sides.dispute(turn, transfer, 0, Plain(Fault.REVERTED_BUT_HERE), said="reverted")
        return
    is_missing_parcel = transfer.state is TransferState.SENT
    transfer = replace(transfer, state=TransferState.REVERTED, decision=None, ended=turn.now)
    if is_missing_parcel and transfer.settled is not None:
        transfer = replace(transfer, settled=replace(transfer.settled, alone=False))
        transfer, draft = sequencing.write(turn, transfer, bodies.Refused(reason=""), awaits=True)
    else:
        transfer, draft = sequencing.write(turn, transfer, bodies.Noted())
    turn.save(transfer)
    turn.note(transfer.id, audit.TransferIs(transfer.state))
    sequencing.post(turn, transfer, draft)
    both_sides.update_card(turn, transfer)


# --- booking in ---


def is_stale(turn: Turn, envelope: Message[bodies.Body]) -> bool:
    """Whether a `sent` is over an hour old, so its sender is asked first. Not for a parcel, which books nothing in."""
    books_in = isinstance(envelope.body, bodies.Sent) and not envelope.body.parcel
    return books_in and turn.now - envelope.sent_at > STALE_AFTER


def on_sent(
    turn: Turn,
    transfer: Transfer,
    envelope: Message[bodies.Sent],
    event_id: str,
    at: datetime,
    sealed: dict[str, Any] | None = None,
) -> None:
    """Book in the stock that has left the sender, if we approved it and the connection is active.

    `at` is when the homeserver received the message.
    """
    if transfer.state is TransferState.CANCELLED:
        _refuse_cancelled(turn, transfer)
        return
    if transfer.state not in {TransferState.OPEN, TransferState.BOOKED}:
        turn.save(transfer)
        return
    if envelope.terms_hash != transfer.terms_hash or _has_only_words(transfer):
        _refuse_another_thing(turn, transfer)
        return
    if too_soon := _too_soon(turn, transfer, at):
        _refuse(turn, transfer, too_soon)
        return
    if why := _not_approved(turn, transfer):
        turn.save(transfer)
        both_sides.dispute(turn, transfer, 0, why)
        return
    failed = both_sides.numbers_in(envelope.body.failed)
    for line in transfer.terms.lines:
        if line.number in failed:
            transfer = with_progress(transfer, replace(transfer.at(line.number), failed=FAILED_AT_SENDER))
    details = envelope.body.pickup
    transfer = replace(
        both_sides.with_delivery(transfer, envelope.body),
        state=TransferState.CREDITING,
        wanted="",
        decision=None,
        peer_items=_handed_over(transfer, envelope),
        pickup=Pickup(details.where, details.hours, details.call),
    )
    if transfer.terms.kind == "request":
        transfer = _with_senders_data(turn, transfer, envelope, event_id, sealed or {})
    if transfer.parcel is not None:
        both_sides.note_in_transit(turn, transfer, envelope.sent_at)
        return
    turn.save(transfer)
    turn.note(transfer.id, audit.TransferIs(TransferState.CREDITING))
    go_on(turn, transfer)


def _too_soon(turn: Turn, transfer: Transfer, at: datetime) -> str:
    """Return the reason code if it comes too early; '' if it doesn't."""
    if transfer.terms.confirm and not transfer.approved_hash:
        return NOT_CONFIRMED
    return BEFORE_FIRST_DAY if _is_early(turn, transfer, at) else ""


def _is_early(turn: Turn, transfer: Transfer, at: datetime) -> bool:
    """Whether it is a booking whose first day has not begun at the lender.

    Our clock may be a little slow. The homeserver's may be the sender's own, and say anything.
    """
    now = max(turn.now, min(at, turn.now + CLOCKS_DIFFER_BY))
    day = time_zones.day_at(now, transfer.terms.time_zone, turn.us.time_zone)
    return transfer.terms.starts is not None and day < transfer.terms.starts


def _handed_over(transfer: Transfer, envelope: Message[bodies.Sent]) -> tuple[int, ...]:
    """Return the sender's stock items that left, in the order of our lines; the offered ones where it names none."""
    items = {given.number: given.item for given in envelope.body.lines if given.item is not None}
    sent = [line for line in transfer.terms.lines if transfer.at(line.number).failed != FAILED_AT_SENDER]
    return tuple(items.get(line.number, line.item) for line in sent)


def _refuse_cancelled(turn: Turn, transfer: Transfer) -> None:
    """Refuse a transfer that we cancelled without waiting for the sender (UC5, at once). It is never booked in."""
    turn.save(sequencing.send(turn, transfer, bodies.Refused(reason=transfer.problem), awaits=True))
    turn.note(transfer.id, audit.Fact.CANCELLED_HERE)


def _not_approved(turn: Turn, transfer: Transfer) -> Diagnosis | None:
    """Return the diagnosis for a dispute if it isn't what our people approved; None if it is."""
    if not both_sides.is_agreed(transfer) or sequencing.connection_of(turn, transfer).state not in CREDITING_FOR:
        return Plain(Fault.NOT_APPROVED)
    if card_content.changes_since_approval(turn.us, transfer):
        return Plain(Fault.OTHER_TERMS)
    return None


def _has_only_words(transfer: Transfer) -> bool:
    """Whether the sender's bot never named its stock items for a request, so that no part of ours can fit yet."""
    return transfer.terms.kind == "request" and transfer.terms.lines == transfer.requested


def _refuse_another_thing(turn: Turn, transfer: Transfer) -> None:
    """Refuse items that differ from our person's request. None of them is booked in.

    For an offer the message is only read, because a sender that changes its own offer's terms keeps to nothing.
    """
    if transfer.terms.kind != "request":
        turn.save(transfer)
    else:
        _refuse(turn, transfer, OTHER_THING)


def _refuse(turn: Turn, transfer: Transfer, why: str) -> None:
    transfer = replace(transfer, state=TransferState.REFUSED, wanted="", decision=None, problem=why)
    turn.save(sequencing.send(turn, transfer, bodies.Refused(reason=why), awaits=True))
    turn.note(transfer.id, audit.Fact.NOT_AS_ASKED)


def _with_senders_data(
    turn: Turn, transfer: Transfer, envelope: Message[bodies.Sent], event_id: str, sealed: dict[str, Any]
) -> Transfer:
    """Return the request with the sender's decision and its items' metadata. They are sent once the items left."""
    decided = both_sides.signature_in(turn, envelope, transfer.peer, event_id)
    texts = metadata_in(sealed)
    for line in transfer.terms.lines:
        if (text := texts.get(str(line.number))) is not None:
            transfer = with_progress(transfer, replace(transfer.at(line.number), metadata=text))
    return replace(transfer, decided=decided)


def go_on(turn: Turn, transfer: Transfer) -> None:
    """Book in, once the destination of each line is known. `sent` may arrive before that."""
    if all(transfer.at(line.number).match or transfer.at(line.number).failed for line in transfer.terms.lines):
        book_in(turn, transfer)


def _do(turn: Turn, transfer: Transfer, line: int, step: Step) -> None:
    begin_step(turn, transfer, line, step, BookIn(transfer.id, line, kind_of_step(step)))


@dataclass(frozen=True)
class BookIn(both_sides.TellsThatItWaits, OfLine, WhenStepEnds):
    """Carries on after a step of booking a line in; `step` is the step's class name."""

    step: StepKind

    def done(self, turn: Turn, event: StepDone) -> None:
        """Record the result and begin the next step, unless the transfer is disputed."""
        transfer = turn.transfer(self.transfer)
        if transfer is None:
            return
        transfer = both_sides.clear_wait(turn, transfer)
        progress = _recorded(replace(transfer.at(self.line), acting=StepKind.NONE, unknown=StepKind.NONE), event)
        if transfer.is_return and isinstance(event.result, PlacedAt):
            progress = replace(progress, stage="created", quantity=transfer.line(progress.number).quantity)
        transfer = with_progress(transfer, progress)
        turn.save(transfer)
        turn.note(transfer.id, audit.StepWasDone(self.step, progress.number))
        if progress.stage == "placed":
            return
        _furnish(turn, transfer, progress, self.step, event)
        if transfer.state is TransferState.DISPUTED:
            turn.note(transfer.id, audit.NothingFollows(progress.number))
        else:
            book_in(turn, transfer)

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Refuse the line for good, or wait for people if it came by parcel. Dispute an unknown outcome."""
        transfer = turn.transfer(self.transfer)
        if transfer is None:
            return
        if isinstance(event, StepUnknown):
            _on_unknown(turn, self, transfer, event)
        elif _can_be_fixed(transfer):
            _keep_in_transit(turn, self, transfer, event)
        else:
            _on_refused(turn, self, transfer, event)


def book_in(turn: Turn, transfer: Transfer) -> None:
    """Create the next line's item. When none is left, report the received and refused lines."""
    for line in transfer.terms.lines:
        progress = transfer.at(line.number)
        if progress.stage or progress.failed:
            continue
        if progress.part is None and not progress.create_part:
            transfer = with_progress(transfer, replace(progress, failed=NO_PART))
            turn.save(transfer)
            continue
        if progress.part is None:
            step: Step = CreatePart(
                step_mark(transfer, line.number, "part"), line.description, link_to_card(transfer, line)
            )
        elif transfer.is_return:
            step = take_back_step(turn, transfer, line.number)
        elif progress.match == ALREADY_HERE and progress.item is not None:
            step = _mark_as_here(turn, transfer, line, progress.part, progress.item)
        elif progress.item is not None and not progress.short:
            step = _book_in_again(turn, transfer, line, progress.part, progress.item)
        else:
            step = _create(turn, transfer, line, progress.part)
        _do(turn, transfer, line.number, step)
        return
    _answer(turn, transfer)


def _create(turn: Turn, transfer: Transfer, line: Line, part: int) -> CreateItem:
    return CreateItem(
        mark=step_mark(transfer, line.number, "in"),
        part=part,
        quantity=transfer.here(line.number),
        link=link_to_card(transfer, line),
        serial=transfer.serial_here(line.number),
        batch=line.batch,
        packaging=line.packaging,
        expiry=line.expiry,
        status=_status(line),
        notes=_where_from(turn, transfer, line),
        mirror=received_text(turn, transfer, transfer.at(line.number)),
        units=None if transfer.at(line.number).create_part else transfer.at(line.number).units,
    )


def _where_from(turn: Turn, transfer: Transfer, line: Line) -> str:
    """Return the notes of a new stock item; of something lost before, why its old record doesn't continue."""
    other = f", there with serial number {line.serial}" if transfer.at(line.number).serial else ""
    came = f"From {transfer.peer}{other}, {transfer.opened_in_history} ({transfer.code})"
    before = () if transfer.is_loan else balance.lost_before(turn, transfer.peer, line)
    lost = tuple(
        f"Was lost before: stock item {loan.at(number).item} ({loan.code}), moved or of another quantity or batch."
        for loan, number in before
    )
    return "\n".join((came, *lost, *_in_words(transfer, line)))


def _in_words(transfer: Transfer, line: Line) -> tuple[str, ...]:
    """Return the details for which our InvenTree has no field."""
    has_status = transfer.at(line.number).status_key is not None
    return stock.words_for_notes(line.details, without_status=has_status)


def _book_in_again(turn: Turn, transfer: Transfer, line: Line, part: int, item: int) -> BookInAgain:
    """Return the step for an item that was here before, so its record continues.

    A part has each serial number only once; and of what was lost, the record tells whose it was and where it went.
    """
    company = sequencing.connection_of(turn, transfer).company
    if company is None:
        raise ValueError(f"transfer {transfer.id} comes from a peer without a company")
    note = f"here again, from {names.party_in_history(turn.party_name(transfer.peer), transfer.peer)}"
    serial = transfer.serial_here(line.number)
    known = Known(part, serial, mark=_mark_of_gift(turn, transfer.peer, item))
    quantity = None if serial else transfer.here(line.number)
    return BookInAgain(
        step_mark(transfer, line.number, "in"), note, item, part, serial, company, _status(line), known, quantity
    )


def _mark_as_here(turn: Turn, transfer: Transfer, line: Line, part: int, item: int) -> MarkAsHere:
    """Return the step for a borrowed item that was entered here by hand before. Its record continues."""
    owner = names.party_in_history(turn.party_name(transfer.peer), transfer.peer)
    note = f"this belongs to {owner}, and was here before its bot announced it"
    quantity, serial = transfer.here(line.number), transfer.serial_here(line.number)
    return MarkAsHere(step_mark(transfer, line.number, "in"), note, item, part, quantity, serial)


def _mark_of_gift(turn: Turn, peer: str, item: int) -> str:
    """Return the prefix of the marks of the last transfer that gave that stock item of ours to the peer; '' if none."""
    with_item = turn.marked(Mark.ITEM, item)
    gifts = [t for t in with_item if t.role == "sender" and t.peer == peer and t.settled is None]
    marks = [step_mark(t, p.number, "") for t in gifts for p in t.progress if p.item == item and p.stage == "arrived"]
    return marks[-1] if marks else ""


def _status(line: Line) -> int:
    """The status with which it arrives: that of the line; 'attention' for one that no honest bot sends."""
    return line.status if line.status in TRAVELLING_STATUSES else STATUS_ATTENTION


def _furnish(turn: Turn, transfer: Transfer, progress: Progress, step: str, event: StepDone) -> None:
    """Send the other data to the new part or stock item. Nothing waits for it."""
    line = transfer.line(progress.number)
    mark, then = step_mark(transfer, line.number, "with"), FurnishLine(transfer.id, line.number)
    part_details = line.description.details
    if isinstance(event.result, PartCreated) and part_details != NO_PART_DETAILS:
        link = link_to_card(transfer, line)
        turn.do(Do(then, Furnish(mark, "part", event.result.part, part_details.tags, (), part_details, link)))
    elif isinstance(event.result, ItemCreated):
        is_new = step is StepKind.CREATE_ITEM  # otherwise our own record continues, with its own notes
        details, notes = line.details, () if is_new else _in_words(transfer, line)
        price = None if transfer.is_loan else details.price  # a borrowed item has no value in our books
        furnish = Furnish(
            mark,
            "stockitem",
            event.result.item,
            details.tags,
            notes,
            known=known_item(turn, transfer, line.number),
            status_key=progress.status_key,
            price=price,
            currency=details.currency if price is not None else "",
        )
        if details.tags or notes or progress.status_key is not None or price is not None:
            turn.do(Do(then, furnish))


@dataclass(frozen=True)
class FurnishLine(OfLine, WhenStepEnds):
    """Adds the other data that the sender told to the booked-in item, or to the part created for it."""

    def done(self, turn: Turn, _: StepDone) -> None:
        """Note it in the audit."""
        turn.note(self.transfer, audit.StepWasDone(StepKind.FURNISH, self.line))

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Tell the admins, so that a person can add it. Nothing waits for it."""
        transfer = turn.transfer(self.transfer)
        if transfer is not None:
            phrase = say(messages.card_lines.not_furnished, transfer=transfer, line=self.line, problem=event.problem)
            turn.tell_admins(phrase, f"furnish:{transfer.id}:{self.line}")


def _recorded(progress: Progress, event: StepDone) -> Progress:
    """Return the line's progress with the result of this step."""
    match event.result:
        case PlacedAt(item, location, place):
            return replace(progress, stage="placed", item=item, location=location, place=place)
        case PartCreated(part):
            return replace(progress, part=part)
        case ItemCreated(item, quantity, mirrored):
            return replace(progress, stage="created", item=item, quantity=quantity, mirrored=mirrored)
    return progress


def _keep_in_transit(turn: Turn, then: BookIn, transfer: Transfer, event: StepRefused) -> None:
    """Keep a parcel that our InvenTree refuses in transit: people fix the cause and report its arrival again."""
    transfer = both_sides.clear_wait(turn, transfer)
    parcel = transfer.parcel or Parcel()
    turn.note(transfer.id, audit.StepWasRefused(then.line, event.problem, waits=True))
    transfer = _without_arrival(replace(transfer, state=TransferState.SENT, parcel=replace(parcel, received=None)))
    transfer = with_progress(transfer, replace(transfer.at(then.line), acting=StepKind.NONE))
    turn.save(transfer)
    look_for_parts(turn, transfer)  # another part may fit by now, or the same one again
    by = parcel.received.person if parcel.received else ""
    phrase = say(
        messages.parcel.parcel_not_booked_in,
        transfer=transfer,
        person=by,
        name=turn.name_of(by, transfer.room),
        problem=event.problem,
    )
    key = MessageKind.UNBOOKED.of(transfer.id, f"{then.line}:{turn.now.isoformat()}")
    turn.do(Post(key, transfer.room, phrase, thread=both_sides.thread_of(transfer), mentions=(by,)))


def _without_arrival(transfer: Transfer) -> Transfer:
    """Return the parcel without any report on how much of it arrived."""
    for progress in transfer.progress:
        failed = "" if progress.failed == NOT_IN_PARCEL else progress.failed
        transfer = with_progress(transfer, replace(progress, failed=failed, short=Decimal(0)))
    return transfer


def _can_be_fixed(transfer: Transfer) -> bool:
    """Whether nothing of it is booked in yet, so that an approver can report the parcel's arrival again."""
    is_here = transfer.parcel is not None and transfer.parcel.received is not None and transfer.settled is None
    return transfer.state is TransferState.CREDITING and is_here and not any(p.stage for p in transfer.progress)


def _on_refused(turn: Turn, then: BookIn, transfer: Transfer, event: StepRefused) -> None:
    """Refuse the line for good if its item doesn't exist yet. If it does, tell the admins."""
    transfer = both_sides.clear_wait(turn, transfer)
    progress = replace(transfer.at(then.line), acting=StepKind.NONE)
    turn.note(transfer.id, audit.StepWasRefused(progress.number, event.problem))
    if progress.stage:
        _not_put_away(turn, with_progress(transfer, progress), progress, event.problem)
        return
    reason = both_sides.refusal_reason(event)
    transfer = with_progress(transfer, replace(progress, failed=reason))
    if transfer.state is not TransferState.CREDITING:
        turn.save(transfer)
        return
    transfer = replace(transfer, problem=reason, obstacle=event.problem)
    turn.save(transfer)
    book_in(turn, transfer)


def _on_unknown(turn: Turn, then: BookIn, transfer: Transfer, event: StepUnknown) -> None:
    """Dispute a step with unknown outcome. If only putting away is unknown, tell the admins."""
    progress = replace(transfer.at(then.line), acting=StepKind.NONE)
    if progress.stage:
        _not_put_away(turn, with_progress(transfer, progress), progress, event.problem)
        return
    unclear = replace(progress, unknown=then.step)
    both_sides.dispute(turn, with_progress(transfer, unclear), progress.number, event.problem)


def _not_put_away(turn: Turn, transfer: Transfer, progress: Progress, problem: Diagnosis) -> None:
    turn.save(transfer)
    turn.tell_admins(both_sides.not_put_away(turn, transfer, problem), f"away:{transfer.id}:{progress.number}")


def _answer(turn: Turn, transfer: Transfer) -> None:
    created = [p for p in transfer.progress if p.stage == "created"]
    failed = [p for p in transfer.progress if p.failed and p.failed != FAILED_AT_SENDER]
    refused = tuple(bodies.FailedLine(number=p.number, reason=p.failed) for p in failed)
    settled = both_sides.settled_by_us(turn, transfer)
    if transfer.is_return and transfer.is_settled_alone:
        _end_alone(turn, transfer, returned=bool(created))
        return
    if not created:
        transfer = replace(transfer, state=TransferState.REFUSED)
        body: bodies.Truth = bodies.Refused(reason=transfer.problem[:200], refused=refused, settled=settled)
    else:
        transfer = replace(transfer, state=TransferState.RECEIVED)
        items = tuple(_as_booked_in(transfer, progress) for progress in created)
        by = both_sides.said_by(transfer.parcel.received if transfer.parcel is not None else None)
        body = bodies.Received(items=items, refused=refused, settled=settled, **by)
    transfer, draft = sequencing.write(turn, transfer, body, awaits=True)
    turn.save(transfer)
    turn.note(
        transfer.id, audit.TransferIs(transfer.state, stock_items=tuple(p.item for p in created if p.item is not None))
    )
    both_sides.send(turn, transfer, draft)
    if transfer.moves_what_is_lent:
        label.show(turn, transfer)
    if transfer.is_return:  # it is already back in its old location
        end.on_return_finished(turn, transfer)
        return
    end.note_turned_up(turn, transfer)
    for progress in created:
        put_away(turn, transfer, progress)
        if not progress.mirrored:
            mirror_received(turn, transfer, progress)


def _as_booked_in(transfer: Transfer, progress: Progress) -> bodies.BookedIn:
    """Return the report on a line to the sender: the serial number if it differs here, the quantity if it was less."""
    return bodies.BookedIn(
        number=progress.number,
        item=progress.item,
        part=progress.part,
        place=progress.place,
        serial=progress.serial,
        quantity=transfer.came(progress.number) if progress.short else None,
        files=files.wanted(transfer, progress) if transfer.line(progress.number).tells_of_files else (),
    )


def _end_alone(turn: Turn, transfer: Transfer, *, returned: bool) -> None:
    """End a return that our people settled alone, and tell them: the peer is gone."""
    state = TransferState.DONE if returned else TransferState.ABORTED
    transfer = replace(transfer, state=state, ended=turn.now, problem="" if returned else transfer.progress[0].failed)
    turn.save(transfer)
    turn.note(transfer.id, audit.TransferIs(state))
    label.show(turn, transfer)
    end.on_return_finished(turn, transfer)
    if (loan := turn.transfer(transfer.terms.parent)) is not None:
        end.tell_closed_alone(turn, loan)
    both_sides.post_end(turn, transfer)


def put_away(turn: Turn, transfer: Transfer, progress: Progress) -> None:
    """Move it from *Incoming* to its location."""
    _do(turn, transfer, progress.number, _put_away(turn, transfer, progress))


def _put_away(turn: Turn, transfer: Transfer, progress: Progress) -> PutAway:
    if progress.item is None:
        raise ValueError(f"transfer {transfer.id} has nothing to put away")
    decided = transfer.decided.in_history if transfer.decided else "?"
    sender = names.party_in_history(turn.party_name(transfer.peer), transfer.peer)
    verb = "borrowed" if transfer.is_loan else "received"
    until = label.until(transfer) if transfer.is_loan else ""
    note = f"{verb} from {sender}{until}, {transfer.opened_in_history}, approved by {decided}"
    if transfer.parcel is not None and transfer.parcel.received is not None:
        note += f", by parcel, received by {transfer.parcel.received.in_history}"
    if transfer.settled:
        note += f", settled by {transfer.settled.by.in_history}"
    known = known_item(turn, transfer, progress.number)
    where = progress.location
    return PutAway(step_mark(transfer, progress.number, "away"), note, progress.item, progress.quantity, where, known)


# --- offers -----------------------------------------------------------------------------------------------------


def on_offer(
    turn: Turn, connection: Connection, envelope: Message[bodies.Offer], sealed: dict[str, Any], event_id: str = ""
) -> None:
    """Take in a peer's offer, and read our InvenTree before the card is posted. Raises BadTerms if it is invalid."""
    transfer = opening.peers_transfer(turn, connection, envelope, event_id)
    terms = transfer.terms
    texts = metadata_in(sealed)
    progress = (replace(p, metadata=texts.get(str(p.number), "")) for p in transfer.progress)
    transfer = replace(transfer, progress=tuple(progress))
    turn.note_by(transfer.id, audit.Asked(audit.Asking.OFFER, connection.peer, by_peer=True), transfer.asked)
    if any(origin_forbids(line.origin, turn.us.party) for line in terms.lines):
        _ask_sender(turn, transfer, "decline", None, "chain")
        return
    turn.save(transfer)
    provision.mirror(turn, connection)
    look_for_parts(turn, transfer)
