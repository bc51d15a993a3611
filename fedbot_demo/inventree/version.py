"""What depends on the version of InvenTree: one profile a version, and nothing about versions anywhere else.

Now there is the newest; older ones (1.0, 0.17, 0.13) become profiles of their own here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Version:
    """One version of InvenTree as its clients see it."""

    api: int
    release: str
    python: str
    django: str
    #: The permission that reading metadata takes: 'change' for every method from API 436 on (facts: first facts).
    metadata_read: str


NEWEST = Version(api=530, release="1.5.0 dev", python="3.13.5", django="5.2.16", metadata_read="change")
