"""Connections: the request, the card for superusers, the set-up, and the list of spaces."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fedbot.messages import naming
from fedbot.messages.connection import keys
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.markup import Bold, Break, Code, Inline, Items
from fedbot.messages.naming import command
from fedbot.messages.transfer.card import connection_changed
from fedbot.messages.transfer.card_lines import in_one_line, silent_bot
from fedbot.rules import names
from fedbot.rules.card_content import Change
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.ledger import SpaceSeen
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.model.party_config import PartyConfig


def connection_card(
    locale: Locale,
    *,
    connection: Connection,
    us: PartyConfig,
    fingerprint: str,
    own_fingerprint: str,
    people: list[str],
    emoji: tuple[int, ...],
    changes: tuple[Change, ...] = (),
) -> Lines:
    """The card in its present state.

    `people`: those who can decide, by Matrix id or name. `changes`: the differences from the card before it.
    """
    lines = _as_it_stands(locale, connection, us, (fingerprint, own_fingerprint), people, emoji)
    return [lines[0], *connection_changed(locale, connection, changes), *lines[1:]]


def _as_it_stands(
    locale: Locale,
    connection: Connection,
    us: PartyConfig,
    fingerprints: tuple[str, str],
    people: list[str],
    emoji: tuple[int, ...],
) -> Lines:
    match connection.state:
        case ConnectionState.OFFERED | ConnectionState.ASKED:
            return _offered(locale, connection, us, fingerprints, people, emoji)
        case ConnectionState.MAKING | ConnectionState.READY:
            return _being_made(locale, connection, us)
        case ConnectionState.ACTIVE:
            return connected(locale, connection=connection, us=us)
        case ConnectionState.SUSPENDED:
            return suspended(locale, connection, us)
        case ConnectionState.ENDING:
            return ending(locale, connection, us)
        case _:
            return over(locale, connection, connection.problem)


def _offered(
    locale: Locale,
    connection: Connection,
    us: PartyConfig,
    fingerprints: tuple[str, str],
    people: Sequence[str],
    emoji: tuple[int, ...],
) -> Lines:
    peer, own = naming.space(locale, connection.peer_name), naming.space(locale, us.name)
    theirs, ours = fingerprints
    lines: Lines = [
        locale.say("{peer} asks {own} to be friends. Agree?", peer=Bold(peer), own=own),
        _for_whom(locale, people, own, locale.when(connection.due)),
        locale.say(
            "Asked by {who} ({peer}), {when}",
            who=naming.signed(locale, connection.asked),
            peer=peer,
            when=locale.when(connection.asked.at),
        ),
        *what_yes_means(locale, connection, us),
        *_to_compare(locale, peer, theirs, ours, emoji),
        locale.say(
            "✅ yes, let's be friends · ❌ no, or if anything differs · Nothing has been created yet. · {code}",
            code=connection.code,
        ),
    ]
    return lines


def what_yes_means(locale: Locale, connection: Connection, us: PartyConfig) -> Lines:
    """The effect of an approval, and what the other space can see then. `show` lists what is provisioned."""
    peer, own = naming.space(locale, connection.peer_name), naming.space(locale, us.name)
    names: dict[str, Words] = {"peer": peer, "own": own}
    made: Lines = []
    if not us.has_admin_token:
        made.append(locale.say("I have no superuser's token: after the approval, our admin room says what to click."))
    if connection.access == "direct":
        token = (
            *locale.say(
                "The bot of {peer} gets the token. It can read all stock items of {own}, and change none."
                " The bot of {own} gets the same.",
                **names,
            ),
            " ",
            *locale.say("Like any account there, it can also list all attachments, and change or delete parameters."),
        )
    else:
        token = locale.say(
            "The bot of {peer} gets no token for our InvenTree. It asks me, and I answer about shared items only.",
            **names,
        )
    offers = locale.say(
        "If you approve, {peer} and {own} can offer each other items. Each offer still needs its own approval.", **names
    )
    return [offers, *made, token]


def _to_compare(locale: Locale, peer: str, theirs: str, ours: str, emoji: tuple[int, ...]) -> Lines:
    return [
        locale.say("Call {peer} before you approve. Their bot must show the same seven emoji:", peer=peer),
        keys.row(locale, emoji),
        locale.say("Their key: {theirs} · our key: {ours}", theirs=theirs, ours=ours),
    ]


def _for_whom(locale: Locale, people: Sequence[str], own: str, when: str) -> tuple[Inline, ...]:
    names: dict[str, Words] = {"own": own, "when": when}
    who = naming.people(locale, people, any_of=True) if people else ""
    if not people:
        sentence = "An InvenTree superuser of {own} can decide until {when}. None of the configured people is one."
        whom = locale.say(sentence, **names)
    elif len(people) == 1:
        whom = locale.say("{who} (InvenTree superuser of {own}) can decide until {when}.", who=who, **names)
    else:
        whom = locale.say("{who} (InvenTree superusers of {own}) can decide until {when}.", who=who, **names)
    return whom


def agreed(locale: Locale, connection: Connection) -> tuple[Inline, ...]:
    """'Asked by Anna, accepted by Bea, Tue 24 Nov, 20:31'."""
    who = naming.signed(locale, connection.asked)
    if connection.decided is None:
        return locale.say("Asked by {who}", who=who)
    decider, when = naming.signed(locale, connection.decided), locale.when(connection.decided.at)
    return locale.say("Asked by {who}, accepted by {decider}, {when}", who=who, decider=decider, when=when)


def _being_made(locale: Locale, connection: Connection, us: PartyConfig) -> Lines:
    peer, own = naming.space(locale, connection.peer_name), naming.space(locale, us.name)
    first = locale.say("{peer} and {own} are becoming friends.", peer=Bold(peer), own=Bold(own))
    if connection.needs:
        where = locale.say(
            "Done: both have approved. Not done: {own} is waiting for its admin. I try again every minute.", own=own
        )
    elif connection.own_ready:
        where = locale.say("Done: {own} is ready. Not done: {peer} isn't ready yet.", own=own, peer=peer)
    else:
        where = locale.say(
            "Both have approved. Each bot now creates an account for the other and tests it."
            " You don't need to do anything."
        )
    return [first, agreed(locale, connection), "", where, connection.code]


def connected(locale: Locale, *, connection: Connection, us: PartyConfig) -> Lines:
    """Both sides are ready, and each can offer items to the other."""
    peer, own = naming.space(locale, connection.peer_name), naming.space(locale, us.name)
    lines: Lines = [
        locale.say("✅ {own} and {peer} are friends: each can offer the other items.", own=Bold(own), peer=Bold(peer)),
        agreed(locale, connection),
        "",
    ]
    lines += what_is_seen(locale, connection, us)
    push = locale.word("push 10 M3-BOLT to {peer}").format(peer=connection.peer)
    lines.append(locale.say("Try it: {push}", push=command(push)))
    return [*lines, connection.code]


def what_is_seen(locale: Locale, connection: Connection, us: PartyConfig) -> Lines:
    """The stock that each bot can read in the other's InvenTree."""
    peer, own = naming.space(locale, connection.peer_name), naming.space(locale, us.name)
    if connection.access != "direct":
        return [_no_access(locale)]
    lines: Lines = []
    if connection.sees_items is not None:
        lines.append(
            locale.some(
                "The bot of {own} can read {number} stock item of {peer}.",
                "The bot of {own} can read all {number} stock items of {peer}.",
                connection.sees_items,
                own=own,
                peer=peer,
            )
        )
    if connection.peer_sees_items is not None:
        lines.append(
            locale.some(
                "The bot of {peer} can read {number} stock item of {own}.",
                "The bot of {peer} can read all {number} stock items of {own}.",
                connection.peer_sees_items,
                own=own,
                peer=peer,
            )
        )
    return lines


