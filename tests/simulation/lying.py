"""A bot that lies: it has a valid key and a real friendship, and says anything, of any kind, at any time.

It repeats, changes, invents, reorders and crosses protocol messages, passes on those of others, and announces what
isn't so. Beside that its own bot goes on as it is, so that the lies are told in every state of something real.
"""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from fedbot.ports.chat import ChatRefused
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.protocol import bodies
from fedbot.rules.protocol.terms import written
from fedbot.rules.wire import envelope, subject_ids
from tests.simulation.party import Party

if TYPE_CHECKING:
    from tests.simulation.federation import Federation


KINDS = tuple(sorted(bodies.KINDS))
HOSTILE: tuple[Any, ...] = (
    "",
    "x" * 5000,
    "\x00",
    "http://[::1\x00]/",
    "https://127.0.0.1:1/",
    "\u202eevil",
    "@room",
    "9" * 400,
    "NaN",
    "1e999",
    "-1",
    -1,
    2**53 - 1,
    0,
    True,
    None,
    [],
    [[[[]]]],
    {},
    {"kind": "push"},
    "0001-01-01T00:00:00+00:00",
    "9999-12-31T23:59:59+14:00",
)
MOST_AT_ONCE = 6


def actions(federation: Federation) -> dict[str, Callable[[int, int, int, int], Awaitable[None]]]:
    """What a liar does, by the names of actions. Nothing, where nobody lies."""
    return {"lie": _Liar(federation).lies}


