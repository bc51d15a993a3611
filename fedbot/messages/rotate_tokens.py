"""A friend's token and its renewal: made anew, hanging, about to end."""

from __future__ import annotations

from fedbot.messages import naming
from fedbot.messages.diagnosis import diagnosis
from fedbot.messages.formatting import Bold, Code, Inline, Items
from fedbot.messages.language import Lines, Locale, Words
from fedbot.messages.naming import command
from fedbot.messages.provision import credentials_add
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.party_config import PartyConfig

_BY_HAND = frozenset({"no-admin-token", "unsupported"})


def rotating(locale: Locale, *, connection: Connection, begun: bool) -> Lines:
    """The answer to `rotate`; how it ended is told by another one."""
    peer = naming.space(locale, connection.peer_name)
    first = (
        locale.say("I make a new token for {peer}'s bot.", peer=peer)
        if begun
        else locale.say("A new token for {peer}'s bot is being made already; I look at it now.", peer=peer)
    )
    return [first, locale.say("The old one is good until the new one works. I tell you here how it ends.")]


def token_rotated(locale: Locale, *, connection: Connection) -> Lines:
    """It is done."""
    peer = naming.space(locale, connection.peer_name)
    if connection.token_expiry is None:
        return [locale.say("✅ {peer}'s bot has a new token.", peer=peer)]
    return [
        locale.say(
            "✅ {peer}'s bot has a new token, good until {day}.", peer=peer, day=locale.day(connection.token_expiry)
        )
    ]


def rotate_failed(locale: Locale, *, connection: Connection, us: PartyConfig, problem: Diagnosis) -> Lines:
    """It could not be done now."""
    peer = naming.space(locale, connection.peer_name)
    lines: Lines = [
        locale.say(
            "Not done: there is no new token for {peer}'s bot yet; the old one is as good as before.", peer=peer
        ),
        locale.say("Why: {text}", text=diagnosis(locale, problem)),
        locale.say("I try again by myself, every hour."),
    ]
    if us.admin_room:
        lines.append(
            locale.say("What to do, if it is needed, I say in our admin room a month before the old one ends.")
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
    """A friend's token ends soon, and there is no new one: what to do."""
    peer = naming.space(locale, connection.peer_name)
    first = locale.some(
        "⚠ The token that we made for {peer} ends in {number} day, and I have no new one.",
        "⚠ The token that we made for {peer} ends in {number} days, and I have no new one.",
        left,
        peer=Bold(peer),
    )
    lines: Lines = [first]
    if problem is not None:
        lines.append(locale.say("Why: {text}", text=diagnosis(locale, problem, 300)))
    if reason in _BY_HAND:
        lines += _clicks(locale, connection, us, name, token, reason)
    elif reason == "silent":
        lines.append(locale.say("Its bot has not said yet whether the new one works. Is it running?"))
    elif reason == "peer":
        lines.append(locale.say("That is what {peer}'s bot says of the new one; its admin can look.", peer=peer))
    else:
        lines.append(locale.say("Look with {check}; the reason is above.", check=Code("fedbot check")))
    again = locale.say(
        "I try again every hour. To make me try now: {rotate}", rotate=command(f"rotate {connection.peer}")
    )
    return [*lines, again, connection.code]


def _clicks(locale: Locale, connection: Connection, us: PartyConfig, name: str, token: str, reason: str) -> Lines:
    """What to make by hand, and how the bot gets it."""
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
            "✅ The new token for {peer} works, good until {day}.",
            peer=Bold(peer),
            day=locale.day(connection.token_expiry),
        )
    if old:
        return [first, locale.say("Please revoke the old one in InvenTree: {old}", old=Code(old)), connection.code]
    return [first, locale.say("I revoke the old one by myself. Nothing to do."), connection.code]


def old_token_stays(locale: Locale, *, connection: Connection, name: str, problem: Diagnosis) -> Lines:
    """The new one is in use, but the old one could not be revoked."""
    peer = naming.space(locale, connection.peer_name)
    return [
        locale.say("⚠ The old token that we made for {peer} is still good: I could not revoke it.", peer=Bold(peer)),
        locale.say("Why: {text}", text=diagnosis(locale, problem)),
        locale.say(
            "The new one is in use. Please revoke the older token of the user {user} in InvenTree.", user=Code(name)
        ),
        connection.code,
    ]
