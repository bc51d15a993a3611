"""Charts are real pictures, drawn in a process that ends; a chart that can't be drawn raises an error."""

from __future__ import annotations

import subprocess
import sys
import zlib
from datetime import date, timedelta

import pytest

from fedbot.matrix import chart
from fedbot.matrix.chart import PNG, NoChart, draw, size_of
from fedbot.rules.model.books import Chart

WORDS = ("Chart of Attraktor", "Attraktor: stock items", "Attraktor: given and received", "given", "received")
STOCK = tuple((date(2026, 9, 7) + timedelta(weeks=week), 4000 + 17 * week) for week in range(8))
EXCHANGE = (("Betaspace", 12, 5), ("$x^ 工房 <b>", 0, 3), ("A space with a very long name indeed", 1, 0))


def pixels(png: bytes) -> bytes:
    """The unpacked content of the picture: all of its IDAT chunks."""
    at, packed = len(PNG), b""
    while at < len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        if png[at + 4 : at + 8] == b"IDAT":
            packed += png[at + 8 : at + 8 + length]
        at += length + 12
    return zlib.decompress(packed)


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(Chart(STOCK, EXCHANGE), id="all"),
        pytest.param(Chart(STOCK[:1]), id="one day"),
        pytest.param(Chart(STOCK[:2]), id="two days", marks=pytest.mark.long),  # each starts a matplotlib
        pytest.param(Chart(exchange=EXCHANGE[:1]), id="one friend", marks=pytest.mark.long),
    ],
)
async def test_a_chart_is_a_picture_with_content(what: Chart) -> None:
    png = await draw(what, WORDS)
    width, height = size_of(png)
    assert width == 768
    assert 150 < height < 1500
    assert 3_000 < len(png) < 100_000
    assert len(set(pixels(png))) > 20


async def test_nothing_of_matplotlib_stays_in_the_bots_memory() -> None:
    code = "import fedbot.engine.bot, sys; sys.exit(any(name in sys.modules for name in ('matplotlib', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: ASYNC221 -- a moment


async def test_the_drawing_process_gets_no_secret_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEDBOT_SECRET", "correct horse")
    probe = "import os, sys; sys.exit(os.environ.get('FEDBOT_SECRET', 'nothing'))"
    monkeypatch.setattr(chart, "PROGRAM", ("-c", probe))
    with pytest.raises(NoChart, match="ended with 1: nothing"):
        await draw(Chart(STOCK), WORDS)


async def test_a_chart_that_takes_too_long_is_given_up_and_its_process_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart, "PROGRAM", ("-c", "import time; time.sleep(600)"))
    monkeypatch.setattr(chart, "TIME_LIMIT", 0.2)
    with pytest.raises(NoChart, match="took longer"):
        await draw(Chart(STOCK), WORDS)


async def test_output_that_is_no_picture_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart, "PROGRAM", ("-c", "print('hello')"))
    with pytest.raises(NoChart, match="ended with 0"):
        await draw(Chart(STOCK), WORDS)
