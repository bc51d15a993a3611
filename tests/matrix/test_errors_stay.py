"""Only the Chat port's problems leave the Matrix edge, whatever nio, aiohttp, peewee or Python raises."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import Mock

import aiohttp
import nio
import pytest
from peewee import PeeweeException

from fedbot.matrix import login
from fedbot.matrix.client import MatrixChat
from fedbot.matrix.errors import answered
from fedbot.matrix.login import Account, Session
from fedbot.ports.chat import ChatFault, ChatProblem, Delivery
from fedbot.ports.journal import LeaseLost

FOREIGN = [
    nio.EncryptionError("secret"),
    nio.RemoteProtocolError("secret"),
    aiohttp.ClientPayloadError("secret"),
    aiohttp.InvalidURL("secret"),
    ssl.SSLError("secret"),
    PeeweeException("secret"),
    EOFError("secret"),
    RuntimeError("secret"),
    KeyError("secret"),
    RecursionError("secret"),
]
by_name = pytest.mark.parametrize("error", FOREIGN, ids=lambda error: type(error).__name__)


class Broken:
    """In place of the connection and the keys: every call fails like this."""

    def __init__(self, error: Exception, folder: Path) -> None:
        self._error = error
        self.folder = folder
        self.encrypted_rooms: set[str] = set()
        self.config = nio.AsyncClientConfig(request_timeout=5)
        self.access_token = "token"

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        def fails(*_: object, **__: object) -> NoReturn:
            raise self._error

        return fails


CALLS: list[Callable[[MatrixChat], Awaitable[Any]]] = [
    lambda chat: chat.claim("1"),
    lambda chat: chat.sync(None, 0),
    lambda chat: chat.catch_up("s1"),
    lambda chat: chat.protocol_messages("!r"),
    lambda chat: chat.send(Delivery("!r", "m.room.message", {}, "t1")),
    lambda chat: chat.upload("!r", b"", "image/png", "a"),
    lambda chat: chat.download({"url": "mxc://x/1", "key": {}}, 1_000),
    lambda chat: chat.join("!r"),
    lambda chat: chat.leave("!r"),
    lambda chat: chat.resolve("#a:x"),
    lambda chat: chat.typing("!r", 1),
    lambda chat: chat.close(),
]


@by_name
async def test_no_method_of_the_chat_lets_it_out(error: Exception, tmp_path: Path) -> None:
    broken: Any = Broken(error, tmp_path)
    chat = MatrixChat(Session("https://x", "@b:x", "D", "token"), broken, broken)
    for call in CALLS:
        with pytest.raises(ChatProblem) as left:
            await call(chat)
        assert "secret" not in left.value.text


@by_name
async def test_errors_after_the_answer_stay_inside_too(error: Exception, tmp_path: Path) -> None:
    """The sync loop does more than request: it stores keys and reads rooms."""

    async def answer(*_: object, **__: object) -> nio.SyncResponse:
        return nio.SyncResponse(
            "s2", nio.Rooms({}, {}, {}), nio.DeviceOneTimeKeyCount(0, 0), nio.DeviceList([], []), [], [], []
        )

    class Answers(Broken):
        should_upload_keys = False

        async def tidy_keys(self) -> None:
            """Do nothing."""

        sync = staticmethod(answer)

    broken: Any = Answers(error, tmp_path)
    chat = MatrixChat(Session("https://x", "@b:x", "D", "token"), broken, broken)
    with pytest.raises(ChatFault) as left:
        await chat.sync(None, 0)
    assert type(error).__name__ in left.value.text
    assert "secret" not in left.value.text


@by_name
async def test_signing_in_lets_nothing_out(error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr(login, "new_client", connect)
    account = Account("https://x", "b", password="p")
    for sign_in in (login.sign_in, login.sign_in_anew):
        with pytest.raises(ChatProblem):
            await sign_in(account, tmp_path)
    login.keep_session(tmp_path, Session("https://x", "@b:x", "D", "t"), "matrix-earlier.json")
    with pytest.raises(ChatProblem):
        await login.sign_out_earlier(account, tmp_path)
    with pytest.raises(ChatProblem):
        await MatrixChat.open(account, tmp_path)


@by_name
async def test_a_single_request_lets_nothing_out(error: Exception) -> None:
    async def fails() -> object:
        raise error

    with pytest.raises(ChatProblem) as left:
        await answered("asking", fails, nio.WhoamiResponse)
    assert "secret" not in left.value.text


async def test_a_lost_claim_is_no_silence_of_the_homeserver() -> None:
    """Otherwise a worker that has lost the space would try the request again and again."""

    def may_not_act() -> NoReturn:
        raise LeaseLost("The space alpha is another worker's now.")

    connection = login.new_client("https://matrix.example.org", "@b:x", "D")
    connection.access_token, connection.may_act = "token", may_not_act
    with pytest.raises(LeaseLost):
        await connection.ask("asking for our keys", "POST", ["keys", "query"], {})
    with pytest.raises(LeaseLost):
        await answered("typing", lambda: connection.room_typing("!r"), nio.RoomTypingResponse)
    await connection.close()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (aiohttp.ClientConnectorDNSError(Mock(), OSError()), "its name isn't known"),
        (aiohttp.ClientConnectorError(Mock(), OSError()), "no connection"),
        (aiohttp.ClientConnectorCertificateError(Mock(), ssl.SSLCertVerificationError()), "matrix.ca_file"),
        (TimeoutError(), "not in time"),
    ],
)
async def test_the_reason_why_a_homeserver_does_not_answer_is_given_in_words(error: Exception, told: str) -> None:
    async def call() -> NoReturn:
        raise error

    with pytest.raises(ChatProblem) as problem:
        await answered("signing in", call, nio.LoginResponse)
    assert told in problem.value.text
    assert "Error" not in problem.value.text