def suspended(locale: Locale, connection: Connection, us: PartyConfig) -> Lines:
    """The peer's account or key differs from the pinned one. Nothing is decided until a superuser has reviewed it."""
    peer, own = naming.space(locale, connection.peer_name), naming.space(locale, us.name)
    if connection.changed_room:
        return [
            locale.say(
                "⏸ The friendship of {own} and {peer} waits, because its room was replaced.", own=own, peer=Bold(peer)
            ),
            locale.say(
                "A superuser of {own} types in the new room: {review}", own=own, review=command("review --room")
            ),
            connection.code,
        ]
    first: Lines = [
        locale.say(
            "⚠ Friendship paused: the bot of {peer} has a new key or account, which {own} has not agreed to.",
            peer=Bold(peer),
            own=own,
        ),
        locale.say("It may be a new installation, or somebody else in its name."),
    ]
    if connection.is_to_be_compared:
        first = [
            locale.say(
                "⏸ Friendship with {peer} paused: the bot of {own} lost its journal and rebuilt it.",
                own=own,
                peer=Bold(peer),
            ),
            locale.say("The bot found the key of {peer} again, but nobody has compared it since.", peer=peer),
        ]
    return [
        *first,
        locale.say("Items that have left a space still arrive. Nothing new is offered or decided."),
        locale.say(
            "A superuser of {own} calls {peer}, then types: {review}",
            own=own,
            peer=peer,
            review=command(f"review {connection.peer}"),
        ),
        connection.code,
    ]


