"""UC4 in conversations: our own figures, a friend's, everybody's; silent friends, and scheduled postings."""
# ruff: noqa: ANN401 -- rooms and settings are any that a test needs

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fedbot.matrix.chart import PNG, NoChart
from fedbot.rules.ledger.stats import dealings
from fedbot.rules.model.books import SpaceFigures, Survey
from fedbot_demo.inventree.faults import Fault, FaultKind
from fedbot_demo.inventree.stock_rows import is_in_stock
from tests.fakes.homeserver import SERVER
from tests.fakes.people import Message
from tests.scenarios.space import Space
from tests.scenarios.world import World, a_world, friends

MONDAYS = "0 9 * * mon"
MONDAY = datetime(2026, 11, 30, 9, tzinfo=UTC)


async def asks(world: World, line: str, person: Any = None, **where: Any) -> list[Message]:
    """Write a line; return its answers."""
    said = (person or world.kim).says(line, **where)
    await world.settle()
    room = world.alpha_admins if where else world.room
    return room.answers(said)


async def gives(world: World, words: str = "M3-NUT 10") -> None:
    card = await world.push(words)
    world.bea.reacts(card, "✅")
    await world.grace()


def in_stock_at(space: Space) -> int:
    return len([row for row in space.seeded.server.state.stock if is_in_stock(row)])


def goes_down(space: Space) -> None:
    """Its InvenTree answers only who somebody is, because without that no line is carried out."""
    space.transport.faults.add(Fault(FaultKind.REFUSED, ".*", "/api/(?!user/)", times=None))


def posted(world: World, space: Space) -> list[Message]:
    """The bot's own postings: no answers, no cards."""
    said = world.room.messages(sender=space.chat.user_id)
    return [m for m in said if "stock items of" in m.text and not m.reply_to]


def pictures(world: World) -> list[dict[str, Any]]:
    events = [e for e in world.server.log if e["type"] == "m.room.message"]
    return [e for e in events if e["content"].get("msgtype") == "m.image"]


async def test_any_of_our_people_gets_our_figures() -> None:
    world = await friends()
    await gives(world)
    (answer,) = await asks(world, "!fed stats")
    state = world.alpha.seeded.server.state
    in_stock = in_stock_at(world.alpha)
    lines = answer.text.splitlines()
    assert lines[0] == f"Attraktor: {in_stock} stock items of {len(list(state.parts))} parts."
    assert "given: 1 item (10 pieces); received: 0 items" in answer.text
    assert "with Betaspace: given 1 item (10 pieces), received 0 items – 1 more given than received" in answer.text
    assert "low" not in answer.text
    assert answer.is_notice
    assert not answer.mentions


async def test_a_part_counted_in_pieces_counts_by_every_name_that_inventree_has_for_a_piece() -> None:
    world = await friends()
    world.alpha.admin("PATCH", f"part/{world.alpha.part('M3-NUT').pk}/", units="piece")
    await gives(world)
    (answer,) = await asks(world, "!fed stats")
    assert "given: 1 item (10 pieces); received: 0 items" in answer.text


async def test_in_the_admin_room_all_our_figures_are_shown() -> None:
    world = await friends(alpha={"stats_disclose": ("parts",)})
    (answer,) = await asks(world, "!fed stats", world.anna, room=world.alpha_admins.id)
    assert "running low" in answer.text
    (answer,) = await asks(world, "!fed stats")
    assert len(answer.text.splitlines()) == 1
    assert "stock item" not in answer.text


async def test_a_friends_figures_come_sealed_are_stored_in_its_companys_metadata_and_acknowledged() -> None:
    world = await friends()
    await gives(world)
    (answer,) = await asks(world, "!fed stats betaspace")
    assert answer.sender == world.alpha.chat.user_id
    in_stock = in_stock_at(world.beta)
    assert answer.text.startswith(f"Betaspace: {in_stock} stock items of ")
    assert "given: 0 items; received: 1 item (10 pieces)" in answer.text
    (letter,) = [e for e in world.room.envelopes(sender=world.beta.chat.user_id) if e["kind"] == "stats"]
    assert str(in_stock) not in json.dumps({k: v for k, v in letter["body"].items() if k not in {"sealed", "past"}})
    company = world.alpha.connection("betaspace").company
    assert company is not None
    metadata = world.alpha.seeded.server.state.metadata_of("company", company)
    assert metadata is not None
    assert metadata.content["fedbot"]["stats"]["stock_items"] == in_stock
    assert world.beta.connection("attraktor").exchange.unread == ()
    assert [draft.kind for draft in world.alpha.connection("betaspace").exchange.unread] == ["noted"]
    assert not world.alpha.connection("betaspace").exchange.awaiting


