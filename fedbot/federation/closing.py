"""How a loan ends: with its last return, or by the word of the owner's approver as a gift or lost (DESIGN §2, §6)."""

from __future__ import annotations

from dataclasses import replace

from fedbot.federation import letters, loans, making
from fedbot.federation import transfer as transfers
from fedbot.federation.documents import (
    Closing,
    Connection,
    ConnectionState,
    Ending,
    Signature,
    Transfer,
    TransferState,
)
from fedbot.federation.effects import Do, Post, say
from fedbot.federation.envelope import Envelope
from fedbot.federation.events import Context, StepRefused, StepUnknown
from fedbot.federation.provenance import mirror_given, mirror_received
from fedbot.federation.state import Turn
from fedbot.federation.steps import Arrived
from fedbot.federation.stock import STATUS_LOST

NOTING = "noting-loss"
"""The purpose of the step that writes a loss into InvenTree."""


def is_home(turn: Turn, transfer: Transfer) -> None:
    """A return is through, as far as this side is concerned: the loan is over with the last of it."""
    loan = turn.transfer(transfer.terms.parent) if loans.is_return(transfer) else None
    if loan is None or not loan.is_on_loan:
        return
    if loans.out(turn, loan):
        turn.note(loan.id, "came back in part")
        show_anew(turn, loan)
    else:
        _end(turn, loan, Ending.RETURNED, transfer.decided or transfer.asked)


def end_what_is_back(turn: Turn) -> None:
    """A journal that knew less than the world has read of returns: the loans of which nothing is out are over."""
    for loan in loans.on_loan(turn):
        done = [t for t in loans.returns(turn, loan) if t.state in loans.OVER_WITH_STOCK]
        if done and not loans.out(turn, loan):
            _end(turn, loan, Ending.RETURNED, done[-1].decided or done[-1].asked)


def close(turn: Turn, loan: Transfer, how: Ending, by: Signature) -> Transfer:
    """The owner's approver makes it a gift, or writes it off: told to the borrower; it stays with its company."""
    ended = _end(turn, loan, how, by)
    connection = letters.connection_of(turn, ended)
    awaits = connection.state is not ConnectionState.ENDED
    body = {"how": how.value, **transfers.as_body(by)}
    ended, draft = letters.write(turn, ended, "closed", body, awaits=awaits)
    turn.save(ended)
    if how is Ending.LOST:
        _note_loss(turn, ended, connection, by)
    phrase = say("loan_closed", loan=ended, home=turn.home, peer_name=turn.party_name(ended.peer))
    people = tuple(dict.fromkeys(s.person for s in (ended.asked, ended.decided) if s and s.person != by.person))
    key = f"closed:{ended.id}"
    turn.do(Post(key, ended.room, phrase, reply_to=by.event_id, rings=people, draft=draft))
    return ended


def tell_alone(turn: Turn, loan: Transfer) -> None:
    """It is back, as our people say without the other side, whose books should know if anybody is there to read it."""
    if loan.closed is None:
        return
    body = {"how": loan.closed.how.value, **transfers.as_body(loan.closed.by)}
    turn.save(letters.send(turn, loan, "closed", body))


def _note_loss(turn: Turn, loan: Transfer, connection: Connection, by: Signature) -> None:
    """What is still out has the status 'lost' in our InvenTree, with who said so in its history."""
    for number in loans.out(turn, loan):
        item = loan.at(number).item
        if item is not None:
            note = f"lost at {connection.peer_name}, says {by.name}"
            step = Arrived(transfers.mark(loan, number, "lost"), note, item, STATUS_LOST)
            turn.do(Do(Context(NOTING, loan.id, number), step))


def on_not_noted(turn: Turn, event: StepRefused | StepUnknown) -> None:
    """InvenTree didn't take the status 'lost': the admins do it by hand."""
    loan = turn.transfer(event.context.subject)
    if loan is not None:
        turn.tell_admins(say("loss_not_noted", loan=loan, text=event.text), f"lost:{loan.id}:{event.context.line}")


def on_closed(turn: Turn, loan: Transfer, envelope: Envelope) -> None:
    """At the borrower: the owner's word on how it ended. What is back without having left our books is told."""
    loan = letters.send(turn, loan, "noted")
    turn.save(loan)
    how = ending_in(envelope)
    if not loan.is_on_loan or how is None:
        return
    here = tuple(stock[0] for number in loans.out(turn, loan) if (stock := loans.borrowers_stock(loan, number)))
    loan = _end(turn, loan, how, transfers.signature_in(envelope, loan.peer, ""))
    if how is Ending.RETURNED and here:
        phrase = say("back_but_in_our_books", loan=loan, peer_name=turn.party_name(loan.peer), items=here)
        turn.tell_admins(phrase, f"back-alone:{loan.id}")


def ending_in(envelope: Envelope) -> Ending | None:
    """How a loan ended, as a letter tells."""
    how = envelope.body.get("how")
    return Ending(how) if how in set(Ending) else None


def _end(turn: Turn, loan: Transfer, how: Ending, by: Signature) -> Transfer:
    ended = replace(loan, closed=Closing(how, by))
    turn.save(ended)
    turn.note(ended.id, f"loan over: {how.value}", by.person, by.event_id)
    show_anew(turn, ended)
    for asked in loans.open_extensions(turn, loan) if loan.role == "sender" else ():
        transfers.end(turn, asked, TransferState.DECLINED, None, loans.LOAN_OVER)
    connection = letters.connection_of(turn, ended)
    if connection.state is ConnectionState.ENDED and not loans.of_connection(turn, connection):
        making.close_company(turn, connection)
    return ended


def show_anew(turn: Turn, loan: Transfer) -> None:
    """The loan's card and our metadata say how it stands now."""
    if "card" in loan.told:
        transfers.edit_card(turn, loan)
    for progress in loan.progress:
        if progress.stage in loans.CAME_BACK:
            (mirror_given if loan.role == "sender" else mirror_received)(turn, loan, progress)
