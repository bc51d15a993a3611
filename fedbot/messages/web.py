"""The pages and the API: signing in by a code, their answers, and the words on pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from fedbot.messages import naming
from fedbot.messages.diagnosis import diagnosis
from fedbot.messages.language import WEEKDAYS, Lines, Locale, marked
from fedbot.messages.markup import Code, Inline, Items
from fedbot.messages.naming import command
from fedbot.rules.model.command import SIGN_IN_WITHIN, AccessKind, WebAccess
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.who_decides import Subject

_LONGEST_NAME = 60
_MOST_LISTED = 20


def signed_in(locale: Locale, *, name: str, browser: str, access: WebAccess) -> Lines:
    """The answer to a valid code: the person is signed in on that page."""
    who, ends = naming.person(locale, name), locale.when(access.ends)
    return [
        locale.say("✅ {who}, your page is signed in until {ends}.", who=who, ends=ends),
        locale.say("It is open in: {browser}", browser=access_name(locale, browser)),
        locale.say("If that isn't you: {line}", line=command("web end")),
    ]


def no_such_code(locale: Locale, *, word: str, address: str) -> Lines:
    """The answer to a code that no page shows, or shows any more."""
    return [
        locale.say("Nobody is signed in: no page shows the code {word} now.", word=locale.short(word, 20)),
        locale.say(
            "A code counts once, for {span}. Open {address} and type the code that you see there.",
            span=locale.span(SIGN_IN_WITHIN),
            address=address,
        ),
    ]


def code_in_clear(locale: Locale, *, word: str) -> Lines:
    """The refusal of a code in a place where the homeserver's operator could have written it."""
    return [
        locale.say("Nobody is signed in: this room isn't encrypted."),
        locale.say("Type it in an encrypted room, or in a direct chat with me: {line}", line=command(f"web {word}")),
    ]


def tries_too_often(locale: Locale, *, wait: timedelta) -> Lines:
    """The refusal of too many codes."""
    return [
        locale.say("Nobody is signed in: too many codes were tried."),
        locale.say("Try again in {span}.", span=locale.span(wait)),
    ]


def only_in_chat(locale: Locale) -> Lines:
    """The refusal to sign in a page from a page."""
    return [
        locale.say("Nobody is signed in: a code counts only in chat."),
        locale.say("Type it in an encrypted room, or in a direct chat with me."),
    ]


def pages_are_off(locale: Locale) -> Lines:
    """The answer if this bot has no pages."""
    return [
        locale.say("I have no pages here."),
        locale.say("My admin can switch them on: {setting} in my settings.", setting="pages.listen"),
    ]


def held(locale: Locale, *, accesses: tuple[WebAccess, ...], address: str) -> Lines:
    """The address of the pages, and the person's sessions, tokens and feeds."""
    lines: Lines = [locale.say("My pages are at {address}", address=address)]
    if not accesses:
        return [*lines, locale.say("You aren't signed in anywhere.")]
    lines.append(locale.say("You are signed in, or have given access, here:"))
    lines.append(Items(tuple(_held(locale, access) for access in accesses[:_MOST_LISTED])))
    if len(accesses) > _MOST_LISTED:
        lines.append(locale.say("and {number} more", number=len(accesses) - _MOST_LISTED))
    return [*lines, locale.say("To end all of it: {line}", line=command("web end"))]


def _held(locale: Locale, access: WebAccess) -> str:
    name, ends = access_name(locale, access.name), locale.when(access.ends)
    return access_kind(locale, access.kind) + ": " + locale.word("{name}, until {ends}").format(name=name, ends=ends)


def access_name(locale: Locale, name: str) -> str:
    """The name of a token, or the browser of a page."""
    return locale.short(name, _LONGEST_NAME) or locale.word("unknown browser")


def access_kind(locale: Locale, kind: AccessKind) -> str:
    """The name of a kind of access."""
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
    """The answer to `web end`: all sessions and tokens are ended."""
    if not number:
        return [locale.say("Nothing to end: you aren't signed in anywhere.")]
    return [
        locale.say("✅ You are signed out everywhere."),
        locale.some("{number} page or token no longer works.", "{number} pages and tokens no longer work.", number),
    ]


