"""One line of the audit: who did what, through which event. Read back by `!fed show`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class AuditEntry:
    """What happened to `subject`, by whom (a Matrix id, or ''), through which event.

    `user` and `user_key` are the name and the id of that person's user in our InvenTree ('' and 0 if not known);
    `terms_hash` are the terms of the transfer as they were then.
    """

    subject: str
    what: str
    who: str = ""
    event_id: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    user: str = ""
    user_key: int = 0
    terms_hash: str = ""
