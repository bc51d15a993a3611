"""Which loan a line is about, and whether its say is the speaker's space's: for the verbs about loans."""

from __future__ import annotations

from dataclasses import replace

from fedbot.federation import loans
from fedbot.federation.commands import Command
from fedbot.federation.documents import Connection, Transfer
from fedbot.federation.effects import Phrase, say
from fedbot.federation.state import Turn
from fedbot.verbs.dates import reads_as_day
from fedbot.verbs.naming import WITHOUT_ID, bare_id, subject_meant
from fedbot.verbs.quantities import quantity_in
from fedbot.verbs.spec import Verb


def loan_meant(turn: Turn, command: Command, spec: Verb) -> Transfer | Phrase:
    """The loan that is running; a return or extension stands for its loan. Else what is wrong."""
    found = subject_meant(turn, command, spec, tuple(loans.on_loan(turn)))
    if isinstance(found, Phrase):
        return found
    if isinstance(found, Transfer) and found.terms.parent:
        found = turn.transfer(found.terms.parent) or found
    if isinstance(found, Connection) or not found.is_loan:
        return say("no_loan", subject=found)
    if found.closed is not None or not found.is_on_loan:
        return say("not_on_loan", loan=found, home=turn.home, peer_name=turn.party_name(found.peer))
    return found


def owned_loan(turn: Turn, command: Command, spec: Verb) -> Transfer | Phrase:
    """The loan, if it is ours to say how it ends."""
    loan = loan_meant(turn, command, spec)
    if isinstance(loan, Phrase):
        return loan
    if loan.role != "sender":
        return say("owner_decides", loan=loan, peer_name=turn.party_name(loan.peer), usage=spec.usage)
    return loan


def carrier(turn: Turn, loan: Transfer) -> Connection:
    """The connection by which the two spaces settle it: the living one, else that of the loan."""
    connection = turn.connection_with(loan.peer) or turn.connection(loan.connection)
    if connection is None:
        raise LookupError(f"loan {loan.id} has no connection")
    return connection


def id_and_rest(turn: Turn, command: Command, word: str) -> tuple[Command, str]:
    """The line with the id that `word` begins with, if it is one; and what is left of the words."""
    first, _, behind = word.strip().partition(" ")
    bare = bare_id(first)
    is_amount = quantity_in(bare) is not None or first in {"by", "for", "until"} or reads_as_day(word.strip())
    if not turn.by_code(bare) and (command.subject or is_amount):
        return replace(command, arguments={**command.arguments, "id": "", WITHOUT_ID: word.strip()}), word.strip()
    return replace(command, arguments={**command.arguments, "id": bare}), behind.strip()


def only_line(loan: Transfer) -> int | None:
    """The number of the loan's line, if only one was lent."""
    numbers = list(loans.lent(loan))
    return numbers[0] if len(numbers) == 1 else None
