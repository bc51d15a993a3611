"""The written form of terms: new fields leave old terms and their hashes unchanged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from fedbot.rules.catalogue import search
from fedbot.rules.ledger import reconcile
from fedbot.rules.model.books import SpaceFigures, figures_read
from fedbot.rules.model.care import ValuedLine
from fedbot.rules.model.lending import LendingRule, LentBefore, LoanRules, applying_to, may_borrow, strictest
from fedbot.rules.model.stock import (
    ItemDetails,
    ItemSeen,
    Parameter,
    Part,
    PartDescription,
    PartDetails,
    PartSeen,
    StockItem,
    TestResult,
    Trait,
    fits,
    is_price,
    plain,
)
from fedbot.rules.model.transfer import Line, Terms
from fedbot.rules.protocol.terms import BadTerms, bare, check_quantity, hash_of, line_of, parse, to_json

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


def test_a_loan_without_a_zone_keeps_its_hash_from_before_zones() -> None:
    assert "time_zone" not in to_json(LOAN)
    assert hash_of(LOAN) == HASH_BEFORE_ZONES
    assert parse(to_json(LOAN)) == LOAN


def test_a_zone_is_part_of_the_agreement() -> None:
    there = replace(LOAN, time_zone="Pacific/Auckland")
    assert parse(to_json(there)) == there
    assert hash_of(there) != hash_of(LOAN)


def test_a_gift_has_no_zone() -> None:
    with pytest.raises(BadTerms, match="time_zone"):
        parse(to_json(replace(LOAN, loan_until=None, time_zone="Pacific/Auckland")))


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
    has_more_files=True,
)
WHOLE = line_of(1, StockItem(42, PART, Decimal(1), seen=SEEN), Decimal(1), "", with_price=True, largest_file=10)


def test_details_of_an_item_are_cut_to_a_messages_limits_and_the_rest_is_named() -> None:
    terms = replace(LOAN, lines=(WHOLE,))
    assert parse(to_json(terms)) == terms
    assert WHOLE.details.notes == "fragile"
    assert WHOLE.stays == (Trait.LINK, Trait.TAGS, Trait.FILES)
    assert WHOLE.description.stays == (Trait.PART_NOTES,)
    assert bare(WHOLE).stays == (
        *(Trait.STATUS, Trait.NOTES, Trait.LINK, Trait.TAGS, Trait.PRICE, Trait.TESTS, Trait.FILES),
    )
    assert parse(to_json(replace(LOAN, lines=(bare(WHOLE),)))).lines == (bare(WHOLE),)
    plain = to_json(LOAN)["lines"][0]
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
def test_a_peers_details_are_refused_unless_we_would_write_them_the_same(field: str, value: object) -> None:
    data = to_json(replace(LOAN, lines=(WHOLE,)))
    data["lines"][0]["details"][field] = value
    with pytest.raises(BadTerms):
        parse(data)
    data = to_json(replace(LOAN, lines=(WHOLE,)))
    data["lines"][0]["stays"] = ["files", "link"]
    with pytest.raises(BadTerms):
        parse(data)


RULES = LoanRules(14, 1, ("laser safety briefing needed",), photo_back=True)


def test_lending_rules_are_part_of_the_agreement_and_other_terms_are_unchanged() -> None:
    ruled = replace(LOAN, rules=RULES)
    assert parse(to_json(ruled)) == ruled
    assert hash_of(ruled) != hash_of(LOAN)
    assert "rules" not in to_json(LOAN)
    back = replace(ruled, kind="return", parent="p" * 20, loan_until=None)
    assert parse(to_json(back)).rules == RULES


@pytest.mark.parametrize(
    "terms",
    [
        replace(LOAN, rules=RULES, loan_until=None, time_zone=""),
        replace(LOAN, rules=RULES, kind="extension", parent="p" * 20),
        replace(LOAN, rules=LoanRules()),
        *(
            replace(LOAN, rules=rules)
            for rules in (
                LoanRules(longest=-1),
                LoanRules(longest=10**6),
                LoanRules(extensions=-1),
                LoanRules(extensions=10**6),
                LoanRules(agree=("",)),
                LoanRules(agree=("x" * 201,)),
                LoanRules(agree=("x",) * 21),
                LoanRules(agree=("gnirts \u202e",)),
            )
        ),
    ],
)
def test_a_peers_lending_rules_that_no_config_makes_are_refused(terms: Terms) -> None:
    with pytest.raises(BadTerms):
        parse(to_json(terms))


HAD_BEFORE = LentBefore("2" * 20, "Repair Café", date(2026, 11, 12))


def test_an_item_that_a_borrower_already_has_is_part_of_the_agreement() -> None:
    had = replace(LOAN, outside=HAD_BEFORE)
    assert parse(to_json(had)) == had
    assert hash_of(had) != hash_of(LOAN)
    assert "outside" not in to_json(LOAN)


@pytest.mark.parametrize(
    "terms",
    [
        replace(LOAN, outside=HAD_BEFORE, kind="request"),
        replace(LOAN, outside=HAD_BEFORE, loan_until=None, time_zone=""),
        replace(LOAN, outside=HAD_BEFORE, starts=LOAN.loan_until),
        replace(LOAN, outside=replace(HAD_BEFORE, loan="../etc")),
        replace(LOAN, outside=replace(HAD_BEFORE, neighbour="")),
        replace(LOAN, outside=replace(HAD_BEFORE, neighbour="x" * 61)),
        replace(LOAN, outside=replace(HAD_BEFORE, since=date(9999, 12, 31))),
    ],
)
def test_a_peer_can_not_describe_a_loan_as_one_that_we_already_have(terms: Terms) -> None:
    with pytest.raises(BadTerms):
        parse(to_json(terms))


def test_the_strictest_of_several_lending_rules_counts() -> None:
    lens = [ValuedLine(Part(7, "Laser lens", "LENS-2", category_path="Optics/Laser"), "Workshop/Safe", Decimal(1))]
    rules = (
        LendingRule(longest=60, agree="bring it back clean"),
        LendingRule(categories=("Laser",), longest=14, extensions=2, agree="laser safety briefing needed"),
        LendingRule(locations=("Safe",), longest=30, extensions=0, agree="bring it back clean", photo_out=True),
        LendingRule(parts=("M3-NUT",), longest=1, two_people=True, spaces=()),
        LendingRule(parts=("lens-2",), spaces=("betaspace",)),
    )
    hold = applying_to(rules, lens)
    assert rules[3] not in hold
    assert strictest(hold) == LoanRules(14, 0, ("bring it back clean", "laser safety briefing needed"), photo_out=True)
    assert [may_borrow(hold, party) for party in ("betaspace", "gammaspace")] == [True, False]
    assert strictest([rules[4]]) is None


@pytest.mark.parametrize(
    "number", ["1E-1999999999", "1E-1000030", "1E+1999999999", "0E-1999999999", "0E+1999999999", "-1E-1999999999"]
)
def test_a_number_that_takes_gigabytes_to_write_is_none_wherever_a_friend_may_tell_one(number: str) -> None:
    """The first of them ended each bot of the room, at every start, whoever sent it: each hash writes it out."""
    for refuses in (check_quantity, plain):
        with pytest.raises(ValueError, match="quantity"):
            refuses(Decimal(number))
    assert not is_price(Decimal(number), "EUR")
    told = to_json(LOAN)
    told["lines"][0]["quantity"] = number
    with pytest.raises(BadTerms):
        parse(told)
    nothing = SpaceFigures("betaspace", "Betaspace", datetime(2026, 11, 24, tzinfo=UTC), 0)
    with pytest.raises(ValueError, match="pieces"):
        figures_read(nothing, {"given": {"lines": 1, "pieces": number}})
    with pytest.raises(ValueError, match="quantity"):
        search._quantity(number)
    line = {"transfer": "x", "number": 1, "role": "sender", "state": "done", "now": number}
    with pytest.raises(ValueError, match="quantity"):
        reconcile._understood({"lines": [line]})


@pytest.mark.parametrize(("number", "is_one"), [("1.00001", True), ("1.0000100", True), ("1.000001", False)])
@pytest.mark.parametrize("rest", ["", "0" * 40])
def test_decimals_are_counted_exactly(number: str, is_one: bool, rest: str) -> None:
    assert fits(Decimal(number + rest)) is is_one
    assert not fits(Decimal(f"{number}{'0' * 40}1"))
