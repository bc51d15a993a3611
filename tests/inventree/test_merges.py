"""Received items that have vanished, and the items that others were merged into."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from fedbot.inventree.client.versions import Version
from fedbot.rules.model.queries import FindItems, ItemsFound, Received
from tests.inventree.situations import LINK, merge_back
from tests.inventree.space import Space

TRANSFER = LINK.partition("fed:")[2].partition(":")[0]


async def look(space: Space, word: str, *received: Received) -> ItemsFound:
    answer = await space.inventory.answer(
        FindItems(word), lambda part: tuple(each for each in received if each.part == part)
    )
    assert isinstance(answer, ItemsFound)
    return answer


@pytest.fixture
def target(alpha: Space) -> int:
    """Our own bolts."""
    return int(alpha.item("M3-BOLT")["pk"])


@pytest.fixture
def brought(alpha: Space, target: int) -> Received:
    """Twenty bolts that came by a transfer, beside ours."""
    ours = alpha.stock(target)
    content = {"part": ours["part"], "quantity": "20", "location": ours["location"], "link": LINK}
    made = alpha.admin.post("stock/", content)
    row = made[0] if isinstance(made, list) else made
    return Received(TRANSFER, 1, int(row["pk"]), int(ours["part"]), Decimal(20))


def merge(space: Space, target: int, other: int) -> None:
    place = space.stock(target)["location"]
    space.admin.post("stock/merge/", {"items": [{"item": target}, {"item": other}], "location": place})


def split(space: Space, item: int, quantity: str) -> int:
    """A piece of it in another location."""
    content = {"items": [{"pk": item, "quantity": quantity}], "location": space.place("Workshop")}
    space.admin.post("stock/transfer/", content)
    entries = [entry for entry in space.history(item) if entry["tracking_type"] == 42]
    return max(int(entry["deltas"]["stockitem"]) for entry in entries)


async def test_an_existing_item_has_not_vanished_and_merges_are_not_queried(
    alpha: Space, target: int, brought: Received
) -> None:
    split(alpha, brought.item, "5")
    found = await look(alpha, f"#{target}", brought)
    assert (found.vanished, found.merged) == ((), ())


async def test_a_merged_item_has_vanished_and_the_target_says_when(
    alpha: Space, target: int, brought: Received
) -> None:
    merge(alpha, target, brought.item)
    found = await look(alpha, f"#{target}", brought)
    assert found.vanished == (brought,)
    assert [pk for pk, _ in found.merged] == [target]
    piece = split(alpha, target, "30")
    assert [pk for pk, _ in (await look(alpha, f"#{piece}", brought)).merged] == [piece]


async def test_a_merged_piece_has_vanished_but_a_used_up_one_has_not(
    alpha: Space, target: int, brought: Received
) -> None:
    alpha.admin.post("stock/remove/", {"items": [{"pk": brought.item, "quantity": "3"}]})
    assert (await look(alpha, f"#{target}", brought)).vanished == ()
    merge(alpha, target, split(alpha, brought.item, "5"))
    assert (await look(alpha, f"#{target}", brought)).vanished == (replace(brought, quantity=Decimal(5)),)


async def test_what_our_own_step_brings_back_is_no_merge_of_others(
    alpha: Space, target: int, brought: Received
) -> None:
    step = await merge_back(alpha)
    assert step.source == target
    await alpha.inventory.act(step)
    alpha.admin.delete(f"stock/{brought.item}/")
    found = await look(alpha, f"#{target}", brought)
    assert (found.vanished, found.merged) == ((brought,), ())
    place = alpha.stock(target)["location"]
    other = split(alpha, target, "10")
    content = {"items": [{"item": target}, {"item": other}], "location": place, "notes": f"{step.mark} again"}
    alpha.admin.post("stock/merge/", content)
    assert [pk for pk, _ in (await look(alpha, f"#{target}", brought)).merged] == [target], "ours happens only once"


async def test_a_merge_that_only_looks_like_ours_is_one_of_others(alpha: Space, target: int, brought: Received) -> None:
    """Somebody types our mark as a note, while what we have split off is still there."""
    step = await merge_back(alpha)
    place = alpha.stock(target)["location"]
    row = alpha.admin.post("stock/", {"part": brought.part, "quantity": "10", "location": place})
    items = [{"item": target}, {"item": row[0]["pk"]}]
    alpha.admin.post("stock/merge/", {"items": items, "location": place, "notes": f"{step.mark} put back here"})
    alpha.admin.delete(f"stock/{brought.item}/")
    assert [pk for pk, _ in (await look(alpha, f"#{target}", brought)).merged] == [target]


async def test_a_history_is_read_again_only_when_it_has_grown(alpha: Space, target: int, brought: Received) -> None:
    alpha.admin.post("stock/remove/", {"items": [{"pk": brought.item, "quantity": "3"}]})
    split(alpha, brought.item, "2")
    first = await _calls(alpha, f"#{target}", brought)
    assert await _calls(alpha, f"#{target}", brought) == first - 2  # its own history, and that of its piece
    piece = split(alpha, brought.item, "5")
    merge(alpha, target, piece)
    assert (await look(alpha, f"#{target}", brought)).vanished == (replace(brought, quantity=Decimal(5)),)


@pytest.mark.parametrize("by_part", [True, False])
async def test_histories_of_many_pieces_are_the_same_by_part_and_one_by_one(
    monkeypatch: pytest.MonkeyPatch, alpha: Space, target: int, brought: Received, *, by_part: bool
) -> None:
    monkeypatch.setattr(Version, "tells_history_of_parts", property(lambda _: by_part))
    alpha.admin.post("stock/remove/", {"items": [{"pk": brought.item, "quantity": "1"}]})
    pieces = [split(alpha, brought.item, "2") for _ in range(5)]
    calls = await _calls(alpha, f"#{target}", brought)
    plain = await _calls(alpha, f"#{target}", brought)
    assert calls - plain == (1 if by_part else 6)
    merge(alpha, target, pieces[2])
    assert (await look(alpha, f"#{target}", brought)).vanished == (replace(brought, quantity=Decimal(2)),)


async def test_a_history_that_the_parts_history_lacks_in_part_is_read_by_itself(
    alpha: Space, target: int, brought: Received
) -> None:
    alpha.admin.post("stock/remove/", {"items": [{"pk": brought.item, "quantity": "1"}]})
    pieces = [split(alpha, brought.item, "2") for _ in range(5)]
    merge(alpha, target, pieces[2])
    state = alpha.seeded.server.state
    for entry in list(state.tracking):
        if entry.item == brought.item:  # as if it had been of another part when that happened
            state.tracking.put(replace(entry, part=brought.part + 1))
    assert (await look(alpha, f"#{target}", brought)).vanished == (replace(brought, quantity=Decimal(2)),)


async def test_other_parts_cost_no_calls(alpha: Space, brought: Received) -> None:
    plain = await _calls(alpha, "#42")
    assert await _calls(alpha, "#42", brought) == plain


async def _calls(space: Space, word: str, *received: Received) -> int:
    """The number of calls, once the server itself is known."""
    await look(space, "#9999")
    before = space.network.calls
    await look(space, word, *received)
    return space.network.calls - before
