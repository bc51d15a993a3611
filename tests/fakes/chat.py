"""The fake of the port Chat: a bot's account on the in-memory homeserver. Its people are in `people`.

It reads events with the real edge's functions (`matrix.sync`), so the rules see the same from both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from nio.crypto.attachments import encrypt_attachment

from fedbot.matrix.content import decrypted
from fedbot.matrix.sync import Rooms, own_messages, protocol_messages_in, shows_history
from fedbot.ports.chat import Batch, Chat, ChatLimited, ChatRefused, ChatSignedOut, ChatUnreachable, Delivery, Media
from fedbot.rules.model.events import EnvelopeSeen
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.people import Message, Person, RoomView

__all__ = ["FakeChat", "FakeHomeserver", "Message", "Person", "RoomView"]


class RateLimit:
    """Synapse's default rate limit for sending: 10 events at once, then one every 5 seconds."""

    def __init__(self, burst: int = 10, every: float = 5.0) -> None:
        self._burst, self._every = burst, timedelta(seconds=every)
        self._full_at: datetime | None = None

    def take(self, now: datetime) -> None:
        """Count one event. Raises `ChatLimited`."""
        after = max(self._full_at or now, now) + self._every
        wait = (after - self._burst * self._every - now).total_seconds()
        if wait > 0:
            raise ChatLimited("too fast", "M_LIMIT_EXCEEDED", wait)
        self._full_at = after


