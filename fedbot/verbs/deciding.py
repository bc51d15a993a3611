"""What `approve` and `decline` share: a line decides as a tap on the card does, through the same function."""

from __future__ import annotations

from fedbot.federation import verdicts
from fedbot.federation.commands import Command
from fedbot.federation.documents import Choice
from fedbot.federation.effects import Phrase, say
from fedbot.federation.state import Turn
from fedbot.verbs.naming import subject_meant
from fedbot.verbs.spec import Verb


def decide(turn: Turn, command: Command, spec: Verb, choice: Choice) -> Phrase | None:
    """Take up the decision; the rights are read and checked by the card's own rules (DESIGN §5)."""
    open_here = tuple(s for s in turn.subjects() if verdicts.decides_here(turn, s) and verdicts.is_open(s))
    subject = subject_meant(turn, command, spec, open_here)
    if isinstance(subject, Phrase):
        return subject
    if not verdicts.decides_here(turn, subject):
        return say("decided_elsewhere", subject=subject, party=turn.party_name(subject.peer))
    return verdicts.take_up(turn, subject, choice, command.sender, command.event_id, reply_to=command.event_id)
