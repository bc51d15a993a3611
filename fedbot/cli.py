"""The command line: what an admin types, and what a container or a script calls. docs/cli.md explains it."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.resources
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import asdict
from enum import IntEnum
from getpass import getpass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fedbot import audit, export, logs, state_commands
from fedbot.backup import BackupRefused
from fedbot.check.findings import Finding, has_passed, of_problem, remember
from fedbot.config.loading import load
from fedbot.config.problems import ConfigRefused
from fedbot.config.settings import Settings
from fedbot.identity import FileVault
from fedbot.journal.copies import quarantined
from fedbot.ports.chat import ChatProblem, ChatSignedOut
from fedbot.ports.inventory import InventoryProblem
from fedbot.ports.journal import JournalProblem, JournalUnwritable, StateInUse
from fedbot.rules.connection.provision import made_for
from fedbot.rules.protocol.announcements import PARTY_ID
from fedbot.web.asking import ask, order_reconcile, order_retry

log = logging.getLogger(__name__)

DEFAULT_CONFIG = Path("config.yaml")
SYSTEM_CONFIG = Path("/etc/fedbot/config.yaml")
LAST_MOMENT = 9.5
"""Seconds after which a bot that was told to stop is gone in any case (a container is killed after 10)."""
_MARKS = {"good": ("✓", "32"), "bad": ("✗", "31"), "warning": ("!", "33")}


class Exit(IntEnum):
    """How a command ended. A test compares these with docs/cli.md."""

    OK = 0
    FAILED = 1
    USAGE = 2
    STATE_IN_USE = 3
    HISTORY_WITHOUT_STATE = 4
    SIGNED_OUT = 5
    ACCOUNT_TAKEN = 6
    UNWRITABLE = 7


EXITS = {
    Exit.OK: "all is well",
    Exit.FAILED: "it did not work; the message says why",
    Exit.USAGE: "the command line or the settings are wrong",
    Exit.STATE_IN_USE: "another process uses the state folder",
    Exit.HISTORY_WITHOUT_STATE: "the account has a history, but its state, or the key in it, is lost",
    Exit.SIGNED_OUT: "Matrix no longer takes the bot's token",
    Exit.ACCOUNT_TAKEN: "another fedbot works with this Matrix account now",
    Exit.UNWRITABLE: "the state folder can't be written: no space, or read-only",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    given = _parser().parse_args(arguments)
    try:
        return int(_COMMANDS[given.command](given))
    except ConfigRefused as refused:
        # a health check knows 0 and 1 only (Docker reserves 2)
        for problem in refused.problems:
            print(_told(problem.path, problem.said, problem.instead), file=sys.stderr)
        return Exit.FAILED if given.command == "health" else Exit.USAGE
    except BrokenPipeError:
        # whoever read our output has seen enough; Python would complain once more while ending
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK


def _parser() -> argparse.ArgumentParser:
    config = argparse.ArgumentParser(add_help=False)
    config.add_argument("--config", type=Path, default=argparse.SUPPRESS, help="the settings file", metavar="PATH")
    codes = "\n".join(f"  {int(code)}  {meaning}" for code, meaning in EXITS.items())
    parser = argparse.ArgumentParser(
        prog="fedbot",
        description="A Matrix bot with which makerspaces lend, give and request stock of their InvenTrees.\n"
        "Without a command: what to do next.",
        epilog=f"Settings are looked for in --config, $FEDBOT_CONFIG, ./{DEFAULT_CONFIG}, {SYSTEM_CONFIG}.\n\n"
        f"exit codes:\n{codes}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[config],
    )
    parser.add_argument("--version", action="version", version=f"fedbot {version('fedbot')}")
    parser.set_defaults(command="")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")

    def command(name: str, words: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".", parents=[config])
        made.set_defaults(command=name)
        return made

    init = command("init", "write a commented settings file to begin with")
    init.add_argument("path", type=Path, nargs="?", help=f"where to write it (default: {DEFAULT_CONFIG})")
    _json(command("check", "look whether settings, Matrix and InvenTree are ready; each line good or with what to do"))
    command("run", "run the bot until it is told to stop (Ctrl-C, SIGTERM)")
    _json(command("health", "ask the running bot how it is (0: well, 1: not)"))
    _json(command("status", "how the bot is, and what failed and is set aside"))
    retry = command("retry", "try again what failed and is set aside")
    retry.add_argument("number", type=int, help="its number, as `fedbot status` lists it", metavar="ID")
    _json(command("verbs", "list what people can say in the room"))
    reconcile = command("reconcile", "have the running bot compare its books with its friends' (1: they differ)")
    reconcile.add_argument("space", nargs="?", default="", help="only with this one", metavar="SPACE")
    reconcile.add_argument("--repair", action="store_true", help="put right what is ours and safe")
    _json(reconcile)
    credentials = command("credentials", "put a token that was made by hand into the bot's vault")
    credentials.add_argument("verb", choices=("add",), help="take a token, from standard input or asked for unseen")
    credentials.add_argument("name", type=_whose, help="PARTY-GENERATION, as the bot wrote in its admin room")
    export.arguments(
        command("export", "write out all that was given, lent and received, for a spreadsheet or a script")
    )
    audit.arguments(command("audit", "prove that the record of who did what is unchanged, or write it out"), config)
    state_commands.arguments(command)
    demo = command("demo", "two makerspaces connect and hand over things, on this machine only")
    demo.add_argument("--fast", action="store_true", help="without pauses for reading")
    demo.add_argument("--keep", action="store_true", help="leave everything running in the end, and print logins")
    demo.add_argument("--all", action="store_true", help="every use case, not only the usual ones")
    demo.add_argument("--transcript", type=Path, help="also write what happens into this file", metavar="FILE")
    demo.add_argument("--pages", type=Path, help="also write each act's part into its page there", metavar="FOLDER")
    return parser


def _whose(name: str) -> tuple[str, int]:
    """`betaspace-1` as the party and the generation of the friendship with it."""
    party, _, generation = name.removeprefix("fed-").rpartition("-")
    if not PARTY_ID.fullmatch(party) or not generation.isdecimal():
        raise argparse.ArgumentTypeError(f"{name} is no PARTY-GENERATION, such as betaspace-1")
    return party, int(generation)


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="answer in JSON, for scripts")


def find_config(given: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> Path:
    """The settings file that is meant; it need not exist."""
    if "config" in given:
        chosen: Path = given.config
        return chosen
    if environment.get("FEDBOT_CONFIG"):
        return Path(environment["FEDBOT_CONFIG"])
    return next((path for path in (DEFAULT_CONFIG, SYSTEM_CONFIG) if path.exists()), DEFAULT_CONFIG)


def _settings(given: argparse.Namespace, level: str = "") -> Settings:
    """The settings, and the log set up with their secrets. Raises `ConfigRefused`."""
    settings = load(find_config(given))
    logs.configure(level or settings.log.level, settings.secrets())
    return settings


# --- the commands ------------------------------------------------------------------------------------------


def _next_step(given: argparse.Namespace) -> Exit:
    """What to do next: as far as it can be told without asking anybody."""
    path = find_config(given)
    if not path.exists():
        print(f"There are no settings yet ({path}). Next: {_typed(given, 'init')}")
        return Exit.OK
    settings = _settings(given, "warning")
    if ask(settings.health_socket) is not None:
        print(f"The bot of {settings.party.name} is running. How it is: {_typed(given, 'health')}")
    elif has_passed(settings):
        print(f"Settings and access were good when last checked. Next: {_typed(given, 'run')}")
    else:
        print(f"{path} is fine so far. Next, look whether Matrix and InvenTree are ready: {_typed(given, 'check')}")
    return Exit.OK


def _typed(given: argparse.Namespace, command: str) -> str:
    """The command as it is to be typed, with the settings file if it was given."""
    return f"fedbot {command}" + (f" --config {given.config}" if "config" in given else "")


def _init(given: argparse.Namespace) -> Exit:
    path: Path = given.path or (given.config if "config" in given else DEFAULT_CONFIG)
    example = importlib.resources.files("fedbot.config").joinpath("example.yaml").read_text("utf-8")
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        print(f"{path} is there already; nothing was written. Next: fedbot check --config {path}", file=sys.stderr)
        return Exit.FAILED
    except OSError as error:
        print(f"{path} can't be written: {error.strerror}.", file=sys.stderr)
        return Exit.FAILED
    with os.fdopen(file, "w", encoding="utf-8") as out:
        out.write(example)
    print(f"Wrote {path}. Next:")
    print("  1. fill it in; the comments say what is what")
    print("  2. put the secrets into the files that it names, readable by you alone (chmod 600)")
    print(f"  3. fedbot check --config {path}")
    return Exit.OK


def _check(given: argparse.Namespace) -> Exit:
    try:
        settings = _settings(given, "warning")
    except ConfigRefused as refused:
        _tell([of_problem(problem) for problem in refused.problems], as_json=given.json)
        return Exit.USAGE
    from fedbot.check.everything import check  # noqa: PLC0415 -- nio alone takes half a second to import

    findings = asyncio.run(check(settings))
    _tell(findings, as_json=given.json)
    failed = sum(not finding.good for finding in findings)
    if not failed:
        remember(settings)
    if not given.json:
        print(f"\n{failed} to put right." if failed else f"\nAll good. Next: {_typed(given, 'run')}")
    return Exit.FAILED if failed else Exit.OK


def _tell(findings: Sequence[Finding], *, as_json: bool) -> None:
    if as_json:
        rows = [asdict(finding) for finding in findings]
        everything = {"ok": all(finding.good for finding in findings), "findings": rows}
        print(logs.redact(json.dumps(everything, ensure_ascii=False)))
        return
    for finding in findings:
        kind = "bad" if not finding.good else "warning" if finding.todo else "good"
        mark, colour = _MARKS[kind]
        if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
            mark = f"\x1b[{colour}m{mark}\x1b[0m"
        print(f"{mark} {_told(finding.name, finding.what)}")
        if finding.todo:
            print(logs.redact(f"  → {finding.todo}"))


def _told(*parts: str) -> str:
    """The parts, each without secrets: in one text a word behind `token:` would be taken for one."""
    return ": ".join(logs.redact(part) for part in parts if part)


def _run(given: argparse.Namespace) -> Exit:
    settings = _settings(given)
    app = importlib.import_module("fedbot.engine")
    try:
        asyncio.run(_until_told(app.run(settings)))
    except Exception as error:  # noqa: BLE001 -- whatever it is, an admin reads a sentence and a script a code
        return _ended_by(error)
    return Exit.OK


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    """Let it work until a signal comes; then cancel it, so that it can end well."""
    task = asyncio.ensure_future(work)
    told: list[str] = []

    def stop(name: str) -> None:
        told.append(name)
        task.cancel()
        # a request to InvenTree that hangs in its thread can't be cancelled; what was begun is journaled as begun
        leave = threading.Timer(LAST_MOMENT, os._exit, [Exit.OK])
        leave.daemon = True
        leave.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop, number.name)
    try:
        await task
    except asyncio.CancelledError:
        if not told:
            raise
        log.info("stopped by %s", told[0])


def _ended_by(error: Exception) -> Exit:
    """Tell why the bot ended. What is known gets its sentence, what isn't its traceback too."""
    app = importlib.import_module("fedbot.engine")
    codes: dict[type[Exception], Exit] = {
        StateInUse: Exit.STATE_IN_USE,
        app.HistoryWithoutState: Exit.HISTORY_WITHOUT_STATE,
        app.AccountTaken: Exit.ACCOUNT_TAKEN,
        JournalUnwritable: Exit.UNWRITABLE,
        ChatSignedOut: Exit.SIGNED_OUT,
        JournalProblem: Exit.FAILED,
        ChatProblem: Exit.FAILED,
        InventoryProblem: Exit.FAILED,
    }
    for kind, code in codes.items():
        for cause in _causes(error):
            if isinstance(cause, kind):
                log.error("ended: %s", cause)
                return code
    log.error("ended by a fault in fedbot or an odd machine", exc_info=error)
    return Exit.FAILED


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What a task group collected, or the one error."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _causes(inner)
    else:
        yield error


