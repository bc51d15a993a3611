"""The whole: two bots as processes, a real homeserver with its default limits, InvenTrees over HTTP."""
