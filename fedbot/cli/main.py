"""The command line: what an admin types, and what a container or a script calls. docs/cli.md explains it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from fedbot.check.findings import has_passed
from fedbot.cli import audit, export, hub, init, people, practice, state_folder
from fedbot.cli.check import check
from fedbot.cli.credentials import credentials, whose
from fedbot.cli.demo import demo
from fedbot.cli.exits import EXITS, Exit
from fedbot.cli.health import drop, health, retry, status
from fedbot.cli.reconcile import reconcile
from fedbot.cli.records import audit_command, export_command
from fedbot.cli.run import run as run_bot
from fedbot.cli.settings_file import DEFAULT_CONFIG, SYSTEM, find_config, settings_of, told, typed
from fedbot.cli.state_folder import about_state
from fedbot.cli.verbs import verbs
from fedbot.config.problems import ConfigRefused
from fedbot.rules.wire.envelope import VERSION
from fedbot.web.asking import ask


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    given = _parser().parse_args(arguments)
    try:
        return int(_COMMANDS[given.command](given))
    except ConfigRefused as refused:
        # a health check knows 0 and 1 only (Docker reserves 2)
        for problem in refused.problems:
            print(told(problem.path, problem.said, problem.instead), file=sys.stderr)
        return Exit.FAILED if given.command == "health" else Exit.USAGE
    except BrokenPipeError:
        # whoever read our output has seen enough; Python would complain once more while ending
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK


def _parser() -> argparse.ArgumentParser:
    config = argparse.ArgumentParser(add_help=False)
    config.add_argument("--config", type=Path, default=argparse.SUPPRESS, help="the settings file", metavar="PATH")
    places = f"./{DEFAULT_CONFIG}, {SYSTEM / DEFAULT_CONFIG}"
    codes = "\n".join(f"  {int(code)}  {meaning}" for code, meaning in EXITS.items())
    parser = argparse.ArgumentParser(
        prog="fedbot",
        description="A Matrix bot that lets makerspaces lend, give and request stock held in their InvenTree servers.\n"
        "Without a command, it says what to do next.",
        epilog=f"fedbot looks for its settings in --config, $FEDBOT_CONFIG, {places}.\n\nexit codes:\n{codes}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[config],
    )
    parser.add_argument("--version", action="version", version=f"fedbot {version('fedbot')} (protocol {VERSION})")
    parser.set_defaults(command="")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")

    def command(name: str, words: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".", parents=[config])
        made.set_defaults(command=name)
        return made

    init.arguments(command("init", "set up a bot: ask eight questions, create what is missing, and check it"))
    _json(
        command(
            "check", "check whether settings, Matrix and InvenTree are ready; each line is OK or says how to fix it"
        )
    )
    run = command("run", "run the bot until you stop it (Ctrl-C, SIGTERM)")
    run.add_argument("--log-json", action="store_true", help="log one JSON object for each line")
    _json(command("health", "show the running bot's health (0: healthy, 1: not)"))
    _json(command("status", "show the bot's health and its quarantined work"))
    retry = command("retry", "try quarantined work again")
    retry.add_argument("number", type=int, help="its number, as `fedbot status` lists it", metavar="ID")
    drop = command("drop", "give up quarantined work for good; says first what is lost")
    drop.add_argument("number", type=int, help="its number, as `fedbot status` lists it", metavar="ID")
    drop.add_argument("--sure", action="store_true", help="do it")
    _json(command("verbs", "list the verbs that people can type in the room"))
    reconcile = command("reconcile", "have the running bot compare its books with its friends' (1: they differ)")
    reconcile.add_argument("space", nargs="?", default="", help="only with this one", metavar="SPACE")
    reconcile.add_argument("--repair", action="store_true", help="repair our own records where that is safe")
    _json(reconcile)
    who = command("people", "list our people, or have the running bot add or remove somebody")
    people.arguments(who)
    _json(who)
    practice.arguments(
        command("practice", "give the running bot a pretend friend to try everything with, or remove it")
    )
    credentials = command("credentials", "put a token that you created by hand into the bot's vault")
    credentials.add_argument(
        "verb", choices=("add",), help="read a token from standard input, or ask for it without showing it"
    )
    credentials.add_argument("name", type=whose, help="PARTY-GENERATION, as the bot wrote in its admin room")
    export.arguments(command("export", "write out every transfer, for a spreadsheet or a script"))
    audit.arguments(command("audit", "prove that nobody has changed the audit, or write it out"), config)
    state_folder.arguments(command)
    hub.arguments(command("hub", "run many spaces in one service: workers and operator's commands"), config)
    demo = command("demo", "play two makerspaces that connect and hand over items, on this machine only")
    demo.add_argument("--fast", action="store_true", help="don't pause for reading")
    demo.add_argument("--keep", action="store_true", help="leave everything running at the end, and print logins")
    demo.add_argument("--all", action="store_true", help="every use case, not only the usual ones")
    demo.add_argument(
        "--versions", default="newest", help="of the two InvenTrees, such as 1.0,newest (or 0.13, 0.17)", metavar="A,B"
    )
    demo.add_argument("--transcript", type=Path, help="also write the story into this file", metavar="FILE")
    demo.add_argument("--pages", type=Path, help="also write each act's part into its page there", metavar="FOLDER")
    return parser


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="answer in JSON, for scripts")


def next_step(given: argparse.Namespace) -> Exit:
    """What to do next: as far as it can be told without asking anybody."""
    path = find_config(given)
    if not path.exists():
        print(f"There are no settings yet ({path}). Next: {typed(given, 'init')}")
        return Exit.OK
    settings = settings_of(given, "warning")
    if ask(settings.health_socket) is not None:
        print(f"The bot of {settings.party.name} is running. How it is: {typed(given, 'health')}")
    elif has_passed(settings):
        print(f"Settings and access were good when last checked. Next: {typed(given, 'run')}")
    else:
        print(f"{path} is fine so far. Next, look whether Matrix and InvenTree are ready: {typed(given, 'check')}")
    return Exit.OK


_COMMANDS = {
    "": next_step,
    "init": init.init,
    "check": check,
    "run": run_bot,
    "health": health,
    "status": status,
    "retry": retry,
    "drop": drop,
    "verbs": verbs,
    "people": people.people,
    "practice": practice.practice,
    "credentials": credentials,
    "export": export_command,
    "audit": audit_command,
    "reconcile": reconcile,
    **dict.fromkeys(state_folder.COMMANDS, about_state),
    "hub": lambda given: hub.hub(given, main),
    "demo": demo,
}
