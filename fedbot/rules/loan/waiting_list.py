"""The waiting list for stock that is on loan or booked: first come, first served, kept by the lender.

The lender's journal has the order. When an item is back and sound, the bot notifies the first in the queue and keeps
the item for the pick-up window. They then request it as usual, and the lender's people decide. If they don't request it
in time, it is the next one's turn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fedbot import messages
from fedbot.rules import time_zones
from fedbot.rules import wire as envelopes
from fedbot.rules.catalogue import search, share, want
from fedbot.rules.loan import balance, bookings
from fedbot.rules.model import audit
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.effects import Ask, Edit, Phrase, Post, say
from fedbot.rules.model.events import Answered, Said, Unanswered
from fedbot.rules.model.lending import MOST_PLACES, OutsideLoan, PlaceInLine, QueueEntry
from fedbot.rules.model.lifecycles import (
    FINAL,
    NOTHING_MOVED,
    SAID_WITH_UNKNOWN,
    TOLD_ENDS,
    ConnectionState,
    PlaceState,
    TransferState,
)
from fedbot.rules.model.queries import FindItems, ItemsFound, WhenAnsweredOrNot
from fedbot.rules.model.room import MessageKey, MessageKind
from fedbot.rules.model.stock import StockItem, UnitFactor, is_sound, plain
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.protocol import announcements, bodies, sequencing, who_answers
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.protocol.terms import BadTerms, presentable
from fedbot.rules.state import Turn
from fedbot.rules.transfer import opening as transfer_opening
from fedbot.rules.wire import BadEnvelope, Opening, SubjectKind

A_DAY, A_MOMENT = timedelta(days=1), timedelta(minutes=1)
UNTIL_ASKED_AGAIN = timedelta(minutes=10)
"""InvenTree didn't answer when somebody joined the queue. The bot asks it again after this time."""
KEPT_FOR = timedelta(days=30)
MOST_LENT = 20
"""At most this many lent items of one part are looked up by number for a queue entry that names the part."""
OVER = FINAL | {TransferState.RECEIVED}
ABOUT_A_PLACE = frozenset({MessageKind.PLACE, MessageKind.TURN})
"""Kinds of our messages that tell people their place in a peer's queue."""
_ASKS = re.compile(
    r"(?:!fed\s+)?(?:request|ask|borrow)(?P<rest>\s+(?:for|until)\s+[\w .:-]{1,40})?[.!]?", re.IGNORECASE
)


# --- our people in a peer's queue ---


def begin(turn: Turn, place: PlaceInLine, opening: Opening) -> None:
    """Save our person's place, post its page and tell the lender's bot. The place's id is the hash of `opening`."""
    turn.save(place)
    turn.note_by(place.id, audit.Fact.WAITS, place.by)
    _send_wait(turn, place, opening)
    post = Post(MessageKind.PLACE.of(place.id), place.room, page(turn, place), reply_to=place.by.event_id)
    turn.do(replace(post, answers=place.by.person))


def page(turn: Turn, place: PlaceInLine) -> Phrase:
    """Return the page of our place in a peer's queue."""
    return say(messages.waiting_list.place_page, place=place, us=turn.us, peer_name=turn.party_name(place.peer))


def leave(turn: Turn, place: PlaceInLine, by: Signature) -> None:
    """Give up our place, and tell the lender's bot."""
    place = _end_place(turn, place, PlaceState.LEFT, by)
    connection = turn.connection(place.connection)
    if connection is not None and connection.state is ConnectionState.ACTIVE:
        _send_wait(turn, place)


def _send_wait(turn: Turn, place: PlaceInLine, opening: Opening | None = None) -> None:
    connection = turn.connection(place.connection)
    if connection is None:
        raise ValueError(f"no friendship for the place {place.id}")
    body = bodies.Wait(wait=place.id, over=not place.is_living, opening=opening)
    sealed = {"word": place.word, **want.wanted_as(place.quantity, place.unit)} if place.is_living else {}
    connection, draft = sequencing.write(turn, connection, body, awaits=True, sealed=sealed)
    turn.save(connection)
    sequencing.post(turn, connection, draft)


