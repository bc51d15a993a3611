"""`python -m bench`: measure everything, print a table, write build/bench.json. Exit 1 if a binding limit is missed."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import os
import platform
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench import backlog, busy, handover, history, hub, large, transport, web
from bench.limits import missed, table
from bench.observed import Call, at_rest, resident_mib
from fedbot_demo import plot
from fedbot_demo.stage import InvenTrees, Space, Stage

RESULT = Path(__file__).parent.parent / "build" / "bench.json"
_LOOK_EVERY_S = 0.02
_PAST = 100_000
_SPACES = 20
_ITEMS = 100_000


def main() -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: less to wait for, more chance")
    parser.add_argument("--large", action="store_true", help="a server with 100,000 stock items instead, by its costs")
    parser.add_argument("--hub", type=int, nargs="?", const=200, help="a hub with so many spaces (200) instead")
    parser.add_argument("--encrypted", action="store_true", help="of that hub, the rooms are encrypted")
    parser.add_argument("--minutes", type=float, default=5.0, help="of that hub, transfers are made for so long (5)")
    parser.add_argument("--past", action="store_true", help="a hub's database with 100,000 finished transfers instead")
    given = parser.parse_args()
    if given.hub:
        wanted = hub.Hub(given.hub, 0.6 if given.quick else given.minutes, given.encrypted)
        found = asyncio.run(hub.measure(wanted, _tell))
        measured, details = found.figures(), dataclasses.asdict(found)
    elif given.past:
        cost = asyncio.run(history.measure_hub(_PAST, _SPACES, 1 if given.quick else 5))
        measured, details = cost.figures(), dataclasses.asdict(cost)
    elif given.large:
        measured, details = asyncio.run(large.measure(_ITEMS))
    elif given.quick:
        measured, details = asyncio.run(_measure(rounds=5, starts=1, missed_events=2_000))
    else:
        measured, details = asyncio.run(_measure(rounds=20, starts=5, missed_events=10_000))
    RESULT.parent.mkdir(exist_ok=True)
    content = {**measured, "about": _about(quick=given.quick), "details": details}
    RESULT.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(table(measured))
    print(f"\n{RESULT.relative_to(Path.cwd()) if RESULT.is_relative_to(Path.cwd()) else RESULT} has the details.")
    for key in missed(measured):
        print(f"{key} is over its limit.", file=sys.stderr)
    return 1 if missed(measured) else 0


async def _measure(*, rounds: int, starts: int, missed_events: int) -> tuple[dict[str, float], dict[str, Any]]:
    """All figures by their keys, and their details."""
    _tell("two InvenTrees over TLS, our transport and the official client …")
    transports = await asyncio.to_thread(transport.measure, rounds, "none")
    slow = await asyncio.to_thread(transport.measure, max(rounds // 4, 3), "measured")
    _tell("a homeserver, two InvenTrees, two bots …")
    async with Stage(rules={"grace_seconds": handover.GRACE_S}, inventrees=InvenTrees(latency="measured")) as stage:
        await _limits(stage, lifted=True)
        await plot.connect(stage)
        await at_rest(stage)
        _tell(f"{rounds} pushes without limits, each beside the bare chain …")
        handovers = await handover.measure(stage, rounds)
        resident = {space.party: resident_mib(space.bot.pid or 0) for space in stage.spaces}
        await _limits(stage, lifted=False)
        _tell("one push under default rate limits …")  # by people whom the bots have already greeted
        events = await _events(stage)
        await _limits(stage, lifted=True)
        _tell(f"{starts} starts of a bot …")
        ready = [await _ready(stage.attraktor) for _ in range(starts)]
        _tell(f"{rounds} pushes beside {web.CALLERS} callers of the pages, and as many alone …")
        crowd = await web.crowded(stage, rounds)
    _tell("20 transfers in 10 minutes under default rate limits, by a simulated clock …")
    busy_p95, busy_all = await busy.measure(times=max(rounds // 5, 2))
    _tell(f"{missed_events} lines in a room, caught up on by us and by bare nio …")
    caught_up = await backlog.measure(missed_events)
    _tell(f"{starts} starts with {_PAST:,} finished transfers, and with none …")
    past = await history.measure(_PAST, starts)
    _tell(f"the ledger's page with {_PAST:,} transfers …")
    served = await web.measure(_PAST)
    measured = {
        "handover_ratio": round(handovers.ratio, 3),
        "handover_calls": handovers.calls,
        "transport_ratio": round(transports.ratio, 3),
        "backlog_ratio": round(caught_up.ratio, 3),
        "busy_p95_s": round(busy_p95, 1),
        "ready_s": round(median(ready), 2),
        "history_ready_s": round(past.ready_s, 3),
        "history_rss_mib": round(past.rss_mib, 1),
        "ledger_pages_a_second": round(served.a_second, 1),
        "ledger_p99_s": round(served.p99_s, 3),
        "ledger_cpu_ms": round(served.cpu_ms, 1),
        "handover_under_callers": round(crowd.ratio, 3),
        "web_rss_mib": round(served.rss_mib, 1),
        "idle_rss_mib": round(max(resident.values()), 1),
        "events_per_request": events.total(),
        "events_by_one_account": max(events.values()),
    }
    details = {
        "handover_ms": [_ms(push.seconds) for push in handovers.pushes],
        "chain_calls_ms": [_ms(bare.calls) for bare in handovers.chains],
        "chain_hops_ms": [_ms(bare.hops) for bare in handovers.chains],
        "calls_of_one_push": _kinds(handovers.pushes[-1].calls),
        "calls_of_the_chain": _kinds(handovers.pushes[-1].handover),
        "under_callers_ms": {
            "alone": [_ms(each) for each in crowd.alone],
            "beside": [_ms(each) for each in crowd.beside],
            "pages": crowd.pages,
        },
        "transport_ms": {"ours": _ms(transports.ours), "official": _ms(transports.official)},
        "transport_ms_with_server_time": {"ours": _ms(slow.ours), "official": _ms(slow.official)},
        "backlog_s": {
            "events": caught_up.events,
            "ours": [round(each, 2) for each in caught_up.ours],
            "bare": [round(each, 2) for each in caught_up.bare],
        },
        "ready_s": [round(each, 2) for each in ready],
        "history": {"transfers": _PAST, "without": past.without, "with": past.with_past},
        "rss_mib": {party: round(mib, 1) for party, mib in resident.items()},
        "events": dict(events),
        "busy_s": busy_all,
    }
    return measured, details


async def _limits(stage: Stage, *, lifted: bool) -> None:
    """Lift the homeserver's rate limits for all accounts of the stage, or restore them."""
    for account in stage.accounts.values():
        if lifted:
            await stage.homeserver.lift_rate_limit(account.user_id)
        else:
            await stage.homeserver.restore_rate_limit(account.user_id)


