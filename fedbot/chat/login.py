"""Who we are to the homeserver: sign in once, and keep device id and token in the identity folder.

A login per start is out: Synapse locks after about four in a row, for minutes, and a new device would make a
repeated send a second message (facts/matrix.md §2).
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import nio

from fedbot.chat.connection import Connection, connect
from fedbot.chat.errors import answered
from fedbot.ports import ChatLimited, ChatRefused, ChatSignedOut

_FILE = "matrix.json"
_MINUTE = 60


@dataclass(frozen=True)
class Account:
    """How to sign in: by `password`, or by an access token that somebody made for the bot.

    `user` is the Matrix id or its local part; with a token it may be empty.
    """

    homeserver: str
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    device_name: str = "fedbot"
    certificate: Path | None = None
    request_timeout: float = 20


@dataclass(frozen=True)
class Session:
    """A signed-in device."""

    homeserver: str
    user_id: str
    device_id: str
    token: str = field(repr=False)


async def sign_in(account: Account, folder: Path) -> tuple[Session, Connection]:
    """The session kept in `folder`, if its token is still good; else a new one, on the same device.

    The caller closes the connection.

    Raises:
        ChatSignedOut: the token is no longer good and there is no password.
        ChatLimited: too many logins; the text says how long to wait.
        ChatRefused: wrong password, or the folder belongs to another account.
        ChatUnreachable: the homeserver doesn't answer; nothing was tried beyond that.
    """
    kept = read_session(folder)
    _refuse_other_account(account, kept)
    connection = connect(
        account.homeserver,
        (kept.user_id if kept else "") or account.user,
        kept.device_id if kept else "",
        certificate=account.certificate,
        request_timeout=account.request_timeout,
    )
    try:
        session = await _session(account, kept, connection)
        if session != kept:
            keep_session(folder, session)
    except BaseException:
        await connection.close()
        raise
    return session, connection


async def _session(account: Account, kept: Session | None, connection: Connection) -> Session:
    tokens = [token for token in (kept.token if kept else "", account.token) if token]
    problem: ChatSignedOut | None = None
    for token in dict.fromkeys(tokens):
        try:
            return await _who_am_i(account, token, connection)
        except ChatSignedOut as error:
            problem = error
    if account.password:
        return await _log_in(account, connection)
    if problem:
        raise ChatSignedOut(
            "The Matrix access token is no longer good. Make a new one, or give the bot its password.",
            problem.code,
        )
    raise ChatSignedOut("There is neither a password nor an access token for the bot's Matrix account.")


async def _who_am_i(account: Account, token: str, connection: Connection) -> Session:
    connection.access_token = token
    answer = await answered("signing in", connection.whoami, nio.WhoamiResponse)
    connection.user_id = answer.user_id
    _refuse_other_user(account, answer.user_id)
    # Whoever made the token may have made it without a device; then there is none to remember.
    connection.device_id = answer.device_id or ""
    return Session(account.homeserver, answer.user_id, answer.device_id or "", token)


async def _log_in(account: Account, connection: Connection) -> Session:
    connection.access_token = ""
    try:
        answer = await answered(
            "signing in",
            lambda: connection.login(account.password, device_name=account.device_name),
            nio.LoginResponse,
        )
    except ChatLimited as error:
        raise ChatLimited(
            f"The homeserver takes no more logins of this account for {_duration(error.retry_after)}. "
            "Wait that long, then start again.",
            error.code,
            error.retry_after,
        ) from error
    return Session(account.homeserver, answer.user_id, answer.device_id, answer.access_token)


def read_session(folder: Path) -> Session | None:
    """The session kept in the folder, or None.

    Raises:
        ChatRefused: there is a file, but it can't be read as a session.
    """
    try:
        kept = json.loads((folder / _FILE).read_text())
        return Session(kept["homeserver"], kept["user_id"], kept["device_id"], kept["token"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ChatRefused(
            f"{folder / _FILE} can't be read as a Matrix session. Restore it from a backup; without one, "
            "remove it: the bot then signs in as a new device.",
            "damaged-session",
        ) from error


def keep_session(folder: Path, session: Session) -> None:
    """Write it whole or not at all, readable by the bot alone."""
    file = folder / _FILE
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        json.dump(
            {
                "homeserver": session.homeserver,
                "user_id": session.user_id,
                "device_id": session.device_id,
                "token": session.token,
            },
            out,
        )
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    """Make the rename durable; some file systems can't do that for a folder, and need not."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_other_account(account: Account, kept: Session | None) -> None:
    if kept is None:
        return
    if kept.homeserver.rstrip("/") != account.homeserver.rstrip("/"):
        # The same account may be reached by another address; a token never goes to another server unasked.
        raise ChatRefused(
            f"The identity folder belongs to {kept.user_id} at {kept.homeserver}, but the configuration says "
            f"{account.homeserver}. If it is the same homeserver at a new address, change it in {_FILE} too.",
            "other-account",
        )
    _refuse_other_user(account, kept.user_id)


def _refuse_other_user(account: Account, user_id: str) -> None:
    wanted = account.user
    if wanted and wanted not in (user_id, user_id.removeprefix("@").split(":", 1)[0]):
        raise ChatRefused(
            f"This identity folder or token belongs to {user_id}, but the configuration says {wanted}. "
            "Use the folder and token of that account.",
            "other-account",
        )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), _MINUTE)
    if not minutes:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
