"""Keys and tokens: in files of an identity folder, or sealed in a database; and tokens by reference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
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


class SealedFile(Protocol):
    """A file that lies sealed in a database; it is read and removed as a `Path` is."""

    @property
    def name(self) -> str:
        """Its last part."""

    def exists(self) -> bool:
        """Whether it is there."""

    def read_bytes(self) -> bytes:
        """What is in it. Raises FileNotFoundError."""

    def read_text(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The same as text."""

    def write_whole(self, content: bytes) -> None:
        """It has this content, durably, or is as it was. Raises `JournalProblem`."""

    def unlink(self, missing_ok: bool = False) -> None:  # noqa: FBT001, FBT002 -- as a Path's
        """Remove it. Raises FileNotFoundError."""


class SealedFolder(Protocol):
    """An identity folder, or one in it, that lies sealed in a database. Only who holds the space's lease can write."""

    def __truediv__(self, name: str) -> SealedFile:
        """A file in it."""

    def within(self, name: str) -> SealedFolder:
        """A folder in it."""

    def names(self) -> Iterator[str]:
        """What is in it, without what is in its folders."""

    def rows(self, store: str) -> list[tuple[str, int, bytes]]:
        """The rows of a small database in it, as (table, number, content)."""

    def keep_rows(self, store: str, rows: Iterable[tuple[str, int, bytes | None]]) -> None:
        """Change these rows, durably; None removes one. Raises `JournalProblem`."""

    def stores(self) -> list[str]:
        """The small databases in it."""

    def remove_store(self, store: str) -> None:
        """With all its rows."""

    def rename_store(self, store: str, name: str) -> None:
        """Under another name from now on."""


Folder = Path | SealedFolder
File = Path | SealedFile
