"""Signing in on a homeserver with its default limits."""

from __future__ import annotations

import json
import logging
import re
import stat
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from fedbot.logs import redact
from fedbot.matrix.client import MatrixChat
from fedbot.matrix.keys import KEYS
from fedbot.matrix.login import Account, Session, keep_session, read_session, sign_in
from fedbot.ports.chat import ChatLimited, ChatRefused, ChatSignedOut, ChatUnreachable, Delivery
from fedbot_demo.homeserver import Homeserver
from fedbot_demo.inventree import seeds
from fedbot_demo.inventree.server import Serving, serve
from tests.demo.conftest import Introduce
from tests.matrix.conftest import Employ

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def sign_out(session: Session) -> None:
    """Sign out, as a person does in another client's list of devices, or an admin on the server."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            f"{session.homeserver}/_matrix/client/v3/logout",
            headers={"Authorization": f"Bearer {session.token}"},
        )
        answer.raise_for_status()


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def forget_session(folder: Path) -> None:
    (folder / "matrix.json").unlink()


async def account(server: Homeserver, name: str) -> Account:
    registered = await server.register(name)
    return Account(server.url, name, password=registered.password)


async def test_a_login_by_password_is_stored_readable_by_the_bot_alone(homeserver: Homeserver, tmp_path: Path) -> None:
    ours = await account(homeserver, "login-kept")
    session, client = await sign_in(ours, tmp_path)
    await client.close()
    file = tmp_path / "matrix.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert names_in(tmp_path) == ["matrix.json"]
    assert read_session(tmp_path) == session
    assert session.user_id == f"@login-kept:{homeserver.server_name}"
    assert session.device_id


async def test_the_log_never_shows_a_session_whatever_its_token_looks_like(tmp_path: Path) -> None:
    """Not every homeserver's tokens have a recognisable form."""
    keep_session(tmp_path, Session("https://matrix.example.org", "@bot:example.org", "DEVICE", "quiet-word-of-it"))
    assert "quiet-word" in redact("GET /sync quiet-word-of-it")
    read_session(tmp_path)
    assert "quiet-word" not in redact("GET /sync quiet-word-of-it")


async def test_the_next_start_uses_the_stored_token_and_needs_no_password(
    homeserver: Homeserver, tmp_path: Path
) -> None:
    ours = await account(homeserver, "login-again")
    first, client = await sign_in(ours, tmp_path)
    await client.close()
    second, client = await sign_in(replace(ours, password=""), tmp_path)
    await client.close()
    assert second == first


async def test_an_invalid_token_is_replaced_on_the_same_device(homeserver: Homeserver, tmp_path: Path) -> None:
    ours = await account(homeserver, "login-anew")
    first, client = await sign_in(ours, tmp_path)
    await client.close()
    await sign_out(first)
    second, client = await sign_in(ours, tmp_path)
    await client.close()
    assert second.device_id == first.device_id
    assert second.token != first.token
    assert read_session(tmp_path) == second


async def test_without_a_password_a_lost_token_says_what_to_do(homeserver: Homeserver, tmp_path: Path) -> None:
    ours = await account(homeserver, "login-lost")
    session, client = await sign_in(ours, tmp_path)
    await client.close()
    await sign_out(session)
    with pytest.raises(ChatSignedOut, match="Make a new one"):
        await sign_in(replace(ours, password=""), tmp_path)


async def test_a_token_created_by_the_admin_is_enough(homeserver: Homeserver, tmp_path: Path) -> None:
    registered = await homeserver.register("login-token")
    session, client = await sign_in(Account(homeserver.url, token=registered.access_token), tmp_path)
    await client.close()
    assert session.user_id == registered.user_id
    assert session.device_id == registered.device_id
    assert read_session(tmp_path) == session


async def test_a_wrong_password_is_refused_and_nothing_is_stored(homeserver: Homeserver, tmp_path: Path) -> None:
    ours = await account(homeserver, "login-wrong")
    with pytest.raises(ChatRefused) as refused:
        await sign_in(replace(ours, password="nothing-like-it"), tmp_path)
    assert refused.value.code == "M_FORBIDDEN"
    assert "nothing-like-it" not in str(refused.value)
    assert read_session(tmp_path) is None


