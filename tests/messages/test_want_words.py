"""What somebody wants and nobody has, as people read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.catalogue import FriendWant, Want, WantState
from fedbot.rules.model.effects import Phrase, say
from tests.scenarios.scenes import ALPHA, BETA, BY_BEA, ROOM, plain

DAY = date(2026, 12, 31)
WANT = Want("w6v5abcdefghjkmnpqrs", "w6v5", BY_BEA, ROOM, "M3-BOLT", Decimal(200), Decimal(200), DAY)
THEIRS = FriendWant("f" * 20, "beta", WANT.id, "c" * 20, "M3-BOLT", Decimal(200), DAY)


def page(*friends: str, **changes: object) -> Phrase:
    want = replace(WANT, **changes)  # type: ignore[arg-type]  # any of its fields
    return say(messages.want.want_page, want=want, us=BETA, friends=friends)


SAID: dict[str, tuple[Phrase, str]] = {
    "wanted": (
        page("Attraktor", "Gammaspace", lacking=Decimal(50)),
        """
        Wanted: 200 × M3-BOLT, until Thu 31 Dec 2026. w6v5
        50 still lacking.
        The bots of Attraktor and Gammaspace tell their people as soon as they share some.
        To stop: !fed cancel w6v5
        """,
    ),
    "wanted, and nobody hears": (
        page(),
        """
        Wanted: 200 × M3-BOLT, until Thu 31 Dec 2026. w6v5
        We have no friends in this room yet. Who becomes one hears of it.
        To stop: !fed cancel w6v5
        """,
    ),
    "found": (page(state=WantState.FOUND), "✅ Found: 200 × M3-BOLT. w6v5"),
    "over": (page(state=WantState.OVER), "Not wanted any more: 200 × M3-BOLT. The day is over. w6v5"),
    "we have it": (
        say(messages.want.we_have_what_they_want, wanted=THEIRS, us=ALPHA, peer_name="Betaspace", free=Decimal(150)),
        """
        Betaspace wants 200 × M3-BOLT; attraktor shares some.
        Free: 150. Wanted until Thu 31 Dec 2026.
        An approver can offer it. Reply: offer 150
        """,
    ),
    "the list": (
        say(messages.want.want_list, us=ALPHA, wants=(WANT,), friends=(("Betaspace", THEIRS),)),
        """
        attraktor wants:
        • w6v5 – 200 × M3-BOLT, until Thu 31 Dec 2026
        Friends want:
        • Betaspace: 200 × M3-BOLT, until Thu 31 Dec 2026
        """,
    ),
    "an empty list": (
        say(messages.want.want_list, us=ALPHA, wants=(), friends=()),
        "Nobody wants anything. To say so: !fed want 200 M3-BOLT",
    ),
    "no name": (
        say(messages.want.want_by_name, word="#42"),
        """
        Not noted: "#42" is no IPN or part name.
        For example: !fed want 200 M3-BOLT until 31.12.
        """,
    ),
    "several": (
        say(messages.want.one_want_a_line),
        """
        Not noted: those are several items. Write a line for each.
        For example: !fed want 200 M3-BOLT until 31.12.
        """,
    ),
    "too many": (
        say(messages.want.too_many_wants, count=20),
        """
        Not noted: 20 wants are open already.
        Stop one that nobody needs any more: !fed cancel ID
        """,
    ),
    "too long": (say(messages.want.too_long_a_want, days=180), "Not noted: nobody keeps it for longer than 180 days."),
    "stopped": (
        say(messages.want.want_stopped, want=WANT),
        "Noted: 200 × M3-BOLT isn't wanted any more. The friends forget it. w6v5",
    ),
}


@pytest.mark.parametrize(("phrase", "words"), SAID.values(), ids=SAID)
def test_as_people_read_it(phrase: Phrase, words: str) -> None:
    assert plain(phrase) == dedent(words).strip()
