"""The pipeline's middle: journaled events meet the rules, and what follows is committed (DESIGN §3).

Everything that happens goes through `put` or `receive` and is decided upon in order, one at a time. Only here
does state change; the lanes perform what the outbox holds.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from fedbot.chat import content, outgoing
from fedbot.federation import hearing
from fedbot.federation.commands import Verbs
from fedbot.federation.decide import decide, grace_ends, next_wake
from fedbot.federation.effects import (
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
    Typing,
)
from fedbot.federation.events import (
    Answered,
    EnvelopeSeen,
    Event,
    Posted,
    PostRefused,
    Reacted,
    Said,
    StepDone,
    StepRefused,
    StepUnknown,
    Unanswered,
    Unreadable,
    Waiting,
)
from fedbot.federation.state import AuditEntry, State, Turn
from fedbot.federation.steps import AttachPhoto, Mirror
from fedbot.ports import (
    Batch,
    Clock,
    Committed,
    Drawing,
    Journal,
    JournalProblem,
    Lane,
    Letter,
    NotStorable,
    Queued,
    Seed,
    Stored,
    UnreadableRow,
)

log = logging.getLogger(__name__)

AFTER_STOCK = 5
"""The priority of what moves none: metadata, which only mirrors the journal, and photos."""

Render = Callable[[Phrase, datetime], content.Rendered]


_COUNTED: dict[type, str] = {
    Said: "lines_heard",
    Unreadable: "lines_unreadable",
    Reacted: "taps_seen",
    EnvelopeSeen: "letters_read",
    Posted: "messages_sent",
    PostRefused: "messages_refused",
    Answered: "questions_answered",
    Unanswered: "questions_unanswered",
    StepDone: "acts_done",
    StepRefused: "acts_refused",
    StepUnknown: "acts_unknown",
    Waiting: "tries_put_off",
}
"""What a monitor counts since the start, by the event that tells of it."""


class Engine:
    """One party's pipeline between its journal and its lanes.

    `wake` has an event for each lane, set whenever the outbox may have something new for it; `changed` is
    called after each decision (timers and the sync loop look at the state then); `show_typing` gets what is
    not journaled. `listeners` are told, once, what is said under a key.
    """

    def __init__(self, journal: Journal, state: State, verbs: Verbs, clock: Clock, render: Render) -> None:
        self.journal = journal
        self.state = state
        self.clock = clock
        self.wake: dict[Lane, asyncio.Event] = {lane: asyncio.Event() for lane in ("chat", "act", "ask", "vault")}
        self.changed: Callable[[], None] = lambda: None
        self.show_typing: Callable[[Typing], None] = lambda _: None
        self.perform_now: Callable[[], None] = lambda: None
        self.listeners: dict[str, Callable[[Phrase], None]] = {}
        self.failures = 0
        self.counters = Counter(dict.fromkeys(("events_decided", "letters_written", *_COUNTED.values()), 0))
        self._verbs = verbs
        self._render = render
        self._deciding = False

    def load(self) -> None:
        """Read the state from the journal."""
        self.state.take_over({(kind, identifier): document for kind, identifier, document in self.journal.documents()})
        self.state.posts.update(self.journal.posts())

    def receive(self, batch: Batch) -> int:
        """One sync: its events and its token in one transaction; then they are decided upon.

        Talk that isn't for us is left out. Where it takes an earlier event of the same sync to know, that one is
        decided upon first, and what comes again after a crash in between is known by its event id.
        """
        self.decide_all()
        new, events = 0, list[Event]()
        is_settled = True
        for event in batch.events:
            if hearing.is_talk(event):
                if not is_settled:
                    new += self.journal.receive(events, None)
                    self.decide_all()
                    events, is_settled = [], True
                if not hearing.concerns_us(self.state, event, self.clock.now()):
                    continue
            is_settled = is_settled and not hearing.may_change_what_concerns_us(self.state, event)
            events.append(event)
        new += self.journal.receive(events, batch.token)
        self.decide_all()
        return new

    def put(self, event: Event) -> None:
        """Something that isn't from the chat has happened."""
        self.journal.put(event)
        self.decide_all()

    def decide_all(self) -> None:
        """Decide upon everything that waits, oldest first."""
        if self._deciding:
            return
        self._deciding = True
        try:
            while self._decide_next():
                pass
        finally:
            self._deciding = False
        for event in self.wake.values():
            event.set()
        self.changed()

    def _decide_next(self) -> bool:
        try:
            found = self.journal.next_event()
        except UnreadableRow as problem:
            self._pass_over(problem.number, str(problem))
            return True
        if found is None:
            return False
        seq, event = found
        now = self.clock.now()
        try:
            turn = decide(self.state, event, self._verbs, now)
            queued = tuple(self._queued(turn))
            self.journal.commit(
                seq, Committed(now, turn.changes, queued, tuple(turn.audit), tuple(turn.found), tuple(turn.voided))
            )
        except (JournalProblem, sqlite3.Error) as problem:
            if not isinstance(problem, NotStorable):
                raise  # the disk doesn't keep what it is given: end here, go on from the journal at the next start
            log.exception("what the rules made of event %d can't be stored", seq)
            self._pass_over(seq, f"the rules failed on {type(event).__name__}")
            return True
        except Exception:
            # a fault in the rules: nothing of this event takes effect, the event stays in the journal,
            # and the bot goes on for everybody else (its health says so)
            log.exception("the rules failed on event %d (%s)", seq, type(event).__name__)
            self._pass_over(seq, f"the rules failed on {type(event).__name__}")
            return True
        self.state.apply(turn)
        self._count(event, turn)
        self.perform_now()
        for effect in turn.effects:
            if isinstance(effect, Typing):
                self.show_typing(effect)
            elif isinstance(effect, Post) and effect.key in self.listeners:
                self.listeners.pop(effect.key)(effect.phrase)
        return True

    def _count(self, event: Event, turn: Turn) -> None:
        self.counters["events_decided"] += 1
        self.counters["letters_written"] += sum(getattr(effect, "draft", None) is not None for effect in turn.effects)
        if name := _COUNTED.get(type(event)):
            self.counters[name] += 1

    def _pass_over(self, seq: int, what: str) -> None:
        self.failures += 1
        self.journal.commit(seq, Committed(self.clock.now(), audit=(AuditEntry("failures", what),)))

    def _queued(self, turn: Turn) -> list[Queued]:
        """The turn's effects as rows of the outbox, words included."""
        queued: list[Queued] = []
        for effect in turn.effects:
            if not isinstance(effect, Typing):
                queued += self._rows(effect)
        return queued

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
                letter = Letter(
                    key=effect.key,
                    room=effect.room,
                    plain=words.plain,
                    html=words.html,
                    reply_to=effect.reply_to,
                    thread=effect.thread,
                    rings=effect.rings,
                    draft=effect.draft,
                )
                seeds = [Seed(effect.key, effect.room, emoji) for emoji in effect.seeds]
                return [_chat_row(letter), *(_chat_row(seed) for seed in seeds)]
            case Edit():
                words = self._render(effect.phrase, self.clock.now())
                edit = Letter(effect.key, effect.room, words.plain, words.html, edit=True, draft=effect.draft)
                return (_chat_row(edit),)
            case Picture(key, room, phrase, chart, thread):
                words = self._render(phrase, self.clock.now())
                return (_chat_row(Drawing(key, room, tuple(words.plain.split("\n")), chart, thread)),)
            case _:
                return (_chat_row(effect),)

    def next_wake(self) -> datetime | None:
        """When the rules want to be asked again."""
        return next_wake(self.state, self.clock.now())

    def grace_ends(self) -> datetime | None:
        """When the next grace ends, after which a sync must begin."""
        return grace_ends(self.state, self.clock.now())

    def standing_problem(self) -> str:
        """What is wrong with our InvenTree, as the rules know it; '' if nothing is."""
        return Turn(self.state, self.clock.now()).standing().inventory_problem

    def gauges(self) -> dict[str, float]:
        """Figures for a monitor."""
        turn = Turn(self.state, self.clock.now())
        return {
            "connections_active": len(turn.active_connections()),
            "transfers_open": len(turn.open_transfers()),
            "outbox_waiting": self.journal.waiting(),
        }


def _act(effect: Do) -> Queued:
    """A step; those of one subject go one after the other, but none of them waits for a photo of it."""
    match effect.step:
        case Mirror(model=model, pk=pk):
            return Queued("act", effect, AFTER_STOCK, f"mirror {model} {pk}")
        case AttachPhoto():
            return Queued("act", effect, AFTER_STOCK, f"photo {effect.context.subject}")
    return Queued("act", effect, 0, effect.context.subject)


def _chat_row(effect: Stored) -> Queued:
    return Queued("chat", effect, outgoing.urgency(effect), outgoing.queue_key(effect))
