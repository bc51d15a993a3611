"""Finding addresses and rooms: sub-paths, redirects, certificates, `.well-known`, ways to sign in, invitations."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from fedbot.check.matrix import SignedInByNio
from fedbot.matrix.keys import KEYS
from fedbot.matrix.login import NioClient, Session, new_client
from fedbot.setup import conversation, inventree, matrix
from fedbot.setup.asking import Answers, Asker, BadAnswer, Stopped, yes_or_no
from fedbot.setup.matrix import Bot, Homeserver, RoomFound
from fedbot.setup.written import Files
from fedbot_demo.certificates import CertificateAuthority
from fedbot_demo.inventree import seeds
from fedbot_demo.inventree.server import Serving, serve

INVENTREE = {"server": "InvenTree", "version": "1.5.0", "apiVersion": 530, "instance": "Attraktor"}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(pages: dict[str, object]) -> AsyncIterator[str]:
    """A server with these pages: JSON, or a handler."""

    def page(content: object) -> Handler:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.json_response(content)

        return answer

    application = web.Application()
    for path, content in pages.items():
        application.router.add_route("*", path, cast("Handler", content) if callable(content) else page(content))
    async with TestServer(application) as server:
        yield str(server.make_url("")).rstrip("/")


async def found(said: str) -> str:
    return (await asyncio.to_thread(inventree.find, said)).url


async def refused(said: str) -> str:
    with pytest.raises(BadAnswer) as problem:
        await found(said)
    return str(problem.value)


async def test_an_inventree_is_found_from_any_of_its_pages_below_a_path_and_after_a_redirect() -> None:
    async def moved(request: web.Request) -> web.StreamResponse:
        raise web.HTTPMovedPermanently("/stock/api/")

    async with serving({"/stock/api/": INVENTREE, "/old/api/": moved, "/api/": {"server": "Other"}}) as url:
        for said in ("/stock", "/stock/", "/stock/web/part/7", "/stock/api/", "/old"):
            assert await found(url + said) == f"{url}/stock"
        assert await found(f"{url.removeprefix('http://')}/stock/") == f"{url}/stock"
        assert "answers, but isn't InvenTree" in await refused(url)
    async with serving({"/inventree/api/": INVENTREE}) as url:
        assert await found(url) == f"{url}/inventree"
    async with serving({"/api/": {**INVENTREE, "version": "0.12", "apiVersion": 120}}) as url:
        assert "the oldest that works is 0.13" in await refused(url)
    for nonsense in ("", "our server", "ftp://inventree", "https://user:pw@host", "http://host:0"):
        assert "That isn't an address" in await refused(nonsense)


async def test_an_address_without_https_is_tried_by_https_once_not_for_each_part_of_its_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server without TLS may wait for more of what it can't read."""
    monkeypatch.setattr(inventree, "SECONDS", 0.3)
    began = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (await reader.read(1)) == b"\x16":  # a TLS handshake
            began.append("https")
            await reader.read()
        else:
            await reader.readuntil(b"\r\n\r\n")
            content = json.dumps(INVENTREE).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
            writer.write(head.encode() + content)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        place = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert await found(f"{place}/web/part/7") == f"http://{place}/web/part/7"
    assert began == ["https"]


async def test_a_clock_that_differs_by_hours_is_named_before_tokens_are_made_by_it() -> None:
    async def late(_: web.Request) -> web.StreamResponse:
        there = format_datetime(datetime.now(UTC) - timedelta(hours=3), usegmt=True)
        return web.json_response(INVENTREE, headers={"Date": there})

    async with serving({"/api/": late}) as url:
        told = await refused(url)
    assert re.search(
        rf"this machine's clock is 3:00:0\d ahead of that of {url}\. Please set the one that is wrong", told
    )


