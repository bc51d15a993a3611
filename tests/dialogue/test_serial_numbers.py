"""A serialised item comes again: InvenTree keeps a serial number once, so its former record is used."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import pytest

from fedbot.rules.model.lifecycles import TransferState
from fedbot_demo.inventree.faults import FaultKind
from tests.dialogue.test_lending import back, handed_back, lent
from tests.dialogue.test_recovery import EVERY, RESENDS, Stopped, is_rebuilt, is_restored, is_watched, side, taps_again
from tests.dialogue.test_settling import picks, quarter_of_an_hour, unanswered
from tests.dialogue.test_stock_in_trouble import BROKEN
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends, sharing, told

DONE, REVERTED, OPEN, DISPUTED = (
    TransferState.DONE,
    TransferState.REVERTED,
    TransferState.OPEN,
    TransferState.DISPUTED,
)
LENS, SERIAL = 42, "0042"
# there are three writes between booking in and the next message
OFTEN = pytest.mark.parametrize("every", [10, pytest.param(3, marks=pytest.mark.long)])


async def comes_home(world: World) -> None:
    """Bea hands the lens back, and Piet confirms."""
    world.piet.reacts(await handed_back(world), "✅")
    await world.grace()
    assert back(world.alpha).state is DONE


async def was_here_before(world: World | None = None) -> World:
    """The lens was lent to betaspace and returned."""
    world = await lent(f"#{LENS}", world=world)
    await comes_home(world)
    return world


async def is_offered_again(world: World, words: str = "lend", until: str = " for 1 week") -> None:
    world.anna.says(f"!fed {words} #{LENS} to betaspace{until}")
    await world.settle()


async def is_taken(world: World) -> None:
    world.cem.reacts(world.card(), "✅")
    await world.grace()


def newest(space: Space) -> TransferState:
    return space.turn.transfers()[-1].state if space.turn.transfers() else OPEN


def lens_of(world: World) -> int:
    """Betaspace's only record of the lens."""
    (row,) = [row for row in world.beta.stock() if row.serial == SERIAL]
    return int(row.pk)


async def test_it_is_lent_and_returned_again_and_again_with_one_record_each() -> None:
    world = await was_here_before(await friends(beta={"destination": "Wood shop"}))
    record = lens_of(world)
    for _ in range(2):
        await is_offered_again(world)
        name = world.beta.part("LENS-2").name
        assert f'as your stock #{record} of the part "{name}", which was here before' in world.card().text
        await is_taken(world)
        row = world.beta.row(lens_of(world))
        assert (row.pk, row.customer, row.status) == (record, None, 10)
        assert world.beta.place(row) == "Wood shop"
        assert world.alpha.row(LENS).customer is not None
        assert_books_balance(world)
        await comes_home(world)
        assert world.beta.row(record).customer is not None
        assert_books_balance(world)
    loans = [t for t in world.beta.turn.transfers() if t.is_loan]
    assert len(loans) == 3
    for loan in loans[1:]:
        notes = world.beta.history(record)
        assert f"fed:{loan.id}:1:in here again, from Attraktor (attraktor)" in notes
        assert any(note.startswith(f"fed:{loan.id}:1:away borrowed from Attraktor") for note in notes)
    assert world.beta.metadata("stockitem", record)["transfer"] == loans[-1].id
    for person in (world.anna, world.bea):
        line = person.says("!fed reconcile")
        await world.settle()
        assert "agree" in world.room.answers(line)[-1].text, world.room.transcript()


async def test_a_gift_goes_back_and_forth_with_one_record_each() -> None:
    world = await friends()
    await world.hand_over(f"#{LENS}")
    for _ in range(2):
        world.cem.says(f"!fed push #{lens_of(world)} to attraktor")
        await world.settle()
        offers = told(world.room, "as your stock #42 of the part")
        world.piet.reacts(offers[-1], "✅")
        await world.grace()
        assert world.alpha.row(LENS).customer is None
        assert world.alpha.metadata("stockitem", LENS)["origin"] == "", "it is ours, come back"
        assert_books_balance(world)
        world.cem.reacts(await world.push(f"#{LENS}"), "✅")
        await world.grace()
        assert world.beta.row(lens_of(world)).customer is None
        assert_books_balance(world)


