"""The end of a loan: its last return, or the lender's approver decides that it is a gift or lost.

Lines of a loan can end one by one. The loan ends with the last. A line that ended without leaving the borrower's books
still counts in the borrower's stock until the borrower's superuser has it removed (`left_over`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from fedbot import messages
from fedbot.rules import names
from fedbot.rules.archive import Mark
from fedbot.rules.catalogue.provenance import known_item, mirror_given, mirror_received
from fedbot.rules.connection import provision
from fedbot.rules.loan import balance, label
from fedbot.rules.model import audit
from fedbot.rules.model.decision import Closing, Signature
from fedbot.rules.model.effects import Do, Post, say
from fedbot.rules.model.events import StepDone, StepRefused, StepUnknown
from fedbot.rules.model.lifecycles import FINAL, ConnectionState, Ending, TransferState
from fedbot.rules.model.queries import OfLine, WhenStepEnds
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.steps import Arrived, Remark, Step, TakeBack
from fedbot.rules.model.stock import STATUS_DAMAGED, STATUS_LOST
from fedbot.rules.model.transfer import Transfer, step_mark
from fedbot.rules.protocol import bodies, sequencing
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.state import Turn
from fedbot.rules.transfer import both_sides


def on_return_finished(turn: Turn, transfer: Transfer) -> None:
    """After a return has finished on this side: end the loan if nothing is out any more."""
    loan = turn.transfer(transfer.terms.parent) if transfer.is_return else None
    if loan is None or not loan.is_on_loan:
        return
    if balance.still_out(turn, loan):
        turn.note(loan.id, audit.Fact.CAME_BACK_IN_PART)
        refresh(turn, loan)
    else:
        _end(turn, loan, Ending.RETURNED, transfer.decided or transfer.asked)


def end_returned_loans(turn: Turn) -> None:
    """After a recovery has read the returns: end the loans of which nothing is out any more."""
    for loan in turn.loans():
        done = [t for t in balance.returns(turn, loan) if t.state in balance.OVER_WITH_STOCK]
        endings = [*loan.line_ends, *(Closing(Ending.RETURNED, t.decided or t.asked) for t in done)]
        if endings and not balance.still_out(turn, loan):
            _end(turn, loan, endings[-1].how, endings[-1].by)


def close(turn: Turn, loan: Transfer, how: Ending, by: Signature, numbers: Collection[int]) -> None:
    """The lender's approver ends these lines as a gift or as lost. The items stay assigned to the borrower's company.

    Tells the borrower. The message names no lines if everything that is out ends and the borrower knows all returns.
    Otherwise it names them, so that the borrower doesn't take a returned item for a gift.
    """
    out = {line.number: line for line in balance.lines_still_out(turn, loan)}
    is_all = set(numbers) == set(out)
    ended = _end_lines(turn, loan, Closing(how, by), numbers, is_all=is_all)
    connection = sequencing.connection_of(turn, ended)
    awaits = connection.state is not ConnectionState.ENDED
    are_known = all(back.state in FINAL for back in balance.returns(turn, loan))
    named = None if is_all and are_known else tuple(sorted(numbers))
    body = bodies.Closed(how=how, lines=named, **both_sides.said_by(by))
    ended, draft = sequencing.write(turn, ended, body, awaits=awaits)
    turn.save(ended)
    whose = names.party_in_history(connection.peer_name, connection.peer)
    for number in sorted(numbers):
        _note_ending(turn, ended, number, how, f"{whose}, says {by.in_history}")
    lines = tuple(out[number] for number in sorted(numbers))
    phrase = say(
        messages.loan.loan_closed,
        loan=ended,
        us=turn.us,
        peer_name=turn.party_name(ended.peer),
        part=None if is_all else Closing(how, by),
        lines=lines,
    )
    people = tuple(dict.fromkeys(s.person for s in (ended.asked, ended.decided) if s and s.person != by.person))
    key = MessageKind.CLOSED.of(ended.id, by.event_id)
    turn.do(Post(key, ended.room, phrase, reply_to=by.event_id, mentions=people, draft=draft))


def _end_lines(turn: Turn, loan: Transfer, end: Closing, numbers: Iterable[int], *, is_all: bool) -> Transfer:
    """End these lines, and the loan if nothing else is out."""
    ended = balance.with_ends(loan, end, numbers)
    turn.save(ended)
    if is_all or not balance.still_out(turn, ended):
        return _end(turn, ended, end.how, end.by)
    turn.note_by(ended.id, audit.LoanEnded(end.how, in_part=True), end.by)
    refresh(turn, ended)
    return ended


def tell_closed_alone(turn: Turn, loan: Transfer) -> None:
    """Tell a peer how our people closed the loan alone. Its bot may be gone, so nothing waits for an answer."""
    if loan.closed is None:
        return
    body = bodies.Closed(how=loan.closed.how, **both_sides.said_by(loan.closed.by))
    turn.save(sequencing.send(turn, loan, body))


def _note_ending(turn: Turn, loan: Transfer, number: int, how: Ending, whose_word: str) -> None:
    """Write into our InvenTree's history how the line ended and who said so. A lost item also gets that status."""
    item = loan.at(number).item
    if item is None:
        return
    known = known_item(turn, loan, number)
    if how is Ending.LOST:
        step: Step = Arrived(step_mark(loan, number, "lost"), f"lost at {whose_word}", item, STATUS_LOST, known)
    else:
        step = Remark(step_mark(loan, number, "gift"), f"a gift from now on to {whose_word}", item, known)
    turn.do(Do(NoteEnding(loan.id, number), step))


