"""What a message looks like on the wire: node trees become plain text and HTML, and an event's content.

HTML uses only p, br, b, code, a, ul, li (DESIGN §8), everything else is escaped. Which sentences are said
does not live here (`chat/words`), nor when (`app`).
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from fedbot.chat.cleaning import clean_text
from fedbot.chat.reading import ENVELOPE
from fedbot.ports import Media

MOST_BYTES = 46_000
"""Of a content as JSON. Encrypted it grows by a third, and Matrix allows 65,536 for the whole signed event."""
_LARGEST_INTEGER = 2**53 - 1
_MATRIX_TO = "https://matrix.to/#/"
_BULLET = "• "


class BadContent(ValueError):
    """The homeserver would refuse this content: too large, or no JSON as Matrix wants it."""


# --- nodes -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Text:
    """Plain words; a line feed in it becomes a space."""

    text: str


@dataclass(frozen=True)
class Bold:
    """Words that stand out, in HTML only."""

    inside: Inline | tuple[Inline, ...]


@dataclass(frozen=True)
class Code:
    """Words to be typed exactly so."""

    text: str


@dataclass(frozen=True)
class Link:
    """A link to a web page. `address` is http or https, else it is refused (ValueError)."""

    inside: Inline | tuple[Inline, ...]
    address: str

    def __post_init__(self) -> None:
        if urlsplit(self.address).scheme not in ("http", "https"):
            raise ValueError(f"not a web address: {self.address}")


@dataclass(frozen=True)
class Mention:
    """A person by name, shown as a pill. It rings only if the message's `rings` say so."""

    user: str
    name: str = ""


@dataclass(frozen=True)
class Break:
    """A line break within a line, for instance in an item of a list."""


Inline = str | Text | Bold | Code | Link | Mention | Break


@dataclass(frozen=True)
class Items:
    """A list with bullets."""

    items: tuple[Inline | tuple[Inline, ...], ...]


Line = Inline | Items | Sequence[Inline]
"""One line of a message. An empty one ('' or ()) ends a paragraph."""


# --- rendering ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rendered:
    """Words in both forms. The first line of `plain` is the push text."""

    plain: str
    html: str


def render(lines: Iterable[Line]) -> Rendered:
    """The lines as plain text and as HTML."""
    plain: list[str] = []
    blocks: list[str] = []
    paragraph: list[str] = []

    def end_paragraph() -> None:
        if paragraph:
            blocks.append(f"<p>{'<br>'.join(paragraph)}</p>")
            paragraph.clear()

    for line in lines:
        if isinstance(line, Items):
            end_paragraph()
            plain += [_BULLET + _plain(item) for item in line.items]
            blocks.append(f"<ul>{''.join(f'<li>{_html(item)}</li>' for item in line.items)}</ul>")
        elif not line:
            end_paragraph()
            plain.append("")
        else:
            plain.append(_plain(line))
            paragraph.append(_html(line))
    if not blocks:
        return Rendered("\n".join(plain).strip("\n"), "<br>".join(paragraph))
    end_paragraph()
    return Rendered("\n".join(plain).strip("\n"), "".join(blocks))


def _plain(node: Inline | Sequence[Inline]) -> str:
    match node:
        case str() | Text() | Code():
            words = _words(node)
        case Bold(inside):
            words = _plain(inside)
        case Link(inside, address):
            label = _plain(inside)
            words = address if label in ("", address) else f"{label} ({address})"
        case Mention(user, name):
            words = _words(name) or user
        case Break():
            words = "\n"
        case _:
            words = "".join(_plain(each) for each in node)
    return words


def _html(node: Inline | Sequence[Inline]) -> str:
    match node:
        case str() | Text():
            markup = html.escape(_words(node))
        case Code():
            markup = f"<code>{html.escape(_words(node))}</code>"
        case Bold(inside):
            markup = f"<b>{_html(inside)}</b>"
        case Link(inside, address):
            markup = _anchor(address, _html(inside) or html.escape(address))
        case Mention(user, name):
            markup = _anchor(_matrix_to(user), html.escape(_words(name) or user))
        case Break():
            markup = "<br>"
        case _:
            markup = "".join(_html(each) for each in node)
    return markup


