"""The Matrix part of `fedbot check`, and `fedbot verify`: account, rooms, power levels, cross-signing."""

from __future__ import annotations

from collections.abc import Awaitable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import nio

from fedbot.check.findings import Finding, bad, good, people_of
from fedbot.config.settings import Settings
from fedbot.edge_settings import identity_beside, matrix_account
from fedbot.files import private_folder
from fedbot.matrix.cross_signing import has_others, take_over
from fedbot.matrix.errors import answered
from fedbot.matrix.keys import KEYS
from fedbot.matrix.login import NioClient, Session, sign_in
from fedbot.matrix.room import PARTY, RoomPicture
from fedbot.ports.chat import ChatLimited, ChatProblem, ChatRefused, ChatSignedOut, ChatUnreachable
from fedbot.ports.vault import Folder
from fedbot.rules.model.events import RoomSeen


class SignedIn(Protocol):
    """The bot's account, as a check needs it. Methods raise `ports.ChatProblem`."""

    user_id: str

    async def room_id(self, address: str) -> str:
        """The id of the room with this address (`#lending:example.org`)."""

    async def joined(self) -> frozenset[str]:
        """The rooms that the bot is in."""

    async def room(self, room: str) -> RoomSeen:
        """The bot's powers in a room that it has joined."""

    async def try_room(self, room: str) -> None:
        """Read the room's newest event, and send that the bot isn't typing, which nobody sees."""

    async def is_anothers(self) -> bool:
        """Whether another client created the account's cross-signing keys, so apps warn about our device."""


class SignedInByNio:
    """The bot's account on the real homeserver.

    It reads the rooms' state directly. Synapse answers a repeated first sync from its cache, so a power level that was
    just changed would be missing.
    """

    def __init__(self, session: Session, client: NioClient, keys: Folder) -> None:
        """`keys`: the folder of the encryption keys."""
        self.user_id = session.user_id
        self._client = client
        self._keys = keys

    async def is_anothers(self) -> bool:
        """Whether the account has cross-signing keys that differ from those in our folder."""
        return await has_others(self._client, self._keys)

    async def room_id(self, address: str) -> str:
        """The id behind an address."""
        found = await answered(
            f"looking for {address}",
            lambda: self._client.room_resolve_alias(address),
            nio.RoomResolveAliasResponse,
        )
        return str(found.room_id)

    async def joined(self) -> frozenset[str]:
        """The rooms that the bot is in."""
        rooms = await answered("listing rooms", self._client.joined_rooms, nio.JoinedRoomsResponse)
        return frozenset(rooms.rooms)

    async def try_room(self, room: str) -> None:
        """See `SignedIn`."""
        await answered(f"reading {room}", lambda: self._client.room_messages(room, limit=1), nio.RoomMessagesResponse)
        await answered(
            f"sending to {room}",
            lambda: self._client.room_typing(room, typing_state=False),
            nio.RoomTypingResponse,
        )

    async def room(self, room: str) -> RoomSeen:
        """The bot's powers by the room's state."""
        picture = RoomPicture.of(await self._client.state(room))
        return picture.seen(room, self.user_id, datetime.now(UTC))


async def matrix_findings(
    settings: Settings, signing_in: Awaitable[SignedIn], approvers: Collection[str] = ()
) -> list[Finding]:
    """Whether the bot can sign in and use its rooms. `signing_in` may raise `ChatProblem`.

    `approvers`: the Matrix ids of our people who may approve, if InvenTree has answered.
    """
    homeserver = settings.matrix.homeserver
    try:
        account = await signing_in
    except ChatProblem as problem:
        return [_not_signed_in(homeserver, problem)]
    found = [good("Matrix", f"signed in at {homeserver} as {account.user_id}")]
    try:
        found.append(_trust(anothers=await account.is_anothers()))
        found += await _rooms(settings, account, approvers)
    except ChatProblem as problem:
        found.append(bad("Matrix", problem.text, "try again; if it stays, ask the homeserver's admin"))
    return found


async def _rooms(settings: Settings, account: SignedIn, approvers: Collection[str]) -> list[Finding]:
    found: list[Finding] = []
    joined, people = await account.joined(), people_of(settings)
    somewhere: set[str] = set()
    is_everywhere = True
    for room in settings.rooms:
        seen = await _joined_room(account, room, joined)
        if isinstance(seen, Finding):
            found.append(seen)
            is_everywhere = False
            continue
        somewhere |= seen.members.keys()
        found += await _room(account, room, seen, people, approvers)
    missing = [person for person in people if person not in somewhere]
    if is_everywhere and missing and len(missing) < len(people):
        what = f"in none of the rooms: {', '.join(missing)}"
        found.append(good("people", what, "invite them into a shared room, where people ask and approve"))
    if settings.admin_room:
        found += await _admin_room(account, settings.admin_room, joined)
    return found


