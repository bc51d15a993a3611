"""UC1: two spaces become friends, or fail to."""

from __future__ import annotations

from datetime import timedelta

from fedbot.rules.model.lifecycles import ConnectionState
from fedbot_demo.inventree.faults import FaultKind
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import GRACE, World, a_world, friends, nothing, protocol_messages, told

ACTIVE, ASKED, CANCELLED = ConnectionState.ACTIVE, ConnectionState.ASKED, ConnectionState.CANCELLED
DECLINED, EXPIRED, MAKING, OFFERED = (
    ConnectionState.DECLINED,
    ConnectionState.EXPIRED,
    ConnectionState.MAKING,
    ConnectionState.OFFERED,
)
WEEK = timedelta(days=7)


async def test_anna_asks_bea_approves_and_both_are_friends() -> None:
    world = await a_world()
    assert "Asked Betaspace" in await world.answer(world.anna, "!fed connect betaspace")
    card = world.card()
    assert card.mentions == (world.bea.user_id,)
    assert "Bea" in card.text
    assert list(card.reactions) == ["✅", "❌"]
    world.bea.reacts(card, "✅")
    await world.grace()
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]
    end = world.room.message("Attraktor and Betaspace are friends")
    assert set(end.mentions) == {world.anna.user_id, world.bea.user_id}
    assert "✅" in world.card().text
    assert_books_balance(world)


async def test_each_side_makes_an_account_a_token_and_a_company_for_the_other() -> None:
    world = await friends()
    for space, peer in ((world.alpha, world.beta), (world.beta, world.alpha)):
        user = space.user(f"fed-{peer.party}-1")
        assert user.last_name == space.connection().id
        assert (user.is_superuser, user.is_staff, user.is_active) == (False, False, True)
        company = space.tables.companies[space.connection().company]
        assert (company.name, company.is_customer, company.active) == (peer.name, True, True)
        assert space.vault.read(f"made-for/{peer.party}/1")
        mirrored = space.metadata("company", company.pk)
        assert (mirrored["connection"], mirrored["state"]) == (space.connection().id, "active")


async def test_both_cards_show_the_fingerprint_of_the_other_sides_key() -> None:
    world = await a_world()
    await world.asks_to_connect()
    asked = world.room.message("Asked Betaspace").text
    card = world.card().text
    world.anna.says("!fed spaces")
    await world.settle()
    fingerprints = [word for word in asked.split() if word.count("-") == 4]
    assert len(fingerprints) == 1
    assert fingerprints[0] in card, "Bea's card shows her own key too, to compare"


async def test_only_a_superuser_can_ask() -> None:
    world = await a_world()
    answer = await world.answer(world.piet, "!fed connect betaspace")
    assert "superuser" in answer
    assert "Anna" in answer
    assert world.alpha.turn.connections() == []


async def test_an_approver_of_the_other_space_can_not_agree() -> None:
    world = await a_world()
    await world.asks_to_connect()
    card = world.card()
    world.cem.reacts(card, "✅")
    await world.grace()
    assert "superuser" in world.room.answers(card)[-1].text
    assert world.beta.connection().state is OFFERED
    world.bea.reacts(card, "✅")
    await world.grace()
    assert world.beta.connection().state is ACTIVE


async def test_bea_declines_and_anna_hears_of_it_at_once() -> None:
    world = await a_world()
    await world.asks_to_connect()
    world.bea.reacts(world.card(), "❌")
    await world.grace()
    assert [space.connection().state for space in world.spaces] == [DECLINED, DECLINED]
    end = world.room.messages(sender=world.alpha.chat.user_id)[-1]
    assert end.mentions == (world.anna.user_id,)
    assert "Bea declined" in end.text
    assert world.beta.tables.users.find("username", "fed-attraktor-1") == []
    assert_books_balance(world)


async def test_a_lost_refusal_is_sent_again() -> None:
    world = await a_world()
    await world.asks_to_connect()
    world.bea.reacts(world.card(), "❌")
    await world.settle()
    world.server.loses = protocol_messages
    await world.grace()
    world.server.loses = nothing
    await world.passes(timedelta(minutes=2))
    assert world.alpha.connection().state is DECLINED


