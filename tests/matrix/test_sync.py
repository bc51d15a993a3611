from __future__ import annotations

from typing import Any

import pytest

from fedbot.matrix.room import Raw, RoomPicture
from fedbot.matrix.sync import RawRoom, RawSync, Rooms, shows_history
from fedbot.rules.model.events import (
    ChatEvent,
    Invited,
    PartyAnnounced,
    Reacted,
    Redacted,
    Removed,
    RoomReplaced,
    RoomSeen,
    Said,
)
from tests.matrix.events import ANNA, ASKED_AT, BOT, PEER, ROOM, event, line, member, related, room_state


def joined(**parts: tuple[Raw, ...]) -> RawSync:
    return RawSync(join={ROOM: RawRoom(**parts)})


def rooms_with(*, name: str = "Makers") -> Rooms:
    """Rooms after a first sync that showed ours."""
    rooms = Rooms(BOT)
    rooms.read(joined(state=room_state(name=name)), ASKED_AT, initial=True)
    return rooms


def news(rooms: Rooms, **parts: tuple[Raw, ...]) -> list[ChatEvent]:
    return list(rooms.read(joined(**parts), ASKED_AT))


def seen(events: list[ChatEvent]) -> RoomSeen:
    (found,) = [each for each in events if isinstance(each, RoomSeen)]
    return found


def texts(events: list[ChatEvent]) -> list[str]:
    """The lines that count."""
    return [each.text for each in events if isinstance(each, Said) and not each.missed]


def announcement(sender: str = PEER, **content: object) -> dict[str, Any]:
    return event("dev.fedbot.party", content, sender=sender, state_key=sender)


def test_a_first_sync_shows_the_room_but_none_of_its_old_lines() -> None:
    tombstone = event("m.room.tombstone", {"replacement_room": "!new"}, state_key="")
    tap = event("m.reaction", related(rel_type="m.annotation", event_id="$card", key="✅"))
    raw = joined(state=(*room_state(), announcement(parties=["beta"])), timeline=(line("!fed push #1"), tap, tombstone))
    events = Rooms(BOT).read(raw, ASKED_AT, initial=True)
    assert [type(each) for each in events] == [RoomSeen, PartyAnnounced, RoomReplaced]
    assert events[0] == RoomSeen(
        room=ROOM,
        event_id="",
        at=ASKED_AT,
        name="Makers",
        version="12",
        replaced_by="!new",
        may_announce=False,
        members={ANNA: "Anna", BOT: "Bot"},
    )


def test_an_announcement_in_the_timeline_of_a_first_sync_counts_because_it_is_state() -> None:
    raw = joined(state=room_state(), timeline=(announcement(parties=["beta"]),))
    assert PartyAnnounced in map(type, Rooms(BOT).read(raw, ASKED_AT, initial=True))


@pytest.mark.parametrize(
    ("named", "predecessor"),
    [
        ({"room_id": "!old"}, "!old"),
        ({"room_id": "!old", "event_id": "$e"}, "!old"),
        ({}, ""),
        ("!old", ""),
        (7, ""),
    ],
)
def test_a_room_names_the_one_that_it_replaced(named: object, predecessor: str) -> None:
    create, *others = room_state()
    create["content"] |= {"predecessor": named}
    assert seen([*Rooms(BOT).read(joined(state=(create, *others)), ASKED_AT)]).predecessor == predecessor


def test_later_lines_come_in_their_order_and_the_room_is_not_seen_again() -> None:
    assert texts(news(rooms_with(), timeline=(line("one"), line("two"), line("three")))) == ["one", "two", "three"]
    assert not news(rooms_with(), timeline=(event("m.room.topic", {"topic": "x"}, state_key=""),))


def test_a_gap_comes_before_later_events() -> None:
    assert texts(news(rooms_with(), gap=(line("1"), line("2")), timeline=(line("3"),))) == ["1", "2", "3"]


def test_one_change_is_one_picture_of_the_room_before_the_lines_that_need_it() -> None:
    rooms = rooms_with()
    bea = "@bea:beta.test"
    events = news(
        rooms,
        timeline=(
            member(bea, "join", displayname="Bea\u202e"),
            event("m.room.name", {"name": "Makers 2"}, state_key=""),
            line("hello", sender=bea),
        ),
    )
    assert [type(each) for each in events] == [RoomSeen, Said]
    assert seen(events).members[bea] == "Bea"
    assert seen(events).name == "Makers 2"


