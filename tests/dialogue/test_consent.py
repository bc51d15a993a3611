"""A decision counts for the content of its card, and a request for the items that it names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from fedbot.rules.model.connection import Exchange
from fedbot.rules.model.events import Answered
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.queries import Able, PartMatch
from fedbot.rules.model.stock import Part, PartDescription
from fedbot.rules.model.transfer import Line, Terms, Transfer
from fedbot.rules.protocol.terms import hash_of, to_json
from fedbot.rules.transfer.receive import ShowOfferCard
from tests.dialogue.test_dishonest_friends import forges
from tests.fakes.people import Message
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import World, a_world, friends, sharing, step

OPEN, DONE, CANCELLED = TransferState.OPEN, TransferState.DONE, TransferState.CANCELLED
REVERTED = TransferState.REVERTED


def as_the_owner(request: Transfer, terms: Terms, sent: int) -> Transfer:
    """The request in the state of a dishonest owner, with its own terms, after that many messages."""
    exchange = Exchange(sent=sent, seen=request.exchange.sent)
    return replace(request, peer="betaspace", terms=terms, terms_hash=hash_of(terms), exchange=exchange)


def with_lines(terms: Terms, *lines: Line) -> Terms:
    return replace(terms, lines=lines)


async def asked_of_a_liar() -> tuple[World, Transfer]:
    """Tom has requested 50 bolts from Attraktor, whose honest bot sleeps while somebody else uses its key."""
    world = await sharing()
    world.alpha.is_asleep = True
    world.tom.says("!fed request 50 M3-BOLT from attraktor")
    await world.settle()
    return world, world.beta.transfer()


MIRRORS = PartDescription("First-surface mirror", "MIRROR-1")
BOLTS = PartDescription("M3 bolt", "M3-BOLT")


async def test_an_owner_that_swaps_the_part_gives_nothing_and_the_requester_is_asked() -> None:
    world, request = await asked_of_a_liar()
    mirrors = with_lines(request.terms, replace(request.terms.lines[0], item=9, part=9, description=MIRRORS))
    forges(world, world.alpha, as_the_owner(request, mirrors, 0), "noted", {"terms": to_json(mirrors)})
    await world.settle()
    asked = world.room.message("another item than you asked for")
    assert "You asked for: 50 × M3-BOLT. It offers: 50 × First-surface mirror (MIRROR-1)" in asked.text
    sent = {"lines": [], "failed": [], "by": world.piet.user_id, "by_name": "Piet"}
    forges(world, world.alpha, as_the_owner(request, mirrors, 1), "sent", sent)
    await world.settle()
    assert world.beta.transfer().state is TransferState.REFUSED
    assert world.room.envelopes(sender=world.beta.chat.user_id)[-1]["kind"] == "refused"
    assert world.beta.total("M3-BOLT") == 12


async def test_the_requesters_approval_requests_exactly_that_part() -> None:
    world, request = await asked_of_a_liar()
    mirrors = with_lines(request.terms, replace(request.terms.lines[0], item=9, part=9, description=MIRRORS))
    forges(world, world.alpha, as_the_owner(request, mirrors, 0), "noted", {"terms": to_json(mirrors)})
    await world.settle()
    asked = world.room.message("another item than you asked for")
    world.bea.says("1", reply_to=asked)
    await world.settle()
    assert len(world.beta.turn.transfers()) == 1
    world.tom.says("1", reply_to=asked)
    await world.settle()
    anew = next(t for t in world.beta.turn.transfers() if t.id != request.id)
    assert [line.description.name for line in anew.terms.lines] == ["MIRROR-1"]
    assert anew.asked.person == world.tom.user_id


SWAPS: dict[str, Callable[[Line], tuple[Line, ...]]] = {
    "a serial number that was named": lambda line: (replace(line, serial="7", quantity=Decimal(1)),),
    "more": lambda line: (replace(line, quantity=line.quantity + 1),),
    "another thing beside it": lambda line: (
        replace(line, quantity=Decimal(40)),
        replace(line, number=2, quantity=Decimal(10), description=MIRRORS),
    ),
}


@pytest.mark.parametrize("how", SWAPS)
async def test_only_the_requested_items_are_accepted(how: str) -> None:
    world, request = await asked_of_a_liar()
    line = replace(request.terms.lines[0], item=9, part=9, description=BOLTS)
    other = with_lines(request.terms, *SWAPS[how](line))
    forges(world, world.alpha, as_the_owner(request, other, 0), "noted", {"terms": to_json(other)})
    await world.settle()
    assert world.beta.transfer().terms == request.terms
    forges(world, world.alpha, as_the_owner(request, other, 1), "sent", {"lines": [], "failed": []})
    await world.settle()
    assert world.beta.total("M3-BOLT") == 12


async def test_a_gift_does_not_become_a_loan_nor_a_loan_a_gift() -> None:
    world = await sharing()
    world.alpha.is_asleep = True
    world.tom.says("!fed request 50 M3-BOLT from attraktor until 20.12.")
    await world.settle()
    request = world.beta.transfer()
    line = replace(request.terms.lines[0], item=9, part=9, description=BOLTS)
    gift = replace(request.terms, lines=(line,), loan_until=None)
    forges(world, world.alpha, as_the_owner(request, gift, 0), "noted", {"terms": to_json(gift)})
    forges(world, world.alpha, as_the_owner(request, gift, 1), "sent", {"lines": [], "failed": []})
    await world.settle()
    assert world.beta.total("M3-BOLT") == 12


# --- a smaller grant, and then an even smaller one ---


async def granted(quantity: int = 20) -> tuple[World, Transfer, Terms]:
    """Attraktor's bot, which lies from here on, has granted that much of 50; Betaspace's card asks Tom."""
    world, request = await asked_of_a_liar()
    line = replace(request.terms.lines[0], item=12, part=3, description=BOLTS, batch="A")
    full = with_lines(request.terms, line)
    forges(world, world.alpha, as_the_owner(request, full, 0), "noted", {"terms": to_json(full)})
    await world.settle()
    grants(world, request, full, quantity, sent=1)
    await world.settle()
    return world, request, full


def grants(world: World, request: Transfer, full: Terms, quantity: int, sent: int) -> None:
    less = with_lines(full, replace(full.lines[0], quantity=Decimal(quantity), whole=False))
    said = {"terms": to_json(less), "by": world.piet.user_id, "by_name": "Piet"}
    forges(world, world.alpha, as_the_owner(request, less, sent), "granted", said)


def cards(world: World, of: str = "M3 bolt") -> list[Message]:
    """Betaspace's cards about transfers."""
    return [m for m in world.room.messages(sender=world.beta.chat.user_id) if m.reactions and of in m.text]


