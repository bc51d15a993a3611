"""A bot's metrics: counted as events happen, and listed in the docs."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from fedbot.rules.model.events import Tick
from fedbot.rules.model.health import Quarantined
from fedbot.web.server import metrics
from tests.scenarios.world import World, friends

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"


def figures(world: World) -> dict[str, float]:
    """The sender's metrics, as Prometheus reads them."""
    lines = metrics(world.alpha.bot.status()).splitlines()
    return {line.split(" ")[0]: float(line.split(" ")[1]) for line in lines if line[0] != "#" and "{" not in line}


async def test_events_are_counted() -> None:
    world = await friends()
    before = figures(world)
    await world.hand_over("M3-NUT 10")
    after = figures(world)
    more = {name: after[name] - before[name] for name in after}
    assert more["fedbot_lines_read_total"] == 1
    assert more["fedbot_protocol_messages_sent_total"] == 3  # the offer, `sent`, `done`
    assert more["fedbot_steps_done_total"] >= 3  # booked out, handed over, marked as arrived
    assert more["fedbot_messages_sent_total"] >= 2
    assert more["fedbot_queries_answered_total"] >= 1
    assert more["fedbot_events_decided_total"] > more["fedbot_steps_done_total"]
    assert after["fedbot_steps_unknown_total"] == after["fedbot_rule_failures_total"] == 0
    assert after["fedbot_outbox_waiting"] == 0


async def test_waiting_work_and_unanswered_calls_are_counted() -> None:
    world = await friends()
    card = await world.push("M3-NUT 10")
    world.alpha.goes_down()
    world.anna.says("!fed todo")
    world.cem.reacts(card, "✅")
    await world.grace()
    down = figures(world)
    assert down["fedbot_retries_scheduled_total"] >= 2
    assert down["fedbot_outbox_waiting"] == 3  # the step, the line, and the query that waits for InvenTree to come back
    await world.passes(timedelta(minutes=16))
    assert figures(world)["fedbot_queries_unanswered_total"] == 1
    assert down["fedbot_inventree_up"] == 0


async def test_the_health_that_a_hub_looks_at_every_few_seconds_reads_nothing_of_the_journal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = await friends()
    tick = world.alpha.journal.put(Tick(world.clock.now()))
    number = world.alpha.journal.set_event_aside(tick, Quarantined("Tick", "", "no", world.clock.now()))
    told = world.alpha.bot.health()
    assert f"({number})" in told["problems"][0]
    monkeypatch.setattr(world.alpha.journal, "_database", None)
    assert world.alpha.bot.health() == told


async def test_every_metric_is_in_the_docs() -> None:
    world = await friends()
    chapter = DOCS.read_text().partition("\n## health")[2].partition("\n## ")[0]
    told = {name for row in re.findall(r"^\| (`.+?) \|", chapter, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    shown = {name.removeprefix("fedbot_").removesuffix("_total") for name in figures(world)}
    assert told == shown
