"""The waiting list: first come, first served at the owner's; a returned item is kept for a while, then offered to the
next.
"""

from __future__ import annotations

from datetime import timedelta

from fedbot.rules.model.catalogue import FriendWant, Want
from fedbot.rules.model.lending import MOST_PLACES, OutsideLoan, PlaceInLine
from fedbot.rules.model.lifecycles import PlaceState, TransferState
from fedbot.rules.wire import fingerprint
from tests.dialogue.test_dishonest_friends import forges
from tests.dialogue.test_recovery import is_rebuilt
from tests.dialogue.test_room_upgrades import say_so, upgrade
from tests.fakes.people import Message
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import World, nothing, protocol_messages, sharing, told

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
LENS = "LENS-2#0042"


async def says(world: World, person: str, line: str, reply_to: Message | None = None) -> str:
    event = getattr(world, person).says(f"!fed {line}", **({"reply_to": reply_to} if reply_to else {}))
    await world.settle()
    answers = world.room.answers(event)
    return answers[0].text if answers else ""


def owners_card(world: World) -> Message:
    cards = [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions]
    assert cards, f"no card:\n{world.room.transcript()}"
    return cards[-1]


async def lens_lent_to_betaspace() -> World:
    """Three spaces; attraktor's laser lens is on loan to betaspace until 1 December."""
    world = await World().with_gammaspace().start()
    await world.connect()
    await says(world, "gus", "connect attraktor")
    world.anna.reacts(owners_card(world), "✅")
    await world.grace()
    with world.gamma.by_hand():
        category = world.gamma.part("M3-BOLT").category
        details = {"description": "for the laser", "category": getattr(category, "pk", category), "trackable": True}
        world.gamma.admin("POST", "part/", name="Laser lens 2.0″ ZnSe", IPN="LENS-2", salable=True, **details)
    await says(world, "piet", "share all")
    await says(world, "anna", "lend #42 to betaspace until 1.12.")
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.alpha.row(42).customer is not None, world.room.transcript()
    return world


async def comes_back(world: World, *, damaged: bool = False) -> None:
    loan = next(t for t in world.alpha.turn.transfers() if t.is_on_loan)
    await says(world, "bea", f"return {loan.code}")
    world.anna.reacts(owners_card(world), "🔧" if damaged else "✅")
    await world.grace()
    assert world.alpha.row(42).customer is None, world.room.transcript()


def parties(world: World) -> list[str]:
    """The entries of attraktor's queue, first come first."""
    return [entry.party for entry in world.alpha.turn.queue()]


def place(space: Space) -> PlaceState:
    return space.turn.all(PlaceInLine)[-1].state


async def test_the_first_in_the_queue_is_told_requests_by_a_reply_and_gets_it() -> None:
    world = await lens_lent_to_betaspace()
    answer = await says(world, "gus", f"wait {LENS} from attraktor")
    assert "⏳ We are waiting for 1 × LENS-2#0042 from Attraktor: place 1." in answer, world.room.transcript()
    assert "place 2" in await says(world, "kim", f"wait {LENS}")
    assert parties(world) == ["gammaspace", "attraktor"]
    assert "place 1" in await says(world, "gus", "todo")
    assert "gammaspace, place 1" in (await says(world, "piet", "wait")).lower()
    code = world.alpha.turn.queue()[1].code
    assert "Kim is waiting for" in await says(world, "piet", f"show {code}")
    await comes_back(world)
    (turn,) = [m for m in told(world.room, "and reserved for us until") if world.gus.user_id in m.mentions]
    world.gus.says("borrow for 2 weeks", reply_to=turn)
    await world.settle()
    assert world.alpha.row(42).customer is None, "the owner's people decide"
    assert "Waiting list" not in owners_card(world).text
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert world.alpha.row(42).customer is not None, world.room.transcript()
    assert place(world.gamma) is PlaceState.SERVED
    assert parties(world) == ["attraktor"]
    assert world.alpha.turn.queue()[0].told == 1
    assert_books_balance(world)


