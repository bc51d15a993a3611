"""With a homeserver's default rate limits, nobody waits longer than necessary or for somebody else's flood."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.dialogue.test_room_upgrades import upgrade
from tests.scenarios.busy import busy_hours, handovers, limited, p95
from tests.scenarios.world import GRACE

GRACE_S = GRACE.total_seconds()


async def test_alone_both_sides_are_done_within_two_seconds_of_the_grace() -> None:
    waits = await handovers(await limited(), 1, timedelta(minutes=1))
    assert max(waits.handovers) <= GRACE_S + 2
    assert max(waits.answers) <= 2


@pytest.mark.parametrize("seeds", [[2], pytest.param([1, 2, 3], marks=pytest.mark.long)])
async def test_in_a_busy_hour_nineteen_of_twenty_are_done_within_five_seconds_of_the_grace(seeds: list[int]) -> None:
    waits = await busy_hours(seeds)
    assert p95(waits.handovers) <= GRACE_S + 5
    assert p95(waits.answers) <= 2


async def test_the_first_card_of_a_burst_gets_its_suggested_reactions_and_a_decided_card_gets_none() -> None:
    world = await limited()
    for _ in range(4):
        world.anna.says("!fed push 1 M3-NUT to betaspace")
    await world.passes(timedelta(seconds=2))
    cards = [t.card_event for t in world.beta.turn.transfers()]
    assert all(cards), "cards go before suggested reactions"
    for card in cards:
        world.cem.reacts(card, "✅")
    before = sum(e["type"] == "m.reaction" for e in world.server.sent_by(world.beta.chat.user_id))
    await world.passes(timedelta(minutes=5))
    after = sum(e["type"] == "m.reaction" for e in world.server.sent_by(world.beta.chat.user_id))
    assert after == before
    assert not world.beta.journal.due("chat", world.clock.now())


async def test_forty_lines_of_one_person_do_not_delay_the_answer_to_another() -> None:
    world = await limited()
    for _ in range(40):
        world.kim.says("!fed help")
    await world.passes(timedelta(seconds=1))
    line = world.piet.says("!fed whoami")
    await world.passes(timedelta(seconds=2))
    assert world.room.answers(line) or world.server.typed[-1][:2] == (world.alpha.chat.user_id, world.room.id)
    await world.passes(timedelta(seconds=9))
    assert world.room.answers(line)
    await world.passes(timedelta(minutes=5))
    too_much = [m for m in world.room.messages() if "commands at once" in m.text]
    assert len(too_much) == 1


async def test_a_flood_of_one_peer_does_not_delay_the_answer_to_a_person() -> None:
    world = await limited()
    for _ in range(25):
        world.anna.says("!fed push 1 M3-NUT to betaspace")
    await world.passes(timedelta(seconds=20))
    line = world.dilek.says("!fed whoami")
    await world.passes(timedelta(seconds=11))
    assert world.room.answers(line)


async def test_after_a_room_upgrade_with_eight_open_cards_a_person_is_answered_before_the_cards() -> None:
    world = await limited()
    for quantity in range(1, 9):
        world.anna.says(f"!fed push {quantity} M3-NUT to betaspace")
    await world.passes(timedelta(minutes=5))
    await upgrade(world, *world.spaces)
    await world.passes(timedelta(minutes=5))
    for person in (world.anna, world.bea):
        person.says("!fed review --room")
    await world.passes(timedelta(seconds=1))
    line = world.cem.says("!fed whoami")
    await world.passes(timedelta(seconds=10))
    assert world.room.answers(line), world.room.transcript()
    await world.passes(timedelta(minutes=5))
    cards = [
        m for m in world.room.messages(sender=world.beta.chat.user_id) if "Take them?" in m.text or "Take it?" in m.text
    ]
    assert len(cards) == 8
