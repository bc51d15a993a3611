"""Plans what to create in InvenTree for a bot, given what exists. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fedbot.inventree.client.server import Place, Places
from fedbot.inventree.client.versions import Version

NEW_PARTS = "From friends"
"""The category for missing parts that a friend sends, unless the settings name another one."""

ROLES: Mapping[str, frozenset[str]] = {
    "stock": frozenset({"add"}),
    "return_order": frozenset({"add"}),
    "part": frozenset({"view", "add"}),
    "part_category": frozenset({"view"}),
    "stock_location": frozenset({"view"}),
}
"""The least that the bot's user needs; `return_order: add` lets it create a company for each friend."""

PERMISSIONS = ("view", "add", "change", "delete")


def widened(allowed: frozenset[str]) -> frozenset[str]:
    """The permissions as InvenTree saves them: add and delete include change, and any permission includes view."""
    if allowed & {"add", "delete"}:
        allowed |= {"change"}
    return allowed | {"view"} if allowed else allowed


@dataclass(frozen=True)
class UserFound:
    """An account of InvenTree."""

    pk: int
    username: str
    name: str = ""
    active: bool = True
    superuser: bool = False
    staff: bool = False
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Found:
    """The existing things.

    `roles`: the permissions of the bot's own group (or of the bot, if unreadable); None: unknown. `token`: whether
    the bot's stored token is valid; `admin_token`: the same for the superuser's.
    """

    url: str
    version: Version
    users: tuple[UserFound, ...] = ()
    groups: Mapping[str, int] = field(default_factory=dict)
    roles: Mapping[str, frozenset[str]] | None = None
    locations: Places = Places(())  # noqa: RUF009 -- never changed
    categories: Places = Places(())  # noqa: RUF009 -- the same
    token: bool = False
    admin_token: bool = False

    def user(self, username: str) -> UserFound | None:
        """The account of that name."""
        return next((user for user in self.users if user.username == username), None)


@dataclass(frozen=True)
class Wanted:
    """The final state: names of the bot's user and group, the approvers' group, and the places."""

    user: str = "fedbot"
    group: str = "fedbot"
    approvers_group: str = "fedbot approvers"
    approvers: tuple[str, ...] = ()
    outgoing: str = "Outgoing"
    incoming: str = "Incoming"
    category: str = NEW_PARTS
    keep_admin: bool = True


@dataclass(frozen=True)
class MakeGroup:
    """A group without permissions."""

    name: str

    def __str__(self) -> str:
        return f"create the group {self.name}"


@dataclass(frozen=True)
class SetRoles:
    """The permissions of the bot's group: exactly these."""

    group: str
    roles: tuple[tuple[str, frozenset[str]], ...]

    def __str__(self) -> str:
        return f"give the group {self.group} only these roles: {told_roles(dict(self.roles))}"


@dataclass(frozen=True)
class MakeUser:
    """An account without a password, neither staff nor superuser."""

    username: str

    def __str__(self) -> str:
        return f"create the user {self.username} (no password, neither staff nor superuser)"


@dataclass(frozen=True)
class AddToGroup:
    """Add an account to a group. It stays in its other groups."""

    username: str
    group: str

    def __str__(self) -> str:
        return f"put {self.username} into the group {self.group}"


@dataclass(frozen=True)
class MakeLocation:
    """A stock location at the top level."""

    name: str

    def __str__(self) -> str:
        return f"create the stock location {self.name}"


@dataclass(frozen=True)
class MakeCategory:
    """A part category at the top level."""

    name: str

    def __str__(self) -> str:
        return f"create the part category {self.name}, for parts that a friend sends and you don't have"


@dataclass(frozen=True)
class MakeToken:
    """A token for the bot's user, stored in its file."""

    username: str

    def __str__(self) -> str:
        return f"create a token for {self.username}"


@dataclass(frozen=True)
class MakeAdminToken:
    """A token of the superuser's own for connecting and disconnecting, stored in its file."""

    def __str__(self) -> str:
        return "create a superuser's token, to connect with friends and to disconnect"


Change = MakeGroup | SetRoles | MakeUser | AddToGroup | MakeLocation | MakeCategory | MakeToken | MakeAdminToken


@dataclass(frozen=True)
class Plan:
    """The changes that init makes itself, the clicks that a person must do before, and the obstacles to all of it."""

    changes: tuple[Change, ...] = ()
    clicks: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()


def plan(found: Found, wanted: Wanted) -> Plan:
    """Plan the missing things, in the order in which they can be created."""
    obstacles = tuple(_obstacles(found, wanted))
    access = tuple(_access(found, wanted))
    places = tuple(_places(found, wanted))
    tokens: list[Change] = [] if found.token else [MakeToken(wanted.user)]
    if wanted.keep_admin and not found.admin_token and found.version.makes_users:
        tokens.append(MakeAdminToken())
    if found.version.makes_users:
        return Plan((*access, *places, *tokens), (), obstacles)
    return Plan((*places, *tokens), tuple(_clicks(found, wanted, access)), obstacles)


