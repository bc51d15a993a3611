"""Fill an empty server: the helpers for seeds, and their result."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from fedbot_demo.inventree.access import hash_password
from fedbot_demo.inventree.core import SimulatedInvenTree
from fedbot_demo.inventree.records import (
    Allocation,
    Category,
    Company,
    Group,
    Location,
    Part,
    SalesOrder,
    Setting,
    StockItem,
    User,
)
from fedbot_demo.inventree.server_info import CURRENCY, INSTANCE
from fedbot_demo.inventree.state import Clock, State, system_clock
from fedbot_demo.inventree.statuses import CREATED, SALES_ORDER_IN_PROGRESS
from fedbot_demo.inventree.stock_rows import place_of, write_history
from fedbot_demo.inventree.tokens import issue_token
from fedbot_demo.inventree.users import add_group, widened
from fedbot_demo.inventree.versions import NEWEST, Version


@dataclass(slots=True)
class Seeded:
    """A filled server with its logins. Passwords and tokens are random and stay out of the repr."""

    server: SimulatedInvenTree
    passwords: dict[str, str] = field(default_factory=dict, repr=False)
    tokens: dict[str, str] = field(default_factory=dict, repr=False)

    def token(self, username: str) -> str:
        """The API token of this account, created on first use."""
        if username not in self.tokens:
            with self.server.lock:
                user = self.server.state.users.find("username", username)[0]
                self.tokens[username] = issue_token(self.server.state, user, "seed").key
        return self.tokens[username]


def make_group(state: State, name: str, roles: Mapping[str, str], *, exactly: bool = False) -> Group:
    """Create a group; `roles` maps a role to its actions: {"stock": "view add"}. `exactly`: no default permissions."""
    group = add_group(state, name)
    for rule in state.rule_sets.find("group", group.pk):
        allowed: dict[str, Any] = {f"can_{action}": True for action in roles.get(rule.name, "").split()}
        if exactly:
            allowed.setdefault("can_view", False)
        state.rule_sets.put(widened(replace(rule, **allowed)))
    return group


def make_account(state: State, name: str, roles: Mapping[str, str]) -> str:
    """Create a user in a group of its own with exactly these roles, as an admin does; return its token."""
    group = make_group(state, name, roles, exactly=True)
    user = User(pk=state.users.next_pk, username=name, groups=(group.pk,))
    return issue_token(state, state.users.put(user), name).key


class Seeder:
    """Writes rows directly into an empty server, as its admin (the first account)."""

    def __init__(self, name: str, clock: Clock = system_clock, version: Version = NEWEST) -> None:
        self.state = State(clock=clock, version=version)
        instance, currency = version.setting_numbers
        self.seeded = Seeded(SimulatedInvenTree(self.state))
        for pk, key, value, label, description in (
            (instance, INSTANCE, name, "Server Instance Name", "String descriptor for the server instance"),
            (currency, CURRENCY, "USD", "Default Currency", "Select base currency for pricing calculations"),
        ):
            self.state.settings.put(Setting(pk=pk, key=key, value=value, name=label, description=description))
        self.admin = self.user("admin", is_staff=True, is_superuser=True)

    @classmethod
    def into(cls, seeded: Seeded) -> Seeder:
        """A seeder for a server that has content."""
        seeder = cls.__new__(cls)
        seeder.state, seeder.seeded = seeded.server.state, seeded
        seeder.admin = next(iter(seeder.state.users))
        return seeder

    def finished(self) -> Seeded:
        """The server, with all changes committed."""
        for table in self.state.tables().values():
            table.begin()
        return self.seeded

    def group(self, name: str, **roles: str) -> Group:
        """Create a group; `roles` maps a role to its actions: stock='view add'."""
        return make_group(self.state, name, roles)

    def user(self, username: str, *groups: Group, password: bool = True, **fields: Any) -> User:  # noqa: ANN401
        """Create an account with a random password; `fields` are those of the record."""
        if password:
            self.seeded.passwords[username] = secrets.token_urlsafe(12)
        return self.state.users.put(
            User(
                pk=self.state.users.next_pk,
                username=username,
                email=fields.pop("email", f"{username}@example.org"),
                groups=tuple(group.pk for group in groups),
                password_hash=hash_password(self.seeded.passwords[username]) if password else "",
                **fields,
            )
        )

    def category(self, name: str, description: str = "", parent: Category | None = None) -> Category:
        """Create a part category."""
        return self.state.categories.put(
            Category(
                pk=self.state.categories.next_pk,
                name=name,
                description=description,
                parent=None if parent is None else parent.pk,
            )
        )

    def location(self, name: str, parent: Location | None = None, description: str = "") -> Location:
        """Create a location."""
        return self.state.locations.put(
            Location(
                pk=self.state.locations.next_pk,
                name=name,
                description=description,
                parent=None if parent is None else parent.pk,
            )
        )

    def part(self, name: str, ipn: str = "", *, category: Category, **fields: Any) -> Part:  # noqa: ANN401
        """Create a part, salable by default; `fields` are those of the record."""
        return self.state.parts.put(
            Part(
                pk=self.state.parts.next_pk,
                name=name,
                IPN=ipn,
                category=category.pk,
                description=fields.pop("description", name),
                salable=fields.pop("salable", True),
                creation_date=self.state.today,
                creation_user=self.admin.pk,
                **_as_decimals(fields, "minimum_stock", "maximum_stock"),
            )
        )

    def stock(
        self,
        part: Part,
        quantity: str | int = 1,
        location: Location | None = None,
        *,
        pk: int = 0,
        **fields: Any,  # noqa: ANN401
    ) -> StockItem:
        """Create a stock item with the first entry of its history; `fields` are those of the record."""
        if fields.get("serial") and self.state.version.numbered_items_stay:
            fields["delete_on_deplete"] = False
        item = self.state.stock.put(
            StockItem(
                pk=pk or self.state.stock.next_pk,
                part=part.pk,
                quantity=Decimal(quantity),
                location=None if location is None else location.pk,
                creation_date=self.state.now,
                updated=self.state.now,
                **_as_decimals(fields, "purchase_price"),
            )
        )
        deltas = {"status": item.status, "quantity": float(item.quantity)} | place_of(item)
        write_history(self.state, item, CREATED, self.admin, deltas, part=part.pk)
        return item

    def company(self, name: str, description: str, **fields: Any) -> Company:  # noqa: ANN401
        """Create a company; `fields` are those of the record."""
        every = {"email": self.state.version.unwritten} | fields
        return self.state.companies.put(
            Company(pk=self.state.companies.next_pk, name=name, description=description, **every)
        )

    def sold(self, item: StockItem, quantity: int, customer: Company, description: str) -> SalesOrder:
        """Create an open sales order to which `quantity` of the item is allocated."""
        pk = self.state.sales_orders.next_pk
        order = self.state.sales_orders.put(
            SalesOrder(
                pk=pk,
                reference=f"SO-{pk:04}",
                customer=customer.pk,
                description=description,
                status=SALES_ORDER_IN_PROGRESS,
                creation_date=self.state.today,
                issue_date=self.state.today,
                created_by=self.admin.pk,
                updated_at=self.state.now,
            )
        )
        claim = Allocation(pk=self.state.allocations.next_pk, sales_order=pk, item=item.pk, quantity=Decimal(quantity))
        self.state.allocations.put(claim)
        return order


def _as_decimals(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return fields | {name: Decimal(fields[name]) for name in names if name in fields}
