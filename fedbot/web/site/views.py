"""The models that the API and the pages show.

Quantities are decimal strings, times are ISO 8601 with a time zone, days are ISO dates. `Reader` makes the models.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from fedbot.rules.model.command import Outcome
from fedbot.rules.model.decision import Choice


class View(BaseModel):
    """A model whose fields are explained by their docstrings."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class PersonView(View):
    """A person."""

    id: str
    """Matrix id"""
    name: str
    """their name in chat"""
    user: str = ""
    """their InvenTree user; only of our own people"""
    text: str = ""
    """the name, and by which page or API token they acted, if not in chat"""


class SpaceRef(View):
    """A space by its id and name."""

    id: str
    """its id, as in `to betaspace`"""
    name: str
    """its name, as people read it"""


class LineView(View):
    """One line of a transfer."""

    number: int
    """counts from 1 within the transfer"""
    part: str
    """name of the part"""
    ipn: str
    """its IPN; empty if it has none"""
    quantity: str
    """a decimal"""
    units: str
    """the part's unit; empty: pieces"""
    serial: str
    """serial number; empty if it has none"""
    batch: str
    """batch code; empty if it has none"""
    condition: str
    """InvenTree's stock status, such as `OK` or `Damaged`"""
    place: str
    """path of its location in InvenTree, where it comes from"""
    our_item: int | None = None
    """the number of our stock item; null until it is known"""
    our_item_page: str = ""
    """the address of its page in InvenTree"""


class CardView(View):
    """A card that waits for a decision here."""

    shown: str
    """hash of what the card shows: send it with the decision, which counts for nothing else"""
    text: str
    """the card as in chat, without how to answer there"""
    html: str
    """the same as HTML"""
    choices: list[Choice]
    """the choices that this card offers"""
    yours: bool
    """whether this person may decide"""
    care: bool = False
    """approving takes two people, or one who enters the card's `code` on a page that an encrypted message signed in"""
    takes_quantity: bool = False
    """whether less than was requested may be granted"""
    first_yes_by: str = ""
    """name of the first of two people who approve"""
    running_by: str = ""
    """name of the person whose decision counts once `ends` has passed"""
    ends: datetime | None = None
    """until then a decision can be taken back"""


class TransferView(View):
    """One transfer, seen from our side."""

    id: str
    """its id, for `/transfers/ID`"""
    code: str
    """the first letters of the id, as people type it"""
    kind: str
    """`give`, `loan`, `request`, `return` or `extension`"""
    state: str
    """`open` waits for a decision, `booked` for its first day, `disputed` for people. `approved`, `debiting`, `sent`,
    `crediting`, `received` and `reverting` go on by themselves. `done`, `declined`, `cancelled`, `expired`, `aborted`,
    `refused` and `reverted` are the end; a loan that is `done` may be `on_loan`."""
    state_text: str
    """its state in words"""
    direction: str
    """`out`: from us to the peer; `in`: from the peer to us"""
    peer: SpaceRef
    """the other space"""
    lines: list[LineView]
    """the stock in it"""
    asked_at: datetime
    """when it was offered or requested"""
    asked_by: PersonView
    """the person who offered or requested it"""
    decided_at: datetime | None = None
    """when it was decided; null before"""
    decided_by: PersonView | None = None
    """the person who decided"""
    due: datetime
    """the end of the time for a decision"""
    first_day: date | None = None
    """the first day of a loan that is booked ahead"""
    due_day: date | None = None
    """the due date of a loan; of an extension, the requested one"""
    due_now: date | None = None
    """of an extension that waits for a decision: the present due date of the loan"""
    on_loan: bool = False
    """whether it is a loan that isn't over yet"""
    on_its_way: bool = False
    """a loan that has left its owner and isn't booked in yet"""
    overdue_days: int = 0
    """0 unless it is overdue"""
    days_left: int | None = Field(default=None, description="until the due date; null if there is none, or it is past")
    still_out: list[LineView] = []
    """the lines of a loan that have not been returned"""
    missing: list[LineView] = []
    """the lines that did not arrive by parcel"""
    note: str = ""
    """what the person who asked wrote"""
    ended_at: datetime | None = None
    """when it ended; null before"""
    parent: str = ""
    """id of the loan that this return or extension belongs to"""
    card: CardView | None = None
    """its card, while it waits for a decision here"""


class EntryView(View):
    """One entry of the audit, in words."""

    at: datetime
    """when it happened"""
    who: PersonView | None
    """the person; null if nobody acted"""
    text: str
    """what happened, in words"""
    event_id: str
    """id of the Matrix event; begins with `page-` or `api-` if it wasn't by chat"""


class StoryView(View):
    """A transfer with its audit, oldest first."""

    transfer: TransferView
    """the transfer itself"""
    entries: list[EntryView]
    """oldest first"""
    related: list[str] = Field(default=[], description="ids of its loan, or of its returns and extensions")


