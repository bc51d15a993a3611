"""A real homeserver for a module of tests, and people on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Protocol

import pytest
import pytest_asyncio

from fedbot_demo.homeserver import Homeserver
from fedbot_demo.person import Person


class Introduce(Protocol):
    """Registers a person with that name on a homeserver, and closes their client at the end of the test."""

    async def __call__(self, server: Homeserver, name: str, *, patience: float = 60.0) -> Person: ...


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def homeserver(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Homeserver]:
    """A homeserver without limits; its tests are marked asyncio(loop_scope="module") because it lives in their loop."""
    async with Homeserver(tmp_path_factory.mktemp("homeserver"), default_rate_limits=False) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def introduce() -> AsyncIterator[Introduce]:
    async with AsyncExitStack() as stack:

        async def register(server: Homeserver, name: str, *, patience: float = 60.0) -> Person:
            person = Person(await server.register(name), patience=patience)
            return await stack.enter_async_context(person)

        yield register