async def test_a_friend_counts_under_the_token_that_it_made_for_us() -> None:
    world = await friends()
    world.beta.vault.keep("made-for/attraktor/1", "no-such-token")
    (answer,) = await asks(world, "!fed stats betaspace")
    assert answer.text == "Betaspace: no figures now, because its InvenTree does not answer."
    assert world.alpha.turn.get(SpaceFigures, "betaspace") is None


async def test_a_friend_sends_only_what_it_discloses() -> None:
    world = await friends(beta={"stats_disclose": ("categories",)})
    (answer,) = await asks(world, "!fed stats betaspace")
    assert answer.text.splitlines()[0] == "Betaspace:"
    assert "categor" in answer.text
    figures = world.alpha.turn.get(SpaceFigures, "betaspace")
    assert figures is not None
    assert (figures.parts, figures.stock_items, figures.low_stock, figures.given) == (None, None, None, None)


async def test_figures_that_are_not_for_the_room_are_shown_in_the_admin_room() -> None:
    world = await friends(beta={"disclose_in_room": ()})
    (answer,) = await asks(world, "!fed stats betaspace")
    assert "Betaspace keeps its figures out of shared rooms" in answer.text
    (answer,) = await asks(world, "!fed stats betaspace", world.anna, room=world.alpha_admins.id)
    assert "stock items of" in answer.text
    own = world.bea.says("!fed stats")
    await world.settle()
    assert "keeps its figures out of shared rooms" in world.room.answers(own)[0].text


async def test_all_shows_ours_and_every_friends_in_one_answer() -> None:
    world = await friends()
    (answer,) = await asks(world, "!fed stats all --since 30d")
    first, *rest = answer.text.splitlines()
    assert first.startswith("2 spaces have ")
    headlines = [line for line in rest if "stock items of" in line]
    assert [line.split(":")[0] for line in headlines] == ["Attraktor", "Betaspace"]
    assert answer.text.endswith("Given and received: in the last 30 days.")


async def test_transfers_older_than_the_span_do_not_count() -> None:
    world = await friends()
    await gives(world)
    await world.passes(timedelta(days=8))
    (answer,) = await asks(world, "!fed stats --since 1w")
    assert "nothing given, nothing received" in answer.text
    (answer,) = await asks(world, "!fed stats betaspace --since 2 weeks")
    assert "received: 1 item (10 pieces)" in answer.text


async def test_a_friend_that_does_not_answer_within_two_minutes_is_named_and_added_when_it_does() -> None:
    world = await friends()
    said = world.kim.says("!fed stats all")
    await world.settle(asleep=(world.beta,))
    assert world.room.answers(said) == []
    assert (world.alpha.chat.user_id, world.room.id, 120) in world.server.typed
    await world.passes(timedelta(minutes=2), asleep=(world.beta,))
    (answer,) = world.room.answers(said)
    assert "Attraktor: " in answer.text
    assert "Betaspace: its bot has not answered for 2 minutes." in answer.text
    await world.settle()
    (answer,) = world.room.answers(said)
    assert answer.is_edited
    assert "Betaspace: " in answer.text
    assert "not answered" not in answer.text
    assert world.alpha.turn.all(Survey) == []


async def test_chat_goes_on_while_a_friend_is_silent() -> None:
    world = await friends()
    world.kim.says("!fed stats betaspace")
    await world.settle(asleep=(world.beta,))
    said = world.kim.says("!fed whoami")
    await world.settle(asleep=(world.beta,))
    assert len(world.room.answers(said)) == 1


async def test_a_second_line_does_not_ask_a_silent_friend_again_and_both_are_answered() -> None:
    world = await friends()
    lines = [world.kim.says("!fed stats betaspace"), world.piet.says("!fed statistics betaspace")]
    await world.settle(asleep=(world.beta,))
    await world.settle()
    assert ["stock items of" in world.room.answers(line)[0].text for line in lines] == [True, True]
    assert len([e for e in world.room.envelopes() if e["kind"] == "stats-ask"]) == 1


