"""Hypothesis plays with two sides' rules in any order, for connections and for transfers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from fedbot.rules.dispatch import IllegalArrow
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Ask, Do, Edit, Post
from fedbot.rules.model.events import CaughtUp, Event, Reacted, Redacted, Said, Tick
from fedbot.rules.model.lifecycles import FINAL, ConnectionState, TransferState
from fedbot.rules.model.stock import Permissions
from fedbot.rules.model.transfer import Transfer
from tests.rules.machines import MINUTE, ROOM, Side, Wire
from tests.simulation.mutants import broken

OVER = {ConnectionState.DECLINED, ConnectionState.CANCELLED, ConnectionState.EXPIRED, ConnectionState.ENDED}
CONNECTIONS = {(ConnectionState.ACTIVE, ConnectionState.ACTIVE)}
GRACE = timedelta(seconds=6)
PAUSES = (GRACE, GRACE, MINUTE, MINUTE, 11 * MINUTE, timedelta(hours=2), timedelta(days=8))
NUMBERS = st.integers(0, 30)
SIDES = st.sampled_from(("alpha", "beta"))
ONCE = {"out", "over", "in", "back", "token"}
ASKING = ("push #42 3 to {}", "push #42 3 to {}", "request 3 M3-BOLT from {}")
MOST_ROUNDS = 400
MOST = 4
MUCH = 100


class TwoSides(RuleBasedStateMachine):
    """The common part of both machines: messages, queries, steps, time, and the invariants."""

    def __init__(self) -> None:
        super().__init__()
        self.wire = Wire()
        alpha, beta = Side("alpha", "beta", self.wire), Side("beta", "alpha", self.wire)
        alpha.knows(beta)
        beta.knows(alpha)
        self.sides = {"alpha": alpha, "beta": beta}
        self.taps: list[tuple[str, str]] = []
        self.ended: dict[tuple[str, str], Any] = {}

    # --- actions ------------------------------------------------------------------------------------------

    def says(self, side: Side, text: str) -> None:
        """A superuser's line, whose permissions are read at once."""
        side.meets(Said(ROOM, self.wire.event_id(), side.superuser, self.wire.now, text))
        side.answers_all()

    def one_of(self, party: str, kind: str) -> Side | None:
        """This side, or the other one if only that has something to answer or to do."""
        both = (self.sides[party], self.sides[self.sides[party].peer])
        return next((side for side in both if getattr(side, kind)), None)

    @precondition(lambda self: self.wire.on_the_way)
    @rule(number=NUMBERS, fate=st.sampled_from(("arrives", "arrives", "comes again", "stays", "never")))
    def a_letter(self, number: int, fate: str) -> None:
        """Deliver one of the messages in transit, not always the oldest."""
        number %= len(self.wire.on_the_way)
        party, event = self.wire.on_the_way[number]
        if fate != "stays":
            del self.wire.on_the_way[number]
        if fate != "never":
            self.sides[party].meets(event)
        if fate == "comes again":
            self.nothing_new(self.sides[party], event)

    def become_friends(self) -> None:
        alpha, beta = self.sides.values()
        self.says(alpha, "!fed connect beta")
        self.rests()
        beta.meets(Reacted(ROOM, self.wire.event_id(), beta.superuser, self.wire.now, beta.card, "✅"))
        self.rests()
        self.wire.now += GRACE
        beta.meets(CaughtUp(self.wire.now))
        self.rests()
        assert all(c.state is ConnectionState.ACTIVE for side in self.sides.values() for c in side.connections())

    def all_goes_well(self, rounds: int) -> None:
        """Let everything succeed for a while, because otherwise hardly any story gets far enough to fail
        interestingly.
        """
        for _ in range(rounds):
            self._goes_on()

    @rule(rounds=st.integers(1, 8))
    def a_quiet_while(self, rounds: int) -> None:
        self.all_goes_well(rounds)

    @precondition(lambda self: self.wire.on_the_way)
    @rule()
    def all_letters_get_lost(self) -> None:
        self.wire.on_the_way.clear()

    def nothing_new(self, side: Side, event: Event) -> None:
        """A repeated event changes nothing, and causes no step or query."""
        before = side.journal_but_for_repetitions()
        turn = side.meets(event)
        assert side.journal_but_for_repetitions() == before, "a repeated event has changed something"
        assert not [effect for effect in turn.effects if isinstance(effect, Ask | Do | Post | Edit)]

    @precondition(lambda self: any(side.asked for side in self.sides.values()))
    @rule(party=SIDES, permission=st.sampled_from((True, True, True, True, False)))
    def an_answer(self, party: str, permission: bool) -> None:
        side = self.one_of(party, "asked")
        assert side is not None
        kept, none = side.permissions, Permissions("somebody", known=True, active=True)
        side.permissions = kept if permission else none
        side.answers()
        side.permissions = kept

    @precondition(lambda self: any(side.to_do for side in self.sides.values()))
    @rule(party=SIDES)
    def a_step(self, party: str) -> None:
        side = self.one_of(party, "to_do")
        assert side is not None
        side.does()

    @rule(party=SIDES, how=st.sampled_from(("refused", "lost", "unknown", "undone")))
    def trouble_ahead(self, party: str, how: str) -> None:
        """The next step in that InvenTree won't simply succeed."""
        self.sides[party].trouble = how

    @rule(party=SIDES)
    def a_restart(self, party: str) -> None:
        self.sides[party].restarts()

    @rule(pause=st.sampled_from(PAUSES), syncs=st.sampled_from(("alpha", "beta", "both", "none")))
    def time_passes(self, pause: timedelta, syncs: str) -> None:
        self.wire.now += pause
        for party, side in self.sides.items():
            side.meets(Tick(self.wire.now))
            self.nothing_new(side, Tick(self.wire.now))
            if syncs in {party, "both"}:
                side.meets(CaughtUp(self.wire.now))

    @precondition(lambda self: any(side.card for side in self.sides.values()))
    @rule(party=SIDES, key=st.sampled_from("✅✅✅✅❌"), by_superuser=st.booleans())
    def a_tap(self, party: str, key: str, by_superuser: bool) -> None:
        side = self.one_of(party, "card")
        assert side is not None
        event_id = self.wire.event_id()
        person = side.superuser if by_superuser else side.approver
        side.meets(Reacted(ROOM, event_id, person, self.wire.now, side.card, key))
        self.taps.append((side.party, event_id))

    @precondition(lambda self: self.taps)
    @rule()
    def a_tap_is_taken_back(self) -> None:
        party, event_id = self.taps.pop()
        side = self.sides[party]
        side.meets(Redacted(ROOM, self.wire.event_id(), side.superuser, self.wire.now, event_id))

    @precondition(lambda self: any(side.card for side in self.sides.values()))
    @rule(party=SIDES, key=st.sampled_from("✅✅✅✅❌"), after=st.integers(0, 8))
    def a_decision(self, party: str, key: str, after: int) -> None:
        """Somebody with permission decides, and the grace passes; the consequences are left to chance."""
        side = self.one_of(party, "card")
        assert side is not None
        side.meets(Reacted(ROOM, self.wire.event_id(), side.superuser, self.wire.now, side.card, key))
        side.answers_all()
        self.wire.now += GRACE
        side.meets(CaughtUp(self.wire.now))
        side.answers_all()
        self.all_goes_well(after)

    # --- invariants ---------------------------------------------------------------------------------------

    @invariant()
    def ends_stay(self) -> None:
        for side in self.sides.values():
            subjects: list[Transfer | Connection] = [*side.transfers(), *side.connections()]
            for subject in subjects:
                key = (side.party, subject.id)
                if key in self.ended:
                    assert subject.state is self.ended[key], f"{side.party}: {self.ended[key]} became {subject.state}"
                elif subject.state in FINAL or subject.state in OVER:
                    self.ended[key] = subject.state

    @invariant()
    def no_step_is_wanted_twice(self) -> None:
        for side in self.sides.values():
            twice = [mark for mark, times in side.wanted.items() if times > 1 and mark.rpartition(":")[2] in ONCE]
            assert not twice, f"{side.party}: {twice}"

    def both(self, kind: Callable[[Side], list[Any]]) -> list[tuple[Any, Any]]:
        alpha, beta = ({subject.id: subject for subject in kind(side)} for side in self.sides.values())
        return [(alpha.get(key), beta.get(key)) for key in alpha | beta]

    def teardown(self) -> None:
        """Lose nothing more, answer everything, and let weeks pass: both sides reach the same end."""
        for side in self.sides.values():
            side.trouble = "done"
        for pause in (MINUTE, MINUTE, 11 * MINUTE, timedelta(hours=2), *[timedelta(days=2)] * 6):
            self.rests()
            self.wire.now += pause
            for side in self.sides.values():
                side.meets(Tick(self.wire.now))
                side.meets(CaughtUp(self.wire.now))
        self.rests()
        self.ends_stay()
        self.no_step_is_wanted_twice()
        self.they_agree()

    def rests(self) -> None:
        for _ in range(MOST_ROUNDS):
            if not self._goes_on():
                return
        raise AssertionError("they never come to rest")

    def _goes_on(self) -> bool:
        """Deliver all messages, answer all queries, let each side do a step; return whether there was any."""
        letters, self.wire.on_the_way = self.wire.on_the_way, []
        for party, event in letters:
            self.sides[party].meets(event)
        busy = [side for side in self.sides.values() if side.asked or side.to_do]
        for side in busy:
            side.answers_all()
            if side.to_do:
                side.does()
        return bool(letters or busy)

    def they_agree(self) -> None:
        raise NotImplementedError


