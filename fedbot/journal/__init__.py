"""The journal: one database with inbox, outbox, documents, our posts and the audit. Every change is one transaction.

`rules` defines what the rows mean. Tokens and keys are elsewhere (`fedbot.identity`).
"""
