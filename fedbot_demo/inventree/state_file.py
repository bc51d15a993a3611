"""Save a simulated server's tables to one JSON file that only its owner can read."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from fedbot_demo.inventree import records
from fedbot_demo.inventree.exchange import JsonObject
from fedbot_demo.inventree.state import State


def _encode(value: object) -> object:
    """Encode types that JSON lacks."""
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, bytes):
        return {"$bytes": b64encode(value).decode()}
    if isinstance(value, datetime):
        return {"$moment": value.isoformat()}
    if isinstance(value, date):
        return {"$day": value.isoformat()}
    if is_dataclass(value) and not isinstance(value, type):
        row = {
            each.name: {"$list": list(content)} if isinstance(content, tuple) else content
            for each in fields(value)
            for content in [getattr(value, each.name)]
        }
        return {"$row": type(value).__name__, **row}
    raise TypeError(type(value).__name__)


def _decode(content: JsonObject) -> Any:  # noqa: ANN401  whatever it was before
    if "$decimal" in content:
        return Decimal(content["$decimal"])
    if "$bytes" in content:
        return b64decode(content["$bytes"])
    if "$moment" in content:
        return datetime.fromisoformat(content["$moment"])
    if "$day" in content:
        return date.fromisoformat(content["$day"])
    if "$list" in content:
        return tuple(content["$list"])
    if "$row" in content:
        kind = getattr(records, content.pop("$row"))
        return kind(**content)
    return content


def save(state: State, path: Path, passwords: dict[str, str], tokens: dict[str, str]) -> None:
    """Write all tables and logins atomically."""
    tables = {name: {"next_pk": table.next_pk, "rows": list(table)} for name, table in state.tables().items()}
    content = {"passwords": passwords, "tokens": tokens, "tables": tables}
    draft = path.with_suffix(path.suffix + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, default=_encode)
    draft.replace(path)


def load(state: State, path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Fill `state` from the file; return the passwords and tokens. The custom statuses count as known at the start."""
    content = json.loads(path.read_text(encoding="utf-8"), object_hook=_decode)
    for name, table in state.tables().items():
        table.load(content["tables"][name]["rows"], content["tables"][name]["next_pk"])
    state.custom_statuses_at_start = frozenset(row.key for row in state.custom_statuses)
    return content["passwords"], content["tokens"]