async def test_a_space_that_does_not_request_in_time_makes_room_and_a_request_holds_the_turn() -> None:
    world = await lens_lent_to_betaspace()
    await says(world, "gus", f"wait {LENS} from attraktor")
    await says(world, "kim", f"wait {LENS}")
    await comes_back(world)
    assert [bool(entry.kept) for entry in world.alpha.turn.queue()] == [True, False]
    assert "others wait for" in await says(world, "anna", "push #42 to betaspace")
    await says(world, "mia", f"request {LENS} from attraktor for 1 week")
    await world.passes(3 * DAY)
    assert parties(world) == ["gammaspace", "attraktor"], "their request waits for our people"
    world.piet.reacts(owners_card(world), "❌")
    await world.grace()
    await world.passes(HOUR)
    assert place(world.gamma) is PlaceState.LAPSED, world.room.transcript()
    assert told(world.room, "It goes to the next in line")
    (message,) = [m for m in told(world.room, "reserved for") if world.kim.user_id in m.mentions]
    assert "Take it, and book it out in InvenTree" in message.text
    await world.passes(3 * DAY)
    assert parties(world) == []
    assert "You don't need to wait" in await says(world, "kim", f"wait {LENS}")
    assert "it is free at Attraktor" in await says(world, "gus", f"wait {LENS} from attraktor")


async def test_a_booking_for_next_year_does_not_hold_up_the_queue_until_then() -> None:
    world = await lens_lent_to_betaspace()
    await says(world, "gus", f"request {LENS} from attraktor from 12.6.2027 until 19.6.2027")
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    await says(world, "gus", f"wait {LENS} from attraktor")
    await says(world, "kim", f"wait {LENS}")
    await says(world, "gus", f"request {LENS} from attraktor from 1.7.2027 until 2.7.2027")
    await comes_back(world)
    assert place(world.gamma) is PlaceState.TURN, world.room.transcript()
    await world.passes(3 * DAY)
    assert place(world.gamma) is PlaceState.LAPSED, "neither what is booked nor what is asked for later is its turn"
    assert [(entry.party, entry.kept) for entry in world.alpha.turn.queue()] == [("attraktor", 42)]


async def test_nobody_passes_the_queue_by_booking_from_tomorrow_on() -> None:
    world = await lens_lent_to_betaspace()
    await says(world, "gus", f"wait {LENS} from attraktor")
    await comes_back(world)
    assert parties(world) == ["gammaspace"]
    await says(world, "bea", f"request {LENS} from attraktor from 25.11. until 30.6.")
    assert "⏳ Waiting list, 1: 1. Gammaspace" in owners_card(world).text
    offered = await says(world, "anna", "lend #42 to betaspace from 25.11. until 30.6.")
    assert "others wait for" in offered
    assert "--over-booking" in offered
    await says(world, "bea", f"request {LENS} from attraktor from 25.1. until 30.1.")
    assert "Waiting list" not in owners_card(world).text, "what is for later holds nobody up"
    assert "Offered to Betaspace" in await says(world, "anna", "lend #42 to betaspace from 5.2. until 9.2.")


async def test_a_damaged_return_is_not_offered_until_it_is_repaired() -> None:
    world = await lens_lent_to_betaspace()
    await says(world, "gus", f"wait {LENS} from attraktor")
    await comes_back(world, damaged=True)
    await world.passes(2 * DAY)
    assert place(world.gamma) is PlaceState.WAITING, world.room.transcript()
    with world.alpha.by_hand():
        world.alpha.admin("PATCH", "stock/42/", status=10)
    await world.passes(2 * DAY)
    assert place(world.gamma) in {PlaceState.TURN, PlaceState.LAPSED}, world.room.transcript()
    assert told(world.room, "and reserved for us until")


