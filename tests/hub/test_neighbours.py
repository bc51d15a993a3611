"""A space in a worker leaves the others their threads, connections and turns."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from fedbot import logs
from fedbot.hub.hosting import THREADS_A_SPACE, _bounded
from fedbot.matrix.login import REQUESTS_AT_ONCE, NioClient, new_client
from fedbot.ports.journal import LeaseLost
from fedbot.rules.model.events import Tick
from tests.scenarios.world import friends


async def test_calls_to_a_silent_inventree_take_no_thread_from_another_space() -> None:
    answers, begun = threading.Event(), threading.Semaphore(0)
    in_a_thread, at_once, counting = 0, 0, threading.Lock()

    def waits() -> None:
        nonlocal in_a_thread, at_once
        with counting:
            in_a_thread += 1
            at_once = max(at_once, in_a_thread)
        begun.release()
        answers.wait()
        with counting:
            in_a_thread -= 1

    with ThreadPoolExecutor(10_000) as threads:
        dead, alive = _bounded(threads), _bounded(threads)
        waiting = [asyncio.ensure_future(dead(waits)) for _ in range(50)]
        assert await asyncio.wait_for(alive(lambda: "at once"), 10) == "at once"
        for _ in range(THREADS_A_SPACE):
            await asyncio.to_thread(begun.acquire)
        assert not begun.acquire(blocking=False), "the others wait for their turn, without a thread"
        answers.set()
        await asyncio.gather(*waiting)
        assert at_once == THREADS_A_SPACE


class Homeserver:
    """A session whose requests are never answered; it counts them by account."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.closed = False

    async def request(self, _: str, url: str, **__: object) -> None:
        self.asked.append(url)
        await asyncio.Event().wait()

    async def close(self) -> None:
        self.closed = True


async def test_a_bot_has_a_limited_number_of_requests_and_closes_nothing_that_others_use() -> None:
    session = Homeserver()
    busy, other = (new_client(f"https://{name}.org", session=cast("Any", session)) for name in ("busy", "other"))

    def sends(connection: NioClient) -> asyncio.Future[Any]:
        return asyncio.ensure_future(connection.send("GET", "/path"))

    sent = [sends(busy) for _ in range(20)] + [sends(other)]
    for _ in range(100):
        await asyncio.sleep(0)
    assert sorted(session.asked) == ["https://busy.org/path"] * REQUESTS_AT_ONCE + ["https://other.org/path"]
    await busy.close()
    assert not session.closed
    for each in sent:
        each.cancel()


async def test_a_flood_is_decided_in_stretches_between_which_others_have_their_turn() -> None:
    world = await friends()
    engine = world.alpha.bot.engine
    for _ in range(50):
        engine.journal.put(Tick(world.clock.now()))
    engine.stretch = 0.0
    engine.decide_all()
    assert engine.journal.next_event() is not None, "not all at once"
    turns = 0

    async def others() -> None:
        nonlocal turns
        while engine.journal.next_event() is not None:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(engine.run())
    neighbour = asyncio.create_task(others())
    await asyncio.wait_for(engine.settled(), 30)
    await neighbour
    assert turns >= 49
    assert engine.journal.next_event() is None

    def lost() -> None:
        raise LeaseLost("another worker has it")

    engine.changed = lost
    engine.journal.put(Tick(world.clock.now()))
    engine.journal.put(Tick(world.clock.now()))
    with pytest.raises(LeaseLost):
        engine.decide_all()
    with pytest.raises(LeaseLost):
        await asyncio.wait_for(running, 30)


async def test_each_log_line_names_its_space_in_tasks_and_threads_and_no_space_changes_the_level_of_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("info")
    log = logging.getLogger("fedbot.somewhere")

    async def bot(space: str) -> None:
        logs.about(space)
        logs.reconfigure("error", [f"{space}-secret"])
        with ThreadPoolExecutor() as threads:
            await _bounded(threads)(log.info, f"in a thread of {space}")
        await asyncio.create_task(asyncio.to_thread(log.info, f"in a task of {space}, {space}-secret"))

    await asyncio.gather(bot("attraktor"), bot("betaspace"))
    log.info("of the worker")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5
    for line in lines[:-1]:
        (space,) = (name for name in ("attraktor", "betaspace") if f"of {name}" in line)
        assert f"space={space} " in f"{line} "
        assert "-secret" not in line
    assert "space=" not in lines[-1]


def test_hundreds_of_secrets_are_removed_from_a_line_as_one_is() -> None:
    redactor = logs.Redactor()
    secrets = [f"abcd{number:04}" for number in range(2000)]
    for secret in secrets:
        redactor.keep_secret(secret)
    redactor.keep_secret("abcd0007-and-longer")
    assert redactor.clean("x abcd0007-and-longer abcd1999abcd0001, abcd9999") == "x ••• ••••••, abcd9999"
