"""The pages, rendered on the server. One script waits for a sign-in, or for new content."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from pydantic import BeforeValidator

from fedbot import messages
from fedbot.messages import web
from fedbot.rules.model.command import SIGN_IN_WITHIN, AccessKind, Scope
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.effects import say
from fedbot.rules.names import clean_name
from fedbot.rules.who_decides import Subject
from fedbot.web.site.access import Caller, Login, form_token
from fedbot.web.site.calls import LONGEST_LINE, DecisionMade, Site, quantity_in
from fedbot.web.site.guard import is_our_page
from fedbot.web.site.problems import Problem
from fedbot.web.site.reader import Reader

MENU = (
    ("now", "/"),
    ("on_loan", "/loans"),
    ("calendar", "/calendar"),
    ("find", "/find"),
    ("ledger", "/ledger"),
    ("friends", "/spaces"),
    ("figures", "/figures"),
)
"""The menu: name (in `messages.web`) and path of each page."""
FOOT = (("access", "/access"), ("api", "/api"))
"""The links at the bottom, in the same form."""
LOOK_AGAIN_AFTER = 3
"""The seconds after which a page that waits for an answer checks again."""
_TEMPLATES = Environment(
    loader=PackageLoader("fedbot.web.site"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
router = APIRouter(include_in_schema=False)


class NotSignedIn(Exception):
    """The page needs a signed-in person."""


@dataclass(frozen=True)
class Page:
    """One request for a page. `caller` is None if nobody is signed in; `secret` is the session's."""

    request: Request
    site: Site
    caller: Caller | None
    secret: str

    async def reader(self) -> Reader:
        """A reader of everything that the person may read now. Raises `Problem`, `NotSignedIn`."""
        return await self.site.reader(self.person, self.site.locale(self.request))

    @property
    def person(self) -> Caller:
        """The signed-in person. Raises `NotSignedIn`."""
        if self.caller is None:
            raise NotSignedIn
        return self.caller

    @property
    def address(self) -> str:
        """The caller's network address."""
        return self.site.address.caller(self.request)

    def shows(self, template: str, status: int = 200, **what: object) -> HTMLResponse:
        """Render this template in the person's language, with `what` as its variables."""
        locale, turn = self.site.locale(self.request), self.site.bot.turn()
        prefix = self.site.address.prefix

        def words(name: str, /, **about: str) -> str:
            return web.page_word(locale, name, **about)

        text = _TEMPLATES.get_template(template).render(
            t=words,
            when=locale.when,
            day=partial(web.short_day, locale),
            count=locale.count,
            amount=partial(web.amount, locale),
            overdue=partial(web.overdue, locale),
            due_in=partial(web.due_in, locale),
            month=partial(web.month, locale),
            weekdays=partial(web.weekdays, locale),
            on_that_day=partial(web.on_that_day, locale),
            silent=partial(web.silent, locale),
            entries=partial(web.entries, locale),
            last_days=partial(web.last_days, locale),
            access_name=partial(web.access_name, locale),
            form=self._form,
            language=locale.language,
            prefix=prefix,
            space=turn.us.name,
            our_id=turn.us.party,
            bot=turn.us.bot,
            caller=self.caller,
            caller_name=turn.name_of(self.caller.person) if self.caller else "",
            menu=MENU,
            foot=FOOT,
            here=self.request.scope.get("path", "").removeprefix(prefix) or "/",
            **what,
        )
        return HTMLResponse(text, status)

    def _form(self) -> Markup:
        """The hidden fields of every form: our token, and a key that makes two clicks count once."""
        field = Markup('<input type="hidden" name="{}" value="{}">')
        return field.format("form", form_token(self.secret)) + field.format("key", secrets.token_hex(16))

    def goes_to(self, path: str) -> RedirectResponse:
        """Redirect to another of our pages."""
        return RedirectResponse(f"{self.site.address.prefix}{path}", 303)


def cookie_name(site: Site) -> str:
    """The name of the session's cookie. With HTTPS, `__Host-` keeps other hosts and plain HTTP from setting it.

    Browsers share a host's cookies among its ports, such as those of several bots on one machine.
    """
    return "__Host-fedbot" if site.address.is_secure else f"fedbot-{urlsplit(site.address.url).port or 80}"


async def opened(request: Request) -> Page:
    """The page with its caller, signed in or not. Raises `Problem` for too many calls."""
    site = Site.of(request)
    secret = request.cookies.get(cookie_name(site), "")
    caller = site.access.of_session(secret) if secret else None
    if caller is None:
        site.access.count_stranger(site.address.caller(request))
    else:
        site.access.count(caller.person)
    return Page(request, site, caller, secret)


Opened = Annotated[Page, Depends(opened)]


async def signed_in(page: Opened) -> Page:
    """The page of a signed-in person. Raises `NotSignedIn`."""
    return replace(page, caller=page.person)


