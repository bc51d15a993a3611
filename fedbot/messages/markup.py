"""The nodes of a message, and its two forms: plain text and HTML."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from fedbot.rules.names import clean_text

_MATRIX_TO = "https://matrix.to/#/"
_BULLET = "• "


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
    """Words to be typed exactly like this."""

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
    """A person by name, shown as a pill. It notifies them only if the message's `mentions` say so."""

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


class ChatOnly(tuple[Inline, ...]):
    """A line that says how to answer in chat. A page has buttons, and leaves it out."""

    __slots__ = ()


Line = Inline | Items | Sequence[Inline]
"""One line of a message. An empty one ('' or ()) ends a paragraph."""


def joined(parts: Iterable[Sequence[Inline]]) -> tuple[Inline, ...]:
    """These parts of a line with dots between them, without empty ones."""
    nodes: list[Inline] = []
    for part in parts:
        if any(part):
            nodes += [*([" · "] if nodes else []), *part]
    return tuple(nodes)


# --- rendering ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rendered:
    """Words in both forms. The first line of `plain` is the push text."""

    plain: str
    html: str


def render(lines: Iterable[Line], *, on_page: bool = False) -> Rendered:
    """The lines as plain text and as HTML. `on_page`: without those that are for chat only (`ChatOnly`)."""
    plain: list[str] = []
    blocks: list[str] = []
    paragraph: list[str] = []

    def end_paragraph() -> None:
        if paragraph:
            blocks.append(f"<p>{'<br>'.join(paragraph)}</p>")
            paragraph.clear()

    for line in lines:
        if on_page and isinstance(line, ChatOnly):
            continue
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
            markup = html.escape(_words(node), quote=False)
        case Code():
            markup = f"<code>{html.escape(_words(node), quote=False)}</code>"
        case Bold(inside):
            markup = f"<b>{_html(inside)}</b>"
        case Link(inside, address):
            markup = _anchor(address, _html(inside) or html.escape(address))
        case Mention(user, name):
            markup = _anchor(_matrix_to(user), html.escape(_words(name) or user, quote=False))
        case Break():
            markup = "<br>"
        case _:
            markup = "".join(_html(each) for each in node)
    return markup


def _anchor(address: str, label: str) -> str:
    return f'<a href="{html.escape(address)}">{label}</a>'


def _words(node: str | Text | Code) -> str:
    """The text on one line, without characters that mislead: names and titles come from strangers."""
    text = node if isinstance(node, str) else node.text
    return clean_text(text).replace("\n", " ").replace("\t", " ")


def permalink(room: str, event: str, via: Sequence[str] = ()) -> str:
    """A link to a message. `via` names homeservers in the room: an id of room version 12 names none."""
    query = "&".join(f"via={quote(server, safe=':')}" for server in via)
    return _matrix_to(room, event) + (f"?{query}" if query else "")


def _matrix_to(*parts: str) -> str:
    return _MATRIX_TO + "/".join(quote(part, safe="@:!$#") for part in parts)
