"""The sender's side of a transfer: its decisions until the stock leaves, then the stock is taken out and handed over.

The other side's wishes are requests to it. Just before anything moves, the sender checks an approval again: our own
person's permission, and merges into the stock since (UC6).

The debit always comes before the credit. Each line moves alone: it is taken out, then handed over, and a failing line
leaves the others unchanged. Lines that the receiver refuses are booked back in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal

from fedbot import messages
from fedbot.rules import card_content, names
from fedbot.rules.catalogue import merged_stock
from fedbot.rules.catalogue.provenance import given_text, known_item, mirror_given
from fedbot.rules.connection import provision
from fedbot.rules.loan import balance, bookings, end, label, outside, overdue
from fedbot.rules.loan.bookings import show_bookings
from fedbot.rules.model import audit
from fedbot.rules.model.care import taken_out
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.diagnosis import CHANGED, Apart, Diagnosis, Fault, ItemFault, OfItem, Plain, StaysApart
from fedbot.rules.model.effects import Ask, say
from fedbot.rules.model.events import Answered, EnvelopeSeen, StepDone, StepRefused, StepUnknown
from fedbot.rules.model.lending import OutsideLoan
from fedbot.rules.model.lifecycles import BEFORE_DEBIT, FINAL, TransferState
from fedbot.rules.model.queries import (
    FindItems,
    ItemSeen,
    ItemsFound,
    ItemsSeen,
    OfLine,
    PersonPermissions,
    Query,
    WhenAnswered,
    WhenStepEnds,
    WhereIsIt,
)
from fedbot.rules.model.steps import (
    Arrived,
    HandedOver,
    HandOver,
    Known,
    MergeBack,
    MergedBack,
    PlacedAt,
    PutBack,
    Step,
    StepKind,
    TakeBack,
    Taken,
    TakeOut,
    kind_of_step,
)
from fedbot.rules.model.stock import STATUS_LOST, Permission, Permissions
from fedbot.rules.model.transfer import NOT_IN_PARCEL, Line, Progress, Transfer, less_of, step_mark, with_progress
from fedbot.rules.protocol import bodies, sequencing
from fedbot.rules.protocol.bodies import BookedIn, Message
from fedbot.rules.protocol.terms import presentable
from fedbot.rules.state import Turn
from fedbot.rules.transfer import booking, both_sides, files, opening
from fedbot.rules.transfer.both_sides import begin_step, on_these_terms

# --- the sender's decisions until the stock is sent ---


OTHER_THAN_SHOWN = "other-than-shown"
DONT_MIX = "practice"
BORROWED_BY_NOW = "borrowed-by-now"


def on_approve(turn: Turn, transfer: Transfer, envelope: Message[bodies.Approve], event_id: str, at: datetime) -> None:
    """Decide whether the receiver's approval counts: the receiver must be the one who decides, and in time."""
    waits = transfer.state is TransferState.OPEN and envelope.terms_hash == transfer.terms_hash
    if not waits or transfer.terms.decider != transfer.peer:
        turn.save(transfer)
        return
    if min(at, turn.now) > transfer.due:
        both_sides.end(turn, transfer, TransferState.EXPIRED, None)
        return
    transfer = both_sides.with_delivery(transfer, envelope.body)
    decided = both_sides.signature_in(turn, envelope, transfer.peer, event_id)
    if transfer.waits_for_release:
        _wait_for_our_second(turn, transfer, decided)
    else:
        approve(turn, transfer, decided)


def _wait_for_our_second(turn: Turn, transfer: Transfer, decided: Signature) -> None:
    """Note the receiver's approval. Only one of our two people has approved, so just acknowledge it."""
    transfer, draft = sequencing.write(turn, replace(transfer, peer_agreed=decided), bodies.Noted())
    turn.save(transfer)
    turn.note_by(transfer.id, audit.Fact.AGREED_THERE, decided)
    both_sides.send(turn, transfer, draft)


def release(turn: Turn, transfer: Transfer, second: Signature) -> None:
    """Our second person approves our own offer. It leaves as soon as the receiver has approved, too."""
    transfer = replace(transfer, released=second)
    turn.save(transfer)
    turn.note_by(transfer.id, audit.Fact.RELEASED, second)
    if transfer.peer_agreed is not None:
        approve(turn, transfer, transfer.peer_agreed)
    else:
        both_sides.edit_card(turn, transfer)


def withdraw(turn: Turn, transfer: Transfer, by: Signature) -> None:
    """Withdraw our own offer, because one of our people declines it."""
    both_sides.end(turn, transfer, TransferState.CANCELLED, by)


def approve(turn: Turn, transfer: Transfer, decided: Signature) -> None:
    """Begin an approved transfer: read our own person's permissions again, then debit. A booking waits for its day."""
    if transfer.terms.starts is not None:
        booking.book(turn, transfer, decided)
        return
    if set(bookings.conflicts(turn, transfer)) - set(transfer.over):  # a request's card would have shown them
        both_sides.end(turn, transfer, TransferState.ABORTED, None, bookings.BOOKED_THEN)
        return
    transfer = replace(transfer, state=TransferState.APPROVED, decided=decided, decision=None)
    turn.save(transfer)
    turn.note_by(transfer.id, audit.TransferIs(TransferState.APPROVED), decided)
    check_again(turn, transfer)


