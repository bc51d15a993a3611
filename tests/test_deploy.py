"""deploy/: a unit, compose files, a dashboard and alerts that fit the bot and its metrics. No engine runs here."""

from __future__ import annotations

import configparser
import json
import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import Draft202012Validator

from fedbot.cli.exits import Exit
from fedbot.cli.parser import parser
from fedbot.hub.page import SpaceStatus, hub_metrics
from fedbot.setup.written import compose_service, unit
from fedbot.web.server import metrics
from tests.scenarios.world import friends

DEPLOY = Path(__file__).parents[1] / "deploy"
COMPOSE = ("compose.yaml", "compose.full.yaml", "compose.standby.yaml", "compose.hub.yaml")
OF_EACH_TARGET = {"instance", "job"}
"""The labels that Prometheus adds itself."""


def test_the_unit_runs_the_bot_and_does_not_restart_it_where_a_restart_can_not_help() -> None:
    unit = configparser.ConfigParser(strict=True, interpolation=None)
    unit.read_string((DEPLOY / "fedbot.service").read_text())
    service = unit["Service"]
    parser().parse_args(service["ExecStart"].split()[1:])
    hopeless = (Exit.USAGE, Exit.HISTORY_WITHOUT_STATE, Exit.SIGNED_OUT, Exit.ACCOUNT_TAKEN)
    assert service["RestartPreventExitStatus"].split() == [str(int(code)) for code in hopeless]
    assert service["Environment"] == "FEDBOT_STATE=/var/lib/fedbot"


def test_the_services_are_those_that_init_prints() -> None:
    config, state = Path("/etc/fedbot/config.yaml"), Path("/var/lib/fedbot")
    told = "change the file in fedbot/setup/ and the one in deploy/ together"
    made = unit(config, state, Path("/opt/fedbot/bin/fedbot"), "fedbot")
    assert (DEPLOY / "fedbot.service").read_text() == made, told
    assert (DEPLOY / "compose.yaml").read_text() == compose_service(config, state), told


@pytest.mark.parametrize("name", COMPOSE)
def test_a_compose_file_names_only_existing_things(name: str) -> None:
    text = (DEPLOY / name).read_text()
    compose: dict[str, Any] = yaml.safe_load(text)
    schema = get_builtin_schema("vendor.compose-spec")
    faults = [f"{each.json_path}: {each.message}" for each in Draft202012Validator(schema).iter_errors(compose)]
    assert faults == []
    services, volumes = compose["services"], compose["volumes"]
    assert compose.keys() == {"name", "services", "volumes"}
    used = set()
    for service in services.values():
        assert "/" not in service["image"].partition("/")[2], "no registry is named"
        assert set(service.get("depends_on", ())) <= services.keys()
        used |= {volume.partition(":")[0] for volume in service.get("volumes", ()) if volume[0] != "."}
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), "nothing is open to the world"
    assert used == volumes.keys()
    parser().parse_args(services["fedbot"]["command"])
    ends = {name: service["restart"] for name, service in services.items() if service["image"] == "fedbot"}
    assert set(ends.values()) == {"on-failure:5"}, "two bots on one account would restart each other for ever"
    told = set(re.findall(r"([A-Z_]+)=", text.split("\nname:", 1)[0]))
    assert set(re.findall(r"\$\{(\w+)", text)) <= told, "the first lines say what goes into .env"


async def test_every_alert_of_a_hub_uses_metrics_that_its_workers_have() -> None:
    world = await friends()
    spaces = {
        "attraktor": SpaceStatus("works", world.alpha.bot.status()),
        "betaspace": SpaceStatus("fails", None, "why"),
    }
    counters = world.alpha.bot.counters()
    page = hub_metrics(spaces, counters)
    told = set(re.findall(r"^(fedbot_\w+)", page, re.MULTILINE))
    (group,) = yaml.safe_load((DEPLOY / "alerts-hub.yaml").read_text())["groups"]
    assert all(rule["annotations"].keys() == {"summary", "description"} for rule in group["rules"])
    for rule in group["rules"]:
        promql_parser.parse(rule["expr"])
    asked = {name for rule in group["rules"] for name in re.findall(r"fedbot_\w+", rule["expr"])}
    assert asked - told == set()
    of_spaces = set(re.findall(r"^(fedbot_\w+)\{space=", page, re.MULTILINE))
    assert len(of_spaces) == 8, "docs/hub.md says so: what a space costs is bounded"
    assert 'fedbot_space_failing{space="betaspace"} 1' in page
    several = {f"s{number}": spaces["attraktor"] for number in range(10)}
    few = dict(list(several.items())[:1])
    lines = len(hub_metrics(several, counters).splitlines()) - len(hub_metrics(few, counters).splitlines())
    assert lines == 9 * len(of_spaces)


def test_each_alert_of_a_bot_has_a_counterpart_for_the_spaces_of_a_hub() -> None:
    def rules(name: str) -> dict[str, dict[str, Any]]:
        (group,) = yaml.safe_load((DEPLOY / name).read_text())["groups"]
        return {rule["alert"]: rule for rule in group["rules"]}

    of_a_hub = rules("alerts-hub.yaml")
    for name, rule in rules("alerts.yaml").items():
        what = name.removeprefix("Fedbot")
        (twin,) = [each for each in (f"FedbotHub{what}", f"FedbotHubSpace{what}") if each in of_a_hub]
        as_often = ("labels", "for")
        assert [of_a_hub[twin].get(each) for each in as_often] == [rule.get(each) for each in as_often], twin


async def test_every_query_of_dashboard_and_alerts_uses_metrics_that_the_bot_has() -> None:
    world = await friends()
    page = metrics(world.alpha.bot.status())
    told = set(re.findall(r"^(fedbot_\w+)", page, re.MULTILINE))
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
    alerts = yaml.safe_load((DEPLOY / "alerts.yaml").read_text())
    rules = [rule for group in alerts["groups"] for rule in group["rules"]]
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    queries += [rule["expr"] for rule in rules] + [each["query"] for each in dashboard["templating"]["list"][1:]]
    asked = {name for query in queries for name in re.findall(r"fedbot_\w+", query)}
    assert asked - told == set()
    unseen = {"fedbot_healthy", "fedbot_index_parts", "fedbot_index_stock_items"}
    assert told - asked == unseen, "every other figure is on the dashboard"
    assert all(rule["annotations"].keys() == {"summary", "description"} for rule in rules)
    for query in queries:
        if not query.startswith("label_values("):  # Grafana's own
            promql_parser.parse(query)
    labels = {
        match[1]: set(re.findall(r'(\w+)="', match[2])) for match in re.finditer(r"^(\w+)\{(.*?)\}", page, re.MULTILINE)
    }
    for name, wanted in re.findall(r"(fedbot_\w+)\{(.*?)\}", " ".join(queries)):
        known = labels.get(name, set()) | OF_EACH_TARGET
        assert set(re.findall(r"(\w+)\s*[=!]", wanted)) <= known, f"{name} has no such label"
