"""Each command of a hub's operator where something is wrong: a sentence with what to do, and nothing half done."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fedbot.cli.exits import Exit
from fedbot.config.hub import load_hub
from fedbot.hub import tending
from fedbot.journal.database import Address
from fedbot.journal.lease import claim
from tests.fakes.postgresql import Server
from tests.hub.test_hub_commands import fedbot, hub, listed, lone_bot

__all__ = ["hub"]
READ_ONLY = "options=-c%20default_transaction_read_only%3Don"


def verbs(space: str, folder: Path) -> list[tuple[str, ...]]:
    """Each command that changes a space of the hub."""
    leave = ("leave", space, str(folder / "out"))
    return [("pause", space), ("resume", space), ("move", space), leave, ("remove", space, "--sure")]


@pytest.fixture
def space(hub: Path, postgresql: Server, tmp_path: Path) -> str:
    """The name of a space that the hub hosts."""
    name = postgresql.space().space
    config, _ = lone_bot(tmp_path / "lone", name)
    assert fedbot(hub, "add", name, "--from", str(config)) == Exit.OK
    return name


def failed(hub: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """The command's code, and what it says on standard error."""
    capsys.readouterr()
    code = fedbot(hub, *words)
    said = capsys.readouterr().err
    assert "Traceback" not in said, said
    return code, said


def test_a_database_that_takes_no_changes_is_named_and_keeps_everything(
    hub: Path, space: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fedbot(hub, "pause", space) == Exit.OK
    before = hub.read_text()
    settings = yaml.safe_load(before)
    url = settings["database"]["url"]
    settings["database"]["url"] = f"{url}{'&' if '?' in url else '?'}{READ_ONLY}"
    hub.write_text(yaml.safe_dump(settings))
    for words in (*verbs(space, tmp_path), ("token", "add", "script")):
        if words[0] != "move":  # no other worker is there, which it says before it would write
            code, said = failed(hub, capsys, *words)
            assert code == Exit.UNWRITABLE, words
            assert "can't be written" in said
            assert "Make room for it, or let its user write" in said
    hub.write_text(before)
    assert listed(hub, capsys)[space]["state"] == "paused"
    assert not (tmp_path / "out").exists()


def test_a_space_that_is_not_there_is_named_with_those_that_are(
    hub: Path, space: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (*verbs("nowhere", tmp_path), ("do", "nowhere", "status")):
        code, said = failed(hub, capsys, *words)
        assert code == Exit.FAILED, words
        assert "There is no space nowhere" in said
        assert f"There are: {space}." in said


def test_keys_and_tokens_that_another_key_sealed_stay_where_they_are(
    hub: Path, space: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = load_hub(hub).folder_of(space) / "sealing-key"
    right = file.read_text()
    leaves = ("leave", space, str(tmp_path / "out"))
    copies = ("do", space, "backup", str(tmp_path / "b"), "--unencrypted")
    file.write_text("07" * 32)
    for words in (leaves, copies):
        code, said = failed(hub, capsys, *words)
        assert code == Exit.FAILED
        assert "can't be opened with this sealing key" in said
        assert "journal.sealing_key_file" in said
    assert not (tmp_path / "b").exists()
    file.write_text("short")
    code, said = failed(hub, capsys, *leaves)
    assert (code, said.count("journal:")) == (Exit.USAGE, 1)
    assert "`openssl rand -hex 32` makes one" in said
    file.write_text(right)
    assert fedbot(hub, *leaves) == Exit.OK, "with the right key it goes on where it was"


def test_a_worker_that_does_not_let_go_is_named(
    hub: Path, space: str, postgresql: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lease = claim(Address(postgresql.url, space), "worker one")
    assert lease is not None
    for words in (("pause", space), ("leave", space, str(tmp_path / "out")), ("remove", space, "--sure")):
        code, said = failed(hub, capsys, *words)
        assert code == Exit.STATE_IN_USE, words
        assert "worker one" in said
    lease.release()
    assert listed(hub, capsys)[space]["state"] == "paused"
    assert fedbot(hub, "resume", space) == Exit.OK


def test_ctrl_c_while_it_waits_for_a_worker_leaves_the_space_paused_and_says_that_it_stopped(
    hub: Path,
    space: str,
    postgresql: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lease = claim(Address(postgresql.url, space), "worker one")
    assert lease is not None

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    waits = tending.pause
    with monkeypatch.context() as patched:
        patched.setattr(tending, "pause", lambda hub, space: waits(hub, space, interrupted))
        assert failed(hub, capsys, "pause", space) == (Exit.FAILED, "\nStopped.\n")
    lease.release()
    assert listed(hub, capsys)[space]["state"] == "paused"
    assert fedbot(hub, "pause", space) == Exit.OK