async def _events(stage: Stage) -> Counter[str]:
    """The number of events that each bot sends for one push: messages, reactions, edits, redactions and state."""
    offer = await plot.push(
        stage, "!fed push 5 M3-NUT to betaspace", asker=stage.people["piet"], approver=stage.people["cem"]
    )
    await at_rest(stage)
    timeline = await stage.attraktor.superuser.messages(stage.room)
    since = [event.event_id for event in timeline].index(offer.line)
    bots = {space.account.user_id: space.party for space in stage.spaces}
    return Counter(bots[event.sender] for event in timeline[since:] if event.sender in bots)


async def _ready(space: Space) -> float:
    """Seconds from the start of the process until it says that it hears the homeserver; its state is kept."""
    await space.bot.stop()
    started = time.perf_counter()
    await space.bot.begin()
    while not ((await space.bot.health()) or {}).get("matrix"):
        if not space.bot.is_running:
            raise RuntimeError(f"the bot ended with {space.bot.exit_code}:\n{space.bot.log_tail()}")
        await asyncio.sleep(_LOOK_EVERY_S)
    return time.perf_counter() - started


def _kinds(calls: list[Call]) -> dict[str, dict[str, int]]:
    """The number of calls of each kind, by party."""
    counted = Counter(call.kind for call in calls)
    parties = sorted({party for party, _ in counted})
    return {party: {what: n for (whose, what), n in sorted(counted.items()) if whose == party} for party in parties}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _about(*, quick: bool) -> dict[str, Any]:
    """The time and machine of the measurement, and its other load."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "load_before": round(os.getloadavg()[2], 2),
    }


def _tell(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
