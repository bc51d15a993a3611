"""Remove each thing that the first handover needs: `fedbot check` names it, and says how to fix it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from fedbot.check.findings import Finding
from fedbot.check.inventree import friends_findings, handover_findings, inventree_findings
from fedbot.config.settings import Settings
from fedbot.edge_settings import inventory_settings, journal_place
from fedbot.inventree.inventory import OwnInventory
from fedbot.journal.journal import Journal, StoredJournal
from fedbot.journal.lease import claim
from fedbot.journal.postgresql import open_journal
from fedbot.ports.journal import Committed
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.events import Tick
from fedbot.setup.plan import ROLES
from fedbot_demo.inventree import seeds
from fedbot_demo.inventree.seeding import make_account
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.transport import SimulatedTransport
from fedbot_demo.inventree.versions import Version
from tests.config.conftest import least
from tests.fakes.postgresql import Server
from tests.fakes.vault import FakeVault
from tests.scenarios.world import World

ONLY_ADMINS_GIVE_RIGHTS = 472
VERSIONS = ("newest", "1.0", "0.17", "0.13")


@dataclass
class Town:
    """An InvenTree prepared as by `fedbot init`, and the bot's settings. Calls of the paths in `closed` are refused."""

    version: str = "newest"
    closed: tuple[str, ...] = ()
    answer: Callable[[], httpx.Response] = lambda: httpx.Response(405, text="<h1>Not allowed</h1>")
    raw: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.seeded = seeds.alpha(version=Version.named(self.version))
        roles = {role: " ".join(sorted(allowed)) for role, allowed in ROLES.items()}
        self.token = make_account(self.state, "handover-bot", roles)
        self.seeded.server.state.categories.put(replace(next(iter(self.state.categories)), pk=900, name="From friends"))
        self.raw = least() | {"people": {"@anna:example.org": "anna", "@piet:example.org": "piet"}}
        self.raw["matrix"]["password"] = "x"
        self.raw["inventree"] |= {
            "token": self.token,
            "admin_token": self.seeded.token("anna"),
            "approvers_group": "fedbot approvers",
            "new_part_category": "From friends",
        }
        if Version.named(self.version).api < ONLY_ADMINS_GIVE_RIGHTS:
            self.raw["rules"] = {"pinned_approvers": ["piet"], "pinned_superusers": ["anna"]}

    @property
    def state(self) -> State:
        return self.seeded.server.state

    def lacks(self, role: str, *permissions: str) -> None:
        [group] = self.state.groups.find("name", "handover-bot")
        without: dict[str, Any] = {f"can_{each}": False for each in permissions}
        for rule in self.state.rule_sets.find("group", group.pk):
            if rule.name == role:
                self.state.rule_sets.put(replace(rule, **without))

    def place(self, name: str, **changes: Any) -> None:  # noqa: ANN401 -- of a row
        [place] = [place for place in self.state.locations if place.name == name]
        self.state.locations.put(replace(place, **changes))

    def says(self, **inventree: object) -> None:
        self.raw["inventree"] |= inventree

    async def check(self) -> list[Finding]:
        wanted = Settings.model_validate(self.raw, context={"folder": Path("/nowhere")})
        inventory = OwnInventory(inventory_settings(wanted), FakeVault(), network=lambda _: Proxy(self))
        try:
            found = await inventree_findings(wanted, inventory)
            return [*found, *await handover_findings(inventory)] if all(each.good for each in found) else found
        finally:
            inventory.close()


class Proxy(httpx.BaseTransport):
    """A web server in front of InvenTree that blocks some of it."""

    def __init__(self, town: Town) -> None:
        self._town, self._behind = town, SimulatedTransport(town.seeded.server)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method not in ("GET", "HEAD") and request.url.path in self._town.closed:
            return self._town.answer()
        return self._behind.handle_request(request)


