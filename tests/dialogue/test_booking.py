"""Bookings: reserved for the first day, then handed over or lapsed, and the events in between."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from fedbot.rules.model.lending import OutsideLoan
from fedbot.rules.model.lifecycles import TransferState
from tests.dialogue.test_dishonest_friends import forges
from tests.dialogue.test_recovery import is_rebuilt
from tests.dialogue.test_room_upgrades import say_so, upgrade
from tests.fakes.people import Message
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends, sharing, told

DAY = timedelta(days=1)
OPEN, BOOKED, DONE, EXPIRED = TransferState.OPEN, TransferState.BOOKED, TransferState.DONE, TransferState.EXPIRED


async def says(world: World, person: str, line: str) -> str:
    return await world.answer(getattr(world, person), f"!fed {line}")


def states(world: World) -> list[TransferState]:
    return [space.transfer().state for space in (world.alpha, world.beta)]


def owners_card(world: World, owner: Space | None = None) -> Message:
    """The newest card of the lender's bot (attraktor's)."""
    cards = [m for m in world.room.messages(sender=(owner or world.alpha).chat.user_id) if m.reactions]
    assert cards, f"no card:\n{world.room.transcript()}"
    return cards[-1]


async def booked(days: str = "from 12.12. until 19.12.", item: str = "#42", world: World | None = None) -> World:
    """Attraktor lends betaspace something later, and betaspace has approved. Today is 24 November."""
    world = world or await friends()
    world.anna.says(f"!fed lend {item} to betaspace {days}")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert states(world) == [BOOKED, BOOKED], world.room.transcript()
    return world


async def until_the_first_day(world: World, days: int = 18) -> Message:
    """Wait until the morning of 12 December; return the card on which attraktor is asked about the pickup."""
    await world.passes(days * DAY)
    card = owners_card(world)
    assert "Handed over?" in card.text, world.room.transcript()
    return card


async def test_a_booking_is_reserved_asked_about_on_its_first_day_and_on_loan_once_picked_up() -> None:
    world = await friends()
    line = world.anna.says("!fed lend #42 to betaspace from 12.12. for 1 week")
    await world.settle()
    assert "on loan Sat 12 Dec to Sat 19 Dec 2026" in world.answer_to(line)
    assert "Booking: pick-up from Sat 12 Dec on, due back Sat 19 Dec 2026" in world.card().text
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert states(world) == [BOOKED, BOOKED]
    assert world.alpha.row(42).customer is None, "nothing moves before the first day"
    assert "📅 Booked: 1 × Laser lens" in world.card().text
    assert "Pick it up at Attraktor by Sun 13 Dec 2026" in told(world.room, "Pick it up")[-1].text
    assert world.alpha.row(42).notes.startswith("Booked for Betaspace from 12 Dec 2026 until 19 Dec 2026 – fedbot ")
    assert "fedbot: booked" in world.alpha.row(42).tags
    card = await until_the_first_day(world)
    assert world.alpha.row(42).customer is None
    world.bea.reacts(card, "✅")
    world.kim.reacts(card, "✅")
    await world.grace()
    assert states(world) == [BOOKED, BOOKED], "only the owner's approvers hand it over"
    world.anna.reacts(card, "✅")
    await world.grace()
    assert states(world) == [DONE, DONE], world.room.transcript()
    assert all(space.transfer().is_on_loan for space in world.spaces)
    assert world.alpha.row(42).notes.startswith("Lent to Betaspace until 19 Dec 2026")
    assert "Booked" not in world.alpha.row(42).notes
    assert world.alpha.row(42).tags == ("fedbot: lent",)
    assert world.alpha.row(42).customer is not None
    assert_books_balance(world)


async def test_an_item_that_a_friend_hands_over_before_the_first_day_is_not_booked_in_and_goes_back() -> None:
    world = await booked()
    booking, before = world.alpha.transfer(), world.beta.total("LENS-2")
    told_of = {"lines": [{"number": 1, "item": booking.terms.lines[0].item}], "failed": []}
    forges(world, world.alpha, booking, "sent", told_of)
    await world.settle()
    ours = world.beta.transfer()
    assert (ours.state, ours.problem) == (TransferState.REFUSED, "not-yet")
    assert world.beta.total("LENS-2") == before
    line = world.cem.says(f"!fed show {ours.code}")
    await world.settle()
    assert "it isn't handed over before its first day" in world.answer_to(line)


async def test_a_request_books_ahead_and_the_requester_can_cancel_it() -> None:
    world = await sharing()
    line = world.bea.says("!fed request 10 M3-NUT from attraktor from 12.12. until 19.12.")
    await world.settle()
    assert "on loan Sat 12 Dec to Sat 19 Dec 2026" in world.answer_to(line)
    assert "✅ book it for them" in owners_card(world).text
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert states(world) == [BOOKED, BOOKED], world.room.transcript()
    world.bea.says(f"!fed cancel {world.beta.transfer().code}")
    await world.settle()
    assert states(world) == [TransferState.CANCELLED] * 2
    nuts = world.alpha.row(world.alpha.transfer().terms.lines[0].item)
    assert (nuts.notes, nuts.tags) == ("", ())
    world.bea.says("!fed request 10 M3-NUT from attraktor from 12.12. until 19.12.")
    await world.settle()
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    world.piet.reacts(await until_the_first_day(world), "✅")
    assert "📅 The first day of this booking has come: 10 × M3 nut" in told(world.room, "A newer card asks")[-1].text
    await world.grace()
    assert states(world) == [DONE, DONE], world.room.transcript()
    assert_books_balance(world)


async def test_not_today_asks_again_tomorrow_and_a_booking_that_nobody_picks_up_lapses() -> None:
    world = await booked()
    card = await until_the_first_day(world)
    world.piet.reacts(card, "❌")
    await world.grace()
    assert states(world) == [BOOKED, BOOKED]
    world.piet.reacts(card, "✅")
    await world.grace()
    assert states(world) == [BOOKED, BOOKED], "that card has had its answer"
    again = await until_the_first_day(world, 1)
    assert again.event_id != card.event_id
    await world.passes(DAY)
    assert states(world) == [EXPIRED, EXPIRED], world.room.transcript()
    assert "Nobody from Betaspace picked it up" in world.card().text
    world.piet.reacts(again, "✅")
    await world.grace()
    assert world.alpha.row(42).customer is None
    assert_books_balance(world)


async def test_a_lenders_bot_that_was_down_on_the_first_day_asks_when_it_is_back() -> None:
    world = await booked()
    world.alpha.is_asleep = True
    await world.passes(19 * DAY)
    await world.alpha.restart()
    await world.settle()
    await world.passes(timedelta(hours=1))
    card = owners_card(world)
    assert "Handed over?" in card.text, world.room.transcript()
    world.piet.reacts(card, "✅")
    await world.grace()
    assert states(world) == [DONE, DONE], world.room.transcript()


@pytest.mark.parametrize("what", ["bot", "InvenTree"])
async def test_a_lender_that_was_down_for_the_whole_pickup_window_asks_and_waits_as_long_again(
    what: str,
) -> None:
    world = await booked()
    if what == "bot":
        world.alpha.is_asleep = True
        await world.passes(21 * DAY)
        await world.alpha.restart()
    else:
        await world.passes(17 * DAY)
        world.alpha.goes_down()
        await world.passes(4 * DAY)
        world.alpha.comes_back()
    await world.passes(timedelta(hours=16))
    assert states(world) == [BOOKED, BOOKED], "nobody was asked yet"
    card = owners_card(world)
    assert "Handed over?" in card.text, world.room.transcript()
    assert "Pick it up at Attraktor by Wed 16 Dec 2026" in world.card().text, "the borrower is told"
    world.piet.reacts(card, "✅")
    await world.grace()
    assert states(world) == [DONE, DONE], world.room.transcript()
    assert_books_balance(world)


async def test_a_booking_whose_last_day_passed_while_the_lender_was_down_is_over_with_a_reason() -> None:
    world = await booked()
    world.alpha.is_asleep = True
    await world.passes(30 * DAY)
    await world.alpha.restart()
    await world.passes(timedelta(hours=1))
    assert states(world) == [EXPIRED, EXPIRED], world.room.transcript()
    assert "The bot of Attraktor could not ask in time whether it was picked up" in world.card().text
    assert "Nobody from Betaspace" not in world.room.transcript()


async def test_a_restart_does_not_extend_a_booking_that_was_asked_about_and_not_picked_up() -> None:
    world = await booked()
    await until_the_first_day(world)
    world.alpha.is_asleep = True
    await world.passes(3 * DAY)
    await world.alpha.restart()
    await world.passes(timedelta(hours=1))
    assert states(world) == [EXPIRED, EXPIRED], world.room.transcript()
    assert "Nobody from Betaspace picked it up" in world.card().text


async def test_a_neighbours_item_is_booked_for_after_its_return_and_bookings_hold_against_neighbours() -> None:
    world = await friends(alpha={"agenda": True})
    answer = await says(world, "piet", 'lend #42 to outside "Repair Café" until 10.12.')
    assert "is on loan to Repair Café" in answer
    answer = await says(world, "anna", "lend #42 to betaspace from 8.12. until 12.12.")
    assert "The nearest free days are Fri 11 Dec 2026 to Tue 15 Dec 2026" in answer
    await booked(world=world)
    await world.passes(2 * DAY)
    assert not told(world.room, "is at risk"), "it is back before"
    code = world.alpha.turn.all(OutsideLoan)[0].code
    answer = await says(world, "piet", f"extend {code} until 13.12.")
    assert "This would break" in answer
    assert "Laser lens 2.0″ ZnSe for Betaspace, Sat 12 Dec" in answer
    assert world.alpha.turn.all(OutsideLoan)[0].until == date(2026, 12, 10)
    await says(world, "piet", f"extend {code} until 11.12.")
    listed = (await says(world, "kim", "calendar")).splitlines()
    assert listed[1] == (
        f"• Fri 11 Dec: Repair Café (outside) brings 1 × Laser lens 2.0″ ZnSe (serial 0042) back to Attraktor ({code})"
    )
    assert "Sat 12 Dec: Betaspace picks up" in listed[2]
    for words, count in (("Repair Café", 1), ("LENS-2", 3), ("#42", 3), ("betaspace", 2), ("M3-NUT", 0)):
        assert (await says(world, "kim", f"calendar {words}")).count("•") == count, words
    await world.passes(14 * DAY)
    (agenda,) = told(world.room, "📅 Today and tomorrow:")
    assert "Fri 11 Dec: Repair Café (outside) brings" in agenda.text
    await world.passes(2 * DAY)
    assert "⚠ Repair Café (outside) has 1 × Laser lens 2.0″ ZnSe" in told(world.room, "📅 Today and tomorrow:")[-1].text
    assert "it is still lent to somebody else" in told(world.room, "is at risk")[-1].text
    await says(world, "piet", f"return {code}")
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert states(world) == [DONE, DONE], world.room.transcript()
    assert_books_balance(world)


async def test_a_manual_change_of_a_booked_item_is_reported_once_to_both_sides() -> None:
    world = await booked(item="M3-NUT 10")
    nuts = world.alpha.transfer().terms.lines[0].item
    with world.alpha.by_hand():
        world.alpha.admin("PATCH", f"stock/{nuts}/", status=60)
    await world.passes(2 * DAY)
    (warning,) = told(world.room, "is at risk")
    assert "its condition has changed" in warning.text
    with world.alpha.by_hand():
        world.alpha.admin("PATCH", f"stock/{nuts}/", status=10)
    await world.passes(DAY)
    assert len(told(world.room, "is safe again")) == 1
    with world.alpha.by_hand():
        world.alpha.admin("POST", "stock/count/", items=[{"pk": nuts, "quantity": 3}], notes="counted")
    card = await until_the_first_day(world, 15)
    assert "only 3 left" in card.text
    assert len(told(world.room, "is at risk")) == 2
    world.piet.reacts(card, "✅")
    await world.grace()
    assert states(world) == [TransferState.ABORTED] * 2, "there is nothing to hand over"


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("deleted", "the stock item is gone, or is another item now"),
        ("sold", "Attraktor doesn't have it in stock any more"),
    ],
)
async def test_a_booked_item_that_leaves_the_stock_is_reported_to_both_sides_at_once(how: str, words: str) -> None:
    world = await booked()
    with world.alpha.by_hand():
        if how == "deleted":
            world.alpha.admin("DELETE", "stock/42/")
        else:
            company = world.alpha.admin("POST", "company/", name="Somebody", is_customer=True)["pk"]
            world.alpha.admin("POST", "stock/assign/", items=[{"item": 42}], customer=company)
    await world.passes(DAY)
    (warning,) = told(world.room, "is at risk")
    assert words in warning.text
    assert set(warning.mentions) == {world.anna.user_id, world.cem.user_id}
    world.cem.says(f"!fed cancel {world.beta.transfer().code}")
    await world.settle()
    assert states(world) == [TransferState.CANCELLED] * 2


async def test_a_booked_item_goes_nowhere_else_without_a_second_approval_that_names_the_booking() -> None:
    world = await booked()
    line = world.anna.says("!fed lend #42 to betaspace until 11.12.")
    await world.settle()
    assert "Offered to Betaspace" in world.answer_to(line), "it is back before the booking begins"
    world.anna.says(f"!fed cancel {world.alpha.transfer().code}")
    await world.settle()
    line = world.anna.says("!fed lend #42 to betaspace from 15.12. for 1 week")
    await world.settle()
    assert "isn't free then" in world.answer_to(line)
    assert "The nearest free days are Sun 20 Dec 2026 to Sun 27 Dec 2026" in world.answer_to(line)
    line = world.anna.says("!fed push #42 to betaspace")
    await world.settle()
    answer = world.answer_to(line)
    code = world.alpha.turn.open_transfers()[0].code
    assert f"for Betaspace, Sat 12 Dec to Sat 19 Dec 2026 ({code})" in answer
    assert "!fed push #42 to betaspace --over-booking" in answer
    world.anna.says("!fed push #42 to betaspace --over-booking")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.alpha.row(42).customer is not None
    await world.passes(DAY)
    assert "Attraktor doesn't have it in stock any more" in told(world.room, "is at risk")[-1].text


async def test_the_first_approval_wins_if_two_friends_want_the_same_days() -> None:
    world = await World().with_gammaspace().start()
    await world.connect()
    world.gus.says("!fed connect attraktor")
    await world.settle()
    world.anna.reacts(owners_card(world), "✅")
    await world.grace()
    world.piet.says("!fed share all")
    await world.settle()
    cards = []
    for person in (world.bea, world.gus):
        person.says("!fed request 120 M3-BOLT from attraktor from 12.12. until 19.12.")
        await world.settle()
        cards.append(owners_card(world))
    assert len(world.alpha.turn.open_transfers()) == 2, world.room.transcript()
    first, second = (t.id for t in world.alpha.turn.open_transfers())
    world.piet.reacts(cards[0], "✅")
    world.piet.reacts(cards[1], "✅")
    await world.grace()
    alpha = world.alpha.turn
    assert alpha.transfer(first).state is BOOKED  # type: ignore[union-attr]
    assert alpha.transfer(second).state is TransferState.ABORTED  # type: ignore[union-attr]
    assert told(world.room, "The nearest free days are Sun 20 Dec 2026"), world.room.transcript()
    cards = []
    for person, wanted in ((world.bea, "60 #1 + 60 #1"), (world.gus, "30 #1")):
        person.says(f"!fed request {wanted} from attraktor from 1.2.2027 until 5.2.2027")
        await world.settle()
        cards.append(owners_card(world))
    for card in reversed(cards):
        world.piet.reacts(card, "✅")
        await world.grace()
    assert [t.peer for t in alpha.open_transfers() if t.terms.starts and t.terms.starts.year == 2027] == [
        "gammaspace"
    ], "of 120 not 30 and twice 60"
    world.gus.says("!fed request 120 M3-BOLT from attraktor from 15.12. until 16.12.")
    await world.settle()
    assert "The nearest free days are" in world.room.messages()[-1].text, world.room.transcript()


async def test_a_request_for_now_and_an_extension_show_the_booking_that_an_approval_breaks() -> None:
    world = await sharing()
    world.anna.says("!fed lend #42 to betaspace until 1.12.")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    loan = world.alpha.transfer()
    await booked(world=world)
    line = world.anna.says(f"!fed extend {loan.code} until 13.12.")
    await world.settle()
    assert "This would break" in world.answer_to(line)
    world.bea.says(f"!fed extend {loan.code} until 13.12.")
    await world.settle()
    assert (
        "⚠ If you approve, you break a booking: Laser lens 2.0″ ZnSe for Betaspace, Sat 12 Dec"
        in owners_card(world).text
    )
    world.bea.says("!fed cancel")
    line = world.anna.says(f"!fed extend {loan.code} until 11.12.")
    await world.settle()
    assert "the loan runs until Fri 11 Dec" in world.answer_to(line)


async def test_a_booking_that_appears_in_the_grace_makes_a_decision_void() -> None:
    world = await sharing()
    world.bea.says("!fed request LENS-2#0042 from attraktor for 4 weeks")
    await world.settle()
    card = owners_card(world)
    assert "If you approve, you break" not in card.text
    world.anna.says("!fed lend #42 to betaspace from 12.12. until 19.12.")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    world.piet.reacts(card, "✅")
    await world.grace()
    assert world.alpha.row(42).customer is None, "nobody has said yes to breaking it"
    anew = owners_card(world)
    assert anew.event_id != card.event_id
    assert "⚠ If you approve, you break a booking" in anew.text


async def test_after_a_loss_the_owners_newest_card_decides_and_a_former_one_never_does() -> None:
    world = await sharing()
    world.bea.says("!fed request LENS-2#0042 from attraktor for 4 weeks")
    await world.settle()
    former = owners_card(world)
    world.anna.says("!fed lend #42 to betaspace from 12.12. until 19.12.")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    world.piet.reacts(former, "✅")
    await world.grace()
    newest = owners_card(world)
    assert newest.event_id != former.event_id
    await is_rebuilt(world.alpha)
    await world.passes(timedelta(minutes=15))
    world.anna.reacts(former, "✅")
    await world.grace()
    assert world.alpha.row(42).customer is None, "nobody has said yes to what the newest card shows"
    world.anna.reacts(newest, "✅")
    await world.grace()
    await world.passes(timedelta(minutes=15))
    assert world.alpha.row(42).customer is not None, world.room.transcript()


async def test_the_calendar_lists_pickups_and_due_dates_and_the_morning_message_todays() -> None:
    world = await booked(world=await friends(alpha={"agenda": True}))
    world.anna.says("!fed lend M3-NUT 10 to betaspace until 28.11.")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    code = world.alpha.turn.open_transfers()[0].code
    line = world.kim.says("!fed calendar")
    await world.settle()
    assert world.answer_to(line).splitlines() == [
        "📅 Tue 24 Nov to Fri 25 Dec 2026:",
        f"• Sat 28 Nov: Betaspace brings 10 × M3 nut back to Attraktor ({world.alpha.transfer().code})",
        f"• Sat 12 Dec: Betaspace picks up 1 × Laser lens 2.0″ ZnSe at Attraktor, due back Sat 19 Dec 2026 ({code})",
        f"• Sat 19 Dec: Betaspace brings 1 × Laser lens 2.0″ ZnSe back to Attraktor ({code})",
    ]
    for words, least in (("#42", 3), ("betaspace december", 3), ("LENS-2 2027-01", 0), ("gammaspace", 0)):
        line = world.kim.says(f"!fed calendar {words}")
        await world.settle()
        assert world.answer_to(line).count("•") == max(least - 1, 0), world.answer_to(line)
    line = world.bea.says("!fed calendar attraktor")
    await world.settle()
    assert "Betaspace picks up 1 × Laser lens" in world.answer_to(line), "the borrower's bot knows it too"
    await world.passes(4 * DAY)
    assert len(told(world.room, "📅 Today and tomorrow:")) == 2, "on the day before, and on the day"
    await world.passes(DAY)
    assert "⚠ Betaspace has 10 × M3 nut of Attraktor overdue" in told(world.room, "📅 Today and tomorrow:")[-1].text


async def test_a_booked_loan_in_a_parcel_is_listed_with_the_loans_and_counts_as_one() -> None:
    world = await booked(world=await sharing())
    world.anna.reacts(await until_the_first_day(world), "📦")
    await world.grace()
    assert states(world) == [TransferState.SENT] * 2, world.room.transcript()
    code = world.alpha.transfer().code
    back = f"• Sat 19 Dec: Betaspace brings 1 × Laser lens 2.0″ ZnSe back to Attraktor ({code})"
    for person in ("kim", "tom"):
        listed = await says(world, person, "todo")
        assert f"{code} – 1 × Laser lens" in listed, listed
        assert "📦 On its way by parcel since" in listed
        assert (await says(world, person, "calendar")).splitlines()[1:] == [back]
    answer = await says(world, "anna", "lend #42 to betaspace from 15.12. until 20.12.")
    assert "The nearest free days are Sun 20 Dec 2026 to Fri 25 Dec 2026" in answer, answer
    assert "1 more lent until Sat 19 Dec 2026" in await says(world, "tom", "find LENS-2 in attraktor")
    assert "place 1" in await says(world, "kim", "wait LENS-2#0042")
    world.bea.says(f"!fed received {code}")
    await world.grace()
    assert states(world) == [DONE, DONE], world.room.transcript()
    assert f"Borrowed; to bring it back, type !fed return ID:\n• {code}" in await says(world, "tom", "todo")


@pytest.mark.parametrize(
    ("owners", "borrowers"), [("America/New_York", "Pacific/Auckland"), ("Pacific/Auckland", "America/New_York")]
)
async def test_calendar_and_agenda_show_due_and_overdue_at_every_hour_in_any_time_zone_of_the_owner(
    owners: str, borrowers: str
) -> None:
    world = await friends(alpha={"time_zone": owners}, beta={"time_zone": borrowers, "agenda": True})
    world.anna.says("!fed lend M3-NUT 10 to betaspace until 28.11.")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    for _ in range(20):
        await world.passes(timedelta(hours=6))
        line = world.bea.says("!fed calendar attraktor")
        await world.settle()
        told_of = world.answer_to(line)
        here = world.beta.turn.today()
        is_over = world.beta.turn.day_of(world.beta.transfer()) > date(2026, 11, 28)
        assert ("overdue since Sat 28 Nov 2026" in told_of) is is_over, told_of
        assert ("brings 10 × M3 nut back" in told_of) is not is_over, told_of
        if is_over:
            assert f"{here:%a} {here.day} " in told_of.splitlines()[1], "overdue stands under our own today"
    assert "overdue since" in told(world.room, "📅 Today and tomorrow:")[-1].text


@pytest.mark.parametrize(
    "words", ["picked up {code}", "abgeholt {code}", "{code} was collected", "LENS-2 was picked up"]
)
async def test_who_types_that_a_booking_was_picked_up_reads_the_line_or_who_types_it(words: str) -> None:
    world = await booked()
    code = world.alpha.transfer().code
    line = words.format(code=code)
    if code in line:
        assert "From Sat 12 Dec on, my card of" in await says(world, "anna", line)
    await until_the_first_day(world)
    assert await says(world, "anna", line) == f"Did you mean !fed approve {code}? I did nothing."
    if code in line:
        assert f"approvers of Attraktor tell their bot that {code} was picked up" in await says(world, "bea", line)
    assert states(world) == [BOOKED, BOOKED]


async def test_who_types_that_a_parcel_was_picked_up_reads_how_to_book_it_in() -> None:
    world = await friends()
    world.cem.reacts(await world.push(), "📦")
    await world.grace()
    code = world.beta.transfer().code
    assert await says(world, "bea", "collected it") == f"Did you mean !fed received {code}? I did nothing."
    assert await says(world, "bea", f"picked up {code}") == f"Did you mean !fed received {code}? I did nothing."


async def test_a_booking_goes_on_in_the_new_room_and_ends_with_the_friendship() -> None:
    world = await booked()
    await upgrade(world, *world.spaces)
    await say_so(world, "anna", "bea")
    assert states(world) == [BOOKED, BOOKED]
    card = await until_the_first_day(world)
    world.piet.reacts(card, "❌")
    await world.grace()
    world.bea.says("!fed disconnect attraktor --sure")
    await world.settle()
    assert states(world) == [TransferState.CANCELLED] * 2
    await world.passes(DAY)
    assert world.alpha.row(42).notes == ""
    assert not told(world.room, "Handed over?"), "nobody is asked again"


@pytest.mark.parametrize("lost", [0, 1], ids=["the owner's", "the borrower's"])
async def test_a_journal_lost_during_a_booking_is_rebuilt_and_it_is_handed_over(lost: int) -> None:
    world = await booked()
    await is_rebuilt(world.spaces[lost])
    await world.passes(timedelta(minutes=15))
    assert states(world) == [BOOKED, BOOKED], world.room.transcript()
    world.piet.reacts(await until_the_first_day(world), "✅")
    await world.grace()
    await world.passes(timedelta(minutes=15))
    assert states(world) == [DONE, DONE], world.room.transcript()
    assert_books_balance(world)


async def test_the_first_day_is_the_lenders_also_over_a_change_of_the_clocks() -> None:
    world = await friends(alpha={"time_zone": "Pacific/Auckland"}, beta={"time_zone": "America/New_York"})
    await booked("from 5.4. until 9.4.", world=world)
    assert "Auckland time" in world.card().text
    await world.passes(131 * DAY - timedelta(hours=4))
    assert not told(world.room, "Handed over?"), "it is 04:14 there, as summer time ended a day ago"
    await world.passes(timedelta(hours=4))
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert states(world) == [DONE, DONE], world.room.transcript()


async def test_a_search_shows_bookings_and_the_day_when_an_item_is_free_again() -> None:
    world = await booked(world=await sharing())
    for person in (world.bea, world.kim):
        line = person.says("!fed find LENS-2")
        await world.settle()
        assert "1 booked from Sat 12 Dec, free from Sun 20 Dec 2026" in world.answer_to(line), world.answer_to(line)


async def test_a_friend_that_requests_everything_gets_nothing_without_our_approval() -> None:
    world = await sharing()
    for number in range(25):
        world.bea.says(f"!fed request LENS-2#0042 from attraktor from {number % 28 + 1}.1. until {number % 28 + 2}.1.")
    await world.settle()
    open_here = [t for t in world.alpha.turn.open_transfers() if t.state is OPEN]
    assert 0 < len(open_here) <= 25
    assert not [t for t in world.alpha.turn.open_transfers() if t.state is BOOKED]
    line = world.anna.says("!fed lend #42 to betaspace until 11.1.")
    await world.settle()
    assert "Offered to Betaspace" in world.answer_to(line), "what is only asked for keeps nobody from lending"
