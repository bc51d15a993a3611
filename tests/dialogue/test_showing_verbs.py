"""The verbs that only show something, in the room, with the text that people read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.scenarios.world import a_world, friends

ONE_PHONE_SCREEN = 1100
"""Characters: about 28 lines of 40."""


async def test_help_lists_the_everyday_verbs_and_who_one_is() -> None:
    world = await friends()
    told = await world.answer(world.anna, "!fed help")
    assert "!fed push 200 M3-BOLT to betaspace" in told
    assert "You: Anna of Attraktor, user anna" in told
    assert len([line for line in told.splitlines() if line.startswith("• ")]) <= 8
    assert told == await world.answer(world.anna, "!Fed")
    assert "calendar, history, show, stats, wait, want, web and more: !fed help more" in told
    assert len(told) <= ONE_PHONE_SCREEN
    assert "!fed wait" in await world.answer(world.anna, "!fed help more")


async def test_help_on_a_verb_shows_how_to_write_it() -> None:
    world = await friends()
    assert "!fed push ITEM [QUANTITY] to SPACE" in await world.answer(world.kim, "!fed help give")
    assert "!fed disconnect SPACE" in await world.answer(world.kim, "!fed help admin")


async def test_whoami_shows_the_current_permissions() -> None:
    world = await friends()
    before = await world.answer(world.kim, "!fed whoami")
    assert "user kim" in before
    assert "neither an approver nor a superuser" in before
    with world.alpha.by_hand():
        kim = next(user for user in world.alpha.tables.users if user.username == "kim")
        world.alpha.admin("PATCH", f"user/{kim.pk}/", is_superuser=True)
    after = await world.answer(world.kim, "!fed whoami")
    assert "neither" not in after
    assert "connect" in after.partition("You can use:")[2]


@pytest.mark.parametrize("verb", ["spaces", "parties"])
async def test_spaces_lists_friends_others_and_silent_bots(verb: str) -> None:
    world = await a_world()
    assert "Betaspace: not a friend yet" in await world.answer(world.anna, f"!fed {verb}")
    await world.connect()
    assert "Betaspace: friends" in await world.answer(world.anna, f"!fed {verb}")
    world.beta.is_asleep = True
    world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.passes(timedelta(minutes=30))
    assert "answer" in (await world.answer(world.anna, f"!fed {verb}")).partition("Betaspace:")[2]


async def test_people_shows_everybodys_permissions_to_superusers_only() -> None:
    world = await friends()
    told = await world.answer(world.anna, "!fed people")
    assert "Anna (anna): superuser" in told
    assert "Piet (piet): approver" in told
    assert "Kim (kim): can request" in told
    refused = await world.answer(world.kim, "!fed people")
    assert "needs an InvenTree superuser" in refused
    assert "Piet" not in refused


async def test_todo_shows_deciders_and_requesters_and_nobody_else() -> None:
    world = await friends()
    await world.push()
    code = world.beta.transfer().code
    cem = await world.answer(world.cem, "!fed todo")
    assert cem.startswith("1 task is waiting for you.")
    assert f"{code} – 10 × M3 nut, offered by Anna" in cem
    anna = await world.answer(world.anna, "!fed todo")
    assert anna.startswith("Nothing is waiting for you")
    assert code in anna
    assert code not in await world.answer(world.kim, "!fed todo")
    assert code not in await world.answer(world.tom, "!fed todo")


async def test_status_shows_the_bots_health_and_open_transfers() -> None:
    world = await friends()
    await world.push()
    told = await world.answer(world.anna, "!fed status")
    assert told.startswith("✅ The bot of Attraktor is healthy.")
    assert "Friends: 1 space" in told
    assert "Open: 1 transfer" in told
    assert "fedbot" in told.splitlines()[-1]


async def test_status_in_the_admin_room_shows_our_own_concerns() -> None:
    world = await friends()
    private = world.anna.says("!fed status", room=world.alpha_admins.id)
    await world.settle()
    (answer,) = world.alpha_admins.answers(private)
    assert "My InvenTree user: fedbot" in answer.text
    assert "My InvenTree user" not in await world.answer(world.anna, "!fed status")


async def test_with_inventree_down_status_is_answered_and_show_says_that_it_waits_and_comes_later() -> None:
    world = await friends()
    card = await world.push()
    world.alpha.goes_down()
    assert "✅" not in (await world.answer(world.anna, "!fed status")).splitlines()[0]
    line = world.anna.says("!fed show", reply_to=card)
    await world.settle()
    assert "Your line is waiting" in world.answer_to(line)
    world.alpha.comes_back()
    await world.passes(timedelta(minutes=6))
    assert "Anna: offered it" in world.room.answers(line)[-1].text


async def test_show_lists_everything_up_to_the_end_in_order_with_person_and_time() -> None:
    world = await friends()
    card = await world.push()
    await world.passes(timedelta(hours=3))
    world.cem.reacts(card, "✅")
    await world.grace()
    await world.passes(timedelta(minutes=2))
    line = world.anna.says("!fed show", reply_to=card)
    await world.settle()
    told, _, who_is_who = world.answer_to(line).partition("Who is who:")
    assert "@anna:twin.test" in who_is_who
    steps = [step for step in told.splitlines() if step.startswith("• ")]
    wanted = [
        ("20:14", "Anna: offered it"),
        ("23:14", "Cem: approved it"),
        ("23:14", "taken out of stock"),
        ("23:14", "given to the other space's company"),
        ("23:14", "it has left"),
        ("23:14", "the other space has booked it in"),
        ("23:14", "our record marked as arrived"),
        ("23:14", "done"),
    ]
    assert len(steps) == len(wanted)
    assert all(at in step and words in step for step, (at, words) in zip(steps, wanted, strict=True)), steps


async def test_give_is_push() -> None:
    world = await friends()
    assert "Offered to Betaspace" in await world.answer(world.anna, "!fed give 10 M3-NUT to betaspace")
    assert [transfer.terms.kind for transfer in world.beta.turn.transfers()] == ["push"]
