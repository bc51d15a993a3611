"""The verbs that people can type, one file each with its spec as data and its handler; and the one parser.

Texts for people are in `fedbot.messages`, permissions in `fedbot.rules`.
"""

from fedbot.commands.registry import Registry, catalogue

__all__ = ["Registry", "catalogue"]
