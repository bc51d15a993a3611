"""`fedbot demo` as a newcomer runs it: the inventories confirm its end, and Ctrl-C leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e import scene

INTERRUPTED = 130


@pytest.fixture
def folder() -> Iterator[Path]:
    """The demo's folder for temporary files, with a short path because of its sockets."""
    with tempfile.TemporaryDirectory(prefix="e2e-") as path:
        yield Path(path)


async def _demo(folder: Path, *arguments: str) -> Process:
    """Start the command with `folder` for its temporary files."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "fedbot", "demo", *arguments,
        stdout=PIPE, stderr=STDOUT, env={**os.environ, "TMPDIR": str(folder)}, start_new_session=True,
    )  # fmt: skip


async def _told_until(demo: Process, words: str) -> str:
    """Its output up to a line with these words."""
    assert demo.stdout is not None
    told = ""
    while words not in told:
        line = await demo.stdout.readline()
        assert line, f"it ended without {words!r}:\n{told}"
        told += line.decode()
    return told


def _processes_of(folder: Path) -> list[str]:
    """The command lines of the processes that work in `folder`: homeserver, InvenTrees, bots."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has ended
            continue
        if str(folder) in command:
            found.append(command)
    return found


def _logs_named_in(told: str) -> list[str]:
    return [Path(log).read_text() for log in re.findall(r"log: (\S+)", told)]


def _files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def _nothing_is_left(folder: Path) -> None:
    async def look() -> bool:
        return not _processes_of(folder)

    await scene.eventually(look, f"no process of the demo; still there: {_processes_of(folder)}", timeout=15)


async def _pages_open(told: str) -> None:
    """A newcomer opens each space's pages, and signs in with a name and password that the demo prints."""
    urls = re.findall(r"'s pages: (http://127\.0\.0\.1:\d+)", told)
    passwords = dict(re.findall(r"^  (anna|bea) +(\S+)$", told, re.MULTILINE))
    for url, name in zip(urls, ("anna", "bea"), strict=True):
        async with httpx.AsyncClient(base_url=url, headers={"Origin": url}, follow_redirects=True) as browser:
            assert "!fed web" in (await browser.post("/sign-in")).text
            form = {"username": name, "password": passwords[name]}
            assert "sign-out" in (await browser.post("/sign-in/inventree", data=form)).text
            assert "Laser lens" in (await browser.get("/ledger")).text


@pytest.mark.timeout(240)
async def test_the_fast_demo_succeeds_writes_its_transcript_and_stays_with_keep(folder: Path, tmp_path: Path) -> None:
    transcript = tmp_path / "told.md"
    demo = await _demo(folder, "--fast", "--keep", "--transcript", str(transcript))
    told = await _told_until(demo, "Betaspace's InvenTree (simulated)")
    told += await _told_until(demo, "its bot's settings")
    (longest,) = re.findall(r"At reading pace .* takes (\d+) s longer", told)
    assert int(longest) <= 95, "with what the bots take, at most two minutes"
    assert "The room: Makerspaces (!" in told
    assert "✗" not in told
    assert "as they should be" in told
    for person in ("@anna:", "@cem:"):
        assert any(len(line.split()) > 3 for line in told.splitlines() if person in line), f"no login of {person}"
    for line, who in (
        ("@anna:", "superuser of Attraktor"),
        ("@cem:", "approver of Betaspace"),
        ("@kim:", "can request"),
    ):
        assert any(who in each for each in told.splitlines() if line in each)
    assert ['event="typed !fed push"' in log for log in _logs_named_in(told)] == [True, False]
    assert len(_processes_of(folder)) >= 5, "a homeserver, two InvenTrees, two bots"
    await _pages_open(told)
    demo.send_signal(signal.SIGINT)
    output, _ = await demo.communicate()
    assert demo.returncode == 0, output.decode()
    assert "Nothing is left running" in output.decode()
    assert "Traceback" not in output.decode()
    written = transcript.read_text()
    for line in (
        "!fed connect betaspace",
        "taps ✅",
        "notes of #42 at Attraktor:",
        "Lent to Betaspace until",
        "Borrowed from Attraktor until",
        "✎ Betaspace bot",
        "Summary, checked against both inventories",
    ):
        assert line in written
    assert _files_in(folder) == []
    await _nothing_is_left(folder)


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("versions", ["1.0,newest", "0.17,0.13"])
async def test_the_demo_succeeds_with_older_inventrees(folder: Path, versions: str) -> None:
    demo = await _demo(folder, "--fast", "--versions", versions)
    output, _ = await demo.communicate()
    told = output.decode()
    assert demo.returncode == 0, told
    assert told.count("credentials add") == sum(older in versions for older in ("0.13", "0.17"))


@pytest.mark.parametrize("moment", ["Building the stage", "taps ✅"])
async def test_ctrl_c_at_any_time_leaves_nothing_running(folder: Path, moment: str) -> None:
    demo = await _demo(folder, "--fast")
    await _told_until(demo, moment)
    demo.send_signal(signal.SIGINT)
    output, _ = await demo.communicate()
    assert demo.returncode == INTERRUPTED, output.decode()
    assert "Nothing is left running" in output.decode()
    await _nothing_is_left(folder)
    assert _files_in(folder) == [], "its folder is gone too"


async def test_even_a_killed_demo_leaves_nothing_running(folder: Path) -> None:
    demo = await _demo(folder, "--fast")
    await _told_until(demo, "announces Betaspace")
    assert len(_processes_of(folder)) >= 5, "a homeserver, two InvenTrees, two bots"
    demo.kill()
    await demo.communicate()
    await _nothing_is_left(folder)
