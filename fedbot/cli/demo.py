"""`fedbot demo`: two makerspaces on this machine. It is the only command that needs `fedbot_demo`."""

from __future__ import annotations

import argparse
import importlib
import sys

from fedbot.cli.exits import Exit


def demo(given: argparse.Namespace) -> int:
    """Play the demo."""
    for path in filter(None, (given.transcript, given.pages)):
        if not path.absolute().parent.is_dir():
            print(f"{path} can't be written: {path.parent} is no folder.", file=sys.stderr)
            return Exit.USAGE
    try:
        story = importlib.import_module("fedbot_demo.story")
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] == "fedbot":
            raise
        print(
            f"The demo needs packages that a bot doesn't ({missing.name}): pip install 'fedbot[demo]'", file=sys.stderr
        )
        return Exit.FAILED
    try:
        versions = story.versions_of(given.versions)
    except ValueError as wrong:
        print(f"--versions {wrong}", file=sys.stderr)
        return Exit.USAGE
    wishes = story.Wishes(
        fast=given.fast,
        keep=given.keep,
        all_acts=given.all,
        transcript=given.transcript,
        pages=given.pages,
        versions=versions,
    )
    return int(story.play(wishes))
