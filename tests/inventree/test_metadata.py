"""The mirror in InvenTree's metadata."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest

from fedbot.inventree.client.rows import restored
from fedbot.inventree.inventory import OwnInventory
from fedbot.inventree.marks import signed_text
from fedbot.ports.inventory import NotPermitted, OutcomeUnknown, Refusal
from fedbot.rules.model.steps import Mirror, Mirrored
from fedbot.rules.wire import Identity, signature_holds
from tests.inventree.space import Space

VALUE = {"origin": "alpha", "transfer": "t1", "item": 42}


def step(value: object = VALUE, model: str = "stockitem", pk: int = 42) -> Mirror:
    return Mirror("fed:t1:0:mirror", model, pk, json.dumps(value))


def metadata(space: Space, url: str = "metadata/stockitem/42/") -> Any:  # noqa: ANN401  any JSON
    return space.admin.row(url)["metadata"]


async def test_only_our_own_key_is_written(alpha: Space) -> None:
    alpha.admin.patch("metadata/stockitem/42/", {"metadata": {"laser": {"watt": 60}, "fedbot": {"old": 1}}})
    assert await alpha.inventory.act(step()) == Mirrored()
    assert metadata(alpha) == {"laser": {"watt": 60}, "fedbot": VALUE}


async def test_texts_that_inventree_would_change_are_written_so_that_they_read_back(alpha: Space) -> None:
    value = {
        "origin": "alpha",
        "sender_metadata": {"note": "a\n<b>b</b>\u00a0c", "list": ["x\ny", 1.5, None], "k": "é"},
    }
    assert await alpha.inventory.act(step(value)) == Mirrored()
    assert await alpha.inventory.probe(step(value)) == Mirrored()
    assert restored(metadata(alpha)["fedbot"]) == value
    assert metadata(alpha)["fedbot"]["sender_metadata"]["k"] == "é"


async def test_writing_it_again_is_harmless(alpha: Space) -> None:
    for _ in range(2):
        await alpha.inventory.act(step())
    assert await alpha.inventory.probe(step()) == Mirrored()
    assert await alpha.inventory.probe(step({**VALUE, "transfer": "t2"})) is None


async def test_a_lost_update_is_noticed(alpha: Space) -> None:
    """Six concurrent PATCHes all get 200, and one to three of them survive."""
    url = "metadata/stockitem/42/"
    alpha.meanwhile(url, lambda: alpha.admin.put(url, {"metadata": {"theirs": 1}}), method="GET")
    with pytest.raises(OutcomeUnknown):
        await alpha.inventory.act(step())


@pytest.mark.parametrize("text", ["", "no json", "[1]", '"text"'])
async def test_a_value_that_is_no_object_is_refused(alpha: Space, text: str) -> None:
    with pytest.raises(Refusal) as caught:
        await alpha.inventory.act(Mirror("m", "stockitem", 42, text))
    assert caught.value.reason == "bad-value"
    assert metadata(alpha) == {}


async def test_a_company_is_annotated_too_and_needs_an_order_role(alpha: Space) -> None:
    company = alpha.company()
    await alpha.inventory.act(step({"party": "beta"}, "company", company))
    assert metadata(alpha, f"metadata/company/{company}/") == {"fedbot": {"party": "beta"}}
    for rule in alpha.admin.rows("user/ruleset/"):
        if rule["name"] == "return_order":
            alpha.admin.patch(f"user/ruleset/{rule['pk']}/", {"can_add": False, "can_change": False})
    with pytest.raises(NotPermitted, match="return_order: change"):
        await alpha.inventory.act(step({"party": "beta"}, "company", company))


async def test_with_a_key_the_mirror_is_signed_for_this_record_only(alpha: Space) -> None:
    identity = Identity(secrets.token_bytes(32))
    edge = OwnInventory(
        alpha.settings,
        alpha.vault,
        network=lambda _: alpha.wire,
        sign=identity.sign,
    )
    await edge.act(step())
    own = metadata(alpha)["fedbot"]
    assert signature_holds(identity.key, signed_text("stockitem", 42, own), own["signature"])
    assert not signature_holds(identity.key, signed_text("stockitem", 43, own), own["signature"])
    edited = {**own, "origin": "gamma"}
    assert not signature_holds(identity.key, signed_text("stockitem", 42, edited), own["signature"])
    assert await edge.probe(step()) == Mirrored()
    assert await alpha.inventory.probe(step()) is None
