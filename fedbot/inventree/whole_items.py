"""What InvenTree has of a stock item and its part beside what every answer tells, read in as few calls as possible.

The row of a stock item tells nearly all. One call more is for what is installed in it, or was tested, if there is any;
two are for the tags and files of a thing with a serial number, where the row doesn't tell them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from fedbot.inventree.labels import TAG, without_lines_of_ours
from fedbot.inventree.rows import Row, amount, exact_status, price_of
from fedbot.inventree.server import Server
from fedbot.inventree.stock import WHOLE
from fedbot.rules.model.whole_item import (
    MOST_INSIDE,
    ItemDetails,
    ItemSeen,
    Parameter,
    PartDetails,
    PartSeen,
    TestResult,
    Trait,
)

DETAILED = {**WHOLE, "tests": "true"}
SECONDS_KNOWN = 3600.0
"""So long a part's details are known: they are for a new part at a friend, and the card shows which will go."""
_BLANK = "blank_image"
_OUR_MARK = re.compile(r"fed(?::|%3A)[0-9a-z-]+(?::|%3A)\d+", re.IGNORECASE)
_WHERE_FROM = re.compile(r"^From [^\n]*, asked by [^\n]* \([0-9a-z]+\)[ ]*(?:\n{1,2}|$)")


def item_seen(server: Server, row: Row) -> ItemSeen:
    """All that InvenTree has of the stock item with this row."""
    pk, link = int(row["pk"]), _text(row, "link")
    details = ItemDetails(
        notes=_WHERE_FROM.sub("", without_lines_of_ours(_text(row, "notes"))).strip(),
        link="" if _OUR_MARK.search(link) else link,
        tags=_tags(row),
        status=_text(row, "status_text") if exact_status(row) != int(row["status"]) else "",
        price=price_of(row),
        currency=_text(row, "purchase_price_currency") if price_of(row) is not None else "",
        supplier_part=_supplier_part(row),
        tests=_tests(server, pk) if row.get("tests", row.get("serial")) else (),
        inside=_inside(server, pk) if row.get("installed_items") else (),
    )
    if not row.get("serial"):
        untold = [trait for name, trait in (("tags", Trait.TAGS), ("tests", Trait.TESTS)) if name not in row]
        return ItemSeen(details, (*untold, Trait.FILES))
    if "tags" not in row:
        details = replace(details, tags=_tags(server.api.row(f"stock/{pk}/", tags="true")))
    return ItemSeen(details, has_files=_has_files(server, pk))


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
        tags=_tags(row),
        parameters=tuple(parameters_of(server, row, part)),
    )
    picture = _text(row, "image") or _text(row, "thumbnail")
    has_picture = bool(picture) and _BLANK not in picture
    seen = PartSeen(details, (Trait.PART_FILES,), has_picture, amount(row.get("minimum_stock")) > 0)
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


def _has_files(server: Server, item: int) -> bool:
    url, fields = server.version.attachment_call(item)
    return bool(server.api.rows(url, **fields, limit=1))


def _supplier_part(row: Row) -> str:
    """As people order it; on older versions only the numbers of the record are told."""
    detail = row.get("supplier_part_detail") or {}
    words = (str(row.get(name) or detail.get(name) or "") for name in ("SKU", "MPN"))
    return " / ".join(dict.fromkeys(word for word in words if word))


def _tags(row: Row) -> tuple[str, ...]:
    tags = row.get("tags")
    told = tags if isinstance(tags, Sequence) and not isinstance(tags, str) else ()
    return tuple(str(tag) for tag in told if not str(tag).startswith(TAG))


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value)
