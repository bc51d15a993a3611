"""A real server's latency by kind of call: measured medians of the newest version.

Measured on a machine with 2 cores, SQLite, gunicorn 2 × 4, one client at a time, by token.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from fedbot_demo.inventree.exchange import Request


@dataclass(frozen=True, slots=True)
class Latency:
    """The time that a call takes, in seconds; `scale` 1.0 is as measured."""

    scale: float = 1.0

    #: Milliseconds by method, path and whether the query holds `search` or `item_detail`; the first match counts.
    MEASURED: ClassVar[tuple[tuple[str, re.Pattern[str], float], ...]] = (
        ("GET", re.compile(r"/api/user/(me/)?(token/)?"), 7.0),
        ("GET", re.compile(r"/api/stock/track/\?search"), 20.0),
        ("GET", re.compile(r"/api/stock/track/\?item_detail"), 40.0),
        ("GET", re.compile(r"/api/stock/track/\??"), 121.0),
        ("GET", re.compile(r"/api/stock/\d+/"), 29.0),
        ("GET", re.compile(r"/api/stock/"), 34.0),
        ("GET", re.compile(r"/api/part/"), 35.0),
        ("POST", re.compile(r"/api/stock/"), 41.0),
        ("POST", re.compile(r"/api/stock/transfer/"), 27.0),
        ("POST", re.compile(r"/api/stock/assign/"), 18.0),
        ("POST", re.compile(r"/api/stock/return/"), 25.0),
        ("POST", re.compile(r"/api/stock/(add|remove|count|change_status)/"), 18.0),
        ("GET", re.compile(r"/api/metadata/.*"), 5.0),
        ("PATCH", re.compile(r"/api/metadata/.*"), 16.0),
        ("POST", re.compile(r"/api/search/"), 33.0),
    )
    #: For calls that were not measured: a plain read and a plain write.
    OTHER_READ: ClassVar[float] = 20.0
    OTHER_WRITE: ClassVar[float] = 25.0

    def seconds(self, request: Request) -> float:
        """The time for this request."""
        if not request.path.startswith("/api/"):
            return 0.0
        asked = {name for name, _ in request.query}
        searched = "?search" if "search" in asked else "?item_detail" if "item_detail" in asked else ""
        path = request.path + (searched if request.path.endswith("/track/") else "")
        for method, pattern, milliseconds in self.MEASURED:
            if method == request.method and pattern.fullmatch(path):
                return milliseconds / 1000 * self.scale
        other = self.OTHER_READ if request.method in {"GET", "HEAD", "OPTIONS"} else self.OTHER_WRITE
        return other / 1000 * self.scale
