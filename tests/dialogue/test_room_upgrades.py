"""An upgraded room: friendships, open transfers and loans go on in the new one."""

from __future__ import annotations

from datetime import timedelta

from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from tests.dialogue.test_finding import three
from tests.dialogue.test_lending import lent
from tests.dialogue.test_recovery import is_rebuilt, is_restored, is_watched
from tests.fakes.people import RoomView
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends, told

ACTIVE, SUSPENDED, DONE = ConnectionState.ACTIVE, ConnectionState.SUSPENDED, TransferState.DONE


async def upgrade(world: World, *invited: Space) -> RoomView:
    """Anna upgrades the room and invites everybody and these spaces' bots; all people write in the new one."""
    new = world.anna.upgrades(room=world.room.id)
    people = [world.piet, world.kim, world.bea, world.cem, world.dilek, world.tom]
    people += [world.gus, world.mia] if len(world.spaces) > 2 else []
    for person in people:
        world.anna.invites(person.user_id, room=new.id)
        person.joins(new)
    for space in invited:
        world.anna.invites(space.chat.user_id, room=new.id)
    for person in (world.anna, *people):
        person.room = new.id
    world.room = new
    await world.settle()
    return new


async def say_so(world: World, *people: str) -> str:
    """These superusers confirm the new room; return the last one's answer."""
    answer = ""
    for person in people:
        line = getattr(world, person).says("!fed review --room")
        await world.settle()
        answer = world.answer_to(line)
    return answer


async def takes(world: World) -> None:
    world.cem.reacts(world.card(), "✅")
    await world.grace()


async def test_friendships_wait_at_once_and_go_on_in_the_new_room_when_a_superuser_of_each_confirms() -> None:
    world = await friends()
    await upgrade(world, *world.spaces)
    assert [space.connection().state for space in world.spaces] == [SUSPENDED, SUSPENDED]
    for space in world.spaces:
        assert len(told(world.room, f"friendship of {space.name} waits here")) == 1
    assert "because its room was replaced" in await _answer(world, "!fed push M3-NUT 10 to betaspace")
    assert "superuser" in await _answer(world, "!fed review --room", "piet")
    assert (await say_so(world, "anna")).startswith("✅ Attraktor continues here with Betaspace, says Anna.")
    assert [space.connection().state for space in world.spaces] == [ACTIVE, SUSPENDED]
    await say_so(world, "bea")
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]
    assert {space.connection().room for space in world.spaces} == {world.room.id}
    await world.hand_over()
    assert world.alpha.transfer().state is DONE
    assert_books_balance(world)


async def _answer(world: World, line: str, who: str = "anna") -> str:
    return await world.answer(getattr(world, who), line)


async def test_an_open_card_is_posted_again_in_the_new_room_and_can_be_decided_there() -> None:
    world = await friends()
    await world.push()
    await upgrade(world, *world.spaces)
    assert "M3" in told(world.room, "friendship of Betaspace waits here")[0].text
    await say_so(world, "anna", "bea")
    await takes(world)
    assert world.alpha.transfer().state is DONE
    assert_books_balance(world)
    assert not told(world.alpha_admins, "could not post") + told(world.beta_admins, "could not post")


async def test_todo_links_no_card_in_the_old_room_and_says_what_it_waits_for() -> None:
    world = await friends()
    await world.push()
    await upgrade(world, *world.spaces)
    told_of = await _answer(world, "!fed todo", "cem")
    title = "To decide once a superuser has typed !fed review --room in the room that replaces theirs:"
    assert title in told_of
    assert "10 × M3 nut" in told_of
    assert "tap on the card" not in told_of
    assert "Its card" not in told_of
    await say_so(world, "anna", "bea")
    told_of = await _answer(world, "!fed todo", "cem")
    assert "tap on the card" in told_of
    assert "Its card" in told_of