async def test_an_extension_of_an_item_that_others_wait_for_shows_the_queue_and_takes_a_second_approval() -> None:
    world = await lens_lent_to_betaspace()
    loan = next(t for t in world.alpha.turn.transfers() if t.is_on_loan)
    await says(world, "bea", f"extend {loan.code} until 10.12.")
    card = owners_card(world)
    assert "Waiting list" not in card.text
    await says(world, "gus", f"wait {LENS} from attraktor")
    world.piet.reacts(card, "✅")
    await world.grace()
    assert world.alpha.turn.transfer(loan.id).back_by is None, "that card didn't show the line"  # type: ignore[union-attr]
    assert "⏳ Waiting list, 1: 1. Gammaspace (since Tue 24 Nov)." in owners_card(world).text
    answer = await says(world, "anna", f"extend {loan.code} until 8.12.")
    assert "others wait for" in answer
    assert "--over-booking" in answer
    await says(world, "anna", f"extend {loan.code} until 8.12. --over-booking")
    assert told(world.room, "until Tue 8 Dec"), world.room.transcript()


async def test_lost_messages_a_restart_and_a_bot_that_was_down_keep_the_order() -> None:
    world = await lens_lent_to_betaspace()
    world.server.loses = protocol_messages
    assert "to put us on the waiting list" in await says(world, "gus", f"wait {LENS} from attraktor")
    world.server.loses = nothing
    await world.passes(HOUR)
    await says(world, "kim", f"wait {LENS}")
    await world.alpha.restart()
    await world.gamma.restart()
    await world.settle()
    assert parties(world) == ["gammaspace", "attraktor"]
    await is_rebuilt(world.alpha)
    await world.settle()
    await world.passes(HOUR)
    assert parties(world) == ["gammaspace"], "friends' places stand in the room; our own people say it again"
    await says(world, "kim", f"wait {LENS}")
    await comes_back(world)
    world.alpha.is_asleep = True
    await world.passes(5 * DAY)
    await world.alpha.restart()
    await world.settle()
    await world.passes(HOUR)
    assert place(world.gamma) is PlaceState.LAPSED, world.room.transcript()
    assert parties(world) == ["attraktor"]
    assert world.alpha.turn.queue()[0].kept == 42


async def test_cancel_without_an_id_lists_by_number_all_that_one_can_take_back() -> None:
    world = await lens_lent_to_betaspace()
    assert "Nothing here fits" in await says(world, "gus", "cancel")
    await says(world, "gus", "request 2 M3-BOLT from attraktor from 12.12. until 19.12.")
    world.anna.reacts(owners_card(world), "✅")
    await world.grace()
    await says(world, "gus", "request 3 M3-BOLT from attraktor")
    await says(world, "gus", f"wait 1 {LENS} from attraktor")
    await says(world, "gus", "want 5 UNOBTAINIUM until 20.12.")
    booked, asked = list(world.gamma.turn.transfers())
    assert [booked.state, asked.state] == [TransferState.BOOKED, TransferState.OPEN]
    (want,), (place,) = world.gamma.turn.all(Want), world.gamma.turn.all(PlaceInLine)
    listed = [booked.code, asked.code, want.code, place.code]
    for each in (place, want, booked):
        line = world.gus.says("!fed cancel")
        await world.settle()
        (answer,) = world.room.answers(line)
        numbers = {text[3:].partition(" ")[0]: text[0] for text in answer.text.splitlines() if text[1:2] == ")"}
        assert sorted(numbers) == sorted(listed), answer.text
        world.gus.says(numbers[each.code], reply_to=answer)
        await world.settle()
        listed.remove(each.code)
    assert not world.gamma.turn.all(PlaceInLine) or not world.gamma.turn.all(PlaceInLine)[0].is_living
    assert not [each for each in world.gamma.turn.all(Want) if each.is_living]
    assert [t.state for t in world.gamma.turn.transfers()] == [TransferState.CANCELLED, TransferState.OPEN]
    assert "Nothing here fits" in await says(world, "mia", "cancel"), "what others asked for isn't listed"


