"""The differences between versions, gate by gate."""

from __future__ import annotations

import pytest

from fedbot.inventree.client.versions import NEWEST_KNOWN, OLDEST_KNOWN, Version

V13, V17, V1, NEWEST = Version(160), Version(293), Version(391), Version(530)
ALL = (V13, V17, V1, NEWEST)


def test_versions_between_the_oldest_and_newest_measured_ones_are_known() -> None:
    assert [Version(api).known for api in (OLDEST_KNOWN - 1, OLDEST_KNOWN, NEWEST_KNOWN, NEWEST_KNOWN + 1)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        ("direct_access_is_safe", [False, False, False, True]),
        ("searches_history", [False, False, True, True]),
        ("tells_roles_with_user", [False, False, False, True]),
        ("makes_users", [False, False, True, True]),
        ("makes_tokens", [False, False, True, True]),
        ("returns_parts", [False, False, True, True]),
        ("tells_history_of_parts", [False, False, False, True]),
    ],
)
def test_gates(gate: str, expected: list[bool]) -> None:
    assert [getattr(version, gate) for version in ALL] == expected


def test_direct_access_is_safe_from_472_on() -> None:
    assert [Version(api).direct_access_is_safe for api in (471, 472)] == [False, True]


def test_metadata_has_two_addresses() -> None:
    assert [version.metadata_url("stockitem", 3) for version in ALL] == [
        "stock/3/metadata/",
        "stock/3/metadata/",
        "stock/3/metadata/",
        "metadata/stockitem/3/",
    ]
    assert V1.metadata_url("company", 3) == "company/3/metadata/"


def test_a_return_is_made_for_items_or_for_one_item() -> None:
    assert V17.return_call(3, "2", 10, 4, "n") == ("stock/3/return/", {"location": 4, "notes": "n"})
    assert NEWEST.return_call(3, "2", 10, 4, "n") == (
        "stock/return/",
        {
            "items": [{"pk": 3, "quantity": "2", "status": 10}],
            "location": 4,
            "notes": "n",
            "merge": False,
        },
    )


def test_serial_numbers_are_set_by_the_field_that_is_not_ignored() -> None:
    assert [version.serial_field("7") for version in (V13, V17, NEWEST)] == [
        {"serial": "7"},
        {"serial": "7"},
        {"serial_numbers": "7"},
    ]


def test_a_company_is_deactivated_by_the_available_field() -> None:
    assert [version.closed_company() for version in (V13, V17)] == [{"is_customer": False}, {"active": False}]


def test_links_may_be_longer_from_1_0_on() -> None:
    assert [version.longest_link for version in ALL] == [200, 200, 2000, 2000]


@pytest.mark.parametrize(
    ("reply", "pk"),
    [([{"pk": 7}], 7), ({"pk": 7}, 7), ({"quantity": 2, "serial_numbers": ["1"]}, None), ([], None), ("", None)],
)
def test_the_reply_to_a_create_comes_in_three_shapes(reply: object, pk: int | None) -> None:
    created = NEWEST.created(reply)
    assert (created or {}).get("pk") == pk


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"in_stock": False, "quantity": 3}, False),
        ({"in_stock": True, "quantity": 3}, True),
        ({"quantity": 3.0, "customer": None, "belongs_to": None}, True),
        ({"quantity": 3.0, "customer": 4}, False),
        ({"quantity": 0.0}, False),
        ({"quantity": 3.0, "is_building": True}, False),
    ],
)
def test_in_stock_is_computed_where_it_is_not_returned(row: dict[str, object], expected: bool) -> None:
    assert V13.in_stock(row) is expected
