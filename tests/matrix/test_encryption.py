"""Encrypted rooms with the real edge on a real Synapse; people's clients encrypt with nio's own client."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import nio
import pytest
import pytest_asyncio

from fedbot.journal.lease import claim
from fedbot.journal.postgresql import PostgresqlDatabase
from fedbot.journal.sealed import FolderInDatabase, Seal
from fedbot.matrix.client import MatrixChat
from fedbot.matrix.cross_signing import has_others, take_over
from fedbot.matrix.keys import KEYS, set_aside
from fedbot.matrix.login import Account as BotAccount
from fedbot.matrix.login import read_session
from fedbot.matrix.room import Decrypted, Raw
from fedbot.matrix.sync import RawSync
from fedbot.matrix.undecrypted_lines import TELL_AFTER
from fedbot.ports.chat import ChatRefused, ChatSignedOut, ChatUnreachable, Delivery, Media
from fedbot.ports.journal import LeaseLost
from fedbot.rules.model.events import EnvelopeSeen, Reacted, Redacted, Said, Unreadable
from fedbot_demo.encrypted_person import EncryptedPerson
from fedbot_demo.homeserver import Account, Homeserver
from fedbot_demo.person import Person
from fedbot_demo.stage import ENCRYPTION
from tests.fakes.postgresql import Server
from tests.matrix.conftest import Bot, Employ

pytestmark = pytest.mark.asyncio(loop_scope="module")

Meet = Callable[[str], Awaitable[EncryptedPerson]]


@pytest_asyncio.fixture(loop_scope="module")
async def meet(homeserver: Homeserver) -> AsyncIterator[Meet]:
    """A new person whose client encrypts."""
    people: list[EncryptedPerson] = []

    async def register(name: str) -> EncryptedPerson:
        people.append(EncryptedPerson(await homeserver.register(name)))
        await people[-1].sync()
        return people[-1]

    yield register
    for person in people:
        await person.close()


async def in_a_room(anna: EncryptedPerson, *bots: Bot) -> str:
    room = await anna.create_room("Secrets", invite=[bot.user_id for bot in bots], initial_state=[ENCRYPTION])
    for bot in bots:
        await bot.chat.join(room)
    for bot in bots:
        await bot.news()
    return room


def saying(room: str, body: str, transaction: str, **content: object) -> Delivery:
    return Delivery(room, "m.room.message", {"msgtype": "m.notice", "body": body, **content}, transaction)


def lines(bot: Bot) -> list[str]:
    return [event.text for event in bot.events if isinstance(event, Said)]


async def waits(bot: Bot) -> None:
    """Wait until a line waits for its key."""
    while not bot.chat._waiting._lines:
        await bot.sync(timeout=5)


async def hears(person: EncryptedPerson, body: str) -> Mapping[str, Any]:
    return (await person.wait_for(lambda event: event.body == body, what=body)).content


# --- talking -----------------------------------------------------------------------------------------------


async def test_peoples_and_bots_messages_are_encrypted_and_read(
    homeserver: Homeserver, meet: Meet, employ: Employ
) -> None:
    anna, alpha, beta = await meet("e-anna"), await employ(homeserver, "e-alpha"), await employ(homeserver, "e-beta")
    room = await in_a_room(anna, alpha, beta)
    line = await anna.say(room, "!fed help")
    await alpha.until(lambda event: isinstance(event, Said) and event.text == "!fed help" and not event.unproven)
    answer = {"m.relates_to": {"m.in_reply_to": {"event_id": line}}, "dev.fedbot": {"n": 1}}
    sent = await alpha.chat.send(saying(room, "at your service", "t1", **answer))
    assert (await hears(anna, "at your service"))["m.relates_to"] == answer["m.relates_to"]
    unseen = Delivery(room, "dev.fedbot.envelope", {"dev.fedbot": {"n": 2}}, "t2")
    await alpha.chat.send(unseen)
    await beta.news()
    assert [event.envelope["n"] for event in beta.events if isinstance(event, EnvelopeSeen)] == [1, 2]
    raw = await _raw(homeserver, room, sent, alpha)
    assert raw["type"] == "m.room.encrypted"
    assert "dev.fedbot" not in json.dumps(raw)


async def test_the_same_transaction_is_one_event_although_it_is_encrypted_again(
    homeserver: Homeserver, meet: Meet, employ: Employ
) -> None:
    anna, bot = await meet("e-anna-again"), await employ(homeserver, "e-bot-again")
    room = await in_a_room(anna, bot)
    first = await bot.chat.send(saying(room, "once", "t"))
    await bot.restart()
    assert await bot.chat.send(saying(room, "once", "t")) == first


async def test_edits_threads_and_reactions_work(homeserver: Homeserver, meet: Meet, employ: Employ) -> None:
    anna, bot = await meet("e-anna-edit"), await employ(homeserver, "e-bot-edit")
    room = await in_a_room(anna, bot)
    card = await bot.chat.send(saying(room, "Take it?", "t1"))
    relation = {"rel_type": "m.replace", "event_id": card}
    new = {"msgtype": "m.notice", "body": "Taken."}
    await bot.chat.send(saying(room, "* Taken.", "t2", **{"m.new_content": new, "m.relates_to": relation}))
    await bot.chat.send(
        Delivery(room, "m.reaction", {"m.relates_to": {**relation, "rel_type": "m.annotation", "key": "✅"}}, "t3")
    )
    edit = await anna.wait_for(lambda event: event.relation == "m.replace", what="the edit")
    assert (edit.body, edit.relates_to) == ("Taken.", card)
    tap = await anna.react(room, card, "👍")
    await anna.say(room, "in a thread", thread=card)
    await anna.redact(room, tap)
    await bot.news()
    (said,) = [event for event in bot.events if isinstance(event, Said)]
    assert said.thread == card
    assert [event.target for event in bot.events if isinstance(event, Reacted)] in ([card], [])
    assert [event.target for event in bot.events if isinstance(event, Redacted)] == [tap]


async def test_before_its_first_sync_a_bot_writes_nothing_unencrypted_into_an_encrypted_room(
    homeserver: Homeserver, meet: Meet, employ: Employ
) -> None:
    anna, bot = await meet("e-anna-first"), await employ(homeserver, "e-bot-first")
    room = await anna.create_room("Secrets", invite=[bot.user_id], initial_state=[ENCRYPTION])
    await bot.chat.join(room)
    sent = await bot.chat.send(saying(room, "hello", "t"))
    assert (await _raw(homeserver, room, sent, bot))["type"] == "m.room.encrypted"
    await hears(anna, "hello")


async def test_a_picture_for_an_encrypted_room_is_encrypted(homeserver: Homeserver, meet: Meet, employ: Employ) -> None:
    anna, bot = await meet("e-anna-picture"), await employ(homeserver, "e-bot-picture")
    room, clear = await in_a_room(anna, bot), await anna.create_room("Clear", invite=[bot.user_id])
    await bot.chat.join(clear)
    await bot.news()
    png = b"\x89PNG and what is seen"
    closed, opened = [await bot.chat.upload(each, png, "image/png", "chart.png") for each in (room, clear)]
    assert opened == Media(opened.address)
    ciphertext = await _file(homeserver, closed, bot)
    assert png not in ciphertext
    way = closed.decryption
    assert nio.crypto.decrypt_attachment(ciphertext, way["key"]["k"], way["hashes"]["sha256"], way["iv"]) == png
    assert await _file(homeserver, opened, bot) == png


# --- who can read ------------------------------------------------------------------------------------------


async def test_a_new_device_reads_messages_from_then_on(homeserver: Homeserver, meet: Meet, employ: Employ) -> None:
    registered, bot = await homeserver.register("e-anna-new"), await employ(homeserver, "e-bot-new")
    async with EncryptedPerson(registered) as anna:
        await anna.sync()
        room = await in_a_room(anna, bot)
        await bot.chat.send(saying(room, "before", "t1"))
        await bot.news()
        async with EncryptedPerson(await _another_device(registered)) as second:
            await second.sync()
            await bot.news()
            await bot.chat.send(saying(room, "after", "t2"))
            await hears(second, "after")
            assert "before" not in [event.body for event in second.seen]


async def test_a_member_who_has_left_reads_nothing_more(homeserver: Homeserver, meet: Meet, employ: Employ) -> None:
    anna, eve, bot = await meet("e-anna-leave"), await meet("e-eve"), await employ(homeserver, "e-bot-leave")
    room = await in_a_room(anna, bot)
    await anna.invite(room, eve.user_id)
    await eve.join(room)
    await bot.news()
    await bot.chat.send(saying(room, "with eve", "t1"))
    await hears(eve, "with eve")
    (before,) = [s.id for s in bot.chat._cipher.machine.outbound_group_sessions.values()]
    await anna.kick(room, eve.user_id)
    await bot.news()
    await bot.chat.send(saying(room, "without eve", "t2"))
    session = bot.chat._cipher.machine.outbound_group_sessions[room]
    assert session.id != before
    assert eve.user_id not in {user for user, _ in session.users_shared_with}
    await hears(anna, "without eve")


async def test_a_room_key_that_did_not_arrive_is_shared_again_before_the_next_message(
    homeserver: Homeserver, meet: Meet, employ: Employ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nio's own client would treat it as shared."""
    anna, bot = await meet("e-anna-lost"), await employ(homeserver, "e-bot-lost")
    room = await in_a_room(anna, bot)
    connection = bot.chat._client
    ask = connection.ask

    async def fails(act: str, *request: object) -> object:
        if act == "giving out a room key":
            raise ChatUnreachable("the network is down")
        return await ask(act, *request)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(connection, "ask", fails)
        with pytest.raises(ChatUnreachable):
            await bot.chat.send(saying(room, "hello", "t"))
    await bot.chat.send(saying(room, "hello", "t"))
    await hears(anna, "hello")


