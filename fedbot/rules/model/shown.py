"""What a card shows: the hash that a decision is bound to, and what one card shows otherwise than another.

Cards are rendered from frozen models, `ShownTransfer` and `ShownConnection`. Whatever changes without changing what is
agreed stays outside: how much is free, who may decide, how people and spaces call themselves. A change of anything that
is in one makes another card, and a decision on the former one is void.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from pydantic import TypeAdapter

from fedbot.rules.model.connection import ShownConnection
from fedbot.rules.model.transfer import Landing, Line, ShownTransfer
from fedbot.rules.wire import envelope

Shown = ShownTransfer | ShownConnection


@dataclass(frozen=True)
class Change:
    """One thing that a card shows otherwise than the card before it. `line` is its number; 0: it is about all of it.

    `field` is the name in the model; `before` and `after` are its values there.
    """

    field: str
    before: Any
    after: Any
    line: int = 0


_WRITERS: dict[type[Shown], TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in (ShownTransfer, ShownConnection)}


def hash_of(shown: Shown) -> str:
    """The hash that a decision is bound to, 64 hex digits."""
    written = _WRITERS[type(shown)].dump_python(shown, mode="json")
    return envelope.shown_hash(type(shown).__name__, written)


def changes(before: Shown, after: Shown) -> tuple[Change, ...]:
    """What the later card shows otherwise, lines by their numbers."""
    if not isinstance(before, ShownTransfer) or not isinstance(after, ShownTransfer):
        return tuple(_of_fields(before, after))
    found = _of_fields(before.terms, after.terms, {"lines"}) + _of_fields(before, after, {"terms", "landings"})
    old, new = _by_number(before), _by_number(after)
    for number in sorted({*old, *new}):
        if number in old and number in new:
            found += _of_line(old[number], new[number])
        else:
            found.append(Change("lines", _line(old, number), _line(new, number), number))
    return tuple(found)


_Lands = tuple[Line, Landing | None]


def _by_number(shown: ShownTransfer) -> dict[int, _Lands]:
    landings = shown.landings or (None,) * len(shown.terms.lines)
    return {line.number: (line, landing) for line, landing in zip(shown.terms.lines, landings, strict=True)}


def _line(known: Mapping[int, _Lands], number: int) -> Line | None:
    return known[number][0] if number in known else None


def _of_line(before: _Lands, after: _Lands) -> list[Change]:
    found = _of_fields(before[0], after[0])
    if before[1] != after[1]:
        found.append(Change("landing", before[1], after[1]))
    return [replace(change, line=before[0].number) for change in found]


def _of_fields(before: Any, after: Any, leave_out: Container[str] = ()) -> list[Change]:  # noqa: ANN401 - records of one class
    names = [field.name for field in fields(before) if field.name not in leave_out]
    values = [(name, getattr(before, name), getattr(after, name)) for name in names]
    return [Change(name, old, new) for name, old, new in values if old != new]
