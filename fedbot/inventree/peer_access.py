"""A peer's access to our InvenTree (company, user, group and token): made, tried, revoked; and trying ours at its."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from inventree.company import Company as Companies

from fedbot.inventree.client.rows import Row, address, plain, same
from fedbot.inventree.client.server import Account, PeerConnector, Server, account_behind
from fedbot.inventree.client.transport import InvenTreeTransport
from fedbot.inventree.client.versions import Version
from fedbot.logs import keep_secret
from fedbot.ports.inventory import NotPermitted, OutcomeUnknown, Refusal
from fedbot.ports.vault import NoSuchSecret, Vault
from fedbot.rules.model.diagnosis import BadVersion, Fault, Named, NameFault, Plain, VersionFault
from fedbot.rules.model.steps import (
    AccessEnded,
    AccessMade,
    CloseCompany,
    CompanyMade,
    EndAccess,
    MakeAccess,
    MakeCompany,
    MintToken,
    RevokeToken,
    TokenMinted,
    TokenRevoked,
    TokenTried,
    TryToken,
)

# --- The customer company that represents a peer. All generations of the connection share it (UC1, UC5).  It is found
# by our link, and never deleted: deleting it would return its items to stock.

_READY = {"is_customer": True, "is_supplier": False, "is_manufacturer": False, "active": True}


def find_company_made(server: Server, step: MakeCompany) -> CompanyMade | None:
    """Probe of `MakeCompany`: the company with our link, or with its name and no link yet, and ready for use."""
    row = _our_company(server.for_companies(), step)
    ready = row is not None and row.get("link") == address(step.link) and _is_ready(row)
    return CompanyMade(int(row["pk"])) if row is not None and ready else None


def make_company(server: Server, step: MakeCompany) -> CompanyMade:
    """Create the company, or reuse the one that we created before.

    Raises `Refusal` with reason `foreign-company` if a company of that name has another link, because a person must
    decide.
    """
    transport = server.for_companies()
    row = _our_company(transport, step)
    if row is None:
        content = {
            "name": plain(step.name),
            "description": plain(step.description),
            "link": address(step.link),
            **_READY,
        }
        transport.post(Companies.URL, content)
    else:
        transport.patch(f"company/{row['pk']}/", {"link": address(step.link), **_READY})
    made = _our_company(transport, step)
    if made is None or not _is_ready(made):
        raise OutcomeUnknown(Named(NameFault.COMPANY_NOT_AS_MADE, step.name))
    return CompanyMade(int(made["pk"]))


def find_company_closed(server: Server, step: CloseCompany) -> AccessEnded | None:
    """Probe of `CloseCompany`."""
    row = server.for_companies().row(f"company/{step.company}/")
    closed = all(row.get(field) == value for field, value in server.version.closed_company().items())
    return AccessEnded() if closed else None


def close_company(server: Server, step: CloseCompany) -> AccessEnded:
    """Set the company inactive. Its history stays, and a new connection reuses it."""
    transport = server.for_companies()
    transport.patch(f"company/{step.company}/", server.version.closed_company())
    found = find_company_closed(server, step)
    if found is None:
        raise OutcomeUnknown(Plain(Fault.COMPANY_STAYS))
    return found


def _our_company(transport: InvenTreeTransport, step: MakeCompany) -> dict[str, Any] | None:
    """Our company: the one with our link (no filter finds it, so all are read), else a namesake without a link."""
    rows = transport.rows(Companies.URL)
    ours = next((row for row in rows if row.get("link") == address(step.link)), None)
    if ours is not None:
        return ours
    namesake = next((row for row in rows if same(str(row.get("name") or ""), step.name)), None)
    if namesake is not None and namesake.get("link"):
        raise Refusal(Named(NameFault.FOREIGN_COMPANY, step.name))
    return namesake


def _is_ready(row: Row) -> bool:
    return bool(row.get("is_customer")) and row.get("active") is not False


# A peer's user may view these roles, and has no other permission.
VIEWED = frozenset({"stock", "part", "part_category", "stock_location"})

_PERMISSIONS = ("can_view", "can_add", "can_change", "can_delete")


def find_access_made(server: Server, step: MakeAccess) -> AccessMade | None:
    """Probe of `MakeAccess`: our user, active, in exactly our group, which may only view."""
    may_be_given_away(server, for_peer=step.for_peer)
    admin = _admin(server)
    user = _user_named(admin, step)
    group = _group_named(admin, step.name)
    if user is None or group is None or _group_keys(user) != {group["pk"]}:
        return None
    return AccessMade(int(user["pk"]), int(group["pk"])) if not _wrong_rules(admin, int(group["pk"])) else None


def make_access(server: Server, step: MakeAccess) -> AccessMade:
    """Create user and group, or finish what an earlier try began, and read all of it back.

    Raises `Refusal`: unsafe-version (the access would go to the peer), no-admin-token, unsupported (this version can't
    do it over REST), foreign-user, foreign-group, ended (the user was deactivated, and reactivating it would make its
    old tokens valid again).
    """
    may_be_given_away(server, for_peer=step.for_peer)
    admin = _admin(server)
    user, group = _user_named(admin, step), _group_named(admin, step.name)
    if group is not None and (user is None or _has_others(admin, group, user)):
        raise Refusal(Named(NameFault.FOREIGN_GROUP, step.name))
    if user is None:
        user = admin.post("user/", {"username": step.name, "first_name": "", "last_name": step.last_name, "email": ""})
    if group is None:
        group = admin.post("user/group/", {"name": step.name})
    for rule, wanted in _wrong_rules(admin, int(group["pk"])):
        admin.patch(f"user/ruleset/{rule['pk']}/", wanted)
    if _group_keys(user) != {group["pk"]}:
        admin.patch(f"user/{user['pk']}/", {"group_ids": [group["pk"]]})
    made = find_access_made(server, step)
    if made is None:
        raise OutcomeUnknown(Named(NameFault.USER_NOT_AS_MADE, step.name))
    return made


def find_access_ended(server: Server, step: EndAccess) -> AccessEnded | None:
    """Probe of `EndAccess`: the user is inactive or deleted, and has no valid token."""
    admin = _admin(server)
    row = admin.row_if_there(f"user/{step.user}/")
    over = (row is None or not row.get("is_active")) and not active_tokens(admin, step.user)
    return AccessEnded() if over else None


def end_access(server: Server, step: EndAccess) -> AccessEnded:
    """Deactivate the user first (a token can create tokens), then revoke its tokens, and forget the secret."""
    admin = _admin(server)
    if admin.row_if_there(f"user/{step.user}/") is not None:
        admin.patch(f"user/{step.user}/", {"is_active": False})
    for token in active_tokens(admin, step.user):
        revoke(admin, token)
    found = find_access_ended(server, step)
    if found is None:
        raise OutcomeUnknown(Plain(Fault.ACCESS_STAYS))
    server.vault.forget(step.reference)
    return found


def may_be_given_away(server: Server, *, for_peer: bool) -> None:
    """Refuse to give a peer access on a version where any account can make itself admin."""
    if for_peer and not server.version.direct_access_is_safe:
        raise Refusal(BadVersion(VersionFault.UNSAFE, server.version.api))


def active_tokens(admin: InvenTreeTransport, user: int) -> list[dict[str, Any]]:
    """The user's tokens that are not revoked. A superuser sees other users' tokens only with `all_users`."""
    rows = admin.rows("user/tokens/", all_users="true")
    return [row for row in rows if row.get("user") == user and not row.get("revoked")]


def revoke(admin: InvenTreeTransport, token: Row) -> None:
    """Revoke a token. Its row stays, inactive."""
    admin.delete(f"user/tokens/{token['id']}/", params={"all_users": "true"})


def _admin(server: Server) -> InvenTreeTransport:
    if not server.version.makes_users:  # a superuser's token would be of no use: so people aren't told to give us one
        raise Refusal(Plain(Fault.USERS_UNSUPPORTED))
    return server.superuser()


def _user_named(admin: InvenTreeTransport, step: MakeAccess) -> dict[str, Any] | None:
    """Our user of that name, or None. Raises `Refusal` if it isn't ours or has too many permissions."""
    rows = admin.rows("user/", search=step.name)
    row = next((row for row in rows if row.get("username") == step.name), None)
    if row is None:
        return None
    if row.get("last_name") != step.last_name or row.get("is_staff") or row.get("is_superuser"):
        raise Refusal(Named(NameFault.FOREIGN_USER, step.name))
    if not row.get("is_active"):
        raise Refusal(Named(NameFault.ACCESS_ENDED, step.name))
    return row


