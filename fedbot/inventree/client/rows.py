"""InvenTree's JSON rows as records, and numbers and texts in the form that InvenTree accepts."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from fedbot.inventree.client.versions import Version
from fedbot.ports.inventory import NotPermitted
from fedbot.rules.model.diagnosis import Forbidden, Lacks
from fedbot.rules.model.queries import QUANTITY_PLACES
from fedbot.rules.model.stock import NOTHING_SEEN, ItemSeen, Part, Provenance, StockItem

_NO_PICTURE = "blank_image"

Row = Mapping[str, Any]

LOGICAL_STATUSES = frozenset({10, 50, 55, 60, 65, 70, 75, 85})
"""InvenTree's own statuses. Only these may be set in a stock transfer: a custom one needs a restarted server first."""


def amount(value: object) -> Decimal:
    """A quantity from InvenTree's JSON: a float, or a string after an adjustment; at most five places.

    InvenTree stores at most 15 digits, which a float represents exactly.
    """
    return Decimal(str(value or 0)).quantize(QUANTITY_PLACES).normalize() + 0


def quantity_text(quantity: Decimal) -> str:
    """A quantity in the form in which it is sent: a plain decimal string."""
    return f"{quantity:f}"


def part_of(row: Row, categories: tuple[int, ...] = (), category_path: str = "") -> Part:
    """A part, from `part/` or from the `part_detail` of a stock item (which has no keywords and category)."""
    return Part(
        pk=int(row["pk"]),
        name=text_of(row, "name"),
        ipn=text_of(row, "IPN"),
        description=text_of(row, "description"),
        keywords=text_of(row, "keywords"),
        units=text_of(row, "units"),
        revision=text_of(row, "revision"),
        category=text_of(row, "category_name"),
        active=bool(row.get("active", True)),
        salable=bool(row.get("salable", True)),
        virtual=bool(row.get("virtual", False)),
        trackable=bool(row.get("trackable", False)),
        categories=categories,
        category_path=category_path,
        template=row.get("variant_of"),
    )


def part_shown(row: Row) -> Row:
    """The part in a stock item's row. Raises `NotPermitted` if it is missing: since API 530 it needs a permission.

    Without the part, the bot can't know whether the item may leave.
    """
    detail = row.get("part_detail")
    if not isinstance(detail, Mapping):
        raise NotPermitted(Forbidden(Lacks.ROLE, "", "part", "view"))
    return detail


def item_of(
    row: Row,
    version: Version,
    *,
    part: Part | None = None,
    provenance: Provenance | None = None,
    metadata: str = "",
    seen: ItemSeen = NOTHING_SEEN,
) -> StockItem:
    """A stock item, from `stock/` with `part_detail` and `location_detail`."""
    place = row.get("location_detail") or {}
    expiry = row.get("expiry_date")
    return StockItem(
        pk=int(row["pk"]),
        part=part or part_of(part_shown(row)),
        quantity=amount(row["quantity"]),
        allocated=amount(row.get("allocated")),
        status=int(row["status"]),
        status_text=text_of(row, "status_text"),
        in_stock=version.in_stock(row),
        serial=text_of(row, "serial"),
        batch=text_of(row, "batch"),
        packaging=text_of(row, "packaging"),
        expiry=date.fromisoformat(expiry) if expiry else None,
        link=text_of(row, "link"),
        location=row.get("location"),
        place=str(place.get("pathstring") or place.get("name") or ""),
        customer=row.get("customer"),
        provenance=provenance,
        metadata=metadata,
        price=price_of(row),
        currency=text_of(row, "purchase_price_currency"),
        seen=seen,
    )


def price_of(row: Row) -> Decimal | None:
    """The purchase price of one: a float, or a string before 1.0; None if there is none."""
    price = row.get("purchase_price")
    return None if price in {None, ""} else Decimal(str(price))


def exact_status(row: Row) -> int:
    """The status that a person sees: the key of a custom one, else the logical one.

    In 0.17 the key of an item can be that of a logical status that it no longer has.
    """
    key = int(row.get("status_custom_key") or 0)
    return key if key and key not in LOGICAL_STATUSES else int(row["status"])


def text_of(row: Row, name: str) -> str:
    """A field that may be missing or null."""
    value = row.get(name)
    return "" if value is None else str(value)


