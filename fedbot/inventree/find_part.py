"""Which of our parts is what a peer sends, whether it may take the item, and where that would lie (UC2)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from fedbot.inventree import metadata
from fedbot.inventree.catalogue import Categories, parts_by_ipn, parts_by_name, parts_like, ratio_of
from fedbot.inventree.rows import Row, part_of, same
from fedbot.inventree.stock import RETURNED, rows_of_part, trace
from fedbot.inventree.whole_items import custom_statuses
from fedbot.ports.inventory import NotPermitted
from fedbot.rules.model.queries import MatchPart, PartMatch
from fedbot.rules.model.steps import OWN_KEY
from fedbot.rules.model.stock import PartDescription, counts_pieces
from fedbot.rules.protocol.terms import MOST_DIGITS, MOST_PLACES

if TYPE_CHECKING:
    from fedbot.inventree.server import Server


_MOST_CANDIDATES = 5
_MOST_NUMBERS = 9
_LONGEST = 95  # of a serial number, which InvenTree ends at 100


def match_part(server: Server, question: MatchPart) -> PartMatch:
    """The one part that fits and may take the item, with where it will lie; or why there is none."""
    found = _matched(server, question)
    return replace(found, status_key=_custom_status(server, question)) if question.status else found


def _custom_status(server: Server, question: MatchPart) -> int | None:
    """Our own status of that name, if it is of the same class."""
    for row in custom_statuses(server):
        names = (str(row.get(name) or "") for name in ("label", "name"))
        if row["logical_key"] == question.status_class and any(same(name, question.status) for name in names):
            return int(row["key"])
    return None


def _matched(server: Server, question: MatchPart) -> PartMatch:
    wanted = question.description
    rows, how = _candidates(server, question)
    fitting = _narrowed(rows, wanted)
    if not fitting:
        return _nothing(server, "none")
    if len(fitting) > 1:
        return _nothing(server, "several", creatable=False)
    row = fitting[0]
    reason = _why_not(row, question)
    again, serial = None, ""
    if not reason and question.serial:
        reason, again, serial = _by_number(server, row, question)
    ratio = None if reason else ratio_of(server, wanted.units.strip(), str(row.get("units") or "").strip())
    reason = reason or _why_not_so_much(row, question, ratio)
    if reason:
        return _nothing(server, reason, creatable=False)
    place = server.default_place(row)
    category = Categories.read(server.api).path(row.get("category")) if question.with_category else ""
    part = part_of(row, category_path=category)
    return PartMatch(
        part=part, how=how, place=place.path, location=place.pk, again=again, factor=str(ratio), serial=serial
    )


def _candidates(server: Server, question: MatchPart) -> tuple[list[dict[str, Any]], str]:
    wanted = question.description
    if said := _as_said(server, question):
        return said, "alias"
    if wanted.ipn:
        rows = parts_by_ipn(server, wanted.ipn)
        if rows:
            return rows, "ipn"
    rows = parts_by_name(server, wanted.name)
    if rows:
        return rows, "name"
    return _by_alias(server, question), "alias"


def _as_said(server: Server, question: MatchPart) -> list[dict[str, Any]]:
    """The part that somebody of ours has named, unless it was deleted since."""
    if question.alias is None:
        return []
    row = server.api.row_if_there(f"part/{question.alias}/")
    return [row] if row else []


def _narrowed(rows: list[dict[str, Any]], wanted: PartDescription) -> list[dict[str, Any]]:
    """Of several parts the usable ones, and of these the one of the same revision, if that settles it."""
    for usable in (
        [row for row in rows if row.get("active", True)],
        [row for row in rows if row.get("active", True) and _revision(row) == wanted.revision],
    ):
        if len(usable) == 1:
            return usable
    return rows


def _revision(row: Row) -> str:
    return str(row.get("revision") or "")


def _why_not(row: Row, question: MatchPart) -> str:
    """Why a part can't take the item; empty if it can."""
    if row.get("virtual"):
        return "virtual"
    if not row.get("active", True):
        return "inactive"
    return "not-trackable" if question.serial and not row.get("trackable") else ""


