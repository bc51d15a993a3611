"""A server that doesn't answer gets few requests, from one caller at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest

from fedbot.engine.circuit_breaker import OPENS_AFTER, Breaker
from fedbot.ports.chat import Batch, ChatFault, ChatProblem, ChatUnreachable
from fedbot.rules.model.diagnosis import Fault, Plain
from tests.fakes.clock import START
from tests.scenarios.space import Space
from tests.scenarios.world import a_world

SECOND = timedelta(seconds=1)
SILENT = Plain(Fault.SILENT)


def opened(breaker: Breaker) -> None:
    for _ in range(OPENS_AFTER):
        breaker.failed(START, problem=SILENT)


def test_a_failure_or_two_delay_nobody() -> None:
    breaker = Breaker()
    for _ in range(OPENS_AFTER - 1):
        breaker.failed(START, problem=SILENT)
        assert breaker.holds(START) is None
    breaker.worked()
    breaker.failed(START, problem=SILENT)
    assert not breaker.is_open


def test_after_several_failures_in_a_row_all_wait_and_then_one_caller_tries() -> None:
    breaker = Breaker()
    opened(breaker)
    again = breaker.next_try
    assert again is not None
    assert breaker.holds(START) == again
    assert breaker.holds(again) is None
    assert breaker.holds(again) == again + timedelta(seconds=10)
    assert (breaker.since, breaker.problem) == (START, SILENT)


def test_the_pauses_grow_with_jitter_up_to_the_longest() -> None:
    breaker = Breaker(shortest=2.0, longest=300.0)
    pauses = [(breaker.failed(START) - START).total_seconds() for _ in range(20)]
    assert all(0.8 * 2**n <= pause <= 1.2 * 2.0 * 2**n for n, pause in enumerate(pauses[:7]))
    assert all(240 <= pause <= 360 for pause in pauses[8:])
    assert len(set(pauses)) == len(pauses)


def test_a_persons_request_may_go_sooner_but_not_one_after_the_other() -> None:
    breaker = Breaker(shortest=100.0)
    opened(breaker)
    assert breaker.holds(START + SECOND, urgent=True) is None
    assert breaker.holds(START + 2 * SECOND, urgent=True) is not None
    assert breaker.holds(START + 2 * SECOND) is not None
    assert breaker.holds(START + 11 * SECOND, urgent=True) is None


def test_one_answer_ends_all_delays() -> None:
    breaker = Breaker()
    opened(breaker)
    breaker.worked()
    assert breaker.holds(START) is None
    assert (breaker.since, breaker.next_try, breaker.problem) == (None, None, None)


async def _until(space: Space, condition: Callable[[], bool]) -> None:
    """Let time pass from alarm to alarm until the condition holds."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)
            alarm = space.clock.next_alarm()
            if alarm is not None:
                space.clock.advance(max(alarm - space.clock.now(), timedelta()))


@pytest.mark.parametrize("problem", [ChatUnreachable("no connection"), ChatFault("sync failed unforeseen (KeyError)")])
async def test_a_silent_homeserver_is_tried_more_and_more_rarely_and_its_silence_is_remembered(
    problem: ChatProblem,
) -> None:
    world = await a_world()
    bot = world.alpha.bot
    calls = 0
    sync = world.alpha.chat.sync
    begun = world.clock.now()

    async def unreliable(since: str | None, timeout: float) -> Batch:
        nonlocal calls
        calls += 1
        if world.clock.now() - begun < timedelta(minutes=10):
            raise problem
        return await sync(since, 0)

    world.alpha.chat.sync = unreliable  # type: ignore[method-assign]
    reading = asyncio.create_task(bot.syncing.run())
    await _until(world.alpha, lambda: calls >= 10)
    problems = bot.status()["problems"]
    assert problems == [f"the homeserver has not answered since {begun.isoformat(timespec='seconds')}"]
    held = bot.homeserver.holds(world.clock.now())
    assert held is not None
    await _until(world.alpha, lambda: world.alpha.turn.status().silent_until is not None)
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading
    assert calls < 40
    standing = world.alpha.turn.status()
    assert standing.silent_from == begun
    assert standing.silent_until is not None
    assert standing.silent_until >= begun + timedelta(minutes=10)
    assert bot.status()["problems"] == []
    line = world.kim.says("!fed status")
    await world.settle()
    assert "The homeserver was last silent from 20:14 to 20:2" in world.answer_to(line)
