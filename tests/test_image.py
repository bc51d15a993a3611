"""The Dockerfile as text. No engine is needed, and none builds it here (docs/tested-servers.md: it was built once)."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCKERFILE = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
LINES = [line for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]


def lines(instruction: str) -> list[str]:
    return [line.removeprefix(f"{instruction} ") for line in LINES if line.startswith(f"{instruction} ")]


def test_the_base_images_are_named_without_a_registry() -> None:
    assert {line.split()[0] for line in lines("FROM")} == {"${BASE}"}
    (base,) = lines("ARG")
    assert re.fullmatch(r"BASE=python:3\.\d+-slim", base)


def test_it_does_not_run_as_root() -> None:
    assert lines("USER")[-1] == "10001:10001"
    assert LINES.index(f"USER {lines('USER')[-1]}") < next(n for n, line in enumerate(LINES) if line.startswith("CMD"))


def test_its_health_check_asks_the_bot() -> None:
    (check,) = lines("HEALTHCHECK")
    assert check.endswith('CMD ["fedbot", "health"]')


def test_it_installs_the_same_as_make_setup() -> None:
    setup = (ROOT / "scripts" / "setup").read_text()
    installs = [line for line in lines("RUN") if "/pip " in line]
    assert all(
        "--require-hashes" in part or "--no-index" in part
        for line in installs
        for part in line.split("&&")
        if "pip install" in part
    )
    for options in ("--require-hashes -r requirements/build.txt", "--no-deps --no-build-isolation"):
        assert options in setup
        assert any(options in line for line in installs)


def test_files_that_it_copies_reach_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    let_through = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    named = [word for line in lines("COPY") if not line.startswith("--from") for word in line.split()[:-1]]
    for file in [*(name for name in named if name != "."), "pyproject.toml", "README.md", "LICENSE", "fedbot"]:
        assert any(fnmatch(file, pattern) for pattern in let_through), file
        assert (ROOT / file).exists()


def test_init_and_run_use_the_same_settings_in_it() -> None:
    """Its working folder is the state's, so settings without this variable would land in the volume of the state."""
    (variables,) = lines("ENV")
    assert "FEDBOT_CONFIG=/etc/fedbot/config.yaml" in variables.split()
    assert lines("CMD")[-1] == '["run"]'
