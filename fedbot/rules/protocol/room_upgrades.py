"""Which room took the place of which (Matrix spec, 'Room upgrades'), and so: in which rooms the federation lives.

A room is the successor of another if that one's tombstone names it, and it names that one as its predecessor. The
homeserver takes a tombstone only from whom the old room gives the power to, and a room's first event is its
creator's for ever: so a stranger's room can't slip in.
"""

from __future__ import annotations

from fedbot.rules.state import Turn


def successor(turn: Turn, room: str) -> str:
    """The room that took its place, once we have been in that; else ''."""
    old = turn.room(room)
    new = turn.room(old.replaced_by) if old is not None and old.replaced_by else None
    return new.id if new is not None and new.predecessor == room else ""


def predecessor(turn: Turn, room: str) -> str:
    """The room whose place it took; '' if it took none."""
    new = turn.room(room)
    before = new.predecessor if new is not None else ""
    return before if before and successor(turn, before) == room else ""


def lineage(turn: Turn, room: str) -> list[str]:
    """The room and those whose places it took, newest first."""
    rooms = [room]
    while (before := predecessor(turn, rooms[-1])) and before not in rooms:
        rooms.append(before)
    return rooms


def newest(turn: Turn, room: str) -> str:
    """The room that stands in its place now: itself, if none took it."""
    seen = [room]
    while (after := successor(turn, seen[-1])) and after not in seen:
        seen.append(after)
    return seen[-1]


def federation_rooms(turn: Turn) -> list[str]:
    """The rooms in which what is said counts: the configured ones, what took their place, and whose they took."""
    current = current_rooms(turn)
    configured = [room for room in turn.us.rooms if room not in current]
    return list(dict.fromkeys([*configured, *(each for room in current for each in lineage(turn, room))]))


def is_ours(turn: Turn, room: str) -> bool:
    """Whether it is one of our federation rooms, or the admin room."""
    return room in federation_rooms(turn) or room == turn.us.admin_room


def current_rooms(turn: Turn) -> list[str]:
    """The rooms in which people meet now: the configured ones, or what took their place."""
    return list(dict.fromkeys(newest(turn, room) for room in turn.us.rooms))


def replaced_by(turn: Turn, room: str) -> list[str]:
    """The rooms of ours whose tombstones name this one as their replacement, whatever it says itself."""
    ours = {*federation_rooms(turn), *(connection.room for connection in turn.connections())}
    pointing = (old.id for old in turn.rooms() if old.replaced_by == room)
    return [old for old in pointing if old in ours or room in turn.us.rooms]
