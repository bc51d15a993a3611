"""What stands on the pages around what chat says too: headings, names of fields and buttons, and notes.

By name, as the templates say `t("now")`. Cards, refusals and answers are chat's own sentences.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from fedbot.messages.formatting import Inline
from fedbot.messages.language import MONTHS, WEEKDAYS, Locale, marked

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
    "say_code": marked("Say this to the bot within 10 minutes, in an encrypted room or in a direct chat with it:"),
    "code_stays": marked("This page goes on by itself. Without scripts, press the button once you have said it."),
    "go_on": marked("Go on"),
    "new_code": marked("Show a new code"),
    "with_inventree": marked("Or with your InvenTree user"),
    "user_name": marked("User name"),
    "password": marked("Password"),
    "wrong_login": marked("InvenTree knows no active user by that name and password, or you aren't listed here."),
    "friends": marked("Friends"),
    "all": marked("All"),
    "space": marked("Space"),
    "nothing_yet": marked("Nothing yet."),
    # what waits
    "to_decide": marked("Waits for you"),
    "asked": marked("You have asked"),
    "parcels": marked("Parcels on their way here"),
    "unclear": marked("Unclear"),
    "under_way": marked("Under way"),
    "on_loan": marked("On loan"),
    "for_admins": marked("For an admin"),
    "nothing_waits": marked("Nothing waits for you."),
    # on loan
    "borrowed": marked("We have borrowed"),
    "lent": marked("We have lent"),
    "nothing_borrowed": marked("Nothing is borrowed."),
    "nothing_lent": marked("Nothing is lent."),
    "asked_by_person": marked("asked by {name}"),
    "booked_ahead": marked("Booked"),
    "in_line": marked("Waiting lists"),
    "at_space": marked("our place at {space}"),
    "stop_waiting": marked("Stop waiting"),
    "at_us": marked("for one of our items"),
    "in_turn": marked("Asked of friends in turn"),
    "was_asked": marked("Asked: {spaces}"),
    "asked_next": marked("Next: {spaces}"),
    # the calendar
    "calendar": marked("Calendar"),
    "this_month": marked("This month"),
    "before": marked("Earlier"),
    "after": marked("Later"),
    "nothing_that_month": marked("Nothing is picked up or due back in this month."),
    # find
    "find": marked("Find"),
    "find_words": marked("Name, IPN or keyword (empty: all that is shared)"),
    "find_hint": marked("Search what your friends share, and what you share yourselves."),
    "everywhere": marked("Everywhere"),
    "searching": marked("Friends are being asked. This page shows their answers by itself."),
    "load_again": marked("Load it again"),
    "hits": marked("Found"),
    "free_at": marked("{quantity} at {space}"),
    "more_back": marked("{quantity} more back on {day}"),
    "request": marked("Request"),
    "borrow_until": marked("Borrow until (empty: to keep)"),
    "send_request": marked("Send the request"),
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
    "state_open": marked("waits"),
    "state_on_loan": marked("on loan"),
    "state_done": marked("done"),
    "state_declined": marked("declined"),
    "state_cancelled": marked("cancelled"),
    "state_expired": marked("expired"),
    "show": marked("Show"),
    "state_booked": marked("booked"),
    "nothing_found": marked("Nothing fits that."),
    "newest": marked("Newest"),
    "older": marked("Older"),
    "as_csv": marked("Save as CSV"),
    # a friend
    "no_friend": marked("Not a friend"),
    "nobody_here": marked("No other space is in your rooms."),
    "health": marked("Health"),
    "its_bot": marked("Its bot"),
    "answers": marked("answers"),
    "unknown": marked("not asked yet"),
    "its_key": marked("Its key"),
    "our_key": marked("Our key"),
    "peer_access": marked("Reads our InvenTree"),
    "access_relayed": marked("through our bot only"),
    "access_direct": marked("itself, with a token of its own"),
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
    "not_told_yet": marked("They haven't told yet."),
    "look": marked("Look through it"),
    "everything": marked("everything"),
    "we_share_nothing": marked("We share nothing yet."),
    "newest_transfers": marked("Newest transfers"),
    "all_of_them": marked("All of them"),
    # figures
    "figures": marked("Figures"),
    "figures_hidden": marked("Our figures are told in the admin room only."),
    "inventree_silent": marked("InvenTree doesn't answer. These are the figures that the bot has itself."),
    "stock": marked("Stock"),
    "stock_by_day": marked("Stock items by day"),
    "as_table": marked("As a table"),
    "day": marked("Day"),
    "count_parts": marked("parts"),
    "count_stock_items": marked("stock items"),
    "count_low_stock": marked("parts that run low"),
    "count_categories": marked("categories"),
    "count_locations": marked("places"),
    "count_shared": marked("shared with friends"),
    "exchange": marked("Given and received"),
    "counted_in_lines": marked("Counted in lines of transfers."),
    "ask_friends": marked("Ask friends for theirs"),
    # a transfer
    "to_space": marked("to {space}"),
    "from_space": marked("from {space}"),
    "friendship_with": marked("Friendship with {space}"),
    "asked_by": marked("Asked by"),
    "decided_by": marked("Decided by"),
    "decide_until": marked("Can be decided until"),
    "due_day": marked("Due"),
    "note": marked("Note"),
    "things": marked("Items"),
    "quantity": marked("Quantity"),
    "item": marked("Item"),
    "serial": marked("Serial number"),
    "condition": marked("Condition"),
    "place": marked("Place"),
    "in_inventree": marked("In InvenTree"),
    "story": marked("What happened"),
    "belongs_to": marked("Belongs to"),
    # deciding
    "your_decision": marked("Your decision"),
    "approve": marked("✅ Yes"),
    "parcel": marked("📦 Yes, it comes by parcel"),
    "parcel_here": marked("📦 It is here"),
    "damaged": marked("🔧 Back, but damaged"),
    "decline": marked("❌ No"),
    "less": marked("Only so much of it (empty: all)"),
    "reason": marked("Reason, which the other space reads"),
    "typed_code": marked("A yes takes two people. Type the id of the card to decide alone:"),
    "running": marked("{name} is deciding; until {ends} it can be taken back."),
    "take_back": marked("Take it back"),
    "not_yours": marked("Somebody else has to decide on this."),
    # what else can be done
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
    "waiting_more": marked("InvenTree takes its time. Load this page again in a moment."),
    "pick_one": marked("Pick one"),
    # sessions and tokens
    "held": marked("What is signed in, and your tokens"),
    "kind": marked("Kind"),
    "name": marked("Name"),
    "until": marked("Until"),
    "may": marked("May"),
    "scope_read": marked("read"),
    "scope_act": marked("read and act"),
    "this_page": marked("this page"),
    "end": marked("End"),
    "session": marked("Page"),
    "token": marked("API token"),
    "feed": marked("Calendar"),
    "screen": marked("Wall screen"),
    "make_token": marked("Make an API token"),
    "token_name": marked("What it is for"),
    "token_days": marked("Days until it ends"),
    "make": marked("Make it"),
    "token_made": marked("Here is your token. It is shown only now:"),
    # addresses: calendars and the wall screen
    "make_address": marked("Make a calendar or a wall screen"),
    "address_note": marked("Whoever knows its address can read it, until you end it here."),
    "address_kind": marked("What it is"),
    "address_made": marked("Here is the address. It is shown only now:"),
    "addresses_made": marked("Here are the addresses: of what concerns you, and of all. They are shown only now:"),
    "calendar_of": marked("Due days, {space}"),
    "updated": marked("As of {time}"),
    "waiting_list": marked("Waits for a yes or no"),
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
    "give_or_lend": marked("Lend or give it"),
    "lend_until": marked("Until (empty: to keep)"),
    "offer": marked("Offer it"),
    # the API
    "api": marked("API"),
    "api_schema": marked("Its schema (OpenAPI)"),
    "api_call": marked("Call"),
    "api_does": marked("What it does"),
    # what goes wrong
    "went_wrong": marked("That did not work"),
}


def page_word(locale: Locale, name: str, /, **words: str) -> str:
    """One of them in that language. KeyError if there is none."""
    return locale.word(PAGE_WORDS[name]).format(**words)


def short_day(locale: Locale, day: date) -> str:
    """'Tue 15 Dec'; with the year if it isn't this one."""
    return locale.day(day, year=day.year != locale.today_there(locale.time_zone).year)


