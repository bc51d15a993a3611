"""The card of a transfer in each of its states, as people read it."""
# ruff: noqa: E501 -- messages, as they are

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.decision import Choice, Vote
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.transfer import Progress, Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState
from fedbot.rules.model.whole_item import FileTold, ItemDetails, Parameter, PartDetails, TestResult, Trait
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
SAID: dict[str, tuple[Phrase, str]] = {
    "it takes two people": (
        card(replace(transfer(), care=True), PEOPLE),
        """
        attraktor offers betaspace 1 × Laser lens 2.0″ (LENS-2, serial 0042), to keep. Take it?
        ⚠ High value: two approvers of betaspace have to agree.
        In an encrypted room one is enough who types: !fed approve k7m2
        For Bea, Cem or Dilek (approvers of betaspace), until Tue 1 Dec, 20:14.
        Asked by Anna (attraktor)

        Item: Laser lens 2.0″, LENS-2, serial 0042, status OK
        Comes from: attraktor, Cabinet L1
        Lands in: betaspace, Laser room, as your part "Our thing" (same IPN)

        ✅ yes, book it in · ❌ no, thanks · 📦 yes, but it isn't here yet
        Nothing has moved yet. · k7m2
        """,
    ),
    "our own offer takes a second person": (
        card(replace(DEAR, first_yes=FIRST), ["Piet"]),
        """
        attraktor wants to give betaspace 1 × Laser lens 2.0″ (LENS-2, serial 0042), to keep. May it go?
        ⚠ High value: @anna:attraktor.example said yes, Tue 24 Nov, 20:14. Another approver of attraktor has to agree.
        For Piet (approver of attraktor), until Tue 1 Dec, 20:14.
        Asked by Anna (attraktor)

        Item: Laser lens 2.0″, LENS-2, serial 0042, status OK
        Comes from: attraktor, Cabinet L1
        Goes to: betaspace

        ✅ yes, it may go · ❌ no, it stays
        Nothing has moved yet. · k7m2
        """,
    ),
    "the second person agreed to our own offer": (
        card(replace(DEAR, first_yes=FIRST, released=BY_PIET)),
        """
        attraktor offers betaspace 1 × Laser lens 2.0″ (LENS-2, serial 0042), to keep.
        Two people of attraktor agreed: @anna:attraktor.example and Piet.
        Asked by Anna (attraktor)

        Nothing has moved yet. An approver of betaspace decides.
        To stop it: !fed cancel k7m2
        """,
    ),
    "an open card": (
        card(transfer(note=NOTE), PEOPLE),
        """
        attraktor offers betaspace 1 × Laser lens 2.0″ (LENS-2, serial 0042), to keep. Take it?
        For Bea, Cem or Dilek (approvers of betaspace), until Tue 1 Dec, 20:14.
        Asked by Anna (attraktor): "for your Saturday workshop, clean with isopropanol only"

        Item: Laser lens 2.0″, LENS-2, serial 0042, status OK
        Comes from: attraktor, Cabinet L1
        Lands in: betaspace, Laser room, as your part "Our thing" (same IPN)

        ✅ yes, book it in · ❌ no, thanks · 📦 yes, but it isn't here yet
        Nothing has moved yet. · k7m2
        """,
    ),
    "an open card for one approver, a part by the same name": (
        card(
            transfer(BOLTS, progress=(Progress(1, part=3, part_name="Our bolt", match="name", place="Shelf 1"),)),
            ["Bea"],
        ),
        """
        attraktor offers betaspace 10 × M3 bolt (M3-BOLT), to keep. Take it?
        For Bea (approver of betaspace), until Tue 1 Dec, 20:14.
        Asked by Anna (attraktor)

        Item: M3 bolt, M3-BOLT, status OK
        Comes from: attraktor, Workshop/Drawer A3
        Lands in: betaspace, Shelf 1, as your part "Our bolt" (same name)

        ✅ yes, book it in · ❌ no, thanks · 📦 yes, but it isn't here yet
        Nothing has moved yet. · k7m2
        """,
    ),
    "more than three approvers, nobody named": (
        card(transfer(), ["Bea", "Cem", "Dilek", "Ed"]),
        """
        attraktor offers betaspace 1 × Laser lens 2.0″ (LENS-2, serial 0042), to keep. Take it?
        For Bea, Cem, Dilek or others (approvers of betaspace), until Tue 1 Dec, 20:14.
        Asked by Anna (attraktor)

        Item: Laser lens 2.0″, LENS-2, serial 0042, status OK
        Comes from: attraktor, Cabinet L1
        Lands in: betaspace, Laser room, as your part "Our thing" (same IPN)

        ✅ yes, book it in · ❌ no, thanks · 📦 yes, but it isn't here yet
        Nothing has moved yet. · k7m2
        """,
    ),
    "all of a stock item, and nobody who may decide is known": (
        card(transfer(replace(BOLTS, whole=True))),
        """
        attraktor offers betaspace 10 × M3 bolt (M3-BOLT), to keep. Take it?
        For the approvers of betaspace, until Tue 1 Dec, 20:14.
        Asked by Anna (attraktor)

        Item: M3 bolt, M3-BOLT, status OK
        That is all that lies there.
        Comes from: attraktor, Workshop/Drawer A3
        Lands in: betaspace, Laser room, as your part "Our thing" (same IPN)

        ✅ yes, book it in · ❌ no, thanks · 📦 yes, but it isn't here yet
        Nothing has moved yet. · k7m2
        """,
    ),
    "a new part is proposed": (
        card(
            transfer(
                WHOLE, progress=(Progress(1, match="new", create_part=True, place="Incoming", largest_file=1_000),)
            ),
            PEOPLE,
        ),
        """
        attraktor offers betaspace 10 × M3 bolt (M3-BOLT), to keep. Take it?
        For Bea, Cem or Dilek (approvers of betaspace), until Tue 1 Dec, 20:14.
        Asked by Anna (attraktor)

        Item: M3 bolt, M3-BOLT, status OK
        Comes from: attraktor, Workshop/Drawer A3
        Lands in: betaspace, Incoming, as a new part "M3 bolt", counted in pieces, made on your yes
        With it: notes "Keep dry", link to bolts.example, tags a, b, c, …, supplier part B-1, 2 tests, files how.pdf, parameters, picture. · Inside it: Fan #7. It goes along, but the other InvenTree gets only a note of it. · Does not travel: price, files, picture, files of the part.

        ✅ yes, book it in · ❌ no, thanks · 📦 yes, but it isn't here yet
        Nothing has moved yet. · k7m2
        """,
    ),
    "what came along is not in InvenTree": (
        say(messages.whole_item.not_furnished, transfer=transfer(WHOLE), line=1, problem=SAYS_NO),
        """
        Some of what came with 10 × M3 bolt is not in InvenTree. k7m2
        Why: InvenTree said: You do not have permission.
        The card says what came with it; please add it by hand.
        """,
    ),
    "a file that came along is not in InvenTree": (
        say(messages.whole_item.file_not_here, transfer=transfer(WHOLE), line=1, name="how.pdf", problem=SAYS_NO),
        """
        The file how.pdf, which belongs to 10 × M3 bolt, is not in InvenTree. k7m2
        Why: InvenTree said: You do not have permission.
        Ask them for it, and attach it by hand.
        """,
    ),
    "several lines": (
        card(
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
        """
        attraktor offers betaspace 10 × M3 bolt and 1.5 m of Speaker cable (⚠ Attention needed), to keep. Take them?
        For Bea, Cem or Dilek (approvers of betaspace), until Tue 1 Dec, 20:14.
        Asked by Anna (attraktor)

        • 10: M3 bolt, M3-BOLT, status OK
        from attraktor, Workshop/Drawer A3 · to betaspace, Shelf 1, as your part "Our bolt" (recorded as the same)
        • 1.5 m: Speaker cable, batch 2025-11, ⚠ status Attention needed
        from attraktor, Wood rack · to betaspace, Shelf 2, as a new part "Speaker cable", counted in m, made on your yes

        ✅ yes, book it in · ❌ no, thanks · 📦 yes, but it isn't here yet
        Nothing has moved yet. · k7m2
        """,
    ),
    "no part, and none may be made": (
        card(transfer(BOLTS, progress=(Progress(1, match="none"),)), PEOPLE),
        """
        attraktor offers betaspace 10 × M3 bolt (M3-BOLT), to keep. It can't be taken yet.
        For Bea, Cem or Dilek (approvers of betaspace), until Tue 1 Dec, 20:14.
        Asked by Anna (attraktor)

        Item: M3 bolt, M3-BOLT, status OK
        Comes from: attraktor, Workshop/Drawer A3
        No place yet: no part of betaspace fits, and I may not make one.
        In InvenTree: make a part with the same IPN or exactly this name.

        If one of your parts is it under another name: !fed match OUR-IPN M3-BOLT from attraktor
        Fixed in InvenTree? Tap ✅: I look again, and the card changes. · ❌ no, thanks
        Nothing has moved yet. · k7m2
        """,
    ),
    "one of several lines has no part": (
        card(
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
        """
        attraktor offers betaspace 10 × M3 bolt and 1.5 m of Speaker cable, to keep. It can't be taken yet.
        For Bea, Cem or Dilek (approvers of betaspace), until Tue 1 Dec, 20:14.
        Asked by Anna (attraktor)

        • 10: M3 bolt, M3-BOLT, status OK
        from attraktor, Workshop/Drawer A3 · to betaspace, Shelf 1, as your part "Our bolt" (same IPN)
        • 1.5 m: Speaker cable, batch 2025-11, status OK · from attraktor, Wood rack
        no place yet: several parts of betaspace fit; give the right one this IPN, or make the others inactive

        Fixed in InvenTree? Tap ✅: I look again, and the card changes. · ❌ no, thanks
        Nothing has moved yet. · k7m2
        """,
    ),
    "the serial number is there already": (
        card(transfer(progress=(Progress(1, match="serial-taken"),)), PEOPLE),
        """
        attraktor offers betaspace 1 × Laser lens 2.0″ (LENS-2, serial 0042), to keep. It can't be taken yet.
        For Bea, Cem or Dilek (approvers of betaspace), until Tue 1 Dec, 20:14.
        Asked by Anna (attraktor)

        Item: Laser lens 2.0″, LENS-2, serial 0042, status OK
        Comes from: attraktor, Cabinet L1
        No place yet: this serial number is in betaspace's stock already.
        In InvenTree: compare them: if it is another thing, give its record another number, such as 0042-1.

        Fixed in InvenTree? Tap ✅: I look again, and the card changes. · ❌ no, thanks
        Nothing has moved yet. · k7m2
        """,
    ),
    "it was here before": (
        card(transfer(progress=(Progress(1, item=1207, part=8, part_name="Our lens", match="ipn"),)), PEOPLE),
        """
        attraktor offers betaspace 1 × Laser lens 2.0″ (LENS-2, serial 0042), to keep. Take it?
        For Bea, Cem or Dilek (approvers of betaspace), until Tue 1 Dec, 20:14.
        Asked by Anna (attraktor)

        Item: Laser lens 2.0″, LENS-2, serial 0042, status OK
        Comes from: attraktor, Cabinet L1
        Lands in: betaspace, as your stock #1207 of the part "Our lens", which was here before

        ✅ yes, book it in · ❌ no, thanks · 📦 yes, but it isn't here yet
        Nothing has moved yet. · k7m2
        """,
    ),
    "approved, waiting for the sender": (
        card(transfer(wanted="approve", decided=BY_BEA)),
        """
        1 × Laser lens 2.0″ (LENS-2, serial 0042): approved by Bea, waiting for attraktor.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        Item: Laser lens 2.0″, LENS-2, serial 0042, status OK
        Comes from: attraktor, Cabinet L1
        Lands in: betaspace, Laser room, as your part "Our thing" (same IPN)

        Nothing is booked in yet. attraktor's bot checks its stock once more, then it goes by itself.
        To stop it: !fed cancel k7m2
        """,
    ),
    "declined, waiting for the sender": (
        card(transfer(wanted="decline", decided=BY_BEA)),
        """
        1 × Laser lens 2.0″ (LENS-2, serial 0042): declined by Bea, waiting for attraktor to note it.
        Asked by Anna (attraktor)

        Nothing has moved.
        k7m2
        """,
    ),
    "to be cancelled, waiting for the sender": (
        card(transfer(wanted="cancel", decided=BY_BEA)),
        """
        1 × Laser lens 2.0″ (LENS-2, serial 0042): betaspace wants to cancel, waiting for attraktor's word.
        Asked by Anna (attraktor)

        Nothing is booked in. If it has left attraktor already, it still arrives.
        k7m2
        """,
    ),
    "being booked in": (
        card(transfer(state=TransferState.CREDITING, decided=BY_BEA)),
        """
        1 × Laser lens 2.0″ (LENS-2, serial 0042) goes from attraktor to betaspace now.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        It has left attraktor's stock; betaspace books it in.
        Nothing to do.
        k7m2
        """,
    ),
    "being taken out, told by the sender": (
        card(transfer(BOLTS, role="sender", state=TransferState.DEBITING, decided=BY_BEA)),
        """
        10 × M3 bolt (M3-BOLT) goes from attraktor to betaspace now.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        attraktor takes it out of its stock; then betaspace books it in.
        Nothing to do.
        k7m2
        """,
    ),
    "waiting on its way": (
        card(replace(transfer(state=TransferState.CREDITING, decided=BY_BEA), waiting_since=ASKED_AT)),
        """
        1 × Laser lens 2.0″ (LENS-2, serial 0042) goes from attraktor to betaspace now.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        It has left attraktor's stock; betaspace books it in.
        ⏸ It waits for betaspace's InvenTree since 20:14; I try again by myself.
        k7m2
        """,
    ),
    "done": (
        card(transfer(state=TransferState.RECEIVED, decided=BY_BEA, progress=IN_THE_LASER_ROOM)),
        """
        ✅ Done: 1 × Laser lens 2.0″ (LENS-2, serial 0042) went from attraktor to betaspace, to keep.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        At betaspace: stock #1207, Laser room
        At attraktor: stock #42, with customer betaspace

        Reply here with: !fed show
        k7m2
        """,
    ),
    "done in part": (
        card(
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
        """
        ✅ Done in part: 10 × M3 bolt went from attraktor to betaspace, to keep.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        • 10 × M3 bolt
        At betaspace: stock #8, Shelf 1 · At attraktor: taken out of stock #12, with customer betaspace
        Not booked in: 1.5 m of Speaker cable: the bot's own InvenTree user may not do it. attraktor takes it back.

        Reply here with: !fed show
        k7m2
        """,
    ),
    "one line never left": (
        card(
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
        """
        ✅ Done in part: 10 × M3 bolt went from attraktor to betaspace, to keep.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        • 10 × M3 bolt
        At betaspace: stock #8, Shelf 1 · At attraktor: taken out of stock #12, with customer betaspace
        Not given: 1.5 m of Speaker cable stays at attraktor: it never left attraktor.

        Reply here with: !fed show
        k7m2
        """,
    ),
    "declined": (
        card(transfer(state=TransferState.DECLINED, decided=BY_BEA)),
        """
        ❌ Declined: 1 × Laser lens 2.0″ (LENS-2, serial 0042) stays at attraktor.
        By Bea (betaspace), Tue 24 Nov, 20:31
        Nothing has moved.
        k7m2
        """,
    ),
    "cancelled": (
        card(transfer(state=TransferState.CANCELLED, decided=BY_ANNA)),
        """
        Cancelled: 1 × Laser lens 2.0″ (LENS-2, serial 0042) stays at attraktor.
        By Anna (attraktor), Tue 24 Nov, 20:14
        Nothing has moved.
        k7m2
        """,
    ),
    "expired": (
        card(transfer(state=TransferState.EXPIRED)),
        """
        Expired: 1 × Laser lens 2.0″ (LENS-2, serial 0042) stays at attraktor.
        Nobody of betaspace decided until Tue 1 Dec, 20:14.
        Nothing has moved. Anna can start it again.
        k7m2
        """,
    ),
    "a request": (
        card(request(BOLTS, role="sender"), ["Anna", "Piet"]),
        """
        betaspace asks attraktor for 10 × M3 bolt (M3-BOLT), to keep. Give it?
        For Anna or Piet (approvers of attraktor), until Tue 1 Dec, 20:14.
        Asked by Bea (betaspace)

        Item: M3 bolt, M3-BOLT, status OK
        Comes from: attraktor, Workshop/Drawer A3
        Goes to: betaspace

        ✅ yes, it may go · ❌ no, sorry
        By parcel? Add 📦, or reply: !fed approve --parcel · Less will do? Reply for example: !fed approve 5
        Nothing has moved yet. · k7m2
        """,
    ),
    "a request for one piece": (
        card(request(role="sender"), ["Piet"]),
        """
        betaspace asks attraktor for 1 × Laser lens 2.0″ (LENS-2, serial 0042), to keep. Give it?
        For Piet (approver of attraktor), until Tue 1 Dec, 20:14.
        Asked by Bea (betaspace)

        Item: Laser lens 2.0″, LENS-2, serial 0042, status OK
        Comes from: attraktor, Cabinet L1
        Goes to: betaspace

        ✅ yes, it may go · ❌ no, sorry
        By parcel? Add 📦, or reply: !fed approve --parcel
        Nothing has moved yet. · k7m2
        """,
    ),
    "a request for several things": (
        card(request(BOLTS, CABLE, role="sender"), ["Piet"]),
        """
        betaspace asks attraktor for 10 × M3 bolt and 1.5 m of Speaker cable (⚠ Attention needed), to keep. Give them?
        For Piet (approver of attraktor), until Tue 1 Dec, 20:14.
        Asked by Bea (betaspace)

        • 10: M3 bolt, M3-BOLT, status OK
        from attraktor, Workshop/Drawer A3 · to betaspace
        • 1.5 m: Speaker cable, batch 2025-11, ⚠ status Attention needed
        from attraktor, Wood rack · to betaspace

        ✅ yes, it may go · ❌ no, sorry
        By parcel? Add 📦, or reply: !fed approve --parcel
        Nothing has moved yet. · k7m2
        """,
    ),
    "a request for one part that lies in two places": (
        card(request(BOLTS, replace(BOLTS, number=2, quantity=Decimal(20), place="Box 7"), role="sender"), ["Piet"]),
        """
        betaspace asks attraktor for 10 × M3 bolt and 20 × M3 bolt, to keep. Give them?
        For Piet (approver of attraktor), until Tue 1 Dec, 20:14.
        Asked by Bea (betaspace)

        • 10: M3 bolt, M3-BOLT, status OK
        from attraktor, Workshop/Drawer A3 · to betaspace
        • 20: M3 bolt, M3-BOLT, status OK
        from attraktor, Box 7 · to betaspace

        ✅ yes, it may go · ❌ no, sorry
        By parcel? Add 📦, or reply: !fed approve --parcel · Less will do? Reply for example: !fed approve 15
        Nothing has moved yet. · k7m2
        """,
    ),
    "a request, less granted, at the owner": (
        card(replace(request(BOLTS, role="sender"), granted=BY_PIET)),
        """
        10 × M3 bolt (M3-BOLT): granted by Piet, less than betaspace asked for; it has to agree.
        Asked by Bea (betaspace)

        Nothing has moved yet. Open until Tue 1 Dec, 20:14.
        To stop it: !fed cancel k7m2
        """,
    ),
    "a request, less granted, at the asker": (
        card(replace(request(BOLTS), granted=BY_PIET), ["Bea", "Cem"]),
        """
        attraktor can give betaspace less than asked: 10 × M3 bolt (M3-BOLT). Take it?
        Granted by Piet (attraktor)
        For Bea or Cem of betaspace, until Tue 1 Dec, 20:14.
        Asked by Bea (betaspace)

        Item: M3 bolt, M3-BOLT, status OK
        Comes from: attraktor, Workshop/Drawer A3
        Lands in: betaspace, Laser room, as your part "Our thing" (same IPN)

        ✅ yes, that will do · ❌ no, thanks
        Not here yet? Add 📦 to this card, or reply: !fed approve --parcel
        Nothing has moved yet. · k7m2
        """,
    ),
    "a request, less granted, agreed": (
        card(replace(request(BOLTS, wanted="approve", decided=BY_BEA), granted=BY_PIET)),
        """
        10 × M3 bolt (M3-BOLT): approved by Bea, waiting for attraktor.
        Asked by Bea, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        Item: M3 bolt, M3-BOLT, status OK
        Comes from: attraktor, Workshop/Drawer A3
        Lands in: betaspace, Laser room, as your part "Our thing" (same IPN)

        Nothing is booked in yet. attraktor's bot checks its stock once more, then it goes by itself.
        To stop it: !fed cancel k7m2
        """,
    ),
    "a request that is done": (
        card(request(role="sender", state=TransferState.DONE, decided=BY_PIET, progress=HANDED)),
        """
        ✅ Done: 1 × Laser lens 2.0″ (LENS-2, serial 0042) went from attraktor to betaspace, to keep.
        Asked by Bea, accepted by Piet (attraktor), Tue 24 Nov, 20:31

        At betaspace: in stock
        At attraktor: stock #42, with customer betaspace

        Reply here with: !fed show
        k7m2
        """,
    ),
    "a request, declined by a person": (
        card(request(role="sender", state=TransferState.DECLINED, decided=BY_PIET)),
        """
        ❌ Declined: 1 × Laser lens 2.0″ (LENS-2, serial 0042) stays at attraktor.
        By Piet (attraktor), Tue 24 Nov, 20:31
        Nothing has moved.
        k7m2
        """,
    ),
    "a request, declined as it isn't there": (
        card(request(role="sender", state=TransferState.DECLINED, problem="not-found")),
        """
        ❌ Not given: 1 × Laser lens 2.0″ (LENS-2, serial 0042).
        Why: attraktor shares no such item.
        Nothing has moved.
        Look with !fed find what it shares, or ask its people to !fed share it.
        k7m2
        """,
    ),
    "a request, declined as there is too little": (
        card(request(role="sender", state=TransferState.DECLINED, problem="too-little")),
        """
        ❌ Not given: 1 × Laser lens 2.0″ (LENS-2, serial 0042).
        Why: attraktor has some of it, but not that much free.
        Nothing has moved.
        Ask for less.
        k7m2
        """,
    ),
    "cancelled, as the friendship ended": (
        card(request(role="sender", state=TransferState.CANCELLED, decided=BY_PIET, problem="disconnected")),
        """
        Cancelled: 1 × Laser lens 2.0″ (LENS-2, serial 0042) stays at attraktor.
        By Piet (attraktor), Tue 24 Nov, 20:31
        Why: the two spaces are no friends any more.
        Nothing has moved.
        k7m2
        """,
    ),
    "aborted: right-lost": (
        card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="right-lost")),
        """
        Not given: 10 × M3 bolt (M3-BOLT) stays at attraktor.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        Why: the person of attraktor who stands for it may not give things away any more.
        Nothing has left attraktor; betaspace has booked nothing in.
        An approver of attraktor can start it again.
        k7m2
        """,
    ),
    "aborted: connection": (
        card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="connection")),
        """
        Not given: 10 × M3 bolt (M3-BOLT) stays at attraktor.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        Why: the friendship between the two spaces isn't active at the moment.
        Nothing has left attraktor; betaspace has booked nothing in.
        Look with !fed spaces, and start again when it is.
        k7m2
        """,
    ),
    "aborted: gone": (
        card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="gone")),
        """
        Not given: 10 × M3 bolt (M3-BOLT) stays at attraktor.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        Why: the stock item isn't there any more.
        Nothing has left attraktor; betaspace has booked nothing in.
        Look it up in attraktor's InvenTree and start again with what is there.
        k7m2
        """,
    ),
    "aborted: changed": (
        card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="changed")),
        """
        Not given: 10 × M3 bolt (M3-BOLT) stays at attraktor.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        Why: somebody changed the stock item in the meantime; what I had moved is back.
        Nothing has left attraktor; betaspace has booked nothing in.
        Look it up in attraktor's InvenTree and start again with what is there.
        k7m2
        """,
    ),
    "aborted: not-in-stock": (
        card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="not-in-stock")),
        """
        Not given: 10 × M3 bolt (M3-BOLT) stays at attraktor.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        Why: the item isn't in stock any more: sold, installed, in production, or on its way to somebody else.
        Nothing has left attraktor; betaspace has booked nothing in.
        Look it up in attraktor's InvenTree and start again with what is there.
        k7m2
        """,
    ),
    "aborted: status": (
        card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="status")),
        """
        Not given: 10 × M3 bolt (M3-BOLT) stays at attraktor.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        Why: its status may not travel; only OK, attention needed, damaged and returned may.
        Nothing has left attraktor; betaspace has booked nothing in.
        Correct the status in attraktor's InvenTree, then start again.
        k7m2
        """,
    ),
    "aborted: allocated": (
        card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="allocated")),
        """
        Not given: 10 × M3 bolt (M3-BOLT) stays at attraktor.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        Why: too much of it is allocated to orders or builds of attraktor.
        Nothing has left attraktor; betaspace has booked nothing in.
        Free some of it in InvenTree, or start again with less.
        k7m2
        """,
    ),
    "aborted: too-much": (
        card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="too-much")),
        """
        Not given: 10 × M3 bolt (M3-BOLT) stays at attraktor.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        Why: there isn't that much of it left.
        Nothing has left attraktor; betaspace has booked nothing in.
        Start again with less.
        k7m2
        """,
    ),
    "aborted: inactive": (
        card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="inactive")),
        """
        Not given: 10 × M3 bolt (M3-BOLT) stays at attraktor.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        Why: the part isn't active any more in attraktor's InvenTree.
        Nothing has left attraktor; betaspace has booked nothing in.
        Choose another item, or set the part active there and start again.
        k7m2
        """,
    ),
    "aborted: not-salable": (
        card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="not-salable")),
        """
        Not given: 10 × M3 bolt (M3-BOLT) stays at attraktor.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        Why: the part isn't salable, and InvenTree assigns only salable parts to another space.
        Nothing has left attraktor; betaspace has booked nothing in.
        Switch on 'salable' at the part in attraktor's InvenTree, then start again.
        k7m2
        """,
    ),
    "aborted: virtual": (
        card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="virtual")),
        """
        Not given: 10 × M3 bolt (M3-BOLT) stays at attraktor.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        Why: the part is virtual: there is nothing to hand over.
        Nothing has left attraktor; betaspace has booked nothing in.
        Choose another item.
        k7m2
        """,
    ),
    "aborted: serial": (
        card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="serial")),
        """
        Not given: 10 × M3 bolt (M3-BOLT) stays at attraktor.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        Why: its serial number isn't as agreed, or is taken already.
        Nothing has left attraktor; betaspace has booked nothing in.
        Look at the serial number in InvenTree, then start again.
        k7m2
        """,
    ),
    "aborted: not-permitted": (
        card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="not-permitted")),
        """
        Not given: 10 × M3 bolt (M3-BOLT) stays at attraktor.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        Why: the bot's own InvenTree user may not do it.
        Nothing has left attraktor; betaspace has booked nothing in.
        Its admin can see what is missing with fedbot check.
        k7m2
        """,
    ),
    "aborted: something new": (
        card(transfer(BOLTS, state=TransferState.ABORTED, decided=BY_BEA, problem="something new")),
        """
        Not given: 10 × M3 bolt (M3-BOLT) stays at attraktor.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        Why: InvenTree said: something new
        Nothing has left attraktor; betaspace has booked nothing in.
        k7m2
        """,
    ),
    "refused, going back": (
        card(transfer(state=TransferState.REFUSED, decided=BY_BEA, problem="Serial number exists")),
        """
        Not booked in: 1 × Laser lens 2.0″ (LENS-2, serial 0042) goes back to attraktor.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        betaspace's InvenTree said: Serial number exists
        Done: it had left attraktor's stock. Not done: betaspace has booked nothing in, and won't.
        Next: attraktor's bot takes it back into its stock by itself. Nothing to do.
        k7m2
        """,
    ),
    "back again": (
        card(transfer(state=TransferState.REVERTED, decided=BY_BEA, problem="Serial number exists")),
        """
        Back again: 1 × Laser lens 2.0″ (LENS-2, serial 0042) is in attraktor's stock as before.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        betaspace's InvenTree said: Serial number exists
        betaspace could not book it in, so attraktor took it back.
        Once that is fixed, Anna can start again.
        k7m2
        """,
    ),
    "nobody can tell": (
        card(transfer(state=TransferState.DISPUTED, decided=BY_BEA)),
        """
        ⚠ Unclear: nobody can tell what became of 1 × Laser lens 2.0″ (LENS-2, serial 0042).
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        It may be counted wrong at attraktor or betaspace; I do nothing more about it.
        A superuser of attraktor settles it: !fed resolve
        In the stock histories in InvenTree it is under fed:k7m2abcdefghjkmnpqrs.
        k7m2
        """,
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_written_here(case: str) -> None:
    phrase, expected = SAID[case]
    assert plain(phrase) == dedent(expected).strip("\n")
