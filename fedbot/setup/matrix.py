"""Looking at a homeserver and creating the bot's account and rooms for `fedbot init`."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import nio

from fedbot.inventree.client.transport import FOREIGN, verification
from fedbot.logs import keep_secret
from fedbot.matrix.client import invitations_filter, invitations_of
from fedbot.matrix.errors import answered
from fedbot.matrix.keys import KEYS
from fedbot.matrix.login import Account, NioClient, Session, sign_in
from fedbot.matrix.room import MEMBER, PARTY, RoomPicture, content_of
from fedbot.ports.chat import ChatLimited, ChatProblem, ChatRefused, ChatUnreachable
from fedbot.setup.asking import BadAnswer
from fedbot.setup.inventree import SECONDS, client_trusting, trouble

POWER_LEVELS: dict[str, Any] = {
    "events": {
        PARTY: 0,
        "m.room.power_levels": 100,
        "m.room.encryption": 100,
        "m.room.history_visibility": 100,
        "m.room.server_acl": 100,
        "m.room.tombstone": 100,
    }
}
"""Each bot may announce its space, and the invited admins may upgrade the room."""

ENCRYPTED = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}

USER_ID = re.compile(r"@([!-9;-~]+):([A-Za-z0-9.\-:\[\]]+)")
_DUMMY, _BY_TOKEN = "m.login.dummy", "m.login.registration_token"
_TOKEN = re.compile(r"(syt_|mct_|mat_|MDAx)\S+")


@dataclass(frozen=True)
class Homeserver:
    """The address of a homeserver, its ways of signing in, and whether anybody may register there.

    `open_by_token`: with a registration token of its admin.
    """

    url: str
    ca: str = ""
    takes_passwords: bool = True
    by_sso: bool = False
    open_to_all: bool = False
    open_by_token: bool = False

    def client(self) -> httpx.Client:
        """A client without an account."""
        verify = verification(self.url, self.ca)
        return httpx.Client(base_url=self.url, verify=verify, timeout=SECONDS, trust_env=False)


def find(server: str, said: str = "") -> Homeserver:
    """The homeserver of users `@…:server`, by `.well-known`, or at the address `said`, which a CA file may follow.

    Raises `BadAnswer`.
    """
    address, _, ca = said.partition(" ")
    if address.startswith("/"):
        address, ca = "", said
    with client_trusting(ca.strip()) as client:
        url = (address or _well_known(client, server) or f"https://{server}").rstrip("/")
        try:
            response = client.get(f"{url}/_matrix/client/versions")
            is_matrix = response.is_success and "versions" in response.json()
        except FOREIGN as error:
            raise BadAnswer(f"{trouble(error, url)} {_advice(server)}") from None
        if not is_matrix:
            raise BadAnswer(f"{url} answers, but not as a Matrix homeserver does. {_advice(server)}")
    return _ways(Homeserver(url, ca.strip()))


def _advice(server: str) -> str:
    return f"If the homeserver is elsewhere, add its address after the id: @bot:{server} https://matrix.{server}"


def _well_known(client: httpx.Client, server: str) -> str:
    """The address that the server's own domain announces; '' if none."""
    try:
        found = client.get(f"https://{server}/.well-known/matrix/client").json()
        told = found["m.homeserver"]["base_url"]
    except (*FOREIGN, KeyError, TypeError):
        return ""
    return str(told)


def _ways(homeserver: Homeserver) -> Homeserver:
    with homeserver.client() as client:
        try:
            flows = client.get("/_matrix/client/v3/login").json().get("flows", [])
            types = {flow.get("type") for flow in flows}
            # without a session it answers with its flows; a server with closed registration answers M_FORBIDDEN
            asked = client.post("/_matrix/client/v3/register", json={}).json().get("flows", [])
        except (*FOREIGN, AttributeError) as error:
            raise BadAnswer(f"{homeserver.url} sent an answer that I can't read ({type(error).__name__}).") from None
    ways = [set(flow.get("stages", ["?"])) for flow in asked]
    return Homeserver(
        homeserver.url,
        homeserver.ca,
        takes_passwords="m.login.password" in types,
        by_sso=bool(types & {"m.login.sso", "m.login.cas"}),
        open_to_all=any(stages <= {_DUMMY} for stages in ways),
        open_by_token=any(_BY_TOKEN in stages and stages <= {_BY_TOKEN, _DUMMY} for stages in ways),
    )


def is_free(homeserver: Homeserver, local: str) -> bool:
    """Whether somebody could register an account of that name now."""
    if not (homeserver.open_to_all or homeserver.open_by_token):
        return False
    with homeserver.client() as client:
        try:
            found = client.get("/_matrix/client/v3/register/available", params={"username": local}).json()
        except FOREIGN:
            return False
    return isinstance(found, dict) and found.get("available") is True


def registers(homeserver: Homeserver, token: str) -> bool:
    """Whether that is a registration token which the homeserver accepts."""
    if not (homeserver.open_by_token and token):
        return False
    with homeserver.client() as client:
        try:
            path = "/_matrix/client/v1/register/m.login.registration_token/validity"
            found = client.get(path, params={"token": token}).json()
        except FOREIGN:
            return False
    return isinstance(found, dict) and found.get("valid") is True


