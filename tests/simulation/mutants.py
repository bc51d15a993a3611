"""The rules, broken on purpose one at a time. Each variant must break a promise in a history or an attack.

Each is a small patch of the product, in force while its history is played.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from unittest.mock import patch

from fedbot.commands import deciding, here
from fedbot.commands import outside as outside_lines
from fedbot.commands.stock_to_offer import Ahead
from fedbot.engine import pipeline
from fedbot.engine.chat_worker import ChatWorker
from fedbot.engine.inventory_workers import StepWorker
from fedbot.inventree import incoming, outgoing
from fedbot.inventree.client.server import Server
from fedbot.inventree.inventory import ACTS
from fedbot.inventree.stock import item_row
from fedbot.journal import outbox
from fedbot.journal.journal import Journal
from fedbot.ports.chat import Delivery
from fedbot.ports.inventory import OutcomeUnknown, Refusal, Unavailable
from fedbot.ports.journal import OutboxRow
from fedbot.rules import budgets, card_content, decisions, dispatch, inbound, web, who_decides
from fedbot.rules.archive import Document
from fedbot.rules.catalogue import want
from fedbot.rules.connection import connect, pinning, provision
from fedbot.rules.decisions import ConfirmDecision
from fedbot.rules.loan import balance, bookings, extend, outside, waiting_list
from fedbot.rules.model.catalogue import FriendWant, WantShown
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import InRoom, Signature
from fedbot.rules.model.effects import Do, Phrase, SendEnvelope
from fedbot.rules.model.events import (
    Answered,
    DecidedOffChat,
    EnvelopeSeen,
    Event,
    Redacted,
    Said,
    StepDone,
    StepRefused,
    Tick,
)
from fedbot.rules.model.from_anyone import Rota
from fedbot.rules.model.lending import OutsideLoan, PlaceInLine, QueueEntry
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.queries import Able
from fedbot.rules.model.room import Room
from fedbot.rules.model.steps import CreateItem, MergeBack, MergedBack, Step, StepResult, note_of
from fedbot.rules.model.stock import Permission, Permissions, StockItem
from fedbot.rules.model.transfer import ShownTransfer, Terms, Transfer, with_progress
from fedbot.rules.protocol import announcements, bodies, sequencing, who_answers
from fedbot.rules.protocol.bodies import Approve, Body, Message
from fedbot.rules.state import State, Turn
from fedbot.rules.transfer import booking, both_sides, from_anyone, opening, request, resolve, send
from fedbot.rules.transfer import receive as receives
from fedbot.rules.transfer.both_sides import on_these_terms
from fedbot.rules.who_decides import Subject, asker_of
from fedbot.rules.wire import Opening, transaction_id
from tests.simulation.crashing import CrashingJournal
from tests.simulation.history import Outcome, lived
from tests.simulation.party import SteppedInventory

Break = Callable[[ExitStack], None]
MUTANTS: dict[str, Break] = {}
SEEDS: dict[str, int] = {
    "no probe": 4,
    "no settle": 24,
    "refusal after an unknown create": 4,
    "a step is finished before it is done": 6,
    "a step interrupted by a crash is forgotten": 8,
    "the sync token is stored before its events": 2,
    "a repeated chat event is decided twice": 1,
    "a re-send has the transaction id of the first send": 3,
    "each attempt to send has a new transaction id": 1,
    "a re-send has a new number": 3,
    "a protocol message is never sent again": 3,
    "a repeated protocol message is acted on twice": 3,
    "credit from a stale 'sent'": 5003,
    "no compare-and-set on decisions": 8,
    "the grace ends by the clock, before the sync": 4907,
    "a ✅ that is taken back still counts": 306,
    "everybody has every permission": 20459,
    "permissions are not read before the debit": 20898,
    "an approval of other terms counts": 2174,
    "expiry by the clock, without catching up": 15842,
    "no arbiter: the receiver ends a transfer alone": 6,
    "cancel after sent": 1229,
    "credit before debit": 113,
    "an item that nobody here approved is booked in": 8296,
    "a refusal without tombstone: the step is tried again": 619,
    "an item that can't be put away is refused": 4782,
    "an item that can't be handed over is not put back": 17,
}
"""The seed that caught each variant last, tried first. Rules of consent have attacks of their own (`attacks`)."""

#: The variants that no history among some hundred shows, but another test does (`test_mutants.DIALOGUES`).
ELSEWHERE: dict[str, str] = {
    "protocol messages are read out of order": "tests/rules/test_machines.py",
    "permissions are not read again after the grace": "tests/dialogue/test_who_decides.py",
    "a requester is known by one Matrix account only": "tests/dialogue/test_who_decides.py",
    "an item that became expensive since the card takes one person": "tests/dialogue/test_two_people.py",
    "an offer contains what the friend wants by now": "tests/dialogue/test_wanting.py",
    "our own clock says whether a line came before our card": "tests/dialogue/test_whose_card_decides.py",
    "a decision counts before the card shows its change": "tests/dialogue/test_whose_card_decides.py",
    "a neighbour gets an item whatever has changed since the line": "tests/dialogue/test_outside.py",
    "a booked item goes to a neighbour by one line": "tests/dialogue/test_outside.py",
    "a neighbour's loan that our InvenTree shows otherwise is handed over": "tests/dialogue/test_outside.py",
    "any of our stock items is taken for the lent one": "tests/dialogue/test_outside.py",
    "a declined hand-over leaves the neighbour's loan open to nobody": "tests/dialogue/test_outside.py",
    "a booking that appears in the grace changes nothing": "tests/dialogue/test_booking.py",
    "a booking that nobody picks up never lapses": "tests/dialogue/test_booking.py",
    "a booking from tomorrow on passes the queue": "tests/dialogue/test_waiting_list.py",
    "a reply to a turn requests what the friend keeps": "tests/dialogue/test_waiting_list.py",
    "an item that nobody here confirmed is booked in": "tests/dialogue/test_asking_anyone.py",
    "an item is merged into its source whatever differs": "tests/dialogue/test_putting_back.py",
    "the item that was put back takes in the one from which it came": "tests/dialogue/test_putting_back.py",
    **{f"no budget: {what}": "tests/dialogue" for what in (*budgets.LIMITS, *sorted(budgets.HOURLY))},
}


def mutant(name: str) -> Callable[[Break], Break]:
    """Register a broken variant under this name."""

    def register(function: Break) -> Break:
        MUTANTS[name] = function
        return function

    return register


@contextmanager
def broken(name: str) -> Iterator[None]:
    """Break the product in this way within the block."""
    with ExitStack() as stack:
        MUTANTS[name](stack)
        yield


@dataclass(frozen=True)
class Caught:
    """The seed whose history shows the fault, and the broken promise."""

    seed: int
    outcome: Outcome


def caught(name: str, seeds: Sequence[int]) -> Caught | None:
    """The first of these seeds that shows it."""
    with broken(name):
        for seed in seeds:
            outcome = lived(seed)
            if outcome.violations:
                return Caught(seed, outcome)
    return None


def _instead(stack: ExitStack, owner: object, name: str, function: object) -> Any:
    """Replace `owner.name` by `function`; return the original."""
    before = getattr(owner, name)
    stack.enter_context(patch.object(owner, name, function))
    return before


# --- the step protocol --------------------------------------------------------------------------------------


@mutant("no probe")
def _no_probe(stack: ExitStack) -> None:
    async def probe(*_: object) -> bool:
        return True

    _instead(stack, StepWorker, "_probe", probe)


@mutant("no settle")
def _no_settle(stack: ExitStack) -> None:
    def without(self: StepWorker, *arguments: Any, **named: Any) -> None:
        before(self, *arguments, **named)
        self._settle = timedelta(0)

    before = _instead(stack, StepWorker, "__init__", without)


@mutant("refusal after an unknown create")
def _refusal_after_unknown(stack: ExitStack) -> None:
    async def act(self: SteppedInventory, step: Step) -> StepResult:
        try:
            result: StepResult = await before(self, step)
        except OutcomeUnknown as problem:
            if isinstance(step, CreateItem):
                raise Refusal(problem.problem) from problem
            raise
        return result

    before = _instead(stack, SteppedInventory, "act", act)


@mutant("a step is finished before it is done")
def _finished_before(stack: ExitStack) -> None:
    async def act(self: StepWorker, row: OutboxRow, effect: Do) -> None:
        self._journal.begin(row.id, self._clock.now())
        self._journal.finish(row.id, None)
        try:
            result = await self._inventory.act(effect.step)
        except Refusal as problem:
            self._engine.put(StepRefused(self._clock.now(), effect.then, problem.problem))
        except (Unavailable, OutcomeUnknown):
            return
        else:
            self._engine.put(StepDone(self._clock.now(), effect.then, result))

    _instead(stack, StepWorker, "_act", act)


@mutant("a step interrupted by a crash is forgotten")
def _forgotten(stack: ExitStack) -> None:
    _instead(stack, outbox, "requeue_interrupted", lambda _: None)


# --- the journal --------------------------------------------------------------------------------------------


@mutant("the sync token is stored before its events")
def _token_first(stack: ExitStack) -> None:
    def receive(self: CrashingJournal, events: Sequence[Event], token: str) -> int:
        Journal.receive(self, (), token)
        for _ in range(10):  # make a crash here likely
            self._fuse.point("between the token and its events")
        return int(before(self, events, token))

    before = _instead(stack, CrashingJournal, "receive", receive)


@mutant("a repeated chat event is decided twice")
def _twice(stack: ExitStack) -> None:
    def is_new(*arguments: Any) -> bool:
        before(*arguments)
        return True

    before = _instead(stack, Journal, "_is_new", staticmethod(is_new))


# --- sending ------------------------------------------------------------------------------------------------


@mutant("a re-send has the transaction id of the first send")
def _same_transaction(stack: ExitStack) -> None:
    def delivery(self: ChatWorker, row: OutboxRow) -> Delivery | None:
        made: Delivery | None = before(self, row)
        if made is None or not isinstance(row.effect, SendEnvelope) or not row.effect.draft.number:
            return made
        draft = row.effect.draft
        same = transaction_id(self._journal.journal_id, draft.subject, f"{draft.number}", 0)
        return replace(made, transaction=same)

    before = _instead(stack, ChatWorker, "_delivery", delivery)


@mutant("each attempt to send has a new transaction id")
def _new_transactions(stack: ExitStack) -> None:
    def delivery(self: ChatWorker, row: OutboxRow) -> Delivery | None:
        made: Delivery | None = before(self, row)
        return made and replace(made, transaction=f"{made.transaction} {row.attempts}")

    before = _instead(stack, ChatWorker, "_delivery", delivery)


@mutant("a re-send has a new number")
def _new_number(stack: ExitStack) -> None:
    def send_again(turn: Turn, subject: Any, after: int = 0) -> bool:
        unread = tuple(d for d in subject.exchange.unread if d.number > after)
        sequencing.post(turn, subject, *(replace(d, number=d.number + len(unread)) for d in unread))
        return bool(unread)

    _instead(stack, sequencing, "send_again", send_again)


@mutant("a protocol message is never sent again")
def _never_again(stack: ExitStack) -> None:
    _instead(stack, sequencing, "resend_due", lambda _, subject: subject)


# --- reading messages ----------------------------------------------------------------------------------------


@mutant("protocol messages are read out of order")
def _out_of_order(stack: ExitStack) -> None:
    def read(turn: Turn, subject: Any, envelope: Message[Body]) -> Any:
        if envelope.seq > subject.exchange.seen + 1:
            subject = replace(subject, exchange=replace(subject.exchange, seen=envelope.seq - 1))
        return before(turn, subject, envelope)

    before = _instead(stack, sequencing, "read", read)


@mutant("a repeated protocol message is acted on twice")
def _duplicates(stack: ExitStack) -> None:
    def read(turn: Turn, subject: Any, envelope: Message[Body]) -> Any:
        if 0 < envelope.seq <= subject.exchange.seen:
            turn.save(subject)
            return subject
        return before(turn, subject, envelope)

    before = _instead(stack, sequencing, "read", read)


@mutant("credit from a stale 'sent'")
def _stale(stack: ExitStack) -> None:
    _instead(stack, receives, "is_stale", lambda *_: False)


# --- deciding -----------------------------------------------------------------------------------------------


@mutant("no compare-and-set on decisions")
def _no_compare_and_set(stack: ExitStack) -> None:
    def take_up(turn: Turn, subject: Any, *arguments: Any, **named: Any) -> Any:
        return before(turn, replace(subject, decision=None), *arguments, **named)

    before = _instead(stack, decisions, "take_up", take_up)


@mutant("the grace ends by the clock, before the sync")
def _grace_by_clock(stack: ExitStack) -> None:
    def on_tick(turn: Turn, event: Tick) -> None:
        ticked(turn, event)
        decisions.on_caught_up(turn)

    def next_wake(state: State, now: datetime) -> datetime | None:
        times = (woken(state, now), dispatch.grace_ends(state, now))
        return min((time for time in times if time is not None), default=None)

    ticked = dispatch._RULES[Tick]
    stack.enter_context(patch.dict(dispatch._RULES, {Tick: on_tick}))
    woken = _instead(stack, pipeline, "next_wake", next_wake)


@mutant("a ✅ that is taken back still counts")
def _redaction_ignored(stack: ExitStack) -> None:
    stack.enter_context(patch.dict(dispatch._RULES, {Redacted: lambda _turn, _event: None}))


@mutant("permissions are not read again after the grace")
def _not_read_again(stack: ExitStack) -> None:
    def on_confirmed(turn: Turn, then: ConfirmDecision, event: Answered) -> Any:
        granted = Permissions("somebody", known=True, active=True, superuser=True, approver=True)
        return before(turn, then, replace(event, answers=(granted,)))

    before = _instead(stack, decisions, "on_confirmed", on_confirmed)


@mutant("a request from several friends confirms every grant")
def _all_confirmed(stack: ExitStack) -> None:
    def promised(_: Turn, __: Rota) -> Decimal:
        return Decimal(0)

    _instead(stack, from_anyone, "promised", promised)


@mutant("a requester is known by one Matrix account only")
def _by_account(stack: ExitStack) -> None:
    def asked_by(_: PartyConfig, subject: Subject, person: str) -> bool:
        return person == asker_of(subject)

    _instead(stack, who_decides, "asked_by", asked_by)


@mutant("an item that became expensive since the card takes one person")
def _dear_by_one(stack: ExitStack) -> None:
    _instead(stack, send, "_may_need_care", lambda *_: False)


@mutant("everybody has every permission")
def _every_right(stack: ExitStack) -> None:
    def covers(_: Permissions, __: Permission) -> bool:
        return True

    _instead(stack, Permissions, "covers", covers)


@mutant("permissions are not read before the debit")
def _not_before_debit(stack: ExitStack) -> None:
    def approve(turn: Turn, transfer: Transfer, decided: Signature) -> None:
        debiting = replace(transfer, state=TransferState.DEBITING, decided=decided, decision=None)
        turn.save(debiting)
        send.go_on(turn, debiting, sequencing.connection_of(turn, debiting))

    _instead(stack, send, "approve", approve)


@mutant("an approval of other terms counts")
def _other_terms(stack: ExitStack) -> None:
    def on_approve(turn: Turn, transfer: Transfer, envelope: Message[Approve], event_id: str, at: datetime) -> None:
        before(turn, transfer, replace(envelope, terms_hash=transfer.terms_hash), event_id, at)

    before = _instead(stack, send, "on_approve", on_approve)


@mutant("expiry by the clock, without catching up")
def _expiry_by_clock(stack: ExitStack) -> None:
    def on_tick(turn: Turn, event: Tick) -> None:
        ticked(turn, event)
        for transfer in turn.open_transfers():
            send.expire(turn, transfer)

    def next_wake(state: State, now: datetime) -> datetime | None:
        ours = [t for t in Turn(state, now).open_transfers() if t.role == "sender" and t.state is TransferState.OPEN]
        dues = [transfer.due for transfer in ours if transfer.due > now]
        return min((time for time in (woken(state, now), *dues) if time is not None), default=None)

    ticked = dispatch._RULES[Tick]
    stack.enter_context(patch.dict(dispatch._RULES, {Tick: on_tick}))
    woken = _instead(stack, pipeline, "next_wake", next_wake)


# --- one arbiter at a time ----------------------------------------------------------------------------------


@mutant("no arbiter: the receiver ends a transfer alone")
def _no_arbiter(stack: ExitStack) -> None:
    def on_declined(turn: Turn, transfer: Transfer, decided: Signature) -> None:
        before(turn, transfer, decided)
        asked = turn.transfer(transfer.id) or transfer
        turn.save(replace(asked, state=TransferState.DECLINED, ended=turn.now))

    def cancel(turn: Turn, transfer: Transfer, by: Signature) -> str:
        outcome = str(cancelled(turn, transfer, by))
        if outcome == "asked":
            asked = turn.transfer(transfer.id) or transfer
            turn.save(replace(asked, state=TransferState.CANCELLED, ended=turn.now))
        return outcome

    before = _instead(stack, receives, "on_declined", on_declined)
    cancelled = _instead(stack, both_sides, "cancel", cancel)


@mutant("cancel after sent")
def _cancel_after_sent(stack: ExitStack) -> None:
    def cancel(turn: Turn, transfer: Transfer, by: Signature) -> str:
        if transfer.role == "sender" and transfer.state in {TransferState.DEBITING, TransferState.SENT}:
            both_sides.end(turn, transfer, TransferState.CANCELLED, by)
            return ""
        return str(before(turn, transfer, by))

    before = _instead(stack, both_sides, "cancel", cancel)


@mutant("credit before debit")
def _credit_first(stack: ExitStack) -> None:
    def on_approved(turn: Turn, transfer: Transfer, decided: Signature) -> None:
        before(turn, transfer, decided)
        asked = turn.transfer(transfer.id) or transfer
        crediting = replace(asked, state=TransferState.CREDITING)
        turn.save(crediting)
        receives.book_in(turn, crediting)

    before = _instead(stack, receives, "on_approved", on_approved)


@mutant("an item that nobody here approved is booked in")
def _unapproved(stack: ExitStack) -> None:
    _instead(stack, both_sides, "is_agreed", lambda _: True)


@mutant("a refusal without tombstone: the step is tried again")
def _no_tombstone(stack: ExitStack) -> None:
    def answer(turn: Turn, transfer: Transfer) -> None:
        before(turn, transfer)
        refused = turn.transfer(transfer.id)
        if refused is not None and refused.state is TransferState.REFUSED:
            for progress in refused.progress:
                if progress.part is not None and progress.failed != "not-sent":
                    line = refused.line(progress.number)
                    receives._do(turn, refused, line.number, receives._create(turn, refused, line, progress.part))

    before = _instead(stack, receives, "_answer", answer)


@mutant("an item that can't be put away is refused")
def _put_away_refuses(stack: ExitStack) -> None:
    def not_put_away(turn: Turn, transfer: Transfer, *_: object) -> None:
        refused = replace(transfer, state=TransferState.REFUSED)
        turn.save(sequencing.send(turn, refused, bodies.Refused(reason=""), awaits=True))

    _instead(stack, receives, "_not_put_away", not_put_away)


@mutant("an item that can't be handed over is not put back")
def _not_put_back(stack: ExitStack) -> None:
    def put_back(turn: Turn, transfer: Transfer, progress: Any, connection: Any) -> None:
        send.go_on(turn, with_progress(transfer, progress), connection)

    _instead(stack, send, "put_back", put_back)


@mutant("the item that was put back takes in the one from which it came")
def _wrong_way_round(stack: ExitStack) -> None:
    def merge_back(server: Server, step: MergeBack) -> MergedBack:
        row = item_row(server, step.item)
        lines = [{"item": step.item}, {"item": step.source}]
        notes = note_of(step.mark, step.note)
        server.api.post("stock/merge/", {"items": lines, "location": row["location"], "notes": notes})
        return MergedBack(step.source)

    stack.enter_context(patch.dict(ACTS, {MergeBack: merge_back}))


@mutant("an item is merged into its source whatever differs")
def _merged_all_the_same(stack: ExitStack) -> None:
    _instead(stack, outgoing, "_difference", lambda *_: None)


# --- consent --------------------------------------------------------------------------------------------------


@mutant("a decision counts although the card's content has changed")
def _not_voided(stack: ExitStack) -> None:
    _instead(stack, decisions, "_is_void", lambda *_: False)
    _instead(stack, InRoom, "is_shown", True)
    _instead(stack, card_content, "changes_since_approval", lambda *_: ())
    _instead(stack, opening, "_supersede", lambda _turn, transfer, people: (transfer, people))


@mutant("a decision on a page counts whatever the page showed")
def _page_unbound(stack: ExitStack) -> None:
    def take_up(turn: Turn, event: DecidedOffChat) -> Any:
        subject = turn.subject(event.subject)
        return before(turn, event if subject is None else replace(event, seen=web.shown_hash(turn, subject)))

    before = _instead(stack, web, "_take_up", take_up)


@mutant("the hash covers less than the card shows")
def _hash_of_less(stack: ExitStack) -> None:
    def of_the_parties(model: card_content.Shown) -> str:
        if isinstance(model, ShownTransfer):
            model = replace(model, terms=replace(model.terms, lines=()), landings=())
        return str(before(model))

    before = _instead(stack, card_content, "hash_of", of_the_parties)
    _instead(stack, decisions, "hash_of", of_the_parties)
    _instead(stack, InRoom, "is_shown", True)
    _instead(stack, card_content, "changes", lambda *_: ())


@mutant("a transfer has an id of its opener's choice")
def _id_as_told(stack: ExitStack) -> None:
    def peers_opening(_turn: Turn, _connection: Connection, envelope: Message[bodies.Opens]) -> Opening:
        return envelope.body.opening

    _instead(stack, opening, "peers_opening", peers_opening)


@mutant("a friendship has an id of the peer's choice")
def _friendship_as_told(stack: ExitStack) -> None:
    def generation_in(_turn: Turn, envelope: Message[bodies.Connect], _known: Connection | None) -> int:
        return envelope.body.generation

    _instead(stack, connect, "_generation_in", generation_in)


@mutant("a peer's new subjects are not counted")
def _not_counted(stack: ExitStack) -> None:
    _instead(stack, inbound, "_opens_too_much", lambda *_: False)
    _instead(stack, inbound, "_is_one_too_many", lambda *_: False)


@mutant("a display name like our person's counts as that person")
def _display_names(stack: ExitStack) -> None:
    def take_up(turn: Turn, subject: Any, choice: Any, person: str, *arguments: Any, **named: Any) -> Any:
        members = [room.members for room in turn.all(Room)]
        called = next((m[person] for m in members if m.get(person)), "")
        same = [other for m in members for other, name in m.items() if name == called and other in turn.us.people]
        return before(turn, subject, choice, same[0] if called and same else person, *arguments, **named)

    before = _instead(stack, decisions, "take_up", take_up)


@mutant("a reply to the peer's message counts like one to our card")
def _their_message(stack: ExitStack) -> None:
    _instead(stack, Turn, "card_subject_of", lambda self, event_id: self.subject_of(event_id))


@mutant("an approval typed before our card is posted counts")
def _before_the_card(stack: ExitStack) -> None:
    _instead(stack, deciding, "_not_about_its_card", lambda *_: None)


@mutant("an announcement without its key's signature is believed")
def _unsigned(stack: ExitStack) -> None:
    _instead(stack, announcements, "announcement_holds", lambda *_: True)


@mutant("people whom another bot lists are left to it, even our own")
def _silenced(stack: ExitStack) -> None:
    def we_answer(turn: Turn, room: str, person: str) -> bool:
        others = who_answers.other_homes(turn, room, person, active_only=False)
        return False if others else bool(before(turn, room, person))

    before = _instead(stack, who_answers, "we_answer", we_answer)


@mutant("a person whose user is inactive still decides")
def _inactive(stack: ExitStack) -> None:
    def covers(self: Permissions, permission: Permission) -> bool:
        return bool(before(replace(self, active=True), permission))

    before = _instead(stack, Permissions, "covers", covers)


@mutant("the borrower's message extends a loan")
def _prolonged_by_the_borrower(stack: ExitStack) -> None:
    extended = inbound._TO_RECEIVER[bodies.Extended]
    stack.enter_context(patch.dict(inbound._TO_SENDER, {bodies.Extended: extended}))


@mutant("the borrower's message ends a loan")
def _closed_by_the_borrower(stack: ExitStack) -> None:
    closed = inbound._TO_RECEIVER[bodies.Closed]
    stack.enter_context(patch.dict(inbound._TO_SENDER, {bodies.Closed: closed}))


@mutant("a borrower that asks twice at once gets both extensions")
def _no_second_look(stack: ExitStack) -> None:
    def on_approved(turn: Turn, transfer: Transfer, decided: Signature) -> None:
        with patch.object(extend, "against_rules", lambda *_: ""):
            before(turn, transfer, decided)

    before = _instead(stack, extend, "on_approved", on_approved)


@mutant("a quantity counts although the part's unit has changed")
def _whatever_unit(stack: ExitStack) -> None:
    _instead(stack, incoming, "_must_count_as_shown", lambda *_: None)


@mutant("an item that our people called borrowed is still given away")
def _passed_on(stack: ExitStack) -> None:
    _instead(stack, balance, "became_borrowed", lambda *_: False)


@mutant("a friend reopens a transfer that our people settled")
def _settled_again(stack: ExitStack) -> None:
    def settle(turn: Turn, transfer: Transfer, *arguments: Any) -> Transfer:
        before(turn, transfer, *arguments)
        settled = turn.transfer(transfer.id) or transfer
        if settled.settled is not None:
            settled = replace(settled, settled=replace(settled.settled, alone=True, contested=False))
            turn.save(settled)
        return settled

    before = _instead(stack, resolve, "settle", settle)


@mutant("a requester may approve their own request")
def _askers_yes(stack: ExitStack) -> None:
    def approve(turn: Turn, transfer: Transfer, envelope: Message[Approve], event: EnvelopeSeen) -> None:
        if transfer.state is TransferState.OPEN and envelope.terms_hash == transfer.terms_hash:
            by = both_sides.signature_in(turn, envelope, transfer.peer, event.event_id)
            send.approve(turn, transfer, by)
        else:
            turn.save(transfer)

    stack.enter_context(patch.dict(inbound._TO_SENDER, {Approve: approve}))


@mutant("another item than the requested one is accepted")
def _another_thing(stack: ExitStack) -> None:
    _instead(stack, request, "differences", lambda *_: [])


@mutant("more than the requested quantity is accepted")
def _more(stack: ExitStack) -> None:
    def adopted(_turn: Turn, transfer: Transfer, terms: Terms, _told: str, *, less: bool) -> Transfer:
        del less
        return on_these_terms(transfer, terms)

    _instead(stack, request, "_adopted", adopted)
    _instead(stack, request, "differences", lambda *_: [])


@mutant("a grant may bring a text to agree to")
def _text_in_the_grant(stack: ExitStack) -> None:
    _instead(stack, request, "_without_lines", request._without_owners_fields)


@mutant("a booking may arrive before its first day")
def _too_early(stack: ExitStack) -> None:
    _instead(stack, receives, "_is_early", lambda *_: False)


@mutant("a peer's new key is pinned without a review")
def _unreviewed(stack: ExitStack) -> None:
    def suspend(turn: Turn, connection: Connection, bot: str, key: str) -> None:
        turn.save(replace(connection, peer_bot=bot, peer_key=key))

    _instead(stack, pinning, "suspend", suspend)


@mutant("a peer's new name is used without a review")
def _renamed(stack: ExitStack) -> None:
    def hear_name(turn: Turn, connection: Connection, name: str) -> None:
        turn.save(replace(connection, peer_name=name))

    _instead(stack, pinning, "_hear_name", hear_name)


@mutant("a friendship begins by the peer's message alone")
def _friends_at_once(stack: ExitStack) -> None:
    _instead(stack, connect, "_ask_for_card", provision.begin)


# --- bookings, queues, and requests from anyone -----------------------------------------------------------------


@mutant("a booking ignores other bookings of the same days")
def _booked_twice(stack: ExitStack) -> None:
    _instead(stack, bookings, "why_not_kept", lambda *_: "")


@mutant("a booking counts on its first day only")
def _first_day_only(stack: ExitStack) -> None:
    _instead(stack, bookings.Span, "covers", lambda self, day: day == self.first)


@mutant("a booking leaves on its first day without a decision")
def _goes_by_itself(stack: ExitStack) -> None:
    def ask_if_handed_over(turn: Turn, transfer: Transfer, _: Able) -> None:
        if transfer.decided is not None:
            send.on_picked_up(turn, transfer, transfer.decided)

    _instead(stack, booking, "_ask_if_handed_over", ask_if_handed_over)


@mutant("the last in the queue has the first turn")
def _last_first(stack: ExitStack) -> None:
    _instead(stack, waiting_list, "_next_number", lambda turn: -len(turn.queue()))


@mutant("a queue entry for less passes earlier ones")
def _passed_by(stack: ExitStack) -> None:
    def free(turn: Turn, entry: QueueEntry, items: Sequence[StockItem]) -> StockItem | None:
        return before(turn, replace(entry, number=0), items)  # type: ignore[no-any-return]

    before = _instead(stack, waiting_list, "_free", free)


@mutant("an item kept for one queue entry is kept for the next too")
def _kept_for_two(stack: ExitStack) -> None:
    def free(turn: Turn, entry: QueueEntry, items: Sequence[StockItem]) -> StockItem | None:
        with patch.object(Turn, "queue", lambda self: [replace(each, kept=0) for each in known(self)]):
            return before(turn, replace(entry, number=0), items)  # type: ignore[no-any-return]

    known = Turn.queue
    before = _instead(stack, waiting_list, "_free", free)


@mutant("an item requested from several friends leaves before it is confirmed")
def _unconfirmed(stack: ExitStack) -> None:
    def grant(turn: Turn, transfer: Transfer, decided: Signature, quantity: Decimal | None = None) -> None:
        if transfer.terms.confirm and quantity is None:
            send.approve(turn, transfer, decided)
        else:
            before(turn, transfer, decided, quantity)

    before = _instead(stack, send, "grant", grant)


@mutant("the result of a request from anyone is forgotten")
def _came_to_nothing(stack: ExitStack) -> None:
    def coming(asked: Rota, transfer: Transfer) -> Decimal:
        return Decimal(0) if transfer.state in balance.OVER_WITH_STOCK else before(asked, transfer)

    before = _instead(stack, from_anyone, "_coming", coming)


@mutant("people are told of a friend's want again and again")
def _told_again(stack: ExitStack) -> None:
    def tell(turn: Turn, wanted: FriendWant, connection: Connection, free: Decimal, people: list[str]) -> None:
        before(turn, wanted, connection, free, people)
        turn.save(replace(turn.get(FriendWant, wanted.id) or wanted, told=None))

    before = _instead(stack, want, "_tell_people", tell)


@mutant("an offer contains what the friend wants by now")
def _offered_what_it_wants(stack: ExitStack) -> None:
    def get(self: Turn, kind: type[Document], identifier: str) -> Document | None:
        found: Document | None = before(self, kind, identifier)
        if not isinstance(found, FriendWant):
            return found
        return replace(found, shown=WantShown(found.word, found.quantity, found.unit))

    before = _instead(stack, Turn, "get", get)
    _instead(stack, WantShown, "key", "any")


@mutant("a want outlives its day")
def _wanted_for_ever(stack: ExitStack) -> None:
    _instead(stack, want, "look", lambda _: None)
    _instead(stack, want, "next_wake", lambda _: [])


@mutant("items that have come are still wanted")
def _wanted_still(stack: ExitStack) -> None:
    _instead(stack, want, "_subtract_arrived", lambda *_: None)


# --- which card counts, and what neighbours, bookings and queues need ------------------------------------------------


@mutant("our own clock says whether a line came before our card")
def _by_our_clock(stack: ExitStack) -> None:
    def not_about_its_card(turn: Turn, command: Command, subject: Subject) -> Phrase | None:
        complaint: Phrase | None = before(turn, replace(command, place=None), subject)
        return complaint

    before = _instead(stack, deciding, "_not_about_its_card", not_about_its_card)


@mutant("a decision counts before the card shows its change")
def _before_the_edit(stack: ExitStack) -> None:
    _instead(stack, InRoom, "is_shown", True)


@mutant("a neighbour gets an item whatever has changed since the line")
def _leaves_all_the_same(stack: ExitStack) -> None:
    def answered(self: outside.BookOutside, turn: Turn, _: Answered) -> None:
        loan = turn.get(OutsideLoan, self.loan)
        if loan is not None:
            outside._do(turn, loan, outside._take_out_step(loan))

    _instead(stack, outside.BookOutside, "answered", answered)


@mutant("a booked item goes to a neighbour by one line")
def _booked_for_another(stack: ExitStack) -> None:
    _instead(stack, outside_lines, "Ahead", lambda *, last, anyway: Ahead(last=last, anyway=anyway and ""))


@mutant("a neighbour's loan that our InvenTree shows otherwise is handed over")
def _not_as_known(stack: ExitStack) -> None:
    _instead(stack, outside, "is_unchanged", lambda *_: True)


@mutant("any of our stock items is taken for the lent one")
def _any_item(stack: ExitStack) -> None:
    _instead(stack, here, "_is_taken", lambda *_: False)


@mutant("a declined hand-over leaves the neighbour's loan open to nobody")
def _handed_to_nobody(stack: ExitStack) -> None:
    _instead(stack, outside, "_on_handing_ended", lambda *_: None)


@mutant("a booking that appears in the grace changes nothing")
def _booked_meanwhile(stack: ExitStack) -> None:
    _instead(stack, bookings, "conflicts", lambda *_: ())


@mutant("a booking that nobody picks up never lapses")
def _kept_for_ever(stack: ExitStack) -> None:
    _instead(stack, booking, "look", lambda _: None)
    _instead(stack, booking, "next_wake", lambda _: [])


@mutant("a booking from tomorrow on passes the queue")
def _books_past_the_queue(stack: ExitStack) -> None:
    _instead(stack, bookings, "is_for_now", lambda _turn, starts: starts is None)


@mutant("a reply to a turn requests what the friend keeps")
def _what_the_friend_keeps(stack: ExitStack) -> None:
    def line_meant(turn: Turn, event: Said) -> str:
        place = turn.get(PlaceInLine, turn.key_of(event.reply_to).partition(":")[2])
        return f"!fed request 1 #{place.item} from {place.peer}" if place is not None and place.item else ""

    _instead(stack, waiting_list, "full_line", line_meant)


@mutant("an item that nobody here confirmed is booked in")
def _nobody_confirmed(stack: ExitStack) -> None:
    _instead(stack, receives, "_too_soon", lambda *_: "")


def _without_budget(what: str, stack: ExitStack) -> None:
    def spends(self: Turn, which: str, whose: str) -> datetime | None:
        return None if which == what else before(self, which, whose)

    before = _instead(stack, Turn, "spends", spends)


for _what in (*budgets.LIMITS, *sorted(budgets.HOURLY)):
    mutant(f"no budget: {_what}")(partial(_without_budget, _what))


def searched(name: str, first: int, most: int) -> Caught | None:
    """Search a number of seeds for one that catches it."""
    return caught(name, list(itertools.islice(itertools.count(first), most)))


__all__ = ["ELSEWHERE", "MUTANTS", "SEEDS", "Caught", "broken", "caught", "searched"]
