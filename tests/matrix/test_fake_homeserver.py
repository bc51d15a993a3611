"""The in-memory homeserver shows the rules the same as a real one, and refuses the same."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import pytest

from fedbot.matrix import content
from fedbot.messages import markup
from fedbot.ports.chat import ChatLimited, ChatRefused, ChatSignedOut, ChatUnreachable, Delivery
from fedbot.rules.model.events import (
    ChatEvent,
    EnvelopeSeen,
    Invited,
    PartyAnnounced,
    Reacted,
    Removed,
    RoomReplaced,
    RoomSeen,
    Said,
)
from fedbot_demo.homeserver import Homeserver
from tests.demo.conftest import Introduce
from tests.fakes.chat import FakeChat
from tests.fakes.clock import FakeClock
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.people import Person, RoomView, everybody_in
from tests.matrix.conftest import Employ

WORDS = markup.render(["the card"])
PARTY = {"parties": [{"id": "peer"}]}


def notice(room: str, transaction: str, **options: str) -> Delivery:
    return Delivery(room, "m.room.message", content.message(WORDS, **options), transaction)  # type: ignore[arg-type]


def told(event: ChatEvent) -> tuple[object, ...]:
    """The part of an event that doesn't depend on ids and times."""
    match event:
        case Said(text=text, direct=direct):
            return ("said", text, bool(event.reply_to), bool(event.thread), bool(event.edits), direct)
        case Reacted(key=key):
            return ("reacted", key)
        case RoomSeen():
            may = (event.may_talk, event.may_react, event.may_announce)
            return ("room", event.name, event.version, may, sorted(event.members.values()))
        case EnvelopeSeen(envelope=envelope):
            return ("envelope", envelope)
        case PartyAnnounced(content=announced):
            return ("party", announced)
        case Invited():
            return ("invited", event.name, event.event_id)
        case Removed(reason=reason, banned=banned):
            return ("removed", reason, banned)
        case _:
            return (type(event).__name__,)


def all_told(events: Iterable[ChatEvent]) -> list[tuple[object, ...]]:
    """The same for many. The number of lines reported again as missed depends on the homeserver's history."""
    return [told(event) for event in events if not (isinstance(event, Said | Reacted) and event.missed)]


