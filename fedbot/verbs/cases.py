"""The transfers of which may be told in a room, and those of a stock item: for `show` and `history`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fedbot.federation import ledger
from fedbot.federation.commands import Command
from fedbot.federation.documents import Transfer
from fedbot.federation.questions import Answer, ItemsFound
from fedbot.federation.state import Turn
from fedbot.verbs.naming import rooms_told_of

_NUMBER = re.compile(r"#\s*(\d+)")


def told_of(turn: Turn, command: Command) -> list[Transfer]:
    """All transfers, open and finished, of which may be told where the line was said."""
    rooms = rooms_told_of(turn, command.room)
    return [transfer for transfer in turn.transfers() if transfer.room in rooms]


def found_in(answers: tuple[Answer, ...]) -> ItemsFound:
    """What `FindItems` has found; nothing, where it wasn't asked."""
    found = answers[0] if answers else ItemsFound()
    if not isinstance(found, ItemsFound):
        raise TypeError(f"items were asked for, not {found!r}")
    return found


def of_item(transfers: Sequence[Transfer], word: str, found: ItemsFound) -> list[Transfer]:
    """Those that touched what the word means: an item of ours that InvenTree has found, a number, a name or IPN."""
    number = _NUMBER.fullmatch(word)
    items = {item.pk for item in found.items} | ({int(number[1])} if number else set())
    brought = {item.provenance.transfer for item in found.items if item.provenance}
    return [t for t in transfers if t.id in brought or ledger.touches(t, items, word)]
