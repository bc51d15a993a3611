"""Looking at an InvenTree and creating things in it for `fedbot init`, as a superuser whose login isn't stored."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from fedbot.check.findings import CLOCK_FAILS, SET_THE_CLOCK, clocks_differ
from fedbot.inventree.client.server import Places
from fedbot.inventree.client.transport import FOREIGN, InvenTreeTransport, clock_ahead, verification
from fedbot.inventree.client.versions import OLDEST_KNOWN, Version
from fedbot.inventree.peer_access import secret_in
from fedbot.ports.inventory import InventoryProblem, NotPermitted, Refusal
from fedbot.rules.model.diagnosis import Fault, Named, NameFault, Plain
from fedbot.setup.asking import BadAnswer
from fedbot.setup.plan import (
    PERMISSIONS,
    AddToGroup,
    Change,
    Found,
    MakeAdminToken,
    MakeCategory,
    MakeGroup,
    MakeLocation,
    MakeToken,
    MakeUser,
    SetRoles,
    UserFound,
    Wanted,
)

SECONDS = 10.0
_NO_ADDRESS = "That isn't an address. Type it as in the browser, for example https://inventree.example.org"
_SECOND_FACTOR = (
    " If signing in there takes a second factor (a code, a key), a password alone isn't enough: create a token in your "
    "account's settings, and answer with just Enter, then the token."
)
A_YEAR = timedelta(days=365)


@dataclass(frozen=True)
class InvenTreeServer:
    """The address and version of an InvenTree.

    `ca`: PEM file of its own CA, or ''. `name` is its own name for itself.
    """

    url: str
    version: Version
    release: str
    name: str
    ca: str = ""

    def __str__(self) -> str:
        called = f"{self.name}, " if self.name else ""
        return f"{called}InvenTree {self.release} (API {self.version.api}) at {self.url}"


def find(said: str) -> InvenTreeServer:
    """The InvenTree at an address as a person pastes it, optionally followed by a CA file. Raises `BadAnswer`."""
    address, _, ca = said.strip().partition(" ")
    if ca and not {"/", "."} & set(ca):  # not a path, so it was one text
        raise BadAnswer(_NO_ADDRESS)
    troubles, silent = [], set[str]()
    with client_trusting(ca.strip()) as client:
        for url in _candidates(address):
            origin = "/".join(url.split("/", 3)[:3])
            if origin in silent:
                continue
            try:
                server = _look_at(client, url, ca.strip())
            except FOREIGN as error:
                troubles.append(trouble(error, url))
                if isinstance(error, httpx.ConnectError | httpx.TimeoutException):
                    silent.add(origin)  # another path there fails alike, after as long a wait
            else:
                if server is not None:
                    return server
                troubles.append(f"{url} answers, but isn't InvenTree.")
    if not troubles:
        raise BadAnswer(_NO_ADDRESS)
    raise BadAnswer(next((each for each in troubles if "certificate" in each), troubles[0]))


def _candidates(address: str) -> Iterator[str]:
    """The addresses to try: with less and less of the path, then with /inventree; without a scheme, https first."""
    schemes = ("",) if "://" in address else ("https://", "http://")
    for scheme in schemes:
        try:
            parts = urlsplit(f"{scheme}{address}")
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            return
        if not usable or parts.username or not address.isprintable():
            return
        steps = [step for step in parts.path.split("/") if step]
        paths = ["/".join(steps[:length]) for length in range(len(steps), -1, -1)]
        for path in dict.fromkeys([*paths, "inventree"]):
            yield urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def _look_at(client: httpx.Client, url: str, ca: str) -> InvenTreeServer | None:
    """The InvenTree at exactly this address, or where that redirects to; None if there is none."""
    response = client.get(f"{url.rstrip('/')}/api/", headers={"Accept": "application/json"})
    found = response.json() if "json" in response.headers.get("content-type", "") else None
    api = str(found.get("apiVersion", "")) if isinstance(found, dict) and found.get("server") == "InvenTree" else ""
    if not isinstance(found, dict) or not api.isdigit():
        return None
    if int(api) < OLDEST_KNOWN:
        raise BadAnswer(f"{url} is InvenTree {found.get('version')} (API {api}); the oldest that works is 0.13.")
    if abs(ahead := clock_ahead(response)) > CLOCK_FAILS:
        raise BadAnswer(f"The clocks differ: {clocks_differ(ahead, url)}. Please {SET_THE_CLOCK}. Then answer again.")
    base = str(response.url).partition("?")[0].removesuffix("/").removesuffix("/api")
    name = str(found.get("instance") or "")
    own_name = "" if name == "InvenTree" else name
    return InvenTreeServer(base, Version(int(api)), str(found.get("version") or ""), own_name, ca)


def client_trusting(ca: str) -> httpx.Client:
    """A client that follows redirects and also trusts this CA file, if any. Raises `BadAnswer` if it can't be read."""
    try:
        verify = verification("https:", ca)
    except Refusal as problem:
        raise BadAnswer(problem.text) from None
    return httpx.Client(verify=verify, timeout=SECONDS, follow_redirects=True, trust_env=False)


