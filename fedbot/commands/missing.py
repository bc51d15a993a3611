"""`!fed missing ID`: report that a parcel never arrived, or came back. A superuser then settles it with `resolve`."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.loan_lookup import id_and_rest
from fedbot.commands.lookup import signature_with_note, subject_meant
from fedbot.commands.received import example_of
from fedbot.commands.spec import WHY, Argument, Handler, Kind, Verb, Where
from fedbot.messages.quantities import EVERYTHING
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.queries import Answer, Query
from fedbot.rules.model.stock import Permission
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import Turn
from fedbot.rules.transfer import parcel

SPEC = Verb(
    name="missing",
    summary="report a missing parcel",
    permission=Permission.APPROVER,
    arguments=(Argument("id", Kind.THINGS, "ID", optional=True),),
    options=(WHY,),
    examples=("missing k7m2", "missing", "missing k7m2 - the post has lost it"),
    details=(
        "An approver of either space reports that all of it is lost, or came back.",
        "Then I book nothing more, and a superuser settles it with 'resolve'.",
        "If some of it came, type what came: 'received k7m2 28 M3-NUT + LENS-2'. The rest counts as missing.",
        "A reply to the card needs no ID.",
    ),
    where=Where.FEDERATION_ROOM,
)


def _meant(turn: Turn, command: Command) -> Transfer | Phrase:
    command, things = id_and_rest(turn, command, str(command.arguments.get("id", "")))
    on_their_way = tuple(t for t in turn.open_transfers() if t.has_parcel_under_way)
    subject = subject_meant(turn, command, SPEC, on_their_way)
    if isinstance(subject, Phrase):
        return subject
    if isinstance(subject, Transfer) and subject.state is TransferState.DISPUTED and subject.parcel:
        return say(messages.parcel.parcel_missing_already, transfer=subject)
    if not isinstance(subject, Transfer) or not subject.has_parcel_under_way:
        return say(messages.parcel.no_parcel_under_way, subject=subject)
    if things and things.casefold() not in EVERYTHING:
        receiver = turn.party_name(subject.terms.receiver)
        example = example_of(subject)
        return say(messages.parcel.say_what_came, transfer=subject, receiver=receiver, example=example)
    return subject


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask for nothing but the speaker's permission; an objection is returned at once."""
    meant = _meant(turn, command)
    return meant if isinstance(meant, Phrase) else ()


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """Stop waiting for the parcel, and inform both spaces."""
    del answers
    transfer = _meant(turn, command)
    if isinstance(transfer, Phrase):
        return transfer
    parcel.never_arrived(turn, transfer, signature_with_note(turn, command))
    return say(messages.parcel.parcel_noted_missing, transfer=turn.transfer(transfer.id) or transfer)


HANDLER = Handler(SPEC, ask, act)
