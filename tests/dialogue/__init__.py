"""Conversations: people write and react, two bots answer, two InvenTrees change, in one process on a clock moved by
hand.

The rules, sentences, journal and InvenTree edge are real; the homeserver is a fake.
"""
