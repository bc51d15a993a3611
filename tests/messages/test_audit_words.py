"""Every kind of audit entry has a sentence with all its places filled."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import Enum
from itertools import product
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from fedbot.messages.audit import FACTS, WORDS, entry_in_words, is_told
from fedbot.messages.language import Locale
from fedbot.rules.model import audit
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.diagnosis import ItemFault, OfItem, Plain
from fedbot.rules.model.lifecycles import Ending
from tests.scenarios.scenes import OUR_LOCALE

PLAIN: dict[Any, tuple[Any, ...]] = {
    str: ("word", ""),
    int: (7, 0),
    bool: (True, False),
    date: (date(2026, 12, 15),),
    datetime: (datetime(2026, 12, 15, 20, 14, tzinfo=UTC),),
}


def _values(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401
    if get_origin(hint) is tuple:
        return ((_values(get_args(hint)[0])[0],), ())
    if Plain in get_args(hint):
        return (OfItem(ItemFault.ALLOCATED, 7), *((None,) if type(None) in get_args(hint) else ()))
    return tuple(hint) if isinstance(hint, type) and issubclass(hint, Enum) else PLAIN[hint]


def _all_of(kind: type) -> Iterator[audit.Noted]:
    """The kind with each combination of fields that changes its sentence."""
    hints = get_type_hints(kind)
    for values in product(*(_values(hints[each.name]) for each in dataclasses.fields(kind))):
        yield kind(*values)


def test_every_kind_and_every_fact_has_a_sentence() -> None:
    assert isinstance(audit.Noted, types.UnionType)
    assert set(WORDS) == set(get_args(audit.Noted))
    assert set(FACTS) == set(audit.Fact)


@pytest.mark.parametrize("kind", get_args(audit.Noted), ids=lambda kind: kind.__name__)
def test_each_sentence_has_its_places_filled(kind: type) -> None:
    for noted in _all_of(kind):
        words = entry_in_words(OUR_LOCALE, noted)
        assert words
        assert not {"{", "}"} & set(words)
        assert not words.endswith(".")


@pytest.mark.parametrize(
    ("noted", "words"),
    [
        (audit.Decided(Choice.DAMAGED, audit.Stage.NOT_COUNTED), "wanted to say that it is damaged; it did not count"),
        (audit.LoanEnded(Ending.GIFT, in_part=True), "turned a part of it into a gift"),
        (audit.DueDate(date(2026, 12, 15)), "extended it until Tue 15 Dec 2026"),
        (audit.StepWasRefused(1, OfItem(ItemFault.ALLOCATED, 7)), "InvenTree refused it (allocated)"),
        (audit.ParcelHere(("2", "0.5")), "said that the parcel is here, without 2, 0.5 of it; booking in began"),
        (audit.InRoom(audit.RoomChange.REMOVED, "!r:x", "spam"), "was removed from !r:x (spam)"),
        (audit.PersonListed("@a:x", "anna", admin=False, added=True), "added @a:x as InvenTree user anna"),
        (audit.Matched("beta", "Nut", 7), "Nut of beta is part #7"),
        (audit.SetAside(4, "Ask", "boom" * 40), f"quarantined under the number 4: Ask ({'boom' * 9}boo…)"),
    ],
)
def test_a_sentence_contains_its_fields(noted: audit.Noted, words: str) -> None:
    assert entry_in_words(OUR_LOCALE, noted) == words


def test_a_german_space_reads_it_in_german() -> None:
    german = Locale("de", "Europe/Berlin")
    noted = audit.Happened(audit.Fact.KEYS_COMPARABLE)
    assert entry_in_words(german, noted) != entry_in_words(OUR_LOCALE, noted)


def test_queries_and_mirrored_entries_are_not_shown() -> None:
    untold: list[audit.Noted] = [audit.Said("show"), audit.StepWasDone("Mirror"), audit.StepWasDone("Label", 1)]
    assert [is_told(noted) for noted in untold] == [False, False, False]
    assert is_told(audit.Said("cancel"))
    assert is_told(audit.StepWasDone("PutAway", 1))