class _Liar:
    def __init__(self, federation: Federation) -> None:
        self._federation = federation

    async def lies(self, *numbers: int) -> None:
        """A few lies at once: the numbers say which."""
        liar = self._federation.auditor.liar
        if liar is None:
            return
        random = Random(":".join(map(str, numbers)))
        for _ in range(random.randrange(1, MOST_AT_ONCE)):
            lie = random.choice(
                (self._repeats, self._changes, self._changes, self._invents, self._invents, self._crosses)
            )
            if random.random() < 1 / 12:
                lie = random.choice((self._passes_on, self._announces))
            lie(liar, random)

    # --- what was said before -----------------------------------------------------------------------------

    def _said(self, liar: Party, *, by_liar: bool = True) -> list[dict[str, Any]]:
        """The protocol messages that stand in the room, of the liar or of the others."""
        bot = liar.chat.user_id
        events = self._federation.server.log[-300:]
        found = [e["content"]["dev.fedbot"] for e in events if (e["sender"] == bot) is by_liar and _holds_one(e)]
        return [each for each in found if each["kind"] != "announce"]

    def _repeats(self, liar: Party, random: Random) -> None:
        """Word by word."""
        if said := self._said(liar):
            self._send(liar, random.choice(said))

    def _passes_on(self, liar: Party, random: Random) -> None:
        """What another bot has signed, as its own, or signed anew."""
        if said := self._said(liar, by_liar=False):
            heard = copy.deepcopy(random.choice(said))
            if random.random() < 1 / 2:
                self._send(liar, heard)
            else:
                self._signs(liar, {**heard, "from": liar.id, "to": heard["from"]})

    def _changes(self, liar: Party, random: Random) -> None:
        """One of its own with something of it changed, mostly as the next one in turn."""
        if said := self._said(liar):
            lie = copy.deepcopy(random.choice(said))
            for _ in range(random.randrange(1, 3)):
                _change(lie["body"], random)
            self._in_turn(liar, lie, random)
            self._signs(liar, lie)

    def _crosses(self, liar: Party, random: Random) -> None:
        """What was said of one thing, of another."""
        subjects = self._subjects(liar)
        if (said := self._said(liar)) and subjects:
            lie = copy.deepcopy(random.choice(said))
            subject = random.choice(subjects)
            lie.pop("connection", None)
            lie.pop("transfer", None)
            field = subject.subject_kind if random.random() < 9 / 10 else random.choice(("connection", "transfer"))
            lie[field] = subject.id
            lie["to"] = subject.peer if subject.peer != liar.id else lie["to"]
            self._in_turn(liar, lie, random)
            self._signs(liar, lie)

    # --- what was never said ------------------------------------------------------------------------------

    def _subjects(self, liar: Party) -> list[Connection | Transfer]:
        """What there is, mostly what the liar has to do with, newest last."""
        parties = [liar, *self._federation.parties]
        known = [d for party in parties for d in party.documents.values() if isinstance(d, Connection | Transfer)]
        return known[-40:]

    def _invents(self, liar: Party, random: Random) -> None:
        """A message of any kind about anything."""
        subjects = self._subjects(liar)
        if not subjects:
            return
        subject = random.choice(subjects)
        kind = random.choice(KINDS)
        lie = {
            "kind": kind,
            "from": liar.id,
            "to": subject.peer if subject.peer != liar.id else random.choice(self._federation.parties).id,
            "room": subject.room if random.random() < 1 / 8 else self._federation.room,
            subject.subject_kind: subject.id,
            "seq": 1,
            "terms_hash": subject.terms_hash if isinstance(subject, Transfer) else "",
            "body": self._body(liar, kind, subject, random),
        }
        if kind in {"offer", "request"} and random.random() < 3 / 4:
            self._opens(liar, lie, subject, random)
        else:
            self._in_turn(liar, lie, random)
        self._signs(liar, lie)

    def _body(self, liar: Party, kind: str, subject: Connection | Transfer, random: Random) -> dict[str, Any]:
        person = random.choice([p.person(u) for p in self._federation.parties for u in p.people.all])
        likely: dict[str, Any] = {
            "by": person,
            "by_name": "Anna",
            "asker": person,
            "asker_name": "Anna",
            "name": random.choice(self._federation.parties).home.name,
            "generation": random.choice((1, 2, 3)),
            "access": random.choice(("relayed", "direct")),
            "commitment": "0" * 64,
            "nonce": "0" * 64,
            "parties": [],
            "days": random.choice((1, 7, 10**6)),
            "search": "bolt",
            "problem": random.choice(("", "later")),
            "after": "",
            "last": "",
            "url": liar.url,
            "token": "made-up",
            "lines": [],
            "failed": [],
            "items": [],
            "refused": [],
            "reason": "x",
            "how": random.choice(("returned", "lost", "gifted")),
            "until": "2027-06-01",
            "due": (liar.clock.now() + timedelta(days=random.choice((-1, 1, 7, 60, 400)))).isoformat(),
            "terms": written(subject.terms) if isinstance(subject, Transfer) else {},
            "opening": {},
        }
        fields = bodies.KINDS[kind].model_fields.items()
        said = [name for name, field in fields if field.is_required() or (name in likely and random.random() < 1 / 2)]
        body: dict[str, Any] = {name: likely.get(name, "x") for name in said}
        body |= {"awaits": random.random() < 1 / 2, "seen": random.choice((0, 1, 5, subject.exchange.seen))}
        if isinstance(body.get("terms"), dict) and body["terms"] and random.random() < 1 / 2:
            _change(body["terms"], random)
        if random.random() < 1 / 4:
            _change(body, random)
        return body

    def _opens(self, liar: Party, lie: dict[str, Any], subject: Connection | Transfer, random: Random) -> None:
        """Something new, under an id that is rightly made."""
        terms = lie["body"].get("terms")
        kind = terms.get("kind") if isinstance(terms, dict) else None
        if kind not in subject_ids.TRANSFER_KINDS:
            return
        cause = subject_ids.by_line(f"$lie{random.randrange(10**9)}")
        opening = subject_ids.Opening(liar.identity.key, subject.room, cause)
        lie.pop("connection", None)
        lie["transfer"] = subject_ids.opened_id(subject_ids.SubjectKind(kind), opening)
        lie["body"]["opening"] = subject_ids.written(opening)
        try:
            lie["terms_hash"] = envelope.terms_hash(terms)
        except envelope.NotCanonical:
            lie["terms_hash"] = "0" * 64

    def _announces(self, liar: Party, random: Random) -> None:
        """A party of another's name, id, key or people, signed or not."""
        other = random.choice(self._federation.parties)
        entry: dict[str, Any] = {
            "id": random.choice((liar.id, liar.id, other.id)),
            "name": random.choice((other.home.name, "@room", "x" * 100)),
            "key": random.choice((liar.identity.key, other.identity.key)),
            "people": sorted(other.home.people),
            "access": "relayed",
            "at": envelope.wire_time(liar.clock.now()),
        }
        content = {"v": 1, "parties": [entry]}
        if random.random() < 2 / 3:
            content = envelope.sign_announcement(liar.identity, liar.chat.user_id, self._federation.room, content)
        try:
            self._federation.server.put_state(
                liar.chat.user_id, self._federation.room, "dev.fedbot.party", liar.chat.user_id, content
            )
        except ChatRefused:
            return
        self._federation.tell(f"{liar.id}'s bot announces {entry['id']} as {entry['name'][:20]}")

    # --- sending ------------------------------------------------------------------------------------------

    def _in_turn(self, liar: Party, lie: dict[str, Any], random: Random) -> None:
        """Numbered as the next, so that it is read; sometimes too low or too high."""
        identifier = lie.get("transfer") or lie.get("connection")
        mates = [p for p in self._federation.parties if p.id == lie["to"]]
        seen = [
            d.exchange.seen
            for p in mates
            for d in p.documents.values()
            if isinstance(d, Connection | Transfer) and d.id == identifier
        ]
        step = 1 if random.random() < 4 / 5 else random.choice((-1, 0, 2, 3, 10**6))
        lie["seq"] = max((seen[0] if seen else 0) + step, 0)

    def _signs(self, liar: Party, lie: dict[str, Any]) -> None:
        identifier = str(lie.get("transfer") or lie.get("connection") or "")
        unsigned = {name: value for name, value in lie.items() if name not in {"sig", "key", "v"}}
        unsigned["id"] = envelope.envelope_id(liar.id, identifier, lie["seq"])
        unsigned["sent_at"] = envelope.wire_time(liar.clock.now())
        try:
            signed = {**unsigned, "v": envelope.VERSION, "key": liar.identity.key}
            signed["sig"] = liar.identity.sign(envelope.canonical(signed))
        except envelope.NotCanonical:
            return  # a homeserver takes it no more than a bot does
        self._send(liar, signed)

    def _send(self, liar: Party, lie: dict[str, Any]) -> None:
        """Into the room, as its own bot."""
        server, room = self._federation.server, self._federation.room
        try:
            server.send(
                liar.chat.user_id,
                room,
                "dev.fedbot.envelope",
                {"dev.fedbot": lie},
                device="liar",
                transaction=f"lie {len(server.log)}",
            )
        except ChatRefused:
            return
        about = str(lie.get("transfer") or lie.get("connection") or "")
        self._federation.tell(f"{liar.id}'s bot lies to {lie['to']}: {lie['kind']} {lie['seq']} about {about[:4]}")


def _holds_one(event: dict[str, Any]) -> bool:
    return "state_key" not in event and isinstance(event["content"].get("dev.fedbot"), dict)


def _change(value: Any, random: Random) -> None:  # noqa: ANN401 -- any JSON
    """Something somewhere in it."""
    while isinstance(value, dict | list) and value:
        key = random.choice(sorted(value)) if isinstance(value, dict) else random.randrange(len(value))
        inner = value[key]
        if isinstance(inner, dict | list) and inner and random.random() < 4 / 5:
            value = inner
            continue
        if key == "quantity" and random.random() < 2 / 3:
            value[key] = random.choice(("1", "2", "3", "50"))
        else:
            value[key] = copy.deepcopy(random.choice(HOSTILE))
        return
