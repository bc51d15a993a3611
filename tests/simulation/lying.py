"""A bot that lies: it has a valid key and a real friendship, and says anything, of any kind, at any time.

It repeats, changes, invents, reorders and mixes up protocol messages. It forges each field of each kind, seals any
content, forwards others' messages, floods, announces falsehoods, reacts to other people's cards and talks like a
person. Its real bot keeps running, so the lies are told in every state of a real transfer.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Any

from fedbot.ports.chat import ChatRefused
from fedbot.rules import wire
from fedbot.rules.budgets import MESSAGES
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.protocol import bodies
from fedbot.rules.protocol.terms import to_json
from fedbot.rules.wire import Identity
from tests.simulation.party import Party

if TYPE_CHECKING:
    from tests.simulation.federation import Federation


_TRANSFER_KINDS = frozenset(wire.SubjectKind) - {wire.SubjectKind.CONNECTION, wire.SubjectKind.WAIT}
KINDS = tuple(sorted(bodies.KINDS))
SAID = tuple(kind for kind in KINDS if kind != "announce")
FRAME = ("from", "to", "room", "seq", "terms_hash", "sent_at", "id", "key", "kind", "v", "subject", "sig")
"""The fields of an envelope around its body."""
FORGEABLE = tuple((kind, field) for kind in SAID for field in (*bodies.KINDS[kind].model_fields, *FRAME))
ANNOUNCED = ("id", "name", "key", "people", "access", "speaks", "at", "sig", "bot", "room", "parties")
"""The fields of an announcement, and the account and room for which it is signed."""
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
    "1E-1999999999",
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
TRUTHS = ("left", "out", "stays", "arrived", "back", "lost", "booked", "never", "come", "stands", "off")
ABOUT_CONNECTIONS = frozenset(
    kind for kind, (budget, _) in MESSAGES.items() if budget in {"about a connection", "connect"}
)
ABOUT_BOTH = frozenset({"declined", "cancelled", "noted", "ask", "seen"})
SHAPES: dict[str, dict[str, Any]] = {
    "sent": {"lines": [{"number": 1, "item": 9}], "failed": [{"number": 1, "reason": "x"}]},
    "received": {
        "items": [{"number": 1, "item": 9, "part": 3, "place": "Shelf", "serial": "7"}],
        "refused": [{"number": 1, "reason": "x"}],
    },
    "refused": {"refused": [{"number": 1, "reason": "x"}]},
    "closed": {"lines": [1]},
}
"""The values of a field whose name doesn't determine them."""
MOST_AT_ONCE = 6
FLOOD = 60


