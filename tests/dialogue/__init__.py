"""Conversations: people type and tap, two bots answer, two InvenTrees change. All in one process, time by hand.

What is said and booked is real (rules, words, journal, InvenTree edge); the homeserver is the tests' fake.
"""