class FakeChat(Chat):
    """A bot's account.

    Faults that a test can set: `is_unreachable` (nothing arrives), `is_withholding_files` (files are missing),
    `lost_answers` (this many sends succeed, but their answers are lost), `limited_calls` and `retry_after` (this many
    calls get a 429), `limit` (a rate limit for sending), `is_signed_out`. `deliveries` lists every attempt to send.
    """

    def __init__(self, server: FakeHomeserver, name: str, display_name: str = "", device: str = "") -> None:
        self.server = server
        self.user_id = server.account(name, display_name)
        self.device = device or f"{self.user_id} device"
        self.untrusted = ""
        self.deliveries: list[Delivery] = []
        self.is_unreachable = False
        self.is_signed_out = False
        self.is_withholding_files = False
        self.lost_answers = 0
        self.limited_calls = 0
        self.limit: RateLimit | None = None
        self.retry_after = 5.0
        self._encrypted: set[str] = set()
        self._rooms = Rooms(self.user_id, encrypted=self._encrypted)
        self._token: str | None = None

    def restarted(self) -> FakeChat:
        """The account as a new process sees it: the same device with empty memory."""
        fake = object.__new__(FakeChat)
        rooms = Rooms(self.user_id, encrypted=self._encrypted)
        fake.__dict__ = {**self.__dict__, "_rooms": rooms, "_token": None, "deliveries": []}
        return fake

    async def sync(self, since: str | None, timeout: float) -> Batch:
        """As the real one, but waits by the homeserver's clock, which a test moves."""
        return await self._batch(since, timeout, own=False)

    async def catch_up(self, since: str) -> Batch:
        return await self._batch(since, 0, own=True)

    async def _batch(self, since: str | None, timeout: float, *, own: bool) -> Batch:
        self._fail()
        asked_at = self.server.clock.now()
        position = None if since is None else _position(since)
        fresh = since is None or since != self._token
        if not fresh and timeout > 0:
            await self._news(position or 0, timeout)
        raw = self.server.sync(self.user_id, position, full_state=fresh)
        rooms = Rooms(self.user_id, encrypted=self._encrypted) if fresh else self._rooms
        events = rooms.read(raw, asked_at, initial=since is None, own=own)
        self._encrypted |= {room for room, picture in rooms.pictures.items() if picture.encrypted}
        self._rooms, self._token = rooms, f"t{self.server.position}"
        has_history = since is None and shows_history(raw, self.user_id)
        said = own_messages(raw, self.user_id) if own else ()
        instance = self.server.instances.get(self.user_id, "")
        return Batch(self._token, events, asked_at, has_history=has_history, own=said, instance=instance)

    async def protocol_messages(self, room: str) -> tuple[EnvelopeSeen, ...]:
        self._fail()
        return protocol_messages_in(
            self.server.timeline(self.user_id, room), self.user_id, room, self.server.clock.now()
        )

    async def send(self, delivery: Delivery) -> str:
        self.deliveries.append(delivery)
        self._fail(limited=True)
        room, kind, content = delivery.room, delivery.kind, delivery.content
        if delivery.state_key is None:
            sent = self.server.send(
                self.user_id, room, kind, content, device=self.device, transaction=delivery.transaction
            )
        else:
            sent = self.server.put_state(self.user_id, room, kind, delivery.state_key, content)
        if self.lost_answers:
            self.lost_answers -= 1
            raise ChatUnreachable("the answer got lost")
        return sent

    async def claim(self, instance: str, mark: int = 0) -> None:
        self._fail()
        self.server.instances[self.user_id] = instance
        self.server.marks[self.user_id] = mark

    async def last_mark(self) -> int:
        self._fail()
        return self.server.marks.get(self.user_id, 0)

    async def upload(self, room: str, content: bytes, kind: str, name: str) -> Media:
        self._fail()
        return Media(self.server.upload(content, kind, name))

    async def upload_sealed(self, content: bytes) -> Media:
        """As the real one: the homeserver's copy is encrypted."""
        self._fail()
        if self.is_withholding_files:
            raise ChatUnreachable("the homeserver doesn't take the file")
        sealed, decryption = encrypt_attachment(content)
        return Media(self.server.upload(sealed, "application/octet-stream", "file"), decryption)

    async def download(self, file: Mapping[str, Any], longest: int) -> bytes:
        self._fail()
        if self.is_withholding_files:
            raise ChatUnreachable("the homeserver doesn't give the file")
        content = self.server.media.get(str(file["url"]))
        if content is None:
            raise ChatRefused("no such media", "not-there")
        if len(content) > longest:
            raise ChatRefused("too large", "too-large")
        return decrypted(content, file) if "key" in file else content

    async def join(self, room: str, via: Sequence[str] = ()) -> None:
        del via  # there is only one server
        self._fail(limited=True)
        self.server.join(self.user_id, room)

    async def leave(self, room: str) -> None:
        self._fail(limited=True)
        self.server.leave(self.user_id, room)

    async def resolve(self, alias: str) -> str:
        self._fail()
        if alias in self.server.addresses:
            return self.server.addresses[alias]
        raise ChatRefused(f"looking for {alias}: there is no such room", "M_NOT_FOUND")

    async def typing(self, room: str, seconds: int) -> None:
        self._fail()
        self.server.typed.append((self.user_id, room, seconds))

    def _fail(self, *, limited: bool = False) -> None:
        if self.is_signed_out:
            raise ChatSignedOut("signed out", "M_UNKNOWN_TOKEN")
        if self.is_unreachable:
            raise ChatUnreachable("the homeserver doesn't answer")
        if limited and self.limit:
            self.limit.take(self.server.clock.now())
        if limited and self.limited_calls:
            self.limited_calls -= 1
            raise ChatLimited("too fast", "M_LIMIT_EXCEEDED", self.retry_after)

    async def _news(self, position: int, timeout: float) -> None:
        """Wait until something happens or the time is over."""
        if self.server.position > position:
            return
        over = asyncio.ensure_future(self.server.clock.sleep(timeout))
        happened = self.server.next_event()
        try:
            await asyncio.wait({over, happened}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
            happened.cancel()


def _position(token: str) -> int:
    if not token.startswith("t"):
        raise ChatRefused("Invalid stream token", "M_UNKNOWN")
    return int(token[1:])
