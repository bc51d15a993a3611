"""The REST API for a hub's operator, under `/api/v1/`: the commands of `fedbot hub`, for programs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from fedbot import logs
from fedbot.config.hub import HubSettings
from fedbot.hub.operators import (
    Busy,
    Operation,
    OperationHandlers,
    OperationKind,
    Operations,
    OperationState,
    Token,
    Tokens,
)
from fedbot.hub.roster import Roster, SpaceRow
from fedbot.ports.journal import JournalProblem
from fedbot.web.site.access import Limiter
from fedbot.web.site.guard import HEADERS, MOST_BODY, Address, bare, is_too_large, mistakes_in
from fedbot.web.site.problems import MEDIA_TYPE, URN, ProblemDocument
from fedbot.web.site.serving import Served

STRANGERS_CALLS_A_MINUTE = 30
MOST_SECONDS = 30.0
PARTY_ID = r"^[a-z][a-z0-9-]{0,30}$"

REFUSALS: dict[str, tuple[int, str]] = {
    "bad_request": (400, "This request can't be read."),
    "not_known": (401, "This needs a valid token of this hub. Make one: fedbot hub token add NAME"),
    "only_reads": (403, "This token can only read. Make one that can act: fedbot hub token add NAME"),
    "no_such_space": (404, "There is no such space in this hub."),
    "no_such_operation": (404, "There is no such operation, or it ended too long ago."),
    "no_such_token": (404, "There is no such token."),
    "not_found": (404, "There is nothing at this address. The schema is at /api/v1/openapi.json."),
    "method_not_allowed": (405, "This address doesn't take that method. The schema is at /api/v1/openapi.json."),
    "busy": (409, "Another operation is running for this space. See GET /api/v1/operations"),
    "not_paused": (409, "The space isn't paused. Pause it first."),
    "not_sure": (
        409,
        "This deletes all data of the space for good, keys and tokens too. To do it: sure=true. To keep it: leave.",
    ),
    "too_large": (413, f"A request has at most {MOST_BODY} bytes, and names its Content-Length."),
    "not_understood": (422, ""),
    "too_many_calls": (429, "Too many calls. Wait as long as Retry-After says."),
    "failed": (500, "An error in fedbot. The log of the API has the details."),
    "database_away": (503, ""),
}
"""The refusals by name, each with its HTTP status and text. A name never changes its meaning."""


class Refused(Exception):
    """Answers the call with the problem document of that name. `wait`: seconds for the `Retry-After` header."""

    def __init__(self, name: str, detail: str = "", *, wait: int = 0) -> None:
        super().__init__(name)
        self.name = name
        self.status, said = REFUSALS[name]
        self.detail = detail or said
        self.wait = wait

    def response(self) -> JSONResponse:
        """The answer: an RFC 9457 problem document."""
        title = self.detail.partition("\n")[0]
        document = ProblemDocument(type=f"{URN}{self.name}", title=title, status=self.status, detail=self.detail)
        headers = {"Retry-After": str(self.wait)} if self.wait else {}
        if self.name == "not_known":
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse(document.model_dump(), self.status, headers, media_type=MEDIA_TYPE)


def _told(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals with these statuses, for the OpenAPI schema."""
    return {
        status: {
            "description": f"`type` ends in: {', '.join(name for name, (of, _) in REFUSALS.items() if of == status)}",
            "content": {MEDIA_TYPE: {"schema": ProblemDocument.model_json_schema()}},
        }
        for status in statuses
    }


@dataclass(frozen=True)
class Site:
    """Everything that a call needs: the hub, its tokens and operations, and the rate limits."""

    hub: HubSettings
    roster: Roster
    tokens: Tokens
    operations: Operations
    acts: OperationHandlers
    address: Address
    callers: Limiter
    strangers: Limiter

    @classmethod
    def of(cls, request: Request) -> Site:
        """The site that this request belongs to."""
        site: Site = request.app.state.site
        return site


_BEARER = HTTPBearer(auto_error=False, description="a token that `fedbot hub token add` made: `Bearer fed_hub_…`")


