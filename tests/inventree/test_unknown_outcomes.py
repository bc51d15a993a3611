"""Every writing step whose call ends badly: nothing is done twice, and nothing done is forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from fedbot.inventree.inventory import ACTS
from fedbot.ports.inventory import OutcomeUnknown, Unavailable
from fedbot.rules.model.steps import Step, StepResult
from fedbot_demo.inventree.faults import FaultKind
from tests.inventree.situations import WRITES, mint_token
from tests.inventree.space import Space

AFTER = (FaultKind.TIMEOUT_AFTER, FaultKind.RESET_AFTER, FaultKind.ERROR_AFTER)
BEFORE = (FaultKind.TIMEOUT_BEFORE, FaultKind.ERROR_BEFORE)

every_write = pytest.mark.parametrize("write", WRITES)

# Steps of several calls that break off in the middle: the probe says no, and the step continues.
UNFINISHED = {
    "take back",
    "remark",
    "make access, user",
    "make access, group",
    "make access, rules",
    "end access, user",
}


def picture(space: Space) -> dict[str, Any]:
    """Everything that a second act would change: quantities, locations, customers, the number of rows of each kind."""
    stock = space.admin.rows("stock/")
    return {
        "stock": sorted(
            (row["part"], str(row["quantity"]), row["location"], row["customer"], row["status"], row["serial"])
            for row in stock
        ),
        "parts": len(space.admin.rows("part/")),
        "companies": [(row["name"], row["active"]) for row in space.admin.rows("company/")],
        "users": [(row["username"], row["is_active"], len(row["groups"])) for row in space.admin.rows("user/")],
        "groups": [row["name"] for row in space.admin.rows("user/group/")],
        "tokens": [row["active"] for row in space.admin.rows("user/tokens/", all_users="true") if row["user"] > 5],
    }


async def undisturbed(write: str, space: Space) -> tuple[Step, StepResult, dict[str, Any]]:
    step = await WRITES[write][0](space)
    result = await space.inventory.act(step)
    return step, result, picture(space)


def test_every_writing_step_is_in_the_table() -> None:
    made = {situation.__annotations__["return"] for situation, _, _ in WRITES.values()}
    not_here = {"TryToken", "MintToken"}  # reads only; or has tests of its own because its number increases
    not_here |= {"RenewOwnToken", "RevokeOwnToken"}  # these change a file too: tests/dialogue/test_own_health.py
    assert made == {kind.__name__ for kind in ACTS} - not_here  # FILE_ACTS: tests/inventree/test_photos.py


@every_write
async def test_a_step_is_not_found_before_it_is_done_and_is_found_afterwards(write: str, alpha: Space) -> None:
    step = await WRITES[write][0](alpha)
    assert await alpha.inventory.probe(step) is None
    result = await alpha.inventory.act(step)
    after = picture(alpha)
    assert await alpha.inventory.probe(step) == result
    assert await alpha.edge().probe(step) == result
    assert picture(alpha) == after


@every_write
@pytest.mark.parametrize("kind", AFTER)
async def test_done_but_unanswered_is_unknown_and_then_found(
    write: str, kind: FaultKind, alpha: Space, fake: Space
) -> None:
    _, expected, wanted = await undisturbed(write, fake)
    situation, method, path = WRITES[write]
    step = await situation(alpha)
    alpha.fails(kind, path, method, status=502)
    with pytest.raises(OutcomeUnknown):
        await alpha.inventory.act(step)
    found = await alpha.inventory.probe(step)
    if write in UNFINISHED:
        assert found is None
        found = await alpha.inventory.act(step)
    assert found == expected
    assert picture(alpha) == wanted


@every_write
@pytest.mark.parametrize("kind", BEFORE)
async def test_not_done_and_unanswered_is_unknown_and_can_be_done_once(
    write: str, kind: FaultKind, alpha: Space, fake: Space
) -> None:
    _, expected, wanted = await undisturbed(write, fake)
    situation, method, path = WRITES[write]
    step = await situation(alpha)
    alpha.fails(kind, path, method)
    with pytest.raises(OutcomeUnknown):
        await alpha.inventory.act(step)
    assert await alpha.inventory.probe(step) is None
    assert await alpha.inventory.act(step) == expected
    assert picture(alpha) == wanted


@every_write
async def test_a_refused_connection_is_no_unknown_outcome(write: str, alpha: Space) -> None:
    situation, method, path = WRITES[write]
    step = await situation(alpha)
    alpha.fails(FaultKind.REFUSED, path, method)
    with pytest.raises(Unavailable):
        await alpha.inventory.act(step)
    assert await alpha.inventory.probe(step) is None


async def test_a_token_whose_reply_was_lost_is_revoked_and_the_next_number_created(alpha: Space) -> None:
    step = await mint_token(alpha)
    alpha.fails(FaultKind.TIMEOUT_AFTER, "user/tokens/")
    with pytest.raises(OutcomeUnknown):
        await alpha.inventory.act(step)
    assert await alpha.inventory.probe(step) is None
    minted = await alpha.inventory.act(step)
    assert minted == await alpha.inventory.probe(step)
    rows = [row for row in alpha.admin.rows("user/tokens/", all_users="true") if row["user"] == step.user]
    assert sorted((row["name"], row["active"]) for row in rows) == [("fed-beta-1-1", False), ("fed-beta-1-2", True)]