def label_codes(locale: Locale, *, pages: tuple[tuple[int, str], ...], more: int) -> Lines:
    """The addresses of the codes for labels of these items: (stock key, address)."""
    lines: Lines = [
        locale.say("The code for the label of #{item} is on {address}", item=str(item), address=address)
        for item, address in pages
    ]
    return [*lines, locale.say("and {number} more", number=more)] if more else lines


def label_picture(locale: Locale, *, item: int) -> Lines:
    """The description of a code's picture."""
    return [locale.say("QR code for the label of item #{item}", item=str(item))]


def no_item_for_a_code(locale: Locale, *, word: str) -> Lines:
    """The answer if the word means none of our items."""
    return [
        locale.say('We have no item "{word}".', word=locale.short(word, 60)),
        locale.say("Write its number, IPN or name: {line}", line=command("qr #42")),
    ]


def page_is_outdated(locale: Locale, *, subject: Subject) -> Lines:
    """The refusal of a decision on a card that has changed since."""
    return [
        locale.say("Not counted: {code} has changed since your page was loaded.", code=subject.code),
        locale.say("Load the page again, and look at the new card."),
    ]


# --- answers of the pages and the API; a refusal of a line or decision is the sentence from chat -----------------


def not_known(locale: Locale) -> Lines:
    """The refusal of an unknown token, or of a call without one."""
    return [
        locale.say("Your call has no valid token."),
        locale.say("Create a token on your page, and send it as {header}.", header=Code("Authorization: Bearer fed_…")),
    ]


def not_active(locale: Locale) -> Lines:
    """The refusal of a caller whose InvenTree user is inactive."""
    return [
        locale.say("Your InvenTree user isn't active."),
        locale.say("An InvenTree admin can activate it."),
    ]


def read_only(locale: Locale) -> Lines:
    """The refusal of a change by a token that can only read."""
    return [
        locale.say("Not done: this token can only read."),
        locale.say("Create a token on your page that can also act."),
    ]


def ends_only_itself(locale: Locale) -> Lines:
    """The refusal to end another token by one that can only read."""
    return [locale.say("Not done: this token can only read. It can end itself and nothing else.")]


def not_our_form(locale: Locale) -> Lines:
    """The refusal of a form that no page of this session made."""
    return [
        locale.say("Not done: that form is too old, or another site made it."),
        locale.say("Load the page again, and send the form again."),
    ]


def too_many_calls(locale: Locale, *, wait: timedelta) -> Lines:
    """The refusal of a call above the caller's limit."""
    return [
        locale.say("Not done: too many calls."),
        locale.say("Try again in {span}.", span=locale.span(wait)),
    ]


def too_large(locale: Locale, *, most: int) -> Lines:
    """The refusal of a body that is larger than any form. `most`: bytes."""
    return [locale.say("Not done: the call is too large, at most {most} bytes.", most=locale.count(most))]


def inventory_silent(locale: Locale, *, problem: Diagnosis) -> Lines:
    """The refusal of a call because our InvenTree can't be asked about the caller."""
    return [
        locale.say("Not done: our InvenTree doesn't answer."),
        locale.say("Why: {why}", why=diagnosis(locale, problem)),
        locale.say("Try again in a few minutes."),
    ]


def inventory_refuses(locale: Locale, *, problem: Diagnosis) -> Lines:
    """The refusal of a call because InvenTree, or a check for its sake, refuses to identify the caller."""
    return [
        locale.say("Not done: our InvenTree can't be used for this."),
        locale.say("Why: {why}", why=diagnosis(locale, problem)),
    ]


def login_wrong(locale: Locale) -> Lines:
    """The refusal of a name and password that InvenTree doesn't accept, or of somebody who isn't one of our people."""
    return [locale.say("InvenTree knows no active user by that name and password, or you aren't listed here.")]


def login_refused(locale: Locale, *, problem: Diagnosis) -> Lines:
    """The refusal of a login that needs more than name and password, or of an InvenTree that is too old."""
    return [
        locale.say("You aren't signed in."),
        locale.say("Why: {why}", why=diagnosis(locale, problem)),
    ]


def not_understood(locale: Locale, *, problems: tuple[str, ...]) -> Lines:
    """The refusal of a call that doesn't fit the schema.

    `problems`: each field, with the parser's message in English.
    """
    shown = problems[:_MOST_LISTED]
    return [
        locale.say("Not done: the call doesn't match the schema of the API."),
        *([Items(tuple(locale.short(each, 200) for each in shown))] if shown else []),
    ]


