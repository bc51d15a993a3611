from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedbot.matrix.room import Decrypted, RoomPicture
from fedbot.matrix.sync import Reader
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
from fedbot.rules.wire import LATEST
from tests.matrix.events import ANNA, ASKED_AT, BOT, PEER, ROOM, event, line, member, related, room_state

READER = Reader(BOT, ROOM, ASKED_AT)
ENVELOPE = {"v": 1, "kind": "offer", "body": {"quantity": "1.5"}}


def picture() -> RoomPicture:
    room = RoomPicture()
    for raw in room_state():
        room.apply(raw)
    return room


def read(raw: dict[str, Any]) -> ChatEvent | None:
    return READER.message(raw, picture())


def said(raw: dict[str, Any]) -> Said:
    found = read(raw)
    assert isinstance(found, Said)
    return found


def test_a_line_keeps_its_text_sender_time_and_place() -> None:
    raw = line("!fed help")
    assert said(raw) == Said(
        room=ROOM,
        event_id=raw["event_id"],
        sender=ANNA,
        at=datetime(2026, 11, 24, 19, 53, 20, tzinfo=UTC),
        text="!fed help",
        direct=True,
    )


def test_no_homeserver_passes_its_event_off_as_a_line_by_page_or_program() -> None:
    for event_id in ("page-0123", "api-0123", "", "x"):
        assert read({**line("x"), "event_id": event_id}) is None


def test_impossible_times_are_replaced_by_the_time_of_the_request() -> None:
    for stamp in (2**62, 253_402_300_799_000, LATEST + 1, -1, None, "soon", True, 1.5):
        assert said({**line("x"), "origin_server_ts": stamp}).at == ASKED_AT


def test_text_is_cleaned_of_controls_and_overrides() -> None:
    assert said(line("!fed push\0 \u202e10")).text == "!fed push 10"


def test_a_reply_names_its_line_and_loses_the_quote_of_old_clients() -> None:
    relation = related(m_in_reply_to={"event_id": "$card"})
    quoted = line("> <@bot:alpha.test> the card\n> second line\n\n!fed return", **relation)
    assert said(quoted).text == "!fed return"
    assert said(quoted).reply_to == "$card"
    assert said(line("> * <@bot:alpha.test> waves\n\nyes", **relation)).text == "yes"


def test_quoted_lines_stay_if_it_is_no_reply_or_the_quote_is_the_persons_own() -> None:
    body = "> <@bot:alpha.test> x\n\ny"
    assert said(line(body)).text == body
    relation = related(m_in_reply_to={"event_id": "$card"})
    assert said(line("> my own quote\n\ny", **relation)).text == "> my own quote\n\ny"


def test_a_line_in_a_thread_is_a_reply_only_if_it_is_meant_as_one() -> None:
    answered = {"event_id": "$last"}
    falling_back = line(
        "yes",
        **related(rel_type="m.thread", event_id="$root", is_falling_back=True, m_in_reply_to=answered),
    )
    assert (said(falling_back).thread, said(falling_back).reply_to) == ("$root", "")
    meant = line("yes", **related(rel_type="m.thread", event_id="$root", m_in_reply_to=answered))
    assert (said(meant).thread, said(meant).reply_to) == ("$root", "$last")


def test_a_persons_edit_names_what_it_replaces_and_shows_the_new_text() -> None:
    new = {"msgtype": "m.text", "body": "!fed push #2 to beta"}
    edit = line("* !fed push #2 to beta", new=new, **related(rel_type="m.replace", event_id="$old"))
    assert (said(edit).edits, said(edit).text) == ("$old", "!fed push #2 to beta")


def test_a_line_is_direct_only_if_nobody_else_is_in_the_room() -> None:
    crowded = picture()
    crowded.apply(member(PEER, "join"))
    found = READER.message(line("hello"), crowded)
    assert isinstance(found, Said)
    assert not found.direct


@pytest.mark.parametrize("msgtype", ["m.notice", "m.emote", "m.image", "m.file", "x"])
def test_only_plain_lines_are_said_by_people(msgtype: str) -> None:
    assert read(line("!fed help", msgtype=msgtype)) is None


def test_a_picture_has_its_address_and_what_it_replies_to() -> None:
    content = {"msgtype": "m.image", "body": "a scratch", "filename": "1.jpg", "url": "mxc://x/1", "info": {"size": 7}}
    raw = event("m.room.message", {**content, **related(m_in_reply_to={"event_id": "$card"})})
    found = read(raw)
    assert isinstance(found, PhotoSent)
    assert (found.file, found.size, found.caption, found.reply_to) == ({"url": "mxc://x/1"}, 7, "a scratch", "$card")


