"""Our own InvenTree at the last look: settings, version, our account, its places, and histories read before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from fedbot.inventree.client.rows import Row
from fedbot.inventree.client.transport import InvenTreeTransport
from fedbot.inventree.client.versions import Version
from fedbot.inventree.stock_index import StockReading, StockSource
from fedbot.inventree.units import OwnUnits, as_told, own_units
from fedbot.messages.diagnosis import english
from fedbot.ports.inventory import NotPermitted, Refusal
from fedbot.ports.vault import NoSuchSecret, Vault
from fedbot.rules.model.diagnosis import BadPlace, Fault, Named, NameFault, PlaceFault, Plain
from fedbot.rules.model.stock import PartSeen, counts_pieces


@dataclass(frozen=True)
class InventorySettings:
    """Settings of one party's own InvenTree; `edge_settings` derives them from the configuration.

    `outgoing`, `incoming`, `destination` are stock locations by path (`Workshop/Outgoing`), by unique name, or by key
    (`"12"`). `destination` is for received items whose part and category have no default place; if empty, those stay in
    Incoming. `new_parts`: whether the bot may create a missing part; `new_part_category` (path, name or key) is its
    category; empty: no category. `approvers_group` empty: the role stock: add makes an approver. `pinned_approvers`,
    `pinned_superusers`: the only people who may count as such, in addition to InvenTree's own permission.
    `taken_serial`: the pattern for an item whose own serial number is taken here. `accept_api`: the newer API version
    that a superuser has accepted for writes. `public_url` is another address of the same server; the bot understands
    links to it too. `token_file`, `admin_token_file`: the files that the tokens came from, if any; new tokens are
    stored there. `timeout` in seconds per call; `certificate`: PEM file with a CA besides the public ones.
    """

    url: str
    token: SecretStr
    admin_token: SecretStr | None = field(default=None)
    token_file: Path | None = None
    admin_token_file: Path | None = None
    approvers_group: str = ""
    pinned_approvers: tuple[str, ...] = ()
    pinned_superusers: tuple[str, ...] = ()
    outgoing: str = "Outgoing"
    incoming: str = "Incoming"
    destination: str = ""
    new_parts: bool = False
    new_part_category: str = ""
    taken_serial: str = "{serial}-{space}"
    timeout: float = 10.0
    certificate: str = ""
    accept_api: int = 0
    public_url: str = ""


@dataclass(frozen=True)
class Place:
    """A stock location, or a part category (both are trees with paths). A structural one contains no items."""

    pk: int
    name: str
    path: str
    structural: bool = False
    parent: int | None = None


class Places:
    """All places of one tree, as read at the last look."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._by_key: dict[int, Place] = {}
        self.take(rows)

    def take(self, rows: Iterable[Row]) -> None:
        """Replace all places by these."""
        self._by_key = {
            int(row["pk"]): Place(
                pk=int(row["pk"]),
                name=str(row["name"]),
                path=str(row.get("pathstring") or row["name"]),
                structural=bool(row.get("structural", False)),
                parent=row.get("parent"),
            )
            for row in rows
        }

    def by_key(self, pk: int | None) -> Place | None:
        """The place with this key, or None."""
        return None if pk is None else self._by_key.get(pk)

    def chain(self, pk: int | None) -> tuple[Place, ...]:
        """The place with this key and its ancestors, innermost first."""
        chain: list[Place] = []
        while (place := self.by_key(pk)) is not None and place not in chain:
            chain.append(place)
            pk = place.parent
        return tuple(chain)

    def paths(self) -> tuple[str, ...]:
        """The paths of all places."""
        return tuple(place.path for place in self._by_key.values())

    def meant_by(self, word: str) -> tuple[Place, ...]:
        """The places that a configured word means: a key, else a path, else a name (case doesn't matter)."""
        word = word.strip().strip("/")
        if word.isdigit():
            place = self.by_key(int(word))
            return (place,) if place else ()
        folded = word.casefold()
        by_path = tuple(place for place in self._by_key.values() if place.path.casefold() == folded)
        return by_path or tuple(place for place in self._by_key.values() if place.name.casefold() == folded)


def complaint_about(word: str, setting: str, found: tuple[Place, ...]) -> BadPlace | None:
    """The reason why a configured place is not exactly one usable place; None if it is."""
    if len(found) == 1 and not found[0].structural:
        return None
    paths = tuple(place.path for place in found)
    fault = PlaceFault.MISSING if not found else PlaceFault.SEVERAL if len(found) > 1 else PlaceFault.STRUCTURAL
    return BadPlace(fault, setting, word, paths)


# Signs a mirrored value with our own key: takes bytes, returns the signature.
Signer = Callable[[bytes], str]

# Opens a transport to our server at `url` with `token`.
Connector = Callable[[str, str], InvenTreeTransport]

