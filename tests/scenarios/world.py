"""Two makerspaces, attraktor and betaspace, in one room: their people, bots and simulated InvenTrees."""
# ruff: noqa: ANN401 -- options have any fields that a test needs

from __future__ import annotations

import itertools
import pickle
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import httpx

from fedbot.journal.journal import Journal
from fedbot.matrix.room import Raw
from fedbot.rules.model.party_config import PartyConfig
from fedbot_demo.inventree import seeds
from fedbot_demo.inventree.seeding import Seeded
from fedbot_demo.inventree.transport import SimulatedTransport
from fedbot_demo.inventree.versions import Version
from tests.fakes.chat import FakeChat
from tests.fakes.clock import FakeClock
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.people import Message, Person, RoomView, everybody_in
from tests.inventree.space import FaultyTransport
from tests.scenarios.space import GIVE_UP, SETTLE, Kept, Space

GRACE = timedelta(seconds=5)
MOST_ROUNDS = 400
SHORTEST = timedelta(milliseconds=1)
SETTINGS = (
    "new_part_category",
    "destination",
    "token_file",
    "admin_token_file",
    "pinned_approvers",
    "pinned_superusers",
)


class World:
    """The room, the spaces and the people. `settle` performs everything that needs no time."""

    def __init__(self, **options: Any) -> None:
        self.network: dict[str, httpx.BaseTransport] = {}
        self.newcomers: tuple[str, ...] = options.get("newcomers", ())
        self.clock = FakeClock()
        self.server = FakeHomeserver(self.clock)
        people = {name: Person(self.server, name) for name in ("anna", "piet", "kim", "bea", "cem", "dilek", "tom")}
        self.anna, self.piet, self.kim = people["anna"], people["piet"], people["kim"]
        self.bea, self.cem, self.dilek, self.tom = people["bea"], people["cem"], people["dilek"], people["tom"]
        alpha_chat = FakeChat(self.server, "attraktor-bot", "Attraktor bot")
        beta_chat = FakeChat(self.server, "betaspace-bot", "Betaspace bot")
        guests = [p.user_id for p in people.values() if p is not self.anna]
        self.room: RoomView = everybody_in(
            self.server,
            self.anna,
            "Makerspaces",
            *guests,
            alpha_chat.user_id,
            beta_chat.user_id,
        )
        for person in people.values():
            person.room = self.room.id
        self.anna.sets_power(events={"dev.fedbot.party": 0})
        self.alpha_admins = everybody_in(self.server, self.anna, "Attraktor admins", alpha_chat.user_id)
        self.beta_admins = everybody_in(self.server, self.bea, "Betaspace admins", beta_chat.user_id)
        self.alpha = self._space(
            "attraktor",
            "Attraktor",
            seeds.alpha(clock=self.clock.now, version=Version.named(options.get("alpha_version", "newest"))),
            alpha_chat,
            ["anna", "piet", "kim"],
            self.alpha_admins,
            options.get("alpha", {}),
        )
        self.beta = self._space(
            "betaspace",
            "Betaspace",
            seeds.beta(clock=self.clock.now, version=Version.named(options.get("beta_version", "newest"))),
            beta_chat,
            ["bea", "cem", "dilek", "tom"],
            self.beta_admins,
            options.get("beta", {}),
        )
        self.spaces = [self.alpha, self.beta]

    def with_gammaspace(self, **changes: Any) -> World:
        """Add a third, small space with Gus and Mia to the room."""
        self.gus, self.mia = Person(self.server, "gus"), Person(self.server, "mia")
        chat = FakeChat(self.server, "gammaspace-bot", "Gammaspace bot")
        for guest in (self.gus.user_id, self.mia.user_id, chat.user_id):
            self.anna.invites(guest, room=self.room.id)
            self.server.join(guest, self.room.id)
        self.gus.room = self.mia.room = self.room.id
        self.gamma_admins = everybody_in(self.server, self.gus, "Gammaspace admins", chat.user_id)
        seeded = seeds.gamma(clock=self.clock.now)
        self.gamma = self._space("gammaspace", "Gammaspace", seeded, chat, ["gus", "mia"], self.gamma_admins, changes)
        self.spaces.append(self.gamma)
        return self

    def with_space(self, party: str, name: str) -> tuple[Space, Person]:
        """Another small space in the room, not started yet, with one person, who is its superuser."""
        person, chat = Person(self.server, name), FakeChat(self.server, f"{party}-bot", f"{party.capitalize()} bot")
        for guest in (person.user_id, chat.user_id):
            self.anna.invites(guest, room=self.room.id)
            self.server.join(guest, self.room.id)
        person.room = self.room.id
        admins = everybody_in(self.server, person, f"{party.capitalize()} admins", chat.user_id)
        seeded = seeds.gamma(clock=self.clock.now)
        changes = {"people": {person.user_id: "gus"}}
        space = self._space(party, party.capitalize(), seeded, chat, [], admins, changes)
        self.spaces.append(space)
        return space, person

    def _space(
        self,
        party: str,
        name: str,
        seeded: Seeded,
        chat: FakeChat,
        people: list[str],
        admins: RoomView,
        changes: dict[str, Any],
    ) -> Space:
        folder = changes.get("folder", "")
        url = f"http://{party}.test{folder}"
        transport = SimulatedTransport(seeded.server)
        transport.folder = folder
        self.network[url] = wire = FaultyTransport(transport)
        settings = {name: changes[name] for name in SETTINGS if name in changes}
        fields = {name: value for name, value in changes.items() if name not in (*SETTINGS, "folder")}
        us = PartyConfig(
            party=party,
            name=name,
            bot=chat.user_id,
            key="",
            people={f"@{p}:{chat.user_id.partition(':')[2]}": p for p in people},
            rooms=(self.room.id,),
            admin_room=admins.id,
            inventory_url=url,
            has_admin_token=True,
            grace=GRACE,
        )
        return Space(
            party=party,
            name=name,
            seeded=seeded,
            transport=transport,
            wire=wire,
            chat=chat,
            us=replace(us, **fields),
            clock=self.clock,
            journal=Journal.in_memory(self.clock.now),
            network=self.network,
            settings=settings,
        )

    def newcomer(self, name: str) -> Person:
        """A person of no space who is in the room."""
        person = Person(self.server, name)
        self.anna.invites(person.user_id)
        person.joins(self.room)
        return person

    async def start(self) -> World:
        """Start both bots and let them announce themselves.

        They have met their people and greeted their rooms. With `newcomers` they have done neither.
        """
        for space in self.spaces:
            met = [f"met:{person}" for person in space.us.people if person not in self.newcomers]
            greeted = [] if self.newcomers else [f"hello:{room}" for room in (self.room.id, space.us.admin_room)]
            for each in (*met, *greeted):
                space.has_told(each)
            await space.bot.start()
        await self.settle()
        return self

    async def settle(self, *, asleep: tuple[Space, ...] = ()) -> None:
        """Perform everything that needs no time; the processes of the bots in `asleep` are down."""
        awake = self._awake(asleep)
        for _ in range(MOST_ROUNDS):
            if not any([await step(space) for space in awake]):
                return
        raise AssertionError(f"it never comes to rest:\n{self.room.transcript()}")

    def _awake(self, asleep: tuple[Space, ...]) -> list[Space]:
        return [space for space in self.spaces if not space.is_asleep and space not in asleep]

    async def passes(self, time: timedelta, *, asleep: tuple[Space, ...] = ()) -> None:
        """Let time pass in steps, with all timers that become due."""
        end = self.clock.now() + time
        awake = self._awake(asleep)
        for space in awake:
            await _does_what_was_due(space)
        while self.clock.now() < end:
            await self.settle(asleep=asleep)
            due = min((wake for space in awake if (wake := _next_wake(space)) is not None), default=end)
            self.clock.advance(max(min(due, end) - self.clock.now(), SHORTEST))
            for space in awake:
                await space.bot.tick()
        await self.settle(asleep=asleep)

    async def grace(self) -> None:
        """Let a decision's grace pass."""
        await self.settle()
        await self.passes(GRACE + timedelta(seconds=1))

    async def connect(self) -> None:
        """Connect attraktor and betaspace."""
        await self.asks_to_connect()
        self.bea.reacts(self.card(), "✅")
        await self.grace()

    async def asks_to_connect(self) -> None:
        """Anna asks to connect, and betaspace's card is posted."""
        self.anna.says("!fed connect betaspace")
        await self.settle()

    def card(self) -> Message:
        """The newest card of betaspace's bot: the message with suggested reactions."""
        cards = [m for m in self.room.messages(sender=self.beta.chat.user_id) if m.reactions]
        assert cards, f"no card:\n{self.room.transcript()}"
        return cards[-1]

    async def push(self, words: str = "M3-NUT 10", note: str = "") -> Message:
        """Anna offers something to betaspace; return the card there."""
        before = {m.event_id for m in self.room.messages()}
        self.anna.says(f"!fed push {words} to betaspace" + (f' --note "{note}"' if note else ""))
        await self.settle()
        card = self.card()
        assert card.event_id not in before, f"no card:\n{self.room.transcript()}"
        return card

    async def hand_over(self, words: str = "M3-NUT 10") -> Message:
        """Anna offers something and Cem approves; return the card afterwards."""
        self.cem.reacts(await self.push(words), "✅")
        await self.grace()
        return self.card()

    async def answer(self, person: Person, line: str, *, reply_to: str | Message = "") -> str:
        """The only answer to a line that the person writes now."""
        said = person.says(line, reply_to=reply_to)
        await self.settle()
        return self.answer_to(said)

    def answer_to(self, line: str) -> str:
        """The only answer to a line."""
        answers = self.room.answers(line)
        assert len(answers) == 1, f"{len(answers)} answers:\n{self.room.transcript()}"
        return answers[0].text


