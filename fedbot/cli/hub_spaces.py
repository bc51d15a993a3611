"""The commands of a hub's operator about its spaces, except those that serve (`hub`)."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from contextlib import closing

from fedbot import logs
from fedbot.cli import init
from fedbot.cli.exits import Exit, refused
from fedbot.cli.main import main
from fedbot.cli.settings_file import program
from fedbot.config.hub import HubSettings
from fedbot.hub import tending
from fedbot.hub.operators import Tokens
from fedbot.hub.roster import Roster

_OF_A_SPACE = (
    *("status", "health", "check", "people", "credentials", "reconcile", "retry", "drop"),
    *("audit", "export", "backup", "verify"),
)
"""The commands of a bot that a hub's operator gives by `do`. The others begin, move or replace a bot."""


def _do(settings: HubSettings, given: argparse.Namespace) -> Exit:
    """Run a command of a single bot with the space's settings, and its state folder at this worker."""
    tending.refuse_unknown(settings, given.space)
    if not given.words or given.words[0] not in _OF_A_SPACE:
        print(f"A hub's space has these commands: {', '.join(_OF_A_SPACE)}.", file=sys.stderr)
        return Exit.USAGE
    os.environ["FEDBOT_STATE"] = str(settings.state_of(given.space))
    return Exit(main([*given.words[:1], "--config", str(settings.config_of(given.space)), *given.words[1:]]))


def _list(settings: HubSettings, given: argparse.Namespace) -> Exit:
    with closing(Roster(settings)) as roster:
        view = roster.view()
    spaces = {name: view.of(name) for name in settings.names()}
    lost = sorted(name for name, row in view.spaces.items() if row.is_hosted and name not in spaces)
    if given.json:
        told = {
            name: {
                "state": row.state,
                "worker": row.worker,
                "problem": row.problem,
                "again_in": round(row.waits),
                "well": row.is_well,
                "troubles": row.troubles,
            }
            for name, row in spaces.items()
        }
        answer = {"workers": sorted(view.workers), "spaces": told, "without_settings": lost}
        answer["warning"] = view.too_few_connections(len(spaces))
        print(logs.redact(json.dumps(answer, ensure_ascii=False)))
        return Exit.OK
    for name, row in spaces.items():
        where = f" at {row.worker}" if row.worker else ""
        again = f", again in {row.waits:.0f} s" if row.waits else ""
        wrong = "; ".join([row.problem] * bool(row.problem) + (["not well"] if row.is_well is False else []))
        print(logs.redact(": ".join(filter(None, (f"{name:<20} {row.state}{where}{again}", wrong, *row.troubles)))))
    if lost and not spaces:
        print(f"No space has a folder in {settings.spaces}. Is that folder mounted on this machine?")
    for name in lost if spaces or len(lost) == 1 else ():  # of many, it is the folder that is missing
        print(
            f"{name:<20} is in the database, but {settings.config_of(name)} is missing. Put its folder back, or delete "
            f"the rest: {program()} hub remove {name} --sure"
        )
    print(f"{len(spaces)} spaces; workers: {', '.join(sorted(view.workers)) or 'none'}")
    if warning := view.too_few_connections(len(spaces)):
        print(warning)
    return Exit.OK


def _add(settings: HubSettings, given: argparse.Namespace) -> Exit:
    space = given.space
    tending.refuse_bad_name(space)
    config = settings.config_of(space)
    elsewhere: list[str] = []
    state = settings.state_of(space) if given.source is None else tending.load_separate(given.source, space).state
    asks = given.source is None and not tending.has_database(settings, space)
    if asks and init.is_without_answers(given):
        return Exit.FAILED
    with tending.reserved(settings, space):
        is_here = tending.begin_to_add(settings, space, moves_in=given.source is not None)
        if is_here:
            pass
        elif given.source is not None:
            elsewhere = tending.copy_settings(given.source, settings, space)
        elif asks:
            os.environ["FEDBOT_STATE"] = str(state)
            ended = init.set_up(argparse.Namespace(answers=given.answers, dry_run=False), config, is_hosted=True)
            if ended is not Exit.OK:
                return ended
        moved = None if is_here else tending.take_in(settings, space, state)
        if given.source is None:
            shutil.rmtree(state, ignore_errors=True)  # all of it is in the database now, and compared
        tending.resume(settings, space)
    if moved is not None:
        print(
            f"{moved.rows} rows of the journal and {moved.keys} of keys and tokens are in the database, each compared."
        )
    for path in elsewhere:
        print(f"The settings name {path}: every worker needs it at the same place.")
    if given.source is not None:
        print(f"What is left in {state} isn't used any more; remove it once the bot has run well.")
    print(f"{space} is in the hub. A worker takes it within a few seconds. Look: {program()} hub list")
    return Exit.OK