async def test_it_ends_on_both_sides_if_nobody_answers_for_a_week() -> None:
    world = await a_world()
    await world.asks_to_connect()
    await world.passes(WEEK + timedelta(hours=1))
    assert [space.connection().state for space in world.spaces] == [EXPIRED, EXPIRED]
    assert "Expired" in world.card().text
    line = world.bea.says("!fed approve", reply_to=world.card())
    await world.grace()
    assert "is closed" in world.answer_to(line)
    assert_books_balance(world)


async def test_an_approval_in_the_last_minute_counts_though_the_bot_was_down_then() -> None:
    world = await a_world()
    await world.asks_to_connect()
    card = world.card()
    await world.passes(WEEK - timedelta(minutes=5))
    for space in world.spaces:
        space.is_asleep = True
    world.bea.reacts(card, "✅")
    await world.passes(timedelta(hours=1))
    await world.beta.restart()
    await world.grace()
    assert world.beta.connection().state is not EXPIRED
    await world.alpha.restart()
    await world.passes(timedelta(minutes=2))
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]


async def test_an_approval_after_the_deadline_does_not_count() -> None:
    world = await a_world()
    await world.asks_to_connect()
    card = world.card()
    world.beta.is_asleep = True
    await world.passes(WEEK + timedelta(minutes=1))
    world.bea.reacts(card, "✅")
    await world.beta.restart()
    await world.grace()
    assert world.beta.connection().state in {EXPIRED, CANCELLED}
    assert world.beta.tables.users.find("username", "fed-attraktor-1") == []


async def test_anna_takes_it_back_before_anybody_has_decided() -> None:
    world = await a_world()
    await world.asks_to_connect()
    assert "Taken back" in await world.answer(world.anna, "!fed cancel", reply_to=world.room.message("Asked Betaspace"))
    assert [space.connection().state for space in world.spaces] == [CANCELLED, CANCELLED]
    assert "Cancelled" in world.card().text
    assert_books_balance(world)


async def test_when_approval_and_cancellation_cross_everything_is_removed_again() -> None:
    world = await a_world()
    await world.asks_to_connect()
    world.bea.reacts(world.card(), "✅")
    await world.settle()
    world.alpha.is_asleep = True
    await world.grace()
    assert world.beta.user("fed-attraktor-1").is_active
    world.beta.is_asleep, world.alpha.is_asleep = True, False
    world.server.loses = protocol_messages
    world.anna.says("!fed cancel", reply_to=world.room.message("Asked Betaspace"))
    await world.settle()
    world.server.loses = nothing
    world.beta.is_asleep = False
    await world.passes(timedelta(minutes=15))
    assert [space.connection().state for space in world.spaces] == [CANCELLED, CANCELLED]
    assert not world.beta.user("fed-attraktor-1").is_active
    assert all(token.revoked for token in world.beta.tables.tokens if token.name.startswith("fed-"))
    assert_books_balance(world)


async def test_access_that_is_being_made_during_a_cancellation_is_removed_too() -> None:
    world = await a_world()
    await world.asks_to_connect()
    world.bea.reacts(world.card(), "✅")
    await world.settle()
    world.beta.fails(FaultKind.TIMEOUT_AFTER, "POST", "/api/user/$")
    world.alpha.is_asleep = True
    await world.grace()
    world.alpha.is_asleep = False
    world.anna.says("!fed cancel", reply_to=world.room.message("Asked Betaspace"))
    await world.passes(timedelta(minutes=10))
    assert world.beta.connection().state is CANCELLED
    assert not world.beta.user("fed-attraktor-1").is_active
    assert_books_balance(world)


async def both_ask_at_once(world: World) -> None:
    """Neither bot has read the other's request when its own goes out."""
    world.server.loses = protocol_messages
    world.anna.says("!fed connect betaspace")
    world.bea.says("!fed connect attraktor")
    await world.settle()
    assert [space.connection().state for space in world.spaces] == [ASKED, ASKED]
    world.server.loses = nothing
    await world.passes(timedelta(minutes=2))


async def test_when_both_ask_at_once_each_request_approves_the_other() -> None:
    world = await a_world()
    await both_ask_at_once(world)
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]
    assert world.alpha.connection().id == world.beta.connection().id
    assert told(world.room, "asked us at the same moment")
    assert_books_balance(world)


