"""Which things of a loan a line is about: `2`, `LENS-2`, `RES-10K 5`, `LENS-2#0042; 3`, `all` (DESIGN §8).

A number alone is a thing of the loan's list; of a loan of one thing it is how much of that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from fedbot.federation import lines as chat_lines
from fedbot.federation import loans
from fedbot.federation.commands import Command
from fedbot.federation.documents import Line, Transfer
from fedbot.federation.effects import Phrase, say
from fedbot.federation.state import Turn
from fedbot.verbs.grammar import SHOWN
from fedbot.verbs.loans_meant import only_line
from fedbot.verbs.naming import whole_line
from fedbot.verbs.offering import quantity_complaint
from fedbot.verbs.quantities import is_times, quantity_in
from fedbot.verbs.spec import BETWEEN_THINGS, Verb

ALL = "all"


def things_meant(loan: Transfer, words: str, left: Mapping[int, Decimal]) -> dict[int, Decimal] | Phrase:
    """How much of which lines, of what is `left` of each; or what is wrong with the words."""
    if words.casefold() == ALL:
        return dict(left)
    wanted: dict[int, Decimal] = {}
    for words_of_one in words.split(BETWEEN_THINGS):
        meant = _one_meant(loan, words_of_one, left)
        if isinstance(meant, Phrase):
            return meant
        for number, quantity in meant.items():
            wanted[number] = wanted.get(number, Decimal(0)) + quantity
    for number, quantity in wanted.items():
        there = left.get(number, Decimal(0))
        if quantity > there or not there:
            return say("more_than_out", loan=loan, line=loan.line(number), wanted=quantity, out=there)
    return wanted


def _one_meant(loan: Transfer, words: str, left: Mapping[int, Decimal]) -> dict[int, Decimal] | Phrase:
    """One thing with its quantity, or all of it without one."""
    only = only_line(loan)
    if only is not None and quantity_in(words) is not None and not _called(loan, words):
        return _counted(loan, [only], words)
    if called := _called(loan, words):
        return {number: left.get(number, Decimal(0)) for number in called}
    for name, quantity in _with_quantity(words.split()):
        if called := _called(loan, name):
            return _counted(loan, called, quantity)
    return say("no_such_thing_lent", loan=loan, word=words[:SHOWN], numbers=tuple(loans.lent(loan)))


def _with_quantity(words: list[str]) -> Iterator[tuple[str, str]]:
    """The name and the quantity that these words can be: the quantity last, else first."""
    bare = [word for word in words if not is_times(word)]
    if len(bare) > 1:
        if quantity_in(bare[-1]) is not None:
            yield " ".join(bare[:-1]), bare[-1]
        if quantity_in(bare[0]) is not None and not bare[-1].isdecimal():
            yield " ".join(bare[1:]), bare[0]


def _counted(loan: Transfer, numbers: list[int], word: str) -> dict[int, Decimal] | Phrase:
    """So much of the one line that is called so."""
    found = quantity_in(word)
    if found is None or len(found.readings) > 1:
        return say("number_unclear", word=word, readings=found.readings if found else ())
    if complaint := quantity_complaint(found.readings[0]):
        return complaint
    if len(numbers) > 1:
        return say("several_things_called_so", loan=loan, numbers=tuple(numbers))
    return {numbers[0]: Decimal(found.readings[0])}


def _called(loan: Transfer, word: str) -> list[int]:
    """The lines that are called so: by number, IPN, name, serial number, or the key of a stock item."""
    wanted = word.strip().strip("\"'").casefold()
    lent = loans.lent(loan)
    if len(lent) > 1 and wanted.isdecimal():
        return [number for number in lent if str(number) == wanted]
    return [number for number in lent if wanted in _names(loan, loan.line(number))]


def _names(loan: Transfer, line: Line) -> set[str]:
    names = {line.description.name, line.description.ipn} - {""}
    with_serial = {f"{name}#{line.serial}" for name in names} if line.serial else set()
    keys = {f"#{key}" for key in (line.item, loan.at(line.number).item) if key}
    return {name.casefold() for name in names | with_serial} | keys


def let_choose(turn: Turn, command: Command, loan: Transfer, spec: Verb) -> None:
    """Put the list of what is out, and free to go: each by its number, and all of it."""
    left = loans.free_to_return(turn, loan)
    last = max(left) + 1
    words = {**{number: str(number) for number in left}, last: ALL}
    ways = tuple(
        whole_line(turn, command, spec, id=f"{loan.code} {words[number]}") if number in words else ""
        for number in range(1, last + 1)
    )
    lines = tuple(line for line in loans.lines_out(turn, loan) if line.number in left)
    phrase = say("which_things_of_a_loan", loan=loan, lines=lines, everything=last, verb=spec.name)
    chat_lines.choose(turn, command.room, command.event_id, command.sender, phrase, ways)
