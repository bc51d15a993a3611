"""/api/user/token/ and /api/user/tokens/: get, list and revoke API tokens (facts: (f))."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import date, timedelta
from email.utils import format_datetime
from operator import attrgetter

from fedbot_demo.inventree.cleaning import cleaned_text
from fedbot_demo.inventree.endpoint import Call, Endpoint, signed_in
from fedbot_demo.inventree.exchange import InvalidError, JsonObject, NotFoundError, Reply, ServerError
from fedbot_demo.inventree.fields import Form
from fedbot_demo.inventree.listing import ordered, page, search
from fedbot_demo.inventree.records import Token, User
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.stock_json import day, minute
from fedbot_demo.inventree.users import user_brief

LIFETIME = timedelta(days=365)
_SESSION_SECONDS = 1209600
_LONGEST_NAME = 100
_SHOWN_FRONT, _SHOWN_BACK = 8, 12


def issue_token(state: State, user: User, name: str, expiry: date | None = None) -> Token:
    """A new token for `user`, valid for a year by default. Its key stays out of the repr."""
    key = f"inv-{state.new_secret()}-{state.today:%Y%m%d}"
    return state.tokens.put(
        Token(
            pk=state.tokens.next_pk,
            user=user.pk,
            name=name,
            key=key,
            created=state.now,
            expiry=expiry or state.today + LIFETIME,
        )
    )


def get_token(call: Call) -> Reply:
    """The caller's token of the requested name; a new one if there is no valid one.

    A token can get tokens too. The session cookie is only for browsers; a client should discard it.
    """
    name = cleaned_text("name", call.query.text("name"), call.state.version).replace(" ", "-")[:_LONGEST_NAME]
    token = next(
        (
            each
            for each in call.state.tokens.find("user", call.user.pk)
            if each.name == name and not each.revoked and each.expiry >= call.state.today
        ),
        None,
    ) or issue_token(call.state, call.user, name)
    expires = format_datetime(call.state.now + timedelta(seconds=_SESSION_SECONDS), usegmt=True)
    cookie = f"sessionid={secrets.token_hex(16)}; expires={expires}; HttpOnly; Max-Age={_SESSION_SECONDS}; Path=/"
    if call.token is not None and call.state.version.token_gets_no_other_token:
        return Reply(ServerError("ValueError", call.request.path).content, 500)  # the token exists all the same
    content = {"token": token.key, "name": token.name, "expiry": day(token.expiry)}
    return Reply(content, headers=(("Set-Cookie", cookie),) if call.state.version.sets_session_cookie else ())


def redacted(key: str) -> str:
    """A key as lists show it, with its middle hidden."""
    hidden = len(key) - _SHOWN_FRONT - _SHOWN_BACK
    return key[:_SHOWN_FRONT] + "*" * hidden + key[-_SHOWN_BACK:]


def token_json(call: Call, token: Token) -> JsonObject:
    """A token without its key."""
    owner = call.state.users[token.user]
    content: JsonObject = {
        "created": minute(token.created),
        "expiry": day(token.expiry),
        "id": token.pk,
        "last_seen": day(token.last_seen),
        "name": token.name,
        "token": redacted(token.key),
        "active": not token.revoked and token.expiry >= call.state.today,
        "revoked": token.revoked,
        "user": token.user,
        "user_detail": user_brief(owner),
        "in_use": call.token is not None and call.token.pk == token.pk,
    }
    return call.state.version.told("token", content)


def _visible(call: Call) -> list[Token]:
    """One's own tokens, or all users' if a superuser asks for them (others' wish is ignored)."""
    if call.user.is_superuser and call.query.text("all_users") and call.state.version.makes_tokens:
        return list(call.state.tokens)
    return call.state.tokens.find("user", call.user.pk)


def list_tokens(call: Call) -> Reply:
    """The tokens that the caller may see, including revoked ones."""
    found = _visible(call)
    owner = call.query.row("user", call.state.users)
    call.query.check()
    revoked = call.query.flag("revoked")
    if owner is not None:
        found = [token for token in found if token.user == owner.pk]
    if revoked is not None:
        found = [token for token in found if token.revoked == revoked]
    keys = {name: attrgetter(name) for name in ("created", "expiry", "last_seen", "user", "name", "revoked")}
    rows = ordered(search(found, call.query, lambda token: (token.name, token.key)), call.query, keys)
    return page(call.request, call.query, rows, lambda token: token_json(call, token))


def create_token(call: Call) -> Reply:
    """Create a token; a superuser can create one for another user. Only this reply holds its key."""
    form = Form(call.row_fields())
    form.text("name", longest=_LONGEST_NAME)
    form.day("expiry")
    owner = form.row("user", call.state.users) or call.user
    values = form.check()
    if (
        owner.pk != call.user.pk
        and not call.user.is_superuser
        and not call.state.version.anybody_makes_tokens_for_others
    ):
        raise InvalidError({"non_field_errors": ["Only a superuser can create a token for another user"]})
    token = issue_token(call.state, owner, values.get("name", ""), values.get("expiry"))
    return Reply(token_json(call, token) | {"token": token.key}, 201)


def _find_token(call: Call) -> Token:
    token = next((each for each in _visible(call) if each.pk == call.pk), None)
    if token is None:
        raise NotFoundError.of_row("ApiToken")
    return token


def read_token(call: Call) -> Reply:
    """One token."""
    return Reply(token_json(call, _find_token(call)))


def revoke_token(call: Call) -> Reply:
    """Revoke a token: mark the row."""
    call.state.tokens.put(replace(_find_token(call), revoked=True))
    return Reply(status=204)


def endpoints() -> list[Endpoint]:
    """Both addresses for getting a token, and the tokens themselves."""
    cookie = "Cookie, Authorization, origin, Accept-Language"
    return [
        Endpoint("user/token/", {"GET": get_token}, signed_in, vary=cookie),
        Endpoint("user/me/token/", {"GET": get_token}, signed_in, vary=cookie, when="gives_token_at_me"),
        Endpoint("user/tokens/", {"GET": list_tokens, "POST": create_token}, signed_in, when="makes_tokens"),
        Endpoint("user/tokens/", {"GET": list_tokens}, signed_in, also="DELETE", when="only_lists_tokens"),
        Endpoint("user/tokens/#/", {"GET": read_token, "DELETE": revoke_token}, signed_in, when="lists_tokens"),
    ]
