"""What `fedbot health` asks of the running bot, and what `fedbot reconcile` and `fedbot retry` order."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import httpx

ASK_SECONDS = 3.0


def ask(unix_socket: Path) -> dict[str, Any] | None:
    """What the running bot says of itself (`healthy` and its `Standing`); None if none is running there."""
    transport = httpx.HTTPTransport(uds=str(unix_socket))
    try:
        with httpx.Client(transport=transport, base_url="http://fedbot", timeout=ASK_SECONDS) as client:
            answer = client.get("/healthz")
            return cast("dict[str, Any]", answer.json())
    except (httpx.TransportError, ValueError):
        # nobody listens, it hangs, or it answers with something else: as good as not running
        return None


def order_reconcile(unix_socket: Path, space: str, *, repair: bool) -> dict[str, Any] | None:
    """What the running bot says of its books (`app.orders`), when it has compared them; None if none is running."""
    return _order(unix_socket, "/reconcile", {"space": space, "repair": repair})


def order_retry(unix_socket: Path, number: int) -> dict[str, Any] | None:
    """Why the running bot can't try that again (`problem`, '' if it does); None if none is running."""
    return _order(unix_socket, "/retry", {"number": number})


def _order(unix_socket: Path, path: str, order: dict[str, Any]) -> dict[str, Any] | None:
    transport = httpx.HTTPTransport(uds=str(unix_socket))
    patience = httpx.Timeout(ASK_SECONDS, read=None)  # a friend that doesn't answer is told of by the bot
    try:
        with httpx.Client(transport=transport, base_url="http://fedbot", timeout=patience) as client:
            answer = client.post(path, json=order)
            return cast("dict[str, Any]", answer.raise_for_status().json())
    except httpx.TransportError:
        return None
