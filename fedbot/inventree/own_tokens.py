"""Our own two tokens: before one expires, create the next, try it, store it in its file, and revoke the old one."""

from __future__ import annotations

import os
import stat
from datetime import date
from pathlib import Path
from typing import Any

from fedbot.config.secrets import token_in
from fedbot.files import write_whole
from fedbot.inventree.client.server import Server, account_behind
from fedbot.inventree.client.transport import InvenTreeTransport
from fedbot.inventree.peer_access import secret_in
from fedbot.ports.inventory import NotPermitted, OutcomeUnknown, Refusal, Unavailable
from fedbot.rules.model.diagnosis import Fault, FileUnusable, Named, NameFault, Plain
from fedbot.rules.model.queries import OwnTokens, OwnTokensSeen, TokenSeen
from fedbot.rules.model.steps import (
    OwnTokenRenewed,
    RenewOwnToken,
    RevokeOwnToken,
    TokenRevoked,
)

ADMIN = "admin_token"


def own_tokens(server: Server, query: OwnTokens) -> OwnTokensSeen:
    """Our tokens, if the server lists them (API >= 293). A token that it doesn't accept is left out."""
    del query
    if not server.version.tells_tokens:
        return OwnTokensSeen(())
    found = []
    for setting, transport in _own_transports(server).items():
        try:
            row = _token_in_use(transport)
        except NotPermitted:
            continue  # `Overview` reports a superuser's token that isn't valid
        if row is not None:
            found.append(TokenSeen(setting, str(row.get("name") or ""), int(row["id"]), _expiry(row)))
    return OwnTokensSeen(tuple(found))


def find_renewed(server: Server, step: RenewOwnToken) -> OwnTokenRenewed | None:
    """Probe of `RenewOwnToken`: the new one is already in use."""
    row = _token_in_use(_own_transport(server, step.setting))
    return _renewed_as(row) if row is not None and row.get("name") == step.name else None


def renew(server: Server, step: RenewOwnToken) -> OwnTokenRenewed:
    """Create the next token, try it, write it into its file, and use it.

    Raises `Refusal`, and keeps using the old one: no-file (it doesn't come from a file), not-writable (we may not
    replace the file, or it contains something else), unsupported (below API 325), or the trial's reason.
    """
    transport = _own_transport(server, step.setting)
    file = _writable_file(server, step.setting)
    if not transport.uses_token(_token_in_file(file)):
        raise Refusal(Plain(Fault.ANOTHER_TOKEN_IN_FILE))
    if not server.version.makes_tokens:
        raise Refusal(Plain(Fault.OWN_TOKEN_UNSUPPORTED))
    reply = transport.get("user/token/", params={"name": step.name})
    secret = secret_in(reply)
    if secret is None:
        raise Unavailable(Plain(Fault.TOKEN_NOT_SHOWN))
    _refuse_weaker(server, transport, secret)
    _write_token(file, secret)
    transport.use_token(secret)
    row = _token_in_use(transport)
    if row is None or row.get("name") != step.name:
        raise OutcomeUnknown(Plain(Fault.NEW_TOKEN_UNUSED))
    return _renewed_as(row)


def find_revoked(server: Server, step: RevokeOwnToken) -> TokenRevoked | None:
    """Probe of `RevokeOwnToken`."""
    row = _token_numbered(_own_transport(server, step.setting), step.token)
    return TokenRevoked() if row is None or row.get("revoked") else None


def revoke_own(server: Server, step: RevokeOwnToken) -> TokenRevoked:
    """Revoke our own old token. Raises `Refusal` (in-use) if the bot still uses it."""
    used = [_token_in_use(transport) for transport in _own_transports(server).values()]
    if any(row is not None and row.get("id") == step.token for row in used):
        raise Refusal(Plain(Fault.OLD_TOKEN_IN_USE))
    transport = _own_transport(server, step.setting)
    transport.delete(f"user/tokens/{step.token}/")
    if find_revoked(server, step) is None:
        raise OutcomeUnknown(Plain(Fault.OLD_TOKEN_GOOD))
    return TokenRevoked()


def _own_transports(server: Server) -> dict[str, InvenTreeTransport]:
    return {"token": server.api} | ({ADMIN: server.admin} if server.admin is not None else {})


def _own_transport(server: Server, setting: str) -> InvenTreeTransport:
    transport = _own_transports(server).get(setting)
    if transport is None:
        raise Refusal(Named(NameFault.SETTING_NOT_SET, setting))
    return transport


def _token_in_use(transport: InvenTreeTransport) -> dict[str, Any] | None:
    return next((row for row in transport.rows("user/tokens/") if row.get("in_use")), None)


def _token_numbered(transport: InvenTreeTransport, token: int) -> dict[str, Any] | None:
    return next((row for row in transport.rows("user/tokens/") if row.get("id") == token), None)


def _expiry(row: dict[str, Any]) -> date | None:
    return date.fromisoformat(str(row["expiry"])) if row.get("expiry") else None


def _renewed_as(row: dict[str, Any]) -> OwnTokenRenewed:
    return OwnTokenRenewed(str(row["name"]), int(row["id"]), _expiry(row))


def _refuse_weaker(server: Server, old: InvenTreeTransport, secret: str) -> None:
    """Check that the new token belongs to the same user, with the same permissions."""
    trial = server.connect(server.settings.url, secret)
    try:
        before, now = account_behind(old, server.version), account_behind(trial, server.version)
        if before != now:
            raise Refusal(Plain(Fault.NEW_TOKEN_WEAKER))
    finally:
        trial.close()


# --- the token's file ------------------------------------------------------------------------------------------


def _writable_file(server: Server, setting: str) -> Path:
    """The file that the setting names, if we may replace it. For a link, its target."""
    named = server.settings.admin_token_file if setting == ADMIN else server.settings.token_file
    if named is None:
        raise Refusal(Named(NameFault.SETTING_NOT_IN_FILE, setting))
    file = named.resolve()
    if not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)) or file.is_mount():
        raise Refusal(Named(NameFault.FILE_STAYS, str(named)))
    return file


def _token_in_file(file: Path) -> str:
    try:
        return token_in(file.read_text("utf-8"))
    except OSError as problem:
        raise Refusal(FileUnusable(str(file), str(problem.strerror), written=False)) from None


def _write_token(file: Path, secret: str) -> None:
    """Replace the file's content durably and keep its permissions, or change nothing."""
    try:
        write_whole(file, f"{secret}\n".encode(), stat.S_IMODE(file.stat().st_mode))
    except OSError as problem:
        raise Refusal(FileUnusable(str(file), str(problem.strerror), written=True)) from None
