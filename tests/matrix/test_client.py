"""The real edge on a real homeserver."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nio
import pytest
from aiohttp import web

from fedbot.matrix import client, content
from fedbot.matrix.client import MatrixChat
from fedbot.matrix.encryption import Cipher
from fedbot.matrix.login import Session, new_client
from fedbot.messages import markup
from fedbot.ports.chat import ChatLimited, ChatRefused, ChatUnreachable, Delivery
from fedbot.rules.model.events import (
    ChatEvent,
    EnvelopeSeen,
    Invited,
    PartyAnnounced,
    Reacted,
    Redacted,
    Removed,
    RoomReplaced,
    RoomSeen,
    Said,
)
from fedbot_demo.homeserver import Homeserver
from fedbot_demo.person import Person
from tests.demo.conftest import Introduce
from tests.matrix.conftest import Bot, Employ

pytestmark = pytest.mark.asyncio(loop_scope="module")


def notice(room: str, text: str, transaction: str) -> Delivery:
    return Delivery(room, "m.room.message", content.message(markup.render([text])), transaction)


def texts(events: list[ChatEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, Said)]


def sources(events: list[Any]) -> list[dict[str, Any]]:
    return [event.source for event in events]


def kinds(events: list[ChatEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


# --- coming in ---------------------------------------------------------------------------------------------


async def test_an_invitation_arrives_and_earlier_lines_are_reported_as_missed(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-come"), await employ(homeserver, "bot-come")
    await bot.sync()
    room = await anna.create_room("Makers", invite=[bot.user_id])
    await anna.say(room, "!fed push before you came")
    (invited,) = await bot.news()
    assert isinstance(invited, Invited)
    assert (invited.room, invited.sender, invited.name) == (room, anna.user_id, "Makers")
    await bot.chat.join(room)
    await bot.chat.join(room)
    await anna.say(room, "!fed help")
    events = await bot.news()
    assert kinds(events) == ["RoomSeen", "Said", "Said"]
    said = [(event.text, event.missed) for event in events if isinstance(event, Said)]
    assert said == [("!fed push before you came", True), ("!fed help", False)]
    assert isinstance(events[0], RoomSeen)
    assert events[0].version == "12"
    assert events[0].members == {anna.user_id: "Anna-come", bot.user_id: "Bot-come"}
    assert (events[0].may_talk, events[0].may_react, events[0].may_announce) == (True, True, False)


async def test_a_pending_invitation_comes_again_at_each_start_until_it_is_answered(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    """The homeserver reports it only once, and repeats its answer to a first sync for two minutes."""
    anna, bot = await introduce(homeserver, "anna-pend"), await employ(homeserver, "bot-pend")
    await bot.sync()
    await bot.restart()
    await bot.news()
    room = await anna.create_room("Makers", invite=[bot.user_id])
    assert kinds(await bot.news()) == ["Invited"]
    for _ in range(2):
        await bot.restart()
        assert kinds(await bot.news()) == ["Invited"]
    await bot.chat.leave(room)
    assert await bot.news() == []
    await bot.restart()
    assert await bot.news() == []


async def test_a_first_sync_in_a_room_with_history_brings_its_state_and_no_lines(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-first"), await employ(homeserver, "bot-first")
    power = {"events": {"dev.fedbot.party": 0}}
    room = await anna.create_room("Makers", invite=[bot.user_id], power_levels=power)
    await bot.chat.join(room)
    await anna.set_state(room, "dev.fedbot.party", {"parties": ["x"]}, key=anna.user_id)
    await anna.say(room, "!fed push long ago")
    batch = await bot.sync()
    assert kinds(list(batch.events)) == ["RoomSeen", "PartyAnnounced"]
    assert not batch.has_history
    await bot.chat.send(Delivery(room, "dev.fedbot.party", {"parties": []}, "t", state_key=bot.user_id))
    bot.token = None
    again = await bot.sync()
    assert again.has_history
    assert isinstance(again.events[0], RoomSeen)
    assert again.events[0].may_announce


async def in_a_room(
    bot: Bot, person: Person, *, room_version: str | None = None, power_levels: dict[str, Any] | None = None
) -> str:
    room = await person.create_room(
        "Makers", invite=[bot.user_id], room_version=room_version, power_levels=power_levels
    )
    await bot.chat.join(room)
    await bot.news()
    return room


# --- the state of a room -----------------------------------------------------------------------------------


async def test_the_members_of_a_room_are_those_of_the_resolved_state_and_not_of_one_branch(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, cem = await introduce(homeserver, "anna-fork"), await introduce(homeserver, "cem-fork")
    bot = await employ(homeserver, "bot-fork")
    room = await in_a_room(bot, anna)
    await anna.invite(room, cem.user_id)
    (invited,) = [event.content for event in await anna.messages(room) if event.type == "m.room.member"][-1:]
    await cem.join(room)
    (came,) = [event for event in await bot.news() if isinstance(event, RoomSeen)][-1:]
    assert cem.user_id in came.members
    sync, asked = bot.chat._sync, counted_states(bot)
    stale = {"type": "m.room.member", "state_key": cem.user_id, "sender": anna.user_id, "content": invited}

    async def forked(*given: Any, **named: Any) -> nio.SyncResponse:  # noqa: ANN401 -- as it is
        response = await sync(*given, **named)
        for info in response.rooms.join.values():
            info.state.append(SimpleNamespace(source={**stale, "event_id": "$stale", "origin_server_ts": 1}))
        return response

    await anna.say(room, "no state in this")
    assert kinds(await bot.news()) == ["Said"]
    assert not asked
    bot.chat._sync = forked  # type: ignore[method-assign]
    await anna.say(room, "!fed help")
    assert kinds(await bot.news()) == ["Said"], "nobody has left"
    assert asked == [room]
    await anna.set_state(room, "m.room.name", {"name": "Hackers"})
    (renamed,) = [event for event in await bot.news() if isinstance(event, RoomSeen)]
    assert (renamed.name, cem.user_id in renamed.members) == ("Hackers", True)


async def test_people_who_come_and_go_cost_no_reading_of_the_whole_state(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-public"), await employ(homeserver, "bot-public")
    guests = [await introduce(homeserver, f"guest{number}-public") for number in range(3)]
    room = await in_a_room(bot, anna)
    await anna.set_state(room, "m.room.join_rules", {"join_rule": "public"})
    asked = counted_states(bot)
    for guest in guests:
        await guest.join(room)
    await guests[0].leave(room)
    await guests[1].set_state(room, "m.room.member", {"membership": "join", "displayname": "Gustav"}, guests[1].user_id)
    await guests[0].join(room)
    seen = [event for event in await bot.news() if isinstance(event, RoomSeen)][-1]
    assert {anna.user_id, bot.user_id, *(guest.user_id for guest in guests)} == seen.members.keys()
    assert seen.members[guests[1].user_id] == "Gustav"
    await guests[2].leave(room)
    seen = [event for event in await bot.news() if isinstance(event, RoomSeen)][-1]
    assert guests[2].user_id not in seen.members
    assert asked == []
    await anna.kick(room, guests[0].user_id)
    seen = [event for event in await bot.news() if isinstance(event, RoomSeen)][-1]
    assert guests[0].user_id not in seen.members
    assert asked == [room], "a kick may undo what others did beside it"


def counted_states(bot: Bot) -> list[str]:
    """The rooms whose whole state the bot reads from now on."""
    asked, of_room = list[str](), bot.chat._client.state

    async def counted(room: str) -> list[Any]:
        asked.append(room)
        return await of_room(room)

    bot.chat._client.state = counted  # type: ignore[method-assign]
    return asked


# --- gaps --------------------------------------------------------------------------------------------------


async def test_the_homeserver_leaves_out_events_that_bots_ignore(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-much"), await employ(homeserver, "bot-much")
    answers: list[nio.SyncResponse] = []
    sync = bot.chat._sync

    async def kept(*given: Any, **named: Any) -> nio.SyncResponse:  # noqa: ANN401 -- as it is
        answers.append(await sync(*given, **named))
        return answers[-1]

    bot.chat._sync = kept  # type: ignore[method-assign]
    room = await anna.create_room("Makers", invite=[bot.user_id])
    await bot.chat.join(room)
    await anna.set_state(room, "m.room.topic", {"topic": "long" * 1000})
    await bot.sync()
    for number in range(120):  # more than a homeserver returns at once
        await anna.send(room, "org.example.measured", {"number": number})
    await anna.set_state(room, "m.room.pinned_events", {"pinned": ["$long"] * 100})
    await anna.say(room, "!fed help")
    (said,) = await bot.news()
    assert isinstance(said, Said)
    news = [answer.rooms.join[room] for answer in answers if room in answer.rooms.join]
    assert not any(each.timeline.limited for each in news[1:]), "nothing had to be read back"
    kinds = {raw["type"] for each in news for raw in (*sources(each.state), *sources(each.timeline.events))}
    assert kinds == {"m.room.create", "m.room.member", "m.room.name", "m.room.power_levels", "m.room.message"}


async def test_a_gap_of_more_than_a_hundred_events_is_filled_in_order_without_repetition(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-gap"), await employ(homeserver, "bot-gap")
    room = await in_a_room(bot, anna)
    card = await anna.say(room, "the card")
    tap = await anna.react(room, card, "✅")
    for number in range(230):
        await anna.say(room, f"{number}")
    events = await bot.news()
    assert texts(events) == ["the card", *map(str, range(230))]
    assert [event.event_id for event in events if isinstance(event, Reacted)] == [tap]
    assert len({getattr(event, "event_id", "") for event in events}) == len(events)


async def test_a_gap_from_before_a_restart_is_filled_too(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-down"), await employ(homeserver, "bot-down")
    room = await in_a_room(bot, anna)
    for number in range(120):
        await anna.say(room, f"{number}")
    await bot.restart()
    events = await bot.news()
    assert texts(events) == list(map(str, range(120)))
    assert kinds(events)[0] == "RoomSeen"


async def test_a_batch_that_was_not_stored_comes_again(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-twice"), await employ(homeserver, "bot-twice")
    room = await in_a_room(bot, anna)
    stored = bot.token
    await anna.say(room, "once")
    assert texts(await bot.news()) == ["once"]
    bot.token = stored
    events = await bot.news()
    assert texts(events) == ["once"]
    assert kinds(events)[0] == "RoomSeen"


async def test_an_interrupted_long_poll_loses_nothing(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-cut"), await employ(homeserver, "bot-cut")
    room = await in_a_room(bot, anna)
    for number in range(5):
        polling = asyncio.ensure_future(bot.chat.sync(bot.token, 30))
        await anna.say(room, f"{number}")
        polling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            batch = await polling
            bot.token = batch.token
            bot.events += batch.events
    await bot.news()
    assert texts(bot.events) == list(map(str, range(5)))


async def test_a_waiting_sync_ends_with_a_new_line_and_has_the_time_of_its_request(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-wait"), await employ(homeserver, "bot-wait")
    room = await in_a_room(bot, anna)
    before = datetime.now(UTC)
    polling = asyncio.ensure_future(bot.sync(timeout=60))
    await anna.say(room, "hello")
    batch = await polling
    assert texts(list(batch.events)) == ["hello"]
    assert before <= batch.asked_at <= datetime.now(UTC)


# --- messages, reactions, redactions ------------------------------------------------------------------------


async def test_replies_threads_edits_reactions_and_redactions_are_read_as_people_mean_them(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-says"), await employ(homeserver, "bot-says")
    room = await in_a_room(bot, anna)
    card = await bot.chat.send(notice(room, "the card", "card"))
    await anna.say(room, "!fed return", reply_to=card)
    await anna.say(room, "!fed show", thread=card)
    first = await anna.say(room, "!fed hlep")
    await anna.edit(room, first, "!fed help")
    tap = await anna.react(room, card, "✔️")
    await bot.sync()
    await anna.redact(room, tap)
    vanished = await anna.react(room, card, "👍🏽")
    await anna.redact(room, vanished)
    await bot.news()
    said = [event for event in bot.events if isinstance(event, Said)]
    assert [(event.text, event.reply_to, event.thread, event.edits) for event in said] == [
        ("!fed return", card, "", ""),
        ("!fed show", "", card, ""),
        ("!fed hlep", "", "", ""),
        ("!fed help", "", "", first),
    ]
    assert all(event.direct for event in said)
    reacted = [event for event in bot.events if isinstance(event, Reacted)]
    assert [(event.key, event.target) for event in reacted] == [("✔️", card)]
    redacted = [event.target for event in bot.events if isinstance(event, Redacted)]
    assert redacted == [tap, vanished]


async def test_two_bots_read_each_others_envelopes_in_messages_edits_and_hidden_events(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna = await introduce(homeserver, "anna-two")
    alpha, beta = await employ(homeserver, "alpha-two"), await employ(homeserver, "beta-two")
    room = await in_a_room(alpha, anna)
    await anna.invite(room, beta.user_id)
    await beta.chat.join(room)
    await beta.news()
    words = markup.render(["an offer"])
    card = await alpha.chat.send(Delivery(room, "m.room.message", content.message(words, envelope={"n": 1}), "one"))
    edit = content.message(words, envelope={"n": 2}, edits=card)
    await alpha.chat.send(Delivery(room, "m.room.message", edit, "two"))
    unseen = content.bare_envelope({"n": 3})
    await alpha.chat.send(Delivery(room, "dev.fedbot.envelope", unseen, "three"))
    heard = await beta.news()
    assert kinds(heard) == ["EnvelopeSeen"] * 3
    assert [event.envelope["n"] for event in heard if isinstance(event, EnvelopeSeen)] == [1, 2, 3]
    assert not [event for event in await alpha.news() if isinstance(event, EnvelopeSeen)]


async def test_odd_events_of_strangers_stop_nothing(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-odd"), await employ(homeserver, "bot-odd")
    room = await in_a_room(bot, anna)
    odd: list[tuple[str, dict[str, Any]]] = [
        ("m.reaction", {}),
        ("m.room.message", {"msgtype": "m.location", "body": "x", "geo_uri": 5}),
        ("m.room.message", {"msgtype": "m.text", "body": "\0\u202eabc", "m.relates_to": None}),
        ("m.room.encrypted", {"algorithm": 7}),
        ("m.call.invite", {}),
        ("dev.fedbot.envelope", {"dev.fedbot": "no envelope"}),
    ]
    for kind, wrong in odd:
        await anna.send(room, kind, wrong)
    await anna.set_state(room, "m.room.pinned_events", {"pinned": 5})
    await anna.say(room, "!fed help")
    assert texts(await bot.news()) == ["abc", "!fed help"]


# --- power, kicks, ends ------------------------------------------------------------------------------------


async def test_power_in_a_version_12_room_is_seen_as_it_changes(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-power"), await employ(homeserver, "bot-power")
    room = await in_a_room(bot, anna)
    announcement = Delivery(room, "dev.fedbot.party", {"parties": []}, "p", state_key=bot.user_id)
    with pytest.raises(ChatRefused) as refused:
        await bot.chat.send(announcement)
    assert refused.value.code == "M_FORBIDDEN"
    await anna.set_power_levels(room, events={"dev.fedbot.party": 0})
    (seen,) = await bot.news()
    assert isinstance(seen, RoomSeen)
    assert seen.may_announce
    assert await bot.chat.send(announcement) == await bot.chat.send(announcement)
    await anna.set_power_levels(room, events={"m.room.message": 50, "m.reaction": 50})
    (seen,) = [event for event in await bot.news() if isinstance(event, RoomSeen)]
    assert (seen.may_talk, seen.may_react, seen.may_announce) == (False, False, True)
    await anna.set_power_levels(room, users={bot.user_id: 50})
    (seen,) = await bot.news()
    assert isinstance(seen, RoomSeen)
    assert seen.may_talk


async def test_a_bot_that_creates_a_version_12_room_has_all_power_in_it(
    homeserver: Homeserver, introduce: Introduce, tmp_path: Path
) -> None:
    """A person here, because bots create no rooms; the picture is computed for any account."""
    registered = await homeserver.register("creator-12")
    connection = new_client(homeserver.url, registered.user_id, registered.device_id)
    connection.access_token = registered.access_token
    session = Session(homeserver.url, registered.user_id, registered.device_id, registered.access_token)
    chat = await MatrixChat.begin(session, connection, tmp_path)
    try:
        await connection.room_create(name="Mine")
        (seen,) = (await chat.sync(None, 0)).events
    finally:
        await chat.close()
    assert isinstance(seen, RoomSeen)
    assert (seen.version, seen.may_announce, seen.may_talk) == ("12", True, True)


async def test_a_version_11_room_is_read_too(homeserver: Homeserver, introduce: Introduce, employ: Employ) -> None:
    anna, bot = await introduce(homeserver, "anna-11"), await employ(homeserver, "bot-11")
    room = await in_a_room(bot, anna, room_version="11")
    card = await anna.say(room, "x")
    await anna.redact(room, card)
    await bot.news()
    (seen,) = [event for event in bot.events if isinstance(event, RoomSeen)]
    assert (seen.version, seen.may_announce) == ("11", False)
    assert [event.target for event in bot.events if isinstance(event, Redacted)] == [card]


@pytest.mark.parametrize("banned", [False, True])
async def test_a_kick_and_a_ban_are_reported_after_the_lines_before_them(
    homeserver: Homeserver, introduce: Introduce, employ: Employ, *, banned: bool
) -> None:
    anna = await introduce(homeserver, f"anna-out-{banned}".lower())
    bot = await employ(homeserver, f"bot-out-{banned}".lower())
    room = await in_a_room(bot, anna)
    await anna.say(room, "goodbye")
    await (anna.ban if banned else anna.kick)(room, bot.user_id, "too loud")
    events = await bot.news()
    assert kinds(events) == ["Said", "Removed"]
    removed = events[1]
    assert isinstance(removed, Removed)
    assert (removed.sender, removed.reason, removed.banned) == (anna.user_id, "too loud", banned)
    with pytest.raises(ChatRefused):
        await bot.chat.send(notice(room, "hello?", "after"))


async def test_a_kick_while_the_bot_was_down_is_reported_after_its_start(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-kick"), await employ(homeserver, "bot-kick")
    room = await in_a_room(bot, anna)
    for number in range(110):
        await anna.say(room, f"{number}")
    await anna.kick(room, bot.user_id)
    await bot.restart()
    events = await bot.news()
    assert texts(events) == list(map(str, range(110)))
    assert kinds(events)[-1] == "Removed"


async def test_lines_during_an_absence_are_reported_as_missed_after_the_return(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-back"), await employ(homeserver, "bot-back")
    room = await in_a_room(bot, anna)
    await anna.say(room, "old")
    await anna.kick(room, bot.user_id)
    await bot.news()
    await anna.say(room, "behind your back")
    await anna.invite(room, bot.user_id)
    assert kinds(await bot.news()) == ["Invited"]
    await bot.chat.join(room)
    await anna.say(room, "new")
    events = await bot.news()
    said = [(event.text, event.missed) for event in events if isinstance(event, Said)]
    # "old" comes again: the journal knows it by its id
    assert said == [("old", True), ("behind your back", True), ("new", False)]


async def test_kicked_and_back_between_two_syncs_is_a_removal_and_the_room_again(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-flip"), await employ(homeserver, "bot-flip")
    room = await in_a_room(bot, anna)
    await anna.kick(room, bot.user_id)
    await anna.invite(room, bot.user_id)
    await bot.chat.join(room)
    await anna.say(room, "new")
    events = await bot.news()
    assert kinds(events) == ["Removed", "Said", "RoomSeen"]


async def test_an_upgraded_room_names_its_replacement_and_accepts_no_more_messages(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-tomb"), await employ(homeserver, "bot-tomb")
    room = await in_a_room(bot, anna, room_version="11")
    replacement = await anna.upgrade_room(room, "12")
    events = await bot.news()
    (replaced,) = [event for event in events if isinstance(event, RoomReplaced)]
    assert (replaced.room, replaced.replacement) == (room, replacement)
    (seen,) = [event for event in events if isinstance(event, RoomSeen)]
    assert not seen.may_talk


async def test_an_announcement_of_another_bot_is_seen(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna = await introduce(homeserver, "anna-state")
    alpha, beta = await employ(homeserver, "alpha-state"), await employ(homeserver, "beta-state")
    room = await in_a_room(alpha, anna, power_levels={"events": {"dev.fedbot.party": 0}})
    await anna.invite(room, beta.user_id)
    await beta.chat.join(room)
    await alpha.news()
    party = {"parties": [{"id": "beta"}]}
    await beta.chat.send(Delivery(room, "dev.fedbot.party", party, "p", state_key=beta.user_id))
    events = await alpha.news()
    (told,) = [event for event in events if isinstance(event, PartyAnnounced)]
    assert (told.sender, told.content) == (beta.user_id, party)


async def test_the_room_is_known_after_a_restart_although_nothing_happened(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-known"), await employ(homeserver, "bot-known")
    room = await in_a_room(bot, anna)
    await anna.say(room, "old")
    await bot.news()
    before = [event for event in bot.events if isinstance(event, RoomSeen)][-1]
    await bot.restart()
    (seen,) = await bot.news()
    assert isinstance(seen, RoomSeen)
    assert (seen.room, seen.members, seen.name) == (room, before.members, before.name)


async def test_a_start_reads_the_state_of_each_room_once_and_a_few_beside_each_other(
    homeserver: Homeserver, introduce: Introduce, employ: Employ, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bot = await introduce(homeserver, "anna-start"), await employ(homeserver, "bot-start")
    rooms = {await in_a_room(bot, anna) for _ in range(4)}
    await bot.restart()
    asked, answers = counted_states(bot), list[nio.SyncResponse]()
    running, most = 0, 0
    sync, state = bot.chat._sync, bot.chat._client.state

    async def kept(*given: Any, **named: Any) -> nio.SyncResponse:  # noqa: ANN401 -- as it is
        answers.append(await sync(*given, **named))
        return answers[-1]

    async def observed(room: str) -> list[Any]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return await state(room)
        finally:
            running -= 1

    monkeypatch.setattr(client, "_STATES_AT_ONCE", 3)
    bot.chat._sync = kept  # type: ignore[method-assign]
    bot.chat._client.state = observed  # type: ignore[method-assign]
    events = await bot.news()
    assert {event.room for event in events if isinstance(event, RoomSeen)} == rooms
    assert sorted(asked) == sorted(rooms)
    assert most == 3
    told = [raw for answer in answers for info in answer.rooms.join.values() for raw in sources(info.state)]
    assert {(raw["type"], raw["state_key"]) for raw in told} <= {("m.room.member", bot.user_id)}


async def test_a_ban_during_the_start_is_told_after_what_was_said_before_it(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-race"), await employ(homeserver, "bot-race")
    room = await in_a_room(bot, anna)
    await bot.restart()
    await anna.say(room, "!fed help")
    state = bot.chat._client.state

    async def late(room: str) -> list[Any]:
        if bot.user_id in await anna.members(room):
            await anna.ban(room, bot.user_id)  # the state of a room that it left by a kick could still be read
        return await state(room)

    bot.chat._client.state = late  # type: ignore[method-assign]
    assert kinds(list((await bot.sync()).events)) == ["Said"]
    assert kinds(list((await bot.sync()).events)) == ["Removed"]


# --- sending -----------------------------------------------------------------------------------------------


async def test_the_same_transaction_is_the_same_event_before_and_after_a_restart(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-txn"), await employ(homeserver, "bot-txn")
    room = await in_a_room(bot, anna)
    first = await bot.chat.send(notice(room, "once", "t1"))
    assert await bot.chat.send(notice(room, "once", "t1")) == first
    await bot.restart()
    assert await bot.chat.send(notice(room, "once", "t1")) == first
    assert await bot.chat.send(notice(room, "twice", "t2")) != first
    bodies = [event.content.get("body") for event in await anna.messages(room)]
    assert bodies.count("once") == 1


async def test_the_same_reaction_twice_is_refused_with_a_code_of_its_own(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-seed"), await employ(homeserver, "bot-seed")
    room = await in_a_room(bot, anna)
    card = await bot.chat.send(notice(room, "card", "card"))
    seed = content.reaction(card, "✅")
    await bot.chat.send(Delivery(room, "m.reaction", seed, "seed-1"))
    with pytest.raises(ChatRefused) as refused:
        await bot.chat.send(Delivery(room, "m.reaction", seed, "seed-2"))
    assert refused.value.code == "M_DUPLICATE_ANNOTATION"


async def test_the_largest_allowed_content_is_accepted(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-large"), await employ(homeserver, "bot-large")
    room = await in_a_room(bot, anna)
    overhead = len(json.dumps(content.bare_envelope({"x": ""}), separators=(",", ":")))
    largest = content.bare_envelope({"x": "x" * (content.MOST_BYTES - overhead)})
    assert await bot.chat.send(Delivery(room, "dev.fedbot.envelope", largest, "large"))
    too_large = {"dev.fedbot": {"x": "x" * 70_000}}
    with pytest.raises(ChatRefused) as refused:
        await bot.chat.send(Delivery(room, "dev.fedbot.envelope", too_large, "too-large"))
    assert refused.value.code == "M_TOO_LARGE"


async def test_the_typing_notification_starts_and_ends(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-type"), await employ(homeserver, "bot-type")
    room = await in_a_room(bot, anna)
    await bot.chat.typing(room, 30)
    up = await anna.wait_for(lambda event: event.type == "m.typing" and event.content["user_ids"] == [bot.user_id])
    await bot.chat.typing(room, 0)
    await anna.wait_for(lambda event: event.type == "m.typing" and event.content["user_ids"] == [], after=up)


async def test_an_alias_is_resolved_and_an_unknown_one_refused(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    bot = await employ(homeserver, "bot-alias")
    created = await bot.chat._client.room_create(alias="makers-alias")
    assert await bot.chat.resolve(f"#makers-alias:{homeserver.server_name}") == created.room_id
    with pytest.raises(ChatRefused):
        await bot.chat.resolve(f"#nowhere:{homeserver.server_name}")


async def test_an_invented_stream_token_is_refused(homeserver: Homeserver, employ: Employ) -> None:
    bot = await employ(homeserver, "bot-token")
    with pytest.raises(ChatRefused):
        await bot.chat.sync("made-up", 0)


async def test_under_default_limits_a_refusal_says_when_and_the_same_transaction_passes_then(
    tmp_path: Path, introduce: Introduce, employ: Employ
) -> None:
    async with Homeserver(tmp_path / "strict", default_rate_limits=True) as strict:
        anna, bot = await introduce(strict, "anna"), await employ(strict, "bot")
        room = await in_a_room(bot, anna)
        sent = 0
        limited: ChatLimited | None = None
        while limited is None:
            try:
                await bot.chat.send(notice(room, f"{sent}", f"t{sent}"))
                sent += 1
            except ChatLimited as error:
                limited = error
        assert 8 <= sent <= 12
        assert 0 < limited.retry_after <= 6
        await strict.lift_rate_limit(bot.user_id)
        assert await bot.chat.send(notice(room, f"{sent}", f"t{sent}"))


# --- outages -----------------------------------------------------------------------------------------------


async def test_a_homeserver_that_goes_and_comes_back_is_unreachable_meanwhile_and_nothing_is_lost(
    tmp_path: Path, introduce: Introduce, employ: Employ
) -> None:
    async with Homeserver(tmp_path / "frail", default_rate_limits=False) as frail:
        anna, bot = await introduce(frail, "anna"), await employ(frail, "bot")
        room = await in_a_room(bot, anna)
        sent = await bot.chat.send(notice(room, "before", "t1"))
        await anna.say(room, "unread")
        polling = asyncio.ensure_future(bot.chat.sync(bot.token, 0))
        await polling
        await frail.kill()
        with pytest.raises(ChatUnreachable):
            await bot.chat.send(notice(room, "before", "t1"))
        with pytest.raises(ChatUnreachable):
            await bot.chat.sync(bot.token, 30)
        await frail.start()
        assert await bot.chat.send(notice(room, "before", "t1")) == sent
        assert texts(await bot.news()) == ["unread"]


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextlib.asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[MatrixChat]:
    """An account on a loopback server that answers everything in one way."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    connection = new_client(url, "@bot:x", "DEVICE", request_timeout=0.3)
    connection.access_token = "token-of-the-test"
    with tempfile.TemporaryDirectory() as keys:
        cipher = Cipher(connection, Path(keys))
        chat = MatrixChat(Session(url, "@bot:x", "DEVICE", "token-of-the-test"), connection, cipher)
        try:
            yield chat
        finally:
            await chat.close()
            await runner.cleanup()


