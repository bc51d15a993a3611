"""Maps each event to its rule: `decide`. A query or a step carries its continuation with it.

It is pure: the same state and event give the same turn. The journal commits the turn in one transaction; nothing else
changes state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar, cast

from fedbot import messages
from fedbot.rules import carry_out_line, decisions, health, inbound, people, reminders, typed_lines, web
from fedbot.rules.archive import Document
from fedbot.rules.catalogue import search, want
from fedbot.rules.connection import connect as connections
from fedbot.rules.connection import disconnect, pinning, practice, provision, rooms, rotate_tokens
from fedbot.rules.ledger import reconcile, recover, stats
from fedbot.rules.loan import bookings, due_reminders, outside, overdue, waiting_list, write_off
from fedbot.rules.loan.photos import on_photo
from fedbot.rules.model import audit, lifecycles, queries
from fedbot.rules.model.books import Reconciliation, Survey
from fedbot.rules.model.catalogue import Allowance, FriendWant, Search, Want
from fedbot.rules.model.command import Cooldown, PendingChoice, WebAccess, WebLine
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import DecisionStage
from fedbot.rules.model.diagnosis import ANOTHER_THING
from fedbot.rules.model.effects import Join, is_for_page, say
from fedbot.rules.model.events import (
    BY_THE_CLOCK,
    AccessEnded,
    AccessGiven,
    Answered,
    CaughtUp,
    ClockSetBack,
    DecidedOffChat,
    Echoed,
    EnvelopeSeen,
    Event,
    HomeserverBack,
    Invited,
    PartyAnnounced,
    PastRead,
    PeopleOrdered,
    PhotoSent,
    Posted,
    PostRefused,
    PracticeOrdered,
    Reacted,
    Recalled,
    ReconcileDue,
    ReconcileOrdered,
    Redacted,
    Removed,
    RoomReplaced,
    RoomSeen,
    Said,
    SaidOffChat,
    SetAside,
    SettingsRead,
    Started,
    StatsDue,
    StepDone,
    StepRefused,
    StepUnknown,
    Tick,
    Unanswered,
    Unreadable,
    Waiting,
)
from fedbot.rules.model.from_anyone import Rota
from fedbot.rules.model.health import BotStatus
from fedbot.rules.model.lending import LendingStop, OutsideLoan, PlaceInLine, QueueEntry
from fedbot.rules.model.queries import AuditTrail, SignInFound
from fedbot.rules.model.room import MessageKind, Room
from fedbot.rules.model.stock import Permissions
from fedbot.rules.model.transfer import Transfer, WaitingLine
from fedbot.rules.protocol import announcements, sequencing
from fedbot.rules.state import State, Turn, Verbs
from fedbot.rules.transfer import booking, both_sides, from_anyone, opening, request, send

_LOADED_FOR_CONTINUATIONS = (write_off,)
"""No rule here uses them, but their continuations must be loaded for `CONTINUATIONS`."""
CONTINUATIONS = queries.kinds()
"""All kinds of continuation that the journal may hold. All rules are loaded here, so none is missing."""


D = TypeVar("D", bound=Document)


class _Follows(Protocol):
    """A module of rules that reacts to the changes of any event."""

    def follow(self, turn: Turn) -> None: ...


class _Timed(Protocol):
    """A module of rules that run by the clock: `look` does what is due, `next_wake` returns when that is next."""

    def look(self, turn: Turn) -> None: ...

    def next_wake(self, turn: Turn) -> list[datetime]: ...


@dataclass(frozen=True)
class _Present(Generic[D]):
    """The condition that a document of that class exists for which `where` holds; without `where`, any of the class."""

    kind: type[D]
    where: Callable[[D], bool] | None = None

    def holds(self, turn: Turn) -> bool:
        """Whether such a document exists, including this turn's changes."""
        if self.where is None:
            return turn.holds(cast("type[Document]", self.kind))
        return turn.holds_where(self.kind, self.where)


R = TypeVar("R")
_Table = tuple[tuple[tuple[R, ...], tuple[_Present[Any], ...]], ...]
"""Rows of rules and documents. The rules run while one of the documents exists; without one they have nothing to do."""

