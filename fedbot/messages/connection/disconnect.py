"""The end of a friendship: the preview, the steps, and the loans that remain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fedbot.messages import naming
from fedbot.messages.connection.connect import ended_by
from fedbot.messages.language import Lines, Locale, Words
from fedbot.messages.line_errors import what_it_is
from fedbot.messages.markup import Bold, Code, Inline, Items
from fedbot.messages.naming import command
from fedbot.rules.model.command import NUMBER_WITHIN
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.ledger import Preview
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.transfer import Transfer

MOST_SHOWN = 10


def disconnecting(locale: Locale, *, connection: Connection, us: PartyConfig, at_once: bool, preview: Preview) -> Lines:
    """The answer to `disconnect` by our superuser."""
    own, peer = naming.space(locale, us.name), naming.space(locale, connection.peer_name)
    lines: Lines = [
        locale.say("{own} ends the friendship with {peer}.", own=Bold(own), peer=Bold(peer)),
        *ended_by(locale, connection, us),
        *_what_happens(locale, preview, at_once=at_once),
    ]
    if at_once:
        lines.append(locale.say("{peer} loses access to our InvenTree now.", peer=peer))
    else:
        ends = locale.say("Then {peer} loses access to our InvenTree.", peer=peer)
        lines.append((*ends, *_nothing_to_do(locale, preview)))
    return [*lines, connection.code]


def peer_disconnects(locale: Locale, *, connection: Connection, us: PartyConfig, preview: Preview) -> Lines:
    """The other space ends the friendship; our side does the same."""
    own, peer = naming.space(locale, us.name), naming.space(locale, connection.peer_name)
    return [
        locale.say("{peer} ends the friendship with {own}.", own=Bold(own), peer=Bold(peer)),
        *ended_by(locale, connection, us),
        *_what_happens(locale, preview, at_once=False),
        (
            *locale.say("Then {peer} loses access to our InvenTree, too.", peer=peer),
            *_nothing_to_do(locale, preview),
        ),
        connection.code,
    ]


def _what_happens(locale: Locale, preview: Preview, *, at_once: bool) -> Lines:
    moving = (
        locale.say("⚠ These were moving. Somebody has to find out what happened to them:")
        if at_once
        else locale.say("These are moving. I finish them first:")
    )
    return [
        locale.say("Nothing new starts."),
        *_listed(locale, locale.say("Cancelled before anything moved:"), preview.cancelled),
        *_listed(locale, moving, preview.finished),
        *_on_loan(locale, preview),
    ]


def _nothing_to_do(locale: Locale, preview: Preview) -> tuple[Inline, ...]:
    """Unless a loan is left, which people have to settle."""
    return () if preview.on_loan else (" ", *locale.say("You don't need to do anything."))


def _on_loan(locale: Locale, preview: Preview) -> Lines:
    """Each loan, and how to settle it; for some of them that is up to the lender's approver."""
    if not preview.on_loan:
        return []
    title = locale.say("On loan; settle each with {back}, {gift} or {lost}:", **_WAYS)
    return _listed(locale, title, preview.on_loan)


_WAYS: dict[str, Words] = {"back": command("return"), "gift": command("gift"), "lost": command("lost")}


def _listed(locale: Locale, title: tuple[Inline, ...], transfers: Sequence[Transfer]) -> Lines:
    if not transfers:
        return []
    items = [(each.code, " – ", what_it_is(locale, each)) for each in transfers[:MOST_SHOWN]]
    more = [locale.say("and {number} more", number=len(transfers) - MOST_SHOWN)] if len(transfers) > MOST_SHOWN else []
    return [title, Items((*items, *more))]