async def test_a_transfer_that_is_over_for_one_side_only_is_answered_in_the_new_room() -> None:
    """Otherwise the other side would send the message again every day for ever (found by the simulation,
    seed 800035).
    """
    world = await friends()
    await world.push()
    beta = world.beta.chat.user_id
    world.server.loses = lambda user, event: user == world.alpha.chat.user_id and event["sender"] == beta
    world.anna.says("!fed cancel", reply_to=world.room.messages(sender=world.alpha.chat.user_id)[-1])
    await world.settle()
    assert [space.transfer().state for space in world.spaces] == [TransferState.CANCELLED, TransferState.CANCELLED]
    assert world.alpha.transfer().exchange.awaiting
    world.server.loses = lambda _user, _event: False
    await upgrade(world, *world.spaces)
    await say_so(world, "anna", "bea")
    await world.passes(timedelta(minutes=2))
    assert not world.alpha.transfer().exchange.awaiting


async def test_a_side_that_has_finished_reads_the_end_of_the_friendship_in_the_new_room() -> None:
    """Otherwise the other side would send the message again every day for ever (found by the simulation,
    seed 850117).
    """
    world = await friends()
    world.piet.says("!fed share all")
    world.cem.says("!fed request RES-10K 5 from attraktor")
    await world.settle()
    beta = world.beta.chat.user_id
    world.server.loses = lambda user, event: user == world.alpha.chat.user_id and event["sender"] == beta
    world.anna.says("!fed disconnect betaspace --sure")
    await world.settle()
    assert world.beta.connection().state is ConnectionState.ENDED
    assert world.alpha.transfer().exchange.awaiting
    world.server.loses = lambda _user, _event: False
    await upgrade(world, *world.spaces)
    await say_so(world, "anna", "bea")
    await world.passes(timedelta(minutes=2))
    assert not world.alpha.transfer().exchange.awaiting
    assert not world.alpha.connection().exchange.awaiting


async def test_an_approval_that_the_asking_side_did_not_read_before_the_move_is_undone_there() -> None:
    """Found by the simulation, seed 850174: it was over for the asking side, and made for the other, for ever."""
    world = World()
    await world.start()
    await world.asks_to_connect()
    beta = world.beta.chat.user_id
    world.server.loses = lambda user, event: user == world.alpha.chat.user_id and event["sender"] == beta
    world.bea.reacts(world.card(), "✅")
    await world.grace()
    world.server.loses = lambda _user, _event: False
    await upgrade(world, *world.spaces)
    assert world.alpha.connection().state is ConnectionState.CANCELLED
    await say_so(world, "bea")
    await world.passes(timedelta(minutes=2))
    assert world.beta.connection().state is ConnectionState.CANCELLED
    user = world.beta.tables.users[world.beta.connection().user or 0]
    assert not user.is_active
    await world.connect()
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]


async def test_a_card_that_only_one_side_has_moved_is_decided_when_the_other_has_too() -> None:
    world = await friends()
    await world.push()
    await upgrade(world, *world.spaces)
    await say_so(world, "bea")
    await takes(world)
    await world.passes(timedelta(hours=3))
    assert [space.transfer().state for space in world.spaces] == [TransferState.OPEN, TransferState.OPEN]
    assert told(world.room, "waits: the bot of Attraktor")
    await say_so(world, "anna")
    await world.passes(timedelta(minutes=2))
    assert [space.transfer().state for space in world.spaces] == [DONE, DONE]
    assert_books_balance(world)


async def test_an_item_in_transit_arrives_after_the_move() -> None:
    world = await friends()
    world.cem.reacts(await world.push(), "✅")
    await world.settle()
    world.alpha.is_asleep = True
    await world.passes(timedelta(seconds=10))
    await upgrade(world, *world.spaces)
    world.alpha.is_asleep = False
    await world.passes(timedelta(minutes=2))
    await say_so(world, "anna", "bea")
    await world.passes(timedelta(hours=2))
    assert {space.transfer().state for space in world.spaces} <= {DONE, TransferState.ABORTED}
    assert_books_balance(world)


