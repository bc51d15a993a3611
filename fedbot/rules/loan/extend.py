"""Extensions: the lender grants one at once, or decides on a card when the borrower asks.

The borrower's request is a transfer of its own, which moves nothing. Only the lender sets the due date.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from fedbot import messages
from fedbot.rules.loan import balance, bookings, end
from fedbot.rules.model import audit, lending
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.effects import Ask, Post, say
from fedbot.rules.model.events import Answered
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.queries import Able, WhenAnswered
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.stock import Permission
from fedbot.rules.model.transfer import Terms, Transfer
from fedbot.rules.protocol import bodies, sequencing
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.protocol.terms import BadTerms
from fedbot.rules.state import Turn
from fedbot.rules.transfer import both_sides, opening
from fedbot.rules.transfer.opening import open_request
from fedbot.rules.wire import Cause


def ask(turn: Turn, cause: Cause, connection: Connection, loan: Transfer, until: date, asker: Signature) -> None:
    """Send the borrower's request for a later due date."""
    terms = Terms(
        kind=balance.EXTENSION,
        sender=loan.terms.sender,
        receiver=loan.terms.receiver,
        lines=loan.terms.lines,
        asker=asker.person,
        asker_name=asker.name,
        note=asker.note,
        loan_until=until,
        parent=loan.id,
        time_zone=loan.terms.time_zone,
    )
    open_request(turn, cause, connection, terms, asker)


def on_asked(turn: Turn, connection: Connection, envelope: Message[bodies.Request], event_id: str) -> None:
    """At the lender: take in the borrower's request. Raises BadTerms if it doesn't fit a loan in our journal."""
    transfer = opening.peers_transfer(turn, connection, envelope, event_id)
    loan = turn.transfer(transfer.terms.parent)
    known = loan is not None and loan.role == "sender" and loan.peer == connection.peer
    if loan is None or not known or loan.terms.lines != transfer.terms.lines:
        raise BadTerms("terms.parent")
    if transfer.terms.loan_until is None or transfer.terms.time_zone != loan.terms.time_zone:
        raise BadTerms("terms.loan_until or terms.time_zone")
    turn.save(transfer)
    turn.note(transfer.id, audit.Asked(audit.Asking.MORE_TIME, connection.peer, by_peer=True), transfer.terms.asker)
    refused = against_rules(turn, loan, transfer.terms.loan_until) if loan.is_on_loan else balance.LOAN_OVER
    if refused:
        both_sides.end(turn, transfer, TransferState.DECLINED, None, refused)
    else:
        look(turn, transfer)


def against_rules(turn: Turn, loan: Transfer, until: date) -> str:
    """The code for why the loan's lending rules don't allow that due date; '' if they do."""
    today = turn.day_of(loan)
    due = max(loan.due_day or today, today)
    if loan.due_day is not None and until <= loan.due_day:  # not an extension
        return ""
    return lending.against_extension(loan.terms.rules, loan.extended, due, until)


def look(turn: Turn, transfer: Transfer) -> None:
    """Read who may decide. Then the card is posted."""
    turn.do(Ask(ShowExtensionCard(transfer.id), (turn.who_may(Permission.APPROVER),)))


@dataclass(frozen=True)
class ShowExtensionCard(both_sides.TellsThatItWaits, WhenAnswered):
    """Reads the approvers before the lender's card is posted."""

    def answered(self, turn: Turn, event: Answered) -> None:
        """Post the card."""
        transfer = turn.transfer(self.transfer)
        (able,) = event.answers
        if transfer is None or transfer.state is not TransferState.OPEN or not isinstance(able, Able):
            return
        transfer = replace(both_sides.clear_wait(turn, transfer), over=bookings.conflicts(turn, transfer))
        opening.post_first_card(turn, transfer, opening.addressees(turn, able))


def on_approved(turn: Turn, transfer: Transfer, decided: Signature) -> None:
    """At the lender: extend the loan, if its rules still allow that. It may have been extended since the request."""
    loan = turn.transfer(transfer.terms.parent)
    if loan is None or not loan.is_on_loan or transfer.terms.loan_until is None:
        both_sides.end(turn, transfer, TransferState.DECLINED, None, balance.LOAN_OVER)
        return
    if refused := against_rules(turn, loan, transfer.terms.loan_until):
        both_sides.end(turn, transfer, TransferState.DECLINED, None, refused)
        return
    both_sides.end(turn, transfer, TransferState.DONE, decided)
    loan = _save_due_date(turn, loan, transfer.terms.loan_until, decided)
    turn.save(sequencing.send(turn, loan, _message(loan, decided), awaits=True))


def prolong(turn: Turn, loan: Transfer, until: date, by: Signature) -> None:
    """The lender's approver extends the loan at once. The message in the room carries the protocol message.

    It also answers the borrower's open requests: approved for the same day, declined for any other.
    """
    for extension in balance.open_extensions(turn, loan):
        if extension.terms.loan_until == until:
            both_sides.end(turn, extension, TransferState.DONE, by)
        else:
            both_sides.end(turn, replace(extension, back_by=until), TransferState.DECLINED, by, balance.OTHER_DAY)
    loan = _save_due_date(turn, loan, until, by)
    awaits = sequencing.connection_of(turn, loan).state is not ConnectionState.ENDED
    loan, draft = sequencing.write(turn, loan, _message(loan, by), awaits=awaits)
    turn.save(loan)
    phrase = say(messages.loan.loan_extended, loan=loan, us=turn.us, peer_name=turn.party_name(loan.peer), note=by.note)
    turn.do(Post(MessageKind.EXTENDED.of(loan.id, by.event_id), loan.room, phrase, reply_to=by.event_id, draft=draft))


def _message(loan: Transfer, by: Signature) -> bodies.Extended:
    if loan.back_by is None:
        raise ValueError(f"{loan.id} is no loan")
    return bodies.Extended(until=loan.back_by, **both_sides.said_by(by))


def _save_due_date(turn: Turn, loan: Transfer, until: date, by: Signature) -> Transfer:
    """Save and return the loan with its new due date, and update its card and metadata. Counts as a reminder."""
    loan = replace(with_due_date(loan, until), reminded=turn.now)
    turn.save(loan)
    turn.note_by(loan.id, audit.DueDate(until), by)
    end.refresh(turn, loan)
    return loan


def on_extended(turn: Turn, loan: Transfer, envelope: Message[bodies.Extended]) -> None:
    """At the borrower: take over the new due date. If the loan has ended here, only note it."""
    loan = sequencing.send(turn, loan, bodies.Noted())
    turn.save(loan)
    day = envelope.body.until
    if loan.is_on_loan:
        _save_due_date(turn, loan, day, both_sides.signature_in(turn, envelope, loan.peer, ""))
    else:
        turn.save(with_due_date(loan, day))


def with_due_date(loan: Transfer, until: date) -> Transfer:
    """Return the loan with that due date, counted as one more extension if it is later."""
    is_later = loan.due_day is not None and until > loan.due_day
    return replace(loan, back_by=until, extended=loan.extended + is_later)
