"""People's talk stays private: the journal, its write-ahead log and its backups hold none of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from fedbot.journal.journal import Journal
from fedbot.ports.journal import Retention
from tests.dialogue.test_lending import lent
from tests.dialogue.test_recovery import is_restored
from tests.scenarios.space import Space
from tests.scenarios.world import World

CHATTER = "xylophone"
"""A word in everything that people say to each other in these tests, and nowhere else."""


async def friends_on_disk(folder: Path) -> World:
    """Two friends; Attraktor's bot stores its journal in `folder`."""
    world = World()
    keeps_on_disk(world.alpha, folder)
    await world.start()
    await world.connect()
    return world


def keeps_on_disk(space: Space, folder: Path) -> None:
    """The space's journal is a file, as it is for a real bot."""
    space.journal.close()
    space.journal = Journal.open(folder, space.clock.now)
    space.bot = space._bot()


def kept(space: Space, folder: Path) -> bytes:
    """Everything on the disk: the journal, its write-ahead log, and a backup made now."""
    space.journal.backup(folder / "backup.db")
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file())


async def test_talk_that_is_not_for_the_bot_never_reaches_the_disk(tmp_path: Path) -> None:
    world = await friends_on_disk(tmp_path)
    card = await world.push()
    first = world.anna.says(f"The {CHATTER} is out of tune")
    world.cem.says(f"Which {CHATTER}?", reply_to=first)
    world.cem.says(f"This is about the {CHATTER}", reply_to=card.event_id)
    world.cem.reacts(first, CHATTER)
    world.cem.shows(b"a photo", caption=CHATTER, reply_to=first)
    world.cem.edits(world.cem.says("Hm"), f"I mean the {CHATTER}")
    await world.settle()
    await world.passes(timedelta(minutes=1))
    assert CHATTER.encode() not in kept(world.alpha, tmp_path)


async def test_a_line_for_another_spaces_bot_is_not_stored_by_ours(tmp_path: Path) -> None:
    world = await friends_on_disk(tmp_path)
    world.cem.says(f"!fed push {CHATTER} 10 to attraktor")
    await world.settle()
    assert CHATTER.encode() not in kept(world.alpha, tmp_path)


async def test_a_line_to_the_bot_is_stored_until_its_time_is_over_and_then_deleted(tmp_path: Path) -> None:
    world = await friends_on_disk(tmp_path)
    line = world.anna.says(f"!fed push {CHATTER} 10 to betaspace")
    await world.settle()
    assert world.room.answers(line)
    assert CHATTER.encode() in kept(world.alpha, tmp_path)
    await world.passes(timedelta(days=8))
    world.alpha.journal.prune(Retention(lines=timedelta(days=7), messages=timedelta(days=7)))
    assert CHATTER.encode() not in kept(world.alpha, tmp_path)


async def test_a_bot_that_was_down_stores_no_talk_either(tmp_path: Path) -> None:
    world = await friends_on_disk(tmp_path)
    world.alpha.is_asleep = True
    world.anna.says(f"The {CHATTER} is out of tune")
    line = world.anna.says("!fed whoami")
    await world.settle()
    world.alpha.is_asleep = False
    await world.settle()
    assert world.room.answers(line), "what was for the bot is answered all the same"
    assert CHATTER.encode() not in kept(world.alpha, tmp_path)


async def test_a_copy_that_reads_what_it_missed_stores_no_talk_and_misses_nothing() -> None:
    """The copy doesn't know the card yet that somebody has replied to: it reads both at once."""
    world = await lent("M3-NUT 10")
    copy = world.alpha.journal._database._connection.serialize()
    world.bea.says("!fed return", reply_to=world.card().event_id)
    await world.settle()
    card = next(m for m in reversed(world.room.messages(sender=world.alpha.chat.user_id)) if m.reactions)
    world.alpha.is_asleep = True
    world.anna.says("one of them is scratched", reply_to=card.event_id)
    world.anna.says(f"and how is the {CHATTER}?")
    await is_restored(world.alpha, copy)
    await world.settle()
    assert world.alpha.transfer().remark == f"{world.anna.user_id}: one of them is scratched"
    assert CHATTER.encode() not in world.alpha.journal._database._connection.serialize()
