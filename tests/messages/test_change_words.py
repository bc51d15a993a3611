"""Sentences about a card that has changed, and about a request that would be filled with something else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules import card_content
from fedbot.rules.model.diagnosis import Hindrance
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lending import LentBefore, LoanRules, Obstacle, Reserved
from fedbot.rules.model.stock import ItemDetails, PartDescription, PartDetails, Trait
from fedbot.rules.model.transfer import Landing, Line, Progress, ShownTransfer, Terms, Transfer
from tests.scenarios.scenes import (
    ALPHA,
    BETA,
    BOLTS,
    BY_PIET,
    CABLE,
    LENS,
    LOCALES,
    PEOPLE,
    connection,
    plain,
    transfer,
)


def changed(before: Transfer, after: Transfer) -> Phrase:
    """The card of `after`, which replaced the one of `before`."""
    changes = card_content.differences(card_content.of_transfer(before), card_content.of_transfer(after))
    us, peer = (BETA, "attraktor") if after.role == "receiver" else (ALPHA, "betaspace")
    return say(
        messages.transfer_card.transfer_card, transfer=after, us=us, peer_name=peer, people=PEOPLE, changes=changes
    )


def head(phrase: Phrase) -> list[str]:
    """The card's first lines, up to the deciders."""
    lines = plain(phrase).split("\n")
    (deciders,) = (number for number, line in enumerate(lines) if " can decide until " in line)
    return lines[1:deciders]


