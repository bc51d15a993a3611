"""What is said to a line that can't be read: the word that is the trouble, and what to type instead."""

from __future__ import annotations

from decimal import Decimal

from fedbot.chat.content import Code
from fedbot.chat.words import naming
from fedbot.chat.words.naming import command
from fedbot.chat.words.tongue import Lines, Tongue
from fedbot.federation.verdicts import Subject


def _did_you_mean(tongue: Tongue, near: tuple[str, ...]) -> str:
    """What the word may have meant: 'Did you mean push or people? I did nothing'."""
    if not near:
        return tongue.word("I did nothing.")
    names = tongue.names(near, any_of=True)
    return tongue.word("Did you mean {names}? I did nothing.").format(names=names)


def _it_goes(tongue: Tongue, usage: str) -> Lines:
    return [tongue.say("It goes: {usage}", usage=command(usage))]


def line_unreadable(tongue: Tongue) -> Lines:
    """The line is encrypted, and its key hasn't come within a minute."""
    return [
        tongue.say("I can't read this line: your app didn't give me its key."),
        tongue.say("If it was for me: I did nothing. Please say it again."),
        tongue.say("If that doesn't help, sign out of that app and in again, then say it again."),
        tongue.say("I say this once a day."),
    ]


def said_in_clear(tongue: Tongue) -> Lines:
    """A line without encryption in an encrypted room."""
    return [
        tongue.say("I did nothing: your app sent this line without encryption, and this room is encrypted."),
        tongue.say("Who runs a server here could have written it in your name. Please say it in an app that encrypts."),
    ]


def no_such_verb(tongue: Tongue, *, word: str, near: tuple[str, ...]) -> Lines:
    """The first word is no verb."""
    first = tongue.say('I don\'t know "{word}". {hint}', word=tongue.short(word, 40), hint=_did_you_mean(tongue, near))
    return [first, tongue.say("All that I know: {help}", help=command("help"))]


def reply_to_the_list(tongue: Tongue, *, word: str) -> Lines:
    """`!fed more` or `!fed 2`, not as a reply: nothing says to which list it belongs."""
    return [
        tongue.say('"{word}" answers a list of mine: hold that message, choose Reply, and send it there.', word=word),
        tongue.say("It counts for who asked, within 10 minutes. I did nothing."),
    ]


def choice_is_over(tongue: Tongue) -> Lines:
    """A number for a list that was answered already, or is too old."""
    return [
        tongue.say("That list is answered already, or older than 10 minutes. I did nothing."),
        tongue.say("If you still want it, please send your first line again."),
    ]


def choice_of_another(tongue: Tongue, *, whose: str) -> Lines:
    """A number for a list that somebody else was asked to choose from."""
    who = naming.person(tongue, whose)
    return [tongue.say("That list was put to {who}, who has to choose. I did nothing.", who=who)]


def not_on_the_list(tongue: Tongue, *, word: str, count: int) -> Lines:
    """A number that the list hasn't got, or `more` where that is all. `count`: so many numbers; 0: only `more`."""
    if not count:
        return [tongue.say("To that list only {more} can be replied. I did nothing.", more=Code("more"))]
    numbers = tongue.names([str(number) for number in range(1, count + 1)], any_of=True, most=count)
    return [tongue.say('"{word}" is not on that list. Reply {numbers}.', word=tongue.short(word, 20), numbers=numbers)]


def no_such_option(tongue: Tongue, *, word: str, near: tuple[str, ...], usage: str) -> Lines:
    """`--something` that the verb hasn't got."""
    first = tongue.say('I don\'t know "{word}". {hint}', word=tongue.short(word, 40), hint=_did_you_mean(tongue, near))
    return [first, *_it_goes(tongue, usage)]


def option_without_text(tongue: Tongue, *, option: str, usage: str) -> Lines:
    """`--note` at the end of the line."""
    first = tongue.say("After {option} comes a text. I did nothing.", option=Code(tongue.short(option, 40)))
    return [first, *_it_goes(tongue, usage)]


def option_twice(tongue: Tongue, *, option: str, usage: str) -> Lines:
    """`--note` two times."""
    first = tongue.say(
        "{option} stands there twice; say it once. I did nothing.", option=Code(tongue.short(option, 40))
    )
    return [first, *_it_goes(tongue, usage)]


def argument_missing(tongue: Tongue, *, argument: str, usage: str, example: str) -> Lines:
    """Something that the verb needs isn't there."""
    return [
        tongue.say("Something is missing: {argument}. I did nothing.", argument=argument),
        *_it_goes(tongue, usage),
        tongue.say("For example: {example}", example=command(example)),
    ]


def one_at_a_time(tongue: Tongue) -> Lines:
    """Several lines with `!fed` in one message."""
    return [tongue.say("Each {fed} goes in a message of its own, please. I did nothing.", fed=command(""))]


def word_too_many(tongue: Tongue, *, word: str, usage: str, example: str) -> Lines:
    """A word that has no place."""
    return [
        tongue.say('I can\'t place "{word}". I did nothing.', word=tongue.short(word, 40)),
        *_it_goes(tongue, usage),
        tongue.say("For example: {example}", example=command(example)),
    ]


def two_different(tongue: Tongue, *, keyword: str, first: str, second: str) -> Lines:
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


def two_quantities(tongue: Tongue, *, first: str, second: str) -> Lines:
    """Two numbers where one is meant."""
    return [
        tongue.say(
            "{first} and {second} could both be the quantity. Write it once; I did nothing.",
            first=tongue.short(first, 30),
            second=tongue.short(second, 30),
        ),
        tongue.say("A name that begins or ends with a number goes in quotes."),
    ]


def quotes_not_closed(tongue: Tongue, *, word: str) -> Lines:
    """A word that begins with a quote, and no quote ends it."""
    return [
        tongue.say("A quote opens at {word} and is never closed. I did nothing.", word=Code(tongue.short(word, 30))),
        tongue.say("Put a quote behind the text too, or leave both out."),
    ]


def number_unclear(tongue: Tongue, *, word: str, readings: tuple[str, ...]) -> Lines:
    """`1.000` can be one or a thousand."""
    first = tongue.say(
        '"{word}": is that {readings}? I did nothing.',
        word=tongue.short(word, 30),
        readings=tongue.names([tongue.typed(Decimal(reading)) for reading in readings], any_of=True),
    )
    return [first, tongue.say("Please send the line again with the number written like that.")]


def word_too_long(tongue: Tongue, *, word: str, most: int) -> Lines:
    """A word that nothing can be called."""
    return [
        tongue.say('"{word}" is too long, at most {most} signs. I did nothing.', word=tongue.short(word, 30), most=most)
    ]


def note_too_long(tongue: Tongue, *, length: int, most: int) -> Lines:
    """A note that is longer than letters carry."""
    return [
        tongue.say("The note is too long: {length} signs, at most {most}. I did nothing.", length=length, most=most)
    ]


def too_many_lines(tongue: Tongue, *, count: int, most: int) -> Lines:
    """More items than go into one offer."""
    return [tongue.say("{count} items are too many for one go, at most {most}. I did nothing.", count=count, most=most)]


def answers_another_message(tongue: Tongue, *, subject: Subject, text: str) -> Lines:
    """A line that decides or changes something answers a message whose text isn't ours; `text` names the case."""
    return [
        tongue.say("I did nothing: your message replies to another message than my own."),
        tongue.say("The message that you replied to is about {case}.", case=naming.case(tongue, subject)),
        tongue.say("If you mean that: {line}", line=command(text)),
    ]
