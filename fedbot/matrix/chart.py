"""Charts as PNG, drawn by matplotlib in a separate process that ends, so its memory never becomes the bot's.

The bot calls `draw`. Run as a program (`python -m fedbot.matrix.chart`), this module reads the chart as JSON from
standard input and writes the picture to standard output.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from collections.abc import Sequence
from datetime import date
from typing import Any

from fedbot.ports.chat import ChatRefused
from fedbot.rules.model.books import Chart

TIME_LIMIT = 120.0
"""Seconds. The first run on a small machine also looks for fonts."""
PROGRAM = ("-m", "fedbot.matrix.chart")
PNG = b"\x89PNG\r\n\x1a\n"
MOST_OF_A_NAME = 24
GIVEN, RECEIVED, STOCK = "#1b7f79", "#e08e2b", "#5b7db1"
# nothing else of the bot's environment, which may contain secrets
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "MPLCONFIGDIR")


class NoChart(ChatRefused):
    """The chart can't be drawn. The text says why, for the log."""


async def draw(chart: Chart, words: Sequence[str]) -> bytes:
    """A PNG of the chart. Raises `NoChart`.

    `words`: a description (unused here), then the titles and labels: stock items, given and received, given, received.
    """
    told = {
        "stock": [[day.isoformat(), count] for day, count in chart.stock],
        "exchange": [list(entry) for entry in chart.exchange],
        "words": list(words)[1:],
    }
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *PROGRAM,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    try:
        async with asyncio.timeout(TIME_LIMIT):
            picture, complaint = await process.communicate(json.dumps(told).encode())
    except TimeoutError:
        raise NoChart(f"drawing took longer than {TIME_LIMIT:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode or not picture.startswith(PNG):
        last = complaint.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise NoChart(f"drawing ended with {process.returncode}: {last[0][:200]}")
    return picture


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height, from the picture's header."""
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


# --- in the process that draws ---


def main() -> None:
    """Draw the chart that standard input describes."""
    sys.stdout.buffer.write(picture_of(json.load(sys.stdin)))


def picture_of(told: dict[str, Any]) -> bytes:
    """The PNG, with the panels one below the other, for a phone held upright."""
    import matplotlib as mpl  # noqa: PLC0415 -- only here, in a process that ends
    from matplotlib.figure import Figure  # noqa: PLC0415

    mpl.rcParams["text.parse_math"] = False  # a space may be called "$x"
    stock_title, exchange_title, given, received = told["words"]
    panels = [name for name in ("stock", "exchange") if told[name]]
    heights = {"stock": 2.6, "exchange": 1.2 + 0.5 * len(told["exchange"])}
    figure = Figure(figsize=(6.4, sum(heights[name] for name in panels)), dpi=120, layout="constrained")
    grid = figure.subplots(len(panels), 1, squeeze=False, height_ratios=[heights[name] for name in panels])
    for axes, name in zip(grid[:, 0], panels, strict=True):
        if name == "stock":
            _stock(axes, told["stock"], stock_title)
        else:
            _exchange(axes, told["exchange"], exchange_title, (given, received))
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def _plain(axes: Any, title: str) -> None:  # noqa: ANN401 -- matplotlib's
    axes.set_title(title, loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)


def _stock(axes: Any, points: list[list[Any]], title: str) -> None:  # noqa: ANN401
    """The number of stock items over time; a single day is a bar."""
    _plain(axes, title)
    days = [date.fromisoformat(day) for day, _ in points]
    counts = [count for _, count in points]
    labels = [f"{day:%d.%m.}" for day in days]
    if len(points) == 1:
        axes.barh(labels, counts, color=STOCK, height=0.4)
        axes.margins(x=0.15, y=1.0)
        axes.bar_label(axes.containers[0], fmt="{:,.0f}", padding=3)
        return
    axes.plot(days, counts, color=STOCK, marker="o", markersize=4)
    axes.fill_between(days, counts, min(counts), color=STOCK, alpha=0.15)
    axes.annotate(f"{counts[-1]:,}", (days[-1], counts[-1]), textcoords="offset points", xytext=(0, 7), ha="center")
    axes.margins(y=0.25)
    shown = sorted({0, len(days) // 2, len(days) - 1})
    axes.set_xticks([days[at] for at in shown], [labels[at] for at in shown])
    axes.yaxis.set_major_locator(_whole_numbers())


def _exchange(axes: Any, entries: list[list[Any]], title: str, names: tuple[str, str]) -> None:  # noqa: ANN401
    """For each friend, a bar for given and a bar for received; the first friend is on top."""
    _plain(axes, title)
    places = range(len(entries))
    for way, color, shift in ((1, GIVEN, -0.19), (2, RECEIVED, 0.19)):
        lengths = [entry[way] for entry in entries]
        bars = axes.barh([at + shift for at in places], lengths, 0.36, color=color, label=names[way - 1])
        axes.bar_label(bars, fmt="{:,.0f}", padding=3, fontsize=9)
    axes.set_yticks(list(places), [str(entry[0])[:MOST_OF_A_NAME] for entry in entries])
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.xaxis.set_major_locator(_whole_numbers())
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0.1, frameon=False, fontsize=9)


def _whole_numbers() -> Any:  # noqa: ANN401
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    return MaxNLocator(nbins=5, integer=True)


if __name__ == "__main__":
    main()
