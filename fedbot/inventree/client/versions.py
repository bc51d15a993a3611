"""All differences between InvenTree versions, chosen by the server's API version.

Each gate was measured, or comes from InvenTree's API changelog, and names its source. No other module compares API
versions; support for a new difference belongs here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

OLDEST_KNOWN = 160  # 0.13.6
NEWEST_KNOWN = 530  # master of 2026-08-05, '1.5.0 dev'

# Abilities that only some versions have, and that people notice: properties of `Version` (texts: messages/health.py).
ABILITIES = (
    "searches_history",
    "tells_tokens",
    "makes_tokens",
    "makes_users",
    "returns_parts",
    "direct_access_is_safe",
)


@dataclass(frozen=True)
class Gate:
    """The first API number with a change, and the change in InvenTree that made it.

    `source` is an entry of its API changelog ('v436', with the pull request), or a commit without a number of its own.
    Then `api` is the first number that proves that a server has it.
    """

    api: int
    source: str


GATES = {
    "active companies": Gate(190, "v190, pull request 7024"),
    "parts outside of categories": Gate(202, "v202, pull request 7343"),
    "attachments of any model": Gate(207, "v207, pull request 7420"),
    "a list of one's tokens": Gate(227, "v227, pull request 7693"),
    "a history that can be searched": Gate(320, "commit 21ae1138c within v319, pull request 9238"),
    "long links": Gate(320, "v320, pull request 9243"),
    "tokens for others": Gate(325, "v325, pull request 9244"),
    "roles of groups": Gate(335, "v335, pull request 9476"),
    "serial numbers as a list": Gate(356, "commit 8e8b61033 within v356, pull request 9846"),
    "returns of several items": Gate(381, "v381, pull request 10132"),
    "parameters of any model": Gate(430, "v430, pull request 10699"),
    "metadata apart": Gate(436, "v436, pull request 11035"),
    "the part in the history": Gate(450, "v450, pull request 11260"),
    "permissions that only admins give": Gate(472, "v472, and commit 9c0cb3410 within v471"),
    "creation dates of items": Gate(496, "v496, pull request 12011"),
    "roles with the user": Gate(519, "v519"),
    "locked rows": Gate(522, "commit fcc68ee69 within v521, pull request 12385"),
}

_OLD_METADATA_URLS = {
    "stockitem": "stock",
    "company": "company",
    "part": "part",
    "partcategory": "part/category",
    "stocklocation": "stock/location",
}


@dataclass(frozen=True)
class Version:
    """The abilities and addresses of one server, by its API version (`apiVersion` of `GET /api/`)."""

    api: int

    def _has(self, gate: str) -> bool:
        return self.api >= GATES[gate].api

    @property
    def known(self) -> bool:
        """Whether this version was measured. On a newer one the bot reads, but writes only once the settings allow it.

        There is a reason: the package announces that from API 566 on the stock history, which contains our marks, moves
        to an audit log.
        """
        return OLDEST_KNOWN <= self.api <= NEWEST_KNOWN

    @property
    def too_old(self) -> bool:
        """Whether it is older than any version that works."""
        return self.api < OLDEST_KNOWN

    @property
    def abilities(self) -> tuple[str, ...]:
        """The members of `ABILITIES` that it has."""
        return tuple(name for name in ABILITIES if getattr(self, name))

    @property
    def direct_access_is_safe(self) -> bool:
        """Whether a peer may get an account. On older versions any account can make itself admin."""
        return self._has("permissions that only admins give")

    @property
    def permissions_are_safe(self) -> bool:
        """Whether only admins can grant permissions.

        On older versions any account can grant itself some, or join a group.
        """
        return self.direct_access_is_safe

    @property
    def searches_history(self) -> bool:
        """Whether `stock/track/?search=` finds notes; older versions answer 500."""
        return self._has("a history that can be searched")

    @property
    def tells_history_of_parts(self) -> bool:
        """Whether `stock/track/?part=` lists a part's history; older versions silently ignore it."""
        return self._has("the part in the history")

    @property
    def tells_roles_with_user(self) -> bool:
        """Whether `user/me/?roles=true` saves the call to `user/roles/`."""
        return self._has("roles with the user")

    @property
    def takes_parts_without_category(self) -> bool:
        """Whether a part may be outside of all categories."""
        return self._has("parts outside of categories")

    @property
    def locks_rows(self) -> bool:
        """Whether a transfer locks the stock item, so simultaneous moves add up."""
        return self._has("locked rows")

    @property
    def makes_users(self) -> bool:
        """Whether groups' rulesets and users' groups can be read and set over REST."""
        return self._has("roles of groups")

    @property
    def makes_tokens(self) -> bool:
        """Whether a superuser can create a token for another user over REST."""
        return self._has("tokens for others")

    @property
    def tells_tokens(self) -> bool:
        """Whether `user/tokens/` lists one's own tokens, with expiry and which one is in use."""
        return self._has("a list of one's tokens")

    @property
    def returns_parts(self) -> bool:
        """Whether `stock/return/` takes quantities; older versions only return whole items (`stock/N/return/`)."""
        return self._has("returns of several items")

    @property
    def hides_metadata(self) -> bool:
        """Whether reading metadata needs the permission to change the record."""
        return self._has("metadata apart")

    def metadata_url(self, model: str, pk: int) -> str:
        """The address of the metadata of a `stockitem`, `company`, `part`, `partcategory` or `stocklocation`."""
        if self._has("metadata apart"):
            return f"metadata/{model}/{pk}/"
        return f"{_OLD_METADATA_URLS[model]}/{pk}/metadata/"

    def return_call(
        self, item: int, quantity: str, status: int, location: int, notes: str
    ) -> tuple[str, dict[str, object]]:
        """URL and body that return an item from a customer.

        `status` is set only if `returns_parts`; otherwise a `change_status` must follow.
        """
        if self.returns_parts:
            line = {"pk": item, "quantity": quantity, "status": status}
            return "stock/return/", {"items": [line], "location": location, "notes": notes, "merge": False}
        return f"stock/{item}/return/", {"location": location, "notes": notes}

    def attachment_call(self, item: int) -> tuple[str, dict[str, object]]:
        """The address of stock items' files, and the fields for this item, for reading and for attaching."""
        if self._has("attachments of any model"):
            return "attachment/", {"model_type": "stockitem", "model_id": item}
        return "stock/attachment/", {"stock_item": item}

    def attachments_call(self, model: str) -> tuple[str, dict[str, object], str]:
        """The address of all files of a model (`stockitem`, `part`), its fields, and the field with a file's owner."""
        if self._has("attachments of any model"):
            return "attachment/", {"model_type": model}, "model_id"
        return ("part/attachment/", {}, "part") if model == "part" else ("stock/attachment/", {}, "stock_item")

    def parameters_call(self, part: int) -> tuple[str, dict[str, object]]:
        """The address of parameters, and the fields for this part, for reading and for creating."""
        if self._has("parameters of any model"):
            return "parameter/", {"model_type": "part", "model_id": part}
        return "part/parameter/", {"part": part}

    @property
    def parameter_templates(self) -> str:
        """The address of parameter templates."""
        return "parameter/template/" if self._has("parameters of any model") else "part/parameter/template/"

    @property
    def longest_comment(self) -> int:
        """The largest number of characters in the comment of an attachment."""
        return 250 if self._has("attachments of any model") else 100

    def serial_field(self, serial: str) -> dict[str, str]:
        """The field for a serial number when a stock item is created; from API 356 on `serial` may be ignored."""
        return {"serial_numbers" if self._has("serial numbers as a list") else "serial": serial}

    def can_be_given(self, serial: str) -> bool:
        """Whether `serial_field` creates exactly this serial number.

        `serial_numbers` is a list, and `~` means the next number.
        """
        return not self._has("serial numbers as a list") or not re.search(r"[\s,~]", serial)

    def closed_company(self) -> dict[str, bool]:
        """The fields that close a company: below API 190 it has no `active`."""
        return {"active": False} if self._has("active companies") else {"is_customer": False}

    @property
    def newest_first(self) -> str:
        """The `ordering` of stock items that lists the newest first; on older versions, those changed last."""
        return "-creation_date" if self._has("creation dates of items") else "-updated"

    @property
    def longest_link(self) -> int:
        """The largest number of characters in the `link` of a stock item."""
        return 2000 if self._has("long links") else 200

    def created(self, reply: object) -> Mapping[str, Any] | None:
        """The row that `POST stock/` created, if the reply contains it: newer versions answer a list, older an object.

        None if the reply has no key, as with serialised items on older versions.
        """
        row = reply[0] if isinstance(reply, list) and reply else reply
        return row if isinstance(row, dict) and isinstance(row.get("pk"), int) else None

    def in_stock(self, row: Mapping[str, Any]) -> bool:
        """Whether a stock item is in stock. 0.13 doesn't say, so it is if nobody has it and its quantity isn't 0."""
        if "in_stock" in row:
            return bool(row["in_stock"])
        return not is_with_somebody(row) and Decimal(str(row.get("quantity", 0))) > 0


def is_with_somebody(row: Mapping[str, Any]) -> bool:
    """Whether a stock item is with a customer, installed, sold, used up, or being built."""
    return any(row.get(field) for field in ("customer", "belongs_to", "sales_order", "consumed_by", "is_building"))
