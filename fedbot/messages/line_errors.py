"""Answers to lines that the bot doesn't carry out: unreadable, unknown words, missing permission, InvenTree silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from fedbot.messages import naming
from fedbot.messages.approval import why_not_entitled
from fedbot.messages.diagnosis import diagnosis
from fedbot.messages.language import Lines, Locale, Words
from fedbot.messages.markup import Code, Inline, Items
from fedbot.messages.naming import command
from fedbot.messages.naming import command as typed
from fedbot.rules.model.command import NUMBER_WITHIN, Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.stock import Permission, Permissions
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.who_decides import Subject

LONGEST_LINE = 200


def edits_never_execute(locale: Locale, *, waited: bool, opened: Transfer | None) -> Lines:
    """The answer to an edit that contains a line.

    `waited`: the line was still waiting for InvenTree, and is dropped. `opened`: what it began before, if that is open.
    """
    if waited:
        return [
            locale.say("Edited lines do nothing, and I dropped yours: it was still waiting."),
            locale.say("Please send it as a new message."),
        ]
    if opened is not None:
        return [
            locale.say(
                "Edited lines do nothing. {code} stays as you typed it first: {what}.",
                code=opened.code,
                what=naming.things(locale, opened.lines_told),
            ),
            locale.say(
                "To change it, type {cancel}, then send your line as a new message.",
                cancel=command(f"cancel {opened.code}"),
            ),
        ]
    return [
        locale.say("Edited lines do nothing. Please send it as a new message."),
    ]


def deleted_line_still_counts(locale: Locale, *, transfer: Transfer) -> Lines:
    """To the person who deleted a line that had opened a transfer: it is still open."""
    return [
        locale.say(
            "You deleted your line, but {code} is still open: {what}.",
            code=transfer.code,
            what=naming.things(locale, transfer.lines_told),
        ),
        locale.say("To cancel it, type {cancel}", cancel=command(f"cancel {transfer.code}")),
    ]


def line_taken_back(locale: Locale, *, text: str) -> Lines:
    """The answer to a line that was waiting for InvenTree when somebody cancelled or deleted it."""
    return [
        locale.say("Taken back before I did anything: {line}", line=typed(locale.short(text, LONGEST_LINE))),
    ]


def stranger(locale: Locale, *, person: str, us: PartyConfig) -> Lines:
    """The answer to a person whom the bot doesn't know: what to tell the admin."""
    return [
        locale.say("I don't know you yet, so I did nothing."),
        locale.say(
            "If you belong to {space}, one of its superusers types in its admin room:",
            space=naming.space(locale, us.name),
        ),
        command(f"people add {locale.short(person, 120)} as your-inventree-user"),
        locale.say("If you belong to another space, its bot needs the same."),
    ]


def line_too_old(locale: Locale, *, text: str, at: datetime) -> Lines:
    """The refusal of a line that the bot reads late: it may not be meant any more."""
    return [
        locale.say("Not done: your line is from {when}, and I have only just read it.", when=locale.when(at)),
        locale.say("If you still want it, send it again: {line}", line=Code(locale.short(text, LONGEST_LINE))),
    ]


def says_too_much(locale: Locale, *, person: str, most: int) -> Lines:
    """The refusal of lines by a person who types too many; they are ignored for a while."""
    return [
        locale.say(
            "Not done: {person}, you sent more than {most} commands at once.",
            person=locale.short(person, 40),
            most=most,
        ),
        locale.say("Please wait a minute, then send this line again. I don't read your lines until then."),
    ]


def is_it_for_us(locale: Locale, *, us: PartyConfig, others: tuple[str, ...]) -> Lines:
    """A friend lists one of our people too, and the line changes something: asks which space it is for."""
    space = naming.space(locale, us.name)
    names = locale.names([naming.space(locale, other) for other in others])
    return [
        locale.say("Is this for {space}? 1) Yes", space=space),
        locale.say("I have done nothing yet, because you are also on the list of {others}.", others=names),
        locale.say(
            "Reply with 1 within {time}, or begin with {words}.",
            time=locale.span(NUMBER_WITHIN),
            words=Code(f"!fed as {us.party}"),
        ),
    ]


