"""Loans to neighbours without a bot: people's lines about them, and what must always hold for each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from fedbot.ports.inventory import InventoryProblem
from fedbot.ports.journal import Committed
from fedbot.rules.model.events import EnvelopeSeen, Event
from fedbot.rules.model.lending import OutsideLoan
from fedbot.rules.model.lifecycles import FINAL, OutsideState, TransferState
from fedbot.rules.model.transfer import Transfer
from fedbot_demo.inventree.stock_rows import is_in_stock
from tests.simulation.party import Party

if TYPE_CHECKING:
    from tests.simulation.auditor import Auditor
    from tests.simulation.federation import Federation
    from tests.simulation.room_actions import Talk

NAMES = ("Café", "Hof")
OUT_KINDS = frozenset({20, 25, 42})
OVER_KIND = 100
BACK_KINDS = frozenset({15, 105})
WITH_NEIGHBOUR = frozenset({OutsideState.OUT, OutsideState.GIFT, OutsideState.LOST})
HERE = frozenset({OutsideState.RETURNED, OutsideState.NOT_LENT, OutsideState.HANDED_OVER})
UNDER_WAY = frozenset({OutsideState.BOOKING_OUT, OutsideState.COMING_BACK})
SAID_BY = {
    OutsideState.COMING_BACK: ("return",),
    OutsideState.GIFT: ("gift",),
    OutsideState.LOST: ("lost",),
    OutsideState.CLOSED: ("cancel",),
}
"""The verb of our people's line that leads to this end."""
A_WHILE = timedelta(minutes=30)
"""The longest time for answering a line and doing its first steps without reading the permission again."""


def loans_of(party: Party) -> list[OutsideLoan]:
    """All its loans to neighbours, as journaled."""
    return [each for each in party.documents.values() if isinstance(each, OutsideLoan)]


# --- people's lines ------------------------------------------------------------------------------------------------


