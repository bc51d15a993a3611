"""`!fed received ID`: confirm that a parcel has arrived; the same as a second 📦 on its card."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.deciding import amount_in, look_at_card, with_quantity
from fedbot.commands.lookup import subject_meant
from fedbot.commands.spec import Argument, Handler, Kind, Verb, Where
from fedbot.rules import decisions
from fedbot.rules.model.command import Command
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.queries import Answer
from fedbot.rules.model.stock import Permission
from fedbot.rules.model.transfer import Transfer, less_of, total
from fedbot.rules.state import Turn
from fedbot.rules.transfer import parcel

SPEC = Verb(
    name="received",
    aliases=("arrived",),
    summary="confirm that a parcel has arrived",
    permission=Permission.MAPPED,  # an approver must type it, which is checked as on a card
    arguments=(
        Argument("id", Kind.SUBJECT, "ID", optional=True),
        Argument("quantity", Kind.QUANTITY, "QUANTITY", optional=True),
    ),
    examples=("received k7m2", "received", "received k7m2 7"),
    details=(
        "The receiver's approver confirms; then it is booked in. The same as a second 📦 on the card.",
        "A reply to the card needs no ID. It takes effect after some seconds; until then, 'cancel' takes it back.",
        "With a quantity, only that much is booked in. The sender's superuser settles the rest with 'resolve'.",
        "If the parcel never arrives, type 'missing'.",
    ),
    where=Where.FEDERATION_ROOM,
    decides=True,
)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Begin to book it in, or say why not."""
    del answers
    told = with_quantity(turn, command)
    if isinstance(told, Phrase):
        return told
    command, how_much = told
    subject = subject_meant(turn, command, SPEC, tuple(t for t in turn.open_transfers() if t.awaits_parcel))
    if isinstance(subject, Phrase):
        return subject
    if not isinstance(subject, Transfer) or not subject.awaits_parcel:
        return say(
            messages.transfer_end.no_parcel_for_us, subject=subject, us=turn.us, peer_name=turn.party_name(subject.peer)
        )
    sent, quantity = parcel.sent_lines(subject), amount_in(subject, command, how_much)
    if isinstance(quantity, Phrase):
        return quantity
    if quantity is not None and (less_of(sent, quantity) is None or quantity > total(sent)):
        return say(messages.transfer_end.not_so_much_was_sent, transfer=subject, sent=sent)
    event = command.event_id
    return decisions.take_up(
        turn,
        subject,
        Choice.PARCEL,
        command.sender,
        event,
        reply_to=event,
        quantity=None if quantity == total(sent) else quantity,
        at=command.at,
    )


HANDLER = Handler(SPEC, look_at_card, act)
