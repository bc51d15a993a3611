"""The card of a transfer in each of its states."""

from __future__ import annotations

import sys
import textwrap
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.decision import Choice, Vote
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.stock import (
    FileTold,
    ItemDetails,
    Parameter,
    PartDescription,
    PartDetails,
    TestResult,
    Trait,
)
from fedbot.rules.model.transfer import Line, Progress, Transfer
from tests.messages import (
    test_booking_words,
    test_lending_rule_words,
    test_lending_words,
    test_outside_words,
    test_parcel_words,
    test_settling_words,
)
from tests.scenarios.scenes import (
    ALPHA,
    ANNA,
    ASKED_AT,
    BETA,
    BOLTS,
    BY_ANNA,
    BY_BEA,
    BY_PIET,
    CABLE,
    LOCALES,
    PEOPLE,
    SAYS_NO,
    plain,
    request,
    transfer,
)


def card(transfer: Transfer, people: list[str] | None = None) -> Phrase:
    us, peer = (BETA, "attraktor") if transfer.role == "receiver" else (ALPHA, "betaspace")
    return say(messages.transfer_card.transfer_card, transfer=transfer, us=us, peer_name=peer, people=people or [])


IN_THE_LASER_ROOM = (
    Progress(1, stage="created", item=1207, part=7, part_name="Our thing", match="ipn", place="Laser room"),
)
HANDED = (Progress(1, stage="arrived", item=42),)
NOTE = "for your Saturday workshop, clean with isopropanol only"