def not_of_that_space(locale: Locale, *, party: str, us: PartyConfig) -> Lines:
    """The refusal of a line for a space that doesn't know the person, as far as we know."""
    other, space = locale.short(party, 40), naming.space(locale, us.name)
    return [
        locale.say("Not done: you belong to {space}, not to {other}.", space=space, other=other),
        locale.say("If you mean {space}, leave out: {words}", words=Code(f"as {other}"), space=space),
    ]


def not_entitled(
    locale: Locale,
    *,
    command: Command,
    permissions: Permissions,
    permission: Permission,
    us: PartyConfig,
    able: list[str],
) -> Lines:
    """The refusal of a verb for which the person lacks the permission: who can do it, and the line to copy."""
    space = naming.space(locale, us.name)
    names: dict[str, Words] = {"verb": typed(command.verb), "space": space}
    if permission is Permission.MAPPED:
        return [
            locale.say("Not done: {verb} needs an active InvenTree user of {space}.", **names),
            why_not_entitled(locale, permissions, permission, space),
            locale.say("An admin there can create or activate one. More: {whoami}", whoami=typed("whoami")),
        ]
    if permission is Permission.SUPERUSER:
        first = locale.say("Not done: {verb} needs an InvenTree superuser of {space}.", **names)
    else:
        first = locale.say("Not done: {verb} needs an approver of {space}.", **names)
    lines: Lines = [first, why_not_entitled(locale, permissions, permission, space)]
    line = typed(locale.short(command.text, LONGEST_LINE))
    if able:
        lines.append(
            locale.say(
                "{people} can do it. They can copy this: {line}",
                line=line,
                people=naming.people(locale, able, any_of=True),
            )
        )
    elif permission is Permission.SUPERUSER:
        lines.append(locale.say("None of the configured people is an InvenTree superuser of {space}.", space=space))
    else:
        lines.append(locale.say("None of the configured people is an approver of {space} in InvenTree.", space=space))
    return [*lines, locale.say("What you can do: {whoami}", whoami=typed("whoami"))]


def line_waits(
    locale: Locale, *, us: PartyConfig, problem: Diagnosis | None, wait: timedelta, silent: bool = True
) -> Lines:
    """Our InvenTree doesn't answer yet, so the line waits for it. Not `silent`: it answers, but refuses."""
    space = _own(locale, us)
    first = locale.say("⏸ Your line is waiting: the InvenTree of {space} has not answered yet.", space=space)
    if not silent:
        first = locale.say(
            "⏸ Your line is waiting for an admin of {space}: its InvenTree doesn't let me look.",
            space=space,
        )
    lines: Lines = [first]
    if problem is not None:
        lines.append(locale.say("Why: {problem}", problem=diagnosis(locale, problem)))
    lines.append(locale.say("I'll keep trying for up to {time} and answer here.", time=locale.span(wait)))
    lines.append(locale.say("To cancel, reply: {cancel}", cancel=command("cancel")))
    return lines


def not_last_seen_as_superuser(locale: Locale, *, command: Command, us: PartyConfig) -> Lines:
    """The refusal while InvenTree is silent, for a person who was no superuser when the bot last looked."""
    return [
        locale.say(
            "Not done: {verb} needs an InvenTree superuser of {space}.",
            verb=typed(command.verb),
            space=_own(locale, us),
        ),
        locale.say("InvenTree does not answer now, and you weren't a superuser when I last read it."),
        locale.say("Once it answers, send it again: {line}", line=typed(locale.short(command.text, LONGEST_LINE))),
    ]


def _own(locale: Locale, us: PartyConfig) -> str:
    return naming.space(locale, us.name)


def inventory_silent(locale: Locale, *, problem: Diagnosis, text: str, us: PartyConfig, silent: bool = True) -> Lines:
    """The refusal of a line because our InvenTree gives no answer. Not `silent`: it answers, but refuses."""
    space, line = naming.space(locale, us.name), typed(locale.short(text, LONGEST_LINE))
    if silent:
        first = locale.say("Not done: the InvenTree of {space} does not answer.", space=space)
        next_ = locale.say("Nothing was changed or sent. Please try again later: {line}", line=line)
    else:
        first = locale.say("Not done: the InvenTree of {space} doesn't give me permission to look.", space=space)
        next_ = locale.say(
            "Nothing was changed or sent. Once the admins of {space} have fixed that, type: {line}",
            space=space,
            line=line,
        )
    return [first, locale.say("Why: {problem}", problem=diagnosis(locale, problem)), next_]