async def form_of_ours(page: Opened, form: Annotated[str, Form(max_length=100)] = "") -> Page:
    """The page of a signed-in person who sent one of our own forms. Raises `Problem`, `NotSignedIn`."""
    sent = replace(page, caller=page.person)
    is_its_token = hmac.compare_digest(form.encode(), form_token(page.secret).encode())
    if not (is_our_page(page.request, page.site.address) and is_its_token):
        raise Problem(say(messages.web.not_our_form))
    return sent


SignedIn = Annotated[Page, Depends(signed_in)]
Sent = Annotated[Page, Depends(form_of_ours)]
Field = Annotated[str, Form(max_length=500)]
Label = Annotated[str, BeforeValidator(clean_name), Form(min_length=1, max_length=60)]
"""A person's name for a token or an address. Friends read it in the room if the token acts."""


# --- signing in --------------------------------------------------------------------------------------------------


@router.get("/sign-in")
async def sign_in(page: Opened) -> Response:
    """The sign-in page, with a code if the page has one."""
    if page.caller is not None:
        return page.goes_to("/")
    return _sign_in(page)


def _sign_in(page: Page, refused: Problem | None = None) -> Response:
    access = page.site.access
    code = access.code_of(page.secret) if page.secret else ""
    return page.shows(
        "sign_in.html",
        refused.status if refused else 200,
        code=code,
        minutes=f"{SIGN_IN_WITHIN.total_seconds() / 60:.0f}",
        inventree_login=access.inventree_login,
        refused=refused.document(page.site.locale(page.request)).detail if refused else "",
    )


@router.post("/sign-in")
async def new_code(page: Opened) -> Response:
    """Create a new code and its secret. Another site can't make a browser replace its session with one."""
    if not is_our_page(page.request, page.site.address):
        raise Problem(say(messages.web.not_our_form))
    secret, _ = page.site.access.begin(_browser(page.request), page.address, page.secret)
    return _keeping(page, secret, page.goes_to("/sign-in"))


@router.get("/sign-in/state")
async def state(page: Opened) -> JSONResponse:
    """Whether the person has said the code."""
    return JSONResponse({"signed_in": page.caller is not None})


@router.post("/sign-in/inventree")
async def with_inventree(
    page: Opened,
    username: Annotated[str, Form(max_length=150)] = "",
    password: Annotated[str, Form(max_length=500)] = "",
    code: Annotated[str, Form(max_length=50)] = "",
) -> Response:
    """Sign in with an InvenTree user's name and password, if the settings allow it."""
    site = page.site
    if not site.access.inventree_login:
        raise Problem(say(messages.web.not_found))
    if not is_our_page(page.request, site.address):
        raise Problem(say(messages.web.not_our_form))
    login = Login(username, password, "".join(code.split()))
    try:
        secret = await site.access.by_password(login, _browser(page.request), page.address)
    except Problem as problem:
        return _sign_in(page, problem)
    return _keeping(page, secret, page.goes_to("/"))


@router.post("/sign-out")
async def sign_out(page: Sent) -> Response:
    """End this session."""
    page.site.access.end(page.person, page.person.access)
    response = page.goes_to("/sign-in")
    response.delete_cookie(cookie_name(page.site), secure=page.site.address.is_secure, httponly=True, samesite="lax")
    return response


def _keeping(page: Page, secret: str, response: Response) -> Response:
    response.set_cookie(
        cookie_name(page.site),
        secret,
        max_age=int(page.site.access.session.total_seconds()),
        secure=page.site.address.is_secure,
        httponly=True,
        samesite="lax",
    )
    return response


def _browser(request: Request) -> str:
    """The browser and system as text, so their owner recognises the session; '' if we know neither."""
    agent = request.headers.get("user-agent", "")
    names = ("Firefox", "Edg", "OPR", "Chrome", "Safari")
    systems = ("Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux")
    name = next((each for each in names if each in agent), "").replace("Edg", "Edge").replace("OPR", "Opera")
    system = next((each for each in systems if each in agent), "")
    return ", ".join(filter(None, (name, system)))


# --- reading -----------------------------------------------------------------------------------------------------


@router.get("/")
async def now(page: SignedIn) -> Response:
    """The first page: everything that waits for the person or is in progress."""
    reader = await page.reader()
    return page.shows("now.html", now=reader.now().__dict__)


@router.get("/transfers/{identifier}")
async def transfer(page: SignedIn, identifier: str) -> Response:
    """One transfer with its whole story, and its card."""
    reader = await page.reader()
    found = page.site.transfer(reader, identifier)
    return page.shows("transfer.html", story=reader.story(found, page.site.bot.audit(found.id)))


@router.get("/connections/{identifier}")
async def connection(page: SignedIn, identifier: str) -> Response:
    """A friendship with its card and its audit."""
    reader = await page.reader()
    found = reader.subject(identifier)
    if not isinstance(found, Connection):
        raise Problem(say(messages.web.not_in_your_rooms))
    noted = reader.entries(page.site.bot.audit(found.id))
    return page.shows("connection.html", connection=reader.connection(found), noted=noted)