@pytest.mark.parametrize("version", VERSIONS)
async def test_everything_that_init_makes_is_enough_and_the_check_leaves_nothing_behind(version: str) -> None:
    town = Town(version)
    before = but_for_last_seen(town)
    findings = await town.check()
    assert [each for each in findings if not each.good or (each.todo and each.name != "inventree.token")] == []
    assert [each.name for each in findings if each.name == "first handover"] == ["first handover"]
    assert but_for_last_seen(town) == before


@pytest.mark.parametrize("version", VERSIONS)
async def test_default_roles_of_a_new_group_in_an_old_inventree_are_reported_to_be_unticked(version: str) -> None:
    town = Town(version)
    [group] = town.state.groups.find("name", "handover-bot")
    for rule in town.state.rule_sets.find("group", group.pk):
        town.state.rule_sets.put(replace(rule, can_view=True))
    [told] = [each for each in await town.check() if each.name == "InvenTree roles"]
    assert told.good, "nothing fails by it"
    assert "also has the roles admin, " in told.what
    assert "untick them (also View) in the bot's group" in told.todo


def but_for_last_seen(town: Town) -> dict[str, object]:
    return {name: rows for name, rows in town.state.copy().items() if name != "tokens"}


def _gone(table: str, name: str) -> Callable[[Town], None]:
    def take_away(town: Town) -> None:
        rows = getattr(town.state, table)
        for row in list(rows):
            if getattr(row, "name", getattr(row, "username", "")) == name:
                rows.remove(row.pk)

    return take_away


def _no_longer_salable(town: Town) -> None:
    for part in list(town.state.parts):
        town.state.parts.put(replace(part, salable=False))


def _empty_group(town: Town) -> None:
    [group] = town.state.groups.find("name", "fedbot approvers")
    for user in list(town.state.users):
        town.state.users.put(replace(user, groups=tuple(pk for pk in user.groups if pk != group.pk)))


def _changed(username: str, **changes: Any) -> Callable[[Town], None]:  # noqa: ANN401 -- of a row
    def change(town: Town) -> None:
        [user] = town.state.users.find("username", username)
        town.state.users.put(replace(user, **changes))

    return change


def _ended(town: Town) -> None:
    for token in list(town.state.tokens):
        if token.key == town.token:
            town.state.tokens.put(replace(token, expiry=date(2020, 1, 1)))


def _closed(*paths: str) -> Callable[[Town], None]:
    def close(town: Town) -> None:
        town.closed = tuple(f"/api/{path}" for path in paths)

    return close


def _down(town: Town) -> None:
    town.closed, town.answer = ("/api/stock/transfer/",), lambda: httpx.Response(503)


def _no_way_to_make_companies(town: Town) -> None:
    town.lacks("return_order", "add")
    town.says(admin_token=None)


TAKEN_AWAY: dict[str, tuple[Callable[[Town], None], str]] = {
    "role stock: view": (lambda town: town.lacks("stock", "view", "add", "change"), "stock: view"),
    "role stock: add": (lambda town: town.lacks("stock", "add"), "stock: add"),
    "role stock: change": (lambda town: town.lacks("stock", "change"), "stock: change"),
    "role stock_location": (lambda town: town.lacks("stock_location", "view"), "stock_location: view"),
    "role part: view": (lambda town: town.lacks("part", "view", "add", "change"), "part: view"),
    "role part: add": (lambda town: town.lacks("part", "add"), "part: add"),
    "role part_category": (lambda town: town.lacks("part_category", "view"), "part_category: view"),
    "a way to make companies": (_no_way_to_make_companies, "return_order: add"),
    "outgoing": (_gone("locations", "Outgoing"), "inventree.outgoing"),
    "incoming": (_gone("locations", "Incoming"), "inventree.incoming"),
    "a place of its own for incoming": (lambda town: town.says(incoming="Outgoing"), "the same location"),
    "outgoing that can hold things": (lambda town: town.place("Outgoing", structural=True), "inventree.outgoing"),
    "the default place": (lambda town: town.says(destination="Attic"), "inventree.destination"),
    "the category for new parts": (_gone("categories", "From friends"), "new_part_category"),
    "approvers": (_empty_group, "Put somebody into it"),
    "an active user": (_changed("piet", is_active=False), "piet is not active"),
    "the bot's own user": (_changed("handover-bot", is_active=False), "token"),
    "a token that is good": (_ended, "token"),
    "a superuser behind the admin token": (_changed("anna", is_superuser=False), "not a superuser's"),
    "things that can be given": (_no_longer_salable, "none of your parts is salable"),
    "transfers through the proxy": (_closed("stock/transfer/"), "POST stock/transfer/"),
    "assignments through the proxy": (_closed("stock/assign/"), "POST stock/assign/"),
    "booking in through the proxy": (_closed("stock/"), "POST stock/"),
    "companies through the proxy": (_closed("company/"), "POST company/"),
    "new parts through the proxy": (_closed("part/"), "POST part/"),
    "returns through the proxy": (_closed("stock/return/"), "POST stock/return/"),
    "accounts through the proxy": (_closed("user/"), "POST user/"),
    "groups through the proxy": (_closed("user/group/"), "POST user/group/"),
    "a server that writes": (_down, "POST stock/transfer/"),
}


