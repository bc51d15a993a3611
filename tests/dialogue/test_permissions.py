"""A person who reads or changes something of a space is an active user of its InvenTree at that time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fedbot.commands.registry import catalogue
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from tests.dialogue.test_lending import back
from tests.dialogue.test_photos import JPEG, lens_comes_back
from tests.fakes.people import Message
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, friends, sharing, told

READ_OR_CHANGE = [
    "request M3-NUT 5 from attraktor",
    "stats",
    "find nut",
    "history",
    "history attraktor",
    "show {code}",
    "show N-M3",
    "todo",
    "spaces",
    "status",
    "people",
    "cancel {code}",
    "approve {code}",
    "decline {code}",
    "received {code}",
]


@pytest.mark.parametrize("text", READ_OR_CHANGE)
async def test_a_deactivated_user_reads_and_changes_nothing(text: str) -> None:
    world = await sharing()
    card = await world.push()
    world.beta.deactivates("tom")
    before = len(world.room.envelopes(sender=world.beta.chat.user_id))
    line = world.tom.says(f"!fed {text.format(code=world.beta.transfer().code)}")
    await world.grace()
    assert "Your user tom is inactive in the InvenTree of Betaspace." in world.answer_to(line)
    assert len(world.room.envelopes(sender=world.beta.chat.user_id)) == before
    assert world.beta.transfer().state is TransferState.OPEN
    assert card.event_id in {message.event_id for message in world.room.messages()}
    assert_books_balance(world)


async def test_a_person_unknown_to_inventree_reads_nothing() -> None:
    world = await friends(beta={"people": {"@tom:twin.test": "nobody", "@bea:twin.test": "bea"}})
    line = world.tom.says("!fed stats")
    await world.settle()
    assert "The InvenTree of Betaspace has no user nobody." in world.answer_to(line)


async def test_an_inactive_user_may_still_use_whoami_and_help() -> None:
    world = await friends()
    world.beta.deactivates("tom")
    for text, words in (("help", "!fed todo"), ("whoami", "this user is inactive")):
        line = world.tom.says(f"!fed {text}")
        await world.settle()
        assert words in world.answer_to(line)


def test_every_verb_but_help_and_whoami_asks_for_an_active_user() -> None:
    assert sorted(spec.name for spec in catalogue() if spec.permission == "anyone") == ["help", "whoami"]


async def test_a_deactivated_user_attaches_no_photo_and_adds_no_remark() -> None:
    world, card = await lens_comes_back()
    world.alpha.deactivates("kim")
    photo = world.kim.shows(JPEG, reply_to=card)
    remark = world.kim.says("it was broken before", reply_to=card)
    await world.settle()
    assert list(world.alpha.tables.attachments) == []
    assert back(world.alpha).remark == ""
    for line in (photo, remark):
        assert "you have no active" in world.room.answers(line)[-1].text


async def test_a_remark_waits_for_an_inventree_that_hangs_and_is_noted_later() -> None:
    world, card = await lens_comes_back()
    world.alpha.hangs = True
    remark = world.kim.says("a scratch", reply_to=card)
    await world.passes(timedelta(seconds=2))
    assert back(world.alpha).remark == ""
    world.alpha.hangs = False
    await world.passes(timedelta(seconds=2))
    assert back(world.alpha).remark == f"{world.kim.user_id}: a scratch"
    assert "Noted" in world.answer_to(remark)


# --- self-approval -----------------------------------------------------------------------------------------


async def test_one_user_with_two_matrix_accounts_asks_and_does_not_approve() -> None:
    people = {"@bea:twin.test": "bea", "@cem:twin.test": "cem", "@dilek:twin.test": "cem"}
    world = await friends(beta={"people": people})
    card = await asked_by_cem_for_his_own_space(world)
    world.dilek.reacts(card, "✅")
    await world.grace()
    assert world.beta.transfer().state is TransferState.OPEN
    assert told(world.room, "somebody else")
    todo = world.dilek.says("!fed todo")
    await world.settle()
    assert "Nothing is waiting for you" in world.answer_to(todo)


async def asked_by_cem_for_his_own_space(world: World) -> Message:
    """Attraktor's people include Cem too, so he offers something to Betaspace and could accept it there."""
    await world.alpha.restart(people=world.alpha.us.people | {"@cem:twin.test": "piet"})
    await world.settle()
    world.cem.says("!fed as attraktor push M3-NUT 10 to betaspace")
    await world.settle()
    return world.card()


# --- an InvenTree in which an account can give itself permissions -----------------------------------------------


async def old(**beta: tuple[str, ...]) -> World:
    """Friends; then Betaspace's InvenTree is older than API 472."""
    world = await friends()
    world.beta.settings.update(beta)
    version = world.beta.tables.version
    world.beta.tables.version = replace(version, api=471)
    await world.beta.restart()
    await world.settle()
    return world


async def test_below_472_an_approver_who_is_not_pinned_decides_nothing() -> None:
    world = await old()
    world.cem.reacts(await world.push(), "✅")
    await world.grace()
    assert world.beta.transfer().state is TransferState.OPEN
    assert told(world.room, "rules.pinned_approvers")
    status = world.bea.says("!fed status", room=world.beta_admins.id)
    await world.settle()
    assert "rules.pinned_approvers" in world.beta_admins.answers(status)[0].text


async def test_below_472_a_pinned_approver_decides_and_a_self_made_one_does_not() -> None:
    world = await old(pinned_approvers=("cem",))
    with world.beta.by_hand():
        world.beta.admin("PATCH", f"user/{world.beta.user('tom').pk}/", is_superuser=True)
    card = await world.push()
    world.tom.reacts(card, "✅")
    await world.grace()
    assert world.beta.transfer().state is TransferState.OPEN
    world.cem.reacts(card, "✅")
    await world.grace()
    assert world.alpha.transfer().state is TransferState.DONE
    assert_books_balance(world)


async def test_below_472_only_a_pinned_superuser_ends_a_friendship() -> None:
    world = await old(pinned_approvers=("cem",))
    line = world.bea.says("!fed disconnect attraktor --sure")
    await world.settle()
    assert "rules.pinned_superusers" in world.answer_to(line)
    assert world.beta.connection().state is ConnectionState.ACTIVE
    world.beta.settings.update(pinned_superusers=("bea",))
    await world.beta.restart()
    world.bea.says("!fed disconnect attraktor --sure")
    await world.settle()
    assert world.beta.turn.connections()[-1].state is not ConnectionState.ACTIVE


async def test_a_pinned_approver_without_the_permission_in_inventree_decides_nothing() -> None:
    world = await old(pinned_approvers=("tom",))
    world.tom.reacts(await world.push(), "✅")
    await world.grace()
    assert world.beta.transfer().state is TransferState.OPEN
