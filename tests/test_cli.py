"""The command line from outside: arguments in, exit code and output back."""

from __future__ import annotations

import asyncio
import importlib
import io
import json
import logging
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from fedbot.backup import BackupContents, backup
from fedbot.check.findings import Finding, bad, good, has_passed, remember
from fedbot.cli import main as command_line
from fedbot.cli import practice, settings_file
from fedbot.cli.exits import EXITS, Exit
from fedbot.cli.main import main
from fedbot.cli.parser import parser
from fedbot.config.loading import load
from fedbot.engine.bot import HistoryWithoutState
from fedbot.engine.syncing import AccountTaken
from fedbot.identity import FileVault, open_identity
from fedbot.journal.journal import Journal
from fedbot.ports.chat import ChatSignedOut, ChatUnreachable
from fedbot.ports.journal import Committed, JournalDamaged, JournalUnwritable, StateInUse
from fedbot.ports.vault import NoSuchSecret
from fedbot.rules.archive import Document
from fedbot.rules.model.events import Tick
from fedbot.rules.model.health import Quarantined
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.model.stock import Permission
from fedbot.web.server import CannotListen, Status, Web
from fedbot_demo.story import Wishes
from tests.config.conftest import TOKEN, least
from tests.scenarios.scenes import connection

DOCS = Path(__file__).parents[1] / "docs" / "cli.md"


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Restore the log levels, because a command sets them and later tests of this process read logs."""
    logger = logging.getLogger("fedbot")
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, out of sight of this machine's settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FEDBOT_CONFIG", raising=False)
    monkeypatch.delenv("FEDBOT_STATE", raising=False)
    monkeypatch.setattr(settings_file, "SYSTEM", tmp_path / "etc")
    monkeypatch.delenv("FEDBOT_HUB", raising=False)
    monkeypatch.setenv("PASSWORD", "correct horse")
    monkeypatch.setenv("TOKEN", TOKEN)
    return tmp_path


@pytest.fixture
def config(folder: Path) -> Path:
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(least()))
    return path


# --- the next step -----------------------------------------------------------------------------------------


def test_without_settings_the_next_step_is_to_make_some(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == Exit.OK
    assert capsys.readouterr().out.endswith("Next: fedbot init\n")


def test_with_settings_the_next_step_is_to_check_them(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == Exit.OK
    assert capsys.readouterr().out.endswith("fedbot check\n")
    assert main(["--config", str(config)]) == Exit.OK
    assert capsys.readouterr().out.endswith(f"fedbot check --config {config}\n")


def test_with_wrong_settings_it_says_what_is_wrong(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text("party: {id: A}\n")
    assert main([]) == Exit.USAGE
    assert "party.id: 'A': use lowercase letters" in capsys.readouterr().err


def test_after_a_good_check_the_next_step_is_to_run(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = load(config)
    settings.state.mkdir()
    remember(settings)
    assert main([]) == Exit.OK
    assert capsys.readouterr().out.endswith("fedbot run\n")


def test_settings_that_changed_since_the_check_must_be_checked_again(config: Path) -> None:
    settings = load(config)
    settings.state.mkdir()
    remember(settings)
    assert has_passed(settings)
    config.write_text(config.read_text() + "admin_room: '!ours'\n")
    assert not has_passed(settings)


# --- finding the settings ----------------------------------------------------------------------------------


def test_the_settings_are_found_in_the_documented_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(*arguments: str) -> Path:
        return settings_file.find_config(parser().parse_args(arguments))

    assert found() == Path("config.yaml")
    system = folder / "etc" / "config.yaml"
    system.parent.mkdir()
    system.touch()
    assert found() == system
    (folder / "config.yaml").touch()
    assert found() == Path("config.yaml")
    monkeypatch.setenv("FEDBOT_CONFIG", "/elsewhere.yaml")
    assert found() == Path("/elsewhere.yaml")
    assert found("--config", "/given.yaml") == Path("/given.yaml")
    assert found("run", "--config", "/given.yaml") == Path("/given.yaml")
    assert found("--config", "/given.yaml", "run") == Path("/given.yaml")
    assert settings_file.find_hub(parser().parse_args(["hub", "list"])) == Path("hub.yaml")
    (folder / "etc" / "hub.yaml").touch()
    assert settings_file.find_hub(parser().parse_args(["hub", "list"])) == folder / "etc" / "hub.yaml"
    monkeypatch.setenv("FEDBOT_HUB", "/hub.yaml")
    assert settings_file.find_hub(parser().parse_args(["hub", "list"])) == Path("/hub.yaml")


# --- init --------------------------------------------------------------------------------------------------


def test_people_alone_lists_who_belongs_to_us(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    people = load(config).people
    assert people
    assert main(["people", "--config", str(config)]) == Exit.OK
    assert capsys.readouterr().out.splitlines()[: len(people)] == [f"{each} as {user}" for each, user in people.items()]


def test_people_are_not_listed_without_the_changes_in_an_unreadable_journal(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = load(config).state
    state.mkdir(exist_ok=True)
    (state / "journal.db").write_bytes(b"no journal" * 1000)
    assert main(["people", "--config", str(config)]) == Exit.FAILED
    told = capsys.readouterr()
    assert told.out == ""
    assert "can't be read back" in told.err


def test_practice_asks_for_no_password_where_nobody_can_type_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("typed\n"))
    with pytest.raises(EOFError):
        practice._hidden("Password")


def test_practice_needs_the_running_bot(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["practice"], ["practice", "--clean"]):
        assert main([*arguments, "--config", str(config)]) == Exit.FAILED
        assert capsys.readouterr().err.startswith("✗ The bot isn't running")


def test_init_writes_the_example_for_its_owner_only(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--example"]) == Exit.OK
    example = Path(__file__).parents[1] / "config.example.yaml"
    assert (folder / "config.yaml").read_text() == example.read_text()
    assert stat.S_IMODE((folder / "config.yaml").stat().st_mode) == 0o600
    assert "3. fedbot check --config config.yaml" in capsys.readouterr().out


def test_init_never_overwrites(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = config.read_text()
    assert main(["init", "--example"]) == Exit.FAILED
    assert config.read_text() == before
    assert "exists already. Nothing was written" in capsys.readouterr().err


def test_init_writes_to_the_given_path(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--example", "bots.yaml"]) == Exit.OK
    assert (folder / "bots.yaml").exists()
    assert main(["init", "--example", "--config", "other.yaml"]) == Exit.OK
    assert (folder / "other.yaml").exists()
    assert main(["init", "--example", "nowhere/bot.yaml"]) == Exit.FAILED
    assert "No such file or directory" in capsys.readouterr().err


# --- check (for real: tests/check/test_check_for_real.py) --------------------------------------------------


def test_check_reports_wrong_settings_for_scripts_too(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(yaml.safe_dump(least() | {"rooms": ["lobby"]}))
    assert main(["check", "--json"]) == Exit.USAGE
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False
    [finding] = answer["findings"]
    assert (finding["name"], finding["good"], finding["what"]) == ("rooms.0", False, "'lobby'")
    assert main(["check"]) == Exit.USAGE
    assert capsys.readouterr().out.startswith("✗ rooms.0: 'lobby'\n  → write a room's id")


def test_a_sentence_about_a_token_is_not_redacted_as_one(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check(*_: object) -> list[Finding]:
        return [good("inventree.token", "good until 2027-11-24"), bad("InvenTree token", f"it is {TOKEN}")]

    monkeypatch.setattr("fedbot.check.everything.check", check)
    assert main(["check"]) == Exit.FAILED
    told = capsys.readouterr().out
    assert "✓ inventree.token: good until 2027-11-24\n" in told
    assert "✗ InvenTree token: it is •••\n" in told
    without = {name: value for name, value in least()["matrix"].items() if name != "password"}
    config.write_text(yaml.safe_dump(least() | {"matrix": without | {"password_file": "nowhere"}}))
    assert main(["health"]) == Exit.FAILED
    assert "matrix.password_file: nowhere: there is no such file" in capsys.readouterr().err


# --- run ---------------------------------------------------------------------------------------------------


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException | None], None]:
    """Replace the bot by one that ends like this."""

    def ends(error: BaseException | None) -> None:
        async def run(settings: object, tell: object) -> None:
            if error is not None:
                raise error

        monkeypatch.setattr("fedbot.engine.bot.run", run)

    return ends


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, Exit.OK),
        (StateInUse("in use by the process 7", 7), Exit.STATE_IN_USE),
        (HistoryWithoutState("has history"), Exit.HISTORY_WITHOUT_STATE),
        (ChatSignedOut("no longer good"), Exit.SIGNED_OUT),
        (ExceptionGroup("tasks", [AccountTaken("another one")]), Exit.ACCOUNT_TAKEN),
        (ExceptionGroup("tasks", [JournalUnwritable("disk is full")]), Exit.UNWRITABLE),
        (JournalDamaged("no journal any more"), Exit.FAILED),
        (ChatUnreachable("does not answer"), Exit.FAILED),
        (ExceptionGroup("tasks", [ChatSignedOut("no longer good")]), Exit.SIGNED_OUT),
        (ExceptionGroup("tasks", [ValueError("x"), StateInUse("in use", 7)]), Exit.STATE_IN_USE),
        (CannotListen("web.listen", "127.0.0.1:80", PermissionError(13, "no")), Exit.FAILED),
        (ZeroDivisionError("a fault"), Exit.FAILED),
    ],
    ids=repr,
)
def test_the_end_of_a_run_sets_the_exit_code(
    error: BaseException | None, code: Exit, app: Callable[[BaseException | None], None], config: Path
) -> None:
    app(error)
    assert main(["run"]) == code


def test_the_reason_for_the_end_of_a_run_is_logged_without_secrets(
    app: Callable[[BaseException | None], None], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app(ChatUnreachable(f"no answer to {TOKEN}"))
    main(["run"])
    said = capsys.readouterr().err
    assert 'event="ended: no answer to •••"' in said
    app(ZeroDivisionError(f"divided {TOKEN}"))
    main(["run"])
    said = capsys.readouterr().err
    assert "ZeroDivisionError: divided •••" in said
    assert "Traceback" in said
    assert TOKEN not in said


_WAITING_BOT = """
import asyncio, sys
import fedbot.engine.bot
async def run(settings, tell):
    print("running", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        print("put away", flush=True)
fedbot.engine.bot.run = run
from fedbot.cli.main import main
sys.exit(main(["run"]))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_bot_cleans_up_and_ends_well(number: signal.Signals, config: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _WAITING_BOT], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "running\n"
            process.send_signal(number)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, out) == (0, "put away\n")
    assert f'event="stopped by {number.name}"' in err


