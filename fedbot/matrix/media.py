"""Files that people put onto the homeserver: fetched as its users may (spec, 'Content repository'), and opened."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

from nio.crypto.attachments import decrypt_attachment

from fedbot.matrix.login import Connection
from fedbot.ports.chat import ChatLimited, ChatRefused, ChatUnreachable

_SECONDS = 60
_CHUNK = 65536
_OK, _TOO_MANY = 200, 429
# A server's name and an opaque id; what else is written there must lead nowhere else on our homeserver.
_ADDRESS = re.compile(r"mxc://([A-Za-z0-9\[][A-Za-z0-9.:\[\]-]*)/([A-Za-z0-9_-]+)")
_NO = {"M_NOT_FOUND", "M_FORBIDDEN", "M_TOO_LARGE"}

TOO_LARGE, UNREADABLE, NOT_THERE = "too-large", "unreadable", "not-there"


async def download(connection: Connection, file: Mapping[str, Any], longest: int) -> bytes:
    """The content of a file, as a message's content tells of it (`events.PhotoSent`); at most `longest` bytes.

    Raises:
        ChatUnreachable, ChatLimited: not now.
        ChatRefused: never, with the code `too-large`, `not-there`, or `unreadable`, if it is
            encrypted and isn't what its message says.
    """
    content = await _fetched(connection, str(file.get("url")), longest)
    return opened(content, file) if "key" in file else content


async def _fetched(connection: Connection, address: str, longest: int) -> bytes:
    """Authenticated media (Matrix 1.11), read only as far as it may be long."""
    place = _ADDRESS.fullmatch(address)
    if place is None:
        raise ChatRefused("that is no address of a file", NOT_THERE)
    path = f"/_matrix/client/v1/media/download/{place[1]}/{place[2]}"
    headers = {"Authorization": f"Bearer {connection.access_token}"}
    content = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            answer = await connection.send("GET", path, headers=headers, timeout=_SECONDS)
            async with answer:
                async for chunk in answer.content.iter_chunked(_CHUNK):
                    content += chunk
                    if len(content) > longest:
                        break
    except Exception as error:  # aiohttp's, and what it lets through
        raise ChatUnreachable(f"fetching {address}: no answer ({type(error).__name__})") from error
    if len(content) > longest:
        raise ChatRefused(f"{address} is larger than {longest} bytes", TOO_LARGE)
    if answer.status == _OK:
        return bytes(content)
    code = _code_in(bytes(content))
    if answer.status == _TOO_MANY:
        raise ChatLimited(f"fetching {address}: too fast", code, 5.0)
    if code in _NO:
        raise ChatRefused(f"fetching {address}: {code}", NOT_THERE)
    raise ChatUnreachable(f"fetching {address}: {answer.status} {code}".rstrip(), code)


def _code_in(content: bytes) -> str:
    """Matrix's errcode; '' if it isn't Matrix that answered."""
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    return str(answer.get("errcode", "")) if isinstance(answer, dict) else ""


def opened(content: bytes, file: Mapping[str, Any]) -> bytes:
    """An encrypted attachment, its hash checked. Raises `ChatRefused` with the code `unreadable`."""
    try:
        return bytes(decrypt_attachment(content, file["key"]["k"], file["hashes"]["sha256"], file["iv"]))
    except Exception as error:  # its sender has written whatever stands there
        raise ChatRefused(f"{file.get('url')} can't be decrypted", UNREADABLE) from error
