"""Keys and tokens of a space, sealed in its database. The workers have the key; the database doesn't.

The sealed text names its space and its file or row, so a person who can write to the database can't swap two of them.
The seal doesn't show whether a version is the newest. Every write checks the lease like the journal's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from fedbot.journal.database import Statements, Tables
from fedbot.ports.journal import JournalProblem
from fedbot.ports.vault import SealedFile, SealedFolder

_END = "\x1f"
"""Separates the parts of a name; no part contains it."""


class WrongKey(JournalProblem):
    """The sealed content can't be opened with this key, or was changed."""


class Seal:
    """Seals and opens the files and rows of one space."""

    def __init__(self, key: bytes, space: str) -> None:
        """`key`: 32 bytes."""
        self._box = SecretBox(key)
        self._space = space

    def seal(self, name: str, content: bytes) -> bytes:
        """The content sealed, with a nonce of its own."""
        return bytes(self._box.encrypt(self._label(name) + content))

    def unseal(self, name: str, sealed: bytes) -> bytes:
        """The content that was sealed under that name. Raises `WrongKey`."""
        label = self._label(name)
        try:
            content = bytes(self._box.decrypt(bytes(sealed)))
        except CryptoError as problem:
            raise WrongKey(
                f"The keys and tokens of {self._space} can't be opened with this sealing key. Nothing was changed. "
                "Give the key by which they were sealed (journal.sealing_key_file)."
            ) from problem
        if not content.startswith(label):
            raise WrongKey(f"Somebody has put something else in the place of {name} of {self._space}. It isn't used.")
        return content[len(label) :]

    def _label(self, name: str) -> bytes:
        return f"{self._space}{_END}{name}{_END}".encode()


@dataclass(frozen=True)
class FileInDatabase(SealedFile):
    """One file; `path` is its full name."""

    database: Tables
    seal: Seal
    path: str

    @property
    def name(self) -> str:
        """Its file name."""
        return self.path.rpartition("/")[2]

    def __str__(self) -> str:
        return f"{self.path} (in the database)"

    def exists(self) -> bool:
        """Whether it exists."""
        return bool(self.database.rows("SELECT 1 FROM sealed_files WHERE name = ?", self.path))

    def read_bytes(self) -> bytes:
        """Its content. Raises FileNotFoundError, `WrongKey`."""
        found = self.database.rows("SELECT content FROM sealed_files WHERE name = ?", self.path)
        if not found:
            raise FileNotFoundError(self.path)
        return self.seal.unseal(self.path, found[0][0])

    def read_text(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Its content as text."""
        return self.read_bytes().decode(encoding, errors)

    def write_whole(self, content: bytes) -> None:
        """Replace the content durably, or change nothing. Raises `JournalProblem`."""
        with self.database.transaction() as connection:
            put_file(connection, self.seal, self.path, content)

    def unlink(self, missing_ok: bool = False) -> None:  # noqa: FBT001, FBT002 -- like a Path's
        """Remove it. Raises FileNotFoundError."""
        with self.database.transaction() as connection:
            gone = connection.execute("DELETE FROM sealed_files WHERE name = ?", (self.path,)).rowcount
        if not gone and not missing_ok:
            raise FileNotFoundError(self.path)


@dataclass(frozen=True)
class FolderInDatabase(SealedFolder):
    """The identity folder of a space, or a folder in it; `path` is '' or ends with a slash."""

    database: Tables
    seal: Seal
    path: str = ""

    def __str__(self) -> str:
        return f"{self.path or 'identity'} (in the database)"

    def __truediv__(self, name: str) -> FileInDatabase:
        return FileInDatabase(self.database, self.seal, f"{self.path}{name}")

    def within(self, name: str) -> FolderInDatabase:
        """The subfolder of that name."""
        return FolderInDatabase(self.database, self.seal, f"{self.path}{name}/")

    def names(self) -> Iterator[str]:
        """The names of its files, without those of its subfolders."""
        for (name,) in self.database.rows("SELECT name FROM sealed_files ORDER BY name"):
            inner = str(name).removeprefix(self.path)
            if str(name).startswith(self.path) and "/" not in inner:
                yield inner

    def rows(self, store: str) -> list[tuple[str, int, bytes]]:
        """The rows of one of its small databases, as (table, number, content). Raises `WrongKey`."""
        found = self.database.rows(
            "SELECT part, number, content FROM sealed_rows WHERE store = ? ORDER BY part, number", self.path + store
        )
        return [(part, number, self.seal.unseal(row_name(part, number), content)) for part, number, content in found]

    def keep_rows(self, store: str, rows: Iterable[tuple[str, int, bytes | None]]) -> None:
        """Write these rows durably; None removes one. Raises `JournalProblem`."""
        with self.database.transaction() as connection:
            put_rows(connection, self.seal, self.path + store, rows)

    def stores(self) -> list[str]:
        """The names of its small databases."""
        found = self.database.rows("SELECT DISTINCT store FROM sealed_rows ORDER BY store")
        return [str(store).removeprefix(self.path) for (store,) in found if str(store).startswith(self.path)]

    def rename_store(self, store: str, name: str) -> None:
        """Rename a small database, replacing one of that name."""
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM sealed_rows WHERE store = ?", (self.path + name,))
            connection.execute(
                "UPDATE sealed_rows SET store = ? WHERE store = ?", (self.path + name, self.path + store)
            )

    def remove_store(self, store: str) -> None:
        """Remove a small database with all its rows."""
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM sealed_rows WHERE store = ?", (self.path + store,))


def row_name(part: str, number: int) -> str:
    """The name that a row is sealed under. It leaves out the store, because stores are renamed."""
    return f"{part} {number}"


def put_file(connection: Statements, seal: Seal, path: str, content: bytes) -> None:
    """Store a file, within a transaction."""
    connection.execute(
        "INSERT INTO sealed_files (name, content) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET content = excluded.content",
        (path, seal.seal(path, content)),
    )


def put_rows(connection: Statements, seal: Seal, store: str, rows: Iterable[tuple[str, int, bytes | None]]) -> None:
    """Store or remove rows, within a transaction."""
    for part, number, content in rows:
        if content is None:
            connection.execute(
                "DELETE FROM sealed_rows WHERE store = ? AND part = ? AND number = ?", (store, part, number)
            )
            continue
        connection.execute(
            "INSERT INTO sealed_rows (store, part, number, content) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (store, part, number) DO UPDATE SET content = excluded.content",
            (store, part, number, seal.seal(row_name(part, number), content)),
        )
