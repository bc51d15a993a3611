"""Whose a name and password are, or a token: asked of our InvenTree itself, once, and kept nowhere."""

from __future__ import annotations

import httpx

from fedbot.inventree.errors import of_exception
from fedbot.inventree.server import InventorySettings, Server
from fedbot.inventree.transport import verification
from fedbot.ports.inventory import Credentials, Refusal, Unavailable
from fedbot.rules.model.diagnosis import NO_CODE, AnsweredOnly, BadVersion, VersionFault

_NO = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})


def whose(
    server: Server, settings: InventorySettings, credentials: Credentials, network: httpx.BaseTransport | None
) -> str | None:
    """The active user whose they are; None if they open nothing.

    Raises `Refusal` below API 472, `Unavailable` if it doesn't answer.
    """
    if not server.version.permissions_are_safe:
        raise Refusal(BadVersion(VersionFault.LOGINS_UNSAFE, server.version.api))
    if credentials.username:
        auth: httpx.Auth | None = httpx.BasicAuth(credentials.username, credentials.secret)
        headers = {}
    else:
        if not credentials.secret.isascii() or not credentials.secret.isprintable():
            return None
        auth, headers = None, {"Authorization": f"Token {credentials.secret}"}
    verify = verification(settings.url, settings.certificate)
    with httpx.Client(verify=verify, transport=network, timeout=settings.timeout, trust_env=False) as client:
        try:
            answer = client.get(f"{server.api.base_url}api/user/me/", auth=auth, headers=headers)
        except httpx.HTTPError as silent:
            raise of_exception(silent, server.api.host, reading=True) from None
    if answer.status_code in _NO:
        return None
    if not answer.is_success:
        raise Unavailable(AnsweredOnly(answer.status_code, answer.reason_phrase, NO_CODE))
    row = answer.json()
    name = row.get("username") if isinstance(row, dict) else None
    return name if isinstance(name, str) and row.get("is_active", True) else None
