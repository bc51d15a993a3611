"""The comparison of two servers finds differences, describes them briefly, and changes no server without permission."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fedbot_demo.inventree.process import InvenTreeProcess
from fedbot_demo.inventree.versions import RECORDED, Version
from tests.contract.ground import simulated
from tests.differential.__main__ import main, searched
from tests.differential.playing import Pair, Side


def pair(live: int, other: int) -> Pair:
    return Pair(Side.on(simulated(Version(live))), Side.on(simulated(Version(other))))


@pytest.mark.parametrize("api", RECORDED.values())
def test_two_servers_of_one_version_answer_the_same_whatever_numbers_their_rows_have(api: int) -> None:
    both = pair(api, api)
    both.simulated.ground.stock(both.simulated.ground.bolt, 1, both.simulated.ground.shelf)
    assert searched(both, range(1, 4), 20) == {}
    assert both.calls == 60


def test_a_location_in_a_path_may_have_the_number_of_a_stock_item() -> None:
    side = Side.on(simulated(Version(530)))
    row = {"pk": 7, "location_path": [{"pk": 7, "name": "x"}], "category_path": [{"pk": 7, "name": "x"}]}
    named = side.comparable(row, "stockitem")
    assert named == {
        "pk": "stockitem 1",
        "location_path": [{"pk": "location 1", "name": "x"}],
        "category_path": [{"pk": "category 1", "name": "x"}],
    }


def test_a_file_with_an_existing_name_may_get_any_seven_characters() -> None:
    both = pair(293, 293)
    ground = both.simulated.ground
    item = ground.stock(ground.bolt, 1, ground.shelf)
    about = {"model_type": "stockitem", "model_id": item, "link": "https://x.example/", "comment": "x"}
    ground.admin.post("attachment/", about)
    assert searched(both, range(6113, 6114), 25) == {}


def test_a_gate_between_two_servers_is_found_and_shown_in_few_calls(capsys: pytest.CaptureFixture[str]) -> None:
    found = searched(pair(450, 449), range(1, 4), 20)
    assert any("part" in sort for sort in found), "API 450 tells the part in the history"
    assert all(difference.at <= 2 for difference in found.values()), found
    told = capsys.readouterr().out
    assert "only on the live server" in told
    assert told.count("seed ") == len(found)


def test_nothing_is_written_without_permission(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FEDBOT_LIVE_DISPOSABLE", raising=False)
    assert main(["--against", "http://127.0.0.1:1"]) == 2
    monkeypatch.setenv("FEDBOT_LIVE_DISPOSABLE", "yes")
    monkeypatch.delenv("FEDBOT_LIVE_TOKEN", raising=False)
    assert main(["--against", "http://127.0.0.1:1"]) == 2
    told = capsys.readouterr().err
    assert "FEDBOT_LIVE_DISPOSABLE=yes" in told
    assert "FEDBOT_LIVE_TOKEN" in told


def test_a_served_inventree_is_compared_and_left_as_it_was(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with InvenTreeProcess(seed="recorded", version="1.0") as process:
        monkeypatch.setenv("FEDBOT_LIVE_DISPOSABLE", "yes")
        monkeypatch.setenv("FEDBOT_LIVE_TOKEN", process.tokens["admin"])
        file = tmp_path / "found.jsonl"
        assert main(["--against", process.url, "--seeds", "1", "--length", "6", "--record", str(file)]) == 0
    assert capsys.readouterr().out.endswith("6 calls, 0 differences\n")
    assert not file.exists()


def test_the_exchange_that_shows_a_difference_is_recorded_as_the_replay_reads_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tests.differential.__main__.simulated", lambda _: simulated(Version(450)))
    with InvenTreeProcess(seed="recorded", version="1.0") as process:
        monkeypatch.setenv("FEDBOT_LIVE_DISPOSABLE", "yes")
        monkeypatch.setenv("FEDBOT_LIVE_TOKEN", token := process.tokens["admin"])
        file = tmp_path / "found.jsonl"
        assert main(["--against", process.url, "--seeds", "1", "--length", "4", "--record", str(file)]) == 1
    told = capsys.readouterr().out
    assert f"The exchanges of each difference are in {file}" in told
    written = file.read_text(encoding="utf-8")
    assert token not in written
    lines = [json.loads(line) for line in written.splitlines()]
    names = list(dict.fromkeys(line["name"] for line in lines))
    assert names[0] == "setup"
    assert names[1].startswith("difference 1: ")
    assert len(names) == 1 + told.count("\nseed ")
    assert all({"method", "path"} <= set(line["request"]) or "account" in line["request"] for line in lines)
    assert any(line["request"].get("method") == "POST" for line in lines if line["name"] == names[1])
