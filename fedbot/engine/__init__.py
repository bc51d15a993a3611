"""The engine: it connects settings, edges, journal, rules and workers, and runs them until told to stop.

Decisions are made in `rules`; `matrix`, `inventree` and `journal` touch the world.
"""

from fedbot.engine.bot import Bot, HistoryWithoutState, Ports, rebuild, run
from fedbot.engine.syncing import AccountTaken
from fedbot.web.server import CannotListen

__all__ = ["AccountTaken", "Bot", "CannotListen", "HistoryWithoutState", "Ports", "rebuild", "run"]
