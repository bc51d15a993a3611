"""Rooms: upgrades, and what admins read about a room and the bots in it."""

from __future__ import annotations

from collections.abc import Sequence

from fedbot.messages import naming
from fedbot.messages.language import Lines, Locale, Words
from fedbot.messages.line_errors import what_it_is
from fedbot.messages.markup import Bold, Code, Inline, Items
from fedbot.messages.naming import command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.events import Removed
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.room import Room
from fedbot.rules.model.transfer import Transfer

MOST_SHOWN = 10


def _room(locale: Locale, room: Room) -> Bold:
    return Bold(locale.short(room.name, 60) or locale.short(room.id, 120))


def _identifier(locale: Locale, room: str) -> Code:
    return Code(locale.short(room, 120))


MOST_ADMINS = 5


def hello(locale: Locale, *, us: PartyConfig, admins: Sequence[str], private: bool) -> Lines:
    """The greeting of a room: the bot's space, the first thing to type, and its admins."""
    space, line = naming.space(locale, us.name), command("help")
    if private:
        first = locale.say(
            "Hello, this is my admin room: here I post everything that concerns only {space}.", space=space
        )
        second = locale.say("Type {line} to see what you can type, or {status}.", line=line, status=command("status"))
    else:
        first = locale.say("Hello, I am the bot of {space}: I lend, give and request items for it.", space=space)
        second = locale.say("If you belong to {space}, type {line} first.", space=space, line=line)
    if not admins:
        return [first, second, locale.say("My admin is the person who set me up.")]
    names = naming.people(locale, list(admins[:MOST_ADMINS]))
    return [first, second, locale.say("My admins: {people}.", people=names)]


def room_replaced(locale: Locale, *, room: Room, replacement: str, bot: str, waiting: int) -> Lines:
    """For the admins: the room was upgraded, and we are not in the new one yet."""
    lines: Lines = [
        locale.say("The room {room} was upgraded and is read-only now.", room=_room(locale, room)),
        locale.say("The new one: {room}", room=_identifier(locale, replacement)),
        locale.say(
            "I am trying to join. If it is closed, somebody in it has to invite me: {bot}",
            bot=Code(locale.short(bot, 120)),
        ),
    ]
    if waiting:
        lines.append(
            locale.some(
                "{number} friendship waits until a superuser confirms the new room there.",
                "{number} friendships wait until a superuser confirms the new room there.",
                waiting,
            )
        )
    return lines


def room_is_no_successor(locale: Locale, *, room: Room, old: Room, stays: bool) -> Lines:
    """For the admins: the tombstone points to a room that doesn't name the old one.

    `stays`: the room is ours anyway.
    """
    return [
        locale.say("{room} isn't the room that replaces {old}.", room=_room(locale, room), old=_room(locale, old)),
        locale.say("The old room points to it ({room}), but it doesn't name the old one.", room=Code(room.id)),
        locale.say("Open cases of the old room wait.")
        if stays
        else locale.say("I have left it. Open cases of the old room wait."),
        locale.say(
            "Its admins can point to the right one with a new tombstone ({type}).", type=Code("m.room.tombstone")
        ),
    ]


def room_to_be_configured(locale: Locale, *, room: Room, old: str) -> Lines:
    """For the admins: we are in the new room; the settings name the old one."""
    return [
        locale.say("I am in the new room {room}.", room=_room(locale, room)),
        locale.say("Please change my settings, under {key}:", key=Code("rooms")),
        locale.say("{new} instead of {old}", new=_identifier(locale, room.id), old=_identifier(locale, old)),
        locale.say("Until then I remember it. I have posted there what waits for a superuser."),
    ]


# --- in the new room ---------------------------------------------------------------------------------------


