"""An InvenTree restored to an earlier state uses numbers again, so a number alone proves nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fedbot.rules.model.lifecycles import TransferState
from tests.dialogue.test_lending import back, lent, loan
from tests.scenarios.world import World, friends, told

A_DAY = timedelta(days=1)


async def number_given_again(word: str = "RES-10K 4") -> tuple[World, int]:
    """Lend 4 items, and restore Attraktor's InvenTree to the time before. The next item there gets their number."""
    world = await friends()
    bolts = world.alpha.item("M3-BOLT", batch="2025-11").pk
    before = world.alpha.snapshot()
    await lent(f"#{bolts} 4", world=world)
    number = loan(world.alpha).at(1).item
    assert number
    world.alpha.put_back(before)
    await world.hand_over(word)
    assert world.alpha.transfer().at(1).item == number, "the server gave the number again"
    return world, number


async def asks_back(world: World) -> str:
    return await world.answer(world.anna, f"!fed return {loan(world.alpha).code}")


async def test_another_item_under_the_number_of_a_lent_one_is_not_returned_for_it() -> None:
    world, number = await number_given_again()
    answer = await asks_back(world)
    row = world.alpha.row(number)
    assert (row.part, row.customer) == (world.alpha.part("RES-10K").pk, world.alpha.connection().company)
    assert "Not done: 4 × M3 bolt" in answer
    assert "the stock item is another item now: somebody restored InvenTree to an earlier state" in answer
    assert not told(world.room, "M3 bolt is back")
    assert world.beta.row(loan(world.beta).at(1).item or 0).quantity == 4


async def test_items_of_the_same_part_and_batch_under_the_number_are_recognised_by_the_missing_mark() -> None:
    world, number = await number_given_again("#2 4")
    assert world.alpha.row(number).batch == "2025-11"
    await asks_back(world)
    await world.passes(timedelta(minutes=1))
    assert world.alpha.row(number).customer == world.alpha.connection().company, "those were given away, not lent"
    assert [back(space).state for space in world.spaces] == [TransferState.REVERTED] * 2
    assert [loan(space).is_on_loan for space in world.spaces] == [True, True]
    assert world.beta.row(loan(world.beta).at(1).item or 0).quantity == 4, "the borrower has them in its books again"
    why = "the stock item is another item now: somebody restored InvenTree to an earlier state"
    assert told(world.room, why)
    assert not told(world.room, "M3 bolt is back at")


async def a_restored_server(**options: timedelta) -> World:
    """Lend 4 items, wait a day, and restore Attraktor's InvenTree to the time before."""
    world = await friends(alpha={"look_every": A_DAY, **options})
    before = world.alpha.snapshot()
    await lent("#2 4", world=world)
    await world.passes(A_DAY)
    world.alpha.put_back(before)
    return world


async def test_a_restored_server_is_noticed_and_nothing_moves_in_it() -> None:
    world = await a_restored_server()
    world.alpha.admin("POST", "stock/count/", items=[{"pk": 1, "quantity": 119}], notes="people go on")
    await world.passes(A_DAY)
    (alarm,) = told(world.alpha_admins, "was restored to an earlier state")
    assert "given to betaspace" in alarm.text
    assert f"#{loan(world.alpha).at(1).item}: 4 × M3 bolt" in alarm.text
    stock = world.alpha.stock()
    world.cem.reacts(await world.push("M3-NUT 5"), "✅")
    await world.passes(timedelta(minutes=10))
    assert world.alpha.stock() == stock, "nothing moves"
    assert told(world.room, "a superuser checks the stock")
    line = world.anna.says("!fed resume", room=world.alpha_admins.id)
    await world.passes(timedelta(minutes=3))
    assert "I move stock in the InvenTree of Attraktor again" in world.alpha_admins.answers(line)[0].text
    assert world.alpha.transfer().state is TransferState.DONE
    await world.passes(A_DAY)
    assert len(told(world.alpha_admins, "was restored to an earlier state")) == 1, "it is told once"
    line = world.anna.says("!fed resume", room=world.alpha_admins.id)
    await world.settle()
    assert "Nothing to do" in world.alpha_admins.answers(line)[0].text


async def test_one_different_item_is_enough_to_check_the_whole_history() -> None:
    world = await a_restored_server()
    await world.hand_over("#2 4")
    await asks_back(world)
    await world.settle()
    assert told(world.alpha_admins, "was restored to an earlier state")


async def test_deleted_stock_items_raise_no_alarm() -> None:
    world = await friends(alpha={"look_every": A_DAY})
    await lent("#2 4", world=world)
    await world.passes(A_DAY)
    world.alpha.admin("DELETE", f"stock/{loan(world.alpha).at(1).item}/")
    await world.passes(2 * A_DAY)
    assert not told(world.alpha_admins, "was restored to an earlier state")


# --- a parcel is in transit while either InvenTree is restored -----------------------------------------------


async def a_parcel(who: str, *, is_known: bool) -> World:
    """Attraktor sends 10 nuts by parcel, and an InvenTree is restored to the time before.

    `is_known`: the bot has looked at that InvenTree between the departure and the restore.
    """
    world = await friends(**{space: {"look_every": A_DAY} for space in ("alpha", "beta")})
    restored = world.alpha if who == "sender" else world.beta
    await world.passes(A_DAY)
    before = restored.snapshot()
    world.cem.reacts(await world.push(), "📦")
    await world.grace()
    assert [space.transfer().state for space in world.spaces] == [TransferState.SENT] * 2
    await world.passes(A_DAY if is_known else timedelta(hours=1))
    restored.put_back(before)
    with restored.by_hand():
        restored.admin("POST", "stock/count/", items=[{"pk": 1, "quantity": 119}], notes="people go on")
    await world.passes(2 * A_DAY)
    return world


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("who", ["sender", "receiver"])
@pytest.mark.parametrize("arrives", [True, False])
async def test_a_parcel_in_transit_ends_whichever_inventree_is_restored(
    who: str, *, is_known: bool, arrives: bool
) -> None:
    world = await a_parcel(who, is_known=is_known)
    had, code = world.beta.total("N-M3"), world.beta.transfer().code
    assert len(told(world.alpha_admins, "was restored to an earlier state")) == (who == "sender" and is_known)
    if arrives:
        world.dilek.reacts(world.card(), "📦")
    else:
        world.dilek.says(f"!fed missing {code}")
    await world.grace()
    for person, room in ((world.anna, world.alpha_admins), (world.bea, world.beta_admins)):
        person.says("!fed resume", room=room.id)
    await world.passes(timedelta(minutes=30))
    if not arrives:  # only people can tell, and InvenTree can't confirm it
        world.anna.says(f"!fed resolve {code} --as back")
        await world.settle()
        world.anna.says(f"!fed resolve {code} --as lost")
        await world.passes(timedelta(minutes=30))
    ends = [space.transfer().state for space in world.spaces]
    assert ends == ([TransferState.DONE] * 2 if arrives else [TransferState.REVERTED] * 2), world.room.transcript()
    assert world.beta.total("N-M3") == had + (10 if arrives else 0), "booked in once, or not at all"
    assert all(space.bot.engine.failures == 0 for space in world.spaces)
    if who == "sender" and arrives:
        assert told(world.alpha_admins, "10 × M3 nut has arrived, but our record still says that it is on its way")
