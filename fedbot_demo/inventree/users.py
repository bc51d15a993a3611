"""/api/user/…: accounts, groups and their rule sets (facts: first facts, SECURITY, (e))."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter

from fedbot_demo.inventree.access import RULES, hash_password, roles_of
from fedbot_demo.inventree.endpoint import (
    Call,
    Endpoint,
    signed_in,
    staff_or_read,
    staff_with_admin_role_or_read,
    superuser,
)
from fedbot_demo.inventree.exchange import ForbiddenError, InvalidError, JsonObject, NotFoundError, Reply, ServerError
from fedbot_demo.inventree.fields import Form
from fedbot_demo.inventree.listing import ordered, page, search
from fedbot_demo.inventree.records import ROLES, Group, RuleSet, User
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.versions import Version

#: The database models that each role gives permissions on, as /user/roles/ lists them.
ROLE_MODELS: dict[str, tuple[str, ...]] = {
    "admin": ("group", "user", "permission", "apitoken", "ruleset"),
    "stocktake": ("partstocktake",),
    "part_category": ("partcategory", "partcategoryparametertemplate", "partcategorystar"),
    "part": (
        "manufacturerpart",
        "manufacturerpartparameter",
        "supplierpart",
        "bomitem",
        "bomitemsubstitute",
        "part",
        "partcategorystar",
        "partinternalpricebreak",
        "partparameter",
        "partparametertemplate",
        "partpricing",
        "partrelated",
        "partsellpricebreak",
        "partstar",
        "partstocktake",
        "parttesttemplate",
    ),
    "bom": ("bomitem", "bomitemsubstitute"),
    "stock_location": ("stocklocation", "stocklocationtype"),
    "stock": ("stockitem", "stockitemtestresult", "stockitemtracking"),
    "build": (
        "part",
        "partcategory",
        "bomitem",
        "build",
        "builditem",
        "buildline",
        "stockitem",
        "stocklocation",
    ),
    "purchase_order": ("company", "contact", "address", "supplierpart", "manufacturerpart", "purchaseorder"),
    "sales_order": (
        "company",
        "contact",
        "address",
        "salesorder",
        "salesorderallocation",
        "salesordershipment",
    ),
    "return_order": ("company", "contact", "address", "returnorder", "returnorderlineitem", "returnorderextraline"),
    "transfer_order": ("transferorder", "transferorderallocation", "transferorderlineitem"),
}

_SHORTEST_PASSWORD = 8
_COMMON_PASSWORDS = frozenset({"12345", "123456", "12345678", "password", "qwerty", "letmein", "admin"})

_PROFILE: JsonObject = {
    "displayname": None,
    "position": None,
    "status": None,
    "location": None,
    "active": True,
    "contact": None,
    "type": "internal",
    "organisation": None,
    "primary_group": None,
}


def user_brief(user: User) -> JsonObject:
    """An account inside of another object."""
    return {
        "pk": user.pk,
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
    }


def user_full(state: State, user: User) -> JsonObject:
    """An account with its groups and flags."""
    groups = [state.groups[pk] for pk in sorted(user.groups) if pk in state.groups]
    content = user_brief(user) | {
        "groups": [{"pk": group.pk, "name": group.name} for group in groups],
        "is_staff": user.is_staff,
        "is_superuser": user.is_superuser,
        "is_active": user.is_active,
        "profile": dict(_PROFILE),
    }
    return state.version.told("user", content)


def _permissions(version: Version, rules: list[RuleSet]) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {}
    for rule in rules:
        actions = {action for action in RULES if getattr(rule, f"can_{action}")}
        for model in version.role_models(rule.name, ROLE_MODELS[rule.name]) if actions else ():
            found.setdefault(model, set()).update(actions)
    return {model: sorted(actions) for model, actions in found.items()}


def permissions_of(state: State, user: User) -> dict[str, list[str]]:
    """The user's permissions for each model; all of them for a superuser."""
    if user.is_superuser:
        roles = state.version.roles(ROLES)
        every = [state.version.role_models(role, ROLE_MODELS[role]) for role in roles]
        return {model: sorted(RULES) for models in every for model in models}
    return _permissions(state.version, [rule for group in user.groups for rule in state.rule_sets.find("group", group)])


