"""The rooms: invitations, announcing ourselves, and what can happen to a room."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fedbot import messages
from fedbot.rules.connection import move_rooms, pinning
from fedbot.rules.model import audit
from fedbot.rules.model.continuation import WhenAnsweredOrNot
from fedbot.rules.model.effects import Announce, Ask, Draft, Join, Leave, Post, SendEnvelope, say
from fedbot.rules.model.events import Answered, EnvelopeSeen, Invited, PartyAnnounced, Removed, RoomSeen, Unanswered
from fedbot.rules.model.queries import Able, WhoMay
from fedbot.rules.model.room import Room
from fedbot.rules.model.stock import Right
from fedbot.rules.protocol import announcements, bodies, room_upgrades, who_answers
from fedbot.rules.state import Turn

A_DAY = timedelta(days=1)
A_MOMENT = timedelta(minutes=1)
ANNOUNCE_AGAIN_AFTER = timedelta(days=3650)


def on_invited(turn: Turn, event: Invited) -> None:
    """Join configured rooms on invitation by people whom we know, and direct chats with our own people.

    Into what takes the place of such a room anybody may invite us: its tombstone has named it. The rest is declined,
    and the admins are told. Who is in a direct chat is known only once we are in (`on_seen`).
    """
    practice = turn.practice()
    is_practice = practice is not None and (event.sender, event.room) == (practice.bot, practice.room)
    known = event.sender in turn.us.people or event.sender in turn.us.admins or is_practice
    begins_direct_chat = event.direct and event.sender in turn.us.people
    follows = bool(room_upgrades.replaced_by(turn, event.room))
    is_expected = follows or (room_upgrades.is_ours(turn, event.room) and known)
    if not is_expected and _is_one_too_many(turn, event):
        return
    if (room_upgrades.is_ours(turn, event.room) and known) or follows or begins_direct_chat:
        if not (room_upgrades.is_ours(turn, event.room) or follows):
            turn.save(Room(event.room, event.name, joined=False))
        turn.do(Join(event.room))
        turn.note("rooms", audit.InRoom(audit.RoomChange.JOINED, event.room), event.sender, event.event_id)
        return
    turn.do(Leave(event.room))
    turn.note("rooms", audit.InRoom(audit.RoomChange.DECLINED, event.room), event.sender, event.event_id)
    if turn.tell_once(f"invited:{event.sender}", A_DAY):
        phrase = say(messages.rooms.invitation_declined, room=event.room, name=event.name, by=event.sender, known=known)
        turn.tell_admins(phrase, f"invited:{event.room}:{event.event_id}")


def _is_one_too_many(turn: Turn, event: Invited) -> bool:
    """Whether that person, or everybody together, invites us too often: then it stays unanswered."""
    by_one = turn.spends("invitation", event.sender)
    if by_one is None and turn.spends("invitation by anybody", "") is None:
        return False
    if turn.tell_once("too-many-invitations", A_DAY):
        phrase = say(messages.rooms.too_many_invitations, by=event.sender)
        turn.tell_admins(phrase, f"too-many-invitations:{event.event_id}")
    return True


def on_seen(turn: Turn, event: RoomSeen) -> None:
    """What a room is like now: announce ourselves where that is new, tell the admins what stands in our way."""
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
    move_rooms.look(turn, room)
    if not room_upgrades.is_ours(turn, event.room):
        _stay_or_leave(turn, room, before)
    if room_upgrades.is_ours(turn, event.room):
        greet(turn, room)
    if event.room not in room_upgrades.federation_rooms(turn):
        return
    works = room.may_talk and room.may_react
    worked = before is None or (before.may_talk and before.may_react)
    if worked and not works and not event.replaced_by:
        turn.tell_admins(
            say(messages.rooms.room_without_power, room=room, bot=turn.us.bot), f"power:{room.id}:{event.event_id}"
        )
    announce(turn, room)


def greet(turn: Turn, room: Room) -> None:
    """Say who we are, once a room; one that takes the place of another is the same. Who rules us, InvenTree tells."""
    lineage = room_upgrades.lineage(turn, room.id)
    known = {cooldown.id for cooldown in turn.cooldowns()}
    if not room.may_talk or room.replaced_by or any(_greeting(each) in known for each in lineage):
        return
    if turn.tell_once(_greeting(room.id), ANNOUNCE_AGAIN_AFTER):
        people = tuple(dict.fromkeys(turn.us.people.values()))
        turn.do(Ask(Greet(room.id), (WhoMay(Right.SUPERUSER, people),), until=turn.now + A_MOMENT))


@dataclass(frozen=True)
class Greet(WhenAnsweredOrNot):
    """The greeting of a room waits for who our superusers are."""

    room: str

    def answered(self, turn: Turn, event: Answered) -> None:
        """Name them."""
        (able,) = event.answers
        users = able.usernames if isinstance(able, Able) else ()
        self._say(turn, tuple(person for person, user in turn.us.people.items() if user in users))

    def unanswered(self, turn: Turn, event: Unanswered) -> None:
        """InvenTree doesn't say: name those that the settings name."""
        del event
        self._say(turn, ())

    def _say(self, turn: Turn, superusers: tuple[str, ...]) -> None:
        admins = tuple(dict.fromkeys((*turn.us.admins, *superusers)))
        names = tuple(turn.name_of(person, self.room) for person in admins)
        is_private = self.room == turn.us.admin_room
        phrase = say(messages.rooms.hello, us=turn.us, admins=names, private=is_private)
        turn.do(Post(f"hello:-:{self.room}", self.room, phrase))


