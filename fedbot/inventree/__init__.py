"""The InvenTree edge: it turns the rules' queries and steps into calls to our own InvenTree.

It contains no rule, and knows nothing of chat, journal or the party's configuration file.
"""
