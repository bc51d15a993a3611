"""The InvenTree part of `fedbot check`, through the same port that the rules use."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

from fedbot.check.findings import Finding, bad, good, people_of
from fedbot.config.settings import Settings
from fedbot.edge_settings import journal_place
from fedbot.inventree.client.versions import Version
from fedbot.inventree.health import Rehearsal
from fedbot.inventree.inventory import OwnInventory
from fedbot.journal.copies import documents
from fedbot.ports.inventory import Inventory, InventoryProblem, NotPermitted, Unavailable
from fedbot.ports.journal import NoJournal
from fedbot.rules.connection.provision import own_reference, peer_reference
from fedbot.rules.connection.rotate_tokens import BEFORE_ITS_END
from fedbot.rules.model.care import NamedStock
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.diagnosis import NameFault, NoJson, Redirected
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.model.queries import (
    Able,
    Answer,
    InventoryStanding,
    NamedThings,
    Overview,
    OwnTokens,
    OwnTokensSeen,
    PersonPermissions,
    Query,
    UnknownThings,
    WhoMay,
)
from fedbot.rules.model.steps import TokenTried, TryToken
from fedbot.rules.model.stock import Permission, Permissions

MANY_ITEMS = 10_000
TWO_PEOPLE = 2
ROLES = "stock, return_order and part: add; part_category, stock_location: view"


async def inventree_findings(settings: Settings, inventory: Inventory) -> list[Finding]:
    """Whether InvenTree answers, the token has the permissions it needs, and the people are users."""
    try:
        standing = await _answer(inventory, Overview(), InventoryStanding)
        return [
            good(
                "InvenTree",
                f"{standing.name} at {settings.inventree.url}, {standing.version} (API {standing.api})",
            ),
            *_database(standing),
            *_token(settings, standing),
            _new_parts(settings, standing),
            *_admin_token(settings, standing),
            *_ends(settings, await _answer(inventory, OwnTokens(), OwnTokensSeen)),
            *[bad("InvenTree", complaint) for complaint in standing.complaints],
            *await _people(settings, inventory),
            *await _high_value(settings, inventory),
            *await _lending(settings, inventory, standing),
        ]
    except InventoryProblem as problem:
        return [_unanswered(settings, problem)]


async def handover_findings(inventory: OwnInventory) -> list[Finding]:
    """Whether InvenTree would accept each call of a first transfer. Tries each without changing anything."""
    try:
        tried = await inventory.rehearse()
    except Unavailable as problem:
        todo = "try again; if it is always so slow, write a larger timeout_seconds below inventree"
        return [bad("first handover", problem.text, todo)]
    except InventoryProblem as problem:
        return [bad("first handover", problem.text, "look into InvenTree's own log")]
    refused = [
        bad("first handover", f"POST {call.path} ({call.purpose}): {call.problem}", _LET_THROUGH)
        for call in tried.calls
        if call.problem
    ]
    fine = (
        f"InvenTree accepts each of the {len(tried.calls)} calls that the bot needs (tried without changing anything)"
    )
    return [*(refused or [good("first handover", fine)]), *_to_give(tried), *_needless(tried)]


async def approvers(settings: Settings, inventory: Inventory) -> list[str]:
    """The Matrix ids of our people who may approve; empty if InvenTree doesn't answer."""
    people = people_of(settings)
    try:
        able = await _answer(inventory, WhoMay(Permission.APPROVER, tuple(dict.fromkeys(people.values()))), Able)
    except InventoryProblem:
        return []  # already reported
    return [person for person, user in people.items() if user in able.usernames]


async def friends_findings(settings: Settings, inventory: Inventory) -> list[Finding]:
    """For each friend: whether its token is valid, and (`direct`) whether its server lets us read.

    Raises `JournalProblem` if the journal can't be read.
    """
    try:
        kept = documents(journal_place(settings), Connection)
    except NoJournal:
        return []  # the bot has not run yet
    friends = [each for each in kept if isinstance(each, Connection) and each.state is ConnectionState.ACTIVE]
    return [finding for friend in friends for finding in await _friend(settings, inventory, friend)]


async def _friend(settings: Settings, inventory: Inventory, friend: Connection) -> list[Finding]:
    name = f"friend {friend.peer_name}"
    trials = {"": TryToken("check", own_reference(friend), for_peer=friend.access == "direct")}
    if friend.access == "direct":
        private = friend.peer in settings.inventree.private_peers
        trials[friend.peer_url] = TryToken("check", peer_reference(friend), friend.peer_url, private=private)
    found = []
    for url, trial in trials.items():
        whose = f"its InvenTree at {url}" if url else "your InvenTree, with the token that was created for it"
        try:
            tried = await inventory.act(trial)
        except InventoryProblem as problem:
            todo = f"ask {friend.peer_name} whether it runs" if url else "!fed status says what to do"
            found.append(bad(name, f"the bot can't look into {whose}: {problem.text}", todo))
        else:
            end = f"; valid until {tried.expiry.isoformat()}" if isinstance(tried, TokenTried) and tried.expiry else ""
            found.append(good(name, f"the bot can look into {whose}{end}"))
    return found


