"""The suite's own data on a server: locations, parts and people, created for one run and deleted after it."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import subprocess
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from fedbot.inventree.client.server import InventorySettings
from fedbot.inventree.client.transport import InvenTreeTransport
from fedbot.inventree.client.versions import NEWEST_KNOWN, Version
from fedbot.inventree.inventory import OwnInventory
from fedbot_demo.inventree import seeds, versions
from fedbot_demo.inventree.seeding import make_account
from fedbot_demo.inventree.transport import SimulatedTransport
from tests.fakes.vault import FakeVault

# The roles that the bot's own user needs.
SERVICE_ROLES = {
    "stock": ("view", "change", "add"),
    "return_order": ("view", "change", "add"),
    "part": ("view", "change", "add"),
    "part_category": ("view",),
    "stock_location": ("view",),
}
READER_ROLES: dict[str, tuple[str, ...]] = dict.fromkeys(
    ("stock", "part", "part_category", "stock_location"), ("view",)
)
ACTIONS = ("view", "add", "change", "delete")

# Creates an account of that name with these roles on the server itself, and returns its token.
MakeAccount = Callable[[str, Mapping[str, tuple[str, ...]]], str]


class Ground:
    """All names contain `run`, so nothing else is touched and leftovers can be recognised.

    `admin` is a superuser, `service` has the bot's roles, `reader` those of a peer, `nobody` none. Where accounts can't
    be created over REST (below API 335), `make_account` creates them on the server itself.
    """

    def __init__(
        self, url: str, token: str, network: httpx.BaseTransport | None, make_account: MakeAccount | None = None
    ) -> None:
        self.url = url
        self.network = network
        self._make_account = make_account
        self.run = f"fbct-{secrets.token_hex(4)}"
        self.token = token
        self.admin = self.transport(token)
        self.admin.connect()
        self.version = Version(self.admin.api_version)
        self.usernames: dict[str, str] = {}
        self.users: dict[str, int] = {}
        self.root = self._make("stock/location/", name=self.run)
        self.outgoing = self._make("stock/location/", name="Outgoing", parent=self.root)
        self.incoming = self._make("stock/location/", name="Incoming", parent=self.root)
        self.drawer = self._make("stock/location/", name="Drawer", parent=self.root)
        self.shelf = self._make("stock/location/", name="Shelf", parent=self.root)
        self.category = self._make("part/category/", name=self.run)
        self.bolt = self.part("Bolt", "BOLT")
        self.lens = self.part("Lens", "LENS", trackable=True)
        self.vice = self.part("Vice", "VICE", salable=False)
        self.licence = self.part("Licence", "LICENCE", virtual=True)
        self.customer = self.company("peer")
        self.service_token = self.account("service", SERVICE_ROLES)
        self.service = self.transport(self.service_token)
        self.reader_token = self.account("reader", READER_ROLES)
        self.reader = self.transport(self.reader_token)
        self.nobody_token = self.account("nobody", {})
        self.nobody = self.transport(self.nobody_token)
        for transport in (self.service, self.reader, self.nobody):
            transport.api_version = self.admin.api_version

    # --- creating ------------------------------------------------------------------------------------------

    def transport(self, token: str) -> InvenTreeTransport:
        """A connection with that token."""
        return InvenTreeTransport(self.url, token, transport=self.network, timeout=60)

    def inventory(self, *, superuser: bool = True) -> OwnInventory:
        """Our edge, as a bot would use it here."""
        settings = self.settings(superuser=superuser)
        return OwnInventory(settings, FakeVault(), network=lambda _: self.network)

    def settings(self, *, superuser: bool = True) -> InventorySettings:
        """A bot's settings for this server and this data."""
        return InventorySettings(
            url=self.url,
            token=SecretStr(self.service_token),
            admin_token=SecretStr(self.token) if superuser else None,
            approvers_group=self.usernames["service"],
            pinned_approvers=() if self.version.permissions_are_safe else (self.usernames["service"],),
            outgoing=f"{self.run}/Outgoing",
            incoming=f"{self.run}/Incoming",
            destination=f"{self.run}/Shelf",
            new_parts=True,
            new_part_category=self.run,
            timeout=60,
        )

    def part(self, name: str, ipn: str, **fields: object) -> int:
        """Create a part, salable by default."""
        content = {"name": f"{self.run} {name}", "IPN": f"{self.run}-{ipn}", "category": self.category}
        return self._make("part/", **{**content, "salable": True, "description": name, **fields})

    def company(self, name: str, **fields: object) -> int:
        """Create a customer."""
        content = {"name": f"{self.run} {name}", "is_customer": True, "is_supplier": False}
        return self._make("company/", **{**content, **fields})

    def stock(self, part: int, quantity: object, location: int, serial: str = "", **fields: object) -> int:
        """Create a stock item."""
        numbered = self.version.serial_field(serial) if serial else {}
        content = {"part": part, "quantity": quantity, "location": location, **numbered, **fields}
        row = self.version.created(self.admin.post("stock/", content))
        if row is None:  # older versions don't return the key of a serialised item
            (row,) = self.admin.rows("stock/", part=part, serial=serial)
        return int(row["pk"])

    def _make(self, url: str, **fields: object) -> int:
        return int(self.admin.post(url, fields)["pk"])

    def account(self, name: str, roles: Mapping[str, tuple[str, ...]]) -> str:
        """Create a user with these roles in a group of its own name; return its token."""
        self.usernames[name] = f"{self.run}-{name}"
        if self._make_account is None or self.version.makes_users:
            return self._user(name, roles)
        token = self._make_account(self.usernames[name], roles)
        self.users[name] = self.transport(token).row("user/me/")["pk"]
        return token

    def _user(self, name: str, roles: Mapping[str, tuple[str, ...]]) -> str:
        """Create a user with these roles through a group of its own; return its token."""
        content = {"username": f"{self.run}-{name}", "first_name": "", "last_name": self.run, "email": ""}
        user = self._make("user/", **content)
        group = self._make("user/group/", name=f"{self.run}-{name}")
        self.users[name] = user
        for rule in self.admin.rows("user/ruleset/", group=group):
            allowed = roles.get(rule["name"], ())
            if rule["group"] == group and allowed:
                permissions = {f"can_{action}": action in allowed for action in ACTIONS}
                self.admin.patch(f"user/ruleset/{rule['pk']}/", permissions)
        self.admin.patch(f"user/{user}/", {"group_ids": [group]})
        return self.mint(user, name)

    def mint(self, user: int, name: str) -> str:
        """Create a token for a user as the superuser."""
        content = {"user": user, "name": f"{self.run}-{name}", "expiry": "2099-01-01"}
        return str(self.admin.post("user/tokens/", content)["token"])

    # --- reading -------------------------------------------------------------------------------------------

    def item(self, pk: int) -> dict[str, Any]:
        """A stock item as it is now."""
        return self.admin.row(f"stock/{pk}/")

    def metadata_url(self, model: str, pk: int) -> str:
        """The address of a record's metadata on this version."""
        return self.version.metadata_url(model, pk)

    def roles(self, transport: InvenTreeTransport) -> dict[str, list[str] | None]:
        """The permissions of a token's user by role."""
        if self.version.tells_roles_with_user:
            return dict(transport.row("user/me/", roles="true")["roles"])
        return dict(transport.row("user/roles/")["roles"])

    def history(self, pk: int) -> list[dict[str, Any]]:
        """Its history, newest first."""
        return sorted(self.admin.rows("stock/track/", item=pk), key=lambda row: int(row["pk"]), reverse=True)

    def child_of(self, pk: int) -> int:
        """The item split off most recently from an item."""
        entry = next(entry for entry in self.history(pk) if entry["tracking_type"] == 42)
        return int(entry["deltas"]["stockitem"])

    def transfer(self, pk: int, quantity: object, location: int, notes: str = "", **line: object) -> object:
        """`stock/transfer/` as the bot's user."""
        content = {"items": [{"pk": pk, "quantity": quantity, **line}], "location": location, "notes": notes}
        return self.service.post("stock/transfer/", content)

    def assign(self, pk: int, notes: str = "", customer: int | None = None) -> object:
        """`stock/assign/` as the bot's user."""
        content = {"items": [{"item": pk}], "customer": customer or self.customer, "notes": notes}
        return self.service.post("stock/assign/", content)

    # --- cleaning up ---------------------------------------------------------------------------------------

    def clear(self) -> None:
        """Delete everything of this run: stock first, then locations from the leaves up."""
        for part in self._ours("part/", "name"):
            for row in sorted(self.admin.rows("stock/", part=part["pk"]), key=lambda row: -int(row["pk"])):
                if row["part"] == part["pk"]:
                    self.admin.delete(f"stock/{row['pk']}/")
            self.admin.patch(f"part/{part['pk']}/", {"active": False})
            self.admin.delete(f"part/{part['pk']}/")
        keeping = {"delete_parts": False, "delete_child_categories": False}
        for row in sorted(self._ours("part/category/", "name"), key=lambda row: -int(row["level"])):
            self.admin.delete(f"part/category/{row['pk']}/", data=keeping)
        for url, name in (("company/", "name"), ("user/", "username"), ("user/group/", "name")):
            for row in self._ours(url, name):
                self.admin.delete(f"{url}{row['pk']}/")
        keeping = {"delete_stock_items": False, "delete_sub_locations": False}
        for row in sorted(self._ours("stock/location/", "pathstring"), key=lambda row: -int(row["level"])):
            self.admin.delete(f"stock/location/{row['pk']}/", data=keeping)

    def leftovers(self) -> list[str]:
        """The rows of this run that are still there."""
        kinds = (
            ("stock/location/", "pathstring"),
            ("part/category/", "name"),
            ("part/", "name"),
            ("company/", "name"),
            ("user/", "username"),
            ("user/group/", "name"),
        )
        return [f"{url} {row[name]}" for url, name in kinds for row in self._ours(url, name)]

    def _ours(self, url: str, name: str) -> list[dict[str, Any]]:
        return [row for row in self.admin.rows(url) if self.run in str(row[name])]