def grant(turn: Turn, transfer: Transfer, decided: Signature, quantity: Decimal | None = None) -> None:
    """Grant less, or the whole of a request to several spaces. The asker's side has to confirm it.

    Raises ValueError for a quantity that can't be granted.
    """
    lines = transfer.terms.lines if quantity is None else less_of(transfer.terms.lines, quantity)
    if lines is None:
        raise ValueError(f"of {transfer.code} {quantity} can't be granted")
    what = audit.Fact.GRANTED if quantity is None else audit.Fact.LESS_GRANTED
    terms = replace(transfer.terms, lines=lines)
    transfer = replace(on_these_terms(transfer, terms), granted=decided, decision=None)
    transfer = replace(transfer, consented=card_content.hash_of(card_content.of_transfer(transfer)))
    body = bodies.Granted(terms=terms, **both_sides.said_by(decided))
    transfer, draft = sequencing.write(turn, transfer, body, awaits=True)
    turn.save(transfer)
    turn.note_by(transfer.id, what, decided)
    both_sides.edit_card(turn, transfer, draft)


def on_confirmed(
    turn: Turn, transfer: Transfer, envelope: Message[bodies.Approve], event_id: str, at: datetime
) -> None:
    """Take over the confirmation of our grant. Both sides have decided on this hash, so the stock may move."""
    waits = transfer.state is TransferState.OPEN and envelope.terms_hash == transfer.terms_hash
    if transfer.granted is None or not waits:
        turn.save(transfer)
        return
    if min(at, turn.now) > transfer.due:
        both_sides.end(turn, transfer, TransferState.EXPIRED, None)
        return
    by = both_sides.signature_in(turn, envelope, transfer.peer, event_id)
    turn.note_by(transfer.id, audit.Fact.CONFIRMED if transfer.terms.confirm else audit.Fact.LESS_TAKEN, by)
    transfer = both_sides.with_delivery(replace(transfer, peer_agreed=by), envelope.body)
    approve(turn, transfer, transfer.granted or by)


def on_picked_up(turn: Turn, transfer: Transfer, by: Signature) -> None:
    """Send a booked item that was picked up, as our approver says."""
    transfer = replace(transfer, state=TransferState.APPROVED, handed=by, decision=None)
    turn.save(transfer)
    turn.note_by(transfer.id, audit.Fact.FETCHED, by)
    check_again(turn, transfer)


def check_again(turn: Turn, transfer: Transfer) -> None:
    """Read our own person's permission again before anything moves: of the one who offered, else who decided.

    For a booking it is the person who hands it over, because the approver of months ago may have left. A return that
    the lender asked for was decided there, so no person of ours needs a permission. Items of a part that a third
    space's items share are checked again, and so is their value.
    """
    ours = transfer.handed or (transfer.decided if transfer.terms.kind == "request" else transfer.asked)
    lines = transfer.terms.lines
    mixed = {part for part in {ln.part for ln in lines} if merged_stock.has_part_of_others(turn, part, transfer.peer)}
    may_need_care = _may_need_care(turn, transfer)
    items = {line.item: line.part in mixed for line in lines if may_need_care or line.part in mixed}
    categories = may_need_care and turn.us.looks_at_categories
    queries: list[Query] = [FindItems(f"#{item}", categories, merges=is_mixed) for item, is_mixed in items.items()]
    usernames = [ours.username] if ours is not None and ours.party == turn.us.party else []
    takes_two = transfer.care and (transfer.handed is None or transfer.dearer)
    two_people = (transfer.first_yes, transfer.released) if takes_two else ()
    usernames += [one.username for one in two_people if one is not None]
    queries += [PersonPermissions(username) for username in dict.fromkeys(usernames)]
    if queries:
        turn.do(Ask(Debit(transfer.id), tuple(queries)))
    else:
        _begin_debit(turn, transfer)


def on_decline(turn: Turn, transfer: Transfer, envelope: Message[bodies.Decline], event: EnvelopeSeen) -> None:
    """Decline, because the receiver's approver did."""
    if transfer.state is TransferState.OPEN:
        by = both_sides.signature_in(turn, envelope, transfer.peer, event.event_id)
        both_sides.end(turn, transfer, TransferState.DECLINED, by, envelope.body.reason)
    else:
        turn.save(transfer)


def on_cancel(turn: Turn, transfer: Transfer, envelope: Message[bodies.Cancel], event: EnvelopeSeen) -> None:
    """Cancel for the receiver's side, as long as nothing has moved."""
    if transfer.state in BEFORE_DEBIT:
        by = both_sides.signature_in(turn, envelope, transfer.peer, event.event_id)
        both_sides.end(turn, transfer, TransferState.CANCELLED, by, envelope.body.reason)
    else:
        turn.save(transfer)


def expire(turn: Turn, transfer: Transfer) -> None:
    """Expire an undecided transfer. Call it only after a complete sync that began at `turn.now`."""
    if is_over(turn, transfer):
        why = booking.why_lapsed(transfer) if transfer.state is TransferState.BOOKED else ""
        both_sides.end(turn, transfer, TransferState.EXPIRED, None, why)


def is_over(turn: Turn, transfer: Transfer) -> bool:
    """Whether its deadline has passed at `turn.now` without a decision, and we, the sender, decide that."""
    undecided = transfer.state in {TransferState.OPEN, TransferState.BOOKED} and transfer.decision is None
    is_due = transfer.role == "sender" and undecided and transfer.due < turn.now
    return is_due and (transfer.state is TransferState.OPEN or booking.may_lapse(turn, transfer))


