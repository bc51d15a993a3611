"""An operator's program takes a space into a hub by the questions of init; a worker works for it; it leaves again.

With FEDBOT_HUB_INVENTREE (an address) and FEDBOT_HUB_PASSWORD (of its superuser hanna), on a real InvenTree that may
lose its data.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import yaml

from fedbot.cli.exits import Exit
from fedbot.cli.main import main
from fedbot.config.hub import HubSettings, load_hub
from fedbot.hub.api import application, site_of
from fedbot.web.site.serving import Served
from fedbot_demo import plot
from fedbot_demo.encrypted_person import EncryptedPerson
from fedbot_demo.homeserver import Homeserver
from fedbot_demo.inventree.server import Serving, serve
from fedbot_demo.leash import LeashedProcess
from tests.e2e.first_handover import Ours
from tests.e2e.newcomer import bare
from tests.e2e.scene import eventually
from tests.fakes.postgresql import Server
from tests.web.serving import free_port

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

FEDBOT = (sys.executable, "-m", "fedbot")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def inventree() -> AsyncIterator[Ours]:
    if url := os.environ.get("FEDBOT_HUB_INVENTREE"):
        yield Ours(url, os.environ["FEDBOT_HUB_PASSWORD"])
        return
    seeded = bare()
    async with serve(Serving(seeded.server)) as served:
        yield Ours(served.url, seeded.passwords["hanna"])


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A short path, because sockets need one."""
    with tempfile.TemporaryDirectory(prefix="e2e-") as path:
        yield Path(path)


@pytest.fixture
def hub(postgresql: Server, tmp_path: Path) -> HubSettings:
    settings = {"database": {"url": postgresql.url}, "state": "worker", "api": {"listen": f"127.0.0.1:{free_port()}"}}
    (tmp_path / "hub.yaml").write_text(yaml.safe_dump(settings))
    return load_hub(tmp_path / "hub.yaml")


async def test_a_program_takes_a_space_in_and_a_worker_works_for_it_until_it_leaves(
    hub: HubSettings, inventree: Ours, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with AsyncExitStack() as stack:
        (tmp_path / "homeserver").mkdir()
        homeserver = await stack.enter_async_context(Homeserver(tmp_path / "homeserver", default_rate_limits=False))
        hanna = await stack.enter_async_context(EncryptedPerson(await homeserver.register("hanna")))
        account = await homeserver.register("hackbase-bot")
        worker = LeashedProcess("fedbot", ["hub", "run", "--config", str(hub.source)], log=tmp_path / "log")
        stack.push_async_callback(worker.stop, 12)
        await worker.start()
        site = await stack.enter_async_context(site_of(hub, FEDBOT))
        await stack.enter_async_context(Served(application(site), hub.api.listen))
        assert await asyncio.to_thread(main, ["hub", "token", "--config", str(hub.source), "add", "test"]) == Exit.OK
        bearer = {"Authorization": f"Bearer {capsys.readouterr().out.split()[-1]}"}
        url = f"http://{hub.api.listen}/api/v1"
        calls = await stack.enter_async_context(httpx.AsyncClient(headers=bearer, base_url=url, timeout=60))

        async def does(method: str, path: str, **given: Any) -> str:  # noqa: ANN401 -- JSON
            """The result of the operation at its end."""
            operation = (await calls.request(method, path, **given)).raise_for_status().json()
            while operation["state"] == "running":
                operation = (await calls.get(f"/operations/{operation['id']}", params={"wait": 20})).json()
            assert operation["state"] == "done", "\n".join(operation["said"])
            return "\n".join(operation["said"])

        async def is_well() -> bool:
            told = (await calls.get("/spaces/hackbase")).json()
            return bool(told["state"] == "works" and told["well"])

        answers = {
            "inventree": inventree.url,
            "superuser": "hanna",
            "superuser_password": inventree.password,
            "name": "Hackbase e.V. = hackbase",
            "bot": f"{account.user_id} {homeserver.url}",
            "bot_password": account.password,
            "rooms": hanna.user_id,
        }
        said = await does("POST", "/spaces", json={"space": "hackbase", "answers": answers})
        assert "hackbase is in the hub" in said
        assert inventree.password not in said
        assert account.password not in said
        await eventually(is_well, "a worker to work well for it")
        room = await hanna.wait_for_invitation()
        await hanna.join(room)
        line = await hanna.say(room, "!fed whoami")
        answer = await hanna.wait_for(lambda event: event.replies_to == line, plot.PATIENCE_S, what="an answer")
        assert "hanna" in answer.body
        await does("POST", "/spaces/hackbase/leave")
        left = hub.state / "left" / "hackbase"
        assert (left / "state" / "journal.db").exists()
        await does("DELETE", "/spaces/hackbase", params={"sure": True})
        assert (await calls.get("/spaces")).json() == []
        (token,) = [each["id"] for each in (await calls.get("/tokens")).json() if each["name"] == "test"]
        (await calls.delete(f"/tokens/{token}")).raise_for_status()