def _end_place(turn: Turn, place: PlaceInLine, state: PlaceState, by: Signature | None = None) -> PlaceInLine:
    place = replace(place, state=state, ended=turn.now)
    turn.save(place)
    turn.note_by(place.id, audit.Fact.WAITS_NO_MORE, by)
    _edit(turn, place)
    return place


def on_place(turn: Turn, connection: Connection, envelope: Message[bodies.PlaceInQueue]) -> None:
    """Take over our place in a peer's queue as the lender's bot reports it.

    Ignores a place that isn't open or belongs to another connection. Raises BadTerms for an unknown end.
    """
    turn.save(connection)
    body = envelope.body
    place = turn.get(PlaceInLine, body.wait)
    if place is None or not place.is_living or place.connection != connection.id:
        return
    if body.over:
        if body.over not in TOLD_ENDS:
            raise BadTerms("over")
        says_more = body.over == PlaceState.UNKNOWN and body.why in SAID_WITH_UNKNOWN
        place = _end_place(turn, place, PlaceState(body.why if says_more else body.over))
        if turn.now - place.by.at > A_MOMENT:  # otherwise the person is still reading the answer, which says so
            _mention(turn, place, MessageKind.PLACE_OVER.of(place.id))
    elif place.state is PlaceState.TURN:
        return  # posted only once, so that a peer's bot can't mention our people again and again
    elif body.until is not None and body.item:
        place = replace(place, state=PlaceState.TURN, place=1, item=body.item, until=body.until)
        turn.save(place)
        _edit(turn, place)
        _mention(turn, place, MessageKind.TURN.of(place.id))
    elif body.place:
        place = replace(place, state=PlaceState.WAITING, place=body.place)
        turn.save(place)
        _edit(turn, place)


def _edit(turn: Turn, place: PlaceInLine) -> None:
    """Edit the place's message to its current state. If its room was replaced, only the next mention shows it there."""
    turn.do(Edit(MessageKind.PLACE.of(place.id), announcements.room_now(turn, place.room), page(turn, place)))


def _mention(turn: Turn, place: PlaceInLine, key: MessageKey) -> None:
    """Post a new message that mentions the person, because they easily miss an edit."""
    room = announcements.room_now(turn, place.room)
    turn.do(Post(key, room, page(turn, place), mentions=(place.by.person,)))


def full_line(turn: Turn, event: Said) -> str:
    """Return the full line that a reply such as `borrow for 2 weeks` to "it is your turn" means; '' if it means none.

    It repeats the words with which the person joined the queue. The stock item that the lender's bot keeps is only a
    peer's claim.
    """
    said = _ASKS.fullmatch(event.text.strip())
    key = turn.key_of(event.reply_to)
    place = turn.get(PlaceInLine, key.subject) if said is not None and key.kind in ABOUT_A_PLACE else None
    if place is None or said is None or place.state is not PlaceState.TURN:
        return ""
    several = who_answers.claimed_by_several(turn, event.sender, event.room)
    as_whom = f"as {turn.us.party} " if several else ""
    rest = said["rest"] or ""
    word = f'"{place.word}"' if search.is_plain_name(place.word) else place.word
    return f"!fed {as_whom}request {plain(place.quantity)}{place.unit} {word} from {place.peer}{rest}"


# --- the lender's queue ---


def join(turn: Turn, entry: QueueEntry) -> QueueEntry:
    """Add the entry at the end of our queue."""
    entry = replace(entry, number=_next_number(turn))
    turn.save(entry)
    turn.note_by(entry.id, audit.Fact.WAITS, entry.by)
    return entry


def place_of(turn: Turn, entry: QueueEntry) -> int:
    """The entry's place in our queue: 1 is next."""
    return entry.place_among(turn.queue())


