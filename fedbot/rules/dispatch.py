"""The one place where an event meets its rule: `decide`.

Pure: the same state and event give the same turn. What the turn holds is committed by the journal in one
transaction; nothing else changes state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from fedbot import messages
from fedbot.rules import clock, decisions, health, inbound, lines, reminders
from fedbot.rules.catalogue import search
from fedbot.rules.command import Verbs
from fedbot.rules.connection import connect as connections
from fedbot.rules.connection import disconnect, move_rooms, provision, rooms, rotate_tokens
from fedbot.rules.ledger import reconcile, recover, restored_server, stats
from fedbot.rules.loan import end, extend, hand_back, label, lend, photos, write_off
from fedbot.rules.model import connection_lifecycle, loan_lifecycle, transfer_lifecycle
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.conversation import PendingChoice, Telling
from fedbot.rules.model.decision import Choice, DecisionStage
from fedbot.rules.model.effects import Join, say
from fedbot.rules.model.events import (
    BY_THE_CLOCK,
    Answered,
    CaughtUp,
    ClockSetBack,
    Context,
    EnvelopeSeen,
    Event,
    HomeserverBack,
    Invited,
    PartyAnnounced,
    PhotoSent,
    Posted,
    PostRefused,
    Reacted,
    Recalled,
    ReconcileDue,
    ReconcileOrdered,
    Redacted,
    Removed,
    RoomReplaced,
    RoomSeen,
    Said,
    SetAside,
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
from fedbot.rules.model.queries import AuditTrail
from fedbot.rules.model.steps import ANOTHER_THING
from fedbot.rules.model.stock import Rights
from fedbot.rules.model.transfer import RECALLED, Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState
from fedbot.rules.protocol import room_upgrades, sequencing
from fedbot.rules.state import State, Turn
from fedbot.rules.transfer import both_sides as transfers
from fedbot.rules.transfer import offer, opening, parcel, receive, request, send, sender_decision


def decide(state: State, event: Event, verbs: Verbs, now: datetime) -> Turn:
    """What this event changes and wants done. `now` is when it is decided upon, by our clock."""
    moment = event.at if isinstance(event, CaughtUp) else now
    turn = Turn(state, moment, by_the_clock=isinstance(event, BY_THE_CLOCK))
    if isinstance(event, Said):
        lines.on_said(turn, event, verbs)
    elif isinstance(event, Answered):
        _on_answered(turn, event, verbs)
    elif isinstance(event, Unanswered):
        _on_unanswered(turn, event, verbs)
    else:
        _RULES[type(event)](turn, event)
    if isinstance(event, Tick):
        lines.look(turn, verbs)
    elif isinstance(event, Waiting) and event.context.purpose == "line":
        lines.on_waiting(turn, event, verbs)
    disconnect.finish_what_is_over(turn)
    _follow_the_tables(turn)
    return turn


class IllegalArrow(ValueError):
    """A rule would take a connection, transfer or loan to where its lifecycle has no arrow: nothing is committed."""


def _follow_the_tables(turn: Turn) -> None:
    """What our own messages of the past tell (`recovering`) is true already, whatever we knew before."""
    for after in turn.changes.values():
        if isinstance(after, Connection):
            was = turn.state.get(Connection, after.id)
            if not connection_lifecycle.allows(was.state if was else None, after.state):
                raise IllegalArrow(f"connection {after.id}: {was.state if was else None} to {after.state}")
        elif isinstance(after, Transfer) and RECALLED not in after.told:
            before = turn.state.get(Transfer, after.id)
            if not transfer_lifecycle.allows(after.role, before.state if before else None, after.state):
                arrow = f"{before.state if before else None} to {after.state}"
                raise IllegalArrow(f"transfer {after.id} as {after.role}: {arrow}")
            ends = tuple(loan.closed.how if loan and loan.closed else None for loan in (before, after))
            if not loan_lifecycle.allows(*ends):
                raise IllegalArrow(f"loan {after.id}: {ends[0]} to {ends[1]}")


def _on_started(turn: Turn, event: Started) -> None:
    turn.save(replace(turn.standing(), started=event.at, version=event.version))
    if event.recovers:
        recover.resume(turn)
    move_rooms.on_started(turn)
    stats.on_started(turn)
    reconcile.on_started(turn)
    health.on_started(turn)
    health.on_untrusted(turn, event.untrusted)
    rooms.announce_everywhere(turn)


def _on_recalled(turn: Turn, event: Recalled) -> None:
    """A message of the past: what it says counts, what would have to be done for it was done, or is begun anew."""
    inbound.on_envelope(turn, event.letter)
    recover.begin_anew(turn)
    turn.effects.clear()


def _on_post_refused(turn: Turn, event: PostRefused) -> None:
    """The homeserver won't take a message of ours: nobody in the room can see it, so the admins are told."""
    turn.note("chat", f"not posted: {event.code}", key=event.key, text=event.text)
    room = turn.room(event.room)
    is_read_only = room is not None and bool(room.replaced_by)
    is_closed = event.key == Join.__name__ and bool(room_upgrades.replaced_by(turn, event.room))
    if not (event.key.startswith("admin:") or is_read_only or is_closed):  # of upgraded rooms the admins know
        subject = decisions.subject_by_id(turn, event.key.partition(":")[2].partition(":")[0])
        names = {"room": room.name if room else "", "code": subject.code if subject else ""}
        phrase = say(messages.health.post_refused, event=event, home=turn.home, **names)
        turn.tell_admins(phrase, f"refused:{event.key}:{event.room}")


