"""A line's queries can be compared by their text: `CarryOut.asked` is a digest of it, and lives through a restart."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from types import NoneType, UnionType
from typing import Union, get_args, get_origin, get_type_hints

import pytest

from fedbot.commands.registry import catalogue
from fedbot.rules.carry_out_line import _digest
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase
from fedbot.rules.model.queries import Query
from fedbot.rules.state import Turn
from tests.commands.worlds import ANNA, NOW, ROOM, World, connected

ORDERED = (str, int, bool, Decimal, Fraction, date, NoneType)


def unsure(hint: object) -> Iterator[object]:
    """The types within this one whose text may differ although the values are equal, or may hold a time of day."""
    if get_origin(hint) in {Union, UnionType}:
        for each in get_args(hint):
            yield from unsure(each)
    elif get_origin(hint) is tuple:
        for each in get_args(hint):
            yield from unsure(each) if each is not Ellipsis else ()
    elif isinstance(hint, type) and dataclasses.is_dataclass(hint):
        for each in get_type_hints(hint).values():
            yield from unsure(each)
    elif not (hint in ORDERED or (isinstance(hint, type) and issubclass(hint, Enum))):
        yield hint


@pytest.mark.parametrize("query", get_args(Query))
def test_no_query_holds_anything_without_an_order_or_a_time_of_day(query: type) -> None:
    assert list(unsure(query)) == []


EXAMPLES = sorted({example for spec in catalogue() for example in spec.examples})


@pytest.mark.parametrize("line", EXAMPLES)
def test_a_line_asks_the_same_some_minutes_later_in_another_process(line: str) -> None:
    asked = set()
    for later in (timedelta(), timedelta(seconds=1), timedelta(minutes=9)):
        world = World(connected())
        turn = Turn(world.state, NOW + later, verbs=world.verbs)
        parsed = world.verbs.parse(turn, line)
        assert not isinstance(parsed, Phrase), parsed
        queries = world.verbs.ask(turn, Command(*parsed, ROOM, "$line", ANNA, NOW, line, "anna"))
        asked.add("" if isinstance(queries, Phrase) else _digest(queries))
    assert len(asked) == 1
