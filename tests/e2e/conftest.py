"""A stage for each module of tests, built as the module's `STAGE` says."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from fedbot_demo.stage import Stage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Both makerspaces, running and announced, with the homeserver's default limits."""
    async with Stage(tmp_path_factory.mktemp("stage"), **request.module.STAGE) as built:
        yield built
