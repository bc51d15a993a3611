"""Helpers of the end-to-end tests: read journals, secrets and messages, and wait for a state."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from fedbot.cli.exits import Exit
from fedbot.journal.database import Address
from fedbot.journal.server import connect
from fedbot_demo import plot
from fedbot_demo.checks import in_stock
from fedbot_demo.room_event import RoomEvent
from fedbot_demo.stage import Space, Stage

PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.1

T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T]], what: str, timeout: float | None = None) -> T:
    """Wait until `look` returns something true, at most `timeout` seconds (`PATIENCE_S`); return that."""
    timeout = PATIENCE_S if timeout is None else timeout
    deadline = time.monotonic() + timeout
    while not (found := await look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        await asyncio.sleep(_LOOK_EVERY_S)
    return found


def _rows(space: Space, query: str) -> list[tuple[Any, ...]]:
    """Rows from the bot's journal, whether the bot runs or not."""
    if kept := space.settings.get("journal"):
        with connect(Address(kept["url"], space.party)) as database:
            return database.execute(query.encode()).fetchall()
    with closing(sqlite3.connect(f"file:{space.folder}/state/journal.db?mode=ro", uri=True)) as journal:
        return journal.execute(query).fetchall()


def unsent(space: Space) -> int:
    """The number of effects that the bot hasn't done yet."""
    ((count,),) = _rows(space, "SELECT count(*) FROM outbox WHERE state IN ('queued', 'acting')")
    return int(count)


def waits_for_the_peer(space: Space, kind: str) -> list[str]:
    """The `Transfer`s or `Connection`s whose last message the bot would send again, because there is no answer."""
    rows = _rows(space, f"SELECT id, payload FROM all_documents WHERE kind = '{kind}'")  # noqa: S608 -- ours
    return [identifier for identifier, payload in rows if json.loads(payload)["exchange"]["awaiting"]]


def state_of(space: Space, transfer: str) -> str:
    """The transfer's state in the bot's journal; '' if it doesn't know it."""
    rows = _rows(space, f"SELECT payload FROM all_documents WHERE kind = 'Transfer' AND id = '{transfer}'")  # noqa: S608 -- ours
    return next((json.loads(payload)["state"] for (payload,) in rows), "")


async def at_rest(stage: Stage) -> None:
    """Wait until both bots have nothing left to do."""

    async def look() -> bool:
        return not any(unsent(space) for space in stage.spaces)

    await eventually(look, "both bots at rest")


async def keys_are_compared(stage: Stage, space: Space) -> None:
    """After a rebuild of `space`: its superuser types the friend's key, and the friendship goes on."""
    listed = await plot.answer_to(stage, space.superuser, "!fed review")
    (key,) = re.findall(r"\b(?:[a-z0-9]{4}-){4}[a-z0-9]{4}\b", listed.body)
    friend = next(each for each in stage.spaces if each is not space)
    said = await plot.answer_to(stage, space.superuser, f"!fed review {friend.party} accept {key}")
    assert "continues by itself" in said.body, said.body


async def connect_unlimited(stage: Stage) -> None:
    """Connect, and lift the homeserver's limits, for tests about something else."""
    await lift_limits(stage)
    await plot.connect(stage)
    await at_rest(stage)


async def lift_limits(stage: Stage) -> None:
    """Let bots and people send without limits."""
    for account in _accounts(stage):
        await stage.homeserver.lift_rate_limit(account)


async def restore_limits(stage: Stage) -> None:
    """Restore the homeserver's default limits for everybody."""
    for account in _accounts(stage):
        await stage.homeserver.restore_rate_limit(account)


def _accounts(stage: Stage) -> list[str]:
    people = (person.user_id for person in stage.people.values())
    return [*(space.account.user_id for space in stage.spaces), *people]


async def amounts(stage: Stage, ipn: str) -> tuple[Decimal, Decimal]:
    """The quantity of a part that both have in stock."""
    found = []
    for space in stage.spaces:
        async with space.stocktake() as stocktake:
            found.append(in_stock(await stocktake.items(), ipn))
    return found[0], found[1]


