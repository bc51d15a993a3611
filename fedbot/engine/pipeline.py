"""The pipeline's middle: the rules decide each journaled event, and the result is committed.

Every event comes in through `put` or `receive` and is decided in order, one at a time. State changes only here; the
workers perform what is in the outbox.
"""

from __future__ import annotations

import asyncio
import logging
import math
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from fedbot.logs import redact
from fedbot.matrix import send_queue
from fedbot.messages import markup
from fedbot.messages.audit import entry_in_words, is_told
from fedbot.messages.diagnosis import english
from fedbot.messages.language import Locale
from fedbot.ports.chat import Batch, ChatSignedOut
from fedbot.ports.clock import Clock
from fedbot.ports.journal import (
    ChatMessage,
    Committed,
    Drawing,
    Journal,
    JournalProblem,
    Loss,
    NotStorable,
    OutboxRow,
    Queued,
    QueueName,
    Stored,
    SuggestedReaction,
    UnreadableRow,
    WrongTurn,
)
from fedbot.rules import typed_lines as rules_lines
from fedbot.rules.dispatch import decide, grace_ends, next_wake, waits_for_sync
from fedbot.rules.model.audit import AuditEntry, RulesFailed
from fedbot.rules.model.audit import Said as SaidVerb
from fedbot.rules.model.command import WebAnswer, WebLine
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import (
    Ask,
    ChatEffect,
    Do,
    Edit,
    Forget,
    KeepSecret,
    MoveSecret,
    Phrase,
    Picture,
    Post,
    TellOffChat,
    Typing,
)
from fedbot.rules.model.events import (
    BY_THE_CLOCK,
    Answered,
    ClockSetBack,
    DecidedOffChat,
    EnvelopeSeen,
    Event,
    Posted,
    PostRefused,
    Reacted,
    Redacted,
    Said,
    SaidOffChat,
    SetAside,
    StepDone,
    StepRefused,
    StepUnknown,
    Unanswered,
    Unreadable,
    Waiting,
    subject_of,
)
from fedbot.rules.model.health import Quarantined
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.queries import SignInFound
from fedbot.rules.model.steps import AttachPhoto, Furnish, KeepFile, Label, Mirror, SendFile
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.reminders import TOLERATED
from fedbot.rules.state import State, Turn, Verbs

log = logging.getLogger(__name__)

AFTER_STOCK = 5
"""The priority of steps that move no stock: metadata, which only mirrors the journal, and photos."""

LONGEST_PROBLEM = 200
ENGLISH = Locale("en", "UTC")
"""The log is for admins; it never contains what people wrote."""
TIMERS = "timers"
"""The kind of a quarantine entry for a document on which the timers' rules fail."""

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)

T = TypeVar("T")

Render = Callable[[Phrase, datetime], markup.Rendered]

_COUNTED: dict[type, str] = {
    Said: "lines_read",
    SaidOffChat: "lines_read",
    DecidedOffChat: "reactions_read",
    Unreadable: "lines_undecryptable",
    Reacted: "reactions_read",
    EnvelopeSeen: "protocol_messages_received",
    Posted: "messages_sent",
    PostRefused: "messages_refused",
    Answered: "queries_answered",
    Unanswered: "queries_unanswered",
    StepDone: "steps_done",
    StepRefused: "steps_refused",
    StepUnknown: "steps_unknown",
    Waiting: "retries_scheduled",
}
"""A monitor's counters since the start, by the event that increments them."""