def on_wait(turn: Turn, connection: Connection, envelope: Message[bodies.Wait]) -> None:
    """Take over that a peer waits for something of ours, or doesn't any more."""
    turn.save(connection)
    body, identifier = envelope.body, envelope.body.wait
    known = turn.get(QueueEntry, identifier)
    if body.over or connection.state is not ConnectionState.ACTIVE:
        if known is not None and known.connection == connection.id:
            end(turn, known, PlaceState.LEFT)
        return
    if known is not None:
        return
    try:
        _check_opening(turn, connection, body)
        word, quantity, unit = want.word_and_quantity(sequencing.unsealed(turn, envelope))
    except (BadEnvelope, BadTerms) as problem:
        turn.note(connection.id, audit.NotUnderstood("wait", str(problem)))
        return
    code = turn.short_code(identifier)
    whose = (connection.peer, connection.id, connection.room)
    entry = QueueEntry(identifier, code, *whose, word, quantity, 0, turn.now, unit=unit)
    theirs = [each for each in turn.queue() if each.party == connection.peer]
    if len(theirs) >= MOST_PLACES or turn.spends("wait", connection.peer) is not None:
        turn.note(connection.id, audit.Fact.WAITS_FOR_TOO_MUCH)
        _tell(turn, entry, over=PlaceState.FULL)
        return
    _look(turn, join(turn, entry))


def _check_opening(turn: Turn, connection: Connection, body: bodies.Wait) -> None:
    """Check that this peer may open that place. Raises BadTerms if not."""
    opening = body.opening
    if opening is None or not transfer_opening.is_theirs_to_open(turn, connection, opening):
        raise BadTerms("opening: not yours")
    if body.wait != envelopes.opened_id(SubjectKind.WAIT, opening):
        raise BadTerms("wait: not the id of what you open")


def join_ours(turn: Turn, entry: QueueEntry, found: ItemsFound) -> QueueEntry | PlaceState:
    """Add one of our own people to our queue. Return the entry, or the reason why they can't wait."""
    items = _items_for(turn, entry, found)
    if (why := _why_not(turn, entry, items, found)) is not None:
        return why
    entry = replace(_identified(entry, items, found), number=_next_number(turn), looked=turn.now)
    if _free(turn, entry, items) is not None:
        return PlaceState.FREE
    entry = join(turn, entry)
    entry = replace(entry, told=place_of(turn, entry))
    turn.save(entry)
    return entry


def own_page(turn: Turn, entry: QueueEntry) -> Phrase:
    """Return the page of an entry in our own queue, of our person or of a peer."""
    return say(messages.waiting_list.in_our_queue, entry=entry, us=turn.us, place=place_of(turn, entry))


def _next_number(turn: Turn) -> int:
    return 1 + max((each.number for each in turn.queue()), default=0)


def _look(turn: Turn, entry: QueueEntry) -> None:
    turn.save(replace(entry, looked=turn.now))
    shared = share.scope(turn)
    word = f"#{entry.item}" if entry.item else entry.word
    units = (entry.unit,) if entry.unit and not entry.part else ()
    query = FindItems(
        word, bool(shared.categories or shared.templates), units=units, by_peer=entry.party != turn.us.party
    )
    turn.do(Ask(LookAtQueue(entry.id), queries(turn, query)))


def queries(turn: Turn, query: FindItems) -> tuple[FindItems, ...]:
    """The query, and one by number for each lent item of that name: by name, InvenTree finds only stock that is here.

    Pass the answers to `merged_answers`.
    """
    return (query, *(replace(query, word=f"#{key}") for key in _lent_items_named(turn, query.word)))


def _lent_items_named(turn: Turn, word: str) -> list[int]:
    """The stock items of parts with that name or IPN that are lent, to peers or to neighbours without a bot."""
    ours = (loan for loan in turn.loans_away() if loan.role == "sender")
    lines = ((loan.at(line.number).item, line.description) for loan in ours for line in balance.lines_away(turn, loan))
    outside = ((loan.item, loan.description) for loan in turn.all(OutsideLoan) if loan.is_living)
    name = word.casefold()
    meant = (key for key, part in (*lines, *outside) if key and name in {part.name.casefold(), part.ipn.casefold()})
    return list(dict.fromkeys(meant))[:MOST_LENT]


