"""An overview of our InvenTree: whether it answers, our account in it, what is missing, and how much it contains."""

from __future__ import annotations

from dataclasses import dataclass

from fedbot.inventree.client.server import ORDER_ROLES, Places, Server, account_behind
from fedbot.inventree.client.transport import InvenTreeTransport
from fedbot.inventree.client.versions import NEWEST_KNOWN
from fedbot.inventree.people import complaints_about_approvers, complaints_about_pins
from fedbot.inventree.stock_index import Totals
from fedbot.messages.diagnosis import english
from fedbot.ports.inventory import NotPermitted
from fedbot.rules.model.diagnosis import BadVersion, VersionFault
from fedbot.rules.model.queries import IndexStanding, InventoryStanding, Overview, StockCounts, StockFigures

_ALL = 100
_MOVING = (
    ("stock", "view"),
    ("stock", "change"),
    ("stock", "add"),
    ("stock_location", "view"),
    ("part", "view"),
)

_RULED = ("part", "part_category", "stock_location")


def standing(server: Server, query: Overview) -> InventoryStanding:
    """The server's and our tokens' status, with complaints that each say what to do."""
    del query
    account = server.account
    index = server.stock.standing() if server.stock.is_large else None
    can_move = all(account.may(role, permission) for role, permission in _MOVING)
    return InventoryStanding(
        name=server.name,
        version=server.release,
        api=server.version.api,
        username=account.username,
        can_move_stock=can_move,
        has_admin_token=server.admin is not None,
        admin_is_superuser=server.admin_is_superuser,
        stock_items=_stock_items(server, index),
        writes_allowed=server.writes_allowed,
        complaints=_complaints(server),
        abilities=server.version.abilities,
        makes_parts=server.makes_parts,
        reads_lending_rules=not server.version.hides_metadata or all(account.may(role, "change") for role in _RULED),
        index=index,
    )


def _stock_items(server: Server, index: IndexStanding | None) -> int:
    """The count from the index if counting takes long; while the index fills, the count of InvenTree's first page."""
    if not server.account.may("stock", "view"):
        return 0
    if index is None:
        return server.api.count("stock/")
    return index.items if index.stock_read else server.stock.index.number("stock_count")


def _complaints(server: Server) -> tuple[str, ...]:
    return (
        *_about_version(server),
        *_about_roles(server),
        *server.complaints_about_places(),
        *_about_transit(server),
        *_about_category(server),
        *complaints_about_approvers(server),
        *complaints_about_pins(server),
        *_about_admin_token(server),
    )


def _about_version(server: Server) -> tuple[str, ...]:
    if server.writes_allowed:
        return ()
    if not server.version.too_old:
        newer = f"This InvenTree is newer (API {server.version.api}) than we know ({NEWEST_KNOWN})"
        return (f"{newer}: nothing is moved until a superuser accepts it.",)
    return (english(BadVersion(VersionFault.TOO_OLD, server.version.api)),)


def _about_roles(server: Server) -> tuple[str, ...]:
    account = server.account
    needed = (*_MOVING, ("part_category", "view"))
    lacking = [f"{role}: {permission}" for role, permission in needed if not account.may(role, permission)]
    if server.settings.new_parts and server.settings.new_part_category and not account.may("part", "add"):
        lacking.append("part: add")
    if not any(account.may(role, "add") for role in ORDER_ROLES) and not server.admin_is_superuser:
        lacking.append("return_order: add")
    if not lacking:
        return ()
    return (f"Give the InvenTree user {account.username} the roles {', '.join(lacking)}.",)


def _about_transit(server: Server) -> tuple[str, ...]:
    """A complaint if Outgoing and Incoming are the same location, because the bot couldn't tell their items apart."""
    out, into = (server.places.meant_by(word) for word in (server.settings.outgoing, server.settings.incoming))
    if out and out == into:
        return ("inventree.outgoing and inventree.incoming are the same location: make two, or name two.",)
    return ()


