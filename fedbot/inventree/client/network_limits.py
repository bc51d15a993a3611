"""The network limits for calls to a peer's server: one deadline, a limited size, no private addresses.

The address is checked on the actual connection, so a name that resolves differently the second time gains nothing. At
the deadline every socket is shut down, whatever it waits for: a name server, a handshake, a header that arrives byte by
byte.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httpcore
import httpx

LARGEST = 2_000_000
"""The bytes that a peer's server may send in one trial, headers included."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class PrivateAddress(httpcore.ConnectError):
    """The peer's server is at a loopback, private or link-local address, which we refuse."""


def is_public(text: str) -> bool:
    """Whether that IP address is public. An address that wraps an IPv4 address counts as the wrapped one."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        wrapped = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            wrapped = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address.teredo is not None:
            return False
        if wrapped is not None:
            return is_public(str(wrapped))
    return address.is_global and not address.is_multicast


class PeerTransport(httpx.HTTPTransport):
    """The httpx transport of one trial. `seconds` is the limit for all its calls together.

    `private`: the settings allow a private address for this peer's server.
    """

    def __init__(self, verify: ssl.SSLContext | bool, seconds: float, *, private: bool) -> None:  # noqa: FBT001 -- httpx's
        super().__init__(verify=verify, trust_env=False)
        self._network = _Network(seconds, private=private)
        context = verify if isinstance(verify, ssl.SSLContext) else None
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, max_connections=1, network_backend=self._network, retries=0
        )

    def close(self) -> None:
        """Close the connections and stop the deadline's timer."""
        self._network.close()
        super().close()


class _Network(httpcore.NetworkBackend):
    """Connects until the deadline, and only to allowed addresses."""

    def __init__(self, seconds: float, *, private: bool) -> None:
        self._ends = time.monotonic() + seconds
        self._private = private
        self._left = LARGEST
        self._sockets: list[socket.socket] = []
        self._is_over = False
        self._turn = threading.Lock()
        self._watch = threading.Timer(seconds, self.close)
        self._watch.daemon = True
        self._watch.start()

    def close(self) -> None:
        """Shut every socket: a reader sees a broken connection."""
        self._watch.cancel()
        with self._turn:
            self._is_over = True
            for fake in self._sockets:
                _shut(fake)
            self._sockets.clear()

    def seconds(self, wanted: float | None) -> float:
        """The seconds that one operation may take."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the time for this server is over")
        return left if wanted is None else min(wanted, left)

    def count(self, received: bytes) -> bytes:
        """Return what was received, if it doesn't exceed the limit."""
        self._left -= len(received)
        if self._left < 0:
            raise httpcore.RemoteProtocolError("the server answers without end")
        return received

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first allowed address of the name."""
        del local_address, socket_options
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as problem:
            raise httpcore.ConnectError("no such name") from problem
        addresses = list(dict.fromkeys(str(place[4][0]) for place in found))
        allowed = [address for address in addresses if self._private or is_public(address)]
        if not allowed:
            raise PrivateAddress("a private address")
        failure = httpcore.ConnectError("no connection")
        for address in allowed:
            try:
                return self._connected(address, port, self.seconds(timeout))
            except OSError as error:  # the next one may be reachable
                failure.__cause__ = error
        raise failure

    def _connected(self, address: str, port: int, seconds: float) -> httpcore.NetworkStream:
        made = socket.create_connection((address, port), seconds)
        with self._turn:
            if self._is_over:
                made.close()
                raise httpcore.ConnectTimeout("the time for this server is over")
            self._sockets.append(made.dup())  # because TLS takes over the other one
        return _Stream(made, self)

    def connect_unix_socket(self, *_: object, **__: object) -> httpcore.NetworkStream:
        """Refuse: a peer's server is never a local socket."""
        raise PrivateAddress("a socket of this machine")

    def sleep(self, seconds: float) -> None:
        """Wait when httpcore asks to."""
        time.sleep(self.seconds(seconds))


class _Stream(httpcore.NetworkStream):
    """One connection, within the remaining time and size."""

    def __init__(self, made: socket.socket, network: _Network) -> None:
        self._made = made
        self._network = network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            self._made.settimeout(self._network.seconds(timeout))
            return self._network.count(self._made.recv(max_bytes))
        except TimeoutError as problem:
            raise httpcore.ReadTimeout("no answer in time") from problem
        except OSError as problem:
            raise httpcore.ReadError("the connection broke") from problem

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            self._made.settimeout(self._network.seconds(timeout))
            self._made.sendall(buffer)
        except TimeoutError as problem:
            raise httpcore.WriteTimeout("it takes nothing") from problem
        except OSError as problem:
            raise httpcore.WriteError("the connection broke") from problem

    def close(self) -> None:
        self._made.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            self._made.settimeout(self._network.seconds(timeout))
            return _Stream(ssl_context.wrap_socket(self._made, server_hostname=server_hostname), self._network)
        except TimeoutError as problem:
            raise httpcore.ConnectTimeout("no handshake in time") from problem
        except (OSError, ValueError) as problem:
            raise httpcore.ConnectError("no handshake") from problem

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 -- httpcore's
        if info == "is_readable":
            return False
        return self._made if info == "ssl_object" and isinstance(self._made, ssl.SSLSocket) else None


def _shut(fake: socket.socket) -> None:
    with suppress(OSError):  # it is already shut
        fake.shutdown(socket.SHUT_RDWR)
    fake.close()
