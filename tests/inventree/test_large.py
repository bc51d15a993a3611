"""A server with 100,000 stock items: with measured costs, nobody waits for a query that grows with the stock."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from fedbot.inventree.stock_index import StockIndex
from fedbot.ports.inventory import Unavailable
from fedbot.rules.model.queries import (
    FindItems,
    FindShareable,
    HistoryAt,
    HistorySeen,
    InventoryStanding,
    ItemsFound,
    MatchPart,
    Overview,
    PersonPermissions,
    Query,
    Scope,
    SearchStock,
    Shareable,
    StockCounts,
    StockFigures,
    StockHits,
)
from fedbot.rules.model.stock import PartDescription
from fedbot_demo.inventree import seeds
from fedbot_demo.inventree.costs import Costs
from fedbot_demo.inventree.faults import FaultKind
from fedbot_demo.inventree.large import Large
from fedbot_demo.inventree.versions import Version
from tests.inventree.conftest import ALPHA_URL
from tests.inventree.space import Space

ALL = Scope(everything=True)
HUGE = Costs(items=100_000, parts=10_934)
ROWS = Large(1_100, 150)
"""The rows that exist; each call costs as much as on a server with 100,000."""
MOST_OF_ONE = 2.0
REST = 120
VERSION = "GET /api/"
"""Called once a minute, by the wall clock."""


def large(index: Path | None = None, version: str = "newest", costs: Costs = HUGE) -> Space:
    """A space whose server claims to be huge."""
    seeded = seeds.alpha(version=Version.named(version))
    ROWS.put_into(seeded.server.state)
    costs = Costs(items=costs.items, parts=costs.parts)
    return Space(seeded, "anna", ALPHA_URL, category="Tools", costs=costs, index=index)


def reads(space: Space, most: int = 10_000) -> Iterator[float]:
    """Fill the index in the background, with time passing between the pages."""
    for _ in range(most):
        pause = space.inventory.tended()
        yield pause
        space.costs.now += pause


def fill(space: Space) -> None:
    """Fill it until nothing is read for minutes."""
    for pause in reads(space):
        if pause > REST:
            return
    raise AssertionError("it never comes to an end")


@pytest.fixture(scope="module")
def filled() -> Space:
    """Filled once for all tests that only read."""
    space = large()
    fill(space)
    return space


async def asked(space: Space, question: Query) -> object:
    space.costs.forget()
    return await space.inventory.answer(question)


QUERIES = [
    FindItems("L-00007", merges=True),
    FindItems("M3 nut"),
    FindItems("#42", with_categories=True),
    FindItems("brass"),
    FindShareable("Category 001"),
    FindShareable("nothing like it"),
    MatchPart("beta", PartDescription("Screw steel 00000", "L-00000")),
    MatchPart("beta", PartDescription("what nobody has", "N-1")),
    SearchStock("00", ALL),
    SearchStock("screw", Scope(categories=(1, 2, 3, 4), parts=(9,))),
    StockFigures(),
    Overview(),
    PersonPermissions("piet"),
]


@pytest.mark.parametrize("question", QUERIES, ids=lambda each: f"{type(each).__name__}")
async def test_nobody_waits_for_a_query_that_grows_with_the_stock(filled: Space, question: Query) -> None:
    await asked(filled, question)
    spent, dearest = filled.costs.total, filled.costs.dearest
    assert dearest.seconds < 0.5, dearest
    assert spent < 1.0, filled.costs.spent
    filled.costs.items, filled.costs.parts = 10_000, 1_093
    await asked(filled, question)
    small = filled.costs.total
    filled.costs.items, filled.costs.parts = HUGE.items, HUGE.parts
    assert spent - small < 0.45, "ten times the stock costs (nearly) the same"


async def test_the_first_reading_is_polite_shows_its_progress_and_finds_from_its_first_page() -> None:
    space = large()
    told = []
    before_parts = None
    for pause in reads(space):
        standing = await asked(space, Overview())
        assert isinstance(standing, InventoryStanding)
        assert standing.index is not None
        told.append(standing.index.percent)
        if before_parts is None and standing.index.stock_read:
            before_parts = await asked(space, SearchStock("bin 3", ALL))
        if pause > REST:
            break
    assert told == sorted(told)
    assert (told[0] < 50, told[-1]) == (True, 100)
    assert isinstance(before_parts, StockHits)
    assert before_parts.items
    assert before_parts.percent < 100
    whole = await asked(space, SearchStock("series5", ALL))
    assert isinstance(whole, StockHits)
    assert whole.items
    assert whole.percent == 100


async def test_the_reading_takes_a_quarter_of_a_worker_at_most_and_no_page_over_two_seconds() -> None:
    space = large()
    began = space.costs.now
    fill(space)
    assert space.costs.dearest.seconds < MOST_OF_ONE
    assert space.costs.total < (space.costs.now - began) / 3.9
    assert not [spent for spent in space.costs.spent if "low_stock" in spent.what or "search=" in spent.what]


async def test_nobody_waits_for_a_page_that_is_being_read(filled: Space) -> None:
    reading = filled.inventory._stock
    filled.network.log.clear()
    holds, is_over = threading.Event(), threading.Event()

    def hold() -> None:
        with reading._lock:
            holds.set()
            is_over.wait()

    page = threading.Thread(target=hold)
    page.start()
    holds.wait()
    try:
        found = await asked(filled, SearchStock("M3", ALL))
    finally:
        is_over.set()
        page.join()
    assert isinstance(found, StockHits)
    assert found.items
    assert "GET /api/stock/track/" not in filled.network.log


async def test_figures_are_counted_in_the_index_and_while_it_fills_without_low_stock(filled: Space) -> None:
    counts = await asked(filled, StockFigures())
    assert isinstance(counts, StockCounts)
    admin = filled.admin
    assert counts == StockCounts(
        admin.count("part/"),
        admin.count("stock/", in_stock="true"),
        admin.count("part/", low_stock="true"),
        admin.count("part/category/"),
        admin.count("stock/location/"),
    )
    space = large()
    at_first = await asked(space, StockFigures())
    assert at_first == replace(counts, low_stock=None)
    assert space.costs.total < MOST_OF_ONE


@pytest.mark.parametrize("version", ["0.13", "0.17", "1.0", "newest"])
async def test_changes_are_found_by_the_history(version: str) -> None:
    space = large(version=version, costs=Costs(items=3_000, parts=400))
    fill(space)
    nut = space.item("M3-NUT")
    category = space.admin.rows("part/category/", name="Tools")[0]["pk"]
    new = space.admin.post("part/", {"name": "Brand new thing", "category": category, "keywords": "gizmo"})
    space.admin.post("stock/", {"part": new["pk"], "quantity": 3, "location": space.place("Incoming")})
    space.admin.post("stock/count/", {"items": [{"pk": nut["pk"], "quantity": "7"}]})
    found = await asked(space, SearchStock("gizmo", ALL))
    assert isinstance(found, StockHits)
    assert [item.quantity for item in found.items] == [Decimal(3)]
    assert space.costs.dearest.seconds < MOST_OF_ONE
    found = await asked(space, SearchStock("M3 nut", ALL))
    assert isinstance(found, StockHits)
    assert [item.quantity for item in found.items] == [Decimal(7)]


async def test_deleted_renamed_moved_or_unshared_items_are_not_returned() -> None:
    space = large()
    fill(space)
    state = space.seeded.server.state
    by_name = {part.name: part for part in state.parts}
    fasteners = by_name["M3 nut"].category
    tools = space.admin.rows("part/category/", name="Tools")[0]["pk"]
    shared = Scope(categories=(int(fasteners or 0),))

    async def names(words: str, scope: Scope = shared) -> set[str]:
        found = await asked(space, SearchStock(words, scope))
        assert isinstance(found, StockHits)
        return {item.part.name for item in found.items}

    assert await names("M3") == {"M3 bolt", "M3 nut", "Cap screw M3×10", "Threaded insert M3"}
    state.parts.put(replace(by_name["M3 nut"], category=tools))  # no longer shared, which the history doesn't show
    assert "M3 nut" not in await names("M3")
    for row in state.stock.find("part", by_name["M3 bolt"].pk):
        space.admin.delete(f"stock/{row.pk}/")
    space.admin.patch(f"part/{by_name['Cap screw M3×10'].pk}/", {"active": False})
    space.admin.delete(f"part/{by_name['Cap screw M3×10'].pk}/")
    assert await names("M3") == {"Threaded insert M3"}
    assert await names("M3", Scope()) == set()


async def test_deletions_are_found_within_hours_and_figures_are_correct_again() -> None:
    space = large()
    fill(space)
    before = await asked(space, StockFigures())
    assert isinstance(before, StockCounts)
    assert before.stock_items is not None
    space.admin.delete(f"stock/{space.item('M3-NUT')['pk']}/")
    end = space.costs.now + 5 * 3600
    for _ in reads(space):
        if space.costs.now > end:
            break
    after = await asked(space, StockFigures())
    assert isinstance(after, StockCounts)
    assert after.stock_items == before.stock_items - 1


async def test_a_restart_in_the_middle_continues_and_a_broken_file_is_rebuilt(tmp_path: Path) -> None:
    file = tmp_path / "index.db"
    space = large(file)
    for _ in reads(space, 7):
        pass
    before = space.inventory._stock.standing()
    assert before.percent > 10
    space.inventory.close()
    space.inventory = space.edge()
    assert space.inventory._stock.standing() == before
    assert file.stat().st_mode & 0o777 == 0o600
    space.inventory.close()
    file.write_bytes(b"no database" * 1000)
    space.inventory = space.edge()
    assert space.inventory._stock.standing().percent == 0
    space.inventory._index._connection.execute("DROP TABLE item")  # it breaks while we run
    for _ in reads(space, 3):
        pass
    assert space.inventory._stock.standing().items > 0
    assert isinstance(await asked(space, SearchStock("M3", ALL)), StockHits)
    space.inventory.close()
    file.unlink()
    file.mkdir()  # nothing can be stored there
    assert StockIndex(file).size() == (0, 0)


async def test_an_index_of_another_server_or_of_a_later_state_is_not_used(tmp_path: Path) -> None:
    space = large(tmp_path / "index.db")
    fill(space)
    state = space.seeded.server.state
    snapshot = {name: (list(table), table.next_pk) for name, table in state.tables().items()}
    nut = space.item("M3-NUT")
    seen = await asked(space, HistoryAt())
    assert isinstance(seen, HistorySeen)
    for quantity in ("1", "2"):
        space.admin.post("stock/count/", {"items": [{"pk": nut["pk"], "quantity": quantity}]})
    seen = await asked(space, HistoryAt(seen.anchors))
    assert isinstance(seen, HistorySeen)
    await asked(space, SearchStock("M3", ALL))
    for name, table in state.tables().items():
        table.load(*snapshot[name])
    stock_read = space.inventory._stock.standing().stock_read
    assert isinstance(await asked(space, HistoryAt(seen.anchors)), HistorySeen)
    fill(space)
    assert space.inventory._stock.standing().stock_read != stock_read, "read again at once"
    space.inventory.close()
    space.inventory = space.edge(url="https://another.example")
    assert space.inventory._stock.standing().percent == 100
    await asked(space, SearchStock("M3", ALL))
    assert space.inventory._stock.standing().percent < 100


async def test_a_server_that_is_down_stops_the_reading_and_it_goes_on_afterwards() -> None:
    space = large()
    for _ in reads(space, 3):
        pass
    before = space.inventory._stock.standing()
    space.network.faults.clear()
    space.fails(FaultKind.REFUSED, "/api/", ".*", times=None)
    with pytest.raises(Unavailable):
        space.inventory.tended()
    assert space.inventory._stock.standing() == before
    space.network.faults.clear()
    fill(space)
    assert space.inventory._stock.standing().percent == 100


async def test_a_small_server_is_read_again_for_each_answer(alpha: Space) -> None:
    found = await asked(alpha, SearchStock("M3-NUT", ALL))
    assert isinstance(found, StockHits)
    part = alpha.item("M3-NUT")["part"]
    alpha.admin.patch(f"part/{part}/", {"name": "Hexagon thing"})
    found = await asked(alpha, SearchStock("hexagon", ALL))
    assert isinstance(found, StockHits)
    assert [item.part.name for item in found.items] == ["Hexagon thing"]
    standing = await asked(alpha, Overview())
    assert isinstance(standing, InventoryStanding)
    assert standing.index is None


async def test_a_push_by_ipn_searches_once(filled: Space) -> None:
    filled.network.log.clear()
    found = await asked(filled, FindItems("L-00007", merges=True))
    assert isinstance(found, ItemsFound)
    calls = [re.sub(r"/\d+/", "/N/", call) for call in filled.network.log if call != VERSION]
    assert calls == ["GET /api/stock/"] + ["GET /api/metadata/stockitem/N/"] * len(found.items)
    things = await asked(filled, FindShareable("L-00007"))
    assert isinstance(things, Shareable)
    assert [thing.name for thing in things.things] == [found.items[0].part.name]