def _did_you_mean(locale: Locale, near: tuple[str, ...]) -> str:
    """Suggest words: 'Did you mean push or people?'."""
    if not near:
        return locale.word("I did nothing.")
    names = locale.names(near, any_of=True)
    return locale.word("Did you mean {names}? I did nothing.").format(names=names)


def _it_goes(locale: Locale, usage: str) -> Lines:
    return [locale.say("Usage: {usage}", usage=command(usage))]


def line_unreadable(locale: Locale) -> Lines:
    """The line is encrypted, and its key hasn't come within a minute."""
    return [
        locale.say("I can't read this line: your app didn't give me its key."),
        locale.say("If it was for me, I did nothing. Please type it again."),
        locale.say("If that doesn't help, sign out of that app and in again, then type it again."),
        locale.say("I say this once a day."),
    ]


def said_in_clear(locale: Locale) -> Lines:
    """The refusal of an unencrypted line in an encrypted room."""
    return [
        locale.say("I did nothing: your app sent this line without encryption, and this room is encrypted."),
        locale.say(
            "The admin of a homeserver could have written it in your name. Please type it in an app that encrypts."
        ),
    ]


def line_repeated(locale: Locale) -> Lines:
    """An encrypted line that the bot has heard before, under another event id."""
    return [
        locale.say("I did nothing: I have read exactly this line before, so nobody typed it just now."),
        locale.say("The admin of a homeserver may have repeated it. To do it again, type it again."),
    ]


def no_such_verb(locale: Locale, *, word: str, near: tuple[str, ...], line: str = "") -> Lines:
    """The answer to an unknown verb. `line`: the whole line with the only verb that is similar."""
    shown = locale.short(word, 40)
    if line:
        hint = locale.say("Did you mean {line}? I did nothing.", line=command(line))
        return [locale.say('I don\'t know "{word}". {hint}', word=shown, hint=hint)]
    first = locale.say('I don\'t know "{word}". {hint}', word=shown, hint=_did_you_mean(locale, near))
    return [first, locale.say("To see all verbs: {help}", help=command("help"))]


def found_something(locale: Locale, *, item: str) -> Lines:
    """Something turned up. `item`: its name, if the person says it."""
    name = locale.short(item, 40) or "ITEM"
    return [
        locale.say(
            "Did something turn up that counts as lost? Ask me how to bring it back: {line}",
            line=command(f"return {name}"),
        ),
        locale.say("From a missing parcel? A superuser of the sender types: {line}", line=command("resolve")),
        locale.say("Are you looking for something? {line}", line=command(f"find {name}")),
        locale.say("I did nothing."),
    ]


def something_is_broken(locale: Locale, *, item: str) -> Lines:
    """Something is damaged. `item`: its name, if the person says it."""
    name = locale.short(item, 40) or "ITEM"
    return [
        locale.say("Is something broken that was lent?"),
        locale.say(
            "When it is back, an approver of the lender types: {line}", line=command(f"return {name} --damaged")
        ),
        locale.say("The borrower can say what happened: {line}", line=command(f"return {name} - …")),
        locale.say("I did nothing."),
    ]


def reply_to_the_list(locale: Locale, *, word: str) -> Lines:
    """The answer to `!fed more`, `!fed 2`, or a late number: it is no reply, so it belongs to no list."""
    return [
        locale.say(
            'To answer one of my lists with "{word}", press and hold the list, choose Reply, and send it there.',
            word=word,
        ),
        locale.say(
            "It counts only for the person who asked, within {time}. I did nothing.", time=locale.span(NUMBER_WITHIN)
        ),
    ]


