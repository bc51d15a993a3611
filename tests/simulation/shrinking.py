"""Shrink a history that breaks a promise to a short one that still does: delta debugging on its actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.simulation.actions import Action
from tests.simulation.federation import Setup
from tests.simulation.history import Outcome, played

MOST_TRIES = 400


def shrunk(outcome: Outcome, play: Callable[[Setup, Sequence[Action]], Outcome] = played) -> Outcome:
    """The shortest history found, in a limited number of tries, that breaks the same promise."""
    best = outcome
    promise = promise_in(outcome)
    size = max(len(best.actions) // 2, 1)
    tries = 0
    while size and tries < MOST_TRIES:
        shorter = None
        for start in range(0, len(best.actions), size):
            rest = best.actions[:start] + best.actions[start + size :]
            tried = play(outcome.setup, rest)
            tries += 1
            if tried.violations and promise_in(tried) == promise:
                shorter = tried
                break
            if tries >= MOST_TRIES:
                break
        if shorter is not None:
            best = shorter
            size = min(size, max(len(best.actions) // 2, 1))
        else:
            size //= 2
    return best


def promise_in(outcome: Outcome) -> str:
    """The first broken promise: its sentence without ids and numbers."""
    first = outcome.violations[0] if outcome.violations else ""
    return " ".join(word for word in first.split() if word.isalpha() and len(word) != len("k7m2"))


def as_a_story(seed: int, outcome: Outcome) -> str:
    """A history for people to read: the set-up, the events, the broken promises."""
    setup = outcome.setup
    lines = [
        (
            f"seed {seed}: {setup.parties} parties, clocks off by {setup.skews} s, "
            f"{'friends' if setup.friends else 'strangers'}, {'direct' if setup.direct else 'relayed'}, "
            f"open for {setup.open_for.days} days; {len(outcome.actions)} actions:"
        ),
        *outcome.story,
        *(f"BROKEN: {violation}" for violation in outcome.violations),
        f"actions: {'; '.join(map(str, outcome.actions))}",
    ]
    return "\n".join(lines)
