"""`!fed borrow ITEM QUANTITY from SPACE for 2 weeks`: a request for something that goes back.

It is `request` with a last day, which must be said here: without one it would be asked for to keep.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from fedbot.commands import request
from fedbot.commands.spec import Handler

SPEC = replace(
    request.SPEC,
    name="borrow",
    aliases=(),
    summary="ask to borrow it",
    arguments=tuple(replace(argument, optional=False) for argument in request.SPEC.arguments),
    examples=("borrow 1 LENS-2 from betaspace for 2 weeks", "borrow LENS-2#0042 from betaspace until 31.1."),
    details=(
        "It comes back by then, that day included; otherwise it is like 'request'.",
        "ITEM is as the other space calls it: its #42, IPN, part name or PART#SERIAL.",
        "An approver over there decides. Nothing moves before.",
    ),
    everyday=0,
)

HANDLER = Handler(SPEC, partial(request.ask, spec=SPEC), partial(request.act, spec=SPEC))
