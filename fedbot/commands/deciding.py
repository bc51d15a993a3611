"""What `approve` and `decline` share: a line decides as a tap on the card does, through the same function."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from fedbot import messages
from fedbot.commands.lookup import subject_meant
from fedbot.commands.picking import quantity_complaint
from fedbot.commands.spec import Verb
from fedbot.messages.formatting import EVERYTHING, quantity_in
from fedbot.rules import consent as subjects
from fedbot.rules import decisions
from fedbot.rules.model.command import Command
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.protocol.terms import presentable
from fedbot.rules.state import Turn


def decide(turn: Turn, command: Command, spec: Verb, choice: Choice, quantity: Decimal | None = None) -> Phrase | None:
    """Take up the decision; the rights are read and checked by the card's own rules.

    `quantity` is how much of a request is granted; all of it is a plain yes.
    """
    proven = command.is_proven and bool(turn.by_code(str(command.arguments.get("id", ""))))
    open_here = tuple(s for s in turn.subjects() if subjects.decides_here(turn.us, s) and subjects.is_open(s))
    subject = subject_meant(turn, command, spec, open_here)
    if isinstance(subject, Phrase):
        return subject
    if not subjects.decides_here(turn.us, subject):
        return say(messages.approval.decided_elsewhere, subject=subject, party=turn.party_name(subject.peer))
    if quantity is not None:
        if complaint := decisions.not_granted(subject, quantity):
            return complaint
        quantity = decisions.less_than_all(subject, quantity)
    event, note = command.event_id, presentable(str(command.arguments.get("note", "")))
    if note and not isinstance(subject, Transfer):
        return say(messages.approval.no_reason_here, subject=subject)
    return decisions.take_up(
        turn,
        subject,
        choice,
        command.sender,
        event,
        reply_to=event,
        quantity=quantity,
        at=command.at,
        note=note,
        proven=proven,
    )


def with_quantity(turn: Turn, command: Command) -> tuple[Command, Decimal | None] | Phrase:
    """The command with the quantity that it names, if any; or what is wrong with that.

    As a reply to a card a number alone is the quantity, and the reply supplies the id.
    """
    quantity = str(command.arguments.get("quantity", ""))
    word = str(command.arguments.get("id", ""))
    if not turn.by_code(word) and word.casefold() in EVERYTHING:
        return replace(command, arguments={**command.arguments, "id": ""}), None
    alone = quantity_in(word) if not quantity and decisions.subject_by_id(turn, command.subject) is not None else None
    if alone is not None:
        if len(alone.readings) > 1:
            return say(messages.line_errors.number_unclear, word=alone.word, readings=alone.readings)
        command, quantity = replace(command, arguments={}), alone.readings[0]
    if quantity and (complaint := quantity_complaint(quantity)):
        return complaint
    return command, Decimal(quantity) if quantity else None
