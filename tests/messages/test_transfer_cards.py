"""The card of a transfer in each of its states."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.decision import Choice, Vote
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.stock import FileTold, ItemDetails, Parameter, PartDetails, TestResult, Trait
from fedbot.rules.model.transfer import Progress, Transfer
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
        messages.transfer_facts.not_furnished, transfer=transfer(WHOLE), line=1, problem=SAYS_NO
    ),
    "a file that came along is not in InvenTree": say(
        messages.transfer_facts.file_not_here, transfer=transfer(WHOLE), line=1, name="how.pdf", problem=SAYS_NO
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


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
