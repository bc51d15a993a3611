"""Users, roles and tokens, as measured on real servers."""

from __future__ import annotations

import base64

import pytest

from tests.demo.inventree.conftest import Space


def _basic(space: Space, name: str, password: str) -> dict[str, str]:
    del space
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def test_an_account_made_over_rest_has_no_password_and_works_by_a_token(space: Space) -> None:
    user = space.post(
        "user/", username="fed-beta-1", first_name="", last_name="c-1", email="", password="Long-enough-1"
    )
    refused = space.anonymous().get("user/me/", headers=_basic(space, "fed-beta-1", "Long-enough-1"))
    assert (refused.status_code, refused.json()) == (401, {"detail": "Invalid username/password."})
    token = space.post("user/tokens/", user=user["pk"], name="fed-beta-1-1", expiry="2027-11-24")["token"]
    me = space.anonymous().get("user/me/", headers={"Authorization": f"Token {token}"}).json()
    assert (me["username"], me["last_name"], me["is_superuser"]) == ("fed-beta-1", "c-1", False)


def test_only_the_reply_to_the_creation_of_a_token_shows_it(space: Space) -> None:
    made = space.post("user/tokens/", name="own", expiry="2030-01-01")
    listed = next(row for row in space.get("user/tokens/") if row["id"] == made["id"])
    assert made["token"].startswith("inv-")
    assert len(made["token"]) >= 50
    assert listed["token"] == made["token"][:8] + "*" * (len(made["token"]) - 20) + made["token"][-12:]


def test_a_token_of_the_same_name_is_the_same_until_it_is_revoked(space: Space) -> None:
    alice = space.as_("alice")
    first = alice.get("user/token/", params={"name": "a b"}).json()
    assert first["name"] == "a-b"
    assert alice.get("user/me/token/", params={"name": "a b"}).json() == first
    number = next(row["id"] for row in alice.get("user/tokens/").json() if row["name"] == "a-b")
    assert alice.delete(f"user/tokens/{number}/").status_code == 204
    assert alice.get("user/token/", params={"name": "a b"}).json()["token"] != first["token"]
    row = alice.get(f"user/tokens/{number}/").json()
    assert (row["active"], row["revoked"]) == (False, True)


def test_a_token_lives_for_a_year_and_then_no_longer(space: Space) -> None:
    alice = space.as_("alice")
    assert alice.get("user/token/").json()["expiry"] == "2027-11-24"
    space.clock.advance(days=365)
    assert alice.get("user/me/").status_code == 200
    space.clock.advance(days=1)
    assert alice.get("user/me/").json() == {"detail": "Token has expired"}


def test_a_leaked_token_can_create_another_one(space: Space) -> None:
    minted = space.as_("alice").get("user/token/", params={"name": "other"}).json()["token"]
    assert space.anonymous().get("user/me/", headers={"Authorization": f"token {minted}"}).status_code == 200


def test_a_revoked_token_and_an_inactive_account_are_told_apart(space: Space) -> None:
    alice = space.as_("alice")
    number = alice.get("user/tokens/").json()[0]["id"]
    space.patch("user/2/", is_active=False)
    assert alice.get("user/me/").json() == {"detail": "User inactive or deleted."}
    space.patch("user/2/", is_active=True)
    assert alice.get("user/me/").status_code == 200
    assert space.as_("admin").delete(f"user/tokens/{number}/").status_code == 404
    assert space.as_("admin").delete(f"user/tokens/{number}/", params={"all_users": "true"}).status_code == 204
    answer = alice.get("user/me/")
    assert (answer.status_code, answer.json()) == (401, {"detail": "Token has been revoked"})
    assert answer.headers["www-authenticate"] == "Token"


def test_a_wrong_token_is_refused_even_where_none_is_needed(space: Space) -> None:
    wrong = {"Authorization": "Token made-up"}
    assert space.anonymous().get("", headers=wrong).json() == {"detail": "Invalid token."}
    assert space.anonymous().get("").json()["apiVersion"] == 530


def test_only_a_superuser_creates_a_token_for_another(space: Space) -> None:
    answer = space.as_("alice").post("user/tokens/", json={"user": 1, "name": "steal"})
    assert (answer.status_code, answer.json()) == (
        400,
        {"non_field_errors": ["Only a superuser can create a token for another user"]},
    )


def test_nobody_makes_themselves_staff_or_another_inactive(space: Space) -> None:
    bob = space.as_("bob")
    assert bob.patch("user/me/", json={"is_staff": True, "is_superuser": True}).json()["is_staff"] is False
    assert bob.patch("user/1/", json={"is_active": False}).status_code == 403
    assert bob.patch("user/group/1/", json={"name": "x"}).status_code == 403


