"""/api/auth/v1/…: signing in as InvenTree's own pages do, with a second factor (facts: 'Second factor').

Everything else accepts a password or token without the second factor, as a real server does.
"""

from __future__ import annotations

import secrets
from http import HTTPStatus
from http.cookies import SimpleCookie

from fedbot_demo.inventree.access import SESSION_COOKIE, cookies_of, password_fits
from fedbot_demo.inventree.endpoint import Call, Endpoint, anyone
from fedbot_demo.inventree.exchange import ForbiddenError, JsonObject, Reply
from fedbot_demo.inventree.records import SignedIn, User

_CSRF_COOKIE = "csrftoken"


def config(call: Call) -> Reply:
    """Tell a client the ways to sign in, and give it the cookie that protects forms."""
    del call
    content = {"account": {"login_methods": ["username"]}, "mfa": {"supported_types": ["totp", "recovery_codes"]}}
    return Reply({"status": 200, "data": content}, headers=(_cookie(_CSRF_COOKIE, secrets.token_hex(16)),))


def log_in(call: Call) -> Reply:
    """Begin a session by name and password. It waits for the second factor of an account that has one."""
    _check_form(call)
    content = call.data()
    found = call.state.users.find("username", content.get("username"))
    if not found or not password_fits(found[0], str(content.get("password", ""))):
        return _refused("username_password_mismatch", "The username and/or password you specified are not correct.")
    user, session = found[0], secrets.token_hex(16)
    if not user.is_active:
        return _state(user)
    call.state.sessions[session] = SignedIn(user.pk, waits=bool(user.second_factor))
    reply = _state(user, pending="mfa_authenticate") if user.second_factor else _state(user, signed_in=True)
    return Reply(reply.content, reply.status, (_cookie(SESSION_COOKIE, session),))


def second_factor(call: Call) -> Reply:
    """Check the code that the person's app shows. The page then asks whether to trust the browser."""
    _check_form(call)
    name = cookies_of(call.request).get(SESSION_COOKIE, "")
    session = call.state.sessions.get(name)
    if session is None or not session.waits:
        return Reply({"status": 401, "data": {"flows": [{"id": "login"}]}, "meta": {"is_authenticated": False}}, 401)
    user = call.state.users[session.user]
    if str(call.data().get("code", "")) != user.second_factor:
        return _refused("incorrect_code", "Incorrect code.")
    return _state(user, pending="mfa_trust")


def log_out(call: Call) -> Reply:
    """End the session, whatever state it is in."""
    _check_form(call)
    call.state.sessions.pop(cookies_of(call.request).get(SESSION_COOKIE, ""), None)
    return Reply({"status": 401, "data": {"flows": [{"id": "login"}]}, "meta": {"is_authenticated": False}}, 401)


def _check_form(call: Call) -> None:
    """Refuse a call that another site may have made a browser send."""
    token = cookies_of(call.request).get(_CSRF_COOKIE, "")
    if not token or call.request.header("X-CSRFToken") != token:
        raise ForbiddenError("CSRF verification failed.")


def _state(user: User, *, signed_in: bool = False, pending: str = "") -> Reply:
    """The state of the sign-in: 200 once the person is signed in, else 401 with the pending step."""
    if signed_in:
        content: JsonObject = {"status": 200, "data": {"user": {"id": user.pk, "username": user.username}}}
        return Reply({**content, "meta": {"is_authenticated": True}})
    flows: list[JsonObject] = [{"id": "login"}, {"id": "mfa_login_webauthn"}]
    if pending:
        types = {"types": list(user.factor_types)} if pending == "mfa_authenticate" else {}
        flows.append({"id": pending, "is_pending": True, **types})
    return Reply({"status": 401, "data": {"flows": flows}, "meta": {"is_authenticated": False}}, 401)


def _refused(code: str, message: str) -> Reply:
    return Reply({"status": 400, "errors": [{"message": message, "code": code}]}, HTTPStatus.BAD_REQUEST)


def _cookie(name: str, value: str) -> tuple[str, str]:
    made: SimpleCookie = SimpleCookie({name: value})
    made[name]["path"] = "/"
    return "Set-Cookie", made[name].OutputString()


def endpoints() -> list[Endpoint]:
    """The addresses of a browser that signs in."""
    when = "signs_in_by_session"
    return [
        Endpoint("auth/v1/config", {"GET": config}, anyone, plain=True, when=when),
        Endpoint("auth/v1/auth/login", {"POST": log_in}, anyone, plain=True, when=when),
        Endpoint("auth/v1/auth/2fa/authenticate", {"POST": second_factor}, anyone, plain=True, when=when),
        Endpoint("auth/v1/auth/session", {"DELETE": log_out}, anyone, plain=True, when=when),
    ]
