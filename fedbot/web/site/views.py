"""What the API and the pages show, made from the documents: one model each, for both.

Quantities are decimal strings, times aware ISO 8601, days ISO dates. A person reads what the rooms that they are in
tell of, and nothing else (`Reader`).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from fedbot.commands import lookup, spaces
from fedbot.commands.todo import seen as todo_of
from fedbot.commands.todo import waits_for
from fedbot.messages import booking as queue_words
from fedbot.messages import catalogue as catalogue_words
from fedbot.messages import lending as neighbour_words
from fedbot.messages.audit import is_told, noted_in_words
from fedbot.messages.formatting import Inline, render
from fedbot.messages.language import Locale
from fedbot.messages.transfer_facts import state_in_words
from fedbot.ports.journal import Audited
from fedbot.rules import decisions, web
from fedbot.rules.catalogue import search
from fedbot.rules.consent import Subject, awaits_parcel, decides_here, is_open
from fedbot.rules.ledger import figures as ledger_figures
from fedbot.rules.ledger import history, stats
from fedbot.rules.loan import bookings, lend, outside, queue
from fedbot.rules.model.archive import Mark, Place
from fedbot.rules.model.catalogue import FriendWant, Hit, Search, Want
from fedbot.rules.model.command import Outcome, WebAccess, WebLine
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Choice, Signature
from fedbot.rules.model.diagnosis import reason_of
from fedbot.rules.model.effects import Phrase
from fedbot.rules.model.figures import COUNTS, WAYS, Dealings, Flow
from fedbot.rules.model.ledger import OnThatDay, Todo
from fedbot.rules.model.lending import PlaceInLine, QueueEntry
from fedbot.rules.model.lifecycles import LIVING_CONNECTION, TransferState
from fedbot.rules.model.outside import OUTSIDE, OutsideLoan, Rota
from fedbot.rules.model.queries import StockCounts
from fedbot.rules.model.stock import Permission, Permissions, plain
from fedbot.rules.model.transfer import Line, Transfer
from fedbot.rules.protocol import who_answers
from fedbot.rules.state import Turn
from fedbot.rules.wire.envelope import fingerprint

MOST_ON_A_PAGE = 100
MOST_LOOKED_AT = 5_000
"""So many transfers are read for one page of a filtered list; the cursor goes on behind them."""
GIVES_WAY_AFTER = 10
"""After so many the bot does what else there is to do."""


class PersonView(BaseModel):
    """A person by Matrix id; `name` is how chat names them, `user` their InvenTree user, of our own people only."""

    id: str
    name: str
    user: str = ""


class SpaceRef(BaseModel):
    """A space by its id and name."""

    id: str
    name: str


class LineView(BaseModel):
    """One line: what it is, how much of it, its condition and place. `our_item` is our stock item, once it is known."""

    number: int
    part: str
    ipn: str
    quantity: str
    units: str
    serial: str
    batch: str
    condition: str
    place: str
    our_item: int | None = None
    our_item_page: str = ""


class CardView(BaseModel):
    """What waits for a decision here. `shown` is the hash of all that the card shows: send it with the decision.

    `text` and `html` are the card as chat shows it, without how to answer there. `yours`: this person's decision would
    count. `care`: a yes takes two people, or one who types the `code` on a page that was signed in by an encrypted
    message.
    """

    shown: str
    text: str
    html: str
    choices: list[Choice]
    yours: bool
    care: bool = False
    takes_quantity: bool = False
    first_yes_by: str = ""
    running_by: str = ""
    ends: datetime | None = None


class TransferView(BaseModel):
    """One transfer, seen from our side. `state_text` says in words how it stands.

    `direction`: `out` leaves us. `due` is until when it can be decided on, `due_day` the last day of a loan,
    `first_day` the first one of a loan that was booked ahead.
    """

    id: str
    code: str
    kind: str
    state: str
    state_text: str
    direction: str
    peer: SpaceRef
    lines: list[LineView]
    asked_at: datetime
    asked_by: PersonView
    decided_at: datetime | None = None
    decided_by: PersonView | None = None
    due: datetime
    first_day: date | None = None
    due_day: date | None = None
    on_loan: bool = False
    overdue_days: int = 0
    days_left: int | None = Field(default=None, description="until the due day; null where none is due, or it is over")
    still_out: list[LineView] = []
    note: str = ""
    ended_at: datetime | None = None
    parent: str = ""
    card: CardView | None = None


class EntryView(BaseModel):
    """One entry of the audit, in words. `event_id` begins with `page-` or `api-` where it wasn't said in chat."""

    at: datetime
    who: PersonView | None
    text: str
    event_id: str