def _greeting(room: str) -> str:
    return f"hello:{room}"


def _stay_or_leave(turn: Turn, room: Room, before: Room | None) -> None:
    """A direct chat begins, or is none any more: then say why and leave.

    Other rooms that aren't configured are none of our business, such as one that was taken out of the settings.
    """
    comes_in = before is not None and not before.joined
    if not comes_in and not who_answers.direct_with(turn, before):
        return
    if who_answers.direct_with(turn, room):
        if comes_in:
            turn.do(Post(f"direct:-:{room.id}", room.id, say(messages.rooms.direct_chat_begins, us=turn.us)))
        return
    last_words = f"direct-over:-:{room.id}"
    if room.members.keys() - {turn.us.bot}:
        turn.do(Post(last_words, room.id, say(messages.rooms.no_direct_chat, us=turn.us)))
    turn.do(Leave(room.id, after=last_words))
    turn.note("rooms", audit.InRoom(audit.RoomChange.LEFT, room.id))


def announce(turn: Turn, room: Room) -> None:
    """Say which parties we host: by the state event, or, where the room denies it, by an envelope."""
    content = announcements.our_announcement(turn)
    if not (room.may_announce or room.may_talk) or not turn.tell_once(_announcing(turn, room), ANNOUNCE_AGAIN_AFTER):
        return
    for before in turn.cooldowns():  # what was announced before is no more, so it is said anew if it comes back
        if before.id.startswith(f"announced:{room.id}:") and before.id != _announcing(turn, room):
            turn.drop(before)
    if room.may_announce:
        turn.do(Announce(room.id, announcements.dated(turn, room.id, content)))
    elif room.may_talk:
        _announce_by_message(turn, room, again=False)
        turn.tell_admins(say(messages.rooms.room_denies_announcing, room=room, bot=turn.us.bot), f"announce:{room.id}")


def _announce_by_message(turn: Turn, room: Room, *, again: bool) -> None:
    content = announcements.dated(turn, room.id, announcements.our_announcement(turn))
    body = bodies.Announce(parties=content["parties"], again=again)
    turn.do(SendEnvelope(room.id, Draft(body.kind, "", "", "connection", 0, body.written())))


def on_newcomer(turn: Turn, identifier: str) -> None:
    """A bot has said who it is: it may have come after we did so by message, and that isn't kept for it as state is."""
    room = turn.room(identifier)
    if room is None or room.may_announce or not room.may_talk or room.announce_at is not None:
        return
    later = turn.spends("announcing again", room.id)
    if later is None:
        _announce_by_message(turn, room, again=True)
    else:
        turn.save(replace(room, announce_at=later))


def look(turn: Turn) -> None:
    """By the clock: say again who we are where that had to wait."""
    for identifier in room_upgrades.current_rooms(turn):
        room = turn.room(identifier)
        if room is not None and room.announce_at is not None and room.announce_at <= turn.now:
            turn.save(replace(room, announce_at=None))
            on_newcomer(turn, identifier)


def next_wake(turn: Turn) -> list[datetime]:
    """When `look` has something to do."""
    rooms = [turn.room(identifier) for identifier in room_upgrades.current_rooms(turn)]
    return [room.announce_at for room in rooms if room is not None and room.announce_at is not None]


def _announcing(turn: Turn, room: Room) -> str:
    """What is announced where and how: said again only when any of it changes."""
    content = json.dumps(announcements.our_announcement(turn), sort_keys=True)
    return f"announced:{room.id}:{room.may_announce}:{content}"


def announce_everywhere(turn: Turn) -> None:
    """After a start the configuration may have changed: announce where it has, and greet a room that is new."""
    for identifier in (*room_upgrades.current_rooms(turn), turn.us.admin_room):
        room = turn.room(identifier)
        if room is not None and room.joined:
            greet(turn, room)
            if identifier != turn.us.admin_room:
                announce(turn, room)


def on_announced(turn: Turn, event: PartyAnnounced) -> None:
    """A bot says which parties it hosts."""
    if event.room in room_upgrades.federation_rooms(turn) and event.sender != turn.us.bot:
        pinning.on_announced(turn, event.room, event.sender, event.content)
        on_newcomer(turn, event.room)


def on_announced_by_message(turn: Turn, event: EnvelopeSeen, said: bodies.Announce) -> None:
    """The same where the room denies the state event. What answers another's announcement needs no answer."""
    pinning.on_announced(turn, event.room, event.sender, {"parties": said.parties})
    if not said.again:
        on_newcomer(turn, event.room)


def on_removed(turn: Turn, event: Removed) -> None:
    """We are out of a room: nothing can be said there any more; the admins are told."""
    room = turn.room(event.room)
    if room is None or not room.joined:
        return
    turn.save(replace(room, joined=False, removed=event.at))
    turn.note("rooms", audit.InRoom(audit.RoomChange.REMOVED, event.room, event.reason), event.sender, event.event_id)
    if event.room in room_upgrades.current_rooms(turn):
        turn.tell_admins(say(messages.rooms.removed_from_room, room=room, event=event), f"removed:{event.event_id}")
