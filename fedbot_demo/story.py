"""`fedbot demo`: two makerspaces use fedbot while the reader watches (docs/demo-transcript.md).

Everything is real but the InvenTrees: a Synapse, two bots as processes, seven people. The demo succeeds only if both
InvenTrees hold the expected stock afterwards.
"""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fedbot_demo.acts import ACTS, SHORT, Act
from fedbot_demo.bot_process import BotEndedError
from fedbot_demo.checks import Check
from fedbot_demo.homeserver import HomeserverError
from fedbot_demo.inventree.process import NotReadyError
from fedbot_demo.inventree.versions import RECORDED
from fedbot_demo.narrator import Narrator
from fedbot_demo.performance import Performance
from fedbot_demo.plot import OffScriptError
from fedbot_demo.stage import ROOM_NAME, InvenTrees, Space, Stage

OK, DIFFERS, INTERRUPTED = 0, 1, 130
#: The transcript in a use case's page, between the text that people wrote.
_TRANSCRIPT = re.compile(r"(?<=^```text\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Wishes:
    """The options of a performance.

    `fast`: no pauses for reading, a short grace, and a homeserver without limits. `keep`: leave everything running at
    the end, with pages and logins, until Ctrl-C. `all_acts`: also play those that `make demo` leaves out.
    `transcript`: a file for the transcript. `pages`: a folder with a page for each act, whose transcripts and pictures
    are replaced. `versions`: those of Attraktor's and Betaspace's InvenTrees, of `versions.RECORDED`.
    """

    fast: bool = False
    keep: bool = False
    all_acts: bool = False
    transcript: Path | None = None
    pages: Path | None = None
    versions: tuple[str, str] = ("newest", "newest")

    @property
    def acts(self) -> tuple[Act, ...]:
        """The acts to play."""
        return tuple(act for act in ACTS if self.all_acts or act.name in SHORT)


def versions_of(text: str) -> tuple[str, str]:
    """Parse `1.0,newest` into the versions of Attraktor's and Betaspace's InvenTrees; a single one counts for both.

    Raises:
        ValueError: It isn't one or two of the recorded versions. The message names them.
    """
    found = [each.strip() for each in text.split(",")]
    if len(found) > 2 or not set(found) <= set(RECORDED):  # noqa: PLR2004  as many as there are spaces
        raise ValueError(f"{text}: name one or two of {', '.join(RECORDED)}, such as 1.0,newest")
    return found[0], found[-1]


def play(wishes: Wishes) -> int:
    """Play it on this terminal; return the exit code: 0 if all checks pass, 1 if not, 130 if interrupted."""
    try:
        return asyncio.run(_interruptible(Story(wishes)))
    except (BotEndedError, HomeserverError, NotReadyError, TimeoutError) as error:
        print(f"The stage could not be built: {error}", file=sys.stderr)
        return DIFFERS
    except asyncio.CancelledError:
        print("\nStopped. Nothing is left running.", file=sys.stderr)
        return INTERRUPTED


async def _interruptible(story: Story) -> int:
    """Run it; Ctrl-C, SIGTERM and a closed terminal end it in order at any time."""
    task = asyncio.ensure_future(story.run())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


def rules_of(wishes: Wishes) -> dict[str, Any]:
    """The bots' rules. Nights are not quiet, because a demo played at night must not wait for the morning."""
    return {"grace_seconds": 1.0 if wishes.fast else 5.0, "quiet_from": "00:00", "quiet_until": "00:00"}


class Story:
    """One performance, from an empty stage to the summary."""

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes
        self._checks: list[Check] = []
        self._told: dict[str, str] = {}

    async def run(self) -> int:
        """Play, print and check; return the exit code."""
        print("Building the stage: a Matrix homeserver, simulated InvenTrees, bots. A few seconds…", flush=True)
        versions = self._wishes.versions
        stage = Stage(
            inventrees=InvenTrees(versions=versions),
            rules=rules_of(self._wishes),
            third=self._wishes.all_acts,
            default_rate_limits=self._wishes.all_acts and not self._wishes.fast,
            pages=self._wishes.keep,
        )
        async with stage:
            performance = Performance(stage, Narrator(_names(stage)), self._wishes.fast)
            good = await self._perform(performance)
            self._write(performance)
            if self._wishes.fast:
                print(f"At reading pace (without --fast) it takes {performance.reading_s:.0f} s longer.")
            if not self._wishes.keep:
                print("To type yourself: make demo ARGS=--keep · every use case: make demo ARGS=--all")
            if self._wishes.keep:
                _tell_logins(stage)
                await _until_stopped()
        if self._wishes.keep:
            print("\nStopped. Nothing is left running.", flush=True)
        return OK if good else DIFFERS

    async def _perform(self, performance: Performance) -> bool:
        """Play the acts, printed as Kim sees them. Return False also if a bot leaves the script."""
        stage, narrator = performance.stage, performance.narrator
        telling = asyncio.ensure_future(narrator.follow(stage.people["kim"], stage.room, since=0))
        playing = asyncio.ensure_future(self._play(performance))
        try:
            await asyncio.wait({telling, playing}, return_when=asyncio.FIRST_COMPLETED)
            if telling.done():
                telling.result()  # it only ends by an error
            await playing
        except (OffScriptError, TimeoutError) as error:
            narrator.title("The story went wrong")
            narrator.line(str(error))
            for space in stage.spaces:
                print(f"\n--- the end of {space.bot.log}:\n{space.bot.log_tail()}", file=narrator.out)
            return False
        finally:
            await _end(telling, playing)
        return self._summary(narrator)

    async def _play(self, performance: Performance) -> None:
        stage, narrator = performance.stage, performance.narrator
        narrator.title(f"The room “Makerspaces”, as {_names(stage)[stage.people['kim'].user_id]} sees it")
        legend = (
            "Each bot announces its space. Clients don't show lines that begin with 📣, ⚙ or 🔑: bots read them.",
            "✎ is an edit of an earlier message. The four characters at the end of a card are its code.",
        )
        for line in legend:
            narrator.lines(line, "2")
        await performance.pause(40)
        for number, act in enumerate(self._wishes.acts, start=1):
            narrator.title(f"{number}. {act.title}")
            begun = len(narrator.told)
            self._checks += await act.play(performance)
            await narrator.is_quiet()
            self._told[act.name] = "\n".join(narrator.told[begun:]).strip()

    def _summary(self, narrator: Narrator) -> bool:
        """Print each check; return whether all pass."""
        narrator.title("Summary, checked against both inventories")
        for check in self._checks:
            narrator.line(f"{'✓' if check.good else '✗'} {check.what}", "32" if check.good else "31")
            if not check.good:
                narrator.line(f"    but: {check.found}")
        bad = [check for check in self._checks if not check.good]
        narrator.line("")
        if bad:
            narrator.line(f"{len(bad)} of {len(self._checks)} differ from what should be.", "31")
        else:
            narrator.line(f"All {len(self._checks)} are as they should be.", "32")
        return not bad

    def _write(self, performance: Performance) -> None:
        """Write the transcript to the files that were asked for."""
        if self._wishes.transcript is not None:
            told = "\n".join(performance.narrator.told).strip()
            self._wishes.transcript.write_text(
                "# The demo\n\n"
                "For people who want to see fedbot before they try it: the whole output of `fedbot demo`, from one\n"
                f"run with a real homeserver, bots as processes and simulated InvenTrees.\n\n```text\n{told}\n```\n",
                encoding="utf-8",
            )
        if self._wishes.pages is not None:
            for name, told in self._told.items():
                page = self._wishes.pages / f"{name}.md"
                text = page.read_text(encoding="utf-8")
                page.write_text(_TRANSCRIPT.sub(lambda _, told=told: f"{told}\n", text), encoding="utf-8")  # type: ignore[misc]
            for name, content in performance.pictures.items():
                (self._wishes.pages / name).write_bytes(content)


async def _until_stopped() -> None:
    """Wait for Ctrl-C, which is the proper end of a demo with `keep`."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.uncancel():
            raise


def _tell_logins(stage: Stage) -> None:
    """Print logins to the terminal only, because passwords belong in no transcript."""
    print(f"\nAll of it keeps running until Ctrl-C, in {stage.folder}\n\nMatrix: {stage.homeserver.url}")
    print(f"  The room: {ROOM_NAME} ({stage.room})")
    print("  Element (desktop, or app.element.io): Sign in → Edit the homeserver → that address, name, password.")
    print("  Any other client works too; no registration, no encryption. Then try: !fed help")
    may = {name: who for space in stage.spaces for name, who in _what_they_may(space).items()}
    for name, account in stage.accounts.items():
        if name in stage.people:
            print(f"  {account.user_id:<24} {account.password:<24} {may[name]}")
    for space in stage.spaces:
        print(f"\n{space.name}'s pages: {space.pages_url}")
        print(f"  Sign in: {_how_to_sign_in(space)}")
        print(f"{space.name}'s InvenTree (simulated): {space.inventree.url}  – that page shows all stock")
        print(f"  API token of admin: {space.inventree.tokens['admin']}")
        for name in space.cast.people:
            print(f"  {name:<24} {space.inventree.passwords[name]}")
        print(f"  its bot's settings: {space.bot.config}, log: {space.bot.log}")
    sys.stdout.flush()  # show them at once to a reader at a pipe, not only at the end


def _how_to_sign_in(space: Space) -> str:
    line = f"the page shows a line; send it to {space.account.user_id} in a direct chat"
    has_login = space.settings["pages"]["inventree_login"]
    return f"with a name and password of its InvenTree, below; or {line}" if has_login else line


def _what_they_may(space: Space) -> dict[str, str]:
    """The permissions of the space's people by name; the first one is the superuser."""
    superuser, *others = space.cast.people
    may = {superuser: f"superuser of {space.name}: approves, connects"}
    for name in others:
        is_approver = name in space.cast.approvers
        may[name] = f"approver of {space.name}" if is_approver else f"of {space.name}: can request"
    return may


def _names(stage: Stage) -> dict[str, str]:
    """The display names of everybody in the room."""
    people = {person.user_id: name.capitalize() for name, person in stage.people.items()}
    return people | {space.account.user_id: f"{space.name} bot" for space in stage.spaces}


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
