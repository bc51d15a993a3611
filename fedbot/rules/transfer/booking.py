"""Bookings: agreed for a later day, checked each morning, handed over on the first day, or lapsed.

A booking is a transfer that both sides have agreed on, and that waits. On its first day the lender's card asks whether
it was picked up. A yes sends it like any other transfer; otherwise it lapses after the pick-up window.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from fedbot import messages
from fedbot.rules import card_content, time_zones
from fedbot.rules.loan import bookings
from fedbot.rules.loan.bookings import show_bookings
from fedbot.rules.model import audit
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.diagnosis import Hindrance
from fedbot.rules.model.effects import Ask, Post, say
from fedbot.rules.model.events import Answered, EnvelopeSeen
from fedbot.rules.model.lending import Obstacle
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.queries import Able, FindItems, ItemsFound, Query, WhenAnswered
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.stock import TRAVELLING_STATUSES, Permission, StockItem
from fedbot.rules.model.transfer import Line, Told, Transfer
from fedbot.rules.protocol import bodies, sequencing
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.state import Turn
from fedbot.rules.transfer import both_sides, opening
from fedbot.rules.wire import Draft

DAY_OVER = "day-over"
NOT_FETCHED = "not-fetched"
"""Reason code: nobody came within the pick-up window."""
A_DAY = timedelta(days=1)


# --- at the lender: booking --------------------------------------------------------------------------------------


def book(turn: Turn, transfer: Transfer, decided: Signature) -> None:
    """Book it, because both sides have agreed. Nothing moves before its first day."""
    transfer = replace(transfer, decided=decided, decision=None)
    if transfer.terms.loan_until is not None and transfer.terms.loan_until < turn.day_of(transfer):
        both_sides.end(turn, transfer, TransferState.ABORTED, None, DAY_OVER)
        return
    if taken := bookings.why_not_kept(turn, transfer):
        both_sides.end(turn, transfer, TransferState.ABORTED, None, taken)
        return
    until = _end_of_pickup(turn, transfer)
    today = turn.day_of(transfer)
    looked = today if first_day(transfer) > today else None
    transfer = replace(booked_until(transfer, until), looked=looked)
    body = bodies.Booked(until=until, parcel=transfer.parcel is not None, **both_sides.said_by(decided))
    transfer, draft = sequencing.write(turn, transfer, body, awaits=True)
    turn.save(transfer)
    turn.note_by(transfer.id, audit.TransferIs(TransferState.BOOKED), decided)
    show_bookings(turn, transfer)
    _tell_booked(turn, transfer, both_sides.send_by_card(turn, transfer, draft))


def booked_until(transfer: Transfer, until: datetime) -> Transfer:
    """Return the transfer as a booking that is kept until that moment."""
    was_due = transfer.was_due or transfer.due
    return replace(transfer, state=TransferState.BOOKED, due=until, was_due=was_due, decision=None, reminded=None)


def first_day(transfer: Transfer) -> date:
    """Return the day from which it may be picked up. Raises ValueError if it isn't booked ahead."""
    if transfer.terms.starts is None:
        raise ValueError(f"transfer {transfer.id} has no first day")
    return transfer.terms.starts


def _end_of_pickup(turn: Turn, transfer: Transfer) -> datetime:
    """Return the end of the pick-up window, which follows its first day and never exceeds the loan."""
    first = max(first_day(transfer), turn.day_of(transfer))
    last = min(first + turn.us.pickup_window, (transfer.terms.loan_until or first) + A_DAY)
    return time_zones.beginning(last, transfer.terms.time_zone, turn.us.time_zone).astimezone(turn.now.tzinfo)


def may_lapse(turn: Turn, transfer: Transfer) -> bool:
    """Whether it can lapse: our people were asked whether it was picked up, or its last day has passed."""
    last = transfer.terms.loan_until
    return _was_asked(transfer) or last is None or last < turn.day_of(transfer)


def why_lapsed(transfer: Transfer) -> str:
    """Return the reason code: nobody came, or our bot or InvenTree was down, so nobody could hand it over."""
    return NOT_FETCHED if _was_asked(transfer) else DAY_OVER


def _was_asked(transfer: Transfer) -> bool:
    return transfer.calls or Told.CALLED in transfer.told


