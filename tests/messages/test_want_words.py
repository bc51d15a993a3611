"""Sentences about wants."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.catalogue import FriendWant, Want
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lifecycles import WantState
from tests.scenarios.scenes import ALPHA, BETA, BY_BEA, LOCALES, ROOM, plain

DAY = date(2026, 12, 31)
WANT = Want("w6v5abcdefghjkmnpqrs", "w6v5", BY_BEA, ROOM, "M3-BOLT", Decimal(200), Decimal(200), DAY)
THEIRS = FriendWant("f" * 20, "beta", WANT.id, "c" * 20, "M3-BOLT", Decimal(200), DAY)


def page(*friends: str, **changes: object) -> Phrase:
    want = replace(WANT, **changes)  # type: ignore[arg-type]  # any of its fields
    return say(messages.catalogue.want_page, want=want, us=BETA, friends=friends)


SAID: dict[str, Phrase] = {
    "wanted": page("Attraktor", "Gammaspace", lacking=Decimal(50)),
    "wanted, and nobody hears": page(),
    "found": page(state=WantState.FOUND),
    "over": page(state=WantState.OVER),
    "we have it": say(
        messages.catalogue.we_have_what_they_want, wanted=THEIRS, us=ALPHA, peer_name="Betaspace", free=Decimal(150)
    ),
    "an offer of what is wanted no more": say(
        messages.catalogue.wants_something_else, wanted=THEIRS, peer_name="Betaspace"
    ),
    "the list": say(messages.catalogue.want_list, us=ALPHA, wants=(WANT,), friends=(("Betaspace", THEIRS),)),
    "an empty list": say(messages.catalogue.want_list, us=ALPHA, wants=(), friends=()),
    "no name": say(messages.catalogue.want_by_name, word="#42"),
    "several": say(messages.catalogue.one_want_a_line),
    "too many": say(messages.catalogue.too_many_wants, count=20),
    "too long": say(messages.catalogue.too_long_a_want, days=180),
    "stopped": say(messages.catalogue.want_stopped, want=WANT),
    "stopped, with a reason": say(
        messages.approval.but_note_unread, told=say(messages.catalogue.want_stopped, want=WANT)
    ),
    "with a note": say(
        messages.catalogue.want_page, want=replace(WANT, note="for the camp"), us=ALPHA, friends=("Betaspace",)
    ),
    "of a friend, with a note": say(
        messages.catalogue.want_list,
        us=ALPHA,
        wants=(replace(WANT, note="for the camp"),),
        friends=(("Betaspace", replace(THEIRS, note="for the fair")),),
    ),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
