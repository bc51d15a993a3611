"""Instants as they stand in the tables: always UTC and of one length, so that text order is their order."""

from __future__ import annotations

from datetime import UTC, datetime


def to_text(instant: datetime) -> str:
    """For example `2026-11-24T20:14:00.000000+00:00`. Raises ValueError without a time zone."""
    if instant.tzinfo is None:
        raise ValueError("an instant without a time zone")
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


def from_text(text: str) -> datetime:
    """The instant, in UTC."""
    return datetime.fromisoformat(text)


def optional_to_text(instant: datetime | None) -> str | None:
    """The same, or None for None."""
    return None if instant is None else to_text(instant)


def optional_from_text(text: str | None) -> datetime | None:
    """The same, or None for None."""
    return None if text is None else from_text(text)
