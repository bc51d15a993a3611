"""How a bot is, as a monitor sees it: JSON for people and scripts, Prometheus' text for its collector."""

from __future__ import annotations

import re
from typing import NotRequired, TypedDict

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PREFIX = "fedbot_"


class Standing(TypedDict):
    """How the bot is right now.

    `matrix`: the sync loop had an answer lately. `inventree`: the last call was answered. `problems`: what is
    wrong, in words for an admin. `gauges` and `counters` are figures by name (`outbox_waiting`,
    `transfers_done`), without prefix; a counter only grows.
    """

    version: str
    matrix: bool
    inventree: bool
    problems: NotRequired[list[str]]
    gauges: NotRequired[dict[str, float]]
    counters: NotRequired[dict[str, int]]


def is_healthy(standing: Standing) -> bool:
    """Whether both ends are there; a monitor needs no more."""
    return standing["matrix"] and standing["inventree"]


def metrics(standing: Standing) -> str:
    """Prometheus' text format, version 0.0.4. Raises `ValueError` for a name that it doesn't allow."""
    up = {
        "healthy": is_healthy(standing),
        "matrix_up": standing["matrix"],
        "inventree_up": standing["inventree"],
    }
    gauges = {name: float(value) for name, value in up.items()} | standing.get("gauges", {})
    lines = [*_family("gauge", gauges), *_family("counter", standing.get("counters", {}))]
    version = standing["version"].replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    lines += [f"# TYPE {_PREFIX}info gauge", f'{_PREFIX}info{{version="{version}"}} 1']
    return "\n".join(lines) + "\n"


def _family(kind: str, figures: dict[str, float] | dict[str, int]) -> list[str]:
    lines = []
    for name, value in sorted(figures.items()):
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} can't name a metric: use lowercase letters, digits and _")
        full = f"{_PREFIX}{name}" + ("_total" if kind == "counter" else "")
        lines += [f"# TYPE {full} {kind}", f"{full} {value:g}" if value % 1 else f"{full} {value:.0f}"]
    return lines
