"""Identifies callers: sign-in by code or InvenTree, sessions, tokens, and rate limits.

Secrets are created here and shown once; the journal stores their hashes. Codes that wait for their person are only in
memory, so strangers who load the page write nothing. No stranger can lock anybody out: if there are too many codes, the
network that asked for the most loses its own. Password tries are counted by the network that they come from, never by
the name alone.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from fedbot import messages
from fedbot.ports.inventory import InventoryProblem, Refusal
from fedbot.rules import web
from fedbot.rules.model.command import MOST_TOKENS, SIGN_IN_WITHIN, AccessKind, Scope, WebAccess
from fedbot.rules.model.effects import say
from fedbot.rules.model.events import AccessEnded, AccessGiven
from fedbot.rules.model.queries import SignInFound
from fedbot.rules.model.stock import Permission, Permissions
from fedbot.web.site.bot import Bot
from fedbot.web.site.guard import networks
from fedbot.web.site.problems import Problem

PREFIX = "fed_"
"""The prefix of our secrets. People, scanners and our own log recognise them by it."""
CODE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 8
MOST_WAITING = 5_000
"""The number of codes that may be shown at a time. One more replaces one of the network that shows most."""
RIGHTS_HOLD = timedelta(seconds=10)
"""The time that permissions read from InvenTree stay valid for reading. Acting reads them again."""
MOST_CALLERS = 10_000
PASSWORDS_A_MINUTE = 10
"""The number of passwords that one network may try for one InvenTree user."""

Told = TypeVar("Told")


@dataclass(frozen=True)
class Caller:
    """One of our people, identified. `access` is the hash of their session or token; '' for an InvenTree token.

    `token` is the name of the token of our own that they use.
    """

    person: str
    username: str
    scope: Scope
    access: str = ""
    proven: bool = False
    token: str = ""

    @property
    def may_act(self) -> bool:
        """Whether the caller may act, not only read."""
        return self.scope is Scope.ACT


@dataclass(frozen=True)
class Login:
    """A person's login in InvenTree. `code` is the one of their second factor, without blanks; '' without one."""

    username: str
    password: str = field(repr=False)
    code: str = field(repr=False)


@dataclass(frozen=True)
class _Waiting:
    """A page that shows a code until a person says it."""

    access: str
    browser: str
    until: datetime
    networks: tuple[str, ...]


