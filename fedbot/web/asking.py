"""Asks the running bot over its socket for its health, and gives it orders of the command line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import httpx

ASK_SECONDS = 3.0
LONGEST_ORDER = timedelta(minutes=30)
"""The time after which the bot answers an order in any case."""
_SLACK = timedelta(minutes=1)


def ask(unix_socket: Path) -> dict[str, Any] | None:
    """The running bot's `healthy` and `Status`; None if no bot runs there."""
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
    patience = httpx.Timeout(ASK_SECONDS, read=(LONGEST_ORDER + _SLACK).total_seconds())
    try:
        with httpx.Client(transport=transport, base_url="http://fedbot", timeout=patience) as client:
            answer = client.post(f"/{name}", json=what)
            return cast("dict[str, Any]", answer.raise_for_status().json())
    except httpx.ReadTimeout:
        return {"problem": "The running bot doesn't answer. Its log says why; fedbot health says whether it works."}
    except httpx.TransportError:
        return None
    except httpx.HTTPStatusError as refused:
        if refused.response.status_code == httpx.codes.NOT_FOUND:
            return {"problem": "The running bot doesn't know this command: it is older. Restart it, then try again."}
        return {"problem": "The running bot failed at this. Its log says why."}
