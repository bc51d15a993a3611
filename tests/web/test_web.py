"""Metrics and health for monitors, over real sockets on the machine."""

from __future__ import annotations

import asyncio
import io
import logging
import socket
import stat
import subprocess
import sys
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from fedbot import logs
from fedbot.config.settings import Pages
from fedbot.engine.bot import serve_pages
from fedbot.web.asking import ask, order
from fedbot.web.server import CannotListen, Status, Web, metrics
from fedbot.web.site import serving
from fedbot.web.site.app import application
from fedbot.web.site.serving import Served
from tests.scenarios.world import friends
from tests.web.serving import running

GOOD: Status = {
    "version": "0.1.0",
    "matrix": True,
    "inventree": True,
    "problems": [],
    "gauges": {"outbox_waiting": 2, "sync_age_seconds": 0.25},
    "counters": {"transfers_done": 12345678},
}


def _free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


async def _get(unix_socket: Path) -> httpx.Response:
    transport = httpx.AsyncHTTPTransport(uds=str(unix_socket))
    async with httpx.AsyncClient(transport=transport) as client:
        return await client.get("http://fedbot/healthz")


async def _get_by_tcp(port: int, path: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(f"http://127.0.0.1:{port}/{path}")


async def test_a_healthy_bot_answers_200_with_its_health(tmp_path: Path) -> None:
    where = tmp_path / "fedbot.sock"
    async with Web(lambda: GOOD, where):
        answer = await _get(where)
    assert answer.status_code == 200
    assert answer.json() == {"healthy": True, **GOOD}


@pytest.mark.parametrize("lost", ["matrix", "inventree"])
async def test_a_bot_that_lost_one_of_its_ends_answers_503_and_says_why(lost: str, tmp_path: Path) -> None:
    bad: Status = {**GOOD, lost: False, "problems": ["it is gone"]}  # type: ignore[misc]
    where = tmp_path / "fedbot.sock"
    async with Web(lambda: bad, where):
        answer = await _get(where)
    assert answer.status_code == 503
    assert answer.json()["healthy"] is False
    assert answer.json()["problems"] == ["it is gone"]


async def test_health_is_checked_every_time(tmp_path: Path) -> None:
    now: Status = {**GOOD}
    where = tmp_path / "fedbot.sock"
    async with Web(lambda: now, where):
        before = await asyncio.to_thread(ask, where)
        now["inventree"] = False
        after = await asyncio.to_thread(ask, where)
    assert before is not None
    assert after is not None
    assert (before["healthy"], after["healthy"]) == (True, False)


async def test_nobody_else_on_the_machine_may_ask_by_the_socket(tmp_path: Path) -> None:
    where = tmp_path / "fedbot.sock"
    async with Web(lambda: GOOD, where):
        assert stat.S_IMODE(where.stat().st_mode) == 0o600
    assert not where.exists()


async def test_a_socket_left_behind_by_a_crash_is_replaced(tmp_path: Path) -> None:
    where = tmp_path / "fedbot.sock"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(where))
    left.close()
    assert ask(where) is None
    async with Web(lambda: GOOD, where):
        assert await asyncio.to_thread(ask, where) is not None


def test_without_a_bot_nothing_answers(tmp_path: Path) -> None:
    assert ask(tmp_path / "fedbot.sock") is None


async def test_orders_are_accepted_by_the_socket_and_not_by_tcp(tmp_path: Path) -> None:
    where, port, given = tmp_path / "fedbot.sock", _free_port(), []

    async def reconcile(order: dict[str, Any]) -> dict[str, Any]:
        given.append((order["space"], order["repair"]))
        return {"problem": "", "told": []}

    async with Web(lambda: GOOD, where, f"127.0.0.1:{port}", {"reconcile": reconcile}):
        answer = await asyncio.to_thread(partial(order, where, "reconcile", space="beta", repair=True))
        async with httpx.AsyncClient() as client:
            by_tcp = await client.post(f"http://127.0.0.1:{port}/reconcile", json={"space": "", "repair": True})
    assert answer == {"problem": "", "told": []}
    assert given == [("beta", True)]
    assert by_tcp.status_code == 404
    assert order(where, "reconcile", space="beta", repair=False) is None, "nobody is there any more"


