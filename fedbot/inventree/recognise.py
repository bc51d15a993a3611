"""Whether a stock item is still the one that we know under its number, before anything is done to it.

InvenTree that was put back to an earlier state gives numbers again, so a key alone proves nothing. What a stock item
is must be as we know it, and our own marks must stand in its history, or in the link of what we booked in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fedbot.inventree.history import read_ahead, read_item
from fedbot.inventree.rows import Row, same
from fedbot.inventree.server import Server
from fedbot.inventree.stock import item_row
from fedbot.ports.inventory import Refusal
from fedbot.rules.model import steps
from fedbot.rules.model.diagnosis import AnotherThing, Unlike
from fedbot.rules.model.steps import Known, Step

ON_KNOWN_ITEMS = (
    steps.HandOver
    | steps.PutBack
    | steps.TakeBack
    | steps.Arrived
    | steps.Remark
    | steps.WriteOff
    | steps.BookInAgain
    | steps.PutAway
    | steps.Label
    | steps.AttachPhoto
)
"""The steps on one stock item that we know. `TakeOut` is on one that people have named; it looks by itself."""
_STOCK_ITEM = "stockitem"
_LONGEST_NAME = 60


def recognise(server: Server, step: Step) -> None:
    """Raise `Refusal` (`another-thing`, `gone`) if the step is on another stock item than was meant.

    Stock item and history come in one call, and serve the probe that follows. What comes back from a customer is told
    by the history of another item, if only a part of it comes.
    """
    if isinstance(step, ON_KNOWN_ITEMS):
        item, known, mark = step.item, step.known, line_of(step.mark)
    elif isinstance(step, steps.Furnish) and step.model == _STOCK_ITEM:
        item, known, mark = step.pk, step.known, line_of(step.mark)
    elif isinstance(step, steps.Mirror) and step.model == _STOCK_ITEM and step.known is not None:
        item, known, mark = step.pk, step.known, ""
    else:
        return
    if isinstance(step, steps.TakeBack):
        check(server, item, known, mark)
        return
    lines = [line for line in dict.fromkeys((mark, known.mark if known else "")) if line]
    row = read_item(server, item, lines)
    if row is None or not isinstance(row.get("part_detail"), dict):
        check(server, item, known, mark)
        return
    server.rows_ahead[item] = row
    _check_row(server, row, known, mark)


def line_of(mark: str) -> str:
    """How all marks of the same line begin: `fed:k7m2:1:` of `fed:k7m2:1:over`."""
    return ":".join(mark.split(":")[:3]) + ":"


def check(server: Server, item: int, known: Known | None, mark: str) -> None:
    """The row under that number is what we know of it; without anything known it has at least the mark."""
    _check_row(server, item_row(server, item), known, mark)


def _check_row(server: Server, row: Row, known: Known | None, mark: str) -> None:
    if known is not None:
        _is_what_we_know(row, known)
        mark = known.mark
    if mark and not _is_marked(server, row, mark):
        raise _another(row, Unlike.MARK)


def _is_what_we_know(row: Row, known: Known) -> None:
    if row.get("part") != known.part:
        part: Mapping[str, Any] = row.get("part_detail") or {}
        name = str(part.get("IPN") or part.get("name") or "")[:_LONGEST_NAME]
        raise _another(row, Unlike.PART, name or str(row.get("part")))
    serial, batch = str(row.get("serial") or ""), str(row.get("batch") or "")
    if not same(serial, known.serial):
        raise _another(row, Unlike.SERIAL, serial)
    if known.batch is not None and not same(batch, known.batch):
        raise _another(row, Unlike.BATCH, batch)


def _is_marked(server: Server, row: Row, mark: str) -> bool:
    """By its link, which costs no call, else by its history."""
    link = str(row.get("link") or "")
    if mark in link or mark.replace(":", "%3A") in link:
        return True
    pk = int(row["pk"])
    entries = server.read_ahead.get((mark, pk))
    return any(entry.item == pk for entry in (read_ahead(server, mark, pk) if entries is None else entries))


def _another(row: Row, unlike: Unlike, found: str = "") -> Refusal:
    return Refusal(AnotherThing(int(row["pk"]), unlike, found))
