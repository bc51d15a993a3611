"""The REST API of a hub's operator, under `/api/v1/`: what `fedbot hub` does, for programs."""

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
from fedbot.hub.operators import Act, Acts, Busy, Operation, Operations, OperationState, Token, Tokens
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
    "bad_request": (400, "That is no request that I can read."),
    "not_known": (401, "No token of this hub opens that. Make one: fedbot hub token add NAME"),
    "only_reads": (403, "This token only reads. Make one that acts: fedbot hub token add NAME"),
    "no_such_space": (404, "There is no such space in this hub."),
    "no_such_operation": (404, "There is no such operation, or it was too long ago."),
    "no_such_token": (404, "There is no such token."),
    "not_found": (404, "There is nothing at this address. The schema is at /api/v1/openapi.json."),
    "method_not_allowed": (405, "That can't be done with what is at this address."),
    "busy": (409, "Something else is being done with this space. Look: GET /api/v1/operations"),
    "not_paused": (409, "The space isn't paused. Pause it first."),
    "not_sure": (
        409,
        "This deletes all that the space has, keys and tokens too, for good. To do it: sure=true. To keep it: leave.",
    ),
    "too_large": (413, f"A request has {MOST_BODY} bytes at most, and says how many."),
    "not_understood": (422, ""),
    "too_many_calls": (429, "Too many calls. Wait as long as Retry-After says."),
    "failed": (500, "A fault in fedbot; the log of the API has more."),
    "database_away": (503, ""),
}
"""Why a call has no effect: the status, and what is told; these names never change their meaning."""


class Refused(Exception):
    """The call is answered with a problem document of that name. `wait`: so many seconds the caller is to wait."""

    def __init__(self, name: str, detail: str = "", *, wait: int = 0) -> None:
        super().__init__(name)
        self.name = name
        self.status, said = REFUSALS[name]
        self.detail = detail or said
        self.wait = wait

    def response(self) -> JSONResponse:
        """It as the caller gets it."""
        title = self.detail.partition("\n")[0]
        document = ProblemDocument(type=f"{URN}{self.name}", title=title, status=self.status, detail=self.detail)
        headers = {"Retry-After": str(self.wait)} if self.wait else {}
        if self.name == "not_known":
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse(document.model_dump(), self.status, headers, media_type=MEDIA_TYPE)


