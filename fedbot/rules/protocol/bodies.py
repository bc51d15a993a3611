"""Protocol message bodies: one model for each kind, with every limit. Each is validated before any rule sees it.

Our own messages use the same models (`Body.to_json`), so mypy checks them. Unknown fields are ignored, so that newer
versions can add some; inside the terms, which people decide on, they are refused. A text for people that exceeds its
limit is cut; any other invalid field makes the whole message unreadable.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, ClassVar, Generic, TypedDict, TypeGuard, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)

from fedbot.rules import wire as envelopes
from fedbot.rules.model.decision import LONGEST_PICKUP
from fedbot.rules.model.lifecycles import Ending
from fedbot.rules.model.stock import MOST_FILES, plain
from fedbot.rules.model.transfer import Terms
from fedbot.rules.protocol import terms
from fedbot.rules.protocol.terms import MOST_LINES, BadTerms, check_day, check_quantity
from fedbot.rules.protocol.terms import parse as terms_in
from fedbot.rules.wire import LARGEST, LARGEST_INTEGER, BadEnvelope, Envelope, Opening

LONGEST_DAYS = 36_500
LONGEST_PERSON = 255
LONGEST_NAME = 400  # a display name and the Matrix id, as another bot labels a person
LONGEST_REASON = 300
LONGEST_PLACE = 100
LONGEST_SERIAL = 500
LONGEST_URL = 2_000
HIGHEST_GENERATION = 1_000_000


def _cut(most: int) -> AfterValidator:
    return AfterValidator(lambda text: text[:most])


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value if isinstance(value, datetime) else None
    if moment is None or moment.tzinfo is None:
        raise ValueError("no time with a time zone")
    check_day(moment.date())
    return moment


def _day(value: object) -> date:
    day = date.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(day, date):
        raise ValueError("no day")  # noqa: TRY004 -- a message is data: what is wrong in it is a value
    check_day(day)
    return day


def _quantity(value: object) -> Decimal:
    """Parse a quantity as `stock.plain` writes it, within InvenTree's limits."""
    if isinstance(value, Decimal):
        value = plain(value)
    try:
        quantity = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        quantity = None
    if quantity is None:
        raise ValueError("no quantity")
    check_quantity(quantity)
    if plain(quantity) != value:
        raise ValueError("no quantity in its plain form")
    return quantity


def _terms(value: object) -> Terms:
    return terms_in(terms.to_json(value) if isinstance(value, Terms) else value)


def _opening(value: object) -> Opening:
    opening = value if isinstance(value, Opening) else envelopes.parse_opening(value)
    if opening is None:
        raise BadTerms("opening")
    return opening


def _ending(value: object) -> Ending:
    if not isinstance(value, str) or value == Ending.KEPT:
        raise ValueError("no end that a lender reports")
    return Ending(value)


Number = Annotated[StrictInt, Field(ge=0, le=LARGEST_INTEGER)]
LineNumber = Annotated[StrictInt, Field(ge=1, le=MOST_LINES)]
FileNumber = Annotated[StrictInt, Field(ge=0, le=MOST_FILES)]
Key = Annotated[StrictInt, Field(ge=1, le=LARGEST_INTEGER)]
"""A primary key in the peer's InvenTree."""
Hex = Annotated[StrictStr, Field(pattern=r"^[0-9a-f]{64}$")]
ShownHash = Annotated[StrictStr, Field(pattern=r"^[0-9a-f]{16}$")]
Hash = Annotated[StrictStr, Field(pattern=r"^([0-9a-f]{64})?$")]
SealedBox = Annotated[StrictStr, Field(max_length=LARGEST)]
"""A box sealed to us, as base64."""
Person = Annotated[StrictStr, Field(max_length=LONGEST_PERSON)]
EventId = Annotated[StrictStr, Field(max_length=255)]
Name = Annotated[StrictStr, _cut(LONGEST_NAME)]
Reason = Annotated[StrictStr, _cut(LONGEST_REASON)]
Place = Annotated[StrictStr, _cut(LONGEST_PLACE)]
PickupText = Annotated[StrictStr, _cut(LONGEST_PICKUP)]
Word = Annotated[StrictStr, Field(max_length=40)]
"""A short code or an id."""
Days = Annotated[StrictInt, AfterValidator(lambda days: max(0, min(days, LONGEST_DAYS)))]
Generation = Annotated[StrictInt, Field(ge=1, le=HIGHEST_GENERATION)]
Moment = Annotated[datetime, PlainValidator(_moment), PlainSerializer(datetime.isoformat, when_used="json")]
Day = Annotated[date, PlainValidator(_day), PlainSerializer(date.isoformat, when_used="json")]
Quantity = Annotated[Decimal, PlainValidator(_quantity), PlainSerializer(plain, when_used="json")]
WrittenTerms = Annotated[Terms, PlainValidator(_terms), PlainSerializer(terms.to_json, when_used="json")]
WrittenOpening = Annotated[Opening, PlainValidator(_opening), PlainSerializer(envelopes.opening_json, when_used="json")]
LoanEnding = Annotated[Ending, PlainValidator(_ending), PlainSerializer(str, when_used="json")]
Url = Annotated[StrictStr, Field(max_length=LONGEST_URL, pattern=r"^https?://")]