def test_a_journal_whose_key_is_lost_is_not_used_with_a_new_one(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load(config)
    with Journal.open(settings.state) as journal:
        journal.receive((), "where we were")
    assert main(["run"]) == Exit.HISTORY_WITHOUT_STATE
    assert "has no signing.key" in capsys.readouterr().err
    assert not (settings.state / "identity").exists()


# --- health ------------------------------------------------------------------------------------------------

STANDING: Status = {"version": "0.1.0", "matrix": True, "inventree": True, "problems": []}


async def test_health_is_what_the_running_bot_says(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    now: Status = {**STANDING}
    settings = load(config)
    settings.state.mkdir()
    async with Web(lambda: now, settings.health_socket):
        assert await asyncio.to_thread(main, ["health"]) == Exit.OK
        assert capsys.readouterr().out == "healthy: Matrix reached, InvenTree reached\n"
        now["inventree"] = False
        now["problems"] = ["no answer since 20:31"]
        assert await asyncio.to_thread(main, ["health"]) == Exit.FAILED
        assert capsys.readouterr().out == ("not well: Matrix reached, InvenTree lost\n  no answer since 20:31\n")
        assert await asyncio.to_thread(main, ["health", "--json"]) == Exit.FAILED
        answer = json.loads(capsys.readouterr().out)
        assert answer == {"running": True, "healthy": False, **now}
        assert await asyncio.to_thread(main, []) == Exit.OK
        assert "is running" in capsys.readouterr().out


def test_a_bot_that_does_not_run_is_not_healthy(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["health"]) == Exit.FAILED
    assert capsys.readouterr().out.startswith("not running")
    assert main(["health", "--json"]) == Exit.FAILED
    assert json.loads(capsys.readouterr().out) == {"running": False, "healthy": False}


def test_health_ends_with_0_or_1_only_as_docker_wants(folder: Path) -> None:
    assert main(["health"]) == Exit.FAILED  # there are no settings at all


# --- status and retry --------------------------------------------------------------------------------------


async def test_set_aside_events_are_listed_and_retried_beside_the_bot_or_without_it(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load(config)
    settings.state.mkdir()
    with Journal.open(settings.state) as journal:
        seq = journal.put(Tick(datetime(2026, 11, 24, tzinfo=UTC)))
        aside = Quarantined("Tick", "k7m2", "KeyError", datetime(2026, 11, 24, 20, 31, tzinfo=UTC))
        number = journal.set_event_aside(seq, aside)
        assert main(["status"]) == Exit.FAILED
        said = capsys.readouterr().out
        assert "quarantined on 2026-11-24 20:31: Tick about k7m2: KeyError" in said
        assert f"fedbot retry --config {config} {number}" in said or f"fedbot retry {number}" in said
        assert main(["status", "--json"]) == Exit.FAILED
        assert json.loads(capsys.readouterr().out)["set_aside"][0]["number"] == number

        async def refuses(order: dict[str, Any]) -> dict[str, Any]:
            return {"problem": f"That one is new to me: {order['number']}."}

        async def loses(order: dict[str, Any]) -> dict[str, Any]:
            return {"problem": "", "loses": f"A word is lost (sure: {order['sure']})."}

        async with Web(lambda: STANDING, settings.health_socket, orders={"retry": refuses, "drop": loses}):
            assert await asyncio.to_thread(main, ["retry", "77"]) == Exit.FAILED
            assert capsys.readouterr().err == "That one is new to me: 77.\n"
            assert await asyncio.to_thread(main, ["drop", "77"]) == Exit.FAILED
            said = capsys.readouterr().out
            assert said.startswith("A word is lost (sure: False).\nNothing is given up yet. To do it: fedbot drop ")
            assert await asyncio.to_thread(main, ["drop", "77", "--sure"]) == Exit.OK
        assert main(["drop", "77"]) == Exit.FAILED
        assert "not running" in capsys.readouterr().err
        assert main(["retry", str(number)]) == Exit.STATE_IN_USE
        capsys.readouterr()
    assert main(["retry", str(number)]) == Exit.OK
    assert main(["retry", str(number)]) == Exit.FAILED
    assert main(["status"]) == Exit.OK
    assert "nothing is quarantined" in capsys.readouterr().out


# --- reconcile ---------------------------------------------------------------------------------------------


async def test_reconcile_prints_the_running_bots_findings_and_ends_with_1_if_books_differ(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found: dict[str, Any] = {"problem": "", "told": [{"space": "beta", "text": "✅ They agree.", "agree": True}]}
    ordered = []

    async def reconcile(order: dict[str, Any]) -> dict[str, Any]:
        ordered.append((order["space"], order["repair"]))
        return found

    settings = load(config)
    settings.state.mkdir()
    async with Web(lambda: STANDING, settings.health_socket, orders={"reconcile": reconcile}):
        assert await asyncio.to_thread(main, ["reconcile"]) == Exit.OK
        assert capsys.readouterr().out == "✅ They agree.\n"
        found["told"].append({"space": "gamma", "text": "⚠ 1 difference", "agree": False})
        assert await asyncio.to_thread(main, ["reconcile", "beta", "--repair", "--json"]) == Exit.FAILED
        assert json.loads(capsys.readouterr().out) == found
        found.update(problem="There are no friends yet.", told=[])
        assert await asyncio.to_thread(main, ["reconcile"]) == Exit.FAILED
        assert capsys.readouterr().err == "There are no friends yet.\n"
    assert ordered == [("", False), ("beta", True), ("", False)]
    assert main(["reconcile"]) == Exit.FAILED
    assert "The bot isn't running" in capsys.readouterr().err


# --- verbs, demo -------------------------------------------------------------------------------------------


def test_verbs_prints_the_catalogue(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def spec(**fields: Any) -> ModuleType:  # noqa: ANN401 -- any fields
        made = ModuleType("spec")
        vars(made).update(fields)
        return made

    verbs = ModuleType("fedbot.commands")
    catalogue = [
        spec(
            name="push",
            usage="push ITEM QUANTITY to SPACE",
            summary="give an item away",
            permission=Permission.APPROVER,
        ),
        spec(name="stats", usage="stats", summary="how much there is", permission=Permission.MAPPED),
        spec(name="help", usage="help", summary="what I can do", permission=Permission.ANYONE),
    ]
    verbs.catalogue = lambda: catalogue  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fedbot.commands", verbs)
    assert main(["verbs"]) == Exit.OK
    assert capsys.readouterr().out.splitlines() == [
        "push ITEM QUANTITY to SPACE  give an item away (for approvers)",
        "stats                        how much there is (for members)",
        "help                         what I can do (for everybody listed under people)",
    ]
    assert main(["verbs", "--json"]) == Exit.OK
    assert json.loads(capsys.readouterr().out)[2] == {
        "name": "help",
        "usage": "help",
        "summary": "what I can do",
        "who": "anyone",
    }


def knows_friends(config: Path, *names: str, state: ConnectionState = ConnectionState.MAKING) -> None:
    """Put these friendships into the bot's journal."""
    settings = load(config)
    settings.state.mkdir(exist_ok=True)
    now = datetime(2026, 11, 24, tzinfo=UTC)
    known = {}
    for name in names:
        party, _, generation = name.rpartition("-")
        known[name] = replace(connection(), id=name, peer=party, generation=int(generation), state=state)
    with Journal.open(settings.state) as journal:
        saved: dict[tuple[str, str], Document | None] = {("Connection", name): each for name, each in known.items()}
        journal.commit(journal.put(Tick(now)), Committed(now, saved))


def test_a_token_made_by_hand_goes_into_the_vault_unseen(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    knows_friends(config, "beta-space-2")
    for said in ("inv-secret-0123\n", '{"token": "inv-secret-0123", "name": "fed-beta-space-2-1"}'):
        monkeypatch.setattr("sys.stdin", io.StringIO(said))
        assert main(["credentials", "add", "beta-space-2"]) == Exit.OK
        said_back = capsys.readouterr()
        assert "inv-secret" not in said_back.out + said_back.err
        vault = FileVault(load(config).state / "identity")
        assert vault.read("made-for/beta-space/2") == "inv-secret-0123"


@pytest.mark.parametrize("said", ["", "\n", "two words", "{}", "{broken", "tökén"])
def test_an_invalid_token_is_not_stored(
    said: str, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    knows_friends(config, "betaspace-1")
    monkeypatch.setattr("sys.stdin", io.StringIO(said))
    assert main(["credentials", "add", "betaspace-1"]) == Exit.FAILED
    assert "isn't a token" in capsys.readouterr().err
    with pytest.raises(NoSuchSecret):
        FileVault(load(config).state / "identity").read("made-for/betaspace/1")


def test_a_token_for_a_space_that_the_bot_does_not_know_is_refused(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("inv-secret-0123"))
    assert main(["credentials", "add", "foo-1"]) == Exit.FAILED
    assert "the bot has not run yet" in capsys.readouterr().err
    knows_friends(config, "betaspace-1")
    assert main(["credentials", "add", "foo-1"]) == Exit.FAILED
    said = capsys.readouterr().err
    assert said == "The bot knows no friendship foo-1. There is betaspace-1. Nothing was changed.\n"
    with pytest.raises(NoSuchSecret):
        FileVault(load(config).state / "identity").read("made-for/foo/1")


@pytest.mark.parametrize("state", [ConnectionState.ENDED, ConnectionState.DECLINED, ConnectionState.EXPIRED])
def test_a_token_for_a_friendship_that_is_over_is_refused(
    state: ConnectionState, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    knows_friends(config, "betaspace-1", state=state)
    monkeypatch.setattr("sys.stdin", io.StringIO("inv-secret-0123"))
    assert main(["credentials", "add", "betaspace-1"]) == Exit.FAILED
    assert capsys.readouterr().err == "The friendship betaspace-1 is over, so it needs no token. Nothing was changed.\n"
    with pytest.raises(NoSuchSecret):
        FileVault(load(config).state / "identity").read("made-for/betaspace/1")


@pytest.mark.parametrize("name", ["betaspace", "betaspace-", "-1", "Beta-1", "../x-1"])
def test_an_unknown_friendship_is_a_wrong_command_line(name: str, config: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["credentials", "add", "--", name])
    assert ended.value.code == Exit.USAGE


def test_the_demo_gets_its_options_and_gives_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Wishes] = []

    def play(wishes: Wishes) -> int:
        asked.append(wishes)
        return 1

    monkeypatch.setattr("fedbot_demo.story.play", play)
    assert main(["demo", "--fast"]) == 1
    assert main(["demo", "--keep", "--all", "--transcript", "told.md", "--pages", "docs"]) == 1
    assert main(["demo", "--versions", "1.0,newest"]) == 1
    assert main(["demo", "--versions", "1.1"]) == Exit.USAGE
    assert asked == [
        Wishes(fast=True),
        Wishes(keep=True, all_acts=True, transcript=Path("told.md"), pages=Path("docs")),
        Wishes(versions=("1.0", "newest")),
    ]


def test_a_demo_without_its_packages_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    imported = importlib.import_module

    def lacks(name: str) -> ModuleType:
        if name.startswith("fedbot_demo"):
            raise ModuleNotFoundError("No module named 'synapse'", name="synapse.app")
        return imported(name)

    monkeypatch.setattr(importlib, "import_module", lacks)
    assert main(["demo"]) == Exit.FAILED
    assert "pip install 'fedbot[demo]'" in capsys.readouterr().err


def test_a_restore_checks_the_folder_before_it_asks_and_needs_a_terminal_to_ask(
    config: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load(config)
    with Journal.open(settings.state) as journal:
        journal.receive((), "where we were")
    open_identity(settings.state / "identity")
    backup(
        BackupContents(settings.state, settings.state, settings.state / "identity"),
        settings.party.id,
        settings.matrix.user,
        folder / "b",
        "correct horse",
    )
    monkeypatch.setattr("fedbot.cli.state_folder.getpass", lambda _: pytest.fail("asked for a passphrase"))
    assert main(["restore", "b"]) == Exit.FAILED
    assert "journal.db is there already" in capsys.readouterr().err
    monkeypatch.setenv("FEDBOT_STATE", str(folder / "new"))
    assert main(["restore", "b"]) == Exit.FAILED
    assert "there is nobody to ask for its passphrase. Give it with --passphrase-file" in capsys.readouterr().err


def test_an_invalid_day_is_reported_in_plain_words(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["export", "--since", "foo"])
    assert ended.value.code == Exit.USAGE
    assert "foo isn't a day; write it as 2026-01-31" in capsys.readouterr().err


# --- help and docs -----------------------------------------------------------------------------------------


def test_help_lists_every_command_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    for code, meaning in EXITS.items():
        assert f"  {int(code)}  {meaning}\n" in said
    for command in filter(None, command_line.COMMANDS):
        assert f"\n    {command} " in said


def test_the_docs_list_every_command_and_exit_code() -> None:
    docs = DOCS.read_text()
    assert set(EXITS) == set(Exit)
    for code, meaning in EXITS.items():
        assert f"| {int(code)} | {meaning} |" in docs
    for command in filter(None, command_line.COMMANDS):
        assert f"| `fedbot {command}" in docs


_LOADED = """
import sys
from fedbot.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(*sys.modules, file=sys.stderr)
"""
OF_A_BOT = {"nio", "inventree", "fastapi", "pint", "psycopg", "aiohttp", "jinja2", "requests", "fedbot.rules.dispatch"}
OF_PAGES = {"fastapi", "starlette", "uvicorn", "jinja2", "multipart", "segno"}
AT_NO_REST = OF_PAGES | {"pint", "matplotlib", "numpy", "psycopg", "click", "rich", "pygments", "charset_normalizer"}
OF_A_COMMAND = OF_A_BOT | {"pydantic", "yaml", "asyncio", "apscheduler", "fedbot.config", "fedbot.messages"}


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["--version"], OF_A_COMMAND),
        (["--help"], OF_A_COMMAND),
        (["hub", "add", "--help"], OF_A_COMMAND),
        (["fly"], OF_A_COMMAND),
        (["hub", "health"], OF_A_BOT),
        (["health"], OF_A_BOT),
    ],
)
async def test_a_command_loads_no_more_than_it_needs(arguments: list[str], heavy: set[str], config: Path) -> None:
    (config.parent / "hub.yaml").write_text("database: {url: postgresql://127.0.0.1:1/x}\nstate: hub-state")
    settings = load(config)
    settings.state.mkdir()
    async with Web(lambda: STANDING, settings.health_socket):
        command = [sys.executable, "-c", _LOADED, *arguments]
        ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True, timeout=60)
    loaded = set(ended.stderr.splitlines()[-1].split())
    assert "fedbot.cli.parser" in loaded
    assert heavy & loaded == set()


def test_a_bot_with_its_journal_in_a_file_loads_no_more_than_it_needs_at_rest(config: Path) -> None:
    with Journal.open(load(config).state) as journal:
        journal.receive((), "where we were")  # without its key: the bot ends once everything is loaded
    code = f"{_LOADED}\nimport charset_normalizer, click, psycopg"  # for whatever needs them later
    command = [sys.executable, "-W", "error:Unable to find", "-c", code, "run"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    *_, why, modules = ended.stderr.splitlines()
    assert "has no signing.key" in why
    assert {"nio", "httpx", "inventree.api", "peewee", "fedbot.engine.bot"} <= set(modules.split())
    assert AT_NO_REST & set(modules.split()) == set()


def test_a_bot_with_its_journal_in_postgresql_keeps_the_driver_that_it_has() -> None:
    code = """
from fedbot.cli.run import bot_module, need_psycopg
need_psycopg()
import psycopg
worker = bot_module("fedbot.hub.worker")
assert worker.postgresql.psycopg is psycopg
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_every_command_has_its_function() -> None:
    for name in command_line.COMMANDS.values():
        module, _, function = name.partition(".")
        assert callable(getattr(importlib.import_module(f"fedbot.cli.{module}"), function))


@pytest.mark.parametrize("arguments", [["fly"], ["run", "--fast"], ["check", "twice"], ["--config"]])
def test_a_wrong_command_line_ends_with_its_code(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == Exit.USAGE
    assert "usage: fedbot" in capsys.readouterr().err


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"fedbot {version('fedbot')} (protocol 1)\n"


def test_a_closed_output_pipe_is_no_fault(config: Path) -> None:
    command = f"{sys.executable} -m fedbot --help | true; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["/bin/bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert "Traceback" not in ended.stderr
