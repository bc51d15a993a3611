"""The whole `fedbot check`, on the real homeserver and the real InvenTree."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import httpx

from fedbot.check.findings import (
    CLOCK_FAILS,
    SET_THE_CLOCK,
    Finding,
    bad,
    clocks_differ,
    good,
    ignored,
    settings_findings,
    told_if_slow,
    unreadable,
)
from fedbot.check.inventree import approvers, friends_findings, handover_findings, inventree_findings
from fedbot.check.matrix import SignedIn, SignedInByNio, matrix_findings
from fedbot.config.settings import Settings
from fedbot.edge_settings import identity_beside, inventory_settings, matrix_account
from fedbot.files import PRIVATE_FOLDER, within
from fedbot.identity import FileVault
from fedbot.inventree.client.transport import FOREIGN, clock_ahead, verification
from fedbot.inventree.inventory import OwnInventory
from fedbot.matrix.keys import KEYS
from fedbot.matrix.login import sign_in
from fedbot.ports.inventory import Refusal
from fedbot.ports.journal import JournalProblem
from fedbot.ports.vault import Folder

CLOCK_WARNS = timedelta(minutes=1)
_CLOCK_SECONDS = 3.0


async def check(settings: Settings, waits: Callable[[str], None] = ignored) -> list[Finding]:
    """All findings, in the order in which to fix them. Takes a few seconds if all servers answer.

    `waits`: told about each server that hasn't answered after a moment.
    """
    found = settings_findings(settings)
    if not all(finding.good for finding in found):
        # without its folder the bot can't even store its session
        return found
    try:
        with identity_beside(settings) as identity:
            if isinstance(identity, Path):
                identity.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            return [*found, *await _servers(settings, identity, waits)]
    except JournalProblem as problem:
        return [*found, unreadable(problem)]


async def _servers(settings: Settings, identity: Folder, waits: Callable[[str], None]) -> list[Finding]:
    """The findings about InvenTree and the homeserver, which are asked side by side until the bot is signed in."""
    account = matrix_account(settings)
    inventree = f"InvenTree at {settings.inventree.url} (up to {settings.inventree.timeout_seconds:.0f} seconds a call)"
    homeserver = f"the homeserver at {account.homeserver} (up to {account.request_timeout:.0f} seconds a call)"

    async def signed_in() -> SignedIn:
        with told_if_slow(waits, homeserver):
            session, client = await sign_in(account, identity)
        stack.push_async_callback(client.close)
        return SignedInByNio(session, client, within(identity, KEYS))

    async with AsyncExitStack() as stack:
        signing_in = asyncio.create_task(signed_in())
        stack.callback(signing_in.cancel)
        with told_if_slow(waits, inventree):
            clock, (found, able) = await asyncio.gather(clock_findings(settings), _inventree(settings, identity))
        await asyncio.wait([signing_in])
        with told_if_slow(waits, homeserver):
            return [*clock, *found, *await matrix_findings(settings, signing_in, able)]


async def _inventree(settings: Settings, identity: Folder) -> tuple[list[Finding], Collection[str]]:
    """The findings about InvenTree, and the Matrix ids of the people who may approve."""
    inventory = OwnInventory(inventory_settings(settings), FileVault(identity))
    try:
        found = await inventree_findings(settings, inventory)
        if not found[0].good:
            return found, ()  # it doesn't answer: each further call would wait as long, and fail alike
        if all(finding.good for finding in found):
            found += await handover_findings(inventory)
        found += await friends_findings(settings, inventory)
        return found, await approvers(settings, inventory)
    finally:
        inventory.close()


async def clock_findings(settings: Settings) -> list[Finding]:
    """Name each server whose clock differs much from ours. A server that doesn't answer is left out."""
    inventree, matrix = settings.inventree, settings.matrix
    read = await asyncio.gather(
        _clock(inventree.url, "/api/", inventree.ca_file),
        _clock(matrix.homeserver, "/_matrix/client/versions", matrix.ca_file),
    )
    return [finding for finding in read if finding is not None]


async def _clock(url: str, path: str, ca: Path | None) -> Finding | None:
    try:
        verify = verification(url, str(ca or ""))
        async with httpx.AsyncClient(verify=verify, timeout=_CLOCK_SECONDS, trust_env=False) as client:
            ahead = clock_ahead(await client.get(url.rstrip("/") + path))
    except (*FOREIGN, Refusal):
        return None  # another finding says why it doesn't answer
    if abs(ahead) <= CLOCK_WARNS:
        return None
    say = bad if abs(ahead) > CLOCK_FAILS else good
    return say("clock", clocks_differ(ahead, url), SET_THE_CLOCK)
