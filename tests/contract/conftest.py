"""Where the contract suite runs: the simulator, or a real server by three environment variables.

FEDBOT_LIVE_INVENTREE (its address), FEDBOT_LIVE_TOKEN (a superuser's token), FEDBOT_LIVE_DISPOSABLE=yes (its data
may be lost: the suite cleans up after itself, but it makes users and moves stock).
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from fedbot.demo.inventree import seeds
from fedbot.demo.inventree.transport import SimulatedTransport
from tests.contract.ground import Ground


@pytest.fixture(scope="session")
def ground() -> Iterator[Ground]:
    made = _on_the_simulator() if not os.environ.get("FEDBOT_LIVE_INVENTREE") else _on_a_live_server()
    yield made
    made.clear()
    assert made.leftovers() == []


def _on_the_simulator() -> Ground:
    seeded = seeds.alpha()
    return Ground("http://inventree.example", seeded.token("admin"), SimulatedTransport(seeded.server))


def _on_a_live_server() -> Ground:
    if os.environ.get("FEDBOT_LIVE_DISPOSABLE") != "yes":
        pytest.exit("FEDBOT_LIVE_INVENTREE is written to: say FEDBOT_LIVE_DISPOSABLE=yes if it may be", 2)
    token = os.environ.get("FEDBOT_LIVE_TOKEN", "")
    if not token:
        pytest.exit("FEDBOT_LIVE_TOKEN must be a superuser's token for FEDBOT_LIVE_INVENTREE", 2)
    return Ground(os.environ["FEDBOT_LIVE_INVENTREE"], token, None)
