"""Computes our figures, and limits them to what may be disclosed. Pure counting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fedbot.rules.archive import Mark, PeerFlow, flow_of_line, left_at
from fedbot.rules.loan import lend
from fedbot.rules.model.books import BALANCE, COUNTS, WAYS, Dealings, Flow, SpaceFigures, Way
from fedbot.rules.model.catalogue import Share
from fedbot.rules.model.lifecycles import LIVING_CONNECTION, Ending, OutsideState
from fedbot.rules.model.outside import OUTSIDE, OutsideLoan
from fedbot.rules.model.party_config import PRACTICE
from fedbot.rules.model.queries import StockCounts
from fedbot.rules.model.stock import counts_pieces
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.protocol import announcements, who_answers
from fedbot.rules.state import Turn


def own(turn: Turn, counts: StockCounts, days: int, rooms: list[str] | None) -> SpaceFigures:
    """Return our figures: InvenTree's counts, and our journal's of the last `days` (in these rooms)."""
    between = dealings(turn, days, rooms)
    return SpaceFigures(
        party=turn.us.party,
        name=turn.us.name,
        at=turn.now,
        days=days,
        shared=len(turn.all(Share)),
        given=_sum([d.given for d in between]),
        received=_sum([d.received for d in between]),
        lent=_sum([d.lent for d in between]),
        borrowed=_sum([d.borrowed for d in between]),
        open=sum(d.open for d in between),
        dealings=tuple(between),
        **{name: getattr(counts, name) for name in COUNTS},
    )


def rooms_told_of(turn: Turn, room: str) -> list[str] | None:
    """Return the rooms whose figures that room may read, with those that it replaced; None: all."""
    if not room or is_private(turn, room):
        return None
    person = who_answers.direct_with(turn, turn.room(room))
    return who_answers.shared_with(turn, person) if person else announcements.lineage(turn, room)


def is_private(turn: Turn, room: str) -> bool:
    """Whether only our own admins read the room."""
    return bool(room) and room == turn.us.admin_room


def for_room(turn: Turn, figures: SpaceFigures, room: str) -> SpaceFigures:
    """Return our figures for that room: all of them only in the admin room, elsewhere the disclosed ones."""
    if is_private(turn, room):
        return figures
    if "stats" not in turn.us.disclose_in_room:
        return replace(nothing(figures), problem="hidden")
    return disclosed(turn, figures)


def nothing(figures: SpaceFigures) -> SpaceFigures:
    """Return the same space's figures without any number."""
    return SpaceFigures(figures.party, figures.name, figures.at, figures.days)


def disclosed(turn: Turn, figures: SpaceFigures) -> SpaceFigures:
    """Return the figures that we disclose (`stats.disclose`)."""
    hidden: dict[str, Any] = {name: None for name in (*COUNTS, "shared") if name not in turn.us.stats_disclose}
    if BALANCE not in turn.us.stats_disclose:
        hidden |= {**dict.fromkeys(WAYS), "open": None, "dealings": ()}
    return replace(figures, **hidden)


def dealings(turn: Turn, days: int, rooms: list[str] | None) -> list[Dealings]:
    """Return the dealings with each peer, past ones too, busiest first. `rooms` None: all, past ones too."""
    since = turn.now - timedelta(days=days) if days else None
    by_party: dict[str, Dealings] = {}
    for connection in turn.connections():
        is_real = connection.peer != PRACTICE
        if is_real and connection.state in LIVING_CONNECTION and (rooms is None or connection.room in rooms):
            by_party[connection.peer] = Dealings(connection.peer, connection.peer_name)
    for peer in turn.peers():
        if peer != PRACTICE and (rooms is None or turn.count(rooms, peer)):
            by_party.setdefault(peer, Dealings(peer, turn.party_name(peer)))
    for flow in (*turn.flows(rooms, since), *_of_loans(turn, rooms, since)):
        if flow.peer in by_party:
            by_party[flow.peer] = _with(by_party[flow.peer], flow)
    for flow in _outside(turn, rooms, since):
        known = by_party.setdefault(flow.peer, Dealings(flow.peer, flow.peer.removeprefix(OUTSIDE)))
        by_party[flow.peer] = _with(known, flow)
    for transfer in turn.open_transfers():
        if transfer.peer in by_party and (rooms is None or transfer.room in rooms):
            known = by_party[transfer.peer]
            by_party[transfer.peer] = replace(known, open=known.open + 1)
    return sorted(by_party.values(), key=lambda d: (-sum(getattr(d, way).lines for way in WAYS), d.name.casefold()))


def _of_loans(turn: Turn, rooms: list[str] | None, since: datetime | None) -> Iterator[PeerFlow]:
    """Yield current loans, and gifts that began as loans. A returned or lost item counts nowhere."""
    gifts = (loan for peer in turn.peers() for loan in turn.marked(Mark.GIFT, peer))
    for loan in {t.id: t for t in (*turn.living_transfers(), *gifts) if t.is_loan}.values():
        if (rooms is None or loan.room in rooms) and (since is None or left_at(loan) >= since):
            for line in lend.lines_not_back(turn, loan):
                if way := _way(loan, line.number):
                    yield flow_of_line(loan.peer, way, line)


def _outside(turn: Turn, rooms: list[str] | None, since: datetime | None) -> Iterator[PeerFlow]:
    """Yield current loans to neighbours without a bot, and gifts that began as such."""
    for loan in turn.all(OutsideLoan):
        is_told = rooms is None or loan.room in rooms
        if is_told and (since is None or (loan.ended or loan.by.at) >= since) and loan.stage == "handed":
            pieces = loan.quantity if counts_pieces(loan.description.units) else Decimal(0)
            if loan.is_living:
                yield PeerFlow(f"{OUTSIDE}{loan.neighbour}", Way.LENT, 1, pieces)
            elif loan.state is OutsideState.GIFT:
                yield PeerFlow(f"{OUTSIDE}{loan.neighbour}", Way.GIVEN, 1, pieces)


def _way(loan: Transfer, number: int) -> Way | None:
    ending = loan.ending_of(number)
    if ending is Ending.GIFT:
        return Way.GIVEN if loan.role == "sender" else Way.RECEIVED
    if ending is None and loan.is_on_loan:
        return Way.LENT if loan.role == "sender" else Way.BORROWED
    return None


def _with(dealings: Dealings, flow: PeerFlow) -> Dealings:
    known: Flow = getattr(dealings, flow.way)
    sums: dict[str, Any] = {flow.way.value: _sum([known, Flow(flow.lines, flow.pieces)])}
    return replace(dealings, **sums)


def _sum(flows: list[Flow]) -> Flow:
    return Flow(sum(f.lines for f in flows), sum((f.pieces for f in flows), Decimal(0)))
