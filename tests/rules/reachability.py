"""Every state of one honest side that a dishonest peer, InvenTree and people can cause, breadth first.

The rules run as they are (`decide`); nothing here knows the tables of the lifecycles. The peer signs and numbers
properly, but sends anything at any time about each existing subject. InvenTree does a step, refuses it, or the outcome
is unknown. Our people type the lines that end things.

A state is everything that the rules can tell apart in documents, queries and steps (`shape`). Five parts grow without
end, and no rule chooses an arrow by them. They are left out:

- The numbers of messages, and the messages to send again. The peer reads everything (`_settled`), so one more message
  is the next one in each state.
- Times. Only these matter: before or after the deadline (`late`), and the first day of a booking (`first_day`). A rule
  does the same earlier or later.
- The audit, cooldowns and budgets. They hold back a notice to people, or a message that then comes again.
- Texts and ids of posts, except for whether a card is posted.
- The peer's words in a dispute, except for those that a rule asks for (`ASKED_FOR`).

Each subject that the peer opens has a walk of its own. A walk covers the subjects with which its story begins (a loan
with its return or extension).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from fedbot.rules.archive import Document
from fedbot.rules.carry_out_line import CarryOut
from fedbot.rules.decisions import CheckPermissions, ConfirmDecision
from fedbot.rules.dispatch import decide
from fedbot.rules.loan.hand_back import RETURNS_PARTS
from fedbot.rules.model.catalogue import Share
from fedbot.rules.model.connection import Connection, Exchange
from fedbot.rules.model.decision import NO_CARD
from fedbot.rules.model.diagnosis import Fault, Plain, Speaker, Verbatim
from fedbot.rules.model.effects import Ask, Do, Edit, Post
from fedbot.rules.model.events import (
    Answered,
    CaughtUp,
    EnvelopeSeen,
    Event,
    Posted,
    Reacted,
    Said,
    StepDone,
    StepRefused,
    StepUnknown,
    Tick,
)
from fedbot.rules.model.lifecycles import (
    BOOKS_SETTLED,
    FINAL,
    LIVING_CONNECTION,
    UNFINISHED_CONNECTION,
    ConnectionState,
    TransferState,
)
from fedbot.rules.model.queries import (
    Able,
    Answer,
    AuditOf,
    AuditTrail,
    FindItems,
    InventoryStanding,
    ItemSeen,
    ItemsFound,
    ItemsSeen,
    MatchPart,
    Overview,
    PartMatch,
    PersonPermissions,
    Query,
    Whereabouts,
    WhereIsIt,
    WhoMay,
)
from fedbot.rules.model.room import MessageKind, Room
from fedbot.rules.model.steps import Label, Mirror
from fedbot.rules.model.stock import Permissions, StockItem
from fedbot.rules.model.transfer import Progress, Transfer, less_of
from fedbot.rules.people import Meet
from fedbot.rules.protocol.terms import MOST_OPEN_DAYS, hash_of, to_json
from fedbot.rules.reminders import Remind
from fedbot.rules.state import State, Turn
from fedbot.rules.transfer.send import Debit
from fedbot.rules.wire import envelope_id, sign, wire_time
from tests.fakes.archive import RememberedArchive
from tests.rules.machines import BOLT, MOVES, ROOM, START, STOCK, VERBS, Side, _result

COMPANY = 7
GRACE = timedelta(seconds=6)
LATE = timedelta(days=MOST_OPEN_DAYS + 1)
FIRST_DAY = timedelta(days=1, hours=12)
WAITING = frozenset({TransferState.OPEN, TransferState.BOOKED})
RIGHTS = Permissions("somebody", known=True, active=True, superuser=True, approver=True)
NEVER_MOVES_ON = FINAL - {TransferState.DONE, TransferState.REVERTED, TransferState.CANCELLED}
"""States after which nothing matters. A cancelled transfer may still arrive, and is refused."""
ASKED_FOR = frozenset({"", "received", "refused", "reverted", "done"})
"""The peer's words in a dispute that a rule asks for; all others count as one."""
NO_RIGHTS = Permissions("somebody", known=True, active=True)
TRUTHS = {
    "sender": ("left", "out", "stays", "arrived", "back", "lost"),
    "receiver": ("booked", "never", "come", "stands"),
}
MOVING = frozenset(step.__name__ for step in MOVES) | {"CreatePart"}
KEPT = frozenset({"Connection", "Transfer", "Room", "Announcement", "WaitingLine", "Share"})
BY = {"by": "@somebody:x", "by_name": "Somebody", "event": ""}
LINE = {"number": 1}
ONLY_TOLD = (Remind.__name__, Meet.__name__)
"""Queries whose answers only go to people."""
NONCE, COMMITMENT = "1" * 64, "0" * 64
CONNECTION_LETTERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("disconnecting", BY),
    ("disconnecting", {**BY, "at_once": True}),
    ("cancelled", BY),
)
"""A peer's possible messages about an existing friendship."""
ASKING_LETTERS: tuple[tuple[str, dict[str, Any]], ...] = (
    *CONNECTION_LETTERS,
    ("accepted", {**BY, "access": "relayed", "nonce": NONCE}),
    ("accepted", {**BY, "access": "direct"}),
    ("reveal", {"nonce": NONCE}),
    ("reveal", {"nonce": "2" * 64}),
    ("declined", {"reason": "x"}),
    ("declined", {"reason": "generation", "generation": 5}),
    ("ready", {"items": 3}),
    ("renewed", {"problem": "x"}),
    ("renewed", {"problem": ""}),
    ("credentials", {"url": "https://[::1", "token": "x"}),
    ("noted", {}),
    ("check", {"commitment": COMMITMENT}),
    ("check", {"nonce": NONCE}),
)
"""Its additional messages while a friendship is requested."""
LETTERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("noted", {}),
    ("approve", BY),
    ("approve", {**BY, "parcel": True}),
    ("decline", BY),
    ("cancel", BY),
    ("received", {"items": [{**LINE, "item": 9, "part": 3}], "refused": []}),
    ("received", {"items": [], "refused": [LINE]}),
    ("refused", {"reason": "x"}),
    ("disputed", {"reason": "x"}),
    ("disputed", {"reason": "missing", "missing": BY}),
    ("booked", {**BY, "until": "2026-12-31T00:00:00+00:00"}),
    ("sent", {"lines": [{**LINE, "item": 9}], "failed": []}),
    ("sent", {"lines": [{**LINE, "item": 9}], "failed": [], "parcel": True}),
    ("sent", {"lines": [], "failed": [LINE]}),
    ("declined", {}),
    ("cancelled", {}),
    ("expired", {}),
    ("aborted", {}),
    ("reverted", {}),
    ("done", {}),
    ("extended", {"until": "2027-01-01", **BY}),
    ("closed", {"how": "gift", **BY}),
)
"""A peer's possible messages about a transfer; `KINDS` in `protocol/bodies` lists the kinds."""


