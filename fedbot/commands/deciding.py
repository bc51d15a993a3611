"""The common part of `approve` and `decline`: a line decides like a reaction on the card, by the same function."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from fedbot import messages
from fedbot.commands.loan_lookup import lines_meant
from fedbot.commands.lookup import subject_meant, units_to_relate
from fedbot.commands.spec import Verb
from fedbot.commands.stock_to_offer import quantity_complaint
from fedbot.messages.quantities import EVERYTHING, measured_in, quantity_in
from fedbot.rules import decisions
from fedbot.rules.model.command import Command
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.queries import Query
from fedbot.rules.model.stock import plain
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.names import bare_word
from fedbot.rules.protocol.terms import presentable
from fedbot.rules.state import Turn
from fedbot.rules.who_decides import Subject, decides_here, is_open


def decide(turn: Turn, command: Command, spec: Verb, choice: Choice, how_much: Said | None = None) -> Phrase | None:
    """Take up the decision. The card's own rules read and check the permissions.

    `how_much` is how much of a request is granted; all of it is a plain approval.
    """
    proven = command.is_proven and bool(turn.by_code(str(command.arguments.get("id", ""))))
    open_here = tuple(s for s in turn.subjects() if decides_here(turn.us, s) and is_open(s))
    subject = subject_meant(turn, command, spec, open_here)
    if isinstance(subject, Phrase):
        return subject
    if not decides_here(turn.us, subject):
        return decisions.not_decided_here(turn, subject)
    if complaint := _not_about_its_card(turn, command, subject):
        return complaint
    quantity = _amount_in(subject, command, how_much)
    if isinstance(quantity, Phrase):
        return quantity
    if quantity is not None:
        if complaint := decisions.not_granted(turn, subject, quantity):
            return complaint
        quantity = decisions.less_than_all(subject, quantity)
    event, note = command.event_id, presentable(str(command.arguments.get("note", "")))
    if note and not isinstance(subject, Transfer):
        return say(messages.approval.no_reason_here, subject=subject, choice=choice)
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


Said = tuple[Decimal, str]
"""A quantity as typed and its unit; '' if none was typed."""


def about_a_pickup(turn: Turn, item: str) -> Phrase:
    """The answer to `k7m2 was picked up`: the line that tells the bot, or who tells it.

    `item`: its name or id; '' for any. Without an id the answer names nothing but an id, as another room may read it.
    """
    named = [each for each in turn.by_code(bare_word(item)) if isinstance(each, Transfer)]
    open_now = turn.open_transfers()
    meant = named or [t for t in open_now if item and lines_meant(t, item) is not None] or open_now
    waiting = [t for t in meant if t.awaits_parcel or t.asks_if_handed_over]
    waiting = waiting or [t for t in named if is_open(t) and decides_here(turn.us, t)]
    if len(waiting) == 1:
        verb = "received" if waiting[0].awaits_parcel else "approve"
        return say(messages.line_errors.keyword_missing, line=f"{verb} {waiting[0].code}")
    if len(named) != 1:
        return say(messages.line_errors.which_one, verb="approve ID", subjects=(), line="")
    (transfer,) = named
    if transfer.state is TransferState.BOOKED:
        peer_name = turn.party_name(transfer.peer)
        return say(messages.booking.lender_says_it, transfer=transfer, us=turn.us, peer_name=peer_name)
    return say(messages.line_errors.keyword_missing, line=f"show {transfer.code}")


def look_at_card(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask our InvenTree about the unit in the line; objections to it come later.

    A code counts for nothing before our card is posted, because the person read it in the other bot's message. After a
    loss we don't know our cards, but a reply to one proves that it exists.
    """
    told = with_quantity(turn, command)
    if isinstance(told, Phrase):
        return ()
    command, said = told
    unit = said[1] if said is not None else ""
    word = bare_word(str(command.arguments.get("id", "")))
    replied_to = turn.subject(command.subject)
    meant: list[Subject | None] = [*turn.by_code(word)] if word else [replied_to]
    for subject in meant:
        if subject is not None and (complaint := _not_about_its_card(turn, command, subject)):
            return complaint
    transfers = [subject for subject in meant if isinstance(subject, Transfer)]
    pairs = ((unit, line.description.units) for transfer in transfers for line in transfer.terms.lines if unit)
    return units_to_relate(command, pairs)


def _not_about_its_card(turn: Turn, command: Command, subject: Subject) -> Phrase | None:
    """Why the line can't be about our newest card as it reads now. A reply names its card, which may have been edited.

    The sync says what came first, so no clock has to be right. The times by the homeservers' clocks matter for a line
    that was held up on its way.
    """
    card = subject.in_room
    in_order = command.place is None or (card.is_shown and command.place >= (card.place or 0))
    if subject.id == command.subject:
        return None if in_order else say(messages.transfer_card.card_has_changed, subject=subject)
    if not (decides_here(turn.us, subject) and is_open(subject)):
        return None
    # Lines from pages have no place in a room, and neither have cards of earlier releases: our own clock compares them.
    since = card.at if command.place is not None and card.at is not None else subject.card_since
    if subject.own_card and in_order and (since is None or command.at >= since):
        return None
    return say(messages.approval.no_card_yet, subject=subject)


def _amount_in(subject: Subject, command: Command, said: Said | None) -> Decimal | Phrase | None:
    """The quantity in the unit of the item; or an objection."""
    if said is None or not isinstance(subject, Transfer):
        return said[0] if said is not None else None
    line, (quantity, unit) = subject.terms.lines[0], said
    amount = line.amount(quantity, unit, command.factors or ())
    if amount is None:
        return say(messages.offer.other_unit_of_line, line=line, wanted=quantity, unit=unit)
    return quantity_complaint(plain(amount)) or amount


def with_quantity(turn: Turn, command: Command) -> tuple[Command, Said | None] | Phrase:
    """The command and the quantity that it names, if any; or an objection.

    In a reply to a card a number alone is the quantity, and the reply supplies the id.
    """
    quantity, _, unit = str(command.arguments.get("quantity", "")).partition(" ")
    word = str(command.arguments.get("id", ""))
    if not turn.by_code(word) and word.casefold() in EVERYTHING:
        return replace(command, arguments={**command.arguments, "id": ""}), None
    is_reply = not quantity and turn.subject(command.subject) is not None
    if is_reply and (measured := measured_in(word)) is not None:
        command, (quantity, unit) = replace(command, arguments={}), measured
    elif is_reply and (alone := quantity_in(word)) is not None:
        if len(alone.readings) > 1:
            return say(messages.line_errors.number_unclear, word=alone.word, readings=alone.readings)
        command, quantity = replace(command, arguments={}), alone.readings[0]
    if quantity and (complaint := quantity_complaint(quantity)):
        return complaint
    return command, (Decimal(quantity), unit) if quantity else None
