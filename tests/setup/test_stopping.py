"""Leaving `fedbot init` early, or running it without a terminal: a sentence, no traceback, nothing made."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from fedbot.cli.exits import Exit
from fedbot.cli.main import main
from fedbot.matrix.login import Account, Session
from fedbot.ports.chat import ChatLimited
from fedbot.ports.inventory import Unavailable
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.setup import conversation, inventree, matrix
from fedbot.setup.asking import Stopped
from fedbot.setup.plan import Change, MakeAdminToken, MakeToken, Plan
from fedbot.setup.written import Files
from tests.setup.terminal import fedbot

if TYPE_CHECKING:
    from fedbot.setup.asking import Asker
    from fedbot.setup.conversation import Chosen


@pytest.mark.parametrize(
    ("key", "told"), [("\x03", "Stopped. Everything created so far stays"), ("\x04", "nobody to answer")]
)
async def test_leaving_at_a_question_says_how_to_continue(key: str, told: str, tmp_path: Path) -> None:
    with fedbot(tmp_path, "init") as typist:
        await typist.reads(r"\[1/8\].*:")
        typist.presses(key)
        await typist.reads(told, pressing=key)
        assert await typist.ends() == Exit.FAILED
        assert "Traceback" not in typist.screen
    assert not os.listdir(tmp_path)  # noqa: PTH208 -- nothing async needs it


def test_without_a_terminal_it_says_how_to_give_the_answers(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fedbot", "init", str(tmp_path / "config.yaml")]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert ended.returncode == Exit.FAILED
    assert ended.stderr == "There is nobody to ask. In a script, give the answers with --answers FILE.\n"


async def test_a_folder_that_can_not_be_written_is_reported_before_the_first_question(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file\n")
    with fedbot(tmp_path, "init", "taken/config.yaml") as typist:
        assert await typist.ends() == Exit.FAILED
    assert "taken can't be written: Not a directory" in typist.screen
    assert typist.questions == 0


async def test_a_folder_whose_path_is_too_long_is_reported_before_the_first_question(tmp_path: Path) -> None:
    with fedbot(tmp_path, "init", f"{'long' * 25}/config.yaml") as typist:
        assert await typist.ends() == Exit.FAILED
    assert "its path is too long for a socket in it" in " ".join(typist.screen.split())
    assert typist.questions == 0


def test_answers_without_a_question_are_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = tmp_path / "answers.yaml"
    answers.write_text("inventre: https://inventree.example.org\n")
    assert main(["init", str(tmp_path / "config.yaml"), "--answers", str(answers)]) == Exit.USAGE
    assert "no question is called inventre. The file may have: inventree, " in capsys.readouterr().err
    assert main(["init", "--answers", str(tmp_path / "none.yaml")]) == Exit.USAGE
    assert "can't be read (No such file or directory)" in capsys.readouterr().err


async def test_a_limit_on_logins_is_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    waited: list[float] = []
    told: list[str] = []

    async def sign_in(account: Account, folder: Path) -> tuple[Session, object]:
        del folder
        if not waited:
            raise ChatLimited("The homeserver takes no more logins.", "M_LIMIT_EXCEEDED", 9.0)
        return Session(account.homeserver, account.user, "DEVICE", "token"), object()

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(matrix, "sign_in", sign_in)
    monkeypatch.setattr(conversation, "sleep", sleep)
    talk = conversation.Conversation(cast("Asker", SimpleNamespace(say=told.append)), Files(tmp_path / "config.yaml"))
    bot = await talk._signed_in(Account("http://127.0.0.1", "@bot:example.org", password="right"), tmp_path)
    assert bot.user_id == "@bot:example.org"
    assert (waited, told) == ([9.0], ["The homeserver allows the next login in 9 s. Waiting until then."])


async def test_a_server_that_accepts_and_never_answers_is_named_while_it_is_waited_for(tmp_path: Path) -> None:
    held: list[asyncio.StreamWriter] = []

    async def accepts(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    server = await asyncio.start_server(accepts, "127.0.0.1", 0)
    url = "http://127.0.0.1:{1}".format(*server.sockets[0].getsockname())
    with fedbot(tmp_path, "init") as typist:
        await typist.reads(r"\[1/8\].*:")
        typist.types(url)
        await typist.reads(rf"Waiting for {re.escape(url)} \(up to 10 seconds a call\)")
        held[0].close()
        await typist.reads("sent an answer that I can't read")
    server.close()


@pytest.mark.parametrize(
    ("fault", "raised"),
    [(KeyboardInterrupt(), KeyboardInterrupt), (Unavailable(Plain(Fault.ACCESS_STAYS)), Stopped), ("full", OSError)],
    ids=["ctrl-c", "silent", "full disk"],
)
@pytest.mark.parametrize("change", [MakeAdminToken(), MakeToken("fedbot")])
async def test_a_token_that_may_have_been_made_and_is_not_stored_is_named(
    change: Change,
    fault: BaseException | str,
    raised: type[BaseException],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    told: list[str] = []
    files = Files(tmp_path / "config.yaml")
    talk = conversation.Conversation(cast("Asker", SimpleNamespace(say=told.append)), files)

    def ends(*_: object, **__: object) -> str:
        if isinstance(fault, BaseException):
            raise fault
        files.secrets.write_text("in the way of the folder")
        return "inv-token"

    monkeypatch.setattr(inventree, "do", ends)
    chosen = cast("Chosen", SimpleNamespace(superuser=SimpleNamespace(username="anna"), party="attraktor"))
    with pytest.raises(raised):
        await talk._make_in_inventree(chosen, Plan((change,)))
    owner = "anna" if change == MakeAdminToken() else "fedbot"
    (sentence,) = told
    assert sentence == (
        f"! InvenTree may have created a token of {owner} that I could not store. Look there for a token of today "
        "whose name begins with fedbot-attraktor, and revoke it."
    )
