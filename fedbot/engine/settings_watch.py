"""Looks at the settings file every few seconds, and reads it again when it has changed.

New settings apply at once, except those that need a restart (`AFTER_A_RESTART`). A file with a mistake changes nothing.
Both cases are events, so the admins are informed and the journal has a record. `fedbot.inventree.inventory` looks at
the token files itself.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from fedbot.config.loading import load, stamp_of
from fedbot.config.problems import ConfigRefused, Problem
from fedbot.config.settings import Settings, Stamp
from fedbot.ports.chat import ChatProblem, ChatUnreachable

log = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 3.0
AFTER_A_RESTART = ("matrix", "journal", "state", "web", "pages")
"""Sections that need a restart; `party.id` needs one too."""

NOT_READ: Stamp = (0, 0, 0)
Tell = Callable[[tuple[str, ...], tuple[str, ...], tuple[Problem, ...]], None]


class SettingsWatch:
    """Watches the file of these settings.

    `use` applies new settings; it raises `ChatProblem` if a room's address can't be resolved. `tell` gets the changed
    settings, which of them wait for a restart, and the problems that make the file unusable.
    """

    def __init__(self, settings: Settings, use: Callable[[Settings], Awaitable[None]], tell: Tell) -> None:
        self._settings = settings
        self._use = use
        self._tell = tell
        self._known = settings.stamp
        self._seen = self._known

    async def look(self) -> None:
        """Read the file again if it has changed, and is the same as at the last look, so nobody is writing it."""
        before, self._seen = self._seen, stamp_of(self._settings.source)
        if self._seen not in (self._known, None) and self._seen == before:
            self._known = self._seen
            await self._read()

    async def _read(self) -> None:
        try:
            read = load(self._settings.source)
            live = _live(self._settings, read)
            await self._use(live)
        except ConfigRefused as refused:
            problems = refused.problems
        except ChatUnreachable as silent:
            log.warning("the settings have changed, but a room's address can't be looked up now: %s", silent.text)
            self._known = NOT_READ
            return
        except ChatProblem as problem:
            problems = (Problem("rooms", problem.text, "write the room's id, or an address that leads to it"),)
        except Exception as fault:
            log.exception("the settings can't be taken into use")
            problems = (Problem("", f"a fault in fedbot ({type(fault).__name__})", "report it with what my log says"),)
        else:
            changed = _differences(self._settings, read)
            waiting = tuple(path for path in changed if path == "party.id" or path.split(".")[0] in AFTER_A_RESTART)
            self._settings = live
            log.info("the settings were read again", extra={"changed": ", ".join(changed)})
            if changed:
                self._tell(tuple(path for path in changed if path not in waiting), waiting, ())
            return
        for each in problems:
            log.error("the settings file has a fault and is not used: %s", each)
        self._tell((), (), problems)


def _live(old: Settings, new: Settings) -> Settings:
    """The new settings, as far as they apply without a restart."""
    kept: dict[str, Any] = {name: getattr(old, name) for name in AFTER_A_RESTART}
    kept["party"] = new.party.model_copy(update={"id": old.party.id})
    return new.model_copy(update=kept)


def _differences(old: Settings, new: Settings) -> tuple[str, ...]:
    """The names of the changed settings (`people`, `rules.grace_seconds`, `inventree.token`), never their values."""
    found: list[str] = []
    for name in type(new).model_fields:
        before, after = getattr(old, name), getattr(new, name)
        if before == after:
            continue
        fields = getattr(type(after), "model_fields", None)
        if fields is None:
            found.append(name)
        else:
            found += [f"{name}.{each}" for each in fields if getattr(before, each) != getattr(after, each)]
    return tuple(found)
