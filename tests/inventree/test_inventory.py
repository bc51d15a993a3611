"""The edge as a whole: its answers and steps, when it checks the server again, and how writes queue."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import get_args

import httpx
import pytest
from pydantic import SecretStr

from fedbot.engine.inventory_workers import OUR_OWN
from fedbot.inventree.client.versions import ABILITIES, NEWEST_KNOWN, OLDEST_KNOWN
from fedbot.inventree.inventory import ACTS, ANSWERS, FILE_ACTS, PROBES, OwnInventory
from fedbot.ports.inventory import Inventory, NotPermitted, OutcomeUnknown, Refusal, Unavailable
from fedbot.rules.model.queries import (
    ANSWER_OF,
    Able,
    CompanyMirrors,
    FindItems,
    InventoryStanding,
    ItemsFound,
    MirrorsFound,
    Overview,
    OwnTokens,
    OwnTokensSeen,
    PersonPermissions,
    WhoMay,
)
from fedbot.rules.model.steps import OWN_KEY, Mirror, Mirrored, SendFile, Step, Taken
from fedbot.rules.model.stock import Permission, Permissions
from fedbot_demo.inventree import seeds
from fedbot_demo.inventree.faults import FaultKind
from fedbot_demo.inventree.versions import Version
from tests.inventree.situations import put_away, take_out, taken
from tests.inventree.space import Space

LOOK = [
    "GET /api/",
    "GET /api/user/me/",
    "GET /api/user/me/",
    "GET /api/stock/location/",
]


async def standing(edge: OwnInventory) -> InventoryStanding:
    answer = await edge.answer(Overview())
    assert isinstance(answer, InventoryStanding)
    return answer


def upgrade(space: Space, api: int) -> None:
    state = space.seeded.server.state
    state.version = replace(state.version, api=api)


async def test_it_answers_every_query_and_does_every_step(alpha: Space) -> None:
    assert set(ANSWERS) == set(ANSWER_OF) - set(OUR_OWN)  # the bot answers those itself
    every = set(get_args(Step))
    assert set(PROBES) == every
    assert ACTS.keys() | FILE_ACTS.keys() == every - {SendFile}  # that one goes to the homeserver
    assert not ACTS.keys() & FILE_ACTS.keys()
    port: Inventory = alpha.inventory
    assert isinstance(await port.answer(PersonPermissions("piet")), Permissions)


# --- overview ----------------------------------------------------------------------------------------------


async def test_below_api_472_only_pinned_people_count_and_that_is_reported(alpha: Space) -> None:
    upgrade(alpha, 471)
    (told,) = (await standing(alpha.inventory)).complaints
    assert "rules.pinned_approvers and rules.pinned_superusers" in told
    assert await alpha.inventory.answer(WhoMay(Permission.APPROVER, ("anna", "piet"))) == Able(())
    pinned = alpha.edge(pinned_superusers=("anna",))
    assert (await standing(pinned)).complaints == ()
    assert await pinned.answer(WhoMay(Permission.APPROVER, ("anna", "piet"))) == Able(("anna",))


async def test_a_prepared_server_has_no_complaints(alpha: Space) -> None:
    assert await standing(alpha.inventory) == InventoryStanding(
        name="Attraktor",
        version="1.5.0 dev",
        api=530,
        username="fedbot",
        can_move_stock=True,
        has_admin_token=True,
        admin_is_superuser=True,
        stock_items=20,
        makes_parts=True,
        reads_lending_rules=False,  # reading rules takes more roles than all else
        abilities=ABILITIES,
    )


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"outgoing": "Lending shelf"}, 'Create a stock location "Lending shelf" in InvenTree'),
        ({"incoming": "9999"}, 'Create a stock location "9999"'),
        ({"destination": "Nowhere"}, "inventree.destination"),
        ({"new_part_category": "Nothing"}, "inventree.new_part_category"),
        ({"approvers_group": "nobody"}, 'no active user is in the InvenTree group "nobody"'),
    ],
)
async def test_a_missing_thing_is_reported_with_what_to_do(
    alpha: Space, changed: dict[str, str], complaint: str
) -> None:
    (told,) = (await standing(alpha.edge(**changed))).complaints
    assert complaint in told


async def test_a_check_interrupted_by_a_limit_of_calls_continues_where_it_was(alpha: Space) -> None:
    """With four calls at a time, another full check would leave none for waiting work."""
    edge = alpha.edge()
    alpha.network.log.clear()
    for path in ("stock/location/", "/api/stock/$"):
        alpha.fails(FaultKind.ERROR_BEFORE, path, "GET", status=429)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await standing(edge)
    assert (await standing(edge)).complaints == ()
    assert [call for call in alpha.network.log if call in LOOK] == [*LOOK, "GET /api/stock/location/"]
    alpha.network.log.clear()
    await standing(edge)
    assert alpha.network.log[: len(LOOK)] == LOOK, "once it is answered, the next one looks anew"


async def test_locations_are_named_by_key_path_or_unique_name(alpha: Space) -> None:
    alpha.admin.post("stock/location/", {"name": "Incoming", "parent": alpha.place("Workshop")})
    complaints = (await standing(alpha.edge())).complaints
    assert complaints == ()  # a path takes precedence over a name
    key = str(alpha.place("Workshop/Incoming"))
    for word in (key, "workshop/incoming", "/Workshop/Incoming/"):
        assert (await standing(alpha.edge(incoming=word))).complaints == ()
    alpha.admin.post("stock/location/", {"name": "Incoming", "parent": alpha.place("Laser room")})
    alpha.admin.patch(f"stock/location/{alpha.place('Incoming')}/", {"name": "Arrivals"})
    (told,) = (await standing(alpha.edge())).complaints
    assert "several stock locations are called Incoming" in told


async def test_a_structural_location_can_not_hold_anything(alpha: Space) -> None:
    alpha.admin.patch(f"stock/location/{alpha.place('Outgoing')}/", {"structural": True})
    (told,) = (await standing(alpha.edge())).complaints
    assert "structural" in told


async def test_missing_roles_are_named(alpha: Space) -> None:
    for rule in alpha.admin.rows("user/ruleset/"):
        if rule["name"] in {"stock", "part", "return_order"}:
            alpha.admin.patch(f"user/ruleset/{rule['pk']}/", {"can_add": False, "can_change": False})
    seen = await standing(alpha.edge(admin_token=None))
    assert (seen.can_move_stock, seen.has_admin_token) == (False, False)
    told = "Give the InvenTree user fedbot the roles stock: change, stock: add, part: add, return_order: add."
    assert told in seen.complaints


@pytest.mark.parametrize("whose", ["piet", None])
async def test_an_invalid_admin_token_is_reported(alpha: Space, whose: str | None) -> None:
    token = alpha.seeded.token(whose) if whose else "inv-0000"
    seen = await standing(alpha.edge(admin_token=SecretStr(token)))
    assert (seen.has_admin_token, seen.admin_is_superuser) == (True, False)
    assert "The token in inventree.admin_token is no good, or not a superuser's." in seen.complaints


async def test_without_a_group_and_the_permission_to_read_roles_approvers_are_unknown(
    alpha: Space,
) -> None:
    class Forbids(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("/user/group/"):
                return httpx.Response(403, json={"detail": "No."})
            return alpha.network.handle_request(request)

    alpha.wire.network = Forbids()
    (told,) = (await standing(alpha.edge(approvers_group=""))).complaints
    assert "name a group in inventree.approvers_group" in told


# --- checking the server -----------------------------------------------------------------------------------


async def test_it_checks_once_and_then_works_on(alpha: Space) -> None:
    for _ in range(2):
        await alpha.inventory.answer(FindItems("#9999"))
    assert alpha.network.log == [*LOOK, "GET /api/stock/9999/", "GET /api/stock/9999/"]


async def test_after_an_outage_it_checks_again(alpha: Space) -> None:
    await alpha.inventory.answer(FindItems("#9999"))
    alpha.fails(FaultKind.REFUSED, "stock/9999", "GET")
    with pytest.raises(Unavailable):
        await alpha.inventory.answer(FindItems("#9999"))
    alpha.network.log.clear()
    await alpha.inventory.answer(FindItems("#9999"))
    assert alpha.network.log == [*LOOK, "GET /api/stock/9999/"]


async def test_a_new_location_is_seen_at_the_next_check(alpha: Space) -> None:
    edge = alpha.edge(outgoing="Lending shelf")
    assert (await standing(edge)).complaints
    alpha.admin.post("stock/location/", {"name": "Lending shelf"})
    assert not (await standing(edge)).complaints
    await edge.act(take_out(alpha))
    assert alpha.admin.rows("stock/", location=alpha.place("Lending shelf"))


async def test_a_server_that_is_away_is_unavailable_and_nothing_is_cached(alpha: Space) -> None:
    alpha.fails(FaultKind.REFUSED, "/api/$", "GET")
    with pytest.raises(Unavailable):
        await standing(alpha.inventory)
    assert (await standing(alpha.inventory)).name == "Attraktor"


async def test_an_invalid_token_is_reported(alpha: Space) -> None:
    edge = alpha.edge(token=SecretStr("inv-0000"))
    with pytest.raises(NotPermitted, match="Invalid token"):
        await standing(edge)


class Forgets(httpx.BaseTransport):
    """A server that leaves out a name that every version returns, once a request of that method has come."""

    def __init__(self, network: httpx.BaseTransport, after: str, field: bytes) -> None:
        self.network, self.after, self.field = network, after, field
        self.has_begun = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.network.handle_request(request)
        self.has_begun = self.has_begun or request.method == self.after
        content = answer.read()
        return httpx.Response(200, content=content.replace(self.field, b"forgotten")) if self.has_begun else answer


async def test_an_answer_that_breaks_our_code_is_a_problem_like_the_others(
    alpha: Space, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("ERROR", "fedbot")
    await standing(alpha.inventory)
    alpha.wire.network = Forgets(alpha.network, "GET", b"quantity")
    with pytest.raises(Unavailable, match=r"don't understand \(KeyError"):
        await alpha.inventory.answer(FindItems("#42"))
    assert "FindItems failed" in caplog.text


async def test_a_write_with_an_unreadable_answer_is_unknown(alpha: Space) -> None:
    alpha.wire.network = Forgets(alpha.network, "POST", b"tracking_type")
    with pytest.raises(OutcomeUnknown):
        await alpha.inventory.act(take_out(alpha))
    alpha.wire.network = Forgets(alpha.network, "GET", b"pk")
    with pytest.raises(OutcomeUnknown, match=r"don't understand \(KeyError"):
        await alpha.inventory.probe(take_out(alpha))
    alpha.wire.network = alpha.network
    assert isinstance(await alpha.inventory.probe(take_out(alpha)), Taken)


# --- unknown versions --------------------------------------------------------------------------------------


async def test_above_the_newest_known_version_reads_go_on_and_writes_wait_for_confirmation(alpha: Space) -> None:
    upgrade(alpha, NEWEST_KNOWN + 1)
    seen = await standing(alpha.inventory)
    assert seen.writes_allowed is False
    assert "newer (API 531) than we know (530)" in seen.complaints[0]
    assert isinstance(await alpha.inventory.answer(PersonPermissions("piet")), Permissions)
    with pytest.raises(Unavailable, match="until a superuser accepts it"):
        await alpha.inventory.act(take_out(alpha))
    accepted = alpha.edge(accept_api=NEWEST_KNOWN + 1)
    assert (await standing(accepted)).writes_allowed
    assert isinstance(await accepted.act(take_out(alpha)), Taken)


async def test_below_the_oldest_known_version_writes_are_refused_despite_confirmation(alpha: Space) -> None:
    upgrade(alpha, OLDEST_KNOWN - 1)
    told = "This InvenTree is too old (API 159); 0.13 is the oldest that works."
    for edge in (alpha.inventory, alpha.edge(accept_api=OLDEST_KNOWN - 1)):
        seen = await standing(edge)
        assert seen.writes_allowed is False
        assert seen.complaints[0] == told
        with pytest.raises(Refusal) as caught:
            await edge.act(take_out(alpha))
        assert (caught.value.text, caught.value.reason) == (told, "too-old")


async def test_an_upgrade_while_we_run_is_seen_after_the_outage_that_it_takes(alpha: Space) -> None:
    await taken(alpha)
    upgrade(alpha, NEWEST_KNOWN + 1)
    alpha.fails(FaultKind.REFUSED, "stock/", "GET")
    step = replace(take_out(alpha), mark="fed:second:1:out")
    with pytest.raises(Unavailable, match="can't be reached"):
        await alpha.inventory.act(step)
    with pytest.raises(Unavailable, match="API 531"):
        await alpha.inventory.act(step)


async def test_an_upgrade_that_caused_no_outage_is_seen_by_a_steps_first_refusal() -> None:
    space = Space(seeds.alpha(version=Version.named("1.0")), "anna", "https://old.example")
    item = int(space.item("M3-NUT")["pk"])
    mirror = Mirror("fed:x:1:mirror", "stockitem", item, "{}")
    assert await space.inventory.probe(mirror) is None
    upgrade(space, NEWEST_KNOWN)
    with pytest.raises(OutcomeUnknown, match="CSRF"):
        await space.inventory.act(mirror)
    assert await space.inventory.probe(mirror) is None
    assert await space.inventory.act(mirror) == await space.inventory.probe(mirror) == Mirrored()


async def test_a_read_that_an_upgraded_server_refused_is_made_again() -> None:
    space = Space(seeds.alpha(version=Version.named("1.0")), "anna", "https://old.example")
    await space.inventory.answer(Overview())
    upgrade(space, NEWEST_KNOWN)
    assert await space.inventory.answer(CompanyMirrors()) == MirrorsFound((), ())
    item = int(space.item("M3-NUT")["pk"])
    found = await space.inventory.answer(FindItems(f"#{item}", whole=True))
    assert isinstance(found, ItemsFound)
    assert [each.pk for each in found.items] == [item]


async def test_an_item_split_from_a_friends_is_not_ours_because_the_server_was_upgraded() -> None:
    space = Space(seeds.alpha(version=Version.named("1.0")), "anna", "https://old.example")
    item = int(space.item("M3-NUT")["pk"])
    friends = {OWN_KEY: {"origin": "beta", "transfer": "t", "item": item}}
    space.admin.patch(f"stock/{item}/metadata/", {"metadata": friends})
    moved = {"items": [{"pk": item, "quantity": 3}], "location": space.place("Workshop"), "notes": ""}
    space.admin.post("stock/transfer/", moved)
    child = max(int(row["pk"]) for row in space.admin.rows("stock/", part=space.item("M3-NUT")["part"]))
    space.admin.patch(f"stock/{child}/metadata/", {"metadata": {OWN_KEY: None}})
    space.meanwhile(f"stock/{item}/metadata/", lambda: upgrade(space, NEWEST_KNOWN), "GET")
    found = await space.inventory.answer(FindItems(f"#{child}"))
    assert isinstance(found, ItemsFound)
    assert found.tainted == ((child, "beta"),)


# --- one writer --------------------------------------------------------------------------------------------


async def test_writes_run_one_after_the_other_and_reads_beside_them(alpha: Space) -> None:
    first, second = threading.Event(), threading.Event()
    inside: list[str] = []

    class Slow(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "POST":
                inside.append("write")
                first.set()
                assert second.wait(20)
            return alpha.network.handle_request(request)

    await standing(alpha.inventory)
    steps = [take_out(alpha), replace(take_out(alpha), mark="fed:second:1:out")]
    alpha.wire.network = Slow()
    acts = [asyncio.create_task(alpha.inventory.act(step)) for step in steps]
    assert await asyncio.to_thread(first.wait, 20)
    assert isinstance(await alpha.inventory.answer(PersonPermissions("piet")), Permissions)
    assert inside == ["write"]
    second.set()
    results = await asyncio.gather(*acts)
    assert len({result.item for result in results if hasattr(result, "item")}) == 2


async def test_secrets_are_in_no_repr(alpha: Space) -> None:
    await put_away(alpha)
    admin = alpha.settings.admin_token
    assert admin is not None
    seen = repr(alpha.settings) + repr(vars(alpha.inventory)) + str(alpha.settings)
    assert alpha.settings.token.get_secret_value() not in seen
    assert admin.get_secret_value() not in seen
    alpha.inventory.close()


async def test_a_token_put_into_its_file_by_hand_is_used_without_a_restart(alpha: Space, tmp_path: Path) -> None:
    """An old one that was revoked in the meantime costs nothing then."""
    file = tmp_path / "token"
    file.write_text(alpha.settings.token.get_secret_value())
    edge = alpha.edge(token_file=file)
    await edge.answer(OwnTokens())
    row = next(row for row in alpha.admin.rows("user/") if row["username"] == "fedbot")
    made = alpha.admin.post("user/tokens/", {"user": row["pk"], "name": "by hand"})
    for token in alpha.admin.rows("user/tokens/", all_users="true"):
        if token["user"] == row["pk"] and token["name"] != "by hand":
            alpha.admin.delete(f"user/tokens/{token['id']}/", params={"all_users": "true"})
    with pytest.raises(NotPermitted):
        await edge.answer(Overview())
    file.write_text(json.dumps(made))
    seen = await edge.answer(OwnTokens())
    assert isinstance(seen, OwnTokensSeen)
    assert {token.setting: token.name for token in seen.tokens}["token"] == "by hand"
    file.unlink()
    assert await edge.answer(OwnTokens()) == seen
