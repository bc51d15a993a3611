"""Connections: asking, the card that a superuser decides on, what follows, and the list of spaces."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fedbot.messages import keys, naming
from fedbot.messages.changes import connection_changed
from fedbot.messages.formatting import Bold, Break, Code, Inline, Items
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.naming import command
from fedbot.messages.reasons import diagnosis
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.connection_lifecycle import ConnectionState
from fedbot.rules.model.names import decoration
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.shown import Change
from fedbot.rules.model.summaries import ChangeSeen, SpaceSeen


def connection_card(
    tongue: Locale,
    *,
    connection: Connection,
    home: PartyConfig,
    fingerprint: str,
    own_fingerprint: str,
    people: list[str],
    emoji: tuple[int, ...],
    changes: tuple[Change, ...] = (),
) -> Lines:
    """The card as it stands now. `people`: those who may decide, by Matrix id or name.

    `changes`: what the card before it showed otherwise.
    """
    lines = _as_it_stands(tongue, connection, home, (fingerprint, own_fingerprint), people, emoji)
    return [lines[0], *connection_changed(tongue, connection, changes), *lines[1:]]


def _as_it_stands(
    tongue: Locale,
    connection: Connection,
    home: PartyConfig,
    fingerprints: tuple[str, str],
    people: list[str],
    emoji: tuple[int, ...],
) -> Lines:
    match connection.state:
        case ConnectionState.OFFERED | ConnectionState.ASKED:
            return _offered(tongue, connection, home, fingerprints, people, emoji)
        case ConnectionState.MAKING | ConnectionState.READY:
            return _being_made(tongue, connection, home)
        case ConnectionState.ACTIVE:
            return connected(tongue, connection=connection, home=home)
        case ConnectionState.SUSPENDED:
            return suspended(tongue, connection, home)
        case ConnectionState.ENDING:
            return ending(tongue, connection, home)
        case _:
            return over(tongue, connection, connection.problem)


def _offered(
    tongue: Locale,
    connection: Connection,
    home: PartyConfig,
    fingerprints: tuple[str, str],
    people: Sequence[str],
    emoji: tuple[int, ...],
) -> Lines:
    peer, own = naming.space(tongue, connection.peer_name), naming.space(tongue, home.name)
    theirs, ours = fingerprints
    lines: Lines = [
        tongue.say("{peer} asks {own} to be friends. Agree?", peer=Bold(peer), own=own),
        tongue.say(
            "Asked by {who} ({peer}), {when}",
            who=naming.signed(tongue, connection.asked),
            peer=peer,
            when=tongue.when(connection.asked.at),
        ),
        "",
        *what_yes_means(tongue, connection, home),
        "",
        *_to_compare(tongue, peer, theirs, ours, emoji),
        "",
        _for_whom(tongue, people, own),
        tongue.say("✅ yes, friends · ❌ no"),
        tongue.say("Open until {when} · {code}", when=tongue.when(connection.due), code=connection.code),
    ]
    return lines


def what_yes_means(tongue: Locale, connection: Connection, home: PartyConfig) -> Lines:
    """What each side makes for the other, and what the other can see by it."""
    peer, own = naming.space(tongue, connection.peer_name), naming.space(tongue, home.name)
    names: dict[str, Words] = {"peer": peer, "own": own}
    points = [
        tongue.say("{peer} and {own} can offer each other things; each offer still needs its own yes", **names),
        tongue.say("in {own}'s InvenTree I make for {peer}: a user that can only look,", **names),
        tongue.say("its token for one year, and a customer company {peer}", **names),
        tongue.say("{peer}'s bot makes the same for {own}", **names),
    ]
    points[1:3] = [(*points[1], Break(), *points[2])]
    if connection.access == "direct":
        points.append(
            tongue.say("{peer}'s bot gets the token: it can read all stock items of {own}, change none", **names)
        )
        points.append(tongue.say("{own}'s bot can read all stock items of {peer}", **names))
    else:
        points.append(tongue.say("the token stays with me: {peer}'s bot never gets into {own}'s InvenTree;", **names))
        points[-1] = (*points[-1], Break(), *tongue.say("I answer for it, and only about shared items"))
    lines: Lines = [tongue.say("Yes means:"), Items(tuple(points))]
    if not home.has_admin_token:
        lines.append(tongue.say("I have no admin token: after a yes I say in the admin room what to click."))
    return lines


def _to_compare(tongue: Locale, peer: str, theirs: str, ours: str, emoji: tuple[int, ...]) -> Lines:
    return [
        tongue.say("Call {peer} before you approve. Their bot must show the same seven emoji:", peer=peer),
        keys.row(tongue, emoji),
        tongue.say("If any of them differs, decline: somebody may be between the two bots."),
        tongue.say("Their key: {key}", key=theirs),
        tongue.say("Our key: {key}", key=ours),
    ]


def _for_whom(tongue: Locale, people: Sequence[str], own: str) -> tuple[Inline, ...]:
    if not people:
        return tongue.say(
            "For a superuser of {own}'s InvenTree; of the people whom I know, nobody is one. Nothing has "
            "been made yet.",
            own=own,
        )
    who = naming.people(tongue, people, any_of=True)
    if len(people) == 1:
        return tongue.say("For {who} (superuser of {own}'s InvenTree). Nothing has been made yet.", who=who, own=own)
    return tongue.say("For {who} (superusers of {own}'s InvenTree). Nothing has been made yet.", who=who, own=own)


def agreed(tongue: Locale, connection: Connection) -> tuple[Inline, ...]:
    """'Asked by Anna, accepted by Bea, Tue 24 Nov, 20:31'."""
    who = naming.signed(tongue, connection.asked)
    if connection.decided is None:
        return tongue.say("Asked by {who}", who=who)
    decider, when = naming.signed(tongue, connection.decided), tongue.when(connection.decided.at)
    return tongue.say("Asked by {who}, accepted by {decider}, {when}", who=who, decider=decider, when=when)


def _being_made(tongue: Locale, connection: Connection, home: PartyConfig) -> Lines:
    peer, own = naming.space(tongue, connection.peer_name), naming.space(tongue, home.name)
    first = tongue.say("{peer} and {own} are becoming friends.", peer=Bold(peer), own=Bold(own))
    if connection.needs:
        where = tongue.say(
            "Done: both said yes. Not done: {own}'s side waits for its admin; I try again every minute.", own=own
        )
    elif connection.own_ready:
        where = tongue.say("Done: {own}'s side is ready. Not done: {peer}'s side isn't yet.", own=own, peer=peer)
    else:
        where = tongue.say("Both said yes. Each side now makes the other's access and tries it. Nothing to do.")
    return [first, agreed(tongue, connection), "", where, connection.code]


def connected(tongue: Locale, *, connection: Connection, home: PartyConfig) -> Lines:
    """Both sides are ready: things can be offered from now on."""
    peer, own = naming.space(tongue, connection.peer_name), naming.space(tongue, home.name)
    lines: Lines = [
        tongue.say("✅ {own} and {peer} are friends: each can offer the other things.", own=Bold(own), peer=Bold(peer)),
        agreed(tongue, connection),
        "",
    ]
    lines += what_is_seen(tongue, connection, home)
    lines.append(tongue.say("Try it: {push}", push=command(f"push 10 M3-BOLT to {connection.peer}")))
    return [*lines, connection.code]


def what_is_seen(tongue: Locale, connection: Connection, home: PartyConfig) -> Lines:
    """What either bot can read of the other's stock."""
    peer, own = naming.space(tongue, connection.peer_name), naming.space(tongue, home.name)
    if connection.access != "direct":
        return [
            tongue.say(
                "Neither bot gets into the other's InvenTree; each answers for the other, about shared items only."
            )
        ]
    lines: Lines = []
    if connection.sees_items is not None:
        lines.append(
            tongue.some(
                "{own}'s bot can read {number} stock item of {peer}.",
                "{own}'s bot can read all {number} stock items of {peer}.",
                connection.sees_items,
                own=own,
                peer=peer,
            )
        )
    if connection.peer_sees_items is not None:
        lines.append(
            tongue.some(
                "{peer}'s bot can read {number} stock item of {own}.",
                "{peer}'s bot can read all {number} stock items of {own}.",
                connection.peer_sees_items,
                own=own,
                peer=peer,
            )
        )
    return lines


