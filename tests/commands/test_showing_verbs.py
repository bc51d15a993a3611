from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fedbot import messages
from fedbot.rules.model.audit import Asked, Asking, AuditEntry, Waits
from fedbot.rules.model.connection import Exchange
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.effects import Phrase, Post
from fedbot.rules.model.health import BotStatus
from fedbot.rules.model.ledger import Todo
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.queries import Able, AuditOf, AuditTrail, InventoryStanding, Overview, PersonPermissions, WhoMay
from fedbot.rules.model.room import Announcement
from fedbot.rules.model.stock import Permission, Permissions
from fedbot.rules.model.transfer import Progress
from fedbot.rules.wire import Draft, fingerprint
from tests.commands.worlds import (
    ADMIN_ROOM,
    ANNA,
    APPROVER,
    BEA,
    HOME,
    KEYS,
    KIM,
    NOW,
    OTHER_ROOM,
    PIET,
    PLAIN,
    SUPERUSER,
    World,
    connected,
    offered_to_us,
    pushed,
    pushed_to_us,
)

INVENTORY = InventoryStanding("Attraktor", "1.2.0", 530, "fedbot", True, True, True, 4120, complaints=("Do this.",))
CARD = pushed_to_us(progress=(Progress(1, part=3),), told=("card",))


# --- help and whoami ---


def test_the_first_page_of_help_needs_no_inventree_and_has_at_most_eight_verbs() -> None:
    world = World()
    assert world.asks("help") == ()
    phrase = world.says("help")
    assert (phrase.name, phrase.about["person"], phrase.about["username"]) == ("help_overview", "Anna", "anna")
    assert 1 < len(phrase.about["lines"]) <= 8
    assert "push" in [line.name for line in phrase.about["lines"]]


def test_the_pages_of_help_together_list_every_verb_once() -> None:
    world = World()
    told = [line for page in ("", " more", " admin") for line in world.says(f"help{page}").about["lines"]]
    assert sorted(line.name for line in told) == sorted({h.spec.name for h in world.verbs._by_name.values()})
    of_superusers = [line.permission for line in world.says("help admin").about["lines"]]
    assert set(of_superusers) == {Permission.SUPERUSER}


def test_the_first_page_of_help_leads_to_what_a_newcomer_would_not_guess() -> None:
    phrase = World().says("help")
    assert {"borrow", "request", "spaces"} <= {line.name for line in phrase.about["lines"]}
    assert "from anyone" in next(line.summary for line in phrase.about["lines"] if line.name == "request")
    assert phrase.about["named"] == ("calendar", "history", "show", "stats", "wait", "want", "web")


@pytest.mark.parametrize("topic", ["push", "GIVE", "Push"])
def test_help_shows_one_verb_by_its_name_or_alias(topic: str) -> None:
    phrase = World().says(f"help {topic}")
    assert phrase.name == "help_verb"
    assert phrase.about["usage"].startswith("push ITEM [QUANTITY] to SPACE [--note TEXT]")


def test_help_on_an_unknown_verb_suggests_one() -> None:
    assert World().says("help pusch") == Phrase(messages.line_errors.no_such_verb, {"word": "pusch", "near": ("push",)})


def test_whoami_shows_the_current_permissions_and_what_they_allow() -> None:
    world = World()
    assert world.asks("whoami", PIET) == (PersonPermissions("piet"),)
    phrase = world.says("whoami", APPROVER, sender=PIET)
    assert (phrase.about["name"], phrase.about["username"], phrase.about["permissions"]) == ("Piet", "piet", APPROVER)
    assert "push" in phrase.about["verbs"]
    others = ("connect", "disconnect", "review", "resolve", "resume", "clear", "reconcile", "rotate", "people")
    assert phrase.about["not_yours"] == others
    assert "push" in world.says("whoami", Permissions("piet"), sender=PIET).about["not_yours"]


# --- people and spaces ---


