"""Turns a sync response into events, in order: news, history, and changes of rooms.

Nio has no callback for our removal from a room, and a callback that fails loses its event. So this module reads the
response itself, room by room, as JSON. Pure: `matrix.client` fetches the response.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from fedbot.matrix.reading import (
    Reader,
    answered_line,
    is_edit,
    is_interim,
    is_own_membership,
    membership_before,
    replaced_event,
    speaks_fedbot,
)
from fedbot.matrix.room import MEMBER, Raw, RoomPicture, content_of, is_needed, is_state
from fedbot.ports.chat import OwnMessage
from fedbot.rules.model.events import ChatEvent, EnvelopeSeen, Reacted, Removed, Said


@dataclass(frozen=True)
class RawRoom:
    """One room of a sync response. `gap` has the back-filled events; then comes `state`, then `timeline`.

    `state` is the state at the start of `timeline`, or its changes since the last sync. If two servers or accounts
    wrote at once, it may be the state of one branch of the room's history, such as an invitation whose join is known
    already (docs/matrix.md). `current` is the whole state as the homeserver has resolved it, if we asked for it;
    `tells_all` says whether we need to.
    """

    state: tuple[Raw, ...] = ()
    timeline: tuple[Raw, ...] = ()
    gap: tuple[Raw, ...] = ()
    current: tuple[Raw, ...] = ()

    def tells_all(self, known: RoomPicture | None, us: str) -> bool:
        """Whether the room's current state follows from its `known` state and the timeline alone.

        It does while other members only join, leave and rename themselves, one after the other. It doesn't if `state`
        or `gap` has state that we need, or if an event replaces another one than we know, because the room's history
        may have forked. Power levels, kicks and bans may undo what others did at the same time. All other state is
        rare.
        """
        in_order = {event.get("event_id") for event in self.timeline}  # Synapse puts some of these into `state`, too
        before = (event for event in (*self.state, *self.gap) if event.get("event_id") not in in_order)
        if known is None or any(map(is_needed, before)):
            return False
        replaced: dict[str, str | None] = {}
        for event in filter(is_needed, self.timeline):
            user = event["state_key"]
            expected = replaced.get(user) or known.event_id(MEMBER, user)
            by_themselves = event["type"] == MEMBER and event.get("sender") == user != us
            if not by_themselves or replaced_event(event) != expected:
                return False
            replaced[user] = event.get("event_id")
        return True


@dataclass(frozen=True)
class RawSync:
    """A whole sync response, with gaps filled."""

    join: Mapping[str, RawRoom] = field(default_factory=dict)
    leave: Mapping[str, RawRoom] = field(default_factory=dict)
    invite: Mapping[str, tuple[Raw, ...]] = field(default_factory=dict)

    def events(self) -> Iterator[Raw]:
        """All events in rooms that we are or were in."""
        for room in (*self.join.values(), *self.leave.values()):
            yield from (*room.state, *room.gap, *room.timeline, *room.current)


@dataclass
class Rooms:
    """The rooms that we are in, as the last sync left them."""

    us: str
    pictures: dict[str, RoomPicture] = field(default_factory=dict)

    def read(
        self, raw: RawSync, asked_at: datetime, *, initial: bool = False, own: bool = False
    ) -> tuple[ChatEvent, ...]:
        """The events of a sync, oldest first within each room. The pictures change only if everything was read.

        A room that we have just joined shows lines from before; those of people are marked as missed. After a start or
        a rejoin, old news may come again: the journal knows it by its event ids.

        `initial`: a sync without a token. Its timelines happened before we listened, so nothing of them is news: nobody
        expects an answer to those lines any more, and acting on them would surprise people. Invitations and the current
        state of each room count all the same. `own`: see `Reader`.
        """
        pictures = dict(self.pictures)
        events: list[ChatEvent] = []
        for room, content in raw.leave.items():
            before = pictures.pop(room, None)
            events += _read_left(Reader(self.us, room, asked_at, own), content, before)
        for room, content in raw.join.items():
            reader = Reader(self.us, room, asked_at, own)
            found, pictures[room] = _read_joined(reader, content, pictures.get(room), initial=initial)
            events += found
        for room, state in raw.invite.items():
            invitation = Reader(self.us, room, asked_at).invitation(list(state))
            events += [invitation] if invitation else []
        self.pictures = pictures
        return tuple(events)


def shows_history(raw: RawSync, us: str) -> bool:
    """Whether this account has been a fedbot before: the sync has an event of ours that only fedbots send."""
    return any(event.get("sender") == us and speaks_fedbot(event) for event in raw.events())


def own_messages(raw: RawSync, us: str) -> tuple[OwnMessage, ...]:
    """Our own messages in the sync. For those that can't be decrypted, only the line that they answer."""
    rooms = {**raw.join, **raw.leave}.items()
    return tuple(
        OwnMessage(
            room,
            str(event.get("event_id")),
            str(content_of(event).get("body", "")),
            "" if is_interim(event) else answered_line(event),
        )
        for room, content in rooms
        for event in (*content.gap, *content.timeline)
        if event.get("sender") == us
        and event.get("type") in ("m.room.message", "m.room.encrypted")
        and not is_edit(event)
    )