def friendships_wait_here(
    locale: Locale, *, us: PartyConfig, waiting: tuple[Connection, ...], open_ones: tuple[Transfer, ...]
) -> Lines:
    """One message about all our friendships from the former room."""
    own = naming.space(locale, us.name)
    return [
        locale.some(
            "This room replaces another. {number} friendship of {own} waits here:",
            "This room replaces another. {number} friendships of {own} wait here:",
            len(waiting),
            own=Bold(own),
        ),
        Items(tuple((naming.space(locale, c.peer_name),) for c in waiting)),
        *_open(locale, open_ones),
        locale.say(
            "A superuser of {own} confirms here that they continue in this room: {review}", own=own, review=_REVIEW
        ),
        locale.say("Each space does so for itself. Until then nobody can offer or decide anything new."),
    ]


def moved(
    locale: Locale, *, us: PartyConfig, by: str, moved: tuple[Connection, ...], open_ones: tuple[Transfer, ...]
) -> Lines:
    """A superuser has confirmed the move."""
    names = locale.names([naming.space(locale, c.peer_name) for c in moved])
    words: dict[str, Words] = {
        "own": naming.space(locale, us.name),
        "peers": names,
        "who": naming.person(locale, by),
    }
    return [
        locale.say("✅ {own} continues here with {peers}, says {who}.", **words),
        *_open(locale, open_ones),
        locale.say(
            "Waiting work continues by itself once the other space has confirmed too. I post open cards again below."
        ),
        *_still_paused(locale, moved),
    ]


def _still_paused(locale: Locale, moved: Sequence[Connection]) -> Lines:
    """The friendships that stay paused because their key has changed, too."""
    paused = [naming.space(locale, c.peer_name) for c in moved if c.changed_bot]
    if not paused:
        return []
    names = locale.names(paused)
    return [
        locale.say(
            "Still paused, because the key has changed: {peers}. See {review}", peers=names, review=command("review")
        )
    ]


def nothing_moves_here(locale: Locale, *, rooms: tuple[str, ...]) -> Lines:
    """The answer to `review --room` if no friendship waits for this room."""
    lines: Lines = [locale.say("No friendship waits for this room. I did nothing.")]
    if rooms:
        lines.append(
            locale.say("Some wait for another room: {rooms}. Please type it there.", rooms=locale.names(list(rooms)))
        )
    return lines


def _open(locale: Locale, transfers: Sequence[Transfer]) -> Lines:
    if not transfers:
        return []
    items: list[tuple[Inline, ...]] = [(t.code, " – ", what_it_is(locale, t)) for t in transfers[:MOST_SHOWN]]
    if len(transfers) > MOST_SHOWN:
        items.append(locale.say("and {number} more", number=len(transfers) - MOST_SHOWN))
    return [locale.say("Open, or on loan:"), Items(tuple(items))]


_REVIEW = command("review --room")


def _name(locale: Locale, room: Room) -> Bold:
    return Bold(locale.short(room.name, 60) or locale.short(room.id, 120))


def invitation_declined(locale: Locale, *, room: str, name: str, by: str, known: bool, listed: bool = False) -> Lines:
    """Somebody invited the bot to a room that isn't configured, or is a stranger. `listed`: the room is configured."""
    shown = Bold(locale.short(name, 60)) if name else _identifier(locale, room)
    person = Code(locale.short(by, 120))
    lines: Lines = [locale.say("I declined an invitation to {room}, by {person}.", room=shown, person=person)]
    if known:
        lines.append(
            locale.say(
                "The room isn't in my configuration. To let me in, add it under {key}, and invite me "
                "again a minute later: {room}",
                key=Code("rooms"),
                room=_identifier(locale, room),
            )
        )
        lines.append(locale.say("To ask me in private, start a direct chat with me, without anybody else."))
    elif listed:
        lines.append(locale.say("That room is in my settings, but I don't know that person, so I am still not in it."))
        again = "One of our people can invite me instead. Or add that person, who then invites me again: {line}"
        lines.append(locale.say(again, line=command("people add")))
    else:
        keys: dict[str, Words] = {"people": Code("people"), "admins": Code("admins")}
        lines.append(
            locale.say(
                "I don't know that person. If the invitation was right, add them under {people} or {admins}", **keys
            )
        )
        lines.append(locale.say("in my settings, or with {line}. Then invite me again.", line=command("people add")))
    lines.append(locale.say("If it was unwanted, do nothing. I say this at most once a day for each person."))
    return lines


