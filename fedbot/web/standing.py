"""The status of a bot for a monitor: JSON for scripts, Prometheus' text format for its collector."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NotRequired, TypedDict

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PREFIX = "fedbot_"


class Standing(TypedDict):
    """The bot's health and figures at this moment.

    `matrix`: the homeserver answered the sync loop lately. `inventree`: the last call was answered. `problems`: texts
    for an admin. `gauges` and `counters` are figures by name (`outbox_waiting`, `transfers_done`), without prefix; a
    counter only grows.
    """

    version: str
    matrix: bool
    inventree: bool
    problems: NotRequired[list[str]]
    gauges: NotRequired[dict[str, float]]
    counters: NotRequired[dict[str, int]]


def is_healthy(standing: Standing) -> bool:
    """Whether Matrix and InvenTree answer."""
    return standing["matrix"] and standing["inventree"]


def metrics(standing: Standing) -> str:
    """All metrics in Prometheus' text format, version 0.0.4. Raises `ValueError` for an invalid name."""
    up = {
        "healthy": is_healthy(standing),
        "matrix_up": standing["matrix"],
        "inventree_up": standing["inventree"],
    }
    gauges = {name: float(value) for name, value in up.items()} | standing.get("gauges", {})
    lines = [*metric_lines("gauge", gauges), *metric_lines("counter", standing.get("counters", {}))]
    lines += labelled_lines("gauge", "info", "version", {standing["version"]: 1})
    return "\n".join(lines) + "\n"


def metric_lines(kind: str, figures: Mapping[str, float]) -> list[str]:
    """Lines of Prometheus' text format, two per figure. Raises `ValueError` for an invalid name."""
    lines = []
    for name, value in sorted(figures.items()):
        full = _full_name(kind, name)
        lines += [f"# TYPE {full} {kind}", f"{full} {_written(value)}"]
    return lines


def labelled_lines(kind: str, name: str, label: str, figures: Mapping[str, float]) -> list[str]:
    """The lines of one metric with a figure for each value of a label."""
    full = _full_name(kind, name)
    return [f"# TYPE {full} {kind}"] + [
        f'{full}{{{label}="{_escaped(value)}"}} {_written(figure)}' for value, figure in sorted(figures.items())
    ]


def _full_name(kind: str, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} can't name a metric: use lowercase letters, digits and _")
    return f"{_PREFIX}{name}" + ("_total" if kind == "counter" else "")


def _written(value: float) -> str:
    return f"{value:g}" if value % 1 else f"{value:.0f}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
