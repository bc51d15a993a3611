"""The REST API under `/api/v1/`: what a person reads, and what they can do by the lines that they would type."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response, Security
from fastapi.responses import StreamingResponse
from fastapi.security import APIKeyHeader, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from pydantic import AwareDatetime, BaseModel, Field

from fedbot import messages
from fedbot.rules.ledger import history
from fedbot.rules.model.command import Outcome, WebLine
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.effects import say
from fedbot.web.site.access import PREFIX, Caller
from fedbot.web.site.calls import LONGEST_LINE, MOST_SECONDS, DecisionMade, Site, quantity_in
from fedbot.web.site.problems import MEDIA_TYPE, OTHER, TYPES, Problem, ProblemDocument
from fedbot.web.site.reader import MOST_ON_A_PAGE, LedgerFilter, Reader
from fedbot.web.site.views import (
    AccessView,
    ConnectionView,
    EntryView,
    FiguresView,
    LedgerPage,
    LineSaidView,
    NowView,
    OutsideView,
    RotaView,
    SearchView,
    SpaceView,
    StoryView,
    TransferView,
    WaitingView,
    WantView,
)

_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": f"{text}. `type` ends in: {', '.join(TYPES[status])}"
        + ("; or in any other sentence by which chat refuses something" if status == OTHER else ""),
        "content": {MEDIA_TYPE: {"schema": ProblemDocument.model_json_schema()}},
    }
    for status, text in {
        401: "nobody is known by that token",
        403: "the person or the token may not do that",
        404: "not in the rooms that the person reads",
        409: "it doesn't fit what is true now",
        413: "too much at once",
        422: "not understood",
        429: "too many calls; see Retry-After",
        500: "nobody has foreseen it; the admins are told",
        503: "our InvenTree doesn't answer",
    }.items()
}
router = APIRouter(prefix="/api/v1", responses=_REFUSALS)

_BEARER = HTTPBearer(auto_error=False, description="a token of our own, made on your page: `Bearer fed_…`")
_INVENTREE = APIKeyHeader(
    name="Authorization",
    scheme_name="InvenTree",
    auto_error=False,
    description="where `pages.inventree_login` is set: `Token inv-…`, checked at InvenTree for each call",
)


async def identified(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    header: Annotated[str | None, Security(_INVENTREE)],
) -> Caller:
    """Who calls. Raises `Problem`."""
    site = Site.of(request)
    kind, _, secret = (header or "").partition(" ")
    if bearer is not None and bearer.credentials.startswith(PREFIX):
        caller = site.access.of_token(bearer.credentials)
    elif kind.casefold() == "token" and site.access.inventree_login:
        site.access.count_stranger(site.address.caller(request))
        caller = await site.access.of_inventree(secret.strip())
    else:
        caller = None
    if caller is None:
        site.access.count_stranger(site.address.caller(request))
        raise Problem(say(messages.web.not_known))
    site.access.count(caller.person)
    return caller


Called = Annotated[Caller, Depends(identified)]


async def reading(request: Request, caller: Called) -> Reader:
    """What the caller reads now."""
    site = Site.of(request)
    return await site.reader(caller, site.locale(request))


Reading = Annotated[Reader, Depends(reading)]
Wait = Annotated[float, Query(ge=0, le=MOST_SECONDS, description="wait so many seconds for an answer")]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description="any text of yours: within a day, the same call under it is carried out once",
    ),
]


class Said(BaseModel):
    """A line, as it would be typed in chat behind `!fed`."""

    line: str = Field(min_length=1, max_length=LONGEST_LINE, examples=["push 10 M3-NUT to betaspace"])
    subject: str = Field("", max_length=100, description="id of the transfer that it is about, if the line names none")
    room: str = Field(
        "", max_length=255, description="Matrix id of the room to say it in; needed only where several fit"
    )


class DecisionBody(BaseModel):
    """A decision. `shown` is the hash that stood on the card, so that it counts for nothing else."""

    choice: Choice
    shown: str = Field(pattern="^[0-9a-f]{64}$")
    quantity: str = Field(
        "", pattern=r"^([0-9]{1,10}(\.[0-9]{1,5})?)?$", description="less than was requested; empty: all of it"
    )
    note: str = Field("", max_length=500)
    code: str = Field("", max_length=100)


class WhoAmI(BaseModel):
    """Who the bot takes the caller for, and what InvenTree lets them do now."""

    person: str
    user: str
    space: str
    scope: str
    approver: bool
    superuser: bool


# --- reads -------------------------------------------------------------------------------------------------------


@router.get("/me", summary="Who you are, and what you may do")
async def me(caller: Called, reader: Reading) -> WhoAmI:
    """Read in InvenTree at this moment."""
    permissions = reader.permissions
    return WhoAmI(
        person=caller.person,
        user=caller.username,
        space=reader.turn.us.party,
        scope=caller.scope.value,
        approver=permissions.approver or permissions.superuser,
        superuser=permissions.superuser,
    )


@router.get("/now", summary="What waits for you, and what is under way")
async def now(reader: Reading) -> NowView:
    """The same as `todo` tells in chat."""
    return reader.now()


@router.get("/spaces", summary="The spaces in your rooms")
async def all_spaces(reader: Reading) -> list[SpaceView]:
    """Friends and others, by name."""
    return reader.spaces()


@router.get("/spaces/{space}", summary="One space")
async def one_space(space: str, reader: Reading) -> SpaceView:
    """By its id."""
    found = reader.space(space)
    if found is None:
        raise Problem(say(messages.web.not_in_your_rooms))
    return found


@router.get("/connections", summary="All friendships, past ones too")
async def connections(reader: Reading) -> list[ConnectionView]:
    """With the card of each that waits for a decision."""
    return reader.connections()


@router.get("/loans", summary="What is on loan")
async def loans(reader: Reading) -> list[TransferView]:
    """What is due first comes first."""
    return reader.loans()


@router.get("/bookings", summary="Loans that are booked ahead")
async def bookings(reader: Reading) -> list[TransferView]:
    """The first day comes first."""
    return reader.bookings()


@router.get("/queues", summary="Who waits for what")
async def queues(reader: Reading) -> list[WaitingView]:
    """First your people's places at friends, then who waits for what is yours; first come, first served."""
    return reader.waiting()


