"""Whether the books of both spaces balance: the invariants of docs/design/moving-stock.md, looked up in InvenTree's
own tables."""

from __future__ import annotations

import json
import re
from collections import Counter
from decimal import Decimal
from itertools import permutations
from typing import Any

from fedbot.rules.loan import lend
from fedbot.rules.model.lending import TO_BE_AGREED
from fedbot.rules.model.lifecycles import FINAL, TransferState
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.transfer.both_sides import NOT_IN_ORDER, OTHER_THING, OTHER_UNIT
from tests.scenarios.space import Space
from tests.scenarios.world import World

# What InvenTree writes for the one act of each step: moved (20, 25) or split (42), sent to a customer (100), …
ACTS = {
    "brought": {15, 105},  # from a neighbour without a bot, into stock
    "out": {20, 25, 42},
    "over": {100},
    "arrived": {5},
    "away": {20, 25},
    "back": {15, 105},
    "putback": {20, 25},
    "home": {15, 105},
    "in": {15, 105},  # what was here before; anything else is created, without a note
    "lost": {5},
    "rest": {15, 105},
    "found": {5},
    "gift": {5},
    "gifted": {5},
    "off": {5},
}
MARK = re.compile(r"fed:(?P<transfer>[0-9a-z]{20}(?:-[a-z]+)?):(?P<line>\d+):(?P<step>[a-z]+)")
ON_THE_WAY = frozenset({TransferState.SENT, TransferState.CREDITING, TransferState.REFUSED, TransferState.REVERTING})


def assert_books_balance(world: World, *, at_rest: bool = True, with_history: bool = True) -> None:
    """Nothing is in stock twice, nothing is lost, each act was done once, and InvenTree's history tells of all.

    `at_rest`: both sides have come to the same end. `with_history`: what was booked in was put away too, which
    is what writes the receiver's history.
    """
    for space in world.spaces:
        assert space.bot.engine.failures == 0, f"the rules of {space.party} failed on something"
        _assert_each_act_once(space)
    for space, peer in permutations(world.spaces, 2):
        sent = [t for t in space.turn.transfers() if t.role == "sender" and t.peer == peer.party]
        for transfer in sent:
            other = peer.turn.transfer(transfer.id)
            if transfer.terms.kind == "return":
                _assert_return_balances(space, peer, transfer)
            else:
                _assert_lines_balance(space, peer, transfer, other)
            if transfer.is_loan and at_rest:
                _assert_loan_is_known_alike(space, peer, transfer)
            if with_history:
                _assert_history_tells(peer, transfer)
            if at_rest and other is not None:
                assert _end(transfer) == _end(other), f"{transfer.state} here, {other.state} there"
                never_adopted = other.problem in {
                    NOT_IN_ORDER,
                    OTHER_THING,
                    OTHER_UNIT,
                    TO_BE_AGREED,
                }  # the asker took the request back
                assert never_adopted or transfer.terms_hash == other.terms_hash
        _assert_nothing_vanished(space)
    _assert_nothing_secret_was_said(world)


def _end(transfer: Transfer) -> str:
    """Where a transfer stands, both sides alike; a receiver whose last message is on its way is done too."""
    if transfer.state in {TransferState.RECEIVED, TransferState.DONE}:
        return "done"
    if transfer.state in {TransferState.APPROVED, TransferState.OPEN}:
        return "open"
    return str(transfer.state)


def _assert_each_act_once(space: Space) -> None:
    counts: Counter[str] = Counter()
    for entry in space.tables.tracking:
        found = MARK.match(entry.notes or "")
        if found and entry.tracking_type in ACTS[found["step"]] and "undone:" not in entry.notes:
            counts[found.group()] += 1
    links = Counter(row.link for row in space.stock() if MARK.search(row.link) and row.parent is None)
    twice = [mark for mark, times in (counts + links).items() if times > 1]
    assert not twice, f"done twice at {space.party}: {twice}"


def _assert_lines_balance(sender: Space, receiver: Space, transfer: Transfer, other: Transfer | None) -> None:
    """Debited = credited + on the way + reverted, line by line; never in stock on both sides."""
    for line in transfer.terms.lines:
        mark = f"fed:{transfer.id}:{line.number}"
        debited = _marked(sender, f"{mark}:over", ACTS["over"])
        back = _marked(sender, f"{mark}:back", ACTS["back"])
        again = {entry.item for entry in _marked(receiver, f"{mark}:in", ACTS["in"])}
        credited = [row for row in receiver.stock() if f"{mark}:in" in row.link or row.pk in again]
        booked_in = [row for row in credited if row.parent is None]  # the others were split off since
        assert len(booked_in) <= 1, f"{mark} was booked in twice"
        if credited:
            assert sum(row.quantity for row in credited) == transfer.came(line.number)
            assert debited, f"{mark} is booked in at {receiver.party}, but was never given by {sender.party}"
            assert not back, f"{mark} is in stock on both sides"
        if transfer.state in FINAL and transfer.state is not TransferState.DONE:
            assert len(debited) == len(back), f"{mark} is {transfer.state}, but with the peer's company"
            assert not credited, f"{mark} is {transfer.state}, but booked in"
        if debited and not credited and not back:
            states = {transfer.state} | ({other.state} if other else set())
            assert states & (ON_THE_WAY | {TransferState.DISPUTED, TransferState.DEBITING}), (
                f"{mark} vanished: {states}"
            )
        if transfer.state in {TransferState.DONE, TransferState.REVERTED}:
            assert _lies_in_outgoing(sender, mark) == [], f"{mark} still lies in Outgoing"


