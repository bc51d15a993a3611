"""The other spaces in the room: how we stand with each, whether its bot answers, and the keys to compare."""

from __future__ import annotations

from fedbot.chat.content import Bold, Break, Inline, Items
from fedbot.chat.words import naming
from fedbot.chat.words.naming import command
from fedbot.chat.words.tongue import Lines, Tongue, Words, marked
from fedbot.federation.documents import ConnectionState
from fedbot.federation.home import Home
from fedbot.federation.views import SpaceSeen

UNANSWERED_IS_SILENT = 2
MOST_SPACES = 30


def spaces(tongue: Tongue, *, home: Home, fingerprint: str, spaces: tuple[SpaceSeen, ...], everywhere: bool) -> Lines:
    """One entry a space, then our own key."""
    own = naming.space(tongue, home.name)
    ours = tongue.say("Our key ({own}): {key}", own=own, key=fingerprint)
    if not spaces:
        first = (
            tongue.say("No other space announces itself in any of my rooms.")
            if everywhere
            else tongue.say("No other space announces itself in this room.")
        )
        return [first, tongue.say("It takes another space's bot here, with discoverable switched on."), ours]
    first = tongue.some("{number} other space:", "{number} other spaces:", len(spaces))
    items = [_space(tongue, space) for space in spaces[:MOST_SPACES]]
    if len(spaces) > MOST_SPACES:
        items.append(tongue.say("and {number} more", number=len(spaces) - MOST_SPACES))
    return [first, Items(tuple(items)), ours]


def _space(tongue: Tongue, space: SpaceSeen) -> tuple[Inline, ...]:
    name = naming.space(tongue, space.name)
    called = name if name == space.party else f"{name} ({tongue.short(space.party, 40)})"
    nodes: list[Inline] = [Bold(called), ": ", *_relation(tongue, space)]
    for warning in _warnings(tongue, space):
        nodes += [Break(), *warning]
    return (*nodes, Break(), *tongue.say("key {key}", key=space.fingerprint))


def _warnings(tongue: Tongue, space: SpaceSeen) -> list[tuple[Inline, ...]]:
    """What else is to be known of the space."""
    told = []
    if space.shares is not None and space.connection is not None:
        told.append(tongue.some("shares {number} entry", "shares {number} entries", space.shares))
    if space.unanswered >= UNANSWERED_IS_SILENT:
        told.append(tongue.say("⚠ its bot has not answered for a while"))
    if space.claims > 1:
        told.append(tongue.say("⚠ {number} bots say that they are it; one of them isn't", number=space.claims))
    if space.claims == 0:
        told.append(tongue.say("⚠ it does not announce itself at present"))
    if space.access == "direct" and space.connection is not None:
        told.append(tongue.say("the bots can read each other's stock"))
    return told


_RELATIONS: dict[ConnectionState, str] = {
    ConnectionState.ACTIVE: marked("friends"),
    ConnectionState.ASKED: marked("asked by us, waits for them until {when} ({code})"),
    ConnectionState.OFFERED: marked("asks us, waits for a superuser of ours until {when} ({code})"),
    ConnectionState.MAKING: marked("agreed, is being set up ({code})"),
    ConnectionState.READY: marked("agreed, is being set up ({code})"),
    ConnectionState.ENDING: marked("friends no more, once what moves is finished ({code})"),
    ConnectionState.SUSPENDED: marked("⚠ paused, as its key or account changed: {review}"),
}

_BY_ROOM: dict[str, Words] = {"review_room": command("review --room")}


def _relation(tongue: Tongue, space: SpaceSeen) -> tuple[Inline, ...]:
    connection = space.connection
    if connection is None:
        return tongue.say("no friends yet. A superuser can ask: {connect}", connect=command(f"connect {space.party}"))
    sentence = _RELATIONS.get(connection.state, marked("no friends any more"))
    if connection.state is ConnectionState.MAKING and connection.needs:
        sentence = marked("agreed, waits for our admin ({code})")
    if connection.changed_room:
        sentence = marked("⏸ waits, as its room was replaced: {review_room}")
    review = command(f"review {space.party}")
    return tongue.say(sentence, when=tongue.when(connection.due), code=connection.code, review=review, **_BY_ROOM)
