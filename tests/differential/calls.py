"""Calls by fedbot and by people, with valid and invalid values.

An `Act` is a word and some numbers. The numbers choose among the current rows, so any part of a sequence is a sequence
too, which shrinking needs.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from fedbot.inventree.client.versions import Version

_NUMBERS = 8
ABSENT = 99_999_999
_WHOLE = {"part_detail": "true", "location_detail": "true"}
_QUANTITIES = ("1", "2", "5", "2.5", "0.00001", "12.34567", "100", "0", "-1", "1.1234567", "a lot", 3)
_NOTES = (
    "fed:0123456789abcdefghij-alpha:1:out given to Beta",
    "",
    "two\nlines\tand a tab",
    "a <b>c</b>",
    "2 < 3 & so on",
    "x" * 600,
    "10\u00a0mm, 2.0″ 👩\u200d🔧",
)
_STATUSES = (10, 50, 55, 60, 65, 70, 75, 85, 99, "x")
_LINKS = ("https://matrix.to/#/!a:example.org/$card?fed:1:in", "", "no address", "https://e.org/" + "y" * 190)
_SERIALS = ("1", "2", "SN-1", "1-2", "a,b", "x y", "")
_TEXTS = ("LOT-1", "", "a\tb", "z" * 101, "<7>")
_DATES = ("2099-01-01", "2020-02-29", "tomorrow")
_TAGS: tuple[Any, ...] = (["fedbot: lent"], ["a,b", "c"], [], "x")
_METADATA: tuple[Any, ...] = (
    {"fedbot": {"v": 1, "value": '{"a": "<x>"}'}},
    {"fedbot": None},
    {"theirs": [1, "two", {"three": 3}]},
    {},
    "text",
)
#: The callers: mostly the bot, because it has the roles that it needs.
_CALLERS = ("service", "service", "service", "service", "admin", "reader", "nobody")
_PEOPLE = ("admin", "admin", "service")


@dataclass(frozen=True)
class Act:
    """A future call: its kind, and the numbers that choose its values."""

    kind: str
    numbers: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.kind}({', '.join(map(str, self.numbers))})"


@dataclass(frozen=True)
class Call:
    """A request for both servers; `files` as in httpx. `reads`: it changes nothing."""

    caller: str
    method: str
    url: str
    params: dict[str, Any] = field(default_factory=dict)
    content: Any = None
    files: dict[str, tuple[str, bytes, str]] | None = None

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.method == "GET" or self.url == "search/"


class There(Protocol):
    """The rows of one server, in the same order on both. Each list has at least one entry."""

    @property
    def version(self) -> Version: ...

    @property
    def run(self) -> str: ...

    @property
    def play(self) -> str: ...

    @property
    def items(self) -> Sequence[int]: ...

    @property
    def parts(self) -> Sequence[int]: ...

    @property
    def places(self) -> Sequence[int]: ...

    @property
    def companies(self) -> Sequence[int]: ...


class Choice:
    """Chooses by the numbers of an act, one after the other."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = list(numbers)

    def of(self, pool: Sequence[Any]) -> Any:  # noqa: ANN401  values of every kind, bad ones too
        """An entry of the pool."""
        return pool[self._next() % len(pool)]

    def once_in(self, times: int) -> bool:
        """True once in that many times."""
        return self._next() % times == 0

    def _next(self) -> int:
        return self._numbers.pop(0) if self._numbers else 0


def _item(there: There, choice: Choice) -> Any:  # noqa: ANN401
    """Mostly an existing or deleted item."""
    return ABSENT if choice.once_in(12) else choice.of(there.items)


def _create(there: There, choice: Choice) -> Call:
    content: dict[str, Any] = {
        "part": choice.of(there.parts),
        "location": choice.of(there.places),
        "quantity": choice.of(_QUANTITIES),
        "link": choice.of(_LINKS),
        "status": choice.of(_STATUSES),
    }
    extra = choice.of(("", "serial", "batch", "packaging", "expiry_date", "notes", "tags", "none"))
    if extra == "serial":
        serial = choice.of(_SERIALS)
        content |= there.version.serial_field(serial) | {"quantity": choice.of((1, 1, 2, "1"))}
    elif extra in ("batch", "packaging"):
        content[extra] = choice.of(_TEXTS)
    elif extra == "expiry_date":
        content[extra] = choice.of(_DATES)
    elif extra == "notes":
        content[extra] = choice.of(_NOTES)
    elif extra == "tags":
        content[extra] = choice.of(_TAGS)
    return Call(choice.of(_CALLERS), "POST", "stock/", content=content)


