"""`!fed clear ITEM`: where something went that was received and vanished from InvenTree is known (DESIGN §2, UC6)."""

from __future__ import annotations

from fedbot.federation import merges
from fedbot.federation.commands import Command
from fedbot.federation.effects import Phrase, say
from fedbot.federation.questions import Answer, FindItems, ItemsFound, Question
from fedbot.federation.state import Turn
from fedbot.federation.stock import Right
from fedbot.verbs.grammar import SHOWN
from fedbot.verbs.spec import Argument, Handler, Kind, Verb

SPEC = Verb(
    name="clear",
    summary="let a merged stock item go on to others",
    right=Right.SUPERUSER,
    arguments=(Argument("item", Kind.ANYTHING, "ITEM"),),
    examples=("clear #42", "clear M3-BOLT"),
    details=(
        "What came from another space and is gone from InvenTree may have been merged into another item of that part.",
        "So that item doesn't go on to a third space, until you say by this that you know where the missing ones are.",
        "It counts for all that has vanished of that part up to now. What vanishes later counts again.",
    ),
)


def ask(turn: Turn, command: Command) -> tuple[Question, ...] | Phrase:
    """Which part is meant, and what vanished of it."""
    del turn
    return (FindItems(_word(command), merges=True),)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """Note it with each transfer that brought some of it."""
    (found,) = answers
    if not isinstance(found, ItemsFound):
        raise TypeError(f"clear asks which items are meant, not {found!r}")
    if not found.items:
        return say("item_not_found", word=_word(command)[:SHOWN], parts=found.parts)
    cleared = merges.clear(turn, found, command.signature(turn))
    names = tuple(dict.fromkeys(turn.party_name(each.origin) for each in cleared))
    return say("merges_cleared", item=found.items[0], quantity=merges.total(cleared), origins=names)


def _word(command: Command) -> str:
    return str(command.arguments["item"])


HANDLER = Handler(SPEC, ask, act)
