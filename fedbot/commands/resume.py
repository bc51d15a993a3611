"""`!fed resume`: InvenTree was restored and its stock checked, so stock may move again."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.spec import Handler, Verb
from fedbot.rules import health
from fedbot.rules.model import audit
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.queries import Answer, Query
from fedbot.rules.model.stock import Permission
from fedbot.rules.state import Turn

SPEC = Verb(
    name="resume",
    summary="move stock again after InvenTree was restored",
    permission=Permission.SUPERUSER,
    examples=("resume",),
    details=(
        "If our InvenTree was restored to an earlier state, I move no stock in it, and list the missing items.",
        "Correct the stock in InvenTree first: items lent or given since then are in stock there again.",
        "Then type this, and waiting transfers continue.",
    ),
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask nothing: we know whether it was restored."""
    del command
    return () if turn.status().went_back is not None else say(messages.health.nothing_to_resume, us=turn.us)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """Continue from this state of InvenTree."""
    del answers
    health.go_on(turn)
    turn.note("bot", audit.Fact.RESUMED, command.sender, command.event_id)
    return say(messages.health.resumed, us=turn.us)


HANDLER = Handler(SPEC, ask, act)