def _plain(there: There, choice: Choice) -> Call:
    """A valid item, so there is something to move."""
    content = {"part": choice.of(there.parts[:1]), "location": choice.of(there.places), "quantity": "20"}
    return Call("service", "POST", "stock/", content=content)


def _move(there: There, choice: Choice) -> Call:
    line: dict[str, Any] = {"pk": _item(there, choice), "quantity": choice.of(_QUANTITIES)}
    content = {"items": [line], "location": choice.of((*there.places, ABSENT)), "notes": choice.of(_NOTES)}
    if choice.once_in(2):
        line["status"] = choice.of(_STATUSES)
    return Call(choice.of(_CALLERS), "POST", "stock/transfer/", content=content)


def _assign(there: There, choice: Choice) -> Call:
    items = [{"item": _item(there, choice)}]
    if choice.once_in(4):
        items.append({"item": _item(there, choice)})
    content = {"items": items, "customer": choice.of(there.companies), "notes": choice.of(_NOTES)}
    return Call(choice.of(_CALLERS), "POST", "stock/assign/", content=content)


def _bring_back(there: There, choice: Choice) -> Call:
    item, quantity, status = _item(there, choice), choice.of(_QUANTITIES), choice.of(_STATUSES[:8])
    url, content = there.version.return_call(item, quantity, status, choice.of(there.places), choice.of(_NOTES))
    return Call(choice.of(_CALLERS), "POST", url, content=content)


def _set_status(there: There, choice: Choice) -> Call:
    content = {"items": [_item(there, choice)], "status": choice.of(_STATUSES), "note": choice.of(_NOTES)}
    return Call(choice.of(_CALLERS), "POST", "stock/change_status/", content=content)


def _edit(there: There, choice: Choice) -> Call:
    item = _item(there, choice)
    content = choice.of(
        (
            {"notes": choice.of(_NOTES)},
            {"tags": choice.of(_TAGS)},
            {"status": choice.of(_STATUSES)},
            {"batch": choice.of(_TEXTS), "link": choice.of(_LINKS)},
        )
    )
    return Call(choice.of(_CALLERS), "PATCH", f"stock/{item}/", content=content)


def _by_people(there: There, choice: Choice) -> Call:
    """Changes by people in InvenTree."""
    what = choice.of(("count", "add", "remove", "delete"))
    item = _item(there, choice)
    if what == "delete":
        return Call("admin", "DELETE", f"stock/{item}/")
    content = {"items": [{"pk": item, "quantity": choice.of(_QUANTITIES)}], "notes": choice.of(_NOTES)}
    return Call(choice.of(_PEOPLE), "POST", f"stock/{what}/", content=content)


def _merge(there: There, choice: Choice) -> Call:
    items = [{"item": _item(there, choice)}, {"item": _item(there, choice)}]
    content = {"items": items, "location": choice.of(there.places), "notes": choice.of(_NOTES)}
    if choice.once_in(3):
        content["allow_mismatched_status"] = True
    return Call(choice.of(_PEOPLE), "POST", "stock/merge/", content=content)


def _write_metadata(there: There, choice: Choice) -> Call:
    model, pks = choice.of((("stockitem", there.items), ("company", there.companies), ("part", there.parts)))
    url = there.version.metadata_url(model, choice.of(pks))
    return Call(choice.of(_CALLERS), "PATCH", url, content={"metadata": choice.of(_METADATA)})


def _read_metadata(there: There, choice: Choice) -> Call:
    model, pks = choice.of((("stockitem", there.items), ("company", there.companies), ("part", there.parts)))
    return Call(choice.of(_CALLERS), "GET", there.version.metadata_url(model, choice.of((*pks, ABSENT))))


def _read_item(there: There, choice: Choice) -> Call:
    params = choice.of(({}, _WHOLE, {"tags": "true"}))
    return Call(choice.of(_CALLERS), "GET", f"stock/{_item(there, choice)}/", params)


