"""More pages: loans, search, the ledger, each friend, and the figures."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query
from fastapi.responses import Response

from fedbot import messages
from fedbot.commands.items import in_quotes
from fedbot.rules.model.catalogue import Share
from fedbot.rules.model.effects import say
from fedbot.rules.model.lifecycles import LIVING_ROTA
from fedbot.rules.wire import fingerprint
from fedbot.web.site.api import LONGEST_SPACE, ledger_csv
from fedbot.web.site.calls import LONGEST_LINE
from fedbot.web.site.pages import LOOK_AGAIN_AFTER, Field, Sent, SignedIn
from fedbot.web.site.problems import Problem
from fedbot.web.site.reader import LedgerFilter
from fedbot.web.site.views import AgendaView, TransferView

A_DAY = timedelta(days=1)
A_PAGE = 25
SPANS = (30, 90, 365, 0)
"""The numbers of days that the figures can cover; 0 covers everything."""
STATES = ("open", "booked", "on_loan", "done", "declined", "cancelled", "expired")
KINDS = ("give", "loan", "request", "return", "extension", "outside")
router = APIRouter(include_in_schema=False)
Day = Annotated[date | None, Form()]


# --- loans -------------------------------------------------------------------------------------------------------


@router.get("/loans")
async def loans(page: SignedIn) -> Response:
    """The items borrowed, lent and booked, neighbours' loans, the waiting lists, and the requests from anyone."""
    reader = await page.reader()
    every = reader.loans()
    return page.shows(
        "loans.html",
        borrowed=_going(every, "in"),
        lent=_going(every, "out"),
        booked=[each for each in reader.bookings() if each.state == "booked"],
        neighbours=[each for each in reader.with_neighbours() if each.ended_at is None],
        waiting=reader.waiting(),
        rotas=[each for each in reader.rotas() if each.state in LIVING_ROTA],
    )


def _going(loans: list[TransferView], direction: str) -> list[TransferView]:
    return [loan for loan in loans if loan.direction == direction]


# --- the calendar ------------------------------------------------------------------------------------------------


@router.get("/calendar")
async def month(page: SignedIn, month: Annotated[str, Query(pattern=r"^(20\d\d-(0[1-9]|1[0-2]))?$")] = "") -> Response:
    """The calendar of a month (`2026-12`; '' for this one): pick-ups and due dates."""
    reader = await page.reader()
    today = reader.turn.today()
    first = date.fromisoformat(f"{month}-01") if month else today.replace(day=1)
    weeks = Calendar().monthdatescalendar(first.year, first.month)
    by_day: dict[date, list[AgendaView]] = {}
    for each in reader.agenda(weeks[0][0], weeks[-1][-1]):
        by_day.setdefault(each.day, []).append(each)
    return page.shows(
        "calendar.html",
        first=first,
        weeks=weeks,
        by_day=by_day,
        today=today,
        before=f"{first - A_DAY:%Y-%m}",
        after=f"{weeks[-1][0] + 7 * A_DAY if weeks[-1][-1].month == first.month else weeks[-1][-1]:%Y-%m}",
    )


@router.post("/transfers/{identifier}/extend")
async def extend(page: Sent, identifier: str, until: Annotated[date, Form()], key: Field = "") -> Response:
    """Ask for a later due date, or grant it: the same as `extend ID until DAY`."""
    found = page.site.transfer(await page.reader(), identifier)
    said = await page.site.says(page.person, f"extend {found.code} until {until.isoformat()}", key=key)
    return page.goes_to(f"/lines/{said.id}?about={found.id}")


# --- find --------------------------------------------------------------------------------------------------------


@router.get("/find")
async def find(page: SignedIn) -> Response:
    """The search form."""
    reader = await page.reader()
    spaces = reader.friends()
    return page.shows("find.html", spaces=spaces, said=None, search=None, hits=[], words="", of_space="", again=0)


@router.post("/find")
async def search(page: Sent, words: Field = "", space: Field = "", key: Field = "") -> Response:
    """Search like `find WORDS in SPACE` in chat."""
    where = space.strip() or ("" if words.strip() else "all")
    line = " ".join(["find", *([words.strip()] if words.strip() else []), *(["in", where] if where else [])])
    said = await page.site.says(page.person, line, key=key)
    asked = urlencode({"words": words.strip(), "space": space.strip()})
    return page.goes_to(f"/find/{said.id}?{asked}")


@router.get("/find/{identifier}")
async def found(page: SignedIn, identifier: str, words: str = "", space: str = "") -> Response:
    """The hits of a search while the bot keeps them; else the answer as text."""
    reader = await page.reader()
    said = reader.said(await page.site.line(page.person, identifier, 0))
    found = reader.search(said.search) if said.search else None
    again = LOOK_AGAIN_AFTER if said.waiting else 0
    hits = sorted(found.hits if found else [], key=lambda hit: hit.space.id == reader.turn.us.party)  # friends' first
    return page.shows(
        "find.html",
        spaces=reader.friends(),
        said=said,
        search=found,
        hits=hits,
        words=words,
        of_space=space,
        again=again,
    )


