"""Whether InvenTree was put back to an earlier state, as its stock history shows. Only reads.

No list tells that another version of the database is there. The keys of the history only grow, and an entry never
changes: one that we have seen, and that is gone or another now, though its stock item is there, says so.
"""

from __future__ import annotations

from fedbot.inventree.rows import Row
from fedbot.inventree.server import Server
from fedbot.inventree.stock import item_row_if_there
from fedbot.rules.model.queries import Anchor, HistoryAt, HistorySeen

_NEWEST = 25
_MOST = 3
"""So many stock items must have been deleted together before their entries tell nothing any more."""


def history_at(server: Server, question: HistoryAt) -> HistorySeen:
    """The newest entries of three stock items, and whether those of the last time still stand."""
    rows = server.api.row("stock/track/", limit=_NEWEST).get("results") or []
    newest: dict[int | None, Anchor] = {}
    for row in sorted(rows, key=lambda each: int(each["pk"]), reverse=True):
        newest.setdefault(row.get("item"), _anchor(row))
    top = max((int(row["pk"]) for row in rows), default=0)
    anchors = tuple(anchor for item, anchor in newest.items() if item is not None)[:_MOST]
    went_back = _went_back(server, question.anchors, top)
    if went_back:
        server.stock.doubt()
    return HistorySeen(anchors, went_back=went_back)


def _went_back(server: Server, anchors: tuple[Anchor, ...], top: int) -> bool:
    stands = [_stands(server, anchor) for anchor in anchors]
    if False in stands:
        return True
    nothing_told = bool(anchors) and set(stands) == {None}
    return nothing_told and top < min(anchor.pk for anchor in anchors)


def _stands(server: Server, anchor: Anchor) -> bool | None:
    """Whether the entry is as it was; None if it went with its stock item, which old versions delete together."""
    row = server.api.row_if_there(f"stock/track/{anchor.pk}/")
    if row is not None:
        found = _anchor(row)
        return found.date == anchor.date and found.item in (anchor.item, None)
    is_there = anchor.item is not None and item_row_if_there(server, anchor.item) is not None
    return False if is_there else None


def _anchor(row: Row) -> Anchor:
    return Anchor(int(row["pk"]), row.get("item"), str(row.get("date") or ""))
