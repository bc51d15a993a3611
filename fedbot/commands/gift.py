"""`!fed gift [ID]`: turn a loan into a gift. Only the lender's approver can."""

from __future__ import annotations

from fedbot.commands.loan_ending import closing_handler
from fedbot.commands.spec import WHY, Argument, Kind, Verb, Where
from fedbot.rules.model.lifecycles import Ending
from fedbot.rules.model.stock import Permission

SPEC = Verb(
    name="gift",
    summary="turn a loan into a gift",
    permission=Permission.APPROVER,
    arguments=(Argument("id", Kind.THINGS, "[ID] [THING]", optional=True),),
    options=(WHY,),
    examples=("gift k7m2", "gift", "gift k7m2 LENS-2", "gift k7m2 - thanks for your help"),
    details=(
        "Only an approver of the lender can type it. Then everything that is still out belongs to the borrower.",
        "A reply to the card needs no ID. Name one or more items of the loan, or none for all of them.",
    ),
    where=Where.FEDERATION_ROOM,
)

HANDLER = closing_handler(SPEC, Ending.GIFT)