def _tell_booked(turn: Turn, transfer: Transfer, draft: Draft | None = None) -> None:
    """Tell the people who asked and decided that it is booked. They would easily miss an edited card."""
    phrase = say(messages.booking.booked, transfer=transfer, us=turn.us, peer_name=turn.party_name(transfer.peer))
    key, mentions = MessageKind.BOOKED.of(transfer.id), _asker_and_decider(transfer)
    turn.do(Post(key, transfer.room, phrase, mentions=mentions, draft=draft))


def _asker_and_decider(transfer: Transfer) -> tuple[str, ...]:
    decider = transfer.decided.person if transfer.decided else ""
    return tuple(dict.fromkeys(filter(None, (transfer.terms.asker, decider))))


# --- at the lender: each morning ---------------------------------------------------------------------------------


def _booked_here(turn: Turn) -> list[Transfer]:
    """Return the bookings of our items, by their first day."""
    found = [t for t in turn.open_transfers() if t.is_booked_here]
    return sorted(found, key=lambda t: (first_day(t), t.id))


def look(turn: Turn) -> None:
    """By the clock: read the booked items in our InvenTree once a day."""
    for transfer in _booked_here(turn):
        if next_look(turn, transfer) <= turn.now:
            turn.save(replace(transfer, looked=turn.day_of(transfer)))
            queries: list[Query] = [FindItems(f"#{line.item}") for line in transfer.terms.lines]
            queries.append(turn.who_may(Permission.APPROVER))
            turn.do(Ask(LookAtBooking(transfer.id), tuple(queries)))


def next_wake(turn: Turn) -> list[datetime]:
    """The times at which `look` has something to do."""
    return [next_look(turn, transfer) for transfer in _booked_here(turn)]


def next_look(turn: Turn, transfer: Transfer) -> datetime:
    """Return the time of the next read: in the morning, by the lender's clock."""
    if transfer.looked is None:
        return time_zones.after_the_night(turn.us, turn.now)
    # a day in the future was noted by a clock that was ahead
    last = min(transfer.looked, turn.day_of(transfer))
    begins = time_zones.beginning(last + A_DAY, transfer.terms.time_zone, turn.us.time_zone)
    return time_zones.after_the_night(turn.us, begins.astimezone(turn.now.tzinfo))


@dataclass(frozen=True)
class LookAtBooking(both_sides.TellsThatItWaits, WhenAnswered):
    """Reads a booking's items in our InvenTree, and the people who may hand it over."""

    def answered(self, turn: Turn, event: Answered) -> None:
        """Tell people of new obstacles. From the first day on, ask by card whether it was picked up."""
        transfer = turn.transfer(self.transfer)
        if transfer is None or transfer.state is not TransferState.BOOKED:
            return
        transfer = both_sides.clear_wait(turn, transfer)
        *found, able = event.answers
        if not isinstance(able, Able):
            raise TypeError(f"a hand-over asks who may decide, not {able!r}")
        lines = zip(transfer.terms.lines, found, strict=True)
        obstacles = tuple(obstacle for line, answer in lines for obstacle in _obstacles(turn, line, answer))
        has_begun = first_day(transfer) <= turn.day_of(transfer)
        is_lent_yet = {obstacle.why for obstacle in obstacles} == {Hindrance.LENT}
        if obstacles != transfer.obstacles or (is_lent_yet and has_begun and Told.CALLED not in transfer.told):
            transfer = replace(transfer, obstacles=obstacles)
            turn.save(transfer)
            if has_begun or not is_lent_yet:  # a loan before it that isn't back yet is no news by itself
                _tell_obstacles(turn, transfer)
        if has_begun and transfer.decision is None:
            _ask_if_handed_over(turn, transfer, able)


def _ask_if_handed_over(turn: Turn, transfer: Transfer, able: Able) -> None:
    """Post the card that asks, unless one with the same content is there.

    If our bot or our InvenTree was down before, the borrower still gets the whole pick-up window.
    """
    until = transfer.due if may_lapse(turn, transfer) else max(transfer.due, _end_of_pickup(turn, transfer))
    asking = replace(transfer, calls=True, due=until).after_telling(Told.CARD, Told.CALLED)
    if transfer.calls and transfer.card == card_content.of_transfer(asking):
        return
    former = asking.card if transfer.has_card else None  # it may be in a room that was replaced since
    asking, draft = replace(asking, shown=None, reminded=None, card=former), None
    if until != transfer.due:
        body = bodies.Booked(until=until, parcel=asking.parcel is not None, **both_sides.said_by(asking.decided))
        asking, draft = sequencing.write(turn, asking, body, awaits=True)
    turn.save(asking)
    opening.post_card(turn, asking, opening.addressees(turn, able), draft)


