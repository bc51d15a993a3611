"""The nio client as we use it, and signing in: once, with the device id and token stored.

The bot doesn't log in at every start. Synapse locks the account for minutes after about four logins in a row, and from
a new device, sending again would post a second message.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import nio

from fedbot.config.values import trusting
from fedbot.files import write_whole
from fedbot.logs import keep_secret
from fedbot.matrix.errors import answered, nothing_foreign
from fedbot.ports.chat import ChatLimited, ChatProblem, ChatRefused, ChatSignedOut
from fedbot.ports.journal import JournalUnwritable
from fedbot.ports.vault import Folder

log = logging.getLogger(__name__)

REQUESTS_AT_ONCE = 8
"""For one bot that shares its connections with others: its long poll, and what it sends and reads beside that."""
_FILE = "matrix.json"
_EARLIER = "matrix-earlier.json"
_MINUTE = 60

# --- The nio client as we use it: quiet, without retries, and without its own picture of rooms.


class NioClient(nio.AsyncClient):  # type: ignore[misc]  # nio has no types
    """One homeserver, one account.

    Nio's own view of rooms isn't kept: it is wrong for room version 12, costs memory, and an odd event could make it
    fail in the middle of a sync. Its sync token isn't kept either, because only the journal's counts.
    """

    may_act: Callable[[], None] = staticmethod(lambda: None)
    """Called before each request that changes something; raises `LeaseLost` if another worker may be doing so too."""
    client_session: aiohttp.ClientSession | None
    shared: aiohttp.ClientSession | None = None
    """The connections that all bots of this process share, if they do."""
    _at_once: AbstractAsyncContextManager[object] = nullcontext()

    def share(self, session: aiohttp.ClientSession) -> None:
        """Use these shared connections, a few at a time. `close` leaves them open."""
        self.shared = self.client_session = session
        self._at_once = asyncio.Semaphore(REQUESTS_AT_ONCE)

    async def send(self, method: str, *given: Any, **named: Any) -> Any:  # noqa: ANN401 -- nio has no types
        """One request, sent by nio; see `may_act`."""
        if method != "GET":
            self.may_act()
        async with self._at_once:
            return await super().send(method, *given, **named)

    async def close(self) -> None:
        """Close our own connections."""
        if self.shared is not None:
            self.client_session = None
        await super().close()

    async def receive_response(self, response: nio.Response) -> None:
        """Let nio take in every response except a sync."""
        if not isinstance(response, nio.SyncResponse):
            await super().receive_response(response)

    async def ask(
        self, act: str, method: str, path: list[str], content: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """A request for which nio has no call, or only one that hides errors; return the answer as JSON.

        `act`: see `errors.answered`, which also lists the errors.
        """
        found: dict[str, Any] = await self._asked(act, _Answer, method, path, content)
        return found

    async def state(self, room: str) -> list[dict[str, Any]]:
        """A room's current state, as events; raises as `ask` does.

        Nio's own call refuses all of it for one odd event.
        """
        found = await self._asked(f"reading the state of {room}", _List, "GET", ["rooms", room, "state"])
        return [event for event in found if isinstance(event, dict)]

    async def _asked(
        self, act: str, kind: type[_Answer], method: str, path: list[str], content: Mapping[str, Any] | None = None
    ) -> Any:  # noqa: ANN401 -- of the class that `kind` names
        async def call() -> object:
            async with asyncio.timeout(float(self.config.request_timeout)):
                way = nio.Api._build_path(path)  # noqa: SLF001
                body = None if content is None else nio.Api.to_json(content)
                return await self._send(kind, method, way, body)

        return (await answered(act, call, kind)).content

    async def join(self, room: str, via: Sequence[str] = ()) -> nio.Response:
        """Join a room that our homeserver may not know, through servers that do. Nio's own call can't name any."""
        servers = [("via", server) for server in via] + [("server_name", server) for server in via]  # newer, older
        path = nio.Api._build_path(["join", room]) + (f"?{urlencode(servers)}" if servers else "")  # noqa: SLF001
        return await self._send(nio.JoinResponse, "POST", path)


class _Answer(nio.Response):  # type: ignore[misc]  # nio has no types
    """The homeserver's answer: a JSON object."""

    shape: type = dict

    def __init__(self, content: Any) -> None:  # noqa: ANN401 -- of that shape
        super().__init__()
        self.content = content

    @classmethod
    def from_dict(cls, parsed: Any) -> nio.Response:  # noqa: ANN401 -- whatever JSON came
        """The answer, or the error that it contains."""
        tells_error = isinstance(parsed, dict) and "errcode" in parsed
        is_good = isinstance(parsed, cls.shape) and not tells_error
        return cls(parsed) if is_good else nio.ErrorResponse.from_dict(parsed)


