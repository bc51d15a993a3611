"""The things that `fedbot practice` makes in an InvenTree of each version, and their removal."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from fedbot.ports.chat import ChatUnreachable
from fedbot.ports.inventory import Unavailable
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.setup import practice
from fedbot.setup.inventree import Superuser, find
from fedbot_demo.inventree import seeds
from fedbot_demo.inventree.records import StockItem
from fedbot_demo.inventree.seeding import Seeded, Seeder, make_account
from fedbot_demo.inventree.server import Serving, serve
from fedbot_demo.inventree.versions import Version

if TYPE_CHECKING:
    from fedbot.config.settings import Settings

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


@pytest.mark.parametrize("gone", ["InvenTree", "homeserver"])
async def test_nothing_is_forgotten_while_a_server_does_not_answer(
    gone: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Then the same command finishes it."""
    orders: list[str] = []
    told: list[str] = []
    is_away = True
    known = {"companies": [1], "users": [], "groups": [], "accesses": [], "room": "!room", "busy": False, "problem": ""}

    def order(_: Path, __: str, *, wants: str) -> dict[str, object]:
        orders.append(wants)
        return known

    def remove(*_: object) -> list[str]:
        if is_away and gone == "InvenTree":
            raise Unavailable(Plain(Fault.SILENT))
        return []

    async def leave(_: str) -> None:
        if is_away and gone == "homeserver":
            raise ChatUnreachable("leaving !room: the homeserver doesn't answer")

    async def done() -> None:
        """End the session."""

    friend = SimpleNamespace(user_id="@fedbot-practice:example.org", leave=leave, sign_out=done)

    async def signed_in(*_: object) -> SimpleNamespace:
        return friend

    monkeypatch.setattr(practice, "order", order)
    monkeypatch.setattr(practice, "remove", remove)
    monkeypatch.setattr(practice.Practising, "_signed_in_superuser", lambda _: SimpleNamespace(close=lambda: None))
    monkeypatch.setattr(practice.Practising, "_signed_in_again", signed_in)
    settings = cast("Settings", SimpleNamespace(state=tmp_path, health_socket=tmp_path / "socket"))
    practising = practice.Practising(settings, "", str, str, told.append, "fedbot practice --clean")
    with pytest.raises(practice.Refused, match="run this again: fedbot practice --clean"):
        await practising.clean()
    assert "forget" not in orders
    assert (tmp_path / "practice" / "state").exists()
    is_away = False
    assert await practising.clean() == []
    assert orders[-1] == "forget"
    assert not (tmp_path / "practice" / "state").exists()