@router.get("/find/{identifier}/pictures/{number}")
async def picture(page: SignedIn, identifier: str, number: int) -> Response:
    """The picture of a hit."""
    reader = await page.reader()
    said = reader.said(await page.site.line(page.person, identifier, 0))
    return await page.site.picture(reader, said.search or "", number)


@router.post("/find/request")
async def request(
    page: Sent,
    word: Annotated[str, Form(max_length=LONGEST_LINE)],
    space: Field,
    quantity: Field = "",
    first: Day = None,
    until: Day = None,
    key: Field = "",
) -> Response:
    """Request a hit, to keep, borrow or book: `request QUANTITY ITEM from SPACE [from DAY] [until DAY]`."""
    days = "".join(f" {name} {day.isoformat()}" for name, day in (("from", first), ("until", until)) if day)
    said = await page.site.says(page.person, f"request {quantity.strip()} {word} from {space}{days}", key=key)
    return page.goes_to(f"/lines/{said.id}")


@router.post("/find/wait")
async def wait(
    page: Sent,
    word: Annotated[str, Form(max_length=LONGEST_LINE)],
    space: Field,
    quantity: Field = "",
    key: Field = "",
) -> Response:
    """Join the waiting list for a hit: the same as `wait ITEM QUANTITY from SPACE`."""
    said = await page.site.says(page.person, f"wait {word} {quantity.strip()} from {space}", key=key)
    return page.goes_to(f"/lines/{said.id}")


# --- the ledger --------------------------------------------------------------------------------------------------


def filters(
    words: Annotated[str, Query(max_length=200)] = "",
    space: Annotated[str, Query(max_length=LONGEST_SPACE)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
    kind: Annotated[str, Query(max_length=20)] = "",
    direction: Annotated[str, Query(pattern="^(|in|out)$")] = "",
) -> LedgerFilter:
    """The filter of the ledger page's form."""
    return LedgerFilter(space=space, state=state, kind=kind, direction=direction, words=words.strip())


Filtered = Annotated[LedgerFilter, Depends(filters)]


@router.get("/ledger")
async def ledger(page: SignedIn, wanted: Filtered, cursor: Annotated[str, Query(max_length=400)] = "") -> Response:
    """One page of transfers and neighbours' loans, the newest first."""
    reader = await page.reader()
    found = await reader.ledger(wanted, cursor, A_PAGE)
    asked = {name: value for name, value in asdict(wanted).items() if value}
    return page.shows(
        "ledger.html",
        found=found,
        wanted=wanted,
        spaces=[*reader.space_refs(), *reader.neighbours()],
        states=STATES,
        kinds=KINDS,
        is_first=not cursor,
        asked=urlencode(asked),
        older=urlencode({**asked, "cursor": found.next}) if found.next else "",
    )


@router.get("/ledger.csv")
async def ledger_as_csv(page: SignedIn, wanted: Filtered) -> Response:
    """The filtered ledger as a CSV file, with the columns of `fedbot export`."""
    return ledger_csv(await page.reader(), wanted)


# --- friends -----------------------------------------------------------------------------------------------------


@router.get("/spaces")
async def spaces(page: SignedIn) -> Response:
    """The spaces in the person's rooms, and our connection with each."""
    reader = await page.reader()
    return page.shows("spaces.html", spaces=reader.spaces(), key=fingerprint(reader.turn.us.key))


@router.get("/spaces/{party}")
async def space(page: SignedIn, party: str) -> Response:
    """One space: its bot, its key, our dealings with it, and the stock that each can see of the other."""
    reader = await page.reader()
    found = reader.space(party)
    if found is None:
        raise Problem(say(messages.web.not_in_your_rooms))
    newest = await reader.ledger(LedgerFilter(space=party), "", 5)
    return page.shows(
        "space.html",
        found=found,
        dealings=reader.dealings(party),
        newest=newest,
        key=fingerprint(reader.turn.us.key),
        shared=reader.turn.all(Share),
        word=in_quotes(found.name),
    )


# --- figures -----------------------------------------------------------------------------------------------------


@router.get("/figures")
async def figures(page: SignedIn, days: Annotated[int, Query(ge=0, le=3650)] = 0) -> Response:
    """Our figures, as far as `stats.disclose` allows."""
    reader = await page.reader()
    told = reader.figures(await page.site.counts(), days)
    return page.shows("figures.html", figures=told, spans=SPANS, curve=curve(told.stock))


def curve(points: Sequence[tuple[date, int]]) -> str:
    """An SVG polyline of numbers by day, oldest first, in a square of 100 by 100; '' for fewer than two days."""
    if len(points) < 2:  # noqa: PLR2004 -- a line has two ends
        return ""
    most = max(1, *(number for _, number in points))
    (first, _), (last, _) = points[0], points[-1]
    days = (last - first).days
    return " ".join(f"{100 * (day - first).days / days:.2f},{100 - 96 * number / most:.2f}" for day, number in points)
