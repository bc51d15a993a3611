"""`!fed resolve ID`: say what happened in a transfer whose outcome no program can find out."""

from __future__ import annotations

from dataclasses import replace

from fedbot import messages
from fedbot.commands.lookup import rooms_told_of, signature_with_note, subject_meant, whole_line
from fedbot.commands.spec import WHY, Argument, Handler, Kind, Option, Verb
from fedbot.rules.loan import balance, write_off
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import ARRIVED, BACK, FOUND, LOST, WORDS_OF_TRUTHS, Truth
from fedbot.rules.model.queries import Answer, ItemsSeen, Query
from fedbot.rules.model.stock import Permission
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.names import bare_word, without_end
from fedbot.rules.state import Turn
from fedbot.rules.transfer import resolve
from fedbot.rules.transfer.resolve import TRUTHS_OF_A_REST, Seen, rest_item, settle_rest

SPEC = Verb(
    name="resolve",
    summary="settle an unclear transfer",
    permission=Permission.SUPERUSER,
    arguments=(
        Argument("id", Kind.SUBJECT, "ID", optional=True),
        Argument("answer", Kind.ANYTHING, "TRUTH", optional=True),
    ),
    options=(Option("as", "TRUTH", "the answer; without it I list the possible ones", 40, filled_in=True), WHY),
    examples=("resolve k7m2", "resolve k7m2 left", "resolve k7m2 booked #1207"),
    details=(
        "It settles a transfer that stopped because InvenTree didn't say where the stock is.",
        "It settles a missing part of a parcel: it came back, the other space found it, or it is lost.",
        "It settles a borrowed item that has ended but is still in our stock, or whose lender is gone.",
        "I look into InvenTree again and offer possible answers, each with its effect. I record your name.",
        "TRUTH is one of these answers. Without it, or if it doesn't fit, I list them.",
        "You settle only your own side. The other space's superusers settle theirs.",
    ),
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask where the stock is now, and which marks it has."""
    command = _with_answer(turn, command)
    transfer = _meant(turn, command)
    if isinstance(transfer, Phrase):
        return transfer
    if transfer.lacks_a_rest:
        return ()
    if transfer.dispute is None:
        return write_off.queries(transfer)
    return resolve.queries(transfer, _said(command)[1])


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """List the possible truths, or accept the one that the person typed."""
    command = _with_answer(turn, command)
    transfer = _meant(turn, command)
    if isinstance(transfer, Phrase):
        return transfer
    if transfer.lacks_a_rest:
        return _of_a_rest(turn, command, transfer)
    if transfer.dispute is None:
        return _of_a_loan(turn, command, transfer, answers)
    seen: Seen = {}
    for line, answer in zip(resolve.in_question(transfer), answers, strict=True):
        if not isinstance(answer, ItemsSeen):
            raise TypeError(f"resolve asks where items are, not {answer!r}")
        seen[line.number] = answer
    word, item = _said(command)
    offered = resolve.truths(turn, transfer, seen, item)
    for truth in offered:
        if truth.name == word and item in {None, truth.item}:
            settled = resolve.settle(turn, transfer, truth, seen, signature_with_note(turn, command))
            peer_name = turn.party_name(transfer.peer)
            return say(messages.resolve.resolved, transfer=settled, truth=truth, us=turn.us, peer_name=peer_name)
    _offer(turn, command, transfer, offered, seen)
    return None


def _of_a_rest(turn: Turn, command: Command, transfer: Transfer) -> Phrase | None:
    """Like `act`, for the missing rest of a parcel."""
    peer_name = turn.party_name(transfer.peer)
    for truth in TRUTHS_OF_A_REST:
        if truth.name == _said(command)[0]:
            settled = settle_rest(turn, transfer, truth, signature_with_note(turn, command))
            items = tuple((line, rest_item(settled, line.number)) for line in settled.lines_missing)
            return say(
                messages.parcel.rest_settled,
                transfer=settled,
                truth=truth,
                us=turn.us,
                peer_name=peer_name,
                items=items,
            )
    said, truths = str(command.arguments.get("as", "")), TRUTHS_OF_A_REST
    phrase = say(messages.resolve.resolve_rest_choice, transfer=transfer, peer_name=peer_name, truths=truths, said=said)
    lines = tuple(whole_line(turn, command, SPEC, id=transfer.code, **{"as": truth.typed}) for truth in truths)
    turn.choose(command.room, command.event_id, command.sender, phrase, lines)
    return None


def _of_a_loan(turn: Turn, command: Command, loan: Transfer, answers: tuple[Answer, ...]) -> Phrase | None:
    """Like `act`, for a loan that is over but still in our stock, or whose lender is gone."""
    seen = write_off.seen_in(loan, answers)
    offered = write_off.truths(turn, loan, seen)
    for truth in offered:
        if truth.name == _said(command)[0]:
            by = signature_with_note(turn, command)
            settled = balance.as_still_out(turn, write_off.settle(turn, loan, truth, seen, by))
            return say(messages.resolve.loan_settled, loan=settled, truth=truth, peer_name=turn.party_name(loan.peer))
    _offer(turn, command, loan, offered, seen)
    return None


def _meant(turn: Turn, command: Command) -> Transfer | Phrase:
    """The transfer to settle, or why there is nothing to settle."""
    waiting = tuple(t for t in turn.restless_transfers() if _is_unsettled(turn, t))
    here = rooms_told_of(turn, command.room)
    unsettled = [each for each in waiting if each.room in here]
    is_named = bool(command.arguments.get("id") or command.subject)
    is_only = len(unsettled) == 1 and not is_named and not command.arguments.get("as")
    subject = unsettled[0] if is_only else subject_meant(turn, command, SPEC, waiting)
    if isinstance(subject, Phrase):
        return subject
    if isinstance(subject, Transfer) and (subject.lacks_a_rest or _is_left(turn, subject)):
        return subject
    if not isinstance(subject, Transfer) or subject.dispute is None:
        return say(messages.resolve.nothing_to_settle, subject=subject)
    if resolve.is_under_way(subject):
        return say(messages.resolve.still_being_tried, transfer=subject, us=turn.us)
    return subject


def _is_unsettled(turn: Turn, transfer: Transfer) -> bool:
    return transfer.dispute is not None or transfer.lacks_a_rest or _is_left(turn, transfer)


def _is_left(turn: Turn, loan: Transfer) -> bool:
    """Whether it is a loan that our superuser has to settle."""
    return bool(loan.left_over) or write_off.is_abandoned(turn, loan)


_IN_GERMAN = {
    "verloren": LOST,
    "weg": LOST,
    "zurück": BACK,
    "zurueck": BACK,
    "gefunden": FOUND,
    "aufgetaucht": FOUND,
    "angekommen": ARRIVED,
}
_TRUTHS = {word: word for word in (*WORDS_OF_TRUTHS, *write_off.WORDS)} | _IN_GERMAN
_WORDS_OF_A_TRUTH = 2
"""The most words of an answer: `booked #1207`."""


def _with_answer(turn: Turn, command: Command) -> Command:
    """The line with an answer typed without `--as` as that option, and what follows a comma behind it as the note.

    Only a single word counts: `resolve k7m2 it is lost` gets the list. In reply to a card the id is left out.
    """
    arguments = {name: value for name, value in command.arguments.items() if name != "answer"}
    words = " ".join(str(command.arguments.get(name, "")) for name in ("id", "answer")).split()
    if words and (turn.by_code(bare_word(words[0])) or bare_word(words[0]).casefold() not in _TRUTHS):
        arguments["id"], *words = words
    else:
        arguments.pop("id", None)
    answer, _, note = " ".join(words).partition(", ")
    if note and not arguments.get("note"):
        arguments["note"] = note
    elif note:
        answer = f"{answer}, {note}"
    if answer:
        arguments["as"] = " ".join(filter(None, (str(arguments.get("as", "")), answer)))
    return replace(command, arguments=arguments)


def _said(command: Command) -> tuple[str, int | None]:
    """The word after `--as`, and the stock item that it names: ('booked', 1207)."""
    typed = str(command.arguments.get("as", ""))
    words = typed.split()
    number = words[1].removeprefix("#") if len(words) > 1 else ""
    if len(words) > _WORDS_OF_A_TRUTH or (len(words) > 1 and not number.isdecimal()):
        return typed, None
    word = without_end(words[0]).casefold() if words else ""
    return _TRUTHS.get(word, word), (int(number) if number else None)


def _offer(turn: Turn, command: Command, transfer: Transfer, offered: tuple[Truth, ...], seen: Seen) -> None:
    """List InvenTree's records and the possible truths; a number picks one."""
    phrase = say(
        messages.resolve.resolve_choice if transfer.dispute else messages.resolve.resolve_loan_choice,
        transfer=transfer,
        us=turn.us,
        peer_name=turn.party_name(transfer.peer),
        seen=seen,
        truths=offered,
        said=str(command.arguments.get("as", "")),
    )
    lines = tuple(whole_line(turn, command, SPEC, id=transfer.code, **{"as": truth.typed}) for truth in offered)
    turn.choose(command.room, command.event_id, command.sender, phrase, lines)


HANDLER = Handler(SPEC, ask, act)