class Connections(TwoSides):
    """Requests, crossing requests, decisions, cancellations, ends."""

    @initialize(friends=st.booleans())
    def they_may_be_friends(self, friends: bool) -> None:
        if friends:
            self.become_friends()

    @rule(party=SIDES)
    def connect(self, party: str) -> None:
        side = self.sides[party]
        self.says(side, f"!fed connect {side.peer}")

    @rule(party=SIDES)
    def cancel(self, party: str) -> None:
        side = self.sides[party]
        for connection in side.connections()[-1:]:
            self.says(side, f"!fed cancel {connection.code}")

    @rule(party=SIDES, how=st.sampled_from(("--sure", "--sure --now")))
    def disconnect(self, party: str, how: str) -> None:
        side = self.sides[party]
        self.says(side, f"!fed disconnect {side.peer} {how}")

    @invariant()
    def nobody_is_active_alone_before_both_are_ready(self) -> None:
        one: Connection | None
        other: Connection | None
        for one, other in self.both(Side.connections):
            for side, peer in ((one, other), (other, one)):
                if side is not None and side.state is ConnectionState.ACTIVE:
                    assert peer is not None
                    assert peer.own_ready

    def they_agree(self) -> None:
        for one, other in self.both(Side.connections):
            states = tuple(None if side is None else side.state for side in (one, other))
            assert states in CONNECTIONS or all(state is None or state in OVER for state in states), states