ELSEWHERE = Progress(1, part=9, part_name="Another bolt", match="name", place="Attic")
CHANGES: dict[str, tuple[Phrase, list[str]]] = {
    "the quantity": (
        changed(transfer(BOLTS), transfer(replace(BOLTS, quantity=Decimal(20)))),
        ["attraktor changed the quantity from 10 to 20."],
    ),
    "the part": (
        changed(transfer(BOLTS), transfer(replace(BOLTS, description=PartDescription("Mirror", "MIRROR-1")))),
        ["attraktor changed the part from M3 bolt, M3-BOLT to Mirror, MIRROR-1."],
    ),
    "the serial number": (
        changed(transfer(LENS), transfer(replace(LENS, serial="0043"))),
        ['attraktor changed the serial number from "0042" to "0043".'],
    ),
    "the condition": (
        changed(transfer(BOLTS), transfer(replace(BOLTS, status=55, status_text="Damaged"))),
        ["attraktor changed the condition from OK to Damaged."],
    ),
    "its destination": (
        changed(transfer(BOLTS), transfer(BOLTS, progress=(ELSEWHERE,))),
        ["Changed: its destination, from Our thing, Laser room to Another bolt, Attic."],
    ),
    "one thing more": (
        changed(transfer(BOLTS), transfer(BOLTS, replace(LENS, number=2))),
        ["attraktor added 1 × Laser lens 2.0″."],
    ),
    "one of several things": (
        changed(transfer(BOLTS, CABLE), transfer(BOLTS, replace(CABLE, quantity=Decimal(3)))),
        ["Speaker cable: attraktor changed the quantity from 1.5 m to 3 m."],
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_new_card_names_the_difference(case: str) -> None:
    phrase, expected = CHANGES[case]
    notice = "⚠ This card replaces the one before. Decide again, on this one."
    assert head(phrase) == [notice, *expected]


DAMAGED_LENS = replace(
    LENS, description=PartDescription("Lens"), serial="", status=55, status_text="Damaged", expiry=date(2026, 11, 1)
)
SAID: dict[str, Phrase] = {
    "a card that is out of force": say(messages.transfer_card.card_superseded, subject=transfer(BOLTS)),
    "a reaction on it": say(messages.transfer_card.card_is_superseded, subject=transfer(BOLTS)),
    "a reaction from before an edit": say(messages.transfer_card.card_has_changed, subject=connection()),
    "something else would be given": say(
        messages.transfer_card.another_thing_would_be_given,
        transfer=transfer(BOLTS),
        us=BETA,
        peer_name="attraktor",
        others=((replace(BOLTS, description=PartDescription("bolts")), (BOLTS,)),),
        why="other-thing",
    ),
    "it has a lending rule with a text to agree to": say(
        messages.transfer_card.another_thing_would_be_given,
        transfer=transfer(LENS),
        us=BETA,
        peer_name="attraktor",
        others=(),
        why="to-be-agreed",
        agrees_to=("laser safety briefing needed",),
    ),
    "what would be given is not in order": say(
        messages.transfer_card.another_thing_would_be_given,
        transfer=transfer(LENS),
        us=BETA,
        peer_name="attraktor",
        others=((LENS, (DAMAGED_LENS,)),),
        why="not-in-order",
    ),
    "its owner counts it in a unit of its own": say(
        messages.transfer_card.another_thing_would_be_given,
        transfer=transfer(BOLTS),
        us=BETA,
        peer_name="attraktor",
        others=((BOLTS, (replace(BOLTS, description=PartDescription("bolts", units="roll")),)),),
        why="other-unit",
    ),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot


# --- the card shows nothing that a decision isn't bound to --------------------------------------------------------

WHOLE = replace(
    LENS,
    batch="B1",
    packaging="box",
    expiry=date(2027, 1, 1),
    origin="gammaspace",
    description=PartDescription("Laser lens", "LENS-2", "a lens", "laser", "", "B", trackable=True),
)
OTHER: dict[str, Any] = {
    "quantity": Decimal(3),
    "expiry": date(2028, 2, 2),
    "status": 55,
    "whole": False,
    "stays": (Trait.FILES,),
}
PLACED = Progress(
    1, item=5, part=7, part_name="Ours", match="ipn", place="Shelf", category="Optics", location=3, status_key=11
)


def of_another_value(value: object, name: str) -> object:
    """Another value of the same kind."""
    if name in OTHER:
        return OTHER[name]
    if isinstance(value, PartDescription):
        return replace(value, name="Mirror")
    if isinstance(value, ItemDetails | PartDetails):
        return replace(value, notes="other notes")
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else f"{value}x"


@pytest.mark.parametrize("name", [field.name for field in fields(Line) if field.name != "number"])
def test_each_field_of_a_line_is_bound(name: str) -> None:
    before = transfer(WHOLE)
    other: dict[str, Any] = {name: of_another_value(getattr(WHOLE, name), name)}
    after = transfer(replace(WHOLE, **other))
    assert card_content.hash_of(card_content.of_transfer(before)) != card_content.hash_of(
        card_content.of_transfer(after)
    )


@pytest.mark.parametrize("name", [field.name for field in fields(PartDescription)])
def test_each_field_of_a_part_is_bound(name: str) -> None:
    told = WHOLE.description
    other: dict[str, Any] = {name: of_another_value(getattr(told, name), name)}
    after = transfer(replace(WHOLE, description=replace(told, **other)))
    assert card_content.hash_of(card_content.of_transfer(transfer(WHOLE))) != card_content.hash_of(
        card_content.of_transfer(after)
    )


@pytest.mark.parametrize("name", [field.name for field in fields(Landing)])
def test_the_destination_is_bound(name: str) -> None:
    before = transfer(WHOLE, progress=(PLACED,))
    other: dict[str, Any] = {name: of_another_value(getattr(PLACED, name), name)}
    after = transfer(WHOLE, progress=(replace(PLACED, **other),))
    assert card_content.hash_of(card_content.of_transfer(before)) != card_content.hash_of(
        card_content.of_transfer(after)
    )


TERMS: dict[str, Any] = {
    "kind": "request",
    "sender": "gammaspace",
    "receiver": "gammaspace",
    "note": "another note",
    "loan_until": date(2027, 3, 3),
    "parcel": True,
    "parent": "p" * 20,
    "time_zone": "Asia/Tokyo",
    "confirm": True,
    "starts": date(2027, 3, 1),
    "rules": LoanRules(agree=("laser safety briefing needed",)),
    "outside": LentBefore("f" * 20, "Repair Café", date(2026, 11, 1)),
}


@pytest.mark.parametrize("name", [f.name for f in fields(Terms) if f.name not in {"lines", "asker", "asker_name"}])
def test_each_field_of_the_terms_is_bound(name: str) -> None:
    before = transfer(WHOLE)
    after = replace(before, terms=replace(before.terms, **{name: TERMS[name]}))
    assert card_content.hash_of(card_content.of_transfer(before)) != card_content.hash_of(
        card_content.of_transfer(after)
    )


def test_requester_granter_and_deadline_are_bound() -> None:
    before = transfer(WHOLE)
    others = (
        replace(before, asked=BY_PIET),
        replace(before, granted=BY_PIET),
        replace(before, due=before.due + timedelta(days=1)),
    )
    hashes = {card_content.hash_of(card_content.of_transfer(each)) for each in (before, *others)}
    assert len(hashes) == 1 + len(others)


@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_the_card_is_drawn_from_the_model_alone(role: str) -> None:
    """A card that asks for a decision can only show the content of the model."""
    placed = (PLACED,) if role == "receiver" else ()
    whole = transfer(WHOLE, role=role, note="for Saturday", progress=placed)
    drawn = card_content.drawn(whole)
    assert card_content.of_transfer(drawn) == card_content.of_transfer(whole)
    named = {"exchange", "connection", "told", "peer_events", "card_event", "problem", "reminded", "shown"}
    bare = {field.name: getattr(Transfer, field.name, None) for field in fields(Transfer)}
    assert all(getattr(drawn, name) == bare[name] for name in named - {"connection"})


# --- the card that replaces another names each change in words ----------------------------------------------------

HERE = transfer(WHOLE, progress=(PLACED,))
BOOKING = Reserved("n4p8", "beta", date(2026, 12, 12), date(2026, 12, 19), name="betaspace", what="Laser lens")
OF_THE_CARD: dict[str, Any] = {
    "role": "sender",
    "due": HERE.due + timedelta(days=1),
    "landings": (None,),
    "granted_by": BY_PIET.person,
    "care": True,
    "hands_over": True,
    "obstacles": (Obstacle(1, Hindrance.LESS, Decimal(2)),),
    "over": (BOOKING,),
}
FRIENDSHIP = connection()
OF_THE_FRIENDSHIP: dict[str, Any] = {
    "peer_key": "e" * 64,
    "own_key": "f" * 64,
    "access": "direct",
    "makes_access": False,
    "generation": 2,
    "due": FRIENDSHIP.due + timedelta(days=1),
}


def with_each_field_changed(record: Any, others: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - records of any class
    """Each field's name, and the record with another value there: from `others`, or any other one."""
    for name in (field.name for field in fields(record)):
        other: Any = others[name] if name in others else of_another_value(getattr(record, name), name)
        yield name, replace(record, **{name: other})


def shown_otherwise() -> Iterator[tuple[str, card_content.Shown, card_content.Shown]]:
    """For each field that a card shows: its name, the original model, and one with another value."""
    card, friendship = card_content.of_transfer(HERE), card_content.of_connection(BETA, FRIENDSHIP)
    terms, line, landing = card.terms, card.terms.lines[0], card.landings[0]

    def with_line(other: Line) -> ShownTransfer:
        return replace(card, terms=replace(terms, lines=(other,)))

    for name, after in with_each_field_changed(card, {**OF_THE_CARD, "terms": terms}):
        yield name, card, after
    for name, other in with_each_field_changed(terms, {**TERMS, "lines": terms.lines, "asker_name": ""}):
        yield f"terms.{name}", card, replace(card, terms=other)
    for name, other in with_each_field_changed(line, {}):
        yield f"line.{name}", card, with_line(other)
    for name, other in with_each_field_changed(line.description, {}):
        yield f"part.{name}", card, with_line(replace(line, description=other))
    for name, other in with_each_field_changed(landing, {}):
        yield f"landing.{name}", card, replace(card, landings=(other,))
    for name, after in with_each_field_changed(friendship, OF_THE_FRIENDSHIP):
        yield f"friendship.{name}", friendship, after


def told(before: card_content.Shown, after: card_content.Shown, language: str) -> list[str]:
    """The sentences of the card for `after` about the one before it."""
    changes = card_content.differences(before, after)
    if isinstance(after, ShownTransfer):
        phrase = say(
            messages.transfer_card.transfer_card,
            transfer=HERE,
            us=BETA,
            peer_name="attraktor",
            people=PEOPLE,
            changes=changes,
        )
    else:
        phrase = say(
            messages.connect.connection_card,
            connection=FRIENDSHIP,
            us=BETA,
            fingerprint="",
            own_fingerprint="",
            people=[],
            emoji=(0,) * 7,
            changes=changes,
        )
    return plain(phrase, LOCALES[language]).split("\n")[2 : 2 + len(changes)]


@pytest.mark.parametrize("language", ["en", "de"])
def test_each_change_is_told_in_words(language: str, snapshot: SnapshotAssertion) -> None:
    table = []
    for name, before, after in shown_otherwise():
        there, back = told(before, after, language), told(after, before, language)
        assert (before == after) == (not there) == (not back), name
        table += [f"{name}: {sentence}" for sentence in dict.fromkeys([*there, *back])]
    assert not re.search(r"True|False|None|\w\(|\(\)|=", " ".join(table))
    assert "\n".join(table) == snapshot