def _health(given: argparse.Namespace) -> Exit:
    settings = _settings(given, "warning")
    answer = ask(settings.health_socket)
    healthy = answer is not None and answer.get("healthy") is True
    if given.json:
        print(json.dumps({"running": answer is not None, "healthy": healthy} | (answer or {}), ensure_ascii=False))
    elif answer is None:
        why = state_commands.why_unwritable(settings.state)
        print(f"not running ({why or f'nobody answers in {settings.state}'})")
    else:
        ends = ", ".join(f"{end} {'reached' if answer.get(key) else 'lost'}" for end, key in _ENDS.items())
        print(f"{'healthy' if healthy else 'not well'}: {ends}")
        for problem in answer.get("problems", []):
            print(f"  {problem}")
    return Exit.OK if healthy else Exit.FAILED


def _status(given: argparse.Namespace) -> Exit:
    """What `health` says, and what is set aside, read from the journal: also of a bot that doesn't run."""
    settings = _settings(given, "warning")
    answer = ask(settings.health_socket)
    try:
        asides = quarantined(settings.state)
    except JournalProblem as problem:
        print(logs.redact(str(problem)), file=sys.stderr)
        return Exit.FAILED
    if given.json:
        told = [{**asdict(aside), "at": aside.at.isoformat(timespec="seconds")} for aside in asides]
        everything = {"running": answer is not None, **(answer or {}), "set_aside": told}
        print(logs.redact(json.dumps(everything, ensure_ascii=False)))
        return Exit.FAILED if asides else Exit.OK
    _health(given)
    for aside in asides:
        about = f" about {aside.subject}" if aside.subject else ""
        print(logs.redact(f"set aside on {aside.at:%Y-%m-%d %H:%M}: {aside.what}{about}: {aside.problem}"))
        print(f"  → {_typed(given, 'retry')} {aside.number}")
    if not asides:
        print("nothing is set aside")
    return Exit.FAILED if asides else Exit.OK


