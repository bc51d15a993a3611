"""The figures that a token may see. A large server is counted in our own index."""

from __future__ import annotations

import pytest

from fedbot.ports.inventory import NotPermitted, Unavailable
from fedbot.rules.model.queries import StockCounts, StockFigures
from fedbot_demo.inventree.faults import FaultKind
from fedbot_demo.inventree.seeding import Seeder
from tests.inventree.conftest import ALPHA_URL
from tests.inventree.space import Space

CALLS = ["GET /api/stock/track/", "GET /api/part/category/", "GET /api/stock/location/"]
A_REST = 60
VERSION = "GET /api/"
"""Called once a minute, by the wall clock."""


def filled(items: int) -> Space:
    """A space with that many stock items; every tenth part is below its minimum stock."""
    seeder = Seeder("Full house")
    category = seeder.category("All of it")
    place = seeder.location("Shelf")
    seeder.user(
        "fedbot", seeder.group("fedbot", stock="view", part="view", part_category="view", stock_location="view")
    )
    seeder.user("friend", seeder.group("friend", stock="view"))
    parts = [
        seeder.part(f"Part {number}", category=category, minimum_stock=0 if number % 10 else 10**6)
        for number in range(items // 10)
    ]
    for number in range(items):
        seeder.stock(parts[number // 10], 1, place)
    return Space(seeder.finished(), "admin", ALPHA_URL)


async def test_ten_thousand_items_are_counted_in_as_many_calls_as_two_thousand() -> None:
    for items in (2_000, 10_000):
        space = filled(items)
        while space.inventory.tended() < A_REST:
            pass
        space.network.log.clear()
        assert await space.inventory.answer(StockFigures()) == StockCounts(items // 10, items, items // 100, 1, 1)
        assert [call for call in space.network.log if call != VERSION] == CALLS


async def test_a_few_items_are_counted_live() -> None:
    space = filled(10)
    assert await space.inventory.answer(StockFigures()) == StockCounts(1, 10, 1, 1, 1)
    space.admin.delete("stock/3/")
    assert await space.inventory.answer(StockFigures()) == StockCounts(1, 9, 1, 1, 1)


async def test_items_with_a_customer_are_not_in_stock(alpha: Space) -> None:
    before = await alpha.inventory.answer(StockFigures())
    item = alpha.item("LENS-2")
    alpha.admin.post("stock/assign/", {"customer": alpha.company(), "items": [{"item": item["pk"]}]})
    after = await alpha.inventory.answer(StockFigures())
    assert isinstance(before, StockCounts)
    assert isinstance(after, StockCounts)
    assert before.stock_items is not None
    assert after.stock_items == before.stock_items - 1
    assert before.stock_items == alpha.admin.count("stock/", in_stock="true") + 1
    assert before.low_stock == alpha.admin.count("part/", low_stock="true")


async def test_a_friends_token_counts_what_it_may_view_and_leaves_out_the_rest() -> None:
    space = filled(20)
    space.vault.keep("made-for/beta/1", space.seeded.token("friend"))
    assert await space.inventory.answer(StockFigures("made-for/beta/1")) == StockCounts(stock_items=20)
    assert await space.inventory.answer(StockFigures()) == StockCounts(2, 20, 1, 1, 1)


async def test_a_missing_or_revoked_token_of_a_friend_counts_nothing(alpha: Space) -> None:
    with pytest.raises(NotPermitted):
        await alpha.inventory.answer(StockFigures("made-for/beta/1"))
    alpha.vault.keep("made-for/beta/1", "inv-dead")
    with pytest.raises(NotPermitted):
        await alpha.inventory.answer(StockFigures("made-for/beta/1"))


async def test_counting_by_post_is_retried_and_fails_like_a_read() -> None:
    space = filled(2_000)  # such a stock is read in the background; InvenTree counts it at first
    space.fails(FaultKind.ERROR_BEFORE, "/api/search/")
    assert await space.inventory.answer(StockFigures()) == StockCounts(200, 2_000, None, 1, 1)
    assert "POST /api/search/" in space.network.log
    space.fails(FaultKind.ERROR_BEFORE, "/api/search/", times=None)
    with pytest.raises(Unavailable):
        await space.inventory.answer(StockFigures())