async def test_an_entry_ends_by_cancel_or_with_the_friendship_but_not_with_the_room() -> None:
    world = await lens_lent_to_betaspace()
    await says(world, "gus", f"wait {LENS} from attraktor")
    await says(world, "gus", f"cancel {world.gamma.turn.all(PlaceInLine)[0].code}")
    assert parties(world) == []
    await says(world, "gus", f"wait {LENS} from attraktor")
    await upgrade(world, *world.spaces)
    await say_so(world, "anna", "bea", "gus")
    await world.passes(HOUR)
    assert parties(world) == ["gammaspace"]
    code = world.alpha.turn.queue()[0].code
    assert "Noted: you left the waiting list" in await says(world, "piet", f"cancel {code}")
    assert place(world.gamma) is PlaceState.REMOVED, world.room.transcript()
    await says(world, "gus", f"wait {LENS} from attraktor")
    assert parties(world) == ["gammaspace"], world.room.transcript()
    await says(world, "gus", "disconnect attraktor --sure")
    world.gus.says("1")
    await world.passes(DAY)
    assert parties(world) == [], world.room.transcript()
    assert place(world.gamma) is PlaceState.PARTED


async def test_after_a_move_each_turn_is_told_in_the_new_room() -> None:
    world = await lens_lent_to_betaspace()
    await says(world, "gus", f"wait {LENS} from attraktor")
    await says(world, "kim", f"wait {LENS}")
    await says(world, "piet", 'lend 5 M3-NUT to outside "Repair Café" until 25.11.')
    await upgrade(world, *world.spaces)
    await say_so(world, "anna", "bea", "gus")
    await world.passes(DAY)
    assert world.piet.user_id in told(world.room, "is due back from Repair Café")[-1].mentions
    await comes_back(world)
    (turn,) = [m for m in told(world.room, "and reserved for us until") if world.gus.user_id in m.mentions]
    world.gus.says("borrow for 2 weeks", reply_to=turn)
    await world.settle()
    world.piet.reacts(owners_card(world), "❌")
    await world.grace()
    await world.passes(3 * DAY)
    assert [m for m in told(world.room, "reserved for") if world.kim.user_id in m.mentions], world.room.transcript()


async def test_a_friend_that_waits_for_everything_or_lies_about_its_place_gets_nothing_by_it() -> None:
    world = await lens_lent_to_betaspace()
    await says(world, "gus", f"wait {LENS} from attraktor")
    assert "already" in await says(world, "mia", "wait LENS-2 from attraktor")
    assert "shares nothing under that name" in await says(world, "mia", "wait NO-SUCH-THING from attraktor")
    await says(world, "piet", "unshare all")
    assert "shares nothing under that name" in await says(world, "mia", "wait M3-NUT from attraktor")
    connection = world.beta.turn.active_connections()[0]
    mine = world.gamma.turn.all(PlaceInLine)[0]
    assert [entry.id for entry in world.alpha.turn.queue()] == [mine.id], "one place has one id"
    forges(world, world.beta, connection, "place", {"wait": mine.id, "over": "served"})
    forges(world, world.beta, connection, "wait", {"wait": mine.id, "over": True})
    await world.settle()
    assert [entry.id for entry in world.alpha.turn.queue()] == [mine.id], "nobody else gives it up"
    assert mine.id in {p.id for p in world.gamma.turn.all(PlaceInLine) if p.is_living}
    await says(world, "gus", f"cancel {mine.code}")
    await says(world, "piet", "share all")
    loan = next(t for t in world.alpha.turn.transfers() if t.is_on_loan)
    for _ in range(MOST_PLACES):
        answer = await says(world, "gus", f"wait {LENS} from attraktor")
        await says(world, "gus", f"cancel {world.gamma.turn.all(PlaceInLine)[-1].code}")
        await world.passes(timedelta(seconds=20))
    assert "we already wait for too many items of Attraktor" in answer, "who comes and goes voids no cards for ever"
    assert parties(world) == []
    forges(world, world.beta, connection, "wait", {"wait": "no-thing", "over": False})
    await world.settle()
    assert parties(world) == [], "without a sealed word it is for nothing"
    assert loan.is_on_loan