WHOLE = replace(
    BOLTS,
    details=ItemDetails(
        notes="Keep dry",
        link="https://bolts.example/1",
        tags=("a", "b", "c", "d"),
        supplier_part="B-1",
        tests=(TestResult("Pull", passed=True), TestResult("Bend", passed=True)),
        inside=("Fan #7",),
        files=(FileTold("how.pdf", 900), FileTold("big.pdf", 9_000_000)),
    ),
    stays=(Trait.PRICE, Trait.FILES),
    description=replace(
        BOLTS.description,
        details=PartDetails(parameters=(Parameter("Length", "10 mm"),), picture="bolt.png"),
        stays=(Trait.PICTURE, Trait.PART_FILES),
    ),
)
DEAR = replace(transfer(role="sender"), care=True)
FIRST = Vote(Choice.APPROVE, ANNA, "anna", "$asked", ASKED_AT)
SAID: dict[str, Phrase] = {
    "it takes two people": card(replace(transfer(), care=True), PEOPLE),
    "our own offer takes a second person": card(replace(DEAR, first_yes=FIRST), ["Piet"]),
    "the second person agreed to our own offer": card(replace(DEAR, first_yes=FIRST, released=BY_PIET)),
    "an open card": card(transfer(note=NOTE), PEOPLE),
    "an open card for one approver, a part by the same name": card(
        transfer(BOLTS, progress=(Progress(1, part=3, part_name="Our bolt", match="name", place="Shelf 1"),)),
        ["Bea"],
    ),
    "more than three approvers, nobody named": card(transfer(), ["Bea", "Cem", "Dilek", "Ed"]),
    "all of a stock item, and nobody who may decide is known": card(transfer(replace(BOLTS, whole=True))),
    "a new part is proposed": card(
        transfer(WHOLE, progress=(Progress(1, match="new", create_part=True, place="Incoming", largest_file=1_000),)),
        PEOPLE,
    ),
    "what came along is not in InvenTree": say(
        messages.card_lines.not_furnished, transfer=transfer(WHOLE), line=1, problem=SAYS_NO
    ),
    "a file that came along is not in InvenTree": say(
        messages.card_lines.file_not_here, transfer=transfer(WHOLE), line=1, name="how.pdf", problem=SAYS_NO
    ),
    "several lines": card(
        transfer(
            BOLTS,
            CABLE,
            progress=(
                Progress(1, part=3, part_name="Our bolt", match="alias", place="Shelf 1"),
                Progress(2, match="new", create_part=True, place="Shelf 2"),
            ),
        ),
        PEOPLE,
    ),
    "no part, and none may be made": card(transfer(BOLTS, progress=(Progress(1, match="none"),)), PEOPLE),
    "one of several lines has no part": card(
        transfer(
            BOLTS,
            replace(CABLE, status=10, status_text="OK"),
            progress=(
                Progress(1, part=3, part_name="Our bolt", match="ipn", place="Shelf 1"),
                Progress(2, match="several"),
            ),
        ),
        PEOPLE,
    ),
    "the serial number is there already": card(transfer(progress=(Progress(1, match="serial-taken"),)), PEOPLE),
    "it was here before": card(
        transfer(progress=(Progress(1, item=1207, part=8, part_name="Our lens", match="ipn"),)), PEOPLE
    ),
    "approved, waiting for the sender": card(transfer(wanted="approve", decided=BY_BEA)),
    "declined, waiting for the sender": card(transfer(wanted="decline", decided=BY_BEA)),
    "to be cancelled, waiting for the sender": card(transfer(wanted="cancel", decided=BY_BEA)),
    "being booked in": card(transfer(state=TransferState.CREDITING, decided=BY_BEA)),
    "being taken out, told by the sender": card(
        transfer(BOLTS, role="sender", state=TransferState.DEBITING, decided=BY_BEA)
    ),
    "waiting on its way": card(
        replace(transfer(state=TransferState.CREDITING, decided=BY_BEA), waiting_since=ASKED_AT)
    ),
    "done": card(transfer(state=TransferState.RECEIVED, decided=BY_BEA, progress=IN_THE_LASER_ROOM)),
    "done in part": card(
        transfer(
            BOLTS,
            CABLE,
            state=TransferState.RECEIVED,
            decided=BY_BEA,
            progress=(
                Progress(1, stage="created", item=8, part=3, place="Shelf 1"),
                Progress(2, failed="not-permitted"),
            ),
        )
    ),
    "one line never left": card(
        transfer(
            BOLTS,
            CABLE,
            state=TransferState.DONE,
            decided=BY_BEA,
            progress=(
                Progress(1, stage="placed", item=8, part=3, place="Shelf 1"),
                Progress(2, failed="not-sent"),
            ),
        )
    ),
    "declined": card(transfer(state=TransferState.DECLINED, decided=BY_BEA)),
    "cancelled": card(transfer(state=TransferState.CANCELLED, decided=BY_ANNA)),
    "expired": card(transfer(state=TransferState.EXPIRED)),
    "a request": card(request(BOLTS, role="sender"), ["Anna", "Piet"]),
    "a request for one piece": card(request(role="sender"), ["Piet"]),
    "a request for several things": card(request(BOLTS, CABLE, role="sender"), ["Piet"]),
    "a request for one part that lies in two places": card(
        request(BOLTS, replace(BOLTS, number=2, quantity=Decimal(20), place="Box 7"), role="sender"), ["Piet"]
    ),
    "a request, less granted, at the owner": card(replace(request(BOLTS, role="sender"), granted=BY_PIET)),
    "a request, less granted, at the asker": card(replace(request(BOLTS), granted=BY_PIET), ["Bea", "Cem"]),
    "a request, less granted, agreed": card(replace(request(BOLTS, wanted="approve", decided=BY_BEA), granted=BY_PIET)),
    "a request that is done": card(request(role="sender", state=TransferState.DONE, decided=BY_PIET, progress=HANDED)),
    "a request, declined by a person": card(request(role="sender", state=TransferState.DECLINED, decided=BY_PIET)),
    "a request, declined as it isn't there": card(
        request(role="sender", state=TransferState.DECLINED, problem="not-found")
    ),
    "a request for several things, declined because of one": card(
        replace(request(BOLTS, CABLE, role="sender"), state=TransferState.DECLINED, problem="too-little", because_of=1)
    ),
    "a request, declined as there is too little": card(
        request(role="sender", state=TransferState.DECLINED, problem="too-little")
    ),
    "cancelled, as the friendship ended": card(
        request(role="sender", state=TransferState.CANCELLED, decided=BY_PIET, problem="disconnected")
    ),
    "aborted: right-lost": card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="right-lost")),
    "aborted: connection": card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="connection")),
    "aborted: gone": card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="gone")),
    "aborted: changed": card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="changed")),
    "aborted: not-in-stock": card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="not-in-stock")),
    "aborted: status": card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="status")),
    "aborted: allocated": card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="allocated")),
    "aborted: too-much": card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="too-much")),
    "aborted: inactive": card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="inactive")),
    "aborted: not-salable": card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="not-salable")),
    "aborted: virtual": card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="virtual")),
    "aborted: serial": card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="serial")),
    "aborted: not-permitted": card(
        transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="not-permitted")
    ),
    "aborted: something new": card(
        transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="something new")
    ),
    "refused, going back": card(transfer(state=TransferState.REFUSED, decided=BY_BEA, problem="Serial number exists")),
    "back again": card(transfer(state=TransferState.REVERTED, decided=BY_BEA, problem="Serial number exists")),
    "nobody can tell": card(transfer(state=TransferState.DISPUTED, decided=BY_BEA)),
}


