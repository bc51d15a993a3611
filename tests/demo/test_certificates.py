"""Clients that trust an authority trust its servers on loopback, and no others."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from fedbot_demo.certificates import Certificate, CertificateAuthority


async def greet_over_tls(host: str, issued: Certificate, trusted: CertificateAuthority) -> bytes:
    """Connect as a client that trusts one authority to a server with a certificate; ssl's errors propagate."""

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    presented = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    presented.load_cert_chain(issued.certificate, issued.key)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=presented)
    port = server.sockets[0].getsockname()[1]
    trusting = ssl.create_default_context(cafile=str(trusted.certificate))
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    async with server:
        reader, writer = await asyncio.open_connection(host, port, ssl=trusting)
        greeting = await reader.read()
        writer.close()
    return greeting


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_client_that_trusts_the_authority_trusts_its_servers_by_name_and_address(
    tmp_path: Path, host: str
) -> None:
    authority = CertificateAuthority(tmp_path)
    assert await greet_over_tls(host, authority.issue("server"), authority) == b"hello"


async def test_a_certificate_of_another_authority_is_refused(tmp_path: Path) -> None:
    authority, other = CertificateAuthority(tmp_path / "one"), CertificateAuthority(tmp_path / "other")
    with pytest.raises(ssl.SSLCertVerificationError):
        await greet_over_tls("localhost", other.issue("server"), authority)


def test_only_the_owner_may_read_a_private_key(tmp_path: Path) -> None:
    assert CertificateAuthority(tmp_path).issue("server").key.stat().st_mode & 0o777 == 0o600
