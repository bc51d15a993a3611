"""Lending rules, bookings, the waiting list, stops on new loans, and loans to a neighbour without a bot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from html import escape

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fedbot.rules.model.care import NamedStock, ValuedLine
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.diagnosis import Diagnosis, Hindrance
from fedbot.rules.model.lifecycles import OPEN_PLACES, OUTSIDE_OVER, OutsideState, PlaceState
from fedbot.rules.model.stock import PartDescription
from fedbot.rules.wire import short_hash

# --- Lending rules: what our config requires of a loan. Both sides see the resulting terms on their cards.

MOST_RULES = 20
"""Most rules in the config, and most rules from InvenTree that count for one loan."""
MOST_TEXTS = 6
MOST_TO_AGREE = 1_000
"""Most bytes of HTML in all texts that a borrower agrees to, so that any card has room for them uncut."""
LONGEST_RULE_TEXT = 200
LONGEST_LOAN = 731
MOST_EXTENSIONS = 100
TOO_LONG, NO_MORE_TIME, NOT_TO_YOU, TO_BE_AGREED = "too-long", "no-more-time", "not-to-you", "to-be-agreed"
"""Reason codes for a refused loan."""
BY_RULES = "lending rules"
"""Reason for the audit: lending rules require two people."""


@dataclass(frozen=True)
class LoanRules:
    """The lender's rules for one loan. They are part of its terms.

    `longest` is the most days that it may last, and by which each extension may prolong it (0: any). `extensions`: how
    often it may be extended (None: any). `agree`: texts to which the borrower agrees. `photo_out`, `photo_back`: a
    photo is wanted at the hand-over, and at the return. `two_people`: two approvers of the lender have to agree.
    """

    longest: int = 0
    extensions: int | None = None
    agree: tuple[str, ...] = ()
    photo_out: bool = False
    photo_back: bool = False
    two_people: bool = False

    def last_day(self, first: date) -> date | None:
        """The latest due date of a loan, or of an extension, that starts on that day; None: any."""
        return first + timedelta(days=self.longest) if self.longest else None

    def complaint(self) -> str:
        """Return the name of the invalid field in a peer's rules; '' if all are valid."""
        if not 0 <= self.longest <= LONGEST_LOAN:
            return "longest"
        if self.extensions is not None and not 0 <= self.extensions <= MOST_EXTENSIONS:
            return "extensions"
        good = len(self.agree) <= MOST_TEXTS and all(0 < len(text) <= LONGEST_RULE_TEXT for text in self.agree)
        good = good and sum(len(escape(text, quote=False).encode()) for text in self.agree) <= MOST_TO_AGREE
        return "" if good and self != LoanRules() else "agree"


@dataclass(frozen=True)
class RuleOrigin:
    """The source of a rule (our config or InvenTree) and the stock it covers, such as 'part LENS-2'; '' for all."""

    where: str
    in_inventree: bool = False


@dataclass(frozen=True)
class LendingRule(NamedStock):
    """One rule of our config, for the parts, categories and locations that it names; for all stock if it names none.

    `spaces` are the ids of those that may borrow (None: all), `origin` is its source. The rest is as in `LoanRules`.
    """

    spaces: tuple[str, ...] | None = None
    longest: int = 0
    extensions: int | None = None
    agree: str = ""
    photo_out: bool = False
    photo_back: bool = False
    two_people: bool = False
    origin: RuleOrigin = RuleOrigin("")

    def held_for(self, things: Iterable[ValuedLine]) -> RuleOrigin | None:
        """Return the source by which the rule covers any of these lines; None if it covers none."""
        if not self.names_any:
            return RuleOrigin("")
        names = (self.naming(thing.part, thing.place) for thing in things)
        where = next((name for name in names if name), "")
        return RuleOrigin(where) if where else None


class _RuleInMetadata(BaseModel):
    """A rule in InvenTree's metadata: the settings of one in our config, without the stock that it covers."""

    model_config = ConfigDict(extra="forbid", strict=True)

    spaces: tuple[str, ...] | None = None
    longest_days: int | None = Field(None, ge=1, le=LONGEST_LOAN)
    extensions: int | None = Field(None, ge=0, le=MOST_EXTENSIONS)
    agree: str = Field("", max_length=LONGEST_RULE_TEXT)
    photo_out: bool = False
    photo_back: bool = False
    two_people: bool = False


