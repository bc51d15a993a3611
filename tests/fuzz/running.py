"""Feed a target for some seconds: with bytes that atheris evolves by coverage, or else with random ones."""

from __future__ import annotations

import random
import time
import traceback
from dataclasses import dataclass, field

from tests.fuzz.targets import TARGETS

_LONGEST = 1024


@dataclass
class Fuzzed:
    """The number of a target's inputs, and an example of each different crash."""

    name: str
    inputs: int = 0
    crashes: dict[str, str] = field(default_factory=dict)


def fuzz(name: str, seconds: float, seed: int) -> Fuzzed:
    """Feed random bytes, from which the target's input is made, until the time is over."""
    found = Fuzzed(name)
    dice = random.Random(f"{seed} {name}")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        feed(found, dice.randbytes(dice.randint(0, _LONGEST)))
    return found


def feed(found: Fuzzed, content: bytes) -> None:
    """Feed one input."""
    found.inputs += 1
    try:
        TARGETS[found.name].hypothesis.fuzz_one_input(content)  # type: ignore[attr-defined]
    except Exception as crash:  # noqa: BLE001 -- whatever it is, it is what we look for
        where = traceback.extract_tb(crash.__traceback__)[-1]
        found.crashes.setdefault(f"{type(crash).__name__} in {where.name}", "".join(traceback.format_exception(crash)))
