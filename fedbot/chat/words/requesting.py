"""Answers to `request`, and to a quantity behind `approve`: asked back, or why it can't be granted."""

from __future__ import annotations

from decimal import Decimal

from fedbot.chat.words import naming
from fedbot.chat.words.naming import command
from fedbot.chat.words.tongue import Lines, Tongue
from fedbot.federation.documents import Connection, Line, Transfer
from fedbot.federation.terms import total


def how_many_of_it(tongue: Tongue, *, word: str, line: str) -> Lines:
    """A request without a quantity: only the owner knows how much there is, so nothing is guessed."""
    return [
        tongue.say('How much of "{word}"? I did nothing.', word=tongue.short(word, 60)),
        tongue.say("For example: {line}", line=command(line)),
    ]


def which_is_the_quantity(tongue: Tongue, *, ways: tuple[tuple[Decimal, str], ...]) -> Lines:
    """A number at both ends of what was asked for."""
    numbered = [
        tongue.say(
            '{number}) {quantity} × "{item}"', number=number, quantity=tongue.quantity(amount), item=tongue.short(item)
        )
        for number, (amount, item) in enumerate(ways, start=1)
    ]
    numbers = [str(number) for number in range(1, len(ways) + 1)]
    return [
        tongue.say("That can mean different things. Which?"),
        *numbered,
        tongue.say("Reply {numbers} within 10 minutes. I did nothing yet.", numbers=tongue.names(numbers, any_of=True)),
    ]


def all_or_nothing(tongue: Tongue, *, subject: Connection | Transfer) -> Lines:
    """A quantity where none can be chosen."""
    case = naming.case(tongue, subject)
    if not isinstance(subject, Transfer) or subject.terms.kind != "request":
        why = tongue.say("A quantity only goes with what another space requests of us.")
    elif len({line.part for line in subject.terms.lines}) > 1:
        why = tongue.say("It is of several parts, so it is all or nothing.")
    else:
        why = tongue.say("Each piece has a serial number, so only whole ones can go.")
    return [
        tongue.say("Not counted: of {case} no part can be chosen.", case=case),
        why,
        tongue.say("Yes to all of it: {approve}", approve=command(f"approve {subject.code}")),
    ]


def more_than_asked(tongue: Tongue, *, transfer: Transfer, wanted: Decimal) -> Lines:
    """More granted than was asked for."""
    line = transfer.terms.lines[0]
    names = {
        "wanted": tongue.quantity(wanted, line.description.units),
        "asked": tongue.quantity(total(transfer.terms.lines), line.description.units),
        "case": naming.case(tongue, transfer),
    }
    return [
        tongue.say("Not counted: {wanted} is more than the {asked} that are asked for.", **names),
        tongue.say("Yes to all of it: {approve}", approve=command(f"approve {transfer.code}")),
    ]


def requested_is_flawed(tongue: Tongue, *, transfer: Transfer, lines: tuple[Line, ...], peer_name: str) -> Lines:
    """What the owner would send for a request isn't in order, by its status in the owner's InvenTree."""
    owner, cancel = naming.space(tongue, peer_name), command(f"cancel {transfer.code}")
    return [
        tongue.say("What {owner} has is not in order: {what}", owner=owner, what=naming.all_of(tongue, lines)),
        tongue.say("It comes like that if {owner} agrees. If you don't want it: {cancel}", owner=owner, cancel=cancel),
    ]
