"""Settings that change while people decide: consent stays bound to what was shown, and nothing is used silently."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from fedbot.config.loading import load
from fedbot.engine.bot import watch_settings
from fedbot.engine.settings_watch import SettingsWatch
from fedbot.rules.model.effects import Do
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.steps import TakeOut
from fedbot_demo.inventree import seeds
from fedbot_demo.inventree.transport import SimulatedTransport
from tests.dialogue.test_no_limbo import until_debiting
from tests.dialogue.test_people import written
from tests.fakes.people import Message, everybody_in
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, friends, told

OPEN, DONE = TransferState.OPEN, TransferState.DONE
NUTS = {"parts": ["M3-NUT"]}


class Swapped:
    """Attraktor's settings file, and the watch that reads it."""

    def __init__(self, world: World, folder: Path, **settings: Any) -> None:  # noqa: ANN401 -- sections of the file
        self.world = world
        self.file = written(world, folder)
        self.content: dict[str, Any] = {**yaml.safe_load(self.file.read_text()), **settings}
        self._write()
        self.watch: SettingsWatch = watch_settings(load(self.file), world.alpha.bot, world.alpha.inventory)

    def _write(self) -> None:
        self.file.write_text(yaml.safe_dump(self.content))

    async def says(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the file, and let the bot notice."""
        change(self.content)
        self._write()
        await self.looks()

    async def looks(self, times: int = 3) -> None:
        for _ in range(times):
            await self.watch.look()
        await self.world.settle()


async def swapped(tmp_path: Path, **settings: Any) -> tuple[World, Swapped]:  # noqa: ANN401
    """Two friends; Attraktor's bot works by this settings file."""
    world = await friends()
    swap = Swapped(world, tmp_path, **settings)
    swap.content["party"]["language"] = "en"
    await swap.says(lambda content: content["party"].update(name="Attraktor e.V."))
    return world, swap


async def asked_for(world: World, *, begins: str = "!fed") -> Message:
    """Tom of betaspace requests that; return attraktor's card."""
    world.anna.says("!fed share all")
    world.tom.says(f"{begins} request M3-NUT 10 from attraktor")
    await world.settle()
    return [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions][-1]


def removes_piet(content: dict[str, Any]) -> None:
    del content["people"]["@piet:twin.test"]


def maps_piet_to_kim(content: dict[str, Any]) -> None:
    content["people"]["@piet:twin.test"] = "kim"


def takes_another_group(content: dict[str, Any]) -> None:
    content["inventree"]["approvers_group"] = "nobody"


def pins_others(content: dict[str, Any]) -> None:
    content["rules"] = {**content.get("rules", {}), "pinned_approvers": ["anna"], "pinned_superusers": ["anna"]}


@pytest.mark.parametrize("change", [removes_piet, maps_piet_to_kim, takes_another_group, pins_others])
async def test_an_approver_that_the_settings_no_longer_name_in_the_grace_has_not_decided(
    change: Callable[[dict[str, Any]], None], tmp_path: Path
) -> None:
    world, swap = await swapped(tmp_path)
    card = await asked_for(world)
    world.piet.reacts(card, "✅")
    await world.settle()
    await swap.says(change)
    await world.grace()
    assert world.alpha.transfer().state is OPEN, world.room.transcript()
    assert_books_balance(world)


async def test_who_asked_has_not_approved_it_if_the_settings_forbid_that_within_the_grace(tmp_path: Path) -> None:
    people = {"@anna:twin.test": "anna", "@piet:twin.test": "piet", "@kim:twin.test": "kim", "@tom:twin.test": "piet"}
    world, swap = await swapped(tmp_path, people=people, rules={"self_approval": True})
    card = await asked_for(world, begins="!fed as betaspace")
    world.piet.reacts(card, "✅")
    await world.settle()
    await swap.says(lambda content: content["rules"].update(self_approval=False))
    await world.grace()
    assert world.alpha.transfer().state is OPEN, world.room.transcript()


async def test_a_card_that_asked_two_people_asks_two_though_the_settings_ask_one_by_now(tmp_path: Path) -> None:
    world, swap = await swapped(tmp_path, high_value=NUTS)
    card = await asked_for(world)
    assert "two approvers of Attraktor" in card.text
    await swap.says(lambda content: content.pop("high_value"))
    world.piet.reacts(card, "✅")
    await world.grace()
    assert world.alpha.transfer().state is OPEN, "the card says two"
    world.anna.reacts(card, "✅")
    await world.grace()
    assert world.alpha.transfer().state is DONE


async def test_a_card_that_asked_one_person_asks_two_if_the_settings_ask_two_by_now(tmp_path: Path) -> None:
    world, swap = await swapped(tmp_path)
    card = await asked_for(world)
    await swap.says(lambda content: content.update(high_value=NUTS))
    world.piet.reacts(card, "✅")
    await world.grace()
    assert world.alpha.transfer().state is OPEN
    newest = [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions][-1]
    for person in (world.piet, world.anna):
        person.reacts(newest, "✅")
        await world.grace()
    assert world.alpha.transfer().state is DONE
    assert_books_balance(world)


async def test_a_grace_that_runs_keeps_its_length_and_a_new_name_changes_no_decision(tmp_path: Path) -> None:
    world, swap = await swapped(tmp_path)
    card = await asked_for(world)
    reaction = world.piet.reacts(card, "✅")
    await world.settle()
    await swap.says(lambda content: content.update(rules={"grace_seconds": 0}))
    await swap.says(lambda content: content["party"].update(name="Quite another name"))
    assert world.alpha.transfer().state is OPEN, "people may still take it back, as the bot has told them"
    world.piet.takes_back(reaction)
    await world.grace()
    assert world.alpha.transfer().state is OPEN
    world.piet.reacts(card, "✅")
    await world.grace()
    assert world.alpha.transfer().state is DONE


async def test_no_step_goes_to_a_new_address_before_its_history_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be an older copy of the InvenTree, in which the same numbers are the same things."""
    world, swap = await swapped(tmp_path)
    copy = seeds.alpha(clock=world.clock.now)
    copy.server.state.put_back(world.alpha.snapshot())
    world.network["http://copy.test"] = SimulatedTransport(copy.server)
    await world.hand_over("M3-NUT 10")
    await swap.says(lambda content: content["party"].update(name="Attraktor"))
    world.cem.reacts(await world.push("M3-NUT 5"), "✅")
    await world.settle()
    await world.passes(timedelta(seconds=6), asleep=(world.alpha,))

    async def waits(*_: object) -> None:
        """The step hasn't begun yet."""

    with monkeypatch.context() as patch:
        patch.setattr(world.alpha.bot.step_worker, "perform", waits)
        await until_debiting(world)
    stock, copied = world.alpha.stock(), list(copy.server.state.stock)
    world.alpha.hangs = True
    await swap.says(lambda content: content["inventree"].update(url="http://copy.test"))
    rows = world.alpha.journal.due("act", world.clock.now())
    assert any(isinstance(row.effect, Do) and isinstance(row.effect.step, TakeOut) for row in rows)
    for row in rows:  # before the bot's look at the new address has its answer
        await world.alpha.bot.step_worker.perform(row, rows)
    world.alpha.hangs = False
    await world.passes(timedelta(minutes=10))
    assert world.alpha.stock() == stock
    assert list(copy.server.state.stock) == copied
    assert told(world.alpha_admins, "was restored to an earlier state")


async def test_the_same_inventree_at_a_new_address_is_used_at_once(tmp_path: Path) -> None:
    world, swap = await swapped(tmp_path)
    await world.hand_over("M3-NUT 10")
    await swap.says(lambda content: content["party"].update(name="Attraktor"))
    world.network["http://moved.test"] = world.network["http://attraktor.test"]
    await swap.says(lambda content: content["inventree"].update(url="http://moved.test"))
    await world.hand_over("M3-NUT 5")
    await world.passes(timedelta(minutes=1))
    assert world.alpha.transfer().state is DONE, world.room.transcript()
    assert_books_balance(world)


@pytest.mark.parametrize("fault", ["deleted", "half written", "changes again and again", "empty"])
async def test_a_settings_file_that_can_not_be_used_changes_nothing(fault: str, tmp_path: Path) -> None:
    world, swap = await swapped(tmp_path, high_value=NUTS)
    us = world.alpha.turn.us
    whole = swap.file.read_text()
    if fault == "deleted":
        swap.file.unlink()
        await swap.looks()
    elif fault == "empty":
        swap.file.write_text("")
        await swap.looks()
        assert told(world.alpha_admins, "has a fault, so I don't use it")
    elif fault == "half written":
        for size in range(40, len(whole), 40):
            swap.file.write_text(whole[:size])
            await swap.looks(1)
    else:
        for number in range(6):
            swap.content["high_value"] = {"parts": [f"P-{number}"]}
            swap.file.write_text(yaml.safe_dump(swap.content))
            await swap.looks(1)
    assert world.alpha.turn.us == us
    swap.file.write_text(whole)
    swap.file.chmod(0o600)
    await swap.looks()
    assert world.alpha.turn.us == us


async def test_a_file_that_changes_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, swap = await swapped(tmp_path)
    resolve, later = world.alpha.chat.resolve, [15]

    async def changes_meanwhile(alias: str) -> str:
        if later:
            swap.content["rules"] = {"grace_seconds": later.pop()}
            swap.file.write_text(yaml.safe_dump(swap.content))
        return await resolve(alias)

    world.server.addresses["#makers:twin.test"] = world.room.id
    monkeypatch.setattr(world.alpha.chat, "resolve", changes_meanwhile)
    await swap.says(lambda content: content.update(rooms=["#makers:twin.test"]))
    await swap.looks()
    assert world.alpha.turn.us.grace.total_seconds() == 15
    assert world.alpha.turn.us.rooms == (world.room.id,)


async def test_a_room_address_that_leads_elsewhere_moves_no_running_bot(tmp_path: Path) -> None:
    """Whoever runs the address's homeserver decides where it leads, and an admin room is encrypted for its members."""
    world, swap = await swapped(tmp_path)
    other = everybody_in(world.server, world.tom, "Attraktor admins", world.alpha.chat.user_id)
    world.server.addresses["#admins:twin.test"] = world.alpha_admins.id
    await swap.says(lambda content: content.update(admin_room="#admins:twin.test"))
    assert world.alpha.turn.us.admin_room == world.alpha_admins.id
    world.server.addresses["#admins:twin.test"] = other.id
    await swap.says(lambda content: content["party"].update(language="de"))
    assert world.alpha.turn.us.language == "de"
    assert world.alpha.turn.us.admin_room == world.alpha_admins.id
