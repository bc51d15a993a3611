"""Turns a sync response into events of `rules.model.events`, in order: news, history, and changes of rooms.

Pure and tolerant: an event from a stranger is read or left out; it never causes an error. The tests' in-memory rooms
read through this module, too. Nio has no callback for our removal from a room, and a callback that fails loses its
event. So this module reads the response itself, room by room, as JSON; `matrix.client` fetches it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from fedbot.matrix.room import MEMBER, PARTY, TOMBSTONE, Decrypted, Raw, RoomPicture, content_of, is_needed, is_state
from fedbot.ports.chat import OwnMessage
from fedbot.rules.model.events import (
    ChatEvent,
    Echoed,
    EnvelopeSeen,
    Invited,
    PartyAnnounced,
    PhotoSent,
    Reacted,
    Redacted,
    Removed,
    RoomReplaced,
    Said,
    Unreadable,
)
from fedbot.rules.names import can_be_stored, clean_name, clean_text
from fedbot.rules.wire import LATEST

# --- one event ---


ENVELOPE = "dev.fedbot"
INTERIM = "dev.fedbot.interim"
"""The relation of a reply that only says that the answer comes later. Encryption doesn't cover relations."""
ENVELOPE_TYPE = "dev.fedbot.envelope"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OF_A_FILE = ("url", "v", "key", "iv", "hashes")  # the last four only of an encrypted file
_REPLY_QUOTE = ("> <@", "> * <@")