async def test_a_missing_password_and_token_are_reported_before_any_request(tmp_path: Path) -> None:
    with pytest.raises(ChatSignedOut, match="neither a password nor"):
        await sign_in(Account("http://127.0.0.1:9", "bot"), tmp_path)


async def test_an_absent_homeserver_causes_no_new_login(tmp_path: Path) -> None:
    kept = Session("http://127.0.0.1:9", "@bot:a.test", "DEVICE", "token")
    keep_session(tmp_path, kept)
    with pytest.raises(ChatUnreachable):
        await sign_in(Account("http://127.0.0.1:9", "bot", password="x"), tmp_path)
    assert read_session(tmp_path) == kept


async def test_an_identity_folder_of_another_account_or_homeserver_is_refused(tmp_path: Path) -> None:
    keep_session(tmp_path, Session("http://127.0.0.1:9", "@other:a.test", "DEVICE", "token"))
    with pytest.raises(ChatRefused, match=r"belongs to @other:a\.test"):
        await sign_in(Account("http://127.0.0.1:9", "@bot:a.test", password="x"), tmp_path)
    with pytest.raises(ChatRefused, match=r"at http://127\.0\.0\.1:9"):
        await sign_in(Account("http://127.0.0.1:10", "other", password="x"), tmp_path)


async def test_a_damaged_session_file_is_reported_and_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "matrix.json").write_text("{")
    with pytest.raises(ChatRefused, match="Restore it from a backup"):
        await sign_in(Account("http://127.0.0.1:9", "bot", password="x"), tmp_path)
    assert (tmp_path / "matrix.json").read_text() == "{"


async def test_too_many_logins_say_how_long_to_wait(tmp_path: Path) -> None:
    async with Homeserver(tmp_path / "strict", default_rate_limits=True) as strict:
        ours = await account(strict, "hasty")
        limited: ChatLimited | None = None
        while limited is None:
            try:
                _, client = await sign_in(ours, tmp_path)
                await client.close()
                forget_session(tmp_path)
            except ChatLimited as error:
                limited = error
        assert limited.retry_after > 60
        assert re.search(r"no more logins of this account for \d+ min", limited.text)


async def test_secrets_are_in_no_repr_and_no_log(
    homeserver: Homeserver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ours = await account(homeserver, "login-quiet")
    session, client = await sign_in(ours, tmp_path)
    chat = await MatrixChat.begin(session, client, tmp_path / KEYS)
    await chat.sync(None, 0)
    await chat.close()
    shown = caplog.text + repr(ours) + repr(session) + repr(chat)
    assert ours.password not in shown
    assert session.token not in shown
    assert json.loads((tmp_path / "matrix.json").read_text())["token"] == session.token


async def test_a_send_repeated_after_a_new_login_is_the_same_message(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    """The device stays, so the homeserver recognises the transaction."""
    anna = await introduce(homeserver, "login-anna")
    bot = await employ(homeserver, "login-resend")
    room = await anna.create_room("Makers", invite=[bot.user_id])
    await bot.chat.join(room)
    delivery = Delivery(room, "m.room.message", {"msgtype": "m.notice", "body": "once"}, "txn-1")
    first = await bot.chat.send(delivery)
    kept = read_session(bot.folder)
    assert kept is not None
    await sign_out(kept)
    with pytest.raises(ChatSignedOut):
        await bot.chat.send(delivery)
    await bot.restart()
    assert await bot.chat.send(delivery) == first


async def test_another_server_at_the_homeservers_address_is_recognised(tmp_path: Path) -> None:
    async with serve(Serving(seeds.alpha().server)) as inventree:
        with pytest.raises(ChatUnreachable, match="answered 405, and not as a Matrix homeserver does"):
            await sign_in(Account(inventree.url, "bot", password="x"), tmp_path)
    page = web.Application()

    async def welcome(_: web.Request) -> web.Response:
        return web.Response(text="Welcome")

    page.router.add_route("*", "/{path:.*}", welcome)
    async with TestServer(page) as website:
        with pytest.raises(ChatUnreachable, match="answered 200, and not as a Matrix homeserver does"):
            await sign_in(Account(str(website.make_url("")), "bot", password="x"), tmp_path)
