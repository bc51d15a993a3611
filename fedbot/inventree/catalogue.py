"""Which stock items a person means by a word: `#42`, an IPN, a name, `PART#SERIAL`, a link (DESIGN §8).

A word is tried in this order: item key, link, IPN, `PART#SERIAL`, exact part name; else near hits are told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from fedbot.federation.questions import FindItems, ItemsFound
from fedbot.federation.stock import Part, StockItem
from fedbot.inventree import metadata
from fedbot.inventree.categories import Categories
from fedbot.inventree.merges import with_merges
from fedbot.inventree.rows import Row, item_of, part_of
from fedbot.inventree.server import Server
from fedbot.inventree.stock import item_row_if_there, rows_of_part
from fedbot.inventree.texts import plain, same

# A part may lie in very many places; a person can't choose among more than this anyway.
_MOST_ITEMS = 20
MOST_PARTS = 100

# No table is that long: a number with more digits is no key, and no question for the database.
_KEY = re.compile(r"#\s*(\d{1,9})")
# The item's page in the web interface (new, old) and in the API, with or without what follows.
_ITEM_PATH = re.compile(r"/(?:(?:web|platform)/)?(?:api/)?stock/(?:item/)?(\d{1,9})(?:/.*)?")


def find_items(server: Server, question: FindItems, categories: Categories | None = None) -> ItemsFound:
    """The stock items that a word means, or parts with nearly that name."""
    return with_merges(server, _found(server, question, categories), question.received)


def _found(server: Server, question: FindItems, categories: Categories | None) -> ItemsFound:
    word = question.word.strip()
    if categories is None:
        categories = Categories.read(server.api) if question.with_categories else Categories(())
    key = _key_in(server, word)
    if key is not None:
        return _one(server, key, categories)
    if not word or "://" in word:
        return ItemsFound()
    parts = parts_by_ipn(server, word)
    if not parts and "#" in word:
        found = _by_serial(server, word, categories)
        if found is not None:
            return found
    near: list[dict[str, Any]] = []
    if not parts:
        near = server.api.rows("part/", search=word.replace("|", " "), limit=MOST_PARTS)
        parts = [row for row in near if word.casefold() in _names(row)]
    if parts:
        return _in_stock(server, parts, categories)
    return ItemsFound(parts=tuple(part_of(row) for row in near))


def parts_by_ipn(server: Server, ipn: str) -> list[dict[str, Any]]:
    """The parts with this IPN; case doesn't matter (facts: the filter is exact, but case-insensitive)."""
    rows = server.api.rows("part/", IPN=plain(ipn))
    return [row for row in rows if same(str(row.get("IPN") or ""), ipn)]


def parts_by_name(server: Server, name: str) -> list[dict[str, Any]]:
    """The parts with exactly this name; case doesn't matter. InvenTree ignores `?name=`, so it's a search."""
    rows = server.api.rows("part/", search=plain(name), limit=MOST_PARTS)
    return [row for row in rows if same(str(row.get("name") or ""), name)]


def _names(row: Row) -> tuple[str, str]:
    """What a person may call a part: its name, or the full name that InvenTree shows: 'IPN | name'."""
    return str(row.get("name") or "").casefold(), str(row.get("full_name") or "").casefold()


def _key_in(server: Server, word: str) -> int | None:
    """The item's key in `#42`, or in a link to our own InvenTree, by whichever of its addresses."""
    match = _KEY.fullmatch(word)
    if match is None and "://" in word:
        link = urlsplit(word)
        for address in (server.api.base_url, server.settings.public_url):
            home = urlsplit(address)
            if link.netloc.casefold() == home.netloc.casefold():
                match = match or _ITEM_PATH.fullmatch(link.path.removeprefix(home.path.rstrip("/")))
    return int(match[1]) if match else None


def _one(server: Server, key: int, categories: Categories) -> ItemsFound:
    """One item by its key, in stock or not, with its whole part (a stock row tells no keywords)."""
    row = item_row_if_there(server, key)
    if row is None:
        return ItemsFound()
    return _with_origins(server, [(row, _part(server.api.row(f"part/{row['part']}/"), categories))])


def _part(row: Row, categories: Categories) -> Part:
    return part_of(row, categories.chain(row.get("category")))


def _by_serial(server: Server, word: str, categories: Categories) -> ItemsFound | None:
    """The item that `PART#SERIAL` means, or None if there is no such part."""
    name, _, serial = (piece.strip() for piece in word.rpartition("#"))
    if not name or not serial:
        return None
    parts = parts_by_ipn(server, name) or parts_by_name(server, name)
    if not parts:
        return None
    found = [
        (row, _part(part, categories))
        for part in parts
        for row in rows_of_part(server, int(part["pk"]), serial=serial)
        if str(row.get("serial") or "") == serial
    ]
    return _with_origins(server, found)


def _in_stock(server: Server, parts: Iterable[Row], categories: Categories) -> ItemsFound:
    """What lies in stock of these parts, but not what is on its way out."""
    outgoing = server.places.meant_by(server.settings.outgoing)
    leaving = {place.pk for place in outgoing}
    found = [
        (row, _part(part, categories))
        for part in parts
        for row in rows_of_part(server, int(part["pk"]), in_stock="true")
        if row.get("location") not in leaving
    ]
    known = tuple(part_of(part) for part in parts)
    found_items = _with_origins(server, found[:_MOST_ITEMS])
    return ItemsFound(items=found_items.items, parts=() if found else known, tainted=found_items.tainted)


def _with_origins(server: Server, found: Iterable[tuple[Row, Part]]) -> ItemsFound:
    """The items with their metadata, those in stock first, and which of them came from another party."""
    items: list[StockItem] = []
    tainted: list[tuple[int, str]] = []
    for row, part in found:
        pk = int(row["pk"])
        content = metadata.read(server, "stockitem", pk)
        own = metadata.provenance_in(content)
        origin = metadata.origin_of(server, row, own)
        if origin:
            tainted.append((pk, origin))
        items.append(
            item_of(
                row,
                server.version,
                part=part,
                provenance=own if own is not None and own.item == pk else None,
                metadata=metadata.foreign_part(content),
            )
        )
    items.sort(key=lambda item: (not item.in_stock, item.pk))  # the oldest leaves first
    return ItemsFound(items=tuple(items), tainted=tuple(tainted))
