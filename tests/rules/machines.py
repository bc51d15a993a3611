"""Two sides that consist only of rules: their states, and their open queries and steps. No I/O.

Each event, document and effect passes through its journal text, so a side can stop and continue from that text at any
time. Each step of the rules is checked against what must hold for every step.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, TypeVar

from fedbot.commands.registry import Registry
from fedbot.journal import codec
from fedbot.rules.archive import Document
from fedbot.rules.dispatch import decide
from fedbot.rules.loan.hand_back import RETURNS_PARTS
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.diagnosis import Fault, Plain, Speaker, Verbatim
from fedbot.rules.model.effects import Ask, Do, Edit, Post, SendEnvelope
from fedbot.rules.model.events import (
    Answered,
    Echoed,
    EnvelopeSeen,
    Event,
    Posted,
    StepDone,
    StepRefused,
    StepUnknown,
)
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.queries import (
    Able,
    Answer,
    AuditOf,
    AuditTrail,
    FindItems,
    InventoryStanding,
    ItemsFound,
    MatchPart,
    Overview,
    PartMatch,
    PersonPermissions,
    Query,
    WhoMay,
)
from fedbot.rules.model.room import AnnouncedParty, Announcement, Room
from fedbot.rules.model.steps import (
    AccessEnded,
    AccessMade,
    Arrived,
    CloseCompany,
    CompanyMade,
    CreateItem,
    EndAccess,
    HandedOver,
    HandOver,
    ItemCreated,
    Label,
    Labelled,
    MakeAccess,
    MakeCompany,
    MergeBack,
    MergedBack,
    MintToken,
    Mirror,
    Mirrored,
    PlacedAt,
    PutAway,
    PutBack,
    Step,
    StepResult,
    TakeBack,
    Taken,
    TakeOut,
    TokenMinted,
    TokenTried,
    TryToken,
)
from fedbot.rules.model.stock import Part, Permissions, StockItem
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.protocol.sequencing import bound_to
from fedbot.rules.state import State, Turn
from fedbot.rules.wire import Draft, Identity, envelope_id, seal, sign, unseal, wire_time
from tests.fakes.archive import RememberedArchive

START = datetime(2026, 11, 24, 20, 14, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ROOM = "!room"
VERBS = Registry()
BOLT = Part(3, "M3 bolt", "M3-BOLT")
STOCK = StockItem(42, BOLT, Decimal(100), location=1, place="Drawer")

OF_NOW = {"seen", "past"}  # the fields of a message that describe our reading at the time of sending
MOVES = (TakeOut, HandOver, CreateItem, PutAway, Arrived, TakeBack, PutBack, MergeBack)
E = TypeVar("E")
T = TransferState
C = ConnectionState
# By the side's role. Two rules within one event make one arrow.
BEFORE_MOVING = {T.DECLINED, T.CANCELLED, T.EXPIRED, T.ABORTED}
ARROWS: dict[str, dict[object, set[Any]]] = {
    "sender": {
        None: {T.OPEN, T.APPROVED},  # approved at once: a return that the owner asks for, as in their own lines
        T.OPEN: {T.APPROVED, *BEFORE_MOVING},
        T.APPROVED: {T.DEBITING, T.CANCELLED, T.ABORTED},
        T.DEBITING: {T.SENT, T.ABORTED, T.DISPUTED},
        T.SENT: {T.RECEIVED, T.REVERTING, T.DISPUTED},
        T.RECEIVED: {T.DONE},
        T.REVERTING: {T.REVERTED, T.DISPUTED},
    },
    "receiver": {
        None: {T.OPEN},
        T.OPEN: {T.CREDITING, T.DISPUTED, *BEFORE_MOVING},
        T.CREDITING: {T.RECEIVED, T.REFUSED, T.DISPUTED},
        T.RECEIVED: {T.DONE},
        T.REFUSED: {T.REVERTED},
    },
    "friend": {
        None: {C.ASKED, C.OFFERED, C.MAKING, C.DECLINED},
        C.ASKED: {C.MAKING, C.DECLINED, C.CANCELLED, C.EXPIRED},
        C.OFFERED: {C.MAKING, C.DECLINED, C.CANCELLED, C.EXPIRED},
        C.MAKING: {C.READY, C.ACTIVE, C.CANCELLED, C.EXPIRED},
        C.READY: {C.ACTIVE, C.CANCELLED, C.EXPIRED, C.ENDING, C.ENDED},
        C.ACTIVE: {C.ENDING, C.ENDED},
        C.ENDING: {C.ENDED},
    },
}
# States in which the other side's journal decides what comes next.
OTHERS_SAY = {("receiver", T.OPEN), ("receiver", T.RECEIVED), ("receiver", T.REFUSED), ("sender", T.SENT)}


@dataclass
class Wire:
    """The messages in transit to a side, in the order of sending; and the common count of events."""

    on_the_way: list[tuple[str, EnvelopeSeen]] = field(default_factory=list)
    now: datetime = START
    events: int = 0

    def event_id(self) -> str:
        """A new event id."""
        self.events += 1
        return f"$event{self.events}"


class Side:
    """One party. `asked` and `to_do` wait for an answer; `done` are the steps in its InvenTree by mark.

    `journal` holds the documents as text, `wanted` counts how often the rules asked for each step, and `written` is the
    content of each message. `trouble` is the outcome of the next step that moves stock.
    """

    def __init__(self, party: str, peer: str, wire: Wire) -> None:
        self.party, self.peer, self.wire = party, peer, wire
        self.identity = Identity(sha256(party.encode()).digest())
        self.bot = f"@{party}-bot:x"
        self.superuser, self.approver = f"@{party}-super:x", f"@{party}-approver:x"
        us = PartyConfig(
            party=party,
            name=party.capitalize(),
            bot=self.bot,
            key=self.identity.key,
            people={self.superuser: "super", self.approver: "approver"},
            rooms=(ROOM,),
            has_admin_token=True,
            connects_a_day=1000,
            connects_a_day_per_peer=1000,
        )
        self.archive = RememberedArchive()
        self.state = State(
            us, lambda box, binding: unseal(self.identity, box, bound_to=binding), self.identity.nonce, self.archive
        )
        self.journal: dict[tuple[str, str], str] = {}
        self.asked: list[Ask] = []
        self.to_do: list[Do] = []
        self.done: set[str] = set()
        self.trouble = "done"
        self.wanted: Counter[str] = Counter()
        self.written: dict[tuple[str, int], dict[str, Any]] = {}
        self.permissions = Permissions("somebody", known=True, active=True, superuser=True, approver=True)

    def knows(self, other: Side) -> None:
        """Both are in the room and have announced themselves."""
        people = (other.superuser, other.approver)
        party = AnnouncedParty(other.party, other.party.capitalize(), other.identity.key, people)
        documents: tuple[Document, ...] = (Room(ROOM, members={other.bot: ""}), Announcement(ROOM, other.bot, (party,)))
        self._keeps({(type(document).__name__, document.id): document for document in documents})

    @property
    def turn(self) -> Turn:
        """A turn for lookups."""
        return Turn(self.state, self.wire.now)

    def transfers(self) -> list[Transfer]:
        return self.turn.transfers()

    def connections(self) -> list[Connection]:
        return self.turn.connections()

    @property
    def card(self) -> str:
        """The event of our newest card with an open decision, else of the newest; '' if there is none."""
        cards = [(event, key.removeprefix("card:")) for event, key in self.archive.posts.items() if key[:5] == "card:"]
        undecided = {t.id for t in self.transfers() if t.state is T.OPEN}
        undecided |= {c.id for c in self.connections() if c.state is C.OFFERED}
        ordered = sorted(cards, key=lambda card: card[1] in undecided)
        return ordered[-1][0] if ordered else ""

    def journal_but_for_repetitions(self) -> dict[tuple[str, str], str]:
        """The journal without the counters of repeated messages."""
        kept = {key: text for key, text in self.journal.items() if key[0] not in {"Allowance", "Cooldown"}}
        return {key: re.sub(r',"repeated":(null|"[^"]*")', "", text) for key, text in kept.items()}

    # --- events -------------------------------------------------------------------------------------------

    def meets(self, event: Event) -> Turn:
        """Decide one event and put its effects in transit; return the turn."""
        turn = decide(self.state, read_back(codec.EVENTS, event), VERBS, self.wire.now)
        self._must_be_allowed(turn, event)
        self.archive.posts.update({event_id: key for event_id, key, _ in turn.found_posts})
        self._keeps(turn.changes)
        for effect in turn.effects:
            match effect:
                case Ask():
                    self.asked.append(read_back(codec.EFFECTS, effect))
                case Do():
                    self.to_do.append(read_back(codec.EFFECTS, effect))
                    self.wanted[effect.step.mark] += 1
                case SendEnvelope():
                    self._sends(read_back(codec.EFFECTS, effect).draft, effect.room, self.wire.event_id())
                case Post() | Edit():
                    self._posts(effect)
        return turn

    def _must_be_allowed(self, turn: Turn, event: Event) -> None:
        """A state changes along an arrow, by the arbiter's message where we aren't the arbiter; messages are read in
        order.
        """
        for after in turn.changes.values():
            if not isinstance(after, Transfer | Connection):
                continue
            kind: type[Any] = type(after)
            before: Transfer | Connection | None = self.state.get(kind, after.id)
            role = after.role if isinstance(after, Transfer) else "friend"
            was = before.state if before else None
            arrow = f"{self.party} ({role}): {was} → {after.state}"
            assert after.state is was or after.state in ARROWS[role].get(was, ()), arrow
            if (role, was) in OTHERS_SAY and after.state not in {was, T.DISPUTED}:
                assert isinstance(event, EnvelopeSeen), f"{arrow} without the arbiter's word"
            if before is not None:
                read = after.exchange.seen - before.exchange.seen
                assert read in {0, 1}, f"{self.party} went from letter {before.exchange.seen} to {after.exchange.seen}"
                assert after.exchange.sent >= before.exchange.sent

    def _keeps(self, changes: dict[tuple[str, str], Document | None]) -> None:
        self.archive.keeps(changes)
        self.state.take_over(changes)
        for name, document in changes.items():
            if document is None:
                self.journal.pop(name, None)
            else:
                self.journal[name] = codec.to_text(codec.DOCUMENTS, document)[1]

    def restarts(self) -> None:
        """End the process and start another on the journal."""
        self.state = State(self.state.us, self.state.unseal, self.state.nonce, self.archive)
        for (kind, identifier), text in self.journal.items():
            self.state.take_over({(kind, identifier): codec.from_text(codec.DOCUMENTS, kind, text)})

    def _posts(self, message: Post | Edit) -> None:
        event_id, edits = self.wire.event_id(), isinstance(message, Edit)
        if message.draft is not None:
            self._sends(message.draft, message.room, event_id)
        if not edits:
            self.archive.posts[event_id] = message.key
        if not edits or message.version:
            self.meets(Posted(self.wire.now, message.key, message.room, event_id, edits, message.version))
        if message.version:
            self.meets(Echoed(message.room, event_id, self.wire.now))

    def _sends(self, draft: Draft, room: str, event_id: str) -> None:
        body: dict[str, Any] = dict(draft.body)
        answers_anything = draft.kind == "declined" and "generation" in draft.body  # it belongs to no exchange
        if draft.number and not answers_anything:
            said = {"kind": draft.kind, **{key: value for key, value in body.items() if key not in OF_NOW}}
            first = self.written.setdefault((draft.subject, draft.number), said)
            assert first == said, f"{self.party} has written two letters {draft.number}: {first}, {said}"
        if draft.sealed:
            binding = bound_to(self.party, draft.to, draft.subject, draft.number)
            body["sealed"] = seal(draft.sealed_to, draft.sealed, bound_to=binding)
        unsigned = {
            "id": envelope_id(self.party, draft.subject, draft.number),
            "kind": draft.kind,
            "from": self.party,
            "to": draft.to,
            "room": room,
            draft.subject_kind: draft.subject,
            "seq": draft.number,
            "terms_hash": draft.terms_hash,
            "body": body,
            "sent_at": wire_time(self.wire.now),
        }
        seen = EnvelopeSeen(room, event_id, self.bot, self.wire.now, sign(self.identity, unsigned))
        self.wire.on_the_way.append((self.peer, seen))

    # --- our InvenTree ------------------------------------------------------------------------------------

    def answers(self) -> None:
        """Answer the oldest query."""
        ask = self.asked.pop(0)
        answers = tuple(self._answer(question) for question in ask.questions)
        self.meets(Answered(self.wire.now, ask.then, answers))

    def answers_all(self) -> None:
        """Answer all queries, and those that follow from the answers."""
        while self.asked:
            self.answers()

    def _answer(self, question: Query) -> Answer:
        match question:
            case PersonPermissions(username):
                return replace(self.permissions, username=username)
            case WhoMay(_, usernames):
                return Able(usernames)
            case FindItems(word):
                if word == "#142":  # the sent item is with the other side's company
                    return ItemsFound((replace(STOCK, pk=142, quantity=Decimal(3), customer=7, in_stock=False),))
                key = word.removeprefix("#")
                return ItemsFound((replace(STOCK, pk=int(key)) if key.isdigit() else STOCK,))
            case Overview():
                return InventoryStanding("x", "1.0", 400, "fedbot", True, True, True, 3, abilities=(RETURNS_PARTS,))
            case MatchPart():
                return PartMatch(part=BOLT, how="ipn", place="Shelf", location=1)
            case AuditOf():
                return AuditTrail()
        raise TypeError(f"nobody asks {question!r} here")

    def does(self) -> None:
        """Do the oldest step: probe it, as the step worker does, then do it, unless there is `trouble`.

        `refused`: a definite refusal. `lost`: it is done, but the process ends before it knows. `unknown` (or
        `undone`): the outcome is unknown, and it was (wasn't) done.
        """
        step, then, outcome = self.to_do[0].step, self.to_do[0].then, "done"
        if isinstance(step, MOVES):
            outcome, self.trouble = self.trouble, "done"
        if outcome == "refused" and step.mark not in self.done:
            self.to_do.pop(0)
            self.meets(StepRefused(self.wire.now, then, Verbatim(Speaker.INVENTREE, "no")))
            return
        if outcome != "undone":
            self.done.add(step.mark)
        if outcome == "lost":
            self.restarts()
            return
        self.to_do.pop(0)
        if outcome in {"unknown", "undone"}:
            self.meets(StepUnknown(self.wire.now, then, Plain(Fault.NO_TRACE)))
        else:
            self.meets(StepDone(self.wire.now, then, _result(step)))


def read_back(kinds: dict[str, type], record: E) -> E:
    """The record after a round trip through the journal."""
    read: E = codec.from_text(kinds, *codec.to_text(kinds, record))
    return read


def _result(step: Step) -> StepResult:  # noqa: C901, PLR0911 - a table
    match step:
        case TakeOut(quantity=quantity):
            return Taken(142, quantity, 10, 1, whole=False)
        case CreateItem(quantity=quantity):
            return ItemCreated(77, quantity)
        case MakeCompany():
            return CompanyMade(7)
        case MakeAccess():
            return AccessMade(5, 6)
        case MintToken(name=name, expiry=expiry):
            return TokenMinted(name, expiry)
        case TryToken():
            return TokenTried(100, 530)
        case EndAccess() | CloseCompany():
            return AccessEnded()
        case Mirror():
            return Mirrored()
        case Label():
            return Labelled()
        case PutAway(item=item):
            return PlacedAt(item, 1, "Drawer")
        case MergeBack(source=source):
            return MergedBack(source)
    return PlacedAt(142, 1, "Drawer") if isinstance(step, PutBack | TakeBack) else HandedOver(142)
