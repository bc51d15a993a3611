"""`fedbot backup` and `fedbot restore`: the journal and the identity folder in one file, encrypted by default.

The file begins with a line that names its format and a line of JSON (the encryption, or the content's SHA-256). Then
comes a gzipped tar, or the same sealed in pieces (libsodium's secretstream) by a key that argon2id derives from the
passphrase. Older backups are in one NaCl secret box. A person who can read it unencrypted can speak as us.

A journal can be larger than the bot's memory, so everything is written and read in pieces.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import secrets
import shutil
import sqlite3
import tarfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from nacl.bindings import crypto_secretstream_xchacha20poly1305_ABYTES as ABYTES
from nacl.bindings import crypto_secretstream_xchacha20poly1305_HEADERBYTES as HEADERBYTES
from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_init_pull,
    crypto_secretstream_xchacha20poly1305_init_push,
    crypto_secretstream_xchacha20poly1305_pull,
    crypto_secretstream_xchacha20poly1305_push,
    crypto_secretstream_xchacha20poly1305_state,
)
from nacl.bindings import crypto_secretstream_xchacha20poly1305_KEYBYTES as KEY_SIZE
from nacl.bindings import crypto_secretstream_xchacha20poly1305_TAG_FINAL as TAG_FINAL
from nacl.bindings import crypto_secretstream_xchacha20poly1305_TAG_MESSAGE as TAG_MESSAGE
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox
from nacl.utils import random

from fedbot.files import PRIVATE_FILE, PRIVATE_FOLDER, written_whole
from fedbot.identity import SEED_FILE
from fedbot.journal.copies import FILE as JOURNAL
from fedbot.journal.copies import check_copy, copy_beside, is_used, remove_unused
from fedbot.journal.database import JournalPlace
from fedbot.journal.lock import StateLock
from fedbot.matrix.keys import KEYS, STORE, copy_store, set_aside

MAGIC = b"fedbot-backup 1\n"
IDENTITY = "identity"
MANIFEST = "manifest.json"
_DRAFT = "restoring"
_PACKED = "packed.tar.gz"
_UNZIPPED = "unzipped.tar"
COPIES = "backing-up-"
_LEFT_BEHIND_AFTER = 24 * 3600.0
LARGEST = 2_000_000_000
"""The most bytes that are unpacked from a backup."""
MOST_FILES = 20_000
_LARGEST_PIECE = 1_000_000
_PIECE = 1 << 20
"""The bytes that are sealed at once; the format fixes them."""
_IN_ONE, _IN_PIECES = "argon2id", "argon2id, secretstream"
_KNOWN = (_IN_ONE, _IN_PIECES)
_NOT_DECRYPTED = "The passphrase is wrong, or the backup is damaged."
#: A small machine must be able to read it back: 64 MiB of memory, and then about a second of work.
_MEMORY = argon2id.MEMLIMIT_INTERACTIVE
_WORK = argon2id.OPSLIMIT_SENSITIVE * 2
_LONGEST_HEADER = 10_000
_MOST_WORK = 4 * _WORK
_MOST_MEMORY = 16 * _MEMORY


class BackupRefused(Exception):
    """The backup or restore was not done. The text says why and what to do."""


@dataclass(frozen=True)
class Manifest:
    """The backup's owner, and its time (ISO 8601, UTC)."""

    party: str
    bot: str
    made: str
    fedbot: str


@dataclass(frozen=True)
class BackupContents:
    """The contents of a backup: the journal, wherever it is, and the identity folder.

    `state`: the folder for copies.
    """

    state: Path
    journal: JournalPlace
    identity: Path


def backup(what: BackupContents, party: str, bot: str, file: Path, passphrase: str | None) -> Manifest:
    """Write all of it into `file` (0600), completely or not at all. The bot may be running.

    `passphrase` None: not encrypted, at a person's explicit request. Otherwise nothing is ever written unencrypted near
    `file`: intermediate copies are made in `state`, where everything is unencrypted anyway.

    An older backup at `file` is replaced; any other file there is left alone. Raises `BackupRefused`,
    `ports.JournalProblem`, OSError.
    """
    refuse_other_file(file)
    state, identity = what.state, what.identity
    if not (identity / SEED_FILE).exists():
        raise BackupRefused(f"There is no identity in {state}: the bot has not run yet, or keeps its state elsewhere.")
    manifest = Manifest(party, bot, datetime.now(UTC).isoformat(timespec="seconds"), version("fedbot"))
    if passphrase == "":
        raise BackupRefused("A backup is encrypted, and there is no passphrase. Nothing was written.")
    _remove_left_behind(state)
    with TemporaryDirectory(prefix=COPIES, dir=state) as folder:
        # the journal first, because every secret that it refers to is in the identity folder by then
        copy_beside(what.journal, Path(folder) / JOURNAL)
        packed = Path(folder) / _PACKED
        _pack(packed, manifest, Path(folder) / JOURNAL, identity)
        with packed.open("rb") as content, written_whole(file) as out:
            out.write(MAGIC)
            out.writelines(enclosed(content, passphrase))
    return manifest


