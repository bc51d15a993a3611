"""Checks at the end of every story: messages, the vaults' content, the histories in InvenTree."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from fedbot.files import within
from fedbot.identity import SECRETS_FOLDER
from fedbot_demo.plot import envelope_of
from fedbot_demo.room_event import RoomEvent
from fedbot_demo.stocktake import StockItem
from tests.crash.pair import NotRight, Pair, Party


def must(holds: object, what: str) -> None:
    """Fail unless the invariant holds."""
    if not holds:
        raise NotRight(what)


async def said(pair: Pair) -> list[RoomEvent]:
    """The bots' new messages in the room without edits. Fail if a text appears twice."""
    bots = {party.account.user_id for party in pair.parties}
    timeline = [
        event
        for event in await pair.give.person.messages(pair.room)
        if event.sender in bots and event.type == "m.room.message" and event.relation != "m.replace"
    ]
    twice = [body for body, count in Counter((e.sender, e.body, e.replies_to) for e in timeline).items() if count > 1]
    must(not twice, f"said twice: {twice}")
    return timeline


def of_kind(timeline: list[RoomEvent], kind: str) -> int:
    """The number of messages with an envelope of that kind."""
    return sum(envelope_of(event).get("kind") == kind for event in timeline)


def answers_to(timeline: list[RoomEvent], line: str) -> list[RoomEvent]:
    """The replies to a person's line."""
    return [event for event in timeline if event.replies_to == line and event.relation != "m.thread"]


async def marks_of(party: Party, item: StockItem, transfer: str) -> tuple[Counter[str], dict[str, Any]]:
    """The transfer's steps in the item's history, and the item's metadata."""
    async with party.stocktake() as stocktake:
        notes = [entry.notes for entry in await stocktake.history(item.pk)]
        metadata = await stocktake.metadata("stockitem", item.pk)
    words = [note.split(" ", 1)[0] for note in notes if note.startswith(f"fed:{transfer}:")]
    return Counter(word.rpartition(":")[2] for word in words), metadata


def secrets_of(party: Party) -> dict[str, str]:
    """The secrets for or from friends in the bot's vault by reference; half-written files would show."""
    found = {}
    folder = within(party.memory.identity, SECRETS_FOLDER)
    names = [file.name for file in folder.iterdir()] if isinstance(folder, Path) else list(folder.names())
    for name in names:
        reference = unquote(name)
        if reference.startswith(("made-for/", "got-from/")):
            found[reference.removesuffix(".secret")] = (folder / name).read_text()
    return found