def choice_is_over(locale: Locale) -> Lines:
    """The refusal of a number for a list that was answered already, or is too old."""
    return [
        locale.say(
            "That list was answered already, or is older than {time}. I did nothing.", time=locale.span(NUMBER_WITHIN)
        ),
        locale.say("If you still want it, please send your first line again."),
    ]


def choice_of_another(locale: Locale, *, whose: str) -> Lines:
    """The refusal of a number for a list that another person has to choose from."""
    who = naming.person(locale, whose)
    return [locale.say("That list is for {who}, so only {who} can answer it. I did nothing.", who=who)]


def not_on_the_list(locale: Locale, *, word: str, count: int) -> Lines:
    """The answer to a number that isn't on the list. `count`: the number of choices; 0: only `more`."""
    if not count:
        return [locale.say("The only reply to that list is {more}. I did nothing.", more=Code("more"))]
    numbers = locale.names([str(number) for number in range(1, count + 1)], any_of=True, most=count)
    return [locale.say('"{word}" is not on that list. Reply {numbers}.', word=locale.short(word, 20), numbers=numbers)]


def no_such_option(locale: Locale, *, word: str, near: tuple[str, ...], usage: str) -> Lines:
    """The answer to a `--something` that the verb doesn't have."""
    first = locale.say('I don\'t know "{word}". {hint}', word=locale.short(word, 40), hint=_did_you_mean(locale, near))
    return [first, *_it_goes(locale, usage)]


def note_unread(locale: Locale, *, verb: str, line: str) -> Lines:
    """The answer to a note with a verb whose answer nobody else reads."""
    return [
        locale.say("Not done: with {verb}, nobody would read your note.", verb=Code(verb)),
        locale.say("Write it into the room as a message of your own, and type: {line}", line=command(line)),
    ]


def option_without_text(locale: Locale, *, option: str, usage: str) -> Lines:
    """`--note` at the end of the line."""
    first = locale.say("{option} needs a text after it. I did nothing.", option=Code(locale.short(option, 40)))
    return [first, *_it_goes(locale, usage)]


def option_twice(locale: Locale, *, option: str, usage: str) -> Lines:
    """The answer to an option that is given twice."""
    first = locale.say("{option} appears twice. Write it once. I did nothing.", option=Code(locale.short(option, 40)))
    return [first, *_it_goes(locale, usage)]


def argument_missing(locale: Locale, *, argument: str, usage: str, example: str) -> Lines:
    """The answer to a line without something that the verb needs."""
    return [
        locale.say("Something is missing: {argument}. I did nothing.", argument=argument),
        *_it_goes(locale, usage),
        locale.say("For example: {example}", example=command(example)),
    ]


def keyword_missing(locale: Locale, *, line: str) -> Lines:
    """The answer to a space without the word that gives the direction (`to`, `from`)."""
    return [locale.say("Did you mean {line}? I did nothing.", line=command(line))]


def how_many_is_that(locale: Locale, *, word: str) -> Lines:
    """The answer to `some` or `a few` in place of a quantity."""
    return [
        locale.say('How many is "{word}"? I did nothing.', word=locale.short(word, 30)),
        locale.say("Write a number. Put a name with a number into quotes."),
    ]


def one_at_a_time(locale: Locale) -> Lines:
    """The refusal of several `!fed` lines in one message."""
    return [locale.say("Please write each {fed} in its own message. I did nothing.", fed=command(""))]


def word_too_many(locale: Locale, *, word: str, usage: str, example: str) -> Lines:
    """The answer to a word that fits nowhere."""
    return [
        locale.say('I don\'t understand "{word}". I did nothing.', word=locale.short(word, 40)),
        *_it_goes(locale, usage),
        locale.say("For example: {example}", example=command(example)),
    ]


def two_different(locale: Locale, *, keyword: str, first: str, second: str) -> Lines:
    """`to beta to gamma`."""
    names = {"first": locale.short(first, 40), "second": locale.short(second, 40)}
    return [
        locale.say(
            'After "{keyword}" there are two: "{first}" and "{second}". Write only one. I did nothing.',
            keyword=keyword,
            **names,
        ),
        locale.say('Put a name that contains "{keyword}" into quotes.', keyword=keyword),
    ]


