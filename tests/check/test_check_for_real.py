"""`fedbot check` as an admin runs it: a process, a real homeserver, an InvenTree that answers over HTTP."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from fedbot_demo.homeserver import Account, Homeserver
from fedbot_demo.inventree import seeds
from fedbot_demo.inventree.server import Serving, serve
from fedbot_demo.person import Person


@dataclass
class Space:
    """A makerspace's servers, and the folder with its bot's settings."""

    folder: Path
    anna: Person
    bot: Account
    room: str

    async def starts(self, *arguments: str) -> asyncio.subprocess.Process:
        """Start the command, with its output in pipes."""
        config = ("--config", str(self.folder / "config.yaml"))
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "fedbot", *arguments, *config, stdout=pipe, stderr=pipe
        )

    async def fedbot(self, *arguments: str) -> tuple[int, str]:
        """Run the command to its end; return exit code and output."""
        process = await self.starts(*arguments)
        output, errors = await process.communicate()
        assert process.returncode is not None
        return process.returncode, (errors + output).decode()

    def changes(self, **parts: dict[str, Any]) -> None:
        """Change the settings of these parts."""
        config = self.folder / "config.yaml"
        settings = yaml.safe_load(config.read_text())
        for name, changed in parts.items():
            settings[name] |= changed
        config.write_text(yaml.safe_dump(settings))

    async def findings(self) -> dict[str, dict[str, Any]]:
        output, _ = await (await self.starts("check", "--json")).communicate()
        return {finding["name"]: finding for finding in json.loads(output)["findings"]}


def _secret(file: Path, secret: str) -> str:
    file.touch(mode=0o600)
    file.write_text(secret)
    return str(file)


@pytest.fixture
async def space(tmp_path: Path) -> AsyncIterator[Space]:
    seeded = seeds.alpha()
    async with AsyncExitStack() as stack:
        homeserver = await stack.enter_async_context(Homeserver(tmp_path / "homeserver"))
        inventree = await stack.enter_async_context(serve(Serving(seeded.server)))
        anna = await stack.enter_async_context(Person(await homeserver.register("anna")))
        bot = await homeserver.register("bot")
        room = await anna.create_room("Lending")
        settings = {
            "party": {"id": "attraktor", "name": "Attraktor"},
            "matrix": {
                "homeserver": homeserver.url,
                "user": bot.user_id,
                "password_file": _secret(tmp_path / "password", bot.password),
            },
            "rooms": [room],
            "people": {anna.user_id: "anna"},
            "inventree": {
                "url": inventree.url,
                "token_file": _secret(tmp_path / "token", seeded.token("fedbot")),
                "admin_token_file": _secret(tmp_path / "admin", seeded.token("anna")),
                "approvers_group": "fedbot approvers",
            },
        }
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
        yield Space(tmp_path, anna, bot, room)


async def test_from_the_first_settings_to_ready(space: Space) -> None:
    code, said = await space.fedbot()
    assert (code, said.rstrip().endswith(f"fedbot check --config {space.folder}/config.yaml")) == (0, True)

    code, said = await space.fedbot("check")
    assert code == 0, said
    assert f"invite {space.bot.user_id} into it" in said
    assert "✓ InvenTree: Attraktor at http://127.0.0.1" in said

    code, said = await space.fedbot()
    assert (code, said.rstrip().endswith(f"fedbot run --config {space.folder}/config.yaml")) == (0, True)

    kept = space.folder / "state" / "identity" / "matrix.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    device = json.loads(kept.read_text())["device_id"]
    await space.anna.invite(space.room, space.bot.user_id)
    async with Person(space.bot) as by_hand:
        await by_hand.join(space.room)
    findings = await space.findings()
    assert findings["room Lending"]["what"] == "the bot may write, but not announce the space in the room's state"
    await space.anna.set_power_levels(space.room, events={"dev.fedbot.party": 0})
    findings = await space.findings()
    assert findings["room Lending"]["what"] == "the bot may write, react and announce the space"
    assert all(finding["good"] for finding in findings.values())
    assert json.loads(kept.read_text())["device_id"] == device, "a check must not sign in each time"


async def test_missing_servers_are_reported_without_secrets(space: Space) -> None:
    space.changes(inventree={"url": "http://127.0.0.1:9"}, matrix={"homeserver": "http://127.0.0.1:9"})
    code, said = await space.fedbot("check")
    assert code == 1
    assert "✗ Matrix: http://127.0.0.1:9 does not answer" in said
    assert "✗ InvenTree: http://127.0.0.1:9 does not answer" in said
    assert said.rstrip().endswith("2 to fix.")
    for secret in ("password", "token", "admin"):
        assert (space.folder / secret).read_text() not in said
    code, said = await space.fedbot()
    assert "fedbot check" in said


@dataclass
class Silent:
    """A server that accepts every connection, and never answers before it is stopped."""

    url: str = ""
    connections: list[asyncio.StreamWriter] = field(default_factory=list)

    def stops(self) -> None:
        for each in self.connections:
            each.close()

    async def _accepts(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Silent]:
        server = await asyncio.start_server(self._accepts, "127.0.0.1", 0)
        self.url = "http://127.0.0.1:{1}".format(*server.sockets[0].getsockname())
        try:
            yield self
        finally:
            server.close()
            self.stops()


async def test_servers_that_accept_and_never_answer_are_named_while_it_waits_and_at_the_end(space: Space) -> None:
    async with Silent().listening() as inventree, Silent().listening() as homeserver:
        space.changes(inventree={"url": inventree.url, "timeout_seconds": 2}, matrix={"homeserver": homeserver.url})
        process = await space.starts("check", "--json")
        assert process.stdout is not None
        assert process.stderr is not None
        async with asyncio.timeout(60):
            waits = sorted([(await process.stderr.readline()).decode() for _ in range(2)])
        assert waits == [
            f"Waiting for InvenTree at {inventree.url} (up to 2 seconds a call) …\n",
            f"Waiting for the homeserver at {homeserver.url} (up to 20 seconds a call) …\n",
        ]
        homeserver.stops()
        findings = json.loads(await process.stdout.read())["findings"]
        assert await process.wait() == 1
        said = {finding["name"]: (finding["what"], finding["todo"]) for finding in findings if not finding["good"]}
        assert said.keys() == {"InvenTree", "Matrix"}
        assert all(f"{each} does not answer" in str(said) for each in (inventree.url, homeserver.url))
        assert all(todo for _, todo in said.values())
        assert len(inventree.connections) == 2, "its clock, and one query: then it asks no more"


async def test_a_wrong_password_is_reported(space: Space) -> None:
    (space.folder / "password").write_text("not the password")
    code, said = await space.fedbot("check")
    assert code == 1
    assert "✗ Matrix account: " in said
    assert "M_FORBIDDEN" in said
    assert "not the password" not in said