def too_many_invitations(locale: Locale, *, by: str) -> Lines:
    """More invitations than the bot answers."""
    return [
        locale.say("I get too many invitations, the last by {person}.", person=Code(locale.short(by, 120))),
        locale.say("I don't answer those beyond the limit. This doesn't affect our configured rooms."),
        locale.say("To stop them, block the account on the homeserver. I say this once a day."),
    ]


def room_without_power(locale: Locale, *, room: Room, bot: str) -> Lines:
    """The room's power levels keep us from writing or reacting."""
    lacking: list[Inline] = []
    if not room.may_talk:
        lacking.append(Code("m.room.message"))
    if not room.may_react:
        lacking += [", "] * bool(lacking) + [Code("m.reaction")]
    return [
        locale.say("I can't do my work in {room}: its power levels forbid it.", room=_name(locale, room)),
        locale.say("I may not send: {kinds}", kinds=lacking),
        locale.say(
            "Please give {bot} a higher power level there, or lower the level that these need.",
            bot=Code(locale.short(bot, 120)),
        ),
        locale.say("Look in the room's settings, under roles and permissions. I notice the change by myself."),
        locale.say("Until then I list here what I can't post."),
    ]


def room_denies_announcing(locale: Locale, *, room: Room, bot: str) -> Lines:
    """The room's power levels keep us from setting our state event; we announced ourselves by message."""
    return [
        locale.say(
            "In {room} I may not announce our space as room state, so I sent a message instead.",
            room=_name(locale, room),
        ),
        locale.say("That works, but a bot that joins later may not see it."),
        locale.say(
            "A room admin can fix it in the power levels ({type}), under {events}:",
            type=Code("m.room.power_levels"),
            events=Code("events"),
        ),
        Code('"dev.fedbot.party": 0'),
        locale.say("Each bot can write only its own entry. This one is for {bot}.", bot=Code(locale.short(bot, 120))),
    ]


def removed_from_room(locale: Locale, *, room: Room, event: Removed) -> Lines:
    """We were kicked or banned, or left."""
    names: dict[str, Words] = {"room": _name(locale, room), "person": Code(locale.short(event.sender, 120))}
    if event.banned:
        first = locale.say("{person} banned me from {room}.", **names)
    else:
        first = locale.say("{person} removed me from {room}.", **names)
    lines: Lines = [first]
    if reason := locale.short(event.reason, 200):
        lines.append(locale.say('Reason given: "{reason}"', reason=reason))
    lines += [
        locale.say("Open cases there wait. Items that have left a space's stock still arrive once I am back."),
        locale.say(
            "If it was a mistake: invite me again from an account that is listed under {people} or {admins}.",
            people=Code("people"),
            admins=Code("admins"),
        ),
    ]
    return lines


# --- in a direct chat --------------------------------------------------------------------------------------


def direct_chat_begins(locale: Locale, *, us: PartyConfig) -> Lines:
    """One of our people has started a direct chat with the bot."""
    return [
        locale.say("Here you can ask me in private, with or without {prefix} before it.", prefix=command("")),
        locale.say("What I can answer: {help}", help=command("help")),
        locale.say(
            "People give, take and decide in the room that {space} shares with others, where the others can read it.",
            space=naming.space(locale, us.name),
        ),
    ]


def no_direct_chat(locale: Locale, *, us: PartyConfig) -> Lines:
    """Another person is in the room, so it is no direct chat."""
    return [
        locale.say(
            "I leave this room: a direct chat has only one person of {space}.",
            space=naming.space(locale, us.name),
        ),
        locale.say("You can start one with me at any time."),
    ]


# --- in the room -------------------------------------------------------------------------------------------


def unreadable_message(locale: Locale, *, bot: str, problem: str, version: int) -> Lines:
    """A bot wrote something that we can't read; sent once a day."""
    return [
        locale.say("I can't read the message from {bot}, so I did nothing with it.", bot=Code(locale.short(bot, 120))),
        locale.say(
            "One of the two bots may be out of date: I speak version {version}. I could not read: {problem}",
            version=version,
            problem=Code(locale.short(problem, 80)),
        ),
        locale.say("Its admin and mine can update both. Nobody else has to do anything."),
    ]


