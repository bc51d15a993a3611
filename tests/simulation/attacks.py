"""One attack for each rule of consent, played against whole bots. The auditor must see it if that rule is broken.

Random histories find most of these too, but each only with some seeds. An attack finds it at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from fedbot.rules import web, wire
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.events import DecidedOffChat
from fedbot.rules.model.lending import LendingRule, LentBefore, LoanRules, outside_id
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.transfer import Line, Transfer
from fedbot.rules.protocol.terms import to_json
from fedbot.rules.wire import BY_PAGE, Identity
from fedbot_demo.inventree.records import StockItem
from tests.fakes.people import Person
from tests.simulation.consent_checks import FriendView, View, view_of
from tests.simulation.federation import Federation, Setup
from tests.simulation.party import GRACE, Party

Attack = Callable[["Scene"], Awaitable[None]]
ATTACKS: dict[str, Attack] = {}
OF_THREE: set[str] = set()
"""The attacks in which nobody lies: a space and two friends who want the same."""
BOLT = "M3-BOLT"
BY = {"by": "@cem1:twin.test", "by_name": "Cem", "event": "", "awaits": True, "seen": 0}


@dataclass
class Scene:
    """An honest space and a friend that lies. The liar's own bot stops once it has played its part."""

    federation: Federation

    @property
    def honest(self) -> Party:
        """The party whose people are the attack's target."""
        return self.federation.parties[0]

    @property
    def liar(self) -> Party:
        """The friend that lies."""
        return self.federation.parties[-1]

    def person(self, role: str = "approver", party: Party | None = None) -> Person:
        """One of the honest party's people, or of `party`'s: `approver`, `superuser` or `member`."""
        party = party or self.honest
        return self.federation.people[party.person(getattr(party.people, role))]

    async def says(self, text: str, role: str = "approver", party: Party | None = None) -> None:
        """One of these people writes it, and the bots answer."""
        self.person(role, party).says(f"!fed {text}")
        await self.federation.rests()

    async def taps(self, person: Person | None = None, key: str = "✅") -> None:
        """Our superuser (or `person`) reacts to the newest card, which starts the grace."""
        card = self.federation.auditor.cards[-1]
        person = person or self.person("superuser")
        self.federation.auditor.tapped(person.reacts(card[2], key), person.user_id, card, key)
        await self.federation.rests()

    def loads_a_page(self, subject: Transfer) -> tuple[DecidedOffChat, View | FriendView]:
        """Our superuser's approval on a page, not sent yet, and what the page shows."""
        bot, person = self.honest.bot, self.person("superuser")
        assert bot is not None
        seen = web.shown_hash(bot.gateway().turn(), subject)
        now, event_id = self.honest.clock.now(), f"{BY_PAGE}{'0' * 40}"
        return DecidedOffChat(now, event_id, person.user_id, subject.id, Choice.APPROVE, seen), view_of(subject)

    async def decides_on(self, page: tuple[DecidedOffChat, View | FriendView]) -> None:
        """Send that approval, which starts the grace."""
        self.federation.auditor.decided_on_a_page(self.honest, *page)
        self.federation.calls(self.honest, page[0])
        await self.federation.rests()

    async def grace_ends(self) -> None:
        """Let the grace end, so that a valid decision takes effect."""
        await self.federation.passes(GRACE + timedelta(seconds=5))

    async def lies(self, kind: str, subject: Transfer | Connection, body: dict[str, Any], **frame: Any) -> None:  # noqa: ANN401 -- any JSON
        """The friend's next message about the subject, properly signed, and delivered to the bots."""
        told = {
            "kind": kind,
            "from": self.liar.id,
            "to": self.honest.id,
            "room": self.federation.room,
            subject.subject_kind: subject.id,
            "terms_hash": subject.terms_hash if isinstance(subject, Transfer) else "",
            "body": {**BY, **body},
            **frame,
        }
        known = self.honest.documents.get((type(subject).__name__, subject.id))
        seen = known.exchange.seen if isinstance(known, Transfer | Connection) else 0
        self.federation.liar._signs(self.liar, {"seq": seen + 1, **told})
        await self.federation.rests()

    def ours(self) -> Transfer:
        """The newest transfer in our bot's state."""
        return self.honest.transfers()[-1]

    def stock(self, ipn: str = BOLT, party: Party | None = None) -> StockItem:
        """A non-empty stock item of that part here."""
        inventree = (party or self.honest).inventree
        part = next(part.pk for part in inventree.parts if ipn == part.IPN)
        return next(row for row in inventree.stock if row.part == part and row.customer is None and row.quantity > 3)

    async def offers(self, quantity: str = "1") -> Transfer:
        """The friend offers something, by its own people; then its bot stops. Our card is posted."""
        item = self.stock(party=self.liar)
        await self.says(f"push #{item.pk} {quantity} to {self.honest.id}", party=self.liar)
        self.liar.crashed()
        return self.ours()

    async def asks(self) -> Transfer:
        """The friend requests one of our items; then its bot stops. Our card is posted."""
        await self.says(f"request {BOLT} 1 from {self.honest.id}", party=self.liar)
        self.liar.crashed()
        return self.ours()

    async def lends(self, lender: Party, borrower: Party) -> Transfer:
        """Three of an item are lent and have arrived; then the friend's bot stops."""
        item = self.stock(party=lender)
        await self.says(f"lend #{item.pk} 3 to {borrower.id} for 3 days", party=lender)
        await self.taps(self.person("superuser", borrower))
        await self.federation.passes(timedelta(minutes=3))
        self.liar.crashed()
        return self.ours()

    async def sends(self, subject: Transfer) -> None:
        """The friend says that it has sent the items."""
        known = self.honest.transfer(subject.id) or subject
        items = [{"number": line.number, "item": line.item} for line in known.terms.lines]
        await self.lies("sent", known, {"lines": items, "failed": []})
        await self.federation.passes(timedelta(minutes=2))

    async def grants(self, transfer: Transfer, quantity: str) -> None:
        """The friend grants that quantity of our request."""
        known = self.honest.transfer(transfer.id) or transfer
        lines = (replace(known.terms.lines[0], quantity=Decimal(quantity), whole=False),)
        terms = to_json(replace(known.terms, lines=lines))
        await self.lies("granted", known, {"terms": terms}, terms_hash=wire.terms_hash(terms))

    async def would_give(self, transfer: Transfer, line: Line) -> None:
        """The friend says what its card would give for our request."""
        terms = to_json(replace(transfer.terms, lines=(line,)))
        await self.lies("noted", transfer, {"terms": terms}, terms_hash=wire.terms_hash(terms))

    async def opens(self, letter: str, like: Transfer, cause: str, **changed: Any) -> None:  # noqa: ANN401 -- terms
        """The friend opens something similar; `id` replaces its id."""
        identifier = changed.pop("id", "")
        terms = to_json(replace(like.terms, **changed))
        opening = wire.Opening(self.liar.identity.key, self.federation.room, wire.by_line(cause))
        rightly = wire.opened_id(wire.SubjectKind(terms["kind"]), opening)
        due = (self.federation.clock.now() + timedelta(days=5)).isoformat()
        body = {"terms": terms, "due": due, "opening": wire.opening_json(opening)}
        new = replace(like, id=identifier or rightly, terms_hash=wire.terms_hash(terms))
        await self.lies(letter, new, body)

    def announces(self, identity: Identity, *, signed: bool = True, **changed: Any) -> None:  # noqa: ANN401 -- JSON
        """The friend announces itself with some fields changed, under the key of that identity."""
        entry = {
            "id": self.liar.id,
            "name": self.liar.us.name,
            "key": identity.key,
            "people": sorted(self.liar.us.people),
            "access": "relayed",
            "at": wire.wire_time(self.federation.clock.now() + timedelta(minutes=1)),
            **changed,
        }
        bot, room = self.liar.chat.user_id, self.federation.room
        content: dict[str, Any] = {"v": 1, "parties": [entry]}
        if signed:
            content = wire.sign_announcement(identity, bot, room, content)
        self.federation.server.put_state(bot, room, "dev.fedbot.party", bot, content)


