"""The caller and its permissions: authentication, roles (facts: SECURITY, (e), (f))."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from http.cookies import SimpleCookie

from fedbot_demo.inventree.exchange import FactorNeededError, NotAuthenticatedError, Request
from fedbot_demo.inventree.records import ROLES, Token, User
from fedbot_demo.inventree.state import State

#: The roles that give a permission on a model; one of them is enough.
MODEL_ROLES: dict[str, tuple[str, ...]] = {
    "part": ("part", "build"),
    "partcategory": ("part_category", "build"),
    "stockitem": ("stock", "build"),
    "stockitemtracking": ("stock",),
    "stocklocation": ("stock_location", "build"),
    "company": ("purchase_order", "sales_order", "return_order"),
    "salesorder": ("sales_order",),
    "returnorder": ("return_order",),
    "transferorder": ("transfer_order",),
    "user": ("admin",),
    "group": ("admin",),
}

#: InvenTree's name for the action behind each HTTP method.
ACTIONS = {
    "GET": "view",
    "HEAD": "view",
    "POST": "add",
    "PUT": "change",
    "PATCH": "change",
    "DELETE": "delete",
}

SESSION_COOKIE = "sessionid"
ENFORCE_MFA = "LOGIN_ENFORCE_MFA"
_OPEN_WITHOUT_FACTOR = frozenset({"/api/", "/api/user/me/", "/api/user/roles/", "/api/user/token/"})
"""The addresses open to a session without a second factor, if the server requires one (facts: 'Second factor')."""
RULES = ("view", "add", "change", "delete")


@dataclass(frozen=True, slots=True)
class Session:
    """The caller. `token` is None with basic authentication; `user` is None without credentials."""

    user: User | None = None
    token: Token | None = None


def hash_password(password: str) -> str:
    """A salted hash.

    It is cheap on purpose: the accounts are made up, and tests gain nothing from a real server's 40 to 130 ms a call.
    """
    salt = secrets.token_hex(8)
    return f"{salt}${_digest(salt, password)}"


def _digest(salt: str, password: str) -> str:
    return hashlib.blake2b(password.encode(), salt=salt.encode()[:16]).hexdigest()


def password_fits(user: User, password: str) -> bool:
    """Whether it is the user's password."""
    salt, _, digest = user.password_hash.partition("$")
    return bool(digest) and hmac.compare_digest(digest, _digest(salt, password))


def authenticate(state: State, request: Request) -> Session:
    """The caller by the Authorization header; no user if there is none or its scheme is unknown.

    Raises:
        NotAuthenticatedError: The credentials are wrong, even where none are needed.
    """
    scheme, _, value = request.header("Authorization").partition(" ")
    if scheme.lower() == "token":
        return _by_token(state, value.strip())
    if scheme.lower() == "basic":
        return Session(_by_password(state, value.strip()))
    return _by_cookie(state, request)


def cookies_of(request: Request) -> dict[str, str]:
    """The cookies that the client sends."""
    return {name: each.value for name, each in SimpleCookie(request.header("Cookie")).items()}


def _by_cookie(state: State, request: Request) -> Session:
    session = state.sessions.get(cookies_of(request).get(SESSION_COOKIE, ""))
    if session is None or session.waits:
        return Session()
    if state.setting(ENFORCE_MFA) == "True" and request.path not in _OPEN_WITHOUT_FACTOR:
        raise FactorNeededError
    return Session(state.users[session.user])


def _by_token(state: State, key: str) -> Session:
    found = state.tokens.find("key", key)
    user = state.users.get(found[0].user) if found else None
    if not found or user is None:
        raise NotAuthenticatedError("Invalid token.")
    token = found[0]
    if not user.is_active:
        raise NotAuthenticatedError("User inactive or deleted.")
    if token.revoked:
        raise NotAuthenticatedError("Token has been revoked")
    if token.expiry < state.today:
        raise NotAuthenticatedError("Token has expired")
    if token.last_seen != state.today:
        token = state.tokens.put(replace(token, last_seen=state.today))
    return Session(user, token)


def _by_password(state: State, encoded: str) -> User:
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise NotAuthenticatedError("Invalid basic header. Credentials not correctly base64 encoded.") from error
    found = state.users.find("username", name)
    if not found or not found[0].is_active or not password_fits(found[0], password):
        raise NotAuthenticatedError("Invalid username/password.")
    return found[0]


def has_role(state: State, user: User, role: str, action: str) -> bool:
    """Whether one of the user's groups gives `action` (view, add, change, delete) in `role`."""
    if user.is_superuser:
        return user.is_active
    return user.is_active and any(
        getattr(rule, f"can_{action}")
        for group in user.groups
        for rule in state.rule_sets.find("group", group)
        if rule.name == role
    )


def may(state: State, user: User, model: str, action: str) -> bool:
    """Whether the user may do `action` to rows of `model`."""
    return any(has_role(state, user, role, action) for role in MODEL_ROLES.get(model, ())) or user.is_superuser


def roles_of(state: State, user: User) -> dict[str, list[str] | None]:
    """The user's roles as InvenTree lists them: per role its actions, or null."""
    return {
        role: [action for action in RULES if has_role(state, user, role, action)] or None
        for role in state.version.roles(ROLES)
    }