_LET_THROUGH = (
    "allow this call: look at the web server (proxy, firewall) before InvenTree, and into InvenTree's own log"
)


def _to_give(tried: Rehearsal) -> list[Finding]:
    """A finding about parts that aren't salable: InvenTree assigns only salable ones to a customer."""
    if tried.salable:
        return []
    if not tried.parts:
        return [good("parts", "there are none yet: you can receive, but have nothing to give or lend")]
    what = f"none of your parts is salable ({tried.parts} parts), and InvenTree gives away only salable parts"
    return [good("parts", what, "in InvenTree, switch on Salable at each part that you want to give or lend")]


def _needless(tried: Rehearsal) -> list[Finding]:
    """A warning about needless roles. A new group of InvenTree 0.13 may view everything, whatever is ticked."""
    if not tried.needless:
        return []
    what = f"the bot's user also has the roles {', '.join(tried.needless)}, which the bot doesn't need"
    todo = f"in InvenTree, untick them (also View) in the bot's group; it needs only {ROLES}"
    return [good("InvenTree roles", what, todo)]


A = TypeVar("A", bound=Answer)


async def _answer(inventory: Inventory, question: Query, kind: type[A]) -> A:
    answer = await inventory.answer(question)
    if not isinstance(answer, kind):
        raise TypeError(f"{type(question).__name__} was answered by {type(answer).__name__}")
    return answer


def _unanswered(settings: Settings, problem: InventoryProblem) -> Finding:
    if isinstance(problem, NotPermitted):
        todo = f"the bot's user needs the roles {ROLES}; if InvenTree refuses the token itself, create a new one"
        return bad("InvenTree token", problem.text, todo)
    is_elsewhere = isinstance(problem.problem, NoJson | Redirected) or problem.reason == NameFault.NO_INVENTREE.value
    if is_elsewhere:
        url, todo = settings.inventree.url, "correct inventree.url: the start of InvenTree's address in the browser"
        return bad("InvenTree", f"{url} is not its address: {problem.text}", todo)
    if isinstance(problem, Unavailable):
        todo = (
            "check that it runs and that this machine can reach it (address, http or https, firewall, "
            "certificate: ca_file)"
        )
        return bad("InvenTree", f"{settings.inventree.url} does not answer: {problem.text}", todo)
    return bad("InvenTree", problem.text, "look into InvenTree's own log")


def _database(standing: InventoryStanding) -> list[Finding]:
    """A reminder for large databases: run ANALYZE once a month, which InvenTree never does by itself."""
    if standing.stock_items < MANY_ITEMS:
        return []
    text = (
        f"{standing.stock_items:,} stock items: run ANALYZE in its database once a month (see docs/inventree.md); "
        "without it, InvenTree's own searches take many times as long. The bot searches in an index of its own"
    )
    return [good("InvenTree database", text)]


def _token(settings: Settings, standing: InventoryStanding) -> list[Finding]:
    found = []
    if standing.can_move_stock:
        found.append(good("InvenTree token", f"user {standing.username} may move stock"))
    elif not standing.complaints:
        todo = f"in InvenTree, give a group of {standing.username} the roles {ROLES}"
        found.append(bad("InvenTree token", f"user {standing.username} may not move stock", todo))
    if not standing.writes_allowed:
        todo = f"upgrade fedbot; or try it out, and write accept_api: {standing.api} below inventree"
        found.append(bad("InvenTree version", f"API {standing.api} is unknown to this fedbot", todo))
    if settings.party.peer_access == "direct" and not Version(standing.api).direct_access_is_safe:
        todo = "write peer_access: relayed, or upgrade InvenTree"
        what = f"with API {standing.api} any account can make itself a superuser"
        found.append(bad("peer_access", what, todo))
    return found


def _new_parts(settings: Settings, standing: InventoryStanding) -> Finding:
    """Whether the bot can create parts: a friend's first item seldom has a part here."""
    if standing.makes_parts:
        category = settings.inventree.new_part_category
        where = f"in {category}" if category else "outside of all categories"
        todo = "" if category else "name a category for it: inventree.new_part_category"
        return good("new parts", f"an approval creates a part that you don't have, {where}", todo)
    what = "an item that matches none of your parts can't be booked in before somebody types !fed match"
    if not settings.inventree.new_parts:
        return good("new parts", f"the settings say to create none; {what}")
    todo = "give the bot's user the role part: add; or write new_parts: false below inventree"
    if not settings.inventree.new_part_category:
        todo += "; InvenTree before 0.17 also needs a category: new_part_category"
    return good("new parts", f"the bot may create none; {what}", todo)