def rule_from_inventree(text: str) -> LendingRule | None:
    """Parse a rule from the JSON text in InvenTree's metadata; None if it is invalid."""
    try:
        parsed = _RuleInMetadata.model_validate_json(text)
    except ValidationError:
        return None
    if not parsed.agree.isprintable():
        return None
    return LendingRule(
        spaces=parsed.spaces,
        longest=parsed.longest_days or 0,
        extensions=parsed.extensions,
        agree=parsed.agree.strip(),
        photo_out=parsed.photo_out,
        photo_back=parsed.photo_back,
        two_people=parsed.two_people,
    )


def applying_to(rules: Iterable[LendingRule], things: Sequence[ValuedLine]) -> tuple[LendingRule, ...]:
    """Return those of our rules that cover any of these lines, each with its source."""
    with_origins = ((rule, rule.held_for(things)) for rule in rules)
    return tuple(replace(rule, origin=origin) for rule, origin in with_origins if origin is not None)


def may_borrow(rules: Sequence[LendingRule], party: str) -> bool:
    """Whether all of these rules let that space borrow.

    If together they have more texts than a card can show, nobody may borrow.
    """
    combined = strictest(rules)
    if combined is not None and combined.complaint():
        return False
    return all(rule.spaces is None or party in rule.spaces for rule in rules)


def strictest(rules: Sequence[LendingRule]) -> LoanRules | None:
    """Combine several rules into one: the strictest value of each field, and every text; None if nothing remains."""
    combined = LoanRules(
        longest=min((rule.longest for rule in rules if rule.longest), default=0),
        extensions=min((rule.extensions for rule in rules if rule.extensions is not None), default=None),
        agree=tuple(dict.fromkeys(rule.agree for rule in rules if rule.agree)),
        photo_out=any(rule.photo_out for rule in rules),
        photo_back=any(rule.photo_back for rule in rules),
        two_people=any(rule.two_people for rule in rules),
    )
    return combined if combined != LoanRules() else None


def origins(rules: Sequence[LendingRule]) -> tuple[RuleOrigin, ...]:
    """Return the sources of the rules that determine the strictest combination."""
    combined = strictest(rules) or LoanRules()
    decisive = (
        rule
        for rule in rules
        if (rule.longest and rule.longest == combined.longest)
        or (rule.extensions is not None and rule.extensions == combined.extensions)
        or rule.agree
        or rule.photo_out
        or rule.photo_back
        or rule.two_people
    )
    return tuple(dict.fromkeys(rule.origin for rule in decisive))


def origins_of_longest(rules: Sequence[LendingRule]) -> tuple[RuleOrigin, ...]:
    """Return the sources of the rules that determine the longest loan."""
    return origins([LendingRule(longest=rule.longest, origin=rule.origin) for rule in rules])


def against_loan(rules: LoanRules | None, first: date, last: date) -> str:
    """Return the reason code against a loan that long, with the latest due date and the days; '' if it is allowed.

    Example: `too-long:2026-12-20:14`.
    """
    latest = rules.last_day(first) if rules else None
    return f"{TOO_LONG}:{latest}:{(latest - first).days}" if latest is not None and last > latest else ""


def against_extension(rules: LoanRules | None, extended: int, due: date, last: date) -> str:
    """Return the reason code against one more extension to the day `last`; '' if it is allowed.

    `extended` is the number of extensions so far, `due` the day from which the new one counts.
    """
    if rules is not None and rules.extensions is not None and extended >= rules.extensions:
        return f"{NO_MORE_TIME}:{rules.extensions}"
    return against_loan(rules, due, last)


# --- Bookings: data beside their transfer, and how other cards show them.


@dataclass(frozen=True)
class Obstacle:
    """The reason why a line of a booking can't be handed over as agreed; `left` is the quantity that is available."""

    line: int
    why: Hindrance
    left: Decimal = Decimal(0)


@dataclass(frozen=True)
class Reserved:
    """A booking, or a place in the queue, that an approval would override: its code, party and days.

    `waits`: it isn't booked; that party has been in the queue since the `first` day, and comes before. `name` is the
    party's name, `person` the person if it is one of ours, `what` the thing. These three don't count in comparisons.
    """

    code: str
    peer: str
    first: date
    last: date
    waits: bool = False
    name: str = field(default="", compare=False)
    what: str = field(default="", compare=False)
    person: str = field(default="", compare=False)


# --- The waiting list: the lender's queue, and our people's places in the queues of peers.

MOST_PLACES = 20
"""Most things that a space, or one of our people, may wait for at once."""


