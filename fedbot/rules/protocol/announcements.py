"""Who is in the room: the parties that bots announce, whose people are whose, and which bot answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from fedbot.rules.model import names
from fedbot.rules.model.room import AnnouncedParty, Announcement
from fedbot.rules.state import Turn
from fedbot.rules.wire.envelope import OLDEST_VERSION, VERSION, announcement_holds, wire_time

PARTY_ID = re.compile(r"^[a-z0-9][a-z0-9-]{0,30}$")
KEY = re.compile(r"^[0-9a-f]{64}$")
MOST_PARTIES = 50
MOST_PEOPLE = 500
HIGHEST_VERSION = 1_000_000


def our_announcement(turn: Turn) -> dict[str, Any]:
    """What we put into each federation room: state event `dev.fedbot.party`, or an announcing envelope's body."""
    us = turn.us
    party = {
        "id": us.party,
        "name": names.decoration(us.name, us.party),
        "key": us.key,
        "people": sorted(us.people),
        "access": us.peer_access,
        "speaks": [OLDEST_VERSION, VERSION],
    }
    return {"v": 1, "parties": [party] if us.discoverable else []}


def dated(turn: Turn, room: str, content: dict[str, Any]) -> dict[str, Any]:
    """Our announcement with its time: later than the last one in that room, even if our clock went back since."""
    known = turn.announcement(room, turn.us.bot)
    last = max((party.at for party in known.parties), default=0) if known else 0
    at = max(wire_time(turn.now), last + 1)
    turn.save(Announcement(room, turn.us.bot, (AnnouncedParty(turn.us.party, turn.us.name, turn.us.key, at=at),)))
    return {**content, "parties": [entry | {"at": at} for entry in content["parties"]]}


@dataclass(frozen=True)
class Heard:
    """A bot's announcement, as far as it is well formed. `unproven` are the parties whose key didn't sign it."""

    parties: tuple[AnnouncedParty, ...]
    unproven: tuple[AnnouncedParty, ...]


def read_announcement(room: str, bot: str, content: dict[str, Any]) -> Heard:
    """Read it: entries that aren't well formed are left out, long texts cut."""
    parties: list[AnnouncedParty] = []
    unproven: list[AnnouncedParty] = []
    entries = content.get("parties")
    for entry in entries[:MOST_PARTIES] if isinstance(entries, list) else []:
        party = _party(entry) if isinstance(entry, dict) else None
        if party is None:
            continue
        is_proven = party.at > 0 and announcement_holds(bot, room, entry)
        (parties if is_proven else unproven).append(party)
    return Heard(tuple(parties), tuple(unproven))


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
    """The oldest and the newest; the first version alone, if it says nothing that makes sense."""
    match speaks:
        case [int(oldest), int(newest)] if 1 <= oldest <= newest <= HIGHEST_VERSION:
            return oldest, newest
    return 1, 1
