"""Answers to a line that comes to nothing: unreadable, unknown words, missing permission, InvenTree silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from fedbot.messages import naming
from fedbot.messages.approval import why_not_entitled
from fedbot.messages.formatting import Code, Inline, Items
from fedbot.messages.language import Lines, Locale, Words
from fedbot.messages.naming import command
from fedbot.messages.naming import command as typed
from fedbot.messages.reasons import diagnosis
from fedbot.rules.approval.subject import Subject
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.stock import Right, Rights
from fedbot.rules.model.transfer import Transfer

LONGEST_LINE = 200


def edits_never_execute(tongue: Locale) -> Lines:
    """Somebody edited a line into, or within, an order."""
    return [
        tongue.say("Edited lines do nothing. Please send it as a new message."),
    ]


def stranger(tongue: Locale, *, person: str, home: PartyConfig) -> Lines:
    """Nobody here knows the person: what to tell the admin."""
    return [
        tongue.say("I don't know you yet, so I did nothing."),
        tongue.say(
            "If you belong to {space}: its admin enters you in my configuration, under {key}:",
            space=naming.space(tongue, home.name),
            key=Code("people"),
        ),
        Code(f'"{tongue.short(person, 120)}": your-inventree-user'),
        tongue.say("If you belong to another space, its bot needs the same."),
    ]


def line_too_old(tongue: Locale, *, text: str, at: datetime) -> Lines:
    """We were away when it was written; it may not be meant any more."""
    return [
        tongue.say("Not done: your line is from {when}, and I read it only now.", when=tongue.when(at)),
        tongue.say("If you still want it, send it again: {line}", line=Code(tongue.short(text, LONGEST_LINE))),
    ]


def says_too_much(tongue: Locale, *, person: str, most: int) -> Lines:
    """One person types more lines than the bot answers: the rest of them isn't carried out for a while."""
    return [
        tongue.say(
            "Not done: {person}, you sent more than {most} commands at once.",
            person=tongue.short(person, 40),
            most=most,
        ),
        tongue.say("Please wait a minute, then send this one again. Until then I read none of yours."),
    ]


def is_it_for_us(tongue: Locale, *, home: PartyConfig, others: tuple[str, ...]) -> Lines:
    """A friend lists one of our people too, and the line changes something: the person says for whom it is."""
    space = naming.space(tongue, home.name)
    names = tongue.names([naming.space(tongue, other) for other in others])
    return [
        tongue.say("Is this for {space}? 1) Yes", space=space),
        tongue.say("I did nothing yet, as you are also on the list of {others}.", others=names),
        tongue.say("Reply with 1 within 10 minutes, or begin with {words}.", words=Code(f"!fed as {home.party}")),
    ]


def not_of_that_space(tongue: Locale, *, party: str, home: PartyConfig) -> Lines:
    """The line is said for a space that doesn't know the person, as far as we know."""
    other, space = tongue.short(party, 40), naming.space(tongue, home.name)
    return [
        tongue.say("Not done: I know you as one of {space}, not of {other}.", space=space, other=other),
        tongue.say("Without {words} it is for {space}.", words=Code(f"as {other}"), space=space),
    ]


def not_entitled(
    tongue: Locale, *, command: Command, rights: Rights, right: Right, home: PartyConfig, able: list[str]
) -> Lines:
    """The verb needs a right that the person has not got; who could, and what they can copy."""
    space = naming.space(tongue, home.name)
    names: dict[str, Words] = {"verb": typed(command.verb), "space": space}
    if right is Right.MAPPED:
        return [
            tongue.say("Not done: {verb} needs an active user of {space}'s InvenTree.", **names),
            why_not_entitled(tongue, rights, right, space),
            tongue.say("An admin there can make one or switch it on. More: {whoami}", whoami=typed("whoami")),
        ]
    if right is Right.SUPERUSER:
        first = tongue.say("Not done: {verb} needs a superuser of {space}'s InvenTree.", **names)
    else:
        first = tongue.say("Not done: {verb} needs an approver of {space}.", **names)
    lines: Lines = [first, why_not_entitled(tongue, rights, right, space)]
    line = typed(tongue.short(command.text, LONGEST_LINE))
    if able:
        lines.append(
            tongue.say(
                "{people} may; they can copy this: {line}", line=line, people=naming.people(tongue, able, any_of=True)
            )
        )
    elif right is Right.SUPERUSER:
        lines.append(tongue.say("Of the people whom I know, nobody is superuser in {space}'s InvenTree.", space=space))
    else:
        lines.append(tongue.say("Of the people whom I know, nobody is approver in {space}'s InvenTree.", space=space))
    return [*lines, tongue.say("What you can do: {whoami}", whoami=typed("whoami"))]


