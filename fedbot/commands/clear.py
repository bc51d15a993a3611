"""`!fed clear ITEM`: confirm that people know where received items went that vanished from InvenTree."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.grammar import SHOWN
from fedbot.commands.spec import Argument, Handler, Kind, Verb
from fedbot.rules.catalogue import merged_stock
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.queries import Answer, FindItems, ItemsFound, Query
from fedbot.rules.model.stock import Permission
from fedbot.rules.state import Turn

SPEC = Verb(
    name="clear",
    summary="release a merged stock item",
    permission=Permission.SUPERUSER,
    arguments=(Argument("item", Kind.ANYTHING, "ITEM"),),
    examples=("clear #42", "clear M3-BOLT"),
    details=(
        "If a received item has disappeared from InvenTree, it may have been merged into another item of that part.",
        "Then that item goes to no third space until you confirm here that you know where the missing ones are.",
        "This covers everything of that part that has disappeared up to now, and nothing that disappears later.",
    ),
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask which part is meant, and how much of it has vanished."""
    del turn
    return (FindItems(_word(command), merges=True),)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """Note it with each transfer that brought some of it."""
    (found,) = answers
    if not isinstance(found, ItemsFound):
        raise TypeError(f"clear asks which items are meant, not {found!r}")
    if not found.items:
        return say(messages.offer.item_not_found, word=_word(command)[:SHOWN], parts=found.parts)
    cleared = merged_stock.clear(turn, found, turn.signature_of(command))
    names = tuple(dict.fromkeys(turn.party_name(each.origin) for each in cleared))
    return say(messages.offer.merges_cleared, item=found.items[0], quantity=merged_stock.total(cleared), origins=names)


def _word(command: Command) -> str:
    return str(command.arguments["item"])


HANDLER = Handler(SPEC, ask, act)