@router.get("/wants", summary="What is wanted and nobody had")
async def wants(reader: Reading) -> list[WantView]:
    """First what your people want, then what friends do; what ends first comes first."""
    return reader.wants()


@router.get("/outside", summary="Loans to neighbours without a bot")
async def outside(reader: Reading) -> list[OutsideView]:
    """What they have comes first, by its due day; then what they had, the newest first."""
    return reader.with_neighbours()


@router.get("/rotas", summary="What is asked of friends in turn")
async def rotas(reader: Reading) -> list[RotaView]:
    """What runs, and what is over since a few weeks."""
    return reader.rotas()


@router.get("/figures", summary="Our figures, and what went to and fro")
async def figures(
    request: Request,
    reader: Reading,
    days: Annotated[int, Query(ge=0, le=3650, description="of the last so many days; 0: since ever")] = 0,
) -> FiguresView:
    """As far as `stats.disclose` tells them. `silent`: our InvenTree doesn't answer."""
    return reader.figures(await Site.of(request).counts(), days)


def filters(
    space: Annotated[str, Query(max_length=31, description="id of the other space")] = "",
    state: Annotated[str, Query(max_length=20, description="as in a transfer's `state`, or `on_loan`")] = "",
    kind: Annotated[str, Query(max_length=20, description="give, loan, request, return or extension")] = "",
    direction: Annotated[str, Query(pattern="^(|in|out)$")] = "",
    since: Annotated[
        AwareDatetime | None, Query(description="something happened with it since; with a time zone")
    ] = None,
    item: Annotated[str, Query(max_length=200, description="name or IPN of a part")] = "",
    person: Annotated[str, Query(max_length=255, description="Matrix id of who asked or decided")] = "",
    words: Annotated[str, Query(max_length=200, description="all in its items, serials, note, id or names")] = "",
) -> LedgerFilter:
    """Which transfers are meant."""
    return LedgerFilter(space, state, kind, direction, since, item, person, words)


Filters = Annotated[LedgerFilter, Depends(filters)]


@router.get("/transfers", summary="The ledger: transfers, the newest first")
async def transfers(
    reader: Reading,
    wanted: Filters,
    cursor: Annotated[str, Query(max_length=400, description="`next` of the page before")] = "",
    limit: Annotated[int, Query(ge=1, le=MOST_ON_A_PAGE)] = 25,
) -> LedgerPage:
    """A page may be short, or empty, although `next` says that there is more."""
    return await reader.ledger(wanted, cursor, limit)


