"""What a transfer had split off and puts back is one stock item with the rest again, unless they differ by then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from fedbot.rules.model.lifecycles import TransferState
from fedbot_demo.inventree.faults import FaultKind
from fedbot_demo.inventree.records import StockItem
from fedbot_demo.inventree.statuses import MERGED
from tests.dialogue.test_finding import three
from tests.dialogue.test_merges import BOLT, got, says
from tests.dialogue.test_merges import ours as own_bolts
from tests.dialogue.test_parcels import missing, settles
from tests.dialogue.test_recovery import is_rebuilt
from tests.dialogue.test_restored_journal import put_back, restart
from tests.dialogue.test_settling import quarter_of_an_hour
from tests.dialogue.test_stock_in_trouble import NUTS, NUTS_THERE, accepted, states
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, friends, sharing, told

ABORTED, DISPUTED, REVERTED = TransferState.ABORTED, TransferState.DISPUTED, TransferState.REVERTED
REFUSED = (FaultKind.ERROR_BEFORE, "POST", "/api/stock/$", 1, 400)
"""The receiver's InvenTree refuses to book it in."""
MERGE = "/api/stock/merge/$"


def rows(world: World) -> list[StockItem]:
    """Attraktor's nuts, wherever they are."""
    found: list[StockItem] = world.alpha.stock(part=world.alpha.part("M3-NUT").pk)
    return found


def source(world: World) -> int:
    return world.alpha.transfer().terms.lines[0].item


def merges(world: World) -> list[str]:
    """The notes of the merges in the source's history."""
    return [
        entry.notes for entry in world.alpha.tables.tracking.find("item", source(world)) if entry.tracking_type == 45
    ]


async def refused(world: World, words: str = "M3-NUT 10") -> None:
    """Anna's offer is approved, leaves, and Betaspace's InvenTree refuses it."""
    world.beta.fails(*REFUSED)
    await accepted(world, await world.push(words))


def assert_one_row(world: World) -> None:
    (row,) = rows(world)
    assert (row.pk, int(row.quantity), row.customer, row.status) == (source(world), NUTS, None, 10)
    assert world.alpha.place(row) == "Drawer A3"
    assert world.alpha.transfer().at(1).item == row.pk
    assert told(world.room, f"It was put back into stock #{row.pk}.")
    (note,) = merges(world)
    assert note.startswith(f"fed:{world.alpha.transfer().id}:1:merge put back here, ")
    assert world.beta.total("N-M3") == NUTS_THERE
    assert_books_balance(world)


def assert_two_rows(world: World, why: str) -> None:
    assert {row.quantity for row in rows(world)} == {10, NUTS - 10}
    item = world.alpha.transfer().at(1).item
    assert item not in {None, source(world)}
    said = f"It is a separate stock item now: #{item}. I didn't merge it into #{source(world)}, because {why}."
    assert told(world.room, said)
    assert merges(world) == []
    assert world.alpha.total("M3-NUT") == NUTS
    assert_books_balance(world)


async def test_a_refused_item_is_put_back_into_the_item_from_which_it_was_taken() -> None:
    world = await friends()
    await refused(world)
    assert states(world) == {REVERTED}
    assert_one_row(world)
    assert "refused by Betaspace (betaspace), offered by Anna" in merges(world)[0]


async def test_an_item_that_can_not_be_handed_over_is_put_back_into_it_too() -> None:
    world = await friends()
    world.alpha.fails(FaultKind.ERROR_BEFORE, "POST", "stock/assign/", status=400)
    await accepted(world, await world.push())
    assert states(world) == {ABORTED}
    assert_one_row(world)
    assert "not given to Betaspace (betaspace), offered by Anna" in merges(world)[0]


async def test_a_missing_parcel_that_came_back_is_put_back_into_it() -> None:
    world = await friends()
    await missing(world, world.piet)
    await settles(world, world.anna, "back")
    assert states(world) == {REVERTED}
    assert_one_row(world)


