"""The operator's operations on the spaces of a hub: add, pause, resume, move, leave and remove.

If one is interrupted, calling it again finishes it.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from fedbot.config.hub import CONFIG, OF_THE_WORKER, HubSettings, load_space
from fedbot.config.loading import load, read_yaml, text_of
from fedbot.config.secrets import FILE
from fedbot.config.settings import Settings
from fedbot.config.values import PartyId
from fedbot.edge_settings import identity_folder
from fedbot.files import PRIVATE_FILE, PRIVATE_FOLDER, write_whole
from fedbot.hub import moving
from fedbot.hub.moving import Moved, MovedAlready
from fedbot.hub.roster import JournalFound, Roster
from fedbot.identity import open_identity
from fedbot.journal.copies import FILE as JOURNAL
from fedbot.journal.database import ARRIVING, MOVED
from fedbot.journal.journal import Journal
from fedbot.journal.lease import SECONDS, claim, holder
from fedbot.ports.journal import StateInUse

SEALING_KEY = "sealing-key"
PATIENCE = 2 * SECONDS
"""The seconds after which a worker has released a paused space, or is dead."""
LOOKS_EVERY = 0.2


class HubRefused(Exception):
    """The operation was not done. The text says why and what to do."""


def refuse_bad_name(space: str) -> None:
    """Raise `HubRefused` unless this can be a party's id, which also names the space's folder."""
    try:
        TypeAdapter[str](PartyId).validate_python(space)
    except ValidationError:
        raise HubRefused(f"{space!r} can't name a space: use lowercase letters, digits and -.") from None


def refuse_unknown(hub: HubSettings, space: str) -> None:
    """Raise `HubRefused` if the hub has no such space."""
    if space not in hub.names():
        raise HubRefused(f"There is no space {space} in {hub.spaces}. There are: {', '.join(hub.names()) or 'none'}.")


@contextmanager
def reserved(hub: HubSettings, space: str) -> Iterator[None]:
    """Keep other operators from adding, resuming, removing or moving out this space. Raises `HubRefused`."""
    with closing(Roster(hub)) as roster:
        if not roster.reserve(space):
            raise HubRefused(
                f"Another operator is adding, resuming, removing or moving out {space} right now. Nothing was changed. "
                "Try again when that has ended."
            )
        yield


# --- adding ------------------------------------------------------------------------------------------------


def begin_to_add(hub: HubSettings, space: str, *, moves_in: bool) -> bool:
    """Keep workers away from the space while it is added. Return whether its journal is in the database already.

    `moves_in`: with a journal of its own, which may replace one that no bot has worked on. Raises `HubRefused` if the
    space has been added, `StateInUse`.
    """
    with closing(Roster(hub)) as roster:
        journal, row = roster.journal_of(space), roster.view().of(space)
        is_here = journal.is_here and (journal.is_used or not moves_in)
        if is_here and row.problem != _unfinished("add"):
            paused = f" It is paused. To go on: fedbot hub resume {space}" if row.is_paused else ""
            raise HubRefused(
                f"{space} is in the hub already. Nothing was changed. To change its settings, edit "
                f"{hub.config_of(space)}: its bot reads them by itself.{paused}"
            )
        if journal.moved_to and not moves_in:  # a new bot would begin beside the one that left
            raise HubRefused(_has_left(space, journal))
        if not is_here and not moves_in and _has_begun_elsewhere(hub, space):
            raise HubRefused(
                f"Adding {space} has begun on another machine, or with --from. Give that command again. To begin anew: "
                f"fedbot hub remove {space} --sure"
            )
    pause(hub, space, why=_unfinished("add"))
    return is_here


def _has_begun_elsewhere(hub: HubSettings, space: str) -> bool:
    """Whether the settings are complete, but the identity that belongs to them isn't on this machine."""
    return has_database(hub, space) and not (hub.state_of(space) / JOURNAL).exists()