_AFTER_EACH: _Table[_Follows] = (
    ((from_anyone,), (_Present(Rota), _Present(Search))),
    ((request,), (_Present(Search),)),
    ((overdue,), (_Present(LendingStop),)),
    ((want,), (_Present(Want), _Present(FriendWant))),
    ((outside,), (_Present(OutsideLoan),)),
    ((waiting_list,), (_Present(QueueEntry), _Present(PlaceInLine))),
    ((provision,), (_Present(PlaceInLine), _Present(Want), _Present(LendingStop))),
)
"""The rules that run after each event, in this order."""
_BY_THE_CLOCK: _Table[_Timed] = (
    ((rooms,), (_Present(Room, lambda room: room.announce_at is not None),)),
    ((reminders,), ()),
    # one scan of the transfers: none of the three changes whether something is lent or booked
    ((due_reminders, overdue, booking), (_Present(Transfer, lambda it: it.is_on_loan or it.is_booked_here),)),
    ((bookings,), ()),
    ((outside,), (_Present(OutsideLoan, lambda loan: loan.is_living),)),
    ((stats,), (_Present(Survey),)),
    ((search,), (_Present(Search),)),
    ((from_anyone,), (_Present(Rota),)),
    ((want,), (_Present(Want), _Present(FriendWant))),
    ((waiting_list,), (_Present(QueueEntry), _Present(PlaceInLine))),
    ((reconcile,), (_Present(Reconciliation),)),
    ((health,), (_Present(BotStatus, lambda status: status.looked is not None),)),
    ((carry_out_line,), (_Present(WaitingLine),)),
)
"""The rules that run at each tick, in this order. A row without documents always runs."""


def _to_run(turn: Turn, table: _Table[R]) -> Iterator[R]:
    """Yield the rules of a table to run, each row by the documents that exist when its turn comes."""
    for rules, present in table:
        if not present or any(each.holds(turn) for each in present):
            yield from rules


def decide(state: State, event: Event, verbs: Verbs, now: datetime) -> Turn:
    """Decide on one event: return the changes and effects. `now` is the time of the decision, by our clock."""
    moment = event.at if isinstance(event, CaughtUp) else now
    turn = Turn(state, moment, by_the_clock=isinstance(event, BY_THE_CLOCK), verbs=verbs)
    if isinstance(event, Said | Reacted) and event.missed:
        typed_lines.on_missed(turn, event)
    else:
        _RULES[type(event)](turn, event)
    if turn.holds_where(Connection, lambda connection: connection.is_ending_or_over):
        disconnect.finish_ending(turn)
    if not isinstance(event, Recalled):  # the past is only read
        for rule in _to_run(turn, _AFTER_EACH):
            rule.follow(turn)
    if any(map(is_for_page, turn.effects)):
        web.hand_over(turn)
    _check_lifecycles(turn)
    return turn


class IllegalArrow(ValueError):
    """A rule would change a connection, transfer or loan in a way that its lifecycle forbids. Nothing is committed."""


def _check_lifecycles(turn: Turn) -> None:
    """Check the changes against the lifecycles. Our own past messages (`ledger.recover`) are true in any case."""
    for after in turn.changes.values():
        if isinstance(after, Transfer):
            if not after.is_recalled:
                _check_lifecycle_of_transfer(turn, after)
        elif isinstance(after, Connection | OutsideLoan | Rota | Want | PlaceInLine):
            before = turn.state.get(type(after), after.id)
            was = before.state if before else None
            if not lifecycles.allows(was, after.state):
                raise IllegalArrow(f"{type(after).__name__} {after.id}: {was} to {after.state}")


def _check_lifecycle_of_transfer(turn: Turn, after: Transfer) -> None:
    before = turn.state.get(Transfer, after.id)
    was = before.state if before else None
    if not lifecycles.transfer_allows(after.role, was, after.state):
        raise IllegalArrow(f"transfer {after.id} as {after.role}: {was} to {after.state}")
    ends = tuple(loan.closed.how if loan and loan.closed else None for loan in (before, after))
    if not lifecycles.loan_allows(*ends):
        raise IllegalArrow(f"loan {after.id}: {ends[0]} to {ends[1]}")


def _on_started(turn: Turn, event: Started) -> None:
    turn.save(replace(turn.status(), started=event.at, version=event.version))
    if event.recovers:
        recover.resume(turn)
    rooms.on_started(turn)
    stats.on_started(turn)
    reconcile.on_started(turn)
    health.on_started(turn)
    health.on_untrusted(turn, event.untrusted)
    rooms.announce_everywhere(turn)


def _on_envelope(turn: Turn, event: EnvelopeSeen) -> None:
    """Handle a protocol message: another bot's, or one of our own that our journal may have lost."""
    envelope = inbound.opened(turn, event)
    if envelope is None:
        return
    if event.sender == turn.us.bot:
        recover.on_own_message(turn, event, envelope)
    else:
        inbound.on_message(turn, event, envelope)


