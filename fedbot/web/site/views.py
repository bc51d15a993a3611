"""The models that the API and the pages show.

Quantities are decimal strings, times are ISO 8601 with a time zone, days are ISO dates. `Reader` makes the models.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from fedbot.rules.model.command import Outcome
from fedbot.rules.model.decision import Choice


class PersonView(BaseModel):
    """A person by Matrix id. `name` is their name in chat, `user` their InvenTree user (our own people only).

    `text` is the name, and by which page or API token they acted, if not in chat.
    """

    id: str
    name: str
    user: str = ""
    text: str = ""


class SpaceRef(BaseModel):
    """A space by its id and name."""

    id: str
    name: str


class LineView(BaseModel):
    """One line of a transfer. `our_item` is the number of our stock item, once it is known."""

    number: int
    part: str
    ipn: str
    quantity: str
    units: str
    serial: str
    batch: str
    condition: str
    place: str
    our_item: int | None = None
    our_item_page: str = ""


class CardView(BaseModel):
    """A card that waits for a decision here. `shown` is the hash of what it shows: send it with the decision.

    `text` and `html` are the card as in chat, without how to answer there. `yours`: this person may decide. `care`:
    approving takes two people, or one who enters the card's `code` on a page that an encrypted message signed in.
    """

    shown: str
    text: str
    html: str
    choices: list[Choice]
    yours: bool
    care: bool = False
    takes_quantity: bool = False
    first_yes_by: str = ""
    running_by: str = ""
    ends: datetime | None = None


class TransferView(BaseModel):
    """One transfer, seen from our side. `state_text` is its state in words.

    `direction`: `out` or `in`. `due`: when the time for a decision ends. `due_day`: the due date of a loan.
    `first_day`: the first day of a loan that is booked ahead. `missing`: what of it did not arrive by parcel.
    `on_its_way`: a loan that has left its owner and isn't booked in yet.
    """

    id: str
    code: str
    kind: str
    state: str
    state_text: str
    direction: str
    peer: SpaceRef
    lines: list[LineView]
    asked_at: datetime
    asked_by: PersonView
    decided_at: datetime | None = None
    decided_by: PersonView | None = None
    due: datetime
    first_day: date | None = None
    due_day: date | None = None
    on_loan: bool = False
    on_its_way: bool = False
    overdue_days: int = 0
    days_left: int | None = Field(default=None, description="until the due date; null if there is none, or it is past")
    still_out: list[LineView] = []
    missing: list[LineView] = []
    note: str = ""
    ended_at: datetime | None = None
    parent: str = ""
    card: CardView | None = None


class EntryView(BaseModel):
    """One entry of the audit, in words. `event_id` begins with `page-` or `api-` if it wasn't by chat."""

    at: datetime
    who: PersonView | None
    text: str
    event_id: str


class StoryView(BaseModel):
    """A transfer with its audit, oldest first."""

    transfer: TransferView
    entries: list[EntryView]
    related: list[str] = Field(default=[], description="ids of its loan, or of its returns and extensions")


class ConnectionView(BaseModel):
    """A friendship, or a request for one."""

    id: str
    code: str
    peer: SpaceRef
    state: str
    state_text: str
    access: str
    fingerprint: str
    asked_at: datetime
    asked_by: PersonView
    decided_by: PersonView | None = None
    problem: str = ""
    card: CardView | None = None


class SpaceView(BaseModel):
    """A space in our rooms.

    `unanswered`: how often we sent a message again that its bot hasn't acknowledged. `shares`: the length of its
    sharing list; null if unknown. `transfers`: the number of all transfers with it.
    """

    id: str
    name: str
    friend: bool
    fingerprint: str
    access: str
    unanswered: int
    shares: int | None
    transfers: int
    connection: ConnectionView | None


class NowView(BaseModel):
    """Cards that wait for this person's decision, their own requests, and transfers in progress or on loan."""

    to_decide: list[TransferView | ConnectionView]
    asked: list[TransferView | ConnectionView]
    parcels: list[TransferView]
    unclear: list[TransferView]
    under_way: list[TransferView]
    on_loan: list[TransferView]
    for_admins: list[TransferView | ConnectionView]


class AnswerView(BaseModel):
    """An answer as chat shows it. `choices` are lines to say instead, one of which may be meant."""

    sentence: str
    text: str
    html: str
    choices: list[str] = []


class LineSaidView(BaseModel):
    """A line or decision with its answers. `waiting`: there is none yet; ask again by its id."""

    id: str
    outcome: Outcome | None
    waiting: bool
    answers: list[AnswerView]
    search: str | None = Field(default=None, description="the id under which the hits of `find` can be read")


