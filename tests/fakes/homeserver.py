"""A homeserver in one process: rooms, memberships, power levels and transactions, as in Synapse.

One log holds the events of all rooms; a sync token is a position in it. The events are JSON of Synapse's shape.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from fedbot.matrix.content import BadContent, check
from fedbot.matrix.encryption import ENCRYPTED_TYPES
from fedbot.matrix.room import MEMBER, TOMBSTONE, Decrypted, Raw, RoomPicture, content_of, is_state
from fedbot.matrix.sync import RawRoom, RawSync
from fedbot.ports.chat import ChatRefused
from fedbot.ports.clock import Clock
from tests.fakes.clock import FakeClock

SERVER = "twin.test"
_MODERATOR = 50
_FIRST_VERSION_WITHOUT_SERVER_IN_IDS = 12

Loses = Callable[[str, Raw], bool]


LAST_LINES = 50


@dataclass
class FakeRoom:
    """One room. `picture` holds only the state that bots need; `state` holds all of it."""

    id: str
    name: str
    picture: RoomPicture = field(default_factory=RoomPicture)
    state: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)


class FakeHomeserver:
    """All rooms and accounts. A message for which `loses(user, event)` is true never reaches that user,
    unless it is their own.

    A message for which `withholds(user, event)` is true reaches that user only once it is false, as after an outage.
    `typed` lists all typing notifications as (user, room, seconds), `media` the files by address, `instances` the last
    process that claimed each account, `addresses` where a room's address leads, and `behind` is the homeserver's lag
    behind the bots' clocks.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.behind = timedelta()
        self.rooms: dict[str, FakeRoom] = {}
        self.names: dict[str, str] = {}
        self.log: list[dict[str, Any]] = []
        self.typed: list[tuple[str, str, int]] = []
        self.media: dict[str, bytes] = {}
        self.addresses: dict[str, str] = {}
        self.loses: Loses = lambda _user, _event: False
        self.withholds: Loses = lambda _user, _event: False
        self._held: dict[str, list[dict[str, Any]]] = {}
        self.instances: dict[str, str] = {}
        self.marks: dict[str, int] = {}
        self._waiting: list[asyncio.Future[None]] = []
        self._transactions: dict[tuple[str, str, str], str] = {}

    # --- accounts and rooms --------------------------------------------------------------------------------

    def user_id(self, name: str) -> str:
        """The Matrix id of the account of that name, whether it exists or not."""
        return f"@{name}:{SERVER}"

    def account(self, name: str, display_name: str = "") -> str:
        """Create an account; return its Matrix id."""
        user = self.user_id(name)
        if user in self.names:
            raise ValueError(f"{user} exists")
        self.names[user] = display_name or name.capitalize()
        return user

    def create_room(
        self,
        creator: str,
        name: str,
        *,
        version: str = "12",
        power: Mapping[str, Any] | None = None,
        predecessor: str = "",
    ) -> FakeRoom:
        """A private room as a person's client creates it; `power` overrides the preset's power levels."""
        number = f"!room{len(self.rooms) + 1}"
        infinite = int(version) >= _FIRST_VERSION_WITHOUT_SERVER_IN_IDS
        room = FakeRoom(number if infinite else f"{number}:{SERVER}", name)
        self.rooms[room.id] = room
        before = {"predecessor": {"room_id": predecessor}} if predecessor else {}
        self._append(room, creator, "m.room.create", {"room_version": version, **before}, "")
        self._append(room, creator, MEMBER, self._membership("join", creator), creator)
        levels = {
            "users": {} if infinite else {creator: 100},
            "events": {"m.room.power_levels": 100, "m.room.encryption": 100, TOMBSTONE: 150 if infinite else 100},
            **(power or {}),
        }
        self._append(room, creator, "m.room.power_levels", levels, "")
        self._append(room, creator, "m.room.name", {"name": name}, "")
        return room

    def room(self, room: str) -> FakeRoom:
        """The room with that id. Raises `ChatRefused`, as for a room of which one isn't a member."""
        if room not in self.rooms:
            raise ChatRefused(f"no room {room}", "M_FORBIDDEN")
        return self.rooms[room]

    def membership(self, room: str, user: str) -> str:
        """'join', 'invite', 'leave' or 'ban'; '' if there was never one."""
        raw = self.room(room).state.get((MEMBER, user), {})
        return str(content_of(raw).get("membership", ""))

    # --- what an account does ------------------------------------------------------------------------------

    def send(
        self,
        user: str,
        room: str,
        kind: str,
        content: Mapping[str, Any],
        *,
        device: str,
        transaction: str,
        encrypts: bool = True,
    ) -> str:
        """Send a message event. The same device, room and transaction return the first event, whatever the content.

        In an encrypted room, readers get it decrypted, unless the sender's app doesn't encrypt.
        """
        known = self._transactions.get((device, room, transaction))
        if known:
            return known
        self._needs_power(user, room, kind, state=False)
        clean = _checked(content)
        self._check_relation(room, clean)
        if kind == "m.reaction":
            self._check_reaction(user, room, clean)
        place = self.room(room)
        encrypted = encrypts and kind in ENCRYPTED_TYPES and place.picture.encrypted
        sent = self._append(place, user, kind, clean, encrypted=encrypted)
        self._transactions[(device, room, transaction)] = sent
        return sent

    def upload(self, content: bytes, kind: str, name: str) -> str:
        """Store a file; the same file again gets another address."""
        address = f"mxc://{SERVER}/{len(self.media) + 1}"
        self.media[address] = content
        return address

    def put_state(self, user: str, room: str, kind: str, state_key: str, content: Mapping[str, Any]) -> str:
        """Send a state event; the same content again is the same event."""
        self._needs_power(user, room, kind, state=True)
        if state_key.startswith("@") and state_key != user:
            raise ChatRefused("You are not allowed to set others state", "M_FORBIDDEN")
        clean = _checked(content)
        before = self.room(room).state.get((kind, state_key))
        if before and before["content"] == clean:
            return str(before["event_id"])
        return self._append(self.room(room), user, kind, clean, state_key)

    def redact(self, user: str, room: str, target: str, reason: str = "") -> str:
        """Redact one's own event, or as a moderator anyone's. Its content is gone for everybody."""
        self._needs_power(user, room, "m.room.redaction", state=False)
        event = self.event(target)
        if event["sender"] != user and not self._may_moderate(user, room):
            raise ChatRefused("You don't have permission to redact events", "M_FORBIDDEN")
        sent = self._append(
            self.room(room), user, "m.room.redaction", {"redacts": target, "reason": reason}, redacts=target
        )
        event["content"] = {}
        event["unsigned"] = {"redacted_because": self.event(sent)}
        return sent

    def invite(self, user: str, room: str, other: str, *, direct: bool = False) -> None:
        """Invite somebody; `direct` is set for a direct chat, as clients do."""
        self._needs_membership(user, room)
        content = self._membership("invite", other) | ({"is_direct": True} if direct else {})
        self._append(self.room(room), user, MEMBER, content, other)

    def join(self, user: str, room: str) -> None:
        """Join, if invited; do nothing if already a member."""
        membership = self.membership(room, user)
        if membership == "join":
            return
        if membership != "invite":
            raise ChatRefused("You are not invited to this room.", "M_FORBIDDEN")
        self._append(self.room(room), user, MEMBER, self._membership("join", user), user)

    def rename(self, user: str, display_name: str) -> None:
        """Change the display name in all rooms of the account."""
        self.names[user] = display_name
        for room in self.rooms.values():
            if self.membership(room.id, user) == "join":
                self._append(room, user, MEMBER, self._membership("join", user), user)

    def leave(self, user: str, room: str) -> None:
        """Leave, or decline an invitation."""
        if self.membership(room, user) not in ("join", "invite"):
            raise ChatRefused(f"{user} is not in {room}", "M_FORBIDDEN")
        self._append(self.room(room), user, MEMBER, {"membership": "leave"}, user)

    def remove(self, user: str, room: str, other: str, reason: str = "", *, ban: bool = False) -> None:
        """Kick or ban."""
        if not self._may_moderate(user, room):
            raise ChatRefused("You don't have permission to kick", "M_FORBIDDEN")
        content = {"membership": "ban" if ban else "leave", "reason": reason}
        self._append(self.room(room), user, MEMBER, content, other)

    # --- what an account sees ------------------------------------------------------------------------------

    @property
    def position(self) -> int:
        """The end of the log, which is the next sync token."""
        return len(self.log)

    def event(self, event_id: str) -> dict[str, Any]:
        """The event as it is now. Raises `ChatRefused`."""
        for event in self.log:
            if event["event_id"] == event_id:
                return event
        raise ChatRefused(f"no event {event_id}", "M_UNKNOWN")

    def sent_by(self, user: str) -> list[dict[str, Any]]:
        """All events that count against the user's rate limit: messages, reactions, redactions, state."""
        return [event for event in self.log if event["sender"] == user and event["type"] != MEMBER]

    def sync(self, user: str, since: int | None, *, full_state: bool) -> RawSync:
        """The events since that position, as a sync response without gaps.

        For a room that the user has just joined, it includes the last messages.
        """
        start = since or 0
        join: dict[str, RawRoom] = {}
        leave: dict[str, RawRoom] = {}
        invite: dict[str, tuple[Raw, ...]] = {}
        for room in self.rooms.values():
            timeline = self._arrived(user, [event for event in self.log[start:] if event["room_id"] == room.id], room)
            was_in = self._membership_at(room.id, user, start) == "join"
            own = [event for event in timeline if event.get("state_key") == user and event["type"] == MEMBER]
            state = () if was_in and not full_state else self._state_at(room.id, start)
            match self.membership(room.id, user):
                case "join" if timeline or full_state:
                    if since is not None and not was_in:
                        timeline = [event for event in self.log if event["room_id"] == room.id][-LAST_LINES:]
                    join[room.id] = RawRoom(state, self._visible(user, timeline))
                case "invite" if own or full_state or since is None:
                    invite[room.id] = self._invitation(room, user)
                case "leave" | "ban" if own and since is not None:
                    until = timeline[: timeline.index(own[-1]) + 1]
                    leave[room.id] = RawRoom(state, self._visible(user, until))
        return RawSync(join, leave, invite)

    def _arrived(self, user: str, new: list[dict[str, Any]], room: FakeRoom) -> list[dict[str, Any]]:
        """The events that reach the user now: the new ones, and those withheld before."""
        coming = [event for event in self._held.get(user, []) if event["room_id"] == room.id] + new
        late = [event for event in coming if not is_state(event) and self.withholds(user, event)]
        elsewhere = [event for event in self._held.get(user, []) if event["room_id"] != room.id]
        self._held[user] = elsewhere + late
        return [event for event in coming if event not in late]

    def timeline(self, user: str, room: str) -> tuple[Raw, ...]:
        """All events in the room."""
        self._needs_membership(user, room)
        return self._visible(user, [event for event in self.log if event["room_id"] == room])

    def next_event(self) -> asyncio.Future[None]:
        """A future that is done at the next event in any room."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        return waiting

    # --- inside --------------------------------------------------------------------------------------------

    def _append(
        self,
        room: FakeRoom,
        user: str,
        kind: str,
        content: Mapping[str, Any],
        state_key: str | None = None,
        *,
        encrypted: bool = False,
        **more: str,
    ) -> str:
        event: dict[str, Any] = {
            "type": kind,
            "event_id": f"$event{len(self.log) + 1:05d}",
            "room_id": room.id,
            "sender": user,
            "origin_server_ts": round((self.clock.now() - self.behind).timestamp() * 1000),
            "content": dict(content),
            **more,
        }
        if state_key is not None:
            event["state_key"] = state_key
            before = room.state.get((kind, state_key))
            event["unsigned"] = {"prev_content": before["content"]} if before else {}
            room.state[(kind, state_key)] = event
            room.picture.apply(event)
        self.log.append(_decrypted(event, len(self.log)) if encrypted else event)
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()
        return str(event["event_id"])

    def _membership(self, membership: str, user: str) -> dict[str, Any]:
        return {"membership": membership, "displayname": self.names[user]}

    def _membership_at(self, room: str, user: str, position: int) -> str:
        own = [
            event
            for event in self.log[:position]
            if event["room_id"] == room and event["type"] == MEMBER and event.get("state_key") == user
        ]
        return str(own[-1]["content"]["membership"]) if own else ""

    def _state_at(self, room: str, position: int) -> tuple[Raw, ...]:
        state = {
            (event["type"], event["state_key"]): event
            for event in self.log[:position]
            if event["room_id"] == room and is_state(event)
        }
        return tuple(state.values())

    def _visible(self, user: str, timeline: list[dict[str, Any]]) -> tuple[Raw, ...]:
        return tuple(
            event for event in timeline if is_state(event) or event["sender"] == user or not self.loses(user, event)
        )

    def _invitation(self, room: FakeRoom, user: str) -> tuple[Raw, ...]:
        """The stripped state of an invitation, without ids and times, as Synapse sends it."""
        shown = (room.state[("m.room.name", "")], room.state[(MEMBER, user)])
        return tuple({key: raw[key] for key in ("type", "state_key", "sender", "content")} for raw in shown)

    def _needs_membership(self, user: str, room: str) -> None:
        if self.membership(room, user) != "join":
            raise ChatRefused(f"User {user} not in room {room}", "M_FORBIDDEN")

    def _needs_power(self, user: str, room: str, kind: str, *, state: bool) -> None:
        self._needs_membership(user, room)
        if not self.room(room).picture.may(user, kind, state=state):
            raise ChatRefused("You don't have permission to post that to the room", "M_FORBIDDEN")

    def _may_moderate(self, user: str, room: str) -> bool:
        """Kick, ban, redact others' events and send state need power level 50 by default."""
        self._needs_membership(user, room)
        return self.room(room).picture.may(user, "m.room.topic", state=True)

    def _check_relation(self, room: str, content: Mapping[str, Any]) -> None:
        target = content.get("m.relates_to", {}).get("event_id", "")
        if any(event["event_id"] == target and event["room_id"] != room for event in self.log):
            raise ChatRefused("Relations must be in the same room", "M_UNKNOWN")

    def _check_reaction(self, user: str, room: str, content: Mapping[str, Any]) -> None:
        relation = content["m.relates_to"]
        self.event(relation["event_id"])
        for event in self.log:
            same = event["type"] == "m.reaction" and event["sender"] == user
            if same and event["content"].get("m.relates_to") == relation:
                raise ChatRefused("Can't send same reaction twice", "M_DUPLICATE_ANNOTATION")


def _decrypted(event: dict[str, Any], number: int) -> Decrypted:
    """The event as decrypted. Each person's client uses one key in each room."""
    decrypted = Decrypted(event)
    decrypted.session, decrypted.index = f"{event['sender']} {event['room_id']}", number
    return decrypted


def _checked(content: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return check(dict(content))
    except BadContent as error:
        code = "M_TOO_LARGE" if "bytes" in str(error) else "M_BAD_JSON"
        raise ChatRefused(str(error), code) from error
