"""Compares a bot's actions with what our people saw and approved.

The content of each card is recorded as a whole when it is posted, without the rules' hash. The words of a line are
parsed again here. Everything else comes from the events that people sent.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from fedbot.ports.journal import ChatMessage, Committed
from fedbot.rules import wire
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.events import EnvelopeSeen, Event, PartyAnnounced
from fedbot.rules.model.lifecycles import NOTHING_MOVED, ConnectionState, TransferState
from fedbot.rules.model.room import Announcement
from fedbot.rules.model.transfer import Line, Progress, Terms, Transfer
from fedbot.rules.wire import announcement_holds
from tests.simulation.party import TIME_ZONES, Party

if TYPE_CHECKING:
    from tests.simulation.auditor import Auditor, Tap


NOWHERE = ("", None, False, "", None, None, "", "1", "", "", "")
"""The destination of a line before our InvenTree has answered."""
MOST_OPENED = 45
"""The most new subjects that a peer may open within ten minutes: 20 at once, then two a minute, and a margin."""
TEN_MINUTES = timedelta(minutes=10)


@dataclass(frozen=True)
class View:
    """The whole content of a card about a transfer; `landings` are the destinations of its lines at a receiver."""

    terms: Terms
    due: datetime
    granted_by: str
    landings: tuple[tuple[object, ...], ...]


@dataclass(frozen=True)
class FriendView:
    """The whole content of a card about a friendship."""

    peer: str
    peer_bot: str
    peer_key: str
    name: str
    access: str
    asker: str
    generation: int
    room: str


def view_of(subject: Transfer | Connection) -> View | FriendView:
    """The content that a card about the subject would have now."""
    if isinstance(subject, Connection):
        return FriendView(
            subject.peer,
            subject.peer_bot,
            subject.peer_key,
            subject.peer_name,
            subject.access,
            subject.asked.person,
            subject.generation,
            subject.room,
        )
    is_here = subject.role == "receiver"
    landings = tuple(_landing(subject.at(line.number)) for line in subject.terms.lines) if is_here else ()
    granted_by = subject.granted.person if subject.granted else ""
    return View(replace(subject.terms, asker_name=""), subject.due, granted_by, landings)


def _landing(p: Progress) -> tuple[object, ...]:
    known = p.match, p.part, p.create_part, p.category, p.location
    where = (None if p.stage else p.item, p.place) if p.match or p.part else (None, "")
    return (*known, *where, p.factor, p.units, p.revision, p.serial)


def differences(
    shown: View | FriendView, now: View | FriendView, *, less: bool = False, booked: bool = False
) -> list[str]:
    """The fields that differ from the card. `less`: smaller quantities of the same items were agreed.

    `booked`: it was agreed for another day and reserved until then.
    """
    if isinstance(shown, View) and isinstance(now, View):
        if less:
            is_less = _is_less(shown.terms.lines, now.terms.lines)
            return [] if is_less and _but_lines(shown.terms) == _but_lines(now.terms) else ["terms"]
        landings = zip(shown.landings, now.landings, strict=False)
        others = [old for old, new in landings if old != new and old[0] and old[:5] + old[6:] != new[:5] + new[6:]]
        found = ["landings"] if others else []
        names = ("terms", "granted_by") if booked else ("terms", "due", "granted_by")
        return found + [name for name in names if getattr(shown, name) != getattr(now, name)]
    return [each.name for each in fields(shown) if getattr(shown, each.name) != getattr(now, each.name, None)]


def _but_lines(terms: Terms) -> Terms:
    return replace(terms, lines=())


def _is_less(asked: Sequence[Line], given: Sequence[Line]) -> bool:
    """Whether each given line is one of the requested lines, with the same or a smaller quantity."""
    known = {line.number: line for line in asked}
    return all(
        line.number in known
        and line.quantity <= known[line.number].quantity
        and replace(line, quantity=Decimal(0), whole=False)
        == replace(known[line.number], quantity=Decimal(0), whole=False)
        for line in given
    )


def _is_mapping(content: Mapping[str, Any]) -> bool:
    told = content.get("dev.fedbot", {})
    return isinstance(told, dict) and isinstance(told.get("body", {}), dict)


def _seen(text: str) -> str:
    """The visible characters of a line, without control and format characters."""
    return "".join(letter for letter in text if letter.isspace() or not unicodedata.category(letter).startswith("C"))


@dataclass
class Consents:
    """`shows` is the content of each card by its event; `newest` the newest card by party and subject."""

    auditor: Auditor
    shows: dict[str, View | FriendView] = field(default_factory=dict)
    newest: dict[tuple[str, str], str] = field(default_factory=dict)
    _queued: dict[tuple[str, int], tuple[str, bool, View | FriendView]] = field(default_factory=dict)
    _opened: dict[tuple[str, str], deque[datetime]] = field(default_factory=dict)
    _extended: Counter[tuple[str, str]] = field(default_factory=Counter)
    _acted_upon: dict[tuple[str, str], str] = field(default_factory=dict)

    # --- cards ----------------------------------------------------------------------------------------------

    def queued(self, party: Party, decision: Committed, rows: Sequence[int]) -> None:
        """Note the cards that will be posted or edited when these rows of the outbox are sent."""
        for row, queued in zip(rows, decision.queued, strict=True):
            letter = queued.effect
            if not isinstance(letter, ChatMessage) or not letter.key.startswith("card:"):
                continue
            identifier = letter.key.removeprefix("card:")
            for kind in ("Transfer", "Connection"):
                key = (kind, identifier)
                subject = decision.documents.get(key) or party.documents.get(key)
                if isinstance(subject, Transfer | Connection):
                    self._queued[party.id, row] = (identifier, letter.edit, view_of(subject))

    def sent(self, party: Party, row: int, event_id: str) -> None:
        """Note that a row was sent, so people see its content from now on."""
        identifier, is_edit, view = self._queued.get((party.id, row), ("", False, None))
        if view is None:
            return
        if not is_edit:
            self.newest[party.id, identifier] = event_id
            self.shows[event_id] = view
            self._typed_just_before(party, identifier, view)
        elif (card := self.newest.get((party.id, identifier))) is not None:
            self.shows[card] = view

    def _typed_just_before(self, party: Party, identifier: str, view: View | FriendView) -> None:
        """A bot whose clock is slow takes a line from just before its card for one from after it: no more than that."""
        slow_by = -party.clock.skew
        for event_id, tap in self.auditor.taps.items():
            early = tap.shown is None and tap.typed is not None and (tap.party, tap.subject) == (party.id, identifier)
            if early and tap.typed is not None and self.auditor.now() - tap.typed < slow_by:
                self.auditor.taps[event_id] = replace(tap, shown=view)

    def seen(self, party: Party, identifier: str, card: str = "") -> View | FriendView | None:
        """The content of that card, or of the subject's newest one; None if there is none."""
        return self.shows.get(card or self.newest.get((party.id, identifier), ""))

    # --- decisions ------------------------------------------------------------------------------------------

    def committed(self, party: Party, event: Event, decision: Committed) -> None:
        """Check a commit. The documents of `party` are still those before it."""
        for key, after in decision.documents.items():
            before = party.documents.get(key)
            if isinstance(after, Announcement):
                self._announcement(party, after, before if isinstance(before, Announcement) else None)
            elif isinstance(after, Transfer) and before is None:
                self._begun(party, after, event)
            elif isinstance(after, Transfer) and isinstance(before, Transfer):
                self._goes_on(party, before, after, event)
                self._loan(party, before, after, decision, event)
            elif isinstance(after, Connection) and isinstance(before, Connection):
                self._friendship(party, before, after, decision)
            elif isinstance(after, Connection) and before is None:
                self._new_friend(party, after)

    def _wrong(self, party: Party, subject: Transfer | Connection, text: str) -> None:
        self.auditor.wrong(f"{party.id}: {subject.id[:4]} {text}")

    def _announcement(self, party: Party, after: Announcement, before: Announcement | None) -> None:
        """Nobody is accepted as a party whose key hasn't signed the announcement (5)."""
        if after.bot == party.chat.user_id:
            return
        known = set(before.parties) if before is not None else set()
        for claim in after.parties:
            if claim not in known and not self._has_signed(after, claim.key):
                who = f"{after.bot} to be {claim.id}"
                self.auditor.wrong(f"{party.id}: believes {who}, which its key hasn't signed (5)")

    def _has_signed(self, announced: Announcement, key: str) -> bool:
        said = [event["content"] for event in self.auditor.server.log if event["sender"] == announced.bot]
        told = [content.get("dev.fedbot", {}).get("body", {}) for content in said if _is_mapping(content)]
        parties = [content.get("parties") for content in (*said, *told) if isinstance(content, dict)]
        entries = [entry for each in parties if isinstance(each, list) for entry in each if isinstance(entry, dict)]
        return any(
            announcement_holds(announced.bot, announced.room, entry) for entry in entries if entry.get("key") == key
        )

    def _begun(self, party: Party, new: Transfer, event: Event) -> None:
        """A new transfer's id follows from its opening, by us or by the peer's pinned key (1); a peer opens a limited
        number (9).
        """
        opening = new.opening
        rightly = opening and wire.opened_id(wire.SubjectKind(new.terms.kind), opening)
        if opening is None or rightly != new.id:
            self._wrong(party, new, "has an id that isn't that of what was opened (1)")
            return
        pinned = {key for c in party.connections() if c.peer == new.peer for key in (c.peer_key, *c.former_keys)}
        ours = opening.key == party.identity.key
        if not ours and opening.key not in pinned:
            self._wrong(party, new, "was opened by somebody else's key (1)")
        in_turn = new.terms.confirm and self.auditor.is_our_line(
            party, opening.cause.word, ("request", "ask", "borrow")
        )
        # a request from anyone goes on to the next friend after an answer
        if ours and isinstance(event, EnvelopeSeen) and not in_turn:
            self._wrong(party, new, "was opened in our name by a peer's message (1)")
        if not ours:
            times = self._opened.setdefault((party.id, new.peer), deque())
            times.append(self.auditor.now())
            while times and times[0] < times[-1] - TEN_MINUTES:
                times.popleft()
            if len(times) > MOST_OPENED:
                self._wrong(party, new, f"is the {len(times)}th thing that {new.peer} opens within ten minutes (9)")

    def _goes_on(self, party: Party, before: Transfer, after: Transfer, event: Event) -> None:
        """Our people have agreed to what begins to be booked in, or to wait for a parcel (2)."""
        if before.decision is not None and after.decision is None and after.wanted == "approve":
            self._acted_upon[party.id, after.id] = before.decision.event_id
        is_new = after.state is not before.state
        comes_in = is_new and after.state in {TransferState.CREDITING, TransferState.SENT} and after.role == "receiver"
        was_told = before.state in {TransferState.OPEN, TransferState.BOOKED} and isinstance(event, EnvelopeSeen)
        if comes_in and was_told and after.id not in self.auditor.settled:
            self._agreed_to_come(party, after)
            self._comes_in_time(party, after)
        if after.terms.kind == "extension" and is_new and after.state is TransferState.DONE and after.role == "sender":
            self._must_have_agreed(party, after, after.decided.event_id if after.decided else "", ("extend",))

    def _agreed_to_come(self, party: Party, transfer: Transfer) -> None:
        if transfer.terms.kind == "request":
            self._asked_for(party, transfer)
            self._has_read_the_rules(party, transfer)
            if transfer.granted is None:
                return
        by = transfer.decided.event_id if transfer.decided is not None else ""
        if transfer.terms.confirm:  # the line that asks anyone also accepts the first grant
            self._must_have_agreed(party, transfer, transfer.asked.event_id, ("request",))
            return
        if transfer.terms.kind == "request":
            by = self._who_took_less(party, transfer)
        self._must_have_agreed(party, transfer, by, ("return",))

    def _has_read_the_rules(self, party: Party, transfer: Transfer) -> None:
        """A text to accept is accepted by a line for exactly what was shown, or on a card that shows it."""
        rules = transfer.terms.rules
        shown = "--as-shown" in self.words(transfer.asked.event_id)
        on_a_card = transfer.granted is not None and not transfer.terms.confirm
        if rules is not None and rules.agree and not shown and not on_a_card:
            self._wrong(party, transfer, "is taken under a text to agree to that nobody here has seen (2)")

    def _who_took_less(self, party: Party, transfer: Transfer) -> str:
        """The approval that the bot acted on; after a loss, our people's newest."""
        if acted_upon := self._acted_upon.get((party.id, transfer.id)):
            return acted_upon
        yes = [event for event, tap in self.auditor.taps.items() if self._is_yes(party, tap, transfer.id)]
        return yes[-1] if yes else ""

    def _is_yes(self, party: Party, tap: Tap, subject: str) -> bool:
        said_yes = tap.choice in {Choice.APPROVE, Choice.PARCEL, Choice.DAMAGED}
        return said_yes and tap.party == party.id and tap.subject == subject and tap.person in party.us.people

    def _asked_for(self, party: Party, transfer: Transfer) -> None:
        """The given item has the name that our person wrote, and no larger quantity."""
        words = self.words(transfer.asked.event_id)
        if words[1:2] != ["request"] or "from" not in words:
            return  # redacted later
        name, quantity = " ".join(words[2 : words.index("from") - 1]), Decimal(words[words.index("from") - 1])
        given = sum((line.quantity for line in transfer.terms.lines), Decimal(0))
        called = all(
            name.casefold() in {line.description.name.casefold(), line.description.ipn.casefold()}
            for line in transfer.terms.lines
        )
        if given > quantity or not called:
            self._wrong(party, transfer, f"is booked in, but nobody here asked for that: {' '.join(words)} (2)")

    def words(self, event_id: str) -> list[str]:
        """The words of that event as a person sees them."""
        if event_id in self.auditor.called:
            return _seen(self.auditor.called[event_id].text).split()
        event = next((each for each in self.auditor.server.log if each["event_id"] == event_id), None)
        return _seen(str(event["content"].get("body", ""))).split() if event is not None else []

    def _must_have_agreed(self, party: Party, transfer: Transfer, by: str, verbs: tuple[str, ...]) -> None:
        """One of our people with the permission approved the current content, as the card showed it."""
        if self.auditor.is_our_line(party, by, verbs):
            return
        tap = self.auditor.taps.get(by)
        if tap is None or not self._is_yes(party, tap, transfer.id):
            self._wrong(party, transfer, f"({transfer.terms.kind}) goes on though nobody here has agreed to it (4)")
        else:
            self._must_be_entitled(party, transfer, tap, by)
            self.compare(party, transfer, tap, booked=transfer.terms.starts is not None)

    def _must_be_entitled(self, party: Party, transfer: Transfer, tap: Tap, by: str) -> None:
        """The approver had the permission when the grace ended; the requester may accept less without it."""
        username = party.us.people.get(tap.person, "")
        takes_less = transfer.terms.kind == "request" and tap.person == transfer.terms.asker
        if takes_less or party.id in self.auditor.jumped:
            return
        ends, lost = self.auditor.grace_ends.get(by), party.lost_permission.get(username)
        if username not in party.people.deciders:
            self._wrong(party, transfer, f"goes on by {username}'s word, who may not decide (4)")
        elif ends is None or (lost is not None and lost < ends):
            self._wrong(party, transfer, f"goes on though {username} had lost the right before the grace ended (4)")

    def compare(
        self, party: Party, subject: Transfer | Connection, tap: Tap, *, less: bool = False, booked: bool = False
    ) -> None:
        """Compare the current content with the card's when the person approved."""
        if tap.shown is None:
            self._wrong(party, subject, "goes on by a yes from before its card was up (3)")
        elif found := differences(tap.shown, view_of(subject), less=less, booked=booked):
            self._wrong(party, subject, f"goes on, but the card showed other {', '.join(found)} (2)")

    # --- stock that leaves ----------------------------------------------------------------------------------

    def goes_out(self, party: Party, sent: Transfer) -> None:
        """The leaving items are those that our person wrote, or saw on the card; a return has only what we borrowed."""
        if sent.terms.starts is not None:
            self._is_fetched(party, sent)
        if sent.terms.kind != "return":
            self._is_nobody_elses(party, sent)
        if sent.terms.kind == "push":
            self._is_what_was_typed(party, sent)
        elif sent.terms.kind == "return":
            self._is_what_we_borrowed(party, sent)
        elif sent.terms.kind == "request":
            by = sent.granted or sent.decided
            tap = self.auditor.taps.get(by.event_id) if by is not None else None
            if tap is not None and tap.party == party.id:
                self.compare(party, sent, tap, less=sent.granted is not None, booked=sent.terms.starts is not None)

    def _comes_in_time(self, party: Party, transfer: Transfer) -> None:
        """A booking isn't booked in before its first day, whatever the lender's bot says (2)."""
        first = transfer.terms.starts
        if first is not None and self._today(party, transfer) < first and party.id not in self.auditor.jumped:
            self._wrong(party, transfer, f"is booked from {first} on, and booked in before")

    def _today(self, party: Party, transfer: Transfer) -> date:
        """The lender's date, by this machine's clock."""
        return party.clock.now().astimezone(ZoneInfo(transfer.terms.time_zone or TIME_ZONES[party.number])).date()

    def _is_fetched(self, party: Party, sent: Transfer) -> None:
        """A booking leaves on its first day, after somebody with the permission approved that day's card (2, 4)."""
        by = sent.handed.event_id if sent.handed is not None else ""
        tap = self.auditor.taps.get(by)
        if tap is None or not self._is_yes(party, tap, sent.id):
            self._wrong(party, sent, "was booked, and leaves though nobody here has said that it is fetched (4)")
            return
        self._must_be_entitled(party, sent, tap, by)
        self.compare(party, sent, tap)
        today = self._today(party, sent)
        if sent.terms.starts is not None and today < sent.terms.starts and party.id not in self.auditor.jumped:
            self._wrong(party, sent, f"is booked from {sent.terms.starts} on, and leaves on {today}")

    def _is_nobody_elses(self, party: Party, sent: Transfer) -> None:
        """An item on loan here leaves only to its lender, by a return."""
        loans = [t for t in party.transfers() if t.role == "receiver" and t.is_on_loan]
        borrowed = {p.item for loan in loans for p in loan.progress if loan.ending_of(p.number) is None}
        if theirs := borrowed & {line.item for line in sent.terms.lines}:
            self._wrong(party, sent, f"gives away {sorted(map(str, theirs))}, which is only borrowed (4)")

    def _is_what_was_typed(self, party: Party, sent: Transfer) -> None:
        words = self.words(sent.asked.event_id)
        if words[1:2] not in (["push"], ["lend"]) or "to" not in words:
            return  # redacted later
        to = words.index("to")
        typed = [word.removeprefix("#") for word in words[2:to] if word != "+"]
        wanted: dict[int, Decimal] = {}
        for item, quantity in zip(typed[::2], typed[1::2], strict=True):
            wanted[int(item)] = wanted.get(int(item), Decimal(0)) + Decimal(quantity)
        given: dict[int, Decimal] = {}
        for line in sent.terms.lines:
            given[line.item] = given.get(line.item, Decimal(0)) + line.quantity
        if given != wanted or sent.terms.receiver != words[to + 1]:
            self._wrong(
                party, sent, f"gives {given} to {sent.terms.receiver}, and what was typed is {' '.join(words)} (2)"
            )

    def _is_what_we_borrowed(self, party: Party, sent: Transfer) -> None:
        loan = party.transfer(sent.terms.parent)
        if loan is None or loan.peer != sent.peer or loan.role != "receiver":
            self._wrong(party, sent, "returns what was never lent to us (4)")
            return
        if any(line.item != loan.at(line.of_line).item for line in sent.terms.lines):
            self._wrong(party, sent, "returns another stock item than the one that was lent (4)")
        going = [t for t in party.transfers() if t.terms.parent == loan.id and t.terms.kind == "return"]
        for line in loan.terms.lines:
            back = sum(
                (
                    each.quantity
                    for t in going
                    if t.state not in NOTHING_MOVED | {TransferState.REVERTED, TransferState.OPEN}
                    for each in t.terms.lines
                    if each.of_line == line.number and not t.at(each.number).failed
                ),
                Decimal(0),
            )
            if back > line.quantity:
                self._wrong(party, sent, f"returns {back} of {line.quantity} that were lent (4)")

    def came_in(self, party: Party, identifier: str, number: int, part: int, quantity: Decimal) -> None:
        """A new stock item has the part and the quantity of the card."""
        transfer = party.transfer(identifier)
        if transfer is None:
            self.auditor.wrong(f"{party.id}: {identifier[:4]} is booked in, and nobody here knows of it (4)")
            return
        line, progress = transfer.line(number), transfer.at(number)
        ours = party.inventree.parts.get(part)
        if not progress.create_part and ours is not None and ours.units != progress.units:
            self._wrong(party, transfer, f"line {number}: {quantity} {progress.units} is booked in as {ours.units} (2)")
        if quantity != transfer.here(number) or (progress.part is not None and part != progress.part):
            self._wrong(party, transfer, f"line {number}: {quantity} of part {part} booked in, not {line.quantity} (2)")

    # --- loans, friendships ---------------------------------------------------------------------------------

    def _loan(self, party: Party, before: Transfer, after: Transfer, decision: Committed, event: Event) -> None:
        """A loan of ours: only our people decide on its due date and its end."""
        if after.role != "sender" or not after.is_loan:
            return
        name = f"loan {after.id[:4]}"
        if before.back_by != after.back_by and not self._somebody_said(party, after, decision, ("extend",)):
            self.auditor.wrong(f"{party.id}: {name} may stay until {after.back_by}, and nobody here said so (4)")
        if before.due_day is not None and after.due_day is not None and after.due_day > before.due_day:
            self._extended[party.id, after.id] += 1
            self._as_agreed(party, after, decision)
        ended = (before.closed is None and after.closed is not None) or len(after.line_ends) > len(before.line_ends)
        if ended and isinstance(event, EnvelopeSeen | PartyAnnounced):
            self.auditor.wrong(f"{party.id}: {name} is over by what the borrower's bot says (4)")

    def _as_agreed(self, party: Party, loan: Transfer, decision: Committed) -> None:
        """A borrower gets no more extensions than its loan was agreed with."""
        rules, children = loan.terms.rules, (d for d in decision.documents.values() if isinstance(d, Transfer))
        was_asked = any(each.terms.kind == "extension" and each.terms.parent == loan.id for each in children)
        times = self._extended[party.id, loan.id]
        if was_asked and rules is not None and rules.extensions is not None and times > rules.extensions:
            self._wrong(party, loan, f"is extended {times} times, and {rules.extensions} were agreed (2)")

    def _somebody_said(self, party: Party, loan: Transfer, decision: Committed, verbs: tuple[str, ...]) -> bool:
        """Whether our people said it by a line, or by approving a request of the borrower that this commit ends."""
        children = [d for d in decision.documents.values() if isinstance(d, Transfer) and d.terms.parent == loan.id]
        asked = {child.id for child in children}
        by = [entry.event_id for entry in decision.audit if entry.subject in {loan.id, *asked}]
        taps = [tap for event, tap in self.auditor.taps.items() if event in by]
        said_yes = any(self._is_yes(party, tap, tap.subject) and tap.subject in asked for tap in taps)
        return said_yes or any(self.auditor.is_our_line(party, event, verbs) for event in by)

    def _friendship(self, party: Party, before: Connection, after: Connection, decision: Committed) -> None:
        name = f"{party.id}: connection {after.id[:4]}"
        by = [entry.event_id for entry in decision.audit if entry.subject == after.id]
        reviewed = any(self.auditor.is_our_line(party, event, ("review",)) for event in by)
        if after.peer_name != before.peer_name and not reviewed:
            self.auditor.wrong(f"{name} is called {after.peer_name[:20]!r}, and nobody here has agreed (4)")
        pins = [(each.peer, each.peer_bot, each.peer_key, each.generation) for each in (before, after)]
        if pins[0] != pins[1] and not reviewed:
            self.auditor.wrong(f"{name} is with another account or key, and nobody here has looked (11)")
        agreed = before.state is ConnectionState.OFFERED and after.state is ConnectionState.MAKING
        tap = self.auditor.taps.get(after.decided.event_id) if after.decided is not None else None
        if agreed and tap is not None and tap.party == party.id:
            self.compare(party, after, tap)

    def _new_friend(self, party: Party, new: Connection) -> None:
        """Nobody becomes a friend at once; the id follows from both keys, the room and the generation (1)."""
        rightly = wire.connection_id(party.identity.key, new.peer_key, new.room, new.generation)
        if new.id != rightly:
            self._wrong(party, new, "has an id that isn't that of what was opened (1)")
        is_ours = new.ours and self.auditor.is_our_line(party, new.asked.event_id, ("connect",))
        if new.state in {ConnectionState.MAKING, ConnectionState.READY, ConnectionState.ACTIVE} and not is_ours:
            self._wrong(party, new, f"is {new.state} at once (4)")
