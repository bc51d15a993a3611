"""`!fed gift [ID]`: what is lent is theirs from now on; the owner's approver says so."""

from __future__ import annotations

from fedbot.commands.loan_ending import ends_it
from fedbot.commands.spec import Argument, Kind, Verb, Where
from fedbot.rules.model.decision import Ending
from fedbot.rules.model.stock import Right

SPEC = Verb(
    name="gift",
    summary="what is lent is theirs from now on",
    right=Right.APPROVER,
    arguments=(Argument("id", Kind.THINGS, "[ID] [THING]", optional=True),),
    examples=("gift k7m2", "gift", "gift k7m2 LENS-2"),
    details=(
        "Said by an approver of the owner; what isn't back by then is given away, and nobody owes it any more.",
        "As a reply to the card it needs no ID. Of several things one or some can be named; without, it is all of it.",
    ),
    where=Where.FEDERATION_ROOM,
)

HANDLER = ends_it(SPEC, Ending.GIFT)