@pytest.mark.parametrize("kind", ["stats-ask", "stats", "noted"])
async def test_a_lost_message_is_sent_again(kind: str) -> None:
    world = await friends()
    lost: list[str] = []

    def loses(user: str, event: Mapping[str, Any]) -> bool:
        envelope = event["content"].get("dev.fedbot", {})
        is_it = envelope.get("kind") == kind and user != event["sender"] and not lost and user.endswith(f"bot:{SERVER}")
        lost.extend([kind] if is_it else [])
        return is_it

    world.server.loses = loses
    said = world.kim.says("!fed stats betaspace")
    await world.settle()
    await world.passes(timedelta(minutes=12))
    assert lost == [kind]
    (answer,) = world.room.answers(said)
    assert "stock items of" in answer.text
    assert world.beta.connection("attraktor").exchange.awaiting is False
    assert world.alpha.connection("betaspace").exchange.awaiting is False


async def test_our_inventree_being_down_is_said_and_friends_figures_are_still_shown() -> None:
    world = await friends()
    goes_down(world.alpha)
    (answer,) = await asks(world, "!fed stats all")
    assert answer.text.splitlines()[:2] == [
        "1 of 2 spaces gave their figures.",
        "Attraktor: no figures now, because its InvenTree does not answer.",
    ]
    assert "Betaspace: " in answer.text


async def test_a_friends_inventree_being_down_is_said() -> None:
    world = await friends()
    goes_down(world.beta)
    (answer,) = await asks(world, "!fed stats betaspace")
    assert answer.text == "Betaspace: no figures now, because its InvenTree does not answer."


async def test_a_space_that_is_no_friend_is_not_asked() -> None:
    world = await a_world()
    (answer,) = await asks(world, "!fed stats betaspace")
    assert "stock items" not in answer.text
    (answer,) = await asks(world, "!fed stats btaspace")
    assert "Did you mean !fed stats betaspace?" in answer.text
    (answer,) = await asks(world, "!fed stats all")
    assert answer.text.startswith("Attraktor: ")
    (answer,) = await asks(world, "!fed stats --since yesterday")
    assert '"yesterday" isn\'t a period of time. I did nothing.' in answer.text
    assert [e for e in world.room.envelopes() if e["kind"] == "stats-ask"] == []


async def test_a_restart_of_either_bot_while_figures_are_in_transit_loses_none() -> None:
    world = await friends()
    said = world.kim.says("!fed stats all")
    await world.settle(asleep=(world.beta,))
    await world.alpha.restart()
    await world.beta.restart()
    await world.settle()
    (answer,) = world.room.answers(said)
    assert "Attraktor: " in answer.text
    assert "Betaspace: " in answer.text


async def test_a_friends_nonsense_is_reported_as_unreadable() -> None:
    world = await friends()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fedbot.rules.ledger.stats.figures_written", lambda _: {"parts": -1})
        (answer,) = await asks(world, "!fed stats betaspace")
    assert answer.text == "Betaspace: its bot's answer can't be read."
    assert world.alpha.turn.get(SpaceFigures, "betaspace") is None


# --- on a schedule ---


async def scheduled(**changes: Any) -> World:
    world = await friends(alpha={"stats_schedule": MONDAYS, **changes})
    await gives(world)
    return world


async def test_figures_are_posted_on_schedule_as_a_notice_with_a_chart_in_its_thread() -> None:
    world = await scheduled()
    await world.passes(MONDAY - world.clock.now() - timedelta(minutes=1))
    assert posted(world, world.alpha) == []
    await world.passes(timedelta(minutes=2))
    (post,) = posted(world, world.alpha)
    assert post.is_notice
    assert not post.mentions
    (picture,) = pictures(world)
    content = picture["content"]
    assert not content.get("m.mentions")
    assert content["m.relates_to"]["event_id"] == post.event_id
    assert content["m.relates_to"]["rel_type"] == "m.thread"
    assert content["body"] == "Chart: stock items of Attraktor, and what it gave and received"
    assert world.server.media[content["url"]].startswith(PNG)
    assert "('Betaspace', 1, 0)" in world.server.media[content["url"]].decode(errors="replace")
    await world.passes(timedelta(days=7))
    assert len(posted(world, world.alpha)) == 2


