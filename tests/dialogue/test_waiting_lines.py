"""A line that waits for our InvenTree can be taken back: by `cancel`, by deleting it, or by an edit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from fedbot.rules.model.audit import LineTakenBack
from fedbot.rules.model.lifecycles import TransferState
from tests.scenarios.world import World, friends

LINE = "!fed push 3 M3-NUT to betaspace"
DROPPED = "Taken back before I did anything: !fed push 3 M3-NUT to betaspace"


async def waits(world: World, line: str = LINE) -> str:
    """Anna types a line while her InvenTree is down, and reads that it waits."""
    world.alpha.goes_down()
    said = world.anna.says(line)
    await world.passes(timedelta(seconds=10))
    assert "To cancel, reply: !fed cancel" in world.answer_to(said)
    return said


async def inventree_is_back(world: World) -> None:
    world.alpha.comes_back()
    await world.passes(timedelta(minutes=5))


def replies_to_the_bot(world: World, said: str) -> str:
    return world.anna.says("!fed cancel", reply_to=world.room.answers(said)[0])


@pytest.mark.parametrize(
    "takes_back",
    [
        replies_to_the_bot,
        lambda world, said: world.anna.says("!fed cancel", reply_to=said),
        lambda world, _: world.anna.says("!fed cancel"),
        lambda world, said: world.anna.takes_back(said),
    ],
    ids=["a reply to the bot", "a reply to the line", "cancel alone", "the line is deleted"],
)
async def test_a_line_that_was_taken_back_does_nothing(takes_back: Callable[[World, str], object]) -> None:
    world = await friends()
    said = await waits(world)
    takes_back(world, said)
    await world.passes(timedelta(seconds=10))
    assert DROPPED in world.room.transcript(), "though InvenTree is still down"
    await inventree_is_back(world)
    assert world.alpha.turn.transfers() == world.beta.turn.transfers() == []


async def test_an_edit_of_a_line_that_waits_drops_it() -> None:
    world = await friends()
    said = await waits(world)
    edit = world.anna.edits(said, "!fed push 5 M3-NUT to betaspace")
    await world.passes(timedelta(seconds=10))
    assert "I dropped yours: it was still waiting." in world.answer_to(edit)
    assert LineTakenBack("push") in [audited.entry.what for audited in world.alpha.journal.audit("-")]
    await inventree_is_back(world)
    assert world.alpha.turn.transfers() == []


async def test_an_edit_that_is_no_line_for_the_bot_any_more_drops_the_line_that_waits() -> None:
    world = await friends()
    said = await waits(world)
    world.anna.edits(said, "never mind")
    await world.passes(timedelta(seconds=10))
    assert LineTakenBack("push") in [audited.entry.what for audited in world.alpha.journal.audit("-")]
    assert DROPPED in world.room.transcript()
    await inventree_is_back(world)
    assert world.alpha.turn.transfers() == []


async def test_nobody_takes_back_another_ones_line() -> None:
    world = await friends()
    said = await waits(world)
    world.kim.says("!fed cancel")
    world.kim.says("!fed cancel", reply_to=said)
    world.kim.edits(said, "!fed push 300 M3-NUT to betaspace")
    await world.passes(timedelta(seconds=10))
    await inventree_is_back(world)
    (transfer,) = world.alpha.turn.transfers()
    assert transfer.terms.lines[0].quantity == 3
    assert DROPPED not in world.room.transcript()


async def test_cancel_alone_means_no_line_that_only_looks() -> None:
    world = await friends()
    await world.push("M3-NUT 10")
    looks = await waits(world, "!fed find nut")
    cancel = world.anna.says("!fed cancel")
    await inventree_is_back(world)
    assert "nut" in world.room.answers(looks)[-1].text
    assert "Which one do you want to take back?" in world.room.answers(cancel)[-1].text


async def test_a_decision_that_waits_is_taken_back_too() -> None:
    world = await friends()
    await world.push("M3-NUT 10")
    code = world.beta.transfer().code
    world.beta.goes_down()
    said = world.cem.says(f"!fed approve {code}")
    await world.passes(timedelta(seconds=10))
    assert "To cancel" in world.answer_to(said)
    world.cem.says("!fed cancel")
    await world.passes(timedelta(seconds=10))
    world.beta.comes_back()
    await world.passes(timedelta(minutes=5))
    assert f"Taken back before I did anything: !fed approve {code}" in world.room.transcript()
    assert world.beta.transfer().decision is None
    assert world.beta.transfer().state is TransferState.OPEN
