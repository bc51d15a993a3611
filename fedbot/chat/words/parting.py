"""The end of a friendship: what is cancelled, what is finished first, and what stays (DESIGN §2, UC5)."""

from __future__ import annotations

from collections.abc import Sequence

from fedbot.chat.content import Bold, Inline, Items
from fedbot.chat.words import naming
from fedbot.chat.words.connection_cards import ended_by
from fedbot.chat.words.finding import what_it_is
from fedbot.chat.words.naming import command
from fedbot.chat.words.tongue import Lines, Tongue
from fedbot.federation.disconnecting import Preview
from fedbot.federation.documents import Connection, Transfer
from fedbot.federation.home import Home

MOST_SHOWN = 10


def disconnecting(tongue: Tongue, *, connection: Connection, home: Home, at_once: bool, preview: Preview) -> Lines:
    """Our superuser ends it; the answer to the line."""
    own, peer = naming.space(tongue, home.name), naming.space(tongue, connection.peer_name)
    lines: Lines = [
        tongue.say("{own} ends the friendship with {peer}.", own=Bold(own), peer=Bold(peer)),
        *ended_by(tongue, connection, home),
        *_what_happens(tongue, preview, at_once=at_once),
    ]
    if at_once:
        lines.append(tongue.say("{peer}'s access to our InvenTree ends now.", peer=peer))
    else:
        lines.append(tongue.say("Then {peer}'s access to our InvenTree ends. Nothing to do.", peer=peer))
    return [*lines, connection.code]


def peer_disconnects(tongue: Tongue, *, connection: Connection, home: Home, preview: Preview) -> Lines:
    """The other space ends it; our side does the same."""
    own, peer = naming.space(tongue, home.name), naming.space(tongue, connection.peer_name)
    return [
        tongue.say("{peer} ends the friendship with {own}.", own=Bold(own), peer=Bold(peer)),
        *ended_by(tongue, connection, home),
        *_what_happens(tongue, preview, at_once=False),
        tongue.say("Then {peer}'s access to our InvenTree ends too. Nothing to do.", peer=peer),
        connection.code,
    ]


def _what_happens(tongue: Tongue, preview: Preview, *, at_once: bool) -> Lines:
    moving = (
        tongue.say("⚠ Was moving; people have to look what became of it:")
        if at_once
        else tongue.say("Is moving, and is finished first:")
    )
    return [
        tongue.say("Nothing new starts."),
        *_listed(tongue, tongue.say("Cancelled, nothing of it had moved:"), preview.cancelled),
        *_listed(tongue, moving, preview.finished),
    ]


def _listed(tongue: Tongue, title: tuple[Inline, ...], transfers: Sequence[Transfer]) -> Lines:
    if not transfers:
        return []
    items = [(each.code, " – ", what_it_is(tongue, each)) for each in transfers[:MOST_SHOWN]]
    more = [tongue.say("and {number} more", number=len(transfers) - MOST_SHOWN)] if len(transfers) > MOST_SHOWN else []
    return [title, Items((*items, *more))]


def disconnected(tongue: Tongue, *, connection: Connection, home: Home) -> Lines:
    """Nothing moves any more, and the access is ended."""
    own, peer = naming.space(tongue, home.name), naming.space(tongue, connection.peer_name)
    return [
        tongue.say("{own} and {peer} are friends no more.", own=Bold(own), peer=Bold(peer)),
        *ended_by(tongue, connection, home),
        tongue.say("What was given stays given, and the history stays."),
        tongue.say("{peer}'s access to our InvenTree is shut.", peer=peer),
        tongue.say("A superuser can ask again at any time: {connect}", connect=command(f"connect {connection.peer}")),
        connection.code,
    ]
