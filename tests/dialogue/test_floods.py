"""During a flood by a peer, a person or an outage, everybody else is served, and no honest message is lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from fedbot import messages
from fedbot.rules import budgets, wire
from fedbot.rules.budgets import Limit
from fedbot.rules.model.catalogue import Allowance
from fedbot.rules.model.command import Cooldown
from fedbot.rules.model.connection import Exchange
from fedbot.rules.model.effects import Post, say
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.protocol import bodies
from fedbot.rules.protocol.terms import hash_of, to_json
from fedbot.rules.transfer.opening import opens
from fedbot.rules.wire import Identity, Opening, SubjectKind, by_line, connection_id, opened_id
from tests.dialogue.test_dishonest_friends import forges
from tests.dialogue.test_finding import three
from tests.dialogue.test_lending import lent
from tests.dialogue.test_photos import JPEG, attached, lens_comes_back
from tests.fakes.people import Person
from tests.scenarios.books import assert_books_balance
from tests.scenarios.forging import forge
from tests.scenarios.space import Space
from tests.scenarios.world import World, a_world, friends, sharing

DONE, OPEN = TransferState.DONE, TransferState.OPEN
ABOUT_CONNECTIONS = {kind for kind, (_, scope) in budgets.MESSAGES.items() if scope is not budgets.Scope.SUBJECT}


def offers(world: World, liar: Space, honest: Transfer, number: int) -> None:
    """The liar's bot offers that many things at once, each under an id of its own."""
    for each in range(number):
        opening = Opening(liar.identity.key, honest.room, by_line("$forged", each + 1))
        identifier = opened_id(SubjectKind(honest.terms.kind), opening)
        offer = replace(honest, id=identifier, opening=opening, exchange=Exchange())
        forges(world, liar, offer, "offer", bodies.Offer(**opens(offer)).to_json())


def sent(world: World, space: Space) -> int:
    """The number of events that count against this bot's rate limit."""
    return len(world.server.sent_by(space.chat.user_id))


async def test_sixty_offers_at_once_do_not_become_sixty_cards_or_sixty_mentions() -> None:
    world = await friends()
    await world.push()
    honest = world.alpha.transfer()
    world.alpha.is_asleep = True
    before = len(world.beta.turn.transfers())
    offers(world, world.alpha, honest, 60)
    await world.settle()
    stored = len(world.beta.turn.transfers()) - before
    mentions = Counter(person for m in world.room.messages(sender=world.beta.chat.user_id) for person in m.mentions)
    assert stored <= 20
    assert max(mentions.values()) <= 13
    notices = [m for m in world.room.messages(sender=world.beta.chat.user_id) if "more requests than I post" in m.text]
    assert len(notices) == 1
    assert not notices[0].mentions


async def test_an_honest_friends_offers_beyond_the_budget_come_later_and_are_not_lost() -> None:
    world = await friends()
    for _ in range(30):
        world.anna.says("!fed push 1 M3-NUT to betaspace")
        await world.passes(timedelta(seconds=6))
    assert len(world.alpha.turn.transfers()) > 21
    assert len(world.beta.turn.transfers()) < len(world.alpha.turn.transfers())
    await world.passes(timedelta(hours=3))
    assert len(world.beta.turn.transfers()) == len(world.alpha.turn.transfers())


async def test_a_flood_of_offers_does_not_delay_stock_in_transit() -> None:
    world = await friends()
    card = await world.push()
    honest = world.alpha.transfer()
    offers(world, world.alpha, honest, 60)
    await world.settle()
    world.cem.reacts(card, "✅")
    await world.grace()
    assert world.alpha.turn.transfer(honest.id).state is DONE  # type: ignore[union-attr]
    assert world.beta.turn.transfer(honest.id).state is DONE  # type: ignore[union-attr]
    assert_books_balance(world)