def test_the_resolved_state_takes_precedence_over_that_of_a_branch() -> None:
    rooms = rooms_with()
    came, invited = member(PEER, "join", displayname="Peer"), member(PEER, "invite", sender=ANNA)
    before = announcement(parties=["beta"])
    state = (*room_state(name="Makers"), came, before)
    (first, *_) = news(rooms, state=(came,), timeline=(before,), current=state)
    assert isinstance(first, RoomSeen)
    assert PEER in first.members
    later = news(rooms, state=(invited,), timeline=(line("hello"),), current=state)
    assert [type(each) for each in later] == [Said], "nobody left, and no announcement came again"
    again = Rooms(BOT).read(joined(state=(*room_state(), invited), timeline=(line("hello"),), current=state), ASKED_AT)
    assert PEER in seen(list(again)).members
    assert PartyAnnounced in map(type, again), "it was in the resolved state alone"


CAME = member(PEER, "join")
WENT = member(PEER, "leave", before="join", replaces=CAME)
NEW = "@new:beta.test"


@pytest.mark.parametrize(
    ("parts", "is_told"),
    [
        pytest.param({"timeline": (line("hello"),)}, True, id="only talk"),
        pytest.param({"timeline": (member(NEW, "join"),)}, True, id="somebody new comes"),
        pytest.param({"timeline": (WENT, line("hello"))}, True, id="somebody goes"),
        pytest.param({"timeline": (WENT, member(PEER, "join", replaces=WENT))}, True, id="goes, and comes again"),
        pytest.param({"timeline": (member(PEER, "join", displayname="X", replaces=CAME),)}, True, id="is renamed"),
        pytest.param(
            {"timeline": (member(PEER, "leave", replaces=line("other")),)}, False, id="replaces another event"
        ),
        pytest.param({"timeline": (member(PEER, "leave"),)}, False, id="doesn't say what it replaces"),
        pytest.param({"timeline": (WENT, member(PEER, "join", replaces=CAME))}, False, id="one beside the other"),
        pytest.param({"timeline": (member(NEW, "join", replaces=CAME),)}, False, id="came after what we never saw"),
        pytest.param({"timeline": (member(PEER, "leave", sender=ANNA, replaces=CAME),)}, False, id="is kicked"),
        pytest.param({"timeline": (member(NEW, "invite", sender=ANNA),)}, False, id="is invited"),
        pytest.param({"timeline": (event("m.room.power_levels", {}, state_key=""),)}, False, id="power"),
        pytest.param({"timeline": (event("m.room.name", {"name": "x"}, state_key=""),)}, False, id="the name"),
        pytest.param({"timeline": (member(BOT, "join", displayname="New"),)}, False, id="ourselves"),
        pytest.param({"state": (member(NEW, "join"),)}, False, id="state of another branch"),
        pytest.param({"state": (WENT,), "timeline": (WENT,)}, True, id="the timeline's own state"),
        pytest.param({"gap": (member(NEW, "join"),)}, False, id="state in a gap"),
        pytest.param({"gap": (line("hello"),), "timeline": (WENT,)}, True, id="talk in a gap"),
    ],
)
def test_the_whole_state_is_asked_for_where_members_do_not_just_come_and_go(
    parts: dict[str, tuple[Raw, ...]], is_told: bool
) -> None:
    known = RoomPicture.of((*room_state(), CAME))
    assert RawRoom(**parts).tells_all(known, BOT) is is_told
    assert not RawRoom(**parts).tells_all(None, BOT), "a room that we have just come into"


def test_a_member_without_a_display_name_is_shown_by_id_and_a_former_member_not_at_all() -> None:
    rooms = rooms_with()
    assert seen(news(rooms, timeline=(member(PEER, "join"),))).members[PEER] == PEER
    assert PEER not in seen(news(rooms, timeline=(member(PEER, "leave", before="join"),))).members


def test_lost_and_granted_power_is_seen() -> None:
    rooms = rooms_with()
    muted = event("m.room.power_levels", {"events_default": 50, "users": {}}, state_key="")
    now = seen(news(rooms, timeline=(muted,)))
    assert (now.may_talk, now.may_react, now.may_announce) == (False, False, False)
    granted = {"events": {"dev.fedbot.party": 0, "m.reaction": 60}, "events_default": 0, "users": {}}
    now = seen(news(rooms, timeline=(event("m.room.power_levels", granted, state_key=""),)))
    assert (now.may_talk, now.may_react, now.may_announce) == (True, False, True)


def test_a_bot_that_created_the_version_12_room_may_announce() -> None:
    state = room_state(creator=BOT)
    assert seen(list(Rooms(BOT).read(joined(state=state), ASKED_AT, initial=True))).may_announce


