"""The bots and people in a room, the party of each, and the bot that answers a line."""

from __future__ import annotations

from fedbot.rules.model.command import PREFIX
from fedbot.rules.model.room import Room
from fedbot.rules.names import is_called
from fedbot.rules.protocol.announcements import federation_rooms
from fedbot.rules.state import Turn


def _bots_in(turn: Turn, room: str) -> list[str]:
    """Return the ids of all fedbots in the room, ours too, lowest first."""
    return sorted({announcement.bot for announcement in turn.announcements(room)} | {turn.us.bot})


def direct_with(turn: Turn, room: Room | None) -> str:
    """Return the one of our people with whom we are alone in the room; '' if it is no direct chat, or is configured.

    The room's members decide, so the bot stores no list of direct chats that could get lost.
    """
    if room is None or not room.joined or room.id == turn.us.admin_room:
        return ""
    if room.id in federation_rooms(turn):
        return ""
    others = room.members.keys() - {turn.us.bot}
    return next(iter(others)) if len(others) == 1 and others <= turn.us.people.keys() else ""


def shared_with(turn: Turn, person: str) -> list[str]:
    """Return the federation rooms that this person reads. Their subjects may be shown in a direct chat."""
    known = {room: turn.room(room) for room in federation_rooms(turn)}
    return [room for room, seen in known.items() if seen and seen.joined and person in seen.members]


def is_bot(turn: Turn, room: str, sender: str) -> bool:
    """Whether the sender is a fedbot, ours or another. Our own people are people, whatever they announce."""
    return sender not in turn.us.people and sender in _bots_in(turn, room)


def other_homes(turn: Turn, room: str, person: str, *, active_only: bool) -> list[tuple[str, str]]:
    """Return the other parties in this room that list the person, as (party, its bot)."""
    peers = {(c.peer, c.peer_bot) for c in turn.active_connections(room)}
    return [
        (party.id, announcement.bot)
        for announcement in turn.announcements(room)
        if announcement.bot != turn.us.bot
        for party in announcement.parties
        if person in party.people and (not active_only or (party.id, announcement.bot) in peers)
    ]


def we_answer(turn: Turn, room: str, person: str) -> bool:
    """Whether we answer a line of this person.

    Our own people are ours by our own configuration, whatever others announce. A person whom only another bot lists is
    left to that bot. The bot with the lowest id answers people whom nobody lists.
    """
    if person in turn.us.people:
        return True
    if other_homes(turn, room, person, active_only=False):
        return False
    return _bots_in(turn, room)[0] == turn.us.bot


_SHORTEST_BEGINNING = 3


def space_named(turn: Turn, room: str, person: str, word: str) -> str:
    """Return the party in `as PARTY`: ours, or another that lists the person; '' if there is none.

    A prefix of another's name counts too, so that only its own bot corrects it.
    """
    if is_called(turn.us.party, turn.us.name, word):
        return turn.us.party
    announced = (each for each in turn.announcements(room) if each.bot != turn.us.bot)
    theirs = [party for each in announced for party in each.parties if person in party.people]
    named = [party.id for party in theirs if is_called(party.id, party.name, word)]
    if named or len(word) < _SHORTEST_BEGINNING or _begins(turn.us.party, turn.us.name, word):
        return next(iter(named), "")
    return next((party.id for party in theirs if _begins(party.id, party.name, word)), "")


def _begins(party: str, name: str, word: str) -> bool:
    return any(each.casefold().startswith(word.casefold()) for each in (party, name))


def typed_to_us(turn: Turn, person: str, room: str) -> str:
    """Return how a line of this person to us begins in the room: with `as SPACE` if several bots would answer."""
    return f"{PREFIX} as {turn.us.party}" if claimed_by_several(turn, person, room) else PREFIX


def claimed_by_several(turn: Turn, person: str, room: str) -> list[str]:
    """Return all parties that list one of our people, ours included, if another connected party does too; else []."""
    others = other_homes(turn, room, person, active_only=True)
    return sorted({turn.us.party, *(party for party, _ in others)}) if others else []
