"""The limits of what a peer, a person or a room may cost us, so that a flood from one never slows down the others.

Each budget is a token bucket: `most` at once, and one more after each `every`. `Turn.spends` takes from it. Nothing is
lost over budget: a protocol message that must arrive stays unread and is sent again; a line, reaction or photo is
answered once with the time to try again; a message is sent without its mention; an admin message stays in the audit; an
invitation stays unanswered.

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
"""Most undecided transfers that one peer may have opened. Further ones wait until one of them ends."""
MOST_SENT_AGAIN = 20
"""Most of our unread messages about one subject that are sent again at once. The rest follows next time."""


@dataclass(frozen=True)
class Limit:
    """At most `most` at once, then one more for each `every` that has passed."""

    most: int
    every: timedelta


class Scope(StrEnum):
    """The owner of a budget."""

    PEER = "peer"
    SUBJECT = "subject"
    SENDER = "sender"
    """The Matrix account, before it has proved to be a peer's."""


LIMITS: Mapping[str, tuple[Limit, ...]] = {
    # openings by a peer: each costs a card, a stored subject and a few reads of InvenTree
    "opening": (Limit(20, 30 * SECOND), Limit(200, DAY / 200)),
    "opening within one's share": (Limit(4, 2 * MINUTE),),
    "opening in one room": (Limit(60, 10 * SECOND),),  # by all peers together, beyond their shares
    # messages between bots, by sender and subject
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
    # messages to our own people
    "mention": (Limit(12, 2 * MINUTE), Limit(100, DAY / 100)),
    "line": (Limit(30, 6 * SECOND),),
    "sign-in": (Limit(5, 2 * MINUTE),),
    "admin message": (Limit(10, 10 * MINUTE),),
    # actions of people in a room besides writing: each costs a few calls to a server
    "reaction": (Limit(30, 6 * SECOND),),
    "photo": (Limit(20, MINUTE), Limit(200, DAY / 200)),
    "invitation": (Limit(5, 10 * MINUTE),),
    "invitation by anybody": (Limit(30, MINUTE),),
}
"""The fixed limits. Those of queries by a peer or a person, and of requests to connect, are set in `PartyConfig`."""
HOURLY = frozenset({"find", "stats", "books", "request"})
"""The budgets of queries and requests, of which the setting `questions_an_hour_per_peer` allows so many each hour."""

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
"""The budget of every kind of protocol message. Each transfer has its own, which no other subject uses up."""


def limits(us: PartyConfig, what: str) -> tuple[Limit, ...]:
    """Return the limits of that budget. Raises KeyError for one that isn't in the table."""
    if what in HOURLY:
        an_hour = max(us.questions_an_hour_per_peer, 1)
        return (Limit(an_hour, HOUR / an_hour),)
    return LIMITS[what]


def spend(known: Allowance, by: tuple[Limit, ...], now: datetime) -> tuple[Allowance, datetime | None]:
    """Take one from the budget. Return the new budget and None; if it is empty, the old one and when to try again.

    If the clock was ahead when it was last spent, it is full again after its own time at the latest.
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


def again_in(now: datetime, wanted: datetime | None) -> datetime:
    """Return when we ask a peer again: at the time that it wants, but within an hour."""
    return max(now, min(wanted or now + HOUR, now + HOUR))