class HitView(BaseModel):
    """One part that a search found, and the space that has it. `request NUMBER` in chat requests it.

    `lent` is how much more is on loan, the first of it due `back`. `booked` is how much is booked next, from
    `booked_from` to `booked_until`. `waiting` is the length of the waiting list, `place` yours in it (0: none).
    `state_text` is all this in words.
    """

    number: int
    space: SpaceRef
    item: int
    name: str
    ipn: str
    revision: str
    quantity: str
    units: str
    condition: str = ""
    flawed: str = "0"
    lent: str = "0"
    back: date | None = None
    booked: str = "0"
    booked_from: date | None = None
    booked_until: date | None = None
    waiting: int = 0
    place: int = 0
    state_text: str = ""
    picture: bool = Field(default=False, description="whether `/searches/ID/pictures/NUMBER` has one of it")
    word: str = Field(default="", description="what to call it in `request QUANTITY WORD from SPACE`")


class SearchView(BaseModel):
    """A search, kept for ten minutes. `waiting`: spaces without an answer yet. `problems`: why, by space."""

    id: str
    words: str
    hits: list[HitView]
    waiting: list[SpaceRef]
    problems: dict[str, str]


class FlowView(BaseModel):
    """The goods that went one way: the number of lines, and of pieces in those lines that count pieces."""

    lines: int
    pieces: str


class DealingsView(BaseModel):
    """Our dealings with one space. `lent` and `borrowed` are on loan now; `open` counts undecided transfers.

    `neighbour`: it has no bot.
    """

    space: SpaceRef
    neighbour: bool = False
    given: FlowView
    received: FlowView
    lent: FlowView
    borrowed: FlowView
    open: int


class FiguresView(BaseModel):
    """Our figures, as far as `stats.disclose` allows. `hidden`: only our admin room may see them.

    `counts` are InvenTree's counts by name; empty if it doesn't answer (`silent`). `dealings` are of the last `days`
    days (0: all). `stock` is the number of stock items by day.
    """

    days: int
    hidden: bool
    silent: bool
    counts: dict[str, int]
    dealings: list[DealingsView]
    stock: list[tuple[date, int]]


class AskedView(BaseModel):
    """A friend that was asked, and the transfer. `why`: the reason, if we took the request back."""

    space: SpaceRef
    transfer: str
    quantity: str
    at: datetime
    why: str = ""


class RotaView(BaseModel):
    """One request from anyone: friends are asked in turn until one gives it. `waiting` are asked next.

    `unit`: the unit of the wanted quantity; empty: each space counts in its own.
    """

    id: str
    code: str
    word: str
    wanted: str
    unit: str
    state: str
    at: datetime
    asked_by: PersonView
    loan_until: date | None
    asked: list[AskedView]
    waiting: list[SpaceRef]
    stuck: str = Field(default="", description="code of a confirmed request that nothing came of")


class OutsideView(BaseModel):
    """A loan to a neighbour without a bot. `overdue_days`: 0 unless it is out and overdue.

    `handed_to` and `transfer`: the friend that the neighbour has become, and the loan that replaces this one.
    `problem`: why it is unclear, or wasn't lent. `state_text` is its state in words.
    """

    kind: Literal["outside"] = "outside"
    id: str
    code: str
    neighbour: str
    state: str
    state_text: str
    part: str
    ipn: str
    quantity: str
    units: str
    serial: str
    batch: str
    our_item: int
    our_item_page: str
    lent_at: datetime
    lent_by: PersonView
    due_day: date
    overdue_days: int
    damaged: bool
    note: str
    ended_at: datetime | None
    ended_by: PersonView | None
    handed_to: SpaceRef | None
    transfer: str
    problem: str


class LedgerPage(BaseModel):
    """A page of the ledger, the newest first. `next` is the cursor of the following page; null at the end.

    An item whose `kind` is `outside` is a loan to a neighbour, any other one a transfer.
    """

    items: list[TransferView | OutsideView]
    next: str | None = None


class AgendaView(BaseModel):
    """One entry of the calendar: a pick-up (`fetched`), a due date (`back`), or `overdue`, which is listed under today.

    It is either a `transfer`, or a loan to a neighbour (`neighbours`).
    """

    day: date
    what: Literal["fetched", "back", "overdue"]
    transfer: TransferView | None = None
    neighbours: OutsideView | None = None


class WantView(BaseModel):
    """A want of one of our people (`ours`), or of a friend. `unit` is empty if each space counts in its own.

    `until` is its last day. Ours have a `code`, a person (`by`), and how much hasn't come yet (`lacking`). Friends'
    have `told_at`: when our approvers were informed that we share some.
    """

    ours: bool
    space: SpaceRef
    word: str
    quantity: str
    unit: str
    until: date
    code: str = ""
    by: PersonView | None = None
    lacking: str = ""
    told_at: datetime | None = None


class WaitingView(BaseModel):
    """A place in a waiting list: one of our people's at a friend (`ours`), or anybody's for our stock.

    `unit` is empty if each space counts in its own. `place` is 0 before the friend's bot has sent it. `until`: how long
    the item is kept for them, once it is there.
    """

    code: str
    ours: bool
    space: SpaceRef
    word: str
    quantity: str
    unit: str
    place: int
    by: PersonView | None
    until: datetime | None
    text: str


class AccessView(BaseModel):
    """A session or token. Its id is the beginning of its hash, which gives no access."""

    id: str
    kind: str
    name: str
    scope: str
    made: datetime
    ends: datetime
    this: bool = False
