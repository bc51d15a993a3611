from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fedbot.matrix.send_queue import Budget, Urgency, in_order, queue_key, reserve, superseded, urgency
from fedbot.ports.journal import ChatMessage, Drawing, OutboxRow, Stored, SuggestedReaction
from fedbot.rules.model.books import Chart
from fedbot.rules.model.effects import Announce, Forget, Join, Leave, SendEnvelope
from fedbot.rules.model.room import MessageKey, MessageKind
from fedbot.rules.wire import Draft

NOW = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
ROOM = "!room"
DRAFT = Draft(kind="received", to="alpha", subject="t1", subject_kind="transfer", number=1)
NOTED = replace(DRAFT, kind="noted", number=2)


def card(key: str, draft: Draft | None = None) -> ChatMessage:
    return ChatMessage(key=MessageKey(key), room=ROOM, plain=key, draft=draft)


def edit(key: str, draft: Draft | None = None, room: str = ROOM) -> ChatMessage:
    return ChatMessage(key=MessageKey(key), room=room, plain=f"{key} now", edit=True, draft=draft)


def queue(*effects: Stored, begun: tuple[int, ...] = ()) -> tuple[OutboxRow, ...]:
    return tuple(
        OutboxRow(
            id=number,
            cause=1,
            queue="chat",
            effect=effect,
            priority=urgency(effect),
            key=queue_key(effect),
            state="queued",
            attempts=0,
            acted_at=NOW if number in begun else None,
            not_before=None,
            created_at=NOW,
        )
        for number, effect in enumerate(effects, 1)
    )


def order(*effects: Stored, begun: tuple[int, ...] = ()) -> list[Stored]:
    return [row.effect for row in in_order(queue(*effects, begun=begun), NOW)]


def test_envelopes_go_before_messages_messages_before_edits_then_suggested_reactions_and_pictures_last() -> None:
    picture = Drawing(MessageKey("chart"), ROOM, ("a chart",), Chart(), "a")
    seed = SuggestedReaction(MessageKey("a"), ROOM, "✅")
    unseen = SendEnvelope(ROOM, DRAFT)
    announce = Announce(ROOM, {})
    effects = (picture, seed, edit("b"), card("a"), announce, card("offer", DRAFT), unseen)
    assert order(*effects) == [card("offer", DRAFT), announce, card("a"), edit("b"), seed, picture]
    assert order(edit("b"), unseen) == [unseen, edit("b")]


@pytest.mark.parametrize("effect", [Join(ROOM), Leave(ROOM), Announce(ROOM, {})])
def test_joins_leaves_and_announcements_have_one_urgency(effect: Stored) -> None:
    assert urgency(effect) is Urgency.ROOM


def test_an_effect_outside_chat_has_no_urgency() -> None:
    with pytest.raises(ValueError, match="Forget"):
        urgency(Forget("token"))


def test_envelopes_never_overtake_each_other() -> None:
    """Not even a message that moves stock overtakes a mere note about the same subject."""
    first, second = SendEnvelope(ROOM, NOTED), edit("a", DRAFT)
    assert order(first, second) == [first, second]
    assert order(second, first) == [second, first]
    assert order(card("b"), edit("c", NOTED), card("a", NOTED), edit("a", DRAFT)) == [
        edit("c", NOTED),
        card("a", NOTED),
        edit("a", DRAFT),
        card("b"),
    ]


def test_messages_that_move_stock_go_before_answers_and_those_before_other_protocol_messages() -> None:
    stats = SendEnvelope(ROOM, replace(DRAFT, kind="stats", subject="c1"))
    answer = ChatMessage(
        key=MessageKind.ANSWER.of(rest="$1"), room=ROOM, plain="you are Anna", reply_to="$1", answers="@anna"
    )
    assert order(stats, answer, SendEnvelope(ROOM, DRAFT)) == [SendEnvelope(ROOM, DRAFT), answer, stats]


