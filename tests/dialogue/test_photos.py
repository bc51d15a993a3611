"""Photos of returned items: replies to a return's card, attached to the owner's stock item in its InvenTree."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from fedbot.rules.loan.photos import LONGEST_PHOTO
from fedbot.rules.model.lending import LendingRule
from fedbot.rules.model.lifecycles import TransferState
from fedbot_demo.inventree.faults import FaultKind
from tests.dialogue.test_lending import back, handed_back, lent, owners_card
from tests.dialogue.test_settling import quarter_of_an_hour, unanswered
from tests.fakes.people import Message
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, sharing, told

LENS = 42
JPEG = b"\xff\xd8\xff\xe0" + bytes(2000)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
KEPT = "Saved: the photo is attached to stock #42 in InvenTree."


async def lens_comes_back() -> tuple[World, Message]:
    """The lens was lent to betaspace, and Bea hands it back; return the card for Attraktor's people."""
    world = await lent(f"#{LENS}")
    return world, await handed_back(world)


def attached(world: World) -> list[Any]:
    """The attachments in Attraktor's InvenTree."""
    return list(world.alpha.tables.attachments)


def answers_to(world: World, photo: str) -> list[str]:
    return [message.text for message in world.room.answers(photo)]


@pytest.mark.parametrize("how", ["as a reply", "in the thread", "in the thread, as a reply"])
async def test_a_photo_before_the_decision_is_attached_with_its_sender_and_transfer(how: str) -> None:
    world, card = await lens_comes_back()
    reply = card if "reply" in how else ""
    photo = world.kim.shows(JPEG, caption="a scratch, <left>", reply_to=reply, thread=card if "thread" in how else "")
    await world.settle()
    (row,) = attached(world)
    assert (row.model_type, row.model_id, row.file_size) == ("stockitem", LENS, len(JPEG))
    assert row.filename.endswith(".jpg")
    assert row.comment.startswith(f"fed:{back(world.alpha).id}:1:photo-")
    assert row.comment.endswith("Kim: a scratch, ‹left›")
    assert [KEPT in text for text in answers_to(world, photo)] == [True]
    assert world.alpha.row(LENS).customer is not None, "a photo decides nothing"
    world.piet.reacts(card, "🔧")
    await world.grace()
    assert back(world.alpha).state is TransferState.DONE
    assert_books_balance(world)


async def test_photos_are_accepted_for_two_weeks_after_the_end_and_then_people_are_told() -> None:
    world, card = await lens_comes_back()
    world.piet.reacts(card, "✅")
    await world.grace()
    end = world.room.messages(sender=world.alpha.chat.user_id)[-1]
    for photo in (JPEG, PNG):
        world.piet.shows(photo, reply_to=end if photo is PNG else card)
        await world.settle()
    assert [row.file_size for row in attached(world)] == [len(JPEG), len(PNG)]
    assert attached(world)[1].filename.endswith(".png")
    await world.passes(timedelta(days=15))
    late = world.piet.shows(JPEG, reply_to=card)
    await world.settle()
    assert len(attached(world)) == 2
    assert "I couldn't save the photo: this loan is over." in answers_to(world, late)[0]


async def test_a_return_that_was_not_confirmed_has_no_photos() -> None:
    world, card = await lens_comes_back()
    world.piet.reacts(card, "❌")
    await world.grace()
    photo = world.piet.shows(JPEG, reply_to=card)
    await world.settle()
    assert attached(world) == []
    assert "I couldn't save the photo: this loan is over." in answers_to(world, photo)[0]


async def test_photos_of_others_and_without_a_card_are_ignored() -> None:
    world, card = await lens_comes_back()
    before = len(world.room.messages())
    world.bea.shows(JPEG, reply_to=card)
    world.newcomer("eve").shows(JPEG, reply_to=card)
    world.piet.shows(JPEG)
    world.piet.shows(JPEG, reply_to=world.card())  # the loan's card, of the other bot
    world.piet.shows(JPEG, reply_to=card, url="https://example.org/x.jpg")
    world.piet.sends("m.room.message", {"msgtype": "m.image", "body": "x", "file": "y", "info": []})
    await world.settle()
    assert attached(world) == []
    assert len(world.room.messages()) == before + 6, world.room.transcript()


@pytest.mark.parametrize(
    ("photo", "content", "why"),
    [
        (b"<html>not a picture</html>", {}, "it is no picture format that I know"),
        (b"", {}, "it is no picture format that I know"),
        (JPEG, {"info": {"size": LONGEST_PHOTO + 1}}, "it is larger than 20 MB"),
        (b"\xff\xd8\xff" + bytes(LONGEST_PHOTO), {"info": {"size": 5}}, "it is larger than 20 MB"),
        (JPEG, {"url": "mxc://twin.test/nothing"}, "the homeserver doesn't give it to me"),
    ],
)
async def test_an_invalid_too_large_or_missing_photo_is_reported(
    photo: bytes, content: dict[str, Any], why: str
) -> None:
    world, card = await lens_comes_back()
    sent = world.piet.shows(photo, reply_to=card, **content)
    await world.settle()
    assert attached(world) == []
    assert f"I couldn't save the photo: {why}" in answers_to(world, sent)[0]
    world.piet.reacts(card, "✅")
    await world.grace()
    assert back(world.alpha).state is TransferState.DONE