async def test_a_request_waiting_for_its_owner_is_decided_in_the_new_room() -> None:
    world = await friends()
    world.piet.says("!fed share all")
    world.cem.says("!fed request RES-10K 5 from attraktor")
    await world.settle()
    await upgrade(world, *world.spaces)
    await say_so(world, "bea", "anna")
    (card,) = [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions]
    world.piet.reacts(card, "✅")
    await world.grace()
    await world.passes(timedelta(minutes=2))
    assert world.beta.transfer().state is DONE
    assert_books_balance(world)


async def test_a_parcel_in_transit_is_booked_in_by_a_reaction_in_the_new_room() -> None:
    world = await friends()
    world.cem.reacts(await world.push(), "📦")
    await world.grace()
    assert world.beta.transfer().state is TransferState.SENT
    await upgrade(world, *world.spaces)
    await say_so(world, "anna", "bea")
    assert set(world.card().reactions) == {"📦"}
    world.dilek.reacts(world.card(), "📦")
    await world.grace()
    await world.passes(timedelta(minutes=2))
    assert [space.transfer().state for space in world.spaces] == [DONE, DONE]
    assert_books_balance(world)


async def test_a_loan_goes_on_and_is_returned_in_the_new_room() -> None:
    world = await lent()
    loan = world.beta.transfer()
    await upgrade(world, *world.spaces)
    await say_so(world, "anna", "bea")
    assert {space.turn.transfer(loan.id).room for space in world.spaces} == {world.room.id}  # type: ignore[union-attr]
    world.cem.says(f"!fed return {loan.code}")
    await world.settle()
    (card,) = [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions]
    world.piet.reacts(card, "✅")
    await world.grace()
    await world.passes(timedelta(minutes=2))
    assert not world.beta.turn.transfer(loan.id).is_on_loan  # type: ignore[union-attr]
    assert_books_balance(world)


async def test_one_line_moves_all_friendships_of_a_room() -> None:
    world = await three()
    await upgrade(world, *world.spaces)
    text = told(world.room, "friendships of Attraktor wait here")[0].text
    assert "Betaspace" in text
    assert "Gammaspace" in text
    await say_so(world, "anna")
    assert {c.state for c in world.alpha.turn.connections()} == {ACTIVE}
    await say_so(world, "bea", "gus")
    await world.hand_over()
    assert world.alpha.transfer().state is DONE


async def test_a_bot_that_is_not_invited_tells_its_admins_whom_to_invite_and_anybody_may() -> None:
    world = await friends()
    await upgrade(world, world.alpha)
    assert told(world.beta_admins, world.beta.chat.user_id)
    assert not told(world.room, "friendship of Betaspace waits here")
    world.tom.invites(world.beta.chat.user_id, room=world.room.id)
    await world.settle()
    assert told(world.room, "friendship of Betaspace waits here")


async def test_a_room_that_no_tombstone_names_is_not_accepted_as_the_new_one() -> None:
    world = await friends()
    eve = world.newcomer("eve")
    fake = eve.creates("Makerspaces", predecessor=world.room.id)
    eve.invites(world.alpha.chat.user_id, room=fake.id)
    await world.settle()
    assert world.server.membership(fake.id, world.alpha.chat.user_id) == "leave"
    assert world.alpha.connection().state is ACTIVE


async def test_a_room_that_does_not_name_the_old_one_is_left_until_the_tombstone_names_the_right_one() -> None:
    world = await friends()
    old, other = world.room, world.anna.creates("Free prizes")
    world.anna.sets("m.room.tombstone", {"replacement_room": other.id}, room=old.id)
    world.anna.invites(world.alpha.chat.user_id, room=other.id)
    await world.settle()
    assert world.server.membership(other.id, world.alpha.chat.user_id) == "leave"
    assert told(world.alpha_admins, "isn't the room that replaces")
    await upgrade(world, *world.spaces)
    await say_so(world, "anna", "bea")
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]


