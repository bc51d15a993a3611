"""The simulated InvenTree as a process: real sockets, real signals."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fedbot_demo.certificates import CertificateAuthority
from fedbot_demo.inventree.process import InvenTreeProcess, NotReadyError
from fedbot_demo.inventree.server import CONTROL_HEADER, Serving, serve
from tests.demo.inventree.conftest import Space

MOVE = {"items": [{"pk": 1, "quantity": 5}], "location": 1, "notes": "fed:KEY"}


@pytest.fixture
def process() -> Iterator[InvenTreeProcess]:
    with InvenTreeProcess("alpha", name="Attraktor in a process") as running:
        yield running


def _client(process: InvenTreeProcess, username: str = "fedbot") -> httpx.Client:
    headers = {"Authorization": f"Token {process.tokens[username]}"}
    return httpx.Client(base_url=f"{process.url}/api/", headers=headers, timeout=5.0)


def test_a_process_prints_its_address_and_working_tokens(process: InvenTreeProcess) -> None:
    assert process.url.startswith("http://127.0.0.1:")
    with _client(process, "admin") as admin, _client(process) as bot:
        assert admin.get("user/me/").json()["is_superuser"] is True
        assert bot.get("user/me/").json()["username"] == "fedbot"
        assert bot.get("").json()["instance"] == "Attraktor in a process"
        page = bot.get("stock/", params={"limit": 1}).json()
    assert page["next"] == f"{process.url}/api/stock/?limit=1&offset=1"


def test_a_process_in_a_folder_under_a_hard_condition_is_restored_and_upgraded() -> None:
    with InvenTreeProcess("alpha", version="1.0", folder="/inventree", hostile=("proxy",)) as process:
        assert process.url.endswith("/inventree")
        elsewhere = httpx.get(f"{process.url.removesuffix('/inventree')}/api/")
        assert (elsewhere.status_code, elsewhere.headers["content-type"]) == (404, "text/html")
        assert process.control("POST", "database/", {"do": "copy"}) == {"api": 391}
        with _client(process) as bot:
            large = bot.post("stock/transfer/", json={**MOVE, "notes": "x" * 2**21})
            assert (large.status_code, large.headers["content-type"]) == (413, "text/html")
            assert bot.post("stock/transfer/", json=MOVE).status_code == 201
            assert bot.get("stock/1/").json()["quantity"] == 115.0
            assert process.control("POST", "database/", {"do": "put-back"}) == {"api": 391}
            assert bot.get("stock/1/").json()["quantity"] == 120.0
            assert process.control("POST", "database/", {"upgrade": "newest"}) == {"api": 530}
            assert bot.get("").json()["apiVersion"] == 530
            assert bot.get("user/me/", params={"roles": "true"}).json()["roles"]["transfer_order"] is None
            answers = [bot.get("") for _ in range(250)]
        assert {answer.status_code for answer in answers} == {200, 429, 502}
        assert {answer.headers.get("retry-after") for answer in answers if answer.status_code == 429} == {"10"}
    with pytest.raises(httpx.HTTPStatusError), InvenTreeProcess("alpha") as process:
        process.control("POST", "database/", {"upgrade": "0.12"})


def test_a_process_is_ended_by_its_number(process: InvenTreeProcess) -> None:
    url = process.url
    process.stop()
    assert process.pid == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_process_with_a_state_file_keeps_its_state(tmp_path: Path) -> None:
    path = tmp_path / "alpha.json"
    with InvenTreeProcess("alpha", state_file=path) as process:
        url, tokens = process.url, dict(process.tokens)
        with _client(process) as bot:
            assert bot.post("stock/transfer/", json=MOVE).status_code == 201
            child = bot.get("stock/track/", params={"item": 1}).json()[0]["deltas"]["stockitem"]
            assert bot.patch(f"metadata/stockitem/{child}/", json={"metadata": {"a": [1]}}).status_code == 200
        process.stop()
        assert path.stat().st_mode & 0o777 == 0o600
        process.start()
        assert (process.url, process.tokens) == (url, tokens)
        with _client(process) as bot:
            assert bot.get(f"stock/{child}/").json()["quantity"] == 5.0
            assert bot.get(f"metadata/stockitem/{child}/").json() == {"metadata": {"a": [1]}}
            made = bot.post("stock/", json={"part": 1, "location": 2, "quantity": 1}).json()[0]
        assert made["pk"] == child + 1


def test_the_requests_so_far_are_shown_to_callers_with_the_control_key(process: InvenTreeProcess) -> None:
    refused = httpx.get(f"{process.url}/_control/requests/", headers={CONTROL_HEADER: "guess"})
    assert refused.status_code == 403
    before = time.time()
    with _client(process) as bot:
        bot.get("stock/1/", params={"part_detail": "true"})
        bot.post("stock/transfer/", json=MOVE)
    asked = process.control("GET", "requests/")
    assert isinstance(asked, list)
    assert [(each["method"], each["path"]) for each in asked] == [
        ("GET", "/api/stock/1/"),
        ("POST", "/api/stock/transfer/"),
    ]
    assert before <= asked[0]["at"] <= asked[1]["at"] <= time.time()


def test_faults_are_set_from_outside_with_the_control_key_only(process: InvenTreeProcess) -> None:
    refused = httpx.post(f"{process.url}/_control/faults/", headers={CONTROL_HEADER: "guess"}, json={"kind": "refused"})
    assert refused.status_code == 403
    with _client(process) as bot:
        process.control("POST", "faults/", [{"kind": "error-after", "method": "POST", "path": "transfer"}])
        assert bot.post("stock/transfer/", json=MOVE).status_code == 500
        assert bot.get("stock/1/").json()["quantity"] == 115.0
    assert process.control("GET", "faults/") == {"hits": 1}


def test_connections_break_and_late_requests_are_done_later(process: InvenTreeProcess) -> None:
    with _client(process) as bot:
        process.control("POST", "faults/", {"kind": "reset-after", "path": "transfer"})
        with pytest.raises(httpx.TransportError):
            bot.post("stock/transfer/", json=MOVE)
        assert bot.get("stock/1/").json()["quantity"] == 115.0
        process.control("POST", "faults/", {"kind": "late", "path": "transfer"})
        with pytest.raises(httpx.ReadTimeout):
            bot.post("stock/transfer/", json=MOVE, timeout=1.0)
        assert bot.get("stock/1/").json()["quantity"] == 115.0
        assert process.control("POST", "faults/release/") == {"statuses": [201]}
        assert bot.get("stock/1/").json()["quantity"] == 110.0
        process.control("POST", "faults/", {"kind": "refused", "times": None})
        with pytest.raises(httpx.TransportError):
            bot.get("stock/1/")
        process.control("DELETE", "faults/")
        assert bot.get("stock/1/").status_code == 200


def test_an_invalid_fault_is_refused(process: InvenTreeProcess) -> None:
    for content in ({"kind": "flood"}, {"kind": "refused", "how": "much"}, "late"):
        with pytest.raises(httpx.HTTPStatusError, match="400"):
            process.control("POST", "faults/", content)


def test_a_process_that_can_not_start_says_so(tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    with pytest.raises(NotReadyError):
        InvenTreeProcess("alpha", certificate=missing, key=missing).start()


async def test_it_serves_https_with_a_certificate(space: Space, tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    issued = authority.issue("inventree")
    context = ssl.create_default_context(cafile=str(authority.certificate))
    async with (
        serve(Serving(space.seeded.server), certificate=issued.certificate, key=issued.key) as serving,
        httpx.AsyncClient(verify=context) as client,
    ):
        assert serving.url.startswith("https://127.0.0.1:")
        assert (await client.get(f"{serving.url}/api/")).json()["apiVersion"] == 530


def test_a_person_can_look_at_stock_and_history_in_a_browser(space: Space) -> None:
    space.post("stock/assign/", items=[{"item": 5}], customer=1, notes='for "Saturday" & <3')
    browser = httpx.Client(transport=space.transport, base_url="http://inventree.test")
    page = browser.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "Workshop/Shelf A/Bin 1" in page.text
    assert "with customer Walk-in customer" in page.text
    item = browser.get("/stock/5/").text
    assert "Sent to customer" in item
    assert "for &quot;Saturday&quot; &amp; &lt;3" in item
    assert browser.get("/web/stock/item/5").text == item
    assert browser.get("/stock/999/").status_code == 404
    assert browser.post("/").status_code == 405
    assert "<script" not in page.text + item
