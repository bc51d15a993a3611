from __future__ import annotations

from pathlib import Path

import pytest

from fedbot.check.findings import settings_findings
from fedbot.config.settings import Settings
from tests.config.conftest import least


@pytest.mark.parametrize(("language", "is_told"), [("en", False), ("de", False), ("fr", True), ("de-AT", True)])
def test_a_language_without_translations_is_reported(language: str, is_told: bool, tmp_path: Path) -> None:
    raw = least() | {"state": tmp_path}
    raw["party"]["language"] = language
    told = [found for found in settings_findings(Settings.model_validate(raw)) if found.name == "party.language"]
    assert [(found.good, found.what, found.todo) for found in told] == is_told * [
        (True, language, "there are no sentences in it, so English is spoken; write one of de, en")
    ]
