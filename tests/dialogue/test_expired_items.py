"""What is past its date stands so on the card; a part that is inactive by now stays where it is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fedbot.rules.model.transfer_lifecycle import TransferState
from tests.dialogue.world import friends


@pytest.mark.parametrize(("days", "words"), [(-1, "⚠ expired (use by"), (0, "use by"), (1, "use by")])
async def test_an_expired_item_says_so_on_the_card(days: int, words: str) -> None:
    world = await friends()
    day = (world.clock.now() + timedelta(days=days)).date()
    world.alpha.admin("PATCH", f"stock/{world.alpha.item('M3-NUT').pk}/", expiry_date=day.isoformat())
    card = await world.push()
    assert words in card.text
    assert ("expired" in card.text) is (days < 0)


async def test_a_part_that_was_set_inactive_after_the_offer_does_not_leave() -> None:
    world = await friends()
    card = await world.push()
    world.alpha.admin("PATCH", f"part/{world.alpha.part('M3-NUT').pk}/", active=False)
    before = world.alpha.total("M3-NUT")
    world.cem.reacts(card, "✅")
    await world.grace()
    assert world.alpha.transfer().state is TransferState.ABORTED
    assert world.alpha.total("M3-NUT") == before
    assert "Why: the part isn't active any more in Attraktor's InvenTree." in world.card().text