class Lending:
    """People's lines about such loans."""

    def __init__(self, federation: Federation, talk: Talk) -> None:
        self._federation = federation
        self._talk = talk

    def actions(self) -> dict[str, Callable[[int, int, int, int], Awaitable[None]]]:
        """The actions by name."""
        return {
            "lend outside": self.lend,
            "return outside": self.give_back,
            "more time outside": self.more_time,
            "end outside": self.end,
            "hand over": self.hand_over,
            "is here": self.is_here,
        }

    async def lend(self, a: int, b: int, c: int, d: int) -> None:
        """Lend an item of ours, or a borrowed one, to one of two neighbours; sometimes send the same line again."""
        party = self._federation.party(a)
        item, quantity = self._talk.item(party, c)
        until = ("for 1 day", "for 3 days", "for 3 weeks")[d % 3]
        for _ in range(1 + (d % 11 == 0)):
            self._talk.asks(party, b, f"!fed lend #{item} {quantity} to outside {NAMES[d % 2]} {until}")

    def _one(self, a: int) -> tuple[Party, OutsideLoan] | None:
        known = [(party, loan) for party in self._federation.parties for loan in loans_of(party)]
        living = [(party, loan) for party, loan in known if loan.is_living]
        known = living if living and a % 8 else known
        return known[a // 8 % len(known)] if known else None

    async def give_back(self, a: int, b: int, _: int, d: int) -> None:
        if found := self._one(a):
            party, loan = found
            for _ in range(1 + (d % 5 == 0)):
                self._talk.asks(party, b, f"!fed return {loan.code}{' --damaged' if d % 4 == 1 else ''}")

    async def more_time(self, a: int, b: int, c: int, _: int) -> None:
        if found := self._one(a):
            party, loan = found
            self._talk.asks(party, b, f"!fed extend {loan.code} {1 + c % 3} days")

    async def end(self, a: int, b: int, c: int, _: int) -> None:
        if found := self._one(a):
            party, loan = found
            self._talk.asks(party, b, f"!fed {('gift', 'lost', 'cancel')[c % 3]} {loan.code}")

    async def hand_over(self, a: int, b: int, c: int, d: int) -> None:
        """A superuser says that the neighbour has a bot now, mostly one that has something on loan."""
        found = self._one(a)
        party = found[0] if found else self._federation.party(a)
        name = found[1].neighbour if found and d % 8 else NAMES[d % 2]
        others = [other for other in self._federation.parties if other is not party]
        friend = others[c % len(others)].id
        self._talk.asks(party, 1 if b % 8 else b, f"!fed outside {name} is {friend}")

    async def is_here(self, a: int, b: int, c: int, d: int) -> None:
        """An approver says that somebody has entered it by hand, names another item, or takes that back."""
        known = [
            (party, transfer)
            for party in self._federation.parties
            for transfer in party.transfers()
            if transfer.role == "receiver" and transfer.terms.outside is not None
        ]
        open_ones = [each for each in known if each[1].state is TransferState.OPEN]
        known = open_ones or known
        if not known:
            return
        party, transfer = known[a % len(known)]
        item = self._entered_by_hand(party, transfer, c) if d % 4 else self._talk.item(party, c)[0]
        self._talk.asks(party, b, f"!fed here {transfer.code} {'--forget' if d % 9 == 8 else f'#{item}'}")

    def _entered_by_hand(self, party: Party, transfer: Transfer, c: int) -> int:
        """Enter a stock item by hand, of a part with that name if there is one; return another item if InvenTree
        refuses it.
        """
        (line,) = transfer.terms.lines
        parts = party.inventree.parts
        same = [part.pk for part in parts if line.description.ipn == part.IPN] or [part.pk for part in parts]
        places = [place.pk for place in party.inventree.locations]
        wanted: dict[str, object] = {"part": same[c % len(same)], "location": places[c % len(places)]}
        wanted["quantity"] = str(line.quantity)
        if line.serial:
            wanted["serial_numbers"] = line.serial
        try:
            made = party.clerk.post("stock/", wanted)
        except InventoryProblem as problem:
            self._federation.tell(f"  {party.id}: nobody can enter that by hand ({problem.text[:60]})")
            return self._talk.item(party, c)[0]
        row = made[0] if isinstance(made, list) else made
        return int(row["pk"])


# --- checks --------------------------------------------------------------------------------------------------------


@dataclass
class Moved:
    """Our InvenTree's evidence of one attempt at such a loan."""

    out: int = 0
    over: int = 0
    back: int = 0


@dataclass
class OutsideBooks:
    """The InvenTrees' and journals' evidence of such loans. `moved` is by loan and attempt, `brought` by transfer."""

    auditor: Auditor
    moved: dict[tuple[str, int], Moved] = field(default_factory=dict)
    brought: dict[str, int] = field(default_factory=dict)

    def known(self, party: Party, identifier: str) -> OutsideLoan | None:
        """The loan with that id, as journaled."""
        found = party.documents.get((OutsideLoan.__name__, identifier))
        return found if isinstance(found, OutsideLoan) else None

    # --- commits of a journal ---

    def committed(self, party: Party, event: Event, decision: Committed) -> None:
        """Check a commit. The documents of `party` are still those before it."""
        for key, after in decision.documents.items():
            if not isinstance(after, OutsideLoan):
                continue
            before = party.documents.get(key)
            name = f"{party.id}: loan {after.code} to {after.neighbour}"
            if not isinstance(before, OutsideLoan):
                self._is_said(party, after, after.by.event_id, ("lend",), name)
            elif before.state is not after.state:
                self._goes_on(party, before, after, event, name)
            elif before.until != after.until:
                by = [entry.event_id for entry in decision.audit if entry.subject == after.id]
                if not any(self.auditor.is_our_line(party, each, ("extend",)) for each in by):
                    self.auditor.wrong(f"{name} has until {after.until}, and nobody here said so (4)")

    def _goes_on(self, party: Party, before: OutsideLoan, after: OutsideLoan, event: Event, name: str) -> None:
        ends_by_hand = after.state in SAID_BY and not before.handing
        if ends_by_hand:
            by = after.ended_by.event_id if after.ended_by is not None else ""
            self._is_said(party, after, by, SAID_BY[after.state], name)
        if not before.is_living:
            self.auditor.wrong(f"{name} was {before.state} and became {after.state} (5)")
        if isinstance(event, EnvelopeSeen) and (ends_by_hand or after.state is OutsideState.RETURNED):
            self.auditor.wrong(f"{name} is {after.state} by what a friend's bot says (4)")

    def _is_said(self, party: Party, loan: OutsideLoan, event_id: str, verbs: tuple[str, ...], name: str) -> None:
        sender = self.auditor.who_said(event_id)
        who = party.us.people.get(sender, "")
        if not self.auditor.is_our_line(party, event_id, verbs):
            self.auditor.wrong(f"{name} is {loan.state}, and nobody here said so (4)")
        elif who not in {party.people.approver, party.people.superuser}:
            self.auditor.wrong(f"{name} is {loan.state} by the word of {who}, who may not say so (4)")

    # --- the content of an InvenTree ---

    def entry(self, party: Party, loan: OutsideLoan, go: int, step: str, kind: int, rest: str) -> None:
        """Check one entry of the bot with the mark of such a loan."""
        moved = self.moved.setdefault((loan.id, go), Moved())
        name = f"{party.id}: loan {loan.code} to {loan.neighbour} ({go})"
        if step == "out" and kind in OUT_KINDS:
            moved.out += -1 if rest.startswith("undone:") else 1
            self._may_leave(party, loan, go, name)
        elif step == "over" and kind == OVER_KIND:
            moved.over += 1
        elif step == "over" and kind in BACK_KINDS:
            moved.over -= 1
        elif step == "back" and kind in BACK_KINDS:
            moved.back += 1
        if moved.out > 1 or moved.over > moved.out or moved.back > moved.over:
            self.auditor.wrong(f"{name}: {moved} (3)")

    def _may_leave(self, party: Party, loan: OutsideLoan, go: int, name: str) -> None:
        """The item leaves as in the line, while its author has the permission; again only after a failed hand-over."""
        words = self.auditor.consents.words(loan.by.event_id)
        if words[1:2] == ["lend"] and words[2:4] != [f"#{loan.source}", str(loan.quantity)] and go == 1:
            self.auditor.wrong(f"{name}: {loan.quantity} of #{loan.source} leave, and {words} was said (2)")
        lost = party.lost_permission.get(party.us.people.get(loan.by.person, ""))
        if go == 1 and lost is not None and lost < party.clock.now() - A_WHILE and party.id not in self.auditor.jumped:
            self.auditor.wrong(f"{name}: leaves though {loan.by.person} had lost the right long before (4)")
        others = [t for t in party.transfers() if t.role == "receiver" and t.is_on_loan]
        if any(p.item == loan.source and t.ending_of(p.number) is None for t in others for p in t.progress):
            self.auditor.wrong(f"{name}: #{loan.source} leaves, which is only borrowed (4)")

    def came_home(self, party: Party, transfer: str) -> None:
        """An item is brought back from a neighbour to be handed over to its bot only after the friend
        has agreed (4).
        """
        self.brought[transfer] = self.brought.get(transfer, 0) + 1
        sent = party.transfer(transfer)
        name = f"{party.id}: {transfer[:4]}"
        if sent is None or sent.terms.outside is None or self.brought[transfer] > 1:
            self.auditor.wrong(f"{name}: brought from a neighbour {self.brought[transfer]} times (3)")
            return
        if not self.auditor.is_our_line(party, sent.asked.event_id, ("outside",)):
            self.auditor.wrong(f"{name}: brought from a neighbour, and nobody here has offered it (4)")
        peer = self.auditor.by_id(sent.peer)
        received = peer.transfer(transfer)
        agreed = received is not None and received.approved_hash == sent.terms_hash
        if peer is not self.auditor.liar and not agreed:
            self.auditor.wrong(f"{name}: brought from a neighbour, and {peer.id} has not agreed to that (4)")

    def with_neighbour(self, party: Party, loan: OutsideLoan) -> int:
        """The number of times that it is with the neighbour's company now, 0 or 1."""
        goes = [moved for (identifier, _), moved in self.moved.items() if identifier == loan.id]
        brought = sum(self.brought.get(transfer.id, 0) for transfer in _handing(party, loan))
        return sum(moved.over - moved.back for moved in goes) - brought

    # --- the end ---

    def must_be_over(self, party: Party) -> None:
        """Each item is in one place, once, and our journal names it."""
        for loan in loans_of(party):
            self._must_add_up(party, loan)

    def _must_add_up(self, party: Party, loan: OutsideLoan) -> None:
        name = f"{party.id}: loan {loan.code} to {loan.neighbour}"
        transfers = _handing(party, loan)
        if {t.id for t in transfers} & self.auditor.settled:
            return
        net = self.with_neighbour(party, loan)
        if loan.state in UNDER_WAY:
            self.auditor.wrong(f"{name} is {loan.state} for ever (8)")
        if loan.state in WITH_NEIGHBOUR and net != 1:
            self.auditor.wrong(f"{name} is {loan.state}, and {net} of it are with the neighbour (2)")
        if loan.state in HERE and net != 0:
            self.auditor.wrong(f"{name} is {loan.state}, and {net} of it are with the neighbour (2)")
        done = [t for t in transfers if t.state is TransferState.DONE]
        if (loan.state is OutsideState.HANDED_OVER) != bool(done):
            self.auditor.wrong(f"{name} is {loan.state}, and {[t.code for t in done]} took it over (2)")
        if loan.state is OutsideState.HANDING_OVER and all(t.state in FINAL for t in transfers):
            self.auditor.wrong(f"{name} is handed over for ever: {[str(t.state) for t in transfers]} (8)")
        if loan.state is OutsideState.UNCLEAR and not (party.crashes or party.id in self.auditor.troubled):
            self.auditor.wrong(f"{name} is unclear though InvenTree had no trouble: {loan.problem}")
        if party.id not in self.auditor.clicked:
            self._must_lie_there(party, loan, name)

    def _must_lie_there(self, party: Party, loan: OutsideLoan, name: str) -> None:
        row = party.inventree.stock.get(loan.item)
        is_there = row is not None and (row.customer, row.quantity) == (loan.company, Decimal(loan.quantity))
        if loan.state in WITH_NEIGHBOUR and not is_there:
            self.auditor.wrong(f"{name} is {loan.state}, and InvenTree shows {row} (2)")
        if loan.state is OutsideState.RETURNED and (row is None or not is_in_stock(row)):
            elsewhere = [t for t in party.transfers() if loan.item in {p.item for p in t.progress}]
            later = [other for other in loans_of(party) if loan.item in {other.source, other.item}]
            if not elsewhere and len(later) < 2:
                self.auditor.wrong(f"{name} is {loan.state}, and InvenTree shows {row} (2)")


def _handing(party: Party, loan: OutsideLoan) -> list[Transfer]:
    """The transfers that would make it a friend's."""
    return [t for t in party.transfers() if t.terms.outside is not None and t.terms.outside.loan == loan.id]
