"""The practice parts that `fedbot practice` creates in our own InvenTree, and removes again.

It touches no real data.
"""

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
"""Name, IPN, and our initial quantity. The friend knows the same parts, and has some of each."""
_ABOUT = "Made by fedbot practice; removed by fedbot practice --clean"
_IPNS = frozenset(ipn for _, ipn, _ in PARTS)


def make(superuser: Superuser, transit: Iterable[str]) -> tuple[int, ...]:
    """Create the category, its parts and some stock, outside of the `transit` locations; return the parts' keys.

    Raises `InventoryProblem`. `remove` finds what was created before that.
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
    """Whether InvenTree has any of it."""
    return bool(_categories(superuser.api) or _parts(superuser.api))


@dataclass(frozen=True)
class OfFriend:
    """InvenTree's records of the friend: keys, and the names of its user and group, which a person may have created."""

    companies: frozenset[int] = frozenset()
    users: frozenset[int] = frozenset()
    groups: frozenset[int] = frozenset()
    accesses: frozenset[str] = frozenset()


def remove(superuser: Superuser, about: OfFriend) -> list[str]:
    """Remove everything that `make` created, and the friend's company, user and group; return the failures.

    The stock goes first: deleting a company would return its stock.
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
    """The practice parts, by their IPN and the description from `make`, so nobody else's."""
    rows = (row for ipn in sorted(_IPNS) for row in api.rows("part/", IPN=ipn))
    return [int(row["pk"]) for row in rows if row.get("IPN") in _IPNS and row.get("description") == _ABOUT]


def _remove_stock(api: InvenTreeTransport, parts: Iterable[int]) -> Iterator[str]:
    """Delete all stock of these parts, wherever it is: on a shelf, in transit, with a friend."""
    for part in parts:
        for item in api.rows("stock/", part=part):
            if item.get("part") == part:  # a server that ignores the filter would list everything
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
    """Delete one row, after a change that it needs; yield the failure if there is one. A missing row is no failure."""
    try:
        if api.row_if_there(url) is None:
            return
        if before is not None:
            api.patch(url, before)
        api.delete(url, **({"json": content} if content is not None else {}))
    except InventoryProblem as problem:
        yield f"{what} ({problem.text})"
