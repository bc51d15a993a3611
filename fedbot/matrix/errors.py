"""The errors at the Matrix edge: reports of nio, aiohttp and the store of keys become problems of the Chat port.

| problem | when | consequence |
|---|---|---|
| `ChatUnreachable` | no answer, a 5xx, or an unreadable answer | the same request again, later |
| `ChatLimited` | 429 | the same request again, after `retry_after` |
| `ChatRefused` | a definite refusal | never again |
| `DeviceTaken` | a refusal too: the homeserver has other keys for our device | a new device |
| `BadContent` (`content`), `NoChart` (`chart`) | it can't be sent, or drawn | never again |
| `ChatSignedOut` | the token is no longer valid | the bot ends |
| `ChatFault` | unforeseen | the message is set aside; a sync is tried again |

`JournalProblem` is possible too: the keys can't be written, or another worker has the space. Nothing else is raised:
`answered` covers one request, and `nothing_foreign` the rest of a method. Nio returns most errors instead of raising
them; with `max_timeouts=0` it raises aiohttp's. Our texts contain no token: they name the request, Matrix's code and
its message.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import aiohttp
import nio

from fedbot.ports.chat import ChatFault, ChatLimited, ChatProblem, ChatRefused, ChatSignedOut, ChatUnreachable
from fedbot.ports.journal import JournalProblem

_SIGNED_OUT = {"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED", "M_USER_LOCKED"}
_TOO_MANY = 429
_SERVER_ERROR = 500
_DEFAULT_PAUSE = 5.0
"""Seconds to wait after a 429 without a time (Synapse's default allows one event in five seconds)."""

P = ParamSpec("P")
R = TypeVar("R")
log = logging.getLogger(__name__)


class DeviceTaken(ChatRefused):
    """The homeserver has other keys for our device than we have: we need a new device."""


def nothing_foreign(call: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Decorator: the call raises only the errors in this module's table. An unexpected one becomes a `ChatFault`."""

    @wraps(call)
    async def guarded(*given: P.args, **named: P.kwargs) -> R:
        try:
            return await call(*given, **named)
        except (ChatProblem, JournalProblem):
            raise
        except Exception as fault:
            log.exception("%s failed unforeseen", call.__name__)
            what = f"{call.__name__.replace('_', ' ')} failed unforeseen ({type(fault).__name__}; see the log)"
            raise ChatFault(what, "unforeseen") from fault

    return guarded


async def answered(act: str, call: Callable[[], Awaitable[object]], expected: type[R]) -> R:
    """The call's result, if it is of the expected class of response.

    Args:
        act: the action, for the error's text: 'sending to !room'.
        call: makes one request with nio.
        expected: nio's class for success.

    Raises:
        ChatUnreachable: no answer in time, a 5xx, or an unreadable answer. The request may have been carried out.
        ChatLimited: a 429.
        ChatSignedOut: the token is no longer valid.
        ChatRefused: any other 4xx.
        JournalProblem: another worker has the space, so nothing was sent.
    """
    try:
        response = await call()
    except JournalProblem:
        raise
    except nio.LocalProtocolError as error:
        # After a soft logout, nio drops the token and then sends no request.
        raise ChatSignedOut(f"{act}: not signed in", "M_UNKNOWN_TOKEN") from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ChatUnreachable(f"{act}: the homeserver doesn't answer ({_why(error)})") from error
    except Exception as error:
        # Nio fails on fields that only a broken homeserver or proxy gets wrong, and on endless nesting.
        what = type(error).__name__
        raise ChatUnreachable(f"{act}: the homeserver's answer can't be read ({what})") from error
    if isinstance(response, expected):
        return response
    raise problem_of(act, response)


def problem_of(act: str, response: object) -> ChatProblem:
    """The error that a nio response means."""
    if not isinstance(response, nio.ErrorResponse):
        return ChatUnreachable(f"{act}: the homeserver's answer can't be read")
    transport = response.transport_response
    status = transport.status if transport is not None else 0
    code = response.status_code or ""
    text = f"{act}: {code or status} {response.message}"
    if code == "M_LIMIT_EXCEEDED" or status == _TOO_MANY:
        return ChatLimited(text, code or "M_LIMIT_EXCEEDED", _pause(response))
    if code in _SIGNED_OUT:
        return ChatSignedOut(text, code)
    if not code:
        # An answer without a code is not from Matrix, whatever its status, but from a proxy or another server.
        what = f"answered {status}, and" if status else "answered, but"
        return ChatUnreachable(f"{act}: the server at this address {what} not as a Matrix homeserver does")
    if status >= _SERVER_ERROR:
        return ChatUnreachable(text, code)
    return ChatRefused(text, code)


def _pause(response: nio.ErrorResponse) -> float:
    """Seconds to wait, from the body or the Retry-After header."""
    if isinstance(response.retry_after_ms, int) and response.retry_after_ms > 0:
        return response.retry_after_ms / 1000
    header = response.transport_response.headers.get("Retry-After", "") if response.transport_response else ""
    return float(header) if header.isascii() and header.isdigit() else _DEFAULT_PAUSE


_CAUSES: tuple[tuple[type[BaseException], str], ...] = (
    (
        aiohttp.ClientConnectorCertificateError,
        "its certificate isn't trusted; for one of your own: matrix.ca_file",
    ),
    (aiohttp.ClientConnectorDNSError, "its name isn't known"),
    (aiohttp.ClientConnectorError, "no connection"),
    (TimeoutError, "not in time"),
)


def _why(error: BaseException) -> str:
    """Why there was no answer: in words, or by the library's name for the error."""
    return next((words for kind, words in _CAUSES if isinstance(error, kind)), type(error).__name__)