@dataclass(frozen=True)
class Debit(both_sides.TellsThatItWaits, WhenAnswered):
    """Reads permissions and stock a last time before the debit."""

    def answered(self, turn: Turn, event: Answered) -> None:
        """Abort without the permission, or with a third space's stock in it; else debit."""
        transfer = turn.transfer(self.transfer)
        if transfer is None or transfer.state is not TransferState.APPROVED:
            return
        transfer = both_sides.clear_wait(turn, transfer)
        # the lender's approver decides on a return
        permission = Permission.MAPPED if transfer.is_return else Permission.APPROVER
        if any(isinstance(answer, Permissions) and not answer.covers(permission) for answer in event.answers):
            both_sides.end(turn, transfer, TransferState.ABORTED, None, "right-lost")
        elif any(isinstance(answer, ItemsFound) and _is_mixed(turn, transfer, answer) for answer in event.answers):
            both_sides.end(turn, transfer, TransferState.ABORTED, None, "merged")
        elif _may_need_care(turn, transfer) and (why := _why_care(turn, transfer, event.answers)):
            _ask_two_people(turn, transfer, why)
        else:
            _begin_debit(turn, transfer)


def _may_need_care(turn: Turn, transfer: Transfer) -> bool:
    """Whether prices or locations may have changed so that it takes two people, which it didn't before."""
    return turn.us.care.is_on and not transfer.care and not transfer.is_return


def _why_care(turn: Turn, transfer: Transfer, answers: Sequence[object]) -> str:
    """Return why it takes two people as of this read; '' if it doesn't."""
    found = {item.pk: item for answer in answers if isinstance(answer, ItemsFound) for item in answer.items}
    lines = (line for line in transfer.terms.lines if line.item in found)
    return turn.us.care.why(taken_out(found[line.item], line.quantity) for line in lines)


def _ask_two_people(turn: Turn, transfer: Transfer, why: str) -> None:
    """Void the one person's decision, and ask two people with a new card. The other side's approval stays valid."""
    turn.note(transfer.id, audit.NeedsCare(why))
    void = transfer.handed or transfer.decided
    transfer = replace(transfer, care=True, dearer=True, consented="", first_yes=None)
    if transfer.handed is not None:
        transfer = replace(transfer, state=TransferState.BOOKED, handed=None)
    else:
        transfer = replace(transfer, state=TransferState.OPEN, decided=None, granted=None)
    people = (turn.who_may(Permission.APPROVER),)
    if transfer.is_our_offer:
        transfer = opening.asked_with_care(turn, replace(transfer, peer_agreed=void), transfer.asked)
        turn.do(Ask(opening.ShowReleaseCard(transfer.id), people))
    else:
        turn.do(Ask(opening.ShowChangedCard(transfer.id, void.person if void else ""), people))
    turn.save(transfer)


def _is_mixed(turn: Turn, transfer: Transfer, found: ItemsFound) -> bool:
    """Whether less than agreed remains without the quantity that may belong to a third space."""
    for item in found.items:
        wanted = sum((line.quantity for line in transfer.terms.lines if line.item == item.pk), Decimal(0))
        kept = merged_stock.total(merged_stock.hidden(turn, item, found, transfer.peer))
        if kept and wanted > item.quantity - kept:
            return True
    return False


def _begin_debit(turn: Turn, transfer: Transfer) -> None:
    connection = turn.connection(transfer.connection)
    if connection is None or connection.company is None or not transfer.is_carried_by(connection):
        both_sides.end(turn, transfer, TransferState.ABORTED, None, "connection")
    elif reason := _why_not_debit(turn, transfer):
        both_sides.end(turn, transfer, TransferState.ABORTED, None, reason)
    else:
        transfer = replace(transfer, state=TransferState.DEBITING)
        turn.save(transfer)
        go_on(turn, transfer, connection)


def _why_not_debit(turn: Turn, transfer: Transfer) -> str:
    """Return the reason code for which the items may not leave any more; '' if they may."""
    lines = transfer.terms.lines
    if transfer.terms.outside is None and overdue.is_refused(turn, transfer):  # a neighbour already has its loan
        return overdue.NO_LOANS
    if not all(turn.may_move(transfer.peer, line.part) for line in lines if not line.of_line):
        return DONT_MIX
    if card_content.changes_since_approval(turn.us, transfer):
        return OTHER_THAN_SHOWN
    if not transfer.is_return and balance.became_borrowed(turn, {line.item for line in lines}, transfer.id):
        return BORROWED_BY_NOW
    return ""


# --- the movement: out of the stock, over to the peer, and back if it is refused ---


LONGEST_SERIAL = 100  # InvenTree's own limit
NOT_OUT_THERE = "not-out-there"
"""Reason code: a neighbour's loan is not handed over to its new bot, because our books of it may be wrong."""
MERGE = "merge"
"""The step in the mark of a merge."""


# --- the debit ---


def go_on(turn: Turn, transfer: Transfer, connection: Connection) -> None:
    """Start the next line, or close the debit: `sent`, or `aborted` if no line could be handed over."""
    for line in transfer.terms.lines:
        progress = transfer.at(line.number)
        if progress.stage in {"", "brought"} and not progress.failed:
            _take_out(turn, transfer, line, connection)
            return
    if all(p.failed for p in transfer.progress):
        both_sides.end(turn, transfer, TransferState.ABORTED, None, transfer.progress[0].failed)
        return
    _sent(turn, transfer)


def _do(turn: Turn, transfer: Transfer, line: int, step: Step) -> None:
    begin_step(turn, transfer, line, step, BookOut(transfer.id, line, kind_of_step(step)))