def _retry(given: argparse.Namespace) -> Exit:
    """By the running bot; if none runs, the next one tries it."""
    settings = _settings(given, "warning")
    answer = order_retry(settings.health_socket, given.number)
    if answer is None:
        try:
            with importlib.import_module("fedbot.journal").Journal.open(settings.state) as journal:
                found = journal.try_again(given.number)
        except (JournalProblem, OSError) as problem:
            print(logs.redact(str(problem)), file=sys.stderr)
            return Exit.STATE_IN_USE if isinstance(problem, StateInUse) else Exit.FAILED
        answer = {"problem": "" if found else f"Nothing is set aside under the number {given.number}."}
    if answer["problem"]:
        print(answer["problem"], file=sys.stderr)
        return Exit.FAILED
    print(f"{given.number} is tried again. Whether it worked: {_typed(given, 'status')}")
    return Exit.OK


_ENDS = {"Matrix": "matrix", "InvenTree": "inventree"}


def _verbs(given: argparse.Namespace) -> Exit:
    specs = importlib.import_module("fedbot.commands").catalogue()
    rows = [{"name": spec.name, "usage": spec.usage, "summary": spec.summary, "who": str(spec.right)} for spec in specs]
    if given.json:
        print(json.dumps(rows, ensure_ascii=False))
        return Exit.OK
    width = max((len(row["usage"]) for row in rows), default=0)
    for row in rows:
        print(f"{row['usage']:{width}}  {row['summary']} ({row['who']})")
    return Exit.OK