def ending(locale: Locale, connection: Connection, us: PartyConfig) -> Lines:
    """One side has ended the connection; running transfers are finished first."""
    peer, own = naming.space(locale, connection.peer_name), naming.space(locale, us.name)
    return [
        locale.say("The friendship of {own} and {peer} is ending.", own=Bold(own), peer=Bold(peer)),
        *ended_by(locale, connection, us),
        locale.say("Nothing new starts. Running transfers finish first, then the access ends."),
        connection.code,
    ]


def ended_by(locale: Locale, connection: Connection, us: PartyConfig) -> Lines:
    """The person or space that ended it, if known, and why."""
    by = connection.ended_by
    if by is None:
        return []
    who, when = naming.signed(locale, by), locale.when(by.at)
    space = naming.party(locale, by.party, us, connection.peer_name)
    return [locale.say("By {who} ({space}), {when}", who=who, space=space, when=when), *naming.because(locale, by)]


def over(locale: Locale, connection: Connection, by: str) -> Lines:
    """The connection ended, maybe before it was active."""
    peer = naming.space(locale, connection.peer_name)
    nothing = (
        locale.say("Each bot removes the account that it created for the other.")
        if connection.company
        else locale.say("Nothing was created.")
    )
    again = locale.say("You can ask again at any time.")
    match connection.state:
        case ConnectionState.DECLINED:
            first = locale.say("❌ No friendship with {peer}.", peer=Bold(peer))
            who = [_declined_by(locale, connection)]
        case ConnectionState.CANCELLED:
            first = locale.say("Cancelled: no friendship with {peer}.", peer=Bold(peer))
            who = [locale.say("By {who}", who=naming.person(locale, by))] if by else []
        case ConnectionState.EXPIRED:
            first = locale.say("Expired: no friendship with {peer}.", peer=Bold(peer))
            who = [locale.say("It was open until {when}.", when=locale.when(connection.due))]
        case _:
            first = locale.say("The friendship with {peer} is over.", peer=Bold(peer))
            who = []
    return [first, *who, (*nothing, " ", *again), connection.code]


def _declined_by(locale: Locale, connection: Connection) -> tuple[Inline, ...]:
    if connection.decided is None:
        return locale.say("Declined")
    return locale.say(
        "Declined by {who}, {when}",
        who=naming.signed(locale, connection.decided),
        when=locale.when(connection.decided.at),
    )


def we_are_hidden(locale: Locale, *, us: PartyConfig) -> Lines:
    """The refusal to connect while we don't announce ourselves: the other bot would refuse us, too."""
    return [
        locale.say(
            "Not asked: {space} isn't discoverable, so the other bot would refuse it.",
            space=naming.space(locale, us.name),
        ),
        locale.say("Its admin can set {key} in my settings.", key=Code("discoverable: true")),
    ]


def space_not_here(locale: Locale, *, name: str) -> Lines:
    """The refusal to connect with a space whose bot hasn't come along from the former room."""
    return [
        locale.say("Not asked: the bot of {space} isn't in this room.", space=naming.space(locale, name)),
        locale.say("Somebody has to invite it first."),
    ]