def overdue(locale: Locale, days: int) -> str:
    """How late a loan is."""
    return _text(locale.some("overdue by {number} day", "overdue by {number} days", days))


def due_in(locale: Locale, days: int) -> str:
    """How long a loan has still to go."""
    if days == 0:
        return locale.word("due today")
    return _text(locale.some("due in {number} day", "due in {number} days", days))


def silent(locale: Locale, times: int) -> str:
    """A friend's bot doesn't answer."""
    return _text(locale.some("no answer, asked {number} time", "no answer, asked {number} times", times))


def entries(locale: Locale, number: int) -> str:
    """How long a sharing list is."""
    return _text(locale.some("{number} shared entry", "{number} shared entries", number))


def last_days(locale: Locale, days: int) -> str:
    """Of what time the figures are; 0: since ever."""
    return _text(locale.some("Last {number} day", "Last {number} days", days)) if days else locale.word("All time")


def due_back(locale: Locale, direction: str, things: str, space: str) -> str:
    """What stands in a calendar on the last day of a loan."""
    pattern = marked("{things} back to {space}") if direction == "in" else marked("{things} back from {space}")
    return locale.word(pattern).format(things=things, space=space)


def booked(locale: Locale, things: str, space: str) -> str:
    """What stands in a calendar on the days of a booking."""
    return locale.word("Booked: {things}, {space}").format(things=things, space=space)


def on_that_day(locale: Locale, what: str, direction: str, space: str) -> str:
    """What happens on a day of the calendar, beside the things with which it does."""
    return locale.word(_ON_THAT_DAY[what, direction]).format(space=space)


def month(locale: Locale, first: date) -> str:
    """'Dec 2026'."""
    return f"{locale.word(MONTHS[first.month - 1])} {first.year}"


def weekdays(locale: Locale) -> list[str]:
    """From Monday on."""
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
