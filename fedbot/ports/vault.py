"""Tokens by reference."""

from __future__ import annotations

from typing import Protocol


class NoSuchSecret(LookupError):
    """Nothing is kept under this reference. The reference is no secret itself."""


class Vault(Protocol):
    """Tokens by reference, apart from the journal, in the identity folder."""

    def keep(self, reference: str, secret: str) -> None:
        """Keep it durably, in place of what was there."""

    def read(self, reference: str) -> str:
        """The secret. Raises `NoSuchSecret`."""

    def forget(self, reference: str) -> None:
        """Remove it, if it is there."""
