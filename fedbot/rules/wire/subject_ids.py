"""The ids of connections and transfers: typed, and computed from who opened the subject, where and why.

An id is 20 messages of a SHA-256 and the subject's kind, for example `k7m2qzt4…-push`. The kind is in the hash and in
the text, so an id of one kind never names a subject of another. The opener sends what the hash is over (`Opening`), and
the receiver computes the id itself: nobody can choose one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fedbot.rules.wire.envelope import ALPHABET, ID_LENGTH, short_hash

HIGHEST_NUMBER = 1_000_000
BY_PAGE, BY_API = "page-", "api-"
"""How the event id of a line begins that a person has said on a page, or a program through the API: no Matrix event."""
_KEY = re.compile(r"[0-9a-f]{64}")
_ROOM = re.compile(r"![!-~]{1,254}")
_WORD = re.compile(r"[!-~]{1,255}")


class SubjectKind(StrEnum):
    """What an id can name. Each is a domain of its own in the hash."""

    CONNECTION = "connection"
    PUSH = "push"
    REQUEST = "request"
    RETURN = "return"
    EXTENSION = "extension"
    WAIT = "wait"
    """A place in a waiting list."""


TRANSFER_KINDS = frozenset(SubjectKind) - {SubjectKind.CONNECTION, SubjectKind.WAIT}
_FORM = re.compile(rf"[{ALPHABET}]{{{ID_LENGTH}}}-(?P<kind>{'|'.join(SubjectKind)})")


class CauseKind(StrEnum):
    """Why a subject was opened."""

    LINE = "line"
    """Somebody's line: `word` is its Matrix event id, `number` which of the subjects that it opened."""
    KEY = "key"
    """A program's call: `word` is its idempotency key."""
    TIMER = "timer"
    """The clock: `word` is the name of the journaled timer, `number` which time it went off."""


@dataclass(frozen=True)
class Cause:
    """Why a subject was opened. One cause opens at most one subject of each kind."""

    kind: CauseKind
    word: str
    number: int = 1


@dataclass(frozen=True)
class Opening:
    """Who opened a subject, where and why, as it was then: a new key or an upgraded room never changes an id.

    `key` is the opener's public key in hex, `room` the Matrix room id.
    """

    key: str
    room: str
    cause: Cause


def is_off_chat(event_id: str) -> bool:
    """Whether what has that event id was said on a page or through the API, so that no room knows it."""
    return event_id.startswith((BY_PAGE, BY_API))


def by_line(event_id: str, number: int = 1) -> Cause:
    """The cause of what a person's line opens."""
    return Cause(CauseKind.KEY if is_off_chat(event_id) else CauseKind.LINE, event_id, number)


def connection_id(key_a: str, key_b: str, room: str, generation: int) -> str:
    """A connection's id; the same whichever of the two parties asks, so that two that ask at once make one."""
    return _named(SubjectKind.CONNECTION, sorted((key_a, key_b)), room, generation)


def opened_id(kind: SubjectKind, opening: Opening) -> str:
    """The id of a transfer of that kind, or of a place in a waiting list."""
    cause = opening.cause
    return _named(kind, opening.key, opening.room, [cause.kind.value, cause.word, cause.number])


def _named(kind: SubjectKind, *parts: object) -> str:
    return f"{short_hash(kind.value, *parts)}-{kind.value}"


def kind_of(identifier: str) -> SubjectKind | None:
    """What an id of this form names; None if it is no id of a subject."""
    form = _FORM.fullmatch(identifier)
    return SubjectKind(form["kind"]) if form else None


def written(opening: Opening) -> dict[str, Any]:
    """The opening as the first protocol message carries it."""
    cause = {"kind": opening.cause.kind.value, "word": opening.cause.word, "number": opening.cause.number}
    return {"key": opening.key, "room": opening.room, "cause": cause}


def understood(value: object) -> Opening | None:
    """The opening that a peer's message carries; None if it isn't one."""
    if not isinstance(value, dict) or not isinstance(value.get("cause"), dict):
        return None
    cause = _cause_in(value["cause"])
    key, room = value.get("key"), value.get("room")
    if cause is None or not isinstance(key, str) or not isinstance(room, str):
        return None
    return Opening(key, room, cause) if _KEY.fullmatch(key) and _ROOM.fullmatch(room) else None


def _cause_in(value: dict[str, Any]) -> Cause | None:
    kind, word, number = value.get("kind"), value.get("word"), value.get("number")
    if not isinstance(kind, str) or kind not in set(CauseKind) or not isinstance(word, str):
        return None
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= HIGHEST_NUMBER:
        return None
    return Cause(CauseKind(kind), word, number) if _WORD.fullmatch(word) else None
