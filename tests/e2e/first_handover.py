"""From `fedbot init` to the first item booked in, counted and timed: a test, and `python -m tests.e2e` by hand.

Hanna sets up Hackbase's bot at a terminal, starts it, and connects in chat with Betaspace, whose bot already runs (its
InvenTree is simulated). Bea gives 25 washers, and Hanna approves.
"""

from __future__ import annotations

import asyncio
import os
import stat
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import yaml

from fedbot.cli.exits import Exit
from fedbot_demo import plot
from fedbot_demo.bot_process import BotProcess
from fedbot_demo.homeserver import Account, Homeserver
from fedbot_demo.inventree import seeds
from fedbot_demo.inventree.seeding import Seeded
from fedbot_demo.inventree.server import Serving, serve
from fedbot_demo.person import Person
from fedbot_demo.room_event import RoomEvent
from fedbot_demo.stage import Stage
from fedbot_demo.stocktake import Stocktake
from tests.setup.terminal import AT_ONCE, Pace, Typist, fedbot

MOST_QUESTIONS = 8
CALL_S = 60.0
"""The time that two superusers need to compare the seven emoji on the phone."""
HAND_OVER = "!fed push 25 W-M3 to hackbase"


@dataclass(frozen=True)
class Ours:
    """Hackbase's InvenTree: its address, and its superuser hanna."""

    url: str
    password: str


@dataclass(frozen=True)
class Took:
    """The result: the number of questions, and the seconds until the end of init and until the item was booked in."""

    questions: int
    init_s: float
    all_s: float


async def first_handover(
    homeserver: Homeserver, hanna: Person, bea: Person, ours: Ours, folder: Path, *, pace: Pace = AT_ONCE
) -> Took:
    """The whole story; `pace` is Hanna's speed. The settings are in `folder`/hackbase at the end."""
    room = await hanna.create_room("Lending", invite=[bea.user_id])
    await bea.join(room)
    bots = [await homeserver.register(name) for name in ("hackbase-bot", "betaspace-bot")]
    async with AsyncExitStack() as stack:
        friends = seeds.beta()
        theirs = await stack.enter_async_context(serve(Serving(friends.server)))
        await bea.invite(room, bots[1].user_id)
        write_answers(folder / "betaspace", theirs.url, f"{bots[1].user_id} {homeserver.url}", bots[1])
        await made_by_answers(folder / "betaspace", friends)
        await bea.join(await bea.wait_for_invitation())
        await _running(folder / "betaspace", stack)
        await _announced(hanna, bots[1])

        began = time.monotonic()
        typist = await _set_up(folder / "hackbase", ours, homeserver, bots[0], hanna, room, pace)
        init_s = time.monotonic() - began
        await pace.types("fedbot run")
        await _running(folder / "hackbase", stack)
        newcomer = await _announced(hanna, bots[0])
        await _announced(hanna, bots[1], after=newcomer)  # the bot that came first announces itself again to a new one
        await _connected_and_given(room, hanna, bea, bots, pace)
        all_s = time.monotonic() - began
    return Took(typist.questions, init_s, all_s)


async def _set_up(
    folder: Path, ours: Ours, homeserver: Homeserver, bot: Account, hanna: Person, room: str, pace: Pace
) -> Typist:
    await asyncio.to_thread(folder.mkdir)
    with fedbot(folder, "init", pace=pace) as typist:
        await typist.answers(r"\[1/8\]", f"{ours.url}/web/home")
        await typist.answers(r"\[2/8\]", "hanna")
        await typist.answers("Password of hanna", ours.password)
        await typist.answers(r"\[3/8\]", "Hackbase e.V.")
        await typist.answers(r"\[4/8\]", f"{bot.user_id} {homeserver.url}")
        await typist.answers("password", bot.password)
        await typist.reads(r"\[5/8\]")
        await pace.types(f"/invite {bot.user_id}")
        await hanna.invite(room, bot.user_id)
        typist.types("")
        for number in (6, 7, 8):
            await typist.answers(rf"\[{number}/8\]", "")
        await all_is_well(typist, folder)
        await pace.reads(typist.screen.partition("Now I check everything:")[2])
    return typist


