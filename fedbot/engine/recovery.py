"""Continues with a journal that knows less than the rooms: restored from a backup, or rebuilt.

`rules.ledger.recover` has the rules about past messages; this module reads the messages and passes them on.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from fedbot.engine.chat_worker import posted
from fedbot.engine.pipeline import Engine
from fedbot.engine.syncing import SyncLoop
from fedbot.ports.chat import Batch, Chat
from fedbot.ports.inventory import Inventory
from fedbot.ports.journal import ChatMessage, OutboxRow
from fedbot.rules.carry_out_line import CarryOut
from fedbot.rules.ledger.recover import Rebuild, mirrored_requests, requests_of_lost_rotas
from fedbot.rules.model.catalogue import Want
from fedbot.rules.model.effects import Ask, SendEnvelope
from fedbot.rules.model.events import Answered, Echoed, EnvelopeSeen, PastRead, Reacted, Recalled, RoomReplaced, Said
from fedbot.rules.model.lending import LendingStop, OutsideLoan, PlaceInLine
from fedbot.rules.model.lifecycles import FINAL, ConnectionState, TransferState
from fedbot.rules.model.queries import CompanyMirrors, MirrorsFound
from fedbot.rules.protocol import announcements
from fedbot.rules.state import Turn
from fedbot.rules.wire import envelope_id

log = logging.getLogger(__name__)


async def catch_up(engine: Engine, syncing: SyncLoop, chat: Chat, since: str) -> None:
    """Read everything since the copy was made, our own messages included, before the bot does anything.

    The bot doesn't answer lines again that it answered, doesn't count reactions again that it acted on, and doesn't
    send messages again that it sent.
    """
    log.warning("the journal is a copy or was rebuilt: reading what happened since, before anything is done")
    batch = await chat.catch_up(since)
    over = batch.answered | _acted_upon(batch, engine.state.us.bot)
    news = [e for e in batch.events if not (isinstance(e, Said | Reacted) and e.event_id in over)]
    syncing.take(replace(batch, events=tuple(news)))
    _leave_out_what_was_answered(engine, batch)
    _leave_out_what_was_sent(engine, batch)


def _acted_upon(batch: Batch, bot: str) -> frozenset[str]:
    """The lines and reactions of our people behind the decisions in our messages since."""
    ours = [e.envelope.get("body") for e in batch.events if isinstance(e, EnvelopeSeen) and e.sender == bot]
    return frozenset(str(body["event"]) for body in ours if isinstance(body, dict) and body.get("event"))


def _leave_out_what_was_answered(engine: Engine, batch: Batch) -> None:
    """Finish queries of lines that were being carried out when the copy was made, and that were answered since."""
    for row in engine.unfinished("ask"):
        then = row.effect.then if isinstance(row.effect, Ask) else None
        if isinstance(then, CarryOut) and then.command.event_id in batch.answered:
            engine.journal.finish(row.id, None)


def _leave_out_what_was_sent(engine: Engine, batch: Batch) -> None:
    bot = engine.state.us.bot
    messages = [e for e in batch.events if isinstance(e, EnvelopeSeen) and e.sender == bot]
    sent = {str(message.envelope.get("id")): message.event_id for message in messages}
    said = {(message.room, message.body): message.event_id for message in batch.own}
    for row in engine.unfinished("chat"):
        event_id = _sent_as(engine, row, sent) or _said_as(row, said)
        if event_id and isinstance(row.effect, ChatMessage):
            now = engine.clock.now()
            engine.journal.finish(row.id, posted(row.effect, event_id, now))
            if row.effect.version:
                engine.journal.put(Echoed(row.effect.room, event_id, now))
        elif event_id or (isinstance(row.effect, ChatMessage) and row.effect.reply_to in batch.answered):
            engine.journal.finish(row.id, None)
    engine.decide_all()


def _sent_as(engine: Engine, row: OutboxRow, sent: dict[str, str]) -> str:
    """The event id of this row's protocol message, if it was sent; else ''."""
    draft = row.effect.draft if isinstance(row.effect, ChatMessage | SendEnvelope) else None
    if draft is None or not draft.number:
        return ""
    return sent.get(envelope_id(engine.state.us.party, draft.subject, draft.number), "")


