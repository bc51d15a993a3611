"""`!fed approve ID`: the same as ✅ on the card; with a quantity, less of what another space requests."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from fedbot.federation.commands import Command
from fedbot.federation.documents import Choice
from fedbot.federation.effects import Phrase, say
from fedbot.federation.questions import Answer
from fedbot.federation.state import Turn
from fedbot.federation.stock import Right
from fedbot.federation.verdicts import subject_by_id
from fedbot.verbs.deciding import decide
from fedbot.verbs.offering import quantity_complaint
from fedbot.verbs.quantities import quantity_in
from fedbot.verbs.spec import Argument, Handler, Kind, Verb, Where, nothing_to_ask

SPEC = Verb(
    name="approve",
    summary="say yes to what is offered or asked",
    right=Right.MAPPED,  # the card asks for more, and checks it
    arguments=(
        Argument("id", Kind.SUBJECT, "ID", optional=True),
        Argument("quantity", Kind.QUANTITY, "QUANTITY", optional=True),
    ),
    examples=("approve k7m2", "approve", "approve k7m2 20"),
    details=(
        "The same as ✅ on the card; as a reply to the card it needs no ID.",
        "What is offered to a space is decided by its approvers, a connection by its superusers.",
        "It counts after a few seconds; until then 'cancel' takes it back.",
        "QUANTITY grants less than another space requests; then its people say whether that will do.",
    ),
    where=Where.FEDERATION_ROOM,
)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Begin the decision, or say why not."""
    del answers
    quantity = str(command.arguments.get("quantity", ""))
    word = str(command.arguments.get("id", ""))
    alone = quantity_in(word) if not quantity and subject_by_id(turn, command.subject) is not None else None
    if alone is not None:  # as a reply to a card a number is a quantity, and the reply supplies the id
        if len(alone.readings) > 1:
            return say("number_unclear", word=alone.word, readings=alone.readings)
        command, quantity = replace(command, arguments={}), alone.readings[0]
    if quantity and (complaint := quantity_complaint(quantity)):
        return complaint
    return decide(turn, command, SPEC, Choice.APPROVE, Decimal(quantity) if quantity else None)


HANDLER = Handler(SPEC, nothing_to_ask, act)
