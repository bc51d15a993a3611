"""`fedbot export`: the ledger as CSV or JSON, for a spreadsheet or a script. docs/cli.md tells of each column."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from zoneinfo import ZoneInfo

from fedbot.config.settings import Settings
from fedbot.edge_settings import journal_place
from fedbot.files import write_whole
from fedbot.journal.copies import documents
from fedbot.rules.ledger import history
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.names import is_called
from fedbot.rules.model.outside import OUTSIDE, OutsideLoan
from fedbot.rules.model.transfer import Transfer


class NoSuchPeer(Exception):
    """Nothing ever went to or from a space of that name, or several spaces are called so."""


def export(settings: Settings, given: argparse.Namespace) -> bool:
    """Write the ledger out, into a file for its owner alone; then all is well. The bot may be running meanwhile.

    Raises `NoSuchPeer`, `JournalProblem` and its kinds, and OSError.
    """
    found = documents(journal_place(settings), Transfer, Connection, OutsideLoan)
    transfers = [document for document in found if isinstance(document, Transfer)]
    outside = [document for document in found if isinstance(document, OutsideLoan)]
    if given.peer:
        party = _party(given.peer, found)
        transfers = [transfer for transfer in transfers if transfer.peer == party]
        outside = [loan for loan in outside if f"{OUTSIDE}{loan.neighbour}" == party]
    if given.since:
        begins = datetime(
            given.since.year, given.since.month, given.since.day, tzinfo=ZoneInfo(settings.party.time_zone)
        )
        transfers = history.since(transfers, begins)
        outside = history.outside_since(outside, begins)
    rows = sorted([*history.rows(transfers), *history.outside_rows(outside)], key=_asked_at, reverse=True)
    text = as_json(rows) if given.format == "json" else history.as_csv(rows)
    if given.output is None:
        sys.stdout.write(text)
        return True
    write_whole(given.output, text.encode())
    return True


def _asked_at(row: history.Row) -> datetime:
    return row.asked_at


def as_json(rows: Iterable[history.Row]) -> str:
    """A list of objects; what isn't there is null, numbers of items are numbers, all else is text."""
    entries = [
        {
            name: value if value is None or isinstance(value, int) else history.as_text(value)
            for name, value in asdict(row).items()
        }
        for row in rows
    ]
    return json.dumps(entries, ensure_ascii=False, indent=1) + "\n"


def _party(word: str, found: Iterable[object]) -> str:
    """The id of the space that is meant by its id or its display name."""
    names: dict[str, str] = {}
    for document in found:
        if isinstance(document, Connection):
            names[document.peer] = document.peer_name
        elif isinstance(document, Transfer):
            names.setdefault(document.peer, document.peer)
        elif isinstance(document, OutsideLoan):
            names[f"{OUTSIDE}{document.neighbour}"] = document.neighbour
    if (by_id := word.strip().casefold()) in names:
        return by_id
    hits = [party for party, name in names.items() if is_called(party, name, word)]
    if len(hits) > 1:
        raise NoSuchPeer(f"Several spaces are called {word}: say {' or '.join(sorted(hits))}.")
    if not hits:
        known = ", ".join(sorted(names)) or "none yet"
        raise NoSuchPeer(f"There is no space {word} in the ledger. Spaces in it: {known}.")
    return hits[0]