def attack(*names: str, of_three: bool = False) -> Callable[[Attack], Attack]:
    """Register an attack for the broken variants of these names; `of_three`: see `OF_THREE`."""

    def register(function: Attack) -> Attack:
        ATTACKS.update(dict.fromkeys(names, function))
        OF_THREE.update(names if of_three else ())
        return function

    return register


def attacked(name: str) -> list[str]:
    """The auditor's findings when the attack for that variant is played; empty if all rules hold."""

    async def played() -> list[str]:
        is_strange = name == "a friendship begins by the peer's message alone"
        parties = 3 if name in OF_THREE else 2
        setup = Setup(
            parties,
            (0,) * parties,
            direct=False,
            friends=not is_strange,
            open_for=timedelta(days=7),
            lies=name not in OF_THREE,
        )
        federation = Federation(setup)
        await federation.begins()
        await ATTACKS[name](Scene(federation))
        await federation.rests()
        for party in federation.parties if name in OF_THREE else federation.parties[:-1]:
            federation.auditor.must_have_kept(party)
            federation.auditor.look(party)
        for party in federation.parties:
            party.database.close()
        return federation.auditor.violations

    return asyncio.run(played())


@attack("a decision counts although the card's content has changed", "the hash covers less than the card shows")
async def _less_and_less(scene: Scene) -> None:
    await scene.says(f"request {BOLT} 3 from {scene.liar.id}")
    scene.liar.crashed()
    asked = scene.ours()
    await scene.grants(asked, "2")
    await scene.taps()
    await scene.grants(asked, "1")
    await scene.grace_ends()
    await scene.sends(asked)


