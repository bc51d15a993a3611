"""Tokens for peers: minted once, kept in the vault, tried before they are trusted (UC1).

InvenTree shows a token's value only in the reply that makes it. If that reply is lost, the token is revoked
and the next number minted.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from fedbot.federation.steps import MintToken, RevokeToken, TokenMinted, TokenRevoked, TokenTried, TryToken
from fedbot.inventree.accounts import VIEWED, active_tokens, may_be_given_away, revoke
from fedbot.inventree.server import Account, PeerConnector, Server, account_behind
from fedbot.inventree.transport import InvenTreeTransport
from fedbot.inventree.versions import Version
from fedbot.ports import NotPermitted, OutcomeUnknown, Refusal, Vault

LONGEST_NAME = 100
MOST_ITEMS = 1_000_000_000
_NUMBERED = re.compile(r"(?P<base>.+-)(?P<number>\d+)")


def find_token_minted(server: Server, step: MintToken) -> TokenMinted | None:
    """Probe of `MintToken`: its secret is in the vault, and InvenTree has the active token for it."""
    admin = _admin(server)
    tokens = _ours(admin, step)
    if len(tokens) != 1 or not _kept(server, step.reference):
        return None
    return TokenMinted(name=str(tokens[0]["name"]), expiry=date.fromisoformat(str(tokens[0]["expiry"])))


def mint_token(server: Server, step: MintToken) -> TokenMinted:
    """Make a token for the peer's user and put it straight into the vault.

    Tokens of this number or a later one whose secret we don't have are revoked first.
    """
    admin = _admin(server)
    for token in _ours(admin, step):
        revoke(admin, token)
    name = _next_name(admin, step)
    content = {"user": step.user, "name": name, "expiry": step.expiry.isoformat()}
    reply = admin.post("user/tokens/", content)
    secret = reply.get("token") if isinstance(reply, dict) else None
    if not isinstance(secret, str) or not secret or "*" in secret:
        raise OutcomeUnknown("InvenTree made a token, but did not show it.", "unreadable")
    server.vault.keep(step.reference, secret)
    if reply.get("user") != step.user:
        raise OutcomeUnknown("InvenTree made the token for another user.", "changed")
    return TokenMinted(name=str(reply.get("name") or name), expiry=date.fromisoformat(str(reply["expiry"])))


def try_token(server: Server, step: TryToken) -> TokenTried:
    """Read our own inventory under the token.

    Raises `Refusal` with reason unsafe-version (not for the peer's hands), no-token (none in the vault),
    too-much-right (it could do more than look), too-little-right (it can't even read stock).
    """
    may_be_given_away(server, for_peer=step.for_peer)
    secret = _secret(server, step.reference)
    if secret is None:
        raise Refusal("There is no token to try.", "no-token")
    return _tried(server.connect(server.settings.url, secret))


def _tried(transport: InvenTreeTransport) -> TokenTried:
    try:
        version, account = _known_by(transport)
        if account.superuser or account.staff or account.writes:
            raise Refusal("The token could do more than look at the inventory.", "too-much-right")
        if not all(account.may(role, "view") for role in VIEWED):
            raise Refusal("The token can't look at stock, parts, categories and locations.", "too-little-right")
        name, expiry = _itself(transport, version)
        return TokenTried(min(transport.count("stock/"), MOST_ITEMS), version.api, name[:LONGEST_NAME], expiry)
    finally:
        transport.close()


def _itself(transport: InvenTreeTransport, version: Version) -> tuple[str, date | None]:
    """The name and end of the token that the transport uses; '' and None where the server doesn't tell."""
    rows = transport.rows("user/tokens/") if version.tells_tokens else []
    row = next((row for row in rows if row.get("in_use")), None)
    if row is None or not row.get("expiry"):
        return "", None
    return str(row.get("name") or ""), date.fromisoformat(str(row["expiry"]))


def find_token_revoked(server: Server, step: RevokeToken) -> TokenRevoked | None:
    """Probe of `RevokeToken`: no token of that name is good."""
    return None if _named(_admin(server), step) else TokenRevoked()


def revoke_token(server: Server, step: RevokeToken) -> TokenRevoked:
    """Revoke the token of that name; its row stays, inactive."""
    admin = _admin(server)
    for token in _named(admin, step):
        revoke(admin, token)
    if _named(admin, step):
        raise OutcomeUnknown(f"The token {step.name} is still good.", "changed")
    return TokenRevoked()


def _named(admin: InvenTreeTransport, step: RevokeToken) -> list[dict[str, Any]]:
    return [token for token in active_tokens(admin, step.user) if token.get("name") == step.name]


def _known_by(transport: InvenTreeTransport) -> tuple[Version, Account]:
    """The server's version, and whom it takes the token's bearer for."""
    try:
        transport.connect()
        version = Version(transport.api_version)
        return version, account_behind(transport, version)
    except NotPermitted:
        raise NotPermitted(f"InvenTree at {transport.host} does not accept the token.", "not-permitted") from None


def try_peers_token(vault: Vault, connect: PeerConnector, step: TryToken) -> TokenTried:
    """Read the peer's inventory under the token that it gave us. Our own InvenTree isn't needed for that.

    Raises as `try_token`.
    """
    try:
        secret = vault.read(step.reference)
    except LookupError:
        raise Refusal("There is no token to try.", "no-token") from None
    return _tried(connect(step.url, secret, step.private))


def find_token_tried(server: Server, step: TryToken) -> None:
    """Probe of `TryToken`: trying leaves no trace, so it is tried again."""
    del server, step


def _admin(server: Server) -> InvenTreeTransport:
    admin = server.superuser()
    if not server.version.makes_tokens:
        raise Refusal("This InvenTree can't make tokens for other users over REST.", "unsupported")
    return admin


def _secret(server: Server, reference: str) -> str | None:
    try:
        return server.vault.read(reference)
    except LookupError:
        return None


def _kept(server: Server, reference: str) -> bool:
    return bool(_secret(server, reference))


def _split(name: str) -> tuple[str, int]:
    """`fed-beta-1-2` as ('fed-beta-1-', 2)."""
    match = _NUMBERED.fullmatch(name)
    return (match["base"], int(match["number"])) if match else (f"{name}-", 0)


def _ours(admin: InvenTreeTransport, step: MintToken) -> list[dict[str, Any]]:
    """The user's active tokens of this number or a later one: what tries of this very step have made."""
    base, number = _split(step.name)
    found = []
    for token in active_tokens(admin, step.user):
        its_base, its_number = _split(str(token.get("name") or ""))
        if its_base == base and its_number >= number:
            found.append(token)
    return found


def _next_name(admin: InvenTreeTransport, step: MintToken) -> str:
    """The name with the first number from the step's own on that no token has had, revoked ones included."""
    base, number = _split(step.name)
    rows = admin.rows("user/tokens/", all_users="true")
    names = [_split(str(row.get("name") or "")) for row in rows if row.get("user") == step.user]
    used = [its_number for its_base, its_number in names if its_base == base and its_number >= number]
    return f"{base}{max(used, default=number - 1) + 1}"