@dataclass(frozen=True)
class BookOut(both_sides.TellsThatItWaits, OfLine, WhenStepEnds):
    """Carries on after a step of booking a line out, or back in; `step` is the step's class name."""

    step: StepKind

    def done(self, turn: Turn, event: StepDone) -> None:
        """Record the result and begin the next step, unless the transfer is disputed."""
        transfer = turn.transfer(self.transfer)
        if transfer is None:
            return
        transfer = both_sides.clear_wait(turn, transfer)
        connection = sequencing.connection_of(turn, transfer)
        before = replace(transfer.at(self.line), acting=StepKind.NONE, unknown=StepKind.NONE)
        progress = _recorded(before, event, self.step, source=transfer.line(self.line).item)
        transfer = with_progress(transfer, progress)
        turn.save(transfer)
        turn.note(transfer.id, audit.StepWasDone(self.step, progress.number))
        if isinstance(event.result, MergedBack) and not event.result.adds_up:
            _ask_to_count(turn, transfer, progress, OfItem(ItemFault.CHANGED_WHILE_MERGED, event.result.item))
        if transfer.state is TransferState.DISPUTED:
            turn.note(transfer.id, audit.NothingFollows(progress.number))
        elif self.step in {StepKind.PUT_BACK, StepKind.TAKE_BACK} and _may_be_merged_back(transfer, progress):
            merge_back(turn, transfer, progress, connection)
        elif progress.stage == "taken":
            hand_over(turn, transfer, progress, connection)
        elif transfer.state is TransferState.DEBITING:
            go_on(turn, transfer, connection)
        elif progress.short_item and progress.stage == "handed":
            mark_arrived(turn, transfer, progress, connection)
        else:
            finish(turn, transfer, connection)

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Put the line back if it was refused before the hand-over.

        Otherwise, or if nobody can tell, people must look.
        """
        transfer = turn.transfer(self.transfer)
        if transfer is None:
            return
        if isinstance(event, StepRefused):
            _on_refused(turn, self, transfer, event)
        else:
            _on_unknown(turn, self, transfer, event)


def _sentence(transfer: Transfer, connection: Connection, what: str) -> str:
    settled = f", settled by {transfer.settled.by.in_history}" if transfer.settled else ""
    decided = transfer.decided.in_history if transfer.decided else "?"
    peer = names.party_in_history(connection.peer_name, connection.peer)
    until = label.until(transfer) if transfer.is_loan else ""
    return f"{what} {peer}{until}, {transfer.opened_in_history}, approved by {decided}{settled}"


def _given_to(transfer: Transfer) -> str:
    """Return the words for a hand-over in InvenTree's history."""
    if transfer.is_return:
        return "returned to"
    return "lent to" if transfer.is_loan else "given to"


def _take_out(turn: Turn, transfer: Transfer, line: Line, connection: Connection) -> None:
    """Bring an item back from a neighbour without a bot into our stock first, if it is one. Then take it out."""
    progress = transfer.at(line.number)
    if transfer.terms.outside is None or progress.stage == "brought":
        _do(turn, transfer, line.number, _take_out_step(turn, transfer, line, connection))
        return
    step = outside.bring_back_step(turn, transfer, _sentence(transfer, connection, "had already by"))
    if step is not None:
        _do(turn, transfer, line.number, step)
    else:
        go_on(turn, with_progress(transfer, replace(progress, failed=NOT_OUT_THERE)), connection)


def _take_out_step(turn: Turn, transfer: Transfer, line: Line, connection: Connection) -> TakeOut:
    """Return the step. A returned item must be the borrowed one, but people may have changed its batch."""
    loan = turn.transfer(transfer.terms.parent) if transfer.is_return else None
    item = transfer.at(line.number).item or line.item
    known = known_item(turn, loan, line.of_line) if loan else None
    if known is not None and item != line.item:  # a merged item has no mark of ours
        known = Known(known.part)
    return TakeOut(
        mark=step_mark(transfer, line.number, "out"),
        note=_sentence(transfer, connection, "on its way back to" if loan else "on its way to"),
        item=item,
        part=line.part,
        quantity=line.quantity,
        serial=loan.serial_here(line.of_line) if loan else line.serial,
        batch=line.batch if loan is None else None,
        status=line.status if loan is None else None,
        status_text=line.status_text if loan is None else "",
        known=known,
        company=connection.company,
        units=line.description.units if loan is None else None,
    )


def _rest_is_out(progress: Progress) -> bool:
    """Whether the missing part of that line is still with the peer's company."""
    return progress.stage == "handed" and progress.short > 0 and progress.short_item is None


def _recorded(progress: Progress, event: StepDone, step: StepKind, source: int) -> Progress:
    """Return the line's progress with the result of this step. `source` is the item that the terms name."""
    match event.result:
        case Taken(item, quantity, status, location, whole):
            split_from = None if whole else progress.item or source
            taken = replace(progress, stage="taken", item=item, quantity=quantity, status=status, location=location)
            return replace(taken, split_from=split_from)
        case MergedBack(item):
            return replace(progress, stage="back", item=item, split_from=item, apart=None)
        case HandedOver() if step is StepKind.ARRIVED:
            return replace(progress, stage="arrived")
        case HandedOver(_, mirrored):
            return replace(progress, stage="handed", mirrored=mirrored)
        case PlacedAt(item) if not progress.stage:
            return replace(progress, stage="brought", item=item)
        case PlacedAt(item) if _rest_is_out(progress):
            return replace(progress, short_item=item, quantity=progress.quantity - progress.short)
        case PlacedAt():
            return replace(progress, stage="back")
    return progress