async def test_a_restart_or_a_clock_set_back_posts_nothing_twice() -> None:
    world = await scheduled()
    await world.passes(MONDAY - world.clock.now() + timedelta(seconds=10))
    await world.alpha.restart()
    await world.passes(timedelta(minutes=1))
    world.clock.advance(timedelta(hours=-1))
    await world.alpha.restart()
    await world.passes(timedelta(hours=3))
    assert len(posted(world, world.alpha)) == 1


async def test_postings_missed_while_the_bot_was_down_are_made_once() -> None:
    world = await scheduled()
    await world.passes(timedelta(days=22), asleep=(world.alpha,))
    await world.alpha.restart()
    await world.passes(timedelta(minutes=1))
    assert len(posted(world, world.alpha)) == 1


async def test_a_new_schedule_begins_with_its_next_time() -> None:
    world = await friends()
    await world.passes(timedelta(days=20))
    await world.alpha.restart(stats_schedule=MONDAYS)
    await world.passes(timedelta(minutes=1))
    assert posted(world, world.alpha) == []


async def test_figures_wait_for_an_inventree_that_is_down_and_are_posted_once() -> None:
    world = await scheduled()
    goes_down(world.alpha)
    await world.passes(MONDAY - world.clock.now() + timedelta(days=8))
    assert posted(world, world.alpha) == []
    world.alpha.transport.faults.clear()
    await world.passes(timedelta(minutes=10))
    assert len(posted(world, world.alpha)) == 1
    assert len(pictures(world)) == 1


async def test_a_chart_shows_no_more_than_the_text_may() -> None:
    world = await scheduled(stats_disclose=("parts",))
    await world.passes(MONDAY - world.clock.now() + timedelta(minutes=1))
    assert len([m for m in world.room.messages() if m.text.startswith("Attraktor: ")]) == 1
    assert pictures(world) == []


async def test_the_repeated_hour_in_autumn_counts_once_and_the_skipped_one_in_spring_is_not_missed() -> None:
    world = await friends(alpha={"stats_schedule": "30 2 * * *", "time_zone": "Europe/Berlin"})
    for day in (datetime(2027, 3, 28, tzinfo=UTC), datetime(2027, 10, 31, tzinfo=UTC)):
        world.clock.advance(day - timedelta(hours=12) - world.clock.now())
        for space in world.spaces:
            await space.restart()
        await world.passes(timedelta(minutes=1))
        before = len(posted(world, world.alpha))
        await world.passes(timedelta(hours=24))
        assert len(posted(world, world.alpha)) == before + 1


async def test_a_chart_may_be_requested_and_is_posted_in_the_thread_of_the_answer() -> None:
    world = await friends()
    await gives(world)
    (answer,) = await asks(world, "!fed stats all --chart")
    (picture,) = pictures(world)
    assert picture["content"]["m.relates_to"]["event_id"] == answer.event_id
    assert not picture["content"].get("m.mentions")
    assert picture["content"]["body"].startswith("Chart: stock items of Attraktor")
    drawn = world.server.media[picture["content"]["url"]].decode(errors="replace")
    assert "('Betaspace', 1, 0)" in drawn
    assert str(in_stock_at(world.alpha)) in drawn
    await asks(world, "!fed stats betaspace --chart")
    assert pictures(world)[-1]["content"]["body"].startswith("Chart: stock items of Betaspace")
    await asks(world, "!fed stats")
    assert len(pictures(world)) == 2


async def test_a_chart_that_can_not_be_drawn_leaves_the_text_alone() -> None:
    world = await scheduled()

    async def fails(*_: object) -> bytes:
        raise NoChart("no matplotlib here")

    world.alpha.bot.chat_worker.pictures.draw = fails
    await world.passes(MONDAY - world.clock.now() + timedelta(minutes=1))
    assert len(posted(world, world.alpha)) == 1
    assert pictures(world) == []
    assert "no matplotlib here" in world.alpha_admins.transcript()


async def test_a_past_transfer_that_this_turn_has_changed_counts_once() -> None:
    world = await friends()
    await world.hand_over("M3-NUT 10")
    turn = world.alpha.turn
    (past,) = turn.transfers()
    assert turn.state.archive.transfer_at_rest(past.id) is not None
    before = dealings(turn, 0, None)
    turn.save(replace(past, problem="changed"))
    assert dealings(turn, 0, None) == before
    assert dealings(turn, 1, [past.room]) == before
    turn.save(replace(past, progress=()))
    assert dealings(turn, 0, None)[0].given.lines == 0
