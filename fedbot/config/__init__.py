"""The settings of one bot: typed, frozen, read from a YAML file, with every problem reported in a sentence.

The rules define what a setting means. Nothing here calls Matrix or InvenTree.
"""
