"""`!fed whoami`: which InvenTree user somebody is, and what that user may do at this moment."""

from __future__ import annotations

from fedbot.federation.commands import Command
from fedbot.federation.effects import Phrase, say
from fedbot.federation.questions import Answer, PersonRights, Question
from fedbot.federation.state import Turn
from fedbot.federation.stock import Right, Rights
from fedbot.verbs.spec import Handler, Verb

SPEC = Verb(
    name="whoami",
    summary="who you are to me, and what you may do",
    right=Right.MAPPED,
    only_looks=True,
    examples=("whoami",),
    details=("Your rights are read in InvenTree at that moment; nothing of them is kept.",),
)


def ask(turn: Turn, command: Command) -> tuple[Question, ...]:
    """The speaker's rights."""
    del turn
    return (PersonRights(command.username),)


def over(others: tuple[Verb, ...]) -> Handler:
    """The verb, telling which of these others the person may use."""

    def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
        (rights,) = answers
        if not isinstance(rights, Rights):
            raise TypeError(f"whoami asks for rights, not {rights!r}")
        return say(
            "whoami",
            home=turn.home,
            person=command.sender,
            name=turn.name_of(command.sender, command.room),
            username=command.username,
            rights=rights,
            verbs=tuple(spec.name for spec in others if rights.covers(spec.right)),
            not_yours=tuple(spec.name for spec in others if not rights.covers(spec.right)),
        )

    return Handler(SPEC, ask, act)
