"""The calls and events of a push, compared with the list in docs/performance.md, where each has a reason."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from fedbot.rules.model.lifecycles import TransferState
from fedbot_demo.inventree.faults import FaultKind
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, friends

DOCS = Path(__file__).parents[2] / "docs" / "performance.md"
ROW = re.compile(r"\| (sender|receiver) \| .+? \| `([^`]+)`[ *]* \|")
MOST = 29
MOST_EVENTS = (8, 5)
"""The events of both bots, and of the one that sends more, because the homeserver limits each."""
A_REST = 60
VERSION = "GET /api/"
"""Called once a minute, by the wall clock."""


def documented() -> dict[str, list[str]]:
    text = DOCS.read_text(encoding="utf-8")
    rows = ROW.findall(text[text.index("## `handover_calls`") : text.index("## `transport_ratio`")])
    assert f"takes {len(rows)} calls" in text
    return {side: [call for whose, call in rows if whose == side] for side in ("sender", "receiver")}


async def test_the_calls_of_one_push_are_few_and_those_of_the_docs() -> None:
    world = await friends()
    for space in world.spaces:
        while space.inventory.tended() < A_REST:
            pass
        space.transport.log.clear()
    await world.hand_over("RES-10K 1")
    first = sum(len(calls) for calls in _made(world).values())
    for space in world.spaces:
        space.transport.log.clear()
    before = len(world.server.log)
    world.piet.says("!fed push 5 RES-10K to betaspace")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.alpha.transfer().state is TransferState.DONE
    bots = [space.chat.user_id for space in world.spaces]
    sent = Counter(event["sender"] for event in world.server.log[before:] if event["sender"] in bots)
    assert (sent.total(), max(sent.values())) == MOST_EVENTS
    made = _made(world)
    assert made == documented()
    assert sum(len(calls) for calls in made.values()) <= MOST
    assert first == MOST + 2  # a part's details and an item's tags are read once an hour
    given = world.alpha.metadata("stockitem", world.alpha.transfer().at(1).item or 0)
    taken = world.beta.metadata("stockitem", world.beta.transfer().at(1).item or 0)
    assert (given["to"], taken["from"], taken["origin"]) == ("betaspace", "attraktor", "attraktor")
    assert_books_balance(world)


def _made(world: World) -> dict[str, list[str]]:
    return {
        side: [re.sub(r"/\d+/", "/N/", call.replace("/api/", "")) for call in space.transport.log if call != VERSION]
        for side, space in (("sender", world.alpha), ("receiver", world.beta))
    }


async def test_metadata_that_can_not_be_written_with_the_step_is_written_after_it() -> None:
    world = await friends()
    for space in world.spaces:
        space.fails(FaultKind.ERROR_BEFORE, "PATCH", "metadata/stockitem", times=1)
    world.piet.says("!fed push 5 RES-10K to betaspace")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    for space, told in ((world.alpha, "to"), (world.beta, "from")):
        assert space.transfer().state is TransferState.DONE
        assert told in space.metadata("stockitem", space.transfer().at(1).item or 0)