def _obstacles(found: Found, wanted: Wanted) -> Iterator[str]:
    """The problems that init must not fix by itself, because the things may be somebody else's."""
    user = found.user(wanted.user)
    if user is not None and (user.superuser or user.staff):
        yield f"The user {wanted.user} is staff or superuser. Remove that, or rename the user: the bot needs much less."
    if user is not None and not user.active:
        yield f"The user {wanted.user} is inactive. If it is the bot's, activate it. Otherwise rename it."
    others = [each.username for each in found.users if wanted.group in each.groups and each.username != wanted.user]
    if others and found.version.makes_users and _wrong_roles(found, wanted):
        yield f"The group {wanted.group} has other members: {', '.join(others)}. Remove them, or rename the group."
    for word, kind, places in (
        (wanted.outgoing, "stock location", found.locations),
        (wanted.incoming, "stock location", found.locations),
        (wanted.category, "part category", found.categories),
    ):
        if not word or _can_be_used(places, word) or not _at_path(places, word):
            continue
        if len(_at_path(places, word)) > 1:
            yield f"The top level has more than one {kind} {word}: rename all but one, then run this again."
        else:
            yield f"The {kind} {word} can't hold anything: switch off Structural there, then run this again."


def _access(found: Found, wanted: Wanted) -> Iterator[Change]:
    """The changes for the bot's user with its group, and for the approvers."""
    user = found.user(wanted.user)
    if wanted.group not in found.groups:
        yield MakeGroup(wanted.group)
    if _wrong_roles(found, wanted):
        yield SetRoles(wanted.group, tuple(ROLES.items()))
    if user is None:
        yield MakeUser(wanted.user)
    if user is None or wanted.group not in user.groups:
        yield AddToGroup(wanted.user, wanted.group)
    if wanted.approvers_group and wanted.approvers_group not in found.groups:
        yield MakeGroup(wanted.approvers_group)
    for username in wanted.approvers:
        approver = found.user(username)
        if wanted.approvers_group and approver is not None and wanted.approvers_group not in approver.groups:
            yield AddToGroup(username, wanted.approvers_group)


def _wrong_roles(found: Found, wanted: Wanted) -> bool:
    """Whether the bot's group has too few permissions or, if all can be read, too many."""
    if found.roles is None:
        return True
    least = {role: widened(allowed) for role, allowed in ROLES.items()}
    if found.version.makes_users:
        return any(widened(allowed) != least.get(role, frozenset()) for role, allowed in found.roles.items()) or (
            wanted.group not in found.groups
        )
    return any(not allowed <= found.roles.get(role, frozenset()) for role, allowed in least.items())


def _places(found: Found, wanted: Wanted) -> Iterator[Change]:
    """The missing places, at the top level: a path names only one place, even if others have the same name."""
    for name in (wanted.outgoing, wanted.incoming):
        if not _can_be_used(found.locations, name) and not _at_path(found.locations, name):
            yield MakeLocation(name)
    category = wanted.category
    if category and not _can_be_used(found.categories, category) and not _at_path(found.categories, category):
        yield MakeCategory(category)


def _can_be_used(places: Places, word: str) -> bool:
    place = place_named(places, word)
    return place is not None and not place.structural


def _at_path(places: Places, word: str) -> tuple[Place, ...]:
    """The places at the top level with this name, or at this path."""
    return tuple(place for place in places.meant_by(word) if place.path.casefold() == word.casefold())


_UNTICK = "Untick all others: InvenTree 0.13 ticks View at every role of a new group"


def _clicks(found: Found, wanted: Wanted, access: tuple[Change, ...]) -> Iterator[str]:
    """The changes as clicks in Django's admin pages, for versions that can't make them over REST."""
    admin = f"{found.url}/admin/auth"
    user = found.user(wanted.user)
    if user is not None and found.roles is None:
        yield f"Give the user {user.username} the password {{password}}\n{admin}/user/{user.pk}/password/"
    for change in access:
        match change:
            case MakeGroup(name):
                roles = "without any role"
                if name == wanted.group:
                    roles = f"with these roles further down: {told_roles(ROLES)}"
                yield f"Add the group {name}, {roles}. {_UNTICK}\n{admin}/group/add/"
            case SetRoles(group) if found.roles is not None:
                page = _page(admin, "group", found, group)
                yield f"Give the group {group} these roles: {told_roles(ROLES)}. {_UNTICK}\n{page}"
            case MakeUser(username):
                yield f"Add the user {username}, with the password {{password}}\n{admin}/user/add/"
            case AddToGroup(username, group):
                member = found.user(username)
                page = f"{admin}/user/{member.pk}/change/" if member else "(the page that opens when the user is saved)"
                yield f"Put {username} into the group {group}\n{page}"


def _page(admin: str, kind: str, found: Found, name: str) -> str:
    return f"{admin}/{kind}/{found.groups[name]}/change/"


def told_roles(roles: Mapping[str, frozenset[str]]) -> str:
    """The roles as text: 'stock: add; part: view, add'."""
    told = (f"{role}: {', '.join(each for each in PERMISSIONS if each in allowed)}" for role, allowed in roles.items())
    return "; ".join(told)


def place_named(places: Places, word: str) -> Place | None:
    """The only place that the word means; None if there are none or several."""
    found = places.meant_by(word)
    return found[0] if len(found) == 1 else None
