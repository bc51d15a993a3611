"""`fedbot verbs`: list what people can type in the room."""

from __future__ import annotations

import argparse
import json

from fedbot.cli.exits import Exit
from fedbot.commands import catalogue
from fedbot.rules.model.stock import Permission

_WHO = {
    Permission.ANYONE: "everybody listed under people",
    Permission.MAPPED: "members",
    Permission.APPROVER: "approvers",
    Permission.SUPERUSER: "superusers",
}


def verbs(given: argparse.Namespace) -> Exit:
    """List the verbs."""
    rows = [
        {"name": spec.name, "usage": spec.usage, "summary": spec.summary, "who": str(spec.permission)}
        for spec in catalogue()
    ]
    if given.json:
        print(json.dumps(rows, ensure_ascii=False))
        return Exit.OK
    width = max((len(row["usage"]) for row in rows), default=0)
    for row in rows:
        print(f"{row['usage']:{width}}  {row['summary']} (for {_WHO[Permission(row['who'])]})")
    return Exit.OK
