"""The InvenTree edge: the rules' queries and steps become calls to our own InvenTree, its answers facts.

No rule lives here, and nothing here knows of chat, journal or the party's configuration file.
"""
