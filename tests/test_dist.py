"""The wheel and sdist of `make dist` install and run outside of the repository."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from fedbot.rules.wire import VERSION

ROOT = Path(__file__).parents[1]
DATA = (
    "fedbot/py.typed",
    "fedbot/config/example.yaml",
    "fedbot/messages/locale/de/LC_MESSAGES/fedbot.mo",
    "fedbot/setup/compose.yaml",
    "fedbot/setup/fedbot.service",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([ROOT / "scripts" / "dist", folder], check=True, capture_output=True)
    return folder


def test_the_wheel_installs_and_runs_outside_of_the_repository(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    site = tmp_path / "site"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(site),
        str(wheel),
    ]
    subprocess.run(pip, check=True, capture_output=True)
    # its dependencies come from this environment, after it; the repository is on no path
    paths = {"PYTHONPATH": os.pathsep.join((str(site), sysconfig.get_paths()["purelib"]))}

    def runs(*arguments: str) -> str:
        command = [sys.executable, "-S", *arguments]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path, env=paths)
        return done.stdout

    where = runs("-c", "import fedbot, fedbot_demo; print(fedbot.__file__, fedbot_demo.__file__)").split()
    assert all(Path(path).is_relative_to(site) for path in where)
    assert runs("-m", "fedbot", "--version").strip().endswith(f"(protocol {VERSION})")
    assert "push" in runs("-m", "fedbot", "verbs")
    assert (site / "bin" / "fedbot").exists()
    assert all((site / path).exists() for path in DATA)


def test_the_sdist_holds_the_sources_of_the_wheel(built: Path) -> None:
    (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert wanted - held == set()
    assert {"pyproject.toml", "README.md", "LICENSE"} <= held
    assert not {name for name in wanted if name.startswith("tests/")}
