"""The health of a hub's worker and its spaces: a page for people, JSON for scripts, and metrics for Prometheus.

Each space has a few metrics of its own. All others are counted over the worker, for as long as it runs.
"""

from __future__ import annotations

import html
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from fedbot.engine.bot import FEDBOT_VERSION
from fedbot.web.server import Listening, Status, is_healthy, labelled_lines, metric_lines

SECONDS_KEPT = 3.0
"""The time that the status of all spaces is cached, however often they are requested."""
STATES = ("works", "begins", "waits", "paused", "fails")
OF_A_SPACE = ("outbox_waiting", "quarantined", "transfers_open", "transfers_disputed")


@dataclass(frozen=True)
class SpaceStatus:
    """The state of one space: one of `STATES`. `status`: its bot's status, if the bot runs here."""

    state: str
    status: Status | None
    problem: str = ""

    @property
    def is_well(self) -> bool:
        """Whether the space needs nobody's attention."""
        if self.state in ("begins", "waits", "paused"):
            return not self.problem
        return self.status is not None and is_healthy(self.status)

    @property
    def problems(self) -> list[str]:
        """The problems, as text."""
        told = [self.problem] if self.problem else []
        return told + (self.status.get("problems", []) if self.status else [])


class Look(Protocol):
    """Tells the state of each space; if `counted`, with the figures of its bot, which take time."""

    def __call__(self, *, counted: bool) -> Mapping[str, SpaceStatus]:
        """Look now."""


class HubPage(Listening):
    """Answers GET / (HTML), /healthz (JSON; 200 while the worker itself is well) and /metrics while it is entered.

    It listens on `unix_socket`, and on `listen` (`HOST:PORT`) if given. Raises OSError if an address is taken.
    """

    def __init__(
        self,
        worker: str,
        statuses: Look,
        counters: Callable[[], Mapping[str, int]],
        unix_socket: Path,
        listen: str = "",
    ) -> None:
        self._worker = worker
        self._look = statuses
        self._counters = counters
        self._kept: dict[bool, tuple[float, Mapping[str, SpaceStatus]]] = {}
        application = web.Application()
        application.router.add_get("/", self._page)
        application.router.add_get("/healthz", self._healthz)
        application.router.add_get("/metrics", self._metrics)
        super().__init__(application, unix_socket, listen)

    def statuses(self, *, counted: bool = False) -> Mapping[str, SpaceStatus]:
        """The state of each space, at most `SECONDS_KEPT` old."""
        until, kept = self._kept.get(counted, (0.0, {}))
        if time.monotonic() > until:
            kept = self._look(counted=counted)
            self._kept[counted] = time.monotonic() + SECONDS_KEPT, kept
        return kept

    async def _healthz(self, _: web.Request) -> web.Response:
        spaces = {
            space: {
                "state": each.state,
                "well": each.is_well,
                "matrix": each.status is not None and each.status["matrix"],
                "inventree": each.status is not None and each.status["inventree"],
                "problems": each.problems,
            }
            for space, each in sorted(self.statuses().items())
        }
        told: dict[str, Any] = {"healthy": True, "version": FEDBOT_VERSION, "worker": self._worker, "spaces": spaces}
        return web.json_response(told)

    async def _metrics(self, _: web.Request) -> web.Response:
        body = hub_metrics(self.statuses(counted=True), self._counters())
        return web.Response(body=body.encode(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def _page(self, _: web.Request) -> web.Response:
        return web.Response(text=hub_page(self._worker, self.statuses()), content_type="text/html")


def hub_metrics(spaces: Mapping[str, SpaceStatus], counters: Mapping[str, int]) -> str:
    """All metrics in Prometheus' text format, version 0.0.4. `counters` are the worker's, which only grow."""
    states = Counter(each.state for each in spaces.values())
    lines = metric_lines("gauge", {f"hub_spaces_{state}": float(states[state]) for state in STATES})
    running = {space: each.status for space, each in spaces.items() if each.status is not None}
    of_each: dict[str, dict[str, float]] = {"space_healthy": {}, "space_matrix_up": {}, "space_inventree_up": {}}
    of_each |= {f"space_{name}": {} for name in OF_A_SPACE}
    for space, status in sorted(running.items()):
        of_each["space_healthy"][space] = float(is_healthy(status))
        of_each["space_matrix_up"][space] = float(status["matrix"])
        of_each["space_inventree_up"][space] = float(status["inventree"])
        for name in OF_A_SPACE:
            of_each[f"space_{name}"][space] = status.get("gauges", {}).get(name, 0.0)
    failing = {space: 1.0 for space, each in spaces.items() if each.problem}
    of_each["space_failing"] = {**dict.fromkeys(running, 0.0), **failing}
    for name, figures in of_each.items():
        lines += labelled_lines("gauge", name, "space", figures)
    lines += metric_lines("counter", {f"hub_{name}": float(number) for name, number in counters.items()})
    lines += labelled_lines("gauge", "hub_info", "version", {FEDBOT_VERSION: 1})
    return "\n".join(lines) + "\n"


def hub_page(worker: str, spaces: Mapping[str, SpaceStatus]) -> str:
    """A table of the spaces. Those that need attention come first."""
    rows = "".join(
        f"<tr><td>{html.escape(space)}<td>{each.state}<td>{'well' if each.is_well else 'not well'}"
        f"<td>{html.escape('; '.join(each.problems))}"
        for space, each in sorted(spaces.items(), key=lambda found: (found[1].is_well, found[0]))
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>fedbot hub</title>'
        f"<h1>{html.escape(worker)}</h1><p>{len(spaces)} spaces work here, or nowhere.</p>"
        f"<table><tr><th>space<th>state<th>health<th>problems{rows}</table></html>\n"
    )