def speaks_otherwise(locale: Locale, *, name: str, theirs: tuple[int, int], ours: tuple[int, int]) -> Lines:
    """The refusal to connect with a bot that has no protocol version in common with us.

    Each pair is the oldest and the newest.
    """
    first = locale.say(
        "Not asked: the bot of {space} and I don't understand each other.",
        space=naming.space(locale, name),
    )
    versions = {"theirs": _versions(theirs), "ours": _versions(ours)}
    second = locale.say("It speaks version {theirs} of the bots' protocol, I speak {ours}.", **versions)
    if theirs > ours:
        return [first, second, locale.say("My admin has to update me first.")]
    return [first, second, locale.say("Its admin has to update it first.")]


def _versions(speaks: tuple[int, int]) -> str:
    oldest, newest = speaks
    return str(newest) if oldest == newest else f"{oldest}–{newest}"


def connected_already(locale: Locale, *, connection: Connection) -> Lines:
    """The answer to `connect` if the connection is active."""
    return [
        locale.say(
            "We are already friends with {peer}. You don't need to do anything.",
            peer=naming.space(locale, connection.peer_name),
        )
    ]


def asked_already(locale: Locale, *, connection: Connection) -> Lines:
    """The answer to `connect` if a request is open, or the connection is being set up."""
    peer, who = naming.space(locale, connection.peer_name), naming.signed(locale, connection.asked)
    if connection.state is ConnectionState.ASKED:
        first = locale.say("Not asked again: {who} has asked {peer} already.", peer=peer, who=who)
        next_ = locale.say(
            "It is waiting for a superuser of {peer} until {when}.", peer=peer, when=locale.when(connection.due)
        )
    elif connection.state is ConnectionState.OFFERED:
        first = locale.say("Not asked: {peer} has asked us already ({who}).", peer=peer, who=who)
        next_ = locale.say(
            "Its card is waiting for one of our superusers until {when}: {approve}",
            when=locale.when(connection.due),
            approve=command(f"approve {connection.code}"),
        )
    else:
        first = locale.say("Not asked: {peer} and our space have both approved already.", peer=peer)
        next_ = locale.say("It is being set up. You don't need to do anything.")
    stop = locale.say("To cancel: {cancel}", cancel=command(f"cancel {connection.code}"))
    return [first, next_, stop] if connection.state is not ConnectionState.OFFERED else [first, next_]


def connection_elsewhere(locale: Locale, *, connection: Connection, room: str) -> Lines:
    """The answer to `connect` in a room that isn't the connection's."""
    return [
        locale.say(
            'We are friends with {peer} in the room "{room}": please say it there. I did nothing.',
            peer=naming.space(locale, connection.peer_name),
            room=locale.short(room, 60),
        )
    ]


def needs_review(locale: Locale, *, connection: Connection) -> Lines:
    """The refusal of a command while the connection is paused: a superuser has to review it first."""
    peer = naming.space(locale, connection.peer_name)
    if connection.changed_room:
        return [
            locale.say("Not done: the friendship with {peer} waits, because its room was replaced.", peer=peer),
            locale.say("A superuser types in the new room: {review}", review=command("review --room")),
        ]
    why = (
        locale.say("Not done: the friendship with {peer} is paused until its key has been compared.", peer=peer)
        if connection.is_to_be_compared
        else locale.say(
            "Not done: the friendship with {peer} is paused, because its bot has a new key or account.", peer=peer
        )
    )
    return [
        why,
        locale.say("A superuser reviews it first: {review}", review=command(f"review {connection.peer}")),
    ]


def connect_asked(locale: Locale, *, connection: Connection, fingerprint: str, emoji: tuple[int, ...]) -> Lines:
    """The answer to `connect`; it carries the protocol message that asks."""
    peer = naming.space(locale, connection.peer_name)
    how = (
        locale.say(
            "The bots have exchanged encrypted tokens. Each can read all stock items of the other, and change none."
        )
        if connection.access == "direct"
        else _no_access(locale)
    )
    return [
        (
            *locale.say("Asked {peer} to be friends. Nothing has been created yet.", peer=Bold(peer)),
            " ",
            connection.code,
        ),
        locale.say("A superuser of {peer} decides until {when}.", peer=peer, when=locale.when(connection.due)),
        how,
        "",
        *_same_emoji(locale, peer, emoji),
        *in_one_line(
            [
                locale.say("Their key: {key}", key=fingerprint),
                locale.say("If anything differs, or to cancel, reply: {cancel}", cancel=command("cancel")),
            ]
        ),
    ]


