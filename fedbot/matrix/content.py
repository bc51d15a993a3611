"""Events on the wire: their content, its size limit, and files on the homeserver."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from nio.crypto.attachments import decrypt_attachment

from fedbot.matrix.login import NioClient
from fedbot.matrix.sync import ENVELOPE, INTERIM
from fedbot.messages.markup import Rendered, _words
from fedbot.ports.chat import ChatLimited, ChatRefused, ChatUnreachable, Media

MOST_BYTES = 46_000
"""The largest content, as JSON. Encryption adds a third, and Matrix allows 65,536 bytes for the whole signed event."""
_LARGEST_INTEGER = 2**53 - 1


class BadContent(ChatRefused):
    """The homeserver would refuse this content: it is too large, or isn't JSON that Matrix allows."""


# --- contents of events ------------------------------------------------------------------------------------


def message(
    words: Rendered,
    *,
    mentions: Sequence[str] = (),
    notice: bool | None = None,
    reply_to: str = "",
    thread: str = "",
    interim: bool = False,
    envelope: Mapping[str, Any] | None = None,
    edits: str = "",
) -> dict[str, Any]:
    """The content of an `m.room.message`.

    Args:
        words: the text that people read.
        mentions: ids of the mentioned users. Under the default push rules an `m.notice` notifies nobody, so a message
            that mentions somebody is an `m.text`.
        notice: whether it is an `m.notice`; by default it is unless it mentions somebody.
        reply_to: event id of the line that it answers.
        thread: event id of the thread's first message.
        interim: whether it says only that the answer to that line comes later; not used in threads.
        envelope: the signed part, under `dev.fedbot`; for an edit also in the new content.
        edits: event id of our message that it replaces. An edit mentions nobody at the top level, so it notifies
            nobody; `mentions` are then the users that the message as a whole mentions.

    Raises:
        BadContent: see `check`.
    """
    if notice and mentions:
        raise ValueError("a notice notifies nobody; leave out `notice` or `mentions`")
    content: dict[str, Any] = {
        "msgtype": "m.text" if mentions or notice is False else "m.notice",
        "body": words.plain,
        "format": "org.matrix.custom.html",
        "formatted_body": words.html,
        # Without this key push rules look for names in the body (Matrix spec, 'User and room mentions').
        "m.mentions": {"user_ids": list(mentions)} if mentions else {},
    }
    if envelope is not None:
        content[ENVELOPE] = dict(envelope)
    if edits:
        content = _edit(content, edits)
    elif thread:
        content["m.relates_to"] = _in_thread(thread, reply_to)
    elif reply_to:
        relation = {"rel_type": INTERIM, "event_id": reply_to} if interim else {}
        content["m.relates_to"] = {**relation, "m.in_reply_to": {"event_id": reply_to}}
    return check(content)


def picture(
    media: Media, words: str, *, name: str, size: int, width: int, height: int, thread: str = "", reply_to: str = ""
) -> dict[str, Any]:
    """The content of an `m.image` (PNG), in a thread or as a reply. `words` describe it for people who can't see it."""
    relation = _in_thread(thread, reply_to) if thread else {"m.in_reply_to": {"event_id": reply_to}}
    return check(
        {
            "msgtype": "m.image",
            "body": _words(words),
            "filename": name,
            **_file(media),
            "info": {"mimetype": "image/png", "size": size, "w": width, "h": height},
            "m.mentions": {},
            "m.relates_to": relation,
        }
    )


def _file(media: Media) -> dict[str, Any]:
    if not media.decryption:
        return {"url": media.address}
    return {"file": {**media.decryption, "url": media.address}}


def reaction(target: str, key: str) -> dict[str, Any]:
    """The content of an `m.reaction` to the message `target`."""
    return check({"m.relates_to": {"rel_type": "m.annotation", "event_id": target, "key": key}})