async def test_a_second_grant_within_the_grace_voids_the_decision_and_the_new_card_names_the_difference() -> None:
    world, request, full = await granted(20)
    (card,) = cards(world)
    assert "20 × M3 bolt" in card.text
    world.tom.reacts(card, "✅")
    await world.settle()
    grants(world, request, full, 10, sent=2)
    await world.grace()
    transfer = world.beta.transfer()
    assert (transfer.state, transfer.wanted, transfer.decision, transfer.decided) == (OPEN, "", None, None)
    former, newer = cards(world)
    assert "Attraktor changed the quantity from 20 to 10." in newer.text
    assert newer.mentions[0] == world.tom.user_id
    assert "a newer card replaces this one" in former.text
    world.bea.reacts(former, "✅")
    world.bea.says("!fed approve", reply_to=former)
    edits = world.room.edit_events(former)
    assert edits
    for edit in edits:
        world.cem.reacts(edit, "✅")
        world.cem.says("!fed approve", reply_to=edit)
    await world.grace()
    assert world.beta.transfer().wanted == ""
    assert "Not counted: there is a newer card" in world.room.transcript()
    world.tom.reacts(newer, "✅")
    await world.grace()
    assert world.beta.transfer().wanted == "approve"


async def test_a_second_grant_that_is_read_after_the_grace_voids_it_as_well() -> None:
    """InvenTree doesn't answer, so the new card isn't posted by then."""
    world, request, full = await granted(20)
    (card,) = cards(world)
    world.tom.reacts(card, "✅")
    await world.settle()
    world.clock.advance(world.beta.us.grace)
    grants(world, request, full, 10, sent=2)
    await world.grace()
    assert world.beta.transfer().wanted == ""
    assert len(cards(world)) == 2


async def test_a_grant_of_another_item_is_refused() -> None:
    world, request, full = await granted(20)
    mirrors = with_lines(full, replace(full.lines[0], description=MIRRORS))
    grants(world, request, mirrors, 10, sent=2)
    await world.grace()
    assert world.beta.transfer().terms.lines[0].description == BOLTS
    assert len(cards(world)) == 1


# --- the destination ---


async def test_another_part_of_ours_within_the_grace_voids_the_decision() -> None:
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.settle()
    lands_elsewhere(world)
    await world.grace()
    assert world.beta.transfer().wanted == ""
    former, newer = cards(world, "M3 nut")
    assert "a newer card replaces this one" in former.text
    assert "Changed: its destination, from " in newer.text
    assert newer.mentions[0] == world.cem.user_id
    assert_books_balance(world)


async def test_an_approved_item_gets_the_destination_on_the_card() -> None:
    world = await friends()
    card = await world.push()
    world.alpha.is_asleep = True
    world.cem.reacts(card, "✅")
    await world.grace()
    assert world.beta.transfer().wanted == "approve"
    shown = world.beta.transfer().at(1)
    lands_elsewhere(world)
    await world.settle()
    assert world.beta.transfer().at(1) == shown
    world.alpha.is_asleep = False
    await world.grace()
    assert world.beta.transfer().state is DONE
    assert world.beta.total("N-M3") == 910


def lands_elsewhere(world: World) -> None:
    """Betaspace's InvenTree names another part and location when asked again."""
    part = Part(pk=99, name="Another nut", ipn="OTHER")
    match = PartMatch(part=part, how="name", place="Attic", location=7)
    able = Able(tuple(world.beta.us.people.values()))
    world.beta.bot.engine.put(Answered(world.clock.now(), ShowOfferCard(world.beta.transfer().id), (match, able)))


