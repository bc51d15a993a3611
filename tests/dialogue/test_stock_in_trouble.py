"""Changes of the stock between the offer and the end: edited, refused, unreachable, unknown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from fedbot.rules.model.lifecycles import TransferState
from fedbot_demo.inventree.faults import FaultKind
from tests.fakes.people import Message
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, friends, told

ABORTED, DISPUTED, DONE = TransferState.ABORTED, TransferState.DISPUTED, TransferState.DONE
REVERTED = TransferState.REVERTED
NUTS = 350
NUTS_THERE = 900


def states(world: World) -> set[TransferState]:
    """The transfer's states on both sides."""
    return {space.transfer().state for space in world.spaces}


async def accepted(world: World, card: Message) -> None:
    """Cem approves, the grace passes, and some time for retries."""
    world.cem.reacts(card, "✅")
    await world.grace()
    await world.passes(timedelta(minutes=1))


# --- changed between the offer and the debit ---------------------------------------------------------------


def _goes(world: World, item: int) -> None:
    world.alpha.admin("POST", "stock/remove/", items=[{"pk": item, "quantity": "350"}])


def _shrinks(world: World, item: int) -> None:
    world.alpha.admin("POST", "stock/remove/", items=[{"pk": item, "quantity": "345"}])


def _breaks(world: World, item: int) -> None:
    world.alpha.admin("POST", "stock/change_status/", items=[item], status=65)


def _is_sold(world: World, item: int) -> None:
    customer = world.alpha.tables.companies.find("name", "Walk-in customer")[0].pk
    world.alpha.admin("POST", "stock/assign/", items=[{"item": item}], customer=customer)


def _is_for_keeps(world: World, item: int) -> None:
    part = world.alpha.row(item).part
    world.alpha.admin("PATCH", f"part/{part}/", salable=False)


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (_goes, "isn't there any more"),
        (_shrinks, "isn't that much of it left"),
        (_breaks, "its present condition"),
        (_is_sold, "isn't in stock any more"),
        (_is_for_keeps, "isn't salable"),
    ],
)
async def test_a_change_since_the_offer_is_seen_before_anything_moves(
    happens: Callable[[World, int], None], why: str
) -> None:
    world = await friends()
    card = await world.push()
    with world.alpha.by_hand():
        happens(world, world.alpha.transfer().terms.lines[0].item)
    await accepted(world, card)
    assert states(world) == {ABORTED}
    assert why in world.room.messages(sender=world.alpha.chat.user_id)[-1].text
    assert why in world.card().text
    assert world.beta.total("N-M3") == NUTS_THERE
    assert_books_balance(world)


async def test_somebody_takes_from_it_at_the_same_time_and_all_of_it_goes_back() -> None:
    world = await friends()
    card = await world.push("M3-NUT 350")

    def somebody_takes_some() -> None:
        item = world.alpha.transfer().terms.lines[0].item
        world.alpha.admin("POST", "stock/remove/", items=[{"pk": item, "quantity": "50"}])

    world.alpha.before("POST", "stock/transfer/", somebody_takes_some)
    with world.alpha.by_hand():
        await accepted(world, card)
    assert states(world) == {ABORTED}
    assert world.alpha.total("M3-NUT") == NUTS - 50
    assert world.alpha.place(world.alpha.item("M3-NUT")) == "Drawer A3"
    assert "Please count stock #" in world.alpha_admins.transcript()
    assert_books_balance(world)


async def test_it_is_refused_after_it_was_booked_out_and_returns_to_its_location() -> None:
    world = await friends()
    world.alpha.fails(FaultKind.ERROR_BEFORE, "POST", "stock/assign/", status=400)
    await accepted(world, await world.push())
    assert states(world) == {ABORTED}
    assert world.alpha.total("M3-NUT") == NUTS
    assert {world.alpha.place(row) for row in world.alpha.stock(part=world.alpha.part("M3-NUT").pk)} == {"Drawer A3"}
    assert {row.status for row in world.alpha.stock(part=world.alpha.part("M3-NUT").pk)} == {10}
    assert_books_balance(world)


# --- refused after the debit -------------------------------------------------------------------------------


async def test_an_item_that_the_receiver_can_not_book_in_is_taken_back() -> None:
    world = await friends()
    world.beta.fails(FaultKind.ERROR_BEFORE, "POST", "/api/stock/$", status=400)
    await accepted(world, await world.push())
    assert states(world) == {REVERTED}
    assert (world.alpha.total("M3-NUT"), world.beta.total("N-M3")) == (NUTS, NUTS_THERE)
    assert world.alpha.given("M3-NUT") == 0
    assert {world.alpha.place(row) for row in world.alpha.stock(part=world.alpha.part("M3-NUT").pk)} == {"Drawer A3"}
    assert "Back again" in world.card().text
    assert told(world.room, "Back again")
    assert_books_balance(world)


