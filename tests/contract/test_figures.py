"""Counting everything in two calls, with the caller's permissions."""

from __future__ import annotations

from fedbot.inventree.client.transport import InvenTreeTransport
from tests.contract.ground import Ground

EVERYTHING = {
    "search": "",
    "limit": 1,
    "part": {},
    "stockitem": {"in_stock": True},
    "partcategory": {},
    "stocklocation": {},
}


def counts(transport: InvenTreeTransport) -> dict[str, int | None]:
    found = transport.ask("search/", EVERYTHING)
    return {name: found[name].get("count") for name in ("part", "stockitem", "partcategory", "stocklocation")}


def test_one_query_counts_what_the_lists_hold(ground: Ground) -> None:
    ground.stock(ground.bolt, 5, ground.drawer)
    gone = ground.stock(ground.bolt, 1, ground.drawer)
    ground.assign(gone)
    expected = {
        "part": ground.service.count("part/"),
        "stockitem": ground.service.count("stock/", in_stock="true"),
        "partcategory": ground.service.count("part/category/"),
        "stocklocation": ground.service.count("stock/location/"),
    }
    assert ground.service.count("stock/") > expected["stockitem"]
    assert counts(ground.service) == expected


def test_a_friends_view_permissions_are_enough_to_count(ground: Ground) -> None:
    assert counts(ground.reader) == counts(ground.service)


def test_without_permissions_there_is_no_count_rather_than_a_zero(ground: Ground) -> None:
    assert set(counts(ground.nobody).values()) == {None}


def test_parts_with_low_stock_are_counted_by_a_filter(ground: Ground) -> None:
    before = ground.service.count("part/", low_stock="true")
    part = ground.part("Scarce", "SCARCE", minimum_stock=10)
    ground.stock(part, 3, ground.drawer)
    assert ground.service.count("part/", low_stock="true") == before + 1
