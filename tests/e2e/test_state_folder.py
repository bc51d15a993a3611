"""One bot for each state folder and one state folder for each account: refusals of `fedbot run`, by exit code.

Also, a bot that has nothing to do is silent.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from fedbot.cli.exits import Exit
from fedbot_demo import plot
from fedbot_demo.bot_process import BotProcess
from fedbot_demo.stage import Stage
from tests.e2e import scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

STAGE = {"rules": {"grace_seconds": 0.5, "resend_seconds": [4.0, 600.0]}}


@pytest_asyncio.fixture(loop_scope="module")
async def another(stage: Stage, tmp_path: Path) -> AsyncIterator[BotProcess]:
    """A second bot for Attraktor: the same settings and account, with a state folder of its own."""
    for name in ("matrix-password", "inventree-token", "inventree-admin-token"):
        shutil.copy2(stage.attraktor.folder / name, tmp_path / name)
    settings = copy.deepcopy(stage.attraktor.settings)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
    bot = BotProcess(tmp_path / "config.yaml", tmp_path / "state", tmp_path / "bot.log")
    yield bot
    await bot.stop()


async def test_a_second_process_on_the_same_state_folder_refuses_to_start(stage: Stage) -> None:
    first = stage.attraktor.bot
    second = BotProcess(first.config, first.state, stage.attraktor.folder / "second.log")
    await second.begin()
    assert await second.ended() == Exit.STATE_IN_USE
    assert str(first.pid) in second.log_tail()
    assert first.is_running
    assert ((await first.health()) or {})["matrix"]


async def test_an_empty_state_folder_for_an_account_with_a_history_refuses_and_says_what_to_do(
    stage: Stage, another: BotProcess
) -> None:
    before = [event.event_id for event in await stage.attraktor.superuser.messages(stage.room)]
    await another.begin()
    assert await another.ended() == Exit.HISTORY_WITHOUT_STATE
    assert "backup" in another.log_tail()
    after = [event.event_id for event in await stage.attraktor.superuser.messages(stage.room)]
    assert after == before, "it must not have spoken"


async def test_a_stopped_bot_ends_well_and_returns_as_the_same_device(stage: Stage) -> None:
    bot = stage.betaspace.bot
    session = (bot.state / "identity" / "matrix.json").read_text()
    await bot.stop()
    assert bot.exit_code == Exit.OK
    await bot.start()
    assert (bot.state / "identity" / "matrix.json").read_text() == session


async def test_two_bots_that_have_connected_fall_silent(stage: Stage) -> None:
    """Their `ready` messages may cross; sending again must come to an end (seen live: one message in 5 s, for ever)."""
    await scene.connect_unlimited(stage)

    async def look() -> bool:
        return not any(scene.waits_for_the_peer(space, "Connection") for space in stage.spaces)

    await scene.eventually(look, "that no letter about the connection waits for its answer")
    await scene.at_rest(stage)
    timeline = await stage.attraktor.superuser.messages(stage.room)
    assert [plot.kind_of(event) for event in timeline].count("ready") <= 4