def test_groups_are_given_after_the_account_is_created(space: Space) -> None:
    fields = {"username": "x", "first_name": "", "last_name": "", "email": ""}
    failed = space.as_("admin").post("user/", json=fields | {"group_ids": [1]})
    assert (failed.status_code, failed.json()["error"]) == (500, "TypeError")
    assert space.get("user/", search="x") == []
    user = space.post("user/", **fields)
    assert user["groups"] == []
    assert space.patch(f"user/{user['pk']}/", group_ids=[1])["groups"] == [{"pk": 1, "name": "makers"}]


def test_a_rule_set_widens_itself(space: Space) -> None:
    group = space.post("user/group/", name="g")
    number = next(rule["pk"] for rule in group["roles"] if rule["name"] == "stock")
    changed = space.patch(f"user/ruleset/{number}/", can_add=True)
    assert [changed[name] for name in ("can_view", "can_add", "can_change", "can_delete")] == [True, True, True, False]


def test_a_view_only_account_reads_stock_but_no_companies_and_no_metadata(space: Space) -> None:
    group = space.post("user/group/", name="peers")
    for rule in group["roles"]:
        if rule["name"] in {"stock", "part", "part_category", "stock_location"}:
            space.patch(f"user/ruleset/{rule['pk']}/", can_view=True)
    space.patch("user/3/", group_ids=[group["pk"]])
    peer = space.as_("bob")
    for path in ("stock/", "stock/track/", "part/", "part/category/", "stock/location/"):
        assert peer.get(path).status_code == 200
    assert peer.get("company/").status_code == 403
    assert peer.get("metadata/stockitem/1/").status_code == 403
    assert peer.post("stock/transfer/", json={"items": [{"pk": 1, "quantity": 1}], "location": 4}).status_code == 403
    assert peer.patch("stock/1/", json={"notes": "x"}).status_code == 403


def test_an_account_without_a_role_still_sees_users_settings_and_attachments(space: Space) -> None:
    space.post("attachment/", model_type="stockitem", model_id=1, link="https://e.org/r", comment="c")
    bob = space.as_("bob")
    assert len(bob.get("user/").json()) == 3
    assert bob.get("settings/global/INVENTREE_INSTANCE/").json()["value"] == "Alpha Makerspace"
    assert [row["comment"] for row in bob.get("attachment/").json()] == ["c"]
    assert bob.get("stock/").status_code == 403


@pytest.mark.parametrize("which", ["user/roles/", "user/me/roles/", "user/me/?roles=true"])
def test_one_can_read_ones_own_roles(space: Space, which: str) -> None:
    roles = space.as_("alice").get(which).json()["roles"]
    assert roles["stock"] == ["view", "add", "change"]
    assert roles["sales_order"] is None


def test_a_deleted_account_loses_its_tokens_and_its_name_in_the_history(space: Space) -> None:
    alice = space.as_("alice")
    moved = {"items": [{"pk": 2, "quantity": 1}], "location": 4}
    assert alice.post("stock/transfer/", json=moved).status_code == 201
    assert space.as_("admin").delete("user/2/").status_code == 204
    assert alice.get("user/me/").json() == {"detail": "Invalid token."}
    assert space.history(2)[0]["user"] is None


def test_a_password_can_be_set_and_must_be_good(space: Space) -> None:
    weak = space.as_("admin").patch("user/3/set-password/", json={"password": "password"})
    assert weak.json() == {"password": "['This password is too common.']"}
    space.patch("user/3/set-password/", password="password", override_warning=True)
    assert space.anonymous().get("user/me/", headers=_basic(space, "bob", "password")).status_code == 200


def test_an_unknown_address_is_404_for_users_and_401_for_others(space: Space) -> None:
    assert space.as_("bob").get("stock/transfer").json() == {
        "detail": "API endpoint not found",
        "url": "http://inventree.test/api/stock/transfer",
    }
    assert space.anonymous().get("no/such/").status_code == 401


def test_no_secret_is_in_a_repr(space: Space) -> None:
    token, password = space.seeded.token("admin"), space.seeded.passwords["admin"]
    shown = (
        repr(space.seeded) + repr(list(space.seeded.server.state.tokens)) + repr(list(space.seeded.server.state.users))
    )
    assert token not in shown
    assert password not in shown
    assert "$" not in shown  # the separator of a password's hash
