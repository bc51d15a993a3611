from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fedbot import messages
from fedbot.rules.decisions import on_reaction
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Choice, Decision, DecisionStage
from fedbot.rules.model.effects import Ask, Edit, Phrase, Post, SendEnvelope
from fedbot.rules.model.events import Reacted
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.queries import Able, MatchPart, PersonPermissions, WhoMay
from fedbot.rules.model.stock import Permission
from fedbot.rules.model.transfer import Progress, Transfer
from tests.commands.worlds import (
    ADMIN_ROOM,
    ANNA,
    APPROVER,
    BEA,
    HOME,
    KIM,
    NOW,
    OTHER_ROOM,
    PIET,
    PLAIN,
    ROOM,
    SUPERUSER,
    World,
    connected,
    offered_to_us,
    pushed,
    pushed_to_us,
)

MATCHED = pushed_to_us(
    progress=(Progress(1, part=3, match="ipn"),), told=("card",), card_event="$card", own_card="$card"
)


def decision(person: str = ANNA, stage: DecisionStage = DecisionStage.GRACE) -> Decision:
    return Decision(Choice.APPROVE, person, HOME.people.get(person, ""), "$tap", stage, NOW, NOW)


# --- approve and decline ---


@pytest.mark.parametrize(("verb", "choice"), [("approve", Choice.APPROVE), ("decline", Choice.DECLINE)])
def test_a_line_begins_the_same_decision_as_a_reaction(verb: str, choice: Choice) -> None:
    world = World(connected(), MATCHED)
    assert world.does(f"{verb} {MATCHED.code}") is None
    begun = world.transfer(MATCHED).decision
    assert begun is not None
    assert (begun.choice, begun.person, begun.stage, begun.reply_to) == (choice, ANNA, DecisionStage.CHECKING, "$line")
    (asked,) = [effect for effect in world.effects if isinstance(effect, Ask)]
    assert asked.questions == (PersonPermissions("anna"), WhoMay(Permission.APPROVER, ("anna", "piet", "kim")))


def test_a_reply_to_the_card_supplies_the_id() -> None:
    world = World(connected(), MATCHED)
    assert world.does("approve", subject=MATCHED.id) is None
    assert world.transfer(MATCHED).decision is not None


@pytest.mark.parametrize("word", ["{code}.", "({code})", "#{code}", "{CODE}", "{id}"])
def test_an_id_is_understood_as_people_write_it(word: str) -> None:
    world = World(connected(), MATCHED)
    typed = word.format(code=MATCHED.code, CODE=MATCHED.code.upper(), id=MATCHED.id)
    assert world.does(f"approve {typed}") is None


def test_without_an_id_and_without_a_reply_nothing_is_guessed() -> None:
    world = World(connected(), MATCHED)
    assert world.says("approve") == Phrase(
        messages.line_errors.which_one, {"verb": "approve", "subjects": (MATCHED,), "line": f"approve {MATCHED.code}"}
    )
    assert world.transfer(MATCHED).decision is None


def test_an_unknown_id_is_answered_with_possible_ones() -> None:
    world = World(connected(), MATCHED)
    typo = MATCHED.code[:3] + "!" + MATCHED.code[3:] + "q"
    phrase = world.says(f"approve {typo}")
    assert (phrase.name, phrase.about["near"]) == ("no_such_id", (MATCHED.code,))


def test_an_id_that_fits_two_is_asked_about() -> None:
    fake = replace(MATCHED, id=MATCHED.id[:6] + "z" * 14 + "-push", code=MATCHED.id[:7])
    phrase = World(connected(), MATCHED, fake).says(f"approve {MATCHED.id[:5]}")
    assert (phrase.name, set(phrase.about["subjects"])) == ("several_subjects", {MATCHED, fake})


def test_a_decision_of_the_peers_is_not_taken_here() -> None:
    phrase = World(connected(), pushed()).says(f"approve {pushed().code}")
    assert phrase == Phrase(messages.approval.decided_elsewhere, {"subject": pushed(), "party": "Beta Space"})
    asked = connected(ConnectionState.ASKED)
    assert World(asked).says(f"decline {asked.code}").name == "decided_elsewhere"


