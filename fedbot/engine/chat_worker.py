"""Sends messages, reactions, edits, files and the typing notification, in order, each once.

A message gets its envelope, its signature and its targets when it is sent. The transaction id depends only on the
journal and the row, so all retries of one send are one event.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from fedbot.engine.circuit_breaker import Breaker
from fedbot.engine.inventory_workers import to_its_end, wait_for_work
from fedbot.engine.media import Pictures
from fedbot.engine.pipeline import Engine
from fedbot.matrix import content
from fedbot.matrix.room import PARTY
from fedbot.matrix.send_queue import Budget, groups, in_order, reserve, superseded
from fedbot.matrix.sync import ENVELOPE_TYPE
from fedbot.messages import markup
from fedbot.ports.chat import Chat, ChatLimited, ChatProblem, ChatRefused, ChatUnreachable, Delivery
from fedbot.ports.journal import ChatMessage, Drawing, JournalProblem, OutboxRow, SuggestedReaction
from fedbot.ports.vault import NoSuchSecret, Vault
from fedbot.rules.model.effects import Announce, Join, Leave, SendEnvelope, Typing
from fedbot.rules.model.events import Event, Posted, PostRefused
from fedbot.rules.model.room import MessageKey, MessageKind
from fedbot.rules.protocol.sequencing import bound_to
from fedbot.rules.state import Turn
from fedbot.rules.who_decides import Subject, takes_reactions
from fedbot.rules.wire import (
    BadEnvelope,
    Draft,
    Identity,
    envelope_id,
    seal,
    sign,
    sign_announcement,
    transaction_id,
    wire_time,
)

log = logging.getLogger(__name__)

PICTURE_PAUSE = 30.0
"""The seconds until a picture's upload is tried again."""
TYPING_SECONDS = 30
ALREADY_THERE = "M_DUPLICATE_ANNOTATION"
"""The homeserver's code for a reaction that we have added already."""


class TypingNotifications:
    """Shows the typing notification beside all other work, and hides it when the answer is in the room.

    It isn't journaled, and it doesn't matter if a homeserver refuses it.
    """

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._to_hide: set[str] = set()
        self._under_way: set[asyncio.Task[None]] = set()

    def show(self, effect: Typing) -> None:
        """Show it at once. 0 seconds hides it, but only after the waiting messages are sent (`all_is_said`)."""
        if effect.seconds:
            self._to_hide.discard(effect.room)
            self._begin(effect.room, effect.seconds)
        else:
            self._to_hide.add(effect.room)

    def all_is_said(self) -> None:
        """Nothing waits to be sent now: hide the notifications that are over."""
        while self._to_hide:
            self._begin(self._to_hide.pop(), 0)

    def _begin(self, room: str, seconds: int) -> None:
        task = asyncio.ensure_future(self._set(room, seconds))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _set(self, room: str, seconds: int) -> None:
        try:
            await self._chat.typing(room, seconds)
        except (ChatProblem, JournalProblem) as problem:  # a lost claim ends the bot at its next request
            log.debug("no typing notification: %s", problem)


class TargetUnsent(Exception):
    """The message that this one refers to is not in the room yet."""


class TargetNeverSent(Exception):
    """The message that this one refers to will never be in the room."""


class TargetInFormerRoom(Exception):
    """The message that this one refers to is in another room, from which we have moved."""