def _trust(*, anothers: bool) -> Finding:
    if not anothers:
        return good("Matrix encryption", "the bot works in encrypted rooms too, and signs its device for people's apps")
    what = "in encrypted rooms apps warn about the bot, because another client has created its account's keys"
    return good(
        "Matrix encryption",
        what,
        "fedbot verify replaces them with the bot's own, by its password; restart the bot after that",
    )


def _not_signed_in(homeserver: str, problem: ChatProblem) -> Finding:
    match problem:
        case ChatUnreachable():
            todo = "check that matrix.homeserver is right, and that this machine can reach it"
            return bad("Matrix", f"{homeserver} does not answer: {problem.text}", todo)
        case ChatLimited():
            return bad("Matrix account", problem.text, "wait that long; each earlier try starts the wait again")
        case ChatSignedOut():
            return bad("Matrix account", problem.text, "set matrix.password_file, or a new access token")
        case ChatRefused(code="other-account"):
            todo = "set matrix.homeserver and matrix.user back; another account needs a state folder of its own"
            return bad("Matrix account", problem.text, todo)
        case _:
            return bad("Matrix account", problem.text, "correct matrix.user, its password or its token")


async def _joined_room(account: SignedIn, room: str, joined: frozenset[str]) -> RoomSeen | Finding:
    """The room's state as the bot sees it, or a finding about why it sees none."""
    try:
        room_id = await account.room_id(room) if room.startswith("#") else room
    except ChatRefused as problem:
        return bad(
            f"room {room}",
            problem.text,
            "correct the address, or write the room's id (room settings, advanced)",
        )
    if room_id not in joined:
        # no problem: the bot joins by itself, but not before it runs
        todo = f"invite {account.user_id} into it; the bot joins as soon as it runs"
        return good(f"room {room}", "the bot is not in it yet", todo)
    return await account.room(room_id)


async def _room(
    account: SignedIn, room: str, seen: RoomSeen, people: Collection[str], approvers: Collection[str]
) -> list[Finding]:
    name = f"room {seen.name or room}"
    if seen.replaced_by:
        todo = f"write {seen.replaced_by} under rooms instead; the bot joins it by itself if it is allowed to"
        return [good(name, "it was upgraded: another room replaces it", todo)]
    if not (seen.may_talk and seen.may_react):
        return [bad(name, "the bot may not write or react there", f"give {account.user_id} a higher power level")]
    if problem := await _tried(account, name, seen):
        return [problem]
    found = []
    if not set(people) & set(seen.members):
        found.append(
            good(
                name,
                "none of your people is in it yet",
                "people ask and approve there: accept the invitation, or invite them",
            )
        )
    elif approvers and not set(approvers) & set(seen.members):
        todo = f"approvers decide there; invite one of them: {', '.join(approvers)}"
        found.append(good(name, "no approver is in it yet", todo))
    if not seen.may_announce:
        todo = f'in the room\'s power levels, set events["{PARTY}"] to 0; until then it announces by messages'
        return [*found, good(name, "the bot may write, but not announce the space in the room's state", todo)]
    return [*found, good(name, "the bot may write, react and announce the space")]


async def _tried(account: SignedIn, name: str, seen: RoomSeen) -> Finding | None:
    """The finding if reading or sending fails although the power levels allow it; None if both work."""
    try:
        await account.try_room(seen.room)
    except ChatRefused as problem:
        return bad(name, problem.text, "ask the homeserver's admin why it refuses that to the bot's account")
    return None


async def _admin_room(account: SignedIn, room: str, joined: frozenset[str]) -> list[Finding]:
    seen = await _joined_room(account, room, joined)
    if isinstance(seen, Finding):
        return [seen]
    name = f"admin room {seen.name or room}"
    if not seen.may_talk:
        return [bad(name, "the bot may not write there", f"give {account.user_id} a higher power level")]
    return [await _tried(account, name, seen) or good(name, "the bot may write")]


async def verify(settings: Settings) -> None:
    """Replace the account's cross-signing keys with our own, and sign our device. Raises `ChatProblem`.

    Needs the password. People who had verified the account must do so again. The device must be in use: start the bot
    once before.
    """
    account = matrix_account(settings)
    if not account.password:
        raise ChatRefused("That needs the password of the bot's account: matrix.password_file. Nothing was changed.")
    with identity_beside(settings) as folder:
        _, client = await sign_in(account, folder)
        keys = private_folder(folder / KEYS) if isinstance(folder, Path) else folder.within(KEYS)
        try:
            await take_over(client, keys, account.password)
        finally:
            await client.close()
