"""The current location of transferred stock items, for people who settle and for the comparison of books."""

from __future__ import annotations

from decimal import Decimal

from fedbot.inventree import whereabouts
from fedbot.inventree.client.versions import Version
from fedbot.rules.model.queries import BooksOf, ItemSeen, ItemsSeen, Whereabouts, WhereIsIt
from fedbot.rules.model.steps import CreateItem
from fedbot_demo.inventree.seeding import Seeder
from tests.inventree.conftest import ALPHA_URL
from tests.inventree.situations import MARK, TEN, hand_over, taken
from tests.inventree.space import Space

AT_A_LOOK = 4
"""Calls of the first check of a server: version, user, locations, the superuser's user."""


async def asked(space: Space, question: WhereIsIt | BooksOf) -> ItemsSeen:
    answer = await space.inventory.answer(question)
    assert isinstance(answer, ItemsSeen)
    return answer


async def test_an_item_in_outgoing_is_found_by_its_mark_with_its_former_location(alpha: Space) -> None:
    source = alpha.item("M3-BOLT")
    result = await taken(alpha)
    seen = await asked(alpha, WhereIsIt(MARK, (source["pk"],)))
    by_key = {item.pk: item for item in seen.items}
    assert set(by_key) == {source["pk"], result.item}
    child = by_key[result.item]
    assert (child.where, child.quantity, child.marks) == (Whereabouts.OUTGOING, TEN, (f"{MARK}:out",))
    assert (child.came_from, child.old_status) == (source["location"], 10)
    assert by_key[source["pk"]].where is Whereabouts.STOCK


async def test_an_item_with_a_customer_says_with_which(alpha: Space) -> None:
    step = await hand_over(alpha)
    await alpha.inventory.act(step)
    (item,) = [i for i in (await asked(alpha, WhereIsIt(MARK))).items if i.pk == step.item]
    assert (item.where, item.customer) == (Whereabouts.CUSTOMER, step.company)
    assert set(item.marks) == {f"{MARK}:out", f"{MARK}:over"}


async def test_a_booked_in_item_is_found_by_its_link_though_no_history_mentions_it(beta: Space) -> None:
    part = beta.admin.rows("part/", search="M3")[0]["pk"]
    link = f"https://matrix.to/#/!room/$card?{MARK}:in"
    await beta.inventory.act(CreateItem(f"{MARK}:in", part, TEN, link))
    (item,) = (await asked(beta, WhereIsIt(MARK, part=part))).items
    assert (item.where, item.quantity, item.marks) == (Whereabouts.STOCK, TEN, (f"{MARK}:in",))
    assert (await asked(beta, WhereIsIt(f"{MARK}0", part=part))).items == (), "a mark is compared as a whole"


async def test_a_deleted_item_is_left_out(alpha: Space) -> None:
    assert (await asked(alpha, WhereIsIt(MARK, (987654,)))).items == ()
    assert (await asked(alpha, BooksOf((987654,)))).items == ()


async def test_the_history_of_the_known_items_is_read_if_it_can_not_be_searched(alpha: Space) -> None:
    source = alpha.item("M3-BOLT")
    result = await taken(alpha)
    await alpha.inventory.answer(WhereIsIt(MARK))
    server = alpha.inventory._as_it_stands()
    old = server.__class__(**{**vars(server), "version": Version(293)})
    seen = whereabouts.where_is(old, WhereIsIt(MARK, (source["pk"],)))
    assert not seen.history_read
    assert {item.pk for item in seen.items} == {source["pk"], result.item}
    assert not whereabouts.books_of(old, BooksOf((source["pk"],))).history_read


async def test_books_of_many_items_take_as_many_calls_as_the_stock_has_pages() -> None:
    seeder = Seeder("Full house")
    place = seeder.location("Outgoing")
    seeder.user("fedbot", seeder.group("fedbot", stock="view", part="view", stock_location="view"))
    part = seeder.part("Part", category=seeder.category("All of it"))
    rows = [seeder.stock(part, 2, place) for _ in range(600)]
    space = Space(seeder.finished(), "admin", ALPHA_URL)
    keys = tuple(row.pk for row in rows)
    seen = await asked(space, BooksOf(keys))
    assert len(seen.items) == len(keys)
    expected = ItemSeen(keys[0], 1, Decimal(2), 10, Whereabouts.OUTGOING, location=1, place="Outgoing")
    assert seen.items[0] == expected
    assert space.network.log[AT_A_LOOK:] == ["GET /api/stock/"] * 3 + ["GET /api/stock/track/"]
    space.network.log.clear()
    await asked(space, BooksOf(keys[:10]))
    assert space.network.log == ["GET /api/stock/"] * 3 + ["GET /api/stock/track/"]
    space.network.log.clear()
    await asked(space, BooksOf(keys[:2]))
    assert len(space.network.log) == 3
    await asked(space, BooksOf(()))
    assert len(space.network.log) == 3
