"""Rooms: invitations, our announcements, changes of a room, and connections that move to an upgraded room."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fedbot import messages
from fedbot.rules.archive import is_restless
from fedbot.rules.connection import pinning, provision
from fedbot.rules.model import audit
from fedbot.rules.model.command import Cooldown
from fedbot.rules.model.connection import Connection, Exchange
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.effects import Announce, Ask, Join, Leave, Phrase, Post, SendEnvelope, say
from fedbot.rules.model.events import (
    Answered,
    EnvelopeSeen,
    Invited,
    PartyAnnounced,
    Removed,
    RoomReplaced,
    RoomSeen,
    Unanswered,
)
from fedbot.rules.model.lifecycles import FINAL, LIVING_CONNECTION, ConnectionState
from fedbot.rules.model.queries import Able, WhenAnswered, WhenAnsweredOrNot
from fedbot.rules.model.room import MessageKind, OwnAnnouncement, Room
from fedbot.rules.model.stock import Permission
from fedbot.rules.model.transfer import Told, Transfer
from fedbot.rules.protocol import announcements, bodies, sequencing, who_answers
from fedbot.rules.state import Turn
from fedbot.rules.transfer import both_sides, opening
from fedbot.rules.transfer.opening import read_who_confirms
from fedbot.rules.who_decides import decides_here, is_open, takes_less
from fedbot.rules.wire import Draft

A_DAY = timedelta(days=1)
A_MOMENT = timedelta(minutes=1)
GREET_AGAIN_AFTER = timedelta(days=3650)


def on_invited(turn: Turn, event: Invited) -> None:
    """Join configured rooms if a known person invites us, and direct chats with our own people.

    Anybody may invite us to the replacement of such a room, because its tombstone names it. Other invitations are
    declined, and the admins are told. The members of a direct chat are known only after joining (`on_seen`).
    """
    practice = turn.practice()
    is_practice = practice is not None and (event.sender, event.room) == (practice.bot, practice.room)
    is_known = event.sender in turn.us.people or event.sender in turn.us.admins or is_practice
    begins_direct_chat = event.direct and event.sender in turn.us.people
    is_replacement = bool(announcements.replaced_by(turn, event.room))
    is_expected = is_replacement or (announcements.is_ours(turn, event.room) and is_known)
    if not is_expected and _is_one_too_many(turn, event):
        return
    if is_expected or begins_direct_chat:
        if not is_expected:
            turn.save(Room(event.room, event.name, joined=False))
        turn.do(Join(event.room))
        turn.note("rooms", audit.InRoom(audit.RoomChange.JOINED, event.room), event.sender, event.event_id)
        return
    turn.do(Leave(event.room))
    turn.note("rooms", audit.InRoom(audit.RoomChange.DECLINED, event.room), event.sender, event.event_id)
    is_listed = announcements.is_ours(turn, event.room)  # another invitation of that person must not hide this one
    if turn.tell_once(f"invited:{event.sender}{f':{event.room}' if is_listed else ''}", A_DAY):
        phrase = say(
            messages.rooms.invitation_declined,
            room=event.room,
            name=event.name,
            by=event.sender,
            known=is_known,
            listed=is_listed,
        )
        turn.tell_admins(phrase, f"invited:{event.room}:{event.event_id}")


def _is_one_too_many(turn: Turn, event: Invited) -> bool:
    """Whether that person, or everybody together, invites us too often. Such an invitation stays unanswered."""
    by_one = turn.spends("invitation", event.sender)
    if by_one is None and turn.spends("invitation by anybody", "") is None:
        return False
    if turn.tell_once("too-many-invitations", A_DAY):
        phrase = say(messages.rooms.too_many_invitations, by=event.sender)
        turn.tell_admins(phrase, f"too-many-invitations:{event.event_id}")
    return True


def on_seen(turn: Turn, event: RoomSeen) -> None:
    """Take over a room's new state: announce ourselves if needed, and tell the admins about missing power levels."""
    before = turn.room(event.room)
    room = Room(
        id=event.room,
        name=event.name,
        version=event.version,
        may_talk=event.may_talk,
        may_announce=event.may_announce,
        may_react=event.may_react,
        replaced_by=before.replaced_by if before else "",
        predecessor=event.predecessor,
        members=event.members,
        removed=before.removed if before else None,
        announce_at=before.announce_at if before else None,
    )
    turn.save(room)
    _look_at_replacement(turn, room)
    if announcements.is_ours(turn, event.room):
        _greet(turn, room)
    else:
        _stay_or_leave(turn, room, before)
    if event.room not in announcements.federation_rooms(turn):
        return
    works = room.may_talk and room.may_react
    worked = before is None or (before.may_talk and before.may_react)
    if worked and not works and not event.replaced_by:
        turn.tell_admins(
            say(messages.rooms.room_without_power, room=room, bot=turn.us.bot), f"power:{room.id}:{event.event_id}"
        )
    announce(turn, room)


