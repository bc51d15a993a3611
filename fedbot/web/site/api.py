"""The REST API under `/api/v1/`: what a person may read, and the lines that they would type in chat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response, Security
from fastapi.responses import StreamingResponse
from fastapi.security import APIKeyHeader, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from pydantic import AwareDatetime, Field

from fedbot import messages
from fedbot.rules.ledger import history
from fedbot.rules.model.command import Outcome, WebLine
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.effects import say
from fedbot.rules.model.lending import LONGEST_NEIGHBOUR, OUTSIDE
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
    View,
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
        401: "no valid token",
        403: "the person or the token may not do that",
        404: "not in the person's rooms",
        409: "it doesn't fit the present state",
        413: "too much at once",
        422: "not understood",
        429: "too many calls; see Retry-After",
        500: "an error in fedbot; the bot tells the admins",
        503: "our InvenTree doesn't answer",
    }.items()
}
LONGEST_SPACE = len(OUTSIDE) + LONGEST_NEIGHBOUR
router = APIRouter(prefix="/api/v1", responses=_REFUSALS)

_BEARER = HTTPBearer(auto_error=False, description="a token that you made on your page: `Bearer fed_…`")
_INVENTREE = APIKeyHeader(
    name="Authorization",
    scheme_name="InvenTree",
    auto_error=False,
    description="if `pages.inventree_login` is set: `Token inv-…`, which InvenTree checks at each call",
)


async def identified(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    header: Annotated[str | None, Security(_INVENTREE)],
) -> Caller:
    """The caller. Raises `Problem` for no valid token, and for too many calls."""
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
    """The caller's reader. Raises `Problem`."""
    site = Site.of(request)
    return await site.reader(caller, site.locale(request))


Reading = Annotated[Reader, Depends(reading)]
Wait = Annotated[float, Query(ge=0, le=MOST_SECONDS, description="how many seconds to wait for the answer")]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description="any text: within a day, the same call with the same key is carried out once",
    ),
]


SpaceId = Annotated[str, Path(description="id of the space, as in `to betaspace`", examples=["betaspace"])]
TransferId = Annotated[str, Path(description="id or code of the transfer", examples=["k7m2"])]
ConnectionId = Annotated[str, Path(description="id or code of the friendship", examples=["9dy7"])]
SubjectId = Annotated[str, Path(description="id or code of the transfer or friendship", examples=["k7m2"])]
SearchId = Annotated[str, Path(description="`search` of the answer to a line `find WORDS`")]
HitNumber = Annotated[int, Path(description="`number` of the hit")]
LineId = Annotated[str, Path(description="`id` of the line, as its answer gave it")]
AccessId = Annotated[str, Path(description="`id` in the list")]


class Said(View):
    """A line as you would type it in chat after `!fed`."""

    line: str = Field(min_length=1, max_length=LONGEST_LINE, examples=["push 10 M3-NUT to betaspace"])
    """a verb with its arguments; `help` lists the verbs, and `help push` explains one"""
    subject: str = Field("", max_length=100, description="id of the transfer that the line is about, if it names none")
    room: str = Field("", max_length=255, description="Matrix id of the room to say it in; needed only if several fit")


class DecisionBody(View):
    """A decision on a card."""

    choice: Choice = Field(examples=[Choice.APPROVE])
    """one of the card's `choices`"""
    shown: str = Field(pattern="^[0-9a-f]{64}$", examples=["0f" * 32])
    """the card's `shown`: the decision counts only for what the card showed"""
    quantity: str = Field(
        "", pattern=r"^([0-9]{1,10}(\.[0-9]{1,5})?)?$", description="less than was requested; empty: all of it"
    )
    note: str = Field("", max_length=500)
    """the reason, which the other space reads"""
    code: str = Field("", max_length=100)
    """a card with `care` takes it on a page only, never by API"""


class WhoAmI(View):
    """The caller, and their permissions in InvenTree."""

    person: str
    """Matrix id"""
    user: str
    """InvenTree user"""
    space: str
    """id of our space"""
    scope: str
    """`read`, or `act`, which includes reading"""
    approver: bool
    """whether they may decide on transfers"""
    superuser: bool
    """whether they may decide on friendships"""


# --- reads -------------------------------------------------------------------------------------------------------


@router.get("/me", summary="Show who you are and what you may do")
async def me(caller: Called, reader: Reading) -> WhoAmI:
    """Your permissions are read in InvenTree; reads use them for up to 10 seconds."""
    permissions = reader.permissions
    return WhoAmI(
        person=caller.person,
        user=caller.username,
        space=reader.turn.us.party,
        scope=caller.scope.value,
        approver=permissions.approver or permissions.superuser,
        superuser=permissions.superuser,
    )