def _named(ask: Ask) -> str:
    return f"{type(ask.then).__name__} {ask.then.subject}"


def _to_do(do: Do) -> str:
    return f"{type(do.step).__name__} {do.then.subject}"


def _kinds(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.partition(" ")[0] for name in names)


@dataclass
class Now:
    """One concrete state, representative of its shape."""

    documents: dict[tuple[str, str], Document]
    posts: dict[str, str] = field(default_factory=dict)
    asked: dict[str, Ask] = field(default_factory=dict)
    to_do: dict[str, Do] = field(default_factory=dict)
    late: bool = False
    first_day: bool = False

    def copy(self) -> Now:
        """A copy to continue from."""
        posts, asked, to_do = dict(self.posts), dict(self.asked), dict(self.to_do)
        return Now(dict(self.documents), posts, asked, to_do, self.late, self.first_day)


@dataclass(frozen=True)
class Step:
    """A step from one state to another: by the `peer`, by our `people`, or by `itself`."""

    who: str
    what: str
    to: int


class Explorer:
    """Explores from a start. `seen` maps shapes to states; `steps` are those that lead on from each."""

    def __init__(self, side: Side, peer: Side, start: Now) -> None:
        self.side, self.peer = side, peer
        told = next((c.check.ours for c in peer.connections() if c.check is not None), NONCE)
        asking = [
            (kind, body | {"nonce": told} if body.get("nonce") == NONCE else body) for kind, body in ASKING_LETTERS
        ]
        self.about_friends = list(CONNECTION_LETTERS) if transfers_in(start) else asking
        self.seen: dict[int, Now] = {}
        self.steps: dict[int, list[Step]] = {}
        self.start = start
        self.numbers: dict[object, int] = {}
        self.signed: dict[str, dict[str, Any]] = {}

    # --- walking --------------------------------------------------------------------------------------------

    def walk(self, most: int) -> None:
        """Walk until there is nothing new; AssertionError after `most` states."""
        first = self.start
        waiting = deque([self.shape(first)])
        self.seen[waiting[0]] = first
        while waiting:
            shape = waiting.popleft()
            self.steps[shape] = []
            for who, what, after in self._nexts(self.seen[shape]):
                to = self.shape(after)
                self.steps[shape].append(Step(who, what, to))
                if to not in self.seen:
                    assert len(self.seen) < most, f"no fixpoint within {most} states"
                    self.seen[to] = after
                    waiting.append(to)

    def stuck(self, is_end: Callable[[Now], bool]) -> list[int]:
        """The states from which no end can be reached without the peer."""
        back: dict[int, set[int]] = {}
        for shape, steps in self.steps.items():
            for step in steps:
                if step.who != "peer":
                    back.setdefault(step.to, set()).add(shape)
        good = {shape for shape, now in self.seen.items() if is_end(now)}
        waiting = deque(good)
        while waiting:
            for before in back.get(waiting.popleft(), ()):
                if before not in good:
                    good.add(before)
                    waiting.append(before)
        return [shape for shape in self.seen if shape not in good]

    def way_to(self, shape: int) -> list[str]:
        """The steps that lead there, for debugging."""
        came: dict[int, tuple[int, str]] = {}
        for before, steps in self.steps.items():
            for step in steps:
                came.setdefault(step.to, (before, f"{step.who}: {step.what}"))
        way: list[str] = []
        first = self.shape(self.start)
        while shape != first and len(way) < 60:
            shape, what = came[shape]
            way.append(what)
        return way[::-1]

    # --- possible events ------------------------------------------------------------------------------------

    def _nexts(self, now: Now) -> Iterator[tuple[str, str, Now]]:
        for transfer in transfers_in(now):
            name = transfer.terms.kind
            for kind, body in LETTERS:
                yield "peer", f"{name}: {kind} {body}", self._after(now, self._letter(now, transfer, kind, body))
            if name == "request":
                smaller = self._granted(transfer)
                yield "peer", "granted", self._after(now, self._letter(now, transfer, "granted", *smaller))
            yield from self._people(now, transfer)
        connection = connection_in(now)
        for kind, body in self.about_friends:
            yield "peer", f"{kind} {body}", self._after(now, self._letter(now, connection, kind, body))
        yield from self._friends(now, connection)
        for key, ask in now.asked.items():
            for permissions in (RIGHTS, NO_RIGHTS) if isinstance(ask.then, Debit) else (RIGHTS,):
                answered = Answered(self._time(now), ask.then, self._answers(now, ask, permissions))
                yield "itself", f"{_named(ask)} answered", self._after(now, answered, asked=key)
        for key, do in now.to_do.items():
            for event in (
                StepDone(self._time(now), do.then, _result(do.step)),
                StepRefused(self._time(now), do.then, Verbatim(Speaker.INVENTREE, "no")),
                StepUnknown(self._time(now), do.then, Plain(Fault.NO_TRACE)),
            ):
                yield "itself", f"{key} {type(event).__name__}", self._after(now, event, done=key)
        if not now.late:
            yield from self._time_goes_by(now)

    def _time_goes_by(self, now: Now) -> Iterator[tuple[str, str, Now]]:
        if any(t.state is TransferState.BOOKED for t in transfers_in(now)):
            day = now.copy()
            day.first_day = True
            yield "itself", "the clock ticks on its first day", self._after(day, Tick(self._time(day)))
        late = now.copy()
        late.late = True
        yield "itself", "its time is over", self._after(late, CaughtUp(self._time(late)))

    def _people(self, now: Now, transfer: Transfer) -> Iterator[tuple[str, str, Now]]:
        lines = [f"cancel {transfer.id}"] if transfer.state not in FINAL else []
        lines += [f"resolve {transfer.id} --as {truth}" for truth in TRUTHS[transfer.role] if transfer.dispute]
        if transfer.is_on_loan:
            lines += [f"gift {transfer.id}", f"lost {transfer.id}"] if transfer.role == "sender" else []
            lines += [f"resolve {transfer.id} --as kept"] if transfer.role == "receiver" else []
        yield from self._taps(now, transfer, "✅📦❌")
        yield from self._says(now, lines)

    def _friends(self, now: Now, connection: Connection) -> Iterator[tuple[str, str, Now]]:
        lines = [] if connection.state is ConnectionState.ENDED else ["disconnect beta --sure --now"]
        lines += [f"cancel {connection.id}"] if connection.state in UNFINISHED_CONNECTION else []
        yield from self._taps(now, connection, "✅❌")
        yield from self._says(now, lines)

    def _taps(self, now: Now, subject: Transfer | Connection, keys: str) -> Iterator[tuple[str, str, Now]]:
        card = next((event for event, key in reversed(now.posts.items()) if key == f"card:{subject.id}"), "")
        for key in keys if card else "":
            tap = Reacted(ROOM, f"${key}", self.side.superuser, self._time(now), card, key)
            yield "people", key, self._decided(now, tap, subject.id)

    def _says(self, now: Now, lines: list[str]) -> Iterator[tuple[str, str, Now]]:
        for line in lines:
            said = Said(ROOM, f"${line}", self.side.superuser, self._time(now), f"!fed {line}")
            yield "people", line, self._after(now, said)

    def _decided(self, now: Now, tap: Reacted, subject: str) -> Now:
        """A decision on the card, from the reaction to the second check of the permission."""
        after = self._after(now, tap)
        for purpose in (f"{CheckPermissions.__name__} {subject}", f"{ConfirmDecision.__name__} {subject}"):
            ask = after.asked.get(purpose)
            if ask is not None:
                answered = Answered(self._time(after), ask.then, self._answers(after, ask, RIGHTS))
                after = self._after(after, answered, asked=purpose)
                after = self._after(after, CaughtUp(self._time(after) + GRACE))
        return after

    def _letter(
        self, now: Now, subject: Transfer | Connection, kind: str, body: dict[str, Any], terms_hash: str = ""
    ) -> EnvelopeSeen:
        """The peer's next message; the peer has read all our messages."""
        number = subject.exchange.seen + 1
        known = subject.terms_hash if isinstance(subject, Transfer) else ""
        unsigned = {
            "id": envelope_id(self.peer.party, subject.id, number),
            "kind": kind,
            "from": self.peer.party,
            "to": self.side.party,
            "room": ROOM,
            subject.subject_kind: subject.id,
            "seq": number,
            "terms_hash": terms_hash or known,
            "body": {"awaits": True, "seen": subject.exchange.sent, **body},
            "sent_at": wire_time(self._time(now)),
        }
        text = repr(unsigned)
        if text not in self.signed:
            self.signed[text] = sign(self.peer.identity, unsigned)
        return EnvelopeSeen(ROOM, f"${kind}", self.peer.bot, self._time(now), self.signed[text])

    def _granted(self, transfer: Transfer) -> tuple[dict[str, Any], str]:
        lines = less_of(transfer.terms.lines, Decimal(2)) or transfer.terms.lines
        terms = replace(transfer.terms, lines=lines)
        return {"terms": to_json(terms), **BY}, hash_of(terms)

    def _time(self, now: Now) -> Any:  # noqa: ANN401
        if now.late:
            return START + LATE
        return START + FIRST_DAY if now.first_day else START

    # --- one event ------------------------------------------------------------------------------------------

    def _after(self, now: Now, event: Event, *, asked: str = "", done: str = "") -> Now:
        """The state after the rules have decided this; a line's queries are answered at once."""
        after = now.copy()
        after.asked.pop(asked, None)
        after.to_do.pop(done, None)
        self._meets(after, event)
        while line := next((key for key in after.asked if key.startswith(CarryOut.__name__)), ""):
            ask = after.asked.pop(line)
            self._meets(after, Answered(self._time(after), ask.then, self._answers(after, ask, RIGHTS)))
        return after

    def _meets(self, now: Now, event: Event) -> None:
        if isinstance(event, Posted):
            now.posts[event.event_id] = event.key
        archive = RememberedArchive()
        archive.keeps(now.documents)
        archive.posts.update(now.posts)
        state = State(self.side.state.us, self.side.state.unseal, self.side.state.nonce, archive)
        state.take_over(dict(now.documents))
        turn = decide(state, event, VERBS, self._time(now))
        now.posts.update({event_id: key for event_id, key, _ in turn.found_posts})
        for key in [k for k, do in now.to_do.items() if do.then.subject in turn.voided_subjects]:
            del now.to_do[key]
        for name, document in turn.changes.items():
            if document is None:
                now.documents.pop(name, None)
            elif name[0] in KEPT:
                now.documents[name] = _settled(document)
        for effect in turn.effects:
            self._wanted(now, effect)

    def _wanted(self, now: Now, effect: object) -> None:
        match effect:
            case Ask():
                now.asked[_named(effect)] = effect
            case Do() if not isinstance(effect.step, Mirror | Label):
                now.to_do[_to_do(effect)] = effect
            case Post(key=key, room=room) if not isinstance(effect, Edit) and key.kind is MessageKind.CARD:
                again = sum(known == key for known in now.posts.values())
                self._meets(now, Posted(self._time(now), key, room, f"${key}{again or ''}"))

    # --- our InvenTree --------------------------------------------------------------------------------------

    def _answers(self, now: Now, ask: Ask, permissions: Permissions) -> tuple[Answer, ...]:
        return tuple(self._answer(now, question, permissions) for question in ask.questions)

    def _answer(self, now: Now, question: Query, permissions: Permissions) -> Answer:
        match question:
            case PersonPermissions(username):
                return replace(permissions, username=username)
            case WhoMay(_, usernames):
                return Able(usernames)
            case FindItems(text):
                return ItemsFound((self._found(now, text),))
            case Overview():
                return InventoryStanding("Alpha", "1.0", 400, "fedbot", True, True, True, 3, abilities=(RETURNS_PARTS,))
            case MatchPart():
                return PartMatch(part=BOLT, how="ipn", place="Shelf", location=1)
            case AuditOf():
                return AuditTrail()
            case WhereIsIt(mark):
                return ItemsSeen(tuple(self._items(now, mark.split(":")[1])), history_read=True)
        raise TypeError(f"nobody asks {question!r} here")

    def _found(self, now: Now, text: str) -> StockItem:
        """The stock item of that name; a lent item is with the borrower until it is returned."""
        loan = next((t for t in transfers_in(now) if t.is_loan), None)
        if loan is None or text != f"#{loan.at(1).item}":
            return STOCK
        lent = loan.role == "sender"
        quantity, pk = loan.terms.lines[0].quantity, loan.at(1).item or 0
        return replace(STOCK, pk=pk, quantity=quantity, customer=COMPANY if lent else None, in_stock=not lent)

    def _items(self, now: Now, subject: str) -> Iterator[ItemSeen]:
        """The location of the only line, if no step with an unknown outcome was done."""
        transfer = next(t for t in transfers_in(now) if t.id == subject)
        line, progress = transfer.terms.lines[0], transfer.at(1)
        if transfer.role == "receiver":
            if progress.item is not None:
                yield ItemSeen(progress.item, progress.part or 3, line.quantity, 10, Whereabouts.STOCK)
            return
        places = {"": Whereabouts.STOCK, "taken": Whereabouts.OUTGOING, "back": Whereabouts.STOCK}
        where = places.get(progress.stage, Whereabouts.CUSTOMER)
        company = COMPANY if where is Whereabouts.CUSTOMER else None
        pk = progress.item or line.item
        yield ItemSeen(pk, line.part, line.quantity, 10, where, customer=company, marks=(f"fed:{transfer.id}:1:out",))

    # --- shapes ---------------------------------------------------------------------------------------------

    def shape(self, now: Now) -> int:
        """Everything that the rules can tell apart."""
        transfers, connection = transfers_in(now), connection_in(now)
        shape = (
            tuple(_of_transfer(transfer) for transfer in transfers),
            _of_connection(connection) if not transfers else connection.state,
            frozenset(name for name in now.asked if not name.startswith(ONLY_TOLD)),
            frozenset(name for name in now.to_do if name.partition(" ")[0] in MOVING or not transfers),
            now.late and (not transfers or any(t.state in WAITING for t in transfers)),
            now.first_day and any(t.state is TransferState.BOOKED for t in transfers),
        )
        return self.numbers.setdefault(shape, len(self.numbers))


