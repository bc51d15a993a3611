"""Searching shared stock: the filters that it uses, and a friend's permissions."""

from __future__ import annotations

from decimal import Decimal

from fedbot.inventree.catalogue import Categories
from fedbot.rules.model.queries import FindShareable, Scope, SearchStock, Shareable, StockHits
from tests.contract.ground import Ground


def test_parts_are_filtered_by_category_including_subcategories(ground: Ground) -> None:
    below = ground.admin.post("part/category/", {"name": f"{ground.run} below", "parent": ground.category})
    part = ground.part("Deep", "DEEP", category=below["pk"])
    for category in (below["pk"], ground.category):
        rows = ground.reader.rows(
            "part/", search=f"{ground.run}-DEEP", category=category, cascade="true", limit=10, offset=0
        )
        assert [row["pk"] for row in rows] == [part]
    assert Categories.read(ground.reader).chain(below["pk"])[:2] == (below["pk"], ground.category)


def test_only_parts_in_stock_are_listed_on_request(ground: Ground) -> None:
    part = ground.part("Empty", "EMPTY")
    search = f"{ground.run}-EMPTY"
    assert ground.reader.rows("part/", search=search, has_stock="true") == []
    ground.stock(part, 1, ground.drawer)
    (row,) = ground.reader.rows("part/", search=search, has_stock="true")
    assert (row["pk"], row["category"]) == (part, ground.category)


def test_keywords_and_description_are_searched_for_all_words(ground: Ground) -> None:
    # different from the words of earlier runs
    rare, quark = (f"{word}{ground.run[-6:]}" for word in ("zirkon", "quark"))
    part = ground.part("Worded", "WORDED", keywords=f"{rare}, {quark}", description="flange of brass")
    ground.stock(part, 1, ground.drawer)
    for words in (rare, f"{quark.upper()} flange", f"{ground.run} brass"):
        assert [row["pk"] for row in ground.reader.rows("part/", search=words, limit=50)] == [part], words
    assert ground.reader.rows("part/", search=f"{rare} copper", limit=50) == []


async def test_our_edge_finds_a_friends_words_with_its_own_permissions(ground: Ground) -> None:
    part = ground.part("Shared", "SHARED")
    item = ground.stock(part, 7, ground.drawer)
    inventory = ground.inventory()
    inventory._vault.keep("made-for/friend/1", ground.reader_token)
    scope = Scope(categories=(ground.category,))
    found = await inventory.answer(SearchStock(f"{ground.run}-SHARED", scope, "made-for/friend/1"))
    assert isinstance(found, StockHits)
    assert [(each.pk, each.quantity) for each in found.items] == [(item, Decimal(7))]
    shareable = await inventory.answer(FindShareable(f"{ground.run}-SHARED"))
    assert isinstance(shareable, Shareable)
    assert [(thing.model, thing.pk) for thing in shareable.things] == [("part", part)]
