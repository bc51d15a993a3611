"""The transport on real sockets: TLS, persistent connections, servers that hang or don't exist."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from fedbot.inventree.client.transport import UNDELIVERED_FOR_MS, InvenTreeTransport
from fedbot.ports.inventory import OutcomeUnknown, Unavailable
from fedbot_demo.certificates import CertificateAuthority, self_signed
from fedbot_demo.inventree import seeds
from fedbot_demo.inventree.faults import Fault, FaultKind
from fedbot_demo.inventree.server import Serving, serve


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


async def test_a_server_with_its_own_ca_is_reached_with_its_file_and_not_without(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    issued = authority.issue("inventree")
    seeded = seeds.alpha()
    async with serve(Serving(seeded.server), certificate=issued.certificate, key=issued.key) as serving:
        token = seeded.token("fedbot")
        trusting = InvenTreeTransport(serving.url, token, certificate=str(authority.certificate))
        assert (await asyncio.to_thread(trusting.row, "stock/42/"))["serial"] == "0042"
        trusting.close()
        doubting = InvenTreeTransport(serving.url, token)
        with pytest.raises(Unavailable):
            await asyncio.to_thread(doubting.row, "stock/42/")
        doubting.close()


async def test_a_self_signed_certificate_is_trusted_by_its_own_file_or_reported_in_plain_words(
    tmp_path: Path,
) -> None:
    issued = self_signed(tmp_path, "inventree")
    seeded = seeds.alpha()
    async with serve(Serving(seeded.server), certificate=issued.certificate, key=issued.key) as serving:
        token = seeded.token("fedbot")
        trusting = InvenTreeTransport(serving.url, token, certificate=str(issued.certificate))
        assert (await asyncio.to_thread(trusting.row, "stock/42/"))["serial"] == "0042"
        trusting.close()
        doubting = InvenTreeTransport(serving.url, token)
        with pytest.raises(Unavailable, match=r"certificate isn't trusted; if it is yours, .* inventree.certificate"):
            await asyncio.to_thread(doubting.post, "stock/transfer/", {})
        doubting.close()


async def test_a_request_that_cannot_be_delivered_does_not_arrive_much_later() -> None:
    seeded = seeds.alpha()
    async with serve(Serving(seeded.server)) as serving:
        api = InvenTreeTransport(serving.url, seeded.token("fedbot"))
        response = await asyncio.to_thread(api.request, "stock/42/", method="get")
        connection = response.extensions["network_stream"].get_extra_info("socket")
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == UNDELIVERED_FOR_MS
        api.close()


async def test_one_connection_serves_many_calls() -> None:
    opened = 0

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
            await writer.drain()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    api = InvenTreeTransport(url, "inv-0000")
    for _ in range(5):
        assert await asyncio.to_thread(api.get, "stock/") == {}
    api.close()
    server.close()
    assert opened == 1


async def test_a_port_where_nobody_listens_is_unavailable_for_writes_too() -> None:
    api = InvenTreeTransport(f"http://127.0.0.1:{free_port()}", "inv-0000")
    for call in (lambda: api.get("stock/"), lambda: api.post("stock/transfer/", {})):
        with pytest.raises(Unavailable):
            await asyncio.to_thread(call)
    api.close()


async def test_a_name_that_does_not_exist_is_unavailable() -> None:
    api = InvenTreeTransport("http://inventree.invalid", "inv-0000")
    with pytest.raises(Unavailable):
        await asyncio.to_thread(api.post, "stock/transfer/", {})
    api.close()


@pytest.mark.parametrize("kind", [FaultKind.TIMEOUT_AFTER, FaultKind.RESET_AFTER])
async def test_a_server_that_hangs_or_breaks_off_makes_a_write_unknown(kind: FaultKind) -> None:
    seeded = seeds.alpha()
    async with serve(Serving(seeded.server)) as serving:
        api = InvenTreeTransport(serving.url, seeded.token("fedbot"), timeout=0.3)
        serving.faults.add(Fault(kind, "POST", "stock/change_status/"))
        with pytest.raises(OutcomeUnknown):
            await asyncio.to_thread(api.post, "stock/change_status/", {"items": [42], "status": 50, "note": "n"})
        assert (await asyncio.to_thread(api.row, "stock/42/"))["status"] == 50
        api.close()
