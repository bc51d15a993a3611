"""The question that `fedbot health` puts to the running bot."""

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
