"""UC6 where merging hides the origin: items from one space that were merged into our stock may not go to a third."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from fedbot.rules.catalogue import merged_stock
from fedbot.rules.model.audit import VanishedFound
from fedbot.rules.model.lifecycles import TransferState
from fedbot_demo.inventree.records import StockItem
from tests.dialogue.test_finding import three
from tests.dialogue.test_recovery import is_rebuilt
from tests.scenarios.world import World

BOLT = "M3-BOLT"


async def got(world: World, quantity: int = 20) -> int:
    """Attraktor gets bolts from gammaspace; return their stock item."""
    world.kim.says(f"!fed request {BOLT} {quantity} from gammaspace")
    await world.settle()
    world.mia.reacts(world.room.messages(sender=world.gamma.chat.user_id)[-1], "✅")
    await world.grace()
    (item,) = [t.at(1).item for t in world.alpha.turn.transfers() if t.peer == "gammaspace"]
    assert item is not None
    return item


def ours(world: World) -> StockItem:
    """Attraktor's own 120 bolts in the drawer."""
    row: StockItem
    (row,) = [row for row in world.alpha.stock(part=world.alpha.part(BOLT).pk) if row.quantity == 120]
    return row


def merge(world: World, target: int, *others: int) -> None:
    items = [{"item": pk} for pk in (target, *others)]
    world.alpha.admin("POST", "stock/merge/", items=items, location=world.alpha.row(target).location)


async def says(world: World, words: str, who: str = "anna") -> str:
    """The answer to a line; '' if the answer is an offer."""
    return await world.answer(getattr(world, who), f"!fed {words}")


async def test_a_merged_quantity_stays_but_the_rest_may_go_and_all_of_it_once_it_is_cleared() -> None:
    world = await three()
    received, target = await got(world), ours(world).pk
    merge(world, target, received)
    refused = await says(world, f"push #{target} 121 to betaspace")
    assert "20 from Gammaspace may have been merged into" in refused
    assert "120 free" in refused
    assert f"a superuser can type: !fed clear #{target}" in refused
    assert "superuser" in await says(world, f"clear #{target}", who="piet")
    assert "120 free" in await says(world, f"lend #{target} 140 to betaspace for 3 weeks")
    assert "for 1" not in await says(world, f"push #{target} 1 to betaspace")  # the rest covers it
    offered = world.beta.transfer()
    assert offered.state is TransferState.OPEN
    assert "119 free" in await says(world, f"push #{target} 120 to betaspace")
    cleared = await says(world, f"clear #{target}")
    assert cleared.startswith("Cleared: 20 M3 bolt from Gammaspace count as accounted for.")
    (transfer,) = [t for t in world.alpha.turn.transfers() if t.peer == "gammaspace"]
    assert transfer.at(1).accounted == Decimal(20)
    audit = [a.entry for a in world.alpha.bot.engine.journal.audit(transfer.id)]
    assert [a.who for a in audit if a.what == VanishedFound(1, "20")] == [world.anna.user_id]
    assert "Not offered" not in await says(world, f"push #{target} 139 to betaspace")
    assert "Nothing to clear" in await says(world, f"clear #{target}")


async def test_it_may_go_back_to_where_it_came_from() -> None:
    world = await three()
    received, target = await got(world), ours(world).pk
    merge(world, target, received)
    assert "Not offered" not in await says(world, f"push #{target} 140 to gammaspace")


async def test_items_given_back_before_do_not_count_as_merged() -> None:
    world = await three()
    received = await got(world)
    target = ours(world).pk
    (other,) = [row.pk for row in world.alpha.stock(part=ours(world).part) if row.pk not in (target, received)]
    await says(world, f"push #{received} 20 to gammaspace")
    world.mia.reacts(world.room.messages(sender=world.gamma.chat.user_id)[-1], "✅")
    await world.grace()
    world.alpha.admin("DELETE", f"stock/{received}/")  # its record at gammaspace's company
    everything = 120 + world.alpha.row(other).quantity
    merge(world, target, other)
    assert "Not offered" not in await says(world, f"push #{target} {everything} to betaspace")


