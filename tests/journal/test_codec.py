"""Every record that the journal stores is read back unchanged; values that don't fit are refused."""

from __future__ import annotations

import dataclasses
import importlib
import json
import pkgutil
import sqlite3
import types
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedbot import rules
from fedbot.journal import codec
from fedbot.journal.codec import TooDeep, codec_for
from fedbot.ports.journal import NotStorable
from fedbot.rules.catalogue.provenance import LabelItem
from fedbot.rules.dispatch import CONTINUATIONS
from fedbot.rules.loan.photos import PermitPhoto
from fedbot.rules.model import events, queries, steps
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.effects import Ask, Do, Phrase, Post
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.queries import Answer, Continuation, InventoryStanding, Query, WhenAnswered
from fedbot.rules.model.room import MessageKey
from fedbot.rules.model.steps import Step, StepKind, StepResult
from fedbot.rules.transfer.receive import ShowOfferCard
from fedbot.rules.transfer.send import BookOut

AT = datetime(2026, 11, 24, 20, 14, tzinfo=UTC)
MIRRORED = '{"at": "2026-11-24T20:14:00+00:00", "then": {"type": "WriteMirror", "about": "x"}, "result": '
TABLES = (codec.EVENTS, codec.EFFECTS, codec.DOCUMENTS, codec.AUDIT)
KINDS: tuple[Any, ...] = CONTINUATIONS
STORED = [(table, kind) for table in TABLES for kind in table.values()]

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
json_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(text | st.just("type"), inner, max_size=2),
    max_leaves=4,
)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    Any: json_data,
    str: text,
    MessageKey: text.map(MessageKey),
    int: st.integers(),
    bool: st.booleans(),
    types.NoneType: st.none(),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    datetime: st.datetimes(
        min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - the zone is drawn beside it
        max_value=datetime(2100, 1, 1),  # noqa: DTZ001
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
    ),
    date: st.dates(),
    time: st.times(),
    timedelta: st.timedeltas(),
}


