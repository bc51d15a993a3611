"""Sentences about the sharing list and the hits of a search."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.catalogue import Hit, Search, Share, SpaceHits
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.queries import Thing
from tests.scenarios.scenes import ALPHA, LOCALES, NOW, plain

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
        Hit(3, "Bolt M3", "M3-BOLT", "", Decimal(75), revision="B"),
        Hit(4, "Threaded rod", "", "m", Decimal("6.5")),
    ),
    4,
)
MEANT = (Hit(1, "M3 nut", "M3-NUT", "", Decimal(350)), Hit(2, "M3 bolt", "", "", Decimal(210)))
NONE = SpaceHits("gamma", "Gamma", (), 3)


def search(*came: SpaceHits, **changes: object) -> Search:
    basis = Search("s" * 20, "$line", "@kim:example.org", "!room", "M3", NOW, (), came, posted=True)
    return replace(basis, **changes)  # type: ignore[arg-type]  # any of its fields


def found(*came: SpaceHits, silent: tuple[str, ...] = (), first: int = 0, **changes: object) -> Phrase:
    known, today = search(*came, **changes), NOW.date()
    return say(messages.catalogue.found, us=ALPHA, search=known, silent=silent, first=first, most=2, today=today)


SAID: dict[str, Phrase] = {
    "our own stock is only read in part": found(replace(OURS, hits=(), percent=40), only=ALPHA.party),
    "nothing is shared": say(messages.catalogue.sharing_list, us=ALPHA, shares=(), friends=FRIENDS),
    "some is shared": say(
        messages.catalogue.sharing_list, us=ALPHA, shares=(PART, ITEM, CATEGORY, ALL), friends=FRIENDS
    ),
    "much is shared": say(messages.catalogue.sharing_list, us=ALPHA, shares=(PART,) * 31, friends=()),
    "a part": say(messages.catalogue.shared_now, share=PART, thing=BOLT, friends=FRIENDS),
    "a part that can't go": say(
        messages.catalogue.shared_now, share=PART, thing=replace(BOLT, quantity=Decimal(0), salable=False), friends=()
    ),
    "a category": say(
        messages.catalogue.shared_now,
        share=CATEGORY,
        thing=Thing("partcategory", 2, "Fasteners", parts=1),
        friends=("beta",),
    ),
    "already": say(messages.catalogue.shared_already, name="M3 bolt", by=PART),
    "already, by its category": say(messages.catalogue.shared_already, name="M3 bolt", by=CATEGORY),
    "somebody else's": say(messages.catalogue.not_ours_to_share, name="Laser lens #42", origin="betaspace"),
    "too many": say(messages.catalogue.sharing_list_full, most=200),
    "several are shared": say(
        messages.catalogue.several_shared,
        told=tuple(say(messages.catalogue.shared_already, name=name, by=PART) for name in ("M3 bolt", "M3 nut")),
    ),
    "one of several is unclear": say(messages.catalogue.share_alone, word="M3"),
    "unknown": say(messages.catalogue.nothing_to_share, word="M3-BOLD", near=("M3 bolt",)),
    "several": say(
        messages.catalogue.which_to_share,
        word="M3",
        things=(BOLT, Thing("partcategory", 2, "M3"), Thing("stockitem", 4, "M3 #4")),
    ),
    "not on the list": say(messages.catalogue.not_shared, word="M3", by=()),
    "on the list by its category": say(messages.catalogue.not_shared, word="M3", by=(CATEGORY,)),
    "off the list": say(messages.catalogue.unshared_now, shares=(PART,), still=()),
    "off the list, and still seen": say(messages.catalogue.unshared_now, shares=(PART,), still=(CATEGORY,)),
    "all off the list": say(messages.catalogue.unshared_now, shares=(PART, CATEGORY), still=()),
    "hits": found(OURS, BETA, NONE, silent=("Delta",)),
    "our own InvenTree is slow": found(BETA, silent=(OURS.name,)),
    "the next page": found(OURS, BETA, NONE, first=2),
    "no hits": found(
        replace(OURS, hits=(), shared=0),
        replace(BETA, hits=(), shared=0),
        replace(NONE, problem="inventory"),
        replace(NONE, problem="later", again=NOW + timedelta(minutes=40)),
        replace(NONE, problem="hidden"),
        replace(NONE, problem="unreadable"),
        replace(NONE, cut=True),
    ),
    "nobody to ask": found(replace(OURS, hits=())),
    "no more": say(messages.catalogue.no_more_found, search=search()),
    "a page that is none": say(messages.catalogue.no_such_page, word="x"),
    "all that is shared, some of it lent": found(
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
                Hit(1, "M3 nut", "M3-NUT", "", Decimal(7), lent=Decimal(3), back=date(2026, 12, 12), ours=Decimal(2)),
            ),
            5,
            cut=True,
        ),
        words="",
        only="beta",
    ),
    "all of it is lent to us": found(
        replace(
            BETA,
            hits=(
                Hit(
                    9,
                    "Laser lens",
                    "LENS-2",
                    "",
                    Decimal(0),
                    lent=Decimal(1),
                    back=date(2026, 12, 12),
                    ours=Decimal(1),
                ),
            ),
        )
    ),
    "all of it is lent": found(
        replace(
            BETA,
            hits=(
                Hit(
                    9,
                    "Laser lens",
                    "LENS-2",
                    "",
                    Decimal(0),
                    lent=Decimal(1),
                    back=date(2026, 12, 12),
                    waiting=2,
                ),
            ),
        )
    ),
    "too often": say(messages.catalogue.searched_too_often, again=NOW + timedelta(minutes=40)),
    "an old list": say(messages.catalogue.list_too_old),
    "one number a line": say(messages.catalogue.one_hit_a_line),
    "no such number": say(messages.catalogue.no_such_hit, number=9, count=3),
    "no numbers at all": say(messages.catalogue.no_such_hit, number=1, count=0),
    "a hit instead of a word": say(messages.catalogue.did_you_mean, peer_name="beta", word="nut", hits=MEANT[:1]),
    "hits instead of a word": say(messages.catalogue.did_you_mean, peer_name="beta", word="M3", hits=MEANT),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