async def test_a_lost_parcel_stays_an_item_of_its_own() -> None:
    world = await friends()
    await missing(world)
    await settles(world, world.anna, "lost")
    assert states(world) == {REVERTED}
    assert sorted(row.quantity for row in rows(world)) == [10, NUTS - 10]
    assert merges(world) == []
    assert_books_balance(world)


async def test_a_loan_that_was_never_borrowed_leaves_no_label_behind() -> None:
    world = await friends()
    item = world.alpha.item("M3-NUT").pk
    world.alpha.admin("PATCH", f"stock/{item}/", notes="keep dry", tags=["metal"])
    world.beta.fails(*REFUSED)
    world.anna.says("!fed lend 10 M3-NUT to betaspace for 3 weeks")
    await world.settle()
    await accepted(world, world.card())
    assert states(world) == {REVERTED}
    assert_one_row(world)
    (row,) = rows(world)
    assert (row.notes, row.tags) == ("keep dry", ("metal",))


async def test_each_line_of_one_item_is_put_back() -> None:
    world = await friends()
    world.beta.fails(FaultKind.ERROR_BEFORE, "POST", "/api/stock/$", times=None, status=400)
    await accepted(world, await world.push("M3-NUT 10 + RES-10K 20"))
    world.beta.comes_back()
    await world.passes(timedelta(minutes=5))
    assert states(world) == {REVERTED}
    assert len(rows(world)) == 1
    assert len(world.alpha.stock(part=world.alpha.part("RES-10K").pk)) == 1
    assert told(world.room, "put back into stock #")
    assert_books_balance(world)


def gets_another_batch(world: World) -> None:
    """Somebody corrects the batch of the rest."""
    world.alpha.admin("PATCH", f"stock/{source(world)}/", batch="2027-01")


def _moved(world: World) -> None:
    line = {"pk": source(world), "quantity": str(NUTS - 10)}
    world.alpha.admin("POST", "stock/transfer/", items=[line], location=world.alpha.location("Workshop"), notes="tidy")


def _has_notes(world: World) -> None:
    world.alpha.admin("PATCH", f"stock/{world.alpha.transfer().at(1).item}/", notes="scratched")


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (gets_another_batch, "the batch differs"),
        (_moved, "they aren't in stock in the same location"),
        (_has_notes, "it has notes of its own"),
    ],
)
async def test_what_differs_by_then_stays_apart_and_people_read_why(happens: Callable[[World], None], why: str) -> None:
    world = await friends()
    world.alpha.before("POST", "/return/", lambda: happens(world))
    await refused(world)
    assert states(world) == {REVERTED}
    assert_two_rows(world, why)


@pytest.mark.parametrize("status", [400, 403])
async def test_if_inventree_refuses_the_merge_the_item_is_back_all_the_same(status: int) -> None:
    world = await friends()
    world.alpha.fails(FaultKind.ERROR_BEFORE, "POST", MERGE, times=None, status=status)
    await refused(world)
    assert states(world) == {REVERTED}
    assert sorted(row.quantity for row in rows(world)) == [10, NUTS - 10]
    item = world.alpha.transfer().at(1).item
    assert told(world.room, f"put back as stock #{item}, but could not be merged into #{source(world)}")
    assert f"Please look at stock #{item} and #{source(world)}" in world.alpha_admins.transcript()
    assert_books_balance(world)


@pytest.mark.parametrize("kind", [FaultKind.TIMEOUT_BEFORE, FaultKind.TIMEOUT_AFTER, FaultKind.RESET_AFTER])
async def test_a_merge_whose_answer_is_lost_is_done_once(kind: FaultKind) -> None:
    world = await friends()
    world.alpha.fails(kind, "POST", MERGE)
    await refused(world)
    await world.passes(timedelta(minutes=20))
    assert states(world) == {REVERTED}
    assert_one_row(world)


