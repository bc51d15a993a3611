"""The sharing list, searches and their hits, friends' names for our parts, and wants."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from fedbot.rules.model.decision import Signature
from fedbot.rules.model.lifecycles import WantState
from fedbot.rules.wire.envelope import short_hash

ITEM, PART, CATEGORY = "stockitem", "part", "partcategory"
"""The kinds of thing that can be shared, as in the addresses of InvenTree's metadata."""
EVERYTHING = "everything"


LARGEST_PICTURE = 64 * 1024
"""Bytes of a part's picture, at most."""
SEARCH_SILENT_AFTER = timedelta(seconds=20)
"""So long an answer waits for what a space finds."""


@dataclass(frozen=True)
class Share:
    """An entry of the sharing list: a stock item, a part with its items, or a category with all below it.

    `pk` is 0 for everything that we have. `above` are the ids under which it is covered as well: an item's part, a
    part's categories. `is_template`: of a part; its variants are shared with it.
    """

    model: str
    pk: int
    name: str
    by: str
    at: datetime
    above: tuple[str, ...] = ()
    is_template: bool = False

    @property
    def id(self) -> str:
        """`part:12`."""
        return share_id(self.model, self.pk)


def share_id(model: str, pk: int) -> str:
    """The id of an entry of the sharing list."""
    return f"{model}:{pk}"


@dataclass(frozen=True)
class Hit:
    """One part that was found: how much of it is free, and the stock item with most of it.

    `flawed` is how much of that isn't OK, `condition` what InvenTree calls the condition of most of it. `lent` is
    how much more of it is on loan, `back` when the first of that is due. `booked` is how much of it is booked next,
    from `booked_from` to `booked_until`. `waiting` is how many wait for it, `place` which of them we are (0: none).
    `part` is the key of a part of ours; 0 in a friend's hit. `picture` tells where its picture lies on the homeserver,
    and how to open it (`AttachPhoto.file`); {} if there is none.
    """

    item: int
    name: str
    ipn: str
    units: str
    quantity: Decimal
    flawed: Decimal = Decimal(0)
    condition: str = ""
    lent: Decimal = Decimal(0)
    back: date | None = None
    booked: Decimal = Decimal(0)
    booked_from: date | None = None
    booked_until: date | None = None
    waiting: int = 0
    place: int = 0
    part: int = 0
    picture: dict[str, Any] = field(default_factory=dict)

    def free_for_us(self, today: date) -> Decimal:
        """The quantity that can be requested now: it is OK, nobody waits for it, and it isn't booked from today on."""
        if self.waiting:
            return Decimal(0)
        begun = self.booked if self.booked_from is not None and self.booked_from <= today else Decimal(0)
        return max(self.quantity - self.flawed - begun, Decimal(0))


@dataclass(frozen=True)
class PartPicture:
    """The picture of one of our parts, as it lies encrypted on the homeserver. `id` is the part's key.

    `where` is its address in our InvenTree, `digest` the SHA-256 of what was put there (hex), `looked` when it was last
    compared. `file` is `Hit.picture`; {} if there is nothing that can be shown.
    """

    id: str
    where: str
    digest: str
    file: dict[str, Any]
    looked: datetime


@dataclass(frozen=True)
class SpaceHits:
    """One space's answer to a search. `shared` is the length of its sharing list.

    `cut`: it has more hits than the answer holds. `problem` is why there are no hits: `inventory` (its InvenTree
    doesn't answer), `hidden` (not for a shared room), `later` (asked too often, until `again`), `unreadable`.
    `percent`: how much of our own stock was read so far, by the bot that fills its index.
    """

    party: str
    name: str
    hits: tuple[Hit, ...] = ()
    shared: int | None = None
    cut: bool = False
    problem: str = ""
    again: datetime | None = None
    percent: int = 100


