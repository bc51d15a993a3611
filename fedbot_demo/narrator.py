"""Prints what one person sees in a room, line by line, on a terminal and into a transcript."""

from __future__ import annotations

import asyncio
import os
import sys
import textwrap
from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from fedbot.rules.wire import fingerprint
from fedbot_demo.person import Person
from fedbot_demo.plot import PATIENCE_S, envelope_of, kind_of
from fedbot_demo.room_event import RoomEvent
from fedbot_demo.stage import PARTY_EVENT, TIME_ZONE

_NAME_WIDTH = 14
#: Indents a message's text past its time and name.
_INDENT = " " * (10 + _NAME_WIDTH + 1)
_WIDTH = 110
_LONG_POLL_S = 5.0
_QUIET_S = 0.8
#: The encrypted parts of an envelope's body; only the peer can read them.
_SEALED = ("token", "sealed")


class Narrator:
    """Prints (in colour on a terminal) and keeps all of it in `told`, without colours."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)
        self.out = sys.stdout
        self._colours = self.out.isatty() and "NO_COLOR" not in os.environ
        self.told: list[str] = []
        self._known: dict[str, RoomEvent] = {}
        self._news = asyncio.Event()

    # --- printing text of its own

    def title(self, text: str) -> None:
        """A heading."""
        self.line("")
        self.line(f"━━ {text} ".ljust(_WIDTH, "━"), "1")

    def heading(self, text: str) -> None:
        """A smaller heading, below the last title."""
        self.line("")
        self.line(f"── {text} ──", "1")

    def line(self, text: str, colour: str = "") -> None:
        """Print one line unchanged."""
        self.told.append(text)
        print(f"\x1b[{colour}m{text}\x1b[0m" if colour and self._colours else text, file=self.out, flush=True)

    def lines(self, text: str, colour: str = "") -> None:
        """Print several lines, wrapped."""
        for each in textwrap.wrap(text, _WIDTH):
            self.line(each, colour)

    # --- printing what happens in a room

    async def follow(self, person: Person, room: str, since: int) -> None:
        """Print everything that `person` sees in `room`, from their `since`-th event on, until cancelled."""
        position = since
        while True:
            while position < len(person.seen):
                event = person.seen[position]
                position += 1
                if event.room == room:
                    self._tell(event)
            self._news.set()
            await person.sync(_LONG_POLL_S)

    async def has_told(self, event_id: str) -> None:
        """Wait until that event of the room has been printed; raise TimeoutError if it doesn't come."""
        async with asyncio.timeout(PATIENCE_S):
            while event_id not in self._known:
                self._news.clear()
                await self._news.wait()

    async def is_quiet(self) -> None:
        """Wait until nothing has been printed for a moment, because bots edit their cards last."""
        told = -1
        while told != len(self.told):
            told = len(self.told)
            await asyncio.sleep(_QUIET_S)

    def _tell(self, event: RoomEvent) -> None:
        if event.event_id:
            self._known[event.event_id] = event
        tell: Callable[[RoomEvent], None] | None = {
            "m.room.message": self._message,
            "m.reaction": self._reaction,
            "m.room.redaction": self._redaction,
            "dev.fedbot.envelope": self._envelope,
            PARTY_EVENT: self._announcement,
        }.get(event.type)
        if tell is not None:
            tell(event)

    def _message(self, event: RoomEvent) -> None:
        name = self._name(event.sender)
        if event.relation == "m.replace":
            self._said(event, f"✎ {name}", "33", "(an earlier message now reads)")
        elif event.content.get("msgtype") == "m.image":
            self._said(event, name, self._colour(event.sender), "(a picture, in the thread)")
        elif event.relation == "m.thread":
            self._said(event, f"{name}", self._colour(event.sender), "(in the thread)")
        else:
            self._said(event, name, self._colour(event.sender))

    def _said(self, event: RoomEvent, name: str, colour: str, remark: str = "") -> None:
        first, *others = event.body.splitlines() or [""]
        head = f"{_time(event)}  {name.ljust(_NAME_WIDTH)}"
        if remark:
            self.line(f"{head} {remark}", colour)
            others = [first, *others]
        else:
            self.line(f"{head} {first}", colour)
        for each in others:
            for part in textwrap.wrap(each, _WIDTH - len(_INDENT), break_on_hyphens=False) or [""]:
                self.line(f"{_INDENT}│ {part}".rstrip())

    def _reaction(self, event: RoomEvent) -> None:
        if self._is_bot(event.sender):
            self.line(f"{_INDENT}│ [{event.key}]  to tap", "2")
            return
        self.line(f"{_time(event)}  {self._name(event.sender).ljust(_NAME_WIDTH)} taps {event.key}", "1")

    def _redaction(self, event: RoomEvent) -> None:
        self.line(f"{_time(event)}  {self._name(event.sender).ljust(_NAME_WIDTH)} takes something back")

    def _envelope(self, event: RoomEvent) -> None:
        """Print the envelope, which clients don't show."""
        envelope = envelope_of(event)
        body = envelope.get("body", {})
        sealed = next((str(body[field]) for field in _SEALED if field in body), "")
        text = f"⚙ {self._name(event.sender)} to {envelope.get('to', '')}'s bot: {kind_of(event)}"
        if kind_of(event) == "credentials":
            text = f"🔑 {self._name(event.sender)} to {envelope.get('to', '')}'s bot: a token that reads my InvenTree"
        if sealed:
            text += f" – sealed to its key, nobody else can read it: {sealed[:24]}…"
        self.line(f"{_time(event)}  {text}", "2")

    def _announcement(self, event: RoomEvent) -> None:
        for party in event.content.get("parties", []):
            about = f"{party['name']} ({party['id']}), key {fingerprint(party['key'])}"
            self.line(f"{_time(event)}  📣 {self._name(event.sender)} announces {about}", "2")

    def _name(self, user_id: str) -> str:
        return self._names.get(user_id, user_id)

    def _is_bot(self, user_id: str) -> bool:
        return "bot" in self._name(user_id)

    def _colour(self, user_id: str) -> str:
        return "36" if self._is_bot(user_id) else "1"


def _time(event: RoomEvent) -> str:
    """The time it was sent, in the bots' time zone."""
    stamp = event.source.get("origin_server_ts", 0) / 1000
    return f"{datetime.fromtimestamp(stamp, ZoneInfo(TIME_ZONE)):%H:%M:%S}"
