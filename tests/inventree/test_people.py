"""People's permissions, as InvenTree has them at that time."""

from __future__ import annotations

import pytest

from fedbot.ports.inventory import Unavailable
from fedbot.rules.model.queries import Able, PersonPermissions, WhoMay
from fedbot.rules.model.stock import Permission, Permissions
from fedbot_demo.inventree.faults import FaultKind
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
