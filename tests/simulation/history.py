"""One history: set up, played from its list of actions, healed and checked. The same list gives the same history."""

from __future__ import annotations

import asyncio
import logging
import random as machine_random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from tests.simulation.actions import Action, draw
from tests.simulation.end_checks import must_agree, people_end_it
from tests.simulation.federation import Federation, Setup


@dataclass(frozen=True)
class Outcome:
    """The result of a history."""

    setup: Setup
    actions: tuple[Action, ...]
    events: int
    violations: tuple[str, ...]
    story: tuple[str, ...]


def scripted(
    seed: int, *, lies: bool = False, ahead: bool = False, outside: bool = False
) -> tuple[Setup, list[Action]]:
    """The set-up and the actions of a seed. Every fifth history is only about loans; in some, one bot lies.

    `ahead`: it is about bookings, waiting lists, wants and requests from anyone.
    `outside`: it is about what neighbours without a bot have, and what becomes of it when they get one.
    """
    random = Random(seed)
    setup = replace(Setup.drawn(random), lies=lies)
    return setup, draw(random, friends=setup.friends, loans=seed % 5 == 0, lies=lies, ahead=ahead, outside=outside)


def lived(seed: int, *, lies: bool = False, ahead: bool = False, outside: bool = False) -> Outcome:
    """Play the history of a seed."""
    return played(*scripted(seed, lies=lies, ahead=ahead, outside=outside))


def played(setup: Setup, actions: Sequence[Action]) -> Outcome:
    """Play a list of actions. It stops at the first broken promise."""
    logger = logging.getLogger("fedbot")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    machine_random.seed(0)  # it determines the jitter
    try:
        return asyncio.run(_played(setup, actions))
    finally:
        logger.setLevel(level)


async def _played(setup: Setup, actions: Sequence[Action]) -> Outcome:
    federation = Federation(setup)
    auditor = federation.auditor
    await federation.begins()
    for action in actions:
        await federation.perform(action)
        if auditor.violations:
            break
    if not auditor.violations:
        await federation.heals()
    if not auditor.violations:
        must_agree(auditor)
    if not auditor.violations:
        await people_end_it(federation)
    for party in federation.parties:
        party.database.close()
    return Outcome(setup, tuple(actions), federation.events, tuple(auditor.violations), tuple(federation.story))