async def test_a_reply_to_a_turn_for_another_item_requests_the_item_that_we_wait_for() -> None:
    """A person who waits for the lens and replies 'borrow for 2 weeks' requests the lens, whatever the owner's bot
    keeps.
    """
    world = await lens_lent_to_betaspace()
    await says(world, "gus", f"wait {LENS} from attraktor")
    mine = world.gamma.turn.all(PlaceInLine)[0]
    connection = world.alpha.connection("gammaspace")
    nuts = world.alpha.item("M3-NUT").pk
    until = (world.clock.now() + DAY).isoformat()
    forges(world, world.alpha, connection, "place", {"wait": mine.id, "place": 1, "item": nuts, "until": until})
    await world.settle()
    (turn,) = [m for m in told(world.room, "and reserved for us until") if world.gus.user_id in m.mentions]
    world.gus.says("borrow for 2 weeks", reply_to=turn)
    await world.settle()
    (line,) = world.gamma.transfer().requested
    assert line.description.name == LENS
    assert "M3" not in owners_card(world).text.splitlines()[0]


async def test_a_neighbours_loan_can_be_waited_for_also_while_our_inventree_is_down() -> None:
    world = await sharing()
    await says(world, "anna", 'lend #42 to outside "Repair Café" until 1.12.')
    (loan,) = world.alpha.turn.all(OutsideLoan)
    world.alpha.goes_down()
    assert "to put us on the waiting list" in await says(world, "bea", f"wait {LENS} from attraktor")
    world.alpha.comes_back()
    await world.passes(HOUR)
    assert place(world.beta) is PlaceState.WAITING, world.room.transcript()
    answer = await says(world, "anna", f"extend {loan.code} until 8.12.")
    assert "others wait for" in answer
    assert "--over-booking" in answer
    assert world.alpha.turn.all(OutsideLoan)[0].until == loan.until
    await says(world, "anna", f"extend {loan.code} until 2026-12-08 --over-booking")
    assert world.alpha.turn.all(OutsideLoan)[0].until > loan.until, world.room.transcript()
    await says(world, "anna", f"return {loan.code}")
    assert place(world.beta) is PlaceState.TURN, world.room.transcript()


async def test_a_request_from_before_the_queue_delays_nobody() -> None:
    world = await lens_lent_to_betaspace()
    await says(world, "kim", f"wait {LENS}")
    await comes_back(world)
    await says(world, "gus", f"request {LENS} from attraktor for 1 week")
    card = owners_card(world)
    assert "⏳ Waiting list, 1: 1. Kim of Attraktor (since Tue 24 Nov)." in card.text, "kim comes before"
    await says(world, "bea", f"wait {LENS} from attraktor")
    assert parties(world) == ["attraktor", "betaspace"]
    world.piet.reacts(card, "✅")
    await world.grace()
    gone = [t for t in world.alpha.turn.transfers() if t.peer == "gammaspace"]
    assert gone[0].state is TransferState.DONE, "who has seen the line may pass it over"


async def test_a_search_shows_the_length_of_the_queue_and_our_own_place() -> None:
    world = await lens_lent_to_betaspace()
    await says(world, "anna", "lend 345 M3-NUT to betaspace until 1.12.")
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert "place 1" in await says(world, "kim", "wait 10 M3-NUT")
    assert "place 2" in await says(world, "gus", "wait 10 M3-NUT from attraktor")
    world.gus.says("!fed find nut")
    await world.settle()
    hit = told(world.room, "Attraktor: M3 nut")[-1].text
    assert "2 wait for it, our place is 2" in hit
    await says(world, "anna", "lend 5 M3-NUT to betaspace until 1.12. --over-booking")
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert not world.alpha.stock(part=world.alpha.part("M3-NUT").pk, customer=None), "a name finds nothing of it"
    assert "place 3" in await says(world, "piet", "wait 10 M3-NUT")
    for line in ("!fed find nut", "!fed find in attraktor"):
        world.gus.says(line)
        await world.settle()
        hit = told(world.room, "Attraktor: M3 nut")[-1].text
        assert "M3 nut (M3-NUT), nothing free now, 350 lent until Tue 1 Dec 2026, 3 wait for it, our place is 2" in hit
    before = len(told(world.room, "Attraktor: M3 nut"))
    await says(world, "anna", "unshare all")
    await says(world, "anna", "share M3-BOLT")
    world.gus.says("!fed find nut")
    await world.settle()
    assert len(told(world.room, "Attraktor: M3 nut")) == before, "what isn't shared is told to nobody"


