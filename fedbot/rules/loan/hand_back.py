"""Returns: each is a transfer of its own, which the borrower sends and the lender decides.

Either the borrower's person asks, and the lender's card decides and records the condition; or the lender's approver
reports the return, and that line is the decision. The borrower debits like any sender. The lender takes its own stock
item back from the borrower's company.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from fedbot import messages
from fedbot.rules.connection import provision
from fedbot.rules.loan import balance
from fedbot.rules.model import audit
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Settlement, Signature
from fedbot.rules.model.diagnosis import ANOTHER_THING
from fedbot.rules.model.effects import Ask, Phrase, Post, say
from fedbot.rules.model.events import Answered, Said, Unanswered
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.queries import (
    Able,
    FindItems,
    InventoryStanding,
    ItemsFound,
    OfTransfer,
    Overview,
    PersonPermissions,
    Query,
    WhenAnswered,
    WhenAnsweredOrNot,
)
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.stock import Permission, Permissions, StockItem
from fedbot.rules.model.transfer import Line, Progress, Terms, Transfer, with_progress
from fedbot.rules.protocol import bodies, sequencing
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.protocol.terms import presentable
from fedbot.rules.state import Turn
from fedbot.rules.transfer import both_sides, opening, send
from fedbot.rules.wire import Cause

MOVED = "moved"
IN_PARTS = "in-parts"
SUPERSEDED = "asked-back"
LONGEST_REMARK = 300
RETURNS_PARTS = "returns_parts"
LENT = "lent"
"""The `match` of a return's line: the lender's own item."""


# --- started by our own people ---------------------------------------------------------------------------------


def hand_back(
    turn: Turn, cause: Cause, connection: Connection, terms: Terms, asker: Signature, source: int | None = None
) -> None:
    """The borrower's person returns it. The lender's people confirm on their card that it is there.

    `source` is the stock item of ours into which the borrowed one was merged. It is booked out of that one.
    """
    transfer = opening.open_push(turn, cause, connection, terms, asker, opening.OfferedStock())
    if source is not None:
        turn.save(with_progress(transfer, Progress(terms.lines[0].number, item=source)))


def ask_back(
    turn: Turn, cause: Cause, connection: Connection, terms: Terms, by: Signature, *, damaged: bool = False
) -> None:
    """The lender's approver has the item. Their line is the decision, and the borrower's bot books it out."""
    opened = opening.own_opening(turn, connection, cause)
    transfer = opening.own_transfer(turn, opened, connection, terms, by, "receiver")
    transfer = with_decision(turn, transfer, by, damaged=damaged)
    body = bodies.Request(damaged=damaged, **opening.opens(transfer), **both_sides.said_by(by))
    transfer, draft = sequencing.write(turn, transfer, body, awaits=True)
    turn.save(transfer)
    phrase = say(messages.loan.return_asked, transfer=transfer, us=turn.us, peer_name=connection.peer_name)
    turn.do(Post(MessageKind.OFFER.of(transfer.id), connection.room, phrase, reply_to=by.event_id, draft=draft))
    turn.note(transfer.id, audit.Asked(audit.Asking.ASK_BACK, connection.peer), by.person, by.event_id)
    turn.note(terms.parent, audit.Fact.ASKED_BACK, by.person, by.event_id)
    provision.mirror(turn, connection)


def with_decision(turn: Turn, transfer: Transfer, by: Signature, *, damaged: bool) -> Transfer:
    """At the lender: the return with our approver's decision, and with our own stock items."""
    transfer = _with_own_items(turn, transfer)
    return replace(transfer, wanted="approve", decided=by, approved_hash=transfer.terms_hash, damaged=damaged)


def take_back_alone(
    turn: Turn, cause: Cause, connection: Connection, terms: Terms, by: Signature, *, damaged: bool
) -> Transfer:
    """The connection has ended, but the item is here: open a return that corrects only our own books."""
    opened = opening.own_opening(turn, connection, cause)
    transfer = opening.own_transfer(turn, opened, connection, terms, by, "receiver")
    settled = Settlement(by, "back", alone=True)
    transfer = replace(transfer, state=TransferState.CREDITING, decided=by, damaged=damaged, settled=settled)
    transfer = _with_own_items(turn, transfer)
    turn.save(transfer)
    turn.note(transfer.id, audit.Asked(audit.Asking.TAKE_BACK_ALONE, connection.peer), by.person, by.event_id)
    return transfer


