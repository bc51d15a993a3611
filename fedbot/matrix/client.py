"""The real Chat: our Matrix account on a homeserver, through matrix-nio (fake: tests/fakes/chat.py)."""

from __future__ import annotations

import asyncio
import io
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import nio

from fedbot.files import within
from fedbot.matrix import content as contents
from fedbot.matrix.cross_signing import establish, own_keys
from fedbot.matrix.encryption import ENCRYPTED, Cipher
from fedbot.matrix.errors import DeviceTaken, answered, nothing_foreign
from fedbot.matrix.keys import KEYS, set_aside
from fedbot.matrix.login import Account, NioClient, Session, sign_in, sign_in_anew, sign_out_earlier
from fedbot.matrix.room import MEMBER, NEEDED, Raw, RoomPicture
from fedbot.matrix.sync import (
    ENVELOPE,
    READ,
    RawRoom,
    RawSync,
    Reader,
    Rooms,
    own_messages,
    protocol_messages_in,
    shows_history,
)
from fedbot.matrix.undecrypted_lines import UndecryptedLines
from fedbot.ports.chat import Batch, Chat, ChatRefused, ChatSignedOut, Delivery, Media
from fedbot.ports.vault import Folder
from fedbot.rules.model.events import ChatEvent, EnvelopeSeen, Redacted, Unreadable

_TIMELINE_LIMIT = 100
"""Synapse's maximum. Without a limit it returns only 10 events."""
_STATES_AT_ONCE = 4
"""The number of rooms whose state is read at once. Each read has its own time limit."""

_SLACK = 20
"""The seconds that a request may take beyond its own waiting time. After that, we consider the homeserver hung."""

EARLIER_STAYS = 60.0
"""Seconds after claiming the account. By then, a bot that still runs on the earlier device has read of the claim."""

INSTANCE = "dev.fedbot.instance"
_HIGHEST_MARK = 2**53
"""The end of the integers that JSON holds everywhere. The journal could never catch up with a larger mark."""

R = TypeVar("R")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Start:
    """The way a sync begins: `initial` without a token, `fresh` without the state of the sync before."""

    initial: bool
    fresh: bool


