"""Answers to a line that come before any verb: edits, strangers, old lines, missing rights, a silent InvenTree."""

from __future__ import annotations

from datetime import datetime, timedelta

from fedbot.chat.content import Code
from fedbot.chat.words import naming
from fedbot.chat.words.decisions import why_not_entitled
from fedbot.chat.words.diagnoses import diagnosis
from fedbot.chat.words.naming import command as typed
from fedbot.chat.words.tongue import Lines, Tongue, Words
from fedbot.federation.commands import Command
from fedbot.federation.home import Home
from fedbot.federation.stock import Right, Rights

LONGEST_LINE = 200


def edits_never_execute(tongue: Tongue) -> Lines:
    """Somebody edited a line into, or within, an order."""
    return [
        tongue.say("Edited lines do nothing. Please send it as a new message."),
    ]


def stranger(tongue: Tongue, *, person: str, home: Home) -> Lines:
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


def line_too_old(tongue: Tongue, *, text: str, at: datetime) -> Lines:
    """We were away when it was written; it may not be meant any more."""
    return [
        tongue.say("Not done: your line is from {when}, and I read it only now.", when=tongue.when(at)),
        tongue.say("If you still want it, send it again: {line}", line=Code(tongue.short(text, LONGEST_LINE))),
    ]


def says_too_much(tongue: Tongue, *, person: str, most: int) -> Lines:
    """One person types more lines than the bot answers: the rest of them isn't carried out for a while."""
    return [
        tongue.say(
            "Not done: {person}, you sent more than {most} commands at once.",
            person=tongue.short(person, 40),
            most=most,
        ),
        tongue.say("Please wait a minute, then send this one again. Until then I read none of yours."),
    ]


def is_it_for_us(tongue: Tongue, *, home: Home, others: tuple[str, ...]) -> Lines:
    """A friend lists one of our people too, and the line changes something: the person says for whom it is."""
    space = naming.space(tongue, home.name)
    names = tongue.names([naming.space(tongue, other) for other in others])
    return [
        tongue.say("Is this for {space}? 1) Yes", space=space),
        tongue.say("I did nothing yet, as you are also on the list of {others}.", others=names),
        tongue.say("Reply with 1 within 10 minutes, or begin with {words}.", words=Code(f"!fed as {home.party}")),
    ]


def not_of_that_space(tongue: Tongue, *, party: str, home: Home) -> Lines:
    """The line is said for a space that doesn't know the person, as far as we know."""
    other, space = tongue.short(party, 40), naming.space(tongue, home.name)
    return [
        tongue.say("Not done: I know you as one of {space}, not of {other}.", space=space, other=other),
        tongue.say("Without {words} it is for {space}.", words=Code(f"as {other}"), space=space),
    ]


def not_entitled(
    tongue: Tongue, *, command: Command, rights: Rights, right: Right, home: Home, able: list[str]
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


def line_waits(tongue: Tongue, *, home: Home, problem: str, wait: timedelta) -> Lines:
    """Our InvenTree gives no answer yet, so the line waits for it."""
    lines: Lines = [
        tongue.say("⏸ {space}'s InvenTree does not answer yet. Your line waits for it.", space=_own(tongue, home)),
    ]
    if problem:
        lines.append(tongue.say("Why: {problem}", problem=diagnosis(tongue, problem)))
    lines.append(tongue.say("I'll keep trying for up to {time} and answer here.", time=tongue.span(wait)))
    return lines


def not_last_seen_as_superuser(tongue: Tongue, *, command: Command, home: Home) -> Lines:
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


def _own(tongue: Tongue, home: Home) -> str:
    return naming.space(tongue, home.name)


def inventory_silent(tongue: Tongue, *, problem: str, text: str, home: Home) -> Lines:
    """Our InvenTree gives no answer, so the line could not be acted upon."""
    return [
        tongue.say("Not done: {space}'s InvenTree does not answer.", space=naming.space(tongue, home.name)),
        tongue.say("Why: {problem}", problem=diagnosis(tongue, problem)),
        tongue.say(
            "Nothing was changed or sent. Please try again later: {line}", line=typed(tongue.short(text, LONGEST_LINE))
        ),
    ]
