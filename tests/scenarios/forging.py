"""Protocol messages that a peer's bot signs with its own key, whatever its rules say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from fedbot.rules import wire
from fedbot.rules.protocol.bodies import Body
from fedbot.rules.wire import Identity
from tests.scenarios.space import Space
from tests.scenarios.world import World


def lie(monkeypatch: pytest.MonkeyPatch, kind: str, **fields: object) -> None:
    """Make bots write these fields into their messages of that kind, whatever their rules say."""
    honest = Body.to_json

    def written(body: Body) -> dict[str, Any]:
        return {**honest(body), **(fields if body.kind == kind else {})}

    monkeypatch.setattr(Body, "to_json", written)


def forge(
    world: World,
    liar: Space,
    to: str,
    subject: tuple[str, str],
    number: int,
    kind: str,
    body: dict[str, Any],
    terms_hash: str = "",
    *,
    key: Identity | None = None,
    at: datetime | None = None,
) -> None:
    """The liar signs and sends this message. `subject` is the envelope's subject field and id, of the liar's choice;
    `key` replaces its key, `at` the time of writing.
    """
    field, identifier = subject
    signer = key or liar.identity
    content: dict[str, Any] = {
        "v": wire.VERSION,
        "id": wire.envelope_id(liar.party, identifier, number),
        "kind": kind,
        "from": liar.party,
        "to": to,
        "room": world.room.id,
        field: identifier,
        "seq": number,
        "terms_hash": terms_hash,
        "body": {"seen": 0, "awaits": True, **body},
        "sent_at": wire.wire_time(at or world.clock.now()),
        "key": signer.key,
    }
    content["sig"] = signer.sign(wire.canonical(content))
    transaction = f"forged {len(world.server.log)}"
    sender, wrapped = liar.chat.user_id, {"dev.fedbot": content}
    world.server.send(sender, world.room.id, "dev.fedbot.envelope", wrapped, device="liar", transaction=transaction)
