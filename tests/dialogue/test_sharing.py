"""`share` and `unshare` in conversations: what friends may find and name, and where the list is stored."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fedbot.rules.model.catalogue import Share
from fedbot.rules.model.lifecycles import TransferState
from tests.dialogue.test_recovery import is_rebuilt
from tests.fakes.people import Person
from tests.scenarios.world import World, a_world, friends, told


async def said(world: World, line: str, by: Person | None = None) -> str:
    """The only answer to a line, by default of Piet, an approver at attraktor."""
    return await world.answer(by or world.piet, f"!fed {line}")


def mark(world: World, model: str, pk: int) -> object:
    """The value under our key for shares in a row's metadata."""
    kept = world.alpha.tables.metadata_of(model, pk)
    return kept.content.get("fedbot_share", {}).get("shared") if kept else None


async def test_nothing_is_shared_at_first_and_a_list_grows_entry_by_entry() -> None:
    world = await friends()
    assert "Attraktor shares nothing" in await said(world, "share")
    item = world.alpha.row(42)
    answer = await said(world, "share m3-bolt")
    assert answer.splitlines() == [
        "Shared: M3 bolt (the part, with all its stock)",
        "In stock now: 210",
        "Visible to: Betaspace. When they request something, our approvers decide each time.",
    ]
    assert "only this item" in await said(world, "share #42")
    assert "In it: 4 parts" in await said(world, "share fasteners")
    assert mark(world, "part", world.alpha.part("M3-BOLT").pk) is None, (
        "the bot need not have the right to change parts"
    )
    assert mark(world, "stockitem", item.pk) is True
    answer = await said(world, "share")
    assert answer.startswith("Attraktor shares 3 entries:")
    await world.alpha.restart()
    await world.settle()
    assert await said(world, "share") == answer


@pytest.mark.parametrize("code", ["INV-PA{part}", '{{"part": {part}}}', "inv-pa{part}"])
async def test_the_scanned_code_of_a_part_shares_and_unshares_it(code: str) -> None:
    world = await friends()
    word = code.format(part=world.alpha.part("M3-NUT").pk)
    assert "Shared: M3 nut (the part, with all its stock)" in await said(world, f"share {word}")
    assert "Not shared any more: M3 nut" in await said(world, f"unshare {word}")
    assert "No item, part or category" in await said(world, "share INV-PA9999")


async def test_the_variants_of_a_shared_template_are_found_and_can_be_requested() -> None:
    world = await friends(beta={"new_part_category": "Material"})
    fields = {"description": "x", "category": 1, "salable": True}
    template = world.alpha.admin("POST", "part/", name="Shirt", IPN="SHIRT", is_template=True, **fields)["pk"]
    assert "It is a template" in await said(world, "share SHIRT")
    red = world.alpha.admin("POST", "part/", name="Red shirt", IPN="SHIRT-R", variant_of=template, **fields)["pk"]
    world.alpha.admin("POST", "part/", name="Cap", IPN="CAP", **fields)
    with world.alpha.by_hand():
        world.alpha.admin("POST", "stock/", part=red, quantity=5, location=world.alpha.location("Drawer A3"))
    await is_rebuilt(world.alpha)
    await world.settle()
    while world.alpha.inventory.tended() < 60:
        pass
    assert "Red shirt (SHIRT-R)" in await said(world, "find shirt", world.bea)
    await said(world, "request 2 SHIRT-R from attraktor", world.bea)
    assert world.alpha.transfer().terms.lines[0].part == red
    await said(world, "unshare SHIRT")
    assert "Nothing found" in await said(world, "find shirt", world.bea)


async def test_an_item_shared_through_its_category_is_said_to_be_so() -> None:
    world = await friends()
    await said(world, "share Fasteners")
    assert "That is Fasteners" in await said(world, "share M3-BOLT")
    item = world.alpha.item("M3-NUT")
    assert "That is Fasteners" in await said(world, f"share #{item.pk}")
    assert "That is Fasteners" in await said(world, "unshare M3-BOLT")
    assert "Not shared any more: Fasteners" in await said(world, "unshare Fasteners")
    assert world.alpha.turn.all(Share) == []


