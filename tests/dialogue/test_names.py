"""Anybody can take any display name, so names of spaces and people come with what identifies them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fedbot.rules.ledger import history
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.names import of_party
from tests.dialogue.test_dishonest_friends import forges
from tests.fakes.people import Message, Person
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends, sharing, told

ANNA, PIET, KIM = "@anna:twin.test", "@piet:twin.test", "@kim:twin.test"


async def three_friends() -> World:
    """Attraktor is a friend of Betaspace and of Gammaspace, whose Gus may decide."""
    world = await World().with_gammaspace().start()
    await world.connect()
    world.gus.says("!fed connect attraktor")
    await world.settle()
    world.anna.reacts(card_of(world, world.alpha), "✅")
    await world.grace()
    assert world.alpha.connection("gammaspace").state is ConnectionState.ACTIVE
    return world


def card_of(world: World, space: Space) -> Message:
    """The newest card of that space's bot."""
    return [m for m in world.room.messages(sender=space.chat.user_id) if m.reactions][-1]


async def renamed(world: World, name: str, *, space: Space | None = None) -> None:
    """Gammaspace's bot starts under another name."""
    which = space or world.gamma
    await which.restart(name=of_party(name, which.party))
    await world.settle()


async def everything_told(world: World, space: Space, person: Person) -> str:
    """Everything shown about the newest transfer: `show`, `history`, and the CSV."""
    transfer = space.transfer()
    shown = await world.answer(person, f"!fed show {transfer.code}")
    listed = await world.answer(person, "!fed history")
    return "\n".join([shown, listed, history.as_csv(history.rows([transfer]))])


# --- a friend takes another friend's name -------------------------------------------------------------------------


async def test_a_friend_that_takes_another_friends_name_keeps_its_old_one_until_a_superuser_agrees() -> None:
    world = await three_friends()
    await renamed(world, "Betaspace")
    (said,) = told(world.room, "Gammaspace wants to be called Betaspace (gammaspace).")
    assert said.sender == world.alpha.chat.user_id
    assert '!fed review gammaspace --name "Betaspace"' in said.text
    assert world.alpha.turn.party_name("gammaspace") == "Gammaspace"
    await world.answer(world.anna, "!fed push M3-NUT 10 to gammaspace")
    assert "Betaspace" not in await everything_told(world, world.alpha, world.anna)


async def test_a_new_name_is_reported_once_however_often_it_changes() -> None:
    world = await three_friends()
    for name in ("Betaspace", "Attraktor", "Betaspace", "Gammaspace", "Betaspace"):
        await renamed(world, name)
    assert len(told(world.room, "Gammaspace wants to be called")) == 1
    await world.passes(timedelta(days=2))
    await renamed(world, "Deltaspace")
    assert len(told(world.room, "Gammaspace wants to be called")) == 2


async def test_after_the_review_the_id_is_beside_the_name_everywhere() -> None:
    world = await three_friends()
    await renamed(world, "Betaspace")
    assert "Gammaspace wants to be called" in await world.answer(world.anna, "!fed review")
    done = await world.answer(world.anna, '!fed review gammaspace --name "Betaspace"')
    assert done == "Gammaspace is called Betaspace (gammaspace) from now on."
    await world.answer(world.anna, "!fed push #1 10 to gammaspace")
    card = card_of(world, world.gamma)
    assert "Attraktor offers Betaspace (gammaspace)" in card.text, "as its own bot says, too"
    world.gus.reacts(card, "✅")
    await world.grace()
    transfer = world.alpha.transfer()
    assert transfer.state is TransferState.DONE
    everything = await everything_told(world, world.alpha, world.anna)
    assert everything.count("Betaspace") == everything.count("Betaspace (gammaspace)") > 0
    assert ",gammaspace," in everything
    item = transfer.progress[0].item
    assert item is not None
    (note,) = [note for note in world.alpha.history(item) if "given to" in note]
    assert "given to Betaspace (gammaspace), offered by Anna (@anna:twin.test, InvenTree user anna)" in note
    assert "approved by Gus (@gus:twin.test of gammaspace)" in note


async def test_only_the_name_that_was_shown_is_agreed_to() -> None:
    world = await three_friends()
    await renamed(world, "Gamma Lab")
    await renamed(world, "Betaspace")
    refused = await world.answer(world.anna, '!fed review gammaspace --name "Gamma Lab"')
    assert "now announces another name: Betaspace (gammaspace)" in refused
    assert world.alpha.turn.party_name("gammaspace") == "Gammaspace"
    assert "needs an InvenTree superuser" in await world.answer(world.kim, '!fed review gammaspace --name "Betaspace"')
    assert world.alpha.turn.party_name("gammaspace") == "Gammaspace"


async def test_a_new_name_that_was_taken_back_needs_no_review() -> None:
    world = await three_friends()
    await renamed(world, "Betaspace")
    await renamed(world, "Gammaspace")
    assert "announces no other name" in await world.answer(world.anna, '!fed review gammaspace --name "Betaspace"')