def test_an_encrypted_picture_has_its_key() -> None:
    file = {"url": "mxc://x/1", "v": "v2", "key": {"k": "…"}, "iv": "…", "hashes": {"sha256": "…"}, "else": 1}
    thread = related(rel_type="m.thread", event_id="$card", is_falling_back=True, m_in_reply_to={"event_id": "$other"})
    raw = event("m.room.message", {"msgtype": "m.image", "body": "1.jpg", "file": file, "info": {"size": -1}, **thread})
    found = read(raw)
    assert isinstance(found, PhotoSent)
    assert found.file == {name: value for name, value in file.items() if name != "else"}
    assert (found.size, found.caption, found.reply_to, found.thread) == (0, "", "", "$card")


@pytest.mark.parametrize(
    "content", [{}, {"url": "https://x/1"}, {"url": 7}, {"file": {"url": None}}, {"file": "mxc://x/1", "url": []}]
)
def test_a_picture_without_an_address_is_left_out(content: dict[str, Any]) -> None:
    assert read(event("m.room.message", {"msgtype": "m.image", "body": "1.jpg", **content})) is None


@pytest.mark.parametrize("body", [{}, {"body": None}, {"body": 7}, {"body": ["a"]}])
def test_a_picture_with_a_name_and_no_text_has_no_caption(body: dict[str, Any]) -> None:
    found = read(event("m.room.message", {"msgtype": "m.image", "filename": "1.jpg", "url": "mxc://x/1", **body}))
    assert isinstance(found, PhotoSent)
    assert found.caption == ""


def test_an_edited_picture_is_left_out() -> None:
    content = {"msgtype": "m.image", "body": "1.jpg", "url": "mxc://x/1"}
    raw = event("m.room.message", {**content, **related(rel_type="m.replace", event_id="$1")})
    assert read(raw) is None


def test_a_message_with_an_envelope_is_an_envelope_and_nothing_else() -> None:
    for msgtype in ("m.text", "m.notice"):
        found = read(line("an offer", sender=PEER, msgtype=msgtype, fedbot=ENVELOPE))
        assert isinstance(found, EnvelopeSeen)
        assert found.envelope == ENVELOPE
        assert found.sender == PEER


def test_a_bots_edit_is_read_at_the_top_level_not_in_the_new_content() -> None:
    inside_only = line(
        "* card",
        sender=PEER,
        msgtype="m.notice",
        new={"body": "card", "dev.fedbot": ENVELOPE},
        **related(rel_type="m.replace", event_id="$card"),
    )
    assert read(inside_only) is None
    inside_only["content"]["dev.fedbot"] = {"v": 2}
    found = read(inside_only)
    assert isinstance(found, EnvelopeSeen)
    assert found.envelope == {"v": 2}


def test_the_hidden_event_type_carries_an_envelope_too() -> None:
    found = read(event("dev.fedbot.envelope", {"dev.fedbot": ENVELOPE}, sender=PEER))
    assert isinstance(found, EnvelopeSeen)
    assert found.envelope == ENVELOPE
    assert read(event("dev.fedbot.envelope", {"dev.fedbot": "text"}, sender=PEER)) is None


@pytest.mark.parametrize("key", ["✅", "✔️", "👍🏽", "", "x" * 300])
def test_a_reactions_key_is_kept_byte_for_byte(key: str) -> None:
    found = read(event("m.reaction", related(rel_type="m.annotation", event_id="$card", key=key)))
    assert isinstance(found, Reacted)
    assert (found.key, found.target) == (key, "$card")


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"m.relates_to": None},
        related(rel_type="m.annotation", event_id="$card", key=5),
        related(rel_type="m.annotation", event_id=None, key="✅"),
        related(rel_type="m.thread", event_id="$card", key="✅"),
    ],
)
def test_an_unreadable_reaction_is_left_out(content: dict[str, Any]) -> None:
    assert read(event("m.reaction", content)) is None


def test_a_redaction_names_its_target_wherever_the_room_version_puts_it() -> None:
    for raw in (
        event("m.room.redaction", {}, redacts="$tap"),
        event("m.room.redaction", {"redacts": "$tap"}),
        event("m.room.redaction", {"redacts": "$tap"}, redacts="$tap"),
    ):
        found = read(raw)
        assert isinstance(found, Redacted)
        assert found.target == "$tap"
    assert read(event("m.room.redaction", {})) is None


@pytest.mark.parametrize(
    "raw",
    [
        event("dev.fedbot.envelope", {"dev.fedbot": ENVELOPE}, sender=BOT),
        event("m.reaction", related(rel_type="m.annotation", event_id="$c", key="✅"), sender=BOT),
        event("m.room.redaction", {"redacts": "$c"}, sender=BOT),
    ],
)
def test_our_own_events_are_no_news(raw: dict[str, Any]) -> None:
    assert read(raw) is None


@pytest.mark.parametrize(
    "raw",
    [
        line("mine", sender=BOT),
        line("offer", sender=BOT, fedbot=ENVELOPE),
        event("m.room.encrypted", {}, sender=BOT),
        event("m.room.message", {"msgtype": "m.notice", "m.relates_to": {"rel_type": "m.replace"}}, sender=BOT),
    ],
)
def test_only_the_place_of_our_own_messages_counts(raw: dict[str, Any]) -> None:
    assert read(raw) == Echoed(ROOM, raw["event_id"], READER._time(raw))