def hand_over(turn: Turn, transfer: Transfer, progress: Progress, connection: Connection) -> None:
    """Hand the item in *Outgoing* over to the peer's company."""
    _do(turn, transfer, progress.number, _hand_over(turn, transfer, progress, connection))


def _hand_over(turn: Turn, transfer: Transfer, progress: Progress, connection: Connection) -> HandOver:
    if progress.item is None or connection.company is None:
        raise ValueError(f"transfer {transfer.id} has nothing to hand over, or nobody to hand it to")
    return HandOver(
        mark=step_mark(transfer, progress.number, "over"),
        note=_sentence(transfer, connection, _given_to(transfer)),
        item=progress.item,
        quantity=progress.quantity,
        company=connection.company,
        known=known_item(turn, transfer, progress.number),
        mirror=given_text(transfer, progress),
    )


def _on_refused(turn: Turn, then: BookOut, transfer: Transfer, event: StepRefused) -> None:
    transfer = both_sides.clear_wait(turn, transfer)
    connection = sequencing.connection_of(turn, transfer)
    step = then.step
    progress = replace(transfer.at(then.line), acting=StepKind.NONE)
    turn.note(transfer.id, audit.StepWasRefused(progress.number, event.problem))
    if step is StepKind.ARRIVED:
        _not_marked(turn, transfer, progress, connection, event.problem)
        return
    if step is StepKind.MERGE_BACK:
        _stays_apart(turn, transfer, progress, connection, event.problem)
        return
    if _rest_is_out(progress):
        _rest_by_hand(turn, transfer, progress, connection, event.problem)
        return
    if transfer.state is TransferState.DISPUTED and step is StepKind.TAKE_OUT:
        turn.save(with_progress(transfer, replace(progress, failed=both_sides.refusal_reason(event))))
        return
    if transfer.state is not TransferState.DEBITING or progress.failed:
        unclear = with_progress(transfer, replace(progress, unknown=step))
        both_sides.dispute(turn, unclear, progress.number, event.problem)
        return
    if step is StepKind.TAKE_BACK and not progress.stage:
        go_on(turn, _fail_neighbours_line(turn, transfer, progress, event), connection)
        return
    if step is StepKind.TAKE_OUT and event.reason == CHANGED:
        _ask_to_count(turn, transfer, progress, event.problem)
    transfer = with_progress(transfer, replace(progress, failed=both_sides.refusal_reason(event)))
    turn.save(transfer)
    if progress.stage != "taken" or progress.item is None:
        go_on(turn, transfer, connection)
    else:
        put_back(turn, transfer, progress, connection)


def _on_unknown(turn: Turn, then: BookOut, transfer: Transfer, event: StepUnknown) -> None:
    """Dispute the transfer, because a step's outcome is unknown. For the mark 'arrived' that isn't needed."""
    connection = sequencing.connection_of(turn, transfer)
    progress = replace(transfer.at(then.line), acting=StepKind.NONE)
    if then.step is StepKind.TAKE_BACK and not progress.stage:
        go_on(turn, _fail_neighbours_line(turn, transfer, progress, event), connection)
    elif then.step is StepKind.ARRIVED:
        _not_marked(turn, transfer, progress, connection, event.problem)
    elif then.step is StepKind.MERGE_BACK:
        _stays_apart(turn, transfer, progress, connection, event.problem)
    elif _rest_is_out(progress):
        _rest_by_hand(turn, transfer, progress, connection, event.problem)
    else:
        unclear = with_progress(transfer, replace(progress, unknown=then.step))
        both_sides.dispute(turn, unclear, progress.number, event.problem)


def _fail_neighbours_line(
    turn: Turn, transfer: Transfer, progress: Progress, event: StepRefused | StepUnknown
) -> Transfer:
    """Fail a neighbour's line whose item isn't where our books say, or may not be. Our people look into that loan."""
    loan = turn.get(OutsideLoan, transfer.terms.outside.loan) if transfer.terms.outside else None
    if loan is not None:
        turn.save(replace(loan, problem=event.problem))
    return with_progress(transfer, replace(progress, failed=NOT_OUT_THERE))


def put_back(turn: Turn, transfer: Transfer, progress: Progress, connection: Connection) -> None:
    """Put an item back that was taken out, but isn't handed over."""
    if progress.item is None:
        raise ValueError(f"transfer {transfer.id} has nothing to put back")
    step = PutBack(
        mark=step_mark(transfer, progress.number, "putback"),
        note=_sentence(transfer, connection, "not given to"),
        item=progress.item,
        quantity=progress.quantity,
        location=progress.location,
        status=progress.status,
        known=known_item(turn, transfer, progress.number),
        source=progress.split_from,
    )
    _do(turn, transfer, progress.number, step)


def _may_be_merged_back(transfer: Transfer, progress: Progress) -> bool:
    """Whether the line came back as a stock item of its own that its source may take in again.

    A lost item stays apart, and so does a neighbour's, which is booked out to it again.
    """
    is_sound = progress.status != STATUS_LOST and transfer.terms.outside is None
    return progress.is_apart and is_sound


def merge_back(turn: Turn, transfer: Transfer, progress: Progress, connection: Connection) -> None:
    """Merge an item that was split off, and is back, into its source. If that can't be, both stay as they are."""
    if progress.item is None or progress.split_from is None:
        raise ValueError(f"transfer {transfer.id} has nothing to merge")
    why = "not given to" if transfer.state is TransferState.DEBITING else _why_it_is_back(transfer, progress)
    step = MergeBack(
        mark=step_mark(transfer, progress.number, MERGE),
        note=_sentence(transfer, connection, f"put back here, {why}"),
        item=progress.item,
        source=progress.split_from,
        part=transfer.line(progress.number).part,
        quantity=progress.quantity,
    )
    _do(turn, transfer, progress.number, step)


