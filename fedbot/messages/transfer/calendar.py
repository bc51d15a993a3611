"""The calendar of what is booked and lent, and the agenda in the morning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from fedbot.messages import naming, outside
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.markup import Inline, Items
from fedbot.messages.naming import command
from fedbot.rules.model.ledger import AgendaEntry, NeighbourEntry, OnThatDay
from fedbot.rules.model.party_config import PartyConfig

MOST_ENTRIES = 40
_ENTRIES: dict[OnThatDay, str] = {
    OnThatDay.FETCHED: marked("{day}: {receiver} picks up {what} at {sender}, due back {last} ({code})"),
    OnThatDay.BACK: marked("{day}: {receiver} brings {what} back to {sender} ({code})"),
    OnThatDay.OVERDUE: marked("{day}: ⚠ {receiver} has {what} of {sender} overdue since {last} ({code})"),
}


def calendar(
    locale: Locale,
    *,
    entries: tuple[AgendaEntry, ...],
    names: Mapping[str, str],
    us: PartyConfig,
    first: date,
    last: date,
    about: str,
    outside: tuple[NeighbourEntry, ...] = (),
) -> Lines:
    """The loans that begin or are due on these days; `about` is the space or the item, '' for all."""
    said: dict[str, Words] = {
        "about": locale.short(about, 40),
        "first": locale.day(first, year=False),
        "last": locale.day(last),
    }
    if not (entries or outside):
        nothing = (
            locale.say("No pick-up or return of {about}, {first} to {last}.", **said)
            if about
            else locale.say("No pick-ups or returns, {first} to {last}.", **said)
        )
        return [
            nothing,
            locale.say("Another month, for example: {line}", line=command("calendar january")),
        ]
    title = "📅 {about}, {first} to {last}:" if about else "📅 {first} to {last}:"
    return [locale.say(title, **said), *_listed(locale, entries, outside, names, us)]


def agenda(
    locale: Locale,
    *,
    entries: tuple[AgendaEntry, ...],
    names: Mapping[str, str],
    us: PartyConfig,
    outside: tuple[NeighbourEntry, ...] = (),
) -> Lines:
    """The loans that begin or are due today and tomorrow."""
    return [locale.say("📅 Today and tomorrow:"), *_listed(locale, entries, outside, names, us)]


def _listed(
    locale: Locale,
    entries: Sequence[AgendaEntry],
    outside: Sequence[NeighbourEntry],
    names: Mapping[str, str],
    us: PartyConfig,
) -> Lines:
    told = [(each.day, each.what, _entry(locale, each, names[each.transfer.peer], us)) for each in entries]
    told += [(each.day, each.what, _of_neighbour(locale, each, us)) for each in outside]
    ordered = sorted(told, key=lambda each: each[:2])
    items = [words for *_, words in ordered[:MOST_ENTRIES]]
    if len(told) > MOST_ENTRIES:
        items.append(locale.say("and {number} more", number=len(told) - MOST_ENTRIES))
    return [Items(tuple(items))]


def _of_neighbour(locale: Locale, entry: NeighbourEntry, us: PartyConfig) -> tuple[Inline, ...]:
    loan = entry.loan
    return locale.say(
        _ENTRIES[entry.what],
        day=locale.day(entry.day, year=False),
        what=outside.thing_lent(locale, loan),
        sender=naming.space(locale, us.name),
        receiver=outside.neighbour(locale, loan),
        last=locale.day(loan.until),
        code=loan.code,
    )


def _entry(locale: Locale, entry: AgendaEntry, peer_name: str, us: PartyConfig) -> tuple[Inline, ...]:
    transfer = entry.transfer
    return locale.say(
        _ENTRIES[entry.what],
        day=locale.day(entry.day, year=False),
        what=naming.things(locale, transfer.lines_told),
        sender=naming.sender(locale, transfer, us, peer_name),
        receiver=naming.receiver(locale, transfer, us, peer_name),
        last=naming.last_day(locale, transfer),
        code=transfer.code,
    )