@pytest.mark.asyncio(loop_scope="module")
async def test_one_story_is_the_same_on_a_real_homeserver_and_on_the_fake(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    real = await the_story_on_a_real_homeserver(homeserver, introduce, employ)
    fake = await the_story_on_the_twin()
    assert fake == real
    assert len(real) > 15


async def the_story_on_a_real_homeserver(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> list[tuple[object, ...]]:
    anna = await introduce(homeserver, "anna")
    bot, peer = await employ(homeserver, "bot"), await employ(homeserver, "peer")
    await bot.sync()
    power = {"events": {"dev.fedbot.party": 0}}
    room = await anna.create_room("Makers", invite=[bot.user_id, peer.user_id], power_levels=power)
    await peer.chat.join(room)
    await anna.say(room, "before")
    await bot.news()
    await bot.chat.join(room)
    card = await bot.chat.send(notice(room, "card"))
    line = await anna.say(room, "!fed help")
    await anna.say(room, "a reply", reply_to=card)
    await anna.say(room, "in a thread", thread=card)
    await anna.edit(room, line, "!fed help me")
    tap = await anna.react(room, card, "✔️")
    await bot.news()
    await anna.redact(room, tap)
    gone = await anna.react(room, card, "❌")
    await anna.redact(room, gone)
    await peer.chat.send(Delivery(room, "dev.fedbot.party", PARTY, "p", state_key=peer.user_id))
    unseen = content.bare_envelope({"v": 1})
    await peer.chat.send(Delivery(room, "dev.fedbot.envelope", unseen, "e"))
    await bot.news()
    await anna.set_power_levels(room, events={"m.reaction": 50})
    await bot.news()
    await bot.restart()
    await bot.news()
    await anna.kick(room, bot.user_id, "bye")
    await bot.news()
    await anna.invite(room, bot.user_id)
    await bot.news()
    await bot.chat.join(room)
    await anna.say(room, "again")
    await bot.news()
    await anna.ban(room, bot.user_id, "out")
    await bot.news()
    return all_told(bot.events)


async def the_story_on_the_twin() -> list[tuple[object, ...]]:
    server = FakeHomeserver()
    anna = Person(server, "anna")
    bot, peer = FakeChat(server, "bot"), FakeChat(server, "peer")
    events: list[ChatEvent] = []
    token: str | None = None

    async def news() -> None:
        nonlocal token
        batch = await bot.sync(token, 0)
        token = batch.token
        events.extend(batch.events)

    await news()
    levels = {"events": {"dev.fedbot.party": 0}}
    room = anna.creates("Makers", power=levels).id
    anna.invites(bot.user_id)
    anna.invites(peer.user_id)
    await peer.join(room)
    anna.says("before")
    await news()
    await bot.join(room)
    card = await bot.send(notice(room, "card"))
    line = anna.says("!fed help")
    anna.says("a reply", reply_to=card)
    anna.says("in a thread", thread=card)
    anna.edits(line, "!fed help me")
    tap = anna.reacts(card, "✔️")
    await news()
    anna.takes_back(tap)
    anna.takes_back(anna.reacts(card, "❌"))
    await peer.send(Delivery(room, "dev.fedbot.party", PARTY, "p", state_key=peer.user_id))
    await peer.send(Delivery(room, "dev.fedbot.envelope", content.bare_envelope({"v": 1}), "e"))
    await news()
    anna.sets_power(events={"m.reaction": 50})
    await news()
    bot = bot.restarted()
    await news()
    anna.kicks(bot.user_id, "bye")
    await news()
    anna.invites(bot.user_id)
    await news()
    await bot.join(room)
    anna.says("again")
    await news()
    anna.bans(bot.user_id, "out")
    await news()
    return all_told(events)


class Scene:
    """Anna's room with a bot that is up to date."""

    def __init__(self, **options: str) -> None:
        self.server = FakeHomeserver()
        self.anna = Person(self.server, "anna")
        self.bot = FakeChat(self.server, "bot")
        self.room: RoomView = everybody_in(self.server, self.anna, "Makers", self.bot.user_id, **options)
        self.token: str | None = None

    async def news(self, timeout: float = 0) -> list[ChatEvent]:
        batch = await self.bot.sync(self.token, timeout)
        self.token = batch.token
        return list(batch.events)

    def notice(self, transaction: str, **options: str) -> Delivery:
        return notice(self.room.id, transaction, **options)


async def test_the_same_transaction_is_one_event_also_with_other_content_and_after_a_restart() -> None:
    scene = Scene()
    first = await scene.bot.send(scene.notice("t1"))
    other = replace(scene.notice("t1"), content={"body": "other"})
    assert await scene.bot.send(other) == first
    assert await scene.bot.restarted().send(scene.notice("t1")) == first
    assert await scene.bot.send(scene.notice("t2")) != first
    assert len(scene.room.messages()) == 2


async def test_the_same_state_again_is_one_event_and_needs_power_and_ones_own_key() -> None:
    scene = Scene()
    party = Delivery(scene.room.id, "dev.fedbot.party", PARTY, "p", state_key=scene.bot.user_id)
    with pytest.raises(ChatRefused):
        await scene.bot.send(party)
    scene.anna.sets_power(events={"dev.fedbot.party": 0})
    assert await scene.bot.send(party) == await scene.bot.send(party)
    with pytest.raises(ChatRefused, match="others state"):
        await scene.bot.send(replace(party, state_key=scene.anna.user_id))


async def test_the_fake_refuses_with_a_homeservers_codes() -> None:
    scene = Scene()
    card = await scene.bot.send(scene.notice("card"))
    seed = Delivery(scene.room.id, "m.reaction", content.reaction(card, "✅"), "s1")
    await scene.bot.send(seed)
    refusals = {
        "M_DUPLICATE_ANNOTATION": replace(seed, transaction="s2"),
        "M_UNKNOWN": Delivery(scene.room.id, "m.reaction", content.reaction("$nothing", "✅"), "s3"),
        "M_TOO_LARGE": Delivery(scene.room.id, "x", {"x": "x" * 70_000}, "s4"),
        "M_BAD_JSON": Delivery(scene.room.id, "x", {"x": 1.5}, "s5"),
        "M_FORBIDDEN": Delivery("!elsewhere", "x", {}, "s6"),
    }
    for code, delivery in refusals.items():
        with pytest.raises(ChatRefused) as refused:
            await scene.bot.send(delivery)
        assert refused.value.code == code


async def test_nobody_joins_uninvited_and_a_banned_bot_writes_nothing_more() -> None:
    scene = Scene()
    stranger = FakeChat(scene.server, "stranger")
    with pytest.raises(ChatRefused, match="not invited"):
        await stranger.join(scene.room.id)
    scene.anna.bans(scene.bot.user_id)
    with pytest.raises(ChatRefused):
        await scene.bot.send(scene.notice("t"))
    with pytest.raises(ChatRefused):
        await scene.bot.join(scene.room.id)


async def test_a_message_with_a_lost_answer_exists_and_the_retry_finds_it() -> None:
    scene = Scene()
    scene.bot.lost_answers = 1
    with pytest.raises(ChatUnreachable):
        await scene.bot.send(scene.notice("t1"))
    (shown,) = scene.room.messages()
    assert await scene.bot.send(scene.notice("t1")) == shown.event_id


async def test_faults_are_those_of_the_port() -> None:
    scene = Scene()
    scene.bot.limited_calls = 1
    with pytest.raises(ChatLimited) as limited:
        await scene.bot.send(scene.notice("t1"))
    assert limited.value.retry_after == 5
    scene.bot.is_unreachable = True
    with pytest.raises(ChatUnreachable):
        await scene.bot.sync(None, 0)
    scene.bot.is_unreachable, scene.bot.is_signed_out = False, True
    with pytest.raises(ChatSignedOut):
        await scene.bot.send(scene.notice("t1"))
    assert scene.room.messages() == []


async def test_a_message_that_one_account_loses_is_still_there_for_the_others() -> None:
    scene = Scene()
    await scene.news()
    scene.server.loses = lambda user, _event: user == scene.bot.user_id
    scene.anna.says("lost")
    assert await scene.news() == []
    assert scene.room.transcript() == "Anna: lost"


async def test_a_waiting_sync_ends_with_a_message_or_by_the_clock() -> None:
    scene = Scene()
    assert isinstance(scene.server.clock, FakeClock)
    await scene.news()
    waiting = asyncio.ensure_future(scene.news(timeout=30))
    await asyncio.sleep(0)
    scene.anna.says("hello")
    assert [type(event) for event in await waiting] == [Said]
    waiting = asyncio.ensure_future(scene.news(timeout=30))
    for _ in range(3):
        await asyncio.sleep(0)
    scene.server.clock.advance(30)
    assert await waiting == []


async def test_a_batch_that_was_not_stored_comes_again_with_the_room() -> None:
    scene = Scene()
    await scene.news()
    stored = scene.token
    scene.anna.says("once")
    assert [type(event) for event in await scene.news()] == [Said]
    scene.token = stored
    assert [type(event) for event in await scene.news()] == [RoomSeen, Said]


async def test_the_room_shows_messages_as_clients_do() -> None:
    scene = Scene()
    card = await scene.bot.send(scene.notice("card"))
    edit = content.message(markup.render(["the card, done"]), edits=card, envelope={"v": 1})
    await scene.bot.send(Delivery(scene.room.id, "m.room.message", edit, "edit"))
    scene.anna.edits(card, "forged")
    scene.anna.reacts(card, "✅")
    scene.anna.takes_back(scene.anna.reacts(card, "❌"))
    reply = scene.anna.says("thanks", reply_to=card)
    scene.anna.takes_back(scene.anna.says("oops"))
    assert scene.room.transcript() == "Bot: the card, done [✅ Anna]\nAnna: thanks"
    shown = scene.room.message("the card")
    assert (shown.is_edited, shown.is_notice, shown.envelope) == (True, True, {"v": 1})
    assert [answer.event_id for answer in scene.room.answers(card)] == [reply]
    assert scene.room.envelopes() == [{"v": 1}]


async def test_a_moderator_may_redact_others_lines_and_a_member_may_not() -> None:
    scene = Scene()
    tom = Person(scene.server, "tom")
    scene.anna.invites(tom.user_id)
    tom.joins(scene.room)
    line = scene.anna.says("mine")
    with pytest.raises(ChatRefused):
        tom.takes_back(line)
    tap = tom.reacts(line, "✅")
    scene.anna.takes_back(tap)
    await scene.news()
    assert scene.room.message("mine").reactions == {}


async def test_an_upgraded_room_leaves_the_bot_behind_and_mute() -> None:
    scene = Scene(version="11")
    await scene.news()
    new = scene.anna.upgrades()
    events = await scene.news()
    assert [type(event) for event in events] == [RoomSeen, RoomReplaced]
    assert isinstance(events[1], RoomReplaced)
    assert events[1].replacement == new.id
    with pytest.raises(ChatRefused):
        await scene.bot.send(scene.notice("t"))


async def test_event_ids_are_the_same_in_every_run() -> None:
    runs = []
    for _ in range(2):
        scene = Scene()
        runs.append([await scene.bot.send(scene.notice("t")), scene.anna.says("x")])
    assert runs[0] == runs[1]


async def test_all_that_counts_against_the_limit_is_counted() -> None:
    scene = Scene()
    card = await scene.bot.send(scene.notice("card"))
    await scene.bot.send(Delivery(scene.room.id, "m.reaction", content.reaction(card, "✅"), "seed"))
    await scene.bot.typing(scene.room.id, 5)
    assert len(scene.server.sent_by(scene.bot.user_id)) == 2
    assert scene.server.typed == [(scene.bot.user_id, scene.room.id, 5)]