async def test_without_the_permission_to_attach_people_are_told_what_is_missing() -> None:
    world, card = await lens_comes_back()
    world.alpha.fails(FaultKind.ERROR_BEFORE, "POST", "attachment/", status=403)
    sent = world.piet.shows(JPEG, reply_to=card)
    await world.settle()
    assert "I lack the role for it, stock: add" in answers_to(world, sent)[0]


@pytest.mark.parametrize(
    "kind", [FaultKind.TIMEOUT_AFTER, FaultKind.TIMEOUT_BEFORE, FaultKind.ERROR_AFTER, FaultKind.REFUSED]
)
async def test_a_failed_upload_is_looked_for_and_done_once(kind: FaultKind) -> None:
    world, card = await lens_comes_back()
    world.alpha.fails(kind, "POST", "attachment/")
    photo = world.piet.shows(JPEG, reply_to=card)
    await world.settle()
    await world.passes(timedelta(minutes=10))
    assert len(attached(world)) == 1
    assert len(answers_to(world, photo)) == 1


async def test_nothing_waits_for_a_photo_with_an_unknown_outcome() -> None:
    world, card = await lens_comes_back()
    with unanswered(world.alpha, "attachment/", FaultKind.TIMEOUT_BEFORE):
        photo = world.piet.shows(JPEG, reply_to=card)
        await world.settle()
    await quarter_of_an_hour(world, world.alpha)
    assert "I can't tell whether InvenTree has it" in answers_to(world, photo)[0]
    world.piet.reacts(card, "✅")
    await world.grace()
    await world.passes(timedelta(minutes=5))
    assert back(world.alpha).state is TransferState.DONE


async def test_a_photo_that_the_homeserver_does_not_return_now_is_requested_again_also_after_a_restart() -> None:
    world, card = await lens_comes_back()
    photo = world.piet.shows(JPEG, reply_to=card)
    world.alpha.chat.is_withholding_files = True
    await world.settle()
    assert answers_to(world, photo) == []
    assert not told(world.alpha_admins, "InvenTree"), "it is no fault of InvenTree's"
    await world.alpha.restart()
    world.alpha.chat.is_withholding_files = False
    await world.passes(timedelta(minutes=2))
    assert len(attached(world)) == 1
    other = world.piet.shows(PNG, reply_to=owners_card(world))
    world.piet.reacts(owners_card(world), "✅")
    world.alpha.chat.is_withholding_files = True
    await world.grace()
    await world.passes(timedelta(minutes=1))
    assert back(world.alpha).state is TransferState.DONE, "nothing waits for a photo"
    await world.passes(timedelta(days=1, hours=1))
    assert "the homeserver doesn't give it to me" in answers_to(world, other)[0]


async def test_stock_moves_without_waiting_for_photos_and_one_is_fetched_at_a_time() -> None:
    world, card = await lens_comes_back()
    arrives, begun = asyncio.Event(), 0
    download = world.alpha.chat.download

    async def slowly(file: Mapping[str, Any], longest: int) -> bytes:
        nonlocal begun
        begun += 1
        await arrives.wait()
        return await download(file, longest)

    world.alpha.chat.download = slowly  # type: ignore[method-assign]
    photos = [world.piet.shows(JPEG, reply_to=card) for _ in range(3)]
    async with asyncio.timeout(30):
        await world.settle()
        world.piet.reacts(card, "✅")
        await world.grace()
    assert back(world.alpha).state is TransferState.DONE
    assert (attached(world), begun) == ([], 1)
    arrives.set()
    await world.passes(timedelta(minutes=1))
    assert [len(answers_to(world, photo)) for photo in photos] == [1, 1, 1]
    assert len(attached(world)) == begun == 3
    assert_books_balance(world)


async def test_a_photo_of_two_items_is_attached_to_both_and_reported_once() -> None:
    world = await lent(f"#{LENS} + #4 2")
    card = await handed_back(world, "return all")
    photo = world.piet.shows(JPEG, reply_to=card)
    await world.settle()
    items = [progress.item for progress in back(world.alpha).progress]
    assert [row.model_id for row in attached(world)] == items
    assert len(items) == 2
    assert answers_to(world, photo) == [
        f"Saved: the photo is attached to stock #{items[0]}, #{items[1]} in InvenTree. {back(world.alpha).code}"
    ]


async def test_a_photo_required_by_lending_rules_at_the_hand_over_is_attached_to_the_owners_item() -> None:
    world = await sharing(alpha={"lending": (LendingRule(parts=("LENS-2",), photo_out=True),)})
    world.piet.says(f"!fed lend #{LENS} to betaspace for 2 weeks")
    await world.settle()
    offered = world.room.messages(sender=world.alpha.chat.user_id)[-1]
    early = world.piet.shows(JPEG, reply_to=offered)
    await world.settle()
    assert "it is not handed over yet" in answers_to(world, early)[0]
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    (end,) = told(world.room, "📷 Attraktor, please send a photo of it, as a reply to this message.")
    photo = world.kim.shows(JPEG, reply_to=end)
    stranger = world.cem.shows(JPEG, reply_to=end)
    await world.settle()
    assert KEPT in answers_to(world, photo)[0]
    assert answers_to(world, stranger) == []
    (row,) = attached(world)
    assert (row.model_id, row.file_size) == (LENS, len(JPEG))
    assert_books_balance(world)