class Engine:
    """One party's pipeline between its journal and its workers.

    `wake` has an event for each worker, set whenever the outbox may have something new for it. `perform_now` is called
    after each event is decided, for effects that nothing may overtake. `changed` is called when no event waits, or a
    stretch is over; timers and the sync loop then look at the state. `show_typing` gets the typing effects, which are
    not journaled. `listeners` get, once, the phrase that is said under their key; `answered` gets each line from a page
    or the API that has an answer. `sign_ins` knows which page shows a code. `clock_listeners` are called when the clock
    was set back. `stretch` is how many seconds decisions are made before others get their turn.
    """

    def __init__(self, journal: Journal, state: State, verbs: Verbs, clock: Clock, render: Render) -> None:
        self.journal = journal
        self.state = state
        self.clock = clock
        self.wake: dict[QueueName, asyncio.Event] = {
            queue: asyncio.Event() for queue in ("chat", "act", "ask", "vault")
        }
        self.changed: Callable[[], None] = lambda: None
        self.show_typing: Callable[[Typing], None] = lambda _: None
        self.perform_now: Callable[[], None] = lambda: None
        self.listeners: dict[str, Callable[[Phrase], None]] = {}
        self.answered: Callable[[str], None] = lambda _: None
        self.sign_ins: Callable[[str], SignInFound] = lambda _: SignInFound()
        self.clock_listeners: list[Callable[[], None]] = []
        self.stretch = math.inf
        self._has_more, self._settled = asyncio.Event(), asyncio.Event()
        self.failures = 0
        self.decided_at = 0.0
        self.counters = Counter(dict.fromkeys(("events_decided", "protocol_messages_sent", *_COUNTED.values()), 0))
        self._verbs = verbs
        self._render = render
        self._deciding = False
        self._decided_up_to = 0
        self._held: frozenset[str] = frozenset()
        self._latest: datetime | None = None
        state.quarantined = journal.quarantined

    def load(self) -> None:
        """Read the state from the journal."""
        self.state.take_over({(kind, identifier): document for kind, identifier, document in self.journal.documents()})
        self._latest = self.journal.last_moment()
        self._read_quarantine()

    def receive(self, batch: Batch) -> int:
        """Store one sync, its events and its token, in one transaction; then decide the events.

        Talk that isn't for us is left out. If an earlier event of the same sync may change what is for us, it is
        decided first. After a crash in between, events that come again are recognised by their event ids.
        """
        self._decide_to_the_end()
        new, events = 0, list[Event]()
        is_settled, unread = True, set[str]()
        for event in batch.events:
            if rules_lines.is_talk(event):
                if not is_settled or rules_lines.answers_one_of(event, unread):
                    new += self.journal.receive(events, None)
                    self._decide_to_the_end()
                    events, is_settled, unread = [], True, set()
                if not self._concerns_us(event):
                    continue
            elif isinstance(event, EnvelopeSeen):
                unread.add(event.event_id)
            is_settled = is_settled and not rules_lines.may_make_talk_relevant(self.state, event)
            events.append(event)
        new += self.journal.receive(events, batch.token)
        self.decide_all()
        return new

    def _concerns_us(self, event: Event) -> bool:
        """Whether a line is for us. True if finding out fails: deciding it then fails too, and sets it aside."""
        try:
            return rules_lines.concerns_us(self.state, event, self.clock.now(), self._verbs)
        except Exception:
            log.exception("it can't be told whether a line is for us")
            return True

    def put(self, event: Event) -> None:
        """Take in an event that isn't from the chat."""
        self.journal.put(event)
        self.decide_all()

    def decide_all(self) -> None:
        """Decide all waiting events, oldest first. After one `stretch`, `run` continues."""
        if self._deciding:
            return
        self._deciding = True
        last = time.monotonic() + self.stretch
        try:
            self._look_at_the_clock()
            self._decided_up_to = 0
            while has_more := self._decide_next():
                if time.monotonic() > last:
                    break
        finally:
            self._deciding = False
        if has_more:
            self._has_more.set()
            self._settled.clear()
        else:
            self._settled.set()
            self._has_more.clear()
        for event in self.wake.values():
            event.set()
        self.changed()

    def _decide_to_the_end(self) -> None:
        stretch, self.stretch = self.stretch, math.inf
        try:
            self.decide_all()
        finally:
            self.stretch = stretch

    async def run(self) -> None:
        """Continue decisions that took longer than a stretch, until cancelled."""
        while True:
            await self._has_more.wait()
            await asyncio.sleep(0)
            self.decide_all()

    async def settled(self) -> None:
        """Wait until everything is decided, so events never come in faster than they are decided."""
        await self._settled.wait()

    def _decide_next(self) -> bool:
        try:
            found = self.journal.next_event(self._decided_up_to)
        except UnreadableRow as problem:
            self._set_event_aside(problem.number, problem.kind, problem.subject, problem)
            return True
        if found is None:
            return False
        seq, event = found
        subject = self._subject_of(event)
        if subject in self._held:
            self._decided_up_to = seq
            return True
        now = self.clock.now()
        try:
            turn, queued = self._decide(event, now)
            was = self._states_before(turn)
            self.journal.commit(
                seq,
                Committed(
                    now, turn.changes, queued, tuple(turn.audit), tuple(turn.found_posts), tuple(turn.voided_subjects)
                ),
            )
        except Exception as fault:
            if ends_the_bot(fault):
                raise
            log.exception("the rules failed on event %d (%s)", seq, type(event).__name__)
            self._failed(seq, event, subject, fault)
            return True
        self.decided_at = time.monotonic()
        self.state.apply(turn)
        self._log(turn, was)
        self._count(event, turn)
        self.perform_now()
        for effect in turn.effects:
            if isinstance(effect, Typing):
                self.show_typing(effect)
            elif isinstance(effect, TellOffChat):
                self.answered(effect.line)
            elif isinstance(effect, Post) and effect.key in self.listeners:
                self.listeners.pop(effect.key)(effect.phrase)
        return True

    def _states_before(self, turn: Turn) -> dict[tuple[str, str], str]:
        """The states of the connections and transfers that the turn changes, if changes are logged."""
        if not log.isEnabledFor(logging.INFO):
            return {}
        known = {
            key: self.state.get(type(after), after.id)
            for key, after in turn.changes.items()
            if isinstance(after, Connection | Transfer)
        }
        return {key: str(before.state) for key, before in known.items() if before is not None}

    def _log(self, turn: Turn, was: Mapping[tuple[str, str], str]) -> None:
        """Log one line for each audit entry, and for each new state of a connection or a transfer.

        The event is decided: a sentence that fails is a line less in the log, and changes nothing else.
        """
        if not log.isEnabledFor(logging.INFO):
            return
        try:
            self._log_audit(turn)
        except Exception:
            log.exception("an audit entry can't be put into words")
        for key, after in turn.changes.items():
            if isinstance(after, Connection | Transfer) and str(after.state) != was.get(key, ""):
                kind = "connection" if isinstance(after, Connection) else after.terms.kind
                extra = {"about": after.id, "peer": after.peer, "state": str(after.state), "was": was.get(key, "")}
                log.info("%s %s", kind, after.code, extra=extra)

    def _log_audit(self, turn: Turn) -> None:
        for entry in turn.audit:
            if not (is_told(entry.what) or isinstance(entry.what, SaidVerb)):
                continue
            about = {"about": entry.subject, "who": entry.who, "user": entry.user, "event_id": entry.event_id}
            extra = {name: value for name, value in about.items() if value}
            log.info(
                "%s",
                entry_in_words(replace(ENGLISH, now=turn.now), entry.what),
                extra=extra | {"kind": type(entry.what).__name__},
            )

    def _count(self, event: Event, turn: Turn) -> None:
        self.counters["events_decided"] += 1
        sent = sum(getattr(effect, "draft", None) is not None for effect in turn.effects)
        self.counters["protocol_messages_sent"] += sent
        if name := _COUNTED.get(type(event)):
            self.counters[name] += 1

    # --- unforeseen failures ---

    def _failed(self, seq: int, event: Event, subject: str, fault: Exception) -> None:
        """The event has no effect. It waits in quarantine until a person tries it again.

        A timer covers all documents. It is done without those on which it fails, and comes again anyway.
        """
        if not isinstance(event, BY_THE_CLOCK):
            self._set_event_aside(seq, type(event).__name__, subject, fault)
        elif not self._pass_over(lambda: self._decide(event, self.clock.now()), fault):
            note = AuditEntry("failures", RulesFailed(type(event).__name__))
            self.journal.commit(seq, Committed(self.clock.now(), audit=(note,)))
            if not any(aside.what == type(event).__name__ for aside in self.journal.quarantined()):
                aside = self._aside(type(event).__name__, "", fault)
                self._announce(self.journal.set_timers_aside(aside), aside)

    def _subject_of(self, event: Event) -> str:
        if isinstance(event, Reacted | Redacted):
            return Turn(self.state, self.clock.now()).subject_of(event.target)
        return subject_of(event)

    def _set_event_aside(self, seq: int, kind: str, subject: str, fault: Exception) -> None:
        aside = self._aside(kind, subject, fault)
        self._announce(self.journal.set_event_aside(seq, aside), aside)

    def set_row_aside(self, row: int, what: str, key: str, fault: Exception) -> None:
        """Quarantine an effect on which a worker failed unforeseen; raise what must end the bot."""
        if ends_the_bot(fault):
            raise fault
        log.error("failed on effect %d (%s)", row, what, exc_info=fault)
        aside = self._aside(what, key, fault)
        self._announce(self.journal.set_row_aside(row, aside), aside)
        self.decide_all()

    def begin(self, row: int) -> None:
        """Journal that this effect starts now. This time also counts for noticing later that the clock was ahead."""
        now = self.clock.now()
        self._latest = max(now, self._latest or now)
        self.journal.begin(row, now)

    def due(self, queue: QueueName) -> tuple[OutboxRow, ...]:
        """The rows that may begin now. A row that can't be read back is quarantined."""
        while True:
            try:
                return self.journal.due(queue, self.clock.now())
            except UnreadableRow as problem:
                self.set_row_aside(problem.number, problem.kind, problem.subject, problem)

    def try_again(self, number: int) -> bool:
        """Try the quarantined row with this number again; False if there is none."""
        found = self.journal.try_again(number)
        self._read_quarantine()
        self.decide_all()
        return found

    def drop(self, number: int, *, is_sure: bool) -> Loss:
        """Drop the quarantine entry with this number for good, if that is possible and `is_sure`."""
        loses = self.journal.drop(number, is_sure=is_sure)
        self._read_quarantine()
        self.decide_all()
        return loses

    def _aside(self, what: str, subject: str, fault: Exception) -> Quarantined:
        text = redact(f"{type(fault).__name__}: {fault}" if str(fault) else type(fault).__name__)
        shown = "".join(character if character.isprintable() else " " for character in text)[:LONGEST_PROBLEM]
        return Quarantined(what, subject, shown, self.clock.now())

    def _announce(self, number: int, aside: Quarantined) -> None:
        self.failures += 1
        self._read_quarantine()
        if number and aside.what != SetAside.__name__:  # if the admins can't be informed, the log says so
            self.journal.put(SetAside(aside.at, number, aside.what, aside.subject, aside.problem))

    def _read_quarantine(self) -> None:
        """Read which subjects wait, and which documents the timers skip."""
        asides = self.journal.quarantined()
        self._held = frozenset(aside.subject for aside in asides if aside.is_event) - {""}
        self.state.passed_over = frozenset(aside.subject for aside in asides if aside.what == TIMERS)

    def _pass_over(self, by_the_clock: Callable[[], object], fault: Exception) -> bool:
        """Set aside the documents on which the timers' rules fail; return whether there are any."""
        before = self.state.passed_over
        everybody = [document.id for document in self.state.everything() if document.id not in before]

        def works_with(some: Sequence[str]) -> bool:
            self.state.passed_over = before.union(everybody) - frozenset(some)
            return _works(by_the_clock)

        try:
            culprits = _culprits(works_with, everybody) if works_with(()) else []
        finally:
            self.state.passed_over = before
        for identifier in culprits:
            aside = self._aside(TIMERS, identifier, fault)
            self._announce(self.journal.set_timers_aside(aside), aside)
        return bool(culprits)

    def _by_the_clock(self, look: Callable[[], T]) -> T:
        """Ask the timers' rules, without the documents on which they fail."""
        try:
            return look()
        except Exception as fault:
            log.exception("the rules failed on what is due")
            if ends_the_bot(fault) or not self._pass_over(look, fault):
                raise
            return look()

    def _look_at_the_clock(self) -> None:
        """Notice that the clock was ahead and has been set back."""
        now = self.clock.now()
        if self._latest is not None and now < self._latest - TOLERATED:
            log.warning("the clock was set back by %s", self._latest - now)
            self.journal.clock_set_back(ClockSetBack(now, self._latest))
            for listener in self.clock_listeners:
                listener()
        self._latest = now

    def _decide(self, event: Event, now: datetime) -> tuple[Turn, tuple[Queued, ...]]:
        """Decide this event; return the turn, and its effects as outbox rows, with their text."""
        turn = decide(self.state, event, self._verbs, now)
        queued: list[Queued] = []
        for effect in turn.effects:
            if isinstance(effect, TellOffChat):
                self._answer_off_chat(turn, effect)
            elif not isinstance(effect, Typing):
                queued += self._rows(effect)
        return turn, tuple(queued)

    def _answer_off_chat(self, turn: Turn, told: TellOffChat) -> None:
        """Store the rendered answer with its line; an edit replaces what it edits."""
        line = turn.get(WebLine, told.line)
        if line is None:
            return
        words = self._render(told.phrase, turn.now)
        answer = WebAnswer(told.key, told.phrase.name, told.outcome, words.plain, words.html, told.choices)
        others = tuple(each for each in line.answers if each.key != told.key)
        turn.save(replace(line, answers=(*others, answer)))

    def _rows(self, effect: ChatEffect | Ask | Do | KeepSecret | Forget | MoveSecret) -> Sequence[Queued]:
        match effect:
            case Ask():
                return (Queued("ask", effect),)
            case Do():
                return (_act(effect),)
            case KeepSecret() | Forget() | MoveSecret():
                return (Queued("vault", effect),)
            case Post():
                words = self._render(effect.phrase, self.clock.now())
                message = ChatMessage(
                    key=effect.key,
                    room=effect.room,
                    plain=words.plain,
                    html=words.html,
                    reply_to=effect.reply_to,
                    thread=effect.thread,
                    mentions=effect.mentions,
                    draft=effect.draft,
                    answers=effect.answers,
                    interim=effect.interim,
                    version=effect.version,
                )
                suggested = [SuggestedReaction(effect.key, effect.room, emoji) for emoji in effect.suggestions]
                return [_chat_row(message), *(_chat_row(each) for each in suggested)]
            case Edit():
                words = self._render(effect.phrase, self.clock.now())
                edit = ChatMessage(
                    key=effect.key,
                    room=effect.room,
                    plain=words.plain,
                    html=words.html,
                    edit=True,
                    draft=effect.draft,
                    version=effect.version,
                )
                return (_chat_row(edit),)
            case Picture(key, room, phrase, shows, thread, reply_to):
                lines = tuple(self._render(phrase, self.clock.now()).plain.split("\n"))
                return (_chat_row(Drawing(key, room, lines, shows, thread, reply_to)),)
            case _:
                return (_chat_row(effect),)

    def unfinished(self, queue: QueueName) -> tuple[OutboxRow, ...]:
        """The rows of this queue that no row before them holds back, postponed ones included."""
        return self.journal.due(queue, _END_OF_TIME)

    def has_to_say(self, room: str) -> bool:
        """Whether any of our messages to this room is not sent yet."""
        return any(getattr(row.effect, "room", "") == room for row in self.unfinished("chat"))

    def next_wake(self) -> datetime | None:
        """When the rules want to run again."""
        return self._by_the_clock(lambda: next_wake(self.state, self.clock.now()))

    def grace_ends(self) -> datetime | None:
        """When the next grace ends. A sync must begin after that."""
        return self._by_the_clock(lambda: grace_ends(self.state, self.clock.now()))

    def waits_for_sync(self, asked_at: datetime) -> bool:
        """Whether a sync that began at that moment decides something."""
        return self._by_the_clock(lambda: waits_for_sync(self.state, asked_at))

    @property
    def has_asked(self) -> bool:
        """Whether our InvenTree has answered since the start, so its version is known, or has failed to answer."""
        if any(self.counters[_COUNTED[kind]] for kind in (Unanswered, Waiting)):
            return True
        return bool(self.counters[_COUNTED[Answered]] and Turn(self.state, self.clock.now()).status().api)

    def inventory_problem(self) -> str:
        """The problem with our InvenTree, as the rules know it; '' if there is none."""
        return english(Turn(self.state, self.clock.now()).status().inventory_problem)

    def gauges(self) -> dict[str, float]:
        """Figures for a monitor."""
        turn = Turn(self.state, self.clock.now())
        return {
            "connections_active": len(turn.active_connections()),
            "transfers_open": len(turn.open_transfers()),
            "transfers_disputed": sum(t.state is TransferState.DISPUTED for t in turn.living_transfers()),
            "outbox_waiting": self.journal.waiting(),
            "quarantined": len(self.journal.quarantined()),
        }