def trouble(error: Exception, url: str) -> str:
    """Why that address gave no usable answer, and what to do."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return (
                f"The certificate of {url} isn't trusted here ({seen.verify_message}). If you made it yourself, "
                f"add the path of the CA file after the address: {url} /path/to/ca.pem"
            )
        seen = seen.__cause__ or seen.__context__
    if isinstance(error, httpx.TimeoutException):
        return f"{url} doesn't answer within {SECONDS:.0f} seconds. Can this machine reach it (firewall, VPN)?"
    if isinstance(error, httpx.ConnectError):
        return f"Nothing answers at {url}. Check the spelling, and that it is running."
    return f"{url} sent an answer that I can't read."


class Superuser:
    """A superuser's session. Only the transport has the login or token, and closing it forgets it."""

    def __init__(self, server: InvenTreeServer, *, username: str = "", password: str = "", token: str = "") -> None:
        """Sign in with a login or a token. Raises `BadAnswer` if InvenTree refuses it, or it isn't a superuser's."""
        self.server = server
        self.api = _transport(server, token or "login")
        if username:
            self.api.use_login(username, password)
        self.api.api_version = server.version.api
        try:
            me = self.api.row("user/me/")
        except NotPermitted:
            self.close()
            what = f"{username} with this password" if username else "this token"
            raise BadAnswer(f"InvenTree doesn't accept {what}.{_SECOND_FACTOR if username else ''}") from None
        except InventoryProblem as problem:
            self.close()
            raise BadAnswer(problem.text) from None
        self.username = str(me.get("username", ""))
        self.pk = int(me.get("pk") or 0)
        if not me.get("is_superuser"):
            self.close()
            raise BadAnswer(f"{self.username} isn't a superuser in InvenTree. Use the login of one who is.")

    def close(self) -> None:
        """Forget the login."""
        self.api.close()


def _transport(server: InvenTreeServer, token: str) -> InvenTreeTransport:
    return InvenTreeTransport(server.url, token, certificate=server.ca, timeout=SECONDS)


def whose(server: InvenTreeServer, token: str) -> tuple[str, bool]:
    """The user behind a token, and whether it is a superuser; ('', False) if InvenTree refuses the token."""
    if not token:
        return "", False
    transport = _transport(server, token)
    try:
        me = transport.row("user/me/")
        return str(me.get("username", "")), bool(me.get("is_superuser"))
    except (NotPermitted, Refusal):
        return "", False
    finally:
        transport.close()


def look(superuser: Superuser, wanted: Wanted, *, token: str, admin_token: str, bot_password: str = "") -> Found:
    """The current state of InvenTree. Raises `InventoryProblem`.

    `bot_password`: the password that a person gave the bot's user. It lets us read the roles if a version doesn't show
    groups' roles.
    """
    api, version = superuser.api, superuser.server.version
    groups = {str(row["name"]): int(row["pk"]) for row in api.rows("user/group/")}
    users = tuple(_user(row) for row in api.rows("user/"))
    roles: Mapping[str, frozenset[str]] | None = None
    if version.makes_users and wanted.group in groups:
        roles = _roles_of_group(api, groups[wanted.group])
    bot, _ = whose(superuser.server, token)
    if not version.makes_users:
        roles = _roles_of_bot(superuser.server, wanted.user, bot_password, token if bot == wanted.user else "")
    return Found(
        url=superuser.server.url,
        version=version,
        users=users,
        groups=groups,
        roles=roles,
        locations=Places(api.rows("stock/location/")),
        categories=Places(api.rows("part/category/")),
        token=bot == wanted.user,
        admin_token=whose(superuser.server, admin_token)[1],
    )


