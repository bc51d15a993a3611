"""Lending rules, bookings, the waiting list, and stops on new loans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from html import escape

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fedbot.rules.model.care import NamedStock, ValuedLine
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.diagnosis import Hindrance
from fedbot.rules.model.lifecycles import OPEN_PLACES, PlaceState

# --- Lending rules: what our config asks of a loan, and what of it both sides see on their cards and agree to.

MOST_RULES = 20
"""So many can be configured, and so many in InvenTree count for one loan."""
MOST_TEXTS = 6
MOST_TO_AGREE = 1_000
"""Texts, and bytes of HTML of them all, that the borrower of a loan agrees to: any card has room for them, uncut."""
LONGEST_RULE_TEXT = 200
LONGEST_LOAN = 731
MOST_EXTENSIONS = 100
TOO_LONG, NO_MORE_TIME, NOT_TO_YOU, TO_BE_AGREED = "too-long", "no-more-time", "not-to-you", "to-be-agreed"
"""Why a loan is refused, as short codes."""
BY_RULES = "lending rules"
"""Why a yes takes two people, for the audit, if that is why."""


@dataclass(frozen=True)
class LoanRules:
    """The rules of one loan, as its owner has them; they travel with its terms.

    `longest` is how many days it may stay, and by how many days each extension may prolong it (0: any). `extensions`:
    how often it may be extended (None: any). `agree`: what the borrower agrees to. `photo_out`, `photo_back`: a photo
    is wanted when it is handed over, and when it comes back. `two_people`: two approvers of the owner have to agree.
    """

    longest: int = 0
    extensions: int | None = None
    agree: tuple[str, ...] = ()
    photo_out: bool = False
    photo_back: bool = False
    two_people: bool = False

    def last_day(self, first: date) -> date | None:
        """The last day that a loan, or a further extension of it, from that day may have; None: any."""
        return first + timedelta(days=self.longest) if self.longest else None

    def complaint(self) -> str:
        """The invalid field of a peer's rules; '' if all are valid."""
        if not 0 <= self.longest <= LONGEST_LOAN:
            return "longest"
        if self.extensions is not None and not 0 <= self.extensions <= MOST_EXTENSIONS:
            return "extensions"
        good = len(self.agree) <= MOST_TEXTS and all(0 < len(text) <= LONGEST_RULE_TEXT for text in self.agree)
        good = good and sum(len(escape(text, quote=False).encode()) for text in self.agree) <= MOST_TO_AGREE
        return "" if good and self != LoanRules() else "agree"


@dataclass(frozen=True)
class RuleOrigin:
    """The source of a rule, our config or InvenTree, and the thing it is for: 'part LENS-2'; '' for all."""

    where: str
    in_inventree: bool = False


@dataclass(frozen=True)
class LendingRule(NamedStock):
    """One rule of our config, for the parts, categories and locations that it names; for everything if it names none.

    `spaces` are the ids of those that may borrow it (None: all), `origin` is where it stands. The rest is as in
    `LoanRules`.
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
        """By what it is about any of them; None if it isn't."""
        if not self.names_any:
            return RuleOrigin("")
        names = (self.naming(thing.part, thing.place) for thing in things)
        where = next((name for name in names if name), "")
        return RuleOrigin(where) if where else None


class _Said(BaseModel):
    """A rule as it stands in InvenTree's metadata: the settings of one in our config, without what it is about."""

    model_config = ConfigDict(extra="forbid", strict=True)

    spaces: tuple[str, ...] | None = None
    longest_days: int | None = Field(None, ge=1, le=LONGEST_LOAN)
    extensions: int | None = Field(None, ge=0, le=MOST_EXTENSIONS)
    agree: str = Field("", max_length=LONGEST_RULE_TEXT)
    photo_out: bool = False
    photo_back: bool = False
    two_people: bool = False


def said_in_inventree(text: str) -> LendingRule | None:
    """The rule that stands in InvenTree's metadata as that JSON text; None if it can't be understood."""
    try:
        said = _Said.model_validate_json(text)
    except ValidationError:
        return None
    if not said.agree.isprintable():
        return None
    return LendingRule(
        spaces=said.spaces,
        longest=said.longest_days or 0,
        extensions=said.extensions,
        agree=said.agree.strip(),
        photo_out=said.photo_out,
        photo_back=said.photo_back,
        two_people=said.two_people,
    )


def that_hold(rules: Iterable[LendingRule], things: Sequence[ValuedLine]) -> tuple[LendingRule, ...]:
    """Those of our rules that are about any of these things."""
    held = ((rule, rule.held_for(things)) for rule in rules)
    return tuple(replace(rule, origin=origin) for rule, origin in held if origin is not None)


