"""What is said about friendships of spaces, as people read it."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.connection_lifecycle import ConnectionState
from fedbot.rules.model.diagnosis import (
    BadVersion,
    Diagnosis,
    Fault,
    Forbidden,
    Lacks,
    Named,
    NameFault,
    Plain,
    VersionFault,
    reason_of,
)
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import Preview
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.transfer_lifecycle import TransferState
from tests.scenarios.scenes import (
    ALPHA,
    BEA,
    BETA,
    BOLTS,
    BY_ANNA,
    BY_BEA,
    NOW,
    SAYS_NO,
    SILENT,
    connection,
    plain,
    to_be_compared,
    transfer,
)

SEVEN = (0, 1, 36, 41, 61, 63, 47)
KEY, OWN_KEY = "k3f9-2mxa-7rtw-h4cd-p9qe", "w5nh-8d2c-xq4m-t7ra-6kzj"


def card(connection: Connection, people: list[str] | None = None, us: PartyConfig = BETA) -> Phrase:
    return say(
        messages.connection.connection_card,
        connection=connection,
        us=us,
        fingerprint=KEY,
        own_fingerprint=OWN_KEY,
        people=people or [],
        emoji=SEVEN,
    )


HOME = replace(BETA, inventory_url="https://inventree.betaspace.example")


def making_waits(problem: Diagnosis, reason: str = "") -> Phrase:
    making = connection(ConnectionState.MAKING, ours=True)
    about = {"name": "fed-beta-1", "reference": "made-for/beta/1"}
    reason = reason or reason_of(problem)
    return say(messages.provision.making_waits, connection=making, us=HOME, reason=reason, problem=problem, **about)


def disconnecting(*, at_once: bool) -> Phrase:
    ending = replace(connection(ConnectionState.ENDING), ended_by=BY_BEA)
    moving = transfer(state=TransferState.CREDITING)
    return say(
        messages.disconnect.disconnecting,
        connection=ending,
        us=BETA,
        at_once=at_once,
        preview=Preview((transfer(BOLTS),), (moving,)),
    )


SAID: dict[str, tuple[Phrase, str]] = {
    "an open card": (
        card(connection(), [BEA, "Cem"]),
        """
        attraktor asks betaspace to be friends. Agree?
        For @bea:beta.example or Cem (superusers of betaspace's InvenTree), until Tue 1 Dec, 20:14.
        Asked by Anna (attraktor), Tue 24 Nov, 20:14
        Yes means: attraktor and betaspace can offer each other things; each offer still needs its own yes.
        The token stays with me: attraktor's bot never gets in; I answer for it, about shared items only.
        Call attraktor before you approve. Their bot must show the same seven emoji:
        🐶 Dog · 🐱 Cat · 👍 Thumbs up · 💡 Light Bulb · 🎧 Headphones · 📌 Pin · 🔑 Key
        Their key: k3f9-2mxa-7rtw-h4cd-p9qe · our key: w5nh-8d2c-xq4m-t7ra-6kzj
        ✅ yes, friends · ❌ no, or if any of them differs · Nothing has been made yet. · c9x4
        """,
    ),
    "an open card, direct, no admin token, nobody who may decide": (
        card(connection(access="direct"), us=replace(BETA, has_admin_token=False)),
        """
        attraktor asks betaspace to be friends. Agree?
        For a superuser of betaspace's InvenTree, until Tue 1 Dec, 20:14; none of the configured people is one.
        Asked by Anna (attraktor), Tue 24 Nov, 20:14
        Yes means: attraktor and betaspace can offer each other things; each offer still needs its own yes.
        I have no admin token: after a yes I say in the admin room what to click.
        attraktor's bot gets the token: it can read all stock items of betaspace, change none; so can betaspace's bot. Like any account there, it can also list all attachments, and change or delete parameters.
        Call attraktor before you approve. Their bot must show the same seven emoji:
        🐶 Dog · 🐱 Cat · 👍 Thumbs up · 💡 Light Bulb · 🎧 Headphones · 📌 Pin · 🔑 Key
        Their key: k3f9-2mxa-7rtw-h4cd-p9qe · our key: w5nh-8d2c-xq4m-t7ra-6kzj
        ✅ yes, friends · ❌ no, or if any of them differs · Nothing has been made yet. · c9x4
        """,  # noqa: E501 -- a line of the card
    ),
    "being set up": (
        card(connection(ConnectionState.MAKING, decided=BY_BEA)),
        """
        attraktor and betaspace are becoming friends.
        Asked by Anna, accepted by Bea, Tue 24 Nov, 20:31

        Both said yes. Each side now makes the other's access and tries it. Nothing to do.
        c9x4
        """,
    ),
    "being set up, waits for an admin": (
        card(replace(connection(ConnectionState.MAKING, decided=BY_BEA), needs="no-admin-token")),
        """
        attraktor and betaspace are becoming friends.
        Asked by Anna, accepted by Bea, Tue 24 Nov, 20:31

        Done: both said yes. Not done: betaspace's side waits for its admin; I try again every minute.
        c9x4
        """,
    ),
    "our side is ready": (
        card(replace(connection(ConnectionState.READY, decided=BY_BEA), own_ready=True)),
        """
        attraktor and betaspace are becoming friends.
        Asked by Anna, accepted by Bea, Tue 24 Nov, 20:31

        Done: betaspace's side is ready. Not done: attraktor's side isn't yet.
        c9x4
        """,
    ),
    "declined": (
        card(connection(ConnectionState.DECLINED, decided=BY_BEA)),
        """
        ❌ No friendship with attraktor.
        Declined by Bea, Tue 24 Nov, 20:31
        Nothing was made. It can be asked for again at any time.
        c9x4
        """,
    ),
    "cancelled after something was made": (
        card(connection(ConnectionState.CANCELLED, problem="Anna", company=5)),
        """
        Cancelled: no friendship with attraktor.
        By Anna
        What was made for it is taken back. It can be asked for again at any time.
        c9x4
        """,
    ),
    "expired": (
        card(connection(ConnectionState.EXPIRED)),
        """
        Expired: no friendship with attraktor.
        It was open until Tue 1 Dec, 20:14.
        Nothing was made. It can be asked for again at any time.
        c9x4
        """,
    ),
    "ended": (
        card(connection(ConnectionState.ENDED, company=5)),
        """
        The friendship with attraktor is over.
        What was made for it is taken back. It can be asked for again at any time.
        c9x4
        """,
    ),
    "friends": (
        say(
            messages.connection.connected,
            connection=connection(ConnectionState.ACTIVE, ours=True, decided=BY_BEA),
            us=ALPHA,
        ),
        """
        ✅ attraktor and betaspace are friends: each can offer the other things.
        Asked by Anna, accepted by Bea, Tue 24 Nov, 20:31

        Neither bot gets into the other's InvenTree; each answers for the other, about shared items only.
        Try it: !fed push 10 M3-BOLT to beta
        c9x4
        """,
    ),
    "friends, direct": (
        say(
            messages.connection.connected,
            connection=replace(
                connection(ConnectionState.ACTIVE, access="direct", decided=BY_BEA), sees_items=4120, peer_sees_items=1
            ),
            us=BETA,
        ),
        """
        ✅ betaspace and attraktor are friends: each can offer the other things.
        Asked by Anna, accepted by Bea, Tue 24 Nov, 20:31

        betaspace's bot can read all 4,120 stock items of attraktor.
        attraktor's bot can read 1 stock item of betaspace.
        Try it: !fed push 10 M3-BOLT to attraktor
        c9x4
        """,
    ),
    "asked": (
        say(
            messages.connection.connect_asked,
            connection=connection(ConnectionState.ASKED, ours=True),
            fingerprint=KEY,
            emoji=SEVEN,
        ),
        """
        Asked betaspace to be friends. Nothing has been made yet. c9x4
        A superuser of betaspace decides until Tue 1 Dec, 20:14.
        Neither bot gets into the other's InvenTree; each answers for the other, about shared items only.

        Call betaspace. Their bot must show the same seven emoji:
        🐶 Dog · 🐱 Cat · 👍 Thumbs up · 💡 Light Bulb · 🎧 Headphones · 📌 Pin · 🔑 Key
        Their key: k3f9-2mxa-7rtw-h4cd-p9qe · If any of them differs, or to take it back, reply: !fed cancel
        """,
    ),
    "asked, direct": (
        say(
            messages.connection.connect_asked,
            connection=connection(ConnectionState.ASKED, ours=True, access="direct"),
            fingerprint=KEY,
            emoji=(),
        ),
        """
        Asked betaspace to be friends. Nothing has been made yet. c9x4
        A superuser of betaspace decides until Tue 1 Dec, 20:14.
        The tokens are exchanged, sealed: each bot can read all stock items of the other, and change none.

        The seven emoji to compare will appear here once betaspace's bot has answered.
        Their key: k3f9-2mxa-7rtw-h4cd-p9qe · If any of them differs, or to take it back, reply: !fed cancel
        """,
    ),
    "both asked at once": (
        say(messages.connection.connect_crossed, connection=connection(ConnectionState.ASKED, ours=True), emoji=SEVEN),
        """
        betaspace asked us at the same moment: so both have said yes.
        Each side now makes the other's access and tries it.
        Call betaspace. Their bot must show the same seven emoji:
        🐶 Dog · 🐱 Cat · 👍 Thumbs up · 💡 Light Bulb · 🎧 Headphones · 📌 Pin · 🔑 Key
        If any of them differs: !fed disconnect beta --now
        c9x4
        """,
    ),
    "keys to compare": (
        say(
            messages.keys.keys_to_compare,
            connection=replace(connection(ConnectionState.SUSPENDED), changed_bot="@new:attraktor.example"),
            us=BETA,
            emoji=SEVEN,
        ),
        """
        Compare the keys of betaspace and attraktor: call attraktor.
        Their bot must show the same seven emoji:
        🐶 Dog · 🐱 Cat · 👍 Thumbs up · 💡 Light Bulb · 🎧 Headphones · 📌 Pin · 🔑 Key
        If all are the same, a superuser of betaspace types them: !fed review attraktor accept EMOJI
        If any differs, leave the friendship paused: somebody else may speak for attraktor.
        c9x4
        """,
    ),
    "our own key is looked at": (
        say(messages.keys.keys_to_compare, connection=connection(ConnectionState.ACTIVE), us=BETA, emoji=SEVEN),
        """
        Compare the keys of betaspace and attraktor: call attraktor.
        Their bot must show the same seven emoji:
        🐶 Dog · 🐱 Cat · 👍 Thumbs up · 💡 Light Bulb · 🎧 Headphones · 📌 Pin · 🔑 Key
        attraktor's bot checks who speaks for betaspace. There is nothing to type here.
        c9x4
        """,
    ),
    "no emoji yet": (
        say(messages.keys.keys_not_compared_yet, connection=connection()),
        """
        Not counted: attraktor's bot hasn't answered, so nobody can compare the keys yet.
        The card will show seven emoji. Then decide.
        """,
    ),
    "the check failed": (
        say(messages.keys.key_check_failed, connection=connection()),
        """
        ⚠ The key check with attraktor's bot failed. Nobody should approve.
        It told another secret than the one it had promised. Somebody may be between the two bots.
        Nothing was accepted, and nothing moves.
        c9x4
        """,
    ),
    "another past": (
        say(messages.keys.past_differs, code="k7m2", peer_name="betaspace", number=3),
        """
        ⚠ k7m2: betaspace's bot tells another past than ours.
        Up to number 3 it has read other messages than we have sent.
        One of the two journals was changed, or that bot doesn't tell the truth.
        Call betaspace. Where the two differ: !fed reconcile
        """,
    ),
    "the other bot is silent": (
        say(messages.connection.peer_bot_silent, connection=connection(ConnectionState.ASKED, ours=True), us=ALPHA),
        """
        ⏸ c9x4 waits: betaspace's bot has not answered for ten minutes.
        Nothing is lost: it goes on as soon as that bot is awake again.
        Next: I send it again by myself. Nothing to do now.
        """,
    ),
    "the other InvenTree lets us not in": (
        say(
            messages.provision.peers_access_waits,
            connection=connection(ConnectionState.MAKING, ours=True, access="direct"),
            us=ALPHA,
            problem=SILENT,
        ),
        """
        ⏸ c9x4 waits: attraktor's bot gets no look into betaspace's InvenTree.
        Why: InvenTree at inventree.example can't be reached: no connection.
        Done: both said yes. Not done: attraktor's side is not ready. Nothing has moved.
        Its address must be reachable from attraktor's bot, and its token may look, and no more.
        The admins of both can mend that.
        Next: I try again by myself, until Tue 1 Dec, 20:14. To stop it, reply: !fed cancel
        """,
    ),
    "the other InvenTree lets us not in, where the other space reads along": (
        say(
            messages.provision.peers_access_waits_in_room,
            connection=connection(ConnectionState.MAKING, ours=True, access="direct"),
            us=ALPHA,
            code="unreachable",
        ),
        """
        ⏸ c9x4 waits: attraktor's bot gets no look into betaspace's InvenTree.
        The problem: its address can't be reached from here, or no InvenTree answers there.
        Nothing has moved. The admins of both spaces can fix it.
        Next: I try again by myself, until Tue 1 Dec, 20:14. To stop it, reply: !fed cancel
        """,
    ),
    "the other space said no": (
        say(messages.connection.connect_declined, connection=connection(ConnectionState.DECLINED, ours=True), by="Bea"),
        """
        ❌ betaspace did not agree to be friends.
        Bea said no.
        Nothing was made.
        c9x4
        """,
    ),
    "our asking expired": (
        say(messages.connection.connect_over, connection=connection(ConnectionState.EXPIRED, ours=True), by=""),
        """
        Expired: no friendship with betaspace.
        It was open until Tue 1 Dec, 20:14.
        Nothing was made. It can be asked for again at any time.
        c9x4
        """,
    ),
    "our asking was taken back": (
        say(messages.connection.connect_over, connection=connection(ConnectionState.CANCELLED, ours=True), by="Anna"),
        """
        Cancelled: no friendship with betaspace.
        By Anna
        Nothing was made. It can be asked for again at any time.
        c9x4
        """,
    ),
    "paused": (
        say(
            messages.connection.connection_suspended,
            connection=connection(ConnectionState.SUSPENDED, ours=True),
            us=ALPHA,
        ),
        """
        ⚠ betaspace's bot has another key or account than attraktor agreed to. The friendship is paused.
        It may be a new installation, or somebody else in its name.
        What has left a space already still arrives. Nothing new is offered or decided.
        A superuser of attraktor calls betaspace, then: !fed review beta
        c9x4
        """,
    ),
    "paused after a rebuild": (
        say(
            messages.connection.connection_suspended,
            connection=to_be_compared(connection(ConnectionState.SUSPENDED, ours=True)),
            us=ALPHA,
        ),
        """
        ⏸ attraktor's bot lost its journal and made it anew. The friendship with betaspace is paused.
        betaspace's key was found again, but nobody has compared it since.
        What has left a space already still arrives. Nothing new is offered or decided.
        A superuser of attraktor calls betaspace, then: !fed review beta
        c9x4
        """,
    ),
    "setting up waits, told in the room": (
        say(
            messages.provision.making_waits_in_room,
            connection=connection(ConnectionState.MAKING, ours=True),
            us=ALPHA,
        ),
        """
        ⏸ c9x4 waits for an admin of attraktor.
        Done: both said yes. Not done: attraktor's side is not set up.
        What to do stands in the admin room of attraktor.
        Next: I look every minute, until Tue 1 Dec, 20:14. To stop it, reply: !fed cancel
        """,
    ),
    "setting up waits, without an admin room": (
        say(
            messages.provision.making_waits_in_room,
            connection=connection(ConnectionState.MAKING, ours=True),
            us=replace(ALPHA, admin_room=""),
        ),
        """
        ⏸ c9x4 waits for an admin of attraktor.
        Done: both said yes. Not done: attraktor's side is not set up.
        attraktor has configured no admin room; what to do stands in its bot's log.
        Next: I look every minute, until Tue 1 Dec, 20:14. To stop it, reply: !fed cancel
        """,
    ),
    "no admin token": (
        making_waits(Plain(Fault.NO_ADMIN_TOKEN)),
        """
        The friendship with betaspace waits for you.
        Why: This takes a superuser's token: inventree.admin_token is not set.
        In our InvenTree, as a superuser (Admin Center; before 1.0 the page /admin/):
        • Groups, new: fed-beta-1
        rights: view for stock, part, part category, stock location; nothing else
        • Users, new: fed-beta-1, last name c9x4bcdefghjkmnpqrst
        active, neither staff nor superuser, a long random password, only in that group
        • Its token, good for one year: curl -u fed-beta-1 'https://inventree.betaspace.example/api/user/token/?name=fed-beta-1-1'
        • Paste the token (never into a chat) where this command asks for it, on the bot's machine: \
fedbot credentials add beta-1
        Or write a superuser's token into inventree.admin_token_file: then I do all of it.
        I look again every minute, until Tue 1 Dec, 20:14. To stop it, in the shared room: !fed cancel c9x4
        c9x4
        """,
    ),
    "an InvenTree that can't do it over REST": (
        making_waits(Plain(Fault.USERS_UNSUPPORTED)),
        """
        The friendship with betaspace waits for you.
        Why: This InvenTree can't make users with rights over REST.
        In our InvenTree, as a superuser (Admin Center; before 1.0 the page /admin/):
        • Groups, new: fed-beta-1
        rights: view for stock, part, part category, stock location; nothing else
        • Users, new: fed-beta-1, last name c9x4bcdefghjkmnpqrst
        active, neither staff nor superuser, a long random password, only in that group
        • Its token, good for one year: curl -u fed-beta-1 'https://inventree.betaspace.example/api/user/token/?name=fed-beta-1-1'
        • Paste the token (never into a chat) where this command asks for it, on the bot's machine: \
fedbot credentials add beta-1
        I look again every minute, until Tue 1 Dec, 20:14. To stop it, in the shared room: !fed cancel c9x4
        c9x4
        """,
    ),
    "an InvenTree in which any account can make itself admin": (
        making_waits(BadVersion(VersionFault.UNSAFE, 391)),
        """
        The friendship with betaspace waits for you.
        Why: In this InvenTree (API 391) any account can make itself admin or lock others out, so no peer gets one.
        Upgrade InvenTree to API 472 or newer, or cancel with !fed cancel c9x4, write peer_access: relayed into my \
configuration, restart me and connect anew.
        I look again every minute, until Tue 1 Dec, 20:14. To stop it, in the shared room: !fed cancel c9x4
        c9x4
        """,
    ),
    "a user of that name": (
        making_waits(Named(NameFault.FOREIGN_USER, "fed-beta-1")),
        """
        The friendship with betaspace waits for you.
        Why: The user "fed-beta-1" exists in InvenTree and isn't ours.
        In InvenTree, rename or remove the user fed-beta-1: I have not made it.
        I look again every minute, until Tue 1 Dec, 20:14. To stop it, in the shared room: !fed cancel c9x4
        c9x4
        """,
    ),
    "a company of that name": (
        making_waits(Named(NameFault.FOREIGN_COMPANY, "betaspace")),
        """
        The friendship with betaspace waits for you.
        Why: A company "betaspace" exists and isn't ours, by its link: rename it, or clear its link.
        In InvenTree, rename the company betaspace, or clear its link if it may be used.
        I look again every minute, until Tue 1 Dec, 20:14. To stop it, in the shared room: !fed cancel c9x4
        c9x4
        """,
    ),
    "a role is missing": (
        making_waits(Forbidden(Lacks.ROLE, "", "return_order", "add")),
        """
        The friendship with betaspace waits for you.
        Why: Our InvenTree user needs the role return_order: add.
        Give my InvenTree user the role that is named above; fedbot check lists all of them.
        I look again every minute, until Tue 1 Dec, 20:14. To stop it, in the shared room: !fed cancel c9x4
        c9x4
        """,
    ),
    "a token with too much right": (
        making_waits(Plain(Fault.TOO_MUCH_RIGHT)),
        """
        The friendship with betaspace waits for you.
        Why: The token could do more than look at the inventory.
        In InvenTree, leave the group fed-beta-1 only 'view', and make its user neither staff nor superuser.
        I look again every minute, until Tue 1 Dec, 20:14. To stop it, in the shared room: !fed cancel c9x4
        c9x4
        """,
    ),
    "a token with too little right": (
        making_waits(Plain(Fault.TOO_LITTLE_RIGHT)),
        """
        The friendship with betaspace waits for you.
        Why: The token can't look at stock, parts, categories and locations.
        Give the group fed-beta-1 'view' on stock, part, part category and stock location; nothing else.
        I look again every minute, until Tue 1 Dec, 20:14. To stop it, in the shared room: !fed cancel c9x4
        c9x4
        """,
    ),
    "no token": (
        making_waits(Plain(Fault.NO_TOKEN)),
        """
        The friendship with betaspace waits for you.
        Why: There is no token to try.
        Make a token for the user fed-beta-1, then on the bot's machine: fedbot credentials add beta-1
        I look again every minute, until Tue 1 Dec, 20:14. To stop it, in the shared room: !fed cancel c9x4
        c9x4
        """,
    ),
    "an unknown outcome": (
        making_waits(SAYS_NO, "unknown"),
        """
        The friendship with betaspace waits for you.
        Why: InvenTree said: You do not have permission.
        I can't tell whether it was done. Look in InvenTree for the user and group fed-beta-1; I go on when I can.
        I look again every minute, until Tue 1 Dec, 20:14. To stop it, in the shared room: !fed cancel c9x4
        c9x4
        """,
    ),
    "an unforeseen reason": (
        making_waits(Plain(Fault.BAD_PATH)),
        """
        The friendship with betaspace waits for you.
        Why: That is not an address in our InvenTree.
        Look with fedbot check; the reason is above.
        I look again every minute, until Tue 1 Dec, 20:14. To stop it, in the shared room: !fed cancel c9x4
        c9x4
        """,
    ),
    "asked too often": (
        say(messages.connection.connect_throttled, connection=connection(ConnectionState.OFFERED)),
        """
        attraktor asked to be friends, but I have taken all requests of today.
        Its bot asks again by itself. To go first, a superuser of this space types: !fed connect attraktor
        """,
    ),
    "more at once than gets cards": (
        say(messages.connection.peer_opens_too_much, connection=connection(ConnectionState.ACTIVE), again=NOW, most=3),
        """
        attraktor sends more at once than I put up cards for.
        The rest gets its cards little by little, the next after 20:31.
        """,
    ),
    "more open than gets cards": (
        say(
            messages.connection.peer_opens_too_much, connection=connection(ConnectionState.ACTIVE), again=None, most=100
        ),
        """
        attraktor sends more at once than I put up cards for.
        100 of its requests are open here. The rest gets its cards once those are decided.
        """,
    ),
    "access that could not be ended": (
        say(
            messages.provision.access_not_ended,
            connection=connection(ConnectionState.CANCELLED),
            name="fed-attraktor-1",
            problem=SAYS_NO,
        ),
        """
        ⚠ attraktor still has access to our InvenTree: I could not end it.
        Why: InvenTree said: You do not have permission.
        Please, in InvenTree and in this order:
        • set the user fed-attraktor-1 inactive
        • revoke its tokens
        • set the company attraktor inactive (never delete it: that puts its items back into our stock)
        I don't try again by myself.
        c9x4
        """,
    ),
    "ending": (
        card(replace(connection(ConnectionState.ENDING), ended_by=BY_BEA)),
        """
        The friendship of betaspace and attraktor ends.
        By Bea (betaspace), Tue 24 Nov, 20:31
        Nothing new starts. What moves is finished first, then the access ends.
        c9x4
        """,
    ),
    "we end it": (
        disconnecting(at_once=False),
        """
        betaspace ends the friendship with attraktor.
        By Bea (betaspace), Tue 24 Nov, 20:31
        Nothing new starts.
        Cancelled, nothing of it had moved:
        • k7m2 – 10 × M3 bolt, asked by Anna
        Is moving, and is finished first:
        • k7m2 – 1 × Laser lens 2.0″, asked by Anna
        Then attraktor's access to our InvenTree ends. Nothing to do.
        c9x4
        """,
    ),
    "we end it at once": (
        disconnecting(at_once=True),
        """
        betaspace ends the friendship with attraktor.
        By Bea (betaspace), Tue 24 Nov, 20:31
        Nothing new starts.
        Cancelled, nothing of it had moved:
        • k7m2 – 10 × M3 bolt, asked by Anna
        ⚠ Was moving; people have to look what became of it:
        • k7m2 – 1 × Laser lens 2.0″, asked by Anna
        attraktor's access to our InvenTree ends now.
        c9x4
        """,
    ),
    "the other space ends it": (
        say(
            messages.disconnect.peer_disconnects,
            connection=replace(connection(ConnectionState.ENDING), ended_by=BY_ANNA),
            us=BETA,
            preview=Preview((), ()),
        ),
        """
        attraktor ends the friendship with betaspace.
        By Anna (attraktor), Tue 24 Nov, 20:14
        Nothing new starts.
        Then attraktor's access to our InvenTree ends too. Nothing to do.
        c9x4
        """,
    ),
    "it has ended, and something is on loan": (
        say(
            messages.disconnect.disconnected,
            connection=replace(connection(ConnectionState.ENDED), ended_by=BY_ANNA),
            us=BETA,
            on_loan=(transfer(BOLTS),),
        ),
        """
        betaspace and attraktor are friends no more.
        By Anna (attraktor), Tue 24 Nov, 20:14
        What was given stays given, and the history stays.
        Still on loan; the owner's approver settles it by !fed return, !fed gift or !fed lost:
        • k7m2 – 10 × M3 bolt, asked by Anna
        Is attraktor gone for ever? What we have borrowed a superuser settles: !fed resolve k7m2
        attraktor's access to our InvenTree is shut.
        A superuser can ask again at any time: !fed connect attraktor
        c9x4
        """,
    ),
    "it has ended": (
        say(
            messages.disconnect.disconnected,
            connection=replace(connection(ConnectionState.ENDED), ended_by=BY_ANNA),
            us=BETA,
        ),
        """
        betaspace and attraktor are friends no more.
        By Anna (attraktor), Tue 24 Nov, 20:14
        What was given stays given, and the history stays.
        attraktor's access to our InvenTree is shut.
        A superuser can ask again at any time: !fed connect attraktor
        c9x4
        """,
    ),
    "somebody speaks in a friend's name": (
        say(messages.connection.party_claimed, connection=connection(ConnectionState.ACTIVE), bot="@evil:example.org"),
        """
        ⚠ @evil:example.org speaks in the name of attraktor, but isn't the bot that we are friends with.
        I do nothing that it says. The real one is @fedbot:attraktor.example; the friendship goes on with it.
        Please call attraktor: is that theirs?
        c9x4
        """,
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_written_here(case: str) -> None:
    phrase, expected = SAID[case]
    assert plain(phrase) == dedent(expected).strip("\n")