def _on_caught_up(turn: Turn, _: CaughtUp) -> None:
    """A sync is complete that began at `turn.now`: what was due before that is decided on all that was said."""
    turn.save(replace(turn.standing(), caught_up=turn.now))
    decisions.on_caught_up(turn)
    for transfer in turn.open_transfers():
        sender_decision.expire(turn, transfer)
    for connection in turn.connections():
        connections.expire(turn, connection)


def _on_tick(turn: Turn, _: Tick) -> None:
    """Whatever is due by the clock: messages to send again, makings to try again, silence to tell."""
    for connection in turn.connections():
        resent = sequencing.resend_due(turn, disconnect.falls_silent(turn, connection))
        if resent is not connection:
            turn.save(resent)
            disconnect.tell_silence(turn, resent)
            connections.tell_silence(turn, resent)
        provision.try_again(turn, resent)
        current = turn.connection(connection.id)
        if current is not None:
            rotate_tokens.look(turn, current)
    for transfer in turn.restless_transfers():
        resent_transfer = sequencing.resend_due(turn, transfer)
        if resent_transfer is not transfer:
            turn.save(resent_transfer)
            transfers.tell_silence(turn, resent_transfer)
    reminders.look(turn)
    reminders.look_at_due_dates(turn)
    stats.look(turn)
    search.look(turn)
    reconcile.look(turn)
    health.look(turn)
    remembered: list[PendingChoice | Telling] = [*turn.questions(), *turn.tellings()]
    for document in remembered:
        if document.until <= turn.now:
            turn.drop(document)
    for allowance in turn.allowances():
        if max(allowance.full_at, default=turn.now) <= turn.now:
            turn.drop(allowance)


def _on_posted(turn: Turn, event: Posted) -> None:
    """A message of ours is there: a card is known by its event from now on."""
    kind, _, rest = event.key.partition(":")
    if kind == "card" and not event.edits:
        subject = decisions.subject_by_id(turn, rest)
        if subject is not None:
            card_event, shown = subject.card_event or event.event_id, subject.shown or event.at
            turn.save(replace(subject, card_event=card_event, own_card=event.event_id, shown=shown))
    elif kind == "choice":
        question = turn.question(event.key)
        if isinstance(question, PendingChoice):
            turn.save(replace(question, event_id=event.event_id))


def _on_answered(turn: Turn, event: Answered, verbs: Verbs) -> None:
    if not all(isinstance(answer, AuditTrail) for answer in event.answers):  # that one is the journal's
        health.is_back(turn)
    for answer in event.answers:
        if isinstance(answer, Rights):
            turn.has_read(answer)
    purpose = event.context.purpose
    if purpose == "line":
        lines.on_answered(turn, event, verbs)
    else:
        _ANSWERED[purpose](turn, event)


def _on_decision(turn: Turn, event: Answered) -> None:
    """A decision that counts, for exactly these terms: act on it as arbiter, or ask the arbiter."""
    confirmed = decisions.on_confirmed(turn, event)
    if confirmed is None:
        return
    subject, decision, decided = confirmed
    approved = decision.choice is not Choice.DECLINE
    if isinstance(subject, Connection):
        (connections.on_approved if approved else connections.on_refused)(turn, subject, decided)
        return
    if subject.awaits_parcel:
        parcel.on_arrived(turn, subject, decided)
        return
    if decision.choice is Choice.PARCEL:
        subject = transfers.by_parcel(subject)
    if decision.choice is Choice.DAMAGED:
        subject = replace(subject, damaged=True)
    if subject.role == "receiver":
        (receive.on_approved if approved else receive.on_declined)(turn, subject, decided)
    elif not approved:
        transfers.end(turn, subject, TransferState.DECLINED, decided)
    elif subject.terms.kind == lend.EXTENSION:
        extend.on_approved(turn, subject, decided)
    elif decision.quantity is not None:
        request.grant(turn, subject, decided, decision.quantity)
    else:
        sender_decision.approve(turn, subject, decided)