def _greet(turn: Turn, room: Room) -> None:
    """Introduce ourselves once in each room; a replacement counts as the same room. Reads our admins first."""
    lineage = announcements.lineage(turn, room.id)
    known = {cooldown.id for cooldown in turn.all(Cooldown)}
    if not room.may_talk or room.replaced_by or any(_greeting(each) in known for each in lineage):
        return
    if turn.tell_once(_greeting(room.id), GREET_AGAIN_AFTER):
        turn.do(Ask(Greet(room.id), (turn.who_may(Permission.SUPERUSER),), until=turn.now + A_MOMENT))


@dataclass(frozen=True)
class Greet(WhenAnsweredOrNot):
    """Reads who our superusers are, before a room is greeted."""

    room: str

    def answered(self, turn: Turn, event: Answered) -> None:
        """Name them."""
        (able,) = event.answers
        users = able.usernames if isinstance(able, Able) else ()
        self._say(turn, tuple(person for person, user in turn.us.people.items() if user in users))

    def unanswered(self, turn: Turn, event: Unanswered) -> None:
        """Name only the admins in the settings."""
        del event
        self._say(turn, ())

    def _say(self, turn: Turn, superusers: tuple[str, ...]) -> None:
        admins = tuple(dict.fromkeys((*turn.us.admins, *superusers)))
        names = tuple(turn.name_of(person, self.room) for person in admins)
        is_private = self.room == turn.us.admin_room
        phrase = say(messages.rooms.hello, us=turn.us, admins=names, private=is_private)
        turn.do(Post(MessageKind.HELLO.of(rest=self.room), self.room, phrase))


def _greeting(room: str) -> str:
    return f"hello:{room}"


def _stay_or_leave(turn: Turn, room: Room, before: Room | None) -> None:
    """Greet a new direct chat. Leave one that isn't direct any more, and say why.

    The bot stays silent in other rooms that aren't configured, such as one that was removed from the settings.
    """
    comes_in = before is not None and not before.joined
    if not comes_in and not who_answers.direct_with(turn, before):
        return
    if who_answers.direct_with(turn, room):
        if comes_in:
            begins = say(messages.rooms.direct_chat_begins, us=turn.us)
            turn.do(Post(MessageKind.DIRECT.of(rest=room.id), room.id, begins))
        return
    goodbye = MessageKind.DIRECT_OVER.of(rest=room.id)
    if room.members.keys() - {turn.us.bot}:
        turn.do(Post(goodbye, room.id, say(messages.rooms.no_direct_chat, us=turn.us)))
    turn.do(Leave(room.id, after=goodbye))
    turn.note("rooms", audit.InRoom(audit.RoomChange.LEFT, room.id))


def announce(turn: Turn, room: Room) -> None:
    """Announce the parties that we host: by the state event or, if the room forbids it, by an envelope."""
    if not (room.may_announce or room.may_talk):
        return
    before = turn.get(OwnAnnouncement, room.id)
    now = OwnAnnouncement(room.id, announcements.our_parties(turn), by_message=not room.may_announce)
    if before == now:
        return
    turn.save(now)
    if not now.by_message:
        turn.do(Announce(room.id, announcements.our_announcement(turn, room.id)))
        return
    _announce_by_message(turn, room, again=False)
    if before is None or not before.by_message:
        turn.tell_admins(say(messages.rooms.room_denies_announcing, room=room, bot=turn.us.bot), f"announce:{room.id}")