def not_found(locale: Locale) -> Lines:
    """The answer to an unknown address."""
    return [locale.say("There is nothing at this address, or nothing any more.")]


def method_not_allowed(locale: Locale) -> Lines:
    """The refusal of a method that the address doesn't have."""
    return [locale.say("Not done: this address takes another kind of call. The page API lists them.")]


def bad_request(locale: Locale) -> Lines:
    """The refusal of a call that can't be parsed."""
    return [locale.say("Not done: I can't read this call.")]


def not_in_your_rooms(locale: Locale) -> Lines:
    """The answer to an id or space that the caller can't read about, whether it exists or not."""
    return [
        locale.say("There is nothing with that id in the rooms that you are in."),
        locale.say("Somebody in its room can invite you."),
    ]


def no_such_cursor(locale: Locale) -> Lines:
    """The refusal of a cursor that we never returned."""
    return [
        locale.say("No page of the ledger begins there."),
        locale.say("Begin at the newest transfers: leave out {parameter}.", parameter=Code("cursor")),
    ]


def no_such_search(locale: Locale) -> Lines:
    """The answer if the hits are forgotten, or belong to somebody else's search."""
    return [
        locale.say("You have no such search now: hits are kept for a short time only."),
        locale.say("Search again: {line}", line=command("find WORDS")),
    ]


def no_such_picture(locale: Locale) -> Lines:
    """The answer if there is no picture, or it can't be fetched or shown."""
    return [locale.say("It has no picture, or I can't show it."), locale.say("The text describes it.")]


def holds_too_much(locale: Locale, *, most: int) -> Lines:
    """The refusal of one more token or address than a person can have."""
    return [
        locale.some(
            "Not created: you have {number} token or address, and can't have more.",
            "Not created: you have {number} tokens and addresses, and can't have more.",
            most,
        ),
        locale.say("End one that you don't need any more on your page Access."),
    ]


def no_such_token(locale: Locale) -> Lines:
    """The answer if the caller has no token with that id."""
    return [locale.say("You have no session and no token with that id.")]


def no_such_line(locale: Locale, *, kept: timedelta) -> Lines:
    """The answer if the caller has sent no line with that id lately."""
    return [locale.say("You have sent nothing with that id in the last {span}.", span=locale.span(kept))]


def key_used_before(locale: Locale) -> Lines:
    """The refusal of an idempotency key that belongs to another line."""
    return [
        locale.say("Not done: you have used that idempotency key for something else."),
        locale.say("Use a new key for a new line, and the same key only to send the same line again."),
    ]


def quantity_unreadable(locale: Locale) -> Lines:
    """The refusal of a decision whose quantity isn't a number above 0."""
    return [locale.say("Not counted: write the quantity as a number above 0, or leave it out.")]


def failed(locale: Locale) -> Lines:
    """A page or call failed unexpectedly."""
    return [
        locale.say("That didn't work: an unexpected error happened."),
        locale.say("My log tells my admin more. Try again later."),
    ]


def set_aside(locale: Locale) -> Lines:
    """A line failed unexpectedly."""
    return [
        locale.say("I can't say whether that was done: an unexpected error happened."),
        locale.say("I have told our admins. Look at the changes before you send it again."),
    ]


# --- The words of the pages: headings, names of fields and buttons, and notes.

