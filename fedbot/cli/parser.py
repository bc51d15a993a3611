"""The arguments of every command.

It imports nothing that a command needs, so help, the version and errors about wrong arguments appear at once.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path

from fedbot.cli.exits import EXITS
from fedbot.rules.wire import VERSION

SYSTEM = Path("/etc/fedbot")
DEFAULT_CONFIG = Path("config.yaml")
DEFAULT_HUB = Path("hub.yaml")
"""The settings files: here, then in `SYSTEM`."""
STANDARD_INPUT = Path("-")
EXPORTED = ("transfers", "queues", "wants", "rotas", "connections")


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line. Its result has the command's name as `command`; '' without one."""
    config = argparse.ArgumentParser(add_help=False)
    config.add_argument("--config", type=Path, default=argparse.SUPPRESS, help="the settings file", metavar="PATH")
    places = f"./{DEFAULT_CONFIG}, {SYSTEM / DEFAULT_CONFIG}"
    codes = "\n".join(f"  {int(code)}  {meaning}" for code, meaning in EXITS.items())
    made = argparse.ArgumentParser(
        prog="fedbot",
        description="A Matrix bot that lets makerspaces lend, give and request stock held in their InvenTree servers.\n"
        "Without a command, it says what to do next.",
        epilog=f"fedbot looks for its settings in --config, $FEDBOT_CONFIG, {places}.\n\nexit codes:\n{codes}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[config],
    )
    made.add_argument("--version", action="version", version=f"fedbot {version('fedbot')} (protocol {VERSION})")
    made.set_defaults(command="")
    commands = made.add_subparsers(metavar="COMMAND", title="commands")

    def command(name: str, words: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".", parents=[config])
        added.set_defaults(command=name)
        return added

    _init(command("init", "set up a bot: ask eight questions, create what is missing, and check it"))
    _json(
        command(
            "check", "check whether settings, Matrix and InvenTree are ready; each line is OK or says how to fix it"
        )
    )
    run = command("run", "run the bot until you stop it (Ctrl-C, SIGTERM)")
    run.add_argument("--log-json", action="store_true", help="log one JSON object for each line")
    _practice(command("practice", "give the running bot a pretend friend to try everything with, or remove it"))
    who = command("people", "list our people, or have the running bot add or remove somebody")
    _people(who)
    _json(who)
    _json(command("verbs", "list the verbs that people can type in the room"))
    _json(command("health", "show the running bot's health (0: healthy, 1: not)"))
    _json(command("status", "show the bot's health and its quarantined work"))
    retry = command("retry", "try quarantined work again")
    retry.add_argument("number", type=int, help="its number, as `fedbot status` lists it", metavar="ID")
    drop = command("drop", "say what you would lose with quarantined work; with --sure give it up for good")
    drop.add_argument("number", type=int, help="its number, as `fedbot status` lists it", metavar="ID")
    drop.add_argument("--sure", action="store_true", help="do it")
    reconcile = command("reconcile", "have the running bot compare its books with its friends' (1: they differ)")
    reconcile.add_argument("space", nargs="?", default="", help="only with this one", metavar="SPACE")
    reconcile.add_argument("--repair", action="store_true", help="repair our own records where that is safe")
    _json(reconcile)
    credentials = command("credentials", "put a token that you created by hand into the bot's vault")
    credentials.add_argument(
        "verb", choices=("add",), help="read a token from standard input, or ask for it without showing it"
    )
    credentials.add_argument("name", type=_whose, help="PARTY-GENERATION, as the bot wrote in its admin room")
    _export(command("export", "write all transfers, or other records, as CSV or JSON"))
    _audit(command("audit", "check that nobody has changed the audit, or export it"), config)
    _state_folder(command)
    _hub(command("hub", "run many spaces in one service: workers and operator's commands"), config)
    demo = command("demo", "play two makerspaces that connect and hand over items, on this machine only")
    demo.add_argument("--fast", action="store_true", help="don't pause for reading")
    demo.add_argument(
        "--keep", action="store_true", help="leave everything running at the end, and print pages and logins"
    )
    demo.add_argument("--all", action="store_true", help="play every use case, not only connect, push and lend")
    demo.add_argument(
        "--versions",
        default="newest",
        help="versions of the two InvenTrees, such as 1.0,newest (or 0.13, 0.17)",
        metavar="A,B",
    )
    demo.add_argument("--transcript", type=Path, help="also write the story into this file", metavar="FILE")
    demo.add_argument(
        "--pages", type=Path, help="also write each act's transcript into its page in this folder", metavar="FOLDER"
    )
    return made