def suspended(tongue: Locale, connection: Connection, home: PartyConfig) -> Lines:
    """The peer's account or key is another one than the pinned: nothing is decided until somebody has looked."""
    peer, own = naming.space(tongue, connection.peer_name), naming.space(tongue, home.name)
    if connection.changed_room:
        return [
            tongue.say(
                "⏸ The friendship of {own} and {peer} waits, as its room was replaced.", own=own, peer=Bold(peer)
            ),
            tongue.say("A superuser of {own} says in the new room: {review}", own=own, review=command("review --room")),
            connection.code,
        ]
    return [
        tongue.say(
            "⚠ {peer}'s bot has another key or account than {own} agreed to. The friendship is paused.",
            peer=Bold(peer),
            own=own,
        ),
        tongue.say("It may be a new installation, or somebody else in its name."),
        tongue.say("What has left a space already still arrives. Nothing new is offered or decided."),
        tongue.say(
            "A superuser of {own} asks {peer} by another way (phone, in person), then: {review}",
            own=own,
            peer=peer,
            review=command(f"review {connection.peer}"),
        ),
        connection.code,
    ]


def ending(tongue: Locale, connection: Connection, home: PartyConfig) -> Lines:
    """One side has ended it; what moves is finished first."""
    peer, own = naming.space(tongue, connection.peer_name), naming.space(tongue, home.name)
    return [
        tongue.say("The friendship of {own} and {peer} ends.", own=Bold(own), peer=Bold(peer)),
        *ended_by(tongue, connection, home),
        tongue.say("Nothing new starts. What moves is finished first, then the access ends."),
        connection.code,
    ]


