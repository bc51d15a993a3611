"""`!fed todo`: list what waits for the person who asks, and what the person waits for."""

from __future__ import annotations

from collections.abc import Collection

from fedbot import messages
from fedbot.commands.lookup import rooms_told_of
from fedbot.commands.spec import Handler, Verb
from fedbot.rules.loan import balance, outside, waiting_list
from fedbot.rules.model.catalogue import Want
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.from_anyone import Rota
from fedbot.rules.model.ledger import Todo
from fedbot.rules.model.lending import PlaceInLine
from fedbot.rules.model.lifecycles import LIVING_CONNECTION, ConnectionState, TransferState
from fedbot.rules.model.queries import Answer, PersonPermissions, Query
from fedbot.rules.model.stock import Permission, Permissions
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import Turn
from fedbot.rules.who_decides import (
    Subject,
    asked_by,
    asks_if_handed_over,
    decides_here,
    is_open,
    permission_to_decide,
    takes_less,
)

SPEC = Verb(
    name="todo",
    aliases=("loans", "due"),
    summary="list what waits for you",
    permission=Permission.MAPPED,
    only_looks=True,
    examples=("todo",),
    details=(
        "It lists cards that you can decide on, your requests that others decide on, and work for an admin.",
        "It also lists loans, overdue ones first.",
    ),
    everyday=7,
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...]:
    """Ask for the speaker's permissions: they decide which cards wait for this person."""
    del turn
    return (PersonPermissions(command.username),)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """List everything that waits, as far as this room may see it."""
    (permissions,) = answers
    if not isinstance(permissions, Permissions):
        raise TypeError(f"todo asks for permissions, not {permissions!r}")
    todo = seen(turn, command.sender, rooms_told_of(turn, command.room), permissions)
    return say(
        messages.overview.todo,
        us=turn.us,
        name=turn.name_of(command.sender, command.room),
        permissions=permissions,
        todo=todo,
    )


def seen(turn: Turn, person: str, here: Collection[str], permissions: Permissions) -> Todo:
    """Everything that waits for the person or is in progress, in these rooms."""
    superuser = permissions.covers(Permission.SUPERUSER)
    waiting = [subject for subject in turn.subjects() if _concerns(turn, subject, person, permissions)]
    shown = [subject for subject in waiting if subject.room in here]
    to_decide = [subject for subject in shown if waits_for(turn, subject, person, permissions)]
    away, listed = turn.loans_away(), {subject.id for subject in shown}
    return Todo(
        to_decide=tuple(s for s in to_decide if not _is_left_behind(turn, s)),
        left_behind=tuple(s for s in to_decide if _is_left_behind(turn, s)),
        asked=tuple(s for s in shown if _asked_by(s, person) and not _is_told_apart(s, permissions)),
        suspended=tuple(c for c in shown if isinstance(c, Connection) and _to_review(c, permissions)),
        to_make=tuple(c for c in shown if isinstance(c, Connection) and _to_make(c, permissions)),
        disputed=tuple(t for t in shown if isinstance(t, Transfer) and _unclear(t, permissions)),
        lacking=tuple(t for t in turn.restless_transfers() if t.lacks_a_rest and t.room in here and superuser),
        parcels=tuple(t for t in shown if isinstance(t, Transfer) and _on_its_way(t, permissions)),
        left_over=tuple(t for t in turn.restless_transfers() if t.left_over and t.room in here and superuser),
        on_loan=tuple(
            balance.as_still_out(turn, t) for t in away if t.room in here and (t.is_on_loan or t.id not in listed)
        ),
        wants=tuple(each for each in turn.all(Want) if each.is_living and each.room in here),
        places=tuple(
            (turn.party_name(each.peer), each) for each in turn.all(PlaceInLine) if each.is_living and each.room in here
        ),
        in_line=tuple(
            (waiting_list.place_of(turn, each), each) for each in turn.queue() if each.by and each.room in here
        ),
        outside=tuple(each for each in outside.on_loan(turn) if each.room in here),
        rotas=tuple(
            each for each in turn.all(Rota) if each.is_living and each.room in here and each.asker.person == person
        ),
        elsewhere=len(waiting) - len(shown),
        names={each.peer: turn.party_name(each.peer) for each in away},
    )


def _is_left_behind(turn: Turn, subject: Subject) -> bool:
    """Whether its card is in a room that was replaced, so it waits for the review in the new one."""
    room = turn.room(subject.room)
    return room is not None and bool(room.replaced_by)


def waits_for(turn: Turn, subject: Subject, person: str, permissions: Permissions) -> bool:
    """Whether this person's decision is needed, and would count."""
    if not (decides_here(turn.us, subject) and is_open(subject)) or subject.decision or subject.due <= turn.now:
        return False
    confirms = takes_less(subject) or asks_if_handed_over(subject)
    own = asked_by(turn.us, subject, person) and not turn.us.self_approval and not confirms
    return permissions.covers(permission_to_decide(subject, person)) and not own


def _asked_by(subject: Subject, person: str) -> bool:
    """Whether the person asked for it and it is not over."""
    if isinstance(subject, Connection):
        waits = subject.state in LIVING_CONNECTION - {ConnectionState.ACTIVE, ConnectionState.SUSPENDED}
        return waits and subject.ours and subject.asked.person == person
    return subject.terms.asker == person


def _to_review(connection: Connection, permissions: Permissions) -> bool:
    return connection.state is ConnectionState.SUSPENDED and permissions.covers(Permission.SUPERUSER)


def _to_make(connection: Connection, permissions: Permissions) -> bool:
    waits = connection.state is ConnectionState.MAKING and bool(connection.needs)
    return waits and permissions.covers(Permission.SUPERUSER)


def _unclear(transfer: Transfer, permissions: Permissions) -> bool:
    return transfer.state is TransferState.DISPUTED and permissions.covers(Permission.APPROVER)


def _is_told_apart(subject: Subject, permissions: Permissions) -> bool:
    """Whether another list shows it, because the person can do something about it."""
    return isinstance(subject, Transfer) and (_unclear(subject, permissions) or _on_its_way(subject, permissions))


def _on_its_way(transfer: Transfer, permissions: Permissions) -> bool:
    """Whether a parcel is on its way to us, and this person can confirm its arrival."""
    return transfer.awaits_parcel and permissions.covers(Permission.APPROVER)


def _concerns(turn: Turn, subject: Subject, person: str, permissions: Permissions) -> bool:
    if waits_for(turn, subject, person, permissions) or _asked_by(subject, person):
        return True
    if isinstance(subject, Connection):
        return _to_review(subject, permissions) or _to_make(subject, permissions)
    return _unclear(subject, permissions) or _on_its_way(subject, permissions)


HANDLER = Handler(SPEC, ask, act)
