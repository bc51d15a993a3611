"""An item's attachments, and the image of a new part, travel along: encrypted, checked, limited."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.protocol.sequencing import bound_to
from fedbot.rules.wire import Draft, seal
from fedbot_demo.inventree.faults import FaultKind
from fedbot_demo.inventree.transport import SimulatedTransport
from tests.dialogue.test_dishonest_friends import forges
from tests.dialogue.test_lending import owners_card
from tests.dialogue.test_photos import JPEG, PNG
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import friends, told

PDF = b"%PDF-1.7 how to hold a lens " + bytes(300)
LENS = 42


def attach(space: Space, item: int, name: str, content: bytes, comment: str = "") -> None:
    """A person attaches a file in the web interface."""
    of_items = {"model_type": "stockitem", "model_id": item}
    url, fields = (
        ("attachment/", of_items)
        if space.seeded.server.state.version.api >= 207
        else (
            "stock/attachment/",
            {"stock_item": item},
        )
    )
    _upload(space, "POST", url, {**fields, "comment": comment}, "attachment", (name, content))


def picture(space: Space, part: int, name: str, content: bytes) -> None:
    """A person gives a part its image."""
    _upload(space, "PATCH", f"part/{part}/", {}, "image", (name, content))


def _upload(space: Space, method: str, url: str, fields: dict[str, Any], name: str, file: tuple[str, bytes]) -> None:
    headers = {"Authorization": f"Token {space.seeded.token('admin')}"}
    with httpx.Client(transport=SimulatedTransport(space.seeded.server), base_url="http://x") as client:
        answer = client.request(method, f"/api/{url}", headers=headers, data=fields, files={name: file})
    assert answer.is_success, answer.text


def kept(space: Space) -> dict[str, bytes]:
    """The attachments in a space's InvenTree by name."""
    return {row.filename: row.content for row in space.tables.attachments}


async def test_files_travel_encrypted_and_the_next_loan_brings_none_twice() -> None:
    world = await friends()
    for name, content in (("how to.pdf", PDF), ("left.jpg", JPEG), ("all.svg", b"<svg/>")):
        attach(world.alpha, LENS, name, content)
    attach(world.alpha, LENS, "crack.png", PNG, comment="fed:abc:1:photo-1 Kim")
    world.anna.says(f"!fed lend #{LENS} to betaspace for 2 weeks")
    await world.settle()
    assert "Travels with it: files." in world.card().text
    show = world.cem.says("!fed show", reply_to=world.card())
    await world.settle()
    assert "files how_to.pdf, left.jpg" in world.answer_to(show)
    assert "Does not travel: files." in world.card().text  # the drawing, which could hold a script
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.alpha.transfer().state is TransferState.DONE
    assert kept(world.beta) == {"how_to.pdf": PDF, "left.jpg": JPEG}
    (row, _) = sorted(world.beta.tables.attachments, key=lambda each: each.filename)
    digest = hashlib.sha256(PDF).hexdigest()[:16]
    assert row.model_id == world.beta.transfer().at(1).item
    assert row.comment == f"fed:{world.beta.transfer().id}:1:file-{digest} from Attraktor (attraktor)"
    assert PDF not in world.server.media.values()
    assert "mxc://" not in str([event["content"] for event in world.server.log if "how_to" in str(event)])
    world.bea.says("!fed return LENS-2")
    await world.settle()
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert len(world.alpha.tables.attachments) == len(kept(world.alpha)) == 4, "what comes back brings nothing"
    await world.hand_over(f"#{LENS}")
    assert len(world.beta.tables.attachments) == 2, "known by its content"
    assert_books_balance(world)


async def test_a_new_part_gets_its_picture_and_an_existing_one_gets_none() -> None:
    world = await friends(beta={"new_part_category": "Material"})
    for ipn in ("PLY-4-BIRCH", "RES-10K"):
        picture(world.alpha, world.alpha.part(ipn).pk, "look.png", PNG)
    card = await world.push("PLY-4-BIRCH 5")
    assert "picture" in card.text.partition("Travels with it:")[2].splitlines()[0]
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.beta.part("PLY-4-BIRCH").picture == PNG
    await world.hand_over("RES-10K 1")
    assert world.beta.part("RES-10K").image == ""


