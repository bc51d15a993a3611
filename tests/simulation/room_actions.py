"""Things that people do in the room, well-meant or not, and messages that a peer's bot should not write."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from fedbot.commands.registry import catalogue
from fedbot.matrix.content import bare_envelope
from fedbot.ports.chat import ChatRefused
from fedbot.rules import web
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.events import DecidedOffChat, SaidOffChat
from fedbot.rules.model.lending import PlaceInLine
from fedbot.rules.model.lifecycles import ConnectionState, PlaceState, TransferState
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.wire import BY_API, envelope_id, fingerprint, sign, wire_time
from fedbot_demo.inventree.records import StockItem
from fedbot_demo.inventree.stock_rows import is_in_stock
from tests.fakes.people import Person
from tests.simulation.consent_checks import FriendView, View, view_of
from tests.simulation.neighbours import Lending
from tests.simulation.party import GRACE, Party

if TYPE_CHECKING:
    from tests.simulation.federation import Federation


CALLS = 4
"""One in this many lines is sent through the API."""
KEYS = ("✅", "✅", "✅", "✅", "📦", "✅️", "❌", "🔧", "👍🏽", "")
YES, PARCEL, NO = 0, 4, 6
WANTED = ("M3-BOLT", "RES-10K", "Threaded insert M3", "LENS-2", "Nothing")
TRUTHS = ("left", "out", "stays", "arrived", "back", "lost", "booked", "never")
BABBLE = (
    "!fed",
    "!fed nonsense",
    "hello",
    "!fed push",
    "!fed status",
    "!fed todo",
    "!fed spaces",
    "!fed show",
    "!fed find bolt",
    "!fed ask 1",
    "!fed share all",
    "!fed unshare all",
)


HOSTILE_LINES = (
    "!fed push \x00 1 to p1",
    "!fed request \u202eM3-BOLT\u2066 1 from p1",
    "!fed find " + "x" * 5000,
    "!fed connect https://127.0.0.1:1/",
    "!fed request " + "9" * 400 + " M3-BOLT from p1",
    "!fed lend #1 1e999 to p1 until 9999-12-31",
    "!fed approve " + "\U0001f600" * 200,
    '!fed review p1 --name "@room"',
    "!fed show ../../etc/passwd",
    "!fed request http://[::1\x00]/stock/item/1 from p1",
)


def actions(federation: Federation) -> dict[str, Callable[[int, int, int, int], Awaitable[None]]]:
    """People's actions by name."""
    said = Talk(federation)
    return Lending(federation, said).actions() | {
        "connect": said.connect,
        "push": said.push,
        "push several": said.push_several,
        "request": said.request,
        "lend": said.lend,
        "return": said.give_back,
        "extend": said.extend,
        "book": said.book,
        "wait": said.wait,
        "take the turn": said.take_the_turn,
        "want": said.want,
        "from anyone": said.from_anyone,
        "end of a loan": said.end_of_a_loan,
        "tap": said.tap,
        "tap the newest": said.tap_the_newest,
        "untap": said.untap,
        "types a decision": said.types_a_decision,
        "grants less": said.grants_less,
        "parcel": said.parcel,
        "cancel": said.cancel,
        "disconnect": said.disconnect,
        "rotate": said.rotate,
        "resolve": said.resolve,
        "babble": said.babble,
        "moderate": said.moderate,
        "forge": said.forge,
        "impostor": said.impostor,
        "answer": said.answer,
        "review": said.review,
        "hostile": said.hostile,
    }


async def become_friends(federation: Federation, one: Party, other: Party) -> None:
    """Connect two parties without trouble."""
    federation.people[one.person(one.people.superuser)].says(f"!fed connect {other.id}")
    await federation.rests()
    card = federation.auditor.cards[-1]
    superuser = federation.people[other.person(other.people.superuser)]
    federation.auditor.tapped(superuser.reacts(card[2], "✅"), superuser.user_id, card, "✅")
    await federation.rests()
    await federation.passes(GRACE + timedelta(minutes=3))


def go_on(federation: Federation, party: Party) -> None:
    """Its superuser lets transfers that wait for an upgraded room go on there, if there are any."""
    if any(connection.changed_room for connection in party.connections()):
        superuser = federation.people[party.person(party.people.superuser)]
        superuser.says("!fed review --room")
        federation.tell(f"{superuser.user_id}: !fed review --room")