async def identified(
    request: Request, bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]
) -> Token:
    """The caller's token. Raises `Refused` for an unknown token, and for too many calls."""
    site = Site.of(request)
    secret = bearer.credentials if bearer is not None else ""
    made_here = site.tokens.id_of(secret)
    limiter, who = (site.callers, made_here) if made_here else (site.strangers, site.address.caller(request))
    if wait := limiter.wait(who, datetime.now(UTC)):
        raise Refused("too_many_calls", wait=wait)
    token = await run_in_threadpool(site.tokens.of, secret) if made_here else None
    if token is None:
        raise Refused("not_known")
    return token


Reads = Annotated[Token, Depends(identified)]


async def acting(token: Reads) -> Token:
    """The caller's token, if it can act. Raises `Refused`."""
    if not token.may_act:
        raise Refused("only_reads")
    return token


Acting = Annotated[Token, Depends(acting)]


def known_space(request: Request, space: str) -> str:
    """The id of a space that this hub has. Raises `Refused`."""
    if space not in Site.of(request).hub.names():
        raise Refused("no_such_space")
    return space


KnownSpace = Annotated[str, Depends(known_space)]
Wait = Annotated[float, Query(ge=0, le=MOST_SECONDS, description="how many seconds to wait for the end")]
router = APIRouter(prefix="/api/v1", responses=_told(401, 429, 500, 503), dependencies=[Depends(identified)])


# --- the views ---------------------------------------------------------------------------------------------


class SpaceView(BaseModel):
    """A space. Its worker reports the running bot's health as `well` and `troubles`; `well` is null until then."""

    space: str
    state: Literal["works", "waits", "paused", "fails"]
    worker: str = Field(description="the worker that runs its bot; empty: none")
    wanted_at: str = Field(description="the worker that an operator moved it to; holds as long as that worker runs")
    problem: str = Field(description="why its bot doesn't run")
    again_in: float = Field(description="seconds until a worker tries it again")
    well: bool | None
    troubles: list[str]

    @classmethod
    def of(cls, space: str, row: SpaceRow) -> SpaceView:
        """From its row in the roster."""
        return cls(
            space=space,
            state=row.state,
            worker=row.worker,
            wanted_at=row.wanted_at,
            problem=logs.redact(row.problem),
            again_in=round(row.waits, 1),
            well=row.is_well,
            troubles=list(row.troubles),
        )


class WorkerView(BaseModel):
    """A running worker, and how many spaces it has."""

    worker: str
    spaces: int


class OperationView(BaseModel):
    """One operation on one space. `said`: the result, as the command would print it, by lines."""

    id: str
    act: OperationKind
    space: str
    operator: str = Field(description="name of the token that started it")
    state: OperationState
    begun_at: datetime
    ended_at: datetime | None
    said: list[str]

    @classmethod
    def of(cls, operation: Operation) -> OperationView:
        """From the operation's present state."""
        return cls(
            id=operation.id,
            act=operation.act,
            space=operation.space,
            operator=operation.operator,
            state=operation.state,
            begun_at=operation.begun_at,
            ended_at=operation.ended_at,
            said=list(operation.said),
        )


Answer = Annotated[str, Field(max_length=2_000, pattern=r"^([^$\x00-\x1f]|\$+[^${\x00-\x1f])*\$*$")]
"""One line without `${`: the environment belongs to the hub, so no caller may read its variables."""


class Answers(BaseModel):
    """Answers to the questions of `fedbot hub add`. An answer that is left out is its default. See docs/cli.md."""

    model_config = ConfigDict(extra="forbid")

    inventree: Answer = Field("", examples=["https://inventree.example.org"])
    superuser: Answer = Field("", description="name of a superuser of InvenTree", examples=["anna"])
    superuser_password: Answer = ""
    superuser_token: Answer = Field("", description="instead of name and password")
    name: Answer = Field("", examples=["Attraktor e.V. = attraktor"])
    bot: Answer = Field("", examples=["@attraktor-bot:example.org"])
    bot_password: Answer = Field("", description="or an access token")
    rooms: Answer = Field("", examples=["@anna:example.org"])
    people: Answer = Field("", examples=["2=kim +2"])
    keep_superuser: bool = True


class NewSpace(BaseModel):
    """A space to add."""

    space: str = Field(pattern=PARTY_ID, description="its party's id, the same as in `answers.name`")
    answers: Answers


