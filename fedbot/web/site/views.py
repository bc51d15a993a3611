"""What the API and the pages show, made from the documents: one model each, for both.

Quantities are decimal strings, times aware ISO 8601, days ISO dates. `Reader` makes them for one person.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from fedbot.rules.model.command import Outcome
from fedbot.rules.model.decision import Choice


class PersonView(BaseModel):
    """A person by Matrix id; `name` is how chat names them, `user` their InvenTree user, of our own people only."""

    id: str
    name: str
    user: str = ""


class SpaceRef(BaseModel):
    """A space by its id and name."""

    id: str
    name: str


class LineView(BaseModel):
    """One line: what it is, how much of it, its condition and place. `our_item` is our stock item, once it is known."""

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
    """What waits for a decision here. `shown` is the hash of all that the card shows: send it with the decision.

    `text` and `html` are the card as chat shows it, without how to answer there. `yours`: this person's decision would
    count. `care`: a yes takes two people, or one who types the `code` on a page that was signed in by an encrypted
    message.
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
    """One transfer, seen from our side. `state_text` says in words how it stands.

    `direction`: `out` leaves us. `due` is until when it can be decided on, `due_day` the last day of a loan,
    `first_day` the first one of a loan that was booked ahead.
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
    overdue_days: int = 0
    days_left: int | None = Field(default=None, description="until the due day; null where none is due, or it is over")
    still_out: list[LineView] = []
    note: str = ""
    ended_at: datetime | None = None
    parent: str = ""
    card: CardView | None = None


class EntryView(BaseModel):
    """One entry of the audit, in words. `event_id` begins with `page-` or `api-` where it wasn't said in chat."""

    at: datetime
    who: PersonView | None
    text: str
    event_id: str


class StoryView(BaseModel):
    """A transfer with everything that led to where it stands, oldest first."""

    transfer: TransferView
    entries: list[EntryView]
    related: list[str] = Field(default=[], description="ids of its loan, or of its returns and extensions")


class ConnectionView(BaseModel):
    """A friendship, or what is to become one."""

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
    """A space in our rooms: whether it is a friend, and whether its bot answers.

    `unanswered`: how often we have sent again what its bot has not seen. `shares`: how long its sharing list is.
    `balance`: how many transfers there were with it.
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
    """What waits: for this person's decision, for others though this person asked, and what is under way or on loan."""

    to_decide: list[TransferView | ConnectionView]
    asked: list[TransferView | ConnectionView]
    parcels: list[TransferView]
    unclear: list[TransferView]
    under_way: list[TransferView]
    on_loan: list[TransferView]
    for_admins: list[TransferView | ConnectionView]


class LedgerPage(BaseModel):
    """Transfers, what was asked last coming first. `next` is the cursor of what follows; null at the end."""

    items: list[TransferView]
    next: str | None = None


class AnswerView(BaseModel):
    """An answer in words, as chat shows it. `choices` are lines of which one may be meant."""

    sentence: str
    text: str
    html: str
    choices: list[str] = []


class LineSaidView(BaseModel):
    """A line or decision with its answer. `waiting`: there is none yet; ask again under its id."""

    id: str
    outcome: Outcome | None
    waiting: bool
    answers: list[AnswerView]
    search: str | None = Field(default=None, description="the id under which the hits of `find` can be read")


class HitView(BaseModel):
    """One part that a search found, and the space that has it. `number` stands for it in `request NUMBER`.

    `lent` is how much more is on loan, the first of it due `back`; `booked` what is booked next, from `booked_from` to
    `booked_until`. `waiting` is how many wait for it, `place` which of them you are (0: none). `state_text`: in words.
    """

    number: int
    space: SpaceRef
    item: int
    name: str
    ipn: str
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
    """A search for ten minutes. `waiting` are spaces that haven't answered yet, `problems` why others told nothing."""

    id: str
    words: str
    hits: list[HitView]
    waiting: list[SpaceRef]
    problems: dict[str, str]


class FlowView(BaseModel):
    """What went one way: lines of transfers, and the pieces in those that are counted by the piece."""

    lines: int
    pieces: str


class DealingsView(BaseModel):
    """What went between us and one space, seen from us. `lent` and `borrowed` are on loan now; `open` isn't decided."""

    space: SpaceRef
    given: FlowView
    received: FlowView
    lent: FlowView
    borrowed: FlowView
    open: int


class FiguresView(BaseModel):
    """Our figures, as far as `stats.disclose` tells them. `hidden`: only our admin room is told.

    `counts` is what our InvenTree counts; empty if it doesn't answer (`silent`). `days`: what went to and fro is of
    the last so many days; 0 is since ever. `stock` is how many stock items there were on a day.
    """

    days: int
    hidden: bool
    silent: bool
    counts: dict[str, int]
    dealings: list[DealingsView]
    stock: list[tuple[date, int]]


class AskedView(BaseModel):
    """A friend that was asked, by which transfer; `why` it was taken back, if we did that."""

    space: SpaceRef
    transfer: str
    quantity: str
    at: datetime
    why: str = ""


class RotaView(BaseModel):
    """One thing asked of several friends in turn until somebody gives it. `waiting` are asked next.

    `unit`: what is wanted is counted in that, or as each space does if it is empty.
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
    stuck: str = Field(default="", description="code of the request that was confirmed, and of which nothing came")


class OutsideView(BaseModel):
    """A loan to a neighbour without a bot. `overdue_days`: since when it should be back, while it is out.

    `handed_to` and `transfer`: the friend that the neighbour is by now, and the loan that it is offered, or became.
    `problem`: why it is unclear, or wasn't lent. `state_text` says in words how it stands.
    """

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


class AgendaView(BaseModel):
    """On that day something is `fetched`, due `back`, or still out (`overdue`, which stands under today).

    It is one of these two: a transfer, or a loan to a neighbour without a bot.
    """

    day: date
    what: Literal["fetched", "back", "overdue"]
    transfer: TransferView | None = None
    neighbours: OutsideView | None = None


class WantView(BaseModel):
    """What one of our people wants (`ours`), or a friend. `unit` is empty where each counts as it does.

    `until` is its last day. Of our own: its `code`, who wants it, and how much hasn't come yet (`lacking`). Of a
    friend's: when our approvers were told that we share some.
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
    """A place in a waiting list: of ours at a friend (`ours`), or of a friend or one of our people at us.

    `unit` is empty where each counts as it does. `place` is 0 before the friend's bot has told it. `until`: so long it
    is kept, once it is there.
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
    """A session or token, by the beginning of its hash, which opens nothing."""

    id: str
    kind: str
    name: str
    scope: str
    made: datetime
    ends: datetime
    this: bool = False
