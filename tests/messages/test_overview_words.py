"""Help, who is who, the spaces, todo and status, as people read it."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.connection_lifecycle import ConnectionState
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.health import BotStatus
from fedbot.rules.model.ledger import Due, DueKind, PersonSeen, Quarantined, SpaceSeen, StatusSeen, Todo, VerbLine
from fedbot.rules.model.queries import IndexStanding, InventoryStanding
from fedbot.rules.model.stock import Right, Rights
from fedbot.rules.model.transfer_lifecycle import TransferState
from tests.scenarios.scenes import (
    ALPHA,
    ANNA,
    ASKED_AT,
    BOLTS,
    DUE,
    KIM,
    NOW,
    PIET,
    SILENT,
    connection,
    plain,
    transfer,
)

OWN_KEY = "w5nh-8d2c-xq4m-t7ra-6kzj"
KEY = "k3f9-2mxa-7rtw-h4cd-p9qe"
STANDING = BotStatus(caught_up=NOW, started=ASKED_AT, version="0.1.0")
INVENTORY = InventoryStanding(
    name="attraktor",
    version="1.4.0",
    api=530,
    username="fedbot",
    can_move_stock=True,
    has_admin_token=True,
    admin_is_superuser=True,
    stock_items=4120,
)
SPACES = (
    SpaceSeen("beta", "betaspace", KEY, "direct", 1, connection(ConnectionState.ACTIVE, ours=True), unanswered=3),
    SpaceSeen("gamma", "gamma", KEY, "relayed", 1),
    SpaceSeen("delta", "Delta", KEY, "relayed", 2, connection(ConnectionState.OFFERED)),
    SpaceSeen("eps", "Epsilon", KEY, "relayed", 0, connection(ConnectionState.SUSPENDED)),
    SpaceSeen("zeta", "zeta", KEY, "relayed", 1, connection(ConnectionState.ASKED, ours=True)),
    SpaceSeen("eta", "eta", KEY, "relayed", 1, replace(connection(ConnectionState.MAKING), needs="no-admin-token")),
    SpaceSeen("theta", "theta", KEY, "relayed", 1, connection(ConnectionState.READY)),
)


def who(rights: Rights) -> Phrase:
    return say(
        messages.help_pages.whoami,
        us=ALPHA,
        person=KIM,
        name="Kim",
        username=rights.username,
        rights=rights,
        verbs=("help", "spaces"),
        not_yours=() if rights.superuser else ("connect",),
    )


def todo(todo: Todo) -> Phrase:
    rights = Rights("anna", known=True, active=True, superuser=True)
    return say(messages.overview.todo, us=ALPHA, name="Anna", rights=rights, todo=todo)


def status(seen: StatusSeen, *, private: bool = False) -> Phrase:
    return say(messages.overview.status, us=ALPHA, status=seen, private=private)


SAID: dict[str, tuple[Phrase, str]] = {
    "status with something set aside, for admins": (
        status(
            StatusSeen(
                STANDING, INVENTORY, quarantined=(Quarantined("StepDone", "k7m2", "KeyError: 'x'", NOW, number=3),)
            ),
            private=True,
        ),
        """
        ✅ attraktor's bot is well.
        InvenTree: 1.4.0, 4,120 stock items.
        Chat: read up to 20:31.
        Friends: 0 spaces
        Open: nothing
        My InvenTree user: fedbot
        ⚠ 1 thing failed and is set aside. An admin can have it tried again.
        • StepDone: KeyError: 'x'. Run on my machine: fedbot retry 3, or to give it up: fedbot drop 3
        fedbot 0.1.0, running since Tue 24 Nov, 20:14
        """,
    ),
    "help": (
        say(
            messages.help_pages.help_overview,
            us=ALPHA,
            person="Anna",
            username="anna",
            lines=(
                VerbLine("push", "push 200 M3-BOLT to betaspace", "give an item away", Right.APPROVER),
                VerbLine("todo", "todo", "list what waits for you", Right.MAPPED),
            ),
        ),
        """
        I move things between our spaces' InvenTrees. You ask, someone over there agrees with one tap.
        • !fed push 200 M3-BOLT to betaspace – give an item away
        • !fed todo – list what waits for you
        You: Anna of attraktor, user anna in its InvenTree. What you may do: !fed whoami
        An item is #42, an IPN, a name or its pasted link.
        More: !fed help push · !fed help admin
        """,
    ),
    "help for admins": (
        say(
            messages.help_pages.help_admin,
            us=ALPHA,
            lines=(
                VerbLine("connect", "connect SPACE", "connect with another space", Right.SUPERUSER),
                VerbLine("whoami", "whoami", "show who you are to me, and what you may do", Right.MAPPED),
            ),
        ),
        """
        The other things that you can say to attraktor's bot:
        • !fed connect SPACE – connect with another space (superusers)
        • !fed whoami – show who you are to me, and what you may do
        The everyday ones: !fed help · one of them: !fed help connect
        """,
    ),
    "help on one verb": (
        say(
            messages.help_pages.help_verb,
            usage="push ITEM [QUANTITY] to SPACE [--note TEXT]",
            aliases=("give",),
            summary="give an item away",
            details=("Without a quantity the whole stock item goes.",),
            examples=("push 200 M3-BOLT to betaspace", "push #42 to betaspace"),
            options=(("--note TEXT", "a note for the other space"),),
            right=Right.APPROVER,
            us=ALPHA,
        ),
        """
        !fed push ITEM [QUANTITY] to SPACE [--note TEXT] – give an item away
        Without a quantity the whole stock item goes.
        • --note TEXT – a note for the other space
        For example: !fed push 200 M3-BOLT to betaspace · !fed push #42 to betaspace
        The same: give
        Who may: approvers of attraktor.
        """,
    ),
    "the help stands in a direct chat": (
        say(messages.help_pages.help_by_direct_chat),
        """
        The help is in our direct chat.
        """,
    ),
    "who am I, while InvenTree is silent": (
        say(
            messages.help_pages.whoami_without_rights,
            us=ALPHA,
            person="@kim:example.org",
            name="Kim",
            username="kim",
            problem=SILENT,
        ),
        """
        You are Kim of attraktor: user kim in its InvenTree.
        It does not answer now, so I can't read what you may do.
        Why: InvenTree at inventree.example can't be reached: no connection.
        These work without it: help, whoami, status, disconnect --now
        """,
    ),
    "who am I: an approver": (
        who(Rights("piet", known=True, active=True, approver=True)),
        """
        You are Kim of attraktor: user piet in its InvenTree.
        You are approver there: you may give things away and decide on offers.
        You may: help, spaces
        Not: connect
        I have read that in InvenTree just now.
        """,
    ),
    "who am I: a superuser": (
        who(Rights("anna", known=True, active=True, superuser=True)),
        """
        You are Kim of attraktor: user anna in its InvenTree.
        You are superuser there: you may approve, and make friends with spaces.
        You may: help, spaces
        I have read that in InvenTree just now.
        """,
    ),
    "who am I: neither": (
        who(Rights("kim", known=True, active=True)),
        """
        You are Kim of attraktor: user kim in its InvenTree.
        You are neither approver nor superuser there: others decide.
        You may: help, spaces
        Not: connect
        I have read that in InvenTree just now.
        """,
    ),
    "who am I: inactive": (
        who(Rights("kim", known=True)),
        """
        You are Kim of attraktor: user kim in its InvenTree.
        But this user is inactive; an admin of attraktor's InvenTree can switch it on.
        You may: help, spaces
        Not: connect
        I have read that in InvenTree just now.
        """,
    ),
    "who am I: unknown to InvenTree": (
        who(Rights("kim")),
        """
        You are Kim of attraktor: user kim in its InvenTree.
        But attraktor's InvenTree has no user kim; its admin has to make one, or correct my configuration.
        You may: help, spaces
        Not: connect
        I have read that in InvenTree just now.
        """,
    ),
    "our people": (
        say(
            messages.people.people,
            us=replace(ALPHA, admins=("@root:attraktor.example",)),
            people=(
                PersonSeen(ANNA, "Anna", "anna", approver=False, superuser=True),
                PersonSeen(PIET, "Piet", "piet", approver=True, superuser=False),
                PersonSeen(KIM, "Kim", "kim", approver=False, superuser=False, added=True),
            ),
            removed=("@tom:attraktor.example",),
            private=True,
        ),
        """
        I know 3 people of attraktor. Rights read in InvenTree just now:
        • Anna (anna): superuser
        • Piet (piet): approver
        • Kim (kim): may ask, added here
        Admins, who may invite me: @root:attraktor.example
        Removed here, though my settings name them: @tom:attraktor.example
        To add somebody, in the encrypted admin room: !fed people add @kim:example.org as kim
        """,
    ),
    "nobody is listed": (
        say(messages.people.people, us=ALPHA, people=(), removed=(), private=False),
        """
        I know nobody of attraktor.
        To add somebody, in the encrypted admin room: !fed people add @kim:example.org as kim
        """,
    ),
    "the spaces here": (
        say(messages.connection.spaces, us=ALPHA, fingerprint=OWN_KEY, spaces=SPACES, everywhere=False),
        """
        7 other spaces:
        • betaspace (beta): friends
        ⚠ its bot has not answered for a while
        the bots can read each other's stock
        key k3f9-2mxa-7rtw-h4cd-p9qe
        • gamma: no friends yet. A superuser can ask: !fed connect gamma
        key k3f9-2mxa-7rtw-h4cd-p9qe
        • Delta: asks us, waits for one of our superusers until Tue 1 Dec, 20:14 (c9x4)
        ⚠ 2 bots say that they are it; one of them isn't
        key k3f9-2mxa-7rtw-h4cd-p9qe
        • Epsilon (eps): ⚠ paused, as its key or account changed: !fed review eps
        ⚠ it does not announce itself at present
        key k3f9-2mxa-7rtw-h4cd-p9qe
        • zeta: asked by us, waits for them until Tue 1 Dec, 20:14 (c9x4)
        key k3f9-2mxa-7rtw-h4cd-p9qe
        • eta: agreed, waits for our admin (c9x4)
        key k3f9-2mxa-7rtw-h4cd-p9qe
        • theta: agreed, is being set up (c9x4)
        key k3f9-2mxa-7rtw-h4cd-p9qe
        Our key (attraktor): w5nh-8d2c-xq4m-t7ra-6kzj
        """,
    ),
    "no space here": (
        say(messages.connection.spaces, us=ALPHA, fingerprint=OWN_KEY, spaces=(), everywhere=False),
        """
        No other space announces itself in this room.
        It takes another space's bot here, with discoverable switched on.
        Our key (attraktor): w5nh-8d2c-xq4m-t7ra-6kzj
        """,
    ),
    "no space anywhere": (
        say(messages.connection.spaces, us=ALPHA, fingerprint=OWN_KEY, spaces=(), everywhere=True),
        """
        No other space announces itself in any of my rooms.
        It takes another space's bot here, with discoverable switched on.
        Our key (attraktor): w5nh-8d2c-xq4m-t7ra-6kzj
        """,
    ),
    "nothing to do": (
        todo(Todo()),
        """
        Nothing waits for you here, Anna.
        """,
    ),
    "nothing here, but elsewhere": (
        todo(Todo(elsewhere=2)),
        """
        Nothing waits for you here, Anna.
        2 more in other rooms; ask me there.
        """,
    ),
    "something to decide": (
        todo(Todo(to_decide=(replace(transfer(), room="!room:example.org", card_event="$card"),), elsewhere=1)),
        """
        1 thing waits for you.
        For you to decide (tap on the card, or reply to it):
        • k7m2 – 1 × Laser lens 2.0″, asked by Anna
        Waits for a yes or no, until Tue 1 Dec, 20:14. Its card (https://matrix.to/#/!room:example.org/$card)
        1 more in another room; ask me there.
        """,
    ),
    "everything at once": (
        todo(
            Todo(
                to_decide=(transfer(),),
                asked=(transfer(BOLTS, role="sender"),),
                suspended=(connection(ConnectionState.SUSPENDED),),
                to_make=(replace(connection(ConnectionState.MAKING), needs="no-admin-token"),),
                disputed=(transfer(BOLTS, state=TransferState.DISPUTED),),
                left_over=(replace(transfer(BOLTS, state=TransferState.DONE), ended=NOW, left_over=(1,)),),
            )
        ),
        """
        5 things wait for you.
        For you to decide (tap on the card, or reply to it):
        • k7m2 – 1 × Laser lens 2.0″, asked by Anna
        Waits for a yes or no, until Tue 1 Dec, 20:14.
        You asked, others decide or do it:
        • k7m2 – 10 × M3 bolt, asked by Anna
        Waits for a yes or no, until Tue 1 Dec, 20:14.
        To look at with !fed review:
        • c9x4 – friendship with attraktor, asked by Anna
        ⚠ Paused: the other bot's key or account changed.
        To set up by hand (see the admin room):
        • c9x4 – friendship with attraktor, asked by Anna
        Both have said yes; it waits for one of our admins.
        Unclear; a superuser settles it with !fed resolve:
        • k7m2 – 10 × M3 bolt, asked by Anna
        ⚠ Nobody can tell what became of it; people have to look.
        Over, but still in our stock; take it out with !fed resolve:
        • k7m2 – 10 × M3 bolt, asked by Anna
        Done, Tue 24 Nov, 20:31.
        """,
    ),
    "only what others decide": (
        todo(Todo(asked=(transfer(BOLTS, role="sender"),))),
        """
        Nothing waits for you; others are at it.
        You asked, others decide or do it:
        • k7m2 – 10 × M3 bolt, asked by Anna
        Waits for a yes or no, until Tue 1 Dec, 20:14.
        """,
    ),
    "nothing, for somebody who may not decide": (
        say(messages.overview.todo, us=ALPHA, name="Kim", rights=Rights("kim", known=True, active=True), todo=Todo()),
        """
        Nothing waits for you here, Kim.
        Offers to attraktor are decided by its approvers.
        """,
    ),
    "all is well": (
        status(
            StatusSeen(
                STANDING,
                INVENTORY,
                connections={ConnectionState.ACTIVE: 2, ConnectionState.ASKED: 1},
                transfers=3,
                unread=1,
            )
        ),
        """
        ✅ attraktor's bot is well.
        InvenTree: 1.4.0, 4,120 stock items.
        Chat: read up to 20:31.
        Friends: 2 spaces, 1 asked or being set up
        Open: 3 transfers
        1 message to another bot waits for its answer.
        fedbot 0.1.0, running since Tue 24 Nov, 20:14
        """,
    ),
    "all is well, told to admins": (
        status(StatusSeen(STANDING, INVENTORY, connections={ConnectionState.SUSPENDED: 1}), private=True),
        """
        ✅ attraktor's bot is well.
        InvenTree: 1.4.0, 4,120 stock items.
        Chat: read up to 20:31.
        Friends: 0 spaces, 1 paused (see !fed review)
        Open: nothing
        My InvenTree user: fedbot
        fedbot 0.1.0, running since Tue 24 Nov, 20:14
        """,
    ),
    "complaints, told to admins": (
        status(
            StatusSeen(
                STANDING,
                replace(
                    INVENTORY,
                    can_move_stock=False,
                    has_admin_token=False,
                    complaints=("The user fedbot needs the role stock: add.",),
                ),
            ),
            private=True,
        ),
        """
        ⚠ attraktor's bot is here, but can't move stock in its InvenTree.
        InvenTree: 1.4.0, 4,120 stock items.
        Chat: read up to 20:31.
        Friends: 0 spaces
        Open: nothing
        To fix:
        • The user fedbot needs the role stock: add.
        My InvenTree user: fedbot
        No inventree.admin_token: for each new friend I tell you what to click.
        fedbot 0.1.0, running since Tue 24 Nov, 20:14
        """,
    ),
    "InvenTree is silent": (
        status(
            StatusSeen(
                replace(
                    STANDING,
                    inventory_down_since=ASKED_AT,
                    inventory_next_try=NOW,
                    silent_from=ASKED_AT,
                    silent_until=NOW,
                ),
                None,
                problem=SILENT,
                waiting=("k7m2", "c9x4"),
                due=(Due(DueKind.REMINDER, DUE, "k7m2"), Due(DueKind.EXPIRY, DUE, "c9x4")),
            )
        ),
        """
        ⏸ attraktor's bot is here, but its InvenTree does not answer.
        InvenTree: silent since 20:14. InvenTree at inventree.example can't be reached: no connection. \
I try again by myself, next at 20:31.
        For it waits: k7m2, c9x4
        Chat: read up to 20:31.
        The homeserver was silent last from 20:14 to 20:31.
        Friends: 0 spaces
        Open: nothing
        Due next:
        • Tue 1 Dec, 20:14: reminder of k7m2
        • Tue 1 Dec, 20:14: c9x4 expires
        fedbot 0.1.0, running since Tue 24 Nov, 20:14
        """,
    ),
    "a large stock, indexed": (
        status(StatusSeen(STANDING, replace(INVENTORY, index=IndexStanding(812, 4120, 100, NOW, ASKED_AT)))),
        """
        ✅ attraktor's bot is well.
        InvenTree: 1.4.0, 4,120 stock items.
        Index of the stock: items read at Tue 24 Nov, 20:31, parts at Tue 24 Nov, 20:14.
        Chat: read up to 20:31.
        Friends: 0 spaces
        Open: nothing
        fedbot 0.1.0, running since Tue 24 Nov, 20:14
        """,
    ),
    "a large stock that is read for the first time": (
        status(StatusSeen(STANDING, replace(INVENTORY, index=IndexStanding(80, 410, 5)))),
        """
        ✅ attraktor's bot is well.
        InvenTree: 1.4.0, 4,120 stock items.
        Index of the stock: 5 % read for the first time. Until then I may not find everything.
        Chat: read up to 20:31.
        Friends: 0 spaces
        Open: nothing
        fedbot 0.1.0, running since Tue 24 Nov, 20:14
        """,
    ),
    "something is unclear": (
        status(StatusSeen(STANDING, INVENTORY, transfers=1, disputed=1)),
        """
        ⚠ attraktor's bot is well, but 1 transfer is unclear.
        InvenTree: 1.4.0, 4,120 stock items.
        Chat: read up to 20:31.
        Friends: 0 spaces
        Open: 1 transfer
        fedbot 0.1.0, running since Tue 24 Nov, 20:14
        """,
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_written_here(case: str) -> None:
    phrase, expected = SAID[case]
    assert plain(phrase) == dedent(expected).strip("\n")