def _group_named(admin: InvenTreeTransport, name: str) -> dict[str, Any] | None:
    return next((row for row in admin.rows("user/group/") if row.get("name") == name), None)


def _has_others(admin: InvenTreeTransport, group: Row, user: Row) -> bool:
    """Whether anybody except our user is in the group."""
    return any(row.get("pk") != user["pk"] and group["pk"] in _group_keys(row) for row in admin.rows("user/"))


def _group_keys(user: Row) -> set[int]:
    return {int(group["pk"]) for group in user.get("groups") or ()}


def _wrong_rules(admin: InvenTreeTransport, group: int) -> list[tuple[dict[str, Any], dict[str, bool]]]:
    """The group's rulesets that allow too little or too much, each with what it should allow."""
    wrong = []
    for rule in admin.rows("user/ruleset/", group=group):
        if rule.get("group") != group:  # servers that ignore the filter list all groups' rules
            continue
        wanted = dict.fromkeys(_PERMISSIONS, False) | {"can_view": rule.get("name") in VIEWED}
        if any(bool(rule.get(permission)) != allowed for permission, allowed in wanted.items()):
            wrong.append((rule, wanted))
    return wrong


LONGEST_NAME = 100
MOST_ITEMS = 1_000_000_000
_NUMBERED = re.compile(r"(?P<base>.+-)(?P<number>\d+)")