def merged_answers(answers: Sequence[object]) -> ItemsFound:
    """Return the answers to `queries` as one. Raises TypeError for any other answer."""
    items: dict[int, StockItem] = {}
    factors: dict[UnitFactor, None] = {}
    for found in answers:
        if not isinstance(found, ItemsFound):
            raise TypeError(f"a queue asks for items, not {found!r}")
        items |= {item.pk: item for item in found.items}
        factors |= dict.fromkeys(found.factors)
    return ItemsFound(tuple(items.values()), factors=tuple(factors))


@dataclass(frozen=True)
class LookAtQueue(WhenAnsweredOrNot):
    """Reads from our InvenTree the stock that the queue entry with that id waits for."""

    entry: str

    @property
    def subject(self) -> str:
        """The entry's id."""
        return self.entry

    def answered(self, turn: Turn, event: Answered) -> None:
        """Give them their turn if an item is back and sound and nobody comes before them."""
        entry = turn.get(QueueEntry, self.entry)
        if entry is not None and not entry.kept:
            update(turn, entry, merged_answers(event.answers))

    def unanswered(self, turn: Turn, event: Unanswered) -> None:
        """Do nothing: `look` reads it again later."""


def update(turn: Turn, entry: QueueEntry, found: ItemsFound) -> None:
    """Bring the entry up to date with the stock that InvenTree has found for it."""
    items = _items_for(turn, entry, found)
    is_new = not entry.part
    if is_new:
        why = _why_not(turn, entry, items, found)
        if why is not None:
            end(turn, entry, why)
            return
        entry = _identified(entry, items, found)
        turn.save(entry)
    item = _free(turn, entry, items)
    if item is not None and is_new:
        end(turn, entry, PlaceState.FREE)
    elif item is not None:
        _give_turn(turn, entry, item)
    else:
        _tell_place(turn, entry)


def _items_for(turn: Turn, entry: QueueEntry, found: ItemsFound) -> list[StockItem]:
    """The stock items of ours that an entry's word can mean. A peer gets only shared stock."""
    shared = share.scope(turn)
    own = [item for item in found.items if balance.borrowed(turn, item) is None]
    own = [item for item in own if turn.may_move(entry.party, item.part.pk) or not entry.connection]
    return [item for item in own if shared.covers(item) or not entry.connection]


def _why_not(turn: Turn, entry: QueueEntry, items: Sequence[StockItem], found: ItemsFound) -> PlaceState | None:
    """The reason why they can't wait for that; None if they can."""
    if not items:
        is_theirs = any(_owner_of(turn, item) == entry.party for item in found.items)
        return PlaceState.OURS if is_theirs and entry.connection else PlaceState.UNKNOWN
    if all(entry.party in bookings.borrowers(turn, item.pk) for item in items):
        return PlaceState.YOURS
    if len({item.part.pk for item in items}) > 1:
        return PlaceState.UNCLEAR
    quantity = found.amount(entry.quantity, entry.unit, items[0])
    if quantity is None:
        return PlaceState.UNIT
    if bookings.offered_to(turn, entry.party, [item.pk for item in items]) >= quantity:
        return PlaceState.OFFERED
    known = _identified(entry, items, found)
    others = (each for each in turn.queue() if each.id != entry.id and each.party == entry.party)
    same = any(
        each.meets(known) and (each.by is None or entry.by is None or each.by.person == entry.by.person)
        for each in others
    )
    return PlaceState.TWICE if same else None


def _owner_of(turn: Turn, item: StockItem) -> str:
    """The id of the party that lends it to us; '' if it is our own."""
    loan = balance.borrowed(turn, item)
    return loan.peer if loan is not None else ""


def _identified(entry: QueueEntry, items: Sequence[StockItem], found: ItemsFound) -> QueueEntry:
    """Return the entry with the part, item, name and unit that InvenTree has for its word."""
    first = items[0]
    is_one = len(items) == 1 and ("#" in entry.word or "://" in entry.word)
    name = presentable(f"{first.part.name}#{first.serial}" if is_one and first.serial else first.part.name)
    entry = replace(entry, part=first.part.pk, item=first.pk if is_one else 0, name=name)
    if not entry.unit:
        return entry
    quantity = found.amount(entry.quantity, entry.unit, first) or entry.quantity
    return replace(entry, quantity=quantity, unit=presentable(first.part.units))


