"""A homeserver with bad links: messages to each bot get lost, doubled, delayed or reordered.

State events always arrive. Troubles are counted in messages, so each run is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fedbot.matrix.room import MEMBER, Raw
from fedbot.matrix.sync import RawRoom, RawSync, Rooms
from fedbot.ports.chat import Batch, ChatLimited, ChatRefused, ChatUnreachable, Delivery
from fedbot.ports.clock import Clock
from tests.fakes.chat import FakeChat
from tests.fakes.homeserver import FakeHomeserver, FakeRoom
from tests.simulation.crashing import Fuse, Watched

SECOND_COPY = timedelta(seconds=20)
LONGEST_DELAY = timedelta(hours=2)


@dataclass
class Link:
    """The trouble for the next messages to one bot. `feed` is its view of the rooms."""

    feed: list[dict[str, Any]] = field(default_factory=list)
    arrived_at: dict[str, datetime] = field(default_factory=dict)
    lose: int = 0
    double: int = 0
    hold: int = 0
    hold_for: timedelta = timedelta(0)
    held: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)

    def heal(self) -> None:
        """Let everything arrive from now on; late messages stay late."""
        self.lose = self.double = self.hold = 0


class FaultyHomeserver(FakeHomeserver):
    """`kept` are the accounts with their own link (the bots)."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.links: dict[str, Link] = {}
        self._members: dict[str, set[str]] = {}
        self._by_id: dict[str, dict[str, Any]] = {}
        self._reacted: set[tuple[str, str, str]] = set()

    def keep(self, user: str) -> None:
        """Give this account a link of its own, from the beginning of its rooms."""
        link = self.links[user] = Link()
        rooms = {room for room, members in self._members.items() if user in members}
        for event in self.log:
            if event["room_id"] in rooms:
                self._arrives(link, event)

    def release(self) -> None:
        """Deliver the late messages that are due, in the order of their due times."""
        now = self.clock.now()
        for link in self.links.values():
            if link.held:
                due = [event for at, event in sorted(link.held, key=lambda entry: entry[0]) if at <= now]
                link.held = [(at, event) for at, event in link.held if at > now]
                for event in due:
                    self._arrives(link, event)

    def event(self, event_id: str) -> dict[str, Any]:
        found = self._by_id.get(event_id)
        if found is None:
            raise ChatRefused(f"no event {event_id}", "M_UNKNOWN")
        return found

    def membership(self, room: str, user: str) -> str:
        return "join" if user in self._members.get(room, ()) else super().membership(room, user)

    def view(self, user: str, since: int, *, full_state: bool) -> RawSync:
        """The account's view from that position of its feed, with all state of a room that it has just joined."""
        self.release()
        timelines: dict[str, list[Raw]] = {}
        entered: set[str] = set()
        for event in self.links[user].feed[since:]:
            timelines.setdefault(event["room_id"], []).append(event)
            if event["type"] == MEMBER and event.get("state_key") == user:
                entered.add(event["room_id"])
        rooms = [room for room in self.rooms.values() if user in self._members.get(room.id, ())]
        return RawSync(
            {
                room.id: RawRoom(
                    tuple(room.state.values()) if full_state or room.id in entered else (),
                    tuple(timelines.get(room.id, ())),
                )
                for room in rooms
                if full_state or room.id in timelines
            }
        )

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
        event_id = super()._append(room, user, kind, content, state_key, encrypted=encrypted, **more)
        event = self._by_id[event_id] = self.log[-1]
        members = self._members.setdefault(room.id, set())
        if kind == MEMBER and state_key is not None:
            (members.add if content.get("membership") == "join" else members.discard)(state_key)
        if kind == "m.reaction":
            relation = event["content"].get("m.relates_to", {})
            self._reacted.add((user, str(relation.get("event_id")), str(relation.get("key"))))
        for bot in sorted(members & self.links.keys()):
            self._carry(self.links[bot], event, sender_is_bot=bot == user)
        return event_id

    def _carry(self, link: Link, event: dict[str, Any], *, sender_is_bot: bool) -> None:
        if "state_key" in event or sender_is_bot:
            self._arrives(link, event)
        elif link.lose:
            link.lose -= 1
            link.lost.add(event["event_id"])
        elif link.hold:
            link.hold -= 1
            link.held.append((self.clock.now() + min(link.hold_for, LONGEST_DELAY), event))
        else:
            self._arrives(link, event)
            if link.double:
                link.double -= 1
                link.held.append((self.clock.now() + SECOND_COPY, event))

    def _arrives(self, link: Link, event: dict[str, Any]) -> None:
        link.feed.append(event)
        link.arrived_at.setdefault(event["event_id"], self.clock.now())

    def _check_reaction(self, user: str, room: str, content: Mapping[str, Any]) -> None:
        relation = content["m.relates_to"]
        if self.event(relation["event_id"])["room_id"] != room:
            raise ChatRefused("Relations must be in the same room", "M_UNKNOWN")
        if (user, relation["event_id"], relation["key"]) in self._reacted:
            raise ChatRefused("Can't send same reaction twice", "M_DUPLICATE_ANNOTATION")

    def redact(self, user: str, room: str, target: str, reason: str = "") -> str:
        event = self.event(target)
        relation = event["content"].get("m.relates_to", {})
        sent = super().redact(user, room, target, reason)
        if event["type"] == "m.reaction":
            self._reacted.discard((event["sender"], str(relation.get("event_id")), str(relation.get("key"))))
        return sent


