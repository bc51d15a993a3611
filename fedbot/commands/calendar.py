"""`!fed calendar [ITEM|SPACE] [MONTH]`: list pick-ups and returns of bookings and loans, day by day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from fedbot import messages
from fedbot.commands import lookup
from fedbot.commands.dates import MONTHS
from fedbot.commands.grammar import SHOWN
from fedbot.commands.items import unquoted
from fedbot.commands.lookup import rooms_told_of, space_meant
from fedbot.commands.spec import Argument, Handler, Kind, Verb
from fedbot.rules.ledger import history
from fedbot.rules.loan import bookings
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lending import OutsideLoan
from fedbot.rules.model.queries import Answer, FindItems, Query
from fedbot.rules.model.stock import Permission
from fedbot.rules.names import without_end
from fedbot.rules.state import Turn

SPEC = Verb(
    name="calendar",
    summary="show pick-ups and returns, day by day",
    permission=Permission.MAPPED,
    only_looks=True,
    arguments=(Argument("words", Kind.ANYTHING, "[ITEM|SPACE] [MONTH]", optional=True),),
    examples=("calendar", "calendar LENS-2", "calendar betaspace december"),
    details=(
        "Without a month it shows the next 31 days; 'december', 'dec 2027' or '2026-12' shows that month.",
        "It contains the bookings and loans of this room: ours, friends', and those to neighbours without a bot.",
    ),
    is_named_in_help=True,
)
_YEAR_AND_MONTH = re.compile(r"(\d{4})-(\d{1,2})")
DECEMBER = 12


@dataclass(frozen=True)
class _Wanted:
    """The wanted days, and the space or item; '' for all."""

    first: date
    last: date
    space: str = ""
    item: str = ""


def ask(turn: Turn, command: Command) -> tuple[Query, ...]:
    """Ask which items the words mean, if they name one."""
    wanted = _wanted(turn, command)
    return (FindItems(wanted.item),) if wanted.item else ()


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """List the days with pick-ups or returns."""
    wanted = _wanted(turn, command)
    rooms = rooms_told_of(turn, command.room)
    entries = bookings.entries(turn, rooms, wanted.first, wanted.last)
    outside = bookings.neighbour_entries(turn, rooms, wanted.first, wanted.last)
    if wanted.space:
        entries = [entry for entry in entries if entry.transfer.peer == wanted.space]
        outside = []
    elif wanted.item:
        found = lookup.found_in(answers)
        meant = {t.id for t in lookup.of_item(turn, rooms, wanted.item, found)}
        entries = [entry for entry in entries if entry.transfer.id in meant]
        items = lookup.keys_of(wanted.item, found)
        outside = [each for each in outside if _is_about(each.loan, items, wanted.item)]
    return say(
        messages.calendar.calendar,
        entries=bookings.as_out(turn, entries),
        names={entry.transfer.peer: turn.party_name(entry.transfer.peer) for entry in entries},
        us=turn.us,
        first=wanted.first,
        last=wanted.last,
        about=turn.party_name(wanted.space) if wanted.space else wanted.item[:SHOWN],
        outside=tuple(outside),
    )


def _is_about(loan: OutsideLoan, items: frozenset[int], word: str) -> bool:
    """Whether the word names that neighbour, or the item that it has."""
    return loan.neighbour.casefold() == unquoted(word).casefold() or history.outside_touches(loan, items, word)


def _wanted(turn: Turn, command: Command) -> _Wanted:
    words = str(command.arguments.get("words", "")).split()
    today = turn.today()
    month, rest = _month_in(words, today)
    first = month or today
    last = _next_month(first) - bookings.A_DAY if month else today + bookings.DAYS_AHEAD
    about = " ".join(rest)
    space = space_meant(turn, command.room, about) if about else None
    if about and not isinstance(space, Phrase) and space is not None:
        return _Wanted(first, last, space=space.party)
    return _Wanted(first, last, item=about)


def _month_in(words: list[str], today: date) -> tuple[date | None, list[str]]:
    """The first day of the month that the line ends with, and the words before it."""
    if words and (found := _YEAR_AND_MONTH.fullmatch(words[-1])) and 1 <= int(found[2]) <= DECEMBER and int(found[1]):
        return date(int(found[1]), int(found[2]), 1), words[:-1]
    year = int(words[-1]) if words and re.fullmatch(r"20\d\d", words[-1]) else 0
    names = words[:-1] if year else words
    number = MONTHS.get(without_end(names[-1]).casefold()) if names else None
    if number is None:
        return None, words
    if not year:
        year = today.year if number >= today.month else today.year + 1
    return date(year, number, 1), names[:-1]


def _next_month(day: date) -> date:
    return date(day.year + day.month // DECEMBER, day.month % DECEMBER + 1, 1)


HANDLER = Handler(SPEC, ask, act)
