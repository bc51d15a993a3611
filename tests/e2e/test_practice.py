"""`fedbot practice` as a newcomer without a friend uses it, on a real homeserver."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
import yaml

from fedbot.cli.exits import Exit
from fedbot_demo import plot
from fedbot_demo.bot_process import BotProcess
from fedbot_demo.encrypted_person import EncryptedPerson
from fedbot_demo.homeserver import Account
from fedbot_demo.inventree.seeding import Seeded, make_account
from fedbot_demo.inventree.server import Serving, serve
from fedbot_demo.room_event import RoomEvent
from fedbot_demo.stage import Stage
from tests.e2e import scene
from tests.e2e.first_handover import all_is_well
from tests.e2e.newcomer import Town, at_a_terminal, bare, everything_in, is_by_hand, usual_answers
from tests.setup.terminal import PATIENCE_S, Typist, fedbot

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

LOOKS = dict.fromkeys(("stock", "part", "part_category", "stock_location"), "view")
SCENES = ("Robin offers you", "Robin asks you for", "Robin lends you", "Robin wants to borrow")


class OurInvenTree:
    """A simulated InvenTree that can go away and come back at the same address."""

    def __init__(self, seeded: Seeded) -> None:
        self.seeded = seeded
        self.url = ""
        self._up = AsyncExitStack()

    async def start(self) -> None:
        """Serve it."""
        port = urlsplit(self.url).port or 0
        serving = await self._up.enter_async_context(serve(Serving(self.seeded.server), port=port))
        self.url = serving.url

    async def stop(self) -> None:
        """Serve it no longer."""
        await self._up.aclose()


@dataclass
class Alone:
    """A makerspace whose bot runs and has no friend: Ida's, who is in its admin room."""

    inventree: OurInvenTree
    ida: EncryptedPerson
    bot: Account
    friend: Account
    running: BotProcess
    settings: dict[str, Any]

    @property
    def room(self) -> str:
        """The admin room."""
        return str(self.settings["admin_room"])

    async def signs_in(self, typist: Typist) -> None:
        """Sign in to InvenTree as a superuser, if no superuser's token is stored."""
        if "admin_token_file" not in self.settings["inventree"]:
            await typist.answers("superuser's user name", "hanna")
            await typist.answers("Password of hanna", self.inventree.seeded.passwords["hanna"])

    async def begins(self, typist: Typist) -> None:
        """Begin to practise."""
        typist.patience_s = 2 * PATIENCE_S  # bots look once a minute for a token, and less and less often for a server
        await self.signs_in(typist)
        await typist.answers("Password of @practice", self.friend.password)
        await typist.reads("!fed connect practice")

    async def connects(self) -> RoomEvent:
        """Become friends with the pretend friend."""
        await self.ida.wait_for(
            lambda event: event.sender == self.friend.user_id and event.type == "dev.fedbot.party",
            plot.PATIENCE_S,
            what="the friend's announcement",
        )
        stage = cast("Stage", SimpleNamespace(room=self.room))
        answer = await plot.answer_to(stage, self.ida, "!fed connect practice")
        assert plot.kind_of(answer) == "connect", answer.body
        return answer

    async def gets(self, typist: Typist, told: str, after: RoomEvent) -> RoomEvent:
        """One scene: Robin writes its line, and our bot posts this card."""
        await typist.reads(told)
        line = await self.ida.wait_for(
            lambda event: "Robin (PRACTICE)" in event.body, plot.PATIENCE_S, after=after, what=told
        )
        return await self.ida.wait_for(
            lambda event: (
                event.sender == self.bot.user_id and plot.kind_of(event) == "noted" and event.relation != "m.replace"
            ),
            plot.PATIENCE_S,
            after=line,
            what=f"the card of what {told} …",
        )

    async def approves(self, card: RoomEvent) -> str:
        """Tap ✅; return the reaction's id."""
        return await self.ida.react(card.room, card.event_id, plot.YES)


@asynccontextmanager
async def alone(version: str, town: Town, folder: Path) -> AsyncIterator[Alone]:
    inventree = OurInvenTree(bare(version, name="Hackbase"))
    bot, friend = [await town.bot(f"{name}-{folder.name.strip('_')}") for name in ("alone", "practice")]
    async with AsyncExitStack() as stack:
        ida = await town.homeserver.register(f"ida-{folder.name.strip('_')}")
        person = await stack.enter_async_context(EncryptedPerson(ida))
        await inventree.start()
        stack.push_async_callback(inventree.stop)
        async with at_a_terminal(folder) as typist:
            await usual_answers(typist, inventree.url, bot, town, inventree.seeded, ida.user_id)
            await all_is_well(typist, folder)
        settings = yaml.safe_load((folder / "config.yaml").read_text())
        quick = settings | {"rules": {**settings.get("rules", {}), "grace_seconds": 1}}
        (folder / "config.yaml").write_text(yaml.safe_dump(quick))
        await person.join(await person.wait_for_invitation(settings["admin_room"]))
        running = BotProcess(folder / "config.yaml", folder / "state", folder / "log")
        stack.push_async_callback(running.stop)
        await running.start()
        yield Alone(inventree, person, bot, friend, running, settings)


