"""The friend of `fedbot practice` while its homeserver goes away and comes back, and when it can't go on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from fedbot.cli import practice
from fedbot.cli.exits import Exit
from fedbot.ports.chat import ChatSignedOut, ChatUnreachable, Delivery
from fedbot.rules.model.events import Event, Said
from fedbot_demo.practice import Progress, Robin, Scene

if TYPE_CHECKING:
    from fedbot.config.settings import Settings
    from fedbot.engine.bot import Bot
    from fedbot.setup.practice import Practising


async def test_a_homeserver_that_goes_away_is_reported_once_and_the_scene_is_said_once_it_is_back(
    tmp_path: Path,
) -> None:
    tried: list[Delivery] = []
    put: list[Event] = []
    told: list[str] = []

    async def send(delivery: Delivery) -> str:
        tried.append(delivery)
        if len(tried) < 3:
            raise ChatUnreachable("sending: the homeserver doesn't answer")
        return "$sent"

    bot = SimpleNamespace(
        chat=SimpleNamespace(send=send),
        engine=SimpleNamespace(put=put.append),
        clock=SimpleNamespace(now=lambda: datetime(2026, 11, 29, tzinfo=UTC)),
    )
    scenes = (Scene("!fed request 1 PRACTICE-NUT from attraktor", "Robin asks for nuts."),) * 2
    progress = Progress(tmp_path / "progress.json")
    robin = Robin(cast("Bot", bot), "!room", scenes, told.append, progress)
    for _ in range(3):
        await robin._play()
    assert progress.played == 1
    assert [type(each) for each in put] == [Said]
    assert len({each.transaction for each in tried}) == 1, "a message that arrived unseen isn't sent twice"
    assert told == [
        "Robin asks for nuts.",
        "! sending: the homeserver doesn't answer. I go on as soon as it answers.",
    ]
    await robin._play()
    assert tried[-1].transaction != tried[0].transaction


async def test_a_friend_that_can_not_go_on_ends_with_a_sentence_and_how_to_clean_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def begin(_: str) -> object:
        return SimpleNamespace(in_admin_room=True, is_known=True)

    async def play(*_: object) -> None:
        raise ExceptionGroup("tasks", [ChatSignedOut("The homeserver has signed the bot out.")])

    monkeypatch.setattr("fedbot_demo.practice.play", play)
    practising = cast("Practising", SimpleNamespace(begin=begin, clean_line="fedbot practice --clean"))
    assert await practice._live(practising, cast("Settings", None), "") == Exit.SIGNED_OUT
    assert "fedbot practice --clean" in capsys.readouterr().out
