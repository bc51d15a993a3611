"""The ledger of transfers, finished and open: those of an item or a peer, and each line as a row.

It reads the documents that are kept forever, and decides nothing. `history` and `fedbot export` use it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from heapq import merge
from typing import Any

from fedbot.rules import names
from fedbot.rules.archive import Place, latest
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.diagnosis import reason_of
from fedbot.rules.model.lending import OUTSIDE, OutsideLoan
from fedbot.rules.model.lifecycles import ENDS_OF_A_LOAN
from fedbot.rules.model.stock import PartDescription, plain
from fedbot.rules.model.transfer import Line, Transfer

CLASSIC_PAGES_UNTIL = 320
"""Below this API version (0.17 and older) an item's page is that of InvenTree's classic interface."""


@dataclass(frozen=True)
class Row:
    """One line of one transfer, as seen from our side. Times are aware, UTC.

    People are identified by Matrix id, and our own by InvenTree user. A name is only what they call themselves.
    """

    id: str
    code: str
    kind: str
    state: str
    asked_at: datetime
    asked_by: str
    asked_by_user: str
    asked_by_name: str
    decided_at: datetime | None
    decided_by: str
    decided_by_user: str
    decided_by_name: str
    peer: str
    direction: str
    line: int
    part: str
    ipn: str
    serial: str
    quantity: Decimal
    units: str
    our_item: int | None
    peer_item: int | None
    loan_from: date | None
    loan_until: date | None
    loan_end: str
    loan_of: str
    ended_at: datetime | None
    note: str
    problem: str


COLUMNS = tuple(field.name for field in fields(Row))
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(rows: Iterable[Any], columns: Sequence[str] = COLUMNS, *, heading: bool = True) -> str:
    """Return rows, which are dataclasses with these fields, as CSV in which a spreadsheet finds no formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if heading:
        writer.writerow(columns)
    writer.writerows([_harmless(as_text(value)) for value in asdict(row).values()] for row in rows)
    return out.getvalue()


def as_text(value: object) -> str:
    """Return times in UTC as ISO 8601, quantities as decimal strings, and '' for None."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return plain(value)
    return "" if value is None else str(value)


def _harmless(text: str) -> str:
    """Return the text with a ' before anything that a spreadsheet would calculate, because other spaces write names."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def rows(transfers: Iterable[Transfer]) -> list[Row]:
    """Return every line of these transfers, newest first."""
    return [_row(transfer, line) for transfer in newest_first(transfers) for line in transfer.terms.lines]


def outside_rows(loans: Iterable[OutsideLoan]) -> list[Row]:
    """Return the loans to neighbours without a bot, one row each, newest first."""
    return [_outside_row(loan) for loan in sorted(loans, key=_when_lent, reverse=True)]


def _when_lent(loan: OutsideLoan) -> Place:
    return loan.by.at, loan.id


def with_outside(transfers: Iterable[Transfer], loans: Iterable[OutsideLoan]) -> Iterator[Transfer | OutsideLoan]:
    """Merge both by the time of their request, latest first. The transfers must already be in that order."""
    in_order = sorted(loans, key=_when_lent, reverse=True)
    return merge(transfers, in_order, key=place_of, reverse=True)


def place_of(entry: Transfer | OutsideLoan) -> Place:
    """Return the entry's place in that order."""
    return (entry.asked.at, entry.id) if isinstance(entry, Transfer) else _when_lent(entry)


def rows_of(entry: Transfer | OutsideLoan) -> list[Row]:
    """Return every line of a transfer; the one row of a neighbour's loan."""
    return rows((entry,)) if isinstance(entry, Transfer) else outside_rows((entry,))


def outside_since(loans: Iterable[OutsideLoan], moment: datetime) -> list[OutsideLoan]:
    """Return the loans that began or ended at that moment or later."""
    return [loan for loan in loans if max(loan.by.at, loan.ended or loan.by.at) >= moment]


def outside_touches(loan: OutsideLoan, items: Collection[int], word: str) -> bool:
    """Whether it is, or was taken from, one of these items of ours, or its part has exactly that name or IPN."""
    return bool({loan.item, loan.source} & set(items)) or _is_called(loan.description, loan.serial, word)


def newest_first(transfers: Iterable[Transfer]) -> list[Transfer]:
    """Return the transfers by the time of their request, latest first."""
    return sorted(transfers, key=lambda transfer: (transfer.asked.at, transfer.id), reverse=True)


def since(transfers: Iterable[Transfer], moment: datetime) -> list[Transfer]:
    """Return the transfers that were requested, decided or ended since that moment."""
    return [t for t in transfers if latest(t) >= moment]


