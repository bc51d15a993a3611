"""The whole `fedbot check`, on the real homeserver and the real InvenTree."""

from __future__ import annotations

from collections.abc import Collection
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
    settings_findings,
    unreadable,
)
from fedbot.check.inventree import approvers, friends_findings, handover_findings, inventree_findings
from fedbot.check.matrix import SignedIn, SignedInByNio, matrix_findings
from fedbot.config.settings import Settings
from fedbot.edge_settings import identity_beside, inventory_settings, matrix_account
from fedbot.files import PRIVATE_FOLDER, within
from fedbot.identity import FileVault
from fedbot.inventree.inventory import OwnInventory
from fedbot.inventree.transport import FOREIGN, clock_ahead, verification
from fedbot.matrix.keys import KEYS
from fedbot.matrix.login import sign_in
from fedbot.ports.inventory import Refusal
from fedbot.ports.journal import JournalProblem
from fedbot.ports.vault import Folder

CLOCK_WARNS = timedelta(minutes=1)
_CLOCK_SECONDS = 3.0


async def check(settings: Settings) -> list[Finding]:
    """All findings, in the order in which to fix them. Takes a few seconds per server."""
    found = settings_findings(settings)
    if not all(finding.good for finding in found):
        # without its folder the bot can't even store its session
        return found
    try:
        with identity_beside(settings) as identity:
            if isinstance(identity, Path):
                identity.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            return [*found, *await _servers(settings, identity)]
    except JournalProblem as problem:
        return [*found, unreadable(problem)]


async def _servers(settings: Settings, identity: Folder) -> list[Finding]:
    """The findings about InvenTree and the homeserver."""
    inventory = OwnInventory(inventory_settings(settings), FileVault(identity))
    clock = await clock_findings(settings)
    try:
        inventree = await inventree_findings(settings, inventory)
        if all(finding.good for finding in inventree):
            inventree += await handover_findings(inventory)
        inventree += await friends_findings(settings, inventory)
        matrix = await _matrix(settings, identity, await approvers(settings, inventory))
    finally:
        inventory.close()
    return [*clock, *inventree, *matrix]


async def clock_findings(settings: Settings) -> list[Finding]:
    """Name each server whose clock differs much from ours. A server that doesn't answer is left out."""
    inventree, matrix = settings.inventree, settings.matrix
    found = []
    for url, path, ca in (
        (inventree.url, "/api/", inventree.ca_file),
        (matrix.homeserver, "/_matrix/client/versions", matrix.ca_file),
    ):
        try:
            verify = verification(url, str(ca or ""))
            async with httpx.AsyncClient(verify=verify, timeout=_CLOCK_SECONDS, trust_env=False) as client:
                ahead = clock_ahead(await client.get(url.rstrip("/") + path))
        except (*FOREIGN, Refusal):
            continue  # another finding says why it doesn't answer
        if abs(ahead) > CLOCK_WARNS:
            say = bad if abs(ahead) > CLOCK_FAILS else good
            found.append(say("clock", clocks_differ(ahead, url), SET_THE_CLOCK))
    return found


async def _matrix(settings: Settings, folder: Folder, able: Collection[str]) -> list[Finding]:
    connections = []

    async def signed_in() -> SignedIn:
        session, connection = await sign_in(matrix_account(settings), folder)
        connections.append(connection)
        return SignedInByNio(session, connection, within(folder, KEYS))

    try:
        return await matrix_findings(settings, signed_in, able)
    finally:
        for connection in connections:
            await connection.close()
