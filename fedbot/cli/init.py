"""`fedbot init`: write a settings file with comments."""

from __future__ import annotations

import argparse
import importlib
import importlib.resources
import os
import sys
from pathlib import Path

from fedbot.cli.exits import Exit
from fedbot.cli.settings_file import DEFAULT_CONFIG


def init(given: argparse.Namespace) -> Exit:
    """Write the settings file."""
    path: Path = given.path or (given.config if "config" in given else DEFAULT_CONFIG)
    example = importlib.resources.files("fedbot.config").joinpath("example.yaml").read_text("utf-8")
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        print(f"{path} is there already; nothing was written. Next: fedbot check --config {path}", file=sys.stderr)
        return Exit.FAILED
    except OSError as error:
        print(f"{path} can't be written: {error.strerror}.", file=sys.stderr)
        return Exit.FAILED
    with os.fdopen(file, "w", encoding="utf-8") as out:
        out.write(example)
    print(f"Wrote {path}. Next:")
    print("  1. fill it in; the comments say what is what")
    print("  2. put the secrets into the files that it names, readable by you alone (chmod 600)")
    print(f"  3. fedbot check --config {path}")
    return Exit.OK