def find_token_minted(server: Server, step: MintToken) -> TokenMinted | None:
    """Probe of `MintToken`: its secret is in the vault, and InvenTree has the active token for it."""
    admin = _token_admin(server)
    tokens = _tokens_of_tries(admin, step)
    if len(tokens) != 1 or not _is_kept(server.vault, step.reference):
        return None
    return TokenMinted(name=str(tokens[0]["name"]), expiry=date.fromisoformat(str(tokens[0]["expiry"])))


def mint_token(server: Server, step: MintToken) -> TokenMinted:
    """Create a token for the peer's user and store it directly in the vault.

    Active tokens of this number or a later one, whose secret we don't have, are revoked first.
    """
    admin = _token_admin(server)
    for token in _tokens_of_tries(admin, step):
        revoke(admin, token)
    name = _next_name(admin, step)
    content = {"user": step.user, "name": name, "expiry": step.expiry.isoformat()}
    reply = admin.post("user/tokens/", content)
    secret = secret_in(reply)
    if secret is None:
        raise OutcomeUnknown(Plain(Fault.TOKEN_NOT_SHOWN))
    server.vault.keep(step.reference, secret)
    if reply.get("user") != step.user:
        raise OutcomeUnknown(Plain(Fault.TOKEN_OF_ANOTHER))
    return TokenMinted(name=str(reply.get("name") or name), expiry=date.fromisoformat(str(reply["expiry"])))


def try_token(server: Server, step: TryToken) -> TokenTried:
    """Read our own inventory with the token.

    Raises `Refusal` with reason unsafe-version (must not go to a peer), no-token (none in the vault), too-much-right
    (it can do more than view), too-little-right (it can't even read stock).
    """
    may_be_given_away(server, for_peer=step.for_peer)
    return _read_with_it(server.connect(server.settings.url, _secret(server.vault, step.reference)))


def _read_with_it(transport: InvenTreeTransport) -> TokenTried:
    try:
        version, account = _version_and_account(transport)
        if account.superuser or account.staff or account.writes:
            raise Refusal(Plain(Fault.TOO_MUCH_RIGHT))
        if not all(account.may(role, "view") for role in VIEWED):
            raise Refusal(Plain(Fault.TOO_LITTLE_RIGHT))
        name, expiry = _name_and_expiry(transport, version)
        return TokenTried(min(transport.count("stock/"), MOST_ITEMS), version.api, name[:LONGEST_NAME], expiry)
    finally:
        transport.close()