@pytest.mark.parametrize(
    ("alpha", "beta"), [({"largest_file": 0}, {}), ({}, {"largest_file": 0}), ({"largest_file": 200}, {})]
)
async def test_the_card_says_that_files_stay_if_a_side_sends_or_accepts_none(
    alpha: dict[str, Any], beta: dict[str, Any]
) -> None:
    world = await friends(alpha=alpha, beta=beta)
    attach(world.alpha, LENS, "how.pdf", PDF)
    card = await world.push(f"#{LENS}")
    assert "how.pdf" not in card.text
    assert "Does not travel: files." in card.text
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert (kept(world.beta), world.server.media) == ({}, {})
    assert not told(world.beta_admins, "file")


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"<html>hi</html>", "how.txt"), (b"MZ\x90\0", "how.pdf"), (PDF, "how.jpg"), (b"a\0b", "x.txt")],
)
async def test_a_file_that_is_not_what_its_name_says_is_not_sent_and_is_reported_to_the_admins(
    content: bytes, name: str
) -> None:
    world = await friends()
    attach(world.alpha, LENS, name, content)
    await world.hand_over(f"#{LENS}")
    assert kept(world.beta) == {}
    (said,) = told(world.beta_admins, f"The file {name}")
    assert "The other bot can't fetch the file" in said.text
    assert world.beta.transfer().state is TransferState.DONE


async def test_a_file_that_became_larger_or_is_gone_does_not_travel() -> None:
    world = await friends()
    attach(world.alpha, LENS, "how.pdf", PDF)
    await world.push(f"#{LENS}")
    (row,) = world.alpha.tables.attachments
    world.alpha.tables.attachments.remove(row.pk)
    attach(world.alpha, LENS, "how.pdf", PDF + bytes(10_000))
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert kept(world.beta) == {}
    assert told(world.beta_admins, "The file how.pdf, which belongs to")


@pytest.mark.parametrize("path", ["/media/", "attachment/"])
@pytest.mark.parametrize("kind", [FaultKind.TIMEOUT_AFTER, FaultKind.TIMEOUT_BEFORE, FaultKind.REFUSED])
async def test_a_file_is_stored_once_whatever_fails_on_its_way(kind: FaultKind, path: str) -> None:
    world = await friends()
    attach(world.alpha, LENS, "how.pdf", PDF)
    await world.push(f"#{LENS}")
    world.alpha.fails(kind, "GET", "/media/") if path == "/media/" else world.beta.fails(kind, "POST", path)
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    await world.beta.restart()
    for _ in range(3):
        await world.passes(timedelta(minutes=5))
    assert kept(world.beta) == {"how.pdf": PDF}
    assert len(world.beta.tables.attachments) == 1


async def test_nothing_waits_for_a_homeserver_that_accepts_no_file() -> None:
    world = await friends()
    attach(world.alpha, LENS, "how.pdf", PDF)
    await world.push(f"#{LENS}")
    world.alpha.chat.is_withholding_files = world.beta.chat.is_withholding_files = True
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.alpha.transfer().state is TransferState.DONE
    assert kept(world.beta) == {}
    world.alpha.chat.is_withholding_files = world.beta.chat.is_withholding_files = False
    await world.passes(timedelta(minutes=10))
    assert kept(world.beta) == {"how.pdf": PDF}


async def test_files_that_a_friends_bot_sends_twice_unasked_or_changed_are_refused() -> None:
    world = await friends()
    attach(world.alpha, LENS, "how.pdf", PDF)
    await world.hand_over(f"#{LENS}")
    transfer = world.alpha.transfer()
    media = await world.alpha.chat.upload_sealed(PNG)
    sealed = {"file": {"url": media.address, **media.decryption}, "digest": hashlib.sha256(PNG).hexdigest()}
    for number in (1, 2, 0):
        seq = transfer.exchange.sent + 1
        box = seal(world.beta.identity.key, sealed, bound_to=bound_to("attraktor", "betaspace", transfer.id, seq))
        forges(world, world.alpha, transfer, "file", {"number": 1, "file": number, "sealed": box})
        await world.settle()
        assert world.beta.transfer().exchange.seen == seq, "it was read"
        transfer = replace(transfer, exchange=replace(transfer.exchange, sent=seq))
    assert kept(world.beta) == {"how.pdf": PDF}
    assert world.beta.part("LENS-2").image == ""


async def test_a_friends_bot_that_repeats_a_line_gets_no_file_for_each() -> None:
    world = await friends()
    attach(world.alpha, LENS, "how.pdf", PDF)
    honest, sent = world.beta.bot.chat_worker._envelope, len(world.server.media)

    def envelope_of(draft: Draft, room: str) -> dict[str, Any]:
        items = draft.body.get("items", [])
        return honest(replace(draft, body={**draft.body, "items": items * 20}) if items else draft, room)

    world.beta.bot.chat_worker._envelope = envelope_of  # type: ignore[method-assign]
    await world.push(f"#{LENS}")
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert len(world.server.media) == sent
    assert world.beta.transfer().state is TransferState.RECEIVED, world.room.transcript()
    assert world.alpha.transfer().state is TransferState.SENT, "a message that names a line twice isn't read"
