"""The identity folder, apart from the journal: our signing key, and the tokens that we hold.

A person with this folder can speak as us and read what is sealed to us. Everything in it is for its owner alone. The
key is never replaced automatically, because the peers have pinned it. Back it up.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from urllib.parse import quote

from fedbot.files import close_to_others, drafts_of, private_folder, sync_folder, within, write_whole
from fedbot.logs import keep_secret
from fedbot.ports.vault import File, Folder, NoSuchSecret, Vault
from fedbot.rules.wire import SEED_BYTES, Identity

SEED_FILE = "signing.key"
SECRETS_FOLDER = "secrets"
LONGEST_NAME = 200  # a file name has 255 bytes at most, ending included

_SEED = re.compile(rf"[0-9a-f]{{{2 * SEED_BYTES}}}\n?")


class IdentityDamaged(Exception):
    """The signing key can't be read. None is created: with a new one we would be a stranger to every peer."""


def open_identity(folder: Folder) -> Identity:
    """Our identity; on the first start a new one, in a new folder if necessary.

    Raises `IdentityDamaged`, and OSError if the folder can't be used. Only the process that holds the state folder may
    call it.
    """
    if isinstance(folder, Path):
        private_folder(folder)
    file = folder / SEED_FILE
    if not file.exists():
        write_whole(file, f"{secrets.token_bytes(SEED_BYTES).hex()}\n".encode())
    if isinstance(file, Path):
        close_to_others(file)
    text = file.read_text("utf-8", errors="replace")
    if not _SEED.fullmatch(text):
        raise IdentityDamaged(
            f"{file} does not hold a signing key any more. Put it back from a backup. If there is none, move it "
            "away: a new one is made at the next start, and every peer must look at the connection (!fed review)."
        )
    keep_secret(text.strip())
    return Identity(bytes.fromhex(text))


class FileVault(Vault):
    """Each secret is in its own file, written completely or not at all, and read again each time.

    So another process (`fedbot credentials add`) can add one while the bot runs.
    """

    def __init__(self, folder: Folder) -> None:
        """`folder` is the identity folder."""
        self._folder = within(folder, SECRETS_FOLDER)
        if isinstance(folder, Path):
            private_folder(folder)
            private_folder(folder / SECRETS_FOLDER)

    def __repr__(self) -> str:
        return f"FileVault({str(self._folder)!r})"

    def keep(self, reference: str, secret: str) -> None:
        """Store it durably, replacing what was there. Raises ValueError for a reference that is too long."""
        keep_secret(secret)
        write_whole(self._file(reference), secret.encode())

    def read(self, reference: str) -> str:
        """Return the secret. Raises `NoSuchSecret`."""
        try:
            secret = self._file(reference).read_bytes().decode()
        except FileNotFoundError:
            raise NoSuchSecret(reference) from None
        keep_secret(secret)
        return secret

    def forget(self, reference: str) -> None:
        """Remove it, if it exists, and drafts that a crash may have left."""
        file = self._file(reference)
        file.unlink(missing_ok=True)
        if isinstance(file, Path):
            for left in drafts_of(file):
                left.unlink(missing_ok=True)
            sync_folder(file.parent)

    def _file(self, reference: str) -> File:
        """The file of a reference, which may be any text: characters with a meaning in a path are escaped."""
        name = quote(reference, safe="")
        if len(name) > LONGEST_NAME:
            raise ValueError("a reference to a secret is too long")
        return self._folder / f"{name}.secret"