def _on_unanswered(turn: Turn, event: Unanswered, verbs: Verbs) -> None:
    if event.silent:
        health.watch(turn)
    if event.context.purpose == "line":
        lines.on_unanswered(turn, event, verbs)
    elif rule := _UNANSWERED.get(event.context.purpose):
        rule(turn, event)


def _not_mirrored(turn: Turn, event: StepRefused | StepUnknown) -> None:
    """Metadata only mirrors the journal: the admins are told once a day, nothing waits for it."""
    if turn.tell_once("mirror", inbound.A_DAY):
        turn.tell_admins(say(messages.health.not_mirrored, text=event.text), f"mirror:{turn.now.date()}")


def _not_taken_back(turn: Turn, event: StepRefused | StepUnknown) -> None:
    connection = turn.connection(event.context.subject)
    if connection is not None:
        phrase = say(
            messages.connection.access_not_ended,
            connection=connection,
            name=provision.access_name(connection),
            text=event.text,
        )
        turn.tell_admins(phrase, f"access:{connection.id}")


def _nothing_follows(turn: Turn, event: StepDone) -> None:
    turn.note(event.context.subject, f"done: {event.context.purpose}")


CARDS = frozenset(
    {"offer-card", "request-card", "request-match", "granted-card", "return-card", "extension-card", "moved-card"}
) | {"changed-card"}
WAITED_FOR = CARDS | {"sending", "receiving", "debit"}
_Rule = Callable[[Turn, Any], None]
_ANSWERED: dict[str, _Rule] = {
    "verdict": decisions.on_rights,
    "confirm": _on_decision,
    "connect-card": connections.on_card_addressees,
    "offer-card": offer.on_matched,
    "request-card": request.on_found,
    "request-match": request.on_matched,
    "granted-card": request.on_granted_card,
    "return-card": hand_back.on_card,
    "extension-card": extend.on_card,
    "moved-card": move_rooms.on_card,
    "changed-card": opening.on_changed_card,
    photos.PERMITTING: photos.on_permitted,
    hand_back.REMARKING: hand_back.on_remark_permitted,
    "debit": sender_decision.on_looked_again,
    "rebuild": recover.on_mirrors,
    "reminder": reminders.on_able,
    "due-day": reminders.on_able_to_return,
    "stats-own": stats.on_own_counted,
    "stats-answer": stats.on_counted_for_friend,
    "stats-scheduled": stats.on_counted_on_schedule,
    "find-own": search.on_own_found,
    "find-answer": search.on_found_for_friend,
    "books-answer": reconcile.on_looked_for_friend,
    "books-own": reconcile.on_own_looked,
    health.LOOKING: health.on_looked,
    restored_server.MISSING: restored_server.on_books,
}
_UNANSWERED: dict[str, _Rule] = {
    photos.PERMITTING: photos.on_not_permitted,
    hand_back.REMARKING: hand_back.on_remark_not_permitted,
    "verdict": decisions.on_no_rights,
    "confirm": decisions.on_no_rights,
    "stats-own": stats.on_own_uncounted,
    "stats-answer": stats.on_uncounted_for_friend,
    "find-own": search.on_own_not_found,
    "find-answer": search.on_not_found_for_friend,
    "books-answer": reconcile.on_not_looked_for_friend,
    "books-own": reconcile.on_own_not_looked,
}
_DONE: dict[str, _Rule] = {
    "making": provision.on_done,
    "renewing": rotate_tokens.on_done,
    health.RENEWING: health.on_done,
    "sending": send.on_done,
    "mending": reconcile.on_mended,
    "receiving": receive.on_done,
    "mirror": _nothing_follows,
    label.LABELLING: _nothing_follows,
    end.NOTING: _nothing_follows,
    write_off.WRITING_OFF: write_off.on_written_off,
    "taking-back": disconnect.on_taken_back,
    photos.ATTACHING: photos.on_attached,
}
_REFUSED: dict[str, _Rule] = {
    "making": provision.on_refused,
    "renewing": rotate_tokens.on_refused,
    health.RENEWING: health.on_refused,
    "sending": send.on_refused,
    "mending": reconcile.on_not_mended,
    "receiving": parcel.on_refused,
    "mirror": _not_mirrored,
    label.LABELLING: label.on_not_labelled,
    end.NOTING: end.on_not_noted,
    write_off.WRITING_OFF: write_off.on_not_written_off,
    "taking-back": _not_taken_back,
    photos.ATTACHING: photos.on_not_attached,
}
_UNKNOWN: dict[str, _Rule] = {
    "making": provision.on_refused,
    "renewing": rotate_tokens.on_refused,
    health.RENEWING: health.on_refused,
    "sending": send.on_unknown,
    "mending": reconcile.on_not_mended,
    "receiving": receive.on_unknown,
    "mirror": _not_mirrored,
    label.LABELLING: label.on_not_labelled,
    end.NOTING: end.on_not_noted,
    write_off.WRITING_OFF: write_off.on_not_written_off,
    "taking-back": _not_taken_back,
    photos.ATTACHING: photos.on_not_attached,
}


