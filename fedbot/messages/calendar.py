"""The calendar of what is booked and lent, and the agenda in the morning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from fedbot.messages import naming
from fedbot.messages.formatting import Inline, Items
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.naming import command
from fedbot.rules.model.ledger import AgendaEntry, OnThatDay
from fedbot.rules.model.party_config import PartyConfig

MOST_ENTRIES = 40
_ENTRIES: dict[OnThatDay, str] = {
    OnThatDay.FETCHED: marked("{day}: {receiver} picks up {what} at {sender}, until {last} ({code})"),
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
) -> Lines:
    """What is fetched and due back on these days; `about` is the space or the item, '' for all."""
    said: dict[str, Words] = {
        "about": locale.short(about, 40),
        "first": locale.day(first, year=False),
        "last": locale.day(last),
    }
    if not entries:
        nothing = (
            locale.say("Nothing of {about} is picked up or due back, {first} to {last}.", **said)
            if about
            else locale.say("Nothing is picked up or due back, {first} to {last}.", **said)
        )
        return [
            nothing,
            locale.say("Another month, for example: {line}", line=command("calendar january")),
        ]
    title = "📅 {about}, {first} to {last}:" if about else "📅 {first} to {last}:"
    return [locale.say(title, **said), *_listed(locale, entries, names, us)]


def agenda(locale: Locale, *, entries: tuple[AgendaEntry, ...], names: Mapping[str, str], us: PartyConfig) -> Lines:
    """What today and tomorrow bring."""
    return [locale.say("📅 Today and tomorrow:"), *_listed(locale, entries, names, us)]


def _listed(locale: Locale, entries: Sequence[AgendaEntry], names: Mapping[str, str], us: PartyConfig) -> Lines:
    items = [_entry(locale, entry, names[entry.transfer.peer], us) for entry in entries[:MOST_ENTRIES]]
    if len(entries) > MOST_ENTRIES:
        items.append(locale.say("and {number} more", number=len(entries) - MOST_ENTRIES))
    return [Items(tuple(items))]


def _entry(locale: Locale, entry: AgendaEntry, peer_name: str, us: PartyConfig) -> tuple[Inline, ...]:
    transfer = entry.transfer
    return locale.say(
        _ENTRIES[entry.what],
        day=locale.day(entry.day, year=False),
        what=naming.things(locale, transfer.terms.lines),
        sender=naming.sender(locale, transfer, us, peer_name),
        receiver=naming.receiver(locale, transfer, us, peer_name),
        last=naming.last_day(locale, transfer),
        code=transfer.code,
    )
