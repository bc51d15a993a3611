"""The frozen recordings of the protocol and the journal; `python -m tests.frozen` freezes new ones.

Other people's bots send such messages, and their disks hold such journals, so a frozen file never changes. A change
needs a new kind of message, a new protocol version, or a new schema beside the old one.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

TESTS = Path(__file__).parent
SUMS = TESTS / "frozen.sha256"
"""In the format of `sha256sum`, by paths in `tests`."""


def frozen() -> dict[str, str]:
    """The SHA-256 of each frozen file, by its path in `tests`."""
    pairs = (line.split("  ", 1) for line in SUMS.read_text(encoding="utf-8").splitlines())
    return {path: digest for digest, path in pairs}


def recorded() -> list[str]:
    """The recorded files, as paths in `tests`."""
    found = [*TESTS.glob("protocol/vectors/*.json"), *TESTS.glob("journal/vectors/*.sql")]
    return sorted(path.relative_to(TESTS).as_posix() for path in found)


def digest_of(path: str) -> str:
    """The SHA-256 of that file."""
    return hashlib.sha256((TESTS / path).read_bytes()).hexdigest()


def refuse(path: Path) -> None:
    """Raise `SystemExit` if that file is frozen."""
    if path.relative_to(TESTS).as_posix() in frozen():
        raise SystemExit(f"{path} is frozen: docs/updating.md says what to do instead")


def main() -> None:
    """Freeze new files; frozen ones stay as they are."""
    sums = {path: digest_of(path) for path in recorded()} | (frozen() if SUMS.exists() else {})
    SUMS.write_text("".join(f"{digest}  {path}\n" for path, digest in sorted(sums.items())), encoding="utf-8")
    sys.stdout.write(f"{len(sums)} files are frozen\n")


if __name__ == "__main__":
    main()
