"""One line of the audit: who did what, through which event. Read back by `!fed show`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class AuditEntry:
    """What happened to `subject`, by whom (a Matrix id, or ''), through which event."""

    subject: str
    what: str
    who: str = ""
    event_id: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