def _announce_by_message(turn: Turn, room: Room, *, again: bool) -> None:
    content = announcements.our_announcement(turn, room.id)
    body = bodies.Announce(parties=content["parties"], again=again)
    turn.do(SendEnvelope(room.id, Draft(body.kind, "", "", "connection", 0, body.to_json())))


def _on_newcomer(turn: Turn, identifier: str) -> None:
    """Announce ourselves again by message, because a later bot can't read an earlier message as it can state."""
    room = turn.room(identifier)
    if room is None or room.may_announce or not room.may_talk or room.announce_at is not None:
        return
    later = turn.spends("announcing again", room.id)
    if later is None:
        _announce_by_message(turn, room, again=True)
    else:
        turn.save(replace(room, announce_at=later))


def look(turn: Turn) -> None:
    """By the clock: send announcements that had to wait."""
    for identifier in announcements.current_rooms(turn):
        room = turn.room(identifier)
        if room is not None and room.announce_at is not None and room.announce_at <= turn.now:
            turn.save(replace(room, announce_at=None))
            _on_newcomer(turn, identifier)


def next_wake(turn: Turn) -> list[datetime]:
    """The times at which `look` has something to do."""
    rooms = [turn.room(identifier) for identifier in announcements.current_rooms(turn)]
    return [room.announce_at for room in rooms if room is not None and room.announce_at is not None]


def announce_everywhere(turn: Turn) -> None:
    """After a start: announce where the configuration has changed, and greet new rooms."""
    for identifier in (*announcements.current_rooms(turn), turn.us.admin_room):
        room = turn.room(identifier)
        if room is not None and room.joined:
            _greet(turn, room)
            if identifier != turn.us.admin_room:
                announce(turn, room)


def on_announced(turn: Turn, event: PartyAnnounced) -> None:
    """Take in the parties that a bot announces."""
    if event.room in announcements.federation_rooms(turn) and event.sender != turn.us.bot:
        pinning.on_announced(turn, event.room, event.sender, event.content)
        _on_newcomer(turn, event.room)


def on_announced_by_message(turn: Turn, event: EnvelopeSeen, said: bodies.Announce) -> None:
    """Handle an announcement by message, from a bot that may not send the state event. Don't answer an answer."""
    pinning.on_announced(turn, event.room, event.sender, {"parties": said.parties})
    if not said.again:
        _on_newcomer(turn, event.room)


def on_removed(turn: Turn, event: Removed) -> None:
    """Note that we are out of a room, and tell the admins."""
    room = turn.room(event.room)
    if room is None or not room.joined:
        return
    turn.save(replace(room, joined=False, removed=event.at))
    turn.note("rooms", audit.InRoom(audit.RoomChange.REMOVED, event.room, event.reason), event.sender, event.event_id)
    if event.room in announcements.current_rooms(turn):
        turn.tell_admins(say(messages.rooms.removed_from_room, room=room, event=event), f"removed:{event.event_id}")


# --- Upgraded rooms: connections continue in the new room once one of our superusers confirms it there.

ASKED_ONLY = frozenset({ConnectionState.ASKED, ConnectionState.OFFERED})
FOR_EVER = timedelta(days=3650)
SAID_THERE = frozenset({Told.CARD, Told.WAIT, Told.SILENT, Told.MOVED})
"""Messages in the old room, which can't be edited or replied to from the new one."""


def on_replaced(turn: Turn, event: RoomReplaced) -> None:
    """Follow a tombstone, and suspend what is in the old room. An empty `replacement` withdraws the tombstone."""
    room = turn.room(event.room) or Room(event.room)
    if room.replaced_by == event.replacement:
        return
    turn.save(replace(room, replaced_by=event.replacement))
    here = [c for c in turn.connections() if event.room in (c.room, c.changed_room) and _lasts(turn, c)]
    if not event.replacement or not (here or event.room in announcements.federation_rooms(turn)):
        return
    turn.note(
        "rooms", audit.InRoom(audit.RoomChange.REPLACED, event.room, event.replacement), event.sender, event.event_id
    )
    for connection in here:
        _wait(turn, connection, event.replacement)
    new = turn.room(event.replacement)
    if new is not None and new.joined:
        _look_at_replacement(turn, new)
        return
    turn.do(Join(event.replacement, via=(event.sender.partition(":")[2],)))
    phrase = say(
        messages.rooms.room_replaced, room=room, replacement=event.replacement, bot=turn.us.bot, waiting=len(here)
    )
    turn.tell_admins(phrase, f"replaced:{event.room}:{event.event_id}")