async def test_an_undone_tombstone_lets_it_go_on_in_the_old_room() -> None:
    world = await friends()
    world.anna.sets("m.room.tombstone", {"replacement_room": "!nowhere"})
    await world.settle()
    assert world.alpha.connection().state is SUSPENDED
    world.anna.sets("m.room.tombstone", {})
    await world.settle()
    await say_so(world, "anna", "bea")
    await world.hand_over()
    assert world.alpha.transfer().state is DONE


async def test_two_upgrades_one_after_the_other_lead_to_the_last_room() -> None:
    world = await friends()
    await world.push()
    await upgrade(world, *world.spaces)
    await say_so(world, "anna")
    await upgrade(world, *world.spaces)
    assert [space.connection().state for space in world.spaces] == [SUSPENDED, SUSPENDED]
    await say_so(world, "anna", "bea")
    await takes(world)
    await world.passes(timedelta(minutes=2))
    assert world.alpha.transfer().state is DONE
    assert {space.transfer().room for space in world.spaces} == {world.room.id}
    assert_books_balance(world)


async def test_bots_that_were_down_find_the_new_room_when_they_are_up_whatever_the_settings_name() -> None:
    world = await friends()
    await world.push()
    for space in world.spaces:
        space.is_asleep = True
    new = await upgrade(world, *world.spaces)
    await world.alpha.restart()
    await world.beta.restart(rooms=(new.id,))  # an alias leads to the new room by itself
    await world.settle()
    await say_so(world, "anna", "bea")
    await takes(world)
    await world.passes(timedelta(minutes=2))
    assert [space.transfer().state for space in world.spaces] == [DONE, DONE]


async def test_the_settings_may_be_changed_later_and_the_admins_read_how() -> None:
    world = await friends()
    new = await upgrade(world, *world.spaces)
    assert told(world.alpha_admins, f"{new.id} instead of ")
    await say_so(world, "anna", "bea")
    await world.alpha.restart()
    await world.beta.restart(rooms=(new.id,))
    await world.hand_over()
    assert [space.transfer().state for space in world.spaces] == [DONE, DONE]
    status = world.anna.says("!fed status", room=world.alpha_admins.id)
    await world.settle()
    assert new.id in world.alpha_admins.answers(status)[0].text


async def test_a_restart_between_the_tombstone_and_the_confirmation_changes_nothing() -> None:
    world = await friends()
    await world.push()
    await upgrade(world, *world.spaces)
    for space in world.spaces:
        await space.restart()
    await say_so(world, "anna")
    await world.alpha.restart()
    await say_so(world, "bea")
    assert len(told(world.room, "friendship of Attraktor waits here")) == 1
    await takes(world)
    assert world.alpha.transfer().state is DONE


async def ends_well(world: World) -> None:
    """The bots become current, Cem approves, and each transfer of Betaspace is done."""
    await world.passes(timedelta(minutes=15))
    await takes(world)
    await world.passes(timedelta(minutes=15))
    assert {t.state for t in world.beta.turn.transfers()} == {DONE}
    assert_books_balance(world)


async def test_a_lost_journal_is_rebuilt_from_both_rooms() -> None:
    world = await friends()
    await world.hand_over()
    await world.push("RES-10K 3")
    await upgrade(world, *world.spaces)
    await say_so(world, "anna", "bea")
    rebuilt = await is_rebuilt(world.beta)
    assert (rebuilt.transfers, rebuilt.lost) == (2, ())
    await ends_well(world)