class StoryView(BaseModel):
    """A transfer with everything that led to where it stands, oldest first."""

    transfer: TransferView
    entries: list[EntryView]
    related: list[str] = Field(default=[], description="ids of its loan, or of its returns and extensions")


class ConnectionView(BaseModel):
    """A friendship, or what is to become one."""

    id: str
    code: str
    peer: SpaceRef
    state: str
    state_text: str
    access: str
    fingerprint: str
    asked_at: datetime
    asked_by: PersonView
    decided_by: PersonView | None = None
    problem: str = ""
    card: CardView | None = None


class SpaceView(BaseModel):
    """A space in our rooms: whether it is a friend, and whether its bot answers.

    `unanswered`: how often we have sent again what its bot has not seen. `shares`: how long its sharing list is.
    `balance`: how many transfers there were with it.
    """

    id: str
    name: str
    friend: bool
    fingerprint: str
    access: str
    unanswered: int
    shares: int | None
    transfers: int
    connection: ConnectionView | None


class NowView(BaseModel):
    """What waits: for this person's decision, for others though this person asked, and what is under way or on loan."""

    to_decide: list[TransferView | ConnectionView]
    asked: list[TransferView | ConnectionView]
    parcels: list[TransferView]
    unclear: list[TransferView]
    under_way: list[TransferView]
    on_loan: list[TransferView]
    for_admins: list[TransferView | ConnectionView]


class LedgerPage(BaseModel):
    """Transfers, what was asked last coming first. `next` is the cursor of what follows; null at the end."""

    items: list[TransferView]
    next: str | None = None


class AnswerView(BaseModel):
    """An answer in words, as chat shows it. `choices` are lines of which one may be meant."""

    sentence: str
    text: str
    html: str
    choices: list[str] = []


class LineSaidView(BaseModel):
    """A line or decision with its answer. `waiting`: there is none yet; ask again under its id."""

    id: str
    outcome: Outcome | None
    waiting: bool
    answers: list[AnswerView]
    search: str | None = Field(default=None, description="the id under which the hits of `find` can be read")


class HitView(BaseModel):
    """One part that a search found, and the space that has it. `number` stands for it in `request NUMBER`.

    `lent` is how much more is on loan, the first of it due `back`; `booked` what is booked next, from `booked_from` to
    `booked_until`. `waiting` is how many wait for it, `place` which of them you are (0: none). `state_text`: in words.
    """

    number: int
    space: SpaceRef
    item: int
    name: str
    ipn: str
    quantity: str
    units: str
    condition: str = ""
    flawed: str = "0"
    lent: str = "0"
    back: date | None = None
    booked: str = "0"
    booked_from: date | None = None
    booked_until: date | None = None
    waiting: int = 0
    place: int = 0
    state_text: str = ""
    picture: bool = Field(default=False, description="whether `/searches/ID/pictures/NUMBER` has one of it")
    word: str = Field(default="", description="what to call it in `request QUANTITY WORD from SPACE`")


class SearchView(BaseModel):
    """A search for ten minutes. `waiting` are spaces that haven't answered yet, `problems` why others told nothing."""

    id: str
    words: str
    hits: list[HitView]
    waiting: list[SpaceRef]
    problems: dict[str, str]


class FlowView(BaseModel):
    """What went one way: lines of transfers, and the pieces in those that are counted by the piece."""

    lines: int
    pieces: str


class DealingsView(BaseModel):
    """What went between us and one space, seen from us. `lent` and `borrowed` are on loan now; `open` isn't decided."""

    space: SpaceRef
    given: FlowView
    received: FlowView
    lent: FlowView
    borrowed: FlowView
    open: int


class FiguresView(BaseModel):
    """Our figures, as far as `stats.disclose` tells them. `hidden`: only our admin room is told.

    `counts` is what our InvenTree counts; empty if it doesn't answer (`silent`). `days`: what went to and fro is of
    the last so many days; 0 is since ever. `stock` is how many stock items there were on a day.
    """

    days: int
    hidden: bool
    silent: bool
    counts: dict[str, int]
    dealings: list[DealingsView]
    stock: list[tuple[date, int]]


class AskedView(BaseModel):
    """A friend that was asked, by which transfer; `why` it was taken back, if we did that."""

    space: SpaceRef
    transfer: str
    quantity: str
    at: datetime
    why: str = ""