def _settled(document: Document) -> Document:
    """The document without messages to send again, because the peer reads everything. Syncs show each card at once."""
    if isinstance(document, Transfer | Connection):
        return replace(document, exchange=Exchange(), peer_events=(), in_room=NO_CARD)
    return document


def transfers_in(now: Now) -> list[Transfer]:
    """The transfers of this walk: one, or a loan and its return or extension, in that order."""
    found = [d for d in now.documents.values() if isinstance(d, Transfer)]
    return sorted(found, key=lambda transfer: bool(transfer.terms.parent))


def connection_in(now: Now) -> Connection:
    """The connection that carries it; the newest of several."""
    found = [d for d in now.documents.values() if isinstance(d, Connection)]
    return max(found, key=lambda connection: connection.generation)


def is_end(now: Now) -> bool:
    """Whether our own stock waits for nobody: no loan is out, and no friendship half made."""
    transfers = transfers_in(now)
    if not transfers:
        return connection_in(now).state not in UNFINISHED_CONNECTION | {ConnectionState.READY}
    return all(
        transfer.state in BOOKS_SETTLED[transfer.role]
        and not any(p.acting for p in transfer.progress if not p.stage)
        and not (transfer.is_on_loan and transfer.role == "sender")
        for transfer in transfers
    )