async def test_a_backup_from_before_the_move_asks_for_the_confirmation_again() -> None:
    world = await friends()
    await world.push()
    journal = await is_watched(world.beta, 1)
    await upgrade(world, *world.spaces)
    await say_so(world, "anna", "bea")
    await is_restored(world.beta, journal.backup_taken)
    await world.passes(timedelta(minutes=2))
    assert world.beta.connection().state is SUSPENDED
    assert len(told(world.room, "friendship of Betaspace waits here")) == 1
    await say_so(world, "bea")
    await world.passes(timedelta(minutes=15))
    await takes(world)
    await world.passes(timedelta(minutes=2))
    assert [space.transfer().state for space in world.spaces] == [DONE, DONE]
    assert_books_balance(world)


async def test_ending_a_waiting_friendship_first_needs_the_room_where_it_goes_on() -> None:
    world = await friends()
    await upgrade(world, *world.spaces)
    assert "review --room" in await _answer(world, "!fed disconnect betaspace")
    assert "review --room" in await _answer(world, "!fed connect betaspace")
    await say_so(world, "anna", "bea")
    assert "review --room" not in await _answer(world, "!fed disconnect betaspace")


async def test_a_friendship_in_the_making_is_made_in_the_new_room() -> None:
    world = World()
    await world.start()
    await world.asks_to_connect()
    world.bea.reacts(world.card(), "✅")
    await world.settle()
    world.alpha.goes_down()
    await world.grace()
    await upgrade(world, *world.spaces)
    world.alpha.comes_back()
    await world.passes(timedelta(minutes=20))
    await say_so(world, "anna", "bea")
    await world.passes(timedelta(minutes=20))
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]
    assert not told(world.alpha_admins, "could not post") + told(world.beta_admins, "could not post")
    await world.hand_over()
    assert world.alpha.transfer().state is DONE


async def test_a_smaller_grant_is_accepted_in_the_new_room() -> None:
    world = await friends()
    world.piet.says("!fed share all")
    world.cem.says("!fed request RES-10K 5 from attraktor")
    await world.settle()
    (card,) = [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions]
    world.piet.says("!fed approve 3", reply_to=card.event_id)
    await world.grace()
    await upgrade(world, *world.spaces)
    await say_so(world, "anna", "bea")
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    await world.passes(timedelta(minutes=2))
    assert [space.transfer().state for space in world.spaces] == [DONE, DONE]
    assert world.beta.transfer().terms.lines[0].quantity == 3
    assert_books_balance(world)


async def test_a_journal_lost_before_the_confirmation_is_rebuilt_and_waits_for_it() -> None:
    world = await friends()
    await world.hand_over()
    await world.push("RES-10K 3")
    await upgrade(world, *world.spaces)
    await is_rebuilt(world.beta)
    await world.settle()
    assert {t.state for t in world.beta.turn.transfers()} == {DONE, TransferState.OPEN}
    assert world.beta.connection().state is SUSPENDED
    await say_so(world, "anna", "bea")
    await ends_well(world)


async def test_a_changed_key_is_reviewed_all_the_same() -> None:
    world = await friends()
    await world.beta.gets_new_key()
    await world.settle()
    await upgrade(world, *world.spaces)
    answer = await say_so(world, "anna")
    assert "Still paused, because the key has changed: Betaspace" in answer
    assert world.alpha.connection().state is SUSPENDED


async def test_an_open_request_is_sent_again_in_the_new_room() -> None:
    world = World()
    await world.start()
    await world.asks_to_connect()
    await upgrade(world, *world.spaces)
    await world.connect()
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]


async def test_a_line_in_the_wrong_room_is_answered_with_the_right_one() -> None:
    world = await friends()
    assert "No friendship waits for this room" in await _answer(world, "!fed review --room")
    new = await upgrade(world, *world.spaces)
    said = world.anna.says("!fed review --room", room=world.alpha_admins.id)
    await world.settle()
    (answer,) = world.alpha_admins.answers(said)
    assert world.server.room(new.id).name in answer.text
    assert world.alpha.connection().state is SUSPENDED


