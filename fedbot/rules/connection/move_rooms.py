"""A room that was upgraded: its friendships go on in the new one, once one of our superusers says so there.

Nothing can be said in the old room any more. So its connections are paused at once, as when a key changes, and what
is open waits with them; messages that the friend has not seen go out again in the new room. Each side moves by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from fedbot import messages
from fedbot.rules import consent
from fedbot.rules.connection import pinning, provision
from fedbot.rules.model import audit
from fedbot.rules.model.archive import is_restless
from fedbot.rules.model.connection import Connection, Exchange
from fedbot.rules.model.connection_lifecycle import LIVING_CONNECTION, ConnectionState
from fedbot.rules.model.continuation import WhenAnswered
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.effects import Ask, Join, Leave, Phrase, Post, say
from fedbot.rules.model.events import Answered, RoomReplaced
from fedbot.rules.model.queries import Able, WhoMay
from fedbot.rules.model.room import Room
from fedbot.rules.model.stock import Right
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.model.transfer_lifecycle import FINAL
from fedbot.rules.protocol import room_upgrades, sequencing
from fedbot.rules.state import Turn
from fedbot.rules.transfer import both_sides as transfers
from fedbot.rules.transfer import opening, request

ASKED_ONLY = frozenset({ConnectionState.ASKED, ConnectionState.OFFERED})
FOR_EVER = timedelta(days=3650)
SAID_THERE = frozenset({"card", "wait", "silent", transfers.MOVED})
"""What stands in the old room, and can't be edited or replied to from the new one."""


def on_replaced(turn: Turn, event: RoomReplaced) -> None:
    """A tombstone. Go where it points to, and let what lives in the old room wait; `replacement` '' takes it back."""
    room = turn.room(event.room) or Room(event.room)
    if room.replaced_by == event.replacement:
        return
    turn.save(replace(room, replaced_by=event.replacement))
    here = [c for c in turn.connections() if event.room in (c.room, c.changed_room) and _lasts(turn, c)]
    if not event.replacement or not (here or event.room in room_upgrades.federation_rooms(turn)):
        return
    turn.note(
        "rooms", audit.InRoom(audit.RoomChange.REPLACED, event.room, event.replacement), event.sender, event.event_id
    )
    for connection in here:
        _wait(turn, connection, event.replacement)
    new = turn.room(event.replacement)
    if new is not None and new.joined:
        look(turn, new)
        return
    turn.do(Join(event.replacement, via=(event.sender.partition(":")[2],)))
    phrase = say(
        messages.rooms.room_replaced, room=room, replacement=event.replacement, bot=turn.us.bot, waiting=len(here)
    )
    turn.tell_admins(phrase, f"replaced:{event.room}:{event.event_id}")


def _lasts(turn: Turn, connection: Connection) -> bool:
    """Whether it may still have something to say: it isn't over, or what it carried isn't."""
    carried = any(t.connection == connection.id for t in turn.restless_transfers())
    return connection.state in LIVING_CONNECTION or carried


def _wait(turn: Turn, connection: Connection, room: str) -> None:
    """It waits for a superuser's word in the new room. What was only asked for is asked for anew there."""
    if connection.state in ASKED_ONLY:
        exchange = replace(connection.exchange, awaiting=False, resend_at=None)
        turn.save(replace(connection, state=ConnectionState.CANCELLED, decision=None, exchange=exchange))
        turn.note(connection.id, audit.RoomReplaced(room, is_over=True))
        return
    state = ConnectionState.SUSPENDED if connection.state in pinning.PINNED else connection.state
    turn.save(replace(connection, state=state, changed_room=room))
    turn.note(connection.id, audit.RoomReplaced(room))


def look(turn: Turn, room: Room) -> None:
    """We are in a room that may be a replacement: say what waits there for whom, or leave if it is none."""
    pointing = room_upgrades.replaced_by(turn, room.id)
    if not pointing or not room.joined:
        return
    if room.predecessor not in pointing:
        stays = room_upgrades.is_ours(turn, room.id)
        if not stays:
            turn.do(Leave(room.id))
        if turn.tell_once(f"no-successor:{room.id}", FOR_EVER):
            old = turn.room(pointing[0]) or Room(pointing[0])
            phrase = say(messages.rooms.room_is_no_successor, room=room, old=old, stays=stays)
            turn.tell_admins(phrase, f"no-successor:{room.id}")
        return
    waiting = waiting_for(turn, room.id)
    if waiting and turn.tell_once(f"moved:{room.id}", FOR_EVER):
        turn.do(Post(f"moved:-:{room.id}", room.id, what_waits(turn, waiting)))
    if room.id not in turn.us.rooms and turn.tell_once(f"unconfigured:{room.id}", FOR_EVER):
        turn.tell_admins(
            say(messages.rooms.room_to_be_configured, room=room, old=room.predecessor), f"unconfigured:{room.id}"
        )


def on_started(turn: Turn) -> None:
    """What was found again after a loss, in a room that was replaced meanwhile, waits too."""
    for room in turn.rooms():
        if room.replaced_by:
            for connection in turn.connections():
                if connection.room == room.id and not connection.changed_room and _lasts(turn, connection):
                    _wait(turn, connection, room.replaced_by)
            new = turn.room(room.replaced_by)
            if new is not None:
                look(turn, new)


