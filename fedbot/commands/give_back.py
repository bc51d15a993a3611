"""`!fed return [ID] [QUANTITY]`: return a loan. Either side may type it, and the lender decides."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from fedbot import messages
from fedbot.commands.grammar import SHOWN
from fedbot.commands.loan_lookup import (
    ALL,
    about_units,
    called_alike,
    carrier,
    id_and_rest,
    let_choose,
    let_choose_one,
    loan_meant,
    lost_of_it,
    things_meant,
    under_way,
    with_note_apart,
    with_the_loan_of,
)
from fedbot.commands.spec import Argument, Handler, Kind, Option, Verb, Where
from fedbot.messages.quantities import EVERYTHING
from fedbot.rules.carry_out_line import not_entitled
from fedbot.rules.loan import balance, hand_back
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.model.queries import Answer, FindItems, PersonPermissions, Query
from fedbot.rules.model.stock import TRAVELLING_STATUSES, Permission
from fedbot.rules.model.transfer import Terms, Transfer
from fedbot.rules.protocol.terms import presentable
from fedbot.rules.state import Turn
from fedbot.rules.transfer import receive
from fedbot.rules.wire import by_line

LONGEST_KEY = 9

SPEC = Verb(
    name="return",
    aliases=("back",),
    summary="return a loan",
    permission=Permission.MAPPED,  # at the lender an approver must type it, and that is the decision
    arguments=(Argument("id", Kind.THINGS, "[ID] [THING] [QUANTITY]", optional=True),),
    options=(
        Option("damaged", "", "it came back damaged (for the lender)", in_words=("broken", "damaged", "defective")),
        Option("note", "TEXT", "a note for the item's history"),
        Option("from", "ITEM", "the borrowed pieces are now part of this stock item in your stock, such as #12"),
    ),
    examples=(
        "return",
        "return k7m2",
        "return LENS-2",
        "return k7m2 20",
        "return k7m2 LENS-2; RES-10K 5",
        'return k7m2 --damaged --note "scratched"',
    ),
    details=(
        "Any member of the borrower can type it. The lender's approver then looks at the item and decides on a card.",
        "If the lender's approver types it, that is the decision: the loan is back.",
        "The lender's own stock item returns to its old place. Without a quantity, all of it returns.",
        "For a loan of several items I list what is out: choose a number, a name, or 'all'.",
    ),
    where=Where.FEDERATION_ROOM,
    everyday=6,
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask about the stock item: ours that is lent, or the one that we have borrowed."""
    command = with_note_apart(turn, command, SPEC)
    named = _named(turn, command)
    if isinstance(named, Phrase):
        return named
    if about := about_units(command, *named):
        return about
    if called_alike(*named)[0]:
        return ()  # asks which one, too
    meant = _meant(turn, command)
    if isinstance(meant, Phrase):
        return meant
    loan, terms = meant
    if len(terms.lines) > 1 and not named[1]:
        return ()  # the person is asked first which of them are returned
    if loan.role == "sender":
        permissions = (PersonPermissions(command.username), turn.who_may(Permission.APPROVER))
        return (*permissions, *hand_back.queries(loan, terms))
    source = _source(command, loan, terms)
    if isinstance(source, Phrase):
        return source
    return tuple(FindItems(f"#{source or line.item}") for line in terms.lines)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Begin the return, or say why not."""
    command = with_note_apart(turn, command, SPEC)
    named = _named(turn, command)
    if not isinstance(named, Phrase) and called_alike(*named)[0]:
        let_choose_one(turn, command, named[0], SPEC, named[1])
        return None
    meant = _meant(turn, command)
    if isinstance(meant, Phrase):
        return meant
    loan, terms = meant
    if not answers:
        let_choose(turn, command, loan, SPEC)
        return None
    if loan.role == "sender":
        return _as_lender(turn, command, loan, terms, answers)
    connection, source = carrier(turn, loan), _source(command, loan, terms)
    if isinstance(source, Phrase):
        return source
    if complaint := _unconnected(turn, loan, connection) or _not_here(loan, terms, answers, source):
        return complaint
    hand_back.hand_back(turn, by_line(command.event_id), connection, terms, turn.signature_of(command), source)
    return None


def _source(command: Command, loan: Transfer, terms: Terms) -> int | Phrase | None:
    """Our stock item that the borrowed pieces were merged into, if the line names it; or an objection.

    An item with a serial number can't be merged, and only one item at a time was.
    """
    word = str(command.arguments.get("from", "")).strip()
    if not word:
        return None
    key = word.removeprefix("#")
    is_one = loan.role == "receiver" and len(terms.lines) == 1 and not terms.lines[0].serial
    if not (is_one and key.isdecimal() and len(key) <= LONGEST_KEY):
        return say(messages.loan.returned_from_one_item, loan=loan, word=word[:SHOWN])
    return int(key)


def _as_lender(
    turn: Turn, command: Command, loan: Transfer, terms: Terms, answers: tuple[Answer, ...]
) -> Phrase | None:
    """The lender's person says that it is back: if that is an approver, it is the decision."""
    connection = carrier(turn, loan)
    cause, by = by_line(command.event_id), turn.signature_of(command)
    if complaint := not_entitled(turn, command, Permission.APPROVER, answers[:2]):
        return complaint
    if reason := hand_back.wrong_at_lender(loan, terms, connection, list(answers[2:])):
        out, peer_name = balance.as_still_out(turn, loan), connection.peer_name
        return say(messages.loan.can_not_come_back, loan=out, reason=reason, us=turn.us, peer_name=peer_name)
    damaged = bool(command.arguments.get("damaged"))
    if _said_damaged(command) and len(terms.lines) > 1:
        return say(messages.loan.which_is_damaged, loan=balance.as_still_out(turn, loan), word=_said_damaged(command))
    if connection.state is ConnectionState.ENDED:
        receive.book_in(turn, hand_back.take_back_alone(turn, cause, connection, terms, by, damaged=damaged))
        return None
    if complaint := _unconnected(turn, loan, connection):
        return complaint
    hand_back.ask_back(turn, cause, connection, terms, by, damaged=damaged)
    return None


