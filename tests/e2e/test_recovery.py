"""Backups, lost journals, a second machine, a full disk, a stop at a bad time: real servers, the real commands."""

from __future__ import annotations

import asyncio
import resource
import shutil
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from fedbot.cli.exits import Exit
from fedbot_demo import plot
from fedbot_demo.bot_process import BotProcess
from fedbot_demo.stage import Space, Stage
from tests.e2e import scene

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

STAGE = {
    "access": "relayed",
    "default_rate_limits": False,
    "rules": {"grace_seconds": 0.3, "settle_seconds": 0.5, "give_up_minutes": 5.0, "resend_seconds": [3.0, 600.0]},
}
IPN = "RES-10K"
IN_TIME_S = 10.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def friends(stage: Stage) -> AsyncIterator[Stage]:
    await plot.connect(stage)
    await scene.at_rest(stage)
    yield stage


async def offered(stage: Stage, quantity: int) -> plot.Offer:
    return await plot.offer(
        stage, stage.people["piet"], f"!fed push {quantity} {IPN} to betaspace", seen_by=stage.people["cem"]
    )


async def taps(stage: Stage, offer: plot.Offer) -> None:
    await stage.people["cem"].react(stage.room, offer.card.event_id, plot.YES)


async def test_a_backup_from_the_middle_of_a_push_is_restored_after_its_end(friends: Stage, tmp_path: Path) -> None:
    attraktor, file = friends.attraktor, tmp_path / "backup"
    (tmp_path / "passphrase").write_text("correct horse\n")
    before = await scene.amounts(friends, IPN)
    offer = await offered(friends, 20)
    with_passphrase = ("--passphrase-file", str(tmp_path / "passphrase"))
    assert "encrypted" in await scene.fedbot(attraktor, "backup", str(file), *with_passphrase)
    await taps(friends, offer)
    await scene.is_done(friends, IPN, before, offer, 20)
    timeline = [e.event_id for e in await friends.attraktor.superuser.messages(friends.room)]
    await attraktor.bot.kill()
    shutil.rmtree(attraktor.folder / "state")
    assert "fedbot run" in await scene.fedbot(attraktor, "restore", str(file), *with_passphrase)
    await attraktor.bot.start()
    await scene.is_done(friends, IPN, before, offer, 20)
    new = [e for e in await friends.attraktor.superuser.messages(friends.room) if e.event_id not in timeline]
    assert [e.body for e in new if e.type == "m.room.message" and e.relation != "m.replace"] == []
    again = await offered(friends, 5)
    before = await scene.amounts(friends, IPN)
    await taps(friends, again)
    await scene.is_done(friends, IPN, before, again, 5)


@pytest.mark.parametrize("lost", ["attraktor", "betaspace"])
async def test_a_journal_lost_in_the_middle_of_a_push_is_rebuilt(friends: Stage, lost: str) -> None:
    space = next(space for space in friends.spaces if space.party == lost)
    before = await scene.amounts(friends, IPN)
    offer = await offered(friends, 10)
    await space.bot.kill()
    for path in (space.folder / "state").glob("journal.db*"):
        path.unlink()
    await space.bot.begin()
    assert await space.bot.ended() == Exit.HISTORY_WITHOUT_STATE
    assert "fedbot rebuild" in space.bot.log_tail()
    said = await scene.fedbot(space, "rebuild")
    assert "(suspended)" in said
    assert "1 continue" in said
    assert "Not found" not in said
    await space.bot.start()
    await scene.keys_are_compared(friends, space)
    await scene.at_rest(friends)
    await taps(friends, offer)
    await scene.is_done(friends, IPN, before, offer, 10)


async def test_a_rebuild_does_not_touch_an_existing_journal(friends: Stage) -> None:
    with pytest.raises(AssertionError, match="in use"):
        await scene.fedbot(friends.attraktor, "rebuild")