def waiting_for(turn: Turn, room: str) -> tuple[Connection, ...]:
    """The connections that may go on in this room, if a superuser says so: all that wait, once it is the newest.

    A room that is its own newest keeps those whose tombstone was taken back.
    """
    if room_upgrades.newest(turn, room) != room:
        return ()
    known = turn.room(room)
    still_here = known is not None and not known.replaced_by
    return tuple(
        c
        for c in _waiting(turn)
        if (c.changed_room == room and c.room in room_upgrades.lineage(turn, room)) or (c.room == room and still_here)
    )


def what_waits(turn: Turn, waiting: tuple[Connection, ...]) -> Phrase:
    """The one message for all that waits for a room."""
    return say(messages.rooms.friendships_wait_here, us=turn.us, waiting=waiting, open_ones=_open(turn, waiting))


def rooms_waited_for(turn: Turn) -> tuple[str, ...]:
    """The names (else ids) of the rooms in which somebody has to say that what waits goes on there."""
    known = [turn.room(c.changed_room) or Room(c.changed_room) for c in _waiting(turn)]
    return tuple(dict.fromkeys(room.name or room.id for room in known))


def _waiting(turn: Turn) -> list[Connection]:
    return [c for c in turn.connections() if c.changed_room and _lasts(turn, c)]


def _open(turn: Turn, connections: Iterable[Connection]) -> tuple[Transfer, ...]:
    """What is open, or on loan, on these."""
    of = {connection.id for connection in connections}
    return tuple(t for t in turn.restless_transfers() if t.connection in of and (t.state not in FINAL or t.is_on_loan))


def move(turn: Turn, room: str, by: Signature) -> tuple[tuple[Connection, ...], tuple[Transfer, ...]]:
    """A superuser says that all that waits goes on here: the connections that moved, and what is open on them."""
    moved = waiting_for(turn, room)
    for connection in moved:
        _move(turn, connection, room, by)
    return moved, _open(turn, moved)


def _move(turn: Turn, connection: Connection, room: str, by: Signature) -> None:
    connection = replace(
        pinning.restored(replace(connection, changed_room="")),
        room=room,
        card_event="",
        peer_events=(),
        exchange=_soon(turn, connection.exchange),
    )
    turn.save(connection)
    turn.note(connection.id, audit.GoesOnInRoom(room), by.person, by.event_id)
    for transfer in turn.living_transfers():
        if transfer.connection == connection.id and (is_restless(transfer) or transfer.exchange.awaiting):
            _take_along(turn, transfer, room)
    sequencing.send_again(turn, connection)
    sequencing.ask(turn, connection)
    if connection.state is ConnectionState.MAKING:
        provision.begin(turn, connection)
    provision.mirror(turn, connection)


def _take_along(turn: Turn, transfer: Transfer, room: str) -> None:
    """Its messages go out again, and a card that people can still tap is put up anew."""
    card_stands = "card" in transfer.told and _waits_for_a_tap(turn, transfer)
    transfer = replace(_there(transfer, room), exchange=_soon(turn, transfer.exchange))
    turn.save(transfer)
    sequencing.send_again(turn, transfer)
    sequencing.ask(turn, transfer)
    if card_stands:
        if consent.takes_less(transfer):
            request.look_who_confirms(turn, transfer)
            return
        people = tuple(turn.us.people.values())
        turn.do(Ask(ShowMovedCard(transfer.id), (WhoMay(Right.APPROVER, people),)))


def room_of(turn: Turn, connection: Connection) -> str:
    """The room in which the friend may write about it: what is over waits for nobody's word to go where all went."""
    return connection.room if _lasts(turn, connection) else room_upgrades.newest(turn, connection.room)


def follow_what_is_over(turn: Turn, connection: Connection) -> Connection:
    """The connection, in the room where messages about it are answered."""
    room = room_of(turn, connection)
    if room != connection.room:
        connection = replace(connection, room=room, changed_room="", card_event="", peer_events=())
        turn.save(connection)
    return connection


def follow(turn: Turn, transfer: Transfer, room: str) -> Transfer:
    """The transfer, in the room where its friendship goes on: a message about what was over is answered there too."""
    if transfer.room == room:
        return transfer
    transfer = _there(transfer, room)
    turn.save(transfer)
    return transfer


def _there(transfer: Transfer, room: str) -> Transfer:
    told = (*(word for word in transfer.told if word not in SAID_THERE), transfers.MOVED)
    return replace(transfer, room=room, card_event="", peer_events=(), told=told)


def _waits_for_a_tap(turn: Turn, transfer: Transfer) -> bool:
    return transfer.awaits_parcel or (consent.is_open(transfer) and consent.decides_here(turn.us, transfer))


@dataclass(frozen=True)
class ShowMovedCard(transfers.TellsThatItWaits, WhenAnswered):
    """A card goes on in the new room, and waits for who may decide."""

    def answered(self, turn: Turn, event: Answered) -> None:
        """The card goes up there, if it still asks for something."""
        transfer = turn.transfer(self.transfer)
        (able,) = event.answers
        if transfer is None or not isinstance(able, Able) or not _waits_for_a_tap(turn, transfer):
            return
        transfer = transfers.goes_on(turn, transfer)
        if "card" not in transfer.told:
            opening.put_up_card(turn, transfer, able)


def _soon(turn: Turn, exchange: Exchange) -> Exchange:
    """Messages that nobody could hear till now: the pauses between them begin anew."""
    return replace(exchange, resends=0, resend_at=turn.now + turn.us.resend_after[0] if exchange.awaiting else None)
