"""What somebody wants and nobody has, as people of both spaces read it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from fedbot.messages import naming
from fedbot.messages.formatting import Bold, Inline, Items
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.naming import command
from fedbot.rules.model.catalogue import FriendWant, Want, WantState
from fedbot.rules.model.party_config import PartyConfig

_FIRST: dict[WantState, str] = {
    WantState.WANTED: marked("Wanted: {what}, until {day}. {code}"),
    WantState.FOUND: marked("✅ Found: {what}. {code}"),
    WantState.OVER: marked("Not wanted any more: {what}. The day is over. {code}"),
    WantState.STOPPED: marked("Not wanted any more: {what}. {code}"),
}


def want_page(locale: Locale, *, want: Want, us: PartyConfig, friends: tuple[str, ...]) -> Lines:
    """The message of a want as it stands now. `friends` are the spaces whose bots keep it."""
    del us
    lines: Lines = [locale.say(_FIRST[want.state], **_words(locale, want))]
    if want.is_living:
        if want.lacking < want.quantity:
            lines.append(locale.say("{quantity} still lacking.", quantity=locale.quantity(want.lacking)))
        if friends:
            names = locale.names([naming.space(locale, name) for name in friends])
            lines.append(locale.say("The bots of {spaces} tell their people as soon as they share some.", spaces=names))
        else:
            lines.append(locale.say("We have no friends in this room yet. Who becomes one hears of it."))
        lines.append(locale.say("To stop: {cancel}", cancel=command(f"cancel {want.code}")))
    return lines


def _words(locale: Locale, want: Want) -> dict[str, Words]:
    what = f"{locale.quantity(want.quantity)} × {locale.short(want.word)}"
    return {"what": Bold(what), "day": locale.day(want.until), "code": want.code}


def we_have_what_they_want(
    locale: Locale, *, wanted: FriendWant, us: PartyConfig, peer_name: str, free: Decimal
) -> Lines:
    """To our approvers, once: a friend wants what we share."""
    peer, own = Bold(naming.space(locale, peer_name)), naming.space(locale, us.name)
    what = Bold(f"{locale.quantity(wanted.quantity)} × {locale.short(wanted.word)}")
    offer = min(wanted.quantity, free)
    return [
        locale.say("{peer} wants {what}; {own} shares some.", peer=peer, what=what, own=own),
        locale.say("Free: {free}. Wanted until {day}.", free=locale.quantity(free), day=locale.day(wanted.until)),
        locale.say("An approver can offer it. Reply: {offer}", offer=f"offer {locale.quantity(offer)}"),
    ]


def want_list(
    locale: Locale, *, us: PartyConfig, wants: tuple[Want, ...], friends: tuple[tuple[str, FriendWant], ...]
) -> Lines:
    """What our people want, and what friends do."""
    own = naming.space(locale, us.name)
    lines: Lines = []
    if wants:
        lines += [locale.say("{own} wants:", own=own), Items(tuple(want_in_short(locale, want) for want in wants))]
    if friends:
        items: list[Inline | tuple[Inline, ...]] = [_of_friend(locale, name, wanted) for name, wanted in friends]
        lines += [locale.say("Friends want:"), Items(tuple(items))]
    return lines or [locale.say("Nobody wants anything. To say so: {want}", want=command("want 200 M3-BOLT"))]


def want_in_short(locale: Locale, want: Want) -> tuple[Inline, ...]:
    """'k7m2 – 200 × M3-BOLT, until 31 Dec'."""
    return locale.say("{code} – {what}, until {day}", **_words(locale, want))


def _of_friend(locale: Locale, name: str, wanted: FriendWant) -> tuple[Inline, ...]:
    what = f"{locale.quantity(wanted.quantity)} × {locale.short(wanted.word)}"
    day: date = wanted.until
    return locale.say("{peer}: {what}, until {day}", peer=naming.space(locale, name), what=what, day=locale.day(day))


def want_by_name(locale: Locale, *, word: str) -> Lines:
    """What was typed names one certain item, or is too long."""
    return [
        locale.say('Not noted: "{word}" is no IPN or part name.', word=locale.short(word, 40)),
        locale.say("For example: {want}", want=command("want 200 M3-BOLT until 31.12.")),
    ]


def one_want_a_line(locale: Locale) -> Lines:
    """Several things in one line."""
    return [
        locale.say("Not noted: those are several items. Write a line for each."),
        locale.say("For example: {want}", want=command("want 200 M3-BOLT until 31.12.")),
    ]


def too_many_wants(locale: Locale, *, count: int) -> Lines:
    """The list is full."""
    return [
        locale.say("Not noted: {number} wants are open already.", number=locale.count(count)),
        locale.say("Stop one that nobody needs any more: {cancel}", cancel=command("cancel ID")),
    ]


def too_long_a_want(locale: Locale, *, days: int) -> Lines:
    """A day too far off."""
    return [locale.say("Not noted: nobody keeps it for longer than {number} days.", number=locale.count(days))]


def want_stopped(locale: Locale, *, want: Want) -> Lines:
    """Somebody stopped it."""
    return [locale.say("Noted: {what} isn't wanted any more. The friends forget it. {code}", **_words(locale, want))]
