"""How people compare keys: seven emoji with their names, as in Matrix' device verification."""

from __future__ import annotations

from fedbot.messages import naming
from fedbot.messages.formatting import Bold, Break, Inline
from fedbot.messages.language import Lines, Locale, marked
from fedbot.messages.naming import command
from fedbot.rules.model.connection import KEY_EMOJI, Connection
from fedbot.rules.model.party_config import PartyConfig

NAMES: tuple[str, ...] = (
    marked("Dog"),
    marked("Cat"),
    marked("Lion"),
    marked("Horse"),
    marked("Unicorn"),
    marked("Pig"),
    marked("Elephant"),
    marked("Rabbit"),
    marked("Panda"),
    marked("Rooster"),
    marked("Penguin"),
    marked("Turtle"),
    marked("Fish"),
    marked("Octopus"),
    marked("Butterfly"),
    marked("Flower"),
    marked("Tree"),
    marked("Cactus"),
    marked("Mushroom"),
    marked("Globe"),
    marked("Moon"),
    marked("Cloud"),
    marked("Fire"),
    marked("Banana"),
    marked("Apple"),
    marked("Strawberry"),
    marked("Corn"),
    marked("Pizza"),
    marked("Cake"),
    marked("Heart"),
    marked("Smiley"),
    marked("Robot"),
    marked("Hat"),
    marked("Glasses"),
    marked("Wrench"),
    marked("Santa"),
    marked("Thumbs up"),
    marked("Umbrella"),
    marked("Hourglass"),
    marked("Clock"),
    marked("Gift"),
    marked("Light Bulb"),
    marked("Book"),
    marked("Pencil"),
    marked("Paperclip"),
    marked("Scissors"),
    marked("Lock"),
    marked("Key"),
    marked("Hammer"),
    marked("Telephone"),
    marked("Flag"),
    marked("Train"),
    marked("Bicycle"),
    marked("Airplane"),
    marked("Rocket"),
    marked("Trophy"),
    marked("Ball"),
    marked("Guitar"),
    marked("Trumpet"),
    marked("Bell"),
    marked("Anchor"),
    marked("Headphones"),
    marked("Folder"),
    marked("Pin"),
)
"""The names of `EMOJI`, in its order, to be translated."""


def row(locale: Locale, emoji: tuple[int, ...]) -> tuple[Inline, ...]:
    """'🐶 Dog · 🐱 Cat · …'."""
    return (Bold(" · ".join(f"{KEY_EMOJI[number][0]} {locale.word(NAMES[number])}" for number in emoji)),)


def keys_to_compare(locale: Locale, *, connection: Connection, us: PartyConfig, emoji: tuple[int, ...]) -> Lines:
    """Another key is looked at, ours or theirs: both bots can show the same emoji now."""
    peer, own = naming.space(locale, connection.peer_name), naming.space(locale, us.name)
    first = locale.say("Compare the keys of {own} and {peer}: call {peer}.", own=own, peer=Bold(peer))
    return [
        first,
        locale.say("Their bot must show the same seven emoji:"),
        row(locale, emoji),
        *_what_next(locale, connection, own, peer),
        connection.code,
    ]


def _what_next(locale: Locale, connection: Connection, own: str, peer: str) -> Lines:
    if not connection.changed_bot:
        words = {"own": own, "peer": peer}
        return [locale.say("{peer}'s bot checks who speaks for {own}. There is nothing to type here.", **words)]
    accept = command(f"review {connection.peer} accept EMOJI")
    return [
        locale.say("If all are the same, a superuser of {own} types them: {accept}", own=own, accept=accept),
        locale.say("If any differs, leave the friendship paused: somebody else may speak for {peer}.", peer=peer),
    ]


def keys_not_compared_yet(locale: Locale, *, connection: Connection) -> Lines:
    """A decision before the emoji are there."""
    peer = naming.space(locale, connection.peer_name)
    return [
        locale.say("Not counted: {peer}'s bot hasn't answered, so nobody can compare the keys yet.", peer=peer),
        locale.say("The card will show seven emoji. Then decide."),
    ]


def key_check_failed(locale: Locale, *, connection: Connection) -> Lines:
    """The peer's nonce isn't the one to which it was bound."""
    peer = naming.space(locale, connection.peer_name)
    return [
        locale.say("⚠ The key check with {peer}'s bot failed. Nobody should approve.", peer=Bold(peer)),
        locale.say("It told another secret than the one it had promised. Somebody may be between the two bots."),
        (*locale.say("Nothing was accepted, and nothing moves."), Break(), connection.code),
    ]


def past_differs(locale: Locale, *, code: str, peer_name: str, number: int) -> Lines:
    """For the admins: the peer tells of other messages than we have sent."""
    peer = naming.space(locale, peer_name)
    return [
        locale.say("⚠ {code}: {peer}'s bot tells another past than ours.", code=code, peer=Bold(peer)),
        locale.say("Up to number {number} it has read other messages than we have sent.", number=number),
        locale.say("One of the two journals was changed, or that bot doesn't tell the truth."),
        locale.say("Call {peer}. Where the two differ: {reconcile}", peer=peer, reconcile=command("reconcile")),
    ]
