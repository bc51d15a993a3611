"""`!fed extend [ID] 2 weeks`: extend a loan. The lender's approver grants it; for a borrower the lender decides."""

from __future__ import annotations

from datetime import date

from fedbot import messages
from fedbot.commands.dates import day_from, is_day, reads_as_day
from fedbot.commands.loan_lookup import carrier, id_and_rest, lines_meant, loan_meant, with_the_loan_of
from fedbot.commands.lookup import signature_with_note, whole_line
from fedbot.commands.push import ANYWAY
from fedbot.commands.spec import WHY, Argument, Handler, Kind, Verb, Where
from fedbot.messages.quantities import EVERYTHING
from fedbot.rules.loan import balance, bookings, extend
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.model.queries import Answer, Query
from fedbot.rules.model.stock import Permission
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import Turn
from fedbot.rules.wire import by_line

SPEC = Verb(
    name="extend",
    aliases=("renew", "prolong"),
    summary="extend a loan",
    permission=Permission.APPROVER,
    arguments=(Argument("id", Kind.ANYTHING, "[ID] TIME"),),
    options=(WHY, ANYWAY),
    examples=("extend 2 weeks", "extend k7m2 until 31.1.", "extend k7m2 1 week - the fair is later"),
    details=(
        "A period counts from the due date, or from today if the loan is overdue.",
        "An approver of the lender extends it at once. If one of the borrower asks, the lender's approvers decide.",
        "The lender's approver can shorten an extension, but not to before the agreed due date.",
    ),
    where=Where.FEDERATION_ROOM,
)


_IN_FRONT = frozenset({"by", "for", "um", "für"})


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask InvenTree nothing; an objection is returned at once."""
    meant = _meant(turn, command)
    return meant if isinstance(meant, Phrase) else ()


def _meant(turn: Turn, command: Command) -> tuple[Transfer, str] | Phrase:
    """The loan, and the words for the time."""
    things, time = thing_and_time(str(command.arguments.get("id", "")))
    known = with_the_loan_of(turn, command, SPEC, things, time)
    if isinstance(known, Phrase):
        return known
    command, rest = id_and_rest(turn, known, str(known.arguments.get("id", "")))
    loan = loan_meant(turn, command, SPEC)
    if isinstance(loan, Phrase):
        return loan
    things, time = thing_and_time(rest)
    some = lines_meant(loan, things) if things and time and things.casefold() not in EVERYTHING else None
    if some is not None and (some[1] or len(some[0]) < len(loan.terms.lines)):
        line = whole_line(turn, command, SPEC, id=f"{loan.code} {how_long(time)}")
        return say(messages.loan.extended_as_a_whole, loan=balance.as_still_out(turn, loan), line=line)
    rest = how_long(time if some or things.casefold() in EVERYTHING else rest)
    return (loan, rest) if rest else say(messages.loan.extend_until_when, usage=SPEC.usage, example=SPEC.examples[0])


def thing_and_time(words: str) -> tuple[str, str]:
    """Split into `LENS-2` and `for 2 weeks`: the words before a day or a span, and the rest.

    Without a day or a span, all words are items.
    """
    split = words.split()
    behind = (at for at in range(len(split)) if is_day(how_long(" ".join(split[at:]))))
    at = next(behind, 0 if reads_as_day(how_long(words)) else len(split))
    return " ".join(split[:at]), " ".join(split[at:])


def how_long(words: str) -> str:
    """The day or the span, without the preposition before it."""
    first, _, rest = words.partition(" ")
    return rest if first.casefold() in _IN_FRONT else words


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Extend the loan, or ask the lender to."""
    del answers
    meant = _meant(turn, command)
    if isinstance(meant, Phrase):
        return meant
    loan, words = meant
    today = turn.day_of(loan)
    day = day_from(words, today, max(loan.due_day or today, today))
    if isinstance(day, Phrase):
        return day
    by, connection = signature_with_note(turn, command), carrier(turn, loan)
    if loan.role == "sender":
        return _give(turn, command, loan, day)
    if loan.due_day and day <= loan.due_day:
        return say(messages.loan.due_later_already, loan=balance.as_still_out(turn, loan))
    if connection.state is not ConnectionState.ACTIVE:
        return say(messages.approval.connection_not_active, connection=connection)
    if refused := extend.against_rules(turn, loan, day):
        return say(messages.lending.extended_too_long, loan=loan, refused=refused)
    if waiting := balance.open_extensions(turn, loan):
        return say(messages.loan.extension_asked_already, loan=balance.as_still_out(turn, loan), transfer=waiting[0])
    extend.ask(turn, by_line(command.event_id), connection, loan, day, by)
    return None


def _give(turn: Turn, command: Command, loan: Transfer, day: date) -> Phrase | None:
    """Extend the loan at once, for the lender's approver. If it is booked then, the person must confirm."""
    if loan.terms.loan_until and day < loan.terms.loan_until:
        return say(messages.loan.agreed_until_later, loan=balance.as_still_out(turn, loan))
    if refused := extend.against_rules(turn, loan, day):
        return say(messages.lending.extended_too_long, loan=loan, refused=refused)
    broken = bookings.broken_by_extension(turn, loan, day)
    if broken and ANYWAY.name not in command.arguments:
        line = whole_line(turn, command, SPEC, **{ANYWAY.name: "yes"})
        name = loan.terms.lines[0].description.name
        return say(messages.booking.would_break, what=name, bookings=broken, line=line)
    extend.prolong(turn, loan, day, signature_with_note(turn, command))
    return None


HANDLER = Handler(SPEC, ask, act)