def _stays_apart(
    turn: Turn, transfer: Transfer, progress: Progress, connection: Connection, problem: Diagnosis
) -> None:
    """Go on without merging, and remember why. If one of the items is gone, or nobody can tell, tell the admins."""
    transfer = with_progress(transfer, replace(progress, apart=problem))
    turn.save(transfer)
    if not isinstance(problem, StaysApart) or problem.why is Apart.GONE:
        phrase = say(messages.parcel.not_merged_back, transfer=transfer, progress=progress, problem=problem)
        turn.tell_admins(phrase, f"apart:{transfer.id}:{progress.number}")
    if transfer.state is TransferState.DEBITING:
        go_on(turn, transfer, connection)
    elif transfer.state is not TransferState.DISPUTED:
        finish(turn, transfer, connection)


def find_merged_back(turn: Turn, transfer: Transfer) -> None:
    """After a loss of the journal: find out whether lines that are back were merged into their source."""
    for progress in transfer.progress:
        items = tuple(item for item in (progress.item, progress.split_from) if item is not None)
        if progress.is_apart:
            mark = f"fed:{transfer.id}:{progress.number}"
            turn.do(Ask(FindMergedBack(transfer.id, progress.number), (WhereIsIt(mark, items),)))


@dataclass(frozen=True)
class FindMergedBack(OfLine, WhenAnswered):
    """Reads whether an item that is back was merged into its source, whose history then has our mark."""

    def answered(self, turn: Turn, event: Answered) -> None:
        """Note the source as the line's item, and correct the card."""
        transfer, (seen,) = turn.transfer(self.transfer), event.answers
        if transfer is None or not isinstance(seen, ItemsSeen):
            raise TypeError(f"it is asked where line {self.line} of {self.transfer} is, not {event.answers!r}")
        source, progress = merged_into(transfer, self.line, seen), transfer.at(self.line)
        if progress.acting is StepKind.MERGE_BACK:  # the loss has ended that step, too
            progress = replace(progress, acting=StepKind.NONE)
        if source is not None:
            progress = replace(progress, item=source.pk, split_from=source.pk, apart=None)
            turn.note(transfer.id, audit.StepWasDone(StepKind.MERGE_BACK, self.line))
        transfer = with_progress(transfer, progress)
        turn.save(transfer)
        both_sides.update_card(turn, transfer)


def merged_into(transfer: Transfer, number: int, seen: ItemsSeen) -> ItemSeen | None:
    """Return the item into which that line was merged, by its history; None if it wasn't."""
    mark = step_mark(transfer, number, MERGE)
    return next((item for item in seen.items if mark in item.marks), None)


def _ask_to_count(turn: Turn, transfer: Transfer, progress: Progress, problem: Diagnosis) -> None:
    """Ask the admins to count the stock from which the line was taken."""
    phrase = say(
        messages.transfer_card.sum_does_not_add_up,
        transfer=transfer,
        line=transfer.line(progress.number),
        problem=problem,
    )
    turn.tell_admins(phrase, f"sum:{transfer.id}:{progress.number}")


def _not_marked(turn: Turn, transfer: Transfer, progress: Progress, connection: Connection, problem: Diagnosis) -> None:
    """Tell the admins that an arrived line's item can't get its old status. The transfer still ends as done."""
    turn.tell_admins(
        say(messages.transfer_card.not_marked_arrived, transfer=transfer, problem=problem),
        f"arrived:{transfer.id}:{progress.number}",
    )
    transfer = with_progress(transfer, replace(progress, stage="arrived"))
    turn.save(transfer)
    if transfer.state is not TransferState.DISPUTED:
        finish(turn, transfer, connection)


def _rest_by_hand(
    turn: Turn, transfer: Transfer, progress: Progress, connection: Connection, problem: Diagnosis
) -> None:
    """Tell the admins to split off the missing part of a line by hand at the peer's company, and continue."""
    missing = replace(transfer.line(progress.number), quantity=progress.short)
    phrase = say(
        messages.parcel.rest_by_hand, transfer=transfer, line=missing, item=progress.item or 0, problem=problem
    )
    turn.tell_admins(phrase, f"rest:{transfer.id}:{progress.number}")
    progress = replace(progress, short_item=0)
    turn.save(with_progress(transfer, progress))
    if transfer.state is not TransferState.DISPUTED:
        mark_arrived(turn, with_progress(transfer, progress), progress, connection)