def line_waits(tongue: Locale, *, home: PartyConfig, problem: str, wait: timedelta) -> Lines:
    """Our InvenTree gives no answer yet, so the line waits for it."""
    lines: Lines = [
        tongue.say("⏸ {space}'s InvenTree does not answer yet. Your line waits for it.", space=_own(tongue, home)),
    ]
    if problem:
        lines.append(tongue.say("Why: {problem}", problem=diagnosis(tongue, problem)))
    lines.append(tongue.say("I'll keep trying for up to {time} and answer here.", time=tongue.span(wait)))
    return lines


def not_last_seen_as_superuser(tongue: Locale, *, command: Command, home: PartyConfig) -> Lines:
    """InvenTree is silent, and this person was no superuser when that was last read."""
    return [
        tongue.say(
            "Not done: {verb} needs a superuser of {space}'s InvenTree.",
            verb=typed(command.verb),
            space=_own(tongue, home),
        ),
        tongue.say("It does not answer now, and you weren't a superuser when I last read it."),
        tongue.say("Once it answers, send it again: {line}", line=typed(tongue.short(command.text, LONGEST_LINE))),
    ]


def _own(tongue: Locale, home: PartyConfig) -> str:
    return naming.space(tongue, home.name)


def inventory_silent(tongue: Locale, *, problem: str, text: str, home: PartyConfig) -> Lines:
    """Our InvenTree gives no answer, so the line could not be acted upon."""
    return [
        tongue.say("Not done: {space}'s InvenTree does not answer.", space=naming.space(tongue, home.name)),
        tongue.say("Why: {problem}", problem=diagnosis(tongue, problem)),
        tongue.say(
            "Nothing was changed or sent. Please try again later: {line}", line=typed(tongue.short(text, LONGEST_LINE))
        ),
    ]


def _did_you_mean(tongue: Locale, near: tuple[str, ...]) -> str:
    """What the word may have meant: 'Did you mean push or people? I did nothing'."""
    if not near:
        return tongue.word("I did nothing.")
    names = tongue.names(near, any_of=True)
    return tongue.word("Did you mean {names}? I did nothing.").format(names=names)


def _it_goes(tongue: Locale, usage: str) -> Lines:
    return [tongue.say("It goes: {usage}", usage=command(usage))]


def line_unreadable(tongue: Locale) -> Lines:
    """The line is encrypted, and its key hasn't come within a minute."""
    return [
        tongue.say("I can't read this line: your app didn't give me its key."),
        tongue.say("If it was for me: I did nothing. Please say it again."),
        tongue.say("If that doesn't help, sign out of that app and in again, then say it again."),
        tongue.say("I say this once a day."),
    ]


def said_in_clear(tongue: Locale) -> Lines:
    """A line without encryption in an encrypted room."""
    return [
        tongue.say("I did nothing: your app sent this line without encryption, and this room is encrypted."),
        tongue.say("Who runs a server here could have written it in your name. Please say it in an app that encrypts."),
    ]


def no_such_verb(tongue: Locale, *, word: str, near: tuple[str, ...]) -> Lines:
    """The first word is no verb."""
    first = tongue.say('I don\'t know "{word}". {hint}', word=tongue.short(word, 40), hint=_did_you_mean(tongue, near))
    return [first, tongue.say("All that I know: {help}", help=command("help"))]


def reply_to_the_list(tongue: Locale, *, word: str) -> Lines:
    """`!fed more` or `!fed 2`, not as a reply: nothing says to which list it belongs."""
    return [
        tongue.say('"{word}" answers a list of mine: hold that message, choose Reply, and send it there.', word=word),
        tongue.say("It counts for who asked, within 10 minutes. I did nothing."),
    ]


def choice_is_over(tongue: Locale) -> Lines:
    """A number for a list that was answered already, or is too old."""
    return [
        tongue.say("That list is answered already, or older than 10 minutes. I did nothing."),
        tongue.say("If you still want it, please send your first line again."),
    ]


def choice_of_another(tongue: Locale, *, whose: str) -> Lines:
    """A number for a list that somebody else was asked to choose from."""
    who = naming.person(tongue, whose)
    return [tongue.say("That list was put to {who}, who has to choose. I did nothing.", who=who)]


