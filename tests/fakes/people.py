"""People on the in-memory homeserver and their view of a room, for tests that read as conversations."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fedbot.matrix.room import TOMBSTONE
from tests.fakes.homeserver import FakeHomeserver, FakeRoom


@dataclass(frozen=True)
class Message:
    """A message as a client shows it now: its newest valid edit and its reactions."""

    event_id: str
    sender: str
    name: str
    text: str
    html: str = ""
    is_notice: bool = False
    is_edited: bool = False
    mentions: tuple[str, ...] = ()
    reply_to: str = ""
    thread: str = ""
    envelope: Mapping[str, Any] | None = None
    reactions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __str__(self) -> str:
        taps = "".join(f" [{key} {', '.join(names)}]" for key, names in self.reactions.items())
        return f"{self.name}: {self.text}{taps}"


class RoomView:
    """A person's view of a room."""

    def __init__(self, server: FakeHomeserver, room: FakeRoom) -> None:
        self.server = server
        self.id = room.id

    def messages(self, *, sender: str = "") -> list[Message]:
        """All messages that aren't redacted, in order, optionally of one sender."""
        return [
            self._shown(event)
            for event in self._events("m.room.message")
            if event["content"] and not _relation(event, "m.replace") and sender in ("", event["sender"])
        ]

    def message(self, containing: str) -> Message:
        """The newest message that contains this text. Raises `AssertionError` with the transcript."""
        found = [message for message in self.messages() if containing in message.text]
        assert found, f"nobody said {containing!r}:\n{self.transcript()}"
        return found[-1]

    def answers(self, to: str | Message) -> list[Message]:
        """The replies to a message and the messages in its thread."""
        target = _id(to)
        return [message for message in self.messages() if target in (message.reply_to, message.thread)]

    def edits(self, of: Message) -> list[str]:
        """The texts that edits gave the message, in order."""
        return [edit["content"]["m.new_content"]["body"] for edit in self._edits(of.event_id, of.sender)]

    def edit_events(self, of: Message) -> list[str]:
        """The ids of the edit events, which clients hide."""
        return [str(edit["event_id"]) for edit in self._edits(of.event_id, of.sender)]

    def transcript(self) -> str:
        """The whole conversation, a message a line."""
        return "\n".join(map(str, self.messages()))

    def envelopes(self, *, sender: str = "") -> list[Mapping[str, Any]]:
        """All protocol messages in order, shown or not."""
        events = (event for event in self.server.log if event["room_id"] == self.id)
        return [
            event["content"]["dev.fedbot"]
            for event in events
            if "dev.fedbot" in event["content"] and sender in ("", event["sender"])
        ]

    def _events(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.server.log if event["room_id"] == self.id and event["type"] == kind]

    def _edits(self, event_id: str, sender: str) -> list[dict[str, Any]]:
        """The edits of a message by its sender."""
        found = self._events("m.room.message")
        return [edit for edit in found if _relation(edit, "m.replace") == event_id and edit["sender"] == sender]

    def _shown(self, event: dict[str, Any]) -> Message:
        edits = [edit["content"]["m.new_content"] for edit in self._edits(event["event_id"], event["sender"])]
        content = edits[-1] if edits else event["content"]
        relation = event["content"].get("m.relates_to", {})
        return Message(
            event_id=event["event_id"],
            sender=event["sender"],
            name=self.server.names[event["sender"]],
            text=content["body"],
            html=content.get("formatted_body", ""),
            is_notice=content["msgtype"] == "m.notice",
            is_edited=bool(edits),
            mentions=tuple(event["content"].get("m.mentions", {}).get("user_ids", ())),
            reply_to=relation.get("m.in_reply_to", {}).get("event_id", ""),
            thread=_relation(event, "m.thread"),
            envelope=content.get("dev.fedbot"),
            reactions=self._reactions(event["event_id"]),
        )

    def _reactions(self, target: str) -> dict[str, tuple[str, ...]]:
        taps: dict[str, tuple[str, ...]] = {}
        for event in self._events("m.reaction"):
            relation = event["content"].get("m.relates_to", {})
            if relation.get("event_id") == target:
                taps[relation["key"]] = (*taps.get(relation["key"], ()), self.server.names[event["sender"]])
        return taps