@router.get("/api")
async def api(page: SignedIn) -> Response:
    """The page about the API."""
    return page.shows("api.html", calls=list(_calls(page.request.app.openapi())), with_code=_with_code)


def _with_code(text: str) -> Markup:
    """The text; what is between backquotes is shown as code."""
    pieces = text.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(each) if at % 2 else each for at, each in enumerate(pieces))


def _calls(schema: Mapping[str, Any]) -> list[tuple[str, str, str, str, list[tuple[str, str]]]]:
    return [
        (
            method.upper(),
            path,
            call["summary"],
            call.get("description", ""),
            [(each["name"], each.get("description", "")) for each in call.get("parameters", [])],
        )
        for path, methods in schema["paths"].items()
        for method, call in methods.items()
    ]


# --- lines and decisions -----------------------------------------------------------------------------------------


@router.post("/say")
async def send_line(
    page: Sent,
    line: Annotated[str, Form(max_length=LONGEST_LINE)],
    key: Field = "",
    subject: Field = "",
) -> Response:
    """Say a line, as in chat, and go to its answer."""
    said = await page.site.says(page.person, line.removeprefix("!fed "), key=key, subject=subject)
    return page.goes_to(f"/lines/{said.id}?about={subject}" if subject else f"/lines/{said.id}")


@router.get("/lines/{identifier}")
async def answer(page: SignedIn, identifier: str, about: str = "") -> Response:
    """The answer to a line."""
    reader = await page.reader()
    line = await page.site.line(page.person, identifier, 0)
    found = reader.subject(about) if about else None
    back = path_of(found) if found else "/"
    return page.shows("answer.html", said=reader.said(line), back=back, again=LOOK_AGAIN_AFTER)


def path_of(subject: Subject) -> str:
    """The path of the page of a transfer or friendship."""
    return f"/{'connections' if isinstance(subject, Connection) else 'transfers'}/{subject.id}"


async def decided(
    choice: Annotated[Choice, Form()],
    shown: Annotated[str, Form(max_length=64)],
    quantity: Field = "",
    note: Field = "",
    code: Field = "",
    key: Field = "",
) -> DecisionMade:
    """The decision in the form. Raises `Problem`."""
    return DecisionMade(choice, shown, quantity_in(quantity), note.strip(), code.strip(), key)


Made = Annotated[DecisionMade, Depends(decided)]


@router.post("/transfers/{identifier}/decision")
async def decide(page: Sent, identifier: str, made: Made) -> Response:
    """Decide on a transfer's card."""
    return await _decide(page, identifier, made)


@router.post("/connections/{identifier}/decision")
async def decide_on_connection(page: Sent, identifier: str, made: Made) -> Response:
    """Decide on a friendship's card."""
    return await _decide(page, identifier, made)


async def _decide(page: Page, identifier: str, made: DecisionMade) -> Response:
    found = (await page.reader()).subject(identifier)
    if found is None:
        raise Problem(say(messages.web.not_in_your_rooms))
    line = await page.site.decides(page.person, found, made)
    return page.goes_to(f"/lines/{line.id}?about={found.id}")


# --- sessions and tokens -----------------------------------------------------------------------------------------


@router.get("/access")
async def access(page: SignedIn) -> Response:
    """The person's sessions and tokens."""
    reader = await page.reader()
    return page.shows("access.html", held=reader.accesses(page.person.access), token="", addresses=[])


@router.post("/access/tokens")
async def make_token(
    page: Sent,
    name: Label,
    scope: Annotated[Scope, Form()],
    days: Annotated[int, Form(ge=1, le=365)],
) -> Response:
    """Make a token, and show it once."""
    token = page.site.access.make(page.person, AccessKind.TOKEN, name, scope, timedelta(days=days))
    reader = await page.reader()
    return page.shows("access.html", held=reader.accesses(page.person.access), token=token, addresses=[])


@router.post("/access/{identifier}/end")
async def end(page: Sent, identifier: str) -> Response:
    """End a session or token."""
    if not page.site.access.end(page.person, identifier):
        raise Problem(say(messages.web.no_such_token))
    return page.goes_to("/access")


async def to_sign_in(request: Request, _: Exception) -> Response:
    """Redirect a person who isn't signed in to the sign-in page."""
    return RedirectResponse(f"{Site.of(request).address.prefix}/sign-in", 303)


async def problem_page(request: Request, problem: Problem) -> Response:
    """The page that shows a problem."""
    site = Site.of(request)
    secret = request.cookies.get(cookie_name(site), "")
    page = Page(request, site, site.access.of_session(secret) if secret else None, secret)
    response = page.shows("problem.html", problem.status, detail=problem.document(site.locale(request)).detail)
    if problem.wait:
        response.headers["Retry-After"] = str(problem.wait)
    return response
