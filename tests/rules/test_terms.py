"""The written form of terms: what is new in it leaves old terms, and their hashes, as they were."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from fedbot.rules.model.queries import PartDescription
from fedbot.rules.model.stock import Part, StockItem
from fedbot.rules.model.transfer import Line, Terms
from fedbot.rules.model.whole_item import ItemDetails, ItemSeen, Parameter, PartDetails, PartSeen, TestResult, Trait
from fedbot.rules.protocol.terms import BadTerms, bare, hash_of, line_of, understood, written

LOAN = Terms(
    kind="push",
    sender="attraktor",
    receiver="betaspace",
    lines=(Line(1, 42, 3, PartDescription(name="Laser lens", ipn="LENS-2"), Decimal(1), serial="0042"),),
    asker="@anna:x",
    asker_name="Anna",
    loan_until=date(2026, 12, 15),
)
HASH_BEFORE_ZONES = "8ae92046ec65255d79b84b971d85eabacb19f0393cd7e174c578cd5d57dfafa0"


def test_a_loan_without_a_zone_has_the_hash_that_it_had_before_there_were_any() -> None:
    assert "time_zone" not in written(LOAN)
    assert hash_of(LOAN) == HASH_BEFORE_ZONES
    assert understood(written(LOAN)) == LOAN


def test_a_zone_is_part_of_what_is_agreed() -> None:
    there = replace(LOAN, time_zone="Pacific/Auckland")
    assert understood(written(there)) == there
    assert hash_of(there) != hash_of(LOAN)


def test_what_is_to_keep_has_no_zone() -> None:
    with pytest.raises(BadTerms, match="time_zone"):
        understood(written(replace(LOAN, loan_until=None, time_zone="Pacific/Auckland")))


PART = Part(
    3, "Lens", seen=PartSeen(PartDetails("n" * 600, "https://x.example", ("t",), (Parameter("Focus", "50 mm"),)))
)
SEEN = ItemSeen(
    ItemDetails(
        notes="fragile\u202e",
        link="ftp://x.example/a",
        tags=("optics", "t" * 51),
        status="On loan",
        price=Decimal("12.50"),
        currency="EUR",
        tests=(TestResult("Power", passed=True, value="38 W"),),
        inside=("Fan",),
    ),
    has_files=True,
)
WHOLE = line_of(1, StockItem(42, PART, Decimal(1), seen=SEEN), Decimal(1), "", with_price=True)


def test_what_an_item_has_travels_cut_to_what_a_message_takes_and_the_rest_is_named() -> None:
    terms = replace(LOAN, lines=(WHOLE,))
    assert understood(written(terms)) == terms
    assert WHOLE.details.notes == "fragile"
    assert WHOLE.stays == (Trait.LINK, Trait.TAGS, Trait.FILES)
    assert WHOLE.description.stays == (Trait.PART_NOTES,)
    assert bare(WHOLE).stays == (
        *(Trait.STATUS, Trait.NOTES, Trait.LINK, Trait.TAGS, Trait.PRICE, Trait.TESTS, Trait.FILES),
    )
    assert understood(written(replace(LOAN, lines=(bare(WHOLE),)))).lines == (bare(WHOLE),)
    plain = written(LOAN)["lines"][0]
    assert not {"details", "stays"} & (plain.keys() | plain["description"].keys())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("link", "javascript:alert(1)"),
        ("link", "https://x.example/<b>"),
        ("tags", ["t"] * 11),
        ("tags", ["t" * 51]),
        ("price", "-1"),
        ("price", "NaN"),
        ("currency", "euro"),
        ("tests", [{"name": "n" * 101, "passed": True, "value": ""}]),
        ("inside", ["i"] * 6),
        ("notes", "\u202enow"),
        ("else", "x"),
    ],
)
def test_details_of_a_peer_are_refused_unless_they_are_as_we_would_write_them(field: str, value: object) -> None:
    data = written(replace(LOAN, lines=(WHOLE,)))
    data["lines"][0]["details"][field] = value
    with pytest.raises(BadTerms):
        understood(data)
    data = written(replace(LOAN, lines=(WHOLE,)))
    data["lines"][0]["stays"] = ["files", "link"]
    with pytest.raises(BadTerms):
        understood(data)
