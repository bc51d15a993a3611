"""The meaning of a person's word, and the details of the items that it means."""

from __future__ import annotations

import pytest

from fedbot.rules.model.queries import FindItems, ItemsFound
from fedbot.rules.model.steps import Mirror
from fedbot.rules.model.stock import Provenance
from tests.inventree.situations import taken
from tests.inventree.space import Space


async def find(space: Space, word: str) -> ItemsFound:
    answer = await space.inventory.answer(FindItems(word))
    assert isinstance(answer, ItemsFound)
    return answer


async def keys(space: Space, word: str) -> list[int]:
    return [item.pk for item in (await find(space, word)).items]


@pytest.mark.parametrize(
    "word",
    [
        "#42",
        " # 42",
        "https://inventory.attraktor.example/web/stock/item/42",
        "https://inventory.attraktor.example/web/stock/item/42/stock-details",
        "https://inventory.attraktor.example/platform/stock/item/42/",
        "https://INVENTORY.attraktor.example/stock/item/42/",
        "https://inventory.attraktor.example/api/stock/42/",
        "https://inventory.attraktor.example/stock/42/?tab=history#top",
        "LENS-2#0042",
        "lens-2 # 0042",
        "Laser lens 2.0″ ZnSe#0042",
    ],
)
async def test_many_words_for_one_item(alpha: Space, word: str) -> None:
    assert await keys(alpha, word) == [42]


async def test_a_link_by_the_public_address_means_the_same_item(alpha: Space) -> None:
    edge = alpha.edge(public_url="https://public.attraktor.example/inventree")
    for address in ("https://public.attraktor.example/inventree", "https://inventory.attraktor.example"):
        found = await edge.answer(FindItems(f"{address}/web/stock/item/42/"))
        assert isinstance(found, ItemsFound)
        assert [item.pk for item in found.items] == [42]
    assert await edge.answer(FindItems("https://public.attraktor.example/web/part/42")) == ItemsFound()
    edge.close()


@pytest.mark.parametrize("word", ["M3-BOLT", "m3-bolt", "M3 bolt", "m3 BOLT", "M3-BOLT | M3 bolt"])
async def test_many_words_for_a_part_in_several_locations(alpha: Space, word: str) -> None:
    found = await find(alpha, word)
    assert [(int(item.quantity), item.place) for item in found.items] == [
        (120, "Workshop/Drawer A3"),
        (90, "Workshop/Box 7"),
    ]


@pytest.mark.parametrize(
    "word",
    [
        "",
        "#9999",
        "https://inventree.betaspace.example/web/stock/item/42",
        "https://inventory.attraktor.example/web/part/42",
        "LENS-2#9999",
        "no such thing",
    ],
)
async def test_words_that_mean_nothing_here(alpha: Space, word: str) -> None:
    assert await find(alpha, word) == ItemsFound()


async def test_an_impossible_key_is_not_queried(alpha: Space) -> None:
    key = "9" * 20
    for word in (f"#{key}", f"{alpha.url}/web/stock/item/{key}"):
        assert await find(alpha, word) == ItemsFound()
    assert not [call for call in alpha.network.log if key in call]


async def test_similar_names_are_returned_as_parts(alpha: Space) -> None:
    found = await find(alpha, "M3")
    assert not found.items
    assert {part.name for part in found.parts} >= {"M3 bolt", "M3 nut"}


async def test_a_part_without_stock_is_returned_as_a_part(alpha: Space) -> None:
    found = await find(alpha, "LightBurn licence")
    assert (found.items, [part.virtual for part in found.parts]) == ((), [True])


async def test_an_item_has_all_details_that_the_rules_need(alpha: Space) -> None:
    (lens,) = (await find(alpha, "#42")).items
    assert (lens.serial, lens.place, int(lens.quantity), lens.status_text, lens.in_stock) == (
        "0042",
        "Laser room/Cabinet L1",
        1,
        "OK",
        True,
    )
    assert (lens.part.ipn, lens.part.keywords, lens.part.category, lens.part.trackable) == (
        "LENS-2",
        "lens 50.8 mm",
        "Laser",
        True,
    )
    (reel,) = (await find(alpha, "RES-10K")).items
    assert (int(reel.available), int(reel.allocated), reel.batch, reel.packaging) == (400, 100, "LOT-42", "reel")


async def test_an_item_with_a_customer_is_found_by_its_key(alpha: Space) -> None:
    alpha.admin.post("stock/assign/", {"items": [{"item": 42}], "customer": alpha.company()})
    (lens,) = (await find(alpha, "#42")).items
    assert (lens.in_stock, lens.customer) == (False, alpha.stock(42)["customer"])
    assert await keys(alpha, "LENS-2") == [41]


async def test_an_item_in_outgoing_is_not_offered_again(alpha: Space) -> None:
    result = await taken(alpha)
    assert result.item not in await keys(alpha, "M3-BOLT")


async def test_metadata_travels_without_our_own_key(alpha: Space) -> None:
    alpha.admin.patch("metadata/stockitem/42/", {"metadata": {"fedbot": {"x": 1}, "laser": {"watt": 60}}})
    (lens,) = (await find(alpha, "#42")).items
    assert lens.metadata == '{"laser": {"watt": 60}}'
    assert lens.provenance is None


async def mirrored(space: Space, item: int, marked_as: int) -> None:
    value = f'{{"origin": "beta", "transfer": "t1", "item": {marked_as}}}'
    await space.inventory.act(Mirror("fed:t1:0:mirror", "stockitem", item, value))


async def test_an_items_origin_is_in_its_metadata(alpha: Space) -> None:
    await mirrored(alpha, 42, 42)
    found = await find(alpha, "#42")
    assert found.items[0].provenance == Provenance("beta", "t1", 42)
    assert found.tainted == ((42, "beta"),)


async def test_on_another_record_the_mark_is_void_but_the_origin_stays(alpha: Space) -> None:
    await mirrored(alpha, 42, 7)
    found = await find(alpha, "#42")
    assert found.items[0].provenance is None
    assert found.tainted == ((42, "beta"),)


async def test_a_split_ancestor_taints_pieces_split_off_before_it_was_marked(alpha: Space) -> None:
    bolts = alpha.item("M3-BOLT")["pk"]
    content = {"items": [{"pk": bolts, "quantity": 20}], "location": alpha.place("Laser room")}
    alpha.admin.post("stock/transfer/", content)
    child = alpha.admin.rows("stock/", parent=bolts)[0]["pk"]
    content = {"items": [{"pk": child, "quantity": 5}], "location": alpha.place("Workshop")}
    alpha.admin.post("stock/transfer/", content)
    grandchild = alpha.admin.rows("stock/", parent=child)[0]["pk"]
    await mirrored(alpha, bolts, bolts)
    found = await find(alpha, f"#{grandchild}")
    assert found.items[0].provenance is None
    assert found.tainted == ((grandchild, "beta"),)


async def test_without_a_foreign_origin_nothing_is_tainted(alpha: Space) -> None:
    assert (await find(alpha, "M3-BOLT")).tainted == ()