def _admin_token(settings: Settings, standing: InventoryStanding) -> list[Finding]:
    if settings.inventree.admin_token is None:
        todo = "set inventree.admin_token_file, or create friends' accounts by hand when the bot asks for it"
        return [good("admin token", "none: connecting takes clicks in InvenTree", todo)]
    if standing.admin_is_superuser:
        return [good("admin token", "a superuser's")]
    return [bad("admin token", "not a superuser's", "create a token as a superuser, or leave out admin_token")]


def _ends(settings: Settings, seen: OwnTokensSeen) -> list[Finding]:
    """The expiry of our own tokens, and whether the bot rotates them."""
    if not seen.tokens:
        what = "this InvenTree doesn't say when tokens end"
        return [good("inventree.token", what, "note down when you created it: it is valid for a year")]
    found = []
    today = datetime.now(UTC).date()
    files = {"token": settings.inventree.token_file, "admin_token": settings.inventree.admin_token_file}
    for token in seen.tokens:
        if token.expiry is None:
            continue
        soon = token.expiry - BEFORE_ITS_END <= today
        todo = ""
        if soon and files[token.setting]:
            todo = "the bot creates the next one by itself, or says in the admin room why it can't"
        elif soon:
            todo = (
                f"create the next one; if the token has its own file ({token.setting}_file), "
                f"the bot does that by itself"
            )
        found.append(good(f"inventree.{token.setting}", f"valid until {token.expiry.isoformat()}", todo))
    return found


async def _people(settings: Settings, inventory: Inventory) -> list[Finding]:
    """Whether everybody in `people` is an active user, and somebody is an approver and a superuser."""
    found = []
    for person, username in people_of(settings).items():
        permissions = await _answer(inventory, PersonPermissions(username), Permissions)
        if not permissions.known:
            todo = f"correct the name after {person} under people, or create the user"
            found.append(bad("people", f"InvenTree has no user {username}", todo))
        elif not permissions.active:
            found.append(bad("people", f"InvenTree's user {username} is not active", f"remove {person} from people"))
    if not found:
        found.append(good("people", f"{len(people_of(settings))} known to InvenTree"))
    return [
        *found,
        await _somebody(settings, inventory, Permission.APPROVER),
        await _somebody(settings, inventory, Permission.SUPERUSER),
    ]


async def _high_value(settings: Settings, inventory: Inventory) -> list[Finding]:
    """Whether the parts, categories and locations in `high_value` exist, and there are two approvers."""
    care = settings.high_value.care
    if not care.is_on:
        return []
    found = await _unknown(inventory, "high_value", care)
    found += await _two_approvers(settings, inventory, "high_value")
    return found or [good("high_value", "two people decide on the items that it names")]


async def _lending(settings: Settings, inventory: Inventory, standing: InventoryStanding) -> list[Finding]:
    """Whether everything that the lending rules name exists, and there are two approvers if a rule needs them."""
    found: list[Finding] = []
    for number, rule in enumerate(settings.lending):
        found += await _unknown(inventory, f"lending.{number}", rule.rule)
    if any(rule.two_people for rule in settings.lending):
        found += await _two_approvers(settings, inventory, "lending")
    if settings.rules.lending_from_inventree and not standing.reads_lending_rules:
        todo = "give the bot's user the roles part, part_category and stock_location: change"
        found.append(bad("rules.lending_from_inventree", "InvenTree does not show the bot that metadata", todo))
    return found or ([good("lending", f"rules: {len(settings.lending)}")] if settings.lending else [])


async def _unknown(inventory: Inventory, setting: str, things: NamedStock) -> list[Finding]:
    """Findings about names in a setting that InvenTree doesn't know."""
    if not things.names_any:
        return []
    unknown = await _answer(inventory, NamedThings(things.parts, things.categories, things.locations), UnknownThings)
    return [
        bad(f"{setting}.{kind}", f"InvenTree has nothing called {word}", "correct or remove it")
        for kind, words in (
            ("parts", unknown.parts),
            ("categories", unknown.categories),
            ("locations", unknown.locations),
        )
        for word in words
    ]


async def _two_approvers(settings: Settings, inventory: Inventory, setting: str) -> list[Finding]:
    """A finding if there are fewer than two approvers."""
    able = await _answer(
        inventory, WhoMay(Permission.APPROVER, tuple(dict.fromkeys(people_of(settings).values()))), Able
    )
    if len(able.usernames) >= TWO_PEOPLE:
        return []
    todo = "make another of your people an approver in InvenTree"
    return [bad(setting, f"it needs two approvers; there is {len(able.usernames)}", todo)]


async def _somebody(settings: Settings, inventory: Inventory, permission: Permission) -> Finding:
    able = await _answer(inventory, WhoMay(permission, tuple(dict.fromkeys(people_of(settings).values()))), Able)
    if able.usernames:
        return good(f"{permission}s", ", ".join(able.usernames))
    if permission is Permission.APPROVER:
        group = settings.inventree.approvers_group
        todo = f"put members into InvenTree's group {group}" if group else "set inventree.approvers_group"
        return bad("approvers", "none of your people may approve", todo)
    return good("superusers", "none of your people is one", "to connect to other spaces, list a superuser in people")
