"""Our own two tokens: when they end, the next one made, tried and put into its file, and the old one revoked.

A token may get the next one for its own user: asked for by the same name it is the same
one again, so nothing is lost by a crash in between. The settings' file decides which one we use after a restart; it is
written whole or not at all, and only once the new token has proved good.
"""

from __future__ import annotations

import os
import stat
from datetime import date
from pathlib import Path
from typing import Any

from fedbot.config.secrets import token_in
from fedbot.files import write_whole
from fedbot.inventree.server import Server, account_behind
from fedbot.inventree.transport import InvenTreeTransport
from fedbot.logs import keep_secret
from fedbot.ports.inventory import NotPermitted, OutcomeUnknown, Refusal, Unavailable
from fedbot.rules.model.diagnosis import Fault, FileUnusable, Named, NameFault, Plain
from fedbot.rules.model.queries import OwnTokens, OwnTokensSeen, TokenSeen
from fedbot.rules.model.steps import OwnTokenRenewed, RenewOwnToken, RevokeOwnToken, TokenRevoked

ADMIN = "admin_token"


def own_tokens(server: Server, question: OwnTokens) -> OwnTokensSeen:
    """Our tokens, as far as the server tells of them (API >= 293). One that it doesn't accept is left out."""
    del question
    if not server.version.tells_tokens:
        return OwnTokensSeen(())
    found = []
    for setting, transport in _transports(server).items():
        try:
            row = _in_use(transport)
        except NotPermitted:
            continue  # `Overview` complains of a superuser's token that is no good
        if row is not None:
            found.append(TokenSeen(setting, str(row.get("name") or ""), int(row["id"]), _end(row)))
    return OwnTokensSeen(tuple(found))


def find_renewed(server: Server, step: RenewOwnToken) -> OwnTokenRenewed | None:
    """Probe of `RenewOwnToken`: the new one is in use already."""
    row = _in_use(_transport(server, step.setting))
    return _renewed(row) if row is not None and row.get("name") == step.name else None


def renew(server: Server, step: RenewOwnToken) -> OwnTokenRenewed:
    """Make the next token, try it, write it into its file, use it.

    Raises `Refusal`, the old one staying in use: no-file (it doesn't come from a file), not-writable (we may not
    replace the file, or it holds something else), unsupported (below API 325), or what the trial of
    the new one says.
    """
    transport = _transport(server, step.setting)
    file = _writable_file(server, step.setting)
    if not transport.uses_token(_read(file)):
        raise Refusal(Plain(Fault.ANOTHER_TOKEN_IN_FILE))
    if not server.version.makes_tokens:
        raise Refusal(Plain(Fault.OWN_TOKEN_UNSUPPORTED))
    reply = transport.get("user/token/", params={"name": step.name})
    secret = reply.get("token") if isinstance(reply, dict) else None
    if isinstance(secret, str):
        keep_secret(secret)
    if not isinstance(secret, str) or not secret or "*" in secret:
        raise Unavailable(Plain(Fault.TOKEN_NOT_SHOWN))
    _try(server, transport, secret)
    _replace(file, secret)
    transport.use_token(secret)
    row = _in_use(transport)
    if row is None or row.get("name") != step.name:
        raise OutcomeUnknown(Plain(Fault.NEW_TOKEN_UNUSED))
    return _renewed(row)


def find_revoked(server: Server, step: RevokeOwnToken) -> TokenRevoked | None:
    """Probe of `RevokeOwnToken`."""
    row = _row(_transport(server, step.setting), step.token)
    return TokenRevoked() if row is None or row.get("revoked") else None


def revoke(server: Server, step: RevokeOwnToken) -> TokenRevoked:
    """Revoke our own old token. Raises `Refusal` (in-use) if any of ours is still that one."""
    used = [_in_use(transport) for transport in _transports(server).values()]
    if any(row is not None and row.get("id") == step.token for row in used):
        raise Refusal(Plain(Fault.OLD_TOKEN_IN_USE))
    transport = _transport(server, step.setting)
    transport.delete(f"user/tokens/{step.token}/")
    if find_revoked(server, step) is None:
        raise OutcomeUnknown(Plain(Fault.OLD_TOKEN_GOOD))
    return TokenRevoked()


def _transports(server: Server) -> dict[str, InvenTreeTransport]:
    return {"token": server.api} | ({ADMIN: server.admin} if server.admin is not None else {})


def _transport(server: Server, setting: str) -> InvenTreeTransport:
    transport = _transports(server).get(setting)
    if transport is None:
        raise Refusal(Named(NameFault.SETTING_NOT_SET, setting))
    return transport


def _in_use(transport: InvenTreeTransport) -> dict[str, Any] | None:
    return next((row for row in transport.rows("user/tokens/") if row.get("in_use")), None)


def _row(transport: InvenTreeTransport, token: int) -> dict[str, Any] | None:
    return next((row for row in transport.rows("user/tokens/") if row.get("id") == token), None)


def _end(row: dict[str, Any]) -> date | None:
    return date.fromisoformat(str(row["expiry"])) if row.get("expiry") else None


def _renewed(row: dict[str, Any]) -> OwnTokenRenewed:
    return OwnTokenRenewed(str(row["name"]), int(row["id"]), _end(row))


def _try(server: Server, old: InvenTreeTransport, secret: str) -> None:
    """The new one must be the same user's, with the same rights."""
    trial = server.connect(server.settings.url, secret)
    try:
        before, now = account_behind(old, server.version), account_behind(trial, server.version)
        if before != now:
            raise Refusal(Plain(Fault.NEW_TOKEN_WEAKER))
    finally:
        trial.close()


# --- its file ------------------------------------------------------------------------------------------------


def _writable_file(server: Server, setting: str) -> Path:
    """The file behind the setting, if we may replace it. Links are followed: what they lead to is replaced."""
    named = server.settings.admin_token_file if setting == ADMIN else server.settings.token_file
    if named is None:
        raise Refusal(Named(NameFault.SETTING_NOT_IN_FILE, setting))
    file = named.resolve()
    if not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)) or file.is_mount():
        raise Refusal(Named(NameFault.FILE_STAYS, str(named)))
    return file


def _read(file: Path) -> str:
    try:
        return token_in(file.read_text("utf-8"))
    except OSError as problem:
        raise Refusal(FileUnusable(str(file), str(problem.strerror), written=False)) from None


def _replace(file: Path, secret: str) -> None:
    """The file holds this, durably, with the rights that it had; or is as it was."""
    try:
        write_whole(file, f"{secret}\n".encode(), stat.S_IMODE(file.stat().st_mode))
    except OSError as problem:
        raise Refusal(FileUnusable(str(file), str(problem.strerror), written=True)) from None