@attack("a decision on a page counts whatever the page showed")
async def _old_page(scene: Scene) -> None:
    await scene.says(f"request {BOLT} 3 from {scene.liar.id}")
    scene.liar.crashed()
    asked = scene.ours()
    await scene.grants(asked, "2")
    page = scene.loads_a_page(scene.ours())
    await scene.grants(asked, "1")
    await scene.decides_on(page)
    await scene.grace_ends()
    await scene.sends(asked)


@attack("a transfer has an id of its opener's choice")
async def _chosen_id(scene: Scene) -> None:
    offered = await scene.offers()
    await scene.opens("offer", offered, "$x", id=f"{wire.short_hash('chosen')}-push")


@attack("a friendship has an id of the peer's choice")
async def _chosen_friendship(scene: Scene) -> None:
    (friend,) = scene.honest.connections()
    new = replace(friend, id=f"{wire.short_hash('chosen')}-connection")
    said = {"generation": 2, "name": "X", "access": "relayed", "asker": "@x:x", "asker_name": "X"}
    await scene.lies("connect", new, {**said, "commitment": "0" * 64})


@attack("a peer's new subjects are not counted")
async def _very_many(scene: Scene) -> None:
    offered = await scene.offers()
    for number in range(60):
        await scene.opens("offer", offered, f"$n{number}")


@attack("a display name like our person's counts as that person")
async def _impostor(scene: Scene) -> None:
    offered = await scene.offers()
    approver = scene.person("approver")
    scene.federation.stranger.renames_to(scene.federation.server.names[approver.user_id])
    await scene.federation.rests()
    await scene.taps(scene.federation.stranger)
    await scene.grace_ends()
    await scene.sends(offered)


@attack("a reply to the peer's message counts like one to our card")
async def _their_message(scene: Scene) -> None:
    asked = await scene.asks()
    theirs = [e for e in scene.federation.server.log if e["content"].get("dev.fedbot", {}).get("transfer") == asked.id]
    scene.person("superuser").says("!fed approve", reply_to=theirs[0]["event_id"])
    await scene.federation.rests()
    await scene.grace_ends()
    await scene.federation.passes(timedelta(minutes=3))


@attack("an approval typed before our card is posted counts")
async def _unread(scene: Scene) -> None:
    """The code is in the friend's message, whose text can say anything. Our bot hasn't read the message yet."""
    scene.honest.chat.is_unreachable = True
    item = scene.stock(party=scene.liar)
    await scene.says(f"push #{item.pk} 1 to {scene.honest.id}", party=scene.liar)
    scene.liar.crashed()
    offered = scene.liar.transfers()[-1]
    superuser = scene.person("superuser")
    said = superuser.says(f"!fed approve {offered.code}")
    scene.federation.auditor.typed(said, superuser.user_id, scene.liar, offered.id, Choice.APPROVE)
    scene.honest.chat.is_unreachable = False
    await scene.federation.rests()
    await scene.grace_ends()
    await scene.sends(offered)


