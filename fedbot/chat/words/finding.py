"""Which space, which case, which room: what is said when a word doesn't name exactly one."""

from __future__ import annotations

from fedbot.chat.content import Inline, Items
from fedbot.chat.words import naming
from fedbot.chat.words.naming import command
from fedbot.chat.words.tongue import Lines, Tongue
from fedbot.federation.documents import Connection, Transfer
from fedbot.federation.home import Home

MOST_SHOWN = 5


def not_in_this_room(tongue: Tongue, *, text: str, rooms: tuple[str, ...]) -> Lines:
    """The verb belongs where the other spaces read along."""
    return [
        tongue.say("Not done: that must be said where the other spaces read along."),
        _say_it_in(tongue, text, rooms),
    ]


def not_in_direct_chat(tongue: Tongue, *, text: str, rooms: tuple[str, ...]) -> Lines:
    """The verb does something, so whom it concerns has to read it."""
    first = tongue.say("Not done: here I only tell. What does something is said where everybody concerned reads it.")
    if not rooms:
        return [first, tongue.say("You are in none of the rooms that our space shares; somebody there can invite you.")]
    return [first, _say_it_in(tongue, text, rooms)]


def _say_it_in(tongue: Tongue, text: str, rooms: tuple[str, ...]) -> tuple[Inline, ...]:
    """The line to be said there, as it was typed here."""
    line = command(tongue.short(text, 200))
    return tongue.say("Please say it in {rooms}: {line}", rooms=tongue.names(rooms, any_of=True), line=line)


def no_such_space(tongue: Tongue, *, word: str, near: tuple[str, ...], known: tuple[str, ...]) -> Lines:
    """No space of that name is here."""
    shown = tongue.short(word, 40)
    if near:
        names = tongue.names(near, any_of=True)
        return [tongue.say('No space "{word}". Did you mean {names}? I did nothing.', word=shown, names=names)]
    first = tongue.say('No space "{word}". I did nothing.', word=shown)
    if not known:
        return [first, tongue.say("No other space announces itself in this room.")]
    return [first, tongue.say("Here are: {names}", names=tongue.names(known, most=20))]


def several_spaces(tongue: Tongue, *, word: str, spaces: tuple[str, ...]) -> Lines:
    """Two spaces have the same display name."""
    return [
        tongue.say(
            'Several spaces are called "{word}". Say which by its id: {ids}. I did nothing.',
            word=tongue.short(word, 40),
            ids=tongue.names(spaces, any_of=True, most=MOST_SHOWN),
        )
    ]


def that_is_us(tongue: Tongue, *, home: Home) -> Lines:
    """The space named is our own."""
    return [tongue.say("{space} is us. I did nothing.", space=naming.space(tongue, home.name))]


def which_one(tongue: Tongue, *, verb: str, subjects: tuple[Connection | Transfer, ...], line: str) -> Lines:
    """No id, and no card that was replied to. `subjects` are those that the verb could be about, `line` means one."""
    if not subjects:
        return [
            tongue.say("Which one? None that I know here fits {verb}. I did nothing.", verb=command(verb)),
            tongue.say("If you mean another, reply to my card of it. What waits: {todo}", todo=command("todo")),
        ]
    return [
        tongue.say("Which one? Reply to my card of it, or say its id: {line}. I did nothing.", line=command(line)),
        *_listed(tongue, subjects),
    ]


def no_such_id(tongue: Tongue, *, word: str, near: tuple[str, ...]) -> Lines:
    """Nothing has that id."""
    shown = tongue.short(word, 40)
    if near:
        names = tongue.names(near, any_of=True)
        return [
            tongue.say('No card has the id "{word}". Did you mean {names}? I did nothing.', word=shown, names=names)
        ]
    return [
        tongue.say('No card has the id "{word}". I did nothing.', word=shown),
        tongue.say("What is open for you: {todo}", todo=command("todo")),
    ]


def several_subjects(tongue: Tongue, *, word: str, subjects: tuple[Connection | Transfer, ...]) -> Lines:
    """The beginning of an id that several have."""
    first = tongue.say('"{word}" fits several; say one more letter. I did nothing.', word=tongue.short(word, 40))
    return [first, *_listed(tongue, subjects)]


def _listed(tongue: Tongue, subjects: tuple[Connection | Transfer, ...]) -> Lines:
    if not subjects:
        return []
    items: list[tuple[Inline, ...]] = [_in_list(tongue, subject) for subject in subjects[:MOST_SHOWN]]
    if len(subjects) > MOST_SHOWN:
        items.append(tongue.say("and {number} more", number=len(subjects) - MOST_SHOWN))
    return [Items(tuple(items))]


def _in_list(tongue: Tongue, subject: Connection | Transfer) -> tuple[Inline, ...]:
    return (subject.code, " – ", what_it_is(tongue, subject))


def what_it_is(tongue: Tongue, subject: Connection | Transfer) -> str:
    """A case without its id: '10 × M3 bolt, asked by Anna'."""
    who = naming.signed(tongue, subject.asked)
    if isinstance(subject, Transfer):
        things = naming.things(tongue, subject.terms.lines)
        return tongue.word("{things}, asked by {who}").format(things=things, who=who)
    peer = naming.space(tongue, subject.peer_name)
    return tongue.word("friendship with {peer}, asked by {who}").format(peer=peer, who=who)


def subject_elsewhere(tongue: Tongue, *, subject: Connection | Transfer, room: str) -> Lines:
    """The case lives in another room."""
    return [
        tongue.say(
            '{code} belongs to the room "{room}": please say it there. I did nothing.',
            code=subject.code,
            room=tongue.short(room, 60),
        )
    ]