@router.get("/now", summary="List what waits for you, and what is under way")
async def now(reader: Reading) -> NowView:
    """The same as `!fed todo`."""
    return reader.now()


@router.get("/spaces", summary="List the spaces in your rooms")
async def all_spaces(reader: Reading) -> list[SpaceView]:
    """Friends and others, sorted by name."""
    return reader.spaces()


@router.get("/spaces/{space}", summary="Show one space")
async def one_space(space: SpaceId, reader: Reading) -> SpaceView:
    """By its id."""
    found = reader.space(space)
    if found is None:
        raise Problem(say(messages.web.not_in_your_rooms))
    return found


@router.get("/connections", summary="List all friendships, past ones too")
async def connections(reader: Reading) -> list[ConnectionView]:
    """A friendship that waits for a decision has its card."""
    return reader.connections()


@router.get("/loans", summary="List loans")
async def loans(reader: Reading) -> list[TransferView]:
    """Loans on their way are included. The first due date comes first."""
    return reader.loans()


@router.get("/bookings", summary="List bookings")
async def bookings(reader: Reading) -> list[TransferView]:
    """Loans that are booked ahead. The first day comes first."""
    return reader.bookings()


@router.get("/queues", summary="List the waiting lists")
async def queues(reader: Reading) -> list[WaitingView]:
    """First your people's places at friends, then who waits for your stock: first come, first served."""
    return reader.waiting()


@router.get("/wants", summary="List wants")
async def wants(reader: Reading) -> list[WantView]:
    """First your people's wants, then friends'. The first to end comes first."""
    return reader.wants()


@router.get("/outside", summary="List loans to neighbours without a bot")
async def outside(reader: Reading) -> list[OutsideView]:
    """First what they have, by due date; then what they had, the newest first."""
    return reader.with_neighbours()


@router.get("/rotas", summary="List requests from anyone")
async def rotas(reader: Reading) -> list[RotaView]:
    """Running ones, and those that ended in the last 30 days."""
    return reader.rotas()


@router.get("/figures", summary="Show our figures and dealings")
async def figures(
    request: Request,
    reader: Reading,
    days: Annotated[int, Query(ge=0, le=3650, description="of the last so many days; 0: all")] = 0,
) -> FiguresView:
    """The figures that `stats.disclose` allows. `silent`: our InvenTree doesn't answer."""
    return reader.figures(await Site.of(request).counts(), days)


def filters(
    space: Annotated[
        str, Query(max_length=LONGEST_SPACE, description="id of the other space; `outside:NAME` for a neighbour")
    ] = "",
    state: Annotated[str, Query(max_length=20, description="a `state`, or `on_loan`")] = "",
    kind: Annotated[
        str, Query(max_length=20, description="give, loan, request, return, extension, or outside (to a neighbour)")
    ] = "",
    direction: Annotated[
        str, Query(pattern="^(|in|out)$", description="`out`: from us; `in`: to us; empty: both")
    ] = "",
    since: Annotated[
        AwareDatetime | None, Query(description="asked for, decided or ended since then; with a time zone")
    ] = None,
    item: Annotated[str, Query(max_length=200, description="name or IPN of a part")] = "",
    person: Annotated[str, Query(max_length=255, description="Matrix id of who asked or decided")] = "",
    words: Annotated[str, Query(max_length=200, description="each in its items, serials, note, id or names")] = "",
) -> LedgerFilter:
    """The filter of the ledger."""
    return LedgerFilter(space, state, kind, direction, since, item, person, words)


Filters = Annotated[LedgerFilter, Depends(filters)]


@router.get("/transfers", summary="List the ledger, the newest first")
async def transfers(
    reader: Reading,
    wanted: Filters,
    cursor: Annotated[str, Query(max_length=400, description="`next` of the page before")] = "",
    limit: Annotated[int, Query(ge=1, le=MOST_ON_A_PAGE, description="the most items on the page")] = 25,
) -> LedgerPage:
    """One page of transfers and loans to neighbours. It can be short or empty while `next` still names another page."""
    return await reader.ledger(wanted, cursor, limit)