@dataclass(frozen=True)
class Reader:
    """Reads one room's events for one account. `asked_at` replaces times that can't be read.

    `own`: read our own messages too, for a bot whose journal knows less than the room.
    """

    us: str
    room: str
    asked_at: datetime
    own: bool = False

    def message(self, raw: Raw, picture: RoomPicture) -> ChatEvent | None:
        """A timeline event that isn't state; None if it means nothing to us, or can't be read.

        Our own messages count only by their place; with `own`, our envelopes count, too. `picture` is the room at that
        time.
        """
        if not self._readable(raw):
            return None
        is_ours = raw.get("sender") == self.us
        read = _MESSAGES.get(raw["type"]) if self.own or not is_ours else None
        found = read(self, raw, picture) if read else None
        return self._echo(raw) if is_ours and not isinstance(found, EnvelopeSeen) else found

    def _echo(self, raw: Raw) -> Echoed | None:
        """Our own message, encrypted or not; None for reactions and redactions."""
        if raw["type"] not in ("m.room.message", "m.room.encrypted"):
            return None
        return Echoed(self.room, raw["event_id"], self._time(raw))

    def state(self, raw: Raw) -> ChatEvent | None:
        """A state event with a meaning of its own: a party's announcement, or the end of the room.

        Names, power levels, encryption and members come as one `RoomSeen` of the whole room instead.
        """
        if not self._readable(raw) or not is_state(raw) or raw["sender"] == self.us:
            return None
        # The homeserver lets nobody use another's id as a state key, but any other text.
        if raw["type"] == PARTY and raw["state_key"] == raw["sender"]:
            return PartyAnnounced(**self._base(raw), content=dict(content_of(raw)))
        if raw["type"] == TOMBSTONE and raw["state_key"] == "":
            replacement = clean_name(content_of(raw).get("replacement_room"))
            return RoomReplaced(**self._base(raw), replacement=replacement)
        return None

    def removal(self, raw: Raw) -> Removed | None:
        """The end of our own membership. A declined or withdrawn invitation isn't one."""
        if not is_own_membership(raw, self.us) or not self._readable(raw):
            return None
        membership = content_of(raw).get("membership")
        if membership not in ("leave", "ban") or membership_before(raw) not in ("join", None):
            return None
        reason = clean_name(content_of(raw).get("reason"))
        return Removed(**self._base(raw), reason=reason, banned=membership == "ban")

    def invitation(self, state: list[Raw]) -> Invited | None:
        """An invitation, from the stripped state that comes with it.

        Stripped state has neither ids nor times (Synapse 1.163). Then `event_id` is empty: an invented id would make a
        second invitation look like a repetition of the first.
        """
        own = [raw for raw in state if is_own_membership(raw, self.us)]
        if not own or content_of(own[-1]).get("membership") != "invite":
            return None
        names = [content_of(raw).get("name") for raw in state if raw.get("type") == "m.room.name"]
        sender, event_id = own[-1].get("sender"), own[-1].get("event_id")
        if not isinstance(sender, str) or not can_be_stored(dict(own[-1])):
            return None
        return Invited(
            room=self.room,
            event_id=event_id if isinstance(event_id, str) else "",
            sender=sender,
            at=self._time(own[-1]),
            name=clean_name(names[-1]) if names else "",
            direct=content_of(own[-1]).get("is_direct") is True,
        )

    def said(self, raw: Raw, picture: RoomPicture) -> ChatEvent | None:
        """A message: an envelope if it contains one, else a person's line (`m.text`) or photo.

        Bots send `m.notice`, and by the spec bots don't answer those. The envelope of a bot's edit is in the top-level
        content too, so this doesn't look for it in `m.new_content`.
        """
        content = content_of(raw)
        relation = _object(content.get("m.relates_to"))
        kind = relation.get("rel_type")
        edits = _text(relation.get("event_id")) if kind == "m.replace" else ""
        if isinstance(content.get(ENVELOPE), Mapping):
            return EnvelopeSeen(**self._base(raw), envelope=dict(content[ENVELOPE]), edits=edits)
        unproven = picture.encrypted and not isinstance(raw, Decrypted)
        if content.get("msgtype") == "m.image" and not edits:
            return None if unproven else self._photo(raw)
        if content.get("msgtype") != "m.text" or not isinstance(content.get("body"), str):
            return None
        body = content["body"]
        if edits:
            body = _object(content.get("m.new_content")).get("body", body)
        return Said(
            **self._base(raw),
            text=clean_text(_without_quote(body) if answered_line(raw) else body),
            **_answers(raw),
            edits=edits,
            direct=picture.members().keys() == {self.us, raw["sender"]},
            unproven=unproven,
            encrypted=isinstance(raw, Decrypted),
            session=raw.session if isinstance(raw, Decrypted) else "",
            index=raw.index if isinstance(raw, Decrypted) else 0,
            mentions_us=_mentions(content, self.us),
        )

    def _photo(self, raw: Raw) -> ChatEvent | None:
        """A photo; None if the event doesn't give its address.

        Its caption is the body, if that isn't the file's name.
        """
        content = content_of(raw)
        file = _object(content.get("file")) or {"url": content.get("url")}
        size = _object(content.get("info")).get("size")
        name, body = content.get("filename"), content.get("body")
        if not _text(file.get("url")).startswith("mxc://"):
            return None
        return PhotoSent(
            **self._base(raw),
            file={key: file[key] for key in _OF_A_FILE if key in file},
            size=size if type(size) is int and size > 0 else 0,
            caption=clean_text(body) if name and name != body else "",
            **_answers(raw),
        )

    def unreadable(self, raw: Raw, _picture: RoomPicture) -> ChatEvent | None:
        """A line that couldn't be decrypted.

        It has no event id, because the decrypted line comes later under that id.
        """
        return Unreadable(**self._base(raw) | {"event_id": ""}, line=raw["event_id"])

    def envelope(self, raw: Raw, _picture: RoomPicture) -> ChatEvent | None:
        """The event type that clients don't show. Its content has the same key as a message's."""
        envelope = content_of(raw).get(ENVELOPE)
        if not isinstance(envelope, Mapping):
            return None
        return EnvelopeSeen(**self._base(raw), envelope=dict(envelope))

    def reacted(self, raw: Raw, _picture: RoomPicture) -> ChatEvent | None:
        """A reaction, its key byte for byte. One that is already redacted has no content any more.

        Nothing is lost by that: the redaction comes too, and a reaction that never counted needs no undoing.
        """
        relation = _object(content_of(raw).get("m.relates_to"))
        target, key = relation.get("event_id"), relation.get("key")
        if relation.get("rel_type") != "m.annotation":
            return None
        if not isinstance(target, str) or not isinstance(key, str):
            return None
        return Reacted(**self._base(raw), target=target, key=key)

    def redacted(self, raw: Raw, _picture: RoomPicture) -> ChatEvent | None:
        """A redaction. The target is at the top level or, since room version 11, in the content."""
        target = raw.get("redacts", content_of(raw).get("redacts"))
        return Redacted(**self._base(raw), target=target) if isinstance(target, str) else None

    def _readable(self, raw: Raw) -> bool:
        texts = (raw.get("type"), raw.get("event_id"), raw.get("sender"))
        if not all(isinstance(text, str) for text in texts):
            return False
        # a line by page has an id of another form, and no homeserver may pass one of its own off as that
        return raw["event_id"].startswith("$") and can_be_stored(dict(raw))

    def _base(self, raw: Raw) -> dict[str, Any]:
        return {
            "room": self.room,
            "event_id": raw["event_id"],
            "sender": raw["sender"],
            "at": self._time(raw),
        }

    def _time(self, raw: Raw) -> datetime:
        """`origin_server_ts` (ms) is set by the sender's homeserver and may be any number."""
        stamp = raw.get("origin_server_ts")
        if not isinstance(stamp, int) or isinstance(stamp, bool) or not 0 <= stamp <= LATEST:
            return self.asked_at
        return _EPOCH + timedelta(milliseconds=stamp)


def is_own_membership(raw: Raw, us: str) -> bool:
    """Whether the event is our membership in its room."""
    return raw.get("type") == MEMBER and raw.get("state_key") == us


def membership_before(raw: Raw) -> str | None:
    """The membership that this event replaced: 'join', 'leave', 'invite' …; None if it doesn't say."""
    before = _object(_object(raw.get("unsigned")).get("prev_content")).get("membership")
    return before if isinstance(before, str) else None


