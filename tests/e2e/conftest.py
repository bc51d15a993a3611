"""A stage for a module of tests: each module says in `STAGE` how it is to be built."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from fedbot_demo.stage import Stage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Both makerspaces up and announced, with the homeserver's default limits."""
    async with Stage(tmp_path_factory.mktemp("stage"), **request.module.STAGE) as built:
        yield built