class MatrixChat(Chat):
    """Our account. Every method raises only `ChatProblem` and `JournalProblem` of the ports, and their kinds.

    A task that runs `sync` may be cancelled at any time: nothing here advances before `sync` returns, so the next call
    returns the same again. Call only one `sync` at a time; the other methods may run beside it.
    """

    def __init__(
        self,
        session: Session,
        client: NioClient,
        cipher: Cipher,
        *,
        untrusted: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.user_id = session.user_id
        self.device_id = session.device_id
        self.untrusted = untrusted
        self._client = client
        self._cipher = cipher
        self._waiting = UndecryptedLines(cipher.folder)
        self._now = now
        self._rooms = Rooms(session.user_id, encrypted=cipher.encrypted_rooms)
        self._token: str | None = None
        self._claimed: float | None = None
        self.sign_out_earlier: Callable[[], Awaitable[None]] | None = None

    @classmethod
    @nothing_foreign
    async def open(cls, account: Account, folder: Folder, may_act: Callable[[], None] = lambda: None) -> MatrixChat:
        """Sign in (see `login.sign_in` for its errors). Call `close` in the end.

        If the keys of our device are missing, as after a restore, sign in as a new device (see `login.sign_in_anew`).
        `may_act`: see `NioClient`.
        """
        try:
            session, client = await sign_in(account, folder)
            client.may_act = may_act
            chat = await cls.begin(session, client, within(folder, KEYS))
        except DeviceTaken:
            session, client = await sign_in_anew(account, folder)
            client.may_act = may_act
            chat = await cls.begin(session, client, within(folder, KEYS))
        chat.sign_out_earlier = partial(sign_out_earlier, account, folder)
        return chat

    @classmethod
    @nothing_foreign
    async def begin(cls, session: Session, client: NioClient, folder: Folder) -> MatrixChat:
        """Publish and sign our keys in `folder`, and return the account.

        If that fails, the client is closed. Raises `DeviceTaken`, and the errors of `open`.
        """
        async with AsyncExitStack() as stack:
            stack.push_async_callback(client.close)
            client.user_id, client.device_id = session.user_id, session.device_id
            cipher = Cipher(client, folder)
            stack.callback(cipher.close)
            own = await own_keys(client)
            await cipher.publish(own)
            untrusted = await establish(client, folder, own)
            stack.pop_all()
        return cls(session, client, cipher, untrusted=untrusted)

    @nothing_foreign
    async def close(self) -> None:
        """Close the connections and the store of keys."""
        await self._client.close()
        self._cipher.close()

    @nothing_foreign
    async def sync(self, since: str | None, timeout: float) -> Batch:
        """Wait at most `timeout` seconds for news after `since`; None: a first sync, without messages.

        The first call after a start doesn't wait, and also reads the state of all rooms, because no file has it. So
        does any call with another token than the last batch's.
        """
        return await self._batch(since, timeout, own=False)

    @nothing_foreign
    async def catch_up(self, since: str) -> Batch:
        """Everything that happened since, including our own messages and the lines that we answered."""
        return await self._batch(since, 0, own=True)

    async def _batch(self, since: str | None, timeout: float, *, own: bool) -> Batch:
        if since == self._token:
            self._waiting.settle()
        await self._tidy()
        asked_at = self._now()
        start = _Start(initial=since is None, fresh=since is None or since != self._token)
        invitations = await self._invitations() if start.fresh and since is not None else {}
        waits = 0 if start.fresh else timeout
        news = _first_filter() if start.fresh else _news_filter()
        response = await self._sync(since, waits, news, full_state=start.fresh)
        self._cipher.take_in(response)
        raw = await self._gather(response, since, fresh=start.fresh)
        raw = replace(raw, invite={**invitations, **raw.invite})
        rooms = Rooms(self.user_id, encrypted=self._cipher.encrypted_rooms) if start.fresh else self._rooms
        events = rooms.read(raw, asked_at, initial=start.initial, own=own)
        self._cipher.remember_encrypted(room for room, picture in rooms.pictures.items() if picture.encrypted)
        events = self._with_what_waited(raw, events, rooms, asked_at)
        self._rooms, self._token = rooms, response.next_batch
        has_history = start.initial and shows_history(raw, self.user_id)
        return Batch(
            response.next_batch,
            events,
            asked_at,
            has_history=has_history,
            own=own_messages(raw, self.user_id) if own else (),
            instance=_instance_in(response),
        )

    async def _tidy(self) -> None:
        is_settled = self._claimed is not None and time.monotonic() - self._claimed >= EARLIER_STAYS
        if self.sign_out_earlier and is_settled:
            await self.sign_out_earlier()
            self.sign_out_earlier = None
        try:
            await self._cipher.tidy_keys()
        except DeviceTaken as problem:
            set_aside(self._cipher.folder)
            raise ChatSignedOut(
                "The homeserver knows newer keys of this device than the identity folder has, as if an older copy had "
                "been put back. Start the bot again: it then makes a new device.",
                "device-taken",
            ) from problem

    def _with_what_waited(
        self, raw: RawSync, events: tuple[ChatEvent, ...], rooms: Rooms, now: datetime
    ) -> tuple[ChatEvent, ...]:
        """Hold back lines without a key. Add those whose key has come, and those that waited too long.

        Lines that were redacted meanwhile are left out.
        """
        encrypted = {str(event.get("event_id")): event for event in raw.events() if event.get("type") == ENCRYPTED}
        keyless = [event for event in events if isinstance(event, Unreadable)]
        self._waiting.add([(event.room, encrypted[event.line]) for event in keyless], now)
        self._waiting.forget({(event.room, event.target) for event in events if isinstance(event, Redacted)})
        readable, overdue = self._waiting.look(self._cipher.decrypt, now)
        late = [
            Reader(self.user_id, room, now).message(event, rooms.pictures.get(room, RoomPicture()))
            for room, event in (*readable, *overdue)
        ]
        return (*(event for event in events if event not in keyless), *(event for event in late if event))

    @nothing_foreign
    async def protocol_messages(self, room: str) -> tuple[EnvelopeSeen, ...]:
        """All protocol messages of the room's past that we can read, our own included, oldest first."""
        past = await self._gap(room, None, None)
        return protocol_messages_in(past, self.user_id, room, self._now())

    @nothing_foreign
    async def send(self, delivery: Delivery) -> str:
        """Send one event, or put one state event; return its event id.

        The same transaction again gives the same event. State needs no transaction: putting the same state again
        changes nothing.
        """
        room, kind = delivery.room, delivery.kind
        content: Mapping[str, Any] = delivery.content
        if delivery.state_key is None:
            kind, content = await self._encrypted(room, kind, content)
            sent = await self._ask(
                f"sending to {room}",
                lambda: self._client.room_send(room, kind, content, tx_id=delivery.transaction),
                nio.RoomSendResponse,
            )
        else:
            sent = await self._ask(
                f"setting {kind} in {room}",
                lambda: self._client.room_put_state(room, kind, content, delivery.state_key),
                nio.RoomPutStateResponse,
            )
        return str(sent.event_id)

    async def _encrypted(self, room: str, kind: str, content: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """Type and content for this room, encrypted if the room is."""
        if not await self._is_encrypted(room):
            return kind, content
        picture = self._rooms.pictures.get(room)
        readers = picture.readers() if picture else await self._members(room)
        return await self._cipher.encrypt_for(room, readers, kind, content)

    async def _is_encrypted(self, room: str) -> bool:
        """Whether the room is encrypted. Asks the homeserver about a room that we haven't seen yet."""
        if room in self._cipher.encrypted_rooms or room in self._rooms.pictures:
            return room in self._cipher.encrypted_rooms
        try:
            # nio's own call takes any error except a 404 for the state event
            await self._client.ask(f"reading {room}", "GET", ["rooms", room, "state", "m.room.encryption", ""])
        except ChatRefused as problem:
            if problem.code != "M_NOT_FOUND":
                raise
            return False
        self._cipher.remember_encrypted([room])
        return True

    async def _members(self, room: str) -> frozenset[str]:
        found = await self._ask(f"reading {room}", lambda: self._client.joined_members(room), nio.JoinedMembersResponse)
        return frozenset(member.user_id for member in found.members)

    @nothing_foreign
    async def upload(self, room: str, content: bytes, kind: str, name: str) -> Media:
        """Upload a file for a room. Another upload makes another file, and the first stays unused."""
        return await (self.upload_sealed(content) if await self._is_encrypted(room) else self._put(content, kind, name))

    @nothing_foreign
    async def upload_sealed(self, content: bytes) -> Media:
        """Upload an encrypted file. Only the people who get its key can open it."""
        sealed, decryption = nio.crypto.encrypt_attachment(content)
        return await self._put(sealed, "application/octet-stream", "file", decryption)

    async def _put(self, content: bytes, kind: str, name: str, decryption: Mapping[str, Any] | None = None) -> Media:
        async def call() -> object:
            response, _ = await self._client.upload(io.BytesIO(content), kind, name, filesize=len(content))
            return response

        response = await self._ask(f"uploading {name}", call, nio.UploadResponse)
        return Media(str(response.content_uri), decryption or {})

    @nothing_foreign
    async def download(self, file: Mapping[str, Any], longest: int) -> bytes:
        """Download a file from the homeserver and decrypt it; see `content.download` for its errors."""
        return await contents.download(self._client, file, longest)

    @nothing_foreign
    async def claim(self, instance: str, mark: int = 0) -> None:
        """Claim the account for this process (account data `dev.fedbot.instance`)."""
        content: dict[str, Any] = {"instance": instance, "since": self._now().isoformat(timespec="seconds")}
        if mark:
            content["mark"] = mark
        path = ["user", self.user_id, "account_data", INSTANCE]
        await self._client.ask("claiming the account", "PUT", path, content)
        self._claimed = time.monotonic()

    @nothing_foreign
    async def last_mark(self) -> int:
        """The mark of the last claim; 0 if it had none."""
        path = ["user", self.user_id, "account_data", INSTANCE]
        try:
            content = await self._client.ask("reading who has claimed the account", "GET", path)
        except ChatRefused as problem:
            if problem.code != "M_NOT_FOUND":
                raise
            return 0
        mark = content.get("mark")
        return mark if type(mark) is int and 0 <= mark < _HIGHEST_MARK else 0

    @nothing_foreign
    async def join(self, room: str, via: Sequence[str] = ()) -> None:
        """Join a room by alias, or by id if we are invited or it is public (here or at `via`). May be repeated."""
        await self._ask(f"joining {room}", lambda: self._client.join(room, via), nio.JoinResponse)

    @nothing_foreign
    async def leave(self, room: str) -> None:
        """Leave a room or decline its invitation."""
        await self._ask(f"leaving {room}", lambda: self._client.room_leave(room), nio.RoomLeaveResponse)

    @nothing_foreign
    async def typing(self, room: str, seconds: int) -> None:
        """Show the typing notice for this many seconds; 0 removes it."""
        await self._ask(
            f"typing in {room}",
            lambda: self._client.room_typing(room, seconds > 0, timeout=max(1, seconds * 1000)),
            nio.RoomTypingResponse,
        )

    @nothing_foreign
    async def resolve(self, alias: str) -> str:
        """The id of the room with this alias (`#space:example.org`)."""
        found = await self._ask(
            f"looking for {alias}",
            lambda: self._client.room_resolve_alias(alias),
            nio.RoomResolveAliasResponse,
        )
        return str(found.room_id)

    async def _ask(self, act: str, call: Callable[[], Awaitable[object]], expected: type[R], *, waits: float = 0) -> R:
        """One request with a time limit, which nio lacks for some requests (a sync with full state)."""

        async def limited() -> object:
            async with asyncio.timeout(waits + float(self._client.config.request_timeout)):
                return await call()

        return await answered(act, limited, expected)

    async def _sync(
        self, since: str | None, timeout: float, sync_filter: dict[str, Any], *, full_state: bool
    ) -> nio.SyncResponse:
        self._client.next_batch = ""  # nio would use it if `since` is None
        return await self._ask(
            "syncing",
            lambda: self._client.sync(
                timeout=round(timeout * 1000), sync_filter=sync_filter, since=since, full_state=full_state
            ),
            nio.SyncResponse,
            waits=timeout + _SLACK,
        )

    async def _invitations(self) -> dict[str, tuple[Raw, ...]]:
        """All pending invitations. A sync with a token lists each only once, and that answer may have been lost."""
        response = await self._sync(None, 0, invitations_filter(), full_state=False)
        return invitations_of(response)

    async def _gather(self, response: nio.SyncResponse, since: str | None, *, fresh: bool) -> RawSync:
        """The response as JSON, with gaps filled, and the current state of each room where the response isn't enough.

        After a start these are all rooms. A room that we are out of by now counts as left; the next sync shows how we
        left.
        """
        rooms, known = response.rooms, {} if fresh else self._rooms.pictures
        join = {room: await self._filled(room, info, since) for room, info in rooms.join.items()}
        leave = {room: await self._filled(room, info, since) for room, info in rooms.leave.items()}
        states = await self._states(
            room for room, raw in join.items() if not raw.tells_all(known.get(room), self.user_id)
        )
        for room, state in states.items():
            if fresh and not state:
                leave[room] = join.pop(room)
            else:
                join[room] = replace(join[room], current=state)
        return RawSync(join, leave, invitations_of(response))

    async def _states(self, rooms: Iterable[str]) -> dict[str, tuple[Raw, ...]]:
        """The current state of these rooms."""
        turns = asyncio.Semaphore(_STATES_AT_ONCE)

        async def state(room: str) -> tuple[str, tuple[Raw, ...]]:
            async with turns:
                return room, await self._state(room)

        reading = [asyncio.create_task(state(room)) for room in rooms]
        try:
            return dict(await asyncio.gather(*reading))
        finally:
            for task in reading:
                task.cancel()

    async def _filled(self, room: str, info: nio.RoomInfo, since: str | None) -> RawRoom:
        timeline = await self._cipher.decrypt_all(room, _sources(info.timeline.events))
        raw = RawRoom(_sources(info.state), timeline)
        if since is None or not info.timeline.limited or not info.timeline.prev_batch:
            return raw
        try:
            gap = await self._gap(room, info.timeline.prev_batch, since)
        except ChatRefused as error:
            if error.code != "M_FORBIDDEN":
                raise
            # We are out of the room by now, so we can't act on anything that we missed there.
            log.warning("What was missed in %s can't be read: %s", room, error.text)
            return raw
        known = {event.get("event_id") for event in raw.timeline}
        return replace(raw, gap=tuple(event for event in gap if event.get("event_id") not in known))

    async def _state(self, room: str) -> tuple[Raw, ...]:
        """The room's current state; empty if we are no longer in it."""
        try:
            return tuple(await self._client.state(room))
        except ChatRefused as error:
            if error.code != "M_FORBIDDEN":
                raise
            return ()

    async def _gap(self, room: str, before: str | None, since: str | None) -> list[Raw]:
        """The events after `since` and before a cut timeline, oldest first. None: from the first, or up to now."""
        newest_first: dict[str, Raw] = {}
        start, more = before, True
        while more:
            page = await self._ask(
                f"reading back in {room}",
                lambda start=start: self._client.room_messages(  # type: ignore[misc]
                    room, start=start, end=since, direction=nio.MessageDirection.back, limit=_TIMELINE_LIMIT
                ),
                nio.RoomMessagesResponse,
            )
            newest_first.update({str(raw.get("event_id")): raw for raw in _sources(page.chunk)})
            start = page.end
            more = bool(start and page.chunk)
        return list(await self._cipher.decrypt_all(room, reversed(newest_first.values())))


def _sources(events: list[Any]) -> tuple[Raw, ...]:
    """The JSON of nio's events, including those that nio calls bad or unknown."""
    return tuple(event.source for event in events)


def invitations_of(response: nio.SyncResponse) -> dict[str, tuple[Raw, ...]]:
    """The rooms that we are invited to, each with its stripped state."""
    return {
        room: tuple(_invitation_source(event) for event in info.invite_state)
        for room, info in response.rooms.invite.items()
    }


def _invitation_source(event: Any) -> Raw:  # noqa: ANN401  # nio has no types
    """The source of a membership event with its content, which nio removes."""
    source: dict[str, Any] = event.source
    return {**source, "content": event.content} if isinstance(event, nio.InviteMemberEvent) else source


def _instance_in(response: nio.SyncResponse) -> str:
    """The process that claimed the account last, according to this response; '' if it doesn't say."""
    found = [
        event.content.get("instance")
        for event in response.account_data_events
        if isinstance(event, nio.UnknownAccountDataEvent) and event.type == INSTANCE
    ]
    return found[-1] if found and isinstance(found[-1], str) else ""


def _news_filter() -> dict[str, Any]:
    """The sync filter: only event types that we read, and all members, because nearly everything needs them."""
    nothing: dict[str, Any] = {"types": []}
    timeline = {"limit": _TIMELINE_LIMIT, "types": sorted({*NEEDED, *READ, f"{ENVELOPE}.*"})}
    return {
        "presence": nothing,
        "account_data": {"types": [INSTANCE]},
        "room": {
            "state": {"types": sorted(NEEDED)},
            "timeline": timeline,
            "ephemeral": nothing,
            "account_data": nothing,
        },
    }


def _first_filter() -> dict[str, Any]:
    """The filter after a start: all rooms, with only our own membership as their state.

    `_states` reads the rest once.
    """
    news = _news_filter()
    news["room"]["state"] = {"types": [MEMBER], "lazy_load_members": True}
    return _unlike_any(news)


def invitations_filter() -> dict[str, Any]:
    """A filter that leaves out everything but invitations, which filters don't affect."""
    quiet = _news_filter()
    nothing: dict[str, Any] = {"types": []}
    quiet["account_data"] = nothing
    quiet["room"] |= {"state": nothing, "timeline": {"limit": 1, **nothing}}
    return _unlike_any(quiet)


def _unlike_any(sync_filter: dict[str, Any]) -> dict[str, Any]:
    """The filter with a random event type added.

    Synapse repeats its answer to an identical request for two minutes. A second start in that time would get outdated
    rooms, invitations and claims.
    """
    timeline = {**sync_filter["room"]["timeline"], "not_types": [f"dev.fedbot.none.{secrets.token_hex(8)}"]}
    return {**sync_filter, "room": {**sync_filter["room"], "timeline": timeline}}
