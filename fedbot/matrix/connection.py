"""The nio client as we use it: no retries and no picture of rooms of its own, and quiet."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import nio

from fedbot.matrix.errors import answered


class Connection(nio.AsyncClient):  # type: ignore[misc]  # nio has no types
    """One homeserver, one account.

    Nio's own view of rooms isn't kept: it is wrong for room version 12, costs memory, and an odd event could
    make it fail in the middle of a sync. Its sync token neither: the journal's is the one that counts.
    """

    async def receive_response(self, response: nio.Response) -> None:
        """Take note of logins only."""
        if not isinstance(response, nio.SyncResponse):
            await super().receive_response(response)

    async def ask(
        self, act: str, method: str, path: list[str], content: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """A request for which nio has no call, or only one that hides what went wrong; its answer as JSON.

        `act`: see `errors.answered`, for what it raises too.
        """

        async def call() -> object:
            async with asyncio.timeout(float(self.config.request_timeout)):
                way = nio.Api._build_path(path)  # noqa: SLF001
                body = None if content is None else nio.Api.to_json(content)
                return await self._send(_Answer, method, way, body)

        return (await answered(act, call, _Answer)).content

    async def join(self, room: str, via: Sequence[str] = ()) -> nio.Response:
        """Join a room that our homeserver may not know, by servers that do; nio's own call names none."""
        servers = [("via", server) for server in via] + [("server_name", server) for server in via]  # newer, older
        path = nio.Api._build_path(["join", room]) + (f"?{urlencode(servers)}" if servers else "")  # noqa: SLF001
        return await self._send(nio.JoinResponse, "POST", path)


class _Answer(nio.Response):  # type: ignore[misc]  # nio has no types
    """What the homeserver answered, as JSON."""

    def __init__(self, content: dict[str, Any]) -> None:
        super().__init__()
        self.content = content

    @classmethod
    def from_dict(cls, parsed: Any) -> nio.Response:  # noqa: ANN401 -- whatever JSON came
        """The answer, or the error that it tells."""
        is_good = isinstance(parsed, dict) and "errcode" not in parsed
        return cls(parsed) if is_good else nio.ErrorResponse.from_dict(parsed)


def connect(
    homeserver: str,
    user: str = "",
    device_id: str = "",
    *,
    certificate: Path | None = None,
    request_timeout: float = 20,
) -> Connection:
    """A client that isn't signed in yet.

    Args:
        homeserver: its URL.
        user: Matrix id or its local part.
        device_id: of this account, if it has one; transaction ids count per device.
        certificate: CA file for a homeserver with a certificate of its own making.
        request_timeout: seconds that a request may take; a sync its own time more.
    """
    # Nio writes whole responses, a login's token among them, at DEBUG, and events' contents at ERROR.
    logging.getLogger("nio").setLevel(logging.CRITICAL)
    config = nio.AsyncClientConfig(
        max_limit_exceeded=0,
        max_timeouts=0,
        request_timeout=request_timeout,
        store_sync_tokens=False,
        encryption_enabled=False,
    )
    context = ssl.create_default_context(cafile=str(certificate)) if certificate else None
    return Connection(homeserver.rstrip("/"), user, device_id, config=config, ssl=context)