def _list_stock(there: There, choice: Choice) -> Call:
    params: dict[str, Any] = {"part": choice.of(there.parts), "ordering": "pk"}
    params |= choice.of(({}, {"in_stock": "true"}, {"location": choice.of(there.places)}, {"serial": "1"}, _WHOLE))
    if choice.once_in(2):
        params |= {"limit": choice.of((1, 3, 50)), "offset": choice.of((0, 2))}
    return Call(choice.of(_CALLERS), "GET", "stock/", params)


def _read_history(there: There, choice: Choice) -> Call:
    params: dict[str, Any] = {"item": _item(there, choice)}
    if choice.once_in(2):
        params |= {"limit": choice.of((1, 5, 50)), "offset": choice.of((0, 1))}
    return Call(choice.of(_CALLERS), "GET", "stock/track/", params)


def _find_parts(there: There, choice: Choice) -> Call:
    bolt = f"{there.run}-BOLT-{there.play}"
    words = (bolt, f"{there.run} Lens {there.play}", f"{there.run} nothing", f"{bolt.lower()} brass")
    params = choice.of(
        (
            {"IPN": bolt},
            {"IPN": bolt.lower()},
            {"search": choice.of(words), "limit": 10},
            {"search": choice.of(words), "has_stock": "true", "limit": 10, "offset": 0, "ordering": "name"},
        )
    )
    return Call(choice.of(_CALLERS), "GET", "part/", params)


def _read_part(there: There, choice: Choice) -> Call:
    return Call(choice.of(_CALLERS), "GET", f"part/{choice.of((*there.parts, ABSENT))}/")


def _count_all(there: There, choice: Choice) -> Call:
    content = {
        "search": f"{there.run}-BOLT-{there.play}",
        "limit": 1,
        "part": {},
        "stockitem": {"in_stock": True},
        "stocklocation": {},
    }
    return Call(choice.of(_CALLERS), "POST", "search/", content=content)


def _edit_company(there: There, choice: Choice) -> Call:
    content = choice.of(
        (there.version.closed_company(), {"active": True, "is_customer": True}, {"link": choice.of(_LINKS)})
    )
    return Call(choice.of(_CALLERS), "PATCH", f"company/{choice.of(there.companies)}/", content=content)


def _read_company(there: There, choice: Choice) -> Call:
    return Call(choice.of(_CALLERS), "GET", f"company/{choice.of((*there.companies, ABSENT))}/")


def _attach(there: There, choice: Choice) -> Call:
    url, fields = there.version.attachment_call(_item(there, choice))
    content = fields | {"comment": choice.of(("fed:1:photo Piet: scratched", "c" * 300, ""))}
    files = {"attachment": ("photo.png", choice.of((b"\x89PNG\r\n\x1a\n", b"")), "image/png")}
    return Call(choice.of(_CALLERS), "POST", url, content=content, files=files)


def _list_attached(there: There, choice: Choice) -> Call:
    url, fields = there.version.attachment_call(_item(there, choice))
    return Call(choice.of(_CALLERS), "GET", url, fields)


#: Every kind of call, and its weight.
KINDS: dict[str, tuple[Callable[[There, Choice], Call], int]] = {
    "a good item": (_plain, 4),
    "create": (_create, 8),
    "move": (_move, 10),
    "assign": (_assign, 7),
    "bring back": (_bring_back, 6),
    "set status": (_set_status, 5),
    "edit": (_edit, 5),
    "people": (_by_people, 5),
    "merge": (_merge, 3),
    "write metadata": (_write_metadata, 4),
    "read metadata": (_read_metadata, 2),
    "read item": (_read_item, 4),
    "list stock": (_list_stock, 4),
    "read history": (_read_history, 5),
    "find parts": (_find_parts, 3),
    "read part": (_read_part, 2),
    "count": (_count_all, 1),
    "edit company": (_edit_company, 2),
    "read company": (_read_company, 1),
    "attach": (_attach, 2),
    "list attached": (_list_attached, 1),
}


def drawn(seed: int, length: int) -> tuple[Act, ...]:
    """The sequence of that seed."""
    chance = random.Random(seed)
    kinds, weights = list(KINDS), [weight for _, weight in KINDS.values()]
    words = ["a good item", *chance.choices(kinds, weights, k=length - 1)]
    return tuple(Act(word, tuple(chance.randrange(5040) for _ in range(_NUMBERS))) for word in words)


def called(act: Act, there: There) -> Call:
    """The act's request in the current state, with this server's row numbers."""
    return KINDS[act.kind][0](there, Choice(act.numbers))