class Transfers(TwoSides):
    """Pushes in both directions between friends: offers, decisions, cancels, refusals."""

    @initialize()
    def they_are_friends(self) -> None:
        self.become_friends()

    def nothing_much_is_under_way(self) -> bool:
        return sum(transfer.state not in FINAL for side in self.sides.values() for transfer in side.transfers()) < MOST

    @precondition(nothing_much_is_under_way)
    @rule(party=SIDES, line=st.sampled_from(ASKING), after=st.integers(0, 3))
    def ask(self, party: str, line: str, after: int) -> None:
        side = self.sides[party]
        self.says(side, f"!fed {line.format(side.peer)}")
        self.all_goes_well(after)

    @precondition(lambda self: self.wire.events > MUCH)
    @rule(party=SIDES, how=st.sampled_from(("", "", "--sure")))
    def disconnect(self, party: str, how: str) -> None:
        side = self.sides[party]
        self.says(side, f"!fed disconnect {side.peer} {how}")

    @rule(party=SIDES)
    def cancel(self, party: str) -> None:
        side = self.sides[party]
        for transfer in [transfer for transfer in side.transfers() if transfer.state not in FINAL][:1]:
            self.says(side, f"!fed cancel {transfer.code}")

    @invariant()
    def debit_comes_before_credit(self) -> None:
        for side in self.sides.values():
            peer = self.sides[side.peer]
            for mark in side.done:
                if mark.endswith(":in"):
                    assert mark.removesuffix("in") + "over" in peer.done, f"{mark} was never handed over"
                    assert mark.removesuffix("in") + "back" not in peer.done, f"{mark} was taken back, too"

    def they_agree(self) -> None:
        one: Transfer | None
        other: Transfer | None
        for one, other in self.both(Side.transfers):
            # a message that isn't accepted isn't stored either
            known = [side.state for side in (one, other) if side is not None]
            assert len(set(known)) == 1, known
            assert known[0] in FINAL or known[0] is TransferState.DISPUTED, known


