"""Our connections as our InvenTree tells them, signed by us: what a lost journal is begun anew from (DESIGN §6, 7)."""

from __future__ import annotations

import json
from datetime import date

from fedbot.federation import sharing
from fedbot.federation.documents import Connection, ConnectionState, Signature
from fedbot.federation.events import Answered
from fedbot.federation.questions import CompanyMirror, MirrorsFound
from fedbot.federation.state import Turn


def on_mirrors(turn: Turn, event: Answered) -> None:
    """The connections as we had signed them into the companies' metadata (a journal that is made anew)."""
    (found,) = event.answers
    if not isinstance(found, MirrorsFound):
        raise TypeError(f"a rebuild asks for what is mirrored, not {found!r}")
    for mirrored in found.companies:
        connection = _mirrored(turn, mirrored)
        if connection is not None and turn.connection(connection.id) is None:
            turn.save(connection)
            turn.note(connection.id, f"found in our InvenTree: {connection.state}")
            if connection.state is ConnectionState.ACTIVE:
                sharing.restore(turn, json.loads(mirrored.value).get("shares"))


def mirrored_requests(found: CompanyMirror) -> list[str]:
    """The ids of the requests that were open when this was mirrored."""
    requests = json.loads(found.value).get("requests", [])
    return [str(request["id"]) for request in requests if isinstance(request, dict) and "id" in request]


def _mirrored(turn: Turn, found: CompanyMirror) -> Connection | None:
    try:
        value = json.loads(found.value)
        state = ConnectionState(value["state"])
        if state is ConnectionState.READY:
            state = ConnectionState.MAKING  # its trial is made again
        return Connection(
            id=str(value["connection"]),
            code=turn.short_code(str(value["connection"])),
            peer=str(value["party"]),
            peer_name=found.name,
            peer_bot=str(value["bot"]),
            peer_key=str(value["key"]),
            former_keys=tuple(str(key) for key in value.get("former_keys", [])),
            room=str(value["room"]),
            generation=int(value["generation"]),
            state=state,
            asked=Signature("", "", turn.home.party, turn.now),
            ours=bool(value.get("ours", True)),
            access=str(value.get("access", "relayed")),
            due=turn.now + turn.home.request_open_for,
            company=found.company,
            user=value.get("user"),
            group=value.get("group"),
            token_name=str(value.get("token", "")),
            token_expiry=date.fromisoformat(value["token_expiry"]) if value.get("token_expiry") else None,
            peer_url=str(value.get("peer_url", "")),
            own_made=state is ConnectionState.ACTIVE,
            own_ready=state is ConnectionState.ACTIVE,
            peer_ready=state is ConnectionState.ACTIVE,
        )
    except (KeyError, TypeError, ValueError):
        turn.note("recovery", "what stands in a company's metadata can't be read", company=found.company)
        return None