def _why_not_so_much(row: Row, question: MatchPart, ratio: Fraction | None) -> str:
    """Why that quantity of the peer's unit is none of ours; empty if it is."""
    if ratio is None:
        return "units"
    quantity = Fraction(question.quantity) * ratio
    if counts_pieces(str(row.get("units") or "")) and quantity.denominator != 1:
        return "fraction"
    return "" if (quantity * 10**MOST_PLACES).denominator == 1 and quantity < 10**MOST_DIGITS else "units"


def _by_number(server: Server, row: Row, question: MatchPart) -> tuple[str, int | None, str]:
    """Why the part can't have this thing (empty if it can); our record that comes again; the number it gets instead.

    Serial numbers of different spaces collide all the time: every space has a "1".
    """
    given = _gave_with_any_number(server, question)
    if given is not None:
        return "", int(given["pk"]), _other_number(question, str(given.get("serial") or ""))
    for number in (question.serial, *_others(server, question)):
        if not server.version.can_be_given(number):
            continue
        same = [item for item in rows_of_part(server, int(row["pk"]), serial=number) if item.get("serial") == number]
        if not same or (len(same) == 1 and _booked_in_by(question, same[0])):
            return "", None, _other_number(question, number)
    return "serial-taken", None, ""


def _gave_with_any_number(server: Server, question: MatchPart) -> Row | None:
    """Our own record that went to the peer, and is with it: this is that thing, under whatever number it comes."""
    rows = (server.api.row_if_there(f"stock/{pk}/") for pk in question.gave)
    here = [row for row in rows if row is not None and _comes_again(server, row, question)]
    return here[0] if len(here) == 1 else None


def _others(server: Server, question: MatchPart) -> list[str]:
    """The numbers to be tried when the peer's is taken, by the configured pattern."""
    number = server.settings.taken_serial.format(serial=question.serial, space=question.peer)
    return [number, *(f"{number}-{again}" for again in range(2, _MOST_NUMBERS + 1))] if len(number) < _LONGEST else []


def _other_number(question: MatchPart, number: str) -> str:
    return number if number != question.serial else ""


def _booked_in_by(question: MatchPart, item: Row) -> bool:
    """Whether that is this very thing, booked in before our journal was lost."""
    return bool(question.mark) and str(item.get("link") or "").endswith(question.mark)


def _comes_again(server: Server, item: Row, question: MatchPart) -> bool:
    """Whether it is where it went, or is here already by this very transfer, which a lost journal doesn't know."""
    with_peer = item.get("customer") is not None and item["customer"] == question.company
    return with_peer or trace(server, question.mark, int(item["pk"])).last(RETURNED) is not None


def _nothing(server: Server, reason: str, *, creatable: bool = True) -> PartMatch:
    """No part; a new one may be made where settings and roles allow it."""
    if not (creatable and server.makes_parts):
        return PartMatch(reason=reason)
    place, category = server.default_place({}), server.settings.new_part_category
    return PartMatch(reason=reason, creatable=True, category=category, place=place.path, location=place.pk)


def _by_alias(server: Server, question: MatchPart) -> list[dict[str, Any]]:
    """The part in whose metadata the peer's IPN or name is recorded: `fedbot: {aliases: {PEER: [WORD, …]}}`."""
    wanted = question.description
    words = [word for word in (wanted.ipn, wanted.name) if word]
    candidates = dict.fromkeys(part.pk for word in words for part in parts_like(server, word)[:_MOST_CANDIDATES])
    folded = {word.casefold() for word in words}
    named = [pk for pk in list(candidates)[:_MOST_CANDIDATES] if folded & _aliases(server, pk, question.peer)]
    return [row for pk in named if (row := server.api.row_if_there(f"part/{pk}/"))]


def _aliases(server: Server, part: int, peer: str) -> set[str]:
    """What this peer calls the part. Without the permission to read a part's metadata: nothing is recorded."""
    try:
        own = metadata.read(server, "part", part).get(OWN_KEY)
    except NotPermitted:
        return set()
    recorded = own.get("aliases") if isinstance(own, dict) else None
    words = recorded.get(peer) if isinstance(recorded, dict) else None
    return {str(word).casefold() for word in words} if isinstance(words, list) else set()
