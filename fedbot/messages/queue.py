"""Who waits for what, and whose turn it is, as people of both spaces read it."""

from __future__ import annotations

from datetime import timedelta

from fedbot.messages import naming
from fedbot.messages.formatting import Bold, Inline, Items
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.naming import command
from fedbot.rules.model.lending import PlaceInLine, PlaceState, QueueEntry
from fedbot.rules.model.party_config import PartyConfig

MOST_LISTED = 30
A_MINUTE = timedelta(minutes=1)
"""It is kept to the end of a day: people read the last minute of that, not the first of the next one."""
_STANDS: dict[PlaceState, str] = {
    PlaceState.ASKED: marked("{peer} is asked to put us in line for {what}. {code}"),
    PlaceState.WAITING: marked("⏳ We are waiting for {what} from {peer}: place {place}. {code}"),
    PlaceState.TURN: marked("🔔 {what} of {peer} is there. It is kept for us until {until}. {code}"),
    PlaceState.SERVED: marked("✅ {what}: {peer} has said yes, so we no longer wait for it. {code}"),
    PlaceState.LAPSED: marked("{what}: nobody here asked {peer} for it in time. It goes to the next in line. {code}"),
    PlaceState.FREE: marked("{what}: {peer} has it free. There is nothing to wait for. {code}"),
    PlaceState.UNKNOWN: marked("{what}: {peer} shares nothing by that name. {code}"),
    PlaceState.UNCLEAR: marked("{what}: {peer} has several parts by that name. {code}"),
    PlaceState.TWICE: marked("{what}: our space is in {peer}'s line for it already. {code}"),
    PlaceState.FULL: marked("{what}: we wait for too much of {peer} already. {code}"),
    PlaceState.REMOVED: marked("{what}: {peer}'s people have taken us out of the line. {code}"),
    PlaceState.LEFT: marked("We no longer wait for {what} from {peer}. {code}"),
    PlaceState.PARTED: marked("We no longer wait for {what}: the friendship with {peer} is over. {code}"),
}
_OUT: dict[PlaceState, str] = {
    PlaceState.LAPSED: marked("{what} was kept for {person} until now. It goes to the next in line. {code}"),
    PlaceState.REMOVED: marked("{person} was taken out of the line for {what}. {code}"),
}
_NOT_IN_LINE: dict[PlaceState, str] = {
    PlaceState.FREE: marked("{what} is there: take it, and book it out in InvenTree. There is nothing to wait for."),
    PlaceState.UNKNOWN: marked("Not noted: we have nothing called {what}."),
    PlaceState.UNCLEAR: marked("Not noted: several parts are called {what}. Name it by its IPN."),
    PlaceState.TWICE: marked("Not noted: you wait for {what} already."),
}


def place_page(locale: Locale, *, place: PlaceInLine, us: PartyConfig, peer_name: str) -> Lines:
    """The message of a place in a friend's queue, as it stands now."""
    del us
    lines: Lines = [locale.say(_STANDS[place.state], **_of_place(locale, place, peer_name))]
    if place.state is PlaceState.TURN:
        lines.append(locale.say("To ask for it, reply here: {reply}", reply="borrow for 2 weeks"))
        lines.append(locale.say("{peer}'s people decide then, as ever.", peer=naming.space(locale, peer_name)))
    if place.state is PlaceState.FREE:
        line = command(f"request {locale.quantity(place.quantity)} {locale.short(place.word, 40)} from {place.peer}")
        lines.append(locale.say("Ask for it: {line}", line=line))
    if place.is_living:
        lines.append(locale.say("To stop waiting: {cancel}", cancel=command(f"cancel {place.code}")))
    return lines


def _of_place(locale: Locale, place: PlaceInLine, peer_name: str) -> dict[str, Words]:
    what = f"{locale.quantity(place.quantity)} × {locale.short(place.word, 60)}"
    return {
        "what": Bold(what),
        "peer": naming.space(locale, peer_name),
        "code": place.code,
        "place": locale.count(place.place),
        "until": locale.when(place.until - A_MINUTE) if place.until else "",
    }