async def test_it_listens_on_an_address_too_if_configured(tmp_path: Path) -> None:
    port = _free_port()
    async with Web(lambda: GOOD, tmp_path / "fedbot.sock", f"127.0.0.1:{port}"):
        health, figures, other = [await _get_by_tcp(port, path) for path in ("healthz", "metrics", "")]
    assert (health.status_code, figures.status_code, other.status_code) == (200, 200, 404)
    assert figures.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "fedbot_healthy 1\n" in figures.text


async def test_an_address_that_is_taken_leaves_no_socket_behind(tmp_path: Path) -> None:
    where = tmp_path / "fedbot.sock"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CannotListen, match=r"Address already in use.*web\.listen"):
            async with Web(lambda: GOOD, where, f"127.0.0.1:{taken.getsockname()[1]}"):
                raise AssertionError("it must not start")
    assert not where.exists()


def test_metrics_are_what_prometheus_reads() -> None:
    assert metrics(GOOD).splitlines() == [
        "# TYPE fedbot_healthy gauge",
        "fedbot_healthy 1",
        "# TYPE fedbot_inventree_up gauge",
        "fedbot_inventree_up 1",
        "# TYPE fedbot_matrix_up gauge",
        "fedbot_matrix_up 1",
        "# TYPE fedbot_outbox_waiting gauge",
        "fedbot_outbox_waiting 2",
        "# TYPE fedbot_sync_age_seconds gauge",
        "fedbot_sync_age_seconds 0.25",
        "# TYPE fedbot_transfers_done_total counter",
        "fedbot_transfers_done_total 12345678",
        "# TYPE fedbot_info gauge",
        'fedbot_info{version="0.1.0"} 1',
    ]


def test_a_metric_that_prometheus_would_refuse_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="Outbox waiting"):
        metrics({"version": "0", "matrix": True, "inventree": True, "gauges": {"Outbox waiting": 1}})


def test_a_bot_without_pages_loads_none_of_their_libraries() -> None:
    code = "import sys, fedbot.engine.bot; print([m for m in ('fastapi', 'uvicorn', 'jinja2') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


async def test_the_running_bot_serves_its_pages_behind_a_prefix_where_the_settings_say_so() -> None:
    world = await friends()
    port = _free_port()
    pages = Pages(listen=f"127.0.0.1:{port}", url=f"http://127.0.0.1:{port}/lending")
    async with AsyncExitStack() as stack:
        await serve_pages(pages, world.alpha.bot, stack)
        with pytest.raises(OSError, match="in use"):
            await serve_pages(pages, world.alpha.bot, stack)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", follow_redirects=True) as client:
            for path in ("/lending/", "/sign-in"):  # a proxy may remove the prefix or leave it
                page = await client.get(path)
                assert page.status_code == 200
                assert 'href="/lending/static/fedbot.css"' in page.text
            assert (await client.get("/lending/static/fedbot.css")).headers["content-type"].startswith("text/css")
            assert (await client.get("/lending/api/v1/now")).status_code == 401
            assert (await client.get("/lending/nothing")).status_code == 404
            assert (await client.post("/lending/sign-in", content=b"x" * 100_000)).status_code == 413
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{port}/lending/")


async def test_nobody_takes_all_connections_so_that_others_get_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "MOST_OF_ONE_CALLER", 3)
    async with running() as (_, url, _):
        port = int(url.rpartition(":")[2])
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        async with httpx.AsyncClient() as client:
            with pytest.raises(httpx.TransportError):
                await client.get(f"{url}/sign-in")
        elsewhere = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
        async with httpx.AsyncClient(transport=elsewhere) as client:
            assert (await client.get(f"{url}/sign-in")).status_code == 200
        for _, writer in opened:
            writer.close()