class ConnectionView(View):
    """A friendship, or a request for one."""

    id: str
    """its id"""
    code: str
    """the first letters of the id, as people type it"""
    peer: SpaceRef
    """the other space"""
    state: str
    """its state; `active` means that we are friends"""
    state_text: str
    """its state in words"""
    access: str
    """`direct`: the peer reads our InvenTree with a token; `relayed`: through our bot only"""
    fingerprint: str
    """of the peer's key"""
    asked_at: datetime
    """when it was asked for"""
    asked_by: PersonView
    """the person who asked"""
    decided_by: PersonView | None = None
    """the person who decided; null before"""
    problem: str = ""
    """what keeps it from going on; empty if nothing does"""
    card: CardView | None = None
    """its card, while it waits for a decision here"""


class SpaceView(View):
    """A space in our rooms."""

    id: str
    """its id"""
    name: str
    """its name"""
    friend: bool
    """whether we are friends, also while that is paused or about to end"""
    fingerprint: str
    """of its key"""
    access: str
    """as in the friendship"""
    unanswered: int
    """how often we sent a message again that its bot hasn't acknowledged"""
    shares: int | None
    """the length of its sharing list; null if unknown"""
    transfers: int
    """the number of all transfers with it"""
    connection: ConnectionView | None
    """the friendship, or the newest request for one"""


class NowView(View):
    """The lists of `!fed todo` for this person."""

    to_decide: list[TransferView | ConnectionView]
    """cards that wait for this person's decision"""
    asked: list[TransferView | ConnectionView]
    """their own requests and offers that are undecided"""
    parcels: list[TransferView]
    """parcels on their way to us"""
    unclear: list[TransferView]
    """transfers that people must settle"""
    under_way: list[TransferView]
    """transfers in progress, and bookings"""
    on_loan: list[TransferView]
    """loans that aren't over yet"""
    for_admins: list[TransferView | ConnectionView]
    """what waits for a superuser"""


class AnswerView(View):
    """An answer as chat shows it."""

    sentence: str
    """name of the sentence, which never changes its meaning"""
    text: str
    """as people read it"""
    html: str
    """the same as HTML"""
    choices: list[str] = []
    """lines to say instead, one of which may be meant"""


class LineSaidView(View):
    """A line or decision with its answers."""

    id: str
    """for `/lines/ID`"""
    outcome: Outcome | None
    """`done`: it changed something; `told`: it was only answered; null: no answer yet"""
    waiting: bool
    """whether there is no answer yet; ask again by the id"""
    answers: list[AnswerView]
    """oldest first"""
    transfers: list[str] = []
    """ids of the transfers that it offered or requested"""
    search: str | None = Field(default=None, description="the id under which the hits of `find` can be read")


class HitView(View):
    """One part that a search found, and the space that has it."""

    number: int
    """`request NUMBER` in chat requests it"""
    space: SpaceRef
    """the space that has it"""
    item: int
    """the number of its stock item there"""
    name: str
    """name of the part"""
    ipn: str
    """its IPN"""
    revision: str
    """the part's revision; empty if it has none"""
    quantity: str
    """how much is free"""
    units: str
    """the part's unit; empty: pieces"""
    condition: str = ""
    """stock status, if it isn't OK"""
    flawed: str = "0"
    """how much of it isn't OK"""
    lent: str = "0"
    """how much more is on loan"""
    back: date | None = None
    """when the first of that is due"""
    booked: str = "0"
    """how much is booked next"""
    booked_from: date | None = None
    """first day of that booking"""
    booked_until: date | None = None
    """last day of that booking"""
    waiting: int = 0
    """length of the waiting list"""
    place: int = 0
    """your place in it; 0: none"""
    state_text: str = ""
    """all this in words"""
    picture: bool = Field(default=False, description="whether `/searches/ID/pictures/NUMBER` has one of it")
    word: str = Field(default="", description="what to call it in `request QUANTITY WORD from SPACE`")


class SearchView(View):
    """A search, kept for ten minutes."""

    id: str
    """its id"""
    words: str
    """what was searched"""
    hits: list[HitView]
    """in the order of the spaces' answers"""
    waiting: list[SpaceRef]
    """spaces without an answer yet"""
    problems: dict[str, str]
    """why a space gave no answer, by its id"""


class FlowView(View):
    """The goods that went one way."""

    lines: int
    """number of lines of transfers"""
    pieces: str
    """number of pieces in those lines that count pieces; a decimal"""


class DealingsView(View):
    """Our dealings with one space."""

    space: SpaceRef
    """the other space"""
    neighbour: bool = False
    """whether it has no bot"""
    given: FlowView
    """what we gave it"""
    received: FlowView
    """what we got from it"""
    lent: FlowView
    """on loan to it now"""
    borrowed: FlowView
    """on loan from it now"""
    open: int
    """number of undecided transfers"""


class FiguresView(View):
    """Our figures, as far as `stats.disclose` allows."""

    days: int
    """dealings of the last so many days; 0: all"""
    hidden: bool
    """only our admin room may see them"""
    silent: bool
    """InvenTree doesn't answer, so `counts` is empty"""
    counts: dict[str, int]
    """InvenTree's counts by name"""
    dealings: list[DealingsView]
    """by space"""
    stock: list[tuple[date, int]]
    """the number of stock items by day"""


