"""Texts from people and peers, as InvenTree takes them.

It strips line breaks and control characters in silence, and answers 400 'Remove HTML tags' for whatever its
sanitizer would change: tags, HTML entities, no-break spaces. A note that somebody typed must not stop a transfer.
"""

from __future__ import annotations

import html
import re

# Control characters and those that turn the direction of writing; InvenTree drops the same.
_UNSEEN = re.compile("[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e]")


def plain(text: str) -> str:
    """The text on one line, with ‹› for <>; & becomes ＆ where it would begin an HTML entity."""
    text = _UNSEEN.sub("", " ".join(text.split()))
    text = text.replace("<", "‹").replace(">", "›")
    return text if html.unescape(text) == text else text.replace("&", "＆")