def test_encryption_is_seen_and_a_room_without_a_name_has_its_alias() -> None:
    rooms = rooms_with(name="")
    events = news(
        rooms,
        timeline=(
            event("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"}, state_key=""),
            event("m.room.canonical_alias", {"alias": "#makers:alpha.test"}, state_key=""),
        ),
    )
    assert [type(each) for each in events] == [RoomSeen]
    assert rooms.pictures[ROOM].encrypted
    assert seen(events).name == "#makers:alpha.test"


def test_the_state_after_a_gap_takes_precedence_over_the_state_within_it() -> None:
    old, new = (event("m.room.name", {"name": name}, state_key="") for name in ("old", "new"))
    assert seen(news(rooms_with(), gap=(old, line("x")), state=(new,), timeline=())).name == "new"


def test_an_announcement_that_is_both_in_the_gap_and_in_the_state_comes_once() -> None:
    told = announcement(parties=["beta"])
    events = news(rooms_with(), gap=(told,), state=(told,))
    assert [type(each) for each in events] == [PartyAnnounced]


def test_a_reaction_taken_back_in_the_same_sync_leaves_only_its_redaction() -> None:
    tap = event("m.reaction", {}, unsigned={"redacted_because": {"type": "m.room.redaction"}})
    events = news(rooms_with(), timeline=(tap, event("m.room.redaction", {"redacts": tap["event_id"]})))
    assert [type(each) for each in events] == [Redacted]


def test_a_reaction_and_its_redaction_come_in_their_order() -> None:
    tap = event("m.reaction", related(rel_type="m.annotation", event_id="$card", key="✅"))
    events = news(rooms_with(), timeline=(tap, event("m.room.redaction", {"redacts": tap["event_id"]})))
    assert [type(each) for each in events] == [Reacted, Redacted]


def test_a_kick_brings_the_lines_before_it_and_the_removal() -> None:
    rooms = rooms_with()
    out = member(BOT, "leave", before="join", sender=ANNA, reason="bye")
    events = list(rooms.read(RawSync(leave={ROOM: RawRoom(timeline=(line("last"), out))}), ASKED_AT))
    assert [type(each) for each in events] == [Said, Removed]
    assert rooms.pictures == {}


def test_a_removal_that_shows_only_in_the_state_is_found() -> None:
    out = member(BOT, "ban", before="join", sender=ANNA)
    (removed,) = rooms_with().read(RawSync(leave={ROOM: RawRoom(state=(out,))}), ASKED_AT)
    assert isinstance(removed, Removed)
    assert removed.banned


def test_a_room_that_silently_vanished_is_a_removal_by_nobody() -> None:
    (removed,) = rooms_with().read(RawSync(leave={ROOM: RawRoom()}), ASKED_AT)
    assert isinstance(removed, Removed)
    assert removed.sender == ""


def test_a_declined_invitation_brings_nothing() -> None:
    declined = RawRoom(timeline=(member(BOT, "leave", before="invite"),))
    assert not Rooms(BOT).read(RawSync(leave={ROOM: declined}), ASKED_AT)
    assert not rooms_with().read(RawSync(leave={"!other": declined}), ASKED_AT)


def test_lines_from_before_we_joined_are_not_for_us() -> None:
    """The homeserver returns a room's last lines after a join, and its state only as far as they don't contain it."""
    timeline = (
        *room_state()[:4],
        line("!fed push #1 to beta"),
        announcement(parties=["beta"]),
        member(BOT, "invite", sender=ANNA),
        member(BOT, "join", before="invite"),
        line("!fed help"),
    )
    rooms = Rooms(BOT)
    rooms.read(RawSync(), ASKED_AT)
    events = list(rooms.read(joined(timeline=timeline), ASKED_AT))
    assert texts(events) == ["!fed help"]
    assert [type(each) for each in events] == [RoomSeen, Said, PartyAnnounced, Said]
    assert seen(events).name == "Makers"


def test_after_a_start_the_first_event_about_us_tells_whether_we_were_members() -> None:
    came = (line("before"), member(BOT, "join", before="invite"), line("after"))
    assert texts(list(Rooms(BOT).read(joined(state=room_state()[:4], timeline=came), ASKED_AT))) == ["after"]
    without_history = (line("before"), member(BOT, "join"), line("after"))
    assert texts(list(Rooms(BOT).read(joined(timeline=without_history), ASKED_AT))) == ["after"]
    renamed = (line("before"), member(BOT, "join", before="join", displayname="Bot 2"), line("after"))
    assert texts(list(Rooms(BOT).read(joined(state=room_state(), timeline=renamed), ASKED_AT))) == [
        "before",
        "after",
    ]
    nothing = (line("before"), line("after"))
    assert texts(list(Rooms(BOT).read(joined(state=room_state(), timeline=nothing), ASKED_AT))) == [
        "before",
        "after",
    ]


