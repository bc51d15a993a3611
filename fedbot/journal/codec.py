"""Records as JSON text and back, without loss. Instants are in UTC and have a fixed length."""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from fedbot.ports.journal import NotStorable, Stored, UnreadableRow
from fedbot.rules.archive import Document
from fedbot.rules.dispatch import CONTINUATIONS
from fedbot.rules.model.audit import AuditEntry
from fedbot.rules.model.events import Event
from fedbot.rules.model.queries import Continuation
from fedbot.rules.model.room import MessageKey
from fedbot.rules.wire import is_shallow


def instant_to_text(instant: datetime) -> str:
    """The instant as text, such as `2026-11-24T20:14:00.000000+00:00`. Raises ValueError without a time zone."""
    if instant.tzinfo is None:
        raise ValueError("an instant without a time zone")
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


def instant_from_text(text: str) -> datetime:
    """The instant, in UTC."""
    return datetime.fromisoformat(text)


def optional_instant_to_text(instant: datetime | None) -> str | None:
    """The instant as text, or None for None."""
    return None if instant is None else instant_to_text(instant)


def optional_instant_from_text(text: str | None) -> datetime | None:
    """The instant, or None for None."""
    return None if text is None else instant_from_text(text)


TAG = "type"


class TooDeep(NotStorable):
    """Data nested deeper than anything we use. A stranger may send it as an attack."""


@dataclass(frozen=True)
class Codec:
    """The two directions for one type hint: `write` returns JSON data, `read` takes it."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


# --- by name -----------------------------------------------------------------------------------------------

# Records that have a table of their own, stored as (kind = class name, payload).
EVENTS: dict[str, type] = {kind.__name__: kind for kind in get_args(Event)}
EFFECTS: dict[str, type] = {kind.__name__: kind for kind in get_args(Stored)}
DOCUMENTS: dict[str, type] = {kind.__name__: kind for kind in get_args(Document)}
GONE: dict[str, frozenset[str]] = {
    "Connection": frozenset({"superseded"}),
    "Transfer": frozenset({"superseded", "redrawn"}),
}
"""Fields that earlier versions wrote and nobody reads any more."""
AUDIT: dict[str, type] = {AuditEntry.__name__: AuditEntry}


def to_text(kinds: dict[str, type], record: object) -> tuple[str, str]:
    """Return (kind, payload) of one of these records. Raises `NotStorable`."""
    kind = type(record).__name__
    if kinds.get(kind) is not type(record):
        raise NotStorable(f"{kind} has no place here")
    # ASCII only: a lone surrogate in a stranger's text can be escaped, but not encoded in UTF-8.
    return kind, json.dumps(codec_for(kinds[kind]).write(record), separators=(",", ":"))


def from_text(kinds: dict[str, type], kind: str, payload: str) -> Any:  # noqa: ANN401 - the row determines the class
    """The record of this kind. Raises `NotStorable` for an unknown kind, or a payload that doesn't fit."""
    if kind not in kinds:
        raise NotStorable(f"unknown kind {kind}")
    try:
        return codec_for(kinds[kind]).read(json.loads(payload))
    except (ValueError, ArithmeticError, RecursionError) as problem:
        raise NotStorable(f"{kind}: {problem}") from problem


def read_row(kinds: dict[str, type], kind: str, payload: str, *, what: str, number: int, subject: str = "") -> Any:  # noqa: ANN401
    """Like `from_text`, for a row of the journal, such as `the event 7`. Raises `UnreadableRow`."""
    try:
        return from_text(kinds, kind, payload)
    except NotStorable as problem:
        text = f"In the journal, {what} can't be read back: {problem}"
        raise UnreadableRow(text, number, kind, subject) from problem


# --- by hint -----------------------------------------------------------------------------------------------


