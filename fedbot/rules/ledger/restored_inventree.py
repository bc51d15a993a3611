"""Our InvenTree was restored to an earlier state, and its admins read which items of transfers it lacks.

It lacks everything lent, given or received since then, and assigns its numbers again. So nothing moves there until a
superuser types `!fed resume`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fedbot import messages
from fedbot.rules.catalogue.provenance import known_item
from fedbot.rules.model import audit
from fedbot.rules.model.effects import Ask, say
from fedbot.rules.model.events import Answered
from fedbot.rules.model.ledger import Lost
from fedbot.rules.model.queries import (
    BooksOf,
    HistorySeen,
    ItemSeen,
    ItemsSeen,
    WhenAnswered,
)
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import Turn


def on_history(turn: Turn, address: str, history: HistorySeen) -> None:
    """If the stock history of the InvenTree at that address went back, stop all writes, and read what is missing."""
    status = turn.status()
    if status.went_back is not None:
        return
    if not history.went_back:
        is_there = address == turn.us.inventory_api
        turn.save(replace(status, anchors=history.anchors, address=address if is_there else status.address))
        return
    turn.save(replace(status, went_back=turn.now))
    turn.note("bot", audit.Fact.WENT_BACK)
    items = {p.item for t in turn.transfers() for p in t.progress if p.item is not None and p.stage}
    turn.do(Ask(LookForMissing(), (BooksOf(tuple(sorted(items))),)))


@dataclass(frozen=True)
class LookForMissing(WhenAnswered):
    """Reads which items of our transfers InvenTree still has."""

    def answered(self, turn: Turn, event: Answered) -> None:
        """Tell the admins."""
        (seen,) = event.answers
        if not isinstance(seen, ItemsSeen):
            raise TypeError(f"it is asked which items are there, not {seen!r}")
        phrase = say(messages.health.inventory_went_back, us=turn.us, lost=_lost(turn, seen))
        turn.tell_admins(phrase, f"went-back:{turn.now.isoformat()}")


def _lost(turn: Turn, seen: ItemsSeen) -> tuple[Lost, ...]:
    """Return the lines whose stock item is missing in InvenTree, or is another thing now; newest first.

    Borrowed items that are back at the lender don't count.
    """
    there = {item.pk: item for item in seen.items}
    found: list[Lost] = []
    for transfer in turn.transfers():
        for progress in transfer.progress:
            is_over = transfer.role == "receiver" and transfer.is_loan and not transfer.is_on_loan
            if progress.item is None or not progress.stage or transfer.terms.parent or is_over:
                continue
            item = there.get(progress.item)
            if item is None or not _is_known(turn, transfer, progress.number, item, seen):
                found.append(Lost(transfer, transfer.line(progress.number), progress.item, item is not None))
    return tuple(sorted(found, key=lambda each: each.transfer.asked.at, reverse=True))


def _is_known(turn: Turn, transfer: Transfer, number: int, item: ItemSeen, seen: ItemsSeen) -> bool:
    """Whether a stock item is still the one that we know under that number."""
    known = known_item(turn, transfer, number)
    if known is None:
        return True
    marked = not seen.history_read or not known.mark or any(mark.startswith(known.mark) for mark in item.marks)
    return marked and (item.part, item.serial) == (known.part, known.serial) and known.batch in {None, item.batch}