def ended_by(tongue: Locale, connection: Connection, home: PartyConfig) -> list[tuple[Inline, ...]]:
    """Who ended it, if that is known."""
    by = connection.ended_by
    if by is None:
        return []
    who, when = naming.signed(tongue, by), tongue.when(by.at)
    space = naming.party(tongue, by.party, home, connection.peer_name)
    return [tongue.say("By {who} ({space}), {when}", who=who, space=space, when=when)]


def over(tongue: Locale, connection: Connection, by: str) -> Lines:
    """It ended before it was active, or was ended."""
    peer = naming.space(tongue, connection.peer_name)
    nothing = (
        tongue.say("What was made for it is taken back.") if connection.company else tongue.say("Nothing was made.")
    )
    again = tongue.say("It can be asked for again at any time.")
    match connection.state:
        case ConnectionState.DECLINED:
            first = tongue.say("❌ No friendship with {peer}.", peer=Bold(peer))
            who = [_declined_by(tongue, connection)]
        case ConnectionState.CANCELLED:
            first = tongue.say("Cancelled: no friendship with {peer}.", peer=Bold(peer))
            who = [tongue.say("By {who}", who=naming.person(tongue, by))] if by else []
        case ConnectionState.EXPIRED:
            first = tongue.say("Expired: no friendship with {peer}.", peer=Bold(peer))
            who = [tongue.say("It was open until {when}.", when=tongue.when(connection.due))]
        case _:
            first = tongue.say("The friendship with {peer} is over.", peer=Bold(peer))
            who = []
    return [first, *who, (*nothing, " ", *again), connection.code]


def _declined_by(tongue: Locale, connection: Connection) -> tuple[Inline, ...]:
    if connection.decided is None:
        return tongue.say("Declined")
    return tongue.say(
        "Declined by {who}, {when}",
        who=naming.signed(tongue, connection.decided),
        when=tongue.when(connection.decided.at),
    )


