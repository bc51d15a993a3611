"""The peer's user, its group, its tokens."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from fedbot.inventree.client.transport import InvenTreeTransport
from fedbot.inventree.client.versions import Version
from fedbot.ports.inventory import NotPermitted, Refusal, Unavailable
from fedbot.rules.model.steps import (
    AccessEnded,
    AccessMade,
    EndAccess,
    MintToken,
    TokenMinted,
    TokenRevoked,
    TokenTried,
    TryToken,
)
from fedbot_demo.inventree.faults import FaultKind
from tests.inventree.situations import end_access, make_access, mint_token, revoke_token
from tests.inventree.space import Space

REFERENCE = "made-for/beta/1"


async def access(space: Space) -> AccessMade:
    made = await space.inventory.act(await make_access(space))
    assert isinstance(made, AccessMade)
    return made


async def reason(space: Space, step: object) -> str:
    with pytest.raises(Refusal) as caught:
        await space.inventory.act(step)  # type: ignore[arg-type]  # any step
    return caught.value.reason


def tokens_of(space: Space, user: int) -> list[tuple[str, bool]]:
    rows = space.admin.rows("user/tokens/", all_users="true")
    return sorted((row["name"], row["active"]) for row in rows if row["user"] == user)


# --- user and group ----------------------------------------------------------------------------------------


async def test_the_peers_user_may_view_four_things_and_do_nothing(alpha: Space) -> None:
    made = await access(alpha)
    user = alpha.admin.row(f"user/{made.user}/")
    assert (user["username"], user["last_name"], user["is_staff"], user["is_superuser"]) == (
        "fed-beta-1",
        "connection-one",
        False,
        False,
    )
    assert [group["pk"] for group in user["groups"]] == [made.group]
    rules = alpha.admin.rows("user/ruleset/", group=made.group)
    viewed = {rule["name"] for rule in rules if rule["can_view"]}
    assert viewed == {"stock", "part", "part_category", "stock_location"}
    assert not [rule for rule in rules if rule["can_add"] or rule["can_change"] or rule["can_delete"]]


async def test_permissions_that_a_person_widened_are_narrowed_again(alpha: Space) -> None:
    made = await access(alpha)
    rule = next(rule for rule in alpha.admin.rows("user/ruleset/", group=made.group) if rule["name"] == "stock")
    alpha.admin.patch(f"user/ruleset/{rule['pk']}/", {"can_add": True, "can_change": True})
    step = await make_access(alpha)
    assert await alpha.inventory.probe(step) is None
    assert await alpha.inventory.act(step) == made
    rule = alpha.admin.row(f"user/ruleset/{rule['pk']}/")
    assert (rule["can_view"], rule["can_add"], rule["can_change"]) == (True, False, False)


async def test_a_second_group_of_the_user_is_removed(alpha: Space) -> None:
    made = await access(alpha)
    approvers = next(row["pk"] for row in alpha.admin.rows("user/group/") if row["name"] == "fedbot approvers")
    alpha.admin.patch(f"user/{made.user}/", {"group_ids": [made.group, approvers]})
    step = await make_access(alpha)
    assert await alpha.inventory.probe(step) is None
    await alpha.inventory.act(step)
    assert [group["pk"] for group in alpha.admin.row(f"user/{made.user}/")["groups"]] == [made.group]


async def test_a_user_of_that_name_that_is_not_ours_is_left_alone(alpha: Space) -> None:
    await access(alpha)
    step = replace(await make_access(alpha), last_name="connection-two")
    assert await reason(alpha, step) == "foreign-user"
    with pytest.raises(Refusal):
        await alpha.inventory.probe(step)


async def test_a_user_that_a_person_made_superuser_is_no_longer_trusted(alpha: Space) -> None:
    await access(alpha)
    users = alpha.seeded.server.state.users
    (user,) = users.find("username", "fed-beta-1")
    users.put(replace(user, is_superuser=True))  # over REST nobody can
    assert await reason(alpha, await make_access(alpha)) == "foreign-user"


async def test_a_group_of_that_name_that_was_there_before_is_left_alone(alpha: Space) -> None:
    alpha.admin.post("user/group/", {"name": "fed-beta-1"})
    assert await reason(alpha, await make_access(alpha)) == "foreign-group"
    assert not alpha.admin.rows("user/", search="fed-beta-1")


async def test_a_group_with_other_members_is_left_alone(alpha: Space) -> None:
    made = await access(alpha)
    kim = alpha.admin.rows("user/", search="kim")[0]["pk"]
    alpha.admin.patch(f"user/{kim}/", {"group_ids": [made.group]})
    alpha.admin.patch(f"user/{made.user}/", {"group_ids": []})
    assert await reason(alpha, await make_access(alpha)) == "foreign-group"


async def test_an_ended_access_is_never_opened_again(alpha: Space) -> None:
    step = await end_access(alpha)
    await alpha.inventory.act(step)
    assert await reason(alpha, await make_access(alpha)) == "ended"
    assert alpha.admin.row(f"user/{step.user}/")["is_active"] is False


async def test_without_a_superusers_token_nothing_is_made(alpha: Space) -> None:
    minting = MintToken("m", 1, "fed-beta-1-1", REFERENCE, date(2027, 11, 24))
    for edge in (alpha.edge(admin_token=None), alpha.edge(admin_token=alpha.settings.token)):
        for step in (await make_access(alpha), minting, EndAccess("m", 1, REFERENCE)):
            with pytest.raises(Refusal) as caught:
                await edge.act(step)
            assert caught.value.reason == "no-admin-token"
    assert [call for call in alpha.network.log if not call.startswith("GET")] == []


async def test_versions_that_can_not_do_it_over_rest_say_so(alpha: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    minting = await mint_token(alpha)
    monkeypatch.setattr(Version, "makes_users", property(lambda _: False))
    monkeypatch.setattr(Version, "makes_tokens", property(lambda _: False))
    for step in (await make_access(alpha), minting):
        assert await reason(alpha, step) == "unsupported"


async def test_no_peer_gets_an_account_that_could_make_itself_admin(
    alpha: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below API 472, whether a bot or a person made the account."""
    making, minting = await make_access(alpha), await mint_token(alpha)
    await alpha.inventory.act(minting)
    handed = replace(making, name="fed-beta-2", for_peer=True)
    trial = TryToken("fed:c:0:trial", minting.reference, for_peer=True)
    assert isinstance(await alpha.inventory.act(trial), TokenTried)
    monkeypatch.setattr(Version, "direct_access_is_safe", property(lambda _: False))
    for step in (handed, replace(making, for_peer=True), trial):
        assert await reason(alpha, step) == "unsafe-version"
    assert [row for row in alpha.admin.rows("user/") if row["username"] == "fed-beta-2"] == []
    assert isinstance(await alpha.inventory.act(replace(trial, for_peer=False)), TokenTried)