@attack("an announcement without its key's signature is believed")
async def _unsigned(scene: Scene) -> None:
    scene.announces(scene.liar.identity, signed=False, id="another", key=Identity(sha256(b"another").digest()).key)


@attack("people whom another bot lists are left to it, even our own")
async def _silenced(scene: Scene) -> None:
    scene.announces(scene.liar.identity, people=sorted(scene.honest.us.people))
    await scene.federation.rests()
    await scene.says("status")


@attack("a person whose user is inactive still decides")
async def _retired(scene: Scene) -> None:
    offered = await scene.offers()
    username = scene.honest.people.approver
    users = scene.honest.inventree.users
    users.put(replace(users.find("username", username)[0], is_active=False))
    scene.honest.lost_permission[username] = scene.honest.clock.now()
    await scene.taps(scene.person("approver"))
    await scene.grace_ends()
    await scene.sends(offered)


@attack("the borrower's message extends a loan")
async def _more_time(scene: Scene) -> None:
    loan = await scene.lends(scene.honest, scene.liar)
    await scene.lies("extended", loan, {"until": "2027-06-01"})


@attack("the borrower's message ends a loan")
async def _a_gift(scene: Scene) -> None:
    loan = await scene.lends(scene.honest, scene.liar)
    await scene.lies("closed", loan, {"how": "gift"})


@attack("a borrower that asks twice at once gets both extensions")
async def _both_extensions(scene: Scene) -> None:
    """The rules allow one extension. The friend's own bot would ask for the second only after the first answer."""
    scene.honest.lending = (LendingRule(extensions=1),)
    scene.honest.crashed()
    await scene.federation.boots(scene.honest)
    loan = await scene.lends(scene.honest, scene.liar)
    days = [loan.due_day + timedelta(days=more) for more in (2, 4)] if loan.due_day else []
    for number, day in enumerate(days):
        terms = {"kind": "extension", "parent": loan.id, "loan_until": day, "rules": None}
        await scene.opens("request", loan, f"$more{number}", **terms)
    for card in scene.federation.auditor.cards[-len(days) :]:
        superuser = scene.person("superuser")
        scene.federation.auditor.tapped(superuser.reacts(card[2], "✅"), superuser.user_id, card, "✅")
        await scene.federation.rests()
        await scene.grace_ends()


@attack("a quantity counts although the part's unit has changed")
async def _other_unit(scene: Scene) -> None:
    """One of our people corrects the unit of the part between the card and the booking."""
    offered = await scene.offers()
    await scene.taps()
    parts = scene.honest.inventree.parts
    part = next(part for part in parts if part.IPN == BOLT)
    parts.put(replace(part, units="m"))
    await scene.grace_ends()
    await scene.sends(offered)


@attack("an item that our people called borrowed is still given away")
async def _borrowed_by_now(scene: Scene) -> None:
    """One of our people offers it. Another says that the friend lent it to us before we had a bot. Then the friend
    agrees.
    """
    item = scene.stock()
    await scene.says(f"push #{item.pk} 1 to {scene.liar.id}")
    offered, theirs = scene.ours(), scene.stock(party=scene.liar)
    await scene.says(f"lend #{theirs.pk} 1 to {scene.honest.id} for 3 days", party=scene.liar)
    scene.liar.crashed()
    lent, today = scene.ours(), scene.federation.clock.now().date()
    line = replace(lent.terms.lines[0], quantity=item.quantity)
    await scene.opens("offer", lent, "$before", lines=(line,), outside=LentBefore(outside_id("$before"), "Club", today))
    loan = scene.ours()
    await scene.says(f"here {loan.code} #{item.pk}")
    await scene.taps()
    await scene.grace_ends()
    await scene.sends(loan)
    known = scene.honest.transfer(offered.id) or offered
    await scene.lies("approve", known, {})
    await scene.federation.passes(timedelta(minutes=3))


@attack("a friend reopens a transfer that our people settled")
async def _ever_again(scene: Scene) -> None:
    item = scene.stock()
    await scene.says(f"push #{item.pk} 1 to {scene.liar.id}")
    scene.liar.crashed()
    for lie in ("approve", "disputed"):
        await scene.lies(lie, scene.ours(), {"reason": "x"})
    for _ in range(3):
        scene.federation.auditor.settled_by_people(scene.honest)
        await scene.says(f"resolve {scene.ours().code} --as arrived", "superuser")
        await scene.lies("disputed", scene.ours(), {"reason": "x"})


