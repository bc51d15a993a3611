"""A bot's supply chain: the bill of materials, the base image's digest, an audit that names what it can't check."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.test_requirements import versions_in

ROOT = Path(__file__).parent.parent
DIGEST = "sha256:" + "ab" * 32
ENGINE = """#!/usr/bin/env bash
echo "$@" >> "$(dirname "$0")/asked"
[ "$1" = image ] && echo "registry.example/python@{digest}"
exit 0
"""


def sbom() -> str:
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "sbom.py"], check=True, capture_output=True, text=True
    ).stdout


def test_the_bill_lists_exactly_the_pins_of_a_bot_with_their_hashes() -> None:
    bill = json.loads(sbom())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert {each["name"]: each["version"] for each in bill["components"]} == versions_in("run")
    assert all(each["hashes"] and each["purl"] == each["bom-ref"] for each in bill["components"])
    (whole,) = bill["dependencies"]
    assert set(whole["dependsOn"]) == {each["bom-ref"] for each in bill["components"]}


def imported() -> set[str]:
    """The top-level modules that a bot's code imports from elsewhere."""
    found: set[str] = set()
    for file in (ROOT / "fedbot").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            found |= {name.partition(".")[0] for name in names}
    return found - set(sys.stdlib_module_names) - {"fedbot", "fedbot_demo", "tests", "synapse"}


def test_every_package_that_a_bot_imports_is_declared_as_a_direct_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = [*project["dependencies"], *project["optional-dependencies"]["postgresql"]]
    names = {re.split(r"[\[<>=! ]", each)[0].lower().replace("_", "-") for each in declared}
    of_module = packages_distributions()
    for module in sorted(imported()):
        brought_by = {each.lower().replace("_", "-") for each in of_module.get(module, [module])}
        assert brought_by & names, f"{module} comes with another package by accident"
    assert {"aiohttp", "certifi", "peewee"} <= names


def test_the_security_page_says_how_to_report_and_what_is_supported() -> None:
    page = (ROOT / "SECURITY.md").read_text()
    for heading in ("## Report a vulnerability", "## What is supported", "## What counts"):
        assert heading in page
    assert "docs/threat-model.md" in page


def test_the_same_pins_give_the_same_bill() -> None:
    first = sbom()
    assert first == sbom()
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", json.loads(first)["serialNumber"])


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """A container engine that notes its calls."""
    file = tmp_path / "engine"
    file.write_text(ENGINE.replace("{digest}", DIGEST))
    file.chmod(0o755)
    return file


def image(engine: Path, pin: Path, *words: str) -> subprocess.CompletedProcess[str]:
    surroundings = {**os.environ, "ENGINE": str(engine), "BASE_IMAGE": str(pin)}
    return subprocess.run(
        [ROOT / "scripts" / "image", *words], check=False, capture_output=True, text=True, env=surroundings
    )


def test_without_a_digest_no_image_is_built(engine: Path, tmp_path: Path) -> None:
    pin = tmp_path / "base-image.txt"
    for line in ("python:3.13-slim", "python:3.13-slim@sha256:ab", "python:3.13-slim@md5:" + "ab" * 32):
        pin.write_text(f"# why\n{line}\n")
        done = image(engine, pin)
        assert done.returncode == 1
        assert "make image ARGS=--pin" in done.stderr
    assert not (tmp_path / "asked").exists()


def test_the_digest_is_requested_once_and_the_image_built_on_nothing_else(engine: Path, tmp_path: Path) -> None:
    pin = tmp_path / "base-image.txt"
    pin.write_text("# why\npython:3.13-slim\n")
    assert image(engine, pin, "--pin").returncode == 0
    assert pin.read_text() == f"# why\npython:3.13-slim@{DIGEST}\n"
    assert image(engine, pin).returncode == 0
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[-1] == f"build --build-arg BASE=python:3.13-slim@{DIGEST} --tag fedbot ."


def test_an_engine_that_returns_no_digest_changes_no_pin(engine: Path, tmp_path: Path) -> None:
    engine.write_text(ENGINE.replace("{digest}", "latest"))
    pin = tmp_path / "base-image.txt"
    pin.write_text(f"python:3.13-slim@{DIGEST}\n")
    assert image(engine, pin, "--pin").returncode == 1
    assert pin.read_text() == f"python:3.13-slim@{DIGEST}\n"


def test_the_pinned_name_is_the_one_in_the_dockerfile() -> None:
    (line,) = [
        ln for ln in (ROOT / "requirements" / "base-image.txt").read_text().splitlines() if not ln.startswith("#")
    ]
    (base,) = re.findall(r"^ARG BASE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert line.partition("@")[0] == base


PIP_AUDIT = """#!/usr/bin/env bash
echo "{says}"
exit {code}
"""


@pytest.mark.parametrize(
    ("says", "code", "ends", "told"),
    [
        ("No known vulnerabilities found", 0, 0, ""),
        ("Found 2 known vulnerabilities in 1 package", 1, 1, ""),
        ("yarl  Dependency not found on PyPI and could not be audited: yarl (1)", 0, 2, "not for all pins"),
        ("ConnectionError: no route to host", 1, 2, "can't be reached"),
    ],
)
def test_an_audit_distinguishes_findings_from_failed_lookups(
    tmp_path: Path, says: str, code: int, ends: int, told: str
) -> None:
    scripts, tools = tmp_path / "scripts", tmp_path / "build" / "audit" / "bin"
    scripts.mkdir()
    tools.mkdir(parents=True)
    (scripts / "audit").write_bytes((ROOT / "scripts" / "audit").read_bytes())
    (tools / "pip-audit").write_text(PIP_AUDIT.format(says=says, code=code))
    for file in (scripts / "audit", tools / "pip-audit"):
        file.chmod(0o755)
    done = subprocess.run([scripts / "audit"], check=False, capture_output=True, text=True)
    assert done.returncode == ends
    assert says in done.stdout
    assert told in done.stderr
    assert bool(told) == bool(done.stderr)