def _anchor(address: str, label: str) -> str:
    return f'<a href="{html.escape(address)}">{label}</a>'


def _words(node: str | Text | Code) -> str:
    """On one line, and without what could make it read otherwise: names and titles come from strangers."""
    text = node if isinstance(node, str) else node.text
    return clean_text(text).replace("\n", " ").replace("\t", " ")


# --- contents of events ------------------------------------------------------------------------------------


def message(
    words: Rendered,
    *,
    rings: Sequence[str] = (),
    notice: bool | None = None,
    reply_to: str = "",
    thread: str = "",
    envelope: Mapping[str, Any] | None = None,
    edits: str = "",
) -> dict[str, Any]:
    """The content of an `m.room.message`.

    Args:
        words: what people read.
        rings: ids of whom it mentions. Under the default push rules an `m.notice` rings nobody, so they make
            it an `m.text` (DESIGN §8).
        notice: whether it is an `m.notice`; by default it is unless it rings.
        reply_to: event id of the line that it answers.
        thread: event id of the thread's first message.
        envelope: the signed part, under `dev.fedbot`; for an edit also in the new content.
        edits: event id of our message that it replaces. An edit mentions nobody at the top level, so it rings
            nobody; `rings` then are the ones whom the message as a whole mentions.

    Raises:
        BadContent: see `check`.
    """
    if notice and rings:
        raise ValueError("a notice rings nobody; leave out `notice` or `rings`")
    content: dict[str, Any] = {
        "msgtype": "m.text" if rings or notice is False else "m.notice",
        "body": words.plain,
        "format": "org.matrix.custom.html",
        "formatted_body": words.html,
        # Without this key push rules look for names in the body (Matrix spec, 'User and room mentions').
        "m.mentions": {"user_ids": list(rings)} if rings else {},
    }
    if envelope is not None:
        content[ENVELOPE] = dict(envelope)
    if edits:
        content = _edit(content, edits)
    elif thread:
        content["m.relates_to"] = _in_thread(thread, reply_to)
    elif reply_to:
        content["m.relates_to"] = {"m.in_reply_to": {"event_id": reply_to}}
    return check(content)


def picture(media: Media, words: str, *, name: str, size: int, width: int, height: int, thread: str) -> dict[str, Any]:
    """The content of an `m.image` (PNG) in a thread. `words` say what is to be seen, for who doesn't see it."""
    return check(
        {
            "msgtype": "m.image",
            "body": _words(words),
            "filename": name,
            **_file(media),
            "info": {"mimetype": "image/png", "size": size, "w": width, "h": height},
            "m.mentions": {},
            "m.relates_to": _in_thread(thread, ""),
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


def permalink(room: str, event: str, via: Sequence[str] = ()) -> str:
    """A link to a message. `via` names homeservers in the room: an id of room version 12 names none."""
    query = "&".join(f"via={quote(server, safe=':')}" for server in via)
    return _matrix_to(room, event) + (f"?{query}" if query else "")


def check(content: dict[str, Any]) -> dict[str, Any]:
    """The content, if a homeserver takes it.

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
    """Clients that don't know edits show the top level, as a message of its own (facts/matrix.md)."""
    return content | {
        "body": f"* {content['body']}",
        "formatted_body": f"* {content['formatted_body']}",
        "m.mentions": {},
        "m.new_content": content,
        "m.relates_to": {"rel_type": "m.replace", "event_id": edits},
    }


def _in_thread(thread: str, reply_to: str) -> dict[str, Any]:
    """Clients that don't know threads show a reply, to the thread's first message if to nothing else."""
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


def _matrix_to(*parts: str) -> str:
    return _MATRIX_TO + "/".join(quote(part, safe="@:!$#") for part in parts)
