"""No input, fault or clock ends or silences the bot: a failing item is set aside and the rest goes on."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fedbot.engine import pipeline
from fedbot.rules.model.audit import Dropped
from fedbot.rules.model.events import StepDone
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.steps import Step, StepResult, TakeOut
from fedbot.rules.protocol import sequencing
from fedbot.rules.state import Turn
from fedbot.rules.transfer.send import BookOut
from fedbot.rules.wire import Draft
from tests.dialogue.test_direct_access import DIRECT
from tests.dialogue.test_lending import lent
from tests.dialogue.test_parcels import posted
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import a_world, friends, told

TWO_MONTHS = timedelta(days=60)
FIVE_DAYS = timedelta(days=5)
HOSTILE_URLS = [
    "http://evil.test/\0",
    "https://[::1",
    "http://\ud800.test",
    "http://evil.test:99999999",
    "http://evil.test:-1/",
    "http://" + "a" * 70_000,
    "http://xn--\u2028.test",
    "https://evil.test/%",
    "http://..",
    "http://evil.test\r\nHost: other",
]


def sends_address(liar: Space, url: str) -> None:
    """The liar's bot sends this as the address of its InvenTree."""
    honest = liar.bot.chat_worker._envelope

    def envelope_of(draft: Draft, room: str) -> dict[str, Any]:
        if draft.kind == "credentials":
            draft.body["url"] = url
        return honest(draft, room)

    liar.bot.chat_worker._envelope = envelope_of  # type: ignore[method-assign]


@pytest.mark.parametrize("url", HOSTILE_URLS, ids=range(len(HOSTILE_URLS)))
async def test_a_hostile_address_of_a_peers_inventree_stops_nothing(url: str) -> None:
    world = await a_world(alpha=dict(DIRECT), beta=dict(DIRECT))
    sends_address(world.beta, url)
    await world.connect()
    await world.passes(timedelta(minutes=10))
    assert world.alpha.connection().state is ConnectionState.MAKING
    await world.alpha.restart()
    world.anna.says("!fed whoami")
    await world.settle()
    assert len(told(world.room, "You are Anna of Attraktor")) == 1
    assert not world.alpha.bot.quarantined()


