"""Sentences about why an item is not offered or requested, and which item is meant."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import AvailableStock
from fedbot.rules.model.stock import Part, StockItem
from tests.scenarios.scenes import ALPHA, BOLTS, CABLE, LOCALES, connection, plain, request, transfer

BOLT = StockItem(12, Part(3, "M3 bolt", "M3-BOLT"), Decimal(120), place="Drawer A3")
BOX = replace(BOLT, pk=13, quantity=Decimal(90), place="Box 7", batch="2025-11")
PI = StockItem(20, Part(5, "Raspberry Pi 4", "RPI-4"), Decimal(1), serial="a1b2", place="Bench")

LESS = "lend 5 #12 to beta for 2 weeks"
SAID: dict[str, Phrase] = {
    "not friends": say(messages.connect.not_friends, name="betaspace", party="beta", us=ALPHA),
    "no quantity": say(messages.offer.quantity_not_positive, word="0"),
    "too many decimals": say(messages.offer.quantity_too_fine, word="0.0000001", places=5),
    "too many digits": say(messages.offer.quantity_too_large, word="9" * 20),
    "how many": say(messages.offer.how_many_of_it, word="M3-BOLT", most=9, line="request 20 M3-BOLT from beta"),
    "which is the quantity": say(
        messages.offer.which_is_the_quantity,
        ways=((Decimal(10), "", "Resistor 100"), (Decimal(100), "", "10 Resistor")),
    ),
    "all or nothing: a serial": say(messages.offer.all_or_nothing, subject=request(role="sender")),
    "all or nothing: several lines": say(messages.offer.all_or_nothing, subject=request(BOLTS, CABLE, role="sender")),
    "all or nothing: a connection": say(messages.offer.all_or_nothing, subject=connection()),
    "all or nothing: the other side has agreed": say(
        messages.offer.all_or_nothing,
        subject=replace(request(BOLTS, role="sender"), peer_agreed=request(BOLTS, role="sender").asked),
    ),
    "more than asked": say(messages.offer.more_than_asked, transfer=request(BOLTS, role="sender"), wanted=Decimal(20)),
    "a scanned code in a request": say(messages.offer.scanned_code_is_ours, word="INV-SI42"),
    "no such item": say(messages.offer.item_not_found, word="M3-BLOT", parts=(BOLT.part,)),
    "one similar part": say(messages.offer.similar_parts, word="bolts", parts=(BOLT.part,)),
    "similar parts": say(messages.offer.similar_parts, word="bolts", parts=(BOLT.part, replace(BOLT.part, ipn=""))),
    "several items": say(messages.offer.several_items, word="nut and bolt", items=("nut", "bolt")),
    "several or one": say(messages.offer.several_or_one, word="nut, bolt", items=("nut", "bolt")),
    "no such item, nothing near": say(messages.offer.item_not_found, word="xyzzy", parts=()),
    "nothing in stock": say(messages.offer.nothing_in_stock, word="M3-BOLT", parts=(BOLT.part,)),
    "several stock items": say(
        messages.offer.which_item,
        word="M3-BOLT",
        choices=(AvailableStock(BOLT, Decimal(120)), AvailableStock(BOX, Decimal(90))),
    ),
    "several stock items that have enough only together": say(
        messages.offer.only_together,
        word="M3-BOLT",
        wanted=Decimal(200),
        together=(AvailableStock(BOLT, Decimal(120)), AvailableStock(BOX, Decimal(80))),
    ),
    "several serials": say(
        messages.offer.which_item,
        word="RPI-4",
        choices=tuple(AvailableStock(replace(PI, pk=n, serial=f"a1b{n}"), Decimal(1)) for n in range(20, 24)),
    ),
    "several revisions of a part": say(
        messages.offer.which_item,
        word="M3-BOLT",
        choices=tuple(
            AvailableStock(replace(BOLT, pk=pk, part=replace(BOLT.part, pk=pk, revision=revision)), Decimal(5))
            for pk, revision in ((12, "A"), (13, "B"))
        ),
    ),
    "two readings": say(
        messages.offer.which_reading,
        word="Resistor 100",
        readings=(AvailableStock(PI, Decimal(100)), AvailableStock(BOLT, Decimal(120))),
    ),
    "a virtual part": say(messages.offer.part_virtual, item=BOLT),
    "an inactive part": say(messages.offer.part_inactive, item=BOLT),
    "a part that isn't salable": say(messages.offer.part_not_salable, item=BOLT),
    "with a customer": say(messages.offer.item_with_customer, item=PI),
    "not in stock": say(messages.offer.item_not_in_stock, item=BOLT),
    "a status that may not travel": say(
        messages.offer.status_may_not_travel, item=replace(BOLT, status=65, status_text="Rejected")
    ),
    "to a neighbour": say(messages.offer.may_not_go_on, item=BOLT, origin="gamma", destination=""),
    "from a third space": say(messages.offer.may_not_go_on, item=BOLT, origin="gamma", destination="betaspace"),
    "merged with what came from a third space": say(
        messages.offer.merged_may_not_go_on,
        item=BOLT,
        hidden=Decimal(20),
        origins=("gamma",),
        available=Decimal(100),
        line=LESS,
    ),
    "merges cleared": say(messages.offer.merges_cleared, item=BOLT, quantity=Decimal(20), origins=("gamma", "delta")),
    "no merges to clear": say(messages.offer.merges_cleared, item=BOLT, quantity=Decimal(0), origins=()),
    "a serial is one piece": say(messages.offer.serial_is_one, item=PI),
    "a fraction of what is counted": say(messages.offer.whole_pieces, item=BOLT, wanted=Decimal("2.5")),
    "a unit that does not fit": say(messages.offer.another_unit, item=BOLT, wanted=Decimal(2), unit="m"),
    "a unit of what is lent": say(messages.offer.other_unit_of_line, line=CABLE, wanted=Decimal(2), unit="kg"),
    "a unit of what is counted": say(messages.offer.other_unit_of_line, line=BOLTS, wanted=Decimal(2), unit="kg"),
    "allocated": say(
        messages.offer.item_allocated,
        item=replace(BOLT, allocated=Decimal(100)),
        wanted=Decimal(50),
        available=Decimal(20),
        line=LESS,
    ),
    "allocated, and on offer to others": say(
        messages.offer.item_allocated,
        item=replace(BOLT, allocated=Decimal(30)),
        wanted=Decimal(80),
        available=Decimal(40),
        line=LESS,
    ),
    "more than there is": say(
        messages.offer.quantity_too_much,
        item=replace(BOLT, quantity=Decimal(20)),
        wanted=Decimal(50),
        available=Decimal(20),
        line=LESS,
    ),
    "on offer already": say(
        messages.offer.offered_already,
        item=BOLT,
        wanted=Decimal(50),
        available=Decimal(0),
        transfers=(transfer(BOLTS),),
        line=LESS,
    ),
    "named twice in one line": say(
        messages.offer.offered_already,
        item=BOLT,
        wanted=Decimal(50),
        available=Decimal(5),
        transfers=(),
        line=LESS,
    ),
    "none of several fits": say(
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
    "real stock for the practice friend": say(messages.offer.practice_stays_practice, item=BOLT, to_friend=True),
    "practice stock for a real friend": say(messages.offer.practice_stays_practice, item=BOLT, to_friend=False),
    "too large for a message": say(messages.offer.offer_too_large, kilobytes=70, most=40),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