def refuse_other_file(file: Path) -> None:
    """Raise `BackupRefused` if the destination is taken, or in no folder. An older backup there may be replaced."""
    if file.exists() and not (file.is_file() and _is_backup(file)):
        raise BackupRefused(f"{file} is there already and is no backup of fedbot's. Nothing was written.")
    if not file.absolute().parent.is_dir():
        raise BackupRefused(f"{file.parent} is no folder. Nothing was written.")


def _remove_left_behind(state: Path) -> None:
    """Remove the copies of a backup that was killed."""
    for folder in state.glob(f"{COPIES}*"):
        if time.time() - folder.stat().st_mtime > _LEFT_BEHIND_AFTER:
            shutil.rmtree(folder, ignore_errors=True)


def _pack(packed: Path, manifest: Manifest, journal: Path, identity: Path) -> None:
    with _new_file(packed) as out, tarfile.open(fileobj=out, mode="w:gz") as archive:
        text = json.dumps(asdict(manifest)).encode()
        entry = tarfile.TarInfo(MANIFEST)
        entry.size, entry.mode = len(text), PRIVATE_FILE
        archive.addfile(entry, io.BytesIO(text))
        archive.add(journal, JOURNAL)
        for path in sorted(identity.rglob("*")):
            name = f"{IDENTITY}/{path.relative_to(identity)}"
            if path == identity / KEYS / STORE:
                _add_store(archive, path, name, journal.parent)
            elif path.is_file() and not path.name.endswith((".new", "-journal")):  # drafts of a write in progress
                archive.add(path, name)


def _add_store(archive: tarfile.TarFile, store: Path, name: str, folder: Path) -> None:
    """Add the keys of encrypted rooms from a consistent copy, because the bot may be writing to them."""
    try:
        copy_store(store, folder / STORE)
    except sqlite3.Error as problem:
        raise BackupRefused(
            f"{store} can't be read ({problem}). Nothing was written. Move it away; the bot then makes new keys."
        ) from problem
    archive.add(folder / STORE, name)


def enclosed(packed: BinaryIO, passphrase: str | None) -> Iterator[bytes]:
    """A backup's file after its first line, in pieces."""
    if passphrase is None:
        # gzip's own checksum covers the unpacked data, so it misses some changed bits that unpack to the same
        yield _line({"sha256": _digest(packed)})
        yield from _pieces(packed, _PIECE)
        return
    salt = random(argon2id.SALTBYTES)
    yield _line({"kdf": _IN_PIECES, "salt": salt.hex(), "opslimit": _WORK, "memlimit": _MEMORY})
    state = crypto_secretstream_xchacha20poly1305_state()
    key = argon2id.kdf(KEY_SIZE, passphrase.encode(), salt, _WORK, _MEMORY)
    yield crypto_secretstream_xchacha20poly1305_init_push(state, key)
    pieces = _pieces(packed, _PIECE)
    piece: bytes | None = next(pieces, b"")
    while piece is not None:
        following = next(pieces, None)
        tag = TAG_MESSAGE if following is not None else TAG_FINAL
        yield crypto_secretstream_xchacha20poly1305_push(state, piece, tag=tag)
        piece = following


def _line(header: dict[str, Any]) -> bytes:
    return json.dumps(header).encode() + b"\n"


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    while piece := file.read(size):
        yield piece


def _digest(content: BinaryIO) -> str:
    """The SHA-256 of what is left of the file, which stays where it is."""
    begin, digest = content.tell(), hashlib.sha256()
    for piece in _pieces(content, _PIECE):
        digest.update(piece)
    content.seek(begin)
    return digest.hexdigest()


