"""A small world for the verbs: attraktor, whose bot we are, with betaspace and gammaspace in one room."""
# ruff: noqa: ANN401 -- `changes` are any fields that a test needs

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from fedbot.commands.registry import Registry
from fedbot.rules.archive import Document
from fedbot.rules.model.command import Command, Cooldown
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.effects import Effect, Phrase, Post
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.queries import Answer, ItemsFound
from fedbot.rules.model.room import AnnouncedParty, Announcement, Room
from fedbot.rules.model.stock import Part, PartDescription, Permissions, StockItem
from fedbot.rules.model.transfer import Line, Terms, Transfer
from fedbot.rules.protocol.terms import hash_of
from fedbot.rules.state import State, Turn
from fedbot.rules.wire import Opening, SubjectKind, by_line, connection_id, opened_id
from tests.fakes.archive import RememberedArchive

NOW = datetime(2026, 11, 24, 20, 14, tzinfo=UTC)
ROOM = "!shared:example.org"
OTHER_ROOM = "!other:example.org"
ADMIN_ROOM = "!admin:example.org"
ANNA, PIET, KIM = "@anna:example.org", "@piet:example.org", "@kim:example.org"
BEA = "@bea:example.org"
BOT, BETA_BOT, GAMMA_BOT = "@fed-alpha:example.org", "@fed-beta:example.org", "@fed-gamma:example.org"
KEYS = {"attraktor": "aa" * 32, "betaspace": "bb" * 32, "gammaspace": "cc" * 32}
HOME = PartyConfig(
    party="attraktor",
    name="Attraktor",
    bot=BOT,
    key=KEYS["attraktor"],
    people={ANNA: "anna", PIET: "piet", KIM: "kim"},
    rooms=(ROOM, OTHER_ROOM),
    admin_room=ADMIN_ROOM,
)
SUPERUSER = Permissions("anna", known=True, active=True, superuser=True)
APPROVER = Permissions("piet", known=True, active=True, approver=True)
PLAIN = Permissions("kim", known=True, active=True)
BOLT = Part(7, "Bolt M3x10", ipn="M3-BOLT", description="steel")


BOTS = (BETA_BOT, GAMMA_BOT, "@pretender:example.org")


def announcement(party: str, bot: str, name: str, room: str = ROOM) -> Announcement:
    return Announcement(room, bot, (AnnouncedParty(party, name, KEYS.get(party, "dd" * 32)),))


def connected(state: ConnectionState = ConnectionState.ACTIVE, **changes: Any) -> Connection:
    """Our connection with betaspace, requested by Anna."""
    identifier = connection_id(KEYS["attraktor"], KEYS["betaspace"], ROOM, 1)
    connection = Connection(
        id=identifier,
        code=identifier[:4],
        peer="betaspace",
        peer_name="Beta Space",
        peer_bot=BETA_BOT,
        peer_key=KEYS["betaspace"],
        room=ROOM,
        generation=1,
        state=state,
        asked=Signature(ANNA, "Anna", "attraktor", NOW),
        ours=True,
        access="relayed",
        due=NOW + timedelta(days=7),
        company=5 if state is ConnectionState.ACTIVE else None,
    )
    return replace(connection, **changes)


def offered_to_us(**changes: Any) -> Connection:
    """Betaspace's request to connect."""
    changes = {"ours": False, "asked": Signature(BEA, "Bea", "betaspace", NOW), **changes}
    return connected(ConnectionState.OFFERED, **changes)


def item(pk: int = 42, quantity: str = "120", part: Part = BOLT, **changes: Any) -> StockItem:
    return replace(StockItem(pk, part, Decimal(quantity), place=f"drawer {pk}"), **changes)


def found(*items: StockItem, parts: tuple[Part, ...] = (), tainted: tuple[tuple[int, str], ...] = ()) -> ItemsFound:
    return ItemsFound(items, parts, tainted)


def pushed(event: str = "$earlier", quantity: str = "100", pk: int = 42, **changes: Any) -> Transfer:
    """Our push to betaspace, by Anna."""
    line = Line(1, pk, BOLT.pk, PartDescription(BOLT.name), Decimal(quantity))
    terms = Terms("push", "attraktor", "betaspace", (line,), ANNA, "Anna")
    return _transfer("sender", terms, event, **changes)


