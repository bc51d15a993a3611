"""Reads the bot's documents for one person: only those of the rooms that the person is in.

`Reader` turns documents into the models of `views`, for the API and the pages.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import takewhile
from typing import Any, Literal

from fedbot import messages
from fedbot.commands import lookup, spaces
from fedbot.commands.todo import seen as todo_of
from fedbot.commands.todo import waits_for
from fedbot.messages import catalogue as catalogue_words
from fedbot.messages import naming
from fedbot.messages.audit import are_told, entry_in_words
from fedbot.messages.language import Locale
from fedbot.messages.markup import Inline, render
from fedbot.messages.outside import outside_state
from fedbot.messages.transfer.card_lines import state_in_words
from fedbot.messages.transfer.waiting_list import entry_in_short, place_in_short
from fedbot.ports.journal import Audited
from fedbot.rules import decisions, web
from fedbot.rules.archive import Mark, Place
from fedbot.rules.catalogue import search
from fedbot.rules.ledger import history, stats
from fedbot.rules.loan import balance, bookings, outside, waiting_list
from fedbot.rules.model.audit import AuditEntry
from fedbot.rules.model.books import COUNTS, WAYS, Dealings, Flow
from fedbot.rules.model.catalogue import FriendWant, Hit, Search, SpaceHits, Want
from fedbot.rules.model.command import WebAccess, WebLine
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.diagnosis import reason_of
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.from_anyone import Rota
from fedbot.rules.model.ledger import OnThatDay, Todo
from fedbot.rules.model.lending import OUTSIDE, OutsideLoan, PlaceInLine, QueueEntry
from fedbot.rules.model.lifecycles import (
    BEFORE_DEBIT,
    ENDS_OF_A_LOAN,
    LIVING_CONNECTION,
    MAY_BE_HANDED_OVER,
    OutsideState,
    TransferState,
)
from fedbot.rules.model.queries import StockCounts
from fedbot.rules.model.stock import Permission, Permissions, plain
from fedbot.rules.model.transfer import Line, Transfer
from fedbot.rules.protocol import who_answers
from fedbot.rules.state import Turn
from fedbot.rules.who_decides import Subject, awaits_parcel, decides_here, is_open
from fedbot.rules.wire import fingerprint
from fedbot.web.site.problems import Problem
from fedbot.web.site.views import (
    AccessView,
    AgendaView,
    AnswerView,
    AskedView,
    CardView,
    ConnectionView,
    DealingsView,
    EntryView,
    FiguresView,
    FlowView,
    HitView,
    LedgerPage,
    LineSaidView,
    LineView,
    NowView,
    OutsideView,
    PersonView,
    RotaView,
    SearchView,
    SpaceRef,
    SpaceView,
    StoryView,
    TransferView,
    WaitingView,
    WantView,
)

MOST_ON_A_PAGE = 100
MOST_LOOKED_AT = 5_000
"""The most transfers that are read for one page of a filtered list; the cursor continues after them."""
GIVES_WAY_AFTER = 10
"""The number of transfers after which the bot's other work gets its turn."""


@dataclass(frozen=True)
class LedgerFilter:
    """A filter of the ledger; '' and None match everything. `item`: a part's name or IPN.

    Each of `words` is in its items, serial numbers, note, id or people's names.
    """

    space: str = ""
    state: str = ""
    kind: str = ""
    direction: str = ""
    since: datetime | None = None
    item: str = ""
    person: str = ""
    words: str = ""

    def covers(self, entry: Transfer | OutsideLoan) -> bool:
        """Whether a transfer matches, apart from `space` and `since`, which the archive filters by; or a loan does."""
        return self._covers_transfer(entry) if isinstance(entry, Transfer) else self._covers_outside(entry)

    def _covers_transfer(self, transfer: Transfer) -> bool:
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

    def _covers_outside(self, loan: OutsideLoan) -> bool:
        what = f"{loan.description.name} {loan.description.ipn} {loan.serial} {loan.batch}"
        told = f"{loan.id} {loan.note} {loan.neighbour} {loan.by.name} {what}".casefold()
        return (
            self.space in {"", f"{OUTSIDE}{loan.neighbour}"}
            and self.state in {"", loan.state.value, _OUTSIDE_STATES.get(loan.state, "")}
            and self.kind in {"", "outside"}
            and self.direction in {"", "out"}
            and (self.since is None or max(loan.by.at, loan.ended or loan.by.at) >= self.since)
            and (not self.item or history.outside_touches(loan, (), self.item))
            and self.person in {"", loan.by.person}
            and all(word in told for word in self.words.casefold().split())
        )