class RotaView(BaseModel):
    """One thing asked of several friends in turn until somebody gives it. `waiting` are asked next.

    `unit`: what is wanted is counted in that, or as each space does if it is empty.
    """

    id: str
    code: str
    word: str
    wanted: str
    unit: str
    state: str
    at: datetime
    asked_by: PersonView
    loan_until: date | None
    asked: list[AskedView]
    waiting: list[SpaceRef]
    stuck: str = Field(default="", description="code of the request that was confirmed, and of which nothing came")


class OutsideView(BaseModel):
    """A loan to a neighbour without a bot. `overdue_days`: since when it should be back, while it is out.

    `handed_to` and `transfer`: the friend that the neighbour is by now, and the loan that it is offered, or became.
    `problem`: why it is unclear, or wasn't lent. `state_text` says in words how it stands.
    """

    id: str
    code: str
    neighbour: str
    state: str
    state_text: str
    part: str
    ipn: str
    quantity: str
    units: str
    serial: str
    batch: str
    our_item: int
    our_item_page: str
    lent_at: datetime
    lent_by: PersonView
    due_day: date
    overdue_days: int
    damaged: bool
    note: str
    ended_at: datetime | None
    ended_by: PersonView | None
    handed_to: SpaceRef | None
    transfer: str
    problem: str


class AgendaView(BaseModel):
    """On that day something is `fetched`, due `back`, or still out (`overdue`, which stands under today).

    It is one of these two: a transfer, or a loan to a neighbour without a bot.
    """

    day: date
    what: Literal["fetched", "back", "overdue"]
    transfer: TransferView | None = None
    neighbours: OutsideView | None = None


class WantView(BaseModel):
    """What one of our people wants (`ours`), or a friend. `unit` is empty where each counts as it does.

    `until` is its last day. Of our own: its `code`, who wants it, and how much hasn't come yet (`lacking`). Of a
    friend's: when our approvers were told that we share some.
    """

    ours: bool
    space: SpaceRef
    word: str
    quantity: str
    unit: str
    until: date
    code: str = ""
    by: PersonView | None = None
    lacking: str = ""
    told_at: datetime | None = None


class WaitingView(BaseModel):
    """A place in a waiting list: of ours at a friend (`ours`), or of a friend or one of our people at us.

    `unit` is empty where each counts as it does. `place` is 0 before the friend's bot has told it. `until`: so long it
    is kept, once it is there.
    """

    code: str
    ours: bool
    space: SpaceRef
    word: str
    quantity: str
    unit: str
    place: int
    by: PersonView | None
    until: datetime | None
    text: str


class AccessView(BaseModel):
    """A session or token, by the beginning of its hash, which opens nothing."""

    id: str
    kind: str
    name: str
    scope: str
    made: datetime
    ends: datetime
    this: bool = False


@dataclass(frozen=True)
class Ledger:
    """Which transfers a list is of; '' and None are no filter. `item`: a part's name or IPN.

    `words` all stand somewhere in it: in its items, serial numbers, note, id or people's names.
    """

    space: str = ""
    state: str = ""
    kind: str = ""
    direction: str = ""
    since: datetime | None = None
    item: str = ""
    person: str = ""
    words: str = ""

    def covers(self, transfer: Transfer) -> bool:
        """Whether it is one of them, as far as the archive doesn't filter."""
        direction = "out" if transfer.role == "sender" else "in"
        state = "on_loan" if transfer.is_on_loan else transfer.state.value
        return (
            self.state in {"", state, transfer.state.value}
            and self.kind in {"", history.kind_of(transfer)}
            and self.direction in {"", direction}
            and (not self.item or history.touches(transfer, (), self.item))
            and self.person in {"", transfer.asked.person, *([transfer.decided.person] if transfer.decided else [])}
            and (not self.words or _says(transfer, self.words))
        )

    def covers_outside(self, loan: OutsideLoan) -> bool:
        """Whether it is of what neighbours without a bot have."""
        people = f"{loan.neighbour} {loan.by.name}"
        told = f"{loan.id} {loan.note} {people} {loan.description.name} {loan.serial}".casefold()
        return (
            self.space in {"", f"{OUTSIDE}{loan.neighbour}"}
            and self.state in {"", loan.state.value}
            and self.kind in {"", "outside"}
            and self.direction in {"", "out"}
            and (self.since is None or max(loan.by.at, loan.ended or loan.by.at) >= self.since)
            and (not self.item or history.is_of(loan, (), self.item))
            and self.person in {"", loan.by.person}
            and all(word in told for word in self.words.casefold().split())
        )


