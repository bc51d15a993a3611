"""The check's findings on Matrix, for every answer of a homeserver."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fedbot.check.findings import Finding, bad, good
from fedbot.check.matrix import SignedIn, matrix_findings
from fedbot.config.settings import Settings
from fedbot.ports.chat import ChatLimited, ChatProblem, ChatRefused, ChatSignedOut, ChatUnreachable
from fedbot.rules.model.events import RoomSeen
from tests.config.conftest import least

SEEN = RoomSeen(
    room="!room",
    event_id="",
    at=datetime(2026, 11, 24, tzinfo=UTC),
    name="Lending",
    members={"@anna:example.org": "Anna"},
)


@dataclass
class Account:
    """An account in the given rooms."""

    rooms: dict[str, RoomSeen] = field(default_factory=lambda: {"!room": SEEN})
    addresses: dict[str, str] = field(default_factory=dict)
    broken: ChatProblem | None = None
    anothers: bool = False
    closed: tuple[str, ...] = ()
    user_id: str = "@bot:example.org"

    async def room_id(self, address: str) -> str:
        if address not in self.addresses:
            raise ChatRefused(f"looking for {address}: M_NOT_FOUND no such room")
        return self.addresses[address]

    async def joined(self) -> frozenset[str]:
        if self.broken:
            raise self.broken
        return frozenset(self.rooms)

    async def is_anothers(self) -> bool:
        return self.anothers

    async def room(self, room: str) -> RoomSeen:
        return self.rooms[room]

    async def try_room(self, room: str) -> None:
        if room in self.closed:
            raise ChatRefused(f"reading {room}: M_FORBIDDEN")


def settings(**changes: Any) -> Settings:  # noqa: ANN401 -- raw YAML
    raw = least() | changes
    raw["matrix"]["password"] = "x"
    raw["inventree"]["token"] = "x"
    return Settings.model_validate(raw, context={"folder": Path("/nowhere")})


async def found(account: Account, approvers: tuple[str, ...] = (), **changes: Any) -> list[Finding]:  # noqa: ANN401
    async def sign_in() -> SignedIn:
        return account

    return await matrix_findings(settings(**changes), sign_in(), approvers)


async def test_a_room_with_all_that_the_bot_needs_is_good() -> None:
    assert await found(Account()) == [
        good("Matrix", "signed in at https://matrix.example.org as @bot:example.org"),
        good("Matrix encryption", "the bot works in encrypted rooms too, and signs its device for people's apps"),
        good("room Lending", "the bot may write, react and announce the space"),
    ]


async def test_a_room_without_any_of_our_people_is_reported_with_what_to_do() -> None:
    [*_, finding, _] = await found(Account({"!room": replace(SEEN, members={"@bea:beta.example": "Bea"})}))
    assert (finding.good, finding.what) == (True, "none of your people is in it yet")
    assert "invite them" in finding.todo


async def test_an_upgraded_room_is_reported_with_its_replacement() -> None:
    (_, _, finding) = await found(Account({"!room": replace(SEEN, replaced_by="!new", may_talk=False)}))
    assert finding == good(
        "room Lending",
        "it was upgraded: another room replaces it",
        "write !new under rooms instead; the bot joins it by itself if it is allowed to",
    )


@pytest.mark.parametrize(
    ("problem", "name", "todo"),
    [
        (ChatUnreachable("timed out"), "Matrix", "check that matrix.homeserver is right"),
        (ChatLimited("no more logins for 5 min"), "Matrix account", "wait that long"),
        (ChatSignedOut("the token is no longer good"), "Matrix account", "set matrix.password_file"),
        (ChatRefused("M_FORBIDDEN"), "Matrix account", "correct matrix.user"),
        (
            ChatRefused("it belongs to another", "other-account"),
            "Matrix account",
            "set matrix.homeserver and matrix.user",
        ),
    ],
)
async def test_a_failed_sign_in_is_reported_and_nothing_more_is_asked(
    problem: ChatProblem, name: str, todo: str
) -> None:
    async def sign_in() -> SignedIn:
        raise problem

    [finding] = await matrix_findings(settings(), sign_in())
    assert (finding.name, finding.good) == (name, False)
    assert problem.text in finding.what
    assert finding.todo.startswith(todo)


async def test_a_homeserver_that_goes_away_in_between_is_reported() -> None:
    findings = await found(Account(broken=ChatUnreachable("it does not answer")))
    assert [finding.good for finding in findings] == [True, True, False]
    assert findings[2].what == "it does not answer"


async def test_an_account_whose_keys_another_client_has_made_is_a_warning_with_what_to_do() -> None:
    [_, finding, _] = await found(Account(anothers=True))
    assert finding.good
    assert "because another client has created its account's keys" in finding.what
    assert finding.todo.startswith("fedbot verify")


async def test_a_room_that_the_bot_is_not_in_yet_is_no_fault_but_someone_must_invite_it() -> None:
    [_, _, finding] = await found(Account(rooms={}))
    assert finding == good(
        "room !room",
        "the bot is not in it yet",
        "invite @bot:example.org into it; the bot joins as soon as it runs",
    )


async def test_an_address_that_leads_nowhere_is_reported() -> None:
    [_, _, finding] = await found(Account(), rooms=["#lending:example.org"])
    assert not finding.good
    assert "M_NOT_FOUND" in finding.what
    assert finding.todo.startswith("correct the address")


async def test_a_room_is_found_by_its_address() -> None:
    account = Account(addresses={"#lending:example.org": "!room"})
    [_, _, finding] = await found(account, rooms=["#lending:example.org"])
    assert finding == good("room Lending", "the bot may write, react and announce the space")


@pytest.mark.parametrize(
    ("change", "is_good", "what"),
    [
        ({"may_talk": False}, False, "the bot may not write or react there"),
        ({"may_react": False}, False, "the bot may not write or react there"),
        ({"may_announce": False}, True, "the bot may write, but not announce the space in the room's state"),
    ],
)
async def test_missing_powers_in_a_room_are_reported_with_what_to_do(
    change: dict[str, bool], is_good: bool, what: str
) -> None:
    [_, _, finding] = await found(Account(rooms={"!room": replace(SEEN, **change)}))  # type: ignore[arg-type]
    assert (finding.good, finding.what) == (is_good, what)
    assert finding.todo


async def test_the_exact_power_level_for_announcing_is_reported() -> None:
    [_, _, finding] = await found(Account(rooms={"!room": replace(SEEN, may_announce=False)}))
    assert 'events["dev.fedbot.party"] to 0' in finding.todo


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({}, good("admin room Ours", "the bot may write")),
        ({"may_announce": False, "may_react": False}, good("admin room Ours", "the bot may write")),
        (
            {"may_talk": False},
            bad(
                "admin room Ours",
                "the bot may not write there",
                "give @bot:example.org a higher power level",
            ),
        ),
    ],
)
async def test_the_admin_room_needs_only_that_the_bot_may_write(change: dict[str, bool], finding: Finding) -> None:
    ours = replace(SEEN, room="!ours", name="Ours", **change)  # type: ignore[arg-type]
    findings = await found(Account(rooms={"!room": SEEN, "!ours": ours}), admin_room="!ours")
    assert findings[-1] == finding


async def test_a_room_that_the_homeserver_does_not_show_is_reported() -> None:
    for room in ("!room", "!ours"):
        rooms: dict[str, Any] = {"admin_room": "!ours"}
        account = Account(rooms={"!room": SEEN, "!ours": replace(SEEN, room="!ours")}, closed=(room,))
        [finding] = [each for each in await found(account, **rooms) if not each.good]
        assert (finding.what, finding.todo[:3]) == (f"reading {room}: M_FORBIDDEN", "ask")


async def test_people_missing_in_the_rooms_are_named() -> None:
    people = {"@anna:example.org": "anna", "@piet:example.org": "piet"}
    [*_, finding] = await found(Account(), people=people)
    assert (finding.good, finding.what) == (True, "in none of the rooms: @piet:example.org")
    [_, _, finding, *_] = await found(Account(), approvers=("@piet:example.org",), people=people)
    assert finding.what == "no approver is in it yet"
    assert finding.todo.endswith("@piet:example.org")
