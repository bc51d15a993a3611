"""A simulated InvenTree in a file: the same rows after a restart, whatever was done to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fedbot_demo.inventree import seeds
from fedbot_demo.inventree.exchange import Request
from fedbot_demo.inventree.kept import keep, kept
from fedbot_demo.inventree.versions import Version


@pytest.mark.parametrize("version", ["newest", "0.13"])
def test_all_rows_are_the_same_after_a_restart(version: str, tmp_path: Path) -> None:
    file, known = tmp_path / "inventree.json", Version.named(version)
    seeded = keep(seeds.alpha(version=known), file)
    token = seeded.token("fedbot")
    headers = (("Authorization", f"Token {token}"), ("Content-Type", "application/json"))
    body = b'{"items": [{"pk": 1, "quantity": 1}], "location": 2, "notes": "moved"}'
    assert seeded.server.handle(Request("POST", "/api/stock/transfer/", (), headers, body)).status == 201
    refused = seeded.server.handle(Request("POST", "/api/stock/transfer/", (), headers, b"{}"))
    assert refused.status == 400
    again = kept(file, version=known)
    assert again.server.state.copy() == seeded.server.state.copy()
    assert file.stat().st_mode & 0o077 == 0
    assert again.server.handle(Request("GET", "/api/user/me/", (), headers)).status == 200
