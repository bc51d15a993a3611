"""Finds the stock items, parts or categories that a word means (`#42`, an IPN, a name), and stock for a search."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from fedbot.inventree import marks
from fedbot.inventree.client.rows import Row, amount, item_of, part_of, part_shown, plain, same, small_picture_of
from fedbot.inventree.client.server import Server
from fedbot.inventree.client.transport import InvenTreeTransport
from fedbot.inventree.stock_index import Known, forms_of
from fedbot.inventree.units import OwnUnits, as_told, factor, is_known
from fedbot.inventree.what_travels import DETAILED, item_seen, part_seen
from fedbot.ports.inventory import NotPermitted, Refusal
from fedbot.rules.model import stock
from fedbot.rules.model.care import is_below
from fedbot.rules.model.catalogue import CATEGORY, ITEM, PART, share_id
from fedbot.rules.model.queries import (
    FindItems,
    FindShareable,
    ItemsFound,
    LendingSaid,
    NamedThings,
    RelateUnits,
    Scope,
    SearchStock,
    Shareable,
    StockHits,
    Thing,
    UnitsRelated,
    UnknownThings,
)
from fedbot.rules.model.stock import (
    NOTHING_SEEN,
    STATUS_OK,
    Part,
    Scanned,
    StockItem,
    UnitFactor,
    counts_pieces,
    is_common,
    scanned_in,
    stock_item_in,
)
from fedbot.rules.names import without_end

_DEEPEST = 50


class Categories:
    """All part categories, by key."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = {int(row["pk"]): row for row in rows}

    @classmethod
    def read(cls, api: InvenTreeTransport) -> Categories:
        """Read them now. Raises the problems of a read."""
        return cls(api.rows("part/category/"))

    def get(self, pk: int) -> Row | None:
        """The category with that key."""
        return self._rows.get(pk)

    def chain(self, pk: object) -> tuple[int, ...]:
        """The category's key and those of its ancestors, innermost first; empty for no category."""
        chain: list[int] = []
        while isinstance(pk, int) and pk in self._rows and pk not in chain and len(chain) < _DEEPEST:
            chain.append(pk)
            pk = self._rows[pk].get("parent")
        return tuple(chain)

    def below(self, keys: Iterable[int]) -> set[int]:
        """These categories and all their descendants."""
        wanted = set(keys)
        return {pk for pk in self._rows if wanted & set(self.chain(pk))}

    def path(self, pk: object) -> str:
        """The path as InvenTree writes it: `Optics/Lasers`; '' for no category."""
        row = self._rows.get(pk) if isinstance(pk, int) else None
        return str(row.get("pathstring") or row.get("name") or "") if row else ""

    def paths(self) -> tuple[str, ...]:
        """The paths of all categories."""
        return tuple(self.path(pk) for pk in self._rows)

    def like(self, word: str) -> list[str]:
        """At most three category names that are similar to the word, best first."""
        names = {str(row.get("name") or "").casefold(): str(row.get("name") or "") for row in self._rows.values()}
        return [names[hit] for hit in difflib.get_close_matches(word.casefold(), names)]

    def named(self, word: str) -> list[Row]:
        """The categories with that name or path; case doesn't matter."""
        return [
            row
            for row in self._rows.values()
            if same(str(row.get("name") or ""), word) or same(str(row.get("pathstring") or ""), word)
        ]


# A part may be in very many places. A person can't choose among more than this anyway.
_MOST_ITEMS = 20
MOST_PARTS = 100

# No table is that long, so a number with more digits is no key and isn't queried.
_KEY = re.compile(r"#\s*(\d{1,9})")
# The item's page in the web interface (new, old) and in the API, with or without a following path.
_ITEM_PATH = re.compile(r"/(?:(?:web|platform)/)?(?:api/)?stock/(?:item/)?(\d{1,9})(?:/.*)?")


