"""What `fedbot practice` makes in our own InvenTree, as a superuser, and takes away again: nothing real is touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fedbot.inventree.transport import InvenTreeTransport
from fedbot.ports.inventory import InventoryProblem
from fedbot.setup.inventree import Superuser

CATEGORY = "PRACTICE"
PARTS = (
    ("PRACTICE bolt M3", "PRACTICE-BOLT", 50),
    ("PRACTICE laser lens", "PRACTICE-LENS", 0),
    ("PRACTICE drill", "PRACTICE-DRILL", 2),
    ("PRACTICE thermal camera", "PRACTICE-CAMERA", 0),
)
"""Name, IPN, and how much of it we have at first; the friend knows the same parts, and has some of all."""
_ABOUT = "Made by fedbot practice; removed by fedbot practice --clean"
_IPNS = frozenset(ipn for _, ipn, _ in PARTS)


def make(superuser: Superuser, transit: Iterable[str]) -> tuple[int, ...]:
    """The category, the parts in it and some stock of them, outside of the locations of `transit`; the parts' keys.

    Raises `InventoryProblem`. What was made before that, `remove` finds.
    """
    api = superuser.api
    shelves = (row for row in api.rows("stock/location/") if not row.get("structural"))
    shelf = next((row["pk"] for row in shelves if not {row["name"], row.get("pathstring")} & set(transit)), None)
    there = {"location": shelf} if shelf is not None else {}
    category = _made(api, "part/category/", {"name": CATEGORY, "description": _ABOUT})
    parts = []
    for name, ipn, quantity in PARTS:
        flags = {"active": True, "component": True, "purchaseable": True, "salable": True}
        part = _made(api, "part/", {"name": name, "IPN": ipn, "description": _ABOUT, "category": category, **flags})
        parts.append(part)
        if quantity:
            api.post("stock/", {"part": part, "quantity": quantity, **there})
    return tuple(parts)


def is_there(superuser: Superuser) -> bool:
    """Whether anything of it is in InvenTree."""
    return bool(_categories(superuser.api) or _parts(superuser.api))


@dataclass(frozen=True)
class OfFriend:
    """What InvenTree holds of the friend: keys, and the names of its user and group, also if made by hand."""

    companies: frozenset[int] = frozenset()
    users: frozenset[int] = frozenset()
    groups: frozenset[int] = frozenset()
    accesses: frozenset[str] = frozenset()


def remove(superuser: Superuser, about: OfFriend) -> list[str]:
    """Take away all that `make` made, and the friend's company, user and group; what could not be removed, and why.

    The stock goes first: that of a company which is deleted would be in stock again.
    """
    api = superuser.api
    parts = _parts(api)
    left = list(_remove_stock(api, parts))
    if not left:
        left += list(_each(api, "company/", about.companies, "the company"))
    for part in parts:
        left += list(_one(api, f"part/{part}/", f"the part #{part}", {"active": False}))
    for category in _categories(api):
        content = {"delete_parts": False, "delete_child_categories": False}
        left += list(_one(api, f"part/category/{category}/", f"the category {CATEGORY}", None, content))
    users = about.users | _named(api, "user/", "username", about.accesses)
    groups = about.groups | _named(api, "user/group/", "name", about.accesses)
    left += list(_each(api, "user/", sorted(users), "the user"))
    left += list(_each(api, "user/group/", sorted(groups), "the group"))
    return left


def _named(api: InvenTreeTransport, url: str, field: str, names: frozenset[str]) -> frozenset[int]:
    return frozenset(int(row["pk"]) for row in api.rows(url) if row.get(field) in names) if names else frozenset()


def _made(api: InvenTreeTransport, url: str, content: Mapping[str, Any]) -> int:
    row = api.post(url, content)
    return int(row["pk"]) if isinstance(row, dict) else 0


def _categories(api: InvenTreeTransport) -> list[int]:
    ours = {"name": CATEGORY, "description": _ABOUT}
    return [int(row["pk"]) for row in api.rows("part/category/") if ours.items() <= row.items()]


def _parts(api: InvenTreeTransport) -> list[int]:
    """By their IPN and what `make` has written into their description: nothing that somebody else has made."""
    rows = (row for ipn in sorted(_IPNS) for row in api.rows("part/", IPN=ipn))
    return [int(row["pk"]) for row in rows if row.get("IPN") in _IPNS and row.get("description") == _ABOUT]


def _remove_stock(api: InvenTreeTransport, parts: Iterable[int]) -> Iterator[str]:
    """All of these parts, wherever it is: on a shelf, on its way, with a friend."""
    for part in parts:
        for item in api.rows("stock/", part=part):
            if item.get("part") == part:  # an ignored filter would list everything
                yield from _one(api, f"stock/{item['pk']}/", f"the stock item #{item['pk']}")


def _each(api: InvenTreeTransport, url: str, keys: Iterable[int], what: str) -> Iterator[str]:
    for key in keys:
        yield from _one(api, f"{url}{key}/", f"{what} #{key}")


def _one(
    api: InvenTreeTransport,
    url: str,
    what: str,
    before: Mapping[str, Any] | None = None,
    content: Mapping[str, Any] | None = None,
) -> Iterator[str]:
    """Delete one row, after a change that it needs; says if that can't be done. One that isn't there is no trouble."""
    try:
        if api.row_if_there(url) is None:
            return
        if before is not None:
            api.patch(url, before)
        api.delete(url, **({"json": content} if content is not None else {}))
    except InventoryProblem as problem:
        yield f"{what} ({problem.text})"