@pytest.mark.parametrize("missing", TAKEN_AWAY)
async def test_a_missing_thing_is_named_with_how_to_fix_it(missing: str) -> None:
    town = Town()
    take_away, told = TAKEN_AWAY[missing]
    take_away(town)
    findings = await town.check()
    wrong = [each for each in findings if not each.good or "salable" in each.what]
    assert told in " ".join(f"{each.name} {each.what} {each.todo}" for each in wrong), findings
    assert len(wrong) <= 2, "one thing is missing, so one or two lines say so"


def _keep(wanted: Settings, friend: Connection) -> None:
    """Put the friend into a new journal, where these settings say."""
    place = journal_place(wanted)
    if isinstance(place, Path):
        place.mkdir()
        journal: StoredJournal = Journal.open(place)
    else:
        lease = claim(place, "the test")
        assert lease is not None
        journal = open_journal(lease)
    with closing(journal):
        at = datetime(2026, 11, 29, tzinfo=UTC)
        journal.commit(journal.put(Tick(at)), Committed(at, {(Connection.__name__, friend.id): friend}))


@pytest.mark.parametrize("kept", ["sqlite", "postgresql"])
@pytest.mark.parametrize("access", ["relayed", "direct"])
async def test_a_friends_expired_token_and_silent_server_are_named(
    access: str, kept: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    world = World(alpha={"peer_access": access}, beta={"peer_access": access})
    await world.start()
    await world.connect()
    known = [world.alpha.connection()]
    raw = Town().raw | {"state": str(tmp_path / "state")}
    if kept == "postgresql":
        raw |= _in_postgresql(request.getfixturevalue("postgresql"))
    wanted = Settings.model_validate(raw, context={"folder": tmp_path})
    inventory = world.alpha.inventory
    assert await friends_findings(wanted, inventory) == [], "the bot has not run yet"
    _keep(wanted, known[0])
    findings = await friends_findings(wanted, inventory)
    assert [each.good for each in findings] == [True] * (2 if access == "direct" else 1), findings
    for token in list(world.alpha.seeded.server.state.tokens):
        if token.name.startswith("fed-betaspace"):
            world.alpha.seeded.server.state.tokens.put(replace(token, revoked=True))
    world.network.pop(known[0].peer_url or "https://nowhere.example", None)
    findings = await friends_findings(wanted, inventory)
    assert [each.good for each in findings] == [False] * len(findings)
    assert all(each.todo for each in findings)


def _in_postgresql(server: Server) -> dict[str, Any]:
    """Raw settings of a new space whose journal is in this PostgreSQL."""
    party = Town().raw["party"] | {"id": server.space().space}
    return {"party": party, "journal": {"url": server.url, "sealing_key": "ab" * 32}}
