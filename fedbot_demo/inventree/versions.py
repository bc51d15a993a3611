"""What differs between InvenTree versions, as a client sees it: addresses, permissions, reply shapes, error texts.

Four versions were recorded (`RECORDED`). A gate carries the API number at which InvenTree's own history changed, where
that is known; otherwise the number of the first recorded server that has the change. So a server between two recorded
ones has each change whose number it has reached.

The bot's reading of the same facts is `fedbot/inventree/versions.py`. The two share no code on purpose: a mistake in
one shows against the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from fedbot_demo.inventree.exchange import JsonObject

#: The recorded servers by the name that a person gives them: InvenTree's release, and the API number it tells.
RECORDED = {"0.13": 160, "0.17": 293, "1.0": 391, "newest": 530}
_V013, _V017, _V10, _NEWEST = RECORDED.values()

#: No server has this number; the end of a span that is still open.
_OPEN = 1_000_000


class Span(NamedTuple):
    """From which API number on something is there, and from which on it is gone."""

    since: int = 0
    until: int = _OPEN

    def holds(self, api: int) -> bool:
        """Whether a server of this API number has it."""
        return self.since <= api < self.until


class _Build(NamedTuple):
    """What a server says of its own making; of a server between two recorded ones, as the older of them."""

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

#: Fields of a reply that some versions have and others don't, by what is described. A field without an entry is told
#: by all of them. The server makes every field, and `Version.told` leaves out what is not of the version.
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
    "location.written": {"parameters": Span(_NEWEST)},
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

#: Roles and codes that came or went.
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
    """One version of InvenTree, by its API number; `point_release` if it calls itself something else than recorded."""

    api: int
    point_release: str = ""

    @classmethod
    def named(cls, name: str) -> Version:
        """The recorded version of this name, one of `RECORDED`."""
        return cls(RECORDED[name])

    @property
    def _build(self) -> _Build:
        return _BUILDS[max((api for api in _BUILDS if api <= self.api), default=_V013)]

    # --- what it says of itself ------------------------------------------------------------------------------

    @property
    def release(self) -> str:
        """The release as `GET /api/` tells it."""
        return self.point_release or self._build.release

    @property
    def python(self) -> str:
        """Its Python."""
        return self._build.python

    @property
    def django(self) -> str:
        """Its Django."""
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
        """How the app of the stock item's model is called in its content type."""
        return "Stock" if self.api >= _NEWEST else "stock"

    @property
    def setting_numbers(self) -> tuple[int, int]:
        """The row numbers of the settings for the server's name and for its currency."""
        return self._build.setting_numbers

    @property
    def lets_plugins_install(self) -> bool:
        """Whether plugins may be installed by default."""
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
        """Whether an address that doesn't exist is a 401 to somebody who isn't signed in; before, a 404."""
        return self.api >= _NEWEST

    @property
    def unknown_address_is_a_page(self) -> bool:
        """Whether writing to an address that doesn't exist answers with an HTML page 403, and no list of methods."""
        return self.api < _V017

    @property
    def tells_health(self) -> bool:
        """Whether staff is told of the server's health, database and platform."""
        return self.api >= _V017

    @property
    def root_is_plain(self) -> bool:
        """Whether `GET /api/` tells no methods."""
        return self.api < _V017

    @property
    def root_names_methods(self) -> bool:
        """Whether it tells them."""
        return not self.root_is_plain

    @property
    def has_custom_statuses(self) -> bool:
        """Whether statuses with names of one's own can be made."""
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
        """The currencies in the order in which they are offered."""
        order = list(every) if self.api >= _V017 else sorted(every, key=every.__getitem__)
        return {key: every[key] for key in order}

    def color(self, name: str, color: str) -> str:
        """The colour of a status."""
        return "success" if name == "SHIPPED" and self.api < _V10 else color

    def path(self, path: str) -> str:
        """The address at which a path is looked for. 0.13 matches some addresses by their beginning."""
        if self.api >= _V017:
            return path
        if path.startswith("/api/user/me/"):
            return "/api/user/me/"
        return "/api/stock/" if path == "/api/stock/return/" else path

    def refusal(self, content: JsonObject) -> JsonObject:
        """An error's content. Up to 0.17 a missing row isn't named."""
        text = str(content.get("detail", ""))
        if self.api < _V10 and text.startswith("No ") and text.endswith(" matches the given query."):
            return {"detail": "Not found."}
        return content

    def currency(self, key: str, name: str) -> str:
        """How a currency is shown."""
        return f"{key} - {name}" if self.api >= _V10 else name

    # --- accounts, tokens and permissions -------------------------------------------------------------------------

    @property
    def parses_texts(self) -> bool:
        """Whether texts are parsed as HTML and written out again (InvenTree 5d1cbf4e9); before, tags are looked for."""
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
    def anybody_makes_tokens_for_others(self) -> bool:
        """The hole: any account gets a token of any other one, also of an admin (InvenTree 9c0cb3410)."""
        return self.makes_tokens and self.api < 472  # noqa: PLR2004

    @property
    def anybody_becomes_staff(self) -> bool:
        """The hole: any account may make itself staff through `user/me/` (InvenTree 76b5cfcca)."""
        return self.edits_rule_sets and self.api < 472  # noqa: PLR2004

    @property
    def edits_rule_sets(self) -> bool:
        """Whether rule sets and users' groups can be changed over REST, which then takes staff."""
        return self.api >= 335  # noqa: PLR2004

    @property
    def anybody_edits_users(self) -> bool:
        """The hole: any account changes any user and any group."""
        return not self.edits_rule_sets

    @property
    def keeps_rights_safe(self) -> bool:
        """Whether only admins can give permissions; otherwise a friend had better get no account."""
        return not (self.anybody_edits_users or self.anybody_becomes_staff)

    @property
    def sets_passwords(self) -> bool:
        """Whether `user/N/set-password/` exists."""
        return self.api >= 351  # noqa: PLR2004

    @property
    def makes_users(self) -> bool:
        """Whether `POST user/` can make an account at all."""
        return self.api >= _V017

    def user_refusal(self, *, superuser: bool) -> JsonObject:
        """What is said where no user can be made."""
        if superuser:
            return {"username": ["This field cannot be blank."]}
        return {"non_field_errors": ["Only superusers can create new users"]}

    @property
    def tells_roles_with_user(self) -> bool:
        """Whether `user/me/?roles=true` tells the roles too."""
        return self.api >= 519  # noqa: PLR2004

    @property
    def tells_permissions_of_new_groups(self) -> bool:
        """Whether the reply to a new group tells what it may do."""
        return self.api >= _NEWEST

    @property
    def new_groups_may_look(self) -> bool:
        """Whether a new group may look at everything."""
        return self.api < _V017

    def roles(self, every: dict[str, str]) -> dict[str, str]:
        """Those of the roles that there are, with their labels."""
        return {name: label for name, label in every.items() if _ROLES.get(name, Span()).holds(self.api)}

    def role_models(self, role: str, models: tuple[str, ...]) -> list[str]:
        """Those of a role's database models that there are."""
        return [name for name in models if _ROLE_MODELS.get((role, name), Span()).holds(self.api)]

    # --- metadata, attachments, barcodes, search -------------------------------------------------------------

    @property
    def metadata_apart(self) -> bool:
        """Whether metadata has an address of its own, `metadata/<model>/<pk>/`; the old ones only point to it."""
        return self.api >= 436  # noqa: PLR2004

    @property
    def metadata_in_rows(self) -> bool:
        """Whether metadata is read and written below its row, `stock/N/metadata/`."""
        return not self.metadata_apart

    @property
    def metadata_read(self) -> str:
        """The permission that reading metadata takes."""
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
        """Whether a result is told with its test's template; before, with the test's name."""
        return self.api >= _V017

    @property
    def makes_tests_by_name(self) -> bool:
        """Whether a result of an unknown test makes that test."""
        return self.api < _V10

    @property
    def installed_items_stay_in_place(self) -> bool:
        """Whether what is installed still has the place where it lay."""
        return self.api < _V017

    @property
    def counts_all_items_below(self) -> bool:
        """Whether `child_items` counts what was split off from what was split off, too."""
        return self.api < _V10

    @property
    def longest_comment(self) -> int:
        """The length of an attachment's comment."""
        return 250 if self.attaches_to_any_model else 100

    @property
    def barcode_needs_role(self) -> bool:
        """Whether only who may look at a row can find it by its barcode."""
        return self.api >= _NEWEST

    def web_address(self, kind: str, pk: int) -> str:
        """The page of a row, as a barcode's reply tells it."""
        return f"/web/{kind}/{pk}" if self.api >= _V10 else f"/{kind}/{pk}/"

    @property
    def has_transfer_orders(self) -> bool:
        """Whether there are transfer orders."""
        return self.api >= 492  # noqa: PLR2004

    # --- stock -----------------------------------------------------------------------------------------------

    @property
    def locks_rows(self) -> bool:
        """Whether a stock action locks the row, so that two at the same moment add up (InvenTree fcc68ee69)."""
        return self.api >= 522  # noqa: PLR2004

    @property
    def searches_history(self) -> bool:
        """Whether `stock/track/?search=` works; before, it ends in an error 500."""
        return self.api >= 320  # noqa: PLR2004

    @property
    def dates_items(self) -> bool:
        """Whether a stock item tells when it was made, and a list can go by that; before, it is ignored in silence."""
        return self.api >= 496  # noqa: PLR2004

    @property
    def filters_history(self) -> bool:
        """Whether the history can be asked for a part or for days; before, that is ignored in silence."""
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
        """Whether `serial` gives a new item its number; later it is ignored, and `serial_numbers` does it."""
        return self.api < 356  # noqa: PLR2004

    @property
    def answers_list_to_create(self) -> bool:
        """Whether `POST stock/` answers with a list of rows; before, with a row, or without numbers for serials."""
        return self.api >= 383  # noqa: PLR2004

    @property
    def edits_after_making(self) -> bool:
        """Whether the status of a new item is set after it was made: its history then begins with that."""
        return _V10 <= self.api < _NEWEST

    @property
    def tells_what_is_gone(self) -> bool:
        """Whether the history tells null for a row that isn't there any more."""
        return self.api >= _V017

    @property
    def keeps_custom_key(self) -> bool:
        """Whether editing a status sets the custom key, too, and `stock/change_status/` leaves that as it was."""
        return _V017 <= self.api < _V10

    @property
    def tells_status_of_split(self) -> bool:
        """Whether the history of what was split off tells the status that was asked for, changed or not."""
        return self.api < _NEWEST

    @property
    def tells_moved_status_apart(self) -> bool:
        """Whether a whole item that moves with another status gets one more entry, of type 5, by nobody."""
        return self.api < _V017

    @property
    def saves_numbered_twice(self) -> bool:
        """Whether the status of a new item with a serial number is set before its history tells that it was made."""
        return self.api >= _V10

    @property
    def narrows_details(self) -> bool:
        """Whether a stock item tells its part and place only to who may see those (pull request 12529, at API 530)."""
        return self.api >= _NEWEST

    @property
    def takes_tags_on_create(self) -> bool:
        """Whether `POST stock/` stores `tags`; the newest echoes them, and stores none."""
        return self.api < _NEWEST

    @property
    def always_tells_tags(self) -> bool:
        """Whether a stock item always tells its tags."""
        return self.api < _NEWEST

    @property
    def tags_filter(self) -> str:
        """The query by which stock is found by its tags."""
        return "tags" if self.api >= 434 else "tags__name"  # noqa: PLR2004

    @property
    def filters_by_parent(self) -> bool:
        """Whether `stock/?parent=` finds the children of an item; before, `?ancestor=` does."""
        return self.api >= 521  # noqa: PLR2004

    @property
    def moves_nothing(self) -> bool:
        """Whether moving a quantity of 0 is accepted, and does nothing."""
        return self.api < _V10

    @property
    def moves_available_only(self) -> bool:
        """Whether only what is in an available status (OK, attention, damaged, returned) can be moved."""
        return self.api < _V017

    def leaves_out(self, kind: int, deltas: JsonObject) -> bool:
        """Whether an entry of this kind that would tell nothing isn't written."""
        return self.api >= _V017 and not self.deltas(kind, dict(deltas))

    @property
    def acts_on_handed_over(self) -> bool:
        """Whether what is with a customer can be counted and added to."""
        return self.api < _V017

    @property
    def empty_is_not_here(self) -> bool:
        """Whether an item of which there is nothing is not in stock for the actions."""
        return _V017 <= self.api < _V10

    @property
    def longest_link(self) -> int:
        """How long the link of a row may be."""
        return 2000 if self.api >= 320 else 200  # noqa: PLR2004

    def status_refusal(self, status: str) -> str | None:
        """What is said against making an item with a status that doesn't exist; None: it is ignored."""
        return None if self.api >= _V10 else self.wrong_status(status)

    def wrong_status(self, status: str) -> str:
        """What a stock item's own form says of a status that doesn't exist; the forms of movements name it always."""
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
        """Whether a list of stock of a part that doesn't exist has an error text of its own."""
        return self.api < _V017

    @property
    def numbered_items_stay(self) -> bool:
        """Whether an item with a serial number is never deleted when it is emptied, however it was made."""
        return self.api < _V017

    def taken_serials(self, taken: list[str]) -> list[str]:
        """What is said of serial numbers that are taken."""
        listed = ",".join(taken)
        first = [f"Stock item with this serial number already exists: {each}" for each in taken]
        last = f"The following serial numbers already exist or are invalid : {listed}"
        return [last] if self.api >= _V017 else [*first, last]

    @property
    def counts_numbered(self) -> bool:
        """Whether counting an item with a serial number is written into its history."""
        return self.api >= _NEWEST

    @property
    def history_outlives_items(self) -> bool:
        """Whether the history of a deleted item stays."""
        return self.api >= 450  # noqa: PLR2004

    @property
    def nothing_to_delete(self) -> object:
        """What is said to a bulk delete that names nothing."""
        if self.api >= _NEWEST:
            return "List of items must be provided for bulk operation"
        text = "List of items or filters must be provided for bulk"
        return f"{text} operation" if self.api >= _V10 else [f"{text} deletion"]

    @property
    def merges_in_transfer(self) -> bool:
        """Whether a transfer may merge what it moves into what lies there."""
        return self.api >= 512  # noqa: PLR2004

    @property
    def counts_elsewhere(self) -> bool:
        """Whether a count may name another place."""
        return self.api >= _NEWEST

    @property
    def labels_custom_status(self) -> bool:
        """Whether a custom status shows its own label."""
        return self.api >= _NEWEST

    @property
    def fails_at_one_status(self) -> bool:
        """Whether asking for one class of status codes ends in an error 500."""
        return self.api < _NEWEST

    # --- companies, parts, places, orders --------------------------------------------------------------------

    @property
    def unwritten(self) -> str | None:
        """A text that nobody wrote: empty, and in 0.13 null."""
        return "" if self.api >= _V017 else None

    @property
    def same_company(self) -> str:
        """What is said against a second company of that name and e-mail address."""
        if self.api >= _V10:
            return "The fields name, email must make a unique set."
        return "Company with this Company name and Email already exists."

    @property
    def same_part(self) -> list[str]:
        """What is said against a second part of that name, IPN and revision."""
        if self.api >= _V10:
            return ["The fields name, IPN, revision must make a unique set."]
        return ["Part with this Name, IPN and Revision already exists."] * 2

    @property
    def lists_notes_of_companies(self) -> bool:
        """Whether a list of companies tells their notes."""
        return self.api >= _NEWEST or self.api < _V017

    @property
    def lists_notes_of_parts(self) -> bool:
        """Whether a list of parts tells their notes."""
        return self.api < _V017

    @property
    def lists_notes_of_orders(self) -> bool:
        """Whether an order tells its notes."""
        return self.api < _V017

    @property
    def parts_need_category(self) -> bool:
        """Whether a part needs a category."""
        return self.api < _V017

    @property
    def keeps_notes_of_new_parts(self) -> bool:
        """Whether the notes that a new part is made with are kept."""
        return self.api >= _NEWEST or self.api < _V017

    @property
    def tells_copied_parameters(self) -> bool:
        """Whether lists of parts, and the reply to a new one, tell whether the category's parameters were copied."""
        return self.api < _NEWEST

    @property
    def has_null_icons(self) -> bool:
        """Whether a place without an icon of its own says null."""
        return self.api >= _V10

    @property
    def tells_counts_as_null(self) -> bool:
        """Whether what the database would count is null where it wasn't asked; before, it is left out."""
        return self.api >= _V10

    def order_custom_key(self, status: int) -> int | None:
        """The custom status of an order that has none."""
        return None if self.api >= _NEWEST else status

    def created_at(self, address: str) -> tuple[tuple[str, str], ...]:
        """The header that tells where a new row is, in versions whose rows tell their address."""
        return (("Location", address),) if self.api < _V10 else ()

    # --- shapes ----------------------------------------------------------------------------------------------

    def told(self, kind: str, content: JsonObject) -> JsonObject:
        """`content`, a description of `kind`, without the fields that this version doesn't have."""
        for name in _untold(kind, self.api):
            content.pop(name, None)
        return content

    @property
    def tells_part_of_stock(self) -> bool:
        """Whether a stock item tells its part unless told not to."""
        return self.api >= _V10

    @property
    def item_alone_tells_all(self) -> bool:
        """Whether one stock item tells its part, place and supplier's part, whatever was asked."""
        return self.api < _V017

    def stock_details(self, where: str) -> frozenset[str]:
        """What a stock item tells beside itself: `created`, `numbered`, `changed` in a reply, `brief` inside others."""
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
        """A text of a part, which is null in 0.13 if nobody wrote it."""
        return text or self.unwritten

    def deltas(self, kind: int, deltas: JsonObject) -> JsonObject:
        """What an entry of this kind in a stock item's history tells.

        `deltas` holds what any version tells. Up to 1.0 an entry names the place, and neither the quantity of what
        was moved as a whole, handed over or returned, nor what the status was before.
        """
        if self.api >= _NEWEST:
            left_out = {"location"} if kind in _NAMED_THE_PLACE else set()
        else:
            left_out = {"old_status", "old_status_logical", "status_logical", "old_location"}
            left_out |= {"quantity"} if kind in _WITHOUT_QUANTITY else set()
        return {name: value for name, value in deltas.items() if name not in left_out}

    def codes(self, class_name: str, codes: dict[int, tuple[str, str, str]]) -> dict[int, tuple[str, str, str]]:
        """Those of a class of status codes that there are."""
        spans = _CODES.get(class_name, {})
        return {key: code for key, code in codes.items() if spans.get(key, Span()).holds(self.api)}

    def has_code_class(self, class_name: str) -> bool:
        """Whether there is this class of status codes."""
        return _CODE_CLASSES.get(class_name, Span()).holds(self.api)

    def code_class(self, class_name: str) -> tuple[str, str]:
        """The name of a class of codes in the list of all, and the field that holds it in its description."""
        if self.api >= _V10:
            return class_name, "status_class"
        return {"LabelPrinterStatus": "MachineStatus__LabelPrinterStatus"}.get(class_name, class_name), "class"


#: Entries that named the place up to 1.0 (created, split, split child) and that told no quantity (moved, updated,
#: sent to a customer, returned).
_NAMED_THE_PLACE = frozenset({1, 40, 42})
_WITHOUT_QUANTITY = frozenset({15, 20, 25, 100, 105})

NEWEST = Version.named("newest")
