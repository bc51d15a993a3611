"""The operator's API: who may call it, what it returns and does, and that it follows its schema."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from fedbot.cli.exits import Exit
from fedbot.cli.hub_spaces import VERBS
from fedbot.cli.main import main
from fedbot.config.hub import HubSettings
from fedbot.hub import api, operators
from fedbot.hub.api import Answers, application, site_of
from fedbot.hub.operators import PREFIX
from fedbot.hub.roster import Roster
from fedbot.journal.database import Address
from fedbot.journal.lease import claim
from fedbot.setup.asking import KEYS
from fedbot.web.site.serving import Served
from tests.fakes.postgresql import Server
from tests.hub.test_hosting import Bots, _environment, hub, space_in, working
from tests.web.serving import free_port
from tests.web.test_schema import call_everything

__all__ = ["_environment", "hub"]

TELLS = (sys.executable, "-c", "import sys; print('asked for', sys.argv[3]); print(sys.argv[4:6], sys.stdin.read())")
"""In place of fedbot: a program that prints its arguments and the answers that it gets."""
FAILS = (sys.executable, "-c", "import sys; print('✗ superuser: no such user'); sys.exit(1)")


@dataclass
class Operator:
    """A program with a token."""

    calls: httpx.AsyncClient
    url: str

    async def asks(self, method: str, path: str, status: int = 200, **given: Any) -> Any:  # noqa: ANN401 -- JSON
        answer = await self.calls.request(method, f"/api/v1{path}", **given)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def is_refused(self, method: str, path: str, name: str, **given: Any) -> str:  # noqa: ANN401 -- as httpx has it
        answer = await self.calls.request(method, f"/api/v1{path}", **given)
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["type"] == f"urn:fedbot:problem:{name}", problem
        assert problem["status"] == answer.status_code == api.REFUSALS[name][0]
        return str(problem["detail"])


def made_token(hub: HubSettings, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(["hub", "token", "--config", str(hub.source), "add", *(words or ("schedule",))]) == Exit.OK
    secret = capsys.readouterr().out.splitlines()[-1]
    assert secret.startswith(PREFIX)
    return secret


@asynccontextmanager
async def operating(hub: HubSettings, secret: str, command: Sequence[str] = TELLS) -> AsyncIterator[Operator]:
    address = f"127.0.0.1:{free_port()}"
    async with (
        site_of(hub, command) as site,
        Served(application(site), address),
        httpx.AsyncClient(base_url=f"http://{address}", headers=_with(secret), timeout=30) as calls,
    ):
        yield Operator(calls, f"http://{address}")


def _with(secret: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {secret}" if secret else "Basic eDp5"}


@pytest.fixture(autouse=True)
def _no_tokens_are_left(hub: HubSettings, postgresql: Server) -> Iterator[None]:
    """All tests share a database."""
    yield
    Roster(hub).view()  # creates the table if it doesn't exist
    with postgresql.connect() as admin:
        admin.execute("DELETE FROM fedbot.tokens")


async def test_only_a_valid_token_made_by_a_command_opens_it(
    hub: HubSettings, postgresql: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    for wrong in (["x" * 61], ["a\nb"], [" "], ["x", "--days", "0"]):
        assert main(["hub", "token", "--config", str(hub.source), "add", *wrong]) == Exit.FAILED
    acts, reads = made_token(hub, capsys), made_token(hub, capsys, "monitor", "--reads", "--days", "7")
    space = space_in(hub, postgresql)
    with postgresql.connect() as admin:
        kept = str(admin.execute("SELECT * FROM fedbot.tokens").fetchall())
    assert acts not in kept
    async with operating(hub, acts) as operator:
        for secret in ("", "nonsense", PREFIX + "x" * 43):
            await operator.is_refused("GET", "/spaces", "not_known", headers=_with(secret))
        assert [each["space"] for each in await operator.asks("GET", "/spaces", headers=_with(reads))] == [space]
        await operator.is_refused("POST", f"/spaces/{space}/pause", "only_reads", headers=_with(reads))
        assert not Roster(hub).view().of(space).is_paused
        held = await operator.asks("GET", "/tokens")
        assert [(each["name"], each["may_act"]) for each in held] == [("schedule", True), ("monitor", False)]
        assert held[1]["used"]
        await operator.is_refused("DELETE", f"/tokens/{held[0]['id']}", "only_reads", headers=_with(reads))
        await operator.asks("DELETE", f"/tokens/{held[1]['id']}", 204)
        await operator.is_refused("DELETE", f"/tokens/{held[1]['id']}", "no_such_token")
        await operator.is_refused("GET", "/spaces", "not_known", headers=_with(reads))
        capsys.readouterr()
        assert main(["hub", "token", "--config", str(hub.source), "list"]) == Exit.OK
        told = capsys.readouterr().out
        assert "schedule" in told
        assert acts not in told
        assert main(["hub", "token", "--config", str(hub.source), "revoke", held[0]["id"]]) == Exit.OK
        await operator.is_refused("GET", "/spaces", "not_known")
        with postgresql.connect() as admin:  # a row written by somebody with access to the database only opens nothing
            admin.execute(
                "INSERT INTO fedbot.tokens VALUES (encode(sha256(%s), 'hex'), 'x', true, now(), 'infinity')",
                [acts.encode()],
            )
        await operator.is_refused("GET", "/spaces", "not_known")


async def test_spaces_are_paused_resumed_moved_and_removed_as_by_the_commands(
    hub: HubSettings, postgresql: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    bots, seen = Bots(), Roster(hub)
    first, second = sorted(space_in(hub, postgresql) for _ in range(2))
    async with (
        working(hub, bots, "one"),
        operating(hub, made_token(hub, capsys)) as operator,
    ):
        await bots.until(lambda: bots.shares() == [2])
        async with working(hub, bots, "two"):
            await bots.until(lambda: bots.shares() == [1, 1])
            await bots.until(lambda: all(row.is_well for row in seen.view().spaces.values() if row.worker))
            bots.troubles[first] = "InvenTree doesn't answer"
            await bots.until(lambda: seen.view().of(first).troubles != ())
            told = await operator.asks("GET", f"/spaces/{first}")
            assert (told["well"], told["troubles"]) == (True, ["InvenTree doesn't answer"])
            del bots.troubles[first]
            assert {(each["worker"], each["spaces"]) for each in await operator.asks("GET", "/workers")} == {
                ("one", 1),
                ("two", 1),
            }
            before = bots.working[first]
            await operator.asks("POST", f"/spaces/{first}/move", json={}, params={"wait": 10})
            await bots.until(lambda: bots.working.get(first) not in (None, before))
            failed = await operator.asks("POST", f"/spaces/{first}/move", json={"worker": "w"}, params={"wait": 10})
            assert (failed["state"], failed["said"]) == ("failed", ["There is no worker w. There are: one, two."])
            paused = await operator.asks("POST", f"/spaces/{second}/pause", params={"wait": 30})
            assert (paused["state"], paused["operator"]) == ("done", "schedule")
            assert second not in bots.working
            assert (await operator.asks("GET", f"/spaces/{second}"))["state"] == "paused"
            await operator.asks("POST", f"/spaces/{second}/resume", params={"wait": 10})
            await bots.until(lambda: second in bots.working)
        await operator.is_refused("DELETE", f"/spaces/{first}", "not_paused")
        left = await operator.asks("POST", f"/spaces/{first}/leave", params={"wait": 30})
        assert left["state"] == "failed", "no bot has ever worked there on a real journal"
        assert "hasn't worked in this hub yet" in left["said"][0]
        await operator.asks("POST", f"/spaces/{first}/pause", params={"wait": 30})
        assert "for good" in await operator.is_refused("DELETE", f"/spaces/{first}", "not_sure")
        await operator.asks("DELETE", f"/spaces/{first}", params={"sure": True, "wait": 30})
        assert [each["space"] for each in await operator.asks("GET", "/spaces")] == [second]
        await operator.is_refused("GET", f"/spaces/{first}", "no_such_space")
        known = await operator.asks("GET", "/operations")
        assert [each["act"] for each in known] == ["remove", "pause", "leave", "resume", "pause", "move", "move"]


async def test_a_space_is_added_by_the_command_with_the_answers_and_none_of_the_hubs_secrets(
    hub: HubSettings, postgresql: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = {"inventree": "https://inventree.example.org", "superuser": "anna", "superuser_password": "one two three"}
    async with operating(hub, made_token(hub, capsys)) as operator:
        begun = await operator.asks("POST", "/spaces", 202, json={"space": "attraktor", "answers": answers})
        await operator.is_refused("POST", "/spaces", "busy", json={"space": "attraktor", "answers": answers})
        done = await operator.asks("GET", f"/operations/{begun['id']}", params={"wait": 30})
        assert (done["state"], done["act"], done["space"]) == ("done", "add", "attraktor")
        told = "\n".join(done["said"])
        assert "asked for attraktor" in told
        assert "inventree: https://inventree.example.org" in told
        assert "keep_superuser: true" in told
        assert "one two three" not in told
        assert "['--answers', '-']" in told, "no file ever has them"
        for bad in ({"superuser_password": "${PATH}"}, {"bot_password_file": "/etc/passwd"}, {"name": "a\0"}):
            await operator.is_refused("POST", "/spaces", "not_understood", json={"space": "b", "answers": bad})
        for name in ("../x", "A", "", "-x"):
            await operator.is_refused("POST", "/spaces", "not_understood", json={"space": name, "answers": {}})
        await operator.is_refused("GET", "/operations/0", "no_such_operation")
    async with operating(hub, made_token(hub, capsys), FAILS) as operator:
        failed = await operator.asks("POST", "/spaces", params={"wait": 30}, json={"space": "b", "answers": {}})
        assert (failed["state"], failed["said"]) == ("failed", ["✗ superuser: no such user"])
    assert {*Answers.model_fields, "go"} == set(KEYS), "it asks what the command asks"


async def test_too_many_or_too_large_calls_are_refused_and_a_silent_database_is_reported(
    hub: HubSettings, postgresql: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(api, "STRANGERS_CALLS_A_MINUTE", 4)
    async with operating(hub, made_token(hub, capsys)) as operator:
        await operator.is_refused("POST", "/spaces", "too_large", content=b"x" * 100_000)
        await operator.is_refused("GET", "/nothing", "not_found")
        await operator.is_refused("PUT", "/spaces", "method_not_allowed")
        names = [await _refusal(operator, "") for _ in range(api.STRANGERS_CALLS_A_MINUTE)]
        assert names[-1] == "too_many_calls"
        await operator.asks("GET", "/workers")
        monkeypatch.setattr(operators.Tokens, "of", _away)
        assert "doesn't answer" in await operator.is_refused("GET", "/spaces", "database_away")


async def test_a_guessed_token_costs_no_query_and_a_valid_one_only_its_calls(
    hub: HubSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = hub.model_copy(update={"api": hub.api.model_copy(update={"calls_a_minute": 4})})
    secret = made_token(hub, capsys)
    monkeypatch.setattr(operators.Tokens, "of", _away)
    async with operating(few, secret) as operator:
        for guessed in (PREFIX + "x" * operators.RANDOM, PREFIX + "x" * 55, secret[:-1] + "?", f"{secret}0"):
            assert await _refusal(operator, guessed) == "not_known"
        asked = [await _refusal(operator, secret) for _ in range(4)]
        assert (asked[0], asked[-1]) == ("database_away", "too_many_calls")


async def _refusal(operator: Operator, secret: str) -> str:
    answer = await operator.calls.get("/api/v1/spaces", headers=_with(secret))
    return str(answer.json()["type"]).rpartition(":")[2]


def _away(*_: object) -> None:
    claim(Address("postgresql://127.0.0.1:1/nothing", "x"), "nobody")


def test_it_is_off_until_the_settings_name_its_address(hub: HubSettings, capsys: pytest.CaptureFixture[str]) -> None:
    assert hub.api.listen == ""
    assert main(["hub", "api", "--config", str(hub.source)]) == Exit.USAGE
    assert "api: {listen: 127.0.0.1:8323}" in capsys.readouterr().err
    assert "api" not in VERBS


async def test_the_api_does_what_its_schema_says(
    hub: HubSettings, postgresql: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    space_in(hub, postgresql)
    wide = hub.model_copy(update={"api": hub.api.model_copy(update={"calls_a_minute": 6000})})
    monkeypatch.setattr(api, "STRANGERS_CALLS_A_MINUTE", 6000)
    secret = made_token(hub, capsys)
    async with operating(wide, secret, ["true"]) as operator:
        calls = await asyncio.to_thread(call_everything, operator.url, 5, token=secret)
    assert calls >= 5 * 10
