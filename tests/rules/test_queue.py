"""The queue: first come, first served, and nothing for two at once, whatever happens and whenever an item is free."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fedbot.rules.loan import waiting_list
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.lending import QueueEntry
from fedbot.rules.model.lifecycles import PLACE_ARROWS, PlaceState, allows
from fedbot.rules.model.queries import ItemsFound
from fedbot.rules.model.stock import Part, StockItem
from fedbot.rules.state import State, Turn
from tests.fakes.archive import RememberedArchive
from tests.scenarios.scenes import ALPHA

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LENS = Part(7, "Laser lens", "LENS-2")
ITEMS = (1, 2, 3)
WORDS = st.sampled_from(["LENS-2", "#1", "#2", "#3"])
FREE = st.frozensets(st.sampled_from(ITEMS))
STEPS: st.SearchStrategy[list[tuple[str, Any, frozenset[int]]]] = st.lists(
    st.one_of(
        st.tuples(st.just("join"), WORDS, st.just(frozenset())),
        st.tuples(st.sampled_from(["leave", "lapse", "look"]), st.integers(0, 9), FREE),
    ),
    max_size=25,
)


def found(word: str, free: frozenset[int]) -> ItemsFound:
    """InvenTree's stock of it; items that aren't free are at a customer."""
    meant = [pk for pk in ITEMS if word in {"LENS-2", f"#{pk}"}]
    return ItemsFound(
        tuple(StockItem(pk, LENS, Decimal(1), customer=None if pk in free else 5) for pk in meant),
    )


class Space:
    """One space's queue of its own people, without a bot around it."""

    def __init__(self) -> None:
        self.state = State(ALPHA, lambda *_: {}, lambda _: "0" * 64, RememberedArchive())
        self.number = 0

    def does(self, what: Any, *given: Any) -> None:  # noqa: ANN401 - any of the queue's rules
        turn = Turn(self.state, NOW + timedelta(minutes=self.number))
        what(turn, *given)
        self.state.apply(turn)

    @property
    def entries(self) -> list[QueueEntry]:
        return Turn(self.state, NOW).queue()

    def joins(self, word: str) -> None:
        self.number += 1
        name = f"person-{self.number}"
        by = Signature(f"@{name}:x", name, "attraktor", NOW, f"${name}", name)
        wait = f"wait-{self.number}"
        entry = QueueEntry(wait, wait, "attraktor", "", "!room", word, Decimal(1), 0, NOW, by)
        self.does(waiting_list.join_ours, entry, found(word, frozenset()))

    def looks(self, entry: QueueEntry, free: frozenset[int]) -> None:
        if not entry.kept:
            self.does(waiting_list.update, entry, found(f"#{entry.item}" if entry.item else "LENS-2", free))


@given(STEPS)
def test_nobody_is_passed_over_and_nothing_is_kept_for_two(steps: list[tuple[str, Any, frozenset[int]]]) -> None:
    space = Space()
    for what, which, free in steps:
        before = space.entries
        if what == "join":
            space.joins(which)
            assert space.entries[:-1] == before, "who comes stands behind all others"
            continue
        if not before:
            continue
        entry = before[which % len(before)]
        if what == "look":
            space.looks(entry, free)
        else:
            space.does(waiting_list.end, entry, PlaceState.LEFT if what == "leave" else PlaceState.LAPSED)
        kept = [each.kept for each in space.entries if each.kept]
        assert len(kept) == len(set(kept))
        for given_now in (each for each in space.entries if each.kept):
            was_kept = any(each.id == given_now.id and each.kept for each in before)
            earlier = [each for each in before if each.number < given_now.number and not each.kept]
            passed = [each for each in earlier if each.waits_for(given_now.kept, LENS.pk)]
            assert was_kept or not passed, "somebody who came before would have liked it"


def test_a_finished_entry_stays_finished() -> None:
    ends = set(PlaceState) - {PlaceState.ASKED, PlaceState.WAITING, PlaceState.TURN}
    assert not ends & set(PLACE_ARROWS)
    assert allows(PlaceState.WAITING, PlaceState.TURN)
    assert not allows(PlaceState.LEFT, PlaceState.WAITING)