async def _running(folder: Path, stack: AsyncExitStack) -> None:
    bot = BotProcess(folder / "config.yaml", folder / "state", folder / "log")
    stack.push_async_callback(bot.stop)
    await bot.start()


async def _announced(person: Person, bot: Account, after: RoomEvent | None = None) -> RoomEvent:
    return await person.wait_for(
        lambda event: event.sender == bot.user_id and plot.kind_of(event) == "announce",
        plot.PATIENCE_S,
        after=after,
        what=f"the announcement of {bot.user_id}",
    )


async def _connected_and_given(room: str, hanna: Person, bea: Person, bots: list[Account], pace: Pace) -> None:
    hackbase, betaspace = (
        SimpleNamespace(party=party, name=party, superuser=person, account=account)
        for party, person, account in zip(("hackbase", "betaspace"), (hanna, bea), bots, strict=True)
    )
    # Betaspace gives here, which is Attraktor's part in the demo
    stage = cast("Stage", SimpleNamespace(room=room, attraktor=betaspace, betaspace=hackbase))

    async def reads(event: RoomEvent) -> None:
        await pace.reads(event.body)

    await pace.types("!fed spaces")
    assert "betaspace" in (await plot.answer_to(stage, hanna, "!fed spaces")).body.casefold()
    await pace.types("!fed connect betaspace")
    card = await plot.ask_to_connect(stage, cast("Any", hackbase), cast("Any", betaspace))
    await reads(card)
    await pace.waits(CALL_S)
    await bea.react(room, card.event_id, plot.YES)
    await reads(await plot.connected(stage, card, cast("Any", hackbase), cast("Any", betaspace)))
    await pace.types(HAND_OVER)
    offer = await plot.offer(stage, bea, HAND_OVER, seen_by=hanna)
    await reads(offer.card)
    await hanna.react(room, offer.card.event_id, plot.YES)
    await reads(await plot.ended(stage, bea, offer.transfer, "done"))


async def all_is_well(typist: Typist, folder: Path) -> None:
    """Init ends with a check that finds no fault, after eight questions, and secrets are readable only
    by their owner.
    """
    assert await typist.ends() == Exit.OK, typist.screen
    assert typist.questions <= MOST_QUESTIONS
    assert "✗" not in typist.screen.partition("Now I check everything:")[2]
    for file in (folder / "config.yaml", *(folder / "secrets").iterdir()):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_text().strip() not in typist.screen


def write_answers(folder: Path, url: str, bot: str, account: Account, superuser: str = "bea") -> None:
    """Write a file of answers for a bot whose account exists."""
    folder.mkdir()
    (folder / "password").write_text(f"{account.password}\n")
    answers = {
        "inventree": url,
        "superuser": superuser,
        "superuser_password": "${BEA}",
        "name": "Betaspace",
        "bot": bot,
        "bot_password_file": "password",
        "keep_superuser": True,
    }
    (folder / "answers.yaml").write_text(yaml.safe_dump(answers))


async def made_by_answers(folder: Path, seeded: Seeded) -> None:
    """Run init without a terminal, twice: the second time there is nothing left to do."""
    with fedbot(folder, "init", "--answers", "answers.yaml", "--dry-run", BEA=seeded.passwords["bea"]) as script:
        assert await script.ends() == Exit.OK, script.screen
    assert "That was a dry run" in script.screen
    assert sorted(os.listdir(folder)) == ["answers.yaml", "password"]  # noqa: PTH208 -- nothing async needs it
    written = []
    for again in (False, True):
        with fedbot(folder, "init", "--answers", "answers.yaml", BEA=seeded.passwords["bea"]) as script:
            assert await script.ends() == Exit.OK, script.screen
        for where in ("In InvenTree", "In Matrix", "On this machine"):
            assert (f"{where}:\n  • nothing: everything is there already" in script.screen) == again, where
        written.append((folder / "config.yaml").read_text())
    assert written[0] == written[1]
    settings = yaml.safe_load(written[0])
    assert (list(settings["people"].values()), settings.get("admins")) == (["bea"], None)


async def came_to(url: str, token: str) -> None:
    """Wait until that InvenTree holds the 25 washers, and nothing else of them."""
    async with Stocktake(url, token) as stocktake:
        [item] = await stocktake.items("W-M3")
    assert (item.quantity, item.part) == (Decimal(25), "Washer M3")
