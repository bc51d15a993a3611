"""One Matrix event as a scripted person sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RoomEvent:
    """One event as a client sees it.

    A typing notification is one too, of type m.typing, without id or sender. `source` is the event's JSON.
    """

    room: str
    event_id: str
    type: str
    sender: str
    content: Mapping[str, Any]
    state_key: str | None = None
    source: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def body(self) -> str:
        """The text; of an edit, the new text."""
        newest = self.content.get("m.new_content", self.content)
        return str(newest.get("body", ""))

    @property
    def relation(self) -> str:
        """The kind of its relation to another event: m.replace, m.annotation, m.thread, or empty."""
        return str(self.content.get("m.relates_to", {}).get("rel_type", ""))

    @property
    def relates_to(self) -> str:
        """The id of the event that it edits, reacts to, or whose thread it is in; or empty."""
        return str(self.content.get("m.relates_to", {}).get("event_id", ""))

    @property
    def replies_to(self) -> str:
        """The id of the event that it replies to, or empty."""
        return str(self.content.get("m.relates_to", {}).get("m.in_reply_to", {}).get("event_id", ""))

    @property
    def key(self) -> str:
        """The emoji of a reaction, or empty."""
        return str(self.content.get("m.relates_to", {}).get("key", ""))


def event_of(room: str, source: Mapping[str, Any]) -> RoomEvent:
    """The event of `room` with the JSON `source`."""
    return RoomEvent(
        room=room,
        event_id=source.get("event_id", ""),
        type=source["type"],
        sender=source.get("sender", ""),
        content=source["content"],
        state_key=source.get("state_key"),
        source=source,
    )