def test_in_an_encrypted_room_only_decrypted_events_are_proven() -> None:
    room = picture()
    room.apply(event("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"}, state_key=""))
    clear, opened = READER.message(line("x"), room), READER.message(Decrypted(line("x")), room)
    assert isinstance(clear, Said)
    assert isinstance(opened, Said)
    assert (clear.unproven, opened.unproven) == (True, False)
    photo = event("m.room.message", {"msgtype": "m.image", "body": "1.jpg", "url": "mxc://x/1"})
    assert READER.message(photo, room) is None
    assert isinstance(READER.message(Decrypted(photo), room), PhotoSent)
    assert isinstance(READER.message(line("x", fedbot=ENVELOPE), room), EnvelopeSeen), "it is signed"


def test_an_unreadable_event_names_the_line_without_marking_it_as_known() -> None:
    raw = event("m.room.encrypted", {})
    assert read(raw) == Unreadable(ROOM, "", ANNA, READER._time(raw), raw["event_id"])


def test_an_announcement_counts_only_under_its_senders_own_id() -> None:
    own = event("dev.fedbot.party", {"parties": []}, sender=PEER, state_key=PEER)
    found = READER.state(own)
    assert isinstance(found, PartyAnnounced)
    assert found.content == {"parties": []}
    for key in ("", "beta", ANNA):
        assert READER.state(event("dev.fedbot.party", {}, sender=PEER, state_key=key)) is None


def test_a_tombstone_names_the_room_that_replaces_this_one() -> None:
    found = READER.state(event("m.room.tombstone", {"replacement_room": "!new"}, state_key=""))
    assert isinstance(found, RoomReplaced)
    assert found.replacement == "!new"


def test_being_kicked_banned_or_having_left_is_a_removal_with_its_reason() -> None:
    kick = READER.removal(member(BOT, "leave", before="join", sender=ANNA, reason="too\nloud"))
    assert isinstance(kick, Removed)
    assert (kick.sender, kick.reason, kick.banned) == (ANNA, "too loud", False)
    ban = READER.removal(member(BOT, "ban", before="join", sender=ANNA))
    assert isinstance(ban, Removed)
    assert ban.banned
    left = READER.removal(member(BOT, "leave", before="join"))
    assert isinstance(left, Removed)
    assert left.sender == BOT


def test_a_declined_or_withdrawn_invitation_is_no_removal() -> None:
    assert READER.removal(member(BOT, "leave", before="invite")) is None
    assert READER.removal(member(BOT, "ban", before="leave", sender=ANNA)) is None
    assert READER.removal(member(ANNA, "leave", before="join")) is None


def test_an_invitation_is_read_from_stripped_state() -> None:
    name = {"type": "m.room.name", "content": {"name": "Makers\u202e"}, "sender": ANNA, "state_key": ""}
    own = {"type": "m.room.member", "content": {"membership": "invite"}, "sender": ANNA, "state_key": BOT}
    assert READER.invitation([name, own]) == Invited(ROOM, "", ANNA, ASKED_AT, "Makers")
    assert READER.invitation([name]) is None


def test_an_event_that_can_not_be_stored_is_left_out() -> None:
    assert read(line("x", fedbot={"v": "\ud800"})) is None
    assert read({**line("x"), "event_id": 5}) is None


KEYS = st.sampled_from(
    [
        "body",
        "msgtype",
        "m.relates_to",
        "rel_type",
        "event_id",
        "key",
        "m.in_reply_to",
        "m.new_content",
        "dev.fedbot",
        "redacts",
        "membership",
        "reason",
        "displayname",
        "users",
        "events",
        "name",
        "room_version",
        "replacement_room",
        "prev_content",
    ]
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
KINDS = st.sampled_from(
    [
        "m.room.message",
        "m.reaction",
        "m.room.redaction",
        "m.room.member",
        "m.room.power_levels",
        "m.room.create",
        "m.room.name",
        "m.room.tombstone",
        "dev.fedbot.party",
        "dev.fedbot.envelope",
    ]
)


@settings(max_examples=300)
@given(KINDS, JSON, JSON, st.sampled_from([None, "", BOT, PEER]), st.sampled_from(["m.text", "m.replace", None]))
def test_a_strangers_event_is_read_or_left_out_and_never_an_error(
    kind: str, content: object, unsigned: object, state_key: str | None, word: str | None
) -> None:
    if isinstance(content, dict) and word:
        content = {"msgtype": "m.text", "body": "x", "m.relates_to": {"rel_type": word}, **content}
    raw = event(kind, content, sender=PEER, state_key=state_key, unsigned=unsigned)
    room = picture()
    room.apply(raw)
    room.seen(ROOM, BOT, ASKED_AT)
    for found in (READER.message(raw, room), READER.state(raw), READER.removal(raw), READER.invitation([raw])):
        assert found is None or found.room == ROOM
