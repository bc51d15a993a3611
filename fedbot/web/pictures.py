"""Pictures of parts, rebuilt from their pieces without being decoded.

A picture that a friend's bot names, or a person uploaded, may consist of any bytes. Malicious pictures attack decoders.
A browser runs its decoders in a sandbox, but this process has the keys, so it runs none. It only lets PNG, JPEG and
WebP through, of a limited size in bytes and pixels, rebuilt from the pieces that are visible. Everything else in a file
is left out, such as the place where it was taken, comments, colour profiles, animations, or data after its end. For a
PNG the pixels are also inflated, to exactly the number of bytes for its size, so it can't be a zip bomb.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from fedbot.rules.model.catalogue import LARGEST_PICTURE

LARGEST_SIDE = 512
"""In pixels. InvenTree's thumbnails have 128."""


class NoPicture(ValueError):
    """A picture that is refused; the text says why, and contains nothing of the file."""


@dataclass(frozen=True)
class Picture:
    """A picture that may be shown. `kind` is its media type."""

    content: bytes
    kind: str


def rebuilt(content: bytes) -> Picture:
    """Return the picture, rebuilt from its visible pieces. Raises `NoPicture`."""
    if len(content) > LARGEST_PICTURE:
        raise NoPicture("too large")
    for beginning, (kind, make) in _KINDS.items():
        if content.startswith(beginning):
            try:
                made = make(content)
            except (struct.error, IndexError, zlib.error) as problem:
                raise NoPicture("cut off or broken") from problem
            if len(made) > LARGEST_PICTURE:
                raise NoPicture("too large")
            return Picture(made, kind)
    raise NoPicture("neither PNG, JPEG nor WebP")


def _check_sides(width: int, height: int) -> None:
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise NoPicture("too many pixels, or none")


# --- PNG (ISO/IEC 15948) -----------------------------------------------------------------------------------------