PAGE_WORDS: Mapping[str, str] = {
    # everywhere
    "skip": marked("Skip to the content"),
    "menu": marked("Pages"),
    "now": marked("Now"),
    "access": marked("Access"),
    "sign_out": marked("Sign out"),
    "signed_in_as": marked("Signed in as {name}"),
    "back": marked("Back"),
    # signing in
    "sign_in": marked("Sign in"),
    "sign_in_note": marked("The page shows a code. Send it to the bot in Matrix, and the page knows who you are."),
    "say_code": marked("Send this to {bot} in Matrix within {minutes} minutes, encrypted or in a direct chat:"),
    "code_stays": marked("This page continues by itself. Without scripts, press the button once you have sent it."),
    "go_on": marked("Continue"),
    "new_code": marked("Show a new code"),
    "with_inventree": marked("Or with your InvenTree user"),
    "user_name": marked("User name"),
    "password": marked("Password"),
    "second_factor": marked("Code of your second factor, if you have one"),
    "friends": marked("Friends"),
    "all": marked("All"),
    "space": marked("Space"),
    "nothing_yet": marked("Nothing yet."),
    # now
    "to_decide": marked("Waiting for you"),
    "asked": marked("You have requested"),
    "parcels": marked("Parcels on their way here"),
    "unclear": marked("Unclear"),
    "under_way": marked("In progress"),
    "on_loan": marked("On loan"),
    "on_its_way": marked("on its way"),
    "for_admins": marked("For an admin"),
    "nothing_waits": marked("Nothing is waiting for you."),
    "find_something": marked("Find something to borrow or request"),
    # on loan
    "borrowed": marked("We have borrowed"),
    "lent": marked("We have lent"),
    "nothing_borrowed": marked("Nothing is borrowed."),
    "nothing_lent": marked("Nothing is lent."),
    "lend_something": marked("Find one of your items to lend, or scan the code on its label."),
    "asked_by_person": marked("by {name}"),
    "with_neighbours": marked("With neighbours who have no bot"),
    "booked_ahead": marked("Booked"),
    "in_line": marked("Waiting lists"),
    "at_space": marked("our place at {space}"),
    "stop_waiting": marked("Stop waiting"),
    "at_us": marked("for one of our items"),
    "in_turn": marked("Requests to friends, in turn"),
    "was_asked": marked("Asked: {spaces}"),
    "asked_next": marked("Next: {spaces}"),
    # the calendar
    "calendar": marked("Calendar"),
    "this_month": marked("This month"),
    "before": marked("Earlier"),
    "after": marked("Later"),
    "nothing_that_month": marked("No pick-ups or returns in this month."),
    # find
    "find": marked("Find"),
    "find_words": marked("Name, IPN or keyword (empty: everything that is shared)"),
    "find_hint": marked("Search everything that you and your friends share."),
    "everywhere": marked("Everywhere"),
    "searching": marked("I am asking your friends. This page shows their answers by itself."),
    "load_again": marked("Load it again"),
    "hits": marked("Found"),
    "free_at": marked("{quantity} free at {space}"),
    "request": marked("Request it"),
    "borrow_until": marked("Borrow until (empty: to keep)"),
    "book_from": marked("Pick up on (empty: as soon as possible)"),
    "send_request": marked("Send the request"),
    "wait": marked("Wait for it"),
    "wait_note": marked("First come, first served. The bot shows your place, and tells you when it is your turn."),
    "join_line": marked("Join the waiting list"),
    "see_place": marked("See your place"),
    "still_silent": marked("Not answered yet: {spaces}"),
    # the ledger
    "ledger": marked("Ledger"),
    "ledger_words": marked("Item, serial number, note, id or name"),
    "state": marked("State"),
    "direction": marked("Direction"),
    "direction_in": marked("to us"),
    "direction_out": marked("from us"),
    "kind_give": marked("Gift"),
    "kind_loan": marked("Loan"),
    "kind_request": marked("Request"),
    "kind_return": marked("Return"),
    "kind_extension": marked("Extension"),
    "kind_outside": marked("Loan to a neighbour"),
    "state_open": marked("waits"),
    "state_on_loan": marked("on loan"),
    "state_done": marked("done"),
    "state_declined": marked("declined"),
    "state_cancelled": marked("cancelled"),
    "state_expired": marked("expired"),
    "show": marked("Show"),
    "state_booked": marked("booked"),
    "nothing_found": marked("Nothing matches that."),
    "show_all": marked("Show the whole ledger"),
    "ledger_fills": marked("Every transfer appears here, from the first offer or request on."),
    "newest": marked("Newest"),
    "older": marked("Older"),
    "as_csv": marked("Save as CSV"),
    # a friend
    "no_friend": marked("Not a friend"),
    "nobody_here": marked("No other space is in your rooms. In a room with another space's bot, a superuser types:"),
    "health": marked("Health"),
    "its_bot": marked("Its bot"),
    "answers": marked("answers"),
    "unknown": marked("not asked yet"),
    "its_key": marked("Its key"),
    "our_key": marked("Our key"),
    "peer_access": marked("Reads our InvenTree"),
    "access_relayed": marked("through our bot only"),
    "access_direct": marked("itself, with its own token"),
    "friendship": marked("Friendship"),
    "balance": marked("Balance"),
    "given": marked("given"),
    "received": marked("received"),
    "lent_now": marked("lent now"),
    "borrowed_now": marked("borrowed now"),
    "pieces": marked("{number} pieces"),
    "seen_of_each_other": marked("What we see of each other"),
    "we_see": marked("We see"),
    "they_see": marked("They see"),
    "not_told_yet": marked("They haven't told us yet."),
    "look": marked("Search it"),
    "everything": marked("everything"),
    "we_share_nothing": marked("We share nothing yet."),
    "newest_transfers": marked("Newest transfers"),
    "all_of_them": marked("All of them"),
    # figures
    "figures": marked("Figures"),
    "figures_hidden": marked("We show our figures only in the admin room."),
    "inventree_silent": marked("InvenTree doesn't answer. These are the bot's own figures."),
    "stock": marked("Stock"),
    "stock_by_day": marked("Stock items by day"),
    "as_table": marked("As a table"),
    "day": marked("Day"),
    "count_parts": marked("parts"),
    "count_stock_items": marked("stock items"),
    "count_low_stock": marked("parts that are running low"),
    "count_categories": marked("categories"),
    "count_locations": marked("locations"),
    "count_shared": marked("shared with friends"),
    "exchange": marked("Given and received"),
    "counted_in_lines": marked("Counted in lines of transfers."),
    "ask_friends": marked("Ask friends for theirs"),
    # a transfer
    "to_space": marked("to {space}"),
    "from_space": marked("from {space}"),
    "friendship_with": marked("Friendship with {space}"),
    "asked_by": marked("Started by"),
    "decided_by": marked("Decided by"),
    "decide_until": marked("Can be decided until"),
    "due_day": marked("Due"),
    "due_now": marked("Due so far"),
    "due_then": marked("Due then"),
    "note": marked("Note"),
    "things": marked("Items"),
    "quantity": marked("Quantity"),
    "item": marked("Item"),
    "serial": marked("Serial number"),
    "condition": marked("Condition"),
    "place": marked("Location"),
    "in_inventree": marked("In InvenTree"),
    "story": marked("What happened"),
    "belongs_to": marked("Belongs to"),
    "missing": marked("Did not arrive"),
    # deciding
    "your_decision": marked("Your decision"),
    "approve": marked("✅ Yes"),
    "parcel": marked("📦 Yes, by parcel"),
    "parcel_here": marked("📦 It is here"),
    "damaged": marked("🔧 Back, but damaged"),
    "decline": marked("❌ No"),
    "less": marked("Only so much of it (empty: all)"),
    "reason": marked("Reason, for the other space"),
    "typed_code": marked("This needs two approvals. To decide alone, type the id of the card:"),
    "running": marked("{name} is deciding; you can take it back until {ends}."),
    "take_back": marked("Take it back"),
    "not_yours": marked("Somebody else has to decide on this."),
    # other actions
    "actions": marked("What you can do"),
    "bring_back": marked("Give it back"),
    "longer_until": marked("Longer, until"),
    "extend": marked("Extend"),
    "cancel": marked("Cancel it"),
    # an answer
    "done": marked("Done"),
    "refused": marked("Not done"),
    "told": marked("Answer"),
    "waiting": marked("No answer yet"),
    "waiting_more": marked("InvenTree is slow. This page shows the answer by itself."),
    "pick_one": marked("Pick one"),
    # sessions and tokens
    "held": marked("Where you are signed in, and your tokens"),
    "kind": marked("Kind"),
    "name": marked("Name"),
    "until": marked("Until"),
    "may": marked("Allowed to"),
    "scope_read": marked("read"),
    "scope_act": marked("read and act"),
    "this_page": marked("this page"),
    "end": marked("End"),
    "session": marked("Page"),
    "token": marked("API token"),
    "feed": marked("Calendar"),
    "screen": marked("Wall screen"),
    "make_token": marked("Create an API token"),
    "token_name": marked("What it is for"),
    "token_days": marked("Days until it ends"),
    "make": marked("Create it"),
    "token_made": marked("Here is your token. The page shows it only now:"),
    # addresses: calendars and the wall screen
    "make_address": marked("Create a calendar or a wall screen"),
    "address_note": marked("Anybody who knows its address can read it, until you end it here."),
    "address_kind": marked("What it is"),
    "address_made": marked("Here is the address. The page shows it only now:"),
    "addresses_made": marked(
        "Here are the addresses: one for your own entries, one for all. The page shows them only now:"
    ),
    "calendar_of": marked("Due dates, {space}"),
    "updated": marked("As of {time}"),
    "waiting_list": marked("Waiting for a decision"),
    "nothing_here": marked("Nothing."),
    "more_below": marked("and {number} more"),
    # an item
    "item_number": marked("Item #{number}"),
    "its_page": marked("Its page in InvenTree"),
    "label_code": marked("Code for its label"),
    "label_note": marked("It leads to this page. Save the picture, or print it."),
    "labels": marked("Labels to print"),
    "label_numbers": marked("Numbers of stock items"),
    "labels_note": marked("Write the numbers of stock items, such as 42 43 44, and print the page that follows."),
    "is_out": marked("It is on loan"),
    "is_back": marked("It is back from {space}"),
    "give_or_lend": marked("Lend or give it"),
    "lend_until": marked("Until (empty: to keep)"),
    "offer": marked("Offer it"),
    # the API
    "api": marked("API"),
    "api_schema": marked("Its schema (OpenAPI)"),
    "api_calls": marked("Calls"),
    # errors
    "went_wrong": marked("That did not work"),
}


