"""The serial number that a peer's item gets here, and the item of ours that it already is or was."""

from __future__ import annotations

from fedbot.inventree.client.rows import Row, amount, same
from fedbot.inventree.client.server import Server
from fedbot.inventree.history import RETURNED, trace
from fedbot.inventree.stock import rows_of_part
from fedbot.rules.model.queries import (
    MatchPart,
)

_MOST_NUMBERS = 9
_LONGEST = 95  # of a serial number; InvenTree allows 100


def by_number(server: Server, row: Row, query: MatchPart) -> tuple[str, int | None, str]:
    """Whether the part can take this item.

    Return the reason why not ('' if it can), our own record that returns, and the serial number to use instead of the
    peer's. Serial numbers of different spaces often collide: every space has a "1".
    """
    given = _gave_with_any_number(server, query)
    if given is not None:
        return "", int(given["pk"]), _other_number(query, str(given.get("serial") or ""))
    for number in (query.serial, *_others(server, query)):
        if not server.version.can_be_given(number):
            continue
        taken = [item for item in rows_of_part(server, int(row["pk"]), serial=number) if item.get("serial") == number]
        if not taken or (len(taken) == 1 and _booked_in_by(query, taken[0])):
            return "", None, _other_number(query, number)
    return "serial-taken", None, ""


def _gave_with_any_number(server: Server, query: MatchPart) -> Row | None:
    """Our own record that is with the peer: it is this item, whatever its serial number is there."""
    rows = (server.api.row_if_there(f"stock/{pk}/") for pk in query.gave)
    here = [row for row in rows if row is not None and _comes_again(server, row, query)]
    return here[0] if len(here) == 1 else None


def lost_again(server: Server, part: Row, query: MatchPart) -> int | None:
    """Our own record of the lost item, if that is still as it was lent: then the record continues."""
    rows = (server.api.row_if_there(f"stock/{pk}/") for pk in query.lost)
    fitting = [
        row
        for row in rows
        if row is not None
        and row.get("part") == part["pk"]
        and amount(row["quantity"]) == query.quantity
        and same(str(row.get("batch") or ""), query.batch)
        and not row.get("serial")
        and _comes_again(server, row, query)
    ]
    return int(fitting[0]["pk"]) if len(fitting) == 1 else None


def _others(server: Server, query: MatchPart) -> list[str]:
    """The serial numbers to try, by the configured pattern, if the peer's is taken."""
    number = server.settings.taken_serial.format(serial=query.serial, space=query.peer)
    return [number, *(f"{number}-{again}" for again in range(2, _MOST_NUMBERS + 1))] if len(number) < _LONGEST else []


def _other_number(query: MatchPart, number: str) -> str:
    return number if number != query.serial else ""


def _booked_in_by(query: MatchPart, item: Row) -> bool:
    """Whether this transfer booked that item in, before our journal was lost."""
    return bool(query.mark) and str(item.get("link") or "").endswith(query.mark)


def _comes_again(server: Server, item: Row, query: MatchPart) -> bool:
    """Whether the item is still with the peer, or this transfer returned it before our journal was lost."""
    with_peer = item.get("customer") is not None and item["customer"] == query.company
    return with_peer or trace(server, query.mark, int(item["pk"])).last(RETURNED) is not None
