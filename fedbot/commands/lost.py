"""`!fed lost [ID]`: write off a loan. Only the lender's approver can."""

from __future__ import annotations

from fedbot.commands.loan_ending import closing_handler
from fedbot.commands.spec import WHY, Argument, Kind, Verb, Where
from fedbot.rules.model.lifecycles import Ending
from fedbot.rules.model.stock import Permission

SPEC = Verb(
    name="lost",
    summary="write off a loan",
    permission=Permission.APPROVER,
    arguments=(Argument("id", Kind.THINGS, "[ID] [THING]", optional=True),),
    options=(WHY,),
    examples=("lost k7m2", "lost", "lost k7m2 LENS-2", "lost k7m2 - it fell into the lake"),
    details=(
        "Only an approver of the lender can type it. InvenTree then shows the status 'lost' and your name.",
        "A reply to the card needs no ID. Name one or more items of the loan, or none for all of them.",
        "If it turns up later, the borrower gives it back with 'push'. 'return' then names the line to type.",
    ),
    where=Where.FEDERATION_ROOM,
)

HANDLER = closing_handler(SPEC, Ending.LOST)