async def test_an_unshared_item_that_is_still_visible_is_reported() -> None:
    world = await friends()
    item = world.alpha.item("M3-NUT")
    await said(world, f"share #{item.pk}")
    await said(world, "share M3-NUT")
    assert "Friends still see it, because it belongs to M3 nut" in await said(world, f"unshare #{item.pk}")
    assert mark(world, "stockitem", item.pk) is False
    assert "can't find it or request it now" in await said(world, "unshare M3-NUT")
    assert "not on the sharing list" in await said(world, "unshare M3-NUT")


async def test_everything_can_be_shared_and_unshared_at_once() -> None:
    world = await friends()
    await said(world, "share M3-BOLT")
    assert "everything that we have" in await said(world, "share all")
    assert "Already shared" in await said(world, "share all")
    assert "Nothing is shared any more: I removed 2 entries" in await said(world, "unshare all")
    assert "not on the sharing list" in await said(world, "unshare everything")


async def test_an_ambiguous_word_is_asked_about() -> None:
    world = await friends()
    world.alpha.admin("POST", "part/category/", name="M3 bolt")
    line = world.piet.says("!fed share M3 bolt")
    await world.settle()
    (choice,) = world.room.answers(line)
    assert "1) the part M3 bolt" in choice.text
    assert "2) the category M3 bolt" in choice.text
    world.piet.says("2", reply_to=choice)
    await world.settle()
    assert [share.model for share in world.alpha.turn.all(Share)] == ["partcategory"]


async def test_an_unknown_word_shares_nothing() -> None:
    world = await friends()
    assert 'No item, part or category "M4-BOLT"' in await said(world, "share M4-BOLT")
    assert "Did you mean M3 bolt" in await said(world, "share bolt")
    assert "No item, part or category" in await said(world, "share #999999")
    assert "No item, part or category" in await said(world, "share part:999999")
    assert world.alpha.turn.all(Share) == []


async def test_an_item_of_another_space_is_not_ours_to_share() -> None:
    world = await friends()
    await world.hand_over("RES-10K 20")
    item = world.beta.transfer().at(1).item
    assert "came from Attraktor, so it isn't ours to share" in await said(world, f"share #{item}", by=world.cem)
    assert world.beta.turn.all(Share) == []


async def test_sharing_warns_of_items_that_inventree_would_not_release() -> None:
    world = await friends()
    assert "only gives away salable parts" in await said(world, "share Workshop vice")


async def test_only_approvers_share() -> None:
    world = await friends()
    assert "needs an approver" in await said(world, "share M3-BOLT", by=world.kim)
    assert "needs an approver" in await said(world, "share", by=world.kim)
    assert world.alpha.turn.all(Share) == []


async def test_without_friends_it_says_that_nobody_sees_it() -> None:
    world = await a_world()
    assert "Nobody sees it yet" in await said(world, "share M3-BOLT")


async def test_a_category_that_the_bot_may_not_change_is_shared_without_alarming_the_admins() -> None:
    world = await friends()
    assert "In it: 4 parts" in await said(world, "share Fasteners")
    assert [share.name for share in world.alpha.turn.all(Share)] == ["Fasteners"]
    assert told(world.alpha_admins, "metadata") == []


async def test_a_mistyped_category_is_answered_like_a_mistyped_part() -> None:
    world = await friends()
    assert "Did you mean Fasteners?" in await said(world, "share Fastners")


# --- requests by name ---


async def asks_for(world: World, words: str) -> list[str]:
    """Tom of betaspace requests it from attraktor; return both bots' answers without ids."""
    await world.passes(timedelta(seconds=1))  # so it is the newest transfer by its time
    before = len(world.room.messages())
    world.tom.says(f"!fed request {words} from attraktor")
    await world.settle()
    said = [message.text for message in world.room.messages()[before + 1 :]]
    transfer = world.beta.transfer()
    line = transfer.terms.lines[0]
    named = f"{line.quantity} × {line.description.name}"
    return [text.replace(transfer.code, "ID").replace(named, "THAT") for text in said]


