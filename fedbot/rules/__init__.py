"""The rules of the federation: pure functions over frozen data, no I/O, no clock, no randomness.

What talks to Matrix, InvenTree or SQLite does not live here, and nothing here imports the rest of fedbot.
"""
