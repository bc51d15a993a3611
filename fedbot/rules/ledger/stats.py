"""UC4: figures, on request and on a schedule.

A survey waits for our own figures (our InvenTree counts) and for peers' (their bots count, and send what they disclose,
sealed); nothing in chat waits for it. Lost messages are sent again, like all others (`protocol.sequencing`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from fedbot import messages
from fedbot.rules import budgets
from fedbot.rules.archive import Mark, PeerFlow, flow_of_line, left_at
from fedbot.rules.connection import provision
from fedbot.rules.loan import balance
from fedbot.rules.model import audit
from fedbot.rules.model.books import (
    BALANCE,
    COUNTS,
    STATS_SILENT_AFTER,
    WAYS,
    Chart,
    Dealings,
    Flow,
    SpaceFigures,
    StockHistory,
    Survey,
    Way,
    figures_read,
    figures_written,
)
from fedbot.rules.model.catalogue import Share
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Ask, Edit, Picture, Post, Typing, say
from fedbot.rules.model.events import Answered, StatsDue, Unanswered
from fedbot.rules.model.health import counted_from
from fedbot.rules.model.lending import OUTSIDE, OutsideLoan
from fedbot.rules.model.lifecycles import LIVING_CONNECTION, ConnectionState, Ending, OutsideState
from fedbot.rules.model.party_config import PRACTICE
from fedbot.rules.model.queries import OfConnection, StockCounts, StockFigures, WhenAnswered, WhenAnsweredOrNot
from fedbot.rules.model.room import MessageKey, MessageKind
from fedbot.rules.model.stock import counts_pieces
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.protocol import announcements, bodies, sequencing, who_answers
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.state import Turn
from fedbot.rules.wire import BadEnvelope

FORGOTTEN_AFTER = timedelta(days=1)
MOST_POINTS = 60
MOST_IN_CHART = 12


# --- our person's request ---


def begin(
    turn: Turn, command: Command, connections: Sequence[Connection], days: int, *, own: bool, chart: bool
) -> None:
    """Ask our InvenTree and these peers. The line is answered when all have answered, then the chart follows."""
    waiting = [turn.us.party] if own else []
    for connection in connections:
        waiting.append(connection.peer)
        is_asked = any(connection.peer in s.waiting and s.days == days for s in turn.all(Survey))
        if not (is_asked or sequencing.is_unheard(turn, connection, "stats-ask")):
            turn.save(sequencing.send(turn, connection, bodies.StatsAsk(days=days), awaits=True))
    until = turn.now + STATS_SILENT_AFTER
    turn.save(Survey(command.event_id, command.room, days, until, tuple(waiting), chart=chart))
    turn.do(Typing(command.room, int(STATS_SILENT_AFTER.total_seconds())))
    if own:
        turn.do(Ask(CountForRoom(command.event_id), (StockFigures(),)))


@dataclass(frozen=True)
class CountForRoom(WhenAnsweredOrNot):
    """Counts our own figures for the survey of that id."""

    survey: str

    @property
    def subject(self) -> str:
        """The survey's id."""
        return self.survey

    def answered(self, turn: Turn, event: Answered) -> None:
        """Add our own figures, as far as the room may read them."""
        survey = turn.get(Survey, self.survey)
        if survey is not None:
            rooms = rooms_told_of(turn, survey.room)
            figures = own(turn, _counts(event), survey.days, rooms)
            _add_figures(turn, survey, for_room(turn, figures, survey.room))

    def unanswered(self, turn: Turn, _: Unanswered) -> None:
        """Report that our InvenTree is silent."""
        survey = turn.get(Survey, self.survey)
        if survey is not None:
            silent = SpaceFigures(turn.us.party, turn.us.name, turn.now, survey.days, problem="inventory")
            _add_figures(turn, survey, silent)


def _counts(event: Answered) -> StockCounts:
    (counts,) = event.answers
    if not isinstance(counts, StockCounts):
        raise TypeError(f"stats ask for counts, not {counts!r}")
    return counts


def _add_figures(turn: Turn, survey: Survey, figures: SpaceFigures) -> None:
    """Add a space's figures. Answer if none is missing, or update the posted answer."""
    waiting = tuple(party for party in survey.waiting if party != figures.party)
    survey = replace(survey, waiting=waiting, came=(*survey.came, figures))
    turn.save(survey)
    if not waiting or survey.posted:
        _answer(turn, survey)


