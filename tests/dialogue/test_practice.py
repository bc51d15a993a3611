"""A pretend friend (`fedbot practice`) gives, takes and lends practice items like any friend, and leaves nothing
behind.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fedbot.rules.ledger.stats import own
from fedbot.rules.model.books import Dealings
from fedbot.rules.model.lending import OutsideLoan
from fedbot.rules.model.lifecycles import ConnectionState, OutsideState, TransferState
from fedbot.rules.model.party_config import PRACTICE
from fedbot.rules.model.queries import StockCounts
from fedbot.setup.practice import PARTS
from fedbot_demo.inventree.seeding import Seeded, Seeder
from fedbot_demo.practice import friends_inventree
from tests.fakes.chat import FakeChat
from tests.fakes.people import Message, Person, everybody_in
from tests.scenarios.space import Space
from tests.scenarios.world import World, told

DONE, DECLINED = TransferState.DONE, TransferState.DECLINED
BOLT, LENS, DRILL, CAMERA = (part[:2] for part in PARTS)


class Practising(World):
    """Attraktor has created a pretend friend, with Robin as its person; Betaspace is a real friend."""

    practice: Space

    async def begin(self, *, own_room: bool) -> Practising:
        chat = FakeChat(self.server, "practice-bot", "PRACTICE friend")
        self.robin = Person(self.server, "robin")
        if own_room:
            self.practice_room = everybody_in(self.server, self.robin, "Practice", self.anna.user_id, chat.user_id)
            self.robin.sets_power(events={"dev.fedbot.party": 0}, room=self.practice_room.id)
        else:
            self.practice_room = self.alpha_admins
            for guest in (self.robin.user_id, chat.user_id):
                self.server.invite(self.anna.user_id, self.alpha_admins.id, guest)
                self.server.join(guest, self.alpha_admins.id)
        seeded = friends_inventree(self.clock.now)
        admins = everybody_in(self.server, self.robin, "Practice admins", chat.user_id)
        changes = {"rooms": (self.practice_room.id,)}
        self.practice = self._space(PRACTICE, "PRACTICE friend", seeded, chat, ["robin"], admins, changes)
        await self.start()
        await self.connect()
        self.made = tuple(add(self.alpha.seeded, *part, quantity=5) for part in (BOLT, DRILL))
        self.made += tuple(add(self.alpha.seeded, *part, quantity=0) for part in (LENS, CAMERA))
        order = {
            "wants": "begin",
            "room": self.practice_room.id,
            "bot": chat.user_id,
            "key": self.practice.identity.key,
            "parts": " ".join(map(str, self.made)),
        }
        assert (await self.alpha.bot.orders.taken["practice"](order))["problem"] == ""
        if own_room:
            self.server.invite(chat.user_id, self.practice_room.id, self.alpha.chat.user_id)
        self.spaces.append(self.practice)
        await self.practice.bot.start()
        await self.settle()
        self.anna.room = self.practice_room.id
        self.robin.room = self.practice_room.id
        self.decided: set[str] = set()
        return self

    async def become_friends(self) -> None:
        self.anna.says("!fed connect practice")
        await self.settle()
        self.robin.reacts(self.card_of(self.practice), "✅")
        await self.grace()

    def card_of(self, space: Space) -> Message:
        """The newest card of that bot in the practice room."""
        cards = [m for m in self.practice_room.messages(sender=space.chat.user_id) if m.reactions]
        assert cards, f"no card:\n{self.practice_room.transcript()}"
        return cards[-1]

    async def says(self, person: Person, line: str, by: Person | None = None, at: Space | None = None) -> str:
        """Write a line and approve the card that follows; return the bots' messages."""
        said = person.says(line)
        await self.settle()
        if by is not None and at is not None:
            card = self.card_of(at)
            assert card.event_id not in self.decided, f"no card:\n{self.practice_room.transcript()}"
            self.decided.add(card.event_id)
            by.reacts(card, "✅")
            await self.grace()
        return " ".join(answer.text for answer in self.practice_room.answers(said))


