"""The rules of the federation: pure functions over frozen data, no I/O, no clock, no randomness.

Nothing here talks to Matrix, InvenTree or SQLite, or imports the rest of fedbot.
"""