def _reconcile(given: argparse.Namespace) -> Exit:
    settings = _settings(given, "warning")
    answer = order_reconcile(settings.health_socket, given.space, repair=given.repair)
    answer = answer or {"problem": f"The bot does not run (nobody answers in {settings.state}).", "told": []}
    if given.json:
        print(logs.redact(json.dumps(answer, ensure_ascii=False)))
    elif answer["problem"]:
        print(logs.redact(str(answer["problem"])), file=sys.stderr)
    for told in [] if given.json else answer["told"]:
        print(logs.redact(told["text"]))
    return Exit.FAILED if answer["problem"] or not all(told["agree"] for told in answer["told"]) else Exit.OK


def _credentials(given: argparse.Namespace) -> Exit:
    """The running bot looks into its vault each minute, so nothing has to be told to it."""
    settings = _settings(given, "warning")
    party, generation = given.name
    token = _token(getpass("Token: ") if sys.stdin.isatty() else sys.stdin.read())
    if not token:
        print("That is no token: one line without spaces is. Nothing was changed.", file=sys.stderr)
        return Exit.FAILED
    try:
        FileVault(settings.state / "identity").keep(made_for(party, generation), token)
    except OSError as error:
        print(f"The vault in {settings.state} can't be written: {error.strerror}.", file=sys.stderr)
        return Exit.FAILED
    print(f"Kept the token for {party}. The bot tries it within a minute and says in its admin room if it is no good.")
    return Exit.OK