def _init(command: argparse.ArgumentParser) -> None:
    default = f"$FEDBOT_CONFIG, or {DEFAULT_CONFIG}"
    command.add_argument(
        "path", type=Path, nargs="?", help=f"the settings file to write (default: {default})", metavar="PATH"
    )
    command.add_argument(
        "--dry-run", action="store_true", help="ask the questions and say what init would do, but do nothing"
    )
    command.add_argument(
        "--answers",
        type=Path,
        help="a file of answers, for automation (docs/cli.md); - for standard input",
        metavar="FILE",
    )
    command.add_argument(
        "--example",
        action="store_true",
        help="only write a settings file with every setting explained, to fill in by hand",
    )


def _people(command: argparse.ArgumentParser) -> None:
    command.add_argument("change", choices=("add", "remove"), nargs="?", help="leave it out to list them")
    command.add_argument(
        "person", nargs="?", default="", help="a Matrix id, such as @kim:example.org", metavar="PERSON"
    )
    command.add_argument("user", nargs="*", default=[], help="the name of their InvenTree user", metavar="as USER")
    command.add_argument(
        "--admin", action="store_true", help="let them invite the bot; without `as USER` they can do nothing else"
    )


def _practice(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--clean", action="store_true", help="remove the friend, and everything that was created for it"
    )
    command.add_argument(
        "--as", dest="account", default="", help="the friend's own Matrix account; it may be new", metavar="ID"
    )
    command.add_argument(
        "--superuser", default="", help="sign in to InvenTree as this superuser, not with the stored token"
    )


def _export(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "what",
        nargs="?",
        choices=EXPORTED,
        default=EXPORTED[0],
        help=f"one of {', '.join(EXPORTED)} (default: {EXPORTED[0]})",
        metavar="WHAT",
    )
    command.add_argument("--format", choices=("csv", "json"), default="csv", help="the format (default: csv)")
    command.add_argument(
        "--since",
        type=_day,
        help="only records that began, or were decided or ended, on that day or later",
        metavar="DATE",
    )
    command.add_argument("--peer", default="", help="only records with that space", metavar="SPACE")
    command.add_argument("--output", type=Path, help="the file to write (default: print it)", metavar="FILE")


