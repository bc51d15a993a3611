from __future__ import annotations

import json
import logging
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from inventree.company import Company
from inventree.part import Part
from inventree.stock import StockItem

from fedbot.inventree.client.transport import OF_A_FRIEND, PAUSES, PAUSES_FOR_FIELDS, InvenTreeTransport
from fedbot.ports.inventory import InventoryProblem, NotPermitted, OutcomeUnknown, Refusal, Unavailable
from fedbot.ports.journal import LeaseLost
from tests.inventree.space import Space

TOKEN = "inv-0123456789abcdef-20261124"
HOST = "https://inventory.attraktor.example"

Handler = Callable[[httpx.Request], httpx.Response]


def transport(handler: Handler) -> InvenTreeTransport:
    return InvenTreeTransport(HOST, TOKEN, transport=httpx.MockTransport(handler), pause=lambda _: None)


def answering(status: int, content: object = None, text: str = "") -> Handler:
    if text:
        return lambda _: httpx.Response(status, text=text, headers={"content-type": "text/html"})
    return lambda _: httpx.Response(status, json=content)


def raising(error: type[httpx.HTTPError]) -> Handler:
    def handle(request: httpx.Request) -> httpx.Response:
        raise error(f"it says {TOKEN}")

    return handle


def read(api: InvenTreeTransport) -> object:
    return api.get("stock/1/")


def write(api: InvenTreeTransport) -> object:
    return api.post("stock/transfer/", {"items": []})


# --- what is sent ------------------------------------------------------------------------------------------


def test_every_url_stays_below_api_and_ends_in_one_slash() -> None:
    seen: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(200, json={})

    api = transport(handle)
    for url in ("stock/1", "stock//1/", "/stock/1/", "stock/?part=3", ""):
        api.get(url)
    assert seen == [
        f"{HOST}/api/stock/1/",
        f"{HOST}/api/stock/1/",
        f"{HOST}/api/stock/1/",
        f"{HOST}/api/stock/?part=3",
        f"{HOST}/api/",
    ]


@pytest.mark.parametrize("url", ["https://evil.example/x/", "//evil.example/x/", "../admin/", "stock/../../x/"])
def test_the_token_can_not_be_sent_to_another_host(url: str) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request.url)

    with pytest.raises(Refusal):
        transport(handle).get(url)


def test_a_server_in_a_folder_of_its_host_is_reached() -> None:
    seen: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return httpx.Response(200, json={})

    for host in ("https://attraktor.example/inventree", "https://attraktor.example/inventree/api/"):
        InvenTreeTransport(host, TOKEN, transport=httpx.MockTransport(handle)).get("stock/")
    assert seen == ["/inventree/api/stock/"] * 2


def test_inventree_is_asked_to_answer_in_english_because_refusals_are_recognised_by_their_words() -> None:
    seen: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["accept-language"])
        return httpx.Response(200, json={})

    transport(handle).get("user/me/")
    assert seen == ["en"]


def test_only_the_token_is_sent_and_never_a_cookie() -> None:
    seen: list[httpx.Headers] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200, json={}, headers={"set-cookie": "sessionid=abc; Path=/"})

    api = transport(handle)
    api.get("user/me/")
    api.get("user/me/")
    assert [headers["authorization"] for headers in seen] == [f"Token {TOKEN}"] * 2
    assert not any("cookie" in headers for headers in seen)


def test_a_read_has_no_body_and_a_write_has_its_json() -> None:
    seen: list[bytes] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.read())
        return httpx.Response(200, json={})

    api = transport(handle)
    api.get("stock/", params={"limit": 1})
    api.post("stock/transfer/", {"items": [1]})
    api.request("stock/add/", method="POST", data={"items": [2]})
    assert seen == [b"", b'{"items":[1]}', b'{"items":[2]}']


def test_credentials_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USERNAME", "PASSWORD", "TOKEN", "HOST"):
        monkeypatch.setenv(f"INVENTREE_API_{name}", "from-the-environment")
    api = transport(answering(200, {}))
    assert "from-the-environment" not in repr(vars(api))