async def is_left_as_before(us: Alone, folder: Path, before: dict[str, list[str]]) -> None:
    """`--clean` removes the friend and everything that was created for it."""
    assert everything_in(us.inventree.seeded) != before
    with fedbot(folder, "practice", "--clean") as cleaning:
        await us.signs_in(cleaning)
        assert await cleaning.ends() == Exit.OK, cleaning.screen
    assert "✓ InvenTree is as it was" in cleaning.screen
    assert everything_in(us.inventree.seeded) == before
    for bot, membership in ((us.bot, "join"), (us.friend, "leave")):
        assert (await us.ida.state(us.room, "m.room.member", bot.user_id))["membership"] == membership


@pytest.mark.parametrize(
    ("version", "scenes"),
    [("newest", 2), *(pytest.param(version, 4, marks=pytest.mark.long) for version in ("1.0", "0.17", "0.13"))],
)
async def test_a_pretend_friend_gives_takes_lends_and_leaves_nothing_behind(
    version: str, scenes: int, town: Town, tmp_path: Path
) -> None:
    """It is stopped once and continues."""
    async with alone(version, town, tmp_path) as us:
        seeded, number = us.inventree.seeded, 0
        before = everything_in(seeded)
        for part in (SCENES[:1], SCENES[1:scenes]):
            with fedbot(tmp_path, "practice", "--as", us.friend.user_id) as typist:
                if not number:
                    await us.begins(typist)
                    latest = await us.connects()
                    if is_by_hand(seeded):
                        token = make_account(seeded.server.state, "fed-practice-1", LOOKS)
                        with fedbot(tmp_path, "credentials", "add", "practice-1") as adding:
                            await adding.answers("Token", token)
                            assert await adding.ends() == Exit.OK, adding.screen
                for told in part:
                    latest = await us.gets(typist, told, latest)
                    await us.approves(latest)
                    number += 1
                if number == scenes == len(SCENES):
                    await typist.reads("Now it is your turn")
                typist.presses("\x03")
                assert await typist.ends() == Exit.OK, typist.screen
        await is_left_as_before(us, tmp_path, before)


async def test_a_practice_goes_on_after_the_homeserver_or_inventree_was_away_and_is_removed_afterwards(
    town: Town, tmp_path: Path
) -> None:
    """`--clean` changes nothing without one of them, and says so."""
    async with alone("newest", town, tmp_path) as us:
        before = everything_in(us.inventree.seeded)
        with fedbot(tmp_path, "practice", "--as", us.friend.user_id) as typist:
            await us.begins(typist)
            card = await us.gets(typist, SCENES[0], await us.connects())
            await us.approves(card)
            await town.homeserver.kill()
            await is_told(us.running, "the homeserver has not answered")
            await town.homeserver.start()
            card = await us.gets(typist, SCENES[1], card)
            await us.inventree.stop()
            reaction = await us.approves(card)
            await us.ida.wait_for(
                lambda event: event.relation == "m.thread" and "Please tap again later" in event.body,
                plot.PATIENCE_S,
                after=card,
                what="the word that it didn't count",
            )
            await us.inventree.start()
            await is_well(us.running)
            await us.ida.redact(us.room, reaction)
            await us.approves(card)
            await us.gets(typist, SCENES[2], card)
            await town.homeserver.kill()
            typist.presses("\x03")
            assert await typist.ends() == Exit.OK, typist.screen
        made = everything_in(us.inventree.seeded)
        assert "the homeserver doesn't answer" in await refused(tmp_path, "practice", "--clean")
        assert "the homeserver doesn't answer" in await refused(tmp_path, "practice", "--as", us.friend.user_id)
        await town.homeserver.start()
        await us.inventree.stop()
        assert f"Nothing answers at {us.inventree.url}" in await refused(tmp_path, "practice", "--clean")
        await us.inventree.start()
        assert everything_in(us.inventree.seeded) == made
        await is_left_as_before(us, tmp_path, before)


async def is_told(running: BotProcess, words: str) -> None:
    """Wait until the bot's health names this problem."""

    async def look() -> bool:
        return any(words in problem for problem in ((await running.health()) or {}).get("problems", ()))

    await scene.eventually(look, words)


async def is_well(running: BotProcess) -> None:
    """Wait until the bot reaches its InvenTree again."""

    async def look() -> bool:
        return bool(((await running.health()) or {}).get("inventree"))

    await scene.eventually(look, "InvenTree answers again", 2 * scene.PATIENCE_S)


async def refused(folder: Path, *words: str) -> str:
    """The command fails with one sentence; return it."""
    with fedbot(folder, *words) as typist:
        assert await typist.ends() == Exit.FAILED, typist.screen
    assert "Traceback" not in typist.screen
    return " ".join(typist.screen.split())