def page_word(locale: Locale, name: str, /, **words: str) -> str:
    """One of these words in that language. KeyError if it doesn't exist."""
    return locale.word(PAGE_WORDS[name]).format(**words)


def short_day(locale: Locale, day: date) -> str:
    """'Tue 15 Dec'; with the year unless it is the current one."""
    return locale.day(day, year=day.year != locale.today_there(locale.time_zone).year)


def overdue(locale: Locale, days: int) -> str:
    """The number of days that a loan is overdue."""
    return _text(locale.some("overdue by {number} day", "overdue by {number} days", days))


def due_in(locale: Locale, days: int) -> str:
    """The number of days until a loan is due."""
    if days == 0:
        return locale.word("due today")
    return _text(locale.some("due in {number} day", "due in {number} days", days))


def silent(locale: Locale, times: int) -> str:
    """The note that a friend's bot doesn't answer."""
    return _text(locale.some("no answer, asked {number} time", "no answer, asked {number} times", times))


def entries(locale: Locale, number: int) -> str:
    """The number of entries of a sharing list."""
    return _text(locale.some("{number} shared entry", "{number} shared entries", number))


def last_days(locale: Locale, days: int) -> str:
    """The days that the figures cover; 0 for all time."""
    return _text(locale.some("Last {number} day", "Last {number} days", days)) if days else locale.word("All time")