def _meant(turn: Turn, command: Command) -> tuple[Transfer, Terms] | Phrase:
    """The loan, and the terms of its return."""
    named = _named(turn, command)
    if isinstance(named, Phrase):
        return named
    loan, words = named
    is_said = _said_damaged(command) and loan.role == "receiver"
    if command.arguments.get("damaged") and loan.role == "receiver" and not is_said:
        return say(messages.loan.owner_sees_damage, loan=loan, peer_name=turn.party_name(loan.peer))
    wanted = _wanted(turn, command, loan, words)
    if isinstance(wanted, Phrase):
        return wanted
    remarks = (_said_damaged(command) if is_said else "", str(command.arguments.get("note", "")))
    note = presentable(", ".join(filter(None, remarks)))
    terms = balance.return_terms(loan, wanted, turn.signature_of(command), note)
    return (
        (loan, terms)
        if terms
        else say(
            messages.loan.borrowed_stock_unknown,
            loan=balance.as_still_out(turn, loan),
            peer_name=turn.party_name(loan.peer),
        )
    )


_OPTION_SET = "yes"


def _said_damaged(command: Command) -> str:
    """The word such as `broken` at the line's end: a remark of the borrower; '' for `--damaged`."""
    said = str(command.arguments.get("damaged", ""))
    return "" if said == _OPTION_SET else said


def _wanted(turn: Turn, command: Command, loan: Transfer, words: str) -> dict[int, Decimal] | Phrase:
    """The quantity of each line: the one that the person named, or everything that is out."""
    if lost := lost_of_it(turn, loan, words):
        return lost
    left = balance.free_to_return(turn, loan)
    moving = balance.open_return(turn, loan)
    if moving and (not left or words.casefold() in {"", *EVERYTHING}):
        return under_way(turn, loan, moving)
    return things_meant(loan, words or ALL, left, command.factors)


def _named(turn: Turn, command: Command) -> tuple[Transfer, str] | Phrase:
    """The loan, and the words for what of it is meant."""
    known = with_the_loan_of(turn, command, SPEC, str(command.arguments.get("id", "")).strip())
    if isinstance(known, Phrase):
        return known
    known, words = id_and_rest(turn, known, str(known.arguments.get("id", "")))
    loan = loan_meant(turn, known, SPEC)
    return loan if isinstance(loan, Phrase) else (loan, words)


def _not_here(loan: Transfer, terms: Terms, answers: tuple[Answer, ...], source: int | None) -> Phrase | None:
    """Why our stock item can't be returned: moved by hand, used up, allocated; or `source` is another part's."""
    for line, answer in zip(terms.lines, answers, strict=True):
        item = hand_back.item_of(answer, source or line.item)
        if source is not None and (item is None or item.part.pk != line.part or item.serial or item.provenance):
            return say(messages.loan.not_of_that_part, loan=loan, item=source)
        line = replace(line, item=source or line.item)  # noqa: PLW2901 -- as the message shows it
        there = item.available if item and item.in_stock and item.customer is None else Decimal(0)
        if item is None or there < line.quantity or item.status not in TRAVELLING_STATUSES:
            return say(messages.loan.borrowed_is_elsewhere, loan=loan, line=line, item=item, there=there)
        if not item.part.salable:
            return say(messages.loan.borrowed_not_salable, loan=loan, item=item)
    return None


def _unconnected(turn: Turn, loan: Transfer, connection: Connection) -> Phrase | None:
    if connection.state is ConnectionState.ENDED:
        out = balance.as_still_out(turn, loan)
        return say(messages.loan.no_friends_to_return_to, loan=out, peer_name=turn.party_name(loan.peer))
    carried = connection.state in {ConnectionState.ACTIVE, ConnectionState.ENDING}
    return None if carried else say(messages.approval.connection_not_active, connection=connection)


HANDLER = Handler(SPEC, ask, act)