def may_borrow(rules: Sequence[LendingRule], party: str) -> bool:
    """Whether all of the rules let that space borrow. More texts to agree to than a card shows let nobody."""
    found = strictest(rules)
    if found is not None and found.complaint():
        return False
    return all(rule.spaces is None or party in rule.spaces for rule in rules)


def strictest(rules: Sequence[LendingRule]) -> LoanRules | None:
    """Several rules as one: of each field the strictest, and every text; None if nothing is left to say."""
    counted = [rule.extensions for rule in rules if rule.extensions is not None]
    found = LoanRules(
        longest=min((rule.longest for rule in rules if rule.longest), default=0),
        extensions=min(counted, default=None),
        agree=tuple(dict.fromkeys(rule.agree for rule in rules if rule.agree)),
        photo_out=any(rule.photo_out for rule in rules),
        photo_back=any(rule.photo_back for rule in rules),
        two_people=any(rule.two_people for rule in rules),
    )
    return found if found != LoanRules() else None


def origins(rules: Sequence[LendingRule]) -> tuple[RuleOrigin, ...]:
    """The sources of those rules that determine the strictest combination."""
    found = strictest(rules) or LoanRules()
    won = (
        rule
        for rule in rules
        if (rule.longest and rule.longest == found.longest)
        or (rule.extensions is not None and rule.extensions == found.extensions)
        or rule.agree
        or rule.photo_out
        or rule.photo_back
        or rule.two_people
    )
    return tuple(dict.fromkeys(rule.origin for rule in won))


def shortest(rules: Sequence[LendingRule]) -> tuple[RuleOrigin, ...]:
    """The sources of those rules that determine the longest loan."""
    return origins([LendingRule(longest=rule.longest, origin=rule.origin) for rule in rules])


def against_loan(rules: LoanRules | None, first: date, last: date) -> str:
    """Why a loan can't last so long, as a code with the last day and the days behind it; '' if it can."""
    latest = rules.last_day(first) if rules else None
    return f"{TOO_LONG}:{latest}:{(latest - first).days}" if latest is not None and last > latest else ""


def against_extension(rules: LoanRules | None, extended: int, due: date, last: date) -> str:
    """The same of more time for a loan that was extended so often. `due`: from when on it is counted."""
    if rules is not None and rules.extensions is not None and extended >= rules.extensions:
        return f"{NO_MORE_TIME}:{rules.extensions}"
    return against_loan(rules, due, last)


# --- What a booking keeps beside its transfer, and what other cards show of it.


@dataclass(frozen=True)
class Obstacle:
    """Why that line of a booking can't be handed over as agreed; `left` is how much of it there is."""

    line: int
    why: Hindrance
    left: Decimal = Decimal(0)


@dataclass(frozen=True)
class Reserved:
    """A booking that something else would break: its code, for which party it is, and its days.

    `waits`: it isn't booked, but that party waits for it since the `first` day, and comes before. `name` is how the
    party is called, `person` who it is if they are ours, and `what` the thing; none makes it another one.
    """

    code: str
    peer: str
    first: date
    last: date
    waits: bool = False
    name: str = field(default="", compare=False)
    what: str = field(default="", compare=False)
    person: str = field(default="", compare=False)


# --- Who waits for what is on loan or booked: the owner's queue, and the places of our people in friends' queues.

MOST_PLACES = 20
"""So many things a space, or one of our people, may wait for at once."""


@dataclass(frozen=True)
class QueueEntry:
    """At the owner: that party waits for so much of what `word` means. First come, first served: by `number`.

    `wait` is the waiting space's own id of it, `connection` its friendship; '' for one of our own people, who is `by`.
    `part` and `item` are keys of our InvenTree: `part` 0 while that hasn't said, `item` 0 if any of the part will do.
    `kept` is the stock item that is kept for them until `kept_until`, 0 if none; `told` the place that they know of.
    `unit` is what the quantity is counted in: as it was said, and from when `part` is known that part's.
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
        """Its place in the queue: 1 is asked next."""
        return 1 + sum(each.number < self.number and each.meets(self) for each in entries)


@dataclass(frozen=True)
class PlaceInLine:
    """One of our people waits for something of a friend's: `place` as the owner's bot told it, 0 before it did.

    `item` is the owner's stock item that is kept for us until `until`.
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
        """Whether we still wait."""
        return self.state in OPEN_PLACES


# --- What a space does about things that friends don't bring back: the steps, and a friend that gets no new loans.


@dataclass(frozen=True)
class OverdueSteps:
    """After so long our admins are told; after so long they are asked to decide. None: never.

    The borrower's people are reminded before, on and after the due date, whatever this says.
    """

    admins_after: timedelta | None = timedelta(days=7)
    stop_after: timedelta | None = timedelta(days=21)


@dataclass(frozen=True)
class LendingStop:
    """Our superuser has said that this party gets no new loans until what is overdue is back. `id` is the party's."""

    id: str
    by: Signature
    room: str