def is_about(marks: Iterable[pytest.Mark], api: int) -> bool:
    """Whether a test with these marks is about a server with that API number (`api(since=…, until=…)`)."""
    return all(
        mark.kwargs.get("since", 0) <= api <= mark.kwargs.get("until", NEWEST_KNOWN)
        for mark in marks
        if mark.name == "api"
    )


def simulated(version: versions.Version) -> Ground:
    """Test data on a simulated server of that version."""
    seeded = seeds.alpha(version=version)

    def make(username: str, roles: Mapping[str, tuple[str, ...]]) -> str:
        allowed = {role: " ".join(actions) for role, actions in roles.items()}
        return make_account(seeded.server.state, username, allowed)

    return Ground("http://inventree.example", seeded.token("admin"), SimulatedTransport(seeded.server), make)


def made_by_command() -> MakeAccount | None:
    """The command in the environment that creates accounts on a live server, if there is one."""
    command = shlex.split(os.environ.get("FEDBOT_LIVE_MAKE_ACCOUNT", ""))

    def make(username: str, roles: Mapping[str, tuple[str, ...]]) -> str:
        ran = subprocess.run([*command, username, json.dumps(roles)], check=True, capture_output=True, text=True)
        return ran.stdout.strip().splitlines()[-1]

    return make if command else None