# --- failures ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "reading", "writing"),
    [
        (httpx.ConnectError, Unavailable, Unavailable),
        (httpx.ConnectTimeout, Unavailable, Unavailable),
        (httpx.PoolTimeout, Unavailable, Unavailable),
        (httpx.ReadTimeout, Unavailable, OutcomeUnknown),
        (httpx.WriteTimeout, Unavailable, OutcomeUnknown),
        (httpx.ReadError, Unavailable, OutcomeUnknown),
        (httpx.WriteError, Unavailable, OutcomeUnknown),
        (httpx.RemoteProtocolError, Unavailable, OutcomeUnknown),
    ],
)
def test_a_broken_call_is_unknown_only_if_it_may_have_been_done(
    error: type[httpx.HTTPError], reading: type[InventoryProblem], writing: type[InventoryProblem]
) -> None:
    for call, expected in ((read, reading), (write, writing)):
        with pytest.raises(expected) as caught:
            call(transport(raising(error)))
        assert type(caught.value) is expected
        assert TOKEN not in repr(caught.value)
        assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("status", "reading", "writing"),
    [
        (302, Refusal, Refusal),
        (400, Refusal, Refusal),
        (401, NotPermitted, NotPermitted),
        (403, NotPermitted, NotPermitted),
        (404, Refusal, Refusal),
        (405, Refusal, Refusal),
        (429, Unavailable, Unavailable),
        (500, Unavailable, OutcomeUnknown),
        (502, Unavailable, OutcomeUnknown),
        (504, Unavailable, OutcomeUnknown),
    ],
)
def test_a_web_page_is_judged_by_its_status_and_never_shown(
    status: int, reading: type[InventoryProblem], writing: type[InventoryProblem]
) -> None:
    for call, expected in ((read, reading), (write, writing)):
        with pytest.raises(expected) as caught:
            call(transport(answering(status, text="<html><h1>Secret page</h1></html>")))
        assert type(caught.value) is expected
        assert "Secret" not in caught.value.text
        assert "<" not in caught.value.text


def test_an_answer_that_is_no_json_makes_a_write_unknown() -> None:
    with pytest.raises(Unavailable):
        read(transport(answering(200, text="<html>")))
    with pytest.raises(OutcomeUnknown):
        write(transport(answering(201, text="<html>")))


@pytest.mark.parametrize(
    ("content", "text", "reason"),
    [
        ({"items": [{}, {"item": ["Item must be in stock"]}]}, "Item must be in stock (item 2)", "not-in-stock"),
        ({"items": [{"item": ["Part must be salable"]}]}, "Part must be salable", "not-salable"),
        (
            {"items": [{"item": ["Item is allocated to a sales order"]}]},
            "Item is allocated to a sales order",
            "allocated",
        ),
        ({"quantity": "Quantity is required"}, "quantity: Quantity is required", "refused"),
        ({"link": ["Enter a valid URL."]}, "link: Enter a valid URL.", "refused"),
        ({"non_field_errors": ["The fields must make a unique set."]}, "The fields must make a unique set.", "refused"),
        ({"notes": ["<b>bold</b> inv-abcdef123456"]}, "notes: bold (a token)", "refused"),
        (
            {"items": [{"pk": ['Invalid pk "9" - object does not exist.']}]},
            'Invalid pk "9" - object does not exist.',
            "gone",
        ),
        ({}, "InvenTree answered 400 Bad Request.", "refused"),
    ],
)
def test_field_errors_become_a_sentence_and_a_code(content: object, text: str, reason: str) -> None:
    with pytest.raises(Refusal) as caught:
        write(transport(answering(400, content)))
    said = f'InvenTree said: "{text}"' if content else text
    assert (caught.value.text, caught.value.reason) == (said, reason)


