"""The waiting list: places and turns, as people of both spaces read them."""

from __future__ import annotations

from datetime import timedelta

from fedbot.messages import naming
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.markup import Bold, Inline, Items
from fedbot.messages.naming import command
from fedbot.rules.model.lending import PlaceInLine, QueueEntry
from fedbot.rules.model.lifecycles import PlaceState
from fedbot.rules.model.party_config import PartyConfig

MOST_LISTED = 30
A_MINUTE = timedelta(minutes=1)
"""It is kept to the end of a day: people read the last minute of that, not the first of the next one."""
_STANDS: dict[PlaceState, str] = {
    PlaceState.ASKED: marked("I asked {peer} to put us on the waiting list for {what}. {code}"),
    PlaceState.WAITING: marked("⏳ We are waiting for {what} from {peer}: place {place}. {code}"),
    PlaceState.TURN: marked("🔔 {what} is available at {peer}, and reserved for us until {until}. {code}"),
    PlaceState.SERVED: marked("✅ {what}: {peer} has approved, so we no longer wait for it. {code}"),
    PlaceState.LAPSED: marked(
        "{what}: nobody here requested it from {peer} in time. It goes to the next in line. {code}"
    ),
    PlaceState.FREE: marked("{what}: it is free at {peer}, so you don't need to wait. {code}"),
    PlaceState.UNKNOWN: marked("{what}: {peer} shares nothing under that name. {code}"),
    PlaceState.YOURS: marked("{what}: we have it already, {peer} lends it to us. {code}"),
    PlaceState.OURS: marked("{what}: it is ours, {peer} has borrowed it from us. {code}"),
    PlaceState.OFFERED: marked("{what}: {peer} is already offering it to us. {code}"),
    PlaceState.UNCLEAR: marked("{what}: {peer} has several parts with that name. {code}"),
    PlaceState.UNIT: marked("{what}: {peer} counts it in another unit. Say how many, without a unit. {code}"),
    PlaceState.TWICE: marked("{what}: our space is already on the waiting list of {peer}. {code}"),
    PlaceState.FULL: marked("{what}: we already wait for too many items of {peer}. {code}"),
    PlaceState.REMOVED: marked("{what}: {peer} has removed us from the waiting list. {code}"),
    PlaceState.LEFT: marked("We no longer wait for {what} from {peer}. {code}"),
    PlaceState.PARTED: marked("We no longer wait for {what}: the friendship with {peer} is over. {code}"),
}
_OUT: dict[PlaceState, str] = {
    PlaceState.LAPSED: marked("{what} was reserved for {person} until now. It goes to the next in line. {code}"),
    PlaceState.REMOVED: marked("{person} was removed from the waiting list for {what}. {code}"),
}
_NOT_IN_LINE: dict[PlaceState, str] = {
    PlaceState.FREE: marked("{what} is in stock: take it, and book it out in InvenTree. You don't need to wait."),
    PlaceState.UNKNOWN: marked("Not noted: we have nothing called {what}."),
    PlaceState.UNCLEAR: marked("Not noted: several parts are called {what}. Name it by its IPN."),
    PlaceState.UNIT: marked("Not noted: {what} is counted in another unit. Say how many, without a unit."),
    PlaceState.TWICE: marked("Not noted: you are already waiting for {what}."),
}


def place_page(locale: Locale, *, place: PlaceInLine, us: PartyConfig, peer_name: str) -> Lines:
    """The message about a place in a friend's queue, in its present state."""
    del us
    lines: Lines = [locale.say(_STANDS[place.state], **_of_place(locale, place, peer_name))]
    if place.state is PlaceState.TURN:
        lines.append(locale.say("To request it, reply here: {reply}", reply="borrow for 2 weeks"))
        lines.append(locale.say("Then {peer} decides, as always.", peer=naming.space(locale, peer_name)))
    if place.state is PlaceState.FREE:
        amount = f"{locale.typed(place.quantity)}{place.unit}"
        line = command(f"borrow {amount} {locale.short(place.word, 40)} from {place.peer} for 2 weeks")
        lines.append(locale.say("Request it: {line}", line=line))
    if place.state is PlaceState.YOURS:
        lines.append(locale.say("To keep it longer: {line}", line=command("extend ID 2 weeks")))
    if place.state is PlaceState.OFFERED:
        lines.append(locale.say("Accept it on its card: {todo}", todo=command("todo")))
    if place.state is PlaceState.OURS:
        line = command(f"wait {locale.short(place.word, 40)}")
        lines.append(locale.say("To wait until it is back: {line}", line=line))
    if place.is_living:
        lines.append(locale.say("To stop waiting: {cancel}", cancel=command(f"cancel {place.code}")))
    return lines