def two_quantities(locale: Locale, *, first: str, second: str) -> Lines:
    """The answer to two numbers that could both be the quantity."""
    return [
        locale.say(
            "{first} and {second} could both be the quantity. Write it once; I did nothing.",
            first=locale.short(first, 30),
            second=locale.short(second, 30),
        ),
        locale.say("Put a name that begins or ends with a number into quotes."),
    ]


def quotes_not_closed(locale: Locale, *, word: str) -> Lines:
    """The answer to an opening quote without a closing one."""
    return [
        locale.say("The quote that opens at {word} is never closed. I did nothing.", word=Code(locale.short(word, 30))),
        locale.say("Add the closing quote, or leave out both."),
    ]


def number_unclear(locale: Locale, *, word: str, readings: tuple[str, ...]) -> Lines:
    """`1.000` can be one or a thousand."""
    first = locale.say(
        '"{word}": is that {readings}? I did nothing.',
        word=locale.short(word, 30),
        readings=locale.names([locale.typed(Decimal(reading)) for reading in readings], any_of=True),
    )
    return [first, locale.say("Please send the line again with the number written like that.")]


def word_too_long(locale: Locale, *, word: str, most: int) -> Lines:
    """The answer to a word that is longer than any name."""
    return [
        locale.say(
            '"{word}" is too long, at most {most} characters. I did nothing.', word=locale.short(word, 30), most=most
        )
    ]


def note_too_long(locale: Locale, *, length: int, most: int) -> Lines:
    """The answer to a note that is longer than a message carries."""
    return [
        locale.say(
            "The note is too long: {length} characters, at most {most}. I did nothing.", length=length, most=most
        )
    ]


def line_too_long(locale: Locale, *, length: int, most: int) -> Lines:
    """The answer to a line that is longer than anybody needs; reading it would delay everybody else."""
    return [
        locale.say(
            "The line is too long: {length} characters, at most {most}. I did nothing.", length=length, most=most
        ),
        locale.say("Please send it as several lines."),
    ]


def too_many_lines(locale: Locale, *, count: int, most: int) -> Lines:
    """The refusal of more items than an offer can have."""
    return [
        locale.say("{count} items are too many for one line, at most {most}. I did nothing.", count=count, most=most)
    ]


def answers_another_message(locale: Locale, *, subject: Subject, text: str) -> Lines:
    """The refusal of a decision or change in reply to a message whose text isn't ours; `text` is the line to type."""
    return [
        locale.say("I did nothing: you replied to a message that isn't mine."),
        locale.say("The message that you replied to is about {case}.", case=naming.case(locale, subject)),
        locale.say("If you mean that: {line}", line=command(text)),
    ]


MOST_SHOWN = 5


def not_in_this_room(locale: Locale, *, text: str, rooms: tuple[str, ...]) -> Lines:
    """The refusal of a verb that belongs in a room where the other spaces can read it."""
    return [
        locale.say("Not done: the other spaces have to be able to read that."),
        _say_it_in(locale, text, rooms),
    ]


def not_in_direct_chat(locale: Locale, *, text: str, rooms: tuple[str, ...]) -> Lines:
    """The refusal of a verb that changes something: the people concerned have to be able to read it."""
    first = locale.say(
        "Not done: in a direct chat I only answer questions. Everything else belongs where the people "
        "concerned can read it."
    )
    if not rooms:
        return [first, locale.say("You are in none of the rooms that our space shares; somebody there can invite you.")]
    return [first, _say_it_in(locale, text, rooms)]


def _say_it_in(locale: Locale, text: str, rooms: tuple[str, ...]) -> tuple[Inline, ...]:
    """The line to type there, as it was typed here."""
    line = command(locale.short(text, 200))
    return locale.say("Please type it in {rooms}: {line}", rooms=locale.names(rooms, any_of=True), line=line)