def _act(effect: Do) -> Queued:
    """A step as a row. Steps of one subject keep their order, but none waits for a photo or a file."""
    match effect.step:
        case Mirror(model=model, pk=pk):
            return Queued("act", effect, AFTER_STOCK, f"mirror {model} {pk}")
        case Label(item=item, booked=booked):
            what = "label" if booked is None else "bookings"
            return Queued("act", effect, AFTER_STOCK, f"{what} {item}")
        case Furnish(model=model, pk=pk):
            return Queued("act", effect, AFTER_STOCK, f"furnish {model} {pk}")
        case AttachPhoto():
            return Queued("act", effect, AFTER_STOCK, f"photo {effect.then.subject}")
        case SendFile() | KeepFile():
            return Queued("act", effect, AFTER_STOCK, f"file {effect.then.subject}")
    return Queued("act", effect, 0, effect.then.subject)


def _chat_row(effect: Stored) -> Queued:
    return Queued("chat", effect, send_queue.urgency(effect), send_queue.queue_key(effect))


def ends_the_bot(fault: Exception) -> bool:
    """Whether the bot must stop: the disk doesn't accept writes, or the account is signed out.

    The next start continues from the journal. A problem of a single row never ends the bot.
    """
    if isinstance(fault, NotStorable | WrongTurn | UnreadableRow):
        return False
    return isinstance(fault, JournalProblem | sqlite3.Error | ChatSignedOut)


def _works(look: Callable[[], object]) -> bool:
    try:
        look()
    except Exception as fault:
        log.debug("it fails on one of these", exc_info=True)
        if ends_the_bot(fault):
            raise
        return False
    return True


def _culprits(works_with: Callable[[Sequence[str]], bool], among: Sequence[str]) -> list[str]:
    """The items on which it fails even alone, found by bisection."""
    if works_with(among):
        return []
    if len(among) == 1:
        return list(among)
    half = len(among) // 2
    return _culprits(works_with, among[:half]) + _culprits(works_with, among[half:])
