"""The auditor tells what people and bots did from what they only seem to have done."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from unittest.mock import patch

import pytest

from fedbot import messages
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.effects import say
from fedbot.rules.model.lifecycles import OutsideState, TransferState
from fedbot.rules.model.stock import Permissions
from fedbot_demo.inventree.faults import Fault, FaultKind
from tests.simulation.actions import Action
from tests.simulation.end_checks import must_agree
from tests.simulation.federation import Federation, Setup
from tests.simulation.mutants import broken
from tests.simulation.neighbours import loans_of
from tests.simulation.party import GRACE, Party

WORLD = Setup(2, (0, 0), direct=False, friends=True, open_for=timedelta(days=7))
DELETES, AFTER_ONE_WRITE, NOT_BY_ITS_CARD = 7, 1, 2


async def _friends() -> tuple[Federation, Party, Party]:
    federation = Federation(WORLD)
    await federation.begins()
    one, other = federation.parties
    return federation, one, other


async def _agreed(federation: Federation, owner: Party, username: str = "") -> None:
    """An approver of `owner` (or that user) approves the newest card, and the bots act on it."""
    card = federation.auditor.cards[-1]
    person = federation.people[owner.person(username or owner.people.approver)]
    federation.auditor.tapped(person.reacts(card[2], "✅"), person.user_id, card, "✅")
    await federation.rests()
    await federation.passes(GRACE + timedelta(seconds=40))


async def test_a_request_with_invisible_characters_asks_for_what_people_see() -> None:
    federation, asker, owner = await _friends()
    federation.people[asker.person(asker.people.approver)].says("!fed request \u202eM3-BOLT\u2066 1 from p1")
    await federation.rests()
    await _agreed(federation, owner)
    assert [transfer.state for transfer in asker.transfers()] == [TransferState.DONE]
    assert not federation.auditor.violations


async def test_an_item_that_somebody_deletes_right_after_booking_in_counts_as_booked_in() -> None:
    federation, sender, receiver = await _friends()
    federation.people[sender.person(sender.people.approver)].says("!fed push #1 1 to p1")
    await federation.rests()
    made, lie_here = receiver.inventree.stock.next_pk, sum(row.customer is None for row in receiver.inventree.stock)
    await federation.perform(Action("meddle between", (receiver.number, DELETES, lie_here, AFTER_ONE_WRITE)))
    await _agreed(federation, receiver)
    transfer = receiver.transfers()[0]
    assert (transfer.state, transfer.progress[0].item) == (TransferState.DONE, made)
    assert receiver.inventree.stock.get(made) is None
    must_agree(federation.auditor)
    assert not federation.auditor.violations


async def test_a_loan_line_that_the_borrower_refused_was_never_lent() -> None:
    federation, owner, borrower = await _friends()
    superuser = federation.people[owner.person(owner.people.superuser)]
    superuser.says("!fed lend #42 1 + #41 1 to p1 for 3 days")
    await federation.rests()
    await federation.perform(Action("refuse", (borrower.number, 0, 0, NOT_BY_ITS_CARD)))
    await _agreed(federation, borrower)
    (loan,) = owner.transfers()
    assert [progress.stage for progress in loan.progress] == ["back", "arrived"]
    said = superuser.says(f"!fed return {loan.code} all")
    federation.auditor.typed(said, superuser.user_id, owner, loan.id, Choice.APPROVE)
    await federation.heals()
    assert owner.transfers()[0].closed
    must_agree(federation.auditor)
    assert not federation.auditor.violations


async def test_a_booking_leaves_by_the_decision_of_its_day_and_not_of_its_offer() -> None:
    federation, owner, borrower = await _friends()
    day = federation.clock.now().date() + timedelta(days=2)
    federation.people[owner.person(owner.people.approver)].says(f"!fed lend #41 1 to p1 from {day} until {day}")
    await federation.rests()
    await federation.perform(Action("rights", (owner.number, 0, 1, NOT_BY_ITS_CARD)))
    await _agreed(federation, borrower)
    assert owner.lost_permission
    await federation.passes(timedelta(days=2))
    await _agreed(federation, owner, owner.people.superuser)
    assert owner.transfers()[0].state is TransferState.DONE
    assert not federation.auditor.violations


async def test_a_typed_approval_counts_for_the_space_of_its_author() -> None:
    federation, sender, receiver = await _friends()
    federation.people[sender.person(sender.people.approver)].says("!fed push #1 1 to p1")
    await federation.rests()
    approver, offered = federation.people[receiver.person(receiver.people.approver)], sender.transfers()[0]
    said = approver.says(f"!fed approve {offered.code}")
    federation.auditor.typed(said, approver.user_id, sender, offered.id, Choice.APPROVE)  # in its sender's state
    await federation.heals()
    assert receiver.transfers()[0].state is TransferState.DONE
    must_agree(federation.auditor)
    assert not federation.auditor.violations


async def test_a_message_that_says_what_is_not_so_is_noticed() -> None:
    federation, sender, receiver = await _friends()
    federation.people[sender.person(sender.people.approver)].says("!fed push #1 1 to p1")
    await federation.rests()
    (offered,) = sender.transfers()
    assert sender.bot is not None
    sender.bot.engine._render(say(messages.approval.too_late, subject=offered), federation.clock.now())
    assert not federation.auditor.violations
    await _agreed(federation, receiver)
    (given,) = sender.transfers()
    assert not federation.auditor.violations
    sender.bot.engine._render(say(messages.approval.too_late, subject=given), federation.clock.now())
    (violation,) = federation.auditor.violations
    assert "people read too_late" in violation
    assert "stock has left" in violation


@pytest.mark.parametrize("is_broken", [False, True])
async def test_the_auditor_notices_a_late_loan_to_a_neighbour_whose_lender_lost_the_permission(is_broken: bool) -> None:
    federation, owner, _ = await _friends()
    owner.simulated.faults.add(Fault(FaultKind.REFUSED, "POST", "", times=None))  # all can be read, nothing changed
    federation.people[owner.person(owner.people.approver)].says("!fed lend #1 1 to outside Café for 3 days")
    await federation.passes(timedelta(hours=2))
    await federation.perform(Action("rights", (owner.number, 0, 1, NOT_BY_ITS_CARD)))
    await federation.passes(timedelta(hours=2))
    with patch.object(Permissions, "covers", lambda *_: True) if is_broken else nullcontext():
        await federation.perform(Action("fixed", (owner.number, 0, 0, 0)))
        await federation.passes(timedelta(hours=2))
    (loan,) = loans_of(owner)
    assert loan.state is (OutsideState.OUT if is_broken else OutsideState.NOT_LENT)
    assert bool(federation.auditor.violations) is is_broken
    assert all("had lost the right" in each for each in federation.auditor.violations)


@pytest.mark.parametrize("is_right", [True, False])
async def test_what_was_split_off_and_refused_is_merged_into_its_source_and_not_the_other_way_round(
    *, is_right: bool
) -> None:
    federation, sender, receiver = await _friends()
    federation.people[sender.person(sender.people.approver)].says("!fed push #1 1 to p1")
    await federation.rests()
    await federation.perform(Action("refuse", (receiver.number, 0, 0, NOT_BY_ITS_CARD)))
    with nullcontext() if is_right else broken("the item that was put back takes in the one from which it came"):
        await _agreed(federation, receiver)
        await federation.heals()
    (transfer,) = sender.transfers()
    assert (transfer.state, transfer.progress[0].is_merged_back) == (TransferState.REVERTED, True)
    federation.auditor.look(sender)
    assert [violation for violation in federation.auditor.violations if "were merged into" in violation] or is_right
    assert not (is_right and federation.auditor.violations)
