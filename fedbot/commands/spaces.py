"""`!fed spaces`: list the other spaces here, our connection with each, and whether its bot answers."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.lookup import rooms_told_of, spaces_in
from fedbot.commands.spec import Handler, Verb, nothing_to_ask
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import SpaceSeen
from fedbot.rules.model.lifecycles import LIVING_CONNECTION
from fedbot.rules.model.queries import Answer
from fedbot.rules.model.stock import Permission
from fedbot.rules.protocol import announcements
from fedbot.rules.state import Turn
from fedbot.rules.wire import fingerprint

SPEC = Verb(
    name="spaces",
    aliases=("parties", "friends"),
    summary="list friends, and whether their bots answer",
    permission=Permission.MAPPED,
    only_looks=True,
    examples=("spaces",),
    details=("It also shows the fingerprints of all keys, ours too, so that you can compare them by phone.",),
    everyday=8,
)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """List every space that announces itself in the room or is connected with us there."""
    del answers
    rooms = rooms_told_of(turn, command.room)
    spaces = tuple(seen(turn, rooms, space.party, space.name) for space in spaces_in(turn, command.room))
    return say(
        messages.connect.spaces,
        us=turn.us,
        fingerprint=fingerprint(turn.us.key),
        spaces=spaces,
        everywhere=command.room not in announcements.federation_rooms(turn),
    )


def seen(turn: Turn, rooms: list[str], party: str, name: str) -> SpaceSeen:
    """Our connection with a space that these rooms show."""
    announced = [entry for place in rooms for entry in turn.announced(place, party)]
    living = [c for c in turn.connections() if c.peer == party and c.room in rooms and c.state in LIVING_CONNECTION]
    connection = max(living, key=lambda c: c.generation, default=None)
    pinned = connection.peer_key if connection else announced[0][1].key
    access = connection.access if connection else announced[0][1].access
    unanswered = 0
    if connection is not None:
        exchanges = [connection.exchange]
        exchanges += [t.exchange for t in turn.living_transfers() if t.connection == connection.id]
        unanswered = max(exchange.resends if exchange.awaiting else 0 for exchange in exchanges)
    bots = {bot for place in rooms for bot, _ in turn.claims(place, party)}
    shares = connection.peer_shares if connection else None
    return SpaceSeen(party, name, fingerprint(pinned), access, len(bots), connection, unanswered, shares)


HANDLER = Handler(SPEC, nothing_to_ask, act)