async def test_ten_requests_to_send_everything_again_are_answered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await sharing()
    monkeypatch.setattr("fedbot.rules.protocol.sequencing.MOST_UNHEARD", 10_000)
    world.alpha.is_asleep = True
    connection = world.alpha.connection()
    for _ in range(50):
        forges(world, world.alpha, connection, "stats-ask", {"days": 7})
        connection = replace(connection, exchange=replace(connection.exchange, sent=connection.exchange.sent + 1))
        await world.settle()
        await world.passes(timedelta(seconds=20))
    unread = world.beta.connection().exchange.unread
    assert len(unread) > 10
    before = sent(world, world.beta)
    for number in range(10):
        forges_unnumbered(world, world.alpha, connection.id, number, seen=unread[0].number - 1)
        await world.settle()
    assert sent(world, world.beta) - before <= 20


def forges_unnumbered(
    world: World, liar: Space, subject: str, number: int, seen: int, *, field: str = "connection"
) -> None:
    """The liar's bot asks once more to send everything about that connection or transfer again."""
    unsigned = {
        "id": wire.envelope_id(liar.party, subject, 0),
        "kind": "ask",
        "from": liar.party,
        "to": world.beta.party,
        "room": world.room.id,
        field: subject,
        "seq": 0,
        "terms_hash": "",
        "body": {"seen": seen},
        "sent_at": world.clock.now(),
    }
    content = {"dev.fedbot": wire.sign(liar.identity, unsigned)}
    kind = "dev.fedbot.envelope"
    world.server.send(
        liar.chat.user_id, world.room.id, kind, content, device="liar", transaction=f"ask {subject} {number}"
    )


async def test_connection_requests_beyond_the_budget_store_nothing_and_are_reported_once() -> None:
    world = await a_world()
    await world.asks_to_connect()
    first = world.alpha.connection()
    world.alpha.is_asleep = True
    await world.settle()
    stored, before = len(world.beta.turn.connections()), sent(world, world.beta)
    for generation in range(first.generation + 1, first.generation + 201):
        identifier = connection_id(world.beta.identity.key, world.alpha.identity.key, world.room.id, generation)
        asked = replace(first, id=identifier, generation=generation, exchange=Exchange())
        told = {"name": "A", "access": "relayed", "asker": "@a:b", "asker_name": "A", "commitment": "ab" * 32}
        due = (world.clock.now() + timedelta(days=7)).isoformat()
        forges(world, world.alpha, asked, "connect", {**told, "generation": generation, "due": due})
    await world.settle()
    assert len(world.beta.turn.connections()) - stored <= 2
    assert sent(world, world.beta) - before <= 15
    assert len([m for m in world.beta_admins.messages() if "sends messages faster than I read them" in m.text]) == 1


async def test_copies_that_arrive_together_after_an_outage_are_answered_once() -> None:
    world = await friends()
    card = await world.push()
    bots = {world.alpha.chat.user_id: world.beta.chat.user_id, world.beta.chat.user_id: world.alpha.chat.user_id}

    def cut(user: str, event: Mapping[str, Any]) -> bool:
        return user in bots and event["sender"] == bots[user]

    world.cem.reacts(card, "✅")
    world.server.withholds = cut
    world.anna.says("!fed push 5 M3-NUT to betaspace")
    world.anna.says("!fed stats")
    await world.grace()
    await world.passes(timedelta(minutes=90))
    before = len(world.server.log)
    world.server.withholds = lambda _user, _event: False
    await world.settle()
    after = [e["content"]["dev.fedbot"] for e in world.server.log[before:] if "dev.fedbot" in e["content"]]
    copies = Counter((e["from"], e["kind"], e["seq"], e.get("transfer")) for e in after)
    assert max(copies.values()) == 1
    assert_books_balance(world)


