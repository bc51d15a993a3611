"""Photos attached to stock items: found again by their comment, which begins with the mark."""

from __future__ import annotations

from fedbot.inventree.rows import Row, plain
from fedbot.inventree.server import Server
from fedbot.ports.inventory import OutcomeUnknown, Refusal
from fedbot.rules.model.diagnosis import Fault, ItemFault, OfItem, Plain
from fedbot.rules.model.steps import AttachPhoto, PhotoAttached

# What a file begins with, by the ending of its name. ISO media files have the length of their first box before it.
_BEGINNINGS = {
    "jpg": (0, (b"\xff\xd8\xff",)),
    "png": (0, (b"\x89PNG\r\n\x1a\n",)),
    "gif": (0, (b"GIF87a", b"GIF89a")),
    "webp": (8, (b"WEBP",)),
    "heic": (4, (b"ftypheic", b"ftypheix", b"ftypmif1")),
}
_KINDS = {"jpg": "image/jpeg"}


def find_attached(server: Server, step: AttachPhoto) -> PhotoAttached | None:
    """Probe of `AttachPhoto`."""
    found = _attached(server, step)
    return None if found is None else PhotoAttached(int(found["pk"]))


def attach(server: Server, step: AttachPhoto, photo: bytes) -> PhotoAttached:
    """Attach it and read it back. Takes the role stock: change, which `add` brings along.

    Raises `Refusal` with reason `no-picture` for what isn't one by its first bytes.
    """
    ending = _ending(photo)
    url, fields = server.version.attachment_call(step.item)
    comment = f"{step.mark} {plain(step.note)}"[: server.version.longest_comment].rstrip()
    name = f"{step.mark.replace(':', '-')}.{ending}"
    kind = _KINDS.get(ending, f"image/{ending}")
    server.api.upload(url, {**fields, "comment": comment}, (name, photo, kind))
    found = _attached(server, step)
    if found is None or found.get("file_size", len(photo)) != len(photo):
        raise OutcomeUnknown(OfItem(ItemFault.PHOTO_NOT_THERE, step.item))
    return PhotoAttached(int(found["pk"]))


def _attached(server: Server, step: AttachPhoto) -> Row | None:
    url, fields = server.version.attachment_call(step.item)
    rows = server.api.rows(url, **fields)
    return next((row for row in rows if str(row.get("comment") or "").partition(" ")[0] == step.mark), None)


def _ending(photo: bytes) -> str:
    for ending, (offset, beginnings) in _BEGINNINGS.items():
        if photo[offset:].startswith(beginnings):
            return ending
    raise Refusal(Plain(Fault.NO_PICTURE))
