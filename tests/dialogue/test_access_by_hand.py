"""Without a superuser's token the bot says what to click, takes the token from the vault, and goes on."""

from __future__ import annotations

from datetime import timedelta

from fedbot.rules.model.lifecycles import ConnectionState
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import World, a_world, told

ACTIVE, MAKING = ConnectionState.ACTIVE, ConnectionState.MAKING
ROLES = ("stock", "part", "part_category", "stock_location")


async def without_admin_token(**options: object) -> World:
    """Attraktor has no superuser's token; both have agreed to connect."""
    world = await a_world(alpha={"has_admin_token": False, **options}, beta=dict(options))
    await world.connect()
    return world


def made_by_hand(space: Space, name: str, **permissions: bool) -> str:
    """An admin creates group, user and token as the bot says; return the token."""
    group = space.admin("POST", "user/group/", name=name)["pk"]
    for rule in space.admin("GET", f"user/ruleset/?group={group}"):
        if rule["name"] in ROLES:
            space.admin("PATCH", f"user/ruleset/{rule['pk']}/", can_view=True, **permissions)
    user = space.admin("POST", "user/", username=name, first_name="", last_name="x", email="")["pk"]
    space.admin("PATCH", f"user/{user}/", group_ids=[group])
    token = space.admin("POST", "user/tokens/", user=user, name=f"{name}-1", expiry="2027-11-24")
    return str(token["token"])


async def test_the_admin_room_gets_exact_instructions_and_the_shared_room_only_reads_that_it_waits() -> None:
    world = await without_admin_token()
    message = world.alpha_admins.message("is waiting for you").text
    assert "fed-betaspace-1" in message
    assert "fedbot credentials add betaspace-1" in message
    assert "credentials add betaspace-1," not in message, "somebody would copy the comma, too"
    assert world.alpha.connection().id in message
    assert "fedbot credentials" not in world.room.transcript()
    assert told(world.room, "waits for an admin of Attraktor")
    assert world.alpha.connection().state is MAKING


async def test_nobody_is_told_to_give_a_superusers_token_that_would_not_help() -> None:
    """InvenTree 0.13 makes no accounts over REST, whoever asks."""
    pins = {"pinned_superusers": ("anna",), "pinned_approvers": ("anna", "piet")}
    world = await a_world(alpha_version="0.13", alpha={"has_admin_token": False, **pins})
    await world.connect()
    message = world.alpha_admins.message("is waiting for you").text
    assert "Why: This InvenTree can't create users with permissions over REST" in message
    assert "admin_token" not in message
    helps = (await without_admin_token()).alpha_admins.message("is waiting for you").text
    assert "Or write a superuser's token into inventree.admin_token_file" in helps


async def test_the_instructions_are_posted_once_however_often_it_is_tried() -> None:
    world = await without_admin_token()
    await world.passes(timedelta(hours=5))
    assert len(told(world.alpha_admins, "is waiting for you")) == 1
    assert len(told(world.room, "waits for an admin of Attraktor")) == 1


async def test_the_bot_goes_on_within_a_minute_once_the_token_is_in_the_vault() -> None:
    world = await without_admin_token()
    world.alpha.vault.keep("made-for/betaspace/1", made_by_hand(world.alpha, "fed-betaspace-1"))
    await world.passes(timedelta(minutes=2))
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]
    assert_books_balance(world)


async def test_with_direct_access_such_a_token_is_handed_over_too() -> None:
    world = await without_admin_token(peer_access="direct")
    world.alpha.vault.keep("made-for/betaspace/1", made_by_hand(world.alpha, "fed-betaspace-1"))
    await world.passes(timedelta(minutes=2))
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]
    assert world.beta.connection().sees_items == len(world.alpha.stock())
    assert_books_balance(world)


async def test_a_token_with_more_than_view_permissions_is_refused_until_they_are_removed() -> None:
    world = await without_admin_token()
    world.alpha.vault.keep("made-for/betaspace/1", made_by_hand(world.alpha, "fed-betaspace-1", can_change=True))
    await world.passes(timedelta(hours=1))
    assert world.alpha.connection().state is MAKING
    assert len(told(world.alpha_admins, "can do more than read")) == 1
    group = world.alpha.tables.groups.find("name", "fed-betaspace-1")[0].pk
    for rule in world.alpha.admin("GET", f"user/ruleset/?group={group}"):
        world.alpha.admin("PATCH", f"user/ruleset/{rule['pk']}/", can_change=False, can_add=False, can_delete=False)
    await world.passes(timedelta(minutes=2))
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]


async def test_with_a_superusers_token_and_a_restart_the_bot_does_everything() -> None:
    world = await without_admin_token()
    await world.alpha.restart(has_admin_token=True)
    await world.passes(timedelta(minutes=2))
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]
    assert world.alpha.user("fed-betaspace-1").is_active
    assert_books_balance(world)


async def test_another_user_of_that_name_is_left_alone_and_reported() -> None:
    world = await a_world()
    world.alpha.admin("POST", "user/", username="fed-betaspace-1", first_name="", last_name="Miller", email="")
    await world.connect()
    assert told(world.alpha_admins, "isn't ours")
    assert world.alpha.user("fed-betaspace-1").last_name == "Miller"
    user = world.alpha.user("fed-betaspace-1").pk
    world.alpha.admin("DELETE", f"user/{user}/")
    await world.passes(timedelta(minutes=2))
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]


async def test_it_ends_on_both_sides_if_nobody_helps_in_time() -> None:
    world = await without_admin_token(request_open_for=timedelta(hours=6))
    await world.passes(timedelta(hours=8))
    assert ACTIVE not in [space.connection().state for space in world.spaces]
    assert not world.beta.user("fed-attraktor-1").is_active
    assert_books_balance(world)
