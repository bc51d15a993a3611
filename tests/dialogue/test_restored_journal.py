"""A database restored to yesterday doesn't know that it is a copy. The bot notices it by a mark at its homeserver."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from fedbot.journal.journal import Journal
from fedbot.journal.sqlite import SqliteDatabase
from fedbot.rules.model.lifecycles import TransferState
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends


def put_back(space: Space, yesterday: bytes) -> None:
    """Restore yesterday's rows of its database, without any trace of that."""
    database = SqliteDatabase(None)
    database._connection.deserialize(yesterday)
    space.journal = Journal(database, None, space.clock.now)


async def restart(space: Space, *, marks: bool) -> None:
    """As `Space.restart`, with a journal that could have been restored."""
    bot_of = space._bot

    def with_marks() -> object:
        bot = bot_of()
        if marks:
            bot.keep_marks()
        return bot

    space._bot = with_marks  # type: ignore[assignment,method-assign]
    await space.restart()


async def pushed(world: World) -> None:
    world.cem.reacts(await world.push("M3-NUT 10"), "✅")
    await world.grace()
    await world.settle()


@pytest.mark.parametrize("marks", [True, False], ids=["", "without marks"])
async def test_a_bot_whose_database_was_restored_to_yesterday_reads_what_it_has_done_since(*, marks: bool) -> None:
    world = await friends()
    alpha = world.alpha
    await restart(alpha, marks=marks)
    await world.settle()
    await alpha.bot.syncing.claim()
    yesterday = alpha.journal._database._connection.serialize()
    before = alpha.total("M3-NUT")
    await pushed(world)
    assert alpha.transfer().state is TransferState.DONE
    if marks:
        await alpha.bot.syncing.mark()
    said = len(world.room.messages(sender=alpha.chat.user_id))
    old_id = alpha.journal.journal_id

    put_back(alpha, yesterday)
    await restart(alpha, marks=marks)
    await world.settle()
    await world.grace()
    noticed = alpha.journal.journal_id != old_id
    assert noticed is marks
    if not marks:
        return  # it continues from yesterday, and uses its transaction ids a second time
    assert alpha.transfer().state is TransferState.DONE
    assert alpha.total("M3-NUT") == before - Decimal(10)
    assert_books_balance(world)
    assert len(world.room.messages(sender=alpha.chat.user_id)) == said, "nothing is said again"
    await pushed(world)
    await world.passes(timedelta(minutes=10))  # it looks before it acts, as after a backup
    assert alpha.total("M3-NUT") == before - Decimal(20)
    assert world.beta.transfer().state is TransferState.DONE

    await restart(alpha, marks=marks)
    assert not alpha.journal.recovers, "only once"
