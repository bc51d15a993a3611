"""The account that a peer's token belongs to: a user in a group of its own that may only look (UC1, UC5).

Only a superuser's token can make one. The user comes first, as its last name is what tells ours from
another's; a group has no room for a mark, so one that is there before our user is not ours.
"""

from __future__ import annotations

from typing import Any

from fedbot.federation.steps import AccessEnded, AccessMade, EndAccess, MakeAccess
from fedbot.inventree.rows import Row
from fedbot.inventree.server import Server
from fedbot.inventree.transport import InvenTreeTransport
from fedbot.ports import OutcomeUnknown, Refusal

# What a peer's user may look at (facts/inventree.md (e) 'READER'); it may do nothing else.
VIEWED = frozenset({"stock", "part", "part_category", "stock_location"})

_PERMISSIONS = ("can_view", "can_add", "can_change", "can_delete")


def find_access_made(server: Server, step: MakeAccess) -> AccessMade | None:
    """Probe of `MakeAccess`: our user, active, in exactly our group, which may only look."""
    may_be_given_away(server, for_peer=step.for_peer)
    admin = _admin(server)
    user = _user_named(admin, step)
    group = _group_named(admin, step.name)
    if user is None or group is None or _group_keys(user) != {group["pk"]}:
        return None
    return AccessMade(int(user["pk"]), int(group["pk"])) if not _wrong_rules(admin, int(group["pk"])) else None


def make_access(server: Server, step: MakeAccess) -> AccessMade:
    """Make user and group, or finish what an earlier try began, and read all of it back.

    Raises `Refusal`: unsafe-version (it may be made, but not for the peer's hands), no-admin-token, unsupported
    (this version can't do it over REST), foreign-user, foreign-group, ended (the user was deactivated: that would
    revive its old tokens).
    """
    may_be_given_away(server, for_peer=step.for_peer)
    admin = _admin(server)
    user, group = _user_named(admin, step), _group_named(admin, step.name)
    if group is not None and (user is None or _has_others(admin, group, user)):
        raise Refusal(f'The group "{step.name}" exists in InvenTree and isn\'t ours.', "foreign-group")
    if user is None:
        user = admin.post("user/", {"username": step.name, "first_name": "", "last_name": step.last_name, "email": ""})
    if group is None:
        group = admin.post("user/group/", {"name": step.name})
    for rule, wanted in _wrong_rules(admin, int(group["pk"])):
        admin.patch(f"user/ruleset/{rule['pk']}/", wanted)
    if _group_keys(user) != {group["pk"]}:
        admin.patch(f"user/{user['pk']}/", {"group_ids": [group["pk"]]})
    made = find_access_made(server, step)
    if made is None:
        raise OutcomeUnknown(f"The InvenTree user {step.name} isn't as it was just made.", "changed")
    return made


def find_access_ended(server: Server, step: EndAccess) -> AccessEnded | None:
    """Probe of `EndAccess`: the user is inactive (or gone), and none of its tokens is good."""
    admin = _admin(server)
    row = admin.row_if_there(f"user/{step.user}/")
    over = (row is None or not row.get("is_active")) and not active_tokens(admin, step.user)
    return AccessEnded() if over else None


def end_access(server: Server, step: EndAccess) -> AccessEnded:
    """Deactivate the user first (a token can mint tokens), then revoke its tokens, and forget the secret."""
    admin = _admin(server)
    if admin.row_if_there(f"user/{step.user}/") is not None:
        admin.patch(f"user/{step.user}/", {"is_active": False})
    for token in active_tokens(admin, step.user):
        revoke(admin, token)
    found = find_access_ended(server, step)
    if found is None:
        raise OutcomeUnknown("The peer's user still has access.", "changed")
    server.vault.forget(step.reference)
    return found


def may_be_given_away(server: Server, *, for_peer: bool) -> None:
    """Refuse an access that a peer would hold in its hands, where any account can make itself admin (DESIGN §2)."""
    if for_peer and not server.version.direct_access_is_safe:
        raise Refusal(
            f"In this InvenTree (API {server.version.api}) any account can make itself admin or lock others out, so no"
            " peer gets one.",
            "unsafe-version",
        )


def active_tokens(admin: InvenTreeTransport, user: int) -> list[dict[str, Any]]:
    """The tokens of a user that are not revoked; a superuser sees others' only with `all_users`."""
    rows = admin.rows("user/tokens/", all_users="true")
    return [row for row in rows if row.get("user") == user and not row.get("revoked")]


def revoke(admin: InvenTreeTransport, token: Row) -> None:
    """Revoke a token; its row stays, inactive."""
    admin.delete(f"user/tokens/{token['id']}/", params={"all_users": "true"})


def _admin(server: Server) -> InvenTreeTransport:
    admin = server.superuser()
    if not server.version.makes_users:
        raise Refusal("This InvenTree can't make users with rights over REST.", "unsupported")
    return admin


def _user_named(admin: InvenTreeTransport, step: MakeAccess) -> dict[str, Any] | None:
    """Our user of that name, or None. Raises `Refusal` if it isn't ours or has more rights than it should."""
    rows = admin.rows("user/", search=step.name)
    row = next((row for row in rows if row.get("username") == step.name), None)
    if row is None:
        return None
    if row.get("last_name") != step.last_name or row.get("is_staff") or row.get("is_superuser"):
        raise Refusal(f'The user "{step.name}" exists in InvenTree and isn\'t ours.', "foreign-user")
    if not row.get("is_active"):
        raise Refusal(f'The access "{step.name}" was ended; it is not opened again.', "ended")
    return row


def _group_named(admin: InvenTreeTransport, name: str) -> dict[str, Any] | None:
    return next((row for row in admin.rows("user/group/") if row.get("name") == name), None)


def _has_others(admin: InvenTreeTransport, group: Row, user: Row) -> bool:
    """Whether anybody but our user is in the group."""
    return any(row.get("pk") != user["pk"] and group["pk"] in _group_keys(row) for row in admin.rows("user/"))


def _group_keys(user: Row) -> set[int]:
    return {int(group["pk"]) for group in user.get("groups") or ()}


def _wrong_rules(admin: InvenTreeTransport, group: int) -> list[tuple[dict[str, Any], dict[str, bool]]]:
    """The rulesets of the group that allow too little or too much, each with what it should allow."""
    wrong = []
    for rule in admin.rows("user/ruleset/", group=group):
        if rule.get("group") != group:  # an ignored filter lists all groups' rules
            continue
        wanted = dict.fromkeys(_PERMISSIONS, False) | {"can_view": rule.get("name") in VIEWED}
        if any(bool(rule.get(permission)) != allowed for permission, allowed in wanted.items()):
            wrong.append((rule, wanted))
    return wrong
