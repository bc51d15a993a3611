"""`fedbot init` as a newcomer meets it: a terminal, a real homeserver, an InvenTree without anything for a bot."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import pytest
import yaml
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from yarl import URL

from fedbot.cli.exits import Exit
from fedbot.setup.asking import Answers, Stopped
from fedbot.setup.conversation import Conversation
from fedbot.setup.written import Files
from fedbot_demo.client_server import ClientServerApi
from fedbot_demo.homeserver import Account
from fedbot_demo.inventree.records import User
from fedbot_demo.inventree.seeding import Seeded
from fedbot_demo.inventree.server import Serving, serve
from tests.e2e.first_handover import Ours, all_is_well, came_to, first_handover
from tests.e2e.newcomer import Town, at_a_terminal, bare, click, everything_in, is_by_hand, usual_answers
from tests.setup.terminal import Typist, fedbot

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

NOWHERE = "http://127.0.0.1:9"


async def test_from_nothing_to_an_item_from_a_friend(
    town: Town, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    seeded = bare()
    async with serve(Serving(seeded.server)) as ours:
        place = Ours(ours.url, seeded.passwords["hanna"])
        took = await first_handover(town.homeserver, town.hanna, town.bea, place, tmp_path)
        await came_to(ours.url, seeded.token("admin"))
    [part] = [part for part in seeded.server.state.parts if part.IPN == "W-M3"]
    assert seeded.server.state.categories[cast("int", part.category)].name == "From friends"
    first, second, *_ = (tmp_path / "hackbase/log").read_text().splitlines()
    assert first.startswith("fedbot "), "what it speaks for stands before what it logs"
    assert second.split()[:2] == ["InvenTree", seeded.server.state.version.release.partition(" ")[0]]
    record_property("seconds from init to the first item", round(took.all_s))


@dataclass
class Relay:
    """A connection to the homeserver that can be closed, as if the homeserver were down."""

    url: str = ""
    is_open: bool = True


@asynccontextmanager
async def relayed(url: str) -> AsyncIterator[Relay]:
    relay, there = Relay(), urlsplit(url)

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (some := await reader.read(65536)) and relay.is_open:
            writer.write(some)
            await writer.drain()
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not relay.is_open:
            writer.close()
            return
        other, its = await asyncio.open_connection(there.hostname, there.port)
        await asyncio.gather(pass_on(reader, its), pass_on(other, writer), return_exceptions=True)

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        relay.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield relay


async def about_inventree_wrongly(typist: Typist, seeded: Seeded, url: str, elsewhere: str) -> None:
    """The first three questions."""
    await typist.answers(r"\[1/8\]", "our InvenTree")
    for wrong, told in (
        (f"{NOWHERE}/", "✗ That isn't an address"),
        (elsewhere, "✗ Nothing answers at http://127.0.0.1:9"),
        (url.removeprefix("http://") + "/api/part/", "isn't InvenTree"),
    ):
        await typist.answers(told, wrong)

    await typist.answers(r"\[2/8\]", "kim")
    await typist.answers("Password of kim", seeded.passwords["kim"])
    await typist.answers("✗ kim isn't a superuser", "hanna")
    await typist.answers("Password of hanna", "wrong")
    await typist.answers("✗ InvenTree doesn't accept hanna with this password", "")
    await typist.answers("superuser's token", "inv-no-such-token")
    await typist.answers("✗ InvenTree doesn't accept this token", "")
    await typist.answers("superuser's token", json.dumps({"token": seeded.token("hanna")}))

    await typist.answers(r"\[3/8\]", "")
    await typist.answers("✗ write a name", "Clumsy e.V. = 12")
    await typist.answers("✗ use lowercase letters", "Clumsy e.V.")


async def test_each_question_answered_wrongly_first(town: Town, tmp_path: Path) -> None:
    """Here init creates the rooms, and no superuser's token is stored."""
    seeded = bare(name="InvenTree")
    bot = await town.bot("clumsy-bot")
    async with (
        serve(Serving(seeded.server)) as inventree,
        relayed(town.homeserver.url) as relay,
        at_a_terminal(tmp_path) as typist,
    ):
        await about_inventree_wrongly(typist, seeded, inventree.url, town.homeserver.url)

        await typist.answers(r"\[4/8\]", "clumsy-bot")
        await typist.answers("✗ Write the whole Matrix id", bot.user_id)
        await typist.answers("✗ Nothing answers at https://demo.localhost", f"{bot.user_id} {inventree.url}")
        await typist.answers("not as a Matrix homeserver does", f"{bot.user_id} {town.homeserver.url}")
        await typist.answers("password", "wrong")
        await typist.answers("✗ .*register_new_matrix_user", f"{bot.user_id} {relay.url}")
        await typist.answers("password", bot.password)

        await typist.reads(r"\[5/8\]")
        relay.is_open = False
        typist.types("")
        await typist.reads("✗ .*the homeserver doesn't answer")
        relay.is_open = True
        typist.types("")
        await typist.answers(f"Waiting up to 60 seconds for somebody to invite {bot.user_id}", "hello")
        await typist.answers("✗ Invite me and press Enter", "@nobody:demo.localhost")
        await typist.answers("✗ The homeserver doesn't know @nobody", town.hanna.user_id)

        await typist.answers(r"\[6/8\]", "9=kim")
        await typist.answers("✗ .*from 1 to 1", "1=karl")
        await typist.answers("✗ InvenTree has no user karl", "1=-")
        await typist.answers("✗ None of these people could approve", "@kim:demo.localhost=kim +@kim:demo.localhost")

        await typist.answers(r"\[7/8\]", "perhaps")
        await typist.answers("✗ Answer y or n", "n")
        await typist.answers(r"\[8/8\]", "what?")
        await typist.answers("✗ Answer y or n", "y")
        await all_is_well(typist, tmp_path)
    settings = yaml.safe_load((tmp_path / "config.yaml").read_text())
    assert settings["people"] == {town.hanna.user_id: "hanna", "@kim:demo.localhost": "kim"}
    assert "admin_token_file" not in settings["inventree"]
    approvers = [user.username for user in seeded.server.state.users if in_group(seeded, user, "fedbot approvers")]
    assert approvers == ["hanna", "kim"]
    for room in (settings["rooms"][0], settings["admin_room"]):
        await town.hanna.wait_for_invitation(room)
        await town.hanna.join(room)
        levels = await town.hanna.state(room, "m.room.power_levels")
        assert levels["events"]["dev.fedbot.party"] == 0
        await town.hanna.set_state(room, "m.room.topic", {"topic": "she may do as she likes here"})
    await town.hanna.upgrade_room(settings["rooms"][0], "12")