def has_database(hub: HubSettings, space: str) -> bool:
    """Whether the settings of a space name the database already: the questions have been answered."""
    config = hub.config_of(space)
    return config.exists() and "journal" in read_yaml(text_of(config))


def _unfinished(verb: str) -> str:
    """The reason for a pause that a command makes, until it has ended."""
    return f"fedbot hub {verb} has not ended: give the same command again"


def load_separate(source: Path, space: str) -> Settings:
    """The settings of a separate bot that can move into a hub. Raises `HubRefused`, `ConfigRefused`."""
    settings = load(source)
    if settings.party.id != space:
        raise HubRefused(f"{source} is about {settings.party.id}, not {space}. Call the space by that name.")
    if settings.journal.url:
        raise HubRefused(f"The journal of {space} is in a database. First: fedbot journal move to-file")
    return settings


def copy_settings(source: Path, hub: HubSettings, space: str) -> list[str]:
    """Copy the settings of a separate bot, and the secret files beside them, into the hub's folder.

    Return the paths of files that the settings name elsewhere; these are not copied. Raises `HubRefused`,
    `ConfigRefused`.
    """
    load_separate(source, space)
    folder, elsewhere = hub.folder_of(space), list[str]()
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    text = text_of(source)
    for named in _files_named(read_yaml(text)):
        file = source.parent / named.expanduser()
        if named.is_absolute() or ".." in named.parts or named.parts[0].startswith("~"):
            elsewhere.append(str(file))
            continue
        (folder / named).parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        write_whole(folder / named, file.read_bytes())
    for section in OF_THE_WORKER:
        text = without_section(text, section)
    write_whole(hub.config_of(space), text.encode())
    return elsewhere


def _files_named(raw: dict[str, Any]) -> list[Path]:
    sections = [section for section in raw.values() if isinstance(section, dict)]
    return [Path(value) for each in sections for name, value in each.items() if name.endswith(FILE) and value]


def take_in(hub: HubSettings, space: str, state: Path) -> Moved | None:
    """Move journal, keys and tokens from this state folder into the database, under the space's own sealing key.

    A space without a journal gets an empty one. Return None if they were moved before. Raises `ConfigRefused`,
    `JournalProblem`.
    """
    folder, config = hub.folder_of(space), hub.config_of(space)
    if not (folder / SEALING_KEY).exists():
        write_whole(folder / SEALING_KEY, secrets.token_hex(32).encode())
    if not (state / JOURNAL).exists():
        state.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        open_identity(identity_folder(load(config, None).hosted(state)))
        Journal.open(state).close()
    if not has_database(hub, space):
        write_whole(config, f"{text_of(config).rstrip()}\n\n{_journal_section(hub, folder)}".encode())
    try:
        return moving.into_database(load_space(hub, space).hosted(state))
    except MovedAlready:
        return None


def _journal_section(hub: HubSettings, folder: Path) -> str:
    journal = {"url": hub.database.url, "sealing_key_file": SEALING_KEY}
    if hub.database.password_file is not None:
        journal["password_file"] = os.path.relpath(hub.source.parent / hub.database.password_file, folder)
    return str(yaml.safe_dump({"journal": journal}, sort_keys=False, width=1000))


def without_section(text: str, name: str) -> str:
    """The text of a settings file without one top-level section. Everything else stays, including comments."""
    return re.sub(rf"(?m)^{name}:.*\n?(?:^(?:[ \t].*|[ \t]*)\n?)*", "", text)


# --- running -----------------------------------------------------------------------------------------------


def pause(hub: HubSettings, space: str, sleep: Callable[[float], None] = time.sleep, *, why: str = "") -> None:
    """Pause the space and wait until no worker has it. `why`: the reason, for operators.

    Raises `StateInUse` if one keeps it, and `HubRefused`.
    """
    with closing(Roster(hub)) as roster:
        roster.pause(space, why)
        waited = 0.0
        while other := (row := roster.view().of(space)).worker:
            if not row.is_paused:
                raise HubRefused(f"Somebody has resumed {space} meanwhile: {other} works for it.")
            if waited > PATIENCE:
                raise StateInUse(f"{other} still works for {space}, though it is paused. Look at that worker.", None)
            sleep(LOOKS_EVERY)
            waited += LOOKS_EVERY


