"""The rows of the simulated InvenTree: a frozen record for each, with InvenTree's own field names.

Fields that nothing here can set (pricing, builds, images) are not in the records. The representations fill them in with
the values of a fresh server.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from fedbot_demo.inventree.exchange import JsonObject

ZERO = Decimal(0)

#: The roles of all versions, with their labels, in InvenTree's order.
ROLES = {
    "admin": "Admin",
    "part_category": "Part Categories",
    "part": "Parts",
    "stocktake": "Stocktake",
    "bom": "Bills of Material",
    "stock_location": "Stock Locations",
    "stock": "Stock Items",
    "build": "Build Orders",
    "purchase_order": "Purchase Orders",
    "sales_order": "Sales Orders",
    "return_order": "Return Orders",
    "transfer_order": "Transfer Orders",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account. An empty `password_hash` allows no basic authentication (a service account).

    `second_factor` is the code that the person's app shows; empty for an account without one.
    """

    pk: int
    username: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    is_staff: bool = False
    is_superuser: bool = False
    is_active: bool = True
    groups: tuple[int, ...] = ()
    password_hash: str = field(default="", repr=False)
    second_factor: str = field(default="", repr=False)
    factor_types: tuple[str, ...] = ("recovery_codes", "totp")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A browser's session. `waits`: until its person has shown the second factor."""

    user: int
    waits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group of users; its rule sets hold its permissions."""

    pk: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """The permissions of one group in one role."""

    pk: int
    group: int
    name: str
    can_view: bool = False
    can_add: bool = False
    can_change: bool = False
    can_delete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An API token. Its key is secret and stays out of the repr."""

    pk: int
    user: int
    name: str
    key: str = field(repr=False)
    created: datetime
    expiry: date
    last_seen: date | None = None
    revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A part category; categories form a tree."""

    pk: int
    name: str
    description: str = ""
    parent: int | None = None
    default_keywords: str | None = None
    default_location: int | None = None
    structural: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A kind of thing; the things themselves are stock items."""

    pk: int
    name: str
    description: str = ""
    IPN: str = ""
    revision: str = ""
    category: int | None = None
    keywords: str | None = None
    link: str | None = None
    notes: str | None = None
    units: str = ""
    minimum_stock: Decimal = ZERO
    maximum_stock: Decimal = ZERO
    default_location: int | None = None
    variant_of: int | None = None
    active: bool = True
    assembly: bool = False
    component: bool = True
    consumable: bool = False
    is_template: bool = False
    locked: bool = False
    purchaseable: bool = True
    salable: bool = False
    testable: bool = False
    trackable: bool = False
    virtual: bool = False
    creation_date: date
    creation_user: int | None = None
    pricing_updated: datetime | None = None
    barcode_hash: str = ""
    tags: tuple[str, ...] = ()
    image: str = ""
    picture: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A location for stock; locations form a tree."""

    pk: int
    name: str
    description: str = ""
    parent: int | None = None
    structural: bool = False
    external: bool = False
    custom_icon: str | None = None
    barcode_hash: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StockItem:
    """A quantity of one part, in one location or with one customer.

    `status` is the logical status; `status_custom_key` is the number of its custom status, if it has one.
    """

    pk: int
    part: int
    quantity: Decimal
    serial: str | None = None
    batch: str = ""
    location: int | None = None
    customer: int | None = None
    parent: int | None = None
    sales_order: int | None = None
    belongs_to: int | None = None
    status: int = 10
    status_custom_key: int | None = None
    link: str = ""
    notes: str | None = None
    packaging: str | None = None
    delete_on_deplete: bool = True
    expiry_date: date | None = None
    purchase_price: Decimal | None = None
    purchase_price_currency: str = "USD"
    creation_date: datetime
    updated: datetime
    stocktake_date: date | None = None
    stocktake_user: int | None = None
    barcode_hash: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingEntry:
    """One entry of a stock item's history. `item` is None after the item was deleted; its history stays."""

    pk: int
    item: int | None
    part: int | None
    date: datetime
    tracking_type: int
    notes: str
    user: int | None
    deltas: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A customer, a supplier or a manufacturer, or several of these."""

    pk: int
    name: str
    description: str = ""
    website: str = ""
    phone: str = ""
    email: str | None = ""
    currency: str = "USD"
    contact: str = ""
    link: str = ""
    notes: str | None = None
    tax_id: str = ""
    active: bool = True
    is_customer: bool = False
    is_manufacturer: bool = False
    is_supplier: bool = True
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesOrder:
    """A customer's order, needed because stock can be allocated to one."""

    pk: int
    reference: str
    customer: int | None
    description: str = ""
    status: int = 10
    creation_date: date
    issue_date: date | None = None
    created_by: int | None = None
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """A quantity of a stock item that is allocated to a sales order."""

    pk: int
    sales_order: int
    item: int
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnOrder:
    """An order to take goods back from a customer."""

    pk: int
    reference: str
    customer: int | None
    description: str = ""
    status: int = 10
    creation_date: date
    created_by: int | None = None
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomStatus:
    """A status with a custom name that stands for a logical one."""

    pk: int
    key: int
    name: str
    label: str
    color: str
    logical_key: int
    reference_status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomUnit:
    """A unit that the server's admins have defined."""

    pk: int
    name: str
    symbol: str = ""
    definition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A link or a file (its name, length and content) with a comment, attached to a row of any model."""

    pk: int
    model_type: str
    model_id: int
    link: str
    comment: str
    upload_date: date
    upload_user: int | None
    filename: str | None = None
    file_size: int = 0
    content: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterTemplate:
    """The name and unit of a parameter."""

    pk: int
    name: str
    units: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BomLine:
    """A component of a part, which can then be installed in the part's stock items."""

    pk: int
    part: int
    sub_part: int
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A part's value for a template."""

    pk: int
    template: int
    part: int
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestTemplate:
    """A test for a part's stock items."""

    pk: int
    part: int
    test_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """The result of a test of a stock item."""

    pk: int
    stock_item: int
    template: int
    result: bool
    value: str = ""
    notes: str = ""
    date: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The free JSON of one row. InvenTree stores it in the row; here it is separate because most models can have it."""

    pk: int
    model: str
    row: int
    content: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A global setting."""

    pk: int
    key: str
    value: str
    name: str
    description: str
