from __future__ import annotations

import httpx
import pytest

from fedbot_demo.inventree.conditions import Crowded
from fedbot_demo.inventree.exchange import Request
from fedbot_demo.inventree.faults import Fault, FaultKind, Faults
from fedbot_demo.inventree.latency import Latency
from fedbot_demo.inventree.transport import SimulatedTransport
from tests.demo.inventree.conftest import Space

MOVE = {"items": [{"pk": 2, "quantity": 5}], "location": 4, "notes": "fed:KEY"}


def _split_happened(space: Space) -> bool:
    return bool(space.item(2)["quantity"] == 495.0)


def test_an_error_before_the_act_changes_nothing(space: Space) -> None:
    space.transport.faults.add(Fault(FaultKind.ERROR_BEFORE, "POST", "stock/transfer"))
    answer = space.as_("admin").post("stock/transfer/", json=MOVE)
    assert (answer.status_code, answer.json()["error"]) == (500, "OperationalError")
    assert not _split_happened(space)


def test_an_error_after_the_act_hides_that_it_was_done(space: Space) -> None:
    space.transport.faults.add(Fault(FaultKind.ERROR_AFTER, "POST", "stock/transfer", status=502))
    answer = space.as_("admin").post("stock/transfer/", json=MOVE)
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")
    assert _split_happened(space)


@pytest.mark.parametrize(
    ("kind", "error", "done"),
    [
        (FaultKind.REFUSED, httpx.ConnectError, False),
        (FaultKind.TIMEOUT_BEFORE, httpx.ReadTimeout, False),
        (FaultKind.TIMEOUT_AFTER, httpx.ReadTimeout, True),
        (FaultKind.RESET_AFTER, httpx.ReadError, True),
        (FaultKind.LATE, httpx.ReadTimeout, False),
    ],
)
def test_a_connection_ends_without_an_answer(
    space: Space, kind: FaultKind, error: type[httpx.TransportError], *, done: bool
) -> None:
    space.transport.faults.add(Fault(kind, "POST"))
    with pytest.raises(error):
        space.as_("admin").post("stock/transfer/", json=MOVE)
    assert _split_happened(space) is done


def test_a_late_request_is_done_when_it_is_released(space: Space) -> None:
    space.transport.faults.add(Fault(FaultKind.LATE, "POST"))
    with pytest.raises(httpx.ReadTimeout):
        space.as_("admin").post("stock/transfer/", json=MOVE)
    (answer,) = space.transport.faults.release(space.seeded.server)
    assert answer.status == 201
    assert _split_happened(space)
    assert space.transport.faults.release(space.seeded.server) == []


def test_a_fault_hits_only_what_it_fits_and_only_so_often(space: Space) -> None:
    faults = space.transport.faults
    faults.add(Fault(FaultKind.ERROR_BEFORE, "GET", r"stock/2/$", times=2))
    client = space.as_("admin")
    statuses = [client.get(path).status_code for path in ("stock/1/", "stock/2/", "stock/2/", "stock/2/")]
    assert statuses == [200, 500, 500, 200]
    assert faults.hits == 2


def test_an_outage_lasts_until_it_is_cleared(space: Space) -> None:
    client = space.as_("admin")
    space.transport.faults.add(Fault(FaultKind.REFUSED, times=None))
    for _ in range(3):
        with pytest.raises(httpx.ConnectError):
            client.get("stock/2/")
    space.transport.faults.clear()
    assert client.get("stock/2/").status_code == 200


def test_delays_wait_by_the_given_sleep(space: Space) -> None:
    slept: list[float] = []
    faults = Faults()
    transport = SimulatedTransport(space.seeded.server, faults=faults, latency=Latency(), sleep=slept.append)
    client = httpx.Client(transport=transport, headers=space.as_("admin").headers)
    client.get("http://any.test/api/stock/2/")
    faults.add(Fault(FaultKind.DELAY, seconds=1.5))
    client.get("http://any.test/api/stock/2/")
    assert slept == [0.029, 1.529]
    assert transport.log == ["GET /api/stock/2/"] * 2
    assert transport.calls == 2


@pytest.mark.parametrize(
    ("method", "url", "milliseconds"),
    [
        ("GET", "/api/user/me/", 7),
        ("GET", "/api/stock/17/", 29),
        ("POST", "/api/stock/", 41),
        ("POST", "/api/stock/transfer/", 27),
        ("POST", "/api/stock/assign/", 18),
        ("GET", "/api/stock/track/?item=1&limit=20", 121),
        ("GET", "/api/stock/track/?search=KEY&limit=5", 20),
        ("PATCH", "/api/metadata/stockitem/1/", 16),
        ("GET", "/api/metadata/company/pk/1/", 5),
    ],
)
def test_the_latencies_are_those_of_the_facts(method: str, url: str, milliseconds: int) -> None:
    assert Latency().seconds(Request.of(method, url)) == milliseconds / 1000
    assert Latency(scale=2).seconds(Request.of(method, url)) == milliseconds / 500


def test_pages_for_people_take_no_time() -> None:
    assert Latency().seconds(Request.of("GET", "/")) == 0


def test_others_take_fields_out_of_the_answer_that_the_query_asks_for(space: Space) -> None:
    asked = "stock/2/?tags=true&location_detail=true"
    whole = space.as_("admin").get(asked).json()
    space.transport.faults.conditions.append(Crowded(share=1.0))
    rest = space.as_("admin").get(asked).json()
    assert set(whole) - set(rest) == {"tags", "location_detail"}
    assert set(space.as_("admin").get("stock/2/").json()) == set(whole) - {"tags", "location_detail"}