@attack("a requester may approve their own request")
async def _own_yes(scene: Scene) -> None:
    asked = await scene.asks()
    await scene.lies("approve", asked, {})
    await scene.federation.passes(timedelta(minutes=2))


@attack("another item than the requested one is accepted")
async def _another_thing(scene: Scene) -> None:
    await scene.says(f"request {BOLT} 1 from {scene.liar.id}")
    scene.liar.crashed()
    line = scene.ours().terms.lines[0]
    part = next(part for part in scene.honest.inventree.parts if part.IPN == "RES-10K")
    other = replace(line, description=replace(line.description, name=part.name, ipn=part.IPN))
    await scene.would_give(scene.ours(), other)
    await scene.sends(scene.ours())


@attack("more than the requested quantity is accepted")
async def _more(scene: Scene) -> None:
    await scene.says(f"request {BOLT} 1 from {scene.liar.id}")
    scene.liar.crashed()
    await scene.would_give(scene.ours(), replace(scene.ours().terms.lines[0], quantity=Decimal(50), whole=False))
    await scene.sends(scene.ours())


@attack("a grant may bring a text to agree to")
async def _text_in_the_grant(scene: Scene) -> None:
    await scene.says(f"request {BOLT} 2 from anyone for 2 weeks")
    scene.liar.crashed()
    asked = scene.ours()
    terms = to_json(replace(asked.terms, rules=LoanRules(agree=("whoever borrows it pays for it",))))
    await scene.lies("granted", asked, {"terms": terms}, terms_hash=wire.terms_hash(terms))
    await scene.sends(asked)


@attack("a booking may arrive before its first day")
async def _too_early(scene: Scene) -> None:
    item = scene.stock(party=scene.liar)
    await scene.says(f"lend #{item.pk} 1 to {scene.honest.id} {_from_day(scene, 5, 9)}", party=scene.liar)
    await scene.taps()
    await scene.grace_ends()
    scene.liar.crashed()
    await scene.sends(scene.ours())


@attack("a peer's new key is pinned without a review")
async def _another_key(scene: Scene) -> None:
    scene.announces(Identity(sha256(b"another").digest()))


@attack("a peer's new name is used without a review")
async def _another_name(scene: Scene) -> None:
    scene.announces(scene.liar.identity, name="Betaspace")


@attack("a friendship begins by the peer's message alone")
async def _friends_at_once(scene: Scene) -> None:
    await scene.says(f"connect {scene.honest.id}", "superuser", scene.liar)
    await scene.federation.passes(timedelta(minutes=3))


# --- bookings, queues, requests from anyone: several want the same at the same time --------------------------------


def _from_day(scene: Scene, first: int, last: int) -> str:
    """The period from one number of days from today to another."""
    today = scene.federation.clock.now().date()
    return f"from {today + timedelta(days=first)} until {today + timedelta(days=last)}"


async def _yes_to_all(scene: Scene) -> None:
    """The superuser of each space approves all its open cards at the same time."""
    for card in scene.federation.auditor.cards:
        party, subject = card[0], card[0].transfer(card[1].partition(":")[2])
        if subject is not None and subject.state is TransferState.OPEN and subject.granted is None:
            person = scene.person("superuser", party)
            scene.federation.auditor.tapped(person.reacts(card[2], "✅"), person.user_id, card, "✅")
    await scene.federation.rests()
    await scene.grace_ends()


async def _two_book(scene: Scene, days: tuple[int, int], others: tuple[int, int]) -> None:
    """Both friends request all of an item for overlapping days, and our people approve both at once."""
    for friend, (first, last) in zip(scene.federation.parties[1:], (days, others), strict=True):
        asked = f"request {BOLT} {scene.stock().quantity} from {scene.honest.id} {_from_day(scene, first, last)}"
        await scene.says(asked, party=friend)
    await _yes_to_all(scene)


@attack("a booking ignores other bookings of the same days", of_three=True)
async def _same_days(scene: Scene) -> None:
    await _two_book(scene, (2, 6), (2, 6))