def _is_list(value: object) -> object:
    if not isinstance(value, list | tuple):
        raise ValueError("no list")  # noqa: TRY004 -- a message is data: what is wrong in it is a value
    return value


class Part(BaseModel):
    """A part of a body, or a body. It is immutable once parsed."""

    model_config = ConfigDict(frozen=True, extra="ignore", arbitrary_types_allowed=True, hide_input_in_errors=True)


class LinePart(Part):
    """A statement about one line of the terms."""

    number: LineNumber


P = TypeVar("P", bound=LinePart | int)


def _each_once(lines: tuple[P, ...]) -> tuple[P, ...]:
    numbers = [each if isinstance(each, int) else each.number for each in lines]
    if len(set(numbers)) < len(numbers):
        raise ValueError("a line twice")
    return lines


Lines = Annotated[tuple[P, ...], BeforeValidator(_is_list), Field(max_length=MOST_LINES), AfterValidator(_each_once)]
"""Statements about several lines, at most one for each."""


class OwnStatement(TypedDict):
    """The fields of a `Statement` by our own people."""

    by: str
    by_name: str
    event: str
    note: str


NOBODY: OwnStatement = {"by": "", "by_name": "", "event": "", "note": ""}


class Statement(Part):
    """The peer's person who decided or reported something, and the reason. The peer vouches for its own people."""

    by: Person = ""
    by_name: Name = ""
    event: EventId = ""
    note: Annotated[StrictStr, _cut(LONGEST_REASON)] = ""


class Settled(Statement):
    """The settlement by the peer's people of a dispute, or of an unknown outcome."""

    truth: Annotated[StrictStr, _cut(20)] = ""
    alone: StrictBool = False


class GivenLine(LinePart):
    """A line that left the sender, with the sender's stock item."""

    item: Key | None = None


class PickupDetails(Part):
    """The sender's text about pick-up: the place, the opening hours, whom to call."""

    where: PickupText = ""
    hours: PickupText = ""
    call: PickupText = ""


class FailedLine(LinePart):
    """A failed line, with the reason."""

    reason: Reason = ""


class BookedIn(LinePart):
    """A line that the receiver has booked in. `quantity` (sender's units): less arrived by parcel than was sent.

    `files` are the numbers of the files that it asks for: as in the line, from 1; 0 is the part's image.
    """

    item: Key | None = None
    part: Key | None = None
    place: Place = ""
    serial: Annotated[StrictStr, Field(max_length=LONGEST_SERIAL)] = ""
    quantity: Quantity | None = None
    files: Annotated[tuple[FileNumber, ...], BeforeValidator(_is_list), Field(max_length=MOST_FILES + 1)] = ()


class Body(Part):
    """The fields of every message. `seen` is the last number that its sender has read, `past` the hash up to it.

    `awaits` asks for an acknowledgement; only the recipient can decrypt `sealed`.
    """

    kind: ClassVar[str] = ""
    seen: Number = 0
    past: Hash = ""
    awaits: StrictBool = False
    sealed: SealedBox | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the body as JSON, without the fields that have their default value."""
        return self.model_dump(mode="json", exclude_defaults=True)


class Decided(Body, Statement):
    """A body that names who decided."""


class Signed(Decided):
    """A body that must name who decided."""

    by: Person
    by_name: Name


class Truth(Decided):
    """One side's report on the stock, perhaps as its people settled it."""

    settled: Settled | None = None


class Ended(Truth):
    """The sender's report of the end."""

    reason: Reason = ""


class ByParcel(Decided):
    """A decision, or its execution: it is sent by parcel, or was returned damaged."""

    parcel: StrictBool = False
    damaged: StrictBool = False


class Asking(Body):
    """A request for figures, hits or books."""


class Answer(Body):
    """The answer to an `Asking`. `problem` is why there is none; `again` is when to ask again."""

    problem: Reason
    in_room: StrictBool = False
    again: Moment | None = None