def we_are_hidden(tongue: Locale, *, home: PartyConfig) -> Lines:
    """We don't announce ourselves, so no bot would take our asking."""
    return [
        tongue.say(
            "Not asked: {space} doesn't show itself, so the other bot would not take it.",
            space=naming.space(tongue, home.name),
        ),
        tongue.say("Its admin can set {key} in my configuration and restart me.", key=Code("discoverable: true")),
    ]


def space_not_here(tongue: Locale, *, name: str) -> Lines:
    """The space was in the room that this one took the place of; its bot hasn't come along."""
    return [
        tongue.say("Not asked: {space}'s bot isn't in this room.", space=naming.space(tongue, name)),
        tongue.say("Somebody has to invite it first."),
    ]


def connected_already(tongue: Locale, *, connection: Connection) -> Lines:
    """There is an active connection."""
    return [
        tongue.say("We and {peer} are friends already. Nothing to do.", peer=naming.space(tongue, connection.peer_name))
    ]


def asked_already(tongue: Locale, *, connection: Connection) -> Lines:
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


def connection_elsewhere(tongue: Locale, *, connection: Connection, room: str) -> Lines:
    """The connection lives in another room."""
    return [
        tongue.say(
            'We are friends with {peer} in the room "{room}": please say it there. I did nothing.',
            peer=naming.space(tongue, connection.peer_name),
            room=tongue.short(room, 60),
        )
    ]


def needs_review(tongue: Locale, *, connection: Connection) -> Lines:
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


def review_nothing(tongue: Locale, *, space: str) -> Lines:
    """No connection is paused."""
    if space:
        return [tongue.say("Nothing to review about {space}.", space=naming.space(tongue, space))]
    return [tongue.say("Nothing to review.")]


def review_list(tongue: Locale, *, home: PartyConfig, changes: tuple[ChangeSeen, ...]) -> Lines:
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


def _change(tongue: Locale, change: ChangeSeen) -> Lines:
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


def fingerprint_differs(tongue: Locale, *, connection: Connection, word: str) -> Lines:
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


def _new_name(connection: Connection) -> str:
    return decoration(connection.new_name, connection.peer)


def _call_it(connection: Connection) -> Code:
    return command(f'review {connection.peer} --name "{_new_name(connection)}"')


def peer_renamed(tongue: Locale, *, connection: Connection, home: PartyConfig) -> Lines:
    """A friend announces another name: nobody is called otherwise before our people have said so."""
    peer, new = naming.space(tongue, connection.peer_name), naming.space(tongue, connection.new_name)
    own = naming.space(tongue, home.name)
    return [
        tongue.say("{peer} wants to be called {new}.", peer=peer, new=Bold(new)),
        tongue.say(
            "I keep the old name until a superuser of {own} agrees: {review}", own=own, review=_call_it(connection)
        ),
        tongue.say("Its id stays {party}. The friendship goes on either way.", party=connection.peer),
    ]


def names_to_review(tongue: Locale, *, home: PartyConfig, connections: tuple[Connection, ...]) -> Lines:
    """`review`, where friends announce other names and nothing else waits."""
    return [line for connection in connections for line in peer_renamed(tongue, connection=connection, home=home)]


def renamed(tongue: Locale, *, connection: Connection, before: str) -> Lines:
    """A superuser has agreed to a friend's new name."""
    new = Bold(naming.space(tongue, connection.peer_name))
    return [tongue.say("{before} is called {new} from now on.", before=naming.space(tongue, before), new=new)]


def another_name(tongue: Locale, *, connection: Connection) -> Lines:
    """What was typed isn't the name that the friend announces now."""
    peer, new = naming.space(tongue, connection.peer_name), naming.space(tongue, connection.new_name)
    return [
        tongue.say("Not accepted: {peer} announces another name now: {new}.", peer=peer, new=Bold(new)),
        tongue.say("To agree to that one: {review}", review=_call_it(connection)),
    ]