def _on_recalled(turn: Turn, event: Recalled) -> None:
    """Learn from a past message. Its effects were performed at the time, or start again after the recovery."""
    _on_envelope(turn, event.message)
    recover.begin(turn, event.message.at)
    turn.effects.clear()


def _on_past_read(turn: Turn, event: PastRead) -> None:
    """After a rebuild: suspend all connections until a superuser has compared the keys."""
    del event
    pinning.compare_again(turn)


def _on_post_refused(turn: Turn, event: PostRefused) -> None:
    """Tell the admins that the homeserver refused a message of ours, because nobody in the room can see it."""
    turn.note("chat", audit.NotPosted(event.code, event.key, event.text))
    room = turn.room(event.room)
    is_read_only = room is not None and bool(room.replaced_by)
    is_closed = event.key == Join.__name__ and bool(announcements.replaced_by(turn, event.room))
    if event.key.kind is MessageKind.ADMIN or is_read_only or is_closed:
        return  # the admins already know of upgraded rooms
    subject = turn.subject(event.key.subject)
    names = {"room": room.name if room else "", "code": subject.code if subject else ""}
    is_replaced = event.edits and decisions.on_edit_refused(turn, event)
    phrase = say(messages.health.post_refused, event=event, us=turn.us, is_replaced=is_replaced, **names)
    turn.tell_admins(phrase, f"refused:{event.key}:{event.room}")


def _on_caught_up(turn: Turn, _: CaughtUp) -> None:
    """Decide what was due before this complete sync began, because everything said until then has been read."""
    turn.save(replace(turn.status(), caught_up=turn.now))
    opening.on_caught_up(turn)
    decisions.on_caught_up(turn)
    for transfer in turn.open_transfers():
        send.expire(turn, transfer)
    for connection in turn.connections():
        if connection.is_overdue(turn.now):
            connections.expire(turn, connection)


def _on_tick(turn: Turn, _: Tick) -> None:
    """Do everything that is due: send messages again, try provisioning again, tell people of silence."""
    for connection in turn.connections():
        current = disconnect.stop_resending(turn, connection) if connection.is_ending_or_over else connection
        resent = sequencing.resend_due(turn, current)
        if resent is not connection:
            turn.save(resent)
            disconnect.tell_silence(turn, resent)
            connections.tell_silence(turn, resent)
        provision.try_again(turn, resent)
        tried = turn.connection(connection.id)
        if tried is not None:
            rotate_tokens.look(turn, tried)
    for transfer in turn.restless_transfers():
        resent_transfer = sequencing.resend_due(turn, transfer)
        if resent_transfer is not transfer:
            turn.save(resent_transfer)
            both_sides.tell_silence(turn, resent_transfer)
    for rule in _to_run(turn, _BY_THE_CLOCK):
        rule.look(turn)
    _forget(turn)


def _forget(turn: Turn) -> None:
    """Drop documents whose time is over."""
    remembered: list[PendingChoice | Cooldown] = [*turn.all(PendingChoice), *turn.all(Cooldown)]
    for document in remembered:
        if document.until <= turn.now:
            turn.drop(document)
    for allowance in turn.all(Allowance):
        if max(allowance.full_at, default=turn.now) <= turn.now:
            turn.drop(allowance)
    if turn.holds(WebLine, WebAccess):
        web.look(turn)


def _on_posted(turn: Turn, event: Posted) -> None:
    """Note the event id of a message of ours, such as a card."""
    if event.key.kind is MessageKind.CARD and not event.edits:
        subject = turn.subject(event.key.subject)
        if subject is not None:
            card_event, shown = subject.card_event or event.event_id, subject.shown or event.at
            own = replace(subject, own_card=event.event_id, card_since=event.at)
            turn.save(replace(own, card_event=card_event, shown=shown))
    elif event.key.kind is MessageKind.CHOICE:
        choice = turn.get(PendingChoice, event.key)
        if isinstance(choice, PendingChoice):
            turn.save(replace(choice, event_id=event.event_id))
    if event.version:
        opening.on_card_posted(turn, event)


def _note_answer(turn: Turn) -> None:
    """Note that our InvenTree has answered, which is news if it was silent."""
    if turn.status().inventory_down_since is not None:
        health.on_inventory_back(turn)


