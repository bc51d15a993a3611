"""The sharing list and what a search finds, as people read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.catalogue import Hit, Search, Share, SpaceHits
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.queries import Thing
from tests.scenarios.scenes import ALPHA, NOW, plain

PART = Share("part", 7, "M3 bolt", "@anna:example.org", NOW, ("partcategory:2",))
ITEM = Share("stockitem", 42, "Laser lens #42", "@anna:example.org", NOW, ("part:9", "partcategory:3"))
CATEGORY = Share("partcategory", 2, "Small parts/Fasteners", "@anna:example.org", NOW)
ALL = Share("everything", 0, "", "@anna:example.org", NOW)
BOLT = Thing("part", 7, "M3 bolt", quantity=Decimal(210))
FRIENDS = ("betaspace", "Gamma")

OURS = SpaceHits(ALPHA.party, "attraktor", (Hit(1, "M3 nut", "M3-NUT", "", Decimal(350)),), 2)
BETA = SpaceHits(
    "beta",
    "betaspace",
    (
        Hit(3, "Bolt M3", "M3-BOLT", "", Decimal(75)),
        Hit(4, "Threaded rod", "", "m", Decimal("6.5")),
    ),
    4,
)
NONE = SpaceHits("gamma", "Gamma", (), 3)


def search(*came: SpaceHits, **changes: object) -> Search:
    basis = Search("s" * 20, "$line", "@kim:example.org", "!room", "M3", NOW, (), came, posted=True)
    return replace(basis, **changes)  # type: ignore[arg-type]  # any of its fields


def found(*came: SpaceHits, silent: tuple[str, ...] = (), first: int = 0, **changes: object) -> Phrase:
    return say(messages.search.found, us=ALPHA, search=search(*came, **changes), silent=silent, first=first, most=2)


SAID: dict[str, tuple[Phrase, str]] = {
    "our own stock is only read in part": (
        found(replace(OURS, hits=(), percent=40), only=ALPHA.party),
        """
        Nothing found for "M3".
        I have read 40 % of our InvenTree so far. There may be more; ask again later.
        """,
    ),
    "nothing is shared": (
        say(messages.share.sharing_list, us=ALPHA, shares=(), friends=FRIENDS),
        """
        attraktor shares nothing: friends find nothing here, and can't ask for anything.
        Share an item, a part or a category: !fed share M3-BOLT
        """,
    ),
    "some is shared": (
        say(messages.share.sharing_list, us=ALPHA, shares=(PART, ITEM, CATEGORY, ALL), friends=FRIENDS),
        """
        attraktor shares 4 entries:
        • M3 bolt: the part, with all its stock
        • Laser lens #42: this item only
        • Small parts/Fasteners: the category, with all below it
        • everything that we have
        Seen by: betaspace and Gamma. What they ask for, our approvers decide each time.
        Off the list: !fed unshare M3-BOLT
        """,
    ),
    "much is shared": (
        say(messages.share.sharing_list, us=ALPHA, shares=(PART,) * 31, friends=()),
        "attraktor shares 31 entries:\n"
        + "• M3 bolt: the part, with all its stock\n" * 30
        + "• and 1 more\nNobody sees it yet: we have no friends.\nOff the list: !fed unshare M3-BOLT",
    ),
    "a part": (
        say(messages.share.shared_now, share=PART, thing=BOLT, friends=FRIENDS),
        """
        Shared: M3 bolt: the part, with all its stock
        In stock now: 210
        Seen by: betaspace and Gamma. What they ask for, our approvers decide each time.
        """,
    ),
    "a part that can't go": (
        say(messages.share.shared_now, share=PART, thing=replace(BOLT, quantity=Decimal(0), salable=False), friends=()),
        """
        Shared: M3 bolt: the part, with all its stock
        In stock now: nothing
        ⚠ Nobody finds it yet: InvenTree gives only salable parts away. Switch on 'salable' there.
        Nobody sees it yet: we have no friends.
        """,
    ),
    "a category": (
        say(
            messages.share.shared_now,
            share=CATEGORY,
            thing=Thing("partcategory", 2, "Fasteners", parts=1),
            friends=("beta",),
        ),
        """
        Shared: Small parts/Fasteners: the category, with all below it
        In it: 1 part.
        Seen by: beta. What they ask for, our approvers decide each time.
        """,
    ),
    "already": (
        say(messages.share.shared_already, name="M3 bolt", by=PART),
        "Already shared: M3 bolt: the part, with all its stock. I changed nothing.",
    ),
    "already, by its category": (
        say(messages.share.shared_already, name="M3 bolt", by=CATEGORY),
        """
        M3 bolt is shared already, by what it is part of. I changed nothing.
        That is Small parts/Fasteners: the category, with all below it
        """,
    ),
    "somebody else's": (
        say(messages.share.not_ours_to_share, name="Laser lens #42", origin="betaspace"),
        """
        Not shared: Laser lens #42 came from betaspace, so it isn't ours to share.
        Whoever wants it can ask betaspace.
        """,
    ),
    "too many": (
        say(messages.share.sharing_list_full, most=200),
        """
        Not shared: the list is full (200 entries).
        A category covers all its parts: share that in place of the single ones.
        """,
    ),
    "unknown": (
        say(messages.share.nothing_to_share, word="M3-BOLD", near=("M3 bolt",)),
        """
        No item, part or category "M3-BOLD" in our InvenTree. I did nothing.
        Did you mean M3 bolt?
        """,
    ),
    "several": (
        say(
            messages.share.which_to_share,
            word="M3",
            things=(BOLT, Thing("partcategory", 2, "M3"), Thing("stockitem", 4, "M3 #4")),
        ),
        """
        "M3" can be several things. Which?
        1) the part M3 bolt (number 7)
        2) the category M3
        3) the item M3 #4
        Reply 1, 2 or 3 within 10 minutes. I did nothing yet.
        """,
    ),
    "not on the list": (
        say(messages.share.not_shared, word="M3", by=()),
        """
        "M3" is not on the sharing list. I did nothing.
        What is: !fed share
        """,
    ),
    "on the list by its category": (
        say(messages.share.not_shared, word="M3", by=(CATEGORY,)),
        """
        "M3" is no entry of its own, but shared by what it is part of. I did nothing.
        That is Small parts/Fasteners: the category, with all below it
        Take that off the list, and share the rest of it one by one.
        """,
    ),
    "off the list": (
        say(messages.share.unshared_now, shares=(PART,), still=()),
        """
        Not shared any more: M3 bolt: the part, with all its stock
        Friends can't find it or ask for it now. What is under way goes on.
        """,
    ),
    "off the list, and still seen": (
        say(messages.share.unshared_now, shares=(PART,), still=(CATEGORY,)),
        """
        Not shared any more: M3 bolt: the part, with all its stock
        ⚠ Friends still see it, by what it is part of: Small parts/Fasteners: the category, with all below it
        """,
    ),
    "all off the list": (
        say(messages.share.unshared_now, shares=(PART, CATEGORY), still=()),
        "Nothing is shared any more: 2 entries are off the list.",
    ),
    "hits": (
        found(OURS, BETA, NONE, silent=("Delta",)),
        """
        3 hits for "M3":
        1) attraktor: M3 nut (M3-NUT), 350
        2) betaspace: Bolt M3 (M3-BOLT), 75
        … and 1 more: reply “more”
        Gamma has nothing like it to share.
        Delta: its bot has not answered for 20 seconds. I add what it finds here when it does.
        To ask for 2 of number 2, reply within 10 minutes: ask 2 2
        """,
    ),
    "the next page": (
        found(OURS, BETA, NONE, first=2),
        """
        3 hits for "M3":
        3) betaspace: Threaded rod, 6.5 m
        To ask for 2 of number 3, reply within 10 minutes: ask 3 2
        """,
    ),
    "no hits": (
        found(
            replace(OURS, hits=(), shared=0),
            replace(BETA, hits=(), shared=0),
            replace(NONE, problem="inventory"),
            replace(NONE, problem="later", again=NOW + timedelta(minutes=40)),
            replace(NONE, problem="hidden"),
            replace(NONE, problem="unreadable"),
            replace(NONE, cut=True),
        ),
        """
        Nothing found for "M3".
        attraktor (we) shares nothing yet: !fed share
        betaspace shares nothing.
        Gamma: not looked, as its InvenTree does not answer.
        Gamma was asked too often by us; it looks again from 21:11.
        Gamma has some, but keeps it out of shared rooms. Ask me in our admin room: !fed find … in gamma
        Gamma: its bot's answer can't be read.
        Gamma has more than it can tell; say more words.
        """,
    ),
    "nobody to ask": (
        found(replace(OURS, hits=())),
        """
        Nothing found for "M3".
        attraktor has nothing like it to share.
        No other space was asked: we have no friends here yet.
        """,
    ),
    "no more": (say(messages.search.no_more_found, search=search()), 'That was all for "M3".'),
    "a page that is none": (
        say(messages.search.no_such_page, word="x"),
        """
        Not looked: "x" is no page.
        For example: !fed find in SPACE --page 2
        """,
    ),
    "all that is shared, some of it lent": (
        found(
            SpaceHits(
                "beta",
                "betaspace",
                (
                    Hit(
                        1,
                        "M3 nut",
                        "M3-NUT",
                        "",
                        Decimal(7),
                        booked=Decimal(5),
                        booked_from=date(2026, 12, 14),
                        booked_until=date(2026, 12, 19),
                    ),
                    Hit(1, "M3 nut", "M3-NUT", "", Decimal(7), lent=Decimal(3), back=date(2026, 12, 12)),
                ),
                5,
                cut=True,
            ),
            words="",
            only="beta",
        ),
        """
        What is shared and free now:
        1) betaspace: M3 nut (M3-NUT), 7, 5 booked from Mon 14 Dec, free from Sun 20 Dec 2026
        2) betaspace: M3 nut (M3-NUT), 7, 3 more lent until Sat 12 Dec 2026
        betaspace has more: !fed find in beta --page 2
        To ask for 2 of number 1, reply within 10 minutes: ask 1 2
        """,
    ),
    "too often": (
        say(messages.search.searched_too_often, again=NOW + timedelta(minutes=40)),
        """
        Not looked: you have searched so often that I'd be slow for everybody.
        Again from 21:11.
        """,
    ),
    "an old list": (
        say(messages.search.list_too_old),
        """
        That list is older than 10 minutes, and things may have moved. I did nothing.
        Look again: !fed find …
        """,
    ),
    "no such number": (
        say(messages.search.no_such_hit, number=9, count=3),
        "There is no number 9: the list goes to 3. I did nothing.",
    ),
    "no numbers at all": (say(messages.search.no_such_hit, number=1, count=0), "That list has no hits. I did nothing."),
}


@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_written_here(case: str) -> None:
    phrase, expected = SAID[case]
    assert plain(phrase) == dedent(expected).strip("\n")
