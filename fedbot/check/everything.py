"""The whole `fedbot check`, on the real homeserver and the real InvenTree."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from fedbot.check.findings import Finding, bad, settings_findings
from fedbot.check.inventree import approvers, friends_findings, handover_findings, inventree_findings
from fedbot.check.matrix import SignedIn, SignedInByNio, matrix_findings
from fedbot.config.settings import Settings
from fedbot.edge_settings import identity_beside, inventory_settings, matrix_account
from fedbot.files import PRIVATE_FOLDER, within
from fedbot.identity import FileVault
from fedbot.inventree.inventory import OwnInventory
from fedbot.matrix.keys import KEYS
from fedbot.matrix.login import sign_in
from fedbot.ports.journal import JournalProblem
from fedbot.ports.vault import Folder


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
        return [*found, bad("journal", str(problem), "fix that first: the bot can't begin without it")]


async def _servers(settings: Settings, identity: Folder) -> list[Finding]:
    """The findings about InvenTree and the homeserver."""
    inventory = OwnInventory(inventory_settings(settings), FileVault(identity))
    try:
        inventree = await inventree_findings(settings, inventory)
        if all(finding.good for finding in inventree):
            inventree += await handover_findings(inventory)
        inventree += await friends_findings(settings, inventory)
        matrix = await _matrix(settings, identity, await approvers(settings, inventory))
    finally:
        inventory.close()
    return [*inventree, *matrix]


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
