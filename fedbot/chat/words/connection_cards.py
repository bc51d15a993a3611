"""The card on which a superuser decides about a connection, in each of its states (DESIGN §2, UC1)."""

from __future__ import annotations

from collections.abc import Sequence

from fedbot.chat.content import Bold, Break, Inline, Items
from fedbot.chat.words import keys, naming
from fedbot.chat.words.changes import connection_changed
from fedbot.chat.words.naming import command
from fedbot.chat.words.tongue import Lines, Tongue, Words
from fedbot.federation.documents import Connection, ConnectionState
from fedbot.federation.home import Home
from fedbot.federation.shown import Change


def connection_card(
    tongue: Tongue,
    *,
    connection: Connection,
    home: Home,
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
    tongue: Tongue,
    connection: Connection,
    home: Home,
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
    tongue: Tongue,
    connection: Connection,
    home: Home,
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


def what_yes_means(tongue: Tongue, connection: Connection, home: Home) -> Lines:
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


def _to_compare(tongue: Tongue, peer: str, theirs: str, ours: str, emoji: tuple[int, ...]) -> Lines:
    return [
        tongue.say("Call {peer} before you approve. Their bot must show the same seven emoji:", peer=peer),
        keys.row(tongue, emoji),
        tongue.say("If any of them differs, decline: somebody may be between the two bots."),
        tongue.say("Their key: {key}", key=theirs),
        tongue.say("Our key: {key}", key=ours),
    ]


def _for_whom(tongue: Tongue, people: Sequence[str], own: str) -> tuple[Inline, ...]:
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


def agreed(tongue: Tongue, connection: Connection) -> tuple[Inline, ...]:
    """'Asked by Anna, accepted by Bea, Tue 24 Nov, 20:31'."""
    who = naming.signed(tongue, connection.asked)
    if connection.decided is None:
        return tongue.say("Asked by {who}", who=who)
    decider, when = naming.signed(tongue, connection.decided), tongue.when(connection.decided.at)
    return tongue.say("Asked by {who}, accepted by {decider}, {when}", who=who, decider=decider, when=when)


def _being_made(tongue: Tongue, connection: Connection, home: Home) -> Lines:
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


def connected(tongue: Tongue, *, connection: Connection, home: Home) -> Lines:
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


def what_is_seen(tongue: Tongue, connection: Connection, home: Home) -> Lines:
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


def suspended(tongue: Tongue, connection: Connection, home: Home) -> Lines:
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


def ending(tongue: Tongue, connection: Connection, home: Home) -> Lines:
    """One side has ended it; what moves is finished first."""
    peer, own = naming.space(tongue, connection.peer_name), naming.space(tongue, home.name)
    return [
        tongue.say("The friendship of {own} and {peer} ends.", own=Bold(own), peer=Bold(peer)),
        *ended_by(tongue, connection, home),
        tongue.say("Nothing new starts. What moves is finished first, then the access ends."),
        connection.code,
    ]


def ended_by(tongue: Tongue, connection: Connection, home: Home) -> list[tuple[Inline, ...]]:
    """Who ended it, if that is known."""
    by = connection.ended_by
    if by is None:
        return []
    who, when = naming.signed(tongue, by), tongue.when(by.at)
    space = naming.party(tongue, by.party, home, connection.peer_name)
    return [tongue.say("By {who} ({space}), {when}", who=who, space=space, when=when)]


def over(tongue: Tongue, connection: Connection, by: str) -> Lines:
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


def _declined_by(tongue: Tongue, connection: Connection) -> tuple[Inline, ...]:
    if connection.decided is None:
        return tongue.say("Declined")
    return tongue.say(
        "Declined by {who}, {when}",
        who=naming.signed(tongue, connection.decided),
        when=tongue.when(connection.decided.at),
    )
