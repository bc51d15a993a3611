"""The sender's decisions until the stock is sent. The other side's wishes are requests to it.

Just before anything moves, the sender checks an approval again: our own person's permission, and merges into the stock
since (UC6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from fedbot.rules import consent
from fedbot.rules.catalogue import merged_stock
from fedbot.rules.loan import bookings, lend, overdue
from fedbot.rules.model import audit
from fedbot.rules.model.decision import Signature, taken_out
from fedbot.rules.model.effects import Ask
from fedbot.rules.model.events import Answered, EnvelopeSeen
from fedbot.rules.model.lifecycles import BEFORE_DEBIT, TransferState
from fedbot.rules.model.queries import FindItems, ItemsFound, PersonPermissions, Query, WhenAnswered
from fedbot.rules.model.stock import Permission, Permissions
from fedbot.rules.model.transfer import Transfer, less_of
from fedbot.rules.protocol import bodies, sequencing
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.state import Turn
from fedbot.rules.transfer import booking, both_sides, opening, send
from fedbot.rules.transfer.both_sides import on_these_terms

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
    transfer = replace(transfer, consented=consent.hash_of(consent.of_transfer(transfer)))
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


def hand_over(turn: Turn, transfer: Transfer, by: Signature) -> None:
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
    looks = _may_need_care(turn, transfer)
    items = {line.item: line.part in mixed for line in lines if looks or line.part in mixed}
    told = looks and turn.us.looks_at_categories
    queries: list[Query] = [FindItems(f"#{item}", told, merges=is_mixed) for item, is_mixed in items.items()]
    names = [ours.username] if ours is not None and ours.party == turn.us.party else []
    takes_two = transfer.care and (transfer.handed is None or transfer.dearer)
    two_people = (transfer.first_yes, transfer.released) if takes_two else ()
    names += [one.username for one in two_people if one is not None]
    queries += [PersonPermissions(name) for name in dict.fromkeys(names)]
    if queries:
        turn.do(Ask(Debit(transfer.id), tuple(queries)))
    else:
        _begin_debit(turn, transfer)


def on_decline(turn: Turn, transfer: Transfer, envelope: Message[bodies.Decline], event: EnvelopeSeen) -> None:
    """Decline, because the receiver's approver did."""
    if transfer.state is TransferState.OPEN:
        by = both_sides.signature_in(turn, envelope, transfer.peer, event.event_id)
        reason = envelope.body.reason
        both_sides.end(turn, transfer, TransferState.DECLINED, by, reason)
    else:
        turn.save(transfer)


def on_cancel(turn: Turn, transfer: Transfer, envelope: Message[bodies.Cancel], event: EnvelopeSeen) -> None:
    """Cancel for the receiver's side, as long as nothing has moved."""
    if transfer.state in BEFORE_DEBIT:
        by = both_sides.signature_in(turn, envelope, transfer.peer, event.event_id)
        reason = envelope.body.reason
        both_sides.end(turn, transfer, TransferState.CANCELLED, by, reason)
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
        _on_looked_again(turn, self, event)


def _on_looked_again(turn: Turn, then: Debit, event: Answered) -> None:
    transfer = turn.transfer(then.transfer)
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
    elif (  # a neighbour's loan is already there
        transfer.is_loan and transfer.terms.outside is None and overdue.is_refused(turn, transfer)
    ):
        both_sides.end(turn, transfer, TransferState.ABORTED, None, overdue.NO_LOANS)
    elif not all(turn.may_move(transfer.peer, line.part) for line in transfer.terms.lines if not line.of_line):
        both_sides.end(turn, transfer, TransferState.ABORTED, None, DONT_MIX)
    elif consent.changes_since_approval(turn.us, transfer):
        both_sides.end(turn, transfer, TransferState.ABORTED, None, OTHER_THAN_SHOWN)
    elif not transfer.is_return and lend.became_borrowed(
        turn, {line.item for line in transfer.terms.lines}, transfer.id
    ):
        both_sides.end(turn, transfer, TransferState.ABORTED, None, BORROWED_BY_NOW)
    else:
        transfer = replace(transfer, state=TransferState.DEBITING)
        turn.save(transfer)
        send.go_on(turn, transfer, connection)