class OpensWith(TypedDict):
    """The fields of `Opens` that every opening has."""

    terms: Terms
    due: datetime
    opening: Opening


class Opens(ByParcel):
    """A message that opens a transfer."""

    terms: WrittenTerms
    due: Moment
    opening: WrittenOpening


# --- about parties and connections ---------------------------------------------------------------------------


class Announce(Body):
    """A bot's parties, each signed by itself and parsed separately (`announcements`).

    `again`: it answers another bot's announcement, so nobody answers it by one of their own.
    """

    kind = "announce"
    v: int = 1
    again: StrictBool = False
    parties: Annotated[list[Any], BeforeValidator(_is_list)]


class Connect(Body):
    """A superuser asks to connect."""

    kind = "connect"
    generation: Generation
    name: Name
    access: Word
    asker: Person
    asker_name: Name
    commitment: Hex
    asked_key: Hex | None = None
    due: Moment | None = None


class Reveal(Body):
    """The nonce for comparing keys."""

    kind = "reveal"
    nonce: Hex


class Check(Body):
    """The review of another key: the commitment to a nonce, or the nonce."""

    kind = "check"
    commitment: Hex | None = None
    nonce: Hex | None = None

    @model_validator(mode="after")
    def _has_one(self) -> Check:
        if self.commitment is None and self.nonce is None:
            raise ValueError("neither a commitment nor a nonce")
        return self


class Accepted(Signed):
    """A superuser agreed to connect."""

    kind = "accepted"
    access: Word
    nonce: Hex | None = None


class Declined(Ended):
    """A refusal: of a connection, maybe with the generation to use; or the sender's of a transfer, for a line."""

    kind = "declined"
    generation: Generation | None = None
    line: LineNumber | None = None


class Credentials(Body):
    """The address of the peer's InvenTree, and the token for it, sealed."""

    kind = "credentials"
    url: Url
    token: SealedBox


class Ready(Body):
    """The trial passed, with the number of visible stock items."""

    kind = "ready"
    items: Number | None = None


class Renewed(Body):
    """The new token works, or why it doesn't."""

    kind = "renewed"
    problem: Reason


class Cancelled(Ended):
    """The end of a request to connect, or of a transfer, by its own side."""

    kind = "cancelled"


class Disconnecting(Signed):
    """A superuser ends the connection."""

    kind = "disconnecting"
    at_once: StrictBool = False


class Noted(Decided):
    """An acknowledgement. A card may be posted; for a request it carries the terms on the card.

    `here`: the receiver's stock item that the card says this already is. Only its own bot reads that again.
    """

    kind = "noted"
    terms: WrittenTerms | None = None
    here: Key | None = None


class StatsAsk(Asking):
    """A request for figures over that many days; 0: all."""

    kind = "stats-ask"
    days: Days


class Stats(Answer):
    """The figures, sealed."""

    kind = "stats"
    days: Days


class FindAsk(Asking):
    """A search; the words are sealed."""

    kind = "find-ask"
    search: Annotated[StrictStr, Field(max_length=100)]


class Find(Answer):
    """The hits of a search, sealed."""

    kind = "find"
    search: Annotated[StrictStr, Field(max_length=100)]


class Want(Body):
    """A want until that day; `over`: it ended. The item and the quantity are sealed."""

    kind = "want"
    want: Word
    until: Day
    over: StrictBool = False


class Wait(Body):
    """A person waits for an item of the other space; `over`: no longer. The item and the quantity are sealed.

    The place's id is the hash of `opening`, which is missing if it is over.
    """

    kind = "wait"
    wait: Word
    over: StrictBool = False
    opening: WrittenOpening | None = None


class PlaceInQueue(Body):
    """The place in the queue. With `until`: the stock item is kept for them until then.

    `over`: the reason why they no longer wait, as a short code; with `unknown`, `why` may be more specific.
    """

    kind = "place"
    wait: Word
    place: Number = 0
    item: Number = 0
    until: Moment | None = None
    over: Word = ""
    why: Word = ""


class BooksAsk(Asking):
    """A request for the page of the books after this transfer."""

    kind = "books-ask"
    after: Word


class Books(Answer):
    """A page of the books, sealed, after `after` up to `last`."""

    kind = "books"
    after: Word
    last: Word
    more: StrictBool = False


class AskAgain(Body):
    """A request for messages that its sender hasn't read."""

    kind = "ask"
    seen: Number


class Seen(Body):
    """An acknowledgement without anything new."""

    kind = "seen"
    seen: Number


# --- about transfers -----------------------------------------------------------------------------------------


class Offer(Opens):
    """The sender opens a transfer."""

    kind = "offer"


