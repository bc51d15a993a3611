"""How a chat line is answered once it is understood."""

from __future__ import annotations

from fedbot.rules.model.command import NUMBER_WITHIN, Command, PendingChoice
from fedbot.rules.model.effects import Phrase, Post
from fedbot.rules.state import Turn


def choose(
    turn: Turn,
    room: str,
    event_id: str,
    person: str,
    phrase: Phrase,
    lines: tuple[str, ...],
    more: str = "",
    *,
    mentions: bool = False,
) -> None:
    """Put a numbered list to a person, as the answer to the line `event_id`; a number picks a whole line.

    `more` is the line that brings the next page. `mentions`: it comes later than an answer, so that it mentions them.
    """
    key = f"choice:-:{event_id}"
    turn.save(PendingChoice(key, person, room, lines, turn.now + NUMBER_WITHIN, more=more))
    mentioned = (person,) if mentions else ()
    turn.do(Post(key, room, phrase, reply_to=event_id, answers=person, mentions=mentioned))


def answer(turn: Turn, command: Command, phrase: Phrase | None, *, refuses: bool = False) -> None:
    """The one answer to a line: a quiet reply to it. None: an effect in the turn answers it."""
    if phrase is not None:
        key = f"answer:{command.subject or '-'}:{command.event_id}"
        turn.do(Post(key, command.room, phrase, reply_to=command.event_id, answers=command.sender, refuses=refuses))
