"""Our figures put together, cut down to what may be told, and a friend's read from its letter. Pure counting."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from fedbot.rules.loan import lend
from fedbot.rules.model.connection_lifecycle import LIVING_CONNECTION
from fedbot.rules.model.decision import Ending
from fedbot.rules.model.figures import BALANCE, COUNTS, Dealings, Flow, SpaceFigures
from fedbot.rules.model.queries import StockCounts
from fedbot.rules.model.stock import plain
from fedbot.rules.model.transfer import Line, Transfer
from fedbot.rules.model.transfer_lifecycle import FINAL
from fedbot.rules.protocol import announcements
from fedbot.rules.state import Turn

GONE_OVER = frozenset({"arrived", "created", "placed"})
"""Stages of a line that has changed hands, at the sender and at the receiver."""
WAYS = ("given", "received", "lent", "borrowed")
MOST_OF_ANYTHING = 10**12


def own(turn: Turn, counts: StockCounts, days: int, room: str = "") -> SpaceFigures:
    """Our figures: what our InvenTree counts, and what our journal knows of the last `days` (in that room)."""
    dealings = _dealings(turn, days, _told_of(turn, room))
    return SpaceFigures(
        party=turn.home.party,
        name=turn.home.name,
        at=turn.now,
        days=days,
        shared=len(turn.shares()),
        given=_sum([d.given for d in dealings]),
        received=_sum([d.received for d in dealings]),
        lent=_sum([d.lent for d in dealings]),
        borrowed=_sum([d.borrowed for d in dealings]),
        open=sum(d.open for d in dealings),
        dealings=tuple(dealings),
        **{name: getattr(counts, name) for name in COUNTS},
    )


def _told_of(turn: Turn, room: str) -> list[str] | None:
    """The rooms of which that one may read; None: of all, past ones too."""
    if not room or is_private(turn, room):
        return None
    person = announcements.direct_with(turn, turn.room(room))
    return announcements.shared_with(turn, person) if person else [room]


def is_private(turn: Turn, room: str) -> bool:
    """Whether only our own admins read along."""
    return bool(room) and room == turn.home.admin_room


def for_room(turn: Turn, figures: SpaceFigures, room: str) -> SpaceFigures:
    """Our figures as that room may read them: all of them only where nobody else reads along."""
    if is_private(turn, room):
        return figures
    if "stats" not in turn.home.disclose_in_room:
        return replace(nothing(figures), problem="hidden")
    return disclosed(turn, figures)


def nothing(figures: SpaceFigures) -> SpaceFigures:
    """Whose they are, and nothing else."""
    return SpaceFigures(figures.party, figures.name, figures.at, figures.days)


def disclosed(turn: Turn, figures: SpaceFigures) -> SpaceFigures:
    """What we choose to disclose (`stats.disclose`)."""
    hidden: dict[str, Any] = {name: None for name in (*COUNTS, "shared") if name not in turn.home.stats_disclose}
    if BALANCE not in turn.home.stats_disclose:
        hidden |= {**dict.fromkeys(WAYS), "open": None, "dealings": ()}
    return replace(figures, **hidden)


def _dealings(turn: Turn, days: int, rooms: list[str] | None) -> list[Dealings]:
    """Per friend, past ones too, the one with whom most went to and fro first."""
    since = turn.now - timedelta(days=days) if days else None
    by_party: dict[str, Dealings] = {}
    for connection in turn.connections():
        if connection.state in LIVING_CONNECTION and (rooms is None or connection.room in rooms):
            by_party[connection.peer] = Dealings(connection.peer, connection.peer_name)
    for peer in turn.peers():
        if rooms is None or turn.count(rooms, peer):
            by_party.setdefault(peer, Dealings(peer, turn.party_name(peer)))
    open_ones = {t.id: t for t in turn.open_transfers() if rooms is None or t.room in rooms}
    for transfer in [*open_ones.values(), *(t for t in turn.newest(rooms, since=since) if t.id not in open_ones)]:
        known = by_party.get(transfer.peer) or Dealings(transfer.peer, turn.party_name(transfer.peer))
        by_party[transfer.peer] = _with(turn, known, transfer, since)
    return sorted(by_party.values(), key=lambda d: (-sum(getattr(d, way).lines for way in WAYS), d.name.casefold()))


def _with(turn: Turn, dealings: Dealings, transfer: Transfer, since: datetime | None) -> Dealings:
    if transfer.state not in FINAL:
        dealings = replace(dealings, open=dealings.open + 1)
    when = transfer.ended or (transfer.decided or transfer.asked).at
    if since is not None and when < since:
        return dealings
    if lend.is_return(transfer):  # what comes back is no gift, and on loan no more
        return dealings
    counted: dict[str, list[Flow]] = {way: [getattr(dealings, way)] for way in WAYS}
    for line in lend.left(turn, transfer) if transfer.is_loan else _gone_over(transfer):
        if way := _way(transfer, line.number):
            pieces = Decimal(0) if line.description.units else line.quantity
            counted[way].append(Flow(1, pieces))
    sums: dict[str, Any] = {way: _sum(flows) for way, flows in counted.items()}
    return replace(dealings, **sums)


def _gone_over(transfer: Transfer) -> list[Line]:
    return [line for line in transfer.terms.lines if transfer.at(line.number).stage in GONE_OVER]


def _way(transfer: Transfer, number: int) -> str:
    """What is on loan now counts as lent; what became a gift as given; '' for what is lost."""
    if transfer.is_loan and transfer.ending_of(number) is not Ending.GIFT:
        out = transfer.is_on_loan and transfer.ending_of(number) is None
        return {"sender": "lent", "receiver": "borrowed"}[transfer.role] if out else ""
    return "given" if transfer.role == "sender" else "received"


def _sum(flows: list[Flow]) -> Flow:
    return Flow(sum(f.lines for f in flows), sum((f.pieces for f in flows), Decimal(0)))


# --- in a letter ---


def written(figures: SpaceFigures) -> dict[str, Any]:
    """The figures as a letter carries them, and our metadata keeps them: what isn't told isn't there."""
    data: dict[str, Any] = {name: getattr(figures, name) for name in (*COUNTS, "shared", "open")}
    for way in WAYS:
        flow: Flow | None = getattr(figures, way)
        data[way] = {"lines": flow.lines, "pieces": plain(flow.pieces)} if flow else None
    return {name: value for name, value in data.items() if value is not None}


def understood(nothing_yet: SpaceFigures, data: dict[str, Any]) -> SpaceFigures:
    """A friend's figures. ValueError for what is no count; what we don't know is left out."""
    told: dict[str, Any] = {name: _count(data[name]) for name in (*COUNTS, "shared", "open") if name in data}
    told |= {way: _flow(data[way]) for way in WAYS if way in data}
    return replace(nothing_yet, **told)


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MOST_OF_ANYTHING:
        raise ValueError("a count that is none")
    return value


def _flow(value: object) -> Flow:
    if not isinstance(value, dict) or not isinstance(value.get("pieces"), str):
        raise ValueError("a flow that is none")  # noqa: TRY004 -- a letter is data: what is wrong in it is a value
    try:
        pieces = Decimal(value["pieces"])
    except InvalidOperation:
        raise ValueError("pieces that are no number") from None
    if not pieces.is_finite() or not 0 <= pieces <= MOST_OF_ANYTHING:
        raise ValueError("pieces that are no number")
    return Flow(_count(value.get("lines")), pieces)