def find_items(server: Server, query: FindItems, categories: Categories | None = None) -> ItemsFound:
    """The stock items that a word means, or parts with nearly that name. Units of our own are told by definition."""
    found = _found(server, query, categories)
    if not found.items and (ended := without_full_stop(query.word)):
        found = _found(server, replace(query, word=ended), categories)
    if all(counts_pieces(item.part.units) for item in found.items):
        return found
    own = server.own_units()
    items = tuple(replace(item, part=replace(item.part, units=as_told(item.part.units, own))) for item in found.items)
    counted = dict.fromkeys(item.part.units for item in items)
    pairs = [(unit, units) for unit in query.units for units in counted]
    return replace(found, items=items, factors=_factors(pairs, OwnUnits() if query.by_peer else own))


def without_full_stop(word: str) -> str:
    """The word without the punctuation that ends a sentence, which phones add to the last word; '' if it has none."""
    ended = without_end(word)
    return "" if ended == word.strip() else ended


def relate_units(server: Server, query: RelateUnits) -> UnitsRelated:
    """The factors between these units, by this server's definitions."""
    return UnitsRelated(_factors(query.pairs, server.own_units()))


def _factors(pairs: Iterable[tuple[str, str]], own: OwnUnits) -> tuple[UnitFactor, ...]:
    """The number of a part's units in one typed unit, by `own` definitions or common ones.

    Pairs that everybody can convert are left out.
    """
    differing = [(unit, units) for unit, units in pairs if unit != units and not counts_pieces(units)]
    told = {unit: as_told(unit, own) for unit, _ in differing}
    asked = [(unit, units) for unit, units in differing if told[unit] != unit or not is_common(unit, units)]
    ratios = ((unit, units, factor(told[unit], units)) for unit, units in asked)
    return tuple(UnitFactor(unit, units, str(ratio)) for unit, units, ratio in ratios if ratio is not None)


def _found(server: Server, query: FindItems, categories: Categories | None) -> ItemsFound:
    word = query.word.strip()
    if categories is None:
        wanted = query.with_categories or query.lending
        categories = Categories.read(server.api) if wanted else Categories(())
    key = _key_in(server, word)
    if key is not None:
        return _one(server, key, categories, query)
    if not word or "://" in word:
        return ItemsFound()
    scanned = scanned_in(word)
    if scanned is not None:
        return _described(server, _stock_of(server, scanned), categories, query)
    for called in ("IPN", "name"):
        if rows := _stock_called(server, called, word):
            return _described(server, rows, categories, query)
        if called == "IPN" and "#" in word:
            numbered = _by_serial(server, word, categories, query)
            if numbered is not None:
                return numbered
    near = next((parts for form in forms_of(word) if (parts := parts_like(server, form))), ())
    exact = tuple(part for part in near if any(same(called, word) for called in (part.ipn, part.name, part.full_name)))
    if rows := [row for part in exact for row in _stock_called(server, "name", part.name) if row["part"] == part.pk]:
        return _described(server, rows, categories, query)
    return ItemsFound(parts=exact or near)


def takes_unit(server: Server, unit: str) -> bool:
    """Whether a new part can have this unit, and would be counted as it is told."""
    return counts_pieces(unit) or is_known(unit, server.own_units())


def _stock_called(server: Server, called: str, word: str) -> list[dict[str, Any]]:
    """The stock of the parts with this IPN or name, by calls that are faster than `part/`, which sums up stock."""
    rows = _in_stock(server, {called: plain(word)})
    return _not_leaving(server, [row for row in rows if same(str(part_shown(row).get(called) or ""), word)])


def _stock_of(server: Server, scanned: Scanned) -> list[dict[str, Any]]:
    """The stock of the part, or directly in the location, that a scanned code means."""
    field = "part" if scanned.model == stock.PART else "location"
    rows = [row for row in _in_stock(server, {field: scanned.key}) if row.get(field) == scanned.key]
    return _not_leaving(server, rows)


