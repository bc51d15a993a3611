"""Check that both spaces' stock balances (the invariants of docs/design/moving-stock.md) in InvenTree's tables."""

from __future__ import annotations

import json
import re
from collections import Counter
from decimal import Decimal
from itertools import permutations
from typing import Any

from fedbot.rules.loan import balance
from fedbot.rules.model.lending import TO_BE_AGREED
from fedbot.rules.model.lifecycles import FINAL, TransferState
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.transfer.both_sides import NOT_IN_ORDER, OTHER_THING, OTHER_UNIT
from tests.scenarios.space import Space
from tests.scenarios.world import World

# The tracking types of each step's change: moved (20, 25) or split (42), sent to a customer (100), …
ACTS = {
    "brought": {15, 105},  # from a neighbour without a bot into stock
    "out": {20, 25, 42},
    "over": {100},
    "arrived": {5},
    "away": {20, 25},
    "back": {15, 105},
    "merge": {45},
    "putback": {20, 25},
    "home": {15, 105},
    "in": {15, 105},  # an item that was here before; anything else is created, without a note
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
    """Check that nothing is in stock twice, nothing is lost, each change was made once, and the history shows all of
    them.

    `at_rest`: both sides have ended the transfers. `with_history`: booked-in items were also put away, which is the
    step that writes the receiver's history.
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
                }  # the requester cancelled the request
                assert never_adopted or transfer.terms_hash == other.terms_hash
        _assert_nothing_vanished(space)
    _assert_nothing_secret_was_said(world)


def _end(transfer: Transfer) -> str:
    """The end of a transfer, the same on both sides. A receiver whose last message is in transit counts as done."""
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
    """For each line: debited = credited + in transit + reverted; never in stock on both sides."""
    for line in transfer.terms.lines:
        mark = f"fed:{transfer.id}:{line.number}"
        debited = _marked(sender, f"{mark}:over", ACTS["over"])
        back = _marked(sender, f"{mark}:back", ACTS["back"])
        again = {entry.item for entry in _marked(receiver, f"{mark}:in", ACTS["in"])}
        credited = [row for row in receiver.stock() if f"{mark}:in" in row.link or row.pk in again]
        booked_in = [row for row in credited if row.parent is None]  # the others were split off later
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
    """The borrower's returned items are the lender's own item again, in transit, or back with the borrower."""
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
    """Both sides agree about a loan, and the lender's InvenTree shows exactly the open quantity with the company."""
    other = borrower.turn.transfer(loan.id)
    if other is None or not loan.is_on_loan:
        assert other is None or (loan.closed and loan.closed.how) == (other.closed and other.closed.how)
        return
    assert (loan.due_day, balance.still_out(owner.turn, loan)) == (
        other.due_day,
        balance.still_out(borrower.turn, other),
    )
    for number, quantity in balance.still_out(owner.turn, loan).items():
        item = loan.at(number).item
        assert item is not None
        row = owner.row(item)
        assert row.customer is not None, f"stock #{item} is on loan, but not with a company"
        if not any(t.state not in FINAL for t in balance.returns(owner.turn, loan)):
            assert row.quantity == quantity, f"{row.quantity} of stock #{item} are out, by the journal {quantity}"


def _assert_history_tells(receiver: Space, transfer: Transfer) -> None:
    """The history of every booked-in item names its transfer."""
    for row in receiver.stock():
        if f"fed:{transfer.id}:" in row.link and row.parent is None:
            assert any(f"fed:{transfer.id}:" in note for note in receiver.history(row.pk)), f"no history of {row.pk}"


def _marked(space: Space, mark: str, kinds: set[int]) -> list[Any]:
    """The history entries with this mark, without the steps that we reverted ourselves."""
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
    """A giver keeps the row, with the peer's company; a receiver has exactly what it booked in."""
    booked_in: dict[int, Decimal] = {}
    for row in space.stock():
        if MARK.search(row.link):  # items that were split off later have the mark too
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
