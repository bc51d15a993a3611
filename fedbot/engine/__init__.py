"""The engine: settings become edges, journal, rules and workers, and run until told to stop.

What decides lives in `rules`, what touches the world in `matrix`, `inventree` and `journal`.
"""

from fedbot.engine.bot import Bot, HistoryWithoutState, Ports, rebuild, run
from fedbot.engine.syncing import AccountTaken
from fedbot.web.server import CannotListen

__all__ = ["AccountTaken", "Bot", "CannotListen", "HistoryWithoutState", "Ports", "rebuild", "run"]
