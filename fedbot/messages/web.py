"""The pages and the API: signing in by a code, what a person holds, and how chat names what was said on a page."""

from __future__ import annotations

from datetime import timedelta

from fedbot.messages import naming
from fedbot.messages.formatting import Items
from fedbot.messages.language import Lines, Locale
from fedbot.messages.naming import command
from fedbot.rules.approval.subject import Subject
from fedbot.rules.model.web import SIGN_IN_WITHIN, AccessKind, WebAccess

_LONGEST_NAME = 60
_MOST_LISTED = 20


def on_a_page(locale: Locale, name: str) -> str:
    """Who said something, where it wasn't said in chat."""
    return locale.word("{name}, by page").format(name=name)


def signed_in(locale: Locale, *, name: str, browser: str, access: WebAccess) -> Lines:
    """The code was right: the page is the person's."""
    who, ends = naming.person(locale, name), locale.when(access.ends)
    return [
        locale.say("✅ {who}, your page is signed in until {ends}.", who=who, ends=ends),
        locale.say("It is open in: {browser}", browser=locale.short(browser, _LONGEST_NAME) or "?"),
        locale.say("If that isn't you: {line}", line=command("web end")),
    ]


def no_such_code(locale: Locale, *, word: str, address: str) -> Lines:
    """No page shows that code, or not any more."""
    return [
        locale.say("Nobody is signed in: no page shows the code {word} now.", word=locale.short(word, 20)),
        locale.say(
            "A code counts once, for {span}. Open {address} and say the code that you see there.",
            span=locale.span(SIGN_IN_WITHIN),
            address=address,
        ),
    ]


def code_in_clear(locale: Locale, *, word: str) -> Lines:
    """The code was said where whoever runs the homeserver could have said it."""
    return [
        locale.say("Nobody is signed in: this room isn't encrypted."),
        locale.say("Say it in an encrypted room, or in a direct chat with me: {line}", line=command(f"web {word}")),
    ]


def tries_too_often(locale: Locale, *, wait: timedelta) -> Lines:
    """Too many codes."""
    return [
        locale.say("Nobody is signed in: those were too many codes."),
        locale.say("Try again in {span}.", span=locale.span(wait)),
    ]


def only_in_chat(locale: Locale) -> Lines:
    """A page can't sign in another one."""
    return [
        locale.say("Nobody is signed in: a code counts in chat only."),
        locale.say("Say it in an encrypted room, or in a direct chat with me."),
    ]


def pages_are_off(locale: Locale) -> Lines:
    """This bot has no pages."""
    return [
        locale.say("I have no pages here."),
        locale.say("Whoever runs me can switch them on: {setting} in my settings.", setting="pages.listen"),
    ]


def held(locale: Locale, *, accesses: tuple[WebAccess, ...], address: str) -> Lines:
    """Where the pages are, and what the person has open or given out."""
    lines: Lines = [locale.say("My pages are at {address}", address=address)]
    if not accesses:
        return [*lines, locale.say("You aren't signed in anywhere.")]
    lines.append(locale.say("You are signed in, or have given access, here:"))
    lines.append(Items(tuple(_held(locale, access) for access in accesses[:_MOST_LISTED])))
    if len(accesses) > _MOST_LISTED:
        lines.append(locale.say("and {number} more", number=len(accesses) - _MOST_LISTED))
    return [*lines, locale.say("To end all of it: {line}", line=command("web end"))]


def _held(locale: Locale, access: WebAccess) -> str:
    name, ends = locale.short(access.name, _LONGEST_NAME) or "?", locale.when(access.ends)
    return access_kind(locale, access.kind) + ": " + locale.word("{name}, until {ends}").format(name=name, ends=ends)


def access_kind(locale: Locale, kind: AccessKind) -> str:
    """What a person holds, in a word."""
    match kind:
        case AccessKind.SESSION:
            return locale.word("Page")
        case AccessKind.TOKEN:
            return locale.word("API token")
        case AccessKind.FEED:
            return locale.word("Calendar")
        case AccessKind.SCREEN:
            return locale.word("Wall screen")


def ended(locale: Locale, *, number: int) -> Lines:
    """All of it is ended."""
    if not number:
        return [locale.say("Nothing to end: you aren't signed in anywhere.")]
    return [
        locale.say("✅ You are signed out everywhere."),
        locale.some("{number} page or token opens nothing now.", "{number} pages and tokens open nothing now.", number),
    ]


def label_codes(locale: Locale, *, pages: tuple[tuple[int, str], ...], more: int) -> Lines:
    """Where the codes for labels of these items are: (stock key, address)."""
    lines: Lines = [
        locale.say("#{item}: its code for a label is on {address}", item=str(item), address=address)
        for item, address in pages
    ]
    return [*lines, locale.say("and {number} more", number=more)] if more else lines


def no_item_for_a_code(locale: Locale, *, word: str) -> Lines:
    """The word means none of our items."""
    return [
        locale.say('We have no item "{word}".', word=locale.short(word, 60)),
        locale.say("Write its number, IPN or name: {line}", line=command("qr #42")),
    ]


def page_is_outdated(locale: Locale, *, subject: Subject) -> Lines:
    """A decision about something else than what the card shows now."""
    return [
        locale.say("Not counted: {code} has changed since your page was loaded.", code=subject.code),
        locale.say("Load the page again, and look at what it shows now."),
    ]
