"""A peer's token is rotated a month before it expires; the old one is revoked only once the new one works."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import httpx
import pytest

from fedbot.rules.connection import provision
from fedbot.rules.model.connection import Connection
from fedbot_demo.inventree.faults import Fault, FaultKind
from fedbot_demo.inventree.records import Token
from fedbot_demo.inventree.tokens import issue_token
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends, told

A_DAY = timedelta(days=1)
DIRECT = {"peer_access": "direct"}
RENEWAL_DAY = date(2027, 10, 25)  # 30 days before the token expires


async def direct_friends() -> World:
    return await friends(alpha=dict(DIRECT), beta=dict(DIRECT))


async def comes(world: World, day: date, *, asleep: tuple[Space, ...] = ()) -> None:
    """Let time pass until early on that day."""
    noon = world.clock.now().replace(year=day.year, month=day.month, day=day.day, hour=0, minute=5)
    await world.passes(noon - world.clock.now(), asleep=asleep)


def connection(space: Space) -> Connection:
    (only,) = space.turn.connections()
    return only


def tokens(space: Space) -> list[tuple[str, bool]]:
    """The tokens of the peer's user, and whether each is valid."""
    rows: list[Token] = space.tables.tokens.find("user", connection(space).user)
    return [(row.name, not row.revoked) for row in rows]


def own_secret(space: Space) -> str:
    return space.vault.read(provision.own_reference(connection(space)))


def status(space: Space, secret: str) -> int:
    """The status of the InvenTree's answer to that token."""
    url = space.us.inventory_url
    with httpx.Client(transport=space.network[url], base_url=url) as client:
        return client.get("/api/stock/?limit=1", headers={"Authorization": f"Token {secret}"}).status_code


def vault(space: Space) -> list[str]:
    return sorted(space.vault.secrets)


def fails(space: Space, method: str, path: str) -> None:
    space.transport.faults.add(Fault(FaultKind.REFUSED, method=method, path=path, times=None))


def warnings(world: World) -> list[str]:
    """The number of days before the expiry at which attraktor's admins were warned."""
    told = [m.text for m in world.alpha_admins.messages() if "The token that I created for Betaspace expires" in m.text]
    return [text.partition(" expires in ")[2].partition(",")[0] for text in told]


# --- automatically ---


async def test_the_next_token_is_created_tested_and_only_then_the_old_one_revoked() -> None:
    world = await friends()
    old = [own_secret(space) for space in world.spaces]
    await comes(world, RENEWAL_DAY - A_DAY)
    assert tokens(world.alpha) == [("fed-betaspace-1-1", True)]
    await comes(world, RENEWAL_DAY)
    for space, secret, peer in zip(world.spaces, old, ("betaspace", "attraktor"), strict=True):
        assert tokens(space) == [(f"fed-{peer}-1-1", False), (f"fed-{peer}-1-2", True)]
        assert connection(space).token_expiry == date(2028, 10, 25)
        assert status(space, secret) in {401, 403}
        assert status(space, own_secret(space)) == 200
        assert vault(space) == [f"made-for/{peer}/1"]
    assert world.alpha_admins.transcript() + world.beta_admins.transcript() == ""


async def test_it_is_rotated_year_after_year() -> None:
    world = await friends()
    for space in world.spaces:
        for token in space.tables.tokens:  # the bot's own tokens expire before that, which other tests cover
            space.tables.tokens.put(replace(token, expiry=date(2099, 1, 1)))
    await comes(world, RENEWAL_DAY)
    await comes(world, date(2028, 9, 25))
    assert tokens(world.alpha)[-2:] == [("fed-betaspace-1-2", False), ("fed-betaspace-1-3", True)]


async def test_a_direct_friend_gets_the_new_token_sealed_and_tests_it_before_the_old_one_is_revoked() -> None:
    world = await direct_friends()
    assert vault(world.beta) == ["got-from/attraktor/1", "made-for/attraktor/1"]
    old = own_secret(world.alpha)
    await comes(world, RENEWAL_DAY)
    new = own_secret(world.alpha)
    assert new != old
    assert world.beta.vault.read(provision.peer_reference(connection(world.beta))) == new
    assert vault(world.beta) == ["got-from/attraktor/1", "made-for/attraktor/1"]
    assert tokens(world.alpha) == [("fed-betaspace-1-1", False), ("fed-betaspace-1-2", True)]
    said = str(world.server.log)
    assert old not in said
    assert new not in said