async def test_trouble_with_a_certificate_is_reported_and_solved_by_a_ca_file(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    issued = authority.issue("inventree")
    async with serve(Serving(seeds.alpha().server), certificate=issued.certificate, key=issued.key) as server:
        assert f"add the path of the CA file after the address: {server.url}" in await refused(server.url)
        assert await found(f"{server.url} {authority.certificate}") == server.url
        assert "There is no CA certificate in the file /nowhere" in await refused(f"{server.url} /nowhere")


def homeserver(**changed: object) -> dict[str, object]:
    return {
        "/_matrix/client/versions": {"versions": ["v1.11"]},
        "/_matrix/client/v3/login": {"flows": [{"type": "m.login.password"}]},
        "/_matrix/client/v3/register": {"errcode": "M_FORBIDDEN", "error": "Registration has been disabled"},
        **changed,
    }


async def test_a_homeserver_is_found_by_well_known_with_its_ways_to_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(homeserver()) as url:
        monkeypatch.setattr(matrix, "_well_known", lambda _, server: url if server == "example.org" else "")
        assert await asyncio.to_thread(matrix.find, "example.org") == Homeserver(url)
    sso = {"/_matrix/client/v3/login": {"flows": [{"type": "m.login.sso"}, {"type": "m.login.token"}]}}
    async with serving(homeserver(**sso)) as url:
        assert await asyncio.to_thread(matrix.find, "x.org", url) == Homeserver(url, takes_passwords=False, by_sso=True)
    async with serving({"/": {}}) as url:
        with pytest.raises(BadAnswer, match=r"not as a Matrix homeserver does.*add its address after the id"):
            await asyncio.to_thread(matrix.find, "x.org", url)


async def test_with_single_sign_on_only_the_final_address_of_the_browser_makes_a_session() -> None:
    async def login(request: web.Request) -> web.StreamResponse:
        content = await request.json()
        if content["token"] != "good":
            return web.json_response({"errcode": "M_FORBIDDEN", "error": "Invalid login token"}, status=403)
        return web.json_response({"user_id": "@bot:example.org", "access_token": "syt_made_for_it", "device_id": "D"})

    async with serving({"/_matrix/client/v3/login": login}) as url:
        there = Homeserver(url, takes_passwords=False, by_sso=True)
        assert matrix.sso_address(there).startswith(f"{url}/_matrix/client/v3/login/sso/redirect?redirectUrl=http%3A")

        async def token(said: str, user: str = "@bot:example.org") -> str:
            return await asyncio.to_thread(matrix.token_by_sso, there, said, user)

        assert await token("http://localhost/fedbot?loginToken=good") == "syt_made_for_it"
        for said, user, told in (
            ("http://localhost/fedbot", "@bot:example.org", "no loginToken"),
            ("http://localhost/fedbot?loginToken=old", "@bot:example.org", "Invalid login token"),
            ("http://localhost/fedbot?loginToken=good", "@anna:example.org", "signed in as @bot:example.org"),
        ):
            with pytest.raises(BadAnswer, match=told):
                await token(said, user)


async def test_a_session_in_which_another_client_encrypts_is_not_used_for_the_bot(tmp_path: Path) -> None:
    async def ask(*_: object) -> dict[str, object]:
        return {"device_keys": {"@bot:example.org": {"USED": {}}}}

    def bot(device: str) -> Bot:
        connection = SimpleNamespace(device_id=device, ask=ask)
        return Bot(Session("https://example.org", "@bot:example.org", device, "t"), cast("NioClient", connection))

    assert [await bot(device).is_taken(tmp_path) for device in ("NEW", "USED", "")] == [False, True, True]
    await asyncio.to_thread((tmp_path / KEYS).mkdir)
    assert [await bot(device).is_taken(tmp_path) for device in ("USED", "")] == [False, True], "its own of before"


async def test_an_event_that_nio_refuses_hides_no_room_from_init_or_check(tmp_path: Path) -> None:
    member = {"type": "m.room.member", "content": {"membership": "join", "displayname": "Anna"}}
    state = [
        {**member, "state_key": "@anna:x", "event_id": "$1", "sender": "@anna:x", "origin_server_ts": 1},
        {"type": "m.odd", "state_key": "", "event_id": "$2", "sender": "nobody", "origin_server_ts": -1, "content": {}},
    ]
    async with serving({"/_matrix/client/v3/rooms/{room}/state": state}) as url:
        client = new_client(url, "@bot:x", "DEVICE")
        client.access_token = "token"
        session = Session(url, "@bot:x", "DEVICE", "token")
        try:
            found = await Bot(session, client).room("!r:x")
            seen = await SignedInByNio(session, client, tmp_path).room("!r:x")
        finally:
            await client.close()
    assert found.members == seen.members == {"@anna:x": "Anna"}


async def test_well_known_is_read_and_nonsense_in_it_is_ignored() -> None:
    def told(content: str) -> str:
        def answer(request: httpx.Request) -> httpx.Response:
            assert str(request.url) == "https://example.org/.well-known/matrix/client"
            return httpx.Response(200, text=content)

        with httpx.Client(transport=httpx.MockTransport(answer)) as client:
            return matrix._well_known(client, "example.org")

    assert told('{"m.homeserver": {"base_url": "https://m.example.org"}}') == "https://m.example.org"
    assert [told(content) for content in ("", "[]", "{}", '{"m.homeserver": 7}')] == ["", "", "", ""]


async def test_an_account_is_registered_where_anybody_may() -> None:
    asked = []

    async def register(request: web.Request) -> web.StreamResponse:
        content = await request.json()
        asked.append(content)
        if "auth" not in content:
            return web.json_response({"session": "s1", "flows": [{"stages": ["m.login.dummy"]}]}, status=401)
        return web.json_response({"user_id": "@bot:example.org"})

    free = {"/_matrix/client/v3/register/available": {"available": True}}
    async with serving(homeserver(**{"/_matrix/client/v3/register": register}, **free)) as url:
        there = await asyncio.to_thread(matrix.find, "example.org", url)
        assert there.open_to_all
        assert await asyncio.to_thread(matrix.is_free, there, "bot")
        password = await asyncio.to_thread(matrix.register, there, "bot")
    assert asked[-1]["auth"] == {"type": "m.login.dummy", "session": "s1"}
    assert (asked[-1]["username"], asked[-1]["password"]) == ("bot", password)
    async with serving(homeserver()) as url:
        there = await asyncio.to_thread(matrix.find, "example.org", url)
        assert not await asyncio.to_thread(matrix.is_free, there, "bot")
        assert "register_new_matrix_user --no-admin -u bot" in matrix.by_hand("bot", there)


@pytest.mark.parametrize("stages", [["m.login.registration_token", "m.login.dummy"], ["m.login.registration_token"]])
async def test_an_account_is_registered_by_a_registration_token(stages: list[str]) -> None:
    left, made = list(stages), list[str]()

    async def register(request: web.Request) -> web.StreamResponse:
        auth = (await request.json()).get("auth", {})
        if left and auth.get("type") == left[0] and auth.get("token", "good") == "good":
            left.pop(0)
        if "type" in auth and not left and not made:
            made.append(auth["session"])
            return web.json_response({"user_id": "@bot:example.org"})
        return web.json_response({"session": "s1", "flows": [{"stages": stages}]}, status=401)

    async def validity(request: web.Request) -> web.StreamResponse:
        return web.json_response({"valid": request.query["token"] == "good"})

    pages = {
        "/_matrix/client/v3/register": register,
        "/_matrix/client/v3/register/available": {"available": True},
        "/_matrix/client/v1/register/m.login.registration_token/validity": validity,
    }
    async with serving(homeserver(**pages)) as url:
        there = await asyncio.to_thread(matrix.find, "example.org", url)
        assert (there.open_to_all, there.open_by_token) == (False, True)
        assert await asyncio.to_thread(matrix.is_free, there, "bot")
        assert [await asyncio.to_thread(matrix.registers, there, said) for said in ("good", "my password", "")] == [
            True,
            False,
            False,
        ]
        with pytest.raises(BadAnswer, match="doesn't register it"):
            await asyncio.to_thread(matrix.register, there, "bot")
        await asyncio.to_thread(matrix.register, there, "bot", "good")
    assert made == ["s1"]


async def test_answers_come_from_a_file_with_its_secrets_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("correct horse\n")
    answers = Answers({"keep_superuser": False, "bot_password_file": "password", "name": "${NAME}"}, tmp_path, {})
    assert not await answers.ask("keep_superuser", "Keep it?", yes_or_no, default="yes")
    assert answers.secret("bot_password", "Password") == "correct horse"
    assert await answers.ask("go", "Do it?", yes_or_no, default="yes")
    with pytest.raises(Stopped, match="Set the environment variable NAME"):
        await answers.ask("name", "Name", yes_or_no)
    with pytest.raises(Stopped, match="superuser: Answer y or n"):
        await answers.ask("superuser", "Superuser", yes_or_no)
    with pytest.raises(Stopped, match="by hand"):
        answers.wait("click")


@pytest.mark.parametrize("ends", ["invited", "typed", "nobody"])
async def test_an_invitation_is_waited_for_with_how_long_and_how_to_go_on_without(
    ends: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told: list[str] = []
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async def rooms() -> list[RoomFound]:
        return [RoomFound("!room", inviter="@anna:example.org", joined=False)] * (ends == "invited" and len(waited) > 2)

    monkeypatch.setattr(conversation, "sleep", sleep)
    asker = SimpleNamespace(say=told.append, has_typed=lambda: ends == "typed" and len(waited) > 1)
    talk = conversation.Conversation(cast("Asker", asker), Files(tmp_path / "config.yaml"))
    chosen = cast("conversation.Chosen", SimpleNamespace(homeserver=Homeserver("https://example.org")))
    bot = SimpleNamespace(user_id="@bot:example.org", rooms=rooms)
    found = await talk._rooms_once_invited(chosen, cast("Bot", bot))
    assert [room.id for room in found] == (["!room"] if ends == "invited" else [])
    assert sum(waited) == {"invited": 3, "typed": 2, "nobody": conversation.INVITED_WITHIN_S}[ends]
    (sentence,) = told
    assert sentence == (
        f"Waiting up to {conversation.INVITED_WITHIN_S} seconds for somebody to invite @bot:example.org. To continue "
        "without a room, type your own Matrix id: I create one and invite you."
    )