@cache
def codec_for(hint: Any) -> Codec:  # noqa: ANN401 - a hint may be a class, a union, a generic, Any
    """The codec for a type hint, created once for each. Raises `NotStorable` for an unknown hint."""
    of_several = {Union: _union, types.UnionType: _union, tuple: _tuple, dict: _dict}.get(get_origin(hint))
    if of_several:
        return of_several(get_args(hint))
    if hint in _LEAVES:
        return _LEAVES[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum(hint)
    if isinstance(hint, type) and issubclass(hint, Continuation) and hint not in CONTINUATIONS:
        return _tagged([kind for kind in CONTINUATIONS if issubclass(kind, hint)])
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _record(hint)
    raise NotStorable(f"no way to store {hint}")


def _exactly(kind: type) -> Callable[[Any], Any]:
    """Accept only values of exactly this type: a bool is not an int, and no subclass may lose its extra fields."""

    def check(value: Any) -> Any:  # noqa: ANN401
        if type(value) is not kind:
            raise NotStorable(f"{type(value).__name__} where {kind.__name__} belongs")
        return value

    return check


def _same(kind: type) -> Codec:
    return Codec(_exactly(kind), _exactly(kind))


def _by_text(kind: type, write: Callable[[Any], str], read: Callable[[str], Any]) -> Codec:
    """A codec for a type that is stored as a string."""
    is_kind, is_text = _exactly(kind), _exactly(str)
    return Codec(lambda value: write(is_kind(value)), lambda value: read(is_text(value)))


def _write_moment(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise NotStorable("a time without a zone")
    return moment.astimezone(UTC).isoformat()


def _write_decimal(number: Decimal) -> str:
    if not number.is_finite():
        raise NotStorable(f"{number} is no quantity")
    return str(number)


def _write_text(text: Any) -> str:  # noqa: ANN401
    """Text; a member of a StrEnum or a message's key too, since they equal their text."""
    if not isinstance(text, StrEnum | MessageKey):
        _exactly(str)(text)
    return str(text)


def _write_any(value: Any) -> Any:  # noqa: ANN401
    if not is_shallow(value):
        raise TooDeep("nested too deep")
    return _write_json(value)


def _write_json(value: Any) -> Any:  # noqa: ANN401
    """JSON data unchanged, with tuples as lists. Anything else is refused: `json` would write the key 1 as "1"."""
    if isinstance(value, dict):
        return {_write_text(key): _write_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_write_json(inner) for inner in value]
    if value is None or type(value) in (int, float, bool):
        return value
    return _write_text(value)


_LEAVES: dict[Any, Codec] = {
    Any: Codec(_write_any, lambda value: value),
    str: Codec(_write_text, _exactly(str)),
    MessageKey: _by_text(MessageKey, str, MessageKey),
    int: _same(int),
    bool: _same(bool),
    types.NoneType: _same(types.NoneType),
    Decimal: _by_text(Decimal, _write_decimal, Decimal),
    datetime: _by_text(datetime, _write_moment, datetime.fromisoformat),
    date: _by_text(date, date.isoformat, date.fromisoformat),
    time: _by_text(time, time.isoformat, time.fromisoformat),
    timedelta: Codec(
        lambda value: _exactly(timedelta)(value) // timedelta(microseconds=1),
        lambda value: timedelta(microseconds=_exactly(int)(value)),
    ),
}


def _enum(hint: type[Enum]) -> Codec:
    is_kind = _exactly(hint)
    return Codec(lambda value: is_kind(value).value, hint)


def _tuple(hints: tuple[Any, ...]) -> Codec:
    """`tuple[X, ...]` of any length, `tuple[X, Y]` of exactly these."""
    endless = len(hints) == 2 and hints[1] is Ellipsis  # noqa: PLR2004
    inner = [codec_for(hint) for hint in (hints[:1] if endless else hints)]

    def each(values: Any) -> list[tuple[Codec, Any]]:  # noqa: ANN401
        if len(inner) != len(values):
            raise NotStorable(f"{len(values)} entries where {len(inner)} belong")
        return list(zip(inner, values, strict=True))

    is_tuple, is_list = _exactly(tuple), _exactly(list)
    if endless:
        write, read = inner[0].write, inner[0].read
        return Codec(
            lambda values: [write(value) for value in is_tuple(values)],
            lambda values: tuple([read(value) for value in is_list(values)]),
        )
    return Codec(
        lambda values: [codec.write(value) for codec, value in each(is_tuple(values))],
        lambda values: tuple(codec.read(value) for codec, value in each(is_list(values))),
    )


def _dict(hints: tuple[Any, ...]) -> Codec:
    """`dict[str, X]`: JSON has no other keys."""
    if hints[0] is not str:
        raise NotStorable(f"keys of {hints[0]}")
    inner, is_dict = codec_for(hints[1]), _exactly(dict)
    return Codec(
        lambda entries: {_write_text(key): inner.write(value) for key, value in is_dict(entries).items()},
        lambda entries: {key: inner.read(value) for key, value in is_dict(entries).items()},
    )


def _union(hints: tuple[Any, ...]) -> Codec:
    """One type or None, or one of several records, distinguished by a tag."""
    members = [hint for hint in hints if hint is not types.NoneType]
    inner = codec_for(members[0]) if len(members) == 1 else _tagged(members)
    if len(members) == len(hints):
        return inner
    return Codec(
        lambda value: None if value is None else inner.write(value),
        lambda value: None if value is None else inner.read(value),
    )


def _tagged(kinds: list[type]) -> Codec:
    by_name = {kind.__name__: kind for kind in kinds}
    if len(by_name) != len(kinds) or not all(dataclasses.is_dataclass(kind) for kind in kinds):
        raise NotStorable(f"a choice of {kinds} can't be told apart")

    def write(value: Any) -> dict[str, Any]:  # noqa: ANN401
        name = type(value).__name__
        if by_name.get(name) is not type(value):
            raise NotStorable(f"{name} where one of {', '.join(by_name)} belongs")
        return {TAG: name, **codec_for(by_name[name]).write(value)}

    def read(content: Any) -> Any:  # noqa: ANN401
        fields = dict(_exactly(dict)(content))
        name = fields.pop(TAG, None)
        if name not in by_name:
            raise NotStorable(f"{name} where one of {', '.join(by_name)} belongs")
        return codec_for(by_name[name]).read(fields)

    return Codec(write, read)


def _record(kind: type) -> Codec:
    """A dataclass. All fields are written; a missing field is read as its default, an unknown one is refused.

    So a field with a default can be added at any time, and a field that nothing depends on can be removed (`GONE`).
    Every other change needs a migration (`schema`).
    """
    hints = get_type_hints(kind)
    fields = {field.name: hints[field.name] for field in dataclasses.fields(kind)}
    if TAG in fields:
        raise NotStorable(f"{kind.__name__} has a field {TAG!r}, which is the tag's name")

    is_kind, is_dict, gone = _exactly(kind), _exactly(dict), GONE.get(kind.__name__, frozenset())
    codecs: dict[str, Codec] = {}

    def of_fields() -> dict[str, Codec]:
        """Create the codecs when first needed, because a record may contain its own type."""
        if not codecs:
            codecs.update({name: codec_for(hint) for name, hint in fields.items()})
        return codecs

    def write(value: Any) -> dict[str, Any]:  # noqa: ANN401
        is_kind(value)
        try:
            return {name: codec.write(getattr(value, name)) for name, codec in of_fields().items()}
        except NotStorable as problem:
            raise type(problem)(f"{kind.__name__}: {problem}") from problem

    def read(content: Any) -> Any:  # noqa: ANN401
        unknown = is_dict(content).keys() - fields.keys()
        if strange := unknown - gone:
            raise NotStorable(f"{kind.__name__} has no {', '.join(sorted(strange))}")
        try:
            known = of_fields()
            return kind(**{name: known[name].read(value) for name, value in content.items() if name not in unknown})
        except (TypeError, NotStorable) as problem:
            raise NotStorable(f"{kind.__name__}: {problem}") from problem

    return Codec(write, read)
