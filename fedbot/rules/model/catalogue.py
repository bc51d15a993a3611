"""The sharing list, searches and their hits, peers' names for our parts, and wants."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from fedbot.rules.model.decision import Signature
from fedbot.rules.model.lifecycles import WantState
from fedbot.rules.wire import short_hash

ITEM, PART, CATEGORY = "stockitem", "part", "partcategory"
"""The kinds of thing that can be shared, as in the addresses of InvenTree's metadata."""
EVERYTHING = "everything"


LARGEST_PICTURE = 64 * 1024
"""Largest picture of a part, in bytes."""
SEARCH_SILENT_AFTER = timedelta(seconds=20)
"""The time that an answer waits for a space's hits."""


@dataclass(frozen=True)
class Share:
    """An entry of the sharing list: a stock item, a part with its items, or a category with all below it.

    `pk` is 0 for everything that we have. `above` are ids that also cover it: an item's part, a part's categories.
    `is_template`: a part whose variants are shared with it.
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
        """The entry's id, such as `part:12`."""
        return share_id(self.model, self.pk)


def share_id(model: str, pk: int) -> str:
    """Return the id of an entry of the sharing list."""
    return f"{model}:{pk}"


@dataclass(frozen=True)
class Hit:
    """One part that was found: its free quantity, and the stock item with most of it.

    `flawed` is how much of that isn't OK, `condition` InvenTree's name for the condition of most of it. `lent` is the
    further quantity on loan, `back` when the first of it is due. `booked` is the quantity booked next, from
    `booked_from` to `booked_until`. `waiting` is the length of the queue, `place` our place in it (0: none). `part` is
    the key of our own part; 0 in a peer's hit. `picture` is the address and key of its picture on the homeserver
    (`AttachPhoto.file`); {} if there is none. `ours` is how much of `lent` we have borrowed ourselves.
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
    revision: str = ""
    ours: Decimal = Decimal(0)

    @property
    def is_all_with_us(self) -> bool:
        """Whether we have borrowed all that they have of it."""
        return not self.quantity and 0 < self.lent <= self.ours

    def free_for_us(self, today: date) -> Decimal:
        """Return the quantity that can be requested now: it is OK, not booked today, and nobody waits for it."""
        if self.waiting:
            return Decimal(0)
        begun = self.booked if self.booked_from is not None and self.booked_from <= today else Decimal(0)
        return max(self.quantity - self.flawed - begun, Decimal(0))


@dataclass(frozen=True)
class PartPicture:
    """The picture of one of our parts, as uploaded to the homeserver, encrypted. `id` is the part's key.

    `where` is its address in our InvenTree, `digest` the SHA-256 of the uploaded picture (hex), `looked` when it was
    last compared. `file` is `Hit.picture`; {} if nothing can be shown.
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
    `percent`: how much of our own stock has been read, while the index is being filled.
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
    """A `find` line. Its hits are numbered in the order of `came`, and keep their numbers for ten minutes.

    `waiting` are parties. It is answered when none is missing, at the latest after 20 seconds; later hits are added to
    the answer (`posted`). `shown` hits are listed so far. `only`: the one space to be asked. Without `words` it means
    everything shared, of that `category` if there is one; `page` as in `SearchStock`. `rota`: the id of the rota that
    waits for the hits; `request`: the id of a request in which the peer recognised nothing of a `line`. For these no
    list is posted, and `posted` says that the wait has ended.
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
        """Whether the person gets the hits as a list."""
        return not (self.rota or self.request)

    @property
    def hits(self) -> tuple[tuple[SpaceHits, Hit], ...]:
        """All hits with their spaces, in the order of their numbers."""
        return tuple((space, hit) for space in self.came for hit in space.hits)


@dataclass(frozen=True)
class Allowance:
    """The state of a budget: `id` is `<budget>:<owner>`, `full_at` the time when each of its limits is full again."""

    id: str
    full_at: tuple[datetime, ...] = ()


def alias_id(peer: str, word: str) -> str:
    """Return the document's id. Case doesn't matter, as in InvenTree's own searches."""
    return f"{peer}:{word.casefold()}"


@dataclass(frozen=True)
class Alias:
    """A peer's name for a part of ours: `word` is its IPN or name, `part` our key, `name` and `ipn` our own."""

    id: str
    peer: str
    word: str
    part: int
    name: str
    ipn: str
    by: str
    at: datetime


# --- Wants: things that nobody has at the moment. Our own, and those that peers have told us.

MOST_WANTS = 20
"""Most wants that a space may have at once."""
MOST_WANTS_OF_A_FRIEND = 50
"""Most wants of one peer that are kept."""
LONGEST_NOTE = 300
LONGEST_DAYS = 180
"""Longest time for which something can be wanted, in days."""


@dataclass(frozen=True)
class Want:
    """One of our people wants a quantity of `word`, until that day, inclusive.

    `unit` is the unit of the quantity, if the person gave one. `lacking` is how much hasn't arrived yet. `told` are the
    ids of the connections whose bots keep it.
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
    note: str = ""

    @property
    def is_living(self) -> bool:
        """Whether it is still wanted."""
        return self.state is WantState.WANTED


@dataclass(frozen=True)
class WantShown:
    """A peer's want as our people read it. A reply `offer` offers this, and no more."""

    word: str
    quantity: Decimal
    unit: str

    @property
    def key(self) -> str:
        """A key that tells a message that showed just this from others about the same want."""
        return short_hash("want shown", self.word, str(self.quantity), self.unit)


@dataclass(frozen=True)
class FriendWant:
    """A peer's want, as its bot told us. `id` is that of `friend_want_id`, `want` the peer's own id.

    `looked` is when we last searched our shared items for it; `told` is when our people were told that we have some,
    `free` how much that was, and `shown` what they read then.
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
    note: str = ""


def want_id(wanting_event: str) -> str:
    """Return the id of one of our wants, derived from the Matrix event of its line."""
    return short_hash("want", wanting_event)


def friend_want_id(peer: str, want: str) -> str:
    """Return the id under which a peer's want is kept here."""
    return short_hash("friend's want", peer, want)
