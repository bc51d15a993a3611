"""Sentences about waiting lists and turns."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lending import PlaceInLine, QueueEntry, Reserved
from fedbot.rules.model.lifecycles import PlaceState
from tests.scenarios.scenes import ALPHA, BETA, BY_BEA, BY_PIET, LOCALES, NOW, ROOM, plain

UNTIL = datetime(2026, 12, 2, 23, tzinfo=UTC)
PLACE = PlaceInLine("w8v5abcdefghjkmnpqrs", "w8v5", BY_BEA, ROOM, "c" * 20, "attraktor", "LENS-2", Decimal(1))
THEIRS = QueueEntry("q3k7" * 5, "q3k7", "beta", "c" * 20, ROOM, "LENS-2", Decimal(1), 1, NOW, part=7, name="Laser lens")
OURS = replace(THEIRS, id="m4x2" * 5, code="m4x2", party="attraktor", connection="", number=2, by=BY_PIET)
KEPT = replace(OURS, kept=42, kept_until=UNTIL)
WAITS = Reserved("q3k7", "beta", date(2026, 11, 24), date(2026, 11, 24), waits=True, name="betaspace", what="lens")
OWN_WAITS = replace(WAITS, peer="attraktor", name="attraktor", person="Piet")


def page(state: PlaceState, **changes: Any) -> Phrase:  # noqa: ANN401 - any of its fields
    place = replace(PLACE, state=state, **changes)
    return say(messages.waiting_list.place_page, place=place, us=BETA, peer_name="Attraktor")


def own(entry: QueueEntry) -> Phrase:
    return say(messages.waiting_list.in_our_queue, entry=entry, us=ALPHA, place=2)


SAID: dict[str, Phrase] = {
    "asked": page(PlaceState.ASKED),
    "waiting": page(PlaceState.WAITING, place=2),
    "our turn": page(PlaceState.TURN, place=1, item=42, until=UNTIL),
    "it is free": page(PlaceState.FREE),
    "served": page(PlaceState.SERVED),
    "lapsed": page(PlaceState.LAPSED),
    "unknown": page(PlaceState.UNKNOWN),
    "we have it": page(PlaceState.YOURS),
    "it is ours": page(PlaceState.OURS),
    "it is offered to us": page(PlaceState.OFFERED),
    "unclear": page(PlaceState.UNCLEAR),
    "in another unit": page(PlaceState.UNIT, unit="kg"),
    "twice": page(PlaceState.TWICE),
    "too much": page(PlaceState.FULL),
    "removed": page(PlaceState.REMOVED),
    "left": page(PlaceState.LEFT),
    "parted": page(PlaceState.PARTED),
    "one of us waits": own(OURS),
    "kept for one of us": own(KEPT),
    "one of us is next": say(messages.waiting_list.your_turn_here, entry=KEPT, us=ALPHA),
    "one of us didn't come": say(messages.waiting_list.out_of_our_queue, entry=OURS, us=ALPHA, why=PlaceState.LAPSED),
    "one of us was taken out": say(
        messages.waiting_list.out_of_our_queue, entry=OURS, us=ALPHA, why=PlaceState.REMOVED
    ),
    "nothing to wait for here": say(messages.waiting_list.not_in_line, word="LENS-2", why=PlaceState.FREE),
    "we have none": say(messages.waiting_list.not_in_line, word="LENS-9", why=PlaceState.UNKNOWN),
    "we have several by that name": say(messages.waiting_list.not_in_line, word="lens", why=PlaceState.UNCLEAR),
    "waits already": say(messages.waiting_list.not_in_line, word="LENS-2", why=PlaceState.TWICE),
    "out of the line": say(messages.waiting_list.waits_no_more, code="w8v5"),
    "the list": say(
        messages.waiting_list.queue_list,
        us=ALPHA,
        queue=(("Betaspace", 1, THEIRS), ("Piet", 2, KEPT)),
        places=(
            ("Gammaspace", replace(PLACE, state=PlaceState.WAITING, place=3)),
            ("Gammaspace", PLACE),
            ("Gammaspace", replace(PLACE, state=PlaceState.TURN, until=UNTIL)),
        ),
    ),
    "an empty list": say(messages.waiting_list.queue_list, us=ALPHA, queue=(), places=()),
    "too many": say(messages.waiting_list.too_many_places, count=20),
    "several": say(messages.waiting_list.one_thing_in_line),
    "others wait for it": say(
        messages.booking.would_break, what="Laser lens", bookings=(WAITS, OWN_WAITS), line="!fed extend k7m2 1 week"
    ),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
