"""What a scripted person sees of one Matrix event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RoomEvent:
    """One event as a client sees it.

    A typing sign is one too, of type m.typing, without an id or sender. `source` is the event as it came.
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
        """How it relates to another event: m.replace, m.annotation, m.thread, or nothing."""
        return str(self.content.get("m.relates_to", {}).get("rel_type", ""))

    @property
    def relates_to(self) -> str:
        """The id of the event that it edits, reacts to, or whose thread it is in; or nothing."""
        return str(self.content.get("m.relates_to", {}).get("event_id", ""))

    @property
    def replies_to(self) -> str:
        """The id of the event that it answers, or nothing."""
        return str(self.content.get("m.relates_to", {}).get("m.in_reply_to", {}).get("event_id", ""))

    @property
    def key(self) -> str:
        """The emoji of a reaction, or nothing."""
        return str(self.content.get("m.relates_to", {}).get("key", ""))


def event_of(room: str, source: Mapping[str, Any]) -> RoomEvent:
    """The event of `room` that came as the JSON `source`."""
    return RoomEvent(
        room=room,
        event_id=source.get("event_id", ""),
        type=source["type"],
        sender=source.get("sender", ""),
        content=source["content"],
        state_key=source.get("state_key"),
        source=source,
    )
