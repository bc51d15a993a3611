"""Pictures of unknown origin: an accepted one looks the same, and carries nothing else."""

from __future__ import annotations

import base64
import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fedbot.rules.model.catalogue import LARGEST_PICTURE
from fedbot.web.pictures import LARGEST_SIDE, NoPicture, Picture, rebuilt

JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/4gHYSUNDX1BST0ZJTEUAAQEAAAHIAAAAAAQwAABtbnRyUkdCIFhZWiAH4AABAAEAAAAAAABhY3NwAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAA9tYAAQAAAADTLQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAlkZXNjAAAA8AAAACRyWFlaAAABFAAAABRnWFlaAAABKAAAABRiWFlaAAABPAAAABR3dHB0AAABUAAAABRyVFJDAAABZAAAAChn"
    "VFJDAAABZAAAAChiVFJDAAABZAAAAChjcHJ0AAABjAAAADxtbHVjAAAAAAAAAAEAAAAMZW5VUwAAAAgAAAAcAHMAUgBHAEJYWVogAAAAAAAA"
    "b6IAADj1AAADkFhZWiAAAAAAAABimQAAt4UAABjaWFlaIAAAAAAAACSgAAAPhAAAts9YWVogAAAAAAAA9tYAAQAAAADTLXBhcmEAAAAAAAQA"
    "AAACZmYAAPKnAAANWQAAE9AAAApbAAAAAAAAAABtbHVjAAAAAAAAAAEAAAAMZW5VUwAAACAAAAAcAEcAbwBvAGcAbABlACAASQBuAGMALgAg"
    "ADIAMAAxADb/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYVpQYEpRUk//2wBD"
    "AQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wAARCAAQABgDASIAAhEB"
    "AxEB/8QAFgABAQEAAAAAAAAAAAAAAAAAAAQF/8QAGxAAAQQDAAAAAAAAAAAAAAAAEQAFE2EVI0L/xAAVAQEBAAAAAAAAAAAAAAAAAAAEAv/E"
    "AB0RAAEDBQEAAAAAAAAAAAAAAAAxUWITFCOBkST/2gAMAwEAAhEDEQA/AM1rbchLujjHJJN0jo24+LdJIeQALtGtyx8umSQdAA1aOjlkItMc"
    "Z6JIqlGevDTdUF5rae34hAiIlAj/2Q=="
)
WEBP = base64.b64decode(
    "UklGRlYCAABXRUJQVlA4WAoAAAAgAAAAFwAADwAASUNDUMgBAAAAAAHIAAAAAAQwAABtbnRyUkdCIFhZWiAH4AABAAEAAAAAAABhY3NwAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAA9tYAAQAAAADTLQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAlkZXNjAAAA8AAAACRyWFlaAAABFAAAABRnWFlaAAABKAAAABRiWFlaAAABPAAAABR3dHB0AAABUAAAABRyVFJDAAABZAAAAChn"
    "VFJDAAABZAAAAChiVFJDAAABZAAAAChjcHJ0AAABjAAAADxtbHVjAAAAAAAAAAEAAAAMZW5VUwAAAAgAAAAcAHMAUgBHAEJYWVogAAAAAAAA"
    "b6IAADj1AAADkFhZWiAAAAAAAABimQAAt4UAABjaWFlaIAAAAAAAACSgAAAPhAAAts9YWVogAAAAAAAA9tYAAQAAAADTLXBhcmEAAAAAAAQA"
    "AAACZmYAAPKnAAANWQAAE9AAAApbAAAAAAAAAABtbHVjAAAAAAAAAAEAAAAMZW5VUwAAACAAAAAcAEcAbwBvAGcAbABlACAASQBuAGMALgAg"
    "ADIAMAAxADZWUDggaAAAAFAEAJ0BKhgAEAA+tUieSackIqEwCADgFolkALsXwBc//oAbtV+wHwgAhFAA/uUj/+ffv/ny0//54kHIbf46pdZA"
    "CE5rki58uR8NGOSR9/Z18CD148OcapULp5vPtB/Pa9cGWVRVAAAA"
)
"""24 by 16 pixels, as a browser writes them, with a colour profile."""
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def a_png(
    width: int = 2,
    height: int = 2,
    *,
    raw: bytes | None = None,
    pieces: bytes = b"",
    colours: int = 2,
    depth: int = 8,
    interlaced: int = 0,
) -> bytes:
    """A PNG of that size with red pixels; `pieces` come before them."""
    header = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, interlaced)
    pixels = (b"\0" + b"\xff\0\0" * width) * height if raw is None else raw
    packed = chunk(b"IDAT", zlib.compress(pixels))
    return SIGNATURE + chunk(b"IHDR", header) + pieces + packed + chunk(b"IEND", b"")


