"""Nothing ends in limbo: whatever a peer's bot says, in any order, somebody here can end it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.protocol import bodies
from fedbot.rules.protocol.terms import LONGEST_OPEN
from fedbot.rules.transfer.opening import opens
from fedbot.rules.wire import SubjectKind, by_line, opened_id
from tests.dialogue.test_dishonest_friends import forges
from tests.dialogue.test_lending import lent
from tests.dialogue.test_protocol_messages import kind_of
from tests.scenarios.forging import forge
from tests.scenarios.world import World, friends, step, told

DEBITING, DISPUTED, DONE = TransferState.DEBITING, TransferState.DISPUTED, TransferState.DONE
SENT = TransferState.SENT


async def until_debiting(world: World) -> None:
    """Attraktor's bot has begun to book out, and nothing more."""
    for _ in range(50):
        if world.alpha.transfer().state is DEBITING:
            return
        await step(world.alpha)
    raise AssertionError(world.room.transcript())


def another(honest: Transfer, event_id: str) -> Transfer:
    """The same offer again, opened by another line."""
    assert honest.opening is not None
    opening = replace(honest.opening, cause=by_line(event_id))
    return replace(honest, id=opened_id(SubjectKind.PUSH, opening), opening=opening)


def says_next(world: World, heard: Transfer, kind: str) -> None:
    """Attraktor's bot sends a forged next message to Betaspace, which has read everything up to `heard`."""
    exchange = replace(world.alpha.transfer().exchange, sent=heard.exchange.seen)
    forges(world, world.alpha, replace(world.alpha.transfer(), exchange=exchange), kind, {"reason": "x"})


async def an_offer_of_a_sleeping_friend() -> World:
    """Attraktor has offered nuts; from now on all messages from Betaspace are forged."""
    world = await friends()
    await world.push("M3-NUT 10")
    world.beta.is_asleep = True
    return world


async def test_a_peer_that_disputes_a_booking_out_does_not_stop_it_half_way() -> None:
    world = await an_offer_of_a_sleeping_friend()
    subject, before = world.beta.transfer(), world.alpha.total("M3-NUT")
    forges(world, world.beta, subject, "approve", {})
    await until_debiting(world)
    for number, kind in ((2, "disputed"), (3, "refused")):
        body = {"by": "", "by_name": "", "reason": "x"}
        forge(
            world,
            world.beta,
            "attraktor",
            ("transfer", subject.id),
            subject.exchange.sent + number,
            kind,
            body,
            subject.terms_hash,
        )
        await world.settle()
    transfer = world.alpha.transfer()
    assert transfer.state is TransferState.REVERTED  # it left, and the peer's refusal takes it back
    assert world.alpha.total("M3-NUT") == before
    assert not any(progress.acting for progress in transfer.progress)
    assert "Too late" not in world.room.transcript()


async def test_people_can_settle_what_a_dishonest_peer_leaves_in_transit() -> None:
    world = await an_offer_of_a_sleeping_friend()
    subject = world.beta.transfer()
    forges(world, world.beta, subject, "approve", {})
    await world.settle()
    assert world.alpha.transfer().state is SENT
    world.anna.says("!fed disconnect betaspace --now --sure")
    await world.settle()
    assert world.alpha.transfer().state is DISPUTED
    world.anna.says(f"!fed resolve {world.alpha.transfer().code} --as back")
    await world.settle()
    assert world.alpha.transfer().state is TransferState.REVERTED


async def lies_next(world: World, number: int, kind: str) -> None:
    """Betaspace's bot sends this about the offer, with the sequence number this far ahead."""
    subject = world.beta.transfer()
    about, seq = ("transfer", subject.id), subject.exchange.sent + number
    forge(world, world.beta, "attraktor", about, seq, kind, {"reason": "x"}, subject.terms_hash)
    await world.settle()


async def test_a_friend_that_disputes_again_what_our_people_ended_opens_nothing() -> None:
    world = await an_offer_of_a_sleeping_friend()
    forges(world, world.beta, world.beta.transfer(), "approve", {})
    await world.settle()
    await lies_next(world, 2, "disputed")
    assert world.alpha.transfer().state is DISPUTED
    world.anna.says(f"!fed resolve {world.alpha.transfer().code} --as arrived")
    await world.settle()
    assert world.alpha.transfer().state is DONE
    for number in (3, 4):
        await lies_next(world, number, "disputed")
        assert world.alpha.transfer().state is DONE, "our people knew of that when they ended it"
    await lies_next(world, 5, "refused")
    assert world.alpha.transfer().state is DISPUTED, "that it has not got it is news"


