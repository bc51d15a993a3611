"""A peer's server that drips, floods, redirects or points into our network, on real sockets: it gains nothing by it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from fedbot.inventree import inventory as inventories
from fedbot.inventree.client.network_limits import is_public
from fedbot.inventree.client.transport import OF_A_FRIEND, Bound, InvenTreeTransport
from fedbot.ports.inventory import InventoryProblem, Refusal, Unavailable
from fedbot.rules.model.steps import TryToken
from tests.scenarios.world import World

SOON = Bound(size=100_000, seconds=0.6)
AT_MOST = 4.0
"""The seconds within which a call with a limit of 0.6 s must be over on a busy machine."""


@contextmanager
def a_server(answers: Callable[[socket.socket], None]) -> Iterator[tuple[int, list[bytes]]]:
    """A server on loopback that does this with each connection; yields its port and the requests that it has read."""
    listening = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

    def talk(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            heard.append(connection.recv(65_536))
            answers(connection)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listening.getsockname()[1], heard
    finally:
        listening.close()


def hangs_up(connection: socket.socket, within: float | None = None) -> bool:
    """Whether the other side hangs up within that many seconds; without a limit, wait for ever."""
    connection.settimeout(within)
    try:
        return not connection.recv(65_536)
    except TimeoutError:
        return False


def drips(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not hangs_up(connection, 0.05):
        connection.sendall(b"X")


def drips_raw(connection: socket.socket) -> None:
    """Drip the beginning of a TLS record that never ends."""
    connection.sendall(b"\x16\x03\x03\x40\x00")
    while not hangs_up(connection, 0.05):
        connection.sendall(b"\0")


def drips_its_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n")
    while not hangs_up(connection, 0.05):
        connection.sendall(b" ")


def floods_its_head(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-Long: " + b"x" * 50_000)


def floods_its_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b" " * 50_000)


def packs(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc")


def says_nothing(connection: socket.socket) -> None:
    hangs_up(connection)


def to_peer(url: str, *, private: bool = True) -> InvenTreeTransport:
    return InvenTreeTransport(url, "inv-token", timeout=10, bound=SOON, private=private, pause=lambda _: None)


@pytest.mark.parametrize("answers", [drips, drips_its_body, floods_its_head, floods_its_body, packs, says_nothing])
def test_no_answer_holds_us_longer_than_a_whole_call_may_take(answers: Callable[[socket.socket], None]) -> None:
    with a_server(answers) as (port, _):
        began = time.monotonic()
        peer = to_peer(f"http://127.0.0.1:{port}")
        with pytest.raises(InventoryProblem):
            peer.get("")
        peer.close()
        assert time.monotonic() - began < AT_MOST


DEEP = b"[" * 90_000 + b"]" * 90_000


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(
    "body",
    [
        b'{"detail": "' + b"<" * 900_000 + b'"}',  # as many beginnings of a tag as fit into an answer
        DEEP,
        b'{"detail": ' + DEEP[80_000:-80_000] + b"}",
        b'{"detail": ' + DEEP[-90_200:-89_800] + b"}",
        b'{"server": "InvenTree", "apiVersion": "\xc2\xb2"}',
        b'{"server": "InvenTree", "apiVersion": "' + b"9" * 5000 + b'"}',
        b'{"server": "InvenTree", "apiVersion": ' + b"9" * 5000 + b"}",
    ],
    ids=["tags", "deep", "less deep", "not so deep", "superscript", "digits", "number"],
)
def test_no_answer_of_a_peer_keeps_us_busy_or_is_misread(status: int, body: bytes) -> None:
    def answers(connection: socket.socket) -> None:
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)

    with a_server(answers) as (port, _):
        url = f"http://127.0.0.1:{port}"
        peer = InvenTreeTransport(url, "inv-token", bound=OF_A_FRIEND, private=True, pause=lambda _: None)
        with pytest.raises(InventoryProblem):
            peer.testServer()
        peer.close()


def test_a_handshake_that_drips_holds_us_no_longer() -> None:
    with a_server(drips_raw) as (port, _):
        began = time.monotonic()
        peer = to_peer(f"https://127.0.0.1:{port}")
        with pytest.raises(Unavailable):
            peer.get("")
        peer.close()
        assert time.monotonic() - began < AT_MOST


def test_many_quick_calls_have_one_deadline_together() -> None:
    def answers(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    with a_server(answers) as (port, _):
        peer = to_peer(f"http://127.0.0.1:{port}")
        began = time.monotonic()
        with pytest.raises(Unavailable):
            _ = [peer.get("") for _ in range(100_000)]
        assert time.monotonic() - began < AT_MOST
        peer.close()


def test_a_redirect_is_not_followed_and_the_token_goes_nowhere_else() -> None:
    with a_server(says_nothing) as (elsewhere, heard):

        def answers(connection: socket.socket) -> None:
            place = f"http://127.0.0.1:{elsewhere}/api/".encode()
            connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: " + place + b"\r\nContent-Length: 0\r\n\r\n")

        with a_server(answers) as (port, _):
            peer = to_peer(f"http://127.0.0.1:{port}")
            with pytest.raises(Refusal) as refused:
                peer.get("")
            peer.close()
    assert refused.value.reason == "redirect"
    assert heard == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "2130706433", "[::ffff:127.0.0.1]", "127.1"])  # noqa: S104
def test_our_own_machine_is_not_accepted_as_a_peers_server(host: str) -> None:
    with a_server(says_nothing) as (port, heard):
        peer = to_peer(f"http://{host}:{port}", private=False)
        with pytest.raises(InventoryProblem):
            peer.get("")
        peer.close()
        assert heard == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("1.1.1.1", True),
        ("2606:4700::1111", True),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::101:101", True),
        ("2002:7f00:1::", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
    ],
)
def test_public_addresses_are_told_from_private_ones(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_a_name_that_resolves_differently_the_second_time_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    tried: list[str] = []

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:  # noqa: ANN401 -- the library's
        asked.append(host)
        address = "1.1.1.1" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def create_connection(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:  # noqa: ANN401
        tried.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket, "create_connection", create_connection)
    for reason in ("unreachable", "private-address"):
        peer = to_peer("http://rebinding.test", private=False)
        with pytest.raises(InventoryProblem) as refused:
            peer.get("")
        peer.close()
        assert refused.value.reason == reason
    assert tried == ["1.1.1.1"]


async def test_nothing_of_ours_waits_for_a_peers_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventories, "OF_A_FRIEND", Bound(size=1000, seconds=3.0))
    space = World().alpha
    space.vault.keep("got-from/liar/1", "inv-token")
    began = threading.Event()

    def answers(connection: socket.socket) -> None:
        began.set()
        drips(connection)

    with a_server(answers) as (port, _):
        step = TryToken("mark", "got-from/liar/1", f"http://127.0.0.1:{port}", private=True)
        assert await space.inventory.probe(step) is None
        trial = asyncio.ensure_future(space.inventory.act(step))
        await asyncio.to_thread(began.wait, 10)
        space.vault.keep("made-for/liar/1", space.seeded.token("fedbot"))
        with pytest.raises(Refusal):  # it has too many permissions, which our own InvenTree refuses at once
            await space.inventory.act(TryToken("own", "made-for/liar/1"))
        assert not trial.done()
        with pytest.raises(Unavailable):
            await trial
    space.inventory.close()