def add(seeded: Seeded, name: str, ipn: str, *, quantity: int) -> int:
    """Create a part as `fedbot practice` does, with that quantity in stock."""
    seeder = Seeder.into(seeded)
    part = seeder.part(name, ipn, category=next(iter(seeded.server.state.categories)))
    if quantity:
        *_, shelf = seeded.server.state.locations
        seeder.stock(part, quantity, shelf)
    seeder.finished()
    return part.pk


async def practising(*, own_room: bool = False) -> Practising:
    return await Practising().begin(own_room=own_room)


@pytest.mark.parametrize("own_room", [True, False])
async def test_a_pretend_friend_gives_takes_lends_and_is_late_and_nothing_of_it_remains(*, own_room: bool) -> None:
    """In a room of its own, or in the admin room, which is unchanged afterwards."""
    world = await practising(own_room=own_room)
    before = len(world.alpha.turn.transfers())
    await world.become_friends()
    anna, robin, alpha, friend = world.anna, world.robin, world.alpha, world.practice
    await world.says(robin, f"!fed push 3 {LENS[1]} to attraktor", by=anna, at=alpha)
    await world.says(robin, f"!fed request 2 {BOLT[1]} from attraktor", by=anna, at=alpha)
    await world.says(robin, f"!fed lend 1 {CAMERA[1]} to attraktor until in 2 weeks", by=anna, at=alpha)
    await world.says(robin, f"!fed request 1 {DRILL[1]} from attraktor until today", by=anna, at=alpha)
    await world.says(anna, f"!fed push 1 {BOLT[1]} to practice", by=robin, at=friend)
    kinds = [(t.terms.kind, t.is_loan, t.role, t.state) for t in alpha.turn.with_peer(PRACTICE)]
    assert sorted(kinds) == sorted(
        [
            ("push", False, "receiver", DONE),
            ("request", False, "sender", DONE),
            ("push", True, "receiver", DONE),
            ("request", True, "sender", DONE),
            ("push", False, "sender", DONE),
        ]
    ), world.practice_room.transcript()
    await world.passes(timedelta(days=2))
    assert "⚠ Lent; it was due" in await world.says(anna, "!fed loans")

    assert [dealings.party for dealings in figures(world)] == ["betaspace"]
    await alpha.bot.orders.taken["practice"]({"wants": "end"})
    await world.settle()
    outcome = await alpha.bot.orders.taken["practice"]({"wants": "look"})
    assert (outcome["friends"], outcome["busy"]) == (False, False)
    assert len(outcome["companies"]) == 1
    assert (await alpha.bot.orders.taken["practice"]({"wants": "forget"}))["problem"] == ""
    await world.settle()
    assert world.server.membership(world.practice_room.id, alpha.chat.user_id) == ("leave" if own_room else "join")
    assert len(alpha.turn.transfers()) == before
    kept = {type(each).__name__ for each in alpha.turn.everything() if world.practice_room.id in repr(each)}
    assert kept == (set() if own_room else {"Room", "Cooldown"})
    assert told(world.alpha_admins, "The practice is over.")
    room = alpha.turn.room(world.alpha_admins.id)
    assert room is not None
    assert room.joined
    world.anna.room = world.alpha_admins.id
    assert "practice" not in await world.says(world.anna, "!fed spaces")
    world.anna.room = world.practice_room.id
    assert alpha.connection().state is ConnectionState.ACTIVE, "the real friend is one still"
    await world.passes(timedelta(days=40))


def figures(world: Practising) -> tuple[Dealings, ...]:
    return own(world.alpha.turn, StockCounts(), 0, None).dealings


