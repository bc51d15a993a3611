"""`!fed todo`: what waits for the person who asks, and what the person waits for."""

from __future__ import annotations

from collections.abc import Collection

from fedbot import messages
from fedbot.commands.lookup import rooms_told_of
from fedbot.commands.spec import Handler, Verb
from fedbot.rules.consent import Subject, asked_by, asks_if_handed_over, decides_here, is_open, takes_less
from fedbot.rules.decisions import right_to_decide
from fedbot.rules.loan import lend, outside, queue
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import Todo
from fedbot.rules.model.lifecycles import LIVING_CONNECTION, ConnectionState, TransferState
from fedbot.rules.model.queries import Answer, PersonRights, Query
from fedbot.rules.model.stock import Right, Rights
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import Turn

SPEC = Verb(
    name="todo",
    aliases=("loans", "due"),
    summary="list what waits for you",
    right=Right.MAPPED,
    only_looks=True,
    examples=("todo",),
    details=(
        "Cards that you can decide, requests of yours that others decide, and work for an admin.",
        "Loans are listed too, overdue ones first.",
    ),
    everyday=6,
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...]:
    """The speaker's rights: they say which cards wait for this person."""
    del turn
    return (PersonRights(command.username),)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """All that waits, as far as it may be told in this room."""
    (rights,) = answers
    if not isinstance(rights, Rights):
        raise TypeError(f"todo asks for rights, not {rights!r}")
    todo = seen(turn, command.sender, rooms_told_of(turn, command.room), rights)
    return say(
        messages.overview.todo,
        us=turn.us,
        name=turn.name_of(command.sender, command.room),
        rights=rights,
        todo=todo,
    )


def seen(turn: Turn, person: str, here: Collection[str], rights: Rights) -> Todo:
    """All that waits for the person or is under way, in these rooms."""
    superuser = rights.covers(Right.SUPERUSER)
    waiting = [subject for subject in turn.subjects() if _concerns(turn, subject, person, rights)]
    shown = [subject for subject in waiting if subject.room in here]
    return Todo(
        to_decide=tuple(s for s in shown if waits_for(turn, s, person, rights)),
        asked=tuple(s for s in shown if _asked_by(s, person) and not _is_told_apart(s, rights)),
        suspended=tuple(c for c in shown if isinstance(c, Connection) and _to_review(c, rights)),
        to_make=tuple(c for c in shown if isinstance(c, Connection) and _to_make(c, rights)),
        disputed=tuple(t for t in shown if isinstance(t, Transfer) and _unclear(t, rights)),
        lacking=tuple(t for t in turn.restless_transfers() if t.lacks_a_rest and t.room in here and superuser),
        parcels=tuple(t for t in shown if isinstance(t, Transfer) and _on_its_way(t, rights)),
        left_over=tuple(t for t in turn.restless_transfers() if t.left_over and t.room in here and superuser),
        on_loan=tuple(lend.as_out(turn, t) for t in lend.on_loan(turn) if t.room in here),
        wants=tuple(each for each in turn.wants() if each.is_living and each.room in here),
        places=tuple(
            (turn.party_name(each.peer), each) for each in turn.places_in_line() if each.is_living and each.room in here
        ),
        in_line=tuple((queue.place_of(turn, each), each) for each in turn.queue() if each.by and each.room in here),
        outside=tuple(each for each in outside.on_loan(turn) if each.room in here),
        rotas=tuple(
            each for each in turn.rotas() if each.is_living and each.room in here and each.asker.person == person
        ),
        elsewhere=len(waiting) - len(shown),
    )


def waits_for(turn: Turn, subject: Subject, person: str, rights: Rights) -> bool:
    """Whether this person's decision is asked for, and would count."""
    if not (decides_here(turn.us, subject) and is_open(subject)) or subject.decision or subject.due <= turn.now:
        return False
    confirms = takes_less(subject) or asks_if_handed_over(subject)
    own = asked_by(turn.us, subject, person) and not turn.us.self_approval and not confirms
    return rights.covers(right_to_decide(subject, person)) and not own


def _asked_by(subject: Subject, person: str) -> bool:
    """Whether the person asked for it and it is not over."""
    if isinstance(subject, Connection):
        waits = subject.state in LIVING_CONNECTION - {ConnectionState.ACTIVE, ConnectionState.SUSPENDED}
        return waits and subject.ours and subject.asked.person == person
    return subject.terms.asker == person


def _to_review(connection: Connection, rights: Rights) -> bool:
    return connection.state is ConnectionState.SUSPENDED and rights.covers(Right.SUPERUSER)


def _to_make(connection: Connection, rights: Rights) -> bool:
    waits = connection.state is ConnectionState.MAKING and bool(connection.needs)
    return waits and rights.covers(Right.SUPERUSER)


def _unclear(transfer: Transfer, rights: Rights) -> bool:
    return transfer.state is TransferState.DISPUTED and rights.covers(Right.APPROVER)


def _is_told_apart(subject: Subject, rights: Rights) -> bool:
    """Whether it stands in a list of its own, as there is something to be done."""
    return isinstance(subject, Transfer) and (_unclear(subject, rights) or _on_its_way(subject, rights))


def _on_its_way(transfer: Transfer, rights: Rights) -> bool:
    """Whether a parcel is on its way to us, and this person can say that it is here."""
    return transfer.awaits_parcel and rights.covers(Right.APPROVER)


def _concerns(turn: Turn, subject: Subject, person: str, rights: Rights) -> bool:
    if waits_for(turn, subject, person, rights) or _asked_by(subject, person):
        return True
    if isinstance(subject, Connection):
        return _to_review(subject, rights) or _to_make(subject, rights)
    return _unclear(subject, rights) or _on_its_way(subject, rights)


HANDLER = Handler(SPEC, ask, act)
