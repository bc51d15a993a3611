"""The whole state of a simulated InvenTree: tables, clock and transactions."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from typing import Any, TypeAlias

from fedbot_demo.inventree.exchange import JsonObject
from fedbot_demo.inventree.records import (
    ROLES,
    Allocation,
    Attachment,
    BomLine,
    Category,
    Company,
    CustomStatus,
    CustomUnit,
    Group,
    Location,
    Metadata,
    Parameter,
    ParameterTemplate,
    Part,
    ReturnOrder,
    RuleSet,
    SalesOrder,
    Setting,
    SignedIn,
    StockItem,
    TestResult,
    TestTemplate,
    Token,
    TrackingEntry,
    User,
)
from fedbot_demo.inventree.table import Table
from fedbot_demo.inventree.versions import NEWEST, Version

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


#: The rows of each table, and its next row number.
Copy: TypeAlias = dict[str, tuple[list[Any], int]]


@dataclass(slots=True)
class State:
    """The tables of one server. `clock` returns an aware datetime; `new_secret` the random middle of a token."""

    clock: Clock = system_clock
    version: Version = NEWEST
    new_secret: Callable[[], str] = lambda: secrets.token_hex(20)
    users: Table[User] = field(default_factory=lambda: Table("username"))
    groups: Table[Group] = field(default_factory=lambda: Table("name"))
    rule_sets: Table[RuleSet] = field(default_factory=lambda: Table("group"))
    tokens: Table[Token] = field(default_factory=lambda: Table("key", "user"))
    categories: Table[Category] = field(default_factory=lambda: Table("parent"))
    parts: Table[Part] = field(default_factory=lambda: Table("category", "variant_of"))
    locations: Table[Location] = field(default_factory=lambda: Table("parent"))
    stock: Table[StockItem] = field(
        default_factory=lambda: Table("part", "location", "customer", "parent", "belongs_to")
    )
    tracking: Table[TrackingEntry] = field(default_factory=lambda: Table("item"))
    companies: Table[Company] = field(default_factory=lambda: Table("name"))
    sales_orders: Table[SalesOrder] = field(default_factory=lambda: Table("customer"))
    allocations: Table[Allocation] = field(default_factory=lambda: Table("item"))
    return_orders: Table[ReturnOrder] = field(default_factory=lambda: Table("customer"))
    custom_statuses: Table[CustomStatus] = field(default_factory=Table)
    custom_units: Table[CustomUnit] = field(default_factory=Table)
    attachments: Table[Attachment] = field(default_factory=lambda: Table("model_id"))
    bom: Table[BomLine] = field(default_factory=lambda: Table("part"))
    parameter_templates: Table[ParameterTemplate] = field(default_factory=Table)
    parameters: Table[Parameter] = field(default_factory=lambda: Table("part"))
    test_templates: Table[TestTemplate] = field(default_factory=lambda: Table("part"))
    test_results: Table[TestResult] = field(default_factory=lambda: Table("stock_item"))
    metadata: Table[Metadata] = field(default_factory=lambda: Table("row"))
    settings: Table[Setting] = field(default_factory=lambda: Table("key"))
    #: The custom statuses that the stock forms accept: those of the last start (facts: 'Custom status').
    custom_statuses_at_start: frozenset[int] = frozenset()

    #: The sessions of browsers, by their cookie; a restart ends them.
    sessions: dict[str, SignedIn] = field(default_factory=dict)

    #: The rows of the newest long list, by query and table versions, because its pages are requested one by one.
    listed: dict[object, list[Any]] = field(default_factory=dict)

    #: Called once between a stock action's read and its write; tests add entries.
    meanwhile: list[Callable[[], None]] = field(default_factory=list)

    def listed_as(self, asked: object, find: Callable[[], list[Any]]) -> list[Any]:
        """Return the rows of a list, cached while nothing changes: clients read a large server's list page by page."""
        key = (asked, tuple(table.changes for table in self.tables().values()))
        if key not in self.listed:
            rows = find()
            self.listed.clear()
            self.listed[key] = rows
        return self.listed[key]

    def let_others_act(self) -> None:
        """Let others act now: after this request has read its rows, before it writes them."""
        others, self.meanwhile = self.meanwhile, []
        for act in others:
            act()

    def as_written(self, row: StockItem) -> StockItem:
        """The row that an action starts from: the current one if the version locks rows, else the one it read."""
        return self.stock[row.pk] if self.version.locks_rows else row

    def tables(self) -> dict[str, Table[Any]]:
        """All tables by name."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Table)}

    def copy(self) -> Copy:
        """A copy of the database, as an admin makes for a backup."""
        return {name: (list(table), table.next_pk) for name, table in self.tables().items()}

    def put_back(self, copy: Copy) -> None:
        """Restore that copy. Later changes are gone, and their row numbers are used again."""
        for name, table in self.tables().items():
            table.load(*copy[name])

    def upgrade(self, version: Version) -> None:
        """Upgrade to another version with the same rows; each group gets the new rule sets."""
        self.version = version
        for group in self.groups:
            had = {rule.name for rule in self.rule_sets.find("group", group.pk)}
            for role in version.roles(ROLES):
                if role not in had:
                    self.rule_sets.put(RuleSet(pk=self.rule_sets.next_pk, group=group.pk, name=role))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: an exception undoes every change since the start."""
        tables = list(self.tables().values())
        for table in tables:
            table.begin()
        try:
            yield
        except BaseException:
            for table in tables:
                table.roll_back()
            raise

    @property
    def now(self) -> datetime:
        """The clock's time."""
        return self.clock()

    @property
    def today(self) -> date:
        """The clock's day."""
        return self.clock().date()

    def setting(self, key: str) -> str:
        """The value of a global setting; empty if there is none."""
        return next((row.value for row in self.settings.find("key", key)), "")

    def metadata_of(self, model: str, row: int) -> Metadata | None:
        """The metadata of this row, or None if it never had any."""
        return next((each for each in self.metadata.find("row", row) if each.model == model), None)

    def write_metadata(self, model: str, row: int, content: JsonObject) -> None:
        """Replace the metadata of this row by `content`."""
        old = self.metadata_of(model, row)
        if old is None:
            self.metadata.put(Metadata(pk=self.metadata.next_pk, model=model, row=row, content=content))
        else:
            self.metadata.put(replace(old, content=content))

    def forget(self, model: str, row: int) -> None:
        """Delete the metadata and attachments of a deleted row."""
        old = self.metadata_of(model, row)
        if old is not None:
            self.metadata.remove(old.pk)
        for attachment in self.attachments.find("model_id", row):
            if attachment.model_type == model:
                self.attachments.remove(attachment.pk)