def disconnected(
    locale: Locale, *, connection: Connection, us: PartyConfig, on_loan: tuple[Transfer, ...] = ()
) -> Lines:
    """The end: nothing moves any more, and the access is closed."""
    own, peer = naming.space(locale, us.name), naming.space(locale, connection.peer_name)
    return [
        locale.say("{own} and {peer} are no longer friends.", own=Bold(own), peer=Bold(peer)),
        *ended_by(locale, connection, us),
        locale.say("Gifts stay gifts, and the history stays."),
        *_listed(
            locale,
            locale.say("Still on loan. The lender's approvers settle it with {back}, {gift} or {lost}:", **_WAYS),
            on_loan,
        ),
        *_if_gone_for_ever(locale, peer, on_loan),
        locale.say("{peer} no longer has access to our InvenTree.", peer=peer),
        locale.say("A superuser can ask again at any time: {connect}", connect=command(f"connect {connection.peer}")),
        connection.code,
    ]


def _if_gone_for_ever(locale: Locale, peer: str, on_loan: Sequence[Transfer]) -> Lines:
    """Says how to settle borrowed items if the lender's bot never comes back."""
    borrowed = [loan.code for loan in on_loan if loan.role == "receiver"]
    if not borrowed:
        return []
    line = command(f"resolve {borrowed[0]}")
    return [
        locale.say("Is {peer} gone for good? Then a superuser settles our borrowed items: {line}", peer=peer, line=line)
    ]


# --- before the end, and while it waits --------------------------------------------------------------------


def disconnect_preview(
    locale: Locale, *, connection: Connection, us: PartyConfig, orderly: Preview | None, at_once: Preview
) -> Lines:
    """The two ways to end the friendship, with their consequences. The person picks one by its number."""
    own, peer = naming.space(locale, us.name), naming.space(locale, connection.peer_name)
    lines: Lines = [
        locale.say("End the friendship of {own} and {peer}? I have done nothing yet.", own=Bold(own), peer=Bold(peer)),
        locale.say("Gifts stay gifts, and the history stays."),
    ]
    if not any(map(_is_under_way, (orderly or at_once, at_once))):
        lines.append(locale.say("Nothing is open or moving."))
    if orderly is not None:
        common, orderly, at_once = _apart(orderly, at_once)
        lines += _listed(locale, locale.say("Either way I cancel:"), common.cancelled)
        lines += _on_loan(locale, common)
        lines.append(locale.say("1) in order: running transfers finish, then {peer} loses access", peer=peer))
        lines += _consequences(locale, orderly, at_once=False)
    number = 1 if orderly is None else 2
    now = locale.say(
        "{number}) at once: {peer} loses access now. For a space that is gone, or that you don't trust",
        number=number,
        peer=peer,
    )
    lines += [now, *_consequences(locale, at_once, at_once=True)]
    numbers = locale.names([str(each) for each in range(1, number + 1)], any_of=True)
    return [*lines, locale.say("Reply {numbers} within {time}.", numbers=numbers, time=locale.span(NUMBER_WITHIN))]


def _is_under_way(preview: Preview) -> bool:
    return bool(preview.cancelled or preview.finished or preview.on_loan)


def _apart(orderly: Preview, at_once: Preview) -> tuple[Preview, Preview, Preview]:
    """Split the consequences: those of both ways, and those of each way alone."""
    cancelled = orderly.cancelled if orderly.cancelled == at_once.cancelled else ()
    on_loan = orderly.on_loan if orderly.on_loan == at_once.on_loan else ()
    orderly, at_once = (
        replace(
            each,
            cancelled=() if cancelled else each.cancelled,
            on_loan=() if on_loan else each.on_loan,
        )
        for each in (orderly, at_once)
    )
    return Preview(cancelled, (), on_loan), orderly, at_once


def _consequences(locale: Locale, preview: Preview, *, at_once: bool) -> Lines:
    moving = locale.say("⚠ These stay unclear. Somebody has to look:") if at_once else locale.say("I finish first:")
    return [
        *_listed(locale, locale.say("I cancel:"), preview.cancelled),
        *_listed(locale, moving, preview.finished),
        *_on_loan(locale, preview),
    ]