def _token(said: str) -> str:
    """The token, pasted alone or as the answer in which InvenTree tells it; '' if it is neither."""
    text = said.strip()
    if text.startswith("{"):
        try:
            text = str(json.loads(text).get("token", ""))
        except ValueError:
            return ""
    return text if text.isascii() and text.isprintable() and " " not in text else ""


def _export(given: argparse.Namespace) -> Exit:
    return _written_out(given, export.export)


def _audit(given: argparse.Namespace) -> Exit:
    return _written_out(given, audit.run)


def _written_out(given: argparse.Namespace, write: Callable[[Settings, argparse.Namespace], bool]) -> Exit:
    """Read the journal beside the running bot and write out what it tells; whether that was well."""
    settings = _settings(given, "warning")
    try:
        is_well = write(settings, given)
    except (export.NoSuchPeer, JournalProblem) as problem:
        print(logs.redact(str(problem)), file=sys.stderr)
        return Exit.FAILED
    except BrokenPipeError:
        raise
    except OSError as problem:
        output = getattr(given, "output", None) or "the output"
        print(f"{output} can't be written: {problem.strerror}.", file=sys.stderr)
        return Exit.FAILED
    return Exit.OK if is_well else Exit.FAILED


def _about_state(given: argparse.Namespace) -> Exit:
    """Backup, restore, rebuild."""
    settings = _settings(given, "warning")
    try:
        print(logs.redact(state_commands.COMMANDS[given.command](settings, given)))
    except (BackupRefused, JournalProblem, ChatProblem, InventoryProblem, OSError) as problem:
        print(logs.redact(str(problem)), file=sys.stderr)
        return Exit.STATE_IN_USE if isinstance(problem, StateInUse) else Exit.FAILED
    return Exit.OK


def _demo(given: argparse.Namespace) -> int:
    try:
        story = importlib.import_module("fedbot_demo.story")
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] == "fedbot":
            raise
        print(
            f"The demo needs packages that a bot doesn't ({missing.name}): pip install 'fedbot[demo]'", file=sys.stderr
        )
        return Exit.FAILED
    wishes = story.Wishes(
        fast=given.fast, keep=given.keep, all_acts=given.all, transcript=given.transcript, pages=given.pages
    )
    return int(story.play(wishes))


_COMMANDS = {
    "": _next_step,
    "init": _init,
    "check": _check,
    "run": _run,
    "health": _health,
    "status": _status,
    "retry": _retry,
    "verbs": _verbs,
    "credentials": _credentials,
    "export": _export,
    "audit": _audit,
    "reconcile": _reconcile,
    **dict.fromkeys(state_commands.COMMANDS, _about_state),
    "demo": _demo,
}
