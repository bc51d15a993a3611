"""An operator's commands for the spaces of a hub."""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
from collections.abc import Callable
from contextlib import suppress
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
from fedbot.hub import tending
from fedbot.hub.roster import Roster
from fedbot.identity import FileVault, open_identity
from fedbot.journal.copies import audit_verified
from fedbot.journal.database import Address
from fedbot.journal.journal import Journal
from fedbot.journal.lease import claim
from fedbot.journal.postgresql import open_journal
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
        assert fedbot(hub, "pause", space) == Exit.FAILED, "this worker doesn't look"
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
