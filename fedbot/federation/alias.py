"""What a friend calls a part of ours, as an approver of ours has said: 'their PLA-RED is our PLA-ROT'."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


def alias_id(peer: str, word: str) -> str:
    """The document's id: case doesn't matter, as it doesn't in InvenTree's own searches."""
    return f"{peer}:{word.casefold()}"


@dataclass(frozen=True)
class Alias:
    """`word` is an IPN or a part's name as `peer` uses it; `part` the key of our part, `name` and `ipn` its own."""

    id: str
    peer: str
    word: str
    part: int
    name: str
    ipn: str
    by: str
    at: datetime
