"""How many calls a push takes, held against the table in docs/inventree.md."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

from fedbot.rules.model.queries import PersonRights
from fedbot.rules.model.steps import (
    Arrived,
    CreateItem,
    HandOver,
    ItemCreated,
    Known,
    Mirror,
    PutAway,
    Step,
    StepResult,
    Taken,
)
from tests.inventree.situations import LINK, MARK, TEN, take_out
from tests.inventree.space import Space

DOCS = Path(__file__).parents[2] / "docs" / "inventree.md"
ROW = re.compile(r"\| (?:sender|receiver) \| .+? \| `([^`]+)` \|")


def documented() -> list[str]:
    text = DOCS.read_text(encoding="utf-8")
    return ROW.findall(text[text.index("### Calls of one push") : text.index("### The contract suite")])


def made(space: Space) -> list[str]:
    """The calls since the last time, with N for numbers."""
    calls = [re.sub(r"/\d+/", "/N/", call.replace("/api/", "")) for call in space.network.log]
    space.network.log.clear()
    return calls


async def as_the_runner_does(space: Space, step: Step) -> StepResult:
    assert await space.inventory.probe(step) is None
    return await space.inventory.act(step)


async def test_the_calls_of_one_push_are_those_of_the_docs(alpha: Space, beta: Space) -> None:
    company = alpha.company()
    part = beta.admin.rows("part/", IPN="M3-BOLT")[0]["pk"]
    for space in (alpha, beta):  # the first look at each server is not part of a push
        await space.inventory.answer(PersonRights("nobody"))
        made(space)
    await alpha.inventory.answer(PersonRights("piet"))
    out = await as_the_runner_does(alpha, take_out(alpha))
    assert isinstance(out, Taken)
    await as_the_runner_does(alpha, HandOver(f"{MARK}:over", "given", out.item, TEN, company))
    calls = made(alpha)
    created = await as_the_runner_does(beta, CreateItem(f"{MARK}:in", part, TEN, LINK))
    assert isinstance(created, ItemCreated)
    place = beta.place("Store")
    await as_the_runner_does(beta, PutAway(f"{MARK}:away", "received", created.item, Decimal(10), place))
    value = json.dumps({"origin": "alpha", "transfer": "t", "item": created.item})
    known = Known(part, mark=f"{MARK}:")
    await as_the_runner_does(beta, Mirror(f"{MARK}:mirror", "stockitem", created.item, value, known=known))
    calls += made(beta)
    await as_the_runner_does(alpha, Arrived(f"{MARK}:arrived", "arrived", out.item, out.status))
    calls += made(alpha)
    assert calls == documented()
    assert f"These are **{len(calls)}** calls" in DOCS.read_text(encoding="utf-8")
