"""What failed unforeseen, as rows of the journal: read by the running bot and, beside it, by `fedbot status`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fedbot.journal.codec import instant_from_text
from fedbot.rules.model.ledger import Quarantined

QUARANTINED = "SELECT number, what, subject, problem, at, event FROM quarantine ORDER BY number"


def quarantined_rows(rows: Iterable[tuple[Any, ...]]) -> tuple[Quarantined, ...]:
    """The rows that `QUARANTINED` finds."""
    return tuple(
        Quarantined(what, subject, problem, instant_from_text(at), number, is_event=event is not None)
        for number, what, subject, problem, at, event in rows
    )