class Person:
    """A person with a Matrix client. `room` is the default for all methods.

    `app_encrypts`: whether the client encrypts in encrypted rooms.

    All methods return event ids where they send one, and raise `ChatRefused` as a homeserver would.
    """

    def __init__(self, server: FakeHomeserver, name: str, display_name: str = "") -> None:
        self.server = server
        user_id = server.user_id(name)
        self.user_id = user_id if user_id in server.names else server.account(name, display_name)
        self.room = ""
        self.app_encrypts = True
        # a second client of the same person counts from another start
        self._transactions = itertools.count(len(server.log))

    def creates(
        self, name: str, *, version: str = "12", power: Mapping[str, Any] | None = None, predecessor: str = ""
    ) -> RoomView:
        """Create a room, which becomes this person's default; `predecessor` is the room that it replaces."""
        room = self.server.create_room(self.user_id, name, version=version, power=power, predecessor=predecessor)
        self.room = self.room or room.id
        return RoomView(self.server, room)

    def says(
        self,
        text: str,
        *,
        room: str = "",
        reply_to: str | Message = "",
        thread: str | Message = "",
        mentions: Sequence[str] = (),
    ) -> str:
        """Write a line, optionally as a reply or in a thread."""
        content: dict[str, Any] = {"msgtype": "m.text", "body": text, "m.mentions": {}}
        if mentions:
            content["m.mentions"] = {"user_ids": list(mentions)}
        answered = {"m.in_reply_to": {"event_id": _id(reply_to) or _id(thread)}}
        if thread:
            falls_back = not reply_to
            relation = {"rel_type": "m.thread", "event_id": _id(thread), "is_falling_back": falls_back}
            content["m.relates_to"] = {**relation, **answered}
        elif reply_to:
            content["m.relates_to"] = answered
        return self.sends("m.room.message", content, room=room)

    def shows(
        self,
        photo: bytes,
        *,
        caption: str = "",
        reply_to: str | Message = "",
        thread: str | Message = "",
        **content: object,
    ) -> str:
        """Send a picture as a client does, optionally as a reply or in a thread."""
        address = self.server.upload(photo, "image/jpeg", "photo.jpg")
        whole: dict[str, Any] = {
            "msgtype": "m.image",
            "body": caption or "photo.jpg",
            "filename": "photo.jpg",
            "url": address,
        }
        whole |= {"info": {"size": len(photo), "mimetype": "image/jpeg"}, **content}
        answered = {"m.in_reply_to": {"event_id": _id(reply_to) or _id(thread)}}
        if thread:
            relation = {"rel_type": "m.thread", "event_id": _id(thread), "is_falling_back": not reply_to}
            whole["m.relates_to"] = {**relation, **answered}
        elif reply_to:
            whole["m.relates_to"] = answered
        return self.sends("m.room.message", whole)

    def edits(self, line: str | Message, text: str, *, room: str = "") -> str:
        """Edit a line. A homeserver lets anyone send an edit of anyone's message."""
        words = {"msgtype": "m.text", "body": text}
        content = {
            "msgtype": "m.text",
            "body": f"* {text}",
            "m.new_content": words,
            "m.relates_to": {"rel_type": "m.replace", "event_id": _id(line)},
        }
        return self.sends("m.room.message", content, room=room)

    def reacts(self, line: str | Message, key: str, *, room: str = "") -> str:
        """React with an emoji."""
        relation = {"rel_type": "m.annotation", "event_id": _id(line), "key": key}
        return self.sends("m.reaction", {"m.relates_to": relation}, room=room)

    def renames_to(self, display_name: str) -> None:
        """Change the display name in all rooms. Anybody may take any name."""
        self.server.rename(self.user_id, display_name)

    def takes_back(self, event: str | Message, reason: str = "", *, room: str = "") -> str:
        """Redact a reaction or line; that of somebody else needs power."""
        return self.server.redact(self.user_id, room or self.room, _id(event), reason)

    def sends(self, kind: str, content: Mapping[str, Any], *, room: str = "") -> str:
        """Send any event."""
        transaction = f"m{next(self._transactions)}"
        place = room or self.room
        return self.server.send(
            self.user_id,
            place,
            kind,
            content,
            device=self.user_id,
            transaction=transaction,
            encrypts=self.app_encrypts,
        )

    def invites(self, user: str, *, room: str = "") -> None:
        self.server.invite(self.user_id, room or self.room, user)

    def opens_direct_chat(self, user: str) -> RoomView:
        """Open a direct chat with somebody, as a client does."""
        room = self.server.create_room(self.user_id, "")
        self.server.invite(self.user_id, room.id, user, direct=True)
        return RoomView(self.server, room)

    def joins(self, room: str | RoomView) -> None:
        """Accept an invitation; the person's first room becomes the default."""
        place = room if isinstance(room, str) else room.id
        self.server.join(self.user_id, place)
        self.room = self.room or place

    def leaves(self, *, room: str = "") -> None:
        self.server.leave(self.user_id, room or self.room)

    def kicks(self, user: str, reason: str = "", *, room: str = "") -> None:
        self.server.remove(self.user_id, room or self.room, user, reason)

    def bans(self, user: str, reason: str = "", *, room: str = "") -> None:
        self.server.remove(self.user_id, room or self.room, user, reason, ban=True)

    def unbans(self, user: str, *, room: str = "") -> None:
        """Lift the ban; the account isn't a member, but can be invited again."""
        self.server.remove(self.user_id, room or self.room, user)

    def sets(self, kind: str, content: Mapping[str, Any], state_key: str = "", *, room: str = "") -> str:
        """Send a state event: a name, power levels, encryption."""
        return self.server.put_state(self.user_id, room or self.room, kind, state_key, content)

    def sets_power(
        self,
        *,
        users: Mapping[str, int] | None = None,
        events: Mapping[str, int] | None = None,
        room: str = "",
        **levels: int,
    ) -> str:
        """Change power levels: of users, of kinds of events, or by name (`events_default=50`)."""
        old = self.server.room(room or self.room).state[("m.room.power_levels", "")]["content"]
        new = {
            **old,
            **levels,
            "users": {**old.get("users", {}), **(users or {})},
            "events": {**old.get("events", {}), **(events or {})},
        }
        return self.sets("m.room.power_levels", new, room=room)

    def upgrades(self, *, room: str = "", version: str = "12") -> RoomView:
        """Upgrade the room; only this person joins the new one."""
        old = room or self.room
        events = self.server.room(old).state[("m.room.power_levels", "")]["content"]["events"]
        name, power = self.server.room(old).name, {"events": events}
        new = self.creates(name, version=version, power=power, predecessor=old)
        self.sets(TOMBSTONE, {"body": "upgraded", "replacement_room": new.id}, room=old)
        self.sets_power(room=old, events_default=50, invite=50)
        return new

    def is_in(self, room: str | RoomView) -> bool:
        place = room if isinstance(room, str) else room.id
        return self.server.membership(place, self.user_id) == "join"


def everybody_in(server: FakeHomeserver, host: Person, name: str, *guests: str, version: str = "12") -> RoomView:
    """A room of `host` with all guests (Matrix ids) as members."""
    room = host.creates(name, version=version)
    for guest in guests:
        server.invite(host.user_id, room.id, guest)
        server.join(guest, room.id)
    return room


def _id(of: str | Message) -> str:
    return of if isinstance(of, str) else of.event_id


def _relation(event: Mapping[str, Any], kind: str) -> str:
    relation = event["content"].get("m.relates_to", {})
    return str(relation.get("event_id", "")) if relation.get("rel_type") == kind else ""


__all__ = ["Message", "Person", "RoomView", "everybody_in"]