def test_a_transfer_of_another_room_is_neither_decided_nor_shown_here() -> None:
    elsewhere = replace(MATCHED, room=OTHER_ROOM)
    world = World(connected(), elsewhere)
    assert world.says(f"approve {elsewhere.code}").name == "subject_elsewhere"
    shown = world.asks(f"show {elsewhere.code}")
    assert isinstance(shown, Phrase)
    assert world.transfer(elsewhere).decision is None


def test_a_decision_is_not_taken_in_the_admin_room() -> None:
    phrase = World(connected(), MATCHED).says(f"approve {MATCHED.code}", room=ADMIN_ROOM)
    assert (phrase.name, phrase.about["rooms"]) == ("not_in_this_room", ("Makerspaces", OTHER_ROOM))


UNMATCHED = replace(MATCHED, progress=(Progress(1, match="none"),))


def test_a_line_without_a_part_can_not_be_approved_and_is_matched_again() -> None:
    world = World(connected(), UNMATCHED)
    phrase = world.says(f"approve {UNMATCHED.code}")
    assert (phrase.name, phrase.about["numbers"]) == ("no_part_for_it_yet", (1,))
    assert world.transfer(UNMATCHED).decision is None
    (asked,) = [effect for effect in world.effects if isinstance(effect, Ask)]
    assert isinstance(asked.questions[0], MatchPart)


def test_a_reaction_to_a_card_without_a_part_is_answered_the_same() -> None:
    world = World(connected(), UNMATCHED)
    world.archive.posts["$card"] = f"card:{UNMATCHED.id}"
    on_reaction(world.turn, Reacted(ROOM, "$tap", PIET, NOW, "$card", "✅"))
    assert [post.phrase.name for post in world.posts] == ["no_part_for_it_yet"]
    assert world.transfer(UNMATCHED).decision is None


def test_a_line_without_a_part_can_be_declined() -> None:
    world = World(connected(), UNMATCHED)
    assert world.does(f"decline {UNMATCHED.code}") is None
    assert world.transfer(UNMATCHED).decision is not None


@pytest.mark.parametrize(
    ("transfer", "name"),
    [
        (replace(MATCHED, state=TransferState.DONE), "decided_already"),
        (replace(MATCHED, wanted="approve"), "decided_already"),
        (replace(MATCHED, due=NOW - timedelta(days=1)), "too_late"),
        (replace(MATCHED, decision=decision(PIET)), "being_decided"),
    ],
)
def test_a_line_is_refused_like_a_reaction(transfer: Transfer, name: str) -> None:
    assert World(connected(), transfer).says(f"approve {transfer.code}").name == name


# --- cancel ---


def test_the_requester_cancels_without_any_permission() -> None:
    world = World(connected(), pushed())
    assert world.does(f"cancel {pushed().code}") is None
    ended = world.transfer(pushed())
    assert ended.state is TransferState.CANCELLED
    (post,) = world.posts
    assert (post.phrase.name, post.draft is not None) == ("transfer_end", True)


def test_an_approver_cancels_what_another_asked_for() -> None:
    world = World(connected(), pushed())
    able = Able(("anna", "piet"))
    assert world.asks("cancel", PIET, subject=pushed().id) == (
        PersonPermissions("piet"),
        WhoMay(Permission.APPROVER, ("anna", "piet", "kim")),
    )
    assert world.does("cancel", APPROVER, able, sender=PIET, subject=pushed().id) is None
    assert world.transfer(pushed()).state is TransferState.CANCELLED


def test_other_people_are_told_who_could_cancel() -> None:
    world = World(connected(), pushed())
    phrase = world.says("cancel", PLAIN, Able(("anna", "piet")), sender=KIM, subject=pushed().id)
    assert (phrase.name, phrase.about["able"]) == ("not_yours_to_cancel", ("Anna", "Piet"))
    assert world.transfer(pushed()).state is TransferState.OPEN


@pytest.mark.parametrize("stage", list(DecisionStage))
def test_the_decider_stops_the_decision_at_once_without_inventree(stage: DecisionStage) -> None:
    transfer = replace(MATCHED, decision=decision(KIM, stage))
    world = World(connected(), transfer)
    assert world.says("cancel", sender=KIM, subject=transfer.id).name == "decision_stopped"
    assert world.transfer(transfer).decision is None
    assert world.transfer(transfer).state is TransferState.OPEN