# Invisible characters, and those that change the writing direction. 0.13 drops all of them, the newest some. Joiners of
# letters and emojis are exempt.
_UNSEEN = frozenset({"Cc", "Cf", "Cs"})
_JOINERS = "\u200c\u200d"

# Notes are Markdown, and refused if they would become HTML that InvenTree doesn't allow: a link to another scheme, a
# footnote, an attribute, a list that begins with 5, an entity that doesn't exist. These characters begin such
# constructs.
_MARKDOWN = re.compile(r"[\[\]{}]")
_LIST_NUMBER = re.compile(r"^(\d+)(?=\. )")
_ENTITY = re.compile(r"&(?=#?\w+;)")

# Metadata strings that InvenTree would refuse or change are stored as JSON in ASCII after this prefix.
_QUOTED = "json:"


def plain(text: str) -> str:
    """The text on one line, with ‹› for <>. An & that would start an HTML entity becomes ＆."""
    seen = "".join(character for character in text if _is_seen(character))
    line = " ".join(seen.split()).replace("<", "‹").replace(">", "›")
    return line if html.unescape(line) == line else line.replace("&", "＆")


def for_notes(text: str) -> str:
    """The text escaped for a stock item's notes, so people read there what was written, Markdown or not."""
    line = _MARKDOWN.sub(r"\\\g<0>", _ENTITY.sub("＆", plain(text).replace("\\", "\\\\")))
    return _LIST_NUMBER.sub(r"\1\\", line)


def lines_for_notes(lines: Iterable[str]) -> str:
    """Several lines for notes, each as its own paragraph."""
    return "\n\n".join(text for line in lines if (text := for_notes(line)))


def _is_seen(character: str) -> bool:
    return character.isspace() or character in _JOINERS or unicodedata.category(character) not in _UNSEEN


def same(one: str, other: str) -> bool:
    """Whether two names are the same to InvenTree: case doesn't matter, nor do characters that 0.13 drops."""
    return _compared(one) == _compared(other)


def _compared(text: str) -> str:
    return "".join(character for character in plain(text) if character not in _JOINERS).casefold()


def address(link: str) -> str:
    """A link in the form that InvenTree stores: characters that its sanitizer would change are percent-encoded."""
    quoted = quote(link, safe="%/:?#[]@!$&'()*+,;=~", errors="replace")
    return quoted if html.unescape(quoted) == quoted else quoted.replace("&", "%26")


# --- metadata ----------------------------------------------------------------------------------------------


def stored(value: Any) -> Any:  # noqa: ANN401  any JSON
    r"""A value for metadata that comes back unchanged: strings that InvenTree would refuse or change are quoted.

    `a <b>` becomes `json:"a \u003cb\u003e"`; `restored` undoes it. InvenTree doesn't sanitize lists, but it doesn't
    promise that either.
    """
    if isinstance(value, str):
        return value if _is_kept(value) else _QUOTED + _in_ascii(value)
    if isinstance(value, dict):
        return {key: stored(each) for key, each in value.items()}
    return [stored(each) for each in value] if isinstance(value, list) else value


def restored(value: Any) -> Any:  # noqa: ANN401  any JSON
    """The value that was given to `stored`. A string that only looks quoted stays as it is."""
    if isinstance(value, str) and value.startswith(_QUOTED):
        try:
            text = json.loads(value.removeprefix(_QUOTED))
        except ValueError:
            return value
        return text if isinstance(text, str) else value
    if isinstance(value, dict):
        return {key: restored(each) for key, each in value.items()}
    return [restored(each) for each in value] if isinstance(value, list) else value


def _is_kept(text: str) -> bool:
    """Whether every version keeps the string unchanged (0.13 drops all of Unicode's categories C)."""
    if text.startswith(_QUOTED) or plain(text) != text:
        return False
    return not any(unicodedata.category(character).startswith("C") for character in text)


def _in_ascii(text: str) -> str:
    quoted = json.dumps(text)
    for character in "<>&":
        quoted = quoted.replace(character, f"\\u{ord(character):04x}")
    return quoted


def picture_of(row: Row) -> str:
    """The address of a part's image; "" if it has none."""
    image = str(row.get("image") or "")
    return "" if _NO_PICTURE in image else image


def small_picture_of(row: Row) -> str:
    """The address of the thumbnail, from a row of `part` or `part_detail`; "" if there is none."""
    picture = str(row.get("thumbnail") or "")
    return "" if _NO_PICTURE in picture else picture