def message_of_another_version(locale: Locale, *, bot: str, theirs: int, ours: int) -> Lines:
    """A bot wrote in a protocol version that we don't speak; sent once a day."""
    first = locale.say(
        "I can't read the message from {bot}, so I did nothing with it.", bot=Code(locale.short(bot, 120))
    )
    versions = {"theirs": str(theirs)[:12], "ours": str(ours)}
    second = locale.say("It speaks version {theirs} of the bots' protocol, I speak {ours}.", **versions)
    if theirs > ours:
        return [first, second, locale.say("My admin has to update me. Then it sends the message again.")]
    return [first, second, locale.say("Its admin has to update it. Nobody else has to do anything.")]


def party_not_announced(locale: Locale, *, party: str, bot: str, believed: str) -> Lines:
    """A bot asks to connect as a space that it doesn't announce, or that another bot announced first."""
    names: dict[str, Words] = {"bot": Code(locale.short(bot, 120)), "party": locale.short(party, 40)}
    first = locale.say("I ignored a request of {party} to be friends, sent by {bot}.", **names)
    if believed not in {"", bot}:
        names["believed"] = Code(locale.short(believed, 120))
        why = locale.say(
            "Why: {believed} was the first to announce {party}. The wrong one has to leave the room.", **names
        )
    else:
        why = locale.say(
            "Why: {bot} used a different key from the one with which it announces {party} in this room.", **names
        )
    return [first, why, locale.say("I created nothing. Once that is fixed, it can ask again.")]


def second_claim(locale: Locale, *, party: str, bot: str, believed: str) -> Lines:
    """A second bot claims to be a space that isn't our friend."""
    names: dict[str, Words] = {"bot": Code(locale.short(bot, 120)), "party": locale.short(party, 40)}
    return [
        locale.say("⚠ {bot} also claims to be {party}.", **names),
        locale.say("I believe {believed}, which claimed it first.", believed=Code(locale.short(believed, 120))),
        locale.say("If that is the wrong one, ask a moderator to remove it from the room."),
    ]


def claim_without_signature(locale: Locale, *, party: str, bot: str) -> Lines:
    """Somebody announces a space without the signature of its key."""
    names: dict[str, Words] = {"bot": Code(locale.short(bot, 120)), "party": locale.short(party, 40)}
    return [
        locale.say("⚠ {bot} claims to be {party}, but without its signature.", **names),
        locale.say("I ignore that. If it is a fedbot of that space, it needs a newer version."),
    ]


def claims_to_be_us(locale: Locale, *, us: PartyConfig, bot: str, has_key: bool) -> Lines:
    """Another account announces our own space."""
    names: dict[str, Words] = {"bot": Code(locale.short(bot, 120)), "space": naming.space(locale, us.name)}
    lines: Lines = [locale.say("⚠ {bot} claims to be {space}. I ignore that.", **names)]
    if has_key:
        lines.append(
            locale.say("It has my key: somebody runs a copy of my state folder. Stop the copy, or I need a new key.")
        )
    else:
        lines.append(locale.say("It doesn't have my key. Ask a moderator to remove it from the room."))
    return lines


def tapped_while_out(locale: Locale, *, subject: Connection | Transfer) -> Lines:
    """Somebody reacted to a card while the bot was out of the room."""
    return [
        locale.say(
            "I was out of this room when you tapped, so it doesn't count. Please tap again. {code}", code=subject.code
        )
    ]


def said_while_out(locale: Locale) -> Lines:
    """Somebody typed a line while the bot was out of the room."""
    return [locale.say("I was out of this room when you typed that, so I did nothing. Please type it again.")]


def practice_is_over(locale: Locale) -> Lines:
    """The practice friend is removed."""
    return [locale.say("The practice is over. I have left its room and forgotten everything about it.")]
