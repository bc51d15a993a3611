"""`!fed spaces`: the other spaces here, how we stand with each, and whether its bot answers."""

from __future__ import annotations

from fedbot.federation import succession
from fedbot.federation.commands import Command
from fedbot.federation.documents import LIVING_CONNECTION
from fedbot.federation.effects import Phrase, say
from fedbot.federation.envelope import fingerprint
from fedbot.federation.questions import Answer
from fedbot.federation.state import Turn
from fedbot.federation.stock import Right
from fedbot.federation.views import SpaceSeen
from fedbot.verbs.naming import rooms_told_of, spaces_in
from fedbot.verbs.spec import Handler, Verb, nothing_to_ask

SPEC = Verb(
    name="spaces",
    aliases=("parties",),
    summary="friends, and whether their bot is awake",
    right=Right.MAPPED,
    only_looks=True,
    examples=("spaces",),
    details=("Also tells the fingerprints of all keys, ours too, so that you can compare them by phone.",),
    everyday=8,
)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """Every space that announces itself in the room or is connected with us there."""
    del answers
    seen = tuple(_seen(turn, command.room, space.party, space.name) for space in spaces_in(turn, command.room))
    return say(
        "spaces",
        home=turn.home,
        fingerprint=fingerprint(turn.home.key),
        spaces=seen,
        everywhere=command.room not in succession.federation_rooms(turn),
    )


def _seen(turn: Turn, room: str, party: str, name: str) -> SpaceSeen:
    rooms = rooms_told_of(turn, room)
    announced = [entry for place in rooms for entry in turn.announced(place, party)]
    living = [c for c in turn.connections() if c.peer == party and c.room in rooms and c.state in LIVING_CONNECTION]
    connection = max(living, key=lambda c: c.generation, default=None)
    pinned = connection.peer_key if connection else announced[0][1].key
    access = connection.access if connection else announced[0][1].access
    unanswered = 0
    if connection is not None:
        exchanges = [connection.exchange]
        exchanges += [t.exchange for t in turn.transfers() if t.connection == connection.id]
        unanswered = max(exchange.resends if exchange.awaiting else 0 for exchange in exchanges)
    bots = {bot for place in rooms for bot, _ in turn.claims(place, party)}
    shares = connection.peer_shares if connection else None
    return SpaceSeen(party, name, fingerprint(pinned), access, len(bots), connection, unanswered, shares)


HANDLER = Handler(SPEC, nothing_to_ask, act)
