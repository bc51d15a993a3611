"""The access that both sides provision for each other, and its tokens: waiting, rotated, about to expire."""

from __future__ import annotations

from fedbot.messages import naming
from fedbot.messages.diagnosis import TRIALS, diagnosis
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.markup import Bold, Break, Code, Inline, Items
from fedbot.messages.naming import command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.party_config import PartyConfig


def making_waits_in_room(locale: Locale, *, connection: Connection, us: PartyConfig) -> Lines:
    """Setting up our side needs an admin; the admin room says what to do."""
    own = naming.space(locale, us.name)
    where = (
        locale.say("The admin room of {own} says what to do.", own=own)
        if us.admin_room
        else locale.say("{own} has configured no admin room. Its bot's log says what to do.", own=own)
    )
    return [
        locale.say("⏸ {code} waits for an admin of {own}.", code=connection.code, own=own),
        locale.say("Done: both have approved. Not done: {own} is not set up.", own=own),
        where,
        locale.say(
            "Next: I check every minute until {when}. To stop it, reply: {cancel}",
            when=locale.when(connection.due),
            cancel=command("cancel"),
        ),
    ]


def _no_look(locale: Locale, connection: Connection, us: PartyConfig) -> tuple[Inline, ...]:
    return locale.say(
        "⏸ {code} waits: the bot of {own} can't read the InvenTree of {peer}.",
        code=connection.code,
        own=naming.space(locale, us.name),
        peer=naming.space(locale, connection.peer_name),
    )


def _tries_again(locale: Locale, connection: Connection) -> tuple[Inline, ...]:
    return locale.say(
        "Next: I try again by myself until {when}. To stop it, reply: {cancel}",
        when=locale.when(connection.due),
        cancel=command("cancel"),
    )


def peers_access_waits(locale: Locale, *, connection: Connection, us: PartyConfig, problem: Diagnosis) -> Lines:
    """`direct` only: the peer's token doesn't work for us, or its InvenTree can't be reached."""
    own = naming.space(locale, us.name)
    return [
        _no_look(locale, connection, us),
        locale.say("Why: {text}", text=diagnosis(locale, problem)),
        locale.say("Done: both have approved. Not done: {own} is not ready. Nothing has moved.", own=own),
        locale.say(
            "The bot of {own} must reach its address, and its token must be read-only.",
            own=own,
        ),
        locale.say("The admins of both can fix that."),
        _tries_again(locale, connection),
    ]


def peers_access_waits_in_room(locale: Locale, *, connection: Connection, us: PartyConfig, code: str) -> Lines:
    """The same for a room that the peer's people read: only a code of the problem."""
    return [
        _no_look(locale, connection, us),
        locale.say("The problem: {problem}", problem=locale.say(TRIALS[code])),
        locale.say("Nothing has moved. The admins of both spaces can fix it."),
        _tries_again(locale, connection),
    ]


def credentials_add(connection: Connection) -> Code:
    """The command that takes the token; it is told which one by the name of the peer's user."""
    return Code(f"fedbot credentials add {connection.peer}-{connection.generation}")


_BY_HAND = frozenset({"no-admin-token", "unsupported"})


def making_waits(
    locale: Locale,
    *,
    connection: Connection,
    us: PartyConfig,
    reason: str,
    problem: Diagnosis,
    name: str,
    reference: str,
) -> Lines:
    """Instructions for an admin, so that our side of a connection can be set up."""
    del reference
    peer = naming.space(locale, connection.peer_name)
    first = locale.say("The friendship with {peer} is waiting for you.", peer=Bold(peer))
    why = locale.say("Why: {text}", text=diagnosis(locale, problem, 300))
    if reason in _BY_HAND:
        what = _instructions(locale, connection, us, name, reason)
    else:
        sentence = _WHAT_TO_DO.get(reason, marked("Run {check}. The reason is above."))
        what = [
            locale.say(
                sentence,
                user=Code(name),
                peer=peer,
                check=Code("fedbot check"),
                add=credentials_add(connection),
                cancel=command(f"cancel {connection.code}"),
                relayed=Code("peer_access: relayed"),
            )
        ]
    until = locale.say(
        "I check again every minute until {when}. To stop it, type in the shared room: {cancel}",
        when=locale.when(connection.due),
        cancel=command(f"cancel {connection.code}"),
    )
    return [first, why, *what, until, connection.code]


