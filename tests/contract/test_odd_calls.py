"""Answers to odd calls, as `make differential` found them on real servers: each was otherwise on the simulated one."""

from __future__ import annotations

from typing import Any

import httpx

from tests.contract.ground import Ground

ABSENT = 99_999_999


def answer(ground: Ground, method: str, url: str, content: object = None, token: str = "") -> tuple[int, Any]:
    """Status and content as they come, an error's too."""
    headers = {"Authorization": f"Token {token or ground.token}", "Accept-Language": "en"}
    with httpx.Client(base_url=ground.admin.api_url, transport=ground.network, timeout=60) as http:
        response = http.request(method, url, headers=headers, json=content)
    return response.status_code, response.json()


def test_an_item_that_is_made_of_nothing_tells_no_quantity_in_its_history(ground: Ground) -> None:
    (entry,) = ground.history(ground.stock(ground.bolt, 0, ground.drawer))
    assert "quantity" not in entry["deltas"]
    (entry,) = ground.history(ground.stock(ground.bolt, 1, ground.drawer))
    assert entry["deltas"]["quantity"] == 1.0


def test_a_status_for_what_is_not_there_names_that_alone(ground: Ground) -> None:
    content = {"items": [ABSENT], "status": 50, "note": "x"}
    refusal = f'Invalid pk "{ABSENT}" - object does not exist.'
    assert answer(ground, "POST", "stock/change_status/", content) == (400, {"items": [refusal]})


def test_tags_that_come_with_a_new_item_are_told_in_the_reply_and_kept_by_older_versions(ground: Ground) -> None:
    content = {"part": ground.bolt, "quantity": 1, "location": ground.drawer, "tags": ["fedbot: lent"]}
    status, reply = answer(ground, "POST", "stock/", content)
    row = ground.version.created(reply)
    assert row is not None
    assert (status, row["tags"]) == (201, ["fedbot: lent"])
    kept = ground.admin.row(f"stock/{row['pk']}/", tags="true")["tags"]
    assert kept == ([] if ground.version.api > 500 else ["fedbot: lent"])
