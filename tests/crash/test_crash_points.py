"""A sample of the crash points of UC1 and UC2; `make crash` tries them all."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.crash.campaign import Campaign, Outcome, Point, campaigns

pytestmark = pytest.mark.asyncio(loop_scope="module")
SAMPLE = {"connect-relayed": 2, "push": 5}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def campaign() -> AsyncIterator[Campaign]:
    # a short path: a socket is in it
    with tempfile.TemporaryDirectory(prefix="fc-") as folder:
        async with campaigns(Path(folder), 1) as (made,):
            yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def points(campaign: Campaign) -> list[Point]:
    return await campaign.learn(tuple(SAMPLE))


async def test_the_points_are_learned_from_a_run_of_both_sides(points: list[Point]) -> None:
    names = {(point.story, point.side, point.name) for point in points}
    for one in (
        ("connect-relayed", 0, "after act MintToken #1"),
        ("connect-relayed", 1, "before vault keep #1"),
        ("push", 0, "after act HandOver #1"),
        ("push", 0, "before POST stock/assign/ #1"),
        ("push", 1, "after act CreateItem #1"),
        ("push", 1, "before commit EnvelopeSeen sent #1"),
        ("push", 1, "after send m.room.message noted #1"),
    ):
        assert one in names
    assert len([point for point in points if point.story == "push"]) > 200, "a whole push, both sides"


@pytest.mark.timeout(240)
@pytest.mark.parametrize("story", SAMPLE)
async def test_a_bot_that_dies_anywhere_goes_on_and_both_sides_end_right(
    campaign: Campaign, points: list[Point], story: str
) -> None:
    of_story = [point for point in points if point.story == story]
    step = len(of_story) // SAMPLE[story]
    sample = of_story[step // 2 :: step][: SAMPLE[story]]
    outcome = Outcome()
    await campaign.try_points(list(sample), outcome, lambda _: None)
    assert not outcome.wrong
    assert outcome.right == len(sample), f"never came up: {outcome.missed}"