@dataclass(frozen=True)
class QueueEntry:
    """An entry in the lender's queue: a party that waits for a quantity of what `word` names. Ordered by `number`.

    `connection` is the party's; '' for one of our own people, who is then `by`. `part` and `item` are keys of our
    InvenTree: `part` is 0 until that has answered, `item` is 0 if any item of the part will do. `kept` is the stock
    item that is kept for them until `kept_until`, 0 if none; `told` is the place that they know of. `unit` is the unit
    of the quantity: as the person gave it, and the part's own once `part` is known.
    """

    id: str
    code: str
    party: str
    connection: str
    room: str
    word: str
    quantity: Decimal
    number: int
    since: datetime
    by: Signature | None = None
    part: int = 0
    item: int = 0
    name: str = ""
    kept: int = 0
    kept_until: datetime | None = None
    looked: datetime | None = None
    told: int = 0
    unit: str = ""

    def waits_for(self, item: int, part: int) -> bool:
        """Whether that stock item, of that part, would do."""
        return self.part == part and part != 0 and self.item in {0, item}

    def meets(self, other: QueueEntry) -> bool:
        """Whether one stock item would do for both."""
        return self.part == other.part and self.part != 0 and (0 in {self.item, other.item} or self.item == other.item)

    def place_among(self, entries: Iterable[QueueEntry]) -> int:
        """Return its place among these entries: 1 is next."""
        return 1 + sum(each.number < self.number and each.meets(self) for each in entries)


@dataclass(frozen=True)
class PlaceInLine:
    """The place of one of our people in a peer's queue: `place` as the lender's bot reports it, 0 before that.

    `item` is the lender's stock item that is kept for us until `until`.
    """

    id: str
    code: str
    by: Signature
    room: str
    connection: str
    peer: str
    word: str
    quantity: Decimal
    state: PlaceState = PlaceState.ASKED
    place: int = 0
    item: int = 0
    until: datetime | None = None
    ended: datetime | None = None
    unit: str = ""

    @property
    def is_living(self) -> bool:
        """Whether our person still waits."""
        return self.state in OPEN_PLACES


# --- Overdue loans: when our admins are told, and stops on new loans.


@dataclass(frozen=True)
class OverdueSteps:
    """The times after a due date at which our admins are told, and asked to stop new loans. None: never.

    The borrower's people are reminded before, on and after the due date, independently of this.
    """

    admins_after: timedelta | None = timedelta(days=7)
    stop_after: timedelta | None = timedelta(days=21)


@dataclass(frozen=True)
class LendingStop:
    """Our superuser's stop: this party gets no new loans until its overdue ones are back. `id` is the party's."""

    id: str
    by: Signature
    room: str


# --- Loans to a neighbour without a bot.

LONGEST_NEIGHBOUR = 60
OUTSIDE = "outside:"
"""The prefix of a neighbour's name where a party's id would be. No party id begins like that."""


@dataclass(frozen=True)
class LentBefore:
    """A loan from before the borrower had a bot: its id at the lender, the neighbour's name, and the first day."""

    loan: str
    neighbour: str
    since: date


@dataclass(frozen=True)
class OutsideLoan:
    """One stock item, or a part of one, lent to the `neighbour` until that day, inclusive.

    `by` is our approver, whose line was the decision; `room` is where they wrote it. `source` is the stock item before,
    `item` the one that left, `status` and `location` its former ones. `stage` is the last step known to be done ('',
    `taken`, `handed`), `problem` why it is unclear or wasn't lent. `ended_by` reported its end. `handing` is the
    transfer by which it becomes an ordinary loan to `friend`, the neighbour's new bot, and `handing_code` that
    transfer's code. `again` counts how often it was booked out again because that failed, `posted` how often its
    message was posted again after a loss of the journal. `before` is the code of an equal loan that the same person
    made a moment before.
    """

    id: str
    code: str
    neighbour: str
    by: Signature
    room: str
    until: date
    source: int
    part: int
    description: PartDescription
    quantity: Decimal
    serial: str = ""
    batch: str = ""
    state: OutsideState = OutsideState.BOOKING_OUT
    company: int | None = None
    stage: str = ""
    item: int | None = None
    status: int = 10
    location: int | None = None
    problem: Diagnosis | None = None
    damaged: bool = False
    note: str = ""
    reminded: datetime | None = None
    ended: datetime | None = None
    ended_by: Signature | None = None
    handing: str = ""
    friend: str = ""
    again: int = 0
    posted: int = 0
    before: str = ""
    handing_code: str = ""

    @property
    def is_living(self) -> bool:
        """Whether it hasn't ended."""
        return self.state not in OUTSIDE_OVER


def outside_id(lending_event: str) -> str:
    """Return the id of a neighbour's loan, derived from the Matrix event of the line that lends."""
    return short_hash("outside", lending_event)
