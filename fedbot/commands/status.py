"""`!fed status`: show the bot's health, and its open and due work."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from fedbot import messages
from fedbot.commands.lookup import is_private, room_name, rooms_told_of
from fedbot.commands.spec import Handler, Verb
from fedbot.rules.model.command import Command
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import StatusSeen
from fedbot.rules.model.lifecycles import LIVING_CONNECTION, TransferState
from fedbot.rules.model.queries import Answer, InventoryStanding, Overview, Query
from fedbot.rules.model.room import Room
from fedbot.rules.model.stock import Permission
from fedbot.rules.protocol import announcements
from fedbot.rules.reminders import upcoming
from fedbot.rules.state import Turn

SPEC = Verb(
    name="status",
    summary="show version, InvenTree, open and due work",
    permission=Permission.MAPPED,
    only_looks=True,
    examples=("status",),
    details=("In the admin room it also says what an admin should fix.",),
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...]:
    """Ask whether our InvenTree answers."""
    del turn, command
    return (Overview(),)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """Show it. Problems on our own side are shown only in the admin room."""
    (inventory,) = answers
    if not isinstance(inventory, InventoryStanding):
        raise TypeError(f"status asks whether InvenTree answers, not {inventory!r}")
    return _status(turn, command, inventory, None)


def answer_without(turn: Turn, command: Command, problem: Diagnosis | None) -> bool:
    """Show the status although our InvenTree doesn't answer, and say so."""
    turn.answer(command, _status(turn, command, None, problem))
    return True


def _status(turn: Turn, command: Command, inventory: InventoryStanding | None, problem: Diagnosis | None) -> Phrase:
    private = is_private(turn, command.room)
    if inventory is not None and not private:
        inventory = replace(inventory, username="", complaints=())
    rooms = rooms_told_of(turn, command.room)
    connections = [c for c in turn.connections() if c.room in rooms]
    transfers = [t for t in turn.open_transfers() if t.room in rooms]
    exchanges = [c.exchange for c in connections] + [t.exchange for t in turn.living_transfers() if t.room in rooms]
    status = turn.status()
    read_up_to = max(status.caught_up or command.at, command.at)  # this line has been read, too
    seen = StatusSeen(
        standing=replace(status, caught_up=read_up_to),
        inventory=inventory,
        problem=problem,
        connections=dict(Counter(c.state for c in connections if c.state in LIVING_CONNECTION)),
        transfers=len(transfers),
        disputed=len([t for t in transfers if t.state is TransferState.DISPUTED]),
        unread=sum(len(exchange.unread) for exchange in exchanges if exchange.awaiting),
        waiting=tuple(c.code for c in connections if c.waiting_since)
        + tuple(t.code for t in transfers if t.waiting_since),
        due=upcoming(turn, rooms, private=private),
        moved=_moved(turn) if private else (),
        quarantined=turn.state.quarantined(),
        mute=tuple(room_name(turn, room) for room in rooms if _is_mute(turn, room)),
    )
    return say(messages.overview.status, us=turn.us, status=seen, private=private)


def _is_mute(turn: Turn, room: str) -> bool:
    """Whether the bot is in that room without the permission to do its work there."""
    known = turn.room(room)
    lives = isinstance(known, Room) and known.joined and not known.replaced_by
    return isinstance(known, Room) and lives and not (known.may_talk and known.may_react)


def _moved(turn: Turn) -> tuple[tuple[str, str], ...]:
    """The configured rooms that another room has replaced."""
    newest = ((room, announcements.newest(turn, room)) for room in turn.us.rooms)
    return tuple((old, new) for old, new in newest if old != new)


HANDLER = Handler(SPEC, ask, act, answer_without)
