"""Why something is not offered or asked for, and which item is meant, as people read it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import Lying
from fedbot.rules.model.stock import Part, StockItem
from tests.scenarios.scenes import ALPHA, BOLTS, CABLE, connection, plain, request, transfer

BOLT = StockItem(12, Part(3, "M3 bolt", "M3-BOLT"), Decimal(120), place="Drawer A3")
BOX = replace(BOLT, pk=13, quantity=Decimal(90), place="Box 7", batch="2025-11")
PI = StockItem(20, Part(5, "Raspberry Pi 4", "RPI-4"), Decimal(1), serial="a1b2", place="Bench")

LESS = "lend 5 #12 to beta for 2 weeks"
SAID: dict[str, tuple[Phrase, str]] = {
    "not friends": (
        say(messages.connection.not_friends, name="betaspace", party="beta", us=ALPHA),
        """
        Not done: attraktor and betaspace aren't friends yet. Nothing was sent.
        A superuser of attraktor can ask: !fed connect beta
        """,
    ),
    "no quantity": (
        say(messages.offer.quantity_not_positive, word="0"),
        """
        Not done: 0 is no quantity that can move. Nothing was sent.
        """,
    ),
    "too many decimals": (
        say(messages.offer.quantity_too_fine, word="0.0000001", places=5),
        """
        Not done: 0.0000001 has too many decimals. Nothing was sent.
        InvenTree keeps 5.
        """,
    ),
    "too many digits": (
        say(messages.offer.quantity_too_large, word="9" * 20),
        """
        Not done: 99999999999999999999 is more than InvenTree can count. Nothing was sent.
        """,
    ),
    "how many": (
        say(messages.offer.how_many_of_it, word="M3-BOLT", line="request 1 M3-BOLT from beta"),
        """
        How much of "M3-BOLT"? I did nothing.
        For example: !fed request 1 M3-BOLT from beta
        """,
    ),
    "which is the quantity": (
        say(messages.offer.which_is_the_quantity, ways=((Decimal(10), "Resistor 100"), (Decimal(100), "10 Resistor"))),
        """
        That can mean different things. Which?
        1) 10 × "Resistor 100"
        2) 100 × "10 Resistor"
        Reply 1 or 2 within 10 minutes. I did nothing yet.
        """,
    ),
    "all or nothing: a serial": (
        say(messages.offer.all_or_nothing, subject=request(role="sender")),
        """
        Not counted: of 1 × Laser lens 2.0″ (k7m2) no part can be chosen.
        Each piece has a serial number, so only whole ones can go.
        Yes to all of it: !fed approve k7m2
        """,
    ),
    "all or nothing: several lines": (
        say(messages.offer.all_or_nothing, subject=request(BOLTS, CABLE, role="sender")),
        """
        Not counted: of 10 × M3 bolt and 1.5 m of Speaker cable (⚠ Attention needed) (k7m2) no part can be chosen.
        It is of several parts, so it is all or nothing.
        Yes to all of it: !fed approve k7m2
        """,
    ),
    "all or nothing: a connection": (
        say(messages.offer.all_or_nothing, subject=connection()),
        """
        Not counted: of the friendship with attraktor (c9x4) no part can be chosen.
        A quantity only goes with what another space requests of us.
        Yes to all of it: !fed approve c9x4
        """,
    ),
    "all or nothing: the other side has agreed": (
        say(
            messages.offer.all_or_nothing,
            subject=replace(request(BOLTS, role="sender"), peer_agreed=request(BOLTS, role="sender").asked),
        ),
        """
        Not counted: of 10 × M3 bolt (k7m2) no part can be chosen.
        The other space has agreed to just this, so it is all or nothing.
        Yes to all of it: !fed approve k7m2
        """,
    ),
    "more than asked": (
        say(messages.offer.more_than_asked, transfer=request(BOLTS, role="sender"), wanted=Decimal(20)),
        """
        Not counted: 20 is more than the 10 that are asked for.
        Yes to all of it: !fed approve k7m2
        """,
    ),
    "a scanned code in a request": (
        say(messages.offer.scanned_code_is_ours, word="INV-SI42"),
        """
        Not done: the code "INV-SI42" stands for an item of our own InvenTree, not of theirs.
        Say it by its IPN, its name, or its #number over there. Nothing was sent.
        """,
    ),
    "no such item": (
        say(messages.offer.item_not_found, word="M3-BLOT", parts=(BOLT.part,)),
        """
        Not offered: there is no item "M3-BLOT".
        Near it: M3 bolt (M3-BOLT)
        An item is #42, an IPN, a name or its pasted link. A name with a number at its end goes in quotes.
        Nothing was sent, nothing has moved.
        """,
    ),
    "no such item, nothing near": (
        say(messages.offer.item_not_found, word="xyzzy", parts=()),
        """
        Not offered: there is no item "xyzzy".
        An item is #42, an IPN, a name or its pasted link. A name with a number at its end goes in quotes.
        Nothing was sent, nothing has moved.
        """,
    ),
    "nothing in stock": (
        say(messages.offer.nothing_in_stock, word="M3-BOLT", parts=(BOLT.part,)),
        """
        Not offered: nothing of "M3-BOLT" lies in stock.
        The part is known: M3 bolt (M3-BOLT)
        Nothing was sent, nothing has moved.
        """,
    ),
    "several stock items": (
        say(
            messages.offer.which_item,
            word="M3-BOLT",
            choices=(Lying(BOLT, Decimal(120)), Lying(BOX, Decimal(90))),
        ),
        """
        There are several of "M3-BOLT". Which do you mean?
        1) Drawer A3, 120 (#12)
        2) Box 7, 90, batch 2025-11 (#13)
        Reply 1 or 2 within 10 minutes. I did nothing yet.
        """,
    ),
    "several stock items that have enough only together": (
        say(
            messages.offer.only_together,
            word="M3-BOLT",
            wanted=Decimal(200),
            together=(Lying(BOLT, Decimal(120)), Lying(BOX, Decimal(80))),
        ),
        """
        No single stock item of "M3-BOLT" has 200.
        1) Together they have it:
        • Drawer A3, 120 (#12)
        • Box 7, 80, batch 2025-11, of 90 (#13)
        Reply 1 within 10 minutes. I did nothing yet.
        """,
    ),
    "several serials": (
        say(
            messages.offer.which_item,
            word="RPI-4",
            choices=tuple(Lying(replace(PI, pk=n, serial=f"a1b{n}"), Decimal(1)) for n in range(20, 24)),
        ),
        """
        There are several of "RPI-4". Which do you mean?
        1) Bench, 1, serial a1b20 (#20)
        2) Bench, 1, serial a1b21 (#21)
        3) Bench, 1, serial a1b22 (#22)
        4) Bench, 1, serial a1b23 (#23)
        Reply with the number within 10 minutes. I did nothing yet.
        """,
    ),
    "two readings": (
        say(
            messages.offer.which_reading,
            word="Resistor 100",
            readings=(Lying(PI, Decimal(100)), Lying(BOLT, Decimal(120))),
        ),
        """
        "Resistor 100" can mean different things. Which?
        1) 100 × Raspberry Pi 4, serial a1b2 (stock #20)
        2) 120 × M3 bolt (stock #12)
        Reply 1 or 2 within 10 minutes. I did nothing yet.
        """,
    ),
    "a virtual part": (
        say(messages.offer.part_virtual, item=BOLT),
        """
        Not offered: M3 bolt (stock #12) is virtual: there is nothing to hand over.
        Nothing was sent, nothing has moved.
        """,
    ),
    "an inactive part": (
        say(messages.offer.part_inactive, item=BOLT),
        """
        Not offered: the part of M3 bolt (stock #12) is inactive.
        Who may change parts can make it active.
        Nothing was sent, nothing has moved.
        """,
    ),
    "a part that isn't salable": (
        say(messages.offer.part_not_salable, item=BOLT),
        """
        Not offered: the part of M3 bolt (stock #12) isn't salable.
        InvenTree gives only salable parts away. Who may change parts can switch on 'salable' at it.
        Nothing was sent, nothing has moved.
        """,
    ),
    "with a customer": (
        say(messages.offer.item_with_customer, item=PI),
        """
        Not offered: Raspberry Pi 4, serial a1b2 (stock #20) is with a customer or another space already.
        Nothing was sent, nothing has moved.
        """,
    ),
    "not in stock": (
        say(messages.offer.item_not_in_stock, item=BOLT),
        """
        Not offered: M3 bolt (stock #12) isn't in stock: sold, installed, in production, or used up.
        Nothing was sent, nothing has moved.
        """,
    ),
    "a status that may not travel": (
        say(messages.offer.status_may_not_travel, item=replace(BOLT, status=65, status_text="Rejected")),
        """
        Not offered: M3 bolt (stock #12) has the status "Rejected".
        Only OK, attention needed, damaged and returned may travel. Correct it in InvenTree if it is wrong.
        Nothing was sent, nothing has moved.
        """,
    ),
    "from a third space": (
        say(messages.offer.may_not_go_on, item=BOLT, origin="gamma", destination="betaspace"),
        """
        Not offered: M3 bolt (stock #12) came from gamma, so it may not go on to betaspace.
        What was given may go back where it came from, but not on to others. betaspace can ask gamma for it.
        Nothing was sent, nothing has moved.
        """,
    ),
    "merged with what came from a third space": (
        say(
            messages.offer.merged_may_not_go_on,
            item=BOLT,
            hidden=Decimal(20),
            origins=("gamma",),
            available=Decimal(100),
            line=LESS,
        ),
        """
        Not offered: M3 bolt (stock #12) may hold 20 from gamma, merged into it: 100 free.
        They are gone from InvenTree, and something was merged into this item since.
        What was given may go back where it came from, but not on to others.
        You can offer what is free: !fed lend 5 #12 to beta for 2 weeks
        If you know where the missing ones are, a superuser says so: !fed clear #12
        Nothing was sent, nothing has moved.
        """,
    ),
    "merges cleared": (
        say(messages.offer.merges_cleared, item=BOLT, quantity=Decimal(20), origins=("gamma", "delta")),
        """
        Cleared: 20 M3 bolt from gamma and delta count as accounted for. What is there may go on to others.
        """,
    ),
    "no merges to clear": (
        say(messages.offer.merges_cleared, item=BOLT, quantity=Decimal(0), origins=()),
        """
        Nothing to clear: nothing that we received of M3 bolt is missing.
        """,
    ),
    "a serial is one piece": (
        say(messages.offer.serial_is_one, item=PI),
        """
        Not offered: Raspberry Pi 4, serial a1b2 (stock #20) has a serial number, so it is one piece.
        Leave out the quantity.
        Nothing was sent, nothing has moved.
        """,
    ),
    "a fraction of what is counted": (
        say(messages.offer.whole_pieces, item=BOLT, wanted=Decimal("2.5")),
        """
        Not offered: M3 bolt (stock #12) is counted in whole pieces, so 2.5 of it can't go.
        Say a whole number.
        Nothing was sent, nothing has moved.
        """,
    ),
    "a unit that does not fit": (
        say(messages.offer.another_unit, item=BOLT, wanted=Decimal(2), unit="m"),
        """
        Not offered: M3 bolt (stock #12) is counted in pieces, not in m.
        Leave out the unit, and say how many.
        Nothing was sent, nothing has moved.
        """,
    ),
    "a unit of what is another space's": (
        say(messages.offer.unit_not_known, word="CABLE", wanted=Decimal(2), unit="m"),
        """
        Not done: 2 m of "CABLE". Only its owner knows how that is counted.
        Say the number alone, in the owner's unit. What belongs to the name goes into quotes.
        """,
    ),
    "allocated": (
        say(
            messages.offer.item_allocated,
            item=replace(BOLT, allocated=Decimal(100)),
            wanted=Decimal(50),
            available=Decimal(20),
            line=LESS,
        ),
        """
        Not offered: you want 50 of M3 bolt (stock #12), but 100 of 120 are allocated to orders or builds: 20 free.
        You can offer what is free: !fed lend 5 #12 to beta for 2 weeks
        Nothing was sent, nothing has moved.
        """,
    ),
    "more than there is": (
        say(
            messages.offer.quantity_too_much,
            item=replace(BOLT, quantity=Decimal(20)),
            wanted=Decimal(50),
            available=Decimal(20),
            line=LESS,
        ),
        """
        Not offered: you want 50 of M3 bolt (stock #12), but only 20 are there.
        You can offer what is free: !fed lend 5 #12 to beta for 2 weeks
        Nothing was sent, nothing has moved.
        """,
    ),
    "on offer already": (
        say(
            messages.offer.offered_already,
            item=BOLT,
            wanted=Decimal(50),
            available=Decimal(0),
            transfers=(transfer(BOLTS),),
            line=LESS,
        ),
        """
        Not offered: you want 50 of M3 bolt (stock #12), but it is on offer already (k7m2): 0 free.
        Nothing was sent, nothing has moved.
        """,
    ),
    "named twice in one line": (
        say(
            messages.offer.offered_already,
            item=BOLT,
            wanted=Decimal(50),
            available=Decimal(5),
            transfers=(),
            line=LESS,
        ),
        """
        Not offered: the line names M3 bolt (stock #12) more than once, and together that is too much: 5 free.
        You can offer what is free: !fed lend 5 #12 to beta for 2 weeks
        Nothing was sent, nothing has moved.
        """,
    ),
    "none of several fits": (
        say(
            messages.offer.no_item_fits,
            word="M3-BOLT",
            unfit=(
                (
                    BOLT,
                    say(
                        messages.offer.quantity_too_much,
                        item=BOLT,
                        wanted=Decimal(500),
                        available=Decimal(120),
                        line=LESS,
                    ),
                ),
                (BOX, say(messages.offer.may_not_go_on, item=BOX, origin="gamma", destination="betaspace")),
            ),
        ),
        """
        Not offered: nothing of "M3-BOLT" can go.
        • Drawer A3, 120:
        you want 500 of M3 bolt (stock #12), but only 120 are there.
        • Box 7, 90:
        M3 bolt (stock #13) came from gamma, so it may not go on to betaspace.
        Nothing was sent, nothing has moved.
        """,
    ),
    "real stock for the practice friend": (
        say(messages.offer.practice_stays_practice, item=BOLT, to_friend=True),
        """
        Not offered: M3 bolt (stock #12) is real, and the practice friend gets no real stock.
        Parts for practice have names that begin with PRACTICE.
        Nothing was sent, nothing has moved.
        """,
    ),
    "practice stock for a real friend": (
        say(messages.offer.practice_stays_practice, item=BOLT, to_friend=False),
        """
        Not offered: M3 bolt (stock #12) is for practice, so only the practice friend gets it.
        Parts for practice have names that begin with PRACTICE.
        Nothing was sent, nothing has moved.
        """,
    ),
    "too large for a message": (
        say(messages.offer.offer_too_large, kilobytes=70, most=40),
        """
        Not offered: with all that InvenTree says of the items it is 70 kB, and a message holds 40.
        Please offer fewer items at once. If it is one item: its metadata in InvenTree is very large (metadata).
        Nothing was sent, nothing has moved.
        """,
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_written_here(case: str) -> None:
    phrase, expected = SAID[case]
    assert plain(phrase) == dedent(expected).strip("\n")
