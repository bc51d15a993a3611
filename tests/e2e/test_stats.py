"""Figures on real servers: requested from everybody, and posted on a schedule with a chart that a client can load."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta

import httpx
import pytest

from fedbot.matrix.chart import PNG, size_of
from fedbot_demo import plot
from fedbot_demo.room_event import RoomEvent
from fedbot_demo.stage import Space, Stage
from tests.e2e import scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

STAGE = {"rules": {"grace_seconds": 1.0}, "default_rate_limits": False}
PATIENCE_S = 60.0


async def test_everybodys_figures_are_in_one_answer_and_ours_are_posted_on_schedule_with_a_chart(stage: Stage) -> None:
    await plot.connect(stage)
    kim = stage.people["kim"]
    answer = await plot.answer_to(stage, kim, "!fed stats all")
    assert answer.body.startswith("2 spaces have "), answer.body
    for space in stage.spaces:
        assert re.search(rf"^{space.name}: \d+ stock items of \d+ parts\.$", answer.body, re.MULTILINE), answer.body

    attraktor = stage.attraktor
    await attraktor.bot.stop()
    attraktor.settings["stats"] = {"schedule": "0 9 * * mon"}
    attraktor.write_settings()
    await attraktor.bot.start()
    await attraktor.bot.stop()
    _it_has_slept_for_a_fortnight(attraktor)
    await attraktor.bot.start()

    def is_chart(event: RoomEvent) -> bool:
        return event.content.get("msgtype") == "m.image" and event.sender == attraktor.account.user_id

    picture = await kim.wait_for(is_chart, PATIENCE_S, what="the chart")
    (text,) = [e for e in await scene.said_in(stage, stage.room) if e.event_id == picture.relates_to]
    assert text.body.startswith("Attraktor: ")
    assert text.content["msgtype"] == "m.notice"
    assert picture.relation == "m.thread"
    server, media = str(picture.content["url"]).removeprefix("mxc://").split("/")
    async with httpx.AsyncClient(base_url=stage.homeserver.url) as client:
        token = stage.accounts["kim"].access_token
        found = await client.get(
            f"/_matrix/client/v1/media/download/{server}/{media}", headers={"Authorization": f"Bearer {token}"}
        )
    assert found.status_code == 200, found.text
    assert found.headers["content-type"] == "image/png"
    assert found.content.startswith(PNG)
    info = picture.content["info"]
    assert (info["w"], info["h"], info["size"]) == (*size_of(found.content), len(found.content))


def _it_has_slept_for_a_fortnight(space: Space) -> None:
    """Set the journal's last posting two weeks back, so the test doesn't wait for a Monday."""
    with closing(sqlite3.connect(space.folder / "state" / "journal.db")) as journal, journal:
        ((payload,),) = journal.execute("SELECT payload FROM documents WHERE kind = 'BotStatus'").fetchall()
        standing = json.loads(payload)
        last = datetime.fromisoformat(standing["last_stats"]) - timedelta(days=14)
        changed = json.dumps(standing | {"last_stats": last.isoformat()})
        journal.execute("UPDATE documents SET payload = ? WHERE kind = 'BotStatus'", (changed,))