async def test_a_friend_that_waits_for_what_it_has_or_owns_is_told_so() -> None:
    world = await lens_lent_to_betaspace()
    answer = await says(world, "bea", f"wait {LENS} from attraktor")
    assert answer.startswith(f"1 × {LENS}: we have it already, Attraktor lends it to us."), answer
    assert "To keep it longer: !fed extend ID 2 weeks" in answer
    answer = await says(world, "kim", f"wait {LENS} from betaspace")
    assert answer.startswith(f"1 × {LENS}: it is ours, Betaspace has borrowed it from us."), answer
    assert f"To wait until it is back: !fed wait {LENS}" in answer
    with world.alpha.by_hand():
        world.alpha.admin("PATCH", "stock/41/", status=55)
    answer = await says(world, "bea", "wait LENS-2 from attraktor")
    assert "place 1" in answer, "the other one will do once it is repaired"


async def test_a_space_does_not_wait_for_what_it_is_being_offered() -> None:
    world = await lens_lent_to_betaspace()
    await comes_back(world)
    await says(world, "anna", "lend #42 to betaspace until 1.12.")
    answer = await says(world, "bea", f"wait {LENS} from attraktor")
    assert answer.startswith(f"1 × {LENS}: Attraktor is already offering it to us."), answer
    assert "Accept it on its card: !fed todo" in answer
    assert parties(world) == []
    assert "place 1" in await says(world, "gus", f"wait {LENS} from attraktor"), "nobody offers it to them"
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.alpha.row(42).customer is not None
    assert parties(world) == ["gammaspace"]


async def test_a_search_does_not_propose_to_wait_for_what_the_asker_has_on_loan() -> None:
    world = await lens_lent_to_betaspace()
    with world.alpha.by_hand():
        world.alpha.admin("PATCH", "stock/41/", status=60)

    async def lines(person: str, space: str) -> list[str]:
        getattr(world, person).says("!fed find lens in attraktor")
        await world.settle()
        answer = next(m for m in reversed(world.room.messages(sender=space)) if "Attraktor: " in m.text)
        return answer.text.splitlines()

    theirs = await lines("bea", world.beta.chat.user_id)
    assert theirs[-1].endswith("1 lent until Tue 1 Dec 2026, to us"), theirs
    others = await lines("gus", world.gamma.chat.user_id)
    assert others[-1] == 'To wait for number 1: !fed wait 1 "LENS-2" from attraktor'


async def test_a_search_proposes_to_wait_for_what_is_damaged_or_waited_for() -> None:
    world = await lens_lent_to_betaspace()

    async def proposal(words: str) -> str:
        world.gus.says(f"!fed find {words} in attraktor")
        await world.settle()
        return told(world.room, "Attraktor: ")[-1].text.splitlines()[-1]

    nuts = world.alpha.item("M3-NUT").pk
    with world.alpha.by_hand():
        world.alpha.admin("POST", "stock/count/", items=[{"pk": nuts, "quantity": 1}], notes="counted")
    assert await proposal("nut") == "To request number 1, reply within 10 minutes: ask 1"
    with world.alpha.by_hand():
        world.alpha.admin("PATCH", f"stock/{nuts}/", status=55)
    assert await proposal("nut") == 'To wait for number 1: !fed wait 1 "M3-NUT" from attraktor'
    with world.alpha.by_hand():
        world.alpha.admin("PATCH", "stock/41/", status=55)
    assert await proposal("lens") == 'To wait for number 1: !fed wait 1 "LENS-2" from attraktor'
    await says(world, "kim", f"wait {LENS}")
    await comes_back(world)
    assert world.alpha.turn.queue()[0].kept == 42
    assert await proposal("lens") == 'To wait for number 1: !fed wait 1 "LENS-2" from attraktor'
    assert "place 2" in await says(world, "gus", 'wait 1 "LENS-2" from attraktor')
    assert "our place is 2" in await proposal("lens"), "then there is nothing to propose"


