"""Properly signed and numbered messages that a friend's bot could write, but that its own code never would."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from fedbot.rules import wire
from fedbot.rules.model.connection import Connection, Exchange
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.protocol import bodies
from fedbot.rules.protocol.terms import hash_of, to_json
from fedbot.rules.transfer.opening import opens
from fedbot.rules.wire import Draft, SubjectKind, by_line, opened_id
from tests.dialogue.test_lending import lent
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends, sharing

DONE, OPEN = TransferState.DONE, TransferState.OPEN


def forges(world: World, liar: Space, subject: Connection | Transfer, kind: str, body: dict[str, Any]) -> None:
    """The liar's bot sends the next message about that subject, whatever its own code would do."""
    number = subject.exchange.sent + 1
    unsigned = {
        "id": wire.envelope_id(liar.party, subject.id, number),
        "kind": kind,
        "from": liar.party,
        "to": subject.peer,
        "room": world.room.id,
        subject.subject_kind: subject.id,
        "seq": number,
        "terms_hash": subject.terms_hash if isinstance(subject, Transfer) else "",
        "body": {"by": "", "by_name": "", "event": "", "seen": subject.exchange.seen, "awaits": True, **body},
        "sent_at": world.clock.now(),
    }
    content = {"dev.fedbot": wire.sign(liar.identity, unsigned)}
    sender = liar.chat.user_id
    world.server.send(
        sender, world.room.id, "dev.fedbot.envelope", content, device="liar", transaction=f"{subject.id} {number}"
    )


def tells(liar: Space, kind: str, metadata: object) -> None:
    """The liar's messages of that kind carry this sealed metadata for the first line's item from now on."""
    honest = liar.bot.chat_worker._envelope

    def envelope_of(draft: Draft, room: str) -> dict[str, Any]:
        lie = replace(draft, sealed={"metadata": {"1": metadata}})
        return honest(lie if draft.kind == kind else draft, room)

    liar.bot.chat_worker._envelope = envelope_of  # type: ignore[method-assign]


async def test_a_borrower_that_approves_its_own_extension_gets_neither_time_nor_stock() -> None:
    world = await lent("M3-NUT 10")
    loan = world.alpha.transfer()
    before = world.alpha.total("M3-NUT")
    world.bea.says("!fed extend 2 weeks", reply_to=world.card().event_id)
    await world.settle()
    wish = world.beta.transfer()
    assert wish.terms.kind == "extension"
    forges(world, world.beta, wish, "approve", {})
    await world.grace()
    assert world.alpha.turn.transfer(wish.id).state is OPEN  # type: ignore[union-attr]
    assert world.alpha.turn.transfer(loan.id).due_day == loan.terms.loan_until  # type: ignore[union-attr]
    assert world.alpha.total("M3-NUT") == before
    assert world.alpha.given("M3-NUT") == 10


async def test_a_requester_that_approves_its_own_request_gets_nothing() -> None:
    world = await sharing()
    world.bea.says("!fed request M3-NUT 10 from attraktor")
    await world.settle()
    forges(world, world.beta, world.beta.transfer(), "approve", {})
    await world.grace()
    assert world.alpha.transfer().state is OPEN
    assert world.alpha.given("M3-NUT") == 0


async def test_nobody_accepts_a_smaller_grant_of_what_nobody_here_requested() -> None:
    """The person who asked may accept less without being an approver. A friend can't make one of our people that
    person.
    """
    world = await friends()
    await world.push()
    honest = world.alpha.transfer()
    terms = replace(honest.terms, asker=world.tom.user_id)
    assert honest.opening is not None
    opening = replace(honest.opening, cause=by_line("$forged"))
    identifier = opened_id(SubjectKind.PUSH, opening)
    offer = replace(honest, id=identifier, opening=opening, terms=terms, terms_hash=hash_of(terms), exchange=Exchange())
    forges(world, world.alpha, offer, "offer", bodies.Offer(**opens(offer)).to_json())
    await world.settle()
    less = replace(terms, lines=tuple(replace(line, quantity=line.quantity - 1) for line in terms.lines))
    granted = replace(offer, terms=less, terms_hash=hash_of(less), exchange=Exchange(sent=1))
    forges(world, world.alpha, granted, "granted", {"terms": to_json(less)})
    await world.settle()
    world.tom.says(f"!fed approve {identifier}")
    await world.grace()
    forged = world.beta.turn.transfer(identifier)
    assert forged is not None
    assert (forged.state, forged.wanted, forged.decided) == (OPEN, "", None)