async def test_a_hung_homeserver_is_unreachable_after_the_time_a_request_may_take() -> None:
    never = asyncio.Event()

    async def hang(_request: web.Request) -> web.StreamResponse:
        await never.wait()
        return web.Response()

    async with answering(hang) as chat:
        with pytest.raises(ChatUnreachable, match="doesn't answer") as unreachable:
            await chat.send(notice("!room", "x", "t"))
        assert "token-of-the-test" not in str(unreachable.value)
        never.set()


async def test_a_proxys_page_or_half_an_answer_does_not_count_as_the_homeservers() -> None:
    async def gone(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=502, text="<html>Bad gateway</html>", content_type="text/html")

    async def not_found(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=404, text="<html>nginx</html>", content_type="text/html")

    async def nonsense(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"ok": True})

    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"event_id"')
        if request.transport is not None:
            request.transport.abort()
        return response

    for answer in (gone, not_found, nonsense, cut):
        async with answering(answer) as chat:
            with pytest.raises(ChatUnreachable) as unreachable:
                await chat.send(notice("!room", "x", "t"))
            assert "<html>" not in str(unreachable.value)
            with pytest.raises(ChatUnreachable):
                await chat.sync(None, 0)


async def test_a_429_without_a_body_is_read_from_its_header() -> None:
    async def limited(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "7"}, text="slow down")

    async with answering(limited) as chat:
        with pytest.raises(ChatLimited) as refused:
            await chat.send(notice("!room", "x", "t"))
        assert refused.value.retry_after == 7