def test_people_lists_each_persons_permissions() -> None:
    world = World()
    usernames = ("anna", "piet", "kim")
    assert world.asks("people") == (WhoMay(Permission.APPROVER, usernames), WhoMay(Permission.SUPERUSER, usernames))
    phrase = world.says("people", Able(("anna", "piet")), Able(("anna",)))
    assert [(p.name, p.username, p.approver, p.superuser) for p in phrase.about["people"]] == [
        ("Anna", "anna", True, True),
        ("Piet", "piet", True, False),
        ("Kim", "kim", False, False),
    ]


@pytest.mark.parametrize("verb", ["spaces", "parties"])
def test_spaces_lists_each_other_space_with_its_connection(verb: str) -> None:
    phrase = World(connected()).says(verb)
    assert phrase.about["fingerprint"] == fingerprint(HOME.key)
    beta, gamma = phrase.about["spaces"]
    assert (beta.party, beta.name, beta.claims, beta.connection) == ("betaspace", "Beta Space", 1, connected())
    assert beta.fingerprint == fingerprint(KEYS["betaspace"])
    assert (gamma.party, gamma.connection, gamma.unanswered) == ("gammaspace", None, 0)


def test_spaces_says_that_a_bot_does_not_answer() -> None:
    silent = replace(pushed(), exchange=Exchange(sent=1, awaiting=True, resends=3))
    beta = World(connected(), silent).says("spaces").about["spaces"][0]
    assert beta.unanswered == 3


def test_spaces_lists_a_friend_that_is_no_longer_announced() -> None:
    world = World(connected(), Announcement(connected().room, connected().peer_bot))
    beta = world.says("spaces").about["spaces"][0]
    assert (beta.name, beta.claims, beta.connection) == ("Beta Space", 0, connected())


def test_spaces_of_one_room_are_shown_in_the_admin_room_but_in_no_other() -> None:
    world = World(connected())
    assert world.says("spaces", room=OTHER_ROOM).about["spaces"] == ()
    phrase = world.says("spaces", room=ADMIN_ROOM)
    assert phrase.about["everywhere"]
    assert len(phrase.about["spaces"]) == 2


# --- todo ---


def todo(world: World, permissions: Permissions, sender: str, room: str = connected().room) -> Todo:
    told = world.says("todo", permissions, sender=sender, room=room).about["todo"]
    assert isinstance(told, Todo)
    return told


def test_a_card_waits_for_people_who_may_decide_it() -> None:
    world = World(connected(), CARD)
    assert todo(world, APPROVER, PIET) == Todo(to_decide=(CARD,))
    assert todo(world, PLAIN, KIM).is_empty


def test_a_decided_or_late_transfer_waits_for_nobody() -> None:
    for over in (replace(CARD, wanted="approve"), replace(CARD, due=NOW - timedelta(1))):
        assert todo(World(connected(), over), APPROVER, PIET).is_empty


def test_a_request_to_connect_waits_for_superusers_only() -> None:
    world = World(offered_to_us())
    assert todo(world, APPROVER, PIET).is_empty
    assert todo(world, SUPERUSER, ANNA).to_decide == (offered_to_us(),)


def test_a_persons_own_request_is_listed_until_it_is_over() -> None:
    asked = connected(ConnectionState.ASKED)
    assert todo(World(asked), PLAIN, ANNA).asked == (asked,)
    assert todo(World(connected(), pushed()), PLAIN, ANNA).asked == (pushed(),)
    assert todo(World(connected(), pushed(state=TransferState.DONE)), PLAIN, ANNA).is_empty
    assert todo(World(connected(), pushed()), PLAIN, KIM).is_empty


def test_a_transfer_that_an_admin_has_to_check_is_listed_for_superusers() -> None:
    suspended = connected(ConnectionState.SUSPENDED)
    assert todo(World(suspended), SUPERUSER, ANNA) == Todo(suspended=(suspended,))
    making = connected(ConnectionState.MAKING, needs="no-admin-token", ours=False)
    assert todo(World(making), SUPERUSER, ANNA) == Todo(to_make=(making,))
    assert todo(World(making), APPROVER, PIET).is_empty
    disputed = pushed(state=TransferState.DISPUTED)
    assert todo(World(connected(), disputed), APPROVER, PIET) == Todo(disputed=(disputed,))
    assert todo(World(connected(), disputed), SUPERUSER, ANNA) == Todo(disputed=(disputed,)), "not as asked for too"


