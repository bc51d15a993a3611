"""Keys: comparing them, and changes at a friend that a superuser has to review."""

from __future__ import annotations

from fedbot.messages import naming
from fedbot.messages.language import Lines, Locale, marked
from fedbot.messages.markup import Bold, Break, Code, Inline
from fedbot.messages.naming import command
from fedbot.rules.model.connection import KEY_EMOJI, Connection
from fedbot.rules.model.ledger import ChangeSeen
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.names import display_name

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
    """A key has changed, ours or theirs, and both bots can show the same emoji now."""
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
        return [
            locale.say("The bot of {peer} checks who speaks for {own}. You don't need to type anything here.", **words)
        ]
    accept = command(f"review {connection.peer} accept EMOJI")
    return [
        locale.say("If all are the same, a superuser of {own} types them: {accept}", own=own, accept=accept),
        locale.say(
            "If any of them differs, leave the friendship paused: somebody else may be speaking for {peer}.", peer=peer
        ),
    ]


def keys_not_compared_yet(locale: Locale, *, connection: Connection) -> Lines:
    """The refusal of a decision before the emoji are there."""
    peer = naming.space(locale, connection.peer_name)
    return [
        locale.say("Not counted: the bot of {peer} hasn't answered, so nobody can compare the keys yet.", peer=peer),
        locale.say("The card will show seven emoji. Then decide."),
    ]


def key_check_failed(locale: Locale, *, connection: Connection) -> Lines:
    """The peer revealed a nonce that doesn't match its commitment."""
    peer = naming.space(locale, connection.peer_name)
    return [
        locale.say("⚠ The key check with {peer} failed. Nobody should approve.", peer=Bold(peer)),
        locale.say(
            "Its bot sent a different secret from the one that it had promised. Somebody may be between the two bots."
        ),
        (*locale.say("Nothing was approved, and nothing moves."), Break(), connection.code),
    ]


def past_differs(locale: Locale, *, code: str, peer_name: str, number: int) -> Lines:
    """For the admins: the peer reports other messages than we have sent."""
    peer = naming.space(locale, peer_name)
    return [
        locale.say("⚠ {code}: the bot of {peer} reports a past that differs from ours.", code=code, peer=Bold(peer)),
        locale.say("Up to number {number} it has read other messages than we have sent.", number=number),
        locale.say("Somebody changed one of the two journals, or that bot doesn't tell the truth."),
        locale.say("Call {peer}. To see where the two differ: {reconcile}", peer=peer, reconcile=command("reconcile")),
    ]


# --- Changes at a friend that a superuser has to review: keys, accounts, rooms, names.


def review_nothing(locale: Locale, *, space: str) -> Lines:
    """The answer to `review` if no connection is paused."""
    if space:
        return [locale.say("Nothing to review about {space}.", space=naming.space(locale, space))]
    return [locale.say("Nothing to review.")]


def review_list(locale: Locale, *, us: PartyConfig, changes: tuple[ChangeSeen, ...]) -> Lines:
    """The changes with their old and new values, and how to accept them after comparing."""
    own = naming.space(locale, us.name)
    head = locale.some(
        "{number} friend of {own} has a new key or account, which nobody has approved yet:",
        "{number} friends of {own} have a new key or account, which nobody has approved yet:",
        len(changes),
        own=own,
    )
    if all(change.connection.is_to_be_compared for change in changes):
        head = locale.some(
            "The journal of {own} was rebuilt. The key of {number} friend has to be compared:",
            "The journal of {own} was rebuilt. The keys of {number} friends have to be compared:",
            len(changes),
            own=own,
        )
    lines: Lines = [head]
    for change in changes:
        lines += ["", *_change(locale, change)]
    return lines