def _on_step(turn: Turn, event: StepDone | StepRefused | StepUnknown, rules: dict[str, _Rule]) -> None:
    if not _is_elsewhere(event.context):
        health.is_back(turn)
    if isinstance(event, StepRefused) and event.reason == ANOTHER_THING:
        health.on_mismatch(turn)
    rules[event.context.purpose](turn, event)


def _is_elsewhere(context: Context) -> bool:
    """Whether it was done at the peer's InvenTree, so that it tells nothing of ours."""
    return context.detail.get("whose") == provision.PEER


def _on_waiting(turn: Turn, event: Waiting) -> None:
    """InvenTree can't do it now; it is tried again. People are told where they wait for it."""
    if _is_elsewhere(event.context):
        connection = turn.connection(event.context.subject)
        if connection is not None:
            provision.peer_is_silent(turn, connection, event.problem)
        return
    health.on_waiting(turn, event)
    transfer = turn.transfer(event.context.subject)
    if transfer is not None and event.context.purpose in WAITED_FOR:
        transfers.waits(turn, transfer, event.problem, event.next_try)


_RULES: dict[type[Event], _Rule] = {
    PhotoSent: photos.on_photo,
    Unreadable: lines.on_unreadable,
    Reacted: decisions.on_reaction,
    Redacted: decisions.on_redaction,
    EnvelopeSeen: inbound.on_envelope,
    Recalled: _on_recalled,
    Invited: rooms.on_invited,
    RoomSeen: rooms.on_seen,
    PartyAnnounced: rooms.on_announced,
    Removed: rooms.on_removed,
    RoomReplaced: move_rooms.on_replaced,
    CaughtUp: _on_caught_up,
    Tick: _on_tick,
    ClockSetBack: clock.on_set_back,
    SetAside: health.on_set_aside,
    StatsDue: stats.on_due,
    ReconcileDue: reconcile.on_due,
    ReconcileOrdered: reconcile.on_ordered,
    HomeserverBack: health.on_homeserver_back,
    Started: _on_started,
    Posted: _on_posted,
    PostRefused: _on_post_refused,
    StepDone: partial(_on_step, rules=_DONE),
    StepRefused: partial(_on_step, rules=_REFUSED),
    StepUnknown: partial(_on_step, rules=_UNKNOWN),
    Waiting: _on_waiting,
}


def next_wake(state: State, now: datetime) -> datetime | None:
    """When the clock is next of interest (a message to send again, a making to try), or None.

    Expiries aren't among them: they need a sync that began later (`waits_for_sync`).
    """
    turn = Turn(state, now, by_the_clock=True)
    times = [c.exchange.resend_at for c in turn.connections()]
    times += [t.exchange.resend_at for t in turn.restless_transfers()]
    times += [provision.next_try(c) for c in turn.connections()]
    times += [rotate_tokens.next_look(c) for c in turn.connections()]
    times += [question.until for question in turn.questions()]
    times += lines.next_wake(turn)
    times += reminders.next_wake(turn)
    times += reminders.next_due_date_wake(turn)
    times += stats.next_wake(turn)
    times += search.next_wake(turn)
    times += reconcile.next_wake(turn)
    times.append(health.next_look(turn))
    return min((time for time in times if time is not None), default=None)


def waits_for_sync(state: State, asked_at: datetime) -> bool:
    """Whether a sync that began at `asked_at` decides something: a grace or a request is over by then."""
    ends = grace_ends(state, asked_at)
    if ends is not None and ends <= asked_at:
        return True
    turn = Turn(state, asked_at, by_the_clock=True)
    return any(sender_decision.is_over(turn, t) for t in turn.open_transfers()) or any(
        connections.is_over(turn, c) for c in turn.connections()
    )


def grace_ends(state: State, now: datetime) -> datetime | None:
    """When the next grace ends: a sync must begin after that. None if no grace runs."""
    verdicts_running = [s.decision for s in Turn(state, now, by_the_clock=True).subjects() if s.decision]
    ends = [v.ends for v in verdicts_running if v.stage is DecisionStage.GRACE and v.ends is not None]
    return min(ends, default=None)