class AskedView(View):
    """A friend that was asked."""

    space: SpaceRef
    """the friend"""
    transfer: str
    """id of the transfer"""
    quantity: str
    """a decimal"""
    at: datetime
    """when it happened"""
    why: str = ""
    """the reason, if we took the request back"""


class RotaView(View):
    """One request from anyone: friends are asked in turn until one gives it."""

    id: str
    """its id"""
    code: str
    """the first letters of the id, as people type it"""
    word: str
    """what is wanted"""
    wanted: str
    """how much; a decimal"""
    unit: str
    """the unit of the wanted quantity; empty: each space counts in its own"""
    state: str
    """its state"""
    at: datetime
    """when it was requested"""
    asked_by: PersonView
    """the person who asked"""
    loan_until: date | None
    """the due date, if it is to be borrowed"""
    asked: list[AskedView]
    """the friends that were asked, in order"""
    waiting: list[SpaceRef]
    """the friends that are asked next"""
    stuck: str = Field(default="", description="code of a confirmed request that nothing came of")


class OutsideView(View):
    """A loan to a neighbour without a bot."""

    kind: Literal["outside"] = "outside"
    """tells it from a transfer"""
    id: str
    """its id"""
    code: str
    """the first letters of the id, as people type it"""
    neighbour: str
    """the neighbour's name"""
    state: str
    """its state"""
    state_text: str
    """its state in words"""
    part: str
    """name of the part"""
    ipn: str
    """its IPN; empty if it has none"""
    quantity: str
    """a decimal"""
    units: str
    """the part's unit; empty: pieces"""
    serial: str
    """serial number; empty if it has none"""
    batch: str
    """batch code; empty if it has none"""
    our_item: int
    """the number of our stock item"""
    our_item_page: str
    """the address of its page in InvenTree"""
    lent_at: datetime
    """when it was lent"""
    lent_by: PersonView
    """the person who lent it"""
    due_day: date
    """the due date"""
    overdue_days: int
    """0 unless it is out and overdue"""
    damaged: bool
    """whether it came back damaged"""
    note: str
    """what the person who lent it wrote"""
    ended_at: datetime | None
    """when it ended; null before"""
    ended_by: PersonView | None
    """the person who took it back; null before"""
    handed_to: SpaceRef | None
    """the friend that the neighbour has become"""
    transfer: str
    """id of the loan that replaces this one"""
    problem: str
    """why it is unclear, or wasn't lent"""


class LedgerPage(View):
    """A page of the ledger, the newest first. It can be short or empty while `next` still names another page."""

    items: list[TransferView | OutsideView]
    """an item whose `kind` is `outside` is a loan to a neighbour, any other one a transfer"""
    next: str | None = None
    """the `cursor` of the following page; null at the end"""


class AgendaView(View):
    """One entry of the calendar: a pick-up (`fetched`), a due date (`back`), or `overdue`, which is listed under today.

    It is either a `transfer`, or a loan to a neighbour (`neighbours`).
    """

    day: date
    what: Literal["fetched", "back", "overdue"]
    transfer: TransferView | None = None
    neighbours: OutsideView | None = None


class WantView(View):
    """A want of one of our people, or of a friend."""

    ours: bool
    """whether it is one of our people's"""
    space: SpaceRef
    """whose want it is"""
    word: str
    """what is wanted"""
    quantity: str
    """a decimal"""
    unit: str
    """empty if each space counts in its own"""
    until: date
    """its last day"""
    code: str = ""
    """ours only"""
    by: PersonView | None = None
    """the person; ours only"""
    lacking: str = ""
    """how much hasn't come yet; ours only"""
    note: str = ""
    """a note of the person who wants it"""
    told_at: datetime | None = None
    """when our approvers were informed that we share some; friends' only"""


class WaitingView(View):
    """A place in a waiting list: one of our people's at a friend, or anybody's for our stock."""

    code: str
    """as people type it"""
    ours: bool
    """whether it is one of our people's place at a friend"""
    space: SpaceRef
    """the friend, or the space whose person waits for our stock"""
    word: str
    """what is waited for"""
    quantity: str
    """a decimal"""
    unit: str
    """empty if each space counts in its own"""
    place: int
    """0 before the friend's bot has sent it"""
    by: PersonView | None
    """the person who waits"""
    until: datetime | None
    """how long the item is kept for them, once it is there"""
    text: str
    """all this in words"""


class AccessView(View):
    """A session or token."""

    id: str
    """the beginning of its hash, which gives no access"""
    kind: str
    """`session`, `token`, `feed` or `screen`"""
    name: str
    """as its owner called it; a session's browser"""
    scope: str
    """`read` or `act`"""
    made: datetime
    """when it was made"""
    ends: datetime
    """when it ends by itself"""
    this: bool = False
    """whether this call uses it"""