CARDS = {
    f"{module.__name__.rpartition('.')[2]}: {name}": phrase
    for module in (
        sys.modules[__name__],
        test_booking_words,
        test_lending_rule_words,
        test_lending_words,
        test_outside_words,
        test_parcel_words,
        test_settling_words,
    )
    for name, phrase in module.SAID.items()
    if phrase.sentence is messages.transfer_card.transfer_card
}
NAMES = ("M3 bolt", "Laser lens 2.0″ ZnSe", "Resistor 10 kΩ", "PLA filament black", "Raspberry Pi 4")
PLACES = ("Workshop/Drawer A3", "Laser room/Cabinet L1", "Store/Rack 4", "Box 7", "Electronics bench")


def on_a_phone(text: str) -> int:
    """The number of lines of a phone that shows 45 characters in each."""
    return sum(max(1, len(textwrap.wrap(line, 45))) for line in text.split("\n"))


def _several(number: int, places: tuple[str, ...] = PLACES[:1], **changes: Any) -> Transfer:  # noqa: ANN401
    lines = [
        Line(
            number=n,
            item=n,
            part=n,
            description=PartDescription(NAMES[n % 5], f"IPN-{n}"),
            quantity=Decimal(n),
            place=places[n % len(places)],
            **changes,
        )
        for n in range(1, number + 1)
    ]
    known = tuple(
        Progress(line.number, part=7, part_name=line.description.name, match="ipn", place="Store/Shelf 2")
        for line in lines
    )
    return transfer(*lines, progress=known)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", CARDS)
def test_a_card_has_at_most_ten_lines_and_fits_on_a_phone(case: str, language: str) -> None:
    text = plain(CARDS[case], LOCALES[language])
    assert sum(1 for line in text.split("\n") if line) <= 10, text
    assert on_a_phone(text) <= 22, "the longest says what lacks, and how to fix it"


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(("number", "most"), [(1, 10), (2, 13), (5, 16), (20, 31)])
def test_a_card_of_several_items_has_a_line_for_each(number: int, most: int, language: str) -> None:
    text = plain(card(_several(number), PEOPLE), LOCALES[language])
    assert on_a_phone(text) <= most, text


def test_a_place_that_is_not_the_common_one_stands_with_its_item() -> None:
    lines = plain(card(_several(3, ("Box 7", "Box 7", "Workshop/Drawer A3")), PEOPLE)).split("\n")
    assert lines[3:7] == [
        "• 1 × Laser lens 2.0″ ZnSe (IPN-1)",
        "• 2 × Resistor 10 kΩ (IPN-2) · from Workshop/Drawer A3",
        "• 3 × PLA filament black (IPN-3)",
        "Otherwise from Box 7 into Store/Shelf 2",
    ]


def test_an_item_that_could_surprise_says_so_on_its_line_and_show_has_the_rest() -> None:
    first, second = _several(2).terms.lines
    odd = replace(
        second,
        serial="7",
        batch="B1",
        status=55,
        status_text="Damaged",
        expiry=date(2026, 12, 5),
        packaging="reel",
        description=replace(second.description, revision="C", units="m"),
        details=ItemDetails(notes="Keep dry"),
    )
    lands = (
        Progress(1, match="new", create_part=True, category="Bolts", place="Store/Shelf 2"),
        replace(
            Progress(2, part=7, part_name="Our ohms", match="alias", place="Store/Shelf 2"),
            factor="100",
            units="cm",
            revision="D",
        ),
    )
    offered = transfer(first, odd, progress=lands)
    text = plain(card(offered, PEOPLE))
    told = text.split("\n")
    assert told[3] == (
        "• 1 × Laser lens 2.0″ ZnSe (IPN-1) · as a new part in Bolts, counted in pieces, created if you approve"
    )
    assert told[4] == (
        "• 2 m of Resistor 10 kΩ (IPN-2, serial 7, batch B1, ⚠ Damaged, revision C, use by Sat 5 Dec 2026)"
        ' · as your part "Our ohms" · 2 m = 200 cm · ⚠ theirs is revision C, yours is revision D'
    )
    assert "Travels with it: notes." in told
    assert ("Keep dry" in text, "reel" in text) == (False, False)
    shown = plain(say(messages.overview.shown, subject=offered, us=BETA, peer_name="attraktor", entries=(), names={}))
    assert 'Travels with it: notes "Keep dry".' in shown
    assert "packaging reel" in shown


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
