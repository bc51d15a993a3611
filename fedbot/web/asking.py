"""Asks the running bot over its socket for its health, and gives it orders of the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import httpx

ASK_SECONDS = 3.0


def ask(unix_socket: Path) -> dict[str, Any] | None:
    """The running bot's `healthy` and `Standing`; None if no bot runs there."""
    transport = httpx.HTTPTransport(uds=str(unix_socket))
    try:
        with httpx.Client(transport=transport, base_url="http://fedbot", timeout=ASK_SECONDS) as client:
            answer = client.get("/healthz")
            return cast("dict[str, Any]", answer.json())
    except (httpx.TransportError, ValueError):
        # no bot listens, it hangs, or it answers with something else: it counts as not running
        return None


def order(unix_socket: Path, name: str, **what: str | bool | int) -> dict[str, Any] | None:
    """Give the running bot this order (`fedbot.engine.orders`); return its answer, or None if no bot runs.

    The answer has `problem`: '' if there was none.
    """
    transport = httpx.HTTPTransport(uds=str(unix_socket))
    patience = httpx.Timeout(ASK_SECONDS, read=None)  # the bot itself reports a friend that doesn't answer
    try:
        with httpx.Client(transport=transport, base_url="http://fedbot", timeout=patience) as client:
            answer = client.post(f"/{name}", json=what)
            return cast("dict[str, Any]", answer.raise_for_status().json())
    except httpx.TransportError:
        return None
    except httpx.HTTPStatusError as refused:
        if refused.response.status_code == httpx.codes.NOT_FOUND:
            return {"problem": "The running bot doesn't know this command: it is older. Restart it, then try again."}
        return {"problem": "The running bot failed at this. Its log says why."}
