"""An operator's commands for the spaces of a hub."""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
import yaml

from fedbot.cli import init
from fedbot.cli.exits import Exit
from fedbot.cli.main import main
from fedbot.config.hub import load_hub, load_space
from fedbot.config.loading import load
from fedbot.config.problems import ConfigRefused
from fedbot.edge_settings import sealing_key
from fedbot.hub import moving, roster, tending
from fedbot.hub.roster import Roster
from fedbot.identity import FileVault, open_identity
from fedbot.journal.copies import audit_verified
from fedbot.journal.database import Address
from fedbot.journal.journal import Journal
from fedbot.journal.lease import claim
from fedbot.journal.postgresql import open_journal
from fedbot.journal.sealed import FolderInDatabase, Seal
from fedbot.ports.journal import JournalMoved
from fedbot.rules.model.events import Tick
from tests.config.conftest import ENVIRONMENT, least, spelled_out
from tests.fakes.postgresql import Server
from tests.journal.conftest import START


@pytest.fixture
def hub(postgresql: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FEDBOT_STATE", "unset")  # `do` sets it
    monkeypatch.setattr(tending, "PATIENCE", 0.2)
    (tmp_path / "hub.yaml").write_text(yaml.safe_dump({"database": {"url": postgresql.url}, "state": "hub-state"}))
    return tmp_path / "hub.yaml"


def fedbot(hub: Path, verb: str, *words: str) -> int:
    return main(["hub", verb, "--config", str(hub), *words])


def listed(hub: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert fedbot(hub, "list", "--json") == Exit.OK
    return dict(json.loads(capsys.readouterr().out)["spaces"])


def lone_bot(folder: Path, space: str) -> tuple[Path, str]:
    """A bot outside the hub that has run before: its settings file and its key."""
    folder.mkdir()
    (folder / "secrets").mkdir()
    (folder / "secrets" / "token").write_text(ENVIRONMENT["TOKEN"])
    (folder / "secrets" / "password").write_text(ENVIRONMENT["PASSWORD"])
    raw = least() | {"party": {"id": space, "name": space}, "state": "its-state", "web": {"listen": "127.0.0.1:8321"}}
    raw["inventree"] = {"url": "https://inventree.example.org", "token_file": "secrets/token"}
    raw["matrix"] = {**raw["matrix"], "password_file": "secrets/password"}
    del raw["matrix"]["password"]
    config = folder / "config.yaml"
    config.write_text(f"# ours\n{yaml.safe_dump(raw)}")
    state = folder / "its-state"
    with Journal.open(state) as journal:
        journal.receive([Tick(START)], "s1")
    FileVault(state / "identity").keep("made-for/betaspace/1", "inv-secret")
    return config, open_identity(state / "identity").key


def test_a_mistake_in_the_settings_of_a_hub_is_reported_at_once(
    hub: Path, postgresql: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["hub", "list", "--config", str(hub.parent / "no.yaml")]) == Exit.USAGE
    assert "docs/hub.md" in capsys.readouterr().err
    hub.write_text(yaml.safe_dump({"database": {"url": postgresql.url, "password_file": "no"}, "worker": "one"}))
    assert main(["hub", "run", "--config", str(hub)]) == Exit.USAGE
    told = capsys.readouterr().err
    assert "worker" in told
    assert "database.password_file" in told


@pytest.mark.parametrize("how", ["beside", "absolute", "link", "state", "password"])
def test_a_space_gets_no_secret_of_another_space_or_of_the_hub_by_its_settings(
    hub: Path, tmp_path: Path, how: str
) -> None:
    """Its bot would send the secret to the server that the same settings name."""
    (tmp_path / "password").write_text("hush")
    raw = yaml.safe_load(hub.read_text())
    hub.write_text(yaml.safe_dump(raw | {"database": {**raw["database"], "password_file": "password"}}))
    victim, thief = (tmp_path / "spaces" / name for name in ("victim", "thief"))
    for folder in (victim, thief, tmp_path / "hub-state"):
        folder.mkdir(parents=True)
        (folder / "token").write_text(ENVIRONMENT["TOKEN"])
        (folder / "token").chmod(0o600)
    (thief / "link").symlink_to(victim / "token")
    named = {
        "beside": "../victim/token",
        "absolute": str(victim / "token"),
        "link": "link",
        "state": str(tmp_path / "hub-state" / "token"),
        "password": "../../password",
    }
    settings = least() | {"party": {"id": "thief", "name": "Thief"}}
    settings["inventree"] = {"url": "https://thief.example.org", "token_file": named[how]}
    settings["matrix"] = {"homeserver": "https://matrix.example.org", "user": "@bot:example.org", "password": "x"}
    (thief / "config.yaml").write_text(yaml.safe_dump(settings))
    with pytest.raises(ConfigRefused, match=r"inventree\.token_file.*folder of this space"):
        load_space(load_hub(hub), "thief")
    settings["inventree"]["token_file"] = "token"
    (thief / "config.yaml").write_text(yaml.safe_dump(settings))
    with pytest.raises(ConfigRefused, match=r"journal\.url") as problem:
        load_space(load_hub(hub), "thief")
    assert "token" not in str(problem.value)


def test_a_space_reads_no_variable_of_the_hub_and_is_told_to_write_a_file(hub: Path, tmp_path: Path) -> None:
    folder = tmp_path / "spaces" / "thief"
    folder.mkdir(parents=True)
    settings = least() | {"party": {"id": "thief", "name": "Our ${TOKEN}"}}
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    with pytest.raises(ConfigRefused, match=r"party\.name.*environment is the hub's") as problem:
        load_space(load_hub(hub), "thief")
    assert "matrix.password_file" in str(problem.value)
    assert ENVIRONMENT["TOKEN"] not in str(problem.value)


def test_a_bot_moves_into_a_hub_and_out_again_with_everything(
    hub: Path, postgresql: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space = postgresql.space().space
    config, key = lone_bot(tmp_path / "lone", space)
    assert fedbot(hub, "add", "another", "--from", str(config)) == Exit.FAILED
    assert f"is about {space}" in capsys.readouterr().err
    assert fedbot(hub, "add", space, "--from", str(config)) == Exit.OK
    assert "each compared" in capsys.readouterr().out
    with pytest.raises(JournalMoved):
        Journal.open(load(config).state)
    settings = load_space(load_hub(hub), space)
    assert settings.source.read_text().startswith("# ours")
    assert settings.inventree.token.get_secret_value() == ENVIRONMENT["TOKEN"]
    assert listed(hub, capsys)[space]["state"] == "waits"
    lease = claim(Address(postgresql.url, space), "a worker")
    assert lease is not None
    with open_journal(lease) as journal:
        assert journal.token() == "s1"
        works = {"state": "works", "worker": "a worker", "problem": "", "again_in": 0, "well": None, "troubles": []}
        assert listed(hub, capsys)[space] == works
        assert fedbot(hub, "move", space) == Exit.FAILED
        assert "No other worker is there" in capsys.readouterr().err
        assert fedbot(hub, "pause", space) == Exit.STATE_IN_USE, "this worker doesn't look"
        assert "a worker still works" in capsys.readouterr().err
        assert fedbot(hub, "do", space, "audit", "verify") == Exit.OK
        assert fedbot(hub, "do", space, "export") == Exit.OK
        assert fedbot(hub, "do", space, "backup", str(tmp_path / "copy"), "--unencrypted") == Exit.OK
    assert fedbot(hub, "remove", space) == Exit.FAILED
    assert "hub leave" in capsys.readouterr().out

    out = tmp_path / "out"
    assert fedbot(hub, "leave", space, str(out)) == Exit.OK
    left = load(out / "config.yaml")
    assert left.journal.url == ""
    assert left.state == out / "state"
    assert not (out / "sealing-key").exists()
    assert left.source.read_text().startswith("# ours")
    with Journal.open(left.state) as journal:
        assert journal.token() == "s1"
        assert not journal.recovers, "it is the journal itself, no copy"
    assert open_identity(left.state / "identity").key == key
    assert FileVault(left.state / "identity").read("made-for/betaspace/1") == "inv-secret"
    assert fedbot(hub, "leave", space, str(out)) == Exit.FAILED, "nothing that a bot may work on is overwritten"
    assert listed(hub, capsys)[space]["state"] == "paused"
    assert fedbot(hub, "remove", space, "--sure") == Exit.OK
    assert listed(hub, capsys) == {}
    with postgresql.connect() as admin:
        found = admin.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (f"space_{space}",)).fetchall()
    assert found == []
    assert (out / "config.yaml").exists()


class Killed(BaseException):
    """Nothing catches it, because nothing runs any more."""


@pytest.mark.parametrize("moment", range(1, 7))
def test_a_removal_that_is_killed_at_any_moment_is_finished_by_repeating_it(
    hub: Path, postgresql: Server, tmp_path: Path, moment: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """No worker may take what is left: without its journal, its bot would begin anew beside the one that left."""
    space = postgresql.space().space
    config, _ = lone_bot(tmp_path / "lone", space)
    assert fedbot(hub, "add", space, "--from", str(config)) == Exit.OK
    assert fedbot(hub, "pause", space) == Exit.OK
    calls = itertools.count(1)

    def until_then(works: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401
            if next(calls) == moment:
                raise Killed
            return works(*arguments, **named)

        return call

    with pytest.MonkeyPatch.context() as patched:
        for owner, name in (
            (Roster, "drop"),
            (Roster, "forget"),
            (shutil, "rmtree"),
            (Path, "unlink"),
            (Path, "rmdir"),
        ):
            patched.setattr(owner, name, until_then(getattr(owner, name)))
        with suppress(Killed):
            fedbot(hub, "remove", space, "--sure")
    left = listed(hub, capsys)
    assert [row["state"] for row in left.values()] in ([], ["paused"])
    if left:
        assert fedbot(hub, "remove", space, "--sure") == Exit.OK
    assert listed(hub, capsys) == {}
    with postgresql.connect() as admin:
        assert not admin.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (f"space_{space}",)).fetchall()
    assert not (hub.parent / "spaces" / space / "sealing-key").exists()


def test_an_operator_who_waits_for_a_pause_is_told_that_another_has_resumed_the_space(
    hub: Path, postgresql: Server, tmp_path: Path
) -> None:
    space = postgresql.space().space
    config, _ = lone_bot(tmp_path / "lone", space)
    assert fedbot(hub, "add", space, "--from", str(config)) == Exit.OK
    settings = load_hub(hub)
    lease = claim(Address(postgresql.url, space), "a worker")
    assert lease is not None
    with pytest.raises(tending.HubRefused, match="Somebody has resumed"):
        tending.pause(settings, space, lambda _: tending.resume(settings, space))
    lease.release()


def test_a_space_stays_if_the_folder_to_move_into_is_in_use(
    hub: Path, postgresql: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space = postgresql.space().space
    config, _ = lone_bot(tmp_path / "lone", space)
    assert fedbot(hub, "add", space, "--from", str(config)) == Exit.OK
    assert fedbot(hub, "leave", space, str(tmp_path / "lone")) == Exit.FAILED
    assert "isn't empty" in capsys.readouterr().err
    assert listed(hub, capsys)[space]["state"] == "waits"


def test_a_new_space_is_set_up_by_the_same_questions_and_starts_in_the_database(
    hub: Path, postgresql: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    space = postgresql.space().space
    keys: list[str] = []
    ends = [Exit.FAILED, Exit.OK]

    def set_up(given: argparse.Namespace, path: Path, *, is_hosted: bool) -> Exit:
        assert is_hosted
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(spelled_out(least() | {"party": {"id": space, "name": space}}))
        keys.append(open_identity(load(path).state / "identity").key)
        return ends.pop(0)

    monkeypatch.setattr(init, "set_up", set_up)
    monkeypatch.setattr(init, "is_without_answers", lambda _: False)
    assert fedbot(hub, "add", "No/Name") == Exit.FAILED
    assert fedbot(hub, "add", space) == Exit.FAILED
    assert listed(hub, capsys)[space]["state"] == "paused", "nobody begins on what isn't ready"
    assert fedbot(hub, "add", space) == Exit.OK
    assert listed(hub, capsys)[space]["state"] == "waits"
    settings = load_space(load_hub(hub), space)
    assert keys[0] == keys[1]
    assert not settings.state.exists(), "no key in clear is left"
    lease = claim(Address(postgresql.url, space), "a worker")
    assert lease is not None
    with open_journal(lease) as journal:
        journal.receive([], "s1")
    assert fedbot(hub, "leave", space, str(hub.parent / "out")) == Exit.OK
    assert open_identity(hub.parent / "out" / "state" / "identity").key == keys[0]
    assert audit_verified(hub.parent / "out" / "state").broken == 0


def test_a_new_space_whose_questions_nobody_answers_leaves_no_trace(
    hub: Path, postgresql: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    space = postgresql.space().space
    before = sorted(hub.parent.rglob("*"))
    assert "give the answers with --answers FILE" in is_refused(hub, capsys, "add", space)
    assert sorted(hub.parent.rglob("*")) == before
    with closing(Roster(load_hub(hub))) as roster:
        assert space not in roster.view().spaces


# --- odd moments -------------------------------------------------------------------------------------------


def is_refused(hub: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The command fails; return what it says."""
    capsys.readouterr()
    assert fedbot(hub, *words) == Exit.FAILED
    return capsys.readouterr().err


def test_adding_a_space_again_stops_nothing_and_says_how_to_change_it(
    hub: Path, postgresql: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space = postgresql.space().space
    config, key = lone_bot(tmp_path / "lone", space)
    assert fedbot(hub, "add", space, "--from", str(config)) == Exit.OK
    for words in ((), ("--from", str(config))):
        told = is_refused(hub, capsys, "add", space, *words)
        assert "in the hub already. Nothing was changed" in told
        assert str(load_hub(hub).config_of(space)) in told
    assert listed(hub, capsys)[space]["state"] == "waits"
    assert fedbot(hub, "pause", space) == Exit.OK
    assert is_refused(hub, capsys, "add", space).endswith(f"It is paused. To go on: fedbot hub resume {space}\n")
    assert not load_hub(hub).state_of(space).exists(), "no second identity is made"
    assert fedbot(hub, "leave", space, str(tmp_path / "out")) == Exit.OK
    assert open_identity(tmp_path / "out" / "state" / "identity").key == key


def test_a_space_that_has_left_is_not_resumed_but_can_come_back_with_its_newer_secrets(
    hub: Path, postgresql: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space = postgresql.space().space
    config, key = lone_bot(tmp_path / "lone", space)
    assert fedbot(hub, "add", space, "--from", str(config)) == Exit.OK
    out = tmp_path / "out"
    assert fedbot(hub, "leave", space, str(out)) == Exit.OK
    assert "it has left the hub, into" in listed(hub, capsys)[space]["problem"]
    for words in (("resume", space), ("add", space)):
        assert f"--from {out / 'config.yaml'}" in is_refused(hub, capsys, *words)
    copy = ("do", space, "backup", str(tmp_path / "copy"), "--unencrypted")
    assert f"it goes on in {out / 'state'}" in is_refused(hub, capsys, *copy)
    assert str(out / "state") in is_refused(hub, capsys, "leave", space, str(tmp_path / "other"))
    assert not (tmp_path / "other").exists()
    with Journal.open(out / "state") as journal:
        journal.receive([], "s2")
    (out / "secrets" / "token").write_text("inv-rotated-since-20261129-0123456789")
    assert fedbot(hub, "add", space, "--from", str(out / "config.yaml")) == Exit.OK
    settings = load_space(load_hub(hub), space)
    assert settings.inventree.token.get_secret_value() == "inv-rotated-since-20261129-0123456789"
    assert fedbot(hub, "leave", space, str(tmp_path / "again")) == Exit.OK
    with Journal.open(tmp_path / "again" / "state") as journal:
        assert journal.token() == "s2"
    assert open_identity(tmp_path / "again" / "state" / "identity").key == key


def test_nothing_leaves_before_its_bot_has_worked_or_into_a_folder_of_the_hub(
    hub: Path, postgresql: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space = postgresql.space().space
    config, _ = lone_bot(tmp_path / "lone", space)
    assert fedbot(hub, "add", space, "--from", str(config)) == Exit.OK
    (tmp_path / "file").write_text("")
    for target, why in (("spaces/new", "a folder of the hub"), ("file", "is a file"), ("lone", "isn't empty")):
        assert why in is_refused(hub, capsys, "leave", space, str(tmp_path / target))
    assert listed(hub, capsys)[space]["state"] == "waits", "it was never paused"
    idle = postgresql.space().space
    settings = load_hub(hub)
    settings.folder_of(idle).mkdir()
    settings.config_of(idle).write_text(spelled_out(least() | {"party": {"id": idle, "name": idle}}))
    assert f"fedbot hub add {idle}" in is_refused(hub, capsys, "resume", idle)
    assert "nothing to move out" in is_refused(hub, capsys, "leave", idle, str(tmp_path / "out"))


def test_two_operators_never_work_on_one_space_at_once(
    hub: Path, postgresql: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space, other = postgresql.space().space, postgresql.space().space
    config, _ = lone_bot(tmp_path / "lone", space)
    out = str(tmp_path / "out")
    with tending.reserved(load_hub(hub), space):
        assert "Another operator" in is_refused(hub, capsys, "add", space, "--from", str(config))
        assert not load_hub(hub).folder_of(space).exists()
        with tending.reserved(load_hub(hub), other):
            pass
    assert fedbot(hub, "add", space, "--from", str(config)) == Exit.OK
    with tending.reserved(load_hub(hub), space):
        assert fedbot(hub, "pause", space) == Exit.OK, "an operator can always stop a bot"
        for words in (("resume", space), ("leave", space, out), ("remove", space, "--sure")):
            assert "Another operator" in is_refused(hub, capsys, *words)
    assert fedbot(hub, "resume", space) == Exit.OK


def test_without_its_database_each_command_says_so_and_changes_nothing(
    hub: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, _ = lone_bot(tmp_path / "lone", "attraktor")
    hub.write_text(yaml.safe_dump({"database": {"url": "postgresql://127.0.0.1:1/nothing"}, "state": "hub-state"}))
    assert "doesn't answer" in is_refused(hub, capsys, "add", "attraktor", "--from", str(config))
    assert not (tmp_path / "spaces").exists()
    (tmp_path / "spaces" / "attraktor").mkdir(parents=True)
    (tmp_path / "spaces" / "attraktor" / "config.yaml").write_text(spelled_out(least()))
    out = str(tmp_path / "out")
    about_it = [[verb, "attraktor"] for verb in ("pause", "resume", "move")]
    about_it += [["add", "attraktor", "--answers", "a"], ["leave", "attraktor", out], ["remove", "attraktor", "--sure"]]
    for words in (["list"], ["token", "list"], *about_it):
        assert "doesn't answer" in is_refused(hub, capsys, *words), words
    assert (tmp_path / "spaces" / "attraktor" / "config.yaml").exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["run", "init", "journal", "restore", "rebuild", "practice", "hub", "demo", ""])
def test_do_begins_moves_and_replaces_no_bot(
    hub: Path, tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "spaces" / "attraktor").mkdir(parents=True)
    (tmp_path / "spaces" / "attraktor" / "config.yaml").write_text(spelled_out(least()))
    assert fedbot(hub, "do", "attraktor", *filter(None, [command])) == Exit.USAGE
    assert "backup" in capsys.readouterr().err


def test_a_space_of_a_restored_database_without_a_folder_is_listed_and_can_be_removed(
    hub: Path, postgresql: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space, other = postgresql.space().space, postgresql.space().space
    for each in (space, other):
        config, _ = lone_bot(tmp_path / each, each)
        assert fedbot(hub, "add", each, "--from", str(config)) == Exit.OK
    shutil.rmtree(load_hub(hub).folder_of(space))
    capsys.readouterr()
    assert fedbot(hub, "list") == Exit.OK
    assert f"fedbot hub remove {space} --sure" in capsys.readouterr().out
    assert fedbot(hub, "remove", space, "--sure") == Exit.OK
    assert has_no_rest(hub, postgresql, space)
    assert "There is no space" in is_refused(hub, capsys, "remove", space, "--sure")
    assert "can't name a space" in is_refused(hub, capsys, "remove", "../lone", "--sure")


def test_a_restored_bot_moves_in_where_a_worker_has_only_begun_an_empty_journal(
    hub: Path, postgresql: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space = postgresql.space().space
    config, key = lone_bot(tmp_path / "lone", space)
    lease = claim(Address(postgresql.url, space), "a worker that found a folder and no journal")
    assert lease is not None
    open_journal(lease).close()
    assert fedbot(hub, "add", space, "--from", str(config)) == Exit.OK
    assert fedbot(hub, "leave", space, str(tmp_path / "out")) == Exit.OK
    with Journal.open(tmp_path / "out" / "state") as journal:
        assert journal.token() == "s1"
    assert open_identity(tmp_path / "out" / "state" / "identity").key == key


def has_no_rest(hub: Path, postgresql: Server, space: str) -> bool:
    with postgresql.connect() as admin:
        found = admin.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (f"space_{space}",)).fetchall()
    return not found and not load_hub(hub).folder_of(space).exists()


def test_a_space_that_has_only_half_moved_is_neither_removed_nor_replaced(
    hub: Path, postgresql: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The old journal is marked as moved, and the new one isn't complete: each needs the other."""
    space = postgresql.space().space
    config, key = lone_bot(tmp_path / "lone", space)
    other, _ = lone_bot(tmp_path / "other", space)
    moves_in, leaves = ("add", space, "--from", str(config)), ("leave", space, str(tmp_path / "out"))
    for words, first in ((moves_in, "give the same `fedbot hub add` again"), (leaves, " ".join(leaves))):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(moving, "_unmark", Kill(1).before(moving._unmark))
            with suppress(Killed):
                fedbot(hub, *words)
        assert first in is_refused(hub, capsys, "remove", space, "--sure")
        if words is moves_in:
            assert "or with --from" in is_refused(hub, capsys, "add", space)
            assert "hasn't ended" in is_refused(hub, capsys, "add", space, "--from", str(other))
        assert fedbot(hub, *words) == Exit.OK
    assert open_identity(tmp_path / "out" / "state" / "identity").key == key


def test_nothing_is_removed_where_no_space_has_a_folder(
    hub: Path, postgresql: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The shared folder isn't mounted on this machine."""
    spaces = [postgresql.space().space for _ in range(2)]
    for number, space in enumerate(spaces):
        config, _ = lone_bot(tmp_path / f"lone-{number}", space)
        assert fedbot(hub, "add", space, "--from", str(config)) == Exit.OK
    folder = load_hub(hub).spaces
    folder.rename(tmp_path / "away")
    capsys.readouterr()
    assert fedbot(hub, "list") == Exit.OK
    assert f"No space has a folder in {folder}" in (told := capsys.readouterr().out)
    assert "remove" not in told
    assert "mounted" in is_refused(hub, capsys, "remove", spaces[0], "--sure")
    (tmp_path / "away").rename(folder)
    assert [row["state"] for row in listed(hub, capsys).values()] == ["waits", "waits"]


@dataclass
class Kill:
    """Ends a command before its n-th step on the disk or in the database."""

    at: int
    steps: int = 0

    def before(self, step: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(step)
        def stepped(*given: Any, **named: Any) -> Any:  # noqa: ANN401 -- of any step
            self.steps += 1
            if self.steps == self.at:
                raise Killed
            return step(*given, **named)

        return stepped


STEPS: tuple[tuple[Any, str], ...] = (
    *((Roster, name) for name in ("pause", "resume", "forget", "journal_of")),
    *((tending, name) for name in ("write_whole", "open_identity")),
    *((shutil, name) for name in ("copytree", "rmtree")),
    *(
        (moving, name)
        for name in ("replace_rows", "_compared", "_mark_in", "_put_aside", "_unmark", "_arrive", "write_identity")
    ),
)


@pytest.mark.parametrize("first", [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)])
@pytest.mark.parametrize("verb", ["add", "leave"])
def test_a_command_killed_at_any_step_is_finished_by_giving_it_again(
    hub: Path, postgresql: Server, tmp_path: Path, verb: str, first: int, capsys: pytest.CaptureFixture[str]
) -> None:
    was_killed = True
    for at in range(first, 100, 3):
        space = postgresql.space().space
        config, key = lone_bot(tmp_path / f"lone-{at}", space)
        out = tmp_path / f"out-{at}"
        words = {
            "add": ("add", space, "--from", str(config)),
            "leave": ("leave", space, str(out)),
        }
        if verb == "leave":
            assert fedbot(hub, *words["add"]) == Exit.OK
        kill = Kill(at)
        with pytest.MonkeyPatch.context() as patch:
            for place, name in STEPS:
                patch.setattr(place, name, kill.before(getattr(place, name)))
            try:
                assert fedbot(hub, *words[verb]) == Exit.OK
                was_killed = False
            except Killed:
                pass
        if was_killed:
            assert fedbot(hub, *words[verb]) == Exit.OK, f"step {at}: {capsys.readouterr()}"
        if verb == "add":
            assert listed(hub, capsys)[space]["state"] == "waits"
            lease = claim(Address(postgresql.url, space), "a worker")
            assert lease is not None
            with open_journal(lease) as journal:
                assert journal.token() == "s1"
                folder = FolderInDatabase(journal.database, Seal(sealing_key(load_space(load_hub(hub), space)), space))
                assert open_identity(folder).key == key
        else:
            assert load(out / "config.yaml").journal.url == ""
            assert not (out / "sealing-key").exists()
            assert open_identity(out / "state" / "identity").key == key
            with Journal.open(out / "state") as journal:
                assert journal.token() == "s1"
        if not was_killed:
            break
    assert not was_killed
    assert at > first


def test_the_operator_hears_that_the_database_allows_too_few_connections(
    hub: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bench with 200 spaces found it: of 300 connections, a hung worker kept 100, and 3 spaces stayed alone."""
    assert fedbot(hub, "list") == Exit.OK
    assert "max_connections" not in capsys.readouterr().out
    monkeypatch.setattr(roster, "_CONNECTIONS_A_WORKER", 498)
    assert fedbot(hub, "list") == Exit.OK
    assert "PostgreSQL allows 497 connections. 0 spaces need up to 498" in capsys.readouterr().out