async def test_messages_about_unknown_subjects_are_asked_about_a_few_times_and_leave_little_behind() -> None:
    world = await friends()
    await world.push()
    honest = world.alpha.transfer()
    world.alpha.is_asleep = True
    await world.settle()
    cooldowns, before = len(world.beta.turn.all(Cooldown)), sent(world, world.beta)
    for number in range(200):
        opening = Opening(world.alpha.identity.key, honest.room, by_line("$unknown", number + 1))
        identifier = opened_id(SubjectKind(honest.terms.kind), opening)
        unknown = replace(honest, id=identifier, opening=opening, exchange=Exchange(sent=4))
        forges(world, world.alpha, unknown, "received", {"items": [], "refused": []})
    await world.settle()
    assert sent(world, world.beta) - before <= 20
    assert len(world.beta.turn.all(Cooldown)) - cooldowns <= 20


async def test_a_thousand_messages_about_one_transfer_are_read_slowly_and_the_admins_are_told_once() -> None:
    world = await friends()
    await world.push()
    honest = world.alpha.transfer()
    world.alpha.is_asleep = True
    await world.settle()
    seen = world.beta.transfer().exchange.seen
    for number in range(300):
        one = replace(honest, exchange=Exchange(sent=seen + number, seen=honest.exchange.seen))
        forges(world, world.alpha, one, "noted", {})
    await world.settle()
    assert world.beta.transfer().exchange.seen <= 40 + seen
    assert len([m for m in world.beta_admins.messages() if "sends messages faster than I read them" in m.text]) == 1
    assert world.beta.transfer().state is OPEN


async def test_a_hundred_messages_about_a_friendship_are_read_slowly() -> None:
    world = await friends()
    honest, seen = world.alpha.connection(), world.beta.connection().exchange.seen
    world.alpha.is_asleep = True
    for number in range(100):
        one = replace(honest, exchange=Exchange(sent=seen + number, seen=honest.exchange.seen))
        forges(world, world.alpha, one, "ready", {"ok": True})
    await world.settle()
    assert world.beta.connection().exchange.seen <= seen + 60


async def test_an_owner_that_grants_less_and_less_does_not_post_a_card_for_each() -> None:
    world = await sharing()
    world.tom.says("!fed request M3-BOLT 50 from attraktor")
    await world.settle()
    honest, cards = world.alpha.transfer(), len(world.room.messages(sender=world.beta.chat.user_id))
    world.alpha.is_asleep = True
    for number in range(30):
        line = replace(honest.terms.lines[0], quantity=Decimal(49 - number))
        terms = replace(honest.terms, lines=(line,))
        exchange = replace(honest.exchange, sent=honest.exchange.sent + number)
        granted = replace(honest, terms=terms, terms_hash=hash_of(terms), exchange=exchange)
        forges(world, world.alpha, granted, "granted", {"terms": to_json(terms)})
        await world.settle()
    assert len(world.room.messages(sender=world.beta.chat.user_id)) - cards <= 7
    assert world.beta.transfer().state is OPEN


async def test_announcements_beyond_the_budget_are_not_read() -> None:
    world = await a_world()
    world.beta.is_asleep = True
    entry = {"id": "betaspace", "name": "Betaspace", "key": world.beta.identity.key, "people": []}
    for number in range(60):
        unsigned = {
            "id": wire.envelope_id("betaspace", "", number),
            "kind": "announce",
            "from": "betaspace",
            "to": "",
            "room": world.room.id,
            "seq": 0,
            "terms_hash": "",
            "body": {"parties": [entry], "again": True},
            "sent_at": world.clock.now(),
        }
        content = {"dev.fedbot": wire.sign(world.beta.identity, unsigned)}
        kind, transaction = "dev.fedbot.envelope", f"announcing {number}"
        world.server.send(world.beta.chat.user_id, world.room.id, kind, content, device="liar", transaction=transaction)
    await world.settle()
    assert len([m for m in world.alpha_admins.messages() if "sends messages faster than I read them" in m.text]) == 1


