"""What InvenTree's barcodes and QR codes of stock items hold: `INV-SI42`, or `{"stockitem": 42}`.

Neither says whose InvenTree it comes from.
"""

from __future__ import annotations

import re

_CODE = re.compile(r'INV-SI(?P<short>\d{1,9})|\{\s*"?stockitem"?\s*:\s*"?(?P<json>\d{1,9})"?\s*\}', re.IGNORECASE)


def stock_item_in(text: str) -> int | None:
    """The key of the stock item that a scanned code stands for; None if it is no such code."""
    match = _CODE.fullmatch(text.strip())
    return int(match["short"] or match["json"]) if match else None
