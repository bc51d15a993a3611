"""A bot that ends at any point starts again, and the push ends the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from fedbot.rules.model.lifecycles import TransferState
from tests.fakes.people import Person
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
    """As `settle`, but restart the bots of these spaces after the given steps; stop after `at_most` steps.

    A restart that has happened is removed from `restarts`.
    """
    for _ in range(MANY):
        did = False
        for space in world.spaces:
            if count[0] == at_most:
                return
            did = await step(space) or did
            count[0] += 1
            if count[0] in restarts:
                await restarts.pop(count[0]).restart()
        if not did:
            return
    raise AssertionError("it never comes to rest")


Rests = Callable[[World], Awaitable[None]]
Course = Callable[[Rests], Awaitable[World]]
"""Plays a course of events; it calls what it is given where it would otherwise call `settle`."""


async def played(course: Course, restarts: Callable[[World], dict[int, Space]]) -> tuple[World, int]:
    """Play it with restarts after these steps; return the world afterwards and the number of steps."""
    at: dict[int, Space] | None = None
    count = [0]

    async def rests(world: World) -> None:
        nonlocal at
        at = restarts(world) if at is None else at
        await settles_with_restarts(world, at, count)

    return await course(rests), count[0]


async def after_each_step(course: Course, side: str, every: int = 1) -> AsyncIterator[tuple[World, int]]:
    """Count the steps of the course, then play it once for each `every`-th one, with a restart of that bot after it.

    Yield each world afterwards, and the number of the step. With two spaces an odd `every` comes by both.
    """
    _, steps = await played(course, lambda _: {})
    for number in range(1, steps + 1, every):
        at: dict[int, Space] = {}

        def once(world: World, number: int = number, at: dict[int, Space] = at) -> dict[int, Space]:
            at[number] = getattr(world, side)
            return at

        world, _ = await played(course, once)
        assert at == {}, f"there is no step {number} of {steps}: nothing was restarted"
        yield world, number


async def approved(world: World, person: Person, rests: Rests) -> World:
    """The person approves by the newest card, and it is done."""
    person.reacts(world.card(), "✅")
    await rests(world)
    world.clock.advance(GRACE + timedelta(seconds=1))
    await rests(world)
    await world.passes(timedelta(minutes=15))
    return world


async def a_push(rests: Rests) -> World:
    world = await friends()
    world.anna.says("!fed push M3-NUT 10 + #42 to betaspace")
    await rests(world)
    return await approved(world, world.cem, rests)


def ended_well(world: World) -> None:
    assert {space.transfer().state for space in world.spaces} == {DONE}
    assert (world.alpha.total("M3-NUT"), world.beta.total("N-M3")) == (340, 910)
    assert world.beta.item("LENS-2", serial="0042").quantity == 1
    assert_books_balance(world)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("side", ["alpha", "beta"])
async def test_a_restart_after_any_step_does_not_change_the_end(side: str, every: int) -> None:
    world, _ = await played(a_push, lambda _: {})
    ended_well(world)
    said = len(world.room.messages())
    async for again, number in after_each_step(a_push, side, every):
        ended_well(again)
        assert len(again.room.messages()) == said, f"another number of messages after a restart at step {number}"


async def test_both_bots_start_again_after_every_fifth_step() -> None:
    def restarts(world: World) -> dict[int, Space]:
        return {number: world.spaces[number // 5 % 2] for number in range(5, 500, 5)}

    world, _ = await played(a_push, restarts)
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


async def two_that_connect(rests: Rests) -> World:
    world = World()
    await world.start()
    world.anna.says("!fed connect betaspace")
    await rests(world)
    return await approved(world, world.bea, rests)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("side", ["alpha", "beta"])
async def test_connecting_survives_restarts_too(side: str, every: int) -> None:
    async for world, number in after_each_step(two_that_connect, side, every):
        assert {space.connection().state for space in world.spaces} == {"active"}, number
        assert_books_balance(world)