def no_such_space(
    locale: Locale, *, word: str, near: tuple[str, ...], known: tuple[str, ...], line: str = "", outside: str = ""
) -> Lines:
    """No space of that name is here. `line`: the whole line, with the only one that is near.

    `outside`: the line that lends to a neighbour of that name, who has no bot.
    """
    shown = locale.short(word, 40)
    if near:
        names: Words = command(line) if line else locale.names(near, any_of=True)
        return [locale.say('No space "{word}". Did you mean {names}? I did nothing.', word=shown, names=names)]
    first = locale.say('No space "{word}". I did nothing.', word=shown)
    neighbour: Lines = [locale.say("A neighbour without a bot? {line}", line=command(outside))] if outside else []
    if not known:
        return [first, locale.say("No other space announces itself in this room."), *neighbour]
    return [first, locale.say("These spaces are here: {names}", names=locale.names(known, most=20)), *neighbour]


def several_spaces(locale: Locale, *, word: str, spaces: tuple[str, ...]) -> Lines:
    """The answer to a name that two spaces have."""
    return [
        locale.say(
            'Several spaces are called "{word}". Name one by its id: {ids}. I did nothing.',
            word=locale.short(word, 40),
            ids=locale.names(spaces, any_of=True, most=MOST_SHOWN),
        )
    ]


def that_is_us(locale: Locale, *, us: PartyConfig) -> Lines:
    """The answer if the named space is our own."""
    return [locale.say("{space} is our own space. I did nothing.", space=naming.space(locale, us.name))]


def which_one(locale: Locale, *, verb: str, subjects: tuple[Connection | Transfer, ...], line: str) -> Lines:
    """The answer to a line without an id. `subjects` are those that it could be about; `line` names one of them."""
    if not subjects:
        return [
            locale.say("Which one? Nothing here fits {verb}. I did nothing.", verb=command(verb)),
            locale.say("If you mean another, reply to its card. Open cards: {todo}", todo=command("todo")),
        ]
    return [
        locale.say("Which one? Reply to its card, or name its id: {line}. I did nothing.", line=command(line)),
        *_listed(locale, subjects),
    ]


def no_such_id(locale: Locale, *, word: str, near: tuple[str, ...]) -> Lines:
    """The answer to an unknown id."""
    shown = locale.short(word, 40)
    if near:
        names = locale.names(near, any_of=True)
        return [
            locale.say('No card has the id "{word}". Did you mean {names}? I did nothing.', word=shown, names=names)
        ]
    return [
        locale.say('No card has the id "{word}". I did nothing.', word=shown),
        locale.say("To see what is open for you: {todo}", todo=command("todo")),
    ]


def several_subjects(locale: Locale, *, word: str, subjects: tuple[Connection | Transfer, ...]) -> Lines:
    """The answer to the beginning of an id that several have."""
    first = locale.say('"{word}" matches several; type one more letter. I did nothing.', word=locale.short(word, 40))
    return [first, *_listed(locale, subjects)]


def _listed(locale: Locale, subjects: tuple[Connection | Transfer, ...]) -> Lines:
    if not subjects:
        return []
    items: list[tuple[Inline, ...]] = [_in_list(locale, subject) for subject in subjects[:MOST_SHOWN]]
    if len(subjects) > MOST_SHOWN:
        items.append(locale.say("and {number} more", number=len(subjects) - MOST_SHOWN))
    return [Items(tuple(items))]


def _in_list(locale: Locale, subject: Connection | Transfer) -> tuple[Inline, ...]:
    return (subject.code, " – ", what_it_is(locale, subject))


def what_it_is(locale: Locale, subject: Connection | Transfer) -> str:
    """A transfer or connection without its id: '10 × M3 bolt, offered by Anna'."""
    if isinstance(subject, Transfer):
        return f"{naming.things(locale, subject.lines_told)}, {naming.opened_by(locale, subject)}"
    peer, who = naming.space(locale, subject.peer_name), naming.signed(locale, subject.asked)
    return locale.word("friendship with {peer}, asked by {who}").format(peer=peer, who=who)


def subject_elsewhere(locale: Locale, *, subject: Connection | Transfer, room: str) -> Lines:
    """The answer if the transfer or connection belongs to another room."""
    return [
        locale.say(
            '{code} belongs to the room "{room}": please type it there. I did nothing.',
            code=subject.code,
            room=locale.short(room, 60),
        )
    ]