def _in_stock(party: Party) -> list[StockItem]:
    return [row for row in party.inventree.stock if row.customer is None and row.quantity > 0]


def settle(federation: Federation) -> None:
    """A person with the permission reports each parcel as received, and gives away what the end of a friendship waits
    for.
    """
    said = Talk(federation)
    for party in federation.parties:
        go_on(federation, party)
        superuser = federation.people[party.person(party.people.superuser)]
        ending = {c.peer for c in party.connections() if c.state is ConnectionState.ENDING}
        for transfer in party.transfers():
            if transfer.awaits_parcel:
                said.says_it_is_here(party, transfer, superuser)
            elif transfer.is_on_loan and transfer.role == "sender" and transfer.peer in ending:
                superuser.says(f"!fed gift {transfer.code}")
            elif transfer.left_over:
                lines = [transfer.line(number) for number in transfer.left_over]
                rows = [(party.inventree.stock.get(transfer.at(line.number).item), line) for line in lines]
                is_here = any(row is not None and is_in_stock(row) for row, _ in rows)
                is_here &= all(row is None or row.quantity <= line.quantity for row, line in rows)  # not merged
                superuser.says(f"!fed resolve {transfer.code} --as {'off' if is_here else 'by-hand'}")


class Talk:
    """People's lines and reactions, and their subjects."""

    def __init__(self, federation: Federation) -> None:
        self._federation = federation
        self._taps: list[tuple[str, Person]] = []
        self._verbs = {verb.name for verb in catalogue()}
        self._made = 0
        self._pages: dict[tuple[str, str], tuple[str, View | FriendView]] = {}

    # --- requests -----------------------------------------------------------------------------------------

    def _two(self, a: int) -> tuple[Party, Party]:
        """Two parties, mostly friends: the first party is everybody's friend."""
        parties = self._federation.parties
        first, other = parties[0], parties[1 + a % (len(parties) - 1)]
        if a % 16 == 0 and len(parties) > 2:
            first = parties[1 + (a // 16 + 1) % (len(parties) - 1)]
        if first is other:
            first = parties[0]
        return (first, other) if a // 8 % 2 else (other, first)

    def asks(self, party: Party, b: int, text: str, *, reply_to: str = "") -> str:
        """One of the party's people writes it, mostly one with the permission."""
        return self._says(party, b, text, reply_to=reply_to)[0]

    def _says(self, party: Party, b: int, text: str, *, reply_to: str = "") -> tuple[str, Person]:
        people = party.people
        username = (people.approver, people.superuser, people.approver, people.superuser, people.member)[b % 21 % 5]
        person = self._federation.people[party.person(username)]
        self._federation.tell(f"{username} of {party.id}: {text}")
        if b // 21 % CALLS == 1 and not reply_to and party.bot is not None:
            return self._calls(party, person, text, twice=b // 84 % 2 == 0), person
        return person.says(text, reply_to=reply_to), person

    # --- through the API ----------------------------------------------------------------------------------

    def _new_call(self) -> str:
        self._made += 1
        return BY_API + sha256(str(self._made).encode()).hexdigest()[:40]

    def _calls(self, party: Party, person: Person, text: str, *, twice: bool) -> str:
        """A program of that person sends it, and again under the same idempotency key if there is no answer."""
        said = SaidOffChat(party.clock.now(), self._new_call(), person.user_id, text.removeprefix("!fed "))
        self._federation.auditor.called[said.event_id] = replace(said, text=text)
        for _ in range(1 + twice):
            self._federation.calls(party, said)
        self._federation.tell("  … through the API")
        return said.event_id

    def _decides_on_a_page(
        self, party: Party, subject: Transfer | Connection, person: Person, choice: Choice, *, at_once: bool = False
    ) -> None:
        """Decide by the content of a page that was loaded before; the first call may only load it."""
        if party.bot is None:
            return
        key = (party.id, subject.id)
        if key not in self._pages:
            turn = party.bot.gateway().turn()
            self._pages[key] = (web.shown_hash(turn, subject), view_of(subject))
            if not at_once:
                return
        seen, view = self._pages.pop(key)
        event = DecidedOffChat(party.clock.now(), self._new_call(), person.user_id, subject.id, choice, seen)
        self._federation.auditor.decided_on_a_page(party, event, view)
        self._federation.calls(party, event)
        self._federation.tell(f"{person.user_id} on a page: {choice} {subject.code}")

    async def connect(self, a: int, b: int, *_: int) -> None:
        one, other = self._two(a)
        text = f"!fed connect {other.id}"
        person = self._federation.people[one.person(one.people.superuser if b % 4 else one.people.member)]
        self._federation.tell(f"{person.user_id}: {text}")
        person.says(text)

    def item(self, party: Party, c: int) -> tuple[int, str]:
        """A stock item and a quantity of it, seldom more than there is."""
        rows = _in_stock(party)
        known = [row for row in rows if party.inventree.parts[row.part].IPN in WANTED]
        row = known[c % len(known)] if c % 8 and known else rows[c % len(rows)]
        quantity = "1" if row.serial else str((1, 2, row.quantity, 3, row.quantity + 1)[c % 9 % 5])
        return row.pk, quantity

    async def push(self, a: int, b: int, c: int, _: int) -> None:
        one, other = self._two(a)
        item, quantity = self.item(one, c)
        self.asks(one, b, f"!fed push #{item} {quantity} to {other.id}")

    async def push_several(self, a: int, b: int, c: int, d: int) -> None:
        one, other = self._two(a)
        items = [self.item(one, number) for number in (c, d)]
        text = " + ".join(f"#{item} {quantity}" for item, quantity in items)
        self.asks(one, b, f"!fed push {text} to {other.id}")

    async def request(self, a: int, b: int, c: int, d: int) -> None:
        """Request from a friend, sometimes from anyone: one after the other or all at once, whole or in parts."""
        if "request" in self._verbs:
            one, other = self._two(a)
            if d % 3 == 1:
                how = ("", " --all", " --join", " --all --join")[d // 3 % 4]
                self.asks(one, b, f"!fed request {WANTED[c % len(WANTED)]} {1 + c % 3} from anyone{how}")
                return
            self.asks(one, b, f"!fed request {WANTED[c % len(WANTED)]} {1 + c % 3} from {other.id}")

    def _home_again(self) -> list[tuple[Party, Party, int]]:
        """Serialised items that were lent and returned: the lender, the borrower, the stock item."""
        found = []
        for owner in self._federation.parties:
            returns = [t for t in owner.transfers() if t.terms.kind == "return" and t.role == "receiver"]
            for back in returns:
                items = [back.at(line.number).item for line in back.terms.lines if line.serial]
                rows = [row for row in map(owner.inventree.stock.get, items) if row is not None]
                borrower = self._federation.auditor.by_id(back.peer)
                found += [(owner, borrower, row.pk) for row in rows if row.customer is None]
        return found

    async def lend(self, a: int, b: int, c: int, d: int) -> None:
        """Lend one item or two, often a serialised one, and mostly one that was lent before."""
        again = self._home_again()
        if again and c % 4:
            one, other, item = again[c % len(again)]
            items = [(item, "1")]
        else:
            one, other = self._two(a)
            lenses = [row.pk for row in _in_stock(one) if row.serial and one.inventree.parts[row.part].IPN in WANTED]
            numbers = (c, d) if d % 2 else (c,)
            single = [(lenses[c % len(lenses)], "1")] if lenses and c % 4 == 1 else []
            items = single or [self.item(one, number) for number in numbers]
        text = " + ".join(f"#{item} {quantity}" for item, quantity in items)
        until = ("for 1 day", "for 3 days", "for 3 weeks")[d % 3]
        self.asks(one, b, f"!fed lend {text} to {other.id} {until}")

    def _on_loan(self, a: int) -> tuple[Party, Transfer] | None:
        """A transfer on loan, from one of its sides."""
        known = [(p, t) for p in self._federation.parties for t in p.transfers() if t.is_on_loan]
        return known[a % len(known)] if known else None

    async def give_back(self, a: int, b: int, c: int, d: int) -> None:
        """Return all items, one item, or a part of one: the borrower says so, or the lender, whose approver decides."""
        if found := self._on_loan(a):
            party, loan = found
            several = len(loan.terms.lines) > 1
            some = (" 1", " 2", " 2 1", " 1; 2 1") if several else (" 1",)
            text = f"!fed return {loan.code}{some[c % len(some)] if c % 3 == 0 else ' all'}"
            said, person = self._says(party, b, text + (" --damaged" if loan.role == "sender" and d % 5 == 0 else ""))
            self._federation.auditor.typed(said, person.user_id, party, loan.id, Choice.APPROVE)

    async def extend(self, a: int, b: int, c: int, _: int) -> None:
        if found := self._on_loan(a):
            party, loan = found
            self.asks(party, b, f"!fed extend {loan.code} {1 + c % 3} days")

    async def end_of_a_loan(self, a: int, b: int, c: int, _: int) -> None:
        """The lender gives it away or reports it lost, as a whole or one item. The borrower's superuser books out lost
        items.
        """
        left = [(p, t) for p in self._federation.parties for t in p.transfers() if t.left_over]
        if left and c % 3 == 0:
            party, loan = left[a % len(left)]
            text = f"!fed resolve {loan.code} --as {('off', 'by-hand')[c // 3 % 4 // 3]}"
            self._federation.people[party.person(party.people.superuser)].says(text)
            self._federation.tell(f"{party.people.superuser} of {party.id}: {text}")
        elif found := self._on_loan(a):
            party, loan = found
            line = f" {1 + c // 4 % 2}" if len(loan.terms.lines) > 1 and c % 4 > 1 else ""
            self.asks(party, b, f"!fed {'gift' if c % 2 else 'lost'} {loan.code}{line}")

    # --- bookings, queues, and requests from anyone -------------------------------------------------------

    async def book(self, a: int, b: int, c: int, d: int) -> None:
        """Book days that begin tomorrow or a little later, offered or requested; often the same days and item."""
        one, other = self._two(a)
        today = self._federation.clock.now().date()
        first = today + timedelta(days=1 + d % 3)
        days = f"from {first.isoformat()} until {(first + timedelta(days=d // 3 % 4)).isoformat()}"
        if c % 2:
            lenses = [row.pk for row in _in_stock(one) if row.serial and one.inventree.parts[row.part].IPN in WANTED]
            item, quantity = (lenses[0], "1") if lenses and c % 4 == 1 else self.item(one, c)
            self.asks(one, b, f"!fed lend #{item} {quantity} to {other.id} {days}")
        else:
            self.asks(one, b, f"!fed request {WANTED[c // 2 % 4]} 1 from {other.id} {days}")

    async def wait(self, a: int, b: int, c: int, d: int) -> None:
        """Wait for a friend's item, or one of ours."""
        one, other = self._two(a)
        where = f" from {other.id}" if d % 3 else ""
        self.asks(one, b, f"!fed wait {WANTED[(3, 0, 1, 3)[c % 4]]}{where}")

    async def take_the_turn(self, a: int, b: int, *_: int) -> None:
        """Someone whose turn it is requests the item that is kept for them."""
        places = [
            (party, each)
            for party in self._federation.parties
            for each in party.documents.values()
            if isinstance(each, PlaceInLine) and each.state is PlaceState.TURN
        ]
        if places:
            party, place = places[a % len(places)]
            self.asks(party, b, f"!fed request 1 #{place.item} from {place.peer} for 2 days")

    async def want(self, a: int, b: int, c: int, d: int) -> None:
        one, _ = self._two(a)
        self.asks(one, b, f"!fed want {1 + c % 3} {WANTED[d % len(WANTED)]}")

    async def from_anyone(self, a: int, b: int, c: int, d: int) -> None:
        one, _ = self._two(a)
        how = (" --all", "", " --join", " --all --join", " --all")[d % 5]
        self.asks(one, b, f"!fed request {WANTED[c % 3]} {1 + c % 4} from anyone{how}")

    # --- decisions ----------------------------------------------------------------------------------------

    def _who(self, party: Party, subject: Transfer | Connection | None, b: int) -> Person:
        """Mostly somebody who may decide it; sometimes anybody else."""
        people = party.people
        if b % 10 < 7:
            username = people.superuser if isinstance(subject, Connection) or b % 3 == 0 else people.approver
            return self._federation.people[party.person(username)]
        everybody = [*self._federation.people.values(), self._federation.stranger]
        return everybody[b % len(everybody)]

    async def tap_the_newest(self, _: int, b: int, c: int, d: int) -> None:
        """Somebody with the permission decides on the newest card, mostly to approve."""
        await self.tap(0, b % 7, (NO, PARCEL, PARCEL)[c % 12] if c % 12 < 3 else YES, d)

    async def tap(self, a: int, b: int, c: int, d: int) -> None:
        """React to a card in chat; sometimes decide on a page that shows it."""
        cards = self._federation.auditor.cards
        if not cards:
            return
        party, key, event_id = cards[-1 - a % min(len(cards), 4 if a % 5 else len(cards))]
        identifier = key.partition(":")[2]
        subject = party.documents.get(("Transfer", identifier)) or party.documents.get(("Connection", identifier))
        person = self._who(party, subject if isinstance(subject, Transfer | Connection) else None, b)
        emoji = KEYS[c % len(KEYS)]
        on_a_page = emoji == "✅" and d % 6 == 1 and person.user_id in party.us.people
        if on_a_page and isinstance(subject, Transfer | Connection):
            self._decides_on_a_page(party, subject, person, Choice.APPROVE, at_once=d % 12 == 1)
        elif emoji:
            self._taps_on((party, key, event_id), person, emoji)

    def _taps_on(self, card: tuple[Party, str, str], person: Person, emoji: str) -> None:
        party, key, event_id = card
        identifier = key.partition(":")[2]
        try:
            tapped = person.reacts(event_id, emoji)
        except ChatRefused:
            return  # the reaction is there already, or the card is gone
        self._taps.append((tapped, person))
        self._federation.auditor.tapped(tapped, person.user_id, (party, key, event_id), emoji)
        self._federation.tell(f"{person.user_id} taps {emoji} on {party.id}'s card {identifier[:4]}")

    async def untap(self, a: int, _b: int, _c: int, d: int) -> None:
        if not self._taps:
            return
        event_id, person = self._taps.pop(-1 - a % min(len(self._taps), 3) if d % 4 else -1)
        self._federation.auditor.untapped[event_id] = person.takes_back(event_id)
        self._federation.tell(f"{person.user_id} takes a tap back")

    def _subject(self, a: int) -> tuple[Party, Transfer | Connection] | None:
        """An open subject, from one of its sides."""
        known = [
            (party, document)
            for party in self._federation.parties
            for document in party.documents.values()
            if isinstance(document, Transfer | Connection)
        ]
        return known[-1 - a % min(len(known), 6)] if known else None

    async def types_a_decision(self, a: int, b: int, c: int, d: int) -> None:
        """Type a decision in chat, or submit it on a page that shows the card."""
        if found := self._subject(a):
            party, subject = found
            person = self._who(party, subject, b)
            verb = "approve" if c % 3 else "decline"
            if d % 3 == 1 and person.user_id in party.us.people:
                self._decides_on_a_page(party, subject, person, Choice(verb))
                return
            said = person.says(f"!fed {verb} {subject.code}")
            choice = Choice.APPROVE if verb == "approve" else Choice.DECLINE
            self._federation.auditor.typed(said, person.user_id, party, subject.id, choice)
            self._federation.tell(f"{person.user_id}: !fed {verb} {subject.code}")

    async def grants_less(self, a: int, b: int, c: int, _: int) -> None:
        """Approve with a smaller quantity; that is an error if it isn't a request, or isn't smaller."""
        if found := self._subject(a):
            party, subject = found
            person = self._who(party, subject, b)
            text = f"!fed approve {subject.code} {1 + c % 2}"
            said = person.says(text)
            self._federation.auditor.typed(said, person.user_id, party, subject.id, Choice.APPROVE)
            self._federation.tell(f"{person.user_id}: {text}")

    async def parcel(self, a: int, b: int, c: int, _: int) -> None:
        """A person with the permission, or without, reports a parcel as received; seldom, either side reports it
        missing.
        """
        waiting = [
            (party, transfer)
            for party in self._federation.parties
            for transfer in party.transfers()
            if transfer.awaits_parcel
        ]
        if waiting:
            party, transfer = waiting[a % len(waiting)]
            if c % 8:
                self.says_it_is_here(party, transfer, self._who(party, transfer, b))
            else:
                self._federation.auditor.missing.add(transfer.id)
                side = party if c % 16 else self._federation.auditor.by_id(transfer.peer)
                self.asks(side, b, f"!fed missing {transfer.code}")

    def says_it_is_here(self, party: Party, transfer: Transfer, person: Person) -> None:
        """`received`, by this person."""
        said = person.says(f"!fed received {transfer.code}")
        self._federation.auditor.typed(said, person.user_id, party, transfer.id, Choice.PARCEL)
        self._federation.tell(f"{person.user_id}: !fed received {transfer.code}")

    async def disconnect(self, a: int, b: int, c: int, _: int) -> None:
        """End a friendship; sometimes at once."""
        one, other = self._two(a)
        text = f"!fed disconnect {other.id} --sure{' --now' if c % 4 == 0 else ''}"
        if c % 4 == 0:
            self._federation.auditor.settled_by_people(one, other)
        self._federation.people[one.person(one.people.superuser)].says(text)
        self._federation.tell(f"{one.people.superuser} of {one.id}: {text}")

    async def rotate(self, a: int, *_: int) -> None:
        one, other = self._two(a)
        self._federation.people[one.person(one.people.superuser)].says(f"!fed rotate {other.id}")
        self._federation.tell(f"{one.people.superuser} of {one.id}: !fed rotate {other.id}")

    async def resolve(self, a: int, b: int, *_: int) -> None:
        """A superuser settles a disputed transfer by one of the offered choices, right or wrong.

        If there is none, transfers that wait for an upgraded room may go on there.
        """
        disputed = [
            (party, transfer)
            for party in self._federation.parties
            for transfer in party.transfers()
            if transfer.state is TransferState.DISPUTED
        ]
        if disputed:
            party, transfer = disputed[a % len(disputed)]
            self._federation.auditor.settled.add(transfer.id)
            text = f"!fed resolve {transfer.code} --as {TRUTHS[b % len(TRUTHS)]}"
            self._federation.people[party.person(party.people.superuser)].says(text)
            self._federation.tell(f"{party.people.superuser} of {party.id}: {text}")
        elif a % 3 == 0:
            go_on(self._federation, self._federation.party(b))

    async def cancel(self, a: int, b: int, *_: int) -> None:
        if found := self._subject(a):
            party, subject = found
            self.asks(party, b, f"!fed cancel {subject.code}")

    async def babble(self, a: int, b: int, *_: int) -> None:
        everybody = [*self._federation.people.values(), self._federation.stranger]
        everybody[a % len(everybody)].says(BABBLE[b % len(BABBLE)])

    async def moderate(self, a: int, b: int, *_: int) -> None:
        """A moderator redacts one of the last messages, or upgrades the room."""
        if b % 4 == 0:
            self._federation.upgrades()
            return
        latest = [e for e in self._federation.server.log[-12:] if "state_key" not in e and e["content"]]
        latest = [event for event in latest if event["room_id"] == self._federation.room]
        if latest:
            event = latest[a % len(latest)]
            redaction = self._federation.moderator.takes_back(event["event_id"])
            self._federation.auditor.untapped.setdefault(event["event_id"], redaction)
            self._federation.tell(f"a moderator removes a {event['type']} of {event['sender']}")

    # --- histories with a liar ----------------------------------------------------------------------------

    async def impostor(self, a: int, b: int, *_: int) -> None:
        """Somebody without permissions takes an approver's display name and reacts to the newest card."""
        party = self._federation.party(a)
        name = self._federation.server.names[party.person(party.people.approver if b % 2 else party.people.superuser)]
        self._federation.stranger.renames_to(name)
        if cards := self._federation.auditor.cards:
            owner, key, event_id = cards[-1]
            self._taps_on((owner, key, event_id), self._federation.stranger, "✅")

    async def answer(self, a: int, b: int, c: int, _: int) -> None:
        """A decision without an id, as the reply to a card or to any message of a bot."""
        cards = [card for card in self._federation.auditor.cards if card[2] in self._federation.auditor.consents.shows]
        if not cards:
            return
        card = cards[-1 - a % min(len(cards), 3)]
        person, answered = self._who(card[0], None, b), card[2]
        bots = {each.chat.user_id for each in self._federation.parties}
        latest = [e for e in self._federation.server.log[-40:] if e["sender"] in bots and "state_key" not in e]
        if c % 2 and latest:
            answered = str(latest[a % len(latest)]["event_id"])
        said = person.says("!fed approve", reply_to=answered)
        for home, key in ((home, key) for home, key, event_id in cards if event_id == answered):
            identifier = key.partition(":")[2]
            self._federation.auditor.typed(said, person.user_id, home, identifier, Choice.APPROVE, answered)
        self._federation.tell(f"{person.user_id}: !fed approve (an answer)")

    async def review(self, a: int, b: int, *_: int) -> None:
        """A superuser accepts a friend's announced name, or its key after comparing all of it."""
        waiting = [
            (party, connection)
            for party in self._federation.parties
            for connection in party.connections()
            if connection.new_name or connection.changed_key
        ]
        if waiting:
            party, connection = waiting[a % len(waiting)]
            known = connection.changed_key or connection.peer_key
            what = f"accept {fingerprint(known)}" if connection.changed_key else f'--name "{connection.new_name}"'
            text = f"!fed review {connection.peer} {what}" if b % 4 else "!fed review"
            self._federation.people[party.person(party.people.superuser)].says(text)
            self._federation.tell(f"{party.people.superuser} of {party.id}: {text}")

    async def hostile(self, a: int, b: int, *_: int) -> None:
        """Somebody pastes text that is hard for parsers."""
        everybody = [*self._federation.people.values(), self._federation.stranger]
        text = HOSTILE_LINES[b % len(HOSTILE_LINES)]
        everybody[a % len(everybody)].says(text)

    # --- a peer that lies ---------------------------------------------------------------------------------

    async def forge(self, a: int, b: int, *_: int) -> None:
        """A properly signed message that its bot wouldn't write: an approval of other terms, a `sent` without items."""
        known = [
            (party, transfer)
            for party in self._federation.parties
            for transfer in party.transfers()
            if transfer.state is TransferState.OPEN
            and transfer.terms.kind == "push"
            and transfer.room == self._federation.room
        ]
        active = [
            (party, transfer)
            for party, transfer in known
            for connection in party.connections()
            if connection.id == transfer.connection and connection.state is ConnectionState.ACTIVE
        ]
        if active:
            party, transfer = active[a % len(active)]
            self._federation.auditor.forged.add(transfer.id)
            kind = "approve" if transfer.role == "receiver" else "sent"
            if kind == "sent" and self._federation.auditor.by_id(transfer.peer).transfer(transfer.id) is None:
                return
            self._send_forged(party, transfer, kind, 1 + b % 2)
            self._federation.tell(f"{party.id}'s bot writes a false {kind!r} about {transfer.id[:4]}")

    def _send_forged(self, party: Party, transfer: Transfer, kind: str, ahead: int) -> None:
        person = self._federation.people[party.person(party.people.approver)]
        number = transfer.exchange.sent + ahead
        bodies: dict[str, dict[str, object]] = {
            "approve": {"by": person.user_id, "by_name": "x", "event": "$none", "awaits": True, "seen": 0},
            "sent": {"lines": [], "failed": [], "awaits": True, "seen": 0},
        }
        unsigned = {
            "id": envelope_id(party.id, transfer.id, number),
            "kind": kind,
            "from": party.id,
            "to": transfer.peer,
            "room": transfer.room,
            "transfer": transfer.id,
            "seq": number,
            "terms_hash": "0" * 64 if kind == "approve" else transfer.terms_hash,
            "body": bodies[kind],
            "sent_at": wire_time(party.clock.now()),
        }
        content = bare_envelope(sign(party.identity, unsigned))
        transaction = f"forged {len(self._federation.server.log)}"
        self._federation.server.send(
            party.chat.user_id,
            transfer.room,
            "dev.fedbot.envelope",
            content,
            device="another",
            transaction=transaction,
        )