def no_new_name(tongue: Locale, *, space: str) -> Lines:
    """`review SPACE --name` where no other name waits."""
    return [tongue.say("{space} announces no other name. I changed nothing.", space=naming.space(tongue, space))]


def name_without_space(tongue: Locale, *, usage: str) -> Lines:
    """`review --name` without a space."""
    return [tongue.say("Whose name? I changed nothing. Usage: {usage}", usage=command(usage))]


def accept_without_space(tongue: Locale, *, usage: str) -> Lines:
    """`review accept XXXX` without a space."""
    return [tongue.say("Accept whose key? I did nothing. It goes: {usage}", usage=command(usage))]


def reviewed(tongue: Locale, *, connection: Connection, by: str) -> Lines:
    """The change is accepted."""
    peer = naming.space(tongue, connection.peer_name)
    lines: list[tuple[Inline, ...]] = [
        tongue.say(
            "✅ {peer}'s bot counts again as it is now, accepted by {who}.", peer=peer, who=naming.person(tongue, by)
        ),
        tongue.say("What waited goes on by itself. Nothing to do."),
    ]
    return [*lines, connection.code]


def connect_asked(tongue: Locale, *, connection: Connection, fingerprint: str, emoji: tuple[int, ...]) -> Lines:
    """The answer to `!fed connect`; it carries the asking."""
    peer = naming.space(tongue, connection.peer_name)
    how = (
        tongue.say("The tokens are exchanged, sealed: each bot can read all stock items of the other, and change none.")
        if connection.access == "direct"
        else tongue.say(
            "Neither bot gets into the other's InvenTree; each answers for the other, about shared items only."
        )
    )
    return [
        tongue.say("Asked {peer} to be friends. Nothing has been made yet.", peer=Bold(peer)),
        tongue.say(
            "A superuser of {peer} decides, on the card of its bot, until {when}.",
            peer=peer,
            when=tongue.when(connection.due),
        ),
        how,
        "",
        *_same_emoji(tongue, peer, emoji),
        tongue.say("Their key: {key}", key=fingerprint),
        tongue.say("If any of them differs, or to take it back, reply: {cancel}", cancel=command("cancel")),
        connection.code,
    ]


def _same_emoji(tongue: Locale, peer: str, emoji: tuple[int, ...]) -> Lines:
    if not emoji:
        return [tongue.say("The seven emoji to compare will appear here once {peer}'s bot has answered.", peer=peer)]
    return [
        tongue.say("Call {peer}. Their bot must show the same seven emoji:", peer=peer),
        keys.row(tongue, emoji),
    ]


def connect_crossed(tongue: Locale, *, connection: Connection, emoji: tuple[int, ...]) -> Lines:
    """Both asked at once: each asking is the other's approval."""
    peer = naming.space(tongue, connection.peer_name)
    return [
        tongue.say("{peer} asked us at the same moment: so both have said yes.", peer=Bold(peer)),
        tongue.say("Each side now makes the other's access and tries it."),
        *_same_emoji(tongue, peer, emoji),
        tongue.say("If any of them differs: {stop}", stop=command(f"disconnect {connection.peer} --now")),
        connection.code,
    ]


_DECLINED: dict[str, str] = {
    "connected": marked("{peer}'s bot says that we are friends already. Its admin sees more with {spaces}."),
    "generation": marked("{peer}'s bot knows of an earlier friendship. Please ask once more."),
}


def connect_declined(tongue: Locale, *, connection: Connection, by: str) -> Lines:
    """The peer said no, or its bot did."""
    peer = naming.space(tongue, connection.peer_name)
    first = tongue.say("❌ {peer} did not agree to be friends.", peer=Bold(peer))
    why = _DECLINED.get(connection.problem)
    if why is not None:
        reason = tongue.say(why, peer=peer, spaces=command("spaces"))
    elif by:
        reason = tongue.say("{who} said no.", who=naming.person(tongue, by))
    else:
        reason = tongue.say("No reason was given.")
    return [first, reason, tongue.say("Nothing was made."), connection.code]