def bare_envelope(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a `dev.fedbot.envelope`, which clients don't show."""
    return check({ENVELOPE: dict(envelope)})


def check(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content if a homeserver accepts it.

    Raises:
        BadContent: more than 46,000 bytes, a float, an integer beyond ±(2^53-1), or text that isn't Unicode.
    """
    _check_numbers(content)
    try:
        size = len(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())
    except UnicodeEncodeError as error:
        raise BadContent("text that isn't Unicode") from error
    if size > MOST_BYTES:
        raise BadContent(f"{size} bytes; at most {MOST_BYTES} go into one message")
    return content


def _edit(content: dict[str, Any], edits: str) -> dict[str, Any]:
    """The content of an edit. Clients without edits show its top level as a separate message."""
    return content | {
        "body": f"* {content['body']}",
        "formatted_body": f"* {content['formatted_body']}",
        "m.mentions": {},
        "m.new_content": content,
        "m.relates_to": {"rel_type": "m.replace", "event_id": edits},
    }


def _in_thread(thread: str, reply_to: str) -> dict[str, Any]:
    """The relation for a thread. Clients without threads show a reply, by default to its first message."""
    return {
        "rel_type": "m.thread",
        "event_id": thread,
        "is_falling_back": not reply_to,
        "m.in_reply_to": {"event_id": reply_to or thread},
    }


def _check_numbers(value: object) -> None:
    match value:
        case bool() | str() | None:
            return
        case int() if abs(value) <= _LARGEST_INTEGER:
            return
        case int() | float():
            raise BadContent(f"a number that Matrix has not: {value}")
        case Mapping():
            for each in value.values():
                _check_numbers(each)
        case list() | tuple():
            for each in value:
                _check_numbers(each)
        case _:
            raise BadContent(f"no JSON: {type(value).__name__}")


# --- Files that people upload to the homeserver: downloading them (spec, 'Content repository') and decrypting them.

_SECONDS = 60
_CHUNK = 65536
_OK, _TOO_MANY = 200, 429
# A server name and an opaque id. Anything else could lead to another path on our homeserver.
_ADDRESS = re.compile(r"mxc://([A-Za-z0-9\[][A-Za-z0-9.:\[\]-]*)/([A-Za-z0-9_-]+)")
_NO = {"M_NOT_FOUND", "M_FORBIDDEN", "M_TOO_LARGE"}

TOO_LARGE, UNREADABLE, NOT_THERE = "too-large", "unreadable", "not-there"


async def download(client: NioClient, file: Mapping[str, Any], longest: int) -> bytes:
    """The content of a file that a message describes (`events.PhotoSent`), at most `longest` bytes.

    Raises:
        ChatUnreachable, ChatLimited: not available now.
        ChatRefused: never available. The code is `too-large`, `not-there`, or `unreadable` (encrypted, and not the
            content that its message describes).
    """
    content = await _fetched(client, str(file.get("url")), longest)
    return decrypted(content, file) if "key" in file else content


async def _fetched(client: NioClient, address: str, longest: int) -> bytes:
    """Download through authenticated media (Matrix 1.11), up to the limit."""
    place = _ADDRESS.fullmatch(address)
    if place is None:
        raise ChatRefused("that is no address of a file", NOT_THERE)
    path = f"/_matrix/client/v1/media/download/{place[1]}/{place[2]}"
    headers = {"Authorization": f"Bearer {client.access_token}"}
    content = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            answer = await client.send("GET", path, headers=headers, timeout=_SECONDS)
            async with answer:
                async for chunk in answer.content.iter_chunked(_CHUNK):
                    content += chunk
                    if len(content) > longest:
                        break
    except Exception as error:  # aiohttp's errors, and those that it lets through
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
    """Matrix's errcode; '' if the answer isn't from Matrix."""
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    return str(answer.get("errcode", "")) if isinstance(answer, dict) else ""


def decrypted(content: bytes, file: Mapping[str, Any]) -> bytes:
    """The decrypted attachment, with its hash checked. Raises `ChatRefused` with the code `unreadable`."""
    try:
        return bytes(decrypt_attachment(content, file["key"]["k"], file["hashes"]["sha256"], file["iv"]))
    except Exception as error:  # the sender chose these values
        raise ChatRefused(f"{file.get('url')} can't be decrypted", UNREADABLE) from error
