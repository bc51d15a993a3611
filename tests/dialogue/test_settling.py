"""If no program can find out what became of stock, a superuser says so, and both spaces go on from there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from fedbot.rules.model.lifecycles import TransferState
from fedbot_demo.inventree.faults import FaultKind
from tests.fakes.people import Message, Person
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import GRACE, World, friends, told

ABORTED, DISPUTED, DONE = TransferState.ABORTED, TransferState.DISPUTED, TransferState.DONE
REVERTED = TransferState.REVERTED
NUTS, NUTS_THERE = 350, 900
OUT, OVER, IN = "stock/transfer/", "stock/assign/", "/api/stock/$"


def states(world: World) -> set[TransferState]:
    return {space.transfer().state for space in world.spaces}


@contextmanager
def unanswered(space: Space, path: str, kind: FaultKind) -> Iterator[None]:
    """Make one call fail, and let InvenTree be silent afterwards."""
    space.fails(kind, "POST", path)
    yield
    space.comes_back()
    space.fails(FaultKind.ERROR_BEFORE, "GET", times=None)


async def quarter_of_an_hour(world: World, space: Space) -> None:
    """InvenTree is silent for longer than anybody waits for it, and answers again."""
    await world.passes(timedelta(minutes=20))
    space.comes_back()
    await world.passes(timedelta(minutes=10))


async def unclear(world: World, space: Space, path: str, kind: FaultKind = FaultKind.TIMEOUT_BEFORE) -> None:
    """Anna gives ten nuts. This call has an unknown outcome; with LATE it is done much later."""
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.settle()
    with unanswered(space, path, kind):
        await world.passes(timedelta(seconds=6))
    await quarter_of_an_hour(world, space)
    space.transport.faults.release(space.seeded.server)
    assert states(world) == {DISPUTED}


async def asks(world: World, person: Person, words: str = "") -> Message:
    """The person asks to settle it; return the answer with the possible outcomes."""
    code = world.alpha.transfer().code
    line = person.says(f"!fed resolve {code} {words}".strip())
    await world.settle()
    answers = world.room.answers(line)
    assert len(answers) == 1, world.room.transcript()
    return answers[0]


async def picks(world: World, person: Person, sentence: str) -> None:
    """The person picks the choice that begins with this sentence."""
    choice = await asks(world, person)
    numbers = [text.split(")")[0] for text in choice.text.splitlines() if f") {sentence}" in text]
    assert len(numbers) == 1, choice.text
    person.says(numbers[0], reply_to=choice)
    await world.settle()
    await world.passes(timedelta(minutes=5))


def nuts(world: World) -> tuple[object, object]:
    return world.alpha.total("M3-NUT"), world.beta.total("N-M3")


# --- at the sender -------------------------------------------------------------------------------------------


async def test_a_superuser_says_that_nothing_had_left_and_it_ends_as_if_nothing_had_happened() -> None:
    world = await friends()
    await unclear(world, world.alpha, OUT)
    choice = await asks(world, world.anna)
    assert "it was not given" in choice.text
    assert "2)" not in choice.text
    await picks(world, world.anna, "it was not given")
    assert states(world) == {ABORTED}
    assert nuts(world) == (NUTS, NUTS_THERE)
    assert "Settled by Anna (Attraktor)" in world.card().text
    assert "Settled by Anna" in world.room.message("is settled").text
    assert_books_balance(world)


@pytest.mark.parametrize(
    ("truth", "end", "left"), [("it is ready in Outgoing", DONE, 10), ("it was not given", ABORTED, 0)]
)
async def test_a_superuser_says_that_it_is_in_outgoing(truth: str, end: TransferState, left: int) -> None:
    world = await friends()
    await unclear(world, world.alpha, OUT, FaultKind.LATE)
    assert "Outgoing, on its way out" in (await asks(world, world.anna)).text
    await picks(world, world.anna, truth)
    assert states(world) == {end}
    assert nuts(world) == (NUTS - left, NUTS_THERE + left)
    assert_books_balance(world)


@pytest.mark.parametrize(
    ("truth", "end", "left"), [("it is ready in Outgoing", DONE, 10), ("it was not given", ABORTED, 0)]
)
async def test_a_superuser_says_that_it_was_booked_out_but_not_handed_over(
    truth: str, end: TransferState, left: int
) -> None:
    world = await friends()
    await unclear(world, world.alpha, OVER)
    await picks(world, world.anna, truth)
    assert states(world) == {end}
    assert nuts(world) == (NUTS - left, NUTS_THERE + left)
    assert_books_balance(world)


async def test_a_superuser_says_that_it_was_handed_over_and_the_other_space_books_it_in() -> None:
    world = await friends()
    await unclear(world, world.alpha, OVER, FaultKind.LATE)
    choice = await asks(world, world.anna)
    assert "with a customer" in choice.text
    assert "it was not given" not in choice.text
    await picks(world, world.anna, "it left")
    assert states(world) == {DONE}
    assert nuts(world) == (NUTS - 10, NUTS_THERE + 10)
    given = world.alpha.transfer().at(1).item
    assert given is not None
    assert any("settled by Anna" in note for note in world.alpha.history(given))
    assert_books_balance(world)


@pytest.mark.parametrize(
    ("truth", "end", "left"), [("it is ready in Outgoing", DONE, 10), ("it was not given", ABORTED, 0)]
)
async def test_a_superuser_settles_whether_a_failed_hand_over_was_put_back(
    truth: str, end: TransferState, left: int
) -> None:
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.settle()
    world.alpha.fails(FaultKind.ERROR_BEFORE, "POST", OVER, status=400)
    world.alpha.fails(FaultKind.DELAY, "POST", OUT)  # this one succeeds
    with unanswered(world.alpha, OUT, FaultKind.TIMEOUT_BEFORE):
        await world.passes(timedelta(seconds=6))
    await quarter_of_an_hour(world, world.alpha)
    assert states(world) == {DISPUTED}
    await picks(world, world.anna, truth)
    assert states(world) == {end}
    assert nuts(world) == (NUTS - left, NUTS_THERE + left)
    assert world.alpha.stock(location=world.alpha.location("Outgoing")) == []


async def test_only_a_superuser_may_settle_and_only_a_disputed_transfer() -> None:
    world = await friends()
    await unclear(world, world.alpha, OUT)
    assert "superuser" in (await asks(world, world.piet, "--as stays")).text
    assert states(world) == {DISPUTED}
    assert "doesn't match" in (await asks(world, world.anna, "--as left")).text
    assert states(world) == {DISPUTED}
    await asks(world, world.anna, "--as stays")
    assert states(world) == {ABORTED}
    assert "Nothing to settle" in (await asks(world, world.anna, "--as stays")).text


async def test_the_other_space_can_only_say_that_it_no_longer_accepts_it() -> None:
    world = await friends()
    await unclear(world, world.alpha, OVER, FaultKind.LATE)
    choice = await asks(world, world.bea)
    assert "1) it is not in our stock, and never will be" in choice.text
    await picks(world, world.bea, "it is not in our stock")
    assert world.beta.transfer().state is TransferState.CANCELLED
    await picks(world, world.anna, "it left")
    assert (world.alpha.transfer().state, world.beta.transfer().state) == (REVERTED, TransferState.CANCELLED)
    assert nuts(world) == (NUTS, NUTS_THERE)


# --- at the receiver -----------------------------------------------------------------------------------------


async def test_the_receivers_superuser_says_that_it_was_not_booked_in_and_the_sender_takes_it_back() -> None:
    world = await friends()
    await unclear(world, world.beta, IN)
    await picks(world, world.bea, "it is not in our stock")
    assert states(world) == {REVERTED}
    assert nuts(world) == (NUTS, NUTS_THERE)
    assert_books_balance(world)


async def test_a_superuser_settles_whether_the_new_part_was_created() -> None:
    world = await friends(beta={"new_part_category": "Material"})
    card = await world.push("PLY-4-BIRCH 5")
    world.cem.reacts(card, "✅")
    await world.settle()
    with unanswered(world.beta, "/api/part/$", FaultKind.TIMEOUT_BEFORE):
        await world.passes(timedelta(seconds=6))
    await quarter_of_an_hour(world, world.beta)
    assert states(world) == {DISPUTED}
    await picks(world, world.bea, "it is not in our stock")
    assert states(world) == {REVERTED}
    assert_books_balance(world)


async def test_a_booked_in_item_is_found_by_its_mark() -> None:
    world = await friends()
    await unclear(world, world.beta, IN, FaultKind.LATE)
    choice = await asks(world, world.bea)
    assert "it is not in our stock" not in choice.text
    await picks(world, world.bea, "it was booked in as #")
    assert states(world) == {DONE}
    assert nuts(world) == (NUTS - 10, NUTS_THERE + 10)
    assert_books_balance(world)


async def test_somebody_booked_it_in_by_hand_and_names_its_number() -> None:
    world = await friends()
    await unclear(world, world.beta, IN)
    with world.beta.by_hand():
        made = world.beta.admin("POST", "stock/", part=world.beta.part("N-M3").pk, quantity="10", location=1)
        other = world.beta.admin("POST", "stock/", part=world.beta.part("N-M3").pk, quantity="9", location=1)
    by_hand, less = (entry[0]["pk"] if isinstance(entry, list) else entry["pk"] for entry in (made, other))
    assert "doesn't match" in (await asks(world, world.bea, f"--as booked #{less}")).text
    await asks(world, world.bea, f"--as booked #{by_hand}")
    await world.passes(timedelta(minutes=5))
    assert states(world) == {DONE}
    assert world.beta.transfer().at(1).item == by_hand
    assert world.beta.row(by_hand).location == 1, "it stays where people have put it"
    assert any("settled by Bea" in note for note in world.beta.history(by_hand))
    assert "Settled by Bea (Betaspace)" in world.card().text


async def test_the_sender_is_told_that_the_receiver_decides() -> None:
    world = await friends()
    await unclear(world, world.beta, IN)
    todo = world.anna.says("!fed todo")
    await world.settle()
    assert world.alpha.transfer().code in world.answer_to(todo)
    choice = await asks(world, world.anna)
    assert "booked" not in choice.text
    assert choice.text.count("alone") + choice.text.count("because you say so") > 0


# --- on the way back, and after the end ----------------------------------------------------------------------


async def test_a_refused_item_with_an_unknown_return_waits_for_a_superuser() -> None:
    world = await friends()
    card = await world.push()
    world.beta.fails(FaultKind.ERROR_BEFORE, "POST", IN, status=400)
    world.cem.reacts(card, "✅")
    await world.settle()
    with unanswered(world.alpha, "stock/return/", FaultKind.TIMEOUT_BEFORE):
        await world.passes(timedelta(seconds=6))
    await quarter_of_an_hour(world, world.alpha)
    assert (world.alpha.transfer().state, world.beta.transfer().state) == (DISPUTED, TransferState.REFUSED)
    await picks(world, world.anna, "Betaspace doesn't have it")
    assert states(world) == {REVERTED}
    assert nuts(world) == (NUTS, NUTS_THERE)
    assert_books_balance(world)


@pytest.mark.parametrize(
    ("side", "path", "words"),
    [("alpha", "stock/change_status/", "on its way"), ("beta", OUT, "is in Incoming")],
)
async def test_an_unknown_last_step_does_not_keep_a_transfer_from_its_end(side: str, path: str, words: str) -> None:
    world = await friends()
    space: Space = getattr(world, side)
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.settle()
    with unanswered(space, path, FaultKind.TIMEOUT_BEFORE):
        await world.passes(timedelta(seconds=6))
    await quarter_of_an_hour(world, space)
    assert states(world) == {DONE}
    assert told(getattr(world, f"{side}_admins"), words)


async def ended_at_once(world: World) -> None:
    """It has left Attraktor, Betaspace sleeps, and Anna ends the friendship without waiting."""
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.settle()
    world.clock.advance(GRACE + timedelta(seconds=1))
    await world.settle(asleep=(world.alpha,))
    await world.settle(asleep=(world.beta,))
    assert world.alpha.transfer().state is TransferState.SENT
    world.anna.says("!fed disconnect betaspace --sure --now")
    await world.settle(asleep=(world.beta,))
    assert world.alpha.transfer().state is DISPUTED


async def says_alone(world: World, truth: str) -> None:
    world.anna.says(f"!fed resolve {world.alpha.transfer().code} --as {truth}")
    await world.settle(asleep=(world.beta,))


async def test_a_transfer_settled_alone_as_arrived_is_confirmed_by_the_receiver() -> None:
    world = await friends()
    await ended_at_once(world)
    await says_alone(world, "arrived")
    assert world.alpha.transfer().state is DONE
    assert told(world.room, "Betaspace has not confirmed it yet")
    await world.passes(timedelta(hours=2))
    assert states(world) == {DONE}
    settled = world.alpha.transfer().settled
    assert settled is not None
    assert not settled.alone
    assert_books_balance(world)


async def both_have_it(world: World) -> None:
    """Anna takes it back alone, although Betaspace has booked it in."""
    await ended_at_once(world)
    await says_alone(world, "back")
    assert world.alpha.transfer().state is REVERTED
    await world.passes(timedelta(hours=2))
    assert states(world) == {DISPUTED}
    assert nuts(world) == (NUTS, NUTS_THERE + 10)
    assert "first delete it" in (await asks(world, world.bea)).text


async def test_an_item_in_both_stocks_stays_with_the_receiver_on_its_line_and_the_sender_is_told() -> None:
    world = await friends()
    await both_have_it(world)
    await picks(world, world.bea, "it is booked in here")
    assert (world.beta.transfer().state, world.alpha.transfer().state) == (TransferState.RECEIVED, DISPUTED)
    assert nuts(world) == (NUTS, NUTS_THERE + 10)
    assert "Betaspace says now that it has booked it in" in (await asks(world, world.anna)).text


async def test_an_item_in_both_stocks_is_deleted_where_it_does_not_belong() -> None:
    world = await friends()
    await both_have_it(world)
    with world.beta.by_hand():
        world.beta.admin("DELETE", f"stock/{world.beta.transfer().at(1).item}/")
    await picks(world, world.bea, "it is not in our stock")
    assert states(world) == {REVERTED}
    assert nuts(world) == (NUTS, NUTS_THERE)


async def test_an_item_in_both_stocks_is_given_again_by_hand_by_its_former_owner() -> None:
    world = await friends()
    await both_have_it(world)
    source = world.alpha.row(world.alpha.transfer().at(1).item or 0)
    assert source.quantity == NUTS, "it was put back into the item from which it had been taken"
    choice = await asks(world, world.anna)
    assert "Done by hand, under another number? !fed resolve" in choice.text
    with world.alpha.by_hand():
        lines = [{"pk": source.pk, "quantity": "10"}]
        world.alpha.admin("POST", "stock/transfer/", items=lines, location=source.location, notes="again")
        item = max(row.pk for row in world.alpha.stock())
        company = world.alpha.connection().company
        world.alpha.admin("POST", "stock/assign/", items=[{"item": item}], customer=company)
    assert "Settled: " in (await asks(world, world.anna, f"--as arrived #{item}")).text
    await world.passes(timedelta(minutes=5))
    await picks(world, world.bea, "it was booked in as #")
    assert states(world) == {DONE}
    assert nuts(world) == (NUTS - 10, NUTS_THERE + 10)


async def test_a_disputed_transfer_does_not_expire_and_nobody_is_called_silent() -> None:
    world = await friends()
    await unclear(world, world.alpha, OUT)
    before = len(world.room.messages())
    await world.passes(timedelta(days=9))
    assert states(world) == {DISPUTED}
    assert len(world.room.messages()) == before


async def test_a_restart_in_the_middle_of_settling_has_the_same_end() -> None:
    world = await friends()
    await unclear(world, world.alpha, OVER)
    choice = await asks(world, world.anna)
    await world.alpha.restart()
    await world.beta.restart()
    world.anna.says("1", reply_to=choice)
    await world.settle()
    await world.alpha.restart()
    await world.passes(timedelta(minutes=5))
    assert states(world) == {DONE}
    assert_books_balance(world)


# --- several lines, and missing items -------------------------------------------------------------------------


def resistors(world: World) -> tuple[object, object]:
    return world.alpha.total("RES-10K"), world.beta.total("RES-10K")


async def two_unclear(world: World, space: Space, path: str, kind: FaultKind = FaultKind.TIMEOUT_BEFORE) -> None:
    """As `unclear`, with ten nuts and twenty resistors: the first such call, that for the nuts, fails."""
    card = await world.push("M3-NUT 10 + RES-10K 20")
    world.cem.reacts(card, "✅")
    await world.settle()
    with unanswered(space, path, kind):
        await world.passes(timedelta(seconds=6))
    await quarter_of_an_hour(world, space)
    assert states(world) == {DISPUTED}


@pytest.mark.parametrize(("truth", "left"), [("it is ready in Outgoing", 10), ("it was not given", 0)])
async def test_one_of_two_lines_is_in_question_and_the_other_goes_on_afterwards(truth: str, left: int) -> None:
    world = await friends()
    await two_unclear(world, world.alpha, OVER)
    assert "what happened to 10 × M3 nut and 20 × Resistor" in (await asks(world, world.anna)).text
    assert "RES-10K" not in (await asks(world, world.anna)).text
    await picks(world, world.anna, truth)
    assert states(world) == {DONE}
    assert nuts(world) == (NUTS - left, NUTS_THERE + left)
    assert resistors(world) == (480, 60)
    if not left:
        assert "Not given: 10 × M3 nut stays at Attraktor" in world.card().text
        assert "Settled by Anna" in world.card().text
    assert_books_balance(world)


async def test_one_of_two_lines_is_missing_at_the_receiver_and_only_that_is_taken_back() -> None:
    world = await friends()
    await two_unclear(world, world.beta, IN)
    await picks(world, world.bea, "it is not in our stock")
    assert states(world) == {DONE}
    assert nuts(world) == (NUTS, NUTS_THERE)
    assert resistors(world) == (480, 60)
    assert "Done in part: 20 × Resistor" in world.card().text
    assert_books_balance(world)


async def two_on_their_way(world: World) -> None:
    """Two lines have left Attraktor, Betaspace sleeps, and Anna ends the friendship without waiting."""
    world.cem.reacts(await world.push("M3-NUT 10 + RES-10K 20"), "✅")
    await world.settle()
    world.clock.advance(GRACE + timedelta(seconds=1))
    await world.settle(asleep=(world.alpha,))
    await world.settle(asleep=(world.beta,))
    world.anna.says("!fed disconnect betaspace --sure --now")
    await world.settle(asleep=(world.beta,))
    assert world.alpha.transfer().state is DISPUTED


@pytest.mark.parametrize(("truth", "end"), [("arrived", DONE), ("back", REVERTED)])
async def test_one_answer_settles_all_lines_in_question(truth: str, end: TransferState) -> None:
    world = await friends()
    await two_on_their_way(world)
    await says_alone(world, truth)
    assert world.alpha.transfer().state is end
    assert [p.stage for p in world.alpha.transfer().progress] == [{DONE: "arrived", REVERTED: "back"}[end]] * 2
    left = 10 if end is DONE else 0
    assert (world.alpha.total("M3-NUT"), world.alpha.total("RES-10K")) == (NUTS - left, 500 - 2 * left)


def deletes(space: Space, number: int) -> None:
    """Somebody deletes our record of the given item."""
    with space.by_hand():
        space.admin("DELETE", f"stock/{space.transfer().at(number).item}/")


async def test_one_of_two_lines_is_back_and_one_is_missing() -> None:
    world = await friends()
    await two_on_their_way(world)
    deletes(world.alpha, 1)
    await says_alone(world, "lost")
    assert world.alpha.transfer().state is DISPUTED, "one of them stands in the books"
    await says_alone(world, "back")
    assert world.alpha.transfer().state is REVERTED
    assert [p.failed for p in world.alpha.transfer().progress] == ["lost", ""]
    assert (world.alpha.total("M3-NUT"), world.alpha.total("RES-10K")) == (NUTS - 10, 500)


async def test_a_missing_item_is_written_off_with_a_name() -> None:
    world = await friends()
    await ended_at_once(world)
    deletes(world.alpha, 1)
    choice = await alone(world, world.anna)
    assert "nobody has it. Then it is written off" in choice.text
    assert "we take it back" not in choice.text
    await says_alone(world, "lost")
    assert world.alpha.transfer().state is REVERTED
    assert told(world.room, "Lost: 10 × M3 nut")
    assert told(world.room, "Settled by Anna (Attraktor) alone")
    assert nuts(world) == (NUTS - 10, NUTS_THERE)
    assert "Nothing to settle" in (await alone(world, world.anna)).text


async def test_a_refused_and_missing_item_is_written_off_and_the_receiver_follows() -> None:
    world = await friends()
    card = await world.push()
    world.beta.fails(FaultKind.ERROR_BEFORE, "POST", IN, status=400)
    world.cem.reacts(card, "✅")
    await world.settle()
    with unanswered(world.alpha, "stock/return/", FaultKind.TIMEOUT_BEFORE):
        await world.passes(timedelta(seconds=6))
    await quarter_of_an_hour(world, world.alpha)
    deletes(world.alpha, 1)
    await picks(world, world.anna, "nobody has it")
    assert states(world) == {REVERTED}
    assert nuts(world) == (NUTS - 10, NUTS_THERE)
    assert "Lost: 10 × M3 nut" in world.card().text
    assert "Settled by Anna (Attraktor)" in world.card().text


async def alone(world: World, person: Person) -> Message:
    """As `asks`, while the other bot sleeps."""
    line = person.says(f"!fed resolve {world.alpha.transfer().code}")
    await world.settle(asleep=(world.beta,))
    return world.room.answers(line)[0]


async def a_missing_parcel(language: str = "en") -> World:
    """Ten nuts have left Attraktor by parcel, and Bea says that they never arrived."""
    world = await friends(alpha={"language": language})
    world.cem.reacts(await world.push(), "📦")
    await world.grace()
    world.bea.says(f"!fed missing {world.beta.transfer().code}")
    await world.settle()
    assert world.alpha.transfer().state is DISPUTED
    return world


@pytest.mark.parametrize("words", ["resolve {code} lost", "Resolve {code} LOST, the post says so."])
async def test_the_answer_may_be_typed_behind_the_id(words: str) -> None:
    world = await a_missing_parcel()
    answer = await world.answer(world.anna, "!fed " + words.format(code=world.alpha.transfer().code))
    assert answer.startswith(f"Settled: {world.alpha.transfer().code}")
    settled = world.alpha.transfer().settled
    assert settled is not None
    assert settled.truth == "lost"
    assert ("the post says so" in settled.by.note) is ("post" in words)


@pytest.mark.parametrize("words", ["klären {code} verloren", "kläre {code} --as verloren"])
async def test_a_german_space_settles_with_a_german_answer(words: str) -> None:
    world = await a_missing_parcel("de")
    code = world.alpha.transfer().code
    assert (await world.answer(world.anna, "!fed " + words.format(code=code))).startswith(f"Geklärt: {code}")


@pytest.mark.parametrize("words", ["it is not lost", "lost or not", "gone fishing"])
async def test_an_answer_in_other_words_settles_nothing_and_lists_the_possible_ones(words: str) -> None:
    world = await a_missing_parcel()
    answer = (await asks(world, world.anna, words)).text
    assert f'"{words}" doesn\'t match' in answer
    assert "1) " in answer
    assert world.alpha.transfer().state is DISPUTED
