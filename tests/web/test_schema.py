"""Each call of the API as its schema allows it: a fixed number of calls, also with nonsense."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Err
from schemathesis.specs.openapi.checks import positive_data_acceptance

from fedbot.rules.model.command import AccessKind, Scope, WebAccess
from fedbot.rules.model.events import AccessGiven
from fedbot.web.site.access import hash_of
from tests.scenarios.world import World
from tests.web.serving import running

EXAMPLES = 8
TOKEN = "fed_" + "t" * 40


async def test_the_api_does_what_its_schema_says() -> None:
    async with running() as (world, url, _):
        await _has_something_to_tell(world)
        calls = await asyncio.to_thread(call_everything, url, EXAMPLES)
        assert calls >= EXAMPLES * 10
        assert world.alpha.bot.quarantined() == ()


async def test_every_call_parameter_and_field_is_explained() -> None:
    async with running() as (_, url, __), httpx.AsyncClient(base_url=url) as client:
        schema = (await client.get("/api/v1/openapi.json")).json()
    assert "cursor" in schema["info"]["description"]
    missing = []
    names = []
    for path, calls in schema["paths"].items():
        for method, call in calls.items():
            names.append(call["operationId"])
            missing += [f"{method} {path}: {part}" for part in ("summary", "description") if not call.get(part)]
            missing += [f"{method} {path}: {each['name']}" for each in call.get("parameters", ()) if not _said(each)]
    for name, model in schema["components"]["schemas"].items():
        missing += [f"{name}.{field}" for field, each in model.get("properties", {}).items() if not _said(each)]
    assert missing == []
    assert all(name.isidentifier() and "api_v1" not in name for name in names)
    assert len(set(names)) == len(names)


def _said(each: dict[str, Any]) -> str:
    return str(each.get("description", ""))


async def much(examples: int) -> int:
    """Make that many calls of each kind; return the total."""
    async with running() as (world, url, _):
        await _has_something_to_tell(world)
        return await asyncio.to_thread(partial(call_everything, url, examples, derandomize=False))


async def _has_something_to_tell(world: World) -> None:
    now = world.clock.now()
    person = world.piet.user_id
    access = WebAccess(
        hash_of(TOKEN), AccessKind.TOKEN, person, "piet", "schema", now, now + timedelta(days=1), Scope.ACT
    )
    world.alpha.bot.engine.put(AccessGiven(now, access))


def call_everything(url: str, examples: int, *, token: str = TOKEN, derandomize: bool = True) -> int:
    """Make that many calls of each kind and check each answer; return how many there were."""
    schema = schemathesis.openapi.from_url(f"{url}/api/v1/openapi.json")
    count = 0
    problems: list[str] = []
    for found in schema.get_all_operations():
        if isinstance(found, Err):
            raise found.err()
        operation = found.ok()

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=derandomize,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def called(case: Case[Any]) -> None:
            nonlocal count
            count += 1
            said = {positive_data_acceptance} if case.path == "/api/v1/lines" else set()  # a line has its own grammar
            case.call_and_validate(
                base_url=url, headers={"Authorization": f"Bearer {token}"}, excluded_checks=list(said)
            )

        try:
            called()
        except FailureGroup as group:
            problems += [f"{operation.label}: {each}" for each in group.exceptions]
    assert not problems, "\n\n".join(problems)
    return count


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(much(int(sys.argv[1]))) else 1)