def _with_own_items(turn: Turn, transfer: Transfer) -> Transfer:
    """At the lender: add to each line our own stock item, and the location to which it goes back."""
    loan = turn.transfer(transfer.terms.parent)
    if loan is None:
        return transfer
    for line in transfer.terms.lines:
        lent = loan.at(line.of_line)
        own = Progress(
            line.number,
            item=lent.item,
            part=loan.line(line.of_line).part,
            match=LENT,
            status=lent.status,
            location=lent.location,
            place=line.place,
        )
        transfer = with_progress(transfer, own)
    return transfer


# --- a peer's messages ------------------------------------------------------------------------------------------


def on_asked_back(turn: Turn, connection: Connection, envelope: Message[bodies.Request], event_id: str) -> None:
    """At the borrower: the lender's approver has the item, so book it out. Raises BadTerms for an invalid transfer."""
    transfer = both_sides.with_delivery(opening.peers_transfer(turn, connection, envelope, event_id), envelope.body)
    loan = turn.transfer(transfer.terms.parent)
    turn.note(transfer.id, audit.Asked(audit.Asking.ASK_BACK, connection.peer, by_peer=True), transfer.terms.asker)
    for other in balance.returns(turn, loan) if loan else ():
        if other.state is TransferState.OPEN:  # our own undecided return: the lender's decision replaces it
            both_sides.end(turn, other, TransferState.CANCELLED, None, SUPERSEDED)
    reason = balance.wrong_return(turn, loan, transfer)
    if reason:
        both_sides.end(turn, transfer, TransferState.ABORTED, None, reason)
        return
    send.approve(turn, transfer, both_sides.signature_in(turn, envelope, connection.peer, event_id))


def on_handed_back(turn: Turn, connection: Connection, envelope: Message[bodies.Offer], event_id: str) -> None:
    """At the lender: the borrower wants to return it. Read InvenTree before the card is posted.

    Raises BadTerms for an invalid transfer.
    """
    transfer = opening.peers_transfer(turn, connection, envelope, event_id)
    reason = balance.wrong_return(turn, turn.transfer(transfer.terms.parent), transfer)
    if not reason:
        transfer = _with_own_items(turn, transfer)
    turn.save(transfer)
    turn.note(transfer.id, audit.Asked(audit.Asking.HAND_BACK, connection.peer, by_peer=True), transfer.terms.asker)
    if reason:
        decline(turn, transfer, reason)
    else:
        look(turn, transfer)


def decline(turn: Turn, transfer: Transfer, reason: str) -> None:
    """Decline a return that nobody could approve. The borrower keeps the item in its books."""
    body = bodies.Decline(reason=reason, **bodies.NOBODY)
    turn.save(sequencing.send(turn, replace(transfer, wanted="decline"), body, awaits=True))
    turn.note(transfer.id, audit.TransferIs(TransferState.DECLINED, reason))


def look(turn: Turn, transfer: Transfer) -> None:
    """Read whether our item is still with the borrower's company, and who may decide. Then the card is posted."""
    loan = turn.transfer(transfer.terms.parent)
    if loan is None:
        raise LookupError(f"return {transfer.id} of an unknown loan")
    turn.do(Ask(ShowReturnCard(transfer.id), (*queries(loan, transfer.terms), turn.who_may(Permission.APPROVER))))


def queries(loan: Transfer, terms: Terms) -> tuple[Query, ...]:
    """The queries to our InvenTree before a return: each of our stock items, and the server's abilities."""
    items = (loan.at(line.of_line).item for line in terms.lines)
    return (*(FindItems(f"#{item}") for item in items), Overview())


@dataclass(frozen=True)
class ShowReturnCard(both_sides.TellsThatItWaits, WhenAnswered):
    """Reads the state of our stock items and the approvers, before the lender's card is posted."""

    def answered(self, turn: Turn, event: Answered) -> None:
        """Post the card, or decline with the reason."""
        transfer = turn.transfer(self.transfer)
        *answers, able = event.answers
        if transfer is None or transfer.state is not TransferState.OPEN or transfer.wanted:
            return
        if not isinstance(able, Able):
            raise TypeError(f"the card asks who may decide, not {able!r}")
        transfer = both_sides.clear_wait(turn, transfer)
        loan, connection = turn.transfer(transfer.terms.parent), sequencing.connection_of(turn, transfer)
        reason = wrong_at_lender(loan, transfer.terms, connection, answers) if loan else "no-loan"
        if reason:
            decline(turn, transfer, reason)
            return
        opening.post_first_card(turn, transfer, opening.addressees(turn, able))