def _sent(turn: Turn, transfer: Transfer) -> None:
    handed = [p for p in transfer.progress if p.stage == "handed"]
    metadata = {str(p.number): p.metadata for p in handed if p.metadata}  # a request's; an offer has already sent it
    transfer = replace(transfer, state=TransferState.SENT)
    if transfer.parcel is not None:
        transfer = replace(transfer, parcel=replace(transfer.parcel, left=turn.now))
    elif turn.us.pickup and not (transfer.terms.parent or transfer.terms.outside):  # such an item needs no pick-up
        transfer = replace(transfer, pickup=turn.us.pickup)
    body = bodies.Sent(
        lines=tuple(bodies.GivenLine(number=p.number, item=p.item) for p in handed),
        failed=tuple(bodies.FailedLine(number=p.number, reason=p.failed) for p in transfer.progress if p.failed),
        settled=both_sides.settled_by_us(turn, transfer),
        parcel=transfer.parcel is not None,
        pickup=bodies.PickupDetails(**asdict(transfer.pickup)) if transfer.pickup else bodies.PickupDetails(),
        **both_sides.said_by(transfer.decided),
    )
    sealed = {"metadata": metadata} if metadata else None
    transfer, draft = sequencing.write(turn, transfer, body, awaits=True, sealed=sealed)
    turn.save(transfer)
    turn.note(transfer.id, audit.TransferIs(TransferState.SENT, lines=tuple(p.number for p in handed)))
    both_sides.tell_sent(turn, transfer, draft)
    for progress in handed:
        if not progress.mirrored:
            mirror_given(turn, transfer, progress)
    if transfer.moves_what_is_lent:
        label.show(turn, transfer)
    if transfer.terms.starts is not None:
        show_bookings(turn, transfer)


# --- the receiver's answer ---


def on_received(turn: Turn, transfer: Transfer, envelope: Message[bodies.Received], _: EnvelopeSeen) -> None:
    """Take over that the receiver has booked in all lines, or all except those that it refused."""
    entries = envelope.body.items
    items = tuple(entry.item for entry in entries if entry.item is not None)
    place = next((entry.place for entry in entries), "")
    parts = tuple(entry.part for entry in entries if entry.part is not None)
    transfer = replace(transfer, peer_parts=transfer.peer_parts or parts)
    for progress in transfer.progress:
        transfer = with_progress(transfer, replace(progress, serial=_serial_there(entries, progress)))
    if transfer.state is TransferState.SENT:
        transfer = with_less(transfer, _lacking(transfer, envelope.body))
        refused = both_sides.numbers_in(envelope.body.refused)
        transfer = replace(transfer, state=TransferState.RECEIVED, peer_items=items, peer_place=place)
        if transfer.parcel is not None:
            received = both_sides.signature_in(turn, envelope, transfer.peer, "")
            transfer = replace(transfer, parcel=replace(transfer.parcel, received=received))
        turn.note(transfer.id, audit.PeerReceived(items))
        _settle(turn, transfer, refused)
        if any(entry.files for entry in entries):
            files.send(turn, transfer, entries)
        return
    transfer = replace(transfer, peer_items=transfer.peer_items or items, peer_place=transfer.peer_place or place)
    if transfer.dispute is not None and transfer.parcel is not None:
        received = both_sides.signature_in(turn, envelope, transfer.peer, "")
        dispute = replace(transfer.dispute, lacking=tuple(_lacking(transfer, envelope.body).items()))
        transfer = replace(transfer, dispute=dispute, parcel=replace(transfer.parcel, received=received))
        both_sides.update_dispute_messages(turn, transfer)
    turn.save(transfer)
    if transfer.state is TransferState.DONE:
        _confirm(turn, transfer)
    elif transfer.state in {TransferState.REVERTING, TransferState.REVERTED} and transfer.is_settled_alone:
        both_sides.dispute(turn, transfer, 0, Plain(Fault.TAKEN_BACK_BUT_RECEIVED), said="received")
    elif transfer.state not in FINAL | {TransferState.DISPUTED, TransferState.RECEIVED}:
        both_sides.dispute(turn, transfer, 0, Plain(Fault.RECEIVED_BUT_NOT_SENT))


def _lacking(transfer: Transfer, body: bodies.Received) -> dict[int, Decimal]:
    """Return how much of each line the parcel lacked, says the receiver: only lines that lacked something."""
    if transfer.parcel is None:
        return {}
    came = {entry.number: entry.quantity for entry in body.items if entry.quantity is not None}
    came |= {line.number: Decimal(0) for line in body.refused if line.reason == NOT_IN_PARCEL}
    lines = {line.number: line for line in transfer.terms.lines}
    known = {number: lines[number].quantity - here for number, here in came.items() if number in lines}
    return {
        number: lacking
        for number, lacking in known.items()
        if lacking == lines[number].quantity or (lacking > 0 and not lines[number].serial)
    }


def with_less(transfer: Transfer, lacking: Mapping[int, Decimal]) -> Transfer:
    """Note the missing part of a parcel, whole lines and parts of lines. It becomes ours again, as lost."""
    for progress in transfer.progress:
        quantity = lacking.get(progress.number)
        if progress.stage != "handed" or quantity is None:
            continue
        if quantity == transfer.line(progress.number).quantity:
            without = replace(progress, failed=NOT_IN_PARCEL, status=STATUS_LOST)
        else:
            without = replace(progress, short=quantity)
        transfer = with_progress(transfer, without)
    return transfer


def _serial_there(entries: Iterable[BookedIn], progress: Progress) -> str:
    """Return the line's serial number at the receiver, if it differs there. The item may be returned by that number."""
    serial = next((entry.serial for entry in entries if entry.number == progress.number), "")
    return presentable(serial)[:LONGEST_SERIAL] if serial else progress.serial


def on_refused_by_receiver(turn: Turn, transfer: Transfer, envelope: Message[bodies.Refused], _: EnvelopeSeen) -> None:
    """Take everything back, because the receiver could not book anything in, and never will."""
    if transfer.state is TransferState.SENT and transfer.parcel is not None and transfer.parcel.missing is not None:
        both_sides.dispute(turn, transfer, 0, Plain(Fault.PARCEL_DID_NOT_ARRIVE), said="refused")
        return
    if transfer.state is TransferState.SENT:
        reason = envelope.body.reason
        transfer = replace(transfer, state=TransferState.REVERTING, problem=reason)
        turn.note(transfer.id, audit.PeerRefused(reason))
        _settle(turn, transfer, {line.number for line in transfer.terms.lines})
        return
    turn.save(transfer)
    if transfer.state is TransferState.REVERTED:
        _confirm(turn, transfer)
    elif transfer.state in {TransferState.RECEIVED, TransferState.DONE} and transfer.is_settled_alone:
        both_sides.dispute(turn, transfer, 0, Plain(Fault.SETTLED_BUT_REFUSED), said="refused")


