"""What InvenTree does to every string before it looks at it: strip, drop control characters, refuse HTML.

Facts: 'More tested traps' (newlines are stripped, HTML tags are refused). The finer points (a no-break space and
anything that reads as an HTML entity are refused too) were tried with the sanitizer that InvenTree uses.
"""

from __future__ import annotations

import html
import re

from fedbot.demo.inventree.exchange import InvalidError, JsonObject

_CONTROL = re.compile("[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e]")
_TAG = re.compile(r"<[A-Za-z!?]|</.", re.DOTALL)
_NO_BREAK_SPACE = "\u00a0"

#: The text fields that may hold several lines, by model.
MULTI_LINE = frozenset({"notes"})


def cleaned_text(name: str, text: str, *, multi_line: bool = False) -> str:
    """`text` as InvenTree would store it.

    Raises:
        InvalidError: the text holds something that the sanitizer would change; the error is about field `name`.
    """
    text = _CONTROL.sub("", text)
    if not multi_line:
        text = text.replace("\n", "")
    text = text.strip()
    if _TAG.search(text) or _NO_BREAK_SPACE in text or ("&" in text and html.unescape(text) != text):
        raise InvalidError({name: ["Remove HTML tags from this value"]})
    return text


def cleaned(data: JsonObject, *, multi_line: frozenset[str] = frozenset()) -> JsonObject:
    """A request's fields, cleaned: strings and nested objects. Lists go through untouched, as in InvenTree."""
    result: JsonObject = {}
    for name, value in data.items():
        if isinstance(value, str):
            result[name] = cleaned_text(name, value, multi_line=name in multi_line)
        elif isinstance(value, dict):
            result[name] = cleaned(value, multi_line=multi_line)
        else:
            result[name] = value
    return result
