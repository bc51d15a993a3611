"""A photo attached to a stock item."""

from __future__ import annotations

import pytest

from fedbot.inventree.client.versions import Version
from fedbot.ports.inventory import NotPermitted, OutcomeUnknown, Refusal
from fedbot.rules.model.steps import AttachPhoto, Known, PhotoAttached
from fedbot_demo.inventree.faults import FaultKind
from tests.inventree.space import Space

MARK = "fed:k7m2xq4w9tz3b5c8d6f2:1:photo-0a1b2c3d"
LENS = Known(9, "0042")
STEP = AttachPhoto(MARK, "Piet: scratched <left>", 42, {"url": "mxc://x/1"}, LENS)
JPEG = b"\xff\xd8\xff\xe0 and so on"


async def test_it_is_attached_once_and_found_by_its_mark(alpha: Space) -> None:
    assert await alpha.inventory.probe(STEP) is None
    done = await alpha.inventory.attach(STEP, JPEG)
    assert await alpha.inventory.probe(STEP) == done
    (row,) = alpha.admin.rows("attachment/", model_type="stockitem", model_id=42)
    assert row["comment"] == f"{MARK} Piet: scratched ‹left›"
    assert (row["file_size"], row["attachment"].rpartition("/")[2]) == (len(JPEG), f"{MARK.replace(':', '-')}.jpg")
    assert await alpha.inventory.probe(AttachPhoto(f"{MARK}9", "", 42, {}, LENS)) is None


@pytest.mark.parametrize(
    ("photo", "ending"),
    [
        (JPEG, "jpg"),
        (b"\x89PNG\r\n\x1a\n.", "png"),
        (b"GIF89a.", "gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "webp"),
        (b"\x00\x00\x00\x18ftypheic", "heic"),
    ],
)
async def test_a_picture_is_recognised_by_its_first_bytes(alpha: Space, photo: bytes, ending: str) -> None:
    await alpha.inventory.attach(STEP, photo)
    (row,) = alpha.admin.rows("attachment/", model_type="stockitem", model_id=42)
    assert row["filename"].endswith(f".{ending}")


@pytest.mark.parametrize("photo", [b"", b"\xff\xd8", b"<svg onload=alert(1)>", b"%PDF-1.7", b"MZ", b"RIFF....WAVE"])
async def test_anything_else_is_refused_before_it_is_sent(alpha: Space, photo: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        await alpha.inventory.attach(STEP, photo)
    assert caught.value.reason == "no-picture"
    assert not alpha.admin.rows("attachment/")


async def test_the_missing_permission_is_named(alpha: Space) -> None:
    alpha.fails(FaultKind.ERROR_BEFORE, "attachment/", status=403)
    with pytest.raises(NotPermitted, match="role stock: change"):
        await alpha.inventory.attach(STEP, JPEG)


async def test_done_but_unanswered_is_unknown_and_then_found(alpha: Space) -> None:
    alpha.fails(FaultKind.TIMEOUT_AFTER, "attachment/")
    with pytest.raises(OutcomeUnknown):
        await alpha.inventory.attach(STEP, JPEG)
    assert isinstance(await alpha.inventory.probe(STEP), PhotoAttached)


async def test_a_long_note_is_cut_to_the_versions_limit(alpha: Space) -> None:
    await alpha.inventory.attach(AttachPhoto(MARK, "x" * 500, 42, {}, LENS), JPEG)
    (row,) = alpha.admin.rows("attachment/", model_type="stockitem", model_id=42)
    assert len(row["comment"]) == 250


def test_older_versions_store_attachments_of_stock_items_separately() -> None:
    assert Version(206).attachment_call(42) == ("stock/attachment/", {"stock_item": 42})
    assert (Version(206).longest_comment, Version(207).longest_comment) == (100, 250)
