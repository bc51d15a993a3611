from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from fedbot.check.everything import clock_findings
from fedbot.check.findings import settings_findings
from fedbot.config.settings import Settings
from tests.config.conftest import least


@pytest.mark.parametrize(("language", "is_told"), [("en", False), ("de", False), ("fr", True), ("de-AT", True)])
def test_a_language_without_translations_is_reported(language: str, is_told: bool, tmp_path: Path) -> None:
    raw = least() | {"state": tmp_path}
    raw["party"]["language"] = language
    told = [found for found in settings_findings(Settings.model_validate(raw)) if found.name == "party.language"]
    assert [(found.good, found.what, found.todo) for found in told] == is_told * [
        (True, language, "the bot doesn't speak it, so it speaks English; write one of de, en")
    ]


@pytest.mark.parametrize(
    ("ahead", "told"),
    [(timedelta(), None), (timedelta(minutes=-20), True), (timedelta(days=400), False)],
    ids=["right", "a warning", "a fault"],
)
async def test_a_clock_that_differs_from_the_servers_is_reported(ahead: timedelta, told: bool | None) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({}, headers={"Date": format_datetime(datetime.now(UTC) - ahead, usegmt=True)})

    application = web.Application()
    application.router.add_get("/api/", answer)
    async with TestServer(application) as server:
        raw = least()
        raw["inventree"]["url"], raw["matrix"]["homeserver"] = str(server.make_url("")), "http://127.0.0.1:9"
        found = await clock_findings(Settings.model_validate(raw))
    assert [each.good for each in found] == ([] if told is None else [told])
    assert all("timedatectl" in each.todo for each in found)


def test_an_unreadable_journal_is_a_finding_and_none_at_all_is_not(tmp_path: Path) -> None:
    wanted = Settings.model_validate(least() | {"state": tmp_path})
    assert [found for found in settings_findings(wanted) if not found.good] == []
    (tmp_path / "journal.db").write_bytes(b"no journal" * 1000)
    (found,) = [found for found in settings_findings(wanted) if not found.good]
    assert found.name == "journal"
    assert "can't be read back" in found.what