def names_in(png: bytes) -> list[bytes]:
    told, names = BytesIO(png.removeprefix(SIGNATURE)), []
    while head := told.read(8):
        length, name = struct.unpack(">I4s", head)
        told.read(length + 4)
        names.append(name)
    return names


def test_a_png_keeps_its_pixels_and_loses_everything_else() -> None:
    carried = chunk(b"tEXt", b"Comment\0at home") + chunk(b"eXIf", b"II*\0where") + chunk(b"acTL", bytes(8))
    made = rebuilt(a_png(pieces=carried) + b"<script>alert(1)</script>")
    assert made.kind == "image/png"
    assert names_in(made.content) == [b"IHDR", b"IDAT", b"IEND"]
    assert rebuilt(made.content) == made
    assert zlib.decompress(made.content[41:-16]) == (b"\0" + b"\xff\0\0" * 2) * 2


def test_a_palette_and_its_transparency_stay() -> None:
    palette = chunk(b"PLTE", b"\xff\0\0\0\xff\0") + chunk(b"tRNS", b"\x80\xff")
    made = rebuilt(a_png(8, 1, raw=b"\0\x55", pieces=palette, colours=3, depth=1))
    assert names_in(made.content) == [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"]


def test_an_interlaced_png_has_the_bytes_of_its_seven_passes() -> None:
    raw = b"\0" + bytes(3) + b"\0" + bytes(3)  # 2 by 1: the first pass has a pixel, and the sixth one
    assert rebuilt(a_png(2, 1, raw=raw, interlaced=1)).kind == "image/png"
    with pytest.raises(NoPicture, match="pixels"):
        rebuilt(a_png(2, 1, raw=raw + b"\0", interlaced=1))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (a_png(raw=bytes(50_000_000)), "pixels"),
        (a_png(LARGEST_SIDE + 1, 1), "pixels"),
        (a_png(0, 5), "pixels"),
        (a_png(pieces=chunk(b"CgBI", b"")), "unknown"),
        (a_png(depth=3), "no PNG"),
        (a_png(interlaced=2), "no PNG"),
        (a_png()[:-20], "cut off"),
        (a_png().replace(b"IEND", b"IDAT"), "damaged"),
        (a_png() + bytes(LARGEST_PICTURE), "too large"),
        (JPEG[:-100], "cut off"),
        (JPEG[:40], "cut off"),
        (JPEG.replace(b"\0\x10\0\x18\x03", b"\x20\0\x20\0\x03"), "pixels"),
        (JPEG.replace(b"\xff\xc0", b"\xff\xc9"), "isn't let through"),
        (JPEG.replace(b"\xff\xd9", b"") + JPEG[JPEG.index(b"\xff\xda") : -2] * 20 + b"\xff\xd9", "order"),
        (WEBP[:-20], "cut off"),
        (WEBP.replace(b"ICCP", b"ANIM"), "moves"),
        (WEBP.replace(b"\x18\0\x10\0>", b"\xff\x3f\xff\x3f>"), "pixels"),
        (b"RIFF\4\0\0\0WAVE", "neither"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "neither"),
        (b"GIF89a" + bytes(100), "neither"),
        (b"", "neither"),
    ],
)
def test_anything_but_a_small_still_picture_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(NoPicture, match=why):
        rebuilt(content)


def test_a_jpeg_and_a_webp_lose_everything_else() -> None:
    exif = b"\xff\xe1\0\x0cExif\0\0here" + b"\xff\xfe\0\x06note"
    made = rebuilt(JPEG[:2] + exif + JPEG[2:] + b"PK\3\4 an archive")
    assert made == rebuilt(JPEG)
    assert b"ICC_PROFILE" in JPEG
    for content, kind in ((JPEG, "image/jpeg"), (WEBP, "image/webp")):
        made = rebuilt(content)
        assert made.kind == kind
        assert b"sRGB" not in made.content
        assert len(made.content) < len(content) - 400
        assert rebuilt(made.content) == made


@settings(deadline=None)
@given(
    st.sampled_from([a_png(5, 3), a_png(2, 1, raw=bytes(8), interlaced=1), JPEG, WEBP]),
    st.lists(st.tuples(st.integers(0, 2_000), st.binary(max_size=4)), max_size=5),
    st.integers(0, 2_000),
)
@example(JPEG, [(2, b"\xff\xff\xff\xff")], 2_000)
def test_any_bytes_are_a_picture_or_refused(content: bytes, changes: list[tuple[int, bytes]], end: int) -> None:
    spoilt = bytearray(content[: end or None])
    for at, new in changes:
        spoilt[at : at + len(new)] = new
    try:
        made = rebuilt(bytes(spoilt))
    except NoPicture:
        return
    assert isinstance(made, Picture)
    assert len(made.content) <= LARGEST_PICTURE
    assert rebuilt(made.content) == made
