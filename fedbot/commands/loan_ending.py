"""The common part of `gift` and `lost`: the lender's approver closes a loan that isn't returned."""

from __future__ import annotations

from decimal import Decimal

from fedbot import messages
from fedbot.commands.loan_lookup import (
    ALL,
    id_and_rest,
    owned_loan,
    things_meant,
    under_way,
    with_note_apart,
    with_the_loan_of,
)
from fedbot.commands.lookup import signature_with_note
from fedbot.commands.spec import Handler, Verb
from fedbot.rules.loan import balance, end
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lifecycles import Ending
from fedbot.rules.model.queries import Answer, Query
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import Turn


def closing_handler(spec: Verb, how: Ending) -> Handler:
    """The handler of a verb that closes the loan in this way."""

    def meant(turn: Turn, command: Command) -> tuple[Transfer, dict[int, Decimal]] | Phrase:
        """The loan, and the quantity of each line; everything that is out, if nothing is named."""
        known = with_the_loan_of(turn, command, spec, str(command.arguments.get("id", "")).strip())
        if isinstance(known, Phrase):
            return known
        command, words = id_and_rest(turn, known, str(known.arguments.get("id", "")))
        loan = owned_loan(turn, command, spec)
        if isinstance(loan, Phrase):
            return loan
        out, free = balance.still_out(turn, loan), balance.free_to_return(turn, loan)
        wanted = things_meant(loan, words or ALL, out)
        if isinstance(wanted, Phrase):
            return wanted
        if any(free.get(number) != out[number] for number in wanted):
            return under_way(turn, loan, balance.open_return(turn, loan) or loan)
        if wanted != {number: out[number] for number in wanted}:
            return say(messages.loan.only_all_of_a_thing, loan=balance.as_still_out(turn, loan), usage=spec.usage)
        return loan, wanted

    def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
        """Ask InvenTree nothing; an objection is returned at once."""
        found = meant(turn, with_note_apart(turn, command, spec))
        return found if isinstance(found, Phrase) else ()

    def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
        """Close the loan, or that part of it."""
        del answers
        command = with_note_apart(turn, command, spec)
        found = meant(turn, command)
        if isinstance(found, Phrase):
            return found
        loan, wanted = found
        end.close(turn, loan, how, signature_with_note(turn, command), wanted)
        return None

    return Handler(spec, ask, act)
