"""`!fed people`: our people and the rights that they have at this moment."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.spec import Handler, Verb
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.queries import Able, Answer, Query, WhoMay
from fedbot.rules.model.stock import Right
from fedbot.rules.model.summaries import PersonSeen
from fedbot.rules.state import Turn

SPEC = Verb(
    name="people",
    summary="our people and what each may do",
    right=Right.SUPERUSER,
    only_looks=True,
    examples=("people",),
    details=("Who is whom stands in the bot's configuration; what they may do is read in InvenTree at that moment.",),
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...]:
    """Which of our people are approvers, which are superusers."""
    del command
    usernames = tuple(dict.fromkeys(turn.home.people.values()))
    return (WhoMay(Right.APPROVER, usernames), WhoMay(Right.SUPERUSER, usernames))


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """Tell them, in the configuration's order."""
    approvers, superusers = answers
    if not (isinstance(approvers, Able) and isinstance(superusers, Able)):
        raise TypeError(f"people asks twice who may, not {answers!r}")
    seen = tuple(
        PersonSeen(
            person=person,
            name=turn.name_of(person, command.room),
            username=username,
            approver=username in approvers.usernames,
            superuser=username in superusers.usernames,
        )
        for person, username in turn.home.people.items()
    )
    return say(messages.help_pages.people, home=turn.home, people=seen)


HANDLER = Handler(SPEC, ask, act)