def _audit(command: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    """Add the arguments of `audit`; `common` has those that every command takes."""
    actions = command.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser(
        "verify", help="check the chain of hashes from its beginning (1: an entry doesn't match)", parents=[common]
    )
    check.add_argument(
        "hash", nargs="?", default="", help="a hash that it printed earlier, to look for", metavar="HASH"
    )
    check.add_argument("--json", action="store_true", help="answer in JSON, for scripts")
    written = actions.add_parser("export", help="write every entry as one line of JSON", parents=[common])
    written.add_argument(
        "--output", type=Path, help="the file to write, with mode 0600 (default: print it)", metavar="FILE"
    )


def _state_folder(command: Callable[[str, str], argparse.ArgumentParser]) -> None:
    """Add the commands about the state folder; `command` adds one with its name and summary."""
    made = command("backup", "write journal, keys and tokens into one file; the bot may be running")
    made.add_argument("file", type=Path, help="the file to write; replaces an older backup", metavar="FILE")
    made.add_argument(
        "--unencrypted", action="store_true", help="don't encrypt it: a person who reads the file can then speak as you"
    )
    _passphrase_file(made)
    put_back = command("restore", "put a backup into an empty state folder")
    put_back.add_argument("file", type=Path, help="the backup", metavar="FILE")
    _passphrase_file(put_back)
    command("verify", "make apps trust the bot in encrypted rooms if another client has created its account's keys")
    moving = command("journal", "move a space's journal, keys and tokens into the database of the settings, or back")
    moving.add_argument("verb", choices=("move",), help="stop the bot first; run it again if it was interrupted")
    moving.add_argument("where", choices=("to-database", "to-file"), help="the new place")
    command("rebuild", "rebuild a lost journal from InvenTree and from the rooms")


def _passphrase_file(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--passphrase-file", type=Path, help="a file whose first line is the passphrase", metavar="PATH"
    )


def _hub(command: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    """Add the arguments of `hub`; `common` has those that every command takes."""
    verbs = command.add_subparsers(dest="verb", metavar="VERB", required=True)

    def verb(name: str, words: str, *, of_a_space: bool = True) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".", parents=[common])
        if of_a_space:
            made.add_argument("space", help="its party's id", metavar="SPACE")
        return made

    run = verb("run", "work as one of the hub's workers until you stop it", of_a_space=False)
    run.add_argument("--log-json", action="store_true", help="log one JSON object for each line")
    listing = verb("list", "list the spaces: who works for each, and what is wrong", of_a_space=False)
    listing.add_argument("--json", action="store_true", help="answer in JSON, for scripts")
    verb("health", "show the health of this machine's worker and its spaces (0: it runs, 1: not)", of_a_space=False)
    add = verb("add", "add a space: ask the questions of fedbot init, or move a separate bot into the hub")
    add.add_argument(
        "--answers", type=Path, help="a file of answers, as for fedbot init; - for standard input", metavar="FILE"
    )
    add.add_argument(
        "--from", dest="source", type=Path, help="the settings file of a stopped bot that moves in", metavar="PATH"
    )
    verb("pause", "stop the work for this space until you resume it")
    verb("resume", "start the work for this space again; try a failed one at once")
    move = verb("move", "move this space to another worker")
    move.add_argument(
        "--to", default="", help="to this worker (default: the one with the fewest spaces)", metavar="WORKER"
    )
    leave = verb("leave", "move everything of a space out of the hub, for a separate bot")
    leave.add_argument("folder", type=Path, help="a new folder", metavar="FOLDER")
    remove = verb("remove", "delete a space from the hub; says first what is lost")
    remove.add_argument("--sure", action="store_true", help="do it")
    verb("api", "answer the operator's programs by REST until you stop it", of_a_space=False)
    _token_arguments(verb("token", "create, list or revoke tokens of the API", of_a_space=False))
    do = verb("do", "run a command for one space, such as: do attraktor backup FILE")
    do.add_argument("words", nargs=argparse.REMAINDER, help="a command and its arguments", metavar="COMMAND")


def _token_arguments(command: argparse.ArgumentParser) -> None:
    verbs = command.add_subparsers(dest="token_verb", metavar="VERB", required=True)
    add = verbs.add_parser("add", help="create a token and show it once")
    add.add_argument("name", help="what it is for; the log names it", metavar="NAME")
    add.add_argument("--reads", action="store_true", help="a token that can only read")
    add.add_argument("--days", type=int, default=365, help="how many days it is valid (default: 365)", metavar="N")
    verbs.add_parser("list", help="list the tokens, without their secrets")
    revoke = verbs.add_parser("revoke", help="revoke a token")
    revoke.add_argument("token", help="its id, as `fedbot hub token list` shows it", metavar="ID")


def _day(word: str) -> date:
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{word} isn't a day; write it as 2026-01-31") from None


def _whose(name: str) -> tuple[str, int]:
    """The party and the generation of the friendship in `betaspace-1`."""
    from fedbot.rules.protocol.announcements import PARTY_ID

    party, _, generation = name.removeprefix("fed-").rpartition("-")
    if not PARTY_ID.fullmatch(party) or not generation.isdecimal():
        raise argparse.ArgumentTypeError(f"{name} isn't a PARTY-GENERATION such as betaspace-1")
    return party, int(generation)


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="answer in JSON, for scripts")