def place_in_short(locale: Locale, place: PlaceInLine, peer_name: str) -> tuple[Inline, ...]:
    """'k7m2 – 1 × LENS-2 of Attraktor: place 2'."""
    names = _of_place(locale, place, peer_name)
    if place.state is PlaceState.TURN:
        return locale.say("{code} – {what} of {peer}: kept for us until {until}", **names)
    if place.state is PlaceState.ASKED:
        return locale.say("{code} – {what} of {peer}: not answered yet", **names)
    return locale.say("{code} – {what} of {peer}: place {place}", **names)


def _of_entry(locale: Locale, entry: QueueEntry) -> dict[str, Words]:
    what = f"{locale.quantity(entry.quantity)} × {locale.short(entry.name or entry.word, 60)}"
    return {
        "what": Bold(what),
        "code": entry.code,
        "person": locale.short(entry.by.name, 40) if entry.by else "",
        "until": locale.when(entry.kept_until - A_MINUTE) if entry.kept_until else "",
    }


def in_our_queue(locale: Locale, *, entry: QueueEntry, us: PartyConfig, place: int) -> Lines:
    """One of our own people waits for one of our items."""
    del us
    names = _of_entry(locale, entry)
    if entry.kept:
        stands = locale.say("🔔 {what} is there, and kept for {person} until {until}. {code}", **names)
    else:
        number = locale.count(place)
        stands = locale.say("⏳ {person} is waiting for {what}: place {place}. {code}", place=number, **names)
    return [stands, locale.say("To stop waiting: {cancel}", cancel=command(f"cancel {entry.code}"))]


def your_turn_here(locale: Locale, *, entry: QueueEntry, us: PartyConfig) -> Lines:
    """What one of our own people waits for is back."""
    del us
    return [
        locale.say("🔔 {what} is there, and kept for {person} until {until}. {code}", **_of_entry(locale, entry)),
        locale.say("Take it, and book it out in InvenTree. Then say: {cancel}", cancel=command(f"cancel {entry.code}")),
    ]


def out_of_our_queue(locale: Locale, *, entry: QueueEntry, us: PartyConfig, why: PlaceState) -> Lines:
    """One of our own people waits no more."""
    del us
    return [locale.say(_OUT[why], **_of_entry(locale, entry))]


def not_in_line(locale: Locale, *, word: str, why: PlaceState) -> Lines:
    """Why one of our own people can't wait for one of our items."""
    return [locale.say(_NOT_IN_LINE[why], what=locale.short(word, 60))]


def waits_no_more(locale: Locale, *, code: str) -> Lines:
    """Somebody left a queue."""
    return [locale.say("Noted: out of the line. {code}", code=code)]


def queue_list(
    locale: Locale,
    *,
    us: PartyConfig,
    queue: tuple[tuple[str, int, QueueEntry], ...],
    places: tuple[tuple[str, PlaceInLine], ...],
) -> Lines:
    """Who waits for our items, each with its place, and what our people wait for at friends'."""
    own = naming.space(locale, us.name)
    lines: Lines = []
    if queue:
        items: list[Inline | tuple[Inline, ...]] = [entry_in_short(locale, *each) for each in queue[:MOST_LISTED]]
        if len(queue) > MOST_LISTED:
            items.append(locale.say("and {number} more", number=len(queue) - MOST_LISTED))
        lines += [locale.say("In line for something of {own}:", own=own), Items(tuple(items))]
    if places:
        elsewhere = tuple(place_in_short(locale, place, name) for name, place in places)
        lines += [locale.say("{own} waits for:", own=own), Items(elsewhere)]
    example = command("wait LENS-2 from SPACE")
    return lines or [locale.say("Nobody waits for anything. To do so: {example}", example=example)]


def entry_in_short(locale: Locale, name: str, place: int, entry: QueueEntry) -> tuple[Inline, ...]:
    """'k7m2 – 1 × Laser lens: Betaspace, place 2'."""
    names = {**_of_entry(locale, entry), "name": locale.short(name, 40), "place": locale.count(place)}
    if entry.kept:
        return locale.say("{code} – {what}: kept for {name} until {until}", **names)
    return locale.say("{code} – {what}: {name}, place {place}", **names)


def too_many_places(locale: Locale, *, count: int) -> Lines:
    """The list is full."""
    return [locale.say("Not noted: you wait for {number} things already.", number=locale.count(count))]


def one_thing_in_line(locale: Locale) -> Lines:
    """Several things in one line."""
    return [
        locale.say("Not noted: those are several items. Write a line for each."),
        locale.say("For example: {wait}", wait=command("wait LENS-2 from SPACE")),
    ]