def _same_emoji(locale: Locale, peer: str, emoji: tuple[int, ...]) -> Lines:
    if not emoji:
        return [
            locale.say("The seven emoji to compare will appear here once the bot of {peer} has answered.", peer=peer)
        ]
    return [
        locale.say("Call {peer}. Their bot must show the same seven emoji:", peer=peer),
        keys.row(locale, emoji),
    ]


def connect_crossed(locale: Locale, *, connection: Connection, emoji: tuple[int, ...]) -> Lines:
    """Both asked at the same moment, and each request is the other's approval."""
    peer = naming.space(locale, connection.peer_name)
    return [
        locale.say("{peer} asked us at the same moment, so both have approved.", peer=Bold(peer)),
        locale.say("Each bot now creates an account for the other and tests it."),
        *_same_emoji(locale, peer, emoji),
        locale.say("If anything differs: {stop}", stop=command(f"disconnect {connection.peer} --now")),
        connection.code,
    ]


_DECLINED: dict[str, str] = {
    "connected": marked("The bot of {peer} says that we are friends already. Its admin sees more with {spaces}."),
    "generation": marked("The bot of {peer} knows of an earlier friendship. Please ask again."),
}


def connect_declined(locale: Locale, *, connection: Connection, by: str) -> Lines:
    """The peer declined, or its bot did."""
    peer = naming.space(locale, connection.peer_name)
    first = locale.say("❌ {peer} did not agree to be friends.", peer=Bold(peer))
    why = _DECLINED.get(connection.problem)
    if why is not None:
        reason = locale.say(why, peer=peer, spaces=command("spaces"))
    elif by:
        reason = locale.say("{who} declined.", who=naming.person(locale, by))
    else:
        reason = locale.say("No reason was given.")
    return [first, reason, locale.say("Nothing was created."), connection.code]


def connect_over(locale: Locale, *, connection: Connection, by: str) -> Lines:
    """Our request to connect ended without a connection."""
    return over(locale, connection, by)


def connection_suspended(locale: Locale, *, connection: Connection, us: PartyConfig) -> Lines:
    """Tells people that the peer's account or key has changed."""
    return suspended(locale, connection, us)


def peer_bot_silent(locale: Locale, *, connection: Connection, us: PartyConfig) -> Lines:
    """The peer's bot has not answered a message about the connection for a while."""
    nothing_lost = locale.say("Nothing is lost: it continues as soon as that bot answers again.")
    return silent_bot(locale, connection, us, connection.peer_name, nothing_lost)


def connect_throttled(locale: Locale, *, connection: Connection) -> Lines:
    """Too many requests to connect today, by this space or by all: nothing is stored of this one."""
    return [
        locale.say(
            "{peer} asked to be friends, but I have reached today's limit of such requests.",
            peer=naming.space(locale, connection.peer_name),
        ),
        locale.say(
            "Its bot asks again by itself. To go first, a superuser of this space types: {connect}",
            connect=command(f"connect {connection.peer}"),
        ),
    ]


def peer_opens_too_much(locale: Locale, *, connection: Connection, again: datetime | None, most: int) -> Lines:
    """A friend offers or requests more at once than we post cards for; the rest waits."""
    peer = naming.space(locale, connection.peer_name)
    later = (
        locale.say("I'm posting the other cards one by one, the next one after {time}.", time=locale.clock(again))
        if again
        else locale.say(
            "{n} of its requests are open here. The others get their cards once people have decided those.", n=most
        )
    )
    return [locale.say("{peer} has sent more requests than I post at once.", peer=peer), later]


def party_claimed(locale: Locale, *, connection: Connection, bot: str) -> Lines:
    """Another account speaks in a friend's name, and is ignored."""
    peer = naming.space(locale, connection.peer_name)
    return [
        locale.say(
            "⚠ {bot} speaks in the name of {peer}, but isn't the bot that we are friends with.",
            bot=Code(locale.short(bot, 120)),
            peer=Bold(peer),
        ),
        locale.say(
            "I ignore it. The real one is {bot}, and the friendship with it continues.",
            bot=Code(locale.short(connection.peer_bot, 120)),
        ),
        locale.say("Please call {peer}: does that bot belong to them?", peer=peer),
        connection.code,
    ]


UNANSWERED_IS_SILENT = 2
MOST_SPACES = 30


