"""The embedded homeserver is a real Synapse that starts, limits, restarts, federates and ends."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import httpx
import pytest

from fedbot_demo.certificates import CertificateAuthority
from fedbot_demo.client_server import MatrixError
from fedbot_demo.homeserver import Homeserver, HomeserverError
from fedbot_demo.person import Person
from tests.demo.conftest import Introduce

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def say_many(person: Person, count: int) -> None:
    room = await person.create_room("many lines")
    for number in range(count):
        await person.say(room, str(number))


async def test_it_answers_clients_until_it_is_stopped(tmp_path: Path) -> None:
    server = Homeserver(tmp_path)
    await server.start()
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        assert (await client.get("/_matrix/client/versions")).is_success
        assert server.url.startswith("http://127.0.0.1:")
        await server.stop()
        with pytest.raises(httpx.ConnectError):
            await client.get("/_matrix/client/versions")
    assert not server.is_running
    assert server.pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)


async def test_users_and_rooms_come_back_after_a_stop_at_the_same_address(tmp_path: Path, introduce: Introduce) -> None:
    server = Homeserver(tmp_path)
    await server.start()
    anna = await introduce(server, "anna")
    room = await anna.create_room("kept")
    said = await anna.say(room, "before")
    await server.stop()
    await server.start()
    assert (await anna.event(room, said)).body == "before"
    await server.kill()
    again = Homeserver(tmp_path)
    assert (again.url, again.server_name) == (server.url, server.server_name)
    async with again:
        assert (await anna.event(room, said)).body == "before"


async def test_a_start_that_fails_shows_the_end_of_the_log(tmp_path: Path) -> None:
    server = Homeserver(tmp_path)
    port = int(server.url.rpartition(":")[2])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        with pytest.raises(HomeserverError, match=r"(?s)Synapse ended with .*[Aa]ddress already in use"):
            await server.start()
    assert not server.is_running


async def test_a_start_that_takes_too_long_ends_the_process(tmp_path: Path) -> None:
    server = Homeserver(tmp_path)
    with pytest.raises(HomeserverError, match="didn't answer"):
        await server.start(timeout=0.01)
    assert not server.is_running


async def test_by_default_a_sender_of_many_events_is_limited_until_the_limit_is_lifted(
    tmp_path: Path, introduce: Introduce
) -> None:
    async with Homeserver(tmp_path) as server:
        anna = await introduce(server, "anna", patience=0)
        with pytest.raises(MatrixError) as refused:
            await say_many(anna, 30)
        assert refused.value.code == "M_LIMIT_EXCEEDED"
        await server.lift_rate_limit(anna.user_id)
        await say_many(anna, 30)


async def test_a_person_waits_as_the_limits_ask_and_sends_once(tmp_path: Path) -> None:
    async with Homeserver(tmp_path) as server:
        account = await server.register("anna")
        async with Person(account, patience=0) as hasty, Person(account) as patient:
            with pytest.raises(MatrixError, match="M_LIMIT_EXCEEDED"):
                await say_many(hasty, 30)
            await hasty.sync()
            (room,) = hasty.rooms
            await patient.say(room, "after all")
            lines = [each.body for each in await patient.messages(room)]
    assert lines.count("after all") == 1


async def test_a_taken_name_is_refused_in_the_servers_words(homeserver: Homeserver) -> None:
    await homeserver.register("taken")
    with pytest.raises(HomeserverError, match=r"register taken: 400 .*M_USER_IN_USE"):
        await homeserver.register("taken")


async def test_an_account_can_log_in_by_password_and_shows_no_secret(homeserver: Homeserver) -> None:
    account = await homeserver.register("logs.in")
    assert account.password not in repr(account)
    assert account.access_token not in repr(account)
    asked = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": account.user_id},
        "password": account.password,
    }
    async with httpx.AsyncClient(base_url=homeserver.url, trust_env=False) as client:
        answer = await client.post("/_matrix/client/v3/login", json=asked)
    assert answer.json()["user_id"] == account.user_id


async def test_its_secrets_are_readable_by_the_owner_only(homeserver: Homeserver) -> None:
    assert (homeserver.folder / "homeserver.yaml").stat().st_mode & 0o777 == 0o600


async def test_two_homeservers_federate_on_loopback(tmp_path: Path, introduce: Introduce) -> None:
    authority = CertificateAuthority(tmp_path / "authority")
    async with (
        Homeserver(tmp_path / "one", authority=authority) as one,
        Homeserver(tmp_path / "two", authority=authority) as two,
    ):
        anna, bea = await introduce(one, "anna"), await introduce(two, "bea")
        room = await anna.create_room("both", invite=[bea.user_id])
        await bea.join(await bea.wait_for_invitation(timeout=30))
        await anna.wait_for(lambda seen: seen.state_key == bea.user_id and seen.content["membership"] == "join")
        said = await anna.say(room, "over there?")
        await bea.wait_for(lambda seen: seen.event_id == said, timeout=30)
        await bea.react(room, said, "✅")
        tapped = await anna.wait_for(lambda seen: seen.key == "✅", timeout=30)
    assert (tapped.sender, tapped.relates_to) == (bea.user_id, said)


async def test_a_folder_keeps_whether_its_homeserver_federates(tmp_path: Path) -> None:
    async with Homeserver(tmp_path / "one"):
        pass
    with pytest.raises(HomeserverError, match="that stays"):
        Homeserver(tmp_path / "one", authority=CertificateAuthority(tmp_path / "authority"))