_OUTSIDE_STATES: Mapping[OutsideState, str] = {
    **dict.fromkeys(MAY_BE_HANDED_OVER | {OutsideState.HANDING_OVER, OutsideState.COMING_BACK}, "on_loan"),
    **dict.fromkeys(ENDS_OF_A_LOAN | {OutsideState.CLOSED}, "done"),
}
"""The state of a transfer that corresponds to each state of a loan to a neighbour."""


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


def cursor_behind(place: Place) -> str:
    """The cursor that continues after this place."""
    return base64.urlsafe_b64encode(f"{place[0].isoformat()} {place[1]}".encode()).decode().rstrip("=")


def place_of(cursor: str) -> Place:
    """The place that a cursor continues after. Raises `Problem` if it isn't a cursor."""
    try:
        at, _, identifier = base64.urlsafe_b64decode(f"{cursor}==").decode().partition(" ")
        moment = datetime.fromisoformat(at)
    except (ValueError, binascii.Error) as problem:
        raise Problem(say(messages.web.no_such_cursor)) from problem
    if moment.tzinfo is None:
        raise Problem(say(messages.web.no_such_cursor))
    return moment, identifier


class Reader:
    """Everything that one person may read, at one moment."""

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

    # --- single subjects ---

    def subject(self, identifier: str) -> Subject | None:
        """The transfer or connection with this id or code, if the person may read it."""
        found = self.turn.subject(identifier)
        hits = [found] if found else self.turn.by_code(identifier)
        mine = [hit for hit in hits if hit.room in self.rooms]
        return mine[0] if len(mine) == 1 else None

    def transfer(self, transfer: Transfer) -> TransferView:
        """A transfer."""
        terms, decided = transfer.terms, transfer.decided or transfer.granted
        out = balance.lines_still_out(self.turn, transfer) if transfer.is_on_loan else ()
        late = (self.turn.day_of(transfer) - transfer.due_day).days if transfer.due_day and out else 0
        return TransferView(
            id=transfer.id,
            code=transfer.code,
            kind=history.kind_of(transfer),
            state=transfer.state.value,
            state_text=_plain(state_in_words(self._locale, transfer)),
            direction="out" if transfer.role == "sender" else "in",
            peer=self.space_ref(transfer.peer),
            lines=[self._line(transfer, line) for line in transfer.lines_come or terms.lines],
            asked_at=transfer.asked.at,
            asked_by=self._signer(transfer.asked),
            decided_at=decided.at if decided else None,
            decided_by=self._signer(decided) if decided else None,
            due=transfer.due,
            first_day=terms.starts,
            due_day=transfer.due_day,
            due_now=self._due_now(transfer),
            on_loan=transfer.is_on_loan,
            on_its_way=transfer.is_on_its_way,
            overdue_days=max(late, 0),
            days_left=-late if transfer.due_day and out and late <= 0 else None,
            still_out=[self._line(transfer, line) for line in out],
            missing=[self._line(transfer, line) for line in transfer.lines_missing],
            note=terms.note,
            ended_at=transfer.over_at,
            parent=terms.parent,
            card=self._card(transfer),
        )

    def _due_now(self, transfer: Transfer) -> date | None:
        """The due date that an extension would change, while it waits for its decision."""
        is_asked = transfer.terms.kind == "extension" and transfer.state is TransferState.OPEN
        loan = self.turn.transfer(transfer.terms.parent) if is_asked else None
        return loan.due_day if loan is not None else None

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
        """A transfer with its audit."""
        related = [transfer.terms.parent] if transfer.terms.parent else []
        related += [child.id for child in balance.children(self.turn, transfer)]
        return StoryView(transfer=self.transfer(transfer), entries=self.entries(audited), related=related)

    def entries(self, audited: tuple[Audited, ...]) -> list[EntryView]:
        """The audit entries that people may read."""
        return [
            EntryView(
                at=each.at,
                who=self._who(each.entry) if each.entry.who else None,
                text=entry_in_words(self._locale, each.entry.what),
                event_id=each.entry.event_id,
            )
            for each, is_told in zip(audited, are_told([each.entry for each in audited]), strict=True)
            if is_told
        ]

    def space_ref(self, party: str) -> SpaceRef:
        """A space with the name that chat uses."""
        name = self.turn.us.name if party == self.turn.us.party else self.turn.party_name(party)
        return SpaceRef(id=party, name=name)

    # --- lists ---

    def now(self) -> NowView:
        """Everything that waits, and everything in progress."""
        todo = todo_of(self.turn, self.person, self.rooms, self.permissions)
        to_decide = (*todo.to_decide, *todo.left_behind)
        told = {subject.id for subject in (*to_decide, *todo.asked, *todo.parcels, *todo.disputed, *todo.on_loan)}
        open_ = [t for t in self.turn.open_transfers() if t.room in self.rooms and t.id not in told]
        return NowView(
            to_decide=[self.either(subject) for subject in to_decide],
            asked=[self.either(subject) for subject in todo.asked],
            parcels=[self.transfer(transfer) for transfer in todo.parcels],
            unclear=[self.transfer(transfer) for transfer in todo.disputed],
            under_way=[self.transfer(transfer) for transfer in open_],
            on_loan=[self.transfer(transfer) for transfer in self._loans() if transfer.is_on_loan],
            for_admins=[self.either(subject) for subject in _for_admins(todo)],
        )

    def _outside_loans(self) -> list[OutsideLoan]:
        """Loans to neighbours without a bot that were lent in this person's rooms."""
        return [each for each in self.turn.all(OutsideLoan) if each.room in self.rooms]

    def loans(self) -> list[TransferView]:
        """All loans, here, at friends and on their way. The first due date comes first."""
        return [self.transfer(transfer) for transfer in self._loans()]

    def undecided(self) -> list[TransferView]:
        """All transfers that wait for a decision, here or at friends."""
        waits = [t for t in self.turn.open_transfers() if t.room in self.rooms and t.state is TransferState.OPEN]
        return [self.transfer(transfer) for transfer in waits]

    def of_item(self, item: int) -> list[TransferView | OutsideView]:
        """All transfers and loans to neighbours of this stock item of ours, the newest first."""
        return [self._in_ledger(each) for each in self._of_item(item)]

    def item_name(self, item: int) -> str:
        """The item's name in the ledger; '' if nothing there is of it."""
        for entry in self._of_item(item):
            if isinstance(entry, OutsideLoan):
                return entry.description.name
            lines = [each for each in entry.terms.lines if item in history.our_items(entry, each)]
            if lines:
                return lines[0].description.name
        return ""

    def _of_item(self, item: int) -> Iterator[Transfer | OutsideLoan]:
        found = [t for t in self.turn.marked(Mark.ITEM, item) if t.room in self.rooms]
        lent = [loan for loan in self._outside_loans() if history.outside_touches(loan, {item}, "")]
        return history.with_outside(history.newest_first(found), lent)

    def item_page(self, item: int) -> str:
        """The item's page in our InvenTree; '' if the address isn't known."""
        url = self.turn.us.inventory_url
        return history.item_page(url, self.turn.status().api, item) if url else ""

    def _loans(self) -> list[Transfer]:
        return [transfer for transfer in self.turn.loans_away() if transfer.room in self.rooms]

    def bookings(self) -> list[TransferView]:
        """Loans that are booked, or asked for, ahead and haven't left their owner. The first day comes first."""
        open_ = (t for t in self.turn.open_transfers() if t.terms.starts is not None and t.room in self.rooms)
        ahead = [t for t in open_ if t.state in BEFORE_DEBIT | {TransferState.DEBITING}]
        return [self.transfer(t) for t in sorted(ahead, key=lambda t: (t.terms.starts or date.max, t.id))]

    def waiting(self) -> list[WaitingView]:
        """The waiting lists: first our people's places at friends, then who waits for our stock."""
        places = [each for each in self.turn.all(PlaceInLine) if each.is_living and each.room in self.rooms]
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
            text=_plain(place_in_short(self._locale, place, space.name)),
        )

    def _entry(self, entry: QueueEntry) -> WaitingView:
        space, at = self.space_ref(entry.party), waiting_list.place_of(self.turn, entry)
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
            text=_plain(entry_in_short(self._locale, who, at, entry)),
        )

    def rotas(self) -> list[RotaView]:
        """Requests from anyone that run, or ended lately."""
        return [self._rota(rota) for rota in self.turn.all(Rota) if rota.room in self.rooms]

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
        """Loans to neighbours: first what they have, by due date; then what they had, the newest first."""
        loans = self._outside_loans()
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
            state_text=_plain(outside_state(self._locale, loan)),
        )

    def wants(self) -> list[WantView]:
        """First our people's wants, then friends'. The first to end comes first."""
        ours = [each for each in self.turn.all(Want) if each.is_living and each.room in self.rooms]
        friends = {c.id for c in self.turn.connections() if c.room in self.rooms}
        theirs = [each for each in self.turn.all(FriendWant) if each.connection in friends]
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
            note=wanted.note,
        )

    def _friend_want(self, wanted: FriendWant) -> WantView:
        return WantView(
            ours=False,
            space=self.space_ref(wanted.peer),
            word=wanted.word,
            quantity=plain(wanted.quantity),
            unit=wanted.unit,
            until=wanted.until,
            note=wanted.note,
            told_at=wanted.told,
        )

    def spaces(self) -> list[SpaceView]:
        """The spaces in this person's rooms."""
        return [self._space(space.party, space.name) for space in lookup.spaces_of(self.turn, self.rooms)]

    def space_refs(self) -> list[SpaceRef]:
        """The spaces in this person's rooms, only id and name, which is quick."""
        return [SpaceRef(id=each.party, name=each.name) for each in lookup.spaces_of(self.turn, self.rooms)]

    def neighbours(self) -> list[SpaceRef]:
        """The neighbours without a bot that have, or had, something of ours; by name."""
        names = sorted({loan.neighbour for loan in self._outside_loans()})
        return [SpaceRef(id=f"{OUTSIDE}{name}", name=name) for name in names]

    def friends(self) -> list[SpaceRef]:
        """The friends, to which the person can offer something, or send a request."""
        friends = {c.peer for c in self.turn.connections() if c.room in self.rooms and c.state in LIVING_CONNECTION}
        return [each for each in self.space_refs() if each.id in friends]

    def space(self, party: str) -> SpaceView | None:
        """One of the spaces in this person's rooms; None if it isn't there."""
        return next((self._space(each.id, each.name) for each in self.space_refs() if each.id == party), None)

    def agenda(self, first: date, last: date) -> list[AgendaView]:
        """Pick-ups and due dates on these days: first of transfers, then of neighbours' loans."""
        ours = bookings.neighbour_entries(self.turn, self.rooms, first, last)
        return [
            *(
                AgendaView(day=each.day, what=_HAPPENS[each.what], transfer=self.transfer(each.transfer))
                for each in bookings.entries(self.turn, self.rooms, first, last)
            ),
            *(AgendaView(day=each.day, what=_HAPPENS[each.what], neighbours=self._outside(each.loan)) for each in ours),
        ]

    def dealings(self, party: str) -> DealingsView | None:
        """All dealings with this space; None if there were none."""
        all_of_it = stats.dealings(self.turn, 0, self.rooms)
        return next((self._dealings(each) for each in all_of_it if each.party == party), None)

    def figures(self, counts: StockCounts | None, days: int) -> FiguresView:
        """Our figures of the last `days` (0: all). `counts` is None if InvenTree doesn't answer."""
        own = stats.own(self.turn, counts or StockCounts(), days, self.rooms)
        told = stats.for_room(self.turn, own, "")
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
        neighbour = dealings.party.startswith(OUTSIDE)
        return DealingsView(space=space, neighbour=neighbour, open=dealings.open, **ways)

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

    async def ledger(self, wanted: LedgerFilter, cursor: str, most: int) -> LedgerPage:
        """A page of at most `most` transfers. Raises `Problem` if the cursor is invalid."""
        behind = place_of(cursor) if cursor else None
        items: list[TransferView | OutsideView] = []
        place: Place | None = None
        looked_at = 0
        async for entry in self.in_order(wanted, behind):
            if len(items) >= most or looked_at >= MOST_LOOKED_AT:
                return LedgerPage(items=items, next=cursor_behind(place) if place else None)
            looked_at += 1
            place = history.place_of(entry)
            if wanted.covers(entry):
                items.append(self._in_ledger(entry))
        return LedgerPage(items=items)

    async def in_order(
        self, wanted: LedgerFilter, behind: Place | None = None
    ) -> AsyncIterator[Transfer | OutsideLoan]:
        """The transfers and neighbours' loans that the person may read, newest first. The bot's other work goes on.

        Transfers are filtered only by `space` and `since`; the caller checks `wanted.covers`.
        """
        loans = [each for each in self._outside_loans() if wanted.covers(each)]
        loans = [each for each in loans if behind is None or history.place_of(each) < behind]
        transfers = self.turn.newest(self.rooms, wanted.space, wanted.since, behind)
        for number, entry in enumerate(history.with_outside(transfers, loans), 1):
            yield entry
            if number % GIVES_WAY_AFTER == 0:
                await asyncio.sleep(0)

    def _in_ledger(self, entry: Transfer | OutsideLoan) -> TransferView | OutsideView:
        return self.transfer(entry) if isinstance(entry, Transfer) else self._outside(entry)

    # --- lines and searches ---

    def said(self, line: WebLine) -> LineSaidView:
        """A line with its answers."""
        kept = next((each.id for each in self.turn.all(Search) if each.event_id == line.id), None)
        last = line.answers[-1] if line.answers else None
        since = takewhile(lambda transfer: transfer.asked.at >= line.at, self.turn.newest(self.rooms, since=line.at))
        return LineSaidView(
            id=line.id,
            outcome=last.outcome if last else None,
            waiting=last is None,
            answers=[
                AnswerView(sentence=each.sentence, text=each.plain, html=each.html, choices=list(each.choices))
                for each in line.answers
            ],
            transfers=[transfer.id for transfer in since if transfer.asked.event_id == line.id],
            search=kept,
        )

    def search(self, identifier: str) -> SearchView | None:
        """The hits of this person's search, while they are kept."""
        kept = self.turn.get(Search, identifier)
        return self._search(kept) if kept is not None and kept.person == self.person else None

    def _search(self, kept: Search) -> SearchView:
        return SearchView(
            id=kept.id,
            words=kept.words,
            hits=[self._hit(number, space, hit) for number, (space, hit) in enumerate(kept.hits, 1)],
            waiting=[self.space_ref(party) for party in kept.waiting],
            problems={space.party: space.problem for space in kept.came if space.problem},
        )

    def picture(self, identifier: str, number: int) -> Mapping[str, Any]:
        """The place of this hit's picture on the homeserver; {} if it has none, or the search isn't this person's."""
        kept = self.turn.get(Search, identifier)
        hits = kept.hits if kept is not None and kept.person == self.person else ()
        return hits[number - 1][1].picture if 0 < number <= len(hits) else {}

    def _hit(self, number: int, space: SpaceHits, hit: Hit) -> HitView:
        return HitView(
            number=number,
            space=SpaceRef(id=space.party, name=space.name),
            item=hit.item,
            name=hit.name,
            ipn=hit.ipn,
            revision=hit.revision,
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
            word=search.word_for(hit, space.hits),
        )

    def accesses(self, this: str = "") -> list[AccessView]:
        """This person's sessions and tokens."""
        return [access_view(access, this) for access in web.held_by(self.turn, self.person)]

    # --- parts ---

    def _card(self, subject: Subject) -> CardView | None:
        if not ((decides_here(self.turn.us, subject) and is_open(subject)) or awaits_parcel(subject)):
            return None
        phrase = decisions.card(self.turn, subject)
        if isinstance(subject, Transfer):
            phrase = replace(phrase, about={**phrase.about, "full": True})
        plain_, html = self._render(phrase)
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
        name, user = signature.name or signature.person, self._user(signature.person)
        return PersonView(id=signature.person, name=name, user=user, text=naming.signed(self._locale, signature))

    def _who(self, entry: AuditEntry) -> PersonView:
        name = self.turn.name_of(entry.who)
        text = naming.off_chat(self._locale, name, entry.event_id, entry.through)
        return PersonView(id=entry.who, name=name, user=entry.user, text=text)

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