def who_am_i(call: Call) -> Reply:
    """The caller's account, with ?roles=true its roles (API 519)."""
    content = user_full(call.state, call.user)
    if "profile" in content:
        content["profile"] = {"language": None, "theme": None, "widgets": None} | content["profile"]
    if call.state.version.tells_roles_with_user and call.query.says_yes("roles", otherwise=False):
        content["roles"] = roles_of(call.state, call.user)
        content["permissions"] = permissions_of(call.state, call.user)
    return Reply(content)


def edit_me(call: Call) -> Reply:
    """Change one's own names and address. Flags are silently ignored, except where anybody can become staff."""
    if not call.state.version.edits_rule_sets:
        raise ForbiddenError
    form = Form(call.row_fields(), partial=call.request.method == "PATCH")
    _name_fields(form)
    if call.state.version.anybody_becomes_staff:
        form.flag("is_staff")
    values = form.check()
    _check_username(call.state, values, call.user)
    changed = call.state.users.put(replace(call.user, **values))
    return who_am_i(replace(call, signed_in=changed))


def my_roles(call: Call) -> Reply:
    """The caller's roles and permissions."""
    content = {
        "user": call.user.pk,
        "username": call.user.username,
        "roles": roles_of(call.state, call.user),
        "permissions": permissions_of(call.state, call.user),
        "is_staff": call.user.is_staff,
        "is_superuser": call.user.is_superuser,
    }
    return Reply(call.state.version.told("my roles", content))


def list_users(call: Call) -> Reply:
    """All accounts; any account may read them."""
    found = list(call.state.users)
    for name in ("is_staff", "is_active", "is_superuser"):
        wanted = call.query.flag(name)
        if wanted is not None:
            found = [user for user in found if getattr(user, name) == wanted]
    found = search(found, call.query, lambda user: (user.first_name, user.last_name, user.username))
    names = ("email", "username", "first_name", "last_name", "is_staff", "is_superuser", "is_active")
    keys = {name: attrgetter(name) for name in names}
    return page(call.request, call.query, ordered(found, call.query, keys), lambda user: user_full(call.state, user))


def _name_fields(form: Form) -> None:
    form.text("username", required=True, blank=False, longest=150)
    form.text("first_name", required=True, longest=150)
    form.text("last_name", required=True, longest=150)
    form.email("email", required=True)


def _check_username(state: State, values: JsonObject, owner: User | None = None) -> None:
    for other in state.users.find("username", values.get("username")):
        if owner is None or other.pk != owner.pk:
            raise InvalidError({"username": ["A user with that username already exists."]})


def create_user(call: Call) -> Reply:
    """Create an account. It has no password, even if one was sent. Groups come later (group_ids is an error 500)."""
    version = call.state.version
    if not version.makes_users:
        raise InvalidError(version.user_refusal(superuser=call.user.is_superuser))
    form = Form(call.row_fields())
    _name_fields(form)
    for name in ("is_staff", "is_superuser", "is_active"):
        form.flag(name)
    if version.edits_rule_sets:
        form.rows("group_ids", call.state.groups)
    values = form.check()
    _check_username(call.state, values)
    if "group_ids" in values:
        raise ServerError("TypeError", call.request.path)
    user = call.state.users.put(User(pk=call.state.users.next_pk, **values))
    return Reply(user_full(call.state, user), 201)


def _find_user(call: Call) -> User:
    user = call.state.users.get(call.pk)
    if user is None:
        raise NotFoundError.of_row("User")
    return user


def read_user(call: Call) -> Reply:
    """One account."""
    return Reply(user_full(call.state, _find_user(call)))


def edit_user(call: Call) -> Reply:
    """Change an account: names, flags and (by group_ids) groups."""
    user = _find_user(call)
    form = Form(call.row_fields(), partial=call.request.method == "PATCH")
    _name_fields(form)
    for name in ("is_staff", "is_superuser", "is_active"):
        form.flag(name)
    if call.state.version.edits_rule_sets:
        form.rows("group_ids", call.state.groups)
    values = form.check()
    _check_username(call.state, values, user)
    groups = values.pop("group_ids", user.groups)
    changed = call.state.users.put(replace(user, groups=tuple(sorted(groups)), **values))
    return Reply(user_full(call.state, changed))