async def test_an_item_whose_part_at_the_receiver_is_deleted_is_taken_back() -> None:
    world = await friends()
    card = await world.push()
    part = world.beta.transfer().at(1).part
    with world.beta.by_hand():
        world.beta.admin("PATCH", f"part/{part}/", virtual=True)
    await accepted(world, card)
    assert states(world) == {REVERTED}
    assert world.alpha.total("M3-NUT") == NUTS
    assert_books_balance(world)


async def test_only_the_refused_one_of_several_lines_is_taken_back() -> None:
    world = await friends()
    card = await world.push("M3-NUT 10 + RES-10K 20")
    world.beta.fails(FaultKind.ERROR_BEFORE, "POST", "/api/stock/$", status=400)
    await accepted(world, card)
    assert states(world) == {DONE}
    assert world.alpha.total("M3-NUT") == NUTS
    assert world.beta.total("RES-10K") == 60
    assert "Done in part: 20 × Resistor" in world.card().text
    assert "Not booked in: 10 × M3 nut" in world.card().text
    assert "Attraktor takes it back" in world.card().text
    assert "Betaspace could not, so it is back at Attraktor" in world.room.message("is at Betaspace").text
    assert_books_balance(world)


async def test_one_of_several_lines_is_gone_and_the_others_arrive() -> None:
    world = await friends()
    card = await world.push("M3-NUT 10 + RES-10K 20")
    with world.alpha.by_hand():
        _goes(world, world.alpha.transfer().terms.lines[0].item)
    await accepted(world, card)
    assert states(world) == {DONE}
    assert world.beta.total("N-M3") == NUTS_THERE
    assert world.beta.total("RES-10K") == 60
    assert "Done in part: 20 × Resistor" in world.card().text
    for message in (world.card(), world.room.message("is at Betaspace")):
        assert "Not given: 10 × M3 nut stays at Attraktor" in message.text
    assert_books_balance(world)


async def test_putting_away_fails_and_it_stays_booked_in() -> None:
    world = await friends()
    world.beta.fails(FaultKind.ERROR_BEFORE, "POST", "stock/transfer/", status=400)
    await accepted(world, await world.push())
    assert states(world) == {DONE}
    assert world.beta.total("N-M3") == NUTS_THERE + 10
    assert told(world.beta_admins, "is in Incoming")
    assert_books_balance(world, with_history=False)


async def test_an_item_deleted_right_after_booking_in_counts_as_arrived_and_the_admins_are_told() -> None:
    world = await friends()

    def deletes() -> None:
        newest = max(row.pk for row in world.beta.tables.stock)
        world.beta.admin("DELETE", f"stock/{newest}/")

    world.beta.before("PATCH", "metadata/stockitem/", deletes)
    await accepted(world, await world.push())
    assert states(world) == {DONE}
    (message,) = told(world.beta_admins, "may be gone from InvenTree")
    assert "add it again by hand" in message.text
    assert not told(world.beta_admins, "is in Incoming")


async def test_our_record_cannot_be_marked_as_arrived_and_the_admins_are_told() -> None:
    world = await friends()
    world.alpha.fails(FaultKind.ERROR_BEFORE, "POST", "stock/change_status/", status=400)
    await accepted(world, await world.push())
    assert states(world) == {DONE}
    assert told(world.alpha_admins, "has arrived, but")
    assert_books_balance(world)


# --- InvenTree down, or an unknown outcome -----------------------------------------------------------------


async def test_the_room_is_told_what_it_waits_for_if_inventree_is_down_before_the_card() -> None:
    world = await friends()
    world.beta.goes_down()
    world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.passes(timedelta(minutes=20))
    waits = [m for m in world.room.messages(sender=world.beta.chat.user_id) if "waited" in m.text]
    assert len(waits) == 1
    assert not told(world.beta_admins, "could not post")
    world.beta.comes_back()
    await world.passes(timedelta(minutes=10))
    await accepted(world, world.card())
    assert states(world) == {DONE}
    assert_books_balance(world)


@pytest.mark.parametrize("side", ["alpha", "beta"])
async def test_it_goes_on_by_itself_after_inventree_was_down_for_two_hours(side: str) -> None:
    world = await friends()
    card = await world.push()
    space = getattr(world, side)
    world.cem.reacts(card, "✅")
    await world.settle()
    if side == "alpha":
        space.goes_down()
    else:
        space.fails(FaultKind.REFUSED, "POST", "stock/", times=None)
    await world.grace()
    await world.passes(timedelta(hours=2))
    assert states(world) != {DONE}
    assert len([message for message in world.room.messages() if message.text.startswith("⏸")]) == 1
    space.comes_back()
    await world.passes(timedelta(minutes=15))
    assert states(world) == {DONE}
    assert told(world.room, "continues: InvenTree answers again")
    assert_books_balance(world)


