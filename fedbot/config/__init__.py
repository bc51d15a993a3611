"""The settings of one bot: typed, frozen, read from a YAML file, with every problem reported in a sentence.

The rules define what a setting means. Nothing here calls Matrix or InvenTree.
"""

from fedbot.config.loading import load
from fedbot.config.problems import ConfigRefused, Problem
from fedbot.config.settings import Settings

__all__ = ["ConfigRefused", "Problem", "Settings", "load"]