def _says(transfer: Transfer, words: str) -> bool:
    people = [each.name for each in (transfer.asked, transfer.decided) if each is not None]
    lines = [(x.description.name, x.description.ipn, x.serial, x.batch) for x in transfer.terms.lines]
    told = " ".join((transfer.id, transfer.terms.note, *people, *(text for line in lines for text in line))).casefold()
    return all(word in told for word in words.casefold().split())


_HAPPENS: Mapping[OnThatDay, Literal["fetched", "back", "overdue"]] = {
    OnThatDay.FETCHED: "fetched",
    OnThatDay.BACK: "back",
    OnThatDay.OVERDUE: "overdue",
}


class BadCursor(ValueError):
    """It is none of ours."""


def written(place: Place) -> str:
    """The cursor that goes on behind that place."""
    return base64.urlsafe_b64encode(f"{place[0].isoformat()} {place[1]}".encode()).decode().rstrip("=")


def understood(cursor: str) -> Place:
    """The place that the cursor names. Raises `BadCursor`."""
    try:
        at, _, identifier = base64.urlsafe_b64decode(f"{cursor}==").decode().partition(" ")
        moment = datetime.fromisoformat(at)
    except (ValueError, binascii.Error) as problem:
        raise BadCursor(cursor) from problem
    if moment.tzinfo is None:
        raise BadCursor(cursor)
    return moment, identifier


