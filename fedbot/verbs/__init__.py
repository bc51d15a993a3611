"""The verbs that people can say: one file each with its spec as data and what it does; and the one parser.

What a person reads does not live here (`chat/words`), nor who may do what (`federation`).
"""

from fedbot.verbs.registry import Registry, catalogue

__all__ = ["Registry", "catalogue"]
