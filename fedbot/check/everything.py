"""All of `fedbot check`, on the real homeserver and the real InvenTree."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from fedbot.check.findings import Finding, settings_findings
from fedbot.check.inventree import approvers, friends_findings, handover_findings, inventree_findings
from fedbot.check.matrix import SignedIn, SignedInByNio, matrix_findings
from fedbot.config.settings import Settings
from fedbot.edge_settings import identity_folder, inventory_settings, matrix_account
from fedbot.files import PRIVATE_FOLDER
from fedbot.identity import FileVault
from fedbot.inventree.inventory import OwnInventory
from fedbot.matrix.keys import KEYS
from fedbot.matrix.login import sign_in


async def check(settings: Settings) -> list[Finding]:
    """Every finding, in the order in which to put things right. Takes a few seconds at most per server."""
    found = settings_findings(settings)
    if not all(finding.good for finding in found):
        # without its folder the bot can't even keep the session that it signs in with
        return found
    inventory = OwnInventory(inventory_settings(settings), FileVault(_identity(settings)))
    try:
        inventree = await inventree_findings(settings, inventory)
        if all(finding.good for finding in inventree):
            inventree += await handover_findings(inventory)
        inventree += await friends_findings(settings, inventory)
        matrix = await _matrix(settings, await approvers(settings, inventory))
    finally:
        inventory.close()
    return [*found, *matrix, *inventree]


def _identity(settings: Settings) -> Path:
    folder = identity_folder(settings)
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    return folder


async def _matrix(settings: Settings, able: Collection[str]) -> list[Finding]:
    folder = _identity(settings)
    connections = []

    async def signed_in() -> SignedIn:
        session, connection = await sign_in(matrix_account(settings), folder)
        connections.append(connection)
        return SignedInByNio(session, connection, folder / KEYS)

    try:
        return await matrix_findings(settings, signed_in, able)
    finally:
        for connection in connections:
            await connection.close()