def _user(row: Mapping[str, Any]) -> UserFound:
    names = (str(row.get(field) or "") for field in ("first_name", "last_name"))
    return UserFound(
        pk=int(row["pk"]),
        username=str(row["username"]),
        name=" ".join(name for name in names if name),
        active=bool(row.get("is_active", True)),
        superuser=bool(row.get("is_superuser", False)),
        staff=bool(row.get("is_staff", False)),
        groups=frozenset(str(group["name"]) for group in row.get("groups") or ()),
    )


def _roles_of_group(api: InvenTreeTransport, group: int) -> dict[str, frozenset[str]]:
    rules = (rule for rule in api.rows("user/ruleset/", group=group) if rule.get("group") == group)
    return {str(rule["name"]): frozenset(each for each in PERMISSIONS if rule.get(f"can_{each}")) for rule in rules}


def _roles_of_bot(
    server: InvenTreeServer, username: str, password: str, token: str
) -> dict[str, frozenset[str]] | None:
    """The bot's roles, read with its own token or login, if the version hides groups' roles; None if refused."""
    transport = _transport(server, token or "login")
    if not token:
        transport.use_login(username, password)
    try:
        roles = transport.row("user/roles/").get("roles") or {}
        return {str(role): frozenset(allowed or ()) for role, allowed in roles.items()}
    except NotPermitted:
        return None
    finally:
        transport.close()


def made_up_password() -> str:
    """A random password, for an account that nobody signs in to."""
    return secrets.token_urlsafe(18)


def do(superuser: Superuser, change: Change, *, party: str, bot_password: str = "") -> str:
    """Make the change; return the new token, if it creates one. Raises `InventoryProblem`."""
    api = superuser.api
    match change:
        case MakeGroup(name):
            api.post("user/group/", {"name": name})
        case SetRoles(group, roles):
            _set_roles(api, _pk(api, "user/group/", "name", group), dict(roles))
        case MakeUser(username):
            api.post("user/", {"username": username, "first_name": "", "last_name": "", "email": ""})
        case AddToGroup(username, group):
            _add(api, username, group)
        case MakeLocation(name):
            api.post("stock/location/", {"name": name, "description": "fedbot keeps stock in transit here"})
        case MakeCategory(name):
            api.post("part/category/", {"name": name, "description": "Parts that came from friends"})
        case MakeToken(username) if superuser.server.version.makes_tokens:
            return _token_for(api, _pk(api, "user/", "username", username), party)
        case MakeToken(username):
            return _own_token(superuser.server, username, bot_password, party)
        case MakeAdminToken():
            return _token_for(api, superuser.pk, party)
    return ""


def _pk(api: InvenTreeTransport, url: str, field: str, value: str) -> int:
    found = next((row for row in api.rows(url) if row.get(field) == value), None)
    if found is None:
        raise Refusal(Named(NameFault.NOT_LISTED, str(value)))
    return int(found["pk"])


def _set_roles(api: InvenTreeTransport, group: int, roles: Mapping[str, frozenset[str]]) -> None:
    for rule in api.rows("user/ruleset/", group=group):
        if rule.get("group") != group:  # servers that ignore the filter list all groups' rules
            continue
        allowed = roles.get(str(rule["name"]), frozenset())
        if {each for each in PERMISSIONS if rule.get(f"can_{each}")} != allowed:
            api.patch(f"user/ruleset/{rule['pk']}/", {f"can_{each}": each in allowed for each in PERMISSIONS})


def _add(api: InvenTreeTransport, username: str, group: str) -> None:
    row = next(row for row in api.rows("user/") if row.get("username") == username)
    keys = {int(each["pk"]) for each in row.get("groups") or ()} | {_pk(api, "user/group/", "name", group)}
    api.patch(f"user/{row['pk']}/", {"group_ids": sorted(keys)})


def _token_for(api: InvenTreeTransport, user: int, party: str) -> str:
    today = datetime.now(UTC).date()
    content = {"user": user, "name": f"fedbot-{party}-{today}", "expiry": (today + A_YEAR).isoformat()}
    return _shown(api.post("user/tokens/", content))


def _own_token(server: InvenTreeServer, username: str, password: str, party: str) -> str:
    """A token that the bot's user makes itself, for versions where a superuser can't make it."""
    transport = _transport(server, "login")
    transport.use_login(username, password)
    try:
        return _shown(transport.get("user/token/", params={"name": f"fedbot-{party}"}))
    finally:
        transport.close()


def _shown(reply: object) -> str:
    secret = secret_in(reply)
    if secret is None:
        raise Refusal(Plain(Fault.TOKEN_NOT_SHOWN))
    return secret
