"""`!fed approve ID`: the same as ✅ on the card; with a quantity, grant less than another space requests."""

from __future__ import annotations

from fedbot.commands.deciding import decide, look_at_card, with_quantity
from fedbot.commands.push import PARCEL
from fedbot.commands.spec import WHY, Argument, Handler, Kind, Verb, Where
from fedbot.rules.model.command import Command
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.effects import Phrase
from fedbot.rules.model.queries import Answer
from fedbot.rules.model.stock import Permission
from fedbot.rules.state import Turn

SPEC = Verb(
    name="approve",
    aliases=("accept", "yes", "ok"),
    summary="approve an offer, a request or a connection",
    permission=Permission.MAPPED,  # the card needs more, and checks it
    arguments=(
        Argument("id", Kind.SUBJECT, "ID", optional=True),
        Argument("quantity", Kind.QUANTITY, "QUANTITY", optional=True),
    ),
    options=(PARCEL, WHY),
    examples=("approve k7m2", "approve", "approve k7m2 20", "approve k7m2 --parcel"),
    details=(
        "It does the same as ✅ on the card (with --parcel, the same as 📦). A reply to the card needs no ID.",
        "Approvers of a space decide on offers and requests; superusers decide on connections.",
        "It takes effect after a few seconds. Until then, 'cancel' takes it back.",
        "QUANTITY grants less than was requested. Then the asking space decides if that is enough.",
    ),
    where=Where.FEDERATION_ROOM,
    decides=True,
)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Begin the decision, or say why not."""
    del answers
    told = with_quantity(turn, command)
    if isinstance(told, Phrase):
        return told
    choice = Choice.PARCEL if command.arguments.get("parcel") else Choice.APPROVE
    command, how_much = told
    return decide(turn, command, SPEC, choice, how_much)


HANDLER = Handler(SPEC, look_at_card, act)