def by_account(events: Iterable[RoomEvent], stage: Stage) -> Counter[str]:
    """The number of events that each bot has sent."""
    bots = {space.account.user_id: space.party for space in stage.spaces}
    return Counter(bots[event.sender] for event in events if event.sender in bots)


async def fedbot(space: Space, *words: str) -> str:
    """Run a command for this space, which must succeed; return its output."""
    command = [sys.executable, "-m", "fedbot", *words, "--config", str(space.folder / "config.yaml")]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=space.folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode == Exit.OK, said.decode()
    return said.decode()


async def is_done(stage: Stage, ipn: str, before: tuple[Decimal, Decimal], offer: plot.Offer, quantity: int) -> None:
    """Both sides say that it is done, and it moved once."""

    async def look() -> bool:
        states = [state_of(space, offer.transfer) for space in stage.pair]
        return states == ["done", "done"]

    await eventually(look, f"{offer.transfer} to be done on both sides")
    await at_rest(stage)
    assert await amounts(stage, ipn) == (before[0] - quantity, before[1] + quantity)
    for space in stage.spaces:
        async with space.stocktake() as stocktake:
            items = await stocktake.items(ipn)
            marked = [item for item in items for e in await stocktake.history(item.pk) if offer.transfer in e.notes]
        assert len({item.pk for item in marked} - {items[0].pk}) == 1, f"{space.name} moved it more than once"


async def said_in(stage: Stage, room: str) -> list[RoomEvent]:
    """The messages of a room, oldest first, as its homeserver has them."""
    reader = next(person for person in stage.people.values() if room in person.rooms)
    return [event for event in await reader.messages(room) if event.type == "m.room.message"]


async def admins_read(space: Space, *words: str) -> RoomEvent:
    """Wait for a message of the bot in its admin room that contains all these words."""
    return await space.superuser.wait_for(
        lambda event: (
            event.room == space.admin_room
            and event.sender == space.account.user_id
            and all(word in event.body.lower() for word in words)
        ),
        PATIENCE_S,
        what=f"{words} in {space.name}'s admin room",
    )


@dataclass(frozen=True)
class Trap:
    """A fault that waits for its request at a space's InvenTree."""

    space: Space
    met_before: int

    async def is_sprung(self) -> None:
        """Wait until a request has met it."""

        async def look() -> bool:
            return await _faults_met(self.space) > self.met_before

        await eventually(look, f"a request to {self.space.name}'s InvenTree that meets the fault")


async def set_trap(space: Space, kind: str, method: str, path: str, seconds: float = 0.0) -> Trap:
    """Let the next such request to the space's InvenTree meet this fault."""
    trap = Trap(space, await _faults_met(space))
    fault = {"kind": kind, "method": method, "path": path, "seconds": seconds}
    await asyncio.to_thread(space.inventree.control, "POST", "faults/", fault)
    return trap


async def _faults_met(space: Space) -> int:
    answer = await asyncio.to_thread(space.inventree.control, "GET", "faults/")
    if not isinstance(answer, dict):
        raise TypeError(answer)
    return int(answer["hits"])


def secrets_of(stage: Stage) -> dict[str, str]:
    """Every secret of both bots by its place, in the settings' files and the identity folders."""
    found: dict[str, str] = {}
    for space in stage.spaces:
        for name in ("matrix-password", "inventree-token", "inventree-admin-token"):
            found[f"{space.party}/{name}"] = (space.folder / name).read_text().strip()
        identity = space.folder / "state" / "identity"
        for path in sorted(path for path in identity.rglob("*") if path.is_file()):
            name = f"{space.party}/{path.relative_to(identity)}"
            if path.name in ("matrix.json", "matrix-earlier.json"):
                found[name] = json.loads(path.read_text())["token"]
            elif path.name == "cross-signing.json":
                found |= {f"{name} {purpose}": seed for purpose, seed in json.loads(path.read_text()).items()}
            elif path.suffix in (".key", ".secret"):
                found[name] = path.read_text().strip()
    return found


def files_with(secret: str, folder: Path) -> list[Path]:
    """The files in a folder (with journals and their write-ahead logs) that hold the secret in clear."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_socket() and secret.encode() in path.read_bytes()
    ]