# Opens a transport to a peer's server at `url` with `token`; the bool allows a private address.
PeerConnector = Callable[[str, str, bool], InvenTreeTransport]

ORDER_ROLES = ("return_order", "sales_order", "purchase_order")

UNDONE = "undone:"
"""The second word of the notes with which we undo one of our own changes, under the same mark."""


@dataclass(frozen=True)
class Account:
    """The user behind a token: its name and what its roles allow."""

    username: str
    superuser: bool = False
    staff: bool = False
    roles: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def may(self, role: str, permission: str) -> bool:
        """Whether it has `permission` (view, add, change, delete) in `role`."""
        return self.superuser or permission in self.roles.get(role, frozenset())

    @property
    def writes(self) -> tuple[str, ...]:
        """The roles in which it may do more than view."""
        return tuple(sorted(role for role, allowed in self.roles.items() if allowed - {"view"}))


@dataclass(frozen=True)
class Past:
    """The part of an item's history that matters for merges. It is valid while the history has so many `entries`.

    `split_off` are the items that somebody else split off, each with its quantity; `merges` are the times
    of the merges into the item, each with the item that a step of ours brought back by it (None: a merge by others).
    """

    entries: int
    split_off: tuple[tuple[int, Decimal], ...] = ()
    merges: tuple[tuple[datetime, int | None], ...] = ()


@dataclass(frozen=True)
class Entry:
    """One entry of a history. `item` is None if the stock item was deleted since."""

    pk: int
    item: int | None
    kind: int
    notes: str
    deltas: Mapping[str, Any]

    @property
    def undone(self) -> bool:
        """Whether the entry says that we undid our own change."""
        return self.notes.partition(" ")[2].startswith(UNDONE)


@dataclass(frozen=True)
class Server:
    """One look at our InvenTree. `api` uses the everyday token, `admin` the superuser's.

    `pasts` are summaries of the histories read since the look, by stock item. `read_ahead` and `rows_ahead` belong to
    the running step: history entries that it has already read, by the beginning of their marks and the stock item, and
    its stock items. `stock` is the index of our stock. `parts_seen` are details of parts, with the (monotonic) time
    when they were read. `tags_seen` are the tags of stock items without a serial number. `attached` has, by `stockitem`
    and `part`, the keys of records with files, and whether the list is complete.
    """

    api: InvenTreeTransport
    admin: InvenTreeTransport | None
    version: Version
    name: str
    release: str
    account: Account
    admin_is_superuser: bool
    places: Places
    settings: InventorySettings
    vault: Vault
    connect: Connector
    stock: StockReading
    sign: Signer | None = None
    pasts: dict[int, Past] = field(default_factory=dict)
    read_ahead: dict[tuple[str, int], tuple[Entry, ...]] = field(default_factory=dict)
    rows_ahead: dict[int, Row] = field(default_factory=dict)
    parts_seen: dict[int, tuple[float, PartSeen]] = field(default_factory=dict)
    tags_seen: dict[int, tuple[float, tuple[str, ...]]] = field(default_factory=dict)
    attached: dict[str, tuple[float, frozenset[int], bool]] = field(default_factory=dict)

    @property
    def writes_allowed(self) -> bool:
        """Whether we know this version well enough to change stock, or an admin accepted it; never if it is too old."""
        accepted = self.version.api == self.settings.accept_api and not self.version.too_old
        return self.version.known or accepted

    @property
    def stock_source(self) -> StockSource:
        """The source of the index."""
        return StockSource(self.api, self.version, f"{self.settings.url} {self.name}")

    @property
    def outgoing(self) -> Place:
        """The location for items on their way out. Raises `Refusal` if it isn't one usable place."""
        return self._place(self.settings.outgoing, "outgoing")

    @property
    def incoming(self) -> Place:
        """The location for items that just came in. Raises `Refusal` if it isn't one usable place."""
        return self._place(self.settings.incoming, "incoming")

    def place(self, pk: int | None) -> Place | None:
        """The stock location with this key, even if it was created since the last look; None if there is none."""
        found = self.places.by_key(pk)
        if found is None and pk is not None:
            self.places.take(self.api.rows("stock/location/"))
            found = self.places.by_key(pk)
        return found

    def place_for(self, part: int) -> Place:
        """The location for items of the part with this key.

        The part is read, because the part in a stock item's row doesn't tell its category's place (API 530).
        """
        return self.default_place(self.api.row(f"part/{part}/"))

    def default_place(self, part: Row) -> Place:
        """The location for items of a part: its default place, its category's, the configured one, or Incoming."""
        for name in ("default_location", "category_default_location"):
            place = self.place(part.get(name))
            if place and not place.structural:
                return place
        if self.settings.destination:
            return self._place(self.settings.destination, "destination")
        return self.incoming

    @property
    def makes_parts(self) -> bool:
        """Whether a missing part may be created: by the settings, our user's roles, and this version."""
        can_lie_there = bool(self.settings.new_part_category) or self.version.takes_parts_without_category
        return self.settings.new_parts and can_lie_there and self.account.may("part", "add")

    def own_units(self) -> OwnUnits:
        """The units that its admins have defined. They are read each time, because an admin may add one."""
        return own_units(self.api.rows("units/"))

    def units_told(self, units: str) -> str:
        """A part's units, as another InvenTree understands them."""
        return units if counts_pieces(units) else as_told(units, self.own_units())

    def superuser(self) -> InvenTreeTransport:
        """The transport for users, groups and tokens. Raises `Refusal` without a superuser's token."""
        if self.admin is None:
            raise Refusal(Plain(Fault.NO_ADMIN_TOKEN))
        if not self.admin_is_superuser:
            raise Refusal(Plain(Fault.NO_SUPERUSER))
        return self.admin

    def for_companies(self) -> InvenTreeTransport:
        """The transport that may create and change companies: the everyday one if its roles allow it."""
        if any(self.account.may(role, "add") for role in ORDER_ROLES):
            return self.api
        if self.admin is not None and self.admin_is_superuser:
            return self.admin
        raise NotPermitted(Named(NameFault.NO_ROLE_FOR_COMPANIES, self.account.username))

    @contextmanager
    def under(self, reference: str) -> Iterator[InvenTreeTransport]:
        """The transport with a token of the vault, closed afterwards; '': the everyday one.

        Raises `NotPermitted` if the vault has no such token.
        """
        if not reference:
            yield self.api
            return
        try:
            secret = self.vault.read(reference)
        except NoSuchSecret:
            raise NotPermitted(Plain(Fault.NO_FRIENDS_TOKEN)) from None
        transport = self.connect(self.settings.url, secret)
        try:
            yield transport
        finally:
            transport.close()

    def complaints_about_places(self) -> tuple[str, ...]:
        """Complaints that say what to do about configured places before stock can move."""
        wanted = [("outgoing", self.settings.outgoing), ("incoming", self.settings.incoming)]
        if self.settings.destination:
            wanted.append(("destination", self.settings.destination))
        told = (complaint_about(word, setting, self.places.meant_by(word)) for setting, word in wanted)
        return tuple(english(complaint) for complaint in told if complaint)

    def _place(self, word: str, setting: str) -> Place:
        found = self.places.meant_by(word)
        complaint = complaint_about(word, setting, found)
        if complaint:
            raise Refusal(complaint)
        return found[0]


