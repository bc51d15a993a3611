"""`!fed people`: our people and the rights that they have at this moment."""

from __future__ import annotations

from fedbot.federation.commands import Command
from fedbot.federation.effects import Phrase, say
from fedbot.federation.questions import Able, Answer, Question, WhoMay
from fedbot.federation.state import Turn
from fedbot.federation.stock import Right
from fedbot.federation.views import PersonSeen
from fedbot.verbs.spec import Handler, Verb

SPEC = Verb(
    name="people",
    summary="our people and what each may do",
    right=Right.SUPERUSER,
    only_looks=True,
    examples=("people",),
    details=("Who is whom stands in the bot's configuration; what they may do is read in InvenTree at that moment.",),
)


def ask(turn: Turn, command: Command) -> tuple[Question, ...]:
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
    return say("people", home=turn.home, people=seen)


HANDLER = Handler(SPEC, ask, act)