@dataclass(frozen=True)
class Snapshot:
    """The whole state of a world: the homeserver, the InvenTrees, and each bot."""

    now: datetime
    server: bytes
    spaces: tuple[Kept, ...]

    @classmethod
    def of(cls, world: World) -> Snapshot:
        """The state as it is now, with nothing in progress."""
        server = {name: value for name, value in vars(world.server).items() if name not in NOT_KEPT}
        return cls(world.clock.now(), pickle.dumps(server), tuple(space.kept() for space in world.spaces))

    def world(self, options: dict[str, Any]) -> World:
        """Another world in the same state."""
        world = World(**options)
        world.clock.is_set(self.now - world.clock.now())
        vars(world.server).update(pickle.loads(self.server))  # noqa: S301 -- our own
        for person in (each for each in vars(world).values() if isinstance(each, Person)):
            person._transactions = itertools.count(len(world.server.log))
        for space, kept in zip(world.spaces, self.spaces, strict=True):
            space.continues_from(kept)
        return world


NOT_KEPT = ("clock", "loses", "withholds", "_waiting")
"""The fields of a homeserver that each world brings itself."""


async def sharing(**options: Any) -> World:
    """Friends that share all their stock."""

    async def made() -> World:
        world = await friends(**options)
        for person in (world.piet, world.cem):
            person.says("!fed share all")
        await world.settle()
        return world

    return await made_once("sharing", options, made)


