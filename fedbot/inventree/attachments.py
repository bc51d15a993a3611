"""Photos and files of stock items and parts. They are found by their comment, which begins with the mark."""

from __future__ import annotations

import hashlib
import re

from fedbot.inventree.rows import Row, address, picture_of, plain
from fedbot.inventree.server import Server
from fedbot.ports.inventory import OutcomeUnknown, Refusal
from fedbot.rules.model.catalogue import LARGEST_PICTURE
from fedbot.rules.model.diagnosis import Fault, ItemFault, Named, NameFault, OfItem, Plain
from fedbot.rules.model.steps import AttachPhoto, FileKept, KeepFile, PhotoAttached, SendFile
from fedbot.rules.model.stock import MOST_FILES

_STOCK_ITEM, _PART = "stockitem", "part"
OUR_MARK = re.compile(r"fed(?::|%3A)[0-9a-z-]+(?::|%3A)\d+", re.IGNORECASE)

# The first bytes of a file, by the ending of its name. ISO media files begin with the length of their first box.
_BEGINNINGS = {
    "jpg": (0, (b"\xff\xd8\xff",)),
    "png": (0, (b"\x89PNG\r\n\x1a\n",)),
    "gif": (0, (b"GIF87a", b"GIF89a")),
    "webp": (8, (b"WEBP",)),
    "heic": (4, (b"ftypheic", b"ftypheix", b"ftypmif1")),
}
_PDF = b"%PDF-"
_KINDS = {"jpg": "image/jpeg", "pdf": "application/pdf", "txt": "text/plain"}


def find_attached(server: Server, step: AttachPhoto) -> PhotoAttached | None:
    """Probe of `AttachPhoto`."""
    found = _attached(server, step)
    return None if found is None else PhotoAttached(int(found["pk"]))


def attach(server: Server, step: AttachPhoto, photo: bytes) -> PhotoAttached:
    """Attach it and read it back. Needs the permission stock: change, which `add` includes.

    Raises `Refusal` with reason `no-picture` if its first bytes aren't a picture's.
    """
    ending = _ending(photo)
    url, fields = server.version.attachment_call(step.item)
    name = f"{step.mark.replace(':', '-')}.{ending}"
    server.api.upload(url, {**fields, "comment": _comment(server, step)}, (name, photo, _media_type(ending)))
    found = _attached(server, step)
    if found is None or found.get("file_size", len(photo)) != len(photo):
        raise OutcomeUnknown(OfItem(ItemFault.PHOTO_NOT_THERE, step.item))
    return PhotoAttached(int(found["pk"]))


def _attached(server: Server, step: AttachPhoto) -> Row | None:
    url, fields = server.version.attachment_call(step.item)
    return next((row for row in server.api.rows(url, **fields) if _mark_of(row) == step.mark), None)


def _comment(server: Server, step: AttachPhoto | KeepFile) -> str:
    """The comment of an attachment: the mark, then as much of the note as fits."""
    return f"{step.mark} {plain(step.note)}"[: server.version.longest_comment].rstrip()


def _mark_of(row: Row) -> str:
    return str(row.get("comment") or "").partition(" ")[0]


def _media_type(ending: str) -> str:
    return _KINDS.get(ending, f"image/{ending}")


def _ending(photo: bytes) -> str:
    ending = _picture(photo)
    if not ending:
        raise Refusal(Plain(Fault.NO_PICTURE))
    return ending


def _picture(content: bytes) -> str:
    """The ending for a picture, by its first bytes; "" if it is no picture."""
    for ending, (offset, beginnings) in _BEGINNINGS.items():
        if content[offset:].startswith(beginnings):
            return ending
    return ""


def read_file(server: Server, step: SendFile) -> bytes:
    """Download the file to send from InvenTree's web server.

    Raises `Refusal` with reason `no-file` if it is gone, unreadable, too long, or not the type that its name says.
    """
    if step.model == _PART:
        where = picture_of(server.api.row(f"part/{step.pk}/"))
        found = [where] if where.rpartition("/")[2] == step.name else []
    else:
        found = [str(row["attachment"]) for row in attached_to(server, step.pk) if name_of_file(row) == step.name]
    content = server.api.media(found[0], step.longest) if found else None
    if content is None:
        raise Refusal(Named(NameFault.FILE_NOT_HAD, step.name))
    _check(content, step.name)
    return content


def read_picture(server: Server, where: str) -> bytes | None:
    """The thumbnail that InvenTree created for a part's image."""
    return server.api.media(where, LARGEST_PICTURE)


def find_sent(_: Server, __: SendFile) -> None:
    """Probe of `SendFile`, which leaves no trace."""


def find_kept(server: Server, step: KeepFile) -> FileKept | None:
    """Probe of `KeepFile`: any of our marks with the same end, which is made from the content; or the part's image."""
    if step.model == _PART:
        row = server.api.row(f"part/{step.pk}/")
        is_ours = row.get("link") == address(step.link)
        return FileKept() if picture_of(row) or not is_ours else None
    url, fields = server.version.attachment_call(step.pk)
    end = f":{step.mark.rpartition(':')[2]}"
    marks = map(_mark_of, server.api.rows(url, **fields))
    return FileKept() if any(mark.startswith("fed:") and mark.endswith(end) for mark in marks) else None


def keep_file(server: Server, step: KeepFile, content: bytes) -> FileKept:
    """Attach the file, or make it the part's image, and read it back.

    Raises `Refusal` with reason `no-file` if its digest differs, or it isn't the type that its name says.
    """
    if hashlib.sha256(content).hexdigest() != step.digest:
        raise Refusal(Named(NameFault.FILE_NOT_AS_TOLD, step.name))
    ending = _check(content, step.name)
    file = (step.name, content, _media_type(ending))
    if step.model == _PART:
        server.api.upload(f"part/{step.pk}/", {}, file, field="image", method="PATCH")
    else:
        url, fields = server.version.attachment_call(step.pk)
        server.api.upload(url, {**fields, "comment": _comment(server, step)}, file)
    if find_kept(server, step) is None:
        raise OutcomeUnknown(Plain(Fault.DETAILS_CHANGED))
    return FileKept()


def _check(content: bytes, name: str) -> str:
    """The ending for this content. Raises `Refusal` if the name has another ending."""
    said = name.rpartition(".")[2].lower().replace("jpeg", "jpg")
    found = "pdf" if content.startswith(_PDF) else _picture(content)
    if not found and _is_text(content):
        found = "txt"
    if found != said:
        raise Refusal(Named(NameFault.FILE_NOT_AS_TOLD, name))
    return found


def _is_text(content: bytes) -> bool:
    """Whether the content is plain text that no browser mistakes for anything else."""
    try:
        return bool(content) and not {"<", "\0"} & set(content.decode())
    except UnicodeDecodeError:
        return False


def attached_to(server: Server, item: int) -> list[Row]:
    """The attachments of a stock item that people added, without our own, which begin with our mark."""
    url, fields = server.version.attachment_call(item)
    rows = server.api.rows(url, **fields, limit=2 * MOST_FILES)
    return [row for row in rows if not OUR_MARK.match(str(row.get("comment") or ""))]


def name_of_file(row: Row) -> str:
    """The name of an attached file; "" for a link."""
    return str(row.get("attachment") or "").rpartition("/")[2]
