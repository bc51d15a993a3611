"""Signing in on pages, as people read it in chat; and what stands on the pages themselves."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest

import fedbot.web.site
from fedbot import messages
from fedbot.messages.page_words import PAGE_WORDS
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.web import AccessKind, WebAccess
from tests.scenarios.scenes import KIM, NOW, plain, transfer

URL = "https://fed.attraktor.example"
SESSION = WebAccess("a" * 64, AccessKind.SESSION, KIM, "kim", "Firefox, Linux", NOW, NOW + timedelta(days=14))
TOKEN = WebAccess("b" * 64, AccessKind.TOKEN, KIM, "kim", "price list", NOW, NOW + timedelta(days=90))
FEED = WebAccess("c" * 64, AccessKind.FEED, KIM, "kim", "phone", NOW, NOW + timedelta(days=90))
SCREEN = WebAccess("d" * 64, AccessKind.SCREEN, KIM, "kim", "hall", NOW, NOW + timedelta(days=90))

SAID: dict[str, tuple[Phrase, str]] = {
    "signed in": (
        say(messages.web.signed_in, name="Kim", browser="Firefox, Linux", access=SESSION),
        """
        ✅ Kim, your page is signed in until Tue 8 Dec, 20:31.
        It is open in: Firefox, Linux
        If that isn't you: !fed web end
        """,
    ),
    "no such code": (
        say(messages.web.no_such_code, word="K7M2-Q4ZT", address=URL),
        """
        Nobody is signed in: no page shows the code K7M2-Q4ZT now.
        A code counts once, for 10 minutes. Open https://fed.attraktor.example and say the code that you see there.
        """,
    ),
    "in clear": (
        say(messages.web.code_in_clear, word="K7M2-Q4ZT"),
        """
        Nobody is signed in: this room isn't encrypted.
        Say it in an encrypted room, or in a direct chat with me: !fed web K7M2-Q4ZT
        """,
    ),
    "too many": (
        say(messages.web.tries_too_often, wait=timedelta(minutes=2)),
        """
        Nobody is signed in: those were too many codes.
        Try again in 2 minutes.
        """,
    ),
    "on a page": (
        say(messages.web.only_in_chat),
        """
        Nobody is signed in: a code counts in chat only.
        Say it in an encrypted room, or in a direct chat with me.
        """,
    ),
    "no pages": (
        say(messages.web.pages_are_off),
        """
        I have no pages here.
        Whoever runs me can switch them on: pages.listen in my settings.
        """,
    ),
    "held": (
        say(messages.web.held, accesses=(SESSION, TOKEN, FEED, SCREEN), address=URL),
        """
        My pages are at https://fed.attraktor.example
        You are signed in, or have given access, here:
        • Page: Firefox, Linux, until Tue 8 Dec, 20:31
        • API token: price list, until Mon 22 Feb 2027, 20:31
        • Calendar: phone, until Mon 22 Feb 2027, 20:31
        • Wall screen: hall, until Mon 22 Feb 2027, 20:31
        To end all of it: !fed web end
        """,
    ),
    "nothing held": (
        say(messages.web.held, accesses=(), address=URL),
        """
        My pages are at https://fed.attraktor.example
        You aren't signed in anywhere.
        """,
    ),
    "ended": (
        say(messages.web.ended, number=2),
        """
        ✅ You are signed out everywhere.
        2 pages and tokens open nothing now.
        """,
    ),
    "nothing to end": (
        say(messages.web.ended, number=0),
        """
        Nothing to end: you aren't signed in anywhere.
        """,
    ),
    "codes for labels": (
        say(messages.web.label_codes, pages=((42, f"{URL}/items/42"), (43, f"{URL}/items/43")), more=3),
        """
        #42: its code for a label is on https://fed.attraktor.example/items/42
        #43: its code for a label is on https://fed.attraktor.example/items/43
        and 3 more
        """,
    ),
    "a code": (say(messages.web.label_picture, item=42), "QR code for the label of item #42"),
    "no item for a code": (
        say(messages.web.no_item_for_a_code, word="LENS-9"),
        """
        We have no item "LENS-9".
        Write its number, IPN or name: !fed qr #42
        """,
    ),
    "an old page": (
        say(messages.web.page_is_outdated, subject=transfer()),
        """
        Not counted: k7m2 has changed since your page was loaded.
        Load the page again, and look at what it shows now.
        """,
    ),
    # what a page or the API answers by itself
    "no token": (
        say(messages.web.not_known),
        """
        Your call has no valid token.
        Make a token on your page, and send it as Authorization: Bearer fed_….
        """,
    ),
    "a user that is off": (
        say(messages.web.not_active),
        """
        Your InvenTree user isn't active.
        An InvenTree admin can activate it.
        """,
    ),
    "a token that reads": (
        say(messages.web.read_only),
        """
        Not done: this token only reads.
        Make a token on your page that may also act.
        """,
    ),
    "it ends another": (
        say(messages.web.ends_only_itself),
        "Not done: this token only reads. It can end itself and nothing else.",
    ),
    "another site's form": (
        say(messages.web.not_our_form),
        """
        Not done: that form is too old, or another site made it.
        Load the page again, and send the form again.
        """,
    ),
    "too many calls": (
        say(messages.web.too_many_calls, wait=timedelta(seconds=7)),
        """
        Not done: too many calls.
        Try again in 7 seconds.
        """,
    ),
    "too large": (
        say(messages.web.too_large, most=65536),
        "Not done: the call is too large, at most 65,536 bytes.",
    ),
    "silence": (
        say(messages.web.inventory_silent, problem=Plain(Fault.SILENT)),
        """
        Not done: our InvenTree doesn't answer.
        Why: InvenTree does not answer.
        Try again in a few minutes.
        """,
    ),
    "a refusal": (
        say(messages.web.inventory_refuses, problem=Plain(Fault.SILENT)),
        """
        Not done: our InvenTree can't be used for this.
        Why: InvenTree does not answer.
        """,
    ),
    "no schema": (
        say(messages.web.not_understood, problems=("choice: Field required",)),
        """
        Not done: the call doesn't fit the schema of the API.
        • choice: Field required
        """,
    ),
    "no page": (say(messages.web.not_found), "There is nothing at this address, or not any more."),
    "no method": (
        say(messages.web.method_not_allowed),
        "Not done: this address takes another kind of call. The page API lists them.",
    ),
    "no call": (say(messages.web.bad_request), "Not done: I can't read this call."),
    "elsewhere": (
        say(messages.web.not_in_your_rooms),
        """
        There is nothing with that id in the rooms that you are in.
        Somebody in its room can invite you.
        """,
    ),
    "no cursor": (
        say(messages.web.no_such_cursor),
        """
        No page of the ledger begins there.
        Begin at the newest transfers: leave out cursor.
        """,
    ),
    "no search": (
        say(messages.web.no_such_search),
        """
        You have no such search now: hits are kept for a short time only.
        Search again: !fed find WORDS
        """,
    ),
    "no session": (say(messages.web.no_such_token), "You have no session and no token with that id."),
    "no line": (
        say(messages.web.no_such_line, kept=timedelta(days=1)),
        "You have said nothing under that id in the last 1 day.",
    ),
    "a used key": (
        say(messages.web.key_used_before),
        """
        Not done: you have used that idempotency key for something else.
        Take a new key for a new line, and the same one only to send the same line again.
        """,
    ),
    "no number": (
        say(messages.web.quantity_unreadable),
        "Not counted: write the quantity as a number above 0, or leave it out.",
    ),
    "unforeseen": (
        say(messages.web.set_aside),
        """
        I can't say whether that was done: something went wrong that nobody has foreseen.
        I have told our admins. Look at what has changed before you send it again.
        """,
    ),
}


@pytest.mark.parametrize(("phrase", "text"), SAID.values(), ids=SAID)
def test_it_is_put_into_words(phrase: Phrase, text: str) -> None:
    assert plain(phrase) == dedent(text).strip()


def test_the_templates_use_each_word_and_no_other() -> None:
    folder = Path(fedbot.web.site.__file__).parent
    told = "".join(file.read_text() for file in (*folder.glob("templates/*.html"), *folder.glob("*.py")))
    named = {name for name in PAGE_WORDS if re.search(rf"[\"']{name}[\"']", told)}
    made = {"scope_read", "scope_act", "session", "token", "feed", "screen"}  # by what a person holds
    made |= {"approve", "parcel", "damaged", "decline", "done", "refused", "told"}  # by choices and outcomes
    made |= {name for name in PAGE_WORDS if name.startswith(("count_", "kind_", "state_", "direction_", "access_"))}
    assert PAGE_WORDS.keys() - named - made == set()
    assert set(re.findall(r"\bt\(\"(\w+)\"[,)]", told)) <= PAGE_WORDS.keys()