@cache
def values_of(hint: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401
    """Any value that fits the hint."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint in PLAIN:
        found = PLAIN[hint]
    elif origin in (Union, types.UnionType):
        found = st.one_of([values_of(member) for member in inner])
    elif origin is tuple and inner[-1] is Ellipsis:
        found = st.lists(values_of(inner[0]), max_size=2).map(tuple)
    elif origin is tuple:
        found = st.tuples(*[values_of(member) for member in inner])
    elif origin is dict:
        found = st.dictionaries(values_of(inner[0]), values_of(inner[1]), max_size=2)
    elif issubclass(hint, Enum):
        found = st.sampled_from(hint)
    elif issubclass(hint, Continuation) and hint not in KINDS:
        found = st.one_of([values_of(kind) for kind in KINDS if issubclass(kind, hint)])
    else:
        hints = get_type_hints(hint)
        found = st.builds(hint, **{one.name: values_of(hints[one.name]) for one in dataclasses.fields(hint)})
    return found


@pytest.mark.parametrize(("table", "kind"), STORED, ids=[kind.__name__ for _, kind in STORED])
@given(data=st.data())
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
def test_every_record_is_read_back_unchanged(table: dict[str, type], kind: type, data: st.DataObject) -> None:
    record = data.draw(values_of(kind))
    name, payload = codec.to_text(table, record)
    assert name == kind.__name__
    assert payload.isascii()
    back = codec.from_text(table, name, payload)
    assert back == record
    assert [*in_detail(back)] == [*in_detail(record)]


def in_detail(value: object) -> Iterator[str]:
    """Differences that equality hides: 1 from True and 1.0, the Decimal 1 from 1.0, an instant from a fold."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from in_detail(inner)
    elif isinstance(value, list | tuple):
        yield type(value).__name__
        for inner in value:
            yield from in_detail(inner)
    elif isinstance(value, datetime):
        yield value.astimezone(UTC).isoformat()
    else:
        yield repr(value)


@pytest.mark.parametrize("kind", [*get_args(Step), *get_args(Query), *get_args(StepResult), *get_args(Answer)])
def test_steps_queries_and_results_are_distinguished_by_their_tags(kind: type) -> None:
    # Many of them have the same fields, and some have none, so only the tag differs.
    place: dict[Any, Any] = {Step: "step", Query: "questions", StepResult: "result", Answer: "answers"}
    where = next(union for union in place if kind in get_args(union))
    written = codec_for(where).write(_plainest(kind))
    assert written["type"] == kind.__name__
    assert type(codec_for(where).read(json.loads(json.dumps(written)))) is kind


def _plainest(kind: type) -> Any:  # noqa: ANN401
    plain: dict[Any, Any] = {str: "", int: 1, bool: False, Decimal: Decimal(1), date: AT.date()}
    needed = [one for one in dataclasses.fields(kind) if one.default is one.default_factory is dataclasses.MISSING]
    hints = get_type_hints(kind)
    return kind(**{one.name: _plain(hints[one.name], plain) for one in needed})


def _plain(hint: Any, plain: dict[Any, Any]) -> Any:  # noqa: ANN401
    if hint in plain:
        return plain[hint]
    if get_origin(hint) in {tuple, dict}:
        return get_origin(hint)()
    if get_origin(hint) is types.UnionType:
        return None
    return next(iter(hint)) if issubclass(hint, Enum) else _plainest(hint)


@pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in KINDS])
@given(data=st.data())
@settings(max_examples=5, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
def test_a_continuation_survives_a_restart_beside_its_effect(kind: type, data: st.DataObject) -> None:
    then = data.draw(values_of(kind))
    effect = (
        Ask(then, ()) if isinstance(then, WhenAnswered) else Do(then, steps.EndAccess("fed:k7m2:0:end", 3, "vault"))
    )
    back = codec.from_text(codec.EFFECTS, *codec.to_text(codec.EFFECTS, effect))
    assert type(back.then) is kind
    assert back == effect


def test_a_step_is_written_as_a_person_would_write_it() -> None:
    step = steps.TakeOut(mark="fed:k7m2:1:out", note="to beta", item=42, part=7, quantity=Decimal("10.50"))
    _, payload = codec.to_text(codec.EFFECTS, Do(BookOut("k7m2", 1, StepKind.TAKE_OUT), step))
    assert json.loads(payload)["step"] == {
        "type": "TakeOut",
        "mark": "fed:k7m2:1:out",
        "note": "to beta",
        "item": 42,
        "part": 7,
        "quantity": "10.50",
        "serial": "",
        "batch": None,
        "status": None,
        "status_text": "",
        "known": None,
        "company": None,
        "units": None,
    }


def test_a_kind_of_step_is_stored_as_the_name_of_its_class() -> None:
    assert set(StepKind) == {StepKind.NONE, *(kind.__name__ for kind in get_args(Step))}
    then = BookOut("k7m2", 1, steps.kind_of_step(steps.PutAway("fed:k7m2:1:away", "", 42, Decimal(1), 7)))
    assert codec_for(BookOut).write(then)["step"] == "PutAway"
    assert codec_for(BookOut).read({"transfer": "k7m2", "line": 1, "step": "PutAway"}) == then


def test_the_settings_a_decision_depends_on_can_be_stored_too() -> None:
    us = PartyConfig(party="alpha", name="Alpha", bot="@bot:a", key="ab", people={"@anna:a": "anna"})
    assert codec_for(PartyConfig).read(json.loads(json.dumps(codec_for(PartyConfig).write(us)))) == us


def test_a_field_that_looks_like_a_tag_is_left_alone_in_foreign_data() -> None:
    seen = events.EnvelopeSeen("!r", "$e", "@b:x", AT, {"type": "TakeOut", "body": {"type": "Said"}})
    assert codec.from_text(codec.EVENTS, *codec.to_text(codec.EVENTS, seen)) == seen


def test_a_strangers_text_can_always_be_stored() -> None:
    said = events.Said("!r", "$e", "@b:x", AT, "half a \ud83d smiley, a \0 and a \u202e")
    assert codec.from_text(codec.EVENTS, *codec.to_text(codec.EVENTS, said)) == said
    odd = events.EnvelopeSeen("!r", "$e", "@b:x", AT, {"a": float("inf"), "b": 10**30})
    assert codec.from_text(codec.EVENTS, *codec.to_text(codec.EVENTS, odd)) == odd


def test_a_rendered_text_is_required_and_not_a_phrase() -> None:
    with pytest.raises(NotStorable, match="Post has no place here"):
        codec.to_text(codec.EFFECTS, Post(MessageKey("card:1"), "!r", Phrase(str)))


@pytest.mark.parametrize(
    "record",
    [
        events.Tick(AT.replace(tzinfo=None)),
        events.Tick("2026-11-24"),  # type: ignore[arg-type]
        events.Said("!r", "$e", "@a:x", AT, 3),  # type: ignore[arg-type]
        events.Said("!r", "$e", "@a:x", AT, "", direct=1),  # type: ignore[arg-type]
        events.StepDone(AT, LabelItem("x", line=True), steps.Mirrored()),
        events.StepDone(AT, LabelItem("x", 1), "done"),  # type: ignore[arg-type]
        events.StepDone(AT, LabelItem("x", 1), steps.Taken(1, Decimal("NaN"), 10, None, whole=True)),
        events.StepDone(AT, ShowOfferCard("x"), steps.Mirrored()),  # type: ignore[arg-type]
        events.Unanswered(AT, ShowOfferCard("x"), Plain(Fault.SILENT)),  # type: ignore[arg-type]
        events.Unanswered(AT, PermitPhoto("x", "$e", "@a:x", "", {"quantity": Decimal(1)}), Plain(Fault.SILENT)),
        events.Unanswered(AT, PermitPhoto("x", "$e", "@a:x", "", {"at": AT}), Plain(Fault.SILENT)),
        events.Unanswered(AT, PermitPhoto("x", "$e", "@a:x", "", {1: "one"}), Plain(Fault.SILENT)),  # type: ignore[dict-item]
        events.Answered(AT, ShowOfferCard("x"), []),  # type: ignore[arg-type]
        object(),
    ],
)
def test_a_value_that_does_not_fit_its_hint_is_refused_before_it_is_written(record: object) -> None:
    with pytest.raises(NotStorable):
        codec.to_text(codec.EVENTS, record)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("Tock", "{}"),
        ("Tick", "{}"),
        ("Tick", "no json"),
        ("Tick", "[]"),
        ("Tick", '{"at": "yesterday"}'),
        ("Tick", '{"at": 5}'),
        ("Tick", '{"at": "2026-11-24T20:14:00+00:00", "why": ""}'),
        (
            "StepDone",
            MIRRORED + '{"item": 1}}',
        ),
        (
            "StepDone",
            MIRRORED + '{"type": "TakeOut"}}',
        ),
        (
            "StepDone",
            MIRRORED + '{"type": []}}',
        ),
        (
            "StepDone",
            '{"at": "2026-11-24T20:14:00+00:00", "then": {"type": "Rebuild"}, "result": {"type": "Mirrored"}}',
        ),
    ],
)
def test_a_value_that_does_not_fit_its_hint_is_refused_when_read(kind: str, payload: str) -> None:
    with pytest.raises(NotStorable):
        codec.from_text(codec.EVENTS, kind, payload)


