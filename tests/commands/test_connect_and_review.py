from __future__ import annotations

from dataclasses import replace

import pytest

from fedbot import messages
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import DecisionStage
from fedbot.rules.model.effects import Ask, Do, Phrase, SendEnvelope
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.model.steps import MakeCompany
from fedbot.rules.protocol import bodies
from fedbot.rules.protocol.sequencing import write
from fedbot.rules.wire import fingerprint
from tests.commands.worlds import (
    ADMIN_ROOM,
    BETA_BOT,
    HOME,
    KEYS,
    OTHER_ROOM,
    ROOM,
    World,
    announcement,
    connected,
    offered_to_us,
    pushed,
)

NEW_KEY = "ee" * 32
NEW = fingerprint(NEW_KEY)


def suspended(**changes: object) -> Connection:
    changes = {"own_ready": True, "peer_ready": True, **changes}
    return connected(ConnectionState.SUSPENDED, changed_bot=BETA_BOT, changed_key=NEW_KEY, **changes)


# --- connect ---


def test_a_request_pins_the_announced_key_and_is_answered_by_the_offer() -> None:
    world = World()
    assert world.asks("connect betaspace") == ()
    assert world.does("connect Beta Space") is None
    (connection,) = world.turn.connections()
    assert (connection.state, connection.peer_bot, connection.peer_key) == (
        ConnectionState.ASKED,
        BETA_BOT,
        KEYS["betaspace"],
    )
    (post,) = world.posts
    assert (post.phrase.name, post.reply_to, post.room) == ("connect_asked", "$line", ROOM)
    assert post.draft is not None
    assert post.draft.kind == "connect"


def test_asking_a_space_that_has_asked_us_approves_its_card() -> None:
    offered = offered_to_us()
    world = World(offered)
    assert world.does("connect betaspace") is None
    decision = world.connection(offered).decision
    assert decision is not None
    assert (decision.stage, decision.reply_to) == (DecisionStage.CHECKING, "$line")
    assert [type(effect) for effect in world.effects if isinstance(effect, (Ask, SendEnvelope))] == [Ask]


@pytest.mark.parametrize(
    ("connection", "name"),
    [
        (connected(), "connected_already"),
        (connected(ConnectionState.ASKED), "asked_already"),
        (connected(ConnectionState.MAKING), "asked_already"),
        (connected(ConnectionState.READY), "asked_already"),
        (suspended(), "needs_review"),
        (connected(room=OTHER_ROOM), "connection_elsewhere"),
    ],
)
def test_a_space_that_is_connected_or_was_asked_is_not_asked_again(connection: Connection, name: str) -> None:
    world = World(connection)
    assert world.says("connect betaspace").name == name
    assert world.effects == []


@pytest.mark.parametrize("state", [ConnectionState.DECLINED, ConnectionState.EXPIRED, ConnectionState.ENDED])
def test_after_an_end_the_next_request_has_the_next_generation(state: ConnectionState) -> None:
    world = World(connected(state))
    assert world.does("connect betaspace") is None
    assert [c.generation for c in world.turn.connections() if c.state is ConnectionState.ASKED] == [2]


@pytest.mark.parametrize(
    ("text", "name"),
    [("connect btaspace", "no_such_space"), ("connect attraktor", "that_is_us"), ("connect ATTRAKTOR", "that_is_us")],
)
def test_a_wrong_name_asks_nobody(text: str, name: str) -> None:
    world = World()
    assert world.says(text).name == name
    assert world.effects == []


def test_the_first_of_two_bots_that_claim_a_party_is_asked() -> None:
    world = World(announcement("betaspace", "@pretender:example.org", "Pretender"))
    assert [bot for bot, _ in world.turn.announced(ROOM, "betaspace")] == [BETA_BOT]
    assert world.says("connect Pretender").name == "no_such_space"