async def test_requests_to_send_again_about_many_subjects_are_answered_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(budgets.LIMITS, "repetition", (Limit(3, timedelta(seconds=10)),))
    world = await friends()
    for number in range(8):
        await world.push(f"M3-NUT {number + 1}")
    world.alpha.is_asleep = True
    await world.passes(timedelta(minutes=5), asleep=(world.beta,))
    before = sent(world, world.beta)
    for number, transfer in enumerate(world.beta.turn.open_transfers()):
        forges_unnumbered(world, world.alpha, transfer.id, number, seen=0, field="transfer")
    await world.settle()
    assert 1 <= sent(world, world.beta) - before <= 3


async def befriend(world: World, party: str, person: str) -> tuple[Space, Person]:
    """Another space in the room, a friend of attraktor."""
    space, who = world.with_space(party, person)
    await space.bot.start()
    await world.settle()
    world.anna.says(f"!fed connect {party}")
    await world.settle()
    who.reacts([m for m in world.room.messages(sender=space.chat.user_id) if m.reactions][-1], "✅")
    await world.grace()
    return space, who


async def test_three_friends_that_flood_the_room_do_not_delay_an_honest_one() -> None:
    world = await friends()
    for party, person in (("gammaspace", "gus"), ("deltaspace", "dora"), ("epsilonspace", "ela")):
        liar, who = await befriend(world, party, person)
        who.says("!fed push 1 #1 to attraktor")
        await world.settle()
        liar.is_asleep = True
    await world.passes(timedelta(hours=1))
    for liar in world.spaces[2:]:
        offers(world, liar, liar.transfer(), 100)
    await world.settle()
    for number in (1, 2):
        world.cem.says(f"!fed push {number} N-M3 to attraktor")
        await world.settle()
        honest = world.alpha.turn.transfer(world.beta.transfer().id)
        assert honest is not None, "read at once, whatever the others do"
        assert honest.card_event
        await world.passes(timedelta(minutes=5))
    budget = [each for each in world.alpha.turn.all(Allowance) if each.id.startswith("opening")]
    assert len(budget) <= 2 * len(world.spaces), "one for each friend, whatever they send"


async def test_one_friend_that_floods_uses_up_nothing_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is over a friend's own budget isn't taken from the room's."""
    monkeypatch.setitem(budgets.LIMITS, "opening within one's share", (Limit(1, timedelta(days=1)),))
    world = await three()
    liar = world.gamma
    world.gus.says("!fed push 1 #1 to attraktor")
    await world.settle()
    liar.is_asleep = True
    offers(world, liar, liar.transfer(), 200)
    await world.settle()
    for _ in range(3):
        world.cem.says("!fed push 1 N-M3 to attraktor")
        await world.settle()
        assert world.alpha.turn.transfer(world.beta.transfer().id) is not None


async def test_many_friends_together_open_no_more_than_a_room_can_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(budgets.LIMITS, "opening in one room", (Limit(2, timedelta(seconds=10)),))
    monkeypatch.setitem(budgets.LIMITS, "opening within one's share", (Limit(2, timedelta(minutes=2)),))
    world = await three()
    for liar, asker in ((world.beta, world.bea), (world.gamma, world.gus)):
        asker.says("!fed push 1 #1 to attraktor")
        await world.settle()
        liar.is_asleep = True
        offers(world, liar, liar.transfer(), 5)
    await world.settle()
    assert len([t for t in world.alpha.turn.open_transfers() if t.role == "receiver"]) == 6


async def test_many_messages_of_one_kind_for_the_admins_are_summarised() -> None:
    world = await a_world()
    told: list[str] = []
    for number in range(30):
        turn = world.beta.turn
        turn.tell_admins(say(messages.health.bot_untrusted, why="keys", us=world.beta.us), f"test:{number}")
        told += [effect.phrase.name for effect in turn.effects if isinstance(effect, Post)]
        assert turn.audit, "the audit has each of them"
        world.beta.bot.engine.state.apply(turn)
    assert told == ["bot_untrusted"] * 10 + ["admin_messages_left_out"]


