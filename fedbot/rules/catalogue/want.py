"""Wants: a thing that nobody has is remembered by the peers' bots, which tell their people once they have some.

A want is sent to every peer of its room, sealed. Each peer's bot searches its shared items: when the want arrives, when
something is shared, and once a day. A want ends by itself: with its last day, or when enough has arrived.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from fedbot import messages
from fedbot.rules import time_zones
from fedbot.rules.catalogue import search, share
from fedbot.rules.model import audit
from fedbot.rules.model.catalogue import (
    LONGEST_DAYS,
    LONGEST_NOTE,
    MOST_WANTS_OF_A_FRIEND,
    FriendWant,
    Hit,
    Share,
    Want,
    WantShown,
    friend_want_id,
)
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.effects import Ask, Edit, Phrase, Post, say
from fedbot.rules.model.events import Answered, Said, Unanswered
from fedbot.rules.model.lifecycles import ConnectionState, TransferState, WantState
from fedbot.rules.model.queries import Able, SearchStock, StockHits, WhenAnsweredOrNot
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.stock import PartDescription, Permission, plain, unit_called
from fedbot.rules.model.transfer import Line, Transfer, total
from fedbot.rules.protocol import announcements, bodies, sequencing, who_answers
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.protocol.terms import BadTerms, check_quantity, names_line, presentable
from fedbot.rules.state import Turn
from fedbot.rules.transfer.opening import MOST_MENTIONED, addressees
from fedbot.rules.wire import BadEnvelope

A_DAY = timedelta(days=1)
UNTIL_READ = timedelta(seconds=20)
"""The time to the next search while our InvenTree is still being read, as after a start. Later it is once a day."""
KEPT_FOR = timedelta(days=30)
LONGEST_WORD = 100
OVER_WITH_STOCK = frozenset({TransferState.RECEIVED, TransferState.DONE})
_OFFER = re.compile(r"(?:!fed\s+)?offer(?:\s+(?P<quantity>\d[\d.,]*)\s?(?P<unit>[a-z]*))?[.!]?", re.IGNORECASE)


# --- our own wants ---


def begin(turn: Turn, want: Want) -> None:
    """Save our person's want, send it to every peer of the room, and post its page."""
    turn.save(want)
    turn.note_by(want.id, audit.Fact.WANTED, want.by)
    _tell_friends(turn, want)
    known = turn.get(Want, want.id) or want
    key, by = MessageKind.WANT.of(want.id), want.by
    turn.do(Post(key, want.room, page(turn, known), reply_to=by.event_id, answers=by.person))


def page(turn: Turn, want: Want) -> Phrase:
    """Return the page of a want."""
    return say(messages.catalogue.want_page, want=want, us=turn.us, friends=_names(turn, want))


def _names(turn: Turn, want: Want) -> tuple[str, ...]:
    known = (turn.connection(identifier) for identifier in want.told)
    return tuple(turn.party_name(connection.peer) for connection in known if connection is not None)


def _tell_friends(turn: Turn, want: Want) -> None:
    """Send the want to peers that don't know it yet, including new ones."""
    for connection in turn.active_connections(announcements.room_now(turn, want.room)):
        if connection.id not in want.told:
            _send(turn, want, connection)
            want = replace(want, told=(*want.told, connection.id))
            turn.save(want)


def _send(turn: Turn, want: Want, connection: Connection) -> None:
    connection = turn.connection(connection.id) or connection
    body = bodies.Want(want=want.id, until=want.until, over=not want.is_living)
    told = {"word": want.word, **wanted_as(want.lacking, want.unit), **({"note": want.note} if want.note else {})}
    sealed = told if want.is_living else {}
    connection, draft = sequencing.write(turn, connection, body, awaits=True, sealed=sealed)
    turn.save(connection)
    sequencing.post(turn, connection, draft)


def end(turn: Turn, want: Want, state: WantState, by: Signature | None = None) -> None:
    """End the want: tell the peers, and update its message."""
    want = replace(want, state=state, ended=turn.now)
    turn.save(want)
    turn.note_by(want.id, audit.Fact.NOT_WANTED, by)
    for identifier in want.told:
        connection = turn.connection(identifier)
        if connection is not None and connection.state is ConnectionState.ACTIVE:
            _send(turn, want, connection)
    phrase = say(messages.catalogue.want_page, want=want, us=turn.us, friends=())
    room = announcements.room_now(turn, want.room)
    turn.do(Edit(MessageKind.WANT.of(want.id), room, phrase))
    if state is WantState.FOUND and want.by.person in turn.us.people:  # an edit notifies nobody
        key = MessageKind.WANT_FOUND.of(want.id)
        reply_to = want.by.event_id if room == want.room else ""
        turn.do(Post(key, room, phrase, reply_to=reply_to, mentions=(want.by.person,)))


