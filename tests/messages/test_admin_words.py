"""What admins read about rooms, outages and what the bot could not do."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.diagnosis import Forbidden, Lacks
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.events import PostRefused, Removed, SetAside
from fedbot.rules.model.room import Room
from tests.scenarios.scenes import ALPHA, ALPHA_BOT, ANNA, BETA_BOT, NOW, SILENT, plain, transfer

MAKERS = Room("!makers", "Makerspaces")


SAID: dict[str, tuple[Phrase, str]] = {
    "an invitation to another room": (
        say(messages.rooms.invitation_declined, room="!other", name="Party", by=ANNA, known=True),
        """
        I declined an invitation to Party, by @anna:attraktor.example.
        The room isn't in my configuration. To let me in, add it under rooms, and invite me again a minute later: !other
        To ask me in private, begin a direct chat with me, without anybody else.
        Nothing to do if it was unwanted. I say this once a day about a person.
        """,
    ),
    "a direct chat begins": (
        say(messages.rooms.direct_chat_begins, us=ALPHA),
        """
        Here you can ask me in private, with or without !fed before it.
        What I tell: !fed help
        What gives, takes or decides is said in the room that attraktor shares with others: they read along there.
        """,
    ),
    "a direct chat with somebody else in it": (
        say(messages.rooms.no_direct_chat, us=ALPHA),
        """
        I leave this room: a direct chat is with one person of attraktor alone.
        You can begin one with me at any time.
        """,
    ),
    "a tap while the bot was out of the room": (
        say(messages.rooms.tapped_while_out, subject=transfer()),
        """
        I was out of this room when you tapped, so it doesn't count. Please tap again. k7m2
        """,
    ),
    "a line while the bot was out of the room": (
        say(messages.rooms.said_while_out),
        """
        I was out of this room when you said that, so I did nothing. Please say it again.
        """,
    ),
    "an invitation by a stranger": (
        say(messages.rooms.invitation_declined, room="!other", name="", by="@eve:example.org", known=False),
        """
        I declined an invitation to !other, by @eve:example.org.
        I don't know that person. If it was right, add them under people or admins
        in my settings, or with !fed people add; then invite me again.
        Nothing to do if it was unwanted. I say this once a day about a person.
        """,
    ),
    "too many invitations": (
        say(messages.rooms.too_many_invitations, by="@eve:example.org"),
        """
        I get too many invitations, the last by @eve:example.org.
        I leave those beyond the limit unanswered. Our configured rooms are not concerned.
        To stop them, block the account on the homeserver. I say this once a day.
        """,
    ),
    "an account of which apps warn": (
        say(messages.health.bot_untrusted, why="another client has made the account's own keys", us=ALPHA),
        """
        In encrypted rooms apps put a warning beside what I say, and some don't show it at all.
        Why: another client has made the account's own keys.
        To mend it, on my machine, with the password of @fedbot:attraktor.example in my settings:
        fedbot verify
        Then restart me.
        All else works as it should.
        """,
    ),
    "a message of a newer version": (
        say(messages.rooms.message_of_another_version, bot=BETA_BOT, theirs=2, ours=1),
        """
        I can't read what @fedbot:beta.example sent, so nothing was done with it.
        It speaks version 2 of the bots' protocol, I speak 1.
        My admin has to update me. What it sent comes again then.
        """,
    ),
    "a message of an older version": (
        say(messages.rooms.message_of_another_version, bot=BETA_BOT, theirs=1, ours=2),
        """
        I can't read what @fedbot:beta.example sent, so nothing was done with it.
        It speaks version 1 of the bots' protocol, I speak 2.
        Its admin has to update it. Nothing to do for anybody else.
        """,
    ),
    "no version in common, we are older": (
        say(messages.connection.speaks_otherwise, name="betaspace", theirs=(2, 3), ours=(1, 1)),
        """
        Not asked: betaspace's bot and I speak different versions.
        It speaks version 2–3 of the bots' protocol, I speak 1.
        My admin has to update me first.
        """,
    ),
    "no version in common, the other is older": (
        say(messages.connection.speaks_otherwise, name="betaspace", theirs=(1, 1), ours=(2, 2)),
        """
        Not asked: betaspace's bot and I speak different versions.
        It speaks version 1 of the bots' protocol, I speak 2.
        Its admin has to update it first.
        """,
    ),
    "hello to a room": (
        say(messages.rooms.hello, us=ALPHA, admins=("Anna", "Piet"), private=False),
        """
        Hello, I am attraktor's bot: I lend, give and request things for it.
        If you belong to attraktor, type !fed help first.
        My admins: Anna and Piet.
        """,
    ),
    "hello to the admin room": (
        say(messages.rooms.hello, us=ALPHA, admins=(), private=True),
        """
        Hello, this is my admin room: here I tell what concerns only attraktor.
        Type !fed help for what you can say, or !fed status.
        Who has set me up is my admin.
        """,
    ),
    "the end of a practice": (
        say(messages.rooms.practice_is_over),
        """
        The practice is over. I have left its room and forgotten all about it.
        """,
    ),
    "no power to talk": (
        say(messages.rooms.room_without_power, room=replace(MAKERS, may_talk=False, may_react=False), bot=ALPHA_BOT),
        """
        In Makerspaces I may not do my work: its power levels forbid it.
        What I may not send: m.room.message, m.reaction
        Please give @fedbot:attraktor.example a higher power level there, or lower what these need.
        It stands in the room's settings, under roles and permissions. I notice it by myself.
        What I can't post until then is named here.
        """,
    ),
    "no power to announce": (
        say(messages.rooms.room_denies_announcing, room=MAKERS, bot=ALPHA_BOT),
        """
        In Makerspaces I may not announce our space as room state, so I did it by a message.
        That works, but a bot that comes later may not see it.
        A room admin can mend it, in the power levels (m.room.power_levels), under events:
        "dev.fedbot.party": 0
        Each bot can write only its own entry (@fedbot:attraktor.example this one).
        """,
    ),
    "kicked": (
        say(
            messages.rooms.removed_from_room,
            room=MAKERS,
            event=Removed("!makers", "$e", "@mod:example.org", NOW, reason="too noisy"),
        ),
        """
        I am out of Makerspaces: @mod:example.org removed me.
        Reason given: "too noisy"
        What is open there waits; what has left a space's stock still arrives once I am back.
        If it was a mistake: invite me again from an account that is listed under people or admins.
        """,
    ),
    "banned": (
        say(
            messages.rooms.removed_from_room,
            room=MAKERS,
            event=Removed("!makers", "$e", "@mod:example.org", NOW, banned=True),
        ),
        """
        @mod:example.org banned me from Makerspaces.
        What is open there waits; what has left a space's stock still arrives once I am back.
        If it was a mistake: invite me again from an account that is listed under people or admins.
        """,
    ),
    "an upgraded room": (
        say(messages.rooms.room_replaced, room=MAKERS, replacement="!new", bot=ALPHA_BOT, waiting=2),
        """
        The room Makerspaces was upgraded and is read-only now.
        The new one: !new
        I am trying to go in. If it is closed, somebody who is in it has to invite me: @fedbot:attraktor.example
        2 friendships wait until a superuser says in the new room that they go on there.
        """,
    ),
    "the new room is the admin room": (
        say(messages.rooms.room_is_no_successor, room=Room("!admin", "Admins"), old=MAKERS, stays=True),
        """
        Admins isn't the room that takes the place of Makerspaces.
        The old room points to it (!admin), but it doesn't name the old one.
        What is open in the old room waits.
        Its admins can point to the right one, by a new tombstone (m.room.tombstone).
        """,
    ),
    "the new room isn't one": (
        say(messages.rooms.room_is_no_successor, room=Room("!fake", "Prizes"), old=MAKERS, stays=False),
        """
        Prizes isn't the room that takes the place of Makerspaces.
        The old room points to it (!fake), but it doesn't name the old one.
        I have left it. What is open in the old room waits.
        Its admins can point to the right one, by a new tombstone (m.room.tombstone).
        """,
    ),
    "in the new room": (
        say(messages.rooms.room_to_be_configured, room=Room("!new", "Makerspaces"), old="!makers"),
        """
        I am in the new room Makerspaces.
        Please write it under rooms, in place of the old one:
        !new, not !makers
        Until then I remember it. What waits for a superuser I have said there.
        """,
    ),
    "a letter that can't be read": (
        say(messages.rooms.unreadable_message, bot=BETA_BOT, problem="kind", version=1),
        """
        I can't read what @fedbot:beta.example sent, so nothing was done with it.
        Perhaps one of us is older than the other: I speak version 1. What I stumbled over: kind
        Its admin and mine can bring both up to date. Nothing to do for anybody else.
        """,
    ),
    "a space that the bot doesn't announce": (
        say(messages.rooms.party_not_announced, party="gamma", bot=BETA_BOT, believed=""),
        """
        I didn't take up that gamma asks to be friends, by @fedbot:beta.example.
        Why: @fedbot:beta.example doesn't announce gamma in this room with the key that it used.
        Nothing was made. Once that is fixed, it can ask again.
        """,
    ),
    "a space that several bots announce": (
        say(messages.rooms.party_not_announced, party="gamma", bot=BETA_BOT, believed="@evil:example.org"),
        """
        I didn't take up that gamma asks to be friends, by @fedbot:beta.example.
        Why: @evil:example.org said first that it is gamma. The wrong one has to leave the room.
        Nothing was made. Once that is fixed, it can ask again.
        """,
    ),
    "a second bot that announces a space": (
        say(messages.rooms.second_claim, party="gamma", bot="@evil:example.org", believed=BETA_BOT),
        """
        ⚠ @evil:example.org also says that it is gamma.
        I believe @fedbot:beta.example, which said so first.
        If that is the wrong one, ask a moderator to remove it from the room.
        """,
    ),
    "a space that its key did not announce": (
        say(messages.rooms.claim_without_signature, party="gamma", bot="@evil:example.org"),
        """
        ⚠ @evil:example.org says that it is gamma, but without its signature.
        I ignore that. If it is a fedbot of that space, it needs a newer version.
        """,
    ),
    "our own space, by a stranger": (
        say(messages.rooms.claims_to_be_us, us=ALPHA, bot="@evil:example.org", has_key=False),
        """
        ⚠ @evil:example.org says that it is attraktor. I ignore that.
        It doesn't have my key. Ask a moderator to remove it from the room.
        """,
    ),
    "our own space, by somebody with our key": (
        say(messages.rooms.claims_to_be_us, us=ALPHA, bot="@evil:example.org", has_key=True),
        """
        ⚠ @evil:example.org says that it is attraktor. I ignore that.
        It has my key: somebody runs a copy of my state folder. Stop it, or I must get a new key.
        """,
    ),
    "more messages of one kind than the admins get": (
        say(messages.health.admin_messages_left_out),
        """
        I have more messages like the last ones, and leave them out here.
        Each is in my audit trail. I say this at most once an hour.
        """,
    ),
    "a peer that floods": (
        say(messages.health.peer_sends_too_much, peer="gamma"),
        """
        gamma sends more messages than I read, so some wait.
        Stock that is in transit isn't affected. I say this at most once a day.
        To end the friendship, type in the shared room: !fed disconnect gamma
        """,
    ),
    "an account that floods": (
        say(messages.health.peer_sends_too_much, peer="@bot:gamma.example"),
        """
        @bot:gamma.example sends more messages than I read, so some wait.
        Stock that is in transit isn't affected. I say this at most once a day.
        A moderator of the room can remove it.
        """,
    ),
    "a message that the homeserver won't take": (
        say(
            messages.health.post_refused,
            event=PostRefused(NOW, "card:k7m2", "!makers", "M_FORBIDDEN", "You can't."),
            room="Makers",
            code="k7m2",
            us=ALPHA,
        ),
        """
        I could not post a card in Makers (!makers): nobody there sees it.
        The homeserver said: M_FORBIDDEN You can't.
        Please look at my power level in that room. I don't try again by myself.
        All about it: !fed show k7m2
        """,
    ),
    "a room that can't be left": (
        say(
            messages.health.post_refused,
            event=PostRefused(NOW, "Leave", "!old", "M_UNKNOWN", "Not known."),
            room="",
            code="",
            us=ALPHA,
        ),
        """
        I could not leave the room !old.
        The homeserver said: M_UNKNOWN Not known.
        The text above is the homeserver's. I don't try again by myself.
        """,
    ),
    "something failed and is set aside": (
        say(
            messages.health.set_aside, aside=SetAside(NOW, 3, "StepDone", "k7m2", "ZeroDivisionError: division by zero")
        ),
        """
        ⚠ I could not do something and set it aside (no. 3).
        It was StepDone; the problem: ZeroDivisionError: division by zero
        Everything else goes on. What concerns the same request waits.
        To try it again, run on my machine: fedbot retry 3
        To give it up (it says first what is lost): fedbot drop 3
        fedbot status lists all that is set aside.
        """,
    ),
    "something failed that nothing else waits for": (
        say(messages.health.set_aside, aside=SetAside(NOW, 4, "Said", "", "KeyError")),
        """
        ⚠ I could not do something and set it aside (no. 4).
        It was Said; the problem: KeyError
        Everything else goes on.
        To try it again, run on my machine: fedbot retry 4
        To give it up (it says first what is lost): fedbot drop 4
        fedbot status lists all that is set aside.
        """,
    ),
    "InvenTree is down": (
        say(messages.health.inventory_down, problem=SILENT, us=ALPHA),
        """
        ⏸ attraktor's InvenTree does not answer.
        Why: InvenTree at inventree.example can't be reached: no connection.
        Done: nothing is lost. Not done: what needs InvenTree waits.
        Next: I try again by myself and go on where I stopped. Nothing to do if you know of it.
        To see more, on the bot's machine: fedbot check
        """,
    ),
    "the bot stops": (
        say(messages.health.bot_stops, problem="The journal can't be written (database or disk is full).", us=ALPHA),
        """
        ⏹ attraktor's bot has stopped.
        Why: The journal can't be written (database or disk is full).
        """,
    ),
    "changed settings": (
        say(messages.health.settings_read, changed=("people", "rules.grace_seconds"), waiting=("matrix.password",)),
        """
        ✅ I have read my settings again.
        Changed: people, rules.grace_seconds
        These count after a restart: matrix.password
        """,
    ),
    "settings with a fault": (
        say(
            messages.health.settings_faulty,
            problems=(("party.id", "'Attraktor!'", "use lowercase letters"), ("", "line 3", "a tab")),
        ),
        """
        ⚠ My settings file was changed and has a fault, so I don't use it.
        • party.id: 'Attraktor!': use lowercase letters
        • line 3: a tab
        Everything goes on with the settings from before. Fix the file: I read it again by myself.
        """,
    ),
    "metadata can't be written": (
        say(messages.health.not_mirrored, problem=Forbidden(Lacks.ROLE, "", "return_order", "change")),
        """
        I could not write my notes into InvenTree's metadata. Everything else goes on.
        Why: Our InvenTree user needs the role return_order: change.
        Usually my InvenTree user lacks a role: fedbot check says which. I say this once a day.
        """,
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_written_here(case: str) -> None:
    phrase, expected = SAID[case]
    assert plain(phrase) == dedent(expected).strip("\n")
