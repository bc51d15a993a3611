"""Sentences of help, whoami, people, spaces, todo and status."""

from __future__ import annotations

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.commands.spec import NOTE
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.health import BotStatus, Due, DueKind, Quarantined
from fedbot.rules.model.ledger import Cancellable, PersonSeen, SpaceSeen, StatusSeen, Todo, VerbLine
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.queries import IndexStanding, InventoryStanding
from fedbot.rules.model.stock import Permission, Permissions
from tests.messages.test_booking_words import booked
from tests.messages.test_queue_words import PLACE
from tests.messages.test_want_words import WANT
from tests.scenarios.scenes import (
    ALPHA,
    ANNA,
    ASKED_AT,
    BOLTS,
    DUE,
    KIM,
    LOCALES,
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


def who(permissions: Permissions) -> Phrase:
    return say(
        messages.people.whoami,
        us=ALPHA,
        person=KIM,
        name="Kim",
        username=permissions.username,
        permissions=permissions,
        verbs=("help", "spaces"),
        not_yours=() if permissions.superuser else ("connect",),
    )


def todo(todo: Todo) -> Phrase:
    permissions = Permissions("anna", known=True, active=True, superuser=True)
    return say(messages.overview.todo, us=ALPHA, name="Anna", permissions=permissions, todo=todo)


def status(seen: StatusSeen, *, private: bool = False) -> Phrase:
    return say(messages.overview.status, us=ALPHA, status=seen, private=private)


SAID: dict[str, Phrase] = {
    "status with something set aside, for admins": status(
        StatusSeen(STANDING, INVENTORY, quarantined=(Quarantined("StepDone", "k7m2", "KeyError: 'x'", NOW, number=3),)),
        private=True,
    ),
    "help": say(
        messages.people.help_overview,
        us=ALPHA,
        person="Anna",
        username="anna",
        lines=(
            VerbLine("push", "push 200 M3-BOLT to betaspace", "give an item away", Permission.APPROVER),
            VerbLine("todo", "todo", "list what waits for you", Permission.MAPPED),
        ),
        named=("calendar", "wait"),
    ),
    "help with words in another language": say(
        messages.people.help_overview,
        us=ALPHA,
        person="Anna",
        username="anna",
        lines=(VerbLine("todo", "offen", "list what waits for you", Permission.MAPPED, "todo"),),
        named=("kalender", "warte"),
        example="lend LENS-2 to betaspace for 3 weeks",
    ),
    "the second page of help": say(
        messages.people.help_more,
        us=ALPHA,
        lines=(
            VerbLine("gift", "gift [ID]", "turn a loan into a gift", Permission.APPROVER),
            VerbLine("whoami", "whoami", "show your InvenTree user, and your permissions", Permission.MAPPED),
        ),
    ),
    "help for superusers": say(
        messages.people.help_admin,
        us=ALPHA,
        lines=(VerbLine("connect", "connect SPACE", "connect with another space", Permission.SUPERUSER),),
    ),
    "help on one verb": say(
        messages.people.help_verb,
        usage="push ITEM [QUANTITY] to SPACE [--note TEXT]",
        aliases=("give",),
        summary="give an item away",
        details=("Without a quantity the whole stock item goes.",),
        examples=("push 200 M3-BOLT to betaspace", "push #42 to betaspace"),
        options=(("--note TEXT", NOTE.summary),),
        permission=Permission.APPROVER,
        us=ALPHA,
    ),
    "the help stands in a direct chat": say(messages.people.help_by_direct_chat),
    "who am I, while InvenTree is silent": say(
        messages.people.whoami_without_permissions,
        us=ALPHA,
        person="@kim:example.org",
        name="Kim",
        username="kim",
        problem=SILENT,
    ),
    "who am I: an approver": who(Permissions("piet", known=True, active=True, approver=True)),
    "who am I: a superuser": who(Permissions("anna", known=True, active=True, superuser=True)),
    "who am I: neither": who(Permissions("kim", known=True, active=True)),
    "who am I: inactive": who(Permissions("kim", known=True)),
    "who am I: unknown to InvenTree": who(Permissions("kim")),
    "our people": say(
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
    "nobody is listed": say(messages.people.people, us=ALPHA, people=(), removed=(), private=False),
    "the spaces here": say(messages.connect.spaces, us=ALPHA, fingerprint=OWN_KEY, spaces=SPACES, everywhere=False),
    "no space here": say(messages.connect.spaces, us=ALPHA, fingerprint=OWN_KEY, spaces=(), everywhere=False),
    "no space anywhere": say(messages.connect.spaces, us=ALPHA, fingerprint=OWN_KEY, spaces=(), everywhere=True),
    "which to cancel": say(
        messages.overview.which_to_cancel,
        own=Cancellable(
            subjects=(connection(ConnectionState.ASKED, ours=True), transfer(BOLTS), booked(BOLTS)),
            wants=(WANT,),
            places=(("Attraktor", PLACE),),
        ),
        most=4,
    ),
    "nothing to do": todo(Todo()),
    "nothing here, but elsewhere": todo(Todo(elsewhere=2)),
    "something to decide": todo(
        Todo(to_decide=(replace(transfer(), room="!room:example.org", card_event="$card"),), elsewhere=1)
    ),
    "everything at once": todo(
        Todo(
            to_decide=(transfer(),),
            asked=(transfer(BOLTS, role="sender"),),
            suspended=(connection(ConnectionState.SUSPENDED),),
            to_make=(replace(connection(ConnectionState.MAKING), needs="no-admin-token"),),
            disputed=(transfer(BOLTS, state=TransferState.DISPUTED),),
            left_over=(replace(transfer(BOLTS, state=TransferState.DONE), ended=NOW, left_over=(1,)),),
        )
    ),
    "only what others decide": todo(Todo(asked=(transfer(BOLTS, role="sender"),))),
    "nothing, for somebody who may not decide": say(
        messages.overview.todo,
        us=ALPHA,
        name="Kim",
        permissions=Permissions("kim", known=True, active=True),
        todo=Todo(),
    ),
    "all is well": status(
        StatusSeen(
            STANDING,
            INVENTORY,
            connections={ConnectionState.ACTIVE: 2, ConnectionState.ASKED: 1},
            transfers=3,
            unread=1,
        )
    ),
    "all is well, told to admins": status(
        StatusSeen(STANDING, INVENTORY, connections={ConnectionState.SUSPENDED: 1}), private=True
    ),
    "complaints, told to admins": status(
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
    "InvenTree is only slow": status(StatusSeen(replace(STANDING, inventory_down_since=None), None)),
    "InvenTree is silent": status(
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
    "a large stock, indexed": status(
        StatusSeen(STANDING, replace(INVENTORY, index=IndexStanding(812, 4120, 100, NOW, ASKED_AT)))
    ),
    "a large stock that is read for the first time": status(
        StatusSeen(STANDING, replace(INVENTORY, index=IndexStanding(80, 410, 5)))
    ),
    "something is unclear": status(StatusSeen(STANDING, INVENTORY, transfers=1, disputed=1)),
    "a room keeps us from writing": status(StatusSeen(STANDING, INVENTORY, mute=("Makerspaces",))),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