class Move(BaseModel):
    """The worker to move to."""

    worker: str = Field("", max_length=300, description="empty: the other worker with the fewest spaces")


# --- reads -------------------------------------------------------------------------------------------------


@router.get("/spaces", summary="List all spaces and their health")
def spaces(request: Request) -> list[SpaceView]:
    """Sorted by name."""
    site = Site.of(request)
    view = site.roster.view()
    return [SpaceView.of(space, view.of(space)) for space in site.hub.names()]


@router.get("/spaces/{space}", summary="Show one space", responses=_told(404))
def one_space(request: Request, space: KnownSpace) -> SpaceView:
    """By its party's id."""
    return SpaceView.of(space, Site.of(request).roster.view().of(space))


@router.get("/workers", summary="List the running workers")
def workers(request: Request) -> list[WorkerView]:
    """Sorted by name."""
    view = Site.of(request).roster.view()
    counted = Counter(row.worker for row in view.spaces.values())
    return [WorkerView(worker=worker, spaces=counted[worker]) for worker in sorted(view.workers)]


@router.get("/operations", summary="List running and recent operations")
async def operations(request: Request) -> list[OperationView]:
    """The newest first. The API forgets them when it ends."""
    return [OperationView.of(each) for each in Site.of(request).operations.known()]


@router.get("/operations/{operation}", summary="Show one operation and its result", responses=_told(404, 422))
async def operation(request: Request, operation: str, wait: Wait = 0.0) -> OperationView:
    """By the id that the starting call returned."""
    found = Site.of(request).operations.get(operation)
    if found is None:
        raise Refused("no_such_operation")
    return await _as_of(found, wait)


# --- operations --------------------------------------------------------------------------------------------------


class Beginning:
    """A call that starts an operation (only with a token that may act) and waits for its end if the caller wants."""

    def __init__(self, request: Request, response: Response, token: Acting, wait: Wait = 0.0) -> None:
        self.site = Site.of(request)
        self.acts = self.site.acts
        self._response = response
        self._operator = token.name
        self._wait = wait

    async def begin(self, act: OperationKind, space: str, work: Callable[..., str], *given: object) -> OperationView:
        """Start `work(space, *given)` and return its state.

        Raises `Refused` if another operation runs for the space.
        """
        try:
            begun = self.site.operations.begin(act, space, self._operator, partial(work, space, *given))
        except Busy:
            raise Refused("busy") from None
        told = await _as_of(begun, self._wait)
        if told.state is OperationState.RUNNING:
            self._response.status_code = 202
            self._response.headers["Location"] = f"/api/v1/operations/{begun.id}"
        return told


async def _as_of(operation: Operation, wait: float) -> OperationView:
    """The operation at its end, or after `wait` seconds."""
    with suppress(TimeoutError):
        await asyncio.wait_for(operation.over.wait(), wait)
    return OperationView.of(operation)


Call = Annotated[Beginning, Depends()]
_RUNNING: dict[int | str, dict[str, Any]] = {202: {"model": OperationView, "description": "It is still running."}}
_ANSWERS = _RUNNING | _told(403, 404, 409, 422)


@router.post("/spaces", summary="Add a space", responses=_RUNNING | _told(403, 409, 413, 422))
async def add(call: Call, new: NewSpace) -> OperationView:
    """As `fedbot hub add SPACE --answers FILE`: creates what is missing in InvenTree and Matrix.

    Then a worker takes it. If it fails, the operation says why. Call again with other answers: everything that was
    created stays.
    """
    answers = new.answers.model_dump(exclude_defaults=True) | {"keep_superuser": new.answers.keep_superuser}
    for secret in (new.answers.superuser_password, new.answers.superuser_token, new.answers.bot_password):
        logs.keep_secret(secret)
    return await call.begin(OperationKind.ADD, new.space, call.acts.add, answers)


@router.post("/spaces/{space}/pause", summary="Pause a space", responses=_ANSWERS)
async def pause(call: Call, space: KnownSpace) -> OperationView:
    """When the operation is done, no worker runs its bot."""
    return await call.begin(OperationKind.PAUSE, space, call.acts.pause)


@router.post("/spaces/{space}/resume", summary="Resume a space", responses=_ANSWERS)
async def resume(call: Call, space: KnownSpace) -> OperationView:
    """After a pause or a failure."""
    return await call.begin(OperationKind.RESUME, space, call.acts.resume)


