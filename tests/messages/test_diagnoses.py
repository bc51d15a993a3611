"""The reason why something can't go on is data: every kind has a sentence, a short code, and a journal form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import get_args

import httpx
import pytest

from fedbot.inventree.client import errors
from fedbot.journal import codec
from fedbot.messages.diagnosis import (
    APART,
    CAUSES,
    FAULTS,
    ITEM_FAULTS,
    LACKS,
    NAME_FAULTS,
    PLACES,
    SPEAKERS,
    TRIALS,
    UNLIKE,
    VERSIONS,
    diagnosis,
    english,
)
from fedbot.messages.language import Locale
from fedbot.rules.connection.provision import TOKEN_CODES
from fedbot.rules.model import diagnosis as kinds
from fedbot.rules.model.diagnosis import Diagnosis, Speaker, Verbatim, reason_of
from fedbot.rules.model.events import Waiting
from fedbot.rules.transfer.receive import ShowOfferCard
from tests.scenarios.scenes import OUR_LOCALE

GERMAN = Locale("de", "Europe/Berlin")
HOST = "tree.example"
CALLS = (("GET", "stock/"), ("POST", "user/"), ("PATCH", "metadata/stockitem/7/"), ("GET", "else/"))
AT = datetime(2026, 11, 24, 19, tzinfo=UTC)


def _calls() -> Iterator[Diagnosis]:
    """The edge's diagnoses of everything that can happen to a call."""
    exceptions = [kind("secret") for kind, _ in errors._CAUSES] + [httpx.TooManyRedirects("secret")]
    exceptions.append(httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate"))
    for reading in (True, False):
        yield from (errors.of_exception(error, HOST, reading=reading).problem for error in exceptions)
        yield errors.unreadable(HOST, reading=reading).problem
        for method, path in CALLS:
            request = httpx.Request(method, f"https://{HOST}/api/{path}")
            for status in (302, 401, 403, 404, 413, 429, 500, 502):
                told = httpx.Response(status, request=request, json={"detail": "No, sorry."})
                page = httpx.Response(status, request=request, text="<h1>no</h1>")
                yield from (errors.of_response(each, HOST, reading=reading).problem for each in (told, page))


def _all() -> list[Diagnosis]:
    rest: list[Diagnosis] = [
        *(kinds.Plain(fault) for fault in FAULTS),
        *(kinds.OfItem(fault, 12) for fault in ITEM_FAULTS),
        *(kinds.Named(fault, "x (1) {y}") for fault in NAME_FAULTS),
        *(kinds.BadPlace(fault, "incoming", "Shelf {y}", ("A/Shelf", "B/Shelf")) for fault in PLACES),
        *(kinds.StaysApart(43, 12, why) for why in APART),
        *(kinds.AnotherThing(12, unlike, found) for unlike in UNLIKE for found in ("", "{0}")),
        *(kinds.BadVersion(fault, 391) for fault in VERSIONS),
        *(Verbatim(speaker, "Serial numbers already exist: {0042}") for speaker in Speaker),
        *(kinds.TokenTrialFailed(code) for code in (*sorted(TOKEN_CODES), "unreachable", "new-code")),
        *(kinds.ItemHasStatus(12, "Lost", is_agreed=is_agreed) for is_agreed in (True, False)),
        *(kinds.FileUnusable("/run/token", "Is a directory", written=written) for written in (True, False)),
        *(kinds.NotUnderstood("KeyError", of_friend=of_friend) for of_friend in (True, False)),
        kinds.ItemHasOnly(12, Decimal("0.5")),
        kinds.ItemAllocated(12, Decimal(3), Decimal(4)),
    ]
    return list(dict.fromkeys([*_calls(), *rest]))


ALL = _all()


def test_every_kind_is_tested_here_and_every_table_is_complete() -> None:
    assert {type(each) for each in ALL} == set(get_args(Diagnosis))
    assert set(TRIALS) == {*TOKEN_CODES, "unreachable"}
    for table in (APART, FAULTS, ITEM_FAULTS, NAME_FAULTS, CAUSES, LACKS, PLACES, SPEAKERS, UNLIKE, VERSIONS):
        told: list[Enum] = list(table)
        assert set(told) == set(type(told[0]))


@pytest.mark.parametrize("problem", ALL, ids=english)
def test_it_is_one_whole_sentence_has_a_code_and_survives_the_journal(problem: Diagnosis) -> None:
    said = diagnosis(OUR_LOCALE, problem, 500)
    assert re.fullmatch(r"([A-Zx]|inventree).*\.|.* said: .*", said)
    assert diagnosis(OUR_LOCALE, problem, 40) == OUR_LOCALE.short(said, 40)
    logged = english(problem).replace(f" at {HOST}", "").replace("InvenTree at x (1) {y}", "InvenTree")
    assert logged == said or problem.__class__ in TRANSLATES
    assert re.fullmatch(r"[a-z-]+", reason_of(problem))
    waiting = Waiting(AT, ShowOfferCard("x"), problem, AT)
    assert codec.from_text(codec.EVENTS, *codec.to_text(codec.EVENTS, waiting)) == waiting


@pytest.mark.parametrize("problem", [each for each in ALL if not isinstance(each, Verbatim)], ids=english)
def test_it_has_a_german_sentence(problem: Diagnosis) -> None:
    told = diagnosis(GERMAN, problem, 500)
    assert not re.search(r"\b(the|can't|answered|may|needs|so it|not accept)\b", told), told


TRANSLATES = {Verbatim, kinds.TokenRefused, kinds.Forbidden}
"""The kinds with InvenTree's own words: the log has them as they came."""


@pytest.mark.parametrize(
    ("text", "german"),
    [
        ("You do not have permission.", "Der InvenTree-Benutzer des Bots darf das nicht."),
        ("Part must be salable", "Das Teil ist nicht verkäuflich und kann deshalb nicht zugewiesen werden."),
        ("Item must be in stock (item 2)", "Der Lagerartikel ist nicht auf Lager."),
        ('Invalid pk "9" - object does not exist.', "In InvenTree gibt es das nicht mehr."),
        ("Not found.", "In InvenTree gibt es das nicht mehr."),
        (
            "Serial number 7 already exists",
            "InvenTree lehnt die Seriennummer ab. InvenTree sagte: „Serial number 7 already exists“",
        ),
        ("quantity: Enter a number", "InvenTree sagte: „quantity: Enter a number“"),
    ],
)
def test_what_inventree_says_is_german_and_quoted_only_if_it_tells_more(text: str, german: str) -> None:
    problem = Verbatim(Speaker.INVENTREE, text)
    assert diagnosis(GERMAN, problem) == german
    assert english(problem) == f'InvenTree said: "{text}"'


@pytest.mark.parametrize(
    ("said", "aside"),
    [("Invalid token.", ""), ("Token has been revoked", " (es wurde widerrufen)"), ("Who?", " („Who?“)")],
)
def test_what_inventree_says_of_a_token_is_german_too(said: str, aside: str) -> None:
    assert diagnosis(GERMAN, kinds.TokenRefused(said)).startswith(f"InvenTree nimmt das Token nicht an{aside}:")


def test_a_nested_sentence_is_german_too() -> None:
    problem = kinds.ServerError(HOST, 502, "OperationalError", may_be_done=True)
    assert diagnosis(GERMAN, problem) == (
        "InvenTree hat mit 502 (OperationalError) geantwortet, es kann also geschehen sein oder nicht."
    )


@pytest.mark.parametrize("problem", [each for each in _calls() if HOST in english(each)], ids=english)
def test_no_room_reads_the_address_of_an_inventree(problem: Diagnosis) -> None:
    for locale in (OUR_LOCALE, GERMAN):
        assert HOST not in diagnosis(locale, problem, 500)