async def test_the_owners_own_smaller_grant_and_a_full_approval_still_go_through() -> None:
    world = await sharing()
    world.tom.says("!fed request M3-BOLT 50 from attraktor")
    await world.settle()
    world.piet.says("!fed approve 20", reply_to=world.alpha.transfer().card_event)
    await world.grace()
    world.tom.reacts(cards(world)[-1], "✅")
    await world.grace()
    assert world.beta.transfer().state is DONE
    assert world.beta.total("M3-BOLT") == 32
    assert_books_balance(world)


async def test_the_time_zone_of_a_due_date_is_stated_once_and_never_changes() -> None:
    world = await sharing()
    world.alpha.is_asleep = True
    world.tom.says("!fed request 50 M3-BOLT from attraktor until 20.12.")
    await world.settle()
    request = world.beta.transfer()
    line = replace(request.terms.lines[0], item=9, part=9, description=BOLTS)
    first = replace(with_lines(request.terms, line), time_zone="Europe/Berlin")
    later = replace(first, time_zone="Pacific/Pago_Pago")
    forges(world, world.alpha, as_the_owner(request, first, 0), "noted", {"terms": to_json(first)})
    await world.settle()
    assert world.beta.transfer().terms == first
    forges(world, world.alpha, as_the_owner(request, later, 1), "noted", {"terms": to_json(later)})
    await world.settle()
    assert world.beta.transfer().terms == first
    less = with_lines(later, replace(line, quantity=Decimal(10)))
    by = {"by": world.piet.user_id, "by_name": "Piet"}
    forges(world, world.alpha, as_the_owner(request, less, 2), "granted", {"terms": to_json(less), **by})
    await world.settle()
    assert world.beta.transfer().terms == first


async def test_a_change_in_the_free_quantity_or_in_other_locations_voids_no_decision() -> None:
    """Such facts change all day and aren't part of what people agree to."""
    world = await sharing()
    world.bea.says("!fed request M3-NUT 10 from attraktor")
    await world.settle()
    world.piet.reacts(world.alpha.transfer().own_card, "✅")
    await world.settle()
    with world.alpha.by_hand():
        item = world.alpha.transfer().terms.lines[0].item
        world.alpha.admin("POST", "stock/remove/", items=[{"pk": item, "quantity": 40}], notes="used")
    world.anna.says("!fed push M3-NUT 20 to betaspace")
    await world.grace()
    request = next(t for t in world.alpha.turn.transfers() if t.terms.kind == "request")
    assert request.state is TransferState.DONE, world.room.transcript()


async def test_an_approval_of_a_friendship_is_void_when_its_card_would_show_something_else() -> None:
    world = await a_world()
    await world.asks_to_connect()
    before = world.card()
    world.bea.reacts(before, "✅")
    await world.settle()
    await world.beta.restart(has_admin_token=False)
    await world.grace()
    assert world.beta.connection().state is ConnectionState.OFFERED
    after = world.card()
    assert after.event_id != before.event_id
    world.bea.says("!fed approve", reply_to=before)
    await world.grace()
    assert world.beta.connection().state is ConnectionState.OFFERED, "nothing is decided on the former card"
    world.bea.reacts(after, "✅")
    await world.grace()
    assert world.beta.connection().state is not ConnectionState.OFFERED


def rewrites(space: Space, transfer: Transfer) -> None:
    """The document changes between the decision and the step, for whatever reason."""
    space.bot.engine.state.take_over({("Transfer", transfer.id): transfer})


async def test_nothing_leaves_when_the_request_differs_from_the_approved_one() -> None:
    world = await sharing()
    world.tom.says("!fed request 5 M3-NUT from attraktor")
    await world.settle()
    [card] = [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions]
    before = world.alpha.total("M3-NUT")
    world.piet.reacts(card, "✅")
    while world.alpha.transfer().state is OPEN:
        await step(world.alpha)
        world.clock.advance(timedelta(milliseconds=200))
        await world.alpha.bot.tick()
    approved = world.alpha.transfer()
    assert approved.state is TransferState.APPROVED
    more = replace(approved.terms.lines[0], quantity=Decimal(50))
    rewrites(world.alpha, replace(approved, terms=with_lines(approved.terms, more)))
    await world.settle()
    after = world.alpha.transfer()
    assert (after.state, after.problem) == (TransferState.ABORTED, "other-than-shown")
    assert world.alpha.total("M3-NUT") == before


async def test_nothing_is_booked_in_at_another_destination_than_that_of_the_approved_card() -> None:
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "✅")
    while not world.beta.transfer().wanted:
        await step(world.beta)
        world.clock.advance(timedelta(milliseconds=200))
        await world.beta.bot.tick()
    approved = world.beta.transfer()
    before = world.beta.count()
    bolts = world.beta.part("M3-BOLT").pk
    rewrites(world.beta, replace(approved, progress=(replace(approved.progress[0], part=bolts),)))
    await world.settle()
    assert world.beta.transfer().state is TransferState.DISPUTED
    assert world.beta.count() == before
