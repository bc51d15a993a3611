"""Matches a peer's item to one of our parts, and to the location that it goes to (UC2)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from fedbot.inventree import marks
from fedbot.inventree.catalogue import Categories, parts_by_ipn, parts_by_name, parts_like, takes_unit
from fedbot.inventree.client.rows import Row, part_of, same
from fedbot.inventree.client.server import Server
from fedbot.inventree.incoming import why_not_here
from fedbot.inventree.serial_numbers import by_number, lost_again
from fedbot.inventree.units import OwnUnits, as_told, factor, is_ambiguous
from fedbot.inventree.what_travels import custom_statuses
from fedbot.ports.inventory import NotPermitted
from fedbot.rules.model.queries import (
    MatchPart,
    PartMatch,
)
from fedbot.rules.model.steps import OWN_KEY
from fedbot.rules.model.stock import (
    MOST_DIGITS,
    MOST_PLACES,
    PartDescription,
    counts_pieces,
)

_MOST_CANDIDATES = 5


def match_part(server: Server, query: MatchPart) -> PartMatch:
    """The one part that fits and can take the item, with its location; or the reason why there is none."""
    found = _matched(server, query)
    return replace(found, status_key=_custom_status(server, query)) if query.status else found


def _custom_status(server: Server, query: MatchPart) -> int | None:
    """Our own status of that name, if it is of the same class."""
    for row in custom_statuses(server):
        names = (str(row.get(name) or "") for name in ("label", "name"))
        if row["logical_key"] == query.status_class and any(same(name, query.status) for name in names):
            return int(row["key"])
    return None


def _matched(server: Server, query: MatchPart) -> PartMatch:
    if query.here is not None:
        return _already_here(server, query, query.here)
    wanted = query.description
    rows, how = _candidates(server, query)
    fitting = _narrowed(rows, wanted)
    if not fitting:
        return _no_part(server, wanted.units)
    if len(fitting) > 1:
        return _nothing(server, "several", creatable=False)
    own = _own_units(server, wanted.units, fitting[0])
    if is_ambiguous(wanted.units, own):
        return _nothing(server, "own-unit", creatable=False)
    row = _as_told(fitting[0], own)
    reason = _why_not(row, query)
    again, serial = None, ""
    if not reason and query.serial:
        reason, again, serial = by_number(server, row, query)
    ratio = None if reason else _ratio(query, row)
    reason = reason or _why_not_so_much(row, query, ratio)
    if not reason and query.lost and ratio == 1:
        again = lost_again(server, row, query)
    if reason:
        return _nothing(server, reason, creatable=False)
    place = server.default_place(row)
    category = Categories.read(server.api).path(row.get("category")) if query.with_category else ""
    part = part_of(row, category_path=category)
    return PartMatch(
        part=part, how=how, place=place.path, location=place.pk, again=again, factor=str(ratio), serial=serial
    )


def _already_here(server: Server, query: MatchPart, item: int) -> PartMatch:
    """The stock item that one of our people named (`!fed here`), if it has that quantity and is free."""
    row = server.api.row_if_there(f"stock/{item}/")
    part = server.api.row_if_there(f"part/{row['part']}/") if row is not None else None
    if row is None or part is None or why_not_here(server, row, query.quantity, query.serial):
        return PartMatch(reason="not-that")
    part = _as_told(part, _own_units(server, query.description.units, part))
    if reason := _why_not(part, query) or _why_not_so_much(part, query, _one_to_one(query, part)):
        return PartMatch(reason=reason)
    place = server.place(row.get("location")) or server.default_place(part)
    return PartMatch(part=part_of(part), how="here", place=place.path, location=place.pk, again=item)


def _one_to_one(query: MatchPart, part: Row) -> Fraction | None:
    """The ratio of the units if it is 1, because the existing item keeps its quantity; else None."""
    return ratio if (ratio := _ratio(query, part)) == 1 else None


def _ratio(query: MatchPart, part: Row) -> Fraction | None:
    """The number of the part's units in one of the peer's; None if they can't be converted."""
    return factor(query.description.units.strip(), str(part.get("units") or "").strip())


def _own_units(server: Server, theirs: str, row: Row) -> OwnUnits:
    """The units that our admins have defined; none, without a call, if both parts are counted in pieces."""
    is_counted = counts_pieces(theirs) and counts_pieces(str(row.get("units") or ""))
    return OwnUnits() if is_counted else server.own_units()