def test_a_newcomers_greeting_waits_for_what_people_wait_for() -> None:
    greeting = ChatMessage(key=MessageKind.GREETING.of(rest="$1"), room=ROOM, plain="Hello Anna")
    answer = ChatMessage(
        key=MessageKind.ANSWER.of(rest="$1"), room=ROOM, plain="offered", reply_to="$1", answers="@anna"
    )
    assert order(greeting, card("a"), answer) == [answer, card("a"), greeting]
    (row,) = queue(greeting)
    assert reserve(row, NOW) == reserve(queue(edit("a"))[0], NOW)


def test_the_reactions_under_a_card_come_as_soon_as_the_limit_allows_another_card() -> None:
    """Without them people can't decide on a phone. They leave room for the answer to a line."""
    (row,) = queue(SuggestedReaction(MessageKey("a"), ROOM, "✅"))
    limited = Budget().limited(NOW, 3.0)
    assert limited.wait(NOW, reserve(row, NOW)) == pytest.approx(13.0)


def test_nobody_is_served_twice_before_everybody_is_served_once() -> None:
    answers = [
        ChatMessage(MessageKind.ANSWER.of(rest=f"${n}"), ROOM, "x", reply_to="$1", answers="@kim") for n in range(40)
    ]
    other = ChatMessage(MessageKind.ANSWER.of(rest="$other"), ROOM, "x", reply_to="$2", answers="@anna")
    rows = queue(*answers, other)
    ordered = in_order(rows, NOW, lambda row: getattr(row.effect, "answers", ""), {"@kim": 1})
    assert ordered[0].effect == other


def test_a_message_that_has_waited_for_a_minute_is_as_urgent_as_an_answer() -> None:
    old, answer = edit("a"), ChatMessage(MessageKind.ANSWER.of(rest="$1"), ROOM, "x", reply_to="$1", answers="@anna")
    assert [row.effect for row in in_order(queue(old, answer), after(59))] == [answer, old]
    assert [row.effect for row in in_order(queue(old, answer), after(60))] == [old, answer]


def test_an_unsent_message_is_not_queued_again() -> None:
    again = SendEnvelope(ROOM, replace(DRAFT, body={"seen": 3}))
    assert superseded(queue(edit("a", DRAFT), again, again)) == {2, 3}
    assert superseded(queue(SendEnvelope(ROOM, DRAFT), SendEnvelope(ROOM, replace(DRAFT, number=2)))) == frozenset()


def test_only_the_newest_of_several_bare_acknowledgements_is_sent() -> None:
    seen = [SendEnvelope(ROOM, replace(DRAFT, kind="seen", number=0, body={"seen": n})) for n in range(3)]
    assert superseded(queue(*seen)) == {1, 2}


def test_only_the_newest_of_several_edits_of_one_message_is_sent() -> None:
    rows = queue(edit("a"), edit("b"), edit("a"), edit("a"))
    assert superseded(rows) == {1, 3}
    assert [row.id for row in in_order(rows, NOW)] == [2, 4]


def test_an_edit_with_an_envelope_is_sent_although_a_newer_edit_waits() -> None:
    rows = queue(edit("a", DRAFT), edit("a"))
    assert superseded(rows) == frozenset()
    assert [row.id for row in in_order(rows, NOW)] == [1, 2]


def test_an_older_text_never_comes_after_an_edit_with_an_envelope() -> None:
    rows = queue(edit("a"), edit("a", DRAFT))
    assert [row.id for row in in_order(rows, NOW)] == [2]


def test_an_edit_that_may_have_reached_the_room_is_tried_again_and_first() -> None:
    rows = queue(edit("a"), edit("a", DRAFT), begun=(1,))
    assert superseded(rows) == frozenset()
    assert [row.id for row in in_order(rows, NOW)] == [1, 2]


def test_edits_of_messages_with_the_same_key_in_other_rooms_are_not_of_the_same_message() -> None:
    assert superseded(queue(edit("a"), edit("a", room="!other"))) == frozenset()