async def test_one_broken_device_in_the_room_keeps_nobody_from_reading(
    homeserver: Homeserver, meet: Meet, employ: Employ, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bot = await meet("e-anna-odd"), await employ(homeserver, "e-bot-odd")
    room = await in_a_room(anna, bot)
    connection = bot.chat._client
    ask = connection.ask

    async def with_a_broken_one(act: str, *request: object) -> dict[str, Any]:
        answer = await ask(act, *request)  # type: ignore[arg-type]
        if act == "asking for devices" and anna.user_id in answer["device_keys"]:
            answer["device_keys"][anna.user_id] |= {"ODD": {"keys": 7}, "NONE": None}
        return answer

    monkeypatch.setattr(connection, "ask", with_a_broken_one)
    await bot.chat.send(saying(room, "hello", "t"))
    await hears(anna, "hello")


# --- unreadable or forged messages -------------------------------------------------------------------------


async def test_a_line_whose_key_comes_late_is_read_late(
    homeserver: Homeserver, meet: Meet, employ: Employ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the bot was restarted since."""
    anna, bot = await meet("e-anna-late"), await employ(homeserver, "e-bot-late")
    room = await in_a_room(anna, bot)
    held: list[Any] = []
    with monkeypatch.context() as patch:
        patch.setattr(type(bot.chat._cipher), "_take_key", lambda _, event: held.append(event))
        await anna.say(room, "!fed help")
        await waits(bot)
        assert lines(bot) == []
    await bot.restart()
    await bot.sync()
    assert lines(bot) == []
    for event in held:
        bot.chat._cipher._take_key(event)
    batch = await bot.sync()
    assert [event.text for event in batch.events if isinstance(event, Said)] == ["!fed help"]
    again = await bot.chat.sync(bot.token, 0)
    assert not [event for event in again.events if isinstance(event, Said)]
    assert bot.chat._waiting._lines == ()


async def test_a_line_redacted_before_its_key_comes_is_never_read(
    homeserver: Homeserver, meet: Meet, employ: Employ, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bot = await meet("e-anna-regrets"), await employ(homeserver, "e-bot-regrets")
    room = await in_a_room(anna, bot)
    held: list[Any] = []
    with monkeypatch.context() as patch:
        patch.setattr(type(bot.chat._cipher), "_take_key", lambda _, event: held.append(event))
        line = await anna.say(room, "!fed push #42 to betaspace")
        await waits(bot)
        await anna.redact(room, line)
        await bot.until(lambda event: isinstance(event, Redacted) and event.target == line)
    for event in held:
        bot.chat._cipher._take_key(event)
    now = bot.chat._now() + TELL_AFTER
    bot.chat._now = lambda: now
    for _ in range(2):
        await bot.sync()
    assert lines(bot) == []
    assert not [event for event in bot.events if isinstance(event, Unreadable)]


async def test_a_line_read_late_comes_again_if_the_batch_was_lost_in_a_crash(
    homeserver: Homeserver, meet: Meet, employ: Employ, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bot = await meet("e-anna-crash"), await employ(homeserver, "e-bot-crash")
    room = await in_a_room(anna, bot)
    held: list[Any] = []
    with monkeypatch.context() as patch:
        patch.setattr(type(bot.chat._cipher), "_take_key", lambda _, event: held.append(event))
        await anna.say(room, "!fed help")
        await waits(bot)
    for event in held:
        bot.chat._cipher._take_key(event)
    before = bot.token
    assert any(isinstance(event, Said) for event in (await bot.sync()).events)
    bot.token = before
    await bot.restart()
    assert any(isinstance(event, Said) for event in (await bot.sync()).events)


async def test_a_line_without_a_key_is_reported_once_after_a_minute(
    homeserver: Homeserver, meet: Meet, employ: Employ, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bot = await meet("e-anna-mute"), await employ(homeserver, "e-bot-mute")
    room = await in_a_room(anna, bot)
    monkeypatch.setattr(type(bot.chat._cipher), "_take_key", lambda *_: None)
    line = await anna.say(room, "!fed help")
    await waits(bot)
    assert not [event for event in bot.events if isinstance(event, Unreadable)]
    now = bot.chat._now() + TELL_AFTER
    bot.chat._now = lambda: now
    for _ in range(2):
        await bot.sync()
    (told,) = [event for event in bot.events if isinstance(event, Unreadable)]
    assert (told.line, told.sender, told.event_id) == (line, anna.user_id, "")


@pytest.mark.parametrize("kind", ["m.room.redaction", "m.room.member", "m.room.power_levels"])
async def test_an_event_that_the_homeserver_must_authorise_does_not_count_encrypted(
    homeserver: Homeserver, meet: Meet, employ: Employ, kind: str
) -> None:
    """Otherwise any member could take back anybody's reaction, or become admin."""
    name = kind.replace("_", "-").replace(".", "-")
    anna, bot = await meet(f"e-anna-{name}"), await employ(homeserver, f"e-bot-{name}")
    room = await in_a_room(anna, bot)
    known = dict(bot.chat._rooms.pictures[room].state)
    await anna.send(room, kind, {"redacts": "$x", "membership": "ban", "users": {anna.user_id: 100}, "state_key": ""})
    await anna.say(room, "and then")
    await bot.until(lambda event: isinstance(event, Said))
    assert bot.chat._rooms.pictures[room].state == known
    assert [type(event) for event in bot.events if not isinstance(event, Said)].count(Redacted) == 0


async def test_a_line_by_another_device_than_the_senders_is_not_believed(
    homeserver: Homeserver, meet: Meet, employ: Employ
) -> None:
    """A homeserver can name any sender of an event; the key that decrypts it belongs to somebody's device."""
    anna, eve, bot = await meet("e-anna-spoof"), await meet("e-eve-spoof"), await employ(homeserver, "e-bot-spoof")
    room = await in_a_room(anna, bot)
    await anna.invite(room, eve.user_id)
    await eve.join(room)
    await bot.news()
    line = await eve.say(room, "!fed push everything to eve")
    await bot.until(lambda event: isinstance(event, Said) and event.sender == eve.user_id)
    raw = await _raw(homeserver, room, line, bot)
    cipher = bot.chat._cipher
    assert cipher.decrypt(room, raw)["type"] == "m.room.message"
    (as_anna,) = await cipher.decrypt_all(room, [{**raw, "sender": anna.user_id}])
    assert as_anna["type"] == "m.room.encrypted"


async def test_a_line_keeps_its_number_if_a_homeserver_shows_it_again_after_a_restart(
    homeserver: Homeserver, meet: Meet, employ: Employ
) -> None:
    anna, bot = await meet("e-anna-repeat"), await employ(homeserver, "e-bot-repeat")
    room = await in_a_room(anna, bot)
    line = await anna.say(room, "!fed lend #1 to Freifunk")
    said = await bot.until(lambda event: isinstance(event, Said))
    second = await anna.say(room, "!fed help") and await bot.until(lambda event: isinstance(event, Said))
    assert isinstance(said, Said)
    assert isinstance(second, Said)
    assert said.session == second.session != ""
    assert said.index < second.index
    raw = await _raw(homeserver, room, line, bot)
    await bot.restart()
    await bot.news()
    shown_again = {**raw, "event_id": "$another", "origin_server_ts": raw["origin_server_ts"] + 10**9}
    (again,) = await bot.chat._cipher.decrypt_all(room, [shown_again])
    assert isinstance(again, Decrypted)
    assert (again.session, again.index) == (said.session, said.index)


async def test_a_homeserver_that_hides_the_encryption_makes_no_unencrypted_line_count(
    homeserver: Homeserver, meet: Meet, employ: Employ, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bot = await meet("e-anna-hidden"), await employ(homeserver, "e-bot-hidden")
    room = await in_a_room(anna, bot)
    await bot.restart()

    def hidden(events: tuple[Raw, ...]) -> tuple[Raw, ...]:
        return tuple(event for event in events if event.get("type") != "m.room.encryption")

    gather = bot.chat._gather

    async def lies(*given: Any, **named: Any) -> RawSync:  # noqa: ANN401
        raw = await gather(*given, **named)
        join = {
            each: replace(told, state=hidden(told.state), timeline=hidden(told.timeline), current=hidden(told.current))
            for each, told in raw.join.items()
        }
        return replace(raw, join=join)

    monkeypatch.setattr(bot.chat, "_gather", lies)
    await Person.send(anna, room, "m.room.message", {"msgtype": "m.text", "body": "!fed push everything to eve"})
    said = await bot.until(lambda event: isinstance(event, Said))
    assert isinstance(said, Said)
    assert said.unproven


async def test_garbage_to_the_device_and_into_the_room_stops_nothing(
    homeserver: Homeserver, meet: Meet, employ: Employ
) -> None:
    anna, bot = await meet("e-anna-garbage"), await employ(homeserver, "e-bot-garbage")
    room = await in_a_room(anna, bot)
    ours = bot.chat._cipher.machine.account.identity_keys["curve25519"]
    for kind in (0, 1, 7):
        for body in ("", "AAAA", "%%%"):
            envelope = {
                "algorithm": "m.olm.v1.curve25519-aes-sha2",
                "sender_key": "AAAA",
                "ciphertext": {ours: {"type": kind, "body": body}},
            }
            path = f"/sendToDevice/m.room.encrypted/{kind}-{len(body)}"
            await anna._api.ask("PUT", path, {"messages": {bot.user_id: {bot.chat.device_id: envelope}}})
    wrong = {"algorithm": "m.megolm.v1.aes-sha2", "sender_key": "x", "device_id": "x", "session_id": "x"}
    for content in ({}, {"algorithm": 7}, {**wrong, "ciphertext": "AAAA"}, {**wrong, "ciphertext": 5}):
        await super(EncryptedPerson, anna).send(room, "m.room.encrypted", content)
    raw = {"type": "m.room.encrypted", "event_id": "$1", "sender": anna.user_id, "origin_server_ts": 1}
    closed = {"content": {**wrong, "ciphertext": "AAAA"}}
    for broken in (closed, {**closed, "unsigned": 7}, {**closed, "origin_server_ts": "x"}, {"content": None}):
        assert bot.chat._cipher.decrypt(room, {**raw, **broken}) == {**raw, **broken}
    await anna.say(room, "!fed help")
    await bot.until(lambda event: isinstance(event, Said))
    assert lines(bot) == ["!fed help"]


# --- another worker ----------------------------------------------------------------------------------------


async def test_an_encrypted_room_goes_on_at_another_worker_and_the_first_can_share_no_key(
    homeserver: Homeserver, meet: Meet, postgresql: Server
) -> None:
    space, seal = postgresql.space(), Seal(bytes(32), "alpha")

    def takes_over() -> FolderInDatabase:
        lease = claim(space, "a worker")
        assert lease is not None
        return FolderInDatabase(PostgresqlDatabase(lease), seal)

    registered, anna = await homeserver.register("e-bot-worker"), await meet("e-anna-worker")
    account = BotAccount(homeserver.url, "e-bot-worker", password=registered.password, request_timeout=15)
    folder = takes_over()
    one = Bot(await MatrixChat.open(account, folder), account, Path())
    room = await in_a_room(anna, one)
    await anna.say(room, "!fed help")
    await one.until(lambda event: isinstance(event, Said))
    await one.chat.send(saying(room, "said by the first", "t1"))
    await hears(anna, "said by the first")

    await anna.say(room, "!fed stats")  # nobody has read it when the first worker is paused
    postgresql.every_claim_is_over()
    folder = takes_over()
    two = Bot(await MatrixChat.open(account, folder), account, Path(), one.token)
    await two.until(lambda event: isinstance(event, Said) and event.text == "!fed stats")
    assert two.chat.device_id == one.chat.device_id
    await two.chat.send(saying(room, "said by the second", "t2"))
    await hears(anna, "said by the second")

    one.chat._cipher.machine.outbound_group_sessions.clear()  # as when the room key is rotated
    with pytest.raises(LeaseLost):
        await one.chat.send(saying(room, "said too late", "t3"))
    for bot in (one, two):
        await bot.chat.close()


# --- our own keys ------------------------------------------------------------------------------------------


async def test_the_store_is_private_and_opened_by_a_key_of_its_own(homeserver: Homeserver, employ: Employ) -> None:
    bot = await employ(homeserver, "e-bot-private")
    folder = bot.folder / KEYS
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    with closing(sqlite3.connect(folder / "device.db")) as store:
        ((pickled,),) = store.execute("SELECT account FROM accounts").fetchall()
    with pytest.raises(ValueError, match="MAC"):
        nio.crypto.OlmAccount.from_pickle(pickled, "DEFAULT_KEY")
    assert nio.crypto.OlmAccount.from_pickle(pickled, (folder / "pickle.key").read_text()).identity_keys


async def test_one_time_keys_are_in_the_store_before_they_are_on_the_homeserver(
    homeserver: Homeserver, meet: Meet, employ: Employ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is lost and the bot ends. Messages with one of these keys must still be readable."""
    bot = await employ(homeserver, "e-bot-otk")
    connection = bot.chat._client
    ask = connection.ask

    async def answer_lost(act: str, *request: object) -> object:
        await ask(act, *request)  # type: ignore[arg-type]
        raise ChatUnreachable("the answer got lost")

    bot.chat._cipher.machine.uploaded_key_count = 20
    monkeypatch.setattr(connection, "ask", answer_lost)
    with pytest.raises(ChatUnreachable):
        await bot.chat._cipher._upload()
    await bot.restart()
    anna = await meet("e-anna-otk")
    room = await in_a_room(anna, bot)
    await anna.say(room, "!fed help")
    await bot.until(lambda event: isinstance(event, Said))
    assert bot.chat._cipher.machine.account.shared


async def test_with_all_one_time_keys_taken_people_can_still_talk_to_it(
    homeserver: Homeserver, meet: Meet, employ: Employ
) -> None:
    bot, eve = await employ(homeserver, "e-bot-drained"), await meet("e-eve-drained")
    anna = await meet("e-anna-drained")
    room = await in_a_room(anna, bot)
    wanted = {"one_time_keys": {bot.user_id: {bot.chat.device_id: "signed_curve25519"}}}
    given = [await eve._api.ask("POST", "/keys/claim", wanted) for _ in range(60)]
    keys = [next(iter(answer["one_time_keys"][bot.user_id][bot.chat.device_id].values())) for answer in given]
    assert keys[-1]["fallback"] is True
    await anna.say(room, "!fed help")
    await bot.until(lambda event: isinstance(event, Said))


async def test_an_older_copy_of_the_store_is_not_used(homeserver: Homeserver, employ: Employ, tmp_path: Path) -> None:
    bot = await employ(homeserver, "e-bot-copy")
    store = bot.folder / KEYS / "device.db"
    await bot.chat.close()
    older = store.read_bytes()
    bot.chat = await MatrixChat.open(bot.account, bot.folder)
    bot.chat._cipher.machine.uploaded_key_count = 40
    await bot.chat._cipher._upload()
    await bot.chat.close()
    store.write_bytes(older)
    bot.chat = await MatrixChat.open(bot.account, bot.folder)
    bot.chat._cipher.machine.uploaded_key_count = 40
    device = bot.chat.device_id
    with pytest.raises(ChatSignedOut, match="older copy"):
        await bot.sync()
    await bot.restart()
    assert bot.chat.device_id != device


async def test_a_lost_store_makes_a_new_device_and_signs_the_old_one_out_after_claiming_the_account(
    homeserver: Homeserver, employ: Employ, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = await employ(homeserver, "e-bot-gone")
    await bot.chat.close()
    before = read_session(bot.folder)
    assert before is not None
    (bot.folder / KEYS / "device.db").unlink()
    bot.chat = await MatrixChat.open(bot.account, bot.folder)
    after = read_session(bot.folder)
    assert after is not None
    assert after.device_id != before.device_id
    assert not bot.chat.untrusted, "the account's own keys were kept, and the new device is signed by them"
    async with httpx.AsyncClient(trust_env=False, base_url=homeserver.url) as client:
        client.headers["Authorization"] = f"Bearer {before.token}"
        await bot.sync()
        assert (await client.get("/_matrix/client/v3/account/whoami")).status_code == 200
        await bot.chat.claim("here")
        monkeypatch.setattr("fedbot.matrix.client.EARLIER_STAYS", 0.0)
        await bot.sync()
        assert (await client.get("/_matrix/client/v3/account/whoami")).status_code == 401
    assert sorted(path.name for path in bot.folder.iterdir()) == ["matrix-keys", "matrix.json"]


async def test_a_token_of_another_clients_device_needs_the_password(
    homeserver: Homeserver, meet: Meet, tmp_path: Path
) -> None:
    """As when somebody copies the token out of their client."""
    registered = await homeserver.register("e-bot-token")
    async with EncryptedPerson(registered) as client:
        await client.sync()
        account = BotAccount(homeserver.url, "e-bot-token", token=registered.access_token)
        with pytest.raises(ChatRefused, match="password_file"):
            await MatrixChat.open(account, tmp_path)
        chat = await MatrixChat.open(replace(account, password=registered.password), tmp_path)
        await chat.close()
        assert chat.device_id != registered.device_id
        await client.sync()  # its token is still valid


async def test_a_token_of_no_device_needs_the_password(homeserver: Homeserver, tmp_path: Path) -> None:
    """An admin of the homeserver can create one."""
    registered, admin = await homeserver.register("e-bot-adm"), await homeserver.register("e-admin", admin=True)
    async with httpx.AsyncClient(trust_env=False, base_url=homeserver.url) as client:
        headers = {"Authorization": f"Bearer {admin.access_token}"}
        path = f"/_synapse/admin/v1/users/{registered.user_id}/login"
        token = (await client.post(path, headers=headers, json={})).raise_for_status().json()["access_token"]
    with pytest.raises(ChatRefused, match="password_file"):
        await MatrixChat.open(BotAccount(homeserver.url, "e-bot-adm", token=token), tmp_path)


async def test_room_keys_of_an_earlier_device_are_taken_over(
    homeserver: Homeserver, meet: Meet, employ: Employ
) -> None:
    anna, bot = await meet("e-anna-over"), await employ(homeserver, "e-bot-over")
    room = await in_a_room(anna, bot)
    peer = await employ(homeserver, "e-peer-over")
    await anna.invite(room, peer.user_id)
    await peer.chat.join(room)
    await bot.news()
    await peer.chat.send(Delivery(room, "dev.fedbot.envelope", {"dev.fedbot": {"n": 1}}, "t"))
    await bot.until(lambda event: isinstance(event, EnvelopeSeen))
    await bot.chat.close()
    set_aside(bot.folder / KEYS)
    bot.chat = await MatrixChat.open(bot.account, bot.folder)
    assert [letter.envelope for letter in await bot.chat.protocol_messages(room)] == [{"n": 1}]
    assert not list((bot.folder / KEYS).glob("earlier-*"))


# --- being trusted -----------------------------------------------------------------------------------------


async def test_the_account_signs_each_device_of_the_bot(homeserver: Homeserver, employ: Employ) -> None:
    bot = await employ(homeserver, "e-bot-signed")
    assert bot.chat.untrusted == ""
    await bot.restart()
    assert bot.chat.untrusted == ""


async def test_keys_made_by_another_client_are_left_alone_and_replaced_on_request(
    homeserver: Homeserver, tmp_path: Path
) -> None:
    registered = await homeserver.register("e-bot-other")
    account = BotAccount(homeserver.url, "e-bot-other", password=registered.password)
    elsewhere, here = tmp_path / "elsewhere", tmp_path / "here"
    elsewhere.mkdir()
    here.mkdir()
    first = await MatrixChat.open(account, elsewhere)
    await first.close()
    chat = await MatrixChat.open(account, here)
    assert "another client" in chat.untrusted
    await take_over(chat._client, here / KEYS, registered.password)
    await chat.close()
    chat = await MatrixChat.open(account, here)
    assert chat.untrusted == ""
    await chat.close()


async def test_a_damaged_file_of_account_keys_stops_nothing(homeserver: Homeserver, employ: Employ) -> None:
    bot = await employ(homeserver, "e-bot-seeds")
    for damaged in ("", "{}", "[]", '{"master": 7, "self_signing": 7, "user_signing": 7}'):
        (bot.folder / KEYS / "cross-signing.json").write_text(damaged)
        await bot.restart()
        assert "put it back from a backup" in bot.chat.untrusted
        with pytest.raises(ChatRefused, match="put it back"):
            await has_others(bot.chat._client, bot.folder / KEYS)


# --- looking at the server ---------------------------------------------------------------------------------


async def _another_device(account: Account) -> Account:
    async with httpx.AsyncClient(trust_env=False, base_url=account.homeserver_url) as client:
        who = {"type": "m.id.user", "user": account.user_id}
        asked = {"type": "m.login.password", "identifier": who, "password": account.password}
        answer = (await client.post("/_matrix/client/v3/login", json=asked)).raise_for_status().json()
        return replace(account, device_id=answer["device_id"], access_token=answer["access_token"])


async def _ask(homeserver: Homeserver, path: str, reader: Bot) -> httpx.Response:
    kept = read_session(reader.folder)
    assert kept is not None
    async with httpx.AsyncClient(trust_env=False, base_url=homeserver.url) as client:
        answer = await client.get(path, headers={"Authorization": f"Bearer {kept.token}"})
        return answer.raise_for_status()


async def _raw(homeserver: Homeserver, room: str, event: str, reader: Bot) -> dict[str, Any]:
    found: dict[str, Any] = (await _ask(homeserver, f"/_matrix/client/v3/rooms/{room}/event/{event}", reader)).json()
    return found


async def _file(homeserver: Homeserver, media: Media, reader: Bot) -> bytes:
    return (
        await _ask(homeserver, f"/_matrix/client/v1/media/download/{media.address.removeprefix('mxc://')}", reader)
    ).content