@router.get(
    "/transfers.csv",
    summary="The ledger as CSV, a row a line",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def transfers_as_csv(reader: Reading, wanted: Filters) -> StreamingResponse:
    """The columns are those of `fedbot export`."""
    return ledger_csv(reader, wanted)


@router.get("/transfers/{transfer}", summary="One transfer with its whole story")
async def transfer(request: Request, transfer: str, reader: Reading) -> StoryView:
    """By its id, or the beginning of it."""
    site = Site.of(request)
    found = site.transfer(reader, transfer)
    return reader.story(found, site.bot.audit(found.id))


@router.get("/audit/{subject}", summary="What is noted about a transfer or a friendship")
async def audit(request: Request, subject: str, reader: Reading) -> list[EntryView]:
    """Oldest first: who did what, by which event."""
    found = reader.subject(subject)
    if found is None:
        raise Problem(say(messages.web.not_in_your_rooms))
    return reader.entries(Site.of(request).bot.audit(found.id))


@router.get("/searches/{search}", summary="The hits of a search")
async def hits(search: str, reader: Reading) -> SearchView:
    """Search with the line `find WORDS`; its answer names the id. Hits are kept for ten minutes."""
    found = reader.search(search)
    if found is None:
        raise Problem(say(messages.web.no_such_search))
    return found


@router.get(
    "/searches/{search}/pictures/{number}",
    summary="The picture of a hit",
    response_class=Response,
    responses={200: {"content": {kind: {} for kind in ("image/png", "image/jpeg", "image/webp")}}},
)
async def picture(request: Request, search: str, number: int, reader: Reading) -> Response:
    """Of the hits whose `picture` is true. It is small, and may be gone."""
    return await Site.of(request).picture(reader, search, number)


@router.get("/tokens", summary="Your sessions and tokens")
async def tokens(caller: Called, reader: Reading) -> list[AccessView]:
    """New ones are made on your page."""
    return reader.accesses(caller.access)


@router.delete("/tokens/{token}", status_code=204, summary="End a session, or revoke a token")
async def revoke(request: Request, token: str, caller: Called) -> None:
    """By the `id` in the list. A token that only reads can end itself."""
    site = Site.of(request)
    if not caller.may_act and not caller.access.startswith(token):
        raise Problem(say(messages.web.ends_only_itself))
    if not site.access.end(caller, token):
        raise Problem(say(messages.web.no_such_token))


# --- lines and decisions -----------------------------------------------------------------------------------------


@router.post("/lines", summary="Say a line, as in chat", responses={202: {"model": LineSaidView}})
async def send_line(request: Request, response: Response, said: Said, caller: Called, key: Key = "") -> LineSaidView:
    """Every verb is a line: `push`, `request`, `lend`, `cancel`, `return`, `extend`, `find` and all others.

    200 with the answer; 202 while there is none yet (our InvenTree is slow): ask again under its id.
    """
    site = Site.of(request)
    text = said.line.strip().removeprefix("!fed ")
    line = await site.says(caller, text, key=key, subject=said.subject, room=said.room, by_api=True)
    return await _answered(request, caller, line, response)


@router.get("/lines/{line}", summary="What came of a line", responses={202: {"model": LineSaidView}})
async def answer(request: Request, response: Response, line: str, caller: Called, wait: Wait = 0.0) -> LineSaidView:
    """For a day."""
    site = Site.of(request)
    return await _answered(request, caller, await site.line(caller, line, wait), response)


@router.post(
    "/transfers/{transfer}/decision", summary="Decide on a transfer's card", responses={202: {"model": LineSaidView}}
)
async def decide(
    request: Request,
    response: Response,
    transfer: str,
    decision: DecisionBody,
    caller: Called,
    reader: Reading,
    key: Key = "",
) -> LineSaidView:
    """The same as a reaction on the card: the card says who decided, and that it was by page."""
    return await _decide(request, response, transfer, decision, caller, reader, key)


@router.post(
    "/connections/{connection}/decision",
    summary="Decide on a friendship's card",
    responses={202: {"model": LineSaidView}},
)
async def decide_on_connection(
    request: Request,
    response: Response,
    connection: str,
    decision: DecisionBody,
    caller: Called,
    reader: Reading,
    key: Key = "",
) -> LineSaidView:
    """For superusers. Compare the keys first, as the card says."""
    return await _decide(request, response, connection, decision, caller, reader, key)


async def _decide(
    request: Request,
    response: Response,
    subject: str,
    decision: DecisionBody,
    caller: Caller,
    reader: Reader,
    key: str,
) -> LineSaidView:
    found = reader.subject(subject)
    if found is None:
        raise Problem(say(messages.web.not_in_your_rooms))
    site = Site.of(request)
    made = DecisionMade(
        decision.choice,
        decision.shown,
        quantity_in(decision.quantity),
        decision.note.strip(),
        decision.code.strip(),
        key,
    )
    line = await site.decides(caller, found, made, by_api=True)
    return await _answered(request, caller, line, response)


async def _answered(request: Request, caller: Caller, line: WebLine, response: Response) -> LineSaidView:
    """The line with its answer; a refusal is a problem."""
    site = Site.of(request)
    if line.answers and line.answers[-1].outcome is Outcome.REFUSED:
        raise Problem(line.answers[-1])
    if not line.answers:
        response.status_code = 202
        response.headers["Location"] = f"{site.address.prefix}/api/v1/lines/{line.id}"
    return (await site.reader(caller, site.locale(request))).said(line)


def ledger_csv(reader: Reader, wanted: LedgerFilter) -> StreamingResponse:
    """The ledger as a file, written as it is read: on the bot's event loop, as nobody else may look at its state."""

    async def rows() -> AsyncIterator[str]:
        yield history.as_csv(())
        async for each in reader.transfers(wanted):
            if wanted.covers(each):
                yield history.as_csv(history.rows((each,)), heading=False)
        yield history.as_csv(history.outside_rows(reader.outside(wanted)), heading=False)

    headers = {"Content-Disposition": 'attachment; filename="ledger.csv"'}
    return StreamingResponse(rows(), media_type="text/csv; charset=utf-8", headers=headers)
