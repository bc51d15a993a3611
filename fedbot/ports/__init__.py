"""The ports between the rules and the world. Each has an in-memory fake that the tests use.

`engine` takes the real ones: Chat is `matrix.client`, Inventory `inventree.inventory`, Journal `journal.journal`.
"""

from __future__ import annotations

from fedbot.ports.chat import (
    Batch,
    Chat,
    ChatLimited,
    ChatProblem,
    ChatRefused,
    ChatSignedOut,
    ChatUnreachable,
    Delivery,
    Media,
    OwnMessage,
)
from fedbot.ports.clock import Clock
from fedbot.ports.inventory import Inventory, InventoryProblem, NotPermitted, OutcomeUnknown, Refusal, Unavailable
from fedbot.ports.journal import (
    Audited,
    Committed,
    Drawing,
    Journal,
    JournalDamaged,
    JournalProblem,
    JournalTooNew,
    JournalUnwritable,
    Lane,
    Letter,
    NotStorable,
    OutboxRow,
    PostPlace,
    Queued,
    Retention,
    RowState,
    Seed,
    StateInUse,
    Stored,
    UnreadableRow,
    WrongTurn,
)
from fedbot.ports.vault import NoSuchSecret, Vault

__all__ = [
    "Audited",
    "Batch",
    "Chat",
    "ChatLimited",
    "ChatProblem",
    "ChatRefused",
    "ChatSignedOut",
    "ChatUnreachable",
    "Clock",
    "Committed",
    "Delivery",
    "Drawing",
    "Inventory",
    "InventoryProblem",
    "Journal",
    "JournalDamaged",
    "JournalProblem",
    "JournalTooNew",
    "JournalUnwritable",
    "Lane",
    "Letter",
    "Media",
    "NoSuchSecret",
    "NotPermitted",
    "NotStorable",
    "OutboxRow",
    "OutcomeUnknown",
    "OwnMessage",
    "PostPlace",
    "Queued",
    "Refusal",
    "Retention",
    "RowState",
    "Seed",
    "StateInUse",
    "Stored",
    "Unavailable",
    "UnreadableRow",
    "Vault",
    "WrongTurn",
]