STEPS = [
    ("alpha", "stock/transfer/"),
    ("alpha", "stock/assign/"),
    ("alpha", "stock/change_status/"),
    ("beta", "/api/stock/$"),
    ("beta", "stock/transfer/"),
]
BROKEN = [
    FaultKind.TIMEOUT_AFTER,
    FaultKind.TIMEOUT_BEFORE,
    FaultKind.ERROR_BEFORE,
    FaultKind.ERROR_AFTER,
    FaultKind.RESET_AFTER,
    FaultKind.REFUSED,
]


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize(("side", "path"), STEPS)
async def test_a_failed_call_is_checked_and_done_once(side: str, path: str, kind: FaultKind) -> None:
    world = await friends()
    card = await world.push()
    getattr(world, side).fails(kind, "POST", path)
    await accepted(world, card)
    await world.passes(timedelta(minutes=10))
    assert states(world) == {DONE}
    assert (world.alpha.total("M3-NUT"), world.beta.total("N-M3")) == (NUTS - 10, NUTS_THERE + 10)
    assert_books_balance(world)


@pytest.mark.parametrize(("side", "path"), STEPS[:2] + STEPS[3:4])
async def test_people_are_asked_about_a_call_that_is_unknown_for_a_quarter_of_an_hour(side: str, path: str) -> None:
    world = await friends()
    card = await world.push()
    space = getattr(world, side)
    world.cem.reacts(card, "✅")
    await world.settle()
    space.fails(FaultKind.TIMEOUT_BEFORE, "POST", path, times=1)
    await world.passes(timedelta(seconds=6))
    space.comes_back()
    space.fails(FaultKind.ERROR_BEFORE, "GET", "", times=None)
    await world.passes(timedelta(minutes=20))
    space.comes_back()
    await world.passes(timedelta(minutes=10))
    assert states(world) == {DISPUTED}
    assert told(world.room, "I can't tell what happened to")
    assert told(world.alpha_admins, "I can't tell what happened to")
    assert told(world.beta_admins, "I can't tell what happened to")
    assert "Unclear" in world.card().text
    assert_books_balance(world)


async def test_a_late_request_of_a_disputed_transfer_moves_nothing_twice() -> None:
    world = await friends()
    card = await world.push()
    world.beta.fails(FaultKind.LATE, "POST", "/api/stock/$")
    world.cem.reacts(card, "✅")
    await world.grace()
    await world.passes(timedelta(seconds=90))
    world.beta.transport.faults.release(world.beta.seeded.server)
    await world.passes(timedelta(minutes=10))
    assert states(world) == {DONE}
    assert world.beta.total("N-M3") == NUTS_THERE + 10
    assert_books_balance(world)


@pytest.mark.parametrize(("side", "path"), [("alpha", "stock/transfer/"), ("beta", "/api/stock/$")])
async def test_a_request_that_an_overloaded_server_takes_up_late_is_not_repeated(side: str, path: str) -> None:
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.settle()
    space = getattr(world, side)
    space.fails(FaultKind.LATE, "POST", path)
    await world.passes(timedelta(seconds=6))
    space.fails(FaultKind.TIMEOUT_BEFORE, "GET", "", times=None)
    await world.passes(timedelta(minutes=5))
    space.comes_back()
    probed: list[datetime] = []
    space.before("GET", "stock", lambda: probed.append(world.clock.now()))
    while not probed:
        await world.passes(timedelta(seconds=1))
    await world.passes(timedelta(seconds=3))
    space.transport.faults.release(space.seeded.server)  # the request had waited for a worker
    await world.passes(timedelta(minutes=10))
    assert states(world) == {DONE}
    assert world.beta.total("N-M3") == NUTS_THERE + 10
    assert_books_balance(world)


async def test_a_lent_out_fraction_is_taken_back_exactly() -> None:
    world = await friends(beta={"new_part_category": "Material"})
    world.beta.fails(FaultKind.ERROR_BEFORE, "POST", "/api/stock/$", status=400)
    await accepted(world, await world.push("PLA-175-BK 1.00001"))
    assert states(world) == {REVERTED}
    assert world.alpha.total("PLA-175-BK") == Decimal("7.25")
    assert_books_balance(world)


async def test_a_whole_serialised_item_that_is_refused_is_back_in_its_location() -> None:
    world = await friends()
    world.beta.fails(FaultKind.ERROR_BEFORE, "POST", "/api/stock/$", status=400)
    await accepted(world, await world.push("#42"))
    assert states(world) == {REVERTED}
    lens = world.alpha.row(42)
    assert (lens.customer, lens.serial, world.alpha.place(lens), lens.status) == (None, "0042", "Cabinet L1", 10)
    assert_books_balance(world)
