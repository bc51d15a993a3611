"""The summary that `fedbot run` prints after its start: who it speaks for, its connections, and what waits."""

from __future__ import annotations

from dataclasses import dataclass, fields
from importlib.metadata import version

from fedbot.engine.pipeline import Engine
from fedbot.messages.diagnosis import english
from fedbot.rules import names
from fedbot.rules.model.room import Room
from fedbot.rules.protocol import announcements
from fedbot.rules.state import Turn
from fedbot.rules.wire import VERSION

MOST_SHOWN = 5


@dataclass(frozen=True)
class Summary:
    """One text per field. `protocol` is the newest version of the bots' protocol that this fedbot speaks."""

    fedbot: str
    protocol: int
    space: str
    account: str
    inventree: str
    rooms: str
    admin_room: str
    people: str
    friends: str
    pages: str
    waiting: str

    def fields(self) -> dict[str, object]:
        """All fields by name, for a log."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __str__(self) -> str:
        """All fields as several lines, for people."""
        told = {
            "InvenTree": self.inventree,
            "Rooms": self.rooms,
            "Admin room": self.admin_room,
            "People": self.people,
            "Friends": self.friends,
            "Pages": self.pages,
            "Waiting": self.waiting,
        }
        first = f"fedbot {self.fedbot} (protocol {self.protocol}) speaks for {self.space} as {self.account}."
        return "\n".join([first, *(f"  {name:<11}{what}" for name, what in told.items())])


def summary(engine: Engine) -> Summary:
    """The current summary."""
    turn = Turn(engine.state, engine.clock.now())
    us, status = turn.us, turn.status()
    if status.inventory_down_since is not None:
        inventree = f"{us.inventory_url} doesn't answer: {english(status.inventory_problem)}"
    elif status.api:
        inventree = f"{status.release} (API {status.api}), {us.inventory_url}"
    else:
        inventree = f"{us.inventory_url}, not asked yet"
    roster = turn.roster()
    added, removed = len({*roster.people, *roster.admins}), len(roster.removed)
    since = f", {added} of them added and {removed} removed while it ran" if added or removed else ""
    friends = sorted(connection.peer for connection in turn.active_connections())
    transfers = [transfer.code for transfer in turn.open_transfers()]
    messages = engine.journal.waiting()
    return Summary(
        fedbot=version("fedbot"),
        protocol=VERSION,
        space=names.of_party(us.name, us.party),
        account=us.bot,
        inventree=inventree,
        rooms=_some([_room(turn.room(room), room, us.bot) for room in announcements.current_rooms(turn)], "none"),
        admin_room=_room(turn.room(us.admin_room), us.admin_room, us.bot) if us.admin_room else "none",
        people=f"{len(us.people)}, and {_many(len(us.admins), 'admin')} besides{since}",
        friends=_some(friends, "none yet"),
        pages=us.pages_url or "off",
        waiting=f"{_open(transfers)}, {_many(messages, 'message or step', 'messages and steps')}",
    )


def _room(room: Room | None, identifier: str, bot: str) -> str:
    if room is None or not room.joined:
        return f"{identifier}: the bot isn't in it; invite {bot}"
    return f"{room.name or room.id} ({_many(len(room.members), 'member')})"


def _open(transfers: list[str]) -> str:
    number = _many(len(transfers), "transfer")
    return f"{number} ({_some(transfers, '')})" if transfers else number


def _many(number: int, one: str, several: str = "") -> str:
    return f"{number or 'no'} {one if number == 1 else several or f'{one}s'}"


def _some(names: list[str], nothing: str) -> str:
    shown = ", ".join(names[:MOST_SHOWN]) or nothing
    return f"{shown} and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else shown
