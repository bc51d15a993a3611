"""Two people of one space act at the same moment, or one of them loses a right while a decision runs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fedbot.rules.model.lifecycles import FINAL, ConnectionState, TransferState
from tests.dialogue.test_lending import lent
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, friends, sharing

T = TransferState


async def with_two_superusers(world: World) -> World:
    """Piet is a superuser of Attraktor, too."""
    world.alpha.admin("PATCH", f"user/{world.alpha.user('piet').pk}/", is_superuser=True)
    await world.settle()
    return world


async def both_say(world: World, first: str, second: str) -> list[str]:
    """Anna and Piet type these lines before the bot reads either; return all answers to each line, as one text."""
    world.alpha.is_asleep = True
    lines = [world.anna.says(f"!fed {first}"), world.piet.says(f"!fed {second}")]
    await world.settle()
    world.alpha.is_asleep = False
    await world.grace()
    await world.passes(timedelta(minutes=20))
    return ["\n".join(answer.text for answer in world.room.answers(line)) for line in lines]


def assert_both_sides_agree(world: World) -> None:
    ends = [{t.id: (t.state, t.closed and t.closed.how) for t in space.turn.transfers()} for space in world.spaces]
    assert ends[0] == ends[1], world.room.transcript()
    assert all(space.bot.engine.failures == 0 for space in world.spaces)


@pytest.mark.parametrize(
    "second",
    [
        "gift {code}",
        "lost {code}",
        "return {code}",
        "extend {code} 2 weeks",
        "extend {code} until 20.12.",
        "show {code}",
    ],
)
@pytest.mark.parametrize("first", ["gift {code}", "lost {code}", "return {code}", "extend {code} 1 week"])
async def test_two_lines_about_one_loan_leave_one_truth_and_each_is_answered(first: str, second: str) -> None:
    world = await with_two_superusers(await lent())
    code = world.alpha.transfer().code
    answers = await both_say(world, first.format(code=code), second.format(code=code))
    assert all(answers), world.room.transcript()
    assert_both_sides_agree(world)
    assert_books_balance(world)


@pytest.mark.parametrize("second", ["lost", "back", "arrived"])
@pytest.mark.parametrize("first", ["lost", "back"])
async def test_two_superusers_settle_one_dispute_once(first: str, second: str) -> None:
    world = await with_two_superusers(await friends())
    world.cem.reacts(await world.push(), "📦")
    await world.grace()
    code = world.alpha.transfer().code
    world.bea.says(f"!fed missing {code}")
    await world.settle()
    answers = await both_say(world, f"resolve {code} --as {first}", f"resolve {code} --as {second}")
    assert all(answers), world.room.transcript()
    assert world.alpha.transfer().state in FINAL
    assert_both_sides_agree(world)
    settled = world.alpha.transfer().settled
    assert settled is not None
    assert settled.truth == {"back": "back", "lost": "lost"}[first], "the first line counts"


@pytest.mark.parametrize("line", ["push 10 M3-NUT to betaspace", "lend #42 to betaspace for 1 week"])
async def test_the_same_line_by_two_people_is_two_offers_at_most_and_never_more_than_is_there(line: str) -> None:
    world = await with_two_superusers(await friends())
    answers = await both_say(world, line, line)
    assert all(answers), world.room.transcript()
    for transfer in world.beta.turn.open_transfers():
        world.cem.reacts(transfer.own_card, "✅")
    await world.grace()
    await world.passes(timedelta(minutes=20))
    assert_both_sides_agree(world)
    assert_books_balance(world)


async def test_two_superusers_connect_and_disconnect_once() -> None:
    world = World()
    await with_two_superusers(await world.start())
    await both_say(world, "connect betaspace", "connect betaspace")
    assert len(world.alpha.turn.connections()) == 1
    world.bea.reacts(world.card(), "✅")
    await world.grace()
    await both_say(world, "disconnect betaspace --sure", "disconnect betaspace --sure --now")
    await world.passes(timedelta(hours=1))
    assert [space.connection().state for space in world.spaces] == [ConnectionState.ENDED] * 2
    assert all(space.bot.engine.failures == 0 for space in world.spaces)


async def test_an_approval_and_a_cancellation_in_one_sync_end_alike_on_both_sides() -> None:
    world = await sharing()
    card = await world.push()
    for space in world.spaces:
        space.is_asleep = True
    world.cem.reacts(card, "✅")
    world.anna.says(f"!fed cancel {world.alpha.transfer().code}")
    world.dilek.reacts(card, "❌")
    for space in world.spaces:
        space.is_asleep = False
    await world.grace()
    await world.passes(timedelta(minutes=20))
    assert world.alpha.transfer().state is T.CANCELLED
    assert_both_sides_agree(world)
    assert_books_balance(world)


async def test_an_approval_and_a_refusal_by_two_people_in_one_sync_count_in_their_order() -> None:
    for keys, ends in (("✅❌", T.DONE), ("❌✅", T.DECLINED)):
        world = await friends()
        card = await world.push()
        world.beta.is_asleep = True
        for person, key in zip((world.cem, world.dilek), keys, strict=True):
            person.reacts(card, key)
        world.beta.is_asleep = False
        await world.grace()
        assert world.alpha.transfer().state is ends
        assert_both_sides_agree(world)
        assert_books_balance(world)


async def test_an_approver_whom_a_superuser_removes_in_the_grace_has_not_decided() -> None:
    world = await friends()
    mia = world.newcomer("mia")
    world.bea.sets("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"}, room=world.beta_admins.id)
    world.bea.says(f"!fed people add {mia.user_id} as cem", room=world.beta_admins.id)
    await world.settle()
    mia.reacts(await world.push(), "✅")
    await world.settle()
    assert world.beta.transfer().decision
    world.bea.says(f"!fed people remove {mia.user_id}", room=world.beta_admins.id)
    await world.grace()
    assert world.beta.transfer().state is T.OPEN
    assert world.alpha.given("M3-NUT") == 0


async def test_an_approver_who_is_thrown_out_of_the_room_in_the_grace_has_decided_all_the_same() -> None:
    """InvenTree says who may decide, and a moderator doesn't: a kick neither makes nor breaks a decision."""
    world = await friends()
    world.cem.reacts(await world.push(), "✅")
    await world.settle()
    world.anna.kicks(world.cem.user_id)
    await world.grace()
    assert world.alpha.transfer().state is T.DONE
    assert "accepted by cem (Betaspace)" in world.card().text
    assert_books_balance(world)
