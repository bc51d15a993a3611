"""Matrix events as Synapse sends them, shortened for tests."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

BOT = "@bot:alpha.test"
ANNA = "@anna:alpha.test"
PEER = "@peer:beta.test"
ROOM = "!fxmbZ"
ASKED_AT = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
SENT_AT = 1_795_550_000_000
_numbers = itertools.count(1)


def event(
    kind: str, content: object, *, sender: str = ANNA, state_key: str | None = None, **more: object
) -> dict[str, Any]:
    raw: dict[str, Any] = {
        "type": kind,
        "content": content,
        "sender": sender,
        "event_id": f"$e{next(_numbers)}",
        "origin_server_ts": SENT_AT,
        **more,
    }
    return raw if state_key is None else {**raw, "state_key": state_key}


def line(
    body: object,
    *,
    sender: str = ANNA,
    msgtype: str = "m.text",
    fedbot: object = None,
    new: object = None,
    **content: object,
) -> dict[str, Any]:
    """A message; `fedbot` goes under `dev.fedbot`, `new` under `m.new_content`."""
    extra = {"dev.fedbot": fedbot, "m.new_content": new}
    words = {"msgtype": msgtype, "body": body, **content}
    return event(
        "m.room.message", words | {key: value for key, value in extra.items() if value is not None}, sender=sender
    )


def related(**relation: object) -> dict[str, Any]:
    return {"m.relates_to": {key.replace("m_", "m."): value for key, value in relation.items()}}


def member(
    user: str,
    membership: str,
    *,
    before: str | None = None,
    replaces: Mapping[str, Any] | None = None,
    sender: str = "",
    **content: object,
) -> dict[str, Any]:
    unsigned: dict[str, Any] = {"prev_content": {"membership": before}} if before else {}
    if replaces is not None:
        unsigned["replaces_state"] = replaces["event_id"]
    return event(
        "m.room.member",
        {"membership": membership, **content},
        sender=sender or user,
        state_key=user,
        unsigned=unsigned,
    )


def room_state(
    *, version: str = "12", creator: str = ANNA, power: Mapping[str, Any] | None = None, name: str = "Makers"
) -> tuple[dict[str, Any], ...]:
    """A private room with Anna and the bot in it."""
    levels = power if power is not None else {"events_default": 0, "state_default": 50, "users": {}}
    return (
        event("m.room.create", {"room_version": version}, sender=creator, state_key=""),
        member(creator, "join", displayname="Anna"),
        event("m.room.power_levels", dict(levels), sender=creator, state_key=""),
        event("m.room.name", {"name": name}, sender=creator, state_key=""),
        member(BOT, "join", before="invite", displayname="Bot"),
    )