def _assert_return_balances(borrower: Space, owner: Space, transfer: Transfer) -> None:
    """What left the borrower is back at the owner, as the owner's own item; or is on its way, or back again."""
    for line in transfer.terms.lines:
        mark = f"fed:{transfer.id}:{line.number}"
        debited = _marked(borrower, f"{mark}:over", ACTS["over"])
        back = _marked(borrower, f"{mark}:back", ACTS["back"])
        home = _marked(owner, f"{mark}:home", ACTS["home"])
        assert len(home) <= 1
        if home:
            assert debited, f"{mark} is home, but {borrower.party} never gave it"
            assert not back, f"{mark} is in stock on both sides"
        if transfer.state in FINAL:
            done = transfer.state is TransferState.DONE
            assert len(home) == (1 if done else 0), f"{mark} is {transfer.state}"
            assert len(debited) == len(back) + (1 if done else 0), f"{mark} is {transfer.state}"


def _assert_loan_is_known_alike(owner: Space, borrower: Space, loan: Transfer) -> None:
    """Both sides know the same of a loan, and the owner's InvenTree has with the company exactly what is out."""
    other = borrower.turn.transfer(loan.id)
    if other is None or not loan.is_on_loan:
        assert other is None or (loan.closed and loan.closed.how) == (other.closed and other.closed.how)
        return
    assert (loan.due_day, lend.out(owner.turn, loan)) == (other.due_day, lend.out(borrower.turn, other))
    for number, quantity in lend.out(owner.turn, loan).items():
        item = loan.at(number).item
        assert item is not None
        row = owner.row(item)
        assert row.customer is not None, f"stock #{item} is on loan, but not with a company"
        if not any(t.state not in FINAL for t in lend.returns(owner.turn, loan)):
            assert row.quantity == quantity, f"{row.quantity} of stock #{item} are out, by the journal {quantity}"


def _assert_history_tells(receiver: Space, transfer: Transfer) -> None:
    """Every item that was booked in says in InvenTree's own history by which transfer."""
    for row in receiver.stock():
        if f"fed:{transfer.id}:" in row.link and row.parent is None:
            assert any(f"fed:{transfer.id}:" in note for note in receiver.history(row.pk)), f"no history of {row.pk}"


def _marked(space: Space, mark: str, kinds: set[int]) -> list[Any]:
    """The acts that InvenTree's history tells of under this mark, those that we took back ourselves left out."""
    return [
        entry
        for entry in space.tables.tracking
        if (entry.notes or "").startswith(f"{mark} ") and entry.tracking_type in kinds and "undone:" not in entry.notes
    ]


def _lies_in_outgoing(space: Space, mark: str) -> list[Any]:
    outgoing = space.location("Outgoing")
    return [
        row
        for row in space.stock(location=outgoing)
        if any(note.startswith(f"{mark}:out") for note in space.history(row.pk))
    ]


def _assert_nothing_vanished(space: Space) -> None:
    """A space that gives keeps the row, with the peer's company; one that gets has exactly what it booked in."""
    booked_in: dict[int, Decimal] = {}
    for row in space.stock():
        if MARK.search(row.link):  # what was split off from it since has the mark too
            booked_in[row.part] = booked_in.get(row.part, Decimal(0)) + row.quantity
    expected = {part: space.counted.get(part, Decimal(0)) + booked_in.get(part, Decimal(0)) for part in space.count()}
    assert space.count() == expected, f"{space.party} has other quantities than it should"
    gone = [part for part, quantity in space.counted.items() if quantity and part not in expected]
    assert not gone, f"stock of {space.party} vanished"


def _assert_nothing_secret_was_said(world: World) -> None:
    said = json.dumps(world.server.log, default=str)
    for space in world.spaces:
        secrets = [*space.seeded.tokens.values(), *space.vault.secrets.values()]
        kept = "\n".join(space.journal._database._connection.iterdump())
        for secret in secrets:
            assert secret not in said, f"a token of {space.party} was said in a room"
            assert secret not in kept, f"a token of {space.party} stands in its journal"