def replaced_event(raw: Raw) -> str | None:
    """The id of the state event that this one replaced for its sender; None if there was none, or it isn't given."""
    replaced = _object(raw.get("unsigned")).get("replaces_state")
    return replaced if isinstance(replaced, str) else None


def speaks_fedbot(raw: Raw) -> bool:
    """Whether only fedbots send such events."""
    kind = raw.get("type")
    return (isinstance(kind, str) and kind.startswith(f"{ENVELOPE}.")) or ENVELOPE in content_of(raw)


def _answers(raw: Raw) -> dict[str, Any]:
    """The message that it replies to, and the thread that it is in."""
    relation = _object(content_of(raw).get("m.relates_to"))
    in_thread = relation.get("rel_type") == "m.thread"
    # In a thread, clients without threads see a reply to the last message. It isn't meant as one.
    falls_back = in_thread and relation.get("is_falling_back") is True
    return {
        "reply_to": "" if falls_back else answered_line(raw),
        "thread": _text(relation.get("event_id")) if in_thread else "",
    }


def is_interim(raw: Raw) -> bool:
    """Whether this reply only says that the answer comes later."""
    return _object(content_of(raw).get("m.relates_to")).get("rel_type") == INTERIM


def answered_line(raw: Raw) -> str:
    """The event id of the line that a message answers; '' if it answers none."""
    relation = _object(content_of(raw).get("m.relates_to"))
    return _text(_object(relation.get("m.in_reply_to")).get("event_id"))


def is_edit(raw: Raw) -> bool:
    """Whether a message replaces another one."""
    return _object(content_of(raw).get("m.relates_to")).get("rel_type") == "m.replace"


def _mentions(content: Mapping[str, Any], user: str) -> bool:
    """Whether the message's own list of mentions contains the user."""
    mentioned = _object(content.get("m.mentions")).get("user_ids")
    return isinstance(mentioned, list) and user in mentioned


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _without_quote(body: object) -> object:
    """The body of a reply without the quote that older clients put before it (spec, 'Rich replies')."""
    if not isinstance(body, str) or not body.startswith(_REPLY_QUOTE):
        return body
    lines = body.split("\n")
    while lines and lines[0].startswith("> "):
        lines.pop(0)
    if lines and not lines[0].strip():
        lines.pop(0)
    return "\n".join(lines)


_Read = Callable[[Reader, Raw, RoomPicture], ChatEvent | None]
_MESSAGES: dict[str, _Read] = {
    "m.room.message": Reader.said,
    "m.room.encrypted": Reader.unreadable,
    ENVELOPE_TYPE: Reader.envelope,
    "m.reaction": Reader.reacted,
    "m.room.redaction": Reader.redacted,
}
READ = frozenset(_MESSAGES)
"""The event types that we read, besides state. The homeserver leaves out all others."""


# --- a whole response ---


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
    """The rooms that we are in, as the last sync left them. `encrypted`: the rooms that we know as encrypted."""

    us: str
    pictures: dict[str, RoomPicture] = field(default_factory=dict)
    encrypted: Container[str] = frozenset()

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
            was_encrypted = room in self.encrypted
            found, pictures[room] = _read_joined(
                reader, content, pictures.get(room), initial=initial, was_encrypted=was_encrypted
            )
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
    reader: Reader, raw: RawRoom, before: RoomPicture | None, *, initial: bool, was_encrypted: bool
) -> tuple[list[ChatEvent], RoomPicture]:
    """The room's events and its current picture.

    If the room is new to us or its picture changed, a `RoomSeen` comes first, so that the events are read with the
    members known. After a removal there is always a `RoomSeen`, and it comes last, because we are back in.
    """
    events, picture = _read_in_order(reader, raw, before, initial=initial, was_encrypted=was_encrypted)
    if picture == before and not _has_removal(events):
        return events, picture
    seen = picture.seen(reader.room, reader.us, reader.asked_at)
    if _has_removal(events):
        return [*events, seen], picture
    if before is not None and seen == before.seen(reader.room, reader.us, reader.asked_at):
        return events, picture
    return [seen, *events], picture


def _read_in_order(
    reader: Reader,
    raw: RawRoom,
    before: RoomPicture | None,
    *,
    initial: bool = False,
    left: bool = False,
    was_encrypted: bool = False,
) -> tuple[list[ChatEvent], RoomPicture]:
    """Read gap, state and timeline. Messages count only while we were in the room; state always counts.

    A room's first sync after we joined also shows its last lines from before. If we didn't know the room (`before`),
    only lines after our last join count. Lines from a time when we were out are marked as missed; for a room that we
    have left (`left`), they are left out.
    """
    picture = RoomPicture.of(raw.current) if raw.current else before.copy() if before else RoomPicture()
    picture.was_encrypted = was_encrypted or (before is not None and before.encrypted)
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
