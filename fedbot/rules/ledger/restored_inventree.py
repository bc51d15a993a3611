"""Our InvenTree was put back to an earlier state: nothing is moved there until a superuser says `!fed resume`.

It lacks everything lent, given or received since then, and assigns its numbers again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fedbot import messages
from fedbot.rules.catalogue.provenance import known_item
from fedbot.rules.model import audit
from fedbot.rules.model.effects import Ask, say
from fedbot.rules.model.events import Answered
from fedbot.rules.model.ledger import Lost
from fedbot.rules.model.queries import BooksOf, HistorySeen, ItemSeen, ItemsSeen, WhenAnswered
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import Turn


def on_history(turn: Turn, history: HistorySeen) -> None:
    """The stock history as it stands now: if it went back, writes stop, and it is looked at what is missing."""
    standing = turn.standing()
    if standing.went_back is not None:
        return
    if not history.went_back:
        turn.save(replace(standing, anchors=history.anchors))
        return
    turn.save(replace(standing, went_back=turn.now))
    turn.note("bot", audit.Fact.WENT_BACK)
    items = {p.item for t in turn.transfers() for p in t.progress if p.item is not None and p.stage}
    turn.do(Ask(LookForMissing(), (BooksOf(tuple(sorted(items))),)))


@dataclass(frozen=True)
class LookForMissing(WhenAnswered):
    """What of our transfers is missing there?"""

    def answered(self, turn: Turn, event: Answered) -> None:
        """The admins are told."""
        (seen,) = event.answers
        if not isinstance(seen, ItemsSeen):
            raise TypeError(f"it is asked which items are there, not {seen!r}")
        phrase = say(messages.health.inventory_went_back, us=turn.us, lost=lost(turn, seen))
        turn.tell_admins(phrase, f"went-back:{turn.now.isoformat()}")


def lost(turn: Turn, seen: ItemsSeen) -> tuple[Lost, ...]:
    """The lines of which InvenTree shows nothing, or another thing under their number; the newest first.

    Borrowed items that are back at their owner don't count.
    """
    there = {item.pk: item for item in seen.items}
    found: list[Lost] = []
    for transfer in turn.transfers():
        for progress in transfer.progress:
            is_over = transfer.role == "receiver" and transfer.is_loan and not transfer.is_on_loan
            if progress.item is None or not progress.stage or transfer.terms.parent or is_over:
                continue
            item = there.get(progress.item)
            if item is None or not is_known(turn, transfer, progress.number, item, seen):
                found.append(Lost(transfer, transfer.line(progress.number), progress.item, item is not None))
    return tuple(sorted(found, key=lambda each: each.transfer.asked.at, reverse=True))


def is_known(turn: Turn, transfer: Transfer, number: int, item: ItemSeen, seen: ItemsSeen) -> bool:
    """Whether a stock item is still the one that we know under that number."""
    known = known_item(turn, transfer, number)
    if known is None:
        return True
    marked = not seen.history_read or not known.mark or any(mark.startswith(known.mark) for mark in item.marks)
    return marked and (item.part, item.serial) == (known.part, known.serial) and known.batch in {None, item.batch}
