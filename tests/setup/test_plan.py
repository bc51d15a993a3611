"""`fedbot init`'s plan from what it found: no terminal, no server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fedbot.inventree.client.server import Places
from fedbot.inventree.client.versions import Version
from fedbot.setup.people import NotUnderstood, corrected, suggested, table
from fedbot.setup.plan import (
    ROLES,
    AddToGroup,
    Found,
    MakeAdminToken,
    MakeCategory,
    MakeGroup,
    MakeLocation,
    MakeToken,
    MakeUser,
    SetRoles,
    UserFound,
    Wanted,
    plan,
    widened,
)

ANNA = UserFound(2, "anna", "Anna Meier", superuser=True, staff=True)
PIET = UserFound(3, "piet", "Piet")
KIM = UserFound(4, "kim", "Kim Ölsen")
NEW = Found("https://inventree.example.org", Version(530), users=(ANNA, PIET, KIM))
WANTED = Wanted(approvers=("anna", "piet"))
APPROVERS = "fedbot approvers"


def places(*names: str, structural: bool = False) -> Places:
    rows = [{"pk": number, "name": name, "structural": structural} for number, name in enumerate(names, start=1)]
    return Places(rows)


READY = replace(
    NEW,
    users=(
        replace(ANNA, groups=frozenset({APPROVERS})),
        replace(PIET, groups=frozenset({APPROVERS, "makers"})),
        UserFound(9, "fedbot", groups=frozenset({"fedbot"})),
    ),
    groups={"fedbot": 1, APPROVERS: 2},
    roles={**{role: widened(allowed) for role, allowed in ROLES.items()}, "build": frozenset()},
    locations=places("Outgoing", "Incoming"),
    categories=places("From friends"),
    token=True,
    admin_token=True,
)


def test_everything_is_made_in_a_working_order_where_there_is_nothing() -> None:
    made = plan(NEW, WANTED)
    assert made.changes == (
        MakeGroup("fedbot"),
        SetRoles("fedbot", tuple(ROLES.items())),
        MakeUser("fedbot"),
        AddToGroup("fedbot", "fedbot"),
        MakeGroup(APPROVERS),
        AddToGroup("anna", APPROVERS),
        AddToGroup("piet", APPROVERS),
        MakeLocation("Outgoing"),
        MakeLocation("Incoming"),
        MakeCategory("From friends"),
        MakeToken("fedbot"),
        MakeAdminToken(),
    )
    assert (made.clicks, made.obstacles) == ((), ())


def test_existing_things_are_not_made_again() -> None:
    made = plan(READY, WANTED)
    assert (made.changes, made.clicks, made.obstacles) == ((), (), ())
    assert plan(replace(READY, admin_token=False), replace(WANTED, keep_admin=False)).changes == ()


@pytest.mark.parametrize(
    ("roles", "wrong"),
    [
        ({"stock": frozenset({"view"})}, True),
        ({"build": frozenset({"view", "change", "add"})}, True),
        ({"part": frozenset({"view", "add", "change"})}, False),
    ],
)
def test_roles_are_set_if_they_allow_too_little_or_too_much(roles: dict[str, frozenset[str]], wrong: bool) -> None:
    found = replace(READY, roles={**(READY.roles or {}), **roles})
    assert (SetRoles("fedbot", tuple(ROLES.items())) in plan(found, WANTED).changes) == wrong


def test_things_that_may_be_somebody_elses_are_left_alone_and_reported() -> None:
    others = replace(READY, users=(replace(PIET, groups=frozenset({"fedbot"})),), roles={"stock": frozenset()})
    for found, told in (
        (replace(NEW, users=(UserFound(9, "fedbot", superuser=True),)), "staff or superuser"),
        (replace(NEW, users=(UserFound(9, "fedbot", active=False),)), "is inactive"),
        (others, r"The group fedbot has other members: piet"),
        (
            replace(NEW, locations=places("Outgoing", "Outgoing")),
            "more than one stock location Outgoing: rename all but one",
        ),
        (
            replace(NEW, categories=places("From friends", structural=True)),
            "The part category From friends can't hold anything",
        ),
    ):
        assert any(told in obstacle for obstacle in plan(found, WANTED).obstacles)


def test_an_old_inventree_gets_its_locations_by_rest_and_the_rest_by_exact_clicks() -> None:
    made = plan(replace(NEW, version=Version(293)), WANTED)
    assert made.changes == (
        MakeLocation("Outgoing"),
        MakeLocation("Incoming"),
        MakeCategory("From friends"),
        MakeToken("fedbot"),
    )
    admin = "https://inventree.example.org/admin/auth"
    roles = "stock: add; return_order: add; part: view, add; part_category: view; stock_location: view"
    untick = "Untick all others: InvenTree 0.13 ticks View at every role of a new group"
    assert made.clicks == (
        f"Add the group fedbot, with these roles further down: {roles}. {untick}\n{admin}/group/add/",
        f"Add the user fedbot, with the password {{password}}\n{admin}/user/add/",
        "Put fedbot into the group fedbot\n(the page that opens when the user is saved)",
        f"Add the group {APPROVERS}, without any role. {untick}\n{admin}/group/add/",
        f"Put anna into the group {APPROVERS}\n{admin}/user/2/change/",
        f"Put piet into the group {APPROVERS}\n{admin}/user/3/change/",
    )
    half_done = replace(READY, version=Version(293), roles={"stock": frozenset({"view"})}, token=False)
    click = f"Give the group fedbot these roles: {roles}. {untick}\n{admin}/group/1/change/"
    assert plan(half_done, WANTED).clicks == (click,)
    cannot_sign_in = replace(half_done, roles=None)
    assert plan(cannot_sign_in, WANTED).clicks == (
        f"Give the user fedbot the password {{password}}\n{admin}/user/9/password/",
    )
    assert plan(replace(READY, version=Version(293)), WANTED).clicks == ()


# --- matching people and users ------------------------------------------------------------------------------

MEMBERS = {
    "@anna:example.org": "Anna",
    "@piet:example.org": "Piet 🔧",
    "@kim.olsen:example.org": "kim ölsen",
    "@bea:elsewhere.example": "Bea",
}


def rows(members: dict[str, str], *, me: str = "", known: dict[str, str] | None = None) -> dict[str, str]:
    """The suggested users of the people."""
    found = suggested(
        members,
        (*READY.users, KIM),
        known=known or {},
        approvers_group=APPROVERS,
        homeserver="example.org",
        me=me,
    )
    return {row.person: row.user for row in found if row.user}


def test_names_suggest_users() -> None:
    assert rows(MEMBERS) == {
        "@anna:example.org": "anna",
        "@piet:example.org": "piet",
        "@kim.olsen:example.org": "kim",
    }
    assert rows(MEMBERS, known={"@bea:elsewhere.example": "anna"})["@bea:elsewhere.example"] == "anna"
    assert "@anna:example.org" not in rows(MEMBERS, known={"@bea:elsewhere.example": "anna"})


def test_a_display_name_never_suggests_a_user_who_decides() -> None:
    for impostor in ("@evil:example.org", "@anna:evil.example", "@anna-2:example.org"):
        assert rows({impostor: "Anna"}) == {}
    assert rows({"@am:example.org": "Anna Meier"}, me="@am:example.org") == {"@am:example.org": "anna"}


def test_corrections_are_understood_and_refused_in_plain_words() -> None:
    users = (ANNA, PIET, KIM)
    before = suggested(
        MEMBERS, users, known={}, approvers_group=APPROVERS, homeserver="example.org", me="@anna:example.org"
    )
    assert table(before)[0].split() == ["1", "@anna:example.org", "anna", "(superuser,", "approves)"]
    after = corrected(before, "2=- 3=kim +3 @new:example.org=piet", users, approvers_group=APPROVERS)
    found = {row.person: (row.user, row.approves) for row in after}
    numbered = [row.person for row in before]
    assert found[numbered[1]] == ("", False)
    assert found[numbered[2]] == ("kim", True)
    assert found["@new:example.org"] == ("piet", False)
    for said, told in (
        ("5=kim", "from 1 to 4"),
        ("1=karl", "no user karl. Its users: anna, kim, piet"),
        ("+4", "has no InvenTree user"),
        ("kim", "3=kim, 3=-"),
        ("@kim=kim", "isn't a Matrix id"),
    ):
        with pytest.raises(NotUnderstood, match=told.replace(".", r"\.").replace("+", r"\+")):
            corrected(before, said, users, approvers_group=APPROVERS)


def test_locations_of_that_name_deeper_down_are_left_alone() -> None:
    """Two branches have an Outgoing each, and one is structural; ours is at the top level."""
    paths = ("North/Outgoing", "South/Outgoing", "North/Incoming")
    rows = [
        {"pk": number, "name": path.partition("/")[2], "pathstring": path, "structural": path == "North/Incoming"}
        for number, path in enumerate(paths, start=1)
    ]
    made = plan(replace(READY, locations=Places(rows)), WANTED)
    assert (made.changes, made.obstacles) == ((MakeLocation("Outgoing"), MakeLocation("Incoming")), ())
