"""Fixtures for all tests. Browser tests are skipped where there is no browser, and pytest's header says so."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from hypothesis import settings

from fedbot import logs
from fedbot.logs import Redactor
from tests.fakes.postgresql import Server, running

settings.register_profile("fedbot", deadline=None)  # a busy machine is no failure
settings.load_profile("fedbot")
CHROMIUM = shutil.which("chromium")
collect_ignore = [] if CHROMIUM else ["web/test_in_chromium.py"]


def pytest_report_header() -> list[str]:
    """Name the skipped tests, and how to run them."""
    told = "left out: tests/web/test_in_chromium.py, as there is no Chromium here (Debian: apt install chromium)"
    return [] if CHROMIUM else [told]


@pytest.fixture(autouse=True)
def _own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a redactor of its own, because the process has one for all and would hide its words in other
    tests' logs.
    """
    for name, fresh in vars(Redactor()).items():
        monkeypatch.setattr(logs._redactor, name, fresh)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """One server for all tests of this process that use it."""
    with running() as server:
        yield server