def resume(hub: HubSettings, space: str) -> None:
    """Let workers claim the space from their next look on. Raises `HubRefused` if it isn't in the hub completely."""
    with closing(Roster(hub)) as roster:
        journal = roster.journal_of(space)
        if journal.moved_to:
            raise HubRefused(_has_left(space, journal))
        if not journal.is_here:
            raise HubRefused(f"{space} isn't completely in the hub. First: fedbot hub add {space}")
        roster.resume(space)


def _has_left(space: str, journal: JournalFound) -> str:
    return (
        f"{space} has left the hub and continues in {journal.moved_to}. To take it in again, stop its bot and run: "
        f"fedbot hub add {space} --from {Path(journal.moved_to).parent / CONFIG}"
    )


def move(hub: HubSettings, space: str, worker: str = "") -> str:
    """Move the space to this worker, or to the other worker with the fewest spaces, for as long as it runs.

    Return what happens next, for the operator. Raises `HubRefused`.
    """
    with closing(Roster(hub)) as roster:
        view = roster.view()
        there = view.workers - {view.of(space).worker}
        if worker and worker not in view.workers:
            raise HubRefused(f"There is no worker {worker}. There are: {', '.join(sorted(view.workers)) or 'none'}.")
        if not (worker or there):
            raise HubRefused(f"No other worker is there to take {space}. Start one: fedbot hub run")
        counted = Counter(row.worker for row in view.spaces.values())
        chosen = worker or min(there, key=lambda name: (counted[name], name))
        roster.want_at(space, chosen)
    if view.of(space).is_paused:
        return f"{space} is paused. Once you resume it, {chosen} takes it and keeps it as long as it runs."
    return f"{chosen} takes {space} within a few seconds, and keeps it as long as it runs."


# --- leaving -----------------------------------------------------------------------------------------------


def leave(hub: HubSettings, space: str, target: Path) -> Moved | None:
    """Move everything of a paused space into a folder, for a separate bot. Return None if it was moved before.

    Raises `HubRefused`, `ConfigRefused`, `JournalProblem`.
    """
    config, state = target / CONFIG, target / "state"
    refuse_used(hub, target, space)
    _refuse_absent(hub, space, state)
    pause(hub, space, why=_unfinished("leave"))
    settings = load_space(hub, space)
    target.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    write_whole(config, hub.config_of(space).read_bytes())  # first, because it shows that the folder is ours
    shutil.copytree(hub.folder_of(space), target, ignore=_only_the_hubs(hub.folder_of(space)), dirs_exist_ok=True)
    target.chmod(PRIVATE_FOLDER)
    state.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    try:
        moved: Moved | None = moving.into_folder(settings.hosted(state))
    except MovedAlready:
        if not (state / JOURNAL).exists():
            raise
        moved = None
    text = without_section(text_of(config), "journal")
    with closing(Roster(hub)) as roster:
        roster.pause(space, f"it has left the hub, into {target}")
    write_whole(config, f"{text.rstrip()}\n\nstate: state\n".encode(), PRIVATE_FILE)
    return moved


def refuse_used(hub: HubSettings, target: Path, space: str) -> None:
    """Raise `HubRefused` unless a space can leave into this folder.

    It can if the folder is new, empty, or has the rest of an interrupted `leave` of this space.
    """
    folder = target.resolve()
    if any(folder.is_relative_to(ours.resolve()) for ours in (hub.spaces, hub.state / "spaces")):
        raise HubRefused(f"{target} is in a folder of the hub. Give a new folder outside of it.")
    if target.exists() and not target.is_dir():
        raise HubRefused(f"{target} is a file. Give a new folder.")
    if target.exists() and any(target.iterdir()) and not _is_begun(target / CONFIG, space):
        raise HubRefused(f"{target} isn't empty. Give a new folder, or move that one away.")