async def test_the_old_token_is_valid_until_a_direct_friend_has_tested_the_new_one() -> None:
    world = await direct_friends()
    old = own_secret(world.alpha)
    await comes(world, RENEWAL_DAY, asleep=(world.beta,))
    assert tokens(world.alpha) == [("fed-betaspace-1-1", True), ("fed-betaspace-1-2", True)]
    assert own_secret(world.alpha) == old
    assert warnings(world) == []
    await comes(world, date(2027, 11, 11), asleep=(world.beta,))
    assert warnings(world) == ["14 days"]
    assert "Is it running?" in world.alpha_admins.message("expires in 14 days").text
    await world.passes(timedelta(hours=2))
    assert tokens(world.alpha) == [("fed-betaspace-1-1", False), ("fed-betaspace-1-2", True)]
    assert "works, valid until" in world.alpha_admins.messages()[-1].text


async def test_a_direct_friend_that_can_not_use_the_new_token_says_so() -> None:
    world = await direct_friends()
    group = connection(world.alpha).group
    rules = world.alpha.tables.rule_sets
    stock = next(rule for rule in rules if rule.group == group and rule.name == "stock")
    rules.put(replace(stock, can_view=False))
    await comes(world, RENEWAL_DAY)
    assert warnings(world) == ["30 days"]
    reported = "The bot of Betaspace reported this problem with the new token"
    assert reported in world.alpha_admins.message("expires in 30 days").text
    assert tokens(world.alpha) == [("fed-betaspace-1-1", True), ("fed-betaspace-1-2", True)]
    rules.put(stock)
    await comes(world, RENEWAL_DAY + 2 * A_DAY)
    assert tokens(world.alpha) == [("fed-betaspace-1-1", False), ("fed-betaspace-1-2", True)]


# --- failures ---


async def test_it_is_done_later_if_our_inventree_is_down_that_day() -> None:
    world = await friends()
    await comes(world, RENEWAL_DAY - A_DAY)
    fails(world.alpha, "POST", "user/tokens")
    await comes(world, RENEWAL_DAY)
    assert tokens(world.alpha) == [("fed-betaspace-1-1", True)]
    world.alpha.transport.faults.clear()
    await world.passes(timedelta(hours=1))
    assert tokens(world.alpha) == [("fed-betaspace-1-1", False), ("fed-betaspace-1-2", True)]


async def test_a_token_whose_reply_got_lost_is_revoked_and_another_made() -> None:
    world = await friends()
    await comes(world, RENEWAL_DAY - A_DAY)
    world.alpha.transport.faults.add(Fault(FaultKind.TIMEOUT_AFTER, method="POST", path="user/tokens"))
    await comes(world, RENEWAL_DAY)
    await world.passes(timedelta(hours=2))
    assert tokens(world.alpha) == [
        ("fed-betaspace-1-1", False),
        ("fed-betaspace-1-2", False),
        ("fed-betaspace-1-3", True),
    ]
    assert connection(world.alpha).token_name == "fed-betaspace-1-3"
    assert status(world.alpha, own_secret(world.alpha)) == 200


async def test_without_an_admin_token_people_are_told_what_to_click_and_the_bot_notices_it() -> None:
    world = await friends()
    await world.alpha.restart(has_admin_token=False)
    await comes(world, RENEWAL_DAY)
    assert warnings(world) == ["30 days"]
    text = world.alpha_admins.message("expires in 30 days").text
    assert "a new token fed-betaspace-1-2 for the user fed-betaspace-1" in text
    assert "fedbot credentials add betaspace-1" in text
    await comes(world, date(2027, 11, 12))
    await comes(world, date(2027, 11, 22))
    assert warnings(world) == ["30 days", "14 days", "3 days"]
    state = world.alpha.tables
    user = state.users[connection(world.alpha).user or 0]
    by_hand = issue_token(state, user, "fed-betaspace-1-2")
    world.alpha.vault.keep(provision.own_reference(connection(world.alpha)), by_hand.key)
    await world.passes(timedelta(hours=2))
    assert connection(world.alpha).token_expiry == by_hand.expiry
    assert connection(world.alpha).renewal is None
    assert "Please revoke the old one in InvenTree: fed-betaspace-1-1" in world.alpha_admins.messages()[-1].text
    assert warnings(world) == ["30 days", "14 days", "3 days"]