@pytest.mark.parametrize(
    ("method", "url", "role"),
    [
        ("post", "stock/transfer/", "stock: add"),
        ("patch", "stock/3/", "stock: change"),
        ("get", "stock/", "stock: view"),
        ("get", "stock/location/", "stock_location: view"),
        ("get", "part/category/", "part_category: view"),
        ("post", "part/", "part: add"),
        ("post", "company/", "return_order: add"),
        ("get", "metadata/stockitem/3/", "stock: change"),
        ("post", "user/", "superuser"),
    ],
)
def test_a_forbidden_call_names_the_missing_role(method: str, url: str, role: str) -> None:
    api = transport(answering(403, {"detail": "You do not have permission to perform this action."}))
    with pytest.raises(NotPermitted, match=role) as caught:
        api.request(url, method=method)
    assert caught.value.reason == "not-permitted"


def test_a_revoked_token_is_reported_with_what_to_do() -> None:
    with pytest.raises(NotPermitted, match=r"Token has been revoked.*create a new token"):
        read(transport(answering(401, {"detail": "Token has been revoked"})))


def test_a_server_error_names_the_servers_exception() -> None:
    with pytest.raises(OutcomeUnknown, match=r"500 \(OperationalError\)"):
        write(transport(answering(500, {"error": "OperationalError", "path": "/api/stock/"})))


# --- trying again ------------------------------------------------------------------------------------------


def failing_then_fine(failures: list[object]) -> tuple[Handler, list[str]]:
    calls: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        calls.append(request.method)
        failure = failures.pop(0) if failures else None
        if isinstance(failure, httpx.HTTPError):
            raise failure
        return httpx.Response(failure if isinstance(failure, int) else 200, json={"fine": True})

    return handle, calls


@pytest.mark.parametrize("failure", [500, 502, 503, 504, httpx.ReadError(""), httpx.RemoteProtocolError("")])
def test_a_read_is_tried_again(failure: object) -> None:
    handle, calls = failing_then_fine([failure] * len(PAUSES))
    assert read(transport(handle)) == {"fine": True}
    assert len(calls) == len(PAUSES) + 1


@pytest.mark.parametrize("failure", [404, httpx.ReadTimeout(""), httpx.ConnectError("")])
def test_a_read_that_would_fail_again_is_not_tried_again(failure: object) -> None:
    handle, calls = failing_then_fine([failure])
    with pytest.raises((Refusal, Unavailable)):
        read(transport(handle))
    assert len(calls) == 1


@pytest.mark.parametrize("method", ["post", "patch", "put", "delete"])
@pytest.mark.parametrize("failure", [500, 503, httpx.ReadError(""), httpx.ConnectError("")])
def test_a_write_is_never_sent_twice(method: str, failure: object) -> None:
    handle, calls = failing_then_fine([failure])
    with pytest.raises((OutcomeUnknown, Unavailable)):
        transport(handle).request("stock/1/", method=method, json={})
    assert len(calls) == 1


# --- secrets -----------------------------------------------------------------------------------------------


def test_the_token_is_in_no_repr_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    api = transport(answering(200, {"server": "InvenTree", "apiVersion": 530}))
    api.connect()
    api.post("user/tokens/", {"user": 1})
    seen = caplog.text + repr(api) + str(api) + repr(vars(api)) + repr(vars(api)["_client"].headers)
    assert TOKEN not in seen


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "ümlaut"])
def test_a_malformed_token_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(Refusal) as caught:
        InvenTreeTransport(HOST, token)
    assert not token or token not in caught.value.text


@pytest.mark.parametrize(
    "host", ["inventory.example", "ftp://inventory.example", "https://", "https://me:pw@x.example"]
)
def test_an_invalid_address_is_refused(host: str) -> None:
    with pytest.raises(Refusal, match=r"inventree\.url"):
        InvenTreeTransport(host, TOKEN)


def test_a_missing_or_invalid_ca_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("no certificate")
    for name in ("missing.pem", "empty.pem"):
        with pytest.raises(Refusal, match=f"no CA certificate in the file .*{name}"):
            InvenTreeTransport(HOST, TOKEN, certificate=str(tmp_path / name))


# --- the package on top of it ------------------------------------------------------------------------------


@pytest.mark.parametrize("api", [113, 160, 205, 530, 566])
def test_no_version_is_refused_by_the_transport(api: int) -> None:
    connected = transport(answering(200, {"server": "InvenTree", "apiVersion": api}))
    connected.connect()
    assert connected.api_version == api