@router.get(
    "/transfers.csv",
    summary="Export the ledger as CSV",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def transfers_as_csv(reader: Reading, wanted: Filters) -> StreamingResponse:
    """One row for each line of a transfer or loan to a neighbour, with the columns of `fedbot export`."""
    return ledger_csv(reader, wanted)


@router.get("/transfers/{transfer}", summary="Show one transfer with its story")
async def transfer(request: Request, transfer: TransferId, reader: Reading) -> StoryView:
    """By its id or code."""
    site = Site.of(request)
    found = site.transfer(reader, transfer)
    return reader.story(found, site.bot.audit(found.id))


@router.get("/audit/{subject}", summary="Show the audit of a transfer or friendship")
async def audit(request: Request, subject: SubjectId, reader: Reading) -> list[EntryView]:
    """Oldest first: who did what, by which event."""
    found = reader.subject(subject)
    if found is None:
        raise Problem(say(messages.web.not_in_your_rooms))
    return reader.entries(Site.of(request).bot.audit(found.id))


@router.get("/searches/{search}", summary="List the hits of a search")
async def hits(search: SearchId, reader: Reading) -> SearchView:
    """Search with the line `find WORDS`. Its answer has the id. The bot keeps hits for ten minutes."""
    found = reader.search(search)
    if found is None:
        raise Problem(say(messages.web.no_such_search))
    return found


@router.get(
    "/searches/{search}/pictures/{number}",
    summary="Show the picture of a hit",
    response_class=Response,
    responses={200: {"content": {kind: {} for kind in ("image/png", "image/jpeg", "image/webp")}}},
)
async def picture(request: Request, search: SearchId, number: HitNumber, reader: Reading) -> Response:
    """For hits whose `picture` is true. It is small, and may no longer exist."""
    return await Site.of(request).picture(reader, search, number)


@router.get("/tokens", summary="List your sessions and tokens")
async def tokens(caller: Called, reader: Reading) -> list[AccessView]:
    """Make new ones on your page."""
    return reader.accesses(caller.access)


@router.delete("/tokens/{token}", status_code=204, summary="End a session, or revoke a token")
async def revoke(request: Request, token: AccessId, caller: Called) -> None:
    """By the `id` in the list. A token that can only read can revoke itself."""
    site = Site.of(request)
    if not caller.may_act and not caller.access.startswith(token):
        raise Problem(say(messages.web.ends_only_itself))
    if not site.access.end(caller, token):
        raise Problem(say(messages.web.no_such_token))


# --- lines and decisions -----------------------------------------------------------------------------------------


@router.post("/lines", summary="Say a line, as in chat", responses={202: {"model": LineSaidView}})
async def send_line(request: Request, response: Response, said: Said, caller: Called, key: Key = "") -> LineSaidView:
    """Any verb: `push`, `request`, `lend`, `cancel`, `return`, `extend`, `find` and all others.

    200 with the answer; 202 if there is none yet (our InvenTree is slow). Then ask again by its id.
    """
    site = Site.of(request)
    text = said.line.strip().removeprefix("!fed ")
    line = await site.says(caller, text, key=key, subject=said.subject, room=said.room, by_api=True)
    return await _answered(request, caller, line, response)


@router.get("/lines/{line}", summary="Show the answer to a line", responses={202: {"model": LineSaidView}})
async def answer(request: Request, response: Response, line: LineId, caller: Called, wait: Wait = 0.0) -> LineSaidView:
    """The bot keeps answers for a day."""
    site = Site.of(request)
    return await _answered(request, caller, await site.line(caller, line, wait), response)


@router.post(
    "/transfers/{transfer}/decision", summary="Decide on a transfer's card", responses={202: {"model": LineSaidView}}
)
async def decide(
    request: Request,
    response: Response,
    transfer: TransferId,
    decision: DecisionBody,
    caller: Called,
    reader: Reading,
    key: Key = "",
) -> LineSaidView:
    """The same as a reaction on the card. The card says who decided, and by which token."""
    return await _decide(request, response, transfer, decision, caller, reader, key)


@router.post(
    "/connections/{connection}/decision",
    summary="Decide on a friendship's card",
    responses={202: {"model": LineSaidView}},
)
async def decide_on_connection(
    request: Request,
    response: Response,
    connection: ConnectionId,
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
    """The line with its answer. Raises `Problem` for a refusal."""
    site = Site.of(request)
    if line.answers and line.answers[-1].outcome is Outcome.REFUSED:
        raise Problem(line.answers[-1])
    if not line.answers:
        response.status_code = 202
        response.headers["Location"] = f"{site.address.prefix}/api/v1/lines/{line.id}"
    return (await site.reader(caller, site.locale(request))).said(line)


def ledger_csv(reader: Reader, wanted: LedgerFilter) -> StreamingResponse:
    """The ledger as a CSV file, streamed on the bot's event loop: no other thread may read the bot's state."""

    async def rows() -> AsyncIterator[str]:
        yield history.as_csv(())
        async for each in reader.in_order(wanted):
            if wanted.covers(each):
                yield history.as_csv(history.rows_of(each), heading=False)

    headers = {"Content-Disposition": 'attachment; filename="ledger.csv"'}
    return StreamingResponse(rows(), media_type="text/csv; charset=utf-8", headers=headers)