class SimulatedChat(FakeChat):
    """A bot's account with its own link. A send is a point at which the process may crash.

    `sent_rows` maps outbox rows to events; `twice` are the rows that became more than one.
    """

    server: FaultyHomeserver

    def __init__(self, server: FaultyHomeserver, name: str, clock: Clock, fuse: Fuse, watched: Watched) -> None:
        super().__init__(server, name)
        self._clock = clock
        self._fuse = fuse
        self._watched = watched
        self.sent_rows: dict[int, str] = {}
        self.twice: list[int] = []

    def restarted(self) -> SimulatedChat:
        """The account as a new process sees it."""
        twin = object.__new__(SimulatedChat)
        twin.__dict__ = {**self.__dict__, "_rooms": Rooms(self.user_id), "_token": None, "deliveries": []}
        return twin

    async def sync(self, since: str | None, timeout: float) -> Batch:
        """The current events; never waits."""
        self._fail()
        asked_at = self._clock.now()
        fresh = since is None or since != self._token
        raw = self.server.view(self.user_id, int((since or "t0")[1:]), full_state=fresh)
        rooms = Rooms(self.user_id) if fresh else self._rooms
        events = rooms.read(raw, asked_at, initial=since is None)
        self._rooms, self._token = rooms, f"t{len(self.server.links[self.user_id].feed)}"
        return Batch(self._token, events, asked_at)

    async def send(self, delivery: Delivery) -> str:
        self._fuse.point("before a message is sent")
        if self.is_unreachable:
            raise ChatUnreachable("the homeserver doesn't answer")
        if self.limited_calls:
            self.limited_calls -= 1
            raise ChatLimited("too fast", "M_LIMIT_EXCEEDED", self.retry_after)
        if delivery.state_key is None:
            event_id = self.server.send(
                self.user_id,
                delivery.room,
                delivery.kind,
                delivery.content,
                device=self.device,
                transaction=delivery.transaction,
            )
        else:
            event_id = self.server.put_state(
                self.user_id, delivery.room, delivery.kind, delivery.state_key, delivery.content
            )
        row = self._watched.sending
        if self.sent_rows.setdefault(row, event_id) != event_id:
            self.twice.append(row)
        self._watched.sent(row, event_id)
        self._fuse.point("after a message is sent")
        if self.lost_answers:
            self.lost_answers -= 1
            raise ChatUnreachable("the answer got lost")
        return event_id