def spaces(
    locale: Locale, *, us: PartyConfig, fingerprint: str, spaces: tuple[SpaceSeen, ...], everywhere: bool
) -> Lines:
    """One entry per space, then our own key."""
    own = naming.space(locale, us.name)
    ours = locale.say("Our key ({own}): {key}", own=own, key=fingerprint)
    if not spaces:
        first = (
            locale.say("No other space announces itself in any of my rooms.")
            if everywhere
            else locale.say("No other space announces itself in this room.")
        )
        return [first, locale.say("Another space's bot has to be in this room, with discoverable switched on."), ours]
    first = locale.some("{number} other space:", "{number} other spaces:", len(spaces))
    items = [_space(locale, space) for space in spaces[:MOST_SPACES]]
    if len(spaces) > MOST_SPACES:
        items.append(locale.say("and {number} more", number=len(spaces) - MOST_SPACES))
    return [first, Items(tuple(items)), ours]


def _space(locale: Locale, space: SpaceSeen) -> tuple[Inline, ...]:
    called = naming.space(locale, names.of_party(space.name, space.party))
    nodes: list[Inline] = [Bold(called), ": ", *_relation(locale, space)]
    for warning in _warnings(locale, space):
        nodes += [Break(), *warning]
    return (*nodes, Break(), *locale.say("key {key}", key=space.fingerprint))


def _warnings(locale: Locale, space: SpaceSeen) -> list[tuple[Inline, ...]]:
    """Warnings about the space."""
    told = []
    if space.shares is not None and space.connection is not None:
        told.append(locale.some("shares {number} entry", "shares {number} entries", space.shares))
    if space.unanswered >= UNANSWERED_IS_SILENT:
        told.append(locale.say("⚠ its bot has not answered for a while"))
    if space.claims > 1:
        told.append(locale.say("⚠ {number} bots claim to be it; one of them isn't", number=space.claims))
    if space.claims == 0:
        told.append(locale.say("⚠ it does not announce itself at present"))
    if space.access == "direct" and space.connection is not None:
        told.append(locale.say("the bots can read each other's stock"))
    return told


_RELATIONS: dict[ConnectionState, str] = {
    ConnectionState.ACTIVE: marked("friends"),
    ConnectionState.ASKED: marked("asked by us, waiting for them until {when} ({code})"),
    ConnectionState.OFFERED: marked("asks us, waiting for one of our superusers until {when} ({code})"),
    ConnectionState.MAKING: marked("approved, is being set up ({code})"),
    ConnectionState.READY: marked("approved, is being set up ({code})"),
    ConnectionState.ENDING: marked("no longer friends, once running transfers are finished ({code})"),
    ConnectionState.SUSPENDED: marked("⚠ paused, because its key or account changed: {review}"),
}

_BY_ROOM: dict[str, Words] = {"review_room": command("review --room")}


def _relation(locale: Locale, space: SpaceSeen) -> tuple[Inline, ...]:
    connection = space.connection
    if connection is None:
        return locale.say("not a friend yet. A superuser can ask: {connect}", connect=command(f"connect {space.party}"))
    sentence = _RELATIONS.get(connection.state, marked("no longer friends"))
    if connection.state is ConnectionState.MAKING and connection.needs:
        sentence = marked("approved, waiting for our admin ({code})")
    if connection.changed_room:
        sentence = marked("⏸ waits, because its room was replaced: {review_room}")
    review = command(f"review {space.party}")
    return locale.say(sentence, when=locale.when(connection.due), code=connection.code, review=review, **_BY_ROOM)


def not_friends(locale: Locale, *, name: str, party: str, us: PartyConfig) -> Lines:
    """The refusal of a transfer with a space that isn't connected with us."""
    names: dict[str, Words] = {"own": naming.space(locale, us.name), "peer": naming.space(locale, name)}
    connect = command(f"connect {party}")
    return [
        locale.say("Not done: {own} and {peer} aren't friends yet. Nothing was sent.", **names),
        locale.say("A superuser of {own} can ask: {connect}", connect=connect, **names),
    ]


def _no_access(locale: Locale) -> tuple[Inline, ...]:
    return locale.say(
        "Neither bot gets access to the other's InvenTree. They only answer each other's questions about shared items."
    )