def _in_stock(server: Server, wanted: Mapping[str, object]) -> list[dict[str, Any]]:
    """The newest matching stock. If it fills a page, a second call adds the largest."""
    filters = {**wanted, "in_stock": "true", "limit": _MOST_ROWS, **DETAILED}
    rows = server.api.rows("stock/", **filters, ordering=server.version.newest_first)
    if len(rows) == _MOST_ROWS:
        known = {row.get("pk") for row in rows}
        largest = server.api.rows("stock/", **filters, ordering="-quantity")
        rows += [row for row in largest if row.get("pk") not in known]
    return rows


def _not_leaving(server: Server, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out stock in the outgoing locations."""
    leaving = {place.pk for place in server.places.meant_by(server.settings.outgoing)}
    return [row for row in rows if row.get("location") not in leaving]


def parts_like(server: Server, word: str) -> tuple[Part, ...]:
    """The parts that match all words, in stock or not, from the index."""
    server.stock.make_ready(server.stock_source)
    words = word.translate(_QUOTES).casefold().split()
    found = server.stock.index.search(words, Scope(everything=True), (), MOST_PARTS, in_stock=False) if words else []
    return tuple(known.part for known in found)


def unknown_things(server: Server, query: NamedThings) -> UnknownThings:
    """The names in the settings that InvenTree doesn't have."""
    categories = Categories.read(server.api).paths() if query.categories else ()
    locations = server.places.paths()
    return UnknownThings(
        tuple(word for word in query.parts if not _is_part(server, word)),
        tuple(word for word in query.categories if not any(is_below(path, word) for path in categories)),
        tuple(word for word in query.locations if not any(is_below(path, word) for path in locations)),
    )


def _is_part(server: Server, word: str) -> bool:
    key = word.casefold().removeprefix("part:")
    if key.isdecimal() and key != word.casefold():
        return server.api.row_if_there(f"part/{key}/") is not None
    return bool(parts_by_ipn(server, word) or parts_by_name(server, word))


def parts_by_ipn(server: Server, ipn: str) -> list[dict[str, Any]]:
    """The parts with this IPN; case doesn't matter (InvenTree's filter is exact, but case-insensitive)."""
    rows = server.api.rows("part/", IPN=plain(ipn))
    return [row for row in rows if same(str(row.get("IPN") or ""), ipn)]


def parts_by_name(server: Server, name: str) -> list[dict[str, Any]]:
    """The parts with exactly this name, or full name ('IPN | name' as InvenTree shows it); case doesn't matter.

    InvenTree ignores `?name=`, and sums up stock for each part that a search finds. So the query is a pattern that
    matches few parts.
    """
    written = plain(name)
    for each in dict.fromkeys([written, *written.split(" | ")]):
        rows = server.api.rows("part/", name_regex=f"^{re.escape(each)}$", limit=MOST_PARTS)
        found = [row for row in rows if any(same(called, name) for called in _names(row))]
        if found:
            return found
    return []


def _names(row: Row) -> tuple[str, str]:
    """The two names of a part: its name, and the full name that InvenTree shows ('IPN | name')."""
    return str(row.get("name") or ""), str(row.get("full_name") or "")


def _key_in(server: Server, word: str) -> int | None:
    """The item's key in `#42`, a scanned code, or a link to any address of our own InvenTree."""
    if (scanned := stock_item_in(word)) is not None:
        return scanned
    match = _KEY.fullmatch(word)
    if match is None and "://" in word:
        link = urlsplit(word)
        for address in (server.api.base_url, server.settings.public_url):
            home = urlsplit(address)
            if link.netloc.casefold() == home.netloc.casefold():
                match = match or _ITEM_PATH.fullmatch(link.path.removeprefix(home.path.rstrip("/")))
    return int(match[1]) if match else None


def _one(server: Server, key: int, categories: Categories, query: FindItems) -> ItemsFound:
    """One stock item by its key, in stock or not, with its complete part."""
    row = server.api.row_if_there(f"stock/{key}/", **DETAILED, tags="true")
    if row is None:
        return ItemsFound()
    found = [(row, _whole_part(server, row, categories, query))]
    return _with_origins(server, found, categories, query)


def _whole_part(server: Server, row: Row, categories: Categories, query: FindItems) -> Part:
    """The part of a stock item, with keywords and category, which a stock row lacks.

    Keywords only help a friend to find the part, so the index's are enough if its part is otherwise equal. The category
    decides whether the part is shared, so it is read.
    """
    known = server.stock.index.part(int(row["part"]))
    told = part_of(part_shown(row))
    if known is not None and known.whole and not (query.with_categories or query.lending):
        part = replace(told, keywords=known.part.keywords, category=known.part.category)
        if part == known.part:
            return part
    return _part(server.api.row(f"part/{row['part']}/"), categories)


def _part(row: Row, categories: Categories) -> Part:
    return part_of(row, categories.chain(row.get("category")), categories.path(row.get("category")))


def _by_serial(server: Server, word: str, categories: Categories, query: FindItems) -> ItemsFound | None:
    """The item that `PART#SERIAL` means, or None if there is no such part."""
    name, _, serial = (piece.strip() for piece in word.rpartition("#"))
    if not name or not serial:
        return None
    for called in ("IPN", "name"):
        rows = server.api.rows("stock/", **{called: plain(name)}, serial=serial, limit=_MOST_ROWS, **DETAILED)
        same_number = [row for row in rows if str(row.get("serial") or "") == serial]
        meant = [row for row in same_number if same(str(part_shown(row).get(called) or ""), name)]
        if meant:
            return _described(server, meant, categories, query)
    is_part = parts_by_ipn(server, name) or parts_by_name(server, name)
    return ItemsFound() if is_part else None


def _foremost(rows: list[Row]) -> list[Row]:
    """As many rows as a person can choose from: those with status OK first, half of them the largest, then the newest.

    `rows` begins with the newest. A part may be in very many places, most of them small. Without the largest, nobody
    could ask for a large quantity.
    """
    if len(rows) <= _MOST_ITEMS:
        return rows
    largest = sorted(rows, key=lambda row: (row.get("status") != STATUS_OK, -amount(row.get("quantity"))))
    chosen = largest[: _MOST_ITEMS // 2]
    newest = sorted(rows, key=lambda row: row.get("status") != STATUS_OK)
    return (chosen + [row for row in newest if row not in chosen])[:_MOST_ITEMS]


def _described(server: Server, rows: Iterable[Row], categories: Categories, query: FindItems) -> ItemsFound:
    """The foremost of these stock rows, with their complete parts, each read once."""
    parts: dict[int, Part] = {}
    found = []
    for row in _foremost(list(rows)):
        pk = int(row["part"])
        if pk not in parts:
            parts[pk] = _whole_part(server, row, categories, query)
        found.append((row, parts[pk]))
    return _with_origins(server, found, categories, query)


def _with_origins(
    server: Server, found: Iterable[tuple[Row, Part]], categories: Categories, query: FindItems
) -> ItemsFound:
    """The items with their metadata, those in stock first, and which of them came from another party.

    If the query asks for it, with everything that InvenTree has about them, and with their lending rules.
    """
    whole, rules = query.whole, marks.LendingRules(server)
    said: list[tuple[int, LendingSaid]] = []
    items: list[StockItem] = []
    tainted: list[tuple[int, str]] = []
    for row, part in found:
        pk = int(row["pk"])
        content = marks.read(server, "stockitem", pk)
        own = marks.provenance_in(content)
        origin = marks.origin_of(server, row, own)
        if origin:
            tainted.append((pk, origin))
        if query.lending:
            said += [(pk, each) for each in _lending_rules(server, rules, row, part, categories)]
        items.append(
            item_of(
                row,
                server.version,
                part=replace(part, seen=part_seen(server, part.pk)) if whole else part,
                seen=item_seen(server, row) if whole else NOTHING_SEEN,
                provenance=own if own is not None and own.item == pk else None,
                metadata=marks.foreign_part(content),
            )
        )
    items.sort(key=lambda item: (not item.in_stock, item.pk))  # the oldest is used first
    return ItemsFound(items=tuple(items), tainted=tuple(tainted), lending=tuple(said))


def _lending_rules(
    server: Server, rules: marks.LendingRules, row: Row, part: Part, categories: Categories
) -> Iterator[LendingSaid]:
    """The lending rules in the metadata of the part, its categories and the item's locations."""
    server.place(row.get("location"))  # reads a location that was created since the last look
    records = [("part", part.pk, f"part {part.ipn or part.name}")]
    records += [("partcategory", pk, f"category {categories.path(pk)}") for pk in part.categories]
    places = server.places.chain(row.get("location"))
    records += [("stocklocation", place.pk, f"location {place.path}") for place in places]
    return (said for said in (rules.of(*record) for record in records) if said is not None)


_MOST_FOUND = 20
_MOST_BROWSED = 2_000
_MOST_ROWS = 100
_QUOTES = str.maketrans(dict.fromkeys("\"',|", " "))


# --- stock that can be shared --------------------------------------------------------------------------------


def find_shareable(server: Server, query: FindShareable) -> Shareable:
    """The stock item, parts and categories that the word means."""
    word = query.word.strip()
    categories = Categories.read(server.api)
    scanned = scanned_in(word)
    if scanned is not None and scanned.model == stock.PART:
        word = f"{PART}:{scanned.key}"
    kind, _, key = word.partition(":")
    if kind == "part" and key.isdecimal():
        row = server.api.row_if_there(f"part/{int(key)}/")
        return Shareable((_shareable_part(row, categories),)) if row else Shareable()
    if kind == "category" and key.isdecimal():
        found = categories.get(int(key))
        return Shareable((_category(found, categories),)) if found else Shareable()
    if "#" in word or "://" in word or stock_item_in(word) is not None:
        things = _items(server, word, categories)
        if things:
            return Shareable(things)
    parts = parts_by_ipn(server, word) or parts_by_name(server, word)
    in_categories = [_category(row, categories) for row in categories.named(word)]
    things = (*(_shareable_part(row, categories) for row in parts), *in_categories)
    if things:
        return Shareable(things)
    if ended := without_full_stop(word):
        return find_shareable(server, FindShareable(ended))
    near = parts_like(server, word)
    return Shareable(near=(*(part.name for part in near), *categories.like(word)))


def _items(server: Server, word: str, categories: Categories) -> tuple[Thing, ...]:
    found = find_items(server, FindItems(word), categories)
    origins = dict(found.tainted)
    return tuple(
        Thing(
            ITEM,
            item.pk,
            f"{item.part.name} #{item.pk}",
            (share_id(PART, item.part.pk), *(share_id(CATEGORY, pk) for pk in item.part.categories)),
            origins.get(item.pk, ""),
            item.quantity if item.in_stock else Decimal(0),
            salable=item.part.salable,
        )
        for item in found.items
    )


def _shareable_part(row: Row, categories: Categories) -> Thing:
    above = tuple(share_id(CATEGORY, pk) for pk in categories.chain(row.get("category")))
    part = part_of(row)
    in_stock, is_template = amount(row.get("in_stock")), bool(row.get("is_template"))
    return Thing(PART, part.pk, part.name, above, "", in_stock, salable=part.salable, is_template=is_template)


def _category(row: Row, categories: Categories) -> Thing:
    pk = int(row["pk"])
    above = tuple(share_id(CATEGORY, each) for each in categories.chain(pk)[1:])
    return Thing(
        CATEGORY, pk, str(row.get("pathstring") or row.get("name")), above, parts=int(row.get("part_count") or 0)
    )


# --- searching -----------------------------------------------------------------------------------------------


def search_stock(server: Server, query: SearchStock) -> StockHits:
    """The stock of the first twenty matching parts: found in our index, then read again with the friend's token.

    So a friend learns only of stock that exists, is shared, and is visible to that friend at this moment.
    """
    words = query.words.translate(_QUOTES).casefold().split()
    if query.words and not words:
        return StockHits(())
    leaving = {place.pk for place in server.places.meant_by(server.settings.outgoing)}
    with server.under(query.reference) as api:
        server.stock.make_ready(server.stock_source)
        scope = _with_variants(server, query.scope)
        categories = Categories.read(api) if scope.categories or query.category else Categories(())
        before = _MOST_FOUND * (query.page - 1)
        most = _MOST_BROWSED if query.category else before + _MOST_FOUND + 1
        lent = {part for part, _ in query.lent}
        known = server.stock.index.search(words, scope, categories.below(scope.categories), most, lent=lent)
        if query.category:
            within = categories.below(int(row["pk"]) for row in categories.named(query.category))
            known = [each for each in known if each.category in within]
        known = known[before:]
        items: list[StockItem] = []
        nothing_here: list[Part] = []
        pictures: dict[int, str] = {}
        for each in known[:_MOST_FOUND]:
            chain = categories.chain(each.category)
            found = _read_again(api, server, each, scope, chain, pictures)
            here = [item for item in found if item.location not in leaving]
            items += here
            if not here and each.part.pk in lent:
                nothing_here += _read_part_again(api, categories, query, each.part.pk, pictures)
    percent = server.stock.standing().percent
    shown = tuple((pk, where) for pk, where in pictures.items() if where)
    return StockHits(tuple(items), len(known) > _MOST_FOUND, tuple(nothing_here), percent=percent, pictures=shown)


def _read_part_again(
    api: InvenTreeTransport, categories: Categories, query: SearchStock, pk: int, pictures: dict[int, str]
) -> Iterator[Part]:
    """The part of a lent item, if the scope, by that part or that item, covers it as InvenTree has it now."""
    try:
        row = api.row(f"part/{pk}/")
    except NotPermitted:
        raise
    except Refusal:  # the part doesn't exist any more
        return
    part = part_of(row, categories.chain(row.get("category")))
    items = {item for of_part, item in query.lent if of_part == pk}
    if query.scope.covers_part(part) or items & {*query.scope.items}:
        pictures[pk] = small_picture_of(row)
        yield part


def _with_variants(server: Server, scope: Scope) -> Scope:
    """The scope with its templates' current variants: one call per template."""
    if scope.everything or not scope.templates:
        return scope
    rows = [row for template in scope.templates for row in server.api.rows("part/", variant_of=template)]
    variants = [int(row["pk"]) for row in rows if row.get("variant_of") in scope.templates]
    return replace(scope, parts=(*scope.parts, *variants))


def _read_again(
    api: InvenTreeTransport,
    server: Server,
    known: Known,
    scope: Scope,
    chain: tuple[int, ...],
    pictures: dict[int, str],
) -> Iterator[StockItem]:
    """The current stock of a part from the index, within the scope.

    The address of the part's thumbnail is put into `pictures`. A stock item doesn't tell its part's category, so the
    query filters by the category that shares the part.
    """
    part = known.part
    filters: dict[str, object] = {"ordering": "-quantity"}
    if not scope.everything and part.pk not in (*scope.parts, *scope.item_parts):
        filters["category"] = next(pk for pk in chain if pk in scope.categories)
    try:
        rows = api.rows("stock/", part=part.pk, in_stock="true", limit=_MOST_ROWS, part_detail="true", **filters)
    except NotPermitted:
        raise
    except Refusal:  # the part doesn't exist any more (newest: 400; others list all stock then)
        server.stock.index.forget_part(part.pk)
        return
    for row in rows:
        if row.get("part") == part.pk:
            told = replace(part_of(part_shown(row)), keywords=part.keywords, category=part.category)
            item = item_of(row, server.version, part=replace(told, categories=chain))
            if scope.covers(item):
                pictures[part.pk] = small_picture_of(part_shown(row))
                yield item