# --- tokens ------------------------------------------------------------------------------------------------


async def test_the_secret_goes_into_the_vault_and_nowhere_else(alpha: Space, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    step = await mint_token(alpha)
    minted = await alpha.inventory.act(step)
    assert minted == TokenMinted("fed-beta-1-1", date(2027, 11, 24))
    secret = alpha.vault.read(REFERENCE)
    assert secret.startswith("inv-")
    assert secret not in repr(minted) + caplog.text + repr(vars(alpha.inventory))


async def test_a_renewal_leaves_the_old_token_alone(alpha: Space) -> None:
    step = await mint_token(alpha)
    await alpha.inventory.act(step)
    renewal = replace(step, name="fed-beta-1-2", reference="made-for/beta/1/renewed")
    await alpha.inventory.act(renewal)
    assert tokens_of(alpha, step.user) == [("fed-beta-1-1", True), ("fed-beta-1-2", True)]


async def test_a_token_whose_secret_we_lost_is_revoked_and_replaced(alpha: Space) -> None:
    step = await mint_token(alpha)
    await alpha.inventory.act(step)
    alpha.vault.forget(REFERENCE)
    assert await alpha.inventory.probe(step) is None
    assert await alpha.inventory.act(step) == TokenMinted("fed-beta-1-2", date(2027, 11, 24))
    assert tokens_of(alpha, step.user) == [("fed-beta-1-1", False), ("fed-beta-1-2", True)]


async def test_a_token_that_a_person_revoked_is_not_found(alpha: Space) -> None:
    step = await mint_token(alpha)
    await alpha.inventory.act(step)
    token = next(row for row in alpha.admin.rows("user/tokens/", all_users="true") if row["user"] == step.user)
    alpha.admin.delete(f"user/tokens/{token['id']}/", params={"all_users": "true"})
    assert await alpha.inventory.probe(step) is None


async def test_the_test_of_a_token_counts_what_it_can_see(alpha: Space) -> None:
    await alpha.inventory.act(await mint_token(alpha))
    seen = await alpha.inventory.act(TryToken("fed:c:0:trial", REFERENCE))
    assert seen == TokenTried(len(alpha.admin.rows("stock/")), 530, "fed-beta-1-1", date(2027, 11, 24))


async def test_a_token_can_be_tested_at_the_peers_server(alpha: Space, beta: Space) -> None:
    await beta.inventory.act(await mint_token(beta))
    alpha.vault.keep("got-from/beta/1", beta.vault.read(REFERENCE))
    alpha.peers[beta.url] = beta.network
    seen = await alpha.inventory.act(TryToken("fed:c:0:trial", "got-from/beta/1", beta.url))
    assert seen == TokenTried(len(beta.admin.rows("stock/")), 530, "fed-beta-1-1", date(2027, 11, 24))


async def test_the_trial_does_not_find_the_expiry_if_tokens_are_not_listed(
    alpha: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    await alpha.inventory.act(await mint_token(alpha))
    monkeypatch.setattr(Version, "tells_tokens", property(lambda _: False))
    seen = await alpha.inventory.act(TryToken("fed:c:0:trial", REFERENCE))
    assert seen == TokenTried(len(alpha.admin.rows("stock/")), 530)


async def test_only_the_token_of_that_name_is_revoked(alpha: Space) -> None:
    step = await revoke_token(alpha)
    assert await alpha.inventory.act(step) == TokenRevoked()
    assert tokens_of(alpha, step.user) == [("fed-beta-1-1", False), ("fed-beta-1-2", True)]
    assert await alpha.inventory.act(step) == TokenRevoked()


@pytest.mark.parametrize(
    ("username", "expected"),
    [("anna", "too-much-right"), ("piet", "too-much-right"), ("kim", "too-little-right")],
)
async def test_a_token_with_more_than_view_permissions_fails_the_test(
    alpha: Space, username: str, expected: str
) -> None:
    alpha.vault.keep(REFERENCE, alpha.seeded.token(username))
    assert await reason(alpha, TryToken("fed:c:0:trial", REFERENCE)) == expected


async def test_a_missing_or_invalid_token_fails_the_test(alpha: Space) -> None:
    assert await reason(alpha, TryToken("fed:c:0:trial", REFERENCE)) == "no-token"
    alpha.vault.keep(REFERENCE, "inv-0000000000000000000000000000000000000000-20261124")
    with pytest.raises(NotPermitted, match="does not accept the token"):
        await alpha.inventory.act(TryToken("fed:c:0:trial", REFERENCE))


async def test_a_test_at_a_server_that_is_away_is_done_later(alpha: Space) -> None:
    await alpha.inventory.act(await mint_token(alpha))
    alpha.fails(FaultKind.REFUSED, "/api/$", "GET")
    with pytest.raises(Unavailable):
        await alpha.inventory.act(TryToken("fed:c:0:trial", REFERENCE))


# --- the end -----------------------------------------------------------------------------------------------


async def test_the_user_is_deactivated_before_its_tokens_are_revoked(alpha: Space) -> None:
    step = await end_access(alpha)
    secret = alpha.vault.read(REFERENCE)
    alpha.network.log.clear()
    assert await alpha.inventory.act(step) == AccessEnded()
    writes = [call for call in alpha.network.log if not call.startswith("GET")]
    assert [call.split()[0] for call in writes] == ["PATCH", "DELETE"]
    assert tokens_of(alpha, step.user) == [("fed-beta-1-1", False)]
    assert REFERENCE not in alpha.vault.secrets
    peer = InvenTreeTransport(alpha.url, secret, transport=alpha.network)
    with pytest.raises(NotPermitted):
        peer.get("stock/")


async def test_ending_access_twice_or_for_a_deleted_user_is_the_same(alpha: Space) -> None:
    step = await end_access(alpha)
    await alpha.inventory.act(step)
    assert await alpha.inventory.act(step) == AccessEnded()
    alpha.admin.delete(f"user/{step.user}/")
    assert await alpha.inventory.act(step) == AccessEnded()
