"""Which things of a loan are meant: the list that is put up, and what is said to words that name none of them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from fedbot.chat.words import naming
from fedbot.chat.words.naming import command
from fedbot.chat.words.tongue import Lines, Tongue
from fedbot.federation.documents import Line, Transfer


def more_than_out(tongue: Tongue, *, loan: Transfer, line: Line, wanted: Decimal, out: Decimal) -> Lines:
    """More than was lent, or than is still out."""
    what, units = naming.part(tongue, line.description), line.description.units
    if not out:
        first = tongue.say("Not done: {what} isn't out any more, or is on its way back already.", what=what)
        return [first, tongue.say("How it stands: {show}", show=command(f"show {loan.code}"))]
    amounts = {"out": tongue.quantity(out, units), "wanted": tongue.quantity(wanted, units)}
    return [
        tongue.say("Not done: of {what} {out} can go back, not {wanted}.", what=what, **amounts),
        tongue.say("All of it: {line}", line=command(f"return {loan.code}")),
    ]


def which_things_of_a_loan(
    tongue: Tongue, *, loan: Transfer, lines: tuple[Line, ...], everything: int, verb: str
) -> Lines:
    """What is out of a loan of several things: a numbered list, with all of it as the last."""
    numbers = "; ".join(str(line.number) for line in lines[:2])
    return [
        tongue.say("What of {code} goes back? I did nothing yet.", code=loan.code),
        *_numbered(tongue, lines),
        tongue.say("{number}) all of it", number=everything),
        tongue.say(
            "Reply with the number within 10 minutes. For several of them: {line}",
            line=command(f"{verb} {loan.code} {numbers}"),
        ),
    ]


def _numbered(tongue: Tongue, lines: Sequence[Line]) -> Lines:
    return [
        tongue.say("{number}) {what}", number=line.number, what=naming.marked_thing(tongue, line)) for line in lines
    ]


def no_such_thing_lent(tongue: Tongue, *, loan: Transfer, word: str, numbers: tuple[int, ...]) -> Lines:
    """The word names nothing of the loan."""
    shown = tongue.short(word, 40)
    return [
        tongue.say('Not done: nothing called "{word}" was lent by {code}. It is of:', word=shown, code=loan.code),
        *_numbered(tongue, [loan.line(number) for number in numbers]),
    ]


def several_things_called_so(tongue: Tongue, *, loan: Transfer, numbers: tuple[int, ...]) -> Lines:
    """A quantity of something of which there are several in the loan."""
    return [
        tongue.say("Not done: several things of {code} are called so. Please say its number:", code=loan.code),
        *_numbered(tongue, [loan.line(number) for number in numbers]),
    ]


def only_all_of_a_thing(tongue: Tongue, *, loan: Transfer, usage: str) -> Lines:
    """A quantity, where only a whole thing can end so."""
    del usage
    return [
        tongue.say("Not done: only all that is out of a thing can be given, or lost."),
        tongue.say("What is there can go back before: {line}", line=command(f"return {loan.code} QUANTITY")),
    ]