def register(homeserver: Homeserver, local: str, token: str = "") -> str:
    """Register the account, with a registration token if necessary; return its random password. Raises `BadAnswer`."""
    password = secrets.token_urlsafe(24)
    keep_secret(password)
    content: dict[str, Any] = {"username": local, "password": password, "inhibit_login": True}
    with homeserver.client() as client:
        try:
            session = client.post("/_matrix/client/v3/register", json=content).json().get("session")
            stages = [{"type": _BY_TOKEN, "token": token}] if token else []
            for stage in (*stages, {"type": _DUMMY}):
                content["auth"] = {**stage, "session": session}
                answer = client.post("/_matrix/client/v3/register", json=content)
                if answer.is_success:  # some servers only ask for the token
                    break
            said = "" if answer.is_success else str(answer.json().get("error", ""))
        except (*FOREIGN, AttributeError) as error:
            raise BadAnswer(trouble(error, homeserver.url) if isinstance(error, FOREIGN) else str(error)) from None
    if not answer.is_success:
        raise BadAnswer(f"The homeserver doesn't register it: {said or answer.status_code}")
    return password


def sso_address(homeserver: Homeserver) -> str:
    """The address where a person signs in as the bot in a browser, which ends at an address with a login token."""
    return (
        f"{homeserver.url}/_matrix/client/v3/login/sso/redirect?redirectUrl={quote('http://localhost/fedbot', safe='')}"
    )


def token_by_sso(homeserver: Homeserver, said: str, user: str) -> str:
    """The access token of a new device, from the address at which the browser ended. Raises `BadAnswer`."""
    login_token = "".join(parse_qs(urlsplit(said).query).get("loginToken", []))
    if not login_token:
        raise BadAnswer("That address has no loginToken. Copy the whole address at which the browser ended.")
    content = {"type": "m.login.token", "token": login_token, "initial_device_display_name": "fedbot"}
    with homeserver.client() as client:
        try:
            answer = client.post("/_matrix/client/v3/login", json=content)
            found = answer.json()
            token, signed_in = str(found.get("access_token", "")), str(found.get("user_id", ""))
        except (*FOREIGN, AttributeError) as error:
            raise BadAnswer(trouble(error, homeserver.url) if isinstance(error, FOREIGN) else str(error)) from None
    if not token:
        raise BadAnswer(f"The homeserver doesn't accept it ({found.get('error', answer.status_code)}). Sign in again.")
    keep_secret(token)
    if signed_in != user:
        raise BadAnswer(f"The browser has signed in as {signed_in}, not as {user}. Use a private window.")
    return token


def is_token(secret: str) -> bool:
    """Whether that looks like an access token rather than a password."""
    return bool(_TOKEN.fullmatch(secret))


@dataclass(frozen=True)
class RoomFound:
    """A room that the bot is in or invited to. `members`: Matrix ids with display names; empty for an invitation."""

    id: str
    name: str = ""
    inviter: str = ""
    joined: bool = True
    members: Mapping[str, str] = field(default_factory=dict)
    bots: frozenset[str] = frozenset()
    may_announce: bool = False
    may_change_power: bool = False
    may_talk: bool = True
    replaced: bool = False

    def __str__(self) -> str:
        by = f", invited by {self.inviter}" if self.inviter else ""
        return f"{self.name or self.id}{by}"


class LoginRefused(BadAnswer):
    """The homeserver doesn't take this password or token, or has no such account."""