def _free(turn: Turn, entry: QueueEntry, items: Sequence[StockItem]) -> StockItem | None:
    """The first item that is here, sound, not booked, and for which nobody comes before this entry; None if none."""
    today = turn.today()
    last = today + turn.us.pickup_window
    for item in items:
        before = [each for each in bookings.queue_for(turn, item.pk, item.part.pk) if each.number < entry.number]
        is_kept = any(each.kept == item.pk for each in turn.queue() if each.id != entry.id)
        is_first = not [each for each in before if not each.kept]
        if not is_first or is_kept or not (is_sound(item) and item.is_ok):
            continue
        spans = bookings.spans(turn, item.pk, bookings.Claim.OFFERED)
        if bookings.least_free(item.available, spans, today, last) >= entry.quantity:
            return item
    return None


def _give_turn(turn: Turn, entry: QueueEntry, item: StockItem) -> None:
    """Keep the item for them during the pick-up window, and tell them."""
    last = turn.today() + turn.us.pickup_window
    until = time_zones.beginning(last, turn.us.time_zone, turn.us.time_zone).astimezone(turn.now.tzinfo)
    entry = replace(entry, kept=item.pk, kept_until=until, told=1)
    turn.save(entry)
    turn.note(entry.id, audit.Fact.TURN_HAS_COME)
    if entry.connection:
        _tell(turn, entry, place=1)
    elif entry.by is not None:
        phrase = say(messages.waiting_list.your_turn_here, entry=entry, us=turn.us)
        room = announcements.room_now(turn, entry.room)
        turn.do(Post(MessageKind.TURN.of(entry.id), room, phrase, mentions=(entry.by.person,)))


def _tell_place(turn: Turn, entry: QueueEntry) -> None:
    """Tell them their place if it has changed."""
    place = place_of(turn, entry)
    if place == entry.told or entry.kept:
        return
    turn.save(replace(entry, told=place))
    if entry.connection:
        _tell(turn, entry, place=place)


def _tell(turn: Turn, entry: QueueEntry, place: int = 0, over: PlaceState | None = None) -> None:
    connection = turn.connection(entry.connection)
    if connection is None or connection.state is not ConnectionState.ACTIVE:
        return
    end, why = (PlaceState.UNKNOWN, str(over)) if over in SAID_WITH_UNKNOWN else (str(over or ""), "")
    body = bodies.PlaceInQueue(wait=entry.id, place=place, item=entry.kept, until=entry.kept_until, over=end, why=why)
    connection, draft = sequencing.write(turn, connection, body, awaits=True)
    turn.save(connection)
    sequencing.post(turn, connection, draft)


def end(turn: Turn, entry: QueueEntry, why: PlaceState, by: Signature | None = None) -> None:
    """Remove the entry, tell them why, and move up the entries behind it."""
    turn.drop(entry)
    turn.note_by(entry.id, audit.Fact.WAITS_NO_MORE, by)
    if entry.connection and why in TOLD_ENDS:
        _tell(turn, entry, over=why)
    elif entry.by is not None and why is not PlaceState.LEFT:
        phrase = say(messages.waiting_list.out_of_our_queue, entry=entry, us=turn.us, why=why)
        room = announcements.room_now(turn, entry.room)
        turn.do(Post(MessageKind.PLACE_OVER.of(entry.id), room, phrase, mentions=(entry.by.person,)))
    for other in turn.queue():
        if other.meets(entry) and not other.kept:
            _tell_place(turn, other)
            _look(turn, turn.get(QueueEntry, other.id) or other)


# --- what transfers and connections change in the queues ---