@pytest.mark.parametrize("seconds", [3.0, 30.0], ids=["ends in time", "does not end in time"])
async def test_a_bot_stopped_while_inventree_is_slow_ends_in_time_and_goes_on_later(
    friends: Stage, seconds: float
) -> None:
    attraktor = friends.attraktor
    before = await scene.amounts(friends, IPN)
    trap = await scene.set_trap(attraktor, "delay", "POST", "stock/assign/", seconds=seconds)
    offer = await offered(friends, 3)
    await taps(friends, offer)
    await trap.is_sprung()
    started = time.monotonic()
    await attraktor.bot.stop(grace=30.0)
    assert attraktor.bot.exit_code == Exit.OK
    assert time.monotonic() - started < IN_TIME_S
    await attraktor.bot.start()
    await scene.is_done(friends, IPN, before, offer, 3)


async def test_no_line_and_no_reaction_is_lost_over_a_restart_however_many_there_are(
    friends: Stage,
) -> None:
    attraktor, betaspace = friends.spaces
    before = await scene.amounts(friends, IPN)
    offer = await offered(friends, 6)
    asking = friends.people["piet"]
    lines = [await asking.say(friends.room, "!fed whoami")]
    await asyncio.gather(*(space.bot.stop() for space in friends.spaces))  # it may be in the middle of its answer
    lines.append(await asking.say(friends.room, "!fed todo"))
    await taps(friends, offer)
    for number in range(25):  # a sync returns ten, so earlier ones must be paged
        await betaspace.superuser.say(friends.room, f"we talk of something else ({number})")
    await attraktor.bot.start()
    lines.append(await asking.say(friends.room, "!fed spaces"))
    await betaspace.bot.start()
    await scene.is_done(friends, IPN, before, offer, 6)
    await scene.at_rest(friends)
    said = await scene.said_in(friends, friends.room)
    answers = [[e.event_id for e in said if e.replies_to == line and e.relation != "m.replace"] for line in lines]
    assert [len(each) for each in answers] == [1, 1, 1]


async def test_a_full_disk_ends_the_bot_with_a_message_and_nothing_is_lost(friends: Stage) -> None:
    attraktor = friends.attraktor
    before = await scene.amounts(friends, IPN)
    offer = await offered(friends, 4)
    assert attraktor.bot.pid is not None
    log = attraktor.bot.log.stat().st_size + 100_000
    # beyond this size the process can't write any more, as on a full disk
    grown = (attraktor.folder / "state" / "journal.db-wal").stat().st_size
    full = max(log, grown)
    resource.prlimit(attraktor.bot.pid, resource.RLIMIT_FSIZE, (full, full))
    await _write_until_it_ends(friends, attraktor)
    assert attraktor.bot.exit_code == Exit.UNWRITABLE, attraktor.bot.log_tail()
    await scene.admins_read(attraktor, "can't be written")
    await attraktor.bot.start()
    await taps(friends, offer)
    await scene.is_done(friends, IPN, before, offer, 4)


async def _write_until_it_ends(stage: Stage, space: Space) -> None:
    """Write lines that it must store until the disk is full."""
    for _ in range(200):
        await space.superuser.say(stage.room, "just talking " + "x" * 20_000)
        if not space.bot.is_running:
            return
    await space.bot.ended()


async def test_with_two_machines_on_one_account_the_older_stops_and_says_so(friends: Stage, tmp_path: Path) -> None:
    attraktor = friends.attraktor
    await scene.fedbot(attraktor, "backup", str(tmp_path / "backup"), "--unencrypted")
    for name in ("matrix-password", "inventree-token", "inventree-admin-token"):
        shutil.copy2(attraktor.folder / name, tmp_path / name)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(attraktor.settings))
    newer = BotProcess(tmp_path / "config.yaml", tmp_path / "state", tmp_path / "bot.log")
    restored = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "fedbot", "restore", "backup", "--config", "config.yaml", cwd=tmp_path
    )
    assert await restored.wait() == Exit.OK
    try:
        await newer.start()
        assert await attraktor.bot.ended() == Exit.ACCOUNT_TAKEN
        await scene.admins_read(attraktor, "another fedbot works with this matrix account")
        assert newer.is_running
    finally:
        await newer.stop()
    await attraktor.bot.start()
    before = await scene.amounts(friends, IPN)
    offer = await offered(friends, 2)
    await taps(friends, offer)
    await scene.is_done(friends, IPN, before, offer, 2)
