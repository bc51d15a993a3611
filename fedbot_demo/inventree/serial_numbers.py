"""Parse serial numbers as people write them: '1,2,5', '1-5', '10+', '~' for the next (API 530)."""

from __future__ import annotations

import re
from collections.abc import Collection

from fedbot_demo.inventree.exchange import InvalidError

_MOST = 1000


def extract_serial_numbers(text: str, quantity: object, known: Collection[str | None]) -> list[str]:
    """The `quantity` serial numbers that `text` stands for; `known` are those that exist.

    Raises:
        InvalidError: Their number isn't `quantity`, one appears twice, or a range makes no sense.
    """
    wanted = _wanted(quantity)
    # On a real server the first '~' of a part without serial numbers is 2.
    latest = max((int(serial) for serial in known if serial and serial.isdecimal()), default=1)
    while "~" in text:
        latest += 1
        text = text.replace("~", str(latest), 1)
    groups = [group for group in re.split(r"[\s,]+", text.strip()) if group]
    found: list[str] = []
    for group in groups:
        found += [group] if len(groups) == wanted else _expanded(group, wanted - len(found))
    _complain_about(sorted({f"Duplicate serial: {each}" for each in found if found.count(each) > 1}))
    if not found:
        _complain_about(["No serial numbers found"])
    if len(found) != wanted:
        _complain_about([f"Number of unique serial numbers ({len(found)}) must match quantity ({wanted})"])
    return found


def _wanted(quantity: object) -> int:
    try:
        wanted = int(str(quantity))
    except ValueError:
        _complain_about(["Invalid quantity provided"])
        return 0
    if wanted > _MOST:
        _complain_about([f"Cannot serialize more than {_MOST} items at once"])
    return wanted


def _expanded(group: str, room: int) -> list[str]:
    if (found := re.fullmatch(r"(\d+)-(\d+)", group)) is not None:
        first, last = int(found[1]), int(found[2])
        if first >= last:
            _complain_about([f"Invalid group: {group}"])
        return [str(each).zfill(len(found[1])) for each in range(first, min(last, first + _MOST) + 1)]
    if (found := re.fullmatch(r"(\d+)\+(\d*)", group)) is not None:
        count = int(found[2]) + 1 if found[2] else max(0, room)
        return [str(int(found[1]) + each).zfill(len(found[1])) for each in range(count)]
    return [group]


def _complain_about(messages: list[str]) -> None:
    if messages:
        raise InvalidError({"quantity": messages, "serial_numbers": messages})