@attack("a booking counts on its first day only", of_three=True)
async def _days_in_between(scene: Scene) -> None:
    await _two_book(scene, (2, 8), (4, 5))


@attack("a booking leaves on its first day without a decision", of_three=True)
async def _unasked(scene: Scene) -> None:
    friend = scene.federation.parties[1]
    await scene.says(f"request {BOLT} 1 from {scene.honest.id} {_from_day(scene, 2, 6)}", party=friend)
    await _yes_to_all(scene)
    await scene.federation.passes(timedelta(days=3))


async def _queue(scene: Scene, *, wanted: str) -> str:
    """Lend all of it to one friend. The other waits for `wanted`, then one of our people for one. Return the loan's
    code.
    """
    borrower, friend = scene.federation.parties[1:]
    part = scene.stock().part
    rows = [row for row in scene.honest.inventree.stock if row.part == part and row.customer is None]
    text = " + ".join(f"#{row.pk} {row.quantity}" for row in rows)
    await scene.says(f"lend {text} to {borrower.id} for 3 days")
    await scene.taps(scene.person("superuser", borrower))
    await scene.federation.passes(timedelta(minutes=3))
    loan = scene.ours().code
    await scene.says(f"wait {wanted} {BOLT} from {scene.honest.id}", party=friend)
    await scene.says(f"wait 1 {BOLT}", "member")
    return loan


async def _comes_back(scene: Scene, loan: str, what: str) -> None:
    """The lender's superuser says that so much of it is back."""
    superuser = scene.person("superuser")
    said = superuser.says(f"!fed return {loan} {what}")
    scene.federation.auditor.typed(said, superuser.user_id, scene.honest, scene.ours().id, Choice.APPROVE)
    await scene.federation.rests()
    await scene.federation.passes(timedelta(minutes=5))


@attack("the last in the queue has the first turn", of_three=True)
async def _last_first(scene: Scene) -> None:
    loan = await _queue(scene, wanted="1")
    await _comes_back(scene, loan, "all")


@attack("a queue entry for less passes earlier ones", of_three=True)
async def _passes_by(scene: Scene) -> None:
    loan = await _queue(scene, wanted="3")
    await _comes_back(scene, loan, "1 1")


@attack("an item kept for one queue entry is kept for the next too", of_three=True)
async def _kept_twice(scene: Scene) -> None:
    loan = await _queue(scene, wanted="1")
    await _comes_back(scene, loan, "all")


async def _from_anyone(scene: Scene, how: str = "") -> None:
    await scene.says(f"request {BOLT} 2 from anyone{how}")


@attack(
    "a request from several friends confirms every grant",
    "an item requested from several friends leaves before it is confirmed",
    of_three=True,
)
async def _two_yeses(scene: Scene) -> None:
    await _from_anyone(scene, " --all")
    await _yes_to_all(scene)
    await scene.federation.passes(timedelta(minutes=3))


@attack("the result of a request from anyone is forgotten", of_three=True)
async def _once_more(scene: Scene) -> None:
    await _from_anyone(scene)
    for _ in range(2):
        await _yes_to_all(scene)
        await scene.federation.passes(timedelta(minutes=3))


async def _wants(scene: Scene, until: str = "in 3 days") -> None:
    """Our friend's people want bolts, which we share; days pass."""
    await scene.says(f"want 2 {BOLT} until {until}", party=scene.federation.parties[1])
    await scene.federation.passes(timedelta(days=1, hours=2))


@attack("people are told of a friend's want again and again", of_three=True)
async def _asks_again(scene: Scene) -> None:
    await _wants(scene)


@attack("a want outlives its day", of_three=True)
async def _its_day_is_over(scene: Scene) -> None:
    friend = scene.federation.parties[1]
    await _wants(scene, "tomorrow")
    # nobody decides; this only gives the friend's clock something to do
    await scene.says(f"push #{scene.stock().pk} 2 to {friend.id}")
    await scene.federation.passes(timedelta(days=8))


@attack("items that have come are still wanted", of_three=True)
async def _it_has_come(scene: Scene) -> None:
    friend = scene.federation.parties[1]
    await _wants(scene)
    await scene.says(f"push #{scene.stock().pk} 2 to {friend.id}")
    await scene.taps(scene.person("superuser", friend))
    await scene.federation.passes(timedelta(minutes=3))
