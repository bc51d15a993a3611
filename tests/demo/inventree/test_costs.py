"""A large server's costs are those measured on real ones, and an abandoned call goes on there."""

from __future__ import annotations

import httpx
import pytest

from fedbot_demo.inventree import seeds
from fedbot_demo.inventree.costs import Costs, Rates
from fedbot_demo.inventree.large import ITEMS, PARTS, Large
from fedbot_demo.inventree.transport import SimulatedTransport

MEASURED = [  # seconds, the call, and the server's number of stock items and parts
    (94, "part/?low_stock=true&limit=1", ITEMS, PARTS),
    (26, "part/?search=screw&has_stock=true&limit=250", ITEMS, PARTS),
    (10, "part/?search=screw&limit=100", ITEMS, PARTS),
    (21.8, "part/?low_stock=true&limit=1", 20_000, 3_000),
    (8.0, "part/?limit=250", 20_000, 3_000),
    (0.9, "part/?limit=25", 20_000, 3_000),
    (0.184, "part/?limit=1", 20_000, 3_000),
    (0.301, "part/?search=screw&limit=1", 20_000, 3_000),
    (0.064, "stock/?limit=1", 20_000, 3_000),
    (0.168, "stock/?limit=250", 20_000, 3_000),
    (1.04, "stock/?limit=2500", 20_000, 3_000),
]


@pytest.fixture(scope="module")
def counted() -> tuple[httpx.Client, Costs]:
    """A server with enough rows for the longest page, which pretends to be larger."""
    seeded = seeds.alpha()
    Large(2_600, 300).put_into(seeded.server.state)
    for part in list(seeded.server.state.parts):
        seeded.server.state.parts.put(part)
    costs = Costs(patience=1000.0)
    headers = {"Authorization": f"Token {seeded.token('fedbot')}"}
    transport = SimulatedTransport(seeded.server, costs=costs)
    return httpx.Client(transport=transport, base_url="http://x/api/", headers=headers), costs


@pytest.mark.parametrize(("seconds", "asked", "items", "parts"), MEASURED)
def test_a_call_costs_as_much_as_measured(
    counted: tuple[httpx.Client, Costs], seconds: float, asked: str, items: int, parts: int
) -> None:
    client, costs = counted
    costs.items, costs.parts = items, parts
    asked = asked.replace("search=screw", "search=series1" if "limit=1&" in asked else "search=00")
    client.get(asked)
    assert costs.spent[-1].seconds == pytest.approx(seconds, rel=0.45, abs=0.05)


def test_after_analyze_a_sum_costs_little(counted: tuple[httpx.Client, Costs]) -> None:
    client, costs = counted
    costs.items, costs.parts, costs.rates = ITEMS, PARTS, Rates.after_analyze()
    client.get("part/?low_stock=true&limit=1")
    client.get("part/?search=00&has_stock=true&limit=250")
    costs.rates = Rates()
    assert [round(spent.seconds, 1) for spent in costs.spent[-2:]] == [
        pytest.approx(0.3, abs=0.3),
        pytest.approx(1.1, abs=0.3),
    ]


def test_an_abandoned_call_keeps_its_worker() -> None:
    seeded = seeds.alpha()
    costs = Costs(items=ITEMS, parts=PARTS)
    headers = {"Authorization": f"Token {seeded.token('fedbot')}"}
    client = httpx.Client(
        transport=SimulatedTransport(seeded.server, costs=costs), base_url="http://x/api/", headers=headers
    )
    for _ in range(costs.workers):
        with pytest.raises(httpx.ReadTimeout):
            client.get("part/?low_stock=true&limit=1")
    assert costs.now == pytest.approx(2 * costs.patience)
    with pytest.raises(httpx.ReadTimeout):
        client.get("user/me/")  # both workers are still busy, so nobody gets an answer
    costs.now += 100
    assert client.get("user/me/").is_success
