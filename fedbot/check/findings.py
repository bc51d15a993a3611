"""Findings, those that need no server, and whether a check of exactly these settings has passed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Timer

from fedbot.config.problems import Problem
from fedbot.config.settings import Settings
from fedbot.edge_settings import journal_place
from fedbot.files import PRIVATE_FOLDER, why_unwritable
from fedbot.journal.copies import documents
from fedbot.messages.language import languages
from fedbot.ports.journal import JournalProblem, NoJournal
from fedbot.rules.model.party_config import Roster


@dataclass(frozen=True)
class Finding:
    """One line of the check. A good one with a `todo` is a warning: it works, but should be better."""

    name: str
    good: bool
    what: str
    todo: str = ""


def good(name: str, what: str, todo: str = "") -> Finding:
    """A finding that is OK; with a `todo`, a warning."""
    return Finding(name, good=True, what=what, todo=todo)


def bad(name: str, what: str, todo: str = "") -> Finding:
    """A finding that `todo` says how to fix; without a `todo`, `what` says it."""
    return Finding(name, good=False, what=what, todo=todo)


def of_problem(problem: Problem) -> Finding:
    """A problem of the settings as a finding."""
    return bad(problem.path or "settings", problem.said or "can't be used", problem.instead)


def unreadable(problem: JournalProblem) -> Finding:
    """The finding that the journal, or what is kept beside it, can't be read."""
    return bad("journal", str(problem), "fix that first: the bot can't start without it")


def settings_findings(settings: Settings) -> list[Finding]:
    """Findings about valid settings: unwise values, and whether the state folder and the journal are usable."""
    unwise = [good(warning.path or "settings", warning.said, warning.instead) for warning in settings.warnings]
    if settings.party.language not in languages():
        todo = f"the bot doesn't speak it, so it speaks English; write one of {', '.join(languages())}"
        unwise.append(good("party.language", settings.party.language, todo))
    if not settings.admin_room:
        todo = "create a private room, invite the bot, and write the room's id as admin_room"
        unwise.append(good("admin_room", "none: the bot only logs outages and clicks to do", todo))
    return [good("settings", f"{settings.source} is fine"), *unwise, _state_folder(settings), *_people(settings)]


def roster_of(settings: Settings) -> Roster:
    """The people who were added or removed while the bot ran, from its journal; empty if it has not run yet.

    Raises `JournalProblem` if the journal can't be read.
    """
    try:
        kept = documents(journal_place(settings), Roster)
    except NoJournal:
        return Roster()
    return next((document for document in kept if isinstance(document, Roster)), Roster())


def people_of(settings: Settings) -> dict[str, str]:
    """Our people and their InvenTree users, from the settings and the journal together. Raises like `roster_of`."""
    roster = roster_of(settings)
    everybody = {**settings.people, **roster.people}
    return {person: user for person, user in everybody.items() if person not in roster.removed}


def _people(settings: Settings) -> list[Finding]:
    """Findings about people who were added or removed while the bot ran, because the settings don't name them."""
    try:
        roster = roster_of(settings)
    except JournalProblem as problem:
        return [unreadable(problem)]
    added = {**roster.people, **{admin: "admin" for admin in roster.admins if admin not in roster.people}}
    told = [f"{person} ({what}) was added while the bot ran" for person, what in sorted(added.items())]
    told += [f"{person} was removed while the bot ran, so the bot ignores them" for person in sorted(roster.removed)]
    return [good("people", each) for each in told]


def _state_folder(settings: Settings) -> Finding:
    folder = settings.state
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        return bad("state", f"{folder} can't be created ({error.strerror})", "create it, owned by fedbot's user")
    if why := why_unwritable(folder):
        todo = "free some space on it" if why.endswith("full") else "give it to fedbot's user: chown, chmod 700"
        return bad("state", why, todo)
    return good("state", str(folder))


SLOW_AFTER = 1.5
"""The seconds after which a person wants to know what a command waits for."""


def ignored(_: str) -> None:
    """Tell nobody."""


@contextmanager
def told_if_slow(tell: Callable[[str], None], what: str) -> Iterator[None]:
    """If this takes longer than a moment, tell what is waited for, from another thread: this one may be blocked."""
    timer = Timer(SLOW_AFTER, tell, [f"Waiting for {what} …"])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


CLOCK_FAILS = timedelta(hours=1)
"""With a larger difference, tokens end at another time than meant, and due dates are wrong."""
SET_THE_CLOCK = "set the one that is wrong; on this machine: timedatectl set-ntp true"


def clocks_differ(ahead: timedelta, url: str) -> str:
    """A sentence: our clock is so much ahead of that server's, or behind it."""
    where = "ahead of" if ahead > timedelta() else "behind"
    return f"this machine's clock is {timedelta(seconds=round(abs(ahead).total_seconds()))} {where} that of {url}"


_FILE = "checked"


def remember(settings: Settings) -> None:
    """Note that a check of these settings passed."""
    (settings.state / _FILE).write_text(_fingerprint(settings))


def has_passed(settings: Settings) -> bool:
    """Whether a check of exactly these settings has passed. A change of the file resets it."""
    try:
        return (settings.state / _FILE).read_text() == _fingerprint(settings)
    except OSError:
        return False


def _fingerprint(settings: Settings) -> str:
    return hashlib.sha256(settings.source.read_bytes()).hexdigest() + "\n"
