"""Users, groups, tokens and their permissions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fedbot.inventree.client.transport import InvenTreeTransport
from fedbot.ports.inventory import NotPermitted, Refusal
from tests.contract.ground import Ground


def test_the_server_returns_its_version_and_the_tokens_user_with_roles(ground: Ground) -> None:
    ground.service.connect()
    assert ground.service.api_version >= 160
    me = ground.service.row("user/me/")
    assert me["username"] == ground.usernames["service"]
    assert me["is_superuser"] is False
    roles = ground.roles(ground.service)
    assert set(roles["stock"] or ()) == {"view", "add", "change"}
    assert roles["build"] is None


def test_the_bots_roles_are_enough_for_its_work(ground: Ground) -> None:
    item = ground.stock(ground.bolt, 2, ground.drawer)
    ground.transfer(item, 2, ground.outgoing)
    ground.assign(item)
    ground.service.patch(ground.metadata_url("stockitem", item), {"metadata": {"fedbot": {}}})
    name = f"{ground.run} made by the bot"
    company = ground.service.post("company/", {"name": name, "is_customer": True, "is_supplier": False})
    ground.service.patch(f"company/{company['pk']}/", {"active": False})
    ground.service.patch(ground.metadata_url("company", company["pk"]), {"metadata": {"fedbot": {}}})
    for url in ("stock/location/", "part/category/", "part/", "user/", "user/group/"):
        assert ground.service.rows(url)


@pytest.mark.api(since=335)
def test_the_bots_roles_allow_nothing_else(ground: Ground) -> None:
    item = ground.stock(ground.bolt, 1, ground.drawer)
    forbidden: tuple[Callable[[], object], ...] = (
        lambda: ground.service.delete(f"stock/{item}/"),
        lambda: ground.service.post("stock/location/", {"name": f"{ground.run}-x"}),
        lambda: ground.service.post("user/", {"username": f"{ground.run}-x", "email": ""}),
        lambda: ground.service.post("user/group/", {"name": f"{ground.run}-x"}),
        lambda: ground.service.patch(f"user/{ground.users['nobody']}/", {"is_active": False}),
    )
    for call in forbidden:
        with pytest.raises(NotPermitted):
            call()


def test_a_peers_user_can_only_view(ground: Ground) -> None:
    item = ground.stock(ground.bolt, 1, ground.drawer)
    assert ground.reader.count("stock/") > 0
    assert ground.reader.row(f"stock/{item}/", part_detail="true")["part_detail"]["pk"] == ground.bolt
    for url in ("part/", "part/category/", "stock/location/"):
        assert ground.reader.rows(url)
    line = {"pk": item, "quantity": 1}
    forbidden: tuple[Callable[[], object], ...] = (
        lambda: ground.reader.post("stock/transfer/", {"items": [line], "location": ground.shelf}),
        lambda: ground.reader.post("stock/", {"part": ground.bolt, "quantity": 1}),
        lambda: ground.reader.patch(f"stock/{item}/", {"quantity": 9}),
    )
    for call in forbidden:
        with pytest.raises(NotPermitted):
            call()
    assert ground.item(item)["quantity"] == 1.0


@pytest.mark.api(since=293)
def test_a_peers_user_does_not_see_companies(ground: Ground) -> None:
    with pytest.raises(NotPermitted):
        ground.reader.get("company/")


@pytest.mark.api(since=436)
def test_a_peers_user_does_not_see_metadata(ground: Ground) -> None:
    with pytest.raises(NotPermitted):
        ground.reader.get(ground.metadata_url("stockitem", ground.stock(ground.bolt, 1, ground.drawer)))


@pytest.mark.api(until=334)
def test_before_1_0_any_account_can_lock_others_out_so_a_peer_gets_none(ground: Ground) -> None:
    assert ground.version.direct_access_is_safe is False
    user = f"user/{ground.users['reader']}/"
    assert ground.nobody.patch(user, {"is_active": False})["is_active"] is False
    ground.admin.patch(user, {"is_active": True})


@pytest.mark.api(since=325, until=471)
def test_in_1_0_any_account_can_make_itself_admin_so_a_peer_gets_none(ground: Ground) -> None:
    assert ground.version.direct_access_is_safe is False
    me = int(ground.admin.row("user/me/")["pk"])
    content = {"user": me, "name": f"{ground.run}-stolen", "expiry": "2099-01-01"}
    stolen = ground.transport(ground.nobody.post("user/tokens/", content)["token"])
    assert stolen.row("user/me/")["is_superuser"] is True
    (row,) = [row for row in ground.admin.rows("user/tokens/") if row["name"] == content["name"]]
    ground.admin.delete(f"user/tokens/{row['id']}/")


def test_any_account_sees_the_members_of_groups(ground: Ground) -> None:
    name = ground.usernames["service"]
    rows = ground.nobody.rows("user/", search=name)
    (row,) = [row for row in rows if row["username"] == name]
    assert (row["is_active"], row["is_superuser"]) == (True, False)
    assert [group["name"] for group in row["groups"]] == [name]
    with pytest.raises(NotPermitted):
        ground.nobody.get("stock/")


@pytest.mark.api(since=335)
def test_any_account_sees_a_groups_permissions(ground: Ground) -> None:
    groups = {group["name"]: group for group in ground.nobody.rows("user/group/", role_detail="true")}
    adding = {rule["name"] for rule in groups[ground.usernames["service"]]["roles"] if rule["can_add"]}
    assert adding == {"stock", "return_order", "part"}


@pytest.mark.api(since=472)
def test_only_a_superuser_creates_tokens_for_others(ground: Ground) -> None:
    assert ground.version.direct_access_is_safe is True
    content = {"user": ground.users["reader"], "name": f"{ground.run}-x", "expiry": "2099-01-01"}
    with pytest.raises(Refusal):
        ground.nobody.post("user/tokens/", content)


@pytest.mark.api(since=325)
def test_a_tokens_value_is_shown_once(ground: Ground) -> None:
    user = ground.users["reader"]
    content = {"user": user, "name": f"{ground.run}-once", "expiry": "2099-01-01"}
    reply = ground.admin.post("user/tokens/", content)
    assert (reply["user"], reply["name"], reply["expiry"]) == (user, f"{ground.run}-once", "2099-01-01")
    assert "*" not in reply["token"]
    rows = ground.admin.rows("user/tokens/", all_users="true")
    (row,) = [row for row in rows if row["id"] == reply["id"]]
    assert "*" in row["token"]
    assert not [row for row in ground.admin.rows("user/tokens/") if row["user"] == user]


@pytest.mark.api(since=325)
def test_a_revoked_token_is_invalid_and_stays_listed(ground: Ground) -> None:
    secret = ground.mint(ground.users["reader"], "doomed")
    rows = ground.admin.rows("user/tokens/", all_users="true")
    token = next(row for row in rows if row["name"] == f"{ground.run}-doomed")
    with pytest.raises(Refusal):
        ground.admin.delete(f"user/tokens/{token['id']}/")  # others' tokens only show with all_users
    ground.admin.delete(f"user/tokens/{token['id']}/", params={"all_users": "true"})
    with pytest.raises(NotPermitted, match="revoked"):
        ground.transport(secret).get("user/me/")
    rows = ground.admin.rows("user/tokens/", all_users="true")
    (row,) = [row for row in rows if row["id"] == token["id"]]
    assert (row["revoked"], row["active"]) == (True, False)


def test_reactivating_a_user_revives_its_tokens_so_it_is_never_done(ground: Ground) -> None:
    user = ground.users["nobody"]
    ground.admin.patch(f"user/{user}/", {"is_active": False})
    with pytest.raises(NotPermitted):
        ground.nobody.get("user/me/")
    ground.admin.patch(f"user/{user}/", {"is_active": True})
    assert ground.nobody.row("user/me/")["pk"] == user


@pytest.mark.api(since=293)
def test_a_new_user_has_no_password_no_permissions_and_the_last_name_that_we_gave(ground: Ground) -> None:
    content = {"username": f"{ground.run}-new", "first_name": "", "last_name": "connection", "email": ""}
    user = ground.admin.post("user/", content)
    assert (user["last_name"], user["is_staff"], user["is_superuser"], user["is_active"]) == (
        "connection",
        False,
        False,
        True,
    )
    assert user["groups"] == []
    with pytest.raises(Refusal):
        ground.admin.post("user/", content)


@pytest.mark.api(since=335)
def test_a_new_group_has_no_permissions(ground: Ground) -> None:
    group = ground.admin.post("user/group/", {"name": f"{ground.run}-empty"})
    rules = [rule for rule in ground.admin.rows("user/ruleset/", group=group["pk"]) if rule["group"] == group["pk"]]
    assert {"stock", "part", "part_category", "stock_location", "return_order"} <= {rule["name"] for rule in rules}
    assert not [rule for rule in rules for action in ("view", "add", "change", "delete") if rule[f"can_{action}"]]


@pytest.mark.parametrize("token", ["inv-0000000000000000000000000000000000000000-20260101", "nonsense"])
def test_a_bad_token_is_refused_everywhere(ground: Ground, token: str) -> None:
    stranger: InvenTreeTransport = ground.transport(token)
    with pytest.raises(NotPermitted):
        stranger.get("user/me/")