async def test_an_unshared_item_is_refused_like_one_that_does_not_exist() -> None:
    world = await friends()
    item = world.alpha.item("M3-NUT").pk
    unknown = await asks_for(world, "10 FLUX")
    for word in ("10 M3-BOLT", "9999 M3-BOLT", f"10 #{item}", "LENS-2#0042", "1 LENS-2#9999"):
        answers = await asks_for(world, word)
        assert answers[1:] == unknown[1:], word
        assert world.beta.transfer().problem == "not-found"
    assert "Attraktor shares nothing of exactly that name" in unknown[1]
    assert "ask its people to share it" in unknown[1]
    assert [message for message in world.alpha_admins.messages() if message.sender == world.alpha.chat.user_id] == []
    await said(world, "share M3-BOLT")
    assert "Give it?" in (await asks_for(world, "10 M3-BOLT"))[1]
    assert world.alpha.transfer().state is TransferState.OPEN


async def test_a_shared_category_allows_requests_for_its_parts_and_no_others() -> None:
    world = await friends()
    category = world.alpha.part("M3-BOLT").category
    world.alpha.admin("POST", "part/category/", name="Bolts", parent=category)
    below = max(row.pk for row in world.alpha.tables.categories)
    world.alpha.admin("PATCH", f"part/{world.alpha.part('M3-BOLT').pk}/", category=below)
    await said(world, "share Fasteners")
    assert "Give it?" in (await asks_for(world, "10 M3-BOLT"))[1]
    assert "shares nothing of exactly that name" in (await asks_for(world, "10 RES-10K"))[1]


async def test_requests_beyond_the_budget_are_declined_and_not_stored() -> None:
    world = await friends(alpha={"questions_an_hour_per_peer": 2})
    for _ in range(2):
        await asks_for(world, "10 FLUX")
    known = len(world.alpha.turn.transfers())
    answers = await asks_for(world, "10 FLUX")
    assert "got too many requests within an hour" in answers[-1]
    assert "Ask again in an hour." in answers[-1]
    assert len(world.alpha.turn.transfers()) == known
    assert world.beta.transfer().state is TransferState.DECLINED
    await world.passes(timedelta(minutes=61))
    assert "shares nothing of exactly that name" in (await asks_for(world, "10 FLUX"))[-1]


async def test_a_friend_that_asks_for_figures_too_often_is_told_when_to_come_back() -> None:
    world = await friends(alpha={"questions_an_hour_per_peer": 1})
    assert "no entries" not in await said(world, "stats attraktor", by=world.tom)
    answer = await said(world, "stats attraktor", by=world.tom)
    assert answer == "We asked Attraktor too often. It gives figures again from 21:14."


async def test_the_figures_and_the_list_of_spaces_show_how_much_a_space_shares() -> None:
    world = await friends()
    await said(world, "share M3-BOLT")
    assert "1 entry on the sharing list" in await said(world, "stats attraktor", by=world.tom)
    assert "shares 1 entry" in await said(world, "spaces", by=world.tom)
    await said(world, "unshare all")
    await said(world, "find M3", by=world.tom)
    assert "shares 0 entries" in await said(world, "spaces", by=world.tom)


async def test_the_list_is_rebuilt_with_a_lost_journal() -> None:
    world = await friends()
    await said(world, "share M3-BOLT")
    await said(world, "share Laser")
    listed = await said(world, "share")
    await is_rebuilt(world.alpha)
    await world.settle()
    assert await said(world, "share") == listed
    await said(world, "unshare Laser")
    await world.passes(timedelta(minutes=3))  # a rebuilt bot first checks the outcome of its last steps
    await is_rebuilt(world.alpha)
    await world.settle()
    assert [share.name for share in world.alpha.turn.all(Share)] == ["M3 bolt"]
