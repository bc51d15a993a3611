"""What was received and has no stock item any more, and which items others were merged into. Only reads.

Of a merged item nothing stays, and the target's history says only that something was merged into it, and when
(facts/inventree.md, "Merging (type 45)"). What a history has told is final: it is read again only when InvenTree
counts more entries of the item.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from fedbot.federation.questions import ItemsFound, Received, StockHits
from fedbot.inventree.history import SPLIT_CHILD
from fedbot.inventree.pasts import Past
from fedbot.inventree.rows import Row, amount
from fedbot.inventree.server import Server
from fedbot.inventree.stock import rows_of_part
from fedbot.inventree.whereabouts import history_of, history_of_part

MERGED = 45
_MARK = re.compile(r"fed:[0-9a-z-]+:\d+:")
_MOST_ANCESTORS = 20
_FEW = 3

Found = TypeVar("Found", ItemsFound, StockHits)


def _pasts(server: Server, part: int, rows: Mapping[int, Row], items: Iterable[int]) -> list[Past]:
    """The pasts of these items, which are among the part's `rows`.

    A call for each whose history has grown since it was read; where that of a whole part can be asked for, its pages
    if there are more than a few. What an item was before it became one of this part is missing in those.
    """
    wanted = list(items)
    known = server.pasts
    anew = [pk for pk in wanted if pk not in known or known[pk].entries != rows[pk].get("tracking_items")]
    histories: dict[int, list[Row]] = {pk: [] for pk in anew}
    if len(anew) > _FEW and server.version.tells_history_of_parts:
        for entry in history_of_part(server, part):
            histories.get(entry.get("item") or 0, []).append(entry)
    for pk, entries in histories.items():
        whole = len(entries) == rows[pk].get("tracking_items")
        known[pk] = _past(entries if whole else history_of(server, pk))
    return [known[pk] for pk in wanted]


def _past(history: Sequence[Row]) -> Past:
    split_off = tuple(split for entry in history for split in _split_off(entry))
    times = [_time(entry) for entry in history if entry.get("tracking_type") == MERGED]
    return Past(len(history), split_off, max(times, default=None))


def _split_off(entry: Row) -> list[tuple[int, Decimal]]:
    deltas = entry.get("deltas") or {}
    if entry.get("tracking_type") != SPLIT_CHILD or _MARK.match(str(entry.get("notes") or "")):
        return []
    return [(int(deltas.get("stockitem") or 0), amount(deltas.get("removed")))]


def _time(entry: Row) -> datetime:
    return datetime.fromisoformat(str(entry["date"])).replace(tzinfo=UTC)


def with_merges(server: Server, found: Found, received: Iterable[Received]) -> Found:
    """`found`, and what vanished of its parts. One call a part, and histories only where something is missing."""
    vanished: list[Received] = []
    merged: list[tuple[int, datetime]] = []
    for part in dict.fromkeys(item.part.pk for item in found.items):
        ours = [each for each in received if each.part == part]
        rows = {int(row["pk"]): row for row in rows_of_part(server, part)} if ours else {}
        gone = [replace(each, quantity=much) for each in ours if (much := _vanished(server, each, rows)) > 0]
        vanished += gone
        candidates = [item.pk for item in found.items if gone and item.part.pk == part and item.pk in rows]
        merged += [(pk, last) for pk in candidates if (last := _last_merge(server, part, pk, rows))]
    return replace(found, vanished=tuple(vanished), merged=tuple(merged))


def _vanished(server: Server, received: Received, rows: Mapping[int, Row]) -> Decimal:
    """How much of it is gone with its stock item, or with a piece that was split off from it (by no act of ours).

    What was split off has a copy of the link, which holds our mark. What was only used up has not vanished.
    """
    mark = f"fed:{received.transfer}:{received.line}:"
    family = [pk for pk, row in rows.items() if pk == received.item or mark in str(row.get("link") or "")]
    missing = received.quantity - sum((amount(rows[pk]["quantity"]) for pk in family), Decimal(0))
    if not missing or received.item not in rows:
        return missing
    pasts = _pasts(server, received.part, rows, family)
    lost = (much for past in pasts for child, much in past.split_off if child not in rows)
    return min(sum(lost, Decimal(0)), received.quantity)


def _last_merge(server: Server, part: int, item: int, rows: Mapping[int, Row]) -> datetime | None:
    """When something was last merged into the item, or into what it was split from."""
    seen: list[int] = []
    at: object = item
    while isinstance(at, int) and at in rows and at not in seen and len(seen) < _MOST_ANCESTORS:
        seen.append(at)
        at = rows[at].get("parent")
    pasts = _pasts(server, part, rows, seen)
    return max((past.merged for past in pasts if past.merged), default=None)
