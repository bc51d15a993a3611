"""The parties, room, links and clock of one history, and the effect of each action on them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import httpx

from fedbot.engine.bot import Bot
from fedbot.ports.journal import Committed
from fedbot.rules.model.effects import Phrase
from fedbot.rules.model.events import DecidedOffChat, Event, SaidOffChat
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.model.transfer import Transfer
from tests.fakes.clock import FakeClock
from tests.fakes.people import Person
from tests.simulation import inventree_trouble, lying, room_actions
from tests.simulation.actions import Action
from tests.simulation.auditor import Auditor
from tests.simulation.crashing import Crash, CrashingJournal
from tests.simulation.homeserver import FaultyHomeserver
from tests.simulation.party import GRACE, InWords, Party, SkewedClock

MOST_ROUNDS = 500
LONG_POLL = timedelta(seconds=31)
MOST_WAKES = 20_000
LATE_AT_MOST = timedelta(seconds=90)  # shorter than `settle`, whose promise the operator has to keep
SECOND = timedelta(seconds=1)
JUMPS = tuple(timedelta(hours=hours) for hours in (-1, 1, -26, 26, -24 * 60, 24 * 60, 24 * 3650))
QUEUES = ("sync", "ask", "act", "chat")


@dataclass(frozen=True)
class Setup:
    """The initial conditions of a history: drawn from the seed, never shrunk."""

    parties: int
    skews: tuple[int, ...]
    direct: bool
    friends: bool
    open_for: timedelta
    lies: bool = False

    @classmethod
    def drawn(cls, random: Random) -> Setup:
        """Draw one: mostly two parties, friends, with clocks up to 40 seconds off."""
        parties = random.choices((2, 3, 4), (7, 2, 1))[0]
        skews = tuple(random.choice((0, 0, -25, 40)) for _ in range(parties))
        return cls(
            parties,
            skews,
            direct=random.random() < 0.15,
            friends=random.random() < 0.85,
            open_for=timedelta(days=random.choice((1, 7))),
        )


class Federation:
    """The whole world of one history. `story` describes its events in lines."""

    def __init__(self, setup: Setup) -> None:
        self.clock = FakeClock()
        self.server = FaultyHomeserver(self.clock)
        self.story: list[str] = []
        host = Person(self.server, "moderator")
        self.moderator = host
        room = host.creates("Makerspaces")
        self.room = room.id
        host.sets_power(events={"dev.fedbot.party": 0})
        self.stranger = self._joined(host, "stranger")
        network: dict[str, httpx.BaseTransport] = {}
        self.parties = [
            Party(
                number,
                SkewedClock(self.clock, timedelta(seconds=setup.skews[number])),
                self.clock.now,
                self.server,
                (self.room,),
                network,
                self._committed,
                self._sent,
                self._said,
                "direct" if setup.direct else "relayed",
                setup.open_for,
            )
            for number in range(setup.parties)
        ]
        self.people: dict[str, Person] = {}
        for party in self.parties:
            self._enter(host, party.chat.user_id)
            for username in party.people.all:
                person = self._joined(host, f"{username}{party.number}")
                self.people[person.user_id] = person
        for party in self.parties:
            self.server.keep(party.chat.user_id)
        self.auditor = Auditor(self.parties, self.server, self.clock.now)
        self.auditor.liar = self.parties[-1] if setup.lies else None
        self.liar = lying.Liar(self)
        self._actions = self._by_name()
        self._setup = setup

    def _joined(self, host: Person, name: str) -> Person:
        person = Person(self.server, name)
        person.room = self.room
        self._enter(host, person.user_id)
        return person

    def _enter(self, host: Person, user: str) -> None:
        self.server.invite(host.user_id, self.room, user)
        self.server.join(user, self.room)

    def upgrades(self) -> None:
        """The moderator upgrades the room and invites everybody into the new one, where all people talk from now on."""
        new = self.moderator.upgrades(room=self.room)
        for person in (self.stranger, *self.people.values()):
            self.server.invite(self.moderator.user_id, new.id, person.user_id)
            self.server.join(person.user_id, new.id)
        for party in self.parties:
            self.server.invite(self.moderator.user_id, new.id, party.chat.user_id)
        self.room = new.id
        for person in (self.moderator, self.stranger, *self.people.values()):
            person.room = new.id
        self.tell("the moderator upgrades the room")

    def _committed(self, party: Party, event: Event, decision: Committed, rows: Sequence[int]) -> None:
        self.auditor.committed(party, event, decision)
        self.auditor.consents.queued(party, decision, rows)
        for document in decision.documents.values():
            if isinstance(document, Transfer):
                before = party.transfer(document.id)
                if before is None or before.state is not document.state:
                    self.tell(f"  {party.id}'s {document.id[:4]} is {document.state} ({type(event).__name__})")

    def _sent(self, party: Party, row: int, event_id: str) -> None:
        self.auditor.consents.sent(party, row, event_id)

    def _said(self, party: Party, phrase: Phrase, at: datetime, in_words: InWords) -> None:
        self.auditor.told.says(party, phrase, at, in_words)

    def tell(self, line: str) -> None:
        """Add a line with its time to the story."""
        self.story.append(f"{self.clock.now():%a %H:%M:%S} {line}")

    @property
    def events(self) -> int:
        """The number of events that bots have decided, apart from those that only say that nothing is missing."""
        return sum(party.events for party in self.parties)

    # --- beginning and end --------------------------------------------------------------------------------

    async def begins(self) -> None:
        """Start all bots and share all stock; the first party befriends each other one if the set-up says so."""
        for party in self.parties:
            await self.boots(party)
        await self.rests()
        for party in self.parties:
            self.people[party.person(party.people.approver)].says("!fed share all")
        await self.rests()
        if self._setup.friends:
            for party in self.parties[1:]:
                await room_actions.become_friends(self, self.parties[0], party)

    async def heals(self) -> None:
        """Remove all trouble, start all bots, and let twelve days pass."""
        self.tell("--- from here on nothing goes wrong any more")
        for party in self.parties:
            party.clock.skew = timedelta(seconds=self._setup.skews[party.number])
            party.fuse.left = None
            party.wire.meddling.clear()
            inventree_trouble.fix(party)
            self.server.links[party.chat.user_id].heal()
            party.chat.is_unreachable, party.chat.lost_answers, party.chat.limited_calls = False, 0, 0
            if party.bot is None:
                await self.boots(party)
        for pause in (timedelta(minutes=5), timedelta(hours=3), timedelta(days=12)):
            await self.passes(pause)
            room_actions.settle(self)
        await self.passes(timedelta(hours=1))

    # --- processes ----------------------------------------------------------------------------------------

    async def guarded(self, party: Party, work: Callable[[], Awaitable[bool]]) -> bool:
        """Let a process work. If it crashes, it is down from then on."""
        try:
            did = await work()
        except Crash as crash:
            party.crashed()
            self.tell(f"  {party.id} CRASHES {crash}")
            did = True
        except Exception as problem:  # noqa: BLE001 -- whatever ends a process by itself is a broken promise
            party.crashed()
            if party is not self.auditor.liar:
                self.auditor.wrong(f"{party.id}'s process ended by itself: {problem!r}")
            did = True
        self.auditor.look(party)
        return did

    def calls(self, party: Party, event: SaidOffChat | DecidedOffChat) -> None:
        """A program of one of its people sends a line or a decision, as the API passes it on."""
        if party.bot is None:
            return
        try:
            party.bot.gateway().put(event)
        except Crash as crash:
            party.crashed()
            self.tell(f"  {party.id} CRASHES {crash}")

    async def boots(self, party: Party) -> None:
        """Start the process; if a fuse is lit it may crash."""
        self.auditor.must_have_kept(party)

        async def boot() -> bool:
            await party.boots()
            return True

        await self.guarded(party, boot)

    async def queue(self, party: Party, queue: str) -> bool:
        """Let one worker do one thing; return whether there was any."""
        if party.bot is None:
            return False

        async def work() -> bool:
            bot, journal, now = party.bot, party.bot.engine.journal, party.clock.now()  # type: ignore[union-attr]
            if bot is None:
                return False
            match queue:
                case "sync" if not party.chat.is_unreachable:
                    return await self._syncs(party, bot)
                case "ask":
                    rows = journal.due("ask", now)
                    for row in rows:
                        await bot.query_worker.perform(row)
                    return bool(rows)
                case "act":
                    rows = journal.due("act", now)
                    if rows:
                        await bot.step_worker.perform(rows[0], rows)
                    return bool(rows)
                case "chat":
                    rows = journal.due("chat", now)
                    may_send = bool(rows) and not party.chat.is_unreachable
                    return may_send and await bot.chat_worker.send_first(rows)
            return False

        return await self.guarded(party, work)

    async def _syncs(self, party: Party, bot: Bot) -> bool:
        self.server.release()
        if party.heard == _heard(party):
            return False
        batch = await bot.chat.sync(bot.engine.journal.token(), 0)
        bot.syncing.take(batch)
        party.heard = None if batch.events else _heard(party)
        return bool(batch.events)

    async def round(self, parties: list[Party], first: int = 0) -> bool:
        """Let each worker of these bots do one thing, this one first."""
        did = False
        for party in parties:
            for queue in (*QUEUES[first:], *QUEUES[:first]):
                did = await self.queue(party, queue) or did
        return did

    async def rests(self, first: int = 0) -> None:
        """Do everything that needs no time."""
        for _ in range(MOST_ROUNDS):
            if not await self.round(self.parties, first):
                return
        self.auditor.wrong("it never comes to rest")

    async def passes(self, time: timedelta) -> None:
        """Let time pass and do everything that becomes due."""
        end = self.clock.now() + time
        known = 0
        for _ in range(MOST_WAKES):
            self.server.release()
            await self.rests()
            wakes = [party.next_wake() for party in self.parties]
            skews = [party.clock.now() - self.clock.now() for party in self.parties]
            due = min(
                (wake - skew for wake, skew in zip(wakes, skews, strict=True) if wake is not None),
                default=end,
            )
            held = [at for link in self.server.links.values() for at, _ in link.held]
            # a bot that was just busy soon reads the room again, at the end of its long poll
            poll = self.clock.now() + LONG_POLL if self.events > known else end
            known = self.events
            due = min([due, end, poll, *held])
            self.jumps(max(due - self.clock.now(), timedelta(milliseconds=1)))
            for party in self.parties:
                if party.has_timer_due():
                    await self._ticks(party)
            if self.clock.now() >= end or self.auditor.violations:
                await self.rests()
                return
        wanted = [f"{party.id}: {party.next_wake()}" for party in self.parties]
        self.auditor.wrong(f"somebody wants to be woken for ever: {wanted}")

    async def _ticks(self, party: Party) -> None:
        async def tick() -> bool:
            await party.tick()
            return True

        await self.guarded(party, tick)

    def jumps(self, time: timedelta) -> None:
        """Move the clock. An InvenTree does its late requests in time."""
        end = self.clock.now() + time
        for party in self.parties:
            late_since = party.wire.late_since
            if late_since is not None and late_since + LATE_AT_MOST <= end:
                self.clock.advance(max(late_since + LATE_AT_MOST - self.clock.now(), timedelta(0)))
                inventree_trouble.release(self, party)
        self.clock.advance(max(end - self.clock.now(), timedelta(0)))

    # --- actions ------------------------------------------------------------------------------------------

    async def perform(self, action: Action) -> None:
        """Perform an action in the current state; do nothing if it doesn't apply."""
        await self._actions[action.name](*action.numbers)
        for party in self.parties:
            self.auditor.look(party)

    def party(self, number: int) -> Party:
        """One of the parties."""
        return self.parties[number % len(self.parties)]

    def aimed(self, a: int, d: int) -> Party:
        """One of the parties. The last number often selects the one with the newest card, or the card's peer."""
        cards = self.auditor.cards
        if not cards or d % 4 > 1:
            return self.party(a)
        party, key, _ = cards[-1]
        identifier = key.partition(":")[2]
        subject = party.transfer(identifier) or next((c for c in party.connections() if c.id == identifier), None)
        return party if d % 4 == 0 or subject is None else self.auditor.by_id(subject.peer)

    def _by_name(self) -> dict[str, Callable[[int, int, int, int], Awaitable[None]]]:
        here: dict[str, Callable[[int, int, int, int], Awaitable[None]]] = {
            "round": self._round,
            "queue": self._queue,
            "rest": self._rest,
            "crash": self._crash,
            "stop": self._stop,
            "boot": self._boot,
            "grace": self._grace,
            "seconds": self._seconds,
            "minutes": self._minutes,
            "hours": self._hours,
            "days": self._days,
            "clock": self._clock_jumps,
            "clock right": self._clock_right,
            "lose": self._lose,
            "double": self._double,
            "hold": self._hold,
            "lost answer": self._lost_answer,
            "limited": self._limited,
            "deaf": self._deaf,
            "heard": self._heard,
        }
        return here | room_actions.actions(self) | inventree_trouble.actions(self) | self.liar.actions()

    async def _round(self, a: int, b: int, c: int, _: int) -> None:
        parties = [party for party in self.parties if (a >> party.number) & 1]
        await self.round(parties if b % 2 else parties[::-1], c % len(QUEUES))

    async def _queue(self, a: int, b: int, *_: int) -> None:
        await self.queue(self.party(a), QUEUES[b % len(QUEUES)])

    async def _rest(self, a: int, *_: int) -> None:
        await self.rests(a % len(QUEUES))

    async def _crash(self, a: int, b: int, _: int, d: int) -> None:
        party = self.aimed(a, d)
        if party.bot is not None:
            party.fuse.light(b % 40)
            self.tell(f"{party.id} will crash {b % 40} points on")

    async def _stop(self, a: int, _b: int, _c: int, d: int) -> None:
        party = self.aimed(a, d)
        if party.bot is not None:
            party.crashed()
            self.tell(f"{party.id}'s process ends")

    async def _boot(self, a: int, b: int, *_: int) -> None:
        down = [party for party in self.parties if party.bot is None]
        if down:
            party = down[a % len(down)]
            self.tell(f"{party.id}'s process begins")
            await self.boots(party)
            if b % 3 == 0:
                await self._ticks(party)

    async def _grace(self, a: int, *_: int) -> None:
        """Let a grace pass, or almost."""
        await self._seconds(4 + a % 4)

    async def _seconds(self, a: int, *_: int) -> None:
        self.jumps(SECOND * (1 + a % 8))
        self.tell("some seconds later")
        for party in self.parties:
            if party.has_timer_due():
                await self._ticks(party)

    async def _minutes(self, a: int, *_: int) -> None:
        self.tell("some minutes later")
        await self.passes(timedelta(minutes=1 + a % 20))

    async def _hours(self, a: int, *_: int) -> None:
        self.tell("some hours later")
        await self.passes(timedelta(hours=1 + a % 30))

    async def _days(self, a: int, b: int, *_: int) -> None:
        """Move the clock at once, as if all machines slept, or let days pass."""
        self.tell("some days later")
        if b % 2 or any(party.is_down for party in self.parties):
            self.jumps(timedelta(days=1 + a % 8))
        else:
            await self.passes(timedelta(days=1 + a % 8))

    async def _clock_jumps(self, a: int, b: int, *_: int) -> None:
        """Set one machine's clock forward or back by any amount."""
        party = self.party(a)
        jump = JUMPS[b % len(JUMPS)]
        party.clock.skew += jump
        self.auditor.jumped.add(party.id)
        self.tell(f"{party.id}'s clock jumps by {jump}")

    async def _clock_right(self, a: int, *_: int) -> None:
        """Set the clock right."""
        party = self.party(a)
        party.clock.skew = timedelta(seconds=self._setup.skews[party.number])
        self.tell(f"{party.id}'s clock is right again")

    async def _lose(self, a: int, b: int, _: int, d: int) -> None:
        party = self.aimed(a, d)
        self.server.links[party.chat.user_id].lose = 1 + b % 4
        self.tell(f"the next {1 + b % 4} messages to {party.id}'s bot get lost")

    async def _double(self, a: int, b: int, *_: int) -> None:
        self.server.links[self.party(a).chat.user_id].double = 1 + b % 4
        self.tell(f"the next {1 + b % 4} messages to {self.party(a).id}'s bot come twice")

    async def _hold(self, a: int, b: int, c: int, d: int) -> None:
        party = self.aimed(a, d)
        link = self.server.links[party.chat.user_id]
        link.hold, link.hold_for = 1 + b % 4, SECOND * (3, 40, 400, 4000)[c % 4]
        self.tell(f"the next {link.hold} messages to {party.id}'s bot are late by {link.hold_for}")

    async def _lost_answer(self, a: int, *_: int) -> None:
        self.party(a).chat.lost_answers = 1
        self.tell(f"the answer to {self.party(a).id}'s next send gets lost")

    async def _limited(self, a: int, b: int, *_: int) -> None:
        self.party(a).chat.limited_calls = 1 + b % 3

    async def _deaf(self, a: int, _b: int, _c: int, d: int) -> None:
        party = self.aimed(a, d)
        party.chat.is_unreachable = True
        self.tell(f"{party.id}'s bot can't reach the homeserver")

    async def _heard(self, a: int, *_: int) -> None:
        deaf = [party for party in self.parties if party.chat.is_unreachable]
        if deaf:
            deaf[a % len(deaf)].chat.is_unreachable = False
            self.tell(f"{deaf[a % len(deaf)].id}'s bot reaches the homeserver again")


def _heard(party: Party) -> object:
    """While this stays the same, another sync brings nothing new."""
    journal = party.bot.engine.journal if party.bot is not None else None
    changes = journal.changes if isinstance(journal, CrashingJournal) else 0
    feed = party.server.links[party.chat.user_id].feed
    return party.bot, changes, party.clock.now(), len(feed)


__all__ = ["GRACE", "ConnectionState", "Federation", "Setup"]