async def test_an_admin_token_added_later_is_used() -> None:
    world = await friends()
    await world.alpha.restart(has_admin_token=False)
    await comes(world, RENEWAL_DAY)
    assert tokens(world.alpha) == [("fed-betaspace-1-1", True)]
    await world.alpha.restart(has_admin_token=True)
    await world.passes(timedelta(hours=2))
    assert tokens(world.alpha) == [("fed-betaspace-1-1", False), ("fed-betaspace-1-2", True)]
    assert "works, valid until" in world.alpha_admins.messages()[-1].text


async def test_admins_are_told_if_the_old_token_can_not_be_revoked() -> None:
    world = await friends()
    await comes(world, RENEWAL_DAY - A_DAY)
    fault = Fault(FaultKind.ERROR_BEFORE, method="DELETE", path="user/tokens", status=403, times=None)
    world.alpha.transport.faults.add(fault)
    await comes(world, RENEWAL_DAY)
    assert "I could not revoke it" in world.alpha_admins.messages()[-1].text
    assert status(world.alpha, own_secret(world.alpha)) == 200
    assert connection(world.alpha).token_name == "fed-betaspace-1-2"


async def test_restarts_in_between_change_nothing() -> None:
    world = await direct_friends()
    await comes(world, RENEWAL_DAY - A_DAY)
    await world.passes(timedelta(hours=24), asleep=(world.beta,))
    for space in world.spaces:
        await space.restart()
    await world.settle(asleep=(world.alpha,))
    await world.beta.restart()
    await world.passes(timedelta(hours=2))
    for space, peer in zip(world.spaces, ("betaspace", "attraktor"), strict=True):
        assert tokens(space) == [(f"fed-{peer}-1-1", False), (f"fed-{peer}-1-2", True)]
        assert space.bot.engine.failures == 0


async def test_a_friendship_that_ends_during_a_rotation_leaves_no_token_behind() -> None:
    world = await direct_friends()
    await comes(world, RENEWAL_DAY, asleep=(world.beta,))
    world.anna.says("!fed disconnect betaspace --sure")
    await world.settle()
    await world.passes(timedelta(hours=2))
    for space in world.spaces:
        assert not any(good for _, good in tokens(space))
        assert vault(space) == []


async def test_a_token_whose_friendship_ended_in_transit_leaves_no_gap_in_the_messages() -> None:
    world = await direct_friends()
    world.alpha.chat.limited_calls = 1  # the message with the token waits
    world.anna.says("!fed rotate betaspace")
    world.bea.says("!fed disconnect attraktor --sure --now")
    await world.settle()
    await world.passes(timedelta(days=2))
    assert [connection(space).exchange.awaiting for space in world.spaces] == [False, False]
    assert connection(world.alpha).exchange.sent == connection(world.beta).exchange.seen
    assert not told(world.alpha_admins, "I could not post")


# --- on request ---


@pytest.mark.parametrize("access", ["relayed", "direct"])
async def test_a_superuser_rotates_it_at_any_time(access: str) -> None:
    world = await (friends() if access == "relayed" else direct_friends())
    line = world.anna.says("!fed rotate betaspace")
    await world.settle()
    assert tokens(world.alpha) == [("fed-betaspace-1-1", False), ("fed-betaspace-1-2", True)]
    assert tokens(world.beta) == [("fed-attraktor-1-1", True)]
    answers = [message.text.splitlines()[0] for message in world.room.answers(line)]
    assert answers == [
        "I am rotating the token of Betaspace.",
        "✅ Betaspace has a new token, valid until Wed 24 Nov 2027.",
    ]


async def test_rotate_works_in_the_admin_room() -> None:
    world = await friends()
    world.anna.says("!fed rotate betaspace", room=world.alpha_admins.id)
    await world.settle()
    assert "has a new token" in world.alpha_admins.messages()[-1].text


async def test_only_a_superuser_rotates() -> None:
    world = await friends()
    line = world.piet.says("!fed rotate betaspace")
    await world.settle()
    assert "needs an InvenTree superuser" in world.room.answers(line)[0].text
    assert tokens(world.alpha) == [("fed-betaspace-1-1", True)]


async def test_rotating_without_an_admin_token_is_answered() -> None:
    world = await friends()
    await world.alpha.restart(has_admin_token=False)
    line = world.anna.says("!fed rotate betaspace")
    await world.settle()
    assert world.room.answers(line)[-1].text.startswith("Not done: Betaspace has no new token yet")
    assert warnings(world) == []


async def test_without_a_friend_there_is_nothing_to_rotate() -> None:
    world = await World().start()
    line = world.anna.says("!fed rotate betaspace")
    await world.settle()
    assert "aren't friends" in world.room.answers(line)[0].text
