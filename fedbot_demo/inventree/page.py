"""A small page for people: the stock with its locations, customers and history. Read-only, no login, no scripts.

It replaces InvenTree's web interface in `make demo ARGS=--keep`.
"""

from __future__ import annotations

import re
from html import escape

from fedbot_demo.inventree.exchange import Request, Response
from fedbot_demo.inventree.records import StockItem
from fedbot_demo.inventree.server_info import INSTANCE
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.statuses import label_of, stock_status_text
from fedbot_demo.inventree.stock_json import full_name, location_chain, minute, pathstring

_STYLE = (
    "body{font:16px/1.4 system-ui,sans-serif;margin:2rem;max-width:70rem}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;"
    "border-bottom:1px solid #ddd;vertical-align:top}.away{color:#777}"
)
_ITEM = re.compile(r"(?:/web)?/stock/(?:item/)?(\d+)/?")
_HTML = (("Content-Type", "text/html; charset=utf-8"), ("X-Frame-Options", "DENY"))


def answer(state: State, request: Request) -> Response:
    """The page at this path: `/` all stock, `/stock/<number>/` one item (also `/web/stock/item/<number>`)."""
    if request.method not in {"GET", "HEAD"}:
        return Response(405, _HTML)
    if request.path == "/":
        return _page(state, 200, state.setting(INSTANCE), _all_stock(state))
    found = _ITEM.fullmatch(request.path)
    item = state.stock.get(int(found[1])) if found else None
    if item is None:
        return _page(state, 404, "Not here", "<p>There is no such page.</p>")
    return _page(state, 200, f"Stock #{item.pk}", _one_item(state, item))


def _page(state: State, status: int, title: str, content: str) -> Response:
    text = (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<style>{_STYLE}</style></head><body><p><a href="/">{escape(state.setting(INSTANCE))}</a>, '
        f"a simulated InvenTree</p><h1>{escape(title)}</h1>{content}</body></html>"
    )
    return Response(status, _HTML, text.encode())


def _table(heads: list[str], rows: list[str]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _quantity(item: StockItem) -> str:
    return f"{item.quantity.normalize():f}" if not item.serial else f"serial {escape(item.serial)}"


def _where(state: State, item: StockItem) -> str:
    customer = state.companies.get(item.customer)
    if customer is not None:
        return f'<span class="away">with customer {escape(customer.name)}</span>'
    location = state.locations.get(item.location)
    return escape(pathstring(location_chain(state, location))) if location is not None else "nowhere"


def _all_stock(state: State) -> str:
    items = sorted(state.stock, key=lambda item: (state.parts[item.part].name, item.pk))
    rows = [
        f'<tr><td><a href="/stock/{item.pk}/">#{item.pk}</a></td>'
        f"<td>{escape(full_name(state.parts[item.part]))}</td><td>{_quantity(item)}</td>"
        f"<td>{_where(state, item)}</td>"
        f"<td>{escape(stock_status_text(state, item.status, item.status_custom_key))}</td></tr>"
        for item in items
    ]
    return _table(["Stock", "Part", "Quantity", "Where", "Status"], rows)


def _one_item(state: State, item: StockItem) -> str:
    entries = sorted(state.tracking.find("item", item.pk), key=lambda entry: entry.pk, reverse=True)
    rows = []
    for entry in entries:
        user = state.users.get(entry.user)
        rows.append(
            f"<tr><td>{minute(entry.date)}</td>"
            f"<td>{escape(label_of('StockHistoryCode', entry.tracking_type))}</td>"
            f"<td>{escape(entry.notes)}</td><td>{escape(user.username if user else '')}</td></tr>"
        )
    link = f"<br>Link: {escape(item.link)}" if item.link else ""
    return (
        f"<p>{escape(full_name(state.parts[item.part]))}<br>{_quantity(item)}<br>{_where(state, item)}<br>"
        f"{escape(stock_status_text(state, item.status, item.status_custom_key))}{link}</p>"
        f"<h2>History</h2>{_table(['When', 'What', 'Notes', 'Who'], rows)}"
    )
