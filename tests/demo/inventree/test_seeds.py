from __future__ import annotations

from typing import Any

import pytest

from fedbot_demo.inventree.exchange import Request
from fedbot_demo.inventree.seeding import Seeded
from fedbot_demo.inventree.seeds import SEEDS, seed
from tests.demo.inventree.conftest import Space


@pytest.fixture(params=["alpha", "beta"])
def space(request: pytest.FixtureRequest) -> Space:
    return Space(request.param)


def _rows(space: Space, path: str) -> list[Any]:
    rows: list[Any] = space.get(path)
    return rows


def test_the_people_of_attraktor_have_the_permissions_that_the_story_needs() -> None:
    space = Space("alpha")
    users = {user["username"]: user for user in _rows(space, "user/")}
    assert users["anna"]["is_superuser"]
    assert [group["name"] for group in users["piet"]["groups"]] == ["fedbot approvers"]
    assert space.as_("kim").get("stock/").status_code == 403
    assert space.as_("kim").get("part/").status_code == 200


def test_the_people_of_betaspace_have_the_permissions_that_the_story_needs() -> None:
    space = Space("beta")
    users = {user["username"]: user for user in _rows(space, "user/")}
    assert users["bea"]["is_superuser"]
    assert [users[name]["groups"][0]["name"] for name in ("cem", "dilek")] == ["fedbot approvers"] * 2
    assert users["tom"]["groups"] == []


def test_the_service_account_has_the_least_roles_and_no_password(space: Space) -> None:
    roles = space.as_("fedbot").get("user/roles/").json()["roles"]
    assert {role: actions for role, actions in roles.items() if actions} == {
        "part_category": ["view"],
        "part": ["view", "add", "change"],
        "stock_location": ["view"],
        "stock": ["view", "add", "change"],
        "return_order": ["view", "add", "change"],
    }
    assert "fedbot" not in space.seeded.passwords


def test_a_makerspace_has_stock_of_every_kind_that_matters(space: Space) -> None:
    parts = {part["pk"]: part for part in _rows(space, "part/")}
    items = _rows(space, "stock/")
    assert len(parts) >= 15
    assert any(part["virtual"] for part in parts.values())
    assert any(not part["salable"] for part in parts.values())
    assert any(item["serial"] for item in items)
    assert any(item["allocated"] for item in items)
    assert any(item["quantity"] != int(item["quantity"]) for item in items)
    places = {(item["part"], item["location"]) for item in items}
    assert len(places) > len({part for part, _ in places})


def test_outgoing_and_incoming_exist_and_are_empty_and_so_is_metadata(space: Space) -> None:
    empty = {row["name"]: row["items"] for row in _rows(space, "stock/location/") if row["parent"] is None}
    assert (empty["Outgoing"], empty["Incoming"]) == (0, 0)
    assert len(space.seeded.server.state.metadata) == 0


def test_the_two_share_parts_by_ipn_and_others_by_name_only() -> None:
    alpha, beta = (_rows(Space(which), "part/") for which in ("alpha", "beta"))
    by_ipn = {part["IPN"] for part in alpha if part["IPN"]} & {part["IPN"] for part in beta}
    assert {"M3-BOLT", "LENS-2", "RES-10K"} <= by_ipn
    shared = {part["name"] for part in alpha} & {part["name"] for part in beta}
    unlike = [part for part in alpha if part["name"] in shared and part["IPN"] not in by_ipn]
    assert {part["name"] for part in unlike} >= {"M3 nut", "Arduino Nano", "Nozzle 0.4 mm brass"}


def test_the_lens_of_the_story_is_stock_42() -> None:
    item = Space("alpha").item(42)
    assert (item["serial"], item["part_detail"]["IPN"], item["status"]) == ("0042", "LENS-2", 10)


def test_every_seeded_item_has_a_history_of_one_entry(space: Space) -> None:
    assert {item["tracking_items"] for item in _rows(space, "stock/")} == {1}


def test_two_servers_of_one_seed_share_no_secret() -> None:
    first, second = seed("alpha"), seed("alpha")
    assert first.token("admin") != second.token("admin")
    assert not set(first.passwords.values()) & set(second.passwords.values())


@pytest.mark.parametrize("which", sorted(SEEDS))
def test_a_seed_takes_another_name(which: str) -> None:
    seeded: Seeded = seed(which, "Elsewhere")
    assert seeded.server.handle(Request.of("GET", "/api/")).json()["instance"] == "Elsewhere"