class _List(_Answer):
    """An answer that is a list."""

    shape = list


def new_client(
    homeserver: str,
    user: str = "",
    device_id: str = "",
    *,
    certificate: Path | None = None,
    request_timeout: float = 20,
    session: aiohttp.ClientSession | None = None,
) -> NioClient:
    """A client that isn't signed in yet.

    Args:
        homeserver: its URL.
        user: Matrix id or its local part.
        device_id: the account's device, if it has one; transaction ids count per device.
        certificate: CA file for a homeserver with a self-made certificate.
        request_timeout: seconds that a request may take; a sync waits longer, by its own time.
        session: connections that are shared with other bots; None: its own.
    """
    # At DEBUG nio logs whole responses, including a login's token, and at ERROR the contents of events.
    logging.getLogger("nio").setLevel(logging.CRITICAL)
    config = nio.AsyncClientConfig(
        max_limit_exceeded=0,
        max_timeouts=0,
        request_timeout=request_timeout,
        store_sync_tokens=False,
        encryption_enabled=False,
    )
    context = trusting(certificate, public=False) if certificate else None
    client = NioClient(homeserver.rstrip("/"), user, device_id, config=config, ssl=context)
    if session is not None:
        client.share(session)
    return client


def shared_connections() -> aiohttp.ClientSession:
    """Connections for many bots. Each bot limits its own requests, and no bot's cookie is sent for another."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar(), raise_for_status=False
    )


# --- Signing in, with the session kept in a file.


@dataclass(frozen=True)
class Account:
    """The credentials for signing in: `password`, or an access token that somebody created for the bot.

    `user` is the Matrix id or its local part; with a token it may be empty.
    """

    homeserver: str
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    device_name: str = "fedbot"
    certificate: Path | None = None
    request_timeout: float = 20
    session: aiohttp.ClientSession | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Session:
    """A signed-in device."""

    homeserver: str
    user_id: str
    device_id: str
    token: str = field(repr=False)

    def is_of(self, account: Account) -> bool:
        """Whether it is a session of that account, at the same address of its homeserver."""
        is_there = self.homeserver.rstrip("/") == account.homeserver.rstrip("/")
        return is_there and account.user in ("", self.user_id, self.user_id.removeprefix("@").partition(":")[0])


@nothing_foreign
async def sign_in(account: Account, folder: Folder) -> tuple[Session, NioClient]:
    """The session kept in `folder` if its token is still valid; else a new one, on the same device.

    The caller closes the client.

    Raises:
        ChatSignedOut: the token is no longer valid and there is no password.
        ChatLimited: too many logins; the text says how long to wait.
        ChatRefused: wrong password, or the folder belongs to another account.
        ChatUnreachable: the homeserver doesn't answer; nothing else was tried.
    """
    kept = read_session(folder)
    _refuse_other_account(account, kept)
    client = _client_of(account, kept.user_id, kept.device_id) if kept else _client_of(account)
    try:
        session = await _session(account, kept, client)
        if session != kept:
            keep_session(folder, session)
    except BaseException:
        await client.close()
        raise
    return session, client


@nothing_foreign
async def sign_in_anew(account: Account, folder: Folder) -> tuple[Session, NioClient]:
    """Sign in as a new device with the password. Note an earlier device of ours, to sign it out later.

    Raises `ChatRefused` without a password, and the errors of `sign_in`.
    """
    if not account.password:
        raise ChatRefused(
            "The bot's Matrix token belongs to a device whose keys for encrypted rooms the bot doesn't have: another "
            "client made them, or they were lost, or come from a backup. Give the bot its password "
            "(matrix.password_file): by that it makes a device of its own.",
            "device-taken",
        )
    kept = read_session(folder)
    client = _client_of(account)
    try:
        session = await _log_in(account, client)
        if kept is not None and kept.token != account.token:
            keep_session(folder, kept, _EARLIER)
        keep_session(folder, session)
    except BaseException:
        await client.close()
        raise
    log.warning("signed in as a new device, %s, as the keys of the earlier one are not here", session.device_id)
    return session, client


@nothing_foreign
async def sign_out_earlier(account: Account, folder: Folder) -> None:
    """Sign out our earlier device, so nobody encrypts for it any more. If that fails, it is tried again later."""
    earlier = read_session(folder, _EARLIER)
    if earlier is None:
        return
    client = _client_of(replace(account, request_timeout=10, session=None), earlier.user_id, earlier.device_id)
    client.access_token = earlier.token
    try:
        await answered("signing out the earlier device", client.logout, nio.LogoutResponse)
    except ChatSignedOut:
        log.info("the earlier device was signed out already")
    except ChatProblem as problem:
        log.warning("%s", problem.text)
        return
    finally:
        await client.close()
    (folder / _EARLIER).unlink()


def _client_of(account: Account, user: str = "", device_id: str = "") -> NioClient:
    """A client for this account, by default as the user that the settings name."""
    return new_client(
        account.homeserver,
        user or account.user,
        device_id,
        certificate=account.certificate,
        request_timeout=account.request_timeout,
        session=account.session,
    )


async def _session(account: Account, kept: Session | None, client: NioClient) -> Session:
    tokens = [token for token in (kept.token if kept else "", account.token) if token]
    problem: ChatSignedOut | None = None
    for token in dict.fromkeys(tokens):
        try:
            return await _who_am_i(account, token, client)
        except ChatSignedOut as error:
            problem = error
    if account.password:
        return await _log_in(account, client)
    if problem:
        raise ChatSignedOut(
            "The Matrix access token is no longer good. Make a new one, or give the bot its password.",
            problem.code,
        )
    raise ChatSignedOut("There is neither a password nor an access token for the bot's Matrix account.")


async def _who_am_i(account: Account, token: str, client: NioClient) -> Session:
    client.access_token = token
    answer = await answered("signing in", client.whoami, nio.WhoamiResponse)
    client.user_id = answer.user_id
    _refuse_other_user(account, answer.user_id)
    # A token may have been created without a device; then there is none to remember.
    client.device_id = answer.device_id or ""
    return Session(account.homeserver, answer.user_id, answer.device_id or "", token)


async def _log_in(account: Account, client: NioClient) -> Session:
    client.access_token = ""
    try:
        answer = await answered(
            "signing in",
            lambda: client.login(account.password, device_name=account.device_name),
            nio.LoginResponse,
        )
    except ChatLimited as error:
        raise ChatLimited(
            f"The homeserver takes no more logins of this account for {duration(error.retry_after)}. "
            "Wait that long, then start again.",
            error.code,
            error.retry_after,
        ) from error
    keep_secret(answer.access_token)
    return Session(account.homeserver, answer.user_id, answer.device_id, answer.access_token)


def read_session(folder: Folder, name: str = _FILE) -> Session | None:
    """The session kept in the folder, or None.

    Raises:
        ChatRefused: there is a file, but it can't be read as a session.
    """
    try:
        kept = json.loads((folder / name).read_text())
        keep_secret(kept["token"])
        return Session(kept["homeserver"], kept["user_id"], kept["device_id"], kept["token"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ChatRefused(
            f"{folder / name} can't be read as a Matrix session. Restore it from a backup; without one, "
            "remove it: the bot then signs in as a new device.",
            "damaged-session",
        ) from error


def keep_session(folder: Folder, session: Session, name: str = _FILE) -> None:
    """Write the session, whole or not at all, with mode 0600. Raises `JournalUnwritable`."""
    kept = {
        "homeserver": session.homeserver,
        "user_id": session.user_id,
        "device_id": session.device_id,
        "token": session.token,
    }
    try:
        write_whole(folder / name, json.dumps(kept).encode())
    except OSError as problem:
        raise JournalUnwritable(f"{folder / name} can't be written: {problem.strerror}") from problem


def forget_session(folder: Path) -> None:
    """Remove the session from the folder."""
    (folder / _FILE).unlink(missing_ok=True)


def _refuse_other_account(account: Account, kept: Session | None) -> None:
    if kept is None:
        return
    if kept.homeserver.rstrip("/") != account.homeserver.rstrip("/"):
        # It may be the same account at another address, but the bot never sends a token to another server by itself.
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


def duration(seconds: float) -> str:
    """A span of time in short, such as 3 min 52 s."""
    minutes, rest = divmod(round(seconds), _MINUTE)
    if not minutes:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