def test_an_unsent_card_is_as_urgent_as_the_edit_with_an_envelope_that_waits_for_it() -> None:
    assert order(card("b"), card("a"), edit("a", DRAFT)) == [card("a"), edit("a", DRAFT), card("b")]


def test_an_edit_with_an_envelope_does_not_wait_for_suggested_reactions_of_its_card() -> None:
    seed = SuggestedReaction(MessageKey("a"), ROOM, "✅")
    assert order(seed, edit("a", DRAFT)) == [edit("a", DRAFT), seed]
    assert queue_key(seed) != queue_key(edit("a"))


def test_an_announcement_never_overtakes_an_older_one_for_the_same_room() -> None:
    older, newer = Announce(ROOM, {"parties": []}), Announce(ROOM, {"parties": [{"id": "alpha"}]})
    assert queue_key(older) == queue_key(newer) != ""
    assert queue_key(older) != queue_key(Announce("!other", {"parties": []}))


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_before_the_first_refusal_nothing_is_delayed() -> None:
    budget = Budget()
    for _ in range(100):
        budget = budget.sent(NOW)
    assert budget.wait(NOW) == 0


def test_after_a_refusal_all_wait_as_long_as_asked() -> None:
    budget = Budget().limited(NOW, 4.783)
    assert budget.wait(NOW) == pytest.approx(4.783)
    assert budget.wait(after(3)) == pytest.approx(1.783)
    assert budget.wait(after(4.783)) == 0


def test_then_one_goes_at_a_time_at_the_learned_pace() -> None:
    budget = Budget().limited(NOW, 4.783).sent(after(4.783))
    assert budget.wait(after(4.783)) == pytest.approx(5)
    budget = budget.sent(after(9.783))
    assert budget.wait(after(9.783)) == pytest.approx(5)


def test_quiet_time_allows_a_burst() -> None:
    budget = Budget().limited(NOW, 5).sent(after(5))
    now = after(5 + 3 * 5)
    for _ in range(3):
        assert budget.wait(now) == 0
        budget = budget.sent(now)
    assert budget.wait(now) == pytest.approx(5)


def test_a_slower_homeserver_is_learned_from_its_next_refusal() -> None:
    budget = Budget().limited(NOW, 6).limited(after(6), 30).sent(after(36))
    assert budget.wait(after(36)) == pytest.approx(30)


def test_a_fast_limit_is_not_rounded_up_to_seconds() -> None:
    budget = Budget().limited(NOW, 0.1).sent(after(0.1))
    assert budget.wait(after(0.1)) == pytest.approx(0.1)


def test_a_limit_is_remembered_for_a_day_and_then_tried_again() -> None:
    """Otherwise each burst would hit it again and delay urgent messages behind others."""
    budget = Budget().limited(NOW, 5).sent(after(5))
    assert budget.sent(after(24 * 3600 - 1)) != Budget()
    assert budget.sent(after(24 * 3600)) == Budget()


def test_decoration_leaves_a_part_of_the_burst_to_urgent_messages() -> None:
    budget = Budget().limited(NOW, 5)
    full = after(5 + 9 * 5)
    for _ in range(6):
        assert budget.wait(full, reserved=4) == 0
        budget = budget.sent(full)
    assert budget.wait(full, reserved=4) == pytest.approx(5)
    assert budget.wait(full) == 0


def test_a_real_bucket_is_hit_rarely_once_its_pace_is_known() -> None:
    """Synapse's default: 10 at once, then one every 5 seconds; it says how long until the next."""
    budget, now, tokens, refusals, sent = Budget(), NOW, 10.0, 0, 0
    while sent < 100:
        pause = timedelta(seconds=budget.wait(now) + 0.05)
        now, tokens = now + pause, min(10.0, tokens + pause.total_seconds() / 5)
        if tokens >= 1:
            tokens, sent, budget = tokens - 1, sent + 1, budget.sent(now)
        else:
            refusals, budget = refusals + 1, budget.limited(now, (1 - tokens) * 5)
    assert refusals <= 2
    assert now - NOW < timedelta(seconds=90 * 5 + 20)
