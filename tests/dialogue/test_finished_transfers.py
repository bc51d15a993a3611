"""Finished transfers are not in memory, and nothing that happens daily reads through all of them."""

from collections.abc import Iterator

import pytest

from fedbot.journal import archive
from fedbot.journal.journal import Journal
from fedbot.rules.model.transfer import Transfer
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends, told


def in_memory(space: Space) -> list[str]:
    return [each.id for each in space.bot.engine.state.everything() if isinstance(each, Transfer)]


async def after_some(times: int = 3) -> World:
    world = await friends()
    for _ in range(times):
        await world.hand_over()
    return world


async def test_a_finished_transfer_leaves_memory_and_stays_known() -> None:
    world = await after_some()
    assert [in_memory(space) for space in world.spaces] == [[], []]
    assert [len(space.turn.transfers()) for space in world.spaces] == [3, 3]
    first = world.alpha.turn.transfers()[0]
    line = world.anna.says(f"!fed show {first.code}")
    await world.settle()
    assert "10 × M3 nut" in world.answer_to(line)
    assert_books_balance(world)


async def test_a_start_reads_no_finished_transfers(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await after_some()
    monkeypatch.setattr(Journal, "transfer_at_rest", lambda *_: pytest.fail("it was read at the start"))
    _nobody_reads_it_all(monkeypatch)
    for space in world.spaces:
        await space.restart()
    await world.settle()


async def test_a_push_and_its_decision_do_not_read_through_the_past(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await after_some(22)
    read = _read_of_the_newest(monkeypatch)
    await world.hand_over()
    assert len(read) <= 20, "what was asked for a moment ago: whether this is the same again"
    assert [len(space.journal.ids_at_rest("")) for space in world.spaces] == [23, 23]
    assert not world.alpha.bot.quarantined()
    assert not world.beta.bot.quarantined()


async def test_the_history_reads_only_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await after_some(12)
    read = _read_of_the_newest(monkeypatch)
    line = world.anna.says("!fed history")
    await world.settle()
    assert "12" in world.answer_to(line)
    assert len(set(read)) <= 11


def _read_of_the_newest(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the ids of the transfers that `Journal.newest` yields from now on."""
    read: list[str] = []
    honest = Journal.newest

    def newest(self: Journal, *asked: object) -> Iterator[Transfer]:
        for transfer in honest(self, *asked):  # type: ignore[arg-type]
            read.append(transfer.id)
            yield transfer

    monkeypatch.setattr(Journal, "newest", newest)
    return read


def _nobody_reads_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Journal, "newest", lambda *_, **__: pytest.fail("the whole past was read"))


async def test_a_transfer_that_comes_to_rest_while_the_past_is_read_is_listed_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archive, "A_PAGE", 1)  # so that the file is read again and again
    world = await friends()
    waits = await world.push()
    await world.hand_over()
    await world.hand_over()
    newest, peers = world.alpha.turn.newest(), world.alpha.turn.with_peer("betaspace")
    told = [[next(newest).id], [next(peers).id]]
    world.cem.reacts(waits, "✅")
    await world.grace()
    assert not in_memory(world.alpha), "it has come to rest"
    told[0] += [transfer.id for transfer in newest]
    told[1] += [transfer.id for transfer in peers]
    assert [sorted(ids) for ids in told] == [sorted(t.id for t in world.alpha.turn.transfers())] * 2
    assert len(told[0]) == 3


async def test_a_message_about_a_finished_transfer_is_still_known_by_its_event() -> None:
    world = await after_some(1)
    (transfer,) = world.beta.turn.transfers()
    assert world.beta.turn.subject_of(transfer.asked.event_id) == transfer.id
    assert all(world.beta.turn.subject_of(event) == transfer.id for event in transfer.peer_events)
    assert told(world.room, "✅")