def wrong_at_lender(loan: Transfer, terms: Terms, connection: Connection, answers: list[Any]) -> str:
    """The code for why our InvenTree could not take it back; '' if it can. `answers` are those to `queries`."""
    *found, standing = answers
    if not isinstance(standing, InventoryStanding):
        raise TypeError(f"a return asks what InvenTree can do, not {standing!r}")
    for line, answer in zip(terms.lines, found, strict=True):
        item = item_of(answer, loan.at(line.of_line).item)
        lent = loan.line(line.of_line)
        if item is not None and not loan.settled and not _is_lent_item(item, lent):
            return ANOTHER_THING
        if item is None or item.customer != connection.company or item.quantity < line.quantity:
            return MOVED
        if item.quantity != line.quantity and RETURNS_PARTS not in standing.abilities:
            return IN_PARTS
    return ""


def _is_lent_item(item: StockItem, lent: Line) -> bool:
    """Compare more than the number: an InvenTree that was restored from a backup can assign the same number again."""
    return (item.part.pk, item.serial, item.batch) == (lent.part, lent.serial, lent.batch)


def item_of(answer: object, item: int | None) -> StockItem | None:
    """The stock item with that key among the found ones, or None. Raises TypeError for another answer."""
    if not isinstance(answer, ItemsFound):
        raise TypeError(f"a return asks for items, not {answer!r}")
    return next((each for each in answer.items if each.pk == item), None)


def return_of_remark(turn: Turn, event: Said) -> Transfer | None:
    """The undecided return to whose card this line of one of our people replies; None if there is none."""
    about = turn.key_of(event.reply_to)
    transfer = turn.transfer(about.subject) if about.kind is MessageKind.CARD else None
    if transfer is None or not transfer.is_return or transfer.state is not TransferState.OPEN or event.edits:
        return None
    return transfer if event.sender in turn.us.people and event.text.strip() else None


def on_reply(turn: Turn, event: Said) -> None:
    """Take a reply of our people to a return's card into the item's history, after reading their permissions."""
    transfer = return_of_remark(turn, event)
    if transfer is None:
        return
    said = presentable(" ".join(event.text.split()))
    person = PersonPermissions(turn.us.people[event.sender])
    until = turn.now + turn.us.line_too_old_after
    turn.do(Ask(NoteRemark(transfer.id, event.event_id, event.sender, said), (person,), until=until))


@dataclass(frozen=True)
class NoteRemark(OfTransfer, WhenAnsweredOrNot):
    """Reads whether the author of a remark on a return is an active user.

    `said` is its text, `event_id` its message.
    """

    event_id: str
    person: str
    said: str

    def answered(self, turn: Turn, event: Answered) -> None:
        """Note the remark, or say why not."""
        transfer, (permissions,) = turn.transfer(self.transfer), event.answers
        if transfer is None or transfer.state is not TransferState.OPEN or not isinstance(permissions, Permissions):
            return
        if self.person not in turn.us.people or not permissions.covers(Permission.MAPPED):
            _answer_remark(
                turn, transfer, self.event_id, say(messages.loan.remark_not_noted, transfer=transfer, problem=None)
            )
            return
        said = f"{self.person}: {self.said.replace('; @', ', @')}"  # so nobody writes as somebody else
        remark = f"{transfer.remark}; {said}" if transfer.remark else said
        turn.save(replace(transfer, remark=remark[:LONGEST_REMARK]))
        turn.note(transfer.id, audit.Fact.REMARK, self.person, self.event_id)
        _answer_remark(turn, transfer, self.event_id, say(messages.loan.remark_noted, transfer=transfer))

    def unanswered(self, turn: Turn, event: Unanswered) -> None:
        """Tell the author that nothing is noted."""
        transfer = turn.transfer(self.transfer)
        if transfer is not None:
            phrase = say(messages.loan.remark_not_noted, transfer=transfer, problem=event.problem)
            _answer_remark(turn, transfer, self.event_id, phrase)


def _answer_remark(turn: Turn, transfer: Transfer, event_id: str, phrase: Phrase) -> None:
    turn.do(Post(MessageKind.REMARK.of(transfer.id, event_id), transfer.room, phrase, reply_to=event_id))


# --- after a loss of the journal ---------------------------------------------------------------------------------


def go_on(turn: Turn, transfer: Transfer) -> None:
    """At the lender: start the unfinished part of a return again (`ledger.recover`)."""
    if not any(p.match for p in transfer.progress):
        transfer = _with_own_items(turn, transfer)
        turn.save(transfer)
    if transfer.state is TransferState.OPEN and not transfer.wanted and not transfer.has_card:
        look(turn, transfer)
