"""All of `fedbot check`, on the real homeserver and the real InvenTree."""

from __future__ import annotations

import asyncio

from fedbot.check.findings import Finding, settings_findings
from fedbot.check.inventree import inventree_findings
from fedbot.check.matrix import SignedIn, SignedInByNio, matrix_findings
from fedbot.config.settings import Settings
from fedbot.edge_settings import identity_folder, inventory_settings, matrix_account
from fedbot.files import PRIVATE_FOLDER
from fedbot.inventree.inventory import OwnInventory
from fedbot.matrix.keys import KEYS
from fedbot.matrix.login import sign_in
from fedbot.ports.vault import NoSuchSecret


async def check(settings: Settings) -> list[Finding]:
    """Every finding, in the order in which to put things right. Takes a few seconds at most per server."""
    found = settings_findings(settings)
    if not all(finding.good for finding in found):
        # without its folder the bot can't even keep the session that it signs in with
        return found
    matrix, inventree = await asyncio.gather(_matrix(settings), _inventree(settings))
    return [*found, *matrix, *inventree]


async def _matrix(settings: Settings) -> list[Finding]:
    folder = identity_folder(settings)
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    connections = []

    async def signed_in() -> SignedIn:
        session, connection = await sign_in(matrix_account(settings), folder)
        connections.append(connection)
        return SignedInByNio(session, connection, folder / KEYS)

    try:
        return await matrix_findings(settings, signed_in)
    finally:
        for connection in connections:
            await connection.close()


async def _inventree(settings: Settings) -> list[Finding]:
    inventory = OwnInventory(inventory_settings(settings), _NoVault())
    try:
        return await inventree_findings(settings, inventory)
    finally:
        inventory.close()


class _NoVault:
    """A check has no business with peers' tokens."""

    def keep(self, reference: str, secret: str) -> None:
        """Refuse: nothing that is asked here makes a token."""
        del secret
        raise RuntimeError(f"a check keeps no secrets: {reference}")

    def read(self, reference: str) -> str:
        """There is none."""
        raise NoSuchSecret(reference)

    def forget(self, reference: str) -> None:
        """There is none."""
