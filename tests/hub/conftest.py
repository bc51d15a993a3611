"""Settings of a space whose journal is in PostgreSQL."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from fedbot.config.loading import load
from fedbot.config.settings import Settings
from tests.config.conftest import ENVIRONMENT, least
from tests.fakes.postgresql import IN_MEMORY, Server


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A short path: the state folders hold sockets, whose paths have 107 characters at most.

    In memory if possible: no test cuts the power here, so nothing needs to wait for a disk.
    """
    with tempfile.TemporaryDirectory(prefix="fh-", dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture
def settings(postgresql: Server, tmp_path: Path) -> Settings:
    space = postgresql.space()
    (tmp_path / "key").write_text("ab" * 32)
    (tmp_path / "key").chmod(0o600)
    raw = least()
    raw["party"] = {"id": space.space, "name": "Attraktor"}
    raw["journal"] = {"url": postgresql.url, "sealing_key_file": "key"}
    raw["state"] = str(tmp_path / "state")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(raw))
    return load(tmp_path / "config.yaml", ENVIRONMENT)