def delete_user(call: Call) -> Reply:
    """Delete an account with its tokens; its history entries stay, without a name."""
    user = _find_user(call)
    for token in call.state.tokens.find("user", user.pk):
        call.state.tokens.remove(token.pk)
    for entry in call.state.tracking:
        if entry.user == user.pk:
            call.state.tracking.put(replace(entry, user=None))
    call.state.users.remove(user.pk)
    return Reply(status=204)


def set_password(call: Call) -> Reply:
    """Set an account's password; a weak one only with override_warning."""
    user = call.state.users.get(call.pk)
    if user is None:
        raise ServerError("DoesNotExist", call.request.path, module="django.contrib.auth.models.User.")
    form = Form(call.data(), partial=call.request.method == "PATCH")
    form.text("password", required=True, blank=False)
    form.flag("override_warning")
    values = form.check()
    password = values.get("password")
    if password is not None:
        complaints = password_complaints(password)
        if complaints and not values.get("override_warning"):
            raise InvalidError({"password": str(complaints)})
        call.state.users.put(replace(user, password_hash=hash_password(password)))
    return Reply({})


def password_complaints(password: str) -> list[str]:
    """InvenTree's objections to a password."""
    checks = [
        (
            len(password) < _SHORTEST_PASSWORD,
            f"This password is too short. It must contain at least {_SHORTEST_PASSWORD} characters.",
        ),
        (password.lower() in _COMMON_PASSWORDS, "This password is too common."),
        (password.isdecimal(), "This password is entirely numeric."),
    ]
    return [message for holds, message in checks if holds]


def rule_set_json(rule: RuleSet) -> JsonObject:
    """A group's permissions in one role."""
    return {
        "pk": rule.pk,
        "name": rule.name,
        "label": ROLES[rule.name],
        "group": rule.group,
        "can_view": rule.can_view,
        "can_add": rule.can_add,
        "can_change": rule.can_change,
        "can_delete": rule.can_delete,
    }


def _group_json(call: Call, group: Group, *, everything: bool = False) -> JsonObject:
    rules = call.state.rule_sets.find("group", group.pk)
    content: JsonObject = {"pk": group.pk, "name": group.name}
    if everything or call.query.says_yes("role_detail", otherwise=True):
        content["roles"] = [rule_set_json(rule) for rule in rules]
    if everything or call.query.says_yes("user_detail", otherwise=False):
        members = [user for user in call.state.users if group.pk in user.groups]
        content["users"] = [user_brief(user) for user in members]
    told = everything and call.state.version.tells_permissions_of_new_groups
    if told or call.query.says_yes("permission_detail", otherwise=False):
        content["permissions"] = _permissions(call.state.version, rules)
    return call.state.version.told("group", content)


def list_groups(call: Call) -> Reply:
    """All groups; any account may read them."""
    found = search(call.state.groups, call.query, lambda group: (group.name,))
    rows = ordered(found, call.query, {"name": lambda group: group.name})
    return page(call.request, call.query, rows, lambda group: _group_json(call, group))


def _group_form(call: Call, group: Group | None) -> JsonObject:
    form = Form(call.row_fields(), partial=call.request.method == "PATCH")
    form.text("name", required=True, blank=False, longest=150)
    for other in call.state.groups.find("name", form.values.get("name")):
        if group is None or other.pk != group.pk:
            form.fail("name", "group with this name already exists.")
    return form.check()


def add_group(state: State, name: str) -> Group:
    """A new group with an empty rule set for each role."""
    group = state.groups.put(Group(pk=state.groups.next_pk, name=name))
    for role in state.version.roles(ROLES):
        looks = state.version.new_groups_may_look
        state.rule_sets.put(RuleSet(pk=state.rule_sets.next_pk, group=group.pk, name=role, can_view=looks))
    return group


def create_group(call: Call) -> Reply:
    """Create a group without permissions."""
    group = add_group(call.state, _group_form(call, None)["name"])
    return Reply(_group_json(call, group, everything=call.state.version.edits_rule_sets), 201)


def _find_group(call: Call) -> Group:
    group = call.state.groups.get(call.pk)
    if group is None:
        raise NotFoundError.of_row("Group")
    return group


def read_group(call: Call) -> Reply:
    """One group."""
    return Reply(_group_json(call, _find_group(call)))