_PNG = b"\x89PNG\r\n\x1a\n"
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples per pixel by colour type: grey, RGB, palette, and the first two with alpha."""
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PASSES = ((0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2))
"""Adam7: the first column and the column step, the first row and the row step."""


def _png(content: bytes) -> bytes:
    chunks = list(_chunks(content))
    names = [name for name, _ in chunks]
    if names[:1] != [b"IHDR"] or names[-1] != b"IEND" or names.count(b"IHDR") != 1 or names.count(b"PLTE") > 1:
        raise NoPicture("not in the order of a PNG")
    header = dict(chunks)[b"IHDR"]
    raw = _inflated(b"".join(data for name, data in chunks if name == b"IDAT"), _png_bytes(header))
    before = [(name, data) for name, data in chunks if name in {b"PLTE", b"tRNS"}]
    pieces = [(b"IHDR", header), *before[:2], (b"IDAT", zlib.compress(raw, 9)), (b"IEND", b"")]
    return _PNG + b"".join(_chunk(name, data) for name, data in pieces)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks up to IEND, as (name, content). Raises `NoPicture` for an unknown critical chunk."""
    at, name = len(_PNG), b""
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", content, at)
        data = content[at + 8 : at + 8 + length]
        (told,) = struct.unpack_from(">I", content, at + 8 + length)
        if zlib.crc32(name + data) != told:
            raise NoPicture("a chunk is damaged")
        if name[:1].isupper() and name not in {b"IHDR", b"PLTE", b"IDAT", b"IEND"}:
            raise NoPicture("a chunk is unknown")
        yield name, data
        at += 12 + length


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png_bytes(header: bytes) -> int:
    """The number of bytes of the inflated pixels."""
    width, height, depth, colours, *methods, interlaced = struct.unpack(">IIBBBBB", header)
    _check_sides(width, height)
    if depth not in _DEPTHS.get(colours, ()) or methods != [0, 0] or interlaced > 1:
        raise NoPicture("no PNG that anybody makes")
    passes = _PASSES if interlaced else ((0, 1, 0, 1),)
    sizes = [(-(-(width - x) // dx), -(-(height - y) // dy)) for x, dx, y, dy in passes]
    bits = depth * _SAMPLES[colours]
    return sum(rows * (1 + -(-columns * bits // 8)) for columns, rows in sizes if columns > 0 and rows > 0)


def _inflated(packed: bytes, size: int) -> bytes:
    opened = zlib.decompressobj()
    raw = opened.decompress(packed, size + 1)
    if len(raw) != size:
        raise NoPicture("more or fewer pixels than it says")
    return raw


# --- JPEG (ITU-T T.81) -------------------------------------------------------------------------------------------

_MARK, _START, _END, _SCAN = 0xFF, 0xD8, 0xD9, 0xDA
_FRAMES = (0xC0, 0xC1, 0xC2)
"""Baseline, extended and progressive, with Huffman coding."""
_TABLES = (0xC4, 0xDB, 0xDD)
_RESTARTS = range(0xD0, 0xD8)
_LEFT_OUT = (*range(0xE0, 0xF0), 0xFE)
"""Application data and comments."""
_MOST_SCANS = 20
"""Each scan makes a decoder process all pixels. Encoders use about ten."""


def _jpeg(content: bytes) -> bytes:
    kept, frames, scans = [bytes((_MARK, _START))], 0, 0
    for marker, piece in _segments(content):
        if marker in _FRAMES:
            _, height, width, components = struct.unpack_from(">BHHB", piece, 4)
            _check_sides(width, height)
            frames += 1
            if components not in {1, 3}:
                raise NoPicture("neither grey nor of three colours")
        scans += marker == _SCAN
        if frames > 1 or scans > _MOST_SCANS or (scans and not frames):
            raise NoPicture("not in the order of a JPEG")
        kept.append(piece)
    if not scans:
        raise NoPicture("a JPEG without pixels")
    return b"".join([*kept, bytes((_MARK, _END))])


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The visible segments, as (marker, content), up to the end. A scan includes its coded data."""
    at = 2
    while True:
        if content[at] != _MARK:
            raise NoPicture("no marker where one must be")
        while content[at + 1] == _MARK:  # fill bytes
            at += 1
        marker = content[at + 1]
        if marker == _END:
            return
        (length,) = struct.unpack_from(">H", content, at + 2)
        end = at + 2 + length
        if marker == _SCAN:
            end = _end_of_scan(content, end)
        if marker in _FRAMES or marker in _TABLES or marker == _SCAN:
            yield marker, content[at:end]
        elif marker not in _LEFT_OUT:
            raise NoPicture("a kind of JPEG that isn't let through")
        at = end


def _end_of_scan(content: bytes, at: int) -> int:
    """The position of the next marker. In coded data, 0xFF only comes before 0 or in a restart marker."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0:
            raise IndexError
        if content[at + 1] and content[at + 1] not in _RESTARTS:
            return at
        at += 2


# --- WebP (RFC 9649) ---------------------------------------------------------------------------------------------

_RIFF, _LOSSLESS = b"RIFF", 0x2F
_SIDE_BITS = (1 << 14) - 1


def _webp(content: bytes) -> bytes:
    """The single still picture. A separate chunk with transparency is left out."""
    if content[8:12] != b"WEBP":
        raise NoPicture("neither PNG, JPEG nor WebP")
    at = 12
    while True:
        name, length = struct.unpack_from("<4sI", content, at)
        data = content[at + 8 : at + 8 + length]
        if name in {b"VP8 ", b"VP8L"}:
            break
        if name in {b"ANIM", b"ANMF"}:
            raise NoPicture("it moves")
        at += 8 + length + length % 2
    _check_sides(*(_lossy_sides(data) if name == b"VP8 " else _lossless_sides(data)))
    if len(data) != length:
        raise IndexError
    chunk: bytes = name + struct.pack("<I", length) + data + bytes(length % 2)
    return _RIFF + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def _lossy_sides(data: bytes) -> tuple[int, int]:
    if data[0] & 1 or data[3:6] != b"\x9d\x01\x2a":
        raise NoPicture("no picture by itself")
    width, height = struct.unpack_from("<HH", data, 6)
    return width & _SIDE_BITS, height & _SIDE_BITS


def _lossless_sides(data: bytes) -> tuple[int, int]:
    marker, bits = struct.unpack_from("<BI", data)
    if marker != _LOSSLESS:
        raise NoPicture("no picture by itself")
    return (bits & _SIDE_BITS) + 1, (bits >> 14 & _SIDE_BITS) + 1


_KINDS: Mapping[bytes, tuple[str, Callable[[bytes], bytes]]] = {
    _PNG: ("image/png", _png),
    b"\xff\xd8\xff": ("image/jpeg", _jpeg),
    _RIFF: ("image/webp", _webp),
}
