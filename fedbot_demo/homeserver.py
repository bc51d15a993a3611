"""A real Matrix homeserver (Synapse) on loopback, for the demo and the end-to-end tests.

Synapse runs in a process (`fedbot_demo.leash`) with SQLite, in one folder, with the settings that our measurements use.
It federates with nobody. On request it federates with other homeservers on loopback, and trusts only certificates that
a common authority signed.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import os
import secrets
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import yaml

from fedbot_demo import client_server
from fedbot_demo.certificates import CertificateAuthority
from fedbot_demo.leash import LeashedProcess

_LOOPBACK = "127.0.0.1"
_LOOK_EVERY_S = 0.05
_NO_LIMIT = {"per_second": 10_000, "burst_count": 10_000}
#: Synapse's rc_* settings, lifted for measurements of something other than the limits.
_LIFTED_LIMITS: dict[str, Any] = {
    "rc_message": _NO_LIMIT,
    "rc_registration": _NO_LIMIT,
    "rc_admin_redaction": _NO_LIMIT,
    "rc_login": {"address": _NO_LIMIT, "account": _NO_LIMIT, "failed_attempts": _NO_LIMIT},
    "rc_joins": {"local": _NO_LIMIT, "remote": _NO_LIMIT},
    "rc_joins_per_room": _NO_LIMIT,
    "rc_room_creation": _NO_LIMIT,
    "rc_invites": {"per_room": _NO_LIMIT, "per_user": _NO_LIMIT, "per_issuer": _NO_LIMIT},
}


class HomeserverError(Exception):
    """The homeserver didn't start, or refused a request of the demo. The message holds the server's own text."""


@dataclass(frozen=True)
class Account:
    """A new Matrix account, logged in on one device."""

    user_id: str
    device_id: str
    homeserver_url: str
    access_token: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True)
class _Identity:
    """The keys and secrets that a homeserver keeps over restarts in the same folder."""

    server_name: str
    client_port: int
    federation_port: int
    signing_key: str = field(repr=False)
    registration_secret: str = field(repr=False)


class Homeserver:
    """One Synapse in one folder. Use it as `async with`, or `start` and `stop` it; it may be started again.

    Args:
        folder: Made when missing. A folder that held a homeserver before brings its users and rooms back, at
            the same address.
        default_rate_limits: Synapse's own limits, as on a makerspace's server. False lifts them all.
        authority: Given, the server federates over TLS with all others on this machine that have the same
            authority; its name is then `localhost:PORT`, otherwise `demo.localhost`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        default_rate_limits: bool = True,
        authority: CertificateAuthority | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._default_rate_limits = default_rate_limits
        self._authority = authority
        self._configuration = folder / "homeserver.yaml"
        self._identity = self._known_identity() or _new_identity(federates=authority is not None)
        self._process = LeashedProcess(
            "synapse.app.homeserver",
            ["-c", str(self._configuration)],
            log=folder / "homeserver.log",
            folder=folder,
        )
        self._admin: Account | None = None

    @property
    def url(self) -> str:
        """The base URL for clients; the same after a restart."""
        return f"http://{_LOOPBACK}:{self._identity.client_port}"

    @property
    def server_name(self) -> str:
        """The part of its user ids after the colon."""
        return self._identity.server_name

    @property
    def log(self) -> Path:
        """Synapse's log file; it grows over restarts."""
        return self._process.log

    @property
    def pid(self) -> int | None:
        """The process id of the running or last Synapse."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is running."""
        return self._process.is_running

    async def __aenter__(self) -> Self:
        """Start it."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        await self.stop()

    async def start(self, timeout: float = 60.0) -> None:
        """Start Synapse and wait until it answers clients (about 2 s).

        Raises:
            HomeserverError: It ended, or didn't answer within `timeout` seconds; with the end of its log.
        """
        self._write_configuration()
        await self._process.start()
        try:
            await self._answers(timeout)
        except BaseException:
            await self._process.stop()
            raise

    async def stop(self, grace: float = 10.0) -> None:
        """End Synapse; kill it after `grace` seconds. `start` brings it back with everything it had."""
        await self._process.stop(grace)

    async def kill(self) -> None:
        """Kill Synapse, as a power cut would."""
        await self._process.kill()

    async def register(self, name: str, *, admin: bool = False, display_name: str | None = None) -> Account:
        """Register an account with the local part `name` through Synapse's admin API, by the shared secret.

        Raises:
            HomeserverError: The name is taken or not allowed.
        """
        password = secrets.token_urlsafe(16)
        async with self._client() as client:
            nonce = (await client.get("/_synapse/admin/v1/register")).json()["nonce"]
            parts = (nonce, name, password, "admin" if admin else "notadmin")
            # Synapse's registration API requires SHA-1
            mac = hmac.new(self._identity.registration_secret.encode(), "\0".join(parts).encode(), hashlib.sha1)
            asked = {
                "nonce": nonce,
                "username": name,
                "displayname": display_name or name.capitalize(),
                "password": password,
                "admin": admin,
                "mac": mac.hexdigest(),
            }
            answer = _expect_ok(await client.post("/_synapse/admin/v1/register", json=asked), f"register {name}")
        return Account(answer["user_id"], answer["device_id"], self.url, answer["access_token"], password)

    async def lift_rate_limit(self, user_id: str) -> None:
        """Exempt one account of this server from rate limits, as an admin can do for a bot on a real server."""
        self._admin = self._admin or await self.register(f"warden-{secrets.token_hex(4)}", admin=True)
        async with self._client() as client:
            answer = await client.post(
                f"/_synapse/admin/v1/users/{user_id}/override_ratelimit",
                json={"messages_per_second": 0, "burst_count": 0},
                headers={"Authorization": f"Bearer {self._admin.access_token}"},
            )
        _expect_ok(answer, f"lift the rate limit of {user_id}")

    async def restore_rate_limit(self, user_id: str) -> None:
        """Undo `lift_rate_limit`. Events sent while it was lifted don't count."""
        if self._admin is None:
            return
        async with self._client() as client:
            answer = await client.delete(
                f"/_synapse/admin/v1/users/{user_id}/override_ratelimit",
                headers={"Authorization": f"Bearer {self._admin.access_token}"},
            )
        _expect_ok(answer, f"limit {user_id} again")

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, timeout=client_server.REPLY_S, trust_env=False)

    async def _answers(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        async with self._client() as client:
            while time.monotonic() < deadline:
                if not self._process.is_running:
                    raise HomeserverError(
                        f"Synapse ended with {self._process.exit_code} before it answered."
                        f" The end of {self.log}:\n{self._process.log_tail()}"
                    )
                # nothing listens yet, so look again
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get("/_matrix/client/versions")).is_success:
                        return
                await asyncio.sleep(_LOOK_EVERY_S)
        raise HomeserverError(
            f"Synapse didn't answer on {self.url} within {timeout:g} s."
            f" The end of {self.log}:\n{self._process.log_tail()}"
        )

    def _known_identity(self) -> _Identity | None:
        """The identity of the homeserver that used this folder before; None if there was none."""
        if not self._configuration.exists():
            return None
        known = yaml.safe_load(self._configuration.read_text())
        ports = [listener["port"] for listener in known["listeners"]]
        if (len(ports) > 1) != (self._authority is not None):
            raise HomeserverError(f"{self.folder} holds a homeserver that does or doesn't federate; that stays")
        return _Identity(
            server_name=known["server_name"],
            client_port=ports[0],
            federation_port=ports[-1],
            signing_key=known["signing_key"],
            registration_secret=known["registration_shared_secret"],
        )

    def _write_configuration(self) -> None:
        settings = self._settings()
        if self._authority is not None:
            settings |= self._federation_settings(self._authority)
        if not self._default_rate_limits:
            settings |= _LIFTED_LIMITS
        # it holds secrets
        descriptor = os.open(self._configuration, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            yaml.safe_dump(settings, file)

    def _settings(self) -> dict[str, Any]:
        identity = self._identity
        return {
            "server_name": identity.server_name,
            "report_stats": False,
            "signing_key": identity.signing_key,
            "macaroon_secret_key": hashlib.sha256(identity.signing_key.encode()).hexdigest(),
            "registration_shared_secret": identity.registration_secret,
            "trusted_key_servers": [],
            "suppress_key_server_warning": True,
            "federation_domain_whitelist": [],
            "database": {"name": "sqlite3", "args": {"database": str(self.folder / "homeserver.db")}},
            "media_store_path": str(self.folder / "media"),
            "presence": {"enabled": False},
            "bcrypt_rounds": 4,
            "listeners": [_listener(identity.client_port, "client")],
        }

    def _federation_settings(self, authority: CertificateAuthority) -> dict[str, Any]:
        issued = authority.issue(f"homeserver-{self._identity.federation_port}")
        return {
            "listeners": [
                _listener(self._identity.client_port, "client"),
                {**_listener(self._identity.federation_port, "federation"), "tls": True},
            ],
            "tls_certificate_path": str(issued.certificate),
            "tls_private_key_path": str(issued.key),
            "federation_custom_ca_list": [str(authority.certificate)],
            "federation_domain_whitelist": None,
            # Synapse refuses private addresses by default, including loopback
            "ip_range_blacklist": [],
            "federation_ip_range_blacklist": [],
            # retry a server that was away at once, not after minutes
            "federation": {
                "client_timeout": "5s",
                "max_long_retry_delay": "1s",
                "destination_min_retry_interval": "1s",
                "destination_max_retry_interval": "2s",
                "destination_retry_multiplier": 1,
            },
        }


def _new_identity(*, federates: bool) -> _Identity:
    client_port, federation_port = free_ports(2)
    return _Identity(
        server_name=f"localhost:{federation_port}" if federates else "demo.localhost",
        client_port=client_port,
        federation_port=federation_port,
        signing_key=f"ed25519 a_demo {base64.b64encode(secrets.token_bytes(32)).decode().rstrip('=')}",
        registration_secret=secrets.token_urlsafe(32),
    )


def _listener(port: int, resource: str) -> dict[str, Any]:
    return {
        "port": port,
        "bind_addresses": [_LOOPBACK],
        "type": "http",
        "resources": [{"names": [resource], "compress": False}],
    }


def free_ports(count: int) -> list[int]:
    """Distinct free ports. They are requested together because two requests could return the same one."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((_LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]


def _expect_ok(answer: httpx.Response, wish: str) -> dict[str, Any]:
    if not answer.is_success:
        raise HomeserverError(f"The homeserver refused to {wish}: {answer.status_code} {answer.text[:300]}")
    body: dict[str, Any] = answer.json()
    return body
