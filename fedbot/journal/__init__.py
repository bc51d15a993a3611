"""The journal: one SQLite file with inbox, outbox, documents, our posts and the audit; all or nothing.

What the rows mean is for `rules` to say; tokens and keys don't live here (`fedbot.identity`).
"""

from fedbot.journal.journal import Journal

__all__ = ["Journal"]