def edit_group(call: Call) -> Reply:
    """Rename a group."""
    group = _find_group(call)
    changed = call.state.groups.put(replace(group, **_group_form(call, group)))
    return Reply(_group_json(call, changed, everything=call.state.version.edits_rule_sets))


def delete_group(call: Call) -> Reply:
    """Delete a group; its members lose its permissions."""
    group = _find_group(call)
    for rule in call.state.rule_sets.find("group", group.pk):
        call.state.rule_sets.remove(rule.pk)
    for user in call.state.users:
        if group.pk in user.groups:
            call.state.users.put(replace(user, groups=tuple(pk for pk in user.groups if pk != group.pk)))
    call.state.groups.remove(group.pk)
    return Reply(status=204)


def list_rule_sets(call: Call) -> Reply:
    """The rule sets, with ?group= those of one group."""
    group = call.query.row("group", call.state.groups)
    call.query.check()
    found = list(call.state.rule_sets) if group is None else call.state.rule_sets.find("group", group.pk)
    name = call.query.text("name")
    if name:
        found = [rule for rule in found if rule.name == name]
    rows = ordered(search(found, call.query, lambda rule: (rule.name,)), call.query, {})
    return page(call.request, call.query, rows, rule_set_json)


def _find_rule_set(call: Call) -> RuleSet:
    rule = call.state.rule_sets.get(call.pk)
    if rule is None:
        raise NotFoundError.of_row("RuleSet")
    return rule


def read_rule_set(call: Call) -> Reply:
    """One rule set."""
    return Reply(rule_set_json(_find_rule_set(call)))


def edit_rule_set(call: Call) -> Reply:
    """Change a group's permissions in one role."""
    rule = _find_rule_set(call)
    form = Form(call.row_fields(), partial=True)
    for action in RULES:
        form.flag(f"can_{action}")
    return Reply(rule_set_json(call.state.rule_sets.put(widened(replace(rule, **form.check())))))


def widened(rule: RuleSet) -> RuleSet:
    """The rule set as InvenTree saves it: add and delete include change; every permission includes view."""
    change = rule.can_change or rule.can_add or rule.can_delete
    return replace(rule, can_change=change, can_view=rule.can_view or change)


def _edits_users(call: Call) -> None:
    """Require the permission to change users: any account up to 0.17, then staff with the role for it."""
    (signed_in if call.state.version.anybody_edits_users else staff_with_admin_role_or_read)(call)


def _makes_users(call: Call) -> None:
    """Require the permission to create users. 0.13 can't, and gives the reason only to an account."""
    (staff_with_admin_role_or_read if call.state.version.makes_users else signed_in)(call)


def _edits_groups(call: Call) -> None:
    """Require the permission to change groups: any account up to 0.17, then staff."""
    (signed_in if call.state.version.anybody_edits_users else staff_or_read)(call)


def endpoints() -> list[Endpoint]:
    """Accounts, groups and rule sets."""
    account = {"GET": read_user, "PUT": edit_user, "PATCH": edit_user, "DELETE": delete_user}
    group = {"GET": read_group, "PUT": edit_group, "PATCH": edit_group, "DELETE": delete_group}
    passwords = {"PUT": set_password, "PATCH": set_password}
    rule = {"GET": read_rule_set, "PUT": edit_rule_set, "PATCH": edit_rule_set}
    return [
        Endpoint("user/me/", {"GET": who_am_i, "PUT": edit_me, "PATCH": edit_me}, signed_in, also="DELETE"),
        Endpoint("user/me/roles/", {"GET": my_roles}, signed_in, when="gives_token_at_me"),
        Endpoint("user/roles/", {"GET": my_roles}, signed_in),
        Endpoint("user/", {"GET": list_users, "POST": create_user}, _makes_users),
        Endpoint("user/#/", account, _edits_users),
        Endpoint("user/#/set-password/", passwords, superuser, when="sets_passwords"),
        Endpoint("user/group/", {"GET": list_groups, "POST": create_group}, _edits_groups),
        Endpoint("user/group/#/", group, _edits_groups),
        Endpoint("user/ruleset/", {"GET": list_rule_sets}, staff_or_read, when="edits_rule_sets"),
        Endpoint("user/ruleset/#/", rule, staff_or_read, also="DELETE", when="edits_rule_sets"),
    ]