async def test_no_real_stock_goes_to_the_pretend_friend_and_no_practice_stock_to_a_real_one() -> None:
    world = await practising()
    await world.become_friends()
    anna, robin, alpha = world.anna, world.robin, world.alpha
    anna.says("!fed share all", room=world.room.id)
    await world.settle()
    assert "gets no real stock" in await world.says(anna, "!fed push 1 M3-NUT to practice")
    await world.says(robin, "!fed request 1 M3-NUT from attraktor")
    assert [t.state for t in alpha.turn.with_peer(PRACTICE)] == [DECLINED]
    assert "don't mix" in await world.says(anna, f"!fed match M3-NUT {BOLT[1]} from practice")

    anna.room = world.room.id
    line = anna.says(f"!fed push 1 {BOLT[1]} to betaspace")
    await world.settle()
    assert "for practice" in world.answer_to(line)
    world.bea.says(f"!fed request 1 {BOLT[1]} from attraktor")
    await world.settle()
    assert alpha.transfer().state is DECLINED
    line = world.bea.says("!fed find PRACTICE")
    await world.passes(timedelta(minutes=1))
    assert BOLT[0] not in world.answer_to(line)


async def test_a_real_neighbours_loan_is_not_handed_over_to_the_pretend_friend() -> None:
    world = await practising()
    await world.become_friends()
    await world.says(world.anna, '!fed lend 10 M3-NUT to outside "Club" for 1 week')
    answer = await world.says(world.anna, '!fed outside "Club" is practice')
    assert "the practice friend gets no real stock" in answer
    assert not list(world.alpha.turn.with_peer(PRACTICE))
    assert world.alpha.turn.all(OutsideLoan)[-1].state is OutsideState.OUT


async def test_an_item_that_becomes_practice_stock_after_the_offer_does_not_go_to_a_real_friend() -> None:
    """The last check before the debit covers every way by which stock leaves."""
    world = await practising()
    world.anna.room = world.room.id
    card = await world.push("M3-NUT 1")
    practice = world.alpha.turn.practice()
    assert practice is not None
    parts = (*practice.parts, world.alpha.transfer().terms.lines[0].part)
    world.alpha.knows_instead({(type(practice).__name__, practice.id): replace(practice, parts=parts)})
    world.cem.reacts(card, "✅")
    await world.grace()
    assert world.alpha.transfer().state is TransferState.ABORTED
    assert world.alpha.total("M3-NUT") == 350


async def test_the_pretend_friends_gifts_become_no_real_stock_and_create_no_part() -> None:
    """Robin gives its item the name of one of our real parts, or a name that nothing here has."""
    world = await practising()
    await world.become_friends()
    parts = len(world.alpha.seeded.server.state.parts)
    for name, ipn in (("M3 nut", "M3-NUT"), ("Mystery", "MYSTERY")):
        add(world.practice.seeded, name, ipn, quantity=9)
        world.robin.says(f"!fed push 1 {ipn} to attraktor")
        await world.settle()
        card = world.card_of(world.alpha)
        world.anna.reacts(card, "✅")
        await world.grace()
    assert {t.state for t in world.alpha.turn.with_peer(PRACTICE)} == {TransferState.OPEN}
    assert len(world.alpha.seeded.server.state.parts) == parts
    assert told(world.practice_room, "practice and real stock don't mix")


async def test_nobody_else_is_the_pretend_friend_and_it_exists_nowhere_else() -> None:
    world = await practising()
    world.server.invite(world.anna.user_id, world.room.id, world.practice.chat.user_id)
    world.server.join(world.practice.chat.user_id, world.room.id)
    await world.practice.restart(rooms=(world.practice_room.id, world.room.id))
    await world.settle()
    assert world.alpha.turn.announced(world.room.id, PRACTICE) == []
    world.anna.room = world.room.id
    line = world.anna.says("!fed connect practice")
    await world.settle()
    assert "practice" not in [c.peer for c in world.alpha.turn.connections()], world.answer_to(line)
    world.server.invite(world.robin.user_id, world.practice_room.id, world.beta.chat.user_id)
    world.server.join(world.beta.chat.user_id, world.practice_room.id)
    await world.beta.restart(rooms=(world.room.id, world.practice_room.id))
    await world.settle()
    assert world.alpha.turn.announced(world.practice_room.id, "betaspace") == []
