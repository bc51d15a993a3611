"""`!fed received ID [THING]`: confirm that a parcel has arrived, or which part of it; like a second 📦 on its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from fedbot import messages
from fedbot.commands.deciding import look_at_card
from fedbot.commands.grammar import SHOWN
from fedbot.commands.items import in_quotes
from fedbot.commands.loan_lookup import about_units, amount_meant, id_and_rest, is_quantity, lines_meant
from fedbot.commands.lookup import WITHOUT_ID, rooms_told_of, signature_with_note, subject_meant
from fedbot.commands.spec import BETWEEN_THINGS, WHY, Argument, Handler, Kind, Verb, Where
from fedbot.messages.quantities import EVERYTHING, typed
from fedbot.rules import decisions
from fedbot.rules.model.command import Command
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.queries import Answer, Query
from fedbot.rules.model.stock import Permission
from fedbot.rules.model.transfer import Line, Transfer, less_of, total
from fedbot.rules.state import Turn
from fedbot.rules.transfer import parcel

SPEC = Verb(
    name="received",
    aliases=("arrived",),
    summary="confirm that a parcel has arrived",
    permission=Permission.MAPPED,  # an approver must type it, which is checked as on a card
    arguments=(Argument("id", Kind.THINGS, "[ID] [THING] [QUANTITY]", optional=True),),
    options=(WHY,),
    examples=("received k7m2", "received", "received k7m2 7", "received k7m2 28 M3-NUT + LENS-2"),
    details=(
        "An approver of the receiver confirms, and I book it in. A second 📦 on the card does the same.",
        "A reply to the card needs no ID. It takes effect after a few seconds. Until then, 'cancel' takes it back.",
        "If something is missing, name everything that came: I book in only that, and the rest counts as missing.",
        "The sender's superuser settles the missing items with 'resolve'.",
        "If the parcel never arrives, type 'missing'.",
    ),
    where=Where.FEDERATION_ROOM,
    decides=True,
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask our InvenTree about the units in the line. A line may not be older than the card; other objections follow."""
    command, words = _with_id(turn, command)
    of_card = look_at_card(turn, command)
    if isinstance(of_card, Phrase):
        return of_card
    subject = subject_meant(turn, command, SPEC, ())
    return about_units(command, subject, words) if isinstance(subject, Transfer) else ()


def _with_id(turn: Turn, command: Command) -> tuple[Command, str]:
    """The line with its id alone, and the words for what came.

    Without an id, and not in reply to a card, it is the only parcel of this room that should hold the named items.
    """
    said = str(command.arguments.get("id", "")).strip()
    known, words = id_and_rest(turn, command, said)
    known = replace(known, arguments={**known.arguments, "id": str(known.arguments.get("id", ""))})
    if words.casefold() in EVERYTHING:
        words = ""
    if command.subject or not said or turn.by_code(str(known.arguments["id"])):
        return known, words
    fitting = [each for each in _parcels(turn, command) if _names_it(each, said)]
    if not fitting:
        return known, words
    code = fitting[0].code if len(fitting) == 1 else ""
    return replace(known, arguments={**known.arguments, "id": code, WITHOUT_ID: said}), said


def _parcels(turn: Turn, command: Command) -> list[Transfer]:
    """The parcels that are on their way to us, of which this room may read."""
    here = rooms_told_of(turn, command.room)
    return [transfer for transfer in turn.open_transfers() if transfer.awaits_parcel and transfer.room in here]


def _names_it(transfer: Transfer, words: str) -> bool:
    """Whether the words name items of the parcel, not only a quantity."""
    meant = [lines_meant(transfer, each) for each in words.split(BETWEEN_THINGS)]
    return all(each is not None and each[1] != words for each in meant)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Begin to book it in, or say why not."""
    del answers
    command, words = _with_id(turn, command)
    subject = subject_meant(turn, command, SPEC, tuple(_parcels(turn, command)))
    if isinstance(subject, Phrase):
        return subject
    if not isinstance(subject, Transfer) or not subject.awaits_parcel:
        return say(
            messages.parcel.no_parcel_for_us, subject=subject, us=turn.us, peer_name=turn.party_name(subject.peer)
        )
    came = _what_came(command, subject, words) if words else {}
    if isinstance(came, Phrase):
        return came
    is_all = not came or not parcel.not_there(subject, came)
    event = command.event_id
    return decisions.take_up(
        turn,
        subject,
        Choice.PARCEL,
        command.sender,
        event,
        reply_to=event,
        at=command.at,
        note=signature_with_note(turn, command).note,
        came=() if is_all else tuple(sorted(came.items())),
    )


def _what_came(command: Command, transfer: Transfer, words: str) -> dict[int, Decimal] | Phrase:
    """The quantity of each line that the words mean; or an objection. A line that isn't named did not come."""
    sent = parcel.sent_lines(transfer)
    came: dict[int, Decimal] = {}
    for each in words.split(BETWEEN_THINGS):
        meant = lines_meant(transfer, each)
        if meant is None and is_quantity(each):
            meant = [line.number for line in sent], each
        if meant is None:
            example = example_of(transfer)
            return say(
                messages.parcel.which_of_it_came, transfer=transfer, sent=sent, word=each[:SHOWN], example=example
            )
        numbers, quantity = meant
        lines = [line for line in sent if line.number in numbers]
        held = _held(command, transfer, lines, quantity, each)
        if isinstance(held, Phrase):
            return held
        for number, amount in held.items():
            came[number] = came.get(number, Decimal(0)) + amount
    more = tuple(line for line in sent if came.get(line.number, Decimal(0)) > line.quantity)
    if more:
        here = [replace(line, quantity=min(line.quantity, came.get(line.number, Decimal(0)))) for line in sent]
        example = _line_for(transfer, () if here == list(sent) else [line for line in here if line.quantity])
        return say(messages.parcel.not_so_much_was_sent, transfer=transfer, more=more, example=example)
    return came


def _held(
    command: Command, transfer: Transfer, lines: list[Line], quantity: str, words: str
) -> Mapping[int, Decimal] | Phrase:
    """How much the parcel held of these lines, which have one name; all of them without a quantity."""
    sent = parcel.sent_lines(transfer)
    if not quantity:
        return {line.number: line.quantity for line in lines}
    if len({line.part for line in lines}) > 1:
        example = example_of(transfer)
        return say(messages.parcel.which_of_it_came, transfer=transfer, sent=sent, word=words[:SHOWN], example=example)
    amount = amount_meant(lines[0], quantity, command.factors or ())
    if isinstance(amount, Phrase):
        return amount
    if (over := amount - total(lines)) > 0:
        held = {line.number: line.quantity for line in lines}
        return held | {lines[-1].number: lines[-1].quantity + over}
    less = less_of(lines, amount)
    if less is None:
        return say(
            messages.parcel.not_so_much_was_sent,
            transfer=transfer,
            more=tuple(lines),
            example=example_of(transfer),
        )
    return {line.number: line.quantity for line in less}


def example_of(transfer: Transfer) -> str:
    """A line that says how much of the parcel's first item came."""
    return _line_for(transfer, parcel.sent_lines(transfer)[:1])


def _line_for(transfer: Transfer, came: Sequence[Line]) -> str:
    """The line that says that this much of the parcel came; all of it, if nothing is named."""
    names = [line.description.ipn or line.description.name for line in came]
    words = [
        f"{typed(line.quantity)} {in_quotes(name) if ' ' in name else name}"
        for line, name in zip(came, names, strict=True)
    ]
    return f"received {transfer.code} {' + '.join(words)}".strip()


HANDLER = Handler(SPEC, ask, act)