def _obstacles(turn: Turn, line: Line, answer: object) -> tuple[Obstacle, ...]:
    """Return the obstacle to handing that line over today; () if there is none."""
    if not isinstance(answer, ItemsFound):
        raise TypeError(f"a booking asks for items, not {answer!r}")
    item = next((item for item in answer.items if item.pk == line.item), None)
    why = _hindrance(turn, line, item)
    return (Obstacle(line.number, why, item.available if item else Decimal(0)),) if why else ()


def _hindrance(turn: Turn, line: Line, item: StockItem | None) -> Hindrance | None:
    if item is None or item.part.pk != line.part or item.serial != line.serial:
        return Hindrance.GONE
    if item.customer is not None:
        return Hindrance.LENT if bookings.is_out(turn, item.pk) else Hindrance.NOT_HERE
    if item.status not in TRAVELLING_STATUSES:
        return Hindrance.CONDITION
    if not item.in_stock:
        return Hindrance.NOT_HERE
    if item.available < line.quantity:
        return Hindrance.LESS
    return Hindrance.CONDITION if item.status != line.status else None


def _tell_obstacles(turn: Turn, transfer: Transfer) -> None:
    """Tell both sides, mentioning the people who asked and approved."""
    turn.note(transfer.id, audit.BookingStands(tuple(obstacle.why for obstacle in transfer.obstacles)))
    phrase = say(messages.booking.obstacles, transfer=transfer, us=turn.us, peer_name=turn.party_name(transfer.peer))
    key, mentions = MessageKind.OBSTACLES.of(transfer.id, turn.now.isoformat()), _asker_and_decider(transfer)
    turn.do(Post(key, transfer.room, phrase, thread=both_sides.thread_of(transfer), mentions=mentions))


def not_today(turn: Turn, transfer: Transfer, by: Signature) -> None:
    """Note that it wasn't picked up today. The card asks again tomorrow, within the pick-up window."""
    transfer = replace(transfer, calls=False, looked=turn.day_of(transfer))
    turn.save(transfer)
    turn.note_by(transfer.id, audit.Fact.NOT_FETCHED, by)
    both_sides.edit_card(turn, transfer)
    turn.save(opening.without_card(replace(transfer, card=None)))


# --- at the borrower --------------------------------------------------------------------------------------------


def on_booked(turn: Turn, transfer: Transfer, envelope: Message[bodies.Booked], event: EnvelopeSeen) -> None:
    """Take over that the lender has booked it for us as agreed, or keeps the booking for longer."""
    is_meant = envelope.terms_hash == transfer.terms_hash and transfer.terms.starts is not None
    if is_meant and transfer.state is TransferState.BOOKED and transfer.due < envelope.body.until <= _latest(transfer):
        _kept_longer(turn, transfer, envelope.body.until)
        return
    if transfer.state is not TransferState.OPEN or not is_meant or not both_sides.is_agreed(transfer):
        turn.save(transfer)
        return
    transfer = both_sides.with_delivery(transfer, envelope.body)
    if transfer.terms.kind == "request":
        decided = both_sides.signature_in(turn, envelope, transfer.peer, event.event_id)
        transfer = replace(transfer, decided=decided)
    wanted = "" if transfer.wanted == "approve" else transfer.wanted
    transfer = replace(booked_until(transfer, envelope.body.until), wanted=wanted)
    transfer, draft = sequencing.write(turn, transfer, bodies.Noted())
    turn.save(transfer)
    turn.note_by(transfer.id, audit.TransferIs(TransferState.BOOKED), transfer.decided)
    both_sides.send(turn, transfer, draft)


def _latest(transfer: Transfer) -> datetime:
    """Return the latest end of a booking: the end of its loan, in the time zone where that comes last."""
    last = transfer.terms.loan_until or first_day(transfer)
    return datetime.combine(last + 2 * A_DAY, time(), UTC)


def _kept_longer(turn: Turn, transfer: Transfer, until: datetime) -> None:
    transfer, draft = sequencing.write(turn, replace(transfer, due=until), bodies.Noted())
    turn.save(transfer)
    both_sides.send(turn, transfer, draft)