async def test_after_a_rebuild_places_and_wants_are_known_again_and_requests_from_anyone_are_cancelled() -> None:
    world = await lens_lent_to_betaspace()
    assert "place 1" in await says(world, "gus", f"wait {LENS} from attraktor")
    assert "place 2" in await says(world, "kim", f"wait {LENS}")
    await says(world, "mia", "want 5 UNOBTAINIUM until 31.12.")
    await says(world, "gus", "request 10 M3-BOLT from anyone")
    asked = world.gamma.transfer()
    assert asked.state is TransferState.OPEN, world.room.transcript()
    rebuilt = await is_rebuilt(world.gamma, compared=False)
    review(world, world.gamma, "gus")
    await world.settle()
    assert (rebuilt.waiting, rebuilt.wanted, rebuilt.rotas) == (1, 1, (f"{asked.code} (Gus)",))
    await world.passes(HOUR)
    assert place(world.gamma) is PlaceState.WAITING, world.room.transcript()
    assert "place 1" in told(world.room, "from Attraktor: place")[-1].text
    assert world.gamma.turn.all(Want)[-1].is_living
    assert [w.word for w in world.alpha.turn.all(FriendWant)] == ["UNOBTAINIUM"]
    assert world.gamma.transfer().state is TransferState.CANCELLED, "it could come twice"
    lost = world.room.message("I take back your request to Attraktor for 10 × M3 bolt")
    assert lost.mentions == (world.gus.user_id,)
    rebuilt = await is_rebuilt(world.alpha)
    await world.settle()
    assert (rebuilt.queue, rebuilt.waiting) == (1, 0)
    await world.passes(HOUR)
    assert parties(world) == ["gammaspace"], "our own people say it again"
    await comes_back(world)
    assert place(world.gamma) is PlaceState.TURN, world.room.transcript()
    await is_rebuilt(world.alpha)
    await world.passes(HOUR)
    assert world.alpha.turn.queue()[0].kept == 42, "it is kept for them still"
    await says(world, "gus", f"cancel {world.gamma.turn.all(PlaceInLine)[-1].code}")
    await is_rebuilt(world.alpha)
    assert parties(world) == [], "what is over stays so"


def review(world: World, space: Space, person: str) -> None:
    """A superuser of a third space has compared its friends' keys."""
    for connection in space.turn.connections():
        line = f"!fed review {connection.peer} accept {fingerprint(connection.peer_key)}"
        getattr(world, person).says(line, room=space.us.admin_room)


async def test_who_is_told_may_answer_in_the_thread_of_that_message() -> None:
    world = await lens_lent_to_betaspace()
    await says(world, "gus", f"wait {LENS} from attraktor")
    await comes_back(world)
    (turn,) = [m for m in told(world.room, "and reserved for us until") if world.gus.user_id in m.mentions]
    line = world.gus.says("borrow for 2 weeks", thread=turn)
    await world.settle()
    assert "Asked Attraktor for 1 ×" in world.answer_to(line)


async def test_a_part_of_the_name_of_our_own_item_is_enough_to_choose_it() -> None:
    world = await lens_lent_to_betaspace()
    answer = await says(world, "kim", "wait laser lens")
    assert answer.startswith('There is no item "laser lens". Do you mean this?')
    assert (await world.answer(world.kim, "yes")).startswith("LENS-2 is in stock: take it")
