"""The differences between InvenTree versions that a client sees: addresses, permissions, reply shapes, error texts.

Four versions were recorded (`RECORDED`). A gate is the API number at which InvenTree's own history changed, if known,
or else the number of the first recorded server with the change. A server between two recorded ones has each change
whose number it has reached.

`fedbot/inventree/client/versions.py` is the bot's reading of the same facts. The two share no code on purpose, because
then a mistake in one shows against the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from fedbot_demo.inventree.exchange import JsonObject

#: The recorded servers by their usual name: InvenTree's release, and its API number.
RECORDED = {"0.13": 160, "0.17": 293, "1.0": 391, "newest": 530}
_V013, _V017, _V10, _NEWEST = RECORDED.values()

#: No server has this number; it ends a span that is still open.
_OPEN = 1_000_000


class Span(NamedTuple):
    """The API number that something starts with, and the one that no longer has it."""

    since: int = 0
    until: int = _OPEN

    def holds(self, api: int) -> bool:
        """Whether a server with this API number has it."""
        return self.since <= api < self.until


class _Build(NamedTuple):
    """A server's information about its build. A server between two recorded ones has the older one's."""

    release: str
    python: str
    django: str
    links: dict[str, str]
    content_type: int
    setting_numbers: tuple[int, int]


_HOME = "https://github.com/InvenTree/InvenTree/"
_BUILDS = {
    _V013: _Build(
        "0.13.6",
        "3.10.13",
        "3.2.23",
        {
            "doc": "https://docs.inventree.org/en/0.13.6",
            "app": "https://docs.inventree.org/en/0.13.6/app/app/",
            "bug": f"{_HOME}/issues",
            "credit": "https://docs.inventree.org/en/latest/credits/",
        },
        0,
        (12, 1),
    ),
    _V017: _Build(
        "0.17.0 dev",
        "3.11.7",
        "4.2.17",
        {
            "doc": "https://docs.inventree.org/en/latest",
            "app": "https://docs.inventree.org/app/",
            "bug": f"{_HOME}issues",
            "credit": "https://docs.inventree.org/en/latest/credits/",
        },
        65,
        (14, 4),
    ),
    _V10: _Build(
        "0.18.0 dev",
        "3.11.7",
        "4.2.24",
        {
            "doc": "https://docs.inventree.org/en/latest",
            "app": "https://docs.inventree.org/app/",
            "bug": f"{_HOME}issues",
        },
        64,
        (18, 4),
    ),
    _NEWEST: _Build(
        "1.5.0 dev",
        "3.13.5",
        "5.2.16",
        {
            "doc": "https://docs.inventree.org",
            "app": "https://docs.inventree.org/en/latest/app/",
            "bug": f"{_HOME}issues",
        },
        66,
        (13, 35),
    ),
}

#: The fields of a reply that only some versions have, by kind of object. Every version has a field without an entry.
#: The server makes every field, and `Version.told` leaves out those that the version lacks.
_FIELDS: dict[str, dict[str, Span]] = {
    "root": {
        "id": Span(_V10),
        "customize": Span(_V10),
        "settings": Span(_V10),
        "worker_count": Span(_V017),
        "plugins_install_disabled": Span(_V017),
        "default_locale": Span(_V017),
        "django_admin": Span(_V017),
    },
    "root.customize": {"disable_theme_storage": Span(_NEWEST)},
    "user": {"profile": Span(_V10)},
    "my roles": {"permissions": Span(_V017)},
    "group": {
        "roles": Span(_V10),
        "users": Span(_NEWEST),
        "permissions": Span(_V017),
    },
    "token": {"user_detail": Span(_V10)},
    "company": {
        "url": Span(0, _V10),
        "address": Span(0, _NEWEST),
        "primary_address": Span(0, _NEWEST),
        "active": Span(190),
        "tax_id": Span(_V10),
    },
    "company.counts": {"address_count": Span(0, _NEWEST)},
    "company.written": {"tags": Span(_NEWEST), "parameters": Span(_NEWEST)},
    "part": {
        "default_supplier": Span(0, _NEWEST),
        "suppliers": Span(0, _NEWEST),
        "tags": Span(0, _NEWEST),
        "last_stocktake": Span(0, _V10),
        "creation_user": Span(_V017),
        "locked": Span(_V017),
        "revision_of": Span(_V017),
        "revision_count": Span(_V017),
        "testable": Span(_V017),
        "pricing_updated": Span(_V017),
        "category_default_location": Span(_V017),
        "category_name": Span(_V017),
        "required_for_sales_orders": Span(_V017),
        "external_stock": Span(_V017),
        "scheduled_to_build": Span(_V10),
        "maximum_stock": Span(_NEWEST),
        "consumable": Span(_NEWEST),
    },
    "part.written": {
        "category_detail": Span(_NEWEST),
        "price_breaks": Span(_NEWEST),
        "parameters": Span(_NEWEST),
        "default_location_detail": Span(_NEWEST),
        "category_path": Span(_NEWEST),
    },
    "part.brief": {
        "default_expiry": Span(_V10),
        "category_default_location": Span(_V017),
        "image": Span(_V017),
        "locked": Span(_V017),
        "component": Span(_V017),
        "testable": Span(_V017),
        "minimum_stock": Span(_NEWEST),
        "consumable": Span(_NEWEST),
    },
    "category": {"url": Span(0, _V10), "subcategories": Span(_V017), "parent_default_location": Span(_V017)},
    "category.written": {"path": Span(_NEWEST), "parameters": Span(_NEWEST)},
    "location": {"url": Span(0, _V10), "tags": Span(0, _NEWEST)},
    "location.counts": {"sublocations": Span(_V017)},
    "stockitem": {
        "location_name": Span(_V017, _V10),
        "in_stock": Span(_V017),
        "parent": Span(_V017),
        "status_custom_key": Span(_V017),
        "purchase_order_reference": Span(_V10),
        "sales_order_reference": Span(_V10),
        "SKU": Span(_V10),
        "MPN": Span(_V10),
        "creation_date": Span(496),
    },
    "parameter": {"model_type": Span(430), "model_id": Span(430), "part": Span(0, 430)},
    "testresult": {"template": Span(_V017), "test": Span(0, _V017), "key": Span(0, _V017)},
    "stockitem.counts": {"child_items": Span(_V017)},
    "history": {"part": Span(450)},
    "line": {"merge": Span(512)},
    "return": {"status": Span(_V017)},
    "location.written": {"path": Span(_NEWEST), "parameters": Span(_NEWEST)},
    "stockitem.named": {"batch": Span(_V017)},
    "attachment.written": {"thumbnail": Span(_NEWEST), "tags": Span(207)},
    "attachment.listed": {"tags": Span(207, _NEWEST)},
    "attachment": {
        "thumbnail": Span(_NEWEST),
        "is_image": Span(_NEWEST),
        "file_size": Span(207),
        "model_type": Span(207),
        "model_id": Span(207),
        "upload_user": Span(207),
        "user": Span(0, 207),
        "stock_item": Span(0, 207),
    },
    "order": {
        "created_by": Span(_V10),
        "start_date": Span(_V10),
        "project_code_label": Span(_V10),
        "updated_at": Span(_NEWEST),
        "status_custom_key": Span(_V017),
    },
    "sales order": {
        "issue_date": Span(_V10),
        "shipments_count": Span(_V017),
        "completed_shipments_count": Span(_V017),
        "allocated_lines": Span(_NEWEST),
    },
    "return order": {"issue_date": Span(_V017), "complete_date": Span(_V017)},
    "return order.written": {
        "notes": Span(_NEWEST),
        "customer_detail": Span(_NEWEST),
        "tags": Span(_NEWEST),
        "parameters": Span(_NEWEST),
    },
    "setting": {"read_only": Span(_V10), "confirm": Span(_NEWEST), "confirm_text": Span(_NEWEST)},
    "scanned": {"instance": Span(_V10)},
}

#: Roles and codes that were added or removed.
_ROLES = {"bom": Span(_NEWEST), "transfer_order": Span(492), "stocktake": Span(0, _V10)}
_ROLE_MODELS = {
    ("part", "manufacturerpartparameter"): Span(0, _NEWEST),
    ("part", "bomitemsubstitute"): Span(0, _NEWEST),
    ("part", "partparameter"): Span(0, _NEWEST),
    ("part", "partparametertemplate"): Span(0, _NEWEST),
    ("part", "partstocktake"): Span(_V10),
}
_CODES = {
    "StockHistoryCode": {
        13: Span(_NEWEST),
        15: Span(381),
        46: Span(_NEWEST),
        47: Span(_NEWEST),
    },
    "LabelPrinterStatus": {200: Span(_NEWEST), 500: Span(_NEWEST)},
    "SalesOrderStatus": {25: Span(_V017), 30: Span(_V017)},
    "PurchaseOrderStatus": {25: Span(_V017)},
    "BuildStatus": {25: Span(_V017)},
    "ReturnOrderStatus": {25: Span(_V017)},
}
_CODE_CLASSES = {
    "DataImportStatusCode": Span(_V017),
    "TransferOrderStatus": Span(492),
    "MachineStatus": Span(_V017),
    "LabelPrinterStatus": Span(_V017),
}


@cache
def _untold(kind: str, api: int) -> tuple[str, ...]:
    return tuple(name for name, span in _FIELDS[kind].items() if not span.holds(api))


@dataclass(frozen=True, slots=True)
class Version:
    """One version of InvenTree, by its API number; `point_release` if its release name isn't the recorded one."""

    api: int
    point_release: str = ""

    @classmethod
    def named(cls, name: str) -> Version:
        """The recorded version of this name, one of `RECORDED`."""
        return cls(RECORDED[name])

    @property
    def _build(self) -> _Build:
        return _BUILDS[max((api for api in _BUILDS if api <= self.api), default=_V013)]

    # --- information about itself ----------------------------------------------------------------------------

    @property
    def release(self) -> str:
        """The release in `GET /api/`."""
        return self.point_release or self._build.release

    @property
    def python(self) -> str:
        """Its Python version."""
        return self._build.python

    @property
    def django(self) -> str:
        """Its Django version."""
        return self._build.django

    @property
    def links(self) -> dict[str, str]:
        """The links of `GET /api/version/`."""
        return dict(self._build.links)

    @property
    def content_type(self) -> int:
        """The number of the stock item's model among the content types."""
        return self._build.content_type

    @property
    def content_type_app(self) -> str:
        """The app of the stock item's model in its content type."""
        return "Stock" if self.api >= _NEWEST else "stock"

    @property
    def setting_numbers(self) -> tuple[int, int]:
        """The row numbers of the settings for the server's name and its currency."""
        return self._build.setting_numbers

    @property
    def lets_plugins_install(self) -> bool:
        """Whether plugins can be installed by default."""
        return self.api < _NEWEST

    @property
    def refuses_bad_token_everywhere(self) -> bool:
        """Whether a wrong token is refused even where none is needed."""
        return self.api >= _V017

    @property
    def challenge(self) -> str:
        """The WWW-Authenticate header of a 401."""
        return "Token" if self.api >= _V017 else 'Basic realm="api"'

    @property
    def keeps_unknown_addresses_from_strangers(self) -> bool:
        """Whether an unknown address is a 401 without credentials; before, a 404."""
        return self.api >= _NEWEST

    @property
    def unknown_address_is_a_page(self) -> bool:
        """Whether a write to an unknown address gets an HTML page 403, and no list of methods."""
        return self.api < _V017

    @property
    def knows_passwords_at_root(self) -> bool:
        """Whether `GET /api/` knows staff by a password; before, only by a token."""
        return self.api >= _V017

    @property
    def root_is_plain(self) -> bool:
        """Whether `GET /api/` names no methods."""
        return self.api < _V017

    @property
    def root_names_methods(self) -> bool:
        """Whether `GET /api/` names its methods."""
        return not self.root_is_plain

    @property
    def has_custom_statuses(self) -> bool:
        """Whether custom statuses can be created."""
        return self.api >= _V017

    @property
    def has_no_custom_statuses(self) -> bool:
        """Whether they can't."""
        return not self.has_custom_statuses

    @property
    def fetches_rates(self) -> bool:
        """Whether exchange rates were fetched at the start."""
        return self.api >= _V10

    def currencies(self, every: dict[str, str]) -> dict[str, str]:
        """The currencies in the server's order."""
        order = list(every) if self.api >= _V017 else sorted(every, key=every.__getitem__)
        return {key: every[key] for key in order}

    def color(self, name: str, color: str) -> str:
        """The colour of a status."""
        return "success" if name == "SHIPPED" and self.api < _V10 else color

    def path(self, path: str) -> str:
        """The address at which a path is looked up. 0.13 matches some addresses by their beginning."""
        if self.api >= _V017:
            return path
        if path.startswith("/api/user/me/"):
            return "/api/user/me/"
        return "/api/stock/" if path == "/api/stock/return/" else path

    def refusal(self, content: JsonObject) -> JsonObject:
        """An error's content. Up to 0.17 it doesn't name a missing row."""
        text = str(content.get("detail", ""))
        if self.api < _V10 and text.startswith("No ") and text.endswith(" matches the given query."):
            return {"detail": "Not found."}
        return content

    def currency(self, key: str, name: str) -> str:
        """The name of a currency."""
        return f"{key} - {name}" if self.api >= _V10 else name

    # --- accounts, tokens and permissions -------------------------------------------------------------------------

    @property
    def parses_texts(self) -> bool:
        """Whether texts are parsed as HTML and written out again (InvenTree 5d1cbf4e9); before, it looks for tags."""
        return self.api >= 470  # noqa: PLR2004  the numbers are the point here

    @property
    def drops_what_is_unseen(self) -> bool:
        """Whether every invisible character is dropped, joiners of emojis included."""
        return self.api < _V017

    @property
    def gives_token_at_me(self) -> bool:
        """Whether `user/me/token/` and `user/me/roles/` exist."""
        return self.api >= 490  # noqa: PLR2004  the numbers are the point here

    @property
    def sets_session_cookie(self) -> bool:
        """Whether getting a token sets a cookie."""
        return self.api >= _V017

    @property
    def token_gets_no_other_token(self) -> bool:
        """Whether getting a token by a token ends in an error 500, after the token was made."""
        return _V017 <= self.api < 325  # noqa: PLR2004

    @property
    def lists_tokens(self) -> bool:
        """Whether `user/tokens/` lists one's own tokens."""
        return self.api >= 227  # noqa: PLR2004

    @property
    def only_lists_tokens(self) -> bool:
        """Whether tokens can be listed and revoked there, but not made."""
        return self.lists_tokens and not self.makes_tokens

    @property
    def makes_tokens(self) -> bool:
        """Whether `user/tokens/` makes tokens, and `?all_users=true` shows those of others."""
        return self.api >= 325  # noqa: PLR2004

    @property
    def signs_in_by_session(self) -> bool:
        """Whether `auth/v1/` signs a browser in, with a second factor (since 314; device trust since 344)."""
        return self.api >= 344  # noqa: PLR2004

    @property
    def anybody_makes_tokens_for_others(self) -> bool:
        """The security hole: any account gets a token of any other one, even an admin's (InvenTree 9c0cb3410)."""
        return self.makes_tokens and self.api < 472  # noqa: PLR2004

    @property
    def anybody_becomes_staff(self) -> bool:
        """The security hole: any account can make itself staff through `user/me/` (InvenTree 76b5cfcca)."""
        return self.edits_rule_sets and self.api < 472  # noqa: PLR2004

    @property
    def edits_rule_sets(self) -> bool:
        """Whether staff can change rule sets and users' groups over REST."""
        return self.api >= 335  # noqa: PLR2004

    @property
    def anybody_edits_users(self) -> bool:
        """The security hole: any account can change any user and any group."""
        return not self.edits_rule_sets

    @property
    def keeps_rights_safe(self) -> bool:
        """Whether only admins can give permissions; otherwise a friend should get no account."""
        return not (self.anybody_edits_users or self.anybody_becomes_staff)

    @property
    def sets_passwords(self) -> bool:
        """Whether `user/N/set-password/` exists."""
        return self.api >= 351  # noqa: PLR2004

    @property
    def makes_users(self) -> bool:
        """Whether `POST user/` can create an account at all."""
        return self.api >= _V017

    def user_refusal(self, *, superuser: bool) -> JsonObject:
        """The error where users can't be created."""
        if superuser:
            return {"username": ["This field cannot be blank."]}
        return {"non_field_errors": ["Only superusers can create new users"]}

    @property
    def tells_roles_with_user(self) -> bool:
        """Whether `user/me/?roles=true` includes the roles."""
        return self.api >= 519  # noqa: PLR2004

    @property
    def tells_permissions_of_new_groups(self) -> bool:
        """Whether the reply to a new group includes its permissions."""
        return self.api >= _NEWEST

    @property
    def new_groups_may_look(self) -> bool:
        """Whether a new group can view everything."""
        return self.api < _V017

    def roles(self, every: dict[str, str]) -> dict[str, str]:
        """The roles of this version, with their labels."""
        return {name: label for name, label in every.items() if _ROLES.get(name, Span()).holds(self.api)}

    def role_models(self, role: str, models: tuple[str, ...]) -> list[str]:
        """A role's database models in this version."""
        return [name for name in models if _ROLE_MODELS.get((role, name), Span()).holds(self.api)]

    # --- metadata, attachments, barcodes, search -------------------------------------------------------------

    @property
    def metadata_apart(self) -> bool:
        """Whether metadata has an address of its own, `metadata/<model>/<pk>/`; the old ones only redirect to it."""
        return self.api >= 436  # noqa: PLR2004

    @property
    def metadata_in_rows(self) -> bool:
        """Whether metadata is read and written below its row, `stock/N/metadata/`."""
        return not self.metadata_apart

    @property
    def metadata_read(self) -> str:
        """The permission that reading metadata needs."""
        return "change" if self.metadata_apart else "view"

    @property
    def attaches_to_any_model(self) -> bool:
        """Whether attachments are at `attachment/`, for rows of any model."""
        return self.api >= 207  # noqa: PLR2004

    @property
    def attaches_by_model(self) -> bool:
        """Whether the attachments of stock items are at `stock/attachment/`."""
        return not self.attaches_to_any_model

    @property
    def has_parameters_of_any_model(self) -> bool:
        """Whether parameters are at `parameter/`, for rows of any model."""
        return self.api >= 430  # noqa: PLR2004

    @property
    def has_parameters_of_parts(self) -> bool:
        """Whether the parameters of parts are at `part/parameter/`."""
        return not self.has_parameters_of_any_model

    @property
    def has_test_templates(self) -> bool:
        """Whether a result includes its test's template; before, the test's name."""
        return self.api >= _V017

    @property
    def makes_tests_by_name(self) -> bool:
        """Whether a result of an unknown test creates that test."""
        return self.api < _V10

    @property
    def installed_items_stay_in_place(self) -> bool:
        """Whether an installed item keeps its location."""
        return self.api < _V017

    @property
    def counts_all_items_below(self) -> bool:
        """Whether `child_items` counts descendants at all depths."""
        return self.api < _V10

    @property
    def longest_comment(self) -> int:
        """The maximum length of an attachment's comment."""
        return 250 if self.attaches_to_any_model else 100

    @property
    def barcode_needs_role(self) -> bool:
        """Whether scanning a barcode needs the permission to view its row."""
        return self.api >= _NEWEST

    def web_address(self, kind: str, pk: int) -> str:
        """The page of a row in a barcode's reply."""
        return f"/web/{kind}/{pk}" if self.api >= _V10 else f"/{kind}/{pk}/"

    @property
    def has_transfer_orders(self) -> bool:
        """Whether transfer orders exist."""
        return self.api >= 492  # noqa: PLR2004

    # --- stock -----------------------------------------------------------------------------------------------

    @property
    def locks_rows(self) -> bool:
        """Whether a stock action locks the row, so two at the same time add up (InvenTree fcc68ee69)."""
        return self.api >= 522  # noqa: PLR2004

    @property
    def searches_history(self) -> bool:
        """Whether `stock/track/?search=` works; before, it is an error 500."""
        return self.api >= 320  # noqa: PLR2004

    @property
    def dates_items(self) -> bool:
        """Whether a stock item has its creation date, and a list can filter by it; before, it is silently ignored."""
        return self.api >= 496  # noqa: PLR2004

    @property
    def filters_history(self) -> bool:
        """Whether the history can be filtered by part and days; before, that is silently ignored."""
        return self.api >= 450  # noqa: PLR2004

    @property
    def returns_in_bulk(self) -> bool:
        """Whether `stock/return/` takes items with quantities."""
        return self.api >= 381  # noqa: PLR2004

    @property
    def returns_one(self) -> bool:
        """Whether `stock/N/return/` takes a whole item back."""
        return not self.returns_in_bulk

    @property
    def takes_serial(self) -> bool:
        """Whether `serial` sets a new item's serial number; later it is ignored in favour of `serial_numbers`."""
        return self.api < 356  # noqa: PLR2004

    @property
    def answers_list_to_create(self) -> bool:
        """Whether `POST stock/` returns a list of rows; before, one row, or for serial numbers no row numbers."""
        return self.api >= 383  # noqa: PLR2004

    @property
    def edits_after_making(self) -> bool:
        """Whether a new item's status is set after its creation, which then is its first history entry."""
        return _V10 <= self.api < _NEWEST

    @property
    def tells_what_is_gone(self) -> bool:
        """Whether the history shows null for a deleted row."""
        return self.api >= _V017

    @property
    def tells_whole_item_of_entry(self) -> bool:
        """Whether `item_detail` in the history is the whole stock item; before, only what names it."""
        return self.api >= _V10

    @property
    def keeps_custom_key(self) -> bool:
        """Whether editing a status also sets the custom key, and `stock/change_status/` leaves that key alone."""
        return _V017 <= self.api < _V10

    @property
    def tells_status_of_split(self) -> bool:
        """Whether the history of a split-off item shows the requested status even if it didn't change."""
        return self.api < _NEWEST

    @property
    def tells_moved_status_apart(self) -> bool:
        """Whether a whole item that moves with another status gets an additional entry of type 5, without a user."""
        return self.api < _V017

    @property
    def saves_numbered_twice(self) -> bool:
        """Whether a new serialised item's status is set before the entry about its creation."""
        return self.api >= _V10

    @property
    def tells_second_save(self) -> bool:
        """Whether the additional save of a new serialised item whose status is unknown leaves an entry."""
        return self.api >= _NEWEST

    @property
    def takes_status_text(self) -> bool:
        """Whether a new item's status may be a number in a text."""
        return not _V10 <= self.api < _NEWEST

    @property
    def narrows_details(self) -> bool:
        """Whether a stock item shows part and location only to callers who may view them (PR 12529, API 530)."""
        return self.api >= _NEWEST

    @property
    def takes_tags_on_create(self) -> bool:
        """Whether `POST stock/` stores `tags`; the newest only echoes them."""
        return self.api < _NEWEST

    @property
    def always_tells_tags(self) -> bool:
        """Whether a stock item always includes its tags."""
        return self.api < _NEWEST

    @property
    def tags_filter(self) -> str:
        """The query filter for tags."""
        return "tags" if self.api >= 434 else "tags__name"  # noqa: PLR2004

    @property
    def filters_by_parent(self) -> bool:
        """Whether `stock/?parent=` finds the children of an item; before, `?ancestor=` does."""
        return self.api >= 521  # noqa: PLR2004

    @property
    def moves_nothing(self) -> bool:
        """Whether a move of quantity 0 is accepted, without effect."""
        return self.api < _V10

    @property
    def moves_available_only(self) -> bool:
        """Whether only items in an available status (OK, attention, damaged, returned) can be moved."""
        return self.api < _V017

    def leaves_out(self, kind: int, deltas: JsonObject) -> bool:
        """Whether an entry of this kind is left out if it would hold nothing."""
        return self.api >= _V017 and not self.deltas(kind, dict(deltas))

    @property
    def acts_on_handed_over(self) -> bool:
        """Whether items with a customer can be counted and added to."""
        return self.api < _V017

    @property
    def empty_is_not_here(self) -> bool:
        """Whether the stock actions treat an empty item as not in stock."""
        return _V017 <= self.api < _V10

    @property
    def longest_link(self) -> int:
        """The maximum length of a row's link."""
        return 2000 if self.api >= 320 else 200  # noqa: PLR2004

    def status_refusal(self, status: object) -> str | None:
        """The error about a new item's unknown status; None if it is ignored."""
        if self.api >= _V10:
            return None
        return "This field may not be null." if status is None else self.wrong_status(str(status))

    def wrong_status(self, status: str) -> str:
        """The error of a stock item's form about an unknown status; the forms of movements always name it."""
        return "Invalid choice" if self.api >= _V017 else f'"{status}" is not a valid choice.'

    @property
    def edits_in_bulk(self) -> bool:
        """Whether the lists of parts, categories and places offer PUT and PATCH."""
        return self.api >= _V10

    @property
    def edits_stock_in_bulk(self) -> bool:
        """Whether the list of stock offers PUT and PATCH."""
        return self.api >= _NEWEST

    @property
    def names_bad_part(self) -> bool:
        """Whether listing the stock of an unknown part has an error text of its own."""
        return self.api < _V017

    @property
    def numbered_items_stay(self) -> bool:
        """Whether a serialised item is never deleted when it is emptied, however it was created."""
        return self.api < _V017

    def taken_serials(self, taken: list[str]) -> list[str]:
        """The error about serial numbers that are taken."""
        listed = ",".join(taken)
        first = [f"Stock item with this serial number already exists: {each}" for each in taken]
        last = f"The following serial numbers already exist or are invalid : {listed}"
        return [last] if self.api >= _V017 else [*first, last]

    @property
    def counts_numbered(self) -> bool:
        """Whether counting a serialised item is recorded in its history."""
        return self.api >= _NEWEST

    @property
    def history_outlives_items(self) -> bool:
        """Whether the history of a deleted item stays."""
        return self.api >= 450  # noqa: PLR2004

    @property
    def nothing_to_delete(self) -> object:
        """The error of a bulk delete that names nothing."""
        if self.api >= _NEWEST:
            return "List of items must be provided for bulk operation"
        text = "List of items or filters must be provided for bulk"
        return f"{text} operation" if self.api >= _V10 else [f"{text} deletion"]

    @property
    def merges_in_transfer(self) -> bool:
        """Whether a transfer can merge items at the destination."""
        return self.api >= 512  # noqa: PLR2004

    @property
    def counts_elsewhere(self) -> bool:
        """Whether a count can name another location."""
        return self.api >= _NEWEST

    @property
    def labels_custom_status(self) -> bool:
        """Whether a custom status shows its own label."""
        return self.api >= _NEWEST

    @property
    def fails_at_one_status(self) -> bool:
        """Whether requesting one class of status codes is an error 500."""
        return self.api < _NEWEST

    # --- companies, parts, locations, orders ---------------------------------------------------------------

    @property
    def unwritten(self) -> str | None:
        """The value of a text that was never set: empty, and null in 0.13."""
        return "" if self.api >= _V017 else None

    @property
    def same_company(self) -> str:
        """The error about a second company with that name and e-mail address."""
        if self.api >= _V10:
            return "The fields name, email must make a unique set."
        return "Company with this Company name and Email already exists."

    @property
    def same_part(self) -> list[str]:
        """The error about a second part with that name, IPN and revision."""
        if self.api >= _V10:
            return ["The fields name, IPN, revision must make a unique set."]
        return ["Part with this Name, IPN and Revision already exists."] * 2

    @property
    def lists_notes_of_companies(self) -> bool:
        """Whether a list of companies includes their notes."""
        return self.api >= _NEWEST or self.api < _V017

    @property
    def lists_notes_of_parts(self) -> bool:
        """Whether a list of parts includes their notes."""
        return self.api < _V017

    @property
    def lists_notes_of_orders(self) -> bool:
        """Whether an order includes its notes."""
        return self.api < _V017

    @property
    def parts_need_category(self) -> bool:
        """Whether a part needs a category."""
        return self.api < 202  # noqa: PLR2004

    @property
    def keeps_notes_of_new_parts(self) -> bool:
        """Whether the notes of a create are kept for the new part."""
        return self.api >= _NEWEST or self.api < _V017

    @property
    def tells_copied_parameters(self) -> bool:
        """Whether lists of parts, and the reply to a new one, say whether the category's parameters were copied."""
        return self.api < _NEWEST

    @property
    def has_null_icons(self) -> bool:
        """Whether a location without an icon of its own has null."""
        return self.api >= _V10

    @property
    def tells_counts_as_null(self) -> bool:
        """Whether counts that weren't requested are null; before, they are left out."""
        return self.api >= _V10

    def order_custom_key(self, status: int) -> int | None:
        """The custom status of an order without one."""
        return None if self.api >= _NEWEST else status

    def created_at(self, address: str) -> tuple[tuple[str, str], ...]:
        """The Location header of a new row, in versions whose rows hold their address."""
        return (("Location", address),) if self.api < _V10 else ()

    # --- shapes ----------------------------------------------------------------------------------------------

    def told(self, kind: str, content: JsonObject) -> JsonObject:
        """`content`, an object of this `kind`, without the fields that this version doesn't have."""
        for name in _untold(kind, self.api):
            content.pop(name, None)
        return content

    @property
    def tells_part_of_stock(self) -> bool:
        """Whether a stock item includes its part by default."""
        return self.api >= _V10

    @property
    def item_alone_tells_all(self) -> bool:
        """Whether a single stock item always includes its part, location and supplier part."""
        return self.api < _V017

    def stock_details(self, where: str) -> frozenset[str]:
        """A stock item's details: in a reply (`created`, `numbered`, `changed`) or inside other objects (`brief`)."""
        tags = {"tags"} if self.always_tells_tags else set()
        if self.api >= _NEWEST:
            every = {"part_detail", "location_detail", "path_detail", "supplier_part_detail", "tests", "tags"}
            return frozenset({"part_detail"} if where == "brief" else every)
        if self.api >= _V10:
            three = {"part_detail", "location_detail", "supplier_part_detail"}
            return frozenset(tags | (three if where in {"brief", "numbered"} else {"part_detail"}))
        if self.api >= _V017:
            return frozenset(tags | ({"part_detail"} if where == "brief" else set()))
        return frozenset(
            tags | ({"part_detail", "location_detail", "supplier_part_detail"} if where == "changed" else set())
        )

    def price(self, value: Decimal | None) -> float | str | None:
        """A price in JSON: a number; before 1.0 a text with six decimals."""
        if value is None:
            return None
        return float(value) if self.api >= _V10 else f"{value:.6f}"

    def text_or_null(self, text: str) -> str | None:
        """A text of a part; null in 0.13 if it was never set."""
        return text or self.unwritten

    def deltas(self, kind: int, deltas: JsonObject) -> JsonObject:
        """The content of a history entry of this kind.

        `deltas` holds the fields of all versions. Up to 1.0 an entry names the location. It holds neither the quantity
        of an item moved, handed over or returned as a whole, nor the former status.
        """
        if self.api >= _NEWEST:
            left_out = {"location"} if kind in _NAMED_THE_PLACE else set()
        else:
            left_out = {"old_status", "old_status_logical", "status_logical", "old_location"}
            left_out |= {"quantity"} if kind in _WITHOUT_QUANTITY else set()
        return {name: value for name, value in deltas.items() if name not in left_out}

    def codes(self, class_name: str, codes: dict[int, tuple[str, str, str]]) -> dict[int, tuple[str, str, str]]:
        """The codes of a class that exist in this version."""
        spans = _CODES.get(class_name, {})
        return {key: code for key, code in codes.items() if spans.get(key, Span()).holds(self.api)}

    def has_code_class(self, class_name: str) -> bool:
        """Whether this class of status codes exists."""
        return _CODE_CLASSES.get(class_name, Span()).holds(self.api)

    def code_class(self, class_name: str) -> tuple[str, str]:
        """The name of a class of codes in the list of all, and the field that holds it in its own description."""
        if self.api >= _V10:
            return class_name, "status_class"
        return {"LabelPrinterStatus": "MachineStatus__LabelPrinterStatus"}.get(class_name, class_name), "class"


#: Entries that name the location up to 1.0 (created, split, split child), and those without a quantity (moved, updated,
#: sent to a customer, returned).
_NAMED_THE_PLACE = frozenset({1, 40, 42})
_WITHOUT_QUANTITY = frozenset({15, 20, 25, 100, 105})

NEWEST = Version.named("newest")
