"""The figures and their limits (the keys of build/bench.json; docs/performance.md explains each)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured figure: its key, its description in the table, and its limit.

    `most` None: no limit. `binding`: missing the limit is a failure. Seconds aren't binding, because they depend on the
    machine as much as on us; ratios within one run, counts and memory are.
    """

    key: str
    what: str
    most: float | None
    decimals: int = 2
    binding: bool = True

    def decision(self, value: float) -> str:
        """`ok`, `missed`, or '' if there is no limit."""
        if self.most is None:
            return ""
        return "ok" if value <= self.most else "missed"


FIGURES = (
    Figure("handover_ratio", "grace over → both sides done, over the bare chain of the same calls and hops", 1.15),
    Figure("handover_calls", "InvenTree calls of one push, both sides", 30, decimals=0),
    Figure("transport_ratio", "our transport over the official client, same calls, TLS", 0.6),
    Figure("backlog_ratio", "catching up on what was said while away, over bare nio reading the same", 1.3),
    Figure(
        "busy_p95_s", "tap → both sides done in a busy hour, 95th percentile, grace of 5 s included", 10.0, decimals=1
    ),
    Figure("ready_s", "process start → hears its rooms, seconds", 2.0, binding=False),
    Figure("history_ready_s", "how much longer a start takes with 100,000 finished transfers", 0.3, binding=False),
    Figure("history_rss_mib", "how much more memory a bot has with them, MiB", 15.0, decimals=1),
    Figure("ledger_pages_a_second", "pages of a ledger with 100,000 transfers, in turn", None, decimals=0),
    Figure("ledger_p99_s", "such a page, 99th percentile, seconds", 0.2, binding=False),
    Figure("ledger_cpu_ms", "processor time of such a page and its browser, milliseconds", 25.0, decimals=1),
    Figure("handover_under_callers", "a handover beside 50 callers of the pages, over one alone", 1.05, binding=False),
    Figure("web_rss_mib", "how much more memory a bot has that serves pages, MiB, without their libraries", 27.0),
    Figure("idle_rss_mib", "memory of an idle bot, MiB", 100.0, decimals=0),
    Figure("events_per_request", "Matrix events of one push, both bots, default rate limits", 8, decimals=0),
    Figure("large_find_s", "find in 100,000 stock items: seconds of the server, and our own", 1.0, binding=False),
    Figure("large_stats_s", "stats of them", 2.0, binding=False),
    Figure("large_push_s", "a push out of them, without the grace", 2.0, binding=False),
    Figure("hub_spaces", "spaces in the hub that was measured", None, decimals=0),
    Figure("hub_mib_a_space", "memory of a worker for each of its spaces, MiB, unencrypted", 4.0),
    Figure("hub_mib_a_space_encrypted", "the same, all rooms encrypted", 6.0),
    Figure("hub_idle_percent", "an idle worker with all of them, of one core", 5.0, decimals=1, binding=False),
    Figure("hub_ready_s", "worker start → hears the rooms of all spaces, seconds", 60.0, decimals=1, binding=False),
    Figure("hub_ready_cpu_s", "processor time of that start", None, decimals=1),
    Figure("hub_again_s", "the same start when all spaces have worked before", 60.0, decimals=1, binding=False),
    Figure("hub_again_cpu_s", "processor time of that start", None, decimals=1),
    Figure("hub_decision_ratio", "a decision and its event in PostgreSQL, over in a file", None, decimals=1),
    Figure("hub_past_ready_ratio", "processor time of a start with 100,000 finished transfers in 20 spaces", 1.2),
    Figure("hub_past_mib", "how much more memory a worker has with them, MiB", 5.0, decimals=1),
    Figure("hub_past_decision_ratio", "a decision with them, over one without", 1.3),
    Figure("hub_p95_s", "tap → both sides done at 1,000 transfers an hour, 95th percentile", 3.3, binding=False),
    Figure("hub_transfers_an_hour", "transfers done in an hour at that pace", None, decimals=0),
    Figure("hub_takeover_s", "worker killed or stopped → all its spaces are heard at the other", 30.0, binding=False),
    Figure("events_by_one_account", "the same, of the bot that sends more", 5, decimals=0),
)


def table(measured: Mapping[str, float]) -> str:
    """The figures as a table for people."""
    rows = [("", "measured", "limit", "")]
    figures = [figure for figure in FIGURES if figure.key in measured]
    for figure in figures:
        value = measured[figure.key]
        most = "" if figure.most is None else f"≤ {figure.most:g}"
        rows.append((figure.key, f"{value:.{figure.decimals}f}", most, figure.decision(value)))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    told = ["", *(figure.what for figure in figures)]
    return "\n".join(
        f"{key:{widths[0]}}  {value:>{widths[1]}}  {most:>{widths[2]}}  {decision:{widths[3]}}  {what}".rstrip()
        for (key, value, most, decision), what in zip(rows, told, strict=True)
    )


def missed(measured: Mapping[str, float]) -> list[str]:
    """The keys of the measured figures that miss their binding limits."""
    told = [figure for figure in FIGURES if figure.binding and figure.key in measured]
    return [figure.key for figure in told if figure.decision(measured[figure.key]) == "missed"]