WORKED_ON = {
    "sender": {TransferState.APPROVED, TransferState.DEBITING, TransferState.RECEIVED, TransferState.REVERTING},
    "receiver": {TransferState.CREDITING},
}


def is_at_work(now: Now) -> bool:
    """Whether a query or step is open where the state says that something moves."""
    busy = {do.then.subject for do in now.to_do.values()} | {ask.then.subject for ask in now.asked.values()}
    return all(t.state not in WORKED_ON[t.role] or t.id in busy for t in transfers_in(now))


def _of_transfer(t: Transfer) -> object:
    is_open = t.state in WAITING or (t.dispute is not None and t.dispute.was in WAITING)
    undecided = is_open and (
        t.wanted,
        t.calls,
        t.granted is not None,
        t.approved_hash == t.terms_hash,
        t.decision and (t.decision.choice, t.decision.stage),
        bool(t.card_event),
    )
    if t.state in NEVER_MOVES_ON:
        return (t.state, t.role)
    alone = t.settled is not None and t.settled.alone
    if t.state in FINAL:
        loan = (t.closed and t.closed.how, len(t.line_ends), bool(t.left_over), t.back_by is not None)
        return (t.state, t.role, alone, loan if t.is_loan else t.terms.parent and t.at(1).stage)
    return (
        t.state,
        t.role,
        undecided,
        sum(line.quantity for line in t.terms.lines),
        t.dispute and (t.dispute.was, frozenset(t.dispute.by), t.dispute.said if t.dispute.said in ASKED_FOR else "x"),
        alone,
        t.parcel and (t.parcel.left is None, t.parcel.received is None, t.parcel.missing is None),
        tuple(_of_progress(p) for p in t.progress),
    )


