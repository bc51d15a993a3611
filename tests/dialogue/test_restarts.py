"""A bot that ends at any point starts again, and the push ends the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from fedbot.rules.model.lifecycles import TransferState
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import GRACE, World, friends, step

DONE = TransferState.DONE
MANY = 400


class Ends(BaseException):
    """The process is gone."""


async def settles_with_restarts(
    world: World, restarts: dict[int, Space], count: list[int], *, at_most: int | None = None
) -> None:
    """As `settle`, but restart the bots of these spaces after the given steps; stop after `at_most` steps."""
    for _ in range(MANY):
        did = False
        for space in world.spaces:
            if count[0] == at_most:
                return
            did = await step(space) or did
            count[0] += 1
            if count[0] in restarts:
                await restarts[count[0]].restart()
        if not did:
            return
    raise AssertionError("it never comes to rest")


async def push_with_restarts(restarts: Callable[[World], dict[int, Space]]) -> tuple[World, int]:
    """A push with restarts after these steps; return the world afterwards and the number of steps."""
    world = await friends()
    at, count = restarts(world), [0]
    world.anna.says("!fed push M3-NUT 10 + #42 to betaspace")
    await settles_with_restarts(world, at, count)
    world.cem.reacts(world.card(), "✅")
    await settles_with_restarts(world, at, count)
    world.clock.advance(GRACE + timedelta(seconds=1))
    await settles_with_restarts(world, at, count)
    await world.passes(timedelta(minutes=15))
    return world, count[0]


def ended_well(world: World) -> None:
    assert {space.transfer().state for space in world.spaces} == {DONE}
    assert (world.alpha.total("M3-NUT"), world.beta.total("N-M3")) == (340, 910)
    assert world.beta.item("LENS-2", serial="0042").quantity == 1
    assert_books_balance(world)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("side", ["alpha", "beta"])
async def test_a_restart_after_any_step_does_not_change_the_end(side: str, every: int) -> None:
    world, steps = await push_with_restarts(lambda _: {})
    ended_well(world)
    said = len(world.room.messages())
    for number in range(1, steps + 1, every):
        again, _ = await push_with_restarts(lambda w, n=number: {n: getattr(w, side)})  # type: ignore[misc]
        ended_well(again)
        assert len(again.room.messages()) == said, f"another number of messages after a restart at step {number}"


async def test_both_bots_start_again_after_every_fifth_step() -> None:
    def restarts(world: World) -> dict[int, Space]:
        return {number: world.spaces[number // 5 % 2] for number in range(5, 500, 5)}

    world, _ = await push_with_restarts(restarts)
    ended_well(world)


def ends_after(space: Space, name: str, number: int) -> None:
    """End the process in its n-th call of this kind: after the call was carried out, before its outcome is written."""
    carry_out: Callable[..., Awaitable[Any]] = getattr(space.inventory, name)
    calls = [0]

    async def and_ends(*given: Any) -> Any:  # noqa: ANN401
        outcome = await carry_out(*given)
        calls[0] += 1
        if calls[0] == number:
            raise Ends
        return outcome

    setattr(space.inventory, name, and_ends)


@pytest.mark.parametrize("number", range(1, 8))
@pytest.mark.parametrize("side", ["alpha", "beta"])
async def test_a_bot_that_ends_within_a_step_finds_it_done_and_does_it_once(side: str, number: int) -> None:
    world = await friends()
    space: Space = getattr(world, side)
    ends_after(space, "act", number)
    await _or_restart(world, space, world.push("M3-NUT 10 + #42"))
    world.cem.reacts(world.card(), "✅")
    await _or_restart(world, space, world.grace())
    await _or_restart(world, space, world.passes(timedelta(minutes=15)))
    await world.passes(timedelta(minutes=15))
    ended_well(world)


async def _or_restart(world: World, space: Space, work: Awaitable[object]) -> None:
    try:
        await work
    except Ends:
        await space.restart()
    await world.settle()


@pytest.mark.parametrize("side", ["alpha", "beta"])
async def test_a_restart_within_the_grace_keeps_the_decision_and_its_end(side: str) -> None:
    world = await friends()
    world.cem.reacts(await world.push(), "✅")
    await world.settle()
    await getattr(world, side).restart()
    await world.settle()
    assert world.beta.transfer().decision is not None
    await world.grace()
    assert {space.transfer().state for space in world.spaces} == {DONE}
    assert_books_balance(world)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("every", [6, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("side", ["alpha", "beta"])
async def test_connecting_survives_restarts_too(side: str, every: int) -> None:
    for number in range(1, 40, every):
        world = World()
        await world.start()
        restarts, count = {number: getattr(world, side)}, [0]
        world.anna.says("!fed connect betaspace")
        await settles_with_restarts(world, restarts, count)
        world.bea.reacts(world.card(), "✅")
        await settles_with_restarts(world, restarts, count)
        world.clock.advance(GRACE + timedelta(seconds=1))
        await settles_with_restarts(world, restarts, count)
        await world.passes(timedelta(minutes=5))
        assert {space.connection().state for space in world.spaces} == {"active"}, number
        assert_books_balance(world)
