"""Two simultaneous moves of the same stock: correct from API 522 on; before, stock multiplies."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fedbot_demo.inventree.exchange import Request
from fedbot_demo.inventree.movements import Act, move
from fedbot_demo.inventree.seeds import seed
from fedbot_demo.inventree.versions import Version


@pytest.mark.parametrize(("api", "left"), [(391, 120), (521, 120), (522, 90), (530, 90)])
def test_simultaneous_moves_add_up_only_where_rows_are_locked(api: int, left: int) -> None:
    seeded = seed("alpha", version=Version(api))
    state = seeded.server.state
    bolts = next(item for item in state.stock if state.parts[item.part].IPN == "M3-BOLT")
    assert bolts.quantity == 120
    place = next(each for each in state.locations if each.name == "Outgoing")
    state.meanwhile.append(lambda: move(Act(state, None), state.stock[bolts.pk], Decimal(30), place))
    content = {"items": [{"pk": bolts.pk, "quantity": 30}], "location": place.pk}
    headers = {"Authorization": f"Token {seeded.token('admin')}"}
    answered = seeded.server.handle(Request.of("POST", "/api/stock/transfer/", headers=headers, json_body=content))
    assert answered.status == 201
    children = state.stock.find("parent", bolts.pk)
    assert [child.quantity for child in children] == [30, 30]
    together = state.stock[bolts.pk].quantity + sum(child.quantity for child in children)
    assert together == left + 30
