from __future__ import annotations

import math

import pytest

from fedbot.matrix.room import creators, level_of, needed_for, room_version

CREATOR, OTHER, THIRD = "@creator:x", "@other:x", "@third:x"


def test_the_creator_of_a_version_12_room_is_above_all_though_absent_from_the_power_levels() -> None:
    create = {"room_version": "12"}
    assert level_of(CREATOR, create, CREATOR, {"users": {}, "users_default": 0}) == math.inf
    assert level_of(OTHER, create, CREATOR, {"users": {OTHER: 100}}) == 100


def test_additional_creators_count_from_version_12_on_only() -> None:
    named = {"additional_creators": [OTHER, 5]}
    assert creators({"room_version": "12", **named}, CREATOR) == {CREATOR, OTHER}
    assert creators({"room_version": "11", **named}, CREATOR) == {CREATOR}


def test_the_unstable_name_of_version_12_counts_as_12() -> None:
    assert level_of(CREATOR, {"room_version": "org.matrix.hydra.11"}, CREATOR, {"users": {}}) == math.inf


def test_in_older_rooms_the_creator_has_what_the_power_levels_say() -> None:
    create = {"room_version": "11"}
    assert level_of(CREATOR, create, CREATOR, {"users": {CREATOR: 100}}) == 100
    assert level_of(CREATOR, create, CREATOR, {"users": {}, "users_default": 7}) == 7


def test_before_version_11_the_creator_is_named_in_the_content() -> None:
    assert creators({"room_version": "10", "creator": OTHER}, CREATOR) == {OTHER}


def test_without_power_levels_the_creator_has_100_and_everybody_may_send_state() -> None:
    assert level_of(CREATOR, {"room_version": "11"}, CREATOR, None) == 100
    assert level_of(OTHER, {"room_version": "11"}, CREATOR, None) == 0
    assert needed_for("dev.fedbot.party", None, state=True) == 0


def test_state_needs_50_and_messages_nothing_unless_the_levels_say_otherwise() -> None:
    assert needed_for("dev.fedbot.party", {}, state=True) == 50
    assert needed_for("m.room.message", {}, state=False) == 0
    assert needed_for("m.room.message", {"events_default": 50}, state=False) == 50
    levels = {"events": {"dev.fedbot.party": 0, "m.reaction": 25}}
    assert needed_for("dev.fedbot.party", levels, state=True) == 0
    assert needed_for("m.reaction", levels, state=False) == 25


@pytest.mark.parametrize(
    ("value", "level"), [("50", 50), (" 7 ", 7), ("x", 0), (True, 0), (None, 0), ([], 0), (1.5, 0), (-5, -5)]
)
def test_levels_may_be_strings_in_old_rooms_and_nonsense_counts_as_absent(value: object, level: int) -> None:
    assert level_of(OTHER, {"room_version": "9"}, CREATOR, {"users": {OTHER: value}}) == level


def test_nonsense_in_place_of_the_whole_map_counts_as_absent() -> None:
    assert level_of(OTHER, None, "", {"users": [], "users_default": {}}) == 0
    assert needed_for("x", {"events": 5}, state=True) == 50


def test_a_room_whose_creation_names_no_version_has_version_1() -> None:
    assert room_version({}) == "1"
    assert room_version(None) == ""
    assert room_version({"room_version": 12}) == "1"
