"""What was received and has no stock item any more, and which items others were merged into. Only reads.

Of a merged item nothing stays, and the target's history says only that something was merged into it, and when
(facts/inventree.md, "Merging (type 45)").
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fedbot.federation.questions import ItemsFound, Received
from fedbot.inventree.history import SPLIT_CHILD
from fedbot.inventree.rows import Row, amount
from fedbot.inventree.server import Server
from fedbot.inventree.stock import rows_of_part
from fedbot.inventree.whereabouts import history_of

MERGED = 45
_MARK = re.compile(r"fed:[0-9a-z]+:\d+:")
_MOST_ANCESTORS = 20


def with_merges(server: Server, found: ItemsFound, received: Iterable[Received]) -> ItemsFound:
    """`found`, and what vanished of its parts. One call a part, and histories only where something is missing."""
    vanished: list[Received] = []
    merged: list[tuple[int, datetime]] = []
    for part in dict.fromkeys(item.part.pk for item in found.items):
        ours = [each for each in received if each.part == part]
        rows = {int(row["pk"]): row for row in rows_of_part(server, part)} if ours else {}
        gone = [replace(each, quantity=much) for each in ours if (much := _vanished(server, each, rows)) > 0]
        vanished += gone
        candidates = [item.pk for item in found.items if gone and item.part.pk == part]
        merged += [(pk, last) for pk in candidates if (last := _last_merge(server, pk, rows))]
    return replace(found, vanished=tuple(vanished), merged=tuple(merged))


def _vanished(server: Server, received: Received, rows: dict[int, dict[str, Any]]) -> Decimal:
    """How much of it is gone with its stock item, or with a piece that was split off from it (by no act of ours).

    What was split off has a copy of the link, which holds our mark. What was only used up has not vanished.
    """
    mark = f"fed:{received.transfer}:{received.line}:"
    family = [pk for pk, row in rows.items() if pk == received.item or mark in str(row.get("link") or "")]
    missing = received.quantity - sum((amount(rows[pk]["quantity"]) for pk in family), Decimal(0))
    if not missing or received.item not in rows:
        return missing
    lost = (_split_off_and_gone(entry, rows) for pk in family for entry in history_of(server, pk))
    return min(sum(lost, Decimal(0)), received.quantity)


def _split_off_and_gone(entry: Row, rows: dict[int, dict[str, Any]]) -> Decimal:
    deltas = entry.get("deltas") or {}
    ours = _MARK.match(str(entry.get("notes") or ""))
    if entry.get("tracking_type") != SPLIT_CHILD or ours or deltas.get("stockitem") in rows:
        return Decimal(0)
    return amount(deltas.get("removed") or 0)


def _last_merge(server: Server, item: int, rows: dict[int, dict[str, Any]]) -> datetime | None:
    """When something was last merged into the item, or into what it was split from."""
    seen: list[int] = []
    at: object = item
    while isinstance(at, int) and at in rows and at not in seen and len(seen) < _MOST_ANCESTORS:
        seen.append(at)
        at = rows[at].get("parent")
    times = [_time(entry) for pk in seen for entry in history_of(server, pk) if entry.get("tracking_type") == MERGED]
    return max(times, default=None)


def _time(entry: Row) -> datetime:
    return datetime.fromisoformat(str(entry["date"])).replace(tzinfo=UTC)
