"""Who may do what in a room, by its create and power level events (Matrix spec, 'Power levels').

nio 0.26 knows no room version 12, where creators have infinite power and are absent from the power levels
(facts/matrix.md §2), so we compute it ourselves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

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
    """Who created the room: `sender` is that of `m.room.create`, since version 12 it may name more."""
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
    """Levels were allowed to be strings before room version 10; anything unreadable counts as absent."""
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
