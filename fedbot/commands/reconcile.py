"""`!fed reconcile [SPACE]`: compare our books with a friend's, and repair our own records if asked to."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.lookup import active_friend, rooms_told_of
from fedbot.commands.spec import Argument, Handler, Kind, Option, Verb
from fedbot.rules.ledger import reconcile
from fedbot.rules.model.books import Reconciliation
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.queries import Answer, Query
from fedbot.rules.model.stock import Permission
from fedbot.rules.state import Turn

SPEC = Verb(
    name="reconcile",
    summary="compare our books with a friend's",
    permission=Permission.SUPERUSER,
    arguments=(Argument("space", Kind.SPACE, "SPACE", optional=True),),
    options=(Option("repair", "", "repair our own records: the status of arrived items, and the metadata"),),
    examples=("reconcile betaspace", "reconcile", "reconcile betaspace --repair"),
    details=(
        "It compares each line of each transfer: what both bots noted, and what both InvenTrees show now.",
        "I name each difference with its likely cause and its remedy. No stock moves.",
        "I also compare every night, and tell the admin room what is new.",
    ),
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """An objection is returned at once."""
    meant = _meant(turn, command)
    return meant if isinstance(meant, Phrase) else ()


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Begin; the outcome for each friend is posted when its books are compared."""
    del answers
    meant = _meant(turn, command)
    if isinstance(meant, Phrase):
        return meant
    repair = bool(command.arguments.get("repair"))
    for connection in meant:
        reconcile.begin(
            turn, connection, command.room, asked_by=command.sender, event_id=command.event_id, repair=repair
        )
    return None


def _meant(turn: Turn, command: Command) -> list[Connection] | Phrase:
    """The friends whose books are meant, or an objection."""
    word = str(command.arguments.get("space", "")).strip()
    here = rooms_told_of(turn, command.room)
    if word:
        one = active_friend(turn, command, word)
        if isinstance(one, Phrase):
            return one
        meant = [one]
    else:
        meant = [c for c in turn.active_connections() if c.room in here]
    running = [c for c in meant if turn.get(Reconciliation, c.id) is not None]
    if running:
        return say(messages.reconcile.reconciling_already, connection=running[0])
    return meant or say(messages.reconcile.nobody_to_reconcile_with, us=turn.us)


HANDLER = Handler(SPEC, ask, act)
