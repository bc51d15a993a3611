"""Matrix hops without a bot: one account sends, and another account's long poll returns the event."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import nio

from fedbot.matrix.login import NioClient, new_client
from fedbot_demo.homeserver import Account
from fedbot_demo.stage import Stage

_LONG_POLL_MS = 30_000
#: After this time a poll surely waits at the homeserver, so its start isn't measured.
_PARKED_S = 0.05
_QUIET: dict[str, Any] = {
    "presence": {"types": []},
    "account_data": {"types": []},
    "room": {"timeline": {"limit": 100}, "ephemeral": {"types": []}, "account_data": {"types": []}},
}


@dataclass(frozen=True)
class ProtocolMessage:
    """One event that the bots sent during a transfer: its sender, type and content."""

    sent_by: str
    type: str
    content: Mapping[str, Any]


class Hops:
    """Two accounts in a room with as many people as the bots' own room, but without bots. An `async with`."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._ends: dict[str, NioClient] = {}
        self._tokens: dict[str, str] = {}
        self._card = ""
        self._room = ""

    async def __aenter__(self) -> Self:
        """Create accounts and room, and join them."""
        stage = self._stage
        accounts = {space.party: await stage.homeserver.register(f"hop-{space.party}") for space in stage.spaces}
        for account in accounts.values():
            await stage.homeserver.lift_rate_limit(account.user_id)
        self._ends = {party: signed_in(account) for party, account in accounts.items()}
        host, *others = stage.people.values()
        everybody = [*(person.user_id for person in others), *(account.user_id for account in accounts.values())]
        self._room = await host.create_room("Hops", invite=everybody)
        for person in others:
            await person.join(self._room)
        for party, end in self._ends.items():
            await end.join(self._room)
            self._tokens[party] = (await self._sync(party, 0)).next_batch
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        for end in self._ends.values():
            await end.close()

    async def hop(self, message: ProtocolMessage) -> float:
        """Seconds from the start of sending until the other end's sync returns the event."""
        (other,) = (party for party in self._ends if party != message.sent_by)
        content = await self._at_home(message)
        reading = asyncio.create_task(self._read(other))
        await asyncio.sleep(_PARKED_S)
        started = time.perf_counter()
        sent = await self._send(message.sent_by, message.type, content)
        while (await reading).get(sent) is None:
            reading = asyncio.create_task(self._read(other))
        return time.perf_counter() - started

    async def _read(self, party: str) -> dict[str, float]:
        """The arrival times of the next sync's events, by id."""
        answer = await self._sync(party, _LONG_POLL_MS)
        self._tokens[party] = answer.next_batch
        found = answer.rooms.join.get(self._room)
        return {event.event_id: time.perf_counter() for event in (found.timeline.events if found else [])}

    async def _sync(self, party: str, timeout: int) -> nio.SyncResponse:
        answer = await self._ends[party].sync(timeout=timeout, sync_filter=_QUIET, since=self._tokens.get(party))
        if not isinstance(answer, nio.SyncResponse):
            raise TypeError(f"no sync: {answer}")
        return answer

    async def _send(self, party: str, kind: str, content: Mapping[str, Any]) -> str:
        answer = await self._ends[party].room_send(self._room, kind, dict(content), tx_id=secrets.token_hex(8))
        if not isinstance(answer, nio.RoomSendResponse):
            raise TypeError(f"not sent: {answer}")
        return str(answer.event_id)

    async def _at_home(self, message: ProtocolMessage) -> dict[str, Any]:
        """The message's content, related to a message in this room instead of one in the bots' room."""
        relation = message.content.get("m.relates_to")
        if not relation:
            return dict(message.content)
        party = message.sent_by
        target = await self._send(party, "m.room.message", {"msgtype": "m.text", "body": "card"})
        (other,) = (name for name in self._ends if name != party)
        await self._read(other)
        moved = {key: target if key == "event_id" else value for key, value in relation.items()}
        if "m.in_reply_to" in moved:
            moved["m.in_reply_to"] = {"event_id": target}
        return {**message.content, "m.relates_to": moved}


def signed_in(account: Account) -> NioClient:
    """A client of the account, set up like a bot's; must be closed."""
    connection = new_client(account.homeserver_url, account.user_id, account.device_id)
    connection.user_id, connection.access_token = account.user_id, account.access_token
    return connection
