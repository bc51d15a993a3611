"""`backlog_ratio`: catching up on lines from while a bot was offline, over bare matrix-nio reading the same events.

Both read from the same homeserver, in turn. The sync shows only the newest lines; the rest is read back page by page.
Ours stores all of it in its journal, on the disk, and decides each event. nio only creates objects.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import nio

from bench.hops import signed_in
from fedbot.commands.registry import Registry
from fedbot.engine.bot import WallClock
from fedbot.engine.pipeline import Engine
from fedbot.journal.journal import Journal
from fedbot.matrix.client import MatrixChat
from fedbot.matrix.keys import KEYS
from fedbot.matrix.login import Session
from fedbot.messages.language import Locale
from fedbot.messages.markup import render as put_into_html
from fedbot.messages.rendering import render
from fedbot.rules.model.events import Said
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.state import State
from fedbot.rules.wire import Identity, unseal
from fedbot_demo.homeserver import Account, Homeserver
from fedbot_demo.person import Person

_SENDERS = 10
_PAGE = 100
_QUIET: dict[str, Any] = {
    "presence": {"types": []},
    "account_data": {"types": []},
    "room": {"timeline": {"limit": _PAGE}, "ephemeral": {"types": []}, "account_data": {"types": []}},
}


@dataclass(frozen=True)
class Backlog:
    """The seconds that each took, and the number of events that it read each time."""

    ours: list[float]
    bare: list[float]
    events: int

    @property
    def ratio(self) -> float:
        """The median of each round's ratio, because both had the same machine load in that round."""
        return median(mine / theirs for mine, theirs in zip(self.ours, self.bare, strict=True))


async def measure(events: int, rounds: int = 2) -> Backlog:
    """Fill a room with `events` lines while a bot is away; then let both read it `rounds` times, in turn."""
    with tempfile.TemporaryDirectory(prefix="fedbot-bench-") as name:
        folder = Path(name)
        async with Homeserver(folder / "homeserver", default_rate_limits=False) as homeserver:
            late, talker = await homeserver.register("late-bot"), await homeserver.register("talker")
            async with Person(talker) as person, Person(late) as bot:
                room = await person.create_room("Backlog", invite=[late.user_id])
                await bot.join(room)
            before = folder / "before"
            async with _bot(late, room, before) as (engine, chat):
                engine.receive(await chat.sync(None, 0))
                token = engine.journal.token() or ""
            await _talk(talker, room, events)
            await _bare(late, room, token, events)  # so neither is the first to request it from the homeserver
            ours: list[float] = []
            bare: list[float] = []
            for number in range(rounds):
                again = shutil.copytree(before, folder / f"round{number}")
                if number % 2:
                    bare.append(await _bare(late, room, token, events))
                ours.append(await _ours(late, room, again, events))
                if not number % 2:
                    bare.append(await _bare(late, room, token, events))
    return Backlog(ours, bare, events)


async def _talk(talker: Account, room: str, events: int) -> None:
    """Send that number of lines, like people talking to each other."""
    connection = signed_in(talker)
    numbers = iter(range(events))

    async def send() -> None:
        for number in numbers:
            content = {
                "msgtype": "m.text",
                "body": f"{number}: is anybody at the workshop tonight? I bring the laser lens.",
            }
            answer = await connection.room_send(room, "m.room.message", content, tx_id=f"line{number}")
            if not isinstance(answer, nio.RoomSendResponse):
                raise TypeError(f"not sent: {answer}")

    try:
        await asyncio.gather(*(send() for _ in range(_SENDERS)))
    finally:
        await connection.close()


@asynccontextmanager
async def _bot(account: Account, room: str, folder: Path) -> AsyncIterator[tuple[Engine, MatrixChat]]:
    """The parts of a bot that read: its connection, its rules, and its journal in this folder."""
    identity = Identity(bytes(32))
    us = PartyConfig("late", "Late", account.user_id, identity.key, people={}, rooms=(room,))
    locale = Locale(us.language, us.time_zone)
    session = Session(account.homeserver_url, account.user_id, account.device_id, account.access_token)
    chat = await MatrixChat.begin(session, signed_in(account), folder / KEYS)
    try:
        with Journal.open(folder) as journal:
            state = State(us, lambda box, binding: unseal(identity, box, bound_to=binding), identity.nonce, journal)
            engine = Engine(
                journal, state, Registry(), WallClock(), lambda phrase, now: put_into_html(render(phrase, locale, now))
            )
            engine.load()
            yield engine, chat
    finally:
        await chat.close()


async def _ours(account: Account, room: str, folder: Path, events: int) -> float:
    async with _bot(account, room, folder) as (engine, chat):
        started = time.perf_counter()
        batch = await chat.sync(engine.journal.token(), 0)
        engine.receive(batch)
        seconds = time.perf_counter() - started
    read = sum(isinstance(event, Said) for event in batch.events)
    assert read == events, f"read {read} of {events} lines"
    with closing(sqlite3.connect(folder / "journal.db")) as journal:
        ((kept,),) = journal.execute("SELECT count(*) FROM inbox WHERE kind = 'Said'")
    assert kept == 0, f"kept {kept} lines of people's talk"
    return seconds


async def _bare(account: Account, room: str, token: str, events: int) -> float:
    connection = nio.AsyncClient(account.homeserver_url, account.user_id, account.device_id)
    connection.access_token = account.access_token
    try:
        started = time.perf_counter()
        answer = await connection.sync(timeout=0, since=token, sync_filter=_QUIET, full_state=True)
        timeline = answer.rooms.join[room].timeline
        read = {event.event_id for event in timeline.events}
        start = timeline.prev_batch
        while start:
            page = await connection.room_messages(
                room, start=start, end=token, direction=nio.MessageDirection.back, limit=_PAGE
            )
            read.update(event.event_id for event in page.chunk)
            start = page.end if page.chunk else None
        seconds = time.perf_counter() - started
    finally:
        await connection.close()
    assert len(read) == events, f"nio read {len(read)} of {events} events"
    return seconds