async def test_an_end_by_our_people_alone_stands_if_they_confirm_it_after_a_dispute() -> None:
    world = await an_offer_of_a_sleeping_friend()
    forges(world, world.beta, world.beta.transfer(), "approve", {})
    await world.settle()
    world.anna.says("!fed disconnect betaspace --now --sure")
    await world.settle()
    for number in (2, 3):
        world.anna.says(f"!fed resolve {world.alpha.transfer().code} --as arrived")
        await world.settle()
        assert world.alpha.transfer().state is DONE
        await lies_next(world, number, "disputed")
        assert world.alpha.transfer().state is (DISPUTED if number == 2 else DONE)
    assert world.alpha.total("M3-NUT") == 340


async def test_a_friend_can_not_open_a_finished_transfer_by_claiming_that_its_people_settled_it() -> None:
    world = await friends()
    await world.hand_over("M3-NUT 10")
    done = world.beta.transfer()
    assert world.alpha.transfer().state is DONE
    by = {"by": world.bea.user_id, "by_name": "Bea", "event": "$x", "note": ""}
    body = {"reason": "x", "settled": {"truth": "back", "alone": True, **by}}
    for number, kind in ((1, "refused"), (2, "refused"), (3, "disputed")):
        about = ("transfer", done.id)
        said = body if kind == "refused" else {"reason": "x"}
        forge(world, world.beta, "attraktor", about, done.exchange.sent + number, kind, said, done.terms_hash)
        await world.settle()
        assert world.alpha.transfer().state is DONE, kind
    assert world.alpha.given("M3-NUT") == 10


async def test_a_peer_that_disputes_booked_in_items_and_falls_silent_leaves_us_a_choice() -> None:
    """We decide our own answer: a peer's "I can't tell" stops nothing, and a contradiction can be ended."""
    world = await friends()
    world.server.loses = lambda user, event: user == world.beta.chat.user_id and kind_of(event) == "done"
    await lent(world=world)
    loan = world.beta.transfer()
    assert loan.state is TransferState.RECEIVED
    world.alpha.is_asleep = True
    world.server.loses = lambda _user, _event: False
    says_next(world, loan, "disputed")
    await world.settle()
    assert world.beta.transfer().is_on_loan  # it can still be returned
    assert "I can't tell what happened to" not in world.room.transcript()
    says_next(world, world.beta.transfer(), "reverted")
    await world.settle()
    assert world.beta.transfer().state is DISPUTED
    world.bea.says(f"!fed resolve {loan.code} --as stands")
    await world.settle()
    assert world.beta.transfer().state is TransferState.RECEIVED
    assert world.beta.transfer().is_on_loan


async def test_a_disputed_transfer_ends_with_the_friendship() -> None:
    world = await friends()
    await world.push("M3-NUT 10")
    world.alpha.is_asleep = True
    connection = world.alpha.connection()
    says_next(world, world.beta.transfer(), "disputed")
    forges(world, world.alpha, connection, "disconnecting", {"by": world.anna.user_id, "by_name": "Anna"})
    await world.settle()
    says_next(world, world.beta.transfer(), "reverted")
    await world.settle()
    assert world.beta.transfer().state is TransferState.CANCELLED


async def test_a_friend_that_dates_its_message_far_ahead_gets_no_longer_time_and_no_first_place() -> None:
    world = await friends()
    await world.push("M3-NUT 10")
    far = world.clock.now() + timedelta(days=50_000)
    for event, due in (("$longer", far + timedelta(days=7)), ("$first", world.clock.now() + timedelta(days=7))):
        offer = another(world.alpha.transfer(), event)
        body = {**bodies.Offer(**opens(offer)).to_json(), "due": due.isoformat()}
        subject = ("transfer", offer.id)
        forge(world, world.alpha, "betaspace", subject, 1, "offer", body, offer.terms_hash, at=far)
    await world.settle()
    (_, forged) = sorted(world.beta.turn.transfers(), key=lambda transfer: transfer.id == offer.id)
    assert forged.due == due
    assert forged.asked.at <= world.clock.now()
    await world.passes(timedelta(minutes=1))
    world.cem.says("!fed push N-M3 1 to attraktor")
    await world.settle()
    newest = next(iter(world.beta.turn.newest()))
    assert newest.asked.person == world.cem.user_id


async def test_a_request_that_stays_open_longer_than_the_protocol_allows_is_refused() -> None:
    """Two sides with different last days could disagree whether an approval came in time."""
    world = await friends()
    await world.push("M3-NUT 10")
    honest = world.alpha.transfer()
    too_long = (world.clock.now() + LONGEST_OPEN + timedelta(days=1)).isoformat()
    before = len(world.beta.turn.transfers())
    offer = another(honest, "$another")
    forge(
        world,
        world.alpha,
        "betaspace",
        ("transfer", offer.id),
        1,
        "offer",
        {**bodies.Offer(**opens(offer)).to_json(), "due": too_long},
        offer.terms_hash,
    )
    await world.settle()
    assert len(world.beta.turn.transfers()) == before
    assert len([m for m in told(world.room, "due") if m.sender == world.beta.chat.user_id]) == 1
