"""What InvenTree's barcodes and QR codes hold: `INV-SI42` or `{"stockitem": 42}`, and so of parts and places.

Neither says whose InvenTree it comes from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

STOCK_ITEM, PART, LOCATION = "stockitem", "part", "stocklocation"
_SHORT = {"SI": STOCK_ITEM, "PA": PART, "SL": LOCATION}
_CODE = re.compile(
    r'INV-(?P<short>SI|PA|SL)(?P<key>\d{1,9})|\{\s*"?(?P<json>stockitem|part|stocklocation)"?\s*:\s*"?(?P<pk>\d{1,9})"?\s*\}',
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Scanned:
    """What a code stands for: a record of InvenTree's, of `model`, by its key."""

    model: str
    key: int


def scanned_in(text: str) -> Scanned | None:
    """What the scanned code stands for; None if it is no such code."""
    match = _CODE.fullmatch(text.strip())
    if match is None:
        return None
    if match["short"]:
        return Scanned(_SHORT[match["short"].upper()], int(match["key"]))
    return Scanned(match["json"].lower(), int(match["pk"]))


def stock_item_in(text: str) -> int | None:
    """The key of the stock item that a scanned code stands for; None if it is no such code."""
    scanned = scanned_in(text)
    return scanned.key if scanned is not None and scanned.model == STOCK_ITEM else None
