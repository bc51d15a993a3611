"""The web application: the API, the pages, and the parts that both share."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from fedbot import messages
from fedbot.rules.model.effects import say
from fedbot.web.site import api, guard, lists, pages, screen_and_calendars
from fedbot.web.site.access import Access
from fedbot.web.site.bot import Bot
from fedbot.web.site.calls import Site
from fedbot.web.site.guard import Address
from fedbot.web.site.problems import Problem

_BY_STATUS = {404: say(messages.web.not_found), 405: say(messages.web.method_not_allowed)}
_DESCRIPTION = """\
Create a token on the page *Access*, and send it with each call: `Authorization: Bearer fed_…`. A token can read, or
read and act.

- **A change is a line**, as a person types it in chat after `!fed` (`POST /lines`). Cards have calls of their own for
  decisions. Send an `Idempotency-Key` with each: the same call with the same key is carried out once within a day.
- **200** has the answer. **202** means that InvenTree is slow: get the answer from the address in `Location`, with
  `?wait=30`.
- **A refusal** is an `application/problem+json`. Compare its `type`; show its `detail`, which is what chat would say.
- **Pages:** `/transfers` has a `cursor`. Call it again with `next` of the page before, until `next` is null. All other
  lists are whole.
- **Values:** a quantity is a decimal in a string, a time is ISO 8601 with a time zone, a day is an ISO date. A text
  without a value is empty.
- **Asking again:** send the `ETag` of the last answer as `If-None-Match`. 304 means that nothing has changed. 429 has
  the seconds to wait in `Retry-After`.
"""
STATIC = Path(__file__).parent / "static"


def application(
    bot: Bot,
    *,
    url: str,
    session: timedelta,
    proxies: tuple[str, ...] = (),
    calls_a_minute: int = 120,
    strangers_calls_a_minute: int = 120,
    inventree_login: bool = False,
    patience: float = 0.0,
) -> FastAPI:
    """The pages and the API of one bot, which people find at `url`.

    `patience`: the most seconds that a call waits while the bot moves stock.
    """
    address = Address(url.rstrip("/"), frozenset(map(guard.plain_address, proxies)))
    access = Access(
        bot,
        calls_a_minute=calls_a_minute,
        strangers_calls_a_minute=strangers_calls_a_minute,
        session=session,
        inventree_login=inventree_login,
    )
    summary = "What one makerspace lends, gives and requests: read it, and say what you would type in chat."
    app = guard.bare("fedbot", summary, address.prefix, _DESCRIPTION)
    app.state.site = Site(bot, access, address)
    app.state.tell = _told
    app.state.turnstile = guard.Turnstile(bot.is_busy, patience)
    app.include_router(api.router)
    app.include_router(pages.router)
    app.include_router(lists.router)
    app.include_router(screen_and_calendars.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.middleware("http")(guard.guarded)
    app.add_middleware(guard.Conditional, prefix=address.prefix)
    app.add_middleware(guard.Prefixed, prefix=address.prefix)
    app.add_exception_handler(pages.NotSignedIn, pages.to_sign_in)
    for kind in (Problem, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, _told)
    return app


async def _told(request: Request, fault: Exception) -> Response:
    """Answer with a problem: programs get a document, people a page."""
    problem = _as_problem(fault)
    if _is_api(request):
        response: Response = guard.of_problem(problem, Site.of(request).own_locale())
        if problem.status == HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = "Bearer"
    else:
        response = await pages.problem_page(request, problem)
    response.headers.update(guard.HEADERS)  # `guarded` doesn't see the answer to an unforeseen error
    return response


def _as_problem(fault: Exception) -> Problem:
    if isinstance(fault, Problem):
        return fault
    if isinstance(fault, RequestValidationError):
        return Problem(say(messages.web.not_understood, problems=guard.mistakes_in(fault)))
    if not isinstance(fault, HTTPException):
        return Problem(say(messages.web.failed))
    status = fault.status_code
    return Problem(_BY_STATUS.get(status, say(messages.web.bad_request)), status=status)


def _is_api(request: Request) -> bool:
    prefix = Site.of(request).address.prefix
    return str(request.scope["path"]).removeprefix(prefix).startswith("/api/")
