"""A sample of the crash points, some of each story; `make crash` tries all of them."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from tests.crash.campaign import Campaign, Deaths, Outcome, Point, campaigns, plays
from tests.crash.stories import STORIES
from tests.fakes.postgresql import Server

pytestmark = pytest.mark.asyncio(loop_scope="module")
GIVE, TAKE = 0, 1
Row = tuple[str, tuple[str, ...], tuple[str, ...]]
#: The most dangerous points: between an act and its journal entry, a decision and its message, a secret and its file.
#: Each row is one play of its story, in which the bots die at all of these points.
SAMPLE: tuple[Row, ...] = (
    (
        "connect-relayed",
        ("after commit EnvelopeSeen reveal #1", "after act MintToken #1"),
        ("after commit Reacted #1", "after vault keep #1"),
    ),
    (
        "push",
        ("after act TakeOut #1", "after POST stock/assign/ #1", "after commit EnvelopeSeen received #1"),
        ("after commit Answered ConfirmDecision #1", "after act CreateItem #1", "after POST stock/transfer/ #1"),
    ),
    ("parcel", ("after act HandOver #1", "after act Arrived #1"), ("after commit Said #1", "after act CreateItem #1")),
    (
        "refused",
        ("after act HandOver #1", "after act TakeBack #1"),
        ("after commit EnvelopeSeen sent #1", "after commit StepRefused BookIn #1"),
    ),
    ("extend", ("after commit Reacted #1", "after act Mirror #1"), ("after commit EnvelopeSeen extended #1",)),
    ("return", ("after act TakeBack #1",), ("after act TakeOut #1", "after act HandOver #1", "after act Arrived #1")),
    ("lend-again", ("after act HandOver #1",), ("after act BookInAgain #1", "after act PutAway #1")),
    (
        "return-one-by-one",
        ("after act TakeBack #1", "after act TakeBack #2"),
        ("after act HandOver #1", "after act HandOver #2"),
    ),
    ("photo", ("after act AttachPhoto #1",), ()),
    ("move", ("after commit RoomReplaced #1", "after act TakeOut #1"), ("after commit RoomReplaced #1",)),
    ("lost", (), ("after act WriteOff #1",)),
    ("gift", ("after POST stock/change_status/ #1",), ()),
    (
        "request",
        ("after commit Answered ConfirmDecision #1", "after act TakeOut #1"),
        ("before commit EnvelopeSeen granted #1", "after act CreateItem #1"),
    ),
    (
        "request-anyone",
        ("after act HandOver #1",),
        ("after commit EnvelopeSeen find #1", "before commit EnvelopeSeen granted #1", "after act CreateItem #1"),
    ),
    (
        "book",
        ("after commit Answered LookAtBooking #1", "after act TakeOut #1"),
        ("after commit EnvelopeSeen booked #1", "after act CreateItem #1"),
    ),
    (
        "turn",
        ("after commit Answered LookAtQueue #2", "after act HandOver #1"),
        ("after commit EnvelopeSeen place #2", "after act BookInAgain #1"),
    ),
    (
        "want",
        ("after commit Answered LookForWant #1", "after act TakeOut #1"),
        ("after commit Said #1", "after act CreateItem #1"),
    ),
    ("outside", ("after act MakeCompany #1", "after act HandOver #1", "after act TakeBack #1"), ()),
    (
        "here",
        ("after act TakeBack #1", "after act HandOver #1"),
        ("after commit Answered ConfirmDecision #1", "after act MarkAsHere #1"),
    ),
    ("find", ("after commit Answered FindForFriend #1",), ("after commit EnvelopeSeen find #1",)),
    ("stats", ("after commit Answered CountForFriend #1",), ("after commit EnvelopeSeen stats #1",)),
    (
        "rotate",
        ("after act MintToken #1", "after act RevokeToken #1"),
        ("after vault keep #1", "after act TryToken #1"),
    ),
    ("disconnect", ("after act EndAccess #1", "after act CloseCompany #1"), ("after act EndAccess #1",)),
)
#: With journals in PostgreSQL: around the claim, the new tables, the sealed keys, and a step.
IN_POSTGRESQL: tuple[Row, ...] = (
    (
        "connect-direct",
        ("after claim the space #1", "after open the journal #1", "after vault keep #1"),
        ("before write signing.key #1", "after write signing.key #1", "before vault keep #1"),
    ),
    (
        "push",
        ("before commit EnvelopeSeen approve #1", "after act TakeOut #1", "before finish Do HandOver #1"),
        ("after commit Answered ConfirmDecision #1", "after begin Do CreateItem #1", "after act CreateItem #1"),
    ),
)


def deaths_in(story: str, give: Sequence[str], take: Sequence[str]) -> Deaths:
    """A row of the sample as points."""
    return (*(Point(story, GIVE, name) for name in give), *(Point(story, TAKE, name) for name in take))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def grounds(postgresql: Server) -> AsyncIterator[dict[str, Campaign]]:
    # the path must be short because a socket is in it
    with tempfile.TemporaryDirectory(prefix="fc-") as folder:
        async with campaigns(Path(folder), ["", postgresql.url]) as (in_files, in_postgresql):
            yield {"sqlite": in_files, "postgresql": in_postgresql}


async def test_the_points_are_found_in_a_run_of_both_sides(grounds: dict[str, Campaign]) -> None:
    names = {(point.side, point.name) for point in await grounds["sqlite"].learn(["push"])}
    for one in (
        (GIVE, "after act HandOver #1"),
        (GIVE, "before POST stock/assign/ #1"),
        (TAKE, "after act CreateItem #1"),
        (TAKE, "before commit EnvelopeSeen sent #1"),
        (TAKE, "after send m.room.message noted #1"),
    ):
        assert one in names
    assert len(names) > 200, "a whole push, both sides"


async def test_the_sample_has_points_of_every_story_except_those_similar_to_another() -> None:
    assert {story for story, *_ in SAMPLE} | {"connect-direct", "lend", "disconnect-now"} == set(STORIES)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("journal", "row"),
    [
        pytest.param(journal, row, id=f"{row[0]}-{journal}")
        for journal, sample in (("sqlite", SAMPLE), ("postgresql", IN_POSTGRESQL))
        for row in sample
    ],
)
async def test_bots_that_die_there_go_on_and_both_sides_end_right(
    grounds: dict[str, Campaign], journal: str, row: Row
) -> None:
    deaths, outcome = deaths_in(*row), Outcome()
    await grounds[journal].try_plays([deaths], outcome, lambda _: None)
    assert not outcome.wrong
    assert not outcome.together
    assert not outcome.missed, "nobody died there: that point never came up"
    assert outcome.right == len(deaths)


async def test_each_point_is_tried_in_one_play_and_those_of_a_bot_are_far_apart() -> None:
    points = [Point("push", side, f"{number}") for side, count in ((GIVE, 5), (TAKE, 4)) for number in range(count)]
    points.append(Point("find", TAKE, "0"))
    found = plays(points, 2)
    assert sorted(map(str, (point for deaths in found for point in deaths))) == sorted(map(str, points))
    assert [[f"{point.side}{point.name}" for point in deaths] for deaths in found] == [
        ["00", "03", "10", "13"],
        ["01", "04", "11"],
        ["02", "12"],
        ["10"],
    ]