def _new_file(file: Path) -> BinaryIO:
    """A new file to write and read, private from the beginning."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
    return os.fdopen(descriptor, "w+b")


# --- restore -----------------------------------------------------------------------------------------------


def is_encrypted(file: Path) -> bool:
    """Whether a passphrase is needed. Raises `BackupRefused` if it is no backup, OSError."""
    with _opened(file) as (header, _):
        return "kdf" in header


def restore(file: Path, state: Path, party: str, passphrase: str = "") -> Manifest:
    """Restore the backup into `state`, which no bot has used. An identity there stays if it is the same.

    Raises `BackupRefused`, `ports.JournalProblem` (a damaged journal in it; the folder in use), OSError. Then the
    folder is as it was.
    """
    with _opened(file) as (header, content):
        packed = _decrypted(header, content, passphrase) if "kdf" in header else _whole(header, content, file)
        return _restore(packed, file, state, party)


def _restore(packed: BinaryIO, file: Path, state: Path, party: str) -> Manifest:
    lock = StateLock(state)
    draft = state / _DRAFT
    try:
        refuse_a_used_folder(state)
        is_fresh = (state / JOURNAL).exists()
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=PRIVATE_FOLDER)
        manifest = _unpack(packed, draft, file)
        if manifest.party != party:
            raise BackupRefused(f"{file} is a backup of {manifest.party}; the settings are those of {party}.")
        check_copy(draft / JOURNAL)
        # The keys of its device are older than others know: the bot makes a new device, and keeps the room keys.
        set_aside(draft / IDENTITY / KEYS)
        _put_identity(draft / IDENTITY, state / IDENTITY, is_fresh=is_fresh)
        remove_unused(state)
        (draft / JOURNAL).replace(state / JOURNAL)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        lock.release()
    return manifest


def refuse_a_used_folder(state: Path) -> None:
    """Raise `BackupRefused` if a bot has worked in that state folder."""
    if is_used(state):
        raise _already_there(state / JOURNAL)


def _already_there(path: Path) -> BackupRefused:
    return BackupRefused(
        f"{path} is there already. Nothing was changed. A backup goes into an empty state folder only: end the bot, "
        "move what is there somewhere safe, then restore."
    )


def _put_identity(restored: Path, place: Path, *, is_fresh: bool) -> None:
    """Use the backup's identity, unless the same is there already, which may have newer tokens.

    `is_fresh`: a start that was then refused created the one there. Still, no key is ever deleted.
    """
    if place.exists():
        if (place / SEED_FILE).exists() and (place / SEED_FILE).read_bytes() == (restored / SEED_FILE).read_bytes():
            return
        if not is_fresh:
            raise _already_there(place)
        place.replace(place.with_name(f"{place.name}-unused-{secrets.token_hex(4)}"))
    restored.replace(place)


def _is_backup(file: Path) -> bool:
    with file.open("rb") as source:
        return source.read(len(MAGIC)) == MAGIC


@contextmanager
def _opened(file: Path) -> Iterator[tuple[dict[str, Any], BinaryIO]]:
    """The header (the encryption, or the SHA-256), and the file from there on."""
    if not file.is_file() or not _is_backup(file):
        raise BackupRefused(f"{file} is no backup of fedbot's, or one of a newer fedbot.")
    if file.stat().st_size > LARGEST:
        raise BackupRefused(f"{file} is larger than any backup of fedbot's ({LARGEST} bytes at most).")
    with file.open("rb") as source:
        source.read(len(MAGIC))
        line = source.readline(_LONGEST_HEADER)
        try:
            header = json.loads(line)
        except (ValueError, RecursionError):
            header = None
        if not isinstance(header, dict):
            raise BackupRefused(f"{file} is damaged at its beginning.")
        yield header, source


def _whole(header: dict[str, Any], content: BinaryIO, file: Path) -> BinaryIO:
    """The unencrypted content, if it is undamaged."""
    if _digest(content) != header.get("sha256"):
        raise BackupRefused(f"{file} is damaged.")
    return content


def _decrypted(header: dict[str, Any], content: BinaryIO, passphrase: str) -> BinaryIO:
    if not passphrase:
        raise BackupRefused("This backup is encrypted: its passphrase is needed.")
    try:
        salt, work, memory = bytes.fromhex(header["salt"]), int(header["opslimit"]), int(header["memlimit"])
        if header["kdf"] not in _KNOWN or work > _MOST_WORK or memory > _MOST_MEMORY:
            raise BackupRefused("This backup is encrypted in a way that this fedbot doesn't know.")
        key = argon2id.kdf(KEY_SIZE, passphrase.encode(), salt, work, memory)
        if header["kdf"] == _IN_PIECES:
            return io.BufferedReader(_Unsealed(content, key))
        return io.BytesIO(SecretBox(key).decrypt(content.read()))
    except (KeyError, ValueError, TypeError, CryptoError) as problem:
        raise BackupRefused(_NOT_DECRYPTED) from problem


class _Unsealed(io.RawIOBase):
    """The content of a backup that is sealed in pieces, decrypted while it is read.

    Raises `BackupRefused` if the passphrase is wrong, or a piece is changed, missing or at another place.
    """

    def __init__(self, sealed: BinaryIO, key: bytes) -> None:
        super().__init__()
        self._sealed = _pieces(sealed, _PIECE + ABYTES)
        self._state = crypto_secretstream_xchacha20poly1305_state()
        crypto_secretstream_xchacha20poly1305_init_pull(self._state, sealed.read(HEADERBYTES), key)
        self._left = b""
        self._is_over = False
        self._left = self._next()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 -- the type is `collections.abc.Buffer`, from Python 3.12 on
        while not self._left and not self._is_over:
            self._left = self._next()
        piece, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)

    def _next(self) -> bytes:
        try:
            piece, tag = crypto_secretstream_xchacha20poly1305_pull(self._state, next(self._sealed, b""))
        except (ValueError, CryptoError) as problem:
            raise BackupRefused(_NOT_DECRYPTED) from problem
        self._is_over = tag == TAG_FINAL
        if self._is_over and next(self._sealed, b""):
            raise BackupRefused(_NOT_DECRYPTED)
        return piece


def _unpack(packed: BinaryIO, folder: Path, file: Path) -> Manifest:
    try:
        # all of it first, so its checksum is verified: a tar's reader stops at the tar's end
        with (
            _unzipped(packed, folder / _UNZIPPED) as unzipped,
            tarfile.open(fileobj=_InPieces(unzipped), mode="r:") as archive,
        ):
            for entry in _bounded(archive):
                _unpack_entry(archive, entry, folder)
        (folder / _UNZIPPED).unlink()
        with (folder / MANIFEST).open("rb") as told:
            manifest = Manifest(**json.loads(told.read(_LONGEST_HEADER)))
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, TypeError, RecursionError) as problem:
        raise BackupRefused(f"{file} is damaged: {problem}") from problem
    if not (folder / JOURNAL).is_file() or not (folder / IDENTITY / SEED_FILE).is_file():
        raise BackupRefused(f"{file} is not complete.")
    return manifest


def _bounded(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The entries, up to the limits of a backup."""
    left = LARGEST
    for number, entry in enumerate(archive):
        left -= entry.size
        if left < 0 or number >= MOST_FILES or entry.issparse():
            raise tarfile.TarError("more is in it than in any backup of fedbot's")
        yield entry


