"""`!fed decline ID`: the same as ❌ on the card."""

from __future__ import annotations

from dataclasses import replace

from fedbot.commands.deciding import decide
from fedbot.commands.spec import WHY, Argument, Handler, Kind, Verb, Where, nothing_to_ask
from fedbot.rules.model.command import Command
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.effects import Phrase
from fedbot.rules.model.queries import Answer
from fedbot.rules.model.stock import Permission
from fedbot.rules.names import bare_word
from fedbot.rules.state import Turn

SPEC = Verb(
    name="decline",
    aliases=("reject", "no"),
    summary="decline an offer, a request or a connection",
    permission=Permission.MAPPED,  # the card needs more, and checks it
    arguments=(Argument("id", Kind.ANYTHING, "[ID] [REASON]", optional=True),),
    options=(WHY,),
    examples=("decline k7m2", "decline k7m2 in use on Saturday", "decline"),
    details=(
        "It does the same as ❌ on the card. A reply to the card needs no ID.",
        "Approvers of a space decide on offers and requests; superusers decide on connections.",
        "It takes effect after a few seconds. Until then, 'cancel' takes it back.",
    ),
    where=Where.FEDERATION_ROOM,
    decides=True,
)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Begin the decision, or say why not."""
    del answers
    return decide(turn, _with_reason(turn, command), SPEC, Choice.DECLINE)


def _with_reason(turn: Turn, command: Command) -> Command:
    """Take the words after the ID, or, in a reply to the card, all words, as the reason."""
    words = str(command.arguments.get("id", "")).strip()
    first, _, rest = words.partition(" ")
    named = bool(turn.by_code(bare_word(first)))
    reason = (rest if named else words if command.subject else "").strip()
    if not reason:
        return command
    note = " – ".join(filter(None, (reason, str(command.arguments.get("note", "")))))
    said = {**command.arguments, "id": first if named else "", "note": note[: WHY.most]}
    return replace(command, arguments=said)


HANDLER = Handler(SPEC, nothing_to_ask, act)
