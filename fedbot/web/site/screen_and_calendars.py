"""Read-only pages with a secret address (the wall screen and calendars), and the pages of labelled items."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import Response
from markupsafe import Markup

from fedbot import messages
from fedbot.messages import web
from fedbot.messages.language import Locale
from fedbot.rules.model.command import AccessKind, Scope
from fedbot.rules.model.effects import say
from fedbot.rules.model.lifecycles import OutsideState
from fedbot.rules.model.stock import Permission
from fedbot.web import qr
from fedbot.web.site.access import Caller
from fedbot.web.site.calls import Site
from fedbot.web.site.pages import Field, Label, Page, Sent, SignedIn
from fedbot.web.site.problems import Problem
from fedbot.web.site.reader import Reader
from fedbot.web.site.views import LineView, OutsideView, TransferView

# --- an iCalendar file (RFC 5545) of whole days, for subscriptions by calendar programs ---


LONGEST_LINE = 75
"""Octets of one line, without its line break."""
PRODUCT = "-//fedbot//due days//EN"
_LINE_BREAK = re.compile(r"\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""The characters at which some program might end a line."""
_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class WholeDay:
    """An event of one or more whole days, `last` included. `uid` is globally unique and never changes."""

    uid: str
    first: date
    last: date
    summary: str
    description: str = ""
    url: str = ""


def calendar(name: str, days: Iterable[WholeDay], now: datetime) -> str:
    """The file's content. `now`: the time of writing (aware)."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", f"X-WR-CALNAME:{escaped(name)}"]
    for day in days:
        lines += _event(day, f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    return "".join(f"{part}\r\n" for line in (*lines, "END:VCALENDAR") for part in folded(line))


def _event(day: WholeDay, stamp: str) -> list[str]:
    told = {"DESCRIPTION": escaped(day.description), "URL": day.url}
    return [
        "BEGIN:VEVENT",
        f"UID:{day.uid}",
        f"DTSTAMP:{stamp}",
        f"DTSTART;VALUE=DATE:{day.first:%Y%m%d}",
        f"DTEND;VALUE=DATE:{day.last + timedelta(days=1):%Y%m%d}",  # the first day after it
        f"SUMMARY:{escaped(day.summary)}",
        *(f"{name}:{value}" for name, value in told.items() if value),
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def escaped(text: str) -> str:
    """A text escaped for a property, so it can't end the line or start another property."""
    text = _UNPRINTABLE.sub("", _LINE_BREAK.sub("\n", text).replace("\t", " "))
    for sign in ("\\", ";", ","):
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", "\\n")


def folded(line: str) -> Iterator[str]:
    """The line folded at 75 octets, never within a character. All parts but the first begin with a space."""
    part, octets = "", 0
    for character in line:
        size = len(character.encode())
        if octets + size > LONGEST_LINE:
            yield part
            part, octets = " ", 1
        part += character
        octets += size
    yield part


# --- the pages ---


SCREEN_AGAIN = 60
"""The seconds after which a wall screen reloads."""
MOST_LABELS = 60
"""The number of codes that fit on one sheet."""
MOST_ON_SCREEN = 12
"""The number of rows per list on a wall screen. Below the list it says how many more there are."""
router = APIRouter(include_in_schema=False)
ItemNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]


# --- secret addresses --------------------------------------------------------------------------------------------


@router.post("/access/addresses")
async def make_address(
    page: Sent,
    name: Label,
    kind: Annotated[Literal["feed", "screen"], Form()],
    days: Annotated[int, Form(ge=1, le=365)],
) -> Response:
    """Create a secret address, and show it once."""
    made = page.site.access.make(page.person, AccessKind(kind), name, Scope.READ, timedelta(days=days))
    reader = await page.reader()
    held = reader.accesses(page.person.access)
    at = page.site.address.url
    shown = (
        [f"{at}/screen/{made}"] if kind == "screen" else [f"{at}/calendar/{made}/{of}.ics" for of in ("mine", "all")]
    )
    return page.shows("access.html", held=held, token="", addresses=shown)


