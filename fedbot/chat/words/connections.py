"""What is said about a connection besides its card: asked, crossed, declined, over, paused, waiting for clicks."""

from __future__ import annotations

from datetime import datetime

from fedbot.chat.content import Bold, Break, Code, Inline, Items
from fedbot.chat.words import keys, naming
from fedbot.chat.words.connection_cards import over, suspended
from fedbot.chat.words.diagnoses import diagnosis
from fedbot.chat.words.naming import command
from fedbot.chat.words.tongue import Lines, Tongue, marked
from fedbot.federation.documents import Connection
from fedbot.federation.home import Home


def connect_asked(tongue: Tongue, *, connection: Connection, fingerprint: str, emoji: tuple[int, ...]) -> Lines:
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


def _same_emoji(tongue: Tongue, peer: str, emoji: tuple[int, ...]) -> Lines:
    if not emoji:
        return [tongue.say("The seven emoji to compare will appear here once {peer}'s bot has answered.", peer=peer)]
    return [
        tongue.say("Call {peer}. Their bot must show the same seven emoji:", peer=peer),
        keys.row(tongue, emoji),
    ]


def connect_crossed(tongue: Tongue, *, connection: Connection, emoji: tuple[int, ...]) -> Lines:
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


def connect_declined(tongue: Tongue, *, connection: Connection, by: str) -> Lines:
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


def connect_over(tongue: Tongue, *, connection: Connection, by: str) -> Lines:
    """Our asking ended without a connection."""
    return over(tongue, connection, by)


def connection_suspended(tongue: Tongue, *, connection: Connection, home: Home) -> Lines:
    """The peer's account or key changed."""
    return suspended(tongue, connection, home)


def making_waits_in_room(tongue: Tongue, *, connection: Connection, home: Home) -> Lines:
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


def peers_access_waits(tongue: Tongue, *, connection: Connection, home: Home, text: str) -> Lines:
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


def peers_access_waits_in_room(tongue: Tongue, *, connection: Connection, home: Home, code: str) -> Lines:
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


def peer_bot_silent(tongue: Tongue, *, connection: Connection, home: Home) -> Lines:
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


def connect_throttled(tongue: Tongue, *, connection: Connection) -> Lines:
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


def peer_opens_too_much(tongue: Tongue, *, connection: Connection, again: datetime | None, most: int) -> Lines:
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


def making_waits(tongue: Tongue, *, connection: Connection, reason: str, text: str, name: str, reference: str) -> Lines:
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


def _clicks(tongue: Tongue, connection: Connection, name: str, reason: str) -> Lines:
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


def access_not_ended(tongue: Tongue, *, connection: Connection, name: str, text: str) -> Lines:
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


def party_claimed(tongue: Tongue, *, connection: Connection, bot: str) -> Lines:
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