def kind_of(transfer: Transfer) -> str:
    """Return `give`, `loan` or `request`; a return or an extension is a kind of its own."""
    terms = transfer.terms
    if terms.kind == "push":
        return "loan" if transfer.is_loan else "give"
    return terms.kind


def our_item(transfer: Transfer, line: Line) -> int | None:
    """Return our stock item that this line is, or was taken from; None if there is none (yet)."""
    known = transfer.at(line.number).item
    return known if transfer.role == "receiver" or known is not None else line.item or None


def our_items(transfer: Transfer, line: Line) -> set[int | None]:
    """Return our stock item that this line is, and the one from which it was taken."""
    return {our_item(transfer, line), line.item if transfer.role == "sender" else None}


def peer_item(transfer: Transfer, line: Line) -> int | None:
    """Return the stock item in the peer's InvenTree; None if its bot hasn't reported it."""
    if transfer.role == "receiver":
        return line.item or None
    handed = [progress.number for progress in transfer.progress if progress.stage == "arrived"]
    return dict(zip(handed, transfer.peer_items, strict=False)).get(line.number)


def touches(transfer: Transfer, items: Collection[int], word: str) -> bool:
    """Whether a line is, or was taken from, one of these items of ours, or its part has exactly that name or IPN."""
    return any(
        bool(our_items(transfer, line) & set(items)) or _is_called(line.description, line.serial, word)
        for line in transfer.terms.lines
    )


def _is_called(part: PartDescription, serial: str, word: str) -> bool:
    """Whether the word is exactly the part's name or IPN, alone or as `name#serial`. '' is no word."""
    known = [each for each in (part.name, part.ipn) if each]
    called = [*known, *(f"{each}#{serial}" for each in known if serial)]
    return word.casefold() in {each.casefold() for each in called}


def item_page(inventory_url: str, api: int, item: int) -> str:
    """Return the address of the item's page in our InvenTree, for a server of that API version (0: unknown)."""
    classic = 0 < api < CLASSIC_PAGES_UNTIL
    return f"{inventory_url.rstrip('/')}/{'' if classic else 'web/'}stock/item/{item}/"


def name_of(signature: Signature) -> str:
    """Return the person's display name, without the Matrix id."""
    return names.display_name(signature.name, signature.person)


def _outside_row(loan: OutsideLoan) -> Row:
    """Return the row of a neighbour's loan. Our approver's line was both the request and the decision."""
    by, name = loan.by, name_of(loan.by)
    return Row(
        id=loan.id,
        code=loan.code,
        kind="outside",
        state=loan.state.value,
        asked_at=by.at,
        asked_by=by.person,
        asked_by_user=by.username,
        asked_by_name=name,
        decided_at=by.at,
        decided_by=by.person,
        decided_by_user=by.username,
        decided_by_name=name,
        peer=f"{OUTSIDE}{loan.neighbour}",
        direction="out",
        line=1,
        part=loan.description.name,
        ipn=loan.description.ipn,
        serial=loan.serial,
        quantity=loan.quantity,
        units=loan.description.units,
        our_item=loan.item or loan.source,
        peer_item=None,
        loan_from=None,
        loan_until=loan.until,
        loan_end=loan.state.value if loan.state in ENDS_OF_A_LOAN else "",
        loan_of="",
        ended_at=loan.ended,
        note=loan.note,
        problem=reason_of(loan.problem) if loan.problem else "",
    )


def _row(transfer: Transfer, line: Line) -> Row:
    terms, progress = transfer.terms, transfer.at(line.number)
    decided = transfer.decided or transfer.granted
    return Row(
        id=transfer.id,
        code=transfer.code,
        kind=kind_of(transfer),
        state=transfer.state.value,
        asked_at=transfer.asked.at,
        asked_by=transfer.asked.person,
        asked_by_user=transfer.asked.username,
        asked_by_name=name_of(transfer.asked),
        decided_at=decided.at if decided else None,
        decided_by=decided.person if decided else "",
        decided_by_user=decided.username if decided else "",
        decided_by_name=name_of(decided) if decided else "",
        peer=transfer.peer,
        direction="out" if transfer.role == "sender" else "in",
        line=line.number,
        part=line.description.name,
        ipn=line.description.ipn,
        serial=line.serial,
        quantity=transfer.came(line.number),
        units=line.description.units,
        our_item=our_item(transfer, line),
        peer_item=peer_item(transfer, line),
        loan_from=terms.starts,
        loan_until=transfer.due_day,
        loan_end=(transfer.ending_of(line.number) or "") if transfer.is_loan else "",
        loan_of=terms.parent,
        ended_at=transfer.over_at,
        note=terms.note,
        problem=progress.failed or transfer.problem,
    )