def _name_and_expiry(transport: InvenTreeTransport, version: Version) -> tuple[str, date | None]:
    """The name and expiry of the transport's token; '' and None if the server doesn't tell."""
    rows = transport.rows("user/tokens/") if version.tells_tokens else []
    row = next((row for row in rows if row.get("in_use")), None)
    if row is None or not row.get("expiry"):
        return "", None
    return str(row.get("name") or ""), date.fromisoformat(str(row["expiry"]))


def find_token_revoked(server: Server, step: RevokeToken) -> TokenRevoked | None:
    """Probe of `RevokeToken`: no active token has that name."""
    return None if _tokens_named(_token_admin(server), step) else TokenRevoked()


def revoke_token(server: Server, step: RevokeToken) -> TokenRevoked:
    """Revoke the token of that name. Its row stays, inactive."""
    admin = _token_admin(server)
    for token in _tokens_named(admin, step):
        revoke(admin, token)
    if _tokens_named(admin, step):
        raise OutcomeUnknown(Named(NameFault.TOKEN_GOOD, step.name))
    return TokenRevoked()


def _tokens_named(admin: InvenTreeTransport, step: RevokeToken) -> list[dict[str, Any]]:
    return [token for token in active_tokens(admin, step.user) if token.get("name") == step.name]


def _version_and_account(transport: InvenTreeTransport) -> tuple[Version, Account]:
    """The server's version, and the account behind the token."""
    try:
        transport.connect()
        version = Version(transport.api_version)
        return version, account_behind(transport, version)
    except NotPermitted:
        raise NotPermitted(Named(NameFault.TOKEN_NOT_ACCEPTED, transport.host)) from None


def try_peers_token(vault: Vault, connect: PeerConnector, step: TryToken) -> TokenTried:
    """Read the peer's inventory with the token that it gave us. Our own InvenTree isn't needed.

    Raises like `try_token`.
    """
    return _read_with_it(connect(step.url, _secret(vault, step.reference), step.private))


def find_token_tried(server: Server, step: TryToken) -> None:
    """Probe of `TryToken`: a trial leaves no trace, so it is repeated."""
    del server, step


def _token_admin(server: Server) -> InvenTreeTransport:
    if not server.version.makes_tokens:
        raise Refusal(Plain(Fault.TOKENS_UNSUPPORTED))
    return server.superuser()


def secret_in(reply: object) -> str | None:
    """The new token in InvenTree's answer, which our log redacts from now on; None if the answer doesn't show it."""
    secret = reply.get("token") if isinstance(reply, dict) else None
    if not isinstance(secret, str) or not secret:
        return None
    keep_secret(secret)
    return None if "*" in secret else secret


def _secret(vault: Vault, reference: str) -> str:
    """The token under this reference. Raises `Refusal` if there is none."""
    try:
        return vault.read(reference)
    except NoSuchSecret:
        raise Refusal(Plain(Fault.NO_TOKEN)) from None


def _is_kept(vault: Vault, reference: str) -> bool:
    try:
        return bool(vault.read(reference))
    except NoSuchSecret:
        return False


def _base_and_number(name: str) -> tuple[str, int]:
    """`fed-beta-1-2` as ('fed-beta-1-', 2)."""
    match = _NUMBERED.fullmatch(name)
    return (match["base"], int(match["number"])) if match else (f"{name}-", 0)


def _tokens_of_tries(admin: InvenTreeTransport, step: MintToken) -> list[dict[str, Any]]:
    """The user's active tokens of this number or a later one: earlier tries of this step created them."""
    base, number = _base_and_number(step.name)
    found = []
    for token in active_tokens(admin, step.user):
        its_base, its_number = _base_and_number(str(token.get("name") or ""))
        if its_base == base and its_number >= number:
            found.append(token)
    return found


def _next_name(admin: InvenTreeTransport, step: MintToken) -> str:
    """The name with the first number, counted from the step's, that no token has had, not even a revoked one."""
    base, number = _base_and_number(step.name)
    rows = admin.rows("user/tokens/", all_users="true")
    names = [_base_and_number(str(row.get("name") or "")) for row in rows if row.get("user") == step.user]
    used = [its_number for its_base, its_number in names if its_base == base and its_number >= number]
    return f"{base}{max(used, default=number - 1) + 1}"
