"""The verbs that people can say: one file each with its spec as data and what it does; and the one parser.

What a person reads does not live here (`fedbot.messages`), nor who may do what (`fedbot.rules`).
"""

from fedbot.commands.registry import Registry, catalogue

__all__ = ["Registry", "catalogue"]