def follow(turn: Turn) -> None:
    """After an event: end entries that got their item or lost their connection, and look for stock that became free."""
    for document in list(turn.changes.values()):
        if isinstance(document, Connection) and document.state is ConnectionState.ENDED:
            _on_disconnected(turn, document)
        elif isinstance(document, OutsideLoan) and not document.is_living:
            _look_for_parts(turn, {document.part})
        elif isinstance(document, Transfer):
            before = turn.state.get(Transfer, document.id)
            _follow_transfer(turn, before.state if before is not None else None, document)


def _on_disconnected(turn: Turn, connection: Connection) -> None:
    for entry in turn.queue():
        if entry.connection == connection.id:
            end(turn, entry, PlaceState.PARTED)
    for place in turn.all(PlaceInLine):
        if place.connection == connection.id and place.is_living:
            _end_place(turn, place, PlaceState.PARTED)


def _follow_transfer(turn: Turn, before: TransferState | None, transfer: Transfer) -> None:
    if before is transfer.state or transfer.terms.kind == balance.EXTENSION:
        return
    if transfer.role == "sender" and not transfer.is_return:
        was_decided = before not in {None, TransferState.OPEN}
        is_decided = transfer.state is not TransferState.OPEN and transfer.state not in NOTHING_MOVED
        if is_decided and not was_decided:
            _serve(turn, transfer)
    if transfer.state in OVER:
        loan = turn.transfer(transfer.terms.parent) if transfer.is_return else transfer
        parts = {line.part for line in loan.terms.lines} if loan is not None and loan.role == "sender" else set()
        _look_for_parts(turn, parts)
        _lapse(turn)


def _look_for_parts(turn: Turn, parts: set[int]) -> None:
    """Look again for the entries that wait for one of these parts."""
    for entry in turn.queue():
        if entry.part in parts and not entry.kept:
            _look(turn, entry)


def _lapse(turn: Turn) -> None:
    """End the entries that didn't request the item kept for them in time."""
    for entry in turn.queue():
        is_over = entry.kept_until is not None and entry.kept_until <= turn.now
        if is_over and not _asks_for_it(turn, entry):
            end(turn, entry, PlaceState.LAPSED)


def _serve(turn: Turn, transfer: Transfer) -> None:
    """End the receiver's entries for the items that our approver has just agreed to give."""
    for entry in turn.queue():
        lines = [line for line in transfer.terms.lines if entry.waits_for(line.item, line.part)]
        if entry.party == transfer.peer and lines:
            end(turn, entry, PlaceState.SERVED)


# --- by the clock ---


def look(turn: Turn) -> None:
    """By the clock: end expired turns, look again for waiting entries once a day, and drop old places of our people."""
    _lapse(turn)
    for entry in turn.queue():
        if not entry.kept and (due := _next_look(turn, entry)) is not None and due <= turn.now:
            _look(turn, entry)
    for place in turn.all(PlaceInLine):
        if place.ended is not None and place.ended + KEPT_FOR <= turn.now:
            turn.drop(place)


def next_wake(turn: Turn) -> list[datetime]:
    """The times at which `look` has something to do."""
    times = [due for entry in turn.queue() if (due := _next_look(turn, entry)) is not None]
    return times + [place.ended + KEPT_FOR for place in turn.all(PlaceInLine) if place.ended is not None]


def _next_look(turn: Turn, entry: QueueEntry) -> datetime | None:
    """When the entry is due next; None while a request of theirs waits for our people."""
    if entry.kept_until is not None:
        return None if _asks_for_it(turn, entry) else entry.kept_until
    return min(entry.looked or entry.since, turn.now) + (A_DAY if entry.part else UNTIL_ASKED_AGAIN)


def _asks_for_it(turn: Turn, entry: QueueEntry) -> bool:
    """Whether they have an open request for the kept item that starts now. A later booking keeps no item waiting."""
    theirs = (t for t in turn.open_transfers() if t.role == "sender" and t.peer == entry.party)
    for_now = (t for t in theirs if t.state is TransferState.OPEN and bookings.is_for_now(turn, t.terms.starts))
    return any(line.item == entry.kept for transfer in for_now for line in transfer.terms.lines)
