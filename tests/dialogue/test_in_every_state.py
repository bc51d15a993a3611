"""Something happens to a friendship while a transfer is in each of its states: all of it still ends, and moves once.

`MOMENTS` brings a transfer into a state. `EVENTS` happens then, to the room, a key, a token or a process. Then people
decide on each card that asks them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import pytest

from fedbot.ports.chat import ChatRefused
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import APPROVE_KEY, PARCEL_KEY
from fedbot.rules.model.lifecycles import FINAL, ConnectionState, TransferState
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.who_decides import takes_reactions
from fedbot.rules.wire import fingerprint
from fedbot_demo.inventree.faults import FaultKind
from tests.dialogue.test_room_upgrades import say_so, upgrade
from tests.fakes.people import Person
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import World, nothing, sharing

T = TransferState
RESENDS = timedelta(minutes=20)
Moment = Callable[[World], Awaitable[None]]
Happening = Callable[[World], Awaitable[None]]


def states(world: World) -> tuple[TransferState, ...]:
    """The state of the newest transfer at the sender and at the receiver."""
    return tuple(space.transfer().state for space in world.spaces)


# --- the moments ---


async def an_offer_is_open(world: World) -> None:
    await world.push()
    assert states(world) == (T.OPEN, T.OPEN)


async def a_decision_is_in_its_grace(world: World) -> None:
    world.cem.reacts(await world.push(), "✅")
    await world.settle()
    assert world.beta.transfer().decision


async def an_approval_is_not_read_yet(world: World) -> None:
    card = await world.push()
    world.server.withholds = lambda user, event: user == world.alpha.chat.user_id and "dev.fedbot" in event["content"]
    world.cem.reacts(card, "✅")
    await world.grace()
    assert world.beta.transfer().wanted == "approve"


async def the_sender_can_not_book_out(world: World) -> None:
    card = await world.push()
    world.alpha.fails(FaultKind.REFUSED, "POST", "/api/stock/", times=None)
    world.cem.reacts(card, "✅")
    await world.grace()
    assert states(world) == (T.DEBITING, T.OPEN)


async def a_departure_is_not_read_yet(world: World) -> None:
    card = await world.push()
    world.server.withholds = lambda user, event: user == world.beta.chat.user_id and "dev.fedbot" in event["content"]
    world.cem.reacts(card, "✅")
    await world.grace()
    assert states(world) == (T.SENT, T.OPEN)


async def the_receiver_can_not_book_in(world: World) -> None:
    card = await world.push()
    world.beta.fails(FaultKind.REFUSED, "POST", "/api/stock/$", times=None)
    world.cem.reacts(card, "✅")
    await world.grace()
    assert states(world) == (T.SENT, T.CREDITING)


async def a_parcel_is_in_transit(world: World) -> None:
    world.cem.reacts(await world.push(), "📦")
    await world.grace()
    assert states(world) == (T.SENT, T.SENT)


async def a_request_is_open(world: World) -> None:
    world.tom.says("!fed request M3-BOLT 50 from attraktor")
    await world.settle()
    assert states(world) == (T.OPEN, T.OPEN)


async def less_is_granted(world: World) -> None:
    await a_request_is_open(world)
    world.piet.says("!fed approve 20", reply_to=world.room.message("Give it?"))
    await world.grace()
    assert world.beta.transfer().granted


async def something_is_booked(world: World) -> None:
    world.anna.says("!fed lend #42 to betaspace from 26.11. until 19.12.")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert states(world) == (T.BOOKED, T.BOOKED)


async def something_is_on_loan(world: World) -> None:
    world.anna.says("!fed lend M3-NUT 10 to betaspace for 3 weeks")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert states(world) == (T.DONE, T.DONE)


async def a_return_is_open(world: World) -> None:
    await something_is_on_loan(world)
    world.bea.says(f"!fed return {world.beta.transfer().code}")
    await world.settle()
    assert [t.terms.kind for t in world.alpha.turn.open_transfers()] == ["return"]


async def an_extension_is_open(world: World) -> None:
    await something_is_on_loan(world)
    world.bea.says(f"!fed extend {world.beta.transfer().code} 1 week")
    await world.settle()
    assert [t.terms.kind for t in world.alpha.turn.open_transfers()] == ["extension"]


async def a_parcel_is_missing(world: World) -> None:
    await a_parcel_is_in_transit(world)
    world.bea.says(f"!fed missing {world.beta.transfer().code}")
    await world.grace()
    assert states(world) == (T.DISPUTED, T.DISPUTED)


MOMENTS: list[Moment] = [
    an_offer_is_open,
    a_decision_is_in_its_grace,
    an_approval_is_not_read_yet,
    the_sender_can_not_book_out,
    a_departure_is_not_read_yet,
    the_receiver_can_not_book_in,
    a_parcel_is_in_transit,
    a_request_is_open,
    less_is_granted,
    something_is_booked,
    something_is_on_loan,
    a_return_is_open,
    an_extension_is_open,
    a_parcel_is_missing,
]


# --- what happens then ---


async def the_room_is_upgraded(world: World) -> None:
    await upgrade(world, *world.spaces)
    await say_so(world, "anna", "bea")


async def the_room_is_upgraded_twice_before_anybody_confirms(world: World) -> None:
    await upgrade(world, *world.spaces)
    await upgrade(world, *world.spaces)
    await say_so(world, "anna", "bea")


async def the_room_is_upgraded_twice_and_one_side_confirms_in_between(world: World) -> None:
    await upgrade(world, *world.spaces)
    await say_so(world, "bea")
    await upgrade(world, *world.spaces)
    await say_so(world, "bea", "anna")


async def _gets_another_key(world: World, space: Space, reviewer: Person) -> None:
    await space.gets_new_key()
    await world.settle()
    peer = next(other for other in world.spaces if other is not space)
    assert peer.connection().state is ConnectionState.SUSPENDED
    reviewer.says(f"!fed review {space.party} accept {fingerprint(space.identity.key)}")
    await world.settle()


async def the_sender_gets_another_key(world: World) -> None:
    await _gets_another_key(world, world.alpha, world.bea)


async def the_receiver_gets_another_key(world: World) -> None:
    await _gets_another_key(world, world.beta, world.anna)


async def both_tokens_are_rotated(world: World) -> None:
    for person, party in ((world.anna, "betaspace"), (world.bea, "attraktor")):
        person.says(f"!fed rotate {party}")
        await world.settle()


async def both_bots_start_anew(world: World) -> None:
    for space in world.spaces:
        await space.restart()


EVENTS: list[Happening] = [
    the_room_is_upgraded,
    the_room_is_upgraded_twice_before_anybody_confirms,
    the_room_is_upgraded_twice_and_one_side_confirms_in_between,
    the_sender_gets_another_key,
    the_receiver_gets_another_key,
    both_tokens_are_rotated,
    both_bots_start_anew,
]


# --- the end ---


async def people_go_on(world: World) -> None:
    """Everything works again, and approvers answer every card that asks them, until all is over."""
    world.server.withholds = nothing
    for space in world.spaces:
        space.comes_back()
    await world.passes(RESENDS)
    for day in range(6):
        for space, approver, superuser in ((world.alpha, world.piet, world.anna), (world.beta, world.dilek, world.bea)):
            for subject in space.turn.open_transfers():
                _decides(space, approver, subject)
                if subject.state is T.DISPUTED and day:
                    superuser.says(f"!fed resolve {subject.code} --as lost")
        await world.grace()
        await world.passes(RESENDS if day != 3 else timedelta(days=2))


def _decides(space: Space, approver: Person, subject: Transfer | Connection) -> None:
    if isinstance(subject, Transfer) and takes_reactions(subject) and subject.own_card:
        with suppress(ChatRefused):  # the same person has reacted to that card already
            approver.reacts(subject.own_card, PARCEL_KEY if subject.awaits_parcel else APPROVE_KEY)


#: `make test` tries each moment with one of the events, and `make test-long` with all.
PAIRS = [
    pytest.param(moment, event, marks=() if (first - second) % len(EVENTS) == 0 else pytest.mark.long)
    for first, moment in enumerate(MOMENTS)
    for second, event in enumerate(EVENTS)
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("moment", "event"), PAIRS, ids=lambda each: each.__name__)
async def test_it_ends_well_whatever_happens_in_any_state(moment: Moment, event: Happening) -> None:
    world = await sharing()
    await moment(world)
    await event(world)
    assert [space.connection().state for space in world.spaces] == [ConnectionState.ACTIVE] * 2
    await people_go_on(world)
    ends = [{t.id: t.state for t in space.turn.transfers()} for space in world.spaces]
    assert all(state in FINAL for each in ends for state in each.values()), world.room.transcript()
    assert ends[0] == ends[1], world.room.transcript()
    assert not any(t.exchange.awaiting for space in world.spaces for t in space.turn.transfers())
    if moment is not a_parcel_is_missing:
        assert set(ends[0].values()) == {T.DONE}, world.room.transcript()
        assert_books_balance(world)
