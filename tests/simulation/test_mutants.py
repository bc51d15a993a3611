"""The simulation notices broken rules: a few broken variants; `make mutants` tries all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.dialogue import test_two_people, test_wanting, test_who_decides
from tests.simulation.attacks import ATTACKS, OF_THREE, attacked
from tests.simulation.history import lived
from tests.simulation.mutants import ELSEWHERE, MUTANTS, SEEDS, broken, searched

PAGE = Path(__file__).parents[2] / "docs" / "evidence" / "simulation.md"
ROW = re.compile(r"^\| (?P<name>[^|]+) \| (?P<seed>\d+) \|$", re.MULTILINE)
RARER = ("no compare-and-set on decisions", "cancel after sent")
LONGER = OF_THREE - {
    "a booking ignores other bookings of the same days",
    "the last in the queue has the first turn",
    "a request from several friends confirms every grant",
    "people are told of a friend's want again and again",
}
"""Attacks by several friends that only `make test-long` plays; the others are one for each promise."""
NEIGHBOURS = 60  # a change of the product may move it to a seed nearby


@pytest.mark.parametrize(
    "name", ["no probe", "credit before debit", *(pytest.param(n, marks=pytest.mark.long) for n in RARER)]
)
@pytest.mark.timeout(600)
def test_a_broken_rule_is_caught_by_a_history_in_which_the_right_rule_keeps_its_promises(name: str) -> None:
    caught = searched(name, SEEDS[name], NEIGHBOURS)
    assert caught is not None
    assert caught.outcome.violations
    assert not lived(caught.seed).violations


def test_the_page_lists_the_broken_variants_with_the_seeds_that_catch_them() -> None:
    listed = {row["name"]: int(row["seed"]) for row in ROW.finditer(PAGE.read_text())}
    assert listed == SEEDS
    assert SEEDS.keys() | ELSEWHERE.keys() | ATTACKS.keys() == MUTANTS.keys()
    assert len(SEEDS) + len(ELSEWHERE) + len(ATTACKS) == len(MUTANTS)


@pytest.mark.parametrize("name", MUTANTS)
def test_the_code_that_each_broken_variant_patches_still_exists(name: str) -> None:
    with broken(name):
        pass


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.long if n in LONGER else ()) for n in ATTACKS])
def test_a_broken_rule_of_consent_is_caught_by_an_attack_that_the_right_rule_withstands(name: str) -> None:
    assert not attacked(name)
    with broken(name):
        assert attacked(name)


async def test_a_dialogue_finds_a_permission_that_is_not_checked_again() -> None:
    with broken("permissions are not read again after the grace"), pytest.raises(AssertionError):
        await test_who_decides.test_a_person_who_loses_the_permission_within_the_grace_has_not_decided()


async def test_a_dialogue_finds_an_approval_from_another_account() -> None:
    with broken("a requester is known by one Matrix account only"), pytest.raises(AssertionError):
        await test_who_decides.test_the_asker_may_not_approve_it_from_another_account_of_the_same_user()


async def test_a_dialogue_finds_an_expensive_item_that_one_person_decides() -> None:
    with broken("an item that became expensive since the card takes one person"), pytest.raises(AssertionError):
        await test_two_people.test_our_offer_that_became_expensive_takes_two_of_us_though_the_receiver_agreed()


@pytest.mark.parametrize("is_shared", [True, False])
async def test_a_dialogue_finds_an_offer_of_what_its_message_did_not_say(is_shared: bool) -> None:
    with broken("an offer contains what the friend wants by now"), pytest.raises(AssertionError):
        await test_wanting.test_an_offer_contains_what_its_message_said_whatever_the_friends_bot_wants_by_now(is_shared)
