"""The limits of what a peer, a person or a room may cost us, so that a flood from one never slows down the others.

Each budget is a token bucket: so many at once, and one more after each `every`. `Turn.spends` takes from it. Nothing is
lost over budget: a protocol message that must arrive stays unread and comes again; a line, reaction or photo is
answered once with the time to try again; a message goes out without its mention; an admin message stays in the audit;
an invitation stays unanswered.

Pure data and arithmetic; imports no rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from fedbot.rules.model.catalogue import Allowance
from fedbot.rules.model.party_config import PartyConfig

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MOST_OPEN_PER_PEER = 100
"""So many undecided transfers that one peer has opened; what it opens beyond that waits until one of them ends."""
MOST_SENT_AGAIN = 20
"""So many of our unread messages about one subject are sent again in one go; the rest follows next time."""


@dataclass(frozen=True)
class Limit:
    """`most` at once, then one more for each `every` that has gone by."""

    most: int
    every: timedelta


class Scope(StrEnum):
    """The owner of a budget."""

    PEER = "peer"
    SUBJECT = "subject"
    SENDER = "sender"
    """The Matrix account, before it has proved to be a peer's."""


LIMITS: Mapping[str, tuple[Limit, ...]] = {
    # what a peer opens: each is a card, a stored subject and a few reads of InvenTree
    "opening": (Limit(20, 30 * SECOND), Limit(200, DAY / 200)),
    "opening in one room": (Limit(60, 10 * SECOND),),
    # messages between bots, by whom and what they are about
    "about a connection": (Limit(60, 20 * SECOND),),
    "about a transfer": (Limit(40, MINUTE),),
    "grant": (Limit(5, 10 * MINUTE),),  # each is another card for our people
    "connect": (Limit(10, 10 * MINUTE),),
    "announce": (Limit(20, MINUTE),),
    "announcing again": (Limit(5, 10 * MINUTE),),
    "stray": (Limit(20, MINUTE),),
    "want": (Limit(20, 10 * MINUTE), Limit(40, DAY / 40)),
    "wait": (Limit(20, 30 * MINUTE),),
    "repetition": (Limit(40, 10 * SECOND),),
    # what our own people get
    "mention": (Limit(12, 2 * MINUTE), Limit(100, DAY / 100)),
    "line": (Limit(30, 6 * SECOND),),
    "sign-in": (Limit(5, 2 * MINUTE),),
    "admin message": (Limit(10, 10 * MINUTE),),
    # what people do in a room besides talking: each is a few calls to a server
    "reaction": (Limit(30, 6 * SECOND),),
    "photo": (Limit(20, MINUTE), Limit(200, DAY / 200)),
    "invitation": (Limit(5, 10 * MINUTE),),
    "invitation by anybody": (Limit(30, MINUTE),),
}
"""An admin sets others (`PartyConfig`): questions of a peer, or of a person, an hour; requests to connect a day."""
QUESTIONS = frozenset({"find", "stats", "books", "request"})

MESSAGES: Mapping[str, tuple[str, Scope]] = {
    "announce": ("announce", Scope.SENDER),
    "connect": ("connect", Scope.SENDER),
    **dict.fromkeys(
        (
            "accepted",
            "reveal",
            "check",
            "credentials",
            "ready",
            "renewed",
            "disconnecting",
            "stats-ask",
            "stats",
            "find-ask",
            "want",
            "wait",
            "place",
            "find",
            "books-ask",
            "books",
        ),
        ("about a connection", Scope.PEER),
    ),
    **dict.fromkeys(
        (
            "declined",
            "cancelled",
            "noted",
            "ask",
            "seen",
            "offer",
            "request",
            "approve",
            "decline",
            "cancel",
            "booked",
            "expired",
            "aborted",
            "sent",
            "received",
            "file",
            "refused",
            "reverted",
            "done",
            "extended",
            "closed",
            "disputed",
        ),
        ("about a transfer", Scope.SUBJECT),
    ),
    "granted": ("grant", Scope.SUBJECT),
}
"""The budget of every kind of protocol message. One about a transfer has its own, which no other subject uses up."""


def limits(us: PartyConfig, what: str) -> tuple[Limit, ...]:
    """The limits of that budget. KeyError for one that isn't in the table."""
    if what in QUESTIONS:
        an_hour = max(us.questions_an_hour_per_peer, 1)
        return (Limit(an_hour, HOUR / an_hour),)
    return LIMITS[what]


def spend(known: Allowance, by: tuple[Limit, ...], now: datetime) -> tuple[Allowance, datetime | None]:
    """One more: the budget after it and None; or, if there is no room, as it was, and when there is some again.

    A budget spent by a clock that was ahead is full again after its own time at the latest.
    """
    before = known.full_at or (now,) * len(by)
    spent: list[datetime] = []
    again: list[datetime] = []
    for limit, full_at in zip(by, before, strict=True):
        whole = limit.most * limit.every
        after = max(min(full_at, now + whole), now) + limit.every
        spent.append(after)
        if after > now + whole:
            again.append(after - whole)
    if again:
        return known, max(again)
    return replace(known, full_at=tuple(spent)), None


def again_in(now: datetime, told: datetime | None) -> datetime:
    """When a peer says that we may ask again: within an hour, whatever it says, or doesn't say."""
    return max(now, min(told or now + HOUR, now + HOUR))
