"""`!fed missing ID`: report that a parcel never arrived, or came back. A superuser then settles it with `resolve`."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.lookup import subject_meant
from fedbot.commands.spec import Argument, Handler, Kind, Verb, Where
from fedbot.rules import consent as subjects
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
    arguments=(Argument("id", Kind.SUBJECT, "ID", optional=True),),
    examples=("missing k7m2", "missing"),
    details=(
        "An approver of either space reports that the parcel is lost, or came back.",
        "Then I book nothing more, and a superuser settles it with 'resolve'.",
        "If only some of it came, type 'received ID QUANTITY' instead.",
        "As a reply to the card it needs no ID.",
    ),
    where=Where.FEDERATION_ROOM,
)


def _meant(turn: Turn, command: Command) -> Transfer | Phrase:
    on_their_way = tuple(t for t in turn.open_transfers() if subjects.parcel_is_under_way(t))
    subject = subject_meant(turn, command, SPEC, on_their_way)
    if isinstance(subject, Phrase):
        return subject
    if isinstance(subject, Transfer) and subject.state is TransferState.DISPUTED and subject.parcel:
        return say(messages.transfer_end.parcel_missing_already, transfer=subject)
    if not isinstance(subject, Transfer) or not subjects.parcel_is_under_way(subject):
        return say(messages.transfer_end.no_parcel_under_way, subject=subject)
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
    parcel.never_arrived(turn, transfer, turn.signature_of(command))
    return say(messages.transfer_end.parcel_noted_missing, transfer=turn.transfer(transfer.id) or transfer)


HANDLER = Handler(SPEC, ask, act)