def _caller(request: Request, secret: str, kind: AccessKind) -> Caller:
    """The caller with this secret address. Raises `Problem`."""
    site = Site.of(request)
    caller = site.access.of_address(secret, kind)
    if caller is None:
        site.access.count_stranger(site.address.caller(request))
        raise Problem(say(messages.web.not_found))
    site.access.count(caller.access)  # not the person's limit, because others have the address too
    return caller


# --- the wall screen ---------------------------------------------------------------------------------------------


@router.get("/screen/{secret}")
async def screen(request: Request, secret: str) -> Response:
    """The borrowed, lent and waiting items, in large letters; `pages.screen` says which lists."""
    caller = _caller(request, secret, AccessKind.SCREEN)
    site = Site.of(request)
    page = Page(request, site, None, "")
    try:
        reader = await site.reader(caller, site.locale(request))
    except Problem as problem:  # the screen stays on, and says why it shows nothing
        lists, told, status = [], problem.document(site.locale(request)).detail, problem.status
    else:
        lists, told, status = _on_screen(reader), "", 200
    shown = page.shows(
        "screen.html",
        status,
        again=SCREEN_AGAIN,
        updated=_updated(site, site.locale(request)),
        lists=lists,
        problem=told,
        most=MOST_ON_SCREEN,
        with_people="people" in site.bot.turn().us.screen_shows,
    )
    shown.headers["Referrer-Policy"] = "no-referrer"  # its address is its secret
    return shown


def _updated(site: Site, locale: Locale) -> Markup:
    """The time of the page. The script updates it if nothing else has changed."""
    at = Markup('<time id="updated" data-zone="{}">{}</time>').format(locale.time_zone, locale.clock(site.bot.now()))
    return Markup(web.page_word(locale, "updated", time="{}")).format(at)  # noqa: S704 -- our own sentence


def _on_screen(reader: Reader) -> list[tuple[str, Sequence[TransferView | OutsideView]]]:
    loans = reader.loans()
    lent = [each for each in loans if each.direction == "out"]
    outside = [each for each in reader.with_neighbours() if each.ended_at is None]
    lists: dict[str, Sequence[TransferView | OutsideView]] = {
        "borrowed": [each for each in loans if each.direction == "in"],
        "lent": sorted([*lent, *outside], key=lambda each: each.due_day or date.max),
        "waiting": reader.undecided(),
    }
    return [(name, lists[name]) for name in reader.turn.us.screen_shows if name in lists]


# --- calendars ---------------------------------------------------------------------------------------------------


@router.get("/calendar/{secret}/{whose}.ics")
async def feed(request: Request, secret: str, whose: Literal["mine", "all"]) -> Response:
    """A calendar of due dates and bookings: all that the person may read, or those they asked for or decided on."""
    caller = _caller(request, secret, AccessKind.FEED)
    site = Site.of(request)
    locale = site.locale(request)
    reader = await site.reader(caller, locale)
    loans = [loan for loan in reader.loans() if whose == "all" or _concerns(loan, caller.person)]
    host = urlsplit(site.address.url).hostname or "fedbot"
    booked = [
        each
        for each in reader.bookings()
        if each.state == "booked" and (whose == "all" or _concerns(each, caller.person))
    ]
    days = [
        WholeDay(
            uid=f"{each.id}.booked@{host}",
            first=each.first_day,
            last=each.due_day,
            summary=web.booked(locale, _things(locale, each), each.peer.name),
            description=each.note,
            url=f"{site.address.url}/transfers/{each.id}",
        )
        for each in booked
        if each.first_day and each.due_day
    ]
    days += [
        WholeDay(
            uid=f"{loan.id}@{host}",
            first=loan.due_day,
            last=loan.due_day,
            summary=web.due_back(locale, loan.direction, _things(locale, loan), loan.peer.name),
            description=loan.note,
            url=f"{site.address.url}/transfers/{loan.id}",
        )
        for loan in loans
        if loan.due_day
    ]
    days += [
        WholeDay(
            uid=f"{loan.id}@{host}",
            first=loan.due_day,
            last=loan.due_day,
            summary=web.due_back(locale, "out", _thing(locale, loan), loan.neighbour),
            description=loan.note,
            url=f"{site.address.url}/loans",
        )
        for loan in reader.with_neighbours()
        if loan.state == OutsideState.OUT and (whose == "all" or loan.lent_by.id == caller.person)
    ]
    name = web.page_word(locale, "calendar_of", space=reader.turn.us.name)
    return Response(calendar(name, days, site.bot.now()), media_type="text/calendar; charset=utf-8")