async def test_a_caller_that_is_too_slow_or_has_too_many_calls_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "SECONDS_TO_ASK", 0.1)
    monkeypatch.setattr(serving, "MOST_CONNECTIONS", 4)
    async with running() as (_, url, _):
        port = int(url.rpartition(":")[2])
        head = b"POST /sign-in HTTP/1.1\r\nHost: x\r\n"
        slow = [b"", head, head + b"Content-Length: 10\r\n\r\nabc"]
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in slow]
        for (_, writer), sent in zip(opened, slow, strict=True):
            writer.write(sent)
        async with httpx.AsyncClient() as client:  # which keeps its connection open
            assert (await client.get(f"{url}/sign-in")).status_code == 200
            reader, _ = await asyncio.open_connection("127.0.0.1", port)
            for each in (reader, *(slow for slow, _ in opened)):
                with suppress(ConnectionResetError):
                    told = await asyncio.wait_for(each.read(), 5)  # the form may be refused before it is complete
                    assert told == b"" or told.startswith(b"HTTP/1.1 4")
            assert (await client.get(f"{url}/sign-in")).status_code == 200


SECRETS = {
    "session": "fed_" + "s" * 43,
    "screen": "fed_" + "c" * 43,
    "feed": "fed_" + "f" * 43,
    "api": "fed_" + "a" * 43,
    "inventree": "inv-0123456789abcdef0123456789abcdef01234567-20261124",
    "older": "9a8b7c6d5e4f30219a8b7c6d5e4f30219a8b7c6d",
    "password": "correct horse battery staple",
    "code": "918273",
}


@pytest.mark.parametrize("fails", ["turn", "user_by_token", "user_by_password", "locale", "now", "nothing"])
@pytest.mark.parametrize("as_json", [False, True])
async def test_no_secret_is_logged_whatever_fails_while_a_call_is_answered(
    fails: str, as_json: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uvicorn and Starlette log what a handler raises; the text of an exception may quote what it was given."""
    out = io.StringIO()
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    world = await friends()
    gateway = world.alpha.bot.gateway()

    def broken(*given: object, **named: object) -> object:
        raise RuntimeError(f"broken by {given!r} {named!r}")

    if fails != "nothing":
        monkeypatch.setattr(gateway, fails, broken)
    url = "http://127.0.0.1:8399"
    app = application(gateway, url=url, session=timedelta(days=1), inventree_login=True)
    try:
        logs.configure("debug", stream=out, as_json=as_json)
        async with Served(app, "127.0.0.1:0") as served:
            base = f"http://127.0.0.1:{served.port}"
            async with httpx.AsyncClient(base_url=base, headers={"Origin": url}) as client:
                cookie = {"Cookie": f"fedbot-8399={SECRETS['session']}"}
                login = {"username": "anna", "password": SECRETS["password"], "code": SECRETS["code"]}
                for bearer in (SECRETS["api"], SECRETS["inventree"], SECRETS["older"]):
                    for kind in ("Bearer", "Token"):
                        await client.get("/api/v1/now", headers={"Authorization": f"{kind} {bearer}"})
                for path in (f"/screen/{SECRETS['screen']}", f"/calendar/{SECRETS['feed']}/mine.ics", "/", "/access"):
                    await client.get(path, headers=cookie)
                await client.post("/sign-in", headers=cookie)
                await client.post("/sign-in/inventree", data=login, headers=cookie)
                await client.post("/sign-in/inventree", data=login | {"password": SECRETS["password"] * 30})
                await client.post("/say", data={"line": "todo", "form": "ü", "key": SECRETS["code"]}, headers=cookie)
            for start in (
                f"GET /screen/{SECRETS['screen']} HTTP/9.9",
                f"GET /screen/{SECRETS['screen']}\x01 HTTP/1.1",
                f"GET /calendar/{SECRETS['feed']} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade",
                f"GET / HTTP/1.1\r\nHost: x\r\nCookie: fedbot-8399={SECRETS['session']}\r\n bad\x00",
                f"POST /say HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\npassword={SECRETS['password']}",
            ):
                reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
                writer.write(f"{start}\r\n\r\n".encode())
                writer.write_eof()
                with suppress(OSError):
                    await asyncio.wait_for(reader.read(), 10)
                writer.close()
    finally:
        for handler in logging.getLogger().handlers[:]:
            logging.getLogger().removeHandler(handler)
        for handler in handlers:
            logging.getLogger().addHandler(handler)
        logging.getLogger().setLevel(level)
    told = out.getvalue()
    assert fails == "nothing" or "RuntimeError" in told, "it is logged that it failed"
    assert not [name for name, secret in SECRETS.items() if secret in told or repr(secret)[1:-1] in told], told
