"""`fedbot demo`: two makerspaces connect and hand over an item by one tap, before one's eyes (docs/demo-transcript.md).

Everything is real but the InvenTrees: a Synapse, two bots as processes, seven people. It ends well only if both
inventories hold, by their own word, what they should.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from fedbot.demo import plot
from fedbot.demo.bot_process import BotEndedError
from fedbot.demo.checks import (
    Check,
    Handover,
    check_access,
    check_receiver,
    check_sender,
    in_stock,
    new_items,
    shown,
)
from fedbot.demo.homeserver import HomeserverError
from fedbot.demo.inventree.process import NotReadyError
from fedbot.demo.narrator import Narrator
from fedbot.demo.stage import Space, Stage
from fedbot.demo.stocktake import StockItem

IPN = "RES-10K"
QUANTITY = Decimal(50)
PUSH = f'!fed push {QUANTITY} {IPN} to betaspace --note "for your soldering course on Saturday"'
#: Reading speed: what a person needs for a message, in seconds, at least and per character.
_READ_AT_LEAST_S = 2.0
_READ_PER_CHARACTER_S = 0.03
_READ_AT_MOST_S = 12.0
_PUT_AWAY_WITHIN_S = 20.0
_LOOK_EVERY_S = 0.2
OK, DIFFERS, INTERRUPTED = 0, 1, 130


def play(*, fast: bool, keep: bool, transcript: Path | None = None) -> int:
    """Play it on this terminal; returns the exit code: 0 if all is as it should be, 1 if not, 130 if interrupted.

    Args:
        fast: No pauses for reading, and a short grace.
        keep: In the end leave everything running, with logins, until Ctrl-C.
        transcript: Also write what was told into this file.
    """
    try:
        return asyncio.run(_interruptible(Story(fast=fast, keep=keep, transcript=transcript)))
    except (BotEndedError, HomeserverError, NotReadyError, TimeoutError) as error:
        print(f"The stage could not be built: {error}", file=sys.stderr)
        return DIFFERS
    except asyncio.CancelledError:
        print("\nStopped. Nothing is left running.", file=sys.stderr)
        return INTERRUPTED


async def _interruptible(story: Story) -> int:
    """Ctrl-C, a polite kill and a closed terminal all end it in order, wherever it is."""
    task = asyncio.ensure_future(story.run())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


class Story:
    """One performance."""

    def __init__(self, *, fast: bool, keep: bool, transcript: Path | None) -> None:
        self._fast = fast
        self._keep = keep
        self._transcript = transcript
        self._narrator = Narrator({})

    async def run(self) -> int:
        """From an empty stage to the summary; the exit code."""
        print("Building the stage: a Matrix homeserver, two InvenTrees (simulated), two bots. A few seconds…")
        rules = {"grace_seconds": 1.0 if self._fast else 5.0}
        async with Stage(access="direct", rules=rules) as stage:
            good = await self._performance(stage)
            if self._transcript is not None:
                self._write_transcript(self._transcript)
            if self._keep:
                self._tell_logins(stage)
                await _for_ever()
        return OK if good else DIFFERS

    async def _performance(self, stage: Stage) -> bool:
        """The acts, told as Kim sees them; False too when a bot leaves the script."""
        self._narrator = Narrator(_names(stage))
        telling = asyncio.ensure_future(self._narrator.follow(stage.people["kim"], stage.room, since=0))
        playing = asyncio.ensure_future(self._play(stage))
        try:
            await asyncio.wait({telling, playing}, return_when=asyncio.FIRST_COMPLETED)
            if telling.done():
                telling.result()  # it never ends well by itself
            return await playing
        except (plot.OffScriptError, TimeoutError) as error:
            self._narrator.title("The story went wrong")
            print(f"{error}", file=self._narrator.out)
            for space in stage.spaces:
                print(f"\n--- the end of {space.bot.log}:\n{space.bot.log_tail()}", file=self._narrator.out)
            return False
        finally:
            await _end(telling, playing)

    async def _play(self, stage: Stage) -> bool:
        tell = self._narrator
        tell.title(f"The room “Makerspaces”, as {_names(stage)[stage.people['kim'].user_id]} sees it")
        tell.lines("Each bot announces its space. A line that begins with ⚙ or 🔑 no client shows.", "2")
        await self._pause(40)
        await self._connect(stage)
        before = await self._inventories(stage, "Before: what both InvenTrees say of " + IPN)
        handover = await self._push(stage)
        await self._put_away(stage, before[1])
        await self._inventories(stage, "After: what both InvenTrees say of " + IPN, before)
        return await self._summary(stage, handover, before)

    # --- the acts

    async def _connect(self, stage: Stage) -> None:
        self._narrator.title("1. They connect: a superuser asks, a superuser of the other space taps ✅")
        card = await plot.ask_to_connect(stage)
        await self._told_and_read(card.event_id, card.body)
        tapped = await stage.betaspace.superuser.react(stage.room, card.event_id, plot.YES)
        await self._narrator.has_told(tapped)
        word = await plot.connected(stage, card)
        await self._told_and_read(word.event_id, word.body)

    async def _push(self, stage: Stage) -> Handover:
        self._narrator.title("2. A push: one line, one tap")
        asker, approver = stage.people["piet"], stage.people["cem"]
        offer = await plot.offer(stage, asker, PUSH, seen_by=approver)
        await self._told_and_read(offer.card.event_id, offer.card.body)
        tapped = await approver.react(stage.room, offer.card.event_id, plot.YES)
        await self._narrator.has_told(tapped)
        end = await plot.ended(stage, asker, offer.transfer, "done", "aborted", "reverted", "disputed")
        await self._told_and_read(end.event_id, end.body)
        return Handover(IPN, QUANTITY, "Piet", "Cem", offer.transfer, offer.card.event_id)

    async def _put_away(self, stage: Stage, before: Sequence[StockItem]) -> None:
        """The end is told when the item is booked in; where it belongs it is put right after that."""
        async with stage.betaspace.stocktake() as stocktake:
            loop = asyncio.get_running_loop()
            deadline = loop.time() + _PUT_AWAY_WITHIN_S
            while loop.time() < deadline:
                new = new_items(before, await stocktake.items())
                if new and all(item.place == stage.betaspace.cast.destination for item in new):
                    return
                await asyncio.sleep(_LOOK_EVERY_S)

    async def _summary(self, stage: Stage, handover: Handover, before: Sequence[Sequence[StockItem]]) -> bool:
        """Tell each check; whether all are good."""
        attraktor, betaspace = stage.spaces
        checks = [
            *await check_sender(attraktor, betaspace, handover, before[0]),
            *await check_receiver(betaspace, attraktor, handover, before[1]),
            *await check_access(attraktor, betaspace),
            *await check_access(betaspace, attraktor),
        ]
        self._narrator.title("Summary, checked against both inventories")
        for check in checks:
            self._tell_check(check)
        bad = [check for check in checks if not check.good]
        self._narrator.line("")
        if bad:
            self._narrator.line(f"{len(bad)} of {len(checks)} differ from what should be.", "31")
        else:
            self._narrator.line(f"All {len(checks)} are as they should be.", "32")
        return not bad

    def _tell_check(self, check: Check) -> None:
        self._narrator.line(f"{'✓' if check.good else '✗'} {check.what}", "32" if check.good else "31")
        if not check.good:
            self._narrator.line(f"    but: {check.found}")

    # --- telling

    async def _inventories(
        self, stage: Stage, title: str, before: Sequence[Sequence[StockItem]] = ()
    ) -> tuple[list[StockItem], list[StockItem]]:
        """Ask both InvenTrees, tell what they say of the part; all that they hold."""
        self._narrator.title(title)
        found = []
        for number, space in enumerate(stage.spaces):
            async with space.stocktake() as stocktake:
                items = await stocktake.items()
                found.append(items)
                self._tell_stock(space, items)
                if before:
                    for item in new_items(before[number], items):
                        self._narrator.line(f"    history of #{item.pk}:", "2")
                        for entry in await stocktake.history(item.pk):
                            said = f" – {entry.notes}" if entry.notes else ""
                            self._narrator.line(f"      {entry.label}, by {entry.user}{said}", "2")
        await self._pause(160)
        return found[0], found[1]

    def _tell_stock(self, space: Space, items: Sequence[StockItem]) -> None:
        total = shown(in_stock(items, IPN))
        self._narrator.line(f"{space.name} ({space.inventree.url}): {total} in stock", "1")
        for item in items:
            if item.ipn == IPN:
                where = item.place or f"with customer {item.customer}"
                self._narrator.line(f"  #{item.pk:<4} {item.part:<22} {shown(item.quantity):>6}  {where}")

    def _tell_logins(self, stage: Stage) -> None:
        """Straight to the terminal: passwords belong in no transcript."""
        print(f"\nAll of it keeps running until Ctrl-C, in {stage.folder}\n\nMatrix: {stage.homeserver.url}")
        print("  Element (desktop, or app.element.io): Sign in → Edit the homeserver → that address, name, password.")
        print("  Any other client works too; no registration, no encryption. Then try: !fed help")
        for name, account in stage.accounts.items():
            if name in stage.people:
                print(f"  {account.user_id:<24} {account.password}")
        for space in stage.spaces:
            print(f"\n{space.name}'s InvenTree (simulated): {space.inventree.url}  – that page shows all stock")
            print(f"  API token of admin: {space.inventree.tokens['admin']}")
            for name in space.cast.people:
                print(f"  {name:<24} {space.inventree.passwords[name]}")
            print(f"  its bot's settings: {space.bot.config}, log: {space.bot.log}")

    async def _told_and_read(self, event_id: str, text: str) -> None:
        await self._narrator.has_told(event_id)
        await self._pause(len(text))

    async def _pause(self, characters: int) -> None:
        """As long as a person takes to read so much."""
        if not self._fast:
            seconds = _READ_AT_LEAST_S + characters * _READ_PER_CHARACTER_S
            await asyncio.sleep(min(seconds, _READ_AT_MOST_S))

    def _write_transcript(self, path: Path) -> None:
        told = "\n".join(self._narrator.told).strip()
        path.write_text(
            "# What `fedbot demo` shows\n\n"
            "Written by `fedbot demo --transcript`, from one run: a real homeserver, two bots in two processes, two\n"
            f"simulated InvenTrees.\n\n```text\n{told}\n```\n",
            encoding="utf-8",
        )


def _names(stage: Stage) -> dict[str, str]:
    """How the room calls everybody."""
    people = {person.user_id: name.capitalize() for name, person in stage.people.items()}
    return people | {space.account.user_id: f"{space.name} bot" for space in stage.spaces}


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def _for_ever() -> None:
    await asyncio.Event().wait()
