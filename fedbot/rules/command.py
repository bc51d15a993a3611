"""A chat line once it is understood, how it is answered, and what the rules need to know of the verbs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Protocol

from fedbot.rules.model.command import Answers, Command
from fedbot.rules.model.conversation import PendingChoice
from fedbot.rules.model.effects import Phrase, Post
from fedbot.rules.model.queries import Answer, Query
from fedbot.rules.model.stock import Right
from fedbot.rules.state import Turn


class Verbs(Protocol):
    """The verbs, as the rules use them."""

    def parse(self, turn: Turn, text: str) -> tuple[str, dict[str, Any]] | Phrase:
        """The verb and its arguments, or what is wrong with the line."""

    def right(self, verb: str) -> Right:
        """Who may use the verb."""

    def answers(self, verb: str) -> Answers:
        """Which messages say what a line with this verb is about."""

    def ask(self, turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
        """What the verb has to ask our InvenTree first; or already its answer to the person."""

    def act(self, turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
        """Do it. The phrase is the answer to the line; None if an effect in the turn answers it."""

    def answer_without(self, turn: Turn, command: Command, problem: str) -> bool:
        """Answer the line although our InvenTree doesn't answer; False if the verb can't."""

    def is_safe_for(self, turn: Turn, room: str, verb: str, arguments: dict[str, Any], others: frozenset[str]) -> bool:
        """Whether every space of somebody whom `others` list too may answer at once: nothing is done twice by that."""


NUMBER_WITHIN = timedelta(minutes=10)


def choose(
    turn: Turn, room: str, event_id: str, person: str, phrase: Phrase, lines: tuple[str, ...], more: str = ""
) -> None:
    """Put a numbered list to a person, as the answer to the line `event_id`; a number picks a whole line.

    `more` is the line that brings the next page.
    """
    key = f"choice:-:{event_id}"
    turn.save(PendingChoice(key, person, room, lines, turn.now + NUMBER_WITHIN, more=more))
    turn.do(Post(key, room, phrase, reply_to=event_id, answers=person))


def answer(turn: Turn, command: Command, phrase: Phrase | None) -> None:
    """The one answer to a line: a quiet reply to it. None: an effect in the turn answers it."""
    if phrase is not None:
        key = f"answer:{command.subject or '-'}:{command.event_id}"
        turn.do(Post(key, command.room, phrase, reply_to=command.event_id, answers=command.sender))


def written(command: Command) -> dict[str, Any]:
    """A command as JSON, to go along with its questions."""
    return {**asdict(command), "at": command.at.isoformat()}


def understood(data: dict[str, Any]) -> Command:
    """The command again."""
    return Command(**{**data, "at": datetime.fromisoformat(data["at"])})
