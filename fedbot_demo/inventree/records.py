"""What the simulated InvenTree remembers: one frozen record a row, with the names that InvenTree's own fields have.

A field that InvenTree has and nobody here can set (pricing, builds, images) is no field of a record: the
representations fill it in with what a fresh server says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from fedbot_demo.inventree.exchange import JsonObject

ZERO = Decimal(0)

#: All roles that any version has, with their labels, in InvenTree's own order.
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
    """An account. `password_hash` empty: no password, so no basic authentication (a service account)."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group of users; what it may do is in its rule sets."""

    pk: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """What one group may do in one role."""

    pk: int
    group: int
    name: str
    can_view: bool = False
    can_add: bool = False
    can_change: bool = False
    can_delete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An API token. Its key is a secret, and therefore in no repr."""

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
    """What kind of thing there is; the things themselves are stock items."""

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
    """A place for stock; places form a tree."""

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
    """Some quantity of one part, in one place or with one customer.

    `status` is the logical status; `status_custom_key` the number of a custom status that stands for it, if any.
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
    """One line of a stock item's history. `item` None: the item was deleted, its history stays."""

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
    """An order of a customer; exists here because stock can be allocated to one."""

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
    """A quantity of a stock item that a sales order has a claim to."""

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
    """A status with a name of one's own that stands for a logical one."""

    pk: int
    key: int
    name: str
    label: str
    color: str
    logical_key: int
    reference_status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A link or a file (its name, length and content) with a comment, attached to a row of some model."""

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
    """What parameters of parts may be called, and their unit."""

    pk: int
    name: str
    units: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BomLine:
    """What belongs into a part, so that it can be installed in its stock."""

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
    """A test that a part's stock items go through."""

    pk: int
    part: int
    test_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """What a test of a stock item found."""

    pk: int
    stock_item: int
    template: int
    result: bool
    value: str = ""
    notes: str = ""
    date: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The free JSON of one row. InvenTree keeps it in the row; here it lies apart, as any model may have it."""

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
