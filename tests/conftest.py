"""What holds for all tests."""

from __future__ import annotations

import pytest

from fedbot import logs
from fedbot.logs import Redactor


@pytest.fixture(autouse=True)
def _own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test calls a secret stays readable in the others' logs: the process has one redactor for all."""
    for name, fresh in vars(Redactor()).items():
        monkeypatch.setattr(logs._redactor, name, fresh)