async def test_a_merge_long_before_the_arrival_hides_nothing() -> None:
    world = await three()
    target = ours(world).pk
    workshop = world.alpha.row(target).location
    world.alpha.admin("POST", "stock/transfer/", items=[{"pk": target, "quantity": "7"}], location=workshop)
    (piece,) = [row.pk for row in world.alpha.stock(part=world.alpha.part(BOLT).pk) if row.quantity == 7]
    merge(world, target, piece)
    await world.passes(timedelta(days=3))
    received = await got(world)
    world.alpha.admin("DELETE", f"stock/{received}/")
    assert "Not offered" not in await says(world, f"push #{target} 120 to betaspace")


async def test_a_piece_that_was_split_off_and_merged_counts_with_its_quantity() -> None:
    world = await three()
    received, target = await got(world), ours(world).pk
    before = {row.pk for row in world.alpha.stock()}
    elsewhere = world.alpha.location("Workshop")
    world.alpha.admin("POST", "stock/transfer/", items=[{"pk": received, "quantity": "5"}], location=elsewhere)
    (piece,) = {row.pk for row in world.alpha.stock()} - before
    assert "Not offered" not in await says(world, f"push #{target} 1 to betaspace")
    merge(world, target, piece)
    assert "5 from Gammaspace may have been merged into" in await says(world, f"push #{target} 121 to betaspace")


async def test_a_split_off_the_merged_item_is_limited_too() -> None:
    world = await three()
    received, target = await got(world), ours(world).pk
    merge(world, target, received)
    before = {row.pk for row in world.alpha.stock()}
    elsewhere = world.alpha.location("Workshop")
    world.alpha.admin("POST", "stock/transfer/", items=[{"pk": target, "quantity": "15"}], location=elsewhere)
    (piece,) = {row.pk for row in world.alpha.stock()} - before
    assert "Not offered" in await says(world, f"push #{piece} 1 to betaspace")


async def test_each_of_two_origins_gets_its_own_back_but_not_the_others() -> None:
    world = await three()
    received, target = await got(world), ours(world).pk
    await says(world, f"push {BOLT} 4 to attraktor", who="cem")
    world.piet.reacts(world.room.messages(sender=world.alpha.chat.user_id)[-1], "✅")
    await world.grace()
    (second,) = [t.at(1).item for t in world.alpha.turn.transfers() if t.peer == "betaspace"]
    assert second is not None
    merge(world, target, received, second)
    assert "20 from Gammaspace may have been merged into" in await says(world, f"push #{target} 125 to betaspace")
    assert "4 from Betaspace may have been merged into" in await says(world, f"push #{target} 141 to gammaspace")


async def test_a_request_is_filled_from_unmixed_stock_and_declined_beyond_it() -> None:
    world = await three()
    received, target = await got(world), ours(world).pk
    merge(world, target, received)
    world.piet.says("!fed share all")
    await world.settle()
    await says(world, f"request 121 #{target} from attraktor", who="cem")
    assert world.beta.transfer().state is TransferState.DECLINED
    await says(world, f"request 120 #{target} from attraktor", who="cem")
    (open_one,) = world.beta.turn.open_transfers()
    assert open_one.state is TransferState.OPEN
    assert open_one.terms.lines[0].quantity == 120


async def test_unmixed_stock_leaves_though_something_was_merged_in_since_the_card() -> None:
    world = await three()
    received, target = await got(world), ours(world).pk
    assert "Not offered" not in await says(world, f"push #{target} 120 to betaspace")
    card = world.room.messages(sender=world.beta.chat.user_id)[-1]
    merge(world, target, received)
    world.cem.reacts(card, "✅")
    await world.grace()
    assert world.beta.transfer().state is TransferState.DONE
    assert world.alpha.row(target).quantity == 20


