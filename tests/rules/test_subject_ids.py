"""Ids of connections and transfers: one for each subject, computed the same by both sides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fedbot.rules.wire import (
    Cause,
    CauseKind,
    Opening,
    SubjectKind,
    by_line,
    connection_id,
    kind_of,
    opened_id,
    opening_json,
    parse_opening,
)

ALPHA, BETA = "aa" * 32, "bb" * 32
OPENING = Opening(ALPHA, "!makers:x", by_line("$asking"))


def test_an_id_is_the_same_after_a_rebuild() -> None:
    # The values are on the wire and in InvenTree: another recipe would orphan every transfer.
    assert opened_id(SubjectKind.PUSH, OPENING) == "st5xgtav8338atdzamz6-push"
    assert connection_id(ALPHA, BETA, "!r", 1) == "5f8qxc5qk32sfkryrtpf-connection"


def test_a_connections_id_is_the_same_from_both_sides() -> None:
    assert connection_id(ALPHA, BETA, "!r", 1) == connection_id(BETA, ALPHA, "!r", 1)
    others = {
        connection_id(ALPHA, BETA, "!r", 2),
        connection_id(ALPHA, BETA, "!s", 1),
        connection_id(ALPHA, "cc" * 32, "!r", 1),
    }
    assert len({connection_id(ALPHA, BETA, "!r", 1), *others}) == 4


def test_an_id_depends_on_its_opener_room_cause_and_kind() -> None:
    causes = [
        by_line("$asking", 2),
        by_line("$other"),
        Cause(CauseKind.KEY, "$asking"),
        Cause(CauseKind.TIMER, "$asking"),
    ]
    openings = [
        OPENING,
        replace(OPENING, key=BETA),
        replace(OPENING, room="!other:x"),
        *(replace(OPENING, cause=cause) for cause in causes),
    ]
    kinds = [kind for kind in SubjectKind if kind is not SubjectKind.CONNECTION]
    assert len({opened_id(kind, opening) for kind in kinds for opening in openings}) == len(kinds) * len(openings)


@pytest.mark.parametrize("kind", SubjectKind)
def test_an_id_shows_its_kind(kind: SubjectKind) -> None:
    made = connection_id(ALPHA, BETA, "!r", 1) if kind is SubjectKind.CONNECTION else opened_id(kind, OPENING)
    assert kind_of(made) is kind


@pytest.mark.parametrize(
    "word", ["", "k7m2", "2" * 20, "2" * 20 + "-loan", "2" * 20 + "-push-push", "2" * 20 + "-push\n"]
)
def test_an_invalid_id_has_no_kind(word: str) -> None:
    assert kind_of(word) is None


@pytest.mark.parametrize("kind", CauseKind)
def test_an_opening_is_read_back_unchanged(kind: CauseKind) -> None:
    opening = replace(OPENING, cause=Cause(kind, "word", 3))
    assert parse_opening(opening_json(opening)) == opening


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "AA" * 32},
        {"key": 1},
        {"room": "#makers:x"},
        {"room": None},
        {"cause": None},
        {"cause": {"kind": "line", "word": "$a"}},
        {"cause": {"kind": "whim", "word": "$a", "number": 1}},
        {"cause": {"kind": ["line"], "word": "$a", "number": 1}},
        {"cause": {"kind": "line", "word": "", "number": 1}},
        {"cause": {"kind": "line", "word": "a\nb", "number": 1}},
        {"cause": {"kind": "line", "word": "$a", "number": True}},
        {"cause": {"kind": "line", "word": "$a", "number": 0}},
    ],
)
def test_a_malformed_opening_is_refused(changes: dict[str, Any]) -> None:
    assert parse_opening({**opening_json(OPENING), **changes}) is None


@pytest.mark.parametrize("value", [None, [], "text", {}])
def test_a_value_that_is_no_object_is_no_opening(value: object) -> None:
    assert parse_opening(value) is None
