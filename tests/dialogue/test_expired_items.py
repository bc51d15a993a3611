"""Cards say that an item is expired, and items of inactive parts or companies stay."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fedbot.rules.model.lifecycles import TransferState
from tests.scenarios.world import friends


@pytest.mark.parametrize(("days", "words"), [(-1, "⚠ expired (use by"), (0, "use by"), (1, "use by")])
async def test_an_expired_item_says_so_on_the_card(days: int, words: str) -> None:
    world = await friends()
    day = (world.clock.now() + timedelta(days=days)).date()
    world.alpha.admin("PATCH", f"stock/{world.alpha.item('M3-NUT').pk}/", expiry_date=day.isoformat())
    card = await world.push()
    assert words in card.text
    assert ("expired" in card.text) is (days < 0)


async def test_an_item_of_a_part_deactivated_after_the_offer_does_not_leave() -> None:
    world = await friends()
    card = await world.push()
    world.alpha.admin("PATCH", f"part/{world.alpha.part('M3-NUT').pk}/", active=False)
    before = world.alpha.total("M3-NUT")
    world.cem.reacts(card, "✅")
    await world.grace()
    assert world.alpha.transfer().state is TransferState.ABORTED
    assert world.alpha.total("M3-NUT") == before
    assert "Why: the part isn't active any more in the InvenTree of Attraktor." in world.card().text


async def test_nothing_leaves_for_a_deactivated_company() -> None:
    world = await friends()
    card = await world.push()
    company = world.alpha.connection().company
    world.alpha.admin("PATCH", f"company/{company}/", active=False)
    before = world.alpha.total("M3-NUT")
    world.cem.reacts(card, "✅")
    await world.grace()
    assert world.alpha.transfer().state is TransferState.ABORTED
    assert world.alpha.total("M3-NUT") == before
    assert world.alpha.given("M3-NUT") == 0
    assert "Why: the company Betaspace is inactive in the InvenTree of Attraktor." in world.card().text
    assert "set it active again" in world.card().text


async def test_an_item_of_a_locked_part_is_lent_and_given_like_any_other() -> None:
    world = await friends()
    for space, ipn in ((world.alpha, "M3-NUT"), (world.beta, "N-M3")):
        space.admin("PATCH", f"part/{space.part(ipn).pk}/", locked=True)
    await world.hand_over()
    assert world.alpha.transfer().state is TransferState.DONE
