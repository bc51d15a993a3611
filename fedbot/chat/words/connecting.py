"""Answers to `connect` and `review`: why nobody was asked, and what changed at a friend's bot."""

from __future__ import annotations

from fedbot.chat.content import Bold, Code, Inline
from fedbot.chat.words import keys, naming
from fedbot.chat.words.naming import command
from fedbot.chat.words.tongue import Lines, Tongue
from fedbot.federation.documents import Connection, ConnectionState
from fedbot.federation.home import Home
from fedbot.federation.views import ChangeSeen


def we_are_hidden(tongue: Tongue, *, home: Home) -> Lines:
    """We don't announce ourselves, so no bot would take our asking."""
    return [
        tongue.say(
            "Not asked: {space} doesn't show itself, so the other bot would not take it.",
            space=naming.space(tongue, home.name),
        ),
        tongue.say("Its admin can set {key} in my configuration and restart me.", key=Code("discoverable: true")),
    ]


def space_not_here(tongue: Tongue, *, name: str) -> Lines:
    """The space was in the room that this one took the place of; its bot hasn't come along."""
    return [
        tongue.say("Not asked: {space}'s bot isn't in this room.", space=naming.space(tongue, name)),
        tongue.say("Somebody has to invite it first."),
    ]


def connected_already(tongue: Tongue, *, connection: Connection) -> Lines:
    """There is an active connection."""
    return [
        tongue.say("We and {peer} are friends already. Nothing to do.", peer=naming.space(tongue, connection.peer_name))
    ]


def asked_already(tongue: Tongue, *, connection: Connection) -> Lines:
    """An asking, or the making, is under way."""
    peer, who = naming.space(tongue, connection.peer_name), naming.signed(tongue, connection.asked)
    if connection.state is ConnectionState.ASKED:
        first = tongue.say("Not asked again: {peer} was asked already, by {who}.", peer=peer, who=who)
        next_ = tongue.say(
            "It waits for a superuser of {peer}, until {when}.", peer=peer, when=tongue.when(connection.due)
        )
    elif connection.state is ConnectionState.OFFERED:
        first = tongue.say("Not asked: {peer} has asked us already ({who}).", peer=peer, who=who)
        next_ = tongue.say(
            "Its card waits for a superuser of ours, until {when}: {approve}",
            when=tongue.when(connection.due),
            approve=command(f"approve {connection.code}"),
        )
    else:
        first = tongue.say("Not asked: {peer} and we have both said yes already.", peer=peer)
        next_ = tongue.say("It is being set up. Nothing to do.")
    stop = tongue.say("To take it back: {cancel}", cancel=command(f"cancel {connection.code}"))
    return [first, next_, stop] if connection.state is not ConnectionState.OFFERED else [first, next_]


def connection_elsewhere(tongue: Tongue, *, connection: Connection, room: str) -> Lines:
    """The connection lives in another room."""
    return [
        tongue.say(
            'We are friends with {peer} in the room "{room}": please say it there. I did nothing.',
            peer=naming.space(tongue, connection.peer_name),
            room=tongue.short(room, 60),
        )
    ]


def needs_review(tongue: Tongue, *, connection: Connection) -> Lines:
    """Paused: a superuser has to look first."""
    peer = naming.space(tongue, connection.peer_name)
    if connection.changed_room:
        return [
            tongue.say("Not done: the friendship with {peer} waits, as its room was replaced.", peer=peer),
            tongue.say("A superuser says in the new room: {review}", review=command("review --room")),
        ]
    return [
        tongue.say(
            "Not done: the friendship with {peer} is paused, as its bot has another key or account now.", peer=peer
        ),
        tongue.say("A superuser looks at it first: {review}", review=command(f"review {connection.peer}")),
    ]


# --- review ------------------------------------------------------------------------------------------------


def review_nothing(tongue: Tongue, *, space: str) -> Lines:
    """No connection is paused."""
    if space:
        return [tongue.say("Nothing to review about {space}.", space=naming.space(tongue, space))]
    return [tongue.say("Nothing to review.")]


def review_list(tongue: Tongue, *, home: Home, changes: tuple[ChangeSeen, ...]) -> Lines:
    """What changed, old and new, and how to accept it after comparing."""
    lines: Lines = [
        tongue.some(
            "{number} friend of {own} has another key or account than agreed:",
            "{number} friends of {own} have another key or account than agreed:",
            len(changes),
            own=naming.space(tongue, home.name),
        ),
    ]
    for change in changes:
        lines += ["", *_change(tongue, change)]
    return lines


def _change(tongue: Tongue, change: ChangeSeen) -> Lines:
    peer = naming.space(tongue, change.connection.peer_name)
    lines: Lines = [Bold(peer)]
    if change.old_fingerprint != change.new_fingerprint:
        lines.append(tongue.say("Key until now: {key}", key=change.old_fingerprint))
        lines.append(tongue.say("Key now: {key}", key=Bold(change.new_fingerprint)))
    else:
        lines.append(tongue.say("Its key is the same: {key}", key=change.old_fingerprint))
    if change.old_bot != change.new_bot:
        lines.append(
            tongue.say(
                "Account: {old}, now {new}",
                old=Code(tongue.short(change.old_bot, 120)),
                new=Code(tongue.short(change.new_bot, 120)),
            )
        )
    accept = command(f"review {change.connection.peer} accept KEY")
    if change.emoji:
        lines.append(tongue.say("Call {peer}. Their bot must show the same seven emoji:", peer=peer))
        lines.append(keys.row(tongue, change.emoji))
    else:
        lines.append(tongue.say("Their bot hasn't answered yet, so there are no emoji to compare."))
        lines.append(tongue.say("Call {peer} and compare the whole key.", peer=peer))
    lines.append(tongue.say("If all is the same: {accept}", accept=accept))
    lines.append(tongue.say("KEY is the seven emoji, their names, or the whole key."))
    lines.append(tongue.say("If not: do nothing; the friendship stays paused."))
    return lines


def fingerprint_differs(tongue: Tongue, *, connection: Connection, word: str) -> Lines:
    """What was typed is neither the whole new key nor its emoji."""
    peer = naming.space(tongue, connection.peer_name)
    return [
        tongue.say(
            'Not accepted: "{word}" is neither the whole key that speaks for {peer} now nor its seven emoji.',
            word=tongue.short(word, 40),
            peer=peer,
        ),
        tongue.say("If {peer} told you so, somebody else may be speaking in its name: please call them.", peer=peer),
        tongue.say("The friendship stays paused."),
    ]


def accept_without_space(tongue: Tongue, *, usage: str) -> Lines:
    """`review accept XXXX` without a space."""
    return [tongue.say("Accept whose key? I did nothing. It goes: {usage}", usage=command(usage))]


def reviewed(tongue: Tongue, *, connection: Connection, by: str) -> Lines:
    """The change is accepted."""
    peer = naming.space(tongue, connection.peer_name)
    lines: list[tuple[Inline, ...]] = [
        tongue.say(
            "✅ {peer}'s bot counts again as it is now, accepted by {who}.", peer=peer, who=naming.person(tongue, by)
        ),
        tongue.say("What waited goes on by itself. Nothing to do."),
    ]
    return [*lines, connection.code]
