"""What holds for all tests. Those in a browser are left out where there is none, and pytest's first lines say so."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from fedbot import logs
from fedbot.logs import Redactor
from tests.fakes.postgresql import Server, running

CHROMIUM = shutil.which("chromium")
collect_ignore = [] if CHROMIUM else ["web/test_in_chromium.py"]


def pytest_report_header() -> list[str]:
    """What is left out, and how to have it."""
    told = "left out: tests/web/test_in_chromium.py, as there is no Chromium here (Debian: apt install chromium)"
    return [] if CHROMIUM else [told]


@pytest.fixture(autouse=True)
def _own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test calls a secret stays readable in the others' logs: the process has one redactor for all."""
    for name, fresh in vars(Redactor()).items():
        monkeypatch.setattr(logs._redactor, name, fresh)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """One for all tests of this process that ask for it."""
    with running() as server:
        yield server
