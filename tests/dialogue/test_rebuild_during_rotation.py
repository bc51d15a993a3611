"""A journal that is lost or restored while a peer's token is being rotated: the next rotation repairs it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from tests.dialogue.test_recovery import RESENDS, Stopped, is_rebuilt, is_restored, is_watched, side
from tests.dialogue.test_token_rotation import DIRECT, connection, own_secret, status, tokens, vault
from tests.scenarios.world import World, friends

EVERY = pytest.mark.parametrize("every", [9, pytest.param(2, marks=pytest.mark.long)])
ACCESS: list[dict[str, Any]] = [{"alpha": dict(DIRECT), "beta": dict(DIRECT)}, {}]


async def rotates(world: World) -> None:
    world.anna.says("!fed rotate betaspace")
    await world.settle()


async def calls_of_a_renewal(of: str, access: dict[str, Any]) -> int:
    world = await friends(**access)
    journal = await is_watched(side(world, of), 10**9)
    await rotates(world)
    return journal.calls


def is_sound(world: World, moment: int) -> None:
    """One token is valid, both sides have it where they should, and nothing else is left."""
    alpha, beta = world.alpha, world.beta
    good = [name for name, is_good in tokens(alpha) if is_good]
    assert good == [connection(alpha).token_name], f"{moment}: {tokens(alpha)}"
    assert status(alpha, own_secret(alpha)) == 200, moment
    assert connection(alpha).renewal is None, moment
    assert "made-for/betaspace/1" in vault(alpha)
    assert not [name for space in (alpha, beta) for name in vault(space) if name.endswith("/next")], moment
    if connection(beta).access == "direct":
        assert beta.vault.read("got-from/attraktor/1") == own_secret(alpha), moment


@pytest.mark.timeout(600)
@EVERY
@pytest.mark.parametrize("access", ACCESS, ids=["direct", "relayed"])
@pytest.mark.parametrize("of", ["sender", "receiver"])
async def test_the_next_rotation_repairs_a_journal_lost_in_the_middle_of_one(
    of: str, access: dict[str, Any], every: int
) -> None:
    for moment in range(1, await calls_of_a_renewal(of, access), every):
        world = await friends(**access)
        await is_watched(side(world, of), moment, stops=True)
        with suppress(Stopped):
            await rotates(world)
        await is_rebuilt(side(world, of))
        await world.passes(RESENDS)
        await rotates(world)
        await world.passes(RESENDS)
        is_sound(world, moment)


@pytest.mark.timeout(600)
@EVERY
@pytest.mark.parametrize("access", ACCESS, ids=["direct", "relayed"])
@pytest.mark.parametrize("of", ["sender", "receiver"])
async def test_a_backup_from_the_middle_of_a_rotation_is_restored_after_it(
    of: str, access: dict[str, Any], every: int
) -> None:
    for moment in range(1, await calls_of_a_renewal(of, access), every):
        world = await friends(**access)
        journal = await is_watched(side(world, of), moment)
        await rotates(world)
        await is_restored(side(world, of), journal.backup_taken)
        await world.passes(RESENDS)
        is_sound(world, moment)


async def test_after_keys_and_journal_from_before_a_rotation_are_restored_a_new_token_is_made() -> None:
    for access in ACCESS:
        world = await friends(**access)
        journal = await is_watched(world.alpha, 1)
        secrets = world.alpha.vault.secrets
        old = dict(secrets)
        await rotates(world)
        secrets.clear()
        secrets.update(old)
        await is_restored(world.alpha, journal.backup_taken)
        await world.passes(RESENDS)
        is_sound(world, 1)
        assert len([name for name, _ in tokens(world.alpha)]) == 3