class Liar:
    """`forged` counts the forged fields as (kind, field); `told` the kinds of lies."""

    def __init__(self, federation: Federation) -> None:
        self._federation = federation
        self.forged: Counter[tuple[str, str]] = Counter()
        self.told: Counter[str] = Counter()

    def actions(self) -> dict[str, Callable[[int, int, int, int], Awaitable[None]]]:
        """A liar's actions by name. They do nothing in a history without a liar."""
        return {"lie": self.lies, "flood": self.floods, "strike": self.strikes}

    async def lies(self, *numbers: int) -> None:
        """Tell a few lies, selected by the numbers."""
        if (liar := self._federation.auditor.liar) is not None:
            random = Random(":".join(map(str, numbers)))
            for _ in range(random.randrange(1, MOST_AT_ONCE)):
                self.lie(liar, random)

    async def floods(self, *numbers: int) -> None:
        """Tell very many lies at once."""
        if (liar := self._federation.auditor.liar) is not None:
            random = Random(":".join(map(str, numbers)))
            only_opens = random.random() < 1 / 2
            for _ in range(random.randrange(FLOOD)):
                (self._opens_more if only_opens else self.lie)(liar, random)

    async def strikes(self, *numbers: int) -> None:
        """Change a subject that somebody is deciding on or waiting for, and let the bots read it."""
        liar = self._federation.auditor.liar
        random = Random(":".join(map(str, numbers)))
        strikes = random.randrange(1, 3) if liar is not None and self._undecided(liar) else 0
        while liar is not None and strikes and self._undecided(liar):
            strikes -= 1
            self._strikes(liar, random)
            if random.random() < 2 / 3:
                await self._federation.rests()

    def lie(self, liar: Party, random: Random) -> None:
        """Tell one lie of any kind."""
        often = [self._forges, self._changes, self._invents, self._crosses, self._repeats, self._reorders]
        often += [self._strikes] if self._undecided(liar) else []
        seldom = [self._passes_on, self._announces, self._taps, self._speaks, self._takes_back]
        weights = (5, 2, 3, 2, 1, 1, 4)[: len(often)]
        lie = random.choices((*often, *seldom), (*weights, 0.5, 0.5, 0.5, 0.5, 0.3))[0]
        self.told[lie.__name__] += 1
        lie(liar, random)

    # --- messages that were sent before -------------------------------------------------------------------

    def _said(self, liar: Party, *, by_liar: bool = True) -> list[dict[str, Any]]:
        """The protocol messages in the room, those of the liar or those of others."""
        bot = liar.chat.user_id
        events = self._federation.server.log[-300:]
        found = [e["content"]["dev.fedbot"] for e in events if (e["sender"] == bot) is by_liar and _holds_one(e)]
        return [each for each in found if _is_whole(each)]

    def _repeats(self, liar: Party, random: Random) -> None:
        """Repeat a message unchanged."""
        if said := self._said(liar):
            self._send(liar, random.choice(said))

    def _passes_on(self, liar: Party, random: Random) -> None:
        """Forward another bot's message, as it is or with the liar's signature."""
        if said := self._said(liar, by_liar=False):
            heard = copy.deepcopy(random.choice(said))
            if random.random() < 1 / 2:
                self._send(liar, heard)
            else:
                self._signs(liar, {**heard, "from": liar.id, "to": heard["from"]})

    def _changes(self, liar: Party, random: Random) -> None:
        """Change one of its own messages, mostly with the next sequence number."""
        if said := self._said(liar):
            lie = copy.deepcopy(random.choice(said))
            for _ in range(random.randrange(1, 3)):
                _change(lie["body"], random)
            self._in_turn(liar, lie, random)
            self._signs(liar, lie)

    def _crosses(self, liar: Party, random: Random) -> None:
        """Send a message about one subject as being about another."""
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

    def _reorders(self, liar: Party, random: Random) -> None:
        """Send several messages in reverse order."""
        if said := self._said(liar):
            lies = [copy.deepcopy(random.choice(said)) for _ in range(random.randrange(2, 5))]
            names = ("connection", "transfer", "to", "terms_hash", "room")
            about = {name: lies[0][name] for name in names if name in lies[0]}
            known = self._seen(lies[0])
            for ahead, lie in reversed(list(enumerate(lies, start=1))):
                rest = {name: value for name, value in lie.items() if name not in names}
                self._signs(liar, {**rest, **about, "seq": known + ahead})

    # --- invented messages --------------------------------------------------------------------------------

    def _subjects(self, liar: Party) -> list[Connection | Transfer]:
        """The subjects, mostly the liar's own, newest last."""
        parties = [liar, *self._federation.parties]
        known = [d for party in parties for d in party.documents.values() if isinstance(d, Connection | Transfer)]
        return known[-40:]

    def _invents(self, liar: Party, random: Random) -> None:
        """Send a message of any kind about anything."""
        subjects = self._subjects(liar)
        if not subjects:
            return
        subject = random.choice(subjects)
        kind = random.choice(SAID)
        lie = self._letter(liar, kind, subject, random)
        if isinstance(lie["body"].get("terms"), dict) and random.random() < 1 / 2:
            _change(lie["body"]["terms"], random)
        if random.random() < 1 / 4:
            _change(lie["body"], random)
        if kind in {"offer", "request", "connect"} and random.random() < 3 / 4:
            self._opens(liar, lie, subject, random)
        else:
            self._in_turn(liar, lie, random)
        self._signs(liar, lie, sealed=random.random() < 1 / 4 and random)

    def _forges(self, liar: Party, random: Random) -> None:
        """Send a message of any kind with one forged field."""
        self.forges(liar, random, *random.choice(FORGEABLE))

    def forges(self, liar: Party, random: Random, kind: str, field: str) -> None:
        """Send a message of that kind with that field forged."""
        subjects = self._fitting(liar, kind)
        if not subjects:
            return
        self.forged[kind, field] += 1
        subject = random.choice(subjects)
        lie = self._letter(liar, kind, subject, random, whole=True)
        lie["seq"] = self._seen(lie) + 1
        if kind in {"offer", "request", "connect"} and random.random() < 3 / 4:
            self._opens(liar, lie, subject, random)
        frame: dict[str, Any] = {}
        if field in FRAME:
            frame[field] = self._another(liar, field, random)
        elif isinstance(inner := lie["body"].get(field), dict | list) and inner and random.random() < 3 / 4:
            _change(inner, random)
        else:
            lie["body"][field] = self._plausible(field, random)
        self._signs(liar, lie, frame, sealed=field == "sealed" and random)

    def _fitting(self, liar: Party, kind: str) -> list[Connection | Transfer]:
        """The subjects between the liar and others that fit a message of that kind; the newest ones count double."""
        wanted: tuple[type[Connection | Transfer], ...] = (Connection,) if kind in ABOUT_CONNECTIONS else (Transfer,)
        wanted = (Connection, Transfer) if kind in ABOUT_BOTH else wanted
        mine = [s for s in self._subjects(liar) if isinstance(s, wanted) and self._is_liars(liar, s)]
        return mine + mine[-6:]

    def _is_liars(self, liar: Party, subject: Connection | Transfer) -> bool:
        return subject.peer == liar.id or liar.documents.get((type(subject).__name__, subject.id)) is not None

    def _another(self, liar: Party, field: str, random: Random) -> Any:  # noqa: ANN401 -- any JSON
        """A wrong value for a field outside the body."""
        others = [party for party in self._federation.parties if party is not liar]
        party = random.choice(others)
        now = wire.wire_time(liar.clock.now())
        day = 86_400_000
        wrong: dict[str, tuple[Any, ...]] = {
            "from": (party.id, "nobody"),
            "to": (party.id, liar.id, ""),
            "room": (*self._federation.server.rooms, "!elsewhere:x"),
            "seq": (0, 1, 2, 10**6, 2**53 - 1),
            "terms_hash": ("", "0" * 64, "f" * 64),
            "sent_at": (0, now - day, now - 400 * day, now + day, now + 400 * day, 253_402_300_799_000),
            "key": (party.identity.key, Identity(sha256(b"another").digest()).key),
            "kind": (*KINDS, "unheard-of"),
            "v": (0, 2, 10**9),
            "subject": (
                *(subject.id for subject in self._subjects(liar)),
                *(f"{wire.short_hash('x', kind)}-{kind}" for kind in wire.SubjectKind),
            ),
        }
        return random.choice((*wrong.get(field, ()), random.choice(HOSTILE)))

    def _plausible(self, field: str, random: Random) -> Any:  # noqa: ANN401 -- any JSON
        """A wrong value for a field of the body that might be right elsewhere."""
        likely = self._values(random, None)
        return copy.deepcopy(random.choice((likely.get(field, "x"), random.choice(HOSTILE))))

    def _letter(
        self, liar: Party, kind: str, subject: Connection | Transfer, random: Random, *, whole: bool = False
    ) -> dict[str, Any]:
        """A message of that kind with likely values; `whole`: with every field that its body can have."""
        likely = self._values(random, subject) | SHAPES.get(kind, {})
        fields = bodies.KINDS[kind].model_fields.items()
        said = [
            name
            for name, each in fields
            if each.is_required() or (name in likely and (random.random() < (0.8 if whole else 0.5)))
        ]
        body: dict[str, Any] = {name: copy.deepcopy(likely.get(name, "x")) for name in said}
        body |= {"awaits": random.random() < 1 / 2, "seen": random.choice((0, 1, 5, subject.exchange.seen))}
        if not whole and random.random() < 9 / 10:
            body.pop("past", None)
        body.pop("sealed", None)
        return {
            "kind": kind,
            "from": liar.id,
            "to": subject.peer if subject.peer != liar.id else self._counterpart(liar, subject, random),
            "room": subject.room if random.random() < 1 / 8 else self._federation.room,
            subject.subject_kind: subject.id,
            "seq": 1,
            "terms_hash": subject.terms_hash if isinstance(subject, Transfer) else "",
            "body": body,
        }

    def _counterpart(self, liar: Party, subject: Connection | Transfer, random: Random) -> str:
        """The other party that knows the subject."""
        key = (type(subject).__name__, subject.id)
        known = [party.id for party in self._federation.parties if party is not liar and key in party.documents]
        return random.choice(known or [party.id for party in self._federation.parties if party is not liar])

    def _values(self, random: Random, subject: Connection | Transfer | None) -> dict[str, Any]:
        """A plausible value for each field."""
        federation = self._federation
        person = random.choice([p.person(u) for p in federation.parties for u in p.people.all])
        now = federation.clock.now()
        taps = list(federation.auditor.taps)[-5:]
        words = ("", "later", "no-part", "too-many", "disconnected", "other-thing", "generation", "throttled")
        said = {"by": person, "by_name": "Anna", "event": random.choice((*taps, "")), "note": "x"}
        return {
            **said,
            "asker": person,
            "asker_name": "Anna",
            "name": random.choice((random.choice(federation.parties).us.name, "Betaspace")),
            "generation": random.choice((1, 2, 3, 1_000_000)),
            "access": random.choice(("relayed", "direct")),
            "asked_key": random.choice(federation.parties).identity.key,
            "commitment": "0" * 64,
            "nonce": "0" * 64,
            "past": "0" * 64,
            "days": random.choice((0, 1, 7, 10**6)),
            "search": "bolt",
            "problem": random.choice(words),
            "after": "",
            "last": "",
            "again": (now + timedelta(days=random.choice((-1, 1, 400)))).isoformat(),
            "in_room": True,
            "more": True,
            "at_once": random.random() < 1 / 2,
            "url": random.choice(federation.parties).url,
            "token": "made-up",
            "lines": [],
            "failed": [],
            "items": [],
            "refused": [],
            "reason": random.choice(words),
            "parcel": random.random() < 1 / 2,
            "damaged": random.random() < 1 / 2,
            "missing": said,
            "settled": {**said, "truth": random.choice(TRUTHS), "alone": random.random() < 1 / 2},
            "how": random.choice(("returned", "lost", "gifted", "gift", "kept")),
            "until": random.choice(("2026-01-01", "2027-06-01")),
            "due": (now + timedelta(days=random.choice((-1, 1, 7, 60, 400)))).isoformat(),
            "terms": to_json(subject.terms) if isinstance(subject, Transfer) else {},
            "opening": wire.opening_json(subject.opening)
            if isinstance(subject, Transfer) and subject.opening is not None
            else {},
        }

    def _opens(self, liar: Party, lie: dict[str, Any], subject: Connection | Transfer, random: Random) -> None:
        """Open a new subject under a valid id."""
        if lie["kind"] == "connect":
            self._asks_for_friendship(liar, lie, random)
            return
        terms = lie["body"].get("terms")
        if isinstance(terms, dict) and terms and random.random() < 3 / 4:
            self._turns_round(liar, lie, terms, random)
        kind = terms.get("kind") if isinstance(terms, dict) else None
        if kind not in _TRANSFER_KINDS:
            return
        cause = wire.by_line(f"$lie{random.randrange(10**9)}")
        opening = wire.Opening(liar.identity.key, subject.room, cause)
        lie.pop("connection", None)
        named = wire.Opening(opening.key, opening.room, wire.by_line("$another"))
        is_right = random.random() < 5 / 6
        lie["transfer"] = wire.opened_id(wire.SubjectKind(kind), opening if is_right else named)
        lie["body"]["opening"] = wire.opening_json(opening)
        try:
            lie["terms_hash"] = wire.terms_hash(terms)
        except wire.NotCanonical:
            lie["terms_hash"] = "0" * 64

    def _turns_round(self, liar: Party, lie: dict[str, Any], terms: dict[str, Any], random: Random) -> None:
        """Valid terms of a kind that these two parties can open; for a loan that exists or not."""
        offers = lie["kind"] == "offer"
        terms["kind"] = random.choice(
            ("push", "push", "return") if offers else ("request", "request", "return", "extension")
        )
        terms["sender"], terms["receiver"] = (liar.id, lie["to"]) if offers else (lie["to"], liar.id)
        loans = [t for t in self._subjects(liar) if isinstance(t, Transfer) and t.is_loan]
        if terms["kind"] in {"return", "extension"} and loans:
            loan = random.choice(loans)
            terms["parent"], terms["lines"] = loan.id, to_json(loan.terms)["lines"]
            for line in terms["lines"] if terms["kind"] == "return" else ():
                line["of_line"] = line["number"]
        else:
            terms.pop("parent", None)

    def _asks_for_friendship(self, liar: Party, lie: dict[str, Any], random: Random) -> None:
        """Ask for friendship in the next generation or another, with the liar's key or a newly announced one."""
        generation = lie["body"].get("generation")
        other = next((party for party in self._federation.parties if party.id == lie["to"]), None)
        if other is None or type(generation) is not int:
            return
        known = [c.generation for c in other.connections() if c.peer == liar.id]
        if random.random() < 3 / 4:
            generation = lie["body"]["generation"] = max(known, default=0) + 1
        lie.pop("transfer", None)
        lie["terms_hash"] = ""
        keys = (liar.identity.key, other.identity.key)
        lie["connection"] = wire.connection_id(*keys, self._federation.room, generation)
        lie["seq"] = 1

    def _opens_more(self, liar: Party, random: Random) -> None:
        """Open a copy of an existing subject as a new one."""
        subjects = [s for s in self._subjects(liar) if isinstance(s, Transfer) and s.terms.lines]
        if subjects:
            subject = random.choice(subjects)
            lie = self._letter(liar, random.choice(("offer", "request")), subject, random)
            lie["body"]["due"] = (liar.clock.now() + timedelta(days=7)).isoformat()
            self._opens(liar, lie, subject, random)
            self._signs(liar, lie)

    def _undecided(self, liar: Party) -> list[tuple[Party, Connection | Transfer]]:
        """The subjects that an honest party is deciding on and that involve the liar."""
        honest = [party for party in self._federation.parties if party is not liar]
        known = [(p, d) for p in honest for d in p.documents.values() if isinstance(d, Connection | Transfer)]
        known = [(p, d) for p, d in known if d.peer == liar.id]
        return [(p, d) for p, d in known if d.decision is not None or d.own_card or _is_asked_of_peer(d)][-4:]

    def _strikes(self, liar: Party, random: Random) -> None:
        """Change a subject while somebody decides on it: what is granted, offered or requested, or its name."""
        _, subject = random.choice(self._undecided(liar))
        if isinstance(subject, Connection):
            kinds: tuple[str, ...] = ("connect", "cancelled", "accepted", "reveal", "ready", "disconnecting")
        else:
            kinds = ("noted", "offer", "request", "sent", "extended", "cancelled", "done", "approve", "closed")
            if _is_asked_of_peer(subject):
                kinds = ("granted", "granted", "granted", "granted", "noted", "noted", "sent")
        lie = self._letter(liar, random.choice(kinds), subject, random)
        terms = lie["body"].get("terms")
        if terms and isinstance(subject, Transfer):
            for line in terms["lines"][:1]:
                _change_line(line, random)
            lie["terms_hash"] = wire.terms_hash(terms)
        lie["seq"] = self._seen(lie) + 1
        self._signs(liar, lie)

    # --- outside the protocol -----------------------------------------------------------------------------

    def _taps(self, liar: Party, random: Random) -> None:
        """The liar's bot reacts to somebody else's card."""
        cards = self._federation.auditor.cards
        if cards:
            event_id = random.choice(cards[-4:])[2]
            content = {
                "m.relates_to": {"rel_type": "m.annotation", "event_id": event_id, "key": random.choice("✅❌📦")}
            }
            self._sends(liar, "m.reaction", content)

    def _speaks(self, liar: Party, random: Random) -> None:
        """The liar's bot talks like a person, as the reply to a card, or in another bot's format."""
        subjects = self._subjects(liar)
        cards = self._federation.auditor.cards
        if not subjects or not cards:
            return
        code = random.choice(subjects).code
        text = random.choice(
            (
                f"!fed approve {code}",
                f"!fed cancel {code}",
                f"!fed as {self._federation.party(0).id} approve {code}",
                "yes",
            )
        )
        content: dict[str, Any] = {"msgtype": random.choice(("m.text", "m.notice")), "body": text}
        if random.random() < 1 / 2:
            content["m.relates_to"] = {"m.in_reply_to": {"event_id": random.choice(cards[-4:])[2]}}
        self._sends(liar, "m.room.message", content)

    def _takes_back(self, liar: Party, random: Random) -> None:
        """Redact a message of its own."""
        bot = liar.chat.user_id
        mine = [e for e in self._federation.server.log[-60:] if e["sender"] == bot and "state_key" not in e]
        mine = [event for event in mine if event["room_id"] == self._federation.room and event["content"]]
        if mine:
            try:
                self._federation.server.redact(bot, self._federation.room, random.choice(mine)["event_id"])
            except ChatRefused:
                return

    def _announces(self, liar: Party, random: Random) -> None:
        """Announce another party's name, id, key or people, signed or not, or its own announcement with one field
        changed.
        """
        if random.random() < 1 / 2:
            self.announces(liar, random, random.choice(ANNOUNCED))
            return
        other = random.choice(self._federation.parties)
        entry = self._entry(liar) | {
            "id": random.choice((liar.id, liar.id, other.id)),
            "name": random.choice((other.us.name, "@room", "x" * 100)),
            "key": random.choice((liar.identity.key, other.identity.key)),
            "people": sorted(other.us.people),
        }
        identity = liar.identity
        if random.random() < 1 / 4:  # it announces a new key of its own, which is true
            identity = Identity(sha256(b"another").digest())
            entry |= {"id": liar.id, "key": identity.key}
        content = {"v": 1, "parties": [entry]}
        if random.random() < 2 / 3:
            content = wire.sign_announcement(identity, liar.chat.user_id, self._federation.room, content)
        self._puts_up(liar, content)

    def announces(self, liar: Party, random: Random, field: str) -> None:
        """Announce itself with that field changed, before or after signing."""
        self.forged["announce", field] += 1
        other = random.choice([party for party in self._federation.parties if party is not liar])
        bot, room, entry = liar.chat.user_id, self._federation.room, self._entry(liar)
        wrong: dict[str, tuple[Any, ...]] = {
            "id": (other.id, "nobody", "A B"),
            "name": (other.us.name, "@room", "\u202eevil"),
            "key": (other.identity.key, Identity(sha256(b"another").digest()).key),
            "people": (sorted(other.us.people), [*entry["people"], *sorted(other.us.people)], ["x"] * 600),
            "access": ("direct", "all"),
            "speaks": ([1], [2, 1], [0, 10**9], [10**6, 10**6], ["1", "2"]),
            "at": (0, 1, entry["at"] - 86_400_000, entry["at"] + 400 * 86_400_000, 2**53 - 1),
            "sig": ("", "00", "0" * 128),
            "bot": (other.chat.user_id,),
            "room": ("!elsewhere:x",),
            "parties": ([], {}, "x", [entry] * 60, [None, [], "x"]),
        }
        forged = random.choice((*wrong[field], random.choice(HOSTILE)))
        is_signed = random.random() < 1 / 2
        if field in entry and is_signed:
            entry[field] = forged
        signed_for = {"bot": bot, "room": room} | ({field: str(forged)} if field in {"bot", "room"} else {})
        try:
            content = wire.sign_announcement(
                liar.identity, signed_for["bot"], signed_for["room"], {"v": 1, "parties": [entry]}
            )
        except wire.BadEnvelope:  # no JSON that can be signed
            return
        if field == "parties":
            content[field] = forged
        elif field == "sig" or (field in entry and not is_signed):
            content["parties"][0][field] = forged
        self._puts_up(liar, content)

    def _entry(self, liar: Party) -> dict[str, Any]:
        """The liar's honest announcement, not signed yet."""
        return {
            "id": liar.id,
            "name": liar.us.name,
            "key": liar.identity.key,
            "people": sorted(liar.us.people),
            "access": "relayed",
            "speaks": [wire.OLDEST_VERSION, wire.VERSION],
            "at": wire.wire_time(liar.clock.now()),
        }

    def _puts_up(self, liar: Party, content: dict[str, Any]) -> None:
        """Set it as the state of the liar's account in the room."""
        bot, room = liar.chat.user_id, self._federation.room
        try:
            self._federation.server.put_state(bot, room, "dev.fedbot.party", bot, content)
        except ChatRefused:
            return
        self._federation.tell(f"{liar.id}'s bot announces {str(content['parties'])[:60]}")

    # --- sending ------------------------------------------------------------------------------------------

    def _seen(self, lie: dict[str, Any]) -> int:
        """The number of the liar's last message about the subject that the other side has read."""
        identifier = lie.get("transfer") or lie.get("connection")
        mates = [p for p in self._federation.parties if p.id == lie["to"]]
        seen = [
            d.exchange.seen
            for p in mates
            for d in p.documents.values()
            if isinstance(d, Connection | Transfer) and d.id == identifier
        ]
        return seen[0] if seen else 0

    def _in_turn(self, liar: Party, lie: dict[str, Any], random: Random) -> None:
        """Give it the next sequence number, so it is read; sometimes a lower or higher one."""
        step = 1 if random.random() < 4 / 5 else random.choice((-1, 0, 2, 3, 10**6))
        lie["seq"] = max(self._seen(lie) + step, 0)

    def _signs(
        self, liar: Party, lie: dict[str, Any], frame: dict[str, Any] | None = None, *, sealed: Random | bool = False
    ) -> None:
        """Sign it properly with the changes in `frame`; `sealed`: with content sealed to its reader."""
        frame = frame or {}
        identifier = str(lie.get("transfer") or lie.get("connection") or "")
        unsigned = {name: value for name, value in lie.items() if name not in {"sig", "key", "v"}}
        if isinstance(sealed, Random):
            self._seals(liar, unsigned, identifier, sealed)
        unsigned["sent_at"] = wire.wire_time(liar.clock.now())
        signed = {**unsigned, "v": wire.VERSION, "key": liar.identity.key}
        for name, value in frame.items():
            if name == "subject":
                field = "connection" if "connection" in signed else "transfer"
                signed[field] = value
            elif name != "sig":
                signed[name] = value
        another = Identity(sha256(b"another").digest())
        identity = another if frame.get("key") == another.key else liar.identity
        try:
            signed["id"] = frame.get("id", wire.envelope_id(liar.id, identifier, lie["seq"]))
            signed["sig"] = frame["sig"] if "sig" in frame else identity.sign(wire.canonical(signed))
        except wire.NotCanonical:
            return  # homeservers refuse it as bots do
        self._send(liar, signed)

    def _seals(self, liar: Party, lie: dict[str, Any], identifier: str, random: Random) -> None:
        """Seal any content for its reader: made up, hostile, or deeply nested."""
        reader = next((party for party in self._federation.parties if party.id == lie["to"]), None)
        if reader is None:
            return
        inner: dict[str, Any] = {
            "metadata": {"1": random.choice(HOSTILE)},
            "search": random.choice(HOSTILE),
            "hits": [random.choice(HOSTILE)],
            "figures": random.choice(HOSTILE),
            "books": [{"transfer": random.choice(HOSTILE), "lines": random.choice(HOSTILE)}],
        }
        _change(inner, random)
        binding = f"{liar.id}>{reader.id}:{identifier}:{lie['seq']}"
        try:
            lie["body"] = {**lie["body"], "sealed": wire.seal(reader.identity.key, inner, bound_to=binding)}
        except wire.NotCanonical:
            return

    def _send(self, liar: Party, lie: dict[str, Any]) -> None:
        """Send it into the room as its own bot."""
        if self._sends(liar, "dev.fedbot.envelope", {"dev.fedbot": lie}):
            about = str(lie.get("transfer") or lie.get("connection") or "")
            told = f"{lie['kind']} {lie['seq']} about {about[:4]}"
            self._federation.tell(f"{liar.id}'s bot lies to {lie['to']}: {told}"[:120])

    def _sends(self, liar: Party, kind: str, content: dict[str, Any]) -> bool:
        server, room = self._federation.server, self._federation.room
        try:
            server.send(liar.chat.user_id, room, kind, content, device="liar", transaction=f"lie {len(server.log)}")
        except ChatRefused:
            return False
        return True


