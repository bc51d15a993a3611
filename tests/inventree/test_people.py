"""People's permissions, as InvenTree has them at that time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fedbot.ports.inventory import Credentials, Refusal, Unavailable
from fedbot.rules.model.diagnosis import Diagnosis, Fault, Plain
from fedbot.rules.model.queries import Able, PersonPermissions, WhoMay
from fedbot.rules.model.stock import Permission, Permissions
from fedbot_demo.inventree.access import ENFORCE_MFA
from fedbot_demo.inventree.faults import FaultKind
from fedbot_demo.inventree.records import Setting
from tests.inventree.space import Space

EVERYBODY = ("tom", "dilek", "bea", "cem", "nobody")


def change(space: Space, username: str, **fields: object) -> None:
    row = space.admin.rows("user/", search=username)[0]
    space.admin.patch(f"user/{row['pk']}/", fields)


async def permissions(space: Space, username: str) -> Permissions:
    answer = await space.inventory.answer(PersonPermissions(username))
    assert isinstance(answer, Permissions)
    return answer


async def test_a_member_of_the_group_is_an_approver(alpha: Space) -> None:
    assert await permissions(alpha, "piet") == Permissions("piet", known=True, active=True, approver=True)


async def test_a_superuser_is_an_approver(alpha: Space) -> None:
    assert await permissions(alpha, "anna") == Permissions("anna", known=True, active=True, superuser=True)


async def test_somebody_else_is_known_and_no_more(alpha: Space) -> None:
    assert await permissions(alpha, "kim") == Permissions("kim", known=True, active=True)


async def test_an_unknown_name_and_a_part_of_a_name_have_no_permissions(alpha: Space) -> None:
    for name in ("nobody", "ann", "ANNA", "piet "):
        assert await permissions(alpha, name) == Permissions(name)


async def test_current_permissions_count(alpha: Space) -> None:
    assert (await permissions(alpha, "piet")).covers(Permission.APPROVER)
    change(alpha, "piet", is_active=False)
    assert not (await permissions(alpha, "piet")).covers(Permission.APPROVER)


async def test_all_approvers_are_read_in_one_call_and_in_the_given_order(beta: Space) -> None:
    await permissions(beta, "bea")
    beta.network.log.clear()
    assert await beta.inventory.answer(WhoMay(Permission.APPROVER, EVERYBODY)) == Able(("dilek", "bea", "cem"))
    assert beta.network.log == ["GET /api/user/"]
    assert await beta.inventory.answer(WhoMay(Permission.SUPERUSER, EVERYBODY)) == Able(("bea",))
    change(beta, "dilek", is_active=False)
    assert await beta.inventory.answer(WhoMay(Permission.APPROVER, EVERYBODY)) == Able(("bea", "cem"))


async def test_without_a_group_the_role_stock_add_makes_an_approver(beta: Space) -> None:
    edge = beta.edge(approvers_group="")
    assert await edge.answer(WhoMay(Permission.APPROVER, EVERYBODY)) == Able(("dilek", "bea", "cem"))
    for rule in beta.admin.rows("user/ruleset/"):
        if rule["name"] == "stock":
            beta.admin.patch(f"user/ruleset/{rule['pk']}/", {"can_add": False})
    assert await edge.answer(WhoMay(Permission.APPROVER, EVERYBODY)) == Able(("bea",))


async def test_an_inventree_that_is_away_gives_no_permissions(alpha: Space) -> None:
    alpha.fails(FaultKind.REFUSED, "user/", "GET", times=None)
    for question in (PersonPermissions("piet"), WhoMay(Permission.APPROVER, ("piet",))):
        with pytest.raises(Unavailable):
            await alpha.inventory.answer(question)


# --- signing in by name and password


async def whose(space: Space, username: str, password: str = "", code: str = "") -> str | None:
    return await space.inventory.whose(Credentials(username, password or space.seeded.passwords[username], code))


def has_second_factor(space: Space, username: str, code: str, *types: str) -> None:
    users = space.seeded.server.state.users
    (user,) = users.find("username", username)
    users.put(replace(user, second_factor=code, factor_types=types or user.factor_types))


async def fault(space: Space, username: str, code: str = "") -> Diagnosis:
    with pytest.raises(Refusal) as refused:
        await whose(space, username, code=code)
    return refused.value.problem


async def test_the_password_of_a_person_with_a_second_factor_is_not_enough(alpha: Space) -> None:
    assert await whose(alpha, "piet") == "piet"
    has_second_factor(alpha, "piet", "123456")
    assert await fault(alpha, "piet") == Plain(Fault.SECOND_FACTOR_MISSING)
    assert await fault(alpha, "piet", "654321") == Plain(Fault.SECOND_FACTOR_WRONG)
    assert await whose(alpha, "piet", code="123456") == "piet"
    assert await whose(alpha, "piet", password="wrong", code="123456") is None


async def test_no_session_of_a_person_stays_in_inventree(alpha: Space) -> None:
    has_second_factor(alpha, "piet", "123456")
    await whose(alpha, "kim")
    await whose(alpha, "piet", code="123456")
    await fault(alpha, "piet")
    assert alpha.seeded.server.state.sessions == {}


async def test_a_wrong_password_reaches_only_what_counts_no_failed_sign_ins(alpha: Space) -> None:
    """InvenTree counts those of all people together, as they all come from the bot."""
    await permissions(alpha, "kim")
    alpha.network.log.clear()
    assert await whose(alpha, "kim", password="wrong") is None
    assert alpha.network.log == ["GET /api/user/me/"]


async def test_a_security_key_can_not_be_shown_to_the_bot(alpha: Space) -> None:
    has_second_factor(alpha, "piet", "123456", "webauthn")
    assert await fault(alpha, "piet", "123456") == Plain(Fault.SIGN_IN_UNSUPPORTED)


async def test_a_server_that_requires_a_second_factor_lets_nobody_in_without_one(alpha: Space) -> None:
    settings = alpha.seeded.server.state.settings
    settings.put(Setting(pk=settings.next_pk, key=ENFORCE_MFA, value="True", name="Enforce MFA", description=""))
    assert await fault(alpha, "kim") == Plain(Fault.SECOND_FACTOR_UNSET)
    has_second_factor(alpha, "kim", "123456")
    assert await whose(alpha, "kim", code="123456") == "kim"


@pytest.mark.parametrize("path", ["auth/v1/config", "auth/v1/auth/login", "auth/v1/auth/2fa/authenticate"])
async def test_a_sign_in_that_the_bot_does_not_understand_lets_nobody_in(alpha: Space, path: str) -> None:
    has_second_factor(alpha, "kim", "123456")
    alpha.fails(FaultKind.ERROR_BEFORE, path, ".*", status=404)
    assert await fault(alpha, "kim", "123456") == Plain(Fault.SIGN_IN_UNSUPPORTED)


async def test_a_server_that_fails_while_signing_in_lets_nobody_in(alpha: Space) -> None:
    alpha.fails(FaultKind.ERROR_BEFORE, "auth/v1/auth/login", ".*", status=503)
    with pytest.raises(Unavailable):
        await whose(alpha, "kim")
