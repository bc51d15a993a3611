"""Our own two tokens: read, renewed in their files, the old ones revoked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr

from fedbot.inventree.inventory import OwnInventory
from fedbot.ports.inventory import NotPermitted, Refusal
from fedbot.rules.model.queries import OwnTokens, OwnTokensSeen
from fedbot.rules.model.steps import OwnTokenRenewed, RenewOwnToken, RevokeOwnToken, TokenRevoked
from tests.contract.ground import Ground
from tests.fakes.vault import FakeVault


@pytest.fixture
def files(ground: Ground, tmp_path: Path) -> Iterator[dict[str, Path]]:
    """The tokens of the bot's user and the superuser in files, as a bot has them; new ones are revoked afterwards."""
    me = int(ground.admin.row("user/me/")["pk"])
    made = {"token": ground.mint(ground.users["service"], "own"), "admin_token": ground.mint(me, "own-admin")}
    found = {setting: tmp_path / setting for setting in made}
    for setting, file in found.items():
        file.write_text(made[setting])
    yield found
    for row in ground.admin.rows("user/tokens/"):
        if row["name"].startswith(ground.run) and not row["in_use"]:
            ground.admin.delete(f"user/tokens/{row['id']}/")


@pytest.fixture
def inventory(ground: Ground, files: dict[str, Path]) -> Iterator[OwnInventory]:
    settings = replace(
        ground.settings(),
        token=SecretStr(files["token"].read_text()),
        admin_token=SecretStr(files["admin_token"].read_text()),
        token_file=files["token"],
        admin_token_file=files["admin_token"],
    )
    made = OwnInventory(settings, FakeVault(), network=lambda _: ground.network)
    yield made
    made.close()


async def seen(inventory: OwnInventory) -> dict[str, tuple[str, int, date | None]]:
    answer = await inventory.answer(OwnTokens())
    assert isinstance(answer, OwnTokensSeen)
    return {token.setting: (token.name, token.pk, token.expiry) for token in answer.tokens}


@pytest.mark.api(since=325)
@pytest.mark.parametrize("setting", ["token", "admin_token"])
async def test_the_next_token_is_created_tested_and_written_and_the_old_one_revoked(
    ground: Ground, files: dict[str, Path], inventory: OwnInventory, setting: str
) -> None:
    old = (await seen(inventory))[setting]
    assert old[0].startswith(ground.run)
    assert old[2] == date(2099, 1, 1)
    before = files[setting].read_text()
    step = RenewOwnToken("fed:own:1", setting, f"{ground.run}-{setting}-2")
    assert await inventory.probe(step) is None
    renewed = await inventory.act(step)
    assert isinstance(renewed, OwnTokenRenewed)
    assert renewed.expiry is not None
    assert await inventory.probe(step) == renewed
    assert (await seen(inventory))[setting] == (step.name, renewed.pk, renewed.expiry)
    now = files[setting].read_text().strip()
    assert now != before
    mine = ground.transport(now).row("user/me/")["pk"]
    assert mine == ground.transport(before).row("user/me/")["pk"]
    revoke = RevokeOwnToken("fed:own:2", setting, old[1])
    assert await inventory.probe(revoke) is None
    assert await inventory.act(revoke) == TokenRevoked()
    assert await inventory.probe(revoke) == TokenRevoked()
    with pytest.raises(NotPermitted):
        ground.transport(before).row("user/me/")
    assert ground.transport(now).row("user/me/")["pk"] == mine
    with pytest.raises(Refusal) as caught:  # this one is in use
        await inventory.act(RevokeOwnToken("fed:own:3", setting, renewed.pk))
    assert caught.value.reason == "in-use"