@pytest.mark.parametrize("version", ["1.0", "0.17", "0.13"])
async def test_every_version_of_inventree_is_prepared(version: str, town: Town, tmp_path: Path) -> None:
    seeded = bare(version)
    bot = await town.bot(f"bot-{version}")
    async with serve(Serving(seeded.server)) as inventree, at_a_terminal(tmp_path) as typist:
        await usual_answers(typist, inventree.url, bot, town, seeded, town.hanna.user_id)
        await all_is_well(typist, tmp_path)
    settings = yaml.safe_load((tmp_path / "config.yaml").read_text())
    assert settings["rules"] == {"pinned_approvers": [], "pinned_superusers": ["hanna"]}
    assert ("admin_token_file" in settings["inventree"]) != is_by_hand(seeded)


async def test_answers_in_a_file_work_again_once_somebody_has_clicked(town: Town, tmp_path: Path) -> None:
    seeded = bare("0.13")
    bot = await town.bot("bot-clicked")
    answers = {"superuser": "hanna", "superuser_password": seeded.passwords["hanna"], "name": "Hackbase"}
    answers |= {"bot": f"{bot.user_id} {town.homeserver.url}", "bot_password": bot.password}
    answers |= {"rooms": town.hanna.user_id, "people": "1=hanna +1"}
    async with serve(Serving(seeded.server)) as inventree:
        (tmp_path / "answers.yaml").write_text(yaml.safe_dump(answers | {"inventree": inventree.url}))
        with fedbot(tmp_path, "init", "--answers", "answers.yaml") as typist:
            assert await typist.ends() == Exit.FAILED, typist.screen
        click(seeded, re.findall("with the password (.*)\n", typist.screen.replace("\r", ""))[-1])
        with fedbot(tmp_path, "init", "--answers", "answers.yaml") as typist:
            await all_is_well(typist, tmp_path)
    assert not (tmp_path / "secrets/inventree-user-password").exists()