@pytest.mark.parametrize("content", [{}, [], {"server": "Else", "apiVersion": 1}, {"server": "InvenTree"}])
def test_another_server_at_the_address_is_reported(content: object) -> None:
    with pytest.raises(Refusal, match="no InvenTree"):
        transport(answering(200, content)).connect()
    with pytest.raises(Refusal, match="no InvenTree"):
        transport(answering(404, content)).connect()


def test_calls_that_would_use_requests_or_leak_the_token_are_refused() -> None:
    api = transport(answering(200, {}))
    with pytest.raises(Refusal):
        api.requestToken()
    with pytest.raises(Refusal):
        api.downloadFile("https://evil.example/file", "file")
    with pytest.raises(Refusal):
        api.post("attachment/", {}, files={"attachment": ("name", b"")})
    assert api.testAuth()


def test_the_typed_classes_of_the_package_work(alpha: Space) -> None:
    api = InvenTreeTransport(alpha.url, alpha.seeded.token("fedbot"), transport=alpha.network)
    api.connect()
    item = StockItem(api, pk=42)
    assert (item.serial, item.getPart().IPN, item.getLocation().pathstring) == (
        "0042",
        "LENS-2",
        "Laser room/Cabinet L1",
    )
    assert Part.count(api) == len(Part.list(api))
    company = Company.create(api, {"name": "Betaspace", "is_customer": True})
    company.setMetadata({"fedbot": {"party": "beta"}})
    assert company.getMetadata() == {"fedbot": {"party": "beta"}}
    company.save({"active": False})
    assert not Company(api, pk=company.pk).active
    item.transferStock(alpha.place("Outgoing"), notes="by the typed class")
    assert item.getTrackingEntries()[0].notes == "by the typed class"


def test_a_refused_list_is_not_read_as_an_empty_one(alpha: Space) -> None:
    api = InvenTreeTransport(alpha.url, alpha.seeded.token("kim"), transport=alpha.network)
    with pytest.raises(NotPermitted):
        StockItem.list(api)


def test_paged_and_plain_lists_read_the_same() -> None:
    rows = [{"pk": 1}, {"pk": 2}]
    bare = transport(answering(200, rows))
    paged = transport(answering(200, {"count": 2, "next": None, "previous": None, "results": rows}))
    assert bare.rows("stock/") == paged.rows("stock/") == rows
    assert paged.count("stock/") == 2
    for content in ({"count": "many"}, [1]):
        with pytest.raises(Unavailable):
            transport(answering(200, json.loads(json.dumps(content)))).count("stock/")


# --- a server that isn't ours --------------------------------------------------------------------------------


def at_a_friends(content: Iterator[bytes], **headers: str) -> InvenTreeTransport:
    network = httpx.MockTransport(lambda _: httpx.Response(200, content=content, headers=headers))
    return InvenTreeTransport(HOST, TOKEN, transport=network, pause=lambda _: None, bound=OF_A_FRIEND)


def test_an_answer_of_a_friends_server_is_read_like_any_other() -> None:
    assert read(at_a_friends(iter([b'{"a"', b": 1}"]))) == {"a": 1}


@pytest.mark.parametrize("packed", [False, True])
def test_an_endless_answer_of_a_friends_server_is_not_read_to_its_end(packed: bool) -> None:
    read_so_far = 0

    def endless() -> Iterator[bytes]:
        nonlocal read_so_far
        squeezer = zlib.compressobj(wbits=31)
        for _ in range(1_000):
            read_so_far += 1
            yield squeezer.compress(bytes(100_000)) + squeezer.flush(zlib.Z_SYNC_FLUSH) if packed else bytes(100_000)

    headers = {"content-encoding": "gzip"} if packed else {}
    # compression was not requested, and a small piece can unpack to any size, so nothing is unpacked
    with pytest.raises(Refusal, match="compressed" if packed else "without end") as caught:
        read(at_a_friends(endless(), **headers))
    assert caught.value.reason == "no-inventree"
    assert read_so_far <= 11