def _on_answered(turn: Turn, event: Answered) -> None:
    if not all(isinstance(answer, AuditTrail | SignInFound) for answer in event.answers):  # our own answer those
        _note_answer(turn)
    for answer in event.answers:
        if isinstance(answer, Permissions):
            turn.has_read(answer)
    event.then.answered(turn, event)


def _on_unanswered(turn: Turn, event: Unanswered) -> None:
    if event.silent:
        health.watch(turn)
    event.then.unanswered(turn, event)


def _on_done(turn: Turn, event: StepDone) -> None:
    if not event.then.at_peer:
        _note_answer(turn)
    event.then.done(turn, event)


def _on_not_done(turn: Turn, event: StepRefused | StepUnknown) -> None:
    if not event.then.at_peer:
        _note_answer(turn)
    if isinstance(event, StepRefused) and event.reason == ANOTHER_THING:
        health.on_mismatch(turn)
    event.then.not_done(turn, event)


def _on_waiting(turn: Turn, event: Waiting) -> None:
    """Tell people who wait that InvenTree can't do it now. It is tried again."""
    if not event.then.at_peer:
        health.on_waiting(turn, event)
    event.then.waiting(turn, event)


_RULES: dict[type[Event], Callable[[Turn, Any], None]] = {
    Said: typed_lines.on_said,
    PhotoSent: on_photo,
    Unreadable: typed_lines.on_unreadable,
    Reacted: decisions.on_reaction,
    Redacted: typed_lines.on_redaction,
    EnvelopeSeen: _on_envelope,
    Echoed: opening.on_echo,
    Recalled: _on_recalled,
    PastRead: _on_past_read,
    Invited: rooms.on_invited,
    RoomSeen: rooms.on_seen,
    PartyAnnounced: rooms.on_announced,
    Removed: rooms.on_removed,
    RoomReplaced: rooms.on_replaced,
    CaughtUp: _on_caught_up,
    Tick: _on_tick,
    ClockSetBack: reminders.on_set_back,
    SetAside: health.on_set_aside,
    StatsDue: stats.on_due,
    ReconcileDue: reconcile.on_due,
    ReconcileOrdered: reconcile.on_ordered,
    PeopleOrdered: people.on_ordered,
    PracticeOrdered: practice.on_ordered,
    SettingsRead: people.on_settings_read,
    SaidOffChat: web.on_said,
    DecidedOffChat: web.on_decided,
    AccessGiven: web.on_access_given,
    AccessEnded: web.on_access_ended,
    HomeserverBack: health.on_homeserver_back,
    Started: _on_started,
    Posted: _on_posted,
    PostRefused: _on_post_refused,
    Answered: _on_answered,
    Unanswered: _on_unanswered,
    StepDone: _on_done,
    StepRefused: _on_not_done,
    StepUnknown: _on_not_done,
    Waiting: _on_waiting,
}


def next_wake(state: State, now: datetime) -> datetime | None:
    """Return when the clock is next of interest (a message to send again, a step to try again), or None.

    Expiries aren't included: they need a sync that began later (`waits_for_sync`).
    """
    turn = Turn(state, now, by_the_clock=True)
    times = [c.exchange.resend_at for c in turn.connections()]
    times += [t.exchange.resend_at for t in turn.restless_transfers()]
    times += [provision.next_try(c) for c in turn.connections()]
    times += [rotate_tokens.next_look(c) for c in turn.connections()]
    times += [choice.until for choice in turn.all(PendingChoice)]
    for rule in _to_run(turn, _BY_THE_CLOCK):
        times += rule.next_wake(turn)
    return min((time for time in times if time is not None), default=None)


def waits_for_sync(state: State, asked_at: datetime) -> bool:
    """Whether a sync that began at `asked_at` decides something, because a grace or a request has ended by then."""
    ends = grace_ends(state, asked_at)
    if ends is not None and ends <= asked_at:
        return True
    turn = Turn(state, asked_at, by_the_clock=True)
    return any(send.is_over(turn, t) for t in turn.open_transfers()) or any(
        connection.is_overdue(asked_at) for connection in turn.connections()
    )


def grace_ends(state: State, now: datetime) -> datetime | None:
    """Return when the next grace ends, after which a sync must begin. None if no grace runs."""
    deciding = [s.decision for s in Turn(state, now, by_the_clock=True).subjects() if s.decision]
    ends = [d.ends for d in deciding if d.stage is DecisionStage.GRACE and d.ends is not None]
    return min(ends, default=None)