async def test_asking_a_space_that_has_asked_is_an_approval_with_its_grace() -> None:
    world = await a_world()
    await world.asks_to_connect()
    assert "counts in 5 seconds" in await world.answer(world.bea, "!fed connect attraktor")
    await world.passes(GRACE + timedelta(seconds=1))
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]


async def test_a_request_under_a_lower_generation_is_corrected_and_sent_again_automatically() -> None:
    world = await a_world()
    await world.asks_to_connect()
    world.bea.reacts(world.card(), "❌")
    await world.grace()
    world.alpha.forgets_connections()
    world.anna.says("!fed connect betaspace")
    await world.settle()
    assert world.alpha.connection().generation == 2
    world.bea.reacts(world.card(), "✅")
    await world.grace()
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]


async def test_when_both_ask_under_different_generations_the_higher_one_wins() -> None:
    world = await a_world()
    await world.asks_to_connect()
    world.bea.reacts(world.card(), "❌")
    await world.grace()
    world.alpha.forgets_connections()
    await both_ask_at_once(world)
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]
    assert {space.connection().generation for space in world.spaces} == {2}
    assert_books_balance(world)


async def test_a_space_that_asks_too_often_in_a_day_is_heard_the_day_after() -> None:
    """Nothing is stored of the surplus, because it costs a peer nothing to ask without end."""
    world = await a_world()
    for _ in range(2):
        await world.asks_to_connect()
        world.bea.reacts(world.card(), "❌")
        await world.grace()
    kept = len(world.beta.turn.connections())
    world.anna.says("!fed connect betaspace")
    await world.settle()
    assert "I have reached today's limit of such requests" in world.room.messages()[-1].text
    assert len(world.beta.turn.connections()) == kept
    await world.passes(timedelta(hours=20))
    assert len(told(world.room, "today's limit of such requests")) == 1
    assert len(world.beta.turn.connections()) == kept
    await world.passes(timedelta(days=2))
    assert world.beta.connection().state is OFFERED
    world.bea.reacts(world.card(), "✅")
    await world.grace()
    assert [space.connection().state for space in world.spaces] == [ConnectionState.ACTIVE] * 2


async def test_spaces_that_are_already_friends_are_told_so() -> None:
    world = await friends()
    assert "We are already friends with Betaspace" in await world.answer(world.anna, "!fed connect betaspace")


async def test_the_room_is_told_once_that_the_other_bot_is_silent() -> None:
    world = await a_world()
    world.beta.is_asleep = True
    await world.asks_to_connect()
    await world.passes(timedelta(hours=3))
    silent = [m for m in world.room.messages() if "has not answered for 11 minutes" in m.text]
    assert len(silent) == 1
    await world.beta.restart()
    await world.settle()
    world.bea.reacts(world.card(), "✅")
    await world.grace()
    await world.passes(timedelta(minutes=2))
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]
    assert_books_balance(world)


async def test_inventree_is_down_before_the_card_which_comes_when_it_is_back() -> None:
    world = await a_world()
    world.beta.goes_down()
    await world.asks_to_connect()
    assert told(world.beta_admins, "does not answer")
    await world.passes(timedelta(minutes=20))
    world.beta.comes_back()
    await world.passes(timedelta(minutes=10))
    world.bea.reacts(world.card(), "✅")
    await world.grace()
    await world.passes(timedelta(minutes=2))
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]


async def test_inventree_is_down_while_the_access_is_made_which_goes_on_later() -> None:
    world = await a_world()
    await world.asks_to_connect()
    world.bea.reacts(world.card(), "✅")
    await world.settle()
    world.alpha.goes_down()
    await world.grace()
    await world.passes(timedelta(minutes=20))
    assert world.alpha.connection().state is MAKING
    world.alpha.comes_back()
    await world.passes(timedelta(minutes=10))
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]
    assert_books_balance(world)


async def test_a_bot_without_a_friend_knows_nobody_of_that_name() -> None:
    world = await a_world()
    assert "!fed connect betaspace?" in await world.answer(world.anna, "!fed connect btaspace")
    assert world.alpha.turn.connections() == []
