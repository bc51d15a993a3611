"""Every command where something is wrong: a sentence with what to do, and the documented code; no traceback."""

from __future__ import annotations

import asyncio
import errno
import io
import logging
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
import yaml

from fedbot import logs
from fedbot.backup import BackupContents, backup
from fedbot.cli import main as command_line
from fedbot.cli import settings_file
from fedbot.cli.exits import Exit
from fedbot.cli.main import main
from fedbot.config.loading import load
from fedbot.identity import open_identity
from fedbot.journal.journal import Journal
from fedbot.ports.journal import JournalUnwritable
from fedbot.rules.model.events import Tick
from fedbot.web.server import Web
from tests.config.conftest import TOKEN, least
from tests.journal.conftest import START
from tests.setup.terminal import fedbot
from tests.test_cli import STANDING

SMALL = 400_000
"""The bytes of the small disk: a journal fits, and not much more."""
WHOLE = (
    ["check"],
    ["run"],
    ["health"],
    ["status"],
    ["retry", "1"],
    ["drop", "1"],
    ["people"],
    ["people", "add", "@kim:example.org", "as", "kim"],
    ["practice"],
    ["credentials", "add", "betaspace-1"],
    ["export"],
    ["audit", "verify"],
    ["audit", "export"],
    ["reconcile"],
    ["backup", "b", "--unencrypted"],
    ["restore", "b"],
    ["rebuild"],
    ["journal", "move", "to-file"],
    ["verify"],
)
"""Each command that reads the settings, with the arguments that it needs."""


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Out of sight of this machine's settings; the log levels are restored, because a command sets them."""
    monkeypatch.chdir(tmp_path)
    for name in ("FEDBOT_CONFIG", "FEDBOT_STATE", "FEDBOT_HUB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(settings_file, "SYSTEM", tmp_path / "etc")
    monkeypatch.setenv("PASSWORD", "correct horse")
    monkeypatch.setenv("TOKEN", TOKEN)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    logger = logging.getLogger("fedbot")
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings of a bot whose servers aren't there."""
    return written(tmp_path)


def written(folder: Path) -> Path:
    path = folder / "config.yaml"
    found = least()
    found["inventree"]["url"] = found["matrix"]["homeserver"] = "http://127.0.0.1:9"
    path.write_text(yaml.safe_dump(found))
    return path


def has_run(config: Path) -> Path:
    """A bot has worked with these settings; return its state folder."""
    state = load(config).state
    with Journal.open(state) as journal:
        journal.receive((), "where we were")
    open_identity(state / "identity")
    return state


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of its own; only root may mount one."""
    folder.mkdir()
    options = f"size={SMALL},mode=0700"
    if subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=False).returncode:
        pytest.skip("a disk of its own needs the right to mount one")
    try:
        yield folder
    finally:
        subprocess.run(["/bin/umount", "--lazy", folder], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk") as folder:
        yield folder


def fill(disk: Path) -> Path:
    """Fill the disk to its last byte; return the file that did it."""
    file = disk / "filler"
    with file.open("ab", buffering=0) as out:
        for piece in (65536, 4096, 1):
            with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
                deque(map(out.write, repeat(b"x" * piece)))
    return file


# --- the settings -------------------------------------------------------------------------------------------


def _is_there_not(config: Path) -> None:
    config.unlink()


def _is_a_folder(config: Path) -> None:
    config.unlink()
    config.mkdir()


def _is_no_text(config: Path) -> None:
    config.write_bytes(b"\xff\xfe\x00")


def _is_no_yaml(config: Path) -> None:
    config.write_text("party: [")


def _is_of_something_else(config: Path) -> None:
    config.write_text("services: {web: {image: nginx}}\n")


@pytest.mark.parametrize("arguments", WHOLE, ids=" ".join)
@pytest.mark.parametrize(
    "spoil", [_is_there_not, _is_a_folder, _is_no_text, _is_no_yaml, _is_of_something_else], ids=lambda f: f.__name__
)
def test_unusable_settings_are_named_with_what_to_do(
    arguments: list[str], spoil: Callable[[Path], None], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(config)
    assert main([*arguments, "--config", str(config)]) == (Exit.FAILED if arguments == ["health"] else Exit.USAGE)
    said = capsys.readouterr()
    assert ": " in said.out + said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("spoil", [_is_a_folder, _is_no_text, _is_no_yaml], ids=lambda f: f.__name__)
async def test_init_names_unusable_settings_too(spoil: Callable[[Path], None], config: Path) -> None:
    spoil(config)
    with fedbot(config.parent, "init", "config.yaml") as typist:
        assert await typist.ends() == Exit.USAGE
    assert "Traceback" not in typist.screen
    assert typist.questions == 0


def test_init_writes_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in the image, whose working folder is the state folder."""
    monkeypatch.setenv("FEDBOT_CONFIG", str(tmp_path / "settings.yaml"))
    assert main(["init", "--example"]) == Exit.OK
    assert (tmp_path / "settings.yaml").exists()
    assert "settings.yaml" in capsys.readouterr().out


# --- without a journal, without a bot, with another one -----------------------------------------------------


NEEDS_A_JOURNAL = ("status", "credentials", "export", "audit", "backup")


@pytest.mark.parametrize("arguments", [a for a in WHOLE if a[0] in NEEDS_A_JOURNAL], ids=" ".join)
def test_before_its_first_run_a_command_says_that_the_bot_has_not_run_yet(
    arguments: list[str], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == Exit.FAILED
    assert "the bot has not run yet" in capsys.readouterr().err
    assert not (config.parent / "state").exists()


NEEDS_THE_BOT = ("drop", "practice", "reconcile", "health")


@pytest.mark.parametrize(
    "arguments", [a for a in WHOLE if a[0] in NEEDS_THE_BOT or a[:2] == ["people", "add"]], ids=" ".join
)
def test_a_command_that_needs_the_running_bot_says_so(
    arguments: list[str], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    has_run(config)
    assert main(arguments) == Exit.FAILED
    said = capsys.readouterr()
    assert "running" in said.out + said.err


@pytest.mark.parametrize("arguments", [["run"], ["restore", "b"], ["rebuild"], ["retry", "1"]], ids=" ".join)
def test_a_state_folder_in_use_is_left_alone(
    arguments: list[str], config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = has_run(config)
    backup(BackupContents(state, state, state / "identity"), "attraktor", "@bot:example.org", tmp_path / "b", None)
    with Journal.open(state):
        code = main(arguments)
        said = capsys.readouterr().err
    if arguments[0] == "restore":
        assert (code, "is there already" in said) == (Exit.FAILED, True)
    else:
        assert (code, "is in use by the process" in said) == (Exit.STATE_IN_USE, True)


@pytest.mark.parametrize(
    ("orders", "told"),
    [(("people", "practice", "reconcile", "retry", "drop"), "Its log says why."), ((), "it is older. Restart it")],
    ids=["fails", "older"],
)
async def test_a_running_bot_that_fails_or_knows_no_such_command_is_reported(
    orders: tuple[str, ...], told: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fails(_: dict[str, Any]) -> dict[str, Any]:
        raise RuntimeError("a fault")

    settings = load(config)
    settings.state.mkdir()
    async with Web(lambda: STANDING, settings.health_socket, orders=dict.fromkeys(orders, fails)):
        for arguments in (
            ["people", "add", "@kim:example.org"],
            ["practice"],
            ["reconcile"],
            ["retry", "1"],
            ["drop", "1"],
        ):
            assert await asyncio.to_thread(main, arguments) == Exit.FAILED
            assert told in " ".join(capsys.readouterr().err.split())


# --- wrong arguments ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [*filter(None, command_line.COMMANDS)])
def test_nonsense_is_a_wrong_command_line(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--nonsense"])
    assert ended.value.code == Exit.USAGE
    assert "usage: fedbot" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["backup", "."], ". is there already and is no backup of fedbot's. Nothing was written."),
        (["backup", "nowhere/b"], "nowhere is no folder. Nothing was written."),
        (["backup", "b", "--passphrase-file", "nowhere"], "nowhere: No such file or directory."),
        (["backup", "b", "--passphrase-file", "."], ".: Is a directory."),
        (["backup", "b", "--passphrase-file", "empty"], "The first line of empty is empty"),
        (["backup", "b", "--passphrase-file", "binary"], "binary isn't UTF-8 text"),
        (["backup", "b"], "There is nobody to ask for a passphrase."),
        (["backup", "config.yaml", "--unencrypted"], "config.yaml is there already and is no backup"),
        (["export", "--output", "nowhere/x"], "nowhere/x: No such file or directory."),
        (["export", "--output", "."], ".: Is a directory."),
        (["export", "--peer", "gamma"], "There is no space gamma in the ledger."),
        (["audit", "export", "--output", "nowhere/x"], "nowhere/x: No such file or directory."),
        (["audit", "verify", "not-a-hash"], "That hash is not in the chain"),
        (["people", "add", "@kim:example.org", "kim"], "Type it like that: fedbot people add"),
        (["people", "remove"], "Type it like that: fedbot people"),
        (["restore", "nowhere"], "nowhere is no backup of fedbot's"),
        (["credentials", "add", "betaspace-1"], "The bot knows no friendship betaspace-1."),
        (["retry", "77"], "Nothing is quarantined under the number 77."),
        (["demo", "--versions", "1.1"], "--versions"),
        (["demo", "--transcript", "nowhere/x"], "nowhere/x can't be written: nowhere is no folder."),
        (["init", "--answers", "nowhere"], "nowhere: can't be read (No such file or directory)"),
        (["init", "--answers", "."], ".: can't be read (Is a directory)"),
        (["init", "--answers", "binary"], "binary: can't be read (it isn't text)"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_arguments_are_named_with_what_is_wrong(
    arguments: list[str], told: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (config.parent / "empty").touch()
    (config.parent / "binary").write_bytes(b"\xff\xfe")
    if arguments[0] != "restore":
        has_run(config)
    assert main(arguments) in (Exit.FAILED, Exit.USAGE)
    said = capsys.readouterr()
    assert told in said.out + said.err
    assert "Errno" not in said.err


# --- the output, and Ctrl-C ---------------------------------------------------------------------------------


def ended(words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    line = f"set -o pipefail; {sys.executable} -m fedbot {words}"
    command = ["/bin/bash", "-c", line]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def test_a_reader_who_has_seen_enough_is_no_fault(config: Path) -> None:
    """`| head -1`: what is short is written at the very end, what is long before it."""
    for command in ("--help", "verbs", "health"):
        done = ended(f"{command} | true", config.parent)
        assert done.stderr == ""
        assert done.returncode in ((0, 1) if command == "health" else (0,))


def test_a_full_disk_for_the_output_is_reported(config: Path) -> None:
    done = ended("verbs > /dev/full", config.parent)
    assert done.stderr == "The output: No space left on device. Make room on that disk, then try again.\n"
    assert done.returncode == Exit.UNWRITABLE


def test_ctrl_c_ends_a_command_with_a_sentence(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fedbot.cli.settings_file.load", interrupted)
    for arguments in WHOLE:
        assert main(list(arguments)) == Exit.FAILED
        assert capsys.readouterr().err == "\nStopped.\n"


async def test_ctrl_c_at_a_passphrase_writes_nothing(config: Path) -> None:
    has_run(config)
    with fedbot(config.parent, "backup", "b", PASSWORD="x", TOKEN=TOKEN) as typist:
        await typist.reads("Passphrase")
        typist.presses("\x03")
        assert await typist.ends() == Exit.FAILED
    assert "Traceback" not in typist.screen
    assert "Stopped." in typist.screen
    assert not (config.parent / "b").exists()


# --- a full disk, a read-only one, a folder of somebody else ------------------------------------------------


def test_a_journal_on_a_full_disk_ends_with_a_sentence_and_goes_on_with_room(disk: Path) -> None:
    state = has_run(written(disk))
    with Journal.open(state) as journal:
        filler = fill(disk)
        with pytest.raises(JournalUnwritable, match="Make room on the disk"):
            deque(journal.receive([Tick(START)] * 20, f"s{number}") for number in range(1000))
        before = journal.token()
    filler.unlink()
    with Journal.open(state) as journal:
        assert journal.token() == before
        journal.receive([Tick(START)], "later")
        assert journal.token() == "later"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run"], "Its disk is full"),
        (["check"], "the disk of"),
        (["health"], "the disk of"),
        (["status"], "disk is full"),
        (["backup", "b", "--unencrypted"], "disk is full"),
        (["backup", "elsewhere", "--unencrypted"], "disk is full"),
        (["export", "--output", "x"], "disk is full"),
        (["audit", "export", "--output", "x"], "disk is full"),
        (["retry", "1"], "can't be"),
        (["init", "other.yaml", "--answers", "answers.yaml"], "No space left on device"),
        (["init", "other.yaml", "--example"], "No space left on device"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_full_disk_is_named_and_leaves_everything_as_it_was(
    arguments: list[str], told: str, disk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    state = has_run(written(disk))
    (disk / "answers.yaml").write_text("name: Hackbase\n")
    monkeypatch.chdir(disk)
    fill(disk)
    locks = {state / name for name in ("lock", "journal.db-shm", "journal.db-wal")}

    def sizes() -> dict[Path, int]:
        return {path: path.stat().st_size for path in disk.rglob("*") if path.is_file() and path not in locks}

    before = sizes()
    code = main([word if word != "elsewhere" else str(disk.parent / word) for word in arguments])
    said = capsys.readouterr()
    assert told in said.out + said.err
    assert "Traceback" not in said.err
    assert "Errno" not in said.err
    assert code == (Exit.FAILED if arguments[0] in ("health", "check") or "--answers" in arguments else Exit.UNWRITABLE)
    assert sizes() == before
    assert not (disk.parent / "elsewhere").exists()


@pytest.mark.parametrize(
    "arguments",
    [["run"], ["backup", "b", "--unencrypted"], ["retry", "1"], ["export", "--output", "x"], ["rebuild"]],
    ids=" ".join,
)
def test_a_disk_that_became_read_only_is_named(
    arguments: list[str], disk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    has_run(written(disk))
    monkeypatch.chdir(disk)
    subprocess.run(["/bin/mount", "-o", "remount,ro", disk], check=True)
    assert main(arguments) == Exit.UNWRITABLE
    said = capsys.readouterr().err
    assert "read-only" in said or "Read-only" in said
    assert "Traceback" not in said


def test_a_log_on_a_full_disk_goes_on_once_there_is_room(disk: Path) -> None:
    log = logging.getLogger("fedbot.tests")
    with (disk / "log").open("w", buffering=1) as stream:
        logs.configure("info", [], stream)
        filler = fill(disk)
        for number in range(2000):
            log.info("lost %d %s", number, "x" * 100)
        filler.unlink()
        log.info("there is room again")
    logs.configure("info")
    assert "there is room again" in (disk / "log").read_text().splitlines()[-1]