async def test_an_endlessly_nested_answer_is_no_crash() -> None:
    async def deep(_request: web.Request) -> web.StreamResponse:
        return web.Response(text='{"next_batch": ' + "[" * 200_000, content_type="application/json")

    async with answering(deep) as chat:
        with pytest.raises(ChatUnreachable, match="can't be read"):
            await chat.sync(None, 0)


async def test_fields_that_only_a_broken_homeserver_gets_wrong_are_no_crash() -> None:
    event = {"type": "m.room.message", "event_id": "$x", "sender": "@a:x", "content": {}}
    room = {"timeline": {"events": [{**event, "origin_server_ts": None}], "limited": False, "prev_batch": "p"}}

    async def broken(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"next_batch": "n", "rooms": {"join": {"!room": room}}})

    async with answering(broken) as chat:
        with pytest.raises(ChatUnreachable, match="can't be read"):
            await chat.sync(None, 0)


# --- files ---------------------------------------------------------------------------------------------------


async def test_a_file_is_downloaded_and_an_encrypted_one_decrypted(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-files"), await employ(homeserver, "bot-files")
    room = await in_a_room(bot, anna)
    photo = bytes(range(256)) * 1000
    clear = await bot.chat.upload(room, photo, "image/jpeg", "1.jpg")
    assert await bot.chat.download({"url": clear.address}, len(photo)) == photo
    await anna.set_state(room, "m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})
    await bot.news()
    closed = await bot.chat.upload(room, photo, "image/jpeg", "1.jpg")
    there = {**closed.decryption, "url": closed.address}
    assert await bot.chat.download({"url": closed.address}, len(photo)) != photo
    assert await bot.chat.download(there, len(photo)) == photo
    mistakes: tuple[dict[str, Any], ...] = (
        {"hashes": {"sha256": "AAAA"}},
        {"hashes": {}},
        {"key": {"k": 7}},
        {"iv": None},
    )
    for wrong in mistakes:
        with pytest.raises(ChatRefused) as unreadable:
            await bot.chat.download({**there, **wrong}, len(photo))
        assert unreadable.value.code == "unreadable"


async def test_a_file_that_is_too_large_or_missing_is_refused_for_ever(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-no-files"), await employ(homeserver, "bot-no-files")
    address = (await bot.chat.upload(await in_a_room(bot, anna), bytes(1000), "image/jpeg", "1.jpg")).address
    for file, code in (
        ({"url": address}, "too-large"),
        ({"url": f"{address}x"}, "not-there"),
        ({"url": "mxc://"}, "not-there"),
        ({"url": f"{address}/../../../../account/whoami"}, "not-there"),
    ):
        with pytest.raises(ChatRefused) as refused:
            await bot.chat.download(file, 999)
        assert refused.value.code == code, file


@pytest.mark.parametrize(
    "address",
    ["", "mxc://x", "mxc://[", "mxc://[x]", "mxc://x\u2100y/1", "mxc://x/1?a=\ud800", "mxc://../config", "mxc://x/.."],
)
async def test_an_invalid_address_of_a_file_is_requested_nowhere(address: str) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        raise AssertionError("asked")

    async with answering(answer) as chat:
        with pytest.raises(ChatRefused) as refused:
            await chat.download({"url": address}, 1_000_000)
    assert refused.value.code == "not-there"


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (429, b'{"errcode": "M_LIMIT_EXCEEDED"}', ChatLimited),
        (504, b'{"errcode": "M_NOT_YET_UPLOADED"}', ChatUnreachable),
        (404, b"<html>a proxy</html>", ChatUnreachable),
        (401, b'{"errcode": "M_UNKNOWN_TOKEN"}', ChatUnreachable),
        (500, b"[" * 100_000, ChatUnreachable),
        (404, b'["M_NOT_FOUND"]', ChatUnreachable),
    ],
)
async def test_a_file_that_a_homeserver_does_not_return_now_is_requested_again(
    status: int, body: bytes, problem: type[Exception]
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == "Bearer token-of-the-test"
        assert "token" not in str(request.url)
        return web.Response(status=status, body=body)

    async with answering(answer) as chat:
        with pytest.raises(problem) as caught:
            await chat.download({"url": "mxc://x/1"}, 1_000_000)
    assert "token-of-the-test" not in str(caught.value)
