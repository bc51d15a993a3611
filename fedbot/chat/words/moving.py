"""A room that was upgraded: what the admins read, and what waits in the new room for a superuser (DESIGN §4)."""

from __future__ import annotations

from collections.abc import Sequence

from fedbot.chat.content import Bold, Code, Inline, Items
from fedbot.chat.words import naming
from fedbot.chat.words.finding import what_it_is
from fedbot.chat.words.naming import command
from fedbot.chat.words.tongue import Lines, Tongue, Words
from fedbot.federation.documents import Connection, Transfer
from fedbot.federation.home import Home
from fedbot.federation.surroundings import Room

MOST_SHOWN = 10


def _room(tongue: Tongue, room: Room) -> Bold:
    return Bold(tongue.short(room.name, 60) or tongue.short(room.id, 120))


def _identifier(tongue: Tongue, room: str) -> Code:
    return Code(tongue.short(room, 120))


def room_replaced(tongue: Tongue, *, room: Room, replacement: str, bot: str, waiting: int) -> Lines:
    """For the admins: the room was upgraded, and we are not in the new one yet."""
    lines: Lines = [
        tongue.say("The room {room} was upgraded and is read-only now.", room=_room(tongue, room)),
        tongue.say("The new one: {room}", room=_identifier(tongue, replacement)),
        tongue.say(
            "I am trying to go in. If it is closed, somebody who is in it has to invite me: {bot}",
            bot=Code(tongue.short(bot, 120)),
        ),
    ]
    if waiting:
        lines.append(
            tongue.some(
                "{number} friendship waits until a superuser says in the new room that it goes on there.",
                "{number} friendships wait until a superuser says in the new room that they go on there.",
                waiting,
            )
        )
    return lines


def room_is_no_successor(tongue: Tongue, *, room: Room, old: Room, stays: bool) -> Lines:
    """For the admins: the tombstone points to a room that doesn't say to be the new one; `stays`: it is ours anyway."""
    return [
        tongue.say(
            "{room} isn't the room that takes the place of {old}.", room=_room(tongue, room), old=_room(tongue, old)
        ),
        tongue.say("The old room points to it ({room}), but it doesn't name the old one.", room=Code(room.id)),
        tongue.say("What is open in the old room waits.")
        if stays
        else tongue.say("I have left it. What is open in the old room waits."),
        tongue.say(
            "Its admins can point to the right one, by a new tombstone ({type}).", type=Code("m.room.tombstone")
        ),
    ]


def room_to_be_configured(tongue: Tongue, *, room: Room, old: str) -> Lines:
    """For the admins: we are in the new room; the settings name the old one."""
    return [
        tongue.say("I am in the new room {room}.", room=_room(tongue, room)),
        tongue.say("Please write it under {key}, in place of the old one:", key=Code("rooms")),
        tongue.say("{new}, not {old}", new=_identifier(tongue, room.id), old=_identifier(tongue, old)),
        tongue.say("Until then I remember it. What waits for a superuser I have said there."),
    ]


# --- said in the new room ----------------------------------------------------------------------------------


def friendships_wait_here(
    tongue: Tongue, *, home: Home, waiting: tuple[Connection, ...], open_ones: tuple[Transfer, ...]
) -> Lines:
    """The one message for all friendships of ours that were made in the room before."""
    own = naming.space(tongue, home.name)
    return [
        tongue.some(
            "This room takes the place of another. {number} friendship of {own} waits here:",
            "This room takes the place of another. {number} friendships of {own} wait here:",
            len(waiting),
            own=Bold(own),
        ),
        Items(tuple((naming.space(tongue, c.peer_name),) for c in waiting)),
        *_open(tongue, open_ones),
        tongue.say("A superuser of {own} says here that they go on in this room: {review}", own=own, review=_REVIEW),
        tongue.say("Each space does so for itself. Until then nothing new is offered or decided."),
    ]


def moved(
    tongue: Tongue, *, home: Home, by: str, moved: tuple[Connection, ...], open_ones: tuple[Transfer, ...]
) -> Lines:
    """A superuser has said so."""
    names = tongue.names([naming.space(tongue, c.peer_name) for c in moved])
    words: dict[str, Words] = {
        "own": naming.space(tongue, home.name),
        "peers": names,
        "who": naming.person(tongue, by),
    }
    return [
        tongue.say("✅ {own} goes on here with {peers}, says {who}.", **words),
        *_open(tongue, open_ones),
        tongue.say(
            "What waited goes on by itself, once the other space has said so too. Open cards come again, below."
        ),
        *_still_paused(tongue, moved),
    ]


def _still_paused(tongue: Tongue, moved: Sequence[Connection]) -> Lines:
    """Those whose key has changed besides."""
    paused = [naming.space(tongue, c.peer_name) for c in moved if c.changed_bot]
    if not paused:
        return []
    names = tongue.names(paused)
    return [
        tongue.say("Paused still, as the key has changed: {peers}. See {review}", peers=names, review=command("review"))
    ]


def nothing_moves_here(tongue: Tongue, *, rooms: tuple[str, ...]) -> Lines:
    """`review --room` where nothing waits for the room."""
    lines: Lines = [tongue.say("No friendship waits for this room. I did nothing.")]
    if rooms:
        lines.append(
            tongue.say("Some wait for another: {rooms}. Please say it there.", rooms=tongue.names(list(rooms)))
        )
    return lines


def _open(tongue: Tongue, transfers: Sequence[Transfer]) -> Lines:
    if not transfers:
        return []
    items: list[tuple[Inline, ...]] = [(t.code, " – ", what_it_is(tongue, t)) for t in transfers[:MOST_SHOWN]]
    if len(transfers) > MOST_SHOWN:
        items.append(tongue.say("and {number} more", number=len(transfers) - MOST_SHOWN))
    return [tongue.say("Open, or on loan:"), Items(tuple(items))]


_REVIEW = command("review --room")