def account_behind(transport: InvenTreeTransport, version: Version) -> Account:
    """The user behind a token, and its permissions: one call, or two below API 519."""
    user = transport.row("user/me/", **({"roles": "true"} if version.tells_roles_with_user else {}))
    roles = user["roles"] if "roles" in user else transport.row("user/roles/").get("roles")
    return Account(
        username=str(user.get("username", "")),
        superuser=bool(user.get("is_superuser", False)),
        staff=bool(user.get("is_staff", False)),
        roles={str(role): frozenset(allowed or ()) for role, allowed in (roles or {}).items()},
    )


@dataclass
class Look:
    """The parts of a look read so far. If a rate limit interrupts a look, the next one continues from here."""

    version: Version | None = None
    account: Account | None = None
    admin_is_superuser: bool | None = None


def look(
    api: InvenTreeTransport,
    admin: InvenTreeTransport | None,
    settings: InventorySettings,
    vault: Vault,
    connect: Connector,
    stock: StockReading,
    sign: Signer | None = None,
    so_far: Look | None = None,
) -> Server:
    """Read version, account and places again: three calls, and one more for the superuser's token.

    Raises the problems of a read; `so_far` keeps everything read until then. `Overview` reports an invalid superuser
    token.
    """
    so_far = so_far or Look()
    if so_far.version is None:
        api.connect()
        so_far.version = Version(api.api_version)
    if so_far.account is None:
        so_far.account = account_behind(api, so_far.version)
    if so_far.admin_is_superuser is None:
        so_far.admin_is_superuser = _is_superuser(admin, so_far.version)
    return Server(
        api=api,
        admin=admin,
        version=so_far.version,
        name=str(api.server_details.get("instance") or ""),
        release=str(api.server_details.get("version") or ""),
        account=so_far.account,
        admin_is_superuser=so_far.admin_is_superuser,
        places=Places(api.rows("stock/location/")),
        settings=settings,
        vault=vault,
        connect=connect,
        stock=stock,
        sign=sign,
    )


def _is_superuser(admin: InvenTreeTransport | None, version: Version) -> bool:
    if admin is None:
        return False
    admin.api_version = version.api
    try:
        return bool(admin.row("user/me/").get("is_superuser", False))
    except NotPermitted:
        return False