def _confirm(turn: Turn, transfer: Transfer) -> None:
    """Take over that the receiver confirms a transfer that we have already closed: both sides agree from now on."""
    if transfer.settled is not None:
        transfer = replace(transfer, settled=replace(transfer.settled, alone=False))
        both_sides.update_dispute_messages(turn, transfer)
    body = bodies.ENDS[transfer.state.value](settled=both_sides.settled_by_us(turn, transfer))
    transfer, draft = sequencing.write(turn, transfer, body, awaits=True)
    turn.save(transfer)
    turn.note(transfer.id, audit.Fact.RECEIVER_SAYS_SO_TOO)
    sequencing.post(turn, transfer, draft)
    both_sides.update_card(turn, transfer)


def _settle(turn: Turn, transfer: Transfer, refused: set[int]) -> None:
    """Mark the arrived lines, and take back the refused ones."""
    turn.save(transfer)
    connection = sequencing.connection_of(turn, transfer)
    for progress in transfer.progress:
        if progress.stage == "handed" and progress.item is not None:
            if progress.number in refused:
                take_back(turn, transfer, progress, connection)
            else:
                take_over_arrival(turn, transfer, progress, connection)


def take_over_arrival(turn: Turn, transfer: Transfer, progress: Progress, connection: Connection) -> None:
    """Mark what arrived of that line, and take back what the parcel lacked."""
    if progress.failed == NOT_IN_PARCEL:
        take_back(turn, transfer, progress, connection)
    elif progress.short:
        lost = replace(progress, quantity=progress.short, status=STATUS_LOST)
        step = _take_back(turn, transfer, lost, connection)
        _do(turn, transfer, progress.number, replace(step, mark=step_mark(transfer, progress.number, "rest")))
    else:
        mark_arrived(turn, transfer, progress, connection)


def mark_arrived(turn: Turn, transfer: Transfer, progress: Progress, connection: Connection) -> None:
    """Give our record its old status again, because the receiver has the item."""
    _do(turn, transfer, progress.number, mark_arrived_step(turn, transfer, progress, connection))


def mark_arrived_step(turn: Turn, transfer: Transfer, progress: Progress, connection: Connection) -> Arrived:
    """Return the step that gives a handed-over item its old status. Also repairs one where that is missing."""
    if progress.item is None:
        raise ValueError(f"transfer {transfer.id} has nothing to mark")
    sentence = _sentence(transfer, connection, "arrived at")
    known = known_item(turn, transfer, progress.number)
    return Arrived(step_mark(transfer, progress.number, "arrived"), sentence, progress.item, progress.status, known)


def take_back(turn: Turn, transfer: Transfer, progress: Progress, connection: Connection) -> None:
    """Take the item back from the peer's company into stock."""
    _do(turn, transfer, progress.number, _take_back(turn, transfer, progress, connection))


def _take_back(turn: Turn, transfer: Transfer, progress: Progress, connection: Connection) -> TakeBack:
    if progress.item is None or connection.company is None:
        raise ValueError(f"transfer {transfer.id} has nothing to take back")
    return TakeBack(
        mark=step_mark(transfer, progress.number, "back"),
        note=_sentence(transfer, connection, _why_it_is_back(transfer, progress)),
        item=progress.item,
        quantity=progress.quantity,
        location=progress.location,
        status=progress.status,
        company=connection.company,
        known=known_item(turn, transfer, progress.number),
        source=progress.split_from,
    )


def _why_it_is_back(transfer: Transfer, progress: Progress) -> str:
    if progress.short or progress.failed == NOT_IN_PARCEL:
        return "did not arrive at"
    return "taken back from" if transfer.settled else "refused by"


def finish(turn: Turn, transfer: Transfer, connection: Connection) -> None:
    """When every line has arrived or is back: end the transfer as `done` or `reverted`, and mention people once."""
    turn.save(transfer)
    if any(p.stage == "handed" or p.acting is StepKind.MERGE_BACK for p in transfer.progress):
        return
    reverting = transfer.state is TransferState.REVERTING
    state = TransferState.REVERTED if reverting else TransferState.DONE
    transfer = replace(transfer, state=state, ended=turn.now)
    # The receiver asks again if this message gets lost, so it needs no confirmation. Two exceptions: the receiver has
    # stopped asking, because we only acknowledged its last message, or our people's settlement is news to it.
    settled = both_sides.settled_by_us(turn, transfer)
    awaits = settled is not None or transfer.exchange.repeated is not None
    transfer, draft = sequencing.write(turn, transfer, bodies.ENDS[state.value](settled=settled), awaits=awaits)
    turn.save(transfer)
    turn.note(transfer.id, audit.TransferIs(state))
    if transfer.moves_what_is_lent:
        label.show(turn, transfer)
    if transfer.is_return:
        end.on_return_finished(turn, transfer)
    end.note_turned_up(turn, transfer)
    both_sides.post_end(turn, transfer, draft)
    both_sides.update_card(turn, transfer)
    provision.mirror(turn, connection)