def nothing_to_end(locale: Locale, *, name: str) -> Lines:
    """The answer if there is no friendship with that space."""
    return [locale.say("We aren't friends with {peer}. I did nothing.", peer=naming.space(locale, name))]


def not_friends_yet(locale: Locale, *, connection: Connection) -> Lines:
    """The refusal to end a friendship that is only requested or being set up, and what to type instead."""
    peer = naming.space(locale, connection.peer_name)
    first = locale.say("We aren't friends with {peer} yet. I did nothing.", peer=peer)
    if connection.state is ConnectionState.OFFERED:
        return [first, locale.say("To decline: {decline}", decline=command(f"decline {connection.code}"))]
    return [first, locale.say("To cancel: {cancel}", cancel=command(f"cancel {connection.code}"))]


def ending_already(locale: Locale, *, connection: Connection, us: PartyConfig, preview: Preview) -> Lines:
    """The friendship is ending already: what it waits for, and how to end it at once."""
    peer = naming.space(locale, connection.peer_name)
    return [
        locale.say("The friendship with {peer} is ending already. I did nothing.", peer=peer),
        *ended_by(locale, connection, us),
        *_listed(locale, locale.say("It is waiting for:"), (*preview.cancelled, *preview.finished)),
        *_on_loan(locale, preview),
        _without_waiting(locale, connection),
    ]


def ending_waits(locale: Locale, *, connection: Connection, us: PartyConfig, preview: Preview) -> Lines:
    """The end waits because the other bot doesn't answer."""
    peer, own = naming.space(locale, connection.peer_name), naming.space(locale, us.name)
    return [
        locale.say(
            "⏸ {code} waits: the bot of {peer} has not answered for {time}.",
            code=connection.code,
            peer=peer,
            time=locale.span(us.silent_after),
        ),
        *_listed(locale, locale.say("Not finished yet:"), (*preview.cancelled, *preview.finished)),
        locale.say("{peer} still has access to the InvenTree of {own}.", peer=peer, own=own),
        locale.say("Next: I'll send it again by myself. You don't need to do anything."),
        _without_waiting(locale, connection),
    ]


def _without_waiting(locale: Locale, connection: Connection) -> tuple[Inline, ...]:
    line = command(f"disconnect {connection.peer} --now")
    return locale.say("A superuser who doesn't want to wait: {line}", line=line)


def still_ending(locale: Locale, *, connection: Connection) -> Lines:
    """The refusal of `connect` while the old friendship is still ending."""
    peer = naming.space(locale, connection.peer_name)
    return [
        locale.say("Not asked: the old friendship with {peer} is still ending.", peer=peer),
        locale.say(
            "Please ask again once it is over. To see what it is waiting for: {line}", line=_disconnect(connection)
        ),
    ]


def _disconnect(connection: Connection) -> Inline:
    return command(f"disconnect {connection.peer}")


def goes_on_from_before(locale: Locale, *, connection: Connection, transfers: tuple[Transfer, ...]) -> Lines:
    """A new friendship with a former friend continues transfers that were left open."""
    peer = naming.space(locale, connection.peer_name)
    return [
        locale.say("We were friends with {peer} before.", peer=peer),
        *_listed(locale, locale.say("This was left open then, and continues:"), transfers),
    ]


def access_made_by_hand(locale: Locale, *, connection: Connection, name: str) -> Lines:
    """Asks the admins to remove by hand the access that they created by hand."""
    peer = naming.space(locale, connection.peer_name)
    return [
        locale.say(
            "⚠ The friendship with {peer} is over. Its access was created by hand, so please end it by hand.",
            peer=Bold(peer),
        ),
        locale.say("In our InvenTree, as a superuser, and in this order:"),
        Items(
            (
                locale.say(
                    "set the user {user} inactive; it isn't enough to remove it from its group", user=Code(name)
                ),
                locale.say("revoke its tokens"),
            )
        ),
        locale.say("I have deleted its token from the bot's machine."),
        connection.code,
    ]