def _of_place(locale: Locale, place: PlaceInLine, peer_name: str) -> dict[str, Words]:
    what = naming.amount(locale, place.quantity, place.unit, locale.short(place.word, 60))
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
        return locale.say("{code} – {what} of {peer}: reserved for us until {until}", **names)
    if place.state is PlaceState.ASKED:
        return locale.say("{code} – {what} of {peer}: not answered yet", **names)
    return locale.say("{code} – {what} of {peer}: place {place}", **names)


def _of_entry(locale: Locale, entry: QueueEntry) -> dict[str, Words]:
    what = naming.amount(locale, entry.quantity, entry.unit, locale.short(entry.name or entry.word, 60))
    return {
        "what": Bold(what),
        "code": entry.code,
        "person": locale.short(entry.by.name, 40) if entry.by else "",
        "until": locale.when(entry.kept_until - A_MINUTE) if entry.kept_until else "",
    }


def in_our_queue(locale: Locale, *, entry: QueueEntry, us: PartyConfig, place: int) -> Lines:
    """The message about one of our people who waits for one of our items."""
    del us
    names = _of_entry(locale, entry)
    if entry.kept:
        stands = locale.say("🔔 {what} is available, and reserved for {person} until {until}. {code}", **names)
    else:
        number = locale.count(place)
        stands = locale.say("⏳ {person} is waiting for {what}: place {place}. {code}", place=number, **names)
    return [stands, locale.say("To stop waiting: {cancel}", cancel=command(f"cancel {entry.code}"))]


def your_turn_here(locale: Locale, *, entry: QueueEntry, us: PartyConfig) -> Lines:
    """Tells one of our people that the item for which they wait is back."""
    del us
    return [
        locale.say(
            "🔔 {what} is available, and reserved for {person} until {until}. {code}", **_of_entry(locale, entry)
        ),
        locale.say(
            "Take it, and book it out in InvenTree. Then type: {cancel}", cancel=command(f"cancel {entry.code}")
        ),
    ]


def out_of_our_queue(locale: Locale, *, entry: QueueEntry, us: PartyConfig, why: PlaceState) -> Lines:
    """One of our people no longer waits, and why."""
    del us
    return [locale.say(_OUT[why], **_of_entry(locale, entry))]


def not_in_line(locale: Locale, *, word: str, why: PlaceState) -> Lines:
    """The reason why one of our people can't wait for one of our items."""
    return [locale.say(_NOT_IN_LINE[why], what=locale.short(word, 60))]


def waits_no_more(locale: Locale, *, code: str) -> Lines:
    """The answer to leaving a queue."""
    return [locale.say("Noted: you left the waiting list. {code}", code=code)]


def queue_list(
    locale: Locale,
    *,
    us: PartyConfig,
    queue: tuple[tuple[str, int, QueueEntry], ...],
    places: tuple[tuple[str, PlaceInLine], ...],
) -> Lines:
    """The people who wait for our items, with their places, and our people's places at friends."""
    own = naming.space(locale, us.name)
    lines: Lines = []
    if queue:
        items: list[Inline | tuple[Inline, ...]] = [entry_in_short(locale, *each) for each in queue[:MOST_LISTED]]
        if len(queue) > MOST_LISTED:
            items.append(locale.say("and {number} more", number=len(queue) - MOST_LISTED))
        lines += [locale.say("On the waiting lists of {own}:", own=own), Items(tuple(items))]
    if places:
        elsewhere = tuple(place_in_short(locale, place, name) for name, place in places)
        lines += [locale.say("{own} is waiting for:", own=own), Items(elsewhere)]
    example = command("wait LENS-2 from SPACE")
    return lines or [locale.say("Nobody is waiting for anything. To join a waiting list: {example}", example=example)]


def entry_in_short(locale: Locale, name: str, place: int, entry: QueueEntry) -> tuple[Inline, ...]:
    """'k7m2 – 1 × Laser lens: Betaspace, place 2'."""
    names = {**_of_entry(locale, entry), "name": locale.short(name, 40), "place": locale.count(place)}
    if entry.kept:
        return locale.say("{code} – {what}: reserved for {name} until {until}", **names)
    return locale.say("{code} – {what}: {name}, place {place}", **names)


def too_many_places(locale: Locale, *, count: int) -> Lines:
    """The refusal of one more place: the limit is reached."""
    return [locale.say("Not noted: you are already waiting for {number} items.", number=locale.count(count))]


def one_thing_in_line(locale: Locale) -> Lines:
    """The refusal of several items in one line of `wait`."""
    return [
        locale.say("Not noted: those are several items. Write a line for each."),
        locale.say("For example: {wait}", wait=command("wait LENS-2 from SPACE")),
    ]