def _answer(turn: Turn, survey: Survey) -> None:
    """Answer the line, or update the answer with later figures."""
    silent = tuple(turn.party_name(party) for party in survey.waiting)
    came = sorted(survey.came, key=lambda f: (f.party != turn.us.party, f.name.casefold()))
    phrase = say(messages.stats.stats, us=turn.us, figures=tuple(came), silent=silent, days=survey.days)
    key = MessageKind.STATS.of(rest=survey.id)
    if survey.posted:
        turn.do(Edit(key, survey.room, phrase))
    else:
        turn.do(Typing(survey.room, 0))
        turn.do(Post(key, survey.room, phrase, reply_to=survey.id))
        if survey.chart:
            _draw_asked(turn, survey, key)
    if survey.waiting:
        turn.save(replace(survey, posted=True))
    else:
        turn.drop(survey)


def _draw_asked(turn: Turn, survey: Survey, thread: str) -> None:
    """Post the chart of our own figures; of a peer's, if that peer alone was asked."""
    told = [figures for figures in survey.came if not figures.problem]
    own = [figures for figures in told if figures.party == turn.us.party]
    for figures in own or told[:1]:
        history = with_today(turn, turn.stock_history() if own else StockHistory(), figures.stock_items)
        _draw(turn, MessageKind.CHART.of(rest=survey.id), survey.room, thread, figures, history)


def look(turn: Turn) -> None:
    """By the clock: answer without the silent spaces, and drop the survey a day later."""
    for survey in turn.all(Survey):
        if survey.until + FORGOTTEN_AFTER <= turn.now:
            turn.drop(survey)
        elif survey.until <= turn.now and not survey.posted:
            _answer(turn, survey)


def next_wake(turn: Turn) -> list[datetime]:
    """The times at which `look` has something to do."""
    return [s.until + FORGOTTEN_AFTER if s.posted else s.until for s in turn.all(Survey)]


# --- a peer's request ---


def on_asked(turn: Turn, connection: Connection, envelope: Message[bodies.StatsAsk]) -> None:
    """Count for a peer that asks for our figures, with the token made for it."""
    turn.save(connection)
    if connection.state is not ConnectionState.ACTIVE:
        return
    then = CountForFriend(connection.id, envelope.body.days)
    turn.note(connection.id, audit.Fact.FIGURES_ASKED)
    again = turn.spends("stats", connection.peer)
    if again is None:
        turn.do(Ask(then, (StockFigures(provision.own_reference(connection)),)))
    else:
        _tell(turn, then, None, "later", again)


@dataclass(frozen=True)
class CountForFriend(OfConnection, WhenAnsweredOrNot):
    """Counts our figures of the last `days` days for a peer."""

    days: int

    def answered(self, turn: Turn, event: Answered) -> None:
        """Send the peer the figures that we disclose."""
        figures = _disclosed(turn, own(turn, _counts(event), self.days, None))
        _tell(turn, self, figures, "")

    def unanswered(self, turn: Turn, _: Unanswered) -> None:
        """Tell the peer that our InvenTree is silent, or doesn't accept its token."""
        _tell(turn, self, None, "inventory")


def _tell(
    turn: Turn, then: CountForFriend, figures: SpaceFigures | None, problem: str, again: datetime | None = None
) -> None:
    connection = turn.connection(then.connection)
    if connection is None or connection.state is not ConnectionState.ACTIVE:
        return
    in_room = "stats" in turn.us.disclose_in_room
    body = bodies.Stats(days=then.days, in_room=in_room, problem=problem, again=again)
    sealed = figures_written(figures) if figures else {}
    connection, draft = sequencing.write(turn, connection, body, awaits=True, sealed=sealed)
    turn.save(connection)
    sequencing.post(turn, connection, draft)


def on_told(turn: Turn, connection: Connection, envelope: Message[bodies.Stats]) -> None:
    """Take in a peer's figures: store, mirror and acknowledge them, and add them to the surveys that wait for them."""
    figures = _understood(turn, connection, envelope)
    connection = sequencing.send(turn, connection, bodies.Noted())
    turn.save(connection)
    if not figures.problem:
        connection = replace(connection, peer_shares=figures.shared)
        turn.save(figures)
        turn.save(connection)
        provision.mirror(turn, connection)
    turn.note(connection.id, audit.FiguresTold(figures.problem))
    in_room = envelope.body.in_room
    for survey in turn.all(Survey):
        if connection.peer in survey.waiting and survey.days == figures.days:
            hidden = not (in_room or is_private(turn, survey.room))
            shown = replace(_without_figures(figures), problem="hidden") if hidden and not figures.problem else figures
            _add_figures(turn, survey, shown)


