"""A served InvenTree of an older version, and of one between two recorded ones."""

from __future__ import annotations

import httpx
import pytest

from fedbot_demo.inventree.__main__ import main
from fedbot_demo.inventree.process import InvenTreeProcess


@pytest.mark.parametrize(("version", "api"), [("0.13", 160), ("1.0", 391)])
def test_a_server_of_an_older_version_returns_its_number(version: str, api: int) -> None:
    with InvenTreeProcess("alpha", version=version) as process:
        assert httpx.get(f"{process.url}/api/").json()["apiVersion"] == api


@pytest.mark.parametrize("words", [["--api", "none"], ["--api", "0"], ["--version", "0.12"]])
def test_an_unknown_version_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert words[1] in capsys.readouterr().err
