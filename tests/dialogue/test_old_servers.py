"""The main stories where one InvenTree, or both, are of an older version: connect, offer, request, lend and return.

`make test` has each story once on an old server; `make test-long` has all of them on every pair of those versions where
the bot can make the friend's access itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import product

import pytest

from fedbot.rules.model.transfer_lifecycle import TransferState
from fedbot_demo.inventree.versions import RECORDED, Version
from tests.dialogue.books import assert_books_balance
from tests.dialogue.test_lending import owners_card
from tests.dialogue.world import World, sharing

Story = Callable[[World], Awaitable[None]]


async def offers(world: World) -> None:
    world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert [space.transfer().state for space in world.spaces] == [TransferState.DONE] * 2
    assert world.beta.total("N-M3") == 910
    assert world.alpha.total("M3-NUT") == 340


async def requests(world: World) -> None:
    world.tom.says("!fed request M3-NUT 5 from attraktor")
    await world.settle()
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert [space.transfer().state for space in world.spaces] == [TransferState.DONE] * 2
    assert world.alpha.total("M3-NUT") == 345


async def lends(world: World) -> None:
    world.anna.says("!fed lend M3-NUT 10 to betaspace for 3 weeks")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.alpha.transfer().is_on_loan
    world.bea.says("!fed return", reply_to=world.card().event_id)
    await world.settle()
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert world.alpha.total("M3-NUT") == 350


#: Where a superuser's token lets the bot make the friend's access itself; older ones need an admin's hand.
SET_UP_BY_THE_BOT = [name for name, api in RECORDED.items() if Version(api).edits_rule_sets]
STORIES: dict[str, Story] = {"offer": offers, "request": requests, "lend": lends}


async def plays(story: str, alpha: str, beta: str) -> None:
    people = {"alpha": ("anna", "piet"), "beta": ("bea", "cem")}
    pinned = {
        side: {"pinned_superusers": (superuser,), "pinned_approvers": (approver,)}
        for side, (superuser, approver) in people.items()
    }
    world = await sharing(alpha_version=alpha, beta_version=beta, **pinned)
    assert [space.tables.version.api for space in world.spaces] == [RECORDED[alpha], RECORDED[beta]]
    await STORIES[story](world)
    assert_books_balance(world)


@pytest.mark.parametrize(
    ("story", "alpha", "beta"),
    [("offer", "1.0", "newest"), ("request", "1.0", "newest"), ("lend", "newest", "1.0")],
)
async def test_a_story_goes_well_with_an_old_server(story: str, alpha: str, beta: str) -> None:
    await plays(story, alpha, beta)


@pytest.mark.long
@pytest.mark.parametrize(("alpha", "beta"), list(product(SET_UP_BY_THE_BOT, repeat=2)))
@pytest.mark.parametrize("story", STORIES)
async def test_a_story_goes_well_with_every_pair(story: str, alpha: str, beta: str) -> None:
    await plays(story, alpha, beta)
