"""`!fed lend ITEM [QUANTITY] to SPACE for 3 weeks`: offer stock to a friend as a loan.

It is a push with a last day, and uses `push`.
"""

from __future__ import annotations

from fedbot.commands import outside, push
from fedbot.commands.dates import FROM, UNTIL
from fedbot.commands.spec import NOTE, Argument, Handler, Kind, Verb, Where
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase
from fedbot.rules.model.queries import Answer, Query
from fedbot.rules.model.stock import Permission
from fedbot.rules.state import Turn

SPEC = Verb(
    name="lend",
    aliases=("loan",),
    summary="lend an item",
    permission=Permission.APPROVER,
    arguments=(
        Argument("lines", Kind.ITEMS, "ITEM [QUANTITY]"),
        Argument("space", Kind.SPACE, "SPACE", keyword="to"),
        Argument("starts", Kind.DAY, "DAY", keyword="from", optional=True, or_keywords=FROM),
        Argument("until", Kind.DAY, "TIME", keyword="for", or_keywords=UNTIL),
    ),
    options=(NOTE, push.PARCEL, push.ANYWAY),
    examples=(
        "lend LENS-2 to betaspace for 3 weeks",
        "lend #42 to betaspace until 31.1.",
        "lend LENS-2 to betaspace from 12.12. until 19.12.",
        'lend LENS-2 to outside "Repair Café" for 2 weeks',
    ),
    details=(
        "It stays yours. The due date is the last day: '10 days', 'tomorrow', 'friday', '31.1.', '2026-12-15'.",
        "Without a quantity the whole stock item goes. Separate several items by ' + ', ';' or a line break.",
        "With 'from 12.12.' it is booked for that day. Then I ask you whether they have picked it up.",
        "Nothing moves before an approver of the other space agrees. The borrower's bot reminds them of the due date.",
        "'to outside \"NAME\"' lends to a neighbour without a bot: at once, and only our side keeps the books.",
        "'return' brings it back, 'extend' gives more time, 'gift' makes it theirs, 'lost' writes it off.",
    ),
    where=Where.FEDERATION_ROOM,
    everyday=4,
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask which items are meant."""
    return outside.ask(turn, command) if outside.is_meant(command) else push.ask(turn, command)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Offer the loan; a loan to a neighbour without a bot begins at once."""
    if outside.is_meant(command):
        return outside.act(turn, command, answers, SPEC)
    return push.offer(turn, command, answers, SPEC)


HANDLER = Handler(SPEC, ask, act)
