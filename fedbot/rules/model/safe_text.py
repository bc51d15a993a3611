"""Text from strangers without what could mislead a reader or break a store: controls and bidi overrides."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

# Embeddings, overrides, isolates and marks: with them a line can read otherwise than it is (Unicode TR 36).
_BIDI = {"\u061c", "\u200e", "\u200f", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
_INVISIBLE = {"\u200b", "\u2060", "\ufeff"}
_LINE_BREAKS = str.maketrans({"\u0085": "\n", "\u2028": "\n", "\u2029": "\n", "\v": "\n", "\f": "\n"})
_NAME_LENGTH = 80


def _stays(sign: str) -> bool:
    if sign in "\n\t":
        return True
    # Cc are controls (NUL among them), Cs half surrogates that no UTF-8 can hold.
    return sign not in _BIDI and sign not in _INVISIBLE and unicodedata.category(sign) not in ("Cc", "Cs")


def clean_text(text: object) -> str:
    """A text of several lines, with line feeds and tabs only; anything but a string becomes ''."""
    if not isinstance(text, str):
        return ""
    unified = text.replace("\r\n", "\n").replace("\r", "\n").translate(_LINE_BREAKS)
    return "".join(sign for sign in unified if _stays(sign))


def clean_name(name: object) -> str:
    """A name: one line, white space folded, at most 80 characters; anything but a string becomes ''."""
    return " ".join(clean_text(name).split())[:_NAME_LENGTH].rstrip()


def can_be_stored(raw: dict[str, Any]) -> bool:
    """Whether the event is JSON that UTF-8 can hold: half surrogates, NaN, infinity and endless nesting are not."""
    try:
        json.dumps(raw, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return False
    return True
