"""Cron expressions have crontab's meaning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fedbot.config.values import trigger

BERLIN = ZoneInfo("Europe/Berlin")
SUNDAY = datetime(2026, 11, 22, tzinfo=BERLIN)
NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def days(weekday: str) -> list[str]:
    """The days of one week on which it fires."""
    when = trigger(f"0 9 * * {weekday}", "Europe/Berlin")
    found = []
    after = SUNDAY
    while (fires := when.get_next_fire_time(None, after)) and fires < SUNDAY + timedelta(days=7):
        found.append(NAMES[fires.weekday()])
        after = fires + timedelta(minutes=1)
    return found


@pytest.mark.parametrize(
    ("weekday", "expected"),
    [
        ("0", ["sun"]),
        ("1", ["mon"]),
        ("7", ["sun"]),
        ("mon", ["mon"]),
        ("Mon-Wed", ["mon", "tue", "wed"]),
        ("1-5", ["mon", "tue", "wed", "thu", "fri"]),
        ("5-7", ["sun", "fri", "sat"]),
        ("fri-mon", ["sun", "mon", "fri", "sat"]),
        ("1,3", ["mon", "wed"]),
        ("1-5/2", ["mon", "wed", "fri"]),
        ("*/3", ["sun", "wed", "sat"]),
        ("*", ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
    ],
)
def test_weekdays_count_as_in_crontab(weekday: str, expected: list[str]) -> None:
    assert days(weekday) == expected


def test_the_hour_is_the_wall_clocks_also_after_the_clocks_changed() -> None:
    when = trigger("0 9 * * *", "Europe/Berlin")
    summer = when.get_next_fire_time(None, datetime(2026, 7, 1, tzinfo=UTC))
    winter = when.get_next_fire_time(None, datetime(2026, 12, 1, tzinfo=UTC))
    assert summer is not None
    assert winter is not None
    assert (summer.astimezone(UTC).hour, winter.astimezone(UTC).hour) == (7, 8)


@pytest.mark.parametrize(
    "expression", ["", "0 9 * *", "61 9 * * *", "0 9 * * 8", "0 9 * * 1/2", "0 9 * * 1-5/0", "a b c d e", "0 9 31 2 *"]
)
def test_an_invalid_cron_expression_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        trigger(expression, "UTC")
