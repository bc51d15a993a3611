"""Our picture of one room: its members and state, and everybody's power in it (Matrix spec, 'Power levels')."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fedbot.rules.model.events import RoomSeen
from fedbot.rules.names import clean_name

_MESSAGE_LEVEL = 0
_STATE_LEVEL = 50
_CREATOR_LEVEL = 100
_FIRST_VERSION_WITH_INFINITE_CREATORS = 12
_FIRST_VERSION_WITHOUT_CREATOR_FIELD = 11
_UNSTABLE_NAME_OF_12 = "org.matrix.hydra.11"

Content = Mapping[str, Any]


def room_version(create: Content | None) -> str:
    """The room's version from the content of `m.room.create`; '1' if it names none, '' if it isn't known."""
    if create is None:
        return ""
    version = create.get("room_version", "1")
    return version if isinstance(version, str) else "1"


def creators(create: Content | None, sender: str) -> frozenset[str]:
    """The room's creators: the `sender` of `m.room.create`; since version 12 it may name more."""
    if create is None:
        return frozenset()
    number = _number(room_version(create))
    if number < _FIRST_VERSION_WITHOUT_CREATOR_FIELD:
        named = create.get("creator")
        return frozenset({named if isinstance(named, str) else sender})
    more = create.get("additional_creators")
    if number < _FIRST_VERSION_WITH_INFINITE_CREATORS or not isinstance(more, list):
        return frozenset({sender})
    return frozenset({sender, *(user for user in more if isinstance(user, str))})


def level_of(user: str, create: Content | None, sender: str, levels: Content | None) -> float:
    """The user's power level; infinite for a creator since room version 12."""
    is_creator = user in creators(create, sender)
    if is_creator and _number(room_version(create)) >= _FIRST_VERSION_WITH_INFINITE_CREATORS:
        return math.inf
    if levels is None:
        return _CREATOR_LEVEL if is_creator else 0
    return _integer(_mapping(levels.get("users")).get(user), _integer(levels.get("users_default"), 0))


def needed_for(kind: str, levels: Content | None, *, state: bool) -> int:
    """The level needed to send an event of this type, as a message or as state."""
    if levels is None:
        return 0  # the spec: without power levels everybody may send state too
    default = (
        _integer(levels.get("state_default"), _STATE_LEVEL)
        if state
        else _integer(levels.get("events_default"), _MESSAGE_LEVEL)
    )
    return _integer(_mapping(levels.get("events")).get(kind), default)


def _number(version: str) -> int:
    if version == _UNSTABLE_NAME_OF_12:
        return _FIRST_VERSION_WITH_INFINITE_CREATORS
    return int(version) if version.isascii() and version.isdigit() else 0


def _integer(value: object, default: int) -> int:
    """The level as an integer. Before room version 10 strings were allowed. Anything unreadable counts as absent."""
    if isinstance(value, bool):
        return default
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return default
    return default


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


Raw = Mapping[str, Any]
"""One Matrix event as JSON."""


class Decrypted(dict[str, Any]):
    """An event that was encrypted by a device of its sender, with the decrypted type and content in place.

    `session` stands for the key that it was encrypted with, `index` is its number under that key. Together they are the
    line's own: a homeserver that shows it again under another event id can't change them.
    """

    session: str = ""
    index: int = 0


PARTY = "dev.fedbot.party"
MEMBER = "m.room.member"
TOMBSTONE = "m.room.tombstone"
NEEDED = {
    PARTY,
    MEMBER,
    TOMBSTONE,
    "m.room.create",
    "m.room.power_levels",
    "m.room.name",
    "m.room.canonical_alias",
    "m.room.encryption",
}
"""The state that we need. The homeserver leaves out all other state."""


def content_of(raw: Raw) -> Mapping[str, Any]:
    """The event's content, empty if it isn't an object."""
    content = raw.get("content")
    return content if isinstance(content, Mapping) else {}


def is_state(raw: Raw) -> bool:
    """Whether it is a state event (it has a state key, maybe an empty one)."""
    return isinstance(raw.get("state_key"), str)


def is_needed(raw: Raw) -> bool:
    """Whether it is a state event that a `RoomPicture` keeps."""
    kind = raw.get("type")
    return isinstance(kind, str) and kind in NEEDED and is_state(raw)


@dataclass
class RoomPicture:
    """The room's current state by (type, state key).

    `was_encrypted`: we know the room as encrypted, which nobody can undo. A homeserver that leaves that out of the
    state would otherwise make unencrypted lines count.
    """

    state: dict[tuple[str, str], Raw] = field(default_factory=dict)
    was_encrypted: bool = False

    @classmethod
    def of(cls, state: Iterable[Raw]) -> RoomPicture:
        """The picture of a complete state."""
        picture = cls()
        for raw in state:
            picture.apply(raw)
        return picture

    def has(self, raw: Raw) -> bool:
        """Whether the picture has this state event."""
        known = self.event_id(str(raw.get("type")), str(raw.get("state_key")))
        return known is not None and known == raw.get("event_id")

    def event_id(self, kind: str, state_key: str) -> str | None:
        """The id of the state event with this type and key; None if the picture has none."""
        known = self.state.get((kind, state_key))
        return None if known is None else str(known.get("event_id"))

    def copy(self) -> RoomPicture:
        """A copy that can be changed separately."""
        return RoomPicture(dict(self.state), self.was_encrypted)

    def apply(self, raw: Raw) -> None:
        """Take in a state event. Other events, and state that we don't need, change nothing."""
        if is_needed(raw):
            self.state[(raw["type"], raw["state_key"])] = raw

    def members(self) -> dict[str, str]:
        """The joined members' ids with their display names, or the id if there is none (Matrix spec)."""
        return {
            user: clean_name(content_of(raw).get("displayname")) or user
            for (kind, user), raw in self.state.items()
            if kind == MEMBER and content_of(raw).get("membership") == "join"
        }

    def readers(self) -> frozenset[str]:
        """The people who can read a message sent now: the joined and the invited members."""
        return frozenset(
            user
            for (kind, user), raw in self.state.items()
            if kind == MEMBER and content_of(raw).get("membership") in ("join", "invite")
        )

    @property
    def encrypted(self) -> bool:
        """Whether the room is encrypted."""
        return self.was_encrypted or ("m.room.encryption", "") in self.state

    def may(self, user: str, kind: str, *, state: bool) -> bool:
        """Whether the user has the power to send this type. Doesn't check whether the user is in the room."""
        create = self._content("m.room.create")
        levels = self._content("m.room.power_levels")
        sender = self.state.get(("m.room.create", ""), {}).get("sender")
        level = level_of(user, create, sender if isinstance(sender, str) else "", levels)
        return level >= needed_for(kind, levels, state=state)

    def seen(self, room: str, us: str, at: datetime) -> RoomSeen:
        """The room as an event. Nobody sent it, so it has no event id."""
        message = "m.room.encrypted" if self.encrypted else "m.room.message"
        return RoomSeen(
            room=room,
            event_id="",
            at=at,
            name=self._name(),
            version=room_version(self._content("m.room.create")),
            may_talk=self.may(us, message, state=False),
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
