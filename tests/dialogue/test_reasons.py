"""Why something was declined: whoever asked reads it."""

from __future__ import annotations

from fedbot.rules.model.transfer_lifecycle import TransferState
from tests.dialogue.world import friends, sharing, told


async def test_the_reason_for_declining_an_offer_reaches_who_offered_it() -> None:
    world = await friends()
    await world.push()
    world.cem.says(f'!fed decline {world.beta.transfer().code} --note "no room until Saturday"')
    await world.grace()
    assert world.alpha.transfer().state is TransferState.DECLINED
    assert world.alpha.transfer().decided is not None
    (end,) = [m for m in told(world.room, "no room until Saturday") if m.sender == world.alpha.chat.user_id]
    assert world.anna.user_id in end.mentions


async def test_the_reason_for_declining_a_request_stands_in_what_rings_who_asked() -> None:
    world = await sharing()
    world.dilek.says("!fed request 5 M3-NUT from attraktor")
    await world.settle()
    card = [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions][-1]
    world.piet.says('!fed decline --note "in use on Saturday"', reply_to=card)
    await world.grace()
    assert world.alpha.transfer().state is TransferState.DECLINED
    heard = [m for m in told(world.room, "in use on Saturday") if world.dilek.user_id in m.mentions]
    assert len(heard) == 1