async def test_an_item_for_a_friend_never_goes_to_one_that_took_its_name() -> None:
    world = await three_friends()
    await renamed(world, "Betaspace")
    await world.answer(world.anna, '!fed review gammaspace --name "Betaspace"')
    await world.answer(world.anna, "!fed push M3-NUT 10 to Betaspace")
    assert world.alpha.transfer().peer == "betaspace"


async def test_two_friends_of_one_name_are_told_apart_by_their_ids() -> None:
    world = await three_friends()
    for space, party in ((world.beta, "betaspace"), (world.gamma, "gammaspace")):
        await renamed(world, "The Lab", space=space)
        await world.answer(world.anna, f'!fed review {party} --name "The Lab"')
    refused = await world.answer(world.anna, '!fed push M3-NUT 10 to "The Lab"')
    assert "betaspace" in refused
    assert "gammaspace" in refused
    assert world.alpha.turn.transfers() == []


@pytest.mark.parametrize(
    "name", ["Betaspace (betaspace)", "\u202eecapsateB", "Beta\nspace\u200b", "Betaspace（betaspace）"]
)
async def test_no_name_can_look_like_a_name_with_another_id(name: str) -> None:
    world = await three_friends()
    await renamed(world, name)
    announced = world.alpha.connection("gammaspace").new_name
    assert announced.endswith(" (gammaspace)")
    assert announced.count("(") == announced.count(")") == 1
    assert announced.isprintable()
    assert "（" not in announced


# --- a member takes an approver's name ----------------------------------------------------------------------------


async def test_a_member_who_takes_an_approvers_name_is_not_treated_as_the_approver() -> None:
    world = await sharing()
    world.kim.renames_to("Piet")
    await world.settle()
    await world.answer(world.kim, "!fed request 5 N-M3 from betaspace")
    assert "Asked by Piet (@kim:twin.test) (Attraktor)" in world.card().text
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    transfer = world.alpha.transfer()
    assert transfer.state is TransferState.DONE
    for space, person in ((world.alpha, world.anna), (world.beta, world.bea)):
        everything = await everything_told(world, space, person)
        assert PIET not in everything
        assert KIM in everything
        assert everything.replace("Piet (@kim:twin.test)", "").replace("Piet: @kim:twin.test", "").count("Piet") == 1, (
            "the CSV's column of display names alone has the bare name"
        )
    for space in (world.alpha, world.beta):
        item = space.transfer().progress[0].item
        assert item is not None
        notes = " ".join(space.history(item))
        assert "Piet (@kim:twin.test" in notes
        assert PIET not in notes


async def test_show_names_people_by_account_and_inventree_user() -> None:
    world = await friends()
    await world.hand_over()
    shown = await world.answer(world.anna, f"!fed show {world.alpha.transfer().code}")
    assert "Who is who:" in shown
    assert "Anna: @anna:twin.test, InvenTree user anna" in shown
    assert "Cem: @cem:twin.test\n" in shown + "\n", "nobody here knows Cem's user in their InvenTree"


async def test_the_csv_has_separate_columns_for_account_user_and_name() -> None:
    world = await friends()
    world.anna.renames_to("=Piet")
    await world.settle()
    await world.hand_over()
    (row,) = history.rows([world.alpha.transfer()])
    assert (row.asked_by, row.asked_by_user, row.asked_by_name) == (ANNA, "anna", "=Piet")
    assert (row.decided_by, row.decided_by_user, row.decided_by_name) == ("@cem:twin.test", "", "Cem")
    assert row.peer == "betaspace"


# --- a peer says that one of our own people did something -----------------------------------------------------------


async def test_our_approver_in_a_peers_message_is_shown_as_the_peers_claim() -> None:
    world = await friends()
    await world.push()
    world.beta.is_asleep = True
    offered = world.beta.transfer()
    forges(world, world.beta, offered, "approve", {"by": PIET, "by_name": "Piet"})
    await world.settle()
    item = world.alpha.transfer().progress[0].item
    assert item is not None
    notes = " ".join(world.alpha.history(item))
    assert "approved by Piet (@piet:twin.test of betaspace)" in notes
    assert "InvenTree user piet" not in notes
    shown = await world.answer(world.anna, f"!fed show {world.alpha.transfer().code}")
    assert "Piet, says betaspace: approved it, and it counted" in shown
    assert "InvenTree user piet" not in shown


async def test_a_request_in_the_name_of_our_person_is_shown_as_the_peers_claim() -> None:
    world = await sharing()
    world.beta.us.people[PIET] = "bea"
    world.piet.says("!fed as betaspace request 5 M3-NUT from attraktor")
    await world.settle()
    assert f"Asked by Piet ({PIET} of betaspace) (Betaspace)" in card_of(world, world.alpha).text