_WHAT_TO_DO: dict[str, str] = {
    "foreign-group": marked("In InvenTree, rename or remove the group {user}: I have not created it."),
    "foreign-user": marked("In InvenTree, rename or remove the user {user}: I have not created it."),
    "unsafe-version": marked(
        "Upgrade InvenTree to API 472 or newer. Or cancel with {cancel}, write {relayed} into my configuration,"
        " restart me and connect again."
    ),
    "ended": marked("The user {user} was closed earlier and stays closed. Cancel with {cancel}, then connect again."),
    "foreign-company": marked("In InvenTree, rename the company {peer}, or clear its link if I may use it."),
    "not-permitted": marked("Give my InvenTree user the role that is named above. {check} lists all of them."),
    "too-much-right": marked(
        "In InvenTree, leave the group {user} only 'view', and make its user neither staff nor superuser."
    ),
    "too-little-right": marked(
        "Give the group {user} 'view' on stock, part, part category and stock location; nothing else."
    ),
    "no-token": marked("Create a token for the user {user}, then run on the bot's machine: {add}"),
    "unknown": marked(
        "I can't tell whether it was done. Look in InvenTree for the user and group {user}. I continue when I can."
    ),
}


def _instructions(locale: Locale, connection: Connection, us: PartyConfig, name: str, reason: str) -> Lines:
    """Instructions to create the group, its user and the token by hand, and to give the token to the bot."""
    first = locale.say(
        "In our InvenTree, as a superuser (Admin Center; before 1.0 the page {admin}):", admin=Code("/admin/")
    )
    url = f"{naming.inventory_url(us)}/api/user/token/?name={name}-1"
    steps: tuple[tuple[Inline, ...], ...] = (
        (
            *locale.say("Groups, new: {name}", name=Code(name)),
            Break(),
            *locale.say("permissions: view for stock, part, part category, stock location; nothing else"),
        ),
        (
            *locale.say("Users, new: {name}, last name {id}", name=Code(name), id=Code(connection.id)),
            Break(),
            *locale.say("active, neither staff nor superuser, a long random password, only in that group"),
        ),
        locale.say("Its token, valid for one year: {curl}", curl=Code(f"curl -u {name} '{url}'")),
        locale.say(
            "Paste the token (never into a chat) where this command asks for it, on the bot's machine: {add}",
            add=credentials_add(connection),
        ),
    )
    lines: Lines = [first, Items(steps)]
    if reason == "no-admin-token":
        lines.append(
            locale.say(
                "Or write a superuser's token into {key}: then I do all of it.",
                key=Code("inventree.admin_token_file"),
            )
        )
    return lines


def access_not_ended(locale: Locale, *, connection: Connection, name: str, problem: Diagnosis) -> Lines:
    """The peer's access could not be closed: an admin has to do it by hand at once."""
    peer = naming.space(locale, connection.peer_name)
    return [
        locale.say("⚠ {peer} still has access to our InvenTree: I could not end it.", peer=Bold(peer)),
        locale.say("Why: {text}", text=diagnosis(locale, problem)),
        locale.say("Please, in InvenTree and in this order:"),
        Items(
            (
                locale.say("set the user {user} inactive", user=Code(name)),
                locale.say("revoke its tokens"),
                locale.say(
                    "set the company {peer} inactive (never delete it: that puts its items back into our stock)",
                    peer=peer,
                ),
            )
        ),
        locale.say("I don't try again by myself."),
        connection.code,
    ]


# --- A friend's token: rotated, waiting for its rotation, about to expire.


def rotating(locale: Locale, *, connection: Connection, begun: bool) -> Lines:
    """The answer to `rotate`; another message has the result."""
    peer = naming.space(locale, connection.peer_name)
    first = (
        locale.say("I am rotating the token of {peer}.", peer=peer)
        if begun
        else locale.say("I am already rotating the token of {peer}, and am trying again now.", peer=peer)
    )
    return [first, locale.say("The old one stays valid until the new one works. I'll post the result here.")]


def token_rotated(locale: Locale, *, connection: Connection) -> Lines:
    """The token was rotated."""
    peer = naming.space(locale, connection.peer_name)
    if connection.token_expiry is None:
        return [locale.say("✅ {peer} has a new token.", peer=peer)]
    return [
        locale.say("✅ {peer} has a new token, valid until {day}.", peer=peer, day=locale.day(connection.token_expiry))
    ]