def _refuse_absent(hub: HubSettings, space: str, state: Path) -> None:
    """Raise `HubRefused` if the hub has no journal that can move into this state folder."""
    with closing(Roster(hub)) as roster:
        journal = roster.journal_of(space)
    if journal.moved_to and Path(journal.moved_to) != state:
        raise HubRefused(f"{space} has left the hub already, and continues in {journal.moved_to}. Nothing was changed.")
    if not journal.is_used:
        raise HubRefused(
            f"The bot of {space} hasn't worked in this hub yet, so there is nothing to move out. Nothing was changed."
        )


def _only_the_hubs(folder: Path) -> Callable[[str, list[str]], set[str]]:
    """For `copytree`: leave out the sealing key, and the settings, which are copied before."""
    return lambda within, _: {SEALING_KEY, CONFIG} if Path(within) == folder else set()


def _is_begun(config: Path, space: str) -> bool:
    """Whether an interrupted `leave` of this space left these settings."""
    if not config.exists():
        return False
    raw = read_yaml(text_of(config))
    return "journal" in raw and raw.get("party", {}).get("id") == space


def refuse_removed(hub: HubSettings, space: str) -> None:
    """Raise `HubRefused` if the hub has nothing of this space, not even the rest of an interrupted `remove`.

    Also if no space has a folder: then the shared folder is probably not mounted.
    """
    if hub.folder_of(space).exists():
        return
    with closing(Roster(hub)) as roster:
        view, journal = roster.view(), roster.journal_of(space)
    if not (view.of(space).is_hosted or journal.has_journal):
        refuse_unknown(hub, space)
    others = [name for name, row in view.spaces.items() if row.is_hosted and name != space]
    if journal.has_journal and others and not hub.names():
        raise HubRefused(
            f"No space has a folder in {hub.spaces}, though the database has {len(others) + 1}. Is that folder mounted "
            "on this machine? Nothing was deleted."
        )


def remove(hub: HubSettings, space: str) -> None:
    """Delete the journal, keys, tokens, settings and secrets of a paused space from the hub.

    Raises `HubRefused`, `JournalProblem`.
    """
    with closing(Roster(hub)) as roster:
        if hub.config_of(space).exists() and not roster.view().of(space).is_paused:
            raise HubRefused(f"{space} isn't paused. First: fedbot hub pause {space}")
        lease = claim(roster.address(space), "fedbot hub remove")
        if lease is None:
            raise StateInUse(f"{holder(roster.address(space))} works for {space}.", None)
        try:
            _refuse_half_moved(space, roster.journal_of(space))
            roster.drop(space)
            _delete_folder(hub, space)
            roster.forget(space)  # last, so that no worker ever finds it unpaused and without its journal
        finally:
            lease.release()


def _refuse_half_moved(space: str, journal: JournalFound) -> None:
    """Raise `HubRefused` if an interrupted move into or out of the hub needs the journal to be finished."""
    if journal.moved_to and ARRIVING in moving.marks_of_file(Path(journal.moved_to) / JOURNAL):
        target = Path(journal.moved_to).parent
        raise HubRefused(
            f"{space} hasn't left completely. Nothing was deleted. First: fedbot hub leave {space} {target}"
        )
    if journal.arrives_from and MOVED in moving.marks_of_file(Path(journal.arrives_from) / JOURNAL):
        raise HubRefused(
            f"{space} hasn't moved in completely, from {journal.arrives_from}. Nothing was deleted. First give the "
            "same `fedbot hub add` again."
        )


def _delete_folder(hub: HubSettings, space: str) -> None:
    """Delete the space's folder, its settings last: until then the hub lists it, and `remove` can be repeated."""
    folder, config = hub.folder_of(space), hub.config_of(space)
    if not folder.exists():
        return
    for each in folder.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        elif each.name != CONFIG:
            each.unlink()
    config.unlink(missing_ok=True)
    folder.rmdir()
