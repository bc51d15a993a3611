"""Everything that belongs to a stock item besides its quantity: read at the sender, added at the receiver.

Photos and files are found by their comment, which begins with the mark.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from fedbot.inventree.client.rows import (
    Row,
    address,
    amount,
    exact_status,
    for_notes,
    lines_for_notes,
    picture_of,
    plain,
    price_of,
    same,
    text_of,
)
from fedbot.inventree.client.server import Server
from fedbot.inventree.marks import TAG, by_others, is_ours, tags_of, with_tags, without_lines_of_ours
from fedbot.inventree.stock import WHOLE
from fedbot.ports.inventory import NotPermitted, OutcomeUnknown, Refusal
from fedbot.rules.model.catalogue import LARGEST_PICTURE
from fedbot.rules.model.diagnosis import Fault, ItemFault, Named, NameFault, OfItem, Plain
from fedbot.rules.model.steps import (
    AttachPhoto,
    FileKept,
    Furnish,
    Furnished,
    KeepFile,
    PhotoAttached,
    SendFile,
)
from fedbot.rules.model.stock import (
    MOST_FILES,
    MOST_INSIDE,
    FileTold,
    ItemDetails,
    ItemSeen,
    Parameter,
    PartDetails,
    PartSeen,
    TestResult,
    Trait,
    words_of_part,
)

log = logging.getLogger(__name__)

DETAILED = {**WHOLE, "tests": "true"}
SECONDS_KNOWN = 3600.0
"""The time that a part's details, and the lists of tags and files, stay valid: the card shows what will travel."""
_STOCK_ITEM, _PART = "stockitem", "part"
_MOST_ATTACHED = 500
"""The number of files of stock items, or of parts, that are listed. If there are more, each record is queried."""
_WHERE_FROM = re.compile(r"^From [^\n]*, (?:asked|offered) by [^\n]* \([0-9a-z]+\)[ ]*(?:\n{1,2}|$)")


def item_seen(server: Server, row: Row) -> ItemSeen:
    """Everything that InvenTree has about the stock item with this row."""
    pk, link = int(row["pk"]), text_of(row, "link")
    details = ItemDetails(
        notes=_WHERE_FROM.sub("", without_lines_of_ours(text_of(row, "notes"))).strip(),
        link="" if OUR_MARK.search(link) else link,
        tags=_others_tags(row),
        status=_own_status(server, row),
        price=price_of(row),
        currency=text_of(row, "purchase_price_currency") if price_of(row) is not None else "",
        supplier_part=_supplier_part(row),
        tests=_tests(server, pk) if row.get("tests", row.get("serial")) else (),
        inside=_inside(server, pk) if row.get("installed_items") else (),
    )
    if not row.get("serial"):
        untold = [Trait.TESTS] if "tests" not in row else []
        untold += [Trait.FILES] if _has_files(server, _STOCK_ITEM, pk) else []
        return ItemSeen(replace(details, tags=_tags_of_bulk(server, row)), tuple(untold))
    if "tags" not in row:
        details = replace(details, tags=_others_tags(server.api.row(f"stock/{pk}/", tags="true")))
    files, has_more = _files(server, pk)
    return ItemSeen(replace(details, files=files), has_more_files=has_more)


def _tags_of_bulk(server: Server, row: Row) -> tuple[str, ...]:
    """The tags of stock without a serial number. Newer servers return them only for a single item."""
    if "tags" in row:
        return _others_tags(row)
    pk = int(row["pk"])
    when, tags = server.tags_seen.get(pk, (-SECONDS_KNOWN, ()))
    if time.monotonic() - when >= SECONDS_KNOWN:
        tags = _others_tags(server.api.row(f"stock/{pk}/", tags="true"))
        server.tags_seen[pk] = time.monotonic(), tags
    return tags


def know_what_has_files(server: Server) -> None:
    """List the stock items and parts with files, once an hour, so nobody who offers something waits for it."""
    for model in (_STOCK_ITEM, _PART):
        when, *_ = server.attached.get(model, (-SECONDS_KNOWN,))
        if time.monotonic() - when >= SECONDS_KNOWN:
            server.attached[model] = (time.monotonic(), *_all_with_files(server, model))


def _all_with_files(server: Server, model: str) -> tuple[frozenset[int], bool]:
    """The records with files, and whether the list is complete; nothing for certain without permission."""
    url, fields, whose = server.version.attachments_call(model)
    try:
        rows = server.api.rows(url, **fields, limit=_MOST_ATTACHED)
    except Refusal:
        return frozenset(), False
    others = [row for row in rows if not OUR_MARK.match(text_of(row, "comment"))]
    return frozenset(int(amount(row.get(whose))) for row in others), len(rows) < _MOST_ATTACHED


