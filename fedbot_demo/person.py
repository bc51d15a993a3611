"""A scripted person: a human's Matrix client without a screen, for the demo and the end-to-end tests.

It uses the client-server API directly rather than nio, because it must not repeat a mistake of the bots.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from fedbot_demo.client_server import ClientServerApi, quoted
from fedbot_demo.homeserver import Account
from fedbot_demo.room_event import RoomEvent, event_of

_LONG_POLL_S = 10.0
Found = TypeVar("Found")
#: Synapse returns at most 100 events of a room at once.
_PAGE = 100
_FILTER = {
    "presence": {"types": []},
    "account_data": {"types": []},
    "room": {
        "timeline": {"limit": _PAGE},
        "ephemeral": {"types": ["m.typing"]},
        "account_data": {"types": []},
    },
}


class Person:
    """A person with a Matrix client, who writes, reacts, and sees the events of all joined rooms.

    Every request waits as long as the homeserver's limits ask (429), at most `patience` seconds in all. `seen` holds
    the events in the order of their arrival.
    """

    def __init__(self, account: Account, *, patience: float = 60.0) -> None:
        self.user_id = account.user_id
        self.seen: list[RoomEvent] = []
        #: The rooms with an open invitation, and who sent each.
        self.invitations: dict[str, str] = {}
        self.rooms: set[str] = set()
        self._since: str | None = None
        self._syncing = asyncio.Lock()
        self._session = secrets.token_hex(4)
        self._counter = itertools.count()
        self._api = ClientServerApi(account.homeserver_url, account.access_token, patience=patience)

    async def __aenter__(self) -> Self:
        """Do nothing: the first request opens the connection."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()

    # ----------------------------------------------------------------------------------- rooms and members

    async def create_room(
        self,
        name: str,
        *,
        invite: Sequence[str] = (),
        preset: str = "private_chat",
        room_version: str | None = None,
        power_levels: Mapping[str, Any] | None = None,
        initial_state: Sequence[Mapping[str, Any]] = (),
        direct: bool = False,
    ) -> str:
        """Create a room; return its id. A key in `power_levels` replaces the preset's whole key (facts §2).

        Clients set `direct` when somebody begins a direct chat.
        """
        asked: dict[str, Any] = {
            "name": name,
            "is_direct": direct,
            "preset": preset,
            "invite": list(invite),
            "initial_state": list(initial_state),
        }
        if room_version:
            asked["room_version"] = room_version
        if power_levels:
            asked["power_level_content_override"] = power_levels
        return str((await self._api.ask("POST", "/createRoom", asked))["room_id"])

    async def invite(self, room: str, user_id: str) -> None:
        """Invite somebody into `room`."""
        await self._api.ask("POST", f"/rooms/{quoted(room)}/invite", {"user_id": user_id})

    async def join(self, room: str, *, via: Sequence[str] = ()) -> str:
        """Join by id or alias; `via` names homeservers to join through. Returns the room's id."""
        query = "&".join(f"via={quoted(server)}" for server in via)
        answer = await self._api.ask("POST", f"/join/{quoted(room)}" + (f"?{query}" if query else ""), {})
        return str(answer["room_id"])

    async def leave(self, room: str) -> None:
        """Leave `room`, or decline the invitation to it."""
        await self._api.ask("POST", f"/rooms/{quoted(room)}/leave", {})

    async def kick(self, room: str, user_id: str, reason: str = "") -> None:
        """Remove somebody from `room`."""
        await self._api.ask("POST", f"/rooms/{quoted(room)}/kick", {"user_id": user_id, "reason": reason})

    async def ban(self, room: str, user_id: str, reason: str = "") -> None:
        """Ban somebody from `room`."""
        await self._api.ask("POST", f"/rooms/{quoted(room)}/ban", {"user_id": user_id, "reason": reason})

    async def upgrade_room(self, room: str, room_version: str) -> str:
        """Replace `room` by a new one of another version (with a tombstone); return the new one's id."""
        answer = await self._api.ask("POST", f"/rooms/{quoted(room)}/upgrade", {"new_version": room_version})
        return str(answer["replacement_room"])

    async def members(self, room: str) -> set[str]:
        """The user ids of the members of `room`."""
        return set((await self._api.ask("GET", f"/rooms/{quoted(room)}/joined_members"))["joined"])

    # ----------------------------------------------------------------------------------------------- state

    async def state(self, room: str, kind: str, key: str = "") -> dict[str, Any]:
        """The content of one state event; raise MatrixError M_NOT_FOUND if there is none."""
        return await self._api.ask("GET", f"/rooms/{quoted(room)}/state/{quoted(kind)}/{quoted(key)}")

    async def set_state(self, room: str, kind: str, content: Mapping[str, Any], key: str = "") -> str:
        """Set one state event; return its id."""
        path = f"/rooms/{quoted(room)}/state/{quoted(kind)}/{quoted(key)}"
        return str((await self._api.ask("PUT", path, content))["event_id"])

    async def set_power_levels(
        self, room: str, *, users: Mapping[str, int] | None = None, events: Mapping[str, int] | None = None
    ) -> None:
        """Change the power levels of some users and event types, and leave all others."""
        levels = await self.state(room, "m.room.power_levels")
        for name, changes in (("users", users), ("events", events)):
            levels[name] = {**levels.get(name, {}), **(changes or {})}
        await self.set_state(room, "m.room.power_levels", levels)

    # ------------------------------------------------------------------------------- writing and reacting

    async def send(self, room: str, kind: str, content: Mapping[str, Any]) -> str:
        """Send any event into the timeline; return its id. A retry doesn't send it twice."""
        path = f"/rooms/{quoted(room)}/send/{quoted(kind)}/{self._transaction()}"
        return str((await self._api.ask("PUT", path, content))["event_id"])

    async def say(
        self,
        room: str,
        text: str,
        *,
        html: str | None = None,
        reply_to: str | None = None,
        thread: str | None = None,
        mentions: Sequence[str] = (),
    ) -> str:
        """Write a line, optionally as a reply, in a thread, or both; return its id."""
        content: dict[str, Any] = {"msgtype": "m.text", "body": text}
        if html is not None:
            content |= {"format": "org.matrix.custom.html", "formatted_body": html}
        if mentions:
            content["m.mentions"] = {"user_ids": list(mentions)}
        relation: dict[str, Any] = {}
        if thread:
            # clients without threads show the line as a reply to the thread's first event (specification, m.thread)
            relation |= {"rel_type": "m.thread", "event_id": thread, "is_falling_back": reply_to is None}
        if reply_to or thread:
            relation["m.in_reply_to"] = {"event_id": reply_to or thread}
            content["m.relates_to"] = relation
        return await self.send(room, "m.room.message", content)

    async def show(self, room: str, photo: bytes, *, reply_to: str) -> str:
        """Reply to an event with a JPEG, as a client does; return its id."""
        content = {
            "msgtype": "m.image",
            "body": "photo.jpg",
            "url": await self._api.upload(photo, "image/jpeg"),
            "info": {"mimetype": "image/jpeg", "size": len(photo)},
            "m.relates_to": {"m.in_reply_to": {"event_id": reply_to}},
        }
        return await self.send(room, "m.room.message", content)

    async def edit(self, room: str, event_id: str, text: str) -> str:
        """Replace the text of one's own message; return the edit's id."""
        return await self.send(
            room,
            "m.room.message",
            {
                "msgtype": "m.text",
                "body": f"* {text}",
                "m.new_content": {"msgtype": "m.text", "body": text},
                "m.relates_to": {"rel_type": "m.replace", "event_id": event_id},
            },
        )

    async def react(self, room: str, event_id: str, key: str) -> str:
        """React to an event with an emoji; return the reaction's id."""
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": key}
        return await self.send(room, "m.reaction", {"m.relates_to": relation})

    async def redact(self, room: str, event_id: str, reason: str = "") -> str:
        """Redact a message or a reaction; return the redaction's id."""
        path = f"/rooms/{quoted(room)}/redact/{quoted(event_id)}/{self._transaction()}"
        return str((await self._api.ask("PUT", path, {"reason": reason}))["event_id"])

    async def typing(self, room: str, *, seconds: float = 10.0) -> None:
        """Show the typing notification for some seconds; 0 removes it."""
        asked: dict[str, Any] = {"typing": seconds > 0}
        if seconds > 0:
            asked["timeout"] = int(seconds * 1000)
        await self._api.ask("PUT", f"/rooms/{quoted(room)}/typing/{quoted(self.user_id)}", asked)

    # --------------------------------------------------------------------------------- reading and waiting

    async def event(self, room: str, event_id: str) -> RoomEvent:
        """One event as the server has it now. A redacted event is empty; edits are in `source`'s unsigned part."""
        path = f"/rooms/{quoted(room)}/event/{quoted(event_id)}"
        return self._seen(room, await self._api.ask("GET", path))

    async def messages(self, room: str, *, most: int = 1000) -> list[RoomEvent]:
        """The newest `most` events of a room's timeline, oldest first, whether seen or not."""
        return await self._page_back(room, start=None, end=None, most=most)

    async def download(self, picture: RoomEvent) -> bytes:
        """Download the file of a message."""
        return await self._api.download(str(picture.content["url"]))

    async def notifications(self, *, only_highlights: bool = False) -> list[RoomEvent]:
        """This person's notifications, newest first, as the homeserver's push rules decide.

        With `only_highlights`, only highlights, for instance mentions. Reading a room removes its notifications.
        """
        query = f"/notifications?limit={_PAGE}" + ("&only=highlight" if only_highlights else "")
        rung = (await self._api.ask("GET", query))["notifications"]
        return [event_of(each["room_id"], each["event"]) for each in rung if not each["read"]]

    async def mark_read(self, room: str, event_id: str) -> None:
        """Send a read receipt for an event, which clears the notifications up to there."""
        await self._api.ask("POST", f"/rooms/{quoted(room)}/receipt/m.read/{quoted(event_id)}", {})

    async def wait_for(
        self,
        wanted: Callable[[RoomEvent], bool],
        timeout: float = 15.0,
        *,
        after: RoomEvent | None = None,
        what: str = "what was wanted",
    ) -> RoomEvent:
        """The first event, already seen or within `timeout` seconds, for which `wanted` holds.

        Args:
            wanted: A predicate for one event.
            timeout: Seconds.
            after: Only events that were seen after this one count.
            what: A name for the event, for the error's text.

        Raises:
            TimeoutError: It didn't come. The message holds the last events that did.
        """
        position = 0 if after is None else self.seen.index(after) + 1

        def look() -> RoomEvent | None:
            nonlocal position
            while position < len(self.seen):
                position += 1
                if wanted(self.seen[position - 1]):
                    return self.seen[position - 1]
            return None

        return await self._until(look, timeout, what)

    async def wait_for_invitation(self, room: str | None = None, timeout: float = 15.0) -> str:
        """The id of a room that this person is invited to (of `room`, if given)."""

        def look() -> str | None:
            if room is not None:
                return room if room in self.invitations else None
            return next(iter(self.invitations), None)

        return await self._until(look, timeout, "an invitation")

    async def _until(self, look: Callable[[], Found | None], timeout: float, what: str) -> Found:
        deadline = time.monotonic() + timeout
        while (found := look()) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                last = "".join(f"\n  {each.type} by {each.sender}: {each.content}" for each in self.seen[-8:])
                raise TimeoutError(f"{self.user_id} waited {timeout:g} s for {what}; last seen:{last}")
            await self.sync(min(left, _LONG_POLL_S))
        return found

    async def sync(self, wait: float = 0.0) -> None:
        """Read new events; wait up to `wait` seconds for one."""
        known = self._since
        async with self._syncing:
            if self._since != known:
                return  # another task of ours has read it already
            asked: dict[str, str] = {"filter": json.dumps(_FILTER), "timeout": str(int(wait * 1000))}
            if known is not None:
                asked["since"] = known
            answer = await self._api.ask("GET", f"/sync?{httpx.QueryParams(asked)}", long_poll=wait)
            await self._heed(answer)
            await self._take_in(answer)
            self._since = answer["next_batch"]

    async def _take_in(self, answer: Mapping[str, Any]) -> None:
        rooms = answer.get("rooms", {})
        for room, invited in rooms.get("invite", {}).items():
            self.invitations[room] = _inviter(invited["invite_state"]["events"], self.user_id)
        for room, joined in rooms.get("join", {}).items():
            self.invitations.pop(room, None)
            self.rooms.add(room)
            await self._take_in_timeline(room, joined["timeline"])
            self.seen += [event_of(room, each) for each in joined.get("ephemeral", {}).get("events", [])]
        for room, left in rooms.get("leave", {}).items():
            self.invitations.pop(room, None)
            self.rooms.discard(room)
            await self._take_in_timeline(room, left.get("timeline", {"events": []}))

    async def _take_in_timeline(self, room: str, timeline: Mapping[str, Any]) -> None:
        if timeline.get("limited") and self._since is not None:
            self.seen += await self._page_back(room, start=timeline["prev_batch"], end=self._since)
        self.seen += [self._seen(room, each) for each in timeline["events"]]

    async def _page_back(
        self, room: str, *, start: str | None, end: str | None, most: int | None = None
    ) -> list[RoomEvent]:
        """A room's events from `start` (None: now) back to `end` (None: the first), oldest first."""
        found: list[RoomEvent] = []
        while most is None or len(found) < most:
            asked = {"dir": "b", "limit": str(_PAGE)}
            asked |= {name: token for name, token in (("from", start), ("to", end)) if token}
            page = await self._api.ask("GET", f"/rooms/{quoted(room)}/messages?{httpx.QueryParams(asked)}")
            found += [self._seen(room, each) for each in page["chunk"]]
            start = page.get("end")
            if not start or not page["chunk"]:
                break
        return found[:most][::-1]

    async def _heed(self, answer: Mapping[str, Any]) -> None:
        """Handle the rest of a sync response. Without encryption there is nothing to handle."""

    def _seen(self, room: str, source: Mapping[str, Any]) -> RoomEvent:
        return event_of(room, source)

    def _transaction(self) -> str:
        return f"{self._session}-{next(self._counter)}"


def _inviter(stripped_state: Sequence[Mapping[str, Any]], invited: str) -> str:
    """The user who invited `invited`; empty if the homeserver doesn't say."""
    for each in stripped_state:
        if each["type"] == "m.room.member" and each["state_key"] == invited:
            return str(each["sender"])
    return ""
