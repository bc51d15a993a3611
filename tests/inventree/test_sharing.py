"""Sharing by word, and searching the shared stock in a constant number of calls."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fedbot.ports.inventory import NotPermitted
from fedbot.rules.model.queries import FindItems, FindShareable, ItemsFound, Scope, SearchStock, Shareable, StockHits
from fedbot.rules.model.steps import Mirror
from fedbot_demo.inventree.seeding import Seeder
from tests.inventree.conftest import ALPHA_URL
from tests.inventree.space import Space

ALL = Scope(everything=True)
A_REST = 60


def filled(parts: int) -> Space:
    """A space with that many matching parts in stock, every tenth in the shared category."""
    seeder = Seeder("Full house")
    house = seeder.category("All of it")
    shared = seeder.category("Shared", parent=house)
    place = seeder.location("Shelf")
    seeder.location("Outgoing")
    roles = {"stock": "view", "part": "view", "part_category": "view", "stock_location": "view"}
    seeder.user("fedbot", seeder.group("fedbot", **roles))
    seeder.user("friend", seeder.group("friend", **roles))
    seeder.user("half", seeder.group("half", part="view"))
    for number in range(parts):
        part = seeder.part(f"Screw {number:05}", category=house if number % 10 else shared)
        seeder.stock(part, 5, place)
    return Space(seeder.finished(), "admin", ALPHA_URL)


async def hits(space: Space, words: str, scope: Scope = ALL, reference: str = "") -> StockHits:
    found = await space.inventory.answer(SearchStock(words, scope, reference))
    assert isinstance(found, StockHits)
    return found


async def things(space: Space, word: str) -> list[tuple[str, str]]:
    found = await space.inventory.answer(FindShareable(word))
    assert isinstance(found, Shareable)
    return [(thing.model, thing.name) for thing in found.things]


@pytest.mark.parametrize(
    "scope", [ALL, Scope(categories=(2,)), Scope(parts=(1, 11)), Scope(items=(1,), item_parts=(1,))]
)
async def test_ten_thousand_parts_are_searched_in_no_more_calls_than_the_limit(scope: Scope) -> None:
    calls = []
    for parts in (1_000, 10_000):
        space = filled(parts)
        while space.inventory.tended() < A_REST:
            pass
        await hits(space, "nothing at all")
        before = len(space.network.log)
        found = await hits(space, "screw", scope)
        assert found.items
        calls.append(len(space.network.log) - before)
    assert calls[0] == calls[1] <= 26


async def test_items_outside_the_scope_are_not_found() -> None:
    space = filled(30)
    assert [item.pk for item in (await hits(space, "screw", Scope(categories=(2,)))).items] == [1, 11, 21]
    assert [item.pk for item in (await hits(space, "screw", Scope(categories=(1,)))).items] == list(range(1, 21))
    assert [item.pk for item in (await hits(space, "screw", Scope(parts=(2,)))).items] == [2]
    assert [item.pk for item in (await hits(space, "screw", Scope(items=(3,), item_parts=(3,)))).items] == [3]
    assert (await hits(space, "screw", Scope())).items == ()


async def test_a_longer_list_is_reported_as_longer() -> None:
    space = filled(21)
    assert (await hits(space, "screw")).cut
    assert not (await hits(space, "screw 0000")).cut


async def test_all_words_must_match_whatever_characters_are_in_them(alpha: Space) -> None:
    assert {item.part.ipn for item in (await hits(alpha, '"M3", nut')).items} == {"M3-NUT"}
    assert (await hits(alpha, "M3 fastener")).items == ()
    assert (await hits(alpha, " \"' ,")).items == ()


async def test_a_friends_permissions_limit_what_is_found_for_it() -> None:
    space = filled(3)
    for name in ("friend", "half"):
        space.vault.keep(f"made-for/{name}/1", space.seeded.token(name))
    assert len((await hits(space, "screw", reference="made-for/friend/1")).items) == 3
    with pytest.raises(NotPermitted):
        await hits(space, "screw", reference="made-for/half/1")
    with pytest.raises(NotPermitted):
        await hits(space, "screw", reference="made-for/nobody/1")


async def test_items_in_outgoing_or_with_a_customer_are_not_found(alpha: Space) -> None:
    item = alpha.item("M3-NUT")["pk"]
    content = {"items": [{"pk": item, "quantity": "50"}], "location": alpha.place("Outgoing")}
    alpha.admin.post("stock/transfer/", content)
    assert [item.quantity for item in (await hits(alpha, "M3-NUT")).items] == [Decimal(300)]


async def test_a_word_means_items_parts_and_categories(alpha: Space) -> None:
    assert await things(alpha, "#42") == [("stockitem", "Laser lens 2.0″ ZnSe #42")]
    assert await things(alpha, "LENS-2#0042") == [("stockitem", "Laser lens 2.0″ ZnSe #42")]
    assert await things(alpha, "lens-2") == [("part", "Laser lens 2.0″ ZnSe")]
    assert await things(alpha, "laser LENS 2.0″ znse") == [("part", "Laser lens 2.0″ ZnSe")]
    assert await things(alpha, "laser") == [("partcategory", "Laser")]
    category = alpha.admin.rows("part/category/", name="Tools")[0]["pk"]
    alpha.admin.post("part/category/", {"name": "Hand tools", "parent": category})
    assert await things(alpha, "tools/hand tools") == [("partcategory", "Tools/Hand tools")]
    assert await things(alpha, f"category:{category}") == [("partcategory", "Tools")]
    assert await things(alpha, "part:1") == [("part", "M3 bolt")]
    for word in ("part:999", "category:999", "#999", "https://elsewhere.example/stock/item/42/", "flux"):
        assert await things(alpha, word) == []


async def test_items_have_the_categories_of_their_part_on_request(alpha: Space) -> None:
    category = alpha.admin.rows("part/category/", name="Laser")[0]["pk"]
    for word in ("#42", "LENS-2", "LENS-2#0042"):
        found = await alpha.inventory.answer(FindItems(word, with_categories=True))
        assert isinstance(found, ItemsFound)
        assert {item.part.categories for item in found.items} == {(category,)}


async def test_a_mark_of_sharing_is_kept_beside_other_metadata_and_does_not_travel(alpha: Space) -> None:
    pk = alpha.item("M3-NUT")["pk"]
    alpha.admin.patch(f"metadata/stockitem/{pk}/", {"metadata": {"colour": "blue"}})
    step = Mirror("fed:share:0:mirror", "stockitem", pk, '{"shared": true}', "fedbot_share")
    assert await alpha.inventory.probe(step) is None
    await alpha.inventory.act(step)
    assert await alpha.inventory.probe(step) is not None
    found = await alpha.inventory.answer(FindItems(f"#{pk}"))
    assert isinstance(found, ItemsFound)
    assert found.items[0].metadata == '{"colour": "blue"}'
    assert found.items[0].provenance is None