def test_an_answer_that_drips_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def drops() -> Iterator[bytes]:
        nonlocal now
        for _ in range(1_000):
            now += 9
            yield b" "

    monkeypatch.setattr(time, "monotonic", lambda: now)
    with pytest.raises(Unavailable, match="no answer in time"):
        read(at_a_friends(drops()))
    assert now < 2 * OF_A_FRIEND.seconds


# --- another worker ----------------------------------------------------------------------------------------


def test_nothing_is_written_for_a_space_that_another_worker_may_have_by_now() -> None:
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        return httpx.Response(200, json={"results": []})

    api = transport(handle)
    api.may_write = _is_lost
    api.get("stock/1/")
    api.ask("search/", {"part": {}})
    for change in (write, lambda api: api.patch("stock/1/", {}), lambda api: api.delete("stock/1/")):
        with pytest.raises(LeaseLost):
            change(api)
    with pytest.raises(LeaseLost):
        api.upload("attachment/", {}, ("photo.png", b"", "image/png"))
    assert asked == ["GET", "POST"]


def _is_lost() -> None:
    raise LeaseLost("another worker's now")


def test_a_claim_that_ends_while_the_connection_is_made_prevents_the_write() -> None:
    """For example if the machine sleeps after the first check. It is checked again just before the first
    byte goes out.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        api = InvenTreeTransport(address, TOKEN, timeout=5)
        looks = iter([None, LeaseLost("another worker's now")])

        def may_write() -> None:
            if (problem := next(looks)) is not None:
                raise problem

        api.may_write = may_write
        with pytest.raises(LeaseLost):
            write(api)
        connected, _ = listening.accept()
        connected.settimeout(5)
        assert connected.recv(1) == b""
        connected.close()
        api.close()


def test_the_connection_of_a_refused_write_is_not_used_again() -> None:
    """gunicorn 26 may swallow the request after a body that nobody read, and close the connection 2 seconds later."""
    ports = []

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            ports.append(self.client_address[1])
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(403 if b"bad" in body else 201)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        api = InvenTreeTransport(f"http://127.0.0.1:{server.server_address[1]}", TOKEN)
        for content in ("good", "good", "bad"):
            with nullcontext() if content == "good" else pytest.raises(NotPermitted):
                api.post("stock/", {"what": content})
        api.post("stock/", {"what": "good"})
        api.close()
        server.shutdown()
    first, second, third, fourth = ports
    assert first == second == third != fourth


# --- fields that a query asks for ---------------------------------------------------------------------------


def told_as(*answers: set[str]) -> tuple[Handler, list[str]]:
    """A server that answers a stock item with these fields, one set a call, the last one for ever; and its calls."""
    calls: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        calls.append(request.url.path)
        fields = answers[min(len(calls), len(answers)) - 1]
        return httpx.Response(200, json=[{"pk": 1, **dict.fromkeys(fields, "told")}])

    return handle, calls


def test_a_field_that_another_client_took_out_of_the_answer_is_read_again() -> None:
    handler, calls = told_as(set(), {"tests"}, {"tests", "location_detail"})
    (row,) = transport(handler).rows("stock/", tests="true", location_detail="true", in_stock="true")
    assert set(row) == {"pk", "tests", "location_detail"}
    assert len(calls) == 3


def test_a_field_that_this_server_never_tells_is_asked_for_in_vain_only_once() -> None:
    handler, calls = told_as({"location_detail"})
    api = transport(handler)
    api.rows("stock/", tests="true", location_detail="true")
    first = len(calls)
    api.rows("stock/", tests="true", location_detail="true")
    assert (first, len(calls) - first) == (1 + len(PAUSES_FOR_FIELDS), 1)


def test_a_field_that_has_come_once_is_missed_again() -> None:
    handler, _ = told_as(*[set[str]()] * (1 + len(PAUSES_FOR_FIELDS)), {"tests"}, set(), {"tests"})
    api = transport(handler)
    told = [set(api.rows(url, tests="true")[0]) for url in ("stock/", "stock/", "stock/")]
    assert told == [{"pk"}, {"pk", "tests"}, {"pk", "tests"}]