def _of_progress(p: Progress) -> object:
    failed = p.failed if p.failed in {"", "not-sent"} else "x"
    return (p.stage, bool(p.match), failed, p.acting, p.unknown)


def _of_connection(c: Connection) -> object:
    check = c.check and (c.check.is_open, c.check.is_told, bool(c.check.peer_commitment))
    undecided = c.state is ConnectionState.OFFERED and (bool(c.own_card), c.decision and c.decision.choice)
    made = (c.own_made, c.own_ready, c.peer_ready, c.needs, c.renewal is not None, c.company is not None)
    return (c.state, c.ours, c.generation > 1, check, undecided, made if c.state in LIVING_CONNECTION else None)


def starts(side: Side) -> Now:
    """The side's documents, and its open queries."""
    now = Now({})
    turn = Turn(side.state, START)
    documents: list[Document] = [*turn.all(Room), *turn.announcements(ROOM), *turn.connections(), *turn.transfers()]
    documents += turn.all(Share)
    now.documents = {(type(d).__name__, d.id): _settled(d) for d in documents}
    now.posts = dict(side.archive.posts)
    now.asked = {_named(ask): ask for ask in side.asked}
    now.to_do = {_to_do(do): do for do in side.to_do if not isinstance(do.step, Mirror | Label)}
    return now
