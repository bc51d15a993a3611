"""People in our InvenTree: their users, their permissions, and whether their login is valid.

Any account can list users with their groups. An approver is an active member of the configured group. If no group is
configured, an approver has the role stock: add through one of their groups (API >= 335).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from http.cookies import SimpleCookie

import httpx

from fedbot.inventree.client.errors import of_exception
from fedbot.inventree.client.rows import Row
from fedbot.inventree.client.server import InventorySettings, Server
from fedbot.inventree.client.transport import InvenTreeTransport, verification
from fedbot.ports.inventory import Credentials, InventoryProblem, NotPermitted, Refusal, Unavailable
from fedbot.rules.model.diagnosis import NO_CODE, AnsweredOnly, BadVersion, Fault, Plain, VersionFault
from fedbot.rules.model.queries import Able, PersonPermissions, Query, WhoMay
from fedbot.rules.model.stock import Permissions

# --- Finds the user behind a name and password, or a token: it asks our InvenTree, and stores nothing.
#
# InvenTree's API takes a name and password without the second factor, which only its pages ask for. So a person's
# password is checked by the API first, and then their whole sign-in as its pages do it. The first check keeps wrong
# passwords from the second: InvenTree counts failed sign-ins by network, and all of ours come from the bot.

_NO = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})
_SHOWABLE = frozenset({"totp", "recovery_codes"})
"""The second factors that are a code, which a person can type on any page."""


def whose(
    server: Server, settings: InventorySettings, credentials: Credentials, network: httpx.BaseTransport | None
) -> str | None:
    """The active user with these credentials; None if they are invalid.

    Raises `Refusal` below API 472, or if InvenTree wants more of the person; `Unavailable` if it doesn't answer.
    """
    if not server.version.permissions_are_safe:
        raise Refusal(BadVersion(VersionFault.LOGINS_UNSAFE, server.version.api))
    verify = verification(settings.url, settings.certificate)
    with httpx.Client(verify=verify, transport=network, timeout=settings.timeout, trust_env=False) as client:
        try:
            if not credentials.username:
                return _user_by_token(server, client, credentials.secret)
            user = _user(client, server, auth=httpx.BasicAuth(credentials.username, credentials.secret))
            if user is not None:
                _sign_in(server, client, user, credentials)
        except httpx.HTTPError as silent:
            raise of_exception(silent, server.api.host, reading=True) from None
    return user


def _user_by_token(server: Server, client: httpx.Client, token: str) -> str | None:
    if not token.isascii() or not token.isprintable():
        return None
    return _user(client, server, headers={"Authorization": f"Token {token}"})


def _user(
    client: httpx.Client, server: Server, *, auth: httpx.Auth | None = None, headers: Mapping[str, str] | None = None
) -> str | None:
    answer = client.get(f"{server.api.base_url}api/user/me/", auth=auth, headers=headers)
    if answer.status_code in _NO:
        return None
    if not answer.is_success:
        raise Unavailable(AnsweredOnly(answer.status_code, answer.reason_phrase, NO_CODE))
    row = _object_of(answer)
    name = row.get("username")
    return name if isinstance(name, str) and row.get("is_active", True) else None


def _sign_in(server: Server, client: httpx.Client, username: str, credentials: Credentials) -> None:
    """Sign in as InvenTree's own pages do, and out again. Raises `Refusal` if more is needed than these credentials."""
    session = _Session(client, server.api.base_url)
    session.calls("GET", "auth/v1/config")  # brings the cookie that protects forms
    try:
        begun = session.calls("POST", "auth/v1/auth/login", username=username, password=credentials.secret)
        if begun.is_success:
            _refuse_if_factor_is_unset(session.calls("GET", "user/tokens/"))
            return
        second_factor = _pending(begun).get("mfa_authenticate")
        if second_factor is None:
            raise _refused(begun)
        if not _SHOWABLE.intersection(second_factor.get("types", ())):
            raise Refusal(Plain(Fault.SIGN_IN_UNSUPPORTED))
        if not credentials.code:
            raise Refusal(Plain(Fault.SECOND_FACTOR_MISSING))
        shown = session.calls("POST", "auth/v1/auth/2fa/authenticate", code=credentials.code)
        if not shown.is_success and _pending(shown).keys() != {"mfa_trust"}:  # whether to trust this browser
            raise _refused(shown)
    finally:
        session.calls("DELETE", "auth/v1/auth/session")


class _Session:
    """A browser's session at InvenTree's own sign-in (`auth/v1/`, on every version that has safe logins).

    It returns all cookies: a server behind HTTPS marks them `Secure`, and a bot beside it may call it by plain HTTP.
    """

    def __init__(self, client: httpx.Client, base_url: str) -> None:
        self._client = client
        self._base_url = base_url
        self._cookies: dict[str, str] = {}

    def calls(self, method: str, path: str, **content: str) -> httpx.Response:
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
            "X-CSRFToken": self._cookies.get("csrftoken", ""),
            "Referer": self._base_url,
        }
        self._client.cookies.clear()
        answer = self._client.request(method, f"{self._base_url}api/{path}", headers=headers, json=content or None)
        for line in answer.headers.get_list("set-cookie"):
            self._cookies |= {name: cookie.value for name, cookie in SimpleCookie(line).items()}
        return answer


def _pending(answer: httpx.Response) -> dict[str, Row]:
    """The steps of the sign-in that wait for the person, by name."""
    data = _object_of(answer).get("data") if answer.status_code == httpx.codes.UNAUTHORIZED else None
    flows = data.get("flows") if isinstance(data, dict) else None
    return {flow["id"]: flow for flow in flows or () if flow.get("is_pending")}


def _refused(answer: httpx.Response) -> InventoryProblem:
    """Why InvenTree doesn't sign this person in."""
    if answer.is_server_error:
        return Unavailable(AnsweredOnly(answer.status_code, answer.reason_phrase, NO_CODE))
    codes = {error.get("code") for error in _object_of(answer).get("errors") or ()}
    if "too_many_login_attempts" in codes or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return Refusal(Plain(Fault.SIGN_IN_LATER))
    return Refusal(Plain(Fault.SECOND_FACTOR_WRONG if "incorrect_code" in codes else Fault.SIGN_IN_UNSUPPORTED))


def _refuse_if_factor_is_unset(answer: httpx.Response) -> None:
    """Refuse a person without a second factor where InvenTree requires one: all but a few calls say so."""
    if answer.is_success:
        return
    if answer.is_server_error:
        raise Unavailable(AnsweredOnly(answer.status_code, answer.reason_phrase, NO_CODE))
    unset = _object_of(answer).get("id") == "mfa_register"
    raise Refusal(Plain(Fault.SECOND_FACTOR_UNSET if unset else Fault.SIGN_IN_UNSUPPORTED))


def _object_of(answer: httpx.Response) -> Row:
    """The answer's JSON object; an empty one for anything else."""
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


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
