"""The simulation notices broken rules: a few broken variants; `make mutants` tries all."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from inspect import signature
from pathlib import Path

import pytest

from tests.dialogue import (
    test_asking_anyone,
    test_booking,
    test_finding,
    test_floods,
    test_outside,
    test_putting_back,
    test_rate_limits,
    test_reconciling,
    test_rooms,
    test_sharing,
    test_two_people,
    test_waiting_list,
    test_wanting,
    test_web_attacks,
    test_who_decides,
    test_whose_card_decides,
)
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


Dialogue = Callable[..., Awaitable[None]]
DIALOGUES: dict[str, Dialogue] = {
    "permissions are not read again after the grace": (
        test_who_decides.test_a_person_who_loses_the_permission_within_the_grace_has_not_decided
    ),
    "a requester is known by one Matrix account only": (
        test_who_decides.test_the_asker_may_not_approve_it_from_another_account_of_the_same_user
    ),
    "an item that became expensive since the card takes one person": (
        test_two_people.test_our_offer_that_became_expensive_takes_two_of_us_though_the_receiver_agreed
    ),
    "an offer contains what the friend wants by now": partial(
        test_wanting.test_an_offer_contains_what_its_message_said_whatever_the_friends_bot_wants_by_now, is_shared=True
    ),
    "our own clock says whether a line came before our card": partial(
        test_whose_card_decides.test_the_room_says_what_came_first_whatever_our_clock_says,
        bots_clock_is_behind=timedelta(minutes=2),
        restarts=False,
    ),
    "a decision counts before the card shows its change": (
        test_whose_card_decides.test_a_reaction_from_before_the_card_says_that_a_parcel_left_is_no_arrival
    ),
    "a neighbour gets an item whatever has changed since the line": (
        test_outside.test_a_delayed_loan_leaves_only_if_its_lender_still_has_the_permission
    ),
    "a booked item goes to a neighbour by one line": (
        test_outside.test_a_booked_item_goes_to_a_neighbour_only_by_a_second_line_that_repeats_everything
    ),
    "a neighbour's loan that our InvenTree shows otherwise is handed over": (
        test_outside.test_a_loan_that_differs_from_our_inventree_is_not_handed_over
    ),
    "any of our stock items is taken for the lent one": partial(
        test_outside.test_a_stock_item_that_does_not_match_exactly_is_refused_with_what_to_do, what="given"
    ),
    "a declined hand-over leaves the neighbour's loan open to nobody": partial(
        test_outside.test_if_their_bot_does_not_accept_it_the_neighbour_has_it_as_before, how="declined"
    ),
    "a booking that appears in the grace changes nothing": (
        test_booking.test_a_booking_that_appears_in_the_grace_makes_a_decision_void
    ),
    "a booking that nobody picks up never lapses": (
        test_booking.test_not_today_asks_again_tomorrow_and_a_booking_that_nobody_picks_up_lapses
    ),
    "a booking from tomorrow on passes the queue": (
        test_waiting_list.test_nobody_passes_the_queue_by_booking_from_tomorrow_on
    ),
    "a reply to a turn requests what the friend keeps": (
        test_waiting_list.test_a_reply_to_a_turn_for_another_item_requests_the_item_that_we_wait_for
    ),
    "an item that nobody here confirmed is booked in": (
        test_asking_anyone.test_an_item_that_a_friend_sends_without_confirmation_goes_back
    ),
    "an item is merged into its source whatever differs": partial(
        test_putting_back.test_what_differs_by_then_stays_apart_and_people_read_why,
        happens=test_putting_back.gets_another_batch,
        why="the batch differs",
    ),
    "the item that was put back takes in the one from which it came": (
        test_putting_back.test_a_refused_item_is_put_back_into_the_item_from_which_it_was_taken
    ),
}
BUDGETS: dict[str, Dialogue] = {
    "opening": test_floods.test_sixty_offers_at_once_do_not_become_sixty_cards_or_sixty_mentions,
    "opening within one's share": test_floods.test_many_friends_together_open_no_more_than_a_room_can_read,
    "opening in one room": test_floods.test_many_friends_together_open_no_more_than_a_room_can_read,
    "about a connection": test_floods.test_a_hundred_messages_about_a_friendship_are_read_slowly,
    "about a transfer": (
        test_floods.test_a_thousand_messages_about_one_transfer_are_read_slowly_and_the_admins_are_told_once
    ),
    "grant": test_floods.test_an_owner_that_grants_less_and_less_does_not_post_a_card_for_each,
    "connect": test_floods.test_connection_requests_beyond_the_budget_store_nothing_and_are_reported_once,
    "announce": test_floods.test_announcements_beyond_the_budget_are_not_read,
    "announcing again": (
        test_rooms.test_a_bot_that_announces_by_state_reads_of_one_that_may_not_and_a_flood_costs_little
    ),
    "stray": test_floods.test_messages_about_unknown_subjects_are_asked_about_a_few_times_and_leave_little_behind,
    "want": test_wanting.test_a_friend_whose_wants_come_and_go_has_its_budget_used_up,
    "wait": test_waiting_list.test_a_friend_that_waits_for_everything_or_lies_about_its_place_gets_nothing_by_it,
    "repetition": test_floods.test_requests_to_send_again_about_many_subjects_are_answered_slowly,
    "mention": test_floods.test_sixty_offers_at_once_do_not_become_sixty_cards_or_sixty_mentions,
    "line": test_rate_limits.test_forty_lines_of_one_person_do_not_delay_the_answer_to_another,
    "sign-in": test_web_attacks.test_a_caller_may_guess_few_codes_and_uses_up_none,
    "admin message": test_floods.test_many_messages_of_one_kind_for_the_admins_are_summarised,
    "reaction": test_floods.test_reactions_beyond_the_budget_cost_our_inventree_nothing_and_are_reported_once,
    "photo": test_floods.test_photos_beyond_the_budget_are_not_fetched_and_that_is_said_once,
    "invitation": test_floods.test_one_account_that_invites_again_and_again_is_answered_a_few_times,
    "invitation by anybody": test_floods.test_invitations_beyond_the_budget_stay_unanswered_except_to_our_own_rooms,
    "find": test_finding.test_a_person_who_searches_too_often_is_told_when_to_come_back,
    "stats": test_sharing.test_a_friend_that_asks_for_figures_too_often_is_told_when_to_come_back,
    "books": test_reconciling.test_a_friend_that_asks_for_our_books_too_often_is_told_to_wait,
    "request": test_sharing.test_requests_beyond_the_budget_are_declined_and_not_stored,
}
"""A dialogue for each budget: it fails if that budget is never spent."""


def test_each_variant_that_no_history_shows_has_a_dialogue_that_does() -> None:
    of_budgets = {f"no budget: {what}" for what in BUDGETS}
    assert DIALOGUES.keys() | of_budgets | {"protocol messages are read out of order"} == ELSEWHERE.keys()
    page = PAGE.read_text()
    assert all(f"- {name} (`{ELSEWHERE[name]}`)" in page for name in ELSEWHERE.keys() - of_budgets)


@pytest.mark.parametrize("name", DIALOGUES)
async def test_a_dialogue_finds_a_broken_rule(name: str) -> None:
    with broken(name), pytest.raises(AssertionError):
        await DIALOGUES[name]()


@pytest.mark.long
@pytest.mark.parametrize("what", BUDGETS)
async def test_a_dialogue_finds_a_budget_that_is_not_spent(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dialogue = BUDGETS[what]
    fixtures = {"monkeypatch": monkeypatch} if "monkeypatch" in signature(dialogue).parameters else {}
    with broken(f"no budget: {what}"), pytest.raises(AssertionError):
        await dialogue(**fixtures)