def follow(turn: Turn) -> None:
    """After an event: subtract arrived items from our wants, and search for peers' wants in newly shared stock."""
    documents = list(turn.changes.values())
    for transfer in documents:
        if isinstance(transfer, Transfer) and transfer.role == "receiver" and transfer.state in OVER_WITH_STOCK:
            before = turn.state.get(Transfer, transfer.id)
            if before is not None and before.state not in OVER_WITH_STOCK:
                _subtract_arrived(turn, transfer)
    if any(isinstance(document, Share) for document in documents):
        for friend_want in turn.all(FriendWant):
            if friend_want.told is None:
                _look_for(turn, friend_want)


def _subtract_arrived(turn: Turn, transfer: Transfer) -> None:
    if transfer.terms.parent:
        return
    for want in turn.all(Want):
        lines = [line for line in transfer.lines_come if names_line(want.word, line)] if want.is_living else []
        came = total([line for line in lines if not transfer.at(line.number).failed], want.unit)
        if came >= want.lacking:
            end(turn, want, WantState.FOUND)
        elif came:
            turn.save(replace(want, lacking=want.lacking - came, told=()))  # the peers are sent what is still lacking


# --- peers' wants ---


def on_want(turn: Turn, connection: Connection, envelope: Message[bodies.Want]) -> None:
    """Take in a peer's want, or its end."""
    turn.save(connection)
    body, identifier = envelope.body, friend_want_id(connection.peer, envelope.body.want)
    known = turn.get(FriendWant, identifier)
    if body.over or connection.state is not ConnectionState.ACTIVE:
        if known is not None:
            turn.drop(known)
        return
    try:
        told = sequencing.unsealed(turn, envelope)
        word, quantity, unit = _understood(told)
    except (BadEnvelope, BadTerms) as problem:
        turn.note(connection.id, audit.NotUnderstood("want", str(problem)))
        return
    kept = [each for each in turn.all(FriendWant) if each.peer == connection.peer and each.id != identifier]
    longest = turn.today() + timedelta(days=LONGEST_DAYS)
    if len(kept) >= MOST_WANTS_OF_A_FRIEND or turn.spends("want", connection.peer) is not None:
        turn.note(connection.id, audit.Fact.WANTS_TOO_MUCH)
        return
    until = min(body.until, longest)
    said = told.get("note", "")
    note = presentable(said)[:LONGEST_NOTE] if isinstance(said, str) else ""
    wanted = FriendWant(
        identifier, connection.peer, body.want, connection.id, word, quantity, until, unit=unit, note=note
    )
    if known is not None and (known.word, known.unit) == (word, unit):
        wanted = replace(known, connection=connection.id, quantity=quantity, until=until, note=note)
    turn.save(wanted)
    if wanted.told is None:
        _look_for(turn, wanted)


def _understood(told: dict[str, Any]) -> tuple[str, Decimal, str]:
    word, quantity, unit = word_and_quantity(told)
    if not search.is_plain_name(word):  # our people's reply puts it into a line
        raise BadTerms("want.word")
    return word, quantity, unit


def wanted_as(quantity: Decimal, unit: str) -> dict[str, str]:
    """Return the fields with the quantity of a want or place, for a peer."""
    return {"quantity": plain(quantity), **({"unit": unit} if unit else {})}


def word_and_quantity(told: dict[str, Any]) -> tuple[str, Decimal, str]:
    """Return the word, quantity and unit of a peer's want or place in the queue.

    Raises BadTerms if they are invalid.
    """
    word, quantity, unit = told.get("word"), told.get("quantity"), told.get("unit", "")
    if unit != "" and (not isinstance(unit, str) or unit_called(unit) != unit):
        raise BadTerms("want.unit")
    if not isinstance(word, str) or not isinstance(quantity, str) or not 0 < len(word) <= LONGEST_WORD:
        raise BadTerms("want.word or want.quantity")
    if not re.fullmatch(r"\d{1,10}(\.\d{1,5})?", quantity):
        raise BadTerms("want.quantity")
    amount = Decimal(quantity)
    check_quantity(amount)
    return presentable(word), amount, unit


def _look_for(turn: Turn, wanted: FriendWant) -> None:
    if not turn.all(Share):
        return
    turn.save(replace(wanted, looked=turn.now))
    queries = (SearchStock(wanted.word, share.scope(turn)), turn.who_may(Permission.APPROVER))
    turn.do(Ask(LookForWant(wanted.id), queries))


