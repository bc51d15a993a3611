"""Who waits for what, and whose turn it is, as people read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from textwrap import dedent
from typing import Any

import pytest

from fedbot import messages
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lending import PlaceInLine, PlaceState, QueueEntry, Reserved
from tests.scenarios.scenes import ALPHA, BETA, BY_BEA, BY_PIET, NOW, ROOM, plain

UNTIL = datetime(2026, 12, 2, 23, tzinfo=UTC)
PLACE = PlaceInLine("w8v5abcdefghjkmnpqrs", "w8v5", BY_BEA, ROOM, "c" * 20, "attraktor", "LENS-2", Decimal(1))
THEIRS = QueueEntry("q3k7" * 5, "q3k7", "beta", "c" * 20, ROOM, "LENS-2", Decimal(1), 1, NOW, part=7, name="Laser lens")
OURS = replace(THEIRS, id="m4x2" * 5, code="m4x2", party="attraktor", connection="", number=2, by=BY_PIET)
KEPT = replace(OURS, kept=42, kept_until=UNTIL)
WAITS = Reserved("q3k7", "beta", date(2026, 11, 24), date(2026, 11, 24), waits=True, name="betaspace", what="lens")


def page(state: PlaceState, **changes: Any) -> Phrase:  # noqa: ANN401 - any of its fields
    place = replace(PLACE, state=state, **changes)
    return say(messages.queue.place_page, place=place, us=BETA, peer_name="Attraktor")


def own(entry: QueueEntry) -> Phrase:
    return say(messages.queue.in_our_queue, entry=entry, us=ALPHA, place=2)


SAID: dict[str, tuple[Phrase, str]] = {
    "asked": (
        page(PlaceState.ASKED),
        """
        Attraktor is asked to put us in line for 1 × LENS-2. w8v5
        To stop waiting: !fed cancel w8v5
        """,
    ),
    "waiting": (
        page(PlaceState.WAITING, place=2),
        """
        ⏳ We are waiting for 1 × LENS-2 from Attraktor: place 2. w8v5
        To stop waiting: !fed cancel w8v5
        """,
    ),
    "our turn": (
        page(PlaceState.TURN, place=1, item=42, until=UNTIL),
        """
        🔔 1 × LENS-2 of Attraktor is there. It is kept for us until Wed 2 Dec, 23:59. w8v5
        To ask for it, reply here: borrow for 2 weeks
        Attraktor's people decide then, as ever.
        To stop waiting: !fed cancel w8v5
        """,
    ),
    "it is free": (
        page(PlaceState.FREE),
        """
        1 × LENS-2: Attraktor has it free. There is nothing to wait for. w8v5
        Ask for it: !fed request 1 LENS-2 from attraktor
        """,
    ),
    "served": (page(PlaceState.SERVED), "✅ 1 × LENS-2: Attraktor has said yes, so we no longer wait for it. w8v5"),
    "lapsed": (
        page(PlaceState.LAPSED),
        "1 × LENS-2: none of us asked Attraktor for it in time. It goes to the next in line. w8v5",
    ),
    "unknown": (page(PlaceState.UNKNOWN), "1 × LENS-2: Attraktor shares nothing by that name. w8v5"),
    "unclear": (page(PlaceState.UNCLEAR), "1 × LENS-2: Attraktor has several parts by that name. w8v5"),
    "twice": (page(PlaceState.TWICE), "1 × LENS-2: our space is in Attraktor's line for it already. w8v5"),
    "too much": (page(PlaceState.FULL), "1 × LENS-2: we wait for too much of Attraktor already. w8v5"),
    "removed": (
        page(PlaceState.REMOVED),
        "1 × LENS-2: Attraktor's people have taken us out of the line. w8v5",
    ),
    "left": (page(PlaceState.LEFT), "We no longer wait for 1 × LENS-2 from Attraktor. w8v5"),
    "parted": (
        page(PlaceState.PARTED),
        "We no longer wait for 1 × LENS-2: the friendship with Attraktor is over. w8v5",
    ),
    "one of us waits": (
        own(OURS),
        """
        ⏳ Piet is waiting for 1 × Laser lens: place 2. m4x2
        To stop waiting: !fed cancel m4x2
        """,
    ),
    "kept for one of us": (
        own(KEPT),
        """
        🔔 1 × Laser lens is there, and kept for Piet until Wed 2 Dec, 23:59. m4x2
        To stop waiting: !fed cancel m4x2
        """,
    ),
    "one of us is next": (
        say(messages.queue.your_turn_here, entry=KEPT, us=ALPHA),
        """
        🔔 1 × Laser lens is there, and kept for Piet until Wed 2 Dec, 23:59. m4x2
        Take it, and book it out in InvenTree. Then say: !fed cancel m4x2
        """,
    ),
    "one of us didn't come": (
        say(messages.queue.out_of_our_queue, entry=OURS, us=ALPHA, why=PlaceState.LAPSED),
        "1 × Laser lens was kept for Piet until now. It goes to the next in line. m4x2",
    ),
    "one of us was taken out": (
        say(messages.queue.out_of_our_queue, entry=OURS, us=ALPHA, why=PlaceState.REMOVED),
        "Piet was taken out of the line for 1 × Laser lens. m4x2",
    ),
    "nothing to wait for here": (
        say(messages.queue.not_in_line, word="LENS-2", why=PlaceState.FREE),
        "LENS-2 is there: take it, and book it out in InvenTree. There is nothing to wait for.",
    ),
    "we have none": (
        say(messages.queue.not_in_line, word="LENS-9", why=PlaceState.UNKNOWN),
        "Not noted: we have nothing called LENS-9.",
    ),
    "we have several by that name": (
        say(messages.queue.not_in_line, word="lens", why=PlaceState.UNCLEAR),
        "Not noted: several parts are called lens. Name it by its IPN.",
    ),
    "waits already": (
        say(messages.queue.not_in_line, word="LENS-2", why=PlaceState.TWICE),
        "Not noted: you wait for LENS-2 already.",
    ),
    "out of the line": (say(messages.queue.waits_no_more, code="w8v5"), "Noted: out of the line. w8v5"),
    "the list": (
        say(
            messages.queue.queue_list,
            us=ALPHA,
            queue=(("Betaspace", 1, THEIRS), ("Piet", 2, KEPT)),
            places=(
                ("Gammaspace", replace(PLACE, state=PlaceState.WAITING, place=3)),
                ("Gammaspace", PLACE),
                ("Gammaspace", replace(PLACE, state=PlaceState.TURN, until=UNTIL)),
            ),
        ),
        """
        In line for something of attraktor:
        • q3k7 – 1 × Laser lens: Betaspace, place 1
        • m4x2 – 1 × Laser lens: kept for Piet until Wed 2 Dec, 23:59
        attraktor waits for:
        • w8v5 – 1 × LENS-2 of Gammaspace: place 3
        • w8v5 – 1 × LENS-2 of Gammaspace: not answered yet
        • w8v5 – 1 × LENS-2 of Gammaspace: kept for us until Wed 2 Dec, 23:59
        """,
    ),
    "an empty list": (
        say(messages.queue.queue_list, us=ALPHA, queue=(), places=()),
        "Nobody waits for anything. To do so: !fed wait LENS-2 from SPACE",
    ),
    "too many": (
        say(messages.queue.too_many_places, count=20),
        "Not noted: you wait for 20 things already.",
    ),
    "several": (
        say(messages.queue.one_thing_in_line),
        """
        Not noted: those are several items. Write a line for each.
        For example: !fed wait LENS-2 from SPACE
        """,
    ),
    "others wait for it": (
        say(messages.booking.would_break, what="Laser lens", bookings=(WAITS, WAITS), line="!fed extend k7m2 1 week"),
        """
        ⚠ Not done yet: others wait for Laser lens.
        ⏳ In line for it, 2: 1. betaspace (since Tue 24 Nov), 2. betaspace (since Tue 24 Nov).
        If you mean it, say: !fed extend k7m2 1 week
        """,
    ),
}


@pytest.mark.parametrize(("phrase", "words"), SAID.values(), ids=SAID)
def test_as_people_read_it(phrase: Phrase, words: str) -> None:
    assert plain(phrase) == dedent(words).strip()