def connect_over(tongue: Locale, *, connection: Connection, by: str) -> Lines:
    """Our asking ended without a connection."""
    return over(tongue, connection, by)


def connection_suspended(tongue: Locale, *, connection: Connection, home: PartyConfig) -> Lines:
    """The peer's account or key changed."""
    return suspended(tongue, connection, home)


def making_waits_in_room(tongue: Locale, *, connection: Connection, home: PartyConfig) -> Lines:
    """The making of our side needs a person; what exactly stands in the admin room."""
    own = naming.space(tongue, home.name)
    where = (
        tongue.say("What to do stands in the admin room of {own}.", own=own)
        if home.admin_room
        else tongue.say("{own} has configured no admin room; what to do stands in its bot's log.", own=own)
    )
    return [
        tongue.say("⏸ {code} waits for an admin of {own}.", code=connection.code, own=own),
        tongue.say("Done: both said yes. Not done: {own}'s side is not set up.", own=own),
        where,
        tongue.say(
            "Next: I look every minute, until {when}. To stop it, reply: {cancel}",
            when=tongue.when(connection.due),
            cancel=command("cancel"),
        ),
    ]


_TRIALS: dict[str, str] = {
    "unreachable": marked("its address can't be reached from here, or no InvenTree answers there."),
    "not-permitted": marked("InvenTree does not accept the token."),
    "too-much-right": marked("the token could do more than look."),
    "too-little-right": marked("the token can't look at stock, parts, categories and locations."),
    "sealed": marked("the token can't be opened."),
}


def peers_access_waits(tongue: Locale, *, connection: Connection, home: PartyConfig, text: str) -> Lines:
    """`direct` only: what the peer gave us doesn't get us into its InvenTree, or that can't be reached."""
    own, peer = naming.space(tongue, home.name), naming.space(tongue, connection.peer_name)
    return [
        tongue.say(
            "⏸ {code} waits: {own}'s bot gets no look into {peer}'s InvenTree.",
            code=connection.code,
            own=own,
            peer=peer,
        ),
        tongue.say("Why: {text}", text=diagnosis(tongue, text)),
        tongue.say("Done: both said yes. Not done: {own}'s side is not ready. Nothing has moved.", own=own),
        tongue.say(
            "Its address must be reachable from {own}'s bot, and its token may look, and no more.",
            own=own,
        ),
        tongue.say("The admins of both can mend that."),
        tongue.say(
            "Next: I try again by myself, until {when}. To stop it, reply: {cancel}",
            when=tongue.when(connection.due),
            cancel=command("cancel"),
        ),
    ]


def peers_access_waits_in_room(tongue: Locale, *, connection: Connection, home: PartyConfig, code: str) -> Lines:
    """The same where the peer's people read along: only a code of what is wrong."""
    own, peer = naming.space(tongue, home.name), naming.space(tongue, connection.peer_name)
    return [
        tongue.say(
            "⏸ {code} waits: {own}'s bot gets no look into {peer}'s InvenTree.",
            code=connection.code,
            own=own,
            peer=peer,
        ),
        tongue.say("The problem: {problem}", problem=tongue.say(_TRIALS[code])),
        tongue.say("Nothing has moved. The admins of both spaces can fix it."),
        tongue.say(
            "Next: I try again by myself, until {when}. To stop it, reply: {cancel}",
            when=tongue.when(connection.due),
            cancel=command("cancel"),
        ),
    ]


def peer_bot_silent(tongue: Locale, *, connection: Connection, home: PartyConfig) -> Lines:
    """The peer's bot has not answered a letter about the connection for about ten minutes."""
    del home
    peer, at = naming.space(tongue, connection.peer_name), connection.exchange.resend_at
    again = (
        tongue.say("Next: I send it again by myself (next {time}). Nothing to do now.", time=tongue.clock(at))
        if at
        else tongue.say("Next: I send it again by myself. Nothing to do now.")
    )
    return [
        tongue.say("⏸ {code} waits: {peer}'s bot has not answered for ten minutes.", code=connection.code, peer=peer),
        tongue.say("Nothing is lost: it goes on as soon as that bot is awake again."),
        again,
    ]


