"""Everything encrypted, as clients make rooms: connect, push, restarts, gaps, direct chats, the admin room.

The people's clients use nio's own client, not the bots' code (`fedbot_demo.encrypted_person`).
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from nacl.signing import VerifyKey

from fedbot.cli.exits import Exit
from fedbot.rules.wire import canonical
from fedbot_demo import plot
from fedbot_demo.homeserver import Account
from fedbot_demo.stage import ENCRYPTION, Space, Stage
from tests.e2e import scene

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

STAGE = {
    "access": "relayed",
    "default_rate_limits": False,
    "encrypted": True,
    "rules": {"grace_seconds": 0.3, "settle_seconds": 0.5, "resend_seconds": [3.0, 600.0]},
}
IPN = "RES-10K"
NOTE = "for Saturday, with the blue tape"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def friends(stage: Stage) -> AsyncIterator[Stage]:
    await plot.connect(stage)
    await scene.at_rest(stage)
    yield stage


async def offered(stage: Stage, quantity: int) -> plot.Offer:
    line = f'!fed push {quantity} {IPN} to betaspace --note "{NOTE}"'
    return await plot.offer(stage, stage.people["piet"], line, seen_by=stage.people["cem"])


async def test_a_push_works_and_the_homeserver_can_not_read_it(friends: Stage) -> None:
    before = await scene.amounts(friends, IPN)
    offer = await offered(friends, 50)
    await friends.people["cem"].react(friends.room, offer.card.event_id, plot.YES)
    await plot.ended(friends, friends.people["piet"], offer.transfer, "done")
    await scene.at_rest(friends)
    after = await scene.amounts(friends, IPN)
    assert after == (before[0] - 50, before[1] + 50)

    kinds, texts = _what_the_homeserver_has(friends)
    assert "m.room.encrypted" in kinds
    assert not kinds & {"m.room.message", "dev.fedbot.envelope"}
    for secret in (NOTE, offer.transfer, "Take it?", '"dev.fedbot":'):
        assert secret not in texts


def _what_the_homeserver_has(stage: Stage) -> tuple[set[str], str]:
    """The kinds of the events in all rooms, and all events as text, from Synapse's database."""
    database = stage.folder / "homeserver" / "homeserver.db"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as opened:
        events = [row[0] for row in opened.execute("SELECT json FROM event_json")]
    return {json.loads(event)["type"] for event in events}, "".join(events)


async def test_a_bot_restarted_in_the_middle_reads_the_lines_sent_while_it_was_down(friends: Stage) -> None:
    attraktor, betaspace = friends.spaces
    before = await scene.amounts(friends, IPN)
    offer = await offered(friends, 7)
    await betaspace.bot.stop()
    cem = friends.people["cem"]
    await cem.say(friends.room, "!fed approve", reply_to=offer.card.event_id)
    await attraktor.bot.stop()
    line = await friends.people["piet"].say(friends.room, "!fed whoami")
    await asyncio.gather(attraktor.bot.start(), betaspace.bot.start())
    await plot.ended(friends, friends.people["piet"], offer.transfer, "done")
    assert await scene.amounts(friends, IPN) == (before[0] - 7, before[1] + 7)
    answer = await friends.people["piet"].wait_for(lambda e: e.replies_to == line, 30.0, what="an answer to whoami")
    assert "piet" in answer.body


async def test_a_code_typed_right_after_the_card_counts(friends: Stage) -> None:
    before = await scene.amounts(friends, IPN)
    offer = await offered(friends, 3)
    await friends.people["cem"].say(friends.room, f"!fed approve {offer.transfer[:4]}")
    await scene.is_done(friends, IPN, before, offer, 3)


async def test_more_lines_than_one_sync_returns_are_all_read(friends: Stage) -> None:
    """In a limited timeline, the bot pages back for the missing events and decrypts them."""
    attraktor, kim = friends.attraktor, friends.people["kim"]
    await attraktor.bot.stop()
    first = await kim.say(friends.room, "!fed whoami")
    for number in range(105):
        await kim.say(friends.room, f"small talk {number}")
    await attraktor.bot.start()
    answer = await kim.wait_for(lambda event: event.replies_to == first, 60.0, what="an answer to the first line")
    assert "kim" in answer.body


async def test_an_encrypted_direct_chat_is_answered(friends: Stage) -> None:
    kim, bot = friends.people["kim"], friends.attraktor.account.user_id
    chat = await kim.create_room(
        "", preset="trusted_private_chat", invite=[bot], initial_state=[ENCRYPTION], direct=True
    )
    await kim.wait_for(lambda e: e.room == chat and e.sender == bot and "private" in e.body, 30.0, what="a first word")
    await kim.say(chat, "whoami")
    answer = await kim.wait_for(lambda e: e.room == chat and e.sender == bot and "user kim" in e.body, 30.0)
    on_the_server = await _raw(friends.accounts["kim"], chat, answer.event_id)
    assert on_the_server["type"] == "m.room.encrypted"


async def test_an_encrypted_admin_room_is_served(friends: Stage) -> None:
    betaspace = friends.betaspace
    line = await betaspace.superuser.say(betaspace.admin_room, "!fed status")
    answer = await betaspace.superuser.wait_for(lambda event: event.replies_to == line, 30.0, what="the status")
    assert "is healthy" in answer.body
    on_the_server = await _raw(friends.accounts["bea"], betaspace.admin_room, answer.event_id)
    assert on_the_server["type"] == "m.room.encrypted"