async def test_a_return_of_a_line_that_the_loan_does_not_have_is_declined() -> None:
    world = await lent("M3-NUT 10")
    world.bea.says("!fed return 4", reply_to=world.card().event_id)
    await world.settle()
    honest = world.beta.transfer()
    assert honest.is_return
    assert honest.opening is not None
    terms = replace(honest.terms, lines=(replace(honest.terms.lines[0], of_line=7),))
    opening = replace(honest.opening, cause=by_line("$forged"))
    identifier = opened_id(SubjectKind.RETURN, opening)
    forged = replace(
        honest, id=identifier, opening=opening, terms=terms, terms_hash=hash_of(terms), exchange=Exchange()
    )
    forges(world, world.beta, forged, "offer", bodies.Offer(**opens(forged)).to_json())
    await world.settle()
    answer = world.alpha.turn.transfer(identifier)
    assert answer is not None
    assert (answer.wanted, answer.progress[0].item) == ("decline", None)
    assert not world.alpha.bot.quarantined()


async def test_a_message_that_is_refused_is_not_requested_again_without_end_by_those_behind_it() -> None:
    world = await sharing()
    honest = world.alpha.bot.chat_worker._envelope

    def envelope_of(draft: Draft, room: str) -> dict[str, Any]:
        return honest(replace(draft, body={**draft.body, "terms": {}}) if draft.kind == "noted" else draft, room)

    world.alpha.bot.chat_worker._envelope = envelope_of  # type: ignore[method-assign]
    world.bea.says("!fed request M3-NUT 10 from attraktor")
    await world.settle()
    world.piet.says(f"!fed decline {world.alpha.transfer().code}")
    await world.grace()
    before = len(world.server.log)
    await world.passes(timedelta(hours=2))
    assert len(world.server.log) - before < 20
    assert world.alpha.given("M3-NUT") == 0


METADATA = [
    "no JSON at all",
    "[" * 5_000,
    "[1]",
    "NaN",
    '{"speed": NaN}',
    '{"speed": 1e999}',
    '{"\\ud800": "half a letter"}',
    {"an": "object, and no text"},
    "9" * 5_000,
    '{"deep": ' + "[" * 100 + "]" * 100 + "}",
]


@pytest.mark.parametrize("told", METADATA, ids=range(len(METADATA)))
async def test_unusable_metadata_is_left_out_and_the_item_is_booked_in(told: object) -> None:
    world = await friends()
    tells(world.alpha, "offer", told)
    await world.hand_over()
    assert world.beta.transfer().state is DONE
    assert world.beta.total("N-M3") == 910
    assert_books_balance(world)


async def test_metadata_in_a_request_is_checked_in_the_same_way() -> None:
    world = await sharing()
    tells(world.alpha, "sent", "{")
    world.bea.says("!fed request M3-NUT 10 from attraktor")
    await world.settle()
    card = next(m for m in reversed(world.room.messages(sender=world.alpha.chat.user_id)) if m.reactions)
    world.piet.reacts(card, "✅")
    await world.grace()
    assert world.beta.transfer().state is DONE
    assert_books_balance(world)


async def test_a_page_of_our_books_is_sent_once_and_only_after_the_page_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fedbot.rules.ledger.reconcile.MOST_BYTES", 10)
    world = await friends()
    for _ in range(3):
        await world.hand_over()
    line = world.anna.says("!fed reconcile betaspace")
    await world.settle()
    assert "3 lines compared" in world.answer_to(line)
    calls = len(world.beta.wire.network.log)  # type: ignore[attr-defined]
    world.alpha.is_asleep = True
    connection = world.alpha.connection()
    for after in (min(transfer.id for transfer in world.beta.turn.transfers()), "made up"):
        forges(world, world.alpha, connection, "books-ask", {"after": after})
        connection = replace(connection, exchange=replace(connection.exchange, sent=connection.exchange.sent + 1))
        await world.settle()
    assert [e["body"]["problem"] for e in world.room.envelopes() if e["kind"] == "books"][-2:] == ["later", "later"]
    assert len(world.beta.wire.network.log) == calls  # type: ignore[attr-defined]


async def test_a_friend_that_asks_without_end_and_reads_nothing_is_ignored_until_it_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each answer is kept until it is read."""
    monkeypatch.setattr("fedbot.rules.protocol.sequencing.MOST_UNREAD", 10)
    world = await sharing()
    world.alpha.is_asleep = True
    connection = world.alpha.connection()
    for _ in range(30):
        forges(world, world.alpha, connection, "stats-ask", {"days": 7})
        connection = replace(connection, exchange=replace(connection.exchange, sent=connection.exchange.sent + 1))
        await world.settle(asleep=(world.alpha,))
    assert len(world.beta.connection().exchange.unread) <= 10
    seen = world.beta.connection().exchange.sent
    for _ in range(3):
        forges(world, world.alpha, connection, "stats-ask", {"days": 7, "seen": seen})
        await world.settle(asleep=(world.alpha,))
    assert world.beta.connection().exchange.unread == ()