def _understood(turn: Turn, connection: Connection, envelope: Message[bodies.Stats]) -> SpaceFigures:
    empty = SpaceFigures(connection.peer, connection.peer_name, turn.now, envelope.body.days)
    try:
        if envelope.body.problem == "later":
            return replace(empty, problem="later", again=budgets.again_in(turn.now, envelope.body.again))
        if envelope.body.problem:
            return replace(empty, problem="inventory")
        return figures_read(empty, sequencing.unsealed(turn, envelope))
    except (BadEnvelope, ValueError) as problem:
        turn.note(connection.id, audit.NotUnderstood("figures", str(problem)))
        return replace(empty, problem="unreadable")


# --- on a schedule ---


def on_started(turn: Turn) -> None:
    """Count the schedule from its first start. Without a schedule, forget the last run."""
    status = turn.status()
    last = counted_from(status.last_stats, turn.now) if turn.us.stats_schedule else None
    turn.save(replace(status, last_stats=last))


def on_due(turn: Turn, event: StatsDue) -> None:
    """Count for our rooms on schedule. A run that was due before the last one is skipped."""
    status = turn.status()
    if status.last_stats is not None and event.due <= status.last_stats:
        return
    last = max(event.due, turn.now)
    turn.save(replace(status, last_stats=last))
    turn.do(Ask(CountOnSchedule(last), (StockFigures(),)))


@dataclass(frozen=True)
class CountOnSchedule(WhenAnswered):
    """Counts our figures for our rooms, for the scheduled run `last`."""

    last: datetime

    def answered(self, turn: Turn, event: Answered) -> None:
        """Post our figures in our rooms, and the chart in the thread, unless a later run has started."""
        last = turn.status().last_stats
        if last is None or last != self.last:
            return
        counts = _counts(event)
        history = _remember(turn, counts)
        for room in announcements.current_rooms(turn):
            known = turn.room(room)
            if known is None or not (known.joined and known.may_talk):
                continue
            told_of = rooms_told_of(turn, room)
            figures = _disclosed(turn, own(turn, counts, 0, told_of))
            key = MessageKind.STATS.of(rest=f"{last.isoformat()}:{room}")
            turn.do(Post(key, room, say(messages.stats.stats, us=turn.us, figures=(figures,), silent=(), days=0)))
            _draw(turn, MessageKind.CHART.of(rest=f"{last.isoformat()}:{room}"), room, key, figures, history)


def _remember(turn: Turn, counts: StockCounts) -> StockHistory:
    history = with_today(turn, turn.stock_history(), counts.stock_items)
    turn.save(history)
    return history


def with_today(turn: Turn, history: StockHistory, stock_items: int | None) -> StockHistory:
    """Return the history with today's number added, if there is one."""
    if stock_items is None:
        return history
    today = turn.now.astimezone(ZoneInfo(turn.us.time_zone)).date()
    earlier = tuple(point for point in history.points if point[0] != today)
    return replace(history, points=(*earlier, (today, stock_items))[-MOST_POINTS:])


def _draw(turn: Turn, key: MessageKey, room: str, thread: str, figures: SpaceFigures, history: StockHistory) -> None:
    chart = _chart(figures, history)
    if chart.stock or chart.exchange:
        turn.do(Picture(key, room, say(messages.stats.stats_chart, us=turn.us, figures=figures), chart, thread=thread))


def _chart(figures: SpaceFigures, history: StockHistory) -> Chart:
    """Return the data of the chart: only what the text may disclose."""
    most = sorted(figures.dealings, key=lambda d: -(d.given.lines + d.received.lines))[:MOST_IN_CHART]
    exchange = tuple((d.name, d.given.lines, d.received.lines) for d in most if d.given.lines or d.received.lines)
    return Chart(history.points if figures.stock_items is not None else (), exchange)


# --- our figures, and how much of them may be disclosed ---


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
        return replace(_without_figures(figures), problem="hidden")
    return _disclosed(turn, figures)


def _without_figures(figures: SpaceFigures) -> SpaceFigures:
    """Return the same space's figures without any number."""
    return SpaceFigures(figures.party, figures.name, figures.at, figures.days)


def _disclosed(turn: Turn, figures: SpaceFigures) -> SpaceFigures:
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
            for line in balance.lines_not_back(turn, loan):
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