def hash_of(secret: str) -> str:
    """The hash under which a secret is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _made() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def form_token(session_secret: str) -> str:
    """The token in each form of a session, which prevents other sites from sending one."""
    return hmac.new(session_secret.encode(), b"form", hashlib.sha256).hexdigest()


class Limiter:
    """Limits each caller's calls per minute, half of which may come at once (a token bucket)."""

    def __init__(self, a_minute: int) -> None:
        self._every = timedelta(minutes=1) / a_minute
        self._burst = max(a_minute // 2, 1)
        self._full_at: OrderedDict[str, datetime] = OrderedDict()

    def wait(self, who: str, now: datetime) -> int:
        """Count one call; return 0 if it is within the limit, else the seconds to wait."""
        whole = self._burst * self._every
        full_at = max(min(self._full_at.get(who, now), now + whole), now) + self._every
        if full_at > now + whole:
            return int((full_at - whole - now).total_seconds()) + 1
        self._full_at[who] = full_at
        self._full_at.move_to_end(who)
        if len(self._full_at) > MOST_CALLERS:
            self._full_at.popitem(last=False)
        return 0


class Codes:
    """The codes that pages show at the moment, in memory."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()
        self._codes: dict[str, str] = {}

    def show(self, page: _Waiting, now: datetime) -> str:
        """Create a new code for this page."""
        while self._waiting and next(iter(self._waiting.values())).until <= now:
            self.take(next(iter(self._waiting)))
        if len(self._waiting) >= MOST_WAITING:
            self.take(self._code_to_drop())
        letters = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
        code = f"{letters[:4]}-{letters[4:]}"
        self._waiting[code], self._codes[page.access] = page, code
        return code

    def of(self, access: str, now: datetime) -> str:
        """The code of the page with this hash; '' if there is none."""
        code = self._codes.get(access, "")
        return code if code and self._waiting[code].until > now else ""

    def take(self, code: str) -> _Waiting | None:
        """Remove a code, and return the page that showed it; None if there is none."""
        found = self._waiting.pop(code, None)
        if found is not None:
            del self._codes[found.access]
        return found

    def _code_to_drop(self) -> str:
        """The oldest code of the network that shows the most codes: by the widest networks first, then within one."""
        codes = list(self._waiting)
        for width in range(len(self._waiting[codes[0]].networks)):
            shown = [self._waiting[code].networks[width] for code in codes]
            fullest = Counter(shown).most_common(1)[0][0]
            codes = [code for code, network in zip(codes, shown, strict=True) if network == fullest]
        return codes[0]


async def _told(asked: Awaitable[Told], refused: Callable[..., object] = messages.web.inventory_refuses) -> Told:
    """Await InvenTree's answer. Raises `Problem` if it refuses (with the sentence `refused`), or doesn't answer."""
    try:
        return await asked
    except Refusal as no:
        raise Problem(say(refused, problem=no.problem)) from no
    except InventoryProblem as silent:
        raise Problem(say(messages.web.inventory_silent, problem=silent.problem)) from silent


class Access:
    """Sessions and tokens of one bot's pages and API."""

    def __init__(
        self,
        bot: Bot,
        *,
        calls_a_minute: int,
        strangers_calls_a_minute: int,
        session: timedelta,
        inventree_login: bool,
    ) -> None:
        self.inventree_login = inventree_login
        self._bot = bot
        self.session = session
        self._callers = Limiter(calls_a_minute)
        self._strangers = Limiter(strangers_calls_a_minute)
        self._passwords = Limiter(PASSWORDS_A_MINUTE)
        self._codes = Codes()
        self._permissions: dict[str, tuple[datetime, Permissions]] = {}
        bot.answers_sign_ins(self._shown)

    # --- signing in ---

    def begin(self, browser: str, address: str, before: str = "") -> tuple[str, str]:
        """Start a sign-in by code; return the secret for the page's cookie, and the code to show.

        `address` is the caller's network address. The code of the page's earlier secret, `before`, no longer counts.
        """
        now, secret = self._bot.now(), _made()
        self._codes.take(self.code_of(before))
        page = _Waiting(hash_of(secret), browser, now + SIGN_IN_WITHIN, networks(address))
        return secret, self._codes.show(page, now)

    def code_of(self, secret: str) -> str:
        """The code of the page with this secret; '' once it has ended."""
        return self._codes.of(hash_of(secret), self._bot.now())

    def _shown(self, code: str) -> SignInFound:
        found = self._codes.take(code)
        if found is None or found.until <= self._bot.now():
            return SignInFound()
        return SignInFound(found.access, found.browser)

    async def by_password(self, login: Login, browser: str, address: str) -> str:
        """The secret of a new session. Raises `Problem` if InvenTree refuses the login, or it is a stranger's."""
        customer = networks(address)[1]
        self._too_many(self._passwords.wait(f"{customer} {login.username.casefold()}", self._bot.now()))
        found = self._bot.user_by_password(login.username, login.password, login.code)
        user = await _told(found, messages.web.login_refused)
        person = self._person(user) if user else None
        if user is None or person is None:
            raise Problem(say(messages.web.login_wrong))
        return self._give(person, user, AccessKind.SESSION, browser, Scope.ACT, self.session)

    def make(self, caller: Caller, kind: AccessKind, name: str, scope: Scope, lasts: timedelta) -> str:
        """Create a token or secret address for the caller; return its secret.

        Raises `Problem` if they have too many.
        """
        return self._give(caller.person, caller.username, kind, name, scope, lasts)

    def _give(self, person: str, username: str, kind: AccessKind, name: str, scope: Scope, lasts: timedelta) -> str:
        now, secret = self._bot.now(), _made()
        access = WebAccess(hash_of(secret), kind, person, username, name, now, now + lasts, scope)
        self._bot.put(AccessGiven(now, access))
        if self._bot.turn().get(WebAccess, access.id) is None:
            raise Problem(say(messages.web.holds_too_much, most=MOST_TOKENS))
        return secret

    def end(self, caller: Caller, beginning: str) -> bool:
        """End the caller's sessions and tokens with that beginning of the hash (8 characters or more).

        False if none has it.
        """
        held = web.held_by(self._bot.turn(), caller.person)
        found = [each for each in held if len(beginning) >= 8 and each.id.startswith(beginning)]  # noqa: PLR2004
        for access in found:
            self._bot.put(AccessEnded(self._bot.now(), access.id, caller.person))
        return bool(found)

    # --- identifying callers ---

    def of_session(self, secret: str) -> Caller | None:
        """The caller with this session; None if it isn't valid."""
        return self._of(secret, AccessKind.SESSION)

    def of_token(self, secret: str) -> Caller | None:
        """The caller with this token; None if it isn't valid."""
        return self._of(secret, AccessKind.TOKEN)

    def of_address(self, secret: str, kind: AccessKind) -> Caller | None:
        """The caller with this secret address of a feed or screen; None if it isn't valid."""
        return self._of(secret, kind)

    def _of(self, secret: str, kind: AccessKind) -> Caller | None:
        turn = self._bot.turn()
        access = turn.get(WebAccess, hash_of(secret))
        if access is None or access.kind is not kind or not web.opens(turn, access):
            return None
        token = access.name if kind is AccessKind.TOKEN else ""
        return Caller(access.person, access.username, access.scope, access.id, access.proven, token)

    async def of_inventree(self, token: str) -> Caller | None:
        """The person with this InvenTree token, if it is one of our people; else None."""
        user = await _told(self._bot.user_by_token(token))
        person = self._person(user) if user else None
        return Caller(person, user, Scope.ACT) if user and person else None

    def _person(self, username: str) -> str | None:
        """The person with this InvenTree user, if it is one of our people; None for nobody, or several."""
        people = [person for person, user in self._bot.turn().us.people.items() if user == username]
        return people[0] if len(people) == 1 else None

    async def permissions(self, caller: Caller) -> Permissions:
        """The caller's permissions. Raises `Problem` if they aren't an active user, or InvenTree doesn't answer."""
        now = self._bot.now()
        at, permissions = self._permissions.get(caller.username, (now - RIGHTS_HOLD, Permissions(caller.username)))
        if at + RIGHTS_HOLD <= now:
            permissions = await _told(self._bot.permissions(caller.username))
            self._permissions[caller.username] = (now, permissions)
        if not permissions.covers(Permission.MAPPED):
            raise Problem(say(messages.web.not_active))
        return permissions

    def count(self, who: str) -> None:
        """Count a call by this person. Raises `Problem` if there are too many."""
        self._too_many(self._callers.wait(who, self._bot.now()))

    def count_stranger(self, address: str) -> None:
        """Count a call from this network address by a person who isn't signed in. Raises like `count`."""
        self._too_many(self._strangers.wait(address, self._bot.now()))

    @staticmethod
    def _too_many(wait: int) -> None:
        if wait:
            raise Problem(say(messages.web.too_many_calls, wait=timedelta(seconds=wait)), wait=wait)