def connect_throttled(tongue: Locale, *, connection: Connection) -> Lines:
    """Spaces, or this one, have asked to connect too often today: it is left for later, and nothing is kept of it."""
    return [
        tongue.say(
            "{peer} asked to be friends, but I have taken all requests of today.",
            peer=naming.space(tongue, connection.peer_name),
        ),
        tongue.say(
            "Its bot asks again by itself. To go first, a superuser of this space types: {connect}",
            connect=command(f"connect {connection.peer}"),
        ),
    ]


def peer_opens_too_much(tongue: Locale, *, connection: Connection, again: datetime | None, most: int) -> Lines:
    """A friend offers or asks for more at once than we put up cards for; what is left waits."""
    peer = naming.space(tongue, connection.peer_name)
    later = (
        tongue.say("The rest gets its cards little by little, the next after {time}.", time=tongue.clock(again))
        if again
        else tongue.say("{n} of its requests are open here. The rest gets its cards once those are decided.", n=most)
    )
    return [tongue.say("{peer} sends more at once than I put up cards for.", peer=peer), later]


# --- in the admin room -------------------------------------------------------------------------------------


def credentials_add(connection: Connection) -> Code:
    """The command that takes the token; it is told which one by the name of the peer's user."""
    return Code(f"fedbot credentials add {connection.peer}-{connection.generation}")


_BY_HAND = frozenset({"no-admin-token", "unsupported"})


def making_waits(tongue: Locale, *, connection: Connection, reason: str, text: str, name: str, reference: str) -> Lines:
    """Exactly what an admin does so that our side of a connection can be made."""
    del reference
    peer = naming.space(tongue, connection.peer_name)
    first = tongue.say("The friendship with {peer} waits for you.", peer=Bold(peer))
    why = tongue.say("Why: {text}", text=diagnosis(tongue, text, 300))
    if reason in _BY_HAND:
        what = _clicks(tongue, connection, name, reason)
    else:
        sentence = _WHAT_TO_DO.get(reason, marked("Look with {check}; the reason is above."))
        what = [
            tongue.say(
                sentence,
                user=Code(name),
                peer=peer,
                check=Code("fedbot check"),
                add=credentials_add(connection),
                cancel=command(f"cancel {connection.code}"),
                relayed=Code("peer_access: relayed"),
            )
        ]
    until = tongue.say(
        "I look again every minute, until {when}. To stop it, in the shared room: {cancel}",
        when=tongue.when(connection.due),
        cancel=command(f"cancel {connection.code}"),
    )
    return [first, why, *what, until, connection.code]


_WHAT_TO_DO: dict[str, str] = {
    "foreign-group": marked("In InvenTree, rename or remove the group {user}: I have not made it."),
    "foreign-user": marked("In InvenTree, rename or remove the user {user}: I have not made it."),
    "unsafe-version": marked(
        "Upgrade InvenTree to API 472 or newer, or cancel with {cancel}, write {relayed} into my configuration, restart"
        " me and connect anew."
    ),
    "ended": marked("The user {user} was shut earlier and stays shut. Cancel with {cancel}, then connect anew."),
    "foreign-company": marked("In InvenTree, rename the company {peer}, or clear its link if it may be used."),
    "not-permitted": marked("Give my InvenTree user the role that is named above; {check} lists all of them."),
    "too-much-right": marked(
        "In InvenTree, leave the group {user} only 'view', and make its user neither staff nor superuser."
    ),
    "too-little-right": marked(
        "Give the group {user} 'view' on stock, part, part category and stock location; nothing else."
    ),
    "no-token": marked("Make a token for the user {user}, then on the bot's machine: {add}"),
    "unknown": marked(
        "I can't tell whether it was done. Look in InvenTree for the user and group {user}; I go on when I can."
    ),
}


