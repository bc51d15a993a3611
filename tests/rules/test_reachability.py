"""Proof by exploration: from every state that a peer can cause, our people can reach an end."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import cache

import pytest

from fedbot.rules import inbound
from fedbot.rules.model.events import CaughtUp, Reacted
from fedbot.rules.wire import check
from tests.rules.machines import ROOM
from tests.rules.reachability import GRACE, Explorer, is_at_work, is_end, starts
from tests.rules.test_machines import Transfers

MOST = 30_000
LOAN = "lend #42 3 to beta for 3 days"


@dataclass(frozen=True)
class Story:
    """Somebody writes a line, and Alpha's bot has read it; before that, a loan by `lender` may have arrived.

    `least`: the minimum number of states.
    """

    who: str
    line: str
    least: int
    lender: str = ""
    friends: bool = True

    @property
    def transfers(self) -> int:
        """The number of transfers that Alpha knows at the start."""
        return (1 if self.lender else 0) + (self.friends and not self.line.startswith("disconnect"))


STORIES = {
    "our offer": Story("alpha", "push #42 3 to beta", 800),
    "a friend's offer": Story("beta", "push #42 3 to alpha", 200),
    "our request": Story("alpha", "request 3 M3-BOLT from beta", 200),
    "a friend's request": Story("beta", "request 3 M3-BOLT from alpha", 800),
    "our booking": Story("alpha", "lend #42 3 to beta from tomorrow for 3 days", 800),
    "a friend's booking": Story("beta", "request 3 M3-BOLT from alpha from tomorrow for 3 days", 1000),
    "our loan, handed back": Story("beta", "return {} all", 200, "alpha"),
    "our loan, asked back": Story("alpha", "return {} all", 200, "alpha"),
    "a friend's loan, handed back": Story("alpha", "return {} all", 200, "beta"),
    "a friend's loan, asked back": Story("beta", "return {} all", 200, "beta"),
    "our loan, more time asked": Story("beta", "extend {} 2 days", 20, "alpha"),
    "a friend's loan, more time asked": Story("alpha", "extend {} 2 days", 20, "beta"),
    "our asking to be friends": Story("alpha", "connect beta", 20, friends=False),
    "a friend's asking to be friends": Story("beta", "connect alpha", 20, friends=False),
    "our goodbye": Story("alpha", "disconnect beta --sure", 3, "alpha"),
}
QUICK = (
    "our loan, more time asked",
    "our asking to be friends",
    "a friend's asking to be friends",
    "our goodbye",
)
"""The others take longer; `make test-long` walks them."""


def explorer_of(name: str) -> Explorer:
    """Alpha is honest, Beta isn't."""
    story = STORIES[name]
    world = Transfers()
    alpha, beta = world.sides.values()
    if story.friends:
        world.become_friends()
        for side in (alpha, beta):
            world.says(side, "!fed share all")
    code = ""
    if story.lender:
        lender = world.sides[story.lender]
        borrower = world.sides[lender.peer]
        world.says(lender, f"!fed {LOAN}" if story.lender == "alpha" else f"!fed {LOAN.replace('beta', 'alpha')}")
        world.rests()
        borrower.meets(Reacted(ROOM, world.wire.event_id(), borrower.superuser, world.wire.now, borrower.card, "✅"))
        world.rests()
        world.wire.now += GRACE
        borrower.meets(CaughtUp(world.wire.now))
        world.rests()
        (loan,) = alpha.transfers()
        assert loan.is_on_loan
        code = loan.code
    world.says(world.sides[story.who], f"!fed {story.line.format(code)}")
    for party, event in world.wire.on_the_way:
        if party == "alpha":
            alpha.meets(event)
    assert len(alpha.transfers()) == story.transfers
    return Explorer(alpha, beta, starts(alpha))


def walked(name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Walk all states: each has an end that people can reach, and somebody at work."""
    once = cache(lambda text: check(json.loads(text)))  # the peer sends the same message in many states
    monkeypatch.setattr(inbound, "check", lambda raw: once(json.dumps(raw, sort_keys=True)))
    explorer = explorer_of(name)
    explorer.walk(MOST)
    stuck = explorer.stuck(is_end)
    idle = [shape for shape, now in explorer.seen.items() if not is_at_work(now)]
    steps = sum(len(each) for each in explorer.steps.values())
    with capsys.disabled():
        sys.stdout.write(f"\n{name}: {len(explorer.seen)} states, {steps} steps: a fixpoint\n")
    assert len(explorer.seen) > STORIES[name].least
    assert not stuck, [explorer.way_to(shape) for shape in stuck[:3]]
    assert not idle, [explorer.way_to(shape) for shape in idle[:3]]


@pytest.mark.parametrize("name", QUICK)
def test_from_every_state_people_reach_an_end_without_the_peer(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    walked(name, capsys, monkeypatch)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", [name for name in STORIES if name not in QUICK])
def test_from_every_state_of_the_longer_stories_people_reach_an_end_without_the_peer(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    walked(name, capsys, monkeypatch)