def not_on_the_list(tongue: Locale, *, word: str, count: int) -> Lines:
    """A number that the list hasn't got, or `more` where that is all. `count`: so many numbers; 0: only `more`."""
    if not count:
        return [tongue.say("To that list only {more} can be replied. I did nothing.", more=Code("more"))]
    numbers = tongue.names([str(number) for number in range(1, count + 1)], any_of=True, most=count)
    return [tongue.say('"{word}" is not on that list. Reply {numbers}.', word=tongue.short(word, 20), numbers=numbers)]


def no_such_option(tongue: Locale, *, word: str, near: tuple[str, ...], usage: str) -> Lines:
    """`--something` that the verb hasn't got."""
    first = tongue.say('I don\'t know "{word}". {hint}', word=tongue.short(word, 40), hint=_did_you_mean(tongue, near))
    return [first, *_it_goes(tongue, usage)]


def option_without_text(tongue: Locale, *, option: str, usage: str) -> Lines:
    """`--note` at the end of the line."""
    first = tongue.say("After {option} comes a text. I did nothing.", option=Code(tongue.short(option, 40)))
    return [first, *_it_goes(tongue, usage)]


def option_twice(tongue: Locale, *, option: str, usage: str) -> Lines:
    """`--note` two times."""
    first = tongue.say(
        "{option} stands there twice; say it once. I did nothing.", option=Code(tongue.short(option, 40))
    )
    return [first, *_it_goes(tongue, usage)]


def argument_missing(tongue: Locale, *, argument: str, usage: str, example: str) -> Lines:
    """Something that the verb needs isn't there."""
    return [
        tongue.say("Something is missing: {argument}. I did nothing.", argument=argument),
        *_it_goes(tongue, usage),
        tongue.say("For example: {example}", example=command(example)),
    ]


def one_at_a_time(tongue: Locale) -> Lines:
    """Several lines with `!fed` in one message."""
    return [tongue.say("Each {fed} goes in a message of its own, please. I did nothing.", fed=command(""))]


def word_too_many(tongue: Locale, *, word: str, usage: str, example: str) -> Lines:
    """A word that has no place."""
    return [
        tongue.say('I can\'t place "{word}". I did nothing.', word=tongue.short(word, 40)),
        *_it_goes(tongue, usage),
        tongue.say("For example: {example}", example=command(example)),
    ]


def two_different(tongue: Locale, *, keyword: str, first: str, second: str) -> Lines:
    """`to beta to gamma`."""
    names = {"first": tongue.short(first, 40), "second": tongue.short(second, 40)}
    return [
        tongue.say(
            'After "{keyword}" there are two: "{first}" and "{second}". One at a time, please; I did nothing.',
            keyword=keyword,
            **names,
        ),
        tongue.say('A name that has "{keyword}" in it goes in quotes.', keyword=keyword),
    ]


def two_quantities(tongue: Locale, *, first: str, second: str) -> Lines:
    """Two numbers where one is meant."""
    return [
        tongue.say(
            "{first} and {second} could both be the quantity. Write it once; I did nothing.",
            first=tongue.short(first, 30),
            second=tongue.short(second, 30),
        ),
        tongue.say("A name that begins or ends with a number goes in quotes."),
    ]


def quotes_not_closed(tongue: Locale, *, word: str) -> Lines:
    """A word that begins with a quote, and no quote ends it."""
    return [
        tongue.say("A quote opens at {word} and is never closed. I did nothing.", word=Code(tongue.short(word, 30))),
        tongue.say("Put a quote behind the text too, or leave both out."),
    ]


def number_unclear(tongue: Locale, *, word: str, readings: tuple[str, ...]) -> Lines:
    """`1.000` can be one or a thousand."""
    first = tongue.say(
        '"{word}": is that {readings}? I did nothing.',
        word=tongue.short(word, 30),
        readings=tongue.names([tongue.typed(Decimal(reading)) for reading in readings], any_of=True),
    )
    return [first, tongue.say("Please send the line again with the number written like that.")]


def word_too_long(tongue: Locale, *, word: str, most: int) -> Lines:
    """A word that nothing can be called."""
    return [
        tongue.say('"{word}" is too long, at most {most} signs. I did nothing.', word=tongue.short(word, 30), most=most)
    ]


def note_too_long(tongue: Locale, *, length: int, most: int) -> Lines:
    """A note that is longer than letters carry."""
    return [
        tongue.say("The note is too long: {length} signs, at most {most}. I did nothing.", length=length, most=most)
    ]


def too_many_lines(tongue: Locale, *, count: int, most: int) -> Lines:
    """More items than go into one offer."""
    return [tongue.say("{count} items are too many for one go, at most {most}. I did nothing.", count=count, most=most)]


