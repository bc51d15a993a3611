"""The answers of real servers, compared with the simulated one of the same version (recordings/<version>.jsonl).

A recording is one story: an exchange depends on all before it. So each is replayed once, and each of its exchanges then
has a test of its own. What the differential runs found is recorded apart (recordings/found-<version>.jsonl), under the
names of the tests in tests/contract/test_odd_calls.py.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest

from fedbot_demo.inventree.seeds import seed
from fedbot_demo.inventree.versions import RECORDED, Version
from tests.contract import test_odd_calls
from tests.contract.ground import is_about
from tests.replay.replaying import (
    FREE,
    LEFT_OUT,
    RECORDINGS,
    UNRECORDED,
    Exchange,
    FoundReplay,
    Replay,
    compared,
    exchanges,
)

DOCS = Path(__file__).parents[2] / "docs" / "design" / "simulated-inventree.md"
COMPARED = [
    (version, each) for version in RECORDED for each in exchanges(version) if each.name not in LEFT_OUT[version]
]


@cache
def differences(version: str) -> dict[int, list[str]]:
    """The differences of each exchange by its number."""
    return Replay(version).run(exchanges(version))


@cache
def differences_of_findings(version: str) -> dict[str, list[str]]:
    """The differences in what was recorded about each finding, by its name."""
    recorded = exchanges(f"found-{version}")
    differences = FoundReplay(version).run(recorded)
    told: dict[str, list[str]] = {each.name: [] for each in recorded}
    for each in recorded:
        told[each.name] += [f"{each.number}: {line}" for line in differences.get(each.number, [])]
    return told


@pytest.mark.parametrize(
    ("version", "exchange"),
    COMPARED,
    ids=[f"{version}-{each.number:03}-{each.name}" for version, each in COMPARED],
)
def test_an_exchange_is_answered_as_it_was_recorded(version: str, exchange: Exchange) -> None:
    assert differences(version)[exchange.number] == []


@pytest.mark.parametrize("version", RECORDED)
def test_every_exchange_that_is_left_out_differs(version: str) -> None:
    left_out = [each for each in exchanges(version) if each.name in LEFT_OUT[version]]
    assert [each.name for each in left_out if not differences(version)[each.number]] == []


@pytest.mark.parametrize("version", RECORDED)
def test_the_docs_name_the_number_of_exchanges_that_are_the_same(version: str) -> None:
    rows = re.findall(
        r"^\| (\S+) \(API \d+\) \| (\d+ of \d+) \| (\d+ of \d+) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE
    )
    told = {name: figures for name, *figures in rows}
    replays = (differences(version), FoundReplay(version).run(exchanges(f"found-{version}")))
    assert told[version] == [f"{sum(not lines for lines in each.values())} of {len(each)}" for each in replays]


@pytest.mark.parametrize(
    ("version", "name"),
    [(version, name) for version in RECORDED for name in sorted({each.name for each in exchanges(f"found-{version}")})],
)
def test_the_calls_about_a_finding_are_answered_as_they_were_recorded(version: str, name: str) -> None:
    assert differences_of_findings(version)[name] == []


@pytest.mark.parametrize("version", RECORDED)
def test_each_finding_is_recorded_on_each_version_that_it_is_about(version: str) -> None:
    tests = {
        name.removeprefix("test_"): test for name, test in vars(test_odd_calls).items() if name.startswith("test_")
    }
    about = {name for name, test in tests.items() if is_about(getattr(test, "pytestmark", []), RECORDED[version])}
    assert differences_of_findings(version).keys() - {"setup"} == about


@pytest.mark.parametrize(
    ("shape", "version"),
    [
        ("tells_second_save", "newest"),
        ("edits_after_making", "1.0"),
        ("keeps_custom_key", "0.17"),
        ("tells_moved_status_apart", "0.13"),
    ],
)
def test_a_finding_that_is_forgotten_again_is_caught(monkeypatch: pytest.MonkeyPatch, shape: str, version: str) -> None:
    monkeypatch.setattr(Version, shape, property(lambda _: False))
    assert any(FoundReplay(version).run(exchanges(f"found-{version}")).values())


def test_the_docs_name_what_is_not_compared_and_what_was_not_recorded() -> None:
    text = DOCS.read_text(encoding="utf-8")
    left_out = [name for names in LEFT_OUT.values() for name in names]
    assert [name for name in [*FREE, *left_out] if f"`{name}`" not in text] == []
    told = re.search(r"(\d+) requests that were made between", text)
    assert told is not None
    assert int(told[1]) == sum(len(requests) for requests in UNRECORDED.values())


def test_a_difference_anywhere_in_an_answer_is_noticed() -> None:
    replay = Replay("newest")
    server = replay.seeded.server
    exchange = next(each for each in exchanges("newest") if each.name == "stock_detail")
    request = replay.request(exchange)
    assert compared(exchange, server.handle(request)) == []
    replay.seeded.server.state.companies.remove(1)  # no part of this answer
    assert compared(exchange, server.handle(request)) == []
    replay.seeded.server.state.stock.remove(1)
    assert compared(exchange, server.handle(request))[0] == "status: 200 recorded, 404 here"


@pytest.mark.parametrize("version", RECORDED)
def test_the_recorded_seed_has_the_recorded_row_numbers(version: str) -> None:
    told = json.loads((RECORDINGS / f"seed-{version}.json").read_text(encoding="utf-8"))
    state = seed("recorded", version=Version.named(version)).server.state
    assert state.version.api == told["api"]
    assert state.parts[told["parts"]["serial"]].trackable
    assert not state.parts[told["parts"]["nosale"]].salable
    assert state.parts[told["parts"]["virtual"]].virtual
    assert state.parts[told["parts"]["ipn"]].IPN == "RES-10K"
    assert state.locations[told["locations"]["lend"]].name == "Outgoing"
    assert [state.stock[pk].serial for pk in told["stock"]["serials"]] == ["1", "2", "3"]
    assert state.allocations.find("item", told["stock"]["allocated"])[0].sales_order == told["so"]
    assert state.companies[told["companies"]["customer"]].is_customer
    assert state.companies[told["companies"]["supplier"]].is_supplier
