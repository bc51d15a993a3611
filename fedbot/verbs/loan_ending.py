"""What `gift` and `lost` do alike: the owner's approver says how a loan ends that doesn't come back (DESIGN §2)."""

from __future__ import annotations

from fedbot.federation import closing
from fedbot.federation.commands import Command
from fedbot.federation.documents import Ending
from fedbot.federation.effects import Phrase
from fedbot.federation.questions import Answer, Question
from fedbot.federation.state import Turn
from fedbot.verbs.loans_meant import owned_loan
from fedbot.verbs.spec import Handler, Verb


def ends_it(spec: Verb, how: Ending) -> Handler:
    """The handler of a verb that closes the loan in this way."""

    def ask(turn: Turn, command: Command) -> tuple[Question, ...] | Phrase:
        """Nothing of InvenTree; what stands against it is said at once."""
        loan = owned_loan(turn, command, spec)
        return loan if isinstance(loan, Phrase) else ()

    def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
        """Close the loan so."""
        del answers
        loan = owned_loan(turn, command, spec)
        if isinstance(loan, Phrase):
            return loan
        closing.close(turn, loan, how, command.signature(turn))
        return None

    return Handler(spec, ask, act)