async def test_it_is_requested_again_and_arrives_damaged_as_it_left() -> None:
    world = await was_here_before()
    before = [transfer.id for transfer in world.beta.turn.transfers()]
    world.alpha.admin("POST", "stock/change_status/", items=[LENS], status=55, note="scratched")
    world.anna.says(f"!fed share #{LENS}")
    await world.settle()
    world.bea.says("!fed request LENS-2#0042 from attraktor")
    await world.settle()
    world.bea.says("1", reply_to=world.room.message("isn't in good condition"))
    await world.settle()
    world.piet.reacts(world.room.messages(sender=world.alpha.chat.user_id)[-1], "✅")
    await world.grace()
    since = [transfer.state for transfer in world.beta.turn.transfers() if transfer.id not in before]
    assert sorted(since) == [TransferState.CANCELLED, DONE]
    assert (world.beta.row(lens_of(world)).customer, world.beta.row(lens_of(world)).status) == (None, 55)
    assert_books_balance(world)


async def number_is_taken(why: str) -> World:
    """Betaspace has another item under the lens's serial number."""
    if why == "another thing":
        world = await friends()
        part = world.beta.part("LENS-2").pk
        world.beta.admin("POST", "stock/", part=part, quantity=1, location=1, serial_numbers=SERIAL)
        return world
    world = await was_here_before()
    if why == "never left":
        line = [{"pk": lens_of(world), "quantity": "1", "status": 10}]
        world.beta.admin("POST", "stock/return/", items=line, location=1, notes="found in a drawer")
    if why == "went elsewhere":
        company = world.beta.admin("POST", "company/", name="Somebody else", is_customer=True)["pk"]
        world.beta.admin("PATCH", f"stock/{lens_of(world)}/", customer=company)
    return world


OTHER = "0042-attraktor"


@pytest.mark.parametrize("how", ["lend", "push"])
@pytest.mark.parametrize("parcel", ["", " --parcel"])
@pytest.mark.parametrize("why", ["another thing", "never left", "went elsewhere"])
async def test_an_item_whose_number_is_taken_gets_another_and_its_own_on_its_return(
    why: str, how: str, parcel: str
) -> None:
    world = await number_is_taken(why)
    await is_offered_again(world, how, f" for 1 week{parcel}" if how == "lend" else parcel)
    assert f"serial number {SERIAL} is taken there: it gets {OTHER}" in world.card().text
    await is_taken(world)
    if parcel:
        world.cem.reacts(world.card(), "📦")
        await world.grace()
    assert newest(world.alpha) is DONE, world.room.transcript()
    (row,) = [row for row in world.beta.stock() if row.serial == OTHER]
    assert world.beta.metadata("stockitem", row.pk)["from_serial"] == SERIAL
    assert f"there with serial number {SERIAL}" in row.notes
    assert world.alpha.row(LENS).customer is not None
    if how == "lend":
        await comes_home(world)
    else:
        world.cem.says(f"!fed push #{row.pk} to attraktor")
        await world.settle()
        world.piet.reacts(told(world.room, "as your stock #42 of the part")[-1], "✅")
        await world.grace()
    assert (world.alpha.row(LENS).serial, world.alpha.row(LENS).customer) == (SERIAL, None)
    assert world.beta.row(row.pk).customer is not None


def somebody_takes_the_number(world: World) -> None:
    part = world.beta.part("LENS-2").pk
    world.beta.admin("POST", "stock/", part=part, quantity=1, location=1, serial_numbers=SERIAL)


@pytest.mark.parametrize("when", ["offered", "approved"])
async def test_a_number_taken_between_card_and_booking_in_sends_the_item_back(when: str) -> None:
    world = await friends()
    await is_offered_again(world, "push", "")
    if when == "offered":
        somebody_takes_the_number(world)
    world.cem.reacts(world.card(), "✅")
    await world.settle()
    if when == "approved":
        somebody_takes_the_number(world)
    await world.grace()
    assert [newest(space) for space in world.spaces] == [REVERTED, REVERTED]
    assert world.alpha.row(LENS).customer is None


@pytest.mark.parametrize("when", ["offered", "on its way"])
async def test_a_parcel_whose_number_is_taken_is_booked_in_under_the_number_proposed_on_its_card(
    when: str,
) -> None:
    world = await friends()
    await is_offered_again(world, "push", " --parcel")
    if when == "offered":
        somebody_takes_the_number(world)
    await is_taken(world)
    if when == "on its way":
        somebody_takes_the_number(world)
    world.cem.says(f"!fed received {world.beta.transfer().code}")
    await world.grace()
    assert f"it gets {OTHER}" in world.card().text
    world.cem.says(f"!fed received {world.beta.transfer().code}")
    await world.grace()
    assert [newest(space) for space in world.spaces] == [DONE, DONE], world.room.transcript()
    assert [row.serial for row in world.beta.stock() if row.serial == OTHER] == [OTHER]


async def test_a_proposed_number_that_is_taken_too_is_counted_up() -> None:
    world = await number_is_taken("another thing")
    part = world.beta.part("LENS-2").pk
    for number in (OTHER, f"{OTHER}-2"):
        world.beta.admin("POST", "stock/", part=part, quantity=1, location=1, serial_numbers=number)
    await is_offered_again(world)
    assert f"it gets {OTHER}-3" in world.card().text


