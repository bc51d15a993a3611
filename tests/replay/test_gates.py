"""Compare two readings of the same facts gate by gate: the bot's versions module and the simulated server's.

They share no code, so a gate that is off by one in either shows here. All API numbers from the oldest known to the
newest are tested, including those that nobody recorded. The replay of a recording shows a wrong reply shape.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fedbot.inventree.client import versions as bots
from fedbot.inventree.client.versions import GATES, NEWEST_KNOWN, OLDEST_KNOWN
from fedbot.inventree.client.versions import Version as Known
from fedbot_demo.inventree import versions
from fedbot_demo.inventree.versions import Version as Simulated
from tests.contract.test_version_mutants import MUTANTS
from tests.replay.replaying import Replay, exchanges

DOCS = Path(__file__).parents[2] / "docs" / "design" / "inventree.md"

#: The bot's reading and the simulated server's, by the name of the bot's gate.
READINGS: dict[str, tuple[Callable[[Known], object], Callable[[Simulated], object]]] = {
    "direct_access_is_safe": (
        lambda known: known.direct_access_is_safe,
        lambda server: server.keeps_rights_safe,
    ),
    "permissions_are_safe": (
        lambda known: known.permissions_are_safe,
        lambda server: server.keeps_rights_safe,
    ),
    "searches_history": (lambda known: known.searches_history, lambda server: server.searches_history),
    "tells_history_of_parts": (lambda known: known.tells_history_of_parts, lambda server: server.filters_history),
    "tells_roles_with_user": (lambda known: known.tells_roles_with_user, lambda server: server.tells_roles_with_user),
    "takes_parts_without_category": (
        lambda known: known.takes_parts_without_category,
        lambda server: not server.parts_need_category,
    ),
    "locks_rows": (lambda known: known.locks_rows, lambda server: server.locks_rows),
    "makes_users": (lambda known: known.makes_users, lambda server: server.edits_rule_sets),
    "makes_tokens": (lambda known: known.makes_tokens, lambda server: server.makes_tokens),
    "tells_tokens": (lambda known: known.tells_tokens, lambda server: server.lists_tokens),
    "returns_parts": (lambda known: known.returns_parts, lambda server: server.returns_in_bulk),
    "metadata_url": (
        lambda known: known.metadata_url("stockitem", 1) == "metadata/stockitem/1/",
        lambda server: server.metadata_apart,
    ),
    "hides_metadata": (
        lambda known: known.hides_metadata,
        lambda server: server.metadata_read == "change",
    ),
    "return_call": (
        lambda known: known.return_call(1, "1", 10, 1, "")[0] == "stock/return/",
        lambda server: server.returns_in_bulk,
    ),
    "attachments_call": (
        lambda known: known.attachments_call("stockitem")[0] == "attachment/",
        lambda server: server.attaches_to_any_model,
    ),
    "attachment_call": (
        lambda known: known.attachment_call(1)[0] == "attachment/",
        lambda server: server.attaches_to_any_model,
    ),
    "parameters_call": (
        lambda known: known.parameters_call(1)[0] == "parameter/",
        lambda server: server.has_parameters_of_any_model,
    ),
    "parameter_templates": (
        lambda known: known.parameter_templates == "parameter/template/",
        lambda server: server.has_parameters_of_any_model,
    ),
    "longest_comment": (lambda known: known.longest_comment, lambda server: server.longest_comment),
    "serial_field": (lambda known: "serial" in known.serial_field("1"), lambda server: server.takes_serial),
    "can_be_given": (lambda known: known.can_be_given("a,b"), lambda server: server.takes_serial),
    "closed_company": (
        lambda known: "active" in known.closed_company(),
        lambda server: "active" in server.told("company", {"active": False}),
    ),
    "newest_first": (lambda known: known.newest_first == "-creation_date", lambda server: server.dates_items),
    "longest_link": (lambda known: known.longest_link, lambda server: server.longest_link),
}


def disagreements() -> set[str]:
    """The gates on which the two modules differ for some version."""
    every = range(OLDEST_KNOWN, NEWEST_KNOWN + 1)
    return {
        name
        for name, (known, server) in READINGS.items()
        if any(known(Known(api)) != server(Simulated(api)) for api in every)
    }


def test_the_bot_and_the_simulated_server_read_every_gate_alike() -> None:
    assert disagreements() == set()


@pytest.mark.parametrize("api", versions.RECORDED.values())
def test_the_bot_knows_every_recorded_version(api: int) -> None:
    assert Known(api).known


@pytest.mark.parametrize("shift", [-1, 1])
@pytest.mark.parametrize(
    ("gate", "since"),
    [
        ("searches_history", 320),
        ("filters_history", 450),
        ("dates_items", 496),
        ("tells_roles_with_user", 519),
        ("locks_rows", 522),
        ("edits_rule_sets", 335),
        ("makes_tokens", 325),
        ("returns_in_bulk", 381),
        ("metadata_apart", 436),
        ("attaches_to_any_model", 207),
        ("has_parameters_of_any_model", 430),
        ("lists_tokens", 227),
    ],
)
def test_a_gate_of_the_simulated_server_that_is_off_by_one_is_caught(
    monkeypatch: pytest.MonkeyPatch, gate: str, since: int, shift: int
) -> None:
    monkeypatch.setattr(Simulated, gate, property(lambda server: server.api >= since + shift))
    assert disagreements()


@pytest.mark.parametrize("shift", [-1, 1])
@pytest.mark.parametrize("gate", GATES)
def test_a_gate_of_the_bot_that_is_off_by_one_is_caught(monkeypatch: pytest.MonkeyPatch, gate: str, shift: int) -> None:
    monkeypatch.setitem(GATES, gate, replace(GATES[gate], api=GATES[gate].api + shift))
    assert disagreements()


def test_every_difference_that_the_bot_knows_has_a_second_reading_or_a_mutant() -> None:
    about_one_server = {"api", "known", "too_old", "abilities"}
    members = {name for name in dir(Known) if not name.startswith("_")} - about_one_server
    assert members - READINGS.keys() <= {name for name, *_ in MUTANTS.values()}
    module = ast.parse(inspect.getsource(bots))
    compares = {
        function.name
        for function in ast.walk(module)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Compare) and "self.api" in ast.unparse(node)
    }
    assert compares == {"_has", "known", "too_old"}, "a gate without a source"


def test_each_gate_names_the_inventree_change_that_it_comes_from_and_the_docs_name_each() -> None:
    for gate in GATES.values():
        assert re.match(rf"v{gate.api}(\D|$)|(a )?commit.* within v({gate.api}|{gate.api - 1})(\D|$)", gate.source), (
            gate
        )
    page = DOCS.read_text(encoding="utf-8").partition("## Versions")[2].partition("## ")[0]
    told = {(int(number), source) for number, source in re.findall(r"^\| (\d+) \| .* \| (.+?) \|$", page, re.MULTILINE)}
    assert told == {(gate.api, gate.source) for gate in GATES.values()}


def test_a_wrong_address_of_the_bot_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Known, "metadata_url", lambda _, model, pk: f"metadata/{model}/{pk}/")
    assert disagreements() == {"metadata_url"}


@pytest.mark.parametrize(
    ("shape", "version", "mixed_up"),
    [
        ("answers_list_to_create", "0.17", True),
        ("answers_list_to_create", "1.0", False),
        ("tells_counts_as_null", "1.0", False),
        ("always_tells_tags", "1.0", False),
        ("lists_notes_of_companies", "1.0", True),
        ("history_outlives_items", "1.0", True),
        ("edits_stock_in_bulk", "1.0", True),
        ("unwritten", "0.13", ""),
        ("moves_nothing", "0.17", False),
    ],
)
def test_a_reply_shape_of_another_version_is_caught_by_the_replay(
    monkeypatch: pytest.MonkeyPatch, shape: str, version: str, mixed_up: object
) -> None:
    assert getattr(Simulated.named(version), shape) != mixed_up
    monkeypatch.setattr(Simulated, shape, property(lambda _: mixed_up))
    assert any(Replay(version).run(exchanges(version)).values())
