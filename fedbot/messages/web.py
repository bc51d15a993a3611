"""The pages and the API: signing in by a code, what a person holds, and how chat names what was said on a page."""

from __future__ import annotations

from datetime import timedelta

from fedbot.messages import naming
from fedbot.messages.diagnosis import diagnosis
from fedbot.messages.formatting import Code, Items
from fedbot.messages.language import Lines, Locale
from fedbot.messages.naming import command
from fedbot.rules.consent import Subject
from fedbot.rules.model.diagnosis import Diagnosis
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


def label_picture(locale: Locale, *, item: int) -> Lines:
    """What the picture of a code shows."""
    return [locale.say("QR code for the label of item #{item}", item=str(item))]


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


# --- what a page or the API answers by itself; a refusal of a line or decision is chat's own sentence ------------


def not_known(locale: Locale) -> Lines:
    """The token opens nothing, or there is none."""
    return [
        locale.say("Your call has no valid token."),
        locale.say("Make a token on your page, and send it as {header}.", header=Code("Authorization: Bearer fed_…")),
    ]


def not_active(locale: Locale) -> Lines:
    """The caller's InvenTree user is switched off."""
    return [
        locale.say("Your InvenTree user isn't active."),
        locale.say("An InvenTree admin can activate it."),
    ]


def read_only(locale: Locale) -> Lines:
    """A token that only reads was to do something."""
    return [
        locale.say("Not done: this token only reads."),
        locale.say("Make a token on your page that may also act."),
    ]


def ends_only_itself(locale: Locale) -> Lines:
    """A token that only reads was to end another one."""
    return [locale.say("Not done: this token only reads. It can end itself and nothing else.")]


def not_our_form(locale: Locale) -> Lines:
    """A form that no page of this session has made."""
    return [
        locale.say("Not done: that form is too old, or another site made it."),
        locale.say("Load the page again, and send the form again."),
    ]


def too_many_calls(locale: Locale, *, wait: timedelta) -> Lines:
    """The caller's calls of this minute are used up."""
    return [
        locale.say("Not done: too many calls."),
        locale.say("Try again in {span}.", span=locale.span(wait)),
    ]


def too_large(locale: Locale, *, most: int) -> Lines:
    """The body of the call is larger than any form is. `most`: bytes."""
    return [locale.say("Not done: the call is too large, at most {most} bytes.", most=locale.count(most))]


def inventory_silent(locale: Locale, *, problem: Diagnosis) -> Lines:
    """Our InvenTree can't be asked who somebody is, or what they may do."""
    return [
        locale.say("Not done: our InvenTree doesn't answer."),
        locale.say("Why: {why}", why=diagnosis(locale, problem)),
        locale.say("Try again in a few minutes."),
    ]


def inventory_refuses(locale: Locale, *, problem: Diagnosis) -> Lines:
    """Our InvenTree, or we for its sake, won't say who somebody is."""
    return [
        locale.say("Not done: our InvenTree can't be used for this."),
        locale.say("Why: {why}", why=diagnosis(locale, problem)),
    ]


def not_understood(locale: Locale, *, problems: tuple[str, ...]) -> Lines:
    """The call doesn't fit the schema. `problems`: each field, and what the library that reads it says, in English."""
    shown = problems[:_MOST_LISTED]
    return [
        locale.say("Not done: the call doesn't fit the schema of the API."),
        *([Items(tuple(locale.short(each, 200) for each in shown))] if shown else []),
    ]


def not_found(locale: Locale) -> Lines:
    """Nothing is at that address, or not any more."""
    return [locale.say("There is nothing at this address, or not any more.")]


def method_not_allowed(locale: Locale) -> Lines:
    """The address is known, the method isn't."""
    return [locale.say("Not done: this address takes another kind of call. The page API lists them.")]


def bad_request(locale: Locale) -> Lines:
    """The call can't even be read."""
    return [locale.say("Not done: I can't read this call.")]


def not_in_your_rooms(locale: Locale) -> Lines:
    """An id or space that the caller reads nothing of, whether or not it is there."""
    return [
        locale.say("There is nothing with that id in the rooms that you are in."),
        locale.say("Somebody in its room can invite you."),
    ]


def no_such_cursor(locale: Locale) -> Lines:
    """A place in the ledger that we haven't told."""
    return [
        locale.say("No page of the ledger begins there."),
        locale.say("Begin at the newest transfers: leave out {parameter}.", parameter=Code("cursor")),
    ]


def no_such_search(locale: Locale) -> Lines:
    """The hits are forgotten, or somebody else has searched."""
    return [
        locale.say("You have no such search now: hits are kept for a short time only."),
        locale.say("Search again: {line}", line=command("find WORDS")),
    ]


def no_such_token(locale: Locale) -> Lines:
    """The caller holds nothing with that id."""
    return [locale.say("You have no session and no token with that id.")]


def no_such_line(locale: Locale, *, kept: timedelta) -> Lines:
    """The caller has said nothing under that id lately."""
    return [locale.say("You have said nothing under that id in the last {span}.", span=locale.span(kept))]


def key_used_before(locale: Locale) -> Lines:
    """The idempotency key stands for another line."""
    return [
        locale.say("Not done: you have used that idempotency key for something else."),
        locale.say("Take a new key for a new line, and the same one only to send the same line again."),
    ]


def quantity_unreadable(locale: Locale) -> Lines:
    """The quantity of a decision is no number above 0."""
    return [locale.say("Not counted: write the quantity as a number above 0, or leave it out.")]


def set_aside(locale: Locale) -> Lines:
    """The line failed in a way that nobody has foreseen."""
    return [
        locale.say("I can't say whether that was done: something went wrong that nobody has foreseen."),
        locale.say("I have told our admins. Look at what has changed before you send it again."),
    ]
