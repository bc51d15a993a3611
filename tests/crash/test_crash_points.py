"""A sample of the crash points, some of each story; `make crash` tries them all."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.crash.campaign import Campaign, Outcome, Point, campaigns
from tests.crash.stories import STORIES

pytestmark = pytest.mark.asyncio(loop_scope="module")
GIVE, TAKE = 0, 1
#: Where it hurts most: between an act and its note, a decision and its message, a secret and its place.
SAMPLE = (
    Point("connect-relayed", GIVE, "after act MintToken #1"),
    Point("push", GIVE, "after POST stock/assign/ #1"),
    Point("push", TAKE, "after act CreateItem #1"),
    Point("parcel", TAKE, "after commit Said #1"),
    Point("refused", GIVE, "after act TakeBack #1"),
    Point("extend", GIVE, "after commit Reacted #1"),
    Point("return", GIVE, "after act TakeBack #1"),
    Point("lend-again", TAKE, "after act BookInAgain #1"),
    Point("return-one-by-one", GIVE, "after act TakeBack #2"),
    Point("photo", GIVE, "after act AttachPhoto #1"),
    Point("move", TAKE, "after commit RoomReplaced #1"),
    Point("lost", TAKE, "after act WriteOff #1"),
    Point("gift", GIVE, "after POST stock/change_status/ #1"),
    Point("request", GIVE, "after commit Answered ConfirmDecision #1"),
    Point("request", TAKE, "before commit EnvelopeSeen granted #1"),
    Point("request-anyone", TAKE, "before commit EnvelopeSeen granted #1"),
    Point("book", GIVE, "after commit Answered LookAtBooking #1"),
    Point("turn", GIVE, "after commit Answered LookAtQueue #2"),
    Point("find", GIVE, "after commit Answered FindForFriend #1"),
    Point("stats", GIVE, "after commit Answered CountForFriend #1"),
    Point("rotate", GIVE, "after act MintToken #1"),
    Point("disconnect", GIVE, "after act EndAccess #1"),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def campaign() -> AsyncIterator[Campaign]:
    # a short path: a socket is in it
    with tempfile.TemporaryDirectory(prefix="fc-") as folder:
        async with campaigns(Path(folder), 1) as (made,):
            yield made


async def test_the_points_are_learned_from_a_run_of_both_sides(campaign: Campaign) -> None:
    names = {(point.side, point.name) for point in await campaign.learn(["push"])}
    for one in (
        (GIVE, "after act HandOver #1"),
        (GIVE, "before POST stock/assign/ #1"),
        (TAKE, "after act CreateItem #1"),
        (TAKE, "before commit EnvelopeSeen sent #1"),
        (TAKE, "after send m.room.message noted #1"),
    ):
        assert one in names
    assert len(names) > 200, "a whole push, both sides"


async def test_the_sample_has_a_point_of_every_story_but_those_that_another_is_like() -> None:
    assert {point.story for point in SAMPLE} | {"connect-direct", "lend", "disconnect-now"} == set(STORIES)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("point", SAMPLE, ids=str)
async def test_a_bot_that_dies_there_goes_on_and_both_sides_end_right(campaign: Campaign, point: Point) -> None:
    outcome = Outcome()
    await campaign.try_points([point], outcome, lambda _: None)
    assert not outcome.wrong
    assert outcome.right == 1, "nobody died: that point never came up"
