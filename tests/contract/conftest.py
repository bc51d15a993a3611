"""Where the contract suite runs: the simulator, or a real server by environment variables.

FEDBOT_LIVE_INVENTREE (its address), FEDBOT_LIVE_TOKEN (a superuser's token), FEDBOT_LIVE_DISPOSABLE=yes (its data
may be lost: the suite cleans up after itself, but it makes users and moves stock).

InvenTree before 1.0 can't make users with roles over REST: there FEDBOT_LIVE_SERVICE_TOKEN, FEDBOT_LIVE_READER_TOKEN
and FEDBOT_LIVE_NOBODY_TOKEN are the tokens of three users, each in a group of its own name, with the roles that
`ground.SERVICE_ROLES`, `ground.READER_ROLES` and none say.

A test marked `api(since=…, until=…)` is about versions between these two: on others it is left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from fedbot.inventree.transport import InvenTreeTransport
from fedbot.inventree.versions import NEWEST_KNOWN, Version
from fedbot_demo.inventree import seeds
from fedbot_demo.inventree.transport import SimulatedTransport
from tests.contract.ground import Ground

_ACCOUNTS = ("service", "reader", "nobody")


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", "api(since, until): about InvenTree versions between these two")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that are about other versions than the one that is tested."""
    api = _live_api() if os.environ.get("FEDBOT_LIVE_INVENTREE") else NEWEST_KNOWN
    others = [item for item in items if not _is_about(item, api)]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


def _is_about(item: pytest.Item, api: int) -> bool:
    for mark in item.iter_markers("api"):
        if not mark.kwargs.get("since", 0) <= api <= mark.kwargs.get("until", NEWEST_KNOWN):
            return False
    return True


def _live_api() -> int:
    transport = InvenTreeTransport(os.environ["FEDBOT_LIVE_INVENTREE"], os.environ.get("FEDBOT_LIVE_TOKEN", "none"))
    transport.connect()
    return transport.api_version


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
    given = {name: os.environ.get(f"FEDBOT_LIVE_{name.upper()}_TOKEN", "") for name in _ACCOUNTS}
    accounts = {name: secret for name, secret in given.items() if secret}
    if not Version(_live_api()).makes_users and set(accounts) != set(_ACCOUNTS):
        pytest.exit("This InvenTree can't make users over REST: set FEDBOT_LIVE_{SERVICE,READER,NOBODY}_TOKEN", 2)
    return Ground(os.environ["FEDBOT_LIVE_INVENTREE"], token, None, accounts)
