"""The actions of a history as data: a name and four numbers, whose meaning depends on the current state.

Any part of a list of actions is a valid list too, so a failing one can be shrunk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

# The actions and their weights.
TROUBLE: dict[str, int] = {
    # people
    "connect": 2,
    "tap": 8,
    "untap": 8,
    "types a decision": 5,
    "grants less": 3,
    "parcel": 5,
    "return": 5,
    "extend": 3,
    "end of a loan": 2,
    "cancel": 8,
    "disconnect": 1,
    "rotate": 1,
    "resolve": 6,
    "babble": 2,
    "moderate": 3,
    "rights": 6,
    # bots
    "crash": 24,
    "stop": 6,
    "boot": 20,
    # time
    "seconds": 8,
    "minutes": 6,
    "hours": 2,
    "days": 2,
    # homeserver
    "lose": 7,
    "double": 4,
    "hold": 6,
    "lost answer": 5,
    "limited": 3,
    "deaf": 5,
    "heard": 6,
    # InvenTree
    "fault": 24,
    "refuse": 5,
    "late": 5,
    "outage": 3,
    "fixed": 6,
    "forbidden": 2,
    "meddle": 4,
    "meddle between": 6,
    "forge": 3,
}
# Additional actions and weights for histories in which one of the bots lies.
LIES = {
    "lie": 40,
    "flood": 2,
    "strike": 12,
    "impostor": 3,
    "answer": 5,
    "review": 4,
    "hostile": 2,
    "clock": 2,
    "clock right": 2,
}
# Actions of people and machines during the grace of a decision, when they do the most harm. A number aims the action: 0
# at the side of the newest card, 1 at the other side.
IN_THE_GRACE = (
    ("untap/0",),
    ("rights/0",),
    ("rights/1",),
    ("deaf/0", "untap/0", "grace", "rest", "heard"),
    ("deaf/0", "rights/0", "grace", "rest", "heard"),
    ("deaf/1", "grace", "rest", "days", "heard"),
    ("stop/1", "grace", "rest", "days", "boot"),
    ("stop/0", "untap/0", "grace", "boot"),
    ("cancel",),
    ("types a decision",),
    ("tap",),
    ("days",),
    ("lose/0",),
    ("lose/1",),
    ("hold/1",),
    ("crash/0",),
    ("crash/1",),
    ("late/0",),
    ("late/1",),
    ("refuse/0",),
    ("refuse/1",),
    ("fault",),
    ("meddle between",),
)
CALM = ("queue", "queue", "queue", "round", "round", "rest")
DEALS = ("push", "push", "push", "push several", "request", "request", "lend", "lend", "lend", "connect")
AFTERWARDS = (("parcel", "grace"), ("return",), ("return",), ("extend",), ("end of a loan",))
MOST_DEALS = 8
# The actions on a loan, in histories about loans.
DUE = (("return",), ("return",), ("return",), ("return",), ("extend",), ("end of a loan",), ("end of a loan",))
MOST_LOANS = 7
# The deals of histories about bookings, waiting lists, wants and requests from anyone.
AHEAD = ("book", "book", "book", "wait", "wait", "take the turn", "from anyone", "from anyone", "want", "lend")
MOST_AHEAD = 7
# The actions on a neighbour's loan, in histories about neighbours.
OUTSIDE = (
    ("return outside",),
    ("return outside",),
    ("more time outside",),
    ("end outside",),
    ("days",),
    ("push",),
    ("hand over", "rest", "cancel"),
    ("hand over", "rest", "return outside"),
    *(("hand over", "rest", "tap the newest", "rest"),) * 4,
    *(("hand over", "rest", "is here", "rest", "tap the newest", "rest"),) * 3,
    ("hand over", "rest", "tap the newest", "rest", "is here", "rest"),
)
MOST_OUTSIDE = 7


@dataclass(frozen=True)
class Action:
    """One action. Each number is below 1000."""

    name: str
    numbers: tuple[int, int, int, int] = (0, 0, 0, 0)

    def __str__(self) -> str:
        return f"{self.name} {'/'.join(map(str, self.numbers))}"


def draw(
    random: Random,
    *,
    friends: bool = True,
    loans: bool = False,
    lies: bool = False,
    ahead: bool = False,
    outside: bool = False,
) -> list[Action]:
    """A story: a few deals (or loans, what is `ahead`, what goes `outside`), and trouble strewn in between.

    The amount of trouble and its kinds differ between histories. There is less of it where a deal takes many steps.
    """
    trouble = TROUBLE | LIES if lies else TROUBLE
    weights = [weight * random.choice((0, 1, 1, 4)) for weight in TROUBLE.values()]
    weights += LIES.values() if lies else ()
    weights = weights if any(weights) else list(trouble.values())
    density = random.choice((0, 0.02, 0.05, 0.15) if loans or ahead or outside else (0.05, 0.15, 0.4, 0.7))
    names: list[str] = []
    story = _deals(random, friends=friends, lies=lies)
    if loans or ahead:
        story = _ahead(random, friends=friends) if ahead else _loans(random, friends=friends)
    if outside:
        story = _outside(random, friends=friends)
    for name in story:
        names.append(name)
        while random.random() < density:
            names += random.choices(list(trouble), weights)
            names += random.choices(CALM, k=random.randrange(3))
    return [_aimed(name, _numbers(random)) for name in names]


def _aimed(name: str, numbers: tuple[int, int, int, int]) -> Action:
    """`name/0` is an action whose last number is 0."""
    name, _, aim = name.partition("/")
    return Action(name, (*numbers[:3], int(aim)) if aim else numbers)


def _deals(random: Random, *, friends: bool, lies: bool) -> Iterator[str]:
    """One deal after the other, sometimes two at once: the line, the card, a reaction, the grace, the consequences."""
    for deal in range(random.randrange(1, MOST_DEALS + 1)):
        yield random.choice(DEALS) if friends or deal else "connect"
        if random.random() < 0.2:
            yield random.choice(("push", "request", "connect"))
        yield from _calm(random, rest=0.8)
        if lies and random.random() < 0.5:
            yield from ("strike", "rest")
        for _ in range(random.choice((1, 1, 2))):
            yield random.choice(("tap the newest", "tap the newest", "tap the newest", "grants less"))
            yield from _calm(random, rest=0.7)
            if lies and random.random() < 0.4:
                yield from ("rest", "strike", "rest")
            elif random.random() < 0.6:
                yield from random.choice(IN_THE_GRACE)
            yield "grace"
            yield from _calm(random, rest=0.4)
        if random.random() < 0.6:
            yield from random.choice(AFTERWARDS)
            yield from _calm(random, rest=0.8)
            if random.random() < 0.7:
                yield from ("tap the newest", "rest", "grace", "rest")


def _loans(random: Random, *, friends: bool) -> Iterator[str]:
    """One loan after the other, returned in parts, as a whole, or never."""
    if not friends:
        yield from ("connect", "rest", "tap the newest", "rest", "grace", "rest")
    for _ in range(random.randrange(2, MOST_LOANS + 1)):
        yield from ("lend", "rest", "tap the newest", "rest")
        if random.random() < 0.3:
            yield from random.choice(IN_THE_GRACE)
        yield from ("grace", "rest")
        for _ in range(random.randrange(4)):
            yield from random.choice(DUE)
            yield from ("rest", "tap the newest", "rest", "grace", "rest")


def _outside(random: Random, *, friends: bool) -> Iterator[str]:
    """Loans to neighbours without a bot, mostly until one of them gets a bot."""
    if not friends:
        yield from ("connect", "rest", "tap the newest", "rest", "grace", "rest")
    for _ in range(random.randrange(2, MOST_OUTSIDE + 1)):
        yield from ("lend outside", *_calm(random, rest=0.8))
        for _ in range(random.randrange(3)):
            yield from random.choice(OUTSIDE)
            if random.random() < 0.2:
                yield from random.choice(IN_THE_GRACE)
            yield "grace"
            yield from _calm(random, rest=0.7)
        if random.random() < 0.3:
            yield from (*random.choice(DUE), "rest", "tap the newest", "rest", "grace", "rest")


def _ahead(random: Random, *, friends: bool) -> Iterator[str]:
    """Bookings, waiting lists, wants and requests from anyone, mostly several of a kind at once, over several days."""
    if not friends:
        yield from ("connect", "rest", "tap the newest", "rest", "grace", "rest")
    for _ in range(random.randrange(2, MOST_AHEAD + 1)):
        for name in random.choices(AHEAD, k=random.choice((1, 2, 2))):
            yield from (name, *random.choice(((), ("rest",))))
        yield "rest"
        for _ in range(random.choice((1, 2, 2))):
            yield "tap the newest"
            yield from _calm(random, rest=0.6)
        if random.random() < 0.2:
            yield from random.choice(IN_THE_GRACE)
        yield from ("grace", "rest")
        if random.random() < 0.4:
            yield from random.choice((("days",), ("return", "rest", "tap the newest", "rest", "grace"), ("cancel",)))
            yield from ("rest", "tap the newest", "rest", "grace", "rest")


def _calm(random: Random, rest: float) -> Iterator[str]:
    """Let the bots work: until nothing is left to do, or only a little, in any order."""
    yield from random.choices(("queue", "round"), (3, 1), k=random.randrange(8))
    if random.random() < rest:
        yield "rest"


def _numbers(random: Random) -> tuple[int, int, int, int]:
    return random.randrange(1000), random.randrange(1000), random.randrange(1000), random.randrange(1000)