def _holds_one(event: dict[str, Any]) -> bool:
    return "state_key" not in event and isinstance(event["content"].get("dev.fedbot"), dict)


def _is_whole(lie: dict[str, Any]) -> bool:
    """Whether its frame is valid enough to be changed further."""
    kinds = {"kind": str, "seq": int, "body": dict, "to": str}
    return all(isinstance(lie.get(name), kind) for name, kind in kinds.items()) and lie["kind"] in SAID


def _is_asked_of_peer(subject: Connection | Transfer) -> bool:
    """Whether the peer owns the requested items, and may grant less."""
    if not isinstance(subject, Transfer) or subject.terms.kind != "request":
        return False
    return subject.role == "receiver" and subject.state is TransferState.OPEN


def _change_line(line: dict[str, Any], random: Random) -> None:
    """Change an important field of a line of terms to another valid value."""
    field = random.choice(("quantity", "quantity", "part", "item", "serial", "batch", "status", "name", "place"))
    if field == "name":
        line["description"]["name"] = random.choice(("M3-BOLT", "Gold", "Lens"))
    elif field in {"part", "item"}:
        line[field] = random.randrange(1, 60)
    elif field == "status":
        line["status"], line["status_text"] = random.choice(((10, "OK"), (50, "Attention"), (55, "Damaged")))
    else:
        line[field] = random.choice(("1", "2", "50"))


def _change(value: Any, random: Random) -> None:  # noqa: ANN401 -- any JSON
    """Change something in it, at any depth."""
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
