"""The life of a loan as a table: how it ends, and which end may still become another.

`decide` refuses to commit any other arrow.
"""

from __future__ import annotations

from collections.abc import Mapping

from fedbot.rules.model.decision import Ending

ARROWS: Mapping[Ending | None, frozenset[Ending | None]] = {
    None: frozenset(Ending),
    Ending.KEPT: frozenset({None, Ending.RETURNED, Ending.GIFT, Ending.LOST}),
}
"""None is on loan. What the borrower has closed alone is on loan again, or over otherwise, once its owner says so."""


def allows(before: Ending | None, after: Ending | None) -> bool:
    """Whether a loan may go from that end (None: it is on loan) to this one."""
    return before is after or after in ARROWS.get(before, frozenset())
