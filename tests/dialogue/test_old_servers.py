"""The main stories with one or two InvenTrees of an older version: connect, offer, request, lend and return.

`make test` has each old version on each side, and each story; `make test-long` has all of them on every pair of
versions. Below 1.0 the bot can't make a friend's account: an admin makes it on the server, as the bot asks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot_demo.inventree.faults import FaultKind
from fedbot_demo.inventree.seeding import make_account
from fedbot_demo.inventree.versions import RECORDED
from tests.dialogue.test_files_that_travel import PDF, attach, kept
from tests.dialogue.test_lending import owners_card
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import World, a_world, made_once, told

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


async def takes_back(world: World) -> None:
    """What Betaspace's InvenTree refuses is one stock item with the rest again."""
    world.beta.fails(FaultKind.ERROR_BEFORE, "POST", "/api/stock/$", status=400)
    world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert [space.transfer().state for space in world.spaces] == [TransferState.REVERTED] * 2
    (row,) = world.alpha.stock(part=world.alpha.part("M3-NUT").pk)
    assert (int(row.quantity), row.customer, row.status) == (350, None, 10)


async def sends_files(world: World) -> None:
    lens = world.alpha.item("LENS-2", serial="0042").pk
    attach(world.alpha, lens, "how to.pdf", PDF)
    world.anna.says(f"!fed push #{lens} to betaspace")
    await world.settle()
    assert "Travels with it: files." in world.card().text
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert kept(world.beta) == {"how_to.pdf": PDF}
    assert world.beta.tables.attachments[1].model_id == world.beta.transfer().at(1).item


STORIES: dict[str, Story] = {
    "offer": offers,
    "request": requests,
    "lend": lends,
    "refused": takes_back,
    "files": sends_files,
}
VIEWS = dict.fromkeys(("stock", "part", "part_category", "stock_location"), "view")


def makes_access_by_hand(space: Space, peer: str) -> None:
    """An admin makes group, user and token on the server, because these versions don't offer it over REST."""
    space.vault.keep(f"made-for/{peer}/1", make_account(space.tables, f"fed-{peer}-1", VIEWS))


async def connected(alpha: str, beta: str) -> World:
    """Friends that share all their stock."""
    people = {"alpha": ("anna", "piet"), "beta": ("bea", "cem")}
    pinned = {
        side: {"pinned_superusers": (superuser,), "pinned_approvers": (approver,)}
        for side, (superuser, approver) in people.items()
    }
    options: dict[str, Any] = {"alpha_version": alpha, "beta_version": beta, **pinned}

    async def made() -> World:
        world = await a_world(**options)
        await connect_by_hand(world)
        return world

    return await made_once("connected", options, made)


async def connect_by_hand(world: World) -> None:
    """Connect; on servers that don't offer accounts over REST, an admin creates them."""
    await world.connect()
    for space, peer, admins in (
        (world.alpha, "betaspace", world.alpha_admins),
        (world.beta, "attraktor", world.beta_admins),
    ):
        by_hand = not space.tables.version.edits_rule_sets
        assert bool(told(admins, "is waiting for you")) is by_hand
        if by_hand:
            assert f"fed-{peer}-1" in told(admins, "is waiting for you")[0].text
            makes_access_by_hand(space, peer)
    await world.passes(timedelta(minutes=2))
    for person in (world.piet, world.cem):
        person.says("!fed share all")
    await world.settle()


async def plays(story: str, alpha: str, beta: str) -> None:
    world = await connected(alpha, beta)
    assert [space.tables.version.api for space in world.spaces] == [RECORDED[alpha], RECORDED[beta]]
    assert [space.connection().state for space in world.spaces] == [ConnectionState.ACTIVE] * 2
    await STORIES[story](world)
    assert_books_balance(world)


@pytest.mark.parametrize(
    ("story", "alpha", "beta"),
    [
        ("offer", "1.0", "newest"),
        ("offer", "0.13", "0.17"),
        ("request", "1.0", "0.13"),
        ("lend", "newest", "1.0"),
        ("lend", "0.17", "newest"),
        ("lend", "0.13", "1.0"),
        ("files", "0.13", "0.17"),
        ("files", "1.0", "0.13"),
    ],
)
async def test_a_story_succeeds_with_an_old_server(story: str, alpha: str, beta: str) -> None:
    await plays(story, alpha, beta)


@pytest.mark.long
@pytest.mark.parametrize(("alpha", "beta"), list(product(RECORDED, repeat=2)))
@pytest.mark.parametrize("story", STORIES)
async def test_a_story_succeeds_with_every_pair(story: str, alpha: str, beta: str) -> None:
    await plays(story, alpha, beta)