@dataclass(frozen=True)
class LookForWant(WhenAnsweredOrNot):
    """Searches our shared items for a peer's want, by its id here, and reads who may offer them."""

    want: str

    @property
    def subject(self) -> str:
        """The want's id here."""
        return self.want

    def answered(self, turn: Turn, event: Answered) -> None:
        """Tell our people once, if we share some of it."""
        wanted, (hits, able) = turn.get(FriendWant, self.want), event.answers
        if not (isinstance(hits, StockHits) and isinstance(able, Able)):
            raise TypeError(f"a want asks for hits and who may, not {event.answers!r}")
        connection = turn.connection(wanted.connection) if wanted is not None else None
        if wanted is None or wanted.told is not None or connection is None:
            return
        found, _ = search.hits_of(turn, hits, wanted.peer)
        free = total([line for hit in found if names_line(wanted.word, line := _as_line(hit))], wanted.unit)
        if free <= 0 and hits.percent < search.ALL_READ:
            turn.save(replace(wanted, looked=turn.now - A_DAY + UNTIL_READ))
        if free <= 0 or connection.state is not ConnectionState.ACTIVE:
            return
        # once a day, because a peer could withdraw and repeat a want
        if turn.tell_once(f"wanted:{wanted.peer}:{wanted.word.casefold()}", A_DAY):
            _tell_people(turn, wanted, connection, free, addressees(turn, able))

    def unanswered(self, turn: Turn, event: Unanswered) -> None:
        """Do nothing: it is searched again the next day."""


def _as_line(hit: Hit) -> Line:
    return Line(1, hit.item, 0, PartDescription(hit.name, hit.ipn, units=hit.units), hit.quantity - hit.flawed)


def _tell_people(turn: Turn, wanted: FriendWant, connection: Connection, free: Decimal, people: list[str]) -> None:
    shown = WantShown(wanted.word, wanted.quantity, wanted.unit)
    turn.save(replace(wanted, told=turn.now, free=free, shown=shown))
    turn.note(wanted.id, audit.Fact.WANT_TOLD)
    peer_name = turn.party_name(wanted.peer)
    phrase = say(messages.catalogue.we_have_what_they_want, wanted=wanted, us=turn.us, peer_name=peer_name, free=free)
    key = MessageKind.FRIENDS_WANT.of(wanted.id, shown.key)
    turn.do(Post(key, connection.room, phrase, mentions=tuple(people[:MOST_MENTIONED])))


def full_line(turn: Turn, event: Said) -> str | Phrase:
    """Return the full line that `offer` means, as a reply to our message about a peer's want; '' if it means none.

    It offers what that message says. If the peer wants something else by now, a phrase says so.
    """
    said = _OFFER.fullmatch(event.text.strip())
    answered = turn.key_of(event.reply_to)
    is_reply = said is not None and answered.kind is MessageKind.FRIENDS_WANT
    wanted = turn.get(FriendWant, answered.subject) if is_reply else None
    if wanted is None or said is None:
        return ""
    shown = wanted.shown
    if shown is None or shown.key != answered.rest or (shown.word, shown.unit) != (wanted.word, wanted.unit):
        return say(messages.catalogue.wants_something_else, wanted=wanted, peer_name=turn.party_name(wanted.peer))
    several = who_answers.claimed_by_several(turn, event.sender, event.room)
    as_whom = f"as {turn.us.party} " if several else ""
    quantity = said["quantity"] or plain(min(wanted.quantity, shown.quantity, wanted.free))
    return f'!fed {as_whom}push {quantity}{said["unit"] or shown.unit} "{shown.word}" to {wanted.peer}'


# --- by the clock ---


def look(turn: Turn) -> None:
    """By the clock: end expired wants, tell new peers, and search for peers' wants once a day."""
    today = turn.today()
    for want in turn.all(Want):
        if want.ended is not None and want.ended + KEPT_FOR <= turn.now:
            turn.drop(want)
        elif want.is_living and want.until < today:
            end(turn, want, WantState.OVER)
        elif want.is_living:
            _tell_friends(turn, want)
    for wanted in turn.all(FriendWant):
        connection = turn.connection(wanted.connection)
        if wanted.until < today or connection is None or connection.state is ConnectionState.ENDED:
            turn.drop(wanted)
        elif wanted.told is None and (wanted.looked is None or wanted.looked + A_DAY <= turn.now):
            _look_for(turn, wanted)


def next_wake(turn: Turn) -> list[datetime]:
    """The times at which `look` has something to do."""
    times = [want.ended + KEPT_FOR for want in turn.all(Want) if want.ended is not None]
    times += [_day_after(turn, want.until) for want in turn.all(Want) if want.is_living]
    for wanted in turn.all(FriendWant):
        times.append(_day_after(turn, wanted.until))
        if wanted.told is None and turn.all(Share) and wanted.looked is not None:
            times.append(wanted.looked + A_DAY)
    return times


def _day_after(turn: Turn, day: date) -> datetime:
    begins = time_zones.beginning(day + A_DAY, turn.us.time_zone, turn.us.time_zone)
    return begins.astimezone(turn.now.tzinfo)
