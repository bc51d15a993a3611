"""What we know of one room: the state that matters to us, and what it says about us and the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fedbot.chat import power
from fedbot.chat.cleaning import clean_name
from fedbot.federation.events import RoomSeen

Raw = Mapping[str, Any]
"""One Matrix event as JSON."""


class Opened(dict[str, Any]):
    """An event that was encrypted by a device of its sender, with what was inside in its place."""


PARTY = "dev.fedbot.party"
MEMBER = "m.room.member"
TOMBSTONE = "m.room.tombstone"
_NEEDED = {
    PARTY,
    MEMBER,
    TOMBSTONE,
    "m.room.create",
    "m.room.power_levels",
    "m.room.name",
    "m.room.canonical_alias",
    "m.room.encryption",
}


def content_of(raw: Raw) -> Mapping[str, Any]:
    """The event's content, empty if it isn't an object."""
    content = raw.get("content")
    return content if isinstance(content, Mapping) else {}


def is_state(raw: Raw) -> bool:
    """Whether it is a state event (it has a state key, maybe an empty one)."""
    return isinstance(raw.get("state_key"), str)


@dataclass
class RoomPicture:
    """The room's current state by (type, state key)."""

    state: dict[tuple[str, str], Raw] = field(default_factory=dict)

    def copy(self) -> RoomPicture:
        """A picture to go on from, without changing this one."""
        return RoomPicture(dict(self.state))

    def apply(self, raw: Raw) -> None:
        """Take in a state event; anything else, and state that we don't need, leaves the picture as it is."""
        kind = raw.get("type")
        if isinstance(kind, str) and kind in _NEEDED and is_state(raw):
            self.state[(kind, raw["state_key"])] = raw

    def members(self) -> dict[str, str]:
        """The joined members' ids with their display names; the id where there is none (Matrix spec)."""
        return {
            user: clean_name(content_of(raw).get("displayname")) or user
            for (kind, user), raw in self.state.items()
            if kind == MEMBER and content_of(raw).get("membership") == "join"
        }

    def readers(self) -> frozenset[str]:
        """Who may read what is said now: who is in, and who is invited and will see it when they come."""
        return frozenset(
            user
            for (kind, user), raw in self.state.items()
            if kind == MEMBER and content_of(raw).get("membership") in ("join", "invite")
        )

    @property
    def encrypted(self) -> bool:
        """Whether it is an encrypted room."""
        return ("m.room.encryption", "") in self.state

    def may(self, user: str, kind: str, *, state: bool) -> bool:
        """Whether the user has the power to send this type. Being in the room is not asked here."""
        create = self._content("m.room.create")
        levels = self._content("m.room.power_levels")
        sender = self.state.get(("m.room.create", ""), {}).get("sender")
        level = power.level_of(user, create, sender if isinstance(sender, str) else "", levels)
        return level >= power.needed_for(kind, levels, state=state)

    def seen(self, room: str, us: str, at: datetime) -> RoomSeen:
        """The picture as an event. It is made, not sent by anyone, so it has no event id."""
        return RoomSeen(
            room=room,
            event_id="",
            at=at,
            name=self._name(),
            version=power.room_version(self._content("m.room.create")),
            may_talk=self.may(us, "m.room.message", state=False),
            may_announce=self.may(us, PARTY, state=True),
            may_react=self.may(us, "m.reaction", state=False),
            members=self.members(),
            predecessor=self._predecessor(),
            replaced_by=self._replacement(),
        )

    def _name(self) -> str:
        alias = content_of(self.state.get(("m.room.canonical_alias", ""), {})).get("alias")
        return clean_name((self._content("m.room.name") or {}).get("name")) or clean_name(alias)

    def _predecessor(self) -> str:
        named = (self._content("m.room.create") or {}).get("predecessor")
        return clean_name(named.get("room_id")) if isinstance(named, Mapping) else ""

    def _replacement(self) -> str:
        return clean_name((self._content(TOMBSTONE) or {}).get("replacement_room"))

    def _content(self, kind: str) -> Mapping[str, Any] | None:
        raw = self.state.get((kind, ""))
        return None if raw is None else content_of(raw)