def _about_category(server: Server) -> tuple[str, ...]:
    word = server.settings.new_part_category
    if not word:
        return ()
    try:
        found = Places(server.api.rows("part/category/")).meant_by(word)
    except NotPermitted as problem:
        return (problem.text,)
    if len(found) == 1 and not found[0].structural:
        return ()
    return (f'inventree.new_part_category: there isn\'t exactly one category "{word}" that takes parts.',)


def _about_admin_token(server: Server) -> tuple[str, ...]:
    if server.admin is None or server.admin_is_superuser:
        return ()
    return ("The token in inventree.admin_token is no good, or not a superuser's.",)


def count_stock(server: Server, query: StockFigures) -> StockCounts:
    """The counts from our index that our token, or the one provisioned for a friend, has the permission to see.

    While the index fills for the first time, InvenTree is asked for the counts, and low stock is unknown. Raises the
    problems of a read; `NotPermitted` if the friend's token is missing or no longer accepted.
    """
    with server.under(query.reference) as api:
        account = account_behind(api, server.version) if query.reference else server.account
        server.stock.make_ready(server.stock_source)
        index = server.stock.index
        totals = index.totals() if server.stock.standing().percent == _ALL else _asked(server)
        may = {model: account.may(model, "view") for model in ("part", "stock", "part_category", "stock_location")}
        return StockCounts(
            parts=totals.parts if may["part"] else None,
            stock_items=totals.stock_items if may["stock"] else None,
            low_stock=totals.low_stock if may["part"] else None,
            categories=api.count("part/category/") if may["part_category"] else None,
            locations=api.count("stock/location/") if may["stock_location"] else None,
        )


def _asked(server: Server) -> Totals:
    """The counts from InvenTree: a second's work on a large server, without low stock, which would take minutes."""
    found = server.api.ask("search/", {"search": "", "limit": 1, "part": {}, "stockitem": {"in_stock": True}})
    counted = {name: told.get("count") for name, told in found.items() if isinstance(told, dict)}
    return Totals(int(counted.get("part") or 0), int(counted.get("stockitem") or 0), None)


@dataclass(frozen=True)
class Call:
    """A call that the bot makes in InvenTree, its purpose, and why it would be refused; '' if it wouldn't."""

    path: str
    purpose: str
    problem: str = ""


_USED = frozenset({"stock", "part", "part_category", "stock_location", "return_order", "sales_order", "purchase_order"})
"""Roles that some call needs. Each of the last three alone allows creating a company for a friend."""


@dataclass(frozen=True)
class Rehearsal:
    """The tried calls of a first transfer, the number of parts, and how many of them can be given away.

    `needless` are the roles of the bot's user that no call needs.
    """

    calls: tuple[Call, ...]
    parts: int
    salable: int
    needless: tuple[str, ...] = ()


def rehearse(server: Server) -> Rehearsal:
    """Try all calls of connecting, giving, lending and receiving without content, so nothing changes.

    Raises the problems of a read.
    """
    wanted: list[tuple[InvenTreeTransport, str, str]] = [
        (server.api, "stock/transfer/", "to book out and put away"),
        (server.api, "stock/assign/", "to hand over"),
        (server.api, "stock/", "to book in"),
        (server.for_companies(), "company/", "to make a company for a friend"),
    ]
    if server.version.returns_parts:
        wanted.append((server.api, "stock/return/", "to take back what was lent"))
    if server.makes_parts:
        wanted.append((server.api, "part/", "to make a part that you don't have"))
    if server.admin is not None and server.version.makes_users:
        wanted += [(server.admin, "user/group/", "to make a friend's group")]
        wanted += [(server.admin, "user/", "to make a friend's user")]
    calls = []
    for api, path, purpose in wanted:
        problem = api.try_post(path)
        calls.append(Call(path, purpose, problem.text if problem else ""))
    parts, salable = server.api.count("part/"), server.api.count("part/", salable="true", active="true")
    account = server.account
    roles = () if account.superuser else (role for role, allowed in account.roles.items() if allowed)
    return Rehearsal(tuple(calls), parts, salable, tuple(sorted(set(roles) - _USED)))
