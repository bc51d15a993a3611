"""'Their PLA-RED is our PLA-ROT': matches set with `match`, and their effect."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fedbot.rules.model.catalogue import Alias
from fedbot.rules.model.lifecycles import TransferState
from fedbot_demo.inventree.faults import FaultKind
from tests.dialogue.test_finding import three
from tests.fakes.people import Person
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, friends, told

BOLT, THEIRS = "M3-BOLT", "PLY-4-BIRCH"


async def says(world: World, line: str, person: Person | None = None) -> str:
    """The answer of betaspace's bot to one of its people."""
    return await world.answer(person or world.cem, line)


async def test_an_item_that_nobody_could_match_goes_into_the_named_part() -> None:
    world = await friends()
    card = await world.push(f"{THEIRS} 1")
    assert "no part" in card.text
    assert f"under another name: !fed match OUR-IPN {THEIRS} from attraktor" in card.text
    answer = await says(world, f"!fed match {BOLT} {THEIRS} from attraktor")
    assert answer.startswith(f'✅ What Attraktor calls "{THEIRS}" is our ')
    assert f"({BOLT}) from now on." in answer
    assert 'as your part "Bolt M3"' in world.card().text, "the card that waited has changed by itself"
    world.cem.reacts(card, "❌")
    await world.grace()
    before = world.beta.total(BOLT)
    card = await world.push(f"{THEIRS} 1")
    assert 'as your part "Bolt M3"' in card.text
    world.cem.reacts(card, "✅")
    await world.grace()
    assert world.beta.transfer().state is TransferState.DONE
    assert world.beta.total(BOLT) == before + 1
    assert world.beta.metadata("part", world.beta.part(BOLT).pk)["aliases"] == {"attraktor": [THEIRS]}
    assert_books_balance(world)


async def test_a_match_counts_before_the_same_ipn_or_name_until_it_is_removed() -> None:
    world = await friends()
    await says(world, "!fed match RES-10K M3-NUT from attraktor")
    card = await world.push("M3-NUT 3")
    assert 'as your part "Resistor 10k 0805"' in card.text
    await says(world, "!fed match m3-nut --forget")
    card = await world.push("M3-NUT 4")
    assert 'as your part "Resistor 10k 0805"' not in card.text
    assert world.beta.metadata("part", world.beta.part("RES-10K").pk)["aliases"] == {}


async def test_a_match_that_lacks_something_is_answered_with_a_line_that_lacks_only_the_name() -> None:
    world = await three()
    friends_of_ours = ["betaspace", "gammaspace"]
    for line, meant in (
        ("match M3-NUT", friends_of_ours),
        ("match M3-NUT from gammaspace", ["gammaspace"]),
        ("match M3-NUT Gammaspace", ["gammaspace"]),
    ):
        answer = await says(world, f"!fed {line}", world.piet)
        assert answer.startswith('What does your friend call "M3-NUT"? I did nothing.')
        lines = [f"!fed match M3-NUT NAME from {friend}" for friend in meant]
        assert [each.strip("• ") for each in answer.splitlines()[2:]] == lines
    answer = await says(world, "!fed match M3-NUT NUT-3", world.piet)
    assert answer.startswith('Who calls it "NUT-3"? I did nothing.')
    lines = [f"!fed match M3-NUT NUT-3 from {friend}" for friend in friends_of_ours]
    assert [each.strip("• ") for each in answer.splitlines()[2:]] == lines
    assert not world.alpha.turn.all(Alias)


async def test_matches_can_be_listed_changed_and_removed() -> None:
    world = await friends()
    assert (await says(world, "!fed match")).startswith("Betaspace has matched nothing by hand.")
    await says(world, f"!fed match {BOLT} {THEIRS}")
    await says(world, '!fed match RES-10K "Black filament" from attraktor')
    answer = await says(world, f"!fed match RES-10K {THEIRS.lower()} from attraktor")
    assert "had matched it with " in answer
    listed = await says(world, "!fed match")
    assert listed.startswith("2 parts are matched by hand:")
    assert '"Black filament" of attraktor is ' in listed
    assert f'"{THEIRS.lower()}" of attraktor is ' in listed
    assert "says Cem" in listed
    assert world.beta.metadata("part", world.beta.part(BOLT).pk)["aliases"] == {}
    await world.beta.restart()
    assert (await says(world, "!fed match")).startswith("2 parts")
    assert (await says(world, "!fed match RES-10K --forget")).startswith("Forgotten:")
    assert (await says(world, "!fed match")).startswith("Betaspace has matched nothing by hand")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("match NOPE-1 PLA-RED from attraktor", 'We have no part "NOPE-1".'),
        ("match RES-10K", "NAME"),
        ("match RES-10K PLA-RED from gamma", 'No space "gamma"'),
        ("match --forget", "Remove which match?"),
        ("match PLA-RED --forget", "isn't matched"),
        ("match #99999 PLA-RED from attraktor", 'We have no part "#99999".'),
    ],
)
async def test_an_impossible_match_is_refused_and_not_stored(line: str, answer: str) -> None:
    world = await friends()
    assert answer in await says(world, f"!fed {line}")
    assert world.beta.turn.all(Alias) == []


async def test_a_part_without_stock_can_be_named_and_one_of_several_with_a_name_can_not() -> None:
    world = await friends()
    category = world.beta.part(BOLT).category
    world.beta.admin("POST", "part/", name="Rotes PLA", IPN="PLA-ROT", category=category)
    assert "Rotes PLA (PLA-ROT)" in await says(world, "!fed match PLA-ROT PLA-RED from attraktor")
    world.beta.admin("POST", "part/", name="Rotes PLA", IPN="PLA-ROT-2", category=category)
    assert "is several of our parts" in await says(world, '!fed match "Rotes PLA" PLA-RED from attraktor')


async def test_only_approvers_may() -> None:
    world = await friends()
    assert "needs an approver" in await says(world, f"!fed match {BOLT} {THEIRS}", world.tom)
    assert world.beta.turn.all(Alias) == []


async def test_a_match_with_a_deleted_part_is_ignored() -> None:
    world = await friends()
    category = world.beta.part(BOLT).category
    row = world.beta.admin("POST", "part/", name="Mutter", IPN="MUTTER", category=category)
    await says(world, "!fed match MUTTER M3-NUT from attraktor")
    world.beta.admin("PATCH", f"part/{row['pk']}/", active=False)
    world.beta.admin("DELETE", f"part/{row['pk']}/")
    await world.hand_over("M3-NUT 5")
    assert world.beta.transfer().state is TransferState.DONE
    assert world.beta.total("N-M3") == 905


async def test_a_match_counts_without_the_permission_to_write_into_parts() -> None:
    world = await friends()
    world.beta.fails(FaultKind.ERROR_BEFORE, "PATCH", "metadata/part/", times=None, status=403)
    await says(world, f"!fed match {BOLT} {THEIRS}")
    assert told(world.beta_admins, "could not write my notes")
    assert 'as your part "Bolt M3"' in (await world.push(f"{THEIRS} 1")).text


async def test_no_match_is_stored_while_inventree_is_silent_but_afterwards() -> None:
    world = await friends()
    world.beta.goes_down()
    assert "has not answered yet" in await says(world, f"!fed match {BOLT} {THEIRS}")
    assert world.beta.turn.all(Alias) == []
    world.beta.comes_back()
    await world.passes(timedelta(minutes=6))
    assert len(world.beta.turn.all(Alias)) == 1