class Request(Opens):
    """The receiver opens a transfer. `accepted`: its asker has seen the offered items, and accepts them unchanged."""

    kind = "request"
    accepted: ShownHash | None = None


class Granted(Signed):
    """The sender grants less than requested, by these terms."""

    kind = "granted"
    terms: WrittenTerms


class Approve(Signed, ByParcel):
    """The receiver's side approves.

    `here`: its stock item that this already is. Only its own bot reads that again.
    """

    kind = "approve"
    reason: Reason = ""
    here: Key | None = None


class Decline(Signed):
    """The receiver's side declines."""

    kind = "decline"
    reason: Reason = ""


class Cancel(Signed):
    """The receiver's side cancels."""

    kind = "cancel"
    reason: Reason = ""


class Expired(Ended):
    """Nobody decided in time."""

    kind = "expired"


class Aborted(Ended):
    """It can't continue, and nothing has moved."""

    kind = "aborted"


class Booked(Signed, ByParcel):
    """Both sides have agreed: it is booked for its first day, and kept for pick-up until that moment."""

    kind = "booked"
    until: Moment


class Sent(Truth, ByParcel):
    """The stock has left the sender."""

    kind = "sent"
    lines: Lines[GivenLine]
    failed: Lines[FailedLine]
    pickup: PickupDetails = PickupDetails()


class Received(Truth):
    """The receiver has booked it in, except the lines that it refused."""

    kind = "received"
    items: Lines[BookedIn]
    refused: Lines[FailedLine]


class File(Body):
    """A file that the receiver asked for; its address and key are sealed. `problem`: why it can't be sent."""

    kind = "file"
    number: LineNumber
    file: FileNumber
    problem: Reason = ""


class Refused(Truth):
    """The receiver books nothing in, and never will."""

    kind = "refused"
    reason: Reason
    refused: Lines[FailedLine] = ()


class Reverted(Ended):
    """Everything is back at the sender."""

    kind = "reverted"


class Done(Ended):
    """The transfer is complete."""

    kind = "done"


class Extended(Signed):
    """The due date of a loan was extended to that day."""

    kind = "extended"
    until: Day


class Closed(Signed):
    """A loan, or these lines of it, ended."""

    kind = "closed"
    how: LoanEnding
    lines: Lines[LineNumber] | None = None


class Disputed(Body):
    """The peer can't find out what happened; for a parcel, who reported that it never arrived."""

    kind = "disputed"
    reason: Reason = ""
    missing: Statement | None = None


KINDS: dict[str, type[Body]] = {
    model.kind: model
    for model in (
        *(Announce, Connect, Reveal, Check, Accepted, Declined, Credentials, Ready, Renewed, Cancelled, Disconnecting),
        *(Noted, StatsAsk, Stats, FindAsk, Find, Want, Wait, PlaceInQueue, BooksAsk, Books, AskAgain, Seen),
        *(Offer, Request, Granted, Approve, Decline, Cancel, Expired, Aborted, Sent, Received, Refused, Reverted, Done),
        *(Booked, File, Extended, Closed, Disputed),
    )
}

ENDS: dict[str, type[Ended]] = {kind: model for kind, model in KINDS.items() if issubclass(model, Ended)}
"""The messages that end a transfer, by the name of its state."""

B = TypeVar("B", bound=Body)
B_co = TypeVar("B_co", bound=Body, covariant=True)


@dataclass(frozen=True)
class Message(Envelope, Generic[B_co]):
    """An envelope with its parsed body. For rules, `sent_at` is when the room got it (`inbound.opened`)."""

    body: B_co


def parse(envelope: Envelope) -> Message[Body]:
    """Return the envelope with its body. Raises `BadEnvelope` with the name of the invalid field, or `kind`."""
    model = KINDS.get(envelope.kind)
    if model is None:
        raise BadEnvelope("kind")
    try:
        body = model.model_validate(envelope.raw_body)
    except ValidationError as problem:
        raise BadEnvelope(_what_is_wrong(problem)) from None
    return Message(**{field.name: getattr(envelope, field.name) for field in fields(Envelope)}, body=body)


def _what_is_wrong(problem: ValidationError) -> str:
    first = problem.errors(include_url=False, include_input=False)[0]
    cause = first.get("ctx", {}).get("error")
    return str(cause) if isinstance(cause, BadTerms) else ".".join(("body", *(str(part) for part in first["loc"])))


def says(message: Message[Body], kind: type[B]) -> TypeGuard[Message[B]]:
    """Whether the message's body is of that class, or of a subclass."""
    return isinstance(message.body, kind)
