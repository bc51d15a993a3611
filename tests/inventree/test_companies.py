"""The company of a peer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fedbot.ports.inventory import NotPermitted, Refusal
from fedbot.rules.model.steps import AccessEnded, CloseCompany, CompanyMade
from tests.inventree.situations import make_company
from tests.inventree.space import Space


async def test_it_is_a_customer_and_no_supplier(alpha: Space) -> None:
    step = await make_company(alpha)
    made = await alpha.inventory.act(step)
    assert isinstance(made, CompanyMade)
    row = alpha.admin.row(f"company/{made.company}/")
    assert (row["name"], row["link"], row["description"]) == (step.name, step.link, step.description)
    assert (row["is_customer"], row["is_supplier"], row["is_manufacturer"], row["active"]) == (True, False, False, True)


async def test_a_reconnection_finds_it_by_its_link_and_activates_it_again(alpha: Space) -> None:
    step = await make_company(alpha)
    made = await alpha.inventory.act(step)
    assert isinstance(made, CompanyMade)
    await alpha.inventory.act(CloseCompany("fed:c:0:close", made.company))
    assert not alpha.admin.row(f"company/{made.company}/")["active"]
    renamed = replace(step, name="Betaspace e.V.")
    assert await alpha.inventory.probe(renamed) is None
    assert await alpha.inventory.act(renamed) == made
    assert alpha.admin.row(f"company/{made.company}/")["active"]


async def test_a_company_that_a_person_made_without_a_link_is_used(alpha: Space) -> None:
    step = await make_company(alpha)
    company = alpha.company("betaSPACE", is_customer=False)
    assert await alpha.inventory.act(step) == CompanyMade(company)
    row = alpha.admin.row(f"company/{company}/")
    assert (row["is_customer"], row["link"]) == (True, step.link)


async def test_a_namesake_of_somebody_else_needs_a_persons_decision(alpha: Space) -> None:
    step = await make_company(alpha)
    company = alpha.company("Betaspace", link="https://betaspace.example/")
    for attempt in (alpha.inventory.probe, alpha.inventory.act):
        with pytest.raises(Refusal) as caught:
            await attempt(step)
        assert caught.value.reason == "foreign-company"
    assert alpha.admin.row(f"company/{company}/")["link"] == "https://betaspace.example/"


async def test_it_is_deactivated_and_never_deleted(alpha: Space) -> None:
    company = alpha.company()
    step = CloseCompany("fed:c:0:close", company)
    assert await alpha.inventory.act(step) == AccessEnded()
    assert await alpha.inventory.act(step) == AccessEnded()
    assert alpha.admin.row(f"company/{company}/")["active"] is False
    assert not [call for call in alpha.network.log if call.startswith("DELETE")]


async def test_without_an_order_role_the_superusers_token_makes_it(alpha: Space) -> None:
    for rule in alpha.admin.rows("user/ruleset/"):
        if rule["name"] == "return_order":
            alpha.admin.patch(f"user/ruleset/{rule['pk']}/", {"can_add": False})
    step = await make_company(alpha)
    with pytest.raises(NotPermitted, match="return_order: add"):
        await alpha.edge(admin_token=None).act(step)
    assert isinstance(await alpha.edge().act(step), CompanyMade)
