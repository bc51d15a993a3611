"""The whole system: two bots as processes, a real homeserver, InvenTrees over HTTP."""