async def test_the_number_of_an_item_on_loan_here_is_taken() -> None:
    world = await was_here_before()
    item = lens_of(world)
    await is_offered_again(world, "push", "")
    await is_taken(world)
    world.cem.says(f"!fed lend #{item} to attraktor for 1 week")
    await world.settle()
    world.piet.reacts(told(world.room, "Take it?")[-1], "✅")
    await world.grace()
    await is_offered_again(world)
    assert "belongs to them: it is on loan here" in world.room.messages()[-1].text


async def test_a_record_that_is_changed_after_the_approval_is_left_alone_and_the_item_goes_back() -> None:
    world = await was_here_before()
    record = lens_of(world)
    await is_offered_again(world)
    line = [{"pk": record, "quantity": "1", "status": 10}]
    world.cem.reacts(world.card(), "✅")
    await world.settle()
    world.beta.admin("POST", "stock/return/", items=line, location=1, notes="by hand")
    await world.grace()
    assert [newest(space) for space in world.spaces] == [REVERTED, REVERTED]
    assert world.alpha.row(LENS).customer is None
    assert "Betaspace could not book it in, so Attraktor took it back" in world.card().text
    assert_books_balance(world)


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_failed_booking_in_is_done_once(kind: FaultKind) -> None:
    world = await was_here_before()
    await is_offered_again(world)
    world.beta.fails(kind, "POST", "stock/return/")
    await is_taken(world)
    await world.passes(timedelta(minutes=10))
    assert [newest(space) for space in world.spaces] == [DONE, DONE]
    assert_books_balance(world)


@pytest.mark.parametrize("was_done", [False, True])
async def test_a_booking_in_with_an_unknown_outcome_is_settled_by_a_superuser(was_done: bool) -> None:
    world = await was_here_before()
    await is_offered_again(world)
    world.cem.reacts(world.card(), "✅")
    await world.settle()
    with unanswered(world.beta, "stock/return", FaultKind.LATE if was_done else FaultKind.TIMEOUT_BEFORE):
        await world.passes(timedelta(seconds=6))
    await quarter_of_an_hour(world, world.beta)
    world.beta.transport.faults.release(world.beta.seeded.server)
    assert [newest(space) for space in world.spaces] == [DISPUTED, DISPUTED]
    await picks(world, world.bea, "it was booked in as #" if was_done else "it is not in our stock")
    await world.passes(timedelta(minutes=30))
    end = DONE if was_done else REVERTED
    assert [newest(space) for space in world.spaces] == [end, end]
    assert (world.beta.row(lens_of(world)).customer is None) is was_done
    assert (world.alpha.row(LENS).customer is None) is not was_done
    assert_books_balance(world)


# --- crashes, backups, a lost journal ------------------------------------------------------------------------


async def lends_again(world: World) -> None:
    await is_offered_again(world)
    await is_taken(world)


async def gives(world: World) -> None:
    await is_offered_again(world, "push", "")
    await is_taken(world)


async def calls_of(story: Callable[[World], Awaitable[None]], before: bool, of: str) -> int:
    world = await sharing()
    if before:
        await was_here_before(world)
    journal = await is_watched(side(world, of), 10**9)
    await story(world)
    return journal.calls


@pytest.mark.timeout(600)
@EVERY
async def test_a_backup_from_any_moment_finds_it_here_again(every: int) -> None:
    for moment in range(1, await calls_of(lends_again, before=True, of="receiver"), every):
        world = await was_here_before(await sharing())
        journal = await is_watched(world.beta, moment)
        await lends_again(world)
        await is_restored(world.beta, journal.backup_taken)
        await world.passes(RESENDS)
        assert world.beta.row(lens_of(world)).customer is None
        assert world.alpha.transfer().is_on_loan
        assert_books_balance(world)


@pytest.mark.timeout(600)
@OFTEN
@pytest.mark.parametrize("before", [True, False])
async def test_a_journal_lost_at_any_moment_is_rebuilt_and_books_it_in_once(before: bool, every: int) -> None:
    for moment in range(1, await calls_of(gives, before=before, of="receiver"), every):
        world = await sharing()
        if before:
            await was_here_before(world)
        await is_watched(world.beta, moment, stops=True)
        with suppress(Stopped):
            await gives(world)
        await is_rebuilt(world.beta)
        await world.passes(RESENDS)
        if newest(world.alpha) is OPEN:
            await taps_again(world)
        assert newest(world.alpha) is DONE, f"{moment}\n{world.room.transcript()}"
        assert world.beta.row(lens_of(world)).customer is None, moment
        assert_books_balance(world)