class Bot:
    """The bot's account, signed in; must be closed. Methods raise `ports.ChatProblem`."""

    def __init__(self, session: Session, client: NioClient) -> None:
        self.session = session
        self.user_id = session.user_id
        self._client = client

    @classmethod
    async def sign_in(cls, account: Account, folder: Path) -> Self:
        """Sign in like the bot itself: its identity folder keeps the session.

        Raises `BadAnswer`, `ChatLimited`, `ChatUnreachable`.
        """
        try:
            session, client = await sign_in(account, folder)
        except (ChatLimited, ChatUnreachable):
            raise
        except ChatProblem as problem:
            if isinstance(problem, ChatRefused) and problem.code == "M_FORBIDDEN":
                text = "The homeserver refuses the login: the password is wrong, or there is no such account."
                raise LoginRefused(text) from None
            raise BadAnswer(problem.text) from None
        return cls(session, client)

    async def close(self, *, sign_out: bool = False) -> None:
        """Close the client. `sign_out` also ends the session, after a dry run for example."""
        try:
            if sign_out:
                await self.sign_out()
        finally:
            await self._client.close()

    async def sign_out(self) -> None:
        """End the session."""
        await answered("signing out", self._client.logout, nio.LogoutResponse)

    async def is_taken(self, folder: Path) -> bool:
        """Whether its device has encryption keys that aren't in this folder, or the token has no device."""
        device = self._client.device_id
        if not device or (folder / KEYS).exists():
            return not device
        content = {"device_keys": {self.user_id: [device]}}
        found = await self._client.ask("looking at the device", "POST", ["keys", "query"], content)
        return device in found.get("device_keys", {}).get(self.user_id, {})

    async def rooms(self) -> list[RoomFound]:
        """The rooms that the bot is in, and its invitations."""
        joined = await answered("listing rooms", self._client.joined_rooms, nio.JoinedRoomsResponse)
        found = [await self.room(room) for room in joined.rooms]
        self._client.next_batch = ""
        response = await answered(
            "looking for invitations",
            lambda: self._client.sync(timeout=0, sync_filter=invitations_filter()),
            nio.SyncResponse,
        )
        found += [self._invited(room, events) for room, events in invitations_of(response).items()]
        return [room for room in found if not room.replaced]

    async def room(self, room: str) -> RoomFound:
        """The room as its state describes it."""
        state = await self._client.state(room)
        picture = RoomPicture.of(state)
        seen, names = picture.seen(room, self.user_id, _NOW), picture.members()
        invited = {user: user for user in picture.readers() if user not in names}
        return RoomFound(
            room,
            seen.name,
            inviter=_inviter(state, self.user_id),
            members={user: name for user, name in (names | invited).items() if user != self.user_id},
            bots=frozenset(key for kind, key in picture.state if kind == PARTY and key != self.user_id),
            may_announce=seen.may_announce,
            may_change_power=picture.may(self.user_id, "m.room.power_levels", state=True),
            may_talk=seen.may_talk and seen.may_react,
            replaced=bool(seen.replaced_by),
        )

    def _invited(self, room: str, events: tuple[Mapping[str, Any], ...]) -> RoomFound:
        name = RoomPicture.of(events).seen(room, self.user_id, _NOW).name
        return RoomFound(room, name, inviter=_inviter(events, self.user_id), joined=False)

    async def knows(self, user: str) -> bool:
        """Whether the homeserver knows this user."""
        try:
            # nio's own call mistakes an error for a profile
            await self._client.ask(f"looking for {user}", "GET", ["profile", user])
        except ChatRefused as problem:
            return problem.code not in ("M_NOT_FOUND", "M_UNKNOWN")  # Synapse answers the second one
        except ChatProblem:
            return True  # the user's homeserver is away
        return True

    async def join(self, room: RoomFound) -> RoomFound:
        """Accept the invitation."""
        via = [room.inviter.partition(":")[2]] if room.inviter else []
        await answered(f"joining {room.id}", lambda: self._client.join(room.id, via), nio.JoinResponse)
        joined = await self.room(room.id)
        return joined if joined.inviter else replace(joined, inviter=room.inviter)

    async def make_room(self, name: str, invite: list[str]) -> RoomFound:
        """Create a private, encrypted room with the invited people as its admins, where all bots may announce."""
        made = await answered(
            f"creating the room {name}",
            lambda: self._client.room_create(
                name=name,
                preset=nio.RoomPreset.trusted_private_chat,
                invite=invite,
                initial_state=[ENCRYPTED],
                power_level_override=POWER_LEVELS,
            ),
            nio.RoomCreateResponse,
        )
        return await self.room(made.room_id)

    async def invite(self, room: str, user: str) -> None:
        """Invite a user into one of the bot's rooms."""
        await answered(f"inviting {user}", lambda: self._client.room_invite(room, user), nio.RoomInviteResponse)

    async def leave(self, room: str) -> None:
        """Leave a room. Leaving twice is no error."""
        await answered(f"leaving {room}", lambda: self._client.room_leave(room), nio.RoomLeaveResponse)

    async def let_announce(self, room: str) -> None:
        """Let every member announce its space in a room whose power levels we may change."""
        path = ["rooms", room, "state", "m.room.power_levels", ""]
        levels = await self._client.ask(f"reading {room}", "GET", path)
        levels["events"] = {**levels.get("events", {}), PARTY: 0}
        await self._client.ask(f"changing the power levels of {room}", "PUT", path, levels)


_NOW = datetime.fromtimestamp(0, UTC)
"""`RoomPicture.seen` needs a moment; the value doesn't matter here."""


def _inviter(events: Iterable[Mapping[str, Any]], user: str) -> str:
    """The user who invited this one, from the room's state; '' if it isn't there (any more)."""
    own = next((each for each in events if each.get("type") == MEMBER and each.get("state_key") == user), None)
    if own is None:
        return ""
    if content_of(own).get("membership") == "invite":
        return str(own.get("sender", ""))
    before = own.get("unsigned", {}).get("prev_sender") if isinstance(own.get("unsigned"), dict) else ""
    return str(before or "")


def by_hand(local: str, homeserver: Homeserver) -> str:
    """The instructions for creating an account by hand if registration is closed."""
    return (
        f"{homeserver.url} lets nobody register by themselves. Its admin creates the account, on Synapse with: "
        f"register_new_matrix_user --no-admin -u {quote(local)} -c homeserver.yaml"
    )
