"""How much there is in our InvenTree, in two calls however much it is (facts/inventree.md (i))."""

from __future__ import annotations

from typing import Any

from fedbot.federation.questions import StockCounts, StockFigures
from fedbot.inventree.server import Server
from fedbot.inventree.transport import InvenTreeTransport

_ASKED: dict[str, dict[str, Any]] = {
    "part": {},
    "stockitem": {"in_stock": True},
    "partcategory": {},
    "stocklocation": {},
}


def count_stock(server: Server, question: StockFigures) -> StockCounts:
    """The counts, under our own token or the one made for a friend, whose rights and logs then apply.

    Raises the problems of a read; `NotPermitted` if the friend's token is gone or not taken any more.
    """
    with server.under(question.reference) as api:
        return _counts(api)


def _counts(transport: InvenTreeTransport) -> StockCounts:
    found = transport.ask("search/", {"search": "", "limit": 1, **_ASKED})
    parts = _count(found, "part")
    return StockCounts(
        parts=parts,
        stock_items=_count(found, "stockitem"),
        low_stock=transport.count("part/", low_stock="true") if parts is not None else None,
        categories=_count(found, "partcategory"),
        locations=_count(found, "stocklocation"),
    )


def _count(found: dict[str, Any], model: str) -> int | None:
    """None where the role to look at the model is missing: then it says `error` instead of a count."""
    told = found.get(model)
    count = told.get("count") if isinstance(told, dict) else None
    return count if isinstance(count, int) else None
