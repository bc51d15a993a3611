"""The servers of the contract suite: simulated ones of each version, or a real one by environment variables.

FEDBOT_LIVE_INVENTREE (its address), FEDBOT_LIVE_TOKEN (a superuser's token), FEDBOT_LIVE_DISPOSABLE=yes (its data may
be lost: the suite cleans up after itself, but it creates users and moves stock).

InvenTree before 1.0 can't create users with roles over REST. For such a server, FEDBOT_LIVE_MAKE_ACCOUNT is a command
that does it on the server. Its arguments are a name and the roles as JSON (`{"stock": ["view", "change", "add"]}`). It
creates a user in a group of that name and prints the user's token.

FEDBOT_LIVE_RECORD is a file for all exchanges with the live server (see `tests.replay.recording`).

A test marked `api(since=…, until=…)` runs only on versions between these two. The run ends with one line for each
version.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from fedbot.inventree.client.transport import InvenTreeTransport
from fedbot.inventree.client.versions import Version
from fedbot_demo.inventree import versions
from tests.contract.ground import Ground, is_about, made_by_command, simulated
from tests.replay.recording import Recorder

_LIVE = "live"
_SERVERS = [_LIVE] if os.environ.get("FEDBOT_LIVE_INVENTREE") else list(versions.RECORDED)
_left_out: Counter[str] = Counter()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests about other versions than that of their server."""
    others = []
    for item in items:
        if _SERVERS == [_LIVE]:  # a busy real server takes minutes for one test, or to clean up after the last one
            item.add_marker(pytest.mark.timeout(3600), append=False)  # before a shorter one of the test's own
        server = _server_of(item)
        if server is None:
            continue
        item.user_properties.append(("InvenTree", server))
        if not is_about(item.iter_markers(), _api(server)):
            _left_out[server] += 1
            others.append(item)
    if others:
        config.hook.pytest_deselected(items=others)
        gone = set(others)
        items[:] = [item for item in items if item not in gone]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print a summary for each version."""
    went: dict[str, Counter[str]] = {}
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, server in getattr(report, "user_properties", []):
                if name == "InvenTree":
                    went.setdefault(server, Counter())[outcome] += 1
    for server in [each for each in _SERVERS if each in went]:
        counts = went[server]
        bad = counts["failed"] + counts["error"]
        terminalreporter.write_line(
            f"InvenTree {server} (API {_api(server)}): {counts['passed']} passed, {bad} failed, "
            f"{_left_out[server]} are about other versions"
        )


def _server_of(item: pytest.Item) -> str | None:
    callspec = getattr(item, "callspec", None)
    server = callspec.params.get("ground") if callspec is not None else None
    return server if server in _SERVERS else None


@cache
def _api(server: str) -> int:
    if server != _LIVE:
        return versions.RECORDED[server]
    transport = InvenTreeTransport(os.environ["FEDBOT_LIVE_INVENTREE"], os.environ.get("FEDBOT_LIVE_TOKEN", "none"))
    transport.connect()
    return transport.api_version


@pytest.fixture(scope="session", params=_SERVERS)
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    made = _on_a_live_server() if request.param == _LIVE else simulated(versions.Version.named(request.param))
    yield made
    made.clear()
    assert made.leftovers() == []


def _on_a_live_server() -> Ground:
    if os.environ.get("FEDBOT_LIVE_DISPOSABLE") != "yes":
        pytest.exit("FEDBOT_LIVE_INVENTREE is written to: say FEDBOT_LIVE_DISPOSABLE=yes if it may be", 2)
    token = os.environ.get("FEDBOT_LIVE_TOKEN", "")
    if not token:
        pytest.exit("FEDBOT_LIVE_TOKEN must be a superuser's token for FEDBOT_LIVE_INVENTREE", 2)
    by_hand = made_by_command()
    if by_hand is None and not Version(_api(_LIVE)).makes_users:
        pytest.exit("This InvenTree can't make users over REST: set FEDBOT_LIVE_MAKE_ACCOUNT", 2)
    url, file = os.environ["FEDBOT_LIVE_INVENTREE"], os.environ.get("FEDBOT_LIVE_RECORD")
    if file is None:
        return Ground(url, token, None, by_hand)
    recorder = Recorder(Path(file), token)
    return Ground(url, token, recorder, recorder.accounts(by_hand))