@dataclass(frozen=True)
class Search:
    """A `find` line. Its hits are numbered through, in the order of `came`, and stay so, for ten minutes.

    `waiting` are parties. It is answered when nobody is missing, at the latest after 20 seconds; what comes later is
    added to the answer (`posted`). `shown` hits were listed so far. `only`: the one space that was to be asked. Without
    `words` all that is shared was meant, of that `category` if there is one; `page` as in `SearchStock`.
    `rota`: the id of the rota that waits for the hits, `request` that of the request of which the owner recognised
    nothing in a `line`; then no list is posted, and `posted` says that the wait is over.
    """

    id: str
    event_id: str
    person: str
    room: str
    words: str
    asked: datetime
    waiting: tuple[str, ...]
    came: tuple[SpaceHits, ...] = ()
    posted: bool = False
    shown: int = 0
    only: str = ""
    category: str = ""
    page: int = 1
    rota: str = ""
    request: str = ""
    line: int = 0

    @property
    def is_list(self) -> bool:
        """Whether the hits are put to the person as a list."""
        return not (self.rota or self.request)

    @property
    def hits(self) -> tuple[tuple[SpaceHits, Hit], ...]:
        """All hits with their spaces, as they are numbered."""
        return tuple((space, hit) for space in self.came for hit in space.hits)


@dataclass(frozen=True)
class Allowance:
    """The state of a budget: `id` is `<budget>:<owner>`, `full_at` the time when each of its limits is full again."""

    id: str
    full_at: tuple[datetime, ...] = ()


def alias_id(peer: str, word: str) -> str:
    """The document's id: case doesn't matter, as it doesn't in InvenTree's own searches."""
    return f"{peer}:{word.casefold()}"


@dataclass(frozen=True)
class Alias:
    """`word` is an IPN or a part's name as `peer` uses it; `part` the key of our part, `name` and `ipn` its own."""

    id: str
    peer: str
    word: str
    part: int
    name: str
    ipn: str
    by: str
    at: datetime


# --- What somebody wants and nobody has: our own wants, and what friends have told us of theirs.

MOST_WANTS = 20
"""So many a space may have at once."""
MOST_WANTS_OF_A_FRIEND = 50
"""So many of one friend are kept."""
LONGEST_DAYS = 180
"""Nobody wants anything for longer."""


@dataclass(frozen=True)
class Want:
    """One of our people wants so much of what is called `word`, until that day, which is included.

    `unit` is what that is counted in, if somebody said so. `lacking` is how much of it hasn't come yet. `told` are the
    friendships whose bots keep it, by the connection's id.
    """

    id: str
    code: str
    by: Signature
    room: str
    word: str
    quantity: Decimal
    lacking: Decimal
    until: date
    state: WantState = WantState.WANTED
    told: tuple[str, ...] = ()
    ended: datetime | None = None
    unit: str = ""

    @property
    def is_living(self) -> bool:
        """Whether it is still wanted."""
        return self.state is WantState.WANTED


@dataclass(frozen=True)
class WantShown:
    """A friend's want as our people read it. A reply `offer` offers this, and no more."""

    word: str
    quantity: Decimal
    unit: str

    @property
    def key(self) -> str:
        """By which a message that showed just this is told from others about the same want."""
        return short_hash("want shown", self.word, str(self.quantity), self.unit)


@dataclass(frozen=True)
class FriendWant:
    """A friend's want, as its bot told us. `id` is that of `friend_want_id`, `want` the friend's own id.

    `looked` is the last time that we searched our shared items for it; `told` is when our people were told that we have
    some, `free` how much that was, and `shown` what they read then.
    """

    id: str
    peer: str
    want: str
    connection: str
    word: str
    quantity: Decimal
    until: date
    looked: datetime | None = None
    told: datetime | None = None
    free: Decimal = Decimal(0)
    unit: str = ""
    shown: WantShown | None = None


def want_id(wanting_event: str) -> str:
    """The id of one of our own: made from the Matrix event of the line that says so."""
    return short_hash("want", wanting_event)


def friend_want_id(peer: str, want: str) -> str:
    """The id under which a friend's want is kept here."""
    return short_hash("friend's want", peer, want)
