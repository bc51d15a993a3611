"""Translates one Matrix event into an event of `rules.model.events`.

Pure and tolerant: an event from a stranger is read or left out; it never causes an error. The real sync and the tests'
in-memory rooms both read through this module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fedbot.matrix.room import MEMBER, PARTY, TOMBSTONE, Opened, Raw, RoomPicture, content_of, is_state
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
        unproven = picture.encrypted and not isinstance(raw, Opened)
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
            encrypted=isinstance(raw, Opened),
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