@dataclass(frozen=True)
class NoteEnding(OfLine, WhenStepEnds):
    """Writes into InvenTree how a loan ended that wasn't returned."""

    def done(self, turn: Turn, _: StepDone) -> None:
        """Note it in the audit."""
        turn.note(self.transfer, audit.Fact.ENDING_NOTED)

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Ask the admins to do it by hand."""
        loan = turn.transfer(self.transfer)
        if loan is not None:
            how = loan.ending_of(self.line)
            phrase = say(
                messages.loan.gift_not_noted if how is Ending.GIFT else messages.loan.loss_not_noted,
                loan=loan,
                problem=event.problem,
            )
            turn.tell_admins(phrase, f"lost:{loan.id}:{self.line}")


def on_closed(turn: Turn, loan: Transfer, envelope: Message[bodies.Closed]) -> None:
    """At the borrower: take over the lender's decision on the loan or lines of it, even if we closed the loan alone.

    Tells our admins which ended items still count in our stock, because a superuser has to remove them.
    """
    loan = sequencing.send(turn, loan, bodies.Noted())
    if balance.is_closed_alone(loan):
        loan = balance.reopened(loan)
    turn.save(loan)
    how = envelope.body.how
    if not loan.is_on_loan:
        return
    end = Closing(how, both_sides.signature_in(turn, envelope, loan.peer, ""))
    here, numbers = balance.still_here(turn, loan), _lines_in(turn, envelope.body, loan)
    loan = _end_lines(turn, loan, end, numbers, is_all=envelope.body.lines is None)
    left_over = tuple(number for number in numbers if number in here)
    if how is Ending.GIFT or not left_over:
        return
    loan = replace(loan, left_over=(*loan.left_over, *left_over))
    turn.save(loan)
    phrase = say(
        messages.loan.over_but_in_our_books,
        loan=loan,
        peer_name=turn.party_name(loan.peer),
        numbers=left_over,
        lines=tuple(replace(loan.line(number), quantity=here[number]) for number in left_over),
    )
    turn.tell_admins(phrase, f"left-over:{loan.id}:{left_over[0]}")


def _lines_in(turn: Turn, body: bodies.Closed, loan: Transfer) -> tuple[int, ...]:
    """The lines that the lender's message ends. If it names none: all that no return has begun to book out."""
    if body.lines is None:
        return tuple(balance.still_here(turn, loan))
    return tuple(number for number in balance.still_out(turn, loan) if number in body.lines)


