"""The homeserver and the stages of the end-to-end tests; a stage is built as its module's `STAGE` says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from fedbot_demo.homeserver import Homeserver
from fedbot_demo.person import Person
from fedbot_demo.stage import Stage
from tests.e2e.newcomer import Town


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Both makerspaces, running and announced, with the homeserver's default limits."""
    async with Stage(tmp_path_factory.mktemp("stage"), **request.module.STAGE) as built:
        yield built


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A homeserver without limits, and two people."""
    async with AsyncExitStack() as stack:
        folder = tmp_path_factory.mktemp("homeserver")
        homeserver = await stack.enter_async_context(Homeserver(folder, default_rate_limits=False))
        people = [await stack.enter_async_context(Person(await homeserver.register(name))) for name in ("hanna", "bea")]
        yield Town(homeserver, *people)