def pushed_to_us(event: str = "$theirs", **changes: Any) -> Transfer:
    """A push of betaspace's to us, by Bea."""
    line = Line(1, 9, 3, PartDescription("Lens"), Decimal(1))
    terms = Terms("push", "betaspace", "attraktor", (line,), BEA, "Bea")
    return _transfer("receiver", terms, event, **changes)


def _transfer(role: str, terms: Terms, event: str, **changes: Any) -> Transfer:
    opening = Opening(KEYS[terms.sender if role == "sender" else "betaspace"], ROOM, by_line(event))
    identifier = opened_id(SubjectKind(terms.kind), opening)
    transfer = Transfer(
        id=identifier,
        code=identifier[:4],
        role=role,
        peer="betaspace",
        connection=connected().id,
        room=ROOM,
        terms=terms,
        terms_hash=hash_of(terms),
        state=TransferState.OPEN,
        asked=Signature(terms.asker, terms.asker_name, terms.sender, NOW),
        due=NOW + timedelta(days=7),
    )
    return replace(transfer, **changes)


class World:
    """One turn over these documents, to which lines are given."""

    def __init__(self, *documents: Document, us: PartyConfig = HOME) -> None:
        self.archive = RememberedArchive()
        self.state = State(
            us, lambda _sealed, _bound: {}, lambda purpose: sha256(purpose.encode()).hexdigest(), self.archive
        )
        self.verbs = Registry()
        members = {ANNA: "Anna", PIET: "Piet", KIM: "Kim", BEA: "Bea"} | dict.fromkeys(BOTS, "")
        before = Turn(self.state, NOW)
        before.save(Room(ROOM, "Makerspaces", members=members))
        before.save(Room(ADMIN_ROOM, "Attraktor's admins", members=members))
        before.save(announcement("betaspace", BETA_BOT, "Beta Space"))
        before.save(announcement("gammaspace", GAMMA_BOT, "gammaspace"))
        for person in us.people:  # our people have written before
            before.save(Cooldown(f"met:{person}", NOW + timedelta(days=3650)))
        for document in documents:
            before.save(document)
        self.archive.commits(self.state, before)
        self.turn = Turn(self.state, NOW)

    def command(self, text: str, sender: str = ANNA, room: str = ROOM, subject: str = "") -> Command:
        """The parsed line."""
        parsed = self.verbs.parse(self.turn, text)
        assert not isinstance(parsed, Phrase), parsed
        verb, arguments = parsed
        username = self.state.us.people.get(sender, "")
        return Command(verb, arguments, room, "$line", sender, NOW, text, username, subject)

    def asks(self, text: str, sender: str = ANNA, room: str = ROOM, subject: str = "") -> Any:
        """The verb's first queries, or its answer."""
        return self.verbs.ask(self.turn, self.command(text, sender, room, subject))

    def says(self, text: str, *answers: Answer, sender: str = ANNA, room: str = ROOM, subject: str = "") -> Phrase:
        """The answer to a line that needs no query."""
        outcome = self.does(text, *answers, sender=sender, room=room, subject=subject)
        assert isinstance(outcome, Phrase), self.effects
        return outcome

    def does(
        self, text: str, *answers: Answer, sender: str = ANNA, room: str = ROOM, subject: str = ""
    ) -> Phrase | None:
        """Query, give these answers, act."""
        command = self.command(text, sender, room, subject)
        asked = self.verbs.ask(self.turn, command)
        if isinstance(asked, Phrase):
            assert not answers, asked
            return asked
        assert len(asked) == len(answers), asked
        return self.verbs.act(self.turn, command, answers)

    @property
    def effects(self) -> list[Effect]:
        return self.turn.effects

    @property
    def posts(self) -> list[Post]:
        return [effect for effect in self.effects if isinstance(effect, Post)]

    def transfer(self, transfer: Transfer) -> Transfer:
        known = self.turn.transfer(transfer.id)
        assert known is not None
        return known

    def connection(self, connection: Connection) -> Connection:
        known = self.turn.connection(connection.id)
        assert known is not None
        return known