def _clicks(tongue: Locale, connection: Connection, name: str, reason: str) -> Lines:
    """What to make by hand: the group, the user in it, its token, and how the bot gets that."""
    first = tongue.say(
        "In our InvenTree, as a superuser (Admin Center; before 1.0 the page {admin}):", admin=Code("/admin/")
    )
    url = f"https://OUR-INVENTREE/api/user/token/?name={name}-1"
    steps: tuple[tuple[Inline, ...], ...] = (
        (
            *tongue.say("Groups, new: {name}", name=Code(name)),
            Break(),
            *tongue.say("rights: view for stock, part, part category, stock location; nothing else"),
        ),
        (
            *tongue.say("Users, new: {name}, last name {id}", name=Code(name), id=Code(connection.id)),
            Break(),
            *tongue.say("active, neither staff nor superuser, a long random password, only in that group"),
        ),
        tongue.say("Its token, good for one year: {curl}", curl=Code(f"curl -u {name} '{url}'")),
        tongue.say(
            "Paste the token (never into a chat) where this command asks for it, on the bot's machine: {add}",
            add=credentials_add(connection),
        ),
    )
    lines: Lines = [first, Items(steps)]
    if reason == "no-admin-token":
        lines.append(
            tongue.say(
                "Or write a superuser's token into {key} and restart me: then I do all of it.",
                key=Code("inventree.admin_token_file"),
            )
        )
    return lines


def access_not_ended(tongue: Locale, *, connection: Connection, name: str, text: str) -> Lines:
    """The peer's access could not be shut: an admin does it by hand, at once."""
    peer = naming.space(tongue, connection.peer_name)
    return [
        tongue.say("⚠ {peer} still has access to our InvenTree: I could not end it.", peer=Bold(peer)),
        tongue.say("Why: {text}", text=diagnosis(tongue, text)),
        tongue.say("Please, in InvenTree and in this order:"),
        Items(
            (
                tongue.say("set the user {user} inactive", user=Code(name)),
                tongue.say("revoke its tokens"),
                tongue.say(
                    "set the company {peer} inactive (never delete it: that puts its items back into our stock)",
                    peer=peer,
                ),
            )
        ),
        tongue.say("I don't try again by myself."),
        connection.code,
    ]


def party_claimed(tongue: Locale, *, connection: Connection, bot: str) -> Lines:
    """Another account speaks in a friend's name; it is not listened to."""
    peer = naming.space(tongue, connection.peer_name)
    return [
        tongue.say(
            "⚠ {bot} speaks in the name of {peer}, but isn't the bot that we are friends with.",
            bot=Code(tongue.short(bot, 120)),
            peer=Bold(peer),
        ),
        tongue.say(
            "I do nothing that it says. The real one is {bot}; the friendship goes on with it.",
            bot=Code(tongue.short(connection.peer_bot, 120)),
        ),
        tongue.say("Please ask {peer} by another way (phone, in person) whether that is theirs.", peer=peer),
        connection.code,
    ]


UNANSWERED_IS_SILENT = 2
MOST_SPACES = 30


def spaces(
    tongue: Locale, *, home: PartyConfig, fingerprint: str, spaces: tuple[SpaceSeen, ...], everywhere: bool
) -> Lines:
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


def _space(tongue: Locale, space: SpaceSeen) -> tuple[Inline, ...]:
    name = naming.space(tongue, space.name)
    called = name if name == space.party else f"{name} ({tongue.short(space.party, 40)})"
    nodes: list[Inline] = [Bold(called), ": ", *_relation(tongue, space)]
    for warning in _warnings(tongue, space):
        nodes += [Break(), *warning]
    return (*nodes, Break(), *tongue.say("key {key}", key=space.fingerprint))


def _warnings(tongue: Locale, space: SpaceSeen) -> list[tuple[Inline, ...]]:
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


def _relation(tongue: Locale, space: SpaceSeen) -> tuple[Inline, ...]:
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