def test_an_approver_stops_the_decision_of_another() -> None:
    transfer = replace(MATCHED, decision=decision(ANNA))
    world = World(connected(), transfer)
    phrase = world.says("cancel", APPROVER, Able(("piet",)), sender=PIET, subject=transfer.id)
    assert phrase.name == "decision_stopped"
    assert world.transfer(transfer).decision is None


def test_a_decision_on_a_connection_is_stopped_too() -> None:
    connection = offered_to_us(decision=decision(ANNA))
    world = World(connection)
    assert world.says(f"cancel {connection.code}").name == "decision_stopped"
    assert world.connection(connection).decision is None


def test_after_our_approval_the_sender_is_asked_to_cancel_once() -> None:
    transfer = replace(MATCHED, wanted="approve")
    world = World(connected(), transfer)
    assert world.says("cancel", APPROVER, Able(()), sender=PIET, subject=transfer.id).name == "cancel_asked"
    assert world.transfer(transfer).wanted == "cancel"
    assert world.says("cancel", APPROVER, Able(()), sender=PIET, subject=transfer.id).name == "cancel_asked"
    assert len([effect for effect in world.effects if isinstance(effect, SendEnvelope)]) == 1


@pytest.mark.parametrize(
    ("transfer", "name"),
    [
        (MATCHED, "decline_instead"),
        (replace(MATCHED, state=TransferState.CREDITING), "too_late_to_cancel"),
        (replace(pushed(), state=TransferState.DEBITING), "too_late_to_cancel"),
        (replace(pushed(), state=TransferState.DISPUTED), "too_late_to_cancel"),
        (replace(pushed(), state=TransferState.DONE), "over_already"),
    ],
)
def test_a_transfer_that_can_not_be_cancelled_says_why(transfer: Transfer, name: str) -> None:
    world = World(connected(), transfer)
    phrase = world.says("cancel", APPROVER, Able(()), sender=PIET, subject=transfer.id)
    assert phrase.name == name
    assert world.transfer(transfer).state is transfer.state
    assert world.effects == []


def test_a_request_to_connect_is_cancelled_by_its_author() -> None:
    asked = connected(ConnectionState.ASKED)
    world = World(asked)
    assert world.says(f"cancel {asked.code}").name == "cancelled"
    assert world.connection(asked).state is ConnectionState.CANCELLED
    edits = [effect for effect in world.effects if isinstance(effect, Edit)]
    assert [(edit.phrase.name, edit.draft and edit.draft.kind) for edit in edits] == [("connect_over", "cancelled")]


def test_a_request_to_connect_is_cancelled_by_any_superuser_but_by_no_approver() -> None:
    asked = connected(ConnectionState.MAKING)
    world = World(asked)
    refused = world.says("cancel", APPROVER, Able(("anna",)), sender=PIET, subject=asked.id)
    assert (refused.name, refused.about["permission"]) == ("not_yours_to_cancel", Permission.SUPERUSER)
    permissions = replace(SUPERUSER, username="piet")
    assert world.says("cancel", permissions, Able(("piet",)), sender=PIET, subject=asked.id).name == "cancelled"


@pytest.mark.parametrize(
    ("connection", "name"),
    [
        (connected(), "friends_stay"),
        (connected(ConnectionState.SUSPENDED), "friends_stay"),
        (connected(ConnectionState.READY), "too_late_to_cancel"),
        (connected(ConnectionState.EXPIRED), "over_already"),
        (connected(ConnectionState.ENDED), "over_already"),
    ],
)
def test_an_active_or_ended_connection_is_not_cancelled(connection: Connection, name: str) -> None:
    world = World(connection)
    assert world.says(f"cancel {connection.code}").name == name
    assert world.effects == []


def test_a_peers_request_is_declined_not_cancelled() -> None:
    offered = offered_to_us()
    phrase = World(offered).says("cancel", SUPERUSER, Able(()), subject=offered.id)
    assert phrase.name == "decline_instead"


def test_without_an_id_only_ones_own_transfers_are_suggested() -> None:
    world = World(connected(), pushed(), MATCHED)
    assert world.does("cancel") is None
    (post,) = [effect for effect in world.effects if isinstance(effect, Post)]
    assert post.phrase.about["own"].subjects == (pushed(),)
    assert BEA != ANNA