def test_transfers_that_wait_in_another_room_are_only_counted() -> None:
    world = World(connected(), replace(CARD, room=OTHER_ROOM))
    assert todo(world, APPROVER, PIET) == Todo(elsewhere=1)
    assert len(todo(world, APPROVER, PIET, ADMIN_ROOM).to_decide) == 1


# --- show ---


def test_show_queries_the_journal_and_lists_who_did_what() -> None:
    world = World(connected(), CARD)
    assert world.asks(f"show {CARD.code}") == (AuditOf(CARD.id),)
    entries = (
        (NOW, AuditEntry(CARD.id, Asked(Asking.OFFER, "betaspace", by_peer=True), BEA)),
        (NOW, AuditEntry(CARD.id, Waits(Plain(Fault.SILENT)))),
    )
    phrase = world.says("show", AuditTrail(entries), subject=CARD.id)
    assert (phrase.name, phrase.about["subject"], phrase.about["entries"]) == ("shown", CARD, entries)
    assert phrase.about["names"] == {BEA: "Bea"}
    assert phrase.about["peer_name"] == "Beta Space"


def test_past_transfers_and_connections_can_be_shown_also_in_the_admin_room() -> None:
    past = pushed(state=TransferState.DONE)
    world = World(connected(), past)
    assert world.asks(f"show {past.code}", room=ADMIN_ROOM) == (AuditOf(past.id),)
    assert world.asks(f"show {connected().code}") == (AuditOf(connected().id),)


def test_a_reply_to_a_message_without_a_transfer_supplies_no_id() -> None:
    phrase = World(connected()).asks("show", subject="suspended")
    assert isinstance(phrase, Phrase)
    assert phrase.name == "which_one"


# --- status ---


def test_status_counts_open_transfers() -> None:
    letter = Draft("offer", "betaspace", "x", "transfer", 1)
    waiting = replace(pushed(), exchange=Exchange(sent=1, unread=(letter,), awaiting=True))
    disputed = pushed("$other", state=TransferState.DISPUTED)
    world = World(connected(), waiting, disputed, pushed("$past", state=TransferState.DONE), BotStatus(version="1.0"))
    assert world.asks("status") == (Overview(),)
    status = world.says("status", INVENTORY).about["status"]
    assert status.connections == {ConnectionState.ACTIVE: 1}
    assert (status.transfers, status.disputed, status.unread, status.standing.version) == (2, 1, 1, "1.0")


def test_the_line_that_asks_for_the_status_counts_as_read() -> None:
    command = World().command("status")
    for known, told in ((None, 0), (-60, 0), (60, 60)):
        caught_up = None if known is None else command.at + timedelta(seconds=known)
        status = World(BotStatus(caught_up=caught_up)).says("status", INVENTORY).about["status"]
        assert status.standing.caught_up == command.at + timedelta(seconds=told)


def test_problems_for_an_admin_are_shown_in_the_admin_room_only() -> None:
    public = World().says("status", INVENTORY).about
    assert (public["private"], public["status"].inventory.complaints, public["status"].inventory.username) == (
        False,
        (),
        "",
    )
    private = World().says("status", INVENTORY, room=ADMIN_ROOM).about
    assert (private["private"], private["status"].inventory) == (True, INVENTORY)


def test_status_is_answered_although_inventree_is_silent() -> None:
    world = World(connected())
    turn = world.turn
    assert world.verbs.answer_without(turn, world.command("status"), Plain(Fault.SILENT))
    (post,) = [effect for effect in turn.effects if isinstance(effect, Post)]
    assert (post.phrase.about["status"].inventory, post.phrase.about["status"].problem) == (None, Plain(Fault.SILENT))
    assert not world.verbs.answer_without(turn, world.command("todo"), Plain(Fault.SILENT))