async def test_reactions_beyond_the_budget_cost_our_inventree_nothing_and_are_reported_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = await friends()
    card = await world.push()
    asked: list[str] = []
    passes_on = world.beta.wire.handle_request

    def counted(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return passes_on(request)

    monkeypatch.setattr(world.beta.wire, "handle_request", counted)
    for _ in range(60):
        tap = world.tom.reacts(card, "✅")
        await world.settle()
        world.tom.takes_back(tap)
        await world.settle()
    assert len(asked) <= 150
    assert len([m for m in world.room.messages() if "more than 30 times at once" in m.text]) == 1
    world.cem.reacts(card, "✅")  # somebody else's reaction counts
    await world.grace()
    assert world.beta.transfer().state is DONE


async def test_photos_beyond_the_budget_are_not_fetched_and_that_is_said_once() -> None:
    world, card = await lens_comes_back()
    for number in range(30):
        world.kim.shows(JPEG + bytes([number]), reply_to=card)
    await world.settle()
    await world.passes(timedelta(seconds=50))
    assert len(attached(world)) <= 21
    assert len([m for m in world.room.messages() if "you sent too many at once" in m.text]) == 1


async def test_one_account_that_invites_again_and_again_is_answered_a_few_times() -> None:
    world = await friends()
    bot, stranger = world.alpha.chat.user_id, Person(world.server, "stranger")
    chats = [stranger.opens_direct_chat(bot).id for _ in range(20)]
    await world.settle()
    assert len([chat for chat in chats if world.server.membership(chat, bot) == "leave"]) == 5


async def test_invitations_beyond_the_budget_stay_unanswered_except_to_our_own_rooms() -> None:
    world = await friends()
    bot = world.alpha.chat.user_id
    strangers = [Person(world.server, f"stranger{number}") for number in range(40)]
    chats = [stranger.opens_direct_chat(bot).id for stranger in (*strangers[:1] * 20, *strangers)]
    await world.settle()
    assert len([chat for chat in chats if world.server.membership(chat, bot) == "leave"]) <= 30
    assert len([m for m in world.alpha_admins.messages() if "too many invitations" in m.text]) == 1
    world.anna.kicks(bot)
    await world.settle()
    world.anna.invites(bot)
    await world.settle()
    assert world.server.membership(world.room.id, bot) == "join"


async def test_a_borrower_that_asks_for_more_time_without_end_is_left_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "MOST_OPEN_PER_PEER", 10)
    world = await lent("M3-NUT 10")
    world.bea.says("!fed extend 2 weeks", reply_to=world.card().event_id)
    await world.settle()
    honest = world.beta.transfer()
    for number in range(15):
        opening = Opening(world.beta.identity.key, world.room.id, by_line("$forged", number + 1))
        identifier = opened_id(SubjectKind.EXTENSION, opening)
        wish = replace(honest, id=identifier, opening=opening, exchange=Exchange())
        forges(world, world.beta, wish, "request", bodies.Request(**opens(wish)).to_json())
    await world.settle()
    undecided = [t for t in world.alpha.turn.open_transfers() if t.terms.kind == "extension"]
    assert len(undecided) == 10


async def test_a_stranger_that_edits_its_lines_again_and_again_is_answered_once() -> None:
    world = await friends()
    mallory = world.newcomer("mallory")
    await world.settle()
    for number in range(8):
        line = mallory.says(f"!fed push {number} M3-NUT to betaspace")
        mallory.edits(line, f"!fed push {number + 1} M3-NUT to betaspace")
    await world.settle()
    answers = [m for m in world.room.messages() if m.reply_to and "mallory" in m.text]
    assert len(answers) == 1, world.room.transcript()


# --- each kind of message, from a friend and from a stranger ---

