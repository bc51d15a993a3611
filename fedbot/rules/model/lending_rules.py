"""Lending rules: what our config asks of a loan, and what of it both sides see on their cards and agree to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from fedbot.rules.model.care import Moved, Things

MOST_RULES = 20
"""So many can be configured, so no loan has more texts."""
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
        """Which field of a peer's rules can't be so; '' if none."""
        if not 0 <= self.longest <= LONGEST_LOAN:
            return "longest"
        if self.extensions is not None and not 0 <= self.extensions <= MOST_EXTENSIONS:
            return "extensions"
        good = len(self.agree) <= MOST_RULES and all(0 < len(text) <= LONGEST_RULE_TEXT for text in self.agree)
        return "" if good and self != LoanRules() else "agree"


@dataclass(frozen=True)
class LendingRule(Things):
    """One rule of our config, for the parts, categories and locations that it names; for everything if it names none.

    `spaces` are the ids of those that may borrow it (None: all). The other fields are those of `LoanRules`.
    """

    spaces: tuple[str, ...] | None = None
    longest: int = 0
    extensions: int | None = None
    agree: str = ""
    photo_out: bool = False
    photo_back: bool = False
    two_people: bool = False

    def holds_for(self, things: Iterable[Moved]) -> bool:
        """Whether it is about any of them."""
        return not self.names_any or any(self.naming(thing.part, thing.place) for thing in things)


def that_hold(rules: Iterable[LendingRule], things: Sequence[Moved]) -> tuple[LendingRule, ...]:
    """Those of our rules that are about any of these things."""
    return tuple(rule for rule in rules if rule.holds_for(things))


def may_borrow(rules: Iterable[LendingRule], party: str) -> bool:
    """Whether all of the rules let that space borrow."""
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


def against_loan(rules: LoanRules | None, first: date, last: date) -> str:
    """Why a loan can't last so long, as a code with the last day and the days behind it; '' if it can."""
    latest = rules.last_day(first) if rules else None
    return f"{TOO_LONG}:{latest}:{(latest - first).days}" if latest is not None and last > latest else ""


def against_extension(rules: LoanRules | None, extended: int, due: date, last: date) -> str:
    """The same of more time for a loan that was extended so often. `due`: from when on it is counted."""
    if rules is not None and rules.extensions is not None and extended >= rules.extensions:
        return f"{NO_MORE_TIME}:{rules.extensions}"
    return against_loan(rules, due, last)