async def test_a_second_run_keeps_the_answers_and_says_what_it_writes(town: Town, tmp_path: Path) -> None:
    seeded = bare()
    bot = await town.bot("bot-twice")
    async with serve(Serving(seeded.server)) as inventree:
        async with at_a_terminal(tmp_path) as typist:
            await usual_answers(typist, inventree.url, bot, town, seeded, town.hanna.user_id)
            await all_is_well(typist, tmp_path)
        before = yaml.safe_load((tmp_path / "config.yaml").read_text())
        async with at_a_terminal(tmp_path) as typist:
            for number in (1, 2, 3, 4, 5, 6, 8):
                await typist.answers(rf"\[{number}/8\]", "Hackbase = hackbase" if number == 3 else "")
            await all_is_well(typist, tmp_path)
    told = " ".join(typist.screen.split())
    assert "In InvenTree: • nothing: everything is there already" in told
    assert "config.yaml (for you alone)" in told, "no secret is written that is kept already"
    after = yaml.safe_load((tmp_path / "config.yaml").read_text())
    assert after == before | {"party": {**before["party"], "name": "Hackbase"}}


async def test_another_run_uses_the_session_of_the_one_before(town: Town, tmp_path: Path) -> None:
    """Each login adds a device to the account, and homeservers limit logins."""
    seeded = bare()
    bot = await town.bot("bot-again")

    first = await devices_of(bot)
    async with serve(Serving(seeded.server)) as inventree:

        async def up_to_the_rooms(typist: Typist, *passwords: str) -> None:
            await typist.answers(r"\[1/8\]", inventree.url)
            await typist.answers(r"\[2/8\]", "hanna")
            await typist.answers("Password of hanna", seeded.passwords["hanna"])
            await typist.answers(r"\[3/8\]", "")
            await typist.answers(r"\[4/8\]", f"{bot.user_id} {town.homeserver.url}")
            for wrong in passwords[:-1]:
                await typist.answers("Its password", wrong)
                await typist.answers("✗ The homeserver refuses the login", f"{bot.user_id} {town.homeserver.url}")
            await typist.answers("Its password", passwords[-1])
            await typist.reads(r"\[5/8\]")

        async with at_a_terminal(tmp_path) as typist:
            await up_to_the_rooms(typist, bot.password)
            typist.presses("\x03")
            await typist.reads("Stopped. Everything created so far stays", pressing="\x03")
        once = await devices_of(bot)
        assert len(once - first) == 1
        async with at_a_terminal(tmp_path) as typist:
            await up_to_the_rooms(typist, "wrong", bot.password)
            typist.types(town.hanna.user_id)
            await typist.answers(r"\[6/8\]", "1=hanna +1")
            await typist.answers(r"\[7/8\]", "")
            await typist.answers(r"\[8/8\]", "")
            await all_is_well(typist, tmp_path)
        (tmp_path / "answers.yaml").write_text(
            yaml.safe_dump({"superuser": "hanna", "superuser_password": seeded.passwords["hanna"]})
        )
        for more in ((), ("--dry-run",)):
            with fedbot(tmp_path, "init", "--answers", "answers.yaml", *more) as script:
                assert await script.ends() == Exit.OK, script.screen
        with fedbot(tmp_path, "check") as script:
            assert await script.ends() == Exit.OK, script.screen
    assert await devices_of(bot) == once