@contextmanager
def _unzipped(packed: BinaryIO, file: Path) -> Iterator[BinaryIO]:
    """The archive, unzipped into `file` piece by piece, because a small file can unzip to more than any disk holds."""
    with _new_file(file) as unzipped, gzip.GzipFile(fileobj=packed) as source:
        written = 0
        while piece := source.read(_LARGEST_PIECE):
            written += len(piece)
            if written > LARGEST:
                raise tarfile.TarError("it unzips to more than any backup of fedbot's")
            unzipped.write(piece)
        unzipped.seek(0)
        yield unzipped


class _InPieces(io.RawIOBase):
    """A file that is read in pieces, so an archive's huge header can't fill the memory."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _LARGEST_PIECE:
            raise tarfile.ReadError("a header that no backup has")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _unpack_entry(archive: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path) -> None:
    """Unpack only files, only to where they belong, and private from the beginning."""
    parts = Path(entry.name).parts
    expected = entry.name in {MANIFEST, JOURNAL} or (parts[:1] == (IDENTITY,) and ".." not in parts)
    source = archive.extractfile(entry) if entry.isreg() and expected else None
    if source is None:
        raise tarfile.TarError(f"{entry.name} doesn't belong into it")
    target = folder / entry.name
    for parent in reversed(target.relative_to(folder).parents):
        (folder / parent).mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb") as out:
        shutil.copyfileobj(source, out)
        out.flush()
        os.fsync(out.fileno())
