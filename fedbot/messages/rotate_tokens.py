"""A friend's token and its renewal: made anew, hanging, about to end (DESIGN §2)."""

from __future__ import annotations

from fedbot.messages import naming
from fedbot.messages.connection import credentials_add
from fedbot.messages.formatting import Bold, Code, Inline, Items
from fedbot.messages.language import Lines, Locale, Words
from fedbot.messages.naming import command
from fedbot.messages.reasons import diagnosis
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.party_config import PartyConfig

_BY_HAND = frozenset({"no-admin-token", "unsupported"})


def rotating(tongue: Locale, *, connection: Connection, begun: bool) -> Lines:
    """The answer to `rotate`; how it ended is told by another one."""
    peer = naming.space(tongue, connection.peer_name)
    first = (
        tongue.say("I make a new token for {peer}'s bot.", peer=peer)
        if begun
        else tongue.say("A new token for {peer}'s bot is being made already; I look at it now.", peer=peer)
    )
    return [first, tongue.say("The old one is good until the new one works. I tell you here how it ends.")]


def token_rotated(tongue: Locale, *, connection: Connection) -> Lines:
    """It is done."""
    peer = naming.space(tongue, connection.peer_name)
    if connection.token_expiry is None:
        return [tongue.say("✅ {peer}'s bot has a new token.", peer=peer)]
    return [
        tongue.say(
            "✅ {peer}'s bot has a new token, good until {day}.", peer=peer, day=tongue.day(connection.token_expiry)
        )
    ]


def rotate_failed(tongue: Locale, *, connection: Connection, home: PartyConfig, text: str) -> Lines:
    """It could not be done now."""
    peer = naming.space(tongue, connection.peer_name)
    lines: Lines = [
        tongue.say(
            "Not done: there is no new token for {peer}'s bot yet; the old one is as good as before.", peer=peer
        ),
        tongue.say("Why: {text}", text=diagnosis(tongue, text)),
        tongue.say("I try again by myself, every hour."),
    ]
    if home.admin_room:
        lines.append(
            tongue.say("What to do, if it is needed, I say in our admin room a month before the old one ends.")
        )
    return lines


# --- in the admin room -------------------------------------------------------------------------------------


def token_ends(
    tongue: Locale, *, connection: Connection, left: int, reason: str, text: str, name: str, token: str
) -> Lines:
    """A friend's token ends soon, and there is no new one: what to do."""
    peer = naming.space(tongue, connection.peer_name)
    first = tongue.some(
        "⚠ The token that we made for {peer} ends in {number} day, and I have no new one.",
        "⚠ The token that we made for {peer} ends in {number} days, and I have no new one.",
        left,
        peer=Bold(peer),
    )
    lines: Lines = [first]
    if text:
        lines.append(tongue.say("Why: {text}", text=diagnosis(tongue, text, 300)))
    if reason in _BY_HAND:
        lines += _clicks(tongue, connection, name, token, reason)
    elif reason == "silent":
        lines.append(tongue.say("Its bot has not said yet whether the new one works. Is it running?"))
    elif reason == "peer":
        lines.append(tongue.say("That is what {peer}'s bot says of the new one; its admin can look.", peer=peer))
    else:
        lines.append(tongue.say("Look with {check}; the reason is above.", check=Code("fedbot check")))
    again = tongue.say(
        "I try again every hour. To make me try now: {rotate}", rotate=command(f"rotate {connection.peer}")
    )
    return [*lines, again, connection.code]


def _clicks(tongue: Locale, connection: Connection, name: str, token: str, reason: str) -> Lines:
    """What to make by hand, and how the bot gets it."""
    names: dict[str, Words] = {"user": Code(name), "token": Code(token)}
    url = f"https://OUR-INVENTREE/api/user/token/?name={token}"
    steps: tuple[tuple[Inline, ...], ...] = (
        tongue.say("a new token {token} for the user {user}: {curl}", curl=Code(f"curl -u {name} '{url}'"), **names),
        tongue.say(
            "paste it (never into a chat) where this command asks for it, on the bot's machine: {add}",
            add=credentials_add(connection),
        ),
        tongue.say("once I say that it works: revoke the old one"),
    )
    lines: Lines = [tongue.say("Please, as a superuser:"), Items(steps)]
    if reason == "no-admin-token":
        key = Code("inventree.admin_token_file")
        lines.append(
            tongue.say("Or write a superuser's token into {key} and restart me: then I do all of it.", key=key)
        )
    return lines


def token_renewed(tongue: Locale, *, connection: Connection, old: str) -> Lines:
    """The new token works, after a warning that there was none."""
    peer = naming.space(tongue, connection.peer_name)
    first = tongue.say("✅ The new token for {peer} works.", peer=Bold(peer))
    if connection.token_expiry is not None:
        first = tongue.say(
            "✅ The new token for {peer} works, good until {day}.",
            peer=Bold(peer),
            day=tongue.day(connection.token_expiry),
        )
    if old:
        return [first, tongue.say("Please revoke the old one in InvenTree: {old}", old=Code(old)), connection.code]
    return [first, tongue.say("I revoke the old one by myself. Nothing to do."), connection.code]


def old_token_stays(tongue: Locale, *, connection: Connection, name: str, text: str) -> Lines:
    """The new one is in use, but the old one could not be revoked."""
    peer = naming.space(tongue, connection.peer_name)
    return [
        tongue.say("⚠ The old token that we made for {peer} is still good: I could not revoke it.", peer=Bold(peer)),
        tongue.say("Why: {text}", text=diagnosis(tongue, text)),
        tongue.say(
            "The new one is in use. Please revoke the older token of the user {user} in InvenTree.", user=Code(name)
        ),
        connection.code,
    ]
