"""`!fed here ID #42`: say that an item lent before we had a bot is this stock item in our InvenTree."""

from __future__ import annotations

from dataclasses import replace

from fedbot import messages
from fedbot.commands.grammar import SHOWN, incomplete
from fedbot.commands.lookup import found_in, subject_meant
from fedbot.commands.spec import Argument, Handler, Kind, Option, Verb, Where
from fedbot.rules.loan import balance
from fedbot.rules.model import audit
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.queries import Answer, FindItems, Query
from fedbot.rules.model.stock import Permission, StockItem
from fedbot.rules.model.transfer import Transfer, with_progress
from fedbot.rules.state import Turn
from fedbot.rules.transfer import receive
from fedbot.rules.who_decides import Subject

ITEM = Argument("item", Kind.WORD, "#ITEM", optional=True)
SPEC = Verb(
    name="here",
    summary="say that a loan is in our InvenTree already",
    permission=Permission.APPROVER,
    arguments=(Argument("id", Kind.SUBJECT, "ID", optional=True), ITEM),
    options=(Option("forget", "", "it isn't after all"),),
    examples=("here k7m2 #42", "here #42", "here --forget"),
    details=(
        "It is for an item that was lent to us before we had a bot, and that somebody has entered by hand since.",
        "I mark that stock item as borrowed, and add nothing. A new card shows it, and asks for your approval.",
        "The whole stock item has to be the loan: the same quantity, the same serial number, and not from a friend.",
        "A reply to the card needs no ID.",
    ),
    where=Where.FEDERATION_ROOM,
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask which stock item is meant."""
    command = _read(turn, command)
    subject = _meant(turn, command)
    if isinstance(subject, Phrase):
        return subject
    if "forget" in command.arguments:
        return ()
    word = str(command.arguments.get("item", ""))
    return (FindItems(word),) if word else incomplete(SPEC, command.arguments, ITEM)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """Check it and post a new card, or say why that stock item can't be the lent one."""
    command = _read(turn, command)
    transfer = _meant(turn, command)
    if isinstance(transfer, Phrase):
        return transfer
    (line,) = transfer.terms.lines
    if "forget" in command.arguments:
        item = None
    else:
        found = found_in(answers).items
        if len(found) != 1:
            word = str(command.arguments.get("item", ""))[:SHOWN]
            return say(messages.outside.no_such_item_here, transfer=transfer, word=word, several=bool(found))
        if _is_taken(turn, transfer, found[0]) or found[0].quantity != line.quantity or found[0].serial != line.serial:
            return say(messages.outside.not_that_one, transfer=transfer, item=found[0])
        item = found[0].pk
    transfer = with_progress(transfer, replace(transfer.at(line.number), here=item))
    turn.save(transfer)
    turn.note(transfer.id, audit.SaidToBeHere(item or 0), command.sender, command.event_id)
    receive.look_for_parts(turn, transfer)
    return say(messages.outside.said_to_be_here, transfer=transfer, item=item or 0)


def _read(turn: Turn, command: Command) -> Command:
    """The line with its only word in the right argument: in a reply to the card it is the stock item, not the id."""
    word = str(command.arguments.get("id", ""))
    is_item = word.startswith("#") or (word.isdigit() and not turn.by_code(word))
    if "item" in command.arguments or not is_item:
        return command
    rest = {name: value for name, value in command.arguments.items() if name != "id"}
    return replace(command, arguments={**rest, ITEM.name: word})


def _is_taken(turn: Turn, transfer: Transfer, item: StockItem) -> bool:
    """Whether the stock item is not simply ours: with a customer, from a friend, or named for another loan."""
    others = (t for t in turn.open_transfers() if t.id != transfer.id)
    is_said = any(progress.here == item.pk for other in others for progress in other.progress)
    came = item.provenance is not None or balance.borrowed(turn, item) is not None
    return is_said or came or item.customer is not None or not item.in_stock


def _meant(turn: Turn, command: Command) -> Transfer | Phrase:
    subject = subject_meant(turn, command, SPEC, tuple(t for t in turn.open_transfers() if _can_be_here(t)))
    if isinstance(subject, Phrase):
        return subject
    if isinstance(subject, Transfer) and _can_be_here(subject):
        return subject
    return say(messages.outside.never_here, subject=subject)


def _can_be_here(subject: Subject) -> bool:
    """Whether it is an offer to us of an item lent before we had a bot, without a decision in progress."""
    if not isinstance(subject, Transfer) or subject.terms.outside is None or subject.role != "receiver":
        return False
    return subject.state is TransferState.OPEN and not (subject.wanted or subject.decision)


HANDLER = Handler(SPEC, ask, act)