async def devices_of(account: Account) -> set[str]:
    api = ClientServerApi(account.homeserver_url, account.access_token, patience=60.0)
    try:
        answer = await api.ask("GET", "/devices")
    finally:
        await api.close()
    return {device["device_id"] for device in answer["devices"]}


@asynccontextmanager
async def without_passwords(homeserver: str, bot: Account) -> AsyncIterator[str]:
    """The homeserver as one with single sign-on only: the token with which the browser ended signs the bot in."""
    async with ClientSession() as session:

        async def answer(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            if request.path.endswith("/login") and request.method == "GET":
                return web.json_response({"flows": [{"type": "m.login.sso"}, {"type": "m.login.token"}]})
            if request.path.endswith("/login"):
                if {**json.loads(body), "type": "m.login.token"}.get("token") != "from-the-browser":
                    return web.json_response({"errcode": "M_FORBIDDEN", "error": "Invalid login token"}, status=403)
                who = {"type": "m.id.user", "user": bot.user_id}
                login = {"type": "m.login.password", "identifier": who, "password": bot.password}
                body = json.dumps(login).encode()
            kept = {
                name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers
            }
            url = URL(homeserver + request.raw_path, encoded=True)
            async with session.request(request.method, url, data=body, headers=kept) as answered:
                content = await answered.read()
                return web.Response(body=content, status=answered.status, content_type="application/json")

        application = web.Application()
        application.router.add_route("*", "/{path:.*}", answer)
        async with TestServer(application) as server:
            yield str(server.make_url("")).rstrip("/")


async def test_a_homeserver_with_single_sign_on_only_needs_the_browser_once(town: Town, tmp_path: Path) -> None:
    seeded = bare()
    bot = await town.bot("bot-sso")
    async with serve(Serving(seeded.server)) as inventree, without_passwords(town.homeserver.url, bot) as homeserver:

        async def up_to_the_account(typist: Typist) -> None:
            await typist.answers(r"\[1/8\]", inventree.url)
            await typist.answers(r"\[2/8\]", "hanna")
            await typist.answers("Password of hanna", seeded.passwords["hanna"])
            await typist.answers(r"\[3/8\]", "")
            await typist.answers(r"\[4/8\]", f"{bot.user_id} {homeserver}")

        async with at_a_terminal(tmp_path) as typist:
            await up_to_the_account(typist)
            await typist.reads(re.escape(f"{homeserver}/_matrix/client/v3/login/sso/redirect?redirectUrl="))
            await typist.answers("The address", "http://localhost/fedbot?loginToken=too-old")
            await typist.answers("✗ The homeserver doesn't accept it", f"{bot.user_id} {homeserver}")
            await typist.answers("The address", "http://localhost/fedbot?loginToken=from-the-browser")
            await typist.reads(r"\[5/8\]")
            typist.presses("\x03")
            await typist.reads("Stopped. Everything created so far stays", pressing="\x03")
        before = await devices_of(bot)
        async with at_a_terminal(tmp_path) as typist:
            await up_to_the_account(typist)
            await typist.answers(r"\[5/8\]", town.hanna.user_id)
            assert "The address" not in typist.screen
            await typist.answers(r"\[6/8\]", "1=hanna +1")
            await typist.answers(r"\[7/8\]", "")
            await typist.answers(r"\[8/8\]", "")
            await all_is_well(typist, tmp_path)
    assert await devices_of(bot) == before
    assert yaml.safe_load((tmp_path / "config.yaml").read_text())["matrix"]["access_token_file"]


async def test_a_homeserver_that_goes_away_while_things_are_made_makes_nothing_twice(
    town: Town, tmp_path: Path
) -> None:
    seeded = bare(name="Hackbase")
    bot = await town.bot("bot-cut")
    answers = {"superuser": "hanna", "superuser_password": seeded.passwords["hanna"], "bot_password": bot.password}
    answers |= {"rooms": town.hanna.user_id, "people": "1=hanna +1"}
    async with serve(Serving(seeded.server)) as inventree, relayed(town.homeserver.url) as relay:
        answers |= {"inventree": inventree.url, "bot": f"{bot.user_id} {relay.url}"}

        class UntilInventreeIsDone(Answers):
            def say(self, *paragraphs: str) -> None:
                super().say(*paragraphs)
                relay.is_open = relay.is_open and not any("✓ create a superuser's token" in each for each in paragraphs)

        talk = Conversation(UntilInventreeIsDone(answers, tmp_path), Files(tmp_path / "config.yaml"))
        with pytest.raises(Stopped, match=r"Matrix: .*the homeserver doesn't answer"):
            await asyncio.to_thread(asyncio.run, talk.run())
        assert not (tmp_path / "config.yaml").exists()
        made = everything_in(seeded)
        relay.is_open = True
        (tmp_path / "answers.yaml").write_text(yaml.safe_dump(answers))
        with fedbot(tmp_path, "init", "--answers", "answers.yaml") as typist:
            await all_is_well(typist, tmp_path)
    assert "In InvenTree:\n  • nothing: everything is there already" in typist.screen
    assert everything_in(seeded) == made
    fedbot_user = next(user.pk for user in seeded.server.state.users if user.username == "fedbot")
    assert [token.user for token in seeded.server.state.tokens].count(fedbot_user) == 1


@pytest.mark.parametrize("keep", ["yes", "no"])
async def test_a_token_that_a_run_over_existing_settings_made_is_known_to_the_next_and_kept_only_if_wanted(
    keep: str, town: Town, tmp_path: Path
) -> None:
    seeded = bare(name="Hackbase")
    bot = await town.bot(f"bot-over-{keep}")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"party": {"id": "hackbase", "name": "Hackbase"}}))
    (tmp_path / "config.yaml").chmod(0o600)
    answers = {"superuser": "hanna", "superuser_password": seeded.passwords["hanna"], "bot_password": bot.password}
    answers |= {"rooms": town.hanna.user_id, "people": "1=hanna +1", "keep_superuser": "yes"}
    async with serve(Serving(seeded.server)) as inventree, relayed(town.homeserver.url) as relay:
        answers |= {"inventree": inventree.url, "bot": f"{bot.user_id} {relay.url}"}

        class UntilInventreeIsDone(Answers):
            def say(self, *paragraphs: str) -> None:
                super().say(*paragraphs)
                relay.is_open = relay.is_open and not any("✓ create a superuser's token" in each for each in paragraphs)

        talk = Conversation(UntilInventreeIsDone(answers, tmp_path), Files(tmp_path / "config.yaml"))
        with pytest.raises(Stopped, match=r"Matrix: .*the homeserver doesn't answer"):
            await asyncio.to_thread(asyncio.run, talk.run())
        assert (tmp_path / "secrets/inventree-admin-token").exists()
        relay.is_open = True
        (tmp_path / "answers.yaml").write_text(yaml.safe_dump({**answers, "keep_superuser": keep}))
        with fedbot(tmp_path, "init", "--answers", "answers.yaml") as typist:
            await typist.ends()
        screen = " ".join(typist.screen.split())
    settings = yaml.safe_load((tmp_path / "config.yaml").read_text())
    of_people = {user.pk: user.username for user in seeded.server.state.users}
    made = [of_people[token.user] for token in seeded.server.state.tokens if token.name.startswith("fedbot-")]
    assert sorted(made) == ["fedbot", "hanna"], "no second token of either"
    assert ("admin_token_file" in settings["inventree"]) == (keep == "yes"), screen
    assert settings["inventree"]["token_file"] == "secrets/inventree-token"
    assert ("it stays valid: revoke it in InvenTree" in screen) == (keep == "no"), screen


def in_group(seeded: Seeded, user: User, name: str) -> bool:
    return any(seeded.server.state.groups[pk].name == name for pk in user.groups)
