"""`!fed resolve ID`: say what happened in a transfer whose outcome no program can find out."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.lookup import rooms_told_of, signature_with_note, subject_meant, whole_line
from fedbot.commands.spec import WHY, Argument, Handler, Kind, Option, Verb
from fedbot.rules.loan import balance, write_off
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import Truth
from fedbot.rules.model.queries import Answer, ItemsSeen, Query
from fedbot.rules.model.stock import Permission
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import Turn
from fedbot.rules.transfer import resolve
from fedbot.rules.transfer.resolve import TRUTHS_OF_A_REST, Seen, rest_item, settle_rest

SPEC = Verb(
    name="resolve",
    summary="settle an unclear transfer",
    permission=Permission.SUPERUSER,
    arguments=(Argument("id", Kind.SUBJECT, "ID", optional=True),),
    options=(Option("as", "TRUTH", "the answer; without it I list the possible ones", 40), WHY),
    examples=("resolve k7m2", "resolve k7m2 --as left", "resolve k7m2 --as booked #1207"),
    details=(
        "It settles a transfer that stopped because InvenTree didn't say where the stock is.",
        "It settles a missing part of a parcel: it came back, the other space found it, or it is lost.",
        "It settles a borrowed item that has ended but is still in our stock, or whose lender is gone.",
        "I look into InvenTree again and offer possible answers, each with its effect. I record your name.",
        "You settle only your own side. The other space's superusers settle theirs.",
    ),
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask where the stock is now, and which marks it has."""
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
                messages.transfer_end.rest_settled,
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


def _said(command: Command) -> tuple[str, int | None]:
    """The word after `--as`, and the stock item that it names: ('booked', 1207)."""
    words = str(command.arguments.get("as", "")).split()
    number = words[1].removeprefix("#") if len(words) > 1 else ""
    return (words[0].lower() if words else ""), (int(number) if number.isdecimal() else None)


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