def test_deeply_nested_data_is_refused_without_a_stack_overflow() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(TooDeep, match="EnvelopeSeen: nested too deep"):
        codec.to_text(codec.EVENTS, events.EnvelopeSeen("!r", "$e", "@b:x", AT, {"a": deep}))


class Colour(StrEnum):
    RED = "red"


def test_a_member_of_a_text_enum_is_stored_as_its_text_where_text_belongs() -> None:
    asked = PermitPhoto(Colour.RED, "$e", "@a:x", "", {"colour": Colour.RED})
    _, payload = codec.to_text(codec.EFFECTS, Ask(asked, ()))
    written = json.loads(payload)["then"]
    assert (written["transfer"], written["file"]) == ("red", {"colour": "red"})


@dataclass(frozen=True)
class Old:
    name: str


@dataclass(frozen=True)
class New:
    name: str
    notes: tuple[str, ...] = ()
    about: dict[str, Any] = field(default_factory=dict)


STANDING = InventoryStanding("Lab", "1.5.0", 530, "fedbot", True, True, True, 7)


def test_a_newer_field_is_read_as_its_default() -> None:
    assert codec_for(New).read(codec_for(Old).write(Old("lens"))) == New("lens")


@dataclass(frozen=True)
class WithASet:
    names: set[str]


@dataclass(frozen=True)
class WithAnUnclearChoice:
    name: int | str


@dataclass(frozen=True)
class WithNumberedEntries:
    entries: dict[int, str]


@dataclass(frozen=True)
class WithAFieldNamedLikeTheTag:
    type: str


@pytest.mark.parametrize(
    "record",
    [WithASet({"a"}), WithAnUnclearChoice(1), WithNumberedEntries({}), WithAFieldNamedLikeTheTag("")],
)
def test_a_hint_that_can_not_be_stored_without_loss_is_refused_at_once(record: object) -> None:
    with pytest.raises(NotStorable):
        codec.to_text({type(record).__name__: type(record)}, record)


def test_the_journal_knows_every_continuation_of_the_rules() -> None:
    for module in pkgutil.walk_packages(rules.__path__, f"{rules.__name__}."):
        importlib.import_module(module.name)
    assert set(queries.kinds()) == set(CONTINUATIONS)


@pytest.mark.parametrize("name", sorted(codec.GONE))
def test_an_earlier_versions_field_is_ignored_and_any_other_unknown_one_refused(name: str) -> None:
    with closing(sqlite3.connect(":memory:")) as journal:
        journal.executescript((Path(__file__).parent / "vectors" / "1.sql").read_text("utf-8"))
        (payload,) = journal.execute("SELECT payload FROM documents WHERE kind = ?", (name,)).fetchone()
    content = json.loads(payload)
    assert codec.GONE[name] <= content.keys(), "the first schema's journal has it"
    known = codec.from_text(codec.DOCUMENTS, name, json.dumps(content))
    assert codec.to_text(codec.DOCUMENTS, known)[0] == name
    with pytest.raises(NotStorable, match="has no surprise"):
        codec.from_text(codec.DOCUMENTS, name, json.dumps({**content, "surprise": 1}))
