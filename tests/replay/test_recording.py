"""Recording the calls of a test on a live server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from fedbot_demo.inventree.process import InvenTreeProcess
from tests.contract.ground import Ground
from tests.replay.recording import Recorder


def test_a_recording_holds_every_call_and_neither_tokens_nor_the_servers_address(tmp_path: Path) -> None:
    file = tmp_path / "found.jsonl"
    with InvenTreeProcess(seed="recorded", version="newest") as process:
        recorder = Recorder(file, process.tokens["admin"])
        ground = Ground(process.url, process.tokens["admin"], recorder)
        item = ground.stock(ground.bolt, 5, ground.drawer)
        url, fields = ground.version.attachment_call(item)
        ground.service.upload(url, {**fields, "comment": "x"}, ("a.png", b"\x89PNG", "image/png"))
        ground.clear()
    text = file.read_text(encoding="utf-8")
    recorded = [json.loads(line) for line in text.splitlines()]
    assert {each["name"] for each in recorded} == {
        "a_recording_holds_every_call_and_neither_tokens_nor_the_servers_address"
    }
    assert recorded[0]["request"]["as"] == "<token 1>"
    assert "<token 4>" in text
    assert "base64" in text
    assert [secret for secret in (ground.token, ground.service_token, process.url) if secret in text] == []


def test_an_account_that_is_created_on_the_server_itself_is_recorded_with_its_roles(tmp_path: Path) -> None:
    def make(username: str, roles: Mapping[str, tuple[str, ...]]) -> str:
        return f"inv-secret-of-{username}-with-{len(roles)}"

    recorded = Recorder(tmp_path / "found.jsonl", "inv-admin").accounts(make)
    assert recorded is not None
    assert recorded("svc", {"stock": ("view",)}) == "inv-secret-of-svc-with-1"
    (line,) = (tmp_path / "found.jsonl").read_text(encoding="utf-8").splitlines()
    told = json.loads(line)
    assert told["request"] == {"account": "svc", "roles": {"stock": ["view"]}}
    assert told["response"] == {"token": "<token 2>"}