@router.post("/spaces/{space}/move", summary="Move a space to another worker", responses=_ANSWERS)
async def move(call: Call, space: KnownSpace, to: Move) -> OperationView:
    """The space stays there as long as that worker runs."""
    return await call.begin(OperationKind.MOVE, space, call.acts.move, to.worker)


@router.post("/spaces/{space}/leave", summary="Move a space out of the hub", responses=_ANSWERS)
async def leave(call: Call, space: KnownSpace) -> OperationView:
    """Everything that it has goes into a folder on the machine of this API, for a separate bot."""
    return await call.begin(OperationKind.LEAVE, space, call.acts.leave)


@router.delete("/spaces/{space}", summary="Delete a paused space", responses=_ANSWERS)
async def remove(
    call: Call,
    space: KnownSpace,
    sure: Annotated[bool, Query(description="true: delete its whole state")] = False,  # noqa: FBT002
) -> OperationView:
    """Deletes its journal, keys, tokens, settings and secrets for good."""
    view = await run_in_threadpool(call.site.roster.view)
    if not view.of(space).is_paused:
        raise Refused("not_paused")
    if not sure:
        raise Refused("not_sure")
    return await call.begin(OperationKind.REMOVE, space, call.acts.remove)


@router.get("/tokens", summary="List the tokens of this API")
def tokens(request: Request) -> list[Token]:
    """Without their secrets. `fedbot hub token add` makes a new one."""
    return list(Site.of(request).tokens.held())


@router.delete("/tokens/{token}", status_code=204, summary="Revoke a token", responses=_told(403, 404))
def revoke(request: Request, token: str, caller: Reads) -> None:
    """By its `id`. A token that can only read can revoke itself."""
    if not caller.may_act and token != caller.id:
        raise Refused("only_reads")
    if not Site.of(request).tokens.revoke(token):
        raise Refused("no_such_token")


# --- the application ---------------------------------------------------------------------------------------


def application(site: Site) -> FastAPI:
    """The API of this hub."""
    app = bare("fedbot hub", "What a hub's operator does with its spaces.")
    app.state.site = site
    app.include_router(router)
    app.middleware("http")(_guarded)
    for kind in (Refused, RequestValidationError, HTTPException, JournalProblem, Exception):
        app.add_exception_handler(kind, _refused)
    return app


async def _guarded(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    """Adds our headers to every answer, and refuses a body that is too large without reading it."""
    response = Refused("too_large").response() if is_too_large(request) else await go_on(request)
    response.headers.update(HEADERS)
    return response


async def _refused(_: Request, fault: Exception) -> Response:
    match fault:
        case Refused():
            return fault.response()
        case RequestValidationError():
            return Refused("not_understood", "\n".join(["That can't be understood:", *mistakes_in(fault)])).response()
        case JournalProblem():
            return Refused("database_away", str(fault)).response()
        case HTTPException():
            names = {404: "not_found", 405: "method_not_allowed"}
            response = Refused(names.get(fault.status_code, "bad_request")).response()
            response.headers.update(fault.headers or {})
            return response
    response = Refused("failed").response()
    response.headers.update(HEADERS)  # `_guarded` doesn't see the answer to an unforeseen error
    return response


@asynccontextmanager
async def site_of(hub: HubSettings, command: Sequence[str]) -> AsyncIterator[Site]:
    """The site of this hub's API, closed at the end. `command`: the words that start this fedbot as a program."""
    roster, operations, acts = Roster(hub), Operations(), OperationHandlers(hub, command)
    address = Address("", frozenset(hub.api.proxies))
    limits = Limiter(hub.api.calls_a_minute), Limiter(STRANGERS_CALLS_A_MINUTE)
    try:
        yield Site(hub, roster, Tokens(hub, roster), operations, acts, address, *limits)
    finally:
        operations.close()
        acts.close()
        roster.close()


async def run(hub: HubSettings, command: Sequence[str]) -> None:
    """Serve the API until cancelled. `command` as in `site_of`. Raises `CannotListen`."""
    async with site_of(hub, command) as site, Served(application(site), hub.api.listen, hub.api.proxies):
        await asyncio.Event().wait()