def _lasts(turn: Turn, connection: Connection) -> bool:
    """Whether messages about it may still be sent: it hasn't ended, or its transfers haven't."""
    carried = any(t.connection == connection.id for t in turn.restless_transfers())
    return connection.state in LIVING_CONNECTION or carried


def _wait(turn: Turn, connection: Connection, room: str) -> None:
    """Suspend it until a superuser confirms the new room. A mere request is cancelled, and can be repeated there."""
    if connection.state in ASKED_ONLY:
        exchange = replace(connection.exchange, awaiting=False, resend_at=None)
        turn.save(replace(connection, state=ConnectionState.CANCELLED, decision=None, exchange=exchange))
        turn.note(connection.id, audit.RoomReplaced(room, is_over=True))
        return
    state = ConnectionState.SUSPENDED if connection.state in pinning.PINNED else connection.state
    turn.save(replace(connection, state=state, changed_room=room))
    turn.note(connection.id, audit.RoomReplaced(room))


def _look_at_replacement(turn: Turn, room: Room) -> None:
    """Post what waits in a room that replaces another, or leave it if it isn't a replacement."""
    pointing = announcements.replaced_by(turn, room.id)
    if not pointing or not room.joined:
        return
    if room.predecessor not in pointing:
        stays = announcements.is_ours(turn, room.id)
        if not stays:
            turn.do(Leave(room.id))
        if turn.tell_once(f"no-successor:{room.id}", FOR_EVER):
            old = turn.room(pointing[0]) or Room(pointing[0])
            phrase = say(messages.rooms.room_is_no_successor, room=room, old=old, stays=stays)
            turn.tell_admins(phrase, f"no-successor:{room.id}")
        return
    waiting = waiting_for(turn, room.id)
    if waiting and turn.tell_once(f"moved:{room.id}", FOR_EVER):
        turn.do(Post(MessageKind.MOVED.of(rest=room.id), room.id, waiting_message(turn, waiting)))
    if room.id not in turn.us.rooms and turn.tell_once(f"unconfigured:{room.id}", FOR_EVER):
        turn.tell_admins(
            say(messages.rooms.room_to_be_configured, room=room, old=room.predecessor), f"unconfigured:{room.id}"
        )


def on_started(turn: Turn) -> None:
    """Suspend connections that were found after a loss in a room that has been replaced meanwhile."""
    for room in turn.all(Room):
        if room.replaced_by:
            for connection in turn.connections():
                if connection.room == room.id and not connection.changed_room and _lasts(turn, connection):
                    _wait(turn, connection, room.replaced_by)
            new = turn.room(room.replaced_by)
            if new is not None:
                _look_at_replacement(turn, new)


def waiting_for(turn: Turn, room: str) -> tuple[Connection, ...]:
    """Return the connections that may continue in this room, if a superuser agrees: all that wait, if it is the newest.

    A room without a valid tombstone keeps its own connections.
    """
    if announcements.newest(turn, room) != room:
        return ()
    known = turn.room(room)
    still_here = known is not None and not known.replaced_by
    return tuple(
        c
        for c in _waiting(turn)
        if (c.changed_room == room and c.room in announcements.lineage(turn, room)) or (c.room == room and still_here)
    )


def waiting_message(turn: Turn, waiting: tuple[Connection, ...]) -> Phrase:
    """Return the one message about everything that waits for a room."""
    return say(messages.rooms.friendships_wait_here, us=turn.us, waiting=waiting, open_ones=_open(turn, waiting))


def rooms_waited_for(turn: Turn) -> tuple[str, ...]:
    """Return the names (else ids) of the rooms in which a superuser has to confirm that connections continue."""
    known = [turn.room(c.changed_room) or Room(c.changed_room) for c in _waiting(turn)]
    return tuple(dict.fromkeys(room.name or room.id for room in known))


def _waiting(turn: Turn) -> list[Connection]:
    return [c for c in turn.connections() if c.changed_room and _lasts(turn, c)]