def _has_files(server: Server, model: str, pk: int) -> bool:
    """Whether people attached something to it, at most an hour ago; assumed if the server doesn't say."""
    know_what_has_files(server)
    _, having, are_all = server.attached[model]
    if are_all or pk in having:
        return pk in having
    url, fields, whose = server.version.attachments_call(model)
    try:
        return bool(server.api.rows(url, **fields, **{whose: pk}, limit=1))
    except Refusal:
        return True


def custom_statuses(server: Server) -> list[Row]:
    """The stock statuses that the server's admins created."""
    values = server.api.row("stock/status/").get("values")
    rows = values.values() if isinstance(values, dict) else ()
    return [row for row in rows if isinstance(row, dict) and row.get("logical_key") is not None]


def _own_status(server: Server, row: Row) -> str:
    """The name of the item's custom status, which the row lacks up to 1.0; "" if it has none."""
    key = exact_status(row)
    if key == int(row["status"]):
        return ""
    named = (text_of(each, "label") for each in custom_statuses(server) if each.get("key") == key)
    return next(named, text_of(row, "status_text"))


def part_seen(server: Server, part: int) -> PartSeen:
    """Everything that InvenTree has about a part, at most an hour old."""
    known = server.parts_seen.get(part)
    if known is not None and time.monotonic() - known[0] < SECONDS_KNOWN:
        return known[1]
    row = server.api.row(f"part/{part}/", parameters="true", tags="true")
    link = text_of(row, "link")
    details = PartDetails(
        notes=text_of(row, "notes").strip(),
        link="" if OUR_MARK.search(link) else link,
        tags=_others_tags(row),
        parameters=tuple(parameters_of(server, row, part)),
        picture=picture_of(row).rpartition("/")[2],
    )
    files = (Trait.PART_FILES,) if _has_files(server, _PART, part) else ()
    seen = PartSeen(details, files, amount(row.get("minimum_stock")) > 0)
    server.parts_seen[part] = time.monotonic(), seen
    return seen


def parameters_of(server: Server, row: Row, part: int) -> Iterable[Parameter]:
    """The parameters of the part with this row. They are queried if the row lacks them."""
    rows = row.get("parameters")
    if not isinstance(rows, Sequence):
        url, fields = server.version.parameters_call(part)
        rows = server.api.rows(url, **fields)
    for each in rows:
        template = each.get("template_detail") or {}
        name = str(template.get("name") or "")
        if name:
            yield Parameter(name, str(each.get("data") or ""))


def _tests(server: Server, item: int) -> tuple[TestResult, ...]:
    """The newest result of each test. A stock item's row doesn't tell the names of its tests."""
    rows = server.api.rows("stock/test/", stock_item=item, template_detail="true")
    newest: dict[str, Row] = {}
    for row in sorted(rows, key=lambda each: int(each["pk"])):
        template: dict[str, Any] = row.get("template_detail") or {}
        name = str(template.get("test_name") or row.get("test") or "")
        if name:
            newest[name] = row
    return tuple(TestResult(name, bool(row.get("result")), text_of(row, "value")) for name, row in newest.items())


def _inside(server: Server, item: int) -> tuple[str, ...]:
    """The names of the items installed in it, with their serial numbers."""
    rows = server.api.rows("stock/", belongs_to=item, part_detail="true", limit=MOST_INSIDE + 1)
    return tuple(_named(row) for row in rows if row.get("belongs_to") == item)


def _named(row: Row) -> str:
    part, serial = row.get("part_detail") or {}, text_of(row, "serial")
    name = str(part.get("name") or f"#{row['pk']}")
    return f"{name} #{serial}" if serial else name


def _files(server: Server, item: int) -> tuple[tuple[FileTold, ...], bool]:
    """The files attached to a stock item, and whether there is more: a link, or more files."""
    rows = attached_to(server, item)
    files = [FileTold(name, int(amount(row.get("file_size")))) for row in rows if (name := name_of_file(row))]
    return tuple(files[:MOST_FILES]), len(rows) > min(len(files), MOST_FILES)


def _supplier_part(row: Row) -> str:
    """The supplier part's order numbers. Older versions return only the key of its record."""
    detail = row.get("supplier_part_detail") or {}
    words = (str(row.get(name) or detail.get(name) or "") for name in ("SKU", "MPN"))
    return " / ".join(dict.fromkeys(word for word in words if word))


def _others_tags(row: Row) -> tuple[str, ...]:
    return tuple(tag for tag in tags_of(row) if not tag.startswith(TAG))


# --- Other details that travelled are added to the stock item that was booked in, or to the part created for it.


def find_furnished(server: Server, step: Furnish) -> Furnished | None:
    """Probe of `Furnish`: whether a stock item has all of it. For a part, the step itself checks."""
    if step.model == _PART:
        return None
    row = _row(server, step)
    has_price = step.price is None or _price(row) == (step.price, step.currency)
    return Furnished() if has_price and not _missing(row, step) else None


