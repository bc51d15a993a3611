"""Checks the end of a history, when all links are healthy, all bots run, and enough time has passed."""

from __future__ import annotations

from datetime import timedelta

from fedbot.messages.diagnosis import english
from fedbot.rules.connection.disconnect import DISCONNECTED
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.lifecycles import BOOKS_SETTLED, FINAL, ConnectionState, Ending, TransferState
from fedbot.rules.model.transfer import Line, Transfer
from tests.fakes.people import Person
from tests.simulation.auditor import OVER, Auditor, Movement
from tests.simulation.federation import Federation
from tests.simulation.lying import TRUTHS
from tests.simulation.party import Party

# The states of both sides that agree.
AGREED = {(state, state) for state in FINAL} | {(TransferState.DISPUTED, TransferState.DISPUTED)}
ANSWERED = {TransferState.RECEIVED: TransferState.RECEIVED, TransferState.REFUSED: TransferState.REVERTING}
"""The receiver's answers, and the sender's state that follows from each."""

# The disputes that trouble with an InvenTree can't explain.
NEVER_RIGHT = (Plain(Fault.NOT_APPROVED), Plain(Fault.RECEIVED_BUT_NOT_SENT))


def must_agree(auditor: Auditor) -> None:
    """Everything has ended, and both sides agree."""
    for party in auditor.parties:
        if party is auditor.liar:
            continue
        auditor.look(party)
        auditor.must_have_kept(party)
        _must_be_idle(auditor, party)
        auditor.outside.must_be_over(party)
        for transfer in party.transfers():
            if transfer.id not in auditor.forged | auditor.settled:
                _must_be_over(auditor, party, transfer)
        lied = {transfer.connection for transfer in party.transfers() if transfer.id in auditor.forged}
        for connection in party.connections():
            peer = auditor.by_id(connection.peer)
            if peer is auditor.liar:
                continue
            other = next((each.state for each in peer.connections() if each.id == connection.id), None)
            if connection.state in OVER and (other is None or other in OVER):
                continue
            if ConnectionState.ENDING in {connection.state, other} and connection.id in lied:
                continue  # it waits for the end of a transfer that the other side's bot has lied about
            if not (connection.state is other is ConnectionState.ACTIVE):
                auditor.wrong(
                    f"connection {connection.id[:4]} is {connection.state} at {party.id} ({connection.needs} "
                    f"{connection.problem}), {other} at {peer.id}"
                )


async def people_end_it(federation: Federation) -> None:
    """People can end everything that is still open, even without a lying bot's help: nothing stays in limbo (8)."""
    await _both_settle(federation)
    auditor = federation.auditor
    if auditor.liar is None:
        return
    left = [(party, connection) for party in auditor.parties for connection in _with_liar(auditor, party)]
    for party, connection in left:
        superuser = federation.people[party.person(party.people.superuser)]
        await _settle(federation, party, connection, superuser)
        if connection.state is ConnectionState.OFFERED:
            superuser.says(f"!fed decline {connection.code}")
            await federation.passes(timedelta(minutes=1))
        elif connection.state not in OVER:
            superuser.says(f"!fed disconnect {connection.peer} --sure --now")
            await federation.passes(timedelta(minutes=10))
        await _settle(federation, party, connection, superuser)
    await federation.passes(timedelta(days=1))
    for party, connection in left:
        for transfer in _unsettled(party, connection):
            state = f"{transfer.state} ({transfer.role}, {transfer.terms.kind}: {transfer.problem})"
            auditor.wrong(f"{party.id}: nobody can end {transfer.id[:4]}: {state} (8)")
        now = next((each for each in party.connections() if each.id == connection.id), connection)
        if now.state not in OVER:
            auditor.wrong(f"{party.id}: nobody can end the friendship {now.id[:4]}: {now.state} (8)")


async def _both_settle(federation: Federation) -> None:
    """Superusers of honest spaces settle a dispute, and then it is over on both sides."""
    auditor = federation.auditor
    disputed = {t.id: t for party in auditor.parties for t in party.transfers() if t.state is TransferState.DISPUTED}
    between = [t for t in disputed.values() if t.id not in auditor.forged | auditor.settled]
    for transfer in between:
        sides = [auditor.by_id(each) for each in (transfer.terms.sender, transfer.terms.receiver)]
        for party in (*sides, sides[0]):  # the sender's again, because the receiver's may have contradicted them
            known = party.transfer(transfer.id)
            if known is not None and known.state is TransferState.DISPUTED:
                await _says_all_truths(federation, party, known)
        await _says_that_it_came(federation, sides[1], transfer)
        await federation.passes(timedelta(days=2))
        states = [known.state for party in sides if (known := party.transfer(transfer.id)) is not None]
        if not set(states) <= FINAL:
            auditor.wrong(f"nobody can end {transfer.id[:4]} ({transfer.terms.kind}): {states} (8)")


