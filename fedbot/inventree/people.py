"""People in our InvenTree: their users, their permissions, and whether their login is valid.

Any account can list users with their groups. An approver is an active member of the configured group. If no group is
configured, an approver has the role stock: add through one of their groups (API >= 335).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import httpx

from fedbot.inventree.errors import of_exception
from fedbot.inventree.rows import Row
from fedbot.inventree.server import InventorySettings, Server
from fedbot.inventree.transport import InvenTreeTransport, verification
from fedbot.ports.inventory import Credentials, NotPermitted, Refusal, Unavailable
from fedbot.rules.model.diagnosis import NO_CODE, AnsweredOnly, BadVersion, VersionFault
from fedbot.rules.model.queries import Able, PersonPermissions, Query, WhoMay
from fedbot.rules.model.stock import Permissions

# --- Finds the user behind a name and password, or a token: it asks our InvenTree once, and stores nothing.

_NO = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})


def whose(
    server: Server, settings: InventorySettings, credentials: Credentials, network: httpx.BaseTransport | None
) -> str | None:
    """The active user with these credentials; None if they are invalid.

    Raises `Refusal` below API 472, `Unavailable` if InvenTree doesn't answer.
    """
    if not server.version.permissions_are_safe:
        raise Refusal(BadVersion(VersionFault.LOGINS_UNSAFE, server.version.api))
    if credentials.username:
        auth: httpx.Auth | None = httpx.BasicAuth(credentials.username, credentials.secret)
        headers = {}
    else:
        if not credentials.secret.isascii() or not credentials.secret.isprintable():
            return None
        auth, headers = None, {"Authorization": f"Token {credentials.secret}"}
    verify = verification(settings.url, settings.certificate)
    with httpx.Client(verify=verify, transport=network, timeout=settings.timeout, trust_env=False) as client:
        try:
            answer = client.get(f"{server.api.base_url}api/user/me/", auth=auth, headers=headers)
        except httpx.HTTPError as silent:
            raise of_exception(silent, server.api.host, reading=True) from None
    if answer.status_code in _NO:
        return None
    if not answer.is_success:
        raise Unavailable(AnsweredOnly(answer.status_code, answer.reason_phrase, NO_CODE))
    row = answer.json()
    name = row.get("username") if isinstance(row, dict) else None
    return name if isinstance(name, str) and row.get("is_active", True) else None


_NAME_A_GROUP = "name a group in inventree.approvers_group."


_READ: ContextVar[list[list[Row]] | None] = ContextVar("users of one decision", default=None)


@contextmanager
def read_once(asked: Iterable[Query]) -> Iterator[None]:
    """Inside this context, all users are read only once, if any of these queries needs all of them."""
    token = _READ.set([] if any(isinstance(query, WhoMay) for query in asked) else None)
    try:
        yield
    finally:
        _READ.reset(token)


def _users(server: Server, **wanted: object) -> list[Row]:
    read = _READ.get()
    if read is None:
        return list(server.api.rows("user/", **wanted))
    if not read:
        read.append(list(server.api.rows("user/")))
    return read[0]


def permissions_of(server: Server, query: PersonPermissions) -> Permissions:
    """The user's permissions now; none for an unknown user."""
    rows = _users(server, search=query.username)
    row = next((row for row in rows if row.get("username") == query.username), None)
    if row is None:
        return Permissions(username=query.username)
    return _permissions(server, row, _approving_groups(server, [row]))


def who_may(server: Server, query: WhoMay) -> Able:
    """The users with this permission now: one call for all of them (and one for the groups)."""
    rows = {row.get("username"): row for row in _users(server)}
    known = [rows[name] for name in query.usernames if name in rows]
    approving = _approving_groups(server, known)
    able = {row["username"] for row in known if _permissions(server, row, approving).covers(query.permission)}
    return Able(tuple(name for name in query.usernames if name in able))


def complaints_about_approvers(server: Server) -> tuple[str, ...]:
    """Complaints that say what to do if nobody can approve."""
    wanted = server.settings.approvers_group
    if not wanted:
        if not server.version.makes_users:
            return ("This InvenTree can't tell other users' roles: name a group in inventree.approvers_group.",)
        if _roles_by_group(server) is None:
            return ("Our InvenTree user can't read other users' roles: name a group in inventree.approvers_group.",)
        return ()
    if any(_groups(row) & {wanted} for row in server.api.rows("user/") if row.get("is_active")):
        return ()
    return (f'Nobody can approve: no active user is in the InvenTree group "{wanted}". Put somebody into it.',)


def complaints_about_pins(server: Server) -> tuple[str, ...]:
    """Complaints that say what to do if this InvenTree's permissions alone can't be trusted (below API 472)."""
    if server.version.permissions_are_safe or _pins(server):
        return ()
    complaint = (
        f"With API {server.version.api} any account can give itself permissions (fixed in 472), so nobody counts as "
        "approver or superuser: list their users in rules.pinned_approvers and rules.pinned_superusers."
    )
    return (complaint,)


def _pins(server: Server) -> bool:
    return bool(server.settings.pinned_approvers or server.settings.pinned_superusers)


def _permissions(server: Server, row: Row, approving: frozenset[str]) -> Permissions:
    """The user's permissions in InvenTree; if our settings must confirm them, only the confirmed ones."""
    username, trusted = str(row["username"]), server.version.permissions_are_safe and not _pins(server)
    may_rule = trusted or username in server.settings.pinned_superusers
    may_approve = may_rule or username in server.settings.pinned_approvers
    superuser = bool(row.get("is_superuser", False))
    approver = bool(_groups(row) & approving)
    return Permissions(
        username=username,
        known=True,
        active=bool(row.get("is_active", False)),
        superuser=superuser and may_rule,
        approver=(approver or (superuser and not may_rule)) and may_approve,
        key=int(row.get("pk") or 0),
        unpinned=(superuser and not may_rule) or (approver and not may_approve),
    )


def _groups(row: Row) -> frozenset[str]:
    return frozenset(str(group["name"]) for group in row.get("groups") or ())


def _approving_groups(server: Server, rows: Iterable[Row]) -> frozenset[str]:
    """The names of the groups whose members are approvers; none if they can't be read."""
    if server.settings.approvers_group:
        return frozenset({server.settings.approvers_group})
    if not server.version.makes_users or not any(_groups(row) for row in rows):
        return frozenset()
    return _roles_by_group(server) or frozenset()


def _roles_by_group(server: Server) -> frozenset[str] | None:
    """The groups whose ruleset for stock has `add`; None if neither of our users may read them."""
    for transport in (server.api, server.admin):
        if transport is not None:
            try:
                return _groups_that_add(transport)
            except NotPermitted:
                continue
    return None


def _groups_that_add(transport: InvenTreeTransport) -> frozenset[str]:
    groups = transport.rows("user/group/", role_detail="true")
    return frozenset(
        str(group["name"])
        for group in groups
        for role in group.get("roles") or ()
        if role.get("name") == "stock" and role.get("can_add")
    )