async def test_a_room_that_is_encrypted_later_goes_on(friends: Stage) -> None:
    """A member who joins later can read everything sent from then on."""
    kim, bot = friends.people["kim"], friends.attraktor.account.user_id
    chat = await kim.create_room("", preset="trusted_private_chat", invite=[bot], direct=True)
    await kim.wait_for(lambda e: e.room == chat and e.sender == bot and "private" in e.body, 30.0, what="a first word")
    await kim.set_state(chat, "m.room.encryption", ENCRYPTION["content"])
    line = await kim.say(chat, "whoami")
    answer = await kim.wait_for(lambda event: event.replies_to == line, 30.0, what="an encrypted answer")
    assert (await _raw(friends.accounts["kim"], chat, answer.event_id))["type"] == "m.room.encrypted"


async def test_each_bots_device_is_signed_by_its_account(friends: Stage) -> None:
    """The chain that other clients check: the master key signs the self-signing key, which signs the device."""
    for space in friends.spaces:
        bot = space.account.user_id
        kept = json.loads((space.folder / "state" / "identity" / "matrix.json").read_text())
        found = await _keys(friends.accounts["anna"], bot)
        master, signing = found["master_keys"][bot], found["self_signing_keys"][bot]
        device = found["device_keys"][bot][kept["device_id"]]
        _verify(signing, bot, *master["keys"].items())
        _verify(device, bot, *signing["keys"].items())


def _verify(signed: dict[str, Any], user: str, by: tuple[str, str]) -> None:
    name, key = by
    content = canonical({k: v for k, v in signed.items() if k not in ("signatures", "unsigned")})
    VerifyKey(_bytes(key)).verify(content, _bytes(signed["signatures"][user][name]))


def _bytes(text: str) -> bytes:
    return b64decode(text + "==")


async def _keys(reader: Account, user: str) -> dict[str, Any]:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            f"{reader.homeserver_url}/_matrix/client/v3/keys/query",
            headers={"Authorization": f"Bearer {reader.access_token}"},
            json={"device_keys": {user: []}},
        )
        found: dict[str, Any] = answer.raise_for_status().json()
        return found


async def _raw(reader: Account, room: str, event_id: str) -> dict[str, Any]:
    """The event as the homeserver has it."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(
            f"{reader.homeserver_url}/_matrix/client/v3/rooms/{room}/event/{event_id}",
            headers={"Authorization": f"Bearer {reader.access_token}"},
        )
        found: dict[str, Any] = answer.raise_for_status().json()
        return found


async def test_a_restored_backup_goes_on_as_a_new_device(friends: Stage, tmp_path: Path) -> None:
    """Its old keys would be used a second time and lack newer ones; others share theirs with the new device."""
    attraktor, file = friends.attraktor, tmp_path / "backup"
    before = await scene.amounts(friends, IPN)
    offer = await offered(friends, 11)
    await scene.fedbot(attraktor, "backup", str(file), "--unencrypted")
    await friends.people["cem"].react(friends.room, offer.card.event_id, plot.YES)
    await scene.is_done(friends, IPN, before, offer, 11)
    earlier = _device_of(attraktor)
    await attraktor.bot.kill()
    shutil.rmtree(attraktor.folder / "state")
    await scene.fedbot(attraktor, "restore", str(file))
    await attraktor.bot.start()
    await scene.is_done(friends, IPN, before, offer, 11)
    assert _device_of(attraktor) != earlier
    again = await offered(friends, 3)
    await friends.people["cem"].react(friends.room, again.card.event_id, plot.YES)
    await scene.is_done(friends, IPN, (before[0] - 11, before[1] + 11), again, 3)


async def test_a_lost_journal_is_rebuilt_from_encrypted_messages(friends: Stage) -> None:
    attraktor = friends.attraktor
    before = await scene.amounts(friends, IPN)
    offer = await offered(friends, 4)
    await attraktor.bot.kill()
    for path in (attraktor.folder / "state").glob("journal.db*"):
        path.unlink()
    await attraktor.bot.begin()
    assert await attraktor.bot.ended() == Exit.HISTORY_WITHOUT_STATE
    said = await scene.fedbot(attraktor, "rebuild")
    assert "1 continue" in said
    await attraktor.bot.start()
    await scene.keys_are_compared(friends, attraktor)
    await friends.people["cem"].react(friends.room, offer.card.event_id, plot.YES)
    await scene.is_done(friends, IPN, before, offer, 4)


async def test_lost_keys_make_a_new_device_that_works(friends: Stage) -> None:
    betaspace, cem = friends.betaspace, friends.people["cem"]
    before = await scene.amounts(friends, IPN)
    offer = await offered(friends, 2)
    await betaspace.bot.kill()
    (betaspace.folder / "state" / "identity" / "matrix-keys" / "device.db").write_bytes(b"damaged")
    earlier = _device_of(betaspace)
    await betaspace.bot.start()
    assert _device_of(betaspace) != earlier
    await cem.say(friends.room, "!fed approve", reply_to=offer.card.event_id)
    await scene.is_done(friends, IPN, before, offer, 2)


def _device_of(space: Space) -> str:
    return str(json.loads((space.folder / "state" / "identity" / "matrix.json").read_text())["device_id"])


async def test_verify_can_run_beside_a_running_bot_and_again(friends: Stage) -> None:
    for _ in range(2):
        assert "restart the bot" in await scene.fedbot(friends.betaspace, "verify")


async def test_the_keys_are_private_files(friends: Stage) -> None:
    for space in friends.spaces:
        folder = space.folder / "state" / "identity" / "matrix-keys"
        files = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
        assert {"device.db", "pickle.key", "cross-signing.json"} <= files.keys()
        assert set(files.values()) == {0o600}
        assert folder.stat().st_mode & 0o777 == 0o700
