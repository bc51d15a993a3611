"""Where a peer's line is booked in here: the matching part of ours, also by approvers' `match`, and its location."""

from __future__ import annotations

import json
from dataclasses import replace

from fedbot.rules.archive import Mark
from fedbot.rules.catalogue.provenance import WriteMirror
from fedbot.rules.loan import balance
from fedbot.rules.model import audit
from fedbot.rules.model.catalogue import Alias, alias_id
from fedbot.rules.model.effects import Do
from fedbot.rules.model.lifecycles import FINAL, TransferState
from fedbot.rules.model.party_config import PRACTICE
from fedbot.rules.model.queries import MatchPart, PartMatch
from fedbot.rules.model.steps import Mirror
from fedbot.rules.model.transfer import Line, Progress, Transfer, step_mark
from fedbot.rules.protocol import sequencing
from fedbot.rules.state import Turn


def _assigned_part(turn: Turn, peer: str, line: Line) -> int | None:
    """Return our part that somebody assigned to this line; None if nobody did.

    The peer's IPN counts before its name.
    """
    words = [word for word in (line.description.ipn, line.description.name) if word]
    aliases = (turn.get(Alias, alias_id(peer, word)) for word in words)
    return next((alias.part for alias in aliases if alias is not None), None)


def assign(turn: Turn, alias: Alias) -> Alias | None:
    """Store the assignment of a peer's name. Return the earlier one, if any."""
    before = turn.get(Alias, alias.id)
    turn.save(alias)
    turn.note("matches", audit.Matched(alias.peer, alias.word, alias.part), alias.by)
    for part in dict.fromkeys([alias.part, *([before.part] if before else [])]):
        _mirror(turn, part)
    return before


def unassign(turn: Turn, alias: Alias, by: str) -> None:
    """Remove this assignment."""
    turn.drop(alias)
    turn.note("matches", audit.Matched(alias.peer, alias.word, 0), by)
    _mirror(turn, alias.part)


def _mirror(turn: Turn, part: int) -> None:
    """Mirror all assignments of a part into its metadata."""
    words: dict[str, list[str]] = {}
    for alias in turn.all(Alias):
        if alias.part == part:
            words.setdefault(alias.peer, []).append(alias.word)
    text = json.dumps({"aliases": words}, sort_keys=True, ensure_ascii=False)
    turn.do(Do(WriteMirror("matches"), Mirror("fed:match:0:mirror", "part", part, text)))


def query_for(turn: Turn, transfer: Transfer, line: Line) -> MatchPart:
    """Return the query for our part of this line, and for a stock item of ours that comes back by it."""
    return MatchPart(
        transfer.peer,
        line.description,
        line.serial,
        alias=_assigned_part(turn, transfer.peer, line),
        mark=step_mark(transfer, line.number, "in"),
        gave=_items_given(turn, transfer.peer, line.serial) if line.serial else (),
        company=sequencing.connection_of(turn, transfer).company,
        quantity=line.quantity,
        with_category=turn.us.care.taken_in and bool(turn.us.care.categories),
        status=line.details.status,
        status_class=line.status,
        here=transfer.at(line.number).here,
        batch=line.batch,
        lost=() if line.serial else _items_lost(turn, transfer.peer, line),
    )


def _items_lost(turn: Turn, peer: str, line: Line) -> tuple[int, ...]:
    """Return our stock items without a serial number that the peer had lost and that this line gives back, whole."""
    items = (
        loan.at(number).item
        for loan, number in balance.lost_before(turn, peer, line)
        if balance.not_back(turn, loan)[number] == line.quantity
        and loan.line(number).description.units == line.description.units
    )
    return tuple(item for item in items if item is not None)


def _items_given(turn: Turn, peer: str, serial: str) -> tuple[int, ...]:
    """Return our stock items with this serial number that we gave to the peer for good."""
    marked = turn.marked(Mark.SERIAL, serial)
    given = [t for t in marked if t.role == "sender" and t.peer == peer and t.terms.kind != balance.EXTENSION]
    lines = [(t, line) for t in given for line in t.terms.lines if serial in {line.serial, t.at(line.number).serial}]
    unsettled = {line.item for t, line in lines if t.state not in FINAL or t.is_on_loan}
    gone = {line.item for t, line in lines if t.state is TransferState.DONE and not t.at(line.number).failed}
    return tuple(sorted(gone - unsettled))


def _within_practice(turn: Turn, peer: str, match: PartMatch) -> PartMatch:
    """Return the match, refused if it mixes practice and real stock. Practice parts are for the practice peer alone."""
    is_mixed = match.part is not None and not turn.may_move(peer, match.part.pk)
    return PartMatch(reason="practice") if is_mixed or (peer == PRACTICE and match.creatable) else match


def matched(turn: Turn, transfer: Transfer, line: int, match: PartMatch) -> Progress:
    """Return the line's progress with its part and location here.

    A lent item needs a part from which it can be returned. A requested item is booked in without a card, so a part of
    another revision is never accepted silently.
    """
    match = _within_practice(turn, transfer.peer, match)
    theirs = transfer.line(line).description.revision
    other_revision = bool(match.part and theirs and match.part.revision and match.part.revision != theirs)
    if transfer.is_loan and match.part is not None and not match.part.salable:
        match = PartMatch(reason="not-salable")
    elif transfer.is_loan and match.factor != "1":
        match = PartMatch(reason="units-of-loan")
    elif transfer.terms.kind == "request" and other_revision and match.how != "alias":
        match = PartMatch(reason="revision")
    progress = transfer.at(line)
    is_agreed = transfer.consented and not transfer.awaits_parcel and progress.match
    if is_agreed and (progress.part is not None or progress.create_part):
        return progress  # the card showed that destination, and the approval was for it
    return replace(
        progress,
        item=progress.item if progress.stage else match.again,
        part=match.part.pk if match.part else None,
        part_name=match.part.name if match.part else "",
        create_part=match.part is None and match.creatable,
        category=match.category,
        match=(match.how if match.part else "new" if match.creatable else match.reason),
        place=match.place,
        location=match.location,
        factor=match.factor,
        serial=match.serial,
        units=match.part.units if match.part else "",
        revision=match.part.revision if match.part and other_revision else "",
        largest_file=turn.us.largest_file,
        status_key=match.status_key,
    )


def unmatched(transfer: Transfer) -> list[Progress]:
    """Return the lines with neither a part nor the permission to make one. They can't be booked in yet."""
    return [p for p in transfer.progress if p.part is None and not p.create_part]
