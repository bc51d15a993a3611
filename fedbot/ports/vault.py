"""Keys and tokens by reference, in files of an identity folder or sealed in a database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol


class NoSuchSecret(LookupError):
    """Nothing is stored under this reference. The reference itself is not secret."""


class Vault(Protocol):
    """Tokens by reference, apart from the journal."""

    def keep(self, reference: str, secret: str) -> None:
        """Store it durably, replacing what was there."""

    def read(self, reference: str) -> str:
        """Return the secret. Raises `NoSuchSecret`."""

    def forget(self, reference: str) -> None:
        """Remove it, if it exists."""


class SealedFile(Protocol):
    """A file sealed in a database. Read and remove it like a `Path`."""

    @property
    def name(self) -> str:
        """Its file name."""

    def exists(self) -> bool:
        """Whether it exists."""

    def read_bytes(self) -> bytes:
        """Its content. Raises FileNotFoundError."""

    def read_text(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Its content as text."""

    def write_whole(self, content: bytes) -> None:
        """Replace the content durably, or change nothing. Raises `JournalProblem`."""

    def unlink(self, missing_ok: bool = False) -> None:  # noqa: FBT001, FBT002 -- like a Path's
        """Remove it. Raises FileNotFoundError."""


class SealedFolder(Protocol):
    """A sealed identity folder in a database, or a folder in one. Only the holder of the space's lease can write."""

    def __truediv__(self, name: str) -> SealedFile:
        """The file of that name."""

    def within(self, name: str) -> SealedFolder:
        """The subfolder of that name."""

    def names(self) -> Iterator[str]:
        """The names of its files, without those of its subfolders."""

    def rows(self, store: str) -> list[tuple[str, int, bytes]]:
        """The rows of one of its small databases, as (table, number, content)."""

    def keep_rows(self, store: str, rows: Iterable[tuple[str, int, bytes | None]]) -> None:
        """Write these rows durably; None removes one. Raises `JournalProblem`."""

    def stores(self) -> list[str]:
        """The names of its small databases."""

    def remove_store(self, store: str) -> None:
        """Remove a small database with all its rows."""

    def rename_store(self, store: str, name: str) -> None:
        """Rename a small database."""


Folder = Path | SealedFolder
File = Path | SealedFile
