"""Sentences about signing in on pages, in chat and on the pages themselves."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

import fedbot.web.site
from fedbot import messages
from fedbot.messages.web import PAGE_WORDS
from fedbot.rules.model.command import AccessKind, WebAccess
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.effects import Phrase, say
from tests.scenarios.scenes import KIM, LOCALES, NOW, plain, transfer

URL = "https://fed.attraktor.example"
SESSION = WebAccess("a" * 64, AccessKind.SESSION, KIM, "kim", "Firefox, Linux", NOW, NOW + timedelta(days=14))
TOKEN = WebAccess("b" * 64, AccessKind.TOKEN, KIM, "kim", "price list", NOW, NOW + timedelta(days=90))
FEED = WebAccess("c" * 64, AccessKind.FEED, KIM, "kim", "phone", NOW, NOW + timedelta(days=90))
SCREEN = WebAccess("d" * 64, AccessKind.SCREEN, KIM, "kim", "hall", NOW, NOW + timedelta(days=90))

SAID: dict[str, Phrase] = {
    "signed in": say(messages.web.signed_in, name="Kim", browser="Firefox, Linux", access=SESSION),
    "no such code": say(messages.web.no_such_code, word="K7M2-Q4ZT", address=URL),
    "in clear": say(messages.web.code_in_clear, word="K7M2-Q4ZT"),
    "too many": say(messages.web.tries_too_often, wait=timedelta(minutes=2)),
    "on a page": say(messages.web.only_in_chat),
    "no pages": say(messages.web.pages_are_off),
    "held": say(messages.web.held, accesses=(SESSION, TOKEN, FEED, SCREEN), address=URL),
    "nothing held": say(messages.web.held, accesses=(), address=URL),
    "ended": say(messages.web.ended, number=2),
    "nothing to end": say(messages.web.ended, number=0),
    "codes for labels": say(messages.web.label_codes, pages=((42, f"{URL}/items/42"), (43, f"{URL}/items/43")), more=3),
    "a code": say(messages.web.label_picture, item=42),
    "no item for a code": say(messages.web.no_item_for_a_code, word="LENS-9"),
    "an old page": say(messages.web.page_is_outdated, subject=transfer()),
    # answers of a page or the API itself
    "no token": say(messages.web.not_known),
    "a user that is off": say(messages.web.not_active),
    "a token that reads": say(messages.web.read_only),
    "it ends another": say(messages.web.ends_only_itself),
    "another site's form": say(messages.web.not_our_form),
    "too many calls": say(messages.web.too_many_calls, wait=timedelta(seconds=7)),
    "too large": say(messages.web.too_large, most=65536),
    "silence": say(messages.web.inventory_silent, problem=Plain(Fault.SILENT)),
    "a refusal": say(messages.web.inventory_refuses, problem=Plain(Fault.SILENT)),
    "a wrong login": say(messages.web.login_wrong),
    "a login that is not enough": say(messages.web.login_refused, problem=Plain(Fault.SECOND_FACTOR_MISSING)),
    "no schema": say(messages.web.not_understood, problems=("choice: Field required",)),
    "no page": say(messages.web.not_found),
    "no method": say(messages.web.method_not_allowed),
    "no call": say(messages.web.bad_request),
    "elsewhere": say(messages.web.not_in_your_rooms),
    "no cursor": say(messages.web.no_such_cursor),
    "no search": say(messages.web.no_such_search),
    "no picture": say(messages.web.no_such_picture),
    "no session": say(messages.web.no_such_token),
    "a page fails": say(messages.web.failed),
    "too many tokens": say(messages.web.holds_too_much, most=50),
    "no line": say(messages.web.no_such_line, kept=timedelta(days=1)),
    "a used key": say(messages.web.key_used_before),
    "no number": say(messages.web.quantity_unreadable),
    "unforeseen": say(messages.web.set_aside),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot


def test_the_templates_use_each_word_and_no_other() -> None:
    folder = Path(fedbot.web.site.__file__).parent
    told = "".join(file.read_text() for file in (*folder.glob("templates/*.html"), *folder.glob("*.py")))
    named = {name for name in PAGE_WORDS if re.search(rf"[\"']{name}[\"']", told)}
    # names made from the kinds of sessions and tokens
    made = {"scope_read", "scope_act", "session", "token", "feed", "screen"}
    # names made from choices and outcomes
    made |= {"approve", "parcel", "damaged", "decline", "done", "refused", "told"}
    made |= {name for name in PAGE_WORDS if name.startswith(("count_", "kind_", "state_", "direction_", "access_"))}
    assert PAGE_WORDS.keys() - named - made == set()
    assert set(re.findall(r"\bt\(\"(\w+)\"[,)]", told)) <= PAGE_WORDS.keys()