def _open(turn: Turn, connections: Iterable[Connection]) -> tuple[Transfer, ...]:
    """Return the open transfers and loans of these connections."""
    of = {connection.id for connection in connections}
    return tuple(t for t in turn.restless_transfers() if t.connection in of and (t.state not in FINAL or t.is_on_loan))


def move(turn: Turn, room: str, by: Signature) -> tuple[tuple[Connection, ...], tuple[Transfer, ...]]:
    """Move everything that waits to this room, as a superuser says.

    Return the moved connections and their open transfers.
    """
    moved = waiting_for(turn, room)
    for connection in moved:
        _move(turn, connection, room, by)
    return moved, _open(turn, moved)


def _move(turn: Turn, connection: Connection, room: str, by: Signature) -> None:
    connection = replace(
        pinning.restored(replace(connection, changed_room="")),
        room=room,
        card_event="",
        own_card="",
        peer_events=(),
        exchange=_with_fresh_pauses(turn, connection.exchange),
    )
    turn.save(connection)
    turn.note(connection.id, audit.GoesOnInRoom(room), by.person, by.event_id)
    for transfer in turn.living_transfers():
        if transfer.connection == connection.id and (is_restless(transfer) or transfer.exchange.awaiting):
            _move_transfer(turn, transfer, room)
    sequencing.send_again(turn, connection)
    sequencing.ask(turn, connection)
    if connection.state is ConnectionState.MAKING:
        provision.begin(turn, connection)
    provision.mirror(turn, connection)


def _move_transfer(turn: Turn, transfer: Transfer, room: str) -> None:
    """Send its messages again, and post a card again on which people can still decide."""
    card_stands = transfer.has_card and _awaits_reaction(turn, transfer)
    transfer = replace(_in_room(transfer, room), exchange=_with_fresh_pauses(turn, transfer.exchange))
    turn.save(transfer)
    sequencing.send_again(turn, transfer)
    sequencing.ask(turn, transfer)
    if card_stands:
        if takes_less(transfer):
            read_who_confirms(turn, transfer)
            return
        turn.do(Ask(ShowMovedCard(transfer.id), (turn.who_may(Permission.APPROVER),)))


def room_of(turn: Turn, connection: Connection) -> str:
    """Return the room in which the peer may write about it: the newest one if it has ended, without a review."""
    return connection.room if _lasts(turn, connection) else announcements.newest(turn, connection.room)


def follow_ended(turn: Turn, connection: Connection) -> Connection:
    """Return the connection with the room in which messages about it are answered."""
    room = room_of(turn, connection)
    if room != connection.room:
        connection = replace(connection, room=room, changed_room="", card_event="", own_card="", peer_events=())
        turn.save(connection)
    return connection


def follow(turn: Turn, transfer: Transfer, room: str) -> Transfer:
    """Return the transfer in the room where its connection continues.

    Messages about finished ones are answered there too.
    """
    if transfer.room == room:
        return transfer
    transfer = _in_room(transfer, room)
    turn.save(transfer)
    return transfer


def _in_room(transfer: Transfer, room: str) -> Transfer:
    told = tuple(word for word in transfer.told if word not in SAID_THERE)
    moved = replace(transfer, room=room, card_event="", own_card="", peer_events=(), told=told)
    return moved.after_telling(Told.MOVED)


def _awaits_reaction(turn: Turn, transfer: Transfer) -> bool:
    return transfer.awaits_parcel or (is_open(transfer) and decides_here(turn.us, transfer))


@dataclass(frozen=True)
class ShowMovedCard(both_sides.TellsThatItWaits, WhenAnswered):
    """Reads who may decide, before a card is posted again in the new room."""

    def answered(self, turn: Turn, event: Answered) -> None:
        """Post the card, if it still asks for something."""
        transfer = turn.transfer(self.transfer)
        (able,) = event.answers
        if transfer is None or not isinstance(able, Able) or not _awaits_reaction(turn, transfer):
            return
        transfer = both_sides.clear_wait(turn, transfer)
        if not transfer.has_card:
            opening.post_first_card(turn, transfer, opening.addressees(turn, able))


def _with_fresh_pauses(turn: Turn, exchange: Exchange) -> Exchange:
    """Return the exchange with its resend pauses restarted, because nobody could read the messages until now."""
    return replace(exchange, resends=0, resend_at=turn.now + turn.us.resend_after[0] if exchange.awaiting else None)
