"""The journal: one SQLite file with inbox, outbox, documents, our posts and the audit; all or nothing.

`rules` says what the rows mean. Tokens and keys are elsewhere (`fedbot.identity`).
"""

from fedbot.journal.journal import Journal

__all__ = ["Journal"]