async def test_more_than_the_unmixed_stock_is_not_booked_out_and_the_end_says_why() -> None:
    world = await three()
    received, target = await got(world), ours(world).pk
    assert "Not offered" not in await says(world, f"push #{target} 120 to betaspace")
    card = world.room.messages(sender=world.beta.chat.user_id)[-1]
    merge(world, target, received)
    world.alpha.admin("POST", "stock/remove/", items=[{"pk": target, "quantity": "1"}])
    world.cem.reacts(card, "✅")
    await world.grace()
    assert world.beta.transfer().state is TransferState.ABORTED
    assert world.alpha.row(target).quantity == 139
    end = world.room.messages(sender=world.alpha.chat.user_id)[-1].text
    assert "some of it may belong to a third space" in end
    assert "!fed clear" in end
    await says(world, f"clear #{target}")
    assert "Not offered" not in await says(world, f"push #{target} 120 to betaspace")
    world.cem.reacts(world.room.messages(sender=world.beta.chat.user_id)[-1], "✅")
    await world.grace()
    assert world.alpha.row(target).quantity == 19


async def test_a_request_books_out_nothing_of_a_third_space() -> None:
    world = await three()
    received, target = await got(world), ours(world).pk
    world.piet.says("!fed share all")
    await says(world, f"request 110 #{target} from attraktor", who="cem")
    card = world.room.messages(sender=world.alpha.chat.user_id)[-1]
    merge(world, target, received)
    world.alpha.admin("POST", "stock/remove/", items=[{"pk": target, "quantity": "20"}])
    world.piet.reacts(card, "✅")
    await world.grace()
    assert world.beta.transfer().state is TransferState.ABORTED
    assert world.alpha.row(target).quantity == 120


async def test_an_item_that_was_merged_since_goes_back_to_where_it_came_from() -> None:
    world = await three()
    received, target = await got(world), ours(world).pk
    await says(world, f"push #{target} 120 to gammaspace")
    card = world.room.messages(sender=world.gamma.chat.user_id)[-1]
    merge(world, target, received)
    world.alpha.admin("POST", "stock/remove/", items=[{"pk": target, "quantity": "20"}])
    world.mia.reacts(card, "✅")
    await world.grace()
    assert [t.state for t in world.alpha.turn.transfers() if t.role == "sender"] == [TransferState.DONE]


async def test_find_shows_only_unmixed_stock() -> None:
    world = await three()
    received = await got(world)
    target = ours(world).pk
    world.piet.says(f"!fed share {BOLT}")
    await world.settle()
    before = world.alpha.stock(part=world.alpha.part(BOLT).pk)
    clean = sum(row.quantity for row in before if row.pk != received and row.customer is None)
    assert f"{clean}" in await says(world, f"find {BOLT}", who="cem")
    merge(world, target, received)
    assert f"{clean}" in await says(world, f"find {BOLT}", who="cem")
    await says(world, f"clear #{target}")
    assert f"{clean + 20}" in await says(world, f"find {BOLT}", who="cem")


async def test_received_items_are_not_written_down_with_each_query() -> None:
    world = await three()
    received, target = await got(world), ours(world).pk
    merge(world, target, received)
    assert "20 from Gammaspace may have been merged into" in await says(world, f"push #{target} 121 to betaspace")
    (came,) = [t.id for t in world.alpha.turn.transfers() if t.peer == "gammaspace"]
    with world.alpha.journal._database.transaction() as connection:
        asked = [payload for (payload,) in connection.execute("SELECT payload FROM outbox WHERE lane = 'ask'")]
    assert any(f"push #{target} 121" in payload for payload in asked)
    assert not any(came in payload for payload in asked if "push" in payload)


async def test_after_a_rebuild_vanished_items_are_still_known() -> None:
    world = await three()
    received, target = await got(world), ours(world).pk
    merge(world, target, received)
    await is_rebuilt(world.alpha)
    await world.settle()
    assert "20 from Gammaspace may have been merged into" in await says(world, f"push #{target} 121 to betaspace")
    await says(world, f"clear #{target}")
    assert "Not offered" not in await says(world, f"push #{target} 121 to betaspace")


async def test_stock_received_from_a_space_is_no_reason_to_read_merges_before_it_goes_back_there() -> None:
    world = await three()
    await got(world)
    bolt = world.alpha.part(BOLT).pk
    assert merged_stock.has_part_of_others(world.alpha.turn, bolt, "betaspace")
    assert not merged_stock.has_part_of_others(world.alpha.turn, bolt, "gammaspace")