@pytest.mark.parametrize("piece", [",", "\n", "a, ", '"a ', "'a ", "½", "to ", "--a ", "#1,", "1 m "])
async def test_a_line_as_long_as_matrix_allows_keeps_nobody_waiting(piece: str) -> None:
    world = await friends()
    card = await posted(world)
    for line in (f"!fed push 1 {piece * (20_000 // len(piece))}x", f"!fed a {piece * (20_000 // len(piece))}x"):
        world.tom.says(line)
    world.bea.says(piece * (20_000 // len(piece)), reply_to=card)
    await world.settle()
    assert len(told(world.room, "The line is too long")) == 2, world.room.transcript()
    assert "You are Tom" in await world.answer(world.tom, "!fed whoami")


async def test_a_clock_that_was_two_months_fast_once_does_not_end_the_bot() -> None:
    world = await lent("M3-NUT 10")
    world.clock.is_set(TWO_MONTHS)
    await world.beta.restart()
    await world.settle()
    await world.passes(timedelta(hours=1))
    world.clock.is_set(-TWO_MONTHS)
    for space in world.spaces:
        await space.restart()
        space.bot.next_wake()
    await world.passes(timedelta(days=1))
    assert not any(space.bot.quarantined() for space in world.spaces)


async def test_a_friendship_asked_for_while_our_clock_was_months_ahead_is_open_for_a_week() -> None:
    world = await a_world()
    world.clock.is_set(TWO_MONTHS)
    await world.asks_to_connect()
    world.clock.is_set(-TWO_MONTHS)
    await world.settle()
    assert world.beta.connection().state is ConnectionState.OFFERED
    await world.passes(timedelta(days=8))
    assert world.beta.connection().state is ConnectionState.EXPIRED


async def test_a_clock_that_was_days_fast_once_does_not_silence_the_bot() -> None:
    world = await friends()
    world.server.loses = lambda user, event: user == world.beta.chat.user_id and "dev.fedbot" in event["content"]
    world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.settle()
    world.clock.is_set(FIVE_DAYS)
    world.beta.goes_down()
    world.cem.says("!fed status")
    await world.passes(timedelta(minutes=3))  # sent again, delayed and reported by the wrong clock
    world.clock.is_set(-FIVE_DAYS)
    world.beta.comes_back()
    world.server.loses = lambda user, event: False
    await world.passes(timedelta(minutes=30))
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    await world.passes(timedelta(minutes=10))
    assert world.alpha.given("M3-NUT") == 10
    assert_books_balance(world)


@pytest.mark.parametrize("days", [-20_000, -60, -1, 1, 60, 20_000, 2_900_000])
async def test_a_clock_set_in_the_middle_of_a_handover_keeps_the_books_and_the_bot(days: int) -> None:
    world = await friends()
    world.cem.reacts(await world.push("M3-NUT 10"), "✅")
    await world.settle()
    world.clock.is_set(timedelta(days=days))
    await world.settle()
    await world.grace()
    world.clock.is_set(-timedelta(days=days))
    await world.passes(timedelta(minutes=30))
    if world.alpha.transfer().state in (TransferState.EXPIRED, TransferState.DECLINED):
        world.cem.reacts(await world.push("M3-NUT 10"), "✅")
        await world.grace()
        await world.passes(timedelta(minutes=10))
    assert world.alpha.given("M3-NUT") == 10
    assert_books_balance(world)


# --- a fault of the bot ---


def fails_on(monkeypatch: pytest.MonkeyPatch, space: Space, kind: type[Step]) -> list[Step]:
    """This InvenTree edge fails on steps of that kind from now on, with an unexpected error."""
    broken: list[Step] = []
    honest = space.inventory.act

    async def act(step: Step) -> StepResult:
        if not isinstance(step, kind):
            return await honest(step)
        broken.append(step)
        raise ArithmeticError(f"secret {space.seeded.token('fedbot')}")

    monkeypatch.setattr(space.inventory, "act", act)
    return broken


async def test_a_step_with_an_unexpected_error_is_set_aside_reported_once_and_retried_by_an_admin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = await friends()
    broken = fails_on(monkeypatch, world.alpha, TakeOut)
    world.cem.reacts(await world.push("M3-NUT 10"), "✅")
    await world.grace()
    await world.passes(timedelta(minutes=5))
    (aside,) = world.alpha.bot.quarantined()
    assert (aside.what, aside.subject) == ("TakeOut", world.alpha.transfer().id)
    assert "ArithmeticError" in aside.problem
    assert world.alpha.seeded.token("fedbot") not in aside.problem
    assert len(told(world.alpha_admins, f"To try it again, run on my machine: fedbot retry {aside.number}")) == 1
    world.anna.says("!fed status", room=world.alpha_admins.id)
    await world.settle()
    assert told(world.alpha_admins, f"ArithmeticError: secret •••. Run on my machine: fedbot retry {aside.number}")
    assert len(broken) == 1
    assert "nobody knows where the stock is" in world.alpha.bot.orders.drop(aside.number, is_sure=True)["problem"]
    await world.alpha.restart()
    assert len(world.alpha.bot.quarantined()) == 1
    assert world.alpha.bot.orders.retry(aside.number) == ""
    await world.passes(timedelta(minutes=10))
    assert world.alpha.transfer().state is TransferState.DONE
    assert not world.alpha.bot.quarantined()
    assert_books_balance(world)


async def test_an_outcome_on_which_the_rules_fail_is_never_skipped_and_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = await friends()
    honest = BookOut.done
    first: list[str] = []

    def done(then: BookOut, turn: Turn, event: StepDone) -> None:
        first[:] = first or [then.transfer]
        if then.transfer == first[0]:
            raise ZeroDivisionError
        honest(then, turn, event)

    monkeypatch.setattr(BookOut, "done", done)
    world.cem.reacts(await world.push("M3-NUT 10"), "✅")
    await world.grace()
    world.cem.reacts(await world.push("M3-NUT 4"), "✅")
    await world.grace()
    await world.passes(timedelta(hours=2))
    stuck, other = world.alpha.turn.transfers()
    assert (stuck.state, other.state) == (TransferState.DEBITING, TransferState.DONE)
    (aside,) = world.alpha.bot.quarantined()
    assert (aside.what, aside.subject) == ("StepDone", stuck.id)
    assert "nobody knows where the stock is" in world.alpha.bot.orders.drop(aside.number, is_sure=True)["problem"]
    monkeypatch.setattr(BookOut, "done", honest)
    await world.alpha.restart()
    assert world.alpha.bot.orders.retry(aside.number) == ""
    await world.passes(timedelta(minutes=10))
    assert [t.state for t in world.alpha.turn.transfers()] == [TransferState.DONE, TransferState.DONE]
    assert_books_balance(world)


async def test_a_document_on_which_the_timers_fail_delays_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await friends()
    await world.push("M3-NUT 10")
    poison = world.alpha.transfer().id
    honest = sequencing.resend_due

    def resend_due(turn: Turn, subject: Any, *silent: Any) -> Any:  # noqa: ANN401 -- as the rule's
        if subject.id == poison:
            raise ZeroDivisionError
        return honest(turn, subject, *silent)

    monkeypatch.setattr(sequencing, "resend_due", resend_due)
    world.server.loses = lambda user, event: user == world.beta.chat.user_id and "dev.fedbot" in event["content"]
    world.anna.says("!fed push M3-NUT 4 to betaspace")
    await world.settle()
    world.server.loses = lambda user, event: False
    await world.passes(timedelta(hours=1))
    assert [aside.subject for aside in world.alpha.bot.quarantined()] == [poison]
    assert [t.terms.lines[0].quantity for t in world.beta.turn.transfers()] == [10, 4]


async def test_a_message_that_can_not_be_rendered_delays_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await friends()
    honest = world.alpha.chat.send

    async def send(delivery: Any) -> str:  # noqa: ANN401 -- as the fake's
        if "Nothing is waiting" in str(delivery.content):
            raise RuntimeError("nobody has foreseen this")
        return await honest(delivery)

    monkeypatch.setattr(world.alpha.chat, "send", send)
    world.anna.says("!fed todo")
    world.anna.says("!fed whoami")
    await world.settle()
    assert len(told(world.room, "You are Anna of Attraktor")) == 1
    (aside,) = world.alpha.bot.quarantined()
    assert aside.what == "ChatMessage"
    assert world.alpha.bot.orders.drop(aside.number, is_sure=False)["loses"].startswith("The message is never posted")
    assert world.alpha.bot.quarantined()
    world.alpha.bot.orders.drop(aside.number, is_sure=True)
    await world.settle()
    await world.alpha.restart()
    await world.settle()
    assert not world.alpha.bot.quarantined()
    assert not told(world.room, "Nothing is waiting")
    noted = [audited.entry.what for audited in world.alpha.journal.audit("failures")]
    assert Dropped(aside.number, "ChatMessage", aside.problem) in noted


async def test_a_decision_that_can_not_be_logged_counts_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = await friends()
    card = await world.push()

    def unknown(*_: object) -> str:
        raise KeyError("an entry without a sentence")

    caplog.set_level(logging.INFO, "fedbot.engine.pipeline")
    monkeypatch.setattr(pipeline, "entry_in_words", unknown)
    world.cem.reacts(card, "✅")
    await world.grace()
    for space in world.spaces:
        engine = space.bot.engine
        journaled = {(kind, identifier): document for kind, identifier, document in space.journal.documents()}
        assert all(journaled[type(each).__name__, each.id] == each for each in engine.state.everything())
        assert space.transfer().state is TransferState.DONE
    assert "an audit entry can't be put into words" in caplog.text
    assert_books_balance(world)


async def test_a_query_with_an_unexpected_error_delays_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await friends()
    honest = world.alpha.inventory.answer_all
    asked: list[object] = []

    async def answer_all(questions: Any, *more: Any) -> Any:  # noqa: ANN401 -- as the port's
        asked.append(questions)
        if len(asked) == 1:
            raise RuntimeError("nobody has foreseen this")
        return await honest(questions, *more)

    monkeypatch.setattr(world.alpha.inventory, "answer_all", answer_all)
    line = world.anna.says("!fed todo")
    await world.settle()
    world.anna.says("!fed whoami")
    await world.settle()
    assert len(told(world.room, "You are Anna of Attraktor")) == 1
    (aside,) = world.alpha.bot.quarantined()
    assert aside.what == "Ask"
    assert world.alpha.bot.orders.drop(99, is_sure=True)["problem"]
    world.alpha.bot.orders.drop(aside.number, is_sure=True)
    await world.settle()
    assert not world.alpha.bot.quarantined()
    assert world.room.answers(line), "whoever waits for the answer is told that there is none"


async def test_a_secret_that_the_vault_can_not_store_delays_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await a_world(alpha=dict(DIRECT), beta=dict(DIRECT))

    def keep(reference: str, secret: str) -> None:
        raise UnicodeEncodeError("utf-8", secret, 0, 1, reference)

    monkeypatch.setattr(world.alpha.vault, "keep", keep)
    await world.connect()
    await world.passes(timedelta(minutes=5))
    world.anna.says("!fed whoami")
    await world.settle()
    assert len(told(world.room, "You are Anna of Attraktor")) == 1
    assert "KeepSecret" in [aside.what for aside in world.alpha.bot.quarantined()]


@pytest.mark.parametrize(
    "word", ["a", "level", "fedbot.engine.pipeline", "2026-11-24", "x" * 5000, "level=info part=fedbot.engine"]
)
async def test_a_peers_value_that_is_no_token_is_not_stored_and_blanks_no_log(
    monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    world = await a_world(alpha=dict(DIRECT), beta=dict(DIRECT))
    monkeypatch.setattr(world.beta.vault, "read", lambda _: word)
    await world.connect()
    await world.passes(timedelta(minutes=5))
    assert word not in world.alpha.vault.secrets.values()
    assert world.alpha.connection().state is ConnectionState.MAKING
    assert told(world.room, "I can't open the sealed token")
    assert not world.alpha.bot.quarantined()


async def test_a_homeserver_in_the_last_hour_of_the_calendar_stops_nothing() -> None:
    """Timestamps are the homeserver's word. No time zone and no deadline may run over the calendar's end by them."""
    world = await friends()
    world.server.behind = world.clock.now() - datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
    line = world.anna.says("!fed push 2 M3-NUT to betaspace")
    await world.settle()
    assert "Offered to Betaspace" in world.answer_to(line)
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.alpha.transfer().state is TransferState.DONE
    line = world.anna.says(f"!fed show {world.alpha.transfer().code}")
    await world.settle()
    assert "Anna: offered it" in world.answer_to(line)
    world.alpha.is_asleep = True
    world.bea.says("!fed disconnect attraktor --now --sure")
    await world.settle()
    world.server.behind = timedelta()
    await world.passes(TWO_MONTHS)
    assert not any(space.bot.engine.failures for space in world.spaces)
    assert not told(world.alpha_admins, "set aside")
    assert not told(world.beta_admins, "set aside")
    assert_books_balance(world)