def _said_as(row: OutboxRow, said: dict[tuple[str, str], str]) -> str:
    """The event with the same text, for a message without an envelope (such as a note that something ended)."""
    if not isinstance(row.effect, ChatMessage) or row.effect.edit or row.effect.draft is not None:
        return ""
    return said.get((row.effect.room, row.effect.plain), "")


# --- rebuilding --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rebuilt:
    """Counts of the recovered documents. `outside` counts loans to neighbours without a bot.

    `booked` counts bookings, `wanted` our people's wants, `waiting` their places in friends' queues, and `queue`
    friends' places in ours. `stopped` are the friends that get no new loans. `rotas` are requests from anyone that are
    withdrawn, each with its asker. `lost` are open requests that our InvenTree names, but no message in the rooms
    mentions.
    """

    connections: tuple[tuple[str, str], ...]
    transfers: int
    unfinished: int
    outside: int
    booked: int
    wanted: int
    waiting: int
    queue: int
    stopped: tuple[str, ...]
    rotas: tuple[str, ...]
    lost: tuple[str, ...]
    unsigned: tuple[str, ...]


async def rebuild(engine: Engine, chat: Chat, inventory: Inventory) -> Rebuilt:
    """Fill a new journal from our InvenTree's metadata and from the messages in the rooms. Carry out nothing yet."""
    mirrors = await inventory.answer(CompanyMirrors())
    if not isinstance(mirrors, MirrorsFound):
        raise TypeError(f"asked for mirrors, not for {mirrors!r}")
    batch = await chat.sync(None, 0)
    for event in batch.events:
        if isinstance(event, RoomReplaced):  # while no friendship is known that would wait for people
            engine.put(event)
    engine.put(Answered(engine.clock.now(), Rebuild(), (mirrors,)))
    engine.receive(batch)
    for room in _joined(Turn(engine.state, engine.clock.now())):
        for message in await chat.protocol_messages(room):
            engine.journal.put(Recalled(message))
    engine.put(PastRead(engine.clock.now()))
    engine.decide_all()
    return _summary(engine, mirrors)


def _joined(turn: Turn) -> list[str]:
    """The federation rooms that we are in; a replaced room comes before its replacement."""
    rooms = [each for room in announcements.current_rooms(turn) for each in reversed(announcements.lineage(turn, room))]
    return [room.id for room in map(turn.room, rooms) if room is not None and room.joined]


def _summary(engine: Engine, mirrors: MirrorsFound) -> Rebuilt:
    turn = Turn(engine.state, engine.clock.now())
    transfers = turn.transfers()
    known = {transfer.id for transfer in transfers}
    over = {ConnectionState.DECLINED, ConnectionState.CANCELLED, ConnectionState.EXPIRED, ConnectionState.ENDED}
    living = [connection for connection in turn.connections() if connection.state not in over]
    named = [request for mirror in mirrors.companies for request in mirrored_requests(mirror)]
    return Rebuilt(
        connections=tuple((connection.peer_name, connection.state.value) for connection in living),
        transfers=len(transfers),
        unfinished=sum(transfer.state not in FINAL for transfer in transfers),
        booked=sum(transfer.state is TransferState.BOOKED for transfer in transfers),
        wanted=len([want for want in turn.all(Want) if want.is_living]),
        waiting=len([place for place in turn.all(PlaceInLine) if place.is_living]),
        queue=len(turn.queue()),
        stopped=tuple(turn.party_name(stop.id) for stop in turn.all(LendingStop)),
        rotas=tuple(f"{t.code} ({t.terms.asker_name or t.terms.asker})" for t in requests_of_lost_rotas(turn)),
        outside=len([loan for loan in turn.all(OutsideLoan) if loan.is_living]),
        lost=tuple(identifier for identifier in named if identifier not in known),
        unsigned=mirrors.unsigned,
    )