def furnish(server: Server, step: Furnish) -> Furnished:
    """Add the missing entries, and read them back. Raises `OutcomeUnknown` if it isn't there then."""
    row = _row(server, step)
    if step.model == _PART and row.get("link") != address(step.link):  # a person created or changed it
        return Furnished()
    content = _missing(row, step)
    if step.model == _PART:
        notes = lines_for_notes(words_of_part(step.details, _with_a_field(server, row, step)))
        content |= {"notes": notes} if notes and not row.get("notes") else {}
    if content:
        server.api.patch(_url(step), content)
        if _missing(_row(server, step), step):
            raise OutcomeUnknown(Plain(Fault.DETAILS_CHANGED))
    if step.price is not None and _price(row) != (step.price, step.currency):
        _set_price(server, step)
    return Furnished()


def _price(row: Row) -> tuple[Decimal | None, str]:
    return price_of(row), str(row.get("purchase_price_currency") or "")


def _set_price(server: Server, step: Furnish) -> None:
    """Set the price. InvenTree refuses a currency that it does not list; then only the notes have the price."""
    try:
        price = {"purchase_price": str(step.price), "purchase_price_currency": step.currency}
        server.api.patch(_url(step), price)
    except NotPermitted:
        raise
    except Refusal as problem:
        log.info("no price for stock item #%d: %s", step.pk, problem.text)


def _with_a_field(server: Server, row: Row, step: Furnish) -> tuple[str, ...]:
    """Create the parameters whose templates exist by name; return the names of all that the part has then."""
    wanted = step.details.parameters
    if not wanted:
        return ()
    there = [each.name for each in parameters_of(server, row, step.pk)]
    templates = server.api.rows(server.version.parameter_templates)
    for each in wanted:
        if any(same(each.name, name) for name in there):
            continue
        template = next((row for row in templates if same(text_of(row, "name"), each.name)), None)
        if template is not None and _parameter_taken(server, step.pk, int(template["pk"]), each):
            there.append(each.name)
    return tuple(each.name for each in wanted if any(same(each.name, name) for name in there))


def _parameter_taken(server: Server, part: int, template: int, parameter: Parameter) -> bool:
    """Whether the template accepted the value: its unit or its choices may differ."""
    url, fields = server.version.parameters_call(part)
    try:
        server.api.post(url, {**fields, "template": template, "data": plain(parameter.value)})
    except NotPermitted:
        raise
    except Refusal:
        return False
    return True


def _url(step: Furnish) -> str:
    return f"{'part' if step.model == _PART else 'stock'}/{step.pk}/"


def _row(server: Server, step: Furnish) -> Row:
    more = {"parameters": "true"} if step.model == _PART else {}
    return with_tags(server.api, _url(step), **more)


def _missing(row: Row, step: Furnish) -> dict[str, object]:
    """Notes and tags with what they lack; a field that lacks nothing is left out."""
    notes = str(row.get("notes") or "")
    lines = [line for each in step.notes if (line := for_notes(by_others(each))) and line not in notes.splitlines()]
    tags = _missing_tags(row, step)
    content: dict[str, object] = {"notes": "\n\n".join([*([notes] if notes else []), *lines])} if lines else {}
    content |= {"tags": [*tags_of(row), *tags]} if tags else {}
    has_status = step.status_key is None or row.get("status_custom_key") == step.status_key
    return content if has_status else content | {"status_custom_key": step.status_key}


def _missing_tags(row: Row, step: Furnish) -> list[str]:
    """The missing tags. They have no commas, because InvenTree would split them; a friend can't set ours."""
    words = (" ".join(plain(each).replace(",", " ").split()) for each in step.tags)
    wanted = dict.fromkeys(tag for tag in words if tag and not is_ours(tag))
    there = tags_of(row)
    return [tag for tag in wanted if not any(same(tag, other) for other in there)]


# --- photos and files of stock items and parts ---


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
    ending = _ending_of_photo(photo)
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


def _ending_of_photo(photo: bytes) -> str:
    ending = _ending_of_picture(photo)
    if not ending:
        raise Refusal(Plain(Fault.NO_PICTURE))
    return ending


def _ending_of_picture(content: bytes) -> str:
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
    _ending_as_named(content, step.name)
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
    ending = _ending_as_named(content, step.name)
    file = (step.name, content, _media_type(ending))
    if step.model == _PART:
        server.api.upload(f"part/{step.pk}/", {}, file, field="image", method="PATCH")
    else:
        url, fields = server.version.attachment_call(step.pk)
        server.api.upload(url, {**fields, "comment": _comment(server, step)}, file)
    if find_kept(server, step) is None:
        raise OutcomeUnknown(Plain(Fault.DETAILS_CHANGED))
    return FileKept()


def _ending_as_named(content: bytes, name: str) -> str:
    """The ending for this content. Raises `Refusal` if the name has another ending."""
    said = name.rpartition(".")[2].lower().replace("jpeg", "jpg")
    found = "pdf" if content.startswith(_PDF) else _ending_of_picture(content)
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
