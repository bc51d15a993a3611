"""Checks the promises of docs/reliability.md from outside: by InvenTrees' histories and the journals' commits.

It never asks the rules for their opinion. It uses only people's actions, arrived messages and the servers' content.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

from fedbot.ports.journal import ChatMessage, Committed
from fedbot.rules.catalogue.want import OVER_WITH_STOCK
from fedbot.rules.model.catalogue import FriendWant, Want
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import CARD_KEYS, Choice, normalised
from fedbot.rules.model.events import (
    ChatEvent,
    DecidedOffChat,
    EnvelopeSeen,
    Event,
    Posted,
    Reacted,
    RoomSeen,
    SaidOffChat,
    StepRefused,
    Tick,
)
from fedbot.rules.model.from_anyone import Rota
from fedbot.rules.model.lending import QueueEntry
from fedbot.rules.model.lifecycles import FINAL, NOTHING_MOVED, ConnectionState, TransferState
from fedbot.rules.model.transfer import Transfer, total
from fedbot_demo.inventree.records import TrackingEntry
from tests.simulation.consent_checks import Consents, FriendView, View
from tests.simulation.homeserver import FaultyHomeserver
from tests.simulation.neighbours import OutsideBooks
from tests.simulation.party import Party
from tests.simulation.truth_of_messages import Told

OUT_KINDS = frozenset({20, 25, 42})
OVER_KIND = 100
BACK_KINDS = frozenset({15, 105})
SPLIT_CHILD_KIND = 42
SPLIT_KINDS = frozenset({40, SPLIT_CHILD_KIND})
CREATED_KIND = 1
NOTHING_COMES = NOTHING_MOVED | {TransferState.REFUSED, TransferState.REVERTED}
STALE_AFTER = timedelta(hours=1)
MARGIN = timedelta(minutes=2)  # the clocks of machines differ by less

YES = frozenset({Choice.APPROVE, Choice.PARCEL, Choice.DAMAGED})
OVER = frozenset({ConnectionState.DECLINED, ConnectionState.CANCELLED, ConnectionState.EXPIRED, ConnectionState.ENDED})


@dataclass(frozen=True)
class Tap:
    """A person's reaction or typed decision, with what the card showed then. Decisions are compared with it.

    `typed` is when a line was typed, by the homeserver's clock.
    """

    party: str
    person: str
    subject: str
    choice: Choice | None
    shown: View | FriendView | None = None
    typed: datetime | None = None


@dataclass
class Movement:
    """The InvenTrees' evidence about one line of a transfer.

    `parted` is the item from which it was split off, and the quantity.
    """

    out: int = 0
    over: int = 0
    handed: Decimal = Decimal(0)
    put_back: int = 0
    back: int = 0
    created: int = 0
    parted: tuple[int | None, Decimal] | None = None
    merged: int = 0


@dataclass
class Auditor:
    """`violations` are sentences. `taps` are by event id; `untapped` maps a reaction to its redaction.

    `called` maps events to the lines sent through the API.
    """

    parties: list[Party]
    server: FaultyHomeserver
    now: Callable[[], datetime]
    violations: list[str] = field(default_factory=list)
    taps: dict[str, Tap] = field(default_factory=dict)
    untapped: dict[str, str] = field(default_factory=dict)
    called: dict[str, SaidOffChat] = field(default_factory=dict)
    liar: Party | None = None
    cards: list[tuple[Party, str, str]] = field(default_factory=list)
    movements: dict[tuple[str, int], Movement] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    forged: set[str] = field(default_factory=set)
    settled: set[str] = field(default_factory=set)
    troubled: set[str] = field(default_factory=set)
    clicked: set[str] = field(default_factory=set)
    jumped: set[str] = field(default_factory=set)
    grace_ends: dict[str, datetime] = field(default_factory=dict)
    left_open: dict[str, datetime] = field(default_factory=dict)
    arrivals: dict[str, list[str]] = field(default_factory=dict)
    _tracked: dict[str, int] = field(default_factory=dict)
    _decided: set[tuple[str, str]] = field(default_factory=set)
    _told_of_wants: set[tuple[str, str]] = field(default_factory=set)
    _read: dict[str, int] = field(default_factory=dict)
    _broken_rules: dict[str, int] = field(default_factory=dict)
    _reopened: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.consents = Consents(self)
        self.outside = OutsideBooks(self)
        self.told = Told(self)

    def by_id(self, party: str) -> Party:
        """The party with that id."""
        return next(each for each in self.parties if each.id == party)

    def wrong(self, text: str) -> None:
        """Record a broken promise."""
        if text not in self.violations:
            self.violations.append(text)

    def settled_by_people(self, *parties: Party) -> None:
        """Exempt the open transfers between these parties from now on: a person settles them and may be wrong."""
        for party in parties:
            self.settled |= {t.id for t in party.transfers() if t.state not in FINAL}

    def tapped(self, event_id: str, person: str, card: tuple[Party, str, str], emoji: str) -> None:
        """Record a person's reaction to a card."""
        choice = CARD_KEYS.get(normalised(emoji))
        identifier = card[1].partition(":")[2]
        shown = self.consents.seen(card[0], identifier, card[2])
        self.taps[event_id] = Tap(card[0].id, person, identifier, choice, shown)

    def typed(self, event_id: str, person: str, party: Party, subject: str, choice: Choice, card: str = "") -> None:
        """Record a typed decision about the subject in `party`'s state, optionally as the reply to `card`.

        The person's own bot reads it. The person has seen what its card shows by then.
        """
        home = next((each for each in self.parties if person in each.us.people), party)
        shown = self.consents.seen(home, subject, card)
        self.taps[event_id] = Tap(home.id, person, subject, choice, shown, self.now())

    def decided_on_a_page(self, party: Party, event: DecidedOffChat, shown: View | FriendView) -> None:
        """Record a decision that a program sent for a person, with what the program was shown."""
        self.taps[event.event_id] = Tap(party.id, event.sender, event.subject, event.choice, shown)

    # --- commits of a journal -------------------------------------------------------------------------------

    def committed(self, party: Party, event: Event, decision: Committed) -> None:
        """Check the commit of one event. The documents of `party` are still those before it."""
        if isinstance(event, Posted) and event.key.startswith("card:"):
            self.cards.append((party, event.key, event.event_id))
        if party is self.liar:
            return
        if isinstance(event, get_args(ChatEvent)) and not isinstance(event, RoomSeen):
            self._decided_once(party, event)
        for key, document in decision.documents.items():
            before = party.documents.get(key)
            if before is None and isinstance(document, Transfer) and document.settled is not None:
                self.settled.add(document.id)  # the lender reported the return without the borrower
            if isinstance(document, Transfer) and self._is_with_liar(document):
                self.forged.add(document.id)
            if isinstance(document, Transfer | Connection):
                self._verdict(party, before, document, event)
            if isinstance(document, Transfer):
                self._transfer(party, before if isinstance(before, Transfer) else None, document, event)
            if isinstance(document, Connection) and isinstance(before, Connection):
                self._connection(party, before, document)
                self._friends(party, before, document)
        self._filled_once(party, decision)
        self._booked_once(party, decision)
        self._in_turn(party, decision)
        self._wanted(party, event, decision)
        self.consents.committed(party, event, decision)
        self.outside.committed(party, event, decision)
        self.look(party)

    def _filled_once(self, party: Party, decision: Committed) -> None:
        """A request to several friends never has more confirmed at a time than was wanted."""
        if not any(isinstance(each, Transfer) and each.terms.confirm for each in decision.documents.values()):
            return
        known = {**party.documents, **decision.documents}
        transfers = {t.id: t for t in known.values() if isinstance(t, Transfer)}
        for rota in known.values():
            if isinstance(rota, Rota):
                asked = (transfers[each.transfer] for each in rota.asked if each.transfer in transfers)
                ours = [t for t in asked if t.approved_hash and t.state not in NOTHING_COMES]
                if sum(total(t.terms.lines) for t in ours) > rota.wanted:
                    self.wrong(f"{party.id}: more is confirmed than {rota.code} wants: {[t.code for t in ours]}")

    def _booked_once(self, party: Party, decision: Committed) -> None:
        """On no day is more of our stock item booked than there was when the booking was agreed."""
        known = {**party.documents, **decision.documents}
        booked = [
            t
            for t in known.values()
            if isinstance(t, Transfer) and t.role == "sender" and t.state is TransferState.BOOKED
        ]
        for new in (t for t in booked if (Transfer.__name__, t.id) in decision.documents):
            before = party.documents.get((Transfer.__name__, new.id))
            if isinstance(before, Transfer) and before.state is TransferState.BOOKED:
                continue
            known_there = (*new.there, *(Decimal(0) for _ in new.terms.lines))
            for line, there in zip(new.terms.lines, known_there, strict=False):
                others = [t for t in booked if t.id != new.id and _share_a_day(t, new)]
                days = {t.terms.starts for t in (*others, new)}
                for day in days:
                    on_it = [t for t in (*others, new) if _is_on(t, day)]
                    taken = sum(x.quantity for t in on_it for x in t.terms.lines if x.item == line.item)
                    row = party.inventree.stock.get(line.item)
                    if taken > max(there, row.quantity if row is not None else Decimal(0)):
                        self.wrong(
                            f"{party.id}: on {day} {taken} of #{line.item} are booked: {[t.code for t in on_it]}"
                        )

    def _in_turn(self, party: Party, decision: Committed) -> None:
        """Nobody's turn comes before that of an earlier entry for the same item, and one item is kept for one entry
        only.
        """
        arrived = self.arrivals.setdefault(party.id, [])
        arrived += [d.id for d in decision.documents.values() if isinstance(d, QueueEntry) and d.id not in arrived]
        queue = [d for d in {**party.documents, **decision.documents}.values() if isinstance(d, QueueEntry)]
        kept = [entry.kept for entry in queue if entry.kept]
        if len(set(kept)) < len(kept):
            self.wrong(f"{party.id}: a thing is kept for two at once: {[e.code for e in queue if e.kept]}")
        for entry in queue:
            before = party.documents.get((QueueEntry.__name__, entry.id))
            is_new = entry.kept and not (isinstance(before, QueueEntry) and before.kept)
            place = arrived.index(entry.id)
            passed = [e.code for e in queue if e.part and e.meets(entry) and not e.kept and arrived.index(e.id) < place]
            if is_new and passed:
                self.wrong(f"{party.id}: it is the turn of {entry.code} before {passed}")

    def _wanted(self, party: Party, event: Event, decision: Committed) -> None:
        """People are told once of a friend's want, a want ends with its day, and items that arrived are no longer
        wanted.
        """
        said = [each.effect.key for each in decision.queued if isinstance(each.effect, ChatMessage)]
        for told in (key for key in said if key.startswith("wanted:")):
            if (party.id, told) in self._told_of_wants:
                self.wrong(f"{party.id}: people are told again of what a friend wants ({told})")
            self._told_of_wants.add((party.id, told))
        after = {**party.documents, **decision.documents}
        wants = [each for each in after.values() if isinstance(each, Want) and each.is_living]
        over = decision.at.date() - timedelta(days=2)  # the space's own date may differ
        if isinstance(event, Tick):
            late = [each for each in after.values() if isinstance(each, Want | FriendWant) and each.until < over]
            for each in late:
                if isinstance(each, FriendWant) or each.is_living:
                    self.wrong(f"{party.id}: {each.word} is wanted although its day is over")
        for key, document in decision.documents.items():
            before = party.documents.get(key)
            if not (isinstance(document, Transfer) and isinstance(before, Transfer)) or document.terms.parent:
                continue
            has_come = document.role == "receiver" and document.state in OVER_WITH_STOCK
            is_new = has_come and before.state not in OVER_WITH_STOCK
            came = [ln for ln in document.lines_come if is_new and not document.at(ln.number).failed]
            for want in wants:
                known = party.documents.get((Want.__name__, want.id))
                names = {name for line in came for name in (line.description.ipn, line.description.name)}
                if isinstance(known, Want) and want.word in names and want.lacking >= known.lacking:
                    self.wrong(f"{party.id}: {want.word} has come, and is wanted all the same")

    def _decided_once(self, party: Party, event: Event) -> None:
        once = (party.id, str(getattr(event, "event_id", "")))
        if once in self._decided:
            self.wrong(f"{party.id}: a {type(event).__name__} was acted upon twice")
        self._decided.add(once)

    def must_have_kept(self, party: Party) -> None:
        """Its journal holds each line and reaction for it, up to where the account has read, except redacted ones.

        Other talk needn't be there, because little is kept.
        """
        position = _position(party)
        feed = self.server.links[party.chat.user_id].feed[self._read.get(party.id, 0) : position]
        self._read[party.id] = position
        wanted = {event["event_id"] for event in feed if self._is_for(party, event)}
        if wanted:
            kept = {str(row[0]) for row in party.database.rows("SELECT event_id FROM seen")}
            removed = {each for each in wanted if not self.server.event(each)["content"]}
            for lost in sorted(wanted - kept - removed):
                self.wrong(f"{party.id}: a line or tap ({lost}) was read, and is known no more (promise 3)")

    def _is_for(self, party: Party, event: dict[str, Any]) -> bool:
        """Whether it is a reaction to this party's own card, or a line that its bot answers.

        Each bot answers its own people. The bot with the lowest id answers people whom no space lists.
        """
        if event["event_id"] in self.taps and event["type"] == "m.reaction":
            target = str(event["content"].get("m.relates_to", {}).get("event_id", ""))
            return any(card == target and owner is party for owner, _, card in self.cards)
        is_said = str(event["content"].get("body", "")).startswith("!fed")
        if not is_said or any(event["sender"] == each.chat.user_id for each in self.parties):
            return False
        whose = [each for each in self.parties if event["sender"] in each.us.people]
        return (whose or [min(self.parties, key=lambda each: each.chat.user_id)])[0] is party

    def _verdict(self, party: Party, before: object, after: Transfer | Connection, event: Event) -> None:
        new = after.decision
        old = before.decision if isinstance(before, Transfer | Connection) else None
        if new is not None and new.ends is not None:
            self.grace_ends[new.event_id] = new.ends
        if new is None:
            return
        if old is not None and old.event_id != new.event_id and isinstance(event, Reacted):
            self.wrong(f"{party.id}: on {after.id[:4]} a decision under way was replaced by another (compare-and-set)")
        if old is None and isinstance(before, Transfer) and before.state in FINAL:
            self.wrong(f"{party.id}: {after.id[:4]} is {before.state}, yet a decision on it was taken up")

    def _connection(self, party: Party, before: Connection, after: Connection) -> None:
        if before.state in OVER and after.state is not before.state:
            self.wrong(f"{party.id}: connection {after.id[:4]} was {before.state} and became {after.state} (5)")

    def _is_with_liar(self, subject: Transfer | Connection) -> bool:
        return self.liar is not None and subject.peer == self.liar.id

    def _friends(self, party: Party, before: Connection, after: Connection) -> None:
        """No friendship starts just because a peer's message says so."""
        name = f"{party.id}: connection {after.id[:4]}"
        if before.state is ConnectionState.OFFERED and after.state is ConnectionState.MAKING:
            by = after.decided.event_id if after.decided is not None else ""
            has_agreed = self._is_our_yes(party, by, after.id, {party.people.superuser})
            if not after.ours and not has_agreed and not self.is_our_line(party, by, ("connect",)):
                self.wrong(f"{name} goes on though no superuser here has said yes (4)")
            if after.ours and not self.is_our_line(party, after.asked.event_id, ("connect",)):
                self.wrong(f"{name} goes on though nobody here has asked for it (4)")

    def _is_our_yes(self, party: Party, event_id: str, subject: str, users: AbstractSet[str]) -> bool:
        tap = self.taps.get(event_id)
        is_on_it = tap is not None and tap.party == party.id and tap.subject == subject and tap.choice in YES
        return tap is not None and is_on_it and party.us.people.get(tap.person) in users

    def who_said(self, event_id: str) -> str:
        """The Matrix id of whoever sent that event, in the room or through the API."""
        if event_id in self.called:
            return self.called[event_id].sender
        return next((str(each["sender"]) for each in self.server.log if each["event_id"] == event_id), "")

    def is_our_line(self, party: Party, event_id: str, verbs: tuple[str, ...]) -> bool:
        """Whether one of our people said this with one of these verbs; redacted lines count."""
        called = self.called.get(event_id)
        if called is not None:
            return called.sender in party.us.people and called.text.split()[1] in verbs
        said = next((each for each in self.server.log if each["event_id"] == event_id), None)
        if said is None or said["type"] != "m.room.message" or said["sender"] not in party.us.people:
            return False
        words = str(said["content"].get("body", "")).split()
        return not words or (words[0] == "!fed" and words[1:2] != [] and words[1] in verbs)

    def _transfer(self, party: Party, before: Transfer | None, after: Transfer, event: Event) -> None:
        if before is None or before.state is after.state:
            return
        name = f"{party.id}: {after.id[:4]}"
        if before.state in FINAL:
            self._was_final(party, before, after, event)
        if before.state is TransferState.OPEN and after.state in {TransferState.APPROVED, TransferState.DEBITING}:
            self.left_open.setdefault(after.id, party.clock.now())
        if after.role == "receiver" and after.id not in self.settled:
            if before.awaits_parcel and after.state is TransferState.CREDITING:
                self._must_be_here(after, name)
            elif before.state is TransferState.CREDITING and after.state is TransferState.SENT:
                self._not_taken(after, name, event)
            elif after.state in {TransferState.CREDITING, TransferState.SENT}:
                self._told_as_sent(party, before, after, event)
        if after.state is TransferState.EXPIRED and after.role == "sender":
            self._expired(party, before, name)

    def _was_final(self, party: Party, before: Transfer, after: Transfer, event: Event) -> None:
        """Only a person's statement about stock may be contradicted, and only once."""
        name = f"{party.id}: {after.id[:4]}"
        if isinstance(event, EnvelopeSeen):
            self._reopened[party.id, after.id] += 1
            if self._reopened[party.id, after.id] > 1:
                self.wrong(f"{name} is {before.state} by the word of our people, and its friend opens it again (8)")
        if after.id not in self.settled:
            self.wrong(f"{name} was {before.state} and became {after.state} (5, final states are final)")

    def _must_be_here(self, transfer: Transfer, name: str) -> None:
        by = transfer.parcel.received if transfer.parcel is not None else None
        tap = self.taps.get(by.event_id) if by is not None else None
        if tap is None or tap.subject != transfer.id or tap.choice is not Choice.PARCEL:
            self.wrong(f"{name} is credited though nobody has said that the parcel is here (4)")

    def _not_taken(self, transfer: Transfer, name: str, event: Event) -> None:
        """A parcel that our InvenTree refused waits for people again; nothing else returns to 'sent'."""
        booked = [progress.number for progress in transfer.progress if progress.stage]
        if not isinstance(event, StepRefused) or not transfer.awaits_parcel or booked:
            self.wrong(f"{name} waits as if nothing were booked in")

    def _told_as_sent(self, party: Party, before: Transfer, after: Transfer, event: Event) -> None:
        name = f"{party.id}: {before.id[:4]}"
        if before.terms.kind == "push" and (before.approved_hash != before.terms_hash):
            self.wrong(f"{name} is credited though nobody here has approved it (4)")
        if not isinstance(event, EnvelopeSeen) or event.envelope.get("kind") != "sent":
            self.wrong(f"{name} began crediting without a 'sent' (debit before credit)")
            return
        written = max(event.envelope["sent_at"] / 1000, event.at.timestamp())
        age = party.clock.now().timestamp() - written
        if age > STALE_AFTER.total_seconds() and not after.awaits_parcel:
            self.wrong(f"{name} was credited from a 'sent' that was {age / 60:.0f} minutes old")

    def _expired(self, party: Party, before: Transfer, name: str) -> None:
        """It may not expire while an approval that came in time is unread in the room."""
        if self._is_with_liar(before) or party.id in self.jumped:
            return
        link = self.server.links[party.chat.user_id]
        position = _position(party)
        number = before.exchange.seen
        for unread in link.feed[position:]:
            envelope = unread["content"].get("dev.fedbot", {})
            if envelope.get("transfer") != before.id or envelope.get("seq") != number + 1:
                continue
            number += 1
            in_time = link.arrived_at[unread["event_id"]] < before.due - MARGIN
            if envelope.get("kind") == "approve" and in_time and envelope["terms_hash"] == before.terms_hash:
                self.wrong(f"{name} expired although an approval had come in time and lay unread")

    # --- the content of an InvenTree ------------------------------------------------------------------------

    def look(self, party: Party) -> None:
        """Check the new entries in this InvenTree's history."""
        if party is not self.liar:
            self._process(party)
            self._entries(party)

    def _process(self, party: Party) -> None:
        """Check the bot itself: failed rules, messages that were sent twice."""
        if party.failures > self._broken_rules.get(party.id, 0):
            self._broken_rules[party.id] = party.failures
            self.wrong(f"{party.id}: the rules failed on an event")
        for row in party.chat.twice:
            self.wrong(f"{party.id}: the message of outbox row {row} was sent twice")

    def _entries(self, party: Party) -> None:
        tracking = party.inventree.tracking
        since = self._tracked.setdefault(party.id, 1)
        if tracking.next_pk == since:
            return
        self._tracked[party.id] = tracking.next_pk
        robot = party.inventree.users.find("username", "fedbot")[0].pk
        for pk in range(since, tracking.next_pk):
            entry = tracking.get(pk)
            if entry is None or entry.user != robot:
                continue
            if entry.tracking_type == CREATED_KIND:
                self._created(party, entry.item)
                continue
            if entry.tracking_type in SPLIT_KINDS and not entry.notes and self._is_return(party, pk):
                continue
            word, _, rest = entry.notes.partition(" ")
            parts = word.split(":")
            if len(parts) != 4 or parts[0] != "fed":
                self.wrong(f"{party.id}: entry {pk} of type {entry.tracking_type} has no mark (6)")
                continue
            lent_outside = self.outside.known(party, parts[1])
            if lent_outside is not None:
                self.outside.entry(party, lent_outside, int(parts[2]), parts[3], entry.tracking_type, rest)
            elif parts[1] not in self.settled:
                line = (parts[1], int(parts[2]))
                self._entry(party, line, parts[3], entry.tracking_type, rest, entry.deltas)
                self._parts_and_meets(party, line, parts[3], entry)

    def _parts_and_meets(self, party: Party, line: tuple[str, int], step: str, entry: TrackingEntry) -> None:
        """What was split off is merged at most once, when it is back: all of it, into the item from which it came."""
        movement, deltas = self.movements[line], entry.deltas
        if step == "out" and entry.tracking_type == SPLIT_CHILD_KIND:
            movement.parted = (entry.item, Decimal(str(deltas["removed"])))
        if step != "merge":
            return
        name = f"{party.id}: {line[0][:4]} line {line[1]}"
        movement.merged += 1
        if movement.merged > 1 or not (movement.back or movement.put_back):
            self.wrong(f"{name} was merged {movement.merged} times, taken back {movement.back} times (3)")
        if movement.parted != (entry.item, Decimal(str(deltas["added"]))):
            self.wrong(f"{name}: {deltas['added']} were merged into #{entry.item}, but came from {movement.parted} (1)")

    def _is_return(self, party: Party, pk: int) -> bool:
        """On a partial return, InvenTree splits the item by itself and marks only the return after it."""
        after = [party.inventree.tracking.get(number) for number in range(pk + 1, pk + 5)]
        return any(entry is not None and entry.tracking_type in BACK_KINDS and entry.notes for entry in after)

    def _entry(
        self, party: Party, line: tuple[str, int], step: str, kind: int, rest: str, deltas: dict[str, object]
    ) -> None:
        movement = self.movements.setdefault(line, Movement())
        undone = rest.startswith("undone:")
        name = f"{party.id}: {line[0][:4]} line {line[1]}"
        if step == "out" and kind in OUT_KINDS:
            movement.out += -1 if undone else 1
            if movement.out > 1:
                self.wrong(f"{name} was taken out {movement.out} times (3)")
            if not undone:
                self._must_be_decided(party, line[0], name)
        elif step == "over" and kind == OVER_KIND:
            movement.over += 1
            movement.handed = Decimal(str(deltas.get("quantity", 0)))
            if movement.over > 1 or movement.out < 1:
                self.wrong(f"{name} was handed over {movement.over} times, taken out {movement.out} times (3)")
        elif step == "putback" and kind in OUT_KINDS:
            movement.put_back += 1
        elif step == "in" and kind in OUT_KINDS:  # it was here before, entered by hand, and is marked as borrowed
            self._came_in(movement, line, name)
        elif step == "brought" and kind in BACK_KINDS:
            self.outside.came_home(party, line[0])
        elif kind in BACK_KINDS:
            self._returned(movement, line, step, name)

    def _returned(self, movement: Movement, line: tuple[str, int], step: str, name: str) -> None:
        if step == "over":
            movement.over -= 1
        elif step in {"home", "in"}:  # a returned loan, or a serialised item that was here before
            self._came_in(movement, line, name)
        elif step == "back":
            movement.back += 1
            if movement.back > 1:
                self.wrong(f"{name} was taken back {movement.back} times (3)")
            if movement.created:
                self.wrong(f"{name} was taken back although the receiver has booked it in (1)")

    def _created(self, party: Party, item: int | None) -> None:
        row = party.inventree.stock.get(item)
        mark = row.link.partition("?")[2].split(":") if row is not None and row.parent is None else []
        if row is None or len(mark) != 4 or mark[1] in self.settled:
            return
        line = (mark[1], int(mark[2]))
        movement = self.movements.setdefault(line, Movement())
        name = f"{party.id}: {line[0][:4]} line {line[1]}"
        self._came_in(movement, line, name)
        self.consents.came_in(party, line[0], line[1], row.part, row.quantity)
        if line[0] not in self.forged and movement.over == 1 and movement.handed != row.quantity:
            self.wrong(f"{name}: {movement.handed} were handed over, {row.quantity} booked in (2)")

    def _came_in(self, movement: Movement, line: tuple[str, int], name: str) -> None:
        """Record a booking by the receiver, or by the lender of a returned item."""
        movement.created += 1
        if movement.created > 1:
            self.wrong(f"{name} was booked in {movement.created} times (3)")
        if line[0] in self.forged:
            return  # its sender says in a signed message that it was handed over
        if movement.over < 1:
            self.wrong(f"{name} was booked in before it was handed over (debit before credit, 2)")
        if movement.back:
            self.wrong(f"{name} was booked in after it was taken back (1)")

    # --- the deciders -------------------------------------------------------------------------------------

    def _must_be_decided(self, party: Party, identifier: str, name: str) -> None:
        """Check invariant 4 when stock leaves."""
        sent = party.transfer(identifier)
        if sent is not None:
            self.consents.goes_out(party, sent)
        if sent is not None and self._is_with_liar(sent):
            self._must_be_our_word(party, sent, name)
            return
        peer = self.by_id(sent.peer) if sent is not None else None
        received = peer.transfer(identifier) if peer is not None else None
        if sent is None or peer is None or received is None:
            self.wrong(f"{name}: stock leaves for a transfer that one side doesn't know (4)")
            return
        if sent.terms.confirm and not received.approved_hash:
            self.wrong(f"{name}: stock leaves for one of several that are asked, and its bot hasn't confirmed it")
        decider, decided = (peer, received) if sent.terms.decider == peer.id else (party, sent)
        # the lender or giver decides on its own terms; the requester may read them later
        if sent.terms_hash != received.terms_hash and sent.terms.kind == "push":
            self.wrong(f"{name}: stock leaves on other terms than the receiver knows (4)")
        event_id = decided.decided.event_id if decided.decided is not None else ""
        if sent.granted is not None:
            event_id = sent.granted.event_id
        if sent.terms.kind == "return" and received.asked.event_id == event_id:
            self._must_be_asked_back(decider, sent.terms.parent, event_id, name)
        else:
            self._must_be_entitled(decider, identifier, event_id, name)
        # booked items leave by the decision on the first day's card
        by_offer = sent.terms.kind == "push" and sent.terms.starts is None
        ours = sent.asked.username if by_offer else ""
        lost = party.lost_permission.get(ours) if party.id not in self.jumped else None
        if lost is not None and lost < self.left_open.get(identifier, party.clock.now()):
            self.wrong(f"{name}: stock leaves though {ours}, who offered it, has lost the right before (4)")

    def _must_be_our_word(self, party: Party, sent: Transfer, name: str) -> None:
        """A liar gets only what our own people offered, or approved on a card."""
        users = party.people.deciders
        if sent.terms.kind == "return" and sent.asked.party != party.id:
            return  # the lender reports the return, so no more can leave than was lent
        if sent.terms.decider != party.id or sent.terms.kind == "push":
            if not self.is_our_line(party, sent.asked.event_id, ("push", "lend", "return", "approve", "outside")):
                self.wrong(f"{name}: stock leaves though nobody here has offered it (4)")
            return
        by = sent.granted or sent.decided
        if by is None or not self._is_our_yes(party, by.event_id, sent.id, users):
            self.wrong(f"{name}: stock leaves to a liar though nobody here has approved it (4)")
            return

    def _must_be_asked_back(self, owner: Party, loan: str, event_id: str, name: str) -> None:
        """The lender's person reports the return, which is the decision."""
        tap = self.taps.get(event_id)
        username = owner.us.people.get(tap.person, "") if tap is not None else ""
        if tap is None or tap.subject != loan or username not in owner.people.deciders:
            self.wrong(f"{name}: stock leaves though nobody who may has asked it back (4)")

    def _must_be_entitled(self, decider: Party, identifier: str, event_id: str, name: str) -> None:
        tap = self.taps.get(event_id)
        if tap is None or tap.choice not in YES or tap.subject != identifier:
            self.wrong(f"{name}: stock leaves though nobody has approved it (4)")
            return
        username = decider.us.people.get(tap.person, "")
        ends = self.grace_ends.get(event_id)
        by_clock = decider.id not in self.jumped
        lost = decider.lost_permission.get(username) if by_clock else None
        if username not in decider.people.deciders or ends is None:
            self.wrong(f"{name}: stock leaves on the word of {tap.person}, who may not decide (4)")
        elif lost is not None and lost < ends:
            self.wrong(f"{name}: stock leaves though {username} had lost the right before the grace ended (4)")
        link = self.server.links[decider.chat.user_id]
        arrived = link.arrived_at.get(self.untapped.get(event_id, ""))
        if arrived is not None and ends is not None and by_clock:
            skew = decider.clock.now() - self.now()
            if arrived + skew < ends:
                self.wrong(f"{name}: stock leaves though the ✅ was taken back within the grace (4)")


def _position(party: Party) -> int:
    """The position in its feed that the account has read, as journaled."""
    rows = party.database.rows("SELECT value FROM meta WHERE name = 'token'")
    return int(str(rows[0][0])[1:]) if rows else 0


def _is_on(booking: Transfer, day: date | None) -> bool:
    first, last = booking.terms.starts, booking.terms.loan_until
    return first is not None and last is not None and day is not None and first <= day <= last


def _share_a_day(one: Transfer, other: Transfer) -> bool:
    return _is_on(one, other.terms.starts) or _is_on(other, one.terms.starts)
