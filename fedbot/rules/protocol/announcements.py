"""The parties that bots announce in each room, and rooms that replaced others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from fedbot.rules import names
from fedbot.rules.model.lifecycles import LIVING_CONNECTION
from fedbot.rules.model.room import AnnouncedParty, Announcement, Room
from fedbot.rules.state import Turn
from fedbot.rules.wire import OLDEST_VERSION, VERSION, announcement_holds, wire_time

PARTY_ID = re.compile(r"^[a-z0-9][a-z0-9-]{0,30}$")
KEY = re.compile(r"^[0-9a-f]{64}$")
MOST_PARTIES = 50
MOST_PEOPLE = 500
HIGHEST_VERSION = 1_000_000


def our_parties(turn: Turn) -> tuple[AnnouncedParty, ...]:
    """Return the parties that we announce in each federation room; none if others may not discover us."""
    us = turn.us
    name, people = names.display_name(us.name, us.party), tuple(sorted(us.people))
    party = AnnouncedParty(us.party, name, us.key, people, us.peer_access, (OLDEST_VERSION, VERSION))
    return (party,) if us.discoverable else ()


def our_announcement(turn: Turn, room: str) -> dict[str, Any]:
    """Return our announcement for a room: the state event `dev.fedbot.party`, or an envelope's body.

    Its time is later than that of the last one in that room, even if our clock went back since.
    """
    known = turn.announcement(room, turn.us.bot)
    last = max((party.at for party in known.parties), default=0) if known else 0
    at = max(wire_time(turn.now), last + 1)
    turn.save(Announcement(room, turn.us.bot, (AnnouncedParty(turn.us.party, turn.us.name, turn.us.key, at=at),)))
    return {"v": 1, "parties": [_written(party, at) for party in our_parties(turn)]}


def _written(party: AnnouncedParty, at: int) -> dict[str, Any]:
    return {
        "id": party.id,
        "name": party.name,
        "key": party.key,
        "people": list(party.people),
        "access": party.access,
        "speaks": list(party.speaks),
        "at": at,
    }


@dataclass(frozen=True)
class ReadAnnouncement:
    """A bot's announcement, without malformed entries. `unproven` are the parties whose key didn't sign it."""

    parties: tuple[AnnouncedParty, ...]
    unproven: tuple[AnnouncedParty, ...]


def read_announcement(room: str, bot: str, content: dict[str, Any]) -> ReadAnnouncement:
    """Parse an announcement. Malformed entries are left out, long texts cut."""
    parties: list[AnnouncedParty] = []
    unproven: list[AnnouncedParty] = []
    entries = content.get("parties")
    for entry in entries[:MOST_PARTIES] if isinstance(entries, list) else []:
        party = _party(entry) if isinstance(entry, dict) else None
        if party is None:
            continue
        is_proven = party.at > 0 and announcement_holds(bot, room, entry)
        (parties if is_proven else unproven).append(party)
    return ReadAnnouncement(tuple(parties), tuple(unproven))


def _party(entry: dict[str, Any]) -> AnnouncedParty | None:
    identifier, key = entry.get("id"), entry.get("key")
    if not (isinstance(identifier, str) and PARTY_ID.fullmatch(identifier)):
        return None
    if not (isinstance(key, str) and KEY.fullmatch(key)):
        return None
    name, people, at = entry.get("name"), entry.get("people"), entry.get("at")
    return AnnouncedParty(
        id=identifier,
        name=names.of_party(name if isinstance(name, str) else "", identifier),
        key=key,
        people=tuple(p for p in people[:MOST_PEOPLE] if isinstance(p, str) and p.startswith("@"))
        if isinstance(people, list)
        else (),
        access="direct" if entry.get("access") == "direct" else "relayed",
        speaks=_versions(entry.get("speaks")),
        at=at if type(at) is int else 0,
    )


def _versions(speaks: object) -> tuple[int, int]:
    """Return the oldest and the newest version; the first version alone for anything invalid."""
    match speaks:
        case [int(oldest), int(newest)] if 1 <= oldest <= newest <= HIGHEST_VERSION:
            return oldest, newest
    return 1, 1


# --- Rooms that replaced others (Matrix spec, 'Room upgrades'), and so the rooms of the federation.


def _successor(turn: Turn, room: str) -> str:
    """Return the room that replaced it, once we have been in that room; else ''."""
    old = turn.room(room)
    new = turn.room(old.replaced_by) if old is not None and old.replaced_by else None
    return new.id if new is not None and new.predecessor == room else ""


def predecessor(turn: Turn, room: str) -> str:
    """Return the room that it replaced; '' if it replaced none."""
    new = turn.room(room)
    before = new.predecessor if new is not None else ""
    return before if before and _successor(turn, before) == room else ""


def lineage(turn: Turn, room: str) -> list[str]:
    """Return the room and those that it replaced, newest first."""
    rooms = [room]
    while (before := predecessor(turn, rooms[-1])) and before not in rooms:
        rooms.append(before)
    return rooms


def newest(turn: Turn, room: str) -> str:
    """Return the room that finally replaced it; the room itself if none did."""
    seen = [room]
    while (after := _successor(turn, seen[-1])) and after not in seen:
        seen.append(after)
    return seen[-1]


def room_now(turn: Turn, room: str) -> str:
    """Return the room for messages about something in that room: itself, or the one that replaced it.

    While a connection waits for a superuser to confirm the new room, nothing goes there.
    """
    old = lineage(turn, room)
    waits = any(c.changed_room and c.room in old and c.state in LIVING_CONNECTION for c in turn.connections())
    return room if waits else newest(turn, room)


def federation_rooms(turn: Turn) -> list[str]:
    """Return the rooms whose messages count: the configured ones, those that replaced them, and those they replaced."""
    current = current_rooms(turn)
    configured = [room for room in turn.us.rooms if room not in current]
    return list(dict.fromkeys([*configured, *(each for room in current for each in lineage(turn, room))]))


def is_ours(turn: Turn, room: str) -> bool:
    """Whether it is one of our federation rooms, or the admin room."""
    return room in federation_rooms(turn) or room == turn.us.admin_room


def current_rooms(turn: Turn) -> list[str]:
    """Return the rooms in which people meet now: the configured ones, or those that replaced them."""
    return list(dict.fromkeys(newest(turn, room) for room in turn.us.rooms))


def replaced_by(turn: Turn, room: str) -> list[str]:
    """Return our rooms whose tombstones name this one as their replacement, even if this one doesn't confirm it."""
    ours = {*federation_rooms(turn), *(connection.room for connection in turn.connections())}
    pointing = (old.id for old in turn.all(Room) if old.replaced_by == room)
    return [old for old in pointing if old in ours or room in turn.us.rooms]
