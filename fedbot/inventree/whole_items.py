"""All that belongs to a stock item beside its quantity, and our own line and tag on a loan's: read, and put on."""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from fedbot.inventree.rows import Row, address, amount, exact_status, for_notes, lines_for_notes, plain, price_of, same
from fedbot.inventree.server import Server
from fedbot.inventree.stock import WHOLE
from fedbot.ports.inventory import NotPermitted, OutcomeUnknown, Refusal
from fedbot.rules.model.catalogue import LARGEST_PICTURE
from fedbot.rules.model.diagnosis import Fault, ItemFault, Named, NameFault, OfItem, Plain
from fedbot.rules.model.steps import (
    AttachPhoto,
    BookedFor,
    FileKept,
    Furnish,
    Furnished,
    KeepFile,
    Label,
    Labelled,
    LoanLabel,
    PhotoAttached,
    SendFile,
    day_in_notes,
)
from fedbot.rules.model.whole_item import (
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
"""So long a part's details, and what has tags and files, are known: the card shows what of it will go."""
_STOCK_ITEM, _PART = "stockitem", "part"
_MOST_ATTACHED = 500
"""Files of stock items, or of parts, that are listed; where there are more, each thing is asked about."""
_BLANK = "blank_image"
_OUR_MARK = re.compile(r"fed(?::|%3A)[0-9a-z-]+(?::|%3A)\d+", re.IGNORECASE)
_WHERE_FROM = re.compile(r"^From [^\n]*, asked by [^\n]* \([0-9a-z]+\)[ ]*(?:\n{1,2}|$)")


def item_seen(server: Server, row: Row) -> ItemSeen:
    """All that InvenTree has of the stock item with this row."""
    pk, link = int(row["pk"]), _text(row, "link")
    details = ItemDetails(
        notes=_WHERE_FROM.sub("", without_lines_of_ours(_text(row, "notes"))).strip(),
        link="" if _OUR_MARK.search(link) else link,
        tags=_others_tags(row),
        status=_own_status(server, row),
        price=price_of(row),
        currency=_text(row, "purchase_price_currency") if price_of(row) is not None else "",
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
    """The tags of stock without a serial number; newer servers tell them of a single item only."""
    if "tags" in row:
        return _others_tags(row)
    pk = int(row["pk"])
    when, tags = server.tags_seen.get(pk, (-SECONDS_KNOWN, ()))
    if time.monotonic() - when >= SECONDS_KNOWN:
        tags = _others_tags(server.api.row(f"stock/{pk}/", tags="true"))
        server.tags_seen[pk] = time.monotonic(), tags
    return tags


def know_what_has_files(server: Server) -> None:
    """List what has files, stock items and parts, if that was an hour ago: nobody who offers something waits for it."""
    for model in (_STOCK_ITEM, _PART):
        when, *_ = server.attached.get(model, (-SECONDS_KNOWN,))
        if time.monotonic() - when >= SECONDS_KNOWN:
            server.attached[model] = (time.monotonic(), *_all_with_files(server, model))


def _all_with_files(server: Server, model: str) -> tuple[frozenset[int], bool]:
    """What has files, and whether these are all; nothing for certain where we may not look."""
    url, fields, whose = server.version.attachments_call(model)
    try:
        rows = server.api.rows(url, **fields, limit=_MOST_ATTACHED)
    except Refusal:
        return frozenset(), False
    others = [row for row in rows if not _OUR_MARK.match(_text(row, "comment"))]
    return frozenset(int(amount(row.get(whose))) for row in others), len(rows) < _MOST_ATTACHED


def _has_files(server: Server, model: str, pk: int) -> bool:
    """Whether people have attached something to it, at most an hour ago; taken for granted if that isn't told."""
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
    """The statuses of stock that the server's admins have made."""
    values = server.api.row("stock/status/").get("values")
    rows = values.values() if isinstance(values, dict) else ()
    return [row for row in rows if isinstance(row, dict) and row.get("logical_key") is not None]


def _own_status(server: Server, row: Row) -> str:
    """The name of the item's custom status, which up to 1.0 its row doesn't tell; "" if it has none."""
    key = exact_status(row)
    if key == int(row["status"]):
        return ""
    named = (_text(each, "label") for each in custom_statuses(server) if each.get("key") == key)
    return next(named, _text(row, "status_text"))


def part_seen(server: Server, part: int) -> PartSeen:
    """All that InvenTree has of a part, as it was at most an hour ago."""
    known = server.parts_seen.get(part)
    if known is not None and time.monotonic() - known[0] < SECONDS_KNOWN:
        return known[1]
    row = server.api.row(f"part/{part}/", parameters="true", tags="true")
    link = _text(row, "link")
    details = PartDetails(
        notes=_text(row, "notes").strip(),
        link="" if _OUR_MARK.search(link) else link,
        tags=_others_tags(row),
        parameters=tuple(parameters_of(server, row, part)),
        picture=picture_of(row).rpartition("/")[2],
    )
    files = (Trait.PART_FILES,) if _has_files(server, _PART, part) else ()
    seen = PartSeen(details, files, amount(row.get("minimum_stock")) > 0)
    server.parts_seen[part] = time.monotonic(), seen
    return seen


def parameters_of(server: Server, row: Row, part: int) -> Iterable[Parameter]:
    """The parameters of the part with this row. They are asked for where it doesn't tell them."""
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
    """The newest result of each test; the row of a stock item doesn't tell what its tests are called."""
    rows = server.api.rows("stock/test/", stock_item=item, template_detail="true")
    newest: dict[str, Row] = {}
    for row in sorted(rows, key=lambda each: int(each["pk"])):
        template: dict[str, Any] = row.get("template_detail") or {}
        name = str(template.get("test_name") or row.get("test") or "")
        if name:
            newest[name] = row
    return tuple(TestResult(name, bool(row.get("result")), _text(row, "value")) for name, row in newest.items())


def _inside(server: Server, item: int) -> tuple[str, ...]:
    """The names of what is installed in it, with their serial numbers."""
    rows = server.api.rows("stock/", belongs_to=item, part_detail="true", limit=MOST_INSIDE + 1)
    return tuple(_named(row) for row in rows if row.get("belongs_to") == item)


def _named(row: Row) -> str:
    part, serial = row.get("part_detail") or {}, _text(row, "serial")
    name = str(part.get("name") or f"#{row['pk']}")
    return f"{name} #{serial}" if serial else name


def picture_of(row: Row) -> str:
    """Where the image of the part with this row lies; "" if it has none."""
    image = _text(row, "image")
    return "" if _BLANK in image else image


def small_picture_of(row: Row) -> str:
    """Where the small one lies that InvenTree makes of it, by a part or `part_detail`; "" if it has none."""
    picture = _text(row, "thumbnail")
    return "" if _BLANK in picture else picture


def attached_to(server: Server, item: int) -> list[Row]:
    """What people have attached to a stock item; not what we have, which begins with our mark."""
    url, fields = server.version.attachment_call(item)
    rows = server.api.rows(url, **fields, limit=2 * MOST_FILES)
    return [row for row in rows if not _OUR_MARK.match(_text(row, "comment"))]


def name_of_file(row: Row) -> str:
    """The name of an attached file; "" of a link."""
    return _text(row, "attachment").rpartition("/")[2]


def _files(server: Server, item: int) -> tuple[tuple[FileTold, ...], bool]:
    """The files attached to a stock item, and whether there is more: a link, or more of them."""
    rows = attached_to(server, item)
    files = [FileTold(name, int(amount(row.get("file_size")))) for row in rows if (name := name_of_file(row))]
    return tuple(files[:MOST_FILES]), len(rows) > min(len(files), MOST_FILES)


def _supplier_part(row: Row) -> str:
    """As people order it; on older versions only the numbers of the record are told."""
    detail = row.get("supplier_part_detail") or {}
    words = (str(row.get(name) or detail.get(name) or "") for name in ("SKU", "MPN"))
    return " / ".join(dict.fromkeys(word for word in words if word))


def _tags(row: Row) -> list[str]:
    tags = row.get("tags")
    return [str(tag) for tag in tags] if isinstance(tags, Sequence) and not isinstance(tags, str) else []


def _others_tags(row: Row) -> tuple[str, ...]:
    return tuple(tag for tag in _tags(row) if not tag.startswith(TAG))


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value)


# --- What else travelled goes to the stock item that was booked in, or to the part that was made for it.

_PART = "part"


def find_furnished(server: Server, step: Furnish) -> Furnished | None:
    """Probe of `Furnish`: a stock item has it all. A part is looked at by the step itself."""
    if step.model == _PART:
        return None
    row = _row(server, step)
    has_price = step.price is None or _price(row) == (step.price, step.currency)
    return Furnished() if has_price and not _missing(row, step) else None


def furnish(server: Server, step: Furnish) -> Furnished:
    """Add what is missing, and read it back. Raises `OutcomeUnknown` if it isn't there then."""
    row = _row(server, step)
    if step.model == _PART and row.get("link") != address(step.link):  # made, or changed, by a person
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
    """A currency that InvenTree does not list is refused: then the price stands in the notes alone."""
    try:
        price = {"purchase_price": str(step.price), "purchase_price_currency": step.currency}
        server.api.patch(_url(step), price)
    except NotPermitted:
        raise
    except Refusal as problem:
        log.info("no price for stock item #%d: %s", step.pk, problem.text)


def _with_a_field(server: Server, row: Row, step: Furnish) -> tuple[str, ...]:
    """The names of the parameters that the part has, once those are made whose templates are there by name."""
    wanted = step.details.parameters
    if not wanted:
        return ()
    there = [each.name for each in parameters_of(server, row, step.pk)]
    templates = server.api.rows(server.version.parameter_templates)
    found = list(there)
    for each in wanted:
        named = [int(row["pk"]) for row in templates if same(str(row.get("name") or ""), each.name)]
        if named and not any(same(each.name, name) for name in there) and _made(server, step.pk, named[0], each):
            found.append(each.name)
    return tuple(each.name for each in wanted if any(same(each.name, name) for name in found))


def _made(server: Server, part: int, template: int, parameter: Parameter) -> bool:
    """Whether the template takes the value: its unit or its choices may be others."""
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
    return server.api.row(_url(step), tags="true", **more)


def _missing(row: Row, step: Furnish) -> dict[str, object]:
    """Notes and tags with what they lack; nothing of those that lack nothing."""
    notes = str(row.get("notes") or "")
    lines = [line for each in step.notes if (line := for_notes(by_others(each))) and line not in notes.splitlines()]
    tags = _missing_tags(row, step)
    content: dict[str, object] = {"notes": "\n\n".join([*([notes] if notes else []), *lines])} if lines else {}
    content |= {"tags": [*_tags(row), *tags]} if tags else {}
    has_status = step.status_key is None or row.get("status_custom_key") == step.status_key
    return content if has_status else content | {"status_custom_key": step.status_key}


def _missing_tags(row: Row, step: Furnish) -> list[str]:
    """Tags have no commas here, as InvenTree takes a text with one for several. A friend sets none of ours."""
    words = (" ".join(plain(each).replace(",", " ").split()) for each in step.tags)
    wanted = dict.fromkeys(tag for tag in words if tag and not is_ours(tag))
    there = _tags(row)
    return [tag for tag in wanted if not any(same(tag, other) for other in there)]


# --- Photos and files attached to stock items: found again by their comment, which begins with the mark.

# What a file begins with, by the ending of its name. ISO media files have the length of their first box before it.
_BEGINNINGS = {
    "jpg": (0, (b"\xff\xd8\xff",)),
    "png": (0, (b"\x89PNG\r\n\x1a\n",)),
    "gif": (0, (b"GIF87a", b"GIF89a")),
    "webp": (8, (b"WEBP",)),
    "heic": (4, (b"ftypheic", b"ftypheix", b"ftypmif1")),
}
_PDF = b"%PDF-"
_PART = "part"
_KINDS = {"jpg": "image/jpeg", "pdf": "application/pdf", "txt": "text/plain"}


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
    ending = _picture(photo)
    if not ending:
        raise Refusal(Plain(Fault.NO_PICTURE))
    return ending


def _picture(content: bytes) -> str:
    """The ending for a picture, by its first bytes; "" if it is none."""
    for ending, (offset, beginnings) in _BEGINNINGS.items():
        if content[offset:].startswith(beginnings):
            return ending
    return ""


# --- files that travel ---------------------------------------------------------------------------------------


def read_file(server: Server, step: SendFile) -> bytes:
    """The file that is to be sent, from where InvenTree's web server has it.

    Raises `Refusal` with reason `no-file` if it isn't there any more, can't be had, is too long, or not what it says.
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
    """The small picture that InvenTree has made of a part's image."""
    return server.api.media(where, LARGEST_PICTURE)


def find_sent(_: Server, __: SendFile) -> None:
    """Probe of `SendFile`, which leaves no trace."""


def send_file(_: Server, step: SendFile) -> FileKept:
    """`SendFile` is done by whoever has the homeserver, too; InvenTree alone can't."""
    raise TypeError(f"{step.name} goes to the homeserver")


def find_kept(server: Server, step: KeepFile) -> FileKept | None:
    """Probe of `KeepFile`: by the end of its mark, which is made from its content. A part's image is looked at."""
    if step.model == _PART:
        row = server.api.row(f"part/{step.pk}/")
        is_ours = row.get("link") == address(step.link)
        return FileKept() if picture_of(row) or not is_ours else None
    url, fields = server.version.attachment_call(step.pk)
    end = f":{step.mark.rpartition(':')[2]}"
    marks = (str(row.get("comment") or "").partition(" ")[0] for row in server.api.rows(url, **fields))
    return FileKept() if any(mark.startswith("fed:") and mark.endswith(end) for mark in marks) else None


def keep_file(server: Server, step: KeepFile, content: bytes) -> FileKept:
    """Attach the file, or make it the part's image, and look whether it is there.

    Raises `Refusal` with reason `no-file` if it isn't the file that was told of, or not what its name says.
    """
    if hashlib.sha256(content).hexdigest() != step.digest:
        raise Refusal(Named(NameFault.FILE_NOT_AS_TOLD, step.name))
    ending = _check(content, step.name)
    file = (step.name, content, _KINDS.get(ending, f"image/{ending}"))
    if step.model == _PART:
        server.api.upload(f"part/{step.pk}/", {}, file, field="image", method="PATCH")
    else:
        url, fields = server.version.attachment_call(step.pk)
        comment = f"{step.mark} {plain(step.note)}"[: server.version.longest_comment].rstrip()
        server.api.upload(url, {**fields, "comment": comment}, file)
    if find_kept(server, step) is None:
        raise OutcomeUnknown(Plain(Fault.DETAILS_CHANGED))
    return FileKept()


def _check(content: bytes, name: str) -> str:
    """The ending that this content has; it must be that of its name."""
    said = name.rpartition(".")[2].lower().replace("jpeg", "jpg")
    found = "pdf" if content.startswith(_PDF) else _picture(content)
    if not found and _is_text(content):
        found = "txt"
    if found != said:
        raise Refusal(Named(NameFault.FILE_NOT_AS_TOLD, name))
    return found


def _is_text(content: bytes) -> bool:
    """Whether no browser would take it for anything else."""
    try:
        return bool(content) and not {"<", "\0"} & set(content.decode())
    except UnicodeDecodeError:
        return False


# --- Our line in the notes of a loan's stock item, and our tag: so that a loan shows in InvenTree itself.

_SENTENCES: dict[LoanLabel, str] = {
    LoanLabel.LENT: "Lent to {peer} until {day}",
    LoanLabel.BORROWED: "Borrowed from {peer} until {day}",
    LoanLabel.RETURNED: "Returned to {peer}",
    LoanLabel.GIVEN: "Given to {peer}, first as a loan",
    LoanLabel.GIFT: "A gift from {peer}, first a loan",
    LoanLabel.LOST_THERE: "Lost, lent to {peer}",
    LoanLabel.LOST_HERE: "Lost, borrowed from {peer}",
}
TAG = "fedbot: "
_TAGS: dict[LoanLabel, str] = {
    LoanLabel.LENT: f"{TAG}lent",
    LoanLabel.BORROWED: f"{TAG}borrowed",
    LoanLabel.LOST_THERE: f"{TAG}lost",
    LoanLabel.LOST_HERE: f"{TAG}lost",
}
_OPENINGS = "|".join(re.escape(sentence.partition("{peer}")[0]) for sentence in _SENTENCES.values())
_OURS = re.compile(rf"^(?:{_OPENINGS})[^\n]* – fedbot [0-9a-z]+[ ]*$", re.MULTILINE)
_BOOKED = re.compile(r"^Booked for [^\n]* – fedbot [0-9a-z]+[ ]*$", re.MULTILINE)
_BOOKED_TAG = f"{TAG}booked"
_MOST_TRIES = 3


def find_labelled(server: Server, step: Label) -> Labelled | None:
    """Probe of `Label`: our line and our tag stand there, and no older ones of ours."""
    row = _item_row(server, step)
    is_there = _notes(row) == _noted(_notes(row), step) and _tags(row) == _tagged(_tags(row), step)
    return Labelled() if is_there else None


def label(server: Server, step: Label) -> Labelled:
    """Write our line and our tag, and nothing else, and read them back; `OutcomeUnknown` if others win thrice."""
    for _ in range(_MOST_TRIES):
        row = _item_row(server, step)
        written = {"notes": _noted(_notes(row), step), "tags": _tagged(_tags(row), step)}
        server.api.patch(f"stock/{step.item}/", written)
        found = find_labelled(server, step)
        if found is not None:
            return found
    raise OutcomeUnknown(OfItem(ItemFault.NOTES_CHANGED, step.item))


def _item_row(server: Server, step: Label) -> Row:
    """With its tags, which newer versions tell only when asked."""
    return server.api.row(f"stock/{step.item}/", tags="true")


def _notes(row: Row) -> str:
    return str(row.get("notes") or "")


def _noted(notes: str, step: Label) -> str:
    """The notes with our lines, each in the place of its older one, else above all else; what people wrote stays."""
    if step.what is not LoanLabel.AS_IS:
        notes = _with(notes, _line(step), _OURS)
    if step.booked is not None:
        notes = _with(notes, "\n\n".join(_booking(each) for each in step.booked), _BOOKED)
    return notes


def _with(notes: str, line: str, ours: re.Pattern[str]) -> str:
    found = ours.search(notes)
    if not line:
        return _without(notes, ours)
    if found is None:
        return f"{line}\n\n{notes}" if notes.strip() else line
    behind = _without(notes[found.end() :], ours)
    return notes[: found.start()] + line + behind


def without_lines_of_ours(notes: str) -> str:
    """The notes as people wrote them."""
    return _without(_without(notes, _OURS), _BOOKED)


def by_others(line: str) -> str:
    """A line for notes that somebody else wrote: one that reads like ours says that it isn't."""
    return f"They write: {line}" if _OURS.match(line) or _BOOKED.match(line) else line


def is_ours(tag: str) -> bool:
    """Whether only we set such a tag, in any case."""
    return tag.casefold().startswith(TAG.strip())


def _without(notes: str, ours: re.Pattern[str]) -> str:
    """The notes without any of these lines, nor the empty one that parts it from the next, or from the last."""
    while (found := ours.search(notes)) is not None:
        before, behind = notes[: found.start()], notes[found.end() :]
        is_last = not behind.strip()
        notes = before.removesuffix("\n").removesuffix("\n") if is_last else before + re.sub(r"^\n{1,2}", "", behind)
    return notes


def _tagged(tags: list[str], step: Label) -> list[str]:
    """The tags with ours, in InvenTree's own order as far as they stay."""
    wanted = {_BOOKED_TAG} & set(tags) if step.booked is None else {_BOOKED_TAG} if step.booked else set()
    if step.what is LoanLabel.AS_IS:
        wanted |= {each for each in tags if each.startswith(TAG) and each != _BOOKED_TAG}
    elif tag := _TAGS.get(step.what, ""):
        wanted.add(tag)
    kept = [each for each in tags if not each.startswith(TAG) or each in wanted]
    return [*kept, *sorted(wanted - set(kept))]


def _line(step: Label) -> str:
    """'Borrowed from Attraktor until 12 Dec 2026 – fedbot gp75'; '' for nothing."""
    sentence = _SENTENCES.get(step.what)
    if sentence is None:
        return ""
    return f"{sentence.format(peer=for_notes(step.peer_name), day=_day(step))} – fedbot {step.code}"


def _day(step: Label) -> str:
    return "?" if step.until is None else day_in_notes(step.until)


def _booking(booked: BookedFor) -> str:
    """'Booked for Betaspace from 12 Dec 2026 until 19 Dec 2026 – fedbot gp75'."""
    days = f"from {day_in_notes(booked.first)} until {day_in_notes(booked.last)}"
    return f"Booked for {for_notes(booked.peer_name)} {days} – fedbot {booked.code}"
