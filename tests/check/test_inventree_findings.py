"""The check's findings on InvenTree: by the real edge on the simulated server, and by a fake for odd answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fedbot.check.findings import Finding
from fedbot.check.inventree import inventree_findings
from fedbot.config.settings import Settings
from fedbot.edge_settings import inventory_settings
from fedbot.inventree.inventory import OwnInventory
from fedbot.ports.inventory import Credentials, InventoryProblem, NotPermitted, Refusal, Unavailable
from fedbot.rules.model.diagnosis import (
    Fault,
    Named,
    NameFault,
    NoJson,
    Plain,
    Redirected,
    Speaker,
    TokenRefused,
    Verbatim,
)
from fedbot.rules.model.queries import (
    Able,
    Answer,
    IndexStanding,
    InventoryStanding,
    Overview,
    OwnTokens,
    OwnTokensSeen,
    PersonPermissions,
    Query,
    ReceivedOf,
    WhoMay,
)
from fedbot.rules.model.steps import AttachPhoto, FileKept, KeepFile, PhotoAttached, SendFile, Step, StepResult
from fedbot.rules.model.stock import Permissions
from fedbot_demo.inventree import seeds
from fedbot_demo.inventree.seeding import Seeded
from fedbot_demo.inventree.transport import SimulatedTransport
from fedbot_demo.inventree.versions import Version
from tests.config.conftest import least
from tests.fakes.vault import FakeVault

PEOPLE = {"@anna:example.org": "anna", "@piet:example.org": "piet"}


@pytest.fixture
def alpha() -> Seeded:
    return seeds.alpha()


def settings(alpha: Seeded | None = None, **changes: Any) -> Settings:  # noqa: ANN401 -- raw YAML
    raw = least() | {"people": PEOPLE}
    raw["matrix"]["password"] = "x"
    raw["inventree"]["token"] = alpha.token("fedbot") if alpha else "x"
    raw["inventree"]["approvers_group"] = "fedbot approvers"
    raw["inventree"] |= changes.pop("inventree", {})
    raw["party"] |= changes.pop("party", {})
    return Settings.model_validate(raw | changes, context={"folder": Path("/nowhere")})


async def found(alpha: Seeded, **changes: Any) -> list[Finding]:  # noqa: ANN401 -- raw YAML
    """Findings by our own edge, as in `fedbot check`."""
    wanted = settings(alpha, **changes)
    inventory = OwnInventory(
        inventory_settings(wanted), FakeVault(), network=lambda _: SimulatedTransport(alpha.server)
    )
    try:
        return await inventree_findings(wanted, inventory)
    finally:
        inventory.close()


def in_days(days: int) -> date:
    return datetime.now(UTC).date() + timedelta(days=days)


def faults(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if not finding.good]


async def test_a_prepared_server_is_good(alpha: Seeded) -> None:
    findings = await found(alpha, inventree={"admin_token": alpha.token("anna")})
    assert faults(findings) == []
    assert {finding.name: finding.what for finding in findings[1:]} == {
        "InvenTree token": "user fedbot may move stock",
        "new parts": "an approval creates a part that you don't have, outside of all categories",
        "admin token": "a superuser's",
        "inventree.token": f"valid until {in_days(365)}",
        "inventree.admin_token": f"valid until {in_days(365)}",
        "people": "2 known to InvenTree",
        "approvers": "anna, piet",
        "superusers": "anna",
    }
    assert findings[0].what.startswith("Attraktor at https://inventree.example.org, ")


async def test_settings_for_two_people_find_their_currency_and_enough_approvers(alpha: Seeded) -> None:
    known = {"parts": ["lens-2", "part:1"], "categories": ["Laser"], "locations": ["workshop/box 7"]}
    findings = await found(alpha, high_value=known)
    assert "two people decide on the items that it names" in [finding.what for finding in findings]
    unknown = {"parts": ["part:999", "LENS-3"], "categories": ["Lasers"], "locations": ["Safe"]}
    findings = faults(await found(alpha, high_value=unknown, people={"@anna:example.org": "anna"}))
    assert [(finding.name, finding.what.rpartition(" ")[2]) for finding in findings] == [
        ("high_value.parts", "part:999"),
        ("high_value.parts", "LENS-3"),
        ("high_value.categories", "Lasers"),
        ("high_value.locations", "Safe"),
        ("high_value", "1"),
    ]


async def test_rules_in_inventree_need_roles_of_their_own(alpha: Seeded) -> None:
    (finding,) = faults(await found(alpha, rules={"lending_from_inventree": True}))
    assert finding.name == "rules.lending_from_inventree"
    assert "part, part_category and stock_location: change" in finding.todo


async def test_names_in_lending_rules_exist_and_two_people_do_where_a_rule_needs_them(alpha: Seeded) -> None:
    known: list[dict[str, object]] = [{"longest_days": 60}, {"categories": ["Laser"], "two_people": True}]
    assert "rules: 2" in [finding.what for finding in await found(alpha, lending=known)]
    unknown = [*known, {"parts": ["LENS-3"], "agree": "briefing"}]
    findings = faults(await found(alpha, lending=unknown, people={"@anna:example.org": "anna"}))
    assert [(finding.name, finding.what.rpartition(" ")[2]) for finding in findings] == [
        ("lending.2.parts", "LENS-3"),
        ("lending", "1"),
    ]


@pytest.mark.parametrize(
    ("of", "todo"), [("token", "create the next one"), ("token_file", "the bot creates the next one")]
)
async def test_a_token_that_expires_soon_is_reported_with_who_makes_the_next_one(
    alpha: Seeded, tmp_path: Path, of: str, todo: str
) -> None:
    (tmp_path / "token").write_text(alpha.token("fedbot"))
    rows = alpha.server.state.tokens
    for row in list(rows):
        rows.put(replace(row, expiry=in_days(20)))
    wanted = {"token_file": str(tmp_path / "token")} if of == "token_file" else {}
    findings = await found(alpha, inventree=wanted)
    [finding] = [finding for finding in findings if finding.name == "inventree.token"]
    assert finding.what == f"valid until {in_days(20)}"
    assert finding.todo.startswith(todo)


async def test_an_unknown_expiry_of_a_token_is_reported(alpha: Seeded) -> None:
    alpha.server.state.version = replace(alpha.server.state.version, api=200)
    findings = await found(alpha)
    [finding] = [finding for finding in findings if finding.name == "inventree.token"]
    assert "doesn't say when tokens end" in finding.what


async def test_the_finding_says_what_happens_with_a_part_that_does_not_exist(alpha: Seeded) -> None:
    async def told(**inventree: Any) -> Finding:  # noqa: ANN401 -- raw YAML
        [finding] = [each for each in await found(alpha, inventree=inventree) if each.name == "new parts"]
        return finding

    assert (await told(new_part_category="Laser")).what.endswith("in Laser")
    assert "the settings say to create none" in (await told(new_parts=False)).what
    alpha.server.state.version = Version.named("0.13")
    assert "before 0.17 also needs a category" in (await told()).todo
    alpha.server.state.version = Version.named("newest")
    for rule in list(alpha.server.state.rule_sets):
        alpha.server.state.rule_sets.put(replace(rule, can_add=rule.can_add and rule.name != "part"))
    finding = await told()
    assert finding.good
    assert "can't be booked in before somebody types !fed match" in finding.what
    assert finding.todo.startswith("give the bot's user the role part: add")


async def test_without_an_admin_token_it_works_but_needs_clicks(alpha: Seeded) -> None:
    findings = await found(alpha)
    assert faults(findings) == []
    [finding] = [finding for finding in findings if finding.name == "admin token"]
    assert finding.what == "none: connecting takes clicks in InvenTree"
    assert "admin_token_file" in finding.todo


async def test_an_admin_token_of_somebody_else_is_reported(alpha: Seeded) -> None:
    findings = faults(await found(alpha, inventree={"admin_token": alpha.token("piet")}))
    assert "admin token" in [finding.name for finding in findings]


async def test_a_token_with_too_few_permissions_is_reported_with_the_roles_it_lacks(alpha: Seeded) -> None:
    [finding] = faults(await found(alpha, inventree={"token": alpha.token("piet")}))
    assert finding.what == "Give the InvenTree user piet the roles return_order: add."


async def test_a_token_without_view_permissions_is_reported(alpha: Seeded) -> None:
    [finding] = faults(await found(alpha, inventree={"token": alpha.token("kim")}))
    assert finding.name == "InvenTree token"
    assert "stock, return_order and part: add" in finding.todo


async def test_an_invalid_token_is_reported(alpha: Seeded) -> None:
    [finding] = faults(await found(alpha, inventree={"token": "inv-nonsense"}))
    assert finding.name == "InvenTree token"
    assert "inv-nonsense" not in finding.what + finding.todo


async def test_missing_locations_are_reported(alpha: Seeded) -> None:
    places = {"outgoing": "Ramp", "incoming": "Dock", "destination": "Attic"}
    told = " ".join(finding.what for finding in faults(await found(alpha, inventree=places)))
    for place in places.values():
        assert f'"{place}"' in told


async def test_an_approvers_group_without_members_is_reported(alpha: Seeded) -> None:
    told = [finding.what for finding in faults(await found(alpha, inventree={"approvers_group": "nobody"}))]
    assert any('"nobody"' in what for what in told)


async def test_people_unknown_to_inventree_are_reported(alpha: Seeded) -> None:
    findings = faults(await found(alpha, people=PEOPLE | {"@kym:example.org": "kym"}))
    assert findings == [
        Finding(
            "people",
            good=False,
            what="InvenTree has no user kym",
            todo="correct the name after @kym:example.org under people, or create the user",
        )
    ]


async def test_no_approver_is_a_fault_and_no_superuser_a_hint(alpha: Seeded) -> None:
    findings = await found(alpha, people={"@kim:example.org": "kim"})
    assert [finding.name for finding in faults(findings)] == ["approvers"]
    assert findings[-1].todo == "to connect to other spaces, list a superuser in people"


# --- answers that the simulator doesn't give ---------------------------------------------------------------

STANDING = InventoryStanding("Lab", "1.5.0", 530, "fedbot", True, True, True, 7)


class Twin:
    """A fake with prepared answers."""

    def __init__(self, standing: InventoryStanding | InventoryProblem, permissions: Permissions | None = None) -> None:
        self.standing = standing
        self.permissions = permissions or Permissions("anna", known=True, active=True, superuser=True)

    async def answer(self, question: Query, received: ReceivedOf | None = None) -> Answer:
        assert received is None, "a check has received nothing"
        match question:
            case Overview():
                if isinstance(self.standing, InventoryProblem):
                    raise self.standing
                return self.standing
            case PersonPermissions():
                return self.permissions
            case OwnTokens():
                return OwnTokensSeen()
            case WhoMay(usernames=usernames):
                return Able(usernames)
            case _:
                raise AssertionError(question)

    async def answer_all(self, questions: Sequence[tuple[Query, ReceivedOf | None]]) -> tuple[Answer, ...]:
        raise AssertionError("a check decides nothing")

    async def whose(self, credentials: Credentials) -> str | None:
        raise AssertionError("a check signs nobody in")

    async def tend(self) -> float:
        raise AssertionError("a check reads no stock")

    def indexed(self) -> IndexStanding:
        raise AssertionError("a check reads no stock")

    async def read_file(self, step: SendFile) -> bytes:
        raise AssertionError(step)

    async def picture(self, where: str) -> bytes | None:
        raise AssertionError(where)

    async def attach(self, step: AttachPhoto | KeepFile, content: bytes) -> PhotoAttached | FileKept:
        raise AssertionError((step, content))

    async def probe(self, step: Step) -> StepResult | None:
        raise AssertionError("a check does nothing")

    async def act(self, step: Step) -> StepResult:
        raise AssertionError("a check does nothing")


@pytest.mark.parametrize(
    ("problem", "name", "todo"),
    [
        (Unavailable(Plain(Fault.SILENT)), "InvenTree", "check that it runs"),
        (NotPermitted(TokenRefused("401")), "InvenTree token", "the bot's user needs the roles"),
        (Refusal(Verbatim(Speaker.INVENTREE, "400")), "InvenTree", "look into InvenTree's own log"),
        (Refusal(Named(NameFault.NO_INVENTREE, "matrix.example")), "InvenTree", "correct inventree.url"),
        (Refusal(Redirected("inventree.example", 302)), "InvenTree", "correct inventree.url"),
        (Unavailable(NoJson("inventree.example", may_be_done=False)), "InvenTree", "correct inventree.url"),
    ],
)
async def test_a_server_with_a_wrong_answer_is_reported(problem: InventoryProblem, name: str, todo: str) -> None:
    [finding] = await inventree_findings(settings(), Twin(problem))
    assert (finding.name, finding.good) == (name, False)
    assert problem.text in finding.what
    assert finding.todo.startswith(todo)


async def test_an_unknown_version_is_reported_with_the_setting_that_accepts_it() -> None:
    standing = replace(STANDING, api=999, writes_allowed=False)
    [finding] = faults(await inventree_findings(settings(), Twin(standing)))
    assert "accept_api: 999" in finding.todo


async def test_an_inventree_in_which_anybody_can_become_admin_needs_a_pinned_list(alpha: Seeded) -> None:
    alpha.server.state.version = replace(alpha.server.state.version, api=471)
    told = [finding.what for finding in faults(await found(alpha))]
    assert any("rules.pinned_approvers" in what and "any account can give itself permissions" in what for what in told)
    pinned = {"pinned_approvers": ["piet"], "pinned_superusers": ["anna"]}
    assert faults(await found(alpha, rules=pinned)) == []


async def test_direct_access_is_refused_where_any_account_can_make_itself_admin() -> None:
    wanted = settings(party={"peer_access": "direct"})
    [finding] = faults(await inventree_findings(wanted, Twin(replace(STANDING, api=471))))
    assert finding.name == "peer_access"
    assert faults(await inventree_findings(wanted, Twin(replace(STANDING, api=472)))) == []


async def test_people_with_an_inactive_user_are_reported() -> None:
    fake = Twin(STANDING, Permissions("anna", known=True, active=False))
    findings = faults(await inventree_findings(settings(people={"@anna:example.org": "anna"}), fake))
    assert [finding.what for finding in findings] == ["InvenTree's user anna is not active"]


async def test_a_large_server_gets_the_advice_to_run_analyze() -> None:
    for items, told in ((9_999, 0), (55_020, 1)):
        findings = await inventree_findings(settings(), Twin(replace(STANDING, stock_items=items)))
        assert not faults(findings)
        assert len([finding for finding in findings if "ANALYZE" in finding.what]) == told


async def test_a_token_that_may_not_move_stock_is_a_fault_even_if_nobody_complains() -> None:
    standing = replace(STANDING, can_move_stock=False)
    [finding] = faults(await inventree_findings(settings(), Twin(standing)))
    assert "stock, return_order and part: add" in finding.todo
