"""InvenTree API 530: 292 exchanges in the order in which they were made (recordings/newest.jsonl).

They are one story: an exchange only means what it meant after all that came before it. So they are replayed once, and
each then has a test of its own.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from fedbot_demo.inventree.seeds import seed
from tests.replay.replaying import FREE, LEFT_OUT, RECORDINGS, UNRECORDED, Exchange, Replay, compared, exchanges

RECORDED = exchanges("newest")
DOCS = Path(__file__).parents[2] / "docs" / "inventree.md"


@pytest.fixture(scope="module")
def differences() -> dict[int, list[str]]:
    return Replay().run(RECORDED)


@pytest.mark.parametrize(
    "exchange",
    [each for each in RECORDED if each.name not in LEFT_OUT],
    ids=lambda each: f"{each.number:03}-{each.name}",
)
def test_an_exchange_is_answered_as_it_was_recorded(exchange: Exchange, differences: dict[int, list[str]]) -> None:
    assert differences[exchange.number] == []


def test_what_is_left_out_really_differs(differences: dict[int, list[str]]) -> None:
    assert [each.name for each in RECORDED if each.name in LEFT_OUT and not differences[each.number]] == []


def test_at_least_nine_in_ten_exchanges_are_the_same(differences: dict[int, list[str]]) -> None:
    assert sum(not lines for lines in differences.values()) >= 0.9 * len(RECORDED)


def test_the_docs_name_the_number_of_exchanges_that_are_the_same(differences: dict[int, list[str]]) -> None:
    same = sum(not lines for lines in differences.values())
    told = re.search(r"\*\*(\d+) of (\d+)\*\* recorded exchanges", DOCS.read_text(encoding="utf-8"))
    assert told is not None
    assert (int(told[1]), int(told[2])) == (same, len(RECORDED))


def test_the_docs_name_what_is_not_compared_and_what_was_not_recorded() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert [name for name in [*FREE, *LEFT_OUT] if f"`{name}`" not in text] == []
    told = re.search(r"(\d+) requests that were made between", text)
    assert told is not None
    assert int(told[1]) == sum(len(requests) for requests in UNRECORDED.values())


def test_a_difference_anywhere_in_an_answer_is_noticed() -> None:
    replay = Replay()
    server = replay.seeded.server
    exchange = next(each for each in RECORDED if each.name == "stock_detail")
    request = replay.request(exchange)
    assert compared(exchange, server.handle(request)) == []
    replay.seeded.server.state.companies.remove(1)  # no part of this answer
    assert compared(exchange, server.handle(request)) == []
    replay.seeded.server.state.stock.remove(1)
    assert compared(exchange, server.handle(request))[0] == "status: 200 recorded, 404 here"


def test_the_recorded_seed_has_the_recorded_row_numbers() -> None:
    told = json.loads((RECORDINGS / "seed-newest.json").read_text(encoding="utf-8"))
    state = seed("recorded").server.state
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
