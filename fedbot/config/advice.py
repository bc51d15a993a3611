"""How a check of a single setting says what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pydantic_core import PydanticCustomError

ADVICE = "advice"


def write_instead(advice: str) -> PydanticCustomError:
    """The error that a validator raises: `advice` is what to write, as in 'use lowercase letters'."""
    # as a value of the context, since braces in the template itself would be taken for placeholders
    return PydanticCustomError(ADVICE, "{advice}", {"advice": advice})


def nearest(word: str, known: Iterable[str]) -> str:
    """The one word of `known` that `word` was probably meant to be, or '' if none is near."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[near[0]] if near else ""
