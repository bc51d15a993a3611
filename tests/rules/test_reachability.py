"""Proof by walking: from every state that a peer can bring about, our people can reach an end."""

from __future__ import annotations

import json
import sys
from functools import cache

import pytest

from fedbot.rules import inbound
from fedbot.rules.wire.envelope import check
from tests.rules.reachability import Explorer, is_at_work, is_end, starts
from tests.rules.test_machines import Transfers

MOST, LEAST = 3_000, 800
STORIES = {
    "our offer": ("alpha", "push #42 3 to beta"),
    "a friend's offer": ("beta", "push #42 3 to alpha"),
    "our request": ("alpha", "request 3 M3-BOLT from beta"),
    "a friend's request": ("beta", "request 3 M3-BOLT from alpha"),
}


def explorer_of(story: str) -> Explorer:
    """Alpha is honest, Beta isn't: somebody has asked for something, and Alpha's bot has heard of it."""
    world = Transfers()
    alpha, beta = world.sides.values()
    world.become_friends()
    who, line = STORIES[story]
    world.says(world.sides[who], f"!fed {line}")
    for party, event in world.wire.on_the_way:
        if party == "alpha":
            alpha.meets(event)
    assert alpha.transfers()
    return Explorer(alpha, beta, starts(alpha))


@pytest.mark.parametrize("story", ["our offer", "a friend's offer"])
def test_from_every_state_of_an_offer_people_reach_an_end_without_the_peer(
    story: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    once = cache(lambda text: check(json.loads(text)))  # the peer says the same thing in many states
    monkeypatch.setattr(inbound, "check", lambda raw: once(json.dumps(raw, sort_keys=True)))
    explorer = explorer_of(story)
    explorer.walk(MOST)
    stuck = explorer.stuck(is_end)
    idle = [shape for shape, now in explorer.seen.items() if not is_at_work(now)]
    steps = sum(len(each) for each in explorer.steps.values())
    with capsys.disabled():
        sys.stdout.write(f"\n{story}: {len(explorer.seen)} states, {steps} steps: a fixpoint\n")
    assert len(explorer.seen) > LEAST
    assert not stuck, [explorer.way_to(shape) for shape in stuck[:3]]
    assert not idle, [explorer.way_to(shape) for shape in idle[:3]]
