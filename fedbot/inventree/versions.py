"""Everything in which InvenTree versions differ, chosen by the server's API version.

Each gate was measured, or comes from InvenTree's API changelog. Nothing outside this module compares API
versions; a version that needs more is taught here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

OLDEST_KNOWN = 160  # 0.13.6
NEWEST_KNOWN = 530  # master of 2026-08-05, '1.5.0 dev'

# What some versions can do and others can't, and people notice: properties of `Version` (words: messages/health.py).
ABILITIES = (
    "searches_history",
    "tells_tokens",
    "makes_tokens",
    "makes_users",
    "returns_parts",
    "direct_access_is_safe",
)

_OLD_METADATA_URLS = {"stockitem": "stock", "company": "company", "part": "part", "partcategory": "part/category"}


@dataclass(frozen=True)
class Version:
    """What one server can do and how it is asked, by its API version (`apiVersion` of `GET /api/`)."""

    api: int

    @property
    def known(self) -> bool:
        """Whether the facts cover it. Above, reads go on and writes wait for a superuser's word.

        That is no mere caution: the package announces that from API 566 on the stock history, which holds our
        marks, is gone and lies in an audit log.
        """
        return OLDEST_KNOWN <= self.api <= NEWEST_KNOWN

    @property
    def abilities(self) -> tuple[str, ...]:
        """Those of `ABILITIES` that it has."""
        return tuple(name for name in ABILITIES if getattr(self, name))

    @property
    def direct_access_is_safe(self) -> bool:
        """Whether a peer may be given an account: before, any account can make itself admin."""
        return self.api >= 472  # noqa: PLR2004  the numbers are the point here

    @property
    def permissions_are_safe(self) -> bool:
        """Whether only admins can give permissions: before, any account can give itself some, or join a group."""
        return self.direct_access_is_safe

    @property
    def searches_history(self) -> bool:
        """Whether `stock/track/?search=` finds notes; below it answers 500."""
        return self.api >= 320  # noqa: PLR2004

    @property
    def tells_history_of_parts(self) -> bool:
        """Whether `stock/track/?part=` lists a part's history; below it is ignored in silence."""
        return self.api >= 450  # noqa: PLR2004

    @property
    def tells_roles_with_user(self) -> bool:
        """Whether `user/me/?roles=true` saves the call to `user/roles/`."""
        return self.api >= 519  # noqa: PLR2004

    @property
    def takes_parts_without_category(self) -> bool:
        """Whether a part may be outside of all categories."""
        return self.api >= 293  # noqa: PLR2004

    @property
    def locks_rows(self) -> bool:
        """Whether a transfer locks the stock item, so that what others move at the same moment adds up."""
        return self.api >= 522  # noqa: PLR2004

    @property
    def makes_users(self) -> bool:
        """Whether groups' rulesets and users' groups can be read and set over REST."""
        return self.api >= 335  # noqa: PLR2004

    @property
    def makes_tokens(self) -> bool:
        """Whether a superuser can make a token for another user over REST."""
        return self.api >= 325  # noqa: PLR2004

    @property
    def tells_tokens(self) -> bool:
        """Whether `user/tokens/` lists one's own tokens, with their ends and which one is in use (facts (f))."""
        return self.api >= 293  # noqa: PLR2004

    @property
    def returns_parts(self) -> bool:
        """Whether `stock/return/` takes items with quantities; before, `stock/N/return/` takes all."""
        return self.api >= 381  # noqa: PLR2004

    def metadata_url(self, model: str, pk: int) -> str:
        """Where the metadata of a `stockitem`, `company`, `part` or `partcategory` is read and written."""
        if self.api >= 436:  # noqa: PLR2004
            return f"metadata/{model}/{pk}/"
        return f"{_OLD_METADATA_URLS[model]}/{pk}/metadata/"

    def return_call(
        self, item: int, quantity: str, status: int, location: int, notes: str
    ) -> tuple[str, dict[str, object]]:
        """URL and body that bring an item back from a customer.

        `status` is set only where `returns_parts`; elsewhere it takes a `change_status` after it.
        """
        if self.returns_parts:
            line = {"pk": item, "quantity": quantity, "status": status}
            return "stock/return/", {"items": [line], "location": location, "notes": notes, "merge": False}
        return f"stock/{item}/return/", {"location": location, "notes": notes}

    def attachment_call(self, item: int) -> tuple[str, dict[str, object]]:
        """Where files of stock items are, and the fields that mean this item, for reading and for attaching."""
        if self.api >= 207:  # noqa: PLR2004
            return "attachment/", {"model_type": "stockitem", "model_id": item}
        return "stock/attachment/", {"stock_item": item}

    @property
    def longest_comment(self) -> int:
        """How many characters the comment of an attachment may have."""
        return 250 if self.api >= 207 else 100  # noqa: PLR2004

    def serial_field(self, serial: str) -> dict[str, str]:
        """How a serial number is given when a stock item is created: `serial` is ignored from API 357 on."""
        return {"serial_numbers" if self.api >= 357 else "serial": serial}  # noqa: PLR2004

    def can_be_given(self, serial: str) -> bool:
        """Whether `serial_field` makes exactly this serial number: `serial_numbers` is a list, `~` its next one."""
        return self.api < 357 or not re.search(r"[\s,~]", serial)  # noqa: PLR2004

    def closed_company(self) -> dict[str, bool]:
        """What closes a company: 0.13 has no `active`."""
        return {"active": False} if self.api >= 293 else {"is_customer": False}  # noqa: PLR2004

    @property
    def longest_link(self) -> int:
        """How many characters the `link` of a stock item may have."""
        return 2000 if self.api >= 391 else 200  # noqa: PLR2004

    def created(self, reply: object) -> Mapping[str, Any] | None:
        """The row that `POST stock/` made, if the reply tells it: newer ones answer a list, older an object.

        Older ones tell no key for serialised items: then None.
        """
        row = reply[0] if isinstance(reply, list) and reply else reply
        return row if isinstance(row, dict) and isinstance(row.get("pk"), int) else None

    def in_stock(self, row: Mapping[str, Any]) -> bool:
        """Whether a stock item lies in stock. 0.13 doesn't say: then nobody has it, and some is left."""
        if "in_stock" in row:
            return bool(row["in_stock"])
        gone = ("customer", "belongs_to", "sales_order", "consumed_by", "is_building")
        return not any(row.get(field) for field in gone) and Decimal(str(row.get("quantity", 0))) > 0