def test_out_and_in_again_between_two_syncs_is_a_removal_and_then_the_room() -> None:
    rooms = rooms_with()
    events = news(
        rooms,
        timeline=(
            line("still in"),
            member(BOT, "leave", before="join", sender=ANNA),
            line("behind our back"),
            member(BOT, "invite", before="leave", sender=ANNA),
            member(BOT, "join", before="invite", displayname="Bot"),
            line("welcome back"),
        ),
    )
    assert [type(each) for each in events] == [Said, Removed, Said, Said, RoomSeen]
    assert [each.text for each in events if isinstance(each, Said) and each.missed] == ["behind our back"]
    assert texts(events) == ["still in", "welcome back"]


def test_a_rejoined_room_does_not_bring_its_old_lines_again() -> None:
    rooms = rooms_with()
    out = member(BOT, "leave", before="join", sender=ANNA)
    rooms.read(RawSync(leave={ROOM: RawRoom(timeline=(out,))}), ASKED_AT)
    history = (line("old"), out, member(BOT, "join", before="invite"), line("new"))
    events = news(rooms, state=room_state(), timeline=history)
    assert texts(events) == ["new"]
    assert [each.event_id for each in events if isinstance(each, Removed)] in ([], [out["event_id"]])  # known by its id


def test_after_a_start_the_room_is_seen_but_nothing_old_counts_as_news() -> None:
    events = list(Rooms(BOT).read(joined(state=(*room_state(), announcement())), ASKED_AT))
    assert [type(each) for each in events] == [RoomSeen, PartyAnnounced]


def test_our_own_announcement_is_no_news_but_shows_that_we_have_been_here() -> None:
    own = joined(state=(*room_state(), announcement(sender=BOT)))
    assert [type(each) for each in Rooms(BOT).read(own, ASKED_AT, initial=True)] == [RoomSeen]
    assert shows_history(own, BOT)
    assert shows_history(joined(timeline=(line("card", sender=BOT, fedbot={}),)), BOT)
    assert shows_history(joined(timeline=(event("dev.fedbot.envelope", {}, sender=BOT),)), BOT)
    assert not shows_history(joined(state=(*room_state(), announcement()), timeline=(line("x", sender=BOT),)), BOT)


def test_a_pending_invitation_comes_with_a_first_sync_too() -> None:
    own = {"type": "m.room.member", "content": {"membership": "invite"}, "sender": ANNA, "state_key": BOT}
    (found,) = Rooms(BOT).read(RawSync(invite={"!asked": (own,)}), ASKED_AT, initial=True)
    assert isinstance(found, Invited)
    assert found.room == "!asked"


def test_a_sync_that_can_not_be_read_to_its_end_changes_nothing() -> None:
    rooms = rooms_with()
    before = rooms.pictures

    class Broken(dict[str, Any]):
        def get(self, key: str, default: object = None) -> object:
            raise RuntimeError(key)

    try:
        news(rooms, timeline=(member(PEER, "join"), Broken()))
    except RuntimeError:
        assert rooms.pictures is before
        assert PEER not in before[ROOM].members()
    else:
        raise AssertionError("it was read")


ENCRYPTED = event("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"}, state_key="")


def unproven(events: list[ChatEvent]) -> list[bool]:
    return [each.unproven for each in events if isinstance(each, Said)]


def test_a_homeserver_that_leaves_the_encryption_out_of_the_state_makes_no_unencrypted_line_count() -> None:
    rooms = rooms_with()
    assert unproven(news(rooms, timeline=(line("!fed push"), ENCRYPTED, line("!fed push")))) == [False, True]
    assert unproven(news(rooms, current=room_state(), timeline=(line("!fed push"),))) == [True]
    assert unproven(news(rooms, state=room_state(), timeline=(line("!fed push"),))) == [True]
    started_again = Rooms(BOT, encrypted={ROOM})
    assert unproven(news(started_again, state=room_state(), timeline=(line("!fed push"),))) == [True]
    assert unproven(news(Rooms(BOT), state=room_state(), timeline=(line("!fed push"),))) == [False]
