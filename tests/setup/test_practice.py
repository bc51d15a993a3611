"""The things that `fedbot practice` makes in an InvenTree of each version, and their removal."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from fedbot.setup import practice
from fedbot.setup.inventree import Superuser, find
from fedbot_demo.inventree import seeds
from fedbot_demo.inventree.records import StockItem
from fedbot_demo.inventree.seeding import Seeded, Seeder, make_account
from fedbot_demo.inventree.server import Serving, serve
from fedbot_demo.inventree.versions import Version

NOTHING = practice.OfFriend()


def rows(seeded: Seeded) -> dict[str, list[int]]:
    state = seeded.server.state
    tables: dict[str, Any] = {"parts": state.parts, "categories": state.categories, "stock": state.stock}
    tables |= {"companies": state.companies, "users": state.users, "groups": state.groups}
    return {name: [row.pk for row in table] for name, table in tables.items()}


@pytest.mark.parametrize("version", ["newest", "1.0", "0.17", "0.13"])
async def test_a_practice_leaves_nothing_behind(version: str) -> None:
    seeded = seeds.alpha(version=Version.named(version))
    before, state = rows(seeded), seeded.server.state
    async with serve(Serving(seeded.server)) as serving:
        superuser = await asyncio.to_thread(lambda: Superuser(find(serving.url), token=seeded.token("anna")))
        parts = await asyncio.to_thread(practice.make, superuser, ("Outgoing", "Incoming"))
        assert await asyncio.to_thread(practice.is_there, superuser)
        assert [state.parts[pk].IPN for pk in parts] == [ipn for _, ipn, _ in practice.PARTS]
        made = [item for item in state.stock if item.part in parts]
        places = [state.locations[item.location].name for item in made if item.location is not None]
        assert len(places) == len(made)
        assert not {"Outgoing", "Incoming"} & set(places)
        company = Seeder.into(seeded).company("PRACTICE friend", "")
        lent: StockItem = made[0]
        state.stock.put(lent_to(lent, company.pk))
        make_account(state, "fed-practice-1", {"stock": "view"})  # by hand, where the bot can't
        about = practice.OfFriend(companies=frozenset({company.pk, 999_999}), accesses=frozenset({"fed-practice-1"}))
        assert await asyncio.to_thread(practice.remove, superuser, about) == []
        assert not await asyncio.to_thread(practice.is_there, superuser)
        superuser.close()
    assert rows(seeded) == before


def lent_to(item: StockItem, company: int) -> StockItem:
    """The item at the friend's company, without a location."""
    return replace(item, customer=company, location=None)


async def test_things_that_only_look_like_practice_stay() -> None:
    seeded = seeds.alpha()
    seeder = Seeder.into(seeded)
    category = seeder.category(practice.CATEGORY, "Things to practise welding with")
    seeder.part("Scrap", practice.PARTS[0][1], category=category)
    before = rows(seeded)
    async with serve(Serving(seeded.server)) as serving:
        superuser = await asyncio.to_thread(lambda: Superuser(find(serving.url), token=seeded.token("anna")))
        assert await asyncio.to_thread(practice.remove, superuser, NOTHING) == []
        superuser.close()
    assert rows(seeded) == before
