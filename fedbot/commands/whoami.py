"""`!fed whoami`: show the person's InvenTree user, and its permissions at this moment."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.spec import Handler, Verb
from fedbot.rules.model.command import Command
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.queries import Answer, PersonPermissions, Query
from fedbot.rules.model.stock import Permission, Permissions
from fedbot.rules.state import Turn

SPEC = Verb(
    name="whoami",
    summary="show your InvenTree user, and your permissions",
    permission=Permission.ANYONE,
    only_looks=True,
    examples=("whoami",),
    details=("I read your permissions in InvenTree at that moment.",),
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...]:
    """Ask for the speaker's permissions."""
    del turn
    return (PersonPermissions(command.username),)


def answer_without(turn: Turn, command: Command, problem: Diagnosis | None) -> bool:
    """Answer from our configuration if our InvenTree doesn't answer."""
    name = turn.name_of(command.sender, command.room)
    phrase = say(
        messages.people.whoami_without_permissions,
        us=turn.us,
        person=command.sender,
        name=name,
        username=command.username,
        problem=problem,
    )
    turn.answer(command, phrase)
    return True


def handler_with(others: tuple[Verb, ...]) -> Handler:
    """The verb's handler, which lists those of the other verbs that the person may use."""

    def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
        (permissions,) = answers
        if not isinstance(permissions, Permissions):
            raise TypeError(f"whoami asks for permissions, not {permissions!r}")
        return say(
            messages.people.whoami,
            us=turn.us,
            person=command.sender,
            name=turn.name_of(command.sender, command.room),
            username=command.username,
            permissions=permissions,
            verbs=tuple(spec.name for spec in others if permissions.covers(spec.permission)),
            not_yours=tuple(spec.name for spec in others if not permissions.covers(spec.permission)),
        )

    return Handler(SPEC, ask, act, answer_without)