async def _says_that_it_came(federation: Federation, receiver: Party, transfer: Transfer) -> None:
    """A parcel that its sender's superuser reported as sent is awaited like any other."""
    known = receiver.transfer(transfer.id)
    if known is not None and known.awaits_parcel:
        federation.people[receiver.person(receiver.people.superuser)].says(f"!fed received {known.code}")
        await federation.passes(timedelta(minutes=1))


async def _settle(federation: Federation, party: Party, connection: Connection, superuser: Person) -> None:
    """Try all of a superuser's choices for the open transfers, one after the other."""
    for transfer in _unsettled(party, connection):
        superuser.says(f"!fed cancel {transfer.code}")
        await federation.passes(timedelta(minutes=1))
        await _says_all_truths(federation, party, transfer)


async def _says_all_truths(federation: Federation, party: Party, transfer: Transfer) -> None:
    """Try all of a superuser's choices for a transfer until one is accepted."""
    federation.auditor.settled.add(transfer.id)
    superuser = federation.people[party.person(party.people.superuser)]
    for truth in TRUTHS:
        known = party.transfer(transfer.id)
        if known is not None and known.state not in BOOKS_SETTLED[known.role]:
            superuser.says(f"!fed resolve {transfer.code} --as {truth}")
            await federation.passes(timedelta(minutes=1))


def _with_liar(auditor: Auditor, party: Party) -> list[Connection]:
    liar = auditor.liar
    return [] if liar is None or party is liar else [c for c in party.connections() if c.peer == liar.id]


def _unsettled(party: Party, connection: Connection) -> list[Transfer]:
    mine = [t for t in party.transfers() if t.connection == connection.id]
    return [t for t in mine if t.state not in BOOKS_SETTLED[t.role]]


def _must_be_idle(auditor: Auditor, party: Party) -> None:
    for queue, kind, problem in party.unfinished_rows():
        auditor.wrong(f"{party.id} still has a {kind} to do ({queue}: {problem})")


def _must_be_over(auditor: Auditor, party: Party, transfer: Transfer) -> None:
    peer = auditor.by_id(transfer.peer)
    other = peer.transfer(transfer.id)
    name = f"{transfer.id[:4]} ({transfer.terms.kind})"
    if other is None:
        if transfer.state not in FINAL:
            auditor.wrong(f"{name} is {transfer.state} at {party.id}, unknown at {peer.id}")
        return
    agreed = (transfer.state, other.state) in AGREED or _called_off(transfer, other) or _is_at_a_loss(transfer, other)
    if transfer.role == "sender" and not agreed:
        auditor.wrong(f"{name} is {transfer.state} at {party.id} (sender), {other.state} at {peer.id}")
    if transfer.exchange.awaiting:
        auditor.wrong(f"{name}: {party.id} still waits for {peer.id} to read its letters")
    if transfer.state is TransferState.DISPUTED:
        _must_be_explained(auditor, party, transfer)
    if transfer.role == "sender" and transfer.terms.kind != "extension":
        _books_must_balance(auditor, party, transfer)
    if transfer.is_loan and transfer.role == "sender" and transfer.state is TransferState.DONE:
        _loan_must_add_up(auditor, party, transfer, other)