def _change(locale: Locale, change: ChangeSeen) -> Lines:
    peer = naming.space(locale, change.connection.peer_name)
    lines: Lines = [Bold(peer)]
    if change.old_fingerprint != change.new_fingerprint:
        lines.append(locale.say("Old key: {key}", key=change.old_fingerprint))
        lines.append(locale.say("New key: {key}", key=Bold(change.new_fingerprint)))
    else:
        lines.append(locale.say("Its key is the same: {key}", key=change.old_fingerprint))
    if change.old_bot != change.new_bot:
        lines.append(
            locale.say(
                "Account: {old}, now {new}",
                old=Code(locale.short(change.old_bot, 120)),
                new=Code(locale.short(change.new_bot, 120)),
            )
        )
    accept = command(f"review {change.connection.peer} accept KEY")
    if change.emoji:
        lines.append(locale.say("Call {peer}. Their bot must show the same seven emoji:", peer=peer))
        lines.append(row(locale, change.emoji))
    else:
        lines.append(locale.say("Their bot hasn't answered yet, so there are no emoji to compare."))
        lines.append(locale.say("Call {peer} and compare the whole key.", peer=peer))
    lines.append(locale.say("If all is the same: {accept}", accept=accept))
    lines.append(locale.say("KEY is the seven emoji, their names, or the whole key."))
    lines.append(locale.say("If not: do nothing; the friendship stays paused."))
    return lines


def fingerprint_differs(locale: Locale, *, connection: Connection, word: str) -> Lines:
    """The answer if the typed text is neither the whole new key nor its emoji."""
    peer = naming.space(locale, connection.peer_name)
    return [
        locale.say(
            'Not accepted: "{word}" is neither the present key of {peer} (the whole key) nor its seven emoji.',
            word=locale.short(word, 40),
            peer=peer,
        ),
        locale.say("If {peer} told you that, somebody else may be speaking in its name: please call them.", peer=peer),
        locale.say("The friendship stays paused."),
    ]


def _new_name(connection: Connection) -> str:
    return display_name(connection.new_name, connection.peer)


def _call_it(connection: Connection) -> Code:
    return command(f'review {connection.peer} --name "{_new_name(connection)}"')


def peer_renamed(locale: Locale, *, connection: Connection, us: PartyConfig) -> Lines:
    """A friend announces another name, which isn't used before a superuser accepts it."""
    peer, new = naming.space(locale, connection.peer_name), naming.space(locale, connection.new_name)
    own = naming.space(locale, us.name)
    return [
        locale.say("{peer} wants to be called {new}.", peer=peer, new=Bold(new)),
        locale.say(
            "I keep the old name until a superuser of {own} accepts the new one: {review}",
            own=own,
            review=_call_it(connection),
        ),
        locale.say("Its id stays {party}. The friendship continues either way.", party=connection.peer),
    ]


def names_to_review(locale: Locale, *, us: PartyConfig, connections: tuple[Connection, ...]) -> Lines:
    """The answer to `review` if friends announce other names and nothing else waits."""
    return [line for connection in connections for line in peer_renamed(locale, connection=connection, us=us)]


def renamed(locale: Locale, *, connection: Connection, before: str) -> Lines:
    """A superuser has accepted a friend's new name."""
    new = Bold(naming.space(locale, connection.peer_name))
    return [locale.say("{before} is called {new} from now on.", before=naming.space(locale, before), new=new)]


def another_name(locale: Locale, *, connection: Connection) -> Lines:
    """The answer if the typed name isn't the one that the friend announces now."""
    peer, new = naming.space(locale, connection.peer_name), naming.space(locale, connection.new_name)
    return [
        locale.say("Not accepted: {peer} now announces another name: {new}.", peer=peer, new=Bold(new)),
        locale.say("To accept that one: {review}", review=_call_it(connection)),
    ]


def no_new_name(locale: Locale, *, space: str) -> Lines:
    """The answer to `review SPACE --name` if no other name waits."""
    return [locale.say("{space} announces no other name. I changed nothing.", space=naming.space(locale, space))]


def name_without_space(locale: Locale, *, usage: str) -> Lines:
    """The answer to `review --name` without a space."""
    return [locale.say("Whose name? I changed nothing. Usage: {usage}", usage=command(usage))]


def accept_without_space(locale: Locale, *, usage: str) -> Lines:
    """The answer to `review accept KEY` without a space."""
    return [locale.say("Accept whose key? I did nothing. Usage: {usage}", usage=command(usage))]


def reviewed(locale: Locale, *, connection: Connection, by: str) -> Lines:
    """A superuser has accepted the change."""
    peer = naming.space(locale, connection.peer_name)
    lines: list[tuple[Inline, ...]] = [
        locale.say(
            "✅ {who} has accepted the present key and account of {peer}.",
            peer=peer,
            who=naming.person(locale, by),
        ),
        locale.say("Waiting work continues by itself. You don't need to do anything."),
    ]
    return [*lines, connection.code]