def _concerns(loan: TransferView, person: str) -> bool:
    return person in {loan.asked_by.id, loan.decided_by.id if loan.decided_by else ""}


def _things(locale: Locale, loan: TransferView) -> str:
    return ", ".join(_thing(locale, line) for line in loan.still_out or loan.lines)


def _thing(locale: Locale, line: LineView | OutsideView) -> str:
    return f"{web.amount(locale, line.quantity, line.units)} × {line.part or line.ipn}"


# --- items on labels ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Item:
    """One of our stock items as the ledger knows it. `name` is '' if nothing in the ledger has had it.

    `on_loan`: what is out now of it, or was taken from it. `is_out`: all of it is.
    """

    number: int
    name: str
    page: str
    on_loan: list[TransferView | OutsideView]
    others: list[TransferView | OutsideView]
    is_out: bool


@router.get("/items/{number}")
async def item(page: SignedIn, number: ItemNumber) -> Response:
    """The page that a label's code opens: the item's history, and the form to lend or give it."""
    reader = await page.reader()
    every = reader.of_item(number)
    seen = Item(
        number=number,
        name=reader.item_name(number),
        page=reader.item_page(number),
        on_loan=[each for each in every if _is_out(each)],
        others=[each for each in every if not _is_out(each)],
        is_out=any(number in _items_out(each) for each in every if _is_out(each)),
    )
    ends_loans = reader.permissions.covers(Permission.APPROVER)
    return page.shows("item.html", item=seen, spaces=reader.friends(), ends_loans=ends_loans)


def _is_out(entry: TransferView | OutsideView) -> bool:
    return entry.ended_at is None if isinstance(entry, OutsideView) else entry.on_loan and bool(entry.still_out)


def _items_out(entry: TransferView | OutsideView) -> set[int | None]:
    """Our stock items that are out by this loan."""
    return {entry.our_item} if isinstance(entry, OutsideView) else {line.our_item for line in entry.still_out}


@router.post("/items/{number}/offer")
async def offer(
    page: Sent,
    number: ItemNumber,
    space: Field,
    quantity: Field = "",
    until: Annotated[date | None, Form()] = None,
    key: Field = "",
) -> Response:
    """Lend or give the item: the same as `lend QUANTITY #42 to SPACE until DAY`, or `push` without a day."""
    verb, last_day = ("lend", f" until {until.isoformat()}") if until else ("push", "")
    said = await page.site.says(page.person, f"{verb} {quantity.strip()} #{number} to {space}{last_day}", key=key)
    return page.goes_to(f"/lines/{said.id}")


@router.get("/labels")
async def labels(
    page: SignedIn, items: Annotated[str, Query(max_length=400, pattern=r"^[\s,;#0-9]*$")] = ""
) -> Response:
    """A sheet with the codes of several items, for printing."""
    reader = await page.reader()
    numbers = list(dict.fromkeys(int(each) for each in re.findall(r"[0-9]{1,9}", items)))[:MOST_LABELS]
    names = {number: reader.item_name(number) for number in numbers}
    return page.shows("labels.html", numbers=numbers, names=names)


@router.get("/items/{number}/code.svg")
async def code(page: SignedIn, number: ItemNumber) -> Response:
    """The QR code of the item's page, for a label."""
    return Response(qr.as_svg(f"{page.site.address.url}/items/{number}"), media_type="image/svg+xml")