def rotate_failed(locale: Locale, *, connection: Connection, us: PartyConfig, problem: Diagnosis) -> Lines:
    """The token could not be rotated now."""
    peer = naming.space(locale, connection.peer_name)
    lines: Lines = [
        locale.say("Not done: {peer} has no new token yet. The old one works as before.", peer=peer),
        locale.say("Why: {text}", text=diagnosis(locale, problem)),
        locale.say("I try again by myself, every hour."),
    ]
    if us.admin_room:
        lines.append(
            locale.say("If you have to do something, I say so in our admin room a month before the old one ends.")
        )
    return lines


# --- in the admin room -------------------------------------------------------------------------------------


def token_ends(
    locale: Locale,
    *,
    connection: Connection,
    us: PartyConfig,
    left: int,
    reason: str,
    problem: Diagnosis | None,
    name: str,
    token: str,
) -> Lines:
    """A friend's token expires soon, and there is no new one: what to do."""
    peer = naming.space(locale, connection.peer_name)
    first = locale.some(
        "⚠ The token that I created for {peer} expires in {number} day, and I have no new one.",
        "⚠ The token that I created for {peer} expires in {number} days, and I have no new one.",
        left,
        peer=Bold(peer),
    )
    lines: Lines = [first]
    if problem is not None:
        lines.append(locale.say("Why: {text}", text=diagnosis(locale, problem, 300)))
    if reason in _BY_HAND:
        lines += _token_clicks(locale, connection, us, name, token, reason)
    elif reason == "silent":
        lines.append(locale.say("Its bot has not said yet whether the new one works. Is it running?"))
    elif reason == "peer":
        lines.append(
            locale.say(
                "The bot of {peer} reported this problem with the new token. Its admin can look into it.",
                peer=peer,
            )
        )
    else:
        lines.append(locale.say("Run {check}. The reason is above.", check=Code("fedbot check")))
    again = locale.say("I try again every hour. To try it now: {rotate}", rotate=command(f"rotate {connection.peer}"))
    return [*lines, again, connection.code]


def _token_clicks(locale: Locale, connection: Connection, us: PartyConfig, name: str, token: str, reason: str) -> Lines:
    """Instructions to create the token by hand, and to give it to the bot."""
    names: dict[str, Words] = {"user": Code(name), "token": Code(token)}
    url = f"{naming.inventory_url(us)}/api/user/token/?name={token}"
    steps: tuple[tuple[Inline, ...], ...] = (
        locale.say("a new token {token} for the user {user}: {curl}", curl=Code(f"curl -u {name} '{url}'"), **names),
        locale.say(
            "paste it (never into a chat) where this command asks for it, on the bot's machine: {add}",
            add=credentials_add(connection),
        ),
        locale.say("once I say that it works: revoke the old one"),
    )
    lines: Lines = [locale.say("Please, as a superuser:"), Items(steps)]
    if reason == "no-admin-token":
        key = Code("inventree.admin_token_file")
        lines.append(locale.say("Or write a superuser's token into {key}: then I do all of it.", key=key))
    return lines


def token_renewed(locale: Locale, *, connection: Connection, old: str) -> Lines:
    """The new token works, after a warning that there was none."""
    peer = naming.space(locale, connection.peer_name)
    first = locale.say("✅ The new token for {peer} works.", peer=Bold(peer))
    if connection.token_expiry is not None:
        first = locale.say(
            "✅ The new token for {peer} works, valid until {day}.",
            peer=Bold(peer),
            day=locale.day(connection.token_expiry),
        )
    if old:
        return [first, locale.say("Please revoke the old one in InvenTree: {old}", old=Code(old)), connection.code]
    return [first, locale.say("I revoke the old one by myself. You don't need to do anything."), connection.code]


def old_token_stays(locale: Locale, *, connection: Connection, name: str, problem: Diagnosis) -> Lines:
    """The new token is in use, but the old one could not be revoked."""
    peer = naming.space(locale, connection.peer_name)
    return [
        locale.say("⚠ The old token that I created for {peer} is still valid: I could not revoke it.", peer=Bold(peer)),
        locale.say("Why: {text}", text=diagnosis(locale, problem)),
        locale.say(
            "The new one is in use. Please revoke the older token of the user {user} in InvenTree.", user=Code(name)
        ),
        connection.code,
    ]
