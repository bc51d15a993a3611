"""Messages to admins about rooms, outages and failures of the bot."""

from __future__ import annotations

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.diagnosis import Forbidden, Lacks
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.events import PostRefused, Removed, SetAside
from fedbot.rules.model.room import MessageKey, Room
from tests.scenarios.scenes import ALPHA, ALPHA_BOT, ANNA, BETA_BOT, LOCALES, NOW, SILENT, plain, transfer

MAKERS = Room("!makers", "Makerspaces")


SAID: dict[str, Phrase] = {
    "an invitation to another room": say(
        messages.rooms.invitation_declined, room="!other", name="Party", by=ANNA, known=True
    ),
    "a direct chat begins": say(messages.rooms.direct_chat_begins, us=ALPHA),
    "a direct chat with somebody else in it": say(messages.rooms.no_direct_chat, us=ALPHA),
    "a tap while the bot was out of the room": say(messages.rooms.tapped_while_out, subject=transfer()),
    "a line while the bot was out of the room": say(messages.rooms.said_while_out),
    "an invitation by a stranger": say(
        messages.rooms.invitation_declined, room="!other", name="", by="@eve:example.org", known=False
    ),
    "an invitation by a stranger to a room of the settings": say(
        messages.rooms.invitation_declined, room="!other", name="", by="@eve:example.org", known=False, listed=True
    ),
    "too many invitations": say(messages.rooms.too_many_invitations, by="@eve:example.org"),
    "an account of which apps warn": say(
        messages.health.bot_untrusted, why="another client has made the account's own keys", us=ALPHA
    ),
    "a message of a newer version": say(messages.rooms.message_of_another_version, bot=BETA_BOT, theirs=2, ours=1),
    "a message of an older version": say(messages.rooms.message_of_another_version, bot=BETA_BOT, theirs=1, ours=2),
    "no version in common, we are older": say(
        messages.connect.speaks_otherwise, name="betaspace", theirs=(2, 3), ours=(1, 1)
    ),
    "no version in common, the other is older": say(
        messages.connect.speaks_otherwise, name="betaspace", theirs=(1, 1), ours=(2, 2)
    ),
    "hello to a room": say(messages.rooms.hello, us=ALPHA, admins=("Anna", "Piet"), private=False),
    "hello to the admin room": say(messages.rooms.hello, us=ALPHA, admins=(), private=True),
    "the end of a practice": say(messages.rooms.practice_is_over),
    "no power to talk": say(
        messages.rooms.room_without_power, room=replace(MAKERS, may_talk=False, may_react=False), bot=ALPHA_BOT
    ),
    "no power to announce": say(messages.rooms.room_denies_announcing, room=MAKERS, bot=ALPHA_BOT),
    "kicked": say(
        messages.rooms.removed_from_room,
        room=MAKERS,
        event=Removed("!makers", "$e", "@mod:example.org", NOW, reason="too noisy"),
    ),
    "banned": say(
        messages.rooms.removed_from_room,
        room=MAKERS,
        event=Removed("!makers", "$e", "@mod:example.org", NOW, banned=True),
    ),
    "an upgraded room": say(messages.rooms.room_replaced, room=MAKERS, replacement="!new", bot=ALPHA_BOT, waiting=2),
    "the new room is the admin room": say(
        messages.rooms.room_is_no_successor, room=Room("!admin", "Admins"), old=MAKERS, stays=True
    ),
    "the new room isn't one": say(
        messages.rooms.room_is_no_successor, room=Room("!fake", "Prizes"), old=MAKERS, stays=False
    ),
    "in the new room": say(messages.rooms.room_to_be_configured, room=Room("!new", "Makerspaces"), old="!makers"),
    "a letter that can't be read": say(messages.rooms.unreadable_message, bot=BETA_BOT, problem="kind", version=1),
    "a space that the bot doesn't announce": say(
        messages.rooms.party_not_announced, party="gamma", bot=BETA_BOT, believed=""
    ),
    "a space that several bots announce": say(
        messages.rooms.party_not_announced, party="gamma", bot=BETA_BOT, believed="@evil:example.org"
    ),
    "a second bot that announces a space": say(
        messages.rooms.second_claim, party="gamma", bot="@evil:example.org", believed=BETA_BOT
    ),
    "a space that its key did not announce": say(
        messages.rooms.claim_without_signature, party="gamma", bot="@evil:example.org"
    ),
    "our own space, by a stranger": say(
        messages.rooms.claims_to_be_us, us=ALPHA, bot="@evil:example.org", has_key=False
    ),
    "our own space, by somebody with our key": say(
        messages.rooms.claims_to_be_us, us=ALPHA, bot="@evil:example.org", has_key=True
    ),
    "more messages of one kind than the admins get": say(messages.health.admin_messages_left_out),
    "a peer that floods": say(messages.health.peer_sends_too_much, peer="gamma"),
    "an account that floods": say(messages.health.peer_sends_too_much, peer="@bot:gamma.example"),
    "a message that the homeserver won't take": say(
        messages.health.post_refused,
        event=PostRefused(
            NOW, MessageKey("card:k7m2"), "!makers", "M_FORBIDDEN", "sending to !makers: M_FORBIDDEN You can't."
        ),
        room="Makers",
        code="k7m2",
        us=ALPHA,
    ),
    "a card that the homeserver won't change": say(
        messages.health.post_refused,
        event=PostRefused(
            NOW, MessageKey("card:k7m2"), "!makers", "M_TOO_LARGE", "editing: M_TOO_LARGE Too large.", edits=True
        ),
        room="Makers",
        code="k7m2",
        us=ALPHA,
        is_replaced=True,
    ),
    "a room that can't be left": say(
        messages.health.post_refused,
        event=PostRefused(NOW, MessageKey("Leave"), "!old", "M_UNKNOWN", "Not known."),
        room="",
        code="",
        us=ALPHA,
    ),
    "something failed and is set aside": say(
        messages.health.set_aside, aside=SetAside(NOW, 3, "StepDone", "k7m2", "ZeroDivisionError: division by zero")
    ),
    "something failed that nothing else waits for": say(
        messages.health.set_aside, aside=SetAside(NOW, 4, "Said", "", "KeyError")
    ),
    "InvenTree is down": say(messages.health.inventory_down, problem=SILENT, us=ALPHA),
    "the bot stops": say(
        messages.health.bot_stops, problem="The journal can't be written (database or disk is full).", us=ALPHA
    ),
    "changed settings": say(
        messages.health.settings_read, changed=("people", "rules.grace_seconds"), waiting=("matrix.password",)
    ),
    "settings with a fault": say(
        messages.health.settings_faulty,
        problems=(("party.id", "'Attraktor!'", "use lowercase letters"), ("", "line 3", "a tab")),
    ),
    "metadata can't be written": say(
        messages.health.not_mirrored, problem=Forbidden(Lacks.ROLE, "", "return_order", "change")
    ),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