class Reader:
    """What one person reads, at one moment."""

    def __init__(
        self,
        turn: Turn,
        person: str,
        permissions: Permissions,
        locale: Locale,
        render: Callable[[Phrase], tuple[str, str]],
    ) -> None:
        self.turn = turn
        self.person = person
        self.permissions = permissions
        self.rooms = who_answers.shared_with(turn, person)
        self._locale = locale
        self._render = render

    # --- one thing ---

    def subject(self, identifier: str) -> Subject | None:
        """The transfer or connection of that id, or of that code, if this person may read of it."""
        found = decisions.subject_by_id(self.turn, identifier)
        hits = [found] if found else self.turn.by_code(identifier)
        mine = [hit for hit in hits if hit.room in self.rooms]
        return mine[0] if len(mine) == 1 else None

    def transfer(self, transfer: Transfer) -> TransferView:
        """A transfer."""
        terms, decided = transfer.terms, transfer.decided or transfer.granted
        out = lend.lines_out(self.turn, transfer) if transfer.is_on_loan else ()
        late = (lend.today(self.turn, transfer) - transfer.due_day).days if transfer.due_day and out else 0
        return TransferView(
            id=transfer.id,
            code=transfer.code,
            kind=history.kind_of(transfer),
            state=transfer.state.value,
            state_text=_plain(state_in_words(self._locale, transfer)),
            direction="out" if transfer.role == "sender" else "in",
            peer=self.space_ref(transfer.peer),
            lines=[self._line(transfer, line) for line in terms.lines],
            asked_at=transfer.asked.at,
            asked_by=self._signer(transfer.asked),
            decided_at=decided.at if decided else None,
            decided_by=self._signer(decided) if decided else None,
            due=transfer.due,
            first_day=terms.starts,
            due_day=transfer.due_day,
            on_loan=transfer.is_on_loan,
            overdue_days=max(late, 0),
            days_left=-late if transfer.due_day and out and late <= 0 else None,
            still_out=[self._line(transfer, line) for line in out],
            note=terms.note,
            ended_at=transfer.over_at,
            parent=terms.parent,
            card=self._card(transfer),
        )

    def connection(self, connection: Connection) -> ConnectionView:
        """A friendship."""
        return ConnectionView(
            id=connection.id,
            code=connection.code,
            peer=self.space_ref(connection.peer),
            state=connection.state.value,
            state_text=_plain(state_in_words(self._locale, connection)),
            access=connection.access,
            fingerprint=fingerprint(connection.peer_key),
            asked_at=connection.asked.at,
            asked_by=self._signer(connection.asked),
            decided_by=self._signer(connection.decided) if connection.decided else None,
            problem=connection.problem,
            card=self._card(connection),
        )

    def either(self, subject: Subject) -> TransferView | ConnectionView:
        """A transfer or a friendship."""
        return self.transfer(subject) if isinstance(subject, Transfer) else self.connection(subject)

    def story(self, transfer: Transfer, audited: tuple[Audited, ...]) -> StoryView:
        """A transfer with all that is noted about it."""
        related = [transfer.terms.parent] if transfer.terms.parent else []
        related += [child.id for child in lend.children(self.turn, transfer)]
        return StoryView(transfer=self.transfer(transfer), entries=self.entries(audited), related=related)

    def entries(self, audited: tuple[Audited, ...]) -> list[EntryView]:
        """What the audit has of one subject, as far as people are told of it."""
        return [
            EntryView(
                at=each.at,
                who=self._who(each.entry.who, each.entry.user) if each.entry.who else None,
                text=noted_in_words(self._locale, each.entry.what),
                event_id=each.entry.event_id,
            )
            for each in audited
            if is_told(each.entry.what)
        ]

    def space_ref(self, party: str) -> SpaceRef:
        """A space as chat names it."""
        name = self.turn.us.name if party == self.turn.us.party else self.turn.party_name(party)
        return SpaceRef(id=party, name=name)

    # --- lists ---

    def now(self) -> NowView:
        """What waits, and what is under way."""
        todo = todo_of(self.turn, self.person, self.rooms, self.permissions)
        told = {subject.id for subject in (*todo.to_decide, *todo.asked, *todo.parcels, *todo.disputed, *todo.on_loan)}
        open_ = [t for t in self.turn.open_transfers() if t.room in self.rooms and t.id not in told]
        return NowView(
            to_decide=[self.either(subject) for subject in todo.to_decide],
            asked=[self.either(subject) for subject in todo.asked],
            parcels=[self.transfer(transfer) for transfer in todo.parcels],
            unclear=[self.transfer(transfer) for transfer in todo.disputed],
            under_way=[self.transfer(transfer) for transfer in open_],
            on_loan=[self.transfer(transfer) for transfer in self._loans()],
            for_admins=[self.either(subject) for subject in _for_admins(todo)],
        )

    def outside(self, wanted: Ledger) -> list[OutsideLoan]:
        """What neighbours without a bot have or had, as far as it was lent in this person's rooms."""
        return [each for each in self.turn.outside_loans() if each.room in self.rooms and wanted.covers_outside(each)]

    def loans(self) -> list[TransferView]:
        """All that is on loan, here or at friends, what is due first coming first."""
        return [self.transfer(transfer) for transfer in self._loans()]

    def undecided(self) -> list[TransferView]:
        """All that waits for a decision, here or at friends."""
        waits = [t for t in self.turn.open_transfers() if t.room in self.rooms and t.state is TransferState.OPEN]
        return [self.transfer(transfer) for transfer in waits]

    def of_item(self, item: int) -> list[TransferView]:
        """Every transfer of that stock item of ours, what was asked last coming first."""
        found = [t for t in self.turn.marked(Mark.ITEM, item) if t.room in self.rooms]
        return [self.transfer(transfer) for transfer in history.newest_first(found)]

    def item_page(self, item: int) -> str:
        """Its page in our InvenTree; '' if we don't know where that is."""
        url = self.turn.us.inventory_url
        return history.item_page(url, self.turn.standing().api, item) if url else ""

    def _loans(self) -> list[Transfer]:
        return [transfer for transfer in lend.on_loan(self.turn) if transfer.room in self.rooms]

    def bookings(self) -> list[TransferView]:
        """Loans that are agreed or asked for ahead and haven't begun, the first day coming first."""
        ahead = [t for t in self.turn.open_transfers() if t.terms.starts is not None and t.room in self.rooms]
        return [self.transfer(t) for t in sorted(ahead, key=lambda t: (t.terms.starts or date.max, t.id))]

    def waiting(self) -> list[WaitingView]:
        """Who waits for what: our people at friends, then friends and our people for what is ours."""
        places = [each for each in self.turn.places_in_line() if each.is_living and each.room in self.rooms]
        entries = [each for each in self.turn.queue() if each.room in self.rooms]
        return [*map(self._place, places), *map(self._entry, entries)]

    def _place(self, place: PlaceInLine) -> WaitingView:
        space = self.space_ref(place.peer)
        return WaitingView(
            code=place.code,
            ours=True,
            space=space,
            word=place.word,
            quantity=plain(place.quantity),
            unit=place.unit,
            place=place.place,
            by=self._signer(place.by),
            until=place.until,
            text=_plain(queue_words.place_in_short(self._locale, place, space.name)),
        )

    def _entry(self, entry: QueueEntry) -> WaitingView:
        space, at = self.space_ref(entry.party), queue.place_of(self.turn, entry)
        who = entry.by.name if entry.by else space.name
        return WaitingView(
            code=entry.code,
            ours=False,
            space=space,
            word=entry.name or entry.word,
            quantity=plain(entry.quantity),
            unit=entry.unit,
            place=at,
            by=self._signer(entry.by) if entry.by else None,
            until=entry.kept_until,
            text=_plain(queue_words.entry_in_short(self._locale, who, at, entry)),
        )

    def rotas(self) -> list[RotaView]:
        """What is asked of several friends in turn, or was lately."""
        return [self._rota(rota) for rota in self.turn.rotas() if rota.room in self.rooms]

    def _rota(self, rota: Rota) -> RotaView:
        return RotaView(
            id=rota.id,
            code=rota.code,
            word=rota.word,
            wanted=plain(rota.wanted),
            unit=rota.unit,
            state=rota.state.value,
            at=rota.at,
            asked_by=self._signer(rota.asker),
            loan_until=rota.loan_until,
            asked=[
                AskedView(
                    space=self.space_ref(each.party),
                    transfer=each.transfer,
                    quantity=plain(each.quantity),
                    at=each.at,
                    why=each.why.value if each.why else "",
                )
                for each in rota.asked
            ],
            waiting=[self.space_ref(each.party) for each in rota.waiting],
            stuck=rota.stuck,
        )

    def with_neighbours(self) -> list[OutsideView]:
        """What neighbours without a bot have, what is due first coming first; then what they had, the newest first."""
        loans = self.outside(Ledger())
        here = sorted((each for each in loans if each.is_living), key=lambda each: (each.until, each.id))
        over = sorted((each for each in loans if not each.is_living), key=lambda each: each.by.at, reverse=True)
        return [self._outside(loan) for loan in (*here, *over)]

    def _outside(self, loan: OutsideLoan) -> OutsideView:
        item, today = loan.item or loan.source, self.turn.today()
        late = (today - loan.until).days if outside.is_overdue(self.turn, loan) else 0
        return OutsideView(
            id=loan.id,
            code=loan.code,
            neighbour=loan.neighbour,
            state=loan.state.value,
            part=loan.description.name,
            ipn=loan.description.ipn,
            quantity=plain(loan.quantity),
            units=loan.description.units,
            serial=loan.serial,
            batch=loan.batch,
            our_item=item,
            our_item_page=self.item_page(item),
            lent_at=loan.by.at,
            lent_by=self._signer(loan.by),
            due_day=loan.until,
            overdue_days=late,
            damaged=loan.damaged,
            note=loan.note,
            ended_at=loan.ended,
            ended_by=self._signer(loan.ended_by) if loan.ended_by else None,
            handed_to=self.space_ref(loan.friend) if loan.friend else None,
            transfer=loan.handing,
            problem=reason_of(loan.problem) if loan.problem else "",
            state_text=_plain(neighbour_words.outside_state(self._locale, loan)),
        )

    def wants(self) -> list[WantView]:
        """What our people want that nobody had, then what friends want; what ends first comes first."""
        ours = [each for each in self.turn.wants() if each.is_living and each.room in self.rooms]
        friends = {c.id for c in self.turn.connections() if c.room in self.rooms}
        theirs = [each for each in self.turn.friend_wants() if each.connection in friends]
        return [
            *(self._want(each) for each in sorted(ours, key=lambda each: (each.until, each.id))),
            *(self._friend_want(each) for each in sorted(theirs, key=lambda each: (each.until, each.id))),
        ]

    def _want(self, wanted: Want) -> WantView:
        return WantView(
            ours=True,
            space=self.space_ref(self.turn.us.party),
            word=wanted.word,
            quantity=plain(wanted.quantity),
            unit=wanted.unit,
            until=wanted.until,
            code=wanted.code,
            by=self._signer(wanted.by),
            lacking=plain(wanted.lacking),
        )

    def _friend_want(self, wanted: FriendWant) -> WantView:
        return WantView(
            ours=False,
            space=self.space_ref(wanted.peer),
            word=wanted.word,
            quantity=plain(wanted.quantity),
            unit=wanted.unit,
            until=wanted.until,
            told_at=wanted.told,
        )

    def spaces(self) -> list[SpaceView]:
        """The spaces in this person's rooms."""
        return [self._space(space.party, space.name) for space in lookup.spaces_of(self.turn, self.rooms)]

    def space_refs(self) -> list[SpaceRef]:
        """Only their ids and names, which takes no counting."""
        return [SpaceRef(id=each.party, name=each.name) for each in lookup.spaces_of(self.turn, self.rooms)]

    def friends(self) -> list[SpaceRef]:
        """Those that something can be asked of, or offered."""
        friends = {c.peer for c in self.turn.connections() if c.room in self.rooms and c.state in LIVING_CONNECTION}
        return [each for each in self.space_refs() if each.id in friends]

    def space(self, party: str) -> SpaceView | None:
        """One of them."""
        return next((self._space(each.id, each.name) for each in self.space_refs() if each.id == party), None)

    def agenda(self, first: date, last: date) -> list[AgendaView]:
        """What is fetched and due back on these days, by the day."""
        ours = bookings.of_neighbours(self.turn, self.rooms, first, last)
        return [
            *(
                AgendaView(day=each.day, what=_HAPPENS[each.what], transfer=self.transfer(each.transfer))
                for each in bookings.entries(self.turn, self.rooms, first, last)
            ),
            *(AgendaView(day=each.day, what=_HAPPENS[each.what], neighbours=self._outside(each.loan)) for each in ours),
        ]

    def dealings(self, party: str) -> DealingsView | None:
        """What went between us and that space, since ever."""
        all_of_it = ledger_figures.dealings(self.turn, 0, self.rooms)
        return next((self._dealings(each) for each in all_of_it if each.party == party), None)

    def figures(self, counts: StockCounts | None, days: int) -> FiguresView:
        """Our figures of the last `days` (0: since ever), as a direct chat tells them. None: InvenTree is silent."""
        own = ledger_figures.own(self.turn, counts or StockCounts(), days, self.rooms)
        told = ledger_figures.for_room(self.turn, own, "")
        past = stats.with_today(self.turn, self.turn.stock_history(), told.stock_items)
        known = {name: getattr(told, name) for name in (*COUNTS, "shared")}
        return FiguresView(
            days=days,
            hidden=told.problem == "hidden",
            silent=counts is None,
            counts={name: number for name, number in known.items() if number is not None},
            dealings=[self._dealings(each) for each in told.dealings],
            stock=list(past.points) if told.stock_items is not None else [],
        )

    def _dealings(self, dealings: Dealings) -> DealingsView:
        ways = {way: _flow(getattr(dealings, way)) for way in WAYS}
        space = SpaceRef(id=dealings.party, name=dealings.name)
        return DealingsView(space=space, open=dealings.open, **ways)

    def _space(self, party: str, name: str) -> SpaceView:
        seen = spaces.seen(self.turn, self.rooms, party, name)
        connection = seen.connection
        return SpaceView(
            id=party,
            name=name,
            friend=connection is not None and connection.state in LIVING_CONNECTION,
            fingerprint=seen.fingerprint,
            access=seen.access,
            unanswered=seen.unanswered,
            shares=seen.shares,
            transfers=self.turn.count(self.rooms, party),
            connection=self.connection(connection) if connection else None,
        )

    def connections(self) -> list[ConnectionView]:
        """Every friendship in this person's rooms, past ones too."""
        return [self.connection(c) for c in self.turn.connections() if c.room in self.rooms]

    async def ledger(self, wanted: Ledger, cursor: str, most: int) -> LedgerPage:
        """A page of at most so many transfers. Raises `BadCursor`."""
        behind = understood(cursor) if cursor else None
        items: list[TransferView] = []
        place: Place | None = None
        looked_at = 0
        async for transfer in self.transfers(wanted, behind):
            if len(items) >= most or looked_at >= MOST_LOOKED_AT:
                return LedgerPage(items=items, next=written(place) if place else None)
            looked_at += 1
            place = (transfer.asked.at, transfer.id)
            if wanted.covers(transfer):
                items.append(self.transfer(transfer))
        return LedgerPage(items=items)

    async def transfers(self, wanted: Ledger, behind: Place | None = None) -> AsyncIterator[Transfer]:
        """Those of that space and time that this person may read of, newest first; the bot goes on between them.

        The other filters are the caller's.
        """
        for number, transfer in enumerate(self.turn.newest(self.rooms, wanted.space, wanted.since, behind), 1):
            yield transfer
            if number % GIVES_WAY_AFTER == 0:
                await asyncio.sleep(0)

    # --- lines and searches ---

    def said(self, line: WebLine) -> LineSaidView:
        """A line with its answers."""
        kept = next((each.id for each in self.turn.searches() if each.event_id == line.id), None)
        last = line.answers[-1] if line.answers else None
        return LineSaidView(
            id=line.id,
            outcome=last.outcome if last else None,
            waiting=last is None,
            answers=[
                AnswerView(sentence=each.sentence, text=each.plain, html=each.html, choices=list(each.choices))
                for each in line.answers
            ],
            search=kept,
        )

    def search(self, identifier: str) -> SearchView | None:
        """The hits of this person's search, while they are kept."""
        kept = self.turn.search(identifier)
        return self._search(kept) if kept is not None and kept.person == self.person else None

    def _search(self, kept: Search) -> SearchView:
        return SearchView(
            id=kept.id,
            words=kept.words,
            hits=[
                self._hit(number, SpaceRef(id=space.party, name=space.name), hit)
                for number, (space, hit) in enumerate(kept.hits, 1)
            ],
            waiting=[self.space_ref(party) for party in kept.waiting],
            problems={space.party: space.problem for space in kept.came if space.problem},
        )

    def picture(self, identifier: str, number: int) -> Mapping[str, Any]:
        """Where the picture of that hit of this person's search lies; {} if it has none."""
        kept = self.turn.search(identifier)
        hits = kept.hits if kept is not None and kept.person == self.person else ()
        return hits[number - 1][1].picture if 0 < number <= len(hits) else {}

    def _hit(self, number: int, space: SpaceRef, hit: Hit) -> HitView:
        return HitView(
            number=number,
            space=space,
            item=hit.item,
            name=hit.name,
            ipn=hit.ipn,
            quantity=plain(hit.quantity),
            units=hit.units,
            condition=hit.condition,
            flawed=plain(hit.flawed),
            lent=plain(hit.lent),
            back=hit.back,
            booked=plain(hit.booked),
            booked_from=hit.booked_from,
            booked_until=hit.booked_until,
            waiting=hit.waiting,
            place=hit.place,
            state_text=_plain(catalogue_words.availability(self._locale, hit)).removeprefix(", "),
            picture=bool(hit.picture),
            word=search.word_for(hit),
        )

    def accesses(self, this: str = "") -> list[AccessView]:
        """What this person holds."""
        return [access_view(access, this) for access in web.held_by(self.turn, self.person)]

    # --- parts ---

    def _card(self, subject: Subject) -> CardView | None:
        if not ((decides_here(self.turn.us, subject) and is_open(subject)) or awaits_parcel(subject)):
            return None
        plain_, html = self._render(decisions.card(self.turn, subject))
        yours = waits_for(self.turn, subject, self.person, self.permissions)
        transfer = subject if isinstance(subject, Transfer) else None
        first = transfer.first_yes if transfer else None
        running = subject.decision
        return CardView(
            shown=web.shown_hash(self.turn, subject),
            text=plain_,
            html=html,
            choices=list(decisions.choices(subject)),
            yours=yours or (awaits_parcel(subject) and self.permissions.covers(Permission.APPROVER)),
            care=transfer.care if transfer else False,
            takes_quantity=transfer is not None and transfer.terms.kind == "request" and transfer.role == "sender",
            first_yes_by=self.turn.name_of(first.person, subject.room) if first else "",
            running_by=self.turn.name_of(running.person, subject.room) if running else "",
            ends=running.ends if running else None,
        )

    def _line(self, transfer: Transfer, line: Line) -> LineView:
        item = history.our_item(transfer, line)
        return LineView(
            number=line.number,
            part=line.description.name,
            ipn=line.description.ipn,
            quantity=plain(line.quantity),
            units=line.description.units,
            serial=line.serial,
            batch=line.batch,
            condition=line.status_text,
            place=line.place,
            our_item=item,
            our_item_page=self.item_page(item) if item else "",
        )

    def _signer(self, signature: Signature) -> PersonView:
        return PersonView(
            id=signature.person, name=signature.name or signature.person, user=self._user(signature.person)
        )

    def _who(self, person: str, user: str) -> PersonView:
        return PersonView(id=person, name=self.turn.name_of(person), user=user)

    def _user(self, person: str) -> str:
        return self.turn.us.people.get(person, "")


def access_view(access: WebAccess, this: str = "") -> AccessView:
    """A session or token as its person sees it."""
    return AccessView(
        id=access.id[:16],
        kind=access.kind.value,
        name=access.name,
        scope=access.scope.value,
        made=access.made,
        ends=access.ends,
        this=access.id == this,
    )


def _flow(flow: Flow) -> FlowView:
    return FlowView(lines=flow.lines, pieces=plain(flow.pieces))


def _for_admins(todo: Todo) -> list[Subject]:
    return [*todo.suspended, *todo.to_make, *todo.lacking, *todo.left_over]


def _plain(words: tuple[Inline, ...]) -> str:
    return render([words]).plain