def ended_by_message(turn: Turn, loan: Transfer, body: bodies.Closed, by: Signature) -> Transfer:
    """Return the loan with the end that our own earlier message told. For `ledger.recover`: repeats no consequences."""
    ended = balance.with_ends(loan, Closing(body.how, by), _lines_in(turn, body, loan))
    return ended if body.lines is not None else replace(ended, closed=Closing(body.how, by))


def keep(turn: Turn, loan: Transfer, by: Signature) -> Transfer:
    """At the borrower: close the loan because the lender's bot is gone for good.

    The item stays in our books as the lender's.
    """
    return _end_lines(turn, loan, Closing(Ending.KEPT, by), balance.still_out(turn, loan), is_all=True)


def _end(turn: Turn, loan: Transfer, how: Ending, by: Signature) -> Transfer:
    """End the loan, in the way that comes last in `Ending` of all its lines, so that both sides agree in any order."""
    how = max([how, *(closing.how for closing in loan.line_ends)], key=list(Ending).index)
    ended = replace(loan, closed=Closing(how, by))
    turn.save(ended)
    turn.note_by(ended.id, audit.LoanEnded(how), by)
    refresh(turn, ended)
    for extension in balance.open_extensions(turn, loan) if loan.role == "sender" else ():
        both_sides.end(turn, extension, TransferState.DECLINED, None, balance.LOAN_OVER)
    connection = sequencing.connection_of(turn, ended)
    if connection.state is ConnectionState.ENDED and not balance.of_connection(turn, connection):
        provision.close_company(turn, connection)
    return ended


def refresh(turn: Turn, loan: Transfer) -> None:
    """Update the loan's card, our metadata and the notes of its stock items."""
    both_sides.update_card(turn, loan)
    for progress in loan.progress:
        if progress.stage in balance.ARRIVED:
            (mirror_given if loan.role == "sender" else mirror_received)(turn, loan, progress)
    label.show(turn, loan)


def note_turned_up(turn: Turn, gift: Transfer) -> None:
    """After a gift: note at the loan if the borrower has thereby given back an item that it had lost.

    The loan stays as it ended, but the stock item counts as lost or left over no longer.
    """
    for progress in gift.progress if not gift.moves_what_is_lent else ():
        for loan in turn.marked(Mark.ITEM, progress.item):
            back = [number for number in balance.lent(loan) if balance.turned_up(turn, loan, number) == gift]
            if not loan.is_loan or not back:
                continue
            if set(loan.left_over) & set(back):
                turn.save(replace(loan, left_over=tuple(n for n in loan.left_over if n not in back)))
            turn.note(loan.id, audit.Fact.TURNED_UP)
            label.show(turn, loan)


def _remarks(transfer: Transfer) -> str:
    """Return what people said about a return; each text names its author, unless that is the approver."""
    said = transfer.remark or (f"{transfer.asked.person}: {transfer.terms.note}" if transfer.terms.note else "")
    if not said:
        return ""
    approver = f"{transfer.decided.person}: " if transfer.decided is not None else ""
    begins = ": " if approver and said.startswith(approver) else "; "
    return begins + (said.replace(approver, "") if approver else said)


def take_back_step(turn: Turn, transfer: Transfer, number: int) -> TakeBack:
    """At the lender: return the step that takes its own stock item back from the borrower's company."""
    line, loan = transfer.line(number), turn.transfer(transfer.terms.parent)
    connection = sequencing.connection_of(turn, transfer)
    lent = loan.at(line.of_line) if loan else None
    if lent is None or lent.item is None or connection.company is None:
        raise ValueError(f"return {transfer.id} has nothing to take back")
    who = transfer.decided.in_history if transfer.decided else "?"
    state = "damaged" if transfer.damaged else "fine"
    whose = names.party_in_history(connection.peer_name, connection.peer)
    note = f"returned by {whose}, {state}, says {who}"
    return TakeBack(
        mark=step_mark(transfer, number, "home"),
        note=f"{note}{_remarks(transfer)}",
        item=lent.item,
        quantity=line.quantity,
        location=lent.location,
        status=STATUS_DAMAGED if transfer.damaged else lent.status,
        company=connection.company,
        known=known_item(turn, transfer, number),
    )
