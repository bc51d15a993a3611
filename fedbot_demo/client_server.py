"""A minimal client for the Matrix client-server API as one account: requests, errors and rate limits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

_CLIENT = "/_matrix/client/v3"
_MEDIA = "/_matrix/client/v1/media/download"
_UPLOAD = "/_matrix/media/v3/upload"
REPLY_S = 30.0
#: The wait, by Matrix's specification, if a 429 doesn't say how long.
_UNSTATED_WAIT_MS = 1000


class MatrixError(Exception):
    """The homeserver refused. `code` is Matrix's errcode, for instance M_FORBIDDEN."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code


class ClientServerApi:
    """Requests as one account. Each waits as the rate limits ask (429), at most `patience` seconds in all."""

    def __init__(self, homeserver_url: str, access_token: str, *, patience: float) -> None:
        self._patience = patience
        self._homeserver_url = homeserver_url
        self._http = httpx.AsyncClient(
            base_url=homeserver_url + _CLIENT,
            headers={"Authorization": f"Bearer {access_token}"},
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, long_poll: float = 0.0
    ) -> dict[str, Any]:
        """Return the answer's JSON. `path` follows /_matrix/client/v3; a long poll lasts `long_poll` seconds.

        Raises:
            MatrixError: Refused, or still rate-limited after `patience` seconds.
            httpx.TransportError: The homeserver isn't there, or went away during the request.
        """
        give_up = time.monotonic() + self._patience
        while True:
            answer = await self._http.request(method, path, json=body, timeout=REPLY_S + long_poll)
            if answer.is_success:
                content: dict[str, Any] = answer.json()
                return content
            problem = _problem(answer)
            wait = float(problem.get("retry_after_ms", _UNSTATED_WAIT_MS)) / 1000
            limited = answer.status_code == httpx.codes.TOO_MANY_REQUESTS
            if not limited or time.monotonic() + wait > give_up:
                raise MatrixError(
                    answer.status_code, problem.get("errcode", "no errcode"), problem.get("error", "no text")
                )
            await asyncio.sleep(wait)

    async def download(self, address: str) -> bytes:
        """Download the content at an `mxc://` address.

        Raises:
            MatrixError: Refused.
            httpx.TransportError: The homeserver isn't there.
        """
        url = f"{self._homeserver_url}{_MEDIA}/{address.removeprefix('mxc://')}"
        return _accepted(await self._http.get(url, timeout=REPLY_S)).content

    async def upload(self, content: bytes, kind: str) -> str:
        """Upload a file of that media type; return its `mxc://` address.

        Raises:
            MatrixError: Refused.
            httpx.TransportError: The homeserver isn't there.
        """
        url = f"{self._homeserver_url}{_UPLOAD}"
        answer = await self._http.post(url, content=content, headers={"Content-Type": kind}, timeout=REPLY_S)
        return str(_accepted(answer).json()["content_uri"])


def quoted(text: str) -> str:
    """Quote one segment of a path. Room and event ids hold characters that have a meaning in URLs."""
    return quote(text, safe="")


def _accepted(answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        problem = _problem(answer)
        raise MatrixError(answer.status_code, problem.get("errcode", ""), problem.get("error", ""))
    return answer


def _problem(answer: httpx.Response) -> dict[str, Any]:
    """The error's body. A proxy in between may answer with a page instead."""
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    return problem if isinstance(problem, dict) else {"error": answer.text[:200]}