async def test_a_merge_that_arrives_after_everybody_has_given_up_is_told_and_does_no_harm() -> None:
    world = await friends()
    world.alpha.fails(FaultKind.LATE, "POST", MERGE)
    world.alpha.before("POST", MERGE, lambda: world.alpha.fails(FaultKind.ERROR_BEFORE, "GET", times=None))
    await refused(world)
    await quarter_of_an_hour(world, world.alpha)
    assert states(world) == {REVERTED}
    assert told(world.alpha_admins, "Please look at stock #")
    assert told(world.room, "could not be merged into #")
    world.alpha.transport.faults.release(world.alpha.seeded.server)
    (row,) = rows(world)
    assert (row.pk, int(row.quantity)) == (source(world), NUTS)
    assert_books_balance(world)


async def test_an_item_that_somebody_else_merged_meanwhile_is_told_and_not_touched() -> None:
    world = await friends()
    world.alpha.fails(FaultKind.TIMEOUT_BEFORE, "POST", MERGE)
    await refused(world)
    items = [{"item": source(world)}, {"item": world.alpha.transfer().at(1).item}]
    world.alpha.admin("POST", "stock/merge/", items=items, location=rows(world)[0].location, notes="tidy")
    await world.passes(timedelta(days=2))
    assert states(world) == {REVERTED}
    (row,) = rows(world)
    assert (row.pk, int(row.quantity)) == (source(world), NUTS)
    assert told(world.room, "which isn't there any more: somebody has merged or deleted it")
    assert told(world.alpha_admins, "Please look at stock #")
    assert merges(world) == ["tidy"]


@pytest.mark.parametrize("moment", ["before it leaves", "while it is out"])
async def test_a_journal_of_before_finds_it_put_back_and_merged(moment: str) -> None:
    """The marks of the earlier steps are gone with the merged item; the source's history has the last one."""
    world = await friends()
    alpha = world.alpha
    await restart(alpha, marks=True)
    await world.settle()
    await alpha.bot.syncing.claim()
    taken: list[bytes] = []

    def copy() -> None:
        taken.append(alpha.journal._database._connection.serialize())

    alpha.before("POST", "stock/assign/" if moment == "before it leaves" else "/return/", copy)
    await refused(world)
    assert_one_row(world)
    await alpha.bot.syncing.mark()
    put_back(alpha, taken[0])
    await restart(alpha, marks=True)
    await world.settle()
    await world.passes(timedelta(hours=1))
    assert alpha.transfer().state is REVERTED
    assert_one_row(world)


async def test_a_journal_that_is_rebuilt_from_the_room_finds_it_merged() -> None:
    world = await friends()
    await refused(world)
    assert_one_row(world)
    await is_rebuilt(world.alpha)
    await world.settle()
    await world.passes(timedelta(hours=1))
    assert world.alpha.transfer().state is REVERTED
    (row,) = rows(world)
    assert (row.pk, int(row.quantity)) == (source(world), NUTS)
    assert world.alpha.transfer().at(1).item == row.pk
    assert len(merges(world)) == 1


async def test_our_own_merge_hides_nothing_of_a_third_space() -> None:
    """Stock of a third space that vanished may be in whatever people merged since, but not in what we put back."""
    world = await three()
    received, target = await got(world), own_bolts(world).pk
    world.beta.fails(*REFUSED)
    await accepted(world, await world.push(f"#{target} 10"))
    (row,) = [row for row in world.alpha.stock(part=world.alpha.part(BOLT).pk) if row.pk == target]
    assert row.quantity == 120
    assert [entry.tracking_type for entry in world.alpha.tables.tracking.find("item", target)][-1] == MERGED
    with world.alpha.by_hand():
        world.alpha.admin("DELETE", f"stock/{received}/")
    assert "may have been merged" not in await says(world, f"push #{target} 120 to betaspace")


async def test_what_was_put_back_can_be_given_again() -> None:
    world = await sharing()
    await refused(world)
    assert_one_row(world)
    world.beta.comes_back()
    await accepted(world, await world.push())
    assert {space.transfer().state for space in world.spaces} == {TransferState.DONE}
    assert sorted(row.quantity for row in rows(world)) == [10, NUTS - 10]
    assert world.beta.total("N-M3") == NUTS_THERE + 10
    assert_books_balance(world)