def test_in_the_admin_room_the_answer_says_where_to_type_it() -> None:
    phrase = World().says("connect betaspace", room=ADMIN_ROOM)
    assert phrase == Phrase(
        messages.line_errors.not_in_this_room, {"text": "connect betaspace", "rooms": ("Makerspaces", OTHER_ROOM)}
    )


def test_nobody_is_asked_while_we_are_hidden() -> None:
    hidden = World(us=replace(HOME, discoverable=False))
    assert hidden.says("connect betaspace").name == "we_are_hidden"


# --- review ---


def test_a_review_shows_both_fingerprints_and_changes_nothing() -> None:
    world = World(suspended())
    phrase = world.says("review")
    (change,) = phrase.about["changes"]
    assert (change.old_fingerprint, change.new_fingerprint) == (fingerprint(KEYS["betaspace"]), NEW)
    (again,) = world.says("review betaspace").about["changes"]
    assert (again.old_fingerprint, again.new_fingerprint) == (change.old_fingerprint, change.new_fingerprint)
    assert world.connection(suspended()).state is ConnectionState.SUSPENDED
    sent = [effect.draft.kind for effect in world.effects if isinstance(effect, SendEnvelope)]
    assert sent == ["check"] * 2, "the emoji to compare are asked for each time, until they are there"


@pytest.mark.parametrize("word", [NEW, NEW.upper(), NEW.replace("-", ""), NEW.replace("-", " "), f"{NEW}."])
def test_the_whole_new_fingerprint_lets_it_go_on(word: str) -> None:
    world = World(suspended())
    assert world.says(f"review betaspace accept {word}").name == "reviewed"
    restored = world.connection(suspended())
    assert (restored.state, restored.peer_key) == (ConnectionState.ACTIVE, NEW_KEY)


@pytest.mark.parametrize("word", [NEW[:4], NEW[:-1], "zzzz", fingerprint(KEYS["betaspace"]), NEW + "-zzzz"])
def test_any_other_word_leaves_it_suspended(word: str) -> None:
    world = World(suspended())
    assert world.says(f"review betaspace accept {word}").name == "fingerprint_differs"
    assert world.connection(suspended()).state is ConnectionState.SUSPENDED
    assert world.connection(suspended()).peer_key == KEYS["betaspace"]


def test_a_review_works_in_the_admin_room() -> None:
    world = World(suspended())
    assert world.says(f"review betaspace accept {NEW}", room=ADMIN_ROOM).name == "reviewed"


def test_a_connection_that_waits_in_another_room_is_not_shown_here() -> None:
    assert World(suspended()).says("review", room=OTHER_ROOM) == Phrase(messages.keys.review_nothing, {"space": ""})
    assert World(connected()).says("review betaspace") == Phrase(messages.keys.review_nothing, {"space": "Beta Space"})


def test_accepting_needs_a_space() -> None:
    assert World(suspended()).says(f"review accept {NEW}").name == "accept_without_space"


def test_a_review_sends_unread_messages_again_under_the_new_key() -> None:
    world = World(suspended(), pushed())
    transfer, _ = write(world.turn, pushed(), bodies.Cancelled(), awaits=True)
    world.turn.save(transfer)
    world.says(f"review betaspace accept {NEW}")
    sent = [effect.draft for effect in world.effects if isinstance(effect, SendEnvelope)]
    assert [(draft.kind, draft.sealed_to) for draft in sent] == [("cancelled", NEW_KEY)]


def test_a_connection_in_the_making_continues() -> None:
    connection = suspended(own_ready=False, peer_ready=False)
    world = World(connection)
    world.says(f"review betaspace accept {NEW}")
    assert world.connection(connection).state is ConnectionState.MAKING
    assert [type(effect.step) for effect in world.effects if isinstance(effect, Do)] == [MakeCompany]


def test_a_connection_that_waits_for_the_peer_keeps_waiting() -> None:
    connection = suspended(peer_ready=False)
    world = World(connection)
    world.says(f"review betaspace accept {NEW}")
    assert world.connection(connection).state is ConnectionState.READY