def answers_another_message(tongue: Locale, *, subject: Subject, text: str) -> Lines:
    """A line that decides or changes something answers a message whose text isn't ours; `text` names the case."""
    return [
        tongue.say("I did nothing: your message replies to another message than my own."),
        tongue.say("The message that you replied to is about {case}.", case=naming.case(tongue, subject)),
        tongue.say("If you mean that: {line}", line=command(text)),
    ]


MOST_SHOWN = 5


def not_in_this_room(tongue: Locale, *, text: str, rooms: tuple[str, ...]) -> Lines:
    """The verb belongs where the other spaces read along."""
    return [
        tongue.say("Not done: that must be said where the other spaces read along."),
        _say_it_in(tongue, text, rooms),
    ]


def not_in_direct_chat(tongue: Locale, *, text: str, rooms: tuple[str, ...]) -> Lines:
    """The verb does something, so whom it concerns has to read it."""
    first = tongue.say("Not done: here I only tell. What does something is said where everybody concerned reads it.")
    if not rooms:
        return [first, tongue.say("You are in none of the rooms that our space shares; somebody there can invite you.")]
    return [first, _say_it_in(tongue, text, rooms)]


def _say_it_in(tongue: Locale, text: str, rooms: tuple[str, ...]) -> tuple[Inline, ...]:
    """The line to be said there, as it was typed here."""
    line = command(tongue.short(text, 200))
    return tongue.say("Please say it in {rooms}: {line}", rooms=tongue.names(rooms, any_of=True), line=line)


def no_such_space(tongue: Locale, *, word: str, near: tuple[str, ...], known: tuple[str, ...]) -> Lines:
    """No space of that name is here."""
    shown = tongue.short(word, 40)
    if near:
        names = tongue.names(near, any_of=True)
        return [tongue.say('No space "{word}". Did you mean {names}? I did nothing.', word=shown, names=names)]
    first = tongue.say('No space "{word}". I did nothing.', word=shown)
    if not known:
        return [first, tongue.say("No other space announces itself in this room.")]
    return [first, tongue.say("Here are: {names}", names=tongue.names(known, most=20))]


def several_spaces(tongue: Locale, *, word: str, spaces: tuple[str, ...]) -> Lines:
    """Two spaces have the same display name."""
    return [
        tongue.say(
            'Several spaces are called "{word}". Say which by its id: {ids}. I did nothing.',
            word=tongue.short(word, 40),
            ids=tongue.names(spaces, any_of=True, most=MOST_SHOWN),
        )
    ]


def that_is_us(tongue: Locale, *, home: PartyConfig) -> Lines:
    """The space named is our own."""
    return [tongue.say("{space} is us. I did nothing.", space=naming.space(tongue, home.name))]


def which_one(tongue: Locale, *, verb: str, subjects: tuple[Connection | Transfer, ...], line: str) -> Lines:
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


def no_such_id(tongue: Locale, *, word: str, near: tuple[str, ...]) -> Lines:
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


def several_subjects(tongue: Locale, *, word: str, subjects: tuple[Connection | Transfer, ...]) -> Lines:
    """The beginning of an id that several have."""
    first = tongue.say('"{word}" fits several; say one more letter. I did nothing.', word=tongue.short(word, 40))
    return [first, *_listed(tongue, subjects)]


def _listed(tongue: Locale, subjects: tuple[Connection | Transfer, ...]) -> Lines:
    if not subjects:
        return []
    items: list[tuple[Inline, ...]] = [_in_list(tongue, subject) for subject in subjects[:MOST_SHOWN]]
    if len(subjects) > MOST_SHOWN:
        items.append(tongue.say("and {number} more", number=len(subjects) - MOST_SHOWN))
    return [Items(tuple(items))]


def _in_list(tongue: Locale, subject: Connection | Transfer) -> tuple[Inline, ...]:
    return (subject.code, " – ", what_it_is(tongue, subject))


def what_it_is(tongue: Locale, subject: Connection | Transfer) -> str:
    """A case without its id: '10 × M3 bolt, asked by Anna'."""
    who = naming.signed(tongue, subject.asked)
    if isinstance(subject, Transfer):
        things = naming.things(tongue, subject.terms.lines)
        return tongue.word("{things}, asked by {who}").format(things=things, who=who)
    peer = naming.space(tongue, subject.peer_name)
    return tongue.word("friendship with {peer}, asked by {who}").format(peer=peer, who=who)


def subject_elsewhere(tongue: Locale, *, subject: Connection | Transfer, room: str) -> Lines:
    """The case lives in another room."""
    return [
        tongue.say(
            '{code} belongs to the room "{room}": please say it there. I did nothing.',
            code=subject.code,
            room=tongue.short(room, 60),
        )
    ]