def _loan_must_add_up(auditor: Auditor, owner: Party, loan: Transfer, other: Transfer) -> None:
    """No more is returned than was lent; a loan ends when all of it is back; both sides agree."""
    returns = [t for t in owner.transfers() if t.terms.parent == loan.id and t.terms.kind == "return"]
    if {t.id for t in returns} & (auditor.forged | auditor.settled) or any(
        t.state is TransferState.DISPUTED for t in returns
    ):
        return
    name = f"loan {loan.id[:4]}"
    moved = {line.number: auditor.movements.get((loan.id, line.number), Movement()) for line in loan.terms.lines}
    given = {number for number, m in moved.items() if m.over > m.back}  # a refused line was returned at once
    lent = sum(moved[number].handed for number in given)
    back = sum(
        line.quantity
        for transfer in returns
        for line in transfer.terms.lines
        if auditor.movements.get((transfer.id, line.number), Movement()).created
    )
    over = {closing.line for closing in loan.line_ends}
    came = {line.of_line for transfer in returns for line in transfer.terms.lines if _is_home(auditor, transfer, line)}
    returned = loan.closed is not None and loan.closed.how is Ending.RETURNED
    if back > lent or (returned and back != lent) or (loan.closed is None and lent and back == lent):
        auditor.wrong(f"{name}: {lent} lent, {back} came back, {loan.closed and loan.closed.how}")
    if (loan.closed is None and given and given <= over) or (loan.closed is not None and not given <= over | came):
        auditor.wrong(f"{name}: of {given} {came} came back, {over} are over: {loan.closed and loan.closed.how}")
    there = [t for t in auditor.by_id(loan.peer).transfers() if t.terms.parent == loan.id and t.terms.kind == "return"]
    if any(t.state is TransferState.DISPUTED for t in there):
        return  # the borrower's people have to say first what became of it
    active = {c.id for c in owner.connections() if c.state is ConnectionState.ACTIVE}
    ours, theirs = (
        (t.closed and t.closed.how, [t.ending_of(line.number) for line in t.terms.lines], t.due_day)
        for t in (loan, other)
    )
    if ours != theirs and loan.connection in active:
        auditor.wrong(f"{name} is {ours} at {owner.id}, {theirs} at {loan.peer}")
    if other.left_over and loan.connection in active:
        auditor.wrong(
            f"{name}: {other.left_over} still count in {loan.peer}'s stock, though its superuser took them out"
        )


def _is_home(auditor: Auditor, transfer: Transfer, line: Line) -> bool:
    return bool(auditor.movements.get((transfer.id, line.number), Movement()).created)


def _called_off(sent: Transfer, received: Transfer) -> bool:
    """Whether the receiver's side ended the friendship at once, without waiting for the sender (UC5)."""
    alone = received.state is TransferState.CANCELLED and received.problem == DISCONNECTED
    return alone and sent.state in FINAL - {TransferState.DONE}


def _is_at_a_loss(sent: Transfer, received: Transfer) -> bool:
    """Whether the receiver has answered, and a later step of the sender failed (8)."""
    dispute = sent.dispute
    return dispute is not None and dispute.by == (sent.terms.sender,) and dispute.was is ANSWERED.get(received.state)


def _must_be_explained(auditor: Auditor, party: Party, transfer: Transfer) -> None:
    why = english(transfer.obstacle)
    if not why:
        auditor.wrong(f"{transfer.id[:4]} is disputed at {party.id} without a reason")
    if transfer.obstacle in NEVER_RIGHT:
        auditor.wrong(f"{transfer.id[:4]} is disputed at {party.id}: {why}")
    # a process that crashes just before a request, and is down for longer than `give up`, can't know its outcome
    crashed = party.crashes or auditor.by_id(transfer.peer).crashes
    explained = crashed or transfer.id in auditor.missing or {party.id, transfer.peer} & auditor.troubled
    if not explained:
        auditor.wrong(f"{transfer.id[:4]} is disputed though no InvenTree had any trouble: {why}")


def _books_must_balance(auditor: Auditor, party: Party, transfer: Transfer) -> None:
    """Invariant 2, line by line: handed-over items were booked in or returned, or a person must look."""
    if transfer.state is TransferState.DISPUTED:
        return
    for line in transfer.terms.lines:
        movement = auditor.movements.get((transfer.id, line.number))
        if movement is None:
            if transfer.state is TransferState.DONE and not transfer.at(line.number).failed:
                auditor.wrong(f"{transfer.id[:4]} line {line.number} is done, but nothing moved (2)")
            continue
        settled = movement.over == movement.created + movement.back
        if not settled:
            auditor.wrong(
                f"{transfer.id[:4]} line {line.number} is {transfer.state}: handed over {movement.over} times, "
                f"booked in {movement.created}, taken back {movement.back} (2)"
            )
        progress = transfer.at(line.number)
        row = party.inventree.stock.get(progress.item)
        outgoing = next(place.pk for place in party.inventree.locations if place.name == "Outgoing")
        if not movement.over and row is not None and row.location == outgoing and party.id not in auditor.clicked:
            auditor.wrong(f"{transfer.id[:4]} line {line.number} is {transfer.state}, yet lies in Outgoing (2)")