def due_back(locale: Locale, direction: str, things: str, space: str) -> str:
    """The calendar entry of a loan's due date."""
    pattern = marked("{things} back to {space}") if direction == "in" else marked("{things} back from {space}")
    return locale.word(pattern).format(things=things, space=space)


def booked(locale: Locale, things: str, space: str) -> str:
    """The calendar entry of a booking's days."""
    return locale.word("Booked: {things}, {space}").format(things=things, space=space)


def on_that_day(locale: Locale, what: str, direction: str, space: str) -> str:
    """The event on a day of the calendar; the page shows the items beside it."""
    return locale.word(_ON_THAT_DAY[what, direction]).format(space=space)


def amount(locale: Locale, quantity: str, units: str = "") -> str:
    """'1.5 m', from a quantity as the views have it."""
    return locale.quantity(Decimal(quantity), units)


_WHOLE_MONTHS = (
    marked("January"),
    marked("February"),
    marked("March"),
    marked("April"),
    marked("May"),
    marked("June"),
    marked("July"),
    marked("August"),
    marked("September"),
    marked("October"),
    marked("November"),
    marked("December"),
)


def month(locale: Locale, first: date) -> str:
    """'December 2026'."""
    return f"{locale.word(_WHOLE_MONTHS[first.month - 1])} {first.year}"


def weekdays(locale: Locale) -> list[str]:
    """The names of the weekdays, from Monday on."""
    return [locale.word(name) for name in WEEKDAYS]


_ON_THAT_DAY = {
    ("fetched", "out"): marked("{space} picks up"),
    ("fetched", "in"): marked("to pick up at {space}"),
    ("back", "out"): marked("back from {space}"),
    ("back", "in"): marked("back to {space}"),
    ("overdue", "out"): marked("overdue from {space}"),
    ("overdue", "in"): marked("overdue to {space}"),
}


def _text(words: tuple[Inline, ...]) -> str:
    return "".join(str(word) for word in words)
