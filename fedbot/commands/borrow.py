"""`!fed borrow ITEM QUANTITY from SPACE for 2 weeks`: request an item that will be returned.

It is `request` with a last day, which is mandatory here: without one the request would be to keep the item.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from fedbot.commands import request
from fedbot.commands.spec import Handler

SPEC = replace(
    request.SPEC,
    name="borrow",
    aliases=("book", "reserve", "rent"),
    summary="ask to borrow an item",
    arguments=tuple(replace(each, optional=each.name in {request.BY, "starts"}) for each in request.SPEC.arguments),
    examples=("borrow 1 LENS-2 from betaspace for 2 weeks", "borrow LENS-2#0042 from betaspace until 31.1."),
    details=(
        "The due date is the last day of the loan. Everything else is as with 'request'.",
        "Name the ITEM as the other space does: its #42, IPN, part name or PART#SERIAL.",
        "An approver of the other space decides. Nothing moves before that.",
    ),
    everyday=3,
)

HANDLER = Handler(SPEC, request.ask, partial(request.act, spec=SPEC))
