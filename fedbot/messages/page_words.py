"""What stands on the pages around what chat says too: headings, names of fields and buttons, and notes.

By name, as the templates say `t("now")`. Cards, refusals and answers are chat's own sentences.
"""

from __future__ import annotations

from collections.abc import Mapping

from fedbot.messages.language import Locale, marked

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
    # what waits
    "to_decide": marked("Waits for you"),
    "asked": marked("You have asked"),
    "parcels": marked("Parcels on their way here"),
    "unclear": marked("Unclear"),
    "under_way": marked("Under way"),
    "on_loan": marked("On loan"),
    "for_admins": marked("For an admin"),
    "nothing_waits": marked("Nothing waits for you."),
    # a transfer
    "to_space": marked("to {space}"),
    "from_space": marked("from {space}"),
    "friendship_with": marked("Friendship with {space}"),
    "asked_by": marked("Asked by"),
    "decided_by": marked("Decided by"),
    "decide_until": marked("Can be decided until"),
    "due_day": marked("Due"),
    "overdue": marked("overdue by {days} days"),
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
