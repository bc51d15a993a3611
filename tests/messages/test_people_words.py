"""Adding, removing and meeting people, as they read it."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.party_config import RosterChange
from fedbot.rules.model.stock import Rights
from tests.scenarios.scenes import ALPHA, KIM, plain

NOT_YET = replace(ALPHA, admins=(KIM,))

SAID: dict[str, tuple[Phrase, str]] = {
    "added": (
        say(messages.people.added, change=RosterChange(adds=True, person=KIM, username="kim"), us=ALPHA, again=False),
        """
        ✅ @kim:attraktor.example is user kim of attraktor now.
        InvenTree says what they may do. I tell them at their first line.
        To undo it: !fed people remove @kim:attraktor.example
        """,
    ),
    "added again, and admin": (
        say(
            messages.people.added,
            change=RosterChange(adds=True, person=KIM, username="kim", admin=True),
            us=ALPHA,
            again=True,
        ),
        """
        ✅ @kim:attraktor.example was known before, and is user kim of attraktor.
        InvenTree says what they may do. I tell them at their first line.
        They may also invite me.
        To undo it: !fed people remove @kim:attraktor.example
        """,
    ),
    "an admin only": (
        say(messages.people.added, change=RosterChange(adds=True, person=KIM, admin=True), us=NOT_YET, again=False),
        """
        ✅ @kim:attraktor.example is an admin of mine now: they may invite me.
        To undo it: !fed people remove @kim:attraktor.example
        """,
    ),
    "removed": (
        say(messages.people.removed, person=KIM, configured=True, us=ALPHA),
        """
        ✅ @kim:attraktor.example doesn't belong to attraktor any more.
        I do nothing for them from now on. Their InvenTree user stays as it is.
        My settings file still names them. Take them out there too: a rebuilt bot reads only that.
        """,
    ),
    "no Matrix id": (
        say(messages.people.no_matrix_id, word="Kim"),
        """
        Nothing changed: Kim is no Matrix id.
        Write all of it, in quotes, so that your app doesn't make a name of it:
        !fed people add "@kim:example.org" as kim
        """,
    ),
    "which user": (
        say(messages.people.user_missing, person=KIM),
        """
        Nothing changed: which InvenTree user is that?
        Say !fed people add @kim:attraktor.example as USER, with the user's name in InvenTree.
        For somebody who may only invite me: !fed people add @kim:attraktor.example --admin
        """,
    ),
    "no such user": (
        say(messages.people.no_such_user, username="kym", inactive=False, us=ALPHA),
        """
        Nothing changed: attraktor's InvenTree has no user kym.
        An InvenTree admin makes or activates it; then say it again.
        """,
    ),
    "an inactive user": (
        say(messages.people.no_such_user, username="kim", inactive=True, us=ALPHA),
        """
        Nothing changed: the user kim in attraktor's InvenTree is inactive.
        An InvenTree admin makes or activates it; then say it again.
        """,
    ),
    "the settings say otherwise": (
        say(messages.people.configured_otherwise, person=KIM, username="kim"),
        """
        Nothing changed: in my settings @kim:attraktor.example is the user kim.
        Change it there, under people. I read the file again by myself.
        """,
    ),
    "an InvenTree below API 472": (
        say(messages.people.approves_by_configuration_only, person=KIM, username="anna"),
        """
        Nothing changed: anna may approve, and this InvenTree is too old.
        Below API 472 any account can give itself permissions, so only my settings say who may approve.
        Write it there, under people: "@kim:attraktor.example": anna
        """,
    ),
    "a bot": (
        say(messages.people.is_a_bot, person="@bot:attraktor.example"),
        """
        Nothing changed: @bot:attraktor.example is a bot.
        """,
    ),
    "oneself": (
        say(messages.people.not_yourself),
        """
        Nothing changed: you can't remove yourself.
        Another superuser can, or on my machine: fedbot people remove
        """,
    ),
    "nobody of ours": (
        say(messages.people.not_known, person="@eve:example.org", us=ALPHA),
        """
        Nothing changed: @eve:example.org isn't one of attraktor's people.
        Who is: !fed people
        """,
    ),
    "in another room": (
        say(messages.people.only_in_the_admin_room, text="people remove @kim:attraktor.example", encrypted=True),
        """
        Nothing changed: that counts in the admin room only.
        In clear, whoever runs a homeserver could write it in your name.
        Say it in the admin room, with encryption on. Or run on my machine: fedbot people remove @kim:attraktor.example
        """,
    ),
    "in clear": (
        say(messages.people.only_in_the_admin_room, text="people remove @kim:attraktor.example", encrypted=False),
        """
        Nothing changed: that counts only where messages are encrypted.
        In clear, whoever runs a homeserver could write it in your name.
        Say it in the admin room, with encryption on. Or run on my machine: fedbot people remove @kim:attraktor.example
        """,
    ),
    "a first line": (
        say(messages.people.met, us=ALPHA, name="Kim", rights=Rights("kim", known=True, active=True, approver=True)),
        """
        Hello Kim: you are user kim of attraktor.
        You are approver there: you may give things away and decide on offers.
        What you can type: !fed help · all that you may do: !fed whoami
        """,
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_written_here(case: str) -> None:
    phrase, expected = SAID[case]
    assert plain(phrase) == dedent(expected).strip("\n")
