from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from string import Template
from typing import Any

import pytest
import yaml

Write = Callable[[dict[str, Any]], Path]
TOKEN = "inv-1234567890abcdef-20261124"


def least() -> dict[str, Any]:
    """The fewest settings that a bot needs."""
    return {
        "party": {"id": "attraktor", "name": "Attraktor e.V."},
        "matrix": {
            "homeserver": "https://matrix.example.org",
            "user": "@bot:example.org",
            "password": "${PASSWORD}",
        },
        "rooms": ["!room"],
        "people": {"@anna:example.org": "anna"},
        "inventree": {"url": "https://inventree.example.org", "token": "${TOKEN}"},
    }


ENVIRONMENT = {"PASSWORD": "correct horse", "TOKEN": TOKEN}


def spelled_out(settings: dict[str, Any]) -> str:
    """The settings as YAML, with the environment's variables filled in."""
    return Template(yaml.safe_dump(settings)).substitute(ENVIRONMENT)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_settings(settings: dict[str, Any]) -> Path:
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(settings))
        return path

    return write_settings