def _pause(settings: HubSettings, given: argparse.Namespace) -> Exit:
    tending.refuse_unknown(settings, given.space)
    tending.pause(settings, given.space)
    print(f"Nobody works for {given.space} now. To go on: {program()} hub resume {given.space}")
    return Exit.OK


def _resume(settings: HubSettings, given: argparse.Namespace) -> Exit:
    tending.refuse_unknown(settings, given.space)
    with tending.reserved(settings, given.space):
        tending.resume(settings, given.space)
    print(f"A worker takes {given.space} within a few seconds. Look: {program()} hub list")
    return Exit.OK


def _move(settings: HubSettings, given: argparse.Namespace) -> Exit:
    tending.refuse_unknown(settings, given.space)
    print(tending.move(settings, given.space, given.to))
    return Exit.OK


def _token(settings: HubSettings, given: argparse.Namespace) -> Exit:
    with closing(Roster(settings)) as roster:
        tokens = Tokens(settings, roster)
        match given.token_verb:
            case "add":
                secret = tokens.make(given.name, given.days, may_act=not given.reads)
                does = "reads" if given.reads else "reads and acts"
                print(f"This token {does} for {given.days} days. Keep it: nobody is shown it again.\n{secret}")
            case "list":
                for each in tokens.held():
                    does = "acts" if each.may_act else "reads"
                    used = f"used {each.used:%Y-%m-%d}" if each.used else "never used"
                    days = f"made {each.made:%Y-%m-%d}, ends {each.ends:%Y-%m-%d}, {used}"
                    print(f"{each.id}  {does:<5}  {days}  {each.name}")
            case _:
                if not tokens.revoke(given.token):
                    return refused(f"There is no token {given.token}. Look: {program()} hub token list")
                print(f"{given.token} opens nothing any more.")
    return Exit.OK


def _leave(settings: HubSettings, given: argparse.Namespace) -> Exit:
    tending.refuse_unknown(settings, given.space)
    with tending.reserved(settings, given.space):
        moved = tending.leave(settings, given.space, given.folder.absolute())
    if moved is not None:
        print(f"Moved {moved.rows} rows of the journal and {moved.keys} of keys and tokens, each compared.")
    print(
        f"{given.space} has left the hub with all that it has. Look through {given.folder / 'config.yaml'}: files that "
        f"it names elsewhere have to come along. Next: {program()} run --config {given.folder / 'config.yaml'}\n"
        f"Once it runs well: {program()} hub remove {given.space} --sure"
    )
    return Exit.OK


def _remove(settings: HubSettings, given: argparse.Namespace) -> Exit:
    tending.refuse_bad_name(given.space)
    tending.refuse_removed(settings, given.space)
    if not given.sure:
        print(
            f"This deletes the journal, keys, tokens, settings and secrets of {given.space} from the hub for good.\n"
            f"To keep them: {program()} hub leave {given.space} FOLDER\n"
            f"To do it: {program()} hub remove {given.space} --sure"
        )
        return Exit.FAILED
    with tending.reserved(settings, given.space):
        tending.remove(settings, given.space)
    print(f"{given.space} is no longer in the hub. Backups of the database have it as long as you keep them.")
    return Exit.OK


VERBS = {
    "list": _list,
    "do": _do,
    "add": _add,
    "pause": _pause,
    "resume": _resume,
    "move": _move,
    "token": _token,
    "leave": _leave,
    "remove": _remove,
}