def protocol_messages_in(timeline: Iterable[Raw], us: str, room: str, now: datetime) -> tuple[EnvelopeSeen, ...]:
    """The protocol messages in a room's past, our own included, in their order."""
    reader, picture = Reader(us, room, now, own=True), RoomPicture()
    found = [reader.message(raw, picture) for raw in timeline if not is_state(raw)]
    return tuple(event for event in found if isinstance(event, EnvelopeSeen))


def _read_left(reader: Reader, raw: RawRoom, before: RoomPicture | None) -> list[ChatEvent]:
    """The events from before we left a room, and our removal."""
    events, _ = _read_in_order(reader, raw, before, left=True)
    if _has_removal(events):
        return events
    # The timeline may be empty or cut, with the removal only in the state.
    in_state = [removal for removal in map(reader.removal, raw.state) if removal]
    if in_state:
        return [*events, in_state[-1]]
    if before is not None:
        # We were in at the last sync and are out now. The rules don't need the reason.
        return [*events, Removed(room=reader.room, event_id="", sender="", at=reader.asked_at)]
    return events


def _read_joined(
    reader: Reader, raw: RawRoom, before: RoomPicture | None, *, initial: bool
) -> tuple[list[ChatEvent], RoomPicture]:
    """The room's events and its current picture.

    If the room is new to us or its picture changed, a `RoomSeen` comes first, so that the events are read with the
    members known. After a removal there is always a `RoomSeen`, and it comes last, because we are back in.
    """
    events, picture = _read_in_order(reader, raw, before, initial=initial)
    if picture == before and not _has_removal(events):
        return events, picture
    seen = picture.seen(reader.room, reader.us, reader.asked_at)
    if _has_removal(events):
        return [*events, seen], picture
    if before is not None and seen == before.seen(reader.room, reader.us, reader.asked_at):
        return events, picture
    return [seen, *events], picture


def _read_in_order(
    reader: Reader, raw: RawRoom, before: RoomPicture | None, *, initial: bool = False, left: bool = False
) -> tuple[list[ChatEvent], RoomPicture]:
    """Read gap, state and timeline. Messages count only while we were in the room; state always counts.

    A room's first sync after we joined also shows its last lines from before. If we didn't know the room (`before`),
    only lines after our last join count. Lines from a time when we were out are marked as missed; for a room that we
    have left (`left`), they are left out.
    """
    picture = RoomPicture.of(raw.current) if raw.current else before.copy() if before else RoomPicture()
    events: list[ChatEvent] = []
    told: set[str] = set()
    joins_to_come = 0 if before else sum(_comes_in(event, reader.us) for event in (*raw.gap, *raw.timeline))
    is_in = not initial and joins_to_come == 0 and (before is not None or not _were_out(raw, reader.us))
    ordered = (
        *((event, True) for event in raw.gap),
        *((event, False) for event in raw.state),
        *((event, True) for event in raw.timeline),
        *((event, False) for event in raw.current if before is None or not before.has(event)),
    )
    for event, is_timeline in ordered:
        if not raw.current:
            picture.apply(event)
        found: ChatEvent | None = None
        if is_state(event):
            found = reader.state(event)
            if is_timeline and is_own_membership(event, reader.us) and not initial:
                found = reader.removal(event)
                joins_to_come = max(0, joins_to_come - _comes_in(event, reader.us))
                is_in = content_of(event).get("membership") == "join" and joins_to_come == 0
        elif is_in and is_timeline:
            found = reader.message(event, picture)
        elif is_timeline and not (initial or left):
            found = _missed(reader.message(event, picture))
        if found and event["event_id"] not in told:
            told.add(event["event_id"])
            events.append(found)
    return events, picture


def _were_out(raw: RawRoom, us: str) -> bool:
    """Whether our first membership event shows that we were out before, for example because it ends a ban."""
    own = [event for event in (*raw.gap, *raw.timeline) if is_own_membership(event, us)]
    return bool(own) and membership_before(own[0]) not in {"join", None}


def _missed(event: ChatEvent | None) -> ChatEvent | None:
    """The event, marked as missed if it is a person's line or reaction; else None."""
    return replace(event, missed=True) if isinstance(event, Said | Reacted) else None


def _comes_in(event: Raw, us: str) -> bool:
    """Whether we join by this event. A new display name is a membership event too, but not a join."""
    joins = is_own_membership(event, us) and content_of(event).get("membership") == "join"
    return joins and membership_before(event) != "join"


def _has_removal(events: Iterable[ChatEvent]) -> bool:
    return any(isinstance(event, Removed) for event in events)
