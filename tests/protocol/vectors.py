"""Creates and stores the vectors: a signed message of each kind, and what is read from it. Keys and times are fixed."""

from __future__ import annotations

import copy
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from fedbot.rules import wire as envelopes
from fedbot.rules.model.lending import LoanRules
from fedbot.rules.model.stock import PartDescription
from fedbot.rules.model.transfer import Line, Terms
from fedbot.rules.protocol import bodies
from fedbot.rules.protocol.terms import hash_of, to_json
from fedbot.rules.wire import CauseKind, Envelope, Identity, Opening, SubjectKind, check, sign
from tests.protocol.samples import HEX, SAMPLES

FOLDER = Path(__file__).parent / "vectors"
SENDER, READER = Identity(b"sender of the protocol's vectors"), Identity(b"reader of the protocol's vectors")
AT = datetime(2026, 11, 24, 20, 14, tzinfo=UTC)
ROOM = "!makers:attraktor.example"
TERMS = Terms(
    kind="push",
    sender="attraktor",
    receiver="betaspace",
    lines=(
        Line(
            number=1,
            item=42,
            part=7,
            description=PartDescription("Bolt M3", ipn="M3-BOLT", units="m", revision="B"),
            quantity=Decimal("2.5"),
            batch="2026-11",
            packaging="roll",
            expiry=date(2028, 1, 31),
            status=50,
            status_text="Attention needed",
            place="Workshop/Shelf 3",
            whole=True,
        ),
    ),
    asker="@anna:attraktor.example",
    asker_name="Anna",
    note="with washers",
    loan_until=date(2027, 1, 31),
    parcel=True,
    time_zone="Europe/Berlin",
    rules=LoanRules(longest=80, extensions=1, agree=("laser safety briefing needed",), photo_back=True),
)
OPENING = Opening(SENDER.key, ROOM, envelopes.Cause(CauseKind.LINE, "$line"))
WITH_TERMS = frozenset({"offer", "request", "granted", "noted"})
OPENS = {"offer": SubjectKind.PUSH, "request": SubjectKind.REQUEST}
UNNUMBERED = frozenset({"announce", "ask", "seen"})
OF_CONNECTION = frozenset(
    {"connect", "reveal", "check", "accepted", "credentials", "ready", "renewed", "disconnecting"}
    | {"stats-ask", "stats", "find-ask", "find", "want", "wait", "place", "books-ask", "books"}
)


def path_of(kind: str) -> Path:
    """The path of that kind's vector."""
    return FOLDER / f"{kind}.json"


def kept(kind: str) -> dict[str, Any]:
    """The vector: `message` as on the wire, `read` the content of its body."""
    vector: dict[str, Any] = json.loads(path_of(kind).read_text(encoding="utf-8"))
    return vector


def write(kind: str) -> None:
    """Record that kind as it is written today."""
    message = signed(kind, body_of(kind))
    vector = {"message": message, "read": read(check(message))}
    path_of(kind).write_text(json.dumps(vector, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def body_of(kind: str) -> dict[str, Any]:
    """The sample's body, with terms and opening where the kind has them."""
    body = {"seen": 3, "past": HEX, "awaits": True, **copy.deepcopy(SAMPLES[kind])}
    if kind in WITH_TERMS:
        body["terms"] = to_json(TERMS)
    if kind in OPENS:
        body["opening"] = envelopes.opening_json(OPENING)
    return body


def signed(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """A message of that kind with that body, signed."""
    subject: dict[str, str] = {}
    if kind in OF_CONNECTION:
        subject = {"connection": envelopes.connection_id(SENDER.key, READER.key, ROOM, 1)}
    elif kind != "announce":
        subject = {"transfer": envelopes.opened_id(OPENS.get(kind, SubjectKind.PUSH), OPENING)}
    to, number = "" if kind == "announce" else "betaspace", 0 if kind in UNNUMBERED else 4
    unsigned = {"id": "k7m2k7m2", "kind": kind, "from": "attraktor", "to": to, "room": ROOM, "seq": number}
    return sign(
        SENDER,
        {**unsigned, **subject, "terms_hash": hash_of(TERMS) if "terms" in body else "", "body": body, "sent_at": AT},
    )


def read(envelope: Envelope) -> dict[str, Any]:
    """The content of the message's body as JSON."""
    said: dict[str, Any] = to_jsonable_python(bodies.parse(envelope).body.model_dump())
    return said