class ChatWorker:
    """Sends the outbox's chat rows. `all_is_said` is called whenever nothing is left to send now."""

    def __init__(
        self,
        engine: Engine,
        chat: Chat,
        identity: Identity,
        vault: Vault,
        breaker: Breaker,
        all_is_said: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._journal = engine.journal
        self._clock = engine.clock
        self._chat = chat
        self._identity = identity
        self._vault = vault
        self._all_is_said = all_is_said
        self.budget = Budget()
        self._breaker = breaker
        self._served: dict[str, int] = {}
        self.pictures = Pictures(chat, engine.wake["chat"].set)
        engine.clock_listeners.append(self._clock_set_back)

    async def run(self) -> None:
        """Work until cancelled."""
        wake = self._engine.wake["chat"]
        while True:
            wake.clear()
            rows = self._engine.due("chat")
            held = self._held() if rows else 0.0
            if held > 0:
                await self._clock.sleep(held)
                continue
            did = await to_its_end(self.send_first(rows)) if rows else False
            if not did:
                pause = self.pause(rows)
                if not pause:
                    self._all_is_said()
                await wait_for_work(self._engine, "chat", pause)

    def _clock_set_back(self) -> None:
        """Forget the rate limit: it ends in the future now. The homeserver sets it again if it still applies."""
        self.budget = Budget(self.budget.burst)

    def _held(self) -> float:
        """The seconds to leave an unresponsive homeserver alone."""
        now = self._clock.now()
        until = self._breaker.holds(now)
        return max((until - now).total_seconds(), 0.05) if until else 0.0

    async def send_first(self, rows: tuple[OutboxRow, ...]) -> bool:
        """Send the first row that can be sent now; return whether there was one."""
        now = self._clock.now()
        for number in superseded(rows) | self._no_longer_wanted(rows):
            self._journal.finish(number, None)
            rows = tuple(row for row in rows if row.id != number)
        waiting: set[tuple[str, str]] = set()
        for row in in_order(rows, now, self._whose, self._served):
            if waiting.intersection(groups(row)):
                continue
            pause = self.budget.wait(now, reserve(row, now))
            if pause > 0 or self._is_being_decided(row):
                self._show_typing_while_held(row, pause)
                waiting.update(groups(row))
                continue
            try:
                did = await self._try_to_send(row)
            except Exception as fault:  # noqa: BLE001 -- it is set aside, and the admins are informed
                self._engine.set_row_aside(row.id, type(row.effect).__name__, row.key, fault)
                did = True
            if did:
                return True
            waiting.update(groups(row))
        return False

    async def _try_to_send(self, row: OutboxRow) -> bool:
        """Send this row, if it can be sent now; return whether the row ended or was tried."""
        try:
            delivery = self._delivery(row)
        except TargetUnsent:
            return False
        except TargetInFormerRoom:
            self._end(row, None)
            return True
        except (ChatLimited, ChatUnreachable) as problem:  # of a picture's upload
            self._journal.postpone(row.id, self._later(problem), reached=False, problem=problem.text)
            return False
        except (TargetNeverSent, ChatRefused, BadEnvelope) as problem:
            self._end(row, _refused(row, self._clock.now(), "not-sendable", str(problem)), str(problem))
            return True
        await self._send(row, delivery)
        return True

    def _show_typing_while_held(self, row: OutboxRow, pause: float) -> None:
        """Show typing while an answer waits for the homeserver's rate limit, which doesn't cover typing."""
        if isinstance(row.effect, ChatMessage) and row.effect.answers and pause > 0:
            self._engine.show_typing(Typing(row.effect.room, TYPING_SECONDS))
            self._engine.show_typing(Typing(row.effect.room, 0))  # hidden once everything is sent

    def pause(self, rows: tuple[OutboxRow, ...]) -> float:
        """Seconds until the homeserver's limit allows one of these rows; 0 if they wait for something else."""
        now = self._clock.now()
        pauses = [self.budget.wait(now, reserve(row, now)) for row in rows]
        return min((pause for pause in pauses if pause > 0), default=0.0)

    def _whose(self, row: OutboxRow) -> str:
        """The person, peer or room that the row counts for, because each gets a fair share."""
        effect = row.effect
        if isinstance(effect, ChatMessage) and effect.answers:
            return effect.answers
        draft = getattr(effect, "draft", None)
        if isinstance(draft, Draft):
            return draft.to
        subject = self._subject(row)
        return subject.peer if subject else str(getattr(effect, "room", ""))

    def _subject(self, row: OutboxRow) -> Subject | None:
        """The transfer or connection that one of our messages is about."""
        identifier = MessageKey(getattr(row.effect, "key", "")).subject
        turn = Turn(self._engine.state, self._clock.now())
        return turn.subject(identifier) if identifier else None

    def _no_longer_wanted(self, rows: tuple[OutboxRow, ...]) -> set[int]:
        """Suggested reactions on cards that nobody can decide on any more.

        If sending one has begun, it may be in the room already.
        """
        suggested = [row for row in rows if isinstance(row.effect, SuggestedReaction) and row.acted_at is None]
        about = [(row.id, self._subject(row)) for row in suggested]
        return {number for number, subject in about if subject is not None and not takes_reactions(subject)}

    def _is_being_decided(self, row: OutboxRow) -> bool:
        """Whether it suggests a reaction on a card that already has a decision.

        The reaction is needed only if that decision is withdrawn.
        """
        subject = self._subject(row) if isinstance(row.effect, SuggestedReaction) else None
        return subject is not None and subject.decision is not None

    async def _send(self, row: OutboxRow, delivery: Delivery | None) -> None:
        self._engine.begin(row.id)
        try:
            event_id = await self._perform(row, delivery)
        except ChatLimited as limit:
            now = self._clock.now()
            self.budget = self.budget.limited(now, limit.retry_after)
            self._journal.postpone(row.id, now + timedelta(seconds=limit.retry_after), problem=limit.text)
        except ChatUnreachable as problem:
            again = self._breaker.failed(self._clock.now())
            self._journal.postpone(row.id, again, problem=problem.text)
        except ChatRefused as problem:
            if problem.code == ALREADY_THERE:
                self._end(row, None)
                return
            log.warning("the homeserver refused %s: %s", type(row.effect).__name__, problem.text)
            self._end(row, _refused(row, self._clock.now(), problem.code, problem.text), problem.text)
        else:
            self._breaker.worked()
            now = self._clock.now()
            self.budget = self.budget.sent(now)
            self._served[self._whose(row)] = max(self._served.values(), default=0) + 1
            self._end(row, posted(row.effect, event_id, now) if isinstance(row.effect, ChatMessage) else None)

    async def _perform(self, row: OutboxRow, delivery: Delivery | None) -> str:
        if delivery is not None:
            return await self._chat.send(delivery)
        if isinstance(row.effect, Join):
            await self._chat.join(row.effect.room, row.effect.via)
        elif isinstance(row.effect, Leave):
            await self._chat.leave(row.effect.room)
        return ""

    def _end(self, row: OutboxRow, outcome: Event | None, problem: str = "") -> None:
        if problem:
            self._journal.fail(row.id, outcome, problem)
        else:
            self._journal.finish(row.id, outcome)
        self._engine.decide_all()

    def _delivery(self, row: OutboxRow) -> Delivery | None:
        """The row as an event; None for joining and leaving. Raises `TargetUnsent`, `TargetNeverSent`."""
        transaction = transaction_id(self._journal.journal_id, row.cause, f"{row.id}", 0)
        match row.effect:
            case ChatMessage() as message:
                return Delivery(message.room, "m.room.message", self._message(message), transaction)
            case SuggestedReaction(key, room, emoji):
                return Delivery(room, "m.reaction", content.reaction(self._event_of(key, room), emoji), transaction)
            case Drawing() as drawing:
                return Delivery(drawing.room, "m.room.message", self._picture(row.id, drawing), transaction)
            case SendEnvelope(room, draft):
                envelope = content.bare_envelope(self._envelope(draft, room))
                return Delivery(room, ENVELOPE_TYPE, envelope, transaction)
            case Announce(room, announcement):
                signed = sign_announcement(self._identity, self._chat.user_id, room, announcement)
                return Delivery(room, PARTY, signed, transaction, state_key=self._chat.user_id)
            case Join() | Leave():
                return None
            case _:
                raise TypeError(f"outbox row {row.id} doesn't go to the chat: {row.effect!r}")

    def _message(self, message: ChatMessage) -> dict[str, Any]:
        return content.message(
            markup.Rendered(message.plain, message.html),
            mentions=message.mentions,
            reply_to=self._target(message.reply_to, message.room),
            thread=self._target(message.thread, message.room),
            interim=message.interim,
            envelope=self._envelope(message.draft, message.room) if message.draft else None,
            edits=self._event_of(message.key, message.room) if message.edit else "",
            # a card was an m.text that notified people; it stays one, because clients show notices differently
            notice=False if message.edit and message.key.kind is MessageKind.CARD else None,
        )

    def _picture(self, row: int, drawing: Drawing) -> dict[str, Any]:
        thread = self._event_of(drawing.thread, drawing.room) if drawing.thread else ""
        ready = self.pictures.take(row, drawing)
        if ready is None:
            raise TargetUnsent(drawing.key)
        return content.picture(
            ready.media,
            drawing.words[0],
            name=ready.name,
            size=ready.size,
            width=ready.width,
            height=ready.height,
            thread=thread,
            reply_to=self._target(drawing.reply_to, drawing.room),
        )

    def _later(self, problem: ChatProblem) -> datetime:
        pause = problem.retry_after if isinstance(problem, ChatLimited) else PICTURE_PAUSE
        return self._clock.now() + timedelta(seconds=pause)

    def _target(self, target: str, room: str) -> str:
        """The event id that a target stands for: an event id itself, or a key of ours. '' if it is in another room."""
        if not target or target.startswith("$"):
            return target
        try:
            return self._event_of(target, room)
        except TargetInFormerRoom:
            return ""

    def _event_of(self, key: str, room: str) -> str:
        place = self._journal.post(key)
        if place is not None and place.room == room:
            return place.event_id
        unsent = [row.effect for row in self._engine.unfinished("chat") if row.key == key]
        if any(isinstance(effect, ChatMessage) and not effect.edit for effect in unsent):
            raise TargetUnsent(key)
        if any(aside.subject == key and aside.what == ChatMessage.__name__ for aside in self._journal.quarantined()):
            raise TargetUnsent(key)
        if place is not None:
            raise TargetInFormerRoom(key)
        raise TargetNeverSent(f"the message {key} is not in the room")

    def _envelope(self, draft: Draft, room: str) -> dict[str, Any]:
        """The signed envelope of a draft, with its sealed parts sealed to the peer's key."""
        us = self._engine.state.us
        kind, body = draft.kind, dict(draft.body)
        if kind == "announce":
            body = sign_announcement(self._identity, self._chat.user_id, room, body)
        binding = bound_to(us.party, draft.to, draft.subject, draft.number)
        if draft.sealed:
            body["sealed"] = seal(draft.sealed_to, draft.sealed, bound_to=binding)
        try:
            for field, reference in draft.secrets.items():
                body[field] = seal(draft.sealed_to, {"secret": self._vault.read(reference)}, bound_to=binding)
        except NoSuchSecret as gone:
            # The access has ended. Without a message of this number the peer would keep asking for it.
            log.warning("message %d about %s is sent empty: no secret %s", draft.number, draft.subject, gone)
            kind, body = "seen", dict(draft.body)
        unsigned = {
            "id": envelope_id(us.party, draft.subject, draft.number),
            "kind": kind,
            "from": us.party,
            "to": draft.to,
            "room": room,
            **({draft.subject_kind: draft.subject} if draft.subject else {}),
            "seq": draft.number,
            "terms_hash": draft.terms_hash,
            "body": body,
            "sent_at": wire_time(self._clock.now()),
        }
        return sign(self._identity, unsigned)


def posted(message: ChatMessage, event_id: str, at: datetime) -> Posted:
    """The homeserver has taken our message."""
    return Posted(at, message.key, message.room, event_id, message.edit, message.version)


def _refused(row: OutboxRow, now: datetime, code: str, text: str) -> PostRefused | None:
    key = MessageKey(getattr(row.effect, "key", type(row.effect).__name__))
    edits, version = getattr(row.effect, "edit", False), getattr(row.effect, "version", 0)
    return PostRefused(now, key, getattr(row.effect, "room", ""), code, text, edits, version)
