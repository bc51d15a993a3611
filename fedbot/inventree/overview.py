"""Whether our InvenTree is there, who we are in it, what is missing, and how much it holds."""

from __future__ import annotations

from typing import Any

from fedbot.inventree.people import complaints_about_approvers, complaints_about_pins
from fedbot.inventree.server import ORDER_ROLES, Places, Server
from fedbot.inventree.transport import InvenTreeTransport
from fedbot.inventree.versions import NEWEST_KNOWN
from fedbot.ports.inventory import NotPermitted
from fedbot.rules.model.queries import InventoryStanding, Overview, StockCounts, StockFigures

_MOVING = (
    ("stock", "view"),
    ("stock", "change"),
    ("stock", "add"),
    ("stock_location", "view"),
    ("part", "view"),
)


def standing(server: Server, question: Overview) -> InventoryStanding:
    """What the server says of itself and of our tokens, with complaints that each say what to do."""
    del question
    account = server.account
    can_move = all(account.may(role, permission) for role, permission in _MOVING)
    return InventoryStanding(
        name=server.name,
        version=server.release,
        api=server.version.api,
        username=account.username,
        can_move_stock=can_move,
        has_admin_token=server.admin is not None,
        admin_is_superuser=server.admin_is_superuser,
        stock_items=server.api.count("stock/") if account.may("stock", "view") else 0,
        writes_allowed=writes_allowed(server),
        complaints=_complaints(server),
        abilities=server.version.abilities,
    )


def writes_allowed(server: Server) -> bool:
    """Whether we know this version well enough to change stock in it, or were told to."""
    return server.version.known or server.version.api == server.settings.accept_api


def _complaints(server: Server) -> tuple[str, ...]:
    return (
        *_about_version(server),
        *_about_roles(server),
        *server.complaints_about_places(),
        *_about_category(server),
        *complaints_about_approvers(server),
        *complaints_about_pins(server),
        *_about_admin_token(server),
    )


def _about_version(server: Server) -> tuple[str, ...]:
    if writes_allowed(server):
        return ()
    if server.version.api > NEWEST_KNOWN:
        newer = f"This InvenTree is newer (API {server.version.api}) than we know ({NEWEST_KNOWN})"
        return (f"{newer}: nothing is moved until a superuser accepts it.",)
    return (f"This InvenTree is too old (API {server.version.api}); 0.13 is the oldest that works.",)


def _about_roles(server: Server) -> tuple[str, ...]:
    account = server.account
    needed = (*_MOVING, ("part_category", "view"))
    lacking = [f"{role}: {permission}" for role, permission in needed if not account.may(role, permission)]
    if server.settings.new_part_category and not account.may("part", "add"):
        lacking.append("part: add")
    if not any(account.may(role, "add") for role in ORDER_ROLES) and not server.admin_is_superuser:
        lacking.append("return_order: add")
    if not lacking:
        return ()
    return (f"Give the InvenTree user {account.username} the roles {', '.join(lacking)}.",)


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


_ASKED: dict[str, dict[str, Any]] = {
    "part": {},
    "stockitem": {"in_stock": True},
    "partcategory": {},
    "stocklocation": {},
}


def count_stock(server: Server, question: StockFigures) -> StockCounts:
    """The counts, under our own token or the one made for a friend, whose rights and logs then apply.

    Raises the problems of a read; `NotPermitted` if the friend's token is gone or not taken any more.
    """
    with server.under(question.reference) as api:
        return _counts(api)


def _counts(transport: InvenTreeTransport) -> StockCounts:
    found = transport.ask("search/", {"search": "", "limit": 1, **_ASKED})
    parts = _count(found, "part")
    return StockCounts(
        parts=parts,
        stock_items=_count(found, "stockitem"),
        low_stock=transport.count("part/", low_stock="true") if parts is not None else None,
        categories=_count(found, "partcategory"),
        locations=_count(found, "stocklocation"),
    )


def _count(found: dict[str, Any], model: str) -> int | None:
    """None where the role to look at the model is missing: then it says `error` instead of a count."""
    told = found.get(model)
    count = told.get("count") if isinstance(told, dict) else None
    return count if isinstance(count, int) else None