VECTORS = Path(__file__).parents[1] / "protocol" / "vectors"
A_FLOOD = 150
MOST_KEPT = 110
"""The largest budget of a kind (60), that of messages that fit nowhere (20), and what the bot says of both."""


def stored(space: Space) -> int:
    """The number of documents, messages and audit entries in its bot's journal, without the budgets themselves."""
    count = "SELECT count(*) FROM"
    tables = ("documents WHERE kind NOT IN ('Allowance', 'Cooldown')", "outbox", "audit")
    counts = [space.journal._database.rows(f"{count} {table}") for table in tables]
    return sum(int(str(number)) for ((number,),) in counts)


def floods(world: World, kind: str, subject: tuple[str, str], liar: Space, key: Identity | None = None) -> None:
    """The liar sends very many messages of that kind about that subject, each under the next number."""
    body = json.loads((VECTORS / f"{kind}.json").read_text())["message"]["body"]
    for number in range(A_FLOOD):
        forge(world, liar, "betaspace", subject, 5 + number, kind, body, key=key)


@pytest.mark.parametrize("kind", sorted(bodies.KINDS))
@pytest.mark.parametrize(
    "about", ["transfer", *(pytest.param(each, marks=pytest.mark.long) for each in ("connection", "unknown"))]
)
async def test_a_flood_of_messages_of_any_kind_stores_little(about: str, kind: str) -> None:
    world = await friends()
    await world.push()
    of_none = ("connection" if kind in ABOUT_CONNECTIONS else "transfer", world.alpha.transfer().id[::-1])
    subjects = {"transfer": world.alpha.transfer().id, "connection": world.alpha.connection().id}
    subject = (about, subjects[about]) if about in subjects else of_none
    before = stored(world.beta)
    floods(world, kind, subject, world.alpha)
    await world.settle(asleep=(world.alpha,))
    assert stored(world.beta) - before <= MOST_KEPT
    assert world.beta.bot.engine.failures == 0


@pytest.mark.parametrize("kind", ["sent", "disconnecting", "connect", "announce", "check"])
@pytest.mark.parametrize("about", ["transfer", "connection"])
async def test_a_flood_by_an_account_that_poses_as_a_friend_stores_little(about: str, kind: str) -> None:
    """Anybody in the room can sign messages with a key of their own."""
    world = await friends()
    await world.push()
    subject = (about, (world.alpha.transfer() if about == "transfer" else world.alpha.connection()).id)
    before = stored(world.beta)
    for party, account, key in (
        ("attraktor", world.alpha.chat, Identity(b"another key".ljust(32))),
        ("attraktor", world.kim, None),
        ("mallory", world.kim, None),
    ):
        poser = copy(world.alpha)
        poser.party, poser.chat = party, account  # type: ignore[assignment]
        floods(world, kind, subject, poser, key)
    await world.settle(asleep=(world.alpha,))
    assert stored(world.beta) - before <= MOST_KEPT
    assert world.beta.bot.engine.failures == 0


@pytest.mark.parametrize("about", ["transfer", "connection"])
async def test_a_flood_of_old_messages_under_a_former_key_stores_little(about: str) -> None:
    """Anybody in the room can send a message again that they read there. Its signature is still valid."""
    world = await friends()
    await world.push()
    former = world.alpha.identity
    await world.alpha.gets_new_key()
    await world.settle()
    world.bea.says(f"!fed review attraktor accept {wire.fingerprint(world.alpha.identity.key)}")
    await world.settle()
    assert world.beta.connection().former_keys == (former.key,)
    before = stored(world.beta)
    poser = copy(world.alpha)
    poser.chat = world.kim  # type: ignore[assignment]
    subject = (about, (world.alpha.transfer() if about == "transfer" else world.alpha.connection()).id)
    floods(world, "seen", subject, poser, former)
    await world.settle(asleep=(world.alpha,))
    assert stored(world.beta) - before <= MOST_KEPT