def test_a_request_after_declining_beside_ones_own_request_reaches_an_agreement() -> None:
    world = Connections()  # found by the machine: alpha's next request went under the id that it had just declined
    alpha, beta = world.sides.values()
    for side in (alpha, beta):
        world.connect(side.party)
    world.cancel("beta")
    first, cancelled = (letter for letter in world.wire.on_the_way if letter[0] == "alpha")
    alpha.meets(first[1])
    world.connect("beta")
    (asked_anew,) = (letter for letter in world.wire.on_the_way[3:] if letter[1].envelope["kind"] == "connect")
    alpha.meets(asked_anew[1])
    alpha.meets(cancelled[1])
    world.connect("alpha")
    world.teardown()


def test_a_forgotten_message_that_nobody_can_send_again_starts_no_endless_exchange() -> None:
    world = Connections()
    world.become_friends()
    alpha, beta = world.sides.values()
    (forgetful,) = beta.connections()
    assert forgetful.exchange.seen > 1
    forgetful = replace(forgetful, exchange=replace(forgetful.exchange, seen=0))
    beta.state.take_over({(Connection.__name__, forgetful.id): forgetful})
    world.says(alpha, "!fed disconnect beta --sure")
    world.rests()


def test_taking_the_reaction_back_while_a_cancel_is_looked_up_stops_the_decision() -> None:
    world = Transfers()  # found by the simulation, in the history of seed 27
    alpha, beta = world.sides.values()
    world.become_friends()
    world.says(alpha, "!fed push #42 3 to beta")
    world.rests()
    (offered,) = beta.transfers()
    beta.meets(Reacted(ROOM, "$tap", beta.superuser, world.wire.now, beta.card, "✅"))
    beta.answers_all()
    beta.meets(Said(ROOM, "$cancel", beta.superuser, world.wire.now, f"!fed cancel {offered.code}"))
    assert beta.asked
    beta.meets(Redacted(ROOM, "$gone", beta.superuser, world.wire.now, "$tap"))
    beta.answers_all()
    (open_again,) = beta.transfers()
    assert (open_again.state, open_again.decision) == (TransferState.OPEN, None)


# The random choices are the same in every run. Nothing is shrunk, because that takes minutes (remove `phases` to
# shrink).
PLAY = settings(
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
)


@pytest.mark.parametrize(
    ("machine", "stories"),
    [
        (Connections, 30),
        (Transfers, 40),
        pytest.param(Connections, 400, marks=pytest.mark.long),
        pytest.param(Transfers, 600, marks=pytest.mark.long),
    ],
)
@pytest.mark.timeout(1800)  # a busy machine takes four times as long
def test_both_sides_keep_the_rules_in_any_story(machine: type[TwoSides], stories: int) -> None:
    run_state_machine_as_test(machine, settings=settings(PLAY, max_examples=stories))


LONG = pytest.mark.long  # found only by a rarer story, or by one that is as long as another's here


@pytest.mark.parametrize(
    ("broken_rule", "machine"),
    [
        ("a re-send has a new number", Transfers),
        ("protocol messages are read out of order", Connections),
        ("credit before debit", Transfers),
        pytest.param("a protocol message is never sent again", Transfers, marks=LONG),
        pytest.param("a repeated protocol message is acted on twice", Transfers, marks=LONG),
        pytest.param("permissions are not read before the debit", Transfers, marks=LONG),
        pytest.param("no arbiter: the receiver ends a transfer alone", Transfers, marks=LONG),
        pytest.param("cancel after sent", Transfers, marks=LONG),
    ],
)
@pytest.mark.timeout(1800)  # a busy machine takes four times as long
def test_a_broken_rule_is_found(broken_rule: str, machine: type[TwoSides], capsys: pytest.CaptureFixture[str]) -> None:
    with broken(broken_rule), pytest.raises((AssertionError, IllegalArrow)):  # by the machine, or by the bot itself
        run_state_machine_as_test(machine, settings=settings(PLAY, max_examples=400))
    capsys.readouterr()  # the story that hypothesis prints would look like a failure
