"""Overdue loans: shown before a decision, reported once, and a friend with overdue loans gets no new ones."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from fedbot.rules.model.lending import LendingStop
from fedbot.rules.model.lifecycles import TransferState
from tests.dialogue.test_lending import lent
from tests.dialogue.test_recovery import is_rebuilt
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, friends, told

A_DAY = timedelta(days=1)
PAGE = Path(__file__).parents[2] / "docs/use-cases/overdue.md"


async def overdue_for(days: int) -> World:
    """Betaspace borrowed 10 nuts of attraktor for a week, and they are overdue by that many days;
    everything is shared.
    """
    world = await lent("M3-NUT 10", "for 1 week")
    world.piet.says("!fed share all")
    await world.passes(timedelta(days=8 + days))
    return world


async def says(world: World, person: str, line: str, room: str | None = None) -> str:
    event = getattr(world, person).says(f"!fed {line}", **({"room": room} if room else {}))
    await world.settle()
    view = world.room if room is None else world.alpha_admins
    (answer,) = view.answers(event)
    return answer.text


async def test_the_decider_sees_overdue_loans_which_are_not_part_of_the_hash() -> None:
    world = await overdue_for(1)
    world.bea.says("!fed request 5 M3-BOLT from attraktor")
    await world.settle()
    card = world.room.message("Betaspace asks Attraktor for 5")
    assert "⚠ Overdue at Betaspace: 10 × M3 nut (" in card.text
    loan = next(t for t in world.alpha.turn.transfers() if t.is_loan)
    world.cem.says(f"!fed return {loan.code}")
    await world.settle()
    back = [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions][-1]
    world.piet.reacts(back, "✅")
    world.piet.reacts(card, "✅")
    await world.grace()
    assert world.alpha.turn.transfer(loan.id).closed is not None  # type: ignore[union-attr]
    assert world.beta.total("M3-BOLT") == 17  # the card showed something else by then, and the approval counts
    assert_books_balance(world)


async def test_both_spaces_admins_are_told_once_and_the_owners_asked() -> None:
    world = await overdue_for(0)
    assert not told(world.alpha_admins, "Overdue")
    await world.passes(7 * A_DAY)
    assert len(told(world.alpha_admins, "⚠ Overdue for 8 days at Betaspace: 10 × M3 nut")) == 1
    assert len(told(world.beta_admins, "⚠ Betaspace is 8 days late with 10 × M3 nut")) == 1
    await world.passes(15 * A_DAY)
    assert len(told(world.alpha_admins, "⚠ Overdue for")) == 1
    (ask,) = told(world.alpha_admins, "⚠ Stop lending to Betaspace?")
    assert "overdue betaspace --stop" in ask.text
    assert not told(world.beta_admins, "Stop lending to")


async def test_a_superuser_stops_lending_the_friend_reads_it_and_it_ends_by_itself() -> None:
    world = await overdue_for(1)
    world.bea.says("!fed borrow 5 M3-BOLT from attraktor for 2 weeks")
    await world.settle()
    card = world.room.message("Betaspace asks Attraktor for 5")
    assert "superuser" in await says(world, "piet", "overdue betaspace --stop")
    assert (await says(world, "anna", "overdue betaspace --stop")).startswith(
        "Attraktor makes no new loans to Betaspace"
    )
    assert len(told(world.room, "The stop ends by itself once all of that is back.")) == 1
    listed = await says(world, "tom", "overdue")
    assert listed.startswith("Betaspace has these items of Attraktor overdue:")
    assert "Betaspace gets no new loans, says Anna" in await says(world, "kim", "overdue")

    world.piet.reacts(card, "✅")
    await world.grace()
    assert world.alpha.turn.transfers()[-1].state is TransferState.ABORTED
    assert "Not offered: Betaspace gets no new loans" in await says(world, "piet", "lend #42 to betaspace for 1 week")
    world.bea.says("!fed borrow 5 M3-BOLT from attraktor for 2 weeks")
    await world.settle()
    assert world.beta.transfer().state is TransferState.DECLINED
    assert "makes no new loans to Betaspace before the overdue items are back" in world.room.messages()[-1].text
    assert world.beta.total("M3-BOLT") == 12

    await is_rebuilt(world.alpha)
    await world.settle()
    assert_books_balance(world)  # today's rules would have declined what was aborted then
    loan = next(t for t in world.alpha.turn.transfers() if t.is_loan and t.state is TransferState.DONE)
    world.bea.says(f"!fed return {loan.code}")
    await world.settle()
    world.piet.reacts([m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions][-1], "✅")
    await world.grace()
    await world.passes(timedelta(minutes=10))
    assert len(told(world.room, "Attraktor lends to Betaspace again: nothing is overdue any more.")) == 1
    assert world.alpha.turn.all(LendingStop) == []
    assert "Nothing is overdue." in await says(world, "kim", "overdue")
    assert_books_balance(world)


async def test_after_a_rebuild_the_stopped_friends_are_known() -> None:
    world = await overdue_for(1)
    await says(world, "anna", "overdue betaspace --stop")
    assert (await is_rebuilt(world.alpha)).stopped == ("Betaspace",)
    await world.settle()
    assert "Not offered: Betaspace gets no new loans" in await says(world, "piet", "lend #42 to betaspace for 1 week")
    await says(world, "anna", "overdue betaspace --resume")
    await world.passes(timedelta(minutes=5))
    assert (await is_rebuilt(world.alpha)).stopped == ()


async def test_a_friend_without_overdue_loans_is_not_stopped_and_people_can_lift_it() -> None:
    world = await overdue_for(1)
    assert (await says(world, "anna", "overdue betaspace --resume")).startswith(
        "Nothing to do: Betaspace can already borrow."
    )
    await says(world, "anna", "overdue betaspace --stop")
    assert "For example: !fed overdue betaspace --stop" in await says(world, "anna", "overdue --stop")
    assert "lends to Betaspace again, says Anna" in await says(world, "anna", "overdue betaspace --resume")
    assert len(told(world.room, "lends to Betaspace again")) == 1
    assert world.alpha.turn.all(LendingStop) == []
    assert "has nothing overdue" in await says(world, "bea", "overdue attraktor --stop")


async def test_a_stop_in_the_admin_room_is_told_where_the_friend_reads() -> None:
    world = await overdue_for(1)
    for option, words in (("stop", "makes no new loans to Betaspace"), ("resume", "lends to Betaspace again")):
        await says(world, "anna", f"overdue betaspace --{option}", world.alpha_admins.id)
        assert len(told(world.room, words)) == 1
        assert len(told(world.alpha_admins, words)) == 1


class Transcript:
    """The messages of all rooms, as the page shows them: after each step those that are new."""

    def __init__(self, world: World) -> None:
        self._rooms = {"": world.room, "Attraktor's admin room": world.alpha_admins}
        self._rooms["Betaspace's admin room"] = world.beta_admins
        self._seen = {message.event_id for view in self._rooms.values() for message in view.messages()}
        self.lines: list[str] = []

    def tell(self, heading: str) -> None:
        """What is new under that heading."""
        self.lines += ["", f"── {heading} ──"]
        for name, view in self._rooms.items():
            for message in view.messages():
                if message.event_id not in self._seen:
                    self._seen.add(message.event_id)
                    first, *rest = message.text.splitlines()
                    where = f" ({name})" if name else ""
                    self.lines += [
                        f"{message.name + where:<15}  {first}",
                        *(f"{'':<15}  │ {line}".rstrip() for line in rest),
                    ]


async def test_the_page_about_overdue_loans_shows_this_run(request: pytest.FixtureRequest) -> None:
    world = await friends()
    page = Transcript(world)
    world.piet.says("!fed share all")
    world.piet.says("!fed lend M3-NUT 10 to betaspace for 1 week")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    page.tell("Tuesday, 24 November: lent for a week")
    await world.passes(7 * A_DAY)
    page.tell("Until Tuesday, 1 December: the due date")
    await world.passes(A_DAY)
    world.tom.says("!fed request 5 M3-BOLT from attraktor")
    await world.settle()
    page.tell("Wednesday: whoever decides sees that it is overdue")
    world.piet.reacts([m for m in world.room.messages() if m.reactions][-1], "❌")
    await world.grace()
    page.tell("Piet declines the request")
    await world.passes(7 * A_DAY)
    page.tell("A week late: the admins of both spaces are told")
    await world.passes(14 * A_DAY)
    page.tell("Three weeks late: Attraktor's admins are asked")
    world.anna.says("!fed overdue betaspace --stop")
    await world.settle()
    world.tom.says("!fed borrow 5 M3-BOLT from attraktor for 1 week")
    await world.settle()
    world.kim.says("!fed overdue")
    await world.settle()
    page.tell("Anna stops new loans")
    loan = next(t for t in world.alpha.turn.transfers() if t.is_loan and t.state is TransferState.DONE)
    world.tom.says(f"!fed return {loan.code}")
    await world.settle()
    world.piet.reacts([m for m in world.room.messages() if m.reactions][-1], "✅")
    await world.grace()
    page.tell("It is back, and the stop ends by itself")
    transcript = "\n".join(page.lines).strip() + "\n"
    text = PAGE.read_text(encoding="utf-8")
    shown = re.compile(r"(?<=^```text\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
    if request.config.option.update_snapshots:
        PAGE.write_text(shown.sub(lambda _: transcript, text), encoding="utf-8")
        text = PAGE.read_text(encoding="utf-8")
    assert shown.findall(text) == [transcript], "write it anew: pytest tests/dialogue/test_overdue.py --snapshot-update"
    assert world.alpha.turn.all(LendingStop) == []
