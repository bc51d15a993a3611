"""`!fed lost [ID]`: what is lent is lost; the owner's approver says so."""

from __future__ import annotations

from fedbot.commands.loan_ending import ends_it
from fedbot.commands.spec import Argument, Kind, Verb, Where
from fedbot.rules.model.decision import Ending
from fedbot.rules.model.stock import Right

SPEC = Verb(
    name="lost",
    summary="what is lent is lost",
    right=Right.APPROVER,
    arguments=(Argument("id", Kind.THINGS, "[ID] [THING]", optional=True),),
    examples=("lost k7m2", "lost", "lost k7m2 LENS-2"),
    details=(
        "Said by an approver of the owner: it is written off, with the status 'lost' and your name in InvenTree.",
        "As a reply to the card it needs no ID. Of several things one or some can be named; without, it is all of it.",
    ),
    where=Where.FEDERATION_ROOM,
)

HANDLER = ends_it(SPEC, Ending.LOST)