def _as_told(row: Row, own: OwnUnits) -> dict[str, Any]:
    """The part's row with its units as another InvenTree understands them."""
    return {**row, "units": as_told(str(row.get("units") or ""), own)}


def _candidates(server: Server, query: MatchPart) -> tuple[list[dict[str, Any]], str]:
    wanted = query.description
    if said := _as_said(server, query):
        return said, "alias"
    if wanted.ipn:
        rows = parts_by_ipn(server, wanted.ipn)
        if rows:
            return rows, "ipn"
    rows = parts_by_name(server, wanted.name)
    if rows:
        return rows, "name"
    return _by_alias(server, query), "alias"


def _as_said(server: Server, query: MatchPart) -> list[dict[str, Any]]:
    """The part that one of our people named (`!fed match`), unless it was deleted since."""
    if query.alias is None:
        return []
    row = server.api.row_if_there(f"part/{query.alias}/")
    return [row] if row else []


def _narrowed(rows: list[dict[str, Any]], wanted: PartDescription) -> list[dict[str, Any]]:
    """The only active part, or the only active part of the same revision; else all."""
    for usable in (
        [row for row in rows if row.get("active", True)],
        [row for row in rows if row.get("active", True) and _revision(row) == wanted.revision],
    ):
        if len(usable) == 1:
            return usable
    return rows


def _revision(row: Row) -> str:
    return str(row.get("revision") or "")


def _why_not(row: Row, query: MatchPart) -> str:
    """The reason why a part can't take the item; empty if it can."""
    if row.get("virtual"):
        return "virtual"
    if not row.get("active", True):
        return "inactive"
    return "not-trackable" if query.serial and not row.get("trackable") else ""


def _why_not_so_much(row: Row, query: MatchPart, ratio: Fraction | None) -> str:
    """The reason why the quantity can't be converted into the part's unit; '' if it can."""
    if ratio is None:
        return "units"
    quantity = Fraction(query.quantity) * ratio
    if counts_pieces(str(row.get("units") or "")) and quantity.denominator != 1:
        return "fraction"
    return "" if (quantity * 10**MOST_PLACES).denominator == 1 and quantity < 10**MOST_DIGITS else "units"


def _no_part(server: Server, unit: str) -> PartMatch:
    """The answer if no part fits: a new one is possible if our InvenTree understands its unit as the peer does."""
    if not server.makes_parts or takes_unit(server, unit):
        return _nothing(server, "none")
    reason = "own-unit" if is_ambiguous(unit, server.own_units()) else "unknown-unit"
    return _nothing(server, reason, creatable=False)


def _nothing(server: Server, reason: str, *, creatable: bool = True) -> PartMatch:
    """The answer if no part fits; `creatable` if settings and roles allow a new one."""
    if not (creatable and server.makes_parts):
        return PartMatch(reason=reason)
    place, category = server.default_place({}), server.settings.new_part_category
    return PartMatch(reason=reason, creatable=True, category=category, place=place.path, location=place.pk)


def _by_alias(server: Server, query: MatchPart) -> list[dict[str, Any]]:
    """The parts whose metadata has the peer's IPN or name: `fedbot: {aliases: {PEER: [WORD, …]}}`."""
    wanted = query.description
    words = [word for word in (wanted.ipn, wanted.name) if word]
    candidates = dict.fromkeys(part.pk for word in words for part in parts_like(server, word)[:_MOST_CANDIDATES])
    folded = {word.casefold() for word in words}
    named = [pk for pk in list(candidates)[:_MOST_CANDIDATES] if folded & _aliases(server, pk, query.peer)]
    return [row for pk in named if (row := server.api.row_if_there(f"part/{pk}/"))]


def _aliases(server: Server, part: int, peer: str) -> set[str]:
    """This peer's names for the part; empty without the permission to read its metadata."""
    try:
        own = marks.read(server, "part", part).get(OWN_KEY)
    except NotPermitted:
        return set()
    recorded = own.get("aliases") if isinstance(own, dict) else None
    words = recorded.get(peer) if isinstance(recorded, dict) else None
    return {str(word).casefold() for word in words} if isinstance(words, list) else set()
