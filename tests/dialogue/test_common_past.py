"""A past that both sides acknowledged can't be rewritten, and a side that only lost its journal is recognised."""

from __future__ import annotations

from dataclasses import replace

from fedbot.rules.model.transfer import Transfer
from tests.dialogue.test_recovery import is_rebuilt, is_restored
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends, told


def hashes(world: World) -> set[tuple[str, str]]:
    """Both sides' hashes of each direction of each transfer."""
    ours = {t.id: t.exchange for t in world.alpha.turn.transfers()}
    theirs = {t.id: t.exchange for t in world.beta.turn.transfers()}
    assert ours.keys() == theirs.keys()
    return {(ours[each].past_at(theirs[each].seen) or "lost", theirs[each].peer_past) for each in ours}


def rewrites(space: Space, **exchange: object) -> None:
    """Change the messages about its transfers in the space's journal."""
    changed: dict[tuple[str, str], Transfer | None] = {}
    for transfer in space.turn.transfers():
        changed["Transfer", transfer.id] = replace(
            transfer,
            exchange=replace(transfer.exchange, **exchange),  # type: ignore[arg-type]
        )
    space.knows_instead(dict(changed))


async def reconciles(world: World) -> str:
    return await world.answer(world.anna, "!fed reconcile betaspace")


async def test_both_sides_have_the_same_past() -> None:
    world = await friends()
    await world.hand_over()
    pairs = hashes(world)
    assert pairs
    assert all(ours == theirs != "" for ours, theirs in pairs)
    assert "agree" in await reconciles(world)
    assert not told(world.alpha_admins, "a past that differs")


async def test_a_friend_that_rewrote_messages_is_noticed_at_its_next_message() -> None:
    world = await friends()
    card = await world.push()
    rewrites(world.beta, peer_past="ab" * 32)
    world.cem.reacts(card, "✅")
    await world.grace()
    assert told(world.alpha_admins, "reports a past that differs from ours")
    assert "reports differ from ours" in await reconciles(world)


async def test_a_past_rewritten_after_the_end_is_named_by_reconcile() -> None:
    world = await friends()
    await world.hand_over()
    code = world.alpha.transfer().code
    rewrites(world.beta, peer_past="ab" * 32)
    answer = await reconciles(world)
    assert code in answer
    assert "reports differ from ours" in answer


async def test_a_restored_backup_does_not_count_as_a_rewritten_past() -> None:
    world = await friends()
    copy = world.beta.journal._database._connection.serialize()
    await world.hand_over()
    await is_restored(world.beta, copy)
    await world.settle()
    await world.hand_over("M3-NUT 5")
    assert not told(world.alpha_admins, "a past that differs")
    assert not told(world.beta_admins, "a past that differs")
    assert "reports differ from ours" not in await reconciles(world)


async def test_a_rebuilt_journal_does_not_count_as_a_rewritten_past() -> None:
    world = await friends()
    await world.hand_over()
    await is_rebuilt(world.beta)
    await world.settle()
    await world.hand_over("M3-NUT 5")
    assert not told(world.alpha_admins, "a past that differs")
    assert not told(world.beta_admins, "a past that differs")
    assert "reports differ from ours" not in await reconciles(world)
