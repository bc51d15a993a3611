"""The settings of one bot: typed, frozen, read from a YAML file, every problem told in a sentence.

What a setting means to the rules is in `rules`; nothing here talks to Matrix or InvenTree.
"""

from fedbot.config.loading import load
from fedbot.config.problems import ConfigRefused, Problem
from fedbot.config.settings import Settings

__all__ = ["ConfigRefused", "Problem", "Settings", "load"]