def _told(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the schema: how calls can be refused."""
    return {
        status: {
            "description": f"`type` ends in: {', '.join(name for name, (of, _) in REFUSALS.items() if of == status)}",
            "content": {MEDIA_TYPE: {"schema": ProblemDocument.model_json_schema()}},
        }
        for status in statuses
    }


@dataclass(frozen=True)
class Site:
    """The hub that is operated, and who may do it."""

    hub: HubSettings
    roster: Roster
    tokens: Tokens
    operations: Operations
    acts: Acts
    address: Address
    callers: Limiter
    strangers: Limiter

    @classmethod
    def of(cls, request: Request) -> Site:
        """The site that this request is to."""
        site: Site = request.app.state.site
        return site


_BEARER = HTTPBearer(auto_error=False, description="a token that `fedbot hub token add` made: `Bearer fed_hub_…`")


async def identified(
    request: Request, bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]
) -> Token:
    """Whose token the caller has. Raises `Refused`."""
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
    """A token that may do something. Raises `Refused`."""
    if not token.may_act:
        raise Refused("only_reads")
    return token


Acting = Annotated[Token, Depends(acting)]


def known_space(request: Request, space: str) -> str:
    """The space with that id, if this hub has it. Raises `Refused`."""
    if space not in Site.of(request).hub.names():
        raise Refused("no_such_space")
    return space


KnownSpace = Annotated[str, Depends(known_space)]
Wait = Annotated[float, Query(ge=0, le=MOST_SECONDS, description="wait so many seconds for its end")]
router = APIRouter(prefix="/api/v1", responses=_told(401, 429, 500, 503), dependencies=[Depends(identified)])


# --- what is told ------------------------------------------------------------------------------------------


class SpaceView(BaseModel):
    """A space. `well` and `troubles` are what its worker tells of the running bot; null until it has."""

    space: str
    state: Literal["works", "waits", "paused", "fails"]
    worker: str = Field(description="who works for it; empty: nobody")
    wanted_at: str = Field(description="the worker to which it was moved; that counts as long as this one runs")
    problem: str = Field(description="why it doesn't work")
    again_in: float = Field(description="seconds until it is tried again")
    well: bool | None
    troubles: list[str]

    @classmethod
    def of(cls, space: str, row: SpaceRow) -> SpaceView:
        """It as the hub knows it."""
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
    """A worker that runs, and how many spaces it works for."""

    worker: str
    spaces: int


class OperationView(BaseModel):
    """An act with a space. `said` is what came of it: what the command would print."""

    id: str
    act: Act
    space: str
    operator: str = Field(description="name of the token that began it")
    state: OperationState
    begun_at: datetime
    ended_at: datetime | None
    said: list[str]

    @classmethod
    def of(cls, operation: Operation) -> OperationView:
        """It as it stands."""
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
"""One line, without `${`: no variable of the environment is put into it, as that is the hub's, not the caller's."""


class Answers(BaseModel):
    """What `fedbot hub add` asks; what is left out is answered by its default. docs/cli.md explains each."""

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
    """A space to take in."""

    space: str = Field(pattern=PARTY_ID, description="its party's id, as `answers.name` has it")
    answers: Answers


class Move(BaseModel):
    """Where to."""

    worker: str = Field("", max_length=300, description="empty: the one of the others that has the fewest spaces")


# --- reads -------------------------------------------------------------------------------------------------


@router.get("/spaces", summary="All spaces, and how each is")
def spaces(request: Request) -> list[SpaceView]:
    """By name."""
    site = Site.of(request)
    view = site.roster.view()
    return [SpaceView.of(space, view.of(space)) for space in site.hub.names()]


@router.get("/spaces/{space}", summary="One space", responses=_told(404))
def one_space(request: Request, space: KnownSpace) -> SpaceView:
    """By its party's id."""
    return SpaceView.of(space, Site.of(request).roster.view().of(space))


@router.get("/workers", summary="The workers that run")
def workers(request: Request) -> list[WorkerView]:
    """By name."""
    view = Site.of(request).roster.view()
    counted = Counter(row.worker for row in view.spaces.values())
    return [WorkerView(worker=worker, spaces=counted[worker]) for worker in sorted(view.workers)]


@router.get("/operations", summary="What is being done, and what was done lately")
async def operations(request: Request) -> list[OperationView]:
    """The newest first. They are forgotten when the API ends."""
    return [OperationView.of(each) for each in Site.of(request).operations.known()]


@router.get("/operations/{operation}", summary="What came of an act", responses=_told(404, 422))
async def operation(request: Request, operation: str, wait: Wait = 0.0) -> OperationView:
    """By the id that its call gave back."""
    found = Site.of(request).operations.get(operation)
    if found is None:
        raise Refused("no_such_operation")
    return await _as_of(found, wait)


# --- acts --------------------------------------------------------------------------------------------------


class Beginning:
    """A call that begins an act, by a token that may, and waits for its end as long as the caller wants to."""

    def __init__(self, request: Request, response: Response, token: Acting, wait: Wait = 0.0) -> None:
        self.site = Site.of(request)
        self.acts = self.site.acts
        self._response = response
        self._operator = token.name
        self._wait = wait

    async def begin(self, act: Act, space: str, work: Callable[..., str], *given: object) -> OperationView:
        """Do `work(space, *given)`; how it is by now. Raises `Refused` if something else is done with the space."""
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
    """How it is when it is over, or after so many seconds."""
    with suppress(TimeoutError):
        await asyncio.wait_for(operation.over.wait(), wait)
    return OperationView.of(operation)


Call = Annotated[Beginning, Depends()]
_IT_GOES_ON: dict[int | str, dict[str, Any]] = {202: {"model": OperationView, "description": "It goes on."}}
_ANSWERS = _IT_GOES_ON | _told(403, 404, 409, 422)


@router.post("/spaces", summary="Take a space in", responses=_IT_GOES_ON | _told(403, 409, 413, 422))
async def add(call: Call, new: NewSpace) -> OperationView:
    """As `fedbot hub add SPACE --answers FILE`: makes what is missing in InvenTree and Matrix, then a worker takes it.

    If it fails, its operation says why; call again with other answers: what was made stays.
    """
    answers = new.answers.model_dump(exclude_defaults=True) | {"keep_superuser": new.answers.keep_superuser}
    for secret in (new.answers.superuser_password, new.answers.superuser_token, new.answers.bot_password):
        logs.keep_secret(secret)
    return await call.begin(Act.ADD, new.space, call.acts.add, answers)


@router.post("/spaces/{space}/pause", summary="Pause a space", responses=_ANSWERS)
async def pause(call: Call, space: KnownSpace) -> OperationView:
    """Nobody works for it any more when this is done."""
    return await call.begin(Act.PAUSE, space, call.acts.pause)


@router.post("/spaces/{space}/resume", summary="Go on with a space", responses=_ANSWERS)
async def resume(call: Call, space: KnownSpace) -> OperationView:
    """Of one that was paused, or has failed."""
    return await call.begin(Act.RESUME, space, call.acts.resume)


@router.post("/spaces/{space}/move", summary="Move a space to another worker", responses=_ANSWERS)
async def move(call: Call, space: KnownSpace, to: Move) -> OperationView:
    """It stays there as long as that worker runs."""
    return await call.begin(Act.MOVE, space, call.acts.move, to.worker)


@router.post("/spaces/{space}/leave", summary="Let a space leave", responses=_ANSWERS)
async def leave(call: Call, space: KnownSpace) -> OperationView:
    """All that it has goes into a folder on the machine of this API, where a bot of its own can go on."""
    return await call.begin(Act.LEAVE, space, call.acts.leave)


@router.delete("/spaces/{space}", summary="Delete a paused space", responses=_ANSWERS)
async def remove(
    call: Call,
    space: KnownSpace,
    sure: Annotated[bool, Query(description="whether its whole state may be lost")] = False,  # noqa: FBT002
) -> OperationView:
    """For good, with journal, keys, tokens, settings and secrets."""
    view = await run_in_threadpool(call.site.roster.view)
    if not view.of(space).is_paused:
        raise Refused("not_paused")
    if not sure:
        raise Refused("not_sure")
    return await call.begin(Act.REMOVE, space, call.acts.remove)


@router.get("/tokens", summary="The tokens of this API")
def tokens(request: Request) -> list[Token]:
    """Without their secrets. `fedbot hub token add` makes new ones."""
    return list(Site.of(request).tokens.held())


@router.delete("/tokens/{token}", status_code=204, summary="Revoke a token", responses=_told(403, 404))
def revoke(request: Request, token: str, caller: Reads) -> None:
    """By its `id`. A token that only reads can end itself."""
    if not caller.may_act and token != caller.id:
        raise Refused("only_reads")
    if not Site.of(request).tokens.revoke(token):
        raise Refused("no_such_token")


# --- the application ---------------------------------------------------------------------------------------


def application(site: Site) -> FastAPI:
    """The API of that hub."""
    app = bare("fedbot hub", "What a hub's operator does with its spaces.")
    app.state.site = site
    app.include_router(router)
    app.middleware("http")(_guarded)
    for kind in (Refused, RequestValidationError, HTTPException, JournalProblem, Exception):
        app.add_exception_handler(kind, _refused)
    return app


async def _guarded(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    """The answer with our headers; a body that is too large isn't read."""
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
    response.headers.update(HEADERS)  # what nobody has foreseen is told outside of `_guarded`
    return response


@asynccontextmanager
async def site_of(hub: HubSettings, command: Sequence[str]) -> AsyncIterator[Site]:
    """The hub as its API sees it. `command`: how this fedbot is called as a program."""
    roster, operations, acts = Roster(hub), Operations(), Acts(hub, command)
    address = Address("", frozenset(hub.api.proxies))
    limits = Limiter(hub.api.calls_a_minute), Limiter(STRANGERS_CALLS_A_MINUTE)
    try:
        yield Site(hub, roster, Tokens(hub, roster), operations, acts, address, *limits)
    finally:
        operations.close()
        acts.close()
        roster.close()


async def run(hub: HubSettings, command: Sequence[str]) -> None:
    """Answer until cancelled. Raises `CannotListen`."""
    async with site_of(hub, command) as site, Served(application(site), hub.api.listen, hub.api.proxies):
        await asyncio.Event().wait()
