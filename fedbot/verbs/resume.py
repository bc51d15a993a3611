"""`!fed resume`: InvenTree was put back to an earlier state, its books were looked at, and stock may move again."""

from __future__ import annotations

from fedbot.federation import house
from fedbot.federation.commands import Command
from fedbot.federation.effects import Phrase, say
from fedbot.federation.questions import Answer, Question
from fedbot.federation.state import Turn
from fedbot.federation.stock import Right
from fedbot.verbs.spec import Handler, Verb

SPEC = Verb(
    name="resume",
    summary="move stock again after InvenTree was put back",
    right=Right.SUPERUSER,
    examples=("resume",),
    details=(
        "When our InvenTree was put back to an earlier state, I move no stock in it, and say what is missing.",
        "Correct it in InvenTree first: what was lent or given since then is in stock there again.",
        "Then say this, and what waits goes on.",
    ),
)


def ask(turn: Turn, command: Command) -> tuple[Question, ...] | Phrase:
    """Nothing to look up; whether it was put back we know."""
    del command
    return () if turn.standing().went_back is not None else say("nothing_to_resume", home=turn.home)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """Go on from this state of InvenTree."""
    del answers
    house.go_on(turn)
    turn.note("house", "stock may move again", command.sender, command.event_id)
    return say("resumed", home=turn.home)


HANDLER = Handler(SPEC, ask, act)