def told(room: RoomView, words: str) -> list[Message]:
    """The messages that contain these words."""
    return [message for message in room.messages() if words in message.text]


def protocol_messages(user: str, event: Raw) -> bool:
    """For `server.loses`: lose all protocol messages, shown or not."""
    del user
    return "dev.fedbot" in event["content"]


def nothing(user: str, event: Raw) -> bool:
    """For `server.loses`: lose nothing."""
    del user, event
    return False


async def _does_what_was_due(space: Space) -> None:
    """Run the timers that became due while a bot slept or its clock was moved."""
    wake = space.bot.next_wake()
    if wake is not None and wake <= space.clock.now():
        await space.bot.tick()


def _next_wake(space: Space) -> datetime | None:
    now, wake = space.clock.now(), space.bot.next_wake()
    assert wake is None or wake > now, f"{space.party}'s bot would tick without end: due at {wake}, and it is {now}"
    may_send = now + timedelta(seconds=space.bot.chat_worker.pause(space.journal.due("chat", now)))
    times = [wake, space.bot.engine.grace_ends(), space.journal.next_due(), may_send]
    return min((time for time in times if time is not None and time > now), default=None)


async def step(space: Space) -> bool:
    """Let one bot do a small part of its work; return whether there was any."""
    bot, now = space.bot, space.clock.now()
    did = False
    if not space.chat.is_unreachable:
        batch = await space.chat.sync(space.journal.token(), 0)
        did = bool(batch.events)
        bot.syncing.take(batch)
    for row in () if space.hangs else space.journal.due("ask", now):
        await bot.query_worker.perform(row)
        did = True
    acts = () if space.hangs else space.journal.due("act", now)
    if acts:
        await bot.step_worker.perform(acts[0], acts)
        did = True
    protocol_messages = space.journal.due("chat", now)
    if protocol_messages and not space.chat.is_unreachable:
        did = await bot.chat_worker.send_first(protocol_messages) or did
        did = await bot.chat_worker.pictures.settled() or did
    return did


async def a_world(**options: Any) -> World:
    """Both bots running."""
    return await World(**options).start()


async def friends(**options: Any) -> World:
    """Both bots running, attraktor and betaspace connected."""

    async def made() -> World:
        world = await a_world(**options)
        await world.connect()
        return world

    return await made_once("friends", options, made)


_KEPT: dict[str, Snapshot] = {}
_MOST_KEPT = 12


async def made_once(name: str, options: dict[str, Any], make: Callable[[], Awaitable[World]]) -> World:
    """Return that world. The next one with the same options in this process continues from its current state."""
    key = f"{name} {options!r}"
    if " at 0x" in key:  # the option's repr doesn't describe it
        return await make()
    if key in _KEPT:
        return _KEPT[key].world(options)
    world = await make()
    while len(_KEPT) >= _MOST_KEPT:
        del _KEPT[next(iter(_KEPT))]
    _KEPT[key] = Snapshot.of(world)
    return world


__all__ = [
    "GIVE_UP",
    "GRACE",
    "SETTLE",
    "Message",
    "Person",
    "Space",
    "World",
    "a_world",
    "friends",
    "made_once",
    "nothing",
    "protocol_messages",
    "sharing",
    "step",
    "told",
]