async def test_a_tombstone_can_not_make_a_bot_leave_its_own_rooms() -> None:
    world = await friends()
    for us in (world.alpha_admins.id, world.room.id):
        world.anna.sets("m.room.tombstone", {"body": "", "replacement_room": us})
        await world.settle()
        assert world.server.membership(us, world.alpha.chat.user_id) == "join"
        [text] = [m.text for m in told(world.alpha_admins, "isn't the room that replaces") if us in m.text]
        assert "I have left it" not in text


async def test_a_room_that_is_upgraded_in_the_grace_of_a_decision_stops_it() -> None:
    world = await friends()
    world.cem.reacts(await world.push(), "✅")
    await world.settle()
    assert world.beta.transfer().decision
    await upgrade(world, *world.spaces)
    await world.passes(timedelta(hours=1))
    assert [space.transfer().state for space in world.spaces] == [TransferState.OPEN] * 2
    assert not world.beta.transfer().decision
    assert world.alpha.given("M3-NUT") == 0
    await say_so(world, "anna", "bea")
    await world.passes(timedelta(hours=1))
    assert [space.transfer().state for space in world.spaces] == [TransferState.OPEN] * 2, "Cem has to say it again"
    await takes(world)
    await world.passes(timedelta(minutes=2))
    assert world.alpha.transfer().state is DONE
    assert_books_balance(world)


async def test_a_moderator_who_upgrades_the_room_to_one_of_their_own_decides_nothing() -> None:
    """Tom is no approver. He moderates the room, replaces it by his own, and has all power there."""
    world = await friends()
    old = world.room
    await world.push()
    world.anna.sets_power(users={world.tom.user_id: 99}, events={"m.room.tombstone": 99, "dev.fedbot.party": 0})
    new = world.tom.creates("Makerspaces", predecessor=old.id, power={"events": {"dev.fedbot.party": 0}})
    world.tom.sets("m.room.tombstone", {"body": "upgraded", "replacement_room": new.id}, room=old.id)
    for guest in (world.anna, world.piet, world.bea, world.cem):
        world.tom.invites(guest.user_id, room=new.id)
        guest.joins(new)
        guest.room = new.id
    for space in world.spaces:
        world.tom.invites(space.chat.user_id, room=new.id)
    world.tom.room, world.room = new.id, new
    await world.settle()
    world.cem.reacts(old.messages(sender=world.beta.chat.user_id)[-1], "✅", room=old.id)
    world.tom.says("!fed review --room")
    world.cem.says(f"!fed approve {world.beta.transfer().code}")
    await world.grace()
    assert [space.transfer().state for space in world.spaces] == [TransferState.OPEN] * 2
    assert [space.connection().state for space in world.spaces] == [SUSPENDED] * 2, "no superuser has said so"
    await say_so(world, "anna", "bea")
    world.tom.reacts(world.card(), "✅")
    await world.grace()
    assert world.alpha.given("M3-NUT") == 0, "he is no approver in his own room either"
    await takes(world)
    await world.passes(timedelta(minutes=2))
    assert world.alpha.transfer().state is DONE
    assert_books_balance(world)


async def test_the_figures_of_the_new_room_count_what_happened_in_the_old_one() -> None:
    world = await friends()
    await world.hand_over()
    before = await _answer(world, "!fed stats")
    assert "given: 1 item" in before
    await upgrade(world, *world.spaces)
    await say_so(world, "anna", "bea")
    assert await _answer(world, "!fed stats") == before


async def test_the_morning_agenda_and_reminders_of_a_neighbours_loan_are_in_the_new_room() -> None:
    world = await friends(alpha={"agenda": True})
    await _answer(world, '!fed lend 10 M3-NUT to outside "Repair Café" for 2 days')
    old = world.room
    await upgrade(world, *world.spaces)
    await say_so(world, "anna", "bea")
    before = len(old.messages())
    await world.passes(timedelta(days=4))
    assert told(world.room, "📅 Today and tomorrow:")
    assert "Repair Café" in told(world.room, "📅 Today and tomorrow:")[-1].text
    assert len(old.messages()) == before
