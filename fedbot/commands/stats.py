"""`!fed stats [SPACE|all]`: show figures of our own stock, a friend's, or everybody's."""

from __future__ import annotations

from dataclasses import dataclass

from fedbot import messages
from fedbot.commands.dates import days_in
from fedbot.commands.grammar import SHOWN
from fedbot.commands.lookup import active_friend, rooms_told_of
from fedbot.commands.spec import Argument, Handler, Kind, Option, Verb
from fedbot.rules.ledger import stats
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.queries import Answer, Query
from fedbot.rules.model.stock import Permission
from fedbot.rules.state import Turn

SPEC = Verb(
    name="stats",
    aliases=("statistics",),
    summary="show stock figures, and who gave what to whom",
    permission=Permission.MAPPED,
    only_looks=True,
    arguments=(Argument("space", Kind.SPACE, "SPACE|all", optional=True),),
    options=(
        Option("since", "30d", "only transfers of this period: 30d, 6 weeks, 1y", most=20),
        Option("chart", "", "with a chart in the thread"),
    ),
    examples=("stats --chart", "stats betaspace", "stats all --since 30d"),
    details=(
        "Without a space it shows our own.",
        "Another space's bot counts its own stock, and tells only what its settings disclose.",
        "I name spaces that don't answer within two minutes, and add them when they do.",
    ),
    is_named_in_help=True,
)


@dataclass(frozen=True)
class _Surveyed:
    """The spaces whose figures the line asks for: our own, and those of these friends; over the last `days`."""

    own: bool
    connections: tuple[Connection, ...]
    days: int


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Return an objection, or ask nothing: our InvenTree is queried at the same time as the friends, not before."""
    meant = _meant(turn, command)
    return meant if isinstance(meant, Phrase) else ()


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Ask them; the answer is posted when they have answered."""
    del answers
    meant = _meant(turn, command)
    if isinstance(meant, Phrase):
        return meant
    chart = bool(command.arguments.get("chart"))
    stats.begin(turn, command, meant.connections, meant.days, own=meant.own, chart=chart)
    return None


def _meant(turn: Turn, command: Command) -> _Surveyed | Phrase:
    since = str(command.arguments.get("since", ""))
    days = days_in(since)
    if days is None:
        return say(messages.stats.no_such_span, word=since[:SHOWN], usage=SPEC.usage)
    word = str(command.arguments.get("space", "")).strip()
    if word.casefold() in {"", turn.us.party.casefold(), turn.us.name.casefold()}:
        return _Surveyed(own=True, connections=(), days=days)
    if word.casefold() in {"all", "alle", "alles"}:
        rooms = rooms_told_of(turn, command.room)
        friends = tuple(c for c in turn.active_connections() if c.room in rooms)
        return _Surveyed(own=True, connections=friends, days=days)
    friend = active_friend(turn, command, word)
    return friend if isinstance(friend, Phrase) else _Surveyed(own=False, connections=(friend,), days=days)


HANDLER = Handler(SPEC, ask, act)
