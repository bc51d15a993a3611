"""The wiring: settings become edges, journal, rules and lanes, and run until told to stop.

What decides lives in `federation`, what touches the world in `chat`, `inventree` and `journal`.
"""

from fedbot.engine.bot import Bot, HistoryWithoutState, Ports, rebuild, run
from fedbot.engine.syncing import AccountTaken

__all__ = ["AccountTaken", "Bot", "HistoryWithoutState", "Ports", "rebuild", "run"]
